"""Replies and notes: two ways, two addresses; sent once, or not at all."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from deskbell.kernel.models import Event
from deskbell.mail.models import MailState, OutgoingMail
from deskbell.people.models import User
from deskbell.tickets.models import Article, Ticket
from deskbell.tickets.operations import NewArticle, update_ticket
from deskbell.tickets.vocabulary import ArticleType, Sender, StateId
from tests import cast


@pytest.fixture
def ticket(kemal: User) -> Ticket:
    return cast.ticket(kemal, ccs=["boss@example.test"])


def answer(ticket: Ticket, body: str = "Try again", **more: Any) -> dict[str, Any]:
    """What the composer sends."""
    seen = Article.objects.filter(ticket=ticket).order_by("-id").values_list("id", flat=True)[0]
    return {"body": body, "seen": seen, "state": "", "pending_time": "", **more}


def written(ticket: Ticket) -> Article:
    return Article.objects.filter(ticket=ticket).order_by("-id")[0]


class TestAReply:
    def test_is_mailed_to_the_customer_and_the_copies(self, desk, nora, ticket):
        sent = desk.post(f"/tickets/{ticket.pk}/replies/", answer(ticket))

        article = written(ticket)
        ticket.refresh_from_db()
        assert sent["Location"] == f"/tickets/{ticket.pk}/#article-{article.pk}"
        assert (article.type, article.internal, article.via) == (ArticleType.EMAIL, False, "web")
        assert article.sender == Sender.AGENT
        assert article.created_by_id == nora.pk
        assert article.email_recipients == ["boss@example.test", "kemal@example.test"]
        assert ticket.state_id == StateId.OPEN
        assert (
            "until then you can take it back" in desk.get(f"/tickets/{ticket.pk}/").content.decode()
        )

    def test_can_close_the_ticket(self, desk, ticket):
        desk.post(f"/tickets/{ticket.pk}/replies/", answer(ticket, state=StateId.CLOSED.value))

        ticket.refresh_from_db()
        assert ticket.state_id == StateId.CLOSED

    def test_can_wait_until_a_moment_in_the_zone_of_the_desk(self, desk, ticket, settings):
        settings.TIME_ZONE = "Europe/Berlin"

        desk.post(
            f"/tickets/{ticket.pk}/replies/",
            answer(ticket, state=StateId.PENDING_REMINDER.value, pending_time="2027-07-01T09:30"),
        )

        ticket.refresh_from_db()
        assert ticket.state_id == StateId.PENDING_REMINDER
        assert ticket.pending_time is not None
        assert ticket.pending_time.isoformat() == "2027-07-01T07:30:00+00:00"

    def test_brings_files_even_without_words(self, desk, ticket):
        file = SimpleUploadedFile("../../evil\u202egpj.exe", b"MZ", "image/png")

        desk.post(f"/tickets/{ticket.pk}/replies/", answer(ticket, "", files=[file]))

        stored = written(ticket).attachments.get()
        assert stored.filename == "evilgpj.exe"
        assert written(ticket).type == ArticleType.EMAIL

    def test_to_somebody_without_an_address_is_for_the_web(self, desk, nora):
        silent = cast.ticket(cast.person("mute", roles=[3], email=""))

        page = desk.get(f"/tickets/{silent.pk}/").content.decode()
        desk.post(f"/tickets/{silent.pk}/replies/", answer(silent))

        assert "Publish reply" in page
        assert (written(silent).type, written(silent).internal) == (ArticleType.NOTE, False)
        assert written(silent).email_recipients == []


class TestAReplyTakenBack:
    @pytest.fixture
    def reply(self, desk, ticket) -> Article:
        file = SimpleUploadedFile("plan.txt", b"Step one", "text/plain")
        form = answer(ticket, "Try <this>", state=StateId.CLOSED.value, files=[file])
        desk.post(f"/tickets/{ticket.pk}/replies/", form)
        return written(ticket)

    def undo(self, client, ticket, reply):
        return client.post(f"/tickets/{ticket.pk}/replies/{reply.pk}/withdrawal/")

    def test_returns_to_the_composer_with_all_it_had(self, desk, ticket, reply):
        here = f"/tickets/{ticket.pk}/"
        assert desk.get(here).context["undoable"].id == reply.pk

        back = self.undo(desk, ticket, reply)
        page = desk.get(here)
        [file] = page.context["reply"].kept
        form = answer(ticket, page.context["reply"].body, kept=[file.token, "forged"])
        again = desk.get(here)
        desk.post(f"{here}replies/", form)

        assert back["Location"] == f"{here}#reply-body"
        assert "Taken back: nobody got it." in page.content.decode()
        assert "Try &lt;this&gt;</textarea>" in page.content.decode()
        assert page.context["reply"].state == str(StateId.CLOSED.value)
        assert again.context["reply"].body == ""
        assert written(ticket).pk > reply.pk
        assert [(f.filename, f.size) for f in written(ticket).attachments.all()] == [
            ("plan.txt", 8)
        ]

    def test_gives_its_files_to_nobody_else(self, desk, ticket, reply, signed_in, kemal):
        self.undo(desk, ticket, reply)
        [file] = desk.get(f"/tickets/{ticket.pk}/").context["reply"].kept
        tom = signed_in(cast.person("tom", roles=[2], groups={1: ["full"]}))
        other = cast.ticket(kemal)

        tom.post(f"/tickets/{ticket.pk}/replies/", answer(ticket, kept=[file.token]))
        desk.post(f"/tickets/{other.pk}/replies/", answer(other, kept=[file.token]))

        assert not written(ticket).attachments.exists()
        assert not written(other).attachments.exists()

    def test_is_seen_by_colleagues_who_cannot_take_it_back(self, ticket, reply, signed_in):
        tom = signed_in(cast.person("tom", roles=[2], groups={1: ["full"]}))

        page = tom.get(f"/tickets/{ticket.pk}/")
        refused = self.undo(tom, ticket, reply)

        assert "Goes out in" in page.content.decode()
        assert page.context["undoable"] is None
        assert refused.status_code == 404

    def test_is_not_shown_to_the_customer_meanwhile(self, desk, ticket, reply, signed_in, kemal):
        portal = signed_in(kemal)
        here = f"/my/tickets/{ticket.pk}/"
        held = portal.get(here).content.decode()
        OutgoingMail.objects.filter(article=reply).update(state=MailState.QUEUED)

        assert "Try &lt;this&gt;" not in held
        assert "Try &lt;this&gt;" in portal.get(here).content.decode()

    def test_is_too_late_once_it_was_sent(self, desk, ticket, reply):
        OutgoingMail.objects.filter(article=reply).update(state=MailState.SENT)

        self.undo(desk, ticket, reply)
        late = desk.get(f"/tickets/{ticket.pk}/").content.decode()
        twice = self.undo(desk, ticket, Article(pk=10**9))

        assert "It was too late: this reply has been sent already." in late
        assert Article.objects.filter(pk=reply.pk).exists()
        assert twice.status_code == 302


class TestMailThatDidNotArrive:
    @pytest.mark.parametrize("state", [MailState.FAILED, MailState.BOUNCED])
    def test_is_sent_again_by_a_button(self, desk, ticket, state):
        desk.post(f"/tickets/{ticket.pk}/replies/", answer(ticket))
        reply = written(ticket)
        mails = OutgoingMail.objects.filter(article=reply)
        mails.update(state=MailState.SENT, sent_at=cast.MONDAY_10AM)
        mails.filter(address="boss@example.test").update(state=state, reason="550 no <such> user")
        mail = mails.get(address="boss@example.test")
        here, again = f"/tickets/{ticket.pk}/", f"/tickets/{ticket.pk}/mails/{mail.pk}/again/"

        page = desk.get(here).content.decode()
        desk.post(again)
        fragment = desk.get(f"{here}entries/{reply.pk}/mail/").content.decode()
        desk.post(again)

        assert "550 no &lt;such&gt; user" in page
        assert f'action="{again}"' in page
        assert "Waiting to be sent to 2 addresses" in fragment
        assert "<html" not in fragment
        assert "This message is on its way already." in desk.get(here).content.decode()


class TestANote:
    def test_is_seen_by_agents_only_and_mailed_to_no_customer(self, desk, ticket, signed_in, kemal):
        desk.post(f"/tickets/{ticket.pk}/notes/", answer(ticket, "He is difficult"))

        article = written(ticket)
        ticket.refresh_from_db()
        assert (article.type, article.internal) == (ArticleType.NOTE, True)
        assert article.email_recipients == []
        assert ticket.state_id == StateId.NEW
        assert b"difficult" not in signed_in(kemal).get(f"/my/tickets/{ticket.pk}/").content

    def test_never_becomes_a_reply(self, desk, ticket):
        """Whatever else the form says: the address decides."""
        desk.post(
            f"/tickets/{ticket.pk}/notes/",
            answer(ticket, internal="", mode="reply", type="email", to="kemal@example.test"),
        )

        assert written(ticket).internal

    def test_keeps_its_words_when_it_cannot_be_sent(self, desk, ticket):
        page = desk.post(
            f"/tickets/{ticket.pk}/notes/", answer(ticket, "Mind the dog", state="999")
        )

        note, reply = page.context["note"], page.context["reply"]
        assert page.status_code == 422
        assert (note.body, reply.body) == ("Mind the dog", "")
        assert page.context["mode"] == "note"
        assert note.errors["state"] == "This is not one of the choices any more."


class TestNothingIsWritten:
    @pytest.fixture(autouse=True)
    def _unchanged(self, ticket):
        def present():
            return (
                Article.objects.count(),
                Event.objects.filter(object="Ticket").count(),
                Ticket.objects.values().get(pk=ticket.pk),
            )

        before = present()
        yield
        assert present() == before

    @pytest.mark.parametrize("way", ["replies", "notes"])
    @pytest.mark.parametrize(
        "wrong",
        [
            {"body": ""},
            {"body": " \n "},
            {"body": "a\x00b"},
            {"body": "x" * 1_500_001},
            {"state": "999"},
            {"state": "x"},
            {"state": str(2**70)},
            {"state": StateId.MERGED.value},
            {"state": StateId.PENDING_REMINDER.value},
            {"state": StateId.PENDING_REMINDER.value, "pending_time": "tomorrow"},
            {"state": StateId.PENDING_REMINDER.value, "pending_time": "2027-13-45T99:99"},
            {"state": StateId.PENDING_REMINDER.value, "pending_time": "0001-01-01T00:00"},
        ],
    )
    def test_by_an_answer_that_makes_no_sense(self, desk, ticket, way, wrong, settings):
        settings.TIME_ZONE = "Asia/Tokyo"

        page = desk.post(f"/tickets/{ticket.pk}/{way}/", answer(ticket) | wrong)

        assert page.status_code == 422
        assert 'aria-invalid="true"' in page.content.decode() or page.context["reply"].problem

    @pytest.mark.parametrize("seen", ["", "x", "-1", None])
    def test_by_a_form_that_does_not_say_what_was_seen(self, desk, ticket, seen):
        form = answer(ticket)
        form.pop("seen")
        if seen is not None:
            form["seen"] = seen

        assert desk.post(f"/tickets/{ticket.pk}/replies/", form).status_code == 409

    @pytest.mark.parametrize("way", ["replies", "notes", "facts", "owner"])
    def test_by_somebody_who_may_only_read(self, signed_in, ticket, way):
        reader = signed_in(cast.person("reader", roles=[2], groups={1: ["read"]}))

        page = reader.post(f"/tickets/{ticket.pk}/{way}/", answer(ticket))

        assert page.status_code == 403
        assert b"You may not do that" in page.content

    @pytest.mark.parametrize("way", ["replies", "notes", "facts", "owner"])
    def test_by_the_customer_in_the_workspace(self, portal, ticket, way):
        assert portal.post(f"/tickets/{ticket.pk}/{way}/", answer(ticket)).status_code == 404

    @pytest.mark.parametrize("way", ["replies", "notes", "facts", "owner"])
    def test_by_a_link(self, desk, ticket, way):
        assert desk.get(f"/tickets/{ticket.pk}/{way}/").status_code == 405


class TestAnswersThatCross:
    def test_are_held_until_the_news_was_seen(self, desk, ticket, kemal):
        late = answer(ticket, "Have you tried turning it off?")
        update_ticket(
            ticket.pk,
            None,
            NewArticle(body="It works again", type=ArticleType.WEB),
            actor=cast.acting(kemal, "portal"),
            at=cast.MONDAY_10AM,
        )

        held = desk.post(f"/tickets/{ticket.pk}/replies/", late)
        page = held.content.decode()
        sent = desk.post(f"/tickets/{ticket.pk}/replies/", late | {"seen": held.context["seen"]})

        assert held.status_code == 409
        assert "It works again" in page
        assert "Have you tried turning it off?" in page
        assert "Nothing was sent yet" in page
        assert sent.status_code == 302

    def test_that_are_sent_twice_are_sent_once(self, desk, ticket):
        form = answer(ticket)

        first = desk.post(f"/tickets/{ticket.pk}/replies/", form)
        second = desk.post(f"/tickets/{ticket.pk}/replies/", form)

        assert (first.status_code, second.status_code) == (302, 409)
        assert Article.objects.filter(ticket=ticket).count() == 2
