"""A message as bytes: header fields, both alternatives, inline images and attached files.

The same row makes the same bytes as long as the ticket says the same: dates and borders come from
the row.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP

from deskbell.mail.writing.headers import HeaderBlock, boundary, one_line, wire_address

#: Every server takes it; 8-bit text needs an extension that some still lack.
_SEVEN_BITS = SMTP.clone(cte_type="7bit")


@dataclass(frozen=True, slots=True, kw_only=True)
class Enclosure:
    """A file that travels along. With a ``content_id`` it belongs to the HTML."""

    filename: str
    content_type: str
    content: bytes
    content_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Letterhead:
    """The fields of a message. ``automatic``: nobody wrote it to this address (RFC 3834)."""

    message_id: str
    written_at: datetime
    sender: str
    sender_name: str
    recipient: str
    recipient_name: str
    subject: str
    references: Sequence[str]
    in_reply_to: str
    automatic: bool
    reply_to: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What a message is made of, for whoever does not take it as bytes."""

    head: Letterhead
    text: str
    html: str
    enclosures: Sequence[Enclosure]


@dataclass(frozen=True, slots=True)
class Composed:
    """What goes out. ``utf8``: the server must speak SMTPUTF8. ``parts`` is the same in pieces."""

    content: bytes
    sender: str
    recipient: str
    utf8: bool
    parts: Parts | None = field(default=None, repr=False)


def compose(
    head: Letterhead, *, text: str, html: str, enclosures: Sequence[Enclosure] = ()
) -> Composed:
    """The whole message. Raises :class:`~deskbell.mail.writing.headers.NotDeliverable`."""
    block = HeaderBlock()
    block.date(head.written_at)
    block.address("From", head.sender, head.sender_name)
    block.address("To", head.recipient, head.recipient_name)
    if head.reply_to:
        block.address("Reply-To", head.reply_to)
    block.text("Subject", head.subject)
    block.ids("Message-ID", [head.message_id])
    block.ids("In-Reply-To", [head.in_reply_to] if head.in_reply_to else [])
    block.ids("References", head.references)
    for name, value in answering(automatic=head.automatic).items():
        block.raw(name, value)
    body = _body(text, html, enclosures, message_id=head.message_id)
    return Composed(
        bytes(block) + body,
        sender=wire_address(head.sender),
        recipient=wire_address(head.recipient),
        utf8=block.utf8,
        parts=Parts(head=head, text=text, html=html, enclosures=enclosures),
    )


def answering(*, automatic: bool) -> dict[str, str]:
    """The fields that say whether programs may answer a message."""
    if not automatic:
        # An agent wrote it to this very person: an absence notice is a right answer to that.
        return {"Auto-Submitted": "no"}
    # RFC 3834 §5: nobody wrote this to the reader, so nothing may answer it by itself. The other
    # two say the same to Exchange and to programs older than that RFC.
    return {
        "Auto-Submitted": "auto-generated",
        "X-Auto-Response-Suppress": "All",
        "Precedence": "bulk",
    }


def _body(text: str, html: str, enclosures: Sequence[Enclosure], *, message_id: str) -> bytes:
    """The MIME fields and everything below them."""
    message = EmailMessage(policy=_SEVEN_BITS)
    message.set_content(text)
    message.add_alternative(html, subtype="html")
    hypertext = message.get_body(("html",))
    for enclosure in enclosures:
        kind, _, subtype = attachable_type(enclosure.content_type).partition("/")
        name = one_line(enclosure.filename, limit=240) or "file"
        if enclosure.content_id and hypertext is not None:
            hypertext.add_related(
                enclosure.content,
                maintype=kind,
                subtype=subtype,
                cid=f"<{enclosure.content_id}>",
                filename=name,
                disposition="inline",
            )
        else:
            message.add_attachment(enclosure.content, maintype=kind, subtype=subtype, filename=name)
    for number, part in enumerate(p for p in message.walk() if p.is_multipart()):
        part.set_boundary(boundary(message_id, number))
    return message.as_bytes()


def attachable_type(content_type: str) -> str:
    """The type a file travels under: a message or a multipart inside would be taken apart."""
    if content_type.startswith(("message/", "multipart/")):
        return "application/octet-stream"
    return content_type
