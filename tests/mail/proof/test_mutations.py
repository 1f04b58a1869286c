"""Mails that are damaged at random, and worse ones on purpose: read to the end, in bounded time."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deskbell.kernel.text import is_storable
from deskbell.mail.reading import message

pytestmark = pytest.mark.once

#: A guard against hanging, not a measure: seconds of processor time, and more per megabyte.
SECONDS, PER_MEGABYTE = 5.0, 10.0

_HTML = (
    '<html><head><style>p{}</style></head><body><p>Grüße &amp; mehr</p><img src="cid:a@b">'
    '<blockquote type="cite">On Monday Ada wrote:<br>old</blockquote></body></html>'
)
_HEAD = (
    "Received: from a by b; Mon, 2 Nov 2026 10:00:00 +0000\r\n"
    "From: =?utf-8?q?K=C3=A9mal?= <kemal@customers.example>\r\n"
    'To: "Help, Desk" <help@desk.example>, other@customers.example\r\n'
    "Cc: undisclosed-recipients:;\r\nSubject: =?iso-8859-1?b?R3L832U=?= [Ticket#10005]\r\n"
    "Message-ID: <1@customers.example>\r\nIn-Reply-To: <0@desk.example>\r\n"
    "References: <a@desk.example>\r\n <b@desk.example>\r\nDate: Mon, 2 Nov 2026 10:00:00 +0000\r\n"
    "Authentication-Results: mx.desk.example; dmarc=pass header.from=customers.example\r\n"
    "MIME-Version: 1.0\r\n"
)
SEEDS = [
    (
        f"{_HEAD}Content-Type: text/plain; charset=utf-8; format=flowed\r\n\r\n"
        "New words.\r\n\r\nOn Monday Ada wrote:\r\n> old words\r\n> > older\r\n-- \r\nKemal\r\n"
    ),
    (
        f'{_HEAD}Content-Type: multipart/mixed; boundary="m"\r\n\r\npreamble\r\n--m\r\n'
        'Content-Type: multipart/alternative; boundary="a"\r\n\r\n--a\r\n'
        "Content-Type: text/plain; charset=iso-8859-15\r\n"
        "Content-Transfer-Encoding: quoted-printable\r\n\r\nGr=FC=DFe =A4=\r\n5\r\n--a\r\n"
        f"Content-Type: text/html; charset=utf-8\r\n\r\n{_HTML}\r\n--a--\r\n--m\r\n"
        "Content-Type: application/pdf; name*0*=utf-8''b%C3%BC; name*1*=cher.pdf\r\n"
        "Content-Disposition: attachment\r\nContent-Transfer-Encoding: base64\r\n\r\n"
        "JVBERi0xLjQKJcOkw7zDtsOfCjIgMCBvYmoKPDwvTGVuZ3RoIDMgMCBS\r\n--m\r\n"
        "Content-Type: message/rfc822\r\n\r\nFrom: a@b.example\r\nSubject: inner\r\n\r\ninner\r\n"
        "--m\r\nContent-Type: text/calendar; method=REQUEST\r\n\r\nBEGIN:VCALENDAR\r\n"
        "END:VCALENDAR\r\n--m--\r\nepilogue\r\n"
    ),
    (
        "From: MAILER-DAEMON@mx.example\r\nTo: help@desk.example\r\nSubject: Undelivered\r\n"
        'Auto-Submitted: auto-replied\r\nContent-Type: multipart/report; boundary="r";\r\n'
        " report-type=delivery-status\r\n\r\n--r\r\n\r\nCould not be delivered.\r\n--r\r\n"
        "Content-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example\r\n\r\n"
        "Final-Recipient: rfc822; kemal@customers.example\r\nAction: failed\r\nStatus: 5.1.1\r\n"
        "Diagnostic-Code: smtp; 550 5.1.1 unknown\r\n--r\r\nContent-Type: text/rfc822-headers\r\n"
        "\r\nMessage-ID: <5.6@desk.example>\r\nTo: kemal@customers.example\r\n--r--\r\n"
    ),
    "From: a@b.example\r\nSubject: u\r\n\r\nSee\r\nbegin 644 a.txt\r\n#0V%T\r\n`\r\nend\r\n",
]


@st.composite
def damaged(draw: Any, seeds: list[bytes]) -> bytes:
    """A seed after some accidents."""
    mail = draw(st.sampled_from(seeds))
    for _ in range(draw(st.integers(1, 6))):
        at = draw(st.integers(0, len(mail)))
        to = min(len(mail), at + draw(st.integers(0, 200)))
        match draw(st.sampled_from(["flip", "cut", "end", "insert", "repeat", "splice", "words"])):
            case "flip":
                mail = mail[:at] + bytes(255 - b for b in mail[at : at + 1]) + mail[at + 1 :]
            case "cut":
                mail = mail[:at] + mail[to:]
            case "end":
                mail = mail[:at]
            case "insert":
                mail = mail[:at] + draw(st.binary(max_size=20)) + mail[at:]
            case "repeat":
                mail = mail[:at] + mail[at:to] * draw(st.integers(2, 40)) + mail[to:]
            case "splice":
                other = draw(st.sampled_from(seeds))
                mail = mail[:at] + other[draw(st.integers(0, len(other))) :]
            case "words":
                # What means something, where it does not belong.
                word = draw(st.sampled_from(WORDS))
                mail = mail[:at] + word + mail[at:]
    return mail


WORDS = [
    *(b"\r\n", b"\n", b"\r", b"\0", b"\r\n\r\n", b"--m", b"--a--", b"=?utf-8?q?", b"=?utf-8?b?"),
    *(b"?=", b"=", b"<", b">", b"(", b'"', b";", b"@", b"\xff\xfe", b"\xed\xa0\x80", b"\x1b$B"),
    b"Content-Type: multipart/mixed\r\n",
    b"Content-Transfer-Encoding: base64\r\n",
    b"charset=utf-16",
    b"charset=utf-7",
    b"boundary=\r\n",
    b"<!--",
    b"&#xD800;",
    b"begin 644 x\r\n",
]


def texts(value: Any) -> list[str]:
    """Every text among the facts."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        return [text for item in value.items() for text in texts(item)]
    if isinstance(value, (list, tuple)):
        return [text for item in value for text in texts(item)]
    return []


def read(content: bytes) -> message.Facts:
    """The facts: whatever the bytes, there are some, in time, and a database can hold them."""
    used = time.process_time()
    facts = message.read(content, fqdn="desk.example")
    used = time.process_time() - used
    assert used < SECONDS + PER_MEGABYTE * len(content) / 1e6
    told = msgspec.to_builtins(facts, builtin_types=(bytes,))
    json.dumps(told, default=lambda value: value.hex())
    for text in texts(told):
        assert is_storable(text)
    return facts


@given(damaged([seed.encode() for seed in SEEDS]))
@settings(max_examples=60)
def test_a_damaged_mail_is_read(mail: bytes) -> None:
    read(mail)


SAMPLES = Path(os.environ.get("DESKBELL_TEST_MAILS", "/nonexistent"))


@pytest.mark.skipif(not SAMPLES.is_dir(), reason="DESKBELL_TEST_MAILS names no folder of mails")
def test_damaged_mails_of_a_folder_are_read() -> None:
    files = sorted(SAMPLES.rglob("*.eml")) + sorted(SAMPLES.rglob("*.box"))
    mails = [file.read_bytes() for file in files]
    small = [mail for mail in mails if len(mail) < 100_000]

    @given(damaged(small))
    @settings(max_examples=400)
    def check(mail: bytes) -> None:
        read(mail)

    check()


def multipart(parts: int) -> bytes:
    one = b"--b\r\nContent-Type: text/plain; name=a\r\nContent-Disposition: attachment\r\n\r\nx\r\n"
    return b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + one * parts + b"--b--\r\n"


def nested(depth: int) -> bytes:
    return b"".join(
        b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (n, n)
        for n in range(depth)
    )


MB = 1_000_000
HUGE = {
    "5,000 parts": multipart(5_000),
    "parts one in the other": nested(3_000),
    "messages one in the other": b"Content-Type: message/rfc822\r\n\r\n" * 3_000,
    "10,000 recipients": b"To: " + b", ".join(b"a <u%d@x.example>" % n for n in range(10_000)),
    "10,000 fields": b"X-A: b\r\n" * 10_000 + b"\r\nbody",
    "10,000 references": b"References: " + b" ".join(b"<%d@x.example>" % n for n in range(10_000)),
    "one field of a megabyte": b"Subject: " + b"a" * MB,
    "words of a code without end": b"Subject: " + b"=?utf-8?q?a " * (MB // 12),
    "comments in comments": b"From: " + b"(" * MB + b"a@b.example\r\n\r\n",
    "quotation marks": b"From: " + b'"' * MB + b"\r\n\r\n",
    "commas": b"To: " + b"," * MB + b"\r\n\r\n",
    "angles": b"To: " + b"<" * MB + b"\r\n\r\n",
    "pieces of a name": b"Content-Type: a/b;"
    + b"".join(b" name*%d*=a;" % n for n in range(20_000)) + b"\r\n\r\nx",
    "quotes": b"Subject: q\r\n\r\n" + b">" * MB,
    "quotes in quotes": b"Subject: q\r\n\r\n" + b"".join(b"> " * n + b"\r\n" for n in range(1_000)),
    "wrote": b"Subject: w\r\n\r\n" + b"On Monday Ada wrote:\r\n" * (MB // 23),
    "on on on": b"Subject: w\r\n\r\n" + b"On " * (MB // 3),
    "dashes": b"Subject: d\r\n\r\n" + b"-" * MB,
    "from lines": b"Subject: f\r\n\r\n" + b"From: a\r\nSent: b\r\n" * (MB // 19),
    "uuencode": b"Subject: u\r\n\r\n" + b"begin 644 a\r\n" * (MB // 13),
    "html": b"Content-Type: text/html\r\n\r\n" + b"<div>" * (MB // 5),
    "html quotes": b"Content-Type: text/html\r\n\r\n" + b"<blockquote>" * (MB // 12),
    "html comments": b"Content-Type: text/html\r\n\r\n" + b"<!--" * (MB // 4),
    "html entities": b"Content-Type: text/html\r\n\r\n" + b"&amp" * (MB // 4),
    "blanks": b"Subject: b\r\n\r\n" + b" \t" * (MB // 2),
    "lines": b"Subject: l\r\n\r\n" + b"\n" * MB,
    "base64 that is none": b"Content-Transfer-Encoding: base64\r\n\r\n" + b"!" * MB,
    "quoted-printable that is none": b"Content-Transfer-Encoding: quoted-printable\r\n\r\n"
    + b"=" * MB,
}  # fmt: skip


@pytest.mark.parametrize("name", HUGE)
def test_a_huge_mail_takes_its_time_and_no_more(name: str) -> None:
    read(HUGE[name])
