"""What somebody asked for: the list, one ticket, and an answer to it. Nothing internal is here."""

from __future__ import annotations

import json
from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http.response import HttpResponseBase, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext

from deskbell.kernel.clock import now
from deskbell.kernel.errors import Invalid, Refused
from deskbell.kernel.text import storable
from deskbell.mail.queries import held_articles
from deskbell.people.models import Group, User
from deskbell.search.results import find
from deskbell.tickets import access, fields, overviews, queries, rules, thread
from deskbell.tickets.models import State, Ticket
from deskbell.tickets.operations import NewArticle, update_ticket
from deskbell.tickets.queries import TicketRow
from deskbell.tickets.vocabulary import ArticleType, Sender, StateType
from deskbell.web.shared import entries
from deskbell.web.shared.controls import files_of, id_of, sentence, shown_values
from deskbell.web.shared.pages import DeskRequest, Read, page, signed_in
from deskbell.web.shared.signatures import Reader

PAGE = 30
WINDOW = 100
#: So many merges are followed to where an answer belongs.
MERGES = 10


class _News(Exception):
    """Somebody wrote to the ticket since the page was made."""


@signed_in("portal", *Read)
def own(request: DeskRequest) -> HttpResponseBase:
    """The tickets of the person, and of his organization where it shares them."""
    query = storable(request.GET.get("q", "")).strip()
    older = None
    if query:
        rows = overviews.listed(find(request.actor, query, limit=PAGE))
    else:
        below = id_of(request.GET.get("below", ""))
        rows, older = overviews.own_page(request.actor, limit=PAGE, below=below)
    context = {
        "tickets": rows,
        "query": query,
        "older": older,
        "is_first": "below" not in request.GET,
        "may_ask": request.actor.may("ticket.customer"),
        "section": "tickets",
    }
    return page(request, "portal/tickets.html", context)


@signed_in("portal", *Read)
def ticket(request: DeskRequest, ticket_id: int) -> HttpResponseBase:
    """One ticket as its customer sees it."""
    row = queries.ticket_row(request.actor, ticket_id)
    if access.allows(request.actor, row, as_agent=True):
        return HttpResponseRedirect(reverse("agent-ticket", args=[ticket_id]))
    return _page(request, row)


def _page(
    request: DeskRequest,
    row: TicketRow,
    *,
    status: int = 200,
    body: str = "",
    error: str = "",
    problem: str = "",
) -> HttpResponseBase:
    window, earlier = thread.newest(
        request.actor,
        row,
        limit=WINDOW,
        before=id_of(request.GET.get("before", "")),
        public=True,
    )
    ids = [article.id for article in window]
    held = held_articles(ids)
    here = reverse("portal-ticket", args=[row.id])
    people = entries.people_of(window, customer_id=row.customer_id)
    around = entries.Surroundings(
        reader=Reader(user_id=request.viewer.pk),
        customer_id=row.customer_id,
        title=row.title,
        page=here,
        people={user.pk: user for user in User.objects.filter(pk__in=people)},
        files=queries.attachments_of(ids),
        show_images={id_ for text in request.GET.getlist("images") if (id_ := id_of(text))},
    )
    group = Group.objects.get(pk=row.group_id)
    closed_at = row.last_close_at or row.close_at
    definitions = fields.definitions(staff=False)
    context: dict[str, Any] = {
        "ticket": row,
        "address": here,
        "state": State.objects.get(pk=row.state_id),
        "state_kind": StateType(row.state_type),
        "group": group,
        "created": queries.moment(row.created_at),
        "custom": shown_values(definitions, json.loads(row.custom)),
        "entries": [
            # What its writer may still take back is nobody else's yet.
            entries.shown(article, around)
            for article in window
            if article.id not in held
        ],
        "earlier": f"{here}?before={ids[0]}" if earlier else "",
        "is_past": "before" in request.GET,
        "seen": max(ids, default=0),
        "may_answer": rules.may_follow_up(
            state_type=StateType(row.state_type),
            follow_up_possible=group.follow_up_possible,
            reopen_time_in_days=group.reopen_time_in_days,
            closed_at=queries.moment(closed_at) if closed_at else None,
            at=now(),
        ),
        "merged_to": _merged_to(request, row),
        "body": body,
        "error": error,
        "problem": problem,
        "section": "tickets",
    }
    return page(request, "portal/ticket.html", context, status=status)


def _merged_to(request: DeskRequest, row: TicketRow) -> Ticket | None:
    """The ticket that this one went into, if the reader may see it."""
    if row.merged_to_id is None or row.state_type != StateType.MERGED:
        return None
    return access.tickets(request.actor).filter(pk=row.merged_to_id).first()


@signed_in("portal", "POST")
def create_reply(request: DeskRequest, ticket_id: int) -> HttpResponseBase:
    """Answer, or ask on."""
    row = queries.ticket_row(request.actor, ticket_id)
    if access.allows(request.actor, row, as_agent=True):
        # An agent of the group answers in the workspace, never in the customer's name.
        raise access.TicketForbidden("ticket", ticket_id)
    body = request.POST.get("body", "")
    try:
        answered, article_id = _write(request, ticket_id, body)
    except Invalid as wrong:
        if wrong.field == "body":
            return _page(request, row, status=422, body=body, error=sentence(wrong))
        return _page(request, row, status=422, body=body, problem=sentence(wrong))
    except Refused:
        words = gettext("This ticket takes no more answers. Please open a new one.")
        return _page(request, row, status=422, body=body, problem=words)
    except _News:
        words = gettext(
            "Nothing was sent yet: there is a new entry. Please read it, then send again."
        )
        return _page(request, row, status=409, body=body, problem=words)
    messages.success(
        request, gettext("Thank you, your answer arrived."), extra_tags=f"portal:{ticket_id}"
    )
    there = reverse("portal-ticket", args=[answered])
    return HttpResponseRedirect(f"{there}#article-{article_id}")


@transaction.atomic
def _write(request: DeskRequest, ticket_id: int, body: str) -> tuple[int, int]:
    """Add the answer, to where the ticket was merged into; ids of ticket and entry."""
    files = files_of(request)
    if not body.strip() and not files:
        raise Invalid("body", "required")
    found = access.ticket_for(request.actor, ticket_id, "change", lock=True)
    seen = id_of(request.POST.get("seen", ""))
    if seen is None or thread.has_news(found.pk, seen=seen, public=True):
        raise _News
    for _step in range(MERGES):
        if found.state.kind is not StateType.MERGED or found.merged_to_id is None:
            break
        try:
            found = access.ticket_for(request.actor, found.merged_to_id, "change", lock=True)
        except access.TicketForbidden:
            # The other ticket is somebody else's: what is written here would reach a stranger.
            raise Refused("merged") from None
    _ticket, article = update_ticket(
        found.pk,
        None,
        NewArticle(
            body=body,
            type=ArticleType.WEB,
            sender=Sender.CUSTOMER,
            origin_by_id=request.viewer.pk,
            files=files,
        ),
        actor=request.actor,
        at=now(),
    )
    assert article is not None
    return found.pk, article.pk
