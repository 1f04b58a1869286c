"""Encoded words (RFC 2047), legal or not, and raw bytes in header fields."""

from __future__ import annotations

import binascii
import re

from deskbell.mail.reading import charsets, transfer

_SIZE = 65_536
#: Blanks inside the text are illegal and common; the language tag is RFC 2231's.
PATTERN = re.compile(
    rb"=\?[ \"']{0,3}([\w.:()+-]{1,60})(?:\*[\w-]{0,40})?[ \"']{0,3}"
    rb"\?([BbQq])\?([^?\r\n]{0,4000}?(?:\?(?!=)[^?\r\n]{0,4000}?){0,20})\?="
)
_GAP = re.compile(rb"[ \t\r\n]*\Z")


def decode(value: bytes, hint: str | None = None) -> str:
    """The text of an unstructured field on one line.

    Neighbouring words of one charset are joined before they are decoded: many senders cut in the
    middle of a letter. ``hint`` is the charset of the body, for raw bytes. Line ends hidden in
    words become blanks, so that no word can add a header line.
    """
    return " ".join(decode_verbatim(value, hint).split())


def decode_verbatim(value: bytes, hint: str | None = None) -> str:
    """The same with blanks as they are (line ends are blanks)."""
    value = value[:_SIZE].replace(b"\r", b"").replace(b"\n", b" ")
    out: list[str] = []
    pending: tuple[str, bytes] | None = None
    at = 0
    for found in PATTERN.finditer(value):
        gap = value[at : found.start()]
        label, content = found[1].decode("ascii", "replace"), _content(found[2], found[3])
        joined = pending is not None and not gap.strip()
        if pending is not None and joined and _continues(pending, label):
            pending = (pending[0], pending[1] + content)
        else:
            if pending is not None:
                out.append(charsets.decode(pending[1], pending[0]))
            if not joined:
                out.append(_raw(gap, hint))
            pending = (label, content)
        at = found.end()
    if pending is not None:
        out.append(charsets.decode(pending[1], pending[0]))
    out.append(_raw(value[at:], hint))
    return "".join(out).replace("\n", " ").replace("\t", " ")


def _continues(pending: tuple[str, bytes], label: str) -> bool:
    if pending[0].lower() != label.lower():
        return False
    # Escape sequences of ISO 2022 start anew in each word.
    return not label.lower().startswith("iso-2022") or not pending[1].endswith(b"\x1b(B")


def _content(kind: bytes, text: bytes) -> bytes:
    if kind in b"Bb":
        return transfer.base64_decoded(text)
    return _q(text.replace(b"_", b" "))


def _q(text: bytes) -> bytes:
    return re.sub(rb"=([0-9A-Fa-f]{2})", lambda found: binascii.unhexlify(found[1]), text)


def _raw(data: bytes, hint: str | None) -> str:
    return charsets.decode(data, None, hint=hint) if data else ""
