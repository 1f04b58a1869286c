"""Searching people, organizations and groups: the same language, the same answers everywhere."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deskbell.kernel.actor import SYSTEM
from deskbell.people.models import Organization, User
from deskbell.people.operations import change_user, delete_organization, delete_user
from deskbell.search import people
from deskbell.search.models import Person
from tests import cast
from tests.api.zammad.wire import Wire, told

pytestmark = pytest.mark.django_db

ÄRZTE, BAKERY = "Ärzte GmbH", "Bakery"


@pytest.fixture
def nora() -> Wire:
    ärzte = cast.organization(ÄRZTE, domain="aerzte.example", note="Große Übung")
    cast.organization(BAKERY, active=False)
    cast.kemal(organization=ärzte, phone="+49 30 1234-56", city="Köln")
    cast.person("müller", roles=[3], email="o.ezdemir@example.test")
    cast.person("ann-1", roles=[3], email="xkemal@example.test", active=False)
    return Wire(cast.nora())


def logins(wire: Wire, query: str) -> set[str]:
    found = told(wire.get(f"users/search?query={quote(query)}&with_total_count=true"), 200)
    assert len(found["records"]) == found["total_count"]
    return {user["login"] for user in found["records"]} - {"sample.customer@deskbell.invalid"}


ALL = {"kemal", "müller", "ann-1", "nora"}


# Tables of one test each: the cast is dearer than all the requests.
USERS: list[tuple[str, set[str]]] = [
    ("müller", {"müller"}), ("MÜLLER", {"müller"}), ("muller", {"müller"}),
    ("üll", {"müller"}), ("ema", {"kemal", "ann-1"}), ("Kemal Example", {"kemal", "ann-1"}),
    ('"Kemal Example"', {"kemal"}), ('"Example Kemal"', set()), ('"emal"', set()),
    ("kemal@example.test", {"kemal"}), ("KEMAL@example.test", {"kemal"}),
    ("example.test", ALL), ("ärzte", {"kemal"}), ("ARZTE", {"kemal"}), ("ÄRZ*", {"kemal"}),
    ("1234", {"kemal"}), ("1234-56", {"kemal"}), ("köln", {"kemal"}), ("city:KÖLN", {"kemal"}),
    ("email:kemal@example.test", {"kemal"}), ('email: "KEMAL@example.test"', {"kemal"}),
    ("email:emal@example.test", set()), ("email:xkem*", {"ann-1"}),
    ("email:*@example.test", ALL),
    ("email:o.*", {"müller"}), ("login:MÜLLER", {"müller"}), ("login:mull*", {"müller"}),
    ("login:m?ller", {"müller"}), ("login:*ller", {"müller"}), ("login:mülle", set()),
    ("login:ann-1", {"ann-1"}), ("login:kemal@example.test", set()),
    ("firstname:kemal lastname:EXAMPLE", {"kemal"}), ('fullname:"kemal example"', {"kemal"}),
    ("organization.name:ärzte", {"kemal"}), ('organization:"ÄRZTE gmbh"', {"kemal"}),
    ("organization.name:bakery", set()), ("roles.name:agent", {"nora"}),
    ("role_ids:2", {"nora"}), ("role_ids:(2 OR 3)", ALL), ("active:false", {"ann-1"}),
    ("active:true", ALL - {"ann-1"}), ("active:maybe", set()), ("_exists_:phone", {"kemal"}),
    ("NOT _exists_:phone", ALL - {"kemal"}), ("!kemal", ALL - {"kemal", "ann-1"}),
    ("kemal -active:false", {"kemal"}), ("firstname:(kemal OR nora)", {"kemal", "nora"}),
    ("created_at:>2020 kemal", {"kemal", "ann-1"}), ("(kemal", {"kemal", "ann-1"}),
    ("nosuch:x", set()), ("password:x", set()), ("-", set()), ("---", set()), ("EMAIL:", set()),
    ("EMAIL", set()), ("_", set()), ("*", ALL), ("kemal OR *", ALL), ("NOT *", set()),
    ("id:x", set()), ("id:99999999999999999999", set()), ("kemal?", set()),
    ("(?:kemal", {"kemal", "ann-1"}),
]  # fmt: skip
ORGANIZATIONS: list[tuple[str, list[str]]] = [
    ("ärzte", [ÄRZTE]), ("ÄRZTE", [ÄRZTE]), ("zte", [ÄRZTE]), ("name:arzte", [ÄRZTE]),
    ("name:zte", []), ('name:"ärzte gmbh"', [ÄRZTE]), ('name:"gmbh ärzte"', []),
    ("name:är*", [ÄRZTE]), ("domain:aerzte.example", [ÄRZTE]), ("domain:aerzte", [ÄRZTE]),
    ("note:übung", [ÄRZTE]), ("ÜBUNG", [ÄRZTE]), ("members.login:KEMAL", [ÄRZTE]),
    ("members.email:kemal@example.test", [ÄRZTE]), ("members.login:nora", []),
    ("active:false", [BAKERY]), ("name:bakery AND active:true", []), ("bak", [BAKERY]),
]  # fmt: skip


def test_users(nora: Wire) -> None:
    for query, found in USERS:
        assert logins(nora, query) == found, query


def test_organizations(nora: Wire) -> None:
    for query, found in ORGANIZATIONS:
        answer = told(nora.get(f"organizations/search?query={quote(query)}"), 200)
        assert [one["name"] for one in answer] == found, query


def test_groups_fold_as_well(nora: Wire) -> None:
    sales = cast.group("Übersetzer")
    wire = Wire(cast.person("ada", roles=[1, 2, 4]))

    for query in ("ÜBERSETZER", "ubers", "name:über*", '"übersetzer"'):
        found = told(wire.get(f"groups/search?query={quote(query)}"), 200)
        assert [one["id"] for one in found] == [sales.pk], query


def test_everywhere_follows_people(nora: Wire) -> None:
    found = told(nora.get(f"search?query={quote('ÄRZTE')}"), 200)["result"]

    assert {one["type"] for one in found} == {"User", "Organization"}


def test_who_changes_is_found_by_the_new_name_at_once(nora: Wire) -> None:
    kemal = User.objects.get(login="kemal")
    change_user(kemal.pk, columns={"lastname": "Özdemir"}, actor=SYSTEM, at=cast.MONDAY_10AM)
    assert logins(nora, "ÖZDEMIR") == {"kemal"}
    cast.organization("New").members.add(kemal)

    delete_user(User.objects.get(login="ann-1").pk, actor=SYSTEM, at=cast.MONDAY_10AM)
    bakery = Organization.objects.get(name=BAKERY)
    delete_organization(bakery.pk, actor=SYSTEM, at=cast.MONDAY_10AM)

    assert logins(nora, "organization.name:new") == {"kemal"}
    assert logins(nora, "organization.name:ärzte") == set()
    for model, kind in people.KINDS.items():
        rows = Person.objects.filter(kind=kind).values_list("object_id", flat=True)
        assert set(rows) <= set(model._default_manager.values_list("pk", flat=True))


def test_those_without_a_row_get_one(nora: Wire) -> None:
    whole = set(Person.objects.values_list("kind", "object_id", "words"))
    Person.objects.exclude(words__contains=" LOGIN:nora ").delete()

    assert people.complete() == User.objects.count() + Organization.objects.count() - 1
    assert people.complete() == 0
    assert whole <= set(Person.objects.values_list("kind", "object_id", "words"))
    assert people.rebuild() == User.objects.count() + Organization.objects.count()


def test_costs_the_same_however_many(nora: Wire) -> None:
    def asked() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert nora.get("users/search?query=example+organization.name:x*+OR+n?ra").status_code
        return len(queries)

    asked()
    before = asked()
    for number in range(5):
        cast.person(f"nora{number}", roles=[3])

    assert asked() == before


_SCRAP = st.sampled_from(
    [
        *'()"*?:-!+[]{}<>=~^\\/|$.',
        *(" AND ", " OR ", "NOT ", "email:", "name:", "id:", "_exists_:", "organization.name:"),
        *("kemal", "ä", "@", "1", "日", "roles.name:", "active:", " "),
    ]
)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(query=st.lists(_SCRAP, max_size=10).map("".join))
def test_no_query_fails(query: str) -> None:
    if not User.objects.filter(login="nora").exists():
        cast.nora()
        cast.kemal()
    wire = Wire(User.objects.get(login="nora"))

    for path in ("users", "organizations"):
        told(wire.post(f"{path}/search", {"query": query}), 200)
