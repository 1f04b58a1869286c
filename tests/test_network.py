"""The guard that keeps tests on this machine."""

from __future__ import annotations

import socket

import pytest

from tests.network import NetworkForbidden


class TestTheGuard:
    @pytest.mark.parametrize("host", ["10.1.2.3", "192.0.2.1", "169.254.169.254"])
    def test_refuses_to_connect_elsewhere(self, host):
        with socket.socket() as client, pytest.raises(NetworkForbidden):
            client.connect((host, 80))

    def test_refuses_to_send_elsewhere(self):
        with (
            socket.socket(type=socket.SOCK_DGRAM) as client,
            pytest.raises(NetworkForbidden),
        ):
            client.sendto(b"x", ("192.0.2.1", 53))

    def test_refuses_to_look_names_up(self):
        with pytest.raises(NetworkForbidden):
            socket.getaddrinfo("desk.example.com", 443)

    def test_lets_this_machine_through(self):
        with (
            socket.create_server(("127.0.0.1", 0)) as server,
            socket.create_connection(("localhost", server.getsockname()[1]), 5) as client,
        ):
            server.accept()[0].close()

            assert client.recv(1) == b""

    def test_is_no_broken_network(self):
        assert not issubclass(NetworkForbidden, OSError)
