"""What one message says, as plain values: the result of reading."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any, Literal

from deskbell.mail.reading.addresses import Address

BounceType = Literal["permanent", "temporary"]


@dataclass(frozen=True)
class File:
    """A part that is kept as a file: decoded bytes, a name that may be made up, the declared type.

    ``is_inline``: the HTML shows it by its ``content_id`` (without brackets).
    """

    filename: str
    content_type: str
    content: bytes
    content_id: str = ""
    is_inline: bool = False
    is_name_made_up: bool = False

    @cached_property
    def sha256(self) -> str:
        return hashlib.sha256(self.content).hexdigest()


@dataclass(frozen=True, slots=True)
class Machine:
    """What shows that no person wrote the message, or that none would read an answer.

    ``reasons`` are the header fields (lower case) and marks that led to it, for the record.
    """

    is_auto_reply: bool = False
    is_out_of_office: bool = False
    is_list: bool = False
    is_bulk: bool = False
    is_loop: bool = False
    must_not_auto_respond: bool = False
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Bounce:
    """A delivery report: for good or for now, whom it could not reach, which message it was.

    ``recipients`` are the mailboxes that failed at last, ``addressed`` the ones that were written
    to, where the report tells them apart (a forwarding stood between).
    """

    type: BounceType
    recipients: tuple[str, ...] = ()
    addressed: tuple[str, ...] = ()
    message_id: str = ""
    status: str = ""
    diagnostic: str = ""


@dataclass(frozen=True, slots=True)
class Facts:
    """One message, read. Everything is text that a database can hold, and bounded.

    ``sender`` is whom the ticket shows: From, or the next best where that has no address;
    ``from_`` is the From field alone. ``body`` is the readable text, ``reply`` its new part,
    ``html`` the unsanitised HTML ("" without one). ``is_id_made_up``: the message had no id.
    """

    sender: Address | None
    from_: tuple[Address, ...]
    sender_field: Address | None
    to: tuple[Address, ...]
    cc: tuple[Address, ...]
    reply_to: tuple[Address, ...]
    return_path: str | None
    subject: str
    message_id: str
    is_id_made_up: bool
    in_reply_to: tuple[str, ...]
    references: tuple[str, ...]
    date: datetime | None
    charset: str
    body: str
    reply: str
    html: str
    files: tuple[File, ...]
    machine: Machine
    bounce: Bounce | None
    external_key: str
    is_forward: bool
    is_encrypted: bool
    is_signed: bool
    is_truncated: bool
    delivered_to: tuple[str, ...] = ()
    #: Message-ID of the message whose arrival this one reports (RFC 3464, "delivered").
    arrived_id: str = ""
    authentication_results: tuple[str, ...] = ()
    #: Every field of the message's own header: its name in lower case, its decoded value.
    fields: tuple[tuple[str, str], ...] = ()
    problems: tuple[str, ...] = field(default=())

    @property
    def attachments(self) -> tuple[File, ...]:
        return tuple(file for file in self.files if not file.is_inline)

    @property
    def inline(self) -> tuple[File, ...]:
        return tuple(file for file in self.files if file.is_inline)

    def as_json(self) -> dict[str, Any]:
        """The facts under the names that ``deskbell mail parse`` prints (docs/mail-facts.md)."""
        bounce = self.bounce
        return {
            "from": _address(self.sender),
            "to": [_address(entry) for entry in self.to],
            "cc": [_address(entry) for entry in self.cc],
            "reply_to": [_address(entry) for entry in self.reply_to],
            "subject": self.subject,
            "message_id": self.message_id,
            "in_reply_to": self.in_reply_to[0] if self.in_reply_to else None,
            "references": list(self.references),
            "date": self.date.isoformat().replace("+00:00", "Z") if self.date else None,
            "charset": self.charset,
            "body": self.body,
            "body_html": self.html or None,
            "reply": self.reply,
            "attachments": [_file(file) for file in self.attachments],
            "inline": [_file(file) for file in self.inline],
            "is_auto_reply": self.machine.is_auto_reply,
            "is_out_of_office": self.machine.is_out_of_office,
            "is_bounce": bounce is not None,
            "bounce_type": bounce.type if bounce else None,
            "bounced_recipients": list(bounce.recipients) if bounce else [],
            "bounced_message_id": bounce.message_id or None if bounce else None,
            "must_not_auto_respond": self.machine.must_not_auto_respond,
            "machine_reasons": list(self.machine.reasons),
            "external_key": self.external_key or None,
            "is_forward": self.is_forward,
            "is_encrypted": self.is_encrypted,
            "is_signed": self.is_signed,
            "is_truncated": self.is_truncated,
            "problems": list(self.problems),
        }


def _address(entry: Address | None) -> dict[str, str] | None:
    return None if entry is None else {"name": entry.name, "address": entry.address}


def _file(file: File) -> dict[str, Any]:
    return {
        "filename": file.filename,
        "content_type": file.content_type,
        "size": len(file.content),
        "sha256": file.sha256,
        "content_id": file.content_id or None,
    }
