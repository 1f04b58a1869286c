"""Single header fields: dates, message ids, subjects."""

from __future__ import annotations

import hashlib
import re
from datetime import UTC, datetime, timedelta, timezone
from email.utils import parsedate_tz

from deskbell.mail.reading import charsets, words

REFERENCES = 10_000
_ID_SIZE = 998

_BRACKETED = re.compile(r"<([^<>]{1,1200})>")
_MONTHS = {
    name: number
    for number, names in enumerate(
        ("jan ene gen", "feb fev fév", "mar mär mrz", "apr abr avr", "may mai mei maj", "jun juin",
         "jul juil", "aug ago aoû", "sep set", "oct okt ott out", "nov", "dec dez dic dét"), 1,
    )
    for name in names.split()
}  # fmt: skip
_LOOSE_DATE = re.compile(
    r"(\d{1,2})[ ./-]+([A-Za-zäéû]{3,10})\.?[ ,./-]+(\d{2,4})(?!\d)"
    r"(?:[ ,]+(\d{1,2}):(\d{2})(?::(\d{2}))?)?"
    r"\s*(?:(AM|PM)\b)?\s*([+-]\d{4})?",
    re.IGNORECASE,
)
#: Names of zones that RFC 5322 does not know, and that mean one thing.
_ZONES = {
    "CET": 1, "MEZ": 1, "MET": 1, "CEST": 2, "MESZ": 2, "MEST": 2, "WEST": 1, "BST": 1,
    "EET": 2, "EEST": 3, "MSK": 3, "JST": 9, "KST": 9, "HKT": 8, "SGT": 8, "AWST": 8,
    "AEST": 10, "AEDT": 11, "NZST": 12, "NZDT": 13, "BRT": -3, "AKST": -9, "AKDT": -8, "HST": -10,
}  # fmt: skip
_ZONE = re.compile(r"(?<=[\d ])(?:" + "|".join(_ZONES) + r")\b(?!\s?[+-]\d{4})")
_CTIME = re.compile(
    r"^[A-Za-z]{3,9},? ([A-Za-z]{3}) (\d{1,2}) (\d{1,2}:\d{2}(?::\d{2})?) (\d{4})\b"
)
_HALF_DAY = re.compile(r"\d\s?[ap]m\b", re.IGNORECASE)
_NAMED_OFFSET = re.compile(r"\b(?:GMT|UTC?)\s?([+-]\d)")
_COLON_OFFSET = re.compile(r"([+-]\d{2}):(\d{2})\b")
_ISO_DATE = re.compile(
    r"(\d{4})-(\d{2})-(\d{2})"
    r"(?:[T ](\d{1,2}):(\d{2})(?::(\d{2}))?(?:\.\d+)?\s*(Z|[+-]\d{2}:?\d{2})?)?"
)


def subject(value: bytes | None, hint: str | None = None) -> str:
    """A subject on one line; "" when there is none."""
    return words.decode(value, hint) if value else ""


def date(value: str) -> datetime | None:
    """The moment in UTC; ``None`` for what no calendar knows (29 o'clock, year 0)."""
    text = " ".join(charsets.clean(value).split())[:200]
    if not text:
        return None
    text = _NAMED_OFFSET.sub(r"\1", text)
    offset = ""
    if zone := _ZONE.search(text):
        # "Tue Mar 3 09:15:22 CET 2026": the year may follow.
        text = text[: zone.start()] + text[zone.end() :]
        offset = f" {_ZONES[zone[0]]:+03d}00"
    text = _CTIME.sub(r"\2 \1 \4 \3", " ".join(text.split()))
    text = _COLON_OFFSET.sub(r"\1\2", text) + offset
    try:
        if _HALF_DAY.search(text):
            return _loose_date(text)
        return _rfc_date(text) or _loose_date(text)
    except (ValueError, OverflowError, IndexError, TypeError):
        return None


def _rfc_date(text: str) -> datetime | None:
    parsed = parsedate_tz(text)
    if parsed is None or not 1 <= parsed[1] <= 12:
        return None
    try:
        zone = timezone(timedelta(seconds=parsed[9] or 0))
        second = min(parsed[5], 59)
        moment = datetime(*parsed[:5], second, tzinfo=zone)
    except (ValueError, OverflowError):
        return None
    return moment.astimezone(UTC) if 1970 <= moment.year <= 9000 else None


def _loose_date(text: str) -> datetime | None:
    if found := _ISO_DATE.search(text):
        year, month, day = (int(number) for number in found.group(1, 2, 3))
        hour, minute, second = (int(number or 0) for number in found.group(4, 5, 6))
        offset = found[7] or ""
    elif found := _LOOSE_DATE.search(text):
        day, year = int(found[1]), int(found[3])
        month = _MONTHS.get(found[2][:3].lower(), 0)
        if not month:
            return None
        year += 0 if year > 99 else 2000 if year < 70 else 1900
        hour, minute, second = (int(number or 0) for number in found.group(4, 5, 6))
        if found[7]:
            hour = hour % 12 + (12 if found[7].upper() == "PM" else 0)
        offset = found[8] or ""
    else:
        return None
    seconds = 0
    if len(offset) >= 5:
        digits = offset.replace(":", "")
        seconds = (int(digits[1:3]) * 60 + int(digits[3:5])) * (-60 if digits[0] == "-" else 60)
    zone = timezone(timedelta(seconds=seconds))
    return datetime(year, month, day, hour, minute, second, tzinfo=zone).astimezone(UTC)


def message_id(value: str) -> str:
    """One message id without its brackets; "" when there is none."""
    ids = message_ids(value, limit=1)
    return ids[0] if ids else ""


def message_ids(value: str, *, limit: int = REFERENCES) -> tuple[str, ...]:
    """All message ids of a field in order, without brackets.

    In-Reply-To may hold phrases besides; without any brackets, words with an @ count.
    """
    found: list[str] = []
    for hit in _BRACKETED.finditer(value):
        inner = re.sub(r"\s+", "", charsets.clean(hit[1]))
        if inner:
            found.append(inner)
        if len(found) >= limit:
            break
    if not found and "<" not in value.replace("<>", ""):
        words_ = charsets.clean(value).strip().strip("<>").split()
        found = [word.strip("<>,;\"'")[:_ID_SIZE] for word in words_[:limit] if "@" in word]
        if not found and len(words_) == 1:
            found = words_
    elif not found:
        # An opening bracket without a closing one.
        found = [
            word.strip("<>,;")[:_ID_SIZE]
            for word in charsets.clean(value).split()[:limit]
            if "@" in word
        ]
    return tuple(found)


def made_message_id(raw: bytes, fqdn: str = "") -> str:
    """A stable id for a message that came without one: made of its bytes."""
    digest = hashlib.sha256(raw).hexdigest()[:32]
    return f"generated.{digest}@{fqdn or 'mail.invalid'}"
