"""The desk's addresses over the wire, and the groups that write from them."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from deskbell.people.models import EmailAddress, Group
from deskbell.people.operations import save_group
from deskbell.tickets import senders
from tests import cast
from tests.api.zammad.wire import Wire, message, told

pytestmark = pytest.mark.django_db

HERE = "email_addresses"
KEYS = {
    "id", "channel_id", "name", "realname", "email", "active", "note", "preferences",
    "updated_by_id", "created_by_id", "created_at", "updated_at", "group_ids",
}  # fmt: skip


@pytest.fixture
def ada() -> Wire:
    return Wire(cast.ada())


class TestAddresses:
    def test_are_made_changed_and_removed(self, ada: Wire) -> None:
        made = told(ada.post(HERE, {"realname": "Support", "email": "Help@Desk.example"}), 201)
        here = f"{HERE}/{made['id']}"

        assert set(made) == KEYS
        assert (made["name"], made["email"], made["active"]) == (
            "Support",
            "help@desk.example",
            True,
        )
        assert told(ada.get(HERE), 200) == [made]
        changed = told(ada.put(here, {"name": "Help", "note": "x", "preferences": {"a": 1}}), 200)
        assert (changed["name"], changed["note"], changed["preferences"]) == ("Help", "x", {"a": 1})
        assert told(ada.get(f"{here}?expand=true"), 200)["created_by"] == "ada"
        assert str(made["id"]) in told(ada.get(f"{HERE}?full=true"), 200)["assets"]["EmailAddress"]
        assert told(ada.delete(here), 200) == {}
        assert message(ada.get(here), 404) == (f"Couldn't find EmailAddress with 'id'={made['id']}")

    @pytest.mark.parametrize(
        ("body", "said"),
        [
            ({}, "Missing required value for field 'email'!"),
            ({"email": "nobody"}, "Invalid email 'nobody'"),
            ({"email": "HELP@desk.example"}, "This object already exists."),
            ({"email": "a@b.example", "name": "n" * 151},
             "Name is too long (maximum is 150 characters)"),
            ({"email": "a@b.example", "preferences": 3},
             "Invalid value '3' for field 'preferences'!"),
        ],
    )  # fmt: skip
    def test_that_make_no_sense_are_refused(self, ada: Wire, body: object, said: str) -> None:
        told(ada.post(HERE, {"email": "help@desk.example"}), 201)

        assert message(ada.post(HERE, body), 422) == said
        assert EmailAddress.objects.count() == 1

    def test_are_read_by_agents_only(self) -> None:
        row = EmailAddress.objects.create(email="a@b.example", email_key="a@b.example")
        nora, kemal = Wire(cast.nora()), Wire(cast.kemal())

        assert told(nora.get(f"{HERE}/{row.pk}"), 200)["email"] == "a@b.example"
        for who, verb, path in (
            (kemal, "GET", HERE),
            (kemal, "GET", f"{HERE}/{row.pk}"),
            (nora, "POST", HERE),
            (nora, "PUT", f"{HERE}/{row.pk}"),
            (nora, "DELETE", f"{HERE}/{row.pk}"),
        ):
            assert message(who.call(verb, path, {}), 403) == "User authorization failed."


class TestGroups:
    def test_write_from_an_address(self, ada: Wire) -> None:
        address = told(ada.post(HERE, {"name": "Shop", "email": "shop@desk.example"}), 201)["id"]

        told(ada.put("groups/1", {"email_address_id": address}), 200)

        group = Group.objects.get(pk=1)
        assert (group.email, senders.sender_name(group)) == ("shop@desk.example", "Shop")
        shown = told(ada.get("groups/1?expand=true"), 200)
        assert (shown["email_address_id"], shown["email_address"]) == (address, "Shop")
        assert told(ada.get(f"{HERE}/{address}"), 200)["group_ids"] == [1]
        assert message(ada.delete(f"{HERE}/{address}"), 422) == (
            "Can't delete, object has references."
        )
        told(ada.put(f"{HERE}/{address}", {"active": False}), 200)
        assert Group.objects.get(pk=1).email == ""
        assert "shop@desk.example" in senders.desk_addresses()
        assert (
            told(ada.put("groups/1", {"email_address_id": None}), 200)["email_address_id"] is None
        )
        by_name = {"name": "New", "email_address": "shop@desk.example"}
        assert told(ada.post("groups", by_name), 201)["email_address_id"] == address

    def test_refuse_an_unknown_one(self, ada: Wire) -> None:
        for wrong in (99, "x", [1]):
            assert message(ada.put("groups/1", {"email_address_id": wrong}), 422).startswith(
                "Invalid value for param 'email_address_id': "
            )
        assert message(ada.put("groups/1", {"email_address": "x"}), 422) == (
            "No lookup value found for 'email_address': \"x\""
        )

    def test_share_an_address_that_was_named_by_its_text(self, ada: Wire) -> None:
        sales = cast.group("Sales", email="Desk@example.test")
        other = cast.group("Other", email="desk@EXAMPLE.test")

        assert sales.email_address_id == other.email_address_id is not None
        cleared = save_group(sales.pk, {"email": ""}, actor=cast.SYSTEM, at=cast.MONDAY_9AM)
        assert cleared.email == ""

    def test_are_listed_at_the_same_cost_however_many_have_one(self, ada: Wire) -> None:
        costs = []
        told(ada.get("groups"), 200)
        for number in range(2):
            cast.group(f"G{number}", email=f"g{number}@desk.example")
            with CaptureQueriesContext(connection) as made:
                told(ada.get("groups?expand=true"), 200)
            costs.append(len(made))

        assert costs[0] == costs[1]
