"""What follows for agents inside the desk from what happened to a ticket, in its transaction."""

from __future__ import annotations

from datetime import datetime

from deskbell.kernel.actor import Actor
from deskbell.kernel.models import Event
from deskbell.notify.models import Occasion, OnlineNotification
from deskbell.notify.telling import settle, tell, tell_owner
from deskbell.tickets.operations.happenings import (
    MailReturned,
    ReplyTakenBack,
    TicketLeft,
    TicketMerged,
    TicketOpened,
    TicketUpdated,
)
from deskbell.tickets.vocabulary import StateType

#: Changes nobody wants to hear of.
_QUIET = frozenset({"preferences"})


def tell_of_opening(happening: TicketOpened, event: Event, *, actor: Actor, at: datetime) -> None:
    """A new ticket is told to the agents of its group.

    What comes through ``via = "system"`` (first rows, the example desk, an import) is a story.
    """
    if actor.via == "system":
        return
    kind = happening.ticket.state.kind
    tell(happening.ticket, Occasion.CREATE, by=actor.user_id, seen=_is_settled(kind), at=at)


def tell_of_update(
    happening: TicketUpdated | TicketMerged, event: Event, *, actor: Actor, at: datetime
) -> None:
    """A change, an answer, or another ticket's entries are told to the agents of the group.

    Where the change closes the ticket, nobody is called to it any more.
    """
    if actor.via == "system" or all(c.attribute in _QUIET for c in happening.changes):
        return
    ticket = happening.ticket
    closed = _is_settled(ticket.state.kind) and any(
        change.attribute == "state" for change in happening.changes
    )
    if closed:
        settle(ticket, at=at)
    tell(ticket, Occasion.UPDATE, by=actor.user_id, seen=closed, at=at)


def forget_left(happening: TicketLeft, event: Event, *, actor: Actor, at: datetime) -> None:
    """A ticket went into another: what was unseen about it is settled."""
    settle(happening.ticket, at=at)


def forget_taken_back(
    happening: ReplyTakenBack, event: Event, *, actor: Actor, at: datetime
) -> None:
    """A reply that was taken back calls nobody who has not looked yet."""
    OnlineNotification.objects.filter(
        ticket=happening.ticket,
        type=Occasion.UPDATE,
        created_by=actor.user_id,
        created_at=happening.written_at,
        seen=False,
    ).delete()


def tell_of_return(happening: MailReturned, event: Event, *, actor: Actor, at: datetime) -> None:
    """A mail that did not arrive is told to whoever is in charge, closed or not."""
    tell_owner(happening.ticket, by=actor.user_id, at=at)


def _is_settled(kind: StateType) -> bool:
    """Closed, or closing by itself: nothing is left to do."""
    return kind.is_closed or kind == StateType.PENDING_ACTION
