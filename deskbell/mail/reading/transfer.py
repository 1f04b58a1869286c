"""Transfer encodings: base64, quoted-printable, uuencode and yEnc, also the broken ones."""

from __future__ import annotations

import base64
import binascii
import quopri
import re

_BASE64_ALPHABET = re.compile(rb"[^A-Za-z0-9+/=]+")
#: More ends of encodings than this in one part are noise.
_PADDINGS = 1_000
_UU_LINES = 600_000
_UU_TRIES = 30
_SOFT_END = re.compile(rb"=[ \t]{1,100}(?=\r?\n)")
_YENC = re.compile(
    rb"^=ybegin [^\r\n]{0,200}?\bline=\d[^\r\n]{0,200}?\bname=([^\r\n]{1,300})\r?\n", re.MULTILINE
)
_YENC_PART = re.compile(rb"=ypart [^\r\n]{0,200}\r?\n")
_YENC_ESCAPED = re.compile(rb"=(.)", re.DOTALL)
_YENC_SHIFT = bytes((byte - 42) % 256 for byte in range(256))
_UU_BEGIN = re.compile(rb"^begin(?:-base64)? [0-7]{3,4} ([^\r\n]*)\r?\n", re.MULTILINE)


def decoded(data: bytes, encoding: str) -> bytes:
    """The bytes without their transfer encoding; broken encodings give what they can."""
    word = encoding.strip().strip("\"'").lower()
    if word.startswith(("base64", "b64", "base-64")):
        return base64_decoded(data)
    if word.startswith(("quoted", "qp", "q-p")):
        # Blanks that somebody added behind a soft line end.
        return quopri.decodestring(_SOFT_END.sub(b"=", data) if b"= " in data else data)
    if word.startswith(("x-uu", "uu")):
        if found := _UU_BEGIN.search(data):
            return uu_decoded(data, found.end())[0]
        # Without its first line, as some encoders leave it.
        return uu_decoded(data.lstrip(b"\r\n"))[0] or data
    return data


def base64_decoded(data: bytes) -> bytes:
    """Decodes quartets up to the first that cannot be; padding inside joins two encodings."""
    try:
        # The common case: clean lines. a2b_base64 ignores what is not of the alphabet.
        if b"=" not in data[:-6].rstrip(b"\r\n=") or data.find(b"=") >= len(data.rstrip()) - 2:
            return binascii.a2b_base64(data)
    except binascii.Error:
        pass
    letters = _BASE64_ALPHABET.sub(b"", data)
    if letters.count(b"=") > _PADDINGS:
        letters = letters.replace(b"=", b"")
    pieces = []
    for piece in letters.split(b"="):
        if len(piece) % 4 == 1:
            piece = piece[:-1]
        pieces.append(base64.b64decode(piece + b"=" * (-len(piece) % 4)))
    return b"".join(pieces)


def uu_decoded(data: bytes, start: int = 0) -> tuple[bytes, int]:
    """Decodes uuencoded lines from ``start`` up to ``end``; the bytes, and where they end."""
    out: list[bytes] = []
    position = start
    while position < len(data) and len(out) < _UU_LINES:
        line_end = data.find(b"\n", position)
        line_end = len(data) if line_end < 0 else line_end
        line = data[position:line_end].rstrip(b"\r")
        position = line_end + 1
        if line.strip() == b"end":
            break
        if not line or line in {b"`", b" "}:
            continue
        wanted = (line[0] - 32) & 63
        if len(line) < 1 + (wanted * 4 + 2) // 3 - 3 or len(line) > 90:
            break
        try:
            out.append(binascii.a2b_uu(line))
        except binascii.Error:
            # Trailing junk of editors: only as many letters as the count says.
            try:
                out.append(binascii.a2b_uu(line[: 1 + ((wanted + 2) // 3) * 4]))
            except binascii.Error:
                break
    return b"".join(out), min(position, len(data))


def uu_blocks(data: bytes) -> list[tuple[int, int, str, bytes]]:
    """Uuencoded files inside of a text: from, to, name and bytes of each."""
    blocks: list[tuple[int, int, str, bytes]] = []
    position = 0
    for _ in range(_UU_TRIES):
        found = _UU_BEGIN.search(data, position)
        if found is None:
            break
        content, end = uu_decoded(data, found.end())
        position = found.end()
        if content and b"end" in data[max(position, end - 8) : end]:
            blocks.append((found.start(), end, found[1].decode("latin-1"), content))
            position = end
    return blocks


def yenc_blocks(data: bytes) -> list[tuple[int, int, bytes, bytes]]:
    """yEnc files inside of a text (yenc.org, draft 1.3): from, to, name and bytes of each."""
    blocks: list[tuple[int, int, bytes, bytes]] = []
    position = 0
    for _ in range(_UU_TRIES):
        found = _YENC.search(data, position)
        if found is None:
            break
        start = found.end()
        if part := _YENC_PART.match(data, start):
            start = part.end()
        end = data.find(b"\n=yend ", start - 1)
        if end < 0:
            break
        coded = data[start:end].replace(b"\r", b"").replace(b"\n", b"")
        plain = _YENC_ESCAPED.sub(lambda hit: bytes([(hit[1][0] - 64) % 256]), coded)
        position = data.find(b"\n", end + 1)
        position = len(data) if position < 0 else position + 1
        blocks.append((found.start(), position, found[1].strip(), plain.translate(_YENC_SHIFT)))
    return blocks
