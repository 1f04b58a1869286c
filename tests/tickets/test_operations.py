"""The verbs of the trade, through the functions."""

from __future__ import annotations

from datetime import timedelta

import pytest

from deskbell.kernel.actor import NOBODY_ID, SYSTEM
from deskbell.kernel.errors import Forbidden, Invalid, Refused
from deskbell.kernel.models import Event
from deskbell.people.operations import save_group
from deskbell.tickets import access, attachments, queries
from deskbell.tickets.attachments import NewFile
from deskbell.tickets.models import Article, Blob, Link, Tag, Ticket, TicketCC, TimeEntry
from deskbell.tickets.operations import (
    NewArticle,
    NewTicket,
    TicketChange,
    delete_ticket,
    edit_article,
    link,
    merge,
    open_ticket,
    public_reply,
    remove_article,
    tag,
    unlink,
    untag,
    update_ticket,
)
from deskbell.tickets.vocabulary import ArticleType, Sender, StateId
from tests.cast import (
    MONDAY_9AM,
    MONDAY_10AM,
    acting,
    ada,
    group,
    kemal,
    nora,
    organization,
    pure_admin,
    ticket,
)

pytestmark = pytest.mark.django_db


def events_of(ticket_id: int) -> list[Event]:
    return list(Event.objects.filter(object="Ticket", object_id=ticket_id).order_by("id"))


class TestOpening:
    def test_numbers_are_the_prefix_and_the_id(self) -> None:
        opened = ticket()
        assert opened.number == f"10{opened.pk:03d}"

    def test_ids_are_never_used_again(self) -> None:
        first = ticket()
        delete_ticket(first.pk, actor=SYSTEM, at=MONDAY_9AM)
        assert ticket().pk > first.pk

    def test_leaves_exactly_one_event(self) -> None:
        opened = ticket(kemal(), tags=["a", "b"])
        kinds = [event.kind for event in events_of(opened.pk)]
        assert kinds == ["TicketOpened"]

    def test_takes_the_description_from_the_first_entry(self) -> None:
        assert ticket(body="It burns.").description == "It burns."
        assert ticket(body=None).description is None

    def test_a_title_is_one_line(self) -> None:
        assert ticket(title="a\tb\r\nc").title == "a b  c"

    @pytest.mark.parametrize(
        ("columns", "field", "code"),
        [
            ({"title": " \n"}, "title", "required"),
            ({"title": "x" * 251}, "title", "too_long"),
            ({"title": "a\x00b"}, "title", "bad"),
            ({"group_id": 999}, "group_id", "unknown"),
            ({"state_id": 999}, "state_id", "unknown"),
            ({"state_id": 5}, "state_id", "not_selectable"),
            ({"state_id": 3}, "pending_time", "required"),
            ({"priority_id": 999}, "priority_id", "unknown"),
            ({"customer_id": 999}, "customer_id", "unknown"),
            ({"note": "n" * 251}, "note", "too_long"),
            ({"ccs": ["nobody"]}, "ccs", "not_an_address"),
            ({"mentions": [999]}, "mentions", "unknown"),
        ],
    )
    def test_what_makes_no_sense_leaves_nothing(
        self, columns: dict[str, object], field: str, code: str
    ) -> None:
        before = (Ticket.objects.count(), Article.objects.count(), Event.objects.count())
        with pytest.raises(Invalid) as refused:
            open_ticket(
                NewTicket(
                    **{
                        "title": "T",
                        "group_id": 1,
                        "article": NewArticle(body="b"),
                        **columns,
                    }  # type: ignore[arg-type]
                ),
                actor=SYSTEM,
                at=MONDAY_9AM,
            )
        assert (refused.value.field, refused.value.code) == (field, code)
        after = (Ticket.objects.count(), Article.objects.count(), Event.objects.count())
        assert after == before

    def test_a_customer_is_always_the_customer(self) -> None:
        me, other = kemal(), nora()
        opened = open_ticket(
            NewTicket(title="T", group_id=1, customer_id=other.pk, owner_id=other.pk),
            actor=acting(me, "portal"),
            at=MONDAY_9AM,
        )
        assert (opened.customer_id, opened.owner_id) == (me.pk, NOBODY_ID)

    def test_an_agent_needs_create_on_the_group(self) -> None:
        sales = group("Sales")
        reader = acting(nora({sales.pk: ["read", "change"]}))
        with pytest.raises(Forbidden):
            open_ticket(NewTicket(title="T", group_id=sales.pk), actor=reader, at=MONDAY_9AM)

    def test_an_inactive_group_takes_nothing(self) -> None:
        sales = group("Sales", active=False)
        with pytest.raises(Invalid) as refused:
            ticket(group_id=sales.pk)
        assert refused.value.code == "inactive"

    def test_the_organization_is_the_customers(self) -> None:
        acme, other = organization("Acme"), organization("Other")
        customer = kemal(organization=acme)
        assert ticket(customer).organization_id == acme.pk
        assert ticket(customer, organization_id=other.pk).organization_id == acme.pk


class TestOwner:
    def test_must_have_full_where_zammad_and_pages_choose(self) -> None:
        agent = nora({1: ["change"]})
        with pytest.raises(Invalid):
            ticket(owner_id=agent.pk, actor=acting(ada(), "zammad"))

    def test_must_only_be_active_where_the_forms_choose(self) -> None:
        customer = kemal()
        opened = ticket(owner_id=customer.pk, actor=acting(ada(), "helpdesk"))
        assert opened.owner_id == customer.pk

    def test_grants_nothing(self) -> None:
        customer = nora({})
        opened = ticket(owner_id=customer.pk, actor=acting(ada(), "helpdesk"))
        with pytest.raises(Forbidden):
            access.ticket_for(acting(customer), opened.pk)

    def test_is_lost_on_a_move_he_cannot_follow(self) -> None:
        sales = group("Sales")
        agent, boss = nora(), ada()
        opened = ticket(owner_id=agent.pk)
        moved, _ = update_ticket(
            opened.pk, TicketChange(group_id=sales.pk), actor=acting(boss), at=MONDAY_10AM
        )
        assert moved.owner_id == NOBODY_ID

    def test_stays_when_the_form_names_him_again(self) -> None:
        sales = group("Sales")
        agent, boss = nora(), ada()
        opened = ticket(owner_id=agent.pk)
        moved, _ = update_ticket(
            opened.pk,
            TicketChange(group_id=sales.pk, owner_id=agent.pk),
            actor=acting(boss, "helpdesk"),
            at=MONDAY_10AM,
        )
        assert moved.owner_id == agent.pk


class TestReply:
    def test_by_an_agent_starts_what_was_new(self) -> None:
        agent = acting(nora())
        opened = ticket(kemal())
        updated, article = update_ticket(
            opened.pk,
            article=NewArticle(**public_reply(opened, "On my way")),
            actor=agent,
            at=MONDAY_10AM,
        )
        assert article is not None
        assert updated.state_id == StateId.OPEN
        assert updated.first_response_at == MONDAY_10AM
        assert article.type == ArticleType.EMAIL
        assert article.email_recipients == ["kemal@example.test"]
        assert article.from_address == "Nora Example via Users <deskbell@localhost>"

    def test_as_a_note_changes_nothing_but_the_time(self) -> None:
        agent = acting(nora())
        opened = ticket(kemal())
        updated, article = update_ticket(
            opened.pk,
            article=NewArticle(body="psst", internal=True),
            actor=agent,
            at=MONDAY_10AM,
        )
        assert article is not None
        assert updated.state_id == StateId.NEW
        assert updated.first_response_at is None
        assert updated.updated_at == MONDAY_10AM
        assert article.email_recipients == []

    @pytest.mark.parametrize(
        ("via", "state"),
        [("portal", StateId.OPEN), ("mail", StateId.OPEN), ("zammad", StateId.CLOSED)],
    )
    def test_by_the_customer_reopens_only_from_mail_and_portal(self, via, state) -> None:  # type: ignore[no-untyped-def]
        me = kemal()
        closed = ticket(me, state_id=4)
        updated, _ = update_ticket(
            closed.pk,
            article=NewArticle(body="Still broken", type=ArticleType.WEB),
            actor=acting(me, via),
            at=MONDAY_10AM,
        )
        assert updated.state_id == state

    def test_is_refused_where_the_group_wants_a_new_ticket(self) -> None:
        save_group(1, {"follow_up_possible": "new_ticket"}, actor=SYSTEM, at=MONDAY_9AM)
        me = kemal()
        closed = ticket(me, state_id=4)
        with pytest.raises(Refused) as refused:
            update_ticket(
                closed.pk, article=NewArticle(body="x"), actor=acting(me, "portal"), at=MONDAY_10AM
            )
        assert refused.value.reason == "closed"
        assert Article.objects.filter(ticket=closed).count() == 1

    def test_is_refused_after_the_time_to_reopen(self) -> None:
        save_group(
            1,
            {"follow_up_possible": "new_ticket_after_certain_time", "reopen_time_in_days": 2},
            actor=SYSTEM,
            at=MONDAY_9AM,
        )
        me = kemal()
        closed = ticket(me, state_id=4)
        late = MONDAY_9AM + timedelta(days=2, seconds=1)
        with pytest.raises(Refused):
            update_ticket(
                closed.pk, article=NewArticle(body="x"), actor=acting(me, "portal"), at=late
            )
        update_ticket(
            closed.pk,
            article=NewArticle(body="x"),
            actor=acting(me, "portal"),
            at=MONDAY_9AM + timedelta(days=2),
        )

    def test_by_somebody_else_is_refused(self) -> None:
        stranger = acting(nora({}))
        opened = ticket(kemal())
        with pytest.raises(Forbidden):
            update_ticket(opened.pk, article=NewArticle(body="x"), actor=stranger, at=MONDAY_10AM)

    def test_counts_time_spent(self) -> None:
        agent = acting(nora())
        opened = ticket(kemal())
        for _ in range(2):
            updated, _article = update_ticket(
                opened.pk, article=NewArticle(body="x", seconds=90), actor=agent, at=MONDAY_10AM
            )
        assert updated.time_spent == 180


class TestChange:
    def test_to_what_it_is_already_writes_nothing(self) -> None:
        opened = ticket(kemal())
        before = events_of(opened.pk)
        updated, _ = update_ticket(
            opened.pk,
            TicketChange(
                title=opened.title,
                group_id=1,
                state_id=opened.state_id,
                priority_id=opened.priority_id,
                owner_id=1,
                customer_id=opened.customer_id,
                on_hold=False,
                note=None,
            ),
            actor=acting(ada()),
            at=MONDAY_10AM,
        )
        assert updated.updated_at == MONDAY_9AM
        assert events_of(opened.pk) == before

    def test_keeps_the_counters_right(self) -> None:
        sales = group("Sales")
        actor = acting(ada())
        opened = ticket()
        update_ticket(
            opened.pk, TicketChange(group_id=sales.pk, state_id=4), actor=actor, at=MONDAY_10AM
        )
        assert queries.count_tickets(actor) == 1
        assert queries.count_tickets(actor, statuses=[4]) == 1
        assert queries.count_tickets(actor, statuses=[1]) == 0

    def test_closing_is_remembered(self) -> None:
        actor = acting(ada())
        opened = ticket()
        first, _ = update_ticket(opened.pk, TicketChange(state_id=4), actor=actor, at=MONDAY_10AM)
        assert (first.close_at, first.last_close_at) == (MONDAY_10AM, MONDAY_10AM)
        update_ticket(opened.pk, TicketChange(state_id=2), actor=actor, at=MONDAY_10AM)
        later = MONDAY_10AM + timedelta(hours=1)
        again, _ = update_ticket(opened.pk, TicketChange(state_id=4), actor=actor, at=later)
        assert (again.close_at, again.last_close_at) == (MONDAY_10AM, later)

    def test_a_reminder_goes_with_the_pending_state(self) -> None:
        actor = acting(ada())
        opened = ticket()
        with pytest.raises(Invalid):
            update_ticket(opened.pk, TicketChange(state_id=3), actor=actor, at=MONDAY_10AM)
        when = MONDAY_10AM.replace(second=42, microsecond=7)
        pending, _ = update_ticket(
            opened.pk, TicketChange(state_id=3, pending_time=when), actor=actor, at=MONDAY_10AM
        )
        assert pending.pending_time == MONDAY_10AM
        awake, _ = update_ticket(
            opened.pk, TicketChange(on_hold=False), actor=actor, at=MONDAY_10AM
        )
        assert (awake.state_id, awake.pending_time) == (StateId.OPEN, None)

    def test_hold_survives_a_change_of_state(self) -> None:
        actor = acting(ada())
        opened = ticket()
        held, _ = update_ticket(
            opened.pk, TicketChange(on_hold=True, state_id=9), actor=actor, at=MONDAY_10AM
        )
        assert held.on_hold
        assert held.state_id == StateId.RESOLVED

    def test_a_pointer_may_not_bite_its_tail(self) -> None:
        actor = acting(ada())
        a, b = ticket(), ticket()
        update_ticket(a.pk, TicketChange(merged_to_id=b.pk), actor=actor, at=MONDAY_10AM)
        for other, code in ((b.pk, "self"), (a.pk, "cycle")):
            with pytest.raises(Invalid) as refused:
                update_ticket(b.pk, TicketChange(merged_to_id=other), actor=actor, at=MONDAY_10AM)
            assert refused.value.code == code

    def test_to_a_group_without_access_is_refused(self) -> None:
        sales = group("Sales")
        opened = ticket()
        with pytest.raises(Invalid) as refused:
            update_ticket(
                opened.pk, TicketChange(group_id=sales.pk), actor=acting(nora()), at=MONDAY_10AM
            )
        assert refused.value.code == "not_selectable"

    def test_by_a_customer_passes_over_what_is_for_agents(self) -> None:
        me = kemal()
        opened = ticket(me)
        updated, _ = update_ticket(
            opened.pk,
            TicketChange(title="New", owner_id=me.pk, customer_id=2, resolution="x", on_hold=True),
            actor=acting(me, "zammad"),
            at=MONDAY_10AM,
        )
        assert updated.title == "New"
        assert (updated.owner_id, updated.customer_id, updated.resolution) == (1, me.pk, None)
        assert not updated.on_hold

    def test_to_a_removed_state_is_refused_and_to_the_present_one_never(self) -> None:
        actor = acting(ada())
        opened = ticket()
        with pytest.raises(Invalid):
            update_ticket(opened.pk, TicketChange(state_id=6), actor=actor, at=MONDAY_10AM)
        Ticket.objects.filter(pk=opened.pk).update(state_id=6)
        same, _ = update_ticket(
            opened.pk, TicketChange(state_id=6, title="x"), actor=actor, at=MONDAY_10AM
        )
        assert same.state_id == StateId.REMOVED


class TestFiles:
    def test_the_same_bytes_are_stored_once(self) -> None:
        for name in ("a.txt", "b.txt"):
            open_ticket(
                NewTicket(
                    title="T",
                    group_id=1,
                    article=NewArticle(
                        body="b", files=[NewFile(name, b"same bytes", "text/plain")]
                    ),
                ),
                actor=SYSTEM,
                at=MONDAY_9AM,
            )
        assert Blob.objects.count() == 1
        assert attachments.read_blob(Blob.objects.get().digest) == b"same bytes"

    @pytest.mark.parametrize(
        ("given", "kept"),
        [
            ("../../etc/passwd", "passwd"),
            ("C:\\x\\boot.ini", "boot.ini"),
            (".htaccess", "htaccess"),
            ("a\u202egpj.exe", "agpj.exe"),
            (".\u200bhtaccess", "htaccess"),
            ("x\r\nSet-Cookie: a", "xSet-Cookie: a"),
            ("a\u061c\u2028b\U000e0041\ufff9.txt", "ab.txt"),
            ("\u180e.htaccess", "htaccess"),
            ("", "file"),
            ("...", "file"),
            ("/", "file"),
            ("\x00\ud800", "file"),
            ("Bürö 1.pdf", "Bürö 1.pdf"),
        ],
    )
    def test_names_are_cleaned(self, given: str, kept: str) -> None:
        assert attachments.clean_filename(given) == kept

    @pytest.mark.parametrize(
        ("declared", "served"),
        [
            ("text/plain; charset=utf-8", "text/plain"),
            ("image/svg+xml; x", "application/octet-stream"),
            ("text/html", "application/octet-stream"),
            ("application/xhtml+xml", "application/octet-stream"),
            ("text/javascript", "application/octet-stream"),
            ("nonsense", "application/octet-stream"),
            ("image/png\r\nX: y", "application/octet-stream"),
            ("", "application/octet-stream"),
            ("IMAGE/PNG", "image/png"),
            ("text/css", "application/octet-stream"),
            ("multipart/x-mixed-replace", "application/octet-stream"),
        ],
    )
    def test_nothing_active_is_served(self, declared: str, served: str) -> None:
        assert attachments.served_type(declared) == served

    def test_unused_bytes_are_swept_after_a_day(self) -> None:
        opened = open_ticket(
            NewTicket(
                title="T",
                group_id=1,
                article=NewArticle(body="b", files=[NewFile("a", b"to be swept")]),
            ),
            actor=SYSTEM,
            at=MONDAY_9AM,
        )
        delete_ticket(opened.pk, actor=SYSTEM, at=MONDAY_9AM)
        from deskbell.kernel.clock import now

        assert attachments.sweep(at=MONDAY_9AM + timedelta(hours=1)) == 0
        assert attachments.sweep(at=now() + timedelta(days=2)) == 1
        assert Blob.objects.count() == 0

    def test_private_files_are_not_for_customers(self) -> None:
        me = kemal()
        opened = ticket(me)
        _t, note = update_ticket(
            opened.pk,
            article=NewArticle(body="b", internal=True, files=[NewFile("a", b"secret")]),
            actor=acting(ada()),
            at=MONDAY_10AM,
        )
        assert note is not None
        file = note.attachments.get()
        with pytest.raises(Forbidden):
            attachments.attachment_for(acting(me), file.pk)
        assert attachments.attachment_for(acting(nora()), file.pk).pk == file.pk


class TestEntries:
    def test_are_corrected_by_their_author_alone(self) -> None:
        author, colleague = nora(), None
        from tests.cast import person

        colleague = person("nils", roles=[2], groups={1: ["full"]})
        opened = ticket(kemal())
        _t, article = update_ticket(
            opened.pk, article=NewArticle(body="tpyo"), actor=acting(author), at=MONDAY_10AM
        )
        assert article is not None
        with pytest.raises(Forbidden):
            edit_article(article.pk, {"body": "x"}, actor=acting(colleague), at=MONDAY_10AM)
        edit_article(article.pk, {"body": "typo"}, actor=acting(author), at=MONDAY_10AM)
        article.refresh_from_db()
        assert article.body == "typo"
        assert events_of(opened.pk)[-1].changes[0]["from"] == "tpyo"
        assert article.email_recipients == []

    def test_are_removed_with_their_time(self) -> None:
        agent = acting(ada())
        opened = ticket(kemal())
        _t, article = update_ticket(
            opened.pk, article=NewArticle(body="x", seconds=60), actor=agent, at=MONDAY_10AM
        )
        assert article is not None
        remove_article(article.pk, actor=agent, at=MONDAY_10AM)
        opened.refresh_from_db()
        assert (opened.article_count, opened.time_spent) == (1, None)
        assert not TimeEntry.objects.exists()


class TestTies:
    def test_tags_fold_case_and_stay_single(self) -> None:
        opened = ticket()
        actor = acting(ada())
        tag(opened.pk, ["VIP", "vip", " "], actor=actor, at=MONDAY_10AM)
        assert [t.name for t in Tag.objects.all()] == ["VIP"]
        untag(opened.pk, ["vIp", "other"], actor=actor, at=MONDAY_10AM)
        assert [c["type"] for e in events_of(opened.pk)[1:] for c in e.changes] == [
            "added",
            "removed",
        ]

    def test_a_child_is_a_parent_from_the_other_side(self) -> None:
        a, b = ticket(), ticket()
        actor = acting(ada())
        link("child", a.pk, b.pk, actor=actor, at=MONDAY_10AM)
        stored = Link.objects.get()
        assert (stored.type, stored.source_id, stored.target_id) == ("parent", b.pk, a.pk)
        assert unlink("parent", b.pk, a.pk, actor=actor, at=MONDAY_10AM) == 1

    def test_a_link_is_no_side_door(self) -> None:
        sales = group("Sales")
        hidden, mine = ticket(group_id=sales.pk), ticket()
        with pytest.raises(Forbidden):
            link("normal", hidden.pk, mine.pk, actor=acting(nora()), at=MONDAY_10AM)
        with pytest.raises(Forbidden):
            open_ticket(
                NewTicket(title="T", group_id=1, links={"normal": [hidden.pk]}),
                actor=acting(person_with_full()),
                at=MONDAY_10AM,
            )

    def test_a_ticket_is_not_tied_to_itself(self) -> None:
        opened = ticket()
        with pytest.raises(Invalid):
            link("normal", opened.pk, opened.pk, actor=acting(ada()), at=MONDAY_10AM)


def person_with_full():  # type: ignore[no-untyped-def]
    from tests.cast import person

    return person("nils", roles=[2], groups={1: ["full"]})


class TestMerge:
    def test_moves_entries_and_leaves_a_trace(self) -> None:
        actor = acting(ada())
        source, target = ticket(kemal(), ccs=["cc@example.test"]), ticket()
        merged, gone = merge(source.pk, target.pk, actor=actor, at=MONDAY_10AM)
        gone.refresh_from_db()
        assert merged.articles.count() == 2
        assert set(merged.articles.values_list("moved_from", flat=True)) == {None, source.pk}
        assert (gone.state_id, gone.merged_to_id, gone.owner_id) == (StateId.MERGED, target.pk, 1)
        assert [a.body for a in gone.articles.all()] == ["merged"]
        assert TicketCC.objects.get().ticket_id == target.pk
        assert Link.objects.get().target_id == source.pk
        assert merged.article_count == 2

    def test_mails_nobody_about_the_note_it_leaves(self) -> None:
        actor = acting(ada())
        sales = group(updated_ticket_cc=["team@example.test"])
        source, target = ticket(group_id=sales.pk), ticket()

        _, gone = merge(source.pk, target.pk, actor=actor, at=MONDAY_10AM)

        assert gone.articles.get().email_recipients == []

    def test_twice_or_into_itself_is_refused(self) -> None:
        actor = acting(ada())
        a, b, c = ticket(), ticket(), ticket()
        merge(a.pk, b.pk, actor=actor, at=MONDAY_10AM)
        with pytest.raises(Refused) as refused:
            merge(c.pk, a.pk, actor=actor, at=MONDAY_10AM)
        assert refused.value.reason == "merged"
        with pytest.raises(Refused) as refused:
            merge(c.pk, c.pk, actor=actor, at=MONDAY_10AM)
        assert refused.value.reason == "self"

    def test_needs_change_on_both(self) -> None:
        sales = group("Sales")
        a, b = ticket(), ticket(group_id=sales.pk)
        with pytest.raises(Forbidden):
            merge(a.pk, b.pk, actor=acting(nora({1: ["full"], sales.pk: ["read"]})), at=MONDAY_10AM)


class TestDeletion:
    def test_is_for_admins_and_those_with_the_right(self) -> None:
        opened = ticket(kemal())
        for who in (nora(), person_with_full()):
            with pytest.raises(Forbidden):
                delete_ticket(opened.pk, actor=acting(who), at=MONDAY_10AM)
        delete_ticket(opened.pk, actor=acting(pure_admin()), at=MONDAY_10AM)
        assert not Ticket.objects.filter(pk=opened.pk).exists()

    def test_keeps_that_it_happened_and_blanks_what_was_said(self) -> None:
        opened = ticket(kemal(), title="Secret matter")
        number = opened.number
        delete_ticket(opened.pk, actor=acting(ada()), at=MONDAY_10AM)
        rows = events_of(opened.pk)
        assert [row.kind for row in rows] == ["TicketOpened", "TicketDeleted"]
        assert {row.number for row in rows} == {number}
        assert "Secret" not in str([row.changes for row in rows])

    def test_empties_pointers_to_it(self) -> None:
        actor = acting(ada())
        a, b = ticket(), ticket()
        update_ticket(a.pk, TicketChange(merged_to_id=b.pk), actor=actor, at=MONDAY_9AM)
        delete_ticket(b.pk, actor=actor, at=MONDAY_10AM)
        a.refresh_from_db()
        assert a.merged_to_id is None


class TestSeeing:
    def test_everybody_sees_their_own(self) -> None:
        acme = organization("Acme")
        sales = group("Sales")
        from tests.cast import person

        me = kemal(organization=acme)
        colleague = person("kim", roles=[3], organization=acme)
        mine, theirs, other = ticket(me), ticket(colleague, group_id=sales.pk), ticket()
        cases = [
            (acting(me), {mine.pk, theirs.pk}),
            (acting(nora()), {mine.pk, other.pk}),
            (acting(ada()), {mine.pk, theirs.pk, other.pk}),
            (acting(pure_admin()), set()),
        ]
        for actor, expected in cases:
            page = queries.tickets_page(actor, limit=100)
            assert {row.id for row in page} == expected
            assert queries.count_tickets(actor) == len(expected)
            assert set(access.tickets(actor).values_list("id", flat=True)) == expected
            assert {r.id for r in queries.tickets_by_id(actor, [mine.pk, theirs.pk, other.pk])} == (
                expected
            )
            for id_ in (mine.pk, theirs.pk, other.pk):
                if id_ in expected:
                    assert queries.ticket_row(actor, id_).id == id_
                else:
                    with pytest.raises(Forbidden):
                        queries.ticket_row(actor, id_)

    def test_an_unshared_organization_shows_nothing(self) -> None:
        acme = organization("Acme", shared=False)
        from tests.cast import person

        me, colleague = kemal(organization=acme), person("kim", roles=[3], organization=acme)
        ticket(colleague)
        assert queries.tickets_page(acting(me), limit=10) == []

    def test_private_entries_are_for_agents_of_the_group(self) -> None:
        me = kemal()
        opened = ticket(me)
        update_ticket(
            opened.pk,
            article=NewArticle(body="psst", internal=True),
            actor=acting(ada()),
            at=MONDAY_10AM,
        )
        for actor, count in ((acting(me), 1), (acting(nora()), 2)):
            rows = queries.tickets_page(actor, limit=10)
            assert len(queries.articles_of(actor, rows)[opened.pk]) == count
            assert len(queries.articles_page(actor, limit=10)) == count
            assert queries.count_articles(actor) == count

    def test_one_query_whatever_the_size_of_the_page(self, django_assert_num_queries) -> None:  # type: ignore[no-untyped-def]
        for _ in range(5):
            ticket(kemal() if _ == 0 else None)
        actor = acting(ada())
        with django_assert_num_queries(3):
            rows = queries.tickets_page(actor, limit=100)
            articles = queries.articles_of(actor, rows)
            queries.attachments_of([a.id for found in articles.values() for a in found])


class TestSenderOfAnEntry:
    def test_an_agents_phone_entry_for_the_customer_is_the_customers(self) -> None:
        me = kemal()
        opened = ticket(me)
        _t, article = update_ticket(
            opened.pk,
            article=NewArticle(body="called", type=ArticleType.PHONE, sender=Sender.CUSTOMER),
            actor=acting(ada(), "zammad"),
            at=MONDAY_10AM,
        )
        assert article is not None
        assert (article.sender, article.origin_by_id) == (Sender.CUSTOMER, me.pk)
        assert article.from_address == "Kemal Example <kemal@example.test>"

    def test_a_customer_cannot_pose_as_an_agent(self) -> None:
        me = kemal()
        opened = ticket(me)
        _t, article = update_ticket(
            opened.pk,
            article=NewArticle(body="x", sender=Sender.AGENT, origin_by_id=2),
            actor=acting(me, "zammad"),
            at=MONDAY_10AM,
        )
        assert article is not None
        assert (article.sender, article.origin_by_id) == (Sender.CUSTOMER, me.pk)

    def test_an_email_without_addressee_is_refused(self) -> None:
        opened = ticket(kemal())
        with pytest.raises(Invalid) as refused:
            update_ticket(
                opened.pk,
                article=NewArticle(body="x", type=ArticleType.EMAIL, to="nobody"),
                actor=acting(ada(), "zammad"),
                at=MONDAY_10AM,
            )
        assert (refused.value.field, refused.value.code) == ("to", "required")
