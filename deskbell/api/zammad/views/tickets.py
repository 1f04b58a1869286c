"""Tickets: list, show, create, change, delete (contract section 6)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import transaction
from django.http import HttpResponse

from deskbell.api.zammad import assets, customers, errors, uploads
from deskbell.api.zammad.decode import articles as article_bodies
from deskbell.api.zammad.decode import tickets as ticket_bodies
from deskbell.api.zammad.decode import values
from deskbell.api.zammad.encode.times import time_entry
from deskbell.api.zammad.errors import Problem, forbidden
from deskbell.api.zammad.names import group_id_of
from deskbell.api.zammad.paging import page_of
from deskbell.api.zammad.views.base import Call, answer, done, endpoint, needs, not_authorized
from deskbell.kernel.actor import Actor
from deskbell.tickets import access, fields, queries
from deskbell.tickets.models import CustomField
from deskbell.tickets.operations import (
    UNSET,
    NewArticle,
    TicketChange,
    delete_ticket,
    open_ticket,
    reserve_id,
    update_ticket,
)
from deskbell.tickets.queries import LinkRow, TicketRow

LIST_DEFAULT = LIST_MOST = 100


# --- reading -------------------------------------------------------------------------------------


def index(call: Call) -> HttpResponse:
    """A page of the tickets the caller may read, by id."""
    page = page_of(call.params, default=LIST_DEFAULT, most=LIST_MOST)
    rows = queries.tickets_page(call.actor, limit=page.limit, offset=page.offset)
    if call.asks("expand"):
        return answer(assets.tickets_expanded(assets.tickets(call.actor, rows)))
    if call.asks("full"):
        return answer(records(call, rows))
    return answer(assets.tickets(call.actor, rows, ids=False))


def show(call: Call, ticket_id: str) -> HttpResponse:
    """One ticket."""
    row = queries.ticket_row(call.actor, values.row_id(ticket_id, "ticket"))
    return shown(call, row, plain_ids=False)


def records(call: Call, rows: list[TicketRow]) -> dict[str, Any]:
    """Ids in order, and assets."""
    found = assets.Assets(call.actor, root=call.root)
    found.add_tickets(rows)
    return {"record_ids": [row.id for row in rows], "assets": found.filled()}


def shown(call: Call, row: TicketRow, *, status: int = 200, plain_ids: bool = True) -> HttpResponse:
    """One ticket in the form asked for; ``plain_ids``: the plain form has its ``*_ids``."""
    if call.asks("expand"):
        return answer(assets.tickets_expanded(assets.tickets(call.actor, [row]))[0], status)
    if call.asks("full"):
        found = assets.Assets(call.actor, root=call.root)
        found.add_tickets([row])
        return answer({"id": row.id, "assets": found.filled()}, status)
    if call.asks("all"):
        return answer(everything(call, row), status)
    return answer(assets.tickets(call.actor, [row], ids=plain_ids)[0], status)


def everything(call: Call, row: TicketRow) -> dict[str, Any]:
    """A ticket and all that hangs on it, as far as the caller may see it."""
    actor = call.actor
    articles = queries.articles_of(actor, [row])[row.id]
    links = queries.links_of(actor, row.id)
    as_agent = access.allows(actor, row, as_agent=True)
    mentions = queries.mentions_of(row.id) if as_agent else []
    found = assets.Assets(actor, root=call.root)
    linked = queries.tickets_by_id(actor, sorted({other_end(tie, row.id) for tie in links}))
    found.add_tickets([row, *linked])
    found.add_articles(articles)
    found.add_mentions(mentions)
    times = queries.times_of([row.id])[row.id] if as_agent else []
    return {
        "ticket_id": row.id,
        "ticket_article_ids": [article.id for article in articles],
        "assets": found.filled(),
        "links": [link_object(tie, row.id) for tie in links],
        "tags": queries.tags_of([row.id])[row.id],
        "mentions": [mention.id for mention in mentions],
        "time_accountings": [time_entry(time) for time in times],
        "form_meta": {},
    }


def other_end(tie: LinkRow, ticket_id: int) -> int:
    """The other ticket of a tie."""
    return tie.target_id if tie.source_id == ticket_id else tie.source_id


def link_object(tie: LinkRow, ticket_id: int) -> dict[str, Any]:
    """A tie as the ticket at hand lists it: what the other one is to it.

    Stored is what the source is to the target, so the source's list names its target a child.
    """
    type_ = tie.type
    if type_ == "parent" and tie.source_id == ticket_id:
        type_ = "child"
    return {
        "link_type": type_,
        "link_object": "Ticket",
        "link_object_value": other_end(tie, ticket_id),
    }


# --- writing -------------------------------------------------------------------------------------


@needs("ticket.agent", "ticket.customer")
def create(call: Call) -> HttpResponse:
    """Open a ticket: everything the body asks for, or nothing.

    The checks come in Zammad's order: names, ids, group, access, the ticket, its article.
    """
    params, actor, at = call.params, call.actor, call.at
    with transaction.atomic():
        group_id = group_id_of(params)
        as_agent = actor.may("ticket.agent")
        if group_id is not None and not actor.may_in_group("create", group_id):
            as_agent = False
        shown_fields = fields.for_actor(actor)
        customer_id = actor.user_id
        if as_agent:
            customer_id = customers.for_new_ticket(params, actor=actor, at=at)
        new = ticket_bodies.new_ticket(
            params,
            group_id=group_id or 0,
            customer_id=customer_id,
            as_agent=as_agent,
            fields=shown_fields,
        )
        if group_id is None:
            raise errors.unprocessable("The required value 'group_id' is missing.")
        if not as_agent and not actor.may("ticket.customer"):
            raise not_authorized()
        if new.mentions and not as_agent:
            raise not_authorized()
        problem = None
        given = _with_form(params)
        if given is not None:
            new.id = reserve_id()
            try:
                new.article = _article(given, ticket_id=new.id, actor=actor, as_agent=as_agent)
            except Problem as found:
                # Whatever is wrong with the ticket itself is said first.
                problem = found
        ticket = open_ticket(new, actor=actor, at=at)
        if problem is not None:
            raise problem
        uploads.forget(given, actor=actor)
    return shown(call, _row_of(actor, ticket.pk), status=201)


def _with_form(params: Mapping[str, Any]) -> Any:
    """The first article; a form that the ticket names is that of its article."""
    given, form_id = params.get("article"), params.get("form_id")
    if isinstance(given, dict) and form_id is not None and given.get("form_id") is None:
        return {**given, "form_id": form_id}
    return given


def _article(given: Any, *, ticket_id: int, actor: Actor, as_agent: bool) -> NewArticle:
    return article_bodies.new_article(
        given,
        ticket_id=ticket_id,
        actor=actor,
        as_agent=as_agent,
        uploads=uploads.files_of(given, actor=actor),
    )


def _row_of(actor: Actor, ticket_id: int) -> TicketRow:
    """The row after a write. Whoever wrote it is shown it, whatever he may read afterwards."""
    return queries.written_ticket(ticket_id)


def update(call: Call, ticket_id: str) -> HttpResponse:
    """Change a ticket, add an article, or both."""
    id_ = values.row_id(ticket_id, "ticket")
    with transaction.atomic():
        write(call, id_, call.params, fields.for_actor(call.actor))
        uploads.forget(call.params.get("article"), actor=call.actor)
    return shown(call, _row_of(call.actor, id_))


def write(
    call: Call, id_: int, params: Mapping[str, Any], shown_fields: Sequence[CustomField]
) -> None:
    """Write what is sent to one ticket, in the caller's transaction; uploads stay for others."""
    actor, at = call.actor, call.at
    ticket = access.ticket_for(actor, id_, "change", lock=True)
    as_agent = access.allows(actor, ticket, "change", as_agent=True)
    change = ticket_bodies.change(params, ticket, as_agent=as_agent, fields=shown_fields)
    if as_agent:
        customer_id = customers.for_change(params, ticket, actor=actor, at=at)
        change.customer_id = UNSET if customer_id is None else customer_id
    article, problem = None, None
    if params.get("article"):
        try:
            article = _article(params["article"], ticket_id=id_, actor=actor, as_agent=as_agent)
        except Problem as found:
            problem = found
    update_ticket(id_, change, article, actor=actor, at=at)
    if problem is not None:
        raise problem


def update_title(call: Call, ticket_id: str) -> HttpResponse:
    """Only the title."""
    id_ = values.row_id(ticket_id, "ticket")
    access.ticket_for(call.actor, id_, "change")
    if values.is_blank(call.params.get("title")):
        raise errors.unprocessable("Attribute 'title' required!")
    change = TicketChange(title=values.text("title", call.params["title"]))
    update_ticket(id_, change, actor=call.actor, at=call.at)
    return shown(call, _row_of(call.actor, id_))


def update_customer(call: Call, ticket_id: str) -> HttpResponse:
    """Only the customer, and the organization; for agents."""
    params, actor, at = call.params, call.actor, call.at
    id_ = values.row_id(ticket_id, "ticket")
    with transaction.atomic():
        ticket = access.ticket_for(actor, id_, "change", lock=True, as_agent=True)
        customer_id = customers.for_change(params, ticket, actor=actor, at=at)
        if customer_id is None:
            raise errors.unprocessable("Attribute 'customer_id' required!")
        change = TicketChange(customer_id=customer_id)
        organization_id = ticket_bodies.organization_id(params)
        if organization_id is not None:
            change.organization_id = organization_id
        update_ticket(id_, change, actor=actor, at=at)
    return shown(call, _row_of(actor, id_))


def destroy(call: Call, ticket_id: str) -> HttpResponse:
    """For administrators alone, whatever their groups (decision 3)."""
    id_ = values.row_id(ticket_id, "ticket")
    if not call.actor.may("admin"):
        ticket = access.ticket_for(call.actor, id_)
        as_customer = not access.allows(call.actor, ticket, as_agent=True)
        if as_customer or access.allows(call.actor, ticket, "full"):
            raise forbidden("Not authorized (admin permission required)!")
        raise not_authorized()
    delete_ticket(id_, actor=call.actor, at=call.at)
    return done()


collection = endpoint(get=index, post=create)
member = endpoint(get=show, put=update, delete=destroy)
title = endpoint(put=update_title)
customer = endpoint(put=update_customer)
