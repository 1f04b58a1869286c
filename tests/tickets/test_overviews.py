"""The agents' overviews: what they hold, in which order, and that pages join without a seam."""

from __future__ import annotations

from datetime import timedelta

import pytest

from deskbell.tickets import access, overviews
from deskbell.tickets.models import State, Ticket
from deskbell.tickets.operations import TicketChange, update_ticket
from deskbell.tickets.overviews import Place
from deskbell.tickets.vocabulary import StateId
from tests import cast

pytestmark = pytest.mark.django_db


def titles(actor, name, **kwargs):
    return [row.title for row in overviews.page(actor, name, limit=100, **kwargs)[0]]


@pytest.fixture
def sales():
    return cast.group("Sales")


class TestAnOverview:
    def test_holds_what_its_name_says(self, sales):
        nora, kemal = cast.nora({1: ["full"], sales.pk: ["full"]}), cast.kemal()
        cast.ticket(kemal, title="waits")
        own = cast.ticket(kemal, title="hers", group_id=sales.pk)
        done = cast.ticket(kemal, title="done")
        merged = cast.ticket(kemal, title="went elsewhere")
        actor = cast.acting(nora)
        update_ticket(own.pk, TicketChange(owner_id=nora.pk), actor=actor, at=cast.MONDAY_10AM)
        update_ticket(
            done.pk, TicketChange(state_id=StateId.RESOLVED), actor=actor, at=cast.MONDAY_10AM
        )
        Ticket.objects.filter(pk=merged.pk).update(state=StateId.MERGED)

        assert titles(actor, "mine") == ["hers"]
        assert titles(actor, "unassigned") == ["waits"]
        assert titles(actor, "open") == ["hers", "waits"]
        assert titles(actor, "closed") == ["done"]
        assert titles(actor, "all") == ["done", "hers", "went elsewhere", "waits"]

    def test_shows_the_groups_one_reads_and_no_others(self, sales):
        nora = cast.nora()
        cast.ticket(title="in Users")
        cast.ticket(title="in Sales", group_id=sales.pk)

        assert titles(cast.acting(nora), "all") == ["in Users"]
        assert titles(cast.acting(cast.ada()), "all") == ["in Sales", "in Users"]

    def test_is_empty_for_whoever_reads_no_group(self):
        cast.ticket()

        for person in (cast.kemal(), cast.pure_admin(), cast.nora({})):
            assert overviews.page(cast.acting(person), "all", limit=9) == ([], None)
            assert set(overviews.counts(cast.acting(person)).values()) == {0}

    def test_keeps_own_tickets_of_a_group_that_was_lost_out(self, sales):
        nora = cast.nora()
        stray = cast.ticket(title="stray", group_id=sales.pk)
        Ticket.objects.filter(pk=stray.pk).update(owner=nora)

        assert titles(cast.acting(nora), "mine") == []

    def test_knows_the_states_that_an_administrator_added(self):
        waiting = State.objects.create(
            name="waiting for parts", name_key="waiting for parts", type=2, helpdesk_number=1
        )
        ticket = cast.ticket(title="parts")
        Ticket.objects.filter(pk=ticket.pk).update(state=waiting)

        assert titles(cast.acting(cast.nora()), "open") == ["parts"]

    @pytest.mark.parametrize("name", overviews.NAMES)
    def test_has_pages_that_join_without_a_seam(self, sales, name, django_assert_num_queries):
        nora = cast.nora({1: ["full"], sales.pk: ["full"]})
        actor = cast.acting(nora)
        for number in range(23):
            ticket = cast.ticket(
                title=str(number),
                group_id=(1, sales.pk)[number % 2],
                # Many of one moment: the id decides among them.
                at=cast.MONDAY_9AM + timedelta(seconds=number // 5),
            )
            state = (StateId.NEW, StateId.OPEN, StateId.CLOSED)[number % 3]
            owner = nora.pk if number % 4 else 1
            Ticket.objects.filter(pk=ticket.pk).update(state=state, owner=owner)
        whole, end = overviews.page(actor, name, limit=100)

        found, after = [], None
        while True:
            with django_assert_num_queries(2):
                rows, after = overviews.page(actor, name, limit=3, after=after)
            found += rows
            if after is None:
                break
            after = Place.parse(str(after))

        assert end is None
        assert len(whole) > 3
        assert found == whole
        order = [(row.updated, row.id) for row in whole]
        assert order == sorted(order, reverse=True)

    def test_holds_in_all_what_the_door_lets_through(self, sales):
        nora = cast.nora()
        for group_id in (1, sales.pk, 1):
            cast.ticket(group_id=group_id)
        actor = cast.acting(nora)

        shown = {row.id for row in overviews.page(actor, "all", limit=100)[0]}

        assert shown == set(access.tickets(actor).values_list("id", flat=True))

    def test_is_counted(self, sales, django_assert_num_queries):
        nora = cast.nora()
        for group_id in (1, 1, 1, sales.pk):
            cast.ticket(group_id=group_id)
        first = Ticket.objects.order_by("id")[0]
        actor = cast.acting(nora)
        update_ticket(
            first.pk,
            TicketChange(owner_id=nora.pk, state_id=StateId.CLOSED),
            actor=actor,
            at=cast.MONDAY_10AM,
        )

        with django_assert_num_queries(2):
            counts = overviews.counts(actor)

        assert counts == {"mine": 0, "unassigned": 2, "open": 2, "all": 3, "closed": 1}

    def test_is_counted_no_further_than_a_badge_shows(self, monkeypatch):
        monkeypatch.setattr(overviews, "COUNT_LIMIT", 2)
        for _ in range(4):
            cast.ticket()

        assert overviews.counts(cast.acting(cast.nora()))["unassigned"] == 2


class TestAPlace:
    def test_survives_being_written_down(self):
        place = Place(cast.DST_NIGHT, 17)

        assert Place.parse(str(place)) == place

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "-",
            "1",
            "1-",
            "-1",
            "a-1",
            "1-b",
            "1-2-3",
            "١-٢",
            "1" * 17 + "-1",
            f"1-{2**63}",
            "1.5-1",
            " 1-1",
        ],
    )
    def test_is_not_made_of_nonsense(self, text):
        assert Place.parse(text) is None


class TestOwnTickets:
    def test_are_those_one_asked_for_and_those_of_a_shared_organization(self):
        acme = cast.organization("Acme")
        discreet = cast.organization("Discreet", shared=False)
        kemal = cast.kemal(organization=acme)
        colleague = cast.person("mira", roles=[3], organization=acme)
        other = cast.person("olaf", roles=[3], organization=discreet)
        mate = cast.person("otto", roles=[3], organization=discreet)
        for person in (kemal, colleague, other, mate):
            cast.ticket(person, title=person.login)

        def own(person):
            return [r.title for r in overviews.own_page(cast.acting(person), limit=9)[0]]

        assert own(kemal) == ["mira", "kemal"]
        assert own(other) == ["olaf"]
        assert own(cast.nora()) == []

    def test_are_what_the_door_lets_a_customer_through_to(self):
        acme = cast.organization("Acme")
        kemal = cast.kemal(organization=acme)
        for person in (kemal, cast.person("mira", roles=[3], organization=acme), None):
            cast.ticket(person)
        actor = cast.acting(kemal, "portal")

        shown = {row.id for row in overviews.own_page(actor, limit=100)[0]}

        assert shown == set(access.tickets(actor).values_list("id", flat=True))

    def test_have_pages_that_join(self, django_assert_num_queries):
        kemal = cast.kemal(organization=cast.organization())
        ids = [cast.ticket(kemal).pk for _ in range(7)]
        actor = cast.acting(kemal, "portal")

        found, below = [], None
        while True:
            with django_assert_num_queries(2):
                rows, below = overviews.own_page(actor, limit=3, below=below)
            found += [row.id for row in rows]
            if below is None:
                break

        assert found == ids[::-1]
