"""What notifications do for themselves, now and then."""

from __future__ import annotations

from datetime import timedelta

from deskbell.kernel import clock
from deskbell.kernel.jobs import periodic, task
from deskbell.notify import operations, reminding


@periodic(every=timedelta(minutes=1))
@task(priority=-10)
def remind() -> int:
    """Tell agents of tickets whose pending time has come."""
    return reminding.remind(at=clock.now())


@periodic(every=timedelta(hours=6))
@task(priority=-60)
def clean() -> int:
    """Delete old notifications."""
    return operations.clean(at=clock.now())
