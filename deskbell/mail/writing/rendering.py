"""A message as text and as HTML. Whatever people wrote is escaped or sanitised here, at the end."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from html import unescape
from urllib.parse import unquote
from zoneinfo import ZoneInfo

import css_inline
from django.template.loader import render_to_string
from django.utils.html import escape

from deskbell.mail.reading.replies import new_text
from deskbell.mail.writing import wording
from deskbell.mail.writing.headers import one_line
from deskbell.mail.writing.messages import PublicMessage, StaffNotification
from deskbell.mail.writing.texts import QUOTE_LEAD, Wording, month
from deskbell.tickets.texts import HTML, plain_text, safe_html

#: Characters of an entry that a mail carries; the rest is read in the ticket.
BODY_LENGTH = 500_000
#: Characters of one quoted entry, and of all of them.
QUOTE_LENGTH = 8_000
QUOTES_LENGTH = 30_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What a message says around the entry. ``reference`` is ``[slug-id]``.

    ``facts`` are labels and values for staff, ``files`` the names (with sizes) of files that are
    not attached, ``link`` the ticket's page or empty. ``reply_hint``: an answer reaches the desk.
    ``repeats_title``: false where the title must not be sent on. ``words`` are the desk's.
    """

    reference: str
    title: str
    group: str
    timezone: ZoneInfo
    facts: tuple[tuple[str, str], ...] = ()
    files: tuple[str, ...] = ()
    link: str = ""
    reply_hint: bool = False
    repeats_title: bool = True
    number: str = ""
    customer: str = ""
    words: Wording = field(default_factory=Wording)
    #: Attachment by Content-ID as the article's HTML names it: the one it has in this message.
    images: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Rendered:
    """Both alternatives of a message; ``images`` are the Content-IDs that the HTML refers to."""

    text: str
    html: str
    images: frozenset[str]


def render(message: PublicMessage | StaffNotification, around: Surroundings) -> Rendered:
    """Both alternatives of a message."""
    entry = message.entry
    text, html, images = "", "", frozenset[str]()
    if entry is not None:
        body, cut = entry.body, len(entry.body) > BODY_LENGTH
        if cut:
            body = body[:BODY_LENGTH]
        text = _as_text(body, entry.content_type)
        if entry.content_type == HTML:
            html, images = _as_safe_html(
                body, around.images, remote_images=entry.by_agent and _is_public(message)
            )
        else:
            html = text_as_html(text)
        if cut:
            told = around.words.say("too_long")
            text = f"{text}\n\n{told}"
            html += f"<p>{escape(told)}</p>"
    group, words = one_line(around.group, limit=160), around.words
    values = _values(message, around, group=group)
    lead = wording.lead(message, words, values)
    closing = wording.closing(message, words, values)
    quotes = _quotes(message, around)
    # Stands for the entry while the styles of our own markup are inlined: people's markup keeps
    # only its own styles, and a long entry is not parsed once more. Nobody can write it.
    slot = f"entry-{secrets.token_hex(16)}"
    context = {
        "around": around,
        "title": values["ticket.title"],
        "repeats_title": around.repeats_title,
        "group": group,
        "language": words.language,
        "lead": lead,
        "lead_html": _with_link(text_as_html(lead), around.link),
        "closing": closing,
        "closing_html": _with_link(text_as_html(closing), around.link),
        "reason": wording.reason(message, words, values),
        "say": {name: words.say(name, values) for name in _SMALL},
        "author": values["author.name"],
        "written_at": _spoken(entry.written_at, around) if entry is not None else "",
        "quotes": quotes,
        "has_entry": entry is not None,
        "is_letter": isinstance(message, PublicMessage) and message.is_letter,
        "is_internal": isinstance(message, StaffNotification) and message.is_internal,
        "also_to": ", ".join(message.also_to) if isinstance(message, PublicMessage) else "",
        "preview": _preview(text if entry is not None else lead),
        "text": text,
        "slot": slot,
    }
    markup = _inliner().inline(render_to_string("mail/message.html", context))
    markup = re.sub(r"\n\s*", "\n", markup)  # the template's indentation, before the entry is in
    return Rendered(
        text=_tidy(render_to_string("mail/message.txt", context)),
        html=markup.replace(slot, html, 1) if entry is not None else markup,
        images=images,
    )


#: Texts that the layout itself says.
_SMALL = ("open_ticket", "whole_ticket", "keep_reference", "files", "also_to")


def _values(
    message: PublicMessage | StaffNotification, around: Surroundings, *, group: str
) -> dict[str, str]:
    """What the placeholders of texts stand for in this message."""
    return {
        "ticket.number": around.number,
        "ticket.reference": around.reference,
        "ticket.title": one_line(around.title, limit=300) if around.repeats_title else "",
        "group.name": group,
        "author.name": one_line(wording.author(message, group=group), limit=200),
        "customer.name": one_line(around.customer, limit=200),
        "link": around.link,
    }


def _with_link(html: str, link: str) -> str:
    """The address of the ticket's page, where a text names it, as a link."""
    shown = escape(link)
    return html.replace(shown, f'<a class="quiet" href="{shown}">{shown}</a>') if link else html


def _quotes(
    message: PublicMessage | StaffNotification, around: Surroundings
) -> list[dict[str, str]]:
    """What stands below a letter: who wrote when, the words, and the words as text quotes them.

    Only new words: what an entry quotes itself is quoted by its own line, or was read before.
    """
    if not isinstance(message, PublicMessage):
        return []
    found: list[dict[str, str]] = []
    room = QUOTES_LENGTH
    for entry in message.quoted:
        said = new_text(_as_text(entry.body[:BODY_LENGTH], entry.content_type)).strip("\n")
        limit = min(room, QUOTE_LENGTH)
        if limit <= 0:
            break
        if len(said) > limit:
            said = f"{said[:limit].rstrip()} […]"
        room -= len(said)
        lead = QUOTE_LEAD[around.words.language].format(
            date=_spoken(entry.written_at, around),
            author=one_line(entry.author or around.group, limit=200),
        )
        lines = [f"> {line}".rstrip() for line in said.split("\n")]
        found.append({"lead": lead, "html": text_as_html(said), "text": "\n".join(lines)})
    return found


@cache
def _inliner() -> css_inline.CSSInliner:
    return css_inline.CSSInliner(keep_at_rules=True, load_remote_stylesheets=False)


def _is_public(message: PublicMessage | StaffNotification) -> bool:
    return isinstance(message, PublicMessage)


def _as_text(body: str, content_type: str) -> str:
    text = plain_text(body, content_type)
    return text.replace("\r\n", "\n").replace("\r", "\n").strip("\n")


def text_as_html(text: str) -> str:
    """Plain text as HTML: escaped, paragraphs and lines kept, indentation too."""
    paragraphs = [p for p in re.split(r"\n(?:[ \t]*\n)+", text) if p.strip()]
    # Mail programs disagree about the space around paragraphs, so each says its own.
    return "\n".join(
        f'<p style="margin:{0 if number == 0 else 16}px 0 0">{_lines(paragraph)}</p>'
        for number, paragraph in enumerate(paragraphs)
    )


def _lines(paragraph: str) -> str:
    kept = escape(paragraph.expandtabs(4)).replace("  ", "&nbsp; ")
    return "<br>\n".join(
        "&nbsp;" + line[1:] if line.startswith(" ") else line for line in kept.split("\n")
    )


def _as_safe_html(
    body: str, images: Mapping[str, str], *, remote_images: bool
) -> tuple[str, frozenset[str]]:
    """The entry's HTML, its inline images renamed to those of the message.

    Images from elsewhere stay only in what an agent sends out: in what a stranger wrote they tell
    him who reads it, and when.
    """
    used: set[str] = set()

    def address(given: str) -> str | None:
        scheme, _, rest = given.strip().partition(":")
        if scheme.lower() == "cid":
            found = images.get(unquote(rest).strip().strip("<>"))
            if found is None:
                return None
            used.add(found)
            return f"cid:{found}"
        return given if remote_images and scheme.lower() in ("http", "https") else None

    html = _IMAGE.sub(_in_words, safe_html(body, image=address))
    return html, frozenset(used)


# The sanitiser writes every attribute in double quotes.
_IMAGE = re.compile(r'<img((?: [^\s="<>]+="[^"]*")*)>')
_ALT = re.compile(r' alt="([^"]*)"')


def _in_words(image: re.Match[str]) -> str:
    """An image that lost its address as what was said about it."""
    if ' src="' in image[1]:
        return image[0]
    alt = _ALT.search(image[1])
    return escape(unescape(alt[1])) if alt else ""


def _preview(text: str) -> str:
    """What a list of mails shows behind the subject."""
    return one_line(text[:400], limit=140)


def _spoken(at: datetime, around: Surroundings) -> str:
    local = at.astimezone(around.timezone)
    language = around.words.language
    day = f"{local.day}." if language == "de" else str(local.day)
    return f"{day} {month(local.month, language)} {local:%Y, %H:%M %Z}"


def _tidy(text: str) -> str:
    """No more than one empty line outside of what people wrote, one line end at the end."""
    return text.strip("\n") + "\n"


def readable_size(size: int) -> str:
    """``17 KB``, ``2.4 MB``."""
    if size < 1000:
        return f"{size} bytes"
    if size < 1_000_000:
        return f"{size / 1000:.0f} KB"
    return f"{size / 1_000_000:.1f} MB"
