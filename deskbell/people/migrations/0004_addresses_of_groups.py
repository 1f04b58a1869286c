"""Each address that groups have becomes a row of its own; no name and no group loses anything."""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from typing import Any

from django.db import migrations
from django.db.migrations.state import StateApps


def _fold(text: str) -> str:
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).casefold())


def move(apps: StateApps, _editor: Any) -> None:
    """The name goes to the address where all its groups write under one, and only there."""
    Group: Any = apps.get_model("people", "Group")
    EmailAddress: Any = apps.get_model("people", "EmailAddress")
    by_key: defaultdict[str, list[Any]] = defaultdict(list)
    for group in Group.objects.exclude(email="").order_by("id"):
        by_key[_fold(group.email)].append(group)
    for key, groups in by_key.items():
        names = {group.sender_name for group in groups}
        address = EmailAddress.objects.create(
            name=names.pop() if len(names) == 1 else "",
            email=groups[0].email,
            email_key=key,
            created_at=groups[0].created_at,
            updated_at=groups[0].created_at,
        )
        Group.objects.filter(pk__in=[group.pk for group in groups]).update(email_address=address)


class Migration(migrations.Migration):
    dependencies = [("people", "0003_email_addresses")]

    operations = [migrations.RunPython(move, migrations.RunPython.noop)]
