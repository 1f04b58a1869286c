"""How far the messages about an entry got, as pages say it: one calm line, or what went wrong."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from django.utils.translation import gettext, gettext_lazy, ngettext

from deskbell.mail.models import CAME_TO_GRIEF, HELD_FOR, UNDER_WAY, MailState
from deskbell.mail.queries import Delivery
from deskbell.tickets.rules import Part

Tone = Literal["held", "moving", "done", "bad"]

_WORDS = {
    "held": gettext_lazy("Held"),
    "queued": gettext_lazy("Waiting to be sent"),
    "sending": gettext_lazy("Being sent"),
    "sent": gettext_lazy("Sent"),
    "delivered": gettext_lazy("Delivered"),
    "opened": gettext_lazy("Opened"),
    "failed": gettext_lazy("Could not be sent"),
    "bounced": gettext_lazy("Came back"),
}
_PARTS = {
    Part.CC: gettext_lazy("copy"),
    Part.OWNER: gettext_lazy("owner"),
    Part.ASSIGNED: gettext_lazy("owner"),
    Part.STAFF: gettext_lazy("group"),
}


@dataclass(frozen=True, slots=True)
class MailLine:
    """One message: to whom, how far, when (sent), and why not or not yet, in the server's words."""

    id: int
    address: str
    part: str
    words: str
    at: datetime | None
    reason: str
    failed: bool


@dataclass(frozen=True, slots=True)
class ShownMail:
    """All messages about an entry.

    ``words`` say it in one line; ``seconds`` is how long they are still held. ``may_undo``: the
    reader wrote the entry and may take it back. ``failed`` are those that somebody must look at.
    """

    tone: Tone
    words: str
    lines: Sequence[MailLine]
    seconds: int = 0
    may_undo: bool = False

    @property
    def failed(self) -> list[MailLine]:
        return [line for line in self.lines if line.failed]

    @property
    def is_moving(self) -> bool:
        """Whether another look soon will see something else."""
        return self.tone in ("held", "moving")


def shown_mail(
    mails: Sequence[Delivery], *, at: datetime, is_writer: bool, is_reply: bool
) -> ShownMail | None:
    """The messages about an entry as they stand at a moment; ``None`` where there are none.

    Where the entry is no reply to anybody outside, they are notifications about it.
    """
    if not mails:
        return None
    lines = [_line(mail) for mail in mails]
    held = [mail for mail in mails if mail.state == MailState.HELD]
    if held:
        left = max((mail.created_at + HELD_FOR - at).total_seconds() for mail in held)
        seconds = max(0, math.ceil(left))
        words = (
            ngettext("Goes out in %(n)d second", "Goes out in %(n)d seconds", seconds)
            % {"n": seconds}
            if seconds
            else gettext("Waiting to be sent")
        )
        # The same that taking back asks for: nothing was begun.
        untouched = all(
            mail.state == MailState.HELD or (mail.state == MailState.FAILED and not mail.attempts)
            for mail in mails
        )
        return ShownMail("held", words, lines, seconds, may_undo=is_writer and untouched)
    tone: Tone = "done"
    if any(line.failed for line in lines):
        tone = "bad"
    elif any(mail.state in UNDER_WAY for mail in mails):
        tone = "moving"
    if tone == "done" and not is_reply:
        words = ngettext("%(n)d notification sent", "%(n)d notifications sent", len(mails))
        return ShownMail(tone, words % {"n": len(mails)}, lines)
    return ShownMail(tone, _summary(mails, tone), lines)


def _summary(mails: Sequence[Delivery], tone: Tone) -> str:
    """One line for all: the worst of it, else the least far."""
    if tone == "bad":
        bad = [mail for mail in mails if mail.state in CAME_TO_GRIEF]
        if len(mails) == 1:
            return _words(bad[0].state)
        return ngettext(
            "%(n)d of %(all)d messages did not arrive",
            "%(n)d of %(all)d messages did not arrive",
            len(bad),
        ) % {"n": len(bad), "all": len(mails)}
    order = list(_WORDS)
    least = min(
        (str(mail.state) for mail in mails),
        key=lambda state: order.index(state) if state in order else len(order),
    )
    if len(mails) == 1:
        return _words(least)
    return gettext("%(state)s to %(n)d addresses") % {"state": _words(least), "n": len(mails)}


def _line(mail: Delivery) -> MailLine:
    return MailLine(
        id=mail.id,
        address=mail.address,
        part=str(_PARTS.get(mail.part, "")),
        words=_words(mail.state),
        at=mail.sent_at,
        reason=mail.reason,
        failed=mail.state in CAME_TO_GRIEF,
    )


def _words(state: str) -> str:
    known = _WORDS.get(str(state))
    return str(known) if known is not None else str(state)
