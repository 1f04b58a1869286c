"""Merging and deleting tickets."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.db.models import F, Sum

from deskbell.kernel.actor import NOBODY_ID, Actor
from deskbell.kernel.errors import Refused
from deskbell.kernel.events import Change, record
from deskbell.kernel.models import Event
from deskbell.kernel.text import MAX_ID
from deskbell.tickets import access, counts
from deskbell.tickets.access import TicketForbidden, TicketUnknown
from deskbell.tickets.models import Article, Link, Mention, State, Ticket, TicketCC, TimeEntry
from deskbell.tickets.operations import pointers
from deskbell.tickets.operations.articles import add_article
from deskbell.tickets.operations.happenings import (
    ArticleEdited,
    ArticleRemoved,
    TicketDeleted,
    TicketLeft,
    TicketMerged,
)
from deskbell.tickets.operations.inputs import NewArticle
from deskbell.tickets.operations.ties import oriented
from deskbell.tickets.rules import Occasion
from deskbell.tickets.vocabulary import ArticleType, Sender, StateId, StateType


@transaction.atomic
def merge(source_id: int, target_id: int, *, actor: Actor, at: datetime) -> tuple[Ticket, Ticket]:
    """Put one ticket into another; returns (target, source).

    Articles, mentions, links, copies and time go to the target; articles remember where they
    stood (``moved_from``), so files stay reachable through both ids and a merge can be undone. The
    source keeps one note, is *merged*, and points to the target. Raises what the door raises
    (``change`` on both), :class:`Refused` (``self``, ``merged``).
    """
    if source_id == target_id:
        access.ticket_for(actor, source_id, "change", as_agent=True)
        raise Refused("self")
    first, second = sorted((source_id, target_id))  # one order for everybody: no deadlock
    locked = {
        id_: access.ticket_for(actor, id_, "change", lock=True, as_agent=True)
        for id_ in (first, second)
    }
    source, target = locked[source_id], locked[target_id]
    if target.state.kind is StateType.MERGED:
        raise Refused("merged")
    article_ids = list(
        Article.objects.filter(ticket=source).order_by("id").values_list("id", flat=True)
    )
    Article.objects.filter(ticket=source, moved_from=None).update(moved_from=source.pk)
    Article.objects.filter(ticket=source).update(ticket=target)
    TimeEntry.objects.filter(ticket=source).update(ticket=target)
    _move_ties(source, target)
    Link.objects.get_or_create(
        type="parent",
        source=target,
        target=source,
        defaults={"created_at": at, "updated_at": at},
    )
    state_before, owner_before = source.state, source.owner
    source.state = State.objects.get(pk=StateId.MERGED)
    source.owner_id = NOBODY_ID
    source.merged_to = target
    pointers.lock()
    if pointers.leads_to(target.pk, source.pk):
        target.merged_to = None
    source.pending_time = None
    source.close_at = source.close_at or at
    source.last_close_at = at
    source.time_spent = None
    source.article_count = None
    note = NewArticle(body="merged", type=ArticleType.NOTE, sender=Sender.SYSTEM, internal=True)
    add_article(source, note, occasion=Occasion.UPDATED, actor=_silent(actor), at=at)
    Article.objects.filter(ticket=source).update(
        created_by=actor.user_id, updated_by=actor.user_id, email_recipients=[]
    )
    for ticket in (source, target):
        ticket.updated_by_id = actor.user_id
        ticket.updated_at = at
    _recount(target)
    source.save()
    target.save()
    counts.append(source.group_id, state_before.pk, -1)
    counts.append(source.group_id, source.state_id, +1)
    happening = TicketMerged(
        ticket=target,
        source=source,
        article_ids=article_ids,
        changes=[
            Change(
                "merge",
                type="received_merge",
                new=source.number,
                object="Ticket",
                object_id=source.pk,
            ),
        ],
    )
    record(happening, actor=actor, at=at)
    # Each of the two tickets has its own history, and readers that follow it.
    left = [
        Change(
            "merge", type="merged_into", new=target.number, object="Ticket", object_id=target.pk
        ),
        Change("state", state_before.name, source.state.name, state_before.pk, source.state_id),
    ]
    if owner_before.pk != NOBODY_ID:
        left.append(Change("owner", owner_before.login, "-", owner_before.pk, NOBODY_ID))
    record(TicketLeft(ticket=source, changes=left), actor=actor, at=at)
    return target, source


def _silent(actor: Actor) -> Actor:
    """The desk itself writes the note that a merge leaves behind: nobody is mailed about it."""
    return Actor(kind="system", user_id=NOBODY_ID, via=actor.via)


def _move_ties(source: Ticket, target: Ticket) -> None:
    """Hand over mentions, copies and links, each once."""
    Mention.objects.filter(ticket=source).exclude(
        user__in=Mention.objects.filter(ticket=target).values("user")
    ).update(ticket=target)
    TicketCC.objects.filter(ticket=source).exclude(
        email_key__in=TicketCC.objects.filter(ticket=target).values("email_key")
    ).update(ticket=target)
    links = Link.objects.filter(source=source) | Link.objects.filter(target=source)
    for tie in links.order_by("id"):
        _type, from_id, to_id = oriented(
            tie.type,
            target.pk if tie.source_id == source.pk else tie.source_id,
            target.pk if tie.target_id == source.pk else tie.target_id,
        )
        doubled = Link.objects.filter(type=tie.type, source_id=from_id, target_id=to_id).exists()
        if from_id == to_id or doubled:
            tie.delete()
        else:
            Link.objects.filter(pk=tie.pk).update(source_id=from_id, target_id=to_id)


def _recount(ticket: Ticket) -> None:
    ticket.article_count = (
        Article.objects.filter(ticket=ticket).exclude(sender=Sender.SYSTEM).count()
    )
    ticket.time_spent = TimeEntry.objects.filter(ticket=ticket).aggregate(s=Sum("seconds"))["s"]


@transaction.atomic
def delete_ticket(ticket_id: int, *, actor: Actor, at: datetime) -> None:
    """Remove a ticket with everything that hangs on it; its events stay without their texts.

    Needs ``admin``, or ``ticket.delete`` and access (decision 3). Raises :class:`TicketUnknown`,
    :class:`TicketForbidden`.
    """
    ticket = access.locked(ticket_id) if 0 < ticket_id <= MAX_ID else None
    if ticket is None:
        raise TicketUnknown("ticket", ticket_id)
    if not access.may_delete(actor, ticket):
        raise TicketForbidden("ticket", ticket_id, permission="ticket.delete")
    articles = list(
        Article.objects.filter(ticket=ticket).order_by("id").values_list("id", "moved_from")
    )
    article_ids = [id_ for id_, _origin in articles]
    counts.append(ticket.group_id, ticket.state_id, -1)
    # Decision 22: what was said goes with the ticket, that something happened stays. Entries that
    # a merge brought have left older wordings in the history of the ticket they came from.
    Event.objects.filter(object="Ticket", object_id=ticket.pk).update(changes=[])
    origins = {origin for _id, origin in articles if origin is not None}
    if origins:
        Event.objects.filter(
            object="Ticket",
            object_id__in=origins,
            kind__in=[ArticleEdited.__name__, ArticleRemoved.__name__],
        ).update(changes=[])
    Ticket.objects.filter(merged_to=ticket).update(merged_to=None, updated_at=F("updated_at"))
    ticket.delete()
    record(
        TicketDeleted(
            ticket=ticket,
            gone_id=ticket_id,
            article_ids=article_ids,
            changes=[Change("ticket", type="removed")],
        ),
        actor=actor,
        at=at,
    )
