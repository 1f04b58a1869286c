"""Delivery reports: which mail of ours came back, and what follows from it."""

from __future__ import annotations

from datetime import datetime

from deskbell.mail.models import OutgoingMail
from deskbell.mail.reading.facts import Bounce, Facts
from deskbell.mail.sending import outcomes


def returned(bounce: Bounce, facts: Facts) -> OutgoingMail | None:
    """The mail that the report is about, found by the id that stands in it.

    A message goes to one address only, so the id alone says whom it did not reach.
    """
    return _sent(bounce.message_id, *facts.in_reply_to, *reversed(facts.references))


def arrived(facts: Facts, *, at: datetime) -> OutgoingMail | None:
    """The mail whose arrival a server reports, which is noted on it; ``None``: none of ours."""
    mail = _sent(facts.arrived_id)
    if mail is not None:
        outcomes.arrived(mail, at=at)
    return mail


def _sent(*ids: str) -> OutgoingMail | None:
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
    said = bounce.diagnostic or bounce.status
    if bounce.type == "temporary":
        outcomes.is_delayed(mail, said or "It could not be delivered yet.", at=at)
    else:
        outcomes.came_back(mail, said, dead=True, at=at)
