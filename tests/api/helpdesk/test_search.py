"""``?search=`` and ``?ordering=`` on the list of tickets: additions that change nothing else."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from deskbell.search import results
from deskbell.tickets.models import Ticket
from tests import cast
from tests.api.helpdesk.client import Api
from tests.cast import MONDAY_9AM

pytestmark = pytest.mark.django_db


@pytest.fixture
def tickets() -> list[Ticket]:
    made = [
        cast.ticket(title="Büro b", body="alpha", state_id=4, priority_id=1),
        cast.ticket(title="printer a", body="alpha beta", priority_id=4, tags=("vip",)),
        cast.ticket(title="Printer C", body="beta", state_id=2, priority_id=3),
        cast.ticket(title="Printer hidden", body="alpha", group_id=cast.group("Sales").pk),
    ]
    for number, row in enumerate(made):
        changed = MONDAY_9AM + timedelta(hours=3 - number)
        Ticket.objects.filter(pk=row.pk).update(updated_at=changed)
    Ticket.objects.filter(pk=made[1].pk).update(due_date=MONDAY_9AM)
    return made


@pytest.fixture
def nora() -> Api:
    return Api(cast.nora())


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("search=printer", [1, 2]),
        ("search=prin", [1, 2]),
        ("search=%20alpha%20&status=4", [0]),
        ("search=BURO+OR+tags:vip", [0, 1]),
        ("search=alpha+-beta", [0]),
        ("search=hidden", []),
        ("search=state.name:open", [2]),
        ("search=printer&status=1&ordering=-id", [2, 1]),
        ("search=(printer", [1, 2]),
        ("search=%00", []),
        ("search=", [0, 1, 2]),
        ("search=%20", [0, 1, 2]),
        ("ordering=-id", [2, 1, 0]),
        ("ordering=created,-id", [2, 1, 0]),
        ("ordering=modified", [2, 1, 0]),
        ("ordering=-modified", [0, 1, 2]),
        ("ordering=title", [0, 2, 1]),
        ("ordering=priority", [1, 2, 0]),
        ("ordering=-priority", [0, 2, 1]),
        ("ordering=status,-id", [2, 1, 0]),
        ("ordering=-status,id", [0, 1, 2]),
        ("ordering=due_date,id", [1, 0, 2]),
        ("ordering=nosuch", [0, 1, 2]),
        ("ordering=nosuch,%20-id,password", [2, 1, 0]),
        ("ordering=customer__password,-", [0, 1, 2]),
        ("ordering=", [0, 1, 2]),
        ("ordering=-id&status=1", [2, 1]),
    ],
)
def test_a_search_and_an_order(
    nora: Api, tickets: list[Ticket], query: str, found: list[int]
) -> None:
    body = nora.get(f"tickets/?{query}").json

    assert [row["id"] for row in body["results"]] == [tickets[n].pk for n in found]
    assert (body["count"], body["next"], body["previous"]) == (len(found), None, None)


def test_pages_keep_the_search_and_its_count(
    nora: Api, tickets: list[Ticket], monkeypatch: pytest.MonkeyPatch
) -> None:
    # More than this a search of the Zammad dialect would not count; pages need to know.
    monkeypatch.setattr(results, "COUNT_LIMIT", 1)
    query = "tickets/?search=printer&ordering=-title&page_size=1"

    first, second = (nora.get(f"{query}{page}").json for page in ("", "&page=2"))

    assert [body["count"] for body in (first, second)] == [2, 2]
    assert [body["results"][0]["id"] for body in (first, second)] == [
        tickets[1].pk,
        tickets[2].pk,
    ]
    asked = {"search": ["printer"], "ordering": ["-title"], "page_size": ["1"]}
    assert parse_qs(urlsplit(first["next"]).query) == {**asked, "page": ["2"]}
    assert parse_qs(urlsplit(second["previous"]).query) == asked
    assert (first["previous"], second["next"]) == (None, None)
    assert nora.get(f"{query}&page=3").status == 404


def test_both_ways_give_the_same_bytes(nora: Api, tickets: list[Ticket]) -> None:
    query = "tickets/?search=alpha&ordering=-priority"

    short = nora.get(query)
    long = nora.get(query, HTTP_ACCEPT="application/json;q=0.9, text/plain;q=0.1")

    assert short.body == long.body
    assert len(short.json["results"]) == 2


def test_costs_the_same_however_many(nora: Api, tickets: list[Ticket]) -> None:
    def asked(query: str) -> int:
        with CaptureQueriesContext(connection) as queries:
            assert nora.get(query).status == 200
        return len(queries)

    query = "tickets/?search=printer&ordering=-modified"
    nora.get("tickets/")  # the first call notes that the token is used
    before, plain = asked(query), asked("tickets/")
    for _ in range(8):
        cast.ticket(title="Printer again")

    assert asked(query) == before
    # Stem, prefix and look-up; PostgreSQL is asked for its guess as well.
    assert before <= plain + 6
    assert asked("tickets/?ordering=-id") <= plain + 3
    assert asked("tickets/?search=&ordering=nosuch") == plain
