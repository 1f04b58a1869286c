"""What became of each message that came in, for who administers mail; and trying one again."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http.response import HttpResponseBase, HttpResponseRedirect
from django.template.defaultfilters import filesizeformat
from django.urls import reverse
from django.utils.translation import gettext, gettext_lazy, ngettext

from deskbell.kernel.clock import now
from deskbell.kernel.errors import Unknown
from deskbell.mail.intake import channels, handling, store
from deskbell.mail.models import Fate, IncomingMail
from deskbell.mail.reading import message
from deskbell.tickets import access
from deskbell.tickets.senders import formatted
from deskbell.web.agent.lists import rail
from deskbell.web.shared.controls import id_of
from deskbell.web.shared.pages import DeskRequest, Read, page, signed_in

SHOWN = 50
#: Bytes of the source that a page shows; all of it can be saved.
SOURCE_LIMIT = 200_000

#: How a fate is said, and in which tone.
WORDS: dict[str, tuple[Any, str]] = {
    "": (gettext_lazy("waits"), "warm"),
    Fate.NEW_TICKET: (gettext_lazy("new ticket"), ""),
    Fate.FOLLOW_UP: (gettext_lazy("follow-up"), ""),
    Fate.BOUNCE: (gettext_lazy("bounce"), "warm"),
    Fate.IGNORED: (gettext_lazy("ignored"), ""),
    Fate.REFUSED: (gettext_lazy("refused"), "bad"),
    Fate.UNREADABLE: (gettext_lazy("unreadable"), "bad"),
}


@signed_in("web", *Read)
def overview(request: DeskRequest) -> HttpResponseBase:
    """The latest messages, of one fate if one is chosen; older ones a page at a time."""
    channels.require(request.actor)
    chosen = request.GET.get("fate", "")
    rows = IncomingMail.objects.select_related("channel").order_by("-id")
    if chosen == "waiting":
        rows = rows.filter(fate="")
    elif chosen in WORDS and chosen:
        rows = rows.filter(fate=chosen)
    before = id_of(request.GET.get("before", ""))
    if before is not None:
        rows = rows.filter(pk__lt=before)
    found = list(rows[: SHOWN + 1])
    context = {
        "rail": rail(request.actor, current="incoming"),
        "lines": [(mail, *WORDS[mail.fate]) for mail in found[:SHOWN]],
        "older": found[SHOWN - 1].pk if len(found) > SHOWN else None,
        "chosen": chosen,
        "fates": [("", gettext("all"))]
        + [(value or "waiting", words) for value, (words, _tone) in WORDS.items()],
    }
    return page(request, "agent/incoming.html", context)


@signed_in("web", *Read)
def mail(request: DeskRequest, mail_id: int) -> HttpResponseBase:
    """One message: what became of it and why, what was read in it, and its source."""
    channels.require(request.actor)
    row = IncomingMail.objects.select_related("channel", "copy_of").filter(pk=mail_id).first()
    if row is None:
        raise Unknown("mail", mail_id)
    facts: list[tuple[str, str]] = []
    source = ""
    try:
        content = store.read(row.place) if row.place else b""
    except FileNotFoundError:
        content = b""
    if content:
        facts = [
            (name, _said(value))
            for name, value in message.read(content).as_json().items()
            if value not in (None, "", [], False) and name != "body_html"
        ]
        # Every byte has a letter here, so the source is shown as it is, whatever it claims to be.
        source = content[:SOURCE_LIMIT].decode("utf-8", "replace")
    words, tone = WORDS[row.fate]
    context = {
        "rail": rail(request.actor, current="incoming"),
        "mail": row,
        "words": words,
        "tone": tone,
        "facts": facts,
        "source": source,
        "is_cut": len(content) > SOURCE_LIMIT,
        "ticket_is_readable": _may_read(request, row),
        "may_replay": row.fate in handling.REPLAYED and row.copy_of_id is None and bool(content),
    }
    return page(request, "agent/incoming_mail.html", context)


def _said(value: Any) -> str:
    """A fact in words: people as mail programs write them, files by name, type and size."""
    if isinstance(value, list):
        return ", ".join(_said(each) for each in value)
    if isinstance(value, dict) and "address" in value:
        return formatted(value["name"], value["address"])
    if isinstance(value, dict) and "filename" in value:
        size = filesizeformat(value["size"])
        return f"{value['filename']} ({value['content_type']}, {size})"
    if value is True:
        return gettext("yes")
    return str(value)


def _may_read(request: DeskRequest, row: IncomingMail) -> bool:
    if row.ticket_id is None:
        return False
    return access.tickets(request.actor).filter(pk=row.ticket_id).exists()


@signed_in("web", "POST")
def replay(request: DeskRequest) -> HttpResponseBase:
    """Handle one message again, or everything that could not be read."""
    channels.require(request.actor)
    chosen = id_of(request.POST.get("mail", ""))
    if chosen is not None:
        ids = [chosen]
    else:
        unreadable = IncomingMail.objects.filter(fate=Fate.UNREADABLE).order_by("id")
        ids = list(unreadable.values_list("pk", flat=True)[: handling.REPLAYED_AT_MOST])
    number = handling.replay(ids, at=now())
    said = ngettext("%d message is handled again.", "%d messages are handled again.", number)
    messages.success(request, said % number, extra_tags="channel")
    if chosen is not None:
        return HttpResponseRedirect(reverse("admin-mail", args=[chosen]))
    return HttpResponseRedirect(reverse("admin-incoming"))
