"""The tree of a message: where its headers end, which parts it has, bounded in every direction.

Written for bytes as they come, not for RFC 5322: bare CR or mixed line ends, an mbox line on top,
junk between the headers, boundaries that are missing, wrong, never closed or prefixes of each
other. Whatever cannot be told apart stays text of the part in which it stands: nothing is lost.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from deskbell.mail.reading import parameters, transfer


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much of one message is looked at. The raw message is kept whole in any case.

    Sizes in bytes. Parts beyond ``parts`` or below ``depth`` are left as bytes of their parent.
    """

    parts: int = 5_000
    depth: int = 100
    headers: int = 2_000
    header_size: int = 2_097_152
    text: int = 10_485_760
    html: int = 10_485_760
    addresses: int = 10_000
    references: int = 10_000


BOUNDS = Bounds()

_MIXED = "multipart/mixed"
_FIELD = re.compile(rb"^([!-9;-~]{1,200})[ \t]*:[ \t]*(.*)$", re.DOTALL)
_BLANK_LINES = re.compile(rb"\A(?:[ \t]*\r?\n)+")
_NEWLINE_FIELD = re.compile(rb"\r?\n(?=[ \t])")
_PARAMETER = re.compile(rb"[A-Za-z][\w*-]{0,60}[ \t]*=")
_ENVELOPE = re.compile(rb"\A>?From [^\r\n]*\r?\n")
_ANY_BOUNDARY = re.compile(rb"^--([!-~][^\r\n]{0,200}?)[ \t]*\r?$", re.MULTILINE)
_TYPE = re.compile(r"\s*([\w!#$&^.+*-]+)\s*/\s*([\w!#$&^.+*-]+)")
_KNOWN_FIELD = re.compile(
    rb"^(?:from|to|cc|bcc|subject|date|message-id|mime-version|content-[a-z-]+|received|return-path"
    rb"|reply-to|sender|in-reply-to|references|x-[a-z0-9-]+|list-[a-z-]+|delivered-to|dkim-\w+"
    rb"|precedence|auto-submitted|importance|user-agent|thread-\w+|status|errors-to)[ \t]*:",
    re.IGNORECASE,
)
_MESSAGES = frozenset({"message/rfc822", "message/global", "message/news"})


@dataclass(slots=True)
class Part:
    """One node: its header fields in order (raw values), and where its content stands.

    The undecoded content is ``whole[start:end]``; ``children`` are the parts of a multipart.
    """

    fields: list[tuple[str, bytes]]
    whole: bytes
    start: int
    end: int
    type: str = "text/plain"
    params: dict[str, str] = field(default_factory=dict)
    disposition: str = ""
    disposition_params: dict[str, str] = field(default_factory=dict)
    children: list[Part] = field(default_factory=list)
    is_declared: bool = False

    def raw(self, name: str) -> bytes | None:
        """The first field of the name (lower case), unfolded; ``None`` when there is none."""
        for known, value in self.fields:
            if known == name:
                return value
        return None

    def all(self, name: str) -> list[bytes]:
        """All fields of the name (lower case), in order."""
        return [value for known, value in self.fields if known == name]

    def line(self, name: str) -> str:
        """The first field of the name as Latin-1 text, for structured fields; "" without one."""
        value = self.raw(name)
        return "" if value is None else value.decode("latin-1").strip()

    @property
    def main(self) -> str:
        return self.type.partition("/")[0]

    def walk(self) -> Iterator[Part]:
        """This part and all below it, in the order of the message."""
        waiting = [self]
        while waiting:
            part = waiting.pop()
            yield part
            waiting.extend(reversed(part.children))

    @property
    def content(self) -> bytes:
        return self.whole[self.start : self.end]

    def decoded(self) -> bytes:
        """The content without its transfer encoding; broken encodings give what they can."""
        return transfer.decoded(self.content, self.line("content-transfer-encoding"))


def parse(raw: bytes, bounds: Bounds = BOUNDS) -> Part:
    """The tree of a message. Never fails."""
    if b"\n" not in raw and b"\r" in raw:
        raw = raw.replace(b"\r", b"\n")
    elif raw.count(b"\r\r\n", 0, 65_536) > 2:
        raw = raw.replace(b"\r\r\n", b"\r\n")
    raw = _without_envelope(raw)
    return _part(raw, 0, len(raw), bounds, depth=0, budget=[bounds.parts], kind=None)


def parse_headers(raw: bytes, bounds: Bounds = BOUNDS) -> Part:
    """Only the top of a message, for messages inside of messages."""
    raw = _without_envelope(raw)
    narrow = replace(bounds, depth=1, parts=1)
    return _part(raw, 0, len(raw), narrow, depth=0, budget=[1], kind=None)


def _without_envelope(raw: bytes) -> bytes:
    raw = raw.removeprefix(codecs.BOM_UTF8)
    if lead := _BLANK_LINES.match(raw[:4_096]):
        raw = raw[lead.end() :]
    if line := _ENVELOPE.match(raw[:1_024]):
        raw = raw[line.end() :]
    return raw


def _part(
    whole: bytes, start: int, end: int, bounds: Bounds, *, depth: int, budget: list[int],
    kind: str | None,
) -> Part:  # fmt: skip
    budget[0] -= 1
    head = whole[start : min(end, start + bounds.header_size)]
    fields, length = _fields(head, bounds, is_top=depth == 0)
    part = Part(fields=fields, whole=whole, start=min(start + length, end), end=end)
    _describe(part, default=kind)
    if part.main == "multipart":
        _split(part, bounds, depth=depth, budget=budget)
    return part


def _fields(head: bytes, bounds: Bounds, *, is_top: bool) -> tuple[list[tuple[str, bytes]], int]:
    """The header fields, and where the content begins."""
    end, start = _end_of_headers(head)
    lines = head[:end].split(b"\n")
    fields: list[tuple[str, list[bytes]]] = []
    position = 0
    for number, line in enumerate(lines):
        bare = line.rstrip(b"\r")
        if not bare.strip():
            # Only white space: a blank line that somebody indented.
            position += len(line) + 1
            continue
        if bare[:1] in b" \t" and fields:
            fields[-1][1].append(bare)
        elif fields and _PARAMETER.match(bare) and fields[-1][1][-1].rstrip().endswith(b";"):
            # A parameter whose line lost its blank.
            fields[-1][1].append(b" " + bare)
        elif (found := _FIELD.match(bare)) and (b" " not in found[1]):
            if len(fields) >= bounds.headers:
                break
            fields.append((found[1].decode("latin-1").lower(), [found[2]]))
        elif _headers_go_on(lines, number, is_top=is_top and not fields):
            # A folded line that lost its blank, or junk between the fields.
            if fields and not _ENVELOPE.match(line + b"\n"):
                fields[-1][1].append(b" " + bare)
        else:
            return _joined(fields), position
        position += len(line) + 1
    return _joined(fields), start


def _joined(fields: list[tuple[str, list[bytes]]]) -> list[tuple[str, bytes]]:
    return [(name, b"".join(lines).strip()) for name, lines in fields]


def _end_of_headers(head: bytes) -> tuple[int, int]:
    """Where the header block ends and where the content begins."""
    if head[:1] == b"\n":
        return 0, 1
    if head[:2] == b"\r\n":
        return 0, 2
    lf, crlf = head.find(b"\n\n"), head.find(b"\n\r\n")
    if lf < 0 and crlf < 0:
        return len(head), len(head)
    if crlf >= 0 and (lf < 0 or crlf < lf):
        return crlf, crlf + 3
    return lf, lf + 2


def _headers_go_on(lines: list[bytes], number: int, *, is_top: bool) -> bool:
    """Whether the line that is no field stands amid fields, and not where the text begins."""
    following = lines[number + 1 : number + 6]
    if is_top and any(_KNOWN_FIELD.match(line) for line in following[:2]):
        return True
    if lines[number].startswith(b"--"):
        return False
    return any(_KNOWN_FIELD.match(line) for line in following)


def _describe(part: Part, *, default: str | None) -> None:
    """Reads type and disposition, with the defaults of RFC 2045 and the habits of senders."""
    # Several of them contradict each other; the first that says something counts.
    declared = next((value for value in part.all("content-type") if value), b"")
    text = declared.decode("latin-1")
    part.is_declared = bool(text)
    part.type = default or "text/plain"
    if found := _TYPE.match(text.strip().strip("\"'")):
        part.type = f"{found[1]}/{found[2]}".lower()
    elif text.strip().lower().partition(";")[0].strip() in {"text", "html", "text/"}:
        part.type = "text/html" if "html" in text.lower() else "text/plain"
    part.params = parameters.parse(declared)
    if part.type == "multipart/*" or (part.type.startswith("multipart/") and not found):
        part.type = _MIXED
    if (part.type == "text/plain" or not part.is_declared) and "boundary" in part.params:
        part.type = _MIXED
    for value in part.all("content-disposition"):
        word = re.match(rb"\s*([A-Za-z-]+)", value)
        kind = word[1].decode().lower() if word else ""
        # RFC 2183: an unknown disposition is an attachment; nonsense before "filename" as well.
        if kind in {"inline", "attachment"}:
            part.disposition, part.disposition_params = kind, parameters.parse(value)
            break
        params = parameters.parse(b"attachment;" + value if b"=" in value else value)
        if "filename" in params and not part.disposition_params:
            part.disposition, part.disposition_params = "attachment", params


# ------------------------------------------------------------------------------------ multiparts


def _split(part: Part, bounds: Bounds, *, depth: int, budget: list[int]) -> None:
    """Finds the parts of a multipart; without any it becomes text."""
    boundary = part.params.get("boundary", "")
    spans = _spans(part, boundary.encode("latin-1", "replace")) if boundary else []
    if not spans:
        guessed = _guessed_boundary(part)
        spans = _spans(part, guessed) if guessed else []
    if not spans:
        # No part can be found: the text must not be lost.
        part.type = "text/plain"
        if re.search(
            rb"<(?:html|body|div|p|br)\b",
            part.whole[part.start : min(part.end, part.start + 4_096)],
            re.IGNORECASE,
        ):
            part.type = "text/html"
        return
    kind = "message/rfc822" if part.type == "multipart/digest" else None
    for start, end in spans:
        if budget[0] <= 0 or depth + 1 >= bounds.depth:
            # The rest stays in one piece, as bytes.
            rest = Part(fields=[], whole=part.whole, start=start, end=part.end)
            rest.type, rest.disposition = "application/octet-stream", "attachment"
            part.children.append(rest)
            return
        part.children.append(
            _part(part.whole, start, end, bounds, depth=depth + 1, budget=budget, kind=kind)
        )


def _spans(part: Part, boundary: bytes) -> list[tuple[int, int]]:
    """Where the parts begin and end; an unclosed last part ends with the content."""
    boundary = boundary.rstrip()
    if not boundary:
        return []
    data, limit = part.whole, part.end
    marker = b"--" + boundary
    marks: list[tuple[int, int, bool]] = []
    at = part.start if data.startswith(marker, part.start, limit) else -1
    if at < 0:
        at = _line_that_begins(data, marker, part.start, limit)
    while at >= 0:
        after = at + len(marker)
        line_end = data.find(b"\n", after, limit)
        line_end = limit if line_end < 0 else line_end
        tail = data[after : min(line_end, after + 200)].strip()
        if tail in {b"", b"--"}:
            marks.append((at, min(line_end + 1, limit), tail == b"--"))
        at = _line_that_begins(data, marker, after, limit)
    spans = []
    for number, (_, start, closes) in enumerate(marks):
        if closes:
            break
        end = limit
        if number + 1 < len(marks):
            # The line end before a boundary belongs to the boundary.
            end = marks[number + 1][0]
            if end > start and data[end - 1] == 10:
                end -= 1
            if end > start and data[end - 1] == 13:
                end -= 1
        spans.append((start, max(start, end)))
    # An empty part after the last boundary is how a lost closing "--" looks.
    if len(spans) > 1 and not data[spans[-1][0] : min(spans[-1][1], spans[-1][0] + 64)].strip():
        spans.pop()
    return spans


def _line_that_begins(data: bytes, marker: bytes, start: int, limit: int) -> int:
    at = data.find(b"\n" + marker, start, limit)
    return at + 1 if at >= 0 else -1


def _guessed_boundary(part: Part) -> bytes | None:
    """The boundary that the parts themselves show: a line ``--x`` followed by a part's header."""
    head = part.whole[part.start : min(part.end, part.start + 65_536)]
    for found in _ANY_BOUNDARY.finditer(head):
        following = head[found.end() : found.end() + 200].lstrip(b"\r\n")
        if re.match(rb"content-", following, re.IGNORECASE):
            return found[1]
    return None
