"""The rules of the trade: pure functions, no database, no clock, no request."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from deskbell.kernel.text import fold
from deskbell.tickets.vocabulary import (
    BODY_LIMIT,
    OPEN,
    PRIORITY_ID_FOR_NUMBER,
    STATE_FOR_STATUS,
    STATUS_LABELS,
    TITLE_LIMIT,
    ArticleType,
    Sender,
    StateId,
    StateType,
)

# --- numbers and titles --------------------------------------------------------------------------


def number_for(ticket_id: int, prefix: str) -> str:
    """The number people read: the prefix and the id, at least three digits of it (decision 37)."""
    return f"{prefix}{ticket_id:03d}"


def clean_title(title: str) -> str:
    """The title on one line: newlines and tabs become blanks, as in Zammad."""
    return re.sub(r"[\t\r\n\v\f\x85\u2028\u2029]", " ", title).strip()


def shortened_title(title: str) -> str:
    """A title cut to what fits, with an ellipsis; for mail, which may say anything."""
    title = clean_title(title)
    return title if len(title) <= TITLE_LIMIT else title[: TITLE_LIMIT - 1].rstrip() + "…"


def body_limit(via: str) -> int | None:
    """How many characters an entry may have; ``None``: as many as a request can carry.

    Zammad names a limit; the documentation of the form dialects promises that there is none.
    """
    return None if via in ("jutda", "helpdesk") else BODY_LIMIT


def message_id_key(message_id: str) -> str:
    """What entries are found by: the MD5 of a Message-ID in hex, as Zammad's clients read it."""
    return hashlib.md5(message_id.encode("utf-8", "replace")).hexdigest()  # noqa: S324 - no safeguard


# --- states --------------------------------------------------------------------------------------


def state_after_reply(
    state_type: StateType,
    *,
    is_default_create: bool,
    sender: Sender,
    article_type: ArticleType,
    internal: bool,
    via: str,
    may_reopen: bool = True,
) -> StateId | None:
    """The state a ticket moves to once somebody has written to it; ``None`` leaves it.

    An agent's public communication (mail, phone, web; not a note) starts work on what was new.
    A customer's mail or portal reply reopens what was closed and wakes what was pending; APIs say
    the state themselves, so nothing reopens behind their back (decision 12).
    """
    if internal:
        return None
    if sender is Sender.AGENT:
        starts = is_default_create and article_type.is_communication
        return StateId.OPEN if starts else None
    wakes = state_type.is_pending or (state_type is StateType.CLOSED and may_reopen)
    if sender is Sender.CUSTOMER and via in ("mail", "portal") and wakes:
        return StateId.OPEN
    return None


def state_for_status(number: int, *, present: int | None) -> StateId | None:
    """The seeded state a client asks for by number; ``None`` where it reads that number already.

    A client that sends back what it was given asks for no change; without this, saving any form
    would turn "pending reminder" into "open" (decision 17).
    """
    return None if number == present else STATE_FOR_STATUS[number]


def priority_for_number(number: int, *, present: int | None) -> int | None:
    """The seeded priority's id for django-helpdesk's number; ``None`` where it reads so already."""
    return None if number == present else PRIORITY_ID_FOR_NUMBER[number]


def reads_on_hold(flag: bool, state_type: int) -> bool:
    """What clients read as ``on_hold``: the flag, or a pending state."""
    return flag or StateType(state_type).is_pending


def status_label(number: int, *, on_hold: bool) -> str:
    """The words for people: ``Open``, ``Resolved``, ``Open - On Hold``."""
    return STATUS_LABELS.get(number, STATUS_LABELS[OPEN]) + (" - On Hold" if on_hold else "")


#: What an agent or a customer may choose by id, by type; merged and removed never are chosen.
_AGENT_TYPES = frozenset(StateType) - {StateType.MERGED, StateType.REMOVED}


def may_choose_state(state_type: StateType, *, active: bool, agent: bool, creating: bool) -> bool:
    """Whether a state can be picked: by agents any working one, by customers open or closed."""
    if not active:
        return False
    if agent:
        return state_type in _AGENT_TYPES
    allowed = {StateType.NEW, StateType.CLOSED} if creating else {StateType.OPEN, StateType.CLOSED}
    return state_type in allowed


def may_follow_up(
    *,
    state_type: StateType,
    follow_up_possible: str,
    reopen_time_in_days: int | None,
    closed_at: datetime | None,
    at: datetime,
) -> bool:
    """Whether a customer may still write to the ticket (the group's rule; agents always may)."""
    if not state_type.is_closed or state_type is StateType.MERGED:
        return True
    if follow_up_possible == "new_ticket":
        return False
    if follow_up_possible == "new_ticket_after_certain_time":
        if closed_at is None or reopen_time_in_days is None:
            return True
        return (at - closed_at).total_seconds() <= reopen_time_in_days * 86400
    return True


# --- contact times -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ContactTimes:
    """The contact columns of a ticket (UTC, ``None`` where it never happened)."""

    first_response_at: datetime | None = None
    last_contact_at: datetime | None = None
    last_contact_agent_at: datetime | None = None
    last_contact_customer_at: datetime | None = None


def contact_after(
    times: ContactTimes, *, sender: Sender, article_type: ArticleType, internal: bool, at: datetime
) -> ContactTimes:
    """The contact times once an entry was added; notes and internal entries leave them alone.

    A customer who writes again before an agent answered does not move ``last_contact_customer_at``:
    the waiting began with the first of those messages.
    """
    if internal or not article_type.is_communication or sender is Sender.SYSTEM:
        return times
    if sender is Sender.AGENT:
        return ContactTimes(
            first_response_at=times.first_response_at or at,
            last_contact_at=at,
            last_contact_agent_at=at,
            last_contact_customer_at=times.last_contact_customer_at,
        )
    waiting = times.last_contact_customer_at is not None and (
        times.last_contact_agent_at is None
        or times.last_contact_agent_at < times.last_contact_customer_at
    )
    customer_at = times.last_contact_customer_at if waiting else at
    return ContactTimes(
        first_response_at=times.first_response_at,
        last_contact_at=customer_at if waiting else at,
        last_contact_agent_at=times.last_contact_agent_at,
        last_contact_customer_at=customer_at,
    )


# --- who gets mail -------------------------------------------------------------------------------


class Occasion(StrEnum):
    """What a mail is about; chooses template and subject."""

    OPENED = "opened"
    UPDATED = "updated"
    RESOLVED = "resolved"


class Part(StrEnum):
    """The part somebody has in a ticket, and so the template he gets."""

    CUSTOMER = "customer"
    RECIPIENT = "recipient"
    CC = "cc"
    OWNER = "owner"
    ASSIGNED = "assigned"
    STAFF = "staff"


@dataclass(frozen=True, slots=True)
class Owed:
    """One message owed to one address. ``staff_only``: the text of a private entry may be in it."""

    address: str
    part: Part
    occasion: Occasion
    staff_only: bool = False


@dataclass(frozen=True, slots=True)
class Audience:
    """Everybody around a ticket who could be told, as plain addresses (empty: there is none).

    ``author`` is the address of whoever wrote the entry, ``desk`` the desk's own addresses, which
    never get mail, ``named`` the addresses a client put into To and Cc of an e-mail article.
    """

    customer: str = ""
    ccs: tuple[str, ...] = ()
    new_ticket_cc: tuple[str, ...] = ()
    updated_ticket_cc: tuple[str, ...] = ()
    owner: str = ""
    owner_wants_assignment: bool = True
    owner_wants_updates: bool = True
    owner_is_actor: bool = False
    author: str = ""
    named: tuple[str, ...] = ()
    desk: frozenset[str] = frozenset()


def recipients(
    audience: Audience,
    *,
    occasion: Occasion,
    article_type: ArticleType,
    sender: Sender,
    internal: bool,
    acknowledged: bool = False,
) -> list[Owed]:
    """Who is mailed about a new entry, one message per address (decisions 1, 13-16).

    Mail follows the article's type: an e-mail goes to the addresses it names; a phone or web
    entry by the customer that opens a ticket is acknowledged, a mail where that was said. Ticket
    CCs get every public entry, but for those who got it themselves, as recipients of the
    customer's mail; the group's addresses and the owner get all. A private entry goes only to
    staff, and not to an owner or group address that is also the customer's or a CC's.
    """
    owed: dict[str, Owed] = {}
    author = fold(audience.author)
    opened = occasion is Occasion.OPENED

    def owe(addresses: Iterable[str], part: Part, *, even_author: bool = False) -> None:
        for address in addresses:
            key = fold(address)
            if not key or key in owed or key in audience.desk:
                continue
            if key == author and not even_author:
                continue
            owed[key] = Owed(address, part, occasion, staff_only=internal)

    if not internal:
        if article_type is ArticleType.EMAIL and sender is Sender.AGENT:
            customer = fold(audience.customer)
            owe((a for a in audience.named if fold(a) == customer), Part.CUSTOMER)
            owe(audience.named, Part.RECIPIENT)
        elif (
            opened
            and sender is Sender.CUSTOMER
            and (article_type in (ArticleType.WEB, ArticleType.PHONE) or acknowledged)
        ):
            owe([audience.customer], Part.CUSTOMER, even_author=True)
        came_by_mail = article_type is ArticleType.EMAIL and sender is Sender.CUSTOMER
        have_it = _keys(audience.named) if came_by_mail else frozenset()
        owe((a for a in audience.ccs if fold(a) not in have_it), Part.CC)
    outsiders = _keys((audience.customer, *audience.ccs)) if internal else frozenset()

    def staff(addresses: Iterable[str]) -> list[str]:
        return [a for a in addresses if fold(a) not in outsiders]

    if not audience.owner_is_actor:
        wanted = audience.owner_wants_assignment if opened else audience.owner_wants_updates
        if wanted:
            owe(staff([audience.owner]), Part.ASSIGNED if opened else Part.OWNER)
    if opened:
        owe(staff(audience.new_ticket_cc), Part.STAFF)
    owe(staff(audience.updated_ticket_cc), Part.STAFF)
    return list(owed.values())


def _keys(addresses: Collection[str]) -> frozenset[str]:
    return frozenset(fold(a) for a in addresses if a)
