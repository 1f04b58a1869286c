"""Three small clients over HTTP, one a dialect, so that a test can say a thing three times."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from typing import Any, Protocol

from django.test import Client

from deskbell.people.models import User
from tests.cast import PASSWORD


@dataclass(frozen=True)
class Answer:
    status: int
    body: Any

    @property
    def done(self) -> bool:
        return 200 <= self.status < 300


def _basic(user: User) -> str:
    return "Basic " + base64.b64encode(f"{user.login}:{PASSWORD}".encode()).decode()


class Dialect(Protocol):
    """What all three can be asked; ``None`` where a dialect does not offer it."""

    name: str

    def read(self, ticket_id: int) -> Answer | None: ...
    def create(self, group_id: int) -> Answer | None: ...
    def change(self, ticket_id: int) -> Answer | None: ...
    def answer(self, ticket_id: int) -> Answer | None: ...
    def move(self, ticket_id: int, group_id: int) -> Answer | None: ...
    def delete(self, ticket_id: int) -> Answer | None: ...
    def read_entry(self, article_id: int) -> Answer | None: ...
    def remove_entry(self, article_id: int) -> Answer | None: ...


class _Json:
    def __init__(self, user: User, mount: str = "") -> None:
        self.client = Client(enforce_csrf_checks=True)
        self.header = _basic(user)
        self.mount = mount

    def call(self, method: str, path: str, body: Any = None) -> Answer:
        response = self.client.generic(
            method,
            self.mount + path,
            b"" if body is None else json.dumps(body).encode(),
            content_type="application/json",
            HTTP_AUTHORIZATION=self.header,
        )
        content = b"".join(response) if response.streaming else response.content
        return Answer(response.status_code, json.loads(content) if content else None)


class Helpdesk(_Json):
    name = "helpdesk"

    def read(self, ticket_id: int) -> Answer:
        return self.call("GET", f"/api/tickets/{ticket_id}/")

    def write(self, ticket_id: int, body: Any, method: str = "PUT") -> Answer:
        return self.call(method, f"/api/tickets/{ticket_id}/", body)

    def create(self, group_id: int) -> Answer:
        return self.call(
            "POST",
            "/api/tickets/",
            {"queue": group_id, "title": "T", "description": "D", "priority": 3},
        )

    def change(self, ticket_id: int) -> Answer:
        return self.call("PATCH", f"/api/tickets/{ticket_id}/", {"title": "Changed"})

    def answer(self, ticket_id: int) -> Answer:
        return self.call(
            "POST", "/api/followups/", {"ticket": ticket_id, "title": "T", "comment": "C"}
        )

    def move(self, ticket_id: int, group_id: int) -> Answer:
        return self.call("PATCH", f"/api/tickets/{ticket_id}/", {"queue": group_id})

    def delete(self, ticket_id: int) -> Answer:
        return self.call("DELETE", f"/api/tickets/{ticket_id}/")

    def read_entry(self, article_id: int) -> Answer:
        return self.call("GET", f"/api/followups/{article_id}/")

    def remove_entry(self, article_id: int) -> Answer:
        return self.call("DELETE", f"/api/followups/{article_id}/")


class Zammad(_Json):
    name = "zammad"

    def read(self, ticket_id: int) -> Answer:
        return self.call("GET", f"/api/v1/tickets/{ticket_id}")

    def write(self, ticket_id: int, body: Any) -> Answer:
        return self.call("PUT", f"/api/v1/tickets/{ticket_id}", body)

    def create(self, group_id: int) -> Answer:
        return self.call(
            "POST",
            "/api/v1/tickets",
            {"group_id": group_id, "title": "T", "article": {"body": "B"}},
        )

    def change(self, ticket_id: int) -> Answer:
        return self.call("PUT", f"/api/v1/tickets/{ticket_id}", {"title": "Changed"})

    def answer(self, ticket_id: int) -> Answer:
        return self.call("POST", "/api/v1/ticket_articles", {"ticket_id": ticket_id, "body": "B"})

    def move(self, ticket_id: int, group_id: int) -> Answer:
        return self.call("PUT", f"/api/v1/tickets/{ticket_id}", {"group_id": group_id})

    def delete(self, ticket_id: int) -> Answer:
        return self.call("DELETE", f"/api/v1/tickets/{ticket_id}")

    def read_entry(self, article_id: int) -> Answer:
        return self.call("GET", f"/api/v1/ticket_articles/{article_id}")

    def remove_entry(self, article_id: int) -> Answer:
        return self.call("DELETE", f"/api/v1/ticket_articles/{article_id}")


class Jutda:
    name = "jutda"

    def __init__(self, user: User, mount: str = "") -> None:
        self.client = Client(enforce_csrf_checks=True)
        self.who = {"user": user.login, "password": PASSWORD}
        self.mount = mount

    def call(self, method: str, **parameters: Any) -> Answer:
        response = self.client.post(f"{self.mount}/api/{method}/", {**self.who, **parameters})
        return Answer(response.status_code, response.content.decode())

    def read(self, ticket_id: int) -> None:
        return None

    def create(self, group_id: int) -> Answer:
        return self.call("create_ticket", queue=group_id, title="T", body="B")

    def change(self, ticket_id: int) -> Answer:
        return self.call("resolve", ticket=ticket_id, resolution="R")

    def answer(self, ticket_id: int) -> Answer:
        return self.call("add_followup", ticket=ticket_id, message="M", public="n")

    def move(self, ticket_id: int, group_id: int) -> None:
        return None

    def delete(self, ticket_id: int) -> Answer:
        return self.call("delete_ticket", ticket=ticket_id, confirm="y")

    def read_entry(self, article_id: int) -> None:
        return None

    def remove_entry(self, article_id: int) -> None:
        return None


ALL: tuple[type[Helpdesk] | type[Zammad] | type[Jutda], ...] = (Helpdesk, Zammad, Jutda)
