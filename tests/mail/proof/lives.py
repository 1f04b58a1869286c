"""Processes that do the desk's own work until they are quiet, or are killed at a named step."""

from __future__ import annotations

import os
import signal
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db import connections

from deskbell.kernel import clock
from deskbell.kernel.jobs.worker import JobWorker
from deskbell.kernel.models import Job, JobState


@dataclass(frozen=True)
class Step:
    """A named moment: before or after a function of the desk ran."""

    owner: Any
    name: str
    after: bool = True


def die_at(step: Step, count: int) -> None:
    """Have this process end like in a power cut when the step is reached so often."""
    real, left = getattr(step.owner, step.name), [count]

    def cut() -> None:
        left[0] -= 1
        if not left[0]:
            os.kill(os.getpid(), signal.SIGKILL)

    def wrapped(*args: Any, **kwargs: Any) -> Any:
        if not step.after:
            cut()
        result = real(*args, **kwargs)
        if step.after:
            cut()
        return result

    setattr(step.owner, step.name, wrapped)


def begin(act: Callable[[], object], *, step: Step | None = None, count: int = 1) -> int:
    """Begin to act in a process of its own; its id."""
    connections.close_all()
    child = os.fork()
    if child:
        return child
    try:
        if step is not None:
            die_at(step, count)
        act()
    except BaseException:  # noqa: BLE001 - printed, and the process ends with it
        traceback.print_exc()
        os._exit(1)
    os._exit(0)


def end(child: int) -> bool:
    """Wait for the process; whether it was killed. One that failed fails the test."""
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert code in (0, -signal.SIGKILL)
    return code != 0


def live(act: Callable[[], object], *, step: Step | None = None, count: int = 1) -> bool:
    """Act in a process of its own to the end; whether it was killed."""
    return end(begin(act, step=step, count=count))


def work(threads: int = 1) -> None:
    """The real worker, until nothing is due."""
    worker = JobWorker(threads=threads, poll_seconds=0.01)

    def watch() -> None:
        quiet = 0
        while quiet < 3:
            time.sleep(0.03)
            quiet = 0 if is_busy() else quiet + 1
        connections.close_all()
        worker.stop()

    threading.Thread(target=watch, daemon=True).start()
    worker.run()


def is_busy() -> bool:
    """Whether a job runs or is due."""
    open_jobs = Job.objects.filter(state__in=[JobState.READY, JobState.RUNNING])
    return open_jobs.filter(run_at__lte=clock.now()).exists()
