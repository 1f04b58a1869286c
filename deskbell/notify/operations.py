"""What somebody does with his notifications. Nobody else is concerned, so no event is written."""

from __future__ import annotations

from datetime import datetime, timedelta

from deskbell.kernel.actor import Actor
from deskbell.notify import queries
from deskbell.notify.models import OnlineNotification, Reminder

#: After this even what was never seen is of no use (Zammad keeps nine months).
KEEP = timedelta(days=275)
KEEP_SEEN = timedelta(days=14)
_BATCH = 2_000
_BATCHES = 50


def mark(notification_id: int, *, seen: bool, actor: Actor, at: datetime) -> None:
    """Note that one was seen, or is to be looked at again. Raises as :func:`queries.one`."""
    row = queries.one(actor, notification_id)
    if bool(row.seen) != seen:
        OnlineNotification.objects.filter(pk=row.id).update(seen=seen, updated_at=at)


def remove(notification_id: int, *, actor: Actor) -> None:
    """Take one away. Raises as :func:`queries.one`."""
    OnlineNotification.objects.filter(pk=queries.one(actor, notification_id).id).delete()


def mark_all(*, actor: Actor, at: datetime) -> int:
    """Everything the actor was told counts as seen. How many rows."""
    mine = OnlineNotification.objects.filter(user_id=actor.user_id, seen=False)
    return mine.update(seen=True, updated_at=at)


def see_ticket(ticket_id: int, *, actor: Actor, at: datetime) -> int:
    """The actor looks at the ticket: what he was told about it is seen. How many rows."""
    mine = OnlineNotification.objects.filter(user_id=actor.user_id, ticket_id=ticket_id, seen=False)
    return mine.update(seen=True, updated_at=at)


def clean(*, at: datetime) -> int:
    """Delete what is old, in bounded steps; the rest is left to the next run. How many rows."""
    gone = 0
    for rows in (
        OnlineNotification.objects.filter(created_at__lt=at - KEEP),
        OnlineNotification.objects.filter(seen=True, updated_at__lt=at - KEEP_SEEN),
        Reminder.objects.filter(due_at__lt=at - KEEP, ticket__pending_time=None),
    ):
        for _ in range(_BATCHES):
            ids = list(rows.order_by("id").values_list("pk", flat=True)[:_BATCH])
            rows.model.objects.filter(pk__in=ids).delete()
            gone += len(ids)
            if len(ids) < _BATCH:
                break
    return gone
