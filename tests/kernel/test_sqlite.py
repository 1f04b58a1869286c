"""Writers of a SQLite database queue; nobody is left waiting, whatever ends a transaction."""

from __future__ import annotations

import fcntl
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError, OperationalError, connection, transaction

from deskbell.kernel.sqlite import base
from deskbell.people.models import Permission

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif("connection.vendor != 'sqlite'", reason="about SQLite's one writer"),
]


@pytest.fixture
def lock() -> threading.Lock:
    """What the threads of this process wait for."""
    return base._writers[str(connection.settings_dict["NAME"])]


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Give up waiting at once."""
    connection.close()
    monkeypatch.setitem(connection.settings_dict["OPTIONS"], "timeout", 0.05)
    yield
    connection.close()


def on_a_thread(work: Any) -> Any:
    """Run with a connection of its own."""

    def alone() -> Any:
        try:
            return work()
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(alone).result(timeout=30)


class TestTheQueue:
    def test_keeps_read_and_write_of_many_threads_together(self) -> None:
        counter = Permission.objects.create(name="counter", note="0")

        def count_up() -> None:
            try:
                for _ in range(25):
                    with transaction.atomic():
                        row = Permission.objects.get(pk=counter.pk)
                        row.note = str(int(row.note) + 1)
                        row.save()
            finally:
                connection.close()

        with ThreadPoolExecutor(4) as pool:
            for done in [pool.submit(count_up) for _ in range(4)]:
                done.result(timeout=30)

        counter.refresh_from_db()
        assert counter.note == "100"

    def test_is_left_after_a_commit(self, lock: threading.Lock) -> None:
        with transaction.atomic():
            assert lock.locked()

        assert not lock.locked()

    def test_is_left_after_an_error(self, lock: threading.Lock) -> None:
        Permission.objects.create(name="once")

        with pytest.raises(IntegrityError), transaction.atomic():
            Permission.objects.create(name="once")

        assert not lock.locked()

    def test_is_left_when_the_connection_is_closed_inside(self, lock: threading.Lock) -> None:
        def lose_the_connection() -> None:
            with transaction.atomic():
                connection.close()
                Permission.objects.create(name="too late")

        with pytest.raises(DatabaseError):
            lose_the_connection()

        assert not lock.locked()
        assert on_a_thread(lambda: Permission.objects.create(name="next").pk)

    @pytest.mark.usefixtures("impatient")
    def test_is_not_waited_for_beyond_the_time_of_the_setting(self, lock: threading.Lock) -> None:
        def write() -> None:
            with transaction.atomic():
                Permission.objects.create(name="never")

        with transaction.atomic(), pytest.raises(OperationalError, match="locked"):
            on_a_thread(write)

        assert not lock.locked()
        assert not Permission.objects.filter(name="never").exists()

    @pytest.mark.usefixtures("impatient")
    def test_is_left_when_somebody_outside_of_it_holds_the_database(
        self, lock: threading.Lock
    ) -> None:
        import sqlite3

        stranger = sqlite3.connect(connection.settings_dict["NAME"], isolation_level=None)
        stranger.execute("BEGIN IMMEDIATE")

        with pytest.raises(OperationalError, match="locked"), transaction.atomic():
            pass

        stranger.execute("ROLLBACK")
        stranger.close()
        assert not lock.locked()

    def test_is_shared_with_other_processes_through_a_file(self) -> None:
        name = f"{connection.settings_dict['NAME']}-queue"
        with open(name, "w") as theirs:
            fcntl.flock(theirs, fcntl.LOCK_EX)
            went_on = threading.Event()

            def write() -> None:
                with transaction.atomic():
                    went_on.set()

            with ThreadPoolExecutor(1) as pool:
                waiting = pool.submit(lambda: on_a_thread(write))
                waited = not went_on.wait(0.2)
                fcntl.flock(theirs, fcntl.LOCK_UN)
                waiting.result(timeout=30)

        assert waited
        assert went_on.is_set()

    def test_is_not_joined_by_readers(self) -> None:
        Permission.objects.create(name="known")

        with transaction.atomic():
            assert on_a_thread(lambda: Permission.objects.filter(name="known").count()) == 1
