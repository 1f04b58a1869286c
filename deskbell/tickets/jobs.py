"""What the trade's storey does for itself, now and then."""

from __future__ import annotations

from datetime import timedelta

from deskbell.kernel import clock
from deskbell.kernel.jobs import periodic, task
from deskbell.tickets import attachments, counts


@periodic(every=timedelta(minutes=1))
@task(priority=-50)
def roll_up_counts() -> int:
    """Keep the sum of the counters short."""
    return counts.roll_up()


@periodic(every=timedelta(hours=1))
@task(priority=-60)
def sweep_attachments() -> int:
    """Remove stored bytes that no entry refers to any more."""
    return attachments.sweep(at=clock.now())


@periodic(every=timedelta(hours=1))
@task(priority=-60)
def sweep_files() -> int:
    """Remove files that never became attachments, a sixteenth of the store at a time."""
    at = clock.now()
    return attachments.sweep_files(at=at, part=int(at.timestamp() // 3600) % 16)
