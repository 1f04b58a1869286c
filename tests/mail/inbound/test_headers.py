"""Header fields as they arrive: charsets, encoded words, parameters, people, dates, ids."""

from __future__ import annotations

import pytest

from deskbell.mail.reading import addresses, charsets, fields, parameters, read, words
from tests.mail.inbound.mails import mail


@pytest.mark.parametrize(
    ("raw", "label", "text"),
    [
        (b"caf\xe9 \x80", "iso-8859-1", "café €"),  # windows-1252 under the standard's name
        ("café".encode(), "us-ascii", "café"),
        ("café".encode(), "iso-8859-1", "café"),
        ("café".encode(), None, "café"),
        (b"caf\xe9", None, "café"),
        ("안녕하세요".encode("cp949"), "ks_c_5601-1987", "안녕하세요"),
        ("Привет".encode("koi8-r"), "KOI8-R", "Привет"),
        ("שלום".encode("iso8859-8"), "iso-8859-8-i", "שלום"),
        ("日本語①".encode("cp932"), "x-sjis", "日本語①"),
        ("日本語".encode("iso2022_jp"), None, "日本語"),
        ("今天天气很好，我们一起去吧".encode("gbk"), "gb2312", "今天天气很好，我们一起去吧"),
        ("今天天气很好".encode("gbk"), None, "今天天气很好"),
        ("naïve".encode(), "x-unknown", "naïve"),
        ("naïve".encode("utf-16"), "utf-16", "naïve"),
        (b"plain", "utf-16", "plain"),  # the label lies
        (b"a+AOQ-b", "unicode-1-1-utf-7", "aäb"),
        (b"eval", "unicode_escape", "eval"),
        (b"gut \xff gut \xc3\xa4\xc3\xb6\xc3\xbc" * 3, "utf-8", "gut \ufffd gut äöü" * 3),
        (b"nul\x00 bell\x07 cr\r\nlf", None, "nul bell cr\nlf"),
    ],
)
def test_bytes_become_text_whatever_the_label_says(raw, label, text):
    assert charsets.decode(raw, label) == text


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (b"=?utf-8?q?Gr=C3=BC=C3=9Fe?=", "Grüße"),
        (b"=?utf-8?q?Gr=C3?= =?utf-8?q?=BC=C3=9Fe?=", "Grüße"),  # cut inside of a letter
        (b"=?UTF-8?B?R3LDvMOfZQ?=", "Grüße"),  # padding forgotten
        (b"=?utf-8?q?two words?= and more", "two words and more"),  # a bare blank
        (b"=?utf-8*de?q?Haus?=", "Haus"),
        (b"=?iso-8859-1?Q?=A4?= =?utf-8?Q?=E2=82=AC?=", "¤€"),
        (b"=?utf-8?q?why?now?=", "why?now"),
        (b"Re: =?utf-8?q?a=0D=0ABcc=3A_x=40y=2Eexample?=", "Re: a Bcc: x@y.example"),
        (b"=?nonsense?q?Gr=C3=BC=C3=9Fe?=", "Grüße"),
        (b"=?utf-8?x?no?=", "=?utf-8?x?no?="),
        (b"caf\xe9", "café"),
    ],
)
def test_encoded_words_legal_and_illegal(raw, text):
    assert words.decode(raw) == text


@pytest.mark.parametrize(
    ("raw", "name", "value"),
    [
        (b'text/plain; charset="utf-8"', "charset", "utf-8"),
        (b"text/plain; name=two words.txt; x=1", "name", "two words.txt"),
        (b"text/plain; charset=utf-8 name=glued.txt", "name", "glued.txt"),
        (b"a; filename*=utf-8''%e2%82%ac.txt; filename=old.txt", "filename", "€.txt"),
        (b"a; filename*0*=iso-8859-1'de'%fc; filename*1=ber.txt", "filename", "über.txt"),
        (b'a; filename*1=".txt"; filename*0="long"', "filename", "long.txt"),
        (b'a; filename="=?utf-8?q?=C3=BC.txt?="', "filename", "ü.txt"),
        (b'a; filename="\xfc.txt"', "filename", "ü.txt"),
        (b'a; filename="no end', "filename", "no end"),
        (b'a; filename="in "quotes" here.txt"; x=y', "filename", 'in "quotes" here.txt'),
        (b"multipart/mixed; boundary*=us-ascii''b%31", "boundary", "b1"),
    ],
)
def test_parameters_as_they_are_sent(raw, name, value):
    assert parameters.parse(raw)[name] == value


@pytest.mark.parametrize(
    ("raw", "people"),
    [
        (b"Nora <n@x.example>", [("Nora", "n@x.example")]),
        (b"n@x.example (Nora N.)", [("Nora N.", "n@x.example")]),
        (b"(Nora) <n@x.example>", [("Nora", "n@x.example")]),
        (b"Doe, John <j@x.example>", [("Doe, John", "j@x.example")]),
        (
            b'"Doe, John" <j@x.example>, b@x.example',
            [("Doe, John", "j@x.example"), ("", "b@x.example")],
        ),
        (b"=?utf-8?q?Doe=2C_J=C3=B6?= <j@x.example>", [("Doe, Jö", "j@x.example")]),
        (b"=?utf-8?q?Doe, J=3C?= <j@x.example>", [("Doe, J<", "j@x.example")]),
        (b"Team: a@x.example, B <b@x.example>;", [("", "a@x.example"), ("B", "b@x.example")]),
        (b"undisclosed-recipients:;", []),
        (b"a@x.example; b@x.example", [("", "a@x.example"), ("", "b@x.example")]),
        (b"a@x.example b@x.example", [("", "a@x.example"), ("", "b@x.example")]),
        (b"'a@x.example' <'a@x.example'>", [("a@x.example", "a@x.example")]),
        (b"n@old.example <n@new.example>", [("n@old.example", "n@new.example")]),
        (b"Nora <n o @x.example>, <broken>, <b@x.example>", [("", "b@x.example")]),
        (
            b'Nora "the <n@x.example>, b@x.example',
            [('Nora "the', "n@x.example"), ("", "b@x.example")],
        ),
        (b'<"john smith"@x.example>', [("", '"john smith"@x.example')]),
        (b"<@relay.example:n@x.example>", [("", "n@x.example")]),
        (b"mailto:n@x.example", [("", "n@x.example")]),
        (b"N\xf6ra <n@x.example>", [("Nöra", "n@x.example")]),
        ("Nöra <nöra@bücher.example>".encode(), [("Nöra", "nöra@bücher.example")]),
        (b"<n@x.example.>", [("", "n@x.example")]),
        (b"\xc3=?utf-8?q?x?=\xa4 <n@x.example>", [("\ufffdx\ufffd", "n@x.example")]),
        ("\ue000abc\ue001 <n@x.example>".encode(), [("abc", "n@x.example")]),
        (b"empty:;, n@x.example", [("", "n@x.example")]),
        (b"MAILER-DAEMON", []),
        (b'"" <>', []),
    ],
)
def test_people_are_found_in_what_senders_write(raw, people):
    assert [(entry.name, entry.address) for entry in addresses.parse(raw)] == people


def test_an_encoded_word_in_the_address_is_never_taken_for_the_address_it_hides():
    facts = read(mail(From="=?utf-8?q?nora?=@desk.example"))

    assert facts.sender is None or facts.sender.address != "nora@desk.example"


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("Mon, 02 Mar 2026 10:00:00 +0100", "2026-03-02T09:00:00+00:00"),
        ("2 Mar 26 10:00 GMT", "2026-03-02T10:00:00+00:00"),
        ("Mon, 2 Mar 2026 10:00:00 +0100 (CET)", "2026-03-02T09:00:00+00:00"),
        ("Mo, 2 Mär 2026 10:00:00 +0100", "2026-03-02T09:00:00+00:00"),
        ("2026-03-02 10:00:00Z", "2026-03-02T10:00:00+00:00"),
        ("Mon, 2 Mar 2026 29:00:00 +0100", None),
        ("yesterday", None),
        ("Mon, 2 Mar 99999 10:00:00 +0100", None),
        ("", None),
    ],
)
def test_dates_and_what_no_calendar_knows(text, moment):
    found = fields.date(text)
    assert (found.isoformat() if found else None) == moment


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("<a@x> <b@y>", ("a@x", "b@y")),
        ("<a@x>,<b@y>", ("a@x", "b@y")),
        ("<a\n @x>", ("a@x",)),
        ("a@x b@y", ("a@x", "b@y")),
        ('Your message of "today" <a@x>', ("a@x",)),
        ("<[a]@x>", ("[a]@x",)),
        ("", ()),
        ("<>", ()),
    ],
)
def test_message_ids(text, ids):
    assert fields.message_ids(text) == ids


class TestAMessage:
    def test_without_an_id_gets_a_stable_one(self):
        raw = mail(Message_ID=None)

        assert read(raw).is_id_made_up
        assert read(raw).message_id == read(raw).message_id != read(raw + b"!").message_id

    def test_whose_from_has_no_address_shows_the_next_best(self):
        facts = read(mail(From="Kemal", Reply_To="Kemal <k@x.example>"))

        assert facts.sender == addresses.Address("Kemal", "k@x.example")
        assert facts.from_ == ()

    def test_keeps_raw_bytes_of_one_charset_readable(self):
        facts = read(
            mail(Subject="转发：整体提升服务".encode("gbk"), From=b"\xce\xd2 <w@x.example>")
        )

        assert (facts.subject, facts.sender.name) == ("转发：整体提升服务", "我")

    def test_keeps_the_first_of_two_fields_that_may_stand_once(self):
        raw = mail(References="<a@x>").replace(
            b"References:", b"References: <first@x>\nReferences:"
        )

        assert read(raw).references == ("first@x",)
