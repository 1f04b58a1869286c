"""Pages of users, organizations, groups, roles, states and priorities, in every form."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponse

from deskbell.api.zammad import errors
from deskbell.api.zammad.assets import Assets, Objects
from deskbell.api.zammad.paging import order_of, page_of
from deskbell.api.zammad.views.base import Call, answer

LIST_DEFAULT, LIST_MOST = 500, 1000
SEARCH_DEFAULT, SEARCH_MOST = 50, 200
#: Counts are exact up to here and stay here, as those of a ticket search do.
COUNT_LIMIT = 10_000


@dataclass(frozen=True, slots=True)
class Kind:
    """How the rows of one class are shown."""

    #: Zammad's class name in assets.
    name: str
    objects: Callable[[Call, Sequence[Any]], Objects]
    expanded: Callable[[Objects], Objects]
    sortable: Collection[str]


def ordered(call: Call, rows: QuerySet[Any], kind: Kind, *, default: Sequence[str]) -> Any:
    """The rows in the order asked for; always ending in the id. Unknown columns are an error."""
    terms: list[str] = []
    for column, direction in order_of(call.params):
        if column not in kind.sortable:
            raise errors.invalid_value("sort_by", column)
        if direction not in ("asc", "desc"):
            raise errors.invalid_value("order_by", direction)
        terms.append(column if direction == "asc" else f"-{column}")
    terms = terms or list(default)
    if not {"id", "-id"} & set(terms):
        terms.append("id")
    return rows.order_by(*terms)


def index(
    call: Call, rows: QuerySet[Any], kind: Kind, *, default: int = LIST_DEFAULT
) -> HttpResponse:
    """A page of a collection, by id unless asked otherwise."""
    page = page_of(call.params, default=default, most=LIST_MOST)
    found = list(ordered(call, rows, kind, default=["id"])[page.offset : page.offset + page.limit])
    if call.asks("expand"):
        return answer(kind.expanded(kind.objects(call, found)))
    if call.asks("full"):
        return answer({**records(call, found, kind), "total_count": rows.count()})
    return answer(kind.objects(call, found))


def search(call: Call, rows: QuerySet[Any], kind: Kind, *, default: Sequence[str]) -> HttpResponse:
    """A page of what was found, in the forms of contract section 6.8."""
    if call.asks("only_total_count"):
        return answer({"total_count": count(rows)})
    page = page_of(call.params, default=SEARCH_DEFAULT, most=SEARCH_MOST)
    found = list(ordered(call, rows, kind, default=default)[page.offset : page.offset + page.limit])
    if call.asks("full"):
        return answer({**records(call, found, kind), "total_count": count(rows)})
    shown = kind.objects(call, found)
    if call.asks("expand"):
        shown = kind.expanded(shown)
    if call.asks("with_total_count"):
        return answer({"records": shown, "total_count": count(rows)})
    return answer(shown)


def count(rows: QuerySet[Any]) -> int:
    """How many there are, at most ``COUNT_LIMIT``."""
    return int(rows.order_by()[:COUNT_LIMIT].count())


def records(call: Call, rows: Sequence[Any], kind: Kind) -> dict[str, Any]:
    """Ids in order, and assets."""
    return {"record_ids": [row.pk for row in rows], "assets": assets(call, rows, kind)}


def assets(call: Call, rows: Sequence[Any], kind: Kind) -> dict[str, Any]:
    """The rows and what belongs to them."""
    found = Assets(call.actor, root=call.root)
    shown = kind.objects(call, rows)
    found.add_objects(kind.name, shown)
    for one in shown:
        found.add_roles(one.get("role_ids", ()))
        found.add_groups(int(id_) for id_ in one.get("group_ids", ()))
        organizations = [one.get("organization_id"), *one.get("organization_ids", ())]
        found.add_organizations(id_ for id_ in organizations if id_ is not None)
    return found.filled()


def one(call: Call, row: Any, kind: Kind, *, status: int = 200) -> HttpResponse:
    """One row in the form asked for."""
    if call.asks("expand"):
        return answer(kind.expanded(kind.objects(call, [row]))[0], status)
    if call.asks("full"):
        return answer({"id": row.pk, "assets": assets(call, [row], kind)}, status)
    return answer(kind.objects(call, [row])[0], status)
