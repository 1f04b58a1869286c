"""Structured log lines: one JSON object, or one readable line on a terminal, per happening.

Everything goes through the standard :mod:`logging`; ``extra={…}`` becomes fields. Each line carries
the request id where there is one. Sign-ins and refusals use the logger ``deskbell.security``, the
access log ``deskbell.access``, jobs ``deskbell.jobs``.
"""

from __future__ import annotations

import logging
import logging.config
import os
import re
import sys
import time
from collections.abc import Mapping, MutableMapping
from contextvars import ContextVar
from typing import Any

import msgspec

from deskbell.kernel.config import Config

#: The request (or job) the present thread works for; empty outside of both.
request_id: ContextVar[str] = ContextVar("request_id", default="")
#: Whom the present request signed in, 0 for nobody (yet). Set by whoever checks credentials.
user_id: ContextVar[int] = ContextVar("user_id", default=0)

_SECRET_NAME = re.compile(r"pass(word|wd|phrase)?|secret|token|authorization|cookie|api_?key", re.I)
_SECRET_TEXT = re.compile(
    r"(?i)\b(password|passwd|secret|token|access_token|authorization)(\s*[=:]\s*)(\S+)"
)
_CREDENTIALS_IN_URL = re.compile(r"(?<=://)[^/@\s]+@")


def logging_for(config: Config) -> dict[str, Any]:
    """The dictionary for :func:`logging.config.dictConfig`: one handler to standard error."""
    console = is_console(config)
    level = config.log_level.upper()
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": {"()": "deskbell.kernel.logging.formatter", "console": console}},
        "handlers": {
            "stderr": {"class": "logging.StreamHandler", "formatter": "line", "level": level}
        },
        "root": {"handlers": ["stderr"], "level": "WARNING"},
        "loggers": {
            "deskbell": {"level": level},
            # Django logs every 4xx as a warning; the access log already has that line.
            "django.request": {"level": "ERROR"},
            "django.security.DisallowedHost": {"level": "CRITICAL"},
        },
    }


def is_console(config: Config) -> bool:
    """Whether lines are for eyes: asked for, or written to a terminal and nothing was asked for."""
    return config.log_format == "console" or (config.log_format == "auto" and sys.stderr.isatty())


def configure(settings: dict[str, Any]) -> None:
    """Django's ``LOGGING_CONFIG``: install the dictionary that :func:`logging_for` made."""
    logging.config.dictConfig(settings)


def formatter(console: bool) -> logging.Formatter:
    """The formatter both kinds of line share; structlog is imported here, by those who log."""
    import structlog

    render: list[Any]
    if console:
        render = [structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())]
    else:
        render = [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[
            structlog.stdlib.add_log_level,
            structlog.stdlib.add_logger_name,
            structlog.stdlib.ExtraAdder(),
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _add_request_id,
        ],
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            _hide_secrets,
            *render,
        ],
    )


def _add_request_id(
    _logger: Any, _method: str, line: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    if current := request_id.get():
        line.setdefault("request_id", current)
    return line


def _hide_secrets(
    _logger: Any, _method: str, line: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """The last net under careless callers: no field that is named like a secret is printed."""
    for name, value in line.items():
        if _SECRET_NAME.search(name):
            line[name] = "[hidden]"
        elif isinstance(value, str):
            line[name] = hide_secrets(value)
    return line


def hide_secrets(text: str) -> str:
    """The text without passwords in addresses and without ``password=…`` and its like."""
    return _CREDENTIALS_IN_URL.sub("[hidden]@", _SECRET_TEXT.sub(r"\1\2[hidden]", text))


class AccessLog:
    """One line per request, in the format of the others, written without their price.

    An answer takes some hundred microseconds; the general formatter would add a third to that.
    The query string is never written: tokens and addresses stand in some.
    """

    def __init__(self, config: Config) -> None:
        self.wanted = config.log_level in ("debug", "info")
        self.console = is_console(config)
        self.quote = msgspec.json.Encoder().encode
        #: The second that was written last, and its text.
        self.second: tuple[int, str] = (0, "")

    def write(self, environ: Mapping[str, Any], status: int, seconds: float) -> None:
        """Write the line of one request; a closed standard error ends the log, not the request."""
        if not self.wanted:
            return
        # PATH_INFO holds bytes as Latin-1 (PEP 3333).
        path: str = environ["PATH_INFO"][:500]
        if not path.isascii():
            path = path.encode("latin-1", "replace").decode("utf-8", "replace")
        method, client = environ["REQUEST_METHOD"], environ["REMOTE_ADDR"]
        at, user, identity = self._now(), user_id.get(), request_id.get()
        milliseconds = round(seconds * 1000, 1)
        if self.console:
            shown = path if path.isprintable() else repr(path)
            line = (
                f"{at} {method} {shown} {status} {milliseconds} ms {client} "
                f"user={user or '-'} {identity}\n"
            ).encode("utf-8", "replace")
        else:
            # Only the path holds what a client may choose freely; the method is a token of HTTP.
            line = (
                b'{"timestamp":"%b","level":"info","logger":"deskbell.access","event":"request",'
                b'"method":"%b","path":%b,"status":%d,"ms":%b,"client":"%b","user_id":%b,'
                b'"request_id":"%b"}\n'
            ) % (
                at.encode(),
                method.encode(),
                self.quote(path),
                status,
                str(milliseconds).encode(),
                client.encode(),
                str(user).encode() if user else b"null",
                identity.encode(),
            )
        try:
            os.write(2, line)
        except OSError:
            # Nobody reads standard error any more. There is nowhere left to say so.
            self.wanted = False

    def _now(self) -> str:
        at = time.time()
        second, text = self.second
        if int(at) != second:
            second, text = int(at), time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(at))
            self.second = (second, text)
        return f"{text}.{int((at - second) * 1000):03d}Z"
