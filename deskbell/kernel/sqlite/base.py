"""Django's SQLite backend, with an orderly queue for the one write lock.

SQLite lets whoever finds the lock taken sleep and try again, at first for a millisecond, later for
a tenth of a second: under load writers sleep while the lock is free, and some starve. Here the
threads of a process wait for one another on a lock, and the processes of a desk on a file beside
the database, so that the next one goes on as soon as the last one has finished. SQLite's own lock
still decides: programs that do not queue (a backup, a shell) are merely met as before.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import threading
from collections import defaultdict
from typing import Any

from django.db.backends.sqlite3 import base
from django.db.utils import OperationalError

# The stubs know nothing of the private methods in which Django begins and ends transactions.
_Base: Any = base.DatabaseWrapper

#: One per database file of this process.
_writers: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)


class DatabaseWrapper(_Base):
    """A connection whose transactions queue before they begin. Always used with IMMEDIATE ones."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._held: threading.Lock | None = None
        self._queue: int | None = None

    def _start_transaction_under_autocommit(self) -> None:
        self._queue_up()
        try:
            super()._start_transaction_under_autocommit()
        except BaseException:
            self._step_aside()
            raise

    def _commit(self) -> None:
        super()._commit()
        self._step_aside()

    def _rollback(self) -> None:
        try:
            super()._rollback()
        finally:
            self._step_aside()

    def _close(self) -> None:
        try:
            super()._close()
        finally:
            self._step_aside()
            if self._queue is not None:
                os.close(self._queue)
                self._queue = None

    def _queue_up(self) -> None:
        """Wait for our turn. Raises OperationalError after the seconds that SQLite would wait."""
        if self.is_in_memory_db():
            return
        path = str(self.settings_dict["NAME"])
        lock = _writers[path]
        if not lock.acquire(timeout=self.settings_dict["OPTIONS"].get("timeout", 5)):
            raise OperationalError("database is locked")
        self._held = lock
        if self._queue is None:
            self._queue = os.open(f"{path}-queue", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        # One thread of a process at a time waits here, and for no longer than a transaction of
        # another process takes; the kernel frees the lock of a process that dies.
        fcntl.flock(self._queue, fcntl.LOCK_EX)

    def _step_aside(self) -> None:
        """Let the next one in; harmless where nothing is held."""
        lock, self._held = self._held, None
        if lock is None:
            return
        if self._queue is not None:
            with contextlib.suppress(OSError):
                fcntl.flock(self._queue, fcntl.LOCK_UN)
        lock.release()
