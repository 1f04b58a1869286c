"""Custom fields as ``custom_<slug>``: all kinds, where they are required, how they round trip."""

from __future__ import annotations

from typing import Any

import pytest

from deskbell.tickets.models import CustomField, Ticket
from tests.api.helpdesk.client import Api
from tests.cast import ada, custom_field, group, ticket

pytestmark = pytest.mark.django_db

KINDS: dict[str, dict[str, Any]] = {
    "varchar": {"max_length": 20},
    "text": {"max_length": 200},
    "integer": {},
    "decimal": {"max_digits": 7, "decimal_places": 3},
    "list": {"choices": ["Green", ["b", "Blue"], "Red"]},
    "boolean": {},
    "date": {},
    "time": {},
    "datetime": {},
    "email": {},
    "url": {},
    "ipaddress": {},
    "slug": {},
}
BLANK = "This field may not be blank."
NULL = "This field may not be null."
DATETIME = (
    "Datetime has wrong format. Use one of these formats instead: "
    "YYYY-MM-DDThh:mm[:ss[.uuuuuu]][+HH:MM|-HH:MM|Z]."
)
TIME = "Time has wrong format. Use one of these formats instead: hh:mm[:ss[.uuuuuu]]."
DATE = "Date has wrong format. Use one of these formats instead: YYYY-MM-DD."
SLUG = 'Enter a valid "slug" consisting of letters, numbers, underscores or hyphens.'

#: kind, what is sent, what is read.
GOOD = [
    ("varchar", " a ", "a"),
    ("varchar", 5, "5"),
    ("text", "a\nb", "a\nb"),
    ("integer", "5", 5),
    ("integer", 5.0, 5),
    ("integer", -(2**63), -(2**63)),
    ("decimal", 42.987, "42.987"),
    ("decimal", "1e3", "1000.000"),
    ("decimal", "-1.5", "-1.500"),
    ("list", "Green", "Green"),
    ("list", "b", "b"),
    ("boolean", "on", True),
    ("date", "2022-04-11", "2022-04-11"),
    ("time", "23:59", "23:59:00"),
    ("time", "23:59:59.5", "23:59:59.500000"),
    ("datetime", "2022-04-11T10:20:30Z", "2022-04-11T10:20"),
    ("datetime", "2022-04-11T10:20+05:00", "2022-04-11T05:20"),
    ("datetime", "2022-04-11", "2022-04-11T00:00"),
    ("email", "a@b.test", "a@b.test"),
    ("url", "https://example.test/?a=1", "https://example.test/?a=1"),
    ("ipaddress", "::1", "::1"),
    ("slug", "a-b_1", "a-b_1"),
]
#: kind, what is sent, what is said.
BAD = [
    ("varchar", "x" * 21, "Ensure this field has no more than 20 characters."),
    ("varchar", True, "Not a valid string."),
    ("varchar", "\0", "Null characters are not allowed."),
    ("text", "x" * 201, "Ensure this field has no more than 200 characters."),
    ("integer", "x", "A valid integer is required."),
    ("integer", 1.5, "A valid integer is required."),
    ("integer", True, "A valid integer is required."),
    ("integer", 2**63, "A valid integer is required."),
    ("integer", "9" * 2000, "String value too large."),
    ("decimal", "x", "A valid number is required."),
    ("decimal", "NaN", "A valid number is required."),
    ("decimal", True, "A valid number is required."),
    ("decimal", "1.23456", "Ensure that there are no more than 3 decimal places."),
    (
        "decimal",
        "12345.1",
        "Ensure that there are no more than 4 digits before the decimal point.",
    ),
    ("decimal", "1e999999999", "Ensure that there are no more than 7 digits in total."),
    ("list", "Purple", '"Purple" is not a valid choice.'),
    ("list", "Blue", '"Blue" is not a valid choice.'),
    ("list", [], '"[]" is not a valid choice.'),
    ("boolean", "maybe", "Must be a valid boolean."),
    ("date", "2022-13-01", DATE),
    ("date", 5, DATE),
    ("time", "25:00", TIME),
    ("datetime", "x", DATETIME),
    ("datetime", "0001-01-01T00:00:00+10:00", "Datetime value out of range."),
    ("email", "x", "Enter a valid email address."),
    ("url", "javascript:alert(1)", "Enter a valid URL."),
    ("ipaddress", "1.2.3", "Enter a valid IPv4 or IPv6 address."),
    ("slug", "a b", SLUG),
    *((kind, None, NULL) for kind in KINDS if kind not in ("integer", "decimal")),
]


@pytest.fixture
def api() -> Api:
    return Api(ada())


@pytest.fixture
def every_kind() -> None:
    for order, (kind, columns) in enumerate(KINDS.items()):
        custom_field(f"f_{kind}", kind, order=order, **columns)


@pytest.mark.usefixtures("every_kind")
class TestKinds:
    @pytest.mark.parametrize(("kind", "given", "read"), GOOD)
    def test_good_values(self, api: Api, kind: str, given: Any, read: Any) -> None:
        made = api.opened(**{f"custom_f_{kind}": given})

        assert made[f"custom_f_{kind}"] == read
        assert api.get(f"tickets/{made['id']}/").json == made

    @pytest.mark.parametrize(("kind", "given", "said"), BAD)
    def test_bad_values(self, api: Api, kind: str, given: Any, said: str) -> None:
        filled = {k: read for k, _given, read in GOOD}
        made = api.opened(**{f"custom_f_{k}": v for k, v in filled.items()})

        answer = api.patch(f"tickets/{made['id']}/", {f"custom_f_{kind}": given, "title": "N"})

        assert (answer.status, answer.json) == (400, {f"custom_f_{kind}": [said]})
        assert api.get(f"tickets/{made['id']}/").json == made

    def test_a_fresh_ticket_shows_the_unset_values_in_order(self, api: Api) -> None:
        made = api.opened()

        shown = {k: v for k, v in made.items() if k.startswith("custom_")}
        assert list(shown) == [f"custom_f_{kind}" for kind in KINDS]
        assert shown == {
            f"custom_f_{kind}": None
            if kind in ("integer", "decimal", "date", "time", "datetime")
            else False
            if kind == "boolean"
            else ""
            for kind in KINDS
        }

    def test_what_is_read_is_accepted_back_whatever_it_is(self, api: Api) -> None:
        made = api.opened()
        Ticket.objects.filter(pk=made["id"]).update(
            custom={
                "f_list": "Gone",
                "f_url": "no url",
                "f_decimal": "1234567890.5",
                "f_datetime": "2022-04-11T10:20:30+00:00",
            }
        )
        read = api.get(f"tickets/{made['id']}/").json

        answer = api.put(f"tickets/{made['id']}/", read)

        assert (answer.status, answer.json) == (200, read)
        stored = Ticket.objects.get(pk=made["id"]).custom
        assert stored["f_datetime"] == "2022-04-11T10:20:30+00:00"
        assert stored["f_list"] == "Gone"

    def test_a_form_leaves_empty_ones_alone(self, api: Api) -> None:
        made = api.opened(custom_f_integer=5, custom_f_boolean=True, custom_f_varchar="v")

        answer = api.form(
            "PUT",
            f"tickets/{made['id']}/",
            "queue=1&title=T&custom_f_integer=&custom_f_varchar=&custom_f_date=",
        )

        assert answer.status == 200
        assert answer.json["custom_f_integer"] == 5
        assert answer.json["custom_f_varchar"] == "v"
        # A box that is not ticked is not sent.
        assert answer.json["custom_f_boolean"] is False


class TestRequired:
    def test_on_post_and_put_but_not_on_patch(self, api: Api) -> None:
        made = api.opened()
        custom_field("must", required=True)
        required = {"custom_must": ["This field is required."]}

        posted = api.post("tickets/", {"queue": 1, "title": "T", "description": "D"})
        put = api.put(f"tickets/{made['id']}/", {"queue": 1, "title": "T"})
        patched = api.patch(f"tickets/{made['id']}/", {"title": "New"})
        given = api.put(f"tickets/{made['id']}/", {"queue": 1, "title": "T", "custom_must": "x"})

        assert (posted.status, posted.json) == (400, required)
        assert (put.status, put.json) == (400, required)
        assert patched.status == 200
        assert given.json["custom_must"] == "x"

    def test_the_unset_value_written_back_counts_as_given(self, api: Api) -> None:
        made = api.opened()
        custom_field("must", required=True)
        custom_field("when", "date", required=True)
        read = api.get(f"tickets/{made['id']}/").json

        assert api.put(f"tickets/{made['id']}/", read).status == 200

    def test_only_in_the_groups_it_is_limited_to(self, api: Api) -> None:
        sales = group()
        custom_field("must", required=True).groups.add(sales)

        here = api.post("tickets/", {"queue": 1, "title": "T", "description": "D"})
        there = api.post("tickets/", {"queue": sales.pk, "title": "T", "description": "D"})
        moved = api.put(f"tickets/{here.json['id']}/", {"queue": str(sales.pk), "title": "T"})

        assert here.status == 201
        assert here.json["custom_must"] == ""
        assert there.status == moved.status == 400
        assert list(there.json) == list(moved.json) == ["custom_must"]


class TestDefinitions:
    def test_their_order_is_the_desks(self, api: Api) -> None:
        custom_field("z", order=1)
        custom_field("a", order=2)
        custom_field("m", order=0)

        assert list(api.opened())[-3:] == ["custom_m", "custom_z", "custom_a"]

    def test_staff_see_staff_only_ones_and_nobody_inactive_ones(self, api: Api) -> None:
        custom_field("secret", staff_only=True)
        custom_field("gone", active=False)

        made = api.opened(custom_secret="s", custom_gone="g", custom_unknown=1)

        assert [k for k in made if k.startswith("custom_")] == ["custom_secret"]
        assert Ticket.objects.get(pk=made["id"]).custom == {"secret": "s"}

    def test_a_number_beyond_all_sense_never_reaches_the_database(self, api: Api) -> None:
        custom_field("free", "decimal")

        answer = api.post(
            "tickets/",
            {"queue": 1, "title": "T", "description": "D", "custom_free": "1e999999999"},
        )

        assert (answer.status, answer.json) == (
            400,
            {"custom_free": ["A valid number is required."]},
        )

    def test_all_are_described_by_options(self, api: Api) -> None:
        for kind, columns in KINDS.items():
            custom_field(f"f_{kind}", kind, help_text="Why", **columns)
        CustomField.objects.filter(name="f_slug").update(required=True)
        made = ticket()

        for path, method in (("tickets/", "POST"), (f"tickets/{made.pk}/", "PUT")):
            fields = api.send("OPTIONS", path).json["actions"][method]
            shown = {k: v for k, v in fields.items() if k.startswith("custom_")}
            assert {k: v["type"] for k, v in shown.items()} == {
                "custom_f_varchar": "string",
                "custom_f_text": "string",
                "custom_f_integer": "integer",
                "custom_f_decimal": "decimal",
                "custom_f_list": "choice",
                "custom_f_boolean": "boolean",
                "custom_f_date": "date",
                "custom_f_time": "time",
                "custom_f_datetime": "datetime",
                "custom_f_email": "email",
                "custom_f_url": "url",
                "custom_f_ipaddress": "string",
                "custom_f_slug": "slug",
            }
            assert shown["custom_f_varchar"] == {
                "type": "string",
                "required": False,
                "read_only": False,
                "label": "F_varchar",
                "help_text": "Why",
                "max_length": 20,
            }
            assert shown["custom_f_decimal"]["max_digits"] == 7
            assert shown["custom_f_decimal"]["decimal_places"] == 3
            assert shown["custom_f_list"]["choices"][1] == {"value": "b", "display_name": "Blue"}
            assert shown["custom_f_slug"]["required"] is True
