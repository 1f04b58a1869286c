"""Single values as Zammad writes them."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec


def stamp(value: datetime | None) -> str | None:
    """A moment in UTC with milliseconds and ``Z``; ``None`` stays.

    Rows come with aware moments in UTC (PostgreSQL) or naive ones that mean UTC (SQLite).
    """
    return None if value is None else value.isoformat(timespec="milliseconds")[:23] + "Z"


def stamp_of(value: datetime | None) -> str | None:
    """The same for a moment of any zone."""
    return stamp(value.astimezone(UTC)) if value is not None and value.tzinfo else stamp(value)


def embedded(text: str | None) -> msgspec.Raw:
    """A JSON column, put into the answer as it stands in the database."""
    return msgspec.Raw((text or "{}").encode())


def minutes(seconds: int | None) -> str | None:
    """Time spent: Zammad shows minutes with one decimal, as a text."""
    return None if seconds is None else f"{seconds / 60:.1f}"
