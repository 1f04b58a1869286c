"""A reply from the workspace is held for ten seconds, in which its writer can take it back."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db.models import Sum

from deskbell.kernel import jobs
from deskbell.kernel.errors import Forbidden, Refused, Unknown
from deskbell.kernel.models import Event, Job, JobState
from deskbell.mail import operations
from deskbell.mail.models import DeadAddress, MailState, OutgoingMail
from deskbell.mail.sending import delivery
from deskbell.notify.models import OnlineNotification
from deskbell.tickets.attachments import NewFile
from deskbell.tickets.models import Article, Ticket, TicketCount
from deskbell.tickets.operations import NewArticle, TicketChange, update_ticket
from deskbell.tickets.vocabulary import ArticleType, StateId
from tests.cast import MONDAY_10AM, acting, kemal, nora, person, ticket

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock", "outbox")]

SOON = MONDAY_10AM + timedelta(seconds=9)
LATER = MONDAY_10AM + timedelta(seconds=10)


class Case:
    """Kemal's ticket with a copy to his boss, and two agents."""

    def __init__(self) -> None:
        self.nora, self.kemal = nora(), kemal()
        self.tom = person("tom", roles=[2], groups={1: ["full"]})
        self.ticket = ticket(self.kemal, ccs=["boss@example.test"])

    def reply(self, change: TicketChange | None = None, *, via="web", **columns) -> Article:
        new = NewArticle(
            body="Unplug it.", type=ArticleType.EMAIL, to="kemal@example.test", **columns
        )
        actor = acting(self.nora, via)
        _, article = update_ticket(self.ticket.pk, change, new, actor=actor, at=MONDAY_10AM)
        assert article is not None
        return article

    def note(self, change: TicketChange | None = None) -> None:
        update_ticket(
            self.ticket.pk,
            change,
            NewArticle(body="Hm.", internal=True),
            actor=acting(self.tom),
            at=MONDAY_10AM,
        )

    def take_back(self, article: Article, by=None, at=SOON):
        return operations.take_back(article.pk, actor=acting(by or self.nora), at=at)

    def columns(self) -> dict:
        columns = Ticket.objects.values().get(pk=self.ticket.pk)
        del columns["updated_at"], columns["updated_by_id"]
        return columns


@pytest.fixture
def case() -> Case:
    return Case()


def tickets_by_state() -> dict[int, int]:
    rows = TicketCount.objects.order_by().values_list("state").annotate(n=Sum("delta"))
    return {state: number for state, number in rows if number}


def states(article: Article) -> set[str]:
    return set(OutgoingMail.objects.filter(article=article).values_list("state", flat=True))


class TestAReply:
    def test_from_the_workspace_is_held_until_its_time(self, case, clock, outbox):
        article = case.reply()
        assert states(article) == {"held"}

        clock.move_to(SOON)
        jobs.run_due()
        assert (states(article), outbox.exists()) == ({"held"}, False)

        clock.move_to(LATER)
        jobs.run_due()
        assert states(article) == {"sent"}
        assert len(list(outbox.glob("*.eml"))) == 2

    @pytest.mark.parametrize("via", ["zammad", "helpdesk", "jutda", "mail"])
    def test_from_anywhere_else_is_sent_at_once(self, case, via):
        article = case.reply(via=via)

        jobs.run_due()

        assert states(article) == {"sent"}

    def test_whose_job_was_lost_is_found(self, case, clock):
        article = case.reply()
        Job.objects.all().delete()

        clock.shift(timedelta(minutes=16))
        found = delivery.look_after(at=MONDAY_10AM + timedelta(minutes=16))
        jobs.run_due()

        assert (found, states(article)) == (2, {"sent"})

    def test_that_was_begun_before_its_time_is_still_held(self, case):
        article = case.reply()
        mail = OutgoingMail.objects.filter(article=article).first()

        with pytest.raises(jobs.RetryLater) as held:
            delivery.deliver(mail.pk, attempt=1, last=False, at=SOON)

        assert held.value.after == timedelta(seconds=1)


class TestTakingBack:
    @pytest.mark.parametrize("before", [StateId.NEW, StateId.CLOSED, StateId.PENDING_REMINDER])
    @pytest.mark.parametrize("chosen", [None, StateId.CLOSED, StateId.PENDING_REMINDER])
    def test_leaves_the_ticket_as_it_was(self, case, outbox, clock, before, chosen):
        if before is not StateId.NEW:
            change = TicketChange(state_id=before, pending_time=LATER + timedelta(days=1))
            actor = acting(case.nora)
            update_ticket(case.ticket.pk, change, actor=actor, at=MONDAY_10AM - timedelta(1))
        columns, numbers = case.columns(), tickets_by_state()
        until = LATER + timedelta(days=3)
        change = TicketChange(state_id=chosen, pending_time=until) if chosen else None
        article = case.reply(change, files=[NewFile("a.txt", b"a")])

        back = case.take_back(article)

        assert (case.columns(), tickets_by_state()) == (columns, numbers)
        assert not Article.objects.filter(pk=article.pk).exists()
        assert back.body == "Unplug it."
        assert [file.filename for file in back.files] == ["a.txt"]
        assert back.state_id == (chosen if chosen != before else None)
        clock.move_to(LATER)
        assert jobs.run_due() == 0
        assert not outbox.exists()

    def test_is_told_in_history_and_untold_to_colleagues(self, case):
        article = case.reply()
        assert OnlineNotification.objects.filter(user=case.tom, seen=False).exists()

        case.take_back(article)

        event = Event.objects.order_by("-id")[0]
        assert (event.kind, event.user_id) == ("ReplyTakenBack", case.nora.pk)
        assert [(c["attribute"], c["type"], c["from"], c["to"]) for c in event.changes] == [
            ("article", "removed", "Unplug it.", None),
            ("state", "updated", "open", "new"),
        ]
        assert not OnlineNotification.objects.filter(user=case.tom).exists()

    def test_keeps_what_others_did_since(self, case):
        article = case.reply(TicketChange(state_id=StateId.CLOSED, priority_id=3))
        case.note(TicketChange(state_id=StateId.OPEN))

        case.take_back(article)

        case.ticket.refresh_from_db()
        assert (case.ticket.state_id, case.ticket.article_count) == (StateId.OPEN, 2)

    def test_is_for_the_writer_alone(self, case):
        article = case.reply()

        with pytest.raises(Forbidden):
            case.take_back(article, by=case.tom)
        with pytest.raises(Forbidden):
            case.take_back(article, by=case.kemal)

        assert states(article) == {"held"}

    def test_is_too_late_once_one_message_was_begun(self, case):
        article = case.reply(TicketChange(state_id=StateId.CLOSED))
        mail = OutgoingMail.objects.filter(article=article).first()
        columns = case.columns()
        for state in (MailState.QUEUED, MailState.SENDING, MailState.SENT, MailState.BOUNCED):
            OutgoingMail.objects.filter(pk=mail.pk).update(state=state)
            with pytest.raises(Refused):
                case.take_back(article)

        assert case.columns() == columns
        assert "held" in states(article)

    def test_is_possible_though_one_address_is_dead(self, case):
        DeadAddress.objects.create(
            key="boss@example.test", address="boss@example.test", since=MONDAY_10AM
        )
        article = case.reply()
        assert states(article) == {"held", "failed"}

        case.take_back(article)

        assert not OutgoingMail.objects.filter(article_id=article.pk).exists()

    def test_comes_first_or_sending_does(self, case, outbox, monkeypatch):
        """The worker has read the row; before it begins, the reply is taken back."""
        article = case.reply()
        mail = OutgoingMail.objects.filter(article=article).first()
        compose = delivery.composed_for

        def take_back_meanwhile(row):
            composed = compose(row)
            case.take_back(article)
            return composed

        monkeypatch.setattr(delivery, "composed_for", take_back_meanwhile)
        delivery.deliver(mail.pk, attempt=1, last=False, at=LATER)

        assert not outbox.exists()
        with pytest.raises(Unknown):
            case.take_back(article)


class TestSendingAgain:
    @pytest.fixture
    def mail(self, case) -> OutgoingMail:
        article = case.reply(via="zammad")
        return OutgoingMail.objects.get(article=article, address="kemal@example.test")

    @pytest.mark.parametrize("state", ["failed", "bounced"])
    def test_brings_the_address_back_to_life(self, case, mail, state):
        jobs.run_due()
        OutgoingMail.objects.filter(pk=mail.pk).update(state=state, reason="550 unknown")
        DeadAddress.objects.create(
            key="kemal@example.test", address="kemal@example.test", since=MONDAY_10AM
        )

        again = operations.resend(mail.pk, actor=acting(case.tom), at=SOON)
        with pytest.raises(Refused):
            operations.resend(mail.pk, actor=acting(case.tom), at=SOON)
        jobs.run_due()

        assert (again.state, again.reason) == ("queued", "")
        mail.refresh_from_db()
        assert (mail.state, mail.attempts) == ("sent", 2)
        assert not DeadAddress.objects.exists()
        assert Event.objects.order_by("-id")[0].changes[0]["type"] == "resent"

    def test_is_for_agents_who_may_change_the_ticket(self, case, mail):
        OutgoingMail.objects.filter(pk=mail.pk).update(state="failed")
        reader = person("rita", roles=[2], groups={1: ["read"]})

        for who in (reader, case.kemal):
            with pytest.raises(Forbidden):
                operations.resend(mail.pk, actor=acting(who), at=SOON)
        for id_ in (0, 2**63, 999):
            with pytest.raises(Unknown):
                operations.resend(id_, actor=acting(case.tom), at=SOON)

    def test_that_failed_again_calls_the_owner(self, case, mail):
        Ticket.objects.filter(pk=case.ticket.pk).update(owner=case.tom)
        OnlineNotification.objects.all().delete()
        mail = OutgoingMail.objects.select_related("article__ticket").get(pk=mail.pk)

        operations.report_return(mail, at=SOON)

        told = OnlineNotification.objects.values_list("user_id", flat=True)
        assert list(told) == [case.tom.pk]
        assert Job.objects.filter(state=JobState.READY).exists()
