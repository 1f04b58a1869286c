"""Reading quickly: the short way gives the framework's bytes, both give what the rows say.

And it costs the same number of queries however long a page is.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deskbell.api.helpdesk import paging
from deskbell.people.models import User
from deskbell.tickets.fields import unset_value
from deskbell.tickets.models import Article, CustomField, Ticket, TicketCount, TimeEntry
from deskbell.tickets.operations import NewArticle, update_ticket
from deskbell.tickets.texts import plain_text
from tests.api.helpdesk.client import Api, basic
from tests.cast import MONDAY_10AM, acting, ada, custom_field, group, kemal, nora, person, ticket

pytestmark = pytest.mark.django_db

#: Asks for the very same, but in words that need thinking about: the framework answers.
THE_LONG_WAY = {"HTTP_ACCEPT": "application/json;q=0.9, text/plain;q=0.1"}


def moment(value: datetime | None) -> str | None:
    """As the framework writes a moment."""
    return None if value is None else value.astimezone(UTC).isoformat().replace("+00:00", "Z")


def duration(seconds: int) -> str:
    whole = timedelta(seconds=seconds)
    clock = str(timedelta(seconds=whole.seconds)).rjust(8, "0")
    return f"{whole.days} {clock}" if whole.days else clock


def slow_entry(article: Article) -> dict[str, Any]:
    """One entry, one attribute after the other."""
    entry = TimeEntry.objects.filter(article=article).first()
    return {
        "id": article.pk,
        "ticket": article.ticket_id,
        "user": None if article.created_by_id == 1 else article.created_by_id,
        "title": "Comment" if article.subject is None else article.subject,
        "comment": plain_text(article.body, article.content_type),
        "public": not article.internal,
        "new_status": article.new_status,
        "time_spent": duration(entry.seconds) if entry else None,
        "followupattachment_set": [
            {
                "id": file.pk,
                "followup": article.pk,
                "file": f"http://testserver/api/followups-attachments/{file.pk}/file/"
                + file.filename.replace(" ", "%20"),
                "filename": file.filename,
                "mime_type": file.content_type,
                "size": file.size,
            }
            for file in article.attachments.order_by("id")
        ],
        "date": moment(article.created_at),
        "message_id": article.message_id if article.via == "mail" else None,
        "email_recipients": article.email_recipients,
    }


def slow_ticket(row: Ticket) -> dict[str, Any]:
    """One ticket, one attribute after the other."""
    body: dict[str, Any] = {
        "id": row.pk,
        "queue": row.group_id,
        "title": row.title,
        "description": row.description,
        "resolution": row.resolution,
        "submitter_email": row.customer.email or None,
        "assigned_to": None if row.owner_id == 1 else row.owner_id,
        "status": row.state.helpdesk_number,
        "on_hold": row.on_hold or row.state.name.startswith("pending"),
        "priority": row.priority.helpdesk_number,
        "due_date": moment(row.due_date),
        "merged_to": row.merged_to_id,
        "followup_set": [slow_entry(a) for a in row.articles.order_by("created_at", "id")],
    }
    for field in CustomField.objects.filter(active=True).order_by("order", "id"):
        value = row.custom.get(field.name, unset_value(field))
        cut = field.type == "datetime" and value is not None
        body[f"custom_{field.name}"] = value[:16] if cut else value
    return body


texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=30)
moments = st.datetimes(
    min_value=datetime(1, 1, 2), max_value=datetime(9999, 12, 30), timezones=st.just(UTC)
)
entries = st.fixed_dictionaries(
    {
        "subject": st.none() | texts,
        "body": texts | st.just("<p>Some <b>text</b></p>"),
        "content_type": st.sampled_from(["text/plain", "text/html"]),
        "internal": st.booleans(),
        "new_status": st.none() | st.integers(1, 5),
        "via": st.sampled_from(["mail", "helpdesk", "zammad"]),
        "message_id": st.none() | st.just("<a@b>"),
        "email_recipients": st.none() | st.just([]) | st.just(["a@b.test", "ü@b.test"]),
        "created_by_id": st.sampled_from([1, 2]),
        "created_at": moments,
        "seconds": st.none() | st.sampled_from([0, 59, 3600, 86399, 86400, 10**8]),
    }
)
shapes = st.fixed_dictionaries(
    {
        "title": texts,
        "description": st.none() | texts,
        "resolution": st.none() | texts,
        "state_id": st.integers(1, 10),
        "priority_id": st.integers(1, 5),
        "owner_id": st.sampled_from([1, 2]),
        "customer_id": st.sampled_from([1, 2]),
        "on_hold": st.booleans(),
        "due_date": st.none() | moments,
        "custom": st.sampled_from(
            [
                {},
                {"colour": "Red", "count": 5, "yes": True},
                {"yes": False, "seen": "2022-04-11T10:20:30.5+00:00", "gone": 1},
            ]
        ),
    }
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25)
@given(shapes=st.lists(st.tuples(shapes, st.lists(entries, max_size=3)), min_size=1, max_size=3))
def test_quick_slow_and_long_way_are_one(shapes: list[tuple[dict[str, Any], Any]]) -> None:
    Ticket.objects.all().delete()
    TicketCount.objects.all().delete()
    if not CustomField.objects.exists():
        custom_field("seen", "datetime", order=3)
        custom_field("colour", order=1)
        custom_field("count", "integer", order=2)
        custom_field("yes", "boolean", order=2)
    boss = User.objects.filter(login="ada").first() or ada()
    for shape, of_entries in shapes:
        made = ticket(body=None)
        Ticket.objects.filter(pk=made.pk).update(**shape)
        for columns in of_entries:
            entry = dict(columns)
            seconds = entry.pop("seconds")
            article = Article.objects.create(
                ticket=made, type=10, updated_at=entry["created_at"], **entry
            )
            if seconds is not None:
                TimeEntry.objects.create(
                    ticket=made,
                    article=article,
                    seconds=seconds,
                    created_by_id=1,
                    created_at=MONDAY_10AM,
                    updated_at=MONDAY_10AM,
                )
    api = Api(boss)

    quick = api.get("tickets/")
    long = api.get("tickets/", **THE_LONG_WAY)
    slow = [slow_ticket(row) for row in Ticket.objects.order_by("id")]

    assert quick.body == long.body
    assert quick.json["results"] == slow
    assert json.dumps(quick.json["results"]) == json.dumps(slow), "the order of the keys"
    assert quick.json["count"] == len(slow)
    one = api.get(f"tickets/{slow[0]['id']}/")
    assert one.body == api.get(f"tickets/{slow[0]['id']}/", **THE_LONG_WAY).body
    assert one.json == slow[0]
    listed = api.get("followups/")
    assert listed.body == api.get("followups/", **THE_LONG_WAY).body
    by_date = Article.objects.order_by("created_at", "id")
    assert listed.json["results"] == [slow_entry(a) for a in by_date]


@pytest.fixture
def boss() -> User:
    return ada()


class TestShortAndLongWay:
    def test_agree_on_headers_links_and_files(self, boss: User) -> None:
        api = Api(boss, mount="/helpdesk/api/")
        for n in range(3):
            answer = api.upload(
                "POST",
                "tickets/",
                {
                    "queue": 1,
                    "title": f"T{n}",
                    "description": "D",
                    "attachment": SimpleUploadedFile("a b.txt", b"x"),
                },
            )
            assert answer.status == 201
        made = answer.json

        for path in (
            f"tickets/{made['id']}/",
            f"tickets/{made['id']}.json",
            "tickets/?page=2&page_size=1&x=%C3%BC",
            "tickets?status=1,3",
            "followups/?page_size=2",
            f"followups/{made['followup_set'][0]['id']}",
        ):
            short, long = api.get(path), api.get(path, **THE_LONG_WAY)
            assert (short.status, short.body) == (200, long.body)
            assert short.headers.items() == long.headers.items()

    @pytest.mark.parametrize(
        "path", ["tickets/999/", "tickets/abc/", "tickets/?page=9", "followups/999/"]
    )
    def test_agree_on_errors(self, boss: User, path: str) -> None:
        api = Api(boss)

        short, long = api.get(path), api.get(path, **THE_LONG_WAY)

        assert (short.status, short.body) == (404, long.body)

    def test_show_no_private_entry_to_its_customer(self) -> None:
        both = person("berta", roles=[2, 3])
        made = ticket(both)
        update_ticket(
            made.pk,
            article=NewArticle(body="secret", internal=True),
            actor=acting(ada()),
            at=MONDAY_10AM,
        )
        api = Api(both)

        for headers in ({}, THE_LONG_WAY):
            assert b"secret" not in api.get("tickets/", **headers).body
            assert b"secret" not in api.get("followups/", **headers).body
            assert api.get("followups/", **headers).json["count"] == 1


class TestCosts:
    #: Token and access; the rest is what a page of anything costs.
    SIGN_IN = 2

    def queries(self, ask: Callable[[], Any]) -> int:
        with CaptureQueriesContext(
            connection,
        ) as captured:
            assert ask().status == 200
        return len(captured)

    PATHS = (("tickets/", 5), ("tickets/{t}/", 4), ("followups/", 3), ("followups-attachments/", 2))

    def test_do_not_grow_with_the_page(self, boss: User) -> None:
        custom_field("colour")
        api = Api(boss)
        api.get("tickets/")
        first = api.opened(submitter_email="a@b.test")
        rows = [
            (path.format(t=first["id"]), headers, most)
            for path, most in self.PATHS
            for headers in ({}, THE_LONG_WAY)
        ]
        few = [self.queries(partial(api.get, path, **headers)) for path, headers, _ in rows]
        for n in range(30):
            made = api.opened(submitter_email=f"c{n}@b.test", custom_colour="x")
            answer = api.upload(
                "POST",
                "followups/",
                {
                    "ticket": made["id"],
                    "attachments": [SimpleUploadedFile(f, b"x") for f in ("a.txt", "b.txt")],
                },
            )
            assert answer.status == 201

        many = [
            self.queries(partial(api.get, f"{path}?page_size=5000", **headers))
            for path, headers, _ in rows
        ]

        assert few == many
        assert [
            (row, count)
            for row, count in zip(rows, many, strict=True)
            if count > self.SIGN_IN + row[2]
        ] == []

    def test_are_small_for_a_remembered_password_too(self, boss: User) -> None:
        api = Api(HTTP_AUTHORIZATION=basic(boss.login))
        ticket(kemal())
        api.get("tickets/")

        assert self.queries(lambda: api.get("tickets/")) <= 7

    def test_of_own_tickets_do_not_grow_either(self) -> None:
        user = kemal()
        sales = group()
        api = Api(user)
        ticket(user)
        api.get("user_tickets/")
        few = self.queries(lambda: api.get("user_tickets/"))
        for n in range(20):
            ticket(user, group_id=sales.pk if n % 2 else 1)

        assert self.queries(lambda: api.get("user_tickets/")) == few


class TestPages:
    @pytest.fixture
    def api(self, boss: User) -> Api:
        api = Api(boss)
        for made in [ticket() for _ in range(7)][:2]:
            api.patch(f"tickets/{made.pk}/", {"status": 3})
        return api

    @pytest.mark.parametrize(
        ("query", "ids", "next_", "previous"),
        [
            ("page_size=3", [1, 2, 3], "page=2&page_size=3", None),
            ("page_size=3&page=2", [4, 5, 6], "page=3&page_size=3", "page_size=3"),
            ("page_size=3&page=3", [7], None, "page=2&page_size=3"),
            ("page_size=3&page=last", [7], None, "page=2&page_size=3"),
            ("page_size=3&page=", [1, 2, 3], "page=2&page_size=3", None),
            ("page_size=3&page=%202", [4, 5, 6], "page=3&page_size=3", "page_size=3"),
            (
                "page_size=3&z=1&a=%C3%BC+&z=2",
                [1, 2, 3],
                "a=%C3%BC+&page=2&page_size=3&z=1&z=2",
                None,
            ),
            ("page_size=0", [1, 2, 3, 4, 5, 6, 7], None, None),
            ("page_size=-1", [1, 2, 3, 4, 5, 6, 7], None, None),
            ("page_size=x", [1, 2, 3, 4, 5, 6, 7], None, None),
            ("page_size=" + "9" * 50, [1, 2, 3, 4, 5, 6, 7], None, None),
        ],
    )
    def test_by_number(
        self,
        api: Api,
        query: str,
        ids: list[int],
        next_: str | None,
        previous: str | None,
    ) -> None:
        first = Ticket.objects.order_by("id")[0].pk
        body = api.get(f"tickets/?{query}").json

        base = "http://testserver/api/tickets/?"
        assert body["count"] == 7
        assert [t["id"] - first + 1 for t in body["results"]] == ids
        assert body["next"] == (base + next_ if next_ else None)
        assert body["previous"] == (base + previous if previous else None)

    @pytest.mark.parametrize("page", ["0", "-1", "4", "x", "2.0", "9" * 30, "9" * 5000, "%00"])
    def test_that_do_not_exist(self, api: Api, page: str) -> None:
        answer = api.get(f"tickets/?page_size=3&page={page}")

        assert (answer.status, answer.json) == (404, {"detail": "Invalid page."})

    def test_a_page_longer_than_the_longest_reads_as_that(self) -> None:
        page = paging.requested({"page_size": "9999", "page": "last"}, 12_000)

        assert (page.size, page.pages, page.number) == (paging.LONGEST, 3, 3)

    def test_of_an_empty_list(self, boss: User) -> None:
        empty = {"count": 0, "next": None, "previous": None, "results": []}

        for path in ("tickets/", "tickets/?page=1", "tickets/?page=last", "followups/"):
            assert Api(boss).get(path).json == empty

    @pytest.mark.parametrize(
        ("status", "count"),
        [("3", 2), ("1,3", 7), ("2", 0), ("9", 7), ("", 7), ("3,x", 2), ("Open", 7), (" 3", 7),
         ("1&status=3", 2), ("%EF%BC%93", 7)],
    )  # fmt: skip
    def test_by_status_number(self, api: Api, status: str, count: int) -> None:
        body = api.get(f"tickets/?status={status}").json

        assert (body["count"], len(body["results"])) == (count, count)

    def test_count_what_the_caller_may_see(self, api: Api) -> None:
        sales = group()
        ticket(group_id=sales.pk)

        assert api.get("tickets/").json["count"] == 8
        assert Api(nora()).get("tickets/?status=1").json["count"] == 5
        assert (
            Api(person("sam", roles=[2], groups={sales.pk: ["read"]})).get("tickets/").json["count"]
            == 1
        )
