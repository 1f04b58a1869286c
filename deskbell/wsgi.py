"""The outermost layer of the web: limits, request id, access log and the probes, then Django.

It answers what never needs Django (too long, too large, probes), reads the body before a request
takes one of the few working slots, so that a slow sender waits alone, and catches whatever nobody
else caught. Everything here is per process and knows no tickets.
"""

from __future__ import annotations

import logging
import os
import re
import secrets
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from http import HTTPStatus
from io import BytesIO
from ipaddress import ip_address
from queue import Empty, SimpleQueue
from typing import IO, Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "deskbell.settings")
django.setup()

from django.core.handlers.wsgi import WSGIHandler  # noqa: E402 - needs the settings
from django.db import connections  # noqa: E402
from django.db.backends.base.base import BaseDatabaseWrapper  # noqa: E402
from django.db.backends.signals import connection_created  # noqa: E402
from django.http.response import HttpResponseBase  # noqa: E402
from django.urls import get_resolver  # noqa: E402

from deskbell.kernel.config import Config, Network, current  # noqa: E402
from deskbell.kernel.logging import AccessLog, request_id, user_id  # noqa: E402
from deskbell.ops import health, slow  # noqa: E402
from deskbell.web.shared import paths  # noqa: E402

Environ = dict[str, Any]
Start = Callable[..., Any]
App = Callable[[Environ, Start], Iterable[bytes]]

log = logging.getLogger("deskbell.web")

MAX_URL = 8190
MAX_HEADERS = 32 * 1024
#: A body up to this size stays in memory, a longer one goes through a temporary file.
MEMORY_BODY = 1024 * 1024
#: An answer of a known length up to this is handed to the server whole, so that a slow reader
#: keeps no thread.
WHOLE_ANSWER = 8 * 1024 * 1024
CHUNK = 64 * 1024
#: How long a request waits for a working slot, and how long one statement may run.
SLOT_SECONDS = 30.0
STATEMENT_SECONDS = 30.0
#: A database connection that was used so lately is not asked whether it still lives.
TRUSTED_SECONDS = 2.0

_SANE_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,63}", re.ASCII)
_PATHS_WITHOUT_LOG = frozenset({"/healthz", "/readyz"})


class _Refusal(Exception):
    """The request is answered here and now."""

    def __init__(self, status: int, sentence: str, *, close: bool = False) -> None:
        super().__init__(sentence)
        self.status = status
        self.sentence = sentence
        self.close = close


class Outermost:
    """The WSGI application around Django's. ``config`` gives limits and trusted proxies."""

    def __init__(self, app: App, config: Config) -> None:
        self.app = app
        self.limit = config.max_request_mb * 1024 * 1024
        self.proxies = config.trusted_proxies
        self.slots = _Slots(config.web_threads)
        self.watch = slow.Watch(port=config.port)
        self.access = AccessLog(config)
        self.health = health.Probes(config)

    def __call__(self, environ: Environ, start_response: Start) -> Iterable[bytes]:
        started = time.perf_counter()
        self._trust(environ)
        identity = environ["HTTP_X_REQUEST_ID"]
        request_id.set(identity)
        user_id.set(0)
        path: str = environ["PATH_INFO"]
        answered = HTTPStatus.INTERNAL_SERVER_ERROR.value

        def start(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
            nonlocal answered
            answered = int(status[:3])
            headers.append(("X-Request-Id", identity))
            return start_response(status, headers, exc_info)

        try:
            return self._answer(environ, path, start)
        except _Refusal as refusal:
            return _refuse(start, path, refusal)
        except Exception:
            # Once, here: nothing below could answer, and the client must hear something.
            log.exception("request failed outside of Django")
            return _refuse(start, path, _Refusal(500, f"Internal server error ({identity})."))
        finally:
            if path not in _PATHS_WITHOUT_LOG:
                if paths.is_hook(path):
                    environ = {**environ, "PATH_INFO": paths.without_secrets(path)}
                self.access.write(environ, answered, time.perf_counter() - started)

    def _answer(self, environ: Environ, path: str, start: Start) -> Iterable[bytes]:
        if path == "/healthz":
            return self.health.alive(start)
        if path == "/readyz":
            self.slots.enter()
            try:
                return self.health.ready(start)
            finally:
                self.slots.leave()
        _check_head(environ, path)
        body = self._body(environ)
        if body is None:
            return self._django(environ, start)
        with body:
            environ["wsgi.input"] = body
            return self._django(environ, start)

    def _django(self, environ: Environ, start: Start) -> Iterable[bytes]:
        self.slots.enter()
        try:
            response = self.app(environ, start)
            if isinstance(response, list):
                return response
            if isinstance(response, HttpResponseBase):
                whole = _whole(response)
                if whole is not None:
                    return whole
        finally:
            self.slots.leave()
        # The slot is free again while a long answer is read at the reader's pace.
        return self._stream(response)

    def _stream(self, response: Iterable[bytes]) -> Iterator[bytes]:
        try:
            with self.watch.operation() as progress:
                for chunk in _regrouped(response):
                    yield chunk
                    progress()
        finally:
            close = getattr(response, "close", None)
            if close is not None:
                close()

    def _trust(self, environ: Environ) -> None:
        """Believe a trusted proxy about client, scheme and request id; drop what others claim."""
        forwarded_for = environ.pop("HTTP_X_FORWARDED_FOR", "")
        scheme = environ.pop("HTTP_X_FORWARDED_PROTO", "")
        environ.pop("HTTP_X_FORWARDED_HOST", None)
        identity = environ.get("HTTP_X_REQUEST_ID", "")
        if self.proxies and _within(environ["REMOTE_ADDR"], self.proxies):
            environ["REMOTE_ADDR"] = _client(environ["REMOTE_ADDR"], forwarded_for, self.proxies)
            if scheme in ("http", "https"):
                environ["wsgi.url_scheme"] = scheme
        else:
            identity = ""
        if not _SANE_ID.fullmatch(identity):
            identity = secrets.token_hex(8)
        environ["HTTP_X_REQUEST_ID"] = identity

    def _body(self, environ: Environ) -> IO[bytes] | None:
        """The whole body, read before the request takes a slot; ``None`` where there is none."""
        text = environ.get("CONTENT_LENGTH") or ""
        is_chunked = "chunked" in environ.get("HTTP_TRANSFER_ENCODING", "").lower()
        if not is_chunked and not (text.isascii() and text.isdigit() and int(text)):
            return None
        expected = None if is_chunked else int(text)
        if expected is not None and expected > self.limit:
            raise self._too_large()
        body, length = self._received(environ["wsgi.input"], expected)
        if expected is not None and length < expected:
            body.close()
            raise _Refusal(400, "The request ended before its body was complete.", close=True)
        environ["CONTENT_LENGTH"] = str(length)
        body.seek(0)
        return body

    def _received(self, source: Any, expected: int | None) -> tuple[IO[bytes], int]:
        body: IO[bytes] = BytesIO()
        if expected is None or expected > MEMORY_BODY:
            body = tempfile.SpooledTemporaryFile(max_size=MEMORY_BODY)  # noqa: SIM115
        length = 0
        with self.watch.operation() as progress:
            while expected is None or length < expected:
                # In the pieces by which the watch counts: a read returns when it is complete.
                wanted = slow.PIECE if expected is None else min(slow.PIECE, expected - length)
                chunk = source.read(wanted)
                if not chunk:
                    break
                progress()
                length += len(chunk)
                if length > self.limit:
                    body.close()
                    raise self._too_large()
                body.write(chunk)
        return body, length

    def _too_large(self) -> _Refusal:
        megabytes = self.limit // (1024 * 1024)
        return _Refusal(413, f"The request is larger than {megabytes} MB.", close=True)


class _Slots:
    """The few places in which requests run at the same time.

    A queue of tokens: taking one from it costs a tenth of what a semaphore costs.
    """

    def __init__(self, number: int) -> None:
        self.tokens: SimpleQueue[None] = SimpleQueue()
        for _ in range(number):
            self.tokens.put(None)

    def enter(self) -> None:
        """Wait for a place, and see that the thread's connection is fit. Raises _Refusal (503)."""
        try:
            self.tokens.get(timeout=SLOT_SECONDS)
        except Empty:
            raise _Refusal(503, "The server is busy, please try again.") from None
        at = time.monotonic()
        if at - _thread.used_at > TRUSTED_SECONDS:
            # Looked up again now and then: it lives as long as the thread, but nobody promised.
            _thread.connection = connections["default"]
            _thread.connection.health_check_done = False
        _thread.deadline = at + STATEMENT_SECONDS

    def leave(self) -> None:
        """Give the place back, and a connection that broke away."""
        try:
            if _thread.connection.errors_occurred:
                _thread.connection.close_if_unusable_or_obsolete()
        finally:
            _thread.used_at = time.monotonic()
            _thread.deadline = None
            self.tokens.put(None)


def _check_head(environ: Environ, path: str) -> None:
    if len(path) + len(environ["QUERY_STRING"]) > MAX_URL:
        raise _Refusal(414, f"The address is longer than {MAX_URL} characters.")
    # Every text in the environment: telling the headers apart would cost more than they weigh.
    size = 0
    for value in environ.values():
        if value.__class__ is str:
            size += len(value)
    if size > MAX_HEADERS:
        raise _Refusal(431, f"The headers are longer than {MAX_HEADERS} characters.")


def _within(address: str, networks: tuple[Network, ...]) -> bool:
    try:
        parsed = ip_address(address)
    except ValueError:
        return False
    return any(parsed in network for network in networks)


def _client(peer: str, forwarded_for: str, proxies: tuple[Network, ...]) -> str:
    """The last address of the chain that is no proxy of ours; what stands before it is hearsay."""
    for word in reversed(forwarded_for.split(",")):
        address = word.strip().strip("[]")
        try:
            peer = str(ip_address(address))
        except ValueError:
            # Empty or nonsense: the nearest address we do know is the best answer.
            return peer
        if not _within(peer, proxies):
            return peer
    return peer


def _whole(response: HttpResponseBase) -> list[bytes] | None:
    """A streamed answer in one piece where it is small enough; the response is closed then."""
    length = response.headers.get("Content-Length", "")
    if length.isdigit() and int(length) <= WHOLE_ANSWER:
        try:
            return [b"".join(response)]
        finally:
            response.close()
    return None


def _regrouped(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The same bytes in pieces of at least 64 KiB: each piece costs a trip through the server."""
    held: list[bytes] = []
    size = 0
    for chunk in chunks:
        held.append(chunk)
        size += len(chunk)
        if size >= CHUNK:
            yield b"".join(held)
            held, size = [], 0
    if held:
        yield b"".join(held)


def _refuse(start: Start, path: str, refusal: _Refusal) -> list[bytes]:
    kind, body = paths.refusal(path, refusal.sentence)
    status = HTTPStatus(refusal.status)
    headers = [
        ("Content-Type", kind),
        ("Content-Length", str(len(body))),
        ("X-Content-Type-Options", "nosniff"),
    ]
    if refusal.close:
        # What is left of the body would be taken for the next request.
        headers.append(("Connection", "close"))
    if refusal.status == HTTPStatus.SERVICE_UNAVAILABLE:
        headers.append(("Retry-After", "5"))
    start(f"{status.value} {status.phrase}", headers)
    return [body]


class _Thread(threading.local):
    """A thread's database connection, its last use, and when its request must be done."""

    deadline: float | None = None
    used_at: float = -TRUSTED_SECONDS
    connection: Any = None


_thread = _Thread()


class Django(WSGIHandler):
    """Django's own handler without what we do better or never need.

    The signals around a request cost a quarter of a small one: they close caches that have nothing
    to close, and look after connections, which the slots do. The desk is always mounted at "/".
    """

    def __call__(self, environ: Environ, start_response: Start) -> Any:
        """A list of bytes, or the response itself where it streams."""
        request = self.request_class(environ)
        response = self.get_response(request)
        headers = list(response.items())
        headers += [
            ("Set-Cookie", morsel.output(header="")) for morsel in response.cookies.values()
        ]
        start_response(f"{response.status_code} {response.reason_phrase}", headers)
        if response.streaming:
            return response
        request.close()
        return [response.content]  # type: ignore[attr-defined]


def _bound_statements(connection: BaseDatabaseWrapper, **_: Any) -> None:
    """Give every connection of the web a limit per statement; jobs and commands have none."""
    if connection.vendor == "postgresql":
        milliseconds = int(STATEMENT_SECONDS * 1000)
        with connection.cursor() as cursor:
            cursor.execute(f"SET statement_timeout = {milliseconds}")
            cursor.execute(f"SET idle_in_transaction_session_timeout = {2 * milliseconds}")
    else:

        def is_overdue() -> bool:
            return _thread.deadline is not None and time.monotonic() > _thread.deadline

        # Asked every million steps of SQLite's machine, some ten times a second in a long query.
        connection.connection.set_progress_handler(is_overdue, 1_000_000)


def warm_up() -> None:
    """Load what the first request would have to: all addresses, and the views behind them."""
    get_resolver().check()


connection_created.connect(_bound_statements, dispatch_uid="deskbell.wsgi")

application = Outermost(Django(), current())
