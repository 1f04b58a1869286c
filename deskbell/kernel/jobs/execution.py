"""One run of one job: call the function, then write what came of it."""

from __future__ import annotations

import logging
import random
import time
from datetime import datetime, timedelta
from traceback import format_exception
from typing import Any

from django.db import connections
from django_tasks.base import Task, TaskContext
from django_tasks.utils import normalize_json

from deskbell.kernel import clock
from deskbell.kernel.jobs import queue
from deskbell.kernel.jobs.backend import result_of, task_named
from deskbell.kernel.logging import request_id
from deskbell.kernel.models import Job

log = logging.getLogger("deskbell.jobs")

FIRST_PAUSE_SECONDS = 5.0
LONGEST_PAUSE_SECONDS = 4 * 3600.0


class GiveUp(Exception):
    """Raised by a task whose failure no repetition can cure: a dead letter at once."""


class RetryLater(Exception):
    """Raised by a task that knows when to try again; counts as an attempt.

    ``after`` is the pause; ``reason`` is shown to people.
    """

    def __init__(self, reason: str, *, after: timedelta) -> None:
        super().__init__(reason)
        self.after = after


def pause_before(attempt: int) -> timedelta:
    """The pause after the given attempt (from 1) failed: doubling from 5 s up to 4 h, ± a quarter.

    The jitter keeps jobs that failed together (a server was down) from returning together.
    """
    seconds = min(FIRST_PAUSE_SECONDS * 2.0 ** min(attempt - 1, 30), LONGEST_PAUSE_SECONDS)
    return timedelta(seconds=seconds * random.uniform(0.75, 1.25))  # noqa: S311 - no secret


def run(job: Job) -> bool:
    """Run a claimed job and settle it; whether it succeeded. Raises only what ends the process."""
    token = request_id.set(job.trace or f"job-{job.pk}")
    started = time.monotonic()
    try:
        result = normalize_json(_call(job))
    except (Exception, SystemExit) as error:  # noqa: BLE001 - recorded on the job, and logged
        # SystemExit too: a library that calls exit() must not take the worker's thread with it.
        _settle_failure(job, error, at=clock.now())
        return False
    finally:
        _leave_clean()
        fields = {"job": job.pk, "task": job.task, "ms": _milliseconds(started)}
        log.debug("job ran", extra=fields)
        request_id.reset(token)
    if not queue.finish(job, result=result, at=clock.now()):
        log.warning("job finished after its lease was lost", extra=fields)
    return True


def _call(job: Job) -> Any:
    task: Task[..., Any] = task_named(job.task)
    args, kwargs = job.arguments["args"], job.arguments["kwargs"]
    if task.takes_context:
        return task.call(TaskContext(task_result=result_of(job)), *args, **kwargs)
    return task.call(*args, **kwargs)


def _settle_failure(job: Job, error: BaseException, *, at: datetime) -> None:
    again_at = None
    if not isinstance(error, GiveUp) and job.attempts < job.max_attempts:
        pause = error.after if isinstance(error, RetryLater) else pause_before(job.attempts)
        again_at = at + pause
    expected = isinstance(error, GiveUp | RetryLater)
    text = str(error) if expected else "".join(format_exception(error))
    fields = {"job": job.pk, "task": job.task, "attempt": job.attempts, "again_at": str(again_at)}
    if again_at is None:
        log.error("job is a dead letter", extra=fields, exc_info=None if expected else error)
    else:
        log.warning("job failed", extra={**fields, "reason": repr(error)[:500]})
    if not queue.fail(job, error=text, at=at, again_at=again_at):
        log.warning("job failed after its lease was lost", extra=fields)


def _leave_clean() -> None:
    """Undo what a handler may have left open, and drop connections that broke under it."""
    for connection in connections.all(initialized_only=True):
        if not connection.in_atomic_block:
            connection.close_if_unusable_or_obsolete()


def _milliseconds(started: float) -> int:
    return round((time.monotonic() - started) * 1000)
