"""From the wire to typed input: forms, ids, dates, the fields of a new ticket. No queries here."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, tzinfo
from typing import Any
from urllib.parse import parse_qsl

from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from django.core.files.uploadhandler import FileUploadHandler, SkipFile
from django.http import HttpRequest
from django.http.multipartparser import MultiPartParser, MultiPartParserError
from django.utils.dateparse import parse_date, parse_datetime

from deskbell.api.jutda.errors import (
    INVALID_TICKET,
    NOT_FOUND,
    NULL_CHARACTERS,
    REQUIRED,
    CallError,
    UnreadableBody,
    field_message,
    not_a_choice,
)
from deskbell.api.jutda.names import CUSTOM_PREFIX, DUE_PARTS, TITLE_LIMIT
from deskbell.kernel.errors import Invalid
from deskbell.kernel.text import MAX_ID, is_storable
from deskbell.people.addresses import is_address
from deskbell.tickets import fields as custom_fields
from deskbell.tickets.models import CustomField
from deskbell.tickets.rules import clean_title
from deskbell.tickets.vocabulary import PRIORITY_ID_FOR_NUMBER

URLENCODED = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data"
FIELDS_AT_MOST = 2000
DEFAULT_PRIORITY = 3

# Python reads other digits and underscores as numbers, too; clients mean these ten.
_ID = re.compile(r"\+?0*([0-9]{1,19})")
_INVALID_DATE = "Enter a valid date/time."


# --- bodies --------------------------------------------------------------------------------------


def parameters(request: HttpRequest) -> dict[str, str]:
    """The fields of the form in the body; of a repeated one the last. The query string is not read.

    A body of another type carries none. Raises :class:`UnreadableBody` for a broken form, and for
    text that is not UTF-8: kept with replacement characters it would be lost for good.
    """
    try:
        if request.content_type == URLENCODED:
            return _urlencoded(request.body)
        if request.content_type == MULTIPART:
            return _multipart(request)
    except UnicodeDecodeError:
        raise UnreadableBody("The request is not valid UTF-8.") from None
    except RequestDataTooBig:
        raise UnreadableBody("The request is too large.") from None
    except (ValueError, MultiPartParserError, SuspiciousOperation):
        raise UnreadableBody from None
    return {}


def _urlencoded(body: bytes) -> dict[str, str]:
    pairs = parse_qsl(
        body.decode(), keep_blank_values=True, errors="strict", max_num_fields=FIELDS_AT_MOST
    )
    return dict(pairs)


class _Discard(FileUploadHandler):
    """Files that come along are passed over, as the API always did; nothing is kept of them."""

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        raise SkipFile

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        return None

    def file_complete(self, file_size: int) -> None:
        return None


def _multipart(request: HttpRequest) -> dict[str, str]:
    # Django's parser replaces what it cannot decode. Read as Latin-1 every byte survives, and the
    # text can be decoded strictly afterwards.
    parser = MultiPartParser(request.META, request, [_Discard(request)], encoding="latin-1")
    form, _files = parser.parse()
    return {_utf8(name): _utf8(str(form[name])) for name in form}


def _utf8(text: str) -> str:
    return text.encode("latin-1").decode()


# --- ids -----------------------------------------------------------------------------------------


def id_in(text: str) -> int | None:
    """The id, spaces around it forgiven; ``None`` for anything that cannot be one."""
    match = _ID.fullmatch(text.strip())
    number = int(match[1]) if match else 0
    return number if 0 < number <= MAX_ID else None


def ticket_id(parameters: Mapping[str, str]) -> int:
    """The ticket a call is about. Raises :class:`CallError` (404)."""
    id_ = id_in(parameters.get("ticket", ""))
    if id_ is None:
        raise CallError(NOT_FOUND, INVALID_TICKET)
    return id_


def text_in(parameters: Mapping[str, str], name: str, *, otherwise: str) -> str:
    """A text of any length, as given. Raises :class:`CallError` (400) with ``otherwise``."""
    text = parameters.get(name, "")
    if not text:
        raise CallError(400, otherwise)
    if not is_storable(text):
        raise CallError(400, NULL_CHARACTERS)
    return text


# --- a new ticket --------------------------------------------------------------------------------


@dataclass(slots=True)
class TicketForm:
    """The fields of ``create_ticket`` that made sense, and what is wrong with the others.

    ``queue`` is 0 where it is wrong, ``owner`` ``None`` for nobody, ``priority`` 1 to 5.
    """

    queue: int = 0
    title: str = ""
    body: str = ""
    submitter: str = ""
    owner: int | None = None
    priority: int = DEFAULT_PRIORITY
    due_date: datetime | None = None
    custom: dict[str, Any] = field(default_factory=dict)
    wrong: dict[str, str] = field(default_factory=dict)


def ticket_form(
    parameters: Mapping[str, str],
    *,
    queues: Collection[int],
    owners: Collection[int],
    fields: Collection[CustomField],
    zone: tzinfo,
) -> TicketForm:
    """Judge all fields of a new ticket; further parameters are ignored.

    ``queues`` and ``owners`` are the ids that may be chosen, ``zone`` is where a due date without
    a zone of its own is meant. Whether required custom fields are missing is not judged here.
    """
    form = TicketForm()
    form.queue = _choice(form, parameters, "queue", queues) or 0
    if not form.queue:
        form.wrong.setdefault("queue", REQUIRED)
    _title(form, parameters.get("title", ""))
    form.body = parameters.get("body", "")
    if not is_storable(form.body):
        form.wrong["body"] = NULL_CHARACTERS
    form.submitter = parameters.get("submitter_email", "").strip()
    if form.submitter and not is_address(form.submitter):
        form.wrong["submitter_email"] = "Enter a valid email address."
    form.owner = _choice(form, parameters, "assigned_to", owners)
    form.priority = _choice(form, parameters, "priority", PRIORITY_ID_FOR_NUMBER) or form.priority
    _due_date(form, parameters, zone)
    for custom in fields:
        _custom(form, parameters.get(CUSTOM_PREFIX + custom.name, ""), custom)
    return form


def _choice(
    form: TicketForm, parameters: Mapping[str, str], name: str, choices: Collection[int]
) -> int | None:
    """One of the ids, compared as the text that stands in a form; empty means none."""
    text = parameters.get(name, "")
    if not text:
        return None
    number = id_in(text)
    if number in choices and str(number) == text:
        return number
    form.wrong[name] = not_a_choice(text)
    return None


def _title(form: TicketForm, text: str) -> None:
    form.title = clean_title(text)
    if not is_storable(text):
        form.wrong["title"] = NULL_CHARACTERS
    elif not form.title:
        form.wrong["title"] = REQUIRED
    elif len(form.title) > TITLE_LIMIT:
        form.wrong["title"] = (
            f"Ensure this value has at most {TITLE_LIMIT} characters (it has {len(form.title)})."
        )


def _due_date(form: TicketForm, parameters: Mapping[str, str], zone: tzinfo) -> None:
    """Three parts, as the form's widget sent them; else one ISO date or moment.

    Three zeros mean none, and parts that are not all there count for nothing, as on the old server.
    """
    parts = [parameters.get(name, "") for name in DUE_PARTS]
    try:
        if all(parts):
            form.due_date = None if parts == ["0"] * 3 else _midnight(*parts, zone=zone)
        elif text := parameters.get("due_date", "").strip():
            form.due_date = _moment(text, zone)
    except (ValueError, OverflowError):
        form.wrong["due_date"] = _INVALID_DATE


def _midnight(year: str, month: str, day: str, *, zone: tzinfo) -> datetime:
    numbers = [id_in(part) for part in (year, month, day)]
    if any(number is None or number > 9999 for number in numbers):
        raise ValueError
    return _start_of(date(*(number or 0 for number in numbers)), zone)


def _moment(text: str, zone: tzinfo) -> datetime:
    """Raises ValueError, OverflowError."""
    day = parse_date(text)
    if day is not None:
        return _start_of(day, zone)
    moment = parse_datetime(text)
    if moment is None:
        raise ValueError
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=zone)
    return moment.astimezone(UTC)


def _start_of(day: date, zone: tzinfo) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)


def _custom(form: TicketForm, text: str, custom: CustomField) -> None:
    try:
        form.custom[custom.name] = custom_fields.clean(custom, text)
    except Invalid as error:
        form.wrong[CUSTOM_PREFIX + custom.name] = field_message(error, type_=custom.type)
