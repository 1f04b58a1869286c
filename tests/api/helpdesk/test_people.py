"""Adding accounts, claiming addresses, and what customers see of their own tickets."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.hashers import identify_hasher

from deskbell.kernel.clock import now
from deskbell.people.models import User
from deskbell.tickets import public_links
from deskbell.tickets.models import Ticket
from deskbell.tickets.vocabulary import StateId
from tests.api.helpdesk.client import Api, basic
from tests.cast import ada, custom_field, group, kemal, nora, ticket

pytestmark = pytest.mark.django_db

GOOD = "correct horse 9"
TAKEN = "A user with that username already exists."
EMAIL_TAKEN = "A user with that email address already exists."
CHARACTERS = (
    "Enter a valid username. This value may contain only letters, numbers, and @/./+/-/_ "
    "characters."
)
SHORT = "This password is too short. It must contain at least 8 characters."
COMMON = "This password is too common."
NUMERIC = "This password is entirely numeric."


@pytest.fixture
def boss() -> User:
    return ada()


@pytest.fixture
def api(boss: User) -> Api:
    return Api(boss)


class TestAddingUsers:
    def test_a_customer_account(self, api: Api) -> None:
        answer = api.post(
            "users/",
            {
                "first_name": "F",
                "last_name": "L",
                "username": "fl",
                "email": "fl@example.test",
                "password": GOOD,
                "is_staff": True,
                "is_superuser": True,
                "is_active": False,
                "id": 1,
            },
        )

        assert (answer.status, answer.json) == (
            201,
            {"first_name": "F", "last_name": "L", "username": "fl", "email": "fl@example.test"},
        )
        user = User.objects.get(login="fl")
        assert user.active
        assert [role.name for role in user.roles.all()] == ["Customer"]
        assert identify_hasher(user.password)
        assert Api(user).get("tickets/").status == 403
        assert Api(HTTP_AUTHORIZATION=basic("fl", GOOD)).get("user_tickets/").status == 200

    def test_username_and_password_suffice(self, api: Api) -> None:
        answer = api.form("POST", "users/", f"username=u&password={GOOD.replace(' ', '+')}")

        assert answer.json == {"first_name": "", "last_name": "", "username": "u", "email": ""}

    @pytest.mark.parametrize(
        ("fields", "errors"),
        [
            ({"username": "ada"}, {"username": [TAKEN]}),
            ({"username": "ADA"}, {"username": [TAKEN]}),
            ({"username": "ada@example.test"}, {"username": [TAKEN]}),
            ({"username": "a b"}, {"username": [CHARACTERS]}),
            (
                {"username": "x" * 151},
                {"username": ["Ensure this field has no more than 150 characters."]},
            ),
            ({"username": ""}, {"username": ["This field may not be blank."]}),
            ({"username": None}, {"username": ["This field may not be null."]}),
            ({"email": "bad"}, {"email": ["Enter a valid email address."]}),
            ({"email": "ADA@example.test"}, {"email": [EMAIL_TAKEN]}),
            ({"email": "ada@example.test", "username": "ada"},
             {"username": [TAKEN], "email": [EMAIL_TAKEN]}),
            ({"first_name": "x" * 151},
             {"first_name": ["Ensure this field has no more than 150 characters."]}),
            ({"first_name": None}, {"first_name": ["This field may not be null."]}),
            ({"password": ""}, {"password": ["This field may not be blank."]}),
            ({"password": "\ud800" * 9},
             {"password": ["Surrogate characters are not allowed: U+D800."]}),
            ({"password": "gT5!x"}, {"password": [SHORT]}),
            ({"password": "password"}, {"password": [COMMON]}),
            ({"password": "12345678"}, {"password": [COMMON, NUMERIC]}),
            ({"username": "foobarbaz", "password": "foobarbaz"},
             {"password": ["The password is too similar to the username."]}),
            ({"first_name": "Wilhelmina", "password": "wilhelmina"},
             {"password": ["The password is too similar to the first name."]}),
            ({"email": "wilhelmina@example.test", "password": "wilhelmina"},
             {"password": ["The password is too similar to the email address."]}),
            ({"username": "1234567", "password": "1234567"},
             {"password": ["The password is too similar to the username.", SHORT, COMMON,
                           NUMERIC]}),
            ({"password": "x" * 1025},
             {"password": ["Ensure this field has no more than 1024 characters."]}),
        ],
    )  # fmt: skip
    def test_wrong_values(self, api: Api, fields: Any, errors: Any) -> None:
        before = User.objects.count()

        answer = api.post("users/", {"username": "someone", "password": GOOD} | fields)

        assert (answer.status, answer.json) == (400, errors)
        assert User.objects.count() == before

    def test_missing_fields(self, api: Api) -> None:
        assert api.post("users/", {}).json == {
            "username": ["This field is required."],
            "password": ["This field is required."],
        }
        assert api.post("users/", []).json == {
            "non_field_errors": ["Invalid data. Expected a dictionary, but got list."]
        }

    def test_who_is_known_by_address_only_is_claimed(self, api: Api) -> None:
        made = api.opened(submitter_email="Known@example.test")
        row = Ticket.objects.get(pk=made["id"]).customer

        claimed = api.post(
            "users/",
            {"username": "known", "email": "known@EXAMPLE.test", "password": GOOD,
             "first_name": "K"},
        )  # fmt: skip
        again = api.post(
            "users/", {"username": "known2", "email": "known@example.test", "password": GOOD}
        )

        assert claimed.status == 201
        assert claimed.json["username"] == "known"
        row.refresh_from_db()
        assert (row.login, row.login_chosen, row.firstname) == ("known", True, "K")
        assert (again.status, again.json) == (400, {"email": [EMAIL_TAKEN]})
        own = Api(HTTP_AUTHORIZATION=basic("known", GOOD)).get("user_tickets/")
        assert [t["id"] for t in own.json["results"]] == [made["id"]]

    def test_an_address_may_become_the_login_of_its_own_person_only(self, api: Api) -> None:
        api.opened(submitter_email="known@example.test")
        wanted = {"username": "known@example.test", "password": GOOD}

        without = api.post("users/", wanted)
        other = api.post("users/", wanted | {"email": "other@example.test"})
        own = api.post("users/", wanted | {"email": "known@example.test"})

        assert without.json == other.json == {"username": [TAKEN]}
        assert own.status == 201

    def test_user_one_is_taken_too(self, api: Api) -> None:
        assert api.post("users/", {"username": "-", "password": GOOD}).json == {"username": [TAKEN]}


class TestOwnTickets:
    def test_show_this_much_and_no_more(self, boss: User) -> None:
        custom_field("colour", "list", choices=["Red"])
        custom_field("secret", staff_only=True)
        made = ticket(kemal(), custom={"colour": "Red", "secret": "s"})
        body = Api(User.objects.get(login="kemal")).get("user_tickets/").json

        (shown,) = body["results"]

        assert body["count"] == 1
        assert list(shown) == [
            "ticket", "id", "title", "queue", "status", "created", "due_date", "submitter",
            "kbitem", "secret_key", "custom_colour",
        ]  # fmt: skip
        assert shown | {"secret_key": ""} == {
            "ticket": f"{made.pk} [users-{made.pk}]",
            "id": made.pk,
            "title": "Printer on fire",
            "queue": {"title": "Users", "id": 1},
            "status": "Open",
            "created": "2026-03-02T09:00:00Z",
            "due_date": None,
            "submitter": "kemal@example.test",
            "kbitem": "",
            "secret_key": "",
            "custom_colour": "Red",
        }
        assert public_links.is_key(shown["secret_key"], made.pk, at=now())
        assert Api(User.objects.get(login="kemal")).get(f"user_tickets/{made.pk}/").json == shown

    def test_are_newest_first_and_paged(self) -> None:
        user = kemal()
        ids = [ticket(user).pk for _ in range(3)]

        body = Api(user).get("user_tickets/?page_size=2").json

        assert [t["id"] for t in body["results"]] == [ids[2], ids[1]]
        assert body["next"] == "http://testserver/api/user_tickets/?page=2&page_size=2"

    @pytest.mark.parametrize(
        ("columns", "label"),
        [
            ({"state_id": StateId.RESOLVED}, "Resolved"),
            ({"state_id": StateId.MERGED}, "Duplicate"),
            ({"state_id": StateId.PENDING_REMINDER}, "Open - On Hold"),
            ({"state_id": StateId.REOPENED, "on_hold": True}, "Reopened - On Hold"),
        ],
    )
    def test_status_is_a_word(self, columns: Any, label: str) -> None:
        user = kemal()
        made = ticket(user)
        Ticket.objects.filter(pk=made.pk).update(**columns)

        assert Api(user).get(f"user_tickets/{made.pk}/").json["status"] == label

    def test_are_the_callers_alone_also_for_staff(self, boss: User, api: Api) -> None:
        foreign = ticket(kemal())
        own = ticket(boss)

        assert [t["id"] for t in api.get("user_tickets/").json["results"]] == [own.pk]
        for id_, text in (
            (foreign.pk, "No Ticket matches the given query."),
            (999, "No Ticket matches the given query."),
            ("abc", "Not found."),
        ):
            answer = api.get(f"user_tickets/{id_}/")
            assert (answer.status, answer.json) == (404, {"detail": text})

    def test_without_an_address_there_are_none(self) -> None:
        nameless = kemal(email="")
        made = ticket(nameless)
        ticket()

        assert Api(nameless).get("user_tickets/").json["count"] == 0
        assert Api(nameless).get(f"user_tickets/{made.pk}/").status == 404

    def test_of_other_groups_too(self) -> None:
        agent = nora()
        made = ticket(agent, group_id=group().pk)

        assert Api(agent).get("user_tickets/").json["count"] == 1
        assert Api(agent).get(f"user_tickets/{made.pk}/").status == 200
        assert Api(agent).get("tickets/").json["count"] == 0
