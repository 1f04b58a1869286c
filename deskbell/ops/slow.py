"""Ends connections that keep a thread waiting: a body that trickles in, an answer nobody reads.

The HTTP server bounds the time for headers, not for bodies, and a WSGI application that reads or
writes is stuck in its thread meanwhile. So one thread looks every few seconds whether an operation
has made no progress, or too little, and then shuts the sockets on which we sent nothing for as
long: those are the slow ones (idle keep-alive connections were closed long before).
"""

from __future__ import annotations

import logging
import os
import socket
import stat
import struct
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

log = logging.getLogger("deskbell.web")

#: Without any progress for so long, an operation is stuck.
STALL_SECONDS = 20.0
#: From this age on it must also have moved MINIMUM_STEPS_PER_SECOND pieces of up to 64 KiB.
GRACE_SECONDS = 60.0
MINIMUM_STEPS_PER_SECOND = 0.25
LOOK_SECONDS = 5.0

#: Where ``tcpi_last_data_sent`` (milliseconds) stands in Linux's ``struct tcp_info``.
_LAST_SENT_OFFSET = 8 + 9 * 4


class _Operation:
    __slots__ = ("moved_at", "started_at", "steps")

    def __init__(self) -> None:
        self.started_at = self.moved_at = time.monotonic()
        self.steps = 0

    def progress(self) -> None:
        self.moved_at = time.monotonic()
        self.steps += 1

    def is_stuck(self, at: float) -> bool:
        age = at - self.started_at
        return at - self.moved_at > STALL_SECONDS or (
            age > GRACE_SECONDS and self.steps < age * MINIMUM_STEPS_PER_SECOND
        )


class Watch:
    """Watches the transfers of one process. The watching thread starts with the first of them."""

    def __init__(self, *, port: int) -> None:
        self.port = port
        self._operations: set[_Operation] = set()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    @contextmanager
    def operation(self) -> Iterator[Callable[[], None]]:
        """Watch what happens inside; call the given function whenever something moved."""
        one = _Operation()
        with self._lock:
            self._operations.add(one)
            if self._thread is None and sys.platform == "linux":
                self._thread = threading.Thread(target=self._look, name="watch", daemon=True)
                self._thread.start()
        try:
            yield one.progress
        finally:
            with self._lock:
                self._operations.discard(one)

    def _look(self) -> None:
        while True:
            time.sleep(LOOK_SECONDS)
            at = time.monotonic()
            with self._lock:
                stuck = sum(one.is_stuck(at) for one in self._operations)
            if stuck:
                closed = shut_silent(self.port, STALL_SECONDS)
                log.warning("slow connections closed", extra={"stuck": stuck, "closed": closed})


def shut_silent(port: int, seconds: float) -> int:
    """Shut this process's connections on the local port to which nothing was sent for so long."""
    number = 0
    for name in os.listdir("/proc/self/fd"):
        try:
            if not stat.S_ISSOCK(Path(f"/proc/self/fd/{name}").stat().st_mode):
                continue
            # A duplicate: the server's own descriptor stays its own, whatever we do with this one.
            with socket.socket(fileno=os.dup(int(name))) as connection:
                number += _shut_if_silent(connection, port, seconds)
        except OSError:
            # It was closed while we looked, or is no TCP connection.
            continue
    return number


def _shut_if_silent(connection: socket.socket, port: int, seconds: float) -> bool:
    if connection.family not in (socket.AF_INET, socket.AF_INET6):
        return False
    if connection.getsockname()[1] != port:
        return False
    connection.getpeername()  # raises OSError for the listening socket
    told = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 104)
    (milliseconds,) = struct.unpack_from("I", told, _LAST_SENT_OFFSET)
    if milliseconds < seconds * 1000:
        return False
    connection.shutdown(socket.SHUT_RDWR)
    return True
