"""No bytes at all may stop the reading, and none may make it long."""

from __future__ import annotations

import json
import random
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deskbell.kernel.text import is_storable
from deskbell.mail.reading import read
from deskbell.mail.reading.structure import Bounds
from tests.mail.inbound.mails import PIXEL, attached, mail, multipart, part

SAMPLES = (
    mail("Grüße\n\nAm 3.3.2026 um 09:15 schrieb A <a@b.example>:\n> alt\n-- \nK\n"),
    multipart(
        part("=C3=A4", "text/plain; charset=utf-8", "Content-Transfer-Encoding: quoted-printable"),
        part("<div class=gmail_quote>x<blockquote>y</blockquote></div>", "text/html"),
        attached(PIXEL, "image/png", "=?utf-8?q?=C3=BC.png?="),
        part(mail(Subject="=?iso-2022-jp?b?GyRCRnxLXBsoQg==?="), "message/rfc822"),
        part(b"\x78\x9f\x3e\x22" + b"\x01" * 40, "application/ms-tnef; name*0*=utf-8''win; name*1=mail.dat"),
    ),
    multipart(
        part("<a@b.example>: no such user\n\nOriginal message"),
        part("Final-Recipient: rfc822; a@b.example\nAction: failed\nStatus: 5.1.1", "message/delivery-status"),
        kind="report",
        From="MAILER-DAEMON@x.example",
        Subject="failure notice",
    ),
)  # fmt: skip


def texts_of(value):
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from texts_of(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from texts_of(inner)


def mutated(raw: bytes, seed: int) -> bytes:
    """The same with bytes flipped, lines dropped or doubled, boundaries and headers broken."""
    chance = random.Random(seed)
    data = bytearray(raw)
    for _ in range(chance.randint(0, 12)):
        data[chance.randrange(len(data))] = chance.choice(
            (chance.randrange(256), 0, 10, 13, 34, 61, 255)
        )
    lines = bytes(data).split(b"\n")
    for _ in range(chance.randint(0, 6)):
        at = chance.randrange(len(lines))
        if chance.random() < 0.5:
            del lines[at]
        else:
            lines.insert(at, lines[chance.randrange(len(lines))])
        if not lines:
            return b""
    whole = chance.choice((b"\n", b"\r\n", b"\r", b"\n\n")).join(lines)
    return whole[: chance.randrange(len(whole) + 1)] if chance.random() < 0.3 else whole


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(SAMPLES), st.integers(0, 2**32))
def test_broken_mail_is_read_and_what_it_says_can_be_stored(raw, seed):
    broken = mutated(raw, seed)

    facts = read(broken)

    assert facts.problems == ()
    found = facts.as_json()
    assert all(is_storable(text) for text in texts_of(found))
    assert "\n" not in facts.subject
    json.dumps(found, ensure_ascii=False).encode()
    assert sum(len(file.content) for file in facts.files) <= 4 * len(broken) + 1_000


@settings(max_examples=30, deadline=None)
@given(st.binary(max_size=2_000))
def test_no_bytes_stop_the_reading(raw):
    assert read(raw).problems == ()


ENTRY = b"To: "


@pytest.mark.parametrize(
    "raw",
    [
        ENTRY + b"(" * 60_000,
        ENTRY + b"<" * 60_000,
        ENTRY + b'"' * 60_000,
        ENTRY + b":" * 60_000 + b";",
        ENTRY + b"=?a?q?" * 10_000,
        b'Content-Type: text/plain; name="' + b'"' * 60_000,
        b"References: " + (b"<" + b" " * 998) * 60,
        mail("From:\n\n" * 20_000),
        mail(b"\n" * 300_000, From="mailer-daemon@x.example", Subject="failure notice"),
        mail("begin 644 x\n" * 30_000),
        mail("a \n" * 100_000, Content_Type="text/plain; format=flowed"),
        mail("<div>" * 50_000, Content_Type="text/html"),
        mail("<" * 50_000, Content_Type="text/html"),
        mail("=" * 300_000, Content_Type="image/png", Content_Transfer_Encoding="base64"),
        b"".join(b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (n, n) for n in range(2_000)),
        mail("--b\n\nx\n" * 20_000, Content_Type="multipart/mixed; boundary=b"),
    ],
    ids=range(16),
)  # fmt: skip
@pytest.mark.timeout(20)
def test_what_is_built_to_be_slow_is_not(raw):
    assert read(raw).problems == ()


def test_parts_and_depth_are_bounded_and_nothing_beyond_is_lost():
    raw = mail("--b\n\nx\n" * 50, Content_Type="multipart/mixed; boundary=b")

    facts = read(raw, bounds=Bounds(parts=10))

    assert facts.files[-1].content.count(b"x") > 30


def test_memory_is_a_small_multiple_of_the_message():
    raw = multipart(part("see"), attached(b"\x01" * 3_000_000, "application/x", "big.bin"))
    tracemalloc.start()

    facts = read(raw)

    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(facts.files[0].content) == 3_000_000
    assert peak < 4 * len(raw)


LONG_LINES = (b"-", b"- ", b"> ", b"(", b"<", b"On 1 ", b"wrote: ", b"original message ", b"From: ", b"=?utf-8?q?",
              b"On 3 Mar 2026 at 9:15, Help <h@d.example> ", b"-----BEGIN PGP SIGNATURE-----\n")  # fmt: skip


@pytest.mark.parametrize("sign", LONG_LINES)
@pytest.mark.timeout(20)
def test_lines_that_nearly_begin_the_history_cost_no_more_than_others(sign):
    line = (sign * 200)[:200] + b"\n"
    assert read(mail(line * 600, Subject="Re: x")).problems == ()
    report = {"From": "MAILER-DAEMON@x.example", "Subject": "Undelivered", "Return_Path": "<>"}
    assert read(mail(line * 60, **report)).problems == ()
