"""Entries of a ticket as pages show them; the same for agents, customers and public links."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import parseaddr
from typing import Any, Literal

from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext, gettext_lazy

from deskbell.kernel.actor import NOBODY_ID
from deskbell.mail.queries import Delivery
from deskbell.people.models import User
from deskbell.tickets import folding
from deskbell.tickets.queries import ArticleRow, AttachmentRow, moment
from deskbell.tickets.texts import HTML
from deskbell.tickets.vocabulary import ArticleType, Sender
from deskbell.web.shared import bodies
from deskbell.web.shared.mails import ShownMail, shown_mail
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
class ShownProof:
    """What a mail server of ours says about the sender: ``tone`` is ``good`` or ``bad``."""

    tone: Literal["good", "bad"]
    words: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry, ready to be printed.

    ``html`` is a text's markup; ``frame`` the address of an HTML body instead, which is ``short``,
    ``medium`` or ``long`` by a guess, so that little moves once it is measured. ``whole`` is where
    a long text can be read to its end. ``images`` is the address that shows remote images, ``text``
    that of an HTML body as text, ``source`` that of the message as it came. ``details`` are label
    and words of what is rarely asked for; ``held`` is why the entry is held apart, from ``sender``.
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
    mail: ShownMail | None = None
    text: str = ""
    source: str = ""
    details: Sequence[tuple[str, str]] = ()
    proof: ShownProof | None = None
    held: str = ""
    sender: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What entries are shown with.

    ``people`` by id, ``files`` and ``deliveries`` by entry; ``sources`` are the entries whose
    message is kept, ``show_images`` those whose remote images were asked for, ``page`` the address
    of the page itself, ``at`` the present moment where it tells how far messages got.
    """

    reader: Reader
    customer_id: int
    title: str
    page: str
    people: Mapping[int, User]
    files: Mapping[int, Sequence[AttachmentRow]]
    deliveries: Mapping[int, Sequence[Delivery]] = field(default_factory=dict)
    at: datetime | None = None
    sources: Collection[int] = ()
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
        mail=_mail(row, around),
        **_body(row, around),
        **(_about_the_mail(row, around) if around.for_staff else {}),
    )


def _mail(row: ArticleRow, around: Surroundings) -> ShownMail | None:
    """How far the messages about an entry got; for staff only."""
    if around.at is None:
        return None
    return shown_mail(
        around.deliveries.get(row.id, ()),
        at=around.at,
        is_writer=row.created_by_id == around.reader.user_id,
        is_reply=row.sender == Sender.AGENT and not row.internal,
    )


def _about_the_mail(row: ArticleRow, around: Surroundings) -> dict[str, Any]:
    """What staff may want to know about an entry that came by mail."""
    preferences = json.loads(row.preferences) if row.preferences else {}
    about: dict[str, Any] = {}
    if row.internal and (why := preferences.get("held")):
        about |= {"held": str(why), "sender": row.from_address or gettext("somebody unknown")}
    if row.via != "mail" or row.sender == Sender.SYSTEM:
        return about
    found = preferences.get("authentication")
    proof = found if isinstance(found, dict) else {}
    about["proof"] = _proof(proof, row.from_address or "")
    lines = [
        (gettext("From"), row.from_address),
        (gettext("Answers to"), row.reply_to),
        (gettext("Sender check"), _results(proof)),
        ("Message-ID", row.message_id),
    ]
    about["details"] = [(label, words) for label, words in lines if words]
    if row.id in around.sources:
        about["source"] = reverse("article-source", args=[row.id])
    return about


def _proof(found: Mapping[str, Any], sender: str) -> ShownProof | None:
    """Whether the sender is proven or forged; ``None`` where nobody knows."""
    domain = parseaddr(sender)[1].rpartition("@")[2].casefold()
    judged = str(found.get("domain", "")).casefold()
    if found.get("dmarc") == "pass" and domain and judged == domain:
        words = gettext("Proven: the mail really comes from %(domain)s.")
        return ShownProof("good", words % {"domain": judged})
    if found.get("dmarc") == "fail" and found.get("policy") != "none":
        words = gettext("The mail server says that this does not come from %(domain)s.")
        if found.get("by") == "desk":
            words = gettext("Its signatures say that this does not come from %(domain)s.")
        return ShownProof("bad", words % {"domain": judged or domain or gettext("its sender")})
    return None


def _results(found: Mapping[str, Any]) -> str:
    """Every method's result, as the mail server gave it, or the desk found it out."""
    names = (("dmarc", "DMARC"), ("dkim", "DKIM"), ("spf", "SPF"))
    given = [f"{name} {found[key]}" for key, name in names if found.get(key)]
    if not given:
        return gettext("no mail server of ours said anything")
    domain = found.get("domain")
    results = ", ".join(given) + (f" ({domain})" if domain else "")
    if found.get("by") == "desk":
        return gettext("%(results)s, checked by the desk itself") % {"results": results}
    return results


def _author(row: ArticleRow, person: User | None) -> str:
    if person is not None and person.pk != NOBODY_ID:
        return person.display_name
    name, address = parseaddr(row.from_address or "")
    return name or address or gettext("Deskbell")


def _body(row: ArticleRow, around: Surroundings) -> dict[str, Any]:
    """The fields of an entry that say where its body is."""
    if row.content_type != HTML:
        new = None
        if row.via == "mail" and row.preferences:
            new = folding.of(json.loads(row.preferences))
        return {
            "html": bodies.text_html(row.body, new=new),
            "whole": text_address(row.id, around.reader) if len(row.body) > bodies.SHOWN else "",
        }
    body: dict[str, Any] = {
        "frame": frame_address(row.id, around.reader),
        "length": _length(row.body),
        "text": text_address(row.id, around.reader),
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
