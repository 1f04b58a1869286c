"""The event table as a stream: written once, read in commit-safe order, nothing missed."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import connection, transaction

from deskbell.kernel.actor import SYSTEM
from deskbell.kernel.events import Change, Cursor, read_after, record, request_id, wire
from deskbell.kernel.models import Event
from tests.cast import MONDAY_9AM

pytestmark = pytest.mark.django_db


class Rang:
    """Something that happened to a bell."""

    object_name = "Bell"
    number = "10001"

    def __init__(self, object_id: int = 7) -> None:
        self.object_id = object_id
        self.changes = [Change("tone", "low", "high", 1, 2)]


@pytest.fixture
def wired() -> Iterator[Any]:
    from deskbell import wiring

    yield wire
    wiring.install()


def test_a_row_says_who_what_when_and_through_what() -> None:
    request_id.set("r-1")
    event = record(Rang(), actor=SYSTEM, at=MONDAY_9AM)
    event.refresh_from_db()
    assert (event.kind, event.object, event.object_id, event.number) == ("Rang", "Bell", 7, "10001")
    assert (event.actor_kind, event.user_id, event.via, event.at) == (
        "system",
        1,
        "system",
        MONDAY_9AM,
    )
    assert event.request_id == "r-1"
    assert event.changes == [
        {
            "attribute": "tone",
            "type": "updated",
            "from": "low",
            "to": "high",
            "id_from": 1,
            "id_to": 2,
        }
    ]


def test_consumers_run_in_order_inside_the_transaction(wired: Any) -> None:
    seen: list[str] = []

    def first(happening: Any, event: Event, *, actor: Any, at: Any) -> None:
        seen.append(f"first {event.pk is not None} {connection.in_atomic_block}")

    def second(happening: Any, event: Event, *, actor: Any, at: Any) -> None:
        seen.append("second")
        raise RuntimeError("no")

    wired({Rang: [first, second]})
    with pytest.raises(RuntimeError), transaction.atomic():
        record(Rang(), actor=SYSTEM, at=MONDAY_9AM)
    assert seen == ["first True True", "second"]
    assert not Event.objects.filter(object="Bell").exists()


def test_reading_goes_on_where_it_stopped() -> None:
    start = read_after(Cursor())
    cursor = Cursor(start[-1].txid, start[-1].pk) if start else Cursor()
    if connection.vendor == "postgresql":
        pytest.skip("inside one open transaction nothing is committed yet; see the next test")
    ids = [record(Rang(n), actor=SYSTEM, at=MONDAY_9AM).pk for n in range(5)]
    page = read_after(cursor, limit=2)
    assert [event.pk for event in page] == ids[:2]
    rest = read_after(Cursor(page[-1].txid, page[-1].pk))
    assert [event.pk for event in rest] == ids[2:]


@contextmanager
def another_connection() -> Iterator[Any]:
    other = connection.copy()
    other.connect()
    try:
        yield other
    finally:
        other.close()


INSERT = (
    "INSERT INTO kernel_event"
    " (kind, object, object_id, number, actor_kind, user_id, via, at, changes, request_id)"
    " VALUES ('Rang', 'Held', %s, '', 'system', 1, 'system', now(), '[]', '') RETURNING id"
)


def eventually(place: Cursor, count: int) -> list[Event]:
    """The held events behind the place, once transactions of other databases let them be seen."""
    until = time.monotonic() + 40
    while True:
        seen = [event for event in read_after(place) if event.object == "Held"]
        if len(seen) >= count or time.monotonic() > until:
            return seen
        time.sleep(0.05)


def test_nothing_is_missed_when_commits_come_out_of_order() -> None:
    """The later id commits first; a reader by id alone would step over the earlier one."""
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has one writer: ids commit in order")
    with another_connection() as early, another_connection() as late, another_connection() as wipe:
        early.set_autocommit(False)
        late.set_autocommit(False)
        try:
            with late.cursor() as cursor:  # takes the lower id in the younger transaction …
                cursor.execute("SELECT 1")
            with early.cursor() as cursor:
                cursor.execute(INSERT, [1])
                early_id = cursor.fetchone()[0]
            with late.cursor() as cursor:
                cursor.execute(INSERT, [2])
                late_id = cursor.fetchone()[0]
            assert early_id < late_id
            place = Cursor()
            late.commit()
            assert [e.object_id for e in read_after(place) if e.object == "Held"] == []
            early.commit()
            seen = eventually(place, 2)
            assert [e.object_id for e in seen] == [1, 2]

            # The other way round: an old transaction takes a *higher* id and commits last.
            place = Cursor(seen[-1].txid, seen[-1].pk)
            with early.cursor() as cursor:
                cursor.execute("SELECT pg_current_xact_id()")
            with late.cursor() as cursor:
                cursor.execute(INSERT, [3])
            late.commit()
            with early.cursor() as cursor:
                cursor.execute(INSERT, [4])
            assert [e.object_id for e in read_after(place) if e.object == "Held"] == []
            early.commit()
            last = eventually(place, 2)
            assert {e.object_id for e in last} == {3, 4}
        finally:
            early.rollback()
            late.rollback()
            with wipe.cursor() as cursor:
                cursor.execute("DELETE FROM kernel_event WHERE object = 'Held'")


def test_an_event_outside_a_transaction_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    outside = SimpleNamespace(in_atomic_block=False)
    monkeypatch.setattr(transaction, "get_connection", lambda *_: outside)
    with pytest.raises(RuntimeError, match="transaction"):
        record(Rang(), actor=SYSTEM, at=MONDAY_9AM)
