"""States and priorities: the rows that administrators may add and rename."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import ProtectedError

from deskbell.kernel.actor import Actor
from deskbell.kernel.errors import Invalid, Refused, Unknown
from deskbell.kernel.events import Change, record
from deskbell.kernel.text import fold
from deskbell.tickets.models import Priority, State
from deskbell.tickets.vocabulary import CLOSED, DUPLICATE, OPEN, StateId, StateType

STATE_COLUMNS = frozenset(
    {
        "name",
        "type",
        "next_state_id",
        "ignore_escalation",
        "default_create",
        "default_follow_up",
        "note",
        "active",
    }
)
PRIORITY_COLUMNS = frozenset({"name", "default_create", "ui_icon", "ui_color", "note", "active"})
#: Rows that the desk's own rules move tickets to.
_SEEDED_STATES = frozenset(int(id_) for id_ in StateId)
_SEEDED_PRIORITIES = frozenset(range(1, 6))
#: What django-helpdesk's clients read for a new state, by its type (decision 18).
_NUMBER_FOR_TYPE = {
    StateType.CLOSED: CLOSED,
    StateType.REMOVED: CLOSED,
    StateType.MERGED: DUPLICATE,
}


@dataclass(frozen=True, slots=True)
class VocabularyChanged:
    """A state or a priority was made, changed or removed."""

    object_name: str
    object_id: int
    number: str
    changes: tuple[Change, ...] = ()


@transaction.atomic
def save_state(
    state_id: int | None, columns: Mapping[str, Any], *, actor: Actor, at: datetime
) -> State:
    """Create (id ``None``) or change a state; exactly one is the default for new tickets.

    The type of a state that tickets are in, or that the desk's rules name, stays. Raises
    :class:`Unknown`, :class:`Invalid` (``name`` ``required``/``too_long``/``taken``,
    ``state_type_id`` ``required``/``bad``/``not_selectable``, ``next_state_id`` ``unknown``).
    """
    row: State = _row(State, state_id, "state", actor=actor, at=at)
    old_name, old_type = (row.name, row.type) if state_id is not None else (None, None)
    _assign(row, columns, STATE_COLUMNS)
    if row.type is None:
        raise Invalid("state_type_id", "required")
    if row.type not in StateType._value2member_map_:
        raise Invalid("state_type_id", "bad", row.type)
    is_other = old_type is not None and row.type != old_type
    if is_other and (row.pk in _SEEDED_STATES or row.tickets.exists()):
        raise Invalid("state_type_id", "not_selectable", row.type)
    if old_type != row.type:
        row.helpdesk_number = _NUMBER_FOR_TYPE.get(StateType(row.type), OPEN)
    if row.next_state_id is not None and not State.objects.filter(pk=row.next_state_id).exists():
        raise Invalid("next_state_id", "unknown", row.next_state_id)
    _save(row)
    for flag in ("default_create", "default_follow_up"):
        _keep_one_default(row, flag)
    _record("State", row, old_name, actor=actor, at=at)
    return row


@transaction.atomic
def save_priority(
    priority_id: int | None, columns: Mapping[str, Any], *, actor: Actor, at: datetime
) -> Priority:
    """Create (id ``None``) or change a priority; exactly one is the default for new tickets.

    Raises :class:`Unknown`, :class:`Invalid` (``name`` ``required``/``too_long``/``taken``).
    """
    row: Priority = _row(Priority, priority_id, "priority", actor=actor, at=at)
    old_name = row.name if priority_id is not None else None
    _assign(row, columns, PRIORITY_COLUMNS)
    _save(row)
    _keep_one_default(row, "default_create")
    _record("Priority", row, old_name, actor=actor, at=at)
    return row


@transaction.atomic
def delete_state(state_id: int, *, actor: Actor, at: datetime) -> None:
    """Remove a state no ticket is in. Raises :class:`Unknown`, :class:`Refused` (``in_use``)."""
    _delete(State, state_id, "state", _SEEDED_STATES, actor=actor, at=at)


@transaction.atomic
def delete_priority(priority_id: int, *, actor: Actor, at: datetime) -> None:
    """Remove a priority no ticket has. Raises :class:`Unknown`, :class:`Refused` (``in_use``)."""
    _delete(Priority, priority_id, "priority", _SEEDED_PRIORITIES, actor=actor, at=at)


def _row(model: type[Any], id_: int | None, word: str, *, actor: Actor, at: datetime) -> Any:
    if id_ is None:
        row = model(created_by_id=actor.user_id, created_at=at)
    else:
        row = model.objects.select_for_update().filter(pk=id_).first()
        if row is None:
            raise Unknown(word, id_)
    row.updated_by_id = actor.user_id
    row.updated_at = at
    return row


def _assign(row: Any, columns: Mapping[str, Any], allowed: frozenset[str]) -> None:
    for name, value in columns.items():
        if name not in allowed:
            raise ValueError(name)
        setattr(row, name, value)


def _save(row: Any) -> None:
    row.name = row.name.strip()
    if not row.name:
        raise Invalid("name", "required")
    for name in ("name", "note", "ui_icon", "ui_color"):
        text = getattr(row, name, None)
        limit = row._meta.get_field(name).max_length if text else 0
        if text and len(text) > limit:
            raise Invalid(name, "too_long", text, limit=limit)
    row.name_key = fold(row.name)
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError:
        raise Invalid("name", "taken", row.name) from None


def _keep_one_default(row: Any, flag: str) -> None:
    """A new default takes the place of the old one; the last one stays."""
    model = type(row)
    if getattr(row, flag):
        model.objects.exclude(pk=row.pk).filter(**{flag: True}).update(**{flag: False})
    elif not model.objects.filter(**{flag: True}).exists():
        setattr(row, flag, True)
        row.save(update_fields=[flag])


def _delete(
    model: type[Any],
    id_: int,
    word: str,
    seeded: frozenset[int],
    *,
    actor: Actor,
    at: datetime,
) -> None:
    row = model.objects.filter(pk=id_).first()
    if row is None:
        raise Unknown(word, id_)
    if id_ in seeded or row.default_create or getattr(row, "default_follow_up", False):
        raise Refused("in_use")
    try:
        with transaction.atomic():
            row.delete()
    except (ProtectedError, IntegrityError):
        raise Refused("in_use") from None
    happening = VocabularyChanged(
        model.__name__, id_, row.name, (Change("name", old=row.name, type="removed"),)
    )
    record(happening, actor=actor, at=at)


def _record(name: str, row: Any, old: str | None, *, actor: Actor, at: datetime) -> None:
    if old is None:
        changes: tuple[Change, ...] = (Change("name", new=row.name, type="created"),)
    else:
        changes = (Change("name", old, row.name),) if old != row.name else ()
    record(VocabularyChanged(name, row.pk, row.name, changes), actor=actor, at=at)
