"""What becomes of a message that was taken in: one transaction, one fate, said in one sentence.

Messages of one channel are handled one after the other in the order they came, so that an answer
finds the ticket that the question opened. One that cannot be read is put aside with its reason and
may be replayed; the next ones go on.
"""

from __future__ import annotations

import logging
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import (
    DatabaseError,
    DataError,
    IntegrityError,
    InterfaceError,
    NotSupportedError,
    ProgrammingError,
    connection,
    transaction,
)
from django.db.models import F, QuerySet

from deskbell.kernel import clock
from deskbell.kernel.compiled import Compiled
from deskbell.kernel.errors import DeskError
from deskbell.kernel.jobs import RetryLater
from deskbell.kernel.remembering import remembering
from deskbell.kernel.text import fold, storable
from deskbell.mail import policy as policies
from deskbell.mail.intake import store
from deskbell.mail.intake.authentication import Authentication, told_by_servers
from deskbell.mail.intake.judging import Verdict, judge
from deskbell.mail.models import Fate, IncomingMail
from deskbell.mail.reading import message
from deskbell.mail.reading.facts import Facts

log = logging.getLogger("deskbell.mail.intake")

#: Handling that was begun so often and never ended may have taken its process with it.
SUSPECT = 3
#: And this often there is no other explanation left.
ATTEMPTS_AT_MOST = 50
#: What a reader in a process of its own may take.
READER_SECONDS = 120
READER_BYTES = 4 * 1024**3
#: Messages that may share a transaction, their bytes, and the seconds it may keep others waiting.
TOGETHER = 20
SIZE_TOGETHER = 2 * 1024 * 1024
SECONDS_TOGETHER = 0.1
#: A transaction is begun so often before the database is believed.
TRIES = 3
_ABOUT_THE_MESSAGE = (DataError, IntegrityError, ProgrammingError, NotSupportedError)
#: Attempts that ended otherwise, but could not be taken back.
_BEGUN_IN_VAIN: set[int] = set()
REASON_LIMIT = 2_000
BUSY = timedelta(seconds=10)
#: What waits for so long is looked after.
QUIET_FOR = timedelta(minutes=5)
#: What became nothing may be handled again: the cause may be mended.
REPLAYED = (Fate.UNREADABLE, Fate.IGNORED, Fate.REFUSED)
REPLAYED_AT_MOST = 10_000


def handle_waiting(channel_id: int) -> int:
    """Handle what waits of a channel, oldest first; how many messages.

    Raises :class:`RetryLater` while the database or the store is out of reach.
    """
    handled = 0
    while waiting := _WAITING.all(channel_id):
        handled += len(_handle_some(waiting))
    return handled


def look_after(*, at: datetime) -> int:
    """See to messages that wait though no job may be left for them; of how many channels.

    A store or a database that is away for long uses up the attempts of the job, and a channel that
    was removed has none.
    """
    from deskbell.mail.jobs import handle as job

    waiting = IncomingMail.objects.filter(fate="", received_at__lt=at - QUIET_FOR)
    for mail_id in waiting.filter(channel=None).order_by("id").values_list("pk", flat=True)[:500]:
        handle(mail_id, at=at)
    channels = waiting.exclude(channel=None).order_by("channel_id")
    ids = list(channels.values_list("channel_id", flat=True).distinct())
    for channel_id in ids:
        job.using(unique_key=f"mail-in:{channel_id}").enqueue(channel_id)
    return len(ids)


def handle(mail_id: int, *, at: datetime) -> Fate:
    """Give one message its fate; one that has a fate keeps it. Raises :class:`RetryLater`."""
    mail = _rows().get(pk=mail_id)
    if mail.fate:
        return Fate(mail.fate)
    return _handle_some([mail], at=at)[0]


def _rows() -> QuerySet[IncomingMail]:
    """Messages with what judging them asks for anyway."""
    return IncomingMail.objects.select_related("channel__group__email_address")


_WAITING = Compiled(
    lambda channel_id: _rows().filter(channel_id=channel_id, fate="").order_by("id")[:TOGETHER],
    int,
)


def _handle_some(waiting: Sequence[IncomingMail], *, at: datetime | None = None) -> list[Fate]:
    """Handle the first one, or the first ones together; their fates. Raises :class:`RetryLater`.

    Together they share what a transaction costs, most of all the wait for the disk. Each has a
    savepoint of its own, so what goes wrong with one is undone alone. Where that is not enough,
    none of them has happened, and they are handled one by one.
    """
    mails = _together(waiting)
    _begin(mails)
    fates: list[Fate] = []
    try:
        read = [_read(mail) for mail in mails]
        _verify(read)
        while len(fates) < len(read):
            fates += _settle_some(read[len(fates) :], at=at)
    except OSError as error:
        raise _later(mails[len(fates) :], "the store is out of reach", error) from error
    except (DatabaseError, InterfaceError) as error:
        raise _later(mails[len(fates) :], "the database did not answer", error) from error
    return fates


def _together(waiting: Sequence[IncomingMail]) -> Sequence[IncomingMail]:
    """How many of them share a transaction.

    Only small ones that nobody has begun before: what ended the process is somewhere among those
    that were begun together, and is found by handling each of them alone. On PostgreSQL others
    write at the same time, and wait the less for each other the shorter a transaction is.
    """
    if connection.vendor == "postgresql":
        return waiting[:1]
    size = number = 0
    for mail in waiting:
        size += mail.size
        if mail.attempts or size > SIZE_TOGETHER:
            break
        number += 1
    return waiting[: max(number, 1)]


def _begin(mails: Sequence[IncomingMail]) -> None:
    """Count the attempt before it is begun: what kills the process must not be begun for ever."""
    in_vain = {mail.pk for mail in mails} & _BEGUN_IN_VAIN
    if in_vain:
        _not_begun([mail for mail in mails if mail.pk in in_vain])
    some = IncomingMail.objects.filter(pk__in=[mail.pk for mail in mails])
    some.update(attempts=F("attempts") + 1)


@dataclass(slots=True)
class _Read:
    """A message and what it says, or why it cannot be handled.

    ``content`` and ``checked``: its bytes, and what they prove, where we look ourselves.
    """

    mail: IncomingMail
    facts: Facts | None = None
    problem: str = ""
    content: bytes = b""
    checked: Authentication | None = None


def _read(mail: IncomingMail) -> _Read:
    """Raises :class:`OSError` where the store does not give the bytes at present."""
    if mail.attempts >= ATTEMPTS_AT_MOST:
        return _Read(mail, problem="Handling it ended the process, many times.")
    try:
        content = store.read(mail.place)
    except FileNotFoundError:
        return _Read(mail, problem="Its bytes are not in the store any more.")
    if mail.attempts >= SUSPECT and (death := _death_of_a_reader(content)):
        return _Read(mail, problem=death)
    try:
        facts = message.read(content, fqdn=settings.CONFIG.hostname)
    except Exception as error:
        # Whatever it is, it is this message's: kept, shown, replayed once the cause is mended.
        log.exception("mail could not be read", extra={"incoming": mail.pk})
        return _Read(mail, problem=_sentence(error))
    return _Read(mail, facts=facts, content=content)


def _verify(read: Sequence[_Read]) -> None:
    """Look at signatures, where the desk is told to and no server of ours has done so.

    Names are asked for here, because no transaction may wait for them.
    """
    unknown = [
        one for one in read if one.facts is not None and not told_by_servers(one.facts).dmarc
    ]
    if unknown and policies.present().verify_senders:
        from deskbell.mail.intake import signatures

        names = signatures.Names()
        for one in unknown:
            assert one.facts is not None
            try:
                one.checked = signatures.verified(one.content, one.facts, names)
            except Exception:
                # A stranger's signature must not hold up his mail: then nobody has said anything.
                log.exception("signatures could not be looked at", extra={"incoming": one.mail.pk})
    for one in read:
        one.content = b""


def _death_of_a_reader(content: bytes) -> str:
    """How a process of its own ends that reads the message; empty where it reads it well.

    A process that ended several times with the message may have been ended by somebody else, or
    have stood on a machine that was: only a reader that dies while we live proves that it is the
    message's doing.
    """
    command = [sys.executable, "-P", "-c", _READER]
    try:
        done = subprocess.run(
            command, input=content, capture_output=True, timeout=READER_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        return f"Reading it takes longer than {READER_SECONDS} seconds."
    if done.returncode == _NO_MEMORY:
        return "Reading it takes more memory than a message may."
    if done.returncode < 0:
        return f"Reading it ends the process (signal {-done.returncode})."
    # Whatever else it says is said again where it is read in earnest.
    return ""


_NO_MEMORY = 3
_READER = f"""
import resource, sys
soft, hard = resource.getrlimit(resource.RLIMIT_AS)
limit = {READER_BYTES} if hard < 0 else min(hard, {READER_BYTES})
resource.setrlimit(resource.RLIMIT_AS, (limit, hard))
from deskbell.mail.reading import message
try:
    message.read(sys.stdin.buffer.read(), fqdn="localhost")
except MemoryError:
    sys.exit({_NO_MEMORY})
"""


def _sentence(error: Exception) -> str:
    return f"An error of the desk: {type(error).__name__}."


def _settle_some(read: Sequence[_Read], *, at: datetime | None) -> list[Fate]:
    """Judge messages in one transaction; the fates of the first ones, of one at least.

    What the database says about the message itself (a race for the same new row, for one) is tried
    again, and then is the message's fate. Raises :class:`OSError`, :class:`DatabaseError` and
    :class:`InterfaceError` for everything that another message would be told as well.
    """
    tries = 0
    while True:
        try:
            with transaction.atomic(), remembering():
                return _judged(read, at=at)
        except OSError:
            # The disk of the attachments: whoever brings none is handled all the same.
            if len(read) == 1:
                raise
            read = read[:1]
        except (DatabaseError, InterfaceError) as error:
            if not connection.in_atomic_block:
                connection.close_if_unusable_or_obsolete()
            if len(read) > 1:
                read = read[:1]
                continue
            tries += 1
            if tries < TRIES:
                continue
            if not isinstance(error, _ABOUT_THE_MESSAGE):
                raise
            log.exception("mail could not be handled", extra={"incoming": read[0].mail.pk})
            read = [_Read(read[0].mail, problem=_sentence(error))]


def _judged(read: Sequence[_Read], *, at: datetime | None) -> list[Fate]:
    """The fates of messages in the open transaction, as many as fit into its time."""
    until = time.monotonic() + SECONDS_TOGETHER
    fates: list[Fate] = []
    for one in read:
        fates.append(_judged_alone(one, at=at or clock.now()))
        if time.monotonic() >= until:
            # Others want to write, too.
            break
    return fates


def _judged_alone(one: _Read, *, at: datetime) -> Fate:
    mail = one.mail
    if one.facts is None:
        return _put_aside(mail, one.problem, at=at)
    try:
        with transaction.atomic():
            return _settled(mail.pk, judge(mail, one.facts, at=at, checked=one.checked), at=at)
    except (OSError, DatabaseError, InterfaceError):
        raise
    except DeskError as error:
        log.warning("mail refused", extra={"incoming": mail.pk, "reason": str(error)})
        return _put_aside(mail, f"The desk refuses it: {error}.", at=at)
    except Exception as error:
        # As above: one message's trouble is nobody else's.
        log.exception("mail could not be handled", extra={"incoming": mail.pk})
        return _put_aside(mail, _sentence(error), at=at)


def _later(mails: Sequence[IncomingMail], what: str, error: BaseException) -> RetryLater:
    log.warning("mail waits: %s", what, extra={"incoming": mails[0].pk, "reason": str(error)[:200]})
    try:
        _not_begun(mails)
    except (DatabaseError, InterfaceError):
        # Said to the database when it is back; the process, at least, is alive.
        _BEGUN_IN_VAIN.update(mail.pk for mail in mails)
    return RetryLater(f"mail {mails[0].pk}: {what}", after=BUSY)


def _not_begun(mails: Sequence[IncomingMail]) -> None:
    """An attempt that was counted says nothing about the messages."""
    IncomingMail.objects.filter(pk__in=[mail.pk for mail in mails], fate="", attempts__gt=0).update(
        attempts=F("attempts") - 1
    )
    _BEGUN_IN_VAIN.difference_update(mail.pk for mail in mails)


def _settled(mail_id: int, verdict: Verdict, *, at: datetime) -> Fate:
    """Write the fate in the transaction of what it did; of two at once only one commits."""
    ours = IncomingMail.objects.filter(pk=mail_id, fate="").update(
        fate=verdict.fate,
        reason=storable(verdict.reason)[:REASON_LIMIT],
        ticket_id=verdict.ticket_id,
        article_id=verdict.article_id,
        message_id=storable(verdict.message_id)[:255],
        sender=storable(verdict.sender)[:254],
        sender_key=fold(storable(verdict.sender)[:254])[:508],
        external_key=storable(verdict.external_key)[:64],
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

    again = IncomingMail.objects.filter(pk__in=mail_ids, fate__in=REPLAYED, copy_of=None).exclude(
        place=""
    )
    channels = set(again.exclude(channel=None).values_list("channel_id", flat=True))
    number = again.update(fate="", reason="", attempts=0, handled_at=None)
    for channel_id in sorted(channels):
        job.using(unique_key=f"mail-in:{channel_id}").enqueue(channel_id)
    return number
