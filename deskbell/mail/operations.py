"""What people do with outgoing mail."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet

from deskbell.kernel.models import Job, JobState
from deskbell.mail import jobs
from deskbell.mail.models import MailState, OutgoingMail


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
