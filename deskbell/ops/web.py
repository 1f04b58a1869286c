"""``deskbell web``: the web server alone, for one node of a cluster."""

from __future__ import annotations

import argparse
import logging
import os
import signal
import socket
from collections.abc import Callable
from typing import Any

from deskbell.kernel.config import Config
from deskbell.ops import processes
from deskbell.ops.cli import CommandError, start_django

#: Threads beyond the working slots: they receive bodies and send long answers, and wait for a slot.
WAITING_THREADS = 24
#: Connections at once per process, idle ones included.
CONNECTIONS = 4096
#: How long a client may take for its headers, and how long an idle connection is kept.
HEADER_SECONDS = 30
HEADER_BUFFER = 64 * 1024
#: How long running requests get to finish when the server is stopped.
DRAIN_SECONDS = 10


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--host", help="the address to listen on (DESKBELL_HOST)")
    parser.add_argument("--port", help="the port to listen on (DESKBELL_PORT)")


def run(args: argparse.Namespace, config: Config) -> int:
    """Serve until stopped. Refuses while migrations are pending."""
    refuse_taken_port(config)
    check = processes.fork(lambda: _check(config))
    _, status = os.waitpid(check, 0)
    if code := os.waitstatus_to_exitcode(status):
        return code if code > 0 else 1
    print(f"Deskbell's web server is at {config.address}", flush=True)
    return serve(config)


def _check(config: Config) -> int:
    """In a process of its own, so that the one that only forks servers stays small."""
    from deskbell.ops.cli import complain
    from deskbell.ops.migrate import refuse_unless_migrated

    def check() -> int:
        start_django(config)
        refuse_unless_migrated()
        return 0

    return complain(check)


def refuse_taken_port(config: Config) -> None:
    """Raise CommandError when the address cannot be listened on, before anything else is done."""
    try:
        found = socket.getaddrinfo(
            config.host, config.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
        family, kind, protocol, _, address = found[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        raise CommandError(
            f"Cannot listen on {config.host} port {config.port}: {error.strerror or error}. "
            "DESKBELL_HOST and DESKBELL_PORT, or --host and --port, say where."
        ) from error


def serve(config: Config) -> int:
    """Run granian in this process, which forks the processes that answer. Returns when stopped."""
    from granian.constants import Interfaces
    from granian.http import HTTP1Settings
    from granian.log import LogLevels
    from granian.server import Server

    processes.raise_file_limit()
    master = os.getpid()
    server = Server(
        "deskbell.wsgi:application",
        address=config.host,
        port=config.port,
        interface=Interfaces.WSGI,
        workers=config.web_processes,
        blocking_threads=config.web_threads + WAITING_THREADS,
        blocking_threads_idle_timeout=600,
        backlog=1024,
        # Counts connections, idle ones too; how many requests run at once is our own affair.
        backpressure=CONNECTIONS,
        websockets=False,
        http1_settings=HTTP1Settings(
            header_read_timeout=HEADER_SECONDS * 1000, max_buffer_size=HEADER_BUFFER
        ),
        respawn_failed_workers=True,
        workers_kill_timeout=DRAIN_SECONDS,
        log_level=LogLevels.error,
    )
    server.serve(target_loader=_Loader(master), wrap_loader=False)
    return 0


class _Loader:
    """Loads the application in a process that answers requests."""

    def __init__(self, master: int) -> None:
        self.master = master

    def __call__(self) -> Callable[..., Any]:
        processes.die_with(self.master, signal.SIGKILL)
        processes.keep_heap_small()
        processes.show_threads_on_request()
        from deskbell.wsgi import application, warm_up

        warm_up()
        _forget_environment()
        logging.getLogger("deskbell.web").debug("web process ready", extra={"pid": os.getpid()})
        return application


def _forget_environment() -> None:
    """Take out of the environment what a request must not inherit.

    The server copies the process environment into every request's (as CGI did), where a variable
    HTTP_SOMETHING would read as a header that the client sent.
    """
    for name in list(os.environ):
        if name.startswith(
            ("HTTP_", "CONTENT_", "REMOTE_", "SERVER_", "REQUEST_", "DESKBELL_")
        ) or (name in ("HTTPS", "PATH_INFO", "QUERY_STRING", "SCRIPT_NAME")):
            del os.environ[name]
