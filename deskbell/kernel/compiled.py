"""Querysets that are asked in nearly every request: turned into SQL once, not each time.

Building a queryset and compiling it costs several times what the database needs to answer it. Here
that happens at the first call; afterwards only the values of its placeholders change.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar

from django.db import DEFAULT_DB_ALIAS, connection, transaction
from django.db.models import Model, QuerySet
from django.db.models import query as django_query
from django.db.models.query import ModelIterable, ValuesListIterable

from deskbell.kernel.text import MAX_ID

Row = TypeVar("Row")
Instance = TypeVar("Instance", bound=Model)

#: Values that stand for the placeholders while the SQL is made; no request brings them.
_FIRST_NUMBER = -0x6465_736B_6265_6C00
_TEXT = "\x02placeholder {}\x03"


class Compiled(Generic[Row]):
    """A queryset of model rows or of ``values_list`` tuples, with placeholders for values.

    ``build`` is called with one stand-in per kind (``int`` or ``str``) and returns the queryset;
    whatever else it depends on is settled at the first call. Values must be such as the column can
    hold: nothing prepares them. A queryset that locks rows may be asked inside a transaction only,
    as everywhere in Django.
    """

    def __init__(self, build: Callable[..., QuerySet[Any, Row]], *kinds: type) -> None:
        self._build = build
        self._kinds = kinds
        self._plan: _Plan | None = None

    def all(self, *values: int | str) -> list[Row]:
        """All rows for these values, in the order of the placeholders. One query."""
        if any(type(value) is int and not -MAX_ID - 1 <= value <= MAX_ID for value in values):
            # No column holds such a number, and no database takes it as a parameter.
            return []
        plan = self._plan
        if plan is None or plan.vendor != connection.vendor:
            plan = self._plan = _Plan(self._build, self._kinds)
        return plan.rows(values)

    def first(self, *values: int | str) -> Row | None:
        """The first row, ``None`` where there is none; the queryset says which is first."""
        rows = self.all(*values)
        return rows[0] if rows else None


def by_id(model: type[Instance]) -> Compiled[Instance]:
    """Rows of a model by their id."""
    rows: Any = model._default_manager
    return Compiled(lambda key: rows.filter(pk=key), int)


class _Plan:
    """The SQL of a queryset on one kind of database, and how its rows become what it yields."""

    def __init__(self, build: Callable[..., QuerySet[Any, Any]], kinds: tuple[type, ...]) -> None:
        marks = [
            _FIRST_NUMBER + index if kind is int else _TEXT.format(index)
            for index, kind in enumerate(kinds)
        ]
        queryset: Any = build(*marks)
        self.vendor = connection.vendor
        self.locks = bool(queryset.query.select_for_update)
        compiler: Any = queryset.query.get_compiler(DEFAULT_DB_ALIAS)
        self.sql, params = compiler.as_sql()
        self.params = list(params)
        # The database driver may want numbers in a class of its own.
        self.places = [
            (place, marks.index(param), type(param))
            for place, param in enumerate(params)
            if param in marks
        ]
        if {index for _, index, _ in self.places} != set(range(len(marks))):
            raise ValueError("a placeholder does not reach the database as it is")
        columns = [column[0] for column in compiler.select[: compiler.col_count]]
        self.compiler = compiler
        self.converters = compiler.get_converters(columns)
        self.klass_info = compiler.klass_info if queryset._iterable_class is ModelIterable else None
        if self.klass_info is None:
            if queryset._iterable_class is not ValuesListIterable:
                raise ValueError("only model rows and the tuples of values_list are supported")
            return
        if compiler.annotation_col_map:
            raise ValueError("annotations of model rows are not supported here")
        fields = self.klass_info["select_fields"]
        self.span = slice(fields[0], fields[-1] + 1)
        self.model: Any = self.klass_info["model"]
        self.names = [column[0].target.attname for column in compiler.select[self.span]]
        # The stubs are of a newer Django, which asks for more.
        populators_of: Any = django_query.get_related_populators
        self.populators = populators_of(self.klass_info, compiler.select, DEFAULT_DB_ALIAS)

    def rows(self, values: tuple[int | str, ...]) -> list[Any]:
        if self.locks and connection.get_autocommit():
            raise transaction.TransactionManagementError(
                "select_for_update cannot be used outside of a transaction."
            )
        params = self.params.copy()
        for place, index, kind in self.places:
            params[place] = kind(values[index])
        with connection.cursor() as cursor:
            cursor.execute(self.sql, params)
            found: Any = cursor.fetchall()
        if self.converters:
            found = self.compiler.apply_converters(found, self.converters)
        if self.klass_info is None:
            return [tuple(row) for row in found]
        return [self._instance(row) for row in found]

    def _instance(self, row: Any) -> Any:
        instance = self.model.from_db(DEFAULT_DB_ALIAS, self.names, row[self.span])
        for populator in self.populators:
            populator.populate(row, instance)
        return instance
