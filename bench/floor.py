"""The floor: a bare function on the same server program, with the same SQL and the same answers.

``python -m bench.floor FILE`` serves what :mod:`bench.recording` wrote down, with exactly the
server settings of ``deskbell web``. There is no Django, no routing, no decoding and no encoding:
what is left is what the server program, Python's threads and the database cost.
"""

from __future__ import annotations

import pickle
import re
import secrets
import sys
import threading
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from types import ModuleType
from typing import Any

from bench.recording import FromChance, FromClock, FromPieces, FromResult, Recorded, Step

_PLACE = re.compile(r"(?<!%)%s")


class Floor:
    """The WSGI application. Statements run on one connection per thread, as Django's do."""

    def __init__(self, recording: dict[str, Any]) -> None:
        self.database: dict[str, Any] = recording["database"]
        self.is_sqlite = self.database["vendor"] == "sqlite"
        self.recorded: dict[tuple[str, str, str, bytes], Recorded] = {
            key: self._prepared(recorded) for key, recorded in recording["recorded"].items()
        }
        self.local = threading.local()

    def __call__(self, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        query = environ["QUERY_STRING"]
        path = environ["PATH_INFO"]
        length = environ.get("CONTENT_LENGTH")
        body = environ["wsgi.input"].read(int(length)) if length and length != "0" else b""
        key = (
            environ["REQUEST_METHOD"],
            f"{path}?{query}" if query else path,
            environ.get("HTTP_AUTHORIZATION", ""),
            body,
        )
        recorded = self.recorded.get(key)
        if recorded is None:
            # The probe that waits for the server, or a request nobody announced.
            start("200 OK" if path == "/" else "404 Not Found", [("Content-Length", "0")])
            return [b""]
        self._repeat(recorded.steps)
        start(recorded.status, list(recorded.headers))
        return [recorded.body]

    def _repeat(self, steps: tuple[Step, ...]) -> None:
        connection, cursor = self._connection()
        results: dict[int, list[Any]] = {}
        try:
            for index, step in enumerate(steps):
                if step.kind == "statement":
                    params = _filled(step.params, results) if step.variable else step.params
                    if step.many:
                        cursor.executemany(step.sql, params)
                        continue
                    if params is None:
                        cursor.execute(step.sql)
                    else:
                        cursor.execute(step.sql, params)
                    if cursor.description is not None:
                        results[index] = cursor.fetchall()
                elif step.kind == "commit":
                    connection.commit()
                elif step.kind == "rollback":
                    connection.rollback()
                elif step.kind == "begin" and not self.is_sqlite:
                    cursor.execute("BEGIN")
        except BaseException:
            connection.rollback()
            raise

    def _connection(self) -> tuple[Any, Any]:
        if not hasattr(self.local, "connection"):
            if self.is_sqlite:
                import sqlite3

                connection: Any = sqlite3.connect(
                    self.database["path"], timeout=self.database["timeout"], isolation_level=None
                )
                connection.execute("PRAGMA foreign_keys = ON")
                for pragma in self.database["pragmas"].split(";"):
                    connection.execute(pragma).fetchall()
            else:
                import psycopg

                connection = psycopg.connect(
                    **self.database["connect"], autocommit=True, cursor_factory=psycopg.ClientCursor
                )
            self.local.connection = connection
            self.local.cursor = connection.cursor()
        return self.local.connection, self.local.cursor

    def _prepared(self, recorded: Recorded) -> Recorded:
        """SQLite's driver wants question marks, and Django writes them at every execution."""
        if not self.is_sqlite:
            return recorded
        steps = tuple(
            Step(
                step.kind,
                step.sql if step.params is None else _PLACE.sub("?", step.sql).replace("%%", "%"),
                step.params,
                step.many,
                step.variable,
            )
            for step in recorded.steps
        )
        return Recorded(steps, recorded.status, recorded.headers, recorded.body)


def _filled(value: Any, results: dict[int, list[Any]]) -> Any:
    """The parameters with what varies put in."""
    kind = type(value)
    if kind is tuple or kind is list:
        return kind([_filled(item, results) for item in value])
    if kind is FromResult:
        found = results[value.step][value.row][value.column]
        return (found << value.shift) + value.plus
    if kind is FromClock:
        moment = datetime.now(UTC)
        return str(moment.replace(tzinfo=None)) if value.as_text else moment
    if kind is FromChance:
        return secrets.token_hex(value.digits // 2)
    if kind is FromPieces:
        return "".join(str(_filled(piece, results)) for piece in value.pieces)
    return value


def main() -> None:
    """Serve the recording of the first argument as ``deskbell web`` serves the desk."""
    from deskbell.kernel.config import current
    from deskbell.ops import web

    with open(sys.argv[1], "rb") as stream:
        floor = Floor(pickle.load(stream))
    # The server program loads its application from this module in every process it forks.
    stand_in: Any = ModuleType("deskbell.wsgi")
    stand_in.application = floor
    stand_in.warm_up = lambda: None
    sys.modules["deskbell.wsgi"] = stand_in
    sys.exit(web.serve(current()))


if __name__ == "__main__":
    main()
