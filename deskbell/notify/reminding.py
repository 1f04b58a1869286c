"""Tickets that were put off to a moment which has come."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.db.models import Exists, OuterRef

from deskbell.kernel.actor import NOBODY_ID
from deskbell.notify.models import Occasion, OnlineNotification, Reminder
from deskbell.notify.telling import tell
from deskbell.tickets import access
from deskbell.tickets.models import Ticket
from deskbell.tickets.vocabulary import StateType

BATCH = 500


def remind(*, at: datetime, batch: int = BATCH) -> int:
    """Tell of the reminders that are due, each ticket and moment once. How many tickets.

    Each ticket is a transaction of its own. A job that comes back does the rest.
    """
    done = Reminder.objects.filter(ticket=OuterRef("pk"), due_at=OuterRef("pending_time"))
    due = Ticket.objects.filter(
        ~Exists(done), state__type=StateType.PENDING_REMINDER, pending_time__lte=at
    )
    ids = list(due.order_by("pending_time", "id").values_list("pk", flat=True)[:batch])
    return sum(_remind_of(ticket_id, at=at) for ticket_id in ids)


@transaction.atomic
def _remind_of(ticket_id: int, *, at: datetime) -> bool:
    """Whether the reminder was still due, and nobody else was faster."""
    ticket = access.locked(ticket_id)
    if ticket is None or ticket.state.kind != StateType.PENDING_REMINDER:
        return False
    due_at = ticket.pending_time
    if due_at is None or due_at > at:
        return False
    _reminder, is_new = Reminder.objects.get_or_create(ticket=ticket, due_at=due_at)
    if is_new:
        # The latest reminder stands for those before it.
        OnlineNotification.objects.filter(ticket=ticket, type=Occasion.REMINDER_REACHED).delete()
        tell(ticket, Occasion.REMINDER_REACHED, by=NOBODY_ID, at=at)
    return is_new
