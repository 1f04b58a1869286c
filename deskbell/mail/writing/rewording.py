"""Texts that administrators put in the place of the built-in ones."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import Q

from deskbell.kernel.actor import Actor
from deskbell.kernel.errors import Invalid
from deskbell.mail import administering
from deskbell.mail.models import Language, MailText
from deskbell.mail.writing.texts import TEXTS, Wording, checked
from deskbell.people.models import Group


@dataclass(frozen=True, slots=True)
class Place:
    """Which text is meant: its name, a language, a group (``None``: all that have no own one)."""

    name: str
    language: str
    group_id: int | None = None


def wording_for(language: str, group_id: int | None) -> Wording:
    """All texts in a language, as they are for a group. One query."""
    rows = MailText.objects.filter(language=language).filter(Q(group=None) | Q(group=group_id))
    known = [row for row in rows.values_list("group_id", "name", "body") if row[1] in TEXTS]
    # A group's own go last, over those of all.
    known.sort(key=lambda row: row[0] is not None)
    return Wording(language, {name: body for _, name, body in known})


@transaction.atomic
def save_text(place: Place, body: str, *, actor: Actor, at: datetime) -> MailText:
    """Put a text in the place of the built-in one, or of the one of all groups.

    Raises :class:`Forbidden` (``admin.channel_email``), :class:`Invalid`: ``language``
    ``not_selectable``, ``group`` ``unknown``, and what
    :func:`~deskbell.mail.writing.texts.checked` raises.
    """
    _require(place, actor)
    body = checked(place.name, body)
    found = _row(place) or MailText(
        name=place.name,
        language=place.language,
        group_id=place.group_id,
        created_by_id=actor.user_id,
        created_at=at,
    )
    found.body, found.updated_by_id, found.updated_at = body, actor.user_id, at
    found.save()
    return found


@transaction.atomic
def reset_text(place: Place, *, actor: Actor) -> bool:
    """Go back to what stood there before; whether anything was changed. Raises as save_text."""
    _require(place, actor)
    found = _row(place)
    if found is None:
        return False
    found.delete()
    return True


def _row(place: Place) -> MailText | None:
    rows = MailText.objects.filter(name=place.name, language=place.language)
    own = rows.filter(group=None) if place.group_id is None else rows.filter(group=place.group_id)
    return own.first()


def _require(place: Place, actor: Actor) -> None:
    require(actor)
    if place.name not in TEXTS:
        raise Invalid("name", "unknown", place.name)
    if place.language not in Language.values:
        raise Invalid("language", "not_selectable", place.language)
    if place.group_id is not None and not Group.objects.filter(pk=place.group_id).exists():
        raise Invalid("group", "unknown", place.group_id)


def require(actor: Actor) -> None:
    """Raise :class:`Forbidden` unless the actor administers mail."""
    administering.require(actor, "mail text")
