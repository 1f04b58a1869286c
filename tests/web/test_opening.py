"""A new ticket in the workspace."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from deskbell.people.models import User
from deskbell.tickets.models import Article, Ticket
from deskbell.tickets.vocabulary import ArticleType, Sender
from tests import cast

FORM: dict[str, Any] = {
    "way": "phone",
    "customer": "kemal@example.test",
    "group": "1",
    "title": "Printer on fire",
    "body": "He says it burns.",
    "priority": "3",
    "state": "",
}


class TestANewTicket:
    def test_from_a_call_is_the_customers_who_gets_a_receipt(self, desk, nora, kemal):
        file = SimpleUploadedFile("fire.jpg", b"jpg", "image/jpeg")

        sent = desk.post(
            "/tickets/new/",
            FORM | {"tags": "hot, Hot", "ccs": "boss@example.test", "owner": "on", "files": file},
        )

        ticket, article = Ticket.objects.get(), Article.objects.get()
        assert sent["Location"] == f"/tickets/{ticket.pk}/"
        assert (ticket.customer_id, ticket.owner_id, ticket.priority_id) == (kemal.pk, nora.pk, 3)
        assert ticket.created_via == "web"
        assert (article.type, article.sender) == (ArticleType.PHONE, Sender.CUSTOMER)
        assert article.email_recipients == ["boss@example.test", "kemal@example.test"]
        assert article.attachments.get().filename == "fire.jpg"
        page = desk.get(sent["Location"]).content.decode()
        assert "The ticket was opened." in page
        assert 'value="hot"' in page

    def test_can_be_a_mail_to_the_customer(self, desk, kemal):
        desk.post("/tickets/new/", FORM | {"way": "email"})

        article = Article.objects.get()
        assert (article.type, article.sender, article.internal) == (
            ArticleType.EMAIL,
            Sender.AGENT,
            False,
        )
        assert article.email_recipients == ["kemal@example.test"]

    def test_can_be_a_note_of_which_the_customer_hears_nothing(self, desk, kemal):
        desk.post("/tickets/new/", FORM | {"way": "note"})

        article = Article.objects.get()
        assert (article.type, article.internal) == (ArticleType.NOTE, True)
        assert article.email_recipients == []

    def test_makes_a_customer_of_a_new_address(self, desk):
        desk.post("/tickets/new/", FORM | {"customer": "New@Example.test"})

        assert Ticket.objects.get().customer.email == "New@Example.test"

    def test_takes_a_login_too(self, desk, kemal):
        desk.post("/tickets/new/", FORM | {"customer": "KEMAL"})

        assert Ticket.objects.get().customer_id == kemal.pk

    @pytest.mark.parametrize(
        ("wrong", "where"),
        [
            ({"title": ""}, "title"),
            ({"title": "x" * 251}, "title"),
            ({"title": "a\x00b"}, "title"),
            ({"body": "  "}, "body"),
            ({"body": "a\x00b"}, "body"),
            ({"customer": ""}, "customer"),
            ({"customer": "no address"}, "customer"),
            ({"customer": "a\x00@example.test"}, "customer"),
            ({"customer": "-"}, "customer"),
            ({"customer": "kemal", "way": "email"}, "customer"),
            ({"group": ""}, "group"),
            ({"group": "x"}, "group"),
            ({"priority": "99"}, "priority"),
            ({"state": "99"}, "state"),
            ({"state": "3"}, "pending_time"),
            ({"state": "3", "pending_time": "x"}, "pending_time"),
            ({"ccs": "boss"}, "ccs"),
            ({"tags": "x" * 251}, "tags"),
            ({"custom_asset": ""}, "custom_asset"),
            ({"custom_count": "x"}, "custom_count"),
        ],
    )
    def test_says_what_is_wrong_and_stores_nothing(self, desk, wrong, where):
        cast.custom_field("asset", required=True)
        cast.custom_field("count", "integer")
        cast.person("kemal", roles=[3], email="")
        people = User.objects.count()

        page = desk.post(
            "/tickets/new/", FORM | {"customer": "new@example.test", "custom_asset": "1"} | wrong
        )

        form = page.context["form"]
        assert page.status_code == 422
        assert [control.name for control in form.controls if control.error] == [where], form.problem
        assert Ticket.objects.count() == 0
        assert User.objects.count() == people

    def test_asks_which_way_it_came(self, desk, kemal):
        page = desk.post("/tickets/new/", FORM | {"way": "telepathy"})

        assert page.status_code == 422
        assert "Please say whether" in page.content.decode()

    def test_asks_for_fields_only_where_they_are_required(self, desk, kemal):
        elsewhere = cast.group()
        cast.custom_field("asset", required=True).groups.add(elsewhere)

        assert desk.post("/tickets/new/", FORM).status_code == 302

    def test_is_opened_in_groups_where_one_may(self, signed_in, kemal):
        sales = cast.group()
        client = signed_in(cast.nora({1: ["read"], sales.pk: ["create"]}))

        offered = client.get("/tickets/new/").context["form"].group.options
        refused = client.post("/tickets/new/", FORM | {"customer": "new@example.test"})

        assert [option.label for option in offered] == ["Sales"]
        assert refused.status_code == 403
        assert not User.objects.filter(email="new@example.test").exists()

    def test_is_not_opened_in_a_group_that_is_closed(self, signed_in, kemal):
        closed = cast.group(active=False)

        page = signed_in(cast.ada()).post("/tickets/new/", FORM | {"group": closed.pk})

        assert page.status_code == 422
        assert page.context["form"].group.error == "This group takes no new tickets."

    def test_tells_who_may_open_none_why(self, signed_in):
        page = signed_in(cast.pure_admin()).get("/tickets/new/")

        assert "You may open tickets in no group yet." in page.content.decode()

    def test_of_a_customer_is_asked_for_in_the_portal(self, portal):
        assert portal.get("/tickets/new/")["Location"] == "/my/tickets/new/"
        assert portal.post("/tickets/new/", FORM)["Location"] == "/my/tickets/new/"
        assert Ticket.objects.count() == 0
