"""A ticket for whoever holds its link."""

from __future__ import annotations

import re

import pytest
import time_machine

from deskbell.kernel.clock import now
from deskbell.tickets import public_links
from deskbell.tickets.attachments import NewFile
from deskbell.tickets.models import Ticket
from deskbell.tickets.operations import NewArticle, TicketChange, update_ticket
from deskbell.tickets.vocabulary import ArticleType
from tests import cast


@pytest.fixture
def ticket(kemal) -> Ticket:
    return cast.ticket(kemal, title="Printer on fire", body="It burns.")


def link(opened: Ticket, /, **other: str) -> dict[str, str]:
    return {
        "ticket": f"users-{opened.pk}",
        "email": "kemal@example.test",
        "key": public_links.secret_key(opened.pk, at=now()),
    } | other


class TestTheLink:
    def test_shows_public_entries_to_be_read_only(self, stranger, nora, ticket):
        cast.custom_field("cost", staff_only=True, label="Secret cost")
        cast.custom_field("asset", label="Asset tag")
        update_ticket(
            ticket.pk,
            TicketChange(description="Hidden", custom={"cost": "Hidden", "asset": "LN-7"}),
            NewArticle(body="Hidden words", internal=True),
            actor=cast.acting(nora),
            at=cast.MONDAY_10AM,
        )
        update_ticket(
            ticket.pk,
            None,
            NewArticle(
                body="<p>Use the <b>extinguisher</b></p>",
                content_type="text/html",
                type=ArticleType.EMAIL,
                to="kemal@example.test",
                files=[NewFile("manual.pdf", b"%PDF", "application/pdf")],
            ),
            actor=cast.acting(nora, "zammad"),
            at=cast.MONDAY_10AM,
        )

        page = stranger.get("/tickets/view/", link(ticket))
        text = page.content.decode()
        frame = re.search(r'<iframe[^>]*?src="([^"]+)"', text, re.S)
        file = re.search(r'class="file" href="([^"]+)"', text)
        assert frame is not None
        assert file is not None
        body = stranger.get(frame[1].replace("&amp;", "&"))
        sent = stranger.get(file[1].replace("&amp;", "&"))

        assert page.status_code == 200
        assert "It burns." in text
        assert "LN-7" in text
        assert "Hidden" not in text
        assert "Secret cost" not in text
        assert "<form" not in text
        assert b"extinguisher" in body.content
        assert sent.getvalue() == b"%PDF"
        assert page["Referrer-Policy"] == "no-referrer"
        assert "noindex" in page["X-Robots-Tag"]
        assert page["Cache-Control"] == "private, no-store"

    def test_reads_the_address_in_any_case(self, stranger, ticket):
        answer = stranger.get("/tickets/view/", link(ticket, email="KEMAL@Example.test"))

        assert answer.status_code == 200

    def test_that_is_wrong_in_any_way_gets_the_same_answer(self, stranger, kemal, ticket):
        other = cast.ticket(kemal)
        nobodys = cast.ticket()
        foreign = public_links.secret_key(other.pk, at=now())
        wrong = [
            link(ticket, key="x"),
            link(ticket, key=""),
            link(ticket, key="\x00"),
            link(ticket, key=foreign),
            link(ticket, email="olga@example.test"),
            link(ticket, email=""),
            link(ticket, ticket=f"sales-{ticket.pk}"),
            link(ticket, ticket=f"users-{other.pk}"),
            link(ticket, ticket="users-999999"),
            link(ticket, ticket="users-" + "9" * 40),
            link(ticket, ticket=str(ticket.pk)),
            link(ticket, ticket="\x00"),
            link(nobodys, email=""),
            link(nobodys, email="-"),
            {"ticket": f"users-{ticket.pk}"},
            {},
        ]

        answers = [stranger.get("/tickets/view/", query) for query in wrong]

        assert {answer.status_code for answer in answers} == {404}
        assert len({answer.content for answer in answers}) == 1

    def test_runs_out(self, stranger, ticket):
        with time_machine.travel(cast.MONDAY_9AM, tick=False):
            query = link(ticket)
            early = stranger.get("/tickets/view/", query)
        with time_machine.travel("2026-05-01T00:00:01Z", tick=False):
            late = stranger.get("/tickets/view/", query)

        assert (early.status_code, late.status_code) == (200, 404)

    def test_does_not_open_what_became_somebody_elses(self, stranger, nora, ticket):
        query = link(ticket)
        olga = cast.person("olga", roles=[3])
        update_ticket(
            ticket.pk,
            TicketChange(customer_id=olga.pk),
            actor=cast.acting(nora),
            at=cast.MONDAY_10AM,
        )

        assert stranger.get("/tickets/view/", query).status_code == 404

    def test_takes_no_answers(self, stranger, ticket):
        assert stranger.post("/tickets/view/", link(ticket)).status_code == 405
