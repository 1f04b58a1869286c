"""Counters as appended deltas, and how they are rolled up (decision 39)."""

from __future__ import annotations

from collections import Counter

from django.db import connection, transaction

from deskbell.kernel.compiled import insert
from deskbell.tickets.models import TicketCount

#: Below this many rows summing costs nothing; they are left alone.
WORTH_ROLLING = 500
BATCH = 20_000


def append(group_id: int, state_id: int, delta: int) -> None:
    """One ticket more (+1) or less (-1) of a group in a state; waits for no other writer."""
    insert(TicketCount(group_id=group_id, state_id=state_id, delta=delta))


def roll_up(*, worth: int = WORTH_ROLLING) -> int:
    """Replace many deltas by their sums, in one transaction; how many rows went.

    What is deleted is what is summed, row by row, so deltas appended meanwhile stay, and two
    roll-ups at once never count one twice.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT COUNT(*) FROM (SELECT 1 FROM tickets_ticketcount LIMIT %s) t", [worth]
        )
        if cursor.fetchone()[0] < worth:
            return 0
        cursor.execute(
            "DELETE FROM tickets_ticketcount WHERE id IN"
            " (SELECT id FROM tickets_ticketcount ORDER BY id LIMIT %s)"
            " RETURNING group_id, state_id, delta",
            [BATCH],
        )
        gone = cursor.fetchall()
        sums: Counter[tuple[int, int]] = Counter()
        for group_id, state_id, delta in gone:
            sums[group_id, state_id] += delta
        TicketCount.objects.bulk_create(
            TicketCount(group_id=group_id, state_id=state_id, delta=delta)
            for (group_id, state_id), delta in sorted(sums.items())
            if delta
        )
        return len(gone)
