"""A client of the dialect: what a script would send, and what it gets."""

from __future__ import annotations

import base64
import json
from typing import Any

from django.http import HttpRequest
from django.test import Client
from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart

from deskbell.kernel.actor import SYSTEM
from deskbell.people import sessions
from deskbell.people.models import User
from deskbell.people.operations import create_token
from tests.cast import MONDAY_9AM, PASSWORD

FORM = "application/x-www-form-urlencoded"


def basic(name: str, password: str = PASSWORD) -> str:
    return "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()


class Answer:
    """Status, headers and body of an answer; ``json`` is the body read as such."""

    def __init__(self, response: Any) -> None:
        self.status: int = response.status_code
        self.headers = response.headers
        self.cookies = response.cookies
        self.body: bytes = (
            b"".join(response) if getattr(response, "streaming", False) else response.content
        )

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def text(self) -> str:
        return self.body.decode()

    def __repr__(self) -> str:
        return f"<{self.status} {self.body[:500]!r}>"


class Api:
    """Calls below ``/api/`` (or another mount), with a token of the user if there is one.

    ``scope`` are the permissions the token is narrowed to.
    """

    def __init__(
        self,
        user: User | None = None,
        *,
        mount: str = "/api/",
        scope: list[str] | None = None,
        **headers: str,
    ) -> None:
        self.client = Client(enforce_csrf_checks=True, raise_request_exception=True)
        self.mount = mount
        self.headers = dict(headers)
        if user is not None:
            _token, secret = create_token(
                user.pk, name="", permissions=scope, expires_at=None, actor=SYSTEM, at=MONDAY_9AM
            )
            self.headers["HTTP_AUTHORIZATION"] = f"Token {secret}"

    @classmethod
    def in_session(cls, user: User, *, with_token: bool = False, **kwargs: Any) -> Api:
        """A browser that is signed in; with the CSRF token in the header or without."""
        request = HttpRequest()
        sessions.start(request, user)
        request.session.save()
        api = cls(**kwargs)
        api.client.cookies["sessionid"] = str(request.session.session_key)
        if with_token:
            token = sessions.csrf_token(request)
            api.client.cookies["csrftoken"] = request.META["CSRF_COOKIE"]
            api.headers["HTTP_X_CSRFTOKEN"] = token
        return api

    def send(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        content_type: str = "application/json",
        **headers: str,
    ) -> Answer:
        """A request; what is neither text nor bytes is sent as JSON."""
        if body is None:
            content = b""
        elif isinstance(body, bytes):
            content = body
        elif isinstance(body, str):
            content = body.encode("utf-8", "surrogatepass")
        else:
            content = json.dumps(body).encode()
        address = path if path.startswith(("/", "http:")) else self.mount + path
        return Answer(
            self.client.generic(
                method,
                address,
                content,
                content_type=content_type if body is not None else "",
                **{**self.headers, **headers},
            )
        )

    def get(self, path: str, **headers: str) -> Answer:
        return self.send("GET", path, **headers)

    def post(self, path: str, body: Any = None, **kwargs: Any) -> Answer:
        return self.send("POST", path, body, **kwargs)

    def put(self, path: str, body: Any = None, **kwargs: Any) -> Answer:
        return self.send("PUT", path, body, **kwargs)

    def patch(self, path: str, body: Any = None, **kwargs: Any) -> Answer:
        return self.send("PATCH", path, body, **kwargs)

    def delete(self, path: str, **headers: str) -> Answer:
        return self.send("DELETE", path, **headers)

    def form(self, method: str, path: str, body: str, **headers: str) -> Answer:
        """A form without files, as a text ``a=1&b=2``."""
        return self.send(method, path, body, content_type=FORM, **headers)

    def upload(self, method: str, path: str, fields: dict[str, Any], **headers: str) -> Answer:
        """A form with files; a list sends the field repeatedly."""
        return self.send(
            method,
            path,
            encode_multipart(BOUNDARY, fields),
            content_type=MULTIPART_CONTENT,
            **headers,
        )

    def opened(self, **fields: Any) -> Any:
        """A ticket opened through the API."""
        body = {"queue": 1, "title": "Printer on fire", "description": "It burns.", **fields}
        answer = self.post("tickets/", body)
        assert answer.status == 201, answer
        return answer.json

    def answered(self, ticket_id: int, **fields: Any) -> Any:
        """A followup added through the API."""
        answer = self.post("followups/", {"ticket": ticket_id, "title": "T", **fields})
        assert answer.status == 201, answer
        return answer.json
