"""What somebody looked at last: his own list, kept short.

No event is recorded: nothing happened to the thing.
"""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from deskbell.kernel.actor import Actor
from deskbell.tickets.models import RecentView

#: So many things a person's list remembers.
KEPT = 50


@transaction.atomic
def note_view(object_: str, object_id: int, *, actor: Actor, at: datetime) -> RecentView:
    """The actor looked at a thing; access is the caller's.

    The oldest beyond ``KEPT`` are forgotten.
    """
    row, created = RecentView.objects.update_or_create(
        user_id=actor.user_id, object=object_, object_id=object_id, defaults={"viewed_at": at}
    )
    if created:
        rows = RecentView.objects.filter(user=actor.user_id).order_by("-viewed_at", "-id")
        beyond = list(rows.values_list("pk", flat=True)[KEPT : KEPT + 100])
        if beyond:
            RecentView.objects.filter(pk__in=beyond).delete()
    return row
