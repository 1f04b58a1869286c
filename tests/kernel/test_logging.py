"""Log lines: structured, with the request id, without secrets."""

from __future__ import annotations

import json
import logging
import os
from typing import Any

import pytest

from deskbell.kernel import config
from deskbell.kernel import logging as desk_logging


def line(message: str, *, console: bool = False, **extra: Any) -> str:
    record = logging.getLogger("deskbell.test").makeRecord(
        "deskbell.test", logging.WARNING, "file", 1, message, (), None, extra=extra
    )
    return desk_logging.formatter(console).format(record)


class TestLine:
    def test_is_one_json_object_with_the_fields(self):
        token = desk_logging.request_id.set("abc")
        try:
            fields = json.loads(line("sign-in refused", client="192.0.2.1"))
        finally:
            desk_logging.request_id.reset(token)

        assert fields["event"] == "sign-in refused"
        assert fields["level"] == "warning"
        assert fields["logger"] == "deskbell.test"
        assert fields["client"] == "192.0.2.1"
        assert fields["request_id"] == "abc"
        assert "timestamp" in fields

    @pytest.mark.parametrize("name", ["password", "new_password", "api_token", "Authorization"])
    def test_hides_fields_named_like_secrets(self, name):
        assert "hunter2" not in line("x", **{name: "hunter2"})

    @pytest.mark.parametrize(
        "text",
        [
            "cannot reach postgresql://desk:hunter2@db/name",
            "form had password=hunter2",
            "token: hunter2",
        ],
    )
    @pytest.mark.parametrize("console", [True, False])
    def test_hides_secrets_inside_texts(self, text, console):
        assert "hunter2" not in line(text, console=console)
        assert "hunter2" not in line("x", console=console, reason=text)


class TestAccessLog:
    def written(self, capfd: Any, path: str, log_format: str = "json") -> str:
        found = config.load({"DESKBELL_LOG_FORMAT": log_format})
        environ = {
            "REQUEST_METHOD": "GET",
            "PATH_INFO": path,
            "QUERY_STRING": "token=hunter2",
            "REMOTE_ADDR": "192.0.2.1",
        }
        desk_logging.AccessLog(found).write(environ, 404, 0.01234)
        text: str = capfd.readouterr().err
        return text

    def test_tells_what_was_asked_and_answered(self, capfd):
        desk_logging.user_id.set(0)
        fields = json.loads(self.written(capfd, "/x"))

        assert (fields["method"], fields["path"], fields["status"]) == ("GET", "/x", 404)
        assert (fields["ms"], fields["client"], fields["user_id"]) == (12.3, "192.0.2.1", None)

    @pytest.mark.parametrize("log_format", ["json", "console"])
    @pytest.mark.parametrize(
        "path", ['/"', "/\n{}", "/\x1b[31m", "/é".encode().decode("latin-1"), "/\xff", "/" * 9999]
    )
    def test_stays_one_readable_line_whatever_the_path(self, capfd, path, log_format):
        text = self.written(capfd, path, log_format)

        assert text.count("\n") == 1
        assert "\x1b" not in text
        assert "hunter2" not in text
        assert len(text) < 1200
        if log_format == "json":
            assert json.loads(text)["path"].startswith("/")

    def test_ends_quietly_when_nobody_reads(self, monkeypatch):
        log = desk_logging.AccessLog(config.load({}))

        def closed(*_: Any) -> int:
            raise BrokenPipeError

        monkeypatch.setattr(os, "write", closed)
        environ = {"REQUEST_METHOD": "GET", "PATH_INFO": "/", "REMOTE_ADDR": "x"}
        log.write(environ, 200, 0)

        assert not log.wanted
