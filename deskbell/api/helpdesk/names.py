"""How django-helpdesk spells our words: tables only."""

from __future__ import annotations

from deskbell.kernel.actor import Via

VIA: Via = "helpdesk"

#: What the dialect calls a row of ours when it says that there is none.
MODELS = {
    "ticket": "Ticket",
    "article": "FollowUp",
    "attachment": "FollowUpAttachment",
}

#: Our fields in its words; custom fields are spelled by :func:`custom_key`.
FIELDS = {
    "group_id": "queue",
    "owner_id": "assigned_to",
    "customer_id": "submitter_email",
    "email": "submitter_email",
    "merged_to_id": "merged_to",
    "priority_id": "priority",
    "state_id": "status",
    "seconds": "time_spent",
}
ARTICLE_FIELDS = {**FIELDS, "body": "comment", "subject": "title", "group_id": "ticket"}
OPENING_FIELDS = {**FIELDS, "body": "description"}
USER_FIELDS = {"login": "username", "firstname": "first_name", "lastname": "last_name"}

#: What may be uploaded here, in any case; nothing else is asked of a file (decision 44).
EXTENSIONS = frozenset(
    {".txt", ".asc", ".pdf", ".doc", ".docx", ".odt", ".jpg", ".png", ".eml", "", "."}
)

TITLE_LIMIT = 200
OPENED = "Ticket Opened"
COMMENT = "Comment"
UPDATED = "Updated"

#: The collections, in the order in which the root lists them.
COLLECTIONS = ("tickets", "user_tickets", "followups", "followups-attachments", "users")


def custom_key(name: str) -> str:
    """The key of a custom field."""
    return f"custom_{name}"


def opened_title(owner: str | None) -> str:
    """The title of the entry that opens a ticket."""
    return f"{OPENED} & Assigned to {owner}" if owner else OPENED


def reference_title(ticket_id: int) -> str:
    """The title of the entry that a reference to a ticket leaves there."""
    return f"Referenced in ticket #{ticket_id}"


def ticket_reference(slug: str, ticket_id: int) -> str:
    """How people name a ticket: ``[support-25]``."""
    return f"[{slug}-{ticket_id}]"
