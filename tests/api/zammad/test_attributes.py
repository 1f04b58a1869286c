"""Attributes of objects: the built-in ones, and custom fields as Zammad's clients manage them."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from deskbell.tickets.models import CustomField, Ticket
from tests import cast
from tests.api.zammad.wire import Wire, message, told

pytestmark = pytest.mark.django_db

HERE = "object_manager_attributes"
SCREENS = {
    "create_middle": {"ticket.agent": {"shown": True, "item_class": "column"}},
    "edit": {"ticket.agent": {"shown": True}},
}
PUBLIC = {"edit": {"ticket.agent": {"shown": True}, "ticket.customer": {"shown": True}}}
TREE = [
    {
        "name": "Hardware",
        "value": "Hardware",
        "children": [{"name": "Printer", "value": "Hardware::Printer"}],
    },
    {"name": "Software", "value": "Software"},
]


@pytest.fixture
def ada() -> Wire:
    return Wire(cast.ada())


def body(data_type: str = "input", data_option: Any = None, **more: Any) -> dict[str, Any]:
    if data_option is None:
        data_option = {"type": "text", "maxlength": 120, "default": "x"}
    given = {"object": "Ticket", "name": "asset", "display": "Asset", "data_type": data_type}
    return {**given, "data_option": data_option, "screens": PUBLIC, **more}


class TestTheList:
    def test_holds_built_in_ones_and_our_own(self, ada: Wire) -> None:
        for name, type_ in (("serial", "slug"), ("cost", "decimal")):
            cast.custom_field(name, type_)

        with CaptureQueriesContext(connection) as made:
            rows = told(ada.get(HERE), 200)
        more = cast.custom_field("note_two", "text")

        assert len(made) <= 5
        assert {row["object"] for row in rows} == {"Ticket", "User", "Organization", "Group"}
        ids = [row["id"] for row in rows]
        assert len(set(ids)) == len(ids)
        own = [row for row in rows if row["editable"]]
        assert [(row["name"], row["data_type"]) for row in own] == [
            ("serial", "input"),
            ("cost", "input"),
        ]
        assert {row["created_by_id"] for row in rows if not row["editable"]} == {1}
        title = next(row for row in rows if (row["object"], row["name"]) == ("Ticket", "title"))
        assert (title["data_option"]["maxlength"], title["data_option"]["null"]) == (250, False)
        for row in (title, own[0]):
            assert told(ada.get(f"{HERE}/{row['id']}"), 200) == row
        assert told(ada.get(f"{HERE}/{1000 + more.pk}"), 200)["data_type"] == "textarea"
        assert message(ada.get(f"{HERE}/999"), 404) == (
            "Couldn't find ObjectManager::Attribute with 'id'=999"
        )

    def test_is_for_administrators(self) -> None:
        nora = Wire(cast.nora())

        for verb, path in (
            ("GET", HERE),
            ("POST", HERE),
            ("GET", f"{HERE}/1"),
            ("PUT", f"{HERE}/1"),
            ("DELETE", f"{HERE}/1"),
            ("POST", f"{HERE}_execute_migrations"),
        ):
            assert message(nora.call(verb, path, {}), 403) == "User authorization failed."


class TestAField:
    @pytest.mark.parametrize(
        ("data_type", "data_option", "type_", "sent", "read"),
        [
            ("input", {"type": "text", "maxlength": 9, "default": "n"}, "varchar", "a", "a"),
            ("input", {"type": "email", "maxlength": 99, "linktemplate": "x"}, "email", "a@b.de",
             "a@b.de"),
            ("input", {"type": "url"}, "url", "https://a.de/", "https://a.de/"),
            ("input", {"type": "tel", "note": "With area code"}, "varchar", "030", "030"),
            ("textarea", {"maxlength": 500, "rows": 4}, "text", "a\nb", "a\nb"),
            ("integer", {"min": 0, "max": 99, "default": 5}, "integer", 7, 7),
            ("boolean", {"default": False, "options": {"true": "yes", "false": "no"}}, "boolean",
             True, True),
            ("select", {"options": {"s": "Small", "l": "Large"}, "default": "s"}, "list", "l", "l"),
            ("select", {"options": [{"name": "Small", "value": "s"}], "customsort": "on"}, "list",
             "s", "s"),
            ("tree_select", {"options": TREE}, "list", "Hardware::Printer", "Hardware::Printer"),
            ("date", {"diff": 24, "default": None}, "date", "2026-01-31", "2026-01-31"),
            ("datetime", {"future": True, "past": False, "diff": 1}, "datetime",
             "2026-01-31T10:00:00Z", "2026-01-31T10:00:00.000Z"),
        ],
    )  # fmt: skip
    def test_comes_back_as_it_was_given_and_is_there_at_once(
        self, ada: Wire, data_type: str, data_option: Any, type_: str, sent: Any, read: Any
    ) -> None:
        made = told(ada.post(HERE, body(data_type, data_option, position=7)), 201)

        assert made["data_option"] == {**data_option, "null": True}
        assert (made["data_type"], made["screens"], made["position"]) == (data_type, PUBLIC, 7)
        assert (made["object"], made["display"], made["active"]) == ("Ticket", "Asset", True)
        assert told(ada.get(f"{HERE}/{made['id']}"), 200) == made
        assert CustomField.objects.get().type == type_
        told(ada.post(f"{HERE}_execute_migrations"), 200)
        ticket = {"title": "x", "group": "Users", "customer_id": 2, "asset": sent}
        assert told(ada.post("tickets", ticket), 201)["asset"] == read
        again = told(ada.put(f"{HERE}/{made['id']}", made), 200)
        assert {**again, "updated_at": ""} == {**made, "updated_at": ""}

    def test_is_for_staff_and_required_as_its_screens_say(self, ada: Wire) -> None:
        required = {"edit": {"ticket.agent": {"shown": True, "required": True}}}

        made = told(ada.post(HERE, body(screens=required)), 201)

        field = CustomField.objects.get()
        assert (field.staff_only, field.required, field.max_length) == (True, True, 120)
        assert made["screens"] == required
        CustomField.objects.update(staff_only=False, required=False, max_length=5)
        changed = told(ada.get(f"{HERE}/{made['id']}"), 200)
        assert changed["data_option"]["maxlength"] == 5
        assert changed["data_option"]["null"] is True
        assert "ticket.customer" in changed["screens"]["edit"]

    def test_is_changed_in_part(self, ada: Wire) -> None:
        made = told(ada.post(HERE, body("select", {"options": {"a": "A"}}, screens=SCREENS)), 201)
        here = f"{HERE}/{made['id']}"

        shown = told(ada.put(here, {"display": "Thing", "active": False}), 200)
        wider = told(ada.put(here, {"data_option": {"options": {"a": "A", "b": "B"}}}), 200)

        assert (shown["display"], shown["active"]) == ("Thing", False)
        assert shown["data_option"] == made["data_option"]
        assert shown["screens"] == SCREENS
        assert wider["data_option"] == {"options": {"a": "A", "b": "B"}, "null": True}
        assert CustomField.objects.get().choices == [["a", "A"], ["b", "B"]]
        assert "'options'" in message(ada.put(here, {"data_type": "tree_select"}), 422)
        assert message(ada.put(here, {"data_type": "date"}), 422).startswith("The data type of")
        assert message(ada.put(here, {"name": "other"}), 422).endswith("cannot be renamed.")

    def test_goes_with_its_values(self, ada: Wire) -> None:
        made = told(ada.post(HERE, body()), 201)
        told(
            ada.post("tickets", {"title": "x", "group": "Users", "customer_id": 2, "asset": "a"}),
            201,
        )

        assert told(ada.delete(f"{HERE}/{made['id']}"), 200) == {}

        assert message(ada.get(f"{HERE}/{made['id']}"), 404)
        assert Ticket.objects.filter(title="x").get().custom == {}

    @pytest.mark.parametrize(
        ("given", "part"),
        [
            ({}, "'object' is missing"),
            (body(object="Sla"), "No lookup value found for 'object': \"Sla\""),
            (body(object=["x"]), "No lookup value found for 'object'"),
            (body(object="User"), "to Ticket only, not to User"),
            (body(name=""), "'name' is missing"),
            (body(name="Asset"), "is not possible for an attribute"),
            (body(name="owner_id"), "no name of a built-in one"),
            (body(name=["x"]), "Invalid value"),
            (body(display=None), "'display' is missing"),
            (body("multiselect", {"options": {"a": "A"}}), '"multiselect" is not possible'),
            (body("richtext", {}), '"richtext" is not possible'),
            (body({"a": 1}, {}), "is not possible"),
            (body("input", {"type": "password"}), '"password" is not possible'),
            (body("input", {"type": ["x"]}), "is not possible"),
            (body("select", {"relation": "Group"}), "cannot refer"),
            (body("select", {}), "needs 'options'"),
            (body("select", {"options": {}}), "at least one value"),
            (body("tree_select", {"options": [{"value": "a", "children": 3}]}), "needs 'options'"),
            (body("tree_select", {"options": [{"value": "a"}, {"value": "a"}]}), "each once"),
            (body("input", {"type": "text", "maxlength": 0}), "'maxlength'"),
            (body("integer", {"min": "low"}), "'min'"),
            (body(data_option=[1]), "'data_option'"),
            (body(screens={"edit": {"ticket.agent": 7}}), "'screens'"),
            (body(position="last"), "'position'"),
        ],
    )
    def test_that_a_ticket_cannot_hold_is_refused(self, ada: Wire, given: Any, part: str) -> None:
        assert part in message(ada.post(HERE, given), 422)
        assert not CustomField.objects.exists()

    def test_that_is_there_already_is_refused(self, ada: Wire) -> None:
        told(ada.post(HERE, body()), 201)

        assert message(ada.post(HERE, body()), 422) == "The attribute 'asset' exists already."
        assert message(ada.put(f"{HERE}/2", body()), 422).startswith("The attribute 'title' is")
        assert message(ada.delete(f"{HERE}/2"), 422).endswith("cannot be deleted.")
