"""Tasks that come back: due at multiples of their period, enqueued once however many workers look.

Times missed while no worker ran count as one: a task that fell behind runs once, then on time.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from django.db import transaction

from deskbell.kernel.jobs.backend import LeaseTask
from deskbell.kernel.models import PeriodicJob

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

AnyTask = TypeVar("AnyTask", bound=LeaseTask[..., Any])


@dataclass(frozen=True, slots=True)
class Schedule:
    """When a task is due: at multiples of ``every`` since 1970 (UTC), shifted by ``offset``.

    ``unless_idle`` says at a due moment whether there is anything to do.
    """

    task: LeaseTask[..., Any]
    every: timedelta
    offset: timedelta
    unless_idle: Callable[[datetime], bool] | None = None

    def next_after(self, at: datetime) -> datetime:
        """The first due moment later than ``at``."""
        start = _EPOCH + self.offset
        return start + ((at - start) // self.every + 1) * self.every


_schedules: dict[str, Schedule] = {}


def periodic(
    *,
    every: timedelta,
    offset: timedelta = timedelta(0),
    unless_idle: Callable[[datetime], bool] | None = None,
) -> Callable[[AnyTask], AnyTask]:
    """Register a task without arguments, above ``@task``: ``@periodic(every=timedelta(hours=1))``.

    A day with an offset of three hours means at three o'clock UTC. One run never overlaps the next.
    ``unless_idle`` is a cheap look whether there is anything to do: while it says no, nothing is
    written, and the task stays due.
    """
    if every < timedelta(seconds=1):
        raise ValueError("a period must be at least one second")

    def register(task: AnyTask) -> AnyTask:
        _schedules[task.module_path] = Schedule(task, every, offset, unless_idle)
        return task

    return register


def registered() -> dict[str, Schedule]:
    """All schedules of this process by task path; modules named ``jobs`` register theirs."""
    return dict(_schedules)


def enqueue_due(*, at: datetime) -> int:
    """Enqueue what is due and set the next time, each in one transaction; the number enqueued.

    A new name starts at its next multiple, so an upgrade does not run everything at once.
    """
    known = dict(PeriodicJob.objects.order_by().values_list("name", "due_at"))
    number = 0
    for name, schedule in _schedules.items():
        coming = schedule.next_after(at)
        due_at = known.get(name)
        if due_at is None:
            PeriodicJob.objects.bulk_create(
                [PeriodicJob(name=name, due_at=coming)], ignore_conflicts=True
            )
        elif due_at <= at:
            if schedule.unless_idle is not None and not schedule.unless_idle(at):
                continue
            with transaction.atomic():
                # One row changed means one winner, on every database.
                ours = PeriodicJob.objects.filter(name=name, due_at=due_at).update(
                    due_at=coming, last_run_at=at
                )
                if ours:
                    schedule.task.using(unique_key=f"periodic:{name}"[:200]).enqueue()
            number += ours
        elif due_at > coming:
            # The period became shorter in a new version.
            PeriodicJob.objects.filter(name=name, due_at=due_at).update(due_at=coming)
    return number
