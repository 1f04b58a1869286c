"""Time spent as Zammad accounts for it: minutes, as a text with one decimal (decision 43)."""

from __future__ import annotations

from typing import Any

from deskbell.api.zammad.encode.values import minutes, stamp, stamp_of
from deskbell.tickets.models import TimeEntry, TimeType
from deskbell.tickets.queries import TimeRow


def time_entry(row: TimeRow | TimeEntry) -> dict[str, Any]:
    """Time spent on a ticket."""
    return {
        "id": row.id,
        "ticket_id": row.ticket_id,
        "ticket_article_id": row.article_id,
        "time_unit": minutes(row.seconds),
        "type_id": row.type_id,
        "created_by_id": row.created_by_id,
        "created_at": stamp(row.created_at),
        "updated_at": stamp(row.updated_at),
    }


def time_type(row: TimeType) -> dict[str, Any]:
    """What time may be spent on."""
    return {
        "id": row.pk,
        "name": row.name,
        "note": row.note,
        "active": row.active,
        "created_by_id": row.created_by_id,
        "updated_by_id": row.updated_by_id,
        "created_at": stamp_of(row.created_at),
        "updated_at": stamp_of(row.updated_at),
    }
