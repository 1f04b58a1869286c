"""``deskbell migrate``: bring the database to this version, one at a time, or say why not."""

from __future__ import annotations

import argparse
import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from deskbell.kernel.config import Config
from deskbell.ops.cli import CommandError, start_django

if TYPE_CHECKING:
    from django.db.migrations.executor import MigrationExecutor

#: Names our lock among the advisory locks of a PostgreSQL database.
_ADVISORY_LOCK = 0x6465736B62656C6C


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--check", action="store_true", help="only say what is pending (status 1)")


def run(args: argparse.Namespace, config: Config) -> int:
    """Apply what is pending, or with ``--check`` list it."""
    start_django(config)
    if args.check:
        names = pending()
        print("\n".join(names) or "Nothing is pending.")
        return 1 if names else 0
    applied = migrate(config)
    print("\n".join(f"applied {name}" for name in applied) or "The database is up to date.")
    return 0


def pending() -> list[str]:
    """Names of migrations not applied yet. Raises CommandError when the database is no use."""
    _, names = _look()
    return names


def refuse_unless_migrated() -> None:
    """For the parts of a cluster, which never migrate by themselves. Raises CommandError."""
    if names := pending():
        raise CommandError(
            f"The database lacks {len(names)} migrations ({names[0]} first): "
            "run `deskbell migrate` before starting this version."
        )


def migrate(config: Config) -> list[str]:
    """Apply what is pending and return the names; nothing is locked when nothing is.

    Raises CommandError with one sentence where it cannot be done.
    """
    from django.db import DatabaseError

    _, names = _look()
    if not names:
        return []
    with _alone(config):
        # Somebody else may have done it while we waited.
        executor, names = _look()
        at = "the first migration"

        def follow(action: Any, migration: Any = None, fake: Any = False) -> None:
            nonlocal at
            if action == "apply_start":
                at = str(migration)

        executor.progress_callback = follow
        try:
            executor.migrate(executor.loader.graph.leaf_nodes())
        except DatabaseError as error:
            reason = str(error).strip().splitlines()[0]
            raise CommandError(f"The migration {at} could not be applied: {reason}.") from error
        from deskbell.search import people

        # People made before there was an index of them, and those of the migrations themselves.
        people.complete()
    return names


def _look() -> tuple[MigrationExecutor, list[str]]:
    from django.db import DatabaseError, connection
    from django.db.migrations.exceptions import InconsistentMigrationHistory
    from django.db.migrations.executor import MigrationExecutor

    try:
        executor = MigrationExecutor(connection)
        executor.loader.check_consistent_history(connection)
    except DatabaseError as error:
        reason = str(error).strip().splitlines()[0]
        raise CommandError(f"The database cannot be used: {reason}.") from error
    except InconsistentMigrationHistory as error:
        raise CommandError(f"The database's history does not fit this version: {error}") from error
    ours = executor.loader.migrated_apps
    newer = [
        f"{app}.{name}"
        for app, name in executor.loader.applied_migrations
        if app in ours
        and (app, name) not in executor.loader.disk_migrations
        and not _was_squashed(executor, app, name)
    ]
    if newer:
        raise CommandError(
            f"The database was used by a newer version (it has {min(newer)}): "
            "start that version, or restore a backup made before the upgrade."
        )
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    return executor, [f"{migration.app_label}.{migration.name}" for migration, _ in plan]


def _was_squashed(executor: MigrationExecutor, app: str, name: str) -> bool:
    return any(
        (app, name) in migration.replaces for migration in executor.loader.disk_migrations.values()
    )


@contextmanager
def _alone(config: Config) -> Iterator[None]:
    """Only one process migrates: a lock in PostgreSQL, or on a file beside the SQLite database."""
    from django.db import connection

    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(%s)", [_ADVISORY_LOCK])
        try:
            yield
        finally:
            if connection.is_usable():
                with connection.cursor() as cursor:
                    cursor.execute("SELECT pg_advisory_unlock(%s)", [_ADVISORY_LOCK])
        return
    with (config.data / "migrate.lock").open("a") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        yield
