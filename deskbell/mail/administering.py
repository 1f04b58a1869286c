"""How whatever an administrator keeps about mail is kept: who may, under which name, by whom."""

from __future__ import annotations

from datetime import datetime
from typing import TypeVar

from django.db.models import QuerySet

from deskbell.kernel.actor import Actor
from deskbell.kernel.errors import Forbidden, Invalid, Unknown
from deskbell.kernel.text import fold
from deskbell.mail import typed
from deskbell.mail.models import IgnoreRule, MailChannel, MailRoute

PERMISSION = "admin.channel_email"
NAME_LIMIT = 100

Named = TypeVar("Named", MailChannel, MailRoute)
Row = TypeVar("Row", IgnoreRule, MailChannel, MailRoute)


def require(actor: Actor, resource: str) -> None:
    """Raise :class:`Forbidden` unless the actor administers mail."""
    if not actor.may(PERMISSION):
        raise Forbidden(resource, permission=PERMISSION)


def row_for(actor: Actor, rows: QuerySet[Row], row_id: int, *, resource: str) -> Row:
    """One of the rows. Raises :class:`Forbidden`, :class:`Unknown`."""
    require(actor, resource)
    row = rows.filter(pk=row_id).first()
    if row is None:
        raise Unknown(resource, row_id)
    return row


def give_name(row: Named, given: str, *, others: QuerySet[Named]) -> None:
    """Call a row so. Raises :class:`Invalid`, ``name`` ``required``/``too_long``/``taken``/``bad``.

    A name is taken in whatever case.
    """
    name = typed.text("name", given)
    if not name:
        raise Invalid("name", "required")
    if len(name) > NAME_LIMIT:
        raise Invalid("name", "too_long", None, limit=NAME_LIMIT)
    if others.filter(name_key=fold(name)).exclude(pk=row.pk).exists():
        raise Invalid("name", "taken", name)
    row.name, row.name_key = name, fold(name)


def stamp(row: Row, *, actor: Actor, at: datetime) -> None:
    """Note who changes a row, and who made it where it is new."""
    if row._state.adding:
        row.created_by_id, row.created_at = actor.user_id, at
    row.updated_by_id, row.updated_at = actor.user_id, at
