"""One look into a mailbox: what every kind of mailbox needs, and how far a look may go."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from deskbell.kernel import clock
from deskbell.kernel.text import storable
from deskbell.mail import secrets
from deskbell.mail.intake import store, taking
from deskbell.mail.models import Fate, IncomingMail, MailChannel
from deskbell.mail.oauth import Access
from deskbell.mail.trouble import Trouble, of_store

KEY_LIMIT = 255
#: A message that a server fails to hand over so often is given up, with a row that says so.
STUCK_LIMIT = 5
#: Parameters of one statement.
BATCH = 2000


@dataclass(slots=True)
class Budget:
    """What one look may cost. What remains is fetched by the next, so that all mailboxes get on."""

    messages: int = 500
    seconds: float = 50.0
    bytes: int = 512 * 1024 * 1024
    _until: float = field(default=0.0)

    def __post_init__(self) -> None:
        self._until = time.monotonic() + self.seconds

    def spend(self, size: int) -> None:
        """One more message."""
        self.messages -= 1
        self.bytes -= size

    @property
    def is_spent(self) -> bool:
        return self.messages <= 0 or self.bytes <= 0 or time.monotonic() >= self._until


def access_to(channel: MailChannel, settings: Any) -> Access:
    """The access to a stored channel. Its ``password`` raises :class:`Trouble`."""

    def password() -> str:
        stored = MailChannel.objects.values_list("secret", flat=True).get(pk=channel.pk)
        try:
            return secrets.opened(stored)
        except secrets.Unreadable as error:
            raise Trouble(str(error)) from error

    def keep(changed: str) -> None:
        MailChannel.objects.filter(pk=channel.pk, updated_at=channel.updated_at).update(
            secret=secrets.sealed(changed)
        )

    return Access(settings, password, keep, key=(channel.pk, channel.updated_at))


class Visit:
    """A look into the mailbox of one channel. ``cursor`` is the channel's own, to be changed."""

    def __init__(self, channel: MailChannel, settings: Any, budget: Budget | None = None) -> None:
        self.channel = channel
        self.settings = settings
        self.access = access_to(channel, settings)
        self.budget = budget or Budget()
        self.cursor: dict[str, Any] = dict(channel.cursor)
        self.taken = 0

    def take(self, content: bytes, *, key: str) -> None:
        """Keep a message. Raises :class:`Trouble`: then the mailbox must not be told."""
        if len(content) > taking.SIZE_LIMIT:
            self.pass_over(key, size=len(content), reason=too_large(len(content)))
            return
        if self._adopt(content, key):
            return
        try:
            taking.take(content, channel=self.channel, key=key, at=clock.now())
        except OSError as error:
            raise of_store(error) from error
        self.taken += 1
        self.budget.spend(len(content))

    def _adopt(self, content: bytes, key: str) -> bool:
        """Name a message whose bytes were found after a crash, before its row was written."""
        orphan = IncomingMail.objects.filter(
            channel=self.channel,
            digest=store.digest_of(content),
            copy_of=None,
            key=None,
            told_at=None,
        )
        return bool(orphan) and not self.known([key]) and orphan.update(key=key) == 1

    def pass_over(self, key: str, *, size: int, reason: str, fate: Fate = Fate.REFUSED) -> None:
        """Note a message that is not taken; it stays where it is. It has a row, but no bytes."""
        at = clock.now()
        IncomingMail.objects.bulk_create(
            [
                IncomingMail(
                    channel=self.channel,
                    key=key,
                    place="",
                    # Nothing was read; the key stands for the content.
                    digest=hashlib.sha256(f"not read|{self.channel.pk}|{key}".encode()).hexdigest(),
                    size=size,
                    received_at=at,
                    told_at=at,
                    fate=fate,
                    reason=storable(reason),
                    handled_at=at,
                )
            ],
            ignore_conflicts=True,
        )

    def stuck(self, name: str, *, key: str, words: str, size: int = 0) -> bool:
        """Count that a server failed to hand a message over; whether it is given up now."""
        counts = self.cursor.setdefault("stuck", {})
        counts[name] = counts.get(name, 0) + 1
        if counts[name] < STUCK_LIMIT:
            return False
        del counts[name]
        reason = f"The mail server does not hand this message over: {words}."
        self.pass_over(key, size=size, reason=reason, fate=Fate.UNREADABLE)
        return True

    def known(self, keys: Collection[str]) -> set[str]:
        """Those of the keys under which a message was taken before."""
        found: set[str] = set()
        for batch in batches(list(keys), BATCH):
            rows = IncomingMail.objects.filter(channel=self.channel, key__in=batch)
            found.update(key for key in rows.values_list("key", flat=True) if key is not None)
        return found

    def untold(self, prefix: str = "") -> list[str]:
        """Keys of messages that are ours, but whose mailbox has not heard of it."""
        rows = IncomingMail.objects.filter(
            channel=self.channel, told_at=None, key__startswith=prefix
        )
        return [key for key in rows.order_by("id").values_list("key", flat=True) if key is not None]

    def told(self, keys: Collection[str]) -> None:
        """Note that the mailbox has heard, or that there is nothing to say to it."""
        for batch in batches(list(keys), BATCH):
            IncomingMail.objects.filter(channel=self.channel, key__in=batch, told_at=None).update(
                told_at=clock.now()
            )

    def save_cursor(self) -> None:
        """Write how far the mailbox was read, unless the channel was changed meanwhile."""
        MailChannel.objects.filter(pk=self.channel.pk, updated_at=self.channel.updated_at).update(
            cursor=self.cursor
        )


def tag_of(*place: str) -> str:
    """A short name for a mailbox: other mailboxes of the channel may use the same numbers."""
    return hashlib.sha256("\0".join(place).encode()).hexdigest()[:12]


def too_large(size: int) -> str:
    """Why a message of this size (bytes) is not taken."""
    limit = taking.SIZE_LIMIT // (1024 * 1024)
    return f"The message has {size / (1024 * 1024):.0f} MB, and {limit} MB are the limit."


def batches(items: Sequence[Any], size: int) -> Iterator[Sequence[Any]]:
    """The items, ``size`` at a time."""
    for start in range(0, len(items), size):
        yield items[start : start + size]


def ranges(numbers: Collection[int]) -> str:
    """Numbers as an IMAP set: ``1:3,7``."""
    parts: list[str] = []
    first = last = 0
    for number in (*sorted(numbers), 0):
        if first and number == last + 1:
            last = number
            continue
        if first:
            parts.append(str(first) if first == last else f"{first}:{last}")
        first = last = number
    return ",".join(parts)


def numbers_in(text: str) -> list[int]:
    """The numbers of a set that :func:`ranges` made, ascending."""
    numbers: list[int] = []
    for part in filter(None, text.split(",")):
        first, _, last = part.partition(":")
        numbers.extend(range(int(first), int(last or first) + 1))
    return numbers
