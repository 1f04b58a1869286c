"""Tags, links, mentions, merging and history (contract section 8)."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse

from deskbell.api.zammad import assets, errors
from deskbell.api.zammad.decode import values
from deskbell.api.zammad.encode.values import stamp_of
from deskbell.api.zammad.history import history_of
from deskbell.api.zammad.views.base import Call, answer, endpoint, needs
from deskbell.api.zammad.views.tickets import link_object, other_end
from deskbell.kernel.errors import Unknown
from deskbell.kernel.text import fold
from deskbell.tickets import access, queries
from deskbell.tickets.models import Link, Tag, Ticket
from deskbell.tickets.operations import follow, link, merge, tag, unfollow, unlink, untag
from deskbell.tickets.vocabulary import LINK_TYPES

SUGGESTIONS = 10
NO_OBJECT = "The object could not be found."


def _ticket_id(call: Call, object_key: str, id_key: str) -> int:
    """The ticket a call is about. Only tickets bear tags, links and mentions here."""
    if call.params.get(object_key, "Ticket") != "Ticket":
        if object_key == "mentionable_type":
            raise errors.unprocessable(f"The parameter '{object_key}' is invalid.")
        raise errors.invalid_value(object_key, call.params[object_key])
    given = call.params.get(id_key)
    id_ = values.as_id(given)
    if id_ is None:
        raise Unknown("ticket", given)
    return id_


# --- tags ----------------------------------------------------------------------------------------


def list_tags(call: Call) -> HttpResponse:
    """The tags of a ticket the caller may read."""
    row = queries.ticket_row(call.actor, _ticket_id(call, "object", "o_id"))
    return answer({"tags": queries.tags_of([row.id])[row.id]})


def add_tag(call: Call) -> HttpResponse:
    """Put a tag on a ticket."""
    ticket_id = _ticket_id(call, "object", "o_id")
    tag(ticket_id, [_item(call)], actor=call.actor, at=call.at)
    return answer(True, 201)


def remove_tag(call: Call) -> HttpResponse:
    """Take a tag off a ticket."""
    ticket_id = _ticket_id(call, "object", "o_id")
    untag(ticket_id, [_item(call)], actor=call.actor, at=call.at)
    return answer(True)


def _item(call: Call) -> str:
    given = call.params.get("item")
    if values.is_blank(given):
        raise errors.unprocessable("The required parameter 'item' is missing.")
    return values.text("item", given)


def search_tags(call: Call) -> HttpResponse:
    """Some tags with the term anywhere in their names; Zammad looks inside of them, too."""
    term = call.params.get("term")
    rows = Tag.objects.order_by("name_key", "id")
    if not values.is_blank(term):
        rows = rows.filter(name_key__contains=fold(values.text("term", term, limit=250).strip()))
    return answer([{"id": row.pk, "value": row.name} for row in rows[:SUGGESTIONS]])


# --- links ---------------------------------------------------------------------------------------


def list_links(call: Call) -> HttpResponse:
    """The ties of a ticket to others that the caller may read."""
    row = queries.ticket_row(call.actor, _ticket_id(call, "link_object", "link_object_value"))
    links = queries.links_of(call.actor, row.id)
    found = assets.Assets(call.actor, root=call.root)
    others = sorted({other_end(tie, row.id) for tie in links})
    found.add_tickets(queries.tickets_by_id(call.actor, others))
    return answer({"links": [link_object(tie, row.id) for tie in links], "assets": found.filled()})


def add_link(call: Call) -> HttpResponse:
    """Tie two tickets: the target by its id, the source by its number."""
    type_ = _link_type(call)
    target_id = _ticket_id(call, "link_object_target", "link_object_target_value")
    source_id = _source_id(call)
    row, _target = link(type_, source_id, target_id, actor=call.actor, at=call.at)
    return answer(_link_row(row, type_, source_id, target_id), 201)


def _link_row(row: Link, type_: str, source_id: int, target_id: int) -> dict[str, Any]:
    """The tie as it was asked for, whichever way round it is stored."""
    return {
        "id": row.pk,
        "link_type_id": LINK_TYPES.index(type_) + 1,
        "link_object_source_id": 1,
        "link_object_source_value": source_id,
        "link_object_target_id": 1,
        "link_object_target_value": target_id,
        "created_at": stamp_of(row.created_at),
        "updated_at": stamp_of(row.updated_at),
    }


def remove_link(call: Call) -> HttpResponse:
    """Untie two tickets, whichever way round they are named."""
    type_ = _link_type(call)
    target_id = _ticket_id(call, "link_object_target", "link_object_target_value")
    given = call.params.get("link_object_source_value")
    if values.is_blank(given):
        source_id = _source_id(call)
    else:
        source_id = _ticket_id(call, "link_object_source", "link_object_source_value")
    unlink(type_, source_id, target_id, actor=call.actor, at=call.at)
    return answer(True)


def _link_type(call: Call) -> str:
    given = call.params.get("link_type")
    if given not in LINK_TYPES:
        raise errors.no_lookup_value("link_type", given)
    return str(given)


def _source_id(call: Call) -> int:
    number = call.params.get("link_object_source_number")
    if isinstance(number, int) and not isinstance(number, bool):
        number = str(number)
    if not isinstance(number, str) or not number.strip():
        raise errors.unprocessable(NO_OBJECT)
    id_ = Ticket.objects.filter(number=number.strip()).values_list("pk", flat=True).first()
    if id_ is None:
        raise errors.unprocessable(NO_OBJECT)
    return id_


# --- mentions ------------------------------------------------------------------------------------


@needs("ticket.agent")
def list_mentions(call: Call) -> HttpResponse:
    """Who follows a ticket."""
    ticket_id = _ticket_id(call, "mentionable_type", "mentionable_id")
    access.ticket_for(call.actor, ticket_id, as_agent=True)
    mentions = queries.mentions_of(ticket_id)
    if call.asks("full"):
        found = assets.Assets(call.actor, root=call.root)
        found.add_mentions(mentions)
        body = {"record_ids": [row.id for row in mentions], "assets": found.filled()}
        return answer(body)
    return answer({"mentions": [assets.mention(row) for row in mentions]})


@needs("ticket.agent")
def add_mention(call: Call) -> HttpResponse:
    """Follow a ticket."""
    ticket_id = _ticket_id(call, "mentionable_type", "mentionable_id")
    follow(ticket_id, actor=call.actor, at=call.at)
    return answer(True, 201)


@needs("ticket.agent")
def remove_mention(call: Call, mention_id: str) -> HttpResponse:
    """Stop following a ticket."""
    unfollow(values.row_id(mention_id, "mention"), actor=call.actor)
    return answer(True)


# --- merging and history -------------------------------------------------------------------------


@needs("ticket.agent")
def merge_tickets(call: Call, source_id: str, target_number: str) -> HttpResponse:
    """Put one ticket into another. What is not found is told with a 200, as in Zammad."""
    source = values.as_id(source_id)
    target = Ticket.objects.filter(number=target_number).values_list("pk", flat=True).first()
    if target is None:
        return _not_merged("The target ticket number could not be found.")
    access.ticket_for(call.actor, target, "change", as_agent=True)
    if source is None or not Ticket.objects.filter(pk=source).exists():
        return _not_merged("The source ticket could not be found.")
    merge(source, target, actor=call.actor, at=call.at)
    rows = {id_: queries.written_ticket(id_) for id_ in (target, source)}
    shown = assets.tickets(call.actor, list(rows.values()), ids=False)
    return answer({"result": "success", "target_ticket": shown[0], "source_ticket": shown[1]})


def _not_merged(message: str) -> HttpResponse:
    return answer({"result": "failed", "message": message})


@needs("ticket.agent")
def ticket_history(call: Call, ticket_id: str) -> HttpResponse:
    """What happened to a ticket, oldest first."""
    ticket = access.ticket_for(call.actor, values.row_id(ticket_id, "ticket"), as_agent=True)
    return answer(history_of("Ticket", ticket.pk, actor=call.actor, root=call.root))


tags = endpoint(get=list_tags)
tag_add = endpoint(post=add_tag)
tag_remove = endpoint(delete=remove_tag)
tag_search = endpoint(get=search_tags)
links = endpoint(get=list_links)
link_add = endpoint(post=add_link)
link_remove = endpoint(delete=remove_link)
mentions = endpoint(get=list_mentions, post=add_mention)
mention = endpoint(delete=remove_mention)
merging = endpoint(put=merge_tickets)
history = endpoint(get=ticket_history)
