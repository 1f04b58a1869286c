"""Ticket states and priorities (contract section 9), and the version clients compare with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.http import HttpResponse

from deskbell.api.zammad import errors, names
from deskbell.api.zammad.assets import Objects
from deskbell.api.zammad.decode import values
from deskbell.api.zammad.encode import vocabulary as objects
from deskbell.api.zammad.listing import Kind, index, one
from deskbell.api.zammad.views.base import Call, answer, done, endpoint, needs
from deskbell.kernel.errors import Unknown
from deskbell.tickets import queries
from deskbell.tickets.models import Priority, State
from deskbell.tickets.operations.naming import (
    delete_priority,
    delete_state,
    save_priority,
    save_state,
)
from deskbell.tickets.vocabulary import STATE_TYPE_NAMES

#: A level of Zammad whose API this is; clients choose their ways by it.
VERSION = "7.0.0"
_SORTABLE = frozenset({"id", "name", "active", "created_at", "updated_at"})
_reads = needs("admin.object", "ticket.agent", "ticket.customer")
_writes = needs("admin.object")


def _states_expanded(shown: Objects) -> Objects:
    logins = queries.names_of("user", _people(shown))
    following = queries.names_of("state", {s["next_state_id"] for s in shown} - {None})
    for state in shown:
        state["state_type"] = STATE_TYPE_NAMES[state["state_type_id"]]
        if state["next_state_id"] is not None:
            state["next_state"] = following[state["next_state_id"]]
        state["created_by"] = logins[state["created_by_id"]]
        state["updated_by"] = logins[state["updated_by_id"]]
    return shown


def _priorities_expanded(shown: Objects) -> Objects:
    logins = queries.names_of("user", _people(shown))
    for priority in shown:
        priority["created_by"] = logins[priority["created_by_id"]]
        priority["updated_by"] = logins[priority["updated_by_id"]]
    return shown


def _people(shown: Objects) -> set[int]:
    return {one_[key] for one_ in shown for key in ("created_by_id", "updated_by_id")}


def _state_objects(_call: Call, rows: Sequence[State]) -> Objects:
    return [objects.state(row) for row in rows]


def _priority_objects(_call: Call, rows: Sequence[Priority]) -> Objects:
    return [objects.priority(row) for row in rows]


STATES = Kind("TicketState", _state_objects, _states_expanded, _SORTABLE)
PRIORITIES = Kind("TicketPriority", _priority_objects, _priorities_expanded, _SORTABLE)


def _found(model: Any, text: str, word: str) -> Any:
    id_ = values.row_id(text, word)
    row = model.objects.filter(pk=id_).first()
    if row is None:
        raise Unknown(word, id_)
    return row


@_reads
def list_states(call: Call) -> HttpResponse:
    return index(call, State.objects.all(), STATES)


@_reads
def show_state(call: Call, state_id: str) -> HttpResponse:
    return one(call, _found(State, state_id, "state"), STATES)


@_writes
def create_state(call: Call) -> HttpResponse:
    columns = {"name": "", **_state_columns(call)}
    return one(call, save_state(None, columns, actor=call.actor, at=call.at), STATES, status=201)


@_writes
def update_state(call: Call, state_id: str) -> HttpResponse:
    row = _found(State, state_id, "state")
    return one(call, save_state(row.pk, _state_columns(call), actor=call.actor, at=call.at), STATES)


@_writes
def destroy_state(call: Call, state_id: str) -> HttpResponse:
    delete_state(values.row_id(state_id, "state"), actor=call.actor, at=call.at)
    return done()


@_reads
def list_priorities(call: Call) -> HttpResponse:
    return index(call, Priority.objects.all(), PRIORITIES)


@_reads
def show_priority(call: Call, priority_id: str) -> HttpResponse:
    return one(call, _found(Priority, priority_id, "priority"), PRIORITIES)


@_writes
def create_priority(call: Call) -> HttpResponse:
    columns = {"name": "", **_priority_columns(call)}
    row = save_priority(None, columns, actor=call.actor, at=call.at)
    return one(call, row, PRIORITIES, status=201)


@_writes
def update_priority(call: Call, priority_id: str) -> HttpResponse:
    row = _found(Priority, priority_id, "priority")
    saved = save_priority(row.pk, _priority_columns(call), actor=call.actor, at=call.at)
    return one(call, saved, PRIORITIES)


@_writes
def destroy_priority(call: Call, priority_id: str) -> HttpResponse:
    delete_priority(values.row_id(priority_id, "priority"), actor=call.actor, at=call.at)
    return done()


def _common(call: Call) -> dict[str, Any]:
    params = call.params
    found: dict[str, Any] = {}
    for name in ("name", "note"):
        if params.get(name) is not None:
            found[name] = values.text(name, params[name], limit=250)
    for name in ("active", "default_create"):
        if params.get(name) is not None:
            found[name] = values.boolean(name, params[name])
    return found


def _state_columns(call: Call) -> dict[str, Any]:
    params = call.params
    found = _common(call)
    for name in ("ignore_escalation", "default_follow_up"):
        if params.get(name) is not None:
            found[name] = values.boolean(name, params[name])
    if params.get("state_type") is not None:
        found["type"] = _state_type(params["state_type"])
    elif not values.is_blank(params.get("state_type_id")):
        id_ = values.as_id(params["state_type_id"])
        if id_ not in STATE_TYPE_NAMES:
            raise errors.invalid_param("state_type_id", params["state_type_id"])
        found["type"] = id_
    if params.get("next_state") is not None:
        found["next_state_id"] = names.row_named("state", params["next_state"], key="next_state")
    elif "next_state_id" in params:
        given = params["next_state_id"]
        found["next_state_id"] = (
            None if values.is_blank(given) else names.known_id("state", "next_state_id", given)
        )
    return found


def _state_type(name: Any) -> int:
    for type_, known in STATE_TYPE_NAMES.items():
        if name == known:
            return int(type_)
    raise errors.no_lookup_value("state_type", name)


def _priority_columns(call: Call) -> dict[str, Any]:
    found = _common(call)
    for name in ("ui_icon", "ui_color"):
        if call.params.get(name) is not None:
            found[name] = values.text(name, call.params[name], limit=100)
    return found


@needs("admin", "ticket.agent")
def show_version(_call: Call) -> HttpResponse:
    return answer({"version": VERSION})


states = endpoint(get=list_states, post=create_state)
state = endpoint(get=show_state, put=update_state, delete=destroy_state)
priorities = endpoint(get=list_priorities, post=create_priority)
priority = endpoint(get=show_priority, put=update_priority, delete=destroy_priority)
version = endpoint(get=show_version)
