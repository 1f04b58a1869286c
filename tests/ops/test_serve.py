"""`deskbell serve` as people run it: processes, signals, kills, slow and hostile clients."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from tests.live import LiveDesk, free_port

pytestmark = [pytest.mark.live, pytest.mark.once, pytest.mark.timeout(120)]

JOBS = "tests.kernel.jobs"


def get(desk: LiveDesk, path: str, **headers: str) -> tuple[int, dict[str, str], bytes]:
    request = urllib.request.Request(
        desk.url + path, headers={name.replace("_", "-"): text for name, text in headers.items()}
    )
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status, dict(answer.headers), answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, dict(error.headers), error.read()
    except TimeoutError as error:
        (answering,) = children(desk)["web"].children()
        answering.send_signal(signal.SIGUSR1)
        time.sleep(1)
        raise AssertionError(f"{path} hangs\n{desk.said(20_000)}") from error


def post(path: str, length: int) -> bytes:
    """The head of a request whose body follows."""
    return (
        f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        f"Content-Length: {length}\r\n\r\n"
    ).encode()


def talk(desk: LiveDesk, *pieces: bytes) -> bytes:
    """Send the pieces on one connection and read until the server closes it."""
    with socket.create_connection(("127.0.0.1", desk.port), timeout=30) as connection:
        for piece in pieces:
            connection.sendall(piece)
        answer = b""
        while part := connection.recv(65536):
            answer += part
    return answer


def command(desk: LiveDesk, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-P", "-m", "deskbell", *arguments],
        env=desk.environment,
        cwd=desk.data,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=60,
        check=False,
    )


def enqueue(desk: LiveDesk, call: str) -> None:
    """Enqueue a task of the tests in the desk's own database: ``note.enqueue('/tmp/x')``."""
    code = f"import django; django.setup(); from {JOBS} import *; {call}"
    subprocess.run(
        [sys.executable, "-c", code],
        env=desk.environment | {"DJANGO_SETTINGS_MODULE": "deskbell.settings"},
        check=True,
        timeout=60,
    )


def wait_for(said: Callable[[], bool], seconds: float = 20.0) -> None:
    until = time.monotonic() + seconds
    while not said():
        assert time.monotonic() < until, "it did not happen in time"
        time.sleep(0.05)


def children(desk: LiveDesk) -> dict[str, psutil.Process]:
    """The parts by name: the web part is the one that has a process of its own below it."""
    parts = psutil.Process(desk.pid).children()
    return {"web" if part.children() else "worker": part for part in parts}


def read(path: Path) -> list[str]:
    return path.read_text().splitlines() if path.exists() else []


@pytest.fixture(scope="module")
def strict_desk(desk_yard):
    """A desk behind a proxy, that takes little at a time."""
    return desk_yard.new(max_request_mb="1", trusted_proxies="127.0.0.1").start()


class TestProbes:
    def test_say_that_it_lives_and_is_ready(self, live_desk):
        status, headers, body = get(live_desk, "/healthz", Host="some.probe")
        assert (status, json.loads(body)) == (200, {"alive": True})
        assert headers["cache-control"] == "no-store"

        wait_for(lambda: json.loads(get(live_desk, "/readyz")[2])["worker_seconds"] is not None)
        found = json.loads(get(live_desk, "/readyz")[2])
        assert found["ready"]
        assert found["database"] == found["migrations"] == found["data"] == "ok"


class TestDoor:
    @pytest.mark.parametrize(
        "path", ["/", "/api/tickets/", "/api/list_queues/", "/api/v1/tickets", "/helpdesk/api/x"]
    )
    def test_answers_only_for_its_own_hosts(self, live_desk, path):
        assert get(live_desk, path, Host="evil.example")[0] == 400
        assert get(live_desk, path, Host=f"localhost:{live_desk.port}")[0] != 400

    @pytest.mark.parametrize(
        ("path", "kind"),
        [
            ("/api/v1/tickets", {"error", "error_human"}),
            ("/helpdesk/api/v1/tickets", {"error", "error_human"}),
            ("/api/tickets/", {"detail"}),
            ("/api/create_ticket/", None),
            ("/login", None),
        ],
    )
    def test_refuses_a_huge_body_in_the_shape_of_the_address(self, live_desk, path, kind):
        answer = talk(
            live_desk,
            post(path, 99_999_999_999),
        )

        head, _, body = answer.partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 413 ")
        if kind is None:
            assert b"text/plain" in head
            assert b"64 MB" in body
        else:
            assert set(json.loads(body)) == kind

    def test_refuses_a_chunked_body_once_it_is_too_long(self, strict_desk):
        chunk = b"10000\r\n" + b"x" * 65536 + b"\r\n"

        answer = talk(
            strict_desk,
            b"POST /api/v1/tickets HTTP/1.1\r\nHost: localhost\r\n"
            b"Transfer-Encoding: chunked\r\n\r\n" + chunk * 17 + b"0\r\n\r\n",
        )

        assert answer.startswith(b"HTTP/1.1 413 ")

    @pytest.mark.parametrize(
        ("request_head", "status"),
        [
            (b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\nHost: localhost\r\n", 414),
            (b"GET /?" + b"a" * 9000 + b" HTTP/1.1\r\nHost: localhost\r\n", 414),
            (b"GET / HTTP/1.1\r\nHost: localhost\r\nX-A: " + b"a" * 40000 + b"\r\n", 431),
            (b"GET / HTTP/1.1\r\nHost: localhost\r\nX-A: " + b"a" * 90000 + b"\r\n", 431),
            (b"GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n", 400),
        ],
    )
    def test_bounds_the_head(self, live_desk, request_head, status):
        answer = talk(live_desk, request_head + b"Connection: close\r\n\r\n")

        assert answer.startswith(f"HTTP/1.1 {status} ".encode())

    def test_a_body_cut_short_is_no_request(self, live_desk):
        with socket.create_connection(("127.0.0.1", live_desk.port), timeout=30) as connection:
            connection.sendall(post("/api/v1/tickets", 50) + b"half")
            connection.shutdown(socket.SHUT_WR)
            answer = connection.recv(65536)

        assert not answer.startswith(b"HTTP/1.1 2")

    def test_names_every_request_and_logs_it_without_its_query(self, live_desk):
        _, headers, _ = get(live_desk, "/nowhere?token=hunter2", X_Request_Id="chosen")

        identity = headers["x-request-id"]
        # Nobody may choose the id who is no trusted proxy.
        assert identity != "chosen"
        wait_for(lambda: identity in live_desk.said())
        (line,) = [line for line in live_desk.said().splitlines() if identity in line]
        fields = json.loads(line)
        assert (fields["logger"], fields["path"]) == ("deskbell.access", "/nowhere")
        assert "hunter2" not in live_desk.said()

    def test_believes_a_trusted_proxy_only(self, strict_desk):
        get(
            strict_desk, "/nowhere", X_Request_Id="from-proxy", X_Forwarded_For="6.6.6.6, 192.0.2.7"
        )

        wait_for(lambda: "from-proxy" in strict_desk.said())
        assert '"client":"192.0.2.7"' in strict_desk.said()
        assert "6.6.6.6" not in strict_desk.said()

    def test_sets_the_security_headers(self, live_desk):
        _, headers, _ = get(live_desk, "/api/tickets/")

        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert headers["cross-origin-opener-policy"] == "same-origin"
        assert "referrer-policy" in headers


class TestSlowClients:
    def test_do_not_keep_others_waiting(self, live_desk):
        head = (
            b"POST /api/v1/tickets HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5000\r\n\r\nslow"
        )
        slow = [socket.create_connection(("127.0.0.1", live_desk.port)) for _ in range(12)]
        idle = [socket.create_connection(("127.0.0.1", live_desk.port)) for _ in range(200)]
        try:
            for connection in slow:
                connection.sendall(head)
            time.sleep(0.3)

            for _ in range(5):
                assert get(live_desk, "/healthz")[0] == 200
                assert get(live_desk, "/api/tickets/")[0] < 500
        finally:
            for connection in slow + idle:
                connection.close()


class TestStop:
    def test_lets_what_runs_finish_and_waits_for_nobody_idle(self, new_live_desk, tmp_path):
        desk = new_live_desk().start()
        told = tmp_path / "told"
        enqueue(desk, f"begin_then_wait.enqueue({str(told)!r}, 2)")
        wait_for(lambda: len(read(told)) == 1)
        with (
            socket.create_connection(("127.0.0.1", desk.port), timeout=20) as idle,
            socket.create_connection(("127.0.0.1", desk.port), timeout=20) as running,
        ):
            idle.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
            assert idle.recv(65536).startswith(b"HTTP/1.1 200")
            running.sendall(post("/api/v1/tickets", 4) + b"{}")
            time.sleep(0.3)
            os.kill(desk.pid, signal.SIGTERM)
            time.sleep(1)
            running.sendall(b"  ")
            answer = running.recv(65536)

            # Stopping once more would hurry it.
            wait_for(lambda: psutil.Process(desk.pid).status() == psutil.STATUS_ZOMBIE, 15)
            desk.stop()
        assert answer.startswith(b"HTTP/1.1 4")
        assert [line.split()[0] for line in read(told)] == ["begin", "end"]


@pytest.fixture(scope="module")
def robust_desk(desk_yard):
    """A desk whose parts are killed one by one."""
    return desk_yard.new().start()


class TestKill:
    def test_of_the_worker_runs_its_job_again_at_once(self, robust_desk, tmp_path):
        told = tmp_path / "told"
        enqueue(robust_desk, f"begin_then_wait.enqueue({str(told)!r}, 3)")
        wait_for(lambda: len(read(told)) == 1)

        children(robust_desk)["worker"].kill()
        wait_for(lambda: len(read(told)) == 3)

        words = [line.split() for line in read(told)]
        assert [word for word, _ in words] == ["begin", "begin", "end"]
        assert words[0][1] != words[1][1] == words[2][1]

    @pytest.mark.parametrize("part", ["web", "answering", "worker"])
    def test_of_a_part_brings_it_back(self, robust_desk, part):
        victim = children(robust_desk)["worker" if part == "worker" else "web"]
        if part == "answering":
            (victim,) = victim.children()

        victim.kill()
        wait_for(lambda: not victim.is_running() or victim.status() == psutil.STATUS_ZOMBIE)

        robust_desk.wait_until_ready()
        wait_for(lambda: len(psutil.Process(robust_desk.pid).children(recursive=True)) == 3)

    def test_of_the_supervisor_leaves_nobody_behind(self, robust_desk):
        others = psutil.Process(robust_desk.pid).children(recursive=True)

        os.kill(robust_desk.pid, signal.SIGKILL)

        _, alive = psutil.wait_procs(others, timeout=20)
        assert alive == []
        robust_desk.kill()
        robust_desk.start()


class TestStart:
    def test_on_a_taken_port_is_refused_in_one_sentence(self, live_desk, new_empty_desk):
        desk = new_empty_desk()
        desk.data.mkdir(parents=True)
        desk.port = live_desk.port

        result = command(desk, "serve")

        assert result.returncode == 1
        assert result.stderr.startswith(f"deskbell: Cannot listen on 127.0.0.1 port {desk.port}")
        assert len(result.stderr.splitlines()) == 1

    def test_with_an_impossible_value_is_refused_in_one_sentence(self, new_empty_desk):
        desk = new_empty_desk(timezone="Mars/Olympus")
        desk.data.mkdir(parents=True)

        result = command(desk, "serve")

        assert result.returncode == 2
        assert result.stderr == (
            "deskbell: DESKBELL_TIMEZONE is 'Mars/Olympus': "
            "it must be a time zone such as Europe/Berlin.\n"
        )

    def test_without_its_database_is_refused_in_one_sentence(self, new_empty_desk):
        nowhere = f"postgresql://desk:hunter2@127.0.0.1:{free_port()}/desk"
        desk = new_empty_desk(database_url=nowhere)
        desk.data.mkdir(parents=True)

        result = command(desk, "serve")

        assert result.returncode == 1
        assert result.stderr.startswith("deskbell: The database cannot be used: ")
        assert "Traceback" not in result.stderr
        assert "hunter2" not in result.stderr

    def test_on_a_newer_database_is_refused_in_one_sentence(self, new_live_desk):
        desk = new_live_desk()
        enqueue(
            desk,
            "from django.db.migrations.recorder import MigrationRecorder as R; "
            "from django.db import connection; R(connection).record_applied('kernel', '9999_next')",
        )

        result = command(desk, "serve")

        assert result.returncode == 1
        assert "newer version (it has kernel.9999_next)" in result.stderr

    @pytest.mark.parametrize("part", ["web", "work"])
    def test_of_a_cluster_part_waits_for_migrate(self, new_empty_desk, part):
        desk = new_empty_desk()
        desk.data.mkdir(parents=True)

        result = command(desk, part)

        assert result.returncode == 1
        assert "run `deskbell migrate`" in result.stderr

    def test_all_processes_together_stay_small(self, live_desk):
        sizes = [process.memory_full_info().pss for process in live_desk.processes()]

        assert len(sizes) == 4
        assert sum(sizes) < 250 * 1024 * 1024
