"""Whatever is sent: an answer of the dialect's shape, never a 500, nothing half-written."""

from __future__ import annotations

import json
import os
from typing import Any

import pytest
from django.db import transaction

from deskbell.people.models import User
from deskbell.tickets.models import Article, Ticket
from tests import cast
from tests.api.zammad.test_permissions import TABLE, filled, make_desk
from tests.api.zammad.wire import BASE, Wire, message, token_of, told

pytestmark = [pytest.mark.django_db, pytest.mark.once]


@pytest.fixture
def ada() -> Wire:
    return Wire(cast.ada())


class TestBodies:
    @pytest.mark.parametrize(
        ("raw", "status"),
        [
            (b"{", 400), (b"nonsense", 400), (b"[]", 400), (b'[{"title": "x"}]', 400),
            (b'"x"', 400), (b"5", 400), (b"{'a': 1}", 400), (b'{"a": NaN}', 400),
            (b'{"title": "\xff"}', 400), (b'{"title": "a\\u0000b"}', 400),
            (b'{"a\\u0000": 1}', 400), (b'{"title": "\\ud800"}', 400),
            (b'{"a":' * 5000 + b"1" + b"}" * 5000, 400), (b'{"a":' + b"[" * 200 + b"]" * 200
            + b"}", 400), (b'{"a": 1e999}', 400), (b"{} {}", 400), (b'{"title": "a\x00b"}', 400),
            # Nothing at all is an empty set of parameters.
            (b"", 422), (b"null", 422), (b"  ", 422), (b"{}", 422), (b"\xef\xbb\xbf{}", 422),
            # An escaped backslash before u0000 is no NUL.
            (b'{"title": "a\\\\u0000b", "group": "Users"}', 201),
        ],
        ids=range(23),
    )  # fmt: skip
    def test_that_are_no_object(self, ada: Wire, raw: bytes, status: int) -> None:
        response = ada.call("POST", "tickets", raw=raw)

        if status != 201:
            message(response, status)
        assert response.status_code == status

    def test_duplicate_keys_and_unknown_ones_do_no_harm(self, ada: Wire) -> None:
        raw = b'{"title": "a", "title": "b", "group": "Users", "zzz": {"y": [1]}}'

        assert told(ada.call("POST", "tickets", raw=raw), 201)["title"] == "b"

    def test_forms_are_read_like_rails_reads_them(self, ada: Wire) -> None:
        cast.kemal()
        raw = (
            b"title=Form+title&group=Users&customer=kemal&article[body]=Form+body"
            b"&article[attachments][][filename]=a&article[attachments][][mime-type]=text/plain"
            b"&article[attachments][][data]=eA==&article[attachments][][filename]=b"
            b"&article[attachments][][mime-type]=text/plain&article[attachments][][data]=eQ=="
            b"&tags[]=one&tags[]=two&a[b=1&[c]=2&d[][]=3"
        )

        response = ada.call(
            "POST",
            "tickets?all=true",
            raw=raw,
            content_type="application/x-www-form-urlencoded",
        )

        body = told(response, 201)
        assert body["tags"] == ["one", "two"]
        (article,) = body["assets"]["TicketArticle"].values()
        assert [file["filename"] for file in article["attachments"]] == ["a", "b"]

    def test_query_and_body_are_one_set_and_the_body_wins(self, ada: Wire) -> None:
        response = ada.post("tickets?title=query&group=Users&expand=true", {"title": "body"})

        assert (told(response, 201)["title"], response.json()["group"]) == ("body", "Users")

    def test_get_and_delete_read_bodies(self, ada: Wire) -> None:
        ticket = cast.ticket(None)
        body = {"object": "Ticket", "o_id": ticket.pk, "item": "x"}
        told(ada.post("tags/add", body), 201)

        assert told(ada.get("tags", body), 200) == {"tags": ["x"]}
        told(ada.delete("tags/remove", body), 200)
        assert told(ada.get("tags", body), 200) == {"tags": []}

    def test_other_content_types_say_nothing(self, ada: Wire) -> None:
        raw = b"<ticket/>"

        response = ada.call("POST", "tickets", raw=raw, content_type="application/xml")

        assert message(response, 422) == "The required value 'group_id' is missing."

    def test_nul_in_the_query(self, ada: Wire) -> None:
        message(ada.get("tickets/search?query=a%00b"), 400)
        message(ada.get("tickets?a%00=1"), 400)

    def test_too_many_parameters(self, ada: Wire) -> None:
        message(ada.get("tickets?" + "&".join(f"a{n}=1" for n in range(2500))), 400)


class TestRoutes:
    @pytest.mark.parametrize(
        ("verb", "path"),
        [
            ("GET", "nope"), ("POST", "nope"), ("PATCH", "tickets/1"), ("PUT", "tickets"),
            ("DELETE", "tickets"), ("GET", "tickets/1/nope"), ("GET", ""), ("TRACE", "tickets"),
            ("GET", "getting_started"), ("POST", "tickets/1"), ("GET", "tickets//"),
        ],
    )  # fmt: skip
    def test_unknown_ones_answer_in_json_without_credentials(self, verb: str, path: str) -> None:
        said = message(Wire().call(verb, path), 404)

        assert said == f"No route matches [{verb}] {BASE}{path}"

    def test_a_final_slash_is_tolerated(self, ada: Wire) -> None:
        ticket = cast.ticket(None)
        paths = ("tickets/", "groups/", "tickets/search/", f"tickets/{ticket.pk}/", "users/me/")

        for path in paths:
            assert ada.get(path).status_code == 200
        told(ada.post("tickets/", {"title": "x", "group": "Users"}), 201)

    def test_head_is_get_without_a_body(self, ada: Wire) -> None:
        response = ada.call("HEAD", "tickets")

        assert (response.status_code, response.content) == (200, b"")

    def test_a_page_only_for_those_who_ask_for_nothing_else(self, ada: Wire) -> None:
        page = Wire().get("tickets", Accept="text/html,*/*;q=0.8")
        assert page.status_code == 403
        assert page.headers["Content-Type"].startswith("text/html")
        assert b"Authentication required" in page.content
        nasty = Wire().get("%3Cscript%3Ealert(1)%3C/script%3E", Accept="text/html")
        assert b"<script>" not in nasty.content
        for accept in ("*/*", "application/json", "text/html, application/json", ""):
            message(Wire().get("tickets", Accept=accept), 403)
        assert told(ada.get("tickets", Accept="text/html"), 200) == []

    def test_an_accident_is_json_too(self, ada: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
        from deskbell.tickets import queries

        def broken(*_: object, **__: object) -> None:
            raise RuntimeError("secret detail")

        monkeypatch.setattr(queries, "tickets_page", broken)

        body = told(ada.get("tickets"), 500)

        assert body["error"].startswith("Error ID ")
        assert "secret" not in json.dumps(body)


JUNK: list[Any] = [
    None, "", " ", "x", "0", "-1", "9" * 40, 0, -1, 1.5, 2**63, 2**70, True, False, [], [None],
    [[1]], {}, {"a": 1}, {"id": 1}, "😀" * 300, "a\u202eb", "'; DROP TABLE x; --", "%", [1] * 1500,
    "9999-99-99", "x" * 5000,
]  # fmt: skip
KEYS = [
    "title", "group", "group_id", "state", "state_id", "priority", "priority_id", "owner",
    "owner_id", "customer", "customer_id", "organization", "organization_id", "note", "type",
    "pending_time", "preferences", "tags", "mentions", "links", "article", "colour", "amount",
    "ticket_id", "body", "subject", "internal", "content_type", "from", "to", "cc",
    "attachments", "form_id", "origin_by", "origin_by_id", "sender", "sender_id", "type_id",
    "time_unit", "item", "object", "o_id", "term", "query", "limit", "page", "per_page",
    "sort_by", "order_by", "ids", "condition", "expand", "full", "all", "name", "name_last",
    "parent_id", "permissions", "permission", "permission_ids", "group_ids", "groups",
    "roles", "role_ids", "members", "member_ids", "secondary_members", "users", "user_ids",
    "firstname", "email", "login", "password", "active", "organizations", "organization_ids",
    "domain", "follow_up_possible", "assignment_timeout", "reopen_time_in_days",
    "default_create", "state_type", "state_type_id", "next_state", "next_state_id",
    "link_type", "link_object", "link_object_value", "link_object_source",
    "link_object_source_value", "link_object_source_number", "link_object_target",
    "link_object_target_value", "mentionable_type", "mentionable_id", "expires_at", "label",
    "shared", "username", "ticket_ids", "attributes", "type", "user_id", "article_id", "seen",
    "data_type", "data_option", "display", "position", "screens", "email_address_id", "realname",
]  # fmt: skip
_WRITES = [row for row in TABLE if row.verb != "DELETE" or "remove" in row.path]


@pytest.mark.timeout(300)
def test_junk_in_every_key_of_every_route() -> None:
    """One key at a time: 2xx or 4xx, in JSON.

    Every row gets the keys that its body has and a sixth of the others, and every key some of the
    junk, another part each; DESKBELL_TEST_JUNK=all sends all.
    """
    places = make_desk()["places"]
    ada = cast.ada()
    cast.custom_field("colour")
    cast.custom_field("amount", "integer")
    wire = Wire(Authorization=f"Token token={token_of(ada)}")
    all_of_it = os.environ.get("DESKBELL_TEST_JUNK") == "all"
    wrong = []
    for start, row in enumerate(_WRITES):
        # No row's junk may matter for the next one.
        with transaction.atomic():
            wrong += _misheard(wire, row, places, start, all_of_it=all_of_it)
            transaction.set_rollback(True)

    assert wrong == []


def _misheard(
    wire: Wire, row: Any, places: dict[str, Any], start: int, *, all_of_it: bool
) -> list[Any]:
    """Send a row its share of the junk; what was not answered as it should be."""
    wrong = []
    base = filled(row.body, places) or {}
    step = 1 if all_of_it else len(JUNK) - 1
    for index, key in enumerate(KEYS):
        if not all_of_it and key not in base and index % 6 != start % 6:
            continue
        for junk in JUNK[(index + start) % step :: step]:
            response = wire.call(row.verb, filled(row.path, places), {**base, key: junk})
            if response.streaming:
                list(response.streaming_content)
            elif response.status_code >= 500 or (
                response.status_code >= 400 and "error" not in response.json()
            ):
                wrong.append((row.verb, row.path, key, junk, response.content[:500]))
    return wrong


def test_nothing_is_left_of_a_ticket_that_failed_late(ada: Wire) -> None:
    body = {
        "title": "x",
        "group": "Users",
        "customer_id": "guess:late@example.test",
        "tags": "a, b",
        "article": {"body": "x"},
        "links": {"Ticket": {"normal": [99999]}},
    }

    message(ada.post("tickets", body), 404)

    assert not Ticket.objects.exists()
    assert not Article.objects.exists()
    assert not User.objects.filter(email="late@example.test").exists()
