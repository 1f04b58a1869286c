"""Lines of Zammad's contract that are about more than one call: dates, states, pages, flags."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from deskbell.kernel import clock
from deskbell.kernel.actor import SYSTEM
from deskbell.people.models import User
from deskbell.people.operations import change_user, save_group
from tests import cast
from tests.api.zammad.wire import Wire, message, told

pytestmark = pytest.mark.django_db

NINE = cast.MONDAY_9AM
MINUTE = timedelta(minutes=1)
ONE_OF_THEM = (
    "At least one identifier (firstname, lastname, phone, mobile or email) for user is required."
)
DATES = [
    "first_response_at",
    "last_contact_at",
    "last_contact_agent_at",
    "last_contact_customer_at",
    "close_at",
    "last_close_at",
    "last_owner_update_at",
]


class Clock:
    """The desk's clock, moved by hand."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.moment = NINE
        monkeypatch.setattr(clock, "now", lambda: self.moment)

    def next_minute(self) -> str:
        """A minute later, as the API writes it."""
        self.moment += MINUTE
        return stamp(self.moment)


def stamp(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%S}.000Z"


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


@pytest.fixture
def nora() -> Wire:
    return Wire(cast.nora())


@pytest.fixture
def customer() -> User:
    return cast.kemal()


@pytest.fixture
def kemal(customer: User) -> Wire:
    return Wire(customer)


def opened(wire: Wire, **keys: Any) -> dict[str, Any]:
    body = {"title": "T", "group": "Users", "customer": "kemal", **keys}
    return dict(told(wire.post("tickets", body), 201))


def added(wire: Wire, ticket: dict[str, Any], **keys: Any) -> dict[str, Any]:
    body = {"ticket_id": ticket["id"], "body": "x", **keys}
    return dict(told(wire.post("ticket_articles", body), 201))


def dates(wire: Wire, ticket: dict[str, Any]) -> dict[str, str]:
    """The dates that are set."""
    shown = told(wire.get(f"tickets/{ticket['id']}"), 200)
    return {name: shown[name] for name in DATES if shown[name] is not None}


class TestSideEffects:
    """Section 6.7."""

    @pytest.mark.parametrize(
        ("article", "state"),
        [
            ({"type": "phone"}, 2),
            ({"type": "web"}, 2),
            ({"type": "email", "to": "kemal@example.test"}, 2),
            ({"type": "note"}, 1),
            ({}, 1),
            ({"type": "phone", "internal": True}, 1),
            ({"type": "phone", "sender": "Customer"}, 1),
            ({"type": "phone", "origin_by": "kemal"}, 1),
        ],
    )
    @pytest.mark.parametrize("is_first", [True, False])
    def test_only_a_public_answer_of_an_agent_opens_what_is_new(
        self, nora: Wire, customer: User, article: dict[str, Any], state: int, is_first: bool
    ) -> None:
        save_group(1, {"email": "support@example.test"}, actor=SYSTEM, at=NINE)
        if is_first:
            ticket = opened(nora, article={"body": "x", **article})
        else:
            ticket = opened(nora)
            added(nora, ticket, **article)

        assert told(nora.get(f"tickets/{ticket['id']}"), 200)["state_id"] == state

    def test_nothing_reopens_behind_a_customers_back(self, nora: Wire, kemal: Wire) -> None:
        ticket = opened(nora, state="closed")

        added(kemal, ticket)

        assert told(nora.get(f"tickets/{ticket['id']}"), 200)["state_id"] == 4

    def test_dates_of_contact(self, nora: Wire, kemal: Wire, later: Clock) -> None:
        ticket = opened(nora)
        assert dates(nora, ticket) == {}

        later.next_minute()
        added(nora, ticket)
        added(nora, ticket, type="phone", internal=True)
        added(kemal, ticket, type="note")
        assert dates(nora, ticket) == {}

        asked = later.next_minute()
        added(kemal, ticket, type="web")
        assert dates(nora, ticket) == {
            "last_contact_at": asked,
            "last_contact_customer_at": asked,
        }

        later.next_minute()
        added(kemal, ticket, type="web")
        assert dates(nora, ticket)["last_contact_customer_at"] == asked

        answered = later.next_minute()
        added(nora, ticket, type="phone")
        expected = {
            "first_response_at": answered,
            "last_contact_at": answered,
            "last_contact_agent_at": answered,
            "last_contact_customer_at": asked,
        }
        assert dates(nora, ticket) == expected

        again = later.next_minute()
        added(nora, ticket, type="phone")
        expected |= {"last_contact_at": again, "last_contact_agent_at": again}
        assert dates(nora, ticket) == expected

        thanked = later.next_minute()
        added(kemal, ticket, type="web")
        expected |= {"last_contact_at": thanked, "last_contact_customer_at": thanked}
        assert dates(nora, ticket) == expected

    def test_dates_of_closing(self, nora: Wire, customer: User, later: Clock) -> None:
        ticket = opened(nora)
        first = later.next_minute()
        told(nora.put(f"tickets/{ticket['id']}", {"state": "closed"}), 200)
        assert dates(nora, ticket) == {"close_at": first, "last_close_at": first}

        later.next_minute()
        told(nora.put(f"tickets/{ticket['id']}", {"state": "open"}), 200)
        second = later.next_minute()
        told(nora.put(f"tickets/{ticket['id']}", {"state": "closed"}), 200)

        assert dates(nora, ticket) == {"close_at": first, "last_close_at": second}

    def test_date_of_ownership(self, nora: Wire, customer: User, later: Clock) -> None:
        ticket = opened(nora)
        moment = later.next_minute()

        owned = told(nora.put(f"tickets/{ticket['id']}", {"owner": "nora"}), 200)
        later.next_minute()
        told(nora.put(f"tickets/{ticket['id']}", {"owner_id": None}), 200)

        assert owned["last_owner_update_at"] == moment
        assert dates(nora, ticket)["last_owner_update_at"] == moment

    def test_the_first_article_is_remembered_and_articles_are_counted(
        self, nora: Wire, customer: User
    ) -> None:
        bare = opened(nora)
        assert (bare["create_article_type_id"], bare["create_article_sender_id"]) == (None, None)
        assert bare["article_count"] is None

        note = added(nora, bare)
        added(nora, bare, type="phone", sender="Customer")
        added(nora, bare, sender="System")

        shown = told(nora.get(f"tickets/{bare['id']}"), 200)
        assert (shown["create_article_type_id"], shown["create_article_sender_id"]) == (10, 1)
        assert shown["article_count"] == 2
        told(nora.delete(f"ticket_articles/{note['id']}"), 200)
        assert told(nora.get(f"tickets/{bare['id']}"), 200)["article_count"] == 1

    def test_pending_time_goes_with_the_pending_state(self, nora: Wire, customer: User) -> None:
        ticket = opened(nora, state="pending close", pending_time="2031-01-02T03:04:05Z")
        assert ticket["pending_time"] == "2031-01-02T03:04:00.000Z"

        moved = told(nora.put(f"tickets/{ticket['id']}", {"state": "pending reminder"}), 200)
        gone = told(nora.put(f"tickets/{ticket['id']}", {"state": "open"}), 200)

        assert moved["pending_time"] == ticket["pending_time"]
        assert gone["pending_time"] is None


class TestWriting:
    """Sections 1, 6.4, 6.5 and 15."""

    OURS = {
        "id": 99,
        "number": "77001",
        "created_at": "2001-01-01T00:00:00Z",
        "updated_at": "2001-01-01T00:00:00Z",
        "created_by_id": 1,
        "updated_by_id": 1,
        "created_by": "kemal",
        "updated_by": "kemal",
        "article_count": 17,
        "nonsense": {"a": [1]},
    }

    def test_what_the_desk_sets_is_passed_over(self, nora: Wire, customer: User) -> None:
        ticket = opened(nora, **self.OURS)
        changed = told(nora.put(f"tickets/{ticket['id']}", {**self.OURS, "title": "New"}), 200)

        for one in (ticket, changed):
            assert one["number"] == f"10{one['id']:03d}"
            assert one["created_by_id"] == one["updated_by_id"] != 1
            assert one["created_at"] > "2026"
            assert one["article_count"] is None
        assert changed["id"] == ticket["id"]

    def test_the_last_writer_is_named(self, nora: Wire, kemal: Wire, customer: User) -> None:
        ticket = opened(nora)

        changed = told(kemal.put(f"tickets/{ticket['id']}?expand=1", {"title": "New"}), 200)

        assert (changed["updated_by"], changed["created_by"]) == ("kemal", "nora")

    @pytest.mark.parametrize(
        ("state", "agent", "customer_"),
        [
            ("new", 201, 201),
            ("open", 201, 422),
            ("closed", 201, 201),
            ("pending reminder", 201, 422),
            ("pending close", 201, 422),
            ("merged", 422, 422),
            ("removed", 422, 422),
        ],
    )
    def test_states_of_new_tickets(
        self, nora: Wire, kemal: Wire, state: str, agent: int, customer_: int
    ) -> None:
        body = {"title": "T", "group": "Users", "customer": "kemal", "state": state}
        body["pending_time"] = "2031-01-02T03:04:05Z"

        assert nora.post("tickets", body).status_code == agent
        assert kemal.post("tickets", body).status_code == customer_

    @pytest.mark.parametrize(
        ("state", "status"),
        [("open", 200), ("closed", 200), ("pending reminder", 422), ("merged", 422)],
    )
    def test_states_a_customer_may_choose_later(
        self, nora: Wire, kemal: Wire, state: str, status: int
    ) -> None:
        ticket = opened(nora)
        body = {"state": state, "pending_time": "2031-01-02T03:04:05Z"}

        assert kemal.put(f"tickets/{ticket['id']}", body).status_code == status

    def test_customers_change_no_owner_customer_or_preferences(
        self, nora: Wire, kemal: Wire
    ) -> None:
        ticket = opened(nora)
        body = {
            "owner": "nora",
            "owner_id": 99999,
            "customer": "nobody-knows",
            "customer_id": 99999,
            "organization_id": 99999,
            "preferences": {"a": 1},
            "title": "New",
        }

        changed = told(kemal.put(f"tickets/{ticket['id']}", body), 200)

        assert changed["title"] == "New"
        for key in ("owner_id", "customer_id", "organization_id", "preferences"):
            assert changed[key] == ticket[key]

    def test_an_organization_is_one_of_the_customers(self, nora: Wire, customer: User) -> None:
        first, second, foreign = (cast.organization(name) for name in ("One", "Two", "Three"))
        change_user(
            customer.pk,
            organization_id=first.pk,
            organizations=[second.pk],
            actor=SYSTEM,
            at=NINE,
        )

        assert opened(nora)["organization_id"] == first.pk
        assert opened(nora, organization="Two")["organization_id"] == second.pk
        assert opened(nora, organization_id=foreign.pk)["organization_id"] == first.pk

    @pytest.mark.parametrize("nobody", ["", None, 1])
    def test_nobody_owns_it(self, nora: Wire, customer: User, nobody: Any) -> None:
        assert opened(nora, owner_id=nobody)["owner_id"] == 1
        assert opened(nora, owner="-")["owner_id"] == 1

    @pytest.mark.parametrize(
        "more",
        [
            {"customer_id": None},
            {"pending_time": ""},
            {"pending_time": None},
            {"owner": None},
            {"state": None, "state_id": None},
            {"priority": None},
            {"note": None},
            {"article": None},
            {"tags": None},
        ],
    )
    def test_nulls_and_empty_times_are_absent(
        self, nora: Wire, customer: User, more: dict[str, Any]
    ) -> None:
        ticket = opened(nora, **more)

        assert (ticket["customer_id"], ticket["state_id"]) == (customer.pk, 1)
        assert ticket["pending_time"] is None

    def test_names_lose_against_ids(self, nora: Wire, customer: User) -> None:
        ines = cast.person("ines", roles=[3])

        ticket = opened(nora, customer_id=ines.pk, state_id=2, state="new")

        assert ticket["customer_id"] == ines.pk

    def test_a_nested_group_is_named_by_its_path(self, nora: Wire, customer: User) -> None:
        ada = Wire(cast.ada())
        for name in ("Sales", "Sales::East"):
            told(ada.post("groups", {"name": name}), 201)

        ticket = told(
            ada.post(
                "tickets?expand=true", {"title": "T", "group": "Sales::East", "customer": "kemal"}
            ),
            201,
        )

        assert ticket["group"] == "Sales::East"

    def test_a_delete_may_carry_an_empty_object(self, nora: Wire, customer: User) -> None:
        ticket = opened(nora)

        response = Wire(cast.ada()).delete(f"tickets/{ticket['id']}", {})

        assert (response.status_code, response.content) == (200, b"{}")


class TestArticles:
    """Section 7."""

    @pytest.mark.parametrize(
        ("keys", "name"),
        [
            ({}, "Nora Example"),
            ({"type": "note", "from": "forged"}, "Nora Example"),
            ({"type": "phone", "from": "forged"}, "Nora Example"),
            ({"type": "phone", "sender": "Customer"}, "Kemal Example <kemal@example.test>"),
            ({"type": "web", "origin_by": "kemal"}, "Kemal Example <kemal@example.test>"),
            ({"type": "note", "origin_by": "kemal"}, "Kemal Example"),
        ],
    )
    def test_from_is_computed(
        self, nora: Wire, customer: User, keys: dict[str, Any], name: str
    ) -> None:
        assert added(nora, opened(nora), **keys)["from"] == name

    def test_types_and_senders(self, nora: Wire, customer: User) -> None:
        ticket = opened(nora)
        save_group(1, {"email": "support@example.test"}, actor=SYSTEM, at=NINE)
        names = {
            1: "email", 2: "sms", 3: "chat", 4: "fax", 5: "phone", 6: "twitter status",
            7: "twitter direct-message", 8: "facebook feed post", 9: "facebook feed comment",
            10: "note", 11: "web", 12: "telegram personal-message", 13: "facebook direct-message",
            14: "whatsapp message",
        }  # fmt: skip

        for id_, name in names.items():
            for keys in ({"type": name}, {"type_id": id_}):
                article = added(nora, ticket, to="kemal@example.test", **keys)
                assert (article["type_id"], article["type"]) == (id_, name)
        for id_, name in {1: "Agent", 2: "Customer", 3: "System"}.items():
            for keys in ({"sender": name}, {"sender_id": id_}):
                article = added(nora, ticket, **keys)
                assert (article["sender_id"], article["sender"]) == (id_, name)

    def test_what_customers_may_not_say_is_put_right(self, nora: Wire, kemal: Wire) -> None:
        article = added(
            kemal,
            opened(nora),
            type="phone",
            sender="Agent",
            origin_by="nora",
            internal=True,
        )

        assert (article["type"], article["sender"]) == ("note", "Customer")
        assert (article["internal"], article["origin_by"]) == (False, "kemal")

    @pytest.mark.parametrize(
        ("given", "read"), [("12", "12.0"), (15, "15.0"), ("1.5", "1.5"), (0.5, "0.5")]
    )
    def test_time_is_minutes_with_one_decimal(
        self, nora: Wire, customer: User, given: Any, read: str
    ) -> None:
        ticket = opened(nora)

        article = added(nora, ticket, time_unit=given)

        assert article["time_unit"] == read
        assert told(nora.get(f"tickets/{ticket['id']}"), 200)["time_unit"] == read


class TestPages:
    """Section 1.1."""

    @pytest.mark.parametrize(
        "path", ["tickets", "users", "groups", "organizations", "roles", "ticket_articles"]
    )
    def test_walk_to_an_empty_one(self, customer: User, path: str) -> None:
        ada = Wire(cast.ada())
        for n in range(3):
            cast.group(f"G{n}")
            cast.organization(f"O{n}")
            cast.ticket(customer)
        everything = [row["id"] for row in told(ada.get(path), 200)]
        walked, page = [], 1

        while rows := told(ada.get(f"{path}?per_page=2&page={page}&limit=1"), 200):
            walked += [row["id"] for row in rows]
            assert len(rows) <= 2
            page += 1

        assert walked == everything == sorted(everything)
        assert len(everything) >= 3

    @pytest.mark.parametrize("path", ["tickets", "tickets/search?query=*", "users", "groups"])
    @pytest.mark.parametrize("size", ["per_page=100000", "limit=100000", "per_page=999999999999"])
    def test_too_large_is_clipped(self, customer: User, path: str, size: str) -> None:
        joint = "&" if "?" in path else "?"

        told(Wire(cast.ada()).get(f"{path}{joint}{size}"), 200)

    def test_sizes(self, customer: User) -> None:
        ada = Wire(cast.ada())
        for n in range(101):
            cast.ticket(customer, title=f"Printer {n}")

        assert len(told(ada.get("tickets"), 200)) == 100
        assert len(told(ada.get("tickets?per_page=500"), 200)) == 100
        assert len(told(ada.get("tickets?page=2"), 200)) == 1
        assert len(told(ada.get("tickets/search?query=printer"), 200)) == 50
        assert len(told(ada.get("tickets/search?query=printer&limit=200"), 200)) == 101

    @pytest.mark.parametrize("name", ["groups", "organizations"])
    def test_sorting(self, customer: User, name: str) -> None:
        ada = Wire(cast.ada())
        for word in ("Zebra", "Apple"):
            cast.group(word) if name == "groups" else cast.organization(word)

        up = [row["name"] for row in told(ada.get(f"{name}?sort_by=name&order_by=asc"), 200)]
        down = [row["name"] for row in told(ada.get(f"{name}?sort_by=name&order_by=desc"), 200)]

        assert up == sorted(up)
        assert down == up[::-1]


class TestFlags:
    """Sections 1, 1.2 and 15."""

    @pytest.mark.parametrize(
        ("value", "is_on"),
        [
            ("true", True),
            ("True", True),
            ("TRUE", True),
            ("1", True),
            ("false", False),
            ("0", False),
            ("", False),
            ("yes", False),
        ],
    )
    def test_are_on_for_true_and_one(
        self, nora: Wire, customer: User, value: str, is_on: bool
    ) -> None:
        ticket = opened(nora)

        shown = told(nora.get(f"tickets/{ticket['id']}?expand={value}"), 200)

        assert ("group" in shown) is is_on

    def test_work_in_the_body_too(self, nora: Wire, customer: User) -> None:
        assert opened(nora, expand=True)["group"] == "Users"
        assert "assets" in opened(nora, full="true")

    def test_precedence(self, nora: Wire, customer: User) -> None:
        ticket = opened(nora)
        path = f"tickets/{ticket['id']}"

        for send in (nora.get, nora.put):
            assert "group" in told(send(f"{path}?all=true&full=true&expand=true"), 200)
            assert set(told(send(f"{path}?all=true&full=true"), 200)) == {"id", "assets"}
            assert "ticket_id" in told(send(f"{path}?all=true"), 200)
        search = "tickets/search?query=*&expand=true"
        assert set(told(nora.get(f"{search}&full=true&only_total_count=true"), 200)) == {
            "total_count"
        }
        assert "record_ids" in told(nora.get(f"{search}&full=true"), 200)
        assert told(nora.get(search), 200)[0]["group"] == "Users"


class TestRefusals:
    """Section 4, where the two keys, the header and the type belong to every answer."""

    @pytest.mark.parametrize(
        ("verb", "path", "body", "status", "text"),
        [
            ("GET", "tickets/999999", None, 404, "Couldn't find Ticket with 'id'=999999"),
            ("PUT", "tickets/999999", {}, 404, "Couldn't find Ticket with 'id'=999999"),
            ("DELETE", "tickets/999999", None, 404, "Couldn't find Ticket with 'id'=999999"),
            (
                "GET",
                "ticket_articles/by_ticket/999999",
                None,
                404,
                "Couldn't find Ticket with 'id'=999999",
            ),
            (
                "GET",
                "ticket_articles/999999",
                None,
                404,
                "Couldn't find Ticket::Article with 'id'=999999",
            ),
            ("GET", "users/999999", None, 404, "Couldn't find User with 'id'=999999"),
            ("GET", "groups/999999", None, 404, "Couldn't find Group with 'id'=999999"),
            (
                "GET",
                "organizations/999999",
                None,
                404,
                "Couldn't find Organization with 'id'=999999",
            ),
            ("GET", "roles/999999", None, 404, "Couldn't find Role with 'id'=999999"),
            (
                "POST",
                "ticket_articles",
                {"ticket_id": 999999, "body": "x"},
                404,
                "Couldn't find Ticket with 'id'=999999",
            ),
            (
                "POST",
                "users",
                {"email": "kemal@example.test"},
                422,
                "Email address 'kemal@example.test' is already used for another user.",
            ),
            (
                "POST",
                "users",
                {"note": "x"},
                422,
                ONE_OF_THEM,
            ),
            ("POST", "users", {"email": "some_what"}, 422, "Invalid email 'some_what'"),
            ("POST", "users", {"firstname": "a", "roles": ["nope"]}, 422, None),
            (
                "POST",
                "users",
                {"firstname": "a", "role_ids": [999]},
                422,
                "No value found for 'roles' with id 999",
            ),
            ("POST", "groups", {"name": "Users"}, 422, "This object already exists."),
            ("DELETE", "groups/1", None, 422, "Can't delete, object has references."),
            ("DELETE", "ticket_states/1", None, 422, "Can't delete, object has references."),
            ("DELETE", "ticket_priorities/2", None, 422, "Can't delete, object has references."),
        ],
    )
    def test_have_their_words(
        self, customer: User, verb: str, path: str, body: Any, status: int, text: str | None
    ) -> None:
        cast.ticket(customer)

        said = message(Wire(cast.ada()).call(verb, path, body), status)

        assert text is None or said == text

    def test_an_owner_who_loses_the_group_is_let_go(self, customer: User) -> None:
        ada, far = Wire(cast.ada()), cast.person("far", roles=[2], groups={1: ["full"]})
        ticket = opened(ada, owner="far")
        assert ticket["owner_id"] == far.pk

        told(ada.put(f"users/{far.pk}", {"group_ids": {"1": ["read"]}}), 200)

        assert told(ada.put(f"tickets/{ticket['id']}", {"title": "New"}), 200)["owner_id"] == 1
