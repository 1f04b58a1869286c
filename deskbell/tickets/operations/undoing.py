"""Taking a reply back that has not left yet, and what the ticket became with it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction

from deskbell.kernel.actor import NOBODY_ID, Actor
from deskbell.kernel.errors import Forbidden
from deskbell.kernel.events import Change, record
from deskbell.kernel.models import Event
from deskbell.people.models import User
from deskbell.tickets import counts, rules
from deskbell.tickets.models import Article, Attachment, State, Ticket
from deskbell.tickets.operations.editing import article_for, delete_article
from deskbell.tickets.operations.happenings import ReplyTakenBack
from deskbell.tickets.vocabulary import ArticleType, Sender, StateId

#: So many later events are looked through for changes that stand in the way.
EVENTS_AT_MOST = 200
_CONTACTS = ("first_response_at", "last_contact_at", "last_contact_agent_at")


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdrawn:
    """A reply that was taken back, as it was written: its writer goes on from there.

    ``state_id`` and ``pending_time`` are what was chosen to follow, ``None`` for nothing.
    """

    ticket_id: int
    body: str
    state_id: int | None
    pending_time: datetime | None
    files: tuple[Attachment, ...]


@transaction.atomic
def withdraw_reply(article_id: int, *, actor: Actor, at: datetime) -> Withdrawn:
    """Take away one's own entry, with the change that was made in the same breath.

    State, reminder and owner go back to what they were, each unless somebody changed it since.
    History keeps the text. That nobody was told about the entry is the caller's to know. Raises
    what the door raises, :class:`Forbidden` for somebody else's entry.
    """
    article = article_for(actor, article_id, "change", lock=True)
    if article.created_by_id != actor.user_id:
        raise Forbidden("article", article_id)
    ticket = article.ticket
    made, later = _history(article)
    changes = [
        Change("article", old=article.body, type="removed", object="Article", object_id=article.pk)
    ]
    files = tuple(Attachment.objects.filter(article=article).order_by("id"))
    state = _state_line(made)
    chosen = None
    if state is not None and ticket.state_id == state.get("id_to"):
        # A new ticket becomes open by every answer: that was not chosen.
        by_itself = (state.get("id_from"), state.get("id_to")) == (StateId.NEW, StateId.OPEN)
        chosen = None if by_itself else ticket.state_id
    withdrawn = Withdrawn(
        ticket_id=ticket.pk,
        body=article.body,
        state_id=chosen,
        pending_time=ticket.pending_time if chosen else None,
        files=files,
    )
    written_at = article.created_at
    delete_article(article)
    _revert(ticket, made, later, changes, written_at=written_at)
    _revert_contacts(ticket, written_at=written_at)
    ticket.updated_by_id = actor.user_id
    ticket.updated_at = at
    ticket.save()
    happening = ReplyTakenBack(
        ticket=ticket, article_id=article_id, written_at=written_at, changes=changes
    )
    record(happening, actor=actor, at=at)
    return withdrawn


def _history(article: Article) -> tuple[list[Mapping[str, Any]], set[str]]:
    """What changed together with the entry, and the names of what was changed since."""
    later: set[str] = set()
    events = Event.objects.filter(object="Ticket", object_id=article.ticket_id).order_by("-id")
    for event in events[:EVENTS_AT_MOST]:
        if any(_is_birth(line, article) for line in event.changes):
            return list(event.changes), later
        later |= {line.get("attribute", "") for line in event.changes}
    return [], later


def _is_birth(line: Mapping[str, Any], article: Article) -> bool:
    return (line.get("attribute"), line.get("type"), line.get("object_id")) == (
        "article",
        "created",
        article.pk,
    )


def _state_line(made: Collection[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    return next((line for line in made if line.get("attribute") == "state"), None)


def _revert(
    ticket: Ticket,
    made: Collection[Mapping[str, Any]],
    later: Collection[str],
    changes: list[Change],
    *,
    written_at: datetime,
) -> None:
    """Put back what changed with the entry; the ticket's columns are set, the caller saves."""
    for line in made:
        name = line.get("attribute")
        if name in later:
            continue
        if name == "state":
            _revert_state(ticket, line, changes, written_at=written_at)
        elif name == "owner":
            _revert_owner(ticket, line, changes)
        elif name == "pending_time":
            before = line.get("from")
            moment = datetime.fromisoformat(before) if before else None
            if ticket.pending_time != moment:
                changes.append(Change("pending_time", line.get("to"), before))
                ticket.pending_time = moment
    if not ticket.state.kind.is_pending:
        ticket.pending_time = None


def _revert_state(
    ticket: Ticket, line: Mapping[str, Any], changes: list[Change], *, written_at: datetime
) -> None:
    before = State.objects.filter(pk=line.get("id_from") or 0).first()
    if before is None or ticket.state_id != line.get("id_to"):
        return
    after = ticket.state
    changes.append(Change("state", after.name, before.name, after.pk, before.pk))
    counts.append(ticket.group_id, after.pk, -1)
    counts.append(ticket.group_id, before.pk, +1)
    ticket.state = before
    if after.kind.is_closed and ticket.last_close_at == written_at:
        first = ticket.close_at == written_at
        ticket.close_at = None if first else ticket.close_at
        ticket.last_close_at = None if first else _closed_before(ticket, written_at)


def _closed_before(ticket: Ticket, moment: datetime) -> datetime | None:
    """When the ticket was closed the last time before; its first closing where history is gone."""
    closed = {state.pk for state in State.objects.all() if state.kind.is_closed}
    events = Event.objects.filter(object="Ticket", object_id=ticket.pk, at__lt=moment)
    for event in events.order_by("-id")[:EVENTS_AT_MOST]:
        line = _state_line(event.changes)
        if line is not None and line.get("id_to") in closed:
            return event.at
    return ticket.close_at


def _revert_owner(ticket: Ticket, line: Mapping[str, Any], changes: list[Change]) -> None:
    before = User.objects.filter(pk=line.get("id_from") or NOBODY_ID).first()
    if before is None or ticket.owner_id != line.get("id_to"):
        return
    changes.append(Change("owner", ticket.owner.login, before.login, ticket.owner_id, before.pk))
    ticket.owner = before


def _revert_contacts(ticket: Ticket, *, written_at: datetime) -> None:
    """Contact times that the entry set are those of the remaining ones again."""
    moved = [name for name in _CONTACTS if getattr(ticket, name) == written_at]
    if not moved:
        return
    times = rules.ContactTimes()
    rows = Article.objects.filter(ticket=ticket).order_by("created_at", "id")
    for sender, kind, internal, at in rows.values_list("sender", "type", "internal", "created_at"):
        times = rules.contact_after(
            times, sender=Sender(sender), article_type=ArticleType(kind), internal=internal, at=at
        )
    for name in moved:
        setattr(ticket, name, getattr(times, name))
