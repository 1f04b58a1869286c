"""No list of any dialect takes more statements for thirty rows than for three.

The routes are taken from the addresses themselves: a list that is new and stands in no table here
fails the test, and so does one that was forgotten when it went away.
"""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext

from deskbell.api.helpdesk import names as helpdesk_names
from deskbell.api.jutda.views import METHODS
from deskbell.api.zammad.urls import urlpatterns
from deskbell.kernel import clock
from deskbell.kernel.actor import SYSTEM
from deskbell.people.models import User
from deskbell.people.operations import create_token
from deskbell.tickets.attachments import NewFile
from deskbell.tickets.models import Ticket
from deskbell.tickets.operations import (
    NewArticle,
    follow,
    link,
    tag,
    update_ticket,
)
from deskbell.tickets.operations.naming import save_priority, save_state
from deskbell.tickets.vocabulary import ArticleType, Sender
from tests import cast

pytestmark = pytest.mark.django_db

#: Lists of the Zammad dialect: an address, and the ways to ask it for many rows.
FORMS = ("", "expand=true", "full=true")
SEARCHES = ("query=*", "query=*&expand=true", "query=*&full=true", "query=e&with_total_count=true")
ZAMMAD: dict[str, tuple[str, ...]] = {
    "tickets": FORMS,
    "tickets/*": (*FORMS, "all=true"),
    "tickets/search": (*SEARCHES, "query=printer", "query=tags:t1 OR customer.login:c*"),
    "ticket_articles": FORMS,
    "ticket_articles/by_ticket/*": FORMS,
    "tickets/*/time_accountings": FORMS,
    "users": FORMS,
    "users/search": (*SEARCHES, "query=e&label=true", "term=e"),
    "users/me": FORMS,
    "users/*": FORMS,
    "users/history/*": ("",),
    "groups": FORMS,
    "groups/*": FORMS,
    "groups/search": SEARCHES,
    "organizations": FORMS,
    "organizations/*": FORMS,
    "organizations/search": SEARCHES,
    "roles": FORMS,
    "roles/*": FORMS,
    "roles/search": SEARCHES,
    "ticket_states": FORMS,
    "ticket_priorities": FORMS,
    "tags": ("object=Ticket&o_id={ticket}",),
    "tag_search": ("term=t",),
    "tag_list": FORMS,
    "links": ("link_object=Ticket&link_object_value={ticket}",),
    "mentions": (
        "mentionable_type=Ticket&mentionable_id={ticket}",
        "mentionable_type=Ticket&mentionable_id={ticket}&full=true",
    ),
    "ticket_history/*": ("",),
    "object_manager_attributes": FORMS,
    "email_addresses": FORMS,
    "online_notifications": FORMS,
    "ticket_customer": ("customer_id={customer}",),
    "ticket_related/*": ("",),
    "ticket_recent": ("",),
    "ticket_stats": ("user_id={customer}", "organization_id={organization}"),
    "recent_view": FORMS,
    "time_accountings": FORMS,
    "time_accounting/types": FORMS,
    "time_accounting/log/by_ticket/*/*": ("",),
    "time_accounting/log/by_activity/*/*": ("",),
    "time_accounting/log/by_customer/*/*": ("",),
    "time_accounting/log/by_organization/*/*": ("",),
    "search": ("query=*&limit=100",),
    "search/*": ("query=*&limit=100",),
    "user_access_token": ("",),
}
#: What stands for the stars of an address.
PLACES = {
    "users/*": "{customer}",
    "users/history/*": "{customer}",
    "groups/*": "1",
    "organizations/*": "{organization}",
    "roles/*": "3",
    "search/*": "ticket-user-organization",
}
MONTH = f"/{cast.MONDAY_9AM.year}/{cast.MONDAY_9AM.month}"
#: Addresses that answer about one row only, which holds no others.
SINGLE = {
    "attachments/*",
    "email_addresses/*",
    "monitoring/amount_check",
    "monitoring/health_check",
    "monitoring/status",
    "object_manager_attributes/*",
    "online_notifications/*",
    "signout",
    "signshow",
    "tag_list/*",
    "ticket_article_plain/*",
    "ticket_articles/*",
    "ticket_attachment/*/*/*",
    "ticket_priorities/*",
    "ticket_split",
    "ticket_states/*",
    "tickets/*/time_accountings/*",
    "time_accounting/types/*",
    "time_accountings/*",
    "version",
}
HELPDESK = {
    "tickets": ("", "page_size=100", "search=printer&ordering=-id"),
    "user_tickets": ("page_size=100",),
    "followups": ("page_size=100",),
    "followups-attachments": ("page_size=100",),
    "users": ("",),
}
#: The one method of the form API that lists.
JUTDA = {"list_queues"}


def addresses() -> set[str]:
    """Every address of the Zammad dialect that can be read, with stars for its places."""
    found = set()
    for pattern in urlpatterns:
        if "GET" in getattr(pattern.callback, "verbs", ()):
            regex = pattern.pattern.regex.pattern  # type: ignore[union-attr]
            address = regex.removeprefix("^").removesuffix("$").removesuffix("/?")
            found.add(re.sub(r"\(\?P<\w+>\[\^/\]\+\)", "*", address))
    return found


def test_every_list_stands_in_a_table() -> None:
    assert addresses() - set(ZAMMAD) - SINGLE == set()
    assert set(ZAMMAD) - addresses() == set()
    assert set(HELPDESK) == set(helpdesk_names.COLLECTIONS)
    assert set(METHODS) >= JUTDA


class Desk:
    """Ada's desk, and as many rows of everything as are asked for."""

    def __init__(self) -> None:
        self.ada: User = cast.ada()
        self.customer: User = cast.kemal(organization=cast.organization("Acme", shared=True))
        self.ticket: Ticket = cast.ticket(self.customer, title="The printer", at=cast.MONDAY_9AM)
        self.rows = 0
        self.client = Client()
        self.headers = {"Authorization": f"Token {self.token('asks')}"}

    def token(self, name: str) -> str:
        at = cast.MONDAY_9AM
        return create_token(
            self.ada.pk, name=name, permissions=None, expires_at=None, actor=SYSTEM, at=at
        )[1]

    def grow(self, rows: int) -> None:
        """One more of every kind until there are as many."""
        while self.rows < rows:
            self.rows += 1
            n = self.rows
            at = cast.MONDAY_9AM + timedelta(minutes=n)
            company = cast.organization(f"Company {n}")
            team = cast.group(f"Team {n}", email=f"team{n}@example.com")
            agent = cast.person(
                f"agent{n}", roles=[2], groups={1: ["full"], team.pk: ["read", "change"]}
            )
            person = cast.person(f"c{n}", roles=[3], organization=company)
            cast.person(f"colleague{n}", roles=[3], organization=self.customer.organization)
            cast.custom_field(f"field{n}")
            save_state(None, {"name": f"state {n}", "type": 2}, actor=SYSTEM, at=at)
            save_priority(None, {"name": f"priority {n}"}, actor=SYSTEM, at=at)
            self.token(f"token {n}")
            other = cast.ticket(
                person if n % 2 else self.customer, title=f"Printer {n}", group_id=team.pk, at=at
            )
            link("normal", other.pk, self.ticket.pk, actor=SYSTEM, at=at)
            tag(self.ticket.pk, [f"t{n}"], actor=SYSTEM, at=at)
            tag(other.pk, [f"t{n}"], actor=SYSTEM, at=at)
            follow(self.ticket.pk, actor=cast.acting(agent, "zammad"), at=at)
            note = NewArticle(
                body=f"Entry {n}",
                type=ArticleType.PHONE,
                sender=Sender.CUSTOMER,
                seconds=60 * n,
                files=[NewFile("a.txt", b"a", "text/plain")],
                origin_by_id=person.pk,
            )
            for ticket in (self.ticket, other):
                update_ticket(ticket.pk, None, note, actor=cast.acting(agent, "zammad"), at=at)
            self.ask(f"/api/v1/tickets/{other.pk}?all=true")

    def ask(self, address: str) -> HttpResponse:
        return self.client.get(address, headers=self.headers)

    def statements(self, address: str) -> list[str]:
        with CaptureQueriesContext(connection) as caught:
            answer = self.ask(address)
            assert answer.status_code == 200, (address, answer.content[:300])
        return [query["sql"] for query in caught.captured_queries]


def asked(desk: Desk) -> list[str]:
    """Every list in every form."""
    places = {
        "ticket": desk.ticket.pk,
        "customer": desk.customer.pk,
        "organization": desk.customer.organization_id,
    }
    found = []
    for address, forms in ZAMMAD.items():
        if address.endswith("/*/*"):
            place = address.removesuffix("/*/*") + MONTH
        else:
            place = PLACES.get(address, address.replace("*", "{ticket}"))
            place = place if "/" in place or "*" not in address else address.replace("*", place)
        found += [f"/api/v1/{place}?{form}".format(**places) for form in forms]
    for address, forms in HELPDESK.items():
        if address != "users":
            found += [f"/api/{address}/?{form}" for form in forms]
    return found


def test_thirty_rows_take_no_more_statements_than_three(monkeypatch: pytest.MonkeyPatch) -> None:
    # The token's last use is written once a minute: not between two looks.
    monkeypatch.setattr(clock, "now", lambda: cast.MONDAY_10AM)
    desk = Desk()
    desk.grow(3)
    listed = asked(desk)
    few = {address: desk.statements(address) for address in listed}
    desk.grow(30)
    many = {address: desk.statements(address) for address in listed}
    # What does not have the rows would prove nothing.
    for name in ("tickets", "users", "groups", "organizations", "ticket_states", "tag_list"):
        assert len(desk.ask(f"/api/v1/{name}").json()) >= 30

    grown = {
        address: (len(few[address]), len(many[address]), many[address][-1][:200])
        for address in listed
        if len(many[address]) > len(few[address])
    }
    assert grown == {}


def test_thirty_queues_take_no_more_statements_than_three() -> None:
    ada = cast.ada()
    form = {"user": ada.login, "password": cast.PASSWORD}

    def statements() -> int:
        with CaptureQueriesContext(connection) as caught:
            assert Client().post("/api/list_queues/", form).status_code == 200
        return len(caught)

    for n in range(3):
        cast.group(f"Few {n}")
    statements()
    few = statements()
    for n in range(27):
        cast.group(f"Many {n}")
    assert statements() <= few
