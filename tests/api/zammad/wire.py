"""A small client of the dialect: bodies as JSON, answers as Python values."""

from __future__ import annotations

import base64
import json
from typing import Any

from django.http.response import HttpResponseBase
from django.test import Client

from deskbell.kernel.actor import SYSTEM
from deskbell.people.models import User
from deskbell.people.operations import create_token
from tests import cast

BASE = "/api/v1/"


def basic(name: str, password: str = cast.PASSWORD) -> dict[str, str]:
    pair = base64.b64encode(f"{name}:{password}".encode()).decode()
    return {"Authorization": f"Basic {pair}"}


def token_of(user: User, permissions: list[str] | None = None, **columns: Any) -> str:
    return create_token(
        user.pk,
        name="test",
        permissions=permissions,
        expires_at=columns.pop("expires_at", None),
        actor=SYSTEM,
        at=cast.MONDAY_9AM,
    )[1]


class Wire:
    """Calls as one user, signed in by an API token that narrows nothing."""

    def __init__(self, user: User | None = None, **headers: str) -> None:
        self.client = Client(raise_request_exception=False, enforce_csrf_checks=True)
        self.headers = dict(headers)
        if user is not None:
            self.headers.setdefault("Authorization", f"Token token={token_of(user)}")
        self.last: Any = None

    def call(
        self,
        verb: str,
        path: str,
        body: Any = None,
        *,
        raw: bytes | None = None,
        content_type: str = "application/json",
        **headers: str,
    ) -> Any:
        data = raw if raw is not None else b"" if body is None else json.dumps(body).encode()
        self.last = self.client.generic(
            verb,
            path if path.startswith("/") else BASE + path,
            data,
            content_type=content_type,
            headers={**self.headers, **headers},
        )
        return self.last

    def get(self, path: str, body: Any = None, **headers: str) -> Any:
        return self.call("GET", path, body, **headers)

    def post(self, path: str, body: Any = None, **headers: str) -> Any:
        return self.call("POST", path, body, **headers)

    def put(self, path: str, body: Any = None, **headers: str) -> Any:
        return self.call("PUT", path, body, **headers)

    def delete(self, path: str, body: Any = None, **headers: str) -> Any:
        return self.call("DELETE", path, body, **headers)


def told(response: Any, status: int) -> Any:
    """The answer's value, once its status is what it should be."""
    assert response.status_code == status, response.content[:500]
    return response.json()


def message(response: Any, status: int) -> str:
    """The text of a refusal, in both keys."""
    body = told(response, status)
    assert body == {"error": body["error"], "error_human": body["error"]}
    assert response.headers["Content-Type"] == "application/json; charset=utf-8"
    if status in (401, 403):
        assert response.headers["X-Failure"] == body["error"]
    return str(body["error"])


def content(response: HttpResponseBase) -> bytes:
    """The bytes of an answer, streamed or not."""
    if response.streaming:
        return b"".join(response.streaming_content)  # type: ignore[attr-defined]
    return bytes(response.content)  # type: ignore[attr-defined]
