"""Servers of a run: started in a process group of their own, waited for, measured, stopped."""

from __future__ import annotations

import contextlib
import http.client
import os
import signal
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parent.parent
START_SECONDS = 60.0
STOP_SECONDS = 20.0
#: A group of processes that uses less than this share of one core has nothing left to do.
IDLE_SHARE = 0.1


class ServerDied(RuntimeError):
    """A server ended or did not start; the message ends with what it said."""


def free_port() -> int:
    """A loopback port that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def clean_environment(extra: Mapping[str, str]) -> dict[str, str]:
    """The environment without anybody's settings of a desk, and with these."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("DESKBELL_", "HELPDESK_", "DJANGO_", "PYTHON"))
    }
    return kept | {"PYTHONPATH": str(ROOT), **extra}


class Server:
    """A command that serves HTTP on a loopback port, and everything it starts.

    ``start_seconds`` is the time from the start to the first 200 under ``probe``.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str | Path],
        *,
        environment: Mapping[str, str],
        cwd: Path,
        log: Path,
        port: int,
        probe: str,
    ) -> None:
        self.name = name
        self.port = port
        self.log = log
        started = time.monotonic()
        with log.open("ab") as stream:
            self._process = subprocess.Popen(
                list(map(str, command)),
                cwd=cwd,
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=stream,
                start_new_session=True,
            )
        try:
            self._wait(probe)
        except BaseException:
            self.stop()
            raise
        self.start_seconds = time.monotonic() - started
        self._pids = [process.pid for process in self.processes()]

    def _wait(self, probe: str) -> None:
        until = time.monotonic() + START_SECONDS
        last = "no answer"
        while time.monotonic() < until:
            if self._process.poll() is not None:
                raise ServerDied(f"{self.name} ended while starting\n{self.said()}")
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
            try:
                connection.request("GET", probe)
                answer = connection.getresponse()
                answer.read()
                if answer.status == http.client.OK:
                    return
                last = f"status {answer.status}"
            except OSError as error:
                last = str(error)
            finally:
                connection.close()
            time.sleep(0.02)
        raise ServerDied(f"{self.name} did not become ready ({last})\n{self.said()}")

    def said(self) -> str:
        """The end of what the server printed."""
        return self.log.read_text(errors="replace")[-3000:]

    def processes(self) -> list[psutil.Process]:
        """The living processes of the server's group."""
        found = []
        for process in psutil.process_iter():
            try:
                alive = process.status() != psutil.STATUS_ZOMBIE
                if alive and os.getpgid(process.pid) == self._process.pid:
                    found.append(process)
            except (psutil.NoSuchProcess, ProcessLookupError):
                continue  # it ended while we looked
        return found

    def memory(self) -> dict[str, float]:
        """Proportional set size in MB of every process, by ``command line end (pid)``."""
        return {
            f"{process.name()} ({process.pid})": process.memory_full_info().pss / 1e6
            for process in self.processes()
        }

    def cpu_seconds(self) -> float:
        """Processor time that all processes have used so far, in seconds to a nanosecond or so."""
        total = 0
        for pid in self._pids:
            for task in Path(f"/proc/{pid}/task").glob("*/schedstat"):
                with contextlib.suppress(OSError):  # the thread ended while we looked
                    total += int(task.read_text().split()[0])
        return total / 1e9

    def settle(self, *, at_most: float = 4.0) -> None:
        """Wait until the server has done what earlier requests left to do (mail, for one)."""
        until = time.monotonic() + at_most
        before, at = self.cpu_seconds(), time.monotonic()
        while time.monotonic() < until:
            time.sleep(0.1)
            used, moment = self.cpu_seconds(), time.monotonic()
            if (used - before) / (moment - at) < IDLE_SHARE:
                return
            before, at = used, moment

    def stop(self) -> None:
        """Ask it to stop, wait, and end what is left by process id."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            # Whatever does not stop in time is ended below, with all of its children.
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(STOP_SECONDS)
        for process in self.processes():
            with contextlib.suppress(psutil.NoSuchProcess):  # its end came first
                process.kill()
        self._process.wait(STOP_SECONDS)
