"""States, priorities, version."""

from __future__ import annotations

from typing import Any

import pytest

from deskbell.tickets.models import Priority, State
from tests import cast
from tests.api.zammad.wire import Wire, message, told

pytestmark = pytest.mark.django_db

STATE_KEYS = {
    "id", "state_type_id", "name", "next_state_id", "ignore_escalation", "default_create",
    "default_follow_up", "note", "active", "updated_by_id", "created_by_id", "created_at",
    "updated_at",
}  # fmt: skip
PRIORITY_KEYS = {
    "id", "name", "default_create", "ui_icon", "ui_color", "note", "active", "updated_by_id",
    "created_by_id", "created_at", "updated_at",
}  # fmt: skip


@pytest.fixture
def ada() -> Wire:
    return Wire(cast.ada())


class TestStates:
    def test_seeded_ones(self, ada: Wire) -> None:
        rows = told(ada.get("ticket_states"), 200)

        assert all(set(row) == STATE_KEYS for row in rows)
        seeded = [(row["id"], row["name"], row["state_type_id"]) for row in rows[:7]]
        assert seeded == [
            (1, "new", 1), (2, "open", 2), (3, "pending reminder", 3), (4, "closed", 5),
            (5, "merged", 6), (6, "removed", 7), (7, "pending close", 4),
        ]  # fmt: skip
        assert [row["id"] for row in rows if row["default_create"]] == [1]
        assert [row["id"] for row in rows if row["default_follow_up"]] == [2]
        assert [row["id"] for row in rows if not row["active"]] == [6]
        assert rows[6]["next_state_id"] == 4
        assert [row["id"] for row in rows[:7] if row["ignore_escalation"]] == [3, 4, 5, 6, 7]
        expanded = told(ada.get("ticket_states/7?expand=true"), 200)
        assert (expanded["state_type"], expanded["next_state"]) == ("pending action", "closed")

    def test_one_of_our_own(self, ada: Wire) -> None:
        body = {"name": "waiting", "state_type": "pending reminder", "note": "x"}

        made = told(ada.post("ticket_states", body), 201)

        assert (made["state_type_id"], made["active"], made["default_create"]) == (3, True, False)
        assert State.objects.get(pk=made["id"]).helpdesk_number == 1
        kemal = cast.kemal()
        ticket = {
            "title": "x",
            "group": "Users",
            "customer_id": kemal.pk,
            "state": "waiting",
            "pending_time": "2127-01-01T00:00:00Z",
        }
        assert told(ada.post("tickets", ticket), 201)["state_id"] == made["id"]
        assert message(ada.delete(f"ticket_states/{made['id']}"), 422) == (
            "Can't delete, object has references."
        )
        said = message(ada.put(f"ticket_states/{made['id']}", {"state_type_id": 5}), 422)
        assert said == "Invalid value '5' for field 'state_type_id'!"

    def test_there_is_always_one_default(self, ada: Wire) -> None:
        made = told(
            ada.post("ticket_states", {"name": "x", "state_type_id": 1, "default_create": True}),
            201,
        )
        assert State.objects.get(default_create=True).pk == made["id"]

        message(ada.delete(f"ticket_states/{made['id']}"), 422)
        kept = told(ada.put(f"ticket_states/{made['id']}", {"default_create": False}), 200)
        assert kept["default_create"] is True
        told(ada.put("ticket_states/1", {"default_create": True}), 200)
        assert State.objects.get(default_create=True).pk == 1
        assert told(ada.delete(f"ticket_states/{made['id']}"), 200) == {}
        assert message(ada.get(f"ticket_states/{made['id']}"), 404) == (
            f"Couldn't find Ticket::State with 'id'={made['id']}"
        )

    def test_seeded_ones_are_renamed_but_mean_the_same(self, ada: Wire) -> None:
        assert told(ada.put("ticket_states/2", {"name": "in work"}), 200)["name"] == "in work"
        message(ada.put("ticket_states/2", {"state_type_id": 5}), 422)
        message(ada.delete("ticket_states/8"), 422)

    @pytest.mark.parametrize(
        "body",
        [
            {}, {"name": "x"}, {"name": "x", "state_type_id": 9}, {"state_type_id": 2},
            {"name": "OPEN", "state_type_id": 2}, {"name": "x", "state_type": "nope"},
            {"name": "x", "state_type_id": 2, "note": "x" * 251},
            {"name": "x" * 251, "state_type_id": 2},
            {"name": "x", "state_type_id": 2, "next_state_id": 999},
            {"name": "x", "state_type_id": 2, "next_state": "nope"},
            {"name": "x", "state_type_id": 2, "active": "maybe"},
        ],
    )  # fmt: skip
    def test_refuses(self, ada: Wire, body: dict[str, Any]) -> None:
        before = State.objects.count()

        message(ada.post("ticket_states", body), 422)

        assert State.objects.count() == before


class TestPriorities:
    def test_seeded_ones(self, ada: Wire) -> None:
        rows = told(ada.get("ticket_priorities"), 200)

        assert all(set(row) == PRIORITY_KEYS for row in rows)
        first = [(row["id"], row["name"], row["ui_icon"], row["ui_color"]) for row in rows[:3]]
        assert first == [
            (1, "1 low", "low-priority", "low-priority"), (2, "2 normal", None, None),
            (3, "3 high", "important", "high-priority"),
        ]  # fmt: skip
        assert [row["id"] for row in rows if row["default_create"]] == [2]

    def test_round(self, ada: Wire) -> None:
        made = told(ada.post("ticket_priorities", {"name": "6 whenever", "ui_icon": "x"}), 201)
        assert made["active"] is True
        assert Priority.objects.get(pk=made["id"]).helpdesk_number == 3

        told(ada.put(f"ticket_priorities/{made['id']}", {"default_create": True}), 200)
        assert Priority.objects.get(default_create=True).pk == made["id"]
        told(ada.put("ticket_priorities/2", {"default_create": True}), 200)
        assert told(ada.delete(f"ticket_priorities/{made['id']}"), 200) == {}
        assert message(ada.delete("ticket_priorities/1"), 422) == (
            "Can't delete, object has references."
        )
        message(ada.post("ticket_priorities", {"name": "2 NORMAL"}), 422)
        message(ada.post("ticket_priorities", {}), 422)
        expanded = told(ada.get("ticket_priorities?expand=true"), 200)
        assert {row["updated_by"] for row in expanded} == {"-", "ada"}
        full = told(ada.get("ticket_priorities?full=true"), 200)
        assert full["total_count"] == len(full["record_ids"]) == 5


def test_version(ada: Wire) -> None:
    assert told(ada.get("version"), 200) == {"version": "7.0.0"}
