"""Header fields of a message: cleaned, encoded and folded here, so that nothing slips through.

Every value that people can write goes through :func:`one_line` first; :class:`HeaderBlock` refuses
what would begin another field. The standard library builds bodies well, but folds long Message-IDs
and addresses into encoded words that no reader undoes, so the fields of the message are ours.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from datetime import datetime
from email.charset import Charset
from email.header import Header
from email.utils import format_datetime

import idna
from django.utils.crypto import salted_hmac

#: RFC 5322: a line should have no more characters than this, its end not counted.
LINE_LENGTH = 78
SUBJECT_LENGTH = 400
NAME_LENGTH = 120
#: How many messages a References field names at most; the first one always stays.
REFERENCES_AT_MOST = 20

_LAYOUT_CONTROLS = re.compile("[\u202a-\u202e\u2066-\u2069]")
_MESSAGE_ID = re.compile(r"<[!-;=?A-~]{1,200}@[!-;=?A-~]{1,200}>")
_ROW_ID = re.compile(r"<[0-9]{1,19}\.[0-9]{1,19}\.[0-9a-f]{32}@")
_ATOMS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~ -]+\Z")
_FIELD_NAME = re.compile(r"[A-Za-z][A-Za-z0-9-]*\Z")

_UTF8 = Charset("utf-8")
_FOLD = "\r\n "


class NotDeliverable(Exception):
    """The address cannot be written in a message; the text says why."""


def one_line(text: str, *, limit: int) -> str:
    """The text on one line without control characters, cut with an ellipsis where too long.

    Marks that turn the direction of what follows are dropped: they let a subject lie.
    """
    text = _LAYOUT_CONTROLS.sub("", text)
    text = " ".join(text.split())
    text = "".join(c for c in text if unicodedata.category(c) not in ("Cc", "Cs"))
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


def encoded_text(text: str, *, name: str) -> str:
    """An unstructured value, encoded where needed and folded; ``name`` is the field it stands in.

    What only looks like an encoded word is encoded too, or readers would decode it.
    """
    plain = text.isascii() and "=?" not in text and all(len(w) < 200 for w in text.split(" "))
    charset = "us-ascii" if plain else _UTF8
    header = Header(text, charset=charset, header_name=name, maxlinelen=LINE_LENGTH - 2)
    return header.encode(linesep="\r\n")


def encoded_address(address: str, display_name: str = "", *, name: str) -> tuple[str, bool]:
    """``Name <address>`` for a header field, and whether it needs SMTPUTF8.

    Raises :class:`NotDeliverable`.
    """
    wire = wire_address(address)
    words = one_line(display_name, limit=NAME_LENGTH)
    if not words:
        return wire, not wire.isascii()
    if _ATOMS.match(words) and "=?" not in words:
        phrase = words
    elif words.isascii() and "=?" not in words:
        phrase = '"' + re.sub(r'(["\\])', r"\\\1", words) + '"'
    else:
        header = Header(words, charset=_UTF8, header_name=name, maxlinelen=LINE_LENGTH - 2)
        phrase = header.encode(linesep="\r\n")
    last = phrase.rpartition("\r\n")[2]
    fits = len(last) + len(wire) + 3 <= LINE_LENGTH - (0 if "\r\n" in phrase else len(name) + 2)
    return f"{phrase}{' ' if fits else _FOLD}<{wire}>", not wire.isascii()


def wire_address(address: str) -> str:
    """The address as mail servers write it: the domain in ASCII, the part before it as it stands.

    Raises :class:`NotDeliverable` for a domain that has no such form.
    """
    local, at, domain = address.rpartition("@")
    if not (local and at) or any(c.isspace() and c != " " for c in address):
        raise NotDeliverable("This is not an address.")
    if domain.isascii():
        return address
    try:
        return f"{local}@{idna.encode(domain, uts46=True).decode('ascii')}"
    except idna.IDNAError as error:
        raise NotDeliverable(f"The domain of the address cannot be looked up: {error}.") from error


def message_ids_in(text: str | None) -> list[str]:
    """The well-formed Message-IDs in a text, in order, each once."""
    return list(dict.fromkeys(_MESSAGE_ID.findall((text or "")[:20_000])))


def row_message_id(*, ticket_id: int, article_id: int, address_key: str, host: str) -> str:
    """The Message-ID of the message that one article owes to one address: always the same.

    Nobody can guess it who has not got the message, so an answer that names it comes from somebody
    who has.
    """
    secret = _signature("message", f"{article_id}:{address_key}")
    return f"<{ticket_id}.{article_id}.{secret}@{host}>"


def is_row_message_id(message_id: str) -> bool:
    """Whether the id has the form of those that :func:`row_message_id` makes, for any host."""
    return _ROW_ID.match(message_id) is not None


def thread_message_id(*, ticket_id: int, host: str) -> str:
    """What all messages about a ticket refer to, so that readers show them as one conversation.

    No message bears it: the one that opened the ticket went to each address under another id.
    """
    return f"<{ticket_id}.{_signature('thread', str(ticket_id))}@{host}>"


def boundary(message_id: str, number: int) -> str:
    """The border between the parts of a message: the same again, and known to no author."""
    return f"=_{number}_{_signature('boundary', message_id)}"


def _signature(use: str, value: str) -> str:
    salt = f"deskbell.mail.{use}"
    return salted_hmac(salt, value, algorithm="sha256").hexdigest()[:32]


def reference_list(first: str, others: Iterable[str]) -> list[str]:
    """The ids for References: the thread's own, then the latest of the others, oldest first."""
    rest = [other for other in dict.fromkeys(others) if other != first]
    return [first, *rest[-(REFERENCES_AT_MOST - 1) :]]


def subject_with_reference(subject: str, reference: str) -> str:
    """A given subject with the ticket's reference before it, unless it is in there already."""
    subject = one_line(subject, limit=SUBJECT_LENGTH)
    if reference.casefold() in subject.casefold():
        return subject
    return one_line(f"{reference} {subject}", limit=SUBJECT_LENGTH)


class HeaderBlock:
    """The fields of a message in order. ``utf8``: an address in them needs SMTPUTF8."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self.utf8 = False

    def raw(self, name: str, value: str) -> None:
        """Add a value that is encoded and folded. Raises ValueError for a line break of its own."""
        unfolded = value.replace(_FOLD, " ")
        if not _FIELD_NAME.match(name) or re.search(r"[\x00-\x08\x0a-\x1f\x7f]", unfolded):
            raise ValueError(f"{name} would break the header")
        self._lines.append(f"{name}: {value}\r\n")

    def text(self, name: str, text: str, *, limit: int = SUBJECT_LENGTH) -> None:
        """Add what people wrote."""
        self.raw(name, encoded_text(one_line(text, limit=limit), name=name))

    def address(self, name: str, address: str, display_name: str = "") -> None:
        """Add one address. Raises :class:`NotDeliverable`."""
        value, utf8 = encoded_address(address, display_name, name=name)
        self.utf8 = self.utf8 or utf8
        self.raw(name, value)

    def ids(self, name: str, message_ids: Sequence[str]) -> None:
        """Add Message-IDs, each on a line of its own; nothing where there are none."""
        if message_ids:
            self.raw(name, _FOLD.join(message_ids))

    def date(self, at: datetime) -> None:
        """Add the Date field (UTC)."""
        self.raw("Date", format_datetime(at))

    def __bytes__(self) -> bytes:
        return "".join(self._lines).encode("utf-8")
