"""Looking into mailboxes: which are due, what a look leads to, and what is wrong with them."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet

from deskbell.kernel import clock
from deskbell.kernel.errors import Invalid
from deskbell.mail.intake import channels
from deskbell.mail.intake.visit import Visit, access_to
from deskbell.mail.models import ASKED, ChannelKind, MailChannel
from deskbell.mail.oauth import Access
from deskbell.mail.trouble import SENTENCE_LIMIT, Trouble

log = logging.getLogger("deskbell.mail")

#: A mailbox is looked for that much before its time: the clock of due looks ticks every 15 s.
EARLY = timedelta(seconds=2)
#: A mailbox in trouble is looked at ever more seldom, down to once in that time.
LONGEST_PAUSE = timedelta(minutes=5)
#: Silent: no look succeeded in so many intervals, and in this time at least.
SILENT_INTERVALS = 10
SILENT = timedelta(minutes=10)


def asked() -> QuerySet[MailChannel]:
    """The mailboxes that the desk looks into."""
    return MailChannel.objects.filter(active=True, kind__in=ASKED)


def due(*, at: datetime) -> QuerySet[MailChannel]:
    """The mailboxes whose time has come."""
    return asked().filter(Q(look_at=None) | Q(look_at__lte=at + EARLY))


def enqueue_due(*, at: datetime) -> int:
    """Have every mailbox looked into whose time has come; how many. Alarms what fell silent."""
    from deskbell.mail.jobs import fetch

    number = 0
    for channel in due(at=at).order_by("look_at", "id"):
        with transaction.atomic():
            # One row changed means one winner, on every database.
            ours = MailChannel.objects.filter(pk=channel.pk, look_at=channel.look_at).update(
                look_at=at + _pause(channel, at)
            )
            if ours:
                fetch.using(unique_key=fetch_key(channel.pk)).enqueue(channel.pk)
                number += 1
    for channel in asked().filter(alarm=""):
        if sentence := silence(channel, at=at):
            raise_alarm(channel, sentence, at=at)
    return number


def fetch_key(channel_id: int) -> str:
    """The unique key of the job that looks into a mailbox: two never do so at the same time."""
    return f"mail-fetch:{channel_id}"


def _pause(channel: MailChannel, at: datetime) -> timedelta:
    interval = timedelta(seconds=channel.interval)
    if channel.alarm_since is None:
        return interval
    return max(interval, min(LONGEST_PAUSE, at - channel.alarm_since))


def silence(channel: MailChannel, *, at: datetime) -> str:
    """A sentence where no look into a mailbox has succeeded for long; else empty."""
    since = max(channel.succeeded_at or channel.created_at, channel.updated_at)
    patience = max(SILENT, SILENT_INTERVALS * timedelta(seconds=channel.interval))
    if at - since < patience:
        return ""
    return (
        f"No look into this mailbox was finished since {since:%Y-%m-%d %H:%M} UTC: "
        "is a worker running?"
    )


def fetch(channel_id: int, *, at: datetime) -> int:
    """Look into a mailbox; how many messages were taken.

    What hinders it becomes the channel's alarm. What remains at the end of the look's budget is
    fetched by the next job, so that no mailbox keeps a worker for itself.
    """
    channel = MailChannel.objects.filter(pk=channel_id).first()
    if channel is None or not channel.active or channel.kind not in ASKED:
        return 0
    try:
        visit = Visit(channel, channels.settings_of(channel))
    except Invalid as problem:
        raise_alarm(channel, f"The setting “{problem.field}” makes no sense.", at=clock.now())
        return 0
    try:
        more = _looks()[channel.kind](visit)
    except Trouble as trouble:
        raise_alarm(channel, str(trouble), at=clock.now())
        return visit.taken
    except Exception as error:
        text = f"Looking into the mailbox failed as nobody expected ({type(error).__name__})."
        raise_alarm(channel, f"{text} The log has more.", at=clock.now())
        raise
    with transaction.atomic():
        all_clear(channel, at=clock.now())
        if more:
            from deskbell.mail.jobs import fetch as again

            again.using(unique_key=fetch_key(channel.pk)).enqueue(channel.pk)
    return visit.taken


def _looks() -> dict[str, Callable[[Visit], bool]]:
    from deskbell.mail.intake import imap, maildir, pop3

    return {
        ChannelKind.IMAP: imap.look,
        ChannelKind.POP3: pop3.look,
        ChannelKind.MAILDIR: maildir.look,
    }


def probe(
    kind: str, settings: Any, *, password: str | None = None, channel: MailChannel | None = None
) -> str:
    """Try a mailbox and change nothing: one sentence on what waits there.

    ``password`` ``None`` means the channel's stored one. Raises :class:`Trouble` with the one
    sentence of what is wrong. Kinds that bring mail themselves have nothing to try.
    """
    from deskbell.mail.intake import imap, maildir, pop3

    if password is not None:
        given = password
        access = Access(settings, lambda: given)
    elif channel is not None:
        access = access_to(channel, settings)
        # Nothing of an earlier sign-in may make a new setting look well.
        access.key = None
    else:
        access = Access(settings, lambda: "")
    match kind:
        case ChannelKind.IMAP:
            return imap.probe(access)
        case ChannelKind.POP3:
            return pop3.probe(access)
        case ChannelKind.MAILDIR:
            return maildir.probe(access)
    return "This kind of channel brings its mail itself: there is nothing to connect to."


def raise_alarm(channel: MailChannel, sentence: str, *, at: datetime) -> None:
    """Note what is wrong with a channel, in one sentence: its alarm, until it works again."""
    sentence = sentence[:SENTENCE_LIMIT]
    ours = MailChannel.objects.filter(pk=channel.pk, updated_at=channel.updated_at)
    begins = ours.filter(alarm_since=None).update(alarm_since=at)
    ours.update(alarm=sentence, checked_at=at)
    if begins:
        log.warning("mail channel alarm", extra={"channel": channel.name, "reason": sentence})


def all_clear(channel: MailChannel, *, at: datetime) -> None:
    """Note that a channel works."""
    ours = MailChannel.objects.filter(pk=channel.pk, updated_at=channel.updated_at)
    if ours.exclude(alarm_since=None).update(alarm="", alarm_since=None):
        log.info("mail channel works again", extra={"channel": channel.name})
    ours.update(checked_at=at, succeeded_at=at)


def problems(*, at: datetime) -> list[tuple[MailChannel, str]]:
    """Channels that need somebody, each with its sentence, by name."""
    found = []
    for channel in MailChannel.objects.filter(active=True).order_by("name_key", "id"):
        sentence = channel.alarm
        if not sentence and channel.kind in ASKED:
            sentence = silence(channel, at=at)
        if sentence:
            found.append((channel, sentence))
    return found
