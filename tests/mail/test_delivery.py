"""From an entry to a message: rows, jobs, what is sent to whom, and what happens when it is not."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import resolve
from django.utils.html import escape

from deskbell.kernel import jobs
from deskbell.kernel.actor import SYSTEM
from deskbell.kernel.jobs import queue
from deskbell.kernel.models import Job, JobState
from deskbell.mail import operations, queries
from deskbell.mail.jobs import MAX_ATTEMPTS
from deskbell.mail.models import MailState, OutgoingMail
from deskbell.mail.sending import delivery, transport
from deskbell.people.models import Group, User
from deskbell.tickets.attachments import NewFile, store
from deskbell.tickets.models import Article, Ticket
from deskbell.tickets.operations import (
    NewArticle,
    NewTicket,
    TicketChange,
    delete_ticket,
    edit_article,
    open_ticket,
    public_reply,
    remove_article,
    update_ticket,
)
from deskbell.tickets.rules import Occasion, Part
from deskbell.tickets.vocabulary import ArticleType, Sender, StateId
from tests.cast import MONDAY_10AM, acting, ada, group, kemal, nora
from tests.mail.reading import html_of, sent, text_of
from tests.mail.sink import smtp_sink

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock", "outbox")]

MINUTE = timedelta(minutes=1)


class Desk:
    """A small desk: a group with copies, its agent Nora, Ada, and Kemal who asks."""

    def __init__(self) -> None:
        self.group: Group = group(
            "Support",
            email="support@desk.example",
            new_ticket_cc=["new@desk.test"],
            updated_ticket_cc=["updated@desk.test"],
        )
        self.nora: User = nora(groups={self.group.pk: ["full"]})
        self.ada: User = ada()
        self.kemal: User = kemal()

    def open(self, *, via: str = "helpdesk", by: User | None = None, **columns: Any) -> Ticket:
        article = columns.pop("article", None) or NewArticle(
            body="It burns.", type=ArticleType.WEB, sender=Sender.CUSTOMER
        )
        columns = {
            "title": "Printer on fire",
            "group_id": self.group.pk,
            "customer_id": self.kemal.pk,
            "article": article,
            **columns,
        }
        actor = acting(by or self.ada, via)  # type: ignore[arg-type]
        return open_ticket(NewTicket(**columns), actor=actor, at=MONDAY_10AM)

    def write(
        self,
        ticket: Ticket,
        *,
        by: User | None = None,
        via: str = "zammad",
        change: TicketChange | None = None,
        **columns: Any,
    ) -> Article:
        columns = {"body": "Please pour water on it.", **columns}
        actor = acting(by or self.ada, via)  # type: ignore[arg-type]
        _, article = update_ticket(
            ticket.pk, change, NewArticle(**columns), actor=actor, at=MONDAY_10AM
        )
        assert article is not None
        return article

    def reply(self, ticket: Ticket, text: str = "Please pour water on it.", **kw: Any) -> Article:
        ticket = Ticket.objects.select_related("customer").get(pk=ticket.pk)
        return self.write(ticket, **public_reply(ticket, text), **kw)


@pytest.fixture
def desk() -> Desk:
    return Desk()


def mails(article: Article | None = None) -> dict[str, OutgoingMail]:
    """The rows by the name before the @."""
    rows = OutgoingMail.objects.order_by("id")
    if article is not None:
        rows = rows.filter(article=article)
    return {row.address.partition("@")[0]: row for row in rows}


def opening(ticket: Ticket) -> Article:
    return ticket.articles.order_by("id")[0]


class TestOwing:
    def test_writes_a_row_and_a_job_per_address(self, desk):
        ticket = desk.open(owner_id=desk.nora.pk, ccs=["cc@example.test"])

        rows = mails()
        assert {name: (row.part, row.occasion, row.state) for name, row in rows.items()} == {
            "kemal": ("customer", "opened", "queued"),
            "cc": ("cc", "opened", "queued"),
            "nora": ("assigned", "opened", "queued"),
            "new": ("staff", "opened", "queued"),
            "updated": ("staff", "opened", "queued"),
        }
        assert opening(ticket).email_recipients == sorted(r.address for r in rows.values())
        keys = Job.objects.order_by("id").values_list("unique_key", "queue")
        assert list(keys) == [(row.job_key, "mail") for row in rows.values()]

    def test_is_part_of_what_happened(self, desk):
        with transaction.atomic():
            desk.open()
            transaction.set_rollback(True)

        assert not OutgoingMail.objects.exists()
        assert not Job.objects.exists()

    def test_costs_two_statements_however_many_they_are(self, desk):
        numbers = []
        for size in (1, 40):
            with CaptureQueriesContext(connection) as captured:
                desk.open(ccs=[f"cc{n}@example.test" for n in range(size)])
            written = [
                q["sql"]
                for q in captured
                if q["sql"].startswith(('INSERT INTO "mail_', 'INSERT INTO "kernel_job'))
            ]
            numbers.append(len(written))
        assert numbers == [2, 2]

    def test_of_what_changes_without_an_entry_is_nothing(self, desk):
        ticket = desk.open()
        before = OutgoingMail.objects.count()

        update_ticket(ticket.pk, TicketChange(on_hold=True), actor=acting(desk.ada), at=MONDAY_10AM)

        assert OutgoingMail.objects.count() == before

    def test_never_twice_to_one_address_about_one_entry(self, desk):
        row = mails(opening(desk.open()))["kemal"]
        row.pk = None

        with pytest.raises(IntegrityError), transaction.atomic():
            row.save(force_insert=True)

    def test_of_what_the_desk_records_itself_is_done_already(self, desk, outbox):
        open_ticket(
            NewTicket(
                title="Story",
                group_id=desk.group.pk,
                customer_id=desk.kemal.pk,
                article=NewArticle(body="x", type=ArticleType.WEB, sender=Sender.CUSTOMER),
            ),
            actor=SYSTEM,
            at=MONDAY_10AM - 60 * MINUTE,
        )

        row = mails()["kemal"]
        assert (row.state, row.attempts, row.sent_at) == (
            "sent",
            0,
            MONDAY_10AM - 60 * MINUTE,
        )
        assert not Job.objects.exists()
        assert jobs.run_due() == 0
        assert not outbox.exists()

    def test_skips_addresses_that_nobody_can_mail(self, desk):
        desk.open(ccs=["somebody@nowhere.invalid"])

        assert "somebody" not in mails()


class TestSending:
    def test_sends_each_and_says_so(self, desk, outbox):
        desk.open(ccs=["cc@example.test"])

        assert jobs.run_due() == 4

        rows = mails().values()
        assert {(r.state, r.attempts, r.sent_at, r.reason) for r in rows} == {
            ("sent", 1, MONDAY_10AM, "")
        }
        assert sorted(str(sent(row)["To"].addresses[0].addr_spec) for row in rows) == sorted(
            row.address for row in rows
        )
        assert len(list(outbox.glob("*.eml"))) == 4
        assert set(Job.objects.values_list("state", flat=True)) == {JobState.DONE}

    def test_takes_few_queries_whatever_the_ticket(self, desk, django_assert_max_num_queries):
        ticket = desk.open(ccs=["cc@example.test"])
        for _ in range(5):
            desk.reply(ticket)
        row = OutgoingMail.objects.latest("id")

        with django_assert_max_num_queries(11):
            delivery.deliver(row.pk, attempt=1, last=False, at=MONDAY_10AM)

    def test_twice_is_once(self, desk, outbox):
        desk.open()
        jobs.run_due()
        row = mails()["kemal"]
        file = next(outbox.glob(f"*-{row.pk}.eml"))
        file.unlink()

        delivery.deliver(row.pk, attempt=1, last=False, at=MONDAY_10AM)

        assert not file.exists()
        row.refresh_from_db()
        assert row.attempts == 1


class TestAcknowledgement:
    def test_says_that_it_arrived_and_repeats_nothing(self, desk):
        ticket = desk.open(article=NewArticle(
            body="Confirm your account: https://evil.example/?code=123456",
            type=ArticleType.WEB, sender=Sender.CUSTOMER,
            files=[NewFile(filename="code-123456.txt", content=b"123456")],
        ))  # fmt: skip
        jobs.run_due()

        message = sent(mails()["kemal"])
        assert message["Subject"] == f"[support-{ticket.pk}] Printer on fire (Opened)"
        assert message["From"] == "Support <support@desk.example>"
        assert message["To"] == "Kemal Example <kemal@example.test>"
        assert message["Auto-Submitted"] == "auto-generated"
        assert "Thank you for your message" in text_of(message)
        assert "123456" not in message.as_string()
        assert "evil" not in message.as_string()

    def test_is_for_him_alone_others_get_the_words(self, desk):
        desk.open(owner_id=desk.nora.pk, ccs=["cc@example.test"])
        jobs.run_due()

        for name in ("cc", "nora", "new", "updated"):
            assert "It burns." in text_of(sent(mails()[name]))


class TestLetter:
    def test_by_a_form_has_the_subject_of_the_template(self, desk):
        ticket = desk.open()
        article = desk.reply(ticket, via="helpdesk", by=desk.nora, change=None)
        jobs.run_due()

        message = sent(mails(article)["kemal"])
        assert message["Subject"] == f"[support-{ticket.pk}] Printer on fire (Updated)"
        assert message["From"] == "Nora Example via Support <support@desk.example>"
        assert message["Message-ID"] == article.message_id
        assert message["Auto-Submitted"] == "no"
        assert text_of(message).startswith("Please pour water on it.\n")

    @pytest.mark.parametrize(
        ("via", "subject", "expected"),
        [
            ("zammad", "Re: burning", "[support-{id}] Re: burning"),
            ("zammad", "Re: [support-{id}] burning", "Re: [support-{id}] burning"),
            ("mail", "Burning", "[support-{id}] Burning"),
            ("zammad", None, "[support-{id}] Printer on fire (Updated)"),
            ("helpdesk", "Comment", "[support-{id}] Printer on fire (Updated)"),
            ("jutda", "Comment Added", "[support-{id}] Printer on fire (Updated)"),
        ],
    )
    def test_keeps_a_subject_that_was_meant_for_it(self, desk, via, subject, expected):
        ticket = desk.open()
        article = desk.write(
            ticket,
            via=via,
            type=ArticleType.EMAIL,
            to="kemal@example.test",
            subject=subject and subject.format(id=ticket.pk),
        )
        jobs.run_due()

        rows = mails(article)
        assert sent(rows["kemal"])["Subject"] == expected.format(id=ticket.pk)
        assert sent(rows["updated"])["Subject"] == (
            f"[support-{ticket.pk}] Printer on fire (Updated)"
        )

    def test_that_resolves_says_so(self, desk):
        ticket = desk.open()
        article = desk.reply(
            ticket, "Done.", via="helpdesk", change=TicketChange(state_id=StateId.RESOLVED)
        )
        jobs.run_due()

        message = sent(mails(article)["kemal"])
        assert message["Subject"] == f"[support-{ticket.pk}] Printer on fire (Resolved)"
        assert "resolved" in text_of(message)

    def test_to_several_goes_to_each_alone_and_says_to_whom_else(self, desk):
        article = desk.write(
            desk.open(),
            type=ArticleType.EMAIL,
            to="Kemal <kemal@example.test>, boss@example.test",
            cc="lawyer@example.test",
        )
        jobs.run_due()

        rows = mails(article)
        assert [row.part for row in rows.values()] == [
            "customer", "recipient", "recipient", "staff",
        ]  # fmt: skip
        message = sent(rows["boss"])
        assert message["To"] == "boss@example.test"
        assert "Cc" not in message
        assert "Also sent to: kemal@example.test, lawyer@example.test" in text_of(message)
        assert len({row.message_id for row in rows.values()}) == 4

    def test_names_where_answers_should_go(self, desk):
        ticket = desk.open()
        article = desk.write(
            ticket,
            type=ArticleType.EMAIL,
            to="kemal@example.test",
            reply_to="Sales <sales@desk.example>",
        )
        jobs.run_due()

        assert sent(mails(article)["kemal"])["Reply-To"] == "sales@desk.example"
        assert "Reply-To" not in sent(mails(article)["updated"])

    def test_of_a_group_without_address_comes_from_the_desk(self, desk):
        Group.objects.filter(pk=desk.group.pk).update(email_address=None)
        article = desk.reply(desk.open(), by=desk.nora)
        jobs.run_due()

        assert sent(mails(article)["kemal"])["From"] == "Nora Example via Help <help@desk.example>"


class TestNotification:
    def test_tells_staff_how_the_ticket_stands(self, desk):
        ticket = desk.open(owner_id=desk.nora.pk)
        article = desk.write(ticket, internal=True, body="A difficult one.")
        jobs.run_due()

        text = text_of(sent(mails(article)["nora"]))
        assert "A difficult one." in text
        assert "internal note" in text
        assert "Owner: Nora Example" in text
        assert "Customer: Kemal Example <kemal@example.test>" in text
        assert f"https://desk.example/tickets/{ticket.pk}/\n" in text

    def test_tells_nobody_outside_how_the_ticket_stands(self, desk):
        article = desk.reply(desk.open(ccs=["cc@example.test"]))
        jobs.run_due()

        for name in ("kemal", "cc"):
            whole = text_of(sent(mails(article)[name])) + html_of(sent(mails(article)[name]))
            assert "Owner" not in whole
            assert ("https://desk.example" in whole) == (name == "kemal")


class TestLinks:
    def test_for_staff_leads_into_the_workspace(self, desk):
        ticket = desk.open()
        jobs.run_due()

        (link,) = re.findall(r"https://desk\.example(\S+)", text_of(sent(mails()["new"])))
        assert resolve(link).url_name == "agent-ticket"
        assert resolve(link).kwargs == {"ticket_id": ticket.pk}

    @pytest.mark.parametrize("entry", ["acknowledgement", "letter"])
    def test_for_the_customer_opens_his_ticket_without_an_account(self, desk, client, entry):
        ticket = desk.open()
        article = opening(ticket) if entry == "acknowledgement" else desk.reply(ticket)
        jobs.run_due()

        message = sent(mails(article)["kemal"])
        (link,) = re.findall(r"https://desk\.example(\S+)", text_of(message))
        assert escape(link) in html_of(message)
        assert client.get(link).status_code == 200
        assert b"Printer on fire" in client.get(link).content

    def test_are_not_for_somebody_who_is_not_the_customer_any_more(self, desk):
        ticket = desk.open()
        Ticket.objects.filter(pk=ticket.pk).update(customer=desk.nora)
        jobs.run_due()

        assert "/tickets/" not in text_of(sent(mails()["kemal"]))


class TestThread:
    def test_of_an_address_hangs_together(self, desk):
        ticket = desk.open()
        replies = [desk.reply(ticket) for _ in range(3)]
        jobs.run_due()

        first = sent(mails(opening(ticket))["kemal"])
        thread = first["References"]
        known = [thread, first["Message-ID"]]
        for article in replies:
            message = sent(mails(article)["kemal"])
            assert message["References"].split() == known
            assert message["In-Reply-To"] == known[-1]
            known.append(message["Message-ID"])

    def test_names_the_mail_that_somebody_wrote(self, desk):
        ticket = desk.open()
        Article.objects.filter(ticket=ticket).update(message_id="<his@example.test>")
        article = desk.write(
            ticket,
            type=ArticleType.EMAIL,
            to="kemal@example.test",
            in_reply_to="<his@example.test>",
        )
        jobs.run_due()

        message = sent(mails(article)["kemal"])
        assert "<his@example.test>" in message["References"].split()
        assert message["In-Reply-To"] == "<his@example.test>"

    def test_names_no_private_entry_to_anybody_outside(self, desk):
        ticket = desk.open(owner_id=desk.nora.pk)
        note = desk.write(ticket, internal=True, message_id="<private@desk.example>")
        article = desk.reply(ticket)
        jobs.run_due()

        references = sent(mails(article)["kemal"])["References"]
        assert "private" not in references
        assert mails(note)["nora"].message_id not in references

    def test_stays_short_however_long_the_ticket(self, desk):
        ticket = desk.open()
        for _ in range(25):
            article = desk.reply(ticket)
        jobs.run_due()

        assert len(sent(mails(article)["kemal"])["References"].split()) == 20

    def test_cannot_be_led_astray_by_what_a_client_wrote(self, desk):
        article = desk.write(
            desk.open(),
            type=ArticleType.EMAIL,
            to="kemal@example.test",
            in_reply_to="<a@b>\r\nBcc: everybody@example.test",
            message_id="<broken id@x>\r\nBcc: x",
            reply_to="a@b.example\r\nBcc: x@x.example",
            subject="Hello\r\nBcc: everybody@example.test",
        )
        jobs.run_due()

        message = sent(mails(article)["kemal"])
        assert "Bcc" not in message
        assert message["Subject"].endswith("Hello Bcc: everybody@example.test")
        assert message["Message-ID"].startswith(f"<{article.ticket_id}.{article.pk}.")


PNG = b"\x89PNG\r\n\x1a\n" + b"x" * 50


class TestFiles:
    HTML = '<p>See <img src="cid:bell@x" alt="bell"></p>'

    def written(self, desk: Desk, *files: NewFile, **columns: Any) -> Article:
        ticket = desk.open(ccs=["cc@example.test"], owner_id=desk.nora.pk)
        columns = {
            "type": ArticleType.EMAIL,
            "to": "kemal@example.test",
            "body": self.HTML,
            "content_type": "text/html",
            **columns,
        }
        article = desk.write(ticket, files=files, **columns)
        jobs.run_due()
        return article

    def picture(self, **changes: Any) -> NewFile:
        columns = {
            "filename": "bell.png",
            "content": PNG,
            "content_type": "image/png",
            "inline": True,
            "content_id": "<bell@x>",
            **changes,
        }
        return NewFile(**columns)

    def test_travel_with_what_goes_outside(self, desk):
        article = self.written(desk, NewFile(filename="Größe.txt", content=b"12 cm"))

        for name in ("kemal", "cc"):
            (attached,) = sent(mails(article)[name]).iter_attachments()
            assert attached.get_filename() == "Größe.txt"
            assert attached.get_content() == b"12 cm"

    def test_are_named_to_staff(self, desk):
        article = self.written(desk, NewFile(filename="scan.pdf", content=b"x" * 12_000))

        message = sent(mails(article)["nora"])
        assert list(message.iter_attachments()) == []
        assert "- scan.pdf (12 KB)" in text_of(message)

    @pytest.mark.parametrize("name", ["kemal", "cc", "nora", "updated"])
    def test_that_the_words_show_are_part_of_them(self, desk, name):
        article = self.written(desk, self.picture())

        message = sent(mails(article)[name])
        related = [part for part in message.walk() if part["Content-ID"]]
        assert [part.get_content() for part in related] == [PNG]
        content_id = related[0]["Content-ID"].strip("<>")
        assert f'src="cid:{content_id}"' in html_of(message)
        assert "bell@x" not in content_id
        assert list(message.iter_attachments()) == []
        assert "bell.png" not in text_of(message)

    @pytest.mark.parametrize(
        "body", ["<p>No picture</p>", '<!-- cid:bell@x --><p title="cid:bell@x">Talk of one</p>']
    )
    def test_that_could_be_shown_and_are_not_travel_as_files(self, desk, body):
        article = self.written(desk, self.picture(), body=body)

        message = sent(mails(article)["kemal"])
        assert [a.get_filename() for a in message.iter_attachments()] == ["bell.png"]
        assert not [part for part in message.walk() if part["Content-ID"]]

    def test_that_only_pretend_to_be_pictures_are_not_shown(self, desk):
        article = self.written(
            desk, self.picture(filename="x.svg", content_type="image/svg+xml", content=b"<svg/>")
        )

        message = sent(mails(article)["kemal"])
        assert [a.get_filename() for a in message.iter_attachments()] == ["x.svg"]
        assert "cid:" not in html_of(message)

    def test_beyond_what_mail_servers_take_are_named(self, desk, monkeypatch):
        monkeypatch.setattr(delivery, "FILES_SIZE", 1000)
        article = self.written(
            desk,
            NewFile(filename="big.bin", content=b"x" * 900),
            NewFile(filename="bigger.bin", content=b"x" * 950),
            NewFile(filename="small.bin", content=b"x" * 10),
            self.picture(),
        )

        message = sent(mails(article)["kemal"])
        assert [a.get_filename() for a in message.iter_attachments()] == ["big.bin", "small.bin"]
        assert "- bigger.bin (950 bytes)" in text_of(message)
        assert "cid:" in html_of(message)

    def test_that_cannot_be_read_do_not_hold_up_the_words(self, desk, caplog):
        article = desk.write(
            desk.open(),
            type=ArticleType.EMAIL,
            to="kemal@example.test",
            files=[NewFile(filename="lost.txt", content=b"a file that will be lost")],
        )
        digest = article.attachments.get().blob_id
        store().delete(f"{digest[:2]}/{digest[2:4]}/{digest}")
        jobs.run_due()

        message = sent(mails(article)["kemal"])
        assert "Please pour water on it." in text_of(message)
        assert "- lost.txt" in text_of(message)
        assert "attachment cannot be read" in caplog.text


class TestFailing:
    @pytest.fixture
    def row(self, desk, configured):
        with smtp_sink() as sink:
            configured(smtp_url=f"smtp://127.0.0.1:{sink.port}")
            article = desk.reply(desk.open())
            Job.objects.exclude(unique_key=mails(article)["kemal"].job_key).delete()
            self.sink = sink
            yield mails(article)["kemal"]

    def test_for_good_is_said_in_the_servers_words(self, row):
        self.sink.to_recipient.append("550 5.1.1 No such user")

        jobs.run_due()

        row.refresh_from_db()
        assert (row.state, row.reason, row.attempts) == ("failed", "550 5.1.1 No such user", 1)
        job = Job.objects.get()
        assert job.state == JobState.DEAD
        assert job.last_error == f"mail {row.pk}: 550 5.1.1 No such user"
        assert self.sink.taken == []

    def test_for_now_is_tried_again(self, row, clock):
        self.sink.to_recipient.append("450 4.2.0 Greylisted")

        jobs.run_due()

        row.refresh_from_db()
        assert (row.state, row.reason) == ("queued", "450 4.2.0 Greylisted")
        job = Job.objects.get()
        assert job.state == JobState.READY
        assert MONDAY_10AM < job.run_at < MONDAY_10AM + MINUTE
        clock.move_to(MONDAY_10AM + MINUTE)
        assert jobs.run_due() == 1
        row.refresh_from_db()
        assert (row.state, row.reason, row.attempts) == ("sent", "", 2)
        assert len(self.sink.taken) == 1

    def test_too_often_is_shown_to_people(self, row):
        self.sink.to_recipient += ["450 4.2.0 Greylisted"] * 2
        with pytest.raises(jobs.RetryLater):
            delivery.deliver(row.pk, attempt=1, last=False, at=MONDAY_10AM)

        with pytest.raises(jobs.GiveUp):
            delivery.deliver(row.pk, attempt=MAX_ATTEMPTS, last=True, at=MONDAY_10AM)

        row.refresh_from_db()
        assert (row.state, row.reason) == ("failed", "450 4.2.0 Greylisted")
        assert queries.failed().get() == row
        assert queries.counts() == {"held": 0, "queued": 4, "sending": 0, "failed": 1}

    def test_never_fails_the_call(self, desk, configured):
        configured(smtp_url="smtp://127.0.0.1:1")

        ticket = desk.open()
        jobs.run_due()

        assert Ticket.objects.filter(pk=ticket.pk).exists()
        assert "refuses connections on port" in mails(opening(ticket))["kemal"].reason

    def test_can_be_tried_again_by_a_person(self, row):
        self.sink.to_recipient.append("550 5.1.1 No such user")
        jobs.run_due()

        assert operations.retry(queries.failed(), at=MONDAY_10AM) == 1
        assert operations.retry(queries.failed(), at=MONDAY_10AM) == 0

        assert jobs.run_due() == 1
        row.refresh_from_db()
        assert (row.state, row.reason) == ("sent", "")
        assert not queue.dead_letters().exists()
        assert len(self.sink.taken) == 1

    def test_can_be_tried_again_as_a_dead_letter(self, row):
        self.sink.to_recipient.append("550 5.1.1 No such user")
        jobs.run_due()

        jobs.retry(jobs.dead_letters(), at=MONDAY_10AM)

        jobs.run_due()
        row.refresh_from_db()
        assert row.state == "sent"

    def test_for_good_is_not_tried_again_by_a_worker_that_fell_over_it(self, row):
        OutgoingMail.objects.filter(pk=row.pk).update(state=MailState.FAILED)

        delivery.deliver(row.pk, attempt=2, last=False, at=MONDAY_10AM)

        assert self.sink.taken == []

    def test_of_an_address_without_a_form_for_the_wire_is_for_good(self, row):
        OutgoingMail.objects.filter(pk=row.pk).update(address="a@b\u2024\u2024c")

        jobs.run_due()

        row.refresh_from_db()
        assert row.state == "failed"
        assert "domain of the address" in row.reason


class Crash(BaseException):
    """The process ends here."""


class TestCrash:
    def test_after_the_hand_over_makes_the_same_mail_again(self, desk, outbox, monkeypatch):
        article = desk.reply(desk.open())
        row = mails(article)["kemal"]
        hand_over = transport.hand_over

        def handed_over_then_gone(*args: Any, **kwargs: Any) -> None:
            hand_over(*args, **kwargs)
            raise Crash

        monkeypatch.setattr(transport, "hand_over", handed_over_then_gone)
        with pytest.raises(Crash):
            delivery.deliver(row.pk, attempt=1, last=False, at=MONDAY_10AM)
        row.refresh_from_db()
        assert row.state == "sending"
        (file,) = outbox.iterdir()
        first = file.read_bytes()

        monkeypatch.setattr(transport, "hand_over", hand_over)
        delivery.deliver(row.pk, attempt=2, last=False, at=MONDAY_10AM + MINUTE)

        row.refresh_from_db()
        assert (row.state, row.attempts) == ("sent", 2)
        assert list(outbox.iterdir()) == [file]
        assert file.read_bytes() == first

    def test_of_the_worker_is_made_good_by_the_queue(self, desk, outbox):
        desk.open()
        queue.claim(worker="gone", at=MONDAY_10AM, limit=2)

        queue.reclaim(at=MONDAY_10AM, workers=["gone"])
        jobs.run_due()

        assert set(OutgoingMail.objects.values_list("state", flat=True)) == {"sent"}
        assert len(list(outbox.glob("*.eml"))) == OutgoingMail.objects.count()


class TestVanished:
    def test_ticket_ends_its_jobs_quietly(self, desk, outbox, caplog):
        ticket = desk.open()

        delete_ticket(ticket.pk, actor=acting(desk.ada), at=MONDAY_10AM)

        assert not OutgoingMail.objects.exists()
        assert jobs.run_due() == 3
        assert set(Job.objects.values_list("state", flat=True)) == {JobState.DONE}
        assert not outbox.exists()
        assert caplog.text == ""

    def test_entry_takes_its_messages_along(self, desk):
        ticket = desk.open()
        article = desk.reply(ticket)

        remove_article(article.pk, actor=acting(desk.ada), at=MONDAY_10AM)

        assert mails(article) == {}
        assert len(mails(opening(ticket))) == 3

    def test_while_it_is_being_sent_writes_nothing(self, desk, monkeypatch):
        ticket = desk.open()
        row = mails()["kemal"]

        def deleted_meanwhile(*args: Any, **kwargs: Any) -> None:
            delete_ticket(ticket.pk, actor=acting(desk.ada), at=MONDAY_10AM)

        monkeypatch.setattr(transport, "hand_over", deleted_meanwhile)
        delivery.deliver(row.pk, attempt=1, last=False, at=MONDAY_10AM)

        assert not OutgoingMail.objects.exists()


class TestWithdrawn:
    def test_when_the_entry_became_private_before_it_was_sent(self, desk, outbox):
        article = desk.reply(desk.open(ccs=["cc@example.test"], owner_id=desk.nora.pk))
        edit_article(article.pk, {"internal": True}, actor=acting(desk.ada), at=MONDAY_10AM)

        jobs.run_due()

        rows = mails(article)
        assert {name: row.state for name, row in rows.items()} == {
            "kemal": "failed",
            "cc": "failed",
            "nora": "sent",
            "updated": "sent",
        }
        assert rows["kemal"].reason == "The entry is internal. It was not sent."
        assert not queue.dead_letters().exists()

    def test_when_staff_became_the_customer_before_it_was_sent(self, desk):
        ticket = desk.open(owner_id=desk.nora.pk)
        note = desk.write(ticket, internal=True)
        Ticket.objects.filter(pk=ticket.pk).update(customer=desk.nora)

        jobs.run_due()

        assert mails(note)["nora"].state == "failed"
        assert mails(note)["updated"].state == "sent"


class TestLookingAfter:
    LATER = MONDAY_10AM + timedelta(hours=1)

    def test_leaves_what_a_job_takes_care_of(self, desk):
        desk.open()

        assert delivery.look_after(at=self.LATER) == 0

    def test_gives_a_lost_message_a_new_job(self, desk):
        desk.open()
        Job.objects.all().delete()

        assert delivery.look_after(at=MONDAY_10AM) == 0
        assert delivery.look_after(at=self.LATER, batch=2) == 3

        jobs.run_due()
        assert set(OutgoingMail.objects.values_list("state", flat=True)) == {"sent"}

    def test_shows_what_died_with_its_workers(self, desk):
        desk.open()
        OutgoingMail.objects.update(state=MailState.SENDING)
        Job.objects.update(state=JobState.DEAD)

        assert delivery.look_after(at=self.LATER) == 3

        assert set(OutgoingMail.objects.values_list("state", "reason")) == {
            ("failed", "The desk gave up.")
        }
        assert delivery.look_after(at=self.LATER) == 0


class TestRecordAsSent:
    def test_settles_what_waits_and_sends_nothing(self, desk, outbox):
        desk.open()

        assert operations.record_as_sent(OutgoingMail.objects.all(), at=MONDAY_10AM) == 3

        assert jobs.run_due() == 0
        assert not outbox.exists()
        assert {(r.state, r.sent_at) for r in mails().values()} == {("sent", MONDAY_10AM)}


class TestDeliveries:
    def test_of_entries_at_hand_are_one_query(self, desk, django_assert_num_queries):
        ticket = desk.open()
        first, reply = opening(ticket), desk.reply(ticket)
        jobs.run_due()

        with django_assert_num_queries(1):
            found = queries.deliveries_of([first.pk, reply.pk])

        told = found[reply.pk][0]
        assert (told.address, told.part, told.occasion, told.state, told.sent_at) == (
            "kemal@example.test",
            Part.CUSTOMER,
            Occasion.UPDATED,
            MailState.SENT,
            MONDAY_10AM,
        )
        assert [d.address for d in found[first.pk]] == [
            "kemal@example.test",
            "new@desk.test",
            "updated@desk.test",
        ]

    def test_of_nothing_are_no_query(self, django_assert_num_queries):
        with django_assert_num_queries(0):
            assert queries.deliveries_of([]) == {}


def test_the_outbox_is_in_the_data_directory(outbox: Path):
    assert outbox.name == transport.OUTBOX
