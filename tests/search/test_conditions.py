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
    kemal = cast.kemal(organization=cast.organization("Acme"))
    cast.ticket(title="Another 100%", body="Nothing", at=MONDAY_9AM - timedelta(days=90))
    return cast.ticket(
        kemal, title="Printer on fire_", body="It burns.", tags=("vip", "hot"), state_id=2
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
    nora = cast.nora()
    Ticket.objects.filter(pk=ticket.pk).update(owner=nora)
    actor = cast.acting(nora)
    mine = {"ticket.owner_id": {"operator": "is", "pre_condition": "current_user.id"}}
    nobodys = {"ticket.owner_id": {"operator": "is", "pre_condition": "not_set"}}

    assert ids(mine, actor=actor) == [ticket.pk]
    assert ticket.pk not in ids(nobodys, actor=actor)
    assert len(ids(nobodys, actor=actor)) == 1


def test_an_empty_set_of_conditions_narrows_nothing(ticket: Ticket) -> None:
    assert len(ids({})) == 2


def test_a_customer_finds_nothing_by_what_is_internal(ticket: Ticket) -> None:
    corpus.add_article(ticket, "secret", internal=True)
    condition = {"article.body": {"operator": "contains", "value": "secret"}}

    assert ids(condition) == [ticket.pk]
    assert ids(condition, actor=cast.acting(ticket.customer)) == []
