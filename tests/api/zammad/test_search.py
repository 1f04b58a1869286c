"""Search over HTTP: the forms of the answer, sorting, conditions, and the global search."""

from __future__ import annotations

from typing import Any

import pytest

from deskbell.people.models import User
from deskbell.tickets.models import Ticket
from tests import cast
from tests.api.zammad.test_tickets import ID_KEYS, NAME_KEYS, PLAIN_KEYS
from tests.api.zammad.wire import Wire, message, told

pytestmark = pytest.mark.django_db


@pytest.fixture
def kemal() -> User:
    return cast.kemal()


@pytest.fixture
def nora() -> Wire:
    return Wire(cast.nora())


@pytest.fixture
def tickets(kemal: User) -> list[Ticket]:
    return [
        cast.ticket(kemal, title="Welcome aboard", body="alpha beta", priority_id=3),
        cast.ticket(kemal, title="Second", body="alpha", at=cast.MONDAY_10AM, tags=["vip"]),
        cast.ticket(None, title="Third", body="gamma", at=cast.DST_NIGHT),
    ]


def ids(response: Any) -> list[int]:
    return [ticket["id"] for ticket in told(response, 200)]


class TestForms:
    def test_default_is_an_array_newest_change_first(
        self, nora: Wire, tickets: list[Ticket]
    ) -> None:
        found = told(nora.get("tickets/search?query=alpha"), 200)

        assert [set(ticket) for ticket in found] == [PLAIN_KEYS | ID_KEYS] * 2
        assert [ticket["id"] for ticket in found] == [tickets[1].pk, tickets[0].pk]

    def test_expand_full_and_counts(self, nora: Wire, tickets: list[Ticket]) -> None:
        query = "tickets/search?query=alpha&limit=1"

        (expanded,) = told(nora.get(f"{query}&expand=true"), 200)
        assert set(expanded) == PLAIN_KEYS | ID_KEYS | NAME_KEYS
        full = told(nora.get(f"{query}&full=true&expand=true"), 200)
        assert full["record_ids"] == [tickets[1].pk]
        assert full["total_count"] == 2
        assert set(full) == {"record_ids", "assets", "total_count"}
        counted = told(nora.get(f"{query}&with_total_count=true&expand=true"), 200)
        assert (len(counted["records"]), counted["total_count"]) == (1, 2)
        assert "group" in counted["records"][0]
        assert told(nora.get(f"{query}&only_total_count=true&full=true"), 200) == {"total_count": 2}
        assert told(nora.get("tickets/search?query=nothing_like_it"), 200) == []

    def test_post_takes_the_same(self, nora: Wire, tickets: list[Ticket]) -> None:
        body = {"query": "alpha", "limit": 1, "page": 2}

        assert ids(nora.post("tickets/search", body)) == [tickets[0].pk]

    @pytest.mark.parametrize(
        ("query", "found"),
        [
            ("welc", [0]), ("*", [2, 1, 0]), ("", [2, 1, 0]), ("title:Second", [1]),
            ("tags:vip", [1]), ("customer.email:%22kemal@example.test%22", [1, 0]),
            ("state.name:new AND tags:vip", [1]), ("alpha -tags:vip", [0]),
            ("priority.name:%223 high%22", [0]), ("number:{number}", [1]),
            ("alpha OR gamma", [2, 1, 0]), ("title:__x", []), ("nope:1", []),
        ],
    )  # fmt: skip
    def test_queries(self, nora: Wire, tickets: list[Ticket], query: str, found: list[int]) -> None:
        query = query.format(number=tickets[1].number)

        assert ids(nora.get(f"tickets/search?query={query}")) == [
            tickets[index].pk for index in found
        ]

    def test_is_as_narrow_as_the_list(self, tickets: list[Ticket], kemal: User) -> None:
        assert set(ids(Wire(kemal).get("tickets/search?query=*"))) == {
            tickets[0].pk,
            tickets[1].pk,
        }
        assert ids(Wire(cast.pure_admin()).get("tickets/search?query=*")) == []


class TestSorting:
    @pytest.mark.parametrize(
        ("query", "order"),
        [
            ("sort_by=title&order_by=asc", [1, 2, 0]),
            ("sort_by=title&order_by=desc", [0, 2, 1]),
            ("sort_by=created_at", [0, 1, 2]),
            ("sort_by=priority_id,title&order_by=desc,asc", [0, 1, 2]),
            ("sort_by[]=priority_id&sort_by[]=id&order_by[]=asc&order_by[]=desc", [2, 1, 0]),
        ],
    )
    def test_by_columns(
        self, nora: Wire, tickets: list[Ticket], query: str, order: list[int]
    ) -> None:
        found = ids(nora.get(f"tickets/search?query=*&{query}"))

        assert found == [tickets[index].pk for index in order]

    @pytest.mark.parametrize(
        "query", ["sort_by=nope", "sort_by=customer__password", "sort_by=id&order_by=sideways"]
    )
    def test_what_cannot_be_sorted_is_said(
        self, nora: Wire, tickets: list[Ticket], query: str
    ) -> None:
        message(nora.get(f"tickets/search?query=*&{query}"), 422)


class TestConditions:
    def test_narrow_the_query(self, nora: Wire, tickets: list[Ticket]) -> None:
        condition = {
            "ticket.title": {"operator": "contains", "value": "eco"},
            "ticket.state_id": {"operator": "is", "value": ["1"]},
        }

        assert ids(nora.post("tickets/search", {"condition": condition})) == [tickets[1].pk]
        both = {"query": "gamma", "condition": condition}
        assert ids(nora.post("tickets/search", both)) == []

    def test_ids(self, nora: Wire, tickets: list[Ticket]) -> None:
        wanted = [tickets[0].pk, tickets[2].pk]

        assert set(ids(nora.post("tickets/search", {"ids": wanted}))) == set(wanted)
        assert ids(nora.get(f"tickets/search?ids={tickets[0].pk}")) == [tickets[0].pk]
        assert ids(nora.post("tickets/search", {"ids": []})) == []
        message(nora.get("tickets/search?ids=x"), 422)

    @pytest.mark.parametrize(
        "condition",
        [
            {"ticket.password": {"operator": "is", "value": "x"}},
            {"ticket.title": {"operator": "explodes", "value": "x"}},
            {"ticket.title": "x"},
            ["x"],
            "x",
        ],
    )
    def test_nobody_understands_are_an_error(self, nora: Wire, condition: Any) -> None:
        message(nora.post("tickets/search", {"condition": condition}), 422)


class TestGlobal:
    def test_finds_what_the_caller_may_see(
        self, nora: Wire, tickets: list[Ticket], kemal: User
    ) -> None:
        acme = cast.organization("Kemal Brothers")

        for_agent = told(nora.get("search?query=kemal"), 200)
        for_customer = told(Wire(kemal).get("search?query=kemal"), 200)

        found = {(one["type"], one["id"]) for one in for_agent["result"]}
        assert found == {
            ("Ticket", tickets[0].pk), ("Ticket", tickets[1].pk), ("User", kemal.pk),
            ("Organization", acme.pk),
        }  # fmt: skip
        assert str(kemal.pk) in for_agent["assets"]["User"]
        assert str(acme.pk) in for_agent["assets"]["Organization"]
        assert {one["type"] for one in for_customer["result"]} == {"Ticket"}

    def test_of_one_class(self, nora: Wire, tickets: list[Ticket], kemal: User) -> None:
        users = told(nora.get("search/user?query=kemal"), 200)
        both = told(nora.post("search/Ticket-User", {"query": "kemal"}), 200)

        assert {one["type"] for one in users["result"]} == {"User"}
        assert {one["type"] for one in both["result"]} == {"User", "Ticket"}
        message(nora.get("search/secret?query=x"), 422)
