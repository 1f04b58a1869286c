"""What an administrator sets for incoming mail: where tickets are looked for, limits, lists."""

from __future__ import annotations

import itertools
from datetime import timedelta
from typing import Any

import pytest

from deskbell.kernel.actor import SYSTEM
from deskbell.kernel.errors import Forbidden, Invalid
from deskbell.mail import policy
from deskbell.mail.intake import handling, ignoring, taking
from deskbell.mail.intake.ignoring import NewRule, save_rule
from deskbell.mail.models import Fate, IgnoreRule, IncomingMail, OutgoingMail
from deskbell.mail.sending.delivery import composed_for
from deskbell.tickets.models import Article, Ticket, TicketCC
from deskbell.tickets.vocabulary import StateId
from tests.cast import acting, group
from tests.mail.intake.postman import AT, Post, entry

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock", "outbox", "store")]


@pytest.fixture
def post() -> Post:
    return Post()


def say(**values: Any) -> None:
    policy.save(values, actor=SYSTEM, at=AT)


class TestWhereATicketIsLookedFor:
    @pytest.mark.parametrize(
        ("places", "fields", "text", "found"),
        [
            (None, {"in_reply_to": "{id}", "subject": "Other"}, "", True),
            (None, {"references": "{id}", "subject": "Other"}, "", True),
            (["references"], {"in_reply_to": "{id}", "subject": "Other"}, "", False),
            (["references"], {"in_reply_to": "{id}", "subject": "AW: printer on fire"}, "", True),
            (["in-reply-to"], {"references": "{id}", "subject": "Other"}, "", False),
            (["in-reply-to"], {"references": "{id}", "subject": "Re: Printer on fire"}, "", True),
            ([], {"references": "{id}", "subject": "Other"}, "", False),
            (None, {"subject": "[Ticket#{number}]"}, "", True),
            (["references"], {"subject": "[Ticket#{number}]"}, "", False),
            (["references"], {"subject": "[support-{pk}]"}, "", False),
            (None, {"subject": "Other"}, "About [Ticket#{number}]", False),
            (["body"], {"subject": "Other"}, "About [Ticket#{number}]", True),
            (["attachment"], {"subject": "Other", "content_type": "multipart/mixed; boundary=b"},
             ("--b\r\n\r\nHi\r\n--b\r\nContent-Type: text/plain; name=a.txt\r\n"
             "Content-Disposition: attachment\r\n\r\nTicket#{number}\r\n--b--"), True),
            (None, {"references": "<x@y.example> " * 1200 + "{id} <z@y.example>"}, "", True),
            (None, {"references": "{id} " + " ".join(f"<{n}@y.example>" for n in range(1200))},
             "", True),
        ],
    )  # fmt: skip
    def test_is_said_by_the_settings(
        self,
        post: Post,
        places: list[str] | None,
        fields: dict[str, str],
        text: str,
        found: bool,
    ) -> None:
        ticket = post.ticket()
        if places is not None:
            say(search_in=places)
        names = {"id": post.answer_id(ticket), "number": ticket.number, "pk": ticket.pk}
        row = post.bring(
            text.format(**names), **{key: value.format(**names) for key, value in fields.items()}
        )
        assert (row.ticket_id == ticket.pk) is found

    def test_and_what_stands_before_a_number(self, post: Post) -> None:
        ticket = post.ticket()
        say(hook="Case ")
        row = post.bring(subject=f"Re: [Case {ticket.number}] Printer")
        assert row.ticket_id == ticket.pk
        row = post.bring(subject=f"[Ticket#{ticket.number}]", message_id="<2@c.example>")
        assert row.ticket_id != ticket.pk

    def test_another_systems_number_finds_it_for_the_same_sender(self, post: Post) -> None:
        fields = {"x_jira_fingerprint": "1", "subject": "[JIRA] (ABC-12) Printer"}
        first = post.bring("One", **fields)
        again = post.bring("Two", **fields, message_id="<2@c.example>")
        other = post.bring("3", **fields, message_id="<3@c.example>", **{"from": "x@y.example"})
        assert (again.fate, again.ticket_id) == (Fate.FOLLOW_UP, first.ticket_id)
        assert other.ticket_id != first.ticket_id


class TestTheSettings:
    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("hook", ""), ("hook", "[x"), ("search_in", ["nowhere"]), ("search_in", "subject"),
            ("max_message_mb", 0), ("max_message_mb", 101), ("mails_per_sender", 0),
            ("mails_per_ticket", -1), ("mails_per_ticket", True), ("own_addresses", ["x"]),
            ("tagged_addresses", ["a+b@c.example"]), ("raw_mail_days", "ten"), ("strange", 1),
        ],
    )  # fmt: skip
    def test_make_sense(self, name: str, value: Any) -> None:
        with pytest.raises(Invalid) as caught:
            say(**{name: value})
        assert caught.value.field == name
        assert policy.present() == policy.Policy()

    def test_are_the_administrators(self, post: Post) -> None:
        with pytest.raises(Forbidden):
            policy.save({"hook": "x"}, actor=acting(post.nora), at=AT)

    def test_that_were_not_given_stay(self) -> None:
        say(hook="Case#")
        say(raw_mail_days=30)
        assert policy.present() == policy.Policy(hook="Case#", raw_mail_days=30)

    def test_refuse_what_is_too_large_and_keep_it(self, post: Post) -> None:
        say(max_message_mb=1)
        row = post.bring("x" * 1_100_000)
        assert (row.fate, row.ticket_id) == (Fate.REFUSED, None)
        say(max_message_mb=2)
        handling.replay([row.pk], at=AT)
        handling.handle_waiting(post.channel.pk)
        row.refresh_from_db()
        assert row.fate == Fate.NEW_TICKET

    def test_know_further_addresses_of_the_desk(self, post: Post) -> None:
        say(own_addresses=["Info@desk.example"])
        row = post.bring(cc="info@desk.example, x@c.example")
        copies = TicketCC.objects.filter(ticket=row.ticket_id)
        assert [copy.email for copy in copies] == ["x@c.example"]


class TestTooMuch:
    def test_for_one_ticket_is_kept_in_silence(self, post: Post) -> None:
        say(mails_per_ticket=2)
        ticket = post.ticket(ccs=["copy@customer.example"])
        rows = []
        for number in range(4):
            post.close(ticket)
            rows.append(
                post.bring(
                    f"No {number}", in_reply_to=post.answer_id(ticket), message_id=f"<{number}@x.y>"
                )
            )
        assert [row.ticket_id for row in rows] == [ticket.pk] * 4
        assert [bool(entry(row).email_recipients) for row in rows] == [True, True, False, False]
        ticket.refresh_from_db()
        assert ticket.state_id == StateId.CLOSED

    def test_of_one_sender_is_kept_in_silence(self, post: Post) -> None:
        say(mails_per_sender=2)
        post.group.new_ticket_cc = ["boss@desk.test"]
        post.group.save()
        rows = [
            post.bring(f"No {n}", message_id=f"<{n}@x.y>", **{"from": address})
            for n, address in enumerate(["k@c.example", "K@c.example", "k@C.example"])
        ]
        assert [row.fate for row in rows] == [Fate.NEW_TICKET] * 3
        assert [bool(entry(row).email_recipients) for row in rows] == [True, True, False]

    @pytest.mark.parametrize("minutes", [0, 13])
    @pytest.mark.parametrize("keeps_thread", [True, False])
    def test_of_a_conversation_of_machines_ends_it(
        self, post: Post, minutes: int, keeps_thread: bool
    ) -> None:
        """The other desk answers whatever it gets, tells every copy, and marks nothing."""
        say(mails_per_ticket=3, mails_per_sender=4)
        peer = "help@other.example"
        post.group.new_ticket_cc = post.group.updated_ticket_cc = [peer]
        post.group.save()
        moment, seen = AT, 0
        waiting = [post.mail("Hello", **{"from": peer}, message_id="<0@other.example>")]
        for number in itertools.count(1):
            if not waiting:
                break
            assert number < 50, "they are still talking"
            moment += timedelta(minutes=minutes)
            row = taking.take(waiting.pop(), channel=post.channel, at=moment)
            handling.handle(row.pk, at=moment)
            row.refresh_from_db()
            assert row.fate in (Fate.NEW_TICKET, Fate.FOLLOW_UP)
            for mail in OutgoingMail.objects.filter(pk__gt=seen, address=peer).order_by("id"):
                seen = mail.pk
                composed_for(mail)
                thread = {"in_reply_to": mail.message_id} if keeps_thread else {}
                waiting = [
                    post.mail(
                        f"Thank you for your message {mail.pk}.",
                        **{"from": peer},
                        subject="We have got your message",
                        message_id=f"<{mail.pk}@other.example>",
                        **thread,
                    )
                ]
        assert IncomingMail.objects.filter(fate__in=["", Fate.UNREADABLE]).count() == 0


class TestTheLists:
    def rule(self, what: str, pattern: str, **given: Any) -> IgnoreRule:
        return save_rule(NewRule(what=what, pattern=pattern, **given), actor=SYSTEM, at=AT)

    @pytest.mark.parametrize(
        ("what", "pattern", "sender", "caught"),
        [
            ("address", "A@B.example", "a@b.EXAMPLE", True),
            ("address", "a@b.example", "xa@b.example", False),
            ("address", "a@bücher.example", "a@xn--bcher-kva.example", True),
            ("domain", "*.b.example", "a@x.y.b.example", True),
            ("domain", "@b.example", "a@b.example", True),
            ("domain", "b.example", "a@bb.example", False),
            ("header", "x-campaign", "a@b.example", True),
            ("header", "X-Campaign: spring  sale", "a@b.example", True),
            ("header", "X-Campaign: autumn", "a@b.example", False),
            ("header", "X-Nothing", "a@b.example", False),
        ],
    )
    def test_catch_what_they_name(
        self, post: Post, what: str, pattern: str, sender: str, caught: bool
    ) -> None:
        rule = self.rule(what, pattern)
        row = post.bring(**{"from": sender}, x_campaign="Big Spring Sale")
        rule.refresh_from_db()
        assert (row.fate == Fate.IGNORED, rule.caught, rule.caught_at) == (
            (True, 1, rule.caught_at) if caught else (False, 0, None)
        )

    def test_of_another_group_or_switched_off_catch_nothing(self, post: Post) -> None:
        address = post.kemal.email
        self.rule("address", address, group_id=group("Other").pk)
        self.rule("address", address, active=False)
        assert post.bring().fate == Fate.NEW_TICKET
        self.rule("address", address, group_id=post.group.pk)
        assert post.bring(message_id="<2@c.example>").fate == Fate.IGNORED

    def test_of_what_is_never_answered_take_the_mail(self, post: Post) -> None:
        rule = self.rule("address", post.kemal.email, action="quiet")
        row = post.bring()
        rule.refresh_from_db()
        assert (row.fate, rule.caught) == (Fate.NEW_TICKET, 1)
        assert entry(row).email_recipients == []
        ticket = Ticket.objects.get(pk=row.ticket_id)
        post.close(ticket)
        again = post.bring(in_reply_to=entry(row).message_id or "", message_id="<2@c.example>")
        ticket.refresh_from_db()
        assert (again.ticket_id, ticket.state_id) == (row.ticket_id, StateId.CLOSED)

    @pytest.mark.parametrize(
        ("what", "pattern", "field", "code"),
        [
            ("address", "x", "pattern", "not_an_address"),
            ("address", "", "pattern", "required"),
            ("domain", "a b", "pattern", "bad"),
            ("domain", "..", "pattern", "bad"),
            ("header", "No name: x", "pattern", "bad"),
            ("header", "\x00", "pattern", "bad"),
            ("body", "x", "what", "not_selectable"),
        ],
    )
    def test_take_only_what_makes_sense(
        self, what: str, pattern: str, field: str, code: str
    ) -> None:
        with pytest.raises(Invalid) as caught:
            self.rule(what, pattern)
        assert (caught.value.field, caught.value.code) == (field, code)

    def test_have_each_rule_once(self) -> None:
        self.rule("domain", "b.example")
        with pytest.raises(Invalid):
            self.rule("domain", "@B.example")

    def test_are_asked_with_one_query_however_long(
        self, post: Post, django_assert_num_queries: Any
    ) -> None:
        for number in range(30):
            self.rule("domain", f"d{number}.example")
            self.rule("header", f"X-Spam: {number}")
        from deskbell.mail.reading import message

        facts = message.read(post.mail())
        with django_assert_num_queries(2):
            assert ignoring.catching(facts, post.kemal.email, group_id=post.group.pk) == []


def test_nothing_is_lost_by_silence(post: Post) -> None:
    say(mails_per_ticket=1, mails_per_sender=1)
    ticket = post.ticket()
    for number in range(3):
        post.bring(f"No {number}", in_reply_to=post.answer_id(ticket), message_id=f"<{number}@x.y>")
    bodies = Article.objects.filter(ticket=ticket, body__startswith="No").values_list("body")
    assert len(bodies) == 3
