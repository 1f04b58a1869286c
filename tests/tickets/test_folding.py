"""What is not new is folded, at every level it stands in; nothing is taken away."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deskbell.tickets import folding
from deskbell.tickets.texts import HTML, PLAIN, safe_html


def fold(html: str, reply: str) -> str:
    """The sanitised HTML with brackets around what is folded."""
    clean = safe_html(html)
    new = folding.of(folding.marks(clean, HTML, reply=reply))
    return folding.fold_html(clean, new, opening="[", closing="]") if new else clean


class TestHtml:
    @pytest.mark.parametrize(
        ("html", "reply", "folded"),
        [
            (
                ("<div>Yes.</div><br><div>Nora wrote:<blockquote>Is it on?</blockquote></div>"),
                "Yes.",
                ("<div>Yes.</div>[<br><div>Nora wrote:<blockquote>Is it on?</blockquote></div>]"),
            ),
            (
                "<p>Yes &amp; no</p><div>-- <br>Kemal</div><hr><p>From: Nora</p>",
                "Yes & no",
                "<p>Yes &amp; no</p>[<div>-- <br>Kemal</div><hr><p>From: Nora</p>]",
            ),
            # At two levels: behind the words, and behind what they stand in.
            (
                "<div><div>Yes.</div><div>Kemal</div></div><blockquote>Is it?</blockquote>",
                "Yes.",
                "<div><div>Yes.</div>[<div>Kemal</div>]</div>[<blockquote>Is it?</blockquote>]",
            ),
            # An answer below; the attribution goes with the history.
            (
                "<div>Nora wrote:</div><blockquote>Is it on?</blockquote>Yes, it is on.",
                "Yes, it is on.",
                ("[<div>Nora wrote:</div><blockquote>Is it on?</blockquote>]Yes, it is on."),
            ),
            # Answers between quotations keep them in sight, in whatever words these are told.
            (
                (
                    "Dear Nora, hello,<blockquote>Is it on?</blockquote>Yes, of course it is."
                    "<blockquote>Really and truly?</blockquote>"
                ),
                "Dear Nora, hello,\n> Is it *on*?\nYes, of course it is.",
                (
                    "Dear Nora, hello,<blockquote>Is it on?</blockquote>Yes, of course it is."
                    "[<blockquote>Really and truly?</blockquote>]"
                ),
            ),
            # A fold may not stand between rows.
            (
                "<table><tbody><tr><td>Yes.</td></tr><tr><td>History</td></tr></tbody></table>",
                "Yes.",
                "<table><tbody><tr><td>Yes.</td></tr><tr><td>History</td></tr></tbody></table>",
            ),
            ("<p>All of it is new</p>", "All of it is new", "<p>All of it is new</p>"),
            ("<p>Something</p>", "else entirely", "<p>Something</p>"),
            (
                '<p title="<div>">Yes.</p><p>Old</p>',
                "Yes.",
                '<p title="<div>">Yes.</p>[<p>Old</p>]',
            ),
        ],
    )
    def test_is_folded_around_its_new_part(self, html, reply, folded):
        assert fold(html, reply).replace("&lt;", "<").replace("&gt;", ">") == folded

    def test_that_was_edited_is_left_alone(self):
        new = folding.of(folding.marks("<p>Yes.</p><p>Old</p>", HTML, reply="Yes."))

        assert folding.fold_html("<p>No.</p><p>Older</p>", new, opening="[", closing="]") == (
            "<p>No.</p><p>Older</p>"
        )

    @settings(max_examples=40, deadline=None)
    @given(
        st.recursive(
            st.text("ab <>&\n", max_size=8).map(lambda t: t.replace("<", "&lt;")),
            lambda inner: st.tuples(
                st.sampled_from(["div", "p", "blockquote", "table", "span", "li"]),
                st.lists(inner, max_size=3).map("".join),
            ).map(lambda pair: f"<{pair[0]}>{pair[1]}</{pair[0]}>"),
            max_leaves=8,
        ),
        st.integers(0, 30),
        st.integers(0, 30),
    )
    def test_loses_nothing_wherever_the_new_part_is(self, html, start, size):
        clean = safe_html(html)
        total = folding.marks(clean, HTML, reply=None)["new_text"][2]
        new = (min(start, total), min(start + size, total), total)

        folded = folding.fold_html(clean, new, opening="\x01", closing="\x02")

        assert folded.replace("\x01", "").replace("\x02", "") == clean
        depth = 0
        for sign in folded:
            depth += {"\x01": 1, "\x02": -1}.get(sign, 0)
            assert depth >= 0
        assert depth == 0


class TestText:
    @pytest.mark.parametrize(
        ("reply", "divided"),
        [
            ("Yes.", ("", "Yes.\n", "\n-- \nKemal\n\n> Is it on?\n")),
            ("Yes.\n\n-- \nKemal", ("", "Yes.\n\n-- \nKemal\n", "\n> Is it on?\n")),
            # Too little stands above to be worth a fold.
            ("> Is it on?", ("", "Yes.\n\n-- \nKemal\n\n> Is it on?\n", "")),
            (None, ("", "Yes.\n\n-- \nKemal\n\n> Is it on?\n", "")),
        ],
    )
    def test_is_divided_on_whole_lines(self, reply, divided):
        body = "Yes.\n\n-- \nKemal\n\n> Is it on?\n"
        new = folding.of(folding.marks(body, PLAIN, reply=reply))

        assert new is not None
        assert folding.parts(body, new) == divided
        assert folding.parts(body + "more", new) is None

    @pytest.mark.parametrize(
        "stored", [None, [], [0, 1], ["0", 1, 2], [0, 3, 2], [-1, 1, 2], [True, 2, 3], {"a": 1}]
    )
    def test_trusts_no_preferences(self, stored):
        assert folding.of({"new_text": stored}) is None
