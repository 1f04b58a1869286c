"""The portal: what customers see of their tickets, and what they never do."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from deskbell.people.models import Group
from deskbell.tickets.attachments import NewFile
from deskbell.tickets.models import Article, Ticket
from deskbell.tickets.operations import NewArticle, TicketChange, merge, update_ticket
from deskbell.tickets.vocabulary import ArticleType, Sender, StateId
from deskbell.web.portal import tickets as pages
from tests import cast


@pytest.fixture
def ticket(kemal) -> Ticket:
    return cast.ticket(kemal)


def answer(ticket: Ticket, body: str = "Still burning", **more: Any) -> dict[str, Any]:
    public = Article.objects.filter(ticket=ticket, internal=False).order_by("-id")
    return {"body": body, "seen": public.values_list("id", flat=True)[0], **more}


class TestOwnTickets:
    def test_are_listed_newest_first(self, portal, kemal):
        cast.ticket(kemal, title="Old")
        cast.ticket(kemal, title="New")
        cast.ticket(cast.person("olga", roles=[3]), title="Somebody else's")

        page = portal.get("/my/tickets/")

        assert [row.title for row in page.context["tickets"]] == ["New", "Old"]

    def test_have_pages(self, portal, kemal, monkeypatch):
        monkeypatch.setattr(pages, "PAGE", 2)
        for number in range(3):
            cast.ticket(kemal, title=f"No. {number}")

        first = portal.get("/my/tickets/")
        second = portal.get("/my/tickets/", {"below": first.context["older"]})

        assert [row.title for row in second.context["tickets"]] == ["No. 0"]
        assert second.context["older"] is None

    def test_can_be_searched(self, portal, kemal):
        cast.ticket(kemal, title="The zeppelin leaks")
        cast.ticket(cast.person("olga", roles=[3]), title="My zeppelin")

        page = portal.get("/my/tickets/", {"q": "zeppelin"})

        assert [row.title for row in page.context["tickets"]] == ["The zeppelin leaks"]

    @pytest.mark.parametrize("tickets", [1, 9])
    def test_cost_the_same_however_many(self, portal, kemal, tickets, django_assert_num_queries):
        for _ in range(tickets):
            cast.ticket(kemal)

        with django_assert_num_queries(5):
            portal.get("/my/tickets/")

    def test_say_something_kind_where_there_are_none(self, portal):
        assert "We are glad to help." in portal.get("/my/tickets/").content.decode()


class TestOneTicket:
    def test_shows_nothing_internal(self, portal, nora, ticket):
        cast.custom_field("cost", staff_only=True, label="Secret cost")
        cast.custom_field("asset", label="Asset tag")
        nora_acts = cast.acting(nora, "zammad")
        update_ticket(
            ticket.pk,
            TicketChange(
                owner_id=nora.pk,
                description="Hidden description",
                note="Hidden remark",
                resolution="Hidden resolution",
                custom={"cost": "99-hidden", "asset": "LN-7"},
            ),
            NewArticle(
                body="Hidden words",
                internal=True,
                files=[NewFile("hidden.txt", b"hidden", "text/plain")],
            ),
            actor=nora_acts,
            at=cast.MONDAY_10AM,
        )
        update_ticket(
            ticket.pk,
            None,
            NewArticle(
                body="We are on it",
                type=ArticleType.EMAIL,
                to="kemal@example.test",
                cc="hidden-copy@example.test",
            ),
            actor=nora_acts,
            at=cast.MONDAY_10AM,
        )

        page = portal.get(f"/my/tickets/{ticket.pk}/").content.decode()

        assert "We are on it" in page
        assert "LN-7" in page
        assert "idden" not in page.replace("visually-hidden", "").replace(
            'type="hidden"', ""
        ).replace(" hidden", "").replace('aria-hidden="true"', "")
        assert "Secret cost" not in page
        assert "Waiting to be sent" not in page

    def test_of_somebody_else_is_not_there(self, portal):
        other = cast.ticket(cast.person("olga", roles=[3]))

        answers = [
            portal.get(f"/my/tickets/{other.pk}/"),
            portal.get("/my/tickets/999999/"),
            portal.post(f"/my/tickets/{other.pk}/replies/", {"body": "x", "seen": "1"}),
        ]

        assert {page.status_code for page in answers} == {404}
        assert answers[0].content == answers[1].content

    def test_of_a_colleague_is_there_where_the_organization_shares(self, signed_in):
        acme = cast.organization()
        one = cast.person("one", roles=[3], organization=acme)
        ticket = cast.ticket(cast.person("two", roles=[3], organization=acme))
        client = signed_in(one)

        client.post(f"/my/tickets/{ticket.pk}/replies/", answer(ticket))

        written = Article.objects.order_by("-id")[0]
        assert client.get(f"/my/tickets/{ticket.pk}/").status_code == 200
        assert written.origin_by_id == one.pk

    def test_of_an_agents_group_is_work(self, desk, ticket):
        assert desk.get(f"/my/tickets/{ticket.pk}/")["Location"] == f"/tickets/{ticket.pk}/"

    @pytest.mark.parametrize("entries", [1, 9])
    def test_costs_the_same_however_much_was_said(
        self, portal, kemal, nora, ticket, entries, django_assert_num_queries
    ):
        for number in range(entries):
            update_ticket(
                ticket.pk,
                None,
                NewArticle(body=f"No. {number}"),
                actor=cast.acting(nora),
                at=cast.MONDAY_10AM,
            )

        with django_assert_num_queries(11):
            portal.get(f"/my/tickets/{ticket.pk}/")


class TestAnAnswer:
    def test_reopens_what_was_closed(self, portal, kemal, nora, ticket):
        update_ticket(
            ticket.pk,
            TicketChange(state_id=StateId.CLOSED),
            actor=cast.acting(nora),
            at=cast.MONDAY_10AM,
        )
        file = SimpleUploadedFile("ash.txt", b"ash")

        sent = portal.post(f"/my/tickets/{ticket.pk}/replies/", answer(ticket, files=file))

        ticket.refresh_from_db()
        written = Article.objects.order_by("-id")[0]
        assert sent["Location"] == f"/my/tickets/{ticket.pk}/#article-{written.pk}"
        assert ticket.state_id == StateId.OPEN
        assert (written.type, written.sender, written.via, written.internal) == (
            ArticleType.WEB,
            Sender.CUSTOMER,
            "portal",
            False,
        )
        assert written.attachments.get().filename == "ash.txt"

    @pytest.mark.parametrize("body", ["", "  ", "a\x00b", "x" * 1_500_001])
    def test_that_makes_no_sense_is_shown_again(self, portal, ticket, body):
        page = portal.post(f"/my/tickets/{ticket.pk}/replies/", answer(ticket, body))

        assert page.status_code == 422
        assert page.context["error"]
        assert Article.objects.count() == 1

    def test_is_refused_where_the_group_takes_none(self, portal, nora, ticket):
        Group.objects.filter(pk=1).update(follow_up_possible="new_ticket")
        update_ticket(
            ticket.pk,
            TicketChange(state_id=StateId.CLOSED),
            actor=cast.acting(nora),
            at=cast.MONDAY_10AM,
        )

        page = portal.get(f"/my/tickets/{ticket.pk}/").content.decode()
        refused = portal.post(f"/my/tickets/{ticket.pk}/replies/", answer(ticket))

        assert "takes no more answers" in page
        assert refused.status_code == 422
        assert b"Please open a new one." in refused.content
        assert Article.objects.count() == 1

    def test_sent_twice_arrives_once(self, portal, ticket):
        form = answer(ticket)

        codes = [
            portal.post(f"/my/tickets/{ticket.pk}/replies/", form).status_code for _ in range(2)
        ]

        assert codes == [302, 409]

    def test_is_not_held_because_of_a_note_one_cannot_see(self, portal, nora, ticket):
        form = answer(ticket)
        update_ticket(
            ticket.pk,
            None,
            NewArticle(body="careful", internal=True),
            actor=cast.acting(nora),
            at=cast.MONDAY_10AM,
        )

        assert portal.post(f"/my/tickets/{ticket.pk}/replies/", form).status_code == 302

    def test_goes_where_the_ticket_went(self, portal, kemal, nora, ticket):
        target = cast.ticket(kemal, title="The whole story")
        merge(ticket.pk, target.pk, actor=cast.acting(nora), at=cast.MONDAY_10AM)

        page = portal.get(f"/my/tickets/{ticket.pk}/").content.decode()
        sent = portal.post(f"/my/tickets/{ticket.pk}/replies/", {"body": "More", "seen": "0"})

        written = Article.objects.order_by("-id")[0]
        assert "The whole story" in page
        assert written.ticket_id == target.pk
        assert sent["Location"].startswith(f"/my/tickets/{target.pk}/")

    def test_does_not_go_to_a_ticket_of_somebody_else(self, portal, nora, ticket):
        target = cast.ticket(cast.person("olga", roles=[3]), title="Olga's own story")
        merge(ticket.pk, target.pk, actor=cast.acting(nora), at=cast.MONDAY_10AM)
        before = Article.objects.count()

        page = portal.get(f"/my/tickets/{ticket.pk}/").content.decode()
        sent = portal.post(f"/my/tickets/{ticket.pk}/replies/", {"body": "More", "seen": "0"})

        assert "Olga" not in page
        assert sent.status_code == 422
        assert Article.objects.count() == before


class TestSomethingNew:
    FORM = {"title": "Printer on fire", "body": "It burns.", "group": "1"}

    def test_becomes_a_ticket_with_a_receipt(self, portal, kemal):
        sent = portal.post("/my/tickets/new/", self.FORM)

        ticket, article = Ticket.objects.get(), Article.objects.get()
        assert sent["Location"] == f"/my/tickets/{ticket.pk}/"
        assert (ticket.customer_id, ticket.state_id, ticket.created_via) == (
            kemal.pk,
            StateId.NEW,
            "portal",
        )
        assert (article.type, article.sender) == (ArticleType.WEB, Sender.CUSTOMER)
        assert article.email_recipients == ["kemal@example.test"]

    def test_asks_for_the_fields_of_customers_only(self, portal):
        cast.custom_field("cost", staff_only=True, required=True)
        cast.custom_field("asset", required=True)

        offered = [c.name for c in portal.get("/my/tickets/new/").context["form"].custom]
        refused = portal.post("/my/tickets/new/", self.FORM)
        portal.post("/my/tickets/new/", self.FORM | {"custom_asset": "7", "custom_cost": "1"})

        assert offered == ["custom_asset"]
        assert refused.status_code == 422
        assert Ticket.objects.get().custom == {"asset": "7"}

    @pytest.mark.parametrize(
        "wrong",
        [
            {"title": ""},
            {"title": "x" * 251},
            {"title": "\x00"},
            {"body": ""},
            {"body": "\x00"},
            {"group": ""},
            {"group": "999"},
            {"group": "2"},
            {"group": "1' OR 1=1"},
        ],
    )
    def test_that_makes_no_sense_is_shown_again(self, portal, wrong):
        cast.group("Closed shop", active=False)

        page = portal.post("/my/tickets/new/", self.FORM | wrong)

        assert page.status_code == 422
        assert b'aria-invalid="true"' in page.content or page.context["form"].problem
        assert Ticket.objects.count() == 0

    def test_chooses_nothing_that_is_for_agents(self, portal, kemal, nora):
        portal.post(
            "/my/tickets/new/",
            self.FORM | {"customer": "nora", "owner": nora.pk, "state": "4", "priority": "4"},
        )

        ticket = Ticket.objects.get()
        assert (ticket.customer_id, ticket.owner_id, ticket.state_id, ticket.priority_id) == (
            kemal.pk,
            1,
            StateId.NEW,
            2,
        )

    def test_is_not_for_somebody_who_is_no_customer(self, desk):
        assert desk.get("/my/tickets/new/").status_code == 403
        assert desk.post("/my/tickets/new/", self.FORM).status_code == 403
