"""What the queue does for itself."""

from __future__ import annotations

from datetime import timedelta

from deskbell.kernel import clock
from deskbell.kernel.jobs import queue
from deskbell.kernel.jobs.backend import task
from deskbell.kernel.jobs.schedules import periodic


@periodic(every=timedelta(minutes=10))
@task(priority=-50)
def prune() -> int:
    """Delete rows of jobs that were finished long ago."""
    return queue.prune(at=clock.now())
