"""The index of Message-IDs leaves out entries that have none.

Where most have none, SQLite took the whole table instead of it.
"""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("tickets", "0003_time_types_and_recent_views")]

    operations = [
        migrations.RemoveIndex(model_name="article", name="article_by_message_id"),
        migrations.AddIndex(
            model_name="article",
            index=models.Index(
                fields=["message_id_md5"],
                name="article_by_message_id",
                condition=models.Q(message_id_md5__isnull=False),
            ),
        ),
    ]
