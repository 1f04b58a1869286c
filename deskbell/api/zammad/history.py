"""The desk's events as Zammad's history: one entry per changed attribute (decision 22)."""

from __future__ import annotations

from typing import Any

from deskbell.api.zammad.assets import Assets
from deskbell.api.zammad.encode.values import minutes, stamp_of
from deskbell.kernel.actor import Actor
from deskbell.kernel.models import Event
from deskbell.tickets import queries

#: Entries of one event; their ids are the event's id times this, and counted.
ENTRIES_PER_EVENT = 100
EVENTS_AT_MOST = 5000
_OBJECTS = {"Article": "Ticket::Article"}


def history_of(object_name: str, object_id: int, *, actor: Actor, root: str) -> dict[str, Any]:
    """What happened to a row at hand, oldest first; with the row itself and who did it."""
    events = Event.objects.filter(object=object_name, object_id=object_id).order_by("id")
    entries: list[dict[str, Any]] = []
    people: set[int] = set()
    for event in events[:EVENTS_AT_MOST]:
        people.add(event.user_id)
        for index, change in enumerate(event.changes[:ENTRIES_PER_EVENT]):
            entries.append(_entry(event, index, change))
    found = Assets(actor, root=root)
    found.add_users(people)
    if object_name == "Ticket":
        found.add_tickets([queries.ticket_row(actor, object_id)])
    elif object_name == "User":
        found.add_users([object_id])
    return {"history": entries, "assets": found.filled()}


def _entry(event: Event, index: int, change: dict[str, Any]) -> dict[str, Any]:
    entry = {
        "id": event.pk * ENTRIES_PER_EVENT + index,
        "o_id": event.object_id,
        "object": event.object,
        "type": change["type"],
        "attribute": change["attribute"],
        "value_from": change["from"] or "",
        "value_to": change["to"] or "",
        "created_by_id": event.user_id,
        "created_at": stamp_of(event.at),
    }
    if change["attribute"] == "time_spent":
        entry["attribute"] = "time_unit"
        for key in ("value_from", "value_to"):
            entry[key] = minutes(int(entry[key])) if entry[key] else ""
    if "id_from" in change:
        entry["id_from"], entry["id_to"] = change["id_from"], change["id_to"]
    if "object" in change:
        entry["related_o_id"] = change["object_id"]
        entry["related_object"] = _OBJECTS.get(change["object"], change["object"])
    return entry
