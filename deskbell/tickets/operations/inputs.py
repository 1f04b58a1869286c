"""What the faces hand to the operations: typed, decoded, not yet judged."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from msgspec import UNSET, UnsetType

from deskbell.kernel.actor import NOBODY_ID
from deskbell.tickets.attachments import NewFile
from deskbell.tickets.vocabulary import ArticleType, Sender

__all__ = ["UNSET", "NewArticle", "NewTicket", "TicketChange", "UnsetType"]


@dataclass(slots=True, kw_only=True)
class NewArticle:
    """An entry to be added.

    ``from_address`` is computed where it is ``None``. ``seconds`` is time spent, ``time_type_id``
    what on. ``named`` in To and Cc decides who gets an e-mail article. ``new_status`` is the number
    a django-helpdesk client set with the entry and reads back. Nobody is mailed about a ``quiet``
    entry. The customer hears that his ``acknowledged`` mail opened a ticket. What no person wrote
    never ``wakes`` a ticket that sleeps or is closed.
    """

    body: str
    subject: str | None = None
    type: ArticleType = ArticleType.NOTE
    sender: Sender | None = None
    internal: bool = False
    content_type: str = "text/plain"
    from_address: str | None = None
    to: str | None = None
    cc: str | None = None
    reply_to: str | None = None
    in_reply_to: str | None = None
    references: str | None = None
    message_id: str | None = None
    origin_by_id: int | None = None
    preferences: dict[str, Any] = field(default_factory=dict)
    seconds: int | None = None
    time_type_id: int | None = None
    files: Sequence[NewFile] = ()
    new_status: int | None = None
    quiet: bool = False
    acknowledged: bool = False
    wakes: bool = True


@dataclass(slots=True, kw_only=True)
class NewTicket:
    """A ticket to be opened. ``customer_id`` 1 means that none is known (decision 9).

    ``organization_id`` counts only if it is one of the customer's. ``custom`` holds stored values
    by field name (see :mod:`deskbell.tickets.fields`). ``links`` maps a link type to ticket ids:
    what the new ticket is to them. ``description`` left ``UNSET`` comes from the first article.
    ``id`` is given only where something in the article must name the ticket, see
    :func:`~deskbell.tickets.operations.opening.reserve_id`.
    """

    title: str
    group_id: int
    customer_id: int = NOBODY_ID
    state_id: int | None = None
    priority_id: int | None = None
    owner_id: int = NOBODY_ID
    organization_id: int | None = None
    note: str | None = None
    type: str | None = None
    pending_time: datetime | None = None
    due_date: datetime | None = None
    description: str | UnsetType | None = UNSET
    preferences: Mapping[str, Any] = field(default_factory=dict)
    custom: Mapping[str, Any] = field(default_factory=dict)
    tags: Sequence[str] = ()
    links: Mapping[str, Collection[int]] = field(default_factory=dict)
    mentions: Collection[int] = ()
    ccs: Sequence[str] = ()
    article: NewArticle | None = None
    id: int | None = None


@dataclass(slots=True, kw_only=True)
class TicketChange:
    """What is to change; ``UNSET`` leaves a thing alone, a value equal to the stored is no change.

    ``on_hold`` is compared with what reads (flag or pending state); ``False`` clears the flag and
    turns a pending state into open. ``preferences`` and ``custom`` are merged key by key, a
    ``None`` in ``custom`` empties the field.
    """

    title: str | UnsetType = UNSET
    group_id: int | UnsetType = UNSET
    state_id: int | UnsetType = UNSET
    priority_id: int | UnsetType = UNSET
    owner_id: int | UnsetType = UNSET
    customer_id: int | UnsetType = UNSET
    organization_id: int | UnsetType | None = UNSET
    note: str | UnsetType | None = UNSET
    type: str | UnsetType | None = UNSET
    pending_time: datetime | UnsetType | None = UNSET
    due_date: datetime | UnsetType | None = UNSET
    on_hold: bool | UnsetType = UNSET
    description: str | UnsetType | None = UNSET
    resolution: str | UnsetType | None = UNSET
    merged_to_id: int | UnsetType | None = UNSET
    preferences: Mapping[str, Any] | UnsetType = UNSET
    custom: Mapping[str, Any] = field(default_factory=dict)
