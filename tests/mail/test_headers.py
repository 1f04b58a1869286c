"""Header fields: what people write stays inside its field, and reads the same at the other end."""

from __future__ import annotations

import email
import email.policy
from datetime import UTC, datetime

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from deskbell.mail.writing.headers import (
    HeaderBlock,
    NotDeliverable,
    boundary,
    encoded_address,
    message_ids_in,
    one_line,
    reference_list,
    row_message_id,
    subject_with_reference,
    thread_message_id,
    wire_address,
)

SMUGGLED = "Hello\r\nBcc: everybody@example.test\r\n\r\nbody"


def parsed(block: HeaderBlock) -> email.message.EmailMessage:
    message = email.message_from_bytes(bytes(block) + b"\r\n", policy=email.policy.default)
    assert isinstance(message, email.message.EmailMessage)
    return message


def lines(block: HeaderBlock) -> list[bytes]:
    return bytes(block).split(b"\r\n")


class TestOneLine:
    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("  two\t words \r\n more\u2028here ", "two words more here"),
            (SMUGGLED, "Hello Bcc: everybody@example.test body"),
            ("a\x00b\x1b[31mc\x7fd", "ab[31mcd"),
            ("gpj.\u202eexe", "gpj.exe"),
            ("family \U0001f469\u200d\U0001f467", "family \U0001f469\u200d\U0001f467"),
            ("x" * 11, "x" * 9 + "…"),
        ],
    )
    def test_keeps_what_can_be_read(self, text, expected):
        assert one_line(text, limit=10 if text.startswith("xxx") else 100) == expected


class TestText:
    @given(st.text(max_size=600))
    @example(SMUGGLED)
    @example("=?utf-8?q?Hello=0D=0ABcc:_x@example.test?=")
    @example("ü" * 300)
    @example("x" * 600)
    @example(" " * 300 + "end")
    @example("日本語の件名" * 60)
    def test_of_any_kind_arrives_and_begins_no_other_field(self, text):
        block = HeaderBlock()
        block.text("Subject", text, limit=500)

        message = parsed(block)
        assert message.keys() == ["Subject"]
        assert bytes(block).isascii()
        assert all(len(line) <= 998 for line in lines(block))
        decoded = str(email.header.make_header(email.header.decode_header(raw_subject(block))))
        assert decoded == one_line(text, limit=500)

    def test_is_folded_where_a_line_should_end(self):
        block = HeaderBlock()
        block.text("Subject", "[support-12] " + "a few words about a printer " * 12)

        assert len(lines(block)) > 4
        assert all(len(line) <= 78 for line in lines(block))

    def test_that_looks_encoded_is_not_decoded_by_readers(self):
        block = HeaderBlock()
        block.text("Subject", "=?utf-8?b?SGk=?= there")

        assert parsed(block)["Subject"] == "=?utf-8?b?SGk=?= there"


def raw_subject(block: HeaderBlock) -> str:
    return bytes(block).decode().removeprefix("Subject:").replace("\r\n", "").strip()


class TestRawValues:
    @pytest.mark.parametrize("value", ["a\r\nBcc: x", "a\nb", "a\rb", "a\x00b", "a\r\n\r\nbody"])
    def test_with_a_line_break_of_their_own_are_refused(self, value):
        with pytest.raises(ValueError, match="would break the header"):
            HeaderBlock().raw("X-Thing", value)

    def test_under_a_strange_name_are_refused(self):
        with pytest.raises(ValueError, match="would break the header"):
            HeaderBlock().raw("X-Thing: a\r\nBcc", "x")


def phrase(block: HeaderBlock) -> str:
    """The name beside the address. The library's own parser puts blanks between encoded words."""
    written = bytes(block).decode().removeprefix("To:").replace("\r\n", "").strip()
    words = written.removesuffix("<a@x.test>").strip() if written.endswith(">") else ""
    if words.startswith('"'):
        return words[1:-1].replace('\\"', '"').replace("\\\\", "\\")
    return str(email.header.make_header(email.header.decode_header(words)))


class TestAddress:
    @pytest.mark.parametrize(
        ("address", "name", "expected"),
        [
            ("a@x.test", "", "a@x.test"),
            ("a@x.test", "Nora Example", "Nora Example <a@x.test>"),
            ("a@x.test", "Example, Nora", '"Example, Nora" <a@x.test>'),
            ("a@x.test", 'The "Desk" \\o/', '"The \\"Desk\\" \\\\o/" <a@x.test>'),
            ("a@x.test", "x@y.test", '"x@y.test" <a@x.test>'),
            ("a@x.test", "Nora\r\nBcc: b@x.test", '"Nora Bcc: b@x.test" <a@x.test>'),
            ("a@bücher.example", "", "a@xn--bcher-kva.example"),
            # Not the same company: the older rules would have written strasse.
            ("a@straße.example", "", "a@xn--strae-oqa.example"),
            ('"a b"@x.test', "", '"a b"@x.test'),
        ],
    )
    def test_is_written(self, address, name, expected):
        assert encoded_address(address, name, name="To") == (expected, False)

    @given(st.text(max_size=200))
    @example("Größe, <x@y.test>")
    @example("ü" * 119)
    def test_keeps_any_name_beside_it(self, name):
        block = HeaderBlock()
        block.address("To", "a@x.test", name)

        message = parsed(block)
        (address,) = message["To"].addresses
        assert message.keys() == ["To"]
        assert address.addr_spec == "a@x.test"
        assert phrase(block) == one_line(name, limit=120)
        assert all(len(line) <= 160 for line in lines(block))

    def test_of_a_long_name_stays_in_short_lines(self):
        block = HeaderBlock()
        block.address("To", "a@x.test", "Größe " * 20)

        assert len(lines(block)) > 3
        assert all(len(line) <= 78 for line in lines(block))

    def test_with_letters_before_the_at_needs_a_server_for_it(self):
        block = HeaderBlock()
        block.address("To", "größe@bücher.example", "Größe")

        assert block.utf8
        assert "<größe@xn--bcher-kva.example>".encode() in bytes(block)

    @pytest.mark.parametrize("address", ["", "a", "@x.test", "a@xn--\u2603-.-", "a\r\n@x.test"])
    def test_that_is_none_is_not_deliverable(self, address):
        with pytest.raises(NotDeliverable):
            wire_address(address)


class TestMessageIds:
    def test_are_made_of_the_row_alone(self):
        row = {"ticket_id": 7, "article_id": 31, "address_key": "a@x.test", "host": "desk.test"}

        one = row_message_id(**row)

        assert one == row_message_id(**row)
        assert one.startswith("<7.31.")
        assert one.endswith("@desk.test>")
        assert message_ids_in(one) == [one]
        assert one != row_message_id(**{**row, "address_key": "b@x.test"})
        assert one != row_message_id(**{**row, "article_id": 32})

    def test_of_a_thread_are_the_same_for_everybody(self):
        assert thread_message_id(ticket_id=7, host="x") == thread_message_id(ticket_id=7, host="x")
        assert thread_message_id(ticket_id=7, host="x") != thread_message_id(ticket_id=8, host="x")

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            (None, []),
            ("", []),
            ("<a@x> <b@x>\r\n <a@x>", ["<a@x>", "<b@x>"]),
            ("a@x", []),
            ("<a b@x>", []),
            ("<a@x\r\nBcc: c@x>", []),
            ("<ü@x>", []),
            ("<a@b@c>", []),
            ("<" + "a" * 300 + "@x>", []),
        ],
    )
    def test_are_found_only_where_well_formed(self, text, expected):
        assert message_ids_in(text) == expected

    def test_that_are_referred_to_stay_few_and_keep_the_first(self):
        found = reference_list("<t@x>", [*(f"<{n}@x>" for n in range(50)), "<t@x>", "<49@x>"])

        assert len(found) == 20
        assert (found[0], found[-1]) == ("<t@x>", "<49@x>")

    def test_stand_on_lines_of_their_own(self):
        block = HeaderBlock()
        block.ids("References", ["<a@x>", "<b@x>"])
        block.ids("In-Reply-To", [])

        assert bytes(block) == b"References: <a@x>\r\n <b@x>\r\n"


class TestSubject:
    @pytest.mark.parametrize(
        ("given_subject", "expected"),
        [
            ("Our offer", "[sales-7] Our offer"),
            ("Re: [Sales-7] offer", "Re: [Sales-7] offer"),
            ("[sales-77] offer", "[sales-7] [sales-77] offer"),
            ("a\r\nBcc: x", "[sales-7] a Bcc: x"),
        ],
    )
    def test_bears_the_reference_once(self, given_subject, expected):
        assert subject_with_reference(given_subject, "[sales-7]") == expected


def test_a_border_cannot_be_known_from_the_message_id():
    assert boundary("<a@x>", 0) == boundary("<a@x>", 0)
    assert boundary("<a@x>", 0) != boundary("<a@x>", 1)
    assert boundary("<a@x>", 0) != boundary("<b@x>", 0)


def test_the_date_is_in_utc():
    block = HeaderBlock()
    block.date(datetime(2026, 3, 29, 0, 59, 59, 999999, tzinfo=UTC))

    assert bytes(block) == b"Date: Sun, 29 Mar 2026 00:59:59 +0000\r\n"
