"""How the dialect's clients hear that something cannot be done."""

from __future__ import annotations

from collections.abc import Mapping

from deskbell.api.jutda.names import FIELD_NAMES
from deskbell.kernel.errors import DeskError, Forbidden, Invalid, Unknown

BAD_REQUEST, FORBIDDEN, NOT_FOUND, BAD_METHOD = 400, 403, 404, 405

INVALID_TICKET = "Invalid ticket ID"
INVALID_USER = "Invalid username provided"
REQUIRED = "This field is required."
NULL_CHARACTERS = "Null characters are not allowed."

#: What stands in a message of a value is for people: nobody reads more than this of it.
_SHOWN_AT_MOST = 200


class CallError(Exception):
    """The call ends here, with this status and this plain text."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status
        self.text = text


class BadCredentials(CallError):
    """No account, a wrong password, or somebody who is not staff."""

    def __init__(self, text: str = "Invalid username or password") -> None:
        super().__init__(FORBIDDEN, text)


class UnreadableBody(CallError):
    """The body is no form in UTF-8, so it carries nothing that could be answered."""

    def __init__(
        self, text: str = "The request body cannot be read: send a form in UTF-8."
    ) -> None:
        super().__init__(BAD_REQUEST, text)


class WrongFields(CallError):
    """One block per wrong field, as Django's forms of 2008 printed their errors as text."""

    def __init__(self, messages: Mapping[str, str]) -> None:
        blocks = (f"* {field}\n  * {message}" for field, message in messages.items())
        super().__init__(BAD_REQUEST, "\n".join(blocks))


def shown(value: object) -> str:
    """A value as it stands in a message."""
    text = str(value)
    return text if len(text) <= _SHOWN_AT_MOST else text[: _SHOWN_AT_MOST - 1] + "…"


def not_a_choice(value: object) -> str:
    return f"Select a valid choice. {shown(value)} is not one of the available choices."


#: A value of the right kind of field that makes no sense there, by the type of custom field.
_BAD_VALUE = {
    "integer": "Enter a whole number.",
    "decimal": "Enter a number.",
    "date": "Enter a valid date.",
    "time": "Enter a valid time.",
    "datetime": "Enter a valid date/time.",
    "email": "Enter a valid email address.",
    "url": "Enter a valid URL.",
    "ipaddress": "Enter a valid IPv4 or IPv6 address.",
    "slug": "Enter a valid 'slug' consisting of letters, numbers, underscores or hyphens.",
}


def field_message(error: Invalid, *, type_: str = "") -> str:
    """What a form says about a value the desk refused; ``type_`` is that of a custom field."""
    limit = error.params.get("limit")
    match error.code:
        case "required":
            return REQUIRED
        case "too_long":
            return (
                f"Ensure this value has at most {limit} characters"
                f" (it has {len(str(error.value))})."
            )
        case "decimal_places":
            return f"Ensure that there are no more than {limit} decimal places."
        case "digits":
            return f"Ensure that there are no more than {limit} digits in total."
        case "not_an_address":
            return _BAD_VALUE["email"]
        case "bad" if "\0" in str(error.value):
            return NULL_CHARACTERS
        case "bad" if type_ in _BAD_VALUE:
            return _BAD_VALUE[type_]
    return not_a_choice(error.value)


def heard(error: DeskError) -> CallError:
    """An error of the desk as this dialect says it (decision 5).

    What somebody may not see is for him as if it were not there. That he may see but not change
    something is told where it is found out, see ``views.py``.
    """
    if isinstance(error, Invalid):
        field = FIELD_NAMES.get(error.field, error.field)
        return WrongFields({field: field_message(error)})
    if isinstance(error, Unknown | Forbidden) and error.model == "ticket":
        return CallError(NOT_FOUND, INVALID_TICKET)
    if isinstance(error, Forbidden):
        return CallError(FORBIDDEN, "Permission denied")
    return CallError(BAD_REQUEST, "Error")
