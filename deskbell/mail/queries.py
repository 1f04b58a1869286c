"""What pages and the command line read about outgoing mail."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from django.db.models import Count, QuerySet

from deskbell.mail.models import MailState, OutgoingMail
from deskbell.tickets.rules import Occasion, Part


class Delivery(NamedTuple):
    """One message about an entry; moments are aware (UTC), ``sent_at`` null until it was sent.

    For staff: the addresses of group and owner are among them.
    """

    id: int
    article_id: int
    address: str
    part: Part
    occasion: Occasion
    state: MailState
    reason: str
    attempts: int
    message_id: str
    created_at: datetime
    sent_at: datetime | None


def deliveries_of(article_ids: Sequence[int]) -> defaultdict[int, list[Delivery]]:
    """The messages about entries at hand, by entry, in the order they were owed.

    Access is the caller's. One query, none without ids.
    """
    found: defaultdict[int, list[Delivery]] = defaultdict(list)
    if not article_ids:
        return found
    rows = OutgoingMail.objects.filter(article_id__in=list(article_ids)).order_by("id")
    for row in rows.values_list(*Delivery._fields):
        delivery = Delivery._make(row)
        found[delivery.article_id].append(
            delivery._replace(
                part=Part(delivery.part),
                occasion=Occasion(delivery.occasion),
                state=MailState(delivery.state),
            )
        )
    return found


def held_articles(article_ids: Sequence[int]) -> set[int]:
    """Ids, of those at hand, of entries that may still be taken back: not for customers yet."""
    if not article_ids:
        return set()
    rows = OutgoingMail.objects.filter(article_id__in=list(article_ids), state=MailState.HELD)
    return set(rows.values_list("article_id", flat=True))


def failed() -> QuerySet[OutgoingMail]:
    """Messages that wait for a person, the latest failure first."""
    return OutgoingMail.objects.filter(state=MailState.FAILED).order_by("-updated_at", "-id")


def counts() -> dict[str, int]:
    """How many messages wait, are being sent, or failed; what was sent is not counted."""
    open_states = [MailState.HELD, MailState.QUEUED, MailState.SENDING, MailState.FAILED]
    numbers = dict.fromkeys((str(state) for state in open_states), 0)
    rows = OutgoingMail.objects.filter(state__in=open_states).order_by()
    numbers.update(dict(rows.values_list("state").annotate(number=Count("id"))))
    return numbers
