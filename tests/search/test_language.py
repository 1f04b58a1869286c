"""The query language: what a text is read as."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deskbell.search.language import (
    MAX_DEPTH,
    MAX_LENGTH,
    MAX_TERMS,
    And,
    Everything,
    Exists,
    Node,
    Not,
    Or,
    Range,
    Words,
    parse,
)


def told(node: Node) -> str:
    """A query in one unambiguous line."""
    match node:
        case Everything():
            return "all"
        case And(parts):
            return f"({' & '.join(map(told, parts))})"
        case Or(parts):
            return f"({' | '.join(map(told, parts))})"
        case Not(part):
            return f"!{told(part)}"
        case Exists(field):
            return f"exists {field}"
        case Range(field, low, high, with_low, with_high):
            return f"{field}{'[' if with_low else '{'}{low}..{high}{']' if with_high else '}'}"
        case Words(text, field, quoted, prefix):
            text = f'"{text}"' if quoted else text
            return f"{field + ':' if field else ''}{text}{'…' if prefix else ''}"


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("", "all"),
        ("  ", "all"),
        ("*", "all"),
        ("*:*", "all"),
        ("welc", "welc…"),
        ("welc ", "welc…"),
        ("printer welc", "(printer & welc…)"),
        ("a OR b", "(a | b…)"),
        ("a b OR c", "((a & b) | c…)"),
        ("a AND b OR NOT c d", "((a & b) | (!c & d…))"),
        ("a && b || c", "((a & b) | c…)"),
        ("or and not", "(or & and & not…)"),
        ("NOT a", "!a"),
        ("-a !b", "(!a & !b)"),
        ("a -b", "(a & !b)"),
        ("+a b", "(a & b…)"),
        ("!(a OR b)", "!(a | b)"),
        ("NOT NOT a", "!!a"),
        ("(a)", "a"),
        ("(a b) c", "((a & b) & c…)"),
        ('"exact phrase"', '"exact phrase"'),
        ('"a b" c', '("a b" & c…)'),
        (r'"say \"hello\""', '"say "hello""'),
        ('foo"bar baz"', '(foo & "bar baz")'),
        ("wel* ?x", "(wel* & ?x)"),
        ("foo-bar", "foo-bar…"),
        ("nicole@zammad.org", "nicole@zammad.org…"),
        ("a - b", "(a & b…)"),
        ("title:x", "title:x"),
        ("title:x y", "(title:x & y…)"),
        ("state.name:open AND tags:vip", "(state.name:open & tags:vip)"),
        ('customer.email: "a@b.c"', 'customer.email:"a@b.c"'),
        ("title: x", "title:x"),
        ('title:"two words"', 'title:"two words"'),
        ("title:(a OR b)", "(title:a | title:b)"),
        ('tags: ("a" AND "b")', '(tags:"a" & tags:"b")'),
        ("title:(a -b note:c)", "(title:a & !title:b & note:c)"),
        ("-title:x", "!title:x"),
        ("title:*", "exists title"),
        ("_exists_:note", "exists note"),
        ("NOT _exists_:pending_time", "!exists pending_time"),
        ("created_at:[2026-01-01 TO 2026-12-31]", "created_at[2026-01-01..2026-12-31]"),
        ("id:{1 TO 5}", "id{1..5}"),
        ("id:[1 TO *}", "id[1..None}"),
        ('id:["1" TO "5 6"]', "id[1..5 6]"),
        ("id:[* TO *]", "id[None..None]"),
        ("updated_at:>0", "updated_at{0..None]"),
        ("updated_at:>=now-1d/d", "updated_at[now-1d/d..None]"),
        ("id:<5", "id[None..5}"),
        ("id:<= 5", "id[None..5]"),
        ("id:(>1 AND <5)", "(id{1..None] & id[None..5})"),
        ('created_at:>"2026-01-01 10:00"', "created_at{2026-01-01 10:00..None]"),
        ("created_at:>2026-01-01T10:00:00Z", "created_at{2026-01-01T10:00:00Z..None]"),
        ("id:-5", "id:-5"),
        ("id:(-5)", "id:-5"),
        ("a:b:c", "a:b:c"),
        ("http://x.y/z", "http://x.y/z…"),
        ("10:30", "10:30…"),
        (r"a\:b", "a:b…"),
        (r"a\(b", "a(b…"),
        ("a~ b~2 c^3", "(a & b & c)"),
        ('"a b"~3 c', '("a b" & c…)'),
        ("Re:", "Re…"),
        ("(Re:)", "Re"),
        ("Re: OR x", "(Re | x…)"),
        ("[a", "[a…"),
        (">5", ">5…"),
        ("-", "()"),
    ],
)
def test_meaning(text: str, meaning: str) -> None:
    query = parse(text)

    assert told(query.node) == meaning
    assert query.problem is None


@pytest.mark.parametrize(
    ("text", "meaning", "position"),
    [
        ("foo (bar", "(foo & bar…)", 4),
        ("foo) bar", "(foo & bar…)", 3),
        (")", "()", 0),
        ('say "hello', "(say & hello…)", 4),
        ("AND", "()", 0),
        ("foo AND", "(foo…)", 7),
        ("OR foo", "(foo…)", 0),
        ("foo OR OR bar", "(foo & bar…)", 7),
        ("NOT", "()", 3),
        ("foo NOT AND bar", "(foo & bar…)", 8),
        ("()", "()", 1),
        ("id:[1 TO", "(1…)", 3),
        ("id:[1 5]", "(1 & 5…)", 3),
        ("title:(fire", "(fire…)", 6),
        ('title:"fire x', "(fire & x…)", 6),
        ("title:fire (x", "(title:fire & x…)", 11),
        ("id:>(1)", "(1…)", 4),
    ],
)
def test_nonsense_is_read_as_words(text: str, meaning: str, position: int) -> None:
    query = parse(text)

    assert told(query.node) == meaning
    assert query.problem is not None
    assert query.problem.position == position


class TestBounds:
    def test_depth(self) -> None:
        query = parse("(" * (MAX_DEPTH + 1) + "a" + ")" * (MAX_DEPTH + 1))

        assert query.problem is not None
        assert told(query.node) == "(a…)"

    def test_negations_do_not_nest_for_ever(self) -> None:
        assert parse("!" * 3_000 + "a").problem is not None

    def test_terms(self) -> None:
        query = parse("a " * (MAX_TERMS + 10))

        assert query.problem is not None
        assert isinstance(query.node, And)
        assert len(query.node.parts) == MAX_TERMS

    def test_length(self) -> None:
        query = parse("a" * (MAX_LENGTH + 10))

        assert query.problem is not None
        assert told(query.node) == "a" * MAX_LENGTH + "…"


SCRAPS = st.sampled_from(
    [*'()"*?:-!+[]{}<>=~^\\/& |', " AND ", " OR ", " NOT ", " TO ", "title:", "_exists_:", "a", "7"]
)


@given(st.one_of(st.text(max_size=60), st.lists(SCRAPS, max_size=30).map("".join)))
def test_never_fails_and_is_the_same_each_time(text: str) -> None:
    query = parse(text)

    assert query == parse(text)
    if query.problem is not None:
        assert 0 <= query.problem.position <= len(text)
