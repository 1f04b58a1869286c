"""Time spent on tickets, beside what comes with an article (decision 43).

The ticket's own column is the sum of its entries, whoever writes them through whichever face.
"""

from __future__ import annotations

from datetime import datetime

from django.db import IntegrityError, transaction
from msgspec import UNSET, UnsetType

from deskbell.kernel.actor import Actor
from deskbell.kernel.errors import Forbidden, Invalid, Unknown
from deskbell.kernel.events import Change, record
from deskbell.kernel.text import MAX_ID
from deskbell.tickets import access
from deskbell.tickets.models import Article, Ticket, TimeEntry, TimeType
from deskbell.tickets.operations.articles import SECONDS_LIMIT, known_time_type
from deskbell.tickets.operations.editing import recount_time, touch
from deskbell.tickets.operations.happenings import TimeAccounted

#: Whoever has it answers for the records of others.
PERMISSION = "admin.time_accounting"


@transaction.atomic
def add_time(
    ticket_id: int,
    seconds: int,
    *,
    article_id: int | None = None,
    type_id: int | None = None,
    actor: Actor,
    at: datetime,
) -> TimeEntry:
    """Record time spent on a ticket (agents with ``change``), perhaps with one of its entries.

    Raises what the door raises, :class:`Invalid` (``time_unit`` ``bad``; ``ticket_article_id``
    ``unknown``, ``taken``; ``type_id`` ``unknown``, ``not_selectable``).
    """
    ticket = access.ticket_for(actor, ticket_id, "change", lock=True, as_agent=True)
    _check(seconds)
    if article_id is not None:
        _check_article(ticket, article_id)
    entry = TimeEntry(
        ticket=ticket,
        article_id=article_id,
        seconds=seconds,
        type_id=known_time_type(type_id),
        created_by_id=actor.user_id,
        created_at=at,
        updated_at=at,
    )
    _store(entry)
    _settle(ticket, [_change(entry, None, seconds)], actor=actor, at=at)
    return entry


@transaction.atomic
def change_time(
    entry_id: int,
    *,
    seconds: int | UnsetType = UNSET,
    article_id: int | UnsetType | None = UNSET,
    type_id: int | UnsetType | None = UNSET,
    actor: Actor,
    at: datetime,
) -> TimeEntry:
    """Correct recorded time: one's own, or anybody's with ``admin.time_accounting``.

    A value equal to the stored one is no change. Raises :class:`Unknown`, :class:`Forbidden`, and
    as :func:`add_time` does.
    """
    entry, ticket = _locked(entry_id, actor=actor)
    changes: list[Change] = []
    if not isinstance(seconds, UnsetType) and seconds != entry.seconds:
        _check(seconds)
        changes.append(_change(entry, entry.seconds, seconds))
        entry.seconds = seconds
    if not isinstance(article_id, UnsetType) and article_id != entry.article_id:
        if article_id is not None:
            _check_article(ticket, article_id)
        changes.append(Change("time_article", old_id=entry.article_id, new_id=article_id))
        entry.article_id = article_id
    if not isinstance(type_id, UnsetType) and type_id != entry.type_id:
        names = dict(
            TimeType.objects.filter(
                pk__in=[id_ for id_ in (entry.type_id, known_time_type(type_id)) if id_ is not None]
            ).values_list("id", "name")
        )
        old, new = names.get(entry.type_id or 0), names.get(type_id or 0)
        changes.append(Change("time_type", old, new, entry.type_id, type_id))
        entry.type_id = type_id
    if changes:
        entry.updated_at = at
        _store(entry)
        _settle(ticket, changes, actor=actor, at=at)
    return entry


@transaction.atomic
def remove_time(entry_id: int, *, actor: Actor, at: datetime) -> None:
    """Take recorded time away; the rights and errors are those of :func:`change_time`."""
    entry, ticket = _locked(entry_id, actor=actor)
    change = _change(entry, entry.seconds, None)
    entry.delete()
    _settle(ticket, [change], actor=actor, at=at)


def _locked(entry_id: int, *, actor: Actor) -> tuple[TimeEntry, Ticket]:
    """The entry and its ticket, which is taken first, as everywhere."""
    ticket_id = None
    if 0 < entry_id <= MAX_ID:
        rows = TimeEntry.objects.filter(pk=entry_id)
        ticket_id = rows.values_list("ticket_id", flat=True).first()
    ticket = None if ticket_id is None else access.locked(ticket_id)
    entry = TimeEntry.objects.filter(pk=entry_id, ticket=ticket).first() if ticket else None
    if ticket is None or entry is None:
        raise Unknown("time_entry", entry_id)
    if actor.may(PERMISSION):
        return entry, ticket
    own = entry.created_by_id == actor.user_id
    if not own or not access.allows(actor, ticket, "change", as_agent=True):
        raise Forbidden("time_entry", entry_id, permission=PERMISSION)
    return entry, ticket


def _check(seconds: int) -> None:
    if not 0 <= seconds <= SECONDS_LIMIT:
        raise Invalid("time_unit", "bad", seconds)


def _check_article(ticket: Ticket, article_id: int) -> None:
    if not Article.objects.filter(pk=article_id, ticket=ticket).exists():
        raise Invalid("ticket_article_id", "unknown", article_id)


def _store(entry: TimeEntry) -> None:
    try:
        with transaction.atomic():
            entry.save()
    except IntegrityError:
        raise Invalid("ticket_article_id", "taken", entry.article_id) from None


def _change(entry: TimeEntry, old: int | None, new: int | None) -> Change:
    """A line of history, in seconds; with an article it names that, as an edited entry does."""
    type_ = "added" if old is None else "removed" if new is None else "updated"
    return Change(
        "time_spent",
        None if old is None else str(old),
        None if new is None else str(new),
        type=type_,
        object=None if entry.article_id is None else "Article",
        object_id=entry.article_id,
    )


def _settle(ticket: Ticket, changes: list[Change], *, actor: Actor, at: datetime) -> None:
    recount_time(ticket)
    touch(ticket, actor=actor, at=at)
    record(TimeAccounted(ticket=ticket, changes=changes), actor=actor, at=at)
