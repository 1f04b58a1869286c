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


class TestShutSilent:
    def test_shuts_a_connection_to_which_nothing_was_sent(self, connection):
        server, client = connection

        number = slow.shut_silent(server.getsockname()[1], 0)

        assert number == 1
        client.settimeout(5)
        assert client.recv(1) == b""

    def test_leaves_one_that_was_answered_just_now(self, connection):
        server, client = connection
        server.sendall(b"x")

        assert slow.shut_silent(server.getsockname()[1], 5) == 0
        assert client.recv(1) == b"x"

    def test_leaves_connections_of_other_ports(self, connection):
        server, client = connection

        assert slow.shut_silent(client.getsockname()[1] + 1, 0) == 0
        server.sendall(b"x")
        assert client.recv(1) == b"x"


class TestOperation:
    def make(self, *, age: float, still: float, steps: int) -> bool:
        one = slow._Operation()
        at = one.started_at + age
        one.moved_at, one.steps = at - still, steps
        return one.is_stuck(at)

    @pytest.mark.parametrize(
        ("age", "still", "steps", "stuck"),
        [
            (1, 1, 0, False),
            (21, 21, 0, True),
            (100, 21, 1000, True),
            (59, 1, 1, False),
            (61, 1, 1, True),
            (61, 1, 16, False),
            (3600, 1, 900, False),
        ],
    )
    def test_is_stuck_when_still_or_far_too_slow(self, age, still, steps, stuck):
        assert self.make(age=age, still=still, steps=steps) is stuck
