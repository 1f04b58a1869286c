"""Reading notifications: only one's own, and only about tickets one may still read."""

# ruff: noqa: S608 - every text here is ours; values travel as parameters only

from __future__ import annotations

from typing import NamedTuple

from django.db import connection

from deskbell.kernel.actor import Actor
from deskbell.kernel.errors import Forbidden, Unknown
from deskbell.kernel.text import MAX_ID
from deskbell.tickets import access
from deskbell.tickets.queries import Moment

#: The badge counts so far.
COUNT_LIMIT = 100


class NotificationRow(NamedTuple):
    """A notification; moments as the driver gives them (UTC)."""

    id: int
    ticket_id: int
    user_id: int
    type: int
    seen: bool
    created_by_id: int
    created_at: Moment
    updated_at: Moment


_COLUMNS = ", ".join(f"n.{name}" for name in NotificationRow._fields)
_FROM = (
    "FROM notify_onlinenotification n"
    " JOIN tickets_ticket ON tickets_ticket.id = n.ticket_id WHERE n.user_id = %s"
)


def page(actor: Actor, *, limit: int, offset: int = 0) -> list[NotificationRow]:
    """The actor's notifications, the newest first. One query."""
    where, params = access.visible(actor)
    sql = f"SELECT {_COLUMNS} {_FROM} AND {where} ORDER BY n.id DESC LIMIT %s OFFSET %s"
    with connection.cursor() as cursor:
        cursor.execute(sql, [actor.user_id, *params, limit, offset])
        return [NotificationRow._make(row) for row in cursor.fetchall()]


def unseen(actor: Actor) -> int:
    """How many the actor has not seen, at most ``COUNT_LIMIT``. One query on an index."""
    where, params = access.visible(actor)
    sql = f"SELECT COUNT(*) FROM (SELECT 1 {_FROM} AND NOT n.seen AND {where} LIMIT %s) AS found"
    with connection.cursor() as cursor:
        cursor.execute(sql, [actor.user_id, *params, COUNT_LIMIT])
        return int(cursor.fetchone()[0])


def unseen_beside(actor: Actor, ticket_id: int) -> tuple[int, int]:
    """How many the actor has not seen (as :func:`unseen`), and how many of the ticket. One query.

    That the actor may read the ticket is the caller's knowledge.
    """
    where, params = access.visible(actor)
    sql = (
        f"SELECT (SELECT COUNT(*) FROM (SELECT 1 {_FROM} AND NOT n.seen AND {where} LIMIT %s) AS x)"
        ", (SELECT COUNT(*) FROM notify_onlinenotification n"
        " WHERE n.user_id = %s AND n.ticket_id = %s AND NOT n.seen)"
    )
    with connection.cursor() as cursor:
        cursor.execute(sql, [actor.user_id, *params, COUNT_LIMIT, actor.user_id, ticket_id])
        every, of_ticket = cursor.fetchone()
    return int(every), int(of_ticket)


def one(actor: Actor, notification_id: int) -> NotificationRow:
    """One notification of the actor.

    Raises :class:`Unknown`, and :class:`Forbidden` where it is somebody else's, or about a ticket
    the actor may not read any more.
    """
    where, params = access.visible(actor)
    sql = (
        f"SELECT n.user_id = %s AND {where}, {_COLUMNS} FROM notify_onlinenotification n"
        " JOIN tickets_ticket ON tickets_ticket.id = n.ticket_id WHERE n.id = %s"
    )
    if not 0 < notification_id <= MAX_ID:
        raise Unknown("notification", notification_id)
    with connection.cursor() as cursor:
        cursor.execute(sql, [actor.user_id, *params, notification_id])
        row = cursor.fetchone()
    if row is None:
        raise Unknown("notification", notification_id)
    if not row[0]:
        raise Forbidden("notification", notification_id)
    return NotificationRow._make(row[1:])
