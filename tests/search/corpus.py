"""Tickets to search in, and the slow way to search them: every document read, every word compared.

The reference shares with the index only the parser and the splitting into words. It knows nothing
of databases, vocabularies, row ids or sets.
"""

from __future__ import annotations

import fnmatch
import itertools
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from deskbell.kernel.actor import Actor
from deskbell.people.models import Group, Organization, User
from deskbell.search import analyse, index
from deskbell.search.language import And, Everything, Exists, Node, Not, Or, Range, Words
from deskbell.tickets.models import Article, CustomField, Tag, Ticket, TicketTag
from deskbell.tickets.vocabulary import ArticleType, Sender

MONDAY_9AM = datetime(2026, 3, 2, 9, tzinfo=UTC)
_serial = itertools.count(1)

SYSTEM = Actor(kind="system", user_id=1, via="system")


def agent(*groups: int, customer_id: int | None = None) -> Actor:
    """Nora: an agent with read on the groups; with ``customer_id`` also a customer."""
    permissions = {"ticket.agent"} | ({"ticket.customer"} if customer_id else set())
    return Actor(
        kind="agent",
        user_id=customer_id or 3,
        via="zammad",
        permissions=frozenset(permissions),
        groups={group: frozenset({"read"}) for group in groups},
    )


def customer(user_id: int) -> Actor:
    """Kemal: sees his own tickets and nothing internal."""
    return Actor(
        kind="customer",
        user_id=user_id,
        via="zammad",
        permissions=frozenset({"ticket.customer"}),
    )


def person(login: str, **more: Any) -> User:
    return User.objects.create(login=login, email=more.pop("email", login), **more)


def team(name: str) -> Group:
    return Group.objects.create(name=name, name_key=name.casefold(), slug=name.casefold())


def company(name: str) -> Organization:
    return Organization.objects.create(name=name, name_key=name.casefold())


def open_ticket(title: str, *, tags: tuple[str, ...] = (), **more: Any) -> Ticket:
    """A ticket, indexed. Times count minutes from Monday 9:00 in order of opening."""
    serial = next(_serial)
    at = more.pop("at", MONDAY_9AM + timedelta(minutes=serial))
    ticket = Ticket.objects.create(
        **{
            "title": title,
            "number": f"{770000 + serial}",
            "group_id": 1,
            "state_id": 1,
            "priority_id": 2,
            "created_at": at,
            "updated_at": at,
            **more,
        }
    )
    for name in tags:
        tag, _ = Tag.objects.get_or_create(name_key=name.casefold(), defaults={"name": name})
        TicketTag.objects.create(ticket=ticket, tag=tag)
    index.write_ticket(ticket.pk)
    return ticket


def add_article(ticket: Ticket, body: str, **more: Any) -> Article:
    """An article, indexed."""
    article = Article.objects.create(
        **{
            "ticket": ticket,
            "body": body,
            "type": ArticleType.NOTE,
            "sender": Sender.AGENT,
            "created_at": ticket.created_at,
            "updated_at": ticket.created_at,
            **more,
        }
    )
    index.write_article(article.pk)
    return article


@dataclass
class Document:
    """What somebody may find in a ticket: texts by field (``""`` counts without a field only)."""

    texts: list[tuple[str, str, bool]] = field(default_factory=list)  # field, text, without field

    def put(self, name: str, text: str | None, *, bare: bool = True) -> None:
        if text:
            self.texts.append((name, text, bare))


def read(ticket: Ticket, *, staff: bool) -> Document:
    """The ticket as a customer (or, with ``staff``, an agent) may find it."""
    found = Document()
    found.put("title", ticket.title)
    found.put("number", ticket.number)
    found.put("note", ticket.note)
    for tagged in TicketTag.objects.filter(ticket=ticket).select_related("tag"):
        found.put("tags", tagged.tag.name)
    for name, user, bare in (
        ("customer", ticket.customer, True),
        ("owner", ticket.owner, False),
    ):
        if user.pk != 1:
            for part in ("firstname", "lastname", "email", "login"):
                found.put(f"{name}.{part}", getattr(user, part), bare=bare)
    if ticket.organization:
        found.put("organization.name", ticket.organization.name)
    if staff:
        found.put("resolution", ticket.resolution)
        found.put("", ticket.description)
    for custom in CustomField.objects.all():
        value = ticket.custom.get(custom.name)
        if value not in (None, "") and (staff or not custom.staff_only):
            found.put(custom.name, str(value))
    for article in Article.objects.filter(ticket=ticket):
        if article.internal and not staff:
            continue
        found.put("article.subject", article.subject)
        found.put("article.from", article.from_address)
        found.put("article.to", article.to)
        found.put("article.cc", article.cc)
        found.put("article.body", article.body)
    return found


def matches(node: Node, document: Document, ticket: Ticket) -> bool:
    """Whether the ticket is what the query asks for. ``None`` inside means: asks for nothing."""
    return _matches(node, document, ticket) is True


def _matches(node: Node, document: Document, ticket: Ticket) -> bool | None:
    match node:
        case Everything():
            return True
        case And(parts) | Or(parts):
            said = [one for part in parts if (one := _matches(part, document, ticket)) is not None]
            if not said:
                return None
            return all(said) if isinstance(node, And) else any(said)
        case Not(part):
            inner = _matches(part, document, ticket)
            return None if inner is None else not inner
        case Words():
            return _words(node, document, ticket)
        case Exists(name):
            if name in ("state_id", "created_at"):
                return True
            return any(known == name for known, _, _ in document.texts)
        case Range():
            assert node.field == "state_id"
            low = int(node.low) if node.low is not None else -1
            high = int(node.high) if node.high is not None else 10**9
            state = ticket.state_id
            return (state >= low if node.with_low else state > low) and (
                state <= high if node.with_high else state < high
            )


_STEMMED = {"", "title", "note", "resolution", "article.subject", "article.body", "color"}


def _words(node: Words, document: Document, ticket: Ticket) -> bool | None:
    if node.field == "state_id":
        return node.text.isdecimal() and ticket.state_id == int(node.text)
    texts = [
        analyse.words(text)
        for name, text, bare in document.texts
        if (name == node.field if node.field else bare)
    ]
    if node.quoted:
        pieces = analyse.words(node.text)
    else:
        if node.field in ("customer.email", "customer.login") and re.search(
            r"^[^*?]*@[^*?]*$", node.text
        ):
            return any(
                name == node.field and text.strip().casefold() == node.text.strip().casefold()
                for name, text, _ in document.texts
            )
        pieces = [piece for piece in analyse.patterns(node.text) if piece.strip("*")]
    if not pieces:
        return None
    *others, last = pieces
    wild = [piece for piece in pieces if re.search(r"[*?]", piece)]
    if node.quoted or not wild:
        tests = [_same(piece) for piece in pieces]
        if not node.quoted and not others and (node.field or "") in _STEMMED:
            tests = [_akin(last)]
        if node.prefix:
            stump = last
            whole = tests[-1]
            tests[-1] = lambda word: whole(word) or word.startswith(stump)
        return any(_in_order(tests, words) for words in texts)
    if wild == [last] and re.fullmatch(r"[^*?]+\*+", last):
        tests = [*(_same(piece) for piece in others), _like(last)]
        return any(_in_order(tests, words) for words in texts)
    return all(any(_like(piece)(word) for words in texts for word in words) for piece in pieces)


def _same(piece: str) -> Callable[[str], bool]:
    return lambda word: word == piece


def _akin(piece: str) -> Callable[[str], bool]:
    return lambda word: analyse.stem(word) == analyse.stem(piece)


def _like(piece: str) -> Callable[[str], bool]:
    pattern = re.compile(fnmatch.translate(piece))
    return lambda word: pattern.match(word) is not None


def _in_order(tests: list[Callable[[str], bool]], words: list[str]) -> bool:
    return any(
        all(test(word) for test, word in zip(tests, words[start:], strict=False))
        for start in range(len(words) - len(tests) + 1)
    )
