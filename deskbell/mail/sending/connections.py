"""Conversations with mail servers, kept for a few seconds: the next message needs no new one.

A connection that lay idle is asked whether it still lives before it is used again. Whoever takes
one has it alone until it is given back, so threads need not know of each other.
"""

from __future__ import annotations

import atexit
import smtplib
import threading
import time
from collections import defaultdict
from collections.abc import Hashable
from contextlib import suppress
from dataclasses import dataclass, field

#: A connection that nobody needed for so long is closed.
IDLE_SECONDS = 5.0
#: Many servers allow no more messages in one conversation.
MESSAGES_AT_MOST = 100


@dataclass(slots=True)
class Connection:
    """A conversation after the sign-in; ``carried`` counts the messages that were taken in it."""

    server: smtplib.SMTP
    carried: int = 0
    idle_since: float = field(default=0.0)

    @property
    def is_alive(self) -> bool:
        """Whether the server still answers."""
        try:
            return self.server.noop()[0] == 250
        except (smtplib.SMTPException, OSError):
            return False

    def close(self) -> None:
        """End the conversation; what was taken in it is taken, however this ends."""
        with suppress(smtplib.SMTPException, OSError):
            self.server.quit()
        self.server.close()


class Connections:
    """Idle connections by what they lead to."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._idle: defaultdict[Hashable, list[Connection]] = defaultdict(list)
        self._sweeper: threading.Timer | None = None

    def take(self, key: Hashable) -> Connection | None:
        """An idle connection that still lives; it is the caller's until he gives it back."""
        while True:
            with self._lock:
                found = self._idle[key].pop() if key in self._idle else None
                if found is not None and not self._idle[key]:
                    del self._idle[key]
            if found is None or found.is_alive:
                return found
            found.close()

    def give_back(self, key: Hashable, connection: Connection) -> None:
        """Keep a connection for the next message, unless it has carried enough."""
        if connection.carried >= MESSAGES_AT_MOST:
            connection.close()
            return
        connection.idle_since = time.monotonic()
        with self._lock:
            self._idle[key].append(connection)
            self._sweep_later()

    def close(self) -> None:
        """Close whatever is idle."""
        self._close_since(float("inf"))

    def _sweep_later(self) -> None:
        if self._sweeper is None:
            self._sweeper = threading.Timer(IDLE_SECONDS, self._sweep)
            self._sweeper.daemon = True
            self._sweeper.start()

    def _sweep(self) -> None:
        with self._lock:
            self._sweeper = None
        self._close_since(time.monotonic() - IDLE_SECONDS)
        with self._lock:
            if self._idle:
                self._sweep_later()

    def _close_since(self, moment: float) -> None:
        closing: list[Connection] = []
        with self._lock:
            for key, connections in list(self._idle.items()):
                closing += [each for each in connections if each.idle_since <= moment]
                kept = [each for each in connections if each.idle_since > moment]
                if kept:
                    self._idle[key] = kept
                else:
                    del self._idle[key]
        for each in closing:
            each.close()


#: Those of this process.
kept = Connections()
atexit.register(kept.close)
