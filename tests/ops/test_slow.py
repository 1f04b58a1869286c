"""Connections that keep a thread waiting are found and shut; others are left alone."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from deskbell.ops import slow


@pytest.fixture
def connection() -> Iterator[tuple[socket.socket, socket.socket]]:
    """Both ends of a connection: the server's in this process, and the client's."""
    with (
        socket.create_server(("127.0.0.1", 0)) as listening,
        socket.create_connection(listening.getsockname()) as client,
        listening.accept()[0] as server,
    ):
        yield server, client


class TestShutSlow:
    def test_shuts_a_connection_on_which_nothing_moves(self, connection):
        server, client = connection

        assert slow.shut_slow(server.getsockname()[1], 0, sample_seconds=0) == 1

        client.settimeout(5)
        assert client.recv(1) == b""

    def test_leaves_one_that_was_answered_just_now(self, connection):
        server, client = connection
        server.sendall(b"x")

        assert slow.shut_slow(server.getsockname()[1], 5, sample_seconds=0) == 0
        assert client.recv(1) == b"x"

    def test_leaves_one_that_sends_at_a_decent_speed(self, connection, monkeypatch):
        server, client = connection
        # The time in which a connection is looked at, used to send what an upload would.
        monkeypatch.setattr(slow.time, "sleep", lambda _seconds: client.sendall(b"x" * 20_000))

        assert slow.shut_slow(server.getsockname()[1], 0, sample_seconds=2) == 0
        assert server.recv(1) == b"x"

    def test_shuts_one_that_drips(self, connection, monkeypatch):
        server, client = connection
        monkeypatch.setattr(slow.time, "sleep", lambda _seconds: client.sendall(b"x" * 20))

        assert slow.shut_slow(server.getsockname()[1], 0, sample_seconds=2) == 1

    def test_leaves_connections_of_other_ports(self, connection):
        server, client = connection

        assert slow.shut_slow(client.getsockname()[1] + 1, 0, sample_seconds=0) == 0
        server.sendall(b"x")
        assert client.recv(1) == b"x"


class TestOperation:
    def make(self, *, age: float, still: float, pieces: int) -> bool:
        one = slow._Operation()
        at = one.started_at + age
        one.moved_at, one.pieces = at - still, pieces
        return one.is_stuck(at)

    @pytest.mark.parametrize(
        ("age", "still", "pieces", "stuck"),
        [
            (1, 1, 0, False),
            (31, 31, 0, True),
            (100, 31, 1000, True),
            (59, 1, 1, False),
            (61, 1, 1, True),
            (61, 1, 16, False),
            (3600, 1, 901, False),
        ],
    )
    def test_is_stuck_when_still_or_far_too_slow(self, age, still, pieces, stuck):
        assert self.make(age=age, still=still, pieces=pieces) is stuck
