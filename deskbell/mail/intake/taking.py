"""Taking a message in: bytes, then the row; only then may the caller tell whoever brought it.

Whatever falls between two of these steps, the message is there: bytes without a row are found by
:func:`rescan`, a row without a fate waits for its job.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction

from deskbell.kernel.compiled import Compiled, insert
from deskbell.mail.intake import store
from deskbell.mail.models import Fate, IncomingMail, MailChannel

#: Bytes. A message larger than this is refused where it is offered, before it is read.
SIZE_LIMIT = 100 * 1024 * 1024
#: How exactly a channel says when it received something.
RECEIVED = timedelta(seconds=1)

_BY_KEY = Compiled(
    lambda channel_id, key: IncomingMail.objects.filter(channel_id=channel_id, key=key), int, str
)
_BY_DIGEST = Compiled(lambda digest: IncomingMail.objects.filter(digest=digest, copy_of=None), str)


def take(
    content: bytes,
    *,
    channel: MailChannel,
    key: str | None = None,
    envelope: bytes = b"",
    at: datetime,
) -> IncomingMail:
    """Keep a message; when this returns it cannot get lost, and its handling is enqueued.

    ``key`` is the mailbox's name for it: a message taken before under that key is given back as it
    is. Bytes that were taken before under another make a row that says so. ``envelope``: fields
    about the delivery, kept above the message. Raises
    :class:`~deskbell.mail.intake.store.NoRoom` and :class:`OSError`: then nothing was taken, and
    the mailbox must not be told.
    """
    if key is not None and (known := _known(channel, key)):
        return known
    place = store.keep(content, channel_id=channel.pk, envelope=envelope)
    size = len(envelope) + len(content)
    return _enter(place, size, channel=channel, key=key, at=at)


def _known(channel: MailChannel, key: str) -> IncomingMail | None:
    return _BY_KEY.first(channel.pk, key)


def _enter(
    place: str, size: int, *, channel: MailChannel, key: str | None, at: datetime
) -> IncomingMail:
    """The row of kept bytes. Of two that enter the same at once, one hears of the other."""
    try:
        return _entered(place, size, channel=channel, key=key, at=at)
    except IntegrityError:
        if key is not None and (known := _known(channel, key)):
            return known
        return _entered(place, size, channel=channel, key=key, at=at)


@transaction.atomic
def _entered(
    place: str, size: int, *, channel: MailChannel, key: str | None, at: datetime
) -> IncomingMail:
    from deskbell.mail.jobs import handle

    digest = place.rpartition("/")[2]
    first = _BY_DIGEST.first(digest)
    mail = IncomingMail(
        channel=channel, key=key, place=place, digest=digest, size=size, received_at=at
    )
    if first is not None:
        mail.copy_of = first
        mail.fate = Fate.IGNORED
        mail.reason = f"The same message came before, as number {first.pk}."
        mail.handled_at = at
        mail.message_id, mail.sender, mail.subject = first.message_id, first.sender, first.subject
    insert(mail)
    if channel.received_at is None or at - channel.received_at >= RECEIVED:
        # Not for each one of many: it says how lively the channel is.
        MailChannel.objects.filter(pk=channel.pk).update(received_at=at)
        channel.received_at = at
    if first is None:
        handle.using(unique_key=f"mail-in:{channel.pk}").enqueue(channel.pk)
    return mail


def rescan(*, at: datetime) -> int:
    """Enter messages whose bytes were kept but whose row was never written; how many.

    Runs when a worker starts. What the mailbox brings again afterwards is known by its bytes.
    """
    channels = {channel.pk: channel for channel in MailChannel.objects.all()}
    entered = 0
    batch: dict[str, int] = {}

    def enter() -> None:
        nonlocal entered
        known = IncomingMail.objects.filter(place__in=list(batch)).values_list("place", flat=True)
        for place in sorted(set(batch) - set(known)):
            channel = channels[batch[place]]
            _enter(place, store.store().size(place), channel=channel, key=None, at=at)
            entered += 1
        batch.clear()

    for channel_id, place in store.places():
        if channel_id in channels:
            batch[place] = channel_id
        if len(batch) >= 500:
            enter()
    enter()
    return entered


def with_source(article_ids: Sequence[int]) -> set[int]:
    """Ids, of those at hand, of entries whose message is kept. One query, none without ids."""
    if not article_ids:
        return set()
    rows = IncomingMail.objects.filter(article_id__in=list(article_ids)).exclude(place="")
    return {id_ for id_ in rows.values_list("article_id", flat=True) if id_ is not None}


def raw_of(article_id: int) -> bytes | None:
    """The message that became an entry, byte by byte; ``None`` where there is none (any more)."""
    rows = IncomingMail.objects.filter(article_id=article_id).exclude(place="")
    place = rows.order_by("id").values_list("place", flat=True).first()
    if place is None:
        return None
    try:
        return store.read(place)
    except FileNotFoundError:
        return None
