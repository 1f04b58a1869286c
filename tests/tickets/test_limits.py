"""What is written about tickets is fit for both databases, bounded, and for whom it is for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from itertools import pairwise
from typing import Any

import pytest

from deskbell.kernel.actor import NOBODY_ID, SYSTEM
from deskbell.kernel.errors import Invalid
from deskbell.kernel.logging import user_id as logged_user_id
from deskbell.kernel.models import Event
from deskbell.people.operations import change_user, save_group
from deskbell.tickets import queries
from deskbell.tickets.attachments import NewFile
from deskbell.tickets.models import Article, Link, State, Tag, Ticket, TicketTag
from deskbell.tickets.operations import (
    NewArticle,
    NewTicket,
    TicketChange,
    delete_ticket,
    edit_article,
    link,
    mark_article,
    merge,
    open_ticket,
    rename_attachment,
    tag,
    unlink,
    update_ticket,
)
from deskbell.tickets.vocabulary import StateId
from tests.cast import (
    MONDAY_9AM,
    MONDAY_10AM,
    acting,
    ada,
    group,
    kemal,
    nora,
    organization,
    person,
    ticket,
)

pytestmark = pytest.mark.django_db

WHO: Any = {"actor": SYSTEM, "at": MONDAY_10AM}
DEEP: Any = {}
for _ in range(100):
    DEEP = {"a": DEEP}
#: The first moment of the calendar, somewhere in the east: in UTC it is before all years.
NO_MOMENT = datetime(1, 1, 1, 1, tzinfo=timezone(timedelta(hours=14)))


def new(**columns: Any) -> NewTicket:
    return NewTicket(**{"title": "T", "group_id": 1, **columns})


def events_of(ticket_id: int) -> list[Event]:
    return list(Event.objects.filter(object="Ticket", object_id=ticket_id).order_by("id"))


BAD_COLUMNS: list[tuple[dict[str, Any], str, str]] = [
    ({"note": "\x00"}, "note", "bad"),
    ({"note": "n" * 251}, "note", "too_long"),
    ({"type": "t" * 101}, "type", "too_long"),
    ({"type": "\ud800"}, "type", "bad"),
    ({"description": "\x00"}, "description", "bad"),
    ({"preferences": {"a": "\x00"}}, "preferences", "bad"),
    ({"preferences": {"a": float("nan")}}, "preferences", "bad"),
    ({"preferences": DEEP}, "preferences", "bad"),
    ({"preferences": {"a": "x" * 300_000}}, "preferences", "bad"),
    ({"due_date": NO_MOMENT}, "due_date", "bad"),
    ({"state_id": 3, "pending_time": NO_MOMENT}, "pending_time", "bad"),
    ({"group_id": 2**70}, "group_id", "unknown"),
    ({"customer_id": 2**70}, "customer_id", "unknown"),
    ({"owner_id": 2**70}, "owner_id", "not_selectable"),
    ({"state_id": 2**70}, "state_id", "unknown"),
    ({"priority_id": -(2**70)}, "priority_id", "unknown"),
]


class TestColumns:
    @pytest.mark.parametrize(("columns", "field", "code"), BAD_COLUMNS)
    def test_of_a_new_ticket(self, columns: dict[str, Any], field: str, code: str) -> None:
        actor = acting(ada())
        with pytest.raises(Invalid) as refused:
            open_ticket(new(**columns), actor=actor, at=MONDAY_9AM)
        assert (refused.value.field, refused.value.code) == (field, code)
        assert not Ticket.objects.filter(title="T").exists()

    @pytest.mark.parametrize(
        ("columns", "field", "code"),
        [
            *BAD_COLUMNS,
            ({"resolution": "\x00"}, "resolution", "bad"),
            ({"merged_to_id": 2**70}, "merged_to_id", "unknown"),
            ({"custom": {"field": "\x00"}}, "field", "bad"),
        ],
    )
    def test_of_a_change(self, columns: dict[str, Any], field: str, code: str) -> None:
        actor = acting(ada())
        opened = ticket()
        with pytest.raises(Invalid) as refused:
            update_ticket(opened.pk, TicketChange(**columns), actor=actor, at=MONDAY_10AM)
        assert (refused.value.field, refused.value.code) == (field, code)
        assert len(events_of(opened.pk)) == 1

    def test_a_moment_at_the_end_of_the_calendar_can_be_read(self) -> None:
        last = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
        opened = ticket(due_date=last)
        row = queries.ticket_row(acting(ada()), opened.pk)
        assert row.due_date is not None
        assert queries.moment(row.due_date) == last

    @pytest.mark.parametrize(
        ("columns", "field"),
        [
            ({"subject": "s" * 100_001}, "subject"),
            ({"references": "\x00"}, "references"),
            ({"message_id": "\x00"}, "message_id"),
            ({"content_type": "text/x-anything"}, "content_type"),
            ({"preferences": {"a": "\x00"}}, "preferences"),
            ({"origin_by_id": 999_999}, "origin_by_id"),
            ({"origin_by_id": 2**70}, "origin_by_id"),
            ({"files": [NewFile("a", b"", preferences={"a": "\x00"})]}, "attachments"),
            ({"files": [NewFile("a", b"")] * 501}, "attachments"),
        ],
    )
    def test_of_an_entry(self, columns: dict[str, Any], field: str) -> None:
        actor = acting(ada())
        opened = ticket()
        article = NewArticle(body="b", **columns)
        with pytest.raises(Invalid) as refused:
            update_ticket(opened.pk, article=article, actor=actor, at=MONDAY_10AM)
        assert refused.value.field == field
        assert Article.objects.filter(ticket=opened).count() == 1

    @pytest.mark.parametrize(
        "columns",
        [
            {"subject": "s" * 100_001},
            {"subject": "\x00"},
            {"content_type": "text/x-anything"},
            {"preferences": DEEP},
            {"internal": "yes"},
            {"new_status": 2**40},
        ],
    )
    def test_of_a_corrected_entry(self, columns: dict[str, Any]) -> None:
        opened = ticket()
        entry = opened.articles.get()
        with pytest.raises(Invalid):
            edit_article(entry.pk, columns, **WHO)
        with pytest.raises(Invalid):
            mark_article(entry.pk, preferences=DEEP, **WHO)

    def test_of_a_file(self) -> None:
        opened = ticket()
        update_ticket(
            opened.pk,
            article=NewArticle(body="b", files=[NewFile("\x00a.txt", b"x", "text/plain\x00")]),
            **WHO,
        )
        file = Article.objects.filter(ticket=opened).latest("id").attachments.get()
        assert (file.filename, file.content_type) == ("a.txt", "text/plain")
        with pytest.raises(Invalid):
            rename_attachment(file, {"content_type": "x" * 251}, **WHO)

    def test_time_spent_may_add_up_to_anything(self) -> None:
        opened = ticket()
        for _ in range(5):
            update_ticket(opened.pk, article=NewArticle(body="b", seconds=10**9), **WHO)
        opened.refresh_from_db()
        assert opened.time_spent == 5 * 10**9


class TestLists:
    def test_mentions_are_bounded_and_read_at_once(
        self, django_assert_max_num_queries: Any
    ) -> None:
        agents = [person(f"agent{n}", roles=[4]).pk for n in range(5)]
        customer = kemal()
        with pytest.raises(Invalid):
            open_ticket(new(mentions=range(2, 200)), **WHO)
        with pytest.raises(Invalid) as refused:
            open_ticket(new(mentions=[*agents, customer.pk]), **WHO)
        assert refused.value.value == customer.pk
        with pytest.raises(Invalid):
            open_ticket(new(mentions=[2**70]), **WHO)
        with django_assert_max_num_queries(30) as one:
            open_ticket(new(mentions=agents[:1]), **WHO)
        with django_assert_max_num_queries(len(one)):
            open_ticket(new(mentions=agents), **WHO)

    def test_a_mention_does_not_sign_the_access_log(self) -> None:
        agent, mentioned = ada(), nora()
        actor = acting(agent)
        open_ticket(new(mentions=[mentioned.pk]), actor=actor, at=MONDAY_9AM)
        assert logged_user_id.get() == agent.pk

    def test_links_are_bounded(self) -> None:
        with pytest.raises(Invalid):
            open_ticket(new(links={"normal": range(1, 102)}), **WHO)

    def test_tags_are_bounded_in_all(self) -> None:
        opened = ticket()
        tag(opened.pk, [f"tag{n}" for n in range(150)], **WHO)
        with pytest.raises(Invalid):
            tag(opened.pk, [f"more{n}" for n in range(51)], **WHO)
        assert TicketTag.objects.filter(ticket=opened).count() == 150
        tag(opened.pk, [f"tag{n}" for n in range(150)], **WHO)

    def test_a_tag_whose_key_is_longer_than_its_name(self) -> None:
        with pytest.raises(Invalid):
            tag(ticket().pk, ["ﬃ" * 200], **WHO)
        assert not Tag.objects.exists()


class TestWhoMay:
    def test_a_customer_writes_no_private_entry(self) -> None:
        customer = kemal()
        opened = ticket(customer)
        _ticket, entry = update_ticket(
            opened.pk,
            article=NewArticle(body="b", internal=True),
            actor=acting(customer, "portal"),
            at=MONDAY_10AM,
        )
        assert entry is not None
        assert not entry.internal

    def test_a_customer_sets_no_due_date(self) -> None:
        actor = acting(kemal())
        opened = open_ticket(new(due_date=MONDAY_10AM), actor=actor, at=MONDAY_9AM)
        assert opened.due_date is None
        update_ticket(opened.pk, TicketChange(due_date=MONDAY_10AM), actor=actor, at=MONDAY_10AM)
        opened.refresh_from_db()
        assert opened.due_date is None


class TestHold:
    def test_sent_back_with_a_pending_state_is_no_change(self) -> None:
        opened = ticket()
        change = TicketChange(state_id=3, pending_time=MONDAY_10AM, on_hold=False)
        changed, _ = update_ticket(opened.pk, change, **WHO)
        assert (changed.state_id, changed.on_hold) == (StateId.PENDING_REMINDER, False)

    def test_sent_back_when_a_pending_ticket_is_closed_reads_as_it_was_sent(self) -> None:
        opened = ticket(state_id=3, pending_time=MONDAY_10AM)
        changed, _ = update_ticket(opened.pk, TicketChange(state_id=9, on_hold=True), **WHO)
        assert (changed.state_id, changed.on_hold) == (StateId.RESOLVED, True)

    def test_given_with_a_closed_state_stays(self) -> None:
        opened = ticket()
        changed, _ = update_ticket(opened.pk, TicketChange(state_id=9, on_hold=True), **WHO)
        assert (changed.state_id, changed.on_hold) == (StateId.RESOLVED, True)

    def test_taken_off_turns_pending_into_open(self) -> None:
        opened = ticket(state_id=3, pending_time=MONDAY_10AM)
        changed, _ = update_ticket(opened.pk, TicketChange(on_hold=False), **WHO)
        assert (changed.state_id, changed.on_hold) == (StateId.OPEN, False)


class TestPending:
    def test_without_a_time_is_not_judged_by_an_unrelated_change(self) -> None:
        opened = ticket(state_id=3, pending_time=MONDAY_10AM)
        Ticket.objects.filter(pk=opened.pk).update(pending_time=None)  # as an import may bring it
        changed, _ = update_ticket(opened.pk, TicketChange(title="Other"), **WHO)
        assert changed.title == "Other"

    def test_needs_a_time_when_it_becomes_so(self) -> None:
        opened = ticket()
        with pytest.raises(Invalid) as refused:
            update_ticket(opened.pk, TicketChange(state_id=3), **WHO)
        assert refused.value.field == "pending_time"


class TestFollowingUp:
    def test_leads_to_the_state_that_administrators_chose(self) -> None:
        customer = kemal()
        opened = ticket(customer, state_id=4)
        State.objects.filter(default_follow_up=True).update(default_follow_up=False)
        State.objects.filter(pk=StateId.REOPENED).update(default_follow_up=True)
        changed, _ = update_ticket(
            opened.pk,
            article=NewArticle(body="b"),
            actor=acting(customer, "portal"),
            at=MONDAY_10AM,
        )
        assert changed.state_id == StateId.REOPENED


class TestMerging:
    def test_leaves_a_line_with_both(self) -> None:
        agent = ada()
        source, target = ticket(owner_id=agent.pk), ticket()
        merge(source.pk, target.pk, actor=acting(agent), at=MONDAY_10AM)
        here = {c["attribute"]: (c["type"], c["to"]) for c in events_of(target.pk)[-1].changes}
        there = {c["attribute"]: (c["type"], c["to"]) for c in events_of(source.pk)[-1].changes}
        assert here == {"merge": ("received_merge", source.number)}
        assert there == {
            "merge": ("merged_into", target.number),
            "state": ("updated", "merged"),
            "owner": ("updated", "-"),
        }

    def test_makes_no_circle_of_pointers(self) -> None:
        first, second, third = ticket(), ticket(), ticket()
        update_ticket(second.pk, TicketChange(merged_to_id=third.pk), **WHO)
        update_ticket(third.pk, TicketChange(merged_to_id=first.pk), **WHO)
        merge(first.pk, second.pk, **WHO)
        seen, step = [], first
        while step.merged_to is not None:
            step.refresh_from_db()
            seen.append(step.pk)
            assert len(seen) < 5
            if step.merged_to is None:
                break
            step = Ticket.objects.get(pk=step.merged_to_id)

    def test_keeps_links_as_they_are_looked_up(self) -> None:
        low, source, high = ticket(), ticket(), ticket()
        link("normal", low.pk, source.pk, **WHO)
        merge(source.pk, high.pk, **WHO)
        merge(low.pk, ticket().pk, **WHO)
        tie = Link.objects.get(type="normal")
        assert tie.source_id < tie.target_id
        assert unlink("normal", tie.target_id, tie.source_id, **WHO) == 1

    def test_of_a_long_chain_asks_once(self, django_assert_max_num_queries: Any) -> None:
        chain = [ticket() for _ in range(8)]
        for here, there in pairwise(chain):
            update_ticket(here.pk, TicketChange(merged_to_id=there.pk), **WHO)
        with django_assert_max_num_queries(20), pytest.raises(Invalid) as refused:
            update_ticket(chain[-1].pk, TicketChange(merged_to_id=chain[0].pk), **WHO)
        assert refused.value.code == "cycle"

    def test_and_deleting_forgets_what_entries_said_before(self) -> None:
        source, target = ticket(), ticket()
        edit_article(source.articles.get().pk, {"body": "secret two"}, **WHO)
        merge(source.pk, target.pk, **WHO)
        delete_ticket(target.pk, **WHO)
        said = str([event.changes for event in events_of(source.pk)])
        assert "It burns" not in said
        assert "secret" not in said


class TestAnEntryThatMoves:
    def test_is_judged_where_it_stands(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A merge comes between finding the entry and locking its ticket."""
        from deskbell.tickets import access

        agent = nora()
        sales = group("Sales")
        source, target = ticket(), ticket(group_id=sales.pk)
        entry = source.articles.get()
        door = access.ticket_for

        def slow(actor: Any, ticket_id: int, *args: Any, **kwargs: Any) -> Ticket:
            if ticket_id == source.pk:
                monkeypatch.setattr(access, "ticket_for", door)
                merge(source.pk, target.pk, **WHO)
            return door(actor, ticket_id, *args, **kwargs)

        monkeypatch.setattr(access, "ticket_for", slow)
        with pytest.raises(access.TicketForbidden):
            mark_article(entry.pk, internal=True, actor=acting(agent), at=MONDAY_10AM)
        entry.refresh_from_db()
        assert not entry.internal


class TestOrganizations:
    def test_show_nothing_to_somebody_who_left(self) -> None:
        acme = organization("Acme")
        here, gone = kemal(organization=acme), person("gina", roles=[3], organization=acme)
        opened = ticket(here)
        assert queries.tickets_by_id(acting(gone), [opened.pk])
        change_user(gone.pk, organization_id=None, **WHO)
        assert not queries.tickets_by_id(acting(gone), [opened.pk])


def test_the_default_owner_is_somebody() -> None:
    agent = nora()
    save_group(1, {"default_owner_id": agent.pk}, **WHO)
    customer = kemal()
    opened = open_ticket(new(), actor=acting(customer, "portal"), at=MONDAY_9AM)
    assert opened.owner_id == agent.pk
    change_user(agent.pk, columns={"active": False}, **WHO)
    opened = open_ticket(new(), actor=acting(customer, "portal"), at=MONDAY_9AM)
    assert opened.owner_id == NOBODY_ID
