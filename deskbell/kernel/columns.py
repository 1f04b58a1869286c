"""Values on their way into a row: what both databases can hold, judged before the insert.

SQLite takes a text of any length and a number of any size; PostgreSQL refuses it with an error
that nobody foresees. What is written through here is fit for both.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

from django.db import models

from deskbell.kernel.errors import Invalid
from deskbell.kernel.text import fold, is_storable, is_storable_json

_RANGES: list[tuple[type[models.Field[Any, Any]], int, int]] = [
    (models.PositiveSmallIntegerField, 0, 2**15 - 1),
    (models.PositiveBigIntegerField, 0, 2**63 - 1),
    (models.PositiveIntegerField, 0, 2**31 - 1),
    (models.BigIntegerField, -(2**63), 2**63 - 1),
    (models.IntegerField, -(2**31), 2**31 - 1),
]


def check(row: models.Model, names: Iterable[str]) -> None:
    """Judge these columns of a row that is about to be saved.

    Raises :class:`Invalid` under the column's name: ``required`` (null where there must be a
    value), ``too_long`` (with ``limit``), ``bad`` (not of the column's kind, or not storable).
    """
    for name in names:
        value = getattr(row, name)
        column: Any = row._meta.get_field(name)
        if value is None:
            if not column.null:
                raise Invalid(name, "required", value)
        else:
            _check_value(name, column, value)


def check_key(row: models.Model, name: str) -> None:
    """Judge the key of a name (``<name>_key``): folding may make a text longer than it was."""
    key: Any = row._meta.get_field(f"{name}_key")
    if len(fold(getattr(row, name))) > key.max_length:
        limit = row._meta.get_field(name).max_length  # type: ignore[union-attr]
        raise Invalid(name, "too_long", getattr(row, name), limit=limit)


def _check_value(name: str, column: Any, value: Any) -> None:
    if isinstance(column, models.CharField | models.TextField):
        if not isinstance(value, str) or not is_storable(value):
            raise Invalid(name, "bad", value)
        if column.max_length is not None and len(value) > column.max_length:
            raise Invalid(name, "too_long", value, limit=column.max_length)
    elif isinstance(column, models.BooleanField):
        if not isinstance(value, bool):
            raise Invalid(name, "bad", value)
    elif isinstance(column, models.JSONField):
        if not is_storable_json(value):
            raise Invalid(name, "bad", None)
    elif isinstance(column, models.DateTimeField):
        if not isinstance(value, datetime):
            raise Invalid(name, "bad", value)
    elif isinstance(column, models.DateField):
        if not isinstance(value, date) or isinstance(value, datetime):
            raise Invalid(name, "bad", value)
    elif isinstance(column, models.ForeignKey):
        if not is_integer(value, -(2**63), 2**63 - 1):
            raise Invalid(name, "unknown", value)
    else:
        for kind, low, high in _RANGES:
            if isinstance(column, kind):
                if not is_integer(value, low, high):
                    raise Invalid(name, "bad", value)
                return


def is_integer(value: object, low: int, high: int) -> bool:
    """Whether the value is a whole number (no truth value) within the bounds."""
    return isinstance(value, int) and not isinstance(value, bool) and low <= value <= high
