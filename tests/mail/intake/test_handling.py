"""What becomes of a message: its fate, its ticket, its state, and who hears of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from deskbell.kernel.actor import SYSTEM, Actor
from deskbell.kernel.models import Job
from deskbell.mail.intake import handling, store, taking
from deskbell.mail.intake.ignoring import NewRule, save_rule
from deskbell.mail.models import (
    DeadAddress,
    Fate,
    IncomingMail,
    MailState,
    OutgoingMail,
)
from deskbell.tickets.models import Attachment, Ticket, TicketCC
from deskbell.tickets.operations import (
    NewArticle,
    merge,
    update_ticket,
)
from deskbell.tickets.vocabulary import ArticleType, Sender, StateId
from tests.api.zammad.wire import Wire
from tests.cast import acting, pure_admin
from tests.mail.intake.postman import AT, Post, entry

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock", "outbox", "store")]


@pytest.fixture
def post() -> Post:
    return Post()


class TestANewTicket:
    def test_is_the_senders_and_says_what_he_wrote(self, post: Post) -> None:
        row = post.bring("It burns.", **{"from": f"Kemal <{post.kemal.email.upper()}>"})

        assert (row.fate, row.sender) == (Fate.NEW_TICKET, post.kemal.email.upper())
        ticket = Ticket.objects.get(pk=row.ticket_id)
        assert (ticket.title, ticket.customer_id) == ("Printer on fire", post.kemal.pk)
        assert (ticket.group_id, ticket.state_id) == (post.group.pk, StateId.NEW)
        article = entry(row)
        assert (article.type, article.sender) == (ArticleType.EMAIL, Sender.CUSTOMER)
        assert article.body.strip() == "It burns."
        assert article.message_id == "<one@customer.example>"
        assert article.origin_by_id == post.kemal.pk

    def test_of_a_stranger_makes_a_customer(self, post: Post) -> None:
        row = post.bring(**{"from": "New Person <new@elsewhere.example>"})

        customer = Ticket.objects.get(pk=row.ticket_id).customer
        assert (customer.email, customer.firstname, customer.lastname) == (
            "new@elsewhere.example",
            "New",
            "Person",
        )

    def test_is_acknowledged_to_a_person(self, post: Post) -> None:
        row = post.bring()
        assert entry(row).email_recipients == [post.kemal.email]

    @pytest.mark.parametrize(
        "fields",
        [
            {"auto_submitted": "auto-replied"},
            {"precedence": "bulk"},
            {"list_id": "<news.shop.example>"},
            {"x_auto_response_suppress": "All"},
            {"from": "no-reply@shop.example"},
        ],
    )
    def test_of_a_machine_is_not_acknowledged(self, post: Post, fields: dict[str, str]) -> None:
        row = post.bring(**fields)
        assert row.fate == Fate.NEW_TICKET
        assert entry(row).email_recipients == []

    def test_names_its_other_readers_as_copies_who_are_not_mailed_again(self, post: Post) -> None:
        row = post.bring(cc="Ines <ines@customer.example>, support@desk.example")
        copies = TicketCC.objects.filter(ticket=row.ticket_id)
        assert [copy.email for copy in copies] == ["ines@customer.example"]
        assert "ines@customer.example" not in (entry(row).email_recipients or [])

    @pytest.mark.parametrize(
        ("fields", "copies"),
        [
            ({"to": "alias@shop.example"}, []),
            ({"to": "alias@shop.example", "cc": "boss@c.example"}, ["boss@c.example"]),
            ({"to": "alias@shop.example, x@c.example", "delivered_to": "alias@shop.example"},
             ["x@c.example"]),
        ],
    )  # fmt: skip
    def test_makes_no_copy_of_the_alias_that_led_here(
        self, post: Post, fields: dict[str, str], copies: list[str]
    ) -> None:
        row = post.bring(**fields)
        found = TicketCC.objects.filter(ticket=row.ticket_id).order_by("id")
        assert [copy.email for copy in found] == copies

    def test_stops_being_acknowledged_to_one_who_writes_too_often(self, post: Post) -> None:
        rows = [post.bring(message_id=f"<n{n}@c.example>", subject=f"No {n}") for n in range(7)]
        assert [bool(entry(row).email_recipients) for row in rows] == [True] * 5 + [False] * 2

    def test_keeps_a_file(self, post: Post) -> None:
        row = post.bring(
            "--b\r\nContent-Type: text/plain\r\n\r\nSee file.\r\n--b\r\n"
            'Content-Type: application/pdf; name="a.pdf"\r\n'
            "Content-Disposition: attachment\r\nContent-Transfer-Encoding: base64\r\n\r\n"
            "JVBERg==\r\n--b--",
            content_type="multipart/mixed; boundary=b",
        )
        file = Attachment.objects.get(article=row.article_id)
        assert (file.filename, file.size) == ("a.pdf", 4)

    def test_shows_html_without_its_teeth(self, post: Post) -> None:
        row = post.bring("<p>Hi <b>you</b><script>alert(1)</script></p>", content_type="text/html")
        assert entry(row).content_type == "text/html"
        assert "<b>you</b>" in entry(row).body
        assert "script" not in entry(row).body


class TestAFollowUp:
    def test_is_found_by_what_it_answers(self, post: Post) -> None:
        ticket = post.ticket()
        row = post.bring(
            subject="something else", in_reply_to=post.answer_id(ticket), message_id="<2@c.example>"
        )
        assert (row.fate, row.ticket_id) == (Fate.FOLLOW_UP, ticket.pk)
        assert not entry(row).internal

    @pytest.mark.parametrize("subject", ["Re: [Ticket#{number}] Printer", "AW: [support-{id}] x"])
    def test_is_found_by_its_subject_if_the_sender_belongs(self, post: Post, subject: str) -> None:
        ticket = post.ticket()
        row = post.bring(subject=subject.format(number=ticket.number, id=ticket.pk))
        assert (row.fate, row.ticket_id) == (Fate.FOLLOW_UP, ticket.pk)
        assert not entry(row).internal

    def test_by_a_stranger_who_knows_the_number_is_held_apart(self, post: Post) -> None:
        ticket = post.ticket()
        row = post.bring(
            subject=f"[Ticket#{ticket.number}]", **{"from": "mallory@elsewhere.example"}
        )
        assert row.ticket_id == ticket.pk
        held = entry(row)
        assert held.internal
        assert held.preferences["held"]
        assert held.email_recipients == []
        assert Ticket.objects.get(pk=ticket.pk).customer_id == post.kemal.pk

    def test_reopens_what_was_closed(self, post: Post) -> None:
        ticket = post.ticket()
        post.close(ticket)
        post.bring(in_reply_to=post.answer_id(ticket))
        ticket.refresh_from_db()
        assert ticket.state_id == StateId.OPEN

    @pytest.mark.parametrize(
        "fields", [{"auto_submitted": "auto-replied"}, {"precedence": "list", "list_id": "<l.x>"}]
    )
    def test_by_a_machine_reopens_nothing_and_is_answered_by_nobody(
        self, post: Post, fields: dict[str, str]
    ) -> None:
        ticket = post.ticket(ccs=["copy@customer.example"])
        post.close(ticket)
        row = post.bring(in_reply_to=post.answer_id(ticket), **fields)
        ticket.refresh_from_db()
        assert row.ticket_id == ticket.pk
        assert ticket.state_id == StateId.CLOSED
        assert entry(row).email_recipients == []

    def test_to_a_group_that_takes_none_opens_a_ticket_of_its_own(self, post: Post) -> None:
        ticket = post.ticket()
        post.close(ticket)
        post.group.follow_up_possible = "new_ticket"
        post.group.save()
        row = post.bring(in_reply_to=post.answer_id(ticket))
        assert row.fate == Fate.NEW_TICKET
        assert row.ticket_id != ticket.pk
        assert ticket.number in row.reason

    def test_to_a_merged_ticket_lands_in_the_survivor(self, post: Post) -> None:
        ticket, survivor = post.ticket(), post.ticket()
        id_ = post.answer_id(ticket)
        merge(ticket.pk, survivor.pk, actor=acting(post.nora), at=AT)
        row = post.bring(in_reply_to=id_)
        assert row.ticket_id == survivor.pk

    def test_adds_those_who_were_copied(self, post: Post) -> None:
        ticket = post.ticket()
        post.bring(in_reply_to=post.answer_id(ticket), cc="boss@customer.example")
        assert TicketCC.objects.filter(ticket=ticket, email="boss@customer.example").exists()


class TestAnAgent:
    def notified(self, post: Post, *, internal: bool = False) -> tuple[Ticket, OutgoingMail]:
        """A ticket of Nora's, and what she was told about it by mail."""
        ticket = post.ticket(owner_id=post.nora.pk)
        update_ticket(
            ticket.pk,
            None,
            NewArticle(
                body="Still burning.",
                type=ArticleType.NOTE,
                sender=Sender.CUSTOMER,
                internal=internal,
            ),
            actor=Actor(kind="system", user_id=1, via="trigger"),
            at=AT,
        )
        told = OutgoingMail.objects.filter(
            article__ticket=ticket, address=post.nora.email, staff_only=internal
        ).latest("id")
        return ticket, told

    def test_who_answers_what_only_he_was_sent_answers_the_customer(self, post: Post) -> None:
        _ticket, told = self.notified(post)
        row = post.bring(
            "Use sand.\r\n\r\nOn Monday the desk wrote:\r\n> Still burning.",
            **{"from": post.nora.email},
            in_reply_to=told.message_id,
        )
        answer = entry(row)
        assert (answer.sender, answer.type) == (Sender.AGENT, ArticleType.EMAIL)
        assert answer.body == "Use sand."
        assert answer.created_by_id == post.nora.pk
        assert post.kemal.email in (answer.email_recipients or [])

    def test_who_answers_a_private_entry_writes_a_private_one(self, post: Post) -> None:
        _ticket, told = self.notified(post, internal=True)
        row = post.bring("Shh.", **{"from": post.nora.email}, in_reply_to=told.message_id)
        assert entry(row).internal
        assert post.kemal.email not in (entry(row).email_recipients or [])

    @pytest.mark.parametrize("ground", ["subject", "customer's id"])
    def test_who_proves_nothing_does_not_act(self, post: Post, ground: str) -> None:
        ticket = post.ticket()
        fields = (
            {"subject": f"[Ticket#{ticket.number}]"}
            if ground == "subject"
            else {"in_reply_to": post.answer_id(ticket)}
        )
        row = post.bring("Refund him all.", **{"from": post.nora.email}, **fields)
        held = entry(row)
        assert held.internal
        assert held.created_by_id != post.nora.pk
        assert held.email_recipients == []

    @pytest.mark.parametrize(
        ("results", "acts"),
        [
            ("mx.desk.example; dmarc=pass header.from=desk.test", True),
            ("mx.desk.example; dmarc=fail header.from=desk.test", False),
            ("mx.evil.example; dmarc=pass header.from=desk.test", False),
            ("mx.desk.example; dmarc=pass header.from=evil.example", False),
        ],
    )
    def test_whom_a_trusted_server_vouches_for_acts(
        self, post: Post, configured: Callable[..., None], results: str, acts: bool
    ) -> None:
        configured(trusted_mail_hosts=("mx.desk.example",))
        domain = post.nora.email.rpartition("@")[2]
        ticket = post.ticket()
        row = post.bring(
            "Use sand.",
            **{"from": post.nora.email},
            subject=f"[Ticket#{ticket.number}]",
            authentication_results=results.replace("desk.test", domain),
        )
        assert (entry(row).created_by_id == post.nora.pk) is acts


class TestABounce:
    def report(self, post: Post, ticket: Ticket, status: str = "5.1.1") -> IncomingMail:
        action = "failed" if status.startswith("5") else "delayed"
        # Only what went out comes back.
        answer = OutgoingMail.objects.filter(message_id=post.answer_id(ticket))
        answer.update(state=MailState.SENT)
        return post.bring(
            "--b\r\nContent-Type: text/plain\r\n\r\nIt came back.\r\n"
            "--b\r\nContent-Type: message/delivery-status\r\n\r\n"
            "Reporting-MTA: dns; mx.customer.example\r\n\r\n"
            f"Final-Recipient: rfc822; {post.kemal.email}\r\nAction: {action}\r\n"
            f"Status: {status}\r\nDiagnostic-Code: smtp; 550 no such user\r\n\r\n"
            "--b\r\nContent-Type: message/rfc822\r\n\r\n"
            f"Message-ID: {post.answer_id(ticket)}\r\nSubject: Re\r\n\r\nTake it.\r\n--b--",
            **{"from": "MAILER-DAEMON@mx.customer.example"},
            subject="Undelivered Mail Returned to Sender",
            content_type="multipart/report; report-type=delivery-status; boundary=b",
            message_id="<bounce@mx.customer.example>",
        )

    def test_is_noted_on_the_mail_and_stops_the_next(self, post: Post) -> None:
        ticket = post.ticket()
        post.close(ticket)
        row = self.report(post, ticket)

        assert (row.fate, row.ticket_id) == (Fate.BOUNCE, ticket.pk)
        mail = OutgoingMail.objects.get(message_id=post.answer_id(ticket))
        assert mail.state == MailState.BOUNCED
        assert "550 no such user" in mail.reason
        ticket.refresh_from_db()
        assert ticket.state_id == StateId.CLOSED
        _ticket, again = update_ticket(
            ticket.pk,
            None,
            NewArticle(body="Hello?", type=ArticleType.EMAIL, to=post.kemal.email),
            actor=acting(post.nora),
            at=AT,
        )
        assert OutgoingMail.objects.get(article=again).state == MailState.FAILED

    def test_for_now_leaves_the_address_alive(self, post: Post) -> None:
        self.report(post, post.ticket(), status="4.2.2")
        assert not DeadAddress.objects.exists()

    def test_is_forgotten_when_the_dead_writes(self, post: Post) -> None:
        self.report(post, post.ticket())
        assert DeadAddress.objects.exists()
        post.bring(message_id="<alive@c.example>", subject="I am back")
        assert not DeadAddress.objects.exists()


class TestOnceAndOnly:
    def test_the_same_bytes_become_one_ticket(self, post: Post) -> None:
        first, second = post.bring(), post.take(post.mail(), key="9:2")
        assert (second.fate, second.copy_of_id) == (Fate.IGNORED, first.pk)
        assert Ticket.objects.filter(group=post.group).count() == 1

    def test_the_same_message_by_another_way_becomes_one_ticket(self, post: Post) -> None:
        post.bring(received="by mx1")
        again = post.bring(received="by mx2")
        assert again.fate == Fate.IGNORED
        assert Ticket.objects.filter(group=post.group).count() == 1

    def test_two_messages_with_one_id_are_two(self, post: Post) -> None:
        post.bring("Page 1")
        assert post.bring("Page 2").fate in (Fate.NEW_TICKET, Fate.FOLLOW_UP)

    def test_what_the_desk_sent_does_not_come_in(self, post: Post) -> None:
        ticket = post.ticket()
        row = post.bring(message_id=post.answer_id(ticket))
        assert row.fate == Fate.IGNORED

    def test_a_key_is_taken_once(self, post: Post) -> None:
        assert post.take(post.mail(), key="9:1").pk == post.take(post.mail(), key="9:1").pk

    def test_bytes_without_a_row_are_found(self, post: Post) -> None:
        store.keep(post.mail(), channel_id=post.channel.pk)
        assert taking.rescan(at=AT) == 1
        assert taking.rescan(at=AT) == 0
        handling.handle_waiting(post.channel.pk)
        assert IncomingMail.objects.get().fate == Fate.NEW_TICKET


def test_the_raw_message_is_handed_out_to_those_who_may_read_the_entry(post: Post) -> None:
    row = post.bring()
    path = f"/api/v1/ticket_article_plain/{row.article_id}"
    assert Wire(post.nora).get(path).content == post.mail()
    assert Wire(post.kemal).get(path).status_code == 200
    assert Wire(pure_admin()).get(path).status_code == 403


class TestTrouble:
    def test_of_one_message_does_not_hold_up_the_next(
        self, post: Post, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from deskbell.mail.intake import handling as module

        judge = module.judge

        def fails_for_the_first(mail: IncomingMail, facts: Any, **known: Any) -> Any:
            if "bad" in facts.subject:
                raise ZeroDivisionError
            return judge(mail, facts, **known)

        monkeypatch.setattr(module, "judge", fails_for_the_first)
        bad = post.take(post.mail(subject="bad"))
        good = post.take(post.mail(subject="good", message_id="<2@c.example>"))
        handling.handle_waiting(post.channel.pk)
        bad.refresh_from_db()
        good.refresh_from_db()
        assert (bad.fate, good.fate) == (Fate.UNREADABLE, Fate.NEW_TICKET)

        monkeypatch.setattr(module, "judge", judge)
        assert handling.replay([bad.pk, good.pk], at=AT) == 1
        assert Job.objects.filter(unique_key=f"mail-in:{post.channel.pk}").exists()
        handling.handle_waiting(post.channel.pk)
        bad.refresh_from_db()
        assert bad.fate == Fate.NEW_TICKET

    def test_that_ends_the_process_is_not_tried_for_ever(self, post: Post) -> None:
        row = post.take(post.mail())
        IncomingMail.objects.filter(pk=row.pk).update(attempts=handling.ATTEMPTS_AT_MOST)
        handling.handle_waiting(post.channel.pk)
        row.refresh_from_db()
        assert row.fate == Fate.UNREADABLE

    def test_lost_bytes_are_said(self, post: Post) -> None:
        row = post.take(post.mail())
        store.forget(row.place)
        handling.handle_waiting(post.channel.pk)
        row.refresh_from_db()
        assert row.fate == Fate.UNREADABLE
        assert "bytes" in row.reason


@pytest.mark.parametrize(
    ("what", "pattern", "caught"),
    [
        ("address", "KEMAL@Shop.example", True),
        ("domain", "shop.example", True),
        ("domain", "example", True),
        ("domain", "op.example", False),
        ("header", "X-Spam-Flag: yes", True),
        ("header", "X-Spam-Flag: no", False),
    ],
)
def test_the_ignore_list_counts_what_it_caught(
    post: Post, what: str, pattern: str, caught: bool
) -> None:
    rule = save_rule(NewRule(what=what, pattern=pattern), actor=SYSTEM, at=AT)
    row = post.bring(**{"from": "kemal@shop.example"}, x_spam_flag="YES")
    rule.refresh_from_db()
    assert (row.fate == Fate.IGNORED, rule.caught) == (caught, int(caught))
