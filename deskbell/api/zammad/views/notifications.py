"""What the caller is told inside the desk (contract section 12)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import transaction
from django.http import HttpResponse

from deskbell.api.zammad.assets import Assets, Objects
from deskbell.api.zammad.decode import values
from deskbell.api.zammad.encode.values import stamp
from deskbell.api.zammad.paging import page_of
from deskbell.api.zammad.views.base import Call, answer, done, endpoint
from deskbell.notify import operations, queries
from deskbell.notify.models import Occasion
from deskbell.notify.queries import NotificationRow
from deskbell.tickets.queries import moment, names_of, tickets_by_id

AT_MOST = 200
#: Zammad's number for tickets among the classes that can be told about.
TICKET_CLASS = 2


def _object(row: NotificationRow) -> dict[str, Any]:
    """One notification. Nobody but its receiver changes one."""
    changed = moment(row.updated_at) != moment(row.created_at)
    return {
        "id": row.id,
        "o_id": row.ticket_id,
        "object_lookup_id": TICKET_CLASS,
        "type_lookup_id": row.type,
        "user_id": row.user_id,
        "seen": bool(row.seen),
        "updated_by_id": row.user_id if changed else row.created_by_id,
        "created_by_id": row.created_by_id,
        "created_at": stamp(row.created_at),
        "updated_at": stamp(row.updated_at),
    }


def _expanded(shown: Objects) -> Objects:
    keys = ("user_id", "created_by_id", "updated_by_id")
    logins = names_of("user", {one[key] for one in shown for key in keys})
    for one in shown:
        one["user"] = logins[one["user_id"]]
        one["object"] = "Ticket"
        one["type"] = Occasion(one["type_lookup_id"]).label
        one["created_by"] = logins[one["created_by_id"]]
        one["updated_by"] = logins[one["updated_by_id"]]
    return shown


def _assets(call: Call, rows: Sequence[NotificationRow]) -> dict[str, Any]:
    found = Assets(call.actor, root=call.root)
    found.add_objects("OnlineNotification", _expanded([_object(row) for row in rows]))
    found.add_tickets(tickets_by_id(call.actor, sorted({row.ticket_id for row in rows})))
    for row in rows:
        found.add_users({row.user_id, row.created_by_id})
    return found.filled()


def index(call: Call) -> HttpResponse:
    """The newest, at most 200."""
    page = page_of(call.params, default=AT_MOST, most=AT_MOST)
    rows = queries.page(call.actor, limit=page.limit, offset=page.offset)
    if call.asks("expand"):
        return answer(_expanded([_object(row) for row in rows]))
    if call.asks("full"):
        return answer({"record_ids": [row.id for row in rows], "assets": _assets(call, rows)})
    return answer([_object(row) for row in rows])


def _one(call: Call, id_: int) -> HttpResponse:
    row = queries.one(call.actor, id_)
    if call.asks("expand"):
        return answer(_expanded([_object(row)])[0])
    if call.asks("full"):
        return answer({"id": row.id, "assets": _assets(call, [row])})
    return answer(_object(row))


def show(call: Call, notification_id: str) -> HttpResponse:
    """One of the caller's own; somebody else's is a 403."""
    return _one(call, values.row_id(notification_id, "notification"))


def update(call: Call, notification_id: str) -> HttpResponse:
    """``seen`` is all that can be changed; the rest of a body is ignored."""
    id_ = values.row_id(notification_id, "notification")
    given = call.params.get("seen")
    with transaction.atomic():
        if given is None:
            queries.one(call.actor, id_)
        else:
            seen = values.boolean("seen", given)
            operations.mark(id_, seen=seen, actor=call.actor, at=call.at)
    return _one(call, id_)


def destroy(call: Call, notification_id: str) -> HttpResponse:
    """Take one away."""
    operations.remove(values.row_id(notification_id, "notification"), actor=call.actor)
    return done()


def mark_all(call: Call) -> HttpResponse:
    """Everything counts as seen."""
    operations.mark_all(actor=call.actor, at=call.at)
    return done()


collection = endpoint(get=index)
member = endpoint(get=show, put=update, delete=destroy)
all_read = endpoint(post=mark_all, put=mark_all)
