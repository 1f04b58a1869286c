"""Entries held apart, and what an agent makes of them."""

from __future__ import annotations

import pytest

from deskbell.kernel.errors import Forbidden, Refused, Unknown
from deskbell.kernel.models import Event
from deskbell.mail.models import IncomingMail, OutgoingMail
from deskbell.mail.operations import split_off
from deskbell.tickets.attachments import NewFile
from deskbell.tickets.models import Article, Link, Ticket, TicketCC
from deskbell.tickets.operations import (
    NewArticle,
    TicketChange,
    join_article,
    keep_as_note,
    split_article,
    update_ticket,
)
from deskbell.tickets.vocabulary import ArticleType, Sender, StateId
from tests import cast

pytestmark = pytest.mark.django_db

WHY = "The sender knows its number, but has no part in it."
DECISIONS = [join_article, split_article, keep_as_note]


@pytest.fixture
def nora():
    return cast.acting(cast.nora())


@pytest.fixture
def ticket(nora) -> Ticket:
    ticket = cast.ticket(cast.kemal())
    change = TicketChange(state_id=StateId.CLOSED)
    answer = NewArticle(body="Done.", type=ArticleType.PHONE)
    return update_ticket(ticket.pk, change, answer, actor=nora, at=cast.MONDAY_9AM)[0]


def hold(ticket: Ticket, sender: str = "Olga Orlova <olga@else.test>", **more) -> Article:
    article = NewArticle(
        body="What about my printer?",
        subject="Re: Printer",
        type=ArticleType.EMAIL,
        sender=Sender.CUSTOMER,
        internal=True,
        from_address=sender,
        message_id="<1@else.test>",
        preferences={"held": WHY, **more},
        files=[NewFile("a.txt", b"a")],
        quiet=True,
        wakes=False,
    )
    actor = cast.SYSTEM.__class__(kind="system", user_id=1, via="mail")
    _, held = update_ticket(ticket.pk, None, article, actor=actor, at=cast.MONDAY_10AM)
    assert held is not None
    return held


class TestJoining:
    @pytest.mark.parametrize("copies", [False, True])
    def test_makes_it_a_public_entry_of_its_sender(self, ticket, nora, copies):
        held = hold(ticket)

        join_article(held.pk, copies=copies, actor=nora, at=cast.MONDAY_10AM)

        held.refresh_from_db()
        ticket.refresh_from_db()
        assert (held.internal, held.preferences) == (False, {})
        assert held.origin_by is not None
        assert held.origin_by.email == "olga@else.test"
        assert ticket.state_id == StateId.OPEN
        assert ticket.last_contact_customer_at == cast.MONDAY_10AM
        copied = TicketCC.objects.filter(ticket=ticket).values_list("email", flat=True)
        assert list(copied) == (["olga@else.test"] if copies else [])
        assert not OutgoingMail.objects.filter(article=held).exists()
        lines = Event.objects.order_by("-id")[0].changes
        assert [(c["attribute"], c["from"], c["to"]) for c in lines[:3]] == [
            ("held", WHY, "joined"),
            ("internal", "private", "public"),
            ("state", "closed", "open"),
        ]

    def test_wakes_nothing_where_a_machine_wrote(self, ticket, nora):
        held = hold(ticket, **{"is-auto-response": True})

        join_article(held.pk, actor=nora, at=cast.MONDAY_10AM)

        ticket.refresh_from_db()
        assert ticket.state_id == StateId.CLOSED

    def test_never_speaks_as_an_agent(self, ticket, nora):
        held = hold(ticket, "Nora <nora@example.test>")

        join_article(held.pk, actor=nora, at=cast.MONDAY_10AM)

        held.refresh_from_db()
        assert (held.origin_by_id, held.sender) == (None, Sender.CUSTOMER)


class TestSplitting:
    def test_makes_a_ticket_of_the_sender(self, ticket, nora):
        held = hold(ticket)
        source = IncomingMail.objects.create(
            place="x",
            digest="0",
            size=0,
            received_at=cast.MONDAY_9AM,
            ticket_id=ticket.pk,
            article_id=held.pk,
        )

        new = split_off(held.pk, actor=nora, at=cast.MONDAY_10AM)

        [entry] = Article.objects.filter(ticket=new)
        source.refresh_from_db()
        ticket.refresh_from_db()
        assert (new.title, new.group_id) == ("Re: Printer", ticket.group_id)
        assert (new.customer.email, new.state_id) == ("olga@else.test", StateId.NEW)
        assert (entry.internal, entry.preferences, entry.via) == (False, {}, "mail")
        assert (entry.message_id, entry.body) == ("<1@else.test>", "What about my printer?")
        assert [file.filename for file in entry.attachments.all()] == ["a.txt"]
        assert (source.ticket_id, source.article_id) == (new.pk, entry.pk)
        assert not Article.objects.filter(pk=held.pk).exists()
        assert (ticket.state_id, ticket.article_count) == (StateId.CLOSED, 2)
        assert {link.source_id for link in Link.objects.all()} | {
            link.target_id for link in Link.objects.all()
        } == {ticket.pk, new.pk}

    def test_of_nobody_we_can_answer_has_no_customer(self, ticket, nora):
        held = hold(ticket, "undisclosed")

        new, _entry = split_article(held.pk, actor=nora, at=cast.MONDAY_10AM)

        assert new.customer_id == 1


class TestDecisions:
    def test_leave_it_as_a_note(self, ticket, nora):
        held = hold(ticket)

        keep_as_note(held.pk, actor=nora, at=cast.MONDAY_10AM)

        held.refresh_from_db()
        assert (held.internal, held.preferences) == (True, {})

    @pytest.mark.parametrize("second", DECISIONS)
    @pytest.mark.parametrize("first", DECISIONS)
    def test_are_made_once(self, ticket, nora, first, second):
        held = hold(ticket)
        first(held.pk, actor=nora, at=cast.MONDAY_10AM)

        with pytest.raises((Refused, Unknown)):
            second(held.pk, actor=nora, at=cast.MONDAY_10AM)

        assert Ticket.objects.count() == (2 if first is split_article else 1)

    @pytest.mark.parametrize("decide", DECISIONS)
    def test_are_for_agents_who_may_change_the_ticket(self, ticket, decide):
        held = hold(ticket)
        reader = cast.person("rita", roles=[2], groups={1: ["read"]})
        customer = cast.person("both", roles=[3])
        Ticket.objects.filter(pk=ticket.pk).update(customer=customer)

        for who in (reader, customer):
            with pytest.raises(Forbidden):
                decide(held.pk, actor=cast.acting(who), at=cast.MONDAY_10AM)

        held.refresh_from_db()
        assert held.preferences["held"] == WHY
