"""Tags as rows of their own: what administrators make, rename and remove."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db import IntegrityError, transaction

from deskbell.kernel.actor import Actor
from deskbell.kernel.errors import Invalid, Unknown
from deskbell.kernel.events import Change, record
from deskbell.kernel.text import MAX_ID, fold
from deskbell.tickets.models import Tag, TicketTag
from deskbell.tickets.operations.ties import checked_tag_name


@dataclass(frozen=True, slots=True)
class TagChanged:
    """A tag was made, renamed or removed; ``ticket_ids`` are those that bear it no more."""

    object_name: str
    object_id: int
    number: str
    changes: tuple[Change, ...] = ()
    ticket_ids: tuple[int, ...] = ()
    renamed: bool = False


@transaction.atomic
def create_tag(name: str, *, actor: Actor, at: datetime) -> Tag:
    """Add a tag that no ticket bears yet; one of that name already is found instead.

    Raises :class:`Invalid` (``tags`` ``bad``).
    """
    name = checked_tag_name(name)
    tag, created = Tag.objects.get_or_create(
        name_key=fold(name), defaults={"name": name, "created_at": at}
    )
    if created:
        change = Change("name", new=tag.name, type="created")
        record(TagChanged("Tag", tag.pk, tag.name, (change,)), actor=actor, at=at)
    return tag


@transaction.atomic
def rename_tag(tag_id: int, name: str, *, actor: Actor, at: datetime) -> Tag:
    """Rename a tag on all tickets; where another has the name, the tickets get that one.

    Returns the tag that bears the name now. Raises :class:`Unknown`, :class:`Invalid` (``tags``
    ``bad``).
    """
    name = checked_tag_name(name)
    tag = _locked(tag_id)
    old_name = tag.name
    if old_name == name:
        return tag
    tag.name, tag.name_key = name, fold(name)
    try:
        with transaction.atomic():
            tag.save(update_fields=["name", "name_key"])
    except IntegrityError:
        other = Tag.objects.filter(name_key=fold(name)).first()
        if other is None:
            raise Invalid("tags", "taken", name) from None
        bearing = TicketTag.objects.filter(tag=other).values("ticket")
        TicketTag.objects.filter(tag_id=tag_id).exclude(ticket__in=bearing).update(tag=other)
        Tag.objects.filter(pk=tag_id).delete()
        change = Change("name", old_name, other.name, tag_id, other.pk)
        record(TagChanged("Tag", other.pk, other.name, (change,), renamed=True), actor=actor, at=at)
        return other
    change = Change("name", old_name, name)
    record(TagChanged("Tag", tag.pk, name, (change,), renamed=True), actor=actor, at=at)
    return tag


@transaction.atomic
def delete_tag(tag_id: int, *, actor: Actor, at: datetime) -> None:
    """Take a tag off all tickets and forget it. Raises :class:`Unknown`."""
    tag = _locked(tag_id)
    ticket_ids = tuple(
        TicketTag.objects.filter(tag=tag).order_by("ticket").values_list("ticket_id", flat=True)
    )
    Tag.objects.filter(pk=tag_id).delete()
    change = Change("name", old=tag.name, type="removed")
    record(
        TagChanged("Tag", tag_id, tag.name, (change,), ticket_ids=ticket_ids), actor=actor, at=at
    )


def _locked(tag_id: int) -> Tag:
    tag = None
    if 0 < tag_id <= MAX_ID:
        tag = Tag.objects.select_for_update().filter(pk=tag_id).first()
    if tag is None:
        raise Unknown("tag", tag_id)
    return tag
