"""Ends connections that keep a thread waiting: a body that trickles in, an answer nobody reads.

The HTTP server bounds the time for headers, not for bodies, and a WSGI application that reads or
writes is stuck in its thread meanwhile. So one thread looks every few seconds whether a transfer
has stopped, or moves too slowly. If so, it shuts the sockets to which we have sent nothing for long
and from which next to nothing comes: those are the slow ones. Idle keep-alive connections were
closed before, and a long upload at a decent speed is left alone.
"""

from __future__ import annotations

import logging
import os
import socket
import struct
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

log = logging.getLogger("deskbell.web")

#: A transfer of which no piece arrived or left for so long has stopped.
STALL_SECONDS = 30.0
#: From this age on it must also have moved so many pieces of PIECE bytes per second: 4 KiB/s.
GRACE_SECONDS = 60.0
MINIMUM_PIECES_PER_SECOND = 0.25
PIECE = 16 * 1024
LOOK_SECONDS = 5.0
#: How long a silent connection is looked at to see whether anything comes.
SAMPLE_SECONDS = 2.0

#: Where ``tcpi_last_data_sent`` (u32, milliseconds) and ``tcpi_bytes_received`` (u64) stand in
#: Linux's ``struct tcp_info``: after eight single bytes, and after 24 u32 and three u64.
_LAST_SENT_OFFSET = 8 + 9 * 4
_RECEIVED_OFFSET = 8 + 24 * 4 + 3 * 8
_INFO_LENGTH = _RECEIVED_OFFSET + 8


class _Operation:
    __slots__ = ("moved_at", "pieces", "started_at")

    def __init__(self) -> None:
        self.started_at = self.moved_at = time.monotonic()
        self.pieces = 0

    def progress(self) -> None:
        self.moved_at = time.monotonic()
        self.pieces += 1

    def is_stuck(self, at: float) -> bool:
        age = at - self.started_at
        return at - self.moved_at > STALL_SECONDS or (
            age > GRACE_SECONDS and self.pieces < age * MINIMUM_PIECES_PER_SECOND
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
                closed = shut_slow(self.port, STALL_SECONDS, sample_seconds=SAMPLE_SECONDS)
                log.warning("slow connections closed", extra={"stuck": stuck, "closed": closed})


def shut_slow(port: int, seconds: float, *, sample_seconds: float) -> int:
    """Shut this process's slow connections on the local port, and return their number.

    Slow is one to which nothing was sent for ``seconds``, and from which less than the least speed
    comes while it is looked at.
    """
    before = {name: received for name, received, _ in _silent(port, seconds)}
    if not before:
        return 0
    time.sleep(sample_seconds)
    enough = MINIMUM_PIECES_PER_SECOND * PIECE * sample_seconds
    number = 0
    for name, received, connection in _silent(port, seconds):
        if name in before and received - before[name] <= enough:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError as error:
                # It ended by itself in this moment, which is as good.
                log.debug("slow connection was gone", extra={"reason": str(error)})
            else:
                number += 1
    return number


def _silent(port: int, seconds: float) -> Iterator[tuple[str, int, socket.socket]]:
    """Connections to which nothing was sent for so long: inode, bytes received, a duplicate."""
    for name in os.listdir("/proc/self/fd"):
        try:
            inode = os.readlink(f"/proc/self/fd/{name}")
            if not inode.startswith("socket:"):
                continue
            # A duplicate: the server's own descriptor stays its own, whatever we do with this one.
            with socket.socket(fileno=os.dup(int(name))) as connection:
                if connection.family not in (socket.AF_INET, socket.AF_INET6):
                    continue
                if connection.getsockname()[1] != port:
                    continue
                connection.getpeername()  # raises OSError for the listening socket
                told = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _INFO_LENGTH)
                told = told.ljust(_INFO_LENGTH, b"\0")
                (milliseconds,) = struct.unpack_from("=I", told, _LAST_SENT_OFFSET)
                (received,) = struct.unpack_from("=Q", told, _RECEIVED_OFFSET)
                if milliseconds >= seconds * 1000:
                    yield inode, received, connection
        except OSError:
            # It was closed while we looked, or is no TCP connection.
            continue
