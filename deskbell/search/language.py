"""The query language: a subset of Lucene's, as Zammad's clients write it.

``printer "exact words" state.name:open -tags:vip created_at:[2026-01-01 TO now-1d/d]``

Words side by side must all be there; OR binds weaker than AND, NOT strongest. The last bare word
is still being typed, so it is a prefix. Text that makes no sense as a query is read as words: a
search never fails. Positions are counted in characters from 0.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

MAX_LENGTH = 4_000
MAX_TERMS = 64
MAX_DEPTH = 40


@dataclass(frozen=True, slots=True)
class Everything:
    """``*``."""


@dataclass(frozen=True, slots=True)
class Words:
    """A word, a word with wildcards, or (``quoted``) a phrase; in any text or in one field."""

    text: str
    field: str | None = None
    quoted: bool = False
    prefix: bool = False
    start: int = 0
    end: int = 0


@dataclass(frozen=True, slots=True)
class Range:
    """``field:[low TO high}``, ``field:>low``; ``None`` is an open end."""

    field: str
    low: str | None = None
    high: str | None = None
    with_low: bool = True
    with_high: bool = True
    start: int = 0
    end: int = 0


@dataclass(frozen=True, slots=True)
class Exists:
    """``_exists_:field``, ``field:*``."""

    field: str
    start: int = 0
    end: int = 0


@dataclass(frozen=True, slots=True)
class And:
    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Or:
    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Not:
    part: Node


Node = Everything | Words | Range | Exists | And | Or | Not


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a text is no query, and where."""

    position: int
    message: str


@dataclass(frozen=True, slots=True)
class Query:
    """What a text asks for. ``problem`` says why it was read as mere words, else ``None``."""

    node: Node
    problem: Problem | None = None


class _Syntax(Exception):
    def __init__(self, position: int, message: str) -> None:
        super().__init__(message)
        self.problem = Problem(position, message)


_BLANK = re.compile(r"\s+")
_FIELD = re.compile(r"([A-Za-z_][A-Za-z0-9_.]*):(?!//)")
_OPERATOR = re.compile(r"(AND|OR|NOT)(?=[\s()!\"]|$)|(&&|\|\|)")
_RANGE = re.compile(
    r"""([\[{])\s*("[^"]*"|[^\s"\[\]{}]+)\s+TO\s+("[^"]*"|[^\s"\[\]{}]+)\s*([\]}])"""
)
_COMPARE = re.compile(r"(>=|<=|>|<)\s*")
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_WORD = re.compile(r'(?:[^\s()"\\]|\\.)+', re.DOTALL)
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
# Lucene's fuzziness and boost: read, and without effect.
_SUFFIX = re.compile(r"(?:~[0-9.]*|\^[0-9.]+)+(?=[\s)]|$)")
_PLAIN = re.compile(r'[^\s()"*?\\\[\]{}]+')
#: How the name of a field ends, maybe with a comparison that lost its value.
_SIGNS = (":", ":>", ":<", ":>=", ":<=")
_OPERATOR_WORDS = frozenset({"AND", "OR", "NOT", "&&", "||", "TO"})


def parse(text: str) -> Query:
    """Read a query. Never raises; an empty text asks for everything."""
    problem = None
    if len(text) > MAX_LENGTH:
        problem = Problem(MAX_LENGTH, f"a query has at most {MAX_LENGTH} characters")
        text = text[:MAX_LENGTH]
    if not text.strip():
        return Query(Everything(), problem)
    end = len(text.rstrip())
    try:
        return Query(_open_ended(_Parser(text).parse(), end), problem)
    except _Syntax as error:
        return Query(_open_ended(_as_words(text), end), error.problem)


def _as_words(text: str) -> Node:
    """The fall-back: every word of the text, without any meaning of signs.

    The name of a field in front of what could not be read (``title:(fire``) is no word of it.
    """
    found = [
        Words(match.group(), quoted=False, start=match.start(), end=match.end())
        for match in _PLAIN.finditer(text)
        if match.group() not in _OPERATOR_WORDS and not match.group().endswith(_SIGNS)
    ][:MAX_TERMS]
    if found:
        # Closing signs behind the last word do not make it complete.
        found[-1] = replace(found[-1], end=len(text.rstrip()))
    return And(tuple(found))


def _open_ended(node: Node, end: int) -> Node:
    """Make the bare word that ends the query a prefix, unless it is negated."""
    match node:
        case Words(field=None, quoted=False) if node.end == end and not _has_wildcard(node.text):
            return replace(node, prefix=True)
        case And(parts) | Or(parts) if parts:
            return type(node)((*parts[:-1], _open_ended(parts[-1], end)))
        case _:
            return node


def _has_wildcard(text: str) -> bool:
    return "*" in text or "?" in text


class _Parser:
    """Recursive descent. Each method reads from ``at`` on and leaves it behind what it read."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.word_end = 0
        self.terms = 0
        self.depth = 0

    def parse(self) -> Node:
        node = self._alternatives(None)
        self._skip()
        if self.at < len(self.text):
            raise _Syntax(self.at, "this parenthesis was never opened")
        return node

    def _skip(self) -> None:
        blank = _BLANK.match(self.text, self.at)
        if blank:
            self.at = blank.end()

    def _operator(self) -> str | None:
        """The operator at this place, not yet taken."""
        self._skip()
        found = _OPERATOR.match(self.text, self.at)
        if not found:
            return None
        return {"&&": "AND", "||": "OR"}.get(found.group(), found.group())

    def _take_operator(self) -> None:
        found = _OPERATOR.match(self.text, self.at)
        assert found is not None
        self.at = found.end()

    def _alternatives(self, field: str | None) -> Node:
        parts = [self._conjunction(field)]
        while self._operator() == "OR":
            self._take_operator()
            parts.append(self._conjunction(field))
        return parts[0] if len(parts) == 1 else Or(tuple(parts))

    def _conjunction(self, field: str | None) -> Node:
        parts: list[Node] = []
        wanted = True
        while True:
            operator = self._operator()
            if operator == "AND":
                if wanted:
                    raise _Syntax(self.at, "AND stands between two things")
                self._take_operator()
                wanted = True
                continue
            if operator == "OR" or self.at >= len(self.text) or self.text[self.at] == ")":
                break
            part = self._negation(field)
            wanted = False
            if part is not None:
                parts.append(part)
        if wanted:
            raise _Syntax(self.at, "something is missing here")
        return parts[0] if len(parts) == 1 else And(tuple(parts))

    def _negation(self, field: str | None) -> Node | None:
        """One thing, maybe negated; ``None`` for a sign that stands alone and means nothing."""
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise _Syntax(self.at, f"a query nests at most {MAX_DEPTH} deep")
        try:
            if self._operator() == "NOT":
                self._take_operator()
                return self._negated(field)
            sign = self.text[self.at]
            if sign in "-!+":
                behind = self.text[self.at + 1 : self.at + 2]
                if not behind or behind.isspace():
                    self.at += 1
                    return None
                if sign == "-" and field is not None and behind.isdigit():
                    return self._primary(field)
                self.at += 1
                return self._negation(field) if sign == "+" else self._negated(field)
            return self._primary(field)
        finally:
            self.depth -= 1

    def _negated(self, field: str | None) -> Node | None:
        self._skip()
        if self.at >= len(self.text) or self.text[self.at] == ")":
            raise _Syntax(self.at, "NOT stands before something")
        if self._operator() in ("AND", "OR"):
            raise _Syntax(self.at, "NOT stands before something")
        part = self._negation(field)
        return None if part is None else Not(part)

    def _count(self) -> None:
        self.terms += 1
        if self.terms > MAX_TERMS:
            raise _Syntax(self.at, f"a query has at most {MAX_TERMS} terms")

    def _primary(self, field: str | None) -> Node:
        if self.text[self.at] == "(":
            opened = self.at
            self.at += 1
            node = self._alternatives(field)
            self._skip()
            if self.at >= len(self.text):
                raise _Syntax(opened, "this parenthesis is never closed")
            self.at += 1
            self._suffix()
            return node
        named = _FIELD.match(self.text, self.at)
        if named:
            start = self.at
            self.at = named.end()
            self._skip()
            if (
                self.at >= len(self.text)
                or self.text[self.at] == ")"
                or self._operator() is not None
            ):
                # ``Re:`` at the end is a word with a colon behind it.
                self._count()
                return Words(named.group(1), field, start=start, end=named.end())
            if self.text[self.at] == "(":
                return self._primary(named.group(1))
            return self._value(named.group(1), start)
        if field is not None:
            return self._value(field, self.at)
        self._count()
        start = self.at
        if self.text[start] == '"':
            return Words(self._quotation(), quoted=True, start=start, end=self.at)
        text = self._word()
        if text in ("*", "*:*"):
            return Everything()
        return Words(text, start=start, end=self.word_end)

    def _value(self, field: str, start: int) -> Node:
        """What stands behind ``field:``."""
        self._count()
        if field == "_exists_":
            quoted = self.text[self.at] == '"'
            return Exists(self._quotation() if quoted else self._word(), start, self.at)
        sign = self.text[self.at]
        if sign == '"':
            return Words(self._quotation(), field, True, start=start, end=self.at)
        if sign in "[{":
            found = _RANGE.match(self.text, self.at)
            if not found:
                raise _Syntax(self.at, "a range looks like [low TO high]")
            self.at = found.end()
            self._suffix()
            left, low, high, right = found.groups()
            return Range(
                field, _bound(low), _bound(high), left == "[", right == "]", start, self.at
            )
        compare = _COMPARE.match(self.text, self.at)
        if compare:
            self.at = compare.end()
            if self.at >= len(self.text) or self.text[self.at] in "()":
                raise _Syntax(self.at, "a comparison needs a value")
            quoted = self.text[self.at] == '"'
            value = _bound(self._quotation() if quoted else self._word())
            inclusive = compare.group(1).endswith("=")
            if compare.group(1).startswith(">"):
                return Range(field, value, None, inclusive, True, start, self.at)
            return Range(field, None, value, True, inclusive, start, self.at)
        text = self._word()
        if text == "*":
            return Exists(field, start, self.at)
        return Words(text, field, start=start, end=self.at)

    def _quotation(self) -> str:
        found = _QUOTED.match(self.text, self.at)
        if not found:
            raise _Syntax(self.at, "this quotation mark has no partner")
        self.at = found.end()
        self._suffix()
        return _ESCAPE.sub(r"\1", found.group(1))

    def _word(self) -> str:
        found = _WORD.match(self.text, self.at)
        if not found:
            raise _Syntax(self.at, "something is missing here")
        self.at = found.end()
        # An escaped sign is only a sign; between words it is what divides them.
        text = _ESCAPE.sub(lambda sign: sign[1] if sign[1] not in "*?" else " ", found.group())
        suffix = re.search(r"(?:~[0-9.]*|\^[0-9.]+)+$", text)
        if suffix and suffix.start():
            # ``welc~`` is complete: the word ends before its suffix.
            self.word_end = self.at - len(suffix.group())
            return text[: suffix.start()]
        self.word_end = self.at
        return text

    def _suffix(self) -> None:
        found = _SUFFIX.match(self.text, self.at)
        if found:
            self.at = found.end()


def _bound(text: str) -> str | None:
    text = text[1:-1] if len(text) > 1 and text.startswith('"') else text
    return None if text == "*" else text
