"""Kinds of time spent, and what people looked at last."""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("people", "0002_seed_rows"),
        ("tickets", "0002_seed_rows"),
    ]

    operations = [
        migrations.CreateModel(
            name="RecentView",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "object",
                    models.CharField(
                        choices=[
                            ("Ticket", "Ticket"),
                            ("User", "User"),
                            ("Organization", "Organization"),
                        ],
                        max_length=20,
                    ),
                ),
                ("object_id", models.BigIntegerField()),
                ("viewed_at", models.DateTimeField()),
                (
                    "user",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="people.user",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="TimeType",
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
                ("name", models.CharField(max_length=250)),
                ("name_key", models.CharField(max_length=500, unique=True)),
                ("note", models.CharField(blank=True, max_length=250, null=True)),
                ("active", models.BooleanField(default=True)),
                (
                    "created_by",
                    models.ForeignKey(
                        default=1,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="people.user",
                    ),
                ),
                (
                    "updated_by",
                    models.ForeignKey(
                        default=1,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="people.user",
                    ),
                ),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.AddField(
            model_name="timeentry",
            name="type",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="tickets.timetype",
            ),
        ),
        migrations.AddIndex(
            model_name="timeentry",
            index=models.Index(fields=["created_at", "id"], name="time_by_date"),
        ),
        migrations.AddIndex(
            model_name="recentview",
            index=models.Index(fields=["user", "-viewed_at", "-id"], name="viewed_by"),
        ),
        migrations.AddConstraint(
            model_name="recentview",
            constraint=models.UniqueConstraint(
                fields=("user", "object", "object_id"), name="viewed_once"
            ),
        ),
    ]
