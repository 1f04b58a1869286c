"""Mailboxes in header fields: legal ones, and what senders write instead.

One pass over the field, no backtracking: five thousand recipients take as long as they are.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from deskbell.mail.reading import charsets, words

LIMIT = 10_000
_FIELD = 1_048_576
_ENTRY = 4_000
_NAME_SIZE = 500
_ADDRESS_SIZE = 320

_ADDRESS = re.compile(
    r"(?<![^\s@<>()\[\],;:\"])(?:[^\s@<>()\[\],;:\"]+@[^\s@<>()\[\],;:\"]+|[^\s@<>()\[\],;:\"]+@\[[^\]\s]{1,60}\])"
)
_QUOTED = re.compile(r'"[^"]{0,2000}"')
_ANGLED = re.compile(r"<[^<>\s@]{1,200}@[^<>\s@]{1,255}>")
_SEVERAL = re.compile(r"([^<>]{0,2000})<([^<>]{1,400})>")
_BAD_IN_LOCAL = re.compile(r"[\s<>()\[\],;:\"\\]")
#: What a tool writes where a name should be.
_QUOTES = "\"'`´‘’“”„«»"


@dataclass(frozen=True, slots=True)
class Address:
    """A mailbox: display name (may be "") and ``local@domain`` as it was written."""

    name: str
    address: str

    @property
    def key(self) -> str:
        """Under which two spellings are one mailbox."""
        return self.address.lower()


def parse(value: bytes, *, limit: int = LIMIT, hint: str | None = None) -> tuple[Address, ...]:
    """All mailboxes of a field, in order, groups opened; entries without an address are left out.

    A quoted or encoded comma does not split; neither does a bare one in ``Doe, John <x@y>``.
    Encoded words are decoded in names only: an address made of one is not trusted to be the
    address that it decodes to.
    """
    found: list[Address] = []
    pending: list[str] = []
    for entry in _entries(_hidden(value[:_FIELD], hint)):
        text = entry.strip()[:_ENTRY]
        if not text:
            continue
        if "@" not in text and "<" not in text:
            # Perhaps the first half of "Doe, John <x@y>".
            pending.append(text)
            continue
        lead = pending if "<" in text and not text.startswith(("<", '"')) else []
        pending = []
        found.extend(_mailboxes(", ".join([*lead[-2:], text])))
        if len(found) >= limit:
            break
    return tuple(found[:limit])


def one(value: bytes) -> Address | None:
    """The first mailbox of a field."""
    return next(iter(parse(value, limit=1)), None)


def is_plausible(address: str) -> bool:
    """Whether an answer could be sent there: nothing missing, nothing that breaks a header."""
    local, at, domain = address.rpartition("@")
    return bool(
        at and local and domain
        and not _BAD_IN_LOCAL.search(local)
        and not re.search(r"[\s<>(),;:\"\\@']", domain)
        and not domain.startswith((".", "-"))
        and len(address) <= _ADDRESS_SIZE
    )  # fmt: skip


# ------------------------------------------------------------------------------------- the pieces

#: An encoded word stands in the text as its bytes in hex between two characters of no meaning.
_SHELTER = "\ue000"
_SHELTERED = re.compile("\ue000([0-9a-f]+)\ue001")
_MARKS = dict.fromkeys(range(0xE000, 0xE003))


def _hidden(value: bytes, charset: str | None) -> str:
    """The field as text with sheltered encoded words, so that what they hide splits nothing."""
    pieces: list[tuple[bytes, bool]] = []
    at = 0
    for hit in words.PATTERN.finditer(value):
        pieces += [(value[at : hit.start()], False), (hit[0], True)]
        at = hit.end()
    pieces.append((value[at:], False))
    raw = b"".join(piece for piece, is_word in pieces if not is_word)
    is_utf8 = charsets.is_utf8(raw)
    out = []
    for piece, is_word in pieces:
        if is_word:
            out.append(f"\ue000{piece.hex()}\ue001")
        elif piece:
            text = (
                piece.decode("utf-8", "replace")
                if is_utf8
                else charsets.decode(piece, hint=charset)
            )
            out.append(text.translate(_MARKS))
    return charsets.clean("".join(out)).replace("\n", " ")


def _entries(text: str) -> list[str]:
    """Splits at commas, semicolons and group marks outside of quotes, brackets and comments."""
    entries: list[str] = []
    start = at = 0
    angle = False
    comments = 0
    length = len(text)
    last_comment, last_semicolon = text.rfind(")"), text.rfind(";")
    while at < length:
        letter = text[at]
        if letter == "\\":
            at += 2
            continue
        if letter == '"' and not angle:
            end = _closing_quote(text, at)
            if end > 0:
                at = end + 1
                continue
        elif letter == "(" and not angle:
            comments += 1 if at < last_comment else 0
        elif letter == ")" and comments:
            comments -= 1
        elif letter == "<" and not comments:
            angle = text.find(">", at, at + 2_000) > 0
        elif letter == ">":
            angle = False
        elif not angle and not comments:
            if letter in ",;":
                entries.append(text[start:at])
                start = at + 1
            elif letter == ":" and at < last_semicolon and _opens_group(text[start:at]):
                start = at + 1
        at += 1
    entries.append(text[start:])
    return entries


def _closing_quote(text: str, at: int) -> int:
    """Where the quote ends; -1 where it does not, or swallows another mailbox."""
    end = at + 1
    while True:
        end = text.find('"', end)
        if end < 0:
            return -1
        if text[end - 1] != "\\" or text[end - 2 : end] == "\\\\":
            break
        end += 1
    inner = text[at + 1 : end]
    if len(inner) > 2_000 or re.search(r"<[^<>\s]+@[^<>\s]+>\s*[,;]", inner):
        return -1
    return end


def _opens_group(head: str) -> bool:
    """Whether what stands before a colon names a group, and is no part of an address or URL."""
    if len(head) > 500 or "@" in head or "<" in head:
        return False
    return head.strip().lower() not in {"", "http", "https"}


def _mailboxes(text: str) -> list[Address]:
    """The mailboxes of one entry: one, or several that lost their comma."""
    if "<" in text and len(_ANGLED.findall(_QUOTED.sub("", text))) < 2:
        # The last bracket counts: anything before it is somebody's idea of a name.
        start = text.rfind("<")
        end = text.find(">", start)
        end = len(text) if end < 0 else end
        address = _address(text[start + 1 : end])
        if address:
            lead, after = text[:start], text[end + 1 :]
            if "<" in _QUOTED.sub("", lead):
                lead = lead.partition("<")[0]
            name = _name(lead) or _comment(after) or _name(after.strip("<> "))
            return [Address(name, address)]
        # "name" <>: perhaps the name is the address, perhaps there is none.
        if text[start + 1 : end].strip():
            return []
    elif "<" in text:
        found = []
        for piece in _SEVERAL.finditer(text):
            if address := _address(piece[2]):
                found.append(Address(_name(piece[1]), address))
        if found:
            return found
    bare, comment = _without_comments(
        re.sub(r"^\s*(?:mailto|smtp):", "", text, flags=re.IGNORECASE)
    )
    if _SHELTER in bare:
        address = _address(bare)
        return [Address(comment, address)] if address else []
    plain = [hit[0].strip("'.\\") for hit in _ADDRESS.finditer(bare)]
    if len(plain) == 1:
        if address := _address(plain[0]):
            rest = bare.replace(plain[0], " ", 1).strip().strip("<>[](){}\\ ")
            return [Address(comment or (_name(rest) if "<" not in rest else ""), address)]
        return []
    if plain:
        return [Address("", address) for hit in plain if (address := _address(hit))]
    address = _address(bare)
    return [Address(comment, address)] if address else []


def _address(text: str) -> str:
    """What stands in the brackets, cleaned; "" where it is no address."""
    text, _ = _without_comments(text)
    # An encoded word is no address; it stays what it is, so that it can be nobody's.
    text = _SHELTERED.sub(lambda hit: bytes.fromhex(hit[1]).decode("latin-1"), text).strip()
    if text.lower().startswith("mailto:"):
        text = text[7:]
    if text.startswith("@") and ":" in text:
        text = text.partition(":")[2]  # a source route, obsolete since 2001
    text = text.strip().strip("'‘’`´").strip()
    local, at, domain = text.rpartition("@")
    if not at:
        return ""
    if len(local) > 1 and local[0] == local[-1] == '"':
        inner = local[1:-1]
        local = local if re.search(r"[\s@\\\",;:<>()\[\]]", inner) else inner
    else:
        # A stray quote, and blanks around the dots of the obsolete syntax.
        local = re.sub(r"\s*\.\s*", ".", local.replace('"', "")).strip()
    domain = re.sub(r"\s*\.\s*", ".", domain).strip().replace("'", "").strip('"').rstrip(".>")
    if not local or not domain or re.search(r"[\s<>(),;]", domain):
        return ""
    if not local.startswith('"') and re.search(r"[\s<>(),;]", local):
        return ""
    address = f"{local}@{domain}"
    return address if len(address) <= _ADDRESS_SIZE else ""


def _without_comments(text: str) -> tuple[str, str]:
    """The text without its comments, and the last comment."""
    if "(" not in text:
        return text, ""
    out, comment, depth, start = [], "", 0, 0
    quoted = escaped = False
    for at, letter in enumerate(text):
        if escaped or letter == "\\":
            escaped = not escaped
            continue
        if letter == '"' and depth == 0:
            quoted = not quoted
        if letter == "(" and not quoted:
            if depth == 0:
                out.append(text[start:at])
                start = at + 1
            depth += 1
        elif letter == ")" and depth and not quoted:
            depth -= 1
            if depth == 0:
                if inner := _spoken(text[start:at]):
                    comment = inner
                start = at + 1
    out.append(text[start:])
    return "".join(out), comment


def _comment(text: str) -> str:
    return _without_comments(text)[1] if "(" in text else ""


def _name(text: str) -> str:
    """The display name: decoded, without the quotes around it."""
    bare, comment = _without_comments(text)
    return _spoken(bare) if bare.strip() else comment


def _spoken(text: str) -> str:
    text = text.strip()
    if len(text) > 1 and text[0] == text[-1] == '"':
        text = text[1:-1]
    text = re.sub(r"\\(.)", r"\1", text)
    if _SHELTER in text:
        raw = _SHELTERED.sub(lambda hit: "\ue002" + hit[1] + "\ue002", text)
        pieces = raw.split("\ue002")
        data = b"".join(
            bytes.fromhex(piece) if number % 2 else piece.encode("utf-8")
            for number, piece in enumerate(pieces)
        )
        text = words.decode(data)
    text = " ".join(charsets.clean(text).split())
    while len(text) > 1 and text[0] in _QUOTES and text[-1] in _QUOTES:
        text = text[1:-1].strip()
    return text.strip('"').strip()[:_NAME_SIZE]
