"""The history row is the event: one insert, then what must follow inside the transaction.

An operation calls :func:`record` once. The row is written, and the consumers that ``wiring.py``
names for the kind run at once, in the same transaction: owed mail, search entry, triggers. Readers
outside (live pages, webhooks, reports) follow the table by cursor with :func:`read_after`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from django.db import connection, transaction

from deskbell.kernel.actor import Actor
from deskbell.kernel.compiled import insert
from deskbell.kernel.logging import request_id as request_id
from deskbell.kernel.models import Event


@dataclass(frozen=True, slots=True)
class Change:
    """One line of history. Names are snapshots, so a rename later does not rewrite the past."""

    attribute: str
    old: str | None = None
    new: str | None = None
    old_id: int | None = None
    new_id: int | None = None
    type: str = "updated"
    object: str | None = None
    object_id: int | None = None

    def as_json(self) -> dict[str, Any]:
        row: dict[str, Any] = {
            "attribute": self.attribute,
            "type": self.type,
            "from": self.old,
            "to": self.new,
        }
        if self.old_id is not None or self.new_id is not None:
            row["id_from"], row["id_to"] = self.old_id, self.new_id
        if self.object is not None:
            row["object"], row["object_id"] = self.object, self.object_id
        return row


class Happening(Protocol):
    """What an operation hands to :func:`record`: rows for the consumers, changes for history."""

    @property
    def object_name(self) -> str: ...
    @property
    def object_id(self) -> int: ...
    @property
    def number(self) -> str: ...
    @property
    def changes(self) -> Sequence[Change]: ...


Consumer = Callable[..., None]
_consumers: dict[type, tuple[Consumer, ...]] = {}


def wire(table: Mapping[type, Iterable[Consumer]]) -> None:
    """Install the table of ``wiring.py``; called once, when the applications are ready."""
    _consumers.clear()
    _consumers.update({kind: tuple(consumers) for kind, consumers in table.items()})


def record(happening: Happening, *, actor: Actor, at: datetime) -> Event:
    """Write the event row, then run the consumers of its kind, in the caller's transaction.

    A consumer is called as ``consumer(happening, event, actor=…, at=…)``.
    """
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError("an event belongs inside the operation's transaction")
    event = Event(
        kind=type(happening).__name__,
        object=happening.object_name,
        object_id=happening.object_id,
        number=happening.number,
        actor_kind=actor.kind,
        user_id=actor.user_id,
        via=actor.via,
        at=at,
        changes=[change.as_json() for change in happening.changes],
        request_id=request_id.get(),
    )
    insert(event)
    for consumer in _consumers.get(type(happening), ()):
        consumer(happening, event, actor=actor, at=at)
    return event


@dataclass(frozen=True, slots=True, order=True)
class Cursor:
    """A place in the event table. Ordered by transaction, then id; see :func:`read_after`."""

    txid: int = 0
    id: int = 0


def read_after(cursor: Cursor, *, limit: int = 500) -> list[Event]:
    """The next events in commit-safe order, at most ``limit``.

    On PostgreSQL ids become visible out of order: of two open transactions the later id may commit
    first. Rows are therefore read in the order (transaction, id), and only those of transactions
    below the oldest one still running: nothing can appear behind the cursor any more.
    """
    events = Event.objects.order_by("txid", "id")
    if connection.vendor == "postgresql":
        events = events.extra(
            where=[
                "(txid, id) > (%s, %s)",
                "txid < pg_snapshot_xmin(pg_current_snapshot())::text::bigint",
            ],
            params=[cursor.txid, cursor.id],
        )
    else:
        events = events.filter(id__gt=cursor.id)
    return list(events[:limit])
