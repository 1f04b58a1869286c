"""A real desk in processes of its own: started, asked, killed and restarted by tests."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

ROOT = Path(__file__).resolve().parent.parent
ADMIN_EMAIL = "ada@example.com"
ADMIN_PASSWORD = "correct horse battery staple"

START_SECONDS = 50
DRAIN_SECONDS = 20
KILL_SECONDS = 10


class DeskDied(AssertionError):
    """The desk ended, or did not become ready; the message ends with what it said."""


def is_setting(name: str) -> bool:
    """Whether an environment variable of this name is for a desk, and not for the tests."""
    return name.startswith(("DESKBELL_", "HELPDESK_")) and not name.startswith("DESKBELL_TEST_")


def free_port() -> int:
    """A loopback port that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class LiveDesk:
    """One `deskbell serve` on a loopback port, with a data directory and a database of its own.

    `data` is the data directory (mail goes to `data / "outbox"`), `log` the file of everything the
    desk prints. `database_url` is None for the SQLite file inside the data directory.
    """

    data: Path
    log: Path
    database_url: str | None = None
    settings: dict[str, str] = field(default_factory=dict)
    arguments: tuple[str, ...] = ()
    port: int = field(default_factory=free_port)
    admin_email: str = ADMIN_EMAIL
    admin_password: str = ADMIN_PASSWORD
    _process: subprocess.Popen[bytes] | None = None
    _is_up: bool = False

    @property
    def url(self) -> str:
        """The address, without a slash at the end."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        """The process that was started; all others of the desk are in its process group."""
        assert self._process is not None, "the desk was not started"
        return self._process.pid

    @property
    def environment(self) -> dict[str, str]:
        """What the desk's processes see; for `deskbell` commands on the same desk, too."""
        kept = {name: value for name, value in os.environ.items() if not is_setting(name)}
        database = {"DESKBELL_DATABASE_URL": self.database_url} if self.database_url else {}
        return kept | {
            "PYTHONPATH": str(ROOT),
            "PYTHONUNBUFFERED": "1",
            "DESKBELL_DATA": str(self.data),
            "DESKBELL_HOST": "127.0.0.1",
            "DESKBELL_PORT": str(self.port),
            "DESKBELL_ADMIN_EMAIL": self.admin_email,
            "DESKBELL_ADMIN_PASSWORD": self.admin_password,
            **database,
            **self.settings,
        }

    def run(self, *arguments: str) -> str:
        """Run a `deskbell` command on the desk and return what it printed. Raises DeskDied."""
        self.data.mkdir(parents=True, exist_ok=True)
        ended = subprocess.run(
            [sys.executable, "-P", "-m", "deskbell", *arguments],
            cwd=self.data,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=2 * START_SECONDS,
            check=False,
        )
        if ended.returncode:
            raise DeskDied(f"{arguments} ended with {ended.returncode}\n{ended.stderr}")
        return ended.stdout

    @contextlib.contextmanager
    def beside(self, code: str) -> Iterator[Callable[..., Any]]:
        """Work in one process on the desk's database: a function that calls `work` of `code`.

        Arguments and result go through JSON. One start of Django serves all calls.
        """
        loop = (
            "import json, sys, django; django.setup()\n"
            f"{code}\n"
            "for line in sys.stdin:\n"
            "    print(json.dumps(work(*json.loads(line))), flush=True)\n"
        )
        self.data.mkdir(parents=True, exist_ok=True)
        with (
            self.log.open("ab") as log,
            subprocess.Popen(
                [sys.executable, "-P", "-c", loop],
                cwd=self.data,
                env=self.environment | {"DJANGO_SETTINGS_MODULE": "deskbell.settings"},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            ) as process,
        ):
            assert process.stdin is not None
            assert process.stdout is not None
            questions, answers = process.stdin, process.stdout

            def work(*arguments: Any) -> Any:
                questions.write(json.dumps(arguments) + "\n")
                questions.flush()
                answer = answers.readline()
                if not answer:
                    raise DeskDied(f"{arguments} was too much\n{self.said()}")
                return json.loads(answer)

            yield work
            questions.close()

    def start(self) -> LiveDesk:
        """Start the desk and wait until it is ready. Raises DeskDied."""
        self.data.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", "deskbell", "serve", *self.arguments],
                cwd=self.data,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._is_up = True
        try:
            self.wait_until_ready()
        except BaseException:
            self.kill()
            raise
        return self

    def wait_until_ready(self, seconds: float = START_SECONDS) -> None:
        """Wait until /readyz answers 200. Raises DeskDied."""
        until = time.monotonic() + seconds
        last = "no answer"
        while time.monotonic() < until:
            assert self._process is not None, "the desk was not started"
            if self._process.poll() is not None:
                raise DeskDied(f"the desk ended with {self._process.returncode}\n{self.said()}")
            try:
                with urllib.request.urlopen(f"{self.url}/readyz", timeout=5) as answer:
                    if answer.status == 200:
                        return
            except urllib.error.HTTPError as error:
                with error:
                    last = f"{error.code} {error.read(2000)!r}"
            except OSError as error:
                last = str(error)
            time.sleep(0.05)
        raise DeskDied(f"the desk was not ready after {seconds} s ({last})\n{self.said()}")

    def processes(self) -> list[psutil.Process]:
        """All living processes of the desk, whoever started them."""
        found = []
        for process in psutil.process_iter():
            try:
                alive = process.status() != psutil.STATUS_ZOMBIE
                if alive and os.getpgid(process.pid) == self.pid:
                    found.append(process)
            except (psutil.NoSuchProcess, ProcessLookupError):
                continue  # it ended while we looked
        return found

    def said(self, characters: int = 6000) -> str:
        """The end of what the desk printed."""
        return self.log.read_text(errors="replace")[-characters:] if self.log.exists() else ""

    def kill(self) -> None:
        """End all processes at once, as a power cut would, and wait until none is left."""
        if self._process is None or not self._is_up:
            return
        self._is_up = False
        until = time.monotonic() + KILL_SECONDS
        while living := self.processes():
            for process in living:
                with contextlib.suppress(psutil.NoSuchProcess):  # its end came first
                    process.kill()
            if time.monotonic() > until:
                raise DeskDied(f"{living} cannot be killed\n{self.said()}")
            self._process.poll()
            time.sleep(0.01)
        self._process.wait(KILL_SECONDS)

    def stop(self) -> None:
        """Ask the desk to stop and check that it did: within its time, with status 0, all of it.

        Raises DeskDied where it did not, after everything was ended by force. Does nothing to a
        desk that was stopped or killed before.
        """
        if self._process is None or not self._is_up:
            return
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
        try:
            status = self._process.wait(DRAIN_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
            raise DeskDied(f"the desk did not stop in {DRAIN_SECONDS} s\n{self.said()}") from None
        left = [(process.pid, process.name()) for process in self.processes()]
        self.kill()
        if left:
            raise DeskDied(f"the desk stopped, but left {left}\n{self.said()}")
        if status != 0:
            raise DeskDied(f"the desk stopped with status {status}\n{self.said()}")
