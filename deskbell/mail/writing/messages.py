"""What may be said to whom, as types.

There are two kinds of message. A :class:`PublicMessage` goes to the customer, to addresses an agent
named and to the ticket's copies; it can only hold a :class:`PublicEntry`, and there is no way to
make one of an internal article. A :class:`StaffNotification` goes to owner and group and may hold
either kind. Whoever renders or sends takes one of the two types, so a private word has no path to
the outside: the type checker says so before any test does, and the constructors once more.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Self

from deskbell.kernel.actor import NOBODY_ID
from deskbell.kernel.text import fold
from deskbell.people.models import User
from deskbell.tickets.models import Article, Attachment, Ticket
from deskbell.tickets.rules import Occasion, Part
from deskbell.tickets.vocabulary import ArticleType, Sender

PUBLIC_PARTS = frozenset({Part.CUSTOMER, Part.RECIPIENT, Part.CC})
STAFF_PARTS = frozenset({Part.OWNER, Part.ASSIGNED, Part.STAFF})


class NotForThisAddress(Exception):
    """The entry must not reach the address (any more); the text says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entry:
    """What an article says. ``author`` is the person's name, empty for the desk itself."""

    author: str
    by_agent: bool
    written_at: datetime
    body: str
    content_type: str
    files: tuple[Attachment, ...] = ()

    @classmethod
    def _of(cls, article: Article, files: Sequence[Attachment]) -> Self:
        writer = article.origin_by or article.created_by
        return cls(
            author=_name(writer),
            by_agent=article.sender != Sender.CUSTOMER,
            written_at=article.created_at,
            body=article.body,
            content_type=article.content_type,
            files=tuple(files),
        )


class PublicEntry(_Entry):
    """What everybody around the ticket may read."""

    __slots__ = ()

    @classmethod
    def of(cls, article: Article, files: Sequence[Attachment] = ()) -> PublicEntry:
        """Raises :class:`NotForThisAddress` for an internal article."""
        if article.internal:
            raise NotForThisAddress("The entry is internal.")
        return cls._of(article, files)


class InternalEntry(_Entry):
    """What only staff may read."""

    __slots__ = ()

    @classmethod
    def of(cls, article: Article, files: Sequence[Attachment] = ()) -> InternalEntry:
        """Raises :class:`ValueError` for a public article."""
        if not article.internal:
            raise ValueError("a public article is not internal")
        return cls._of(article, files)


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicMessage:
    """A message to somebody outside: the customer, a named recipient, a copy.

    An *acknowledgement* tells the customer that the ticket was opened; it has no entry, because
    nothing that a stranger typed may be sent on under the desk's name. A *letter* is what an
    agent wrote to this address; everything else is a copy of what happened. ``quoted``: what was
    written before and stands below a letter, the latest first.
    """

    part: Part
    occasion: Occasion
    entry: PublicEntry | None
    is_letter: bool = False
    also_to: tuple[str, ...] = ()
    quoted: tuple[PublicEntry, ...] = ()

    def __post_init__(self) -> None:
        if self.part not in PUBLIC_PARTS:
            raise ValueError(f"{self.part} is not outside")
        if self.entry is not None and not isinstance(self.entry, PublicEntry):
            raise TypeError("only a public entry may leave the desk")
        if self.is_letter and self.entry is None:
            raise ValueError("a letter says something")
        if not all(isinstance(entry, PublicEntry) for entry in self.quoted):
            raise TypeError("only a public entry may be quoted")

    @property
    def is_acknowledgement(self) -> bool:
        return self.entry is None


@dataclass(frozen=True, slots=True, kw_only=True)
class StaffNotification:
    """A message to the owner, or to an address of the group."""

    part: Part
    occasion: Occasion
    entry: PublicEntry | InternalEntry

    def __post_init__(self) -> None:
        if self.part not in STAFF_PARTS:
            raise ValueError(f"{self.part} is not staff")

    @property
    def is_internal(self) -> bool:
        return isinstance(self.entry, InternalEntry)


def is_letter(article: Article) -> bool:
    """Whether an agent wrote the article as a mail to the addresses in it."""
    return article.type == ArticleType.EMAIL and article.sender == Sender.AGENT


def message_for(
    *,
    part: Part,
    occasion: Occasion,
    address: str,
    article: Article,
    files: Sequence[Attachment] = (),
    outsiders: Sequence[str] = (),
    named: Sequence[str] = (),
) -> PublicMessage | StaffNotification:
    """The message that an article owes to an address, judged by what is true now.

    ``outsiders`` are the addresses of the customer and of the ticket's copies, ``named`` those
    that the article itself names. Raises :class:`NotForThisAddress`: the article became internal
    since the message was owed, or an address of staff became the customer's or a copy's.
    """
    if part in PUBLIC_PARTS:
        entry = PublicEntry.of(article, files)
        letter = is_letter(article) and part is not Part.CC
        acknowledges = part is Part.CUSTOMER and occasion is Occasion.OPENED and not letter
        key = fold(address)
        return PublicMessage(
            part=part,
            occasion=occasion,
            entry=None if acknowledges else entry,
            is_letter=letter,
            also_to=tuple(n for n in named if fold(n) != key) if letter else (),
        )
    if not article.internal:
        return StaffNotification(part=part, occasion=occasion, entry=PublicEntry.of(article, files))
    if fold(address) in {fold(outsider) for outsider in outsiders}:
        raise NotForThisAddress("The address is the customer's or gets copies of the ticket.")
    return StaffNotification(part=part, occasion=occasion, entry=InternalEntry.of(article, files))


def _name(person: User) -> str:
    return "" if person.pk == NOBODY_ID else person.display_name


def customer_of(ticket: Ticket) -> User | None:
    """The ticket's customer, ``None`` where none is known."""
    return None if ticket.customer_id == NOBODY_ID else ticket.customer
