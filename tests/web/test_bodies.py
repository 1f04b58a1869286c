"""Bodies of entries: text made legible, HTML made harmless. No database."""

from __future__ import annotations

import re
from html import unescape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deskbell.web.shared import bodies
from deskbell.web.shared.bodies import document, frame_policy, has_remote_images, linked, parts_of

REPLY = """Thanks, it works.

On Tue, 3 Mar 2026 at 10:12, Nora <it@desk.test> wrote:
> Try again.
>
> Nora
"""
OUTLOOK = """Merci!

________________________________
De : Nora
Objet : Re: imprimante

Essayez encore.
"""
INLINE = """> Is it on?
Yes.
> Is it burning?
No."""


def kinds(text):
    return [part.kind for part in parts_of(text)]


class TestText:
    @given(st.text(alphabet=st.characters(codec="utf-8"), max_size=300))
    def test_is_shown_word_for_word_and_never_as_markup(self, text):
        shown = bodies.text_html(text)

        pieces = re.findall(r'dir="auto">(.*?)</(?:div|blockquote)>', shown, re.S)
        seen = [unescape(re.sub(r"</?a\b[^>]*>", "", piece)) for piece in pieces]
        assert "\n".join(seen) == text.replace("\r\n", "\n").replace("\r", "\n")
        assert not re.search("<(?!/?(a|div|blockquote|details|summary|span)[ >])", shown)

    @given(st.lists(st.sampled_from(["", "> q", ">> q", "text", "On 1/1, a@b wrote:", "-- "])))
    def test_is_divided_without_losing_a_line(self, lines):
        divided = [line for part in parts_of("\n".join(lines)) for line in part.lines]

        assert divided == (lines or [""])

    def test_folds_the_history_behind_an_answer(self):
        assert kinds(REPLY) == ["text", "history"]
        assert parts_of(REPLY)[1].lines[0].startswith("On Tue, 3 Mar 2026")
        assert "<details" in bodies.text_html(REPLY)

    def test_folds_what_outlook_leaves_below(self):
        assert kinds(OUTLOOK) == ["text", "history"]

    def test_keeps_quotations_that_are_answered_in_sight(self):
        assert kinds(INLINE) == ["quote", "text", "quote", "text"]
        assert "<details" not in bodies.text_html(INLINE)

    @pytest.mark.parametrize(
        "text", ["", "plain", "> only\n> quoted", "a > b\nc > d", "See:\n> one line", "\n\n\n"]
    )
    def test_hides_nothing_else(self, text):
        assert "history" not in kinds(text)

    def test_of_any_length_is_divided_at_once(self):
        for text in ("> \n" * 10_000, "_" * 30_000, "-" * 30_000, ("_" * 25 + "\n") * 1_000):
            assert parts_of(text)


class TestLinks:
    @pytest.mark.parametrize(
        ("text", "address"),
        [
            ("see https://a.example/x?y=1&z=2.", "https://a.example/x?y=1&amp;z=2"),
            ("(https://a.example/wiki/Bell_(desk))", "https://a.example/wiki/Bell_(desk)"),
            ("<http://a.example>", "http://a.example"),
            ("HTTPS://A.example/!", "HTTPS://A.example/"),
            ("https://ü.example/ß", "https://ü.example/ß"),
            ('"https://a.example/"', "https://a.example/"),
        ],
    )
    def test_are_made_of_web_addresses(self, text, address):
        assert f'<a href="{address}" target="_blank" rel="nofollow noreferrer noopener">' in (
            linked(text)
        )

    @pytest.mark.parametrize(
        "text",
        [
            "javascript:alert(1)",
            "data:text/html,x",
            "https://",
            "http://[",
            "https://]",
            "ftp://a.example",
            "vbscript:x",
            "java\nscript:https:",
            "https://...",
        ],
    )
    def test_are_made_of_nothing_else(self, text):
        assert "<a" not in linked(text)

    def test_cannot_be_broken_out_of(self):
        shown = linked("""https://a.example/"onmouseover="alert(1) https://a.example/'><script>""")

        assert 'onmouseover="' not in shown
        assert "<script" not in shown

    @given(st.text(alphabet="htps:/.a<>\"'&()[] \n", max_size=200))
    def test_leave_the_words_as_they_were(self, text):
        assert unescape(re.sub(r"</?a\b[^>]*>", "", linked(text))) == text


class TestHtml:
    def shown(self, html, **kwargs):
        options = {"images": {}, "files": {}, "remote_images": False} | kwargs
        return document(html, nonce="n0nce", **options)

    @pytest.mark.parametrize(
        "html",
        [
            "<script>alert(1)</script>",
            "<img src=x onerror=alert(1)>",
            "<svg onload=alert(1)><script>alert(1)</script></svg>",
            '<a href="javascript:alert(1)">x</a>',
            '<a href="data:text/html,<script>alert(1)</script>">x</a>',
            "<iframe src=https://evil.example></iframe>",
            "<form action=https://evil.example><input name=x><button>go</button></form>",
            "<meta http-equiv=refresh content='0;url=https://evil.example'>",
            "<base href=https://evil.example>",
            "<link rel=stylesheet href=https://evil.example/x.css>",
            "<style>@import url(https://evil.example/x.css)</style>",
            '<div style="background:url(https://evil.example/x.gif)">x</div>',
            '<div style="position:fixed;top:0">x</div>',
            "<object data=https://evil.example></object><embed src=https://evil.example>",
            "<video src=https://evil.example autoplay></video>",
            "<math><mtext><table><mglyph><style><img src=x onerror=alert(1)>",
            "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
            "</body></html><script>alert(1)</script>",
            "<template><script>alert(1)</script></template>",
            '<p id="x" name="y" class="z" onclick=alert(1)>x</p>',
            "<img srcset='https://evil.example/x 1x' src='https://evil.example/y'>",
        ],
    )
    def test_loses_all_that_runs_loads_or_sends(self, html):
        body = self.shown(html).partition("<body>")[2].partition('<script nonce="n0nce">')[0]

        assert not re.search(
            r"<(script|iframe|form|input|meta|base|link|style|object|embed|video|svg|math)", body
        )
        assert not re.search(r"\son\w+\s*=", body)
        assert not re.search(r"(javascript|data):", body)
        assert "evil.example" not in body
        assert "position" not in body

    def test_keeps_one_script_of_ours(self):
        assert self.shown("<script nonce=n0nce>alert(1)</script>").count("<script") == 1

    def test_shows_inline_images_by_addresses_of_ours(self):
        images = {"logo@1": "/attachments/signed/1/a.png?key=k&inline"}

        shown = self.shown('<img src="cid:logo%401"><img src="CID:logo@1">', images=images)

        assert shown.count('src="/attachments/signed/1/a.png?key=k&amp;inline"') == 2

    def test_shows_files_that_are_named_as_the_api_names_them(self):
        html = (
            '<img src="/api/v1/ticket_attachment/1/2/3?view=inline">'
            '<img src="/api/v1/ticket_attachment/1/2/4">'
        )

        shown = self.shown(html, files={3: "/mine"})

        assert shown.count("<img src=") == 1
        assert 'src="/mine"' in shown

    def test_shows_images_from_elsewhere_only_when_asked_and_only_securely(self):
        html = '<img src="http://t.example/a.gif"><img src=" HTTPS://t.example/b.gif">'

        assert "t.example" not in self.shown(html)
        asked = self.shown(html, remote_images=True)
        assert 'src="https://t.example/a.gif"' in asked
        assert 'src="https://t.example/b.gif"' in asked

    @pytest.mark.parametrize(
        ("html", "has"),
        [
            ('<img src="https://t.example/p.gif">', True),
            ("<IMG width=1\nSRC = '//t.example/p.gif'>", True),
            ("<img alt=x src=http://t.example>", True),
            ('<img src="cid:x">', False),
            ('<a href="https://t.example">', False),
            ("<img " * 200_000, False),
            ("<img" + " a" * 700_000, False),
        ],
    )
    def test_says_whether_there_are_any(self, html, has):
        assert has_remote_images(html) is has

    def test_of_great_depth_is_no_trouble(self):
        assert "deep" in self.shown("<div>" * 5_000 + "deep" + "</div>" * 5_000)

    def test_has_a_policy_that_lets_nothing_through(self):
        policy = frame_policy("n0nce", remote_images=False)

        assert policy.startswith("default-src 'none';")
        assert "script-src 'nonce-n0nce';" in policy
        assert "sandbox allow-scripts allow-popups" in policy
        assert "allow-same-origin" not in policy
        assert "allow-forms" not in policy
        assert "https:" not in policy
        assert "img-src 'self' data: https:;" in frame_policy("n0nce", remote_images=True)
