"""What the dialect shows: rows from the desk's row sources, ready as JSON.

Every function asks a fixed number of queries, however long the page is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.http import HttpRequest
from rest_framework.exceptions import NotFound

from deskbell.api.helpdesk import encode, paging
from deskbell.api.helpdesk.encode import Encoded, FileAddress
from deskbell.api.helpdesk.errors import NoSuchRow
from deskbell.api.helpdesk.paging import Page
from deskbell.kernel.actor import Actor
from deskbell.kernel.text import MAX_ID
from deskbell.people.models import Group, User
from deskbell.search.language import Everything
from deskbell.search.plan import Condition
from deskbell.search.results import Search, Sort
from deskbell.tickets import attachments, fields, operations, public_links, queries
from deskbell.tickets.queries import ArticleRow, TicketRow
from deskbell.tickets.vocabulary import STATUS_LABELS


class Place:
    """The address a request came to, from which links are made; worked out when one is needed."""

    def __init__(self, request: HttpRequest) -> None:
        self._request = request

    @property
    def url(self) -> str:
        """The absolute address of the request, with its query."""
        return self._request.build_absolute_uri()

    @property
    def root(self) -> str:
        """The absolute address of this API, below the mount that was called, with its slash."""
        path = f"{self._request.path}/"
        return self._request.build_absolute_uri(path[: path.index("/api/")] + "/api/")

    def file_address(self) -> FileAddress:
        """Where files are; the host is looked up with the first of them."""
        made: list[FileAddress] = []

        def address(attachment_id: int, filename: str) -> str:
            if not made:
                made.append(encode.file_address(self.root))
            return made[0](attachment_id, filename)

        return address


def ident(text: str) -> int:
    """The id in an address. Raises :class:`NotFound` for what is no number."""
    try:
        return int(text)
    except ValueError:
        raise NotFound from None


def statuses(params: Mapping[str, Any]) -> list[int] | None:
    """The numbers in ``?status=1,3``; names and unknown ones are dropped, none left: no filter."""
    numbers = [int(w) for w in params.get("status", "").split(",") if w in _STATUS_WORDS]
    return sorted(set(numbers)) or None


_STATUS_WORDS = frozenset(str(number) for number in STATUS_LABELS)


# --- tickets -------------------------------------------------------------------------------------


def tickets(actor: Actor, params: Mapping[str, Any], place: Place) -> tuple[Encoded, Page]:
    """A page of tickets with their entries and files. Five queries, some more for a search."""
    wanted = statuses(params)
    text, order = params.get("search", "").strip(), ordering(params)
    if text or order:
        page, rows = _found(actor, params, wanted, text, order)
    else:
        page = paging.requested(params, queries.count_tickets(actor, statuses=wanted))
        rows = queries.tickets_page(actor, limit=page.size, offset=page.offset, statuses=wanted)
    articles = queries.articles_of(actor, rows)
    files = queries.attachments_of_tickets([row.id for row in rows])
    read_customs = encode.customs(queries.shown_fields(actor))
    address = place.file_address()
    body = encode.listing(
        page.count,
        *page.links(place.url),
        (
            encode.tickets(chunk, articles, files, read_customs, address)
            for chunk in encode.chunked(rows)
        ),
    )
    return body, page


def ordering(params: Mapping[str, Any]) -> list[Sort]:
    """What ``?ordering=-modified,id`` asks for; as in the framework, unknown names are dropped."""
    found: list[Sort] = []
    for word in params.get("ordering", "").split(",")[:_MOST_ORDERINGS]:
        name = word.strip()
        column = _ORDERINGS.get(name.removeprefix("-"))
        if column is not None:
            found.append((column, "desc" if name.startswith("-") else "asc"))
    return found


_MOST_ORDERINGS = 20
_ORDERINGS = {
    "id": "id",
    "queue": "group_id",
    "title": "title",
    "assigned_to": "owner_id",
    "status": "status_number",
    "priority": "priority_number",
    "due_date": "due_date",
    "created": "created_at",
    "modified": "updated_at",
}


def _found(
    actor: Actor,
    params: Mapping[str, Any],
    wanted: list[int] | None,
    text: str,
    order: Sequence[Sort],
) -> tuple[Page, list[TicketRow]]:
    """The page of a search, or of an order of its own; by id unless asked otherwise."""
    condition = None
    if wanted is not None:
        numbers = ", ".join(map(str, wanted))
        condition = Condition(
            "tickets_ticket.state_id IN"  # noqa: S608
            f" (SELECT id FROM tickets_state WHERE helpdesk_number IN ({numbers}))"
        )
    search = Search(actor, text or Everything(), condition=condition)
    count = search.count(exactly=True) if text else queries.count_tickets(actor, statuses=wanted)
    page = paging.requested(params, count)
    ids = search.find(sort=order or [("id", "asc")], limit=page.size, offset=page.offset)
    return page, queries.tickets_by_id(actor, ids)


def ticket(actor: Actor, ticket_id: int, place: Place) -> Encoded:
    """One ticket with its entries and files. Four queries. Raises what the door raises."""
    return _with_entries(actor, queries.ticket_row(actor, ticket_id), place)


def written_ticket(actor: Actor, ticket_id: int, place: Place) -> Encoded:
    """A ticket the caller has just written, also if it is in other hands now."""
    return _with_entries(actor, queries.written_ticket(ticket_id), place)


def _with_entries(actor: Actor, row: TicketRow, place: Place) -> Encoded:
    articles = queries.articles_of(actor, [row])
    files = queries.attachments_of_tickets([row.id])
    read_customs = encode.customs(queries.shown_fields(actor))
    return encode.encoded(
        encode.tickets([row], articles, files, read_customs, place.file_address())[0]
    )


def ticket_values(actor: Actor, ticket_id: int) -> dict[str, Any]:
    """What the caller reads of a ticket's own values, in the types of JSON. Two queries."""
    row = queries.ticket_row(actor, ticket_id)
    values = encode.ticket(row, [], encode.customs(queries.shown_fields(actor)))
    del values["followup_set"]
    values = encode.decoded(encode.encoded(values))
    return dict(values)


def own_tickets(
    actor: Actor, params: Mapping[str, Any], place: Place, *, at: datetime
) -> tuple[Encoded, Page]:
    """A page of the tickets whose customer is the caller, newest first.

    Somebody without an address has none: it is by his address that a submitter is known.
    """
    known = has_address(actor)
    page = paging.requested(params, queries.count_tickets(actor, mine=True) if known else 0)
    rows = (
        queries.tickets_page(
            actor, limit=page.size, offset=page.offset, mine=True, newest_first=True
        )
        if known
        else []
    )
    return encode.listing(page.count, *page.links(place.url), [_own(rows, at=at)]), page


def own_ticket(actor: Actor, ticket_id: int, *, at: datetime) -> Encoded:
    """One of them. Raises :class:`NoSuchRow` for anybody else's."""
    # Being its customer is the access here, as in the list; see access.own.
    known = 0 < ticket_id <= MAX_ID and has_address(actor)
    row = queries.written_ticket(ticket_id) if known else None
    if row is None or row.customer_id != actor.user_id:
        raise NoSuchRow("ticket")
    return encode.encoded(_own([row], at=at)[0])


def has_address(actor: Actor) -> bool:
    """Whether the caller has an e-mail address."""
    return User.objects.filter(pk=actor.user_id).exclude(email="").exists()


def _own(rows: Sequence[TicketRow], *, at: datetime) -> list[dict[str, Any]]:
    groups = {
        id_: (name, slug)
        for id_, name, slug in Group.objects.filter(
            pk__in={row.group_id for row in rows}
        ).values_list("id", "name", "slug")
    }
    read_customs = encode.customs(
        [queries.FieldRow(field.name, field.type) for field in fields.definitions(staff=False)]
    )
    return [
        encode.own_ticket(
            row, groups[row.group_id], read_customs, public_links.secret_key(row.id, at=at)
        )
        for row in rows
    ]


# --- entries -------------------------------------------------------------------------------------


def followups(actor: Actor, params: Mapping[str, Any], place: Place) -> tuple[Encoded, Page]:
    """A page of all entries by date. Three queries."""
    page = paging.requested(params, queries.count_articles(actor))
    rows = queries.articles_page(actor, limit=page.size, offset=page.offset)
    files = queries.attachments_of([row.id for row in rows])
    address = place.file_address()
    body = encode.listing(
        page.count,
        *page.links(place.url),
        (
            [encode.followup(row, files.get(row.id, ()), address) for row in chunk]
            for chunk in encode.chunked(rows)
        ),
    )
    return body, page


def followup(actor: Actor, article_id: int, place: Place) -> Encoded:
    """One entry. Raises what the door raises."""
    operations.article_for(actor, article_id)
    return written_followup(article_id, place)


def written_followup(article_id: int, place: Place) -> Encoded:
    """An entry at hand."""
    files = queries.attachments_of([article_id])
    return encode.encoded(
        encode.followup(_article(article_id), files.get(article_id, ()), place.file_address())
    )


def followup_values(article_id: int) -> dict[str, Any]:
    """What is read of an entry's own values, in the types of JSON."""
    values = encode.followup(_article(article_id), (), encode.file_address(""))
    del values["followupattachment_set"]
    values = encode.decoded(encode.encoded(values))
    return dict(values)


def _article(article_id: int) -> ArticleRow:
    rows = queries.articles_by_id([article_id])
    if not rows:
        raise NoSuchRow("article")
    return rows[0]


# --- files ---------------------------------------------------------------------------------------


def files(actor: Actor, params: Mapping[str, Any], place: Place) -> tuple[Encoded, Page]:
    """A page of all files by id. Two queries."""
    page = paging.requested(params, queries.count_attachments(actor))
    rows = queries.attachments_page(actor, limit=page.size, offset=page.offset)
    address = place.file_address()
    body = encode.listing(
        page.count,
        *page.links(place.url),
        ([encode.attachment(row, address) for row in chunk] for chunk in encode.chunked(rows)),
    )
    return body, page


def file(actor: Actor, attachment_id: int, place: Place) -> Encoded:
    """One file's description. Raises what the door raises."""
    found = attachments.attachment_for(actor, attachment_id)
    row = next(
        r for r in queries.attachments_of([found.article_id])[found.article_id] if r.id == found.pk
    )
    return encode.encoded(encode.attachment(row, place.file_address()))
