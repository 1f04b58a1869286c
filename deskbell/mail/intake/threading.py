"""Which ticket a message belongs to, and what shows it.

In this order: the Message-IDs it answers, against those of entries and of what the desk sent; then
the reference in its subject (``[Ticket#10005]``, ``[users-5]``). The first needs to have received
something of the ticket, so whoever names it takes part; the second can be guessed by anybody, so it
counts only for senders who belong to the ticket.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from django.conf import settings

from deskbell.kernel.compiled import Compiled
from deskbell.kernel.text import fold
from deskbell.mail.headers import thread_message_id
from deskbell.mail.models import OutgoingMail
from deskbell.mail.reading import references
from deskbell.mail.reading.facts import Facts
from deskbell.people.models import Group
from deskbell.tickets.models import Article, Ticket, TicketCC
from deskbell.tickets.rules import message_id_key

#: Message-IDs looked at, the latest first.
IDS_AT_MOST = 50
#: A chain of merges followed so far.
MERGES_AT_MOST = 20
#: What stands before a number in a subject: ``[Ticket#10005]``.
HOOKS = ("Ticket#",)

_THREAD = re.compile(r"([0-9]{1,18})\.[0-9a-f]{32}@")


_MERGED_TO = Compiled(lambda key: Ticket.objects.filter(pk=key).values_list("merged_to_id"), int)
_CUSTOMER = Compiled(
    lambda ticket_id, key: Ticket.objects.filter(
        pk=ticket_id, customer__identities__key=key
    ).values_list("pk"),
    int,
    str,
)
_COPY = Compiled(
    lambda ticket_id, key: TicketCC.objects.filter(ticket_id=ticket_id, email_key=key).values_list(
        "pk"
    ),
    int,
    str,
)
_WRITTEN = Compiled(
    lambda ticket_id, key: OutgoingMail.objects.filter(
        article__internal=False,
        article__ticket_id=ticket_id,
        part__in=("customer", "recipient", "cc"),
        address_key=key,
    ).values_list("pk")[:1],
    int,
    str,
)


class Ground(StrEnum):
    """What shows that a message belongs to a ticket."""

    ANSWERS = "it answers a message of the ticket"
    SUBJECT = "its subject names the ticket"


@dataclass(frozen=True, slots=True)
class Found:
    """The ticket a message belongs to, and why. ``answered``: the mails of ours that it names."""

    ticket_id: int
    ground: Ground
    answered: tuple[OutgoingMail, ...] = ()


def find(facts: Facts) -> Found | None:
    """The ticket that the message belongs to, if it is one of ours."""
    return _by_ids(references.nearest_ids(facts)[:IDS_AT_MOST]) or _by_subject(facts.subject)


def _by_ids(ids: list[str]) -> Found | None:
    if not ids:
        return None
    wrapped = [f"<{id_}>" for id_ in ids]
    mails: dict[str, list[OutgoingMail]] = {}
    for mail in OutgoingMail.objects.filter(message_id__in=wrapped).select_related("article"):
        mails.setdefault(mail.message_id, []).append(mail)
    keys = {message_id_key(text): text for id_ in ids for text in (f"<{id_}>", id_)}
    articles = {
        article.message_id_md5: article.ticket_id
        for article in Article.objects.filter(message_id_md5__in=list(keys))
        .only("id", "ticket_id", "message_id_md5")
        .order_by("id")
    }
    ours = tuple(mail for found in mails.values() for mail in found)
    for id_ in ids:
        if sent := mails.get(f"<{id_}>"):
            return Found(sent[0].article.ticket_id, Ground.ANSWERS, ours)
        for text in (f"<{id_}>", id_):
            if ticket_id := articles.get(message_id_key(text)):
                return Found(ticket_id, Ground.ANSWERS, ours)
        if ticket_id := _thread_of(id_):
            return Found(ticket_id, Ground.ANSWERS, ours)
    return None


def _thread_of(id_: str) -> int | None:
    """The ticket whose own thread id this is; it carries a signature, so it cannot be guessed."""
    match = _THREAD.match(id_)
    if match is None:
        return None
    ticket_id = int(match[1])
    if f"<{id_}>" != thread_message_id(ticket_id=ticket_id, host=settings.CONFIG.hostname):
        return None
    return ticket_id if Ticket.objects.filter(pk=ticket_id).exists() else None


def _by_subject(subject: str) -> Found | None:
    for number in references.numbers_in(subject, HOOKS):
        ticket_id = Ticket.objects.filter(number=number).values_list("pk", flat=True).first()
        if ticket_id is not None:
            return Found(ticket_id, Ground.SUBJECT)
    for slug, ticket_id in references.slug_ids_in(subject):
        # Any group's slug: a moved ticket is still the one that the older subject meant.
        is_group = Group.objects.filter(slug__in={slug, slug.casefold()}).exists()
        if is_group and Ticket.objects.filter(pk=ticket_id).exists():
            return Found(ticket_id, Ground.SUBJECT)
    return None


def survivor(ticket_id: int) -> int:
    """Where answers to a merged ticket go: the ticket that took it in."""
    for _ in range(MERGES_AT_MOST):
        row = _MERGED_TO.first(ticket_id)
        if row is None or row[0] is None:
            break
        ticket_id = row[0]
    return ticket_id


def belongs(address: str, ticket_id: int) -> bool:
    """Whether the address takes part in the ticket: customer, copy, somebody who wrote or was
    written to by name. Agents do not belong by their address alone."""
    key = fold(address)
    if not key:
        return False
    return any(asked.first(ticket_id, key) is not None for asked in (_CUSTOMER, _COPY, _WRITTEN))
