"""Work that is owed: a lease queue in the desk's own database, behind the ``django.tasks`` API.

A task is a function at module level, in a module named ``jobs`` of its application::

    @task(max_attempts=12, queue_name="mail")
    def send(delivery_id: int) -> None: ...

    send.enqueue(delivery.pk)                                    # in the caller's transaction
    send.using(run_after=at + hour, unique_key="…").enqueue(7)   # later, once

The row is written in the transaction that is open, so the job exists exactly if the change does.
It runs *at least* once: after a crash it runs again as soon as its lease ends, so a handler checks
before it acts. A failing job is tried again after a growing pause and becomes a dead letter when
its attempts are used up; :class:`GiveUp` makes it one at once, :class:`RetryLater` names the pause.
"""

from deskbell.kernel.jobs.backend import LeaseTask, task
from deskbell.kernel.jobs.execution import GiveUp, RetryLater
from deskbell.kernel.jobs.housekeeping import prune
from deskbell.kernel.jobs.queue import counts, dead_letters, discard, retry
from deskbell.kernel.jobs.schedules import periodic
from deskbell.kernel.jobs.worker import run_due

__all__ = [
    "GiveUp",
    "LeaseTask",
    "RetryLater",
    "counts",
    "dead_letters",
    "discard",
    "periodic",
    "prune",
    "retry",
    "run_due",
    "task",
]
