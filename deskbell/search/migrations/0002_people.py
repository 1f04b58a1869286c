from django.db import migrations, models


class Migration(migrations.Migration):
    """The rows of people; ``deskbell migrate`` fills the table afterwards."""

    dependencies = [("search", "0001_initial")]

    operations = [
        migrations.CreateModel(
            name="Person",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("kind", models.SmallIntegerField()),
                ("object_id", models.BigIntegerField()),
                ("words", models.TextField()),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("kind", "object_id"), name="search_person_once")
                ],
            },
        ),
    ]
