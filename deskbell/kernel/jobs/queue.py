"""The rows of the queue: put, claim, renew, settle. Every statement here is safe in a race.

A job is *ready* until a worker claims it, *running* under a lease, then *done*, *ready* again or
*dead*. Whoever writes an outcome names the lease token, so a worker that lost its lease (stopped
machine, lost network) changes nothing any more.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, connection, transaction
from django.db.models import Count, Min, Q, QuerySet

from deskbell.kernel.compiled import insert, insert_all
from deskbell.kernel.logging import hide_secrets, request_id
from deskbell.kernel.models import Job, JobState
from deskbell.kernel.text import storable

#: How long a worker that was not heard of keeps its jobs.
LEASE = timedelta(seconds=30)
#: How long finished rows stay to be looked at.
KEEP_DONE = timedelta(days=1)
KEEP_DEAD = timedelta(days=90)
_ERROR_LENGTH = 20_000


def put(
    *,
    task: str,
    arguments: Mapping[str, Any],
    queue: str,
    priority: int,
    run_at: datetime,
    max_attempts: int,
    unique_key: str | None,
    at: datetime,
) -> int:
    """Write a job in the open transaction and return its id; with a key, perhaps a waiting one's.

    A waiting job with the same key is locked until the transaction ends, so no worker takes it
    before it can see what the transaction did. On PostgreSQL transactions that put the same key
    therefore wait for each other: name keys narrowly (``deliver:17``, not ``deliver``).
    """
    job = Job(
        task=task,
        arguments=arguments,
        queue=queue,
        priority=priority,
        run_at=run_at,
        max_attempts=max_attempts,
        unique_key=unique_key,
        enqueued_at=at,
        trace=request_id.get()[:64],
    )
    if unique_key is None:
        insert(job)
        return job.pk
    return _put_once(job)


def put_many(
    *,
    task: str,
    arguments: Mapping[str, Mapping[str, Any]],
    queue: str,
    priority: int,
    run_at: datetime,
    max_attempts: int,
    at: datetime,
) -> list[int]:
    """Write several jobs with one statement, one per key of ``arguments``; their ids.

    For keys under which nothing can wait yet, such as those made of a row's new id; raises
    IntegrityError where one does.
    """
    trace = request_id.get()[:64]
    jobs = [
        Job(
            task=task,
            arguments=each,
            queue=queue,
            priority=priority,
            run_at=run_at,
            max_attempts=max_attempts,
            unique_key=key,
            enqueued_at=at,
            trace=trace,
        )
        for key, each in arguments.items()
    ]
    insert_all(jobs)
    return [job.pk for job in jobs]


def _put_once(job: Job) -> int:
    fields = [field for field in Job._meta.concrete_fields if not field.primary_key]
    names = ", ".join(connection.ops.quote_name(field.attname) for field in fields)
    values = [
        field.get_db_prep_save(field.pre_save(job, add=True), connection=connection)
        for field in fields
    ]
    # SQLite's two-argument min() is PostgreSQL's least().
    earlier = "least" if connection.vendor == "postgresql" else "min"
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO kernel_job ({names}) VALUES ({', '.join(['%s'] * len(values))}) "  # noqa: S608
            "ON CONFLICT (unique_key) WHERE state = 'ready' DO UPDATE SET "
            f"run_at = {earlier}(kernel_job.run_at, excluded.run_at) RETURNING id",
            values,
        )
        return int(cursor.fetchone()[0])


def claim(
    *, worker: str, at: datetime, limit: int, queues: Sequence[str] = (), lease: timedelta = LEASE
) -> list[Job]:
    """Take up to ``limit`` due jobs, the most urgent first; they are ours until ``at + lease``.

    Each counts as started: a job that kills its worker every time must end as a dead letter.
    """
    due = Job.objects.filter(state=JobState.READY, run_at__lte=at)
    if queues:
        due = due.filter(queue__in=queues)
    # The glance first: an idle worker must not take SQLite's write lock twice a second.
    if not due.order_by().values("pk")[:1]:
        return []
    token = secrets.token_hex(16)
    moment = _stored(at)
    where = "state = 'ready' AND run_at <= %s"
    parameters: list[Any] = [moment]
    if queues:
        where += f" AND queue IN ({', '.join(['%s'] * len(queues))})"
        parameters += queues
    # PostgreSQL may run a plain IN (…) once for every row it looks at, and each run would take as
    # many again; an array is made once.
    on_postgresql = connection.vendor == "postgresql"
    chosen = "= ANY(ARRAY({} FOR UPDATE SKIP LOCKED))" if on_postgresql else "IN ({})"
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE kernel_job SET state = 'running', attempts = attempts + 1, lease_token = %s, "  # noqa: S608
            "lease_until = %s, worker = %s, started_at = %s "
            "WHERE id "
            + chosen.format(
                f"SELECT id FROM kernel_job AS waiting WHERE {where} "  # noqa: S608
                "AND (unique_key IS NULL OR NOT EXISTS (SELECT 1 FROM kernel_job AS other WHERE "
                "other.state = 'running' AND other.unique_key = waiting.unique_key)) "
                "ORDER BY priority DESC, run_at, id LIMIT %s"
            )
            + " RETURNING id",
            [token, _stored(at + lease), worker, moment, *parameters, limit],
        )
        ids = [row[0] for row in cursor.fetchall()]
    return list(Job.objects.filter(pk__in=ids).order_by("-priority", "run_at", "id"))


def _stored(moment: datetime) -> Any:
    return connection.ops.adapt_datetimefield_value(moment)


def renew(tokens: Iterable[str], *, at: datetime, lease: timedelta = LEASE) -> int:
    """Prolong the leases behind the tokens; the number of jobs that were still ours."""
    return Job.objects.filter(state=JobState.RUNNING, lease_token__in=list(tokens)).update(
        lease_until=at + lease
    )


def _held(job: Job) -> QuerySet[Job]:
    return Job.objects.filter(
        pk=job.pk, state=JobState.RUNNING, lease_token=job.lease_token, attempts=job.attempts
    )


def finish(job: Job, *, result: Any, at: datetime) -> bool:
    """Record success. False: the lease was lost, somebody else has the job now."""
    done = _held(job).update(
        state=JobState.DONE, finished_at=at, result=result, lease_until=None, last_error=""
    )
    return done == 1


def fail(job: Job, *, error: str, at: datetime, again_at: datetime | None) -> bool:
    """Record a failure: ready again at ``again_at``, or a dead letter for ``None``.

    Where a job with the same key already waits, that one does the work and this one is done.
    False: the lease was lost.
    """
    text = storable(hide_secrets(error))[-_ERROR_LENGTH:]
    if again_at is None:
        return (
            _held(job).update(
                state=JobState.DEAD, finished_at=at, lease_until=None, last_error=text
            )
            == 1
        )
    return _ready_again(_held(job), run_at=again_at, at=at, last_error=text) == 1


def release(jobs: Iterable[Job], *, at: datetime) -> int:
    """Give back claimed jobs that were not started: ready at once, the attempt not counted."""
    return sum(
        _ready_again(_held(job), run_at=job.run_at, at=at, attempts=job.attempts - 1)
        for job in jobs
    )


def _ready_again(held: QuerySet[Job], *, run_at: datetime, at: datetime, **changes: Any) -> int:
    try:
        with transaction.atomic():
            return held.update(state=JobState.READY, run_at=run_at, lease_until=None, **changes)
    except IntegrityError:
        # One with the same key waits already and will do what this one would have done.
        return held.update(state=JobState.DONE, finished_at=at, lease_until=None)


def reclaim(*, at: datetime, workers: Iterable[str] = ()) -> int:
    """Take back jobs whose lease has ended, or whose worker is named; the number taken back.

    One that has used up its attempts this way becomes a dead letter: it may be what kills workers.
    """
    lost = Job.objects.filter(
        Q(lease_until__lt=at) | Q(worker__in=list(workers)), state=JobState.RUNNING
    ).order_by("id")
    count = 0
    for job in lost[:1000]:
        again = at if job.attempts < job.max_attempts else None
        count += fail(
            job,
            error=f"The worker {job.worker} went away while the job was running.",
            at=at,
            again_at=again,
        )
    return count


def counts(*, at: datetime) -> dict[str, Any]:
    """Jobs per state, and since when the oldest due one waits (``oldest_due_at``, or ``None``)."""
    by_state = dict.fromkeys(JobState.values, 0)
    rows = Job.objects.order_by().values_list("state").annotate(number=Count("id"))
    by_state.update(dict(rows))
    oldest = Job.objects.filter(state=JobState.READY, run_at__lte=at).aggregate(at=Min("run_at"))
    return {**by_state, "oldest_due_at": oldest["at"]}


def dead_letters() -> QuerySet[Job]:
    """Jobs that were given up, the latest first."""
    return Job.objects.filter(state=JobState.DEAD).order_by("-finished_at", "-id")


def retry(jobs: QuerySet[Job], *, at: datetime) -> int:
    """Make dead letters ready again, with all their attempts; the number of jobs."""
    number = 0
    for job in jobs.filter(state=JobState.DEAD).order_by("id"):
        one = Job.objects.filter(pk=job.pk, state=JobState.DEAD)
        number += _ready_again(one, run_at=at, at=at, attempts=0, finished_at=None)
    return number


def discard(jobs: QuerySet[Job]) -> int:
    """Delete dead letters for good; the number of jobs."""
    number, _ = jobs.filter(state=JobState.DEAD).delete()
    return number


def prune(*, at: datetime, batch: int = 1000) -> int:
    """Delete finished rows whose time is over, in small steps; the number of rows."""
    old = Job.objects.filter(
        Q(state=JobState.DONE, finished_at__lt=at - KEEP_DONE)
        | Q(state=JobState.DEAD, finished_at__lt=at - KEEP_DEAD)
    )
    number = 0
    while ids := list(old.order_by("id").values_list("pk", flat=True)[:batch]):
        number += Job.objects.filter(pk__in=ids).delete()[0]
    return number
