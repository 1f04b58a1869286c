"""The form beside a ticket."""

from __future__ import annotations

from typing import Any

import pytest

from deskbell.kernel.models import Event
from deskbell.tickets.models import Ticket
from deskbell.tickets.operations import TicketChange, update_ticket
from deskbell.tickets.queries import tags_of
from deskbell.tickets.vocabulary import StateId
from tests import cast


@pytest.fixture
def ticket(kemal) -> Ticket:
    return cast.ticket(kemal, tags=["old"], custom={"asset": "LN-1"})


def shown(page: Any) -> dict[str, str]:
    """The form as the page shows it, ready to be sent back."""
    form = {}
    for control in page.context["facts"].controls:
        form[f"was-{control.name}"] = control.was or ""
        if control.kind != "checkbox" or control.value:
            form[control.name] = control.value
    return form


class TestTheForm:
    def test_sent_back_as_it_was_changes_nothing(self, desk, ticket):
        cast.custom_field("asset")
        before = Ticket.objects.values().get(pk=ticket.pk)
        events = Event.objects.count()

        sent = desk.post(f"/tickets/{ticket.pk}/facts/", shown(desk.get(f"/tickets/{ticket.pk}/")))

        assert sent["Location"] == f"/tickets/{ticket.pk}/"
        assert Ticket.objects.values().get(pk=ticket.pk) == before
        assert Event.objects.count() == events

    def test_changes_what_differs(self, desk, nora, ticket):
        cast.custom_field("asset")
        cast.custom_field("warranty", "boolean")
        form = shown(desk.get(f"/tickets/{ticket.pk}/")) | {
            "state": StateId.PENDING_REMINDER.value,
            "pending_time": "2027-03-01T10:00",
            "owner": nora.pk,
            "priority": "4",
            "due_date": "2027-03-02T09:00",
            "tags": "new, OLD, new",
            "custom_asset": "LN-2",
            "custom_warranty": "on",
        }

        desk.post(f"/tickets/{ticket.pk}/facts/", form)

        ticket.refresh_from_db()
        assert ticket.state_id == StateId.PENDING_REMINDER
        assert ticket.pending_time is not None
        assert ticket.owner_id == nora.pk
        assert ticket.priority_id == 4
        assert ticket.due_date is not None
        assert ticket.custom == {"asset": "LN-2", "warranty": True}
        assert sorted(tags_of([ticket.pk])[ticket.pk]) == ["new", "old"]

    def test_of_an_old_page_does_not_undo_what_others_did(self, desk, nora, ticket):
        old = shown(desk.get(f"/tickets/{ticket.pk}/"))
        update_ticket(
            ticket.pk,
            TicketChange(state_id=StateId.CLOSED, owner_id=nora.pk),
            actor=cast.acting(nora),
            at=cast.MONDAY_10AM,
        )

        desk.post(f"/tickets/{ticket.pk}/facts/", old | {"priority": "3"})

        ticket.refresh_from_db()
        assert (ticket.state_id, ticket.owner_id, ticket.priority_id) == (
            StateId.CLOSED,
            nora.pk,
            3,
        )

    def test_holds_and_lets_go(self, desk, ticket):
        form = shown(desk.get(f"/tickets/{ticket.pk}/"))
        desk.post(f"/tickets/{ticket.pk}/facts/", form | {"on_hold": "on"})
        ticket.refresh_from_db()
        held = ticket.on_hold

        form = shown(desk.get(f"/tickets/{ticket.pk}/"))
        form.pop("on_hold")
        desk.post(f"/tickets/{ticket.pk}/facts/", form)

        ticket.refresh_from_db()
        assert (held, ticket.on_hold) == (True, False)

    def test_moves_a_pending_ticket_to_another_pending_state(self, desk, nora, ticket):
        update_ticket(
            ticket.pk,
            TicketChange(state_id=StateId.PENDING_REMINDER, pending_time=cast.DST_NIGHT),
            actor=cast.acting(nora),
            at=cast.MONDAY_10AM,
        )
        form = shown(desk.get(f"/tickets/{ticket.pk}/"))

        desk.post(f"/tickets/{ticket.pk}/facts/", form | {"state": StateId.PENDING_CLOSE.value})

        ticket.refresh_from_db()
        assert ticket.state_id == StateId.PENDING_CLOSE

    def test_leads_to_the_list_when_it_moved_the_ticket_out_of_sight(self, signed_in, ticket):
        elsewhere = cast.group()
        mover = cast.person("mover", roles=[2], groups={1: ["full"], elsewhere.pk: ["create"]})
        client = signed_in(mover)
        form = shown(client.get(f"/tickets/{ticket.pk}/"))

        sent = client.post(
            f"/tickets/{ticket.pk}/facts/", form | {"group": elsewhere.pk, "tags": "moved"}
        )

        ticket.refresh_from_db()
        assert sent["Location"] == "/tickets/"
        assert ticket.group_id == elsewhere.pk
        assert tags_of([ticket.pk])[ticket.pk] == ["moved"]

    def test_offers_owners_of_the_group_only(self, desk, nora, ticket):
        cast.person("stranger", roles=[2])
        cast.person("gone", roles=[2], groups={1: ["full"]}, active=False)

        owner = desk.get(f"/tickets/{ticket.pk}/").context["facts"].owner

        assert [option.label for option in owner.options] == ["Nobody", "Nora Example"]

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("state", "999"),
            ("state", "5"),
            ("state", "x"),
            ("owner", "2"),
            ("owner", "999"),
            ("owner", str(2**64)),
            ("group", "999"),
            ("group", ""),
            ("priority", "999"),
            ("due_date", "soon"),
            ("due_date", "9999-12-31T23:59"),
            ("tags", "a" * 251),
            ("tags", "a\x00b"),
            ("custom_count", "many"),
            ("custom_count", str(2**63)),
            ("custom_asset", ""),
            ("custom_choice", "d"),
        ],
    )
    def test_says_at_the_control_what_is_wrong_and_writes_nothing(
        self, desk, ticket, name, value, settings
    ):
        settings.TIME_ZONE = "America/New_York"
        cast.custom_field("asset", required=True)
        cast.custom_field("count", "integer")
        cast.custom_field("choice", "list", choices=["a", "b"])
        before = Ticket.objects.values().get(pk=ticket.pk)
        form = shown(desk.get(f"/tickets/{ticket.pk}/")) | {"priority": "3"}

        page = desk.post(f"/tickets/{ticket.pk}/facts/", form | {name: value})

        wrong = {c.name: c.error for c in page.context["facts"].controls if c.error}
        assert page.status_code == 422
        assert list(wrong) == [name]
        assert f'id="facts-{name}-more">{wrong[name]}' in page.content.decode()
        assert Ticket.objects.values().get(pk=ticket.pk) == before
        assert tags_of([ticket.pk])[ticket.pk] == ["old"]


class TestTaking:
    def test_makes_the_ticket_ones_own(self, desk, nora, ticket):
        page = desk.get(f"/tickets/{ticket.pk}/")
        desk.post(f"/tickets/{ticket.pk}/owner/")

        ticket.refresh_from_db()
        assert b"Take this ticket" in page.content
        assert ticket.owner_id == nora.pk
        assert b"Take this ticket" not in desk.get(f"/tickets/{ticket.pk}/").content

    def test_does_not_take_it_away_from_somebody(self, desk, ticket):
        tom = cast.person("tom", roles=[2], groups={1: ["full"]})
        update_ticket(
            ticket.pk,
            TicketChange(owner_id=tom.pk),
            actor=cast.acting(tom),
            at=cast.MONDAY_10AM,
        )

        page = desk.post(f"/tickets/{ticket.pk}/owner/", follow=True)

        ticket.refresh_from_db()
        assert ticket.owner_id == tom.pk
        assert b"Somebody else took this ticket first." in page.content
