"""One ticket for whoever holds its link: public entries, to be read only."""

from __future__ import annotations

import json

from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.urls import reverse

from deskbell.kernel.actor import SYSTEM
from deskbell.kernel.clock import now
from deskbell.kernel.errors import Unknown
from deskbell.kernel.text import fold
from deskbell.mail.queries import held_articles
from deskbell.people.models import Group, User
from deskbell.tickets import fields, public_links, queries, thread
from deskbell.tickets.models import State
from deskbell.tickets.queries import TicketRow
from deskbell.tickets.vocabulary import StateType
from deskbell.web.portal.tickets import WINDOW
from deskbell.web.shared import entries
from deskbell.web.shared.controls import id_of, shown_values
from deskbell.web.shared.pages import Read, allow, page
from deskbell.web.shared.signatures import Reader


@allow(*Read)
def ticket(request: HttpRequest) -> HttpResponseBase:
    """The ticket of a link. Whatever is wrong with the link, the answer is the same 404."""
    row = _ticket_of(request)
    window, earlier = thread.newest(
        SYSTEM, row, limit=WINDOW, before=id_of(request.GET.get("before", "")), public=True
    )
    ids = [article.id for article in window]
    held = held_articles(ids)
    query = request.GET.copy()
    for name in ("before", "images"):
        query.pop(name, None)
    here = f"{reverse('portal-public-ticket')}?{query.urlencode()}"
    people = entries.people_of(window, customer_id=row.customer_id)
    around = entries.Surroundings(
        reader=Reader(ticket_id=row.id),
        customer_id=row.customer_id,
        title=row.title,
        page=here,
        people={user.pk: user for user in User.objects.filter(pk__in=people)},
        files=queries.attachments_of(ids),
        show_images={id_ for text in request.GET.getlist("images") if (id_ := id_of(text))},
    )
    context = {
        "ticket": row,
        "address": here,
        "state": State.objects.get(pk=row.state_id),
        "state_kind": StateType(row.state_type),
        "group": Group.objects.get(pk=row.group_id),
        "created": queries.moment(row.created_at),
        "custom": shown_values(fields.definitions(staff=False), json.loads(row.custom)),
        "entries": [
            # What its writer may still take back is nobody else's yet.
            entries.shown(article, around)
            for article in window
            if article.id not in held
        ],
        "earlier": f"{here}&before={ids[0]}" if earlier else "",
        "is_past": "before" in request.GET,
    }
    response = page(request, "portal/public_ticket.html", context)
    response["Cache-Control"] = "private, no-store"
    # The address is the key: it is told to nobody, and no search engine keeps it.
    response["Referrer-Policy"] = "no-referrer"
    response["X-Robots-Tag"] = "noindex, nofollow"
    return response


def _ticket_of(request: HttpRequest) -> TicketRow:
    """The ticket that the link opens: right key, right group, the customer's present address."""
    reference = request.GET.get("ticket", "")
    ticket_id = public_links.ticket_id_of(reference)
    if ticket_id is None or not public_links.is_key(
        request.GET.get("key", ""), ticket_id, at=now()
    ):
        raise Http404
    try:
        row = queries.ticket_row(SYSTEM, ticket_id)
    except Unknown as error:
        raise Http404 from error
    email = fold(request.GET.get("email", ""))
    if not email or fold(row.customer_email) != email:
        raise Http404
    if not Group.objects.filter(pk=row.group_id, slug=reference.rpartition("-")[0]).exists():
        raise Http404
    return row
