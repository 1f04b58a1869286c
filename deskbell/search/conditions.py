"""Conditions of the search in Zammad's form: attribute, operator, value; all of them must hold.

``{"ticket.title": {"operator": "contains", "value": "fire"}}``. Attributes are allow-listed: the
columns of tickets, and of their customer, organization and articles. Text is compared in the
columns, letter by letter and without case (beyond ASCII as far as the database's locale knows it).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db import connection

from deskbell.kernel.errors import Invalid
from deskbell.kernel.text import MAX_ID, is_storable
from deskbell.search import fields, moments
from deskbell.search.plan import INTERNAL, All, Condition, Nothing, Plan, both, either, other

MAX_CONDITIONS = 50
MAX_VALUES = 500
MAX_TEXT = 500

_TICKET = "tickets_ticket."
_PERSON = ("login", "email", "firstname", "lastname", "phone", "mobile", "city", "note")


def _exists(rows: str, column: str, of_ticket: str, *, more: str = "") -> str:
    """The frame for a test of rows that belong to the ticket."""
    belongs = f"{column} = {_TICKET}{of_ticket}"
    return f"EXISTS (SELECT 1 FROM {rows} WHERE {belongs} AND {{test}}{more})"  # noqa: S608


#: Text columns by attribute, with the frame that their test stands in.
_TEXT: dict[str, tuple[str, str]] = {
    **{
        f"ticket.{name}": ("{test}", _TICKET + name) for name in ("number", "title", "note", "type")
    },
    "ticket.tags": (
        _exists("tickets_tickettag b JOIN tickets_tag g ON g.id = b.tag_id", "b.ticket_id", "id"),
        "g.name",
    ),
    **{
        f"customer.{name}": (
            _exists("people_user u", "u.id", "customer_id"),
            f"u.{name}",
        )
        for name in _PERSON
    },
    **{
        f"organization.{name}": (
            _exists("people_organization o", "o.id", "organization_id"),
            f"o.{name}",
        )
        for name in ("name", "domain", "note")
    },
    **{
        f"article.{name}": (
            _exists("tickets_article a", "a.ticket_id", "id", more=f" AND {INTERNAL}"),
            f"a.{column}",
        )
        for name, column in (
            ("subject", "subject"),
            ("body", "body"),
            ("from", "from_address"),
            ("to", "to"),
            ("cc", "cc"),
        )
    },
}
_UNITS = {
    "minute": timedelta(minutes=1),
    "hour": timedelta(hours=1),
    "day": timedelta(days=1),
    "week": timedelta(weeks=1),
    "month": timedelta(days=30),
    "year": timedelta(days=365),
}
_NEGATED = {
    "is not": "is",
    "contains not": "contains",
    "starts not with": "starts with",
    "ends not with": "ends with",
    "is not set": "is set",
    "has not": "is set",
    "contains all not": "contains all",
    "contains one not": "contains one",
    "starts with one of not": "starts with one of",
}
_ALIKE = {
    "starts with one of": "starts with",
    "ends with one of": "ends with",
    "is any of": "is",
    "is in": "is",
    "contains one": "is",
    "before (absolute)": "before",
    "after (absolute)": "after",
    "before (relative)": "earlier",
    "after (relative)": "later",
    "within last (relative)": "within last",
    "within next (relative)": "within next",
    "till (relative)": "till",
    "from (relative)": "from",
}


def plan_conditions(conditions: Any, *, me: int, now: datetime) -> Plan:
    """What the conditions ask for; ``me`` is whom ``current_user.id`` means.

    Raises :class:`Invalid` (``condition``, code ``bad``, the attribute as value) for an attribute,
    operator or value that there is not: a condition nobody understood must not find everything.
    """
    if not isinstance(conditions, Mapping):
        raise Invalid("condition", "bad", conditions)
    if len(conditions) > MAX_CONDITIONS:
        raise Invalid("condition", "bad", len(conditions))
    return both(_one(name, spec, me=me, now=now) for name, spec in conditions.items())


def _one(name: Any, spec: Any, *, me: int, now: datetime) -> Plan:
    if not isinstance(name, str) or not isinstance(spec, Mapping):
        raise Invalid("condition", "bad", name)
    operator = spec.get("operator", "is")
    if not isinstance(operator, str):
        raise Invalid("condition", "bad", name)
    if operator in _NEGATED:
        return other(_one(name, {**spec, "operator": _NEGATED[operator]}, me=me, now=now))
    values = _values(name, spec, me=me)
    column = name.removeprefix("ticket.") if name.startswith("ticket.") else None
    if name in _TEXT:
        return _text(name, operator, values)
    if column in fields.WHOLE_NUMBERS:
        return _number(name, _TICKET + fields.WHOLE_NUMBERS[column], operator, values)
    if column in fields.TIMES:
        return _time(name, _TICKET + fields.TIMES[column], operator, spec, values, now=now)
    if name in ("customer.id", "organization.id"):
        return _number(name, f"{_TICKET}{name.replace('.', '_')}", operator, values)
    if name in fields.ARTICLE_NUMBERS:
        inner = _number(name, f"a.{fields.ARTICLE_NUMBERS[name]}", operator, values)
        if not isinstance(inner, Condition):
            return inner
        frame, _ = _TEXT["article.body"]
        return Condition(frame.replace("{test}", inner.sql), inner.params)
    raise Invalid("condition", "bad", name)


def _values(name: str, spec: Mapping[Any, Any], *, me: int) -> list[str]:
    """The values as texts; ``pre_condition`` says who is meant, or that nobody is."""
    meant = spec.get("pre_condition")
    if isinstance(meant, str) and meant.startswith("current_user."):
        return [str(me)]
    if meant == "not_set":
        return ["1"] if name in ("ticket.owner_id", "ticket.customer_id") else [""]
    value = spec.get("value")
    values = value if isinstance(value, list) else [value]
    if len(values) > MAX_VALUES:
        raise Invalid("condition", "bad", name)
    texts = []
    for one in values:
        if isinstance(one, bool) or not isinstance(one, str | int | float | None):
            raise Invalid("condition", "bad", name)
        text = "" if one is None else str(one)
        if len(text) > MAX_TEXT or not is_storable(text):
            raise Invalid("condition", "bad", name)
        texts.append(text)
    return texts


def _text(name: str, operator: str, values: list[str]) -> Plan:
    frame, column = _TEXT[name]
    if name == "ticket.tags":
        # Tags come as one text with commas, as everywhere in Zammad.
        values = [part.strip() for value in values for part in value.split(",") if part.strip()]
        if operator == "contains all":
            return both(_tested(frame, column, "is", value, name) for value in values)
    operator = _ALIKE.get(operator, operator)
    if operator == "is set":
        return Condition(frame.replace("{test}", f"{column} <> ''"))
    return either(_tested(frame, column, operator, value, name) for value in values)


def _tested(frame: str, column: str, operator: str, value: str, name: str) -> Plan:
    shapes = {"is": "{}", "contains": "%{}%", "starts with": "{}%", "ends with": "%{}"}
    if operator not in shapes:
        raise Invalid("condition", "bad", name)
    if operator == "is" and not value and frame == "{test}":
        return Condition(f"COALESCE({column}, '') = ''")
    pattern = shapes[operator].format(re.sub(r"([%_\\])", r"\\\1", value))
    # SQLite's LIKE knows the case of ASCII letters only; PostgreSQL's ILIKE knows them all.
    like = "ILIKE" if connection.vendor == "postgresql" else "LIKE"
    quoted = re.sub(r"\.(to)$", r'."\1"', column)
    return Condition(frame.replace("{test}", f"{quoted} {like} %s ESCAPE '\\'"), (pattern,))


def _number(name: str, column: str, operator: str, values: list[str]) -> Plan:
    operator = _ALIKE.get(operator, operator)
    if operator == "is set":
        return Condition(f"{column} IS NOT NULL")
    if operator != "is":
        raise Invalid("condition", "bad", name)
    ids = [
        int(value)
        for value in values
        if re.fullmatch(r"-?[0-9]{1,19}", value) and abs(int(value)) <= MAX_ID
    ]
    parts: list[Plan] = []
    if ids:
        parts.append(Condition(f"{column} IN ({', '.join(map(str, ids))})"))
    if "" in values:
        parts.append(Condition(f"{column} IS NULL"))
    return either(parts)


def _time(
    name: str,
    column: str,
    operator: str,
    spec: Mapping[Any, Any],
    values: list[str],
    *,
    now: datetime,
) -> Plan:
    operator = _ALIKE.get(operator, operator)
    if operator == "is set":
        return Condition(f"{column} IS NOT NULL")
    if operator in ("is", "before", "after"):
        span = moments.span(values[0], now) if values else None
        if span is None:
            raise Invalid("condition", "bad", name)
        start, end = span
        if operator == "is":
            return _between(column, start, end)
        return (
            _between(column, None, start) if operator == "before" else _between(column, end, None)
        )
    unit = _UNITS.get(str(spec.get("range", "day")))
    if unit is None or not values or not re.fullmatch(r"[0-9]{1,6}", values[0]):
        raise Invalid("condition", "bad", name)
    try:
        length = int(values[0]) * unit
        past, future = now - length, now + length
    except OverflowError:
        return All() if operator in ("later", "till", "within last") else Nothing()
    ranges: dict[str, tuple[datetime | None, datetime | None]] = {
        "earlier": (None, past),
        "later": (future, None),
        "within last": (past, now),
        "within next": (now, future),
        "till": (None, future),
        "from": (past, None),
    }
    if operator not in ranges:
        raise Invalid("condition", "bad", name)
    return _between(column, *ranges[operator])


def _between(column: str, low: datetime | None, high: datetime | None) -> Plan:
    parts, params = [], []
    for sign, moment in ((">=", low), ("<", high)):
        if moment is not None:
            parts.append(f"{column} {sign} %s")
            params.append(connection.ops.adapt_datetimefield_value(moment))
    return Condition(f"({' AND '.join(parts)})", tuple(params))
