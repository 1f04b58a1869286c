"""What a text looks like in a message, with a ticket that does not exist."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from django.conf import settings

from deskbell.mail.writing import rendering, wording
from deskbell.mail.writing.messages import (
    InternalEntry,
    PublicEntry,
    PublicMessage,
    StaffNotification,
)
from deskbell.mail.writing.rewording import Place, wording_for
from deskbell.mail.writing.texts import checked
from deskbell.people.models import Group
from deskbell.tickets import senders
from deskbell.tickets.rules import Occasion, Part

_AT = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
_EXAMPLE = {
    "en": (
        "The printer on the second floor",
        "Please switch it off and on again.\n\nThen it should be fine.",
        "It prints every page twice.",
    ),
    "de": (
        "Der Drucker im zweiten Stock",
        "Bitte schalten Sie ihn aus und wieder ein.\n\nDann sollte es gehen.",
        "Er druckt jede Seite doppelt.",
    ),
}
#: To whom a text of that beginning is said, and whether as a letter.
_PARTS = {
    "copy": Part.CC,
    "customer": Part.CUSTOMER,
    "assigned": Part.ASSIGNED,
    "owner": Part.OWNER,
    "staff": Part.STAFF,
    "internal": Part.OWNER,
    "fact": Part.STAFF,
    "nobody": Part.STAFF,
    "not": Part.STAFF,
}
_WHY = {"why_copy": Part.CC, "why_owner": Part.OWNER, "why_staff": Part.STAFF}


@dataclass(frozen=True, slots=True)
class Preview:
    """A message as its reader gets it."""

    subject: str
    text: str
    html: str


def preview(place: Place, body: str) -> Preview:
    """A message that holds the text as it would be. Raises :class:`Invalid` as saving would."""
    words = wording_for(place.language, place.group_id)
    words = replace(words, own={**words.own, place.name: checked(place.name, body)})
    groups = Group.objects.select_related("email_address").order_by("id")
    if place.group_id is not None:
        groups = groups.filter(pk=place.group_id)
    group = groups.first()
    title, said, asked = _EXAMPLE[place.language]
    message = _message(place.name, said, asked)
    name = senders.sender_name(group) if group else "Support"
    reference = f"[{group.slug if group else 'support'}-42]"
    strange = isinstance(message, PublicMessage) and message.is_acknowledgement
    link = f"{settings.CONFIG.address}/tickets/42/"
    staff = isinstance(message, StaffNotification)
    around = rendering.Surroundings(
        reference=reference,
        title=title,
        repeats_title=not strange,
        number="10042",
        customer="Kim Example",
        group=name,
        timezone=ZoneInfo(settings.CONFIG.timezone),
        facts=((words.say("fact_owner"), words.say("nobody")),) if staff else (),
        link=link if staff or message.part is Part.CUSTOMER else "",
        reply_hint=True,
        words=words,
    )
    rendered = rendering.render(message, around)
    values = {"ticket.reference": reference, "ticket.number": "10042", "group.name": name}
    subject = (
        words.say("acknowledgement_subject", values)
        if strange
        else wording.subject(reference, title, message.occasion, words)
    )
    return Preview(subject, rendered.text, rendered.html)


def _message(name: str, said: str, asked: str) -> PublicMessage | StaffNotification:
    entry = {"by_agent": True, "written_at": _AT, "body": said, "content_type": "text/plain"}
    public = PublicEntry(author="Nora Example", **entry)  # type: ignore[arg-type]
    asking = PublicEntry(
        author="Kim Example", by_agent=False, written_at=_AT, body=asked, content_type="text/plain"
    )
    begins, _, ends = name.partition("_")
    occasion = next((o for o in Occasion if o == ends), Occasion.UPDATED)
    if begins == "acknowledgement":
        return PublicMessage(part=Part.CUSTOMER, occasion=Occasion.OPENED, entry=None)
    part = _WHY.get(name) or _PARTS.get(begins)
    if name == "assigned":
        occasion = Occasion.OPENED
    if part in (Part.OWNER, Part.ASSIGNED, Part.STAFF):
        internal = InternalEntry(author="Nora Example", **entry)  # type: ignore[arg-type]
        entry_ = internal if begins == "internal" else public
        return StaffNotification(part=part, occasion=occasion, entry=entry_)
    if part is not None or begins == "subject":
        return PublicMessage(part=part or Part.CC, occasion=occasion, entry=public)
    return PublicMessage(
        part=Part.CUSTOMER, occasion=occasion, entry=public, is_letter=True, quoted=(asking,)
    )
