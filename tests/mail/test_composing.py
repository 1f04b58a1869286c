"""A message as bytes: what any reader finds in it, and that the same row makes the same bytes."""

from __future__ import annotations

import email
import email.policy
from dataclasses import replace
from email.message import EmailMessage

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deskbell.mail.writing.composing import Enclosure, Letterhead, compose
from tests.cast import MONDAY_9AM

HEAD = Letterhead(
    message_id="<7.31.abc@desk.example>",
    written_at=MONDAY_9AM,
    sender="support@desk.example",
    sender_name="Nora Example via Support",
    recipient="kemal@bücher.example",
    recipient_name="Kemal Größe",
    subject="[support-7] Drucker brennt – schnell! (Updated)",
    references=["<7.t@desk.example>", "<a@x.example>"],
    in_reply_to="<a@x.example>",
    automatic=False,
)
PICTURE = Enclosure(
    filename="bell.png", content_type="image/png", content=b"\x89PNG\r\n", content_id="1.x@desk"
)
SCAN = Enclosure(filename="Übung, 1.pdf", content_type="application/pdf", content=b"%PDF-1\r\n\x00")


def read(content: bytes) -> EmailMessage:
    message = email.message_from_bytes(content, policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    assert all(not part.defects for part in message.walk())
    return message


def composed(head: Letterhead = HEAD, **changes: object) -> EmailMessage:
    parts = {"text": "Hello – there\n", "html": "<p>Hello – there</p>", **changes}
    return read(compose(head, **parts).content)  # type: ignore[arg-type]


class TestFields:
    def test_say_from_whom_to_whom_and_about_what(self):
        message = composed()

        assert message["From"] == "Nora Example via Support <support@desk.example>"
        assert message["To"].addresses[0].addr_spec == "kemal@xn--bcher-kva.example"
        assert message["To"].addresses[0].display_name == "Kemal Größe"
        assert message["Subject"] == HEAD.subject
        assert message["Date"].datetime == MONDAY_9AM
        assert message["Message-ID"] == "<7.31.abc@desk.example>"
        assert message["In-Reply-To"] == "<a@x.example>"
        assert message["References"].split() == ["<7.t@desk.example>", "<a@x.example>"]
        assert message["MIME-Version"] == "1.0"
        assert "Reply-To" not in message

    def test_are_there_once(self):
        names = [name.lower() for name in composed()]

        assert len(names) == len(set(names))
        assert not [name for name in names if name.startswith("list-")]

    def test_name_another_place_for_answers_where_there_is_one(self):
        message = composed(replace(HEAD, reply_to="sales@desk.example"))

        assert message["Reply-To"] == "sales@desk.example"

    def test_of_what_nobody_wrote_forbid_automatic_answers(self):
        message = composed(replace(HEAD, automatic=True))

        assert message["Auto-Submitted"] == "auto-generated"
        assert message["X-Auto-Response-Suppress"] == "All"
        assert message["Precedence"] == "bulk"

    def test_of_what_somebody_wrote_do_not(self):
        message = composed()

        assert message["Auto-Submitted"] == "no"
        assert "X-Auto-Response-Suppress" not in message
        assert "Precedence" not in message

    def test_go_with_the_addresses_of_the_envelope(self):
        made = compose(HEAD, text="x", html="x")

        assert made.sender == "support@desk.example"
        assert made.recipient == "kemal@xn--bcher-kva.example"
        assert not made.utf8
        assert compose(replace(HEAD, recipient="größe@x.example"), text="x", html="x").utf8


class TestBody:
    def test_has_both_alternatives_the_better_one_last(self):
        message = composed()

        assert message.get_content_type() == "multipart/alternative"
        kinds = [part.get_content_type() for part in message.iter_parts()]
        assert kinds == ["text/plain", "text/html"]
        assert message.get_body(("plain",)).get_content().split() == ["Hello", "–", "there"]
        assert message.get_body(("html",)).get_content().strip() == "<p>Hello – there</p>"

    def test_keeps_images_beside_the_html_and_files_beside_both(self):
        message = composed(enclosures=[PICTURE, SCAN])

        alternative, attached = message.iter_parts()
        assert message.get_content_type() == "multipart/mixed"
        related = list(alternative.iter_parts())[1]
        assert related.get_content_type() == "multipart/related"
        picture = list(related.iter_parts())[1]
        assert picture["Content-ID"] == "<1.x@desk>"
        assert picture.get_content_disposition() == "inline"
        assert picture.get_content() == PICTURE.content
        assert attached.get_content_disposition() == "attachment"
        assert attached.get_filename() == "Übung, 1.pdf"
        assert attached.get_content_type() == "application/pdf"
        assert attached.get_content() == SCAN.content

    @pytest.mark.parametrize("kind", ["message/rfc822", "multipart/mixed", "message/partial"])
    def test_does_not_let_a_file_be_taken_apart(self, kind):
        file = replace(SCAN, content_type=kind, content=b"Subject: x\r\n\r\nbody")

        attached = list(composed(enclosures=[file]).iter_attachments())

        assert [a.get_content_type() for a in attached] == ["application/octet-stream"]
        assert attached[0].get_content() == file.content

    @pytest.mark.parametrize(
        "name", ["a\r\nBcc: x@x.example\r\n.txt", '";\r\nX: y', "ü" * 240, "x" * 240, "\r\n"]
    )
    def test_keeps_a_file_name_inside_its_field(self, name):
        message = composed(enclosures=[replace(SCAN, filename=name)])

        (attached,) = message.iter_attachments()
        assert {key.lower() for key in attached} <= {
            "content-type",
            "content-transfer-encoding",
            "content-disposition",
            "mime-version",
        }
        found = attached.get_filename()
        assert found == (" ".join(name.split()) or "file")
        assert "Bcc" not in message

    @given(st.text(max_size=300))
    def test_carries_any_words(self, text):
        made = compose(HEAD, text=text + "\n", html="<p>x</p>")

        plain = read(made.content).get_body(("plain",))
        assert plain is not None
        expected = (text + "\n").replace("\r\n", "\n").replace("\r", "\n")
        assert plain.get_content().replace("\r\n", "\n").replace("\r", "\n") == expected


class TestBytes:
    def test_pass_through_any_mail_server(self):
        long = "Ein sehr langer Absatz ohne Ende, mit Umlauten: äöü. " * 200
        made = compose(HEAD, text=long, html=f"<p>{long}</p>", enclosures=[PICTURE, SCAN])

        lines = made.content.split(b"\r\n")
        assert made.content.isascii()
        assert max(len(line) for line in lines) <= 998
        assert not any(b"\n" in line or b"\r" in line for line in lines)
        assert made.content.endswith(b"\r\n")

    def test_are_the_same_for_the_same_row(self):
        files = [PICTURE, SCAN]

        one = compose(HEAD, text="x", html="y", enclosures=files)

        assert one == compose(HEAD, text="x", html="y", enclosures=files)
        other = replace(HEAD, message_id="<8@desk.example>")
        assert one != compose(other, text="x", html="y", enclosures=files)
