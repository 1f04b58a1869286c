"""Which ticket a message belongs to.

Extraction finds what may name a ticket; :func:`decide` weighs it against what the desk knows,
through the small protocol :class:`Tickets`, so that the same rule runs over a database, a test and
the command line. It answers where the message belongs, not whether the sender may join: that is
for the caller, who knows people, and whom :attr:`Decision.sender_belongs` tells the half of it.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from deskbell.mail.reading import charsets, contents, phrases, senders, words
from deskbell.mail.reading.addresses import Address
from deskbell.mail.reading.facts import Facts
from deskbell.mail.reading.senders import ReplyToUse
from deskbell.mail.reading.structure import Part

Outcome = Literal["new_ticket", "followup", "ignored", "rejected_too_large"]
FoundBy = Literal[
    "references", "bounced-message-id", "subject", "body", "attachment", "external-key"
]
#: Where a ticket is looked for.
Place = Literal["in-reply-to", "references", "subject", "body", "attachment"]
PLACES: tuple[Place, ...] = ("in-reply-to", "references", "subject", "body", "attachment")
HEADERS: frozenset[Place] = frozenset({"in-reply-to", "references"})

_NUMBERS = 50
_SEARCHED = 400_000
_JIRA = re.compile(r"\[jira\]\s*(?:.{0,200}?)\(([A-Z][A-Z0-9_]{1,30}-\d{1,12})\)", re.IGNORECASE)
_JIRA_BARE = re.compile(
    r"(?:\[jira\]|\()\s*\[?([A-Z][A-Z0-9_]{1,30}-\d{1,12})[\])]?", re.IGNORECASE
)
_SERVICE_NOW = re.compile(r"(?<!\w)((?:INC|RITM|REQ|CHG|PRB|TASK|SCTASK|CS)\d{4,16})(?!\w)")


@dataclass(frozen=True, slots=True)
class Known:
    """A ticket that the desk has: what the decision needs of it.

    ``people`` are the addresses (lower case) that belong to it: customer and copies.
    """

    number: str
    title: str = ""
    id: int = 0
    state: str = "open"
    people: frozenset[str] = frozenset()
    follow_up_possible: str = "yes"

    @property
    def is_closed(self) -> bool:
        return self.state in {"closed", "merged", "removed"}


class Tickets(Protocol):
    """What the desk knows; each question comes once. Message ids come without brackets."""

    def by_number(self, numbers: Sequence[str]) -> Known | None:
        """The ticket of the first number that there is."""

    def by_slug_id(self, pairs: Sequence[tuple[str, int]]) -> Known | None:
        """The ticket of the first pair whose slug is a group's and whose id is a ticket's."""

    def by_message_id(self, ids: Sequence[str]) -> tuple[Known, str] | None:
        """The ticket, and the subject, of the first id that an entry has."""

    def by_external_key(self, key: str) -> Known | None:
        """The ticket that another system knows under the key."""


@dataclass(frozen=True, slots=True)
class Rules:
    """The settings that decide. Addresses are in lower case.

    ``search_in``: where a ticket is looked for. The ids of a header that is not among them count
    only together with the same subject; the other places are not looked at then.
    ``largest``: bytes of a message that are accepted, ``None`` without a limit.
    """

    hooks: tuple[str, ...] = ("Ticket#",)
    search_in: frozenset[Place] = HEADERS | {"subject"}
    own_addresses: frozenset[str] = frozenset()
    agents: frozenset[str] = frozenset()
    fqdn: str = ""
    reply_to: ReplyToUse = ""
    search_customer_of_agent: bool = True
    largest: int | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """What should become of a message, and why.

    ``state_after`` is the state of the ticket afterwards (``None`` for a new one).
    ``sender_belongs``: the sender is the ticket's customer or a copy of it, or one of the desk's.
    """

    outcome: Outcome
    ticket: Known | None
    found_by: FoundBy | None
    state_after: str | None
    sender_role: Literal["customer", "agent"]
    customer: Address | None
    sender_belongs: bool
    must_not_auto_respond: bool
    reasons: tuple[str, ...] = field(default=())


def decide(facts: Facts, tickets: Tickets, rules: Rules, *, size: int = 0) -> Decision:
    """Weighs the facts against what the desk knows. ``size``: bytes of the raw message."""
    ticket, found_by = find(facts, tickets, rules)
    reasons: list[str] = []
    if (
        ticket is not None
        and ticket.is_closed
        and ticket.follow_up_possible.startswith("new_ticket")
    ):
        reasons.append("the ticket is closed and takes no follow-ups")
        ticket, found_by = None, None
    sender = facts.sender
    key = sender.key if sender else ""
    is_own = key in rules.own_addresses
    role: Literal["customer", "agent"] = "customer"
    if is_own or (key in rules.agents and not (ticket is not None and key in ticket.people)):
        role = "agent"
    customer = senders.customer(
        sender,
        from_=facts.from_,
        reply_to=facts.reply_to,
        to=facts.to,
        use=rules.reply_to,
        own=rules.own_addresses,
    )
    if (
        customer is not None
        and sender is not None
        and customer.key != sender.key
        and is_own
        and rules.reply_to
    ):
        role = "customer"  # a form mailer of ours that writes in a customer's name
    elif role == "agent" and not is_own and customer == sender and rules.search_customer_of_agent:
        customer = customer_of_agent(facts, rules.own_addresses) or customer
    outcome: Outcome = "followup" if ticket is not None else "new_ticket"
    machine = facts.machine
    if rules.largest is not None and size > rules.largest:
        outcome, ticket, found_by = "rejected_too_large", None, None
        reasons.append("too large")
    elif is_echo(facts):
        outcome, ticket, found_by = "ignored", None, None
        reasons.append("our own automatic mail")
    return Decision(
        outcome=outcome,
        ticket=ticket,
        found_by=found_by,
        state_after=_state_after(ticket, facts, role) if ticket is not None else None,
        sender_role=role,
        customer=customer,
        sender_belongs=ticket is not None and (is_own or key in ticket.people),
        must_not_auto_respond=machine.must_not_auto_respond or is_own,
        reasons=tuple(reasons),
    )


def _state_after(ticket: Known, facts: Facts, role: str) -> str:
    """A person's answer reopens; machines, lists and bulk mail never do."""
    machine = facts.machine
    by_person = not (machine.is_auto_reply or machine.is_list or machine.is_bulk or facts.bounce)
    if (
        by_person
        and role == "customer"
        and (ticket.is_closed or ticket.state.startswith("pending"))
    ):
        return "open"
    return ticket.state


def find(facts: Facts, tickets: Tickets, rules: Rules) -> tuple[Known, FoundBy] | tuple[None, None]:
    """The ticket that the message names and what named it; the surest sign first."""
    ids = nearest_ids(facts)
    sure = ids if rules.search_in >= HEADERS else nearest_ids(facts, rules.search_in & HEADERS)
    if sure and (hit := tickets.by_message_id(sure)):
        return hit[0], "references"
    unsure = [id_ for id_ in ids if id_ not in sure]
    if unsure and (hit := tickets.by_message_id(unsure)):
        ticket, subject = hit
        plain = bare_subject(facts.subject)
        if plain and plain in {bare_subject(subject), bare_subject(ticket.title)}:
            return ticket, "references"
    returned = facts.bounce.message_id if facts.bounce else ""
    if returned and (hit := tickets.by_message_id([returned])):
        return hit[0], "bounced-message-id"
    if "subject" in rules.search_in and (found := _by_subject(facts.subject, tickets, rules.hooks)):
        return found, "subject"
    if "body" in rules.search_in and (
        found := _by_numbers(_numbers_in_body(facts, rules.hooks), tickets)
    ):
        return found, "body"
    if "attachment" in rules.search_in and (
        found := _by_numbers(_numbers_in_files(facts, rules.hooks), tickets)
    ):
        return found, "attachment"
    if facts.external_key and (found := tickets.by_external_key(facts.external_key)):
        return found, "external-key"
    return None, None


def _by_subject(subject: str, tickets: Tickets, hooks: Sequence[str]) -> Known | None:
    found = _by_numbers(list(numbers_in(subject, hooks)), tickets)
    if found is None and (pairs := list(slug_ids_in(subject))[:_NUMBERS]):
        return tickets.by_slug_id(pairs)
    return found


def _by_numbers(numbers: Sequence[str], tickets: Tickets) -> Known | None:
    return tickets.by_number(numbers) if numbers else None


def nearest_ids(facts: Facts, headers: Collection[str] = HEADERS) -> list[str]:
    """Ids of earlier messages: what is answered first, then backwards through the thread."""
    answered = facts.in_reply_to if "in-reply-to" in headers else ()
    before = reversed(facts.references) if "references" in headers else ()
    return list(dict.fromkeys([*answered, *before]))


def is_echo(facts: Facts) -> bool:
    """Whether it is an automatic mail of the desk's own that has come back."""
    machine = facts.machine
    return "own-message-id" in machine.reasons and (machine.is_auto_reply or machine.is_bulk)


def customer_of_agent(facts: Facts, own: Collection[str]) -> Address | None:
    """For whom an agent writes to the desk: the first in To who is not the desk itself."""
    return next((entry for entry in facts.to if entry.key not in own), None)


def numbers_in(text: str, hooks: Sequence[str]) -> Iterator[str]:
    """Ticket numbers behind one of the hooks, in order; a hook inside of a word is none."""
    count = 0
    for hook in hooks:
        pattern = re.compile(
            rf"(?<!\w){re.escape(hook)}:?\s{{0,2}}(\d{{1,30}})(?!\w)", re.IGNORECASE
        )
        for hit in pattern.finditer(text[:_SEARCHED]):
            yield hit[1]
            count += 1
            if count >= _NUMBERS:
                return


def slug_ids_in(subject: str) -> Iterator[tuple[str, int]]:
    """``[slug-id]`` of our own subjects: the group's slug and the ticket's id."""
    for hit in re.finditer(r"\[([A-Za-z0-9][\w-]{0,60}?)-(\d{1,18})\]", subject[:2_000]):
        yield hit[1], int(hit[2])


def _numbers_in_body(facts: Facts, hooks: Sequence[str]) -> list[str]:
    found = list(numbers_in(facts.body, hooks))
    if not found and facts.html:
        found = list(numbers_in(contents.html_text(facts.html[:_SEARCHED]), hooks))
    return found


def _numbers_in_files(facts: Facts, hooks: Sequence[str]) -> list[str]:
    found: list[str] = []
    for file in facts.files[:20]:
        if not file.content_type.startswith("text/"):
            continue
        text = charsets.decode(file.content[:_SEARCHED])
        if file.content_type == "text/html" or re.search(
            r"</?(?:html|body|div|p|b|span)\b", text[:2_000], re.IGNORECASE
        ):
            text = contents.html_text(text)
        found.extend(numbers_in(text, hooks))
    return found


def bare_subject(subject: str) -> str:
    """The subject without "Re:" and its relatives, for comparing."""
    text = " ".join(subject[:1_000].split())
    while True:
        found = phrases.PREFIXES.match(text)
        if found is None or found.end() == 0:
            return text.strip().casefold()
        text = text[found.end() :]


def external_key(root: Part, subject: str) -> str:
    """The number under which another ticket system knows the matter; "" when it is none.

    Only where that system's own header stands in the message; a subject alone is anybody's.
    """
    if root.raw("x-jira-fingerprint") is not None or root.raw("x-jira") is not None:
        found = _JIRA.search(subject) or _JIRA_BARE.search(subject)
        if found:
            return found[1].upper()
    if (
        root.raw("x-servicenow-generated") is not None
        or root.raw("x-servicenow-source") is not None
    ) and (
        found := _SERVICE_NOW.search(subject)
        or _SERVICE_NOW.search(words.decode(root.raw("references") or b""))
    ):
        return found[1]
    return ""
