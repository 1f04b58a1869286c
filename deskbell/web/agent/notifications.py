"""What the agent was told inside the desk."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.http.response import HttpResponseBase, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext_lazy

from deskbell.kernel.actor import NOBODY_ID
from deskbell.kernel.clock import now
from deskbell.notify import queries
from deskbell.notify.models import Occasion
from deskbell.notify.operations import mark_all
from deskbell.people.models import User
from deskbell.tickets import overviews
from deskbell.tickets.overviews import ListedTicket
from deskbell.tickets.queries import moment
from deskbell.web.agent.lists import rail
from deskbell.web.shared.pages import DeskRequest, Read, Write, page, signed_in

SHOWN = 100

_WORDS: dict[int, tuple[Any, str]] = {
    Occasion.CREATE: (gettext_lazy("new ticket"), ""),
    Occasion.UPDATE: (gettext_lazy("changed"), ""),
    Occasion.REMINDER_REACHED: (gettext_lazy("reminder"), "warm"),
    Occasion.ESCALATION: (gettext_lazy("escalation"), "bad"),
}


@dataclass(frozen=True, slots=True)
class Told:
    """A line: what happened to which ticket, through whom, when."""

    ticket: ListedTicket
    words: Any
    tone: str
    seen: bool
    by_id: int
    by_name: str
    at: datetime


@signed_in("web", *Read)
def notifications(request: DeskRequest) -> HttpResponseBase:
    """The newest notifications; opening a ticket is what makes its own seen."""
    actor = request.actor
    if actor.kind != "agent":
        return HttpResponseRedirect(reverse("portal-tickets"))
    rows = queries.page(actor, limit=SHOWN)
    tickets = {row.id: row for row in overviews.listed(sorted({row.ticket_id for row in rows}))}
    people = User.objects.in_bulk({row.created_by_id for row in rows} - {NOBODY_ID})
    lines = []
    for row in rows:
        ticket = tickets.get(row.ticket_id)
        if ticket is None:
            continue  # deleted since
        words, tone = _WORDS[row.type]
        by = people.get(row.created_by_id)
        name = "" if by is None else by.display_name
        told = Told(
            ticket, words, tone, bool(row.seen), row.created_by_id, name, moment(row.created_at)
        )
        lines.append(told)
    context = {"rail": rail(actor), "lines": lines, "notifications_page": True}
    return page(request, "agent/notifications.html", context)


@signed_in("web", *Write)
def see_all(request: DeskRequest) -> HttpResponseBase:
    """Everything counts as seen."""
    mark_all(actor=request.actor, at=now())
    return HttpResponseRedirect(reverse("agent-notifications"))
