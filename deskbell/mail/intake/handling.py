"""What becomes of a message that was taken in: one transaction, one fate, said in one sentence.

Messages of one channel are handled one after the other in the order they came, so that an answer
finds the ticket that the question opened. One that cannot be read is put aside with its reason and
may be replayed; the next ones go on.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from django.conf import settings
from django.db import InterfaceError, OperationalError, transaction
from django.db.models import F

from deskbell.kernel import clock
from deskbell.kernel.errors import DeskError
from deskbell.kernel.jobs import RetryLater
from deskbell.kernel.text import storable
from deskbell.mail.intake import store
from deskbell.mail.intake.judging import Verdict, judge
from deskbell.mail.models import Fate, IncomingMail
from deskbell.mail.reading import message

log = logging.getLogger("deskbell.mail.intake")

#: Handling that was begun so often and never ended took its process with it.
ATTEMPTS_AT_MOST = 3
REASON_LIMIT = 2_000
BUSY = timedelta(seconds=10)
#: What became nothing may be handled again: the cause may be mended.
REPLAYED = (Fate.UNREADABLE, Fate.IGNORED, Fate.REFUSED)
REPLAYED_AT_MOST = 10_000


def handle_waiting(channel_id: int) -> int:
    """Handle what waits of a channel, oldest first; how many messages.

    Raises :class:`RetryLater` while the database or the store is out of reach.
    """
    handled = 0
    while True:
        mail_id = (
            IncomingMail.objects.filter(channel_id=channel_id, fate="")
            .order_by("id")
            .values_list("pk", flat=True)
            .first()
        )
        if mail_id is None:
            return handled
        handle(mail_id, at=clock.now())
        handled += 1


def handle(mail_id: int, *, at: datetime) -> Fate:
    """Give one message its fate; one that has a fate keeps it. Raises :class:`RetryLater`."""
    mail = IncomingMail.objects.get(pk=mail_id)
    if mail.fate:
        return Fate(mail.fate)
    # Counted before it is begun: what kills the process must not be begun for ever.
    IncomingMail.objects.filter(pk=mail_id).update(attempts=F("attempts") + 1)
    if mail.attempts >= ATTEMPTS_AT_MOST:
        return _put_aside(mail, "Reading it ended the process, several times.", at=at)
    try:
        content = store.read(mail.place)
    except FileNotFoundError:
        return _put_aside(mail, "Its bytes are not in the store any more.", at=at)
    except OSError as error:
        raise _later(mail, "the store cannot be read", error) from error
    try:
        facts = message.read(content, fqdn=settings.CONFIG.hostname)
        with transaction.atomic():
            return _settled(mail_id, judge(mail, facts, at=at), at=at)
    except (OperationalError, InterfaceError) as error:
        raise _later(mail, "the database did not answer", error) from error
    except DeskError as error:
        log.warning("mail refused", extra={"incoming": mail_id, "reason": str(error)})
        return _put_aside(mail, f"The desk refuses it: {error}.", at=at)
    except Exception as error:
        # Whatever it is, it is this message's: kept, shown, replayed once the cause is mended.
        log.exception("mail could not be handled", extra={"incoming": mail_id})
        return _put_aside(mail, f"An error of the desk: {type(error).__name__}.", at=at)


def _later(mail: IncomingMail, what: str, error: BaseException) -> RetryLater:
    # This attempt says nothing about the message.
    IncomingMail.objects.filter(pk=mail.pk, fate="").update(attempts=mail.attempts)
    log.warning("mail waits: %s", what, extra={"incoming": mail.pk, "reason": str(error)[:200]})
    return RetryLater(f"mail {mail.pk}: {what}", after=BUSY)


def _settled(mail_id: int, verdict: Verdict, *, at: datetime) -> Fate:
    """Write the fate in the transaction of what it did; of two at once only one commits."""
    ours = IncomingMail.objects.filter(pk=mail_id, fate="").update(
        fate=verdict.fate,
        reason=storable(verdict.reason)[:REASON_LIMIT],
        ticket_id=verdict.ticket_id,
        article_id=verdict.article_id,
        message_id=storable(verdict.message_id)[:255],
        sender=storable(verdict.sender)[:254],
        subject=storable(verdict.subject)[:400],
        handled_at=at,
    )
    if not ours:
        raise _SomebodyWasFaster(mail_id)
    return verdict.fate


class _SomebodyWasFaster(Exception):
    """The message got its fate meanwhile: what this transaction did is undone."""


def _put_aside(mail: IncomingMail, reason: str, *, at: datetime) -> Fate:
    IncomingMail.objects.filter(pk=mail.pk, fate="").update(
        fate=Fate.UNREADABLE, reason=reason[:REASON_LIMIT], handled_at=at
    )
    return Fate.UNREADABLE


@transaction.atomic
def replay(mail_ids: list[int], *, at: datetime) -> int:
    """Handle messages again that became nothing; how many. What became a ticket stays one."""
    from deskbell.mail.jobs import handle as job

    again = IncomingMail.objects.filter(
        pk__in=mail_ids, fate__in=REPLAYED, copy_of=None
    ).exclude(place="")
    channels = set(again.exclude(channel=None).values_list("channel_id", flat=True))
    number = again.update(fate="", reason="", attempts=0, handled_at=None)
    for channel_id in sorted(channels):
        job.using(unique_key=f"mail-in:{channel_id}").enqueue(channel_id)
    return number
