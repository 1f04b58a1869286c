"""Structured log lines: one JSON object, or one readable line on a terminal, per happening.

Everything goes through the standard :mod:`logging`; ``extra={…}`` becomes fields. Each line carries
the request id where there is one. Sign-ins and refusals use the logger ``deskbell.security``, the
access log ``deskbell.access``, jobs ``deskbell.jobs``.
"""

from __future__ import annotations

import logging
import logging.config
import re
import sys
from collections.abc import MutableMapping
from contextvars import ContextVar
from typing import Any

from deskbell.kernel.config import Config

#: The request (or job) the present thread works for; empty outside of both.
request_id: ContextVar[str] = ContextVar("request_id", default="")

_SECRET_NAME = re.compile(r"pass(word|wd|phrase)?|secret|token|authorization|cookie|api_?key", re.I)
_SECRET_TEXT = re.compile(
    r"(?i)\b(password|passwd|secret|token|access_token|authorization)(\s*[=:]\s*)(\S+)"
)
_CREDENTIALS_IN_URL = re.compile(r"(?<=://)[^/@\s]+@")


def logging_for(config: Config) -> dict[str, Any]:
    """The dictionary for :func:`logging.config.dictConfig`: one handler to standard error."""
    console = config.log_format == "console" or (
        config.log_format == "auto" and sys.stderr.isatty()
    )
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
