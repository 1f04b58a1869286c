"""Single values of a request, judged by shape only. What is wrong raises :class:`Problem`."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

from django.utils.dateparse import parse_date, parse_datetime

from deskbell.api.zammad import errors
from deskbell.kernel.errors import Unknown
from deskbell.kernel.text import MAX_ID

#: Ids in one list; more is no list of ids but an attempt.
IDS_AT_MOST = 1000
_ON = frozenset({"true", "1"})


def flag(params: Mapping[str, Any], name: str) -> bool:
    """Whether a switch is on: ``true`` or ``1`` in any case; anything else is off."""
    value = params.get(name)
    if value is None:
        return False
    return value is True or str(value).strip().lower() in _ON


def boolean(name: str, value: Any) -> bool:
    """A true or false to be stored."""
    if isinstance(value, bool):
        return value
    word = str(value).strip().lower()
    if word in ("true", "1"):
        return True
    if word in ("false", "0", ""):
        return False
    raise errors.invalid_value(name, value)


def row_id(text: str, model: str) -> int:
    """The id in a path. Raises :class:`Unknown`: whatever is no id names nothing."""
    id_ = as_id(text)
    if id_ is None:
        raise Unknown(model, text)
    return id_


def as_id(value: Any) -> int | None:
    """A value as an id: a positive int64, written as a number or as digits; else ``None``."""
    if isinstance(value, bool):
        return None
    if isinstance(value, str):
        value = value.strip()
        if not (value.isascii() and value.isdigit() and len(value) <= 19):
            return None
        value = int(value)
    elif isinstance(value, float):
        if not value.is_integer() or math.fabs(value) > MAX_ID:
            return None
        value = int(value)
    elif not isinstance(value, int):
        return None
    return value if 0 < value <= MAX_ID else None


def is_blank(value: Any) -> bool:
    """Absent, null, or an empty text."""
    return value is None or (isinstance(value, str) and not value.strip())


def text(name: str, value: Any, *, limit: int | None = None) -> str:
    """A text; numbers are taken as they are written."""
    if isinstance(value, bool):
        value = "true" if value else "false"
    elif isinstance(value, int | float):
        value = str(value)
    elif not isinstance(value, str):
        raise errors.invalid_value(name, value)
    if limit is not None and len(value) > limit:
        label = name.replace("_", " ").capitalize()
        raise errors.unprocessable(f"{label} is too long (maximum is {limit} characters)")
    return str(value)


def mapping(name: str, value: Any) -> dict[str, Any]:
    """An object."""
    if not isinstance(value, dict):
        raise errors.invalid_value(name, value)
    return value


def items(name: str, value: Any) -> list[Any]:
    """A list; a single value counts as a list of one."""
    if value is None:
        return []
    found = value if isinstance(value, list) else [value]
    if len(found) > IDS_AT_MOST:
        raise errors.unprocessable(f"'{name}' has more than {IDS_AT_MOST} entries.")
    return found


def ids(name: str, value: Any) -> list[int]:
    """A list of ids, each once."""
    found: dict[int, None] = {}
    for item in items(name, value):
        id_ = as_id(item)
        if id_ is None:
            raise errors.no_value_found(name.removesuffix("_ids"), item)
        found[id_] = None
    return list(found)


def moment(name: str, value: Any) -> datetime:
    """A moment in ISO 8601; without a zone it is UTC, a mere date is its first moment."""
    try:
        parsed = parse_datetime(value.strip()) if isinstance(value, str) else None
        if parsed is None and isinstance(value, str):
            day = parse_date(value.strip())
            parsed = datetime(day.year, day.month, day.day, tzinfo=UTC) if day else None
        if parsed is not None:
            parsed = parsed.replace(tzinfo=UTC) if parsed.tzinfo is None else parsed.astimezone(UTC)
    except (ValueError, OverflowError):
        parsed = None
    # Both databases can hold years of four digits; the margin keeps every zone inside of them.
    if parsed is None or not 1000 <= parsed.year <= 9998:
        raise errors.invalid_value(name, value)
    return parsed


def day(name: str, value: Any) -> date:
    """A date, also where a client sends a whole moment."""
    return moment(name, value).date()


def integer(name: str, value: Any, *, low: int = -(2**31), high: int = 2**31 - 1) -> int:
    """A whole number within bounds."""
    number: int | None = None
    if isinstance(value, int) and not isinstance(value, bool):
        number = value
    elif isinstance(value, float) and value.is_integer():
        number = int(value)
    elif isinstance(value, str):
        word = value.strip()
        if (
            len(word) <= 20
            and word.removeprefix("-").isascii()
            and word.removeprefix("-").isdigit()
        ):
            number = int(word)
    if number is None or not low <= number <= high:
        raise errors.invalid_value(name, value)
    return number
