"""Messages as customers write them, in bytes: the same in every run.

Of ten, four are new concerns and six are answers: half of those continue a conversation that began
among these messages (by ``References``, with the history quoted), half name an older ticket in
their subject. About half are plain text, the others text beside HTML; one in five has a file of
20 kB, one in twenty is an automatic answer.
"""

from __future__ import annotations

import base64
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

from bench import corpus

FILE_BYTES = 20_000
ANSWERS = 0.6
#: Of the senders of new concerns, those who never wrote before.
STRANGERS = 0.25
_START = datetime(2026, 11, 2, 8, 0, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class _Thread:
    subject: str
    address: str
    ids: tuple[str, ...]
    text: str


def mails(
    count: int, *, tickets: Sequence[tuple[int, str]], slug: str, to: str, run: str
) -> Iterator[bytes]:
    """So many messages to the address ``to``; ``run`` makes the ids differ from another run's.

    ``tickets`` are ids and customers' addresses of older tickets of the group with this ``slug``.
    """
    chance = random.Random(f"{run} {count}")
    vocabulary = corpus._vocabulary()
    threads: list[_Thread] = []

    def text(length: int) -> str:
        words = chance.choices(vocabulary, k=length)
        sentences = [" ".join(words[at : at + 9]).capitalize() for at in range(0, length, 9)]
        return ".\r\n".join(sentences) + "."

    for number in range(count):
        id_ = f"{run}.{number}@mail.example.com"
        words = f"{text(chance.randint(20, 70))}\r\n\r\nKind regards\r\nSomebody Example"
        fields: dict[str, str] = {}
        if threads and chance.random() < ANSWERS / 2:
            at = chance.randrange(len(threads))
            thread = threads[at]
            subject, sender = f"Re: {thread.subject}", thread.address
            fields["In-Reply-To"] = f"<{thread.ids[-1]}>"
            fields["References"] = "\r\n ".join(f"<{known}>" for known in thread.ids[-10:])
            quoted = "\r\n".join(f"> {line}" for line in thread.text.split("\r\n"))
            body = f"{words}\r\n\r\nOn Mon, 2 Nov 2026 at 10:00, Help <{to}> wrote:\r\n{quoted}"
            threads[at] = _Thread(thread.subject, sender, (*thread.ids, id_), words)
        elif tickets and chance.random() < ANSWERS / 2 / (1 - ANSWERS / 2):
            ticket_id, sender = chance.choice(tickets)
            subject, body = f"Re: [{slug}-{ticket_id}] {text(5)[:-1]}", words
        else:
            known = chance.random() >= STRANGERS
            sender = corpus.customer_email(chance.randrange(corpus.CUSTOMERS))
            sender = sender if known else f"{run}.{number}@strangers.example.com"
            subject, body = f"{chance.choice(corpus.TOPICS)}: {text(4)[:-1]}", words
            threads.append(_Thread(subject, sender, (id_,), words))
        if chance.random() < 0.05:
            fields |= {"Auto-Submitted": "auto-replied", "Precedence": "bulk"}
        head = {
            "Received": "from mx.example.com (mx.example.com [192.0.2.7])\r\n"
            f" by mail.example.net with ESMTPS id {number:08x}; Mon, 2 Nov 2026 10:00:00 +0000",
            "Return-Path": f"<{sender}>",
            "From": f"Some Body <{sender}>",
            "To": f"Help <{to}>",
            "Subject": subject,
            "Message-ID": f"<{id_}>",
            "Date": format_datetime(_START + timedelta(seconds=number)),
            "User-Agent": "Mozilla Thunderbird",
            "MIME-Version": "1.0",
            **fields,
        }
        kind, content = _content(body, chance, number)
        lines = "".join(f"{name}: {value}\r\n" for name, value in head.items())
        yield f"{lines}Content-Type: {kind}\r\n{content}".encode()


def _content(body: str, chance: random.Random, number: int) -> tuple[str, str]:
    """The type of the whole, and everything behind that field."""
    kind, content = "text/plain; charset=utf-8", f"\r\n{body}\r\n"
    if chance.random() < 0.5:
        paragraphs = "".join(
            f'<p style="margin:0;font-family:Arial,sans-serif">{part}</p>'
            for part in body.replace("> ", "&gt; ").split("\r\n")
        )
        html = f"<html><head><style>p {{margin: 0}}</style></head><body>{paragraphs}</body></html>"
        kind, content = _joined(
            "alternative",
            f"a{number}",
            [(kind, content), ("text/html; charset=utf-8", f"\r\n{html}\r\n")],
        )
    if chance.random() < 0.2:
        coded = base64.encodebytes(chance.randbytes(FILE_BYTES)).decode().replace("\n", "\r\n")
        file = (
            f'application/pdf; name="bill {number}.pdf"',
            (
                "Content-Transfer-Encoding: base64\r\n"
                f'Content-Disposition: attachment; filename="bill {number}.pdf"\r\n\r\n{coded}'
            ),
        )
        kind, content = _joined("mixed", f"m{number}", [(kind, content), file])
    return kind, content


def _joined(kind: str, boundary: str, parts: Sequence[tuple[str, str]]) -> tuple[str, str]:
    inner = "".join(f"--{boundary}\r\nContent-Type: {t}\r\n{content}" for t, content in parts)
    return f'multipart/{kind}; boundary="{boundary}"', f"\r\n{inner}--{boundary}--\r\n"
