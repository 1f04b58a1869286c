"""Time accounting: entries under both addresses, kinds of time, and what a month cost."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from deskbell.people.models import User
from deskbell.tickets.models import Article, Ticket, TimeEntry
from deskbell.tickets.operations.times import add_time
from tests import cast
from tests.api.zammad.wire import Wire, message, told

pytestmark = pytest.mark.django_db

KEYS = {
    "id", "ticket_id", "ticket_article_id", "time_unit", "type_id", "created_by_id",
    "created_at", "updated_at",
}  # fmt: skip


@pytest.fixture
def kemal() -> User:
    return cast.kemal(organization=cast.organization("Acme"))


@pytest.fixture
def ticket(kemal: User) -> Ticket:
    return cast.ticket(kemal)


@pytest.fixture
def nora() -> Wire:
    return Wire(cast.nora())


@pytest.fixture
def ada() -> Wire:
    return Wire(cast.ada())


def time_unit(wire: Wire, ticket: Ticket) -> Any:
    return told(wire.get(f"tickets/{ticket.pk}"), 200)["time_unit"]


class TestEntries:
    def test_record_correct_and_remove(self, nora: Wire, ada: Wire, ticket: Ticket) -> None:
        """The ticket's time is the sum of its entries, whichever address writes them."""
        path = f"tickets/{ticket.pk}/time_accountings"
        article = Article.objects.get(ticket=ticket)

        first = told(nora.post(path, {"time_unit": 15, "ticket_article_id": article.pk}), 201)
        body = {"ticket_id": ticket.pk, "time_unit": "7,5"}
        second = told(nora.post("time_accountings", body), 201)

        assert set(first) == KEYS
        assert (first["time_unit"], second["time_unit"]) == ("15.0", "7.5")
        assert (first["ticket_article_id"], second["ticket_article_id"]) == (article.pk, None)
        assert told(nora.get(path), 200) == [first, second]
        assert told(nora.get("time_accountings"), 200) == [first, second]
        assert told(nora.get(f"{path}/{first['id']}"), 200) == first
        assert told(nora.get(f"time_accountings/{first['id']}"), 200) == first
        assert time_unit(nora, ticket) == "22.5"
        shown = told(nora.get(f"ticket_articles/{article.pk}"), 200)
        assert shown["time_unit"] == "15.0"

        changed = told(ada.put(f"{path}/{first['id']}", {"time_unit": "20"}), 200)
        assert changed["time_unit"] == "20.0"
        assert changed["ticket_article_id"] == article.pk
        assert time_unit(nora, ticket) == "27.5"
        assert told(ada.delete(f"time_accountings/{second['id']}"), 200) == {}
        assert time_unit(nora, ticket) == "20.0"
        assert told(ada.delete(f"{path}/{first['id']}"), 200) == {}
        assert time_unit(nora, ticket) is None
        message(ada.delete(f"{path}/{first['id']}"), 404)

    def test_history_tells_minutes(self, nora: Wire, ada: Wire, ticket: Ticket) -> None:
        path = f"tickets/{ticket.pk}/time_accountings"
        entry = told(nora.post(path, {"time_unit": 10}), 201)
        told(ada.put(f"{path}/{entry['id']}", {"time_unit": 12}), 200)
        told(ada.put(f"{path}/{entry['id']}", {"time_unit": "12.0"}), 200)  # no change
        told(ada.delete(f"{path}/{entry['id']}"), 200)
        told(nora.put(f"tickets/{ticket.pk}", {"article": {"body": "x", "time_unit": 3}}), 200)

        lines = told(nora.get(f"ticket_history/{ticket.pk}"), 200)["history"]

        assert [
            (line["type"], line["value_from"], line["value_to"])
            for line in lines
            if line["attribute"] == "time_unit"
        ] == [
            ("added", "", "10.0"),
            ("updated", "10.0", "12.0"),
            ("removed", "12.0", ""),
            ("added", "", "3.0"),
        ]

    def test_seconds_survive_a_form_sent_back(self, ada: Wire, ticket: Ticket) -> None:
        """What another dialect counted in seconds is no change when it reads alike."""
        entry = add_time(
            ticket.pk, 61, actor=cast.acting(User.objects.get(login="ada")), at=cast.MONDAY_9AM
        )

        shown = told(ada.get(f"time_accountings/{entry.pk}"), 200)
        told(ada.put(f"time_accountings/{entry.pk}", shown), 200)

        assert shown["time_unit"] == "1.0"
        assert TimeEntry.objects.get().seconds == 61

    @pytest.mark.parametrize(
        ("body", "said"),
        [
            ({}, "Missing required value for field 'time_unit'!"),
            ({"time_unit": "x"}, "Invalid value 'x' for field 'time_unit'!"),
            ({"time_unit": -1}, "Invalid value '-1' for field 'time_unit'!"),
            ({"time_unit": "nan"}, "Invalid value 'nan' for field 'time_unit'!"),
            ({"time_unit": 10**12}, None),
            ({"time_unit": 1, "type_id": 99}, "Invalid value for param 'type_id': 99"),
            ({"time_unit": 1, "type": "no"}, "No lookup value found for 'type': \"no\""),
            ({"time_unit": 1, "ticket_article_id": 0}, None),
            ({"time_unit": 1, "ticket_article_id": "{foreign}"}, None),
            ({"time_unit": 1, "ticket_article_id": "{taken}"}, "This object already exists."),
        ],
        ids=str,
    )
    def test_refuses(
        self, nora: Wire, ticket: Ticket, kemal: User, body: dict[str, Any], said: str | None
    ) -> None:
        taken = Article.objects.get(ticket=ticket).pk
        foreign = Article.objects.get(ticket=cast.ticket(kemal)).pk
        path = f"tickets/{ticket.pk}/time_accountings"
        told(nora.post(path, {"time_unit": 1, "ticket_article_id": taken}), 201)
        places = {"{taken}": taken, "{foreign}": foreign}
        body = {key: places.get(str(one), one) for key, one in body.items()}

        heard = message(nora.post(path, body), 422)

        assert said in (None, heard)
        assert time_unit(nora, ticket) == "1.0"

    def test_of_another_ticket_is_not_found(self, ada: Wire, ticket: Ticket, kemal: User) -> None:
        path = f"tickets/{ticket.pk}/time_accountings"
        id_ = told(ada.post(path, {"time_unit": 1}), 201)["id"]
        other = f"tickets/{cast.ticket(kemal).pk}/time_accountings/{id_}"

        for answer in (ada.get(other), ada.put(other, {"time_unit": 2}), ada.delete(other)):
            said = message(answer, 404)
            assert said == f"Couldn't find Ticket::TimeAccounting with 'id'={id_}"
        message(ada.get("tickets/99999/time_accountings"), 404)
        message(ada.post("time_accountings", {"time_unit": 1}), 404)

    def test_lists_only_what_the_caller_may_read(self, nora: Wire, ada: Wire, kemal: User) -> None:
        far = cast.ticket(kemal, group_id=cast.group("Far").pk)
        told(ada.post(f"tickets/{far.pk}/time_accountings", {"time_unit": 1}), 201)

        assert told(nora.get("time_accountings"), 200) == []
        message(nora.get(f"time_accountings?ticket_id={far.pk}"), 403)
        message(nora.post(f"tickets/{far.pk}/time_accountings", {"time_unit": 1}), 403)
        assert len(told(ada.get(f"time_accountings?ticket_id={far.pk}"), 200)) == 1


class TestTypes:
    def test_make_use_and_rename(self, nora: Wire, ada: Wire, ticket: Ticket) -> None:
        made = told(ada.post("time_accounting/types", {"name": "Support", "note": "on site"}), 201)
        assert set(made) == {
            "id", "name", "note", "active", "created_by_id", "updated_by_id", "created_at",
            "updated_at",
        }  # fmt: skip
        assert made["active"] is True
        path = f"tickets/{ticket.pk}/time_accountings"
        entry = told(nora.post(path, {"time_unit": 5, "type_id": made["id"]}), 201)
        assert entry["type_id"] == made["id"]
        assert told(nora.get(f"{path}?expand=true"), 200)[0]["type"] == "Support"
        for named in ({"accounted_time_type": "support"}, {"accounted_time_type_id": made["id"]}):
            article = {"body": "x", "time_unit": 42, **named}
            told(nora.put(f"tickets/{ticket.pk}", {"article": article}), 200)
            assert TimeEntry.objects.latest("id").type_id == made["id"]

        renamed = {"name": "Help", "active": False}
        told(ada.put(f"time_accounting/types/{made['id']}", renamed), 200)

        assert [one["name"] for one in told(nora.get("time_accounting/types"), 200)] == ["Help"]
        assert told(nora.get(f"time_accounting/types/{made['id']}"), 200)["active"] is False
        said = message(nora.post(path, {"time_unit": 5, "type_id": made["id"]}), 422)
        assert said == f"Invalid value '{made['id']}' for field 'type_id'!"
        # One that has it keeps it, and may lose it.
        told(ada.put(f"{path}/{entry['id']}", {"time_unit": 6, "type_id": made["id"]}), 200)
        told(ada.put(f"{path}/{entry['id']}", {"type_id": None}), 200)
        line = told(nora.get(f"ticket_history/{ticket.pk}"), 200)["history"][-1]
        assert (line["attribute"], line["value_from"], line["value_to"]) == (
            "time_type",
            "Help",
            "",
        )

    def test_refuses(self, ada: Wire) -> None:
        told(ada.post("time_accounting/types", {"name": "Support"}), 201)

        again = ada.post("time_accounting/types", {"name": "SUPPORT "})
        assert message(again, 422) == "This object already exists."
        message(ada.post("time_accounting/types", {}), 422)
        message(ada.post("time_accounting/types", {"name": "x" * 251}), 422)
        message(ada.put("time_accounting/types/99", {"name": "x"}), 404)


class TestMonth:
    def record(self, nora: User, *entries: tuple[Ticket, int, Any]) -> None:
        for ticket, seconds, at in entries:
            add_time(ticket.pk, seconds, actor=cast.acting(nora), at=at)

    def test_sums_by_ticket_customer_and_organization(
        self, ada: Wire, kemal: User, ticket: Ticket
    ) -> None:
        nora = cast.nora()
        other = cast.ticket(cast.person("rosa", roles=[3]))
        may = cast.MONDAY_9AM.replace(month=5)
        end = cast.MONDAY_9AM.replace(day=31, hour=23, minute=59)
        self.record(
            nora,
            (ticket, 900, cast.MONDAY_9AM),
            (ticket, 600, end),
            (other, 60, cast.MONDAY_9AM),
            (other, 60, may),
        )
        log = "time_accounting/log"

        first, second = told(ada.get(f"{log}/by_ticket/2026/3"), 200)

        assert set(first) == {
            "ticket", "time_unit", "time_unit_per_ticket", "customer", "organization", "agent",
        }  # fmt: skip
        assert first["ticket"] == told(ada.get(f"tickets/{ticket.pk}"), 200)
        assert (first["time_unit"], second["time_unit"]) == ("25.0", "1.0")
        assert (first["customer"], first["organization"]) == ("Kemal Example", "Acme")
        assert (second["organization"], first["agent"]) == ("-", "Nora Example")
        people = told(ada.get(f"{log}/by_customer/2026/03"), 200)
        assert {one["customer"]["login"]: one["time_unit"] for one in people} == {
            "kemal": "25.0",
            "rosa": "1.0",
        }
        (company,) = told(ada.get(f"{log}/by_organization/2026/3"), 200)
        assert (company["organization"]["name"], company["time_unit"]) == ("Acme", "25.0")
        lines = told(ada.get(f"{log}/by_activity/2026/3"), 200)
        assert [line["time_unit"] for line in lines] == ["15.0", "1.0", "10.0"]
        assert lines[0]["type"] == "-"
        assert len(told(ada.get(f"{log}/by_ticket/2026/3?per_page=1&page=2"), 200)) == 1
        assert told(ada.get(f"{log}/by_ticket/2026/4"), 200) == []
        for wrong in ("2026/13", "2026/0", "x/1", "99999/1", "2026/1e9"):
            message(ada.get(f"{log}/by_ticket/{wrong}"), 422)

    def test_who_reads_no_tickets_hears_sums_without_their_texts(self, ticket: Ticket) -> None:
        self.record(cast.nora(), (ticket, 900, cast.MONDAY_9AM))

        (line,) = told(Wire(cast.pure_admin()).get("time_accounting/log/by_ticket/2026/3"), 200)

        assert line["ticket"] == {"id": ticket.pk, "number": ticket.number}
        assert line["time_unit"] == "15.0"


@pytest.mark.parametrize(
    "path",
    [
        "time_accountings?expand=true",
        "tickets/{id}/time_accountings?expand=true",
        "time_accounting/log/by_ticket/2026/3",
        "time_accounting/log/by_activity/2026/3",
        "time_accounting/log/by_customer/2026/3",
        "time_accounting/log/by_organization/2026/3",
    ],
)
def test_no_statement_per_row(ada: Wire, ticket: Ticket, path: str) -> None:
    actor = cast.acting(User.objects.get(login="ada"))
    path = path.format(id=ticket.pk)
    counts = []
    for number in range(2):
        for n in range(1 + 3 * number):
            customer = cast.person(f"c{number}{n}", roles=[3])
            for one in (ticket, cast.ticket(customer)):
                add_time(one.pk, 60, actor=actor, at=cast.MONDAY_9AM)
        told(ada.get(path), 200)
        with CaptureQueriesContext(connection) as queries:
            assert told(ada.get(path), 200) or "organization" in path
        counts.append(len(queries))

    assert counts[0] == counts[1] <= 16
