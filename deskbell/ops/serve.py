"""``deskbell serve``: the whole desk as one supervised group of processes.

The supervisor stays small and imports no Django. A short-lived child migrates and prepares; then
the web server and the worker run as children, restarted when they fall. A stop drains both; when
the supervisor is killed, the kernel tells the children.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from deskbell.kernel.config import Config, ensure_data
from deskbell.ops import processes, web, work
from deskbell.ops.cli import CommandError, complain, start_django

#: From SIGTERM until what is left of the children is killed. Longer than either drains.
STOP_SECONDS = 15.0
FIRST_PAUSE = 0.5
LONGEST_PAUSE = 30.0
#: A child that lived so long starts over with the first pause.
SETTLED_SECONDS = 60.0
START_SECONDS = 30.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    web.add_arguments(parser)
    parser.add_argument("--demo", action="store_true", help="fill the desk with an example")


def run(args: argparse.Namespace, config: Config) -> int:
    """Prepare, start, print the address, and supervise until stopped."""
    ensure_data(config)
    web.refuse_taken_port(config)
    prepared = prepare(config, demo=args.demo)
    supervisor = Supervisor({"web": lambda: web.serve(config), "worker": lambda: work.work(config)})
    return supervisor.run(
        ready=lambda: answers(config), announce=lambda: announce(config, prepared)
    )


def announce(config: Config, prepared: dict[str, Any]) -> None:
    """Say where the desk is, and a password that was made, which nobody can be told again."""
    print(f"Deskbell is at {config.address}", flush=True)
    if prepared.get("password"):
        print(f"Sign in as {prepared['login']} with the password {prepared['password']}")
        print("This password is shown once. Change it with `deskbell user password`.", flush=True)


def prepare(config: Config, *, demo: bool) -> dict[str, Any]:
    """Migrate and make the first rows, in a process of its own whose memory ends with it.

    Returns ``login`` and ``password`` (``None`` unless one was made). Raises SystemExit where the
    child has said what is wrong.
    """
    reading, writing = os.pipe()

    def work() -> int:
        os.close(reading)
        return complain(lambda: _prepare(config, demo, writing))

    child = processes.fork(work)
    os.close(writing)
    with os.fdopen(reading, "rb") as stream:
        told = stream.read()
    _, status = os.waitpid(child, 0)
    if code := os.waitstatus_to_exitcode(status):
        raise SystemExit(code if code > 0 else 1)
    prepared: dict[str, Any] = json.loads(told)
    return prepared


def _prepare(config: Config, demo: bool, writing: int) -> int:
    from deskbell.ops.migrate import migrate

    start_django(config)
    migrate(config)
    prepared: dict[str, Any] = {"login": None, "password": None}
    if find_spec("deskbell.ops.setup") is not None:
        first = import_module("deskbell.ops.setup").first_run(config)
        prepared = {"login": first.admin_login, "password": first.made_password}
    if demo:
        if find_spec("deskbell.ops.demo") is None:
            raise CommandError("This version has no example to fill the desk with.")
        import_module("deskbell.ops.demo").fill()
    with os.fdopen(writing, "wb") as stream:
        stream.write(json.dumps(prepared).encode())
    return 0


def answers(config: Config) -> bool:
    """Whether the web server answers its probe."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(config.host, config.host)  # noqa: S104
    connection = http.client.HTTPConnection(host, config.port, timeout=2)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


@dataclass
class _Child:
    """One part of the desk: what runs it, its process, and when to start it again."""

    name: str
    work: Callable[[], int]
    pid: int = 0
    started_at: float = 0.0
    pause: float = FIRST_PAUSE
    start_at: float = 0.0


class Supervisor:
    """Keeps the given parts running, each in a child process. One thread, no Django."""

    def __init__(self, parts: dict[str, Callable[[], int]]) -> None:
        self.children = [_Child(name, work) for name, work in parts.items()]

    def run(self, *, ready: Callable[[], bool], announce: Callable[[], None]) -> int:
        """Start all parts, ``announce`` when ``ready``, supervise; 0 after an orderly stop."""
        # Signals are taken one by one with sigtimedwait: no handler runs at a bad moment.
        signal.pthread_sigmask(signal.SIG_BLOCK, processes.WATCHED)
        for child in self.children:
            self._start(child)
        give_up_at = time.monotonic() + START_SECONDS
        waiting = True
        while True:
            if waiting and ready():
                waiting = False
                announce()
            if waiting and time.monotonic() > give_up_at:
                _say(f"The web server did not answer within {START_SECONDS:.0f} seconds.")
                return self._stop() or 1
            taken = signal.sigtimedwait(processes.WATCHED, 0.02 if waiting else 1.0)
            if taken is not None and taken.si_signo != signal.SIGCHLD:
                return self._stop()
            ended = self._reap()
            if waiting and ended:
                _say(f"The {ended[0].name} process ended while starting; see the lines above.")
                return self._stop() or 1
            for child in self.children:
                if not child.pid and time.monotonic() >= child.start_at:
                    self._start(child)

    def _start(self, child: _Child) -> None:
        child.pid = processes.fork(child.work)
        child.started_at = time.monotonic()

    def _reap(self) -> list[_Child]:
        """Collect children that ended and say when each is started again."""
        ended = []
        while any(child.pid for child in self.children):
            pid, status = os.waitpid(-1, os.WNOHANG)
            if not pid:
                break
            for child in self.children:
                if child.pid == pid:
                    self._plan_restart(child, os.waitstatus_to_exitcode(status))
                    ended.append(child)
        return ended

    def _plan_restart(self, child: _Child, code: int) -> None:
        at = time.monotonic()
        if at - child.started_at > SETTLED_SECONDS:
            child.pause = FIRST_PAUSE
        child.pid, child.start_at = 0, at + child.pause
        how = f"was killed by signal {-code}" if code < 0 else f"ended with status {code}"
        _say(f"The {child.name} process {how}; it starts again in {child.pause:g} s.")
        child.pause = min(child.pause * 2, LONGEST_PAUSE)

    def _stop(self) -> int:
        """Ask all parts to finish, wait, and kill what does not; a second signal hurries."""
        for child in self.children:
            _send(child.pid, signal.SIGTERM)
        deadline = time.monotonic() + STOP_SECONDS
        while any(child.pid for child in self.children):
            left = deadline - time.monotonic()
            taken = signal.sigtimedwait(processes.WATCHED, min(max(left, 0.01), 0.5))
            hurried = taken is not None and taken.si_signo in (signal.SIGTERM, signal.SIGINT)
            if left <= 0 or hurried:
                for child in self.children:
                    _send(child.pid, signal.SIGKILL)
                deadline = time.monotonic() + STOP_SECONDS
            for child in self.children:
                if child.pid and os.waitpid(child.pid, os.WNOHANG)[0]:
                    child.pid = 0
        return 0


def _send(pid: int, number: signal.Signals) -> None:
    """Signal a child of ours that was not collected yet, so the id cannot be somebody else's."""
    if pid:
        os.kill(pid, number)


def _say(sentence: str) -> None:
    print(f"deskbell: {sentence}", file=sys.stderr, flush=True)
