"""The reads are lean (a fixed number of statements) and say what the rows say."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from deskbell.kernel.actor import SYSTEM
from deskbell.people.models import Group, Organization, Role, User
from deskbell.people.operations import change_user
from deskbell.tickets import rules
from deskbell.tickets.attachments import NewFile
from deskbell.tickets.models import Article, CustomField, Ticket, TimeEntry
from deskbell.tickets.operations import NewArticle, TicketChange, link, update_ticket
from deskbell.tickets.vocabulary import ARTICLE_TYPE_NAMES, SENDER_NAMES, ArticleType, Sender
from tests import cast
from tests.api.zammad.wire import Wire, told

pytestmark = pytest.mark.django_db


def desk(count: int, *, seed: int = 7) -> list[Ticket]:
    """Tickets of every kind: states, owners, companies, articles, files, times, links, tags."""
    chance = random.Random(seed)
    acme = cast.organization("Acme", shared=True)
    sales = cast.group("Sales")
    nora = cast.nora({1: ["full"], sales.pk: ["full"]})
    people = [
        cast.kemal(organization=acme),
        cast.person("ines", roles=[3], organization=acme),
        cast.person("rosa", roles=[3]),
    ]
    change_user(people[2].pk, organizations=[acme.pk], actor=SYSTEM, at=cast.MONDAY_9AM)
    cast.custom_field("colour")
    cast.custom_field("secret", staff_only=True)
    cast.custom_field("due", "datetime")
    cast.custom_field("sure", "boolean")
    cast.custom_field("amount", "decimal")
    found: list[Ticket] = []
    for n in range(count):
        at = cast.MONDAY_9AM + timedelta(hours=n, microseconds=chance.randrange(10**6))
        ticket = cast.ticket(
            chance.choice([*people, None]),
            title=f"Ticket “{n}” <&>",
            group_id=chance.choice([1, sales.pk]),
            priority_id=chance.randint(1, 5),
            owner_id=chance.choice([1, nora.pk]),
            body=None if chance.random() < 0.2 else f"Body {n}\u2028\t",
            note=chance.choice([None, "", "n\u0001"]),
            preferences=chance.choice([{}, {"a": [1, {"b": None}]}]),
            tags=chance.choice([(), ("one", "two")]),
            custom=chance.choice(
                [
                    {},
                    {"colour": "r\u00e9d", "secret": "s", "sure": True, "amount": "1.50"},
                    {"due": "2026-03-29T01:00:00.123456+00:00"},
                ]
            ),
            at=at,
        )
        for m in range(chance.randint(0, 3)):
            article = NewArticle(
                body=f"Entry {m}",
                type=chance.choice([ArticleType.NOTE, ArticleType.PHONE]),
                sender=chance.choice(list(Sender)),
                internal=chance.random() < 0.4,
                seconds=chance.choice([None, 90, 3600]),
                files=[NewFile("a.txt", b"a" * m, "text/plain")][: chance.randint(0, 1)],
            )
            update_ticket(ticket.pk, None, article, actor=SYSTEM, at=at + timedelta(minutes=m + 1))
        state = chance.choice([1, 2, 3, 4, 8, 9])
        change = TicketChange(
            state_id=state,
            pending_time=at + timedelta(days=9),
            on_hold=chance.random() < 0.3,
            due_date=chance.choice([None, at]),
        )
        update_ticket(ticket.pk, change, actor=SYSTEM, at=at + timedelta(minutes=9))
        if found:
            other = chance.choice(found)
            link("parent", other.pk, ticket.pk, actor=SYSTEM, at=at)
        found.append(ticket)
    return found


# --- the obvious way -----------------------------------------------------------------------------


def stamp(value: datetime | None) -> str | None:
    if value is None:
        return None
    value = value.astimezone(UTC)
    return value.strftime("%Y-%m-%dT%H:%M:%S.") + f"{value.microsecond // 1000:03d}Z"


def words(text: str) -> list[str]:
    return text.split()


def slow_ticket(ticket: Ticket, *, staff: bool) -> dict[str, Any]:
    """One attribute after the other, whatever it costs."""
    body: dict[str, Any] = {}
    for name in words(
        "id group_id priority_id state_id organization_id number title owner_id"
        " customer_id note first_response_in_min first_response_diff_in_min close_in_min"
        " close_diff_in_min update_in_min update_diff_in_min article_count type"
        " preferences updated_by_id created_by_id resolution"
    ):
        body[name] = getattr(ticket, name)
    for name in words(
        "first_response_at first_response_escalation_at close_at close_escalation_at"
        " update_escalation_at last_close_at last_contact_at last_contact_agent_at"
        " last_contact_customer_at last_owner_update_at escalation_at pending_time"
        " created_at updated_at due_date"
    ):
        body[name] = stamp(getattr(ticket, name))
    body["create_article_type_id"] = ticket.create_article_type
    body["create_article_sender_id"] = ticket.create_article_sender
    seconds = ticket.time_spent
    body["time_unit"] = None if seconds is None else f"{seconds / 60:.1f}"
    body["checklist_id"] = None
    body["on_hold"] = rules.reads_on_hold(ticket.on_hold, ticket.state.type)
    for field in CustomField.objects.order_by("order", "id"):
        if field.staff_only and not staff:
            continue
        value = ticket.custom.get(field.name)
        if value is None:
            value = {"varchar": "", "boolean": False}.get(field.type)
        elif field.type == "datetime":
            value = stamp(datetime.fromisoformat(value))
        body[field.name] = value
    return body


def with_ids(body: dict[str, Any], ticket: Ticket, *, staff: bool) -> dict[str, Any]:
    articles = ticket.articles.order_by("created_at", "id")
    body["article_ids"] = [a.pk for a in articles if staff or not a.internal]
    times = TimeEntry.objects.filter(ticket=ticket).order_by("id")
    body["ticket_time_accounting_ids"] = [time.pk for time in times]
    return body


def slow_expanded(ticket: Ticket, *, staff: bool) -> dict[str, Any]:
    body = with_ids(slow_ticket(ticket, staff=staff), ticket, staff=staff)
    body["ticket_time_accounting"] = []
    body["group"] = ticket.group.name
    if ticket.organization is not None:
        body["organization"] = ticket.organization.name
    body["state"] = ticket.state.name
    body["priority"] = ticket.priority.name
    for name in ("owner", "customer", "created_by", "updated_by"):
        body[name] = getattr(ticket, name).login
    if ticket.create_article_type is not None:
        body["create_article_type"] = ARTICLE_TYPE_NAMES[ArticleType(ticket.create_article_type)]
        body["create_article_sender"] = SENDER_NAMES[Sender(ticket.create_article_sender)]
    return body


def slow_user(user: User) -> dict[str, Any]:
    body: dict[str, Any] = {}
    for name in words(
        "id organization_id login firstname lastname email image image_source web phone"
        " fax mobile department street zip city country address vip verified active note"
        " source login_failed out_of_office out_of_office_start_at out_of_office_end_at"
        " out_of_office_replacement_id preferences updated_by_id created_by_id"
    ):
        body[name] = getattr(user, name)
    for name in ("last_login", "created_at", "updated_at"):
        body[name] = stamp(getattr(user, name))
    body["role_ids"] = sorted(role.pk for role in user.roles.all())
    body["organization_ids"] = sorted(one.pk for one in user.organizations.all())
    for name in ("two_factor_preference_ids", "authorization_ids", "overview_sorting_ids"):
        body[name] = []
    levels: dict[str, list[str]] = {}
    for grant in user.group_grants.order_by("group", "level"):
        levels.setdefault(str(grant.group_id), []).append(grant.level)
    body["group_ids"] = levels
    return body


def slow_article(article: Article) -> dict[str, Any]:
    body: dict[str, Any] = {}
    for name in words(
        "id ticket_id to cc subject reply_to message_id message_id_md5 in_reply_to"
        " references content_type body internal preferences updated_by_id created_by_id"
        " origin_by_id"
    ):
        body[name] = getattr(article, name)
    body["from"] = article.from_address
    body["type_id"], body["sender_id"] = article.type, article.sender
    body["created_at"], body["updated_at"] = stamp(article.created_at), stamp(article.updated_at)
    body["attachments"] = [
        {
            "id": file.pk,
            "filename": file.filename,
            "size": str(file.size),
            "preferences": file.preferences or {"Mime-Type": file.content_type},
        }
        for file in article.attachments.order_by("id")
    ]
    entry = TimeEntry.objects.filter(article=article).first()
    body["time_unit"] = None if entry is None else f"{entry.seconds / 60:.1f}"
    return body


class TestFastIsTheObviousWay:
    @pytest.fixture(autouse=True)
    def _tickets(self) -> None:
        self.tickets = desk(40)
        self.agent = Wire(User.objects.get(login="nora"))
        self.customer = Wire(User.objects.get(login="ines"))

    def rows(self, *, staff: bool) -> list[Ticket]:
        rows = Ticket.objects.order_by("id")
        return list(rows if staff else rows.filter(organization__name="Acme"))

    def test_list(self) -> None:
        for wire, staff in ((self.agent, True), (self.customer, False)):
            rows = self.rows(staff=staff)
            assert len(rows) > 5
            assert told(wire.get("tickets"), 200) == [slow_ticket(t, staff=staff) for t in rows]
            assert told(wire.get("tickets?expand=true"), 200) == [
                slow_expanded(t, staff=staff) for t in rows
            ]

    def test_search(self) -> None:
        rows = {t.pk: t for t in self.rows(staff=True)}

        found = told(self.agent.get("tickets/search?query=*&sort_by=id&order_by=asc"), 200)

        assert [body["id"] for body in found] == list(rows)
        for body in found:
            ticket = rows[body["id"]]
            assert body == with_ids(slow_ticket(ticket, staff=True), ticket, staff=True)

    def test_full(self) -> None:
        assets = told(self.agent.get("tickets?full=true"), 200)["assets"]

        rows = self.rows(staff=True)
        assert assets["Ticket"] == {
            str(t.pk): with_ids(slow_ticket(t, staff=True), t, staff=True) for t in rows
        }
        people = set()
        for t in rows:
            people |= {t.owner_id, t.customer_id, t.created_by_id, t.updated_by_id}
        assert assets["User"] == {str(pk): slow_user(User.objects.get(pk=pk)) for pk in people}
        assert set(assets["Organization"]) == {
            str(one.pk) for one in Organization.objects.filter(name="Acme")
        }
        assert set(assets["Group"]) == {str(one.pk) for one in Group.objects.all()}
        assert set(assets["Role"]) == {
            str(role.pk) for role in Role.objects.filter(users__in=people).distinct()
        }

    def test_all(self) -> None:
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
                asset = body["assets"]["Ticket"][str(ticket.pk)]
                slow = slow_ticket(ticket, staff=staff)
                assert asset == with_ids(slow, ticket, staff=staff)

    def test_articles(self) -> None:
        for ticket in self.rows(staff=True)[:12]:
            shown = told(self.agent.get(f"ticket_articles/by_ticket/{ticket.pk}"), 200)
            expected = []
            for article in ticket.articles.order_by("created_at", "id"):
                body = slow_article(article)
                body["type"] = ARTICLE_TYPE_NAMES[ArticleType(article.type)]
                body["sender"] = SENDER_NAMES[Sender(article.sender)]
                body["created_by"] = article.created_by.login
                body["updated_by"] = article.updated_by.login
                if article.origin_by is not None:
                    body["origin_by"] = article.origin_by.login
                expected.append(body)
            assert shown == expected


#: Sign-in by token: the token, what its user may do. Then what the read itself takes.
SIGN_IN = 2
COUNTS = [
    ("tickets", 2),
    ("tickets?expand=true", 9),
    ("tickets?full=true", 16),
    ("tickets/{id}", 2),
    ("tickets/{id}?expand=true", 9),
    ("tickets/{id}?full=true", 16),
    ("tickets/{id}?all=true", 23),
    ("ticket_articles/by_ticket/{id}", 4),
    ("ticket_articles", 3),
    ("users", 4),
    ("users?expand=true", 8),
    ("users/search?query=e", 4),
    ("groups?expand=true", 3),
    ("organizations?expand=true", 4),
    ("ticket_states?expand=true", 3),
    ("links?link_object=Ticket&link_object_value={id}", 18),
]


@pytest.mark.parametrize(("path", "most"), COUNTS)
def test_reads_take_as_many_statements_whatever_their_number(path: str, most: int) -> None:
    tickets = desk(6)
    wire = Wire(User.objects.get(login="nora"))
    ids = {"id": tickets[-1].pk}
    path = path.format(**ids)
    told(wire.get(path), 200)  # the token's last use is written once a minute

    few = statements(wire, path)
    more(tickets)
    many = statements(wire, path)

    assert len(few) <= most + SIGN_IN, "\n".join(few)
    assert len(many) <= most + SIGN_IN, "\n".join(many)


def statements(wire: Wire, path: str) -> list[str]:
    with CaptureQueriesContext(
        connection,
    ) as caught:
        told(wire.get(path), 200)
    return [query["sql"][:200] for query in caught.captured_queries]


def more(tickets: Sequence[Ticket]) -> None:
    """Three times as much of everything."""
    for n in range(12):
        person = cast.person(f"more{n}", roles=[3], organization=cast.organization(f"Org {n}"))
        group = cast.group(f"Group {n}")
        ticket = cast.ticket(person, group_id=1 if n % 2 else group.pk)
        link("normal", ticket.pk, tickets[-1].pk, actor=SYSTEM, at=cast.MONDAY_9AM)
        note = NewArticle(
            body="x", seconds=60, files=[NewFile("a", b"a", "text/plain")], origin_by_id=person.pk
        )
        update_ticket(tickets[-1].pk, None, note, actor=SYSTEM, at=cast.MONDAY_10AM)
