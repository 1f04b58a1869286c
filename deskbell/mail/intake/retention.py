"""How long messages are kept as they came: their bytes go, what became of them stays.

The row with its digest remains, so the same message is still known when somebody brings it again.
What could not be read is never removed: its bytes are all there is of it.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from django.db.models import Q, QuerySet

from deskbell.mail import policy
from deskbell.mail.intake import store
from deskbell.mail.models import Fate, IncomingMail

log = logging.getLogger("deskbell.mail.intake")

BATCH = 500


def forget_old(*, at: datetime, batch: int = BATCH) -> int:
    """Remove the bytes of messages that were settled long enough ago; of how many rows.

    Nothing without ``raw_mail_days``. Bytes go first: where it stops between, the next run finds
    the row again. Raises OSError where the store cannot be reached.
    """
    days = policy.present().raw_mail_days
    if not days:
        return 0
    before = at - timedelta(days=days)
    forgotten, after = 0, 0
    while True:
        rows = list(
            _old(before)
            .filter(pk__gt=after)
            .order_by("pk")
            .values_list("pk", "copy_of_id", "place")[:batch]
        )
        if not rows:
            return forgotten
        after = rows[-1][0]
        # The same message came twice through one channel: both rows name the same bytes.
        firsts = {copy_of or pk for pk, copy_of, _ in rows}
        family = IncomingMail.objects.filter(Q(pk__in=firsts) | Q(copy_of__in=firsts))
        places = {place for _, _, place in rows}
        old = set(_old(before).filter(pk__in=family.values("pk")).values_list("pk", flat=True))
        needed = {
            place
            for pk, place in family.filter(place__in=places).values_list("pk", "place")
            if pk not in old
        }
        gone = places - needed
        for place in sorted(gone):
            store.forget(place)
        forgotten += family.filter(place__in=gone).update(place="")
        log.info("raw mail removed", extra={"messages": len(gone)})


def _old(before: datetime) -> QuerySet[IncomingMail]:
    settled = IncomingMail.objects.filter(place__gt="", handled_at__lt=before)
    return settled.exclude(fate__in=("", Fate.UNREADABLE))


def kept() -> int:
    """How many messages are kept as they came."""
    return IncomingMail.objects.filter(place__gt="").count()
