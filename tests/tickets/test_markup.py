"""Foreign HTML that was built to keep a parser busy, and ordinary HTML that was not."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deskbell.tickets.images import take_images
from deskbell.tickets.markup import DEPTH_AT_MOST, FORMATS_AT_MOST, is_tame, tamed, words_of
from deskbell.tickets.texts import _ATTRIBUTES, _TAGS, HTML, plain_text, safe_html

HOSTILE = {
    "deep boxes": "<div>" * 30_000 + "word",
    "deep tables": "<table><tr><td>" * 8_000 + "word",
    "open formatting": "<p>"
    + "".join(f"<font color={n}>" for n in range(3_000))
    + "</p><p>word" * 3_000,
    "attributes": "<p " + " ".join(f"a{n}" for n in range(60_000)) + ">word</p>",
    "quoted ends": "<p " + " ".join(f'a{n}=">"' for n in range(50_000)) + ">word</p>",
    "end tags": "word" + "</div>" * 50_000,
    "unclosed lists": "<ul><li>" * 15_000 + "word",
    "false ends": "<b><div></b>" * 15_000 + "word",
    "ends behind cells": "<div><table><tr><td></div>" * 8_000 + "word",
}


PIECES = [
    *("<p>", "</p>", "<div>", "</div>", "<b>", "</b>", "<ul>", "<li>", "</ul>", "<br>"),
    *("<table>", "<tr>", "<td>", "</td>", "</table>", "<a/href=x>", "</a>", "<p/x='"),
    *("<", ">", "word", "&", "<!--", "-->", "<script>", "</script>", '"', "'", "="),
]


def depth_of(html: str) -> int:
    depth = deepest = 0
    for end, name in re.findall(r"<(/?)([a-z0-9]+)", html):
        if name in ("br", "img", "hr", "col", "wbr"):
            continue
        depth += -1 if end else 1
        deepest = max(deepest, depth)
    assert depth == 0
    return deepest


@pytest.mark.parametrize("name", HOSTILE)
class TestHostile:
    """Each of these took half a minute or more, or gigabytes, when it was parsed as it stands."""

    def test_is_shown_without_its_bulk(self, name: str) -> None:
        shown = safe_html(HOSTILE[name])

        assert "word" in shown
        assert depth_of(shown) <= DEPTH_AT_MOST + 50  # the parser adds bodies to tables
        assert len(shown) < 2_000_000

    def test_keeps_its_words_as_text(self, name: str) -> None:
        assert "word" in plain_text(HOSTILE[name], HTML)

    def test_gives_its_images(self, name: str) -> None:
        image = '<img src="data:image/png;base64,AAAA">'
        _text, files = take_images(image + HOSTILE[name], prefix="1", host="desk.example")
        assert [file.filename for file in files] == ["image1.png"]


class TestPlainText:
    @pytest.mark.parametrize("count", [300, 2_500])
    def test_of_deep_html_is_not_empty(self, count: int) -> None:
        """The layout stops at 256 levels and says nothing about it."""
        assert plain_text("<div>" * count + "deep words", HTML) == "deep words"

    def test_of_nested_tables_is_not_padded_without_end(self) -> None:
        html = ("<table><tr>" + "<td>a" * 20) * 120
        text = plain_text(html, HTML)
        assert text.count("a") == 20 * 120
        assert len(text) < 50_000

    def test_of_long_html_has_a_line_for_each_paragraph(self) -> None:
        html = "<p>one &amp; two</p>" * 20_000
        assert plain_text(html, HTML).split() == ["one", "&", "two"] * 20_000


def tame(html: str) -> str:
    return tamed(html, _ATTRIBUTES, _TAGS)


class TestTamed:
    def test_short_texts_stay_as_they_are(self) -> None:
        assert is_tame("<p>Hello <b>world</b></p>" * 50)
        assert not is_tame("<p>" * 3_000)
        assert not is_tame("<a " + "x " * 20_000)
        assert not is_tame("<p>" + "<b x=1>" * 900 + "<p>" * 900)

    @pytest.mark.parametrize(
        ("given", "expected"),
        [
            ("<p>a<p>b", "<p>a</p><p>b</p>"),
            ("<p><b>a<div>b", "<p><b>a</b></p><div>b</div>"),
            ("<ul><li>a<li>b<ul><li>c</ul></ul>", None),
            ("<table><tr><td>a<td>b<tr><td>c</table>d", None),
            ("<table><tr><td><p>a</div></td></tr></table>", None),
            ("<div><table><tr><td>a</div>b</td></tr></table></div>", None),
            ("<b>a</b> < b & c &lt;d> </nothing>", "<b>a</b> &lt; b & c &lt;d> "),
            ("a<!-- <p> -->b<!--> c<!doctype x>d<?php ?>e", "ab cde"),
            ("a<script>if (a < b) '</p>'</SCRIPT >b<style>p{}</style>c", "abc"),
            ("a<script>never closed", "a"),
            ("a<!-- never closed", "a"),
            ('<a href=x title=\'say "hi"\' onclick="y">z</a>', None),
            ('<a href="x" href="y" href=\'z\'>z</a>', '<a href="x">z</a>'),
            ("<A HREF=x>z</A><unknown>y</unknown>", '<a href="x">z</a>y'),
            ('<p title="unclosed>a', '<p title="">a</p>'),
            ("<br/><hr /><img src=x/>", '<br><hr><img src="x/">'),
            ("", ""),
            ("<", "&lt;"),
            ("a</", "a"),
        ],
    )
    def test_ordinary_html(self, given: str, expected: str | None) -> None:
        """Where no result is named, it is what a parser by the standard makes of it."""
        if expected is None:
            assert safe_html(tame(given)) == safe_html(given)
        else:
            assert tame(given) == expected

    def test_formatting_is_bounded(self) -> None:
        html = tame("".join(f"<b title={n}>" for n in range(1_000)) + "x")
        assert html.count("<b") == FORMATS_AT_MOST

    @given(st.lists(st.sampled_from(PIECES), max_size=60))
    def test_anything_ends_well_nested(self, pieces: list[str]) -> None:
        html = tame("".join(pieces))
        depth_of(html)
        # What a parser makes of the result nests as the result does: nothing is reopened.
        assert len(safe_html(html)) <= 100 + 12 * len(html)


def test_words_of() -> None:
    assert words_of("<p>a &lt;b&gt;</p><p>c<br>d</p>\n\n\n\n<div>e</div>") == "a <b>\n\nc\nd\n\ne"
