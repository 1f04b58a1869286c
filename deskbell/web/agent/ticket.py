"""One ticket: reading it, answering it, changing its facts."""

from __future__ import annotations

import json
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http.response import HttpResponseBase, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext

from deskbell.kernel.actor import NOBODY_ID
from deskbell.kernel.clock import now
from deskbell.kernel.errors import Forbidden, Invalid, Refused
from deskbell.mail.intake.taking import with_source
from deskbell.mail.models import MailState, OutgoingMail
from deskbell.mail.queries import deliveries_of
from deskbell.notify import queries as notifications
from deskbell.notify.operations import see_ticket
from deskbell.people.addresses import is_mailable
from deskbell.people.models import User
from deskbell.tickets import access, fields, overviews, queries, thread
from deskbell.tickets.models import TicketCC
from deskbell.tickets.operations import (
    NewArticle,
    TicketChange,
    public_reply,
    tag,
    untag,
    update_ticket,
)
from deskbell.tickets.queries import TicketRow
from deskbell.tickets.vocabulary import ArticleType, StateType
from deskbell.web.agent import drafts
from deskbell.web.agent.drafts import restored
from deskbell.web.agent.forms import Answer, Facts, Vocabulary, owner_options
from deskbell.web.agent.lists import rail
from deskbell.web.shared import entries
from deskbell.web.shared.controls import Option, files_of, id_of, shown_values
from deskbell.web.shared.pages import DeskRequest, Read, page, signed_in
from deskbell.web.shared.signatures import Reader

#: Entries on a page; earlier ones are a click away.
WINDOW = 100


class _News(Exception):
    """Somebody wrote to the ticket since the page was made."""


def row_to_change(request: DeskRequest, ticket_id: int) -> TicketRow:
    """The ticket, for an agent who may change it; every form of the page goes through here.

    Whoever sees it as its customer only has no business in the workspace: unknown. Who may read
    but not change it is told so.
    """
    row = queries.ticket_row(request.actor, ticket_id)
    if not access.allows(request.actor, row, as_agent=True):
        raise access.TicketForbidden("ticket", ticket_id)
    if not access.allows(request.actor, row, "change", as_agent=True):
        raise PermissionDenied
    return row


@signed_in("web", *Read)
def ticket(request: DeskRequest, ticket_id: int) -> HttpResponseBase:
    """A ticket with its newest entries."""
    row = queries.ticket_row(request.actor, ticket_id)
    if not access.allows(request.actor, row, as_agent=True):
        # One's own question is answered in the portal.
        return HttpResponseRedirect(reverse("portal-ticket", args=[ticket_id]))
    unseen, of_ticket = notifications.unseen_beside(request.actor, row.id)
    if of_ticket and request.method == "GET":
        # Only where there is something to note: reading a page takes no lock otherwise.
        see_ticket(row.id, actor=request.actor, at=now())
        unseen -= min(of_ticket, unseen)
    reply = restored(request, row.id) if request.method == "GET" else None
    return _page(request, row, unseen=unseen, reply=reply)


def _page(
    request: DeskRequest,
    row: TicketRow,
    *,
    status: int = 200,
    reply: Answer | None = None,
    note: Answer | None = None,
    facts: Facts | None = None,
    news: bool = False,
    unseen: int | None = None,
) -> HttpResponseBase:
    actor = request.actor
    window, earlier = thread.newest(
        actor, row, limit=WINDOW, before=id_of(request.GET.get("before", ""))
    )
    ids = [article.id for article in window]
    words = Vocabulary.read()
    owners, people = owner_options(row.group_id, row.owner_id)
    wanted = entries.people_of(window, customer_id=row.customer_id) - people.keys()
    people |= {
        user.pk: user for user in User.objects.filter(pk__in=wanted).select_related("organization")
    }
    here = reverse("agent-ticket", args=[row.id])
    around = entries.Surroundings(
        reader=Reader(user_id=request.viewer.pk),
        customer_id=row.customer_id,
        title=row.title,
        page=here,
        people=people,
        files=queries.attachments_of(ids),
        deliveries=deliveries_of(ids),
        at=now(),
        sources=with_source([article.id for article in window if article.via == "mail"]),
        show_images={id_ for text in request.GET.getlist("images") if (id_ := id_of(text))},
        for_staff=True,
    )
    shown = [entries.shown(article, around) for article in window]
    definitions = fields.for_actor(actor)
    custom = json.loads(row.custom)
    tags = queries.tags_of([row.id])[row.id]
    links = queries.links_of(actor, row.id)
    others = {link.target_id if link.source_id == row.id else link.source_id for link in links}
    others |= {row.merged_to_id} if row.merged_to_id else set()
    related = {other.id: other for other in overviews.listed(sorted(others))}
    may_change = access.allows(actor, row, "change", as_agent=True)
    customer = people.get(row.customer_id)
    owner = people.get(row.owner_id)
    context: dict[str, Any] = {
        "rail": rail(actor, unseen=unseen),
        "ticket": row,
        "address": here,
        "state": words.state(row.state_id),
        "state_kind": StateType(row.state_type),
        "priority": words.priority(row.priority_id),
        "group": words.group(row.group_id),
        "owner": owner,
        "customer": customer if row.customer_id != NOBODY_ID else None,
        "created": queries.moment(row.created_at),
        "escalation": queries.moment(row.escalation_at) if row.escalation_at else None,
        "due": queries.moment(row.due_date) if row.due_date else None,
        "on_hold": bool(row.on_hold),
        "entries": shown,
        "undoable": next((e for e in reversed(shown) if e.mail and e.mail.may_undo), None),
        "earlier": f"{here}?before={ids[0]}" if earlier else "",
        "is_past": "before" in request.GET,
        "seen": max(ids, default=0),
        "copies": list(
            TicketCC.objects.filter(ticket_id=row.id).order_by("id").values_list("email", flat=True)
        ),
        "custom": shown_values(definitions, custom),
        "links": [
            (_tie(link, row.id), related[other])
            for link in links
            if (other := _other(link, row.id)) in related
        ],
        "merged_to": _readable(request, related, row.merged_to_id),
        "may_change": may_change,
        "is_merged": row.state_type == StateType.MERGED,
        "reaches": customer is not None and is_mailable(customer.email),
        "reply": reply or Answer(),
        "restored": reply is not None and request.method == "GET",
        "note": note or Answer(),
        "mode": "note" if note is not None else "reply",
        "answer_states": [
            Option("", gettext("Leave as it is")),
            *words.state_options(present=None),
        ],
        "facts": facts
        or Facts(
            row,
            actor=actor,
            words=words,
            owners=owners,
            tags=tags,
            definitions=definitions,
            custom=custom,
        ),
        "may_take": row.owner_id == NOBODY_ID and actor.may_in_group("full", row.group_id),
        "news": news,
        "tags": tags,
    }
    return page(request, "agent/ticket.html", context, status=status)


def _other(link: queries.LinkRow, ticket_id: int) -> int:
    return link.target_id if link.source_id == ticket_id else link.source_id


def _tie(link: queries.LinkRow, ticket_id: int) -> str:
    """What the other ticket is to this one, in words."""
    if link.type == "normal":
        return gettext("Related")
    return gettext("Part of") if link.target_id == ticket_id else gettext("Has part")


def _readable(
    request: DeskRequest, related: dict[int, overviews.ListedTicket], ticket_id: int | None
) -> overviews.ListedTicket | None:
    """The ticket that this one was merged into, if the reader may see it."""
    found = related.get(ticket_id or 0)
    if found is None or not request.actor.may_in_group("read", found.group_id):
        return None
    return found


# --- answering -----------------------------------------------------------------------------------


@signed_in("web", "POST")
def create_reply(request: DeskRequest, ticket_id: int) -> HttpResponseBase:
    """Answer the customer."""
    row = row_to_change(request, ticket_id)
    answer = Answer.read(request.POST)
    answer.kept = drafts.kept(request, ticket_id)
    try:
        article_id = _write(request, ticket_id, answer, internal=False)
    except (_News, Invalid, Refused) as problem:
        return _unsent(request, row, answer, problem, reply=answer)
    # While it is held, what stands at the foot of the page says so, and how to take it back.
    held = OutgoingMail.objects.filter(article_id=article_id, state=MailState.HELD).exists()
    words = (
        gettext("Your reply goes out in a few seconds; until then you can take it back.")
        if held
        else gettext("Your reply was published.")
    )
    return _sent(request, ticket_id, article_id, "reply", words)


@signed_in("web", "POST")
def create_note(request: DeskRequest, ticket_id: int) -> HttpResponseBase:
    """Leave a note that only agents see."""
    row = row_to_change(request, ticket_id)
    answer = Answer.read(request.POST)
    try:
        article_id = _write(request, ticket_id, answer, internal=True)
    except (_News, Invalid, Refused) as problem:
        return _unsent(request, row, answer, problem, note=answer)
    return _sent(request, ticket_id, article_id, "note", gettext("Your note was added."))


def _write(request: DeskRequest, ticket_id: int, answer: Answer, *, internal: bool) -> int:
    """Add the entry, unless there is one that the writer has not seen; its id."""
    seen = id_of(request.POST.get("seen", ""))
    files = [*drafts.files_again(answer.kept), *files_of(request)]
    if not answer.body.strip() and not files:
        raise Invalid("body", "required")
    with transaction.atomic():
        found = access.ticket_for(request.actor, ticket_id, "change", lock=True, as_agent=True)
        if seen is None or thread.has_news(found.pk, seen=seen, public=False):
            raise _News
        if internal:
            article = NewArticle(
                body=answer.body, type=ArticleType.NOTE, internal=True, files=files
            )
        else:
            kind = public_reply(found, answer.body, mailed_without_text=bool(files))
            article = NewArticle(**kind, files=files)
        _ticket, written = update_ticket(
            found.pk, answer.change(), article, actor=request.actor, at=now()
        )
    assert written is not None
    return written.pk


def _unsent(
    request: DeskRequest,
    row: TicketRow,
    answer: Answer,
    problem: Exception,
    **shown: Answer,
) -> HttpResponseBase:
    """The page again, with what was typed and why it was not sent."""
    status = 422
    if isinstance(problem, Invalid):
        answer.take(problem)
    elif isinstance(problem, Refused):
        answer.problem = gettext("This ticket takes no more entries.")
    else:
        status = 409
    return _page(request, row, status=status, news=status == 409, **shown)  # type: ignore[arg-type]


def _sent(
    request: DeskRequest, ticket_id: int, article_id: int, mode: str, words: str
) -> HttpResponseBase:
    messages.success(request, words, extra_tags=f"{mode}:{ticket_id}")
    there = reverse("agent-ticket", args=[ticket_id])
    return HttpResponseRedirect(f"{there}#article-{article_id}")


# --- the facts -----------------------------------------------------------------------------------


@signed_in("web", "POST")
def change_facts(request: DeskRequest, ticket_id: int) -> HttpResponseBase:
    """Change what the form beside the ticket says, all of it or nothing."""
    row = row_to_change(request, ticket_id)
    owners, _people = owner_options(row.group_id, row.owner_id)
    facts = Facts(
        row,
        actor=request.actor,
        words=Vocabulary.read(),
        owners=owners,
        tags=queries.tags_of([row.id])[row.id],
        definitions=fields.for_actor(request.actor),
        custom=json.loads(row.custom),
    )
    change, added, removed = facts.read(request.POST)
    if not facts.has_errors:
        try:
            with transaction.atomic():
                _apply(request, ticket_id, change, added, removed)
        except Invalid as problem:
            facts.take(problem)
        except Refused:
            facts.problem = gettext("This ticket cannot be changed any more.")
    if facts.has_errors:
        return _page(request, row, status=422, facts=facts)
    messages.success(request, gettext("Saved."))
    return back_to(request, ticket_id)


def _apply(
    request: DeskRequest,
    ticket_id: int,
    change: TicketChange,
    added: list[str],
    removed: list[str],
) -> None:
    at = now()
    # Tags first: the change may move the ticket to a group where the actor may do no more.
    if added:
        tag(ticket_id, added, actor=request.actor, at=at)
    if removed:
        untag(ticket_id, removed, actor=request.actor, at=at)
    update_ticket(ticket_id, change, actor=request.actor, at=at)


def back_to(request: DeskRequest, ticket_id: int) -> HttpResponseBase:
    """To the ticket, or to the list where the change moved it out of reach."""
    try:
        queries.ticket_row(request.actor, ticket_id)
    except Forbidden:
        return HttpResponseRedirect(reverse("agent-tickets"))
    return HttpResponseRedirect(reverse("agent-ticket", args=[ticket_id]))


@signed_in("web", "POST")
def take(request: DeskRequest, ticket_id: int) -> HttpResponseBase:
    """Become the owner of a ticket that nobody has."""
    row_to_change(request, ticket_id)
    with transaction.atomic():
        found = access.ticket_for(request.actor, ticket_id, "change", lock=True, as_agent=True)
        if found.owner_id not in (NOBODY_ID, request.viewer.pk):
            messages.error(request, gettext("Somebody else took this ticket first."))
        else:
            change = TicketChange(owner_id=request.viewer.pk)
            try:
                update_ticket(ticket_id, change, actor=request.actor, at=now())
            except Invalid as problem:
                raise PermissionDenied from problem
            messages.success(request, gettext("This ticket is yours now."))
    return HttpResponseRedirect(reverse("agent-ticket", args=[ticket_id]))
