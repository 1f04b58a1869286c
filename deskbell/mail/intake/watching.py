"""Connections that wait for new mail (IMAP IDLE, RFC 2177), in the process of a worker.

What they hear is a hint and no more: it has the mailbox looked into at once. A hint that gets lost
costs an interval, never a message. One worker of all watches a channel, by a lease on its row.
"""

from __future__ import annotations

import contextlib
import logging
import socket
import threading
import time
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.db import DatabaseError, connections
from django.db.models import Q

from deskbell.kernel import clock
from deskbell.kernel.errors import Invalid
from deskbell.mail.intake import channels
from deskbell.mail.intake.fetching import fetch_key
from deskbell.mail.intake.visit import access_to
from deskbell.mail.models import ChannelKind, MailChannel
from deskbell.mail.trouble import Trouble

if TYPE_CHECKING:
    from imapclient import IMAPClient

log = logging.getLogger("deskbell.mail")

#: How often a worker looks which channels there are to be watched.
ROUND_SECONDS = 15.0
LEASE = timedelta(seconds=150)
RENEW_SECONDS = 45.0
#: Servers end a connection that is idle for half an hour, and some routers much earlier.
REISSUE_SECONDS = 10 * 60.0
FIRST_PAUSE, LONGEST_PAUSE = 5.0, 300.0
#: A server without IDLE is asked again after so long.
UNABLE_PAUSE = 3600.0


class Watchers:
    """Watches every IMAP mailbox that no other worker watches; ``with Watchers(): …``."""

    def __init__(self, *, round_seconds: float = ROUND_SECONDS) -> None:
        self.round_seconds = round_seconds
        self.stopping = threading.Event()
        self._watchers: dict[int, _Watcher] = {}
        self._thread = threading.Thread(target=self._run, name="mail-watch", daemon=True)

    def __enter__(self) -> Watchers:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """End all connections and wait for their threads."""
        self.stopping.set()
        self._thread.join(10.0)

    def _run(self) -> None:
        while not self.stopping.is_set():
            try:
                self._look_round()
            except DatabaseError as error:
                log.warning("no look at mail channels", extra={"reason": str(error)[:500]})
            finally:
                connections.close_all()
            self.stopping.wait(self.round_seconds)
        for watcher in self._watchers.values():
            watcher.stop()
        for watcher in self._watchers.values():
            watcher.thread.join(5.0)

    def _look_round(self) -> None:
        found = MailChannel.objects.filter(active=True, kind=ChannelKind.IMAP)
        wanted = {channel.pk: channel for channel in found if channel.settings.get("idle", True)}
        for pk, watcher in list(self._watchers.items()):
            channel = wanted.get(pk)
            if channel is None or channel.updated_at != watcher.channel.updated_at:
                watcher.stop()
            if not watcher.thread.is_alive():
                del self._watchers[pk]
        for pk, channel in wanted.items():
            if pk not in self._watchers and (until := _lease(channel)):
                self._watchers[pk] = _Watcher(channel, until)


def _lease(channel: MailChannel) -> datetime | None:
    """Become the one who watches; until when, ``None`` when somebody else does."""
    at = clock.now()
    free = Q(watched_until=None) | Q(watched_until__lte=at)
    until = at + LEASE
    if not MailChannel.objects.filter(free, pk=channel.pk).update(watched_until=until):
        return None
    return until


class _Watcher:
    """One thread that watches one mailbox while it holds the lease."""

    def __init__(self, channel: MailChannel, until: datetime) -> None:
        self.channel = channel
        self.until = until
        self.stopping = threading.Event()
        self._client: IMAPClient | None = None
        self.thread = threading.Thread(
            target=self._run, name=f"mail-watch-{channel.pk}", daemon=True
        )
        self.thread.start()

    def stop(self) -> None:
        """End the connection at once, wherever its thread waits."""
        self.stopping.set()
        client = self._client
        if client is not None:
            with contextlib.suppress(OSError):
                client.socket().shutdown(socket.SHUT_RDWR)

    def _run(self) -> None:
        pause = FIRST_PAUSE
        try:
            while not self.stopping.is_set() and self._renew():
                started = time.monotonic()
                try:
                    able = self._watch()
                except (Trouble, Invalid) as problem:
                    # Polling meets the same, and raises the alarm.
                    log.debug("watching ended", extra={"reason": str(problem)})
                    able = True
                if not able:
                    pause = UNABLE_PAUSE
                elif time.monotonic() - started > LONGEST_PAUSE:
                    pause = FIRST_PAUSE
                self._rest(pause)
                pause = min(pause * 2, LONGEST_PAUSE) if able else UNABLE_PAUSE
            self._give_back()
        except DatabaseError as error:
            log.warning("watching ended", extra={"reason": str(error)[:500]})
        finally:
            connections.close_all()

    def _rest(self, seconds: float) -> None:
        """Wait, and keep the lease: another worker would meet the same failure at once."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0 and not self.stopping.is_set():
            self.stopping.wait(min(left, RENEW_SECONDS))
            if not self.stopping.is_set() and not self._renew():
                return

    def _watch(self) -> bool:
        """Wait for mail until something ends it; whether the server can push at all."""
        # Only who has a mailbox to watch loads what speaks to it.
        from deskbell.mail.intake import imap

        settings = channels.settings_of(self.channel)
        with imap.opened(access_to(self.channel, settings)) as client:
            self._client = client
            try:
                if not client.has_capability("IDLE"):
                    return False
                imap.select(client, settings.folder, readonly=True)
                # What came while nobody watched.
                self._hint()
                while self._idle(client):
                    pass
            finally:
                self._client = None
        return True

    def _idle(self, client: IMAPClient) -> bool:
        """One IDLE; whether to go on with another."""
        if self.stopping.is_set():
            return False
        client.idle()
        reissue_at = time.monotonic() + REISSUE_SECONDS
        while time.monotonic() < reissue_at:
            asked = time.monotonic()
            heard = client.idle_check(timeout=RENEW_SECONDS)
            if self.stopping.is_set():
                return False
            if any(_is_arrival(each) for each in heard):
                self._hint()
            if not self._renew():
                self.stopping.set()
                return False
            if not heard and time.monotonic() - asked < RENEW_SECONDS / 2:
                # Nothing, before its time: the connection has ended. To end IDLE shows it.
                break
        client.idle_done()
        return True

    def _hint(self) -> None:
        from deskbell.mail.jobs import fetch

        fetch.using(unique_key=fetch_key(self.channel.pk)).enqueue(self.channel.pk)
        connections.close_all()

    def _renew(self) -> bool:
        """Hold on to the lease; whether it is still ours. Its very moment says whose it is."""
        at = clock.now()
        if self.until - at > LEASE - timedelta(seconds=RENEW_SECONDS / 2):
            return True
        mine = MailChannel.objects.filter(pk=self.channel.pk, watched_until=self.until)
        until = at + LEASE
        held = bool(mine.update(watched_until=until))
        if held:
            self.until = until
        connections.close_all()
        return held

    def _give_back(self) -> None:
        MailChannel.objects.filter(pk=self.channel.pk, watched_until=self.until).update(
            watched_until=None
        )


def _is_arrival(response: Any) -> bool:
    return len(response) > 1 and response[1] in {b"EXISTS", b"RECENT"}
