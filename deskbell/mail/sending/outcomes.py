"""What became of a message after a server took it: it arrived, waits, or came back.

Reports come by mail and by webhook, twice, late and in any order. A message that is about to be
sent (again) is told nothing: the report is about an earlier attempt.
"""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from deskbell.kernel.text import fold, storable
from deskbell.mail.models import DeadAddress, MailState, OutgoingMail
from deskbell.mail.operations import report_return

REASON_LIMIT = 1_000
#: Taken, and not known to have come back.
ON_ITS_WAY = (MailState.SENDING, MailState.SENT)


def arrived(mail: OutgoingMail, *, at: datetime) -> bool:
    """The recipient's server has the message; whether that is news. Coming back outweighs it."""
    rows = OutgoingMail.objects.filter(pk=mail.pk, state__in=ON_ITS_WAY)
    return bool(rows.update(state=MailState.DELIVERED, reason="", updated_at=at))


def is_delayed(mail: OutgoingMail, said: str, *, at: datetime) -> bool:
    """A server goes on trying; whether the message was still on its way."""
    rows = OutgoingMail.objects.filter(pk=mail.pk, state__in=ON_ITS_WAY)
    return bool(rows.update(reason=reason_of(said), updated_at=at))


@transaction.atomic
def came_back(mail: OutgoingMail, said: str, *, dead: bool, at: datetime) -> bool:
    """The message did not arrive; whether that is news. A ``dead`` address gets no more."""
    unsent = (MailState.HELD, MailState.QUEUED)
    rows = OutgoingMail.objects.filter(pk=mail.pk).exclude(state__in=[*unsent, MailState.BOUNCED])
    reason = reason_of(said) or "It could not be delivered."
    is_news = bool(rows.update(state=MailState.BOUNCED, reason=reason, updated_at=at))
    if is_news:
        report_return(mail, at=at)
    if dead and (is_news or mail.state == MailState.BOUNCED):
        DeadAddress.objects.get_or_create(
            key=fold(mail.address),
            defaults={"address": mail.address, "reason": reason, "since": at},
        )
    return is_news


def reason_of(said: str) -> str:
    """A server's words, in one line of bounded length."""
    return storable(" ".join(said.split()))[:REASON_LIMIT]
