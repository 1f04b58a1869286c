"""Delivery reports: which mail of ours came back, and what follows from it."""

from __future__ import annotations

from datetime import datetime

from deskbell.kernel.text import fold, storable
from deskbell.mail.models import DeadAddress, MailState, OutgoingMail
from deskbell.mail.operations import report_return
from deskbell.mail.reading.facts import Bounce, Facts

REASON_LIMIT = 1_000


def returned(bounce: Bounce, facts: Facts) -> OutgoingMail | None:
    """The mail that the report is about, found by the id that stands in it.

    A message goes to one address only, so the id alone says whom it did not reach.
    """
    ids = [bounce.message_id, *facts.in_reply_to, *reversed(facts.references)]
    for id_ in ids:
        if not id_:
            continue
        mail = OutgoingMail.objects.filter(message_id=f"<{id_}>").select_related("article").first()
        if mail is not None:
            return mail
    return None


def note(mail: OutgoingMail, bounce: Bounce, *, at: datetime) -> None:
    """Write onto the mail what came back. An address that does not exist gets no more.

    A report of a delay leaves the mail as it is: the server goes on trying.
    """
    words = storable(" ".join((bounce.diagnostic or bounce.status).split()))[:REASON_LIMIT]
    reason = words or "It could not be delivered."
    if bounce.type == "temporary":
        OutgoingMail.objects.filter(pk=mail.pk, state=MailState.SENT).update(
            reason=reason, updated_at=at
        )
        return
    OutgoingMail.objects.filter(pk=mail.pk).update(
        state=MailState.BOUNCED, reason=reason, updated_at=at
    )
    report_return(mail, at=at)
    DeadAddress.objects.get_or_create(
        key=fold(mail.address),
        defaults={"address": mail.address, "reason": reason, "since": at},
    )
