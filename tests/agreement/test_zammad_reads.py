"""Every read of the Zammad dialect equals the slow, obvious way of saying it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deskbell.people.models import Group, Organization, Role, User
from deskbell.tickets.models import Priority, State, Ticket
from tests import cast
from tests.agreement import obvious
from tests.agreement.obvious import (
    desk,
    slow_article,
    slow_article_expanded,
    slow_expanded,
    slow_ticket,
    slow_user,
    with_ids,
)
from tests.api.zammad.wire import Wire, told

pytestmark = pytest.mark.django_db


class TestTickets:
    """One desk, which takes long to set up, for all that is read of it."""

    def test_fast_is_the_obvious_way(self) -> None:
        desk(24)
        self.agent = Wire(User.objects.get(login="nora"))
        self.customer = Wire(User.objects.get(login="ines"))

        self.check_lists()
        self.check_search()
        self.check_full()
        self.check_all()
        self.check_articles()

    def rows(self, *, staff: bool) -> list[Ticket]:
        rows = Ticket.objects.order_by("id")
        return list(rows if staff else rows.filter(organization__name="Acme"))

    def check_lists(self) -> None:
        for wire, staff in ((self.agent, True), (self.customer, False)):
            rows = self.rows(staff=staff)
            assert len(rows) > 5
            assert told(wire.get("tickets"), 200) == [slow_ticket(t, staff=staff) for t in rows]
            assert told(wire.get("tickets?expand=true"), 200) == [
                slow_expanded(t, staff=staff) for t in rows
            ]

    def check_search(self) -> None:
        rows = {t.pk: t for t in self.rows(staff=True)}

        found = told(self.agent.get("tickets/search?query=*&sort_by=id&order_by=asc"), 200)

        assert [body["id"] for body in found] == list(rows)
        for body in found:
            ticket = rows[body["id"]]
            assert body == with_ids(slow_ticket(ticket, staff=True), ticket, staff=True)

    def check_full(self) -> None:
        assets = told(self.agent.get("tickets?full=true"), 200)["assets"]

        rows = self.rows(staff=True)
        assert assets["Ticket"] == {
            str(t.pk): with_ids(slow_ticket(t, staff=True), t, staff=True) for t in rows
        }
        people = set()
        for t in rows:
            people |= {t.owner_id, t.customer_id, t.created_by_id, t.updated_by_id}
        shown = {id_: comparable(one) for id_, one in assets["User"].items()}
        assert shown == {str(pk): comparable(slow_user(User.objects.get(pk=pk))) for pk in people}
        assert set(assets["Organization"]) == {
            str(one.pk) for one in Organization.objects.filter(name="Acme")
        }
        assert set(assets["Group"]) == {str(one.pk) for one in Group.objects.all()}
        assert set(assets["Role"]) == {
            str(role.pk) for role in Role.objects.filter(users__in=people).distinct()
        }

    def check_all(self) -> None:
        for wire, staff in ((self.agent, True), (self.customer, False)):
            for ticket in self.rows(staff=staff)[:12]:
                body = told(wire.get(f"tickets/{ticket.pk}?all=true"), 200)
                articles = [
                    article
                    for article in ticket.articles.order_by("created_at", "id")
                    if staff or not article.internal
                ]
                assert body["ticket_article_ids"] == [article.pk for article in articles]
                assert body["assets"].get("TicketArticle", {}) == {
                    str(article.pk): slow_article(article) for article in articles
                }
                seen = {row.pk for row in self.rows(staff=staff)}
                assert body["links"] == obvious.slow_links(ticket, seen=seen)
                assert sorted(body["tags"]) == obvious.slow_tags(ticket)
                assert body["mentions"] == (obvious.slow_mention_ids(ticket) if staff else [])
                asset = body["assets"]["Ticket"][str(ticket.pk)]
                slow = slow_ticket(ticket, staff=staff)
                assert asset == with_ids(slow, ticket, staff=staff)

    def check_articles(self) -> None:
        for ticket in self.rows(staff=True)[:12]:
            shown = told(self.agent.get(f"ticket_articles/by_ticket/{ticket.pk}"), 200)
            expected = [
                slow_article_expanded(article)
                for article in ticket.articles.order_by("created_at", "id")
            ]
            assert shown == expected


@dataclass(frozen=True)
class Kind:
    """A collection: its class, its rows, and how one is said plainly and expanded."""

    asset: str
    model: Any
    plain: Callable[[Any], dict[str, Any]]
    expanded: Callable[[Any], dict[str, Any]]
    order: str
    searched: bool = True


KINDS = {
    "users": Kind("User", User, obvious.slow_user, obvious.slow_user_expanded, "login"),
    "organizations": Kind(
        "Organization",
        Organization,
        obvious.slow_organization,
        obvious.slow_organization_expanded,
        "name",
    ),
    "groups": Kind("Group", Group, obvious.slow_group, obvious.slow_group_expanded, "name"),
    "roles": Kind("Role", Role, obvious.slow_role, obvious.slow_role_expanded, "name"),
    "ticket_states": Kind(
        "TicketState",
        State,
        obvious.slow_state,
        obvious.slow_state_expanded,
        "name",
        searched=False,
    ),
    "ticket_priorities": Kind(
        "TicketPriority",
        Priority,
        obvious.slow_priority,
        obvious.slow_priority_expanded,
        "name",
        searched=False,
    ),
}


def comparable(body: dict[str, Any]) -> dict[str, Any]:
    """Without what is said by other rows: the matrix of notifications, a team's mail address."""
    kept = {key: value for key, value in body.items() if not key.startswith("email_address")}
    if "preferences" in kept:
        kept["preferences"] = {
            key: value for key, value in kept["preferences"].items() if key != "notification_config"
        }
    return kept


@given(
    name=st.sampled_from(sorted(KINDS)),
    form=st.sampled_from(["", "expand=true", "full=true"]),
    by_search=st.booleans(),
    per_page=st.integers(1, 9),
    page=st.integers(1, 4),
    column=st.sampled_from(["id", "order", "updated_at"]),
    direction=st.sampled_from(["asc", "desc"]),
)
@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_pages_of_people_and_words(
    office: Wire,
    name: str,
    form: str,
    by_search: bool,
    per_page: int,
    page: int,
    column: str,
    direction: str,
) -> None:
    kind = KINDS[name]
    by_search = by_search and kind.searched
    column = kind.order if column == "order" else column
    rows = sorted(kind.model.objects.all(), key=lambda row: row.pk)
    rows.sort(key=lambda row: getattr(row, column), reverse=direction == "desc")
    if by_search and name == "users":
        rows = [row for row in rows if row.pk != 1]
    part = rows[(page - 1) * per_page : page * per_page]
    place = f"{name}/search?query=*" if by_search else f"{name}?"
    query = f"sort_by={column}&order_by={direction}&per_page={per_page}&page={page}"

    shown = told(office.get(f"{place}&{query}&{form}"), 200)

    say = kind.expanded if form == "expand=true" else kind.plain
    said = {row.pk: comparable(say(row)) for row in part}
    if form == "full=true":
        assert shown["record_ids"] == [row.pk for row in part]
        assert shown["total_count"] == len(rows)
        shown = [shown["assets"][kind.asset][str(row.pk)] for row in part]
    assert [one["id"] for one in shown] == [row.pk for row in part]
    assert [comparable(one) for one in shown] == list(said.values())
    for row in part[:1]:
        alone = told(office.get(f"{name}/{row.pk}?{form}"), 200)
        if form == "full=true":
            assert alone["id"] == row.pk
            alone = alone["assets"][kind.asset][str(row.pk)]
        assert comparable(alone) == said[row.pk]


@pytest.fixture
def office() -> Wire:
    """People, companies and teams of every kind, seen by the admin."""
    ada = cast.ada(city="Ulm", vip=True)
    companies = [
        cast.organization(name, shared=name < "M", domain=f"{name.lower()}.example", note="n")
        for name in ("Acme", "Zeta", "Beta")
    ]
    teams = [cast.group(name, note=name) for name in ("Sales", "Support", "Back")]
    for n, login in enumerate(("mia", "bo", "zoe", "kim")):
        user = cast.person(
            login,
            roles=[2] if n % 2 else [3],
            groups={teams[n % 3].pk: ["read", "change"], 1: ["full"]} if n % 2 else {},
            organization=companies[n % 3] if n else None,
            active=n != 2,
        )
        if n == 3:
            user.organizations.set(companies[1:])
    return Wire(ada)
