"""What people do with outgoing mail."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.db.models import Q, QuerySet

from deskbell.kernel.actor import NOBODY_ID, Actor
from deskbell.kernel.errors import Forbidden, Refused, Unknown
from deskbell.kernel.events import Change, record
from deskbell.kernel.models import Job, JobState
from deskbell.kernel.text import MAX_ID
from deskbell.mail import jobs
from deskbell.mail.models import CAME_TO_GRIEF, DeadAddress, IncomingMail, MailState, OutgoingMail
from deskbell.tickets import access
from deskbell.tickets.models import Ticket
from deskbell.tickets.operations import Withdrawn, article_for, split_article, withdraw_reply
from deskbell.tickets.operations.happenings import ArticleEdited, MailReturned


@transaction.atomic
def retry(mails: QuerySet[OutgoingMail], *, at: datetime) -> int:
    """Try failed messages again, with all their attempts; how many."""
    number = 0
    for mail in mails.filter(state=MailState.FAILED).order_by("id"):
        # One row changed means one winner, on every database.
        ours = OutgoingMail.objects.filter(pk=mail.pk, state=MailState.FAILED).update(
            state=MailState.QUEUED, updated_at=at
        )
        if ours:
            # The dead letter is answered by this; it must not be made ready a second time.
            Job.objects.filter(unique_key=mail.job_key, state=JobState.DEAD).delete()
            jobs.enqueue(mail.pk, key=mail.job_key)
            number += 1
    return number


@transaction.atomic
def resend(mail_id: int, *, actor: Actor, at: datetime) -> OutgoingMail:
    """Try a message again that failed or came back, for an agent who may change the ticket.

    Its address is alive again: whoever tries once more knows better than the last report. Raises
    what the door raises, :class:`Unknown`, :class:`Refused` (``not_failed``).
    """
    row = OutgoingMail.objects.filter(pk=mail_id) if 0 < mail_id <= MAX_ID else None
    mail = row.first() if row is not None else None
    if row is None or mail is None:
        raise Unknown("mail", mail_id)
    article = article_for(actor, mail.article_id, "change", lock=True)
    if not access.allows(actor, article.ticket, "change", as_agent=True):
        raise Forbidden("mail", mail_id)
    # One row changed means one winner: whoever asks twice sends once.
    if not row.filter(state__in=CAME_TO_GRIEF).update(
        state=MailState.QUEUED, reason="", updated_at=at
    ):
        raise Refused("not_failed")
    DeadAddress.objects.filter(key=mail.address_key).delete()
    Job.objects.filter(unique_key=mail.job_key, state=JobState.DEAD).delete()
    jobs.enqueue(mail.pk, key=mail.job_key)
    change = Change(
        "mail", new=mail.address, type="resent", object="Article", object_id=mail.article_id
    )
    happening = ArticleEdited(ticket=article.ticket, article=article, changes=[change])
    record(happening, actor=actor, at=at)
    mail.refresh_from_db()
    return mail


@transaction.atomic
def take_back(article_id: int, *, actor: Actor, at: datetime) -> Withdrawn:
    """Take back one's own reply while all its messages are held: nobody outside ever gets one.

    Of this and a worker that begins to send, the one whose UPDATE comes first wins; all messages
    stay, or none. Raises what the door raises, :class:`Forbidden` for somebody else's reply,
    :class:`Refused` (``sent``).
    """
    article = article_for(actor, article_id, "change", lock=True)
    mails = OutgoingMail.objects.filter(article=article)
    held = mails.filter(state=MailState.HELD).update(updated_at=at)
    # One to a dead address failed before it was begun: it stopped nowhere but here.
    never_begun = Q(state=MailState.HELD) | Q(state=MailState.FAILED, attempts=0)
    if not held or mails.exclude(never_begun).exists():
        raise Refused("sent")
    keys = [mail.job_key for mail in mails]
    Job.objects.filter(unique_key__in=keys, state=JobState.READY).delete()
    return withdraw_reply(article_id, actor=actor, at=at)


@transaction.atomic
def split_off(article_id: int, *, actor: Actor, at: datetime) -> Ticket:
    """Make an entry that is held apart a ticket of its own, with the message that it came from.

    Raises as :func:`~deskbell.tickets.operations.split_article` does.
    """
    ticket, entry = split_article(article_id, actor=actor, at=at)
    IncomingMail.objects.filter(article_id=article_id).update(
        ticket_id=ticket.pk, article_id=entry.pk
    )
    return ticket


def report_return(mail: OutgoingMail, *, at: datetime) -> None:
    """Enter into history that a message did not arrive; whoever is in charge is told.

    In the transaction of whoever noted it on the row.
    """
    article = mail.article
    change = Change(
        "mail", new=mail.address, type="returned", object="Article", object_id=article.pk
    )
    desk = Actor(kind="system", user_id=NOBODY_ID, via="mail")
    record(MailReturned(ticket=article.ticket, changes=[change]), actor=desk, at=at)


@transaction.atomic
def record_as_sent(mails: QuerySet[OutgoingMail], *, at: datetime) -> int:
    """Settle messages that wait as if they had gone out, without sending; how many.

    For whoever fills a desk with what happened elsewhere, in the same transaction.
    """
    number = 0
    for mail in mails.filter(state__in=[MailState.QUEUED, MailState.HELD]).order_by("id"):
        number += OutgoingMail.objects.filter(
            pk=mail.pk, state__in=[MailState.QUEUED, MailState.HELD]
        ).update(state=MailState.SENT, sent_at=mail.created_at, updated_at=at)
        Job.objects.filter(unique_key=mail.job_key, state=JobState.READY).delete()
    return number
