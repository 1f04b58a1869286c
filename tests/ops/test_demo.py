"""The example that a desk can be filled with."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction

from deskbell.kernel.actor import SYSTEM
from deskbell.kernel.config import Config
from deskbell.kernel.models import Event, Job
from deskbell.mail.models import MailState, OutgoingMail
from deskbell.ops import demo
from deskbell.ops.cli import CommandError
from deskbell.ops.demo_texts import texts
from deskbell.ops.setup import first_run
from deskbell.people.models import Group, Organization, User
from deskbell.tickets import attachments, queries
from deskbell.tickets.fields import clean
from deskbell.tickets.models import (
    Article,
    Attachment,
    CustomField,
    Link,
    Mention,
    Tag,
    Ticket,
    TicketCC,
    TimeEntry,
)
from deskbell.tickets.vocabulary import ArticleType, StateId, StateType
from tests.cast import ticket

NOON = datetime(2026, 3, 30, 12, 0, tzinfo=UTC)

pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def filled(django_db_setup: None, django_db_blocker: Any) -> Iterator[int]:
    """The example on a fresh desk, made once for all tests that only look at it."""
    with django_db_blocker.unblock(), transaction.atomic():
        first_run(Config(data=Path("unused")), at=NOON - timedelta(minutes=1))
        yield demo.fill(NOON)
        transaction.set_rollback(True)


class TestTheExample:
    def test_is_some_hundred_tickets_of_sixty_days(self, filled):
        assert 200 <= filled <= 300
        moments = list(
            Ticket.objects.exclude(customer_id=2)
            .order_by("id")
            .values_list("created_at", flat=True)
        )
        assert len(moments) == filled
        assert moments == sorted(moments)
        assert NOON - timedelta(days=61) < moments[0] < NOON - timedelta(days=55)
        assert NOON - timedelta(days=5) < moments[-1] < NOON

    def test_happened_in_the_order_of_its_history(self, filled):
        for number in Ticket.objects.values_list("number", flat=True):
            moments = list(
                Event.objects.filter(number=number).order_by("id").values_list("at", flat=True)
            )
            assert moments == sorted(moments), number
        assert Event.objects.order_by("-at")[0].at < NOON
        assert Article.objects.order_by("-created_at")[0].created_at < NOON

    def test_has_agents_customers_organizations_and_groups(self, filled):
        assert Group.objects.count() == 5
        assert User.objects.filter(roles__name="Agent").count() >= 6
        assert User.objects.filter(login_chosen=False).count() > 25
        assert Organization.objects.filter(members__isnull=False).distinct().count() >= 6
        assert all(Ticket.objects.filter(group=group).count() > 5 for group in Group.objects.all())

    def test_shows_every_type_of_custom_field(self, filled):
        definitions = {field.name: field for field in CustomField.objects.all()}
        used: Counter[str] = Counter()
        for custom in Ticket.objects.values_list("custom", flat=True):
            for name, value in custom.items():
                used[definitions[name].type] += 1
                assert clean(definitions[name], value) == value
        assert set(used) == {type_ for type_, _ in CustomField.TYPES}

    def test_shows_every_state_and_priority(self, filled):
        types = {StateType(t) for t in Ticket.objects.values_list("state__type", flat=True)}
        assert types == set(StateType) - {StateType.REMOVED}
        assert set(Ticket.objects.values_list("priority_id", flat=True)) >= {1, 2, 3, 4}
        states = Counter(Ticket.objects.values_list("state_id", flat=True))
        for state in (StateId.RESOLVED, StateId.DUPLICATE, StateId.REOPENED, StateId.PENDING_CLOSE):
            assert states[state] > 0, state
        assert Ticket.objects.filter(state__type__in=[1, 2]).count() > 10
        assert Ticket.objects.filter(state__name=demo.WAITING).exists() or (
            Event.objects.filter(changes__icontains=demo.WAITING).exists()
        )

    def test_shows_what_can_be_done_with_a_ticket(self, filled):
        assert Ticket.objects.exclude(resolution=None).count() > 50
        assert Ticket.objects.exclude(due_date=None).count() > 10
        assert Ticket.objects.filter(on_hold=True).exists()
        assert Ticket.objects.exclude(merged_to=None).count() >= 2
        assert set(Link.objects.values_list("type", flat=True)) == {"normal", "parent"}
        assert Tag.objects.count() > 10
        assert TicketCC.objects.count() > 5
        assert Mention.objects.count() > 5
        assert TimeEntry.objects.count() > 50
        assert Article.objects.exclude(moved_from=None).exists()
        assert Article.objects.filter(internal=True).count() > 30

    def test_has_mails_in_html_with_pictures_and_files(self, filled):
        inline = Attachment.objects.filter(inline=True)
        assert inline.count() > 3
        for picture in inline.select_related("article"):
            assert f"cid:{picture.content_id}" in picture.article.body
            assert picture.article.content_type == "text/html"
            content = attachments.read_blob(picture.blob_id)
            assert content.startswith(b"\x89PNG")
            assert len(content) == picture.size
        endings = {
            name.rpartition(".")[2]
            for name in Attachment.objects.values_list("filename", flat=True)
        }
        assert endings == {"png", "pdf", "log"}
        assert set(Article.objects.values_list("type", flat=True)) == {
            ArticleType.EMAIL,
            ArticleType.WEB,
            ArticleType.PHONE,
            ArticleType.NOTE,
        }

    def test_leaves_no_placeholder_in_a_text(self, filled):
        for text in [
            *Ticket.objects.values_list("title", flat=True),
            *Article.objects.values_list("body", flat=True),
            *Ticket.objects.exclude(resolution=None).values_list("resolution", flat=True),
        ]:
            assert "{" not in str(text)

    def test_sends_nothing(self, filled):
        mails = OutgoingMail.objects.all()

        assert mails.count() > 200
        assert set(mails.values_list("state", flat=True)) == {MailState.SENT}
        assert set(Job.objects.values_list("queue", flat=True)) <= {"search"}
        assert all(
            address.endswith((".example", "@localhost"))
            for address in mails.values_list("address", flat=True)
        )

    def test_gives_nobody_a_password(self, filled):
        people = User.objects.filter(email__endswith=".example")

        assert people.count() > 30
        assert not any(person.has_usable_password() for person in people)

    def test_leaves_the_counters_right(self, filled):
        assert queries.count_tickets(SYSTEM) == Ticket.objects.count()
        for number in range(1, 6):
            assert (
                queries.count_tickets(SYSTEM, statuses=[number])
                == Ticket.objects.filter(state__helpdesk_number=number).count()
            )

    def test_gives_the_administrator_something_to_do(self, filled):
        admin = User.objects.get(roles__name="Admin")

        assert Ticket.objects.filter(owner=admin).count() > 5

    def test_is_there_only_once(self, filled):
        before = Event.objects.count()

        assert demo.fill(NOON + timedelta(days=3)) == 0
        assert Event.objects.count() == before


@pytest.mark.django_db
class TestFilling:
    @pytest.fixture(autouse=True)
    def few(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(demo, "TICKETS", 8)

    def test_makes_the_same_every_time(self):
        seen = []
        for _ in range(2):
            with transaction.atomic():
                demo.fill(NOON)
                seen.append(
                    (
                        list(Ticket.objects.order_by("id").values_list("title", "created_at")),
                        list(Article.objects.order_by("id").values_list("body", "created_at")),
                    )
                )
                transaction.set_rollback(True)

        assert seen[0] == seen[1]
        assert len(seen[0][1]) > 8

    def test_works_on_any_day(self):
        for days in range(7):
            with transaction.atomic():
                assert demo.fill(NOON + timedelta(days=days, hours=11)) >= 5
                transaction.set_rollback(True)

    def test_refuses_a_desk_that_is_in_use(self, monkeypatch):
        monkeypatch.setattr(demo, "FOREIGN_TICKETS_AT_MOST", 0)
        ticket()

        with pytest.raises(CommandError, match="in use"):
            demo.fill(NOON)
        assert Ticket.objects.count() == 1

    def test_does_without_an_administrator_and_keeps_what_is_there(self):
        ticket()

        demo.fill(NOON)

        assert Ticket.objects.filter(title="Printer on fire").exists()


def test_the_texts_fit_the_people_and_fields() -> None:
    """What one part of the file names, another part has."""
    words = texts()
    fields = {field["name"] for field in words.field}
    groups = {group["name"].casefold() for group in words.group} | {"users"}
    languages = {customer.language for customer in words.customer}

    assert all(address.email.endswith(".example") for address in words.customer)
    assert languages == set(words.again)
    for topic in words.topic:
        assert set(topic.fields) <= fields
        assert topic.group in groups
        assert topic.language in languages
        for text in [*topic.titles, *topic.opening, *topic.answers, *topic.replies, *topic.notes]:
            assert text.format(model="", order="", city="", name="", agent="") is not None
