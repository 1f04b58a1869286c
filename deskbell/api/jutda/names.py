"""The dialect's own words, and ours for them."""

from __future__ import annotations

#: What the REST API owns below the same prefix; none of it ever reaches this dialect.
REST_NAMES = frozenset({"tickets", "user_tickets", "followups", "followups-attachments", "users"})

#: Titles of the entries that calls leave behind.
OPENED = "Ticket Opened"
OPENED_AND_ASSIGNED = "Ticket Opened & Assigned to {name}"
COMMENT_ADDED = "Comment Added"
RESOLVED = "Resolved"

#: The product itself later took 200 characters, this API never more than 100.
TITLE_LIMIT = 100

CUSTOM_PREFIX = "custom_"
DUE_PARTS = ("due_date_year", "due_date_month", "due_date_day")

#: What the desk calls a field that this dialect calls otherwise.
FIELD_NAMES = {
    "group_id": "queue",
    "owner_id": "assigned_to",
    "priority_id": "priority",
    "email": "submitter_email",
    "customer_id": "submitter_email",
}
