"""What can happen to a ticket: the kinds of event, with the live rows that consumers need.

``deskbell/wiring.py`` says what follows from each, inside the same transaction.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from deskbell.kernel.events import Change
from deskbell.tickets.models import Article, Attachment, Ticket
from deskbell.tickets.rules import Owed


@dataclass(slots=True, kw_only=True)
class TicketHappening:
    """Something happened to a ticket; ``changes`` is its history, in order."""

    ticket: Ticket
    changes: list[Change] = field(default_factory=list)

    @property
    def object_name(self) -> str:
        return "Ticket"

    @property
    def object_id(self) -> int:
        return self.ticket.pk

    @property
    def number(self) -> str:
        return self.ticket.number


@dataclass(slots=True, kw_only=True)
class WithArticle(TicketHappening):
    """Something that may have brought an entry, its files and the messages owed for it."""

    article: Article | None = None
    files: Sequence[Attachment] = ()
    owed: Sequence[Owed] = ()


@dataclass(slots=True, kw_only=True)
class TicketOpened(WithArticle):
    """A ticket was opened."""


@dataclass(slots=True, kw_only=True)
class TicketUpdated(WithArticle):
    """A ticket was answered or changed, or both at once."""


@dataclass(slots=True, kw_only=True)
class ArticleEdited(WithArticle):
    """An entry was corrected; nothing is sent again."""


@dataclass(slots=True, kw_only=True)
class ArticleRemoved(TicketHappening):
    """An entry was taken away."""

    article_id: int


@dataclass(slots=True, kw_only=True)
class ReplyTakenBack(ArticleRemoved):
    """A reply was taken back before it was sent to anybody; it had been written at ``written_at``.

    What it had changed is in ``changes``, the other way round.
    """

    written_at: datetime


@dataclass(slots=True, kw_only=True)
class MailReturned(TicketHappening):
    """A message about an entry came back, or could not be sent; the ticket itself is the same."""


@dataclass(slots=True, kw_only=True)
class TicketTagged(TicketHappening):
    """Tags were added or taken away."""


@dataclass(slots=True, kw_only=True)
class TicketLinked(TicketHappening):
    """Tickets were tied together or apart."""


@dataclass(slots=True, kw_only=True)
class TimeAccounted(TicketHappening):
    """Time spent on a ticket was recorded, corrected or taken away."""


@dataclass(slots=True, kw_only=True)
class TicketMerged(TicketHappening):
    """``source`` went into ``ticket``; its articles stand there now."""

    source: Ticket
    article_ids: Sequence[int] = ()


@dataclass(slots=True, kw_only=True)
class TicketLeft(TicketHappening):
    """A ticket went into another; what follows from that follows from :class:`TicketMerged`."""


@dataclass(slots=True, kw_only=True)
class TicketDeleted(TicketHappening):
    """A ticket is gone; the row at hand has its last values."""

    article_ids: Sequence[int] = ()
    gone_id: int = 0

    @property
    def object_id(self) -> int:
        return self.gone_id
