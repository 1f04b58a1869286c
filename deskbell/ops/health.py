"""The two probes: ``/healthz`` says that the process lives, ``/readyz`` that it can do its work."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from datetime import datetime
from typing import Any

import msgspec
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor

from deskbell.kernel import clock
from deskbell.kernel.config import Config
from deskbell.kernel.jobs.presence import last_heartbeat

Start = Callable[..., Any]


def pending_migrations() -> list[str]:
    """Names of migrations that are not applied yet. Raises DatabaseError."""
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    return [f"{migration.app_label}.{migration.name}" for migration, _ in plan]


def check(config: Config, *, at: datetime, with_migrations: bool = True) -> dict[str, Any]:
    """What a probe or ``deskbell doctor`` says: ``ready``, one word per part, and some ages.

    The worker's age in seconds is information only: pages and APIs work without one.
    """
    found: dict[str, Any] = {"database": "ok", "migrations": "ok", "data": "ok"}
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        if with_migrations and (pending := pending_migrations()):
            found["migrations"] = f"{len(pending)} pending"
        heard = last_heartbeat() if found["migrations"] == "ok" else None
        found["worker_seconds"] = None if heard is None else round((at - heard).total_seconds(), 1)
    except DatabaseError:
        # The reason may name hosts and users; the log has it, a public probe does not.
        found["database"] = "unreachable"
        if not connection.in_atomic_block:
            connection.close()
    if not os.access(config.data, os.W_OK | os.X_OK):
        found["data"] = "not writable"
    found["ready"] = all(found[part] == "ok" for part in ("database", "migrations", "data"))
    return found


class Probes:
    """The probes as WSGI answers. Migrations are looked at until they are once complete."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self.migrated = threading.Event()

    def alive(self, start: Start) -> list[bytes]:
        """200 as long as anything answers at all."""
        return _answer(start, "200 OK", {"alive": True})

    def ready(self, start: Start) -> list[bytes]:
        """200, or 503 with the part that is missing."""
        found = check(self.config, at=clock.now(), with_migrations=not self.migrated.is_set())
        if found["database"] == found["migrations"] == "ok":
            self.migrated.set()
        return _answer(start, "200 OK" if found["ready"] else "503 Service Unavailable", found)


def _answer(start: Start, status: str, found: dict[str, Any]) -> list[bytes]:
    body = msgspec.json.encode(found)
    start(
        status,
        [
            ("Content-Type", "application/json"),
            ("Content-Length", str(len(body))),
            ("Cache-Control", "no-store"),
        ],
    )
    return [body]
