"""Text to words."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deskbell.search import analyse

#: What would end a word, or begin a marked one, inside the index.
SIGNS = re.compile(r"[\x00-/:-@\[-`{-\x7f]|\s")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Welcome to Zammad!", ["welcome", "to", "zammad"]),
        ("Büros, CAFÉ, Ångström", ["buros", "cafe", "angstrom"]),
        ("STRASSE Straße", ["strasse", "strasse"]),
        ("nicole.braun@zammad.org", ["nicole", "braun", "zammad", "org"]),
        ("Wi-Fi_password", ["wi", "fi", "password"]),
        ("soft\u00adhyphen", ["softhyphen"]),
        ("e\u0301te\u0301", ["ete"]),
        ("日本語 text", ["日", "本", "語", "text"]),
        ("ΣΊΣΥΦΟΣ", ["σισυφοσ"]),
        # Syllables as their letters, so that one still being typed is the beginning of its word.
        ("한국", ["\u1112\u1161\u11ab\u1100\u116e\u11a8"]),
        ("Привет, МИР", ["привет", "мир"]),
        ("مَرْحَبًا", ["مرحبا"]),
        ("ok👍🏽👩‍💻", ["ok", "👍", "👩", "💻"]),
        ("  ,.;  ", []),
        ("", []),
    ],
)
def test_words(text: str, words: list[str]) -> None:
    assert analyse.words(text) == words


def test_a_text_is_bounded() -> None:
    assert len(analyse.words("a " * 50_000)) == analyse.MAX_WORDS
    assert analyse.words("x" * 1_000) == ["x" * analyse.MAX_WORD]
    assert len(analyse.words("y" * 10 + " " + "z" * 10**6)) == 2


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("printers", "printer", True),
        ("running", "runs", True),
        ("buros", "buro", True),
        ("printer", "print", False),
        ("as", "a", False),
        ("v2s", "v2", False),
    ],
)
def test_stems(one: str, other: str, same: bool) -> None:
    assert (analyse.stem(one) == analyse.stem(other)) is same


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("welc*", ["welc*"]),
        ("*@Example.com", ["*", "example", "com"]),
        ("W?lc*me", ["w?lc*me"]),
        ("what？", ["what"]),
    ],
)
def test_patterns_keep_wildcards(text: str, pieces: list[str]) -> None:
    assert analyse.patterns(text) == pieces


@given(st.text())
def test_every_word_is_plain_and_folds_to_itself(text: str) -> None:
    for word in analyse.words(text):
        assert not SIGNS.search(word)
        assert len(word) <= analyse.MAX_WORD
        assert analyse.words(word) == [word]


@given(st.text(), st.text())
def test_case_makes_no_difference(left: str, right: str) -> None:
    text = f"{left} {right}"
    if len(text.upper().lower()) == len(text.lower()):
        assert analyse.words(text.swapcase().casefold()) == analyse.words(
            text.casefold().casefold()
        )
