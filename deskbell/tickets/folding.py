"""Which part of a message is new, and how the rest is folded: nothing is ever taken away.

What is new is found when a message comes in, and kept as three numbers: where the new part begins
and ends, and how long the whole is, counted in characters that can be seen. So one measure fits
the text and the HTML of a message, however their lines are broken; and if the body was edited
since, the last number says so.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from html import unescape
from typing import Any

from deskbell.tickets.texts import HTML

#: The key of an entry's ``preferences``.
NEW_TEXT = "new_text"

New = tuple[int, int, int]

# Blanks, and signs of no width that mail programs scatter.
_UNSEEN = re.compile("[\\s\u00ad\u200b-\u200f\u2060\ufeff]+")
_SEEN = re.compile("[^\\s\u00ad\u200b-\u200f\u2060\ufeff]+")
_QUOTE_MARKS = re.compile(r"^[ \t]*(?:>[ \t]?)+", re.MULTILINE)
#: A tag as our sanitiser writes it: lower case, values in double quotes.
_TAG = re.compile(r"<(/?)([a-z][a-z0-9]*)((?:[^>\"]|\"[^\"]*\")*)>")
_VOID = frozenset({"br", "hr", "img", "col", "wbr"})
#: Where a block may not stand, or would end what is around it.
_CLOSED = frozenset({"p", "table", "thead", "tbody", "tfoot", "tr", "ul", "ol", "dl", "colgroup"})
#: Fewer characters may stand anywhere by chance.
_SURE = 12
_ENDS = (40, 24, _SURE)


def _letters(text: str) -> str:
    return _UNSEEN.sub("", text)


def marks(body: str, content_type: str, *, reply: str | None) -> dict[str, list[int]]:
    """What to remember of a message, for ``preferences``; empty where its new part is not found.

    ``reply`` is the new text as the reader of mail found it, ``None`` where all of it is new.
    """
    whole = _letters(_text(body) if content_type == HTML else body)
    if reply is None:
        return {NEW_TEXT: [0, len(whole), len(whole)]}
    wanted = _letters(_QUOTE_MARKS.sub("", reply) if content_type == HTML else reply)
    found = _find(whole, wanted)
    return {NEW_TEXT: [*found, len(whole)]} if found else {}


def _find(whole: str, wanted: str) -> tuple[int, int] | None:
    if not wanted:
        return None
    if whole.startswith(wanted):
        return 0, len(wanted)
    if whole.endswith(wanted):
        return len(whole) - len(wanted), len(whole)
    if len(wanted) < _SURE:
        return None
    if (at := whole.find(wanted)) >= 0:
        return at, at + len(wanted)
    # Words between were left out, or written otherwise: what counts is where it begins and ends.
    start = _first(whole, [wanted[:size] for size in _ENDS], 0)
    if start is None:
        return None
    for size in _ENDS:
        tail = wanted[-size:]
        if (at := whole.find(tail, start)) >= 0:
            return start, at + len(tail)
    return None


def _first(whole: str, candidates: list[str], at: int) -> int | None:
    return next((place for text in candidates if (place := whole.find(text, at)) >= 0), None)


def of(preferences: Mapping[str, Any]) -> New | None:
    """The remembered part, if there is one that can be read."""
    found = preferences.get(NEW_TEXT)
    if not isinstance(found, list) or len(found) != 3:
        return None
    if not all(type(number) is int for number in found):
        return None
    start, end, total = found
    return (start, end, total) if 0 <= start < end <= total else None


def parts(body: str, new: New) -> tuple[str, str, str] | None:
    """A plain text before, in and after its new part, on whole lines; ``None``: it was edited."""
    start, end, total = new
    begin = stop = None
    count = 0
    for run in _SEEN.finditer(body):
        length = run.end() - run.start()
        if begin is None and count + length > start:
            begin = run.start() + start - count
        if stop is None and count + length >= end:
            stop = run.start() + end - count
        count += length
    if count != total or begin is None or stop is None:
        return None
    begin = body.rfind("\n", 0, begin) + 1 if start >= _SURE else 0
    line_end = body.find("\n", stop)
    if not _letters(body[stop : line_end if line_end >= 0 else len(body)]):
        stop = line_end + 1 if line_end >= 0 else len(body)
    return body[:begin], body[begin:stop], body[stop:]


def fold_html(html: str, new: New, *, opening: str, closing: str) -> str:
    """Sanitised HTML with ``opening`` and ``closing`` around all that is not new.

    At every level that the new part stands in, what comes before and after it is put together. It
    is returned as it stands where the body was edited, or nothing can be folded.
    """
    tokens = _tokens(html)
    seen, total = _counted(tokens)
    start, end, whole = new
    if total != whole or (start == 0 and end == total):
        return html
    parents, closes = _nested(tokens)
    first = next((n for n, (at, size) in enumerate(seen) if at + size > start), None)
    last = next((n for n, (at, size) in enumerate(seen) if size and at + size >= end), None)
    if first is None or last is None:
        return html
    before: dict[int, str] = {}
    for begin, stop in [*_ahead(first, parents), *_behind(last, parents, closes, len(tokens))]:
        owner = parents[begin] if begin < len(tokens) else None
        name = _name(tokens[owner]) if owner is not None else ""
        shown = sum(size for _, size in seen[begin:stop])
        if name not in _CLOSED and shown >= (_SURE if stop <= first else 1):
            before[begin] = before.get(begin, "") + opening
            before[stop] = closing + before.get(stop, "")
    if not before:
        return html
    pieces = [before.get(n, "") + token for n, token in enumerate(tokens)]
    return "".join(pieces) + before.get(len(tokens), "")


def _tokens(html: str) -> list[str]:
    """Tags and the texts between them, in order; put together they are the HTML."""
    tokens = []
    at = 0
    for tag in _TAG.finditer(html):
        if tag.start() > at:
            tokens.append(html[at : tag.start()])
        tokens.append(tag[0])
        at = tag.end()
    if at < len(html):
        tokens.append(html[at:])
    return tokens


def _text(html: str) -> str:
    return "".join(unescape(token) for token in _tokens(html) if _TAG.fullmatch(token) is None)


def _counted(tokens: list[str]) -> tuple[list[tuple[int, int]], int]:
    """Per token how much was seen before it, and how much is seen in it; and the sum."""
    counted = []
    at = 0
    for token in tokens:
        size = 0 if token[0] == "<" and _TAG.fullmatch(token) else len(_letters(unescape(token)))
        counted.append((at, size))
        at += size
    return counted, at


def _name(token: str) -> str:
    found = _TAG.fullmatch(token)
    return found[2] if found else ""


def _nested(tokens: list[str]) -> tuple[list[int | None], dict[int, int]]:
    """Per token the tag that it stands in, and where each tag ends (the index of its end)."""
    parents: list[int | None] = []
    closes: dict[int, int] = {}
    open_: list[int] = []
    for number, token in enumerate(tokens):
        found = _TAG.fullmatch(token)
        if found and found[1]:
            if open_:
                closes[open_.pop()] = number
            parents.append(open_[-1] if open_ else None)
            continue
        parents.append(open_[-1] if open_ else None)
        if found and found[2] not in _VOID:
            open_.append(number)
    for number in open_:
        closes[number] = len(tokens)
    return parents, closes


def _ahead(token: int, parents: list[int | None]) -> list[tuple[int, int]]:
    """At every level the tokens before the one that leads to this."""
    ranges = []
    here: int | None = token
    while here is not None:
        parent = parents[here]
        ranges.append((0 if parent is None else parent + 1, here))
        here = parent
    return ranges


def _behind(
    token: int, parents: list[int | None], closes: dict[int, int], size: int
) -> list[tuple[int, int]]:
    """At every level the tokens after the one that leads to this."""
    ranges = []
    here: int | None = token
    while here is not None:
        parent = parents[here]
        after = closes.get(here, here) + 1
        ranges.append((after, size if parent is None else closes[parent]))
        here = parent
    return ranges
