"""No test talks to the outside: whatever is not this machine is refused, loudly."""

from __future__ import annotations

import ipaddress
import socket
import sys
from typing import Any


class NetworkForbidden(RuntimeError):
    """A test tried to reach a host that is not this machine.

    Deliberately no OSError: code that copes with a broken network must not cope with this.
    """


def _is_this_machine(host: object) -> bool:
    if isinstance(host, (bytes, bytearray)):
        host = host.decode("ascii", "replace")
    if not host:
        return True
    name = str(host).rstrip(".").lower()
    if name in {"localhost", socket.gethostname().lower()} or name.endswith(".localhost"):
        return True
    try:
        address = ipaddress.ip_address(name.split("%", 1)[0])
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified


def _is_address(host: object) -> bool:
    try:
        ipaddress.ip_address(str(host).split("%", 1)[0])
    except ValueError:
        return False
    return True


def _guard(event: str, arguments: tuple[Any, ...]) -> None:
    if event in {"socket.connect", "socket.sendto"}:
        address = arguments[1]
        # Only internet addresses are pairs; a Unix socket's is a path.
        if isinstance(address, tuple) and not _is_this_machine(address[0]):
            raise NetworkForbidden(f"a test tried to connect to {address!r}")
    elif event == "socket.getaddrinfo":
        host = arguments[0]
        # Looking up an address asks nobody.
        if not (_is_this_machine(host) or _is_address(host)):
            raise NetworkForbidden(f"a test tried to look up {host!r}")


def forbid() -> None:
    """Refuse every other host from now on, in this process; an audit hook cannot be taken back."""
    sys.addaudithook(_guard)
