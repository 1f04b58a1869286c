"""States and priorities as Zammad's objects (contract section 9)."""

from __future__ import annotations

from typing import Any

from deskbell.api.zammad.encode.values import stamp_of
from deskbell.tickets.models import Priority, State


def state(row: State) -> dict[str, Any]:
    """A ticket state."""
    return {
        "id": row.pk,
        "state_type_id": row.type,
        "name": row.name,
        "next_state_id": row.next_state_id,
        "ignore_escalation": row.ignore_escalation,
        "default_create": row.default_create,
        "default_follow_up": row.default_follow_up,
        "note": row.note,
        "active": row.active,
        "updated_by_id": row.updated_by_id,
        "created_by_id": row.created_by_id,
        "created_at": stamp_of(row.created_at),
        "updated_at": stamp_of(row.updated_at),
    }


def priority(row: Priority) -> dict[str, Any]:
    """A ticket priority."""
    return {
        "id": row.pk,
        "name": row.name,
        "default_create": row.default_create,
        "ui_icon": row.ui_icon,
        "ui_color": row.ui_color,
        "note": row.note,
        "active": row.active,
        "updated_by_id": row.updated_by_id,
        "created_by_id": row.created_by_id,
        "created_at": stamp_of(row.created_at),
        "updated_at": stamp_of(row.updated_at),
    }
