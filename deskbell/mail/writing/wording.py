"""The sentences of the desk's own messages, by who gets them and what happened."""

from __future__ import annotations

from collections.abc import Mapping

from deskbell.mail.writing.messages import PublicMessage, StaffNotification
from deskbell.mail.writing.texts import Wording
from deskbell.tickets.rules import Occasion, Part

_LEAD = {
    (Part.CC, Occasion.OPENED): "copy_opened",
    (Part.CC, Occasion.UPDATED): "copy_updated",
    (Part.CC, Occasion.RESOLVED): "copy_resolved",
    (Part.CUSTOMER, Occasion.UPDATED): "customer_updated",
    (Part.CUSTOMER, Occasion.RESOLVED): "customer_resolved",
    (Part.ASSIGNED, Occasion.OPENED): "assigned",
    (Part.OWNER, Occasion.UPDATED): "owner_updated",
    (Part.OWNER, Occasion.RESOLVED): "owner_resolved",
    (Part.STAFF, Occasion.OPENED): "staff_opened",
    (Part.STAFF, Occasion.UPDATED): "staff_updated",
    (Part.STAFF, Occasion.RESOLVED): "staff_resolved",
}
_REASON = {
    Part.CC: "why_copy",
    Part.OWNER: "why_owner",
    Part.ASSIGNED: "why_owner",
    Part.STAFF: "why_staff",
}
_SUBJECT_WORD = {
    Occasion.OPENED: "subject_opened",
    Occasion.UPDATED: "subject_updated",
    Occasion.RESOLVED: "subject_resolved",
}

Values = Mapping[str, str]


def lead(message: PublicMessage | StaffNotification, words: Wording, values: Values) -> str:
    """The first sentence; of a letter what stands above the agent's words."""
    if isinstance(message, PublicMessage):
        if message.entry is None:
            return words.say("acknowledgement", values)
        if message.is_letter:
            return words.say("letter_greeting", values)
    elif message.is_internal:
        return words.say("internal_note", values)
    # What one address is told may be rarer than the table: then it is told what a copy is told.
    name = _LEAD.get((message.part, message.occasion)) or _LEAD[Part.CC, message.occasion]
    return words.say(name, values)


def closing(message: PublicMessage | StaffNotification, words: Wording, values: Values) -> str:
    """What follows the entry: the signature of a letter, and that it was the last one."""
    if not isinstance(message, PublicMessage) or not message.is_letter:
        return ""
    parts = [words.say("letter_signature", values)]
    if message.occasion is Occasion.RESOLVED:
        parts.insert(0, words.say("letter_resolved", values))
    return "\n\n".join(part for part in parts if part)


def reason(message: PublicMessage | StaffNotification, words: Wording, values: Values) -> str:
    """Why somebody gets the message; empty where that is plain."""
    name = _REASON.get(message.part)
    return words.say(name, values) if name else ""


def author(message: PublicMessage | StaffNotification, *, group: str) -> str:
    """Who wrote; the group where it was the desk itself."""
    return (message.entry.author if message.entry is not None else "") or group


def subject(reference: str, title: str, occasion: Occasion, words: Wording) -> str:
    """The template's subject: ``[support-12] Printer on fire (Updated)``."""
    return f"{reference} {title} ({words.say(_SUBJECT_WORD[occasion])})"
