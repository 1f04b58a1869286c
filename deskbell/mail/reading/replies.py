"""The new text of a reply, apart from quoted history and signature.

Each line gets a letter for what it is (text, empty, quote, attribution, header of a quoted mail,
delimiter, device signature), and the order of the letters decides where the history begins; the
approach is that of Discourse's email_reply_trimmer, which is the best that was found. Nothing is
deleted: whoever shows the entry folds what is in the body and not in the reply. A forward without
words of its own is its content.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache

from deskbell.mail.reading import phrases

_LINES = 3_000
_LINE = 2_000
#: No line that marks something is longer.
_MARKER = 250
_HEADER_BLOCK = 40

TEXT, EMPTY, QUOTE, ATTRIBUTION, HEADER, DELIMITER, DEVICE, ABOVE = "teqbhdsx"

#: Characters that show nothing: joiners, marks and embeddings of direction, soft hyphens.
_UNSEEN = dict.fromkeys(
    [0xAD, 0x61C, 0x2060, 0xFEFF, *range(0x200B, 0x2010), *range(0x202A, 0x202F),
     *range(0x2066, 0x206A)]
)  # fmt: skip

# ------------------------------------------------------------------------------------ the lines

_DELIMITER = re.compile(r"^[\s\u00a0]*[-_,=+~#*ᐧ—–―⸺]+[\s\u00a0]*$")
_SIGNATURE = re.compile(r"^\s*(?:-{2,3}|—|_{5,})\s*$")
_QUOTE = re.compile(r"^[\s\u00a0]*(?:[A-Za-z]{0,4}>|\|(?!.*\|\s*$))")

#: Anything that may belong to a date.
_DATE = re.compile(
    r"""\d{1,4}[./-]\d{1,2}[./-]\d{1,4} | \d{1,2}[:.]\d{2} | \b(?:19|20)\d{2}\b | \d{4}年 | \d{1,2}\s*月 | \d{1,2}\.?\s+\w{3,}""",
    re.VERBOSE,
)
#: A day of a year, in figures or with the name of a month in any script; and a time of day.
_DAY = re.compile(
    r"""\d{1,4}\s?[./年-]\s?\d{1,2}\s?[./月-]\s?\d{1,4} | \d{4}\.\s(?:\w\.\s)?\d{1,2}
      | \d{1,2}(?:\.|st|nd|rd|th)?[\s,/-]+(?:(?:de|ב)\s?)?[^\W\d_][^\d,;:<>@]{1,14}[\s,/.-]+(?:de\s+)?\d{2,4}
      | [^\W\d_]{3,12}\.?\s+\d{1,2}(?:st|nd|rd|th)?,?\s+\d{4} | \d{4}\.?\s+(?:g\.\s+)?[^\W\d_]{3,12}\.?\s+\d{1,2}
      | \d{4}\.\s[^\W\d_]{3,12}\.\s\d{1,2}""",
    re.VERBOSE,
)
_TIME = re.compile(r"(?<![\d.])\d{1,2}[:.]\d{2}(?!\d)(?!\.\d{4})")
_ADDRESS = re.compile(r"[<(\[]\s*(?:mailto:)?[^\s<>()@]{1,100}@[\w.-]{1,200}\s*[>)\]]")
#: GroupWise stands the attribution in the quotation itself.
_ANGLED = re.compile(r"^\s*>{2,3}\s*\S.{0,200}\d.{0,60}>{2,3}\s*$")
_MAIL = re.compile(r"[\w.+=/'!#$%&*?^`{|}~-]{1,100}@[\w.-]{1,200}")
_STARTS_WITH_DATE = re.compile(
    r"""^[\s*_"'>]*+(?:
        (?:19|20)\d{2}[-/.年]\s?\d{1,2}[-/.月]\s?\d{1,2}日?[\s,T]
      | \d{1,2}[./-]\d{1,2}[./-]\d{2,4}[\s,]
      | \d{1,2}\.?\s+(?:de\s+)?[^\W\d_]{3,12}\.?,?\s+(?:de\s+)?(?:\d{4}|\d{1,2}:\d{2}|kl)
      | (?:[^\W\d_]{2,12}\.?,\s*)\d{1,2}\.?\s+[^\W\d_]{3,12}\.?\s+\d{4}
      | [^\W\d_]{3,12}\.?\s+\d{1,2},\s+\d{4}
    )""",
    re.VERBOSE,
)
_GMT_NAME = re.compile(
    r"^[\s*_]*\d{4}[-/]\d{1,2}[-/]\d{1,2}(?:\s+\d{1,2}:\d{2}(?::\d{2})?)?(?:\s+(?:GMT|UTC)?\s?[+-]?\d{0,2}:?\d{0,2})?\s+[^\s:][^:]{1,150}?(?:<[^<>\s]+>)?\s*:?\s*$"
)
_ZONE = re.compile(r"\b(?:GMT|UTC)\b")
#: Our own and other desks' line above which the answer stands.
_ABOVE = re.compile(
    r"""^[\s>*_#-]*+(?:please\s+)?(?:(?:type|write|enter)\s+your\s+(?:reply|response|answer)|reply|respond|write|antworten?\s+sie|(?:bitte\s+)?(?:oberhalb|über)\s+dieser\s+(?:linie|zeile)
        |répondez|veuillez\s+répondre|responda|rispondi|reageer)\b[^\n]{0,40}?
        (?:above\s+(?:this|the)\s+line|above\s+here|oberhalb\s+dieser|über\s+dieser|antworten|au-dessus\s+de\s+cette\s+ligne|encima\s+de\s+esta|sopra\s+(?:a\s+)?questa|boven\s+deze)[^\n]{0,60}$""",
    re.IGNORECASE | re.VERBOSE,
)
_PGP_HEAD = re.compile(
    r"^-----BEGIN PGP SIGNED MESSAGE-----[ \t]*\n(?:(?:Hash|NotDashEscaped):[^\n]*\n)*",
    re.MULTILINE,
)
_PGP_BEGIN, _PGP_END = "-----BEGIN PGP SIGNATURE-----", "-----END PGP SIGNATURE-----"


def _without_armour(text: str) -> str:
    """The text of a message that is signed in its text, without what signs it."""
    text = _PGP_HEAD.sub("", text)
    out = []
    at = 0
    while (start := text.find(_PGP_BEGIN, at)) >= 0:
        end = text.find(_PGP_END, start)
        if end < 0:
            break
        out.append(text[at:start])
        at = end + len(_PGP_END)
    return "".join(out) + text[at:]


def new_text(body: str, *, is_answer: bool = True) -> str:
    """The newly written text of a body; the whole body where there is no telling.

    In a message that answers nothing a ruler is part of the text (a form, a log), and only the
    dashes of a signature end it.
    """
    text = _without_armour(body).strip("\n") if "-----BEGIN PGP" in body else body.strip("\n")
    lines = text.split("\n")
    # Of a very long text only the beginning is judged; history that begins there ends it.
    rest = lines[_LINES:]
    kinds, lines = _marked(lines[:_LINES])
    if not is_answer:
        kinds = "".join(
            TEXT if kind == DELIMITER and not _SIGNATURE.match(line) else kind
            for kind, line in zip(kinds, lines, strict=True)
        )
    kept = _cut(kinds, lines)
    if rest and len(kept) == len(lines):
        kept += rest
    reply = _joined(kept)
    return reply if reply else text.strip()


def is_answer(subject: str) -> bool:
    """Whether a subject says that the message answers another one."""
    return phrases.ANSWER_SUBJECT.match(subject) is not None


def is_forward(subject: str, body: str) -> bool:
    """Whether the message passes another one on."""
    if phrases.FORWARD_SUBJECT.match(subject):
        return True
    return any(
        phrases.is_forward_marker(line)
        for line in body[:200_000].split("\n")[:_LINES]
        if len(line) <= _MARKER
    )


def is_attribution(line: str) -> bool:
    """Whether one line above a quotation says whom it quotes, or that it is a forward."""
    kind = _kind(line[:_LINE].translate(_UNSEEN))
    return kind == ATTRIBUTION or _attribution([line, "> "], 0) == 1


def _joined(lines: list[str]) -> str:
    return "\n".join(lines).strip("\n \t\u00a0")


# ---------------------------------------------------------------------------------------- marking


def _marked(given: list[str]) -> tuple[str, list[str]]:
    """One letter per line; attributions that were wrapped are put together on one line.

    Judged without what shows nothing (emoji and Persian need it, so the lines keep it).
    """
    lines = [line if line.isascii() else line.translate(_UNSEEN) for line in given]
    kinds: list[str] = []
    out: list[str] = []
    seen: list[str] = []
    at = 0
    while at < len(lines):
        used = _attribution(lines, at)
        if used and not (used > 1 and _begins_below(lines, at, used)):
            kinds.append(ATTRIBUTION)
            out.append(" ".join(part.strip() for part in given[at : at + used]))
            seen.append("")
            at += used
        else:
            kinds.append(_kind(lines[at][:_LINE]))
            out.append(given[at])
            seen.append(lines[at])
            at += 1
    _mark_headers(kinds, seen)
    _unmark_devices(kinds)
    return "".join(kinds), out


def _kind(line: str) -> str:
    bare = line.strip().strip("\u00a0")
    if not bare:
        return EMPTY
    if _QUOTE.match(line):
        return ATTRIBUTION if _ANGLED.match(line) and _DATE.search(line) else QUOTE
    if len(bare) <= _MARKER and (
        phrases.is_original_marker(line) or phrases.is_forward_marker(line)
    ):
        return ATTRIBUTION
    if len(bare) <= _MARKER and _ABOVE.match(line):
        return ABOVE
    if _DELIMITER.match(line):
        return DELIMITER
    if len(bare) <= 200 and phrases.DEVICE.match(line):
        return DEVICE
    return TEXT


def _attribution(lines: list[str], at: int) -> int:
    """How many lines from here are one "On … wrote:"; 0 when none is."""
    first = lines[at][:_LINE].strip().strip("\u00a0")
    if not first or _QUOTE.match(first) or len(first) > 300:
        return 0
    begins = _begins(first)
    if (
        not begins
        and "@" not in first
        and not first.endswith("<")
        and not _says_wrote(first)
        and not _DAY.search(first)
    ):
        return 0
    joined = ""
    for count in range(1, 5):
        if at + count > len(lines):
            break
        line = lines[at + count - 1].strip()
        if not line or (count > 1 and (_QUOTE.match(line) and not line.startswith(">:"))):
            break
        joined = f"{joined} {line}".strip()
        if len(joined) > 400:
            break
        # What cannot be the end of one costs nothing.
        if not joined.rstrip("*_ \u00a0").endswith((":", "：", ">")) and not (
            begins and (_says_wrote(line) or _ZONE.search(line))
        ):
            continue
        following = next(
            (after for after in lines[at + count : at + count + 3] if after.strip()), ""
        )
        if _is_attribution(joined, begins=begins, quoted=_QUOTE.match(following) is not None):
            return count
    return 0


@lru_cache(maxsize=512)
def _says_wrote(line: str) -> bool:
    return phrases.WROTE.search(line[:400]) is not None


@lru_cache(maxsize=512)
def _begins(line: str) -> bool:
    return phrases.ON.match(line) is not None or _STARTS_WITH_DATE.match(line) is not None


def _begins_below(lines: list[str], at: int, used: int) -> bool:
    """Whether a run of lines swallows text above the attribution: that begins further down."""
    first = lines[at].strip()
    is_likely = _begins(first) and _DATE.search(first) is not None
    for count in range(1, used):
        below = lines[at + count].strip()
        if _STARTS_WITH_DATE.match(below):
            anew = not is_likely or len(first) > 40
        else:
            anew = not is_likely and phrases.ON.match(below) is not None
        if anew and _attribution(lines, at + count):
            return True
    return False


@lru_cache(maxsize=256)
def _is_attribution(text: str, *, begins: bool, quoted: bool) -> bool:
    """Whether the text says who wrote the quotation below, and when.

    A day, a time and a mailbox that end with a colon are enough in any language; otherwise the
    verb of one is needed, or the quotation itself.
    """
    if text.count("@") > 6 or text.count("<") > 8:
        return False
    bare = text.rstrip("*_ \u00a0")
    ends = bare.endswith((":", "："))
    has_mail = "@" in text and _MAIL.search(text) is not None
    has_date = _DATE.search(text) is not None
    if not has_mail and not has_date and not (ends and quoted):
        return False
    said = [found.end() for found in phrases.WROTE.finditer(text)]
    wrote = bool(said)
    is_full = has_date and _DAY.search(text) is not None and _TIME.search(text) is not None
    if phrases.NARRATES.search(text) and not quoted:
        return False
    if ends and is_full and (wrote or _ADDRESS.search(text) or (has_mail and quoted)):
        return True
    last = wrote and len(bare) - said[-1] <= 60
    if last and (ends or begins) and (has_date or has_mail) and (begins or has_mail or quoted):
        return True
    if ends and quoted and len(text) < 200:
        if wrote or has_mail or is_full or text.startswith("["):
            return True
        if begins and phrases.SAID.search(text):
            return True
    if begins and _GMT_NAME.match(text) and (quoted or bare.endswith(">") or _ZONE.search(text)):
        return True
    # Whatever language says it without a known verb.
    if ends and has_date and has_mail and (begins or quoted or phrases.SAID.search(text)):
        return True
    if has_date and has_mail and quoted and begins and bare.endswith(">"):
        return True
    return ends and wrote and has_date and begins


def _mark_headers(kinds: list[str], lines: list[str]) -> None:
    """Marks blocks of three or more different mail headers (two after a marker) as such."""
    found = [
        None if kind in (EMPTY, QUOTE) else phrases.field_of(line[:_MARKER])
        for kind, line in zip(kinds, lines, strict=True)
    ]
    at = 0
    while at < len(lines):
        hit = found[at]
        if hit is None:
            if kinds[at] == TEXT and (last := _end_of_notes(lines, at)):
                kinds[at : last + 1] = [HEADER] * (last + 1 - at)
                at = last
            at += 1
            continue
        names, last, gap = {hit}, at, 0
        for position in range(at + 1, min(len(lines), at + _HEADER_BLOCK)):
            hit = found[position]
            if hit is not None:
                names.add(hit)
                last, gap = position, 0
            elif kinds[position] == EMPTY:
                gap += 1
            else:
                # A long list of recipients goes on in the next line.
                gap += 2 if gap == 0 else 3
            if gap > 2:
                break
        above = (kinds[back] for back in range(at - 1, max(-1, at - 4), -1))
        before = next((kind for kind in above if kind != EMPTY), "")
        needed = 2 if before in {ATTRIBUTION, DELIMITER} else 3
        real = names & {"from", "sent", "date", "subject", "to"}
        # A journey has a start, an end and a day as well, but neither subject nor mailbox.
        is_mail = (
            needed == 2 or "subject" in names or any("@" in one for one in lines[at : last + 1])
        )
        if len(names) >= needed and len(real) >= 2 and is_mail and names & {"from", "sent", "date"}:
            kinds[at : last + 1] = [HEADER] * (last + 1 - at)
            at = last + 1
        else:
            at += 1


def _end_of_notes(lines: list[str], at: int) -> int:
    """Where the head of a mail that Lotus Notes quotes ends: its last line; 0 where none begins.

    Who and when stand on two lines without a name, the others below names without a colon.
    """
    if "@" not in lines[at] or at + 1 >= len(lines):
        return 0
    below = lines[at + 1].strip()
    if len(below) > 40 or not (_DAY.search(below) and _TIME.search(below)):
        return 0
    roles = {}
    for position in range(at + 2, min(len(lines), at + 20)):
        word = lines[position].strip()
        if len(word) <= 20 and (role := phrases.role_of(word)):
            roles[role] = position
    return min(roles["subject"] + 1, len(lines) - 1) if {"to", "subject"} <= set(roles) else 0


def _unmark_devices(kinds: list[str]) -> None:
    """A device has the last word, or a paragraph of its own; within a text it is one's own."""
    if DEVICE not in kinds:
        return
    after = EMPTY
    for at in range(len(kinds) - 1, -1, -1):
        if kinds[at] == DEVICE and after == TEXT:
            beside = kinds[max(at - 1, 0) : at] + kinds[at + 1 : at + 2]
            if any(kind != EMPTY for kind in beside):
                kinds[at] = TEXT
        if kinds[at] != EMPTY:
            after = kinds[at]


# ---------------------------------------------------------------------------------------- cutting


def _cut(kinds: str, lines: list[str]) -> list[str]:
    """The lines that stay."""

    def keep(start: int, end: int | None = None) -> None:
        nonlocal kinds, lines
        kinds, lines = kinds[start:end], lines[start:end]

    def drop(unwanted: Callable[[str], bool]) -> None:
        nonlocal kinds, lines
        lines = [line for kind, line in zip(kinds, lines, strict=True) if not unwanted(kind)]
        kinds = "".join(kind for kind in kinds if not unwanted(kind))

    # Everything below a delimiter or a "reply above this line" is signature or history.
    for number, kind in enumerate(kinds):
        if kind in (DELIMITER, ABOVE):
            if TEXT in kinds[:number] or (
                QUOTE in kinds[:number] and kind == DELIMITER and TEXT not in kinds[number:]
            ):
                keep(0, number)
                break
            if kind == ABOVE and TEXT not in kinds[:number] and DEVICE not in kinds[:number]:
                break
    if kinds.count(TEXT) or kinds.count(QUOTE):
        drop(lambda kind: kind == DEVICE)
    drop(lambda kind: kind in (DELIMITER, ABOVE))
    # The answer may stand below the history.
    if (start := _bottom_reply(kinds)) is not None:
        keep(start)
    # A header block after some text begins the history.
    if found := re.search(r"t[eqb]*?h", kinds):
        end = found.start() + 1
        keep(0, end)
    for number, kind in enumerate(kinds):
        if kind != ATTRIBUTION or not kinds[:number].rstrip(EMPTY).endswith(TEXT):
            continue
        rest = kinds[number + 1 :]
        # Unquoted history, or nothing but history to the end.
        if QUOTE not in rest or TEXT not in rest or re.match(r"e*t", rest):
            keep(0, number)
            break
    # Quotes at the very end, below some text.
    if (found := re.search(r"[qbe]+$", kinds)) and TEXT in kinds[: found.start()]:
        keep(0, found.start())
    drop(lambda kind: kind in (ATTRIBUTION, HEADER))
    return lines


def _bottom_reply(kinds: str) -> int | None:
    """Where the answer begins that stands below an attributed quote; ``None`` without one."""
    tail = re.search(r"t[et]*$", kinds)
    if tail is None:
        return None
    head = kinds[: tail.start()]
    # Only attributions, headers and quotes above; at least one attribution, and quotes after it.
    if TEXT in head or ATTRIBUTION not in head:
        return None
    after = head[head.index(ATTRIBUTION) + 1 :]
    return tail.start() if QUOTE in after else None
