"""Searching tickets, and everything at once (contract section 6.8)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http import HttpResponse

from deskbell.api.zammad import assets, errors
from deskbell.api.zammad.decode import values
from deskbell.api.zammad.finding import matching
from deskbell.api.zammad.paging import order_of, page_of
from deskbell.api.zammad.views import companies, users
from deskbell.api.zammad.views.base import Call, answer, endpoint
from deskbell.api.zammad.views.tickets import records
from deskbell.search.conditions import plan_conditions
from deskbell.search.plan import Condition, Plan, both
from deskbell.search.results import DEFAULT_SORT, Search, Sort, find
from deskbell.tickets import queries

SEARCH_DEFAULT, SEARCH_MOST = 50, 200
#: Hits of each class in a global search, unless asked otherwise.
GLOBAL_DEFAULT = 10


def search_tickets(call: Call) -> HttpResponse:
    """Tickets by query, condition and ids, all of which must hold."""
    actor, params, at = call.actor, call.params, call.at
    query = _query(call)
    condition = _condition(call)
    search = Search(actor, query, condition=condition, at=at)
    if call.asks("only_total_count"):
        return answer({"total_count": search.count()})
    page = page_of(params, default=SEARCH_DEFAULT, most=SEARCH_MOST)
    ids = search.find(sort=_sort(call), limit=page.limit, offset=page.offset)
    rows = queries.tickets_by_id(actor, ids)
    if call.asks("full"):
        return answer({**records(call, rows), "total_count": search.count()})
    shown = assets.tickets(actor, rows)
    if call.asks("expand"):
        shown = assets.tickets_expanded(shown)
    if call.asks("with_total_count"):
        return answer({"records": shown, "total_count": search.count()})
    return answer(shown)


def _query(call: Call) -> str:
    given = call.params.get("query")
    if values.is_blank(given):
        return "*"
    return values.text("query", given)


def _sort(call: Call) -> tuple[Sort, ...]:
    asked = order_of(call.params)
    if not asked:
        return DEFAULT_SORT
    found: list[Sort] = []
    for column, direction in asked:
        if direction not in ("asc", "desc"):
            raise errors.invalid_value("order_by", direction)
        found.append((column, "asc" if direction == "asc" else "desc"))
    return tuple(found)


def _condition(call: Call) -> Plan | None:
    """The conditions sent along, and the ids that alone may be found."""
    plans: list[Plan] = []
    given = call.params.get("condition")
    if given:
        plans.append(plan_conditions(given, me=call.actor.user_id, now=call.at))
    ids = call.params.get("ids")
    if not values.is_blank(ids):
        wanted = values.ids("ids", ids.split(",") if isinstance(ids, str) else ids)
        places = ", ".join(str(id_) for id_ in wanted)
        plans.append(Condition(f"tickets_ticket.id IN ({places})" if wanted else "1=0"))
    if not plans:
        return None
    return both(plans) if len(plans) > 1 else plans[0]


# --- everything at once --------------------------------------------------------------------------


def _ticket_hits(call: Call, query: str, limit: int, found: assets.Assets) -> list[int]:
    ids = find(call.actor, query, limit=limit, at=call.at)
    found.add_tickets(queries.tickets_by_id(call.actor, ids))
    return ids


def _user_hits(call: Call, query: str, limit: int, found: assets.Assets) -> list[int]:
    if not users.works_with_people(call.actor):
        return []
    rows = users.findable().filter(matching(query, users.SEARCHABLE, now=call.at))
    ids = list(rows.order_by("-active", "-updated_at", "-id").values_list("pk", flat=True)[:limit])
    found.add_users(ids)
    return ids


def _organization_hits(call: Call, query: str, limit: int, found: assets.Assets) -> list[int]:
    rows = companies.visible_organizations(call.actor).filter(
        matching(query, companies.SEARCHABLE_ORGANIZATIONS, now=call.at)
    )
    ids = list(rows.order_by("-active", "-updated_at", "-id").values_list("pk", flat=True)[:limit])
    found.add_organizations(ids)
    return ids


_CLASSES: dict[str, tuple[str, Callable[[Call, str, int, assets.Assets], list[int]]]] = {
    "ticket": ("Ticket", _ticket_hits),
    "user": ("User", _user_hits),
    "organization": ("Organization", _organization_hits),
}


def search_everything(call: Call, classes: str = "") -> HttpResponse:
    """Tickets, users and organizations, as far as the caller sees them; or one class of these."""
    wanted = [name for name in classes.lower().replace("_", "-").split("-") if name]
    for name in wanted:
        if name not in _CLASSES:
            raise errors.invalid_value("objects", name)
    page = page_of(call.params, default=GLOBAL_DEFAULT, most=SEARCH_MOST)
    query = _query(call)
    found = assets.Assets(call.actor, root=call.root)
    result: list[dict[str, Any]] = []
    for name in wanted or _CLASSES:
        label, hits = _CLASSES[name]
        result += [{"type": label, "id": id_} for id_ in hits(call, query, page.limit, found)]
    return answer({"result": result, "assets": found.filled()})


tickets = endpoint(get=search_tickets, post=search_tickets)
everything = endpoint(get=search_everything, post=search_everything)
