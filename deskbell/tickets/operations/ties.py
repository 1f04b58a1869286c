"""Tags and links: what ties tickets to words and to one another."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from django.db import IntegrityError, transaction

from deskbell.kernel.actor import Actor
from deskbell.kernel.errors import Forbidden, Invalid, Unknown
from deskbell.kernel.events import Change, record
from deskbell.kernel.text import fold, is_storable
from deskbell.tickets import access
from deskbell.tickets.models import Link, Mention, Tag, Ticket, TicketTag
from deskbell.tickets.operations.happenings import TicketLinked, TicketTagged
from deskbell.tickets.vocabulary import LINK_TYPES

TAG_LIMIT = 250
TAGS_AT_MOST = 200
LINKS_AT_MOST = 100


def checked_tag_name(name: str) -> str:
    """The name of a tag on one line. Raises :class:`Invalid` (``tags`` ``bad``)."""
    name = " ".join(name.split())
    if not name or not is_storable(name) or max(len(name), len(fold(name)) // 2) > TAG_LIMIT:
        raise Invalid("tags", "bad", name)
    return name


def tag_named(name: str) -> Tag:
    """The tag with this name in whatever case, made if there is none. Raises :class:`Invalid`."""
    name = checked_tag_name(name)
    tag = Tag.objects.filter(name_key=fold(name)).first()
    if tag is not None:
        return tag
    try:
        with transaction.atomic():
            return Tag.objects.create(name=name, name_key=fold(name))
    except IntegrityError:
        return Tag.objects.get(name_key=fold(name))


def tie_tags(ticket: Ticket, names: Sequence[str]) -> list[Change]:
    """Put tags on the ticket, each once; blank ones are left out. The history lines."""
    changes = []
    names = [name for name in names if name.strip()]
    if len(names) > TAGS_AT_MOST:
        raise Invalid("tags", "too_many", len(names), limit=TAGS_AT_MOST)
    # New tags are made in one order by everybody: two tickets that bring the same new words would
    # wait for each other otherwise.
    tags = {name: tag_named(name) for name in sorted(dict.fromkeys(names), key=fold)}
    for name in names:
        tag = tags[name]
        _row, created = TicketTag.objects.get_or_create(ticket_id=ticket.pk, tag=tag)
        if created:
            changes.append(
                Change("tag", new=tag.name, type="added", object="Tag", object_id=tag.pk)
            )
    if changes and TicketTag.objects.filter(ticket_id=ticket.pk).count() > TAGS_AT_MOST:
        raise Invalid("tags", "too_many", len(names), limit=TAGS_AT_MOST)
    return changes


@transaction.atomic
def tag(ticket_id: int, names: Sequence[str], *, actor: Actor, at: datetime) -> Ticket:
    """Add tags to a ticket (agents with ``change``). Adding one twice keeps one."""
    ticket = access.ticket_for(actor, ticket_id, "change", lock=True, as_agent=True)
    changes = tie_tags(ticket, names)
    if changes:
        _touch(ticket, actor=actor, at=at)
        record(TicketTagged(ticket=ticket, changes=changes), actor=actor, at=at)
    return ticket


@transaction.atomic
def untag(ticket_id: int, names: Sequence[str], *, actor: Actor, at: datetime) -> Ticket:
    """Take tags off a ticket; what it does not bear is passed over."""
    ticket = access.ticket_for(actor, ticket_id, "change", lock=True, as_agent=True)
    rows = TicketTag.objects.filter(
        ticket=ticket, tag__name_key__in=[fold(" ".join(n.split())) for n in names]
    ).select_related("tag")
    changes = [
        Change("tag", old=row.tag.name, type="removed", object="Tag", object_id=row.tag_id)
        for row in rows
    ]
    if changes:
        rows.delete()
        _touch(ticket, actor=actor, at=at)
        record(TicketTagged(ticket=ticket, changes=changes), actor=actor, at=at)
    return ticket


def _touch(ticket: Ticket, *, actor: Actor, at: datetime) -> None:
    ticket.updated_by_id = actor.user_id
    ticket.updated_at = at
    ticket.save(update_fields=["updated_by", "updated_at"])


def oriented(type_: str, source_id: int, target_id: int) -> tuple[str, int, int]:
    """How a link is stored: ``child`` is ``parent`` read from the other side.

    Zammad: the type says what the source is to the target.
    """
    if type_ not in LINK_TYPES:
        raise Invalid("link_type", "bad", type_)
    if type_ == "child":
        return "parent", target_id, source_id
    if type_ == "normal" and source_id > target_id:
        return "normal", target_id, source_id
    return type_, source_id, target_id


def tie_links(
    ticket: Ticket, links: Mapping[str, Collection[int]], *, actor: Actor, at: datetime
) -> list[Change]:
    """Tie a new ticket to others: it is their ``parent``, ``child`` or ``normal`` companion.

    Raises :class:`Invalid` for an unknown type, and what the door raises for a ticket the actor
    may not change: a link is a side path to a ticket like any other.
    """
    changes = []
    if sum(len(ids) for ids in links.values()) > LINKS_AT_MOST:
        raise Invalid("links", "too_many", None, limit=LINKS_AT_MOST)
    for type_, ids in links.items():
        for other_id in sorted(set(ids)):
            other = access.ticket_for(actor, other_id, "change", lock=True, as_agent=True)
            if _tie(type_, ticket.pk, other.pk, at=at):
                changes.append(_link_change("added", other))
    return changes


def _tie(type_: str, source_id: int, target_id: int, *, at: datetime) -> bool:
    if source_id == target_id:
        raise Invalid("link", "self", source_id)
    stored, source, target = oriented(type_, source_id, target_id)
    return Link.objects.get_or_create(
        type=stored,
        source_id=source,
        target_id=target,
        defaults={"created_at": at, "updated_at": at},
    )[1]


def _link_change(type_: str, other: Ticket) -> Change:
    old, new = (None, other.number) if type_ == "added" else (other.number, None)
    return Change("link", old, new, type=type_, object="Ticket", object_id=other.pk)


def _both(source_id: int, target_id: int, *, actor: Actor) -> tuple[Ticket, Ticket]:
    """Source and target of a link, locked in one order for everybody; so neither vanishes."""
    levels: dict[int, access.Level] = {source_id: "read", target_id: "change"}
    rows = {
        id_: access.ticket_for(actor, id_, levels[id_], lock=True, as_agent=True)
        for id_ in sorted(levels)
    }
    return rows[source_id], rows[target_id]


@transaction.atomic
def link(
    type_: str, source_id: int, target_id: int, *, actor: Actor, at: datetime
) -> tuple[Link, Ticket]:
    """Tie two tickets; the actor needs ``change`` on the target and ``read`` on the source.

    Raises what the door raises, :class:`Invalid` (``link_type`` ``bad``, ``link`` ``self``).
    """
    source, target = _both(source_id, target_id, actor=actor)
    if _tie(type_, source.pk, target.pk, at=at):
        happening = TicketLinked(ticket=target, changes=[_link_change("added", source)])
        record(happening, actor=actor, at=at)
    stored, from_id, to_id = oriented(type_, source.pk, target.pk)
    return Link.objects.get(type=stored, source_id=from_id, target_id=to_id), target


@transaction.atomic
def unlink(type_: str, source_id: int, target_id: int, *, actor: Actor, at: datetime) -> int:
    """Untie two tickets, whichever way round it is asked; how many ties were removed."""
    source, target = _both(source_id, target_id, actor=actor)
    removed = 0
    for from_id, to_id in ((source.pk, target.pk), (target.pk, source.pk)):
        stored, a, b = oriented(type_, from_id, to_id)
        removed += Link.objects.filter(type=stored, source_id=a, target_id=b).delete()[0]
    if removed:
        happening = TicketLinked(ticket=target, changes=[_link_change("removed", source)])
        record(happening, actor=actor, at=at)
    return removed


@transaction.atomic
def follow(ticket_id: int, *, actor: Actor, at: datetime) -> Mention:
    """Let the actor, an agent with ``read``, follow a ticket; once. Raises what the door raises."""
    ticket = access.ticket_for(actor, ticket_id, lock=True, as_agent=True)
    return Mention.objects.get_or_create(
        ticket=ticket,
        user_id=actor.user_id,
        defaults={"created_by_id": actor.user_id, "created_at": at, "updated_at": at},
    )[0]


@transaction.atomic
def unfollow(mention_id: int, *, actor: Actor) -> None:
    """Stop following. Raises :class:`Unknown`, :class:`Forbidden` for somebody else's row."""
    mention = Mention.objects.filter(pk=mention_id).first()
    if mention is None:
        raise Unknown("mention", mention_id)
    if mention.user_id != actor.user_id:
        raise Forbidden("mention", mention_id)
    mention.delete()
