"""The only door: access is how you *get* a ticket.

The predicate stands once, as SQL over ``tickets_ticket``; lists, searches, counts, links and the
single ticket all go through it. Ownership grants nothing (decision 23).
"""

from __future__ import annotations

from typing import Any, Literal

from django.db.models import QuerySet

from deskbell.kernel.actor import Actor
from deskbell.kernel.compiled import Compiled
from deskbell.kernel.errors import Forbidden, Unknown
from deskbell.kernel.text import MAX_ID
from deskbell.tickets.models import Ticket

Level = Literal["read", "change", "full"]
Predicate = tuple[str, list[Any]]

EVERYTHING: Predicate = ("1=1", [])
NOTHING: Predicate = ("1=0", [])


class TicketUnknown(Unknown):
    """There is no such ticket."""


class TicketForbidden(Forbidden):
    """There is such a ticket, but not for this actor, or not to do this with."""


def visible(actor: Actor, level: Level = "read") -> Predicate:
    """SQL over ``tickets_ticket`` and its parameters: the tickets on which the actor has the level.

    An agent: those of groups granted. Somebody with ``ticket.customer``: own ones, and those of
    own shared organizations (to read and to answer). An administrator without a role that grants
    tickets: none (decision 4).
    """
    groups = actor.groups_with(level)
    if groups is None:
        return EVERYTHING
    parts: list[str] = []
    params: list[Any] = []
    if groups:
        parts.append(f"tickets_ticket.group_id IN ({_places(len(groups))})")
        params.extend(sorted(groups))
    if level != "full" and actor.may("ticket.customer"):
        parts.append("tickets_ticket.customer_id = %s")
        params.append(actor.user_id)
        if actor.shared_organizations:
            parts.append(
                f"tickets_ticket.organization_id IN ({_places(len(actor.shared_organizations))})"
            )
            params.extend(sorted(actor.shared_organizations))
    if not parts:
        return NOTHING
    return f"({' OR '.join(parts)})", params


def own(actor: Actor) -> Predicate:
    """The tickets whose customer is the actor, whatever else he may see (``user_tickets``)."""
    return "tickets_ticket.customer_id = %s", [actor.user_id]


def _places(count: int) -> str:
    return ", ".join(["%s"] * count)


def tickets(actor: Actor, level: Level = "read") -> QuerySet[Ticket]:
    """A queryset of the tickets on which the actor has the level."""
    where, params = visible(actor, level)
    # The text is ours alone; every value travels as a parameter.
    return Ticket.objects.extra(where=[where], params=params)  # noqa: S610


def allows(actor: Actor, ticket: Any, level: Level = "read", *, as_agent: bool = False) -> bool:
    """The same rule for a row at hand (anything with group, customer and organization ids).

    ``as_agent``: the customer's own access does not count (tags, merges, internal entries).
    """
    if actor.may_in_group(level, ticket.group_id):
        return True
    if as_agent or level == "full" or not actor.may("ticket.customer"):
        return False
    return (
        ticket.customer_id == actor.user_id or ticket.organization_id in actor.shared_organizations
    )


def sees_internal(actor: Actor, ticket: Any) -> bool:
    """Whether private entries of the ticket are for the actor: an agent with read on its group."""
    return actor.may_in_group("read", ticket.group_id)


def _by_id(ticket_id: int) -> QuerySet[Ticket]:
    rows = Ticket.objects.select_related("state", "group__email_address", "customer", "priority")
    return rows.filter(pk=ticket_id)


_READ = Compiled(_by_id, int)
_LOCKED = Compiled(
    lambda ticket_id: _by_id(ticket_id).select_for_update(of=("self",), no_key=True), int
)


def locked(ticket_id: int) -> Ticket | None:
    """The row of the ticket, taken for the running transaction; access is the caller's."""
    # PostgreSQL waits for whoever holds the row, and then looks at its new values beside the old
    # rows joined to it: after a change of state or group they do not fit, and it finds nothing,
    # though the row is ours now. The second look begins after that change.
    return _LOCKED.first(ticket_id) or _LOCKED.first(ticket_id)


def ticket_for(
    actor: Actor,
    ticket_id: int,
    level: Level = "read",
    *,
    lock: bool = False,
    as_agent: bool = False,
) -> Ticket:
    """The ticket, if the actor has the level on it.

    ``lock`` takes the row for the running transaction; others may still refer to it (links to
    one another would wait for each other otherwise). Raises :class:`TicketUnknown`,
    :class:`TicketForbidden`.
    """
    if not 0 < ticket_id <= MAX_ID:
        raise TicketUnknown("ticket", ticket_id)
    ticket = locked(ticket_id) if lock else _READ.first(ticket_id)
    if ticket is None:
        raise TicketUnknown("ticket", ticket_id)
    if not allows(actor, ticket, level, as_agent=as_agent):
        raise TicketForbidden("ticket", ticket_id)
    return ticket


def may_delete(actor: Actor, ticket: Ticket) -> bool:
    """``admin``, whatever the group; or ``ticket.delete`` where the ticket may be changed."""
    return actor.may("admin") or (
        actor.may("ticket.delete") and allows(actor, ticket, "change", as_agent=True)
    )


def creatable_groups(actor: Actor) -> frozenset[int] | None:
    """Ids of the groups the actor may open tickets in; ``None`` for every one.

    Whether a group is active is for the caller to check; a customer may ask any.
    """
    groups = actor.groups_with("create")
    if groups is None or actor.may("ticket.customer"):
        return None
    return groups
