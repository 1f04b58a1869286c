"""Parameters of Content-Type and Content-Disposition, as RFC 2231 wants them and as they come."""

from __future__ import annotations

import re
from urllib.parse import unquote_to_bytes

from deskbell.mail.reading import charsets, words

_COUNT = 200
_SIZE = 16_384
_NAME = re.compile(r"\s*([^\s=;\"]+)\s*=\s*")
_AFTER_QUOTE = re.compile(r"\s{0,20}(?:;|\Z|\(|[A-Za-z][\w*-]{0,40}\s?=)")
_LOST_SEMICOLON = re.compile(r"\s(?=(?:name|filename|charset|boundary)\*?\s?=)", re.IGNORECASE)
_PIECE = re.compile(r"^(.+?)\*(\d{1,3})(\*?)$")


def parse(value: bytes) -> dict[str, str]:
    """The parameters after the first ``;``, names in lower case, values decoded.

    Understands RFC 2231 pieces and charsets, encoded words inside of values (which RFC 2047
    forbids and everybody sends), raw 8-bit bytes, blanks in unquoted values, a missing closing
    quote. The first of two parameters of a name counts.
    """
    text = value[:_SIZE].decode("latin-1")
    start = text.find(";")
    if start < 0:
        lost = _LOST_SEMICOLON.search(text)
        if lost is None:
            return {}
        start = lost.start()
    plain: dict[str, str] = {}
    pieces: dict[str, dict[int, tuple[str, bool]]] = {}
    for name, raw in _pairs(text, start + 1):
        if found := _PIECE.match(name):
            key = found[1]
            pieces.setdefault(key, {}).setdefault(int(found[2]), (raw, bool(found[3])))
        elif name.endswith("*"):
            pieces.setdefault(name[:-1], {}).setdefault(0, (raw, True))
        else:
            plain.setdefault(name, raw)
    parameters = {name: _plain(raw) for name, raw in plain.items()}
    for name, numbered in pieces.items():
        if (joined := _extended(numbered)) or name not in parameters:
            parameters[name] = joined
    return parameters


def _pairs(text: str, at: int) -> list[tuple[str, str]]:
    """Name (lower case) and unquoted raw value of each parameter."""
    pairs: list[tuple[str, str]] = []
    while at < len(text) and len(pairs) < _COUNT:
        found = _NAME.match(text, at)
        if found is None:
            semicolon = text.find(";", at)
            if semicolon < 0:
                break
            at = semicolon + 1
            continue
        name, at = found[1].lower(), found.end()
        if text[at : at + 1] == '"':
            raw, at = _quoted(text, at + 1)
            rest = text.find(";", at)
            at = len(text) if rest < 0 else rest + 1
        else:
            end = text.find(";", at)
            end = len(text) if end < 0 else end
            raw = text[at:end].strip()
            # An unquoted value may hold blanks, unless the next parameter lost its semicolon.
            if glued := re.search(r"\s(?=(?:name|filename|charset|boundary|size)\*?=)", raw):
                end, raw = at + glued.start(), raw[: glued.start()]
                at = end
            else:
                at = end + 1
            if len(raw) > 1 and raw[0] == raw[-1] == "'" and "''" not in raw:
                raw = raw[1:-1]
        pairs.append((name, raw))
    return pairs


def _quoted(text: str, at: int) -> tuple[str, int]:
    """The text up to the closing quote, and where it ends; quotes inside of names survive."""
    out = []
    length = len(text)
    last = text.rfind('"')
    while at < length:
        letter = text[at]
        if letter == "\\" and at + 1 < length and text[at + 1] in '"\\':
            out.append(text[at + 1])
            at += 2
            continue
        if letter == '"' and (_AFTER_QUOTE.match(text, at + 1) or at >= last):
            return "".join(out), at + 1
        out.append(letter)
        at += 1
    return "".join(out), at


def _plain(raw: str) -> str:
    if "=?" in raw:
        return words.decode(raw.encode("latin-1")).strip()
    text = raw
    if not raw.isascii():
        text = charsets.decode(raw.encode("latin-1"))
    elif "%" in raw and re.search(r"%[89A-F][0-9A-F](?:%[0-9A-F]{2}|\w|\.)", raw):
        # Percent-encoded without RFC 2231 marks; only where the result is proper UTF-8.
        try:
            text = unquote_to_bytes(raw).decode("utf-8")
        except UnicodeDecodeError:
            text = raw
    elif "\x1b" in raw:
        text = charsets.decode(raw.encode("latin-1"))
    return charsets.clean(text).strip()


def _extended(numbered: dict[int, tuple[str, bool]]) -> str:
    """The pieces of RFC 2231 in order; only the first names the charset."""
    label = ""
    data = b""
    # Some count from 1; order is what matters.
    for index, number in enumerate(sorted(numbered)):
        raw, is_encoded = numbered[number]
        if index == 0 and is_encoded and raw.count("'") >= 2:
            label, _, raw = raw.split("'", 2)
        piece = raw.encode("latin-1")
        data += unquote_to_bytes(piece) if is_encoded else piece
    if b"=?" in data and b"?=" in data:
        return words.decode(data).strip()
    return charsets.clean(charsets.decode(data, label or None)).strip()
