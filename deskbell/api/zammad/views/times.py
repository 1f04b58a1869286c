"""Time accounting: entries, what time is spent on, and what a month cost (contract sections 8, 15).

The same rows have two addresses, below their ticket and by themselves. Reading is for agents who
read the ticket, recording for those who may change it; correcting and removing need
``admin.time_accounting``, as in Zammad.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from django.db.models import Min, QuerySet, Sum
from django.http import HttpResponse
from msgspec import UNSET, UnsetType

from deskbell.api.zammad import assets, errors, names
from deskbell.api.zammad.assets import Objects
from deskbell.api.zammad.decode import values
from deskbell.api.zammad.decode.articles import seconds
from deskbell.api.zammad.encode import times as objects
from deskbell.api.zammad.encode.values import minutes, stamp_of
from deskbell.api.zammad.errors import Problem
from deskbell.api.zammad.listing import Kind, index, one
from deskbell.api.zammad.paging import page_of
from deskbell.api.zammad.views.base import Call, answer, done, endpoint, needs, not_authorized
from deskbell.kernel.actor import Actor
from deskbell.kernel.errors import Unknown
from deskbell.people.models import Organization, User
from deskbell.tickets import access, queries, senders
from deskbell.tickets.models import Ticket, TimeEntry, TimeType
from deskbell.tickets.operations.naming import save_time_type
from deskbell.tickets.operations.times import PERMISSION, add_time, change_time, remove_time

#: Lines of one answer about a month; further ones are on the next page.
LINES_DEFAULT = LINES_MOST = 5000
NONE = "-"

_reads = needs("ticket.agent", PERMISSION)
_keeps = needs(PERMISSION)


def _time_objects(_call: Call, rows: Sequence[TimeEntry]) -> Objects:
    return [objects.time_entry(row) for row in rows]


def _times_expanded(shown: Objects) -> Objects:
    logins = queries.names_of("user", {entry["created_by_id"] for entry in shown})
    types = queries.names_of("time_type", {entry["type_id"] for entry in shown} - {None})
    for entry in shown:
        if entry["type_id"] is not None:
            entry["type"] = types[entry["type_id"]]
        entry["created_by"] = logins[entry["created_by_id"]]
    return shown


def _type_objects(_call: Call, rows: Sequence[TimeType]) -> Objects:
    return [objects.time_type(row) for row in rows]


def _types_expanded(shown: Objects) -> Objects:
    people = {type_[key] for type_ in shown for key in ("created_by_id", "updated_by_id")}
    logins = queries.names_of("user", people)
    for type_ in shown:
        type_["created_by"] = logins[type_["created_by_id"]]
        type_["updated_by"] = logins[type_["updated_by_id"]]
    return shown


TIMES = Kind(
    "TicketTimeAccounting",
    _time_objects,
    _times_expanded,
    frozenset({"id", "ticket_id", "type_id", "created_by_id", "created_at", "updated_at"}),
)
TYPES = Kind(
    "TicketTimeAccountingType",
    _type_objects,
    _types_expanded,
    frozenset({"id", "name", "active", "created_at", "updated_at"}),
)


# --- entries -------------------------------------------------------------------------------------


def _visible(actor: Actor) -> QuerySet[TimeEntry]:
    """The entries the actor may read: those of his groups, or all of them."""
    groups = actor.groups_with("read")
    if groups is None or actor.may(PERMISSION):
        return TimeEntry.objects.all()
    return TimeEntry.objects.filter(ticket__group__in=sorted(groups))


def _ticket_id(call: Call, text: str) -> int:
    """The ticket in the path, if its time is for the caller."""
    id_ = values.row_id(text, "ticket")
    if not call.actor.may(PERMISSION):
        access.ticket_for(call.actor, id_, as_agent=True)
    elif not Ticket.objects.filter(pk=id_).exists():
        raise Unknown("ticket", id_)
    return id_


def _entry(call: Call, time_id: str, ticket_id: str | None) -> TimeEntry:
    """The entry in the path, if it is the ticket's there and for the caller."""
    rows = TimeEntry.objects.all()
    if ticket_id is not None:
        rows = rows.filter(ticket=_ticket_id(call, ticket_id))
    id_ = values.row_id(time_id, "time_entry")
    row = rows.filter(pk=id_).first()
    if row is None:
        raise Unknown("time_entry", id_)
    if not _visible(call.actor).filter(pk=id_).exists():
        raise not_authorized()
    return row


@_reads
def list_entries(call: Call, ticket_id: str | None = None) -> HttpResponse:
    """A page of the entries the caller may read: of one ticket, or of all."""
    rows = _visible(call.actor)
    given = ticket_id if ticket_id is not None else call.params.get("ticket_id")
    if not values.is_blank(given):
        rows = rows.filter(ticket=_ticket_id(call, str(given)))
    return index(call, rows, TIMES)


@_reads
def show_entry(call: Call, time_id: str, ticket_id: str | None = None) -> HttpResponse:
    """One entry."""
    return one(call, _entry(call, time_id, ticket_id), TIMES)


@needs("ticket.agent")
def create_entry(call: Call, ticket_id: str | None = None) -> HttpResponse:
    """Record time spent on a ticket."""
    params = call.params
    given = ticket_id if ticket_id is not None else params.get("ticket_id")
    if values.is_blank(given):
        raise Problem(404, "Couldn't find Ticket without an ID")
    id_ = values.row_id(str(given), "ticket")
    access.ticket_for(call.actor, id_, "change", as_agent=True)
    if values.is_blank(params.get("time_unit")):
        raise errors.unprocessable("Missing required value for field 'time_unit'!")
    row = add_time(
        id_,
        seconds("time_unit", params["time_unit"]),
        article_id=_relation(params, "ticket_article_id") or None,
        type_id=_type(params) or None,
        actor=call.actor,
        at=call.at,
    )
    return one(call, row, TIMES, status=201)


@_keeps
def update_entry(call: Call, time_id: str, ticket_id: str | None = None) -> HttpResponse:
    """Correct an entry; what is not sent stays."""
    row, params = _entry(call, time_id, ticket_id), call.params
    changed = change_time(
        row.pk,
        seconds=_unit(params, row),
        article_id=_relation(params, "ticket_article_id"),
        type_id=_type(params),
        actor=call.actor,
        at=call.at,
    )
    return one(call, changed, TIMES)


@_keeps
def destroy_entry(call: Call, time_id: str, ticket_id: str | None = None) -> HttpResponse:
    """Take an entry away."""
    remove_time(_entry(call, time_id, ticket_id).pk, actor=call.actor, at=call.at)
    return done()


def _unit(params: dict[str, Any], row: TimeEntry) -> int | UnsetType:
    """The time wanted; one that reads like the stored is no change, though seconds were rounded."""
    given = params.get("time_unit")
    if values.is_blank(given) or given == minutes(row.seconds):
        return UNSET
    return seconds("time_unit", given)


def _relation(params: dict[str, Any], key: str) -> int | UnsetType | None:
    """An id that may be emptied; ``UNSET`` where it is not sent. Falsy unless it is an id."""
    if key not in params:
        return UNSET
    if values.is_blank(params[key]):
        return None
    id_ = values.as_id(params[key])
    if id_ is None:
        raise errors.invalid_param(key, params[key])
    return id_


def _type(params: dict[str, Any]) -> int | UnsetType | None:
    """What the time was spent on: a name beside no id, or an id."""
    if not values.is_blank(params.get("type")) and values.is_blank(params.get("type_id")):
        return names.row_named("time_type", params["type"], key="type")
    return _relation(params, "type_id")


# --- what time is spent on -----------------------------------------------------------------------


def _found_type(text: str) -> TimeType:
    id_ = values.row_id(text, "time_type")
    row = TimeType.objects.filter(pk=id_).first()
    if row is None:
        raise Unknown("time_type", id_)
    return row


def _type_columns(call: Call) -> dict[str, Any]:
    params = call.params
    found: dict[str, Any] = {}
    for name in ("name", "note"):
        if params.get(name) is not None:
            found[name] = values.text(name, params[name], limit=250)
    if params.get("active") is not None:
        found["active"] = values.boolean("active", params["active"])
    return found


@_reads
def list_types(call: Call) -> HttpResponse:
    return index(call, TimeType.objects.all(), TYPES)


@_reads
def show_type(call: Call, type_id: str) -> HttpResponse:
    return one(call, _found_type(type_id), TYPES)


@_keeps
def create_type(call: Call) -> HttpResponse:
    columns = {"name": "", **_type_columns(call)}
    return one(call, save_time_type(None, columns, actor=call.actor, at=call.at), TYPES, status=201)


@_keeps
def update_type(call: Call, type_id: str) -> HttpResponse:
    row = _found_type(type_id)
    return one(
        call, save_time_type(row.pk, _type_columns(call), actor=call.actor, at=call.at), TYPES
    )


# --- what a month cost ---------------------------------------------------------------------------


def _month(year: str, month: str) -> QuerySet[TimeEntry]:
    """The entries recorded in a month (UTC)."""
    y, m = (values.integer(name, text) for name, text in (("year", year), ("month", month)))
    if not (1000 <= y <= 9998 and 1 <= m <= 12):
        raise errors.invalid_value("month", f"{y}-{m}")
    start = datetime(y, m, 1, tzinfo=UTC)
    end = datetime(y + m // 12, m % 12 + 1, 1, tzinfo=UTC)
    return TimeEntry.objects.filter(created_at__gte=start, created_at__lt=end)


class _Lines:
    """Tickets and names around the lines of an answer; each table is read once.

    Time is what the permission is about, so every ticket's is there. A ticket that the caller may
    not read is no more than its id and number.
    """

    def __init__(self, call: Call, ticket_ids: list[int], agent_ids: set[int]) -> None:
        rows = Ticket.objects.filter(pk__in=ticket_ids).values_list(
            "id", "number", "customer_id", "organization_id"
        )
        self.around: dict[int, tuple[int, int | None]] = {
            id_: (customer, company) for id_, _number, customer, company in rows
        }
        self.tickets: dict[int, dict[str, Any]] = {
            id_: {"id": id_, "number": number} for id_, number, _customer, _company in rows
        }
        seen = queries.tickets_by_id(call.actor, ticket_ids)
        for shown in assets.tickets(call.actor, seen, ids=False):
            self.tickets[shown["id"]] = shown
        people = agent_ids | {customer for customer, _company in self.around.values()}
        self.people = {user.pk: user for user in User.objects.filter(pk__in=people)}
        companies = {company for _customer, company in self.around.values() if company is not None}
        self.companies = {row.pk: row for row in Organization.objects.filter(pk__in=companies)}

    def line(self, ticket_id: int, agent_id: int) -> dict[str, Any]:
        """What stands beside the time of a ticket."""
        customer_id, company_id = self.around[ticket_id]
        return {
            "ticket": self.tickets[ticket_id],
            "customer": senders.person_name(self.people[customer_id]),
            "organization": self.companies[company_id].name if company_id is not None else NONE,
            "agent": senders.person_name(self.people[agent_id]),
        }


@_keeps
def by_ticket(call: Call, year: str, month: str) -> HttpResponse:
    """The time of a month by ticket; the agent is who recorded first."""
    page = page_of(call.params, default=LINES_DEFAULT, most=LINES_MOST)
    sums = list(
        _month(year, month)
        .values("ticket_id")
        .annotate(spent=Sum("seconds"), first=Min("id"))
        .order_by("ticket_id")[page.offset : page.offset + page.limit]
    )
    agents = dict(
        TimeEntry.objects.filter(pk__in=[row["first"] for row in sums]).values_list(
            "id", "created_by_id"
        )
    )
    lines = _Lines(call, [row["ticket_id"] for row in sums], set(agents.values()))
    return answer(
        [
            {
                **lines.line(row["ticket_id"], agents[row["first"]]),
                "time_unit": minutes(row["spent"]),
                "time_unit_per_ticket": minutes(row["spent"]),
            }
            for row in sums
            if row["ticket_id"] in lines.around  # else deleted meanwhile
        ]
    )


@_keeps
def by_activity(call: Call, year: str, month: str) -> HttpResponse:
    """Every entry of a month."""
    page = page_of(call.params, default=LINES_DEFAULT, most=LINES_MOST)
    rows = list(
        _month(year, month).order_by("created_at", "id")[page.offset : page.offset + page.limit]
    )
    types = queries.names_of("time_type", {row.type_id for row in rows if row.type_id is not None})
    lines = _Lines(
        call, list({row.ticket_id: None for row in rows}), {r.created_by_id for r in rows}
    )
    return answer(
        [
            {
                **lines.line(row.ticket_id, row.created_by_id),
                "time_unit": minutes(row.seconds),
                "type": NONE if row.type_id is None else types[row.type_id],
                "created_at": stamp_of(row.created_at),
            }
            for row in rows
            if row.ticket_id in lines.around
        ]
    )


@_keeps
def by_customer(call: Call, year: str, month: str) -> HttpResponse:
    """The time of a month by customer and organization of the tickets."""
    sums = _sums(call, _month(year, month), "ticket__customer_id", "ticket__organization_id")
    people = User.objects.filter(pk__in={row["ticket__customer_id"] for row in sums})
    shown = {user["id"]: user for user in assets.users(list(people), actor=call.actor)}
    companies = _companies(call, sums)
    return answer(
        [
            {
                "customer": shown[row["ticket__customer_id"]],
                "organization": companies.get(row["ticket__organization_id"]),
                "time_unit": minutes(row["spent"]),
            }
            for row in sums
        ]
    )


@_keeps
def by_organization(call: Call, year: str, month: str) -> HttpResponse:
    """The time of a month by organization of the tickets."""
    rows = _month(year, month).filter(ticket__organization__isnull=False)
    sums = _sums(call, rows, "ticket__organization_id")
    companies = _companies(call, sums)
    return answer(
        [
            {
                "organization": companies[row["ticket__organization_id"]],
                "time_unit": minutes(row["spent"]),
            }
            for row in sums
        ]
    )


def _sums(call: Call, rows: QuerySet[TimeEntry], *keys: str) -> list[dict[str, Any]]:
    page = page_of(call.params, default=LINES_DEFAULT, most=LINES_MOST)
    sums = rows.values(*keys).annotate(spent=Sum("seconds")).order_by(*keys)
    return list(sums[page.offset : page.offset + page.limit])


def _companies(call: Call, sums: list[dict[str, Any]]) -> dict[int | None, dict[str, Any]]:
    ids = {row["ticket__organization_id"] for row in sums} - {None}
    rows = list(Organization.objects.filter(pk__in=ids))
    return {one_["id"]: one_ for one_ in assets.organizations(rows, actor=call.actor)}


collection = endpoint(get=list_entries, post=create_entry)
member = endpoint(get=show_entry, put=update_entry, delete=destroy_entry)
types = endpoint(get=list_types, post=create_type)
type_ = endpoint(get=show_type, put=update_type)
ticket_log = endpoint(get=by_ticket)
activity_log = endpoint(get=by_activity)
customer_log = endpoint(get=by_customer)
organization_log = endpoint(get=by_organization)
