"""Both alternatives of a message: what they say, and that nothing people wrote acts in them."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deskbell.mail.writing import rendering
from deskbell.mail.writing.messages import (
    PUBLIC_PARTS,
    STAFF_PARTS,
    InternalEntry,
    PublicEntry,
    PublicMessage,
    StaffNotification,
)
from deskbell.mail.writing.rendering import (
    Rendered,
    Surroundings,
    readable_size,
    render,
    text_as_html,
)
from deskbell.tickets.rules import Occasion, Part

AROUND = Surroundings(
    reference="[support-12]",
    title="Printer on fire",
    group="Support",
    timezone=ZoneInfo("Europe/Berlin"),
    reply_hint=True,
)
WORDS: dict[str, Any] = {
    "author": "Nora Example",
    "by_agent": True,
    "written_at": datetime(2026, 3, 29, 0, 59, tzinfo=UTC),
    "body": "Please pour water on it.",
    "content_type": "text/plain",
}
ATTACK = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>"


def entry(**changes: Any) -> PublicEntry:
    return PublicEntry(**{**WORDS, **changes})


def letter(**changes: Any) -> PublicMessage:
    return PublicMessage(
        part=Part.CUSTOMER, occasion=Occasion.UPDATED, entry=entry(**changes), is_letter=True
    )


def notification(**changes: Any) -> StaffNotification:
    return StaffNotification(part=Part.OWNER, occasion=Occasion.UPDATED, entry=entry(**changes))


class Tags(HTMLParser):
    """The elements of a page with their attributes, and its text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.text += data

    def attributes(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.found if name == tag]


class TestEveryKind:
    @pytest.mark.parametrize("occasion", sorted(Occasion))
    @pytest.mark.parametrize("part", sorted(Part))
    def test_names_ticket_and_group_and_says_the_words(self, part, occasion):
        if part in PUBLIC_PARTS:
            message: Any = PublicMessage(part=part, occasion=occasion, entry=entry())
        else:
            message = StaffNotification(part=part, occasion=occasion, entry=entry())

        told = render(message, AROUND)

        for side in (told.text, Tags(told.html).text):
            for expected in ("[support-12]", "Printer on fire", "Support", WORDS["body"]):
                assert expected in side
        assert "Nora Example" in told.text
        assert "{" not in told.text

    @pytest.mark.parametrize("part", sorted(STAFF_PARTS))
    def test_of_an_internal_entry_warns(self, part):
        told = render(
            StaffNotification(part=part, occasion=Occasion.UPDATED, entry=InternalEntry(**WORDS)),
            AROUND,
        )

        assert "internal note" in told.text
        assert "internal note" in told.html
        assert "background-color: #fef7e1" in told.html

    def test_acknowledgement_repeats_nothing_but_the_title(self):
        message = PublicMessage(part=Part.CUSTOMER, occasion=Occasion.OPENED, entry=None)

        told = render(message, AROUND)

        assert "Thank you for your message" in told.text
        assert "Printer on fire" in told.text
        assert "Nora" not in told.text + told.html


class TestLetter:
    def test_is_the_agents_own_words_first(self):
        told = render(letter(), AROUND)

        assert told.text.startswith("Please pour water on it.\n\n-- \nSupport\n")
        assert "wrote in" not in told.text + told.html

    def test_that_resolves_says_so_after_them(self):
        told = render(replace(letter(), occasion=Occasion.RESOLVED), AROUND)

        assert told.text.index("Please pour") < told.text.index("consider this ticket resolved")
        assert "consider this ticket resolved" in told.html

    def test_says_who_else_got_it(self):
        told = render(replace(letter(), also_to=("boss@example.test",)), AROUND)

        assert "Also sent to: boss@example.test" in told.text
        assert "boss@example.test" in told.html


class TestNotification:
    AROUND = replace(
        AROUND,
        facts=(("State", "open"), ("Customer", "Kemal <kemal@example.test>")),
        link="https://desk.example/tickets/12",
        files=("scan.pdf (2.4 MB)",),
    )

    def test_says_how_the_ticket_stands_and_where_it_is(self):
        told = render(notification(), self.AROUND)

        assert "State: open\nCustomer: Kemal <kemal@example.test>\n" in told.text
        assert "\nhttps://desk.example/tickets/12\n" in told.text
        assert "- scan.pdf (2.4 MB)" in told.text
        links = [a["href"] for a in Tags(told.html).attributes("a")]
        assert links == ["https://desk.example/tickets/12"]
        assert "Kemal &lt;kemal@example.test&gt;" in told.html

    def test_tells_the_time_in_the_zone_of_the_desk(self):
        told = render(notification(), self.AROUND)

        # A minute before the clocks go forward.
        assert "Nora Example, 29 March 2026, 01:59 CET:" in told.text

    def test_says_why_it_came(self):
        assert "You get this because you are in charge" in render(notification(), AROUND).text
        watcher = replace(notification(), part=Part.STAFF)
        assert "your address watches over Support" in render(watcher, AROUND).text

    def test_asks_for_the_reference_only_where_an_answer_arrives(self):
        silent = replace(AROUND, reply_hint=False)

        assert "Please keep [support-12]" in render(notification(), AROUND).text
        assert "Please keep" not in render(notification(), silent).text


class TestHtml:
    def test_has_its_styles_in_place_and_both_schemes(self):
        html = render(notification(), AROUND).html

        assert 'class="card' not in html or 'style="' in html
        assert "border-radius: 10px" in html
        assert "prefers-color-scheme: dark" in html
        assert Tags(html).attributes("html") == [{"lang": "en"}]

    @pytest.mark.parametrize("kind", [letter, notification])
    def test_of_plain_words_is_escaped(self, kind):
        told = render(kind(author=ATTACK, body=ATTACK), replace(AROUND, title=ATTACK, group=ATTACK))

        page = Tags(told.html)
        assert page.attributes("script") == page.attributes("img") == []
        assert ATTACK in page.text
        assert ATTACK in told.text

    @pytest.mark.parametrize("kind", [letter, notification])
    @pytest.mark.parametrize(
        "body",
        [
            "<script>alert(1)</script>",
            '<a href="javascript:alert(1)">x</a>',
            "<iframe src=https://x.example></iframe><object data=x><embed src=x>",
            '<form action="https://x.example"><input name=p></form>',
            "<style>.card{display:none}</style><link rel=stylesheet href=//x.example>",
            '<p style="position:fixed;background:url(https://x.example/t.gif)">x</p>',
            '<meta http-equiv=refresh content="0;url=https://x.example"><base href=//x.example>',
            "<svg onload=alert(1)></svg><math><mtext><style><img src=x onerror=alert(1)>",
            "<p onclick=alert(1)>x</p><img src=x onerror=alert(1)>",
        ],
    )
    def test_of_html_is_sanitised(self, kind, body):
        told = render(kind(body=body, content_type="text/html"), AROUND)

        page = Tags(told.html)
        names = {name for name, _ in page.found}
        assert not names & {"script", "iframe", "object", "embed", "form", "input", "base", "svg"}
        assert all(not key.startswith("on") for _, found in page.found for key in found)
        assert "javascript:" not in told.html
        assert "x.example" not in told.html
        assert told.html.count("<style") == 1
        assert "position" not in told.html

    def test_keeps_what_html_is_for(self):
        body = '<p style="color:#c00">See <b>here</b>: <a href="https://x.example/">x</a></p>'

        told = render(letter(body=body, content_type="text/html"), AROUND)

        assert '<p style="color:#c00">See <b>here</b>' in told.html
        assert 'href="https://x.example/"' in told.html
        assert told.text.startswith("See here: x\n")

    def test_is_the_same_each_time(self):
        assert render(notification(), AROUND) == render(notification(), AROUND)

    @given(title=st.text(max_size=80), body=st.text(max_size=200), author=st.text(max_size=40))
    def test_of_any_words_stays_one_page(self, title, body, author):
        told = render(notification(author=author, body=body), replace(AROUND, title=title))

        # What people wrote adds no element but paragraphs and lines of its own.
        def shape(page: Rendered) -> list[str]:
            return [name for name, _ in Tags(page.html).found if name not in ("p", "br")]

        assert shape(told) == shape(render(notification(), AROUND))


class TestImages:
    BODY = (
        '<p><img src="cid:a%40b" alt="bell"><img src="cid:gone" alt="1 > 0 &amp; so on">'
        '<img src="https://x.example/t.gif" alt="dot"></p>'
    )
    AROUND = replace(AROUND, images={"a@b": "1.ours@desk"})

    def test_of_the_entry_are_renamed_to_those_of_the_message(self):
        told = render(letter(body=self.BODY, content_type="text/html"), self.AROUND)

        assert told.images == {"1.ours@desk"}
        assert '<img src="cid:1.ours@desk" alt="bell">' in told.html

    def test_that_are_missing_are_told_in_words(self):
        told = render(letter(body=self.BODY, content_type="text/html"), self.AROUND)

        assert "1 &gt; 0 &amp; so on" in told.html

    def test_from_elsewhere_stay_in_what_an_agent_sends_out(self):
        told = render(letter(body=self.BODY, content_type="text/html"), self.AROUND)

        assert "https://x.example/t.gif" in told.html

    @pytest.mark.parametrize(
        "message",
        [
            notification(body=BODY, content_type="text/html"),
            notification(body=BODY, content_type="text/html", by_agent=False),
            replace(letter(body=BODY, content_type="text/html", by_agent=False), is_letter=False),
        ],
    )
    def test_from_elsewhere_tell_no_stranger_who_reads(self, message):
        told = render(message, self.AROUND)

        assert "x.example" not in told.html
        assert "dot" in told.html


class TestPlainWordsAsHtml:
    def test_keep_paragraphs_lines_and_indentation(self):
        html = text_as_html("One\ntwo\n\n\n  three  four\n \t \nfive")

        assert re.findall(r"<p[^>]*>(.*?)</p>", html, re.DOTALL) == [
            "One<br>\ntwo",
            "&nbsp; three&nbsp; four",
            "five",
        ]

    def test_of_nothing_are_nothing(self):
        assert text_as_html(" \n\n ") == ""


def test_an_entry_too_long_for_a_mail_is_cut_and_says_so():
    told = render(letter(body="words and words\n" * 40_000), AROUND)

    assert len(told.text) < rendering.BODY_LENGTH + 1000
    assert "All of it stands in the ticket." in told.text
    assert "All of it stands in the ticket." in told.html


@pytest.mark.parametrize(
    ("size", "expected"),
    [(0, "0 bytes"), (999, "999 bytes"), (17_400, "17 KB"), (2_449_999, "2.4 MB")],
)
def test_sizes_can_be_read(size, expected):
    assert readable_size(size) == expected
