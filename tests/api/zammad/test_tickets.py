"""Tickets over HTTP: the samples every client was written from, then the corners."""

from __future__ import annotations

import base64
import re
from datetime import timedelta

import pytest

from deskbell.kernel.actor import SYSTEM
from deskbell.kernel.events import Event
from deskbell.people.models import User
from deskbell.people.operations import change_user
from deskbell.tickets.models import Article, Ticket, TicketTag
from deskbell.tickets.operations import TicketChange, update_ticket
from tests import cast
from tests.api.zammad.wire import Wire, message, told

pytestmark = pytest.mark.django_db

NULLABLE = {
    "title", "note", "type", "group", "group_id", "state_id", "priority_id", "pending_time",
    "organization_id", "preferences", "customer", "customer_id",
}  # fmt: skip
STAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z\Z")
PLAIN_KEYS = {
    "id", "group_id", "priority_id", "state_id", "organization_id", "number", "title", "owner_id",
    "customer_id", "note", "first_response_at", "first_response_escalation_at",
    "first_response_in_min", "first_response_diff_in_min", "close_at", "close_escalation_at",
    "close_in_min", "close_diff_in_min", "update_escalation_at", "update_in_min",
    "update_diff_in_min", "last_close_at", "last_contact_at", "last_contact_agent_at",
    "last_contact_customer_at", "last_owner_update_at", "create_article_type_id",
    "create_article_sender_id", "article_count", "escalation_at", "pending_time", "type",
    "time_unit", "preferences", "checklist_id", "updated_by_id", "created_by_id", "created_at",
    "updated_at", "due_date", "on_hold", "resolution",
}  # fmt: skip
ID_KEYS = {"article_ids", "ticket_time_accounting_ids"}
NAME_KEYS = {
    "group", "state", "priority", "owner", "customer", "created_by", "updated_by",
    "create_article_type", "create_article_sender", "ticket_time_accounting",
}  # fmt: skip


@pytest.fixture
def ada() -> Wire:
    return Wire(cast.ada())


@pytest.fixture
def kemal() -> User:
    return cast.kemal()


def sample(**more: object) -> dict[str, object]:
    return {
        "title": "Help me!",
        "group": "Users",
        "customer": "kemal@example.test",
        "article": {
            "subject": "My subject",
            "body": "I am a message!",
            "type": "note",
            "internal": False,
        },
        "note": "some note",
        **more,
    }


class TestCreate:
    def test_the_documented_sample(self, ada: Wire, kemal: User) -> None:
        ticket = told(ada.post("tickets", sample()), 201)

        assert set(ticket) == PLAIN_KEYS | ID_KEYS
        assert ticket["title"] == "Help me!"
        assert ticket["number"] == f"10{ticket['id']:03d}"
        assert (ticket["group_id"], ticket["state_id"], ticket["priority_id"]) == (1, 1, 2)
        assert (ticket["owner_id"], ticket["customer_id"]) == (1, kemal.pk)
        assert ticket["note"] == "some note"
        assert (ticket["create_article_type_id"], ticket["create_article_sender_id"]) == (10, 1)
        assert ticket["article_count"] == 1
        assert len(ticket["article_ids"]) == 1
        assert STAMP.match(ticket["created_at"])
        assert STAMP.match(ticket["updated_at"])

    def test_with_expand_names_stand_beside_the_ids(self, ada: Wire, kemal: User) -> None:
        ticket = told(ada.post("tickets?expand=true", sample()), 201)

        assert set(ticket) == PLAIN_KEYS | ID_KEYS | NAME_KEYS
        assert ticket["group"] == "Users"
        assert ticket["owner"] == "-"
        assert ticket["customer"] == "kemal"
        assert ticket["state"] == "new"
        assert ticket["create_article_type"] == "note"

    def test_with_a_guessed_customer_makes_him_once(self, ada: Wire) -> None:
        first = told(
            ada.post("tickets", sample(customer=None, customer_id="guess:New@Example.TEST")), 201
        )
        second = told(
            ada.post("tickets", sample(customer=None, customer_id="guess:new@example.test")), 201
        )

        customer = User.objects.get(pk=first["customer_id"])
        assert (customer.login, customer.email) == ("new@example.test", "new@example.test")
        assert (customer.firstname, customer.lastname, customer.active) == ("", "", True)
        assert [role.pk for role in customer.roles.all()] == [3]
        assert second["customer_id"] == first["customer_id"]

    def test_a_guess_that_is_no_address_makes_nothing(self, ada: Wire) -> None:
        body = told(ada.post("tickets", sample(customer=None, customer_id="guess:xyz")), 422)

        assert body == {"error": "Invalid email 'xyz' of customer"}
        assert not Ticket.objects.exists()

    def test_a_described_customer_is_found_or_made(self, ada: Wire, kemal: User) -> None:
        known = told(ada.post("tickets", sample(customer={"email": "KEMAL@example.test"})), 201)
        fresh = told(
            ada.post(
                "tickets",
                sample(customer={"firstname": "Rosa", "lastname": "L", "email": "rosa@x.example"}),
            ),
            201,
        )

        assert known["customer_id"] == kemal.pk
        rosa = User.objects.get(pk=fresh["customer_id"])
        assert (rosa.firstname, rosa.lastname, rosa.email) == ("Rosa", "L", "rosa@x.example")
        assert [role.pk for role in rosa.roles.all()] == [3]

    def test_without_any_customer_the_caller_is_it(self, ada: Wire) -> None:
        body = sample()
        del body["customer"]

        ticket = told(ada.post("tickets", body), 201)

        assert ticket["customer_id"] == ticket["created_by_id"]

    def test_a_customer_is_himself_whatever_he_sends(self, kemal: User) -> None:
        nora = cast.nora()
        body = sample(
            customer_id=nora.pk,
            owner_id=nora.pk,
            preferences={"a": 1},
            tags="vip",
            article={"body": "x", "internal": True, "type": "phone", "sender": "Agent"},
        )

        ticket = told(Wire(kemal).post("tickets", body), 201)

        assert ticket["customer_id"] == kemal.pk
        assert ticket["owner_id"] == 1
        assert ticket["preferences"] == {}
        article = Article.objects.get(ticket=ticket["id"])
        assert (article.type, article.sender, article.internal) == (10, 2, False)
        assert not TicketTag.objects.exists()

    def test_a_customer_learns_nothing_about_logins(self, kemal: User) -> None:
        told(Wire(kemal).post("tickets", sample(customer="nobody-knows", owner="neither")), 201)

    def test_tags_links_and_mentions_at_once(self, ada: Wire, kemal: User) -> None:
        nora = cast.nora()
        other = cast.ticket(kemal)

        ticket = told(
            ada.post(
                "tickets?all=true",
                sample(
                    tags="one,  two ",
                    mentions=[nora.pk],
                    links={"Ticket": {"parent": [other.pk]}},
                ),
            ),
            201,
        )

        assert ticket["tags"] == ["one", "two"]
        assert ticket["links"] == [
            {"link_type": "child", "link_object": "Ticket", "link_object_value": other.pk}
        ]
        assert len(ticket["mentions"]) == 1

    def test_a_mention_of_a_customer_stores_nothing(self, ada: Wire, kemal: User) -> None:
        body = sample(customer_id="guess:fresh@example.test", mentions=[kemal.pk])

        message(ada.post("tickets", body), 422)

        assert not Ticket.objects.exists()
        assert not User.objects.filter(email="fresh@example.test").exists()
        assert not Event.objects.filter(object="Ticket").exists()

    def test_a_ticket_without_article_is_legal(self, ada: Wire, kemal: User) -> None:
        body = sample()
        del body["article"]

        ticket = told(ada.post("tickets", body), 201)

        assert ticket["article_ids"] == []
        assert ticket["article_count"] is None

    def test_title_is_put_on_one_line(self, ada: Wire, kemal: User) -> None:
        assert told(ada.post("tickets", sample(title="a\nb\tc")), 201)["title"] == "a b c"

    def test_an_agents_phone_article_opens_the_ticket(self, ada: Wire, kemal: User) -> None:
        ticket = told(ada.post("tickets", sample(article={"body": "x", "type": "phone"})), 201)

        assert ticket["state_id"] == 2
        assert STAMP.match(ticket["first_response_at"])

    def test_pending_time_is_a_whole_minute(self, ada: Wire, kemal: User) -> None:
        body = sample(state="pending reminder", pending_time="2027-01-02T03:04:05.678Z")

        assert told(ada.post("tickets", body), 201)["pending_time"] == "2027-01-02T03:04:00.000Z"

    def test_custom_fields_are_attributes(self, ada: Wire, kemal: User) -> None:
        cast.custom_field("colour")
        cast.custom_field("amount", "integer")
        cast.custom_field("when", "datetime")
        cast.custom_field("secret", staff_only=True)

        ticket = told(
            ada.post(
                "tickets",
                sample(colour="red", amount="7", when="2026-03-02T10:00:00+01:00", secret="s"),
            ),
            201,
        )

        assert (ticket["colour"], ticket["amount"]) == ("red", 7)
        assert ticket["when"] == "2026-03-02T09:00:00.000Z"
        assert ticket["secret"] == "s"
        seen = told(Wire(kemal).get(f"tickets/{ticket['id']}"), 200)
        assert seen["colour"] == "red"
        assert "secret" not in seen

    @pytest.mark.parametrize(
        ("change", "status", "text"),
        [
            ({"group": "not_existing"}, 422, "No lookup value found for 'group': \"not_existing\""),
            ({"group": 5}, 422, "No lookup value found for 'group': 5"),
            ({"group": None}, 422, "The required value 'group_id' is missing."),
            ({"group": None, "group_id": ""}, 422, "The required value 'group_id' is missing."),
            ({"group": None, "group_id": 99}, 422, "Invalid value for param 'group_id': 99"),
            ({"state": "nope"}, 422, "No lookup value found for 'state': \"nope\""),
            ({"priority": "nope"}, 422, "No lookup value found for 'priority': \"nope\""),
            ({"owner": "nope"}, 422, "No lookup value found for 'owner': \"nope\""),
            ({"owner": 5}, 422, "String is needed as ref value 5 for 'owner'"),
            ({"customer": "nope"}, 422, "No lookup value found for 'customer': \"nope\""),
            ({"customer": 5}, 422, "String is needed as ref value 5 for 'customer'"),
            ({"customer": "-"}, 422, "No lookup value found for 'customer': \"-\""),
            ({"organization": "nope"}, 422, "No lookup value found for 'organization': \"nope\""),
            ({"owner_id": 99999}, 422, "Invalid value for param 'owner_id': 99999"),
            ({"owner_id": 0}, 422, "Invalid value for param 'owner_id': 0"),
            ({"owner_id": True}, 422, "Invalid value for param 'owner_id': true"),
            ({"customer_id": 99999}, 422, "Invalid value for param 'customer_id': 99999"),
            ({"customer_id": 1}, 422, "Invalid value for param 'customer_id': 1"),
            ({"customer_id": "x"}, 422, "Invalid value for param 'customer_id': \"x\""),
            ({"customer_id": 1.5}, 422, "Invalid value for param 'customer_id': 1.5"),
            ({"state_id": 0}, 422, "Invalid value for param 'state_id': 0"),
            ({"state_id": 2**70}, 422, f"Invalid value for param 'state_id': {2**70}"),
            ({"priority_id": {}}, 422, "Invalid value for param 'priority_id': {}"),
            ({"customer": None, "customer_id": None}, 422, "Attribute 'customer_id' required!"),
            ({"customer": None, "customer_id": ""}, 422, "Attribute 'customer_id' required!"),
            ({"title": None}, 422, "Attribute 'title' required!"),
            ({"title": " \n "}, 422, "Attribute 'title' required!"),
            ({"title": "x" * 251}, 422, "Title is too long (maximum is 250 characters)"),
            ({"title": []}, 422, "Invalid value '[]' for field 'title'!"),
            ({"note": "x" * 251}, 422, "Note is too long (maximum is 250 characters)"),
            ({"type": "x" * 101}, 422, "Type is too long (maximum is 100 characters)"),
            (
                {"state": "pending reminder"},
                422,
                "Missing required value for field 'pending_time'!",
            ),
            ({"state_id": 5}, 422, "Invalid value '5' for field 'state_id'!"),
            ({"state": "removed"}, 422, "Invalid value '6' for field 'state_id'!"),
            ({"owner": "kemal"}, 422, None),
            ({"pending_time": "soon"}, 422, "Invalid value 'soon' for field 'pending_time'!"),
            ({"pending_time": "99999-01-01"}, 422, None),
            ({"pending_time": "9999-12-31T23:59:59-23:00"}, 422, None),
            ({"preferences": "x"}, 422, "Invalid value 'x' for field 'preferences'!"),
            ({"mentions": [99999]}, 422, None),
            ({"mentions": {"a": 1}}, 422, None),
            ({"tags": {"a": 1}}, 422, None),
            ({"tags": "x" * 251}, 422, None),
            ({"links": {"Ticket": {"cousin": [1]}}}, 422, None),
            ({"links": {"Ticket": {"normal": [99999]}}}, 404, None),
            ({"links": "x"}, 422, None),
            ({"article": {}}, 422, "Need at least an 'article body' field."),
            ({"article": {"body": None}}, 422, "Need at least an 'article body' field."),
            ({"article": {"body": "  "}}, 422, "Need at least an 'article body' field."),
            ({"article": "x"}, 422, "Need at least an 'article body' field."),
            ({"article": [1]}, 422, "Need at least an 'article body' field."),
            (
                {"article": {"body": "x", "type": "pigeon"}},
                422,
                "No lookup value found for 'type': \"pigeon\"",
            ),
            (
                {"article": {"body": "x", "sender_id": 9}},
                422,
                "Invalid value for param 'sender_id': 9",
            ),
            (
                {"article": {"body": "x", "type": "email", "to": "nobody"}},
                422,
                "Sending an email without a valid recipient is not possible.",
            ),
            ({"article": {"body": "x" * 1_500_001}}, 422, None),
        ],
    )
    def test_refuses(
        self, ada: Wire, kemal: User, change: dict[str, object], status: int, text: str | None
    ) -> None:
        said = message(ada.post("tickets", sample(**change)), status)

        if text is not None:
            assert said == text
        assert not Ticket.objects.exists()
        assert not Article.objects.exists()

    @pytest.mark.parametrize(
        ("body", "text"),
        [
            # Names before ids before the group before the ticket before its article.
            ({"owner": "nope", "state_id": 99}, None),
            ({"state_id": 99, "article": {}}, "Invalid value for param 'state_id': 99"),
            ({"article": {}}, "The required value 'group_id' is missing."),
            ({"group": "Users", "article": {}}, "Attribute 'title' required!"),
            (
                {"group": "Users", "title": "x", "state_id": 5, "article": {"body": ""}},
                "Invalid value '5' for field 'state_id'!",
            ),
        ],
    )
    def test_checks_in_order(self, ada: Wire, body: dict[str, object], text: str | None) -> None:
        said = message(ada.post("tickets", body), 422)

        assert text is None or said == text

    def test_a_group_without_create_is_forbidden(self, kemal: User) -> None:
        sales = cast.group("Sales")
        nora = Wire(cast.nora({1: ["full"], sales.pk: ["read", "change"]}))

        assert message(nora.post("tickets", sample(group="Sales")), 403) == "Not authorized"

    def test_an_inactive_group_takes_nothing(self, ada: Wire, kemal: User) -> None:
        closed = cast.group("Old", active=False)

        said = message(ada.post("tickets", sample(group="Old")), 422)

        assert said == f"Invalid value '{closed.pk}' for field 'group_id'!"


class TestUpdate:
    def test_the_documented_sample(self, ada: Wire, kemal: User) -> None:
        ticket = cast.ticket(kemal)
        body = {
            "id": ticket.pk,
            "number": "4711",
            "created_at": "2001-01-01T00:00:00Z",
            "created_by_id": 99,
            "title": "some new title",
            "group": "Users",
            "state": "open",
            "priority": "3 high",
            "article": {"subject": "some subject", "body": "some message"},
        }

        changed = told(ada.put(f"tickets/{ticket.pk}", body), 200)

        assert set(changed) == PLAIN_KEYS | ID_KEYS
        assert changed["title"] == "some new title"
        assert (changed["state_id"], changed["priority_id"]) == (2, 3)
        assert changed["number"] == ticket.number
        assert changed["article_count"] == 2
        assert changed["updated_by_id"] != ticket.updated_by_id
        assert changed["updated_at"] > changed["created_at"]

    def test_absent_and_null_keys_leave_things_alone(self, ada: Wire, kemal: User) -> None:
        ticket = cast.ticket(kemal, note="keep", type="incident")
        before = told(ada.get(f"tickets/{ticket.pk}"), 200)

        nulls = dict.fromkeys(NULLABLE)
        told(ada.put(f"tickets/{ticket.pk}", nulls), 200)

        assert told(ada.get(f"tickets/{ticket.pk}"), 200) == before

    def test_writing_back_what_was_read_changes_nothing(self, ada: Wire, kemal: User) -> None:
        nora = cast.nora()
        cast.custom_field("level", "list", choices=["a", "b"])
        cast.custom_field("count", "integer")
        acme = cast.organization("Acme")
        customer = cast.person("ines", roles=[3], organization=acme)
        ticket = cast.ticket(customer, owner_id=nora.pk, custom={"level": "gone", "count": 5})
        update_ticket(
            ticket.pk,
            TicketChange(state_id=3, pending_time=cast.DST_NIGHT, due_date=cast.DST_NIGHT),
            actor=SYSTEM,
            at=cast.MONDAY_10AM,
        )
        # The owner may not own it any more, but that is nobody's wish.
        change_user(customer.pk, columns={"active": False}, actor=SYSTEM, at=cast.MONDAY_10AM)
        for query in ("", "?expand=true"):
            before = told(ada.get(f"tickets/{ticket.pk}{query}"), 200)
            events = Event.objects.count()

            told(ada.put(f"tickets/{ticket.pk}{query}", before), 200)

            assert told(ada.get(f"tickets/{ticket.pk}{query}"), 200) == before
            assert Event.objects.count() == events

    def test_an_expanded_object_with_another_id_means_the_id(self, ada: Wire, kemal: User) -> None:
        ticket = cast.ticket(kemal)
        expanded = told(ada.get(f"tickets/{ticket.pk}?expand=true"), 200)

        by_id = told(ada.put(f"tickets/{ticket.pk}", {**expanded, "priority_id": 3}), 200)
        by_name = told(ada.put(f"tickets/{ticket.pk}", {**expanded, "priority": "1 low"}), 200)

        assert (by_id["priority_id"], by_name["priority_id"]) == (3, 1)

    def test_state_that_may_not_be_chosen_stays_when_repeated(self, ada: Wire, kemal: User) -> None:
        source, target = cast.ticket(kemal), cast.ticket(kemal)
        told(ada.put(f"ticket_merge/{source.pk}/{target.number}"), 200)

        changed = told(ada.put(f"tickets/{source.pk}", {"state": "merged", "title": "still"}), 200)

        assert (changed["state_id"], changed["title"]) == (5, "still")

    def test_owner_and_back_to_nobody(self, ada: Wire, kemal: User) -> None:
        nora = cast.nora()
        ticket = cast.ticket(kemal)
        path = f"tickets/{ticket.pk}"

        assert told(ada.put(path, {"owner": "NORA"}), 200)["owner_id"] == nora.pk
        assert told(ada.put(path, {"owner": "-"}), 200)["owner_id"] == 1
        assert told(ada.put(path, {"owner_id": nora.pk}), 200)["owner_id"] == nora.pk
        assert told(ada.put(path, {"owner_id": None}), 200)["owner_id"] == 1
        assert told(ada.put(path, {"owner_id": str(nora.pk)}), 200)["owner_id"] == nora.pk
        assert told(ada.put(path, {"owner_id": ""}), 200)["owner_id"] == 1
        said = message(ada.put(path, {"owner_id": kemal.pk}), 422)
        assert said == f"Invalid value '{kemal.pk}' for field 'owner_id'!"

    def test_a_move_needs_access_to_the_target(self, kemal: User) -> None:
        sales = cast.group("Sales")
        nora = Wire(cast.nora())
        ticket = cast.ticket(kemal)

        said = message(nora.put(f"tickets/{ticket.pk}", {"group": "Sales"}), 422)

        assert said == f"Invalid value '{sales.pk}' for field 'group_id'!"

    def test_a_move_out_of_sight_still_answers(self, kemal: User) -> None:
        sales = cast.group("Sales")
        nora = Wire(cast.nora({1: ["full"], sales.pk: ["create"]}))
        ticket = cast.ticket(kemal)

        moved = told(nora.put(f"tickets/{ticket.pk}", {"group": "Sales"}), 200)

        assert moved["group_id"] == sales.pk
        assert message(nora.get(f"tickets/{ticket.pk}"), 403) == "Not authorized"

    def test_preferences_are_merged(self, ada: Wire, kemal: User) -> None:
        ticket = cast.ticket(kemal, preferences={"a": 1, "b": {"c": 2}})

        changed = told(ada.put(f"tickets/{ticket.pk}", {"preferences": {"a": None}}), 200)

        assert changed["preferences"] == {"a": None, "b": {"c": 2}}

    def test_a_customer_may_answer_and_close(self, kemal: User) -> None:
        nora = cast.nora()
        ticket = cast.ticket(kemal)
        body = {
            "state": "closed",
            "owner_id": nora.pk,
            "customer_id": nora.pk,
            "organization_id": 1,
            "preferences": {"x": 1},
            "article": {"body": "Thanks", "internal": True},
        }

        changed = told(Wire(kemal).put(f"tickets/{ticket.pk}", body), 200)

        assert changed["state_id"] == 4
        assert (changed["owner_id"], changed["customer_id"]) == (1, kemal.pk)
        assert changed["preferences"] == {}
        last = Article.objects.filter(ticket=ticket).latest("id")
        assert (last.internal, last.sender) == (False, 2)

    def test_a_customer_may_not_choose_pending(self, kemal: User) -> None:
        ticket = cast.ticket(kemal)
        body = {"state": "pending reminder", "pending_time": "2027-01-01T00:00:00Z"}

        said = message(Wire(kemal).put(f"tickets/{ticket.pk}", body), 422)

        assert said == "Invalid value '3' for field 'state_id'!"

    def test_follow_up_on_a_closed_ticket(self, ada: Wire, kemal: User) -> None:
        strict = cast.group("Strict", follow_up_possible="new_ticket")
        ticket = cast.ticket(kemal, group_id=strict.pk, state_id=4)
        refused = "Cannot follow-up on a closed ticket. Please create a new ticket."

        body = {"article": {"body": "again"}}
        assert message(Wire(kemal).put(f"tickets/{ticket.pk}", body), 422) == refused
        answer = Wire(kemal).post("ticket_articles", {"ticket_id": ticket.pk, "body": "again"})
        assert message(answer, 422) == refused
        told(ada.put(f"tickets/{ticket.pk}", body), 200)

    def test_follow_up_within_some_days(self, kemal: User, time_at: object) -> None:
        patient = cast.group(
            "Patient", follow_up_possible="new_ticket_after_certain_time", reopen_time_in_days=3
        )
        ticket = cast.ticket(kemal, group_id=patient.pk, state_id=4)
        body = {"article": {"body": "again"}}

        time_at(cast.MONDAY_9AM + timedelta(days=3))  # type: ignore[operator]
        told(Wire(kemal).put(f"tickets/{ticket.pk}", body), 200)
        time_at(cast.MONDAY_9AM + timedelta(days=3, seconds=1))  # type: ignore[operator]
        message(Wire(kemal).put(f"tickets/{ticket.pk}", body), 422)

    def test_an_empty_article_is_passed_over(self, ada: Wire, kemal: User) -> None:
        ticket = cast.ticket(kemal)

        assert told(ada.put(f"tickets/{ticket.pk}", {"article": {}}), 200)["article_count"] == 1

    def test_a_bad_article_keeps_the_ticket_as_it_was(self, ada: Wire, kemal: User) -> None:
        ticket = cast.ticket(kemal)
        body = {"title": "new", "article": {"body": "x", "attachments": [{"filename": "a"}]}}

        said = message(ada.put(f"tickets/{ticket.pk}", body), 422)

        assert said == "Attachment needs 'mime-type' param for attachment with index '0'"
        ticket.refresh_from_db()
        assert ticket.title == "Printer on fire"

    def test_resolution_hold_and_due_date_are_read_only_here(self, ada: Wire, kemal: User) -> None:
        ticket = cast.ticket(kemal)
        body = {"resolution": "x", "on_hold": True, "due_date": "2027-01-01T00:00:00Z"}

        changed = told(ada.put(f"tickets/{ticket.pk}", body), 200)

        assert (changed["resolution"], changed["on_hold"], changed["due_date"]) == (
            None,
            False,
            None,
        )

    def test_a_new_customer_is_guessed(self, ada: Wire, kemal: User) -> None:
        ticket = cast.ticket(kemal)

        changed = told(
            ada.put(f"tickets/{ticket.pk}", {"customer_id": "guess:other@x.example"}), 200
        )

        assert User.objects.get(pk=changed["customer_id"]).email == "other@x.example"

    def test_title_alone(self, ada: Wire, kemal: User) -> None:
        ticket = cast.ticket(kemal)

        assert (
            told(ada.put(f"tickets/{ticket.pk}/update_title", {"title": "x"}), 200)["title"] == "x"
        )
        said = message(ada.put(f"tickets/{ticket.pk}/update_title", {}), 422)
        assert said == "Attribute 'title' required!"

    def test_customer_alone(self, ada: Wire, kemal: User) -> None:
        acme = cast.organization()
        ines = cast.person("ines", roles=[3], organization=acme)
        ticket = cast.ticket(kemal)
        path = f"tickets/{ticket.pk}/update_customer"

        changed = told(ada.put(path, {"customer_id": ines.pk}), 200)

        assert (changed["customer_id"], changed["organization_id"]) == (ines.pk, acme.pk)
        assert message(Wire(ines).put(path, {"customer_id": kemal.pk}), 403) == "Not authorized"


class TestDelete:
    def test_by_an_admin_even_without_group_access(self, kemal: User) -> None:
        ticket = cast.ticket(kemal)
        otto = Wire(cast.pure_admin())

        response = otto.delete(f"tickets/{ticket.pk}", {})

        assert (response.status_code, response.content) == (200, b"{}")
        said = message(otto.get(f"tickets/{ticket.pk}"), 404)
        assert said == f"Couldn't find Ticket with 'id'={ticket.pk}"
        assert not Article.objects.exists()

    def test_says_who_could(self, kemal: User) -> None:
        ticket = cast.ticket(kemal)
        delegate = cast.person("dora", roles=[4])
        reader = cast.nora({1: ["read"]})
        could = "Not authorized (admin permission required)!"

        assert message(Wire(kemal).delete(f"tickets/{ticket.pk}"), 403) == could
        assert message(Wire(delegate).delete(f"tickets/{ticket.pk}"), 403) == could
        assert message(Wire(reader).delete(f"tickets/{ticket.pk}"), 403) == "Not authorized"
        stranger = cast.person("stranger", roles=[3])
        assert message(Wire(stranger).delete(f"tickets/{ticket.pk}"), 403) == "Not authorized"
        assert Ticket.objects.filter(pk=ticket.pk).exists()


class TestList:
    def test_is_an_array_by_id(self, ada: Wire, kemal: User) -> None:
        for _ in range(3):
            cast.ticket(kemal)

        found = told(ada.get("tickets"), 200)

        assert [set(ticket) for ticket in found] == [PLAIN_KEYS] * 3
        ids = [ticket["id"] for ticket in found]
        assert ids == sorted(ids)

    @pytest.mark.parametrize(
        ("query", "count"),
        [
            ("", 100), ("?per_page=1000", 100), ("?per_page=7", 7), ("?limit=8", 8),
            ("?limit=9&per_page=7", 7), ("?page=2", 3), ("?page=2&per_page=60", 43),
            ("?page=3", 0), ("?page=999999999999999999999", 0), ("?page=0&per_page=2", 2),
            ("?page=-1&per_page=2", 2), ("?per_page=0", 100), ("?per_page=x", 100),
            ("?per_page=-5", 100), ("?page=1.5&per_page=2", 2), ("?expand=True&per_page=2", 2),
            ("?expand=false&per_page=2", 2), ("?unknown=1&per_page=2", 2),
        ],
    )  # fmt: skip
    def test_pages(self, ada: Wire, kemal: User, query: str, count: int) -> None:
        first = cast.ticket(kemal, body=None)
        rows = [
            Ticket(
                **{
                    field.attname: getattr(first, field.attname)
                    for field in Ticket._meta.concrete_fields
                    if field.attname not in ("id", "number")
                },
                number=f"x{n}",
            )
            for n in range(102)
        ]
        Ticket.objects.bulk_create(rows)

        assert len(told(ada.get(f"tickets{query}"), 200)) == count

    def test_full_gives_ids_and_assets(self, ada: Wire, kemal: User) -> None:
        ticket = cast.ticket(kemal)

        body = told(ada.get("tickets?full=1"), 200)

        assert body["record_ids"] == [ticket.pk]
        assert set(body) == {"record_ids", "assets"}
        assert set(body["assets"]["Ticket"][str(ticket.pk)]) == PLAIN_KEYS | ID_KEYS
        assert str(kemal.pk) in body["assets"]["User"]
        assert "1" in body["assets"]["User"]
        assert "1" in body["assets"]["Group"]
        assert "3" in body["assets"]["Role"]

    def test_shows_what_the_caller_may_read(self, kemal: User) -> None:
        sales = cast.group("Sales")
        mine, other = cast.ticket(kemal), cast.ticket(None, group_id=sales.pk)

        def ids(user: User) -> list[int]:
            return [ticket["id"] for ticket in told(Wire(user).get("tickets"), 200)]

        assert ids(kemal) == [mine.pk]
        assert ids(cast.nora()) == [mine.pk]
        assert ids(cast.person("sam", roles=[2], groups={sales.pk: ["read"]})) == [other.pk]
        assert ids(cast.person("olga", roles=[2], groups={sales.pk: ["overview"]})) == []
        assert ids(cast.pure_admin()) == []
        assert ids(cast.ada()) == [mine.pk, other.pk]


class TestShow:
    def test_plain_is_columns_only(self, ada: Wire, kemal: User) -> None:
        ticket = cast.ticket(kemal)

        assert set(told(ada.get(f"tickets/{ticket.pk}"), 200)) == PLAIN_KEYS

    def test_expand_beats_full_beats_all(self, ada: Wire, kemal: User) -> None:
        ticket = cast.ticket(kemal)
        path = f"tickets/{ticket.pk}"

        assert "group" in told(ada.get(f"{path}?expand=true&full=true&all=true"), 200)
        assert set(told(ada.get(f"{path}?full=TRUE&all=true"), 200)) == {"id", "assets"}
        assert set(told(ada.get(f"{path}?all=1"), 200)) == {
            "ticket_id", "ticket_article_ids", "assets", "links", "tags", "mentions",
            "time_accountings", "form_meta",
        }  # fmt: skip

    def test_all_hides_what_a_customer_may_not_see(self, kemal: User) -> None:
        ticket = cast.ticket(kemal)
        nora = Wire(cast.nora())
        told(nora.put(f"tickets/{ticket.pk}", {"article": {"body": "psst", "internal": True}}), 200)

        seen = told(Wire(kemal).get(f"tickets/{ticket.pk}?all=true"), 200)
        expanded = told(Wire(kemal).get(f"tickets/{ticket.pk}?expand=true"), 200)

        assert len(seen["ticket_article_ids"]) == len(seen["assets"]["TicketArticle"]) == 1
        assert len(expanded["article_ids"]) == 1
        assert len(told(nora.get(f"tickets/{ticket.pk}?all=true"), 200)["ticket_article_ids"]) == 2

    @pytest.mark.parametrize(
        "id_", ["999999", "0", "-1", "abc", "1.5", "9" * 30, "1%00", "%F0%9F%98%80"]
    )
    def test_unknown_is_a_404(self, ada: Wire, id_: str) -> None:
        assert "Couldn't find Ticket" in message(ada.get(f"tickets/{id_}"), 404)

    def test_organization_is_named_where_there_is_one(self, ada: Wire) -> None:
        ines = cast.person("ines", roles=[3], organization=cast.organization())
        ticket = cast.ticket(ines)

        assert told(ada.get(f"tickets/{ticket.pk}?expand=true"), 200)["organization"] == "Acme"

    def test_links_keep_the_mount(self, ada: Wire, kemal: User) -> None:
        png = base64.b64encode(b"\x89PNG").decode()
        html = f'<img src="data:image/png;base64,{png}">'
        ticket = told(
            ada.post("tickets", sample(article={"body": html, "content_type": "text/html"})), 201
        )

        below = ada.get(f"/helpdesk/api/v1/ticket_articles/by_ticket/{ticket['id']}")

        assert 'src="/helpdesk/api/v1/ticket_attachment/' in told(below, 200)[0]["body"]
