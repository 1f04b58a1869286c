"""Conditions of the search in Zammad's form: attribute, operator, value; all of them must hold.

``{"ticket.title": {"operator": "contains", "value": "fire"}}``, or as a tree of blocks:
``{"operator": "OR", "conditions": [{"name": "ticket.title", "operator": …}, …]}``. Attributes are
allow-listed: the columns of tickets, and of their customer, organization and articles, and custom
fields. Text is compared in the columns, letter by letter and without case; that of custom fields
by words, in the index, because no query looks inside JSON.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db import connection

from deskbell.kernel.errors import Invalid
from deskbell.kernel.text import MAX_ID, is_storable
from deskbell.people.models import User
from deskbell.search import fields, moments
from deskbell.search.language import Exists, Node, Range, Words
from deskbell.search.plan import (
    INTERNAL,
    All,
    Condition,
    Nothing,
    Plan,
    Planner,
    both,
    either,
    other,
)

MAX_CONDITIONS = 50
MAX_VALUES = 500
MAX_TEXT = 500
MAX_DEPTH = 8

_TICKET = "tickets_ticket."
_PERSON = (
    "login", "email", "firstname", "lastname", "phone", "mobile", "fax", "web", "department",
    "street", "zip", "city", "country", "address", "note",
)  # fmt: skip


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
#: Truths of the customer and the organization, with their frames.
_FLAGS: dict[str, tuple[str, str]] = {
    **{
        f"customer.{name}": (_exists("people_user u", "u.id", "customer_id"), f"u.{name}")
        for name in ("active", "vip", "verified", "out_of_office")
    },
    **{
        f"organization.{name}": (
            _exists("people_organization o", "o.id", "organization_id"),
            f"o.{name}",
        )
        for name in ("active", "vip", "shared", "domain_assignment")
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
    "is none of": "is any of",
    "not set": "is set",
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
_COMPARED = {
    "is less than": "<",
    "is less than or equal to": "<=",
    "is greater than": ">",
    "is greater than or equal to": ">=",
}


def plan_conditions(conditions: Any, *, me: int, now: datetime) -> Plan:
    """What the conditions ask for; ``me`` is whom ``current_user.id`` means.

    Raises :class:`Invalid` (``condition``, code ``bad``, the attribute as value) for an attribute,
    operator or value that there is not, and for operators about what has just happened (``has
    changed``), of which a stored ticket knows nothing: a condition nobody understood must not find
    everything.
    """
    if not isinstance(conditions, Mapping):
        raise Invalid("condition", "bad", conditions)
    return _Reader(me=me, now=now).block(conditions)


class _Reader:
    """Reads one set of conditions; ``left`` bounds them all together."""

    def __init__(self, *, me: int, now: datetime) -> None:
        self.me = me
        self.now = now
        self.left = MAX_CONDITIONS
        self.planner = Planner(now=now)

    def block(self, conditions: Mapping[Any, Any], depth: int = 0) -> Plan:
        """Attributes with what must hold of them, or an operator over a list of conditions."""
        if "conditions" not in conditions:
            return both(self.one(name, spec) for name, spec in conditions.items())
        inner, operator = conditions["conditions"], conditions.get("operator", "AND")
        if not isinstance(inner, list) or depth >= MAX_DEPTH:
            raise Invalid("condition", "bad", "conditions")
        plans = [self.part(part, depth) for part in inner]
        match operator:
            case "AND":
                return both(plans)
            case "OR":
                return either(plans) if plans else All()
            case "NOT":
                return other(either(plans))
        raise Invalid("condition", "bad", operator)

    def part(self, part: Any, depth: int) -> Plan:
        if not isinstance(part, Mapping):
            raise Invalid("condition", "bad", "conditions")
        if "conditions" in part:
            return self.block(part, depth + 1)
        return self.one(part.get("name"), part)

    def one(self, name: Any, spec: Any) -> Plan:
        self.left -= 1
        if self.left < 0 or not isinstance(name, str) or not isinstance(spec, Mapping):
            raise Invalid("condition", "bad", name)
        operator = spec.get("operator", "is")
        if not isinstance(operator, str):
            raise Invalid("condition", "bad", name)
        if operator in _NEGATED:
            return other(self.positive(name, _NEGATED[operator], spec))
        return self.positive(name, operator, spec)

    def positive(self, name: str, operator: str, spec: Mapping[Any, Any]) -> Plan:
        values = _values(name, spec, me=self.me)
        column = name.removeprefix("ticket.") if name.startswith("ticket.") else None
        if name in _TEXT:
            return _text(name, operator, values)
        if name in _FLAGS:
            return _flag(name, operator, values)
        if column in fields.WHOLE_NUMBERS:
            return _number(name, _TICKET + fields.WHOLE_NUMBERS[column], operator, values)
        if column in fields.TIMES:
            column = _TICKET + fields.TIMES[column]
            return _time(name, column, operator, spec, values, now=self.now)
        if name in ("customer.id", "organization.id"):
            return _number(name, f"{_TICKET}{name.replace('.', '_')}", operator, values)
        if name == "customer.organization_id":
            inner = _number(name, "u.organization_id", operator, values)
            return _framed(_exists("people_user u", "u.id", "customer_id"), inner)
        if name in fields.ARTICLE_NUMBERS:
            inner = _number(name, f"a.{fields.ARTICLE_NUMBERS[name]}", operator, values)
            return _framed(_TEXT["article.body"][0], inner)
        if name in fields.ARTICLE_TIMES:
            inner = _time(
                name, f"a.{fields.ARTICLE_TIMES[name]}", operator, spec, values, now=self.now
            )
            return _framed(_TEXT["article.body"][0], inner)
        type_ = self.planner.custom_type(column) if column is not None else None
        if column is not None and type_ is not None:
            return self.custom(name, column, type_, operator, values)
        raise Invalid("condition", "bad", name)

    def custom(self, name: str, field: str, type_: str, operator: str, values: list[str]) -> Plan:
        """A custom field, by what the index knows of it."""
        operator = _ALIKE.get(operator, operator)
        nodes: list[Node]
        ordered = type_ in ("integer", "decimal", "date", "datetime")
        if operator == "is set":
            nodes = [Exists(field)]
        elif operator in ("before", "after", *_COMPARED) and ordered:
            sign = {"before": "<", "after": ">="}.get(operator) or _COMPARED[operator]
            inclusive = sign.endswith("=")
            nodes = [
                Range(field, low=value, with_low=inclusive)
                if sign.startswith(">")
                else Range(field, high=value, with_high=inclusive)
                for value in values
            ]
        elif operator == "is" and ordered:
            nodes = [Range(field, value, value) for value in values if value]
        elif operator == "is" or (operator in _SHAPES and not ordered):
            nodes = [Words(value, field, quoted=True) for value in values if value]
            if operator != "is":
                nodes = [Words(_wildcards(operator, value), field) for value in values if value]
        else:
            raise Invalid("condition", "bad", name)
        plans = [self.planner.plan(node) for node in nodes]
        if operator == "is" and "" in values:
            plans.append(other(self.planner.plan(Exists(field))))
        return either(plans)


def _wildcards(operator: str, value: str) -> str:
    """The value as a word of the query language that may go on where the operator says so."""
    bare = re.sub(r"[*?]", " ", value).strip()
    return _SHAPES[operator].format(bare).replace("%", "*")


def _framed(frame: str, inner: Plan) -> Plan:
    """The test within its frame; what is always or never so needs none."""
    if not isinstance(inner, Condition):
        return inner
    return Condition(frame.replace("{test}", inner.sql), inner.params)


def _values(name: str, spec: Mapping[Any, Any], *, me: int) -> list[str]:
    """The values as texts; ``pre_condition`` says who is meant, or that nobody is."""
    meant = spec.get("pre_condition")
    if meant == "current_user.organization_id":
        mine = User.objects.filter(pk=me).values_list("organization_id", flat=True).first()
        return [] if mine is None else [str(mine)]
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
        if not isinstance(one, str | int | float | None):
            raise Invalid("condition", "bad", name)
        if isinstance(one, bool):
            text = "true" if one else "false"
        else:
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


#: The text and, as ``%``, what may stand around it.
_SHAPES = {"is": "{}", "contains": "%{}%", "starts with": "{}%", "ends with": "%{}"}


def _tested(frame: str, column: str, operator: str, value: str, name: str) -> Plan:
    if operator not in _SHAPES:
        raise Invalid("condition", "bad", name)
    if operator == "is" and not value and frame == "{test}":
        return Condition(f"COALESCE({column}, '') = ''")
    quoted = re.sub(r"\.(to)$", r'."\1"', column)
    sql, pattern = _alike(quoted, operator, value)
    return Condition(frame.replace("{test}", sql), (pattern,))


def _alike(column: str, operator: str, value: str) -> tuple[str, str]:
    """SQL that compares without case, and its pattern.

    SQLite's LIKE knows the case of ASCII letters only, PostgreSQL's ILIKE what the locale of the
    database knows, maybe no more. Both know sets of characters, so other letters are spelled out.
    """
    before, after = _SHAPES[operator].split("{}")
    if value.isascii():
        like = "ILIKE" if connection.vendor == "postgresql" else "LIKE"
        escaped = re.sub(r"([%_\\])", r"\\\1", value)
        return f"{column} {like} %s ESCAPE '\\'", f"{before}{escaped}{after}"
    if connection.vendor == "postgresql":
        letters = "".join(_either_case(sign) or re.escape(sign) for sign in value)
        return f"{column} ~ %s", f"{'' if before else '^'}{letters}{'' if after else '$'}"
    letters = "".join(_either_case(s) or (f"[{s}]" if s in "*?[" else s) for s in value)
    return f"{column} GLOB %s", f"{'*' if before else ''}{letters}{'*' if after else ''}"


def _either_case(sign: str) -> str:
    """The set of a letter's cases; empty where case makes no single letter of it."""
    cases = {case for case in (sign, sign.lower(), sign.upper(), sign.title()) if len(case) == 1}
    return f"[{''.join(sorted(cases))}]" if len(cases) > 1 else ""


def _flag(name: str, operator: str, values: list[str]) -> Plan:
    frame, column = _FLAGS[name]
    if _ALIKE.get(operator, operator) != "is":
        raise Invalid("condition", "bad", name)
    wanted = {value.lower() for value in values}
    if not wanted <= {"true", "1", "false", "0"}:
        raise Invalid("condition", "bad", name)
    tests: list[Plan] = []
    if wanted & {"true", "1"}:
        tests.append(Condition(frame.replace("{test}", column)))
    if wanted & {"false", "0"}:
        tests.append(Condition(frame.replace("{test}", f"NOT {column}")))
    return either(tests)


def _number(name: str, column: str, operator: str, values: list[str]) -> Plan:
    operator = _ALIKE.get(operator, operator)
    if operator == "is set":
        # User 1 is nobody: an owner who is not set.
        is_person = name in ("ticket.owner_id", "ticket.customer_id", "customer.id")
        return Condition(f"{column} <> 1" if is_person else f"{column} IS NOT NULL")
    ids = [
        int(value)
        for value in values
        if re.fullmatch(r"-?[0-9]{1,19}", value) and abs(int(value)) <= MAX_ID
    ]
    if operator in _COMPARED and ids:
        return Condition(f"{column} {_COMPARED[operator]} {ids[0]}")
    if operator != "is":
        raise Invalid("condition", "bad", name)
    tests = [f"{column} IN ({', '.join(map(str, ids))})"] if ids else []
    if "" in values:
        tests.append(f"{column} IS NULL")
    # One condition, because it may have to stand within a frame.
    return Condition(f"({' OR '.join(tests)})") if tests else Nothing()


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
        # Zammad compares with the moment itself and counts it in; a day means its midnight. Answers
        # show milliseconds, rows keep more.
        if operator == "before":
            return _between(column, None, start + timedelta(milliseconds=1))
        return _between(column, start, None)
    if operator == "today":
        midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
        return _between(column, midnight, midnight + timedelta(days=1))
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
