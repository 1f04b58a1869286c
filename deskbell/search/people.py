"""People and companies as words: a row each, folded by the same analyser as tickets.

There are far fewer of them than tickets, so their rows are read through rather than looked up; what
makes them found alike on both databases is that the folding was done here. A row holds the words of
every column, for queries without a field, then the same words marked with the column's name in
capitals (`` EMAIL:kemal EMAIL:example ``), which no folded word of a query can look like.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import models, transaction

from deskbell.people.models import Organization, User
from deskbell.search import analyse
from deskbell.search.index import GAP
from deskbell.search.models import Person

_BATCH = 500
KINDS: dict[type[models.Model], int] = {User: 0, Organization: 1}
#: Columns that can be asked for by name.
COLUMNS: dict[type[models.Model], tuple[str, ...]] = {
    User: (
        "firstname", "lastname", "login", "email", "web", "phone", "fax", "mobile", "department",
        "street", "zip", "city", "country", "address", "note",
    ),
    Organization: ("name", "domain", "note"),
}  # fmt: skip


def marked(column: str) -> str:
    """What stands before the words of a column."""
    return f"{column.upper()}:"


def layout(values: Mapping[str, str | None]) -> str:
    """The words of a row: those of all columns, then each column's with its mark."""
    bare: list[str] = []
    named: list[str] = []
    for column, value in values.items():
        found = analyse.words(value or "")
        bare += [*found, GAP]
        named += [*(f"{marked(column)}{word}" for word in found), GAP]
    return f" {' '.join(bare + named)} "


def _row(model: type[models.Model], values: Sequence[Any]) -> Person:
    object_id, *texts = values
    named = dict(zip(COLUMNS[model], texts, strict=True))
    if model is User:
        # "Kemal Example" is a phrase, though it stands in two columns.
        named["fullname"] = f"{named['firstname']} {named['lastname']}"
    return Person(kind=KINDS[model], object_id=object_id, words=layout(named))


def write(model: type[models.Model], object_id: int) -> None:
    """Bring somebody's row up to date, or drop it with him. Runs twice unharmed."""
    rows = model._default_manager.filter(pk=object_id)
    values = rows.values_list("pk", *COLUMNS[model]).first()
    if values is None:
        Person.objects.filter(kind=KINDS[model], object_id=object_id).delete()
        return
    Person.objects.bulk_create(
        [_row(model, values)],
        update_conflicts=True,
        unique_fields=["kind", "object_id"],
        update_fields=["words"],
    )


def complete() -> int:
    """Write the rows of those who have none; returns how many. For the first start after an update.

    The desk may be running: whoever is changed meanwhile has a row by then.
    """
    written = 0
    for model, kind in KINDS.items():
        known = Person.objects.filter(kind=kind).values("object_id")
        missing = model._default_manager.exclude(pk__in=known).order_by("pk")
        while True:
            some = list(missing.values_list("pk", *COLUMNS[model])[:_BATCH])
            if not some:
                break
            Person.objects.bulk_create([_row(model, one) for one in some], ignore_conflicts=True)
            written += len(some)
    return written


def rebuild() -> int:
    """Write all rows anew; returns how many. While it runs nobody is missing."""
    with transaction.atomic():
        Person.objects.all().delete()
        return complete()
