"""What administrators name: states, priorities, tags, custom fields."""

from __future__ import annotations

from typing import Any

import pytest

from deskbell.kernel.actor import SYSTEM
from deskbell.kernel.errors import Invalid, Refused, Unknown
from deskbell.kernel.jobs import run_due
from deskbell.kernel.models import Event
from deskbell.search.results import find
from deskbell.tickets.models import CustomField, Priority, State, Tag, Ticket, TicketTag
from deskbell.tickets.operations import tag
from deskbell.tickets.operations.defining import delete_custom_field, save_custom_field
from deskbell.tickets.operations.naming import (
    delete_priority,
    delete_state,
    save_priority,
    save_state,
)
from deskbell.tickets.operations.tags import create_tag, delete_tag, rename_tag
from tests.cast import MONDAY_10AM, ticket

pytestmark = pytest.mark.django_db

WHO: Any = {"actor": SYSTEM, "at": MONDAY_10AM}


def lines(name: str, id_: int) -> list[dict[str, Any]]:
    event = Event.objects.filter(object=name, object_id=id_).order_by("id").last()
    return [] if event is None else event.changes


def defaults(model: Any, flag: str = "default_create") -> list[int]:
    return list(model.objects.filter(**{flag: True}).values_list("id", flat=True))


class TestTheDefault:
    @pytest.mark.parametrize("flag", ["default_create", "default_follow_up"])
    def test_state_is_exactly_one(self, flag: str) -> None:
        row = save_state(None, {"name": "fresh", "type": 2, flag: True}, **WHO)
        assert defaults(State, flag) == [row.pk]
        save_state(row.pk, {flag: False}, **WHO)
        assert defaults(State, flag) == [row.pk]
        other = save_state(8, {flag: True}, **WHO)
        assert defaults(State, flag) == [other.pk]

    def test_priority_is_exactly_one(self) -> None:
        row = save_priority(None, {"name": "urgent", "default_create": True}, **WHO)
        assert defaults(Priority) == [row.pk]

    @pytest.mark.parametrize("flag", ["default_create", "default_follow_up"])
    @pytest.mark.parametrize(
        "columns", [{"type": 3}, {"type": 4}, {"type": 6}, {"type": 7}, {"active": False}]
    )
    def test_state_is_one_that_asks_for_nothing(self, flag: str, columns: dict[str, Any]) -> None:
        before = defaults(State, flag)
        with pytest.raises(Invalid) as refused:
            save_state(None, {"name": "odd", "type": 2, flag: True, **columns}, **WHO)
        assert refused.value.field == flag
        assert defaults(State, flag) == before

    def test_is_not_switched_off(self) -> None:
        with pytest.raises(Invalid):
            save_state(1, {"active": False}, **WHO)
        with pytest.raises(Invalid):
            save_priority(2, {"active": False}, **WHO)


class TestNames:
    @pytest.mark.parametrize(
        ("columns", "code"),
        [
            ({"name": "ﬃ" * 200}, "too_long"),
            ({"name": "n" * 251}, "too_long"),
            ({"name": "\x00"}, "bad"),
            ({"name": " "}, "required"),
            ({"name": "OPEN"}, "taken"),
            ({"note": "n" * 251}, "too_long"),
            ({"active": "yes"}, "bad"),
            ({"next_state_id": 2**70}, "unknown"),
        ],
    )
    def test_of_states_that_cannot_be(self, columns: dict[str, Any], code: str) -> None:
        with pytest.raises(Invalid) as refused:
            save_state(None, {"name": "n", "type": 2, **columns}, **WHO)
        assert refused.value.code == code

    def test_that_change_leave_lines_and_others_none(self) -> None:
        save_state(8, {"name": "again", "ignore_escalation": True}, **WHO)
        assert {(c["attribute"], c["to"]) for c in lines("State", 8)} == {
            ("name", "again"),
            ("ignore_escalation", "True"),
        }
        count = Event.objects.count()
        save_state(8, {"name": "again"}, **WHO)
        save_priority(2, {"name": Priority.objects.get(pk=2).name}, **WHO)
        assert Event.objects.count() == count

    def test_in_use_stay(self) -> None:
        state = save_state(None, {"name": "odd", "type": 2}, **WHO)
        priority = save_priority(None, {"name": "odd"}, **WHO)
        ticket(state_id=state.pk, priority_id=priority.pk)
        with pytest.raises(Refused):
            delete_state(state.pk, **WHO)
        with pytest.raises(Refused):
            delete_priority(priority.pk, **WHO)


class TestTags:
    def test_are_made_once(self) -> None:
        first, second = create_tag(" Very  hot ", **WHO), create_tag("VERY HOT", **WHO)
        assert (first.pk, first.name) == (second.pk, "Very hot")
        assert lines("Tag", first.pk)[0]["type"] == "created"

    def test_renamed_are_found_by_the_new_name(self) -> None:
        opened = ticket(tags=["hot"])
        rename_tag(Tag.objects.get().pk, "cold", **WHO)
        run_due()
        assert find(SYSTEM, "tags:cold") == [opened.pk]
        assert find(SYSTEM, "tags:hot") == []

    def test_renamed_to_a_name_that_is_there_become_that_one(self) -> None:
        both, one = ticket(tags=["hot", "cold"]), ticket(tags=["hot"])
        hot = Tag.objects.get(name="hot")
        cold = rename_tag(hot.pk, "COLD", **WHO)
        run_due()
        assert [t.name for t in Tag.objects.all()] == ["cold"]
        assert TicketTag.objects.filter(tag=cold).count() == 2
        assert sorted(find(SYSTEM, "tags:cold")) == [both.pk, one.pk]
        assert find(SYSTEM, "tags:hot") == []

    def test_renamed_in_case_only(self) -> None:
        hot = create_tag("hot", **WHO)
        assert rename_tag(hot.pk, "Hot", **WHO).pk == hot.pk
        assert Tag.objects.get().name == "Hot"

    def test_removed_are_on_no_ticket_and_not_found(self) -> None:
        opened = ticket(tags=["hot"])
        hot = Tag.objects.get()
        delete_tag(hot.pk, **WHO)
        run_due()
        assert not TicketTag.objects.filter(ticket=opened).exists()
        assert find(SYSTEM, "tags:hot") == []
        tag(opened.pk, ["hot"], **WHO)
        assert find(SYSTEM, "tags:hot") == [opened.pk]

    @pytest.mark.parametrize("id_", [0, 999_999, 2**70])
    def test_unknown(self, id_: int) -> None:
        with pytest.raises(Unknown):
            rename_tag(id_, "x", **WHO)
        with pytest.raises(Unknown):
            delete_tag(id_, **WHO)

    @pytest.mark.parametrize("name", ["", " ", "\x00", "n" * 251, "ﬃ" * 200])
    def test_without_a_name(self, name: str) -> None:
        hot = create_tag("hot", **WHO)
        with pytest.raises(Invalid):
            create_tag(name, **WHO)
        with pytest.raises(Invalid):
            rename_tag(hot.pk, name, **WHO)


class TestCustomFields:
    @pytest.mark.parametrize(
        "columns",
        [
            {"required": "yes"},
            {"order": 2**40},
            {"max_length": -1},
            {"choices": {"a": 1}},
            {"label": 5},
        ],
    )
    def test_that_cannot_be(self, columns: dict[str, Any]) -> None:
        with pytest.raises(Invalid):
            save_custom_field(None, columns, name="room", type_="varchar", **WHO)
        with pytest.raises(Invalid):
            save_custom_field(None, {}, name="room", type_="varchar", groups=[2**70], **WHO)

    def test_removed_take_their_values_along(self) -> None:
        room = save_custom_field(None, {}, name="room", type_="varchar", **WHO)
        save_custom_field(None, {}, name="floor", type_="integer", **WHO)
        opened, other = ticket(custom={"room": "attic", "floor": 3}), ticket()
        assert find(SYSTEM, "attic") == [opened.pk]
        delete_custom_field(room.pk, **WHO)
        run_due()
        opened.refresh_from_db()
        other.refresh_from_db()
        assert (opened.custom, other.custom) == ({"floor": 3}, {})
        assert find(SYSTEM, "attic") == []
        assert not CustomField.objects.filter(name="room").exists()
        again = save_custom_field(None, {}, name="room", type_="integer", **WHO)
        assert Ticket.objects.get(pk=opened.pk).custom.get(again.name) is None
        with pytest.raises(Unknown):
            delete_custom_field(room.pk, **WHO)

    def test_that_become_private_are_not_found_by_customers(self) -> None:
        from tests.cast import acting, kemal

        room = save_custom_field(None, {}, name="room", type_="varchar", **WHO)
        customer = kemal()
        opened = ticket(customer, custom={"room": "attic"})
        assert find(acting(customer), "attic") == [opened.pk]
        save_custom_field(room.pk, {"staff_only": True}, **WHO)
        run_due()
        assert find(acting(customer), "attic") == []
        assert find(SYSTEM, "attic") == [opened.pk]

    def test_groups_leave_a_line(self) -> None:
        room = save_custom_field(None, {}, name="room", type_="varchar", **WHO)
        save_custom_field(room.pk, {"required": True}, groups=[1], **WHO)
        assert {(c["attribute"], c["to"]) for c in lines("CustomField", room.pk)} == {
            ("required", "True"),
            ("groups", "Users"),
        }
        count = Event.objects.count()
        save_custom_field(room.pk, {"required": True}, groups=[1], **WHO)
        assert Event.objects.count() == count
