"""States, priorities and kinds of time: rows that administrators may add and rename."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import IntegrityError, connection, transaction
from django.db.models import ProtectedError

from deskbell.kernel import columns as kernel_columns
from deskbell.kernel.actor import Actor
from deskbell.kernel.errors import Invalid, Refused, Unknown
from deskbell.kernel.events import Change, record
from deskbell.kernel.text import fold
from deskbell.tickets.models import Priority, State, TimeType
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
TIME_TYPE_COLUMNS = frozenset({"name", "note", "active"})
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
    """A state, a priority or a kind of time was made, changed or removed."""

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
    ``state_type_id`` ``required``/``bad``/``not_selectable``, ``next_state_id`` ``unknown``,
    ``default_create`` or ``default_follow_up`` ``not_selectable`` for a state in which no ticket
    can be at once).
    """
    row: State
    row, before = _row(State, state_id, "state", columns, STATE_COLUMNS)
    old_type = None if before is None else before["type"]
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
    for flag in ("default_create", "default_follow_up"):
        if getattr(row, flag) and not _may_be_default(row):
            raise Invalid(flag, "not_selectable", True)
    _save(row, before, ("default_create", "default_follow_up"), actor=actor, at=at)
    return row


def _may_be_default(row: State) -> bool:
    """Whether tickets may come into the state by themselves: it asks for nothing and is in use."""
    kind = StateType(row.type)
    return row.active and not kind.is_pending and kind not in (StateType.MERGED, StateType.REMOVED)


@transaction.atomic
def save_priority(
    priority_id: int | None, columns: Mapping[str, Any], *, actor: Actor, at: datetime
) -> Priority:
    """Create (id ``None``) or change a priority; exactly one is the default for new tickets.

    Raises :class:`Unknown`, :class:`Invalid` (``name`` ``required``/``too_long``/``taken``,
    ``default_create`` ``not_selectable`` for an inactive one).
    """
    row: Priority
    row, before = _row(Priority, priority_id, "priority", columns, PRIORITY_COLUMNS)
    if row.default_create and not row.active:
        raise Invalid("default_create", "not_selectable", True)
    _save(row, before, ("default_create",), actor=actor, at=at)
    return row


@transaction.atomic
def save_time_type(
    type_id: int | None, columns: Mapping[str, Any], *, actor: Actor, at: datetime
) -> TimeType:
    """Create (id ``None``) or change what time may be spent on.

    Raises :class:`Unknown`, :class:`Invalid` (``name`` ``required``/``too_long``/``taken``).
    """
    row: TimeType
    row, before = _row(TimeType, type_id, "time_type", columns, TIME_TYPE_COLUMNS)
    _save(row, before, (), actor=actor, at=at)
    return row


@transaction.atomic
def delete_state(state_id: int, *, actor: Actor, at: datetime) -> None:
    """Remove a state no ticket is in. Raises :class:`Unknown`, :class:`Refused` (``in_use``)."""
    _delete(State, state_id, "state", _SEEDED_STATES, actor=actor, at=at)


@transaction.atomic
def delete_priority(priority_id: int, *, actor: Actor, at: datetime) -> None:
    """Remove a priority no ticket has. Raises :class:`Unknown`, :class:`Refused` (``in_use``)."""
    _delete(Priority, priority_id, "priority", _SEEDED_PRIORITIES, actor=actor, at=at)


def _row(
    model: type[Any],
    id_: int | None,
    word: str,
    given: Mapping[str, Any],
    allowed: frozenset[str],
) -> tuple[Any, dict[str, Any] | None]:
    """The row with what is given, judged, and what it held before (a new one: ``None``).

    The whole table is locked: it is small, and which row is the default concerns all of them.
    """
    rows = {row.pk: row for row in model.objects.select_for_update().order_by("id")}
    before = None
    if id_ is None:
        row = model()
    else:
        row = rows.get(id_)
        if row is None:
            raise Unknown(word, id_)
        before = {name: getattr(row, name) for name in allowed}
    for name, value in given.items():
        if name not in allowed:
            raise ValueError(name)
        setattr(row, name, value)
    kernel_columns.check(row, [name for name in given if name != "type"])
    row.name = row.name.strip()
    if not row.name:
        raise Invalid("name", "required")
    return row, before


def _save(
    row: Any,
    before: Mapping[str, Any] | None,
    flags: tuple[str, ...],
    *,
    actor: Actor,
    at: datetime,
) -> None:
    """Save what changed; a new default takes the place of the old one, the last one stays."""
    model = type(row)
    for flag in flags:
        others = model.objects.exclude(pk=row.pk).filter(**{flag: True})
        if getattr(row, flag):
            others.update(**{flag: False})
        elif not others.exists():
            setattr(row, flag, True)
    if before is None:
        changes = [Change("name", new=row.name, type="created")]
    else:
        changes = [
            Change(name, _word(old), _word(getattr(row, name)))
            for name, old in sorted(before.items())
            if old != getattr(row, name)
        ]
    if not changes:
        return
    if before is None:
        row.created_by_id = actor.user_id
        row.created_at = at
    row.updated_by_id = actor.user_id
    row.updated_at = at
    kernel_columns.check_key(row, "name")
    row.name_key = fold(row.name)
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError:
        raise Invalid("name", "taken", row.name) from None
    happening = VocabularyChanged(model.__name__, row.pk, row.name, tuple(changes))
    record(happening, actor=actor, at=at)


def _word(value: object) -> str | None:
    return None if value is None else str(value)


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
            if connection.vendor == "postgresql":
                connection.check_constraints()  # at once, not when the transaction ends
    except (ProtectedError, IntegrityError):
        raise Refused("in_use") from None
    happening = VocabularyChanged(
        model.__name__, id_, row.name, (Change("name", old=row.name, type="removed"),)
    )
    record(happening, actor=actor, at=at)
