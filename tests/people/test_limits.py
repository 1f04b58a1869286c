"""What is written about people is fit for both databases, and nothing else is written."""

from __future__ import annotations

from typing import Any

import pytest

from deskbell.kernel.actor import NOBODY_ID, SYSTEM
from deskbell.kernel.errors import Forbidden, Invalid, Refused, Unknown
from deskbell.kernel.models import Event
from deskbell.people.access import actor_for
from deskbell.people.models import ApiToken, Group, Identity, User
from deskbell.people.operations import (
    NewUser,
    change_user,
    create_token,
    create_user,
    delete_user,
    find_or_create_customer,
    is_claimable,
    save_group,
    save_organization,
    save_role,
)
from tests.cast import MONDAY_9AM, MONDAY_10AM, group, kemal, nora, organization

pytestmark = pytest.mark.django_db

WHO: Any = {"actor": SYSTEM, "at": MONDAY_10AM}
DEEP: Any = {}
for _ in range(100):
    DEEP = {"a": DEEP}


def events_of(name: str, id_: int) -> list[Event]:
    return list(Event.objects.filter(object=name, object_id=id_).order_by("id"))


class TestAPerson:
    @pytest.mark.parametrize(
        ("given", "field", "code"),
        [
            ({"login": "x" * 256}, "login", "too_long"),
            ({"login": "ﬃ" * 120}, "login", "too_long"),
            ({"login": "a\x00b"}, "login", "bad"),
            ({"login": "a\nb"}, "login", "bad"),
            ({"login": "\ud800"}, "login", "bad"),
            ({"login": "x", "firstname": "y" * 151}, "firstname", "too_long"),
            ({"login": "x", "lastname": "\x00"}, "lastname", "bad"),
            ({"login": "x", "columns": {"note": "n" * 5001}}, "note", "too_long"),
            ({"login": "x", "columns": {"vip": "yes"}}, "vip", "bad"),
            ({"login": "x", "columns": {"mail_optout": ["everything"]}}, "mail_optout", "bad"),
            ({"login": "x", "preferences": {"a": "\x00"}}, "preferences", "bad"),
            ({"login": "x", "preferences": {"a": float("nan")}}, "preferences", "bad"),
            ({"login": "x", "preferences": DEEP}, "preferences", "bad"),
            ({"login": "x", "preferences": {"a": "b" * 300_000}}, "preferences", "bad"),
            ({"login": "x", "password": "\ud800" * 8}, "password", "bad"),
            ({"login": "x", "password": "p" * 1025}, "password", "too_long"),
            ({"login": "x", "roles": [2**70]}, "roles", "unknown"),
            ({"login": "x", "groups": {2**70: ["full"]}}, "groups", "unknown"),
            ({"login": "x", "groups": {1: ["everything"]}}, "groups", "bad"),
            ({"email": "x@" + ".".join(["ﬃ" * 60] * 4) + ".com"}, "email", "not_an_address"),
        ],
    )
    def test_that_cannot_be(self, given: dict[str, Any], field: str, code: str) -> None:
        before = User.objects.count()
        with pytest.raises(Invalid) as refused:
            create_user(NewUser(**given), **WHO)
        assert (refused.value.field, refused.value.code) == (field, code)
        assert User.objects.count() == before

    def test_changed_to_what_it_is_leaves_no_trace(self) -> None:
        user = nora()
        change_user(user.pk, preferences={"locale": "de"}, actor=SYSTEM, at=MONDAY_9AM)
        count = len(events_of("User", user.pk))
        change_user(
            user.pk,
            columns={"firstname": "Nora", "active": True},
            login="nora",
            email="nora@example.test",
            roles=[2],
            groups={1: ["full"]},
            organization_id=None,
            organizations=[],
            preferences={"locale": "de"},
            login_chosen=True,
            **WHO,
        )
        user.refresh_from_db()
        assert user.updated_at == MONDAY_9AM
        assert len(events_of("User", user.pk)) == count

    def test_changed_leaves_a_line_for_everything(self) -> None:
        user = nora()
        acme = organization("Acme")
        change_user(
            user.pk,
            columns={"phone": "1"},
            email="n@example.test",
            password="another good one",
            roles=[2, 3],
            groups={1: ["read", "change"]},
            organization_id=acme.pk,
            organizations=[1],
            preferences={"locale": "de"},
            **WHO,
        )
        lines = {
            c["attribute"]: (c["from"], c["to"]) for c in events_of("User", user.pk)[-1].changes
        }
        assert lines == {
            "phone": ("", "1"),
            "email": ("nora@example.test", "n@example.test"),
            "organization": (None, "Acme"),
            "preferences": (None, None),
            "password": (None, None),
            "roles": ("Agent", "Agent, Customer"),
            "groups": ("Users: full", "Users: change, read"),
            "organizations": ("", "Deskbell"),
        }

    def test_gone_leaves_neither_name_nor_address(self) -> None:
        customer = kemal()
        change_user(customer.pk, email="secret@example.test", **WHO)
        delete_user(customer.pk, **WHO)
        for event in events_of("User", customer.pk):
            assert "secret" not in str(event.changes) + event.number
            assert "kemal" not in str(event.changes) + event.number


class TestAClaim:
    def test_is_for_who_has_no_account_yet(self) -> None:
        known = find_or_create_customer("k@example.test", actor=SYSTEM, at=MONDAY_9AM)
        change_user(known.pk, login="kem", password="first of all", claiming=True, **WHO)
        known.refresh_from_db()
        assert not is_claimable(known)
        with pytest.raises(Invalid) as refused:
            change_user(known.pk, login="evil", password="second of all", claiming=True, **WHO)
        assert (refused.value.field, refused.value.code) == ("email", "taken")


class TestAGroup:
    @pytest.mark.parametrize(
        ("columns", "field", "code"),
        [
            ({"name": "ﬃ" * 150}, "name", "too_long"),
            ({"name": "a\x00b"}, "name", "bad"),
            ({"slug": "x" * 51}, "slug", "too_long"),
            ({"slug": "a b"}, "slug", "bad"),
            ({"slug": "users"}, "slug", "taken"),
            ({"default_owner_id": 999_999}, "default_owner_id", "unknown"),
            ({"default_owner_id": NOBODY_ID}, "default_owner_id", "unknown"),
            ({"escalate_days": -1}, "escalate_days", "bad"),
            ({"reopen_time_in_days": 2**40}, "reopen_time_in_days", "bad"),
            ({"note": "n" * 251}, "note", "too_long"),
            (
                {"new_ticket_cc": [f"a{n}@b.example" for n in range(101)]},
                "new_ticket_cc",
                "too_many",
            ),
            ({"updated_ticket_cc": [5]}, "updated_ticket_cc", "not_an_address"),
            ({"sender_name": "s" * 151}, "sender_name", "too_long"),
            ({"name": "Users:: "}, "parent", "unknown"),
        ],
    )
    def test_that_cannot_be(self, columns: dict[str, Any], field: str, code: str) -> None:
        before = Group.objects.count()
        with pytest.raises(Invalid) as refused:
            save_group(None, {"name": "G", **columns}, **WHO)
        assert (refused.value.field, refused.value.code) == (field, code)
        assert Group.objects.count() == before

    def test_grants_known_levels_only(self) -> None:
        with pytest.raises(Invalid):
            save_group(1, {}, users={nora().pk: ["everything there is"]}, **WHO)

    def test_renamed_takes_those_below_along(self) -> None:
        top = group("Europe")
        below = group("Europe::Sales")
        deep = group("Europe::Sales::Inside")
        save_group(top.pk, {"name": "World"}, **WHO)
        below.refresh_from_db()
        deep.refresh_from_db()
        assert (below.name, deep.name) == ("World::Sales", "World::Sales::Inside")
        assert group("World::Sales::More").parent_id == below.pk

    def test_is_not_below_itself(self) -> None:
        top = group("Europe")
        group("Europe::Sales")
        with pytest.raises(Invalid) as refused:
            save_group(top.pk, {"name": "Europe::Sales::Top"}, **WHO)
        assert refused.value.field == "parent"

    def test_changed_leaves_lines_and_unchanged_none(self) -> None:
        user = nora({})
        save_group(1, {"note": "New", "escalate_days": 3}, users={user.pk: ["read"]}, **WHO)
        lines = {c["attribute"]: c["to"] for c in events_of("Group", 1)[-1].changes}
        assert lines == {"note": "New", "escalate_days": "3", "users": "nora: read"}
        count = len(events_of("Group", 1))
        save_group(1, {"note": "New"}, users={user.pk: ["read"]}, **WHO)
        assert len(events_of("Group", 1)) == count


class TestARole:
    @pytest.mark.parametrize("permission", ["admin", "admin.user", "ticket.agent", "ticket.delete"])
    def test_of_staff_is_not_given_for_signing_up(self, permission: str) -> None:
        with pytest.raises(Invalid) as refused:
            save_role(
                None, {"name": "R", "default_at_signup": True}, permissions=[permission], **WHO
            )
        assert refused.value.field == "default_at_signup"
        with pytest.raises(Invalid):
            save_role(3, {}, permissions=[permission], **WHO)

    def test_changed_leaves_lines(self) -> None:
        role = save_role(None, {"name": "R"}, permissions=["ticket.agent"], **WHO)
        save_role(role.pk, {"note": "n"}, permissions=["report"], groups={1: ["read"]}, **WHO)
        lines = {
            c["attribute"]: (c["from"], c["to"]) for c in events_of("Role", role.pk)[-1].changes
        }
        assert lines == {
            "note": ("", "n"),
            "permissions": ("ticket.agent", "report"),
            "groups": ("", "Users: read"),
        }

    def test_preferences_are_bounded(self) -> None:
        with pytest.raises(Invalid):
            save_role(None, {"name": "R", "preferences": DEEP}, **WHO)


class TestAnOrganization:
    @pytest.mark.parametrize(
        "columns", [{"domain": "d" * 251}, {"note": "\x00"}, {"shared": 1}, {"name": "ﬃ" * 140}]
    )
    def test_that_cannot_be(self, columns: dict[str, Any]) -> None:
        with pytest.raises(Invalid):
            save_organization(None, {"name": "O", **columns}, **WHO)

    def test_says_who_came_and_went(self) -> None:
        acme = organization("Acme")
        first, second = kemal(organization=acme), nora()
        save_organization(acme.pk, {}, members=[second.pk, NOBODY_ID], **WHO)
        lines = {
            (c["type"], c["from"] or c["to"])
            for c in events_of("Organization", acme.pk)[-1].changes
        }
        assert lines == {("removed", "kemal"), ("added", "nora")}
        assert User.objects.get(pk=NOBODY_ID).organization_id is None
        with pytest.raises(Invalid):
            save_organization(acme.pk, {}, members=[2**70], **WHO)
        assert first.pk != second.pk


class TestAToken:
    def make(self, user: User, permissions: list[str] | None, **who: Any) -> ApiToken:
        return create_token(
            user.pk, name="t", permissions=permissions, expires_at=None, **{**WHO, **who}
        )[0]

    def test_lets_through_what_there_is(self) -> None:
        user = nora()
        with pytest.raises(Invalid):
            self.make(user, ["everything"])
        with pytest.raises(Unknown):
            self.make(User(pk=999_999), [])
        with pytest.raises(Unknown):
            self.make(User(pk=NOBODY_ID), [])

    def test_that_is_narrow_makes_none_that_is_wider(self) -> None:
        user = nora()
        narrowed = actor_for(user.pk, "zammad", scope=["user_preferences"])
        assert narrowed is not None
        for permissions in (["ticket.agent"], None):
            with pytest.raises(Forbidden):
                self.make(user, permissions, actor=narrowed)
        assert self.make(user, ["user_preferences.avatar"], actor=narrowed)

    def test_has_a_name_that_fits_and_a_secret_of_its_own(self) -> None:
        user = nora()
        with pytest.raises(Invalid):
            create_token(user.pk, name="n" * 251, permissions=[], expires_at=None, **WHO)
        create_token(user.pk, name="a", permissions=[], expires_at=None, secret="same", **WHO)
        with pytest.raises(Invalid):
            create_token(user.pk, name="b", permissions=[], expires_at=None, secret="same", **WHO)

    def test_history_says_whose(self) -> None:
        user = nora()
        self.make(user, [])
        assert events_of("User", user.pk)[-1].number == "nora"


class TestNobody:
    def test_is_not_removed_and_keeps_the_sign(self) -> None:
        with pytest.raises(Refused):
            delete_user(NOBODY_ID, **WHO)
        assert Identity.objects.get(key="-").user_id == NOBODY_ID

    @pytest.mark.parametrize("id_", [0, -1, 2**63, 2**200])
    def test_acts_under_an_id_that_is_none(self, id_: int) -> None:
        assert actor_for(id_, "web") is None
