"""The load client: a process of its own that keeps some connections busy and checks every answer.

Run by :class:`Client` as ``python -m bench.client``: one JSON task per line on its input, one JSON
result per line on its output. One thread and raw sockets, so that the client is never what is
measured; HTTP/1.1 with keep-alive, reconnecting where a server closes.

Imports the standard library only.
"""

from __future__ import annotations

import base64
import json
import selectors
import socket
import subprocess
import sys
import time
from array import array
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
#: No server needs longer than this for one answer; one that does has failed.
ANSWER_SECONDS = 120.0
ERRORS_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Request:
    """One request. ``target`` is path and query; ``headers`` come on top of Host and length."""

    method: str
    target: str
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""

    def encode(self, host: str) -> bytes:
        """The bytes on the wire."""
        lines = [f"{self.method} {self.target} HTTP/1.1", f"Host: {host}"]
        lines += [f"{name}: {value}" for name, value in self.headers]
        if self.body or self.method in ("POST", "PUT", "PATCH"):
            lines.append(f"Content-Length: {len(self.body)}")
        return "\r\n".join([*lines, "", ""]).encode("latin-1") + self.body


@dataclass(frozen=True, slots=True)
class Expected:
    """What a right answer looks like.

    ``status`` must be equal. ``shape``: ``rows`` (a JSON array, or the array under ``under``, of
    ``length`` objects, or of at least one when ``length`` is 0), ``object`` (a JSON object) or
    ``text`` (digits, or ``OK``). Every object has the ``keys``.
    """

    status: int
    shape: str
    keys: tuple[str, ...] = ()
    under: str = ""
    length: int = 0

    def problem(self, body: bytes) -> str | None:
        """What is wrong with a body, ``None`` where nothing is."""
        if self.shape == "text":
            return None if body == b"OK" or body.isdigit() else f"not digits or OK: {body[:200]!r}"
        try:
            told = json.loads(body)
        except ValueError:
            return f"not JSON: {body[:200]!r}"
        if self.shape == "object":
            rows = [told]
        else:
            found: Any = told.get(self.under) if self.under and isinstance(told, dict) else told
            if not isinstance(found, list):
                return f"no list of rows: {body[:200]!r}"
            rows = found
            if len(rows) != self.length if self.length else not rows:
                return f"{len(rows)} rows instead of {self.length or 'some'}"
        for row in rows:
            missing = [key for key in self.keys if not isinstance(row, dict) or key not in row]
            if missing:
                return f"a row lacks {', '.join(missing)}: {str(row)[:200]}"
        return None


@dataclass(slots=True)
class Result:
    """What one slice of load gave. ``seconds`` is wall time, ``latencies`` seconds per answer."""

    seconds: float = 0.0
    latencies: list[float] = field(default_factory=list)
    errors: int = 0
    complaints: list[str] = field(default_factory=list)
    answer_bytes: int = 0
    #: Seconds of processor time that the server used meanwhile, all of its processes together.
    server_seconds: float = 0.0


class Client:
    """The parent's end of a client process. ``connections`` are held open during a slice."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "bench.client"],
            cwd=ROOT,
            env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def run(
        self,
        port: int,
        requests: Sequence[Request],
        expected: Expected,
        *,
        seconds: float,
        connections: int,
        at_least: int = 0,
        at_most: int = 0,
    ) -> Result:
        """Ask in turn for ``seconds``, at least and at most so many requests (0: as it comes).

        Raises RuntimeError when the client process ended.
        """
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        task = {
            "port": port,
            "requests": [
                base64.b64encode(request.encode(f"127.0.0.1:{port}")).decode()
                for request in requests
            ],
            "expected": asdict(expected),
            "seconds": seconds,
            "connections": connections,
            "at_least": at_least,
            "at_most": at_most,
        }
        self._process.stdin.write(json.dumps(task) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("the load client ended")
        told = json.loads(line)
        latencies = array("d", base64.b64decode(told.pop("latencies")))
        return Result(latencies=list(latencies), **told)

    def close(self) -> None:
        """End the process."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(10)


class _Connection:
    """One keep-alive connection and the answer that is arriving on it."""

    __slots__ = ("asked_at", "buffer", "port", "request", "socket")

    def __init__(self, port: int) -> None:
        self.port = port
        self.buffer = bytearray()
        self.request = 0
        self.asked_at = 0.0
        self.connect()

    def connect(self) -> None:
        self.socket = socket.create_connection(("127.0.0.1", self.port), timeout=ANSWER_SECONDS)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer.clear()


def _answer(buffer: bytearray, *, closed: bool) -> tuple[int, bytes, bool] | None:
    """Status, body and whether the server closes; ``None`` while the answer is not complete."""
    end = buffer.find(b"\r\n\r\n")
    if end < 0:
        return None
    head = bytes(buffer[:end]).lower()
    status = int(head[9:12])
    closes = b"\r\nconnection: close" in head
    start = end + 4
    at = head.find(b"\r\ncontent-length:")
    if at >= 0:
        length = int(head[at + 17 :].split(b"\r\n", 1)[0])
        if len(buffer) - start < length:
            return None
        return status, bytes(buffer[start : start + length]), closes
    if b"\r\ntransfer-encoding: chunked" in head:
        body = _unchunked(buffer, start)
        return None if body is None else (status, body, closes)
    if status in (204, 304):
        return status, b"", closes
    return (status, bytes(buffer[start:]), True) if closed else None


def _unchunked(buffer: bytearray, at: int) -> bytes | None:
    parts: list[bytes] = []
    while True:
        line = buffer.find(b"\r\n", at)
        if line < 0:
            return None
        size = int(bytes(buffer[at:line]).split(b";")[0], 16)
        at = line + 2
        if len(buffer) < at + size + 2:
            return None
        if not size:
            return b"".join(parts)
        parts.append(bytes(buffer[at : at + size]))
        at += size + 2


def _run(task: dict[str, Any]) -> Result:
    requests = [base64.b64decode(text) for text in task["requests"]]
    told = task["expected"]
    expected = Expected(**{**told, "keys": tuple(told["keys"])})
    result = Result()
    # A read that answers the same bytes again was checked the first time.
    known: list[bytes | None] = [None] * len(requests)
    clock: Callable[[], float] = time.perf_counter
    count = min(task["connections"], task["at_most"] or task["connections"])
    connections = [_Connection(task["port"]) for _ in range(count)]
    selector = selectors.DefaultSelector()
    started = clock()
    stop_at = started + task["seconds"]
    give_up_at = stop_at + ANSWER_SECONDS
    sent = 0
    waiting = 0

    def ask(connection: _Connection) -> None:
        nonlocal sent, waiting
        connection.request = sent % len(requests)
        sent += 1
        waiting += 1
        connection.asked_at = clock()
        connection.socket.sendall(requests[connection.request])

    def complain(text: str) -> None:
        result.errors += 1
        if len(result.complaints) < ERRORS_SHOWN and text not in result.complaints:
            result.complaints.append(text)

    for connection in connections:
        selector.register(connection.socket, selectors.EVENT_READ, connection)
        ask(connection)
    while waiting:
        ready = selector.select(timeout=max(0.0, give_up_at - clock()))
        if not ready:
            complain(f"no answer within {ANSWER_SECONDS:.0f} s")
            result.errors += waiting - 1
            break
        for key, _ in ready:
            connection = key.data
            try:
                received = connection.socket.recv(1 << 18)
            except OSError:
                received = b""
            connection.buffer += received
            answer = _answer(connection.buffer, closed=not received)
            if answer is None and received:
                continue
            waiting -= 1
            arrived = clock()
            if answer is None:
                complain("the server closed the connection before its answer was complete")
                closes = True
            else:
                status, body, closes = answer
                result.answer_bytes = len(body)
                problem = None
                if status != expected.status:
                    problem = f"status {status} instead of {expected.status}: {body[:300]!r}"
                elif body != known[connection.request]:
                    problem = expected.problem(body)
                    known[connection.request] = body
                if problem is None:
                    result.latencies.append(arrived - connection.asked_at)
                else:
                    complain(problem)
            if closes or not received:
                selector.unregister(connection.socket)
                connection.socket.close()
            else:
                connection.buffer.clear()
            present = clock()
            if task["at_most"] and sent >= task["at_most"]:
                continue
            if present < stop_at or sent < task["at_least"]:
                if connection.socket.fileno() < 0:
                    connection.connect()
                    selector.register(connection.socket, selectors.EVENT_READ, connection)
                ask(connection)
    result.seconds = clock() - started
    for connection in connections:
        connection.socket.close()
    return result


def main() -> None:
    """Take tasks from standard input until it ends."""
    for line in sys.stdin:
        result = _run(json.loads(line))
        told = asdict(result)
        told["latencies"] = base64.b64encode(array("d", result.latencies)).decode()
        print(json.dumps(told), flush=True)


if __name__ == "__main__":
    main()
