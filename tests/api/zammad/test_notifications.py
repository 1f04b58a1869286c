"""Online notifications over the wire: own ones only."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from deskbell.notify.wishes import default_config
from deskbell.people.models import User, UserGroup
from tests import cast
from tests.api.zammad.wire import Wire, message, told

pytestmark = pytest.mark.django_db

KEYS = {
    "id", "o_id", "object_lookup_id", "type_lookup_id", "user_id", "seen", "updated_by_id",
    "created_by_id", "created_at", "updated_at",
}  # fmt: skip


@pytest.fixture
def nora() -> User:
    return cast.nora()


@pytest.fixture
def desk(nora: User) -> Wire:
    """Nora's client, after Kemal opened three tickets."""
    kemal = cast.kemal()
    for title in ("one", "two", "three"):
        cast.ticket(kemal, title=title, actor=cast.acting(kemal, "zammad"))
    return Wire(nora)


class TestNotifications:
    def test_are_listed_newest_first_in_every_form(self, desk: Wire, nora: User) -> None:
        listed = told(desk.get("online_notifications"), 200)
        expanded = told(desk.get("online_notifications?expand=true"), 200)
        full = told(desk.get("online_notifications?full=true"), 200)

        assert [set(row) for row in listed] == [KEYS] * 3
        ids = [row["id"] for row in listed]
        assert ids == sorted(ids, reverse=True)
        row = expanded[0]
        assert set(row) == KEYS | {"user", "object", "type", "created_by", "updated_by"}
        assert (row["object"], row["object_lookup_id"]) == ("Ticket", 2)
        assert (row["type"], row["type_lookup_id"]) == ("create", 1)
        assert (row["user"], row["created_by"], row["seen"]) == ("nora", "kemal", False)
        assert full["record_ids"] == ids
        assert set(full["assets"]["OnlineNotification"]) == {str(id_) for id_ in ids}
        assert str(row["o_id"]) in full["assets"]["Ticket"]
        assert len(told(desk.get("online_notifications?per_page=2&page=2"), 200)) == 1
        assert told(Wire(User.objects.get(login="kemal")).get("online_notifications"), 200) == []
        assert message(Wire().get("online_notifications"), 403) == "Authentication required"

    def test_cost_the_same_however_many(self, desk: Wire) -> None:
        costs = []
        told(desk.get("online_notifications"), 200)  # notes that the token was used
        for _ in range(2):
            with CaptureQueriesContext(connection) as made:
                told(desk.get("online_notifications?expand=true"), 200)
            costs.append(len(made))
            kemal = cast.acting(User.objects.get(login="kemal"), "zammad")
            for number in range(3):
                cast.ticket(User.objects.get(login="kemal"), title=f"{number}", actor=kemal)

        assert costs[0] == costs[1] == 4

    def test_are_seen_and_taken_away(self, desk: Wire, nora: User) -> None:
        first, second, third = told(desk.get("online_notifications"), 200)
        one = f"online_notifications/{first['id']}"

        seen = told(desk.put(one, {"seen": True, "user_id": 1, "o_id": 99}), 200)

        assert seen == {
            **first,
            "seen": True,
            "updated_by_id": nora.pk,
            "updated_at": seen["updated_at"],
        }
        assert told(desk.put(f"{one}?expand=true", {}), 200)["updated_by"] == "nora"
        assert told(desk.put(one, {"seen": False}), 200)["seen"] is False
        assert message(desk.put(one, {"seen": [1]}), 422)
        assert told(desk.delete(one), 200) == {}
        assert message(desk.get(one), 404) == (
            f"Couldn't find OnlineNotification with 'id'={first['id']}"
        )
        assert told(desk.post("online_notifications/mark_all_as_read"), 200) == {}
        left = told(desk.get("online_notifications"), 200)
        assert [(row["id"], row["seen"]) for row in left] == [
            (second["id"], True),
            (third["id"], True),
        ]

    @pytest.mark.parametrize(("verb", "body"), [("GET", None), ("PUT", {}), ("DELETE", None)])
    def test_of_others_are_refused(self, desk: Wire, nora: User, verb: str, body: Any) -> None:
        id_ = told(desk.get("online_notifications"), 200)[0]["id"]
        address = f"online_notifications/{id_}"

        assert message(Wire(cast.ada()).call(verb, address, body), 403) == "Not authorized"
        for nothing in ("0", "x", "99999999999999999999"):
            assert message(desk.call(verb, f"online_notifications/{nothing}", body), 404)
        UserGroup.objects.filter(user=nora).delete()
        assert message(desk.call(verb, address, body), 403) == "Not authorized"


class TestPreferences:
    def test_of_agents_hold_a_matrix(self, nora: User) -> None:
        kemal = cast.kemal()
        ada = Wire(cast.ada())

        shown = told(ada.get(f"users/{nora.pk}"), 200)["preferences"]

        assert shown == {"notification_config": default_config()}
        assert told(ada.get(f"users/{kemal.pk}"), 200)["preferences"] == {}
        told(ada.put(f"users/{nora.pk}", {"preferences": {**shown, "locale": "de-de"}}), 200)
        nora.refresh_from_db()
        assert nora.preferences == {"locale": "de-de"}

    def test_decide_who_is_told(self, nora: User) -> None:
        config = default_config()
        config["matrix"]["create"]["channel"]["online"] = False
        ada = Wire(cast.ada())
        told(ada.put(f"users/{nora.pk}", {"preferences": {"notification_config": config}}), 200)
        kemal = cast.kemal()

        cast.ticket(kemal, actor=cast.acting(kemal, "zammad"))

        assert told(Wire(nora).get("online_notifications"), 200) == []
        shown = told(ada.get(f"users/{nora.pk}"), 200)["preferences"]
        assert shown == {"notification_config": config}
