"""The overviews: which tickets wait, and what a search finds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.http.response import HttpResponseBase, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext, gettext_lazy

from deskbell.kernel.actor import Actor
from deskbell.kernel.text import storable
from deskbell.mail.administering import PERMISSION
from deskbell.mail.models import MailChannel
from deskbell.notify import queries as notifications
from deskbell.search.language import parse
from deskbell.search.results import find
from deskbell.tickets import overviews
from deskbell.tickets.overviews import ListedTicket, Place
from deskbell.web.shared.pages import DeskRequest, Read, page, signed_in

PAGE = 50
#: A search is refined, not leafed through for ever.
SEARCH_PAGES = 40
#: So many channels in trouble have their line on every page of an administrator.
ALARMS_SHOWN = 3
START: overviews.Name = "open"

LABELS: dict[overviews.Name, tuple[Any, str]] = {
    "mine": (gettext_lazy("Mine"), "person"),
    "unassigned": (gettext_lazy("Unassigned"), "nobody"),
    "open": (gettext_lazy("Open"), "inbox"),
    "all": (gettext_lazy("All"), "stack"),
    "closed": (gettext_lazy("Closed"), "check"),
}

#: The pages about mail: what ``current`` calls them, their label, icon and route.
MAIL_PAGES: tuple[tuple[str, Any, str, str], ...] = (
    ("channels", gettext_lazy("Mail channels"), "mail", "admin-channels"),
    ("incoming", gettext_lazy("Incoming mail"), "inbox", "admin-incoming"),
    ("ignored", gettext_lazy("Ignored mail"), "blocked", "admin-ignored"),
    ("rules", gettext_lazy("Rules"), "gear", "admin-mail-rules"),
    ("sending", gettext_lazy("Sending mail"), "send", "admin-sending"),
    ("texts", gettext_lazy("Texts of mail"), "text", "admin-texts"),
)


@dataclass(frozen=True, slots=True)
class RailView:
    """An overview in the rail."""

    name: str
    label: Any
    icon: str
    count: int
    address: str
    current: bool


def rail(
    actor: Actor, *, current: str = "", query: str = "", unseen: int | None = None
) -> dict[str, Any]:
    """What stands in the rail of every page of the workspace.

    Three queries, and for administrators of mail one about its alarms. ``unseen``: how many
    notifications wait, where the page has counted them already.
    """
    counts = overviews.counts(actor)
    alarms = _alarms(actor)
    return {
        "query": query,
        "views": [
            RailView(name, label, icon, counts[name], address_of(name), name == current)
            for name, (label, icon) in LABELS.items()
        ],
        "counts": counts,
        "unseen": notifications.unseen(actor) if unseen is None else unseen,
        "mail_pages": [] if alarms is None else _mail_pages(len(alarms), current),
        # Their own page says it of each of them.
        "alarms": [] if current == "channels" else (alarms or [])[:ALARMS_SHOWN],
    }


def _alarms(actor: Actor) -> list[MailChannel] | None:
    """Mail channels in trouble, for who administers them; ``None`` for everybody else."""
    if not actor.may(PERMISSION):
        return None
    rows = MailChannel.objects.filter(active=True).exclude(alarm="")
    return list(rows.only("name", "alarm", "alarm_since").order_by("alarm_since", "id"))


def _mail_pages(alarms: int, current: str) -> list[RailView]:
    """The pages about mail, the first with the number of channels in trouble.

    Whoever is elsewhere sees the first alone.
    """
    names = {name for name, _, _, _ in MAIL_PAGES}
    shown = MAIL_PAGES if current in names else MAIL_PAGES[:1]
    return [
        RailView(
            name,
            label,
            icon,
            alarms if name == "channels" else 0,
            reverse(route),
            name == current,
        )
        for name, label, icon, route in shown
    ]


def address_of(name: str) -> str:
    """Where an overview is."""
    there = reverse("agent-tickets")
    return there if name == START else f"{there}?view={name}"


@signed_in("web", *Read)
def tickets(request: DeskRequest) -> HttpResponseBase:
    """A page of an overview, or of what a search found."""
    if request.actor.kind != "agent":
        return HttpResponseRedirect(reverse("portal-tickets"))
    query = storable(request.GET.get("q", "")).strip()
    if query:
        return _found(request, query)
    name = next((n for n in overviews.NAMES if n == request.GET.get("view")), START)
    after = Place.parse(request.GET.get("after", ""))
    rows, older = overviews.page(request.actor, name, limit=PAGE, after=after)
    here = address_of(name)
    joint = "&" if "?" in here else "?"
    context = {
        "rail": rail(request.actor, current=name),
        "title": LABELS[name][0],
        "tickets": rows,
        "view": name,
        "older": f"{here}{joint}after={older}" if older else "",
        "newest": here if after else "",
        "empty": _empty(name, request.actor),
    }
    return page(request, "agent/tickets.html", context)


def _empty(name: overviews.Name, actor: Actor) -> str:
    groups = actor.groups_with("read")
    if groups is not None and not groups:
        return gettext("You have access to no group yet. An administrator can grant it.")
    return {
        "mine": gettext("Nothing waits for you."),
        "unassigned": gettext("Every open ticket has somebody who takes care of it."),
        "open": gettext("No open tickets. Well done."),
        "all": gettext("No tickets yet. The first one comes by mail, by API or by hand."),
        "closed": gettext("Nothing was closed yet."),
    }[name]


def _found(request: DeskRequest, query: str) -> HttpResponseBase:
    number = request.GET.get("page", "1")
    at = int(number) if number.isascii() and number.isdigit() and len(number) < 4 else 1
    at = min(max(at, 1), SEARCH_PAGES)
    asked = parse(query)
    ids = find(request.actor, asked, limit=PAGE + 1, offset=(at - 1) * PAGE)
    rows: list[ListedTicket] = overviews.listed(ids[:PAGE])
    context = {
        "rail": rail(request.actor, query=query),
        "title": gettext("Search"),
        "tickets": rows,
        "view": "",
        "query": query,
        "problem": asked.problem,
        "older_page": at + 1 if len(ids) > PAGE and at < SEARCH_PAGES else None,
        "newer_page": at - 1 if at > 1 else None,
        "empty": gettext("No ticket that you may read matches."),
    }
    return page(request, "agent/tickets.html", context)
