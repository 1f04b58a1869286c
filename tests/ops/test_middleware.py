"""What pages get and APIs are spared, and failures in the shape of the address."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.contrib.messages import get_messages
from django.db import DatabaseError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from django.test import Client, RequestFactory, override_settings
from django.urls import path, re_path

from deskbell.web.shared import errors, middleware, paths
from deskbell.web.shared.middleware import DeskMiddleware


def look(request: HttpRequest, **_: Any) -> HttpResponse:
    """Tell what the middleware gave the request."""
    found = {"session": hasattr(request, "session"), "messages": hasattr(request, "_messages")}
    if found["messages"]:
        list(get_messages(request))
    return HttpResponse(json.dumps(found), content_type="application/json")


def sandboxed(_request: HttpRequest) -> HttpResponse:
    return HttpResponse(headers={"Content-Security-Policy": "sandbox", "X-Frame-Options": "ALLOW"})


def broken(_request: HttpRequest, kind: str, **_: Any) -> HttpResponse:
    raise {
        "bug": RuntimeError("a secret reason"),
        "away": OperationalError("host db is gone"),
        "data": DatabaseError("a secret reason"),
        "lost": Http404("x"),
    }[kind]


urlpatterns = [
    path("", look, name="home"),
    path("page", look),
    path("sandboxed", sandboxed),
    re_path(r"^(?P<door>api/v1/|api/|api/find_user/|helpdesk/api/|)broken/(?P<kind>\w+)$", broken),
    re_path(r"^(?:helpdesk/)?api/.*$", look),
]
handler404 = errors.not_found
handler500 = errors.server_error

pytestmark = pytest.mark.urls(__name__)


@pytest.fixture
def client() -> Client:
    return Client(raise_request_exception=False, enforce_csrf_checks=True)


class TestPages:
    def test_get_a_session_messages_and_a_strict_policy(self, client):
        answer = client.get("/page")

        assert answer.json() == {"session": True, "messages": True}
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'self'" in policy
        assert "unsafe" not in policy

    def test_need_a_csrf_token_to_write(self, client):
        assert client.post("/page").status_code == 403

    def test_may_set_stricter_headers_themselves(self, client):
        answer = client.get("/sandboxed")

        assert answer.headers["Content-Security-Policy"] == "sandbox"
        assert answer.headers["X-Frame-Options"] == "ALLOW"

    def test_set_no_cookie_that_nobody_asked_for(self, client):
        assert client.get("/page").cookies == {}


class TestApis:
    @pytest.mark.parametrize("address", ["/api/v1/x", "/api/x/", "/helpdesk/api/x"])
    def test_get_the_security_headers_and_nothing_else(self, client, address):
        for answer in (client.get(address), client.post(address)):
            assert answer.status_code == 200
            assert answer.json() == {"session": False, "messages": False}
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            assert answer.headers["X-Frame-Options"] == "DENY"
            assert "Content-Security-Policy" not in answer.headers
            assert answer.cookies == {}


class TestHost:
    @pytest.mark.parametrize("address", ["/page", "/api/v1/x", "/api/x/", "/static/x.css"])
    @pytest.mark.parametrize("host", ["evil.example", "testserver.evil.example", "a b", "x:y", ""])
    def test_that_is_not_ours_is_refused_everywhere(self, client, address, host):
        assert client.get(address, headers={"host": host}).status_code == 400

    @pytest.mark.parametrize("host", ["testserver", "testserver:8000", "LOCALHOST"])
    def test_of_ours_is_answered_however_it_is_spelled(self, client, host):
        for _ in range(2):
            assert client.get("/page", headers={"host": host}).status_code == 200

    def test_that_are_good_are_remembered_up_to_a_number(self):
        asked = DeskMiddleware(lambda _request: HttpResponse())
        with override_settings(ALLOWED_HOSTS=[".example.com"]):
            for number in range(middleware.MOST_HOSTS + 100):
                host = f"h{number}.example.com"
                answer = asked(RequestFactory().get("/api/x/", headers={"host": host}))
                assert answer.status_code == 200

        assert len(asked.known_hosts) == middleware.MOST_HOSTS


class TestFailures:
    @pytest.mark.parametrize(
        ("door", "keys"),
        [
            ("api/v1/", {"error", "error_human"}),
            ("api/", {"detail"}),
            ("helpdesk/api/", {"detail"}),
        ],
    )
    @pytest.mark.parametrize(("kind", "status"), [("bug", 500), ("data", 500), ("away", 503)])
    def test_speak_the_dialect_and_keep_the_reason(self, client, caplog, door, keys, kind, status):
        answer = client.get(f"/{door}broken/{kind}")

        assert answer.status_code == status
        assert set(answer.json()) == keys
        assert b"secret" not in answer.content
        assert b"host db" not in answer.content
        assert [record.name for record in caplog.records] == ["deskbell.web"]

    def test_of_pages_are_pages(self, client):
        answer = client.get("/broken/bug")

        assert answer.status_code == 500
        assert answer.headers["Content-Type"].startswith("text/html")
        assert b"secret" not in answer.content

    def test_that_may_pass_say_when_to_come_back(self, client):
        assert client.get("/api/v1/broken/away").headers["Retry-After"] == "5"

    def test_that_are_expected_stay_what_they_are(self, client):
        assert client.get("/api/v1/broken/lost").status_code == 404


class TestDoors:
    @pytest.mark.parametrize(
        ("address", "door"),
        [
            ("/", "page"),
            ("/api", "page"),
            ("/apiary/", "page"),
            ("/help/api/", "page"),
            ("/helpdesk/", "page"),
            ("/api/v1", "zammad"),
            ("/api/v1/tickets/1", "zammad"),
            ("/helpdesk/api/v1/tickets", "zammad"),
            ("/api/tickets/", "helpdesk"),
            ("/api/v10/", "helpdesk"),
            ("/api/", "helpdesk"),
            ("/api/create_ticket", "jutda"),
            ("/helpdesk/api/list_queues/", "jutda"),
        ],
    )
    def test_are_told_apart_by_the_address(self, address, door):
        assert paths.door_of(address) == door
