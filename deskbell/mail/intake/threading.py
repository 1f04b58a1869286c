"""What the desk knows about the tickets that a message may belong to.

The rule itself is :func:`deskbell.mail.reading.references.find`; here stands what it asks. Message-
IDs are looked for among those of entries and of what the desk sent; thread ids carry a signature.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from django.conf import settings

from deskbell.kernel.compiled import Compiled
from deskbell.kernel.text import MAX_ID, fold
from deskbell.mail.models import IncomingMail, OutgoingMail
from deskbell.mail.policy import Policy
from deskbell.mail.reading import references
from deskbell.mail.reading.facts import Facts
from deskbell.mail.reading.references import FoundBy, Known
from deskbell.mail.writing.headers import thread_message_id
from deskbell.people.models import Group, User
from deskbell.tickets.models import Article, Ticket, TicketCC
from deskbell.tickets.rules import message_id_key
from deskbell.tickets.vocabulary import Sender

#: Message-IDs that one statement looks for, the nearest first.
BATCH = 500
#: A chain of merges followed so far.
MERGES_AT_MOST = 20

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
_WROTE = Compiled(
    lambda ticket_id, user_id: Article.objects.filter(
        ticket=ticket_id, internal=False, sender=Sender.CUSTOMER, origin_by=user_id
    ).values_list("pk")[:1],
    int,
    int,
)
_COLLEAGUE = Compiled(
    lambda ticket_id, organization_id: Ticket.objects.filter(
        pk=ticket_id, organization_id=organization_id, organization__shared=True
    ).values_list("pk"),
    int,
    int,
)


class Ground(StrEnum):
    """What shows that a message belongs to a ticket."""

    ANSWERS = "it answers a message of the ticket"
    RETURNED = "it is about a message of the ticket"
    SUBJECT = "its subject names the ticket"
    BODY = "its text names the ticket"
    ATTACHMENT = "a file in it names the ticket"
    EXTERNAL = "it names the other system's number of the ticket"
    TAG = "it was sent to an address that only one agent was told"


_GROUNDS: dict[FoundBy, Ground] = {
    "references": Ground.ANSWERS,
    "bounced-message-id": Ground.RETURNED,
    "subject": Ground.SUBJECT,
    "body": Ground.BODY,
    "attachment": Ground.ATTACHMENT,
    "external-key": Ground.EXTERNAL,
}


@dataclass(frozen=True, slots=True)
class Found:
    """The ticket a message belongs to, and why. ``answered``: the mails of ours that it names."""

    ticket_id: int
    ground: Ground
    #: The nearest first.
    answered: tuple[OutgoingMail, ...] = ()


def find(facts: Facts, policy: Policy) -> Found | None:
    """The ticket that the message belongs to, if it is one of ours."""
    tickets = DeskTickets(facts)
    rules = references.Rules(
        hooks=(policy.hook,),
        search_in=frozenset(place for place in references.PLACES if place in policy.search_in),
    )
    known, found_by = references.find(facts, tickets, rules)
    if known is None or found_by is None:
        return None
    return Found(known.id, _GROUNDS[found_by], tuple(tickets.answered))


@dataclass(slots=True)
class DeskTickets:
    """The tickets of this desk; ``answered`` collects the mails of ours that were asked for."""

    facts: Facts
    answered: list[OutgoingMail] = field(default_factory=list)

    def by_number(self, numbers: Sequence[str]) -> Known | None:
        rows = Ticket.objects.filter(number__in=numbers).only("id", "number", "title")
        found = {ticket.number: ticket for ticket in rows}
        return next((_known(found[number]) for number in numbers if number in found), None)

    def by_slug_id(self, pairs: Sequence[tuple[str, int]]) -> Known | None:
        """Any group's slug: a moved ticket is still the one that the older subject meant."""
        named = {spelled for slug, _ in pairs for spelled in (slug, slug.casefold())}
        slugs = set(Group.objects.filter(slug__in=named).values_list("slug", flat=True))
        ids = [id_ for slug, id_ in pairs if {slug, slug.casefold()} & slugs and id_ <= MAX_ID]
        if not ids:
            return None
        found = Ticket.objects.only("id", "number", "title").in_bulk(ids)
        return next((_known(found[id_]) for id_ in ids if id_ in found), None)

    def by_message_id(self, ids: Sequence[str]) -> tuple[Known, str] | None:
        for start in range(0, len(ids), BATCH):
            if found := self._by_ids(ids[start : start + BATCH]):
                return found
        return None

    def _by_ids(self, ids: Sequence[str]) -> tuple[Known, str] | None:
        rows = OutgoingMail.objects.filter(message_id__in=[f"<{id_}>" for id_ in ids])
        sent = {mail.message_id: mail for mail in rows.select_related("article__ticket")}
        self.answered += [sent[f"<{id_}>"] for id_ in ids if f"<{id_}>" in sent]
        keys = [message_id_key(text) for id_ in ids for text in (f"<{id_}>", id_)]
        entries: dict[str | None, Article] = {}
        for entry in (
            Article.objects.filter(message_id_md5__in=keys)
            .select_related("ticket")
            .only("message_id_md5", "subject", "ticket__number", "ticket__title")
            .order_by("id")
        ):
            entries.setdefault(entry.message_id_md5, entry)
        threads = self._by_threads(ids)
        for id_ in ids:
            mail = sent.get(f"<{id_}>")
            bare, whole = (entries.get(message_id_key(text)) for text in (id_, f"<{id_}>"))
            if article := mail.article if mail is not None else whole or bare:
                return _known(article.ticket), article.subject or ""
            if (ticket := threads.get(id_)) is not None:
                return _known(ticket), ""
        return None

    def _by_threads(self, ids: Sequence[str]) -> dict[str, Ticket]:
        """Tickets whose own thread ids these are; such an id is signed and cannot be guessed."""
        named: dict[str, int] = {}
        for id_ in ids:
            match = _THREAD.match(id_)
            if match is None:
                continue
            ticket_id, host = int(match[1]), settings.CONFIG.hostname
            if f"<{id_}>" == thread_message_id(ticket_id=ticket_id, host=host):
                named[id_] = ticket_id
        if not named:
            return {}
        rows = Ticket.objects.only("id", "number", "title").in_bulk(set(named.values()))
        return {id_: rows[number] for id_, number in named.items() if number in rows}

    def by_external_key(self, key: str) -> Known | None:
        """The ticket that mail from the same sender about the same number went to before."""
        sender = fold(self.facts.sender.address) if self.facts.sender else ""
        ticket_id = (
            IncomingMail.objects.filter(
                external_key=key[:64], external_key__gt="", sender_key=sender, ticket_id__gt=0
            )
            .order_by("-id")
            .values_list("ticket_id", flat=True)
            .first()
        )
        if not (sender and ticket_id):
            return None
        ticket = Ticket.objects.filter(pk=ticket_id).only("id", "number", "title").first()
        return _known(ticket) if ticket is not None else None


def _known(ticket: Ticket) -> Known:
    return Known(number=ticket.number, title=ticket.title, id=ticket.pk)


def survivor(ticket_id: int) -> int:
    """Where answers to a merged ticket go: the ticket that took it in."""
    for _ in range(MERGES_AT_MOST):
        row = _MERGED_TO.first(ticket_id)
        if row is None or row[0] is None:
            break
        ticket_id = row[0]
    return ticket_id


def belongs(address: str, user: User | None, ticket_id: int) -> bool:
    """Whether the address takes part in the ticket: customer, copy, or written to by name.

    So do people whose entry stands there in public (an agent let them in), and members of the
    customer's organization, where they see each other's tickets. Agents do not belong by their
    address alone.
    """
    key = fold(address)
    if not key:
        return False
    if any(asked.first(ticket_id, key) is not None for asked in (_CUSTOMER, _COPY, _WRITTEN)):
        return True
    if user is None:
        return False
    if _WROTE.first(ticket_id, user.pk) is not None:
        return True
    return (
        user.organization_id is not None
        and _COLLEAGUE.first(ticket_id, user.organization_id) is not None
    )
