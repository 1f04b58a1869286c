"""Searching users, organizations and groups with the tickets' query language.

There are far fewer of them than tickets, so their columns are compared directly. Fields are
allow-listed; one that is not known finds nothing, as for tickets.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import Model, Q

from deskbell.search import moments
from deskbell.search.language import And, Everything, Exists, Node, Not, Or, Range, Words, parse

_NOTHING = Q(pk__in=[])


@dataclass(frozen=True, slots=True)
class Searchable:
    """What may be asked for: names of the query language to columns of a model."""

    model: type[Model]
    bare: tuple[str, ...]
    texts: Mapping[str, str]
    numbers: Mapping[str, str] = field(default_factory=dict)
    flags: frozenset[str] = frozenset()
    times: frozenset[str] = frozenset({"created_at", "updated_at"})
    sortable: frozenset[str] = frozenset()


def matching(query: str, of: Searchable, *, now: datetime) -> Q:
    """The condition that a query stands for; empty and ``*`` ask for everything."""
    found = _condition(parse(query).node, of, now)
    # Some fields are reached through joins that repeat a row; as a set each is there once.
    rows: Any = of.model._default_manager
    return Q(pk__in=rows.filter(found).values("pk")) if found else found


def _condition(node: Node, of: Searchable, now: datetime) -> Q:
    match node:
        case Everything():
            return Q()
        case And(parts):
            found = Q()
            for part in parts:
                found &= _condition(part, of, now)
            return found
        case Or(parts):
            alternatives = [_condition(part, of, now) for part in parts]
            if any(not alternative for alternative in alternatives):
                return Q()
            found = alternatives[0]
            for alternative in alternatives[1:]:
                found |= alternative
            return found
        case Not(part):
            inner = _condition(part, of, now)
            return ~inner if inner else _NOTHING
        case Exists():
            return _exists(node.field, of)
        case Range():
            return _range(node, of, now)
        case Words():
            return _words(node, of, now)


def _words(node: Words, of: Searchable, now: datetime) -> Q:
    if node.field is None:
        found = _NOTHING
        for column in of.bare:
            found |= _contains(column, node.text, quoted=node.quoted)
        return found
    name = node.field
    if name in of.texts:
        return _contains(of.texts[name], node.text, quoted=node.quoted)
    if name in of.numbers:
        word = node.text.strip()
        if word.isascii() and word.isdigit() and len(word) <= 18:
            return Q(**{of.numbers[name]: int(word)})
        return _NOTHING
    if name in of.flags:
        word = node.text.strip().lower()
        return Q(**{name: word in ("true", "1")}) if word in _BOOLEANS else _NOTHING
    if name in of.times:
        span = moments.span(node.text, now)
        return _NOTHING if span is None else Q(**{f"{name}__gte": span[0], f"{name}__lt": span[1]})
    return _NOTHING


_BOOLEANS = frozenset({"true", "false", "1", "0"})


def _contains(column: str, text: str, *, quoted: bool) -> Q:
    """The text somewhere in the column; the pieces around wildcards, all of them."""
    pieces = [text] if quoted else text.replace("?", "*").split("*")
    found = Q()
    for piece in pieces:
        if piece.strip():
            found &= Q(**{f"{column}__icontains": piece.strip()})
    return found


def _exists(name: str, of: Searchable) -> Q:
    if name in of.texts:
        column = of.texts[name]
        return Q(**{f"{column}__isnull": False}) & ~Q(**{column: ""})
    if name in of.numbers:
        return Q(**{f"{of.numbers[name]}__isnull": False})
    return Q() if name in of.times or name in of.flags else _NOTHING


def _range(node: Range, of: Searchable, now: datetime) -> Q:
    found = Q()
    if node.field in of.times:
        for text, inclusive, is_low in (
            (node.low, node.with_low, True),
            (node.high, node.with_high, False),
        ):
            if text is None:
                continue
            span = moments.span(text, now)
            if span is None:
                return _NOTHING
            if is_low:
                found &= Q(**{f"{node.field}__gte": span[0] if inclusive else span[1]})
            else:
                found &= Q(**{f"{node.field}__lt": span[1] if inclusive else span[0]})
        return found
    if node.field not in of.numbers:
        return _NOTHING
    column = of.numbers[node.field]
    for text, inclusive, operator in (
        (node.low, node.with_low, "gt"),
        (node.high, node.with_high, "lt"),
    ):
        if text is None:
            continue
        if not (text.isascii() and text.isdigit() and len(text) <= 18):
            return _NOTHING
        found &= Q(**{f"{column}__{operator}{'e' if inclusive else ''}": int(text)})
    return found
