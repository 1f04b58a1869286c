"""Our desk in a run: seeded once and kept, copied for every server, started and measured."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench import seed
from bench.cells import Cell, Desk
from bench.processes import ROOT, Server, ServerDied, clean_environment, free_port

IDLE_SECONDS = 3.0


@dataclass(frozen=True, slots=True)
class Filled:
    """A data directory (and a database, if not in there) with tickets in it."""

    data: Path
    told: dict[str, Any]
    database_url: str = ""
    settings: Mapping[str, str] = field(default_factory=dict)

    @property
    def desk(self) -> Desk:
        """Whom the cells sign in as, and on which tickets they work."""
        return Desk(
            login=seed.AGENT_LOGIN,
            password=seed.PASSWORD,
            token=self.told["token"],
            tickets=[(id_, email) for id_, email in self.told["sample"]],
        )

    def environment(self, **more: str) -> dict[str, str]:
        """What a process of this desk is started with."""
        return clean_environment({**_settings(self.data, self.database_url), **more})


def _settings(data: Path, database_url: str) -> dict[str, str]:
    settings = {"DESKBELL_DATA": str(data), "PYTHONUNBUFFERED": "1"}
    if database_url:
        settings["DESKBELL_DATABASE_URL"] = database_url
    return settings


class Databases:
    """Makes filled desks, on SQLite (kept in ``cache`` between runs) or on one PostgreSQL."""

    def __init__(self, engine: str, cache: Path, run: Path, stack: ExitStack) -> None:
        self.engine = engine
        self.cache = cache
        self.run = run
        self._copies = 0
        self._server: Any = None
        if engine == "postgresql":
            from tests.postgres import TestServer

            self._server = TestServer(durable=True)
            stack.callback(self._server.stop)

    def filled(self, tickets: int) -> Filled:
        """A desk of this size, for this run alone. Raises ServerDied."""
        if self.engine == "postgresql":
            return self._filled_postgresql(tickets)
        kept = self.cache / f"desk-{tickets}-{_fingerprint()}"
        if not (kept / "told.json").exists():
            for old in self.cache.glob(f"desk-{tickets}-*"):
                shutil.rmtree(old)
            kept.mkdir(parents=True)
            told = _seed(kept, "", tickets)
            (kept / "told.json").write_text(json.dumps(told))
        told = json.loads((kept / "told.json").read_text())
        return self.copy(Filled(kept, told))

    def copy(self, filled: Filled) -> Filled:
        """The same desk once more, for another server; nobody may be connected to it."""
        self._copies += 1
        data = self.run / f"desk-{self._copies}"
        shutil.copytree(filled.data, data)
        url = filled.database_url
        if url:
            import psycopg

            from tests.postgres import url as url_of

            name = f"desk{self._copies}"
            template = url.rsplit("/", 1)[-1].split("?")[0]
            with psycopg.connect(url_of(self._server.host, "postgres"), autocommit=True) as admin:
                admin.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
            url = url_of(self._server.host, name)
        return Filled(data, filled.told, url)

    def _filled_postgresql(self, tickets: int) -> Filled:
        from tests.postgres import create_database

        self._copies += 1
        name = f"desk{self._copies}"
        url = create_database(self._server.host, name)
        data = self.run / f"desk-{self._copies}"
        data.mkdir(parents=True)
        return Filled(data, _seed(data, url, tickets), url)


def _fingerprint() -> str:
    """Changes with whatever decides what a seeded database looks like."""
    digest = hashlib.sha256()
    sources = [
        *sorted((ROOT / "deskbell").glob("*/migrations/*.py")),
        *(ROOT / "deskbell" / "search" / name for name in ("index.py", "analyse.py")),
        *(ROOT / "bench" / name for name in ("corpus.py", "seed.py")),
    ]
    for source in sources:
        digest.update(source.name.encode() + source.read_bytes())
    return digest.hexdigest()[:12]


def _seed(data: Path, database_url: str, tickets: int) -> dict[str, Any]:
    print(f"Filling a desk with {tickets:,} tickets", file=sys.stderr)
    done = subprocess.run(
        [sys.executable, "-P", "-m", "bench.seed", "--tickets", str(tickets)],
        cwd=data,
        env=clean_environment(_settings(data, database_url)),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise ServerDied(f"the desk could not be filled\n{done.stderr[-3000:]}")
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    print(f"  done in {told['seconds']} s", file=sys.stderr)
    return told


def serve(filled: Filled, *, name: str = "deskbell") -> Server:
    """Start ``deskbell serve`` on this desk. Raises ServerDied."""
    return _serve([sys.executable, "-P", "-m", "deskbell", "serve"], filled, name, "/readyz")


def serve_floor(filled: Filled, recording: Path) -> Server:
    """Start the floor on this desk's database. Raises ServerDied."""
    return _serve([sys.executable, "-P", "-m", "bench.floor", str(recording)], filled, "floor", "/")


def _serve(command: list[str], filled: Filled, name: str, probe: str) -> Server:
    port = free_port()
    return Server(
        name,
        command,
        environment=filled.environment(DESKBELL_HOST="127.0.0.1", DESKBELL_PORT=str(port)),
        cwd=filled.data,
        log=filled.data / f"{name}.log",
        port=port,
        probe=probe,
    )


def record(filled: Filled, cells: list[Cell], file: Path) -> None:
    """Write down what the desk does for every request of the cells. Raises ServerDied."""
    done = subprocess.run(
        [sys.executable, "-P", "-m", "bench.recording", str(file)],
        input=json.dumps([described for cell in cells for described in describe(cell)]),
        cwd=filled.data,
        env=filled.environment(DESKBELL_LOG_LEVEL="error"),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise ServerDied(f"the floor could not be recorded\n{done.stderr[-3000:]}")


def intake(filled: Filled) -> dict[str, Any]:
    """How fast mail comes into this desk. Raises ServerDied."""
    done = _run_intake(filled, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if done.returncode:
        raise ServerDied(f"no mail could be taken in\n{done.stderr[-3000:]}")
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return told


def profile_intake(filled: Filled) -> int:
    """Print where the time of a message goes; the exit code."""
    return _run_intake(filled, "--profile").returncode


def _run_intake(filled: Filled, *arguments: str, **pipes: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-P", "-m", "bench.intake", *arguments],
        cwd=filled.data,
        env=filled.environment(DESKBELL_LOG_LEVEL="error"),
        text=True,
        check=False,
        **pipes,
    )


def describe(cell: Cell) -> list[dict[str, Any]]:
    """The requests of a cell as JSON, for a process that runs them itself."""
    import base64

    return [
        {
            "method": request.method,
            "target": request.target,
            "headers": request.headers,
            "authorization": dict(request.headers).get("Authorization", ""),
            "body": base64.b64encode(request.body).decode(),
            "status": cell.expected.status,
        }
        for request in cell.requests
    ]


def idle(run: Path) -> dict[str, Any]:
    """Start-up seconds and memory (MB, proportional set size) of an empty desk.

    The first start makes the database, the second finds it.
    """
    data = run / "idle"
    data.mkdir()
    filled = Filled(data, {})
    first = serve(filled)
    first_seconds = first.start_seconds
    first.stop()
    second = serve(filled)
    try:
        time.sleep(IDLE_SECONDS)
        memory = second.memory()
    finally:
        second.stop()
    return {
        "first_start_seconds": round(first_seconds, 2),
        "second_start_seconds": round(second.start_seconds, 2),
        "memory_mb": round(sum(memory.values()), 1),
        "processes_mb": {name: round(size, 1) for name, size in memory.items()},
    }
