"""The queue as a backend of the ``django.tasks`` interface."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Concatenate, Literal, ParamSpec, Self, TypeVar, overload

from django.utils.module_loading import import_string
from django_tasks.backends.base import BaseTaskBackend
from django_tasks.base import Task, TaskContext, TaskError, TaskResult, TaskResultStatus
from django_tasks.exceptions import InvalidTaskError, TaskResultDoesNotExist
from django_tasks.utils import normalize_json

from deskbell.kernel import clock
from deskbell.kernel.jobs import queue
from deskbell.kernel.models import Job, JobState

P = ParamSpec("P")
T = TypeVar("T")

#: With the pauses of :mod:`deskbell.kernel.jobs.execution`, about nine hours until a dead letter.
MAX_ATTEMPTS = 12

_STATUS = {
    JobState.READY: TaskResultStatus.READY,
    JobState.RUNNING: TaskResultStatus.RUNNING,
    JobState.DONE: TaskResultStatus.SUCCESSFUL,
    JobState.DEAD: TaskResultStatus.FAILED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaseTask(Task[P, T]):
    """A task of our queue: the standard one, with a limit of attempts and an optional unique key.

    While one job with a ``unique_key`` waits, enqueueing another gives that one (with its own
    arguments, at the earlier of both times). Two jobs with one key never run at the same time.
    """

    max_attempts: int = MAX_ATTEMPTS
    unique_key: str | None = None

    def using(
        self,
        *,
        priority: int | None = None,
        queue_name: str | None = None,
        run_after: datetime | None = None,
        backend: str | None = None,
        max_attempts: int | None = None,
        unique_key: str | None = None,
    ) -> Self:
        """The task with other settings for what is enqueued through it; ``None`` keeps one."""
        changes: dict[str, Any] = {
            "priority": priority,
            "queue_name": queue_name,
            "run_after": run_after,
            "backend": backend,
            "max_attempts": max_attempts,
            "unique_key": unique_key,
        }
        return replace(
            self, **{name: value for name, value in changes.items() if value is not None}
        )

    def enqueue_each(self, calls: Mapping[str, Sequence[Any]]) -> list[int]:
        """Enqueue several calls with one statement, positional arguments by unique key.

        The keys must be new ones: unlike :meth:`enqueue`, this does not look for a waiting job.
        Returns the ids of the jobs.
        """
        if not calls:
            return []
        self.get_backend().validate_task(self)
        at = clock.now()
        return queue.put_many(
            task=self.module_path,
            arguments={
                key: {"args": normalize_json(list(args)), "kwargs": {}}
                for key, args in calls.items()
            },
            queue=self.queue_name,
            priority=self.priority,
            run_at=self.run_after or at,
            max_attempts=self.max_attempts,
            at=at,
        )


class LeaseBackend(BaseTaskBackend):
    """``TASKS["default"]["BACKEND"]``: jobs are rows, taken under a lease by a worker."""

    task_class = LeaseTask
    supports_defer = True
    supports_get_result = True
    supports_priority = True

    def validate_task(self, task: Task[..., Any]) -> None:
        """Also checks what only our tasks have. Raises InvalidTaskError."""
        super().validate_task(task)
        if isinstance(task, LeaseTask):
            if task.max_attempts < 1:
                raise InvalidTaskError("max_attempts must be at least 1.")
            if task.unique_key is not None and not 0 < len(task.unique_key) <= 200:
                raise InvalidTaskError("unique_key must have from 1 to 200 characters.")

    def enqueue(self, task: Task[P, T], args: Any, kwargs: Any) -> TaskResult[T]:
        """Write the job in the transaction that is open; it runs after the commit."""
        self.validate_task(task)
        at = clock.now()
        arguments = {"args": normalize_json(list(args)), "kwargs": normalize_json(kwargs)}
        job_id = queue.put(
            task=task.module_path,
            arguments=arguments,
            queue=task.queue_name,
            priority=task.priority,
            run_at=task.run_after or at,
            max_attempts=task.max_attempts if isinstance(task, LeaseTask) else MAX_ATTEMPTS,
            unique_key=task.unique_key if isinstance(task, LeaseTask) else None,
            at=at,
        )
        return TaskResult(
            task=task,
            id=str(job_id),
            status=TaskResultStatus.READY,
            enqueued_at=at,
            started_at=None,
            finished_at=None,
            last_attempted_at=None,
            args=arguments["args"],
            kwargs=arguments["kwargs"],
            backend=self.alias,
            errors=[],
            worker_ids=[],
        )

    def get_result(self, result_id: str) -> TaskResult[Any]:
        """What became of a job. Raises TaskResultDoesNotExist, also for one long done."""
        if not (result_id.isascii() and result_id.isdigit() and len(result_id) <= 18):
            raise TaskResultDoesNotExist(result_id)
        job = Job.objects.filter(pk=int(result_id)).first()
        if job is None:
            raise TaskResultDoesNotExist(result_id)
        return result_of(job, backend=self.alias)


def result_of(job: Job, *, backend: str = "default") -> TaskResult[Any]:
    """The standard description of a job. Raises LookupError when its task no longer exists."""
    errors = []
    if job.last_error:
        # The row keeps only the traceback; its last line begins with the exception's name.
        name = job.last_error.strip().rsplit("\n", 1)[-1].split(":", 1)[0]
        errors.append(TaskError(exception_class_path=name, traceback=job.last_error))
    result: TaskResult[Any] = TaskResult(
        task=task_named(job.task),
        id=str(job.pk),
        status=_STATUS[JobState(job.state)],
        enqueued_at=job.enqueued_at,
        started_at=job.started_at,
        finished_at=job.finished_at,
        last_attempted_at=job.started_at,
        args=job.arguments["args"],
        kwargs=job.arguments["kwargs"],
        backend=backend,
        errors=errors,
        worker_ids=[job.worker] * job.attempts,
    )
    object.__setattr__(result, "_return_value", job.result)
    return result


def task_named(path: str) -> Task[..., Any]:
    """The task behind a dotted path. Raises LookupError when there is none (any more)."""
    try:
        found = import_string(path)
    except ImportError as error:
        raise LookupError(f"there is no task {path}") from error
    if not isinstance(found, Task):
        raise LookupError(f"{path} is not a task")
    return found


@overload
def task(function: Callable[P, T], /) -> LeaseTask[P, T]: ...
@overload
def task(
    *,
    priority: int = 0,
    queue_name: str = "default",
    takes_context: Literal[False] = False,
    max_attempts: int = MAX_ATTEMPTS,
) -> Callable[[Callable[P, T]], LeaseTask[P, T]]: ...
@overload
def task(
    *,
    priority: int = 0,
    queue_name: str = "default",
    takes_context: Literal[True],
    max_attempts: int = MAX_ATTEMPTS,
) -> Callable[[Callable[Concatenate[TaskContext, P], T]], LeaseTask[P, T]]: ...
def task(
    function: Callable[..., Any] | None = None,
    /,
    *,
    priority: int = 0,
    queue_name: str = "default",
    takes_context: bool = False,
    max_attempts: int = MAX_ATTEMPTS,
) -> Any:
    """The standard ``@task`` with the types of our queue and a limit of attempts.

    ``priority`` runs from -100 to 100, higher first. With ``takes_context`` the function's first
    argument is named ``context`` and tells the attempt.
    """
    from django_tasks import task as standard

    decorate = standard(
        priority=priority,
        queue_name=queue_name,
        takes_context=takes_context,  # type: ignore[call-overload]
        max_attempts=max_attempts,
    )
    return decorate(function) if function is not None else decorate
