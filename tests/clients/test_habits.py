"""Scripted clients of our own, each with the habits of a published family of clients.

What they send is what those send, down to headers and spellings; what they read must be there.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

import pytest
from django.test import Client

from deskbell.people.models import User
from tests import cast
from tests.api.zammad.wire import basic, content, token_of

pytestmark = pytest.mark.django_db


class Script:
    """A client with its own way of asking."""

    headers: dict[str, str] = {}

    def __init__(self, **headers: str) -> None:
        self.client = Client(raise_request_exception=False, enforce_csrf_checks=True)
        self.headers = {**self.headers, **headers}

    def send(
        self, verb: str, path: str, query: dict[str, Any] | None = None, body: Any = None
    ) -> tuple[int, Any]:
        """The status, and the answer's value."""
        address = f"/api/v1/{path}" + (f"?{urlencode(query, doseq=True)}" if query else "")
        data = b"" if body is None else json.dumps(body).encode()
        kind = "application/json" if body is not None else ""
        answer = self.client.generic(verb, address, data, content_type=kind, headers=self.headers)
        raw = content(answer)
        try:
            return answer.status_code, json.loads(raw)
        except ValueError:
            return answer.status_code, raw

    def ask(self, verb: str, path: str, query: Any = None, body: Any = None) -> Any:
        """The answer's value, when all went well."""
        status, value = self.send(verb, path, query, body)
        assert status in (200, 201), (verb, path, status, value)
        return value


@pytest.fixture
def ada() -> User:
    return cast.ada()


def some_tickets(number: int) -> list[int]:
    kemal = cast.kemal()
    return [cast.ticket(kemal, title=f"Printer {n}").pk for n in range(number)]


class TestPhpStyle:
    """``expand`` on everything as PHP writes true, Basic, pages until one is short or empty."""

    @pytest.fixture
    def php(self, ada: User) -> Script:
        return Script(**basic(ada.login), Accept="application/json")

    def pages(self, php: Script, path: str, per_page: int, **query: Any) -> Iterator[Any]:
        page = 1
        while True:
            params = {"expand": 1, **query, "page": page, "per_page": per_page}
            rows = php.ask("GET", path, params)
            assert isinstance(rows, list)
            yield from rows
            if len(rows) < per_page:
                return
            page += 1

    def test_walks_every_collection(self, php: Script) -> None:
        ids = some_tickets(5)
        for path in (
            "tickets",
            "users",
            "groups",
            "organizations",
            "roles",
            "ticket_states",
            "ticket_priorities",
            "ticket_articles",
        ):
            seen = [row["id"] for row in self.pages(php, path, 2)]
            assert len(seen) == len(set(seen)), path
            assert seen, path
        assert set(ids) <= {row["id"] for row in self.pages(php, "tickets", 2)}
        for path in ("tickets", "users", "groups", "organizations"):
            seen = [row["id"] for row in self.pages(php, f"{path}/search", 2, query="*")]
            assert len(seen) == len(set(seen)), path
            assert seen, path

    def test_saves_what_it_has_set(self, php: Script) -> None:
        body = {
            "group_id": 1,
            "priority_id": 1,
            "state_id": 1,
            "title": "Test ticket",
            "customer_id": cast.kemal().pk,
            "article": {"subject": "Test", "body": "A first article…"},
        }
        created = php.ask("POST", "tickets", {"expand": 1}, body)
        assert (created["group"], created["priority"], created["owner"]) == ("Users", "1 low", "-")
        changed = php.ask("PUT", f"tickets/{created['id']}", {"expand": 1}, {"title": "New"})
        assert (changed["title"], changed["state"]) == ("New", "new")
        articles = php.ask("GET", f"ticket_articles/by_ticket/{created['id']}", {"expand": 1})
        assert articles[0]["attachments"] == []
        about = {"object": "Ticket", "o_id": created["id"]}
        assert php.ask("POST", "tags/add", {"expand": 1}, {**about, "item": "a b"}) is True
        assert php.ask("GET", "tags", {"expand": 1, **about}) == {"tags": ["a b"]}
        assert php.ask("DELETE", "tags/remove", {"expand": 1, **about, "item": "a b"}) is True
        assert [one["value"] for one in php.ask("GET", "tag_search", {"term": "a b"})] == ["a b"]
        assert php.ask("DELETE", f"tickets/{created['id']}", {"expand": 1}) == {}

    def test_reads_the_reason_of_a_refusal(self, php: Script) -> None:
        for verb, path, body, status in (
            ("GET", "tickets/999999", None, 404),
            ("POST", "tickets", {"title": "x"}, 422),
            ("GET", "no_such_place", None, 404),
            ("GET", "text_modules", None, 404),
        ):
            heard, value = php.send(verb, path, {"expand": 1}, body)
            assert (heard, value["error"]) == (status, value["error_human"])
        status, value = Script(**basic("ada", "wrong")).send("GET", "tickets", {"expand": 1})
        assert (status, value["error"]) == (401, value["error_human"])


class TestRubyStyle:
    """A token, JSON bodies also on GET and DELETE, only changed attributes, on behalf of others."""

    @pytest.fixture
    def ruby(self, ada: User) -> Script:
        return Script(Authorization=f'Token token="{token_of(ada)}"', User_Agent="Ruby")

    def test_sends_bodies_where_others_send_queries(self, ruby: Script) -> None:
        one, two = some_tickets(2)
        about = {"object": "Ticket", "o_id": one}
        assert ruby.ask("POST", "tags/add", body={**about, "item": "vip"}) is True
        assert ruby.ask("GET", "tags", body=about) == {"tags": ["vip"]}
        assert ruby.ask("DELETE", "tags/remove", body={**about, "item": "vip"}) is True
        assert ruby.ask("GET", "tags", body=about) == {"tags": []}

        number = ruby.ask("GET", f"tickets/{two}")["number"]
        tie = {
            "link_type": "normal",
            "link_object_target": "Ticket",
            "link_object_source": "Ticket",
        }
        target = {**tie, "link_object_target_value": one}
        ruby.ask("POST", "links/add", body={**target, "link_object_source_number": number})
        listing = {"link_object": "Ticket", "link_object_value": one}
        assert len(ruby.ask("GET", "links", body=listing)["links"]) == 1
        ruby.ask("DELETE", "links/remove", body={**target, "link_object_source_value": two})
        assert ruby.ask("GET", "links", body=listing)["links"] == []
        status, _ = ruby.send("DELETE", "links/remove", body=target)
        assert status == 422

        query = {"query": "Printer", "sort_by": "id", "order_by": "asc", "expand": True}
        assert [row["id"] for row in ruby.ask("GET", "tickets/search", body=query)] == [one, two]

    def test_walks_until_a_page_is_short(self, ruby: Script) -> None:
        ids = some_tickets(7)
        for path, extra in (("tickets", {}), ("tickets/search", {"query": "Printer"})):
            seen: list[int] = []
            page = 1
            while rows := ruby.ask(
                "GET", path, {"expand": "true", **extra, "page": page, "per_page": 3}
            ):
                seen += [row["id"] for row in rows]
                page += 1
                if len(rows) < 3:
                    break
            assert set(ids) <= set(seen)
            assert len(seen) == len(set(seen))
        total = ruby.ask("GET", "tickets/search", {"query": "Printer", "only_total_count": "true"})
        assert total == {"total_count": 7}

    def test_acts_for_others(self, ruby: Script) -> None:
        kemal = cast.kemal()
        for header in ("From", "X-On-Behalf-Of"):
            for name in (str(kemal.pk), kemal.login.upper(), f" {kemal.email} "):
                other = Script(**{**ruby.headers, header: name})
                assert other.ask("GET", "users/me")["id"] == kemal.pk
        both = Script(**ruby.headers, **{"From": kemal.login, "X-On-Behalf-Of": "nobody-knows"})
        made = both.ask("POST", "tickets", None, {"title": "x", "group": "Users"})
        assert (made["created_by_id"], made["customer_id"]) == (kemal.pk, kemal.pk)


class TestGoAndNetStyle:
    """Strict types, final slashes, spellings of flags, sizes beyond the maximum, whole objects."""

    @pytest.fixture
    def go(self, ada: User) -> Script:
        return Script(Authorization=f"Token token={token_of(ada)}", Accept="*/*")

    #: A column to the types its field has in a typed client; None where it may be null.
    TICKET = {
        **dict.fromkeys(
            ("id", "group_id", "priority_id", "state_id", "owner_id", "customer_id",
             "created_by_id", "updated_by_id"), (int,)
        ),
        **dict.fromkeys(
            ("organization_id", "article_count", "create_article_type_id", "checklist_id",
             "create_article_sender_id", "first_response_in_min", "close_in_min"), (int, None)
        ),
        **dict.fromkeys(("number", "title"), (str,)),
        **dict.fromkeys(("note", "type", "time_unit"), (str, None)),
        **dict.fromkeys(("created_at", "updated_at"), (datetime,)),
        **dict.fromkeys(
            ("close_at", "last_close_at", "first_response_at", "last_contact_at", "pending_time",
             "last_contact_agent_at", "last_contact_customer_at", "escalation_at",
             "last_owner_update_at"), (datetime, None)
        ),
        "preferences": (dict,),
    }  # fmt: skip
    USER = {
        **dict.fromkeys(("id", "login_failed", "created_by_id", "updated_by_id"), (int,)),
        **dict.fromkeys(("organization_id", "out_of_office_replacement_id"), (int, None)),
        **dict.fromkeys(
            ("login", "firstname", "lastname", "email", "web", "phone", "fax", "mobile", "street",
             "zip", "city", "country", "note"), (str,)
        ),
        **dict.fromkeys(("image", "image_source", "department", "address", "source"), (str, None)),
        **dict.fromkeys(("vip", "verified", "active", "out_of_office"), (bool,)),
        **dict.fromkeys(("created_at", "updated_at"), (datetime,)),
        **dict.fromkeys(
            ("last_login", "out_of_office_start_at", "out_of_office_end_at"), (datetime, None)
        ),
        **dict.fromkeys(("role_ids", "organization_ids", "authorization_ids"), (list,)),
        **dict.fromkeys(("preferences", "group_ids"), (dict,)),
    }  # fmt: skip

    def check(self, row: dict[str, Any], types: dict[str, tuple[Any, ...]]) -> None:
        for key, allowed in types.items():
            value = row[key]
            if value is None:
                assert None in allowed, key
            elif datetime in allowed:
                assert datetime.fromisoformat(value).tzinfo is not None, key
            else:
                assert type(value) in allowed, (key, value)

    def test_decodes_into_types(self, go: Script) -> None:
        some_tickets(2)
        for path, types in (("tickets", self.TICKET), ("users", self.USER)):
            for form in (path, f"{path}/", f"{path}/search?query=*", f"{path}?per_page=5000"):
                rows = go.ask("GET", form)
                assert rows, form
                for row in rows:
                    self.check(row, types)
                    self.check(go.ask("GET", f"{path}/{row['id']}/"), types)
        for path in ("groups/", "organizations/", "roles/", "ticket_states/", "ticket_priorities/"):
            for row in go.ask("GET", path):
                assert type(row["active"]) is bool
                assert type(row["note"]) is str or row["note"] is None

    def test_flags_and_sizes_in_any_spelling(self, go: Script) -> None:
        (id_,) = some_tickets(1)
        for flag in ("True", "TRUE", "true", "1"):
            assert go.ask("GET", f"tickets/{id_}", {"expand": flag})["group"] == "Users"
        for flag in ("False", "0", "", "no"):
            assert "group" not in go.ask("GET", f"tickets/{id_}", {"expand": flag})
        for size in ("100000", "0", "-1", "x", ""):
            assert id_ in [row["id"] for row in go.ask("GET", "tickets", {"per_page": size})]
        assert go.ask("GET", "tickets", {"page": 99, "unheard_of": "x"}) == []

    @pytest.mark.parametrize("form", ["", "?expand=true"])
    def test_sends_back_the_whole_object(self, go: Script, form: str) -> None:
        acme = cast.organization("Acme")
        kemal = cast.kemal(organization=acme)
        paths = [
            f"tickets/{cast.ticket(kemal, note='n').pk}",
            f"users/{kemal.pk}",
            f"organizations/{acme.pk}",
            f"groups/{cast.group('Sales').pk}",
            "roles/3",
            "ticket_states/2",
            "ticket_priorities/2",
        ]
        for path in paths:
            before = go.ask("GET", path + form)
            after = go.ask("PUT", path + form, None, before)
            for one in (before, after):
                for key in ("updated_at", "updated_by_id", "updated_by"):
                    one.pop(key, None)
            assert {key: after[key] for key in before} == before, path

    def test_nulls_are_absent(self, go: Script) -> None:
        kemal = cast.kemal()
        body = {
            "id": 0,
            "title": "x",
            "group": "Users",
            "group_id": None,
            "customer": None,
            "customer_id": kemal.pk,
            "state": None,
            "priority_id": None,
            "pending_time": "",
            "note": None,
            "preferences": None,
            "article": {"body": "x", "type_id": None, "sender_id": None, "cc": None, "to": None},
        }
        made = go.ask("POST", "tickets", None, body)
        assert (made["customer_id"], made["state_id"], made["priority_id"]) == (kemal.pk, 1, 2)
        user = go.ask("POST", "users", None, {"firstname": "x", "lastname": None, "phone": None})
        assert (user["lastname"], user["phone"], user["email"]) == ("", "", "")
        assert go.ask("DELETE", f"tickets/{made['id']}", None, {}) == {}


class TestSingerStyle:
    """A full sync of every collection, then only what has changed since."""

    def test_syncs_in_full_and_then_what_changed(self, ada: User) -> None:
        ids = some_tickets(5)
        tap = Script(Authorization=f"Bearer {token_of(ada)}")

        def walk(path: str, **query: Any) -> list[Any]:
            found: list[Any] = []
            page = 1
            while rows := tap.ask("GET", path, {**query, "per_page": 2, "page": page}):
                found += rows
                page += 1
            return found

        for path in ("users/search", "groups/search", "organizations/search"):
            assert len(walk(path)) == len(walk(path, query="")) == len(walk(path, query="*"))
        changed = tap.ask("PUT", f"tickets/{ids[2]}", None, {"title": "Changed"})
        since = changed["updated_at"]
        ordered = {"sort_by": "updated_at", "order_by": "asc"}
        every = walk("tickets/search", query="updated_at:>0", **ordered)
        assert [row["id"] for row in every] == [*ids[:2], *ids[3:], ids[2]]
        for query in (f"updated_at:>={since}", f'updated_at:["{since}" TO *]'):
            assert [row["id"] for row in walk("tickets/search", query=query, **ordered)] == [ids[2]]

    def test_reads_the_old_form_of_searching(self, ada: User) -> None:
        ids = some_tickets(3)
        tap = Script(Authorization=f"Token {token_of(ada)}")
        found = tap.ask("GET", "tickets/search", {"query": "Printer", "full": "true"})
        assert sorted(found["record_ids"]) == ids
        assert {int(id_) for id_ in found["assets"]["Ticket"]} == set(ids)
        assert found["total_count"] == 3


class TestWorkflowStyle:
    """Automation suites: pages of 20 until one is empty, names for every choice."""

    def test_fills_its_menus(self, ada: User) -> None:
        some_tickets(3)
        for n in range(21):
            cast.person(f"p{n}", roles=[3])
        node = Script(**basic(ada.login))

        def every(path: str, **query: Any) -> list[Any]:
            found: list[Any] = []
            page = 1
            while rows := node.ask("GET", path, {**query, "per_page": 20, "page": page}):
                found += rows
                page += 1
            return found

        people = every("users")
        assert len({row["id"] for row in people}) == len(people) == User.objects.count()
        # Both are read without a look at whether they are there.
        assert all(3 in row["role_ids"] or not row["email"].endswith("@") for row in people)
        assert {row["name"] for row in every("groups")} == {"Users"}
        assert all(isinstance(row["name"], str) for row in every("organizations"))
        assert len(every("users/search", query="")) == len(people) - 1
        assert every("tickets/search", query="nothing like this") == []
        assert node.ask("GET", "users/me")["id"] == ada.pk


class TestCurlStyle:
    """Forms and bare JSON, whatever the content type says."""

    def test_posts_forms(self, ada: User) -> None:
        curl = Client(enforce_csrf_checks=True)
        fields = {
            "title": "From a form",
            "group": "Users",
            "customer_id": "guess:kemal@example.com",
            "article[body]": "hello",
            "article[internal]": "true",
            "tags": "a, b",
        }
        answer = curl.generic(
            "POST",
            "/api/v1/tickets?expand=true",
            urlencode(fields),
            content_type="application/x-www-form-urlencoded",
            headers=basic(ada.login),
        )
        made = answer.json()
        assert (answer.status_code, made["customer"]) == (201, "kemal@example.com")
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        put = curl.generic(
            "PUT",
            f"/api/v1/users/{made['customer_id']}",
            urlencode({"roles[]": ["Agent", "Customer"], "group_ids[1][]": "full"}, doseq=True),
            content_type="application/x-www-form-urlencoded",
            headers=basic(ada.login),
        )
        assert (put.json()["role_ids"], put.json()["group_ids"]) == ([2, 3], {"1": ["full"]})

    def test_says_nothing_of_its_content(self, ada: User) -> None:
        curl = Client(enforce_csrf_checks=True)
        answer = curl.generic(
            "POST",
            "/api/v1/tickets",
            json.dumps({"title": "x", "group": "Users"}),
            content_type="",
            headers=basic(ada.login),
        )
        assert answer.status_code == 201
        broken = curl.generic(
            "POST",
            "/api/v1/tickets",
            "{",
            content_type="application/json",
            headers=basic(ada.login),
        )
        assert broken.status_code == 400
        assert broken.json()["error"] == broken.json()["error_human"]


class TestVersionProbes:
    def test_compare_levels(self, ada: User) -> None:
        probe = Script(**basic(ada.login))
        version = probe.ask("GET", "version")["version"]
        assert tuple(map(int, version.split(".")[:2])) >= (6, 5)
