"""Writing the rows: who is told of an occasion, in two statements however many they are."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import connection

from deskbell.kernel.actor import NOBODY_ID
from deskbell.notify.models import Occasion, OnlineNotification
from deskbell.notify.wishes import wants
from deskbell.people.access import AGENTS_WITH, agents_with
from deskbell.tickets.models import Ticket

# Agents who may read the ticket's group: whoever sees it only as its customer is told by mail.
_READERS = f"""
SELECT u.id, u.preferences,
       EXISTS (SELECT 1 FROM tickets_mention m WHERE m.ticket_id = %s AND m.user_id = u.id)
  FROM people_user u
 WHERE u.id <> %s AND u.id IN ({AGENTS_WITH})
 ORDER BY u.id"""  # noqa: S608 - every text is ours; values travel as parameters

_INSERT = """
INSERT INTO notify_onlinenotification
       (ticket_id, user_id, type, seen, created_by_id, created_at, updated_at)
SELECT %s, {user}, %s, %s, %s, %s, %s FROM {users}"""
_INSERT_BY_VENDOR = {
    "postgresql": _INSERT.format(user="u.id", users="unnest(%s::bigint[]) AS u(id)"),
    "sqlite": _INSERT.format(user="value", users="json_each(%s)"),
}


def tell(ticket: Ticket, occasion: Occasion, *, by: int, seen: bool = False, at: datetime) -> int:
    """Tell every agent who may read the ticket and wants to know, except user ``by``.

    ``seen``: the row is there to be looked up, and calls nobody. How many were told.
    """
    readers = _wanting(ticket, occasion, by=by)
    if readers:
        _insert(ticket.pk, readers, occasion, by=by, seen=seen, at=at)
    return len(readers)


def tell_owner(ticket: Ticket, *, by: int, at: datetime) -> int:
    """Tell whoever is in charge of the ticket and may read it that he must look; how many (0, 1).

    All agents who want to know where nobody is in charge.
    """
    if ticket.owner_id == NOBODY_ID:
        return tell(ticket, Occasion.UPDATE, by=by, at=at)
    if ticket.owner_id == by or ticket.owner_id not in agents_with("read", ticket.group_id):
        return 0
    _insert(ticket.pk, [ticket.owner_id], Occasion.UPDATE, by=by, seen=False, at=at)
    return 1


def _wanting(ticket: Ticket, occasion: Occasion, *, by: int) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(_READERS, [ticket.pk, by, ticket.group_id, "read", ticket.group_id, "read"])
        rows = cursor.fetchall()
    return [
        user_id
        for user_id, preferences, subscribed in rows
        if wants(
            preferences,
            occasion,
            group_id=ticket.group_id,
            owned_by_me=ticket.owner_id == user_id,
            owned_by_nobody=ticket.owner_id == NOBODY_ID,
            subscribed=bool(subscribed),
        )
    ]


def _insert(
    ticket_id: int,
    user_ids: Sequence[int],
    occasion: Occasion,
    *,
    by: int,
    seen: bool,
    at: datetime,
) -> None:
    moment = connection.ops.adapt_datetimefield_value(at)
    on_postgresql = connection.vendor == "postgresql"
    users: Any = list(user_ids) if on_postgresql else json.dumps(list(user_ids))
    with connection.cursor() as cursor:
        cursor.execute(
            _INSERT_BY_VENDOR[connection.vendor],
            [ticket_id, int(occasion), seen, by, moment, moment, users],
        )


def settle(ticket: Ticket, *, at: datetime) -> int:
    """Nobody need look at the ticket any more: what was unseen counts as seen. How many rows."""
    return OnlineNotification.objects.filter(ticket=ticket, seen=False).update(
        seen=True, updated_at=at
    )
