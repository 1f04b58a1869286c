"""The worker: claims jobs, runs them in a few threads, keeps its leases, stops when asked.

The main loop polls, claims and looks for periodic work; a heartbeat thread renews the leases of
everything that was claimed; the runner threads run one job each at a time.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import DatabaseError, connections
from django.utils.module_loading import autodiscover_modules

from deskbell.kernel import clock
from deskbell.kernel.jobs import execution, presence, queue, schedules
from deskbell.kernel.models import Job, Worker

log = logging.getLogger("deskbell.jobs")

POLL_SECONDS = 0.25
HEARTBEAT_SECONDS = 8.0
PERIODIC_SECONDS = 1.0
#: How long a stopping worker waits for running jobs; they are given back by the next one after it.
DRAIN_SECONDS = 20.0
BATCH = 10


class JobWorker:
    """One worker of this process. ``threads`` jobs run at once; ``queues`` empty means all."""

    def __init__(
        self,
        *,
        threads: int = 2,
        queues: Sequence[str] = (),
        lease: timedelta = queue.LEASE,
        poll_seconds: float = POLL_SECONDS,
        drain_seconds: float = DRAIN_SECONDS,
    ) -> None:
        self.threads = threads
        self.queues = tuple(queues)
        self.lease = lease
        self.poll_seconds = poll_seconds
        self.drain_seconds = drain_seconds
        self.stopping = threading.Event()
        self._waiting: deque[Job] = deque()
        self._running: dict[int, Job] = {}
        self._change = threading.Condition()
        self._row: Worker | None = None

    def stop(self) -> None:
        """Ask the worker to finish what runs and return from :meth:`run`. Safe in a signal."""
        self.stopping.set()

    def run(self) -> None:
        """Work until :meth:`stop`; then give back what was not begun and wait for what was."""
        autodiscover_modules("jobs")
        beat = threading.Thread(target=self._beat, name="heartbeat", daemon=True)
        runners = [
            threading.Thread(target=self._run_jobs, name=f"runner-{number}", daemon=True)
            for number in range(self.threads)
        ]
        self._arrive()
        for thread in (beat, *runners):
            thread.start()
        self._feed()
        self._leave(runners)

    def _arrive(self) -> None:
        while not self.stopping.is_set():
            try:
                at = clock.now()
                self._row = presence.register(at=at)
                dead = presence.dead_neighbours()
                number = queue.reclaim(at=at, workers=dead)
                presence.forget(dead, at=at)
            except DatabaseError as error:
                self._complain(error)
                continue
            log.info("worker started", extra={"worker": self._row.name, "taken_back": number})
            return

    def _feed(self) -> None:
        next_periodic = 0.0
        while not self.stopping.is_set():
            at = clock.now()
            try:
                if at.timestamp() >= next_periodic:
                    next_periodic = at.timestamp() + PERIODIC_SECONDS
                    schedules.enqueue_due(at=at)
                    queue.reclaim(at=at)
                busy = self._claim(at)
            except DatabaseError as error:
                self._complain(error)
                continue
            if not busy:
                self.stopping.wait(self.poll_seconds)

    def _claim(self, at: datetime) -> bool:
        """Fetch more when the runners are about to be idle; whether to look again at once."""
        with self._change:
            if self._waiting:
                self._change.wait(self.poll_seconds)
                return True
            free = self.threads - len(self._running)
        if free <= 0:
            with self._change:
                self._change.wait(self.poll_seconds)
            return True
        name = self._row.name if self._row else ""
        jobs = queue.claim(worker=name, at=at, limit=BATCH, queues=self.queues, lease=self.lease)
        with self._change:
            self._waiting.extend(jobs)
            self._change.notify_all()
        return bool(jobs)

    def _run_jobs(self) -> None:
        while True:
            with self._change:
                while not self._waiting:
                    if self.stopping.is_set():
                        break
                    self._change.wait(1.0)
                if self.stopping.is_set():
                    break
                job = self._waiting.popleft()
                self._running[job.pk] = job
            try:
                execution.run(job)
            except DatabaseError as error:
                # The outcome could not be written; the lease ends and the job runs again.
                self._complain(error)
            finally:
                with self._change:
                    del self._running[job.pk]
                    self._change.notify_all()
        connections.close_all()

    def _beat(self) -> None:
        seconds = min(HEARTBEAT_SECONDS, self.lease.total_seconds() / 3)
        gone = threading.Event()
        while not gone.wait(seconds):
            with self._change:
                tokens = {job.lease_token for job in (*self._waiting, *self._running.values())}
            at = clock.now()
            try:
                if self._row is not None:
                    Worker.objects.filter(pk=self._row.pk).update(heartbeat_at=at)
                if tokens:
                    queue.renew(tokens, at=at, lease=self.lease)
            except DatabaseError as error:
                log.warning("heartbeat failed", extra={"reason": str(error)[:500]})
                connections.close_all()

    def _leave(self, runners: Sequence[threading.Thread]) -> None:
        with self._change:
            unstarted = list(self._waiting)
            self._waiting.clear()
            self._change.notify_all()
        try:
            queue.release(unstarted, at=clock.now())
            deadline = clock.now() + timedelta(seconds=self.drain_seconds)
            for runner in runners:
                runner.join(max(0.0, (deadline - clock.now()).total_seconds()))
            if self._running:
                log.warning("worker leaves jobs behind", extra={"jobs": sorted(self._running)})
            elif self._row is not None:
                presence.forget([self._row.name], at=clock.now())
        except DatabaseError as error:
            log.warning("worker could not sign off", extra={"reason": str(error)[:500]})
        log.info("worker stopped")

    def _complain(self, error: DatabaseError) -> None:
        """Say what the database said, and come back with a new connection after a second."""
        log.error("the database does not answer", extra={"reason": str(error).strip()[:500]})
        for connection in connections.all(initialized_only=True):
            if not connection.in_atomic_block:
                connection.close()
        self.stopping.wait(1.0)


def run_due(*, at: datetime | None = None, limit: int = 1000) -> int:
    """Run what is due now, one after the other, in this thread; the number of jobs run.

    For tests and one-shot commands: jobs that become due meanwhile (at ``at``) run too.
    """
    number = 0
    while number < limit:
        jobs = queue.claim(worker="run_due", at=at or clock.now(), limit=1)
        if not jobs:
            break
        execution.run(jobs[0])
        number += 1
    return number
