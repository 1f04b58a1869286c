"""What lies around a ticket: its customer's others, what was looked at, splitting (section 8)."""

from __future__ import annotations

import calendar
from collections import defaultdict
from datetime import UTC, datetime
from typing import Any

from django.db.models import Count, Q
from django.http import HttpResponse

from deskbell.api.zammad import assets, errors, uploads
from deskbell.api.zammad.decode import values
from deskbell.api.zammad.encode.values import stamp
from deskbell.api.zammad.models import Upload
from deskbell.api.zammad.views.base import Call, answer, endpoint, needs, not_authorized
from deskbell.api.zammad.views.companies import visible_organizations
from deskbell.api.zammad.views.users import organizations_of, works_with_people
from deskbell.kernel.actor import NOBODY_ID, Actor
from deskbell.people.models import Organization, User
from deskbell.tickets import access, queries
from deskbell.tickets.operations import article_for
from deskbell.tickets.operations.viewing import note_view
from deskbell.tickets.queries import RecentViewRow
from deskbell.tickets.vocabulary import VIEWABLE, StateType

#: What Zammad counts as open and as closed; merged and removed tickets are neither.
OPEN = (StateType.NEW, StateType.OPEN, StateType.PENDING_REMINDER, StateType.PENDING_ACTION)
CLOSED = (StateType.CLOSED,)
NOT_MERGED = tuple(type_ for type_ in StateType if type_ is not StateType.MERGED)

OF_CUSTOMER, RELATED, VIEWED_BESIDE, VIEWED, COUNTED = 15, 6, 8, 10, 100
#: Organizations one call may ask about.
ORGANIZATIONS_AT_MOST = 100
MONTHS = 12


@needs("ticket.agent")
def of_customer(call: Call) -> HttpResponse:
    """The newest open and closed tickets of a customer, as far as the caller may read them."""
    customer_id = values.as_id(call.params.get("customer_id"))
    ids = {
        key: queries.newest_ids(call.actor, customer_id=customer_id, types=types, limit=OF_CUSTOMER)
        for key, types in (("ticket_ids_open", OPEN), ("ticket_ids_closed", CLOSED))
    }
    shown = _assets(call, ids["ticket_ids_open"] + ids["ticket_ids_closed"])
    return answer({**ids, "assets": shown.filled()})


@needs("ticket.agent")
def related(call: Call, ticket_id: str) -> HttpResponse:
    """Other tickets of the ticket's customer, open ones if there are any; and what was viewed."""
    actor = call.actor
    id_ = values.row_id(ticket_id, "ticket")
    ticket = access.ticket_for(actor, id_, as_agent=True)
    theirs: list[int] = []
    for types in (OPEN, NOT_MERGED):
        theirs = theirs or queries.newest_ids(
            actor, customer_id=ticket.customer_id, types=types, without=id_, limit=RELATED
        )
    viewed = [one for one in _viewed_tickets(actor) if one != id_][:VIEWED_BESIDE]
    return answer(
        {
            "assets": _assets(call, [id_, *theirs, *viewed]).filled(),
            "ticket_ids_by_customer": theirs,
            "ticket_ids_recent_viewed": viewed,
        }
    )


@needs("ticket.agent")
def recent(call: Call) -> HttpResponse:
    """The tickets the caller looked at last. Without a ticket at hand there is no customer's."""
    viewed = _viewed_tickets(call.actor)[:VIEWED]
    return answer(
        {
            "assets": _assets(call, viewed).filled(),
            "ticket_ids_by_customer": [],
            "ticket_ids_recent_viewed": viewed,
        }
    )


def _assets(call: Call, ticket_ids: list[int]) -> assets.Assets:
    found = assets.Assets(call.actor, root=call.root)
    found.add_tickets(queries.tickets_by_id(call.actor, list(dict.fromkeys(ticket_ids))))
    return found


# --- figures -------------------------------------------------------------------------------------


def stats(call: Call) -> HttpResponse:
    """Open and closed tickets of a person or of organizations, and how many a month.

    Only tickets that the caller may read are listed and counted.
    """
    params = call.params
    user_id, organizations = params.get("user_id"), params.get("organization_id")
    if values.is_blank(user_id) and (values.is_blank(organizations) or organizations == []):
        raise errors.unprocessable("Need user_id or organization_id as param")
    of_user: dict[str, Any] = {}
    of_organization: dict[str, Any] = {}
    if not values.is_blank(user_id):
        id_ = values.as_id(user_id)
        if id_ is None or not User.objects.filter(pk=id_).exists():
            raise errors.unprocessable(f"No such user with id {errors.inspected(user_id)}")
        of_user = _figures(call, customer_id=id_)
    if not values.is_blank(organizations):
        of_organization = _figures(call, organization_ids=_organizations(organizations))
    listed = [
        id_
        for one in (of_user, of_organization)
        for key in ("open_ids", "closed_ids")
        for id_ in one.get(key, ())
    ]
    shown = _assets(call, listed)
    return answer({"user": of_user, "organization": of_organization, "assets": shown.filled()})


def _organizations(given: Any) -> list[int]:
    items = values.items("organization_id", given)
    if len(items) > ORGANIZATIONS_AT_MOST:
        raise errors.unprocessable(
            f"'organization_id' has more than {ORGANIZATIONS_AT_MOST} entries."
        )
    ids = {values.as_id(item): item for item in items}
    wanted = [id_ for id_ in ids if id_ is not None]
    known = set(Organization.objects.filter(pk__in=wanted).values_list("pk", flat=True))
    for id_, item in ids.items():
        if id_ not in known:
            raise errors.unprocessable(f"No such organization with id {errors.inspected(item)}")
    return wanted


def _figures(
    call: Call, *, customer_id: int | None = None, organization_ids: list[int] | None = None
) -> dict[str, Any]:
    found: dict[str, Any] = {
        key: queries.newest_ids(
            call.actor,
            customer_id=customer_id,
            organization_ids=organization_ids or (),
            types=types,
            limit=COUNTED,
        )
        for key, types in (("closed_ids", CLOSED), ("open_ids", OPEN))
    }
    whose = (
        Q(customer=customer_id)
        if customer_id is not None
        else Q(organization__in=organization_ids or [])
    )
    found["volume_by_year"] = _volume(call, whose)
    return found


def _volume(call: Call, whose: Q) -> list[dict[str, Any]]:
    """How many tickets were opened and closed, this month and in those before; one statement."""
    bounds = _months(call.at)
    rows = access.tickets(call.actor).filter(whose).exclude(customer=NOBODY_ID)
    wanted = {
        f"{word}_{n}": Count("pk", filter=Q(**{f"{column}__gte": start, f"{column}__lt": end}))
        for n, (start, end) in enumerate(bounds)
        for word, column in (("created", "created_at"), ("closed", "close_at"))
    }
    counted = rows.aggregate(**wanted)
    return [
        {
            "month": start.month,
            "year": start.year,
            "text": calendar.month_name[start.month],
            "created": counted[f"created_{n}"],
            "closed": counted[f"closed_{n}"],
        }
        for n, (start, _end) in enumerate(bounds)
    ]


def _months(at: datetime) -> list[tuple[datetime, datetime]]:
    """First moments (UTC) of this month and those before, each with that of the next one."""
    first = at.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    starts = [_shifted(first, -n) for n in range(-1, MONTHS)]
    return [(starts[n + 1], starts[n]) for n in range(MONTHS)]


def _shifted(first: datetime, months: int) -> datetime:
    count = first.year * 12 + first.month - 1 + months
    return first.replace(year=count // 12, month=count % 12 + 1)


# --- splitting -----------------------------------------------------------------------------------


@needs("ticket.agent")
def split(call: Call) -> HttpResponse:
    """An article to open a ticket from; its files wait in the form for that ticket's article."""
    params, actor = call.params, call.actor
    id_ = values.row_id(str(params.get("ticket_id")), "ticket")
    ticket = access.ticket_for(actor, id_, as_agent=True)
    article = article_for(actor, values.row_id(str(params.get("article_id")), "article"))
    if not access.allows(actor, article.ticket, as_agent=True):
        raise not_authorized()
    if values.is_blank(params.get("form_id")):
        raise errors.unprocessable("The required parameter 'form_id' is missing.")
    form_id = values.text("form_id", params["form_id"])
    copies = uploads.copy(article.pk, form_id, actor=actor, at=call.at)
    found = assets.Assets(actor, root=call.root)
    found.add_tickets(queries.tickets_by_id(actor, sorted({ticket.pk, article.ticket_id})))
    found.add_articles(queries.articles_by_id([article.pk]))
    return answer({"assets": found.filled(), "attachments": [_file(one) for one in copies]})


def _file(upload: Upload) -> dict[str, Any]:
    return {
        "id": upload.pk,
        "filename": upload.filename,
        "size": str(upload.size),
        "preferences": {"Mime-Type": upload.content_type},
    }


# --- recently viewed -----------------------------------------------------------------------------


def views(call: Call) -> HttpResponse:
    """What the caller looked at last, as far as he still may."""
    rows = _readable(call.actor, queries.recent_views(call.actor.user_id))[:VIEWED]
    shown = [_view(row, call.actor) for row in rows]
    if call.asks("expand"):
        logins = queries.names_of("user", {call.actor.user_id})
        for one, row in zip(shown, rows, strict=True):
            one["object"] = row.object
            one["created_by"] = logins[one["created_by_id"]]
        return answer(shown)
    if call.asks("full"):
        found = assets.Assets(call.actor, root=call.root)
        found.add_objects("RecentView", shown)
        of = _ids(rows)
        found.add_tickets(queries.tickets_by_id(call.actor, of["Ticket"]))
        found.add_users([*of["User"], call.actor.user_id])
        found.add_organizations(of["Organization"])
        return answer({"record_ids": [row.id for row in rows], "assets": found.filled()})
    return answer(shown)


def view(call: Call) -> HttpResponse:
    """The caller looks at something. What he may not see is not noted, and not spoken of."""
    object_, id_ = call.params.get("object"), values.as_id(call.params.get("o_id"))
    if object_ not in VIEWABLE:
        raise errors.invalid_value("object", object_)
    if id_ is None:
        raise errors.invalid_param("o_id", call.params.get("o_id"))
    if _readable(call.actor, [RecentViewRow(0, str(object_), id_, call.at)]):
        note_view(str(object_), id_, actor=call.actor, at=call.at)
    return answer({"message": "ok"})


def _view(row: RecentViewRow, actor: Actor) -> dict[str, Any]:
    return {
        "id": row.id,
        "recent_view_object_id": VIEWABLE.index(row.object) + 1,
        "o_id": row.object_id,
        "created_by_id": actor.user_id,
        "created_at": stamp(row.viewed_at),
        "updated_at": stamp(row.viewed_at),
    }


def _ids(rows: list[RecentViewRow]) -> defaultdict[str, list[int]]:
    found: defaultdict[str, list[int]] = defaultdict(list)
    for row in rows:
        found[row.object].append(row.object_id)
    return found


def _readable(actor: Actor, rows: list[RecentViewRow]) -> list[RecentViewRow]:
    """The views of what is there and for the actor; a statement a class, none without views."""
    of = _ids(rows)
    there: dict[str, set[int]] = {}
    if of["Ticket"]:
        tickets = access.tickets(actor).filter(pk__in=of["Ticket"])
        there["Ticket"] = set(tickets.values_list("pk", flat=True))
    if of["User"]:
        people = User.objects.filter(pk__in=of["User"])
        if not works_with_people(actor):
            own = organizations_of(actor.user_id)
            people = people.filter(
                Q(pk=actor.user_id) | Q(organization__in=own) | Q(organizations__in=own)
            )
        there["User"] = set(people.values_list("pk", flat=True))
    if of["Organization"]:
        companies = visible_organizations(actor).filter(pk__in=of["Organization"])
        there["Organization"] = set(companies.values_list("pk", flat=True))
    return [row for row in rows if row.object_id in there.get(row.object, ())]


def _viewed_tickets(actor: Actor) -> list[int]:
    """Ids of the tickets the actor looked at and may still read, the last first."""
    rows = [row for row in queries.recent_views(actor.user_id) if row.object == "Ticket"]
    return [row.object_id for row in _readable(actor, rows)]


customer = endpoint(get=of_customer)
relations = endpoint(get=related)
latest = endpoint(get=recent)
figures = endpoint(get=stats, post=stats)
splitting = endpoint(get=split)
recent_views = endpoint(get=views, post=view)
