"""One row source per resource, used by every read of every dialect and page.

The SQL text is put together once per shape; what varies are parameters. Rows come as the database
driver gives them, because reads are hot: moments are UTC, texts on SQLite and aware on PostgreSQL
(:func:`moment` makes them the same), JSON columns are texts on both.
"""

# ruff: noqa: S608 - every text here is ours; values travel as parameters only

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, NamedTuple

from django.db import connection

from deskbell.kernel.actor import NOBODY_ID, Actor
from deskbell.kernel.text import MAX_ID
from deskbell.tickets import access
from deskbell.tickets.access import Predicate, TicketForbidden, TicketUnknown

#: Aware on PostgreSQL, a text on SQLite where a row says so, else naive; :func:`moment` reads all.
Moment = datetime | str
Json = str


class TicketRow(NamedTuple):
    """A ticket as every dialect reads it: its columns, then what the joined rows say about it."""

    id: int
    number: str
    title: str
    group_id: int
    state_id: int
    priority_id: int
    owner_id: int
    customer_id: int
    organization_id: int | None
    note: str | None
    type: str | None
    description: str | None
    resolution: str | None
    due_date: Moment | None
    on_hold: bool
    merged_to_id: int | None
    custom: Json
    pending_time: Moment | None
    first_response_at: Moment | None
    first_response_escalation_at: Moment | None
    first_response_in_min: int | None
    first_response_diff_in_min: int | None
    close_at: Moment | None
    close_escalation_at: Moment | None
    close_in_min: int | None
    close_diff_in_min: int | None
    update_escalation_at: Moment | None
    update_in_min: int | None
    update_diff_in_min: int | None
    escalation_at: Moment | None
    last_close_at: Moment | None
    last_contact_at: Moment | None
    last_contact_agent_at: Moment | None
    last_contact_customer_at: Moment | None
    last_owner_update_at: Moment | None
    create_article_type: int | None
    create_article_sender: int | None
    article_count: int | None
    time_spent: int | None
    preferences: Json
    created_by_id: int
    updated_by_id: int
    created_at: Moment
    updated_at: Moment
    state_type: int
    status: int
    priority_number: int
    customer_email: str


_JOINED = {
    "state_type": "s.type",
    "status": "s.helpdesk_number",
    "priority_number": "p.helpdesk_number",
    "customer_email": "c.email",
}


class ArticleRow(NamedTuple):
    """An entry as every dialect reads it; ``seconds`` is its time spent."""

    id: int
    ticket_id: int
    type: int
    sender: int
    from_address: str | None
    to: str | None
    cc: str | None
    subject: str | None
    reply_to: str | None
    message_id: str | None
    message_id_md5: str | None
    in_reply_to: str | None
    references: str | None
    content_type: str
    body: str
    internal: bool
    new_status: int | None
    email_recipients: Json | None
    moved_from: int | None
    preferences: Json
    origin_by_id: int | None
    via: str
    created_by_id: int
    updated_by_id: int
    created_at: Moment
    updated_at: Moment
    seconds: int | None


class AttachmentRow(NamedTuple):
    """A file of an entry."""

    id: int
    article_id: int
    filename: str
    content_type: str
    size: int
    inline: bool
    content_id: str
    preferences: Json
    digest: str


#: Moments whose names do not end in ``_at``.
_MOMENTS = frozenset({"due_date", "pending_time"})
_QUOTED = {"references": '"references"', "to": '"to"'}


def _columns(row: type[Any], table: str, joined: dict[str, str]) -> str:
    """What stands behind SELECT. Moments of SQLite come as the texts they are stored as.

    Reading them into objects, only to write them out again, takes longer than all the rest of a
    long list. The plus keeps the driver from seeing that the column holds a moment.
    """
    as_text = "+" if connection.vendor == "sqlite" else ""

    def column(name: str) -> str:
        sign = as_text if name.endswith("_at") or name in _MOMENTS else ""
        return f"{sign}{table}.{_QUOTED.get(name, name)}"

    return ", ".join(joined.get(name) or column(name) for name in row._fields)


_TICKET_FROM = """tickets_ticket
  JOIN tickets_state s ON s.id = tickets_ticket.state_id
  JOIN tickets_priority p ON p.id = tickets_ticket.priority_id
  JOIN people_user c ON c.id = tickets_ticket.customer_id"""
_TICKET_SELECT = (
    f"SELECT {_columns(TicketRow, 'tickets_ticket', _JOINED)} FROM {_TICKET_FROM} WHERE "
)
_ARTICLE_SELECT = (
    f"SELECT {_columns(ArticleRow, 'a', {'seconds': 't.seconds'})} FROM tickets_article a"
    " LEFT JOIN tickets_timeentry t ON t.article_id = a.id WHERE "
)
_ATTACHMENT_SELECT = f"SELECT {_columns(AttachmentRow, 'f', {})} FROM tickets_attachment f WHERE "
_FILES_OF_TICKETS = """tickets_attachment f
  JOIN tickets_article a ON a.id = f.article_id
  JOIN tickets_ticket ON tickets_ticket.id = a.ticket_id"""


def fetch(sql: str, params: Sequence[Any]) -> list[tuple[Any, ...]]:
    """The rows of one statement, as the driver gives them."""
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
        return rows


def moment(value: Moment) -> datetime:
    """A moment of a row as an aware datetime (UTC)."""
    if isinstance(value, str):
        value = datetime.fromisoformat(value)
    return value if value.tzinfo is not None else value.replace(tzinfo=UTC)


@lru_cache(maxsize=64)
def places(count: int) -> str:
    """Placeholders for an IN list."""
    return ", ".join(["%s"] * count)


# --- tickets -------------------------------------------------------------------------------------


def ticket_row(actor: Actor, ticket_id: int) -> TicketRow:
    """One ticket, if the actor may read it. One query.

    Raises :class:`TicketUnknown`, :class:`TicketForbidden`.
    """
    if not 0 < ticket_id <= MAX_ID:
        raise TicketUnknown("ticket", ticket_id)
    rows = fetch(_TICKET_SELECT + "tickets_ticket.id = %s", [ticket_id])
    if not rows:
        raise TicketUnknown("ticket", ticket_id)
    row = TicketRow._make(rows[0])
    if not access.allows(actor, row):
        raise TicketForbidden("ticket", ticket_id)
    return row


def written_tickets(ids: Sequence[int]) -> list[TicketRow]:
    """Tickets the caller has just written, in the order of the ids. One query, none without ids."""
    if not ids:
        return []
    rows = fetch(f"{_TICKET_SELECT}tickets_ticket.id IN ({places(len(ids))})", ids)
    found = {row[0]: TicketRow._make(row) for row in rows}
    return [found[id_] for id_ in ids if id_ in found]


def written_ticket(ticket_id: int) -> TicketRow:
    """A ticket the caller has just written, whether or not he may still read it. One query.

    Raises :class:`TicketUnknown`.
    """
    rows = fetch(_TICKET_SELECT + "tickets_ticket.id = %s", [ticket_id])
    if not rows:
        raise TicketUnknown("ticket", ticket_id)
    return TicketRow._make(rows[0])


def tickets_by_id(actor: Actor, ids: Sequence[int]) -> list[TicketRow]:
    """The tickets among these ids that the actor may read, in the order of the ids. One query."""
    if not ids:
        return []
    where, params = access.visible(actor)
    rows = fetch(
        f"{_TICKET_SELECT}{where} AND tickets_ticket.id IN ({places(len(ids))})",
        [*params, *ids],
    )
    found = {row[0]: TicketRow._make(row) for row in rows}
    return [found[id_] for id_ in ids if id_ in found]


def newest_ids(
    actor: Actor,
    *,
    customer_id: int | None = None,
    organization_ids: Sequence[int] = (),
    types: Collection[int],
    without: int = 0,
    limit: int,
) -> list[int]:
    """Ids of the newest tickets of a customer, or of organizations, that the actor may read.

    Only those in states of these types, and never the one left out. One query, none where nobody
    is asked for: tickets of nobody have nothing in common.
    """
    if customer_id is not None and customer_id > NOBODY_ID:
        whose, whom = "tickets_ticket.customer_id = %s", [customer_id]
    elif organization_ids:
        whose = f"tickets_ticket.organization_id IN ({places(len(organization_ids))})"
        whom = list(organization_ids)
    else:
        return []
    where, params = access.visible(actor)
    sql = (
        f"SELECT tickets_ticket.id FROM tickets_ticket WHERE {whose} AND {where}"
        " AND tickets_ticket.state_id IN (SELECT id FROM tickets_state"
        f" WHERE type IN ({places(len(types))})) AND tickets_ticket.id <> %s"
        " ORDER BY tickets_ticket.id DESC LIMIT %s"
    )
    return [id_ for (id_,) in fetch(sql, [*whom, *params, *sorted(types), without, limit])]


def tickets_page(
    actor: Actor,
    *,
    limit: int,
    offset: int = 0,
    statuses: Collection[int] | None = None,
    mine: bool = False,
    newest_first: bool = False,
) -> list[TicketRow]:
    """A page of the tickets the actor may read, by id. One query.

    ``statuses`` keeps those that read as one of django-helpdesk's numbers; ``mine`` those whose
    customer is the actor. Deep pages walk an index of ids only: the ids are chosen first, the rows
    of one page fetched after (decision 38).
    """
    ids, params = _page_of_ids(
        access.own(actor) if mine else access.visible(actor),
        statuses=statuses,
        newest_first=newest_first,
    )
    direction = "DESC" if newest_first else "ASC"
    sql = (
        f"{_TICKET_SELECT}tickets_ticket.id IN ({ids} LIMIT %s OFFSET %s)"
        f" ORDER BY tickets_ticket.id {direction}"
    )
    return [TicketRow._make(row) for row in fetch(sql, [*params, limit, offset])]


def _page_of_ids(
    predicate: Predicate, *, statuses: Collection[int] | None, newest_first: bool
) -> tuple[str, list[Any]]:
    where, params = predicate
    if statuses is not None:
        where += (
            " AND tickets_ticket.state_id IN (SELECT id FROM tickets_state"
            f" WHERE helpdesk_number IN ({places(len(statuses))}))"
        )
        params = [*params, *sorted(statuses)]
    direction = "DESC" if newest_first else "ASC"
    sql = (
        f"SELECT tickets_ticket.id FROM tickets_ticket WHERE {where}"
        f" ORDER BY tickets_ticket.id {direction}"
    )
    return sql, params


def count_tickets(
    actor: Actor, *, statuses: Collection[int] | None = None, mine: bool = False
) -> int:
    """How many tickets the actor may read.

    What group access shows is summed from the counters, so it costs the same at any size; only
    own tickets outside of those groups are counted one by one (decision 39).
    """
    state_filter, state_params = "", []
    if statuses is not None:
        state_filter = (
            " AND state_id IN (SELECT id FROM tickets_state"
            f" WHERE helpdesk_number IN ({places(len(statuses))}))"
        )
        state_params = sorted(statuses)
    if mine:
        where, params = access.own(actor)
        return _count_rows(where + state_filter, [*params, *state_params])
    groups = actor.groups_with("read")
    if groups is None:
        sql = f"SELECT COALESCE(SUM(delta), 0) FROM tickets_ticketcount WHERE 1=1{state_filter}"
        return int(fetch(sql, state_params)[0][0])
    total = 0
    if groups:
        sql = (
            "SELECT COALESCE(SUM(delta), 0) FROM tickets_ticketcount"
            f" WHERE group_id IN ({places(len(groups))}){state_filter}"
        )
        total = int(fetch(sql, [*sorted(groups), *state_params])[0][0])
    where, params = access.visible(actor)
    if actor.may("ticket.customer"):
        if groups:
            where += f" AND tickets_ticket.group_id NOT IN ({places(len(groups))})"
            params = [*params, *sorted(groups)]
        total += _count_rows(where + state_filter, [*params, *state_params])
    return total


def _count_rows(where: str, params: Sequence[Any]) -> int:
    sql = f"SELECT COUNT(*) FROM tickets_ticket WHERE {where}"
    return int(fetch(sql, params)[0][0])


# --- articles and files --------------------------------------------------------------------------


def articles_of(actor: Actor, tickets: Iterable[TicketRow]) -> defaultdict[int, list[ArticleRow]]:
    """The entries of tickets at hand that the actor may see, oldest first. One query.

    The tickets must have come through the door; private entries are left out for a customer.
    """
    inside: list[int] = []
    outside: list[int] = []
    for ticket in tickets:
        (inside if access.sees_internal(actor, ticket) else outside).append(ticket.id)
    found: defaultdict[int, list[ArticleRow]] = defaultdict(list)
    parts, params = [], []
    if inside:
        parts.append(f"a.ticket_id IN ({places(len(inside))})")
        params += inside
    if outside:
        parts.append(f"(a.ticket_id IN ({places(len(outside))}) AND NOT a.internal)")
        params += outside
    if not parts:
        return found
    sql = f"{_ARTICLE_SELECT}{' OR '.join(parts)} ORDER BY a.ticket_id, a.created_at, a.id"
    for row in fetch(sql, params):
        found[row[1]].append(ArticleRow._make(row))
    return found


def articles_by_id(ids: Sequence[int]) -> list[ArticleRow]:
    """Entries by id, in the order of the ids; access is the caller's. One query."""
    if not ids:
        return []
    rows = fetch(f"{_ARTICLE_SELECT}a.id IN ({places(len(ids))})", ids)
    found = {row[0]: ArticleRow._make(row) for row in rows}
    return [found[id_] for id_ in ids if id_ in found]


def articles_page(
    actor: Actor,
    *,
    limit: int,
    offset: int = 0,
    by_date: bool = True,
    newest_first: bool = False,
) -> list[ArticleRow]:
    """A page of all entries the actor may see: by date and id, or by id. One query."""
    where, params = visible_articles(actor)
    turn = " DESC" if newest_first else ""
    order = f"a.created_at{turn}, a.id{turn}" if by_date else f"a.id{turn}"
    sql = (
        f"{_ARTICLE_SELECT}a.id IN (SELECT a.id FROM tickets_article a"
        f" JOIN tickets_ticket ON tickets_ticket.id = a.ticket_id WHERE {where}"
        f" ORDER BY {order} LIMIT %s OFFSET %s) ORDER BY {order}"
    )
    return [ArticleRow._make(row) for row in fetch(sql, [*params, limit, offset])]


def count_articles(actor: Actor) -> int:
    """How many entries the actor may see."""
    where, params = visible_articles(actor)
    sql = (
        "SELECT COUNT(*) FROM tickets_article a"
        f" JOIN tickets_ticket ON tickets_ticket.id = a.ticket_id WHERE {where}"
    )
    return int(fetch(sql, params)[0][0])


def visible_articles(actor: Actor) -> Predicate:
    """SQL over ``tickets_article a`` joined with ``tickets_ticket``: the entries the actor may see.

    All of the groups he reads, and the public ones of tickets he sees as a customer.
    """
    groups = actor.groups_with("read")
    if groups is None:
        return access.EVERYTHING
    where, params = access.visible(actor)
    if not groups:
        return f"({where} AND NOT a.internal)", params
    return (
        f"({where} AND (NOT a.internal OR tickets_ticket.group_id IN ({places(len(groups))})))",
        [*params, *sorted(groups)],
    )


def attachments_of(article_ids: Sequence[int]) -> defaultdict[int, list[AttachmentRow]]:
    """The files of entries at hand, in the order they were added. One query, none without ids."""
    found: defaultdict[int, list[AttachmentRow]] = defaultdict(list)
    if not article_ids:
        return found
    sql = (
        f"{_ATTACHMENT_SELECT}f.article_id IN ({places(len(article_ids))})"
        " ORDER BY f.article_id, f.id"
    )
    for row in fetch(sql, article_ids):
        found[row[1]].append(AttachmentRow._make(row))
    return found


def attachments_of_tickets(ticket_ids: Sequence[int]) -> defaultdict[int, list[AttachmentRow]]:
    """The files of all entries of tickets at hand, by entry, in the order they were added.

    One query, with as many parameters as there are tickets: their entries may be more than a
    statement takes. Whoever shows them leaves out those of entries he does not show.
    """
    found: defaultdict[int, list[AttachmentRow]] = defaultdict(list)
    if not ticket_ids:
        return found
    sql = (
        f"{_ATTACHMENT_SELECT}f.article_id IN (SELECT a.id FROM tickets_article a"
        f" WHERE a.ticket_id IN ({places(len(ticket_ids))})) ORDER BY f.article_id, f.id"
    )
    for row in fetch(sql, ticket_ids):
        found[row[1]].append(AttachmentRow._make(row))
    return found


def attachments_page(actor: Actor, *, limit: int, offset: int = 0) -> list[AttachmentRow]:
    """A page of all files the actor may see, by id. One query."""
    where, params = visible_articles(actor)
    sql = (
        f"{_ATTACHMENT_SELECT}f.id IN (SELECT f.id FROM {_FILES_OF_TICKETS} WHERE {where}"
        " ORDER BY f.id LIMIT %s OFFSET %s) ORDER BY f.id"
    )
    return [AttachmentRow._make(row) for row in fetch(sql, [*params, limit, offset])]


def count_attachments(actor: Actor) -> int:
    """How many files the actor may see."""
    where, params = visible_articles(actor)
    return int(fetch(f"SELECT COUNT(*) FROM {_FILES_OF_TICKETS} WHERE {where}", params)[0][0])


# --- what hangs on tickets -----------------------------------------------------------------------


class FieldRow(NamedTuple):
    """A custom field, as far as showing values needs it."""

    name: str
    type: str


class TimeRow(NamedTuple):
    """Time spent, in seconds."""

    id: int
    ticket_id: int
    article_id: int | None
    seconds: int
    type_id: int | None
    created_by_id: int
    created_at: Moment
    updated_at: Moment


class LinkRow(NamedTuple):
    """A tie; ``type`` (``normal``, ``parent``) says what the source is to the target."""

    id: int
    type: str
    source_id: int
    target_id: int


class TagRow(NamedTuple):
    """A tag, and how many tickets bear it."""

    id: int
    name: str
    tickets: int


class RecentViewRow(NamedTuple):
    """Somebody looked at a thing; ``object`` is one of ``vocabulary.VIEWABLE``."""

    id: int
    object: str
    object_id: int
    viewed_at: Moment


class MentionRow(NamedTuple):
    """Somebody follows a ticket."""

    id: int
    ticket_id: int
    user_id: int
    created_by_id: int
    created_at: Moment
    updated_at: Moment


def shown_fields(actor: Actor) -> list[FieldRow]:
    """The active custom fields the actor may see, in their order (decision 35). One query."""
    staff = "" if actor.kind != "customer" else " AND NOT staff_only"
    sql = f'SELECT name, type FROM tickets_customfield WHERE active{staff} ORDER BY "order", id'
    return [FieldRow._make(row) for row in fetch(sql, [])]


def article_ids_of(actor: Actor, tickets: Iterable[TicketRow]) -> defaultdict[int, list[int]]:
    """Ids of the entries of tickets at hand that the actor may see, oldest first. One query."""
    inside: list[int] = []
    outside: list[int] = []
    for ticket in tickets:
        (inside if access.sees_internal(actor, ticket) else outside).append(ticket.id)
    found: defaultdict[int, list[int]] = defaultdict(list)
    parts, params = [], []
    if inside:
        parts.append(f"a.ticket_id IN ({places(len(inside))})")
        params += inside
    if outside:
        parts.append(f"(a.ticket_id IN ({places(len(outside))}) AND NOT a.internal)")
        params += outside
    if not parts:
        return found
    sql = (
        f"SELECT a.ticket_id, a.id FROM tickets_article a WHERE {' OR '.join(parts)}"
        " ORDER BY a.ticket_id, a.created_at, a.id"
    )
    for ticket_id, id_ in fetch(sql, params):
        found[ticket_id].append(id_)
    return found


def times_of(ticket_ids: Sequence[int]) -> defaultdict[int, list[TimeRow]]:
    """The time entries of tickets at hand, by id. One query."""
    found: defaultdict[int, list[TimeRow]] = defaultdict(list)
    if ticket_ids:
        sql = (
            f"SELECT {', '.join(TimeRow._fields)} FROM tickets_timeentry"
            f" WHERE ticket_id IN ({places(len(ticket_ids))}) ORDER BY id"
        )
        for row in fetch(sql, ticket_ids):
            found[row[1]].append(TimeRow._make(row))
    return found


def tags_of(ticket_ids: Sequence[int]) -> defaultdict[int, list[str]]:
    """The tags of tickets at hand, in the order they were put on. One query."""
    found: defaultdict[int, list[str]] = defaultdict(list)
    if ticket_ids:
        sql = (
            "SELECT tt.ticket_id, t.name FROM tickets_tickettag tt"
            " JOIN tickets_tag t ON t.id = tt.tag_id"
            f" WHERE tt.ticket_id IN ({places(len(ticket_ids))}) ORDER BY tt.id"
        )
        for ticket_id, name in fetch(sql, ticket_ids):
            found[ticket_id].append(name)
    return found


def tags_page(*, limit: int, offset: int = 0) -> list[TagRow]:
    """A page of all tags by name, for those who look after them. One query."""
    sql = (
        "SELECT t.id, t.name,"
        " (SELECT COUNT(*) FROM tickets_tickettag tt WHERE tt.tag_id = t.id)"
        " FROM tickets_tag t ORDER BY t.name_key, t.id LIMIT %s OFFSET %s"
    )
    return [TagRow._make(row) for row in fetch(sql, [limit, offset])]


def links_of(actor: Actor, ticket_id: int) -> list[LinkRow]:
    """The ties of a ticket at hand to tickets that the actor may read. One query."""
    where, params = access.visible(actor)
    sql = (
        "SELECT l.id, l.type, l.source_id, l.target_id FROM tickets_link l"
        " JOIN tickets_ticket ON tickets_ticket.id ="
        " CASE WHEN l.source_id = %s THEN l.target_id ELSE l.source_id END"
        f" WHERE (l.source_id = %s OR l.target_id = %s) AND {where} ORDER BY l.id"
    )
    return [LinkRow._make(row) for row in fetch(sql, [ticket_id, ticket_id, ticket_id, *params])]


def mentions_of(ticket_id: int) -> list[MentionRow]:
    """Who follows a ticket at hand, newest first; for agents only. One query."""
    sql = (
        f"SELECT {', '.join(MentionRow._fields)} FROM tickets_mention"
        " WHERE ticket_id = %s ORDER BY created_at DESC, id DESC"
    )
    return [MentionRow._make(row) for row in fetch(sql, [ticket_id])]


def recent_views(user_id: int) -> list[RecentViewRow]:
    """What somebody looked at, the last first; whether he still may is for the caller. One query.

    A person's list is short (:mod:`deskbell.tickets.operations.viewing`).
    """
    sql = (
        f"SELECT {', '.join(RecentViewRow._fields)} FROM tickets_recentview"
        " WHERE user_id = %s ORDER BY viewed_at DESC, id DESC"
    )
    return [RecentViewRow._make(row) for row in fetch(sql, [user_id])]


_NAMES = {
    "time_type": ("tickets_timetype", "name"),
    "user": ("people_user", "login"),
    "group": ("people_group", "name"),
    "organization": ("people_organization", "name"),
    "role": ("people_role", "name"),
    "permission": ("people_permission", "name"),
    "state": ("tickets_state", "name"),
    "priority": ("tickets_priority", "name"),
}


def names_of(kind: str, ids: Collection[int]) -> dict[int, str]:
    """Names (of users: logins) by id. One query, none without ids."""
    if not ids:
        return {}
    table, column = _NAMES[kind]
    wanted = sorted(ids)
    return dict(
        fetch(f"SELECT id, {column} FROM {table} WHERE id IN ({places(len(wanted))})", wanted)
    )
