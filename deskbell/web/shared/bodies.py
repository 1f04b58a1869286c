"""Bodies of entries as pages show them: text made legible, HTML as a document of its own."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal
from urllib.parse import unquote, urlsplit

from django.utils.html import conditional_escape, escape, format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext

from deskbell.tickets import folding
from deskbell.tickets.texts import safe_html

#: Characters of a text shown in a thread; the rest is a click away.
SHOWN = 30_000

_LINK = re.compile(r"https?://[^\s<>\"'`]{1,2000}", re.IGNORECASE)
_TRAILING = ".,;:!?*_»”’"
_PAIRS = {")": "(", "]": "[", "}": "{"}
_QUOTE = re.compile(r" {0,3}>")
_ATTRIBUTION = re.compile(r".{0,300}[@\d].{0,300}:\s*\Z")
_ORIGINAL = re.compile(
    r"\s{0,3}(-{2,}\s{0,3}(Original Message|Original-Nachricht|Ursprüngliche Nachricht"
    r"|Message d'origine|Mensaje original|Messaggio originale)\s{0,3}-{2,}|_{20,})\s*\Z",
    re.IGNORECASE,
)
_REMOTE_IMAGE = re.compile(
    r"<img\b[^<>]{0,2000}?\bsrc\s{0,5}=\s{0,5}[\"']?\s{0,5}(https?:)?//", re.I
)
_API_FILE = re.compile(r"/api/v1/ticket_attachment/\d{1,19}/\d{1,19}/(\d{1,19})\Z")

PartKind = Literal["text", "quote", "history"]


@dataclass(frozen=True, slots=True)
class Part:
    """A stretch of a text: own words, a quotation among them, or the history that trails behind."""

    kind: PartKind
    lines: tuple[str, ...]


def parts_of(text: str) -> list[Part]:
    """Divide a text. Put together again, the lines are those of the text, in order.

    Quotations with an answer below stay in sight, since the answer needs them; only what is quoted
    at the very end is history. A text that is nothing but quotation is no history.
    """
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    history = _history_at(lines)
    parts = _runs(lines[:history])
    if history < len(lines):
        parts.append(Part("history", tuple(lines[history:])))
    return parts


def _parts_around(text: str, new: folding.New | None) -> list[Part]:
    """The text divided at its new part; empty where that is not known (any more)."""
    divided = folding.parts(text, new) if new is not None else None
    if divided is None:
        return []
    room = SHOWN
    pieces: list[list[str]] = []
    for piece in (divided[1], divided[2], divided[0]):  # should not all fit, the new part does
        cut = piece[:room].replace("\r\n", "\n").replace("\r", "\n")
        pieces.append(cut.split("\n") if cut.strip() else [])
        room -= len(cut)
    middle, after, before = pieces
    parts = [Part("history", tuple(before))] if before else []
    parts += _runs(middle)
    return [*parts, Part("history", tuple(after))] if after else parts


def _runs(lines: list[str]) -> list[Part]:
    """Own words and quotations, in turns."""
    parts: list[Part] = []
    start = 0
    for number in range(1, len(lines) + 1):
        if number == len(lines) or _is_quote(lines[number]) != _is_quote(lines[start]):
            kind: PartKind = "quote" if _is_quote(lines[start]) else "text"
            parts.append(Part(kind, tuple(lines[start:number])))
            start = number
    return parts


def _is_quote(line: str) -> bool:
    return _QUOTE.match(line) is not None


def _history_at(lines: list[str]) -> int:
    """The line at which the quoted history begins; the number of lines if there is none."""
    for number, line in enumerate(lines):
        if _ORIGINAL.match(line) and any(before.strip() for before in lines[:number]):
            return number
    end = len(lines)
    while end and not lines[end - 1].strip():
        end -= 1
    begin = end
    while begin and (_is_quote(lines[begin - 1]) or not lines[begin - 1].strip()):
        begin -= 1
    while begin < end and not lines[begin].strip():
        begin += 1
    if begin == end or end - begin < 2:
        return len(lines)
    if begin and _ATTRIBUTION.match(lines[begin - 1]):
        begin -= 1
    elif begin > 1 and not lines[begin - 1].strip() and _ATTRIBUTION.match(lines[begin - 2]):
        begin -= 2
    if not any(line.strip() for line in lines[:begin]):
        return len(lines)
    return begin


def linked(text: str) -> SafeString:
    """The text escaped, its web addresses clickable. Links say nothing about where they stood."""
    pieces: list[SafeString] = []
    at = 0
    for found in _LINK.finditer(text):
        address = _without_trailing(found[0])
        if not _is_web(address):
            continue
        pieces.append(escape(text[at : found.start()]))
        pieces.append(
            format_html(
                '<a href="{}" target="_blank" rel="nofollow noreferrer noopener">{}</a>',
                address,
                address,
            )
        )
        at = found.start() + len(address)
    pieces.append(escape(text[at:]))
    return mark_safe("".join(pieces))  # noqa: S308 - every piece is escaped above


def _without_trailing(address: str) -> str:
    """The address without the punctuation of the sentence around it."""
    while address:
        last = address[-1]
        opening = _PAIRS.get(last)
        if last not in _TRAILING and (
            opening is None or address.count(opening) >= address.count(last)
        ):
            break
        address = address[:-1]
    return address


def _is_web(address: str) -> bool:
    try:
        return bool(urlsplit(address).hostname)
    except ValueError:
        return False


def text_html(text: str, *, new: folding.New | None = None) -> SafeString:
    """A plain text as HTML: escaped, with links, its history folded away.

    ``new`` is its new part where that is known; else what looks like history at its end is. Of a
    long one no more than ``SHOWN`` characters.
    """
    shown = []
    for part in _parts_around(text, new) or parts_of(text[:SHOWN]):
        inner = linked("\n".join(part.lines))
        if part.kind == "text":
            shown.append(format_html('<div class="text" dir="auto">{}</div>', inner))
        elif part.kind == "quote":
            shown.append(
                format_html('<blockquote class="text quote" dir="auto">{}</blockquote>', inner)
            )
        else:
            shown.append(
                format_html(
                    '<details class="quoted"><summary title="{0}"><span aria-hidden="true">•••'
                    '</span><span class="visually-hidden">{0}</span></summary>'
                    '<div class="text" dir="auto">{1}</div></details>',
                    gettext("Show the quoted history"),
                    mark_safe(inner.strip("\n")),  # noqa: S308 - as safe as it was
                )
            )
    return format_html_join("", "{}", ((piece,) for piece in shown))


def has_remote_images(html: str) -> bool:
    """Whether an HTML body would load images from elsewhere if it could."""
    return _REMOTE_IMAGE.search(html) is not None


# --- HTML bodies ---------------------------------------------------------------------------------

_FRAME_STYLE = """
html { color-scheme: light; }
body { margin: 0; padding: 1px; background: transparent; color: #1f2725; overflow-wrap: anywhere;
  font: 15px/1.5 ui-sans-serif, system-ui, -apple-system, "Segoe UI", Roboto, Arial, sans-serif; }
body > :first-child { margin-top: 0; } body > :last-child { margin-bottom: 0; }
img { max-width: 100%; height: auto; } table { max-width: 100%; } pre { white-space: pre-wrap; }
blockquote { margin: .5em 0; padding-left: .9em; border-left: 2px solid #c9d0cc; color: #4c5753; }
a { color: #12594c; }
details.deskbell-quoted { margin-block: .5em; }
details.deskbell-quoted > summary { display: inline-block; padding: 0 .55em; border-radius: 5px;
  background: #eceeec; color: #4c5753; font: 12px/1.6 system-ui, sans-serif; cursor: pointer;
  list-style: none; user-select: none; }
details.deskbell-quoted > summary:hover { background: #dfe3e0; }
details.deskbell-quoted > summary:focus-visible { outline: 2px solid #2f6fd0; outline-offset: 1px; }
details.deskbell-quoted > summary::-webkit-details-marker { display: none; }
details.deskbell-quoted > summary > b { position: absolute; width: 1px; height: 1px;
  overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
details.deskbell-quoted > div { margin-top: .5em; padding-left: .9em;
  border-left: 2px solid #c9d0cc; }
"""

# Tells the page around how high the document is: when it has loaded, when its width changes, when
# something in it opens or arrives. Not on every change of height, which the answer would cause.
_FRAME_SCRIPT = """
let width = -1;
const tell = () => parent.postMessage(
  { deskbellHeight: Math.max(document.body.offsetHeight, document.body.scrollHeight) + 2 }, "*");
const watch = () => { if (innerWidth !== width) { width = innerWidth; tell(); } };
addEventListener("load", tell);
addEventListener("resize", watch);
addEventListener("toggle", tell, true);
for (const image of document.images) image.addEventListener("load", tell);
watch();
"""


def frame_policy(nonce: str, *, remote_images: bool) -> str:
    """The content security policy of an HTML body: an opaque origin that loads nothing by itself.

    The one script that may run bears the nonce. Neither forms nor plugins nor top navigation.
    """
    images = "img-src 'self' data:" + (" https:" if remote_images else "")
    return (
        f"default-src 'none'; {images}; style-src 'unsafe-inline'; script-src 'nonce-{nonce}'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'self'; "
        "sandbox allow-scripts allow-popups allow-popups-to-escape-sandbox"
    )


def document(
    html: str,
    *,
    nonce: str,
    images: Mapping[str, str],
    files: Mapping[int, str],
    remote_images: bool,
    new: folding.New | None = None,
) -> str:
    """An HTML body, sanitised, as a document for a frame; what is not ``new`` is folded.

    ``images`` gives the address of an inline image by its Content-ID, ``files`` by the id of the
    attachment, for bodies that name it as the API does. Others are left out, unless
    ``remote_images`` lets those of secure web addresses in.
    """
    title = escape(gettext("Message"))
    body = safe_html(html, image=_image_chooser(images, files, remote_images=remote_images))
    if new is not None:
        body = folding.fold_html(body, new, opening=_fold_opening(), closing="</div></details>")
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        f"<style>{_FRAME_STYLE}</style></head><body>{body}"
        f'<script nonce="{conditional_escape(nonce)}">{_FRAME_SCRIPT}</script></body></html>'
    )


def _fold_opening() -> str:
    return format_html(
        '<details class="deskbell-quoted"><summary title="{0}"><span aria-hidden="true">•••</span>'
        "<b>{0}</b></summary><div>",
        gettext("Show the quoted history"),
    )


def _image_chooser(
    images: Mapping[str, str], files: Mapping[int, str], *, remote_images: bool
) -> Callable[[str], str | None]:
    def choose(source: str) -> str | None:
        source = source.strip()
        lower = source[:8].lower()
        if lower.startswith("cid:"):
            return images.get(source[4:]) or images.get(unquote(source[4:]))
        if lower.startswith(("http://", "https://")):
            if not remote_images:
                return None
            # Only secure addresses pass the frame's policy.
            return "https://" + source.partition("://")[2]
        found = _API_FILE.match(source.partition("?")[0])
        return files.get(int(found[1])) if found else None

    return choose
