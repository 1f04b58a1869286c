"""Rows the kernel owns: the event table."""

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
