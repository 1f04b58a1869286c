"""How clients hear what went wrong: one table from our errors to theirs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.core.exceptions import BadRequest, RequestDataTooBig, SuspiciousOperation
from django.http import UnreadablePostError
from django.http.multipartparser import MultiPartParserError
from rest_framework.exceptions import (
    APIException,
    NotFound,
    ParseError,
    PermissionDenied,
    ValidationError,
)
from rest_framework.response import Response
from rest_framework.views import exception_handler

from deskbell.api.helpdesk import names
from deskbell.kernel.errors import DeskError, Forbidden, Invalid, Refused, Unknown

_NO_SUCH_ROW = 'Invalid pk "{value}" - object does not exist.'
_TEXTS = {
    "required": "This field is required.",
    "too_long": "Ensure this field has no more than {limit} characters.",
    "not_an_address": "Enter a valid email address.",
    "self": "A ticket cannot be merged into itself.",
    "cycle": "A ticket cannot be merged into one that is merged into it.",
    "unknown": _NO_SUCH_ROW,
    "not_selectable": _NO_SUCH_ROW,
    "inactive": _NO_SUCH_ROW,
    "not_a_choice": '"{value}" is not a valid choice.',
    "decimal_places": "Ensure that there are no more than {limit} decimal places.",
    "digits": "Ensure that there are no more than {limit} digits in total.",
}
#: What a value that makes no sense is told, by the kind of a custom field.
BAD_VALUE = {
    "integer": "A valid integer is required.",
    "decimal": "A valid number is required.",
    "boolean": "Must be a valid boolean.",
    "date": "Date has wrong format. Use one of these formats instead: YYYY-MM-DD.",
    "time": "Time has wrong format. Use one of these formats instead: hh:mm[:ss[.uuuuuu]].",
    "datetime": "Datetime value out of range.",
    "email": "Enter a valid email address.",
    "url": "Enter a valid URL.",
    "ipaddress": "Enter a valid IPv4 or IPv6 address.",
    "slug": 'Enter a valid "slug" consisting of letters, numbers, underscores or hyphens.',
}
_TAKEN = {
    "username": "A user with that username already exists.",
    "email": "A user with that email address already exists.",
}


class NoSuchRow(NotFound):
    """There is no such row for this caller; he does not learn whether there is one for others."""

    def __init__(self, model: str) -> None:
        super().__init__(f"No {names.MODELS[model]} matches the given query.")


def said(error: Invalid, words: Mapping[str, str], *, kind: str | None = None) -> ValidationError:
    """A value that an operation did not accept, under the name the client knows it by.

    ``kind`` is the type of a custom field.
    """
    field = words.get(error.field, error.field)
    if error.code == "taken":
        text = _TAKEN[field]
    elif error.code in _TEXTS:
        text = _TEXTS[error.code].format(value=error.value, **error.params)
    else:
        text = BAD_VALUE.get(kind or "", "Not a valid value.")
    return ValidationError({field: [text]})


def heard(error: DeskError) -> APIException:
    """An expected failure as the framework's exception."""
    if isinstance(error, Invalid):
        return said(error, names.FIELDS)
    if isinstance(error, Unknown | Forbidden):
        # What is not for the caller does not exist for him (decision 5).
        return NoSuchRow(error.model) if error.model in names.MODELS else NotFound()
    if isinstance(error, Refused):
        return PermissionDenied()
    return ParseError()


def handle(error: Exception, context: dict[str, Any]) -> Response | None:
    """The answer to an exception; ``None`` for one that nobody expected."""
    if isinstance(error, DeskError):
        error = heard(error)
    elif isinstance(error, RequestDataTooBig):
        error = ParseError("The request is larger than this server takes.")
    elif isinstance(
        error, MultiPartParserError | SuspiciousOperation | BadRequest | UnreadablePostError
    ):
        error = ParseError(f"Malformed request - {error}")
    return exception_handler(error, context)
