"""Single values as Zammad writes them."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec


def stamp(value: datetime | str | None) -> str | None:
    """A moment in UTC with milliseconds and ``Z``; ``None`` stays.

    Rows come with aware moments in UTC (PostgreSQL), with naive ones that mean UTC, or with texts
    like ``2026-03-02 09:00:00.123456``, whose fraction is left out where it is zero (SQLite).
    """
    if value is None:
        return None
    if isinstance(value, str):
        iso = value.replace(" ", "T", 1)
        return iso + ".000Z" if len(iso) == 19 else iso[:23] + "Z"
    return value.isoformat(timespec="milliseconds")[:23] + "Z"


def stamp_of(value: datetime | None) -> str | None:
    """The same for a moment of any zone."""
    return stamp(value.astimezone(UTC)) if value is not None and value.tzinfo else stamp(value)


def embedded(text: str | None) -> msgspec.Raw:
    """A JSON column, put into the answer as it stands in the database."""
    return msgspec.Raw((text or "{}").encode())


def minutes(seconds: int | None) -> str | None:
    """Time spent: Zammad shows minutes with one decimal, as a text."""
    return None if seconds is None else f"{seconds / 60:.1f}"
