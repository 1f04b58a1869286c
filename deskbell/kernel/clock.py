"""The one place that asks what time it is. Faces and jobs ask once and pass ``at`` down."""

from __future__ import annotations

from datetime import UTC, datetime


def now() -> datetime:
    """The present moment in UTC, with microseconds."""
    return datetime.now(UTC)
