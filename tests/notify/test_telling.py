"""Who is told of what happened to a ticket, and when that is over."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from deskbell.kernel.actor import NOBODY_ID
from deskbell.notify import operations, queries
from deskbell.notify.models import Occasion, OnlineNotification, Reminder
from deskbell.notify.reminding import remind
from deskbell.notify.wishes import default_config, wants
from deskbell.people.models import User, UserGroup
from deskbell.tickets.models import Ticket
from deskbell.tickets.operations import (
    NewArticle,
    TicketChange,
    delete_ticket,
    merge,
    update_ticket,
)
from deskbell.tickets.operations.ties import follow
from deskbell.tickets.vocabulary import ArticleType
from tests import cast

OPEN, PENDING, CLOSED = 2, 3, 4
LATER = cast.MONDAY_10AM
ALL_TICKETS = {"criteria": {"no": True}, "channel": {"online": True}}


def asking(kemal: User, **columns: Any) -> Ticket:
    """A ticket that the customer opened in the portal."""
    return cast.ticket(kemal, actor=cast.acting(kemal, "portal"), **columns)


def rows(ticket: Ticket | None = None) -> list[tuple[str, str, bool]]:
    """Who was told what, and whether it counts as seen; in order."""
    found = OnlineNotification.objects.select_related("user").order_by("id")
    if ticket is not None:
        found = found.filter(ticket=ticket)
    return [(row.user.login, Occasion(row.type).label, row.seen) for row in found]


class TestWishes:
    @pytest.mark.parametrize(
        ("preferences", "situation", "wanted"),
        [
            ("{}", {"owned_by_nobody": True}, True),
            ("{}", {"owned_by_me": True}, True),
            ("{}", {"subscribed": True}, True),
            ("{}", {}, False),
            ({"notification_config": {"matrix": {"update": ALL_TICKETS}}}, {}, True),
            ({"notification_config": {"matrix": {}}}, {"owned_by_me": True}, False),
            ('{"notification_config": 7}', {"owned_by_me": True}, True),
            (
                {"notification_config": {"matrix": {"update": {"criteria": {"no": True}}}}},
                {"owned_by_me": True},
                False,
            ),
            (
                {"notification_config": {**default_config(), "group_ids": ["2"]}},
                {"owned_by_nobody": True},
                False,
            ),
            (
                {"notification_config": {**default_config(), "group_ids": [2]}},
                {"owned_by_me": True},
                True,
            ),
            (
                {"notification_config": {**default_config(), "group_ids": ["-"]}},
                {"owned_by_nobody": True},
                True,
            ),
            (
                {"notification_config": {"matrix": {"update": [1], "create": None}}},
                {"owned_by_me": True},
                False,
            ),
        ],
    )
    def test_of_an_update(self, preferences: Any, situation: dict[str, bool], wanted: bool) -> None:
        about = {"owned_by_me": False, "owned_by_nobody": False, "subscribed": False, **situation}

        assert wants(preferences, Occasion.UPDATE, group_id=1, **about) is wanted


@pytest.mark.django_db
class TestTelling:
    def test_reaches_the_agents_of_the_group_but_not_who_did_it(self) -> None:
        kemal, nora = cast.kemal(), cast.nora()
        reader = cast.person("rita", roles=[2], groups={1: ["read"]})
        cast.person("omar", roles=[2], groups={1: ["overview", "create"]})
        cast.person("gone", roles=[2], groups={1: ["full"]}, active=False)
        cast.pure_admin()

        ticket = asking(kemal)
        update_ticket(
            ticket.pk,
            TicketChange(),
            NewArticle(body="x", type=ArticleType.NOTE, internal=True),
            actor=cast.acting(nora),
            at=LATER,
        )

        assert rows() == [
            ("nora", "create", False),
            ("rita", "create", False),
            ("rita", "update", False),
        ]
        assert queries.unseen(cast.acting(nora)) == 1
        assert queries.unseen(cast.acting(reader)) == 2
        assert queries.unseen(cast.acting(kemal)) == 0

    def test_follows_owner_and_followers(self) -> None:
        kemal, nora = cast.kemal(), cast.nora()
        for login in ("rita", "udo"):
            cast.person(login, roles=[2], groups={1: ["full"]})
        ticket = cast.ticket(kemal, owner_id=nora.pk)
        follow(ticket.pk, actor=cast.acting(User.objects.get(login="udo")), at=LATER)

        update_ticket(
            ticket.pk, TicketChange(priority_id=3), actor=cast.acting(kemal, "zammad"), at=LATER
        )

        assert rows() == [("nora", "update", False), ("udo", "update", False)]

    def test_costs_two_statements_however_many_agents(self, django_assert_num_queries: Any) -> None:
        from deskbell.notify.telling import tell

        ticket = cast.ticket(cast.kemal())
        for number in range(5):
            cast.person(f"agent{number}", roles=[2], groups={1: ["full"]})

        with django_assert_num_queries(2):
            told = tell(ticket, Occasion.CREATE, by=NOBODY_ID, at=LATER)

        assert told == 5

    def test_closing_calls_nobody(self) -> None:
        kemal, nora = cast.kemal(), cast.nora()
        cast.person("rita", roles=[2], groups={1: ["read"]})
        ticket = asking(kemal)

        update_ticket(ticket.pk, TicketChange(state_id=CLOSED), actor=cast.acting(nora), at=LATER)

        assert {seen for _, _, seen in rows()} == {True}
        assert rows()[-1] == ("rita", "update", True)

    def test_a_merge_tells_of_the_target_and_settles_the_source(self) -> None:
        kemal, nora = cast.kemal(), cast.nora()
        cast.person("rita", roles=[2], groups={1: ["full"]})
        source, target = asking(kemal), asking(kemal, title="Same")

        merge(source.pk, target.pk, actor=cast.acting(nora), at=LATER)

        assert {seen for _, _, seen in rows(source)} == {True}
        assert rows(target)[-1] == ("rita", "update", False)

    def test_stories_call_nobody(self) -> None:
        cast.nora()

        cast.ticket(cast.kemal())

        assert rows() == []

    def test_goes_with_the_ticket_and_hides_with_the_access(self) -> None:
        kemal, nora = cast.kemal(), cast.nora()
        first, second = asking(kemal), asking(kemal, title="Other")

        delete_ticket(first.pk, actor=cast.acting(cast.ada()), at=LATER)

        assert [row.ticket_id for row in queries.page(cast.acting(nora), limit=9)] == [second.pk]
        UserGroup.objects.filter(user=nora).delete()
        assert queries.page(cast.acting(nora), limit=9) == []
        assert queries.unseen(cast.acting(nora)) == 0


@pytest.mark.django_db
class TestReminders:
    def test_call_once_for_each_moment(self) -> None:
        nora = cast.nora()
        due = cast.MONDAY_9AM + timedelta(minutes=30)
        ticket = cast.ticket(cast.kemal(), owner_id=nora.pk, state_id=PENDING, pending_time=due)

        counts = [remind(at=at) for at in (cast.MONDAY_9AM, LATER, LATER)]

        assert counts == [0, 1, 0]
        assert rows() == [("nora", "reminder_reached", False)]
        again = TicketChange(pending_time=LATER + timedelta(minutes=5))
        update_ticket(ticket.pk, again, actor=cast.acting(nora), at=LATER)
        assert [remind(at=LATER + timedelta(minutes=m)) for m in (4, 6)] == [0, 1]
        assert rows() == [("nora", "reminder_reached", False)]

    def test_take_no_other_state(self) -> None:
        nora = cast.nora()
        cast.ticket(cast.kemal(), owner_id=nora.pk, state_id=7, pending_time=cast.MONDAY_9AM)

        assert remind(at=LATER) == 0


@pytest.mark.django_db
class TestCleaning:
    def test_takes_what_is_old(self) -> None:
        kemal = cast.kemal()
        nora = cast.acting(cast.nora())
        kept, seen, old = (asking(kemal, title=t) for t in ("kept", "seen", "old"))
        OnlineNotification.objects.filter(ticket=old).update(
            created_at=LATER - operations.KEEP - timedelta(seconds=1)
        )
        operations.see_ticket(seen.pk, actor=nora, at=LATER - operations.KEEP_SEEN)
        Reminder.objects.create(ticket=old, due_at=LATER - operations.KEEP - timedelta(days=1))

        assert operations.clean(at=LATER + timedelta(seconds=1)) == 3

        assert [row.ticket_id for row in queries.page(nora, limit=9)] == [kept.pk]
