import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models


def fill_keys(apps, schema_editor):
    """Rules are found by a key now; their patterns say which."""
    rules = apps.get_model("mail", "IgnoreRule").objects
    for rule in rules.all():
        pattern = rule.pattern.strip().casefold()
        if rule.what == "domain":
            pattern = pattern.lstrip("@.")
        elif rule.what == "header":
            pattern = pattern.partition(":")[0].strip()
        rules.filter(pk=rule.pk).update(key=f"{rule.what}:{pattern}")


class Migration(migrations.Migration):
    dependencies = [
        ("mail", "0005_channel_key_and_delivered"),
        ("people", "0005_no_address_on_groups"),
    ]

    operations = [
        migrations.CreateModel(
            name="MailPolicy",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "created_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
                (
                    "updated_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
                ("values", models.JSONField(blank=True, default=dict)),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.AddField(
            model_name="ignorerule",
            name="action",
            field=models.CharField(
                choices=[("ignore", "Ignore"), ("quiet", "Quiet")], default="ignore", max_length=10
            ),
        ),
        migrations.AddField(
            model_name="ignorerule",
            name="created_at",
            field=models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
        ),
        migrations.AddField(
            model_name="ignorerule",
            name="created_by",
            field=models.ForeignKey(
                default=1,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="people.user",
            ),
        ),
        migrations.AddField(
            model_name="ignorerule",
            name="key",
            field=models.CharField(default="", max_length=620),
        ),
        migrations.RunPython(fill_keys, migrations.RunPython.noop, elidable=True),
        migrations.AddField(
            model_name="ignorerule",
            name="updated_at",
            field=models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
        ),
        migrations.AddField(
            model_name="ignorerule",
            name="updated_by",
            field=models.ForeignKey(
                default=1,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="people.user",
            ),
        ),
        migrations.AddField(
            model_name="incomingmail",
            name="external_key",
            field=models.CharField(blank=True, default="", max_length=64),
        ),
        migrations.AddField(
            model_name="incomingmail",
            name="sender_key",
            field=models.CharField(blank=True, default="", max_length=508),
        ),
        migrations.AddIndex(
            model_name="ignorerule",
            index=models.Index(fields=["key"], name="ignore_by_key"),
        ),
        migrations.AddIndex(
            model_name="incomingmail",
            index=models.Index(fields=["sender_key", "handled_at"], name="incoming_by_sender"),
        ),
        migrations.AddIndex(
            model_name="incomingmail",
            index=models.Index(fields=["ticket_id", "handled_at"], name="incoming_by_ticket"),
        ),
        migrations.AddIndex(
            model_name="incomingmail",
            index=models.Index(
                condition=models.Q(("external_key__gt", "")),
                fields=["external_key"],
                name="incoming_external",
            ),
        ),
        migrations.AddIndex(
            model_name="incomingmail",
            index=models.Index(
                condition=models.Q(("place__gt", "")), fields=["handled_at"], name="incoming_raw"
            ),
        ),
        migrations.AddField(
            model_name="mailpolicy",
            name="created_by",
            field=models.ForeignKey(
                default=1,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="people.user",
            ),
        ),
        migrations.AddField(
            model_name="mailpolicy",
            name="updated_by",
            field=models.ForeignKey(
                default=1,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="people.user",
            ),
        ),
    ]
