"""One change to many tickets: all of them, or none (contract section 8)."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.http import HttpResponse

from deskbell.api.zammad import assets, customers, errors, names, uploads
from deskbell.api.zammad.customers import GUESS
from deskbell.api.zammad.decode import values
from deskbell.api.zammad.errors import Problem
from deskbell.api.zammad.views.base import Call, answer, endpoint, needs
from deskbell.api.zammad.views.tickets import write
from deskbell.kernel.errors import DeskError, Unknown
from deskbell.tickets import access, fields, queries
from deskbell.tickets.models import Ticket

#: Every ticket is an operation of its own within one transaction, and nobody else writes so long.
TICKETS_AT_MOST = 200


class _Stopped(Exception):
    """A ticket that cannot be changed so; nothing is."""

    def __init__(self, ticket_id: int) -> None:
        super().__init__(ticket_id)
        self.ticket_id = ticket_id


@needs("ticket.agent")
def mass_update(call: Call) -> HttpResponse:
    """Change tickets, add an article to each, or both. The first that cannot be is named."""
    ids = _ids(call.params.get("ticket_ids"))
    attributes = _attributes(call.params.get("attributes"))
    article = call.params.get("article") or None
    shown_fields = fields.for_actor(call.actor)
    try:
        with transaction.atomic():
            _take(call, ids)
            _check_names(attributes)
            attributes = _one_customer(call, attributes)
            for id_ in ids:
                try:
                    write(call, id_, {**attributes, "article": article}, shown_fields)
                except (Problem, DeskError):
                    raise _Stopped(id_) from None
            uploads.forget(article, actor=call.actor)
    except _Stopped as stopped:
        return answer({"error": True, "ticket_id": stopped.ticket_id}, 422)
    found = assets.Assets(call.actor, root=call.root)
    found.add_tickets(queries.written_tickets(ids))
    return answer({"ticket_ids": ids, "assets": found.filled()})


def _ids(given: Any) -> list[int]:
    """The tickets meant, each once, in the order sent."""
    if given is None:
        raise Problem(404, "Couldn't find Ticket without an ID")
    items = values.items("ticket_ids", given)
    if len(items) > TICKETS_AT_MOST:
        raise errors.unprocessable(f"'ticket_ids' has more than {TICKETS_AT_MOST} entries.")
    found: dict[int, None] = {}
    for item in items:
        id_ = values.as_id(item)
        if id_ is None:
            raise Unknown("ticket", item)
        found[id_] = None
    return list(found)


def _attributes(given: Any) -> dict[str, Any]:
    """What is to change; what a bulk form leaves empty says nothing."""
    if values.is_blank(given):
        return {}
    return {
        name: value
        for name, value in values.mapping("attributes", given).items()
        if not values.is_blank(value) and value not in ([], {})
    }


def _take(call: Call, ids: list[int]) -> None:
    """Hold all tickets at once, in one order for everybody, and judge access to each."""
    rows = Ticket.objects.select_for_update(no_key=True).filter(pk__in=ids).order_by("id")
    there = {row.pk: row for row in rows}
    for id_ in ids:
        if id_ not in there:
            raise Unknown("ticket", id_)
    for id_ in ids:
        if not access.allows(call.actor, there[id_], "change", as_agent=True):
            raise _Stopped(id_)


def _check_names(attributes: dict[str, Any]) -> None:
    """A name of nothing is wrong with the call and not with one of the tickets."""
    for kind in ("group", "state", "priority", "organization"):
        if kind in attributes:
            names.row_named(kind, attributes[kind])
    if "owner" in attributes:
        names.user_named("owner", attributes["owner"], nobody=True)
    customer = attributes.get("customer")
    if isinstance(customer, str) and not customer.startswith(GUESS):
        names.user_named("customer", customer)


def _one_customer(call: Call, attributes: dict[str, Any]) -> dict[str, Any]:
    """Somebody who is described is found, or made, once for all tickets."""
    described = attributes.get("customer")
    if not isinstance(described, dict):
        return attributes
    id_ = customers.for_new_ticket({"customer": described}, actor=call.actor, at=call.at)
    others = {name: value for name, value in attributes.items() if name != "customer"}
    return {**others, "customer_id": attributes.get("customer_id", id_)}


collection = endpoint(post=mass_update)
