"""The sentences of the desk's own messages, by who gets them and what happened."""

from __future__ import annotations

from deskbell.mail.messages import PublicMessage, StaffNotification
from deskbell.tickets.rules import Occasion, Part

SUBJECT_WORD = {
    Occasion.OPENED: "Opened",
    Occasion.UPDATED: "Updated",
    Occasion.RESOLVED: "Resolved",
}

#: Placeholders: ``author`` (of the entry), ``group``.
_LEAD = {
    (Part.CC, Occasion.OPENED): "{author} opened a ticket, and you get a copy.",
    (Part.CC, Occasion.UPDATED): "{author} wrote in this ticket.",
    (Part.CC, Occasion.RESOLVED): "{author} resolved this ticket.",
    (Part.CUSTOMER, Occasion.UPDATED): "{author} wrote in your ticket.",
    (Part.CUSTOMER, Occasion.RESOLVED): "{author} resolved your ticket.",
    (Part.ASSIGNED, Occasion.OPENED): "{author} opened a ticket, and it is yours.",
    (Part.OWNER, Occasion.UPDATED): "{author} wrote in your ticket.",
    (Part.OWNER, Occasion.RESOLVED): "{author} resolved your ticket.",
    (Part.STAFF, Occasion.OPENED): "{author} opened a ticket in {group}.",
    (Part.STAFF, Occasion.UPDATED): "{author} wrote in this ticket of {group}.",
    (Part.STAFF, Occasion.RESOLVED): "{author} resolved this ticket of {group}.",
}

_ACKNOWLEDGEMENT = (
    "Thank you for your message. It has arrived, and we have opened a ticket for it. "
    "Somebody will get back to you."
)
_INTERNAL = "{author} left an internal note. The customer does not see it."

_AFTER_LETTER_RESOLVED = "We consider this ticket resolved. If something is missing, just answer."

_REASON = {
    Part.CC: "You get this because your address receives copies of the ticket.",
    Part.OWNER: "You get this because you are in charge of the ticket.",
    Part.ASSIGNED: "You get this because you are in charge of the ticket.",
    Part.STAFF: "You get this because your address watches over {group}.",
}


def lead(message: PublicMessage | StaffNotification, *, group: str) -> str:
    """The first sentence; empty for a letter, which speaks for itself."""
    if isinstance(message, PublicMessage):
        if message.entry is None:
            return _ACKNOWLEDGEMENT
        if message.is_letter:
            return ""
    elif message.is_internal:
        return _INTERNAL.format(author=author(message, group=group))
    # What one address is told may be rarer than the table: then it is told what a copy is told.
    text = _LEAD.get((message.part, message.occasion)) or _LEAD[Part.CC, message.occasion]
    return text.format(author=author(message, group=group), group=group)


def closing(message: PublicMessage | StaffNotification) -> str:
    """What follows the entry."""
    if (
        isinstance(message, PublicMessage)
        and message.is_letter
        and message.occasion is Occasion.RESOLVED
    ):
        return _AFTER_LETTER_RESOLVED
    return ""


def reason(message: PublicMessage | StaffNotification, *, group: str) -> str:
    """Why somebody gets the message; empty where that is plain."""
    return _REASON.get(message.part, "").format(group=group)


def author(message: PublicMessage | StaffNotification, *, group: str) -> str:
    """Who wrote; the group where it was the desk itself."""
    return (message.entry.author if message.entry is not None else "") or group


def subject(reference: str, title: str, occasion: Occasion) -> str:
    """The template's subject: ``[support-12] Printer on fire (Updated)``."""
    return f"{reference} {title} ({SUBJECT_WORD[occasion]})"
