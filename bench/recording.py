"""What our server asks the database for one request, written down so that the floor can repeat it.

``python -m bench.recording FILE`` works on the desk that the ``DESKBELL_*`` settings name: requests
come as JSON on standard input, the recording goes into the file. Every request runs through the
whole WSGI application in this process, on the real database, and is committed.

A read has constant parameters. A write is recorded twice; whatever differs between the two runs is
traced to where it came from: a result of an earlier statement (plus a constant), the clock, or
chance. So the floor repeats it with fresh ids, and no knowledge of our tables stands here.
"""

from __future__ import annotations

import base64
import json
import os
import pickle
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from io import BytesIO
from itertools import zip_longest
from typing import Any

#: Search entries keep the ticket's id in their upper bits.
_SHIFTS = (0, 24)
MOST_RUNS = 6
#: How far a value may lie from the result it was computed of.
_NEAR = 1 << 25
_PIECES = re.compile(r"[0-9a-f]{16,}|\d+|[^\d]+?(?=[0-9a-f]{16,}|\d|$)", re.S)
_HEX = re.compile(r"[0-9a-f]{16,}")
#: Django numbers savepoints through.
SAVEPOINT = re.compile(r"s\d+_x\d+")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(\.\d+)?([+-]\d\d:?\d\d)?")


class NotRepeatable(Exception):
    """A request does not do the same thing twice, so the floor cannot repeat it."""


@dataclass(frozen=True, slots=True)
class FromResult:
    """``result[step][row][column] << shift``, plus ``plus``."""

    step: int
    row: int
    column: int
    plus: int
    shift: int


@dataclass(frozen=True, slots=True)
class FromClock:
    """The present moment, as this database takes it."""

    as_text: bool


@dataclass(frozen=True, slots=True)
class FromChance:
    """So many random hexadecimal digits."""

    digits: int


@dataclass(frozen=True, slots=True)
class FromPieces:
    """A text put together from constants and the other kinds."""

    pieces: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Step:
    """``statement``, ``begin``, ``commit`` or ``rollback``; ``variable`` says that params vary."""

    kind: str
    sql: str = ""
    params: tuple[Any, ...] | None = None
    many: bool = False
    variable: bool = False


@dataclass(frozen=True, slots=True)
class Recorded:
    """The steps of a request, and the answer that ended it."""

    steps: tuple[Step, ...]
    status: str
    headers: tuple[tuple[str, str], ...]
    body: bytes


@dataclass(slots=True)
class _Run:
    steps: list[Step]
    results: dict[int, list[Sequence[Any]]]
    status: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""


class _Recorder:
    """Sits between Django and its cursors; ``run`` is what is being written down, if anything."""

    def __init__(self) -> None:
        self.run: _Run | None = None

    def install(self) -> None:
        """Take over the making of cursors and the ends of transactions on this connection."""
        from django.db import connection
        from django.db.backends.utils import CursorWrapper

        recorder = self

        class Cursor(CursorWrapper):
            def execute(self, sql: Any, params: Any = None) -> Any:
                recorder.statement(str(sql), params, many=False)
                return super().execute(sql, params)

            def executemany(self, sql: Any, param_list: Any) -> Any:
                param_list = [tuple(params) for params in param_list]
                recorder.statement(str(sql), param_list, many=True)
                return super().executemany(sql, param_list)

            def fetchone(self) -> Any:
                row = self.cursor.fetchone()
                recorder.fetched([] if row is None else [row])
                return row

            def fetchmany(self, *size: Any) -> Any:
                rows = self.cursor.fetchmany(*size)
                recorder.fetched(rows)
                return rows

            def fetchall(self) -> Any:
                rows = self.cursor.fetchall()
                recorder.fetched(rows)
                return rows

            def __iter__(self) -> Iterator[Any]:
                for row in self.cursor:
                    recorder.fetched([row])
                    yield row

        made: Any = connection
        made.make_cursor = lambda cursor: Cursor(cursor, connection)
        made.make_debug_cursor = made.make_cursor
        commit, rollback = made._commit, made._rollback
        set_autocommit = made._set_autocommit

        def noted_commit() -> None:
            recorder.mark("commit")
            commit()

        def noted_rollback() -> None:
            recorder.mark("rollback")
            rollback()

        def noted_autocommit(autocommit: bool) -> None:
            if not autocommit:
                recorder.mark("begin")
            set_autocommit(autocommit)

        made._commit, made._rollback = noted_commit, noted_rollback
        made._set_autocommit = noted_autocommit

    def statement(self, sql: str, params: Any, *, many: bool) -> None:
        if self.run is None:
            return
        values = None if params is None else tuple(params)
        self.run.results[len(self.run.steps)] = []
        self.run.steps.append(Step("statement", sql, values, many))

    def mark(self, kind: str) -> None:
        if self.run is not None:
            self.run.steps.append(Step(kind))

    def fetched(self, rows: Sequence[Sequence[Any]]) -> None:
        if self.run is not None and self.run.results:
            self.run.results[max(self.run.results)].extend(rows)


def record(requests: list[dict[str, Any]]) -> dict[tuple[str, str, str, bytes], Recorded]:
    """Run all requests and write down what they did. Raises NotRepeatable."""
    from django.db import connection

    from deskbell.wsgi import application, warm_up

    warm_up()
    recorder = _Recorder()
    recorder.install()
    is_sqlite = connection.vendor == "sqlite"
    found: dict[tuple[str, str, str, bytes], Recorded] = {}

    def once(request: dict[str, Any], body: bytes) -> _Run:
        recorder.run = run = _Run([], {})
        try:
            run.status, run.headers, run.body = call(application, request, body)
        finally:
            recorder.run = None
        if not run.status.startswith(str(request["status"])):
            raise NotRepeatable(
                f"{request['method']} {request['target']} answered {run.status}: {run.body[:500]!r}"
            )
        return run

    for request in requests:
        body = base64.b64decode(request["body"])
        key = (request["method"], request["target"], request["authorization"], body)
        if key in found:
            continue
        runs = [once(request, body)]
        # The first ones may do what is due now and then: a new state of the ticket, a stamp.
        while len(runs) < MOST_RUNS:
            runs.append(once(request, body))
            if _texts(runs[-1]) == _texts(runs[-2]):
                trace = _Trace(runs[-2], runs[-1], as_text=is_sqlite)
                found[key] = _generalised(trace, is_sqlite=is_sqlite)
                if not trace.lost:
                    break
        if key not in found:
            raise NotRepeatable(
                f"{request['method']} {request['target']} does not settle: {_differ(runs)}"
            )
    return found


def call(
    application: Any, request: dict[str, Any], body: bytes
) -> tuple[str, tuple[tuple[str, str], ...], bytes]:
    """One request through a WSGI application: status line, headers, body."""
    environ = environ_of(request, body)
    answered: list[Any] = []

    def start_response(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> None:
        answered[:] = [status, tuple(headers)]

    chunks = application(environ, start_response)
    try:
        text = b"".join(chunks)
    finally:
        close = getattr(chunks, "close", None)
        if close is not None:
            close()
    return answered[0], answered[1], text


def environ_of(request: dict[str, Any], body: bytes) -> dict[str, Any]:
    """What a server hands to a WSGI application for this request."""
    path, _, query = request["target"].partition("?")
    environ: dict[str, Any] = {
        "REQUEST_METHOD": request["method"],
        "SCRIPT_NAME": "",
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "HTTP_HOST": request.get("host", "127.0.0.1"),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": BytesIO(body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    for name, value in request["headers"]:
        key = name.upper().replace("-", "_")
        environ[key if key == "CONTENT_TYPE" else f"HTTP_{key}"] = value
    if body:
        environ["CONTENT_LENGTH"] = str(len(body))
    return environ


def _texts(run: _Run) -> list[tuple[str, str]]:
    return [(step.kind, SAVEPOINT.sub("savepoint", step.sql)) for step in run.steps]


def _differ(runs: list[_Run]) -> str:
    """The first statements in which the last two runs differ."""
    for one, two in zip_longest(_texts(runs[-2]), _texts(runs[-1])):
        if one != two:
            return f"{one} or {two}"
    return "nowhere"


def _generalised(trace: _Trace, *, is_sqlite: bool) -> Recorded:
    first, second = trace.first, trace.second
    steps: list[Step] = []
    for index, (one, two) in enumerate(zip(first.steps, second.steps, strict=True)):
        if two.kind != "statement" or two.params is None:
            steps.append(two)
            continue
        assert one.params is not None
        params = tuple(
            trace.source(plain(a, is_sqlite), plain(b, is_sqlite), index)
            for a, b in zip(one.params, two.params, strict=True)
        )
        steps.append(Step("statement", two.sql, params, two.many, _varies(params)))
    return Recorded(tuple(steps), second.status, second.headers, second.body)


def _varies(value: Any) -> bool:
    if isinstance(value, (list, tuple)):
        return any(map(_varies, value))
    return isinstance(value, (FromResult, FromClock, FromChance, FromPieces))


def plain(value: Any, is_sqlite: bool) -> Any:
    """A parameter that the bare driver takes, where Django's own additions would be needed."""
    if isinstance(value, (list, tuple)):
        return type(value)(plain(item, is_sqlite) for item in value)
    if isinstance(value, str) and type(value) is not str:
        return "".join(value)  # a member of an enumeration
    if isinstance(value, int) and type(value) not in (int, bool):
        return int(value)
    if hasattr(value, "obj") and hasattr(value, "dumps"):  # psycopg's wrapper around JSON
        return (value.dumps or json.dumps)(value.obj)
    if is_sqlite:
        if isinstance(value, datetime):
            return str(value)
        if isinstance(value, (date, Decimal)):
            return str(value)
    return value


class _Trace:
    """Finds where a parameter that differs between two runs came from."""

    def __init__(self, first: _Run, second: _Run, *, as_text: bool) -> None:
        self.first, self.second = first, second
        self.as_text = as_text
        #: How many numbers differ and come from no result.
        self.lost = 0
        self.cells: list[tuple[int, int, int, int, int]] = []
        for step, rows in second.results.items():
            others = first.results.get(step, [])
            for row, (other_values, values) in enumerate(zip(others, rows, strict=False)):
                for column, (old, new) in enumerate(zip(other_values, values, strict=True)):
                    if type(old) is int and type(new) is int and old != new:
                        self.cells.append((step, row, column, old, new))

    def source(self, one: Any, two: Any, step: int) -> Any:
        """The second run's value, or how to make another one like it in this step."""
        if isinstance(two, (list, tuple)) and isinstance(one, (list, tuple)):
            if len(one) != len(two):
                return two
            return type(two)(self.source(a, b, step) for a, b in zip(one, two, strict=True))
        if isinstance(two, datetime) or (isinstance(two, str) and _MOMENT.fullmatch(two)):
            return two if one == two else FromClock(self.as_text)
        if one == two:
            return two
        if type(one) is int and type(two) is int:
            found = self._number(one, two, step)
            if found is None:
                self.lost += 1
                return two
            return found
        if isinstance(one, str) and isinstance(two, str):
            return self._text(one, two, step)
        return two

    def _number(self, one: int, two: int, step: int) -> FromResult | None:
        best: FromResult | None = None
        for at, row, column, old, new in self.cells:
            if at >= step:
                continue
            for shift in _SHIFTS:
                plus = two - (new << shift)
                if plus != one - (old << shift) or abs(plus) > _NEAR:
                    continue
                if best is None or abs(plus) < abs(best.plus):
                    best = FromResult(at, row, column, plus, shift)
        return best

    def _text(self, one: str, two: str, step: int) -> Any:
        ones, twos = _PIECES.findall(one), _PIECES.findall(two)
        if len(ones) != len(twos):
            return two
        pieces: list[Any] = []
        for a, b in zip(ones, twos, strict=True):
            piece: Any = b
            if a != b:
                if b.isdigit() and a.isdigit() and len(b) < 16:
                    piece = self._number(int(a), int(b), step) or b
                elif _HEX.fullmatch(b) and len(a) == len(b):
                    piece = FromChance(len(b))
            pieces.append(piece)
        return FromPieces(tuple(pieces)) if _varies(pieces) else two


def main() -> None:
    """Record what standard input asks for into the file of the first argument."""
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "deskbell.settings")
    django.setup()
    from django.db import connection

    recorded = record(json.load(sys.stdin))
    settings = connection.settings_dict
    database: dict[str, Any] = {"vendor": connection.vendor}
    if connection.vendor == "sqlite":
        database["path"] = str(settings["NAME"])
        database["pragmas"] = settings["OPTIONS"]["init_command"]
        database["timeout"] = settings["OPTIONS"]["timeout"]
    else:
        names = {
            "NAME": "dbname",
            "USER": "user",
            "PASSWORD": "password",
            "HOST": "host",
            "PORT": "port",
        }
        database["connect"] = {key: settings[name] for name, key in names.items() if settings[name]}
    with open(sys.argv[1], "wb") as stream:
        pickle.dump({"database": database, "recorded": recorded}, stream)


if __name__ == "__main__":
    # Under its importable name, so that the pickled classes are found again.
    from bench import recording

    recording.main()
