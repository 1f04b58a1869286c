"""The Django database setting for either engine, from the desk's own settings."""

from __future__ import annotations

from typing import Any

from deskbell.kernel.config import Config, ConfigError

#: Seconds a SQLite connection waits for the one writer before it gives up.
SQLITE_BUSY_SECONDS = 20


def database(config: Config) -> dict[str, Any]:
    """``DATABASES["default"]`` for SQLite in the data directory, or for the PostgreSQL of the URL.

    Connections persist, one per thread. Raises ConfigError when libpq cannot read the URL.
    """
    if config.is_sqlite:
        return _sqlite(config)
    return _postgresql(config.database_url)


def _sqlite(config: Config) -> dict[str, Any]:
    # FULL: an answered request survives a power cut, not only a crash of the process. The memory
    # map and the cache are per connection; both are upper limits, an idle desk uses little of them.
    pragmas = (
        "PRAGMA journal_mode=WAL",
        f"PRAGMA synchronous={config.sqlite_synchronous}",
        "PRAGMA cache_size=-16000",
        "PRAGMA mmap_size=268435456",
        "PRAGMA temp_store=MEMORY",
        "PRAGMA journal_size_limit=67108864",
    )
    return {
        "ENGINE": "deskbell.kernel.sqlite",
        "NAME": config.sqlite_path,
        "CONN_MAX_AGE": None,
        "OPTIONS": {
            "timeout": SQLITE_BUSY_SECONDS,
            # A transaction takes the write lock when it begins: taking it later, after a read,
            # fails at once with "database is locked" if somebody wrote in between.
            "transaction_mode": "IMMEDIATE",
            "init_command": ";".join(pragmas),
        },
    }


def _postgresql(url: str) -> dict[str, Any]:
    from psycopg import ProgrammingError
    from psycopg.conninfo import conninfo_to_dict

    try:
        parts = conninfo_to_dict(url)
    except ProgrammingError as error:
        raise ConfigError(
            "DESKBELL_DATABASE_URL makes no sense: it must be "
            "postgresql://user:password@host/name, with options libpq knows."
        ) from error
    names = {
        "dbname": "NAME",
        "user": "USER",
        "password": "PASSWORD",
        "host": "HOST",
        "port": "PORT",
    }
    settings: dict[str, Any] = {names[key]: str(parts.pop(key)) for key in names if key in parts}
    return {
        "ENGINE": "django.db.backends.postgresql",
        **settings,
        "CONN_MAX_AGE": None,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {"connect_timeout": 10, "application_name": "deskbell", **parts},
    }
