"""What may stand before a colon: the allow-list of the query language.

Names are those of Zammad's search index. A name that is not here (and is no custom field) finds
nothing, as in Elasticsearch.
"""

from __future__ import annotations

from deskbell.tickets.vocabulary import ARTICLE_TYPE_NAMES, SENDER_NAMES

#: Text that is indexed by words. The code marks the field's words in the index.
TEXT = {
    "title": "t",
    "number": "n",
    "note": "o",
    "tags": "g",
    "type": "y",
    "resolution": "r",
    "customer.firstname": "cf",
    "customer.lastname": "cl",
    "customer.email": "ce",
    "customer.login": "cn",
    "owner.firstname": "wf",
    "owner.lastname": "wl",
    "owner.email": "we",
    "owner.login": "wn",
    "organization.name": "on",
    "article.subject": "as",
    "article.from": "af",
    "article.to": "at",
    "article.cc": "ac",
    "article.attachment.title": "aa",
}
#: Addresses and logins: a value with an ``@`` is compared as a whole.
WHOLE = frozenset({"customer.email", "customer.login", "owner.email", "owner.login"})
#: Prose, where an inflected word means the same; names and addresses are taken literally.
STEMMED = frozenset({"title", "note", "resolution", "article.subject", "article.body"})
#: What people write where Zammad's index has an object.
SHORT = {
    "state": ("state.name",),
    "priority": ("priority.name",),
    "group": ("group.name",),
    "organization": ("organization.name",),
    "customer": ("customer.firstname", "customer.lastname", "customer.email", "customer.login"),
    "owner": ("owner.firstname", "owner.lastname", "owner.email", "owner.login"),
    "tag": ("tags",),
}
#: Columns of the ticket by the name clients use.
WHOLE_NUMBERS = {
    "id": "id",
    "group_id": "group_id",
    "state_id": "state_id",
    "priority_id": "priority_id",
    "owner_id": "owner_id",
    "customer_id": "customer_id",
    "organization_id": "organization_id",
    "created_by_id": "created_by_id",
    "updated_by_id": "updated_by_id",
    "article_count": "article_count",
    "create_article_type_id": "create_article_type",
    "create_article_sender_id": "create_article_sender",
    "first_response_in_min": "first_response_in_min",
    "first_response_diff_in_min": "first_response_diff_in_min",
    "close_in_min": "close_in_min",
    "close_diff_in_min": "close_diff_in_min",
    "update_in_min": "update_in_min",
    "update_diff_in_min": "update_diff_in_min",
}
TIMES = {
    name: name
    for name in (
        "created_at",
        "updated_at",
        "close_at",
        "last_close_at",
        "pending_time",
        "due_date",
        "first_response_at",
        "first_response_escalation_at",
        "close_escalation_at",
        "update_escalation_at",
        "escalation_at",
        "last_contact_at",
        "last_contact_agent_at",
        "last_contact_customer_at",
        "last_owner_update_at",
    )
}
#: Names that stand on few rows: matched against those rows, then asked by this column.
NAMES = {
    "state.name": "state_id",
    "state.state_type.name": "state_id",
    "priority.name": "priority_id",
    "group.name": "group_id",
}
#: Fixed names of the articles' columns.
ARTICLE_NAMES: dict[str, tuple[str, dict[int, str]]] = {
    "article.type.name": ("type", {int(id_): name for id_, name in ARTICLE_TYPE_NAMES.items()}),
    "article.type": ("type", {int(id_): name for id_, name in ARTICLE_TYPE_NAMES.items()}),
    "article.sender.name": ("sender", {int(id_): name for id_, name in SENDER_NAMES.items()}),
    "article.sender": ("sender", {int(id_): name for id_, name in SENDER_NAMES.items()}),
}
#: Columns of the articles; a ticket matches when one of its articles does.
ARTICLE_NUMBERS = {"article.id": "id", "article.type_id": "type", "article.sender_id": "sender"}
ARTICLE_TIMES = {"article.created_at": "created_at", "article.updated_at": "updated_at"}

#: Numbers that stand on other rows, as django-helpdesk's clients know them.
_OF_STATE = "(SELECT n.helpdesk_number FROM tickets_state n WHERE n.id = tickets_ticket.state_id)"
_OF_PRIORITY = (
    "(SELECT n.helpdesk_number FROM tickets_priority n WHERE n.id = tickets_ticket.priority_id)"
)
#: What to sort by, as SQL where it is no column; text is compared by code points on both databases.
SORTABLE = {
    **WHOLE_NUMBERS,
    **TIMES,
    "number": "number",
    "title": "title",
    "note": "note",
    "type": "type",
    "status_number": _OF_STATE,
    "priority_number": _OF_PRIORITY,
}
SORTABLE_TEXT = frozenset({"number", "title", "note", "type"})
#: Never null, so that an index in the column's order can serve.
ALWAYS_SET = frozenset(
    {
        "id",
        "number",
        "title",
        "group_id",
        "state_id",
        "priority_id",
        "owner_id",
        "customer_id",
        "created_by_id",
        "updated_by_id",
        "created_at",
        "updated_at",
        "status_number",
        "priority_number",
    }
)
