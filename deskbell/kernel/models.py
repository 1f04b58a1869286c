"""Rows the kernel owns: the event table, and the queue of jobs."""

from __future__ import annotations

from django.db import models
from django.db.models.expressions import Func


class TransactionId(Func):
    """The id of the running transaction on PostgreSQL; 0 on SQLite, which has one writer.

    PostgreSQL commits out of id order, so a reader of the event table may only go as far as the
    oldest transaction still running (see :func:`deskbell.kernel.events.read_after`).
    """

    template = "0"
    arity = 0
    output_field = models.BigIntegerField()

    def as_postgresql(self, compiler, connection, **extra):  # type: ignore[no-untyped-def]
        return "(pg_current_xact_id()::text::bigint)", []


class Event(models.Model):
    """One thing that happened: who, through what, when, to what, and the ordered changes.

    There is no foreign key to the thing itself: deleting a ticket keeps the row (id, number, who,
    via, when) and blanks older ``changes``. ``changes`` is a list of objects with the keys
    ``attribute``, ``type`` (created, updated, added, removed …), ``from``, ``to`` (names as they
    were), ``id_from``, ``id_to``, and ``object``/``object_id`` where it concerns another row.
    """

    kind = models.CharField(max_length=40)
    object = models.CharField(max_length=40)
    object_id = models.BigIntegerField()
    number = models.CharField(max_length=64, default="")
    actor_kind = models.CharField(max_length=10)
    user_id = models.BigIntegerField()
    via = models.CharField(max_length=10)
    at = models.DateTimeField()
    changes = models.JSONField(default=list)
    request_id = models.CharField(max_length=64, default="")
    txid = models.BigIntegerField(db_default=TransactionId())

    class Meta:
        indexes = [
            models.Index(fields=["object", "object_id", "id"], name="event_of_object"),
            models.Index(fields=["txid", "id"], name="event_cursor"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.object} {self.object_id}"


class JobState(models.TextChoices):
    """``ready`` waits for ``run_at``; ``dead`` has used up its attempts and waits for a person."""

    READY = "ready"
    RUNNING = "running"
    DONE = "done"
    DEAD = "dead"


class Job(models.Model):
    """One piece of work we owe, under a lease while somebody does it.

    ``task`` is the dotted path of the task, ``arguments`` the object ``{"args": […], "kwargs":
    {…}}``. ``attempts`` counts the starts. ``lease_token`` names the one start that may write the
    outcome; after ``lease_until`` the job is taken from whoever held it. ``trace`` is the id of the
    request that asked for the work. Rows that are done disappear after a day.
    """

    queue = models.CharField(max_length=40, default="default")
    task = models.CharField(max_length=200)
    arguments = models.JSONField(default=dict)
    priority = models.SmallIntegerField(default=0)
    run_at = models.DateTimeField()
    state = models.CharField(max_length=10, choices=JobState, default=JobState.READY)
    attempts = models.PositiveIntegerField(default=0)
    max_attempts = models.PositiveIntegerField()
    unique_key = models.CharField(max_length=200, null=True)  # null: not unique
    lease_token = models.CharField(max_length=32, default="")
    lease_until = models.DateTimeField(null=True)
    worker = models.CharField(max_length=64, default="")
    enqueued_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    result = models.JSONField(null=True)
    last_error = models.TextField(default="")
    trace = models.CharField(max_length=64, default="")

    class Meta:
        constraints = [
            # At most one waits per key. One more may be running: what it was asked before the
            # present request might not cover it.
            models.UniqueConstraint(
                fields=["unique_key"], condition=models.Q(state="ready"), name="job_waits_once"
            ),
        ]
        indexes = [
            models.Index(
                models.F("priority").desc(),
                "run_at",
                "id",
                condition=models.Q(state="ready"),
                name="job_ready",
            ),
            models.Index(
                fields=["lease_until"], condition=models.Q(state="running"), name="job_running"
            ),
            models.Index(
                fields=["state", "finished_at"],
                condition=models.Q(state__in=["done", "dead"]),
                name="job_finished",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.task} {self.pk}"


class PeriodicJob(models.Model):
    """When a periodic task is due next; one row per name, shared by all workers."""

    name = models.CharField(max_length=150, unique=True)
    due_at = models.DateTimeField()
    last_run_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return self.name


class Worker(models.Model):
    """A process that takes jobs, and when it was last heard of.

    ``host`` names the machine's present boot and process namespace, ``process_started`` the start
    of the process in clock ticks since then: together with ``pid`` they say, on the same host,
    whether this very process still lives.
    """

    name = models.CharField(max_length=64, unique=True)
    host = models.CharField(max_length=120)
    pid = models.BigIntegerField()
    process_started = models.BigIntegerField()
    started_at = models.DateTimeField()
    heartbeat_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["heartbeat_at"], name="worker_heartbeat")]

    def __str__(self) -> str:
        return self.name
