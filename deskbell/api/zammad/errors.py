"""How Zammad's clients hear that something is not possible: status, ``error``, ``error_human``."""

from __future__ import annotations

import json
from collections.abc import Callable

from deskbell.kernel.errors import DeskError, Forbidden, Invalid, Refused, Unknown

#: Zammad's class names of our rows, as they stand in its messages and assets.
CLASS_NAMES = {
    "ticket": "Ticket",
    "article": "Ticket::Article",
    "attachment": "Store",
    "user": "User",
    "group": "Group",
    "organization": "Organization",
    "role": "Role",
    "state": "Ticket::State",
    "priority": "Ticket::Priority",
    "permission": "Permission",
    "token": "Token",
    "tag": "Tag::Item",
    "mention": "Mention",
    "link": "Link",
    "notification": "OnlineNotification",
    "email address": "EmailAddress",
    "custom field": "ObjectManager::Attribute",
    "time_entry": "Ticket::TimeAccounting",
    "time_type": "Ticket::TimeAccounting::Type",
}

NOT_AUTHORIZED = "Not authorized"
AUTHENTICATION_REQUIRED = "Authentication required"
USER_REFUSED = "User authorization failed."
TOKEN_REFUSED = "Token authorization failed."  # noqa: S105 - a sentence
SOLELY_A_BODY = "Need at least an 'article body' field."
IN_USE = "Can't delete, object has references."
EXISTS_ALREADY = "This object already exists."
#: So much of what a client sent is said back to it.
ECHO_LIMIT = 200


class Problem(Exception):
    """An answer that is not the one hoped for. ``human``: the text is also ``error_human``."""

    def __init__(self, status: int, message: str, *, human: bool = True) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.human = human


def unprocessable(message: str) -> Problem:
    """422: understood, and wrong."""
    return Problem(422, message)


def forbidden(message: str = NOT_AUTHORIZED) -> Problem:
    """403."""
    return Problem(403, message)


def inspected(value: object) -> str:
    """A value as Zammad's messages show it: strings in double quotes, numbers bare."""
    if value is None:
        return "nil"
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= ECHO_LIMIT else text[:ECHO_LIMIT] + "…"


def no_lookup_value(name: str, value: object) -> Problem:
    """A relation named by something that names nothing."""
    return unprocessable(f"No lookup value found for '{name}': {inspected(value)}")


def invalid_param(name: str, value: object) -> Problem:
    """An id of nothing."""
    return unprocessable(f"Invalid value for param '{name}': {inspected(value)}")


def invalid_value(name: str, value: object) -> Problem:
    """A value that may not be chosen, or makes no sense."""
    shown = value if isinstance(value, str) else inspected(value)
    if len(shown) > ECHO_LIMIT:
        shown = shown[:ECHO_LIMIT] + "…"
    return unprocessable(f"Invalid value '{shown}' for field '{name}'!")


def no_value_found(name: str, value: object) -> Problem:
    """An unknown id inside a list of ids."""
    return unprocessable(f"No value found for '{name}' with id {inspected(value)}")


def unknown(model: str, key: object) -> Problem:
    """404 in the words of the framework Zammad is built on."""
    shown = str(key)
    if len(shown) > ECHO_LIMIT:
        shown = shown[:ECHO_LIMIT] + "…"
    return Problem(404, f"Couldn't find {CLASS_NAMES[model]} with 'id'={shown}")


def problem_of(error: DeskError) -> Problem:
    """What a refusal of the desk is in this dialect."""
    if isinstance(error, Unknown):
        return unknown(error.model, error.key)
    if isinstance(error, Forbidden):
        return forbidden()
    if isinstance(error, Refused):
        return unprocessable(_REFUSED.get(error.reason, NOT_AUTHORIZED))
    if isinstance(error, Invalid):
        return _invalid(error)
    return unprocessable(str(error))


_REFUSED = {
    "closed": "Cannot follow-up on a closed ticket. Please create a new ticket.",
    "in_use": IN_USE,
    "self": "A ticket cannot be merged into itself.",
    "merged": "It is not possible to merge into an already merged ticket.",
}

#: Messages of one field and code that fit no general pattern.
_SPECIAL: dict[tuple[str, str], Callable[[Invalid], str]] = {
    ("title", "required"): lambda _: "Attribute 'title' required!",
    ("pending_time", "required"): lambda _: "Missing required value for field 'pending_time'!",
    ("body", "required"): lambda _: SOLELY_A_BODY,
    (
        "to",
        "required",
    ): lambda _: "Sending an email without a valid recipient is not possible.",
    ("email", "taken"): lambda e: (
        f"Email address '{_shown(e.value)}' is already used for another user."
    ),
    ("email", "not_an_address"): lambda e: f"Invalid email '{_shown(e.value)}'",
    ("link", "self"): lambda _: "A ticket cannot be linked with itself.",
    ("link_type", "bad"): lambda e: f"The link type '{_shown(e.value)}' is not known.",
    ("mentions", "unknown"): lambda e: (
        f"User {inspected(e.value)} has no agent access to this ticket."
    ),
}
_BY_ID = frozenset(
    {
        "email_address_id",
        "group_id",
        "owner_id",
        "customer_id",
        "state_id",
        "priority_id",
        "organization_id",
        "ticket_article_id",
        "type_id",
    }
)
_LISTS = frozenset(
    {"roles", "groups", "organizations", "members", "secondary_members", "users", "permissions"}
)


def _shown(value: object) -> str:
    text = str(value)
    return text if len(text) <= ECHO_LIMIT else text[:ECHO_LIMIT] + "…"


def _invalid(error: Invalid) -> Problem:
    special = _SPECIAL.get((error.field, error.code))
    if special is not None:
        return unprocessable(special(error))
    name, code = error.field, error.code
    label = name.removesuffix("_address").replace("_", " ").capitalize()
    if code == "too_long":
        limit = error.params.get("limit")
        return unprocessable(f"{label} is too long (maximum is {limit} characters)")
    if code == "too_many":
        return unprocessable(f"{label}: at most {error.params.get('limit')} are possible.")
    if code == "taken":
        return unprocessable(EXISTS_ALREADY)
    if code == "required":
        return unprocessable(f"Missing required value for field '{name}'!")
    if code == "unknown":
        if name in _BY_ID:
            return invalid_param(name, error.value)
        if name in _LISTS:
            return no_value_found(name, error.value)
        return no_lookup_value(name, error.value)
    return invalid_value(name, error.value)
