"""Tasks that the tests of the queue put into it."""

from __future__ import annotations

import os
import time
from datetime import timedelta
from pathlib import Path

from django_tasks import task as standard_task

from deskbell.kernel.jobs import GiveUp, RetryLater, task


@standard_task
def add(left: int, right: int) -> int:
    return left + right


@task(max_attempts=3)
def fail(reason: str) -> None:
    raise RuntimeError(reason)


@task
def refuse(reason: str) -> None:
    raise GiveUp(reason)


@task(max_attempts=2)
def later(seconds: int) -> None:
    raise RetryLater("busy", after=timedelta(seconds=seconds))


@task(takes_context=True)
def attempt(context) -> int:  # type: ignore[no-untyped-def]
    return int(context.attempt)


@task
def leave() -> None:
    raise SystemExit(1)


@task
def note(path: str, text: str = "ran") -> None:
    """Append one line; appending a short line is one write."""
    with Path(path).open("a") as stream:
        stream.write(f"{text}\n")


@task
def begin_then_wait(path: str, seconds: float) -> None:
    """Say who runs, then take time, then say that it is done."""
    note.func(path, f"begin {os.getpid()}")
    time.sleep(seconds)
    note.func(path, f"end {os.getpid()}")
