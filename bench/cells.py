"""What is measured: the operations, and how each server is asked for them.

A cell is (dialect, operation, sign-in). The peer is asked for the same operation in its own API;
where a dialect has no such operation, there is no cell.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from bench import corpus
from bench.client import Expected, Request

OPERATIONS = ("show", "list25", "list100", "search", "create", "reply")
DIALECTS = ("helpdesk", "zammad", "jutda")
WRITES = frozenset({"create", "reply"})
#: A word in every sixth ticket and a state: some hundred of them, of which a page is shown.
SEARCHES = tuple(f"{topic} state.name:closed" for topic in corpus.TOPICS[:12])
#: Tickets that writes go to, so that the floor need not remember too many.
WRITTEN = 24

_JSON = (("Content-Type", "application/json"), ("Accept", "application/json"))
_OPENING = "The new machine prints blank pages since this morning. Nothing was changed before. " * 4
_REPLY = "Thank you for the patience. The part has arrived and will be mounted tomorrow. " * 3


@dataclass(frozen=True, slots=True)
class Cell:
    """One thing to measure.

    ``name`` is ``dialect.operation.sign-in``; ``requests`` are sent in turn. ``sign_in`` is basic,
    token, session or password (Jutda's, in the body).
    """

    dialect: str
    operation: str
    sign_in: str
    requests: tuple[Request, ...] = field(repr=False)
    expected: Expected = field(repr=False)

    @property
    def name(self) -> str:
        return f"{self.dialect}.{self.operation}.{self.sign_in}"

    @property
    def is_write(self) -> bool:
        return self.operation in WRITES


def basic(login: str, password: str) -> tuple[tuple[str, str], ...]:
    """The header of a Basic sign-in."""
    pair = base64.b64encode(f"{login}:{password}".encode()).decode()
    return (("Authorization", f"Basic {pair}"),)


@dataclass(frozen=True, slots=True)
class Desk:
    """Whom the cells sign in as, and on which tickets they work: (id, customer's address)."""

    login: str
    password: str
    token: str
    tickets: Sequence[tuple[int, str]]


_TICKET_KEYS = ("id", "title")
_HELPDESK_KEYS = ("id", "queue", "title", "status", "followup_set")
_ZAMMAD_KEYS = ("id", "number", "title", "group_id", "state_id", "created_at")


def ours(desk: Desk) -> list[Cell]:
    """All cells of our server."""
    headers = {
        "basic": basic(desk.login, desk.password),
        "token": (("Authorization", f"Token {desk.token}"),),
    }
    cells = []
    for sign_in, auth in headers.items():
        for operation, (requests, expected) in helpdesk_requests(desk.tickets, auth).items():
            cells.append(Cell("helpdesk", operation, sign_in, requests, expected))
        for operation, (requests, expected) in _zammad(desk, auth).items():
            cells.append(Cell("zammad", operation, sign_in, requests, expected))
    for operation, (requests, expected) in _jutda(desk).items():
        cells.append(Cell("jutda", operation, "password", requests, expected))
    cells.sort(key=lambda cell: (OPERATIONS.index(cell.operation), DIALECTS.index(cell.dialect)))
    return cells


def theirs(
    tickets: Sequence[tuple[int, str]], sign_ins: dict[str, tuple[tuple[str, str], ...]]
) -> list[Cell]:
    """The peer's cells, for every kind of sign-in (its name, the headers)."""
    return [
        Cell("peer", operation, sign_in, requests, expected)
        for sign_in, auth in sign_ins.items()
        for operation, (requests, expected) in helpdesk_requests(tickets, auth).items()
    ]


Asked = dict[str, tuple[tuple[Request, ...], Expected]]


def helpdesk_requests(
    tickets: Sequence[tuple[int, str]], auth: tuple[tuple[str, str], ...]
) -> Asked:
    """The django-helpdesk API, for us and for the peer alike."""
    headers = (*auth, *_JSON)

    def get(target: str) -> Request:
        return Request("GET", target, headers)

    def post(target: str, body: dict[str, Any]) -> Request:
        return Request("POST", target, headers, json.dumps(body).encode())

    def rows(length: int) -> Expected:
        return Expected(200, "rows", _HELPDESK_KEYS, under="results", length=length)

    return {
        "show": (
            tuple(get(f"/api/tickets/{id_}/") for id_, _ in tickets),
            Expected(200, "object", _HELPDESK_KEYS),
        ),
        "list25": (_pages(get, "/api/tickets/?page={}", 25), rows(25)),
        "list100": (_pages(get, "/api/tickets/?page_size=100&page={}", 100), rows(100)),
        "create": (
            tuple(
                post(
                    "/api/tickets/",
                    {
                        "queue": 1,
                        "title": f"{corpus.COMMON_WORD.capitalize()} prints blank pages",
                        "description": _OPENING,
                        "submitter_email": email,
                        "priority": 3,
                    },
                )
                for _, email in tickets[:WRITTEN]
            ),
            Expected(201, "object", _HELPDESK_KEYS),
        ),
        "reply": (
            tuple(
                post("/api/followups/", {"ticket": id_, "comment": _REPLY, "public": True})
                for id_, _ in tickets[:WRITTEN]
            ),
            Expected(201, "object", ("id", "ticket", "comment", "public")),
        ),
    }


def _pages(get: Callable[[str], Request], target: str, size: int) -> tuple[Request, ...]:
    """The first pages of a list, as a client that looks through it asks for them."""
    return tuple(get(target.format(page)) for page in range(1, 400 // size))


def _zammad(desk: Desk, auth: tuple[tuple[str, str], ...]) -> Asked:
    headers = (*auth, *_JSON)

    def get(target: str) -> Request:
        return Request("GET", f"/api/v1{target}", headers)

    def post(target: str, body: dict[str, Any]) -> Request:
        return Request("POST", f"/api/v1{target}", headers, json.dumps(body).encode())

    def rows(length: int) -> Expected:
        return Expected(200, "rows", _ZAMMAD_KEYS, length=length)

    queries = [urlencode({"query": query, "limit": 25}) for query in SEARCHES]
    return {
        "show": (
            tuple(get(f"/tickets/{id_}") for id_, _ in desk.tickets),
            Expected(200, "object", _ZAMMAD_KEYS),
        ),
        "list25": (_pages(get, "/tickets?per_page=25&page={}", 25), rows(25)),
        "list100": (_pages(get, "/tickets?per_page=100&page={}", 100), rows(100)),
        "search": (tuple(get(f"/tickets/search?{query}") for query in queries), rows(25)),
        "create": (
            tuple(
                post(
                    "/tickets",
                    {
                        "title": f"{corpus.COMMON_WORD.capitalize()} prints blank pages",
                        "group": "Users",
                        "customer": email,
                        "article": {
                            "subject": "Blank pages",
                            "body": _OPENING,
                            "type": "phone",
                            "sender": "Customer",
                        },
                    },
                )
                for _, email in desk.tickets[:WRITTEN]
            ),
            Expected(201, "object", (*_ZAMMAD_KEYS, "article_ids")),
        ),
        "reply": (
            tuple(
                post(
                    "/ticket_articles",
                    {"ticket_id": id_, "body": _REPLY, "type": "email", "to": email},
                )
                for id_, email in desk.tickets[:WRITTEN]
            ),
            Expected(201, "object", ("id", "ticket_id", "body", "type")),
        ),
    }


def _jutda(desk: Desk) -> Asked:
    headers = (("Content-Type", "application/x-www-form-urlencoded"),)

    def post(method: str, parameters: dict[str, Any]) -> Request:
        form = {"user": desk.login, "password": desk.password, **parameters}
        return Request("POST", f"/api/{method}/", headers, urlencode(form).encode())

    return {
        "create": (
            tuple(
                post(
                    "create_ticket",
                    {
                        "queue": 1,
                        "title": f"{corpus.COMMON_WORD.capitalize()} prints blank pages",
                        "body": _OPENING,
                        "submitter_email": email,
                    },
                )
                for _, email in desk.tickets[:WRITTEN]
            ),
            Expected(200, "text"),
        ),
        "reply": (
            tuple(
                post("add_followup", {"ticket": id_, "message": _REPLY, "public": "y"})
                for id_, _ in desk.tickets[:WRITTEN]
            ),
            Expected(200, "text"),
        ),
    }
