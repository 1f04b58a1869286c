"""After this event, these consumers: the one table, readable in a minute.

They run inside the operation's transaction, in this order. Whoever wants to react later reads the
event table by cursor (:func:`deskbell.kernel.events.read_after`).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from deskbell.kernel.events import Consumer, wire
from deskbell.people.operations import (
    AccessChanged,
    OrganizationChanged,
    UserChanged,
    UserCreated,
    UserDeleted,
)
from deskbell.tickets.operations.changing import release_lost_owner
from deskbell.tickets.operations.happenings import (
    ArticleEdited,
    ArticleRemoved,
    TicketDeleted,
    TicketLinked,
    TicketMerged,
    TicketOpened,
    TicketTagged,
    TicketUpdated,
)


def release_tickets(happening: UserChanged, event: Any, *, actor: Any, at: Any) -> None:
    """Whoever lost an account or an access gives back the tickets that needed it."""
    if happening.lost_access:
        release_lost_owner(happening.object_id, actor=actor, at=at)


AFTER: dict[type, Iterable[Consumer]] = {
    TicketOpened: [],
    TicketUpdated: [],
    ArticleEdited: [],
    ArticleRemoved: [],
    TicketTagged: [],
    TicketLinked: [],
    TicketMerged: [],
    TicketDeleted: [],
    UserCreated: [],
    UserChanged: [release_tickets],
    UserDeleted: [],
    AccessChanged: [],
    OrganizationChanged: [],
}


def install() -> None:
    """Make the table take effect; called when the applications are ready."""
    wire(AFTER)
