"""Conditions in Zammad's form."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from deskbell.kernel.actor import SYSTEM, Actor
from deskbell.kernel.errors import Invalid
from deskbell.search.conditions import plan_conditions
from deskbell.search.results import count, find
from deskbell.tickets.models import Ticket
from tests import cast
from tests.cast import MONDAY_9AM, MONDAY_10AM
from tests.search import corpus

pytestmark = pytest.mark.django_db


def ids(conditions: Any, query: str = "*", actor: Actor = SYSTEM) -> list[int]:
    plan = plan_conditions(conditions, me=actor.user_id, now=MONDAY_10AM)
    found = sorted(find(actor, query, condition=plan))
    assert count(actor, query, condition=plan) == len(found)
    return found


@pytest.fixture
def ticket() -> Ticket:
    for name, type_ in (("room", "varchar"), ("floor", "integer"), ("seen", "boolean")):
        cast.custom_field(name, type_)
    kemal = cast.kemal(organization=cast.organization("Acme", note="Große Übung", vip=True))
    cast.ticket(title="Another 100%", body="Nothing", at=MONDAY_9AM - timedelta(days=90))
    return cast.ticket(
        kemal,
        title="Printer on fire_",
        body="It burns.",
        tags=("vip", "hot"),
        state_id=2,
        owner_id=cast.nora().pk,
        custom={"room": "Blue Room 7", "floor": -2, "seen": True},
    )


@pytest.mark.parametrize(
    "condition",
    [
        {"ticket.title": {"operator": "contains", "value": "on FIRE"}},
        {"ticket.title": {"operator": "contains not", "value": "another"}},
        {"ticket.title": {"operator": "starts with", "value": "printer"}},
        {"ticket.title": {"operator": "ends with", "value": "fire_"}},
        {"ticket.title": {"operator": "is", "value": "printer on fire_"}},
        {"ticket.title": {"operator": "is", "value": ["x", "Printer on fire_"]}},
        {"ticket.title": {"operator": "contains", "value": "_"}},
        {"ticket.state_id": {"operator": "is", "value": ["2"]}},
        {"ticket.state_id": {"operator": "is", "value": 2}},
        {"ticket.state_id": {"operator": "is not", "value": ["1", "3"]}},
        {"ticket.organization_id": {"operator": "is set"}},
        {"ticket.created_at": {"operator": "after (absolute)", "value": "2026-03-01"}},
        {"ticket.created_at": {"operator": "within last (relative)", "range": "day", "value": "2"}},
        {"ticket.created_at": {"operator": "from (relative)", "range": "hour", "value": 1}},
        {"ticket.tags": {"operator": "contains one", "value": "vip, cold"}},
        {"ticket.tags": {"operator": "contains all", "value": "vip, hot"}},
        {"customer.login": {"operator": "is", "value": "kemal"}},
        {"organization.note": {"operator": "contains", "value": "ÜBUNG"}},
        {"organization.note": {"operator": "starts with", "value": "große ü"}},
        {"organization.note": {"operator": "ends with", "value": "e übung"}},
        {"organization.note": {"operator": "is", "value": "GROßE ÜBUNG"}},
        {"organization.vip": {"operator": "is", "value": True}},
        {"customer.vip": {"operator": "is", "value": "false"}, "ticket.state_id": {"value": 2}},
        {"customer.organization_id": {"operator": "is not", "value": ["", None]}},
        {"ticket.owner_id": {"operator": "is set"}},
        {"ticket.state_id": {"operator": "is greater than", "value": 1}},
        {"ticket.state_id": {"operator": "is any of", "value": [2, 4]}},
        {"ticket.state_id": {"operator": "is none of", "value": [1, 4]}},
        {"ticket.title": {"operator": "starts with one of", "value": ["x", "PRINT"]}},
        {"ticket.created_at": {"operator": "today"}},
        {"ticket.created_at": {"operator": "after (absolute)", "value": "2026-03-02"}},
        {"ticket.created_at": {"operator": "within last (relative)", "range": "week", "value": 1}},
        {"ticket.created_at": {"operator": "is", "value": "2026-03-02T09:00:00Z"}},
        {"article.created_at": {"operator": "after (absolute)", "value": "2026-03-01"}},
        {"article.type_id": {"operator": "is", "value": ["", 11]}, "ticket.state_id": {"value": 2}},
        {"ticket.room": {"operator": "is", "value": "blue room 7"}},
        {"ticket.room": {"operator": "contains", "value": "oo"}},
        {"ticket.floor": {"operator": "is less than", "value": 0}},
        {"ticket.floor": {"operator": "is", "value": "-2"}},
        {"ticket.floor": {"operator": "is set"}},
        {"ticket.seen": {"operator": "is", "value": True}},
        {
            "operator": "AND",
            "conditions": [
                {"name": "ticket.title", "operator": "contains", "value": "fire"},
                {
                    "operator": "NOT",
                    "conditions": [{"name": "ticket.state_id", "operator": "is", "value": 1}],
                },
                {
                    "operator": "OR",
                    "conditions": [
                        {"name": "ticket.state_id", "operator": "is", "value": 4},
                        {"name": "customer.login", "operator": "is", "value": "KEMAL"},
                    ],
                },
            ],
        },
        {"customer.email": {"operator": "ends with", "value": "@example.test"}},
        {"organization.name": {"operator": "starts with", "value": "ac"}},
        {"article.body": {"operator": "contains", "value": "burns"}},
        {"article.type_id": {"operator": "is", "value": "11"}, "ticket.state_id": {"value": 2}},
        {
            "ticket.title": {"operator": "contains", "value": "print"},
            "ticket.state_id": {"operator": "is", "value": ["2"]},
        },
    ],
)
def test_find_the_ticket_and_no_other(ticket: Ticket, condition: Any) -> None:
    assert ids(condition) == [ticket.pk]
    assert ids(condition, "printer") == [ticket.pk]
    assert ids(condition, "another") == []


@pytest.mark.parametrize(
    "condition",
    [
        {"ticket.title": {"operator": "is", "value": "printer"}},
        {"ticket.title": {"operator": "contains", "value": "%f"}},
        {"ticket.state_id": {"operator": "is", "value": []}},
        {"ticket.state_id": {"operator": "is", "value": "x"}},
        {"ticket.tags": {"operator": "contains all", "value": "vip, cold"}},
        {"ticket.created_at": {"operator": "before (absolute)", "value": "2020-01-01"}},
        {"ticket.close_at": {"operator": "is set"}},
        {"ticket.created_at": {"operator": "before (absolute)", "value": "2025-12-02T08:59:59Z"}},
        {"ticket.created_at": {"operator": "within next (relative)", "range": "day", "value": 1}},
        {"ticket.created_at": {"operator": "after (relative)", "range": "day", "value": 1}},
        {"ticket.room": {"operator": "is", "value": "red"}},
        {"ticket.floor": {"operator": "is", "value": "x"}},
        {"organization.note": {"operator": "contains", "value": "*ü*"}},
        {
            "ticket.tags": {"operator": "contains all not", "value": "hot"},
            "ticket.state_id": {"value": 2},
        },
    ],
)
def test_find_nothing(ticket: Ticket, condition: Any) -> None:
    assert ids(condition) == []


@pytest.mark.parametrize(
    "condition",
    [
        {"ticket.nosuch": {"operator": "is", "value": 1}},
        {"ticket.title": {"operator": "explodes", "value": "x"}},
        {"ticket.state_id": {"operator": "contains", "value": "x"}},
        {"ticket.created_at": {"operator": "after (absolute)", "value": "soon"}},
        {"ticket.created_at": {"operator": "within last (relative)", "range": "aeon", "value": 1}},
        {"ticket.title": {"operator": "is", "value": {"a": 1}}},
        {"ticket.title": {"operator": "is", "value": "\x00"}},
        {"ticket.title": "x"},
        {"ticket.state_id": {"operator": "has changed"}},
        {"ticket.updated_at": {"operator": "is in working time"}},
        {"ticket.title": {"operator": "matches regex", "value": ".*"}},
        {"organization.vip": {"operator": "contains", "value": "x"}},
        {"ticket.floor": {"operator": "contains", "value": "1"}},
        {"operator": "XOR", "conditions": []},
        {"conditions": {"ticket.title": {"value": "x"}}},
        {"conditions": ["x"]},
        {"conditions": [{"operator": "is", "value": 1}]},
        {"customer.password": {"operator": "contains", "value": "a"}},
        [],
        "x",
    ],
)
def test_what_makes_no_sense_is_refused(condition: Any) -> None:
    with pytest.raises(Invalid) as refused:
        ids(condition)

    assert refused.value.field == "condition"


def test_mine_and_nobodys(ticket: Ticket) -> None:
    actor = cast.acting(ticket.owner)
    mine = {"ticket.owner_id": {"operator": "is", "pre_condition": "current_user.id"}}
    nobodys = {"ticket.owner_id": {"operator": "is", "pre_condition": "not_set"}}

    assert ids(mine, actor=actor) == [ticket.pk]
    assert ticket.pk not in ids(nobodys, actor=actor)
    assert len(ids(nobodys, actor=actor)) == 1


def test_mine_means_my_organization_too(ticket: Ticket) -> None:
    mine = {
        "ticket.organization_id": {
            "operator": "is",
            "pre_condition": "current_user.organization_id",
        }
    }

    assert ids(mine, actor=cast.acting(ticket.customer)) == [ticket.pk]
    assert ids(mine) == []


@pytest.mark.parametrize("moment", [MONDAY_9AM, cast.DST_NIGHT])
def test_the_moment_itself_counts_before_and_after(ticket: Ticket, moment: Any) -> None:
    Ticket.objects.filter(pk=ticket.pk).update(close_at=moment)
    shown = moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03}Z"

    for operator in ("before (absolute)", "after (absolute)"):
        assert ids({"ticket.close_at": {"operator": operator, "value": shown}}) == [ticket.pk]


def test_blocks_are_bounded(ticket: Ticket) -> None:
    deep: dict[str, Any] = {"name": "ticket.title", "operator": "is", "value": "x"}
    for _ in range(20):
        deep = {"operator": "AND", "conditions": [deep]}
    wide = {"conditions": [{"name": "ticket.title", "value": "x"}] * 60}

    for condition in (deep, wide):
        with pytest.raises(Invalid):
            ids(condition)


def test_an_empty_set_of_conditions_narrows_nothing(ticket: Ticket) -> None:
    assert len(ids({})) == 2


def test_a_customer_finds_nothing_by_what_is_internal(ticket: Ticket) -> None:
    corpus.add_article(ticket, "secret", internal=True)
    condition = {"article.body": {"operator": "contains", "value": "secret"}}

    assert ids(condition) == [ticket.pk]
    assert ids(condition, actor=cast.acting(ticket.customer)) == []
