"""The agents' overviews: which tickets, in which order, how many.

An overview costs the same at any number of tickets. For each group and state that it shows, the
newest rows are read from an index that ends in ``updated_at, id``, and the few that are left are
put in order. A page goes on after the last row of the one before (keyset), never by an offset.
"""

# ruff: noqa: S608 - every text here is ours; values travel as parameters only

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, NamedTuple

from django.db import connection

from deskbell.kernel.actor import NOBODY_ID, Actor
from deskbell.kernel.text import MAX_ID
from deskbell.tickets import access
from deskbell.tickets.queries import Moment, fetch, moment, places
from deskbell.tickets.vocabulary import StateType

Name = Literal["mine", "unassigned", "open", "all", "closed"]
NAMES: tuple[Name, ...] = ("mine", "unassigned", "open", "all", "closed")
#: Own and unassigned tickets are counted up to here; a badge says "999+" beyond.
COUNT_LIMIT = 1000

_WORKING = tuple(int(t) for t in StateType if not t.is_closed)
_TYPES: dict[Name, tuple[int, ...]] = {
    "mine": _WORKING,
    "unassigned": _WORKING,
    "open": _WORKING,
    "all": tuple(int(t) for t in StateType),
    "closed": (int(StateType.CLOSED),),
}


class ListedTicket(NamedTuple):
    """A line of a list: the ticket, and what the joined rows call things."""

    id: int
    number: str
    title: str
    state_type: int
    state_name: str
    priority_number: int
    priority_name: str
    group_id: int
    group_name: str
    owner_id: int
    owner_first: str
    owner_last: str
    owner_login: str
    customer_id: int
    customer_first: str
    customer_last: str
    customer_login: str
    article_count: int | None
    on_hold: bool
    escalation_at: Moment | None
    created_at: Moment
    updated_at: Moment

    @property
    def owner_name(self) -> str:
        return f"{self.owner_first} {self.owner_last}".strip() or self.owner_login

    @property
    def customer_name(self) -> str:
        return f"{self.customer_first} {self.customer_last}".strip() or self.customer_login

    @property
    def updated(self) -> datetime:
        """When it changed last (UTC)."""
        return moment(self.updated_at)

    @property
    def created(self) -> datetime:
        """When it was opened (UTC)."""
        return moment(self.created_at)

    @property
    def kind(self) -> StateType:
        return StateType(self.state_type)

    @property
    def has_owner(self) -> bool:
        return self.owner_id != NOBODY_ID

    @property
    def has_customer(self) -> bool:
        return self.customer_id != NOBODY_ID


_LISTED = """
SELECT t.id, t.number, t.title, s.type, s.name, p.helpdesk_number, p.name, g.id, g.name,
       o.id, o.firstname, o.lastname, o.login, c.id, c.firstname, c.lastname, c.login,
       t.article_count, t.on_hold, t.escalation_at, t.created_at, t.updated_at
  FROM tickets_ticket t
  JOIN tickets_state s ON s.id = t.state_id
  JOIN tickets_priority p ON p.id = t.priority_id
  JOIN people_group g ON g.id = t.group_id
  JOIN people_user o ON o.id = t.owner_id
  JOIN people_user c ON c.id = t.customer_id
 WHERE t.id IN """


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page goes on: below the ticket ``id`` that changed last at ``updated_at`` (UTC)."""

    updated_at: datetime
    id: int

    def __str__(self) -> str:
        """``1772442000000000-17``: microseconds since 1970, and the id."""
        since = self.updated_at - datetime(1970, 1, 1, tzinfo=UTC)
        return f"{since // timedelta(microseconds=1)}-{self.id}"

    @classmethod
    def parse(cls, text: str) -> Place | None:
        """The place that a text names, ``None`` where it names none."""
        count, dash, id_ = text.partition("-")
        if not (dash and count.isascii() and count.isdigit() and id_.isascii() and id_.isdigit()):
            return None
        # Sixteen digits reach the year 2286, nineteen hold every id; no clock says more.
        if len(count) > 16 or len(id_) > 19 or int(id_) > MAX_ID:
            return None
        seconds, microseconds = divmod(int(count), 1_000_000)
        at = datetime.fromtimestamp(seconds, UTC).replace(microsecond=microseconds)
        return cls(at, int(id_))


def page(
    actor: Actor, name: Name, *, limit: int, after: Place | None = None
) -> tuple[list[ListedTicket], Place | None]:
    """A page of an overview, latest change first, and the place of the next one. Two queries.

    Shows the tickets of groups the actor reads; what he asked for himself is not work.
    """
    groups = actor.groups_with("read")
    if groups is not None and not groups:
        return [], None
    ids = [row[0] for row in _walk(actor, name, groups, limit + 1, after)]
    rows = listed(ids[:limit])
    more = len(ids) > limit and rows
    return rows, Place(rows[-1].updated, rows[-1].id) if more else None


def listed(ids: Sequence[int]) -> list[ListedTicket]:
    """The lines of tickets at hand, in the order of the ids; access is the caller's. One query."""
    if not ids:
        return []
    rows = fetch(f"{_LISTED}({places(len(ids))})", ids)
    found = {row[0]: ListedTicket._make(row) for row in rows}
    return [found[id_] for id_ in ids if id_ in found]


def _walk(
    actor: Actor, name: Name, groups: frozenset[int] | None, limit: int, after: Place | None
) -> list[tuple[Any, ...]]:
    """Ids of a page, by merging the newest rows of each (group, state), or (owner, state).

    PostgreSQL is told with LATERAL; SQLite, which lacks it, runs a correlated IN the same way.
    """
    types = _TYPES[name]
    inner = "x.state_id = s.id"
    params: list[Any] = []
    outer, outer_params = f"s.type IN ({places(len(types))})", list(types)
    chosen = sorted(groups) if groups is not None else None
    if name == "mine":
        sources = "tickets_state s"
        inner += " AND x.owner_id = %s"
        params.append(actor.user_id)
        if chosen is not None:
            # The plus keeps planners from reading all that the groups have to find the owner's.
            inner += f" AND +x.group_id IN ({places(len(chosen))})"
            params += chosen
    else:
        sources = "tickets_state s CROSS JOIN people_group g"
        inner += " AND x.group_id = g.id"
        if name == "unassigned":
            # Written out, because only then an index over unassigned tickets serves.
            inner += f" AND x.owner_id = {NOBODY_ID}"
        if chosen is not None:
            outer += f" AND g.id IN ({places(len(chosen))})"
            outer_params += chosen
    if after is not None:
        inner += " AND (x.updated_at, x.id) < (%s, %s)"
        params += [connection.ops.adapt_datetimefield_value(after.updated_at), after.id]
    newest = f"WHERE {inner} ORDER BY x.updated_at DESC, x.id DESC LIMIT %s"
    params.append(limit)
    if connection.vendor == "postgresql":
        sql = (
            f"SELECT t.id FROM {sources} CROSS JOIN LATERAL"
            f" (SELECT x.id, x.updated_at FROM tickets_ticket x {newest}) t WHERE {outer}"
        )
        values = [*params, *outer_params]
    else:
        sql = (
            f"SELECT t.id FROM {sources} CROSS JOIN tickets_ticket t WHERE {outer}"
            f" AND t.id IN (SELECT x.id FROM tickets_ticket x {newest})"
        )
        values = [*outer_params, *params]
    return fetch(f"{sql} ORDER BY t.updated_at DESC, t.id DESC LIMIT %s", [*values, limit])


def counts(actor: Actor) -> dict[Name, int]:
    """How many tickets each overview holds; own and unassigned ones up to ``COUNT_LIMIT``.

    The others are sums of the counters (decision 39). Two queries.
    """
    groups = actor.groups_with("read")
    if groups is not None and not groups:
        return dict.fromkeys(NAMES, 0)
    within, params = "", []
    if groups is not None:
        within = f" AND c.group_id IN ({places(len(groups))})"
        params = sorted(groups)
    sums = fetch(
        "SELECT s.type, SUM(c.delta) FROM tickets_ticketcount c"
        f" JOIN tickets_state s ON s.id = c.state_id WHERE 1=1{within} GROUP BY s.type",
        params,
    )
    by_type = {type_: int(total) for type_, total in sums}

    def total(types: Collection[int]) -> int:
        return sum(by_type.get(type_, 0) for type_ in types)

    mine, unassigned = _own_and_unassigned(actor, groups)
    return {
        "mine": mine,
        "unassigned": unassigned,
        "open": total(_TYPES["open"]),
        "all": total(_TYPES["all"]),
        "closed": total(_TYPES["closed"]),
    }


def _own_and_unassigned(actor: Actor, groups: frozenset[int] | None) -> tuple[int, int]:
    within, params = "", []
    if groups is not None:
        within = f"x.group_id IN ({places(len(groups))})"
        params = sorted(groups)
    states = f"x.state_id IN (SELECT id FROM tickets_state WHERE type IN ({places(len(_WORKING))}))"

    def counted(owner: str, groups: str) -> str:
        return (
            f"(SELECT COUNT(*) FROM (SELECT 1 FROM tickets_ticket x WHERE x.owner_id = {owner}"
            f" AND {states}{groups} LIMIT {COUNT_LIMIT}) n)"
        )

    # Own tickets are few and are found by owner, unassigned ones by group; see _walk for the plus.
    mine = counted("%s", within and f" AND +{within}")
    unassigned = counted(str(NOBODY_ID), within and f" AND {within}")
    row = fetch(
        f"SELECT {mine}, {unassigned}",
        [actor.user_id, *_WORKING, *params, *_WORKING, *params],
    )[0]
    return int(row[0]), int(row[1])


def own_page(
    actor: Actor, *, limit: int, below: int | None = None
) -> tuple[list[ListedTicket], int | None]:
    """What the actor asked for himself, or his shared organizations did, newest first. Two queries.

    ``below`` is the id that the page before ended with; returned with the rows is that of this one.
    Empty for somebody who is no customer.
    """
    if not actor.may("ticket.customer"):
        return [], None
    parts = ["SELECT id FROM tickets_ticket WHERE customer_id = %s"]
    columns: list[list[Any]] = [[actor.user_id]]
    for organization_id in sorted(actor.shared_organizations):
        parts.append("SELECT id FROM tickets_ticket WHERE organization_id = %s")
        columns.append([organization_id])
    edge = "" if below is None else " AND id < %s"
    params: list[Any] = []
    for column in columns:
        params += [*column, *([] if below is None else [below]), limit + 1]
    union = " UNION ".join(
        f"SELECT id FROM ({part}{edge} ORDER BY id DESC LIMIT %s) part{number}"
        for number, part in enumerate(parts)
    )
    ids = [row[0] for row in fetch(f"{union} ORDER BY id DESC LIMIT %s", [*params, limit + 1])]
    return listed(ids[:limit]), ids[limit - 1] if len(ids) > limit else None


def is_own(actor: Actor, ticket: Any) -> bool:
    """Whether the actor sees the ticket only as the one who asked, not as an agent of its group."""
    return access.allows(actor, ticket) and not access.allows(actor, ticket, as_agent=True)
