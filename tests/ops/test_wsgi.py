"""The outermost layer, called as a server calls it."""

from __future__ import annotations

import io
import json
import threading
from collections.abc import Iterator
from ipaddress import ip_network
from typing import Any

import pytest
from django.http import FileResponse, HttpResponse, StreamingHttpResponse

from deskbell import wsgi
from deskbell.kernel import config


def environ(path: str = "/api/v1/tickets", **changes: Any) -> dict[str, Any]:
    return {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": path,
        "QUERY_STRING": "",
        "REMOTE_ADDR": "192.0.2.1",
        "wsgi.input": io.BytesIO(),
        "wsgi.url_scheme": "http",
        **changes,
    }


def outermost(app: Any, tmp_path: Any, **settings: str) -> wsgi.Outermost:
    found = config.load(
        {f"DESKBELL_{name.upper()}": value for name, value in settings.items()}, directory=tmp_path
    )
    return wsgi.Outermost(app, found)


def call(app: Any, given: dict[str, Any]) -> tuple[str, dict[str, str], bytes]:
    told: list[Any] = []
    body = b"".join(app(given, lambda status, headers, _=None: told.extend([status, headers])))
    return told[0], {name.lower(): value for name, value in told[1]}, body


def answer(text: str = "fine") -> Any:
    def app(_environ: Any, start: Any) -> list[bytes]:
        start("200 OK", [])
        return [text.encode()]

    return app


def fail(_environ: Any, _start: Any) -> list[bytes]:
    raise RuntimeError("a secret reason")


class TestFailures:
    @pytest.mark.parametrize(
        ("path", "kind"),
        [
            ("/api/v1/tickets", "application/json"),
            ("/api/tickets/", "application/json"),
            ("/api/find_user/", "text/plain"),
            ("/", "text/plain"),
        ],
    )
    def test_that_nobody_caught_are_answered_and_logged_once(self, tmp_path, caplog, path, kind):
        status, headers, body = call(outermost(fail, tmp_path), environ(path))

        assert status == "500 Internal Server Error"
        assert headers["content-type"].startswith(kind)
        assert b"a secret reason" not in body
        assert headers["x-request-id"].encode() in body
        assert [record.exc_info is not None for record in caplog.records] == [True]

    def test_give_the_slot_back(self, tmp_path):
        app = outermost(fail, tmp_path, web_threads="1")

        for _ in range(3):
            assert call(app, environ())[0].startswith("500")

    def test_of_having_no_slot_is_said_after_a_while(self, tmp_path, monkeypatch):
        monkeypatch.setattr(wsgi, "SLOT_SECONDS", 0.05)
        entered, leave = threading.Event(), threading.Event()

        def slow(_environ: Any, start: Any) -> list[bytes]:
            entered.set()
            leave.wait(10)
            return answer()(_environ, start)

        app = outermost(slow, tmp_path, web_threads="1")
        other = threading.Thread(target=call, args=(app, environ()))
        other.start()
        entered.wait(10)

        status, headers, body = call(app, environ())

        leave.set()
        other.join()
        assert status == "503 Service Unavailable"
        assert headers["retry-after"] == "5"
        assert set(json.loads(body)) == {"error", "error_human"}


class TestBody:
    def read(self, given: dict[str, Any], start: Any) -> list[bytes]:
        start("200 OK", [])
        return [given["wsgi.input"].read(), b"|", given.get("CONTENT_LENGTH", "").encode()]

    def test_without_a_length_gets_one(self, tmp_path):
        given = environ(
            HTTP_TRANSFER_ENCODING="chunked", **{"wsgi.input": io.BytesIO(b"x" * 70000)}
        )

        _, _, body = call(outermost(self.read, tmp_path), given)

        assert body == b"x" * 70000 + b"|70000"

    @pytest.mark.parametrize("size", [1, 1024 * 1024, 1024 * 1024 + 1])
    def test_arrives_whole(self, tmp_path, size):
        given = environ(
            CONTENT_LENGTH=str(size), **{"wsgi.input": io.BytesIO(b"y" * size + b"next request")}
        )

        _, _, body = call(outermost(self.read, tmp_path), given)

        assert body == b"y" * size + f"|{size}".encode()

    def test_that_ends_early_is_refused(self, tmp_path):
        given = environ(CONTENT_LENGTH="10", **{"wsgi.input": io.BytesIO(b"short")})

        status, headers, _ = call(outermost(self.read, tmp_path), given)

        assert status == "400 Bad Request"
        assert headers["connection"] == "close"

    @pytest.mark.parametrize("length", ["", "0", "x", "-1", "٣"])
    def test_without_a_sensible_length_is_none(self, tmp_path, length):
        _, _, body = call(outermost(self.read, tmp_path), environ(CONTENT_LENGTH=length))

        assert body.startswith(b"|")

    def test_over_the_limit_is_refused_unread(self, tmp_path):
        class Unread(io.BytesIO):
            def read(self, *_: Any) -> bytes:
                raise AssertionError("it was read")

        given = environ(CONTENT_LENGTH=str(1024 * 1024 + 1), **{"wsgi.input": Unread()})

        status, _, _ = call(outermost(self.read, tmp_path, max_request_mb="1"), given)

        assert status.startswith("413 ")


@pytest.mark.django_db
class TestAnswer:
    def test_that_streams_a_known_small_length_is_handed_over_whole(self, tmp_path):
        closed: list[bool] = []

        class File(io.BytesIO):
            def close(self) -> None:
                closed.append(True)
                super().close()

        def app(_environ: Any, start: Any) -> Any:
            response = FileResponse(File(b"z" * 5000))
            start("200 OK", list(response.items()))
            return response

        body = outermost(app, tmp_path)(environ(), lambda *_: None)

        assert body == [b"z" * 5000]
        assert closed == [True]

    def test_of_unknown_length_is_streamed_in_larger_pieces_and_closed(self, tmp_path):
        closed: list[bool] = []

        class Response(StreamingHttpResponse):
            def close(self) -> None:
                closed.append(True)
                super().close()

        def pieces() -> Iterator[bytes]:
            for _ in range(1000):
                yield b"p" * 1000

        def app(_environ: Any, start: Any) -> Any:
            start("200 OK", [])
            return Response(pieces())

        body = outermost(app, tmp_path)(environ(), lambda *_: None)
        chunks = list(body)

        assert not isinstance(body, list)
        assert b"".join(chunks) == b"p" * 1_000_000
        assert len(chunks) == 16
        assert closed == [True]

    def test_of_django_arrives_with_its_cookies(self, tmp_path, monkeypatch):
        handler = wsgi.Django()

        def respond(_request: Any) -> HttpResponse:
            response = HttpResponse(b"ok", status=201)
            response.set_cookie("one", "1", httponly=True)
            response.set_cookie("two", "2")
            return response

        monkeypatch.setattr(handler, "get_response", respond)
        told: list[Any] = []

        body = handler(environ(), lambda status, headers: told.extend([status, headers]))

        assert (told[0], body) == ("201 Created", [b"ok"])
        cookies = [value for name, value in told[1] if name == "Set-Cookie"]
        assert [cookie.split("=")[0].strip() for cookie in cookies] == ["one", "two"]


class TestClient:
    @pytest.mark.parametrize(
        ("peer", "chain", "client"),
        [
            ("10.0.0.1", "198.51.100.7", "198.51.100.7"),
            ("10.0.0.1", "6.6.6.6, 198.51.100.7", "198.51.100.7"),
            ("10.0.0.1", "198.51.100.7, 10.0.0.2", "198.51.100.7"),
            ("10.0.0.1", "", "10.0.0.1"),
            ("10.0.0.1", "198.51.100.7, nonsense", "10.0.0.1"),
            ("10.0.0.1", "10.0.0.3, 10.0.0.2", "10.0.0.3"),
            ("10.0.0.1", "[2001:db8::1]", "2001:db8::1"),
        ],
    )
    def test_is_the_nearest_address_that_is_no_proxy(self, peer, chain, client):
        assert wsgi._client(peer, chain, (ip_network("10.0.0.0/8"),)) == client

    def test_is_the_peer_where_no_proxy_is_trusted(self, tmp_path):
        seen: dict[str, Any] = {}

        def app(given: dict[str, Any], start: Any) -> list[bytes]:
            seen.update(given)
            return answer()(given, start)

        call(
            outermost(app, tmp_path),
            environ(
                HTTP_X_FORWARDED_FOR="6.6.6.6",
                HTTP_X_FORWARDED_PROTO="https",
                HTTP_X_FORWARDED_HOST="evil",
                HTTP_X_REQUEST_ID="mine",
            ),
        )

        assert seen["REMOTE_ADDR"] == "192.0.2.1"
        assert seen["wsgi.url_scheme"] == "http"
        assert not [name for name in seen if name.startswith("HTTP_X_FORWARDED")]
        assert seen["HTTP_X_REQUEST_ID"] != "mine"

    @pytest.mark.parametrize("identity", ["", "a b", "x" * 65, "line\nbreak", "<script>", "é"])
    def test_of_a_trusted_proxy_may_name_the_request_sanely_only(self, tmp_path, identity):
        app = outermost(answer(), tmp_path, trusted_proxies="192.0.2.0/24")

        _, headers, _ = call(app, environ(HTTP_X_REQUEST_ID=identity))
        assert headers["x-request-id"] != identity

        _, headers, _ = call(app, environ(HTTP_X_REQUEST_ID="ab-12"))
        assert headers["x-request-id"] == "ab-12"
