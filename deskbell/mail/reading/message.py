"""Reading one message: every room of this package in its order."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from typing import TypeVar

from deskbell.mail.reading import (
    addresses,
    bounces,
    charsets,
    contents,
    fields,
    machines,
    quotes,
    references,
    replies,
    senders,
    structure,
    words,
)
from deskbell.mail.reading.addresses import Address
from deskbell.mail.reading.contents import Contents
from deskbell.mail.reading.facts import Facts, Machine
from deskbell.mail.reading.structure import BOUNDS, Bounds, Part

T = TypeVar("T")

_SUBJECT = 10_000
_REPLY = 400_000
_AUTHENTICATION = 20


def read(raw: bytes, *, bounds: Bounds = BOUNDS, fqdn: str = "") -> Facts:
    """The facts of a raw message. Never raises, for any bytes.

    ``fqdn`` is the desk's own host name: a message whose Message-ID it made is a loop.
    """
    problems: list[str] = []
    charsets.begin_message()

    def attempt(what: str, work: Callable[[], T], otherwise: T) -> T:
        # A last resort: a message must have a fate even where a rule of ours is wrong.
        try:
            return work()
        except Exception as error:  # noqa: BLE001 - named in the facts, shown to the administrator
            problems.append(f"{what}: {type(error).__name__}: {str(error)[:200]}")
            return otherwise

    root = attempt("structure", lambda: structure.parse(raw, bounds), _unparsed(raw))
    found = attempt("contents", lambda: contents.read(root, bounds), Contents())
    hint = attempt("charset", lambda: _header_charset(root, found.charset), None)

    def people(name: str) -> tuple[Address, ...]:
        def work() -> tuple[Address, ...]:
            entries: list[Address] = []
            for value in root.all(name):
                entries.extend(
                    addresses.parse(value, limit=bounds.addresses - len(entries), hint=hint)
                )
                if len(entries) >= bounds.addresses:
                    break
            return tuple(entries)

        return attempt(name, work, ())

    from_, reply_to, to, cc = people("from"), people("reply-to"), people("to"), people("cc")
    sender_field = next(iter(people("sender")), None)
    return_path = next(iter(people("return-path")), None)
    shown = senders.shown(from_, reply_to, sender_field, return_path)
    subject = attempt("subject", lambda: _subject(root, hint), "")
    given_id = attempt("message-id", lambda: _message_id(root), "")
    message_id = given_id or fields.made_message_id(raw, fqdn)
    address = shown.address if shown else ""
    bounce = attempt(
        "bounce",
        lambda: bounces.read(
            root, text=_bounce_text(found), subject=subject, sender=_daemon(root, address)
        ),
        None,
    )
    machine = attempt(
        "machine",
        lambda: machines.judge(
            root,
            subject=subject,
            sender=address,
            is_bounce=bounce is not None,
            message_id=given_id,
            fqdn=fqdn,
        ),
        Machine(must_not_auto_respond=True),
    )
    in_reply_to, thread = _ids(root, "in-reply-to", bounds), _ids(root, "references", bounds)
    is_answer = bool(in_reply_to or thread) or replies.is_answer(subject)
    return Facts(
        sender=shown,
        from_=from_,
        sender_field=sender_field,
        to=to,
        cc=cc,
        reply_to=reply_to,
        return_path=_return_path(root, return_path),
        subject=subject,
        message_id=message_id,
        is_id_made_up=not given_id,
        in_reply_to=in_reply_to,
        references=thread,
        date=attempt("date", lambda: _date(root), None),
        charset=found.charset,
        body=found.text,
        reply=attempt("reply", lambda: _reply(found, is_answer), found.text),
        html=found.html,
        files=tuple(found.files),
        machine=machine,
        bounce=bounce,
        external_key=attempt("external key", lambda: references.external_key(root, subject), ""),
        is_forward=attempt("forward", lambda: replies.is_forward(subject, found.text), False),
        is_encrypted=found.is_encrypted,
        is_signed=found.is_signed,
        is_truncated=found.is_truncated,
        delivered_to=tuple(
            charsets.decode(value).strip()[:320]
            for name in ("delivered-to", "x-original-to", "envelope-to")
            for value in root.all(name)[:5]
        ),
        arrived_id=attempt("arrival", lambda: bounces.arrived(root, found.text), ""),
        authentication_results=tuple(
            charsets.decode(value)[:4_000]
            for value in root.all("authentication-results")[:_AUTHENTICATION]
        ),
        fields=attempt("fields", lambda: _fields(root), ()),
        problems=tuple(problems),
    )


def _fields(root: Part) -> tuple[tuple[str, str], ...]:
    """What rules about any field look at: the first of them, the beginning of each."""
    return tuple((name, words.decode(value[:2_000])[:1_000]) for name, value in root.fields[:300])


def _header_charset(root: Part, declared: str) -> str | None:
    """The likely charset of raw bytes in the fields that people write, taken together.

    The body's declared one where the bytes fit it and it is no set of Latin letters, which any
    bytes fit; else a guess; else the declared one after all.
    """
    raw = b" ".join(
        value[:2_000] for name in ("subject", "from", "to", "cc") for value in root.all(name)[:3]
    )
    if raw.isascii():
        return declared or None
    if declared and charsets.is_far(declared) and charsets.fits(raw, declared):
        return declared
    return charsets.guess(raw) or declared or None


def _unparsed(raw: bytes) -> Part:
    return Part(fields=[], whole=raw, start=0, end=len(raw))


def _subject(root: Part, hint: str | None) -> str:
    # Several subjects: the first that says something.
    for value in root.all("subject"):
        if text := fields.subject(value, hint):
            return text[:_SUBJECT]
    return ""


def _message_id(root: Part) -> str:
    for value in root.all("message-id"):
        if found := fields.message_id(value.decode("latin-1")):
            return charsets.decode(found.encode("latin-1", "replace"))
    return ""


def _ids(root: Part, name: str, bounds: Bounds) -> tuple[str, ...]:
    # A second field of the name is illegal, and somebody else's.
    for value in root.all(name):
        if found := fields.message_ids(charsets.decode(value), limit=bounds.references):
            return found
    return ()


def _date(root: Part) -> datetime | None:
    for value in root.all("date"):
        if moment := fields.date(words.decode(value)):
            return moment
    return None


def _return_path(root: Part, entry: Address | None) -> str | None:
    """The envelope sender; "" for the null path, ``None`` when the message does not say."""
    if root.raw("return-path") is None:
        return None
    return entry.address if entry else ""


def _daemon(root: Part, address: str) -> str:
    """Whom a report came from, also where the address is only a word."""
    if address:
        return address
    return re.sub(r"[<>\"]", "", root.line("from")).strip()


def _bounce_text(found: Contents) -> str:
    return found.text[:400_000]


def _reply(found: Contents, is_answer: bool) -> str:
    body = found.text
    if found.is_from_html:
        body = quotes.quoted_text(found.html) or body
    return replies.new_text(body[:_REPLY], is_answer=is_answer)
