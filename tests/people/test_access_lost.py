"""Who loses an account or an access gives back open tickets, and only for that (decision 23)."""

from __future__ import annotations

from typing import Any

import pytest

from deskbell.kernel.actor import NOBODY_ID, SYSTEM
from deskbell.kernel.models import Event
from deskbell.people.access import full_access
from deskbell.people.models import User
from deskbell.people.operations import change_user, save_group, save_role
from deskbell.tickets.models import Ticket
from tests.cast import MONDAY_10AM, ada, group, kemal, nora, person, ticket

pytestmark = pytest.mark.django_db

WHO: Any = {"actor": SYSTEM, "at": MONDAY_10AM}


def owner_of(ticket: Ticket) -> int:
    ticket.refresh_from_db()
    return ticket.owner_id


@pytest.fixture
def by_role() -> tuple[User, int]:
    """An agent whose access to group 1 comes through a role of its own."""
    role = save_role(
        None, {"name": "Team"}, permissions=["ticket.agent"], groups={1: ["full"]}, **WHO
    )
    return person("rolf", roles=[role.pk]), role.pk


class TestThroughARole:
    @pytest.mark.parametrize(
        "change",
        [
            {"columns": {}, "groups": {1: ["read", "change", "create", "overview"]}},
            {"columns": {}, "groups": {}},
            {"columns": {}, "permissions": ["report"]},
            {"columns": {"active": False}},
        ],
    )
    def test_that_grants_less(self, by_role: tuple[User, int], change: dict[str, Any]) -> None:
        agent, role_id = by_role
        mine = ticket(owner_id=agent.pk)
        closed = ticket(owner_id=agent.pk, state_id=4)
        save_role(role_id, change.pop("columns"), **change, **WHO)
        assert owner_of(mine) == NOBODY_ID
        assert owner_of(closed) == agent.pk
        last = Event.objects.filter(object="Ticket", object_id=mine.pk).order_by("id").last()
        assert last is not None
        assert last.changes[0]["attribute"] == "owner"

    def test_that_grants_more_or_the_same(self, by_role: tuple[User, int]) -> None:
        agent, role_id = by_role
        mine = ticket(owner_id=agent.pk)
        sales = group("Sales")
        save_role(role_id, {"name": "Crew"}, groups={1: ["full"], sales.pk: ["full"]}, **WHO)
        assert owner_of(mine) == agent.pk

    def test_while_another_role_still_grants_it(self, by_role: tuple[User, int]) -> None:
        agent, role_id = by_role
        change_user(agent.pk, roles=[role_id, 4], **WHO)
        mine = ticket(owner_id=agent.pk)
        save_role(role_id, {}, groups={}, **WHO)
        assert owner_of(mine) == agent.pk
        change_user(agent.pk, roles=[role_id], **WHO)
        assert owner_of(mine) == NOBODY_ID


class TestThroughAGroup:
    def test_that_names_others(self) -> None:
        agent, other = nora(), person("olga", roles=[2])
        sales = group("Sales")
        change_user(agent.pk, groups={1: ["full"], sales.pk: ["full"]}, **WHO)
        here, there = ticket(owner_id=agent.pk), ticket(owner_id=agent.pk, group_id=sales.pk)
        save_group(1, {}, users={other.pk: ["full"]}, **WHO)
        assert owner_of(here) == NOBODY_ID
        assert owner_of(there) == agent.pk


class TestThroughThePerson:
    def test_only_where_access_was_taken(self) -> None:
        """A form may have put somebody in charge without access; that is not taken back."""
        agent = nora({1: ["full"]})
        sales = group("Sales")
        here = ticket(owner_id=agent.pk)
        by_form = ticket(owner_id=agent.pk, group_id=sales.pk)
        change_user(agent.pk, groups={1: ["read"]}, **WHO)
        assert owner_of(here) == NOBODY_ID
        assert owner_of(by_form) == agent.pk

    def test_not_for_an_unrelated_change(self) -> None:
        owner = kemal()
        by_form = ticket(owner_id=owner.pk)
        change_user(owner.pk, roles=[3, 2], **WHO)
        change_user(owner.pk, groups={}, columns={"phone": "1"}, **WHO)
        assert owner_of(by_form) == owner.pk

    def test_everything_with_the_account(self) -> None:
        owner = kemal()
        by_form = ticket(owner_id=owner.pk)
        change_user(owner.pk, columns={"active": False}, **WHO)
        assert owner_of(by_form) == NOBODY_ID


class TestFullAccess:
    def test_says_who_where(self, django_assert_num_queries: Any) -> None:
        sales = group("Sales")
        everywhere, here = ada(), nora({1: ["full"], sales.pk: ["change"]})
        person("pia", roles=[3], groups={1: ["full"]})  # grants without being an agent
        person("ines", roles=[4], active=False)
        with django_assert_num_queries(1):
            pairs = full_access()
        assert pairs == {(everywhere.pk, 1), (everywhere.pk, sales.pk), (here.pk, 1)}
        assert full_access(group_id=sales.pk) == {(everywhere.pk, sales.pk)}
        assert full_access(user_id=here.pk) == {(here.pk, 1)}
        assert full_access(role_id=4) == {(everywhere.pk, 1), (everywhere.pk, sales.pk)}
        assert full_access(role_id=4, group_id=1) == {(everywhere.pk, 1)}
