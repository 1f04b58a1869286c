"""Tickets as Zammad's objects (contract section 6.1)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from django.utils.dateparse import parse_datetime

from deskbell.api.zammad.encode.values import embedded, minutes, stamp, stamp_of
from deskbell.tickets.fields import EMPTY_TEXT_TYPES
from deskbell.tickets.queries import FieldRow, TicketRow
from deskbell.tickets.vocabulary import (
    ARTICLE_TYPE_NAMES,
    SENDER_NAMES,
    ArticleType,
    Sender,
    StateType,
)

TICKET_KEYS = frozenset(
    {
        "id",
        "group_id",
        "priority_id",
        "state_id",
        "owner_id",
        "customer_id",
        "organization_id",
        "number",
        "title",
        "note",
    }
)

#: As plain numbers, which are found faster than members of an enumeration.
_PENDING = frozenset(int(type_) for type_ in StateType if type_.is_pending)


def ticket(row: TicketRow, fields: Sequence[FieldRow]) -> dict[str, Any]:
    """The columns of a ticket, what the desk adds to them, and its custom fields by name."""
    shown = {
        "id": row.id,
        "group_id": row.group_id,
        "priority_id": row.priority_id,
        "state_id": row.state_id,
        "organization_id": row.organization_id,
        "number": row.number,
        "title": row.title,
        "owner_id": row.owner_id,
        "customer_id": row.customer_id,
        "note": row.note,
        "first_response_at": stamp(row.first_response_at),
        "first_response_escalation_at": stamp(row.first_response_escalation_at),
        "first_response_in_min": row.first_response_in_min,
        "first_response_diff_in_min": row.first_response_diff_in_min,
        "close_at": stamp(row.close_at),
        "close_escalation_at": stamp(row.close_escalation_at),
        "close_in_min": row.close_in_min,
        "close_diff_in_min": row.close_diff_in_min,
        "update_escalation_at": stamp(row.update_escalation_at),
        "update_in_min": row.update_in_min,
        "update_diff_in_min": row.update_diff_in_min,
        "last_close_at": stamp(row.last_close_at),
        "last_contact_at": stamp(row.last_contact_at),
        "last_contact_agent_at": stamp(row.last_contact_agent_at),
        "last_contact_customer_at": stamp(row.last_contact_customer_at),
        "last_owner_update_at": stamp(row.last_owner_update_at),
        "create_article_type_id": row.create_article_type,
        "create_article_sender_id": row.create_article_sender,
        "article_count": row.article_count,
        "escalation_at": stamp(row.escalation_at),
        "pending_time": stamp(row.pending_time),
        "type": row.type,
        "time_unit": minutes(row.time_spent),
        "preferences": {} if row.preferences == "{}" else embedded(row.preferences),
        "checklist_id": None,
        "updated_by_id": row.updated_by_id,
        "created_by_id": row.created_by_id,
        "created_at": stamp(row.created_at),
        "updated_at": stamp(row.updated_at),
        "due_date": stamp(row.due_date),
        # SQLite hands out 0 and 1.
        "on_hold": bool(row.on_hold) or row.state_type in _PENDING,
        "resolution": row.resolution,
    }
    if fields:
        shown.update(custom_values(row.custom, fields))
    return shown


def custom_values(custom: str, fields: Sequence[FieldRow]) -> dict[str, Any]:
    """Custom fields by name, with what an unset one reads as."""
    values = msgspec.json.decode(custom) if custom and custom != "{}" else {}
    return {field.name: custom_value(field, values.get(field.name)) for field in fields}


def custom_value(field: FieldRow, value: Any) -> Any:
    """A stored value as clients read it; moments in this dialect's form."""
    if value is None:
        if field.type in EMPTY_TEXT_TYPES:
            return ""
        return False if field.type == "boolean" else None
    if field.type == "datetime":
        return stamp_of(parse_datetime(value))
    return value


def with_ids(
    shown: dict[str, Any], article_ids: Sequence[int], time_ids: Sequence[int]
) -> dict[str, Any]:
    """The form of create, update, search and assets: columns and ids of what hangs on it."""
    shown["article_ids"] = article_ids
    shown["ticket_time_accounting_ids"] = time_ids
    return shown


def expanded(
    shown: dict[str, Any],
    *,
    logins: Mapping[int, str],
    groups: Mapping[int, str],
    organizations: Mapping[int, str],
    states: Mapping[int, str],
    priorities: Mapping[int, str],
) -> dict[str, Any]:
    """Names beside the ids. ``shown`` has its ids already; a null relation has no name."""
    shown["ticket_time_accounting"] = []
    shown["group"] = groups[shown["group_id"]]
    if shown["organization_id"] is not None:
        shown["organization"] = organizations[shown["organization_id"]]
    shown["state"] = states[shown["state_id"]]
    shown["priority"] = priorities[shown["priority_id"]]
    shown["owner"] = logins[shown["owner_id"]]
    shown["customer"] = logins[shown["customer_id"]]
    shown["created_by"] = logins[shown["created_by_id"]]
    shown["updated_by"] = logins[shown["updated_by_id"]]
    if shown["create_article_type_id"] is not None:
        shown["create_article_type"] = ARTICLE_TYPE_NAMES[
            ArticleType(shown["create_article_type_id"])
        ]
        shown["create_article_sender"] = SENDER_NAMES[Sender(shown["create_article_sender_id"])]
    return shown
