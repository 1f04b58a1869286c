"""Searching users, organizations, groups and roles with the tickets' query language.

There are far fewer of them than tickets. Of people and companies the search index has a row each,
with folded words that are read through (:mod:`deskbell.search.people`); groups and roles are a
handful and compared here. Fields are allow-listed; one that is not known finds nothing, as for
tickets. Words without a field match anywhere, also within a word, as they are typed into boxes;
with a field, whole words.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import Model, Q, Value
from django.db.models.functions import StrIndex

from deskbell.kernel.text import fold, is_storable
from deskbell.people.models import Identity, User
from deskbell.search import analyse, moments, people
from deskbell.search.language import And, Everything, Exists, Node, Not, Or, Range, Words, parse
from deskbell.search.models import Person

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
    found = _Finder(of, now).condition(parse(query).node)
    if found is None:
        return _NOTHING
    # Some fields are reached through joins that repeat a row; as a set each is there once.
    rows: Any = of.model._default_manager
    return Q(pk__in=rows.filter(found).values("pk")) if found else found


class _Finder:
    """Makes the condition of one query. ``None`` is a part that asks for nothing: a lone dash."""

    def __init__(self, of: Searchable, now: datetime) -> None:
        self.of = of
        self.now = now
        self._small: dict[type[Model], list[tuple[int, str]]] = {}

    def condition(self, node: Node) -> Q | None:
        match node:
            case Everything():
                return Q()
            case And(parts) | Or(parts):
                known = [q for part in parts if (q := self.condition(part)) is not None]
                if not known:
                    return None
                if isinstance(node, Or) and any(not q for q in known):
                    return Q()
                found = known[0]
                for one in known[1:]:
                    found = found & one if isinstance(node, And) else found | one
                return found
            case Not(part):
                inner = self.condition(part)
                if inner is None:
                    return None
                return ~inner if inner else _NOTHING
            case Exists():
                return _exists(node.field, self.of)
            case Range():
                return _range(node, self.of, self.now)
            case Words():
                return self.words(node)

    def words(self, node: Words) -> Q | None:
        of, name = self.of, node.field
        if name is None:
            return self.anywhere(node)
        if name in of.texts:
            relation, _, column = of.texts[name].rpartition("__")
            model: Any = of.model
            if relation:
                model = of.model._meta.get_field(relation).related_model
            return self.in_column(node, model, column, relation)
        if name in people.COLUMNS.get(of.model, ()) or (of.model is User and name == "fullname"):
            return self.in_column(node, of.model, name, "")
        if name in of.numbers:
            word = node.text.strip()
            if word.isascii() and word.isdigit() and len(word) <= 18:
                return Q(**{of.numbers[name]: int(word)})
            return _NOTHING
        if name in of.flags:
            word = node.text.strip().lower()
            return Q(**{name: word in ("true", "1")}) if word in _BOOLEANS else _NOTHING
        if name in of.times:
            span = moments.span(node.text, self.now)
            if span is None:
                return _NOTHING
            return Q(**{f"{name}__gte": span[0], f"{name}__lt": span[1]})
        return _NOTHING

    def anywhere(self, node: Words) -> Q | None:
        """The text in one of the columns that count without a field."""
        found = self.holding(self.of.model, node, "", within=True)
        if found is None:
            return None
        for path in self.of.bare:
            relation, _, column = path.rpartition("__")
            if relation:
                related: Any = self.of.model._meta.get_field(relation).related_model
                there = self.holding(related, node, people.marked(column), within=True)
                if there is not None:
                    rows: Any = related._default_manager
                    found |= Q(**{f"{relation}__in": rows.filter(there).values("pk")})
        return found

    def in_column(self, node: Words, model: type[Model], column: str, relation: str) -> Q | None:
        is_whole = "@" in node.text and not analyse.has_wildcard(node.text)
        if model is User and column in ("login", "email") and is_whole:
            # An address is equal or it is not.
            names = Identity.objects.filter(key=fold(node.text), **{f"is_{column}": True})
            found = Q(pk__in=names.values("user")) if is_storable(node.text) else _NOTHING
        else:
            there = self.holding(model, node, people.marked(column))
            if there is None:
                return None
            found = there
        if not relation:
            return found
        rows: Any = model._default_manager
        return Q(**{f"{relation}__in": rows.filter(found).values("pk")})

    def holding(
        self, model: type[Model], node: Words, mark: str, *, within: bool = False
    ) -> Q | None:
        """Rows with the words side by side; ``within``: also inside of a word."""
        text = node.text
        if node.quoted:
            pieces = analyse.words(text)
        else:
            pieces = [piece for piece in analyse.patterns(text) if piece.strip("*")]
        if not pieces:
            return None
        wild = any(analyse.has_wildcard(piece) for piece in pieces)
        within = within and not node.quoted and not wild
        literal = max((bit for p in pieces for bit in re.split(r"[*?]+", p)), key=len)
        if wild:
            # Its letters first: the pattern is then tried on few rows.
            pattern = "".join(f" {mark}{_as_pattern(piece)}" for piece in pieces) + " "
            return self._rows(model, literal, pattern)
        words = "".join(f" {mark}{piece}" for piece in pieces)
        if not within:
            return self._rows(model, f"{words} ")
        # An address begins where a word does, or somebody else's would be found by it.
        return self._rows(model, words if "@" in text or mark else words[1:])

    def _rows(self, model: type[Model], needle: str, pattern: str | None = None) -> Q:
        if model in people.KINDS:
            rows = Person.objects.filter(kind=people.KINDS[model])
            rows = rows.annotate(place=StrIndex("words", Value(needle))).filter(place__gt=0)
            if pattern is not None:
                rows = rows.filter(words__regex=pattern)
            return Q(pk__in=rows.values("object_id"))
        if model not in self._small:
            everybody: Any = model._default_manager
            columns = ("name", "note")
            self._small[model] = [
                (pk, people.layout(dict(zip(columns, texts, strict=True))))
                for pk, *texts in everybody.values_list("pk", *columns)
            ]
        return Q(
            pk__in=[
                pk
                for pk, words in self._small[model]
                if needle in words and (pattern is None or re.search(pattern, words))
            ]
        )


def _as_pattern(piece: str) -> str:
    return "".join({"*": "[^ ]*", "?": "[^ ]"}.get(sign) or re.escape(sign) for sign in piece)


_BOOLEANS = frozenset({"true", "false", "1", "0"})


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
