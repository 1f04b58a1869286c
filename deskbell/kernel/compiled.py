"""Statements that nearly every request needs: turned into SQL once, not each time.

Building a queryset and compiling it costs several times what the database needs to answer it. Here
that happens at the first call; afterwards only the values of its placeholders change. The same for
writing a row: :func:`insert` and :func:`update` do what ``save`` does, without Django's signals.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar

from django.db import DEFAULT_DB_ALIAS, DatabaseError, connection, transaction
from django.db.models import Model, QuerySet
from django.db.models import query as django_query
from django.db.models.expressions import DatabaseDefault
from django.db.models.query import ModelIterable, ValuesListIterable
from django.db.models.sql import InsertQuery

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


# --- writing a row -------------------------------------------------------------------------------


def insert(row: Model) -> None:
    """Insert a row, and put into it what the database gave: its id, and defaults of the database.

    As ``row.save(force_insert=True)``, and raises what that raises.
    """
    has_key = row.pk is not None
    plan = _writing(type(row))
    fields = plan.fields if has_key else plan.other_fields
    values = [_value(field, row, add=True) for field in fields]
    defaults = tuple(i for i, v in enumerate(values) if hasattr(v, "resolve_expression"))
    if any(type(values[place]) is not DatabaseDefault for place in defaults):
        row.save(force_insert=True)
        return
    made = plan.inserts.get((has_key, defaults))
    if made is None:
        made = plan.inserts[has_key, defaults] = _Insert(row, fields, defaults)
    prepared = [
        field.get_db_prep_save(value, connection)
        for place, (field, value) in enumerate(zip(fields, values, strict=True))
        if place not in defaults
    ]
    with transaction.mark_for_rollback_on_error(), connection.cursor() as cursor:
        cursor.execute(made.sql, prepared)
        given = [cursor.fetchone() if made.returned else ()]
    if made.converters:
        given = list(made.compiler.apply_converters(given, made.converters))
    for name, value in zip(made.returned, given[0], strict=True):
        setattr(row, name, value)
    row._state.adding = False
    row._state.db = DEFAULT_DB_ALIAS


def insert_all(rows: list[Any]) -> None:
    """Insert rows of one model: a single one as :func:`insert`, several with one statement."""
    if len(rows) == 1:
        insert(rows[0])
    elif rows:
        type(rows[0])._default_manager.bulk_create(rows)


def update(row: Model, *names: str) -> None:
    """Write a stored row, whole or the fields of these names.

    As ``row.save(update_fields=names)``; raises :class:`DatabaseError` where the row is gone.
    """
    plan = _writing(type(row))
    chosen = plan.updates.get(names)
    if chosen is None:
        meta: Any = type(row)._meta
        fields: list[Any] = [meta.get_field(name) for name in names] if names else plan.other_fields
        quoted = connection.ops.quote_name
        places = ", ".join(f"{quoted(field.column)} = %s" for field in fields)
        table, key = quoted(meta.db_table), quoted(meta.pk.column)
        # Names of our own models and fields, no words of anybody.
        chosen = plan.updates[names] = (f"UPDATE {table} SET {places} WHERE {key} = %s", fields)  # noqa: S608
    sql, fields = chosen
    values = [_value(field, row, add=False) for field in fields]
    if any(hasattr(value, "resolve_expression") for value in values):
        row.save(update_fields=[field.name for field in fields])
        return
    prepared = [f.get_db_prep_save(v, connection) for f, v in zip(fields, values, strict=True)]
    with transaction.mark_for_rollback_on_error(), connection.cursor() as cursor:
        cursor.execute(sql, [*prepared, row.pk])
        if cursor.rowcount != 1:
            raise DatabaseError(f"{type(row).__name__} {row.pk} is gone")


def _value(field: Any, row: Model, *, add: bool) -> Any:
    value = field.pre_save(row, add)
    if value is None and field.is_relation:
        # The other row got its id after it was assigned.
        other = field.get_cached_value(row, default=None)
        if other is not None and (value := other.pk) is not None:
            setattr(row, field.attname, value)
    return value


class _Writing:
    """What is known of writing rows of one model on one kind of database."""

    def __init__(self, model: type[Model]) -> None:
        meta: Any = model._meta
        if meta.parents or meta.proxy:
            raise ValueError("only plain models are supported")
        self.vendor = connection.vendor
        self.fields: list[Any] = [f for f in meta.concrete_fields if not f.generated]
        self.other_fields = [field for field in self.fields if not field.primary_key]
        self.inserts: dict[tuple[bool, tuple[int, ...]], _Insert] = {}
        self.updates: dict[tuple[str, ...], tuple[str, list[Any]]] = {}


_WRITING: dict[type[Model], _Writing] = {}


def _writing(model: type[Model]) -> _Writing:
    plan = _WRITING.get(model)
    if plan is None or plan.vendor != connection.vendor:
        plan = _WRITING[model] = _Writing(model)
    return plan


class _Insert:
    """The SQL of inserting one row, as Django's compiler spells it."""

    def __init__(self, row: Model, fields: list[Any], defaults: tuple[int, ...]) -> None:
        meta: Any = row._meta
        query: Any = InsertQuery(type(row))
        query.insert_values(fields, [row])
        self.compiler: Any = query.get_compiler(DEFAULT_DB_ALIAS)
        self.compiler.returning_fields = returned = meta.db_returning_fields
        ((self.sql, params),) = self.compiler.as_sql()
        if len(params) != len(fields) - len(defaults):
            raise ValueError("a value does not reach the database as it is")
        self.returned = [field.attname for field in returned]
        columns = [field.get_col(meta.db_table) for field in returned]
        self.converters = self.compiler.get_converters(columns)
