"""After this event, these consumers: the one table, readable in a minute.

They run inside the operation's transaction, in this order. Whoever wants to react later reads the
event table by cursor (:func:`deskbell.kernel.events.read_after`).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from deskbell.kernel.events import Consumer, wire
from deskbell.mail.consumers import owe_mail
from deskbell.notify.consumers import (
    forget_left,
    forget_taken_back,
    tell_of_opening,
    tell_of_return,
    tell_of_update,
)
from deskbell.people.operations import (
    AccessChanged,
    EmailAddressChanged,
    OrganizationChanged,
    UserChanged,
    UserCreated,
    UserDeleted,
)
from deskbell.search.consumers import (
    forget_ticket,
    index_article,
    index_fields,
    index_merge,
    index_organization,
    index_person,
    index_tag,
    index_ticket,
)
from deskbell.tickets.operations.changing import release_owners
from deskbell.tickets.operations.defining import CustomFieldChanged
from deskbell.tickets.operations.happenings import (
    ArticleEdited,
    ArticleRemoved,
    MailReturned,
    ReplyTakenBack,
    TicketDeleted,
    TicketLeft,
    TicketLinked,
    TicketMerged,
    TicketOpened,
    TicketTagged,
    TicketUpdated,
    TimeAccounted,
)
from deskbell.tickets.operations.naming import VocabularyChanged
from deskbell.tickets.operations.tags import TagChanged


def release_tickets(
    happening: UserChanged | AccessChanged, event: Any, *, actor: Any, at: Any
) -> None:
    """Whoever lost an account or an access gives back the tickets that needed it."""
    if happening.lost:
        release_owners(happening.lost, actor=actor, at=at)


AFTER: dict[type, Iterable[Consumer]] = {
    TicketOpened: [owe_mail, tell_of_opening, index_ticket],
    TicketUpdated: [owe_mail, tell_of_update, index_ticket],
    ArticleEdited: [index_article],
    ArticleRemoved: [index_article],
    ReplyTakenBack: [forget_taken_back, index_article],
    MailReturned: [tell_of_return],
    TicketTagged: [index_ticket],
    TicketLinked: [],
    TimeAccounted: [],
    TicketMerged: [tell_of_update, index_merge],
    TicketLeft: [forget_left],
    TicketDeleted: [forget_ticket],
    UserCreated: [index_person],
    UserChanged: [release_tickets, index_person],
    UserDeleted: [index_person],
    AccessChanged: [release_tickets],
    EmailAddressChanged: [],
    OrganizationChanged: [index_organization],
    VocabularyChanged: [],
    CustomFieldChanged: [index_fields],
    TagChanged: [index_tag],
}


def install() -> None:
    """Make the table take effect; called when the applications are ready."""
    wire(AFTER)
