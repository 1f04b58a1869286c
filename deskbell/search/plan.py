"""From a query to what the database is asked: fields resolved, words spelled out.

A plan is a tree of And, Or and Not over three kinds of leaves: :class:`Text` (looked up in the
index), :class:`Condition` (SQL on the ticket tables) and the two constants.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection

from deskbell.people.models import Group
from deskbell.search import analyse, fields, moments
from deskbell.search.index import GAP, custom_code, mark, number_of, ordered_value, whole_value
from deskbell.search.language import And, Everything, Exists, Node, Not, Or, Range, Words
from deskbell.tickets.models import CustomField, Priority, State
from deskbell.tickets.vocabulary import STATE_TYPE_NAMES, StateType

#: How many words a stem, a prefix, a wildcard stands for at most, in code point order.
MAX_SIBLINGS = 100
MAX_PREFIXED = 200
MAX_SPELLED = 1_000
MAX_ID = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Phrase:
    """Index words that stand side by side; with ``prefix`` the last may go on."""

    words: tuple[str, ...]
    prefix: bool = False


@dataclass(frozen=True, slots=True)
class Text:
    """Tickets with an entry that holds one of the phrases.

    ``spelled`` has prefixes of single words replaced by the words that occur, which the indexes
    read far more cheaply; ``None`` where there are too many. ``body``: only the text of articles.
    """

    phrases: tuple[Phrase, ...]
    spelled: tuple[Phrase, ...] | None
    body: bool = False


@dataclass(frozen=True, slots=True)
class Condition:
    """SQL over ``tickets_ticket``. ``internal`` in it stands for who may see internal articles."""

    sql: str
    params: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True)
class All:
    """Every ticket."""


@dataclass(frozen=True, slots=True)
class Nothing:
    """No ticket."""


@dataclass(frozen=True, slots=True)
class Both:
    parts: tuple[Plan, ...]


@dataclass(frozen=True, slots=True)
class Either:
    parts: tuple[Plan, ...]


@dataclass(frozen=True, slots=True)
class Other:
    part: Plan


Plan = Text | Condition | All | Nothing | Both | Either | Other

#: Replaced by the audience's own predicate when the SQL is put together.
INTERNAL = "{internal}"


def both(parts: Iterable[Plan]) -> Plan:
    kept = []
    for part in parts:
        if isinstance(part, Nothing):
            return part
        if not isinstance(part, All):
            kept.append(part)
    if not kept:
        return All()
    return kept[0] if len(kept) == 1 else Both(tuple(kept))


def either(parts: Iterable[Plan]) -> Plan:
    kept = []
    for part in parts:
        if isinstance(part, All):
            return part
        if not isinstance(part, Nothing):
            kept.append(part)
    if not kept:
        return Nothing()
    return kept[0] if len(kept) == 1 else Either(tuple(kept))


def other(part: Plan) -> Plan:
    if isinstance(part, All):
        return Nothing()
    return All() if isinstance(part, Nothing) else Other(part)


class Planner:
    """Makes plans. Reads vocabulary, names and custom fields as a query needs them."""

    def __init__(self, *, now: datetime) -> None:
        self.now = now
        self._custom: dict[str, str] | None = None

    def plan(self, node: Node) -> Plan:
        """The plan of a whole query. Signs without any word in them ask for nothing at all."""
        planned = self._plan(node)
        return Nothing() if planned is None else planned

    def _plan(self, node: Node) -> Plan | None:
        """``None`` where there is nothing to look for: a lone dash neither finds nor forbids."""
        match node:
            case Everything():
                return All()
            case And(parts) | Or(parts):
                planned = [plan for part in parts if (plan := self._plan(part)) is not None]
                if not planned:
                    return None
                return both(planned) if isinstance(node, And) else either(planned)
            case Not(part):
                inner = self._plan(part)
                return None if inner is None else other(inner)
            case Words():
                return self._words(node)
            case Range():
                return self._range(node)
            case Exists():
                return self._exists(node.field)

    # -- words ---------------------------------------------------------------------------------

    def _words(self, node: Words) -> Plan | None:
        field = node.field
        if field is None:
            return self._text(node, "", stemmed=True)
        if field == "article.body":
            return self._text(node, "", stemmed=True, body=True)
        if field in fields.TEXT:
            code = fields.TEXT[field]
            if field in fields.WHOLE and "@" in node.text and not analyse.has_wildcard(node.text):
                return _text_of([Phrase((whole_value(code, node.text),))])
            return self._text(node, mark(code), stemmed=field in fields.STEMMED)
        if field in fields.SHORT:
            named = [self._words(_with_field(node, name)) for name in fields.SHORT[field]]
            known = [plan for plan in named if plan is not None]
            return either(known) if known else None
        if field in fields.WHOLE_NUMBERS:
            return _number(f"tickets_ticket.{fields.WHOLE_NUMBERS[field]}", node.text)
        if field in fields.TIMES:
            return self._at(f"tickets_ticket.{fields.TIMES[field]}", node.text)
        if field in fields.ARTICLE_NUMBERS:
            return _of_article(_number(f"a.{fields.ARTICLE_NUMBERS[field]}", node.text))
        if field in fields.ARTICLE_TIMES:
            return _of_article(self._at(f"a.{fields.ARTICLE_TIMES[field]}", node.text))
        if field in fields.NAMES:
            ids = _named(node, _names(field))
            return None if ids is None else _one_of(f"tickets_ticket.{fields.NAMES[field]}", ids)
        if field in fields.ARTICLE_NAMES:
            column, names = fields.ARTICLE_NAMES[field]
            ids = _named(node, names.items())
            return None if ids is None else _of_article(_one_of(f"a.{column}", ids))
        type_ = self.custom_type(field)
        if type_ is None:
            return Nothing()
        number = number_of(type_, node.text) if type_ in ("integer", "decimal") else None
        if number is not None:
            return _text_of([Phrase((ordered_value(custom_code(field), number),))])
        return self._text(node, mark(custom_code(field)), stemmed=True)

    def _text(self, node: Words, marked: str, *, stemmed: bool, body: bool = False) -> Plan | None:
        if node.quoted:
            words = analyse.words(node.text)
            return _text_of([_phrase(marked, words)], body=body) if words else None
        pieces = [piece for piece in analyse.patterns(node.text) if piece.strip("*")]
        if not pieces:
            return None
        last = pieces[-1]
        if not any(analyse.has_wildcard(piece) for piece in pieces):
            if len(pieces) > 1:
                return _text_of([_phrase(marked, pieces, prefix=node.prefix)], body=body)
            alike = _siblings(last) if stemmed else [last]
            found = [_phrase(marked, [word]) for word in alike]
            if not node.prefix:
                return _text_of(found, body=body)
            return _prefixed(marked, last, found, body=body)
        stump = last.rstrip("*")
        if last.endswith("*") and not any(map(analyse.has_wildcard, [*pieces[:-1], stump])):
            if len(pieces) == 1:
                return _prefixed(marked, stump[: analyse.MAX_WORD], [], body=body)
            pieces[-1] = stump[: analyse.MAX_WORD]
            return _text_of([_phrase(marked, pieces, prefix=True)], body=body)
        # Neither index can tell where a word with a wildcard inside stands: all of them, anywhere.
        return both(
            _text_of(
                [
                    _phrase(marked, [word])
                    for word in (_spelled(piece) if analyse.has_wildcard(piece) else [piece])
                ],
                body=body,
            )
            for piece in pieces
        )

    # -- ranges --------------------------------------------------------------------------------

    def _range(self, node: Range) -> Plan | None:
        field = node.field
        if node.low is None and node.high is None:
            return self._exists(field)
        if field in fields.WHOLE_NUMBERS:
            return _numbers(f"tickets_ticket.{fields.WHOLE_NUMBERS[field]}", node)
        if field in fields.TIMES:
            return self._between(f"tickets_ticket.{fields.TIMES[field]}", node)
        if field in fields.ARTICLE_NUMBERS:
            return _of_article(_numbers(f"a.{fields.ARTICLE_NUMBERS[field]}", node))
        if field in fields.ARTICLE_TIMES:
            return _of_article(self._between(f"a.{fields.ARTICLE_TIMES[field]}", node))
        if field in fields.TEXT:
            return _spelled_range(mark(fields.TEXT[field]), node)
        type_ = self.custom_type(field)
        if type_ is None:
            return Nothing()
        code = custom_code(field)
        if type_ in ("integer", "decimal", "date", "datetime"):
            return self._ordered(code, type_, node)
        return _spelled_range(mark(code), node)

    def _at(self, column: str, text: str) -> Plan:
        span = moments.span(text, self.now)
        if span is None:
            return Nothing()
        return Condition(f"({column} >= %s AND {column} < %s)", (_time(span[0]), _time(span[1])))

    def _between(self, column: str, node: Range) -> Plan:
        parts: list[str] = []
        params: list[Any] = []
        for text, low in ((node.low, True), (node.high, False)):
            if text is None:
                continue
            span = moments.span(text, self.now)
            if span is None:
                return Nothing()
            sign, moment = _bound(span, low=low, inclusive=node.with_low if low else node.with_high)
            parts.append(f"{column} {sign} %s")
            params.append(_time(moment))
        return Condition(f"({' AND '.join(parts)})", tuple(params))

    def _ordered(self, code: str, type_: str, node: Range) -> Plan:
        """A range of a custom field: the words for its numbers sort as the numbers do."""
        low, high = f"={code}=", f"={code}=g"
        with_low = with_high = True
        for text, is_low in ((node.low, True), (node.high, False)):
            if text is None:
                continue
            inclusive = node.with_low if is_low else node.with_high
            if type_ in ("date", "datetime"):
                span = moments.span(text, self.now)
                if span is None:
                    return Nothing()
                sign, moment = _bound(span, low=is_low, inclusive=inclusive)
                word, inclusive = ordered_value(code, moment.timestamp()), sign.endswith("=")
            else:
                number = number_of(type_, text)
                if number is None:
                    return Nothing()
                word = ordered_value(code, number)
            if is_low:
                low, with_low = word, inclusive
            else:
                high, with_high = word, inclusive
        return _text_of(
            [Phrase((word,)) for word in _words_between(low, high, with_low, with_high)]
        )

    # -- existence -----------------------------------------------------------------------------

    def _exists(self, field: str) -> Plan:
        if field == "article.body":
            return _of_article(Condition("a.body <> ''"))
        if field in fields.TEXT:
            return _text_of([Phrase((f"{mark(fields.TEXT[field])}{GAP}",))])
        if field in fields.SHORT:
            return either(self._exists(name) for name in fields.SHORT[field])
        column = fields.WHOLE_NUMBERS.get(field) or fields.TIMES.get(field)
        if column is not None:
            return Condition(f"tickets_ticket.{column} IS NOT NULL")
        if field in fields.NAMES:
            return All()
        if field in fields.ARTICLE_NAMES or field in {
            **fields.ARTICLE_NUMBERS,
            **fields.ARTICLE_TIMES,
        }:
            return _of_article(Condition("1=1"))
        if self.custom_type(field) is None:
            return Nothing()
        return _text_of([Phrase((f"{mark(custom_code(field))}{GAP}",))])

    def custom_type(self, name: str) -> str | None:
        """The type of a custom field, ``None`` if there is no such field."""
        if self._custom is None:
            self._custom = dict(CustomField.objects.values_list("name", "type"))
        return self._custom.get(name)


# -- words of the index ------------------------------------------------------------------------


def _phrase(marked: str, words: Iterable[str], *, prefix: bool = False) -> Phrase:
    return Phrase(tuple(f"{marked}{word}" for word in words), prefix)


def _text_of(phrases: list[Phrase], *, body: bool = False) -> Plan:
    if not phrases:
        return Nothing()
    return Text(tuple(phrases), tuple(phrases), body)


def _prefixed(marked: str, stump: str, found: list[Phrase], *, body: bool) -> Text:
    """A word still being typed: what its stem finds, and every word that begins with it."""
    phrases = [*found, _phrase(marked, [stump], prefix=True)]
    beginning = _words_between(stump, _behind(stump), True, False, limit=MAX_PREFIXED + 1)
    spelled = None
    if len(beginning) <= MAX_PREFIXED:
        known = {phrase.words[0] for phrase in found}
        more = [_phrase(marked, [word]) for word in beginning if f"{marked}{word}" not in known]
        spelled = tuple(found + more)
    return Text(tuple(phrases), spelled, body)


def _siblings(word: str) -> list[str]:
    """The word and those that occur with its stem."""
    rows = _fetch(
        "SELECT DISTINCT word FROM search_word WHERE stem = %s ORDER BY word LIMIT %s",
        [analyse.stem(word), MAX_SIBLINGS],
    )
    return [word, *(row for row in rows if row != word)]


def _spelled(pattern: str) -> list[str]:
    """The words that occur and match a pattern with ``*`` and ``?``."""
    stump = re.split(r"[*?]", pattern, maxsplit=1)[0]
    # Signs begin what is no word of a text.
    sql = "SELECT DISTINCT word FROM search_word WHERE substr(word, 1, 1) <> '=' AND "
    params: list[Any] = []
    if stump:
        sql += "word >= %s AND word < %s AND "
        params += [stump, _behind(stump)]
    if connection.vendor == "postgresql":
        sql += "word LIKE %s"
        params.append(pattern.replace("*", "%").replace("?", "_"))
    else:
        sql += "word GLOB %s"
        params.append(pattern)
    return _fetch(f"{sql} ORDER BY word LIMIT %s", [*params, MAX_SPELLED])


def _behind(stump: str) -> str:
    """Sorts behind every word that begins with the stump: words end long before this character."""
    return f"{stump}\U0010ffff"


def _words_between(
    low: str, high: str, with_low: bool, with_high: bool, *, limit: int = MAX_SPELLED
) -> list[str]:
    return _fetch(
        f"SELECT DISTINCT word FROM search_word WHERE word {'>=' if with_low else '>'} %s"  # noqa: S608
        f" AND word {'<=' if with_high else '<'} %s ORDER BY word LIMIT %s",
        [low, high, limit],
    )


def _spelled_range(marked: str, node: Range) -> Plan:
    low, high = "0", "\U0010ffff"
    if node.low is not None:
        low = next(iter(analyse.words(node.low)), "0")
    if node.high is not None:
        high = next(iter(analyse.words(node.high)), "0")
    return _text_of(
        [
            _phrase(marked, [word])
            for word in _words_between(low, high, node.with_low, node.with_high)
        ]
    )


def _fetch(sql: str, params: list[Any]) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return [row[0] for row in cursor.fetchall()]


# -- columns -----------------------------------------------------------------------------------


def _with_field(node: Words, field: str) -> Words:
    return Words(node.text, field, node.quoted, node.prefix, node.start, node.end)


def _whole(text: str) -> int | None:
    text = text.strip()
    if not re.fullmatch(r"[+-]?[0-9]{1,19}", text):
        return None
    number = int(text)
    return number if -MAX_ID <= number <= MAX_ID else None


def _number(column: str, text: str) -> Plan:
    number = _whole(text)
    return Nothing() if number is None else Condition(f"{column} = %s", (number,))


def _numbers(column: str, node: Range) -> Plan:
    parts: list[str] = []
    params: list[Any] = []
    for text, sign in (
        (node.low, ">=" if node.with_low else ">"),
        (node.high, "<=" if node.with_high else "<"),
    ):
        if text is None:
            continue
        number = _whole(text)
        if number is None:
            return Nothing()
        parts.append(f"{column} {sign} %s")
        params.append(number)
    return Condition(f"({' AND '.join(parts)})", tuple(params))


def _one_of(column: str, ids: list[int]) -> Plan:
    if not ids:
        return Nothing()
    return Condition(f"{column} IN ({', '.join(str(int(id_)) for id_ in ids)})")


def _of_article(plan: Plan) -> Plan:
    """Tickets of which one article, among those the reader may see, fulfils the condition."""
    if not isinstance(plan, Condition):
        return plan
    return Condition(
        "EXISTS (SELECT 1 FROM tickets_article a WHERE a.ticket_id = tickets_ticket.id"  # noqa: S608
        f" AND {plan.sql} AND {INTERNAL})",
        plan.params,
    )


def _names(field: str) -> Iterable[tuple[int, str]]:
    if field == "state.name":
        return State.objects.order_by("id").values_list("id", "name")
    if field == "priority.name":
        return Priority.objects.order_by("id").values_list("id", "name")
    if field == "group.name":
        return Group.objects.order_by("id").values_list("id", "name")
    types = State.objects.order_by("id").values_list("id", "type")
    return [(id_, STATE_TYPE_NAMES[StateType(type_)]) for id_, type_ in types]


def _named(node: Words, names: Iterable[tuple[int, str]]) -> list[int] | None:
    """Ids of the names that a value matches, as text is matched; ``None`` if it has no words."""
    matches = _matcher(node)
    if matches is None:
        return None
    return [id_ for id_, name in names if matches(analyse.words(name))]


def _matcher(node: Words) -> Callable[[list[str]], bool] | None:
    if node.quoted:
        pieces = analyse.words(node.text)
    else:
        pieces = [piece for piece in analyse.patterns(node.text) if piece.strip("*")]
    if not pieces:
        return None
    patterns = [re.compile(fnmatch.translate(piece)) for piece in pieces]

    def matches(words: list[str]) -> bool:
        return any(
            all(pattern.match(word) for pattern, word in zip(patterns, words[start:], strict=False))
            for start in range(len(words) - len(patterns) + 1)
        )

    return matches


def _bound(span: moments.Span, *, low: bool, inclusive: bool) -> tuple[str, datetime]:
    """Comparisons round like Elasticsearch's: behind the day, or from its beginning."""
    start, end = span
    if low:
        return ">=", start if inclusive else end
    return "<", end if inclusive else start


def _time(moment: datetime) -> Any:
    return connection.ops.adapt_datetimefield_value(moment)
