"""Points in time as a query names them: ``2026-01``, ``2026-01-31T10:00Z``, ``now-1d/d``.

A name covers a span: the whole month, the day, the minute. Comparisons round as Elasticsearch's do:
``>2026-01-31`` begins after that day, ``<=2026-01-31`` includes it. Everything is UTC unless the
text says otherwise.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

Span = tuple[datetime, datetime]

FIRST = datetime.min.replace(tzinfo=UTC)
LAST = datetime.max.replace(tzinfo=UTC)
_INSTANT = timedelta(microseconds=1)

_DATE = re.compile(
    r"(?P<year>\d{4})(?:-(?P<month>\d\d?)(?:-(?P<day>\d\d?)"
    r"(?:[T ](?P<hour>\d\d?)"
    r"(?::(?P<minute>\d\d)(?::(?P<second>\d\d)(?:[.,](?P<fraction>\d{1,9}))?)?)?"
    r"\s*(?P<zone>Z|z|UTC|[+-]\d\d:?(?:\d\d)?)?)?)?)?\Z"
)
_MATH = re.compile(r"([+-])(\d{0,6})([yMwdhHms])|/([yMwdhHms])")
_UNITS = {
    "w": timedelta(weeks=1),
    "d": timedelta(days=1),
    "h": timedelta(hours=1),
    "H": timedelta(hours=1),
    "m": timedelta(minutes=1),
    "s": timedelta(seconds=1),
}


def span(text: str, now: datetime) -> Span | None:
    """From when (inclusive) until when (exclusive) the text means; ``None`` if it is no time.

    A bare number of other than four digits counts milliseconds since 1970.
    """
    text = text.strip()
    try:
        if text.startswith("now"):
            return _calculate((now, now + _INSTANT), text[3:])
        base, bars, math = text.partition("||")
        if re.fullmatch(r"-?\d{1,3}|-?\d{5,16}", base):
            start = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=int(base))
            known: Span | None = (start, start + timedelta(milliseconds=1))
        else:
            known = _date(base)
        return _calculate(known, math) if known and bars else known
    except (ValueError, OverflowError):
        return None  # the 31st of February, the year 10,000


def _date(text: str) -> Span | None:
    found = _DATE.match(text)
    if not found:
        return None
    part = found.groupdict()
    fraction = (part["fraction"] or "").ljust(6, "0")[:6]
    start = datetime(
        int(part["year"]),
        int(part["month"] or 1),
        int(part["day"] or 1),
        int(part["hour"] or 0),
        int(part["minute"] or 0),
        int(part["second"] or 0),
        int(fraction),
        tzinfo=UTC,
    )
    zone = part["zone"]
    if zone and zone[0] in "+-":
        hours, minutes = int(zone[1:3]), int(zone[3:].lstrip(":") or 0)
        offset = timedelta(hours=hours, minutes=minutes)
        start = start - offset if zone[0] == "+" else start + offset
    if part["fraction"]:
        # Answers show milliseconds, rows keep more: what was read must find its row again.
        length = timedelta(milliseconds=1) if len(part["fraction"]) <= 3 else _INSTANT
        return start, start + length
    for name, unit in (("second", "s"), ("minute", "m"), ("hour", "h"), ("day", "d")):
        if part[name]:
            return start, _add(start, 1, unit)
    return start, _add(start, 1, "M" if part["month"] else "y")


def _calculate(known: Span, math: str) -> Span | None:
    at = 0
    start, end = known
    while at < len(math):
        found = _MATH.match(math, at)
        if not found:
            return None
        at = found.end()
        sign, count, unit, rounding = found.groups()
        if rounding:
            start = _floor(start, rounding)
            end = _add(start, 1, rounding)
        else:
            number = int(count or 1) * (1 if sign == "+" else -1)
            start, end = _add(start, number, unit), _add(end, number, unit)
    return start, end


def _floor(moment: datetime, unit: str) -> datetime:
    moment = moment.replace(microsecond=0)
    if unit == "s":
        return moment
    moment = moment.replace(second=0)
    if unit == "m":
        return moment
    moment = moment.replace(minute=0)
    if unit in "hH":
        return moment
    moment = moment.replace(hour=0)
    if unit == "w":
        return moment - timedelta(days=moment.weekday())
    if unit in "My":
        moment = moment.replace(day=1)
    return moment.replace(month=1) if unit == "y" else moment


def _add(moment: datetime, count: int, unit: str) -> datetime:
    if unit in _UNITS:
        try:
            return moment + count * _UNITS[unit]
        except OverflowError:
            return LAST if count > 0 else FIRST
    months = moment.year * 12 + moment.month - 1 + count * (12 if unit == "y" else 1)
    year, month = divmod(months, 12)
    if not 1 <= year <= 9999:
        return LAST if count > 0 else FIRST
    # The 31st of a shorter month is its last day.
    for day in range(moment.day, 27, -1):
        try:
            return moment.replace(year=year, month=month + 1, day=day)
        except ValueError:
            continue
    return moment.replace(year=year, month=month + 1)
