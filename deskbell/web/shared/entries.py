"""Entries of a ticket as pages show them; the same for agents, customers and public links."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import parseaddr
from typing import Any, Literal

from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext, gettext_lazy

from deskbell.kernel.actor import NOBODY_ID
from deskbell.mail.models import MailState
from deskbell.mail.queries import Delivery
from deskbell.people.models import User
from deskbell.tickets.queries import ArticleRow, AttachmentRow, moment
from deskbell.tickets.texts import HTML
from deskbell.tickets.vocabulary import ArticleType, Sender
from deskbell.web.shared import bodies
from deskbell.web.shared.signatures import Reader, article_token, signed_file_address

Kind = Literal["agent", "customer", "note", "system"]

_WAYS = {
    ArticleType.EMAIL: ("mail", gettext_lazy("by e-mail")),
    ArticleType.PHONE: ("phone", gettext_lazy("by phone")),
    ArticleType.WEB: ("web", gettext_lazy("on the web")),
    ArticleType.NOTE: ("reply", gettext_lazy("note for everyone")),
    ArticleType.SMS: ("phone", gettext_lazy("by text message")),
    ArticleType.CHAT: ("reply", gettext_lazy("by chat")),
    ArticleType.FAX: ("phone", gettext_lazy("by fax")),
}


@dataclass(frozen=True, slots=True)
class ShownFile:
    """A file of an entry: its name, its size in bytes, where to get it."""

    name: str
    size: int
    address: str
    is_picture: bool


@dataclass(frozen=True, slots=True)
class ShownDelivery:
    """How far messages got, in words; ``tone`` is ``bad`` where somebody must look."""

    addresses: str
    words: str
    at: datetime | None
    tone: str
    reason: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry, ready to be printed.

    ``html`` is a text's markup; ``frame`` the address of an HTML body instead, which is ``short``,
    ``medium`` or ``long`` by a guess, so that little moves once it is measured. ``whole`` is where
    a long text can be read to its end. ``images`` is the address that shows remote images.
    """

    id: int
    kind: Kind
    author: str
    author_id: int
    icon: str
    way: str
    at: datetime
    subject: str
    to: str
    cc: str
    html: SafeString = field(default_factory=SafeString)
    frame: str = ""
    length: str = ""
    whole: str = ""
    images: str = ""
    files: Sequence[ShownFile] = ()
    deliveries: Sequence[ShownDelivery] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What entries are shown with.

    ``people`` by id, ``files`` and ``deliveries`` by entry; ``show_images`` are the entries whose
    remote images were asked for, ``page`` the address of the page itself.
    """

    reader: Reader
    customer_id: int
    title: str
    page: str
    people: Mapping[int, User]
    files: Mapping[int, Sequence[AttachmentRow]]
    deliveries: Mapping[int, Sequence[Delivery]] = field(default_factory=dict)
    show_images: Collection[int] = ()
    for_staff: bool = False


def people_of(rows: Sequence[ArticleRow], *, customer_id: int) -> set[int]:
    """Ids of the people whose names the entries show."""
    return {customer_id, *(row.origin_by_id or row.created_by_id for row in rows)}


def shown(row: ArticleRow, around: Surroundings) -> Entry:
    """One entry."""
    author_id = row.origin_by_id or row.created_by_id
    if author_id == NOBODY_ID and row.sender == Sender.CUSTOMER and not row.from_address:
        author_id = around.customer_id
    icon, way = _WAYS.get(ArticleType(row.type), ("reply", gettext("message")))
    kind: Kind = "customer"
    if row.internal:
        kind, icon, way = "note", "note", gettext("internal note")
    elif row.sender == Sender.AGENT:
        kind = "agent"
    elif row.sender == Sender.SYSTEM:
        kind = "system"
    subject = (row.subject or "").strip()
    is_mail = row.type == ArticleType.EMAIL
    return Entry(
        id=row.id,
        kind=kind,
        author=_author(row, around.people.get(author_id)),
        author_id=author_id,
        icon=icon,
        way=str(way),
        at=moment(row.created_at),
        subject="" if subject == around.title else subject,
        to=row.to or "" if is_mail and around.for_staff else "",
        cc=row.cc or "" if is_mail and around.for_staff else "",
        files=[
            _file(file, around.reader)
            for file in around.files.get(row.id, ())
            if not (file.inline and row.content_type == HTML)
        ],
        deliveries=_deliveries(around.deliveries.get(row.id, ())),
        **_body(row, around),
    )


def _author(row: ArticleRow, person: User | None) -> str:
    if person is not None and person.pk != NOBODY_ID:
        return person.display_name
    name, address = parseaddr(row.from_address or "")
    return name or address or gettext("Deskbell")


def _body(row: ArticleRow, around: Surroundings) -> dict[str, Any]:
    """The fields of an entry that say where its body is."""
    if row.content_type != HTML:
        return {
            "html": bodies.text_html(row.body[: bodies.SHOWN]),
            "whole": text_address(row.id, around.reader) if len(row.body) > bodies.SHOWN else "",
        }
    body: dict[str, Any] = {
        "frame": frame_address(row.id, around.reader),
        "length": _length(row.body),
    }
    if row.id in around.show_images:
        body["frame"] = _with(body["frame"], "images=1")
    elif bodies.has_remote_images(row.body):
        body["images"] = _with(around.page, f"images={row.id}") + f"#article-{row.id}"
    return body


def _with(address: str, parameter: str) -> str:
    return f"{address}{'&' if '?' in address else '?'}{parameter}"


def _length(html: str) -> str:
    """How long a body will be on the screen, guessed without reading it."""
    return "short" if len(html) < 400 else "medium" if len(html) < 4000 else "long"


def frame_address(article_id: int, reader: Reader) -> str:
    """Where the HTML of an entry is."""
    if reader.user_id:
        return reverse("article-html", args=[article_id])
    key = article_token(article_id, reader)
    return reverse("signed-article-html", args=[article_id]) + f"?key={key}"


def text_address(article_id: int, reader: Reader) -> str:
    """Where the whole text of an entry is."""
    if reader.user_id:
        return reverse("article-text", args=[article_id])
    key = article_token(article_id, reader)
    return reverse("signed-article-text", args=[article_id]) + f"?key={key}"


def _file(row: AttachmentRow, reader: Reader) -> ShownFile:
    if reader.user_id:
        address = reverse("attachment", args=[row.id, row.filename])
    else:
        address = signed_file_address(row.id, row.filename, reader)
    return ShownFile(row.filename, row.size, address, row.content_type.startswith("image/"))


def _deliveries(all_of_them: Sequence[Delivery]) -> list[ShownDelivery]:
    """One line for all messages that got equally far, failures for themselves."""
    words = {
        MailState.HELD: gettext("Held back"),
        MailState.QUEUED: gettext("Waiting to be sent"),
        MailState.SENDING: gettext("Being sent"),
        MailState.SENT: gettext("Sent"),
        MailState.DELIVERED: gettext("Delivered"),
        MailState.FAILED: gettext("Could not be sent"),
        MailState.BOUNCED: gettext("Came back"),
    }
    troubled = {MailState.FAILED, MailState.BOUNCED}
    lines: dict[tuple[MailState, str], list[Delivery]] = {}
    for one in all_of_them:
        reason = one.reason if one.state in troubled else ""
        lines.setdefault((one.state, reason), []).append(one)
    return [
        ShownDelivery(
            addresses=", ".join(one.address for one in line),
            words=words[state],
            at=max((one.sent_at for one in line if one.sent_at), default=None),
            tone="bad" if state in troubled else "",
            reason=reason,
        )
        for (state, reason), line in lines.items()
    ]
