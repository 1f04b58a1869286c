from __future__ import annotations

from django.db import migrations


class Migration(migrations.Migration):
    """The addresses stand in a table of their own since the migration before."""

    dependencies = [("people", "0004_addresses_of_groups")]

    operations = [migrations.RemoveField(model_name="group", name="email")]
