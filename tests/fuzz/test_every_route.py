"""Whatever is sent to whatever route: never a 5xx, always the dialect's own shape.

Bodies are made of the words the contracts know, with values of every kind and none; ids are known,
unknown, huge and nonsense. One test makes sure that no route of the desk is left out.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import transaction
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deskbell.api.zammad.urls import urlpatterns as zammad_urls
from tests.cast import PASSWORD, ada, custom_field, kemal, nora, ticket

pytestmark = pytest.mark.django_db

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")

HELPDESK = (
    "/api/",
    "/api/tickets/",
    "/api/tickets/{id}/",
    "/api/tickets",
    "/api/tickets/{id}",
    "/api/tickets.json",
    "/api/tickets/{id}.json",
    "/api/tickets/{id}.api",
    "/api/followups/",
    "/api/followups/{id}/",
    "/api/followups-attachments/",
    "/api/followups-attachments/{id}/",
    "/api/followups-attachments/{id}/file/{word}",
    "/api/user_tickets/",
    "/api/user_tickets/{id}/",
    "/api/users/",
    "/api/users/{id}/",
    "/api/.json",
)
JUTDA = tuple(
    f"/api/{method}/"
    for method in (
        "create_ticket",
        "delete_ticket",
        "hold_ticket",
        "unhold_ticket",
        "add_followup",
        "resolve",
        "list_queues",
        "find_user",
        "help",
        "nope",
        "{word}",
        "no/such/place",
    )
)
_PART = re.compile(r"\(\?P<(\w+)>\[\^/\]\+\)")


def _template(pattern: Any) -> str:
    """``tickets/{id}`` for the expression of an address."""
    text = pattern.pattern.regex.pattern.removeprefix("^").removesuffix("/?$")
    return _PART.sub(lambda part: "{word}" if part[1] == "classes" else "{id}", text)


ZAMMAD = (
    *(f"/api/v1/{_template(pattern)}" for pattern in zammad_urls if pattern.pattern.regex.pattern),
    "/api/v1/{word}",
)

ids = st.sampled_from(
    ["1", "2", "3", "4", "0", "-1", "999", "9" * 25, "1.5", "abc", "1e3", "%00", "１"]
)
words = st.sampled_from(
    ["x", "", "Ticket", "%F0%9F%96%A8", "..", "%2e%2e%2f", "'", "a b", "%ud800"]
)

scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 12),
    st.sampled_from([10**18, 2**63, -(2**70), 10**400]),
    st.floats(allow_nan=False, allow_infinity=False, width=16),
    st.text(max_size=8),
    st.sampled_from(
        [
            "",
            " ",
            "1",
            "Users",
            "open",
            "2 normal",
            "-",
            "guess:x@example.test",
            "guess:nonsense",
            "ada@example.test",
            "y",
            "n",
            "\x00",
            "a\x00b",
            "\ud800",
            "x" * 300,
            "2026-02-30",
            "2031-05-06T07:08:09Z",
            "0001-01-01T00:00:00+23:59",
            "9999-12-31T23:59:59-23:59",
            "99999999999999999999-01-01",
            "{{ ticket.title }}{% x %}",
            "<script>alert(1)</script>",
            "id:[",
            "((((",
            'a"b',
            "created_at:>now-99999999999d",
            "../../etc/passwd",
            "ünï@exämple.test",
            "00:00:99999999999",
        ]
    ),
)
values = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=5,
)
KEYS = [
    "id",
    "title",
    "queue",
    "description",
    "submitter_email",
    "assigned_to",
    "status",
    "on_hold",
    "priority",
    "due_date",
    "merged_to",
    "resolution",
    "attachment",
    "custom_colour",
    "custom_size",
    "ticket",
    "comment",
    "public",
    "new_status",
    "time_spent",
    "attachments",
    "followup",
    "file",
    "filename",
    "mime_type",
    "size",
    "username",
    "password",
    "first_name",
    "last_name",
    "email",
    "user",
    "body",
    "message",
    "confirm",
    "due_date_year",
    "due_date_month",
    "due_date_day",
    "group",
    "group_id",
    "customer",
    "customer_id",
    "state",
    "state_id",
    "priority_id",
    "owner",
    "owner_id",
    "note",
    "tags",
    "mentions",
    "links",
    "article",
    "organization",
    "organization_id",
    "pending_time",
    "preferences",
    "number",
    "ticket_id",
    "type",
    "type_id",
    "sender",
    "sender_id",
    "internal",
    "content_type",
    "from",
    "to",
    "cc",
    "subject",
    "origin_by",
    "form_id",
    "query",
    "limit",
    "page",
    "per_page",
    "sort_by",
    "order_by",
    "expand",
    "full",
    "all",
    "with_total_count",
    "only_total_count",
    "condition",
    "ids",
    "role_ids",
    "roles",
    "group_ids",
    "groups",
    "firstname",
    "lastname",
    "login",
    "phone",
    "active",
    "members",
    "member_ids",
    "name",
    "permission",
    "permissions",
    "permission_ids",
    "default_create",
    "state_type_id",
    "follow_up_possible",
    "parent_id",
    "object",
    "o_id",
    "item",
    "term",
    "link_type",
    "link_object",
    "link_object_value",
    "link_object_source",
    "link_object_source_number",
    "link_object_target",
    "link_object_target_value",
    "mentionable_type",
    "mentionable_id",
    "expires_at",
    "ticket_ids",
    "attributes",
    "time_unit",
    "display",
    "data_type",
    "data_option",
    "position",
    "screens",
    "seen",
    "email_address_id",
    "year",
    "month",
    "label",
    "format",
    "page_size",
    "colour",
    "size_",
    "data",
    "mime-type",
    "charset",
]
bodies = st.dictionaries(st.sampled_from(KEYS), values, max_size=7)
queries = st.dictionaries(st.sampled_from(KEYS), scalars, max_size=3)


@pytest.fixture
def stage() -> dict[str, str]:
    """People of every sort, and something for each id to hit."""
    boss, agent, customer = ada(), nora(), kemal()
    custom_field("colour", "list", choices=["Red", "Green"])
    custom_field("size", "integer")
    for _ in range(3):
        ticket(customer, tags=["a"])
    return {
        "nobody": "",
        **{
            user.login: "Basic " + base64.b64encode(f"{user.login}:{PASSWORD}".encode()).decode()
            for user in (boss, agent, customer)
        },
        "stranger": "Basic " + base64.b64encode(b"stranger:x").decode(),
        "garbage": "Basic \u00ff",
        "token": "Token token=nonsense",
    }


def _encode(data: Any, kind: str, junk: bytes) -> tuple[bytes, str]:
    """The request body and its content type."""
    if kind == "json":
        return json.dumps(data).encode("utf-8", "surrogatepass"), "application/json"
    if kind == "form":
        from urllib.parse import quote_plus

        pairs = [
            f"{quote_plus(k)}={quote_plus(str(v).encode('utf-8', 'surrogatepass'))}"
            for k, v in (data.items() if isinstance(data, dict) else ())
        ]
        return "&".join(pairs).encode(), "application/x-www-form-urlencoded"
    if kind == "multipart":
        lines = []
        for key, value in data.items() if isinstance(data, dict) else ():
            text = str(value).encode("utf-8", "surrogatepass")
            name = f'filename="{key}.txt"' if key in ("file", "attachment", "attachments") else ""
            lines.append(
                b"--frontier\r\nContent-Disposition: form-data; name="
                + f'"{key}"; {name}\r\n\r\n'.encode()
                + text
                + b"\r\n"
            )
        return b"".join(lines) + b"--frontier--\r\n", "multipart/form-data; boundary=frontier"
    if kind == "junk-json":
        return junk, "application/json"
    if kind == "junk-multipart":
        return junk, "multipart/form-data; boundary=frontier"
    if kind == "deep":
        return b"[" * 20_000, "application/json"
    return junk, "text/plain"


def _shaped(path: str, response: Any) -> None:
    """The dialect's own shape, success or not."""
    content = b"".join(response) if response.streaming else response.content
    kind = response.headers.get("Content-Type", "")
    if not content or response.status_code in (204, 304):
        return
    if path.startswith("/api/v1"):
        if response.status_code >= 400:
            body = json.loads(content)
            assert isinstance(body.get("error"), str | bool), body
        return
    if response.status_code >= 400 and kind.startswith("application/json"):
        json.loads(content)
    assert b"Traceback" not in content


SEND = st.sampled_from(
    ["json", "json", "form", "multipart", "junk-json", "junk-multipart", "deep", "text"]
)


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    max_examples=400,
)
@given(
    template=st.sampled_from([*HELPDESK, *JUTDA, *ZAMMAD]),
    method=st.sampled_from(METHODS),
    id_=ids,
    word=words,
    who=st.sampled_from(
        ["nobody", "ada", "ada", "ada", "nora", "kemal", "stranger", "garbage", "token"]
    ),
    body=st.one_of(bodies, values),
    article=st.one_of(st.none(), bodies),
    query=queries,
    kind=SEND,
    junk=st.binary(max_size=40),
    mount=st.sampled_from(["", "/helpdesk"]),
)
def test_nothing_breaks_the_desk(
    stage: dict[str, str],
    template: str,
    method: str,
    id_: str,
    word: str,
    who: str,
    body: Any,
    article: Any,
    query: dict[str, Any],
    kind: str,
    junk: bytes,
    mount: str,
) -> None:
    path = template.replace("{id}", id_).replace("{word}", word)
    if isinstance(body, dict) and article is not None:
        body = {**body, "article": article}
    if (
        template in JUTDA
        and isinstance(body, dict)
        and kind in ("form", "multipart")
        and who == "ada"
    ):
        body = {**body, "user": "ada", "password": PASSWORD}
    content, content_type = _encode(body, kind, junk)
    from urllib.parse import urlencode

    pairs = {k: str(v).encode("utf-8", "surrogatepass") for k, v in query.items()}
    client = Client(raise_request_exception=True, enforce_csrf_checks=True)
    extra = {"HTTP_AUTHORIZATION": stage[who]} if stage[who] else {}
    with transaction.atomic():
        response = client.generic(
            method,
            f"{mount}{path}?{urlencode(pairs)}",
            content,
            content_type=content_type,
            **extra,
        )
        assert response.status_code < 500, (method, path, response.content[:500])
        _shaped(path, response)
        transaction.set_rollback(True)


def _routes(resolver: URLResolver, before: str = "") -> Iterator[str]:
    for pattern in resolver.url_patterns:
        here = before + str(pattern.pattern).removeprefix("^" if before else "")
        if isinstance(pattern, URLResolver):
            yield from _routes(pattern, here)
        elif isinstance(pattern, URLPattern):
            yield here


def test_no_route_is_left_out() -> None:
    """Every route below /api/ answers to at least one of the addresses above."""
    from django.urls import resolve

    reached = set()
    for template in (*HELPDESK, *JUTDA, *ZAMMAD):
        match = resolve(template.replace("{id}", "1").replace("{word}", "x"))
        reached.add(match.route)
    known = {r for r in _routes(get_resolver()) if r.startswith("api/")}
    assert known - reached == set()
