"""What lies around a ticket: its customer's others, what was viewed, figures, splitting."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from deskbell.kernel.actor import SYSTEM
from deskbell.people.models import User
from deskbell.tickets.attachments import NewFile
from deskbell.tickets.models import Article, RecentView, Ticket
from deskbell.tickets.operations import NewArticle, delete_ticket, update_ticket
from deskbell.tickets.operations.viewing import KEPT, note_view
from tests import cast
from tests.api.zammad.wire import Wire, content, message, told

pytestmark = pytest.mark.django_db

CLASSES = {"Ticket", "User", "Group", "Organization", "Role"}


@pytest.fixture
def kemal() -> User:
    return cast.kemal(organization=cast.organization("Acme"))


@pytest.fixture
def nora() -> Wire:
    return Wire(cast.nora())


@pytest.fixture
def desk(kemal: User) -> dict[str, Ticket]:
    """Tickets of one customer in every kind of state, and one out of the agent's reach."""
    states = {"new": 1, "open": 2, "closed": 4, "resolved": 9}
    made = {name: cast.ticket(kemal, state_id=id_) for name, id_ in states.items()}
    made["merged"] = cast.ticket(kemal)
    Ticket.objects.filter(pk=made["merged"].pk).update(state=5)
    made["far"] = cast.ticket(kemal, group_id=cast.group("Far").pk)
    made["else"] = cast.ticket(cast.person("rosa", roles=[3]))
    made["nobody"] = cast.ticket(None)
    return made


def of(desk: dict[str, Ticket], *names: str) -> list[int]:
    return [desk[name].pk for name in names]


class TestOfACustomer:
    def test_open_and_closed_ones_newest_first(
        self, nora: Wire, kemal: User, desk: dict[str, Ticket]
    ) -> None:
        body = told(nora.get(f"ticket_customer?customer_id={kemal.pk}"), 200)

        assert body["ticket_ids_open"] == of(desk, "open", "new")
        assert body["ticket_ids_closed"] == of(desk, "resolved", "closed")
        assert set(body["assets"]) <= CLASSES
        assert len(body["assets"]["Ticket"]) == 4

    @pytest.mark.parametrize("query", ["", "?customer_id=", "?customer_id=99999", "?customer_id=1"])
    def test_of_nobody_there_are_none(
        self, nora: Wire, desk: dict[str, Ticket], query: str
    ) -> None:
        assert told(nora.get(f"ticket_customer{query}"), 200) == {
            "ticket_ids_open": [],
            "ticket_ids_closed": [],
            "assets": {},
        }

    def test_related_are_the_open_ones_or_else_any(
        self, nora: Wire, kemal: User, desk: dict[str, Ticket]
    ) -> None:
        around = told(nora.get(f"ticket_related/{desk['closed'].pk}"), 200)
        assert around["ticket_ids_by_customer"] == of(desk, "open", "new")
        assert around["ticket_ids_recent_viewed"] == []
        assert set(around["assets"]["Ticket"]) == {
            str(id_) for id_ in of(desk, "closed", "open", "new")
        }

        Ticket.objects.filter(pk__in=of(desk, "open", "new")).update(state=4)
        around = told(nora.get(f"ticket_related/{desk['closed'].pk}"), 200)
        assert around["ticket_ids_by_customer"] == of(desk, "resolved", "open", "new")
        assert told(nora.get(f"ticket_related/{desk['nobody'].pk}"), 200)[
            "ticket_ids_by_customer"
        ] == []  # fmt: skip
        message(nora.get("ticket_related/99999"), 404)


class TestStats:
    def test_of_a_person_and_an_organization(
        self, nora: Wire, kemal: User, desk: dict[str, Ticket], time_at: Any
    ) -> None:
        """Months begin with this one; what the caller may not read is not counted."""
        time_at(datetime(2026, 3, 31, 23, 0, tzinfo=UTC))
        old = cast.ticket(kemal, at=datetime(2025, 4, 1, tzinfo=UTC), state_id=4)
        cast.ticket(kemal, at=datetime(2025, 3, 31, 23, 59, tzinfo=UTC))
        query = {"user_id": kemal.pk, "organization_id": [kemal.organization_id]}

        body = told(nora.post("ticket_stats", query), 200)

        assert set(body) == {"user", "organization", "assets"}
        for figures in (body["user"], body["organization"]):
            assert set(figures) == {"open_ids", "closed_ids", "volume_by_year"}
            assert figures["closed_ids"] == [old.pk, *of(desk, "resolved", "closed")]
            assert len(figures["open_ids"]) == 3
            year = figures["volume_by_year"]
            assert [month["month"] for month in year] == [3, 2, 1, 12, 11, 10, 9, 8, 7, 6, 5, 4]
            assert year[0] == {
                "month": 3, "year": 2026, "text": "March", "created": 5, "closed": 2,
            }  # fmt: skip
            assert (year[11]["year"], year[11]["created"], year[11]["closed"]) == (2025, 1, 1)
            assert sum(month["created"] for month in year) == 6

    def test_customers_hear_of_what_they_read(self, kemal: User, desk: dict[str, Ticket]) -> None:
        rosa = User.objects.get(login="rosa")

        own = told(Wire(kemal).get(f"ticket_stats?user_id={kemal.pk}"), 200)
        foreign = told(Wire(kemal).get(f"ticket_stats?user_id={rosa.pk}"), 200)

        assert len(own["user"]["open_ids"]) == 3
        assert own["organization"] == {}
        assert foreign["user"]["open_ids"] == []
        assert foreign["assets"] == {}
        assert all(month["created"] == 0 for month in foreign["user"]["volume_by_year"])

    def test_refuses(self, nora: Wire) -> None:
        needed = "Need user_id or organization_id as param"
        assert message(nora.get("ticket_stats"), 422) == needed
        assert message(nora.get("ticket_stats?user_id=99"), 422) == 'No such user with id "99"'
        message(nora.post("ticket_stats", {"organization_id": [99]}), 422)
        message(nora.post("ticket_stats", {"organization_id": list(range(1, 200))}), 422)


class TestViewed:
    def view(self, wire: Wire, object_: str, id_: int) -> None:
        body = {"object": object_, "o_id": id_}
        assert told(wire.post("recent_view", body), 200) == {"message": "ok"}

    def test_newest_first_and_once(
        self, nora: Wire, kemal: User, desk: dict[str, Ticket], time_at: Any
    ) -> None:
        first, second = of(desk, "new", "closed")
        seen = [("Ticket", first), ("User", kemal.pk), ("Ticket", second), ("Ticket", first),
                ("Organization", kemal.organization_id or 0)]  # fmt: skip
        for minute, (object_, id_) in enumerate(seen):
            time_at(cast.MONDAY_9AM.replace(minute=minute))
            self.view(nora, object_, id_)

        rows = told(nora.get("recent_view?expand=true"), 200)

        assert [(row["object"], row["o_id"]) for row in rows] == [
            ("Organization", kemal.organization_id), ("Ticket", first), ("Ticket", second),
            ("User", kemal.pk),
        ]  # fmt: skip
        assert set(told(nora.get("recent_view"), 200)[0]) == {
            "id", "recent_view_object_id", "o_id", "created_by_id", "created_at", "updated_at",
        }  # fmt: skip
        full = told(nora.get("recent_view?full=true"), 200)
        assert full["record_ids"] == [row["id"] for row in rows]
        assert {str(first), str(second)} == set(full["assets"]["Ticket"])
        assert str(kemal.pk) in full["assets"]["User"]
        latest = told(nora.get("ticket_recent"), 200)
        assert latest["ticket_ids_recent_viewed"] == [first, second]
        beside = told(nora.get(f"ticket_related/{first}"), 200)
        assert beside["ticket_ids_recent_viewed"] == [second]
        assert told(Wire(kemal).get("recent_view"), 200) == []

    def test_what_is_out_of_sight_is_left_out(
        self, nora: Wire, kemal: User, desk: dict[str, Ticket]
    ) -> None:
        """Neither noted, nor shown once it moved away or is gone."""
        self.view(nora, "Ticket", desk["far"].pk)
        self.view(nora, "Ticket", 99999)
        self.view(Wire(kemal), "User", User.objects.get(login="rosa").pk)
        self.view(Wire(kemal), "Organization", 1)
        assert RecentView.objects.count() == 0
        for name in ("new", "open", "closed"):
            self.view(nora, "Ticket", desk[name].pk)
        Ticket.objects.filter(pk=desk["new"].pk).update(group=desk["far"].group_id)
        delete_ticket(desk["open"].pk, actor=SYSTEM, at=cast.MONDAY_9AM)

        (row,) = told(nora.get("recent_view"), 200)

        assert row["o_id"] == desk["closed"].pk
        assert told(nora.get("ticket_recent"), 200)["ticket_ids_recent_viewed"] == [row["o_id"]]

    def test_remembers_a_few(self, nora: Wire, kemal: User) -> None:
        actor = cast.acting(User.objects.get(login="nora"))
        for n in range(KEPT + 3):
            note_view("Ticket", n + 1, actor=actor, at=cast.MONDAY_9AM.replace(minute=n))

        kept = RecentView.objects.order_by("object_id").values_list("object_id", flat=True)

        assert list(kept) == list(range(4, KEPT + 4))

    def test_refuses(self, nora: Wire) -> None:
        message(nora.post("recent_view", {"object": "Token", "o_id": 1}), 422)
        message(nora.post("recent_view", {"object": "Ticket", "o_id": "x"}), 422)
        message(nora.post("recent_view", {}), 422)


class TestSplit:
    @pytest.fixture
    def article(self, kemal: User) -> Article:
        files = [
            NewFile("a.txt", b"alpha", "text/plain"),
            NewFile("b.png", b"beta", "image/png"),
            NewFile("in.png", b"inline", "image/png", inline=True, content_id="<1@x>"),
        ]
        ticket = cast.ticket(kemal)
        new = NewArticle(body="Two things are broken.", files=files)
        _, added = update_ticket(ticket.pk, None, new, actor=SYSTEM, at=cast.MONDAY_9AM)
        assert added is not None
        return added

    def test_the_new_ticket_takes_the_files(self, nora: Wire, article: Article) -> None:
        query = f"ticket_split?ticket_id={article.ticket_id}&article_id={article.pk}&form_id=12"

        body = told(nora.get(query), 200)
        told(nora.get(query), 200)  # looking twice copies once

        assert [(f["filename"], f["size"]) for f in body["attachments"]] == [
            ("a.txt", "5"),
            ("b.png", "4"),
        ]
        assert str(article.pk) in body["assets"]["TicketArticle"]
        assert str(article.ticket_id) in body["assets"]["Ticket"]
        for place in ({"form_id": "12"}, {"article": {"form_id": 12}}):
            told(nora.get(query), 200)
            new = {"title": "Second thing", "group": "Users", **place}
            new["article"] = {"body": "b", **place.get("article", {})}  # type: ignore[dict-item]
            made = told(nora.post("tickets", new), 201)
            (shown,) = told(nora.get(f"ticket_articles/by_ticket/{made['id']}"), 200)
            assert [f["filename"] for f in shown["attachments"]] == ["a.txt", "b.png"]
            path = f"ticket_attachment/{made['id']}/{shown['id']}/{shown['attachments'][0]['id']}"
            assert content(nora.get(path)) == b"alpha"

    def test_refuses(self, nora: Wire, article: Article, kemal: User) -> None:
        base = f"ticket_split?ticket_id={article.ticket_id}"
        far = cast.ticket(kemal, group_id=cast.group("Far").pk)
        hidden = Article.objects.get(ticket=far)

        assert message(nora.get(f"{base}&article_id={hidden.pk}&form_id=1"), 403)
        assert message(nora.get(f"ticket_split?ticket_id={far.pk}&article_id=1&form_id=1"), 403)
        message(nora.get(f"{base}&article_id=99999&form_id=1"), 404)
        message(nora.get(f"{base}&form_id=1"), 404)
        message(nora.get(f"{base}&article_id={article.pk}"), 422)
        message(nora.get(f"{base}&article_id={article.pk}&form_id={'x' * 251}"), 422)


@pytest.mark.parametrize(
    "path",
    [
        "ticket_customer?customer_id={kemal}",
        "ticket_related/{ticket}",
        "ticket_recent",
        "ticket_stats?user_id={kemal}&organization_id={acme}",
        "recent_view?full=true",
    ],
)
def test_no_statement_per_row(nora: Wire, kemal: User, path: str) -> None:
    actor = cast.acting(User.objects.get(login="nora"))
    ticket = cast.ticket(kemal)
    path = path.format(kemal=kemal.pk, ticket=ticket.pk, acme=kemal.organization_id)
    counts = []
    for number in (1, 4):
        for _ in range(number):
            other = cast.ticket(kemal)
            note_view("Ticket", other.pk, actor=actor, at=cast.MONDAY_9AM)
        told(nora.get(path), 200)
        with CaptureQueriesContext(connection) as queries:
            told(nora.get(path), 200)
        counts.append(len(queries))

    assert counts[0] == counts[1] <= 25
