"""The objects of Zammad's API as JSON Schema."""

from __future__ import annotations

from deskbell.kernel.reference import (
    ANY,
    BOOLEAN,
    DATE,
    ID,
    INTEGER,
    MOMENT,
    OBJECT,
    TEXT,
    Schema,
    list_of,
    map_of,
    nullable,
    record,
    ref,
)

IDS = list_of(ID)
TEXTS = list_of(TEXT)
_NULL_TEXT, _NULL_ID, _NULL_INTEGER = nullable(TEXT), nullable(ID), nullable(INTEGER)
_NULL_MOMENT, _NULL_DATE = nullable(MOMENT), nullable(DATE)
LEVELS = map_of(
    list_of({"type": "string", "enum": ["read", "create", "change", "overview", "full"]})
)

_STAMPS: dict[str, Schema] = {
    "updated_by_id": ID,
    "created_by_id": ID,
    "created_at": MOMENT,
    "updated_at": MOMENT,
}
_NAMES = ("created_by", "updated_by")


def _object(
    columns: dict[str, Schema], expanded: dict[str, Schema], text: str, **more: object
) -> Schema:
    """Columns, which are always there, and what ``expand=true`` adds to them."""
    return record({**columns, **expanded}, optional=tuple(expanded), description=text, **more)


TICKET = _object(
    {
        "id": ID,
        "group_id": ID,
        "priority_id": ID,
        "state_id": ID,
        "organization_id": _NULL_ID,
        "number": TEXT,
        "title": TEXT,
        "owner_id": ID,
        "customer_id": ID,
        "note": _NULL_TEXT,
        "first_response_at": _NULL_MOMENT,
        "first_response_escalation_at": _NULL_MOMENT,
        "first_response_in_min": _NULL_INTEGER,
        "first_response_diff_in_min": _NULL_INTEGER,
        "close_at": _NULL_MOMENT,
        "close_escalation_at": _NULL_MOMENT,
        "close_in_min": _NULL_INTEGER,
        "close_diff_in_min": _NULL_INTEGER,
        "update_escalation_at": _NULL_MOMENT,
        "update_in_min": _NULL_INTEGER,
        "update_diff_in_min": _NULL_INTEGER,
        "last_close_at": _NULL_MOMENT,
        "last_contact_at": _NULL_MOMENT,
        "last_contact_agent_at": _NULL_MOMENT,
        "last_contact_customer_at": _NULL_MOMENT,
        "last_owner_update_at": _NULL_MOMENT,
        "create_article_type_id": _NULL_ID,
        "create_article_sender_id": _NULL_ID,
        "article_count": _NULL_INTEGER,
        "escalation_at": _NULL_MOMENT,
        "pending_time": _NULL_MOMENT,
        "type": _NULL_TEXT,
        "time_unit": _NULL_TEXT,
        "preferences": OBJECT,
        "checklist_id": _NULL_ID,
        **_STAMPS,
        "due_date": _NULL_MOMENT,
        "on_hold": BOOLEAN,
        "resolution": _NULL_TEXT,
    },
    {
        "article_ids": IDS,
        "ticket_time_accounting_ids": IDS,
        "ticket_time_accounting": list_of(ANY),
        "group": TEXT,
        "organization": TEXT,
        "state": TEXT,
        "priority": TEXT,
        "owner": TEXT,
        "customer": TEXT,
        "create_article_type": TEXT,
        "create_article_sender": TEXT,
        **dict.fromkeys(_NAMES, TEXT),
    },
    "A ticket. Names stand beside the ids with `expand=true`; a relation that is null has none."
    " Fields this desk has added come last, under their own names.",
    additionalProperties={"description": "A field this desk has added to tickets."},
)

ARTICLE = _object(
    {
        "id": ID,
        "ticket_id": ID,
        "type_id": ID,
        "sender_id": ID,
        "from": _NULL_TEXT,
        "to": _NULL_TEXT,
        "cc": _NULL_TEXT,
        "subject": _NULL_TEXT,
        "reply_to": _NULL_TEXT,
        "message_id": _NULL_TEXT,
        "message_id_md5": _NULL_TEXT,
        "in_reply_to": _NULL_TEXT,
        "content_type": {"type": "string", "enum": ["text/plain", "text/html"]},
        "references": _NULL_TEXT,
        "body": TEXT,
        "internal": BOOLEAN,
        "preferences": OBJECT,
        "origin_by_id": _NULL_ID,
        **_STAMPS,
        "attachments": list_of(ref("Attachment")),
        "time_unit": _NULL_TEXT,
    },
    {"type": TEXT, "sender": TEXT, "origin_by": TEXT, **dict.fromkeys(_NAMES, TEXT)},
    "An entry of a ticket: a mail, a call, a note. Always with names.",
)

USER = _object(
    {
        "id": ID,
        "organization_id": _NULL_ID,
        "login": TEXT,
        "firstname": TEXT,
        "lastname": TEXT,
        "email": TEXT,
        "image": _NULL_TEXT,
        "image_source": _NULL_TEXT,
        **dict.fromkeys(
            ("web", "phone", "fax", "mobile"),
            TEXT,
        ),
        "department": _NULL_TEXT,
        **dict.fromkeys(("street", "zip", "city", "country"), TEXT),
        "address": _NULL_TEXT,
        "vip": BOOLEAN,
        "verified": BOOLEAN,
        "active": BOOLEAN,
        "note": TEXT,
        "last_login": _NULL_MOMENT,
        "source": _NULL_TEXT,
        "login_failed": INTEGER,
        "out_of_office": BOOLEAN,
        "out_of_office_start_at": _NULL_DATE,
        "out_of_office_end_at": _NULL_DATE,
        "out_of_office_replacement_id": _NULL_ID,
        "preferences": OBJECT,
        **_STAMPS,
        "role_ids": IDS,
        "two_factor_preference_ids": IDS,
        "organization_ids": IDS,
        "authorization_ids": IDS,
        "overview_sorting_ids": IDS,
        "group_ids": LEVELS,
    },
    {
        "roles": TEXTS,
        "organizations": TEXTS,
        "organization": TEXT,
        "groups": LEVELS,
        "two_factor_preferences": list_of(ANY),
        "authorizations": list_of(ANY),
        "overview_sortings": list_of(ANY),
        **dict.fromkeys(_NAMES, TEXT),
    },
    "A person: customer, agent, administrator, or several of these by `role_ids`.",
)

GROUP = _object(
    {
        "id": ID,
        "signature_id": _NULL_ID,
        "email_address_id": _NULL_ID,
        "name": TEXT,
        "name_last": TEXT,
        "parent_id": _NULL_ID,
        "assignment_timeout": _NULL_INTEGER,
        "follow_up_possible": TEXT,
        "reopen_time_in_days": _NULL_INTEGER,
        "follow_up_assignment": BOOLEAN,
        "active": BOOLEAN,
        "shared_drafts": BOOLEAN,
        "note": _NULL_TEXT,
        **_STAMPS,
        "user_ids": IDS,
    },
    {
        "users": TEXTS,
        "signature": _NULL_TEXT,
        "email_address": _NULL_TEXT,
        **dict.fromkeys(_NAMES, TEXT),
    },
    "A team; tickets belong to one. `A::B` is the name of B within A.",
)

ORGANIZATION = _object(
    {
        "id": ID,
        "name": TEXT,
        "shared": BOOLEAN,
        "domain": TEXT,
        "domain_assignment": BOOLEAN,
        "active": BOOLEAN,
        "vip": BOOLEAN,
        "note": TEXT,
        **_STAMPS,
        "member_ids": IDS,
        "secondary_member_ids": IDS,
    },
    {"members": TEXTS, "secondary_members": TEXTS, **dict.fromkeys(_NAMES, TEXT)},
    "A company of customers. Where it is shared, its members see each other's tickets.",
)

ROLE = _object(
    {
        "id": ID,
        "name": TEXT,
        "preferences": OBJECT,
        "default_at_signup": BOOLEAN,
        "active": BOOLEAN,
        "note": _NULL_TEXT,
        **_STAMPS,
        "permission_ids": IDS,
        "knowledge_base_permission_ids": IDS,
        "group_ids": LEVELS,
    },
    {
        "permissions": TEXTS,
        "knowledge_base_permissions": list_of(ANY),
        "groups": LEVELS,
        **dict.fromkeys(_NAMES, TEXT),
    },
    "A set of permissions, and of access to groups.",
)

STATE = _object(
    {
        "id": ID,
        "state_type_id": {"type": "integer", "minimum": 1, "maximum": 7},
        "name": TEXT,
        "next_state_id": _NULL_ID,
        "ignore_escalation": BOOLEAN,
        "default_create": BOOLEAN,
        "default_follow_up": BOOLEAN,
        "note": _NULL_TEXT,
        "active": BOOLEAN,
        **_STAMPS,
    },
    {"state_type": TEXT, "next_state": TEXT, **dict.fromkeys(_NAMES, TEXT)},
    "A state. Its type says what it means: 1 new, 2 open, 3 pending reminder, 4 pending action,"
    " 5 closed, 6 merged, 7 removed.",
)

PRIORITY = _object(
    {
        "id": ID,
        "name": TEXT,
        "default_create": BOOLEAN,
        "ui_icon": _NULL_TEXT,
        "ui_color": _NULL_TEXT,
        "note": _NULL_TEXT,
        "active": BOOLEAN,
        **_STAMPS,
    },
    dict.fromkeys(_NAMES, TEXT),
    "A priority.",
)

_CLASSES = {
    "Ticket": "Ticket",
    "TicketArticle": "Article",
    "User": "User",
    "Group": "Group",
    "Organization": "Organization",
    "Role": "Role",
    "TicketState": "State",
    "TicketPriority": "Priority",
    "Mention": "Mention",
    "TicketTimeAccounting": "TimeEntry",
    "TicketTimeAccountingType": "TimeType",
    "OnlineNotification": "OnlineNotification",
    "RecentView": "RecentView",
    "EmailAddress": "EmailAddress",
}

SCHEMAS: dict[str, Schema] = {
    "Ticket": TICKET,
    "Article": ARTICLE,
    "Attachment": record(
        {"id": ID, "filename": TEXT, "size": TEXT, "preferences": OBJECT},
        description="A file of an article. The size is a text of digits, in bytes.",
    ),
    "User": USER,
    "Group": GROUP,
    "Organization": ORGANIZATION,
    "Role": ROLE,
    "State": STATE,
    "Priority": PRIORITY,
    "Token": record(
        {
            "id": ID,
            "user_id": ID,
            "action": TEXT,
            "name": TEXT,
            "label": TEXT,
            "preferences": record({"permission": TEXTS}),
            "last_used_at": _NULL_MOMENT,
            "expires_at": _NULL_DATE,
            "created_at": MOMENT,
            "updated_at": MOMENT,
        },
        description="An API token, without its secret, which is shown once only.",
    ),
    "Permission": record(
        {
            "id": ID,
            "name": TEXT,
            "note": _NULL_TEXT,
            "preferences": OBJECT,
            "active": BOOLEAN,
            "created_at": MOMENT,
            "updated_at": MOMENT,
        }
    ),
    "Tokens": record({"tokens": list_of(ref("Token")), "permissions": list_of(ref("Permission"))}),
    "Mention": record(
        {
            "id": ID,
            "mentionable_type": TEXT,
            "mentionable_id": ID,
            "user_id": ID,
            "created_by_id": ID,
            "updated_by_id": ID,
            "created_at": MOMENT,
            "updated_at": MOMENT,
        },
        description="Somebody follows a ticket.",
    ),
    "Link": record(
        {
            "link_type": {"type": "string", "enum": ["normal", "parent", "child"]},
            "link_object": TEXT,
            "link_object_value": ID,
        },
        description="What another ticket is to the one that was asked for.",
    ),
    "LinkRow": record(
        {
            "id": ID,
            "link_type_id": ID,
            "link_object_source_id": ID,
            "link_object_source_value": ID,
            "link_object_target_id": ID,
            "link_object_target_value": ID,
            "created_at": MOMENT,
            "updated_at": MOMENT,
        }
    ),
    "Links": record({"links": list_of(ref("Link")), "assets": ref("Assets")}),
    "HistoryEntry": record(
        {
            "id": ID,
            "o_id": ID,
            "object": TEXT,
            "type": TEXT,
            "attribute": _NULL_TEXT,
            "value_from": TEXT,
            "value_to": TEXT,
            "created_by_id": ID,
            "created_at": MOMENT,
            "id_from": _NULL_INTEGER,
            "id_to": _NULL_INTEGER,
            "related_o_id": _NULL_INTEGER,
            "related_object": TEXT,
        },
        optional=("id_from", "id_to", "related_o_id", "related_object"),
        description="One thing that changed.",
    ),
    "History": record({"history": list_of(ref("HistoryEntry")), "assets": ref("Assets")}),
    "TimeEntry": record(
        {
            "id": ID,
            "ticket_id": ID,
            "ticket_article_id": _NULL_ID,
            "time_unit": TEXT,
            "type_id": _NULL_ID,
            "created_by_id": ID,
            "created_at": MOMENT,
            "updated_at": MOMENT,
            "type": TEXT,
            "created_by": TEXT,
        },
        optional=("type", "created_by"),
        description="Time spent on a ticket, in minutes, as a text such as `15.0`.",
    ),
    "TimeType": _object(
        {"id": ID, "name": TEXT, "note": _NULL_TEXT, "active": BOOLEAN, **_STAMPS},
        dict.fromkeys(_NAMES, TEXT),
        "What time is spent on.",
    ),
    "OnlineNotification": _object(
        {
            "id": ID,
            "o_id": ID,
            "object_lookup_id": ID,
            "type_lookup_id": ID,
            "user_id": ID,
            "seen": BOOLEAN,
            **_STAMPS,
        },
        {"user": TEXT, "object": TEXT, "type": TEXT, **dict.fromkeys(_NAMES, TEXT)},
        "Something that happened to a ticket, told to one person.",
    ),
    "RecentView": _object(
        {
            "id": ID,
            "recent_view_object_id": ID,
            "o_id": ID,
            "created_by_id": ID,
            "created_at": MOMENT,
            "updated_at": MOMENT,
        },
        {"object": TEXT, "created_by": TEXT},
        "Something the caller looked at.",
    ),
    "Figures": record(
        {
            "closed_ids": IDS,
            "open_ids": IDS,
            "volume_by_year": list_of(
                record(
                    {
                        "month": INTEGER,
                        "year": INTEGER,
                        "text": TEXT,
                        "created": INTEGER,
                        "closed": INTEGER,
                    }
                )
            ),
        },
        description="Tickets of somebody: which, and how many a month.",
    ),
    "EmailAddress": _object(
        {
            "id": ID,
            "channel_id": _NULL_ID,
            "name": TEXT,
            "realname": TEXT,
            "email": TEXT,
            "active": BOOLEAN,
            "note": _NULL_TEXT,
            "preferences": OBJECT,
            **_STAMPS,
            "group_ids": IDS,
        },
        {"groups": TEXTS, **dict.fromkeys(_NAMES, TEXT)},
        "An address that groups write from.",
    ),
    "Attribute": record(
        {
            "id": ID,
            "object_lookup_id": ID,
            "object": TEXT,
            "name": TEXT,
            "display": TEXT,
            "data_type": TEXT,
            "data_option": OBJECT,
            "data_option_new": OBJECT,
            "editable": BOOLEAN,
            "active": BOOLEAN,
            "screens": OBJECT,
            "to_create": BOOLEAN,
            "to_migrate": BOOLEAN,
            "to_delete": BOOLEAN,
            "to_config": BOOLEAN,
            "position": INTEGER,
            "created_by_id": _NULL_ID,
            "updated_by_id": _NULL_ID,
            "created_at": _NULL_MOMENT,
            "updated_at": _NULL_MOMENT,
        },
        description="A field of tickets, users, groups or organizations.",
    ),
    "Assets": record(
        {name: map_of(ref(schema)) for name, schema in _CLASSES.items()},
        optional=tuple(_CLASSES),
        description="Objects by their class, and then by their id as a text.",
    ),
    "WithAssets": record(
        {"id": ID, "assets": ref("Assets")},
        description="What `full=true` answers for one row: its id, and everything around it.",
    ),
    "Records": record(
        {"record_ids": IDS, "assets": ref("Assets"), "total_count": INTEGER},
        optional=("total_count",),
        description="What `full=true` answers for a list: ids in order, and all around them.",
    ),
    "Everything": record(
        {
            "ticket_id": ID,
            "ticket_article_ids": IDS,
            "assets": ref("Assets"),
            "links": list_of(ref("Link")),
            "tags": TEXTS,
            "mentions": IDS,
            "time_accountings": list_of(ref("TimeEntry")),
            "form_meta": OBJECT,
        },
        description="What `all=true` answers for a ticket: all that hangs on it.",
    ),
    "Count": record(
        {"total_count": INTEGER},
        additionalProperties=False,
        description="What `only_total_count=true` answers. Counting stops at 10,000.",
    ),
    "Label": record(
        {"id": ID, "label": TEXT, "value": TEXT, "inactive": BOOLEAN},
        optional=("inactive",),
        additionalProperties=False,
        description="What `label=true` and `term=` answer: a row for a list to choose from.",
    ),
    "Hits": record({"result": list_of(record({"type": TEXT, "id": ID})), "assets": ref("Assets")}),
    "Merged": record(
        {
            "result": {"type": "string", "enum": ["success", "failed"]},
            "message": TEXT,
            "target_ticket": ref("Ticket"),
            "source_ticket": ref("Ticket"),
        },
        optional=("message", "target_ticket", "source_ticket"),
    ),
    "Session": record(
        {
            "session": ref("User"),
            "config": OBJECT,
            "collections": OBJECT,
            "assets": OBJECT,
            "error": TEXT,
        },
        optional=("session", "collections", "assets", "error"),
    ),
    "Upload": record(
        {
            "success": BOOLEAN,
            "data": record({"id": ID, "filename": TEXT, "size": TEXT}),
        }
    ),
    "Nothing": {"type": "object", "maxProperties": 0, "description": "`{}`: it is so now."},
    "Error": record(
        {"error": TEXT, "error_human": TEXT},
        optional=("error_human",),
        description="Why something was refused; both keys say the same.",
    ),
}
