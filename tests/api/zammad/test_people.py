"""Users, organizations, groups and roles over HTTP."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from deskbell.kernel.actor import SYSTEM
from deskbell.people.models import Group, Organization, User
from deskbell.people.operations import change_user, save_role
from tests import cast
from tests.api.zammad.wire import Wire, basic, message, told

pytestmark = pytest.mark.django_db

SECONDARY = "Secondary organizations are only allowed when the primary organization is given."
NO_IDENTIFIER = (
    "At least one identifier (firstname, lastname, phone, mobile or email) for user is required."
)
USER_KEYS = {
    "id", "organization_id", "login", "firstname", "lastname", "email", "image", "image_source",
    "web", "phone", "fax", "mobile", "department", "street", "zip", "city", "country", "address",
    "vip", "verified", "active", "note", "last_login", "source", "login_failed", "out_of_office",
    "out_of_office_start_at", "out_of_office_end_at", "out_of_office_replacement_id",
    "preferences", "updated_by_id", "created_by_id", "created_at", "updated_at", "role_ids",
    "organization_ids", "two_factor_preference_ids", "authorization_ids", "overview_sorting_ids",
    "group_ids",
}  # fmt: skip
GROUP_KEYS = {
    "id", "signature_id", "email_address_id", "name", "name_last", "parent_id",
    "assignment_timeout", "follow_up_possible", "reopen_time_in_days", "follow_up_assignment",
    "active", "shared_drafts", "note", "updated_by_id", "created_by_id", "created_at",
    "updated_at", "user_ids",
}  # fmt: skip
ORGANIZATION_KEYS = {
    "id", "name", "shared", "domain", "domain_assignment", "active", "vip", "note",
    "updated_by_id", "created_by_id", "created_at", "updated_at", "member_ids",
    "secondary_member_ids",
}  # fmt: skip


@pytest.fixture
def ada() -> Wire:
    return Wire(cast.ada())


@pytest.fixture
def nora() -> Wire:
    return Wire(cast.nora())


class TestUsers:
    def test_object(self, ada: Wire) -> None:
        body = told(ada.post("users", {"firstname": "Rosa", "email": "Rosa@Example.TEST"}), 201)

        assert set(body) == USER_KEYS
        assert body["login"] == body["email"] == "rosa@example.test"
        assert body["role_ids"] == [3]
        assert body["group_ids"] == {}
        assert body["active"] is True
        assert body["image"] is body["last_login"] is body["organization_id"] is None
        assert body["note"] == body["web"] == ""

    def test_with_everything(self, ada: Wire) -> None:
        acme, other = cast.organization("Acme"), cast.organization("Other")
        sales = cast.group("Sales")
        body = {
            "login": "Sam",
            "firstname": "Sam",
            "lastname": "S",
            "email": "sam@x.example",
            "password": "very secret words",
            "phone": "1",
            "vip": True,
            "note": "n",
            "department": "d",
            "roles": ["Agent"],
            "groups": {"Users": "full", "Sales": ["read", "change"]},
            "organization": "Acme",
            "organizations": ["Other"],
            "preferences": {"locale": "de-de"},
            "invite": True,
            "id": 77,
            "created_by_id": 77,
        }

        user = told(ada.post("users?expand=true", body), 201)

        assert user["id"] != 77
        assert user["login"] == "sam"
        assert (user["roles"], user["organization"]) == (["Agent"], "Acme")
        assert user["organizations"] == ["Other"]
        assert user["groups"] == {"Users": ["full"], "Sales": ["change", "read"]}
        assert user["group_ids"] == {"1": ["full"], str(sales.pk): ["change", "read"]}
        assert user["organization_id"] == acme.pk
        assert user["organization_ids"] == [other.pk]
        assert user["created_by"] == "ada"
        assert set(user["preferences"]) == {"locale", "notification_config"}
        assert user["preferences"]["locale"] == "de-de"
        assert "password" not in user
        told(Wire().get("users/me", **basic("sam@x.example", "very secret words")), 200)

    def test_agents_make_customers_whatever_they_say(self, nora: Wire) -> None:
        body = {"email": "x@x.example", "role_ids": [1], "group_ids": {"1": ["full"]}}

        user = told(nora.post("users", body), 201)

        assert (user["role_ids"], user["group_ids"]) == ([3], {})

    def test_first_name_with_a_blank_is_both_names(self, ada: Wire) -> None:
        user = told(ada.post("users", {"firstname": "Agent First"}), 201)

        assert (user["firstname"], user["lastname"]) == ("Agent", "First")
        assert user["login"].startswith("auto-")
        assert user["email"] == ""

    def test_nulls_count_as_absent(self, ada: Wire) -> None:
        body = {"firstname": "A", "lastname": None, "phone": None, "active": None, "roles": None}

        user = told(ada.post("users", body), 201)

        assert (user["lastname"], user["phone"], user["active"]) == ("", "", True)

    def test_an_address_of_a_company_joins_it(self, ada: Wire) -> None:
        acme = cast.organization("Acme", domain="acme.example", domain_assignment=True)

        user = told(ada.post("users", {"email": "q@ACME.example"}), 201)

        assert user["organization_id"] == acme.pk

    @pytest.mark.parametrize(
        ("body", "text"),
        [
            ({}, NO_IDENTIFIER),
            ({"note": "x", "login": " "}, NO_IDENTIFIER),
            ({"firstname": "x", "organization_ids": [1]}, SECONDARY),
            ({"email": "some_what"}, "Invalid email 'some_what'"),
            (
                {"email": "ADA@example.test"},
                "Email address 'ada@example.test' is already used for another user.",
            ),
            ({"firstname": "x", "login": "ada"}, "This object already exists."),
            ({"firstname": "x", "login": "ada@example.test"}, "This object already exists."),
            ({"firstname": "x", "roles": ["Nope"]}, "No lookup value found for 'roles': \"Nope\""),
            ({"firstname": "x", "role_ids": [999]}, "No value found for 'roles' with id 999"),
            ({"firstname": "x", "group_ids": {"99": ["full"]}}, None),
            ({"firstname": "x", "group_ids": {"1": ["everything"]}}, None),
            ({"firstname": "x", "group_ids": [1]}, None),
            ({"firstname": "x", "groups": {"Nope": "full"}}, None),
            ({"firstname": "x", "organization": "Nope"}, None),
            (
                {"firstname": "x", "organization_id": 999},
                "Invalid value for param 'organization_id': 999",
            ),
            ({"firstname": "x" * 151}, "Firstname is too long (maximum is 150 characters)"),
            ({"firstname": "x", "password": "x" * 1025}, None),
            ({"firstname": "x", "active": "maybe"}, None),
        ],
    )
    def test_create_refuses(self, ada: Wire, body: dict[str, Any], text: str | None) -> None:
        before = User.objects.count()

        said = message(ada.post("users", body), 422)

        assert text is None or said == text
        assert User.objects.count() == before

    def test_an_update_is_partial(self, ada: Wire) -> None:
        kemal = cast.kemal(phone="1")

        user = told(ada.put(f"users/{kemal.pk}", {"city": "Ulm", "lastname": None}), 200)

        assert (user["city"], user["phone"], user["lastname"]) == ("Ulm", "1", "Example")
        assert user["role_ids"] == [3]

    def test_writing_back_what_was_read_changes_nothing(self, ada: Wire) -> None:
        sam = cast.person("sam", roles=[2], groups={1: ["read", "change"]})
        before = told(ada.get(f"users/{sam.pk}?expand=true"), 200)

        told(ada.put(f"users/{sam.pk}", before), 200)

        after = told(ada.get(f"users/{sam.pk}?expand=true"), 200)
        for body in (before, after):
            del body["updated_at"], body["updated_by_id"], body["updated_by"]
        assert after == before

    def test_agents_change_customers_but_no_passwords_and_no_rights(self, nora: Wire) -> None:
        kemal = cast.kemal()
        body = {"password": "stolen words here", "role_ids": [1], "firstname": "K"}

        user = told(nora.put(f"users/{kemal.pk}", body), 200)

        assert (user["firstname"], user["role_ids"]) == ("K", [3])
        told(Wire().get("users/me", **basic("kemal")), 200)

    def test_agents_change_no_agent_who_is_a_customer_too(self, nora: Wire) -> None:
        both = cast.person("both", roles=[2, 3])
        admin = cast.person("boss", roles=[1, 3])
        gone = cast.person("gone", roles=[1, 3], active=False)

        for user in (both, admin, gone):
            said = message(nora.put(f"users/{user.pk}", {"email": "mine@x.example"}), 403)
            assert said == "Not authorized"

    def test_a_delegate_gives_and_takes_no_rights_above_his_own(self) -> None:
        role = save_role(
            None,
            {"name": "People"},
            permissions=["admin.user"],
            actor=SYSTEM,
            at=cast.MONDAY_9AM,
        )
        dora = Wire(cast.person("dora", roles=[role.pk]))
        ada = cast.ada()

        message(dora.post("users", {"firstname": "x", "role_ids": [1]}), 403)
        message(dora.put(f"users/{ada.pk}", {"password": "stolen words here"}), 403)
        message(dora.delete(f"users/{ada.pk}"), 403)
        told(dora.post("users", {"firstname": "x", "role_ids": [2]}), 201)

    def test_user_one_is_shown_and_left_alone(self, ada: Wire) -> None:
        nobody = told(ada.get("users/1?expand=true"), 200)

        assert (nobody["login"], nobody["email"], nobody["role_ids"]) == ("-", "", [])
        message(ada.put("users/1", {"active": True}), 403)
        assert message(ada.delete("users/1"), 422) == "Can't delete, object has references."

    def test_delete(self, ada: Wire) -> None:
        kemal, idle = cast.kemal(), cast.person("idle", roles=[3])
        cast.ticket(kemal)

        response = ada.delete(f"users/{idle.pk}")
        assert (response.status_code, response.content) == (200, b"{}")
        said = message(ada.delete(f"users/{kemal.pk}"), 422)
        assert said == "Can't delete, object has references."
        assert message(ada.get(f"users/{idle.pk}"), 404) == (
            f"Couldn't find User with 'id'={idle.pk}"
        )

    def test_list_and_me(self, ada: Wire) -> None:
        kemal = cast.kemal()

        assert [user["id"] for user in told(Wire(kemal).get("users"), 200)] == [kemal.pk]
        everybody = told(ada.get("users"), 200)
        assert [user["id"] for user in everybody] == sorted(user["id"] for user in everybody)
        assert everybody[0]["id"] == 1
        full = told(ada.get("users?full=true"), 200)
        assert full["record_ids"] == [user["id"] for user in everybody]
        assert full["total_count"] == len(everybody)
        assert set(full["assets"]) >= {"User", "Role", "Group", "Organization"}
        me = told(Wire(kemal).get("users/me?full=true"), 200)
        assert set(me) == {"id", "assets"}

    def test_customers_hear_little_about_others(self) -> None:
        acme = cast.organization()
        ines = cast.person("ines", roles=[3], organization=acme, phone="1", note="difficult")
        kemal = cast.kemal(organization=acme)

        seen = told(Wire(kemal).get(f"users/{ines.pk}"), 200)
        own = told(Wire(ines).get(f"users/{ines.pk}"), 200)

        assert set(seen) == USER_KEYS
        assert (seen["firstname"], seen["phone"], seen["note"]) == ("Ines", "", "")
        assert seen["role_ids"] == []
        assert (own["phone"], own["role_ids"]) == ("1", [3])

    def test_search(self, nora: Wire, time_at: Any) -> None:
        acme = cast.organization("Acme Ltd")
        kemal = cast.kemal(organization=acme, city="Ulm")
        old = cast.person("old", roles=[3], active=False, email="old@x.example")

        def ids(query: str) -> list[int]:
            return [user["id"] for user in told(nora.get(f"users/search?{query}"), 200)]

        everybody = set(User.objects.exclude(pk=1).values_list("pk", flat=True))
        assert set(ids("query=*")) == set(ids("")) == set(ids("query=")) == everybody
        for column in ("out_of_office", "created_by_id", "organization_id", "updated_at"):
            assert set(ids(f"sort_by={column}&order_by=asc")) == everybody
        assert ids("query=kem") == ids("query=KEMAL@example.test") == [kemal.pk]
        assert ids("query=email:kemal@example.test") == [kemal.pk]
        assert ids('query=firstname:"Kemal"') == [kemal.pk]
        assert ids("query=kemal AND city:Ulm") == [kemal.pk]
        assert ids("query=kemal AND NOT city:Ulm") == []
        assert set(ids("query=login:kemal OR login:old")) == {kemal.pk, old.pk}
        assert ids("query=active:false AND login:o*d") == [old.pk]
        assert ids("query=organization.name:Acme") == [kemal.pk]
        assert ids(f"query=id:{kemal.pk}") == [kemal.pk]
        assert kemal.pk in ids("query=_exists_:city")
        assert ids("query=password:x") == ids("query=login__startswith:k") == []
        assert kemal.pk in ids("query=created_at:[2026-03-01 TO 2026-03-03]")
        assert ids("query=created_at:>2126") == ids("query=id:x") == []
        assert ids(f"ids={kemal.pk},{old.pk}&sort_by=login&order_by=desc") == [old.pk, kemal.pk]
        assert kemal.pk in ids("role_ids=3")
        assert kemal.pk not in ids("role_ids[]=2")
        assert kemal.pk not in ids("permissions=ticket.agent")
        assert kemal.pk not in ids("group_ids[1]=full")
        # The active ones first, then the last changed.
        assert ids("query=*")[-1] in {1, old.pk}
        change_user(kemal.pk, columns={"city": "X"}, actor=SYSTEM, at=cast.MONDAY_9AM)
        assert len(ids("per_page=1")) == 1
        assert ids("page=99") == []

    def test_search_counts(self, nora: Wire) -> None:
        cast.kemal()

        assert told(nora.get("users/search?query=kemal&only_total_count=true"), 200) == {
            "total_count": 1
        }
        counted = told(nora.get("users/search?query=kemal&with_total_count=true&expand=1"), 200)
        assert counted["total_count"] == 1
        assert counted["records"][0]["roles"] == ["Customer"]
        full = told(nora.get("users/search?query=kemal&full=true"), 200)
        assert (len(full["record_ids"]), full["total_count"]) == (1, 1)

    def test_search_labels(self, nora: Wire) -> None:
        kemal = cast.kemal()
        label = "Kemal Example <kemal@example.test>"

        assert told(nora.get("users/search?query=kemal&label=true"), 200) == [
            {"id": kemal.pk, "label": label, "value": label}
        ]
        assert told(nora.get("users/search?term=kemal"), 200) == [
            {"id": kemal.pk, "label": label, "value": "kemal@example.test", "inactive": False}
        ]

    def test_history(self, nora: Wire) -> None:
        kemal = cast.kemal()
        told(nora.put(f"users/{kemal.pk}", {"city": "Ulm"}), 200)

        entries = told(nora.get(f"users/history/{kemal.pk}"), 200)["history"]

        assert entries[-1]["attribute"] == "city"
        assert entries[-1]["value_to"] == "Ulm"
        assert [entry["id"] for entry in entries] == sorted(entry["id"] for entry in entries)


class TestOrganizations:
    def test_object(self, ada: Wire) -> None:
        kemal = cast.kemal()
        body = {"name": "Acme", "domain": "acme.example", "members": ["KEMAL", "ada@example.test"]}

        made = told(ada.post("organizations", body), 201)

        assert set(made) == ORGANIZATION_KEYS
        assert kemal.pk in made["member_ids"]
        assert (made["shared"], made["active"], made["note"]) == (True, True, "")
        shown = told(ada.get(f"organizations/{made['id']}?expand=true"), 200)
        assert sorted(shown["members"]) == ["ada", "kemal"]
        assert shown["secondary_members"] == []
        assert shown["created_by"] == "ada"

    def test_change_and_delete(self, ada: Wire) -> None:
        kemal = cast.kemal()
        acme = cast.organization("Acme")
        path = f"organizations/{acme.pk}"

        told(ada.put(path, {"member_ids": [kemal.pk], "shared": False}), 200)
        assert message(ada.delete(path), 422) == "Can't delete, object has references."
        assert told(ada.put(path, {"member_ids": []}), 200)["member_ids"] == []
        assert told(ada.delete(path), 200) == {}
        assert message(ada.get(path), 404) == (f"Couldn't find Organization with 'id'={acme.pk}")

    @pytest.mark.parametrize(
        ("body", "text"),
        [
            ({}, "Missing required value for field 'name'!"),
            ({"name": "ACME"}, "This object already exists."),
            ({"name": "x", "members": ["nope"]}, "No lookup value found for 'members': \"nope\""),
            ({"name": "x", "member_ids": [999]}, "No value found for 'members' with id 999"),
            ({"name": "x" * 151}, "Name is too long (maximum is 150 characters)"),
        ],
    )
    def test_refuses(self, ada: Wire, body: dict[str, Any], text: str) -> None:
        cast.organization("Acme")
        before = Organization.objects.count()

        assert message(ada.post("organizations", body), 422) == text
        assert Organization.objects.count() == before

    def test_customers_see_their_own(self) -> None:
        acme, other = cast.organization("Acme"), cast.organization("Other")
        further = cast.organization("Further")
        kemal = Wire(cast.kemal(organization=acme))
        loner = Wire(cast.person("loner", roles=[3]))
        User.objects.get(login="kemal").organizations.add(further)

        assert [one["name"] for one in told(kemal.get("organizations"), 200)] == [
            "Acme",
            "Further",
        ]
        assert message(kemal.get("organizations/search?query=*"), 403)
        assert message(kemal.get(f"organizations/{other.pk}"), 403) == "Not authorized"
        assert told(kemal.get(f"organizations/{acme.pk}"), 200)["name"] == "Acme"
        assert told(loner.get("organizations"), 200) == []
        assert told(loner.get(f"organizations/{acme.pk}"), 200) == {}

    def test_search(self, nora: Wire) -> None:
        acme = cast.organization("Acme Ltd", note="dear")

        def ids(query: str) -> list[int]:
            return [one["id"] for one in told(nora.get(f"organizations/search?{query}"), 200)]

        assert set(ids("")) == {1, acme.pk}
        for login in ("one", "two"):
            cast.person(login, roles=[2, 3], organization=acme)
        assert ids("query=members.email:example.test") == [acme.pk]
        users = told(nora.get("users/search?query=role_ids:[2 TO 3] AND login:two"), 200)
        assert [user["login"] for user in users] == ["two"]
        assert ids("query=acme") == ids("query=name:Ltd") == ids("query=note:dear") == [acme.pk]
        assert told(nora.get("organizations/search?query=acme&label=1"), 200) == [
            {"id": acme.pk, "label": "Acme Ltd", "value": "Acme Ltd"}
        ]


class TestGroups:
    def test_object(self, ada: Wire) -> None:
        made = told(ada.post("groups", {"name": "Sales", "note": "n"}), 201)

        assert set(made) == GROUP_KEYS
        assert (made["name"], made["name_last"], made["parent_id"]) == ("Sales", "Sales", None)
        assert (made["follow_up_possible"], made["active"]) == ("yes", True)
        assert made["user_ids"] == []
        expanded = told(ada.get(f"groups/{made['id']}?expand=true"), 200)
        assert expanded["users"] == []
        assert expanded["signature"] is None
        assert expanded["created_by"] == "ada"

    def test_nested(self, ada: Wire) -> None:
        sales = cast.group("Sales")

        by_name = told(ada.post("groups", {"name": "Sales::North"}), 201)
        by_parent = told(ada.post("groups", {"name_last": "South", "parent_id": sales.pk}), 201)

        assert (by_name["name_last"], by_name["parent_id"]) == ("North", sales.pk)
        assert by_parent["name"] == "Sales::South"
        message(ada.post("groups", {"name": "Nope::North"}), 422)
        kemal = cast.kemal()
        ticket = told(
            ada.post("tickets", {"title": "x", "group": "Sales::North", "customer_id": kemal.pk}),
            201,
        )
        assert ticket["group_id"] == by_name["id"]

    def test_members(self, ada: Wire) -> None:
        nora = cast.nora({1: ["read"]})
        sam = cast.person("sam", roles=[2])

        changed = told(ada.put("groups/1", {"user_ids": [nora.pk, sam.pk]}), 200)

        assert changed["user_ids"] == [nora.pk, sam.pk]
        assert told(ada.get(f"users/{nora.pk}"), 200)["group_ids"] == {"1": ["read"]}
        assert told(ada.get(f"users/{sam.pk}"), 200)["group_ids"] == {"1": ["full"]}

    def test_writing_back_what_was_read_changes_nothing(self, ada: Wire) -> None:
        cast.nora({1: ["read", "change"]})
        before = told(ada.get("groups/1?expand=true"), 200)

        told(ada.put("groups/1", before), 200)

        after = told(ada.get("groups/1?expand=true"), 200)
        for body in (before, after):
            del body["updated_at"], body["updated_by_id"], body["updated_by"]
        assert after == before

    def test_delete(self, ada: Wire) -> None:
        sales = cast.group("Sales")
        cast.ticket(None)

        assert told(ada.delete(f"groups/{sales.pk}"), 200) == {}
        assert message(ada.delete("groups/1"), 422) == "Can't delete, object has references."
        assert message(ada.get(f"groups/{sales.pk}"), 404) == (
            f"Couldn't find Group with 'id'={sales.pk}"
        )

    @pytest.mark.parametrize(
        ("body", "text"),
        [
            ({}, "Missing required value for field 'name'!"),
            ({"name": "users"}, "This object already exists."),
            ({"name": "x", "note": "x" * 251}, "Note is too long (maximum is 250 characters)"),
            (
                {"name": "x", "follow_up_possible": "maybe"},
                "Invalid value 'maybe' for field 'follow_up_possible'!",
            ),
            ({"name": "x", "reopen_time_in_days": -1}, None),
            ({"name": "x", "assignment_timeout": "soon"}, None),
            ({"name_last": "x", "parent_id": 999}, "Invalid value for param 'parent_id': 999"),
        ],
    )
    def test_refuses(self, ada: Wire, body: dict[str, Any], text: str | None) -> None:
        before = Group.objects.count()

        said = message(ada.post("groups", body), 422)

        assert text is None or said == text
        assert Group.objects.count() == before

    def test_agents_see_theirs(self, nora: Wire, ada: Wire) -> None:
        cast.group("Sales")

        assert [one["name"] for one in told(nora.get("groups"), 200)] == ["Users"]
        assert [one["name"] for one in told(ada.get("groups"), 200)] == ["Users", "Sales"]
        assert [one["name"] for one in told(ada.get("groups/search?query=sal"), 200)] == ["Sales"]
        by_name = told(ada.get("groups?sort_by=name&order_by=desc"), 200)
        assert [one["name"] for one in by_name] == ["Users", "Sales"]
        message(ada.get("groups?sort_by=slug"), 422)
        message(ada.get("groups?sort_by=name&order_by=sideways"), 422)


class TestRoles:
    def test_round(self, ada: Wire) -> None:
        body = {
            "name": "Lead",
            "permissions": ["ticket.agent", "report"],
            "group_ids": {"1": ["read"]},
        }

        made = told(ada.post("roles", body), 201)

        assert made["group_ids"] == {"1": ["read"]}
        assert made["knowledge_base_permission_ids"] == []
        assert len(made["permission_ids"]) == 2
        expanded = told(ada.get(f"roles/{made['id']}?expand=true"), 200)
        assert sorted(expanded["permissions"]) == ["report", "ticket.agent"]
        assert expanded["groups"] == {"Users": ["read"]}
        by_ids = {"permission_ids": made["permission_ids"][:1], "active": False}
        changed = told(ada.put(f"roles/{made['id']}", by_ids), 200)
        assert (len(changed["permission_ids"]), changed["active"]) == (1, False)
        assert told(ada.delete(f"roles/{made['id']}"), 200) == {}
        assert message(ada.delete("roles/3"), 422) == "Can't delete, object has references."
        message(ada.post("roles", {"name": "x", "permissions": ["nope"]}), 422)
        message(ada.post("roles", {"name": "agent"}), 422)

    def test_seeded_ones(self, ada: Wire) -> None:
        names = {role["id"]: role["name"] for role in told(ada.get("roles"), 200)}

        assert names == {1: "Admin", 2: "Agent", 3: "Customer", 4: "All groups"}
        assert told(ada.get("roles/4"), 200)["group_ids"] == {"1": ["full"]}

    def test_a_delegate_makes_no_role_above_his_own(self) -> None:
        role = save_role(
            None,
            {"name": "Roles"},
            permissions=["admin.role"],
            actor=SYSTEM,
            at=cast.MONDAY_9AM,
        )
        dora = Wire(cast.person("dora", roles=[role.pk]))

        message(dora.post("roles", {"name": "x", "permissions": ["admin"]}), 403)
        message(dora.put("roles/1", {"active": False}), 403)
        told(dora.post("roles", {"name": "x", "permissions": ["ticket.agent"]}), 201)


def test_an_owner_who_loses_his_account_gives_back_his_tickets(ada: Wire) -> None:
    nora = cast.nora()
    ticket = cast.ticket(None, owner_id=nora.pk, at=cast.MONDAY_9AM - timedelta(days=1))

    told(ada.put(f"users/{nora.pk}", {"active": False}), 200)

    assert told(ada.get(f"tickets/{ticket.pk}"), 200)["owner_id"] == 1
