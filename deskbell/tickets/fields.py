"""Custom fields: what a desk adds to tickets, and how values are checked and stored.

A value is stored in ``Ticket.custom`` under the field's name in a JSON form that reads the same
everywhere: text; int; decimal as text; bool; date ``2026-01-31``; time ``23:59:59[.ffffff]``;
datetime ``2026-01-31T10:20:30[.ffffff]+00:00``. A missing key means it was never set.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, time
from decimal import Decimal, InvalidOperation
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import URLValidator, validate_ipv46_address
from django.utils.dateparse import parse_date, parse_datetime, parse_time

from deskbell.kernel.actor import Actor
from deskbell.kernel.compiled import Compiled
from deskbell.kernel.errors import Invalid
from deskbell.kernel.text import is_storable
from deskbell.people.addresses import is_address
from deskbell.tickets.models import CustomField

NAME = re.compile(r"^[a-z][a-z0-9_]{0,49}\Z")
SLUG = re.compile(r"^[-a-zA-Z0-9_]+\Z")
TEXT_LIMIT = 100_000
_url = URLValidator()

_FIELDS = Compiled(lambda: CustomField.objects.filter(active=True).order_by("order", "id"))
_FIELDS_FOR_EVERYBODY = Compiled(
    lambda: CustomField.objects.filter(active=True, staff_only=False).order_by("order", "id")
)

#: What a fresh ticket shows for a field that was never set; the others show null.
EMPTY_TEXT_TYPES = frozenset({"varchar", "text", "list", "email", "url", "ipaddress", "slug"})


def definitions(*, staff: bool) -> list[CustomField]:
    """The active fields in their order; without staff-only ones for everybody else. One query."""
    return (_FIELDS if staff else _FIELDS_FOR_EVERYBODY).all()


def for_actor(actor: Actor) -> list[CustomField]:
    """The fields the actor may see: staff-only ones do not exist for customers (decision 35)."""
    return definitions(staff=actor.kind != "customer")


def unset_value(field: CustomField) -> Any:
    """What a client reads where a fresh ticket has no value yet."""
    if field.type in EMPTY_TEXT_TYPES:
        return ""
    return False if field.type == "boolean" else None


def clean(field: CustomField, value: Any) -> Any:
    """The stored form of a value a client sent; ``None`` and ``""`` empty the field.

    Raises :class:`Invalid` (field's name; codes ``bad``, ``too_long`` with ``limit``,
    ``not_a_choice``, ``decimal_places`` or ``digits`` with ``limit``).
    """
    if value is None or value == "":
        return None
    if isinstance(value, str) and not is_storable(value):
        raise Invalid(field.name, "bad", value)
    return _CLEANERS[field.type](field, value)


def _bad(field: CustomField, value: Any) -> Invalid:
    return Invalid(field.name, "bad", value)


def _text(field: CustomField, value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise _bad(field, value)
    text = str(value)
    limit = field.max_length or TEXT_LIMIT
    if len(text) > limit:
        raise Invalid(field.name, "too_long", value, limit=limit)
    return text


def _integer(field: CustomField, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise _bad(field, value)
    try:
        number = int(str(value).strip()) if isinstance(value, str) else int(value)
    except (ValueError, OverflowError):
        raise _bad(field, value) from None
    if number != value and not isinstance(value, str):
        raise _bad(field, value)
    if not -(2**63) <= number < 2**63:
        raise _bad(field, value)
    return number


def _decimal(field: CustomField, value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int | float | Decimal):
        raise _bad(field, value)
    try:
        number = Decimal(str(value).strip())
    except InvalidOperation:
        raise _bad(field, value) from None
    # The exponent is bounded too: written out, 1e999999999 would be a gigabyte of zeros.
    if not number.is_finite() or len(str(value)) > 1000 or abs(number.adjusted()) > 1000:
        raise _bad(field, value)
    _sign, digits, exponent = number.as_tuple()
    places = max(0, -int(exponent))
    if field.decimal_places is not None and places > field.decimal_places:
        raise Invalid(field.name, "decimal_places", value, limit=field.decimal_places)
    if field.max_digits is not None and max(len(digits), places) > field.max_digits:
        raise Invalid(field.name, "digits", value, limit=field.max_digits)
    return format(number, "f")


def _choice(field: CustomField, value: Any) -> str:
    text = _text(field, value)
    if text not in choice_keys(field):
        raise Invalid(field.name, "not_a_choice", value)
    return text


def _boolean(field: CustomField, value: Any) -> bool:
    if isinstance(value, bool):
        return value
    word = str(value).strip().lower()
    if word in ("true", "1", "on", "yes", "t", "y"):
        return True
    if word in ("false", "0", "off", "no", "f", "n"):
        return False
    raise _bad(field, value)


def _date(field: CustomField, value: Any) -> str:
    if isinstance(value, datetime):
        value = value.date()
    if isinstance(value, date):
        return value.isoformat()
    try:
        parsed = parse_date(value) if isinstance(value, str) else None
    except ValueError:
        parsed = None
    if parsed is None:
        raise _bad(field, value)
    return parsed.isoformat()


def _time(field: CustomField, value: Any) -> str:
    if isinstance(value, time):
        return value.isoformat()
    try:
        parsed = parse_time(value) if isinstance(value, str) else None
    except ValueError:
        parsed = None
    if parsed is None:
        raise _bad(field, value)
    return parsed.isoformat()


def _datetime(field: CustomField, value: Any) -> str:
    moment = value if isinstance(value, datetime) else None
    if moment is None and isinstance(value, str):
        try:
            moment = parse_datetime(value)
            if moment is None and (day := parse_date(value)) is not None:
                moment = datetime(day.year, day.month, day.day, tzinfo=UTC)
        except ValueError:
            moment = None
    if moment is None:
        raise _bad(field, value)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    try:
        return moment.astimezone(UTC).isoformat()
    except OverflowError:
        raise _bad(field, value) from None


def _email(field: CustomField, value: Any) -> str:
    text = _text(field, value)
    if not is_address(text):
        raise _bad(field, value)
    return text


def _web_address(field: CustomField, value: Any) -> str:
    text = _text(field, value)
    try:
        _url(text)
    except ValidationError:
        raise _bad(field, value) from None
    return text


def _ip(field: CustomField, value: Any) -> str:
    text = _text(field, value)
    try:
        validate_ipv46_address(text)
    except ValidationError:
        raise _bad(field, value) from None
    return text


def _slug(field: CustomField, value: Any) -> str:
    text = _text(field, value)
    if not SLUG.match(text):
        raise _bad(field, value)
    return text


_CLEANERS = {
    "varchar": _text,
    "text": _text,
    "integer": _integer,
    "decimal": _decimal,
    "list": _choice,
    "boolean": _boolean,
    "date": _date,
    "time": _time,
    "datetime": _datetime,
    "email": _email,
    "url": _web_address,
    "ipaddress": _ip,
    "slug": _slug,
}


def choice_pairs(field: CustomField) -> list[tuple[str, str]]:
    """Key and label of each choice of a list field; a choice may be a text or such a pair."""
    pairs = []
    for choice in field.choices:
        if isinstance(choice, str):
            pairs.append((choice, choice))
        else:
            pairs.append((str(choice[0]), str(choice[1])))
    return pairs


def choice_keys(field: CustomField) -> list[str]:
    """What may be stored in a list field."""
    return [key for key, _label in choice_pairs(field)]


def missing_required(
    fields: Iterable[CustomField], values: Mapping[str, Any], group_id: int
) -> list[str]:
    """Names of the fields that are required in the group and have no value (decision 35).

    One query, none where nothing is missing.
    """
    empty = [f for f in fields if f.required and values.get(f.name) is None]
    if not empty:
        return []
    limited_to: defaultdict[int, set[int]] = defaultdict(set)
    for field_id, limit in CustomField.groups.through.objects.filter(
        customfield__in=empty
    ).values_list("customfield_id", "group_id"):
        limited_to[field_id].add(limit)
    return [f.name for f in empty if not limited_to[f.pk] or group_id in limited_to[f.pk]]
