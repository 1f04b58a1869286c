"""One entry of a ticket: taking it back, sending its mail again, deciding where it belongs."""

from __future__ import annotations

from django.contrib import messages
from django.http.response import HttpResponseBase, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext

from deskbell.kernel.clock import now
from deskbell.kernel.errors import Invalid, Refused, Unknown
from deskbell.mail import operations
from deskbell.mail.queries import deliveries_of
from deskbell.tickets import access, queries
from deskbell.tickets.operations import article_for, join_article, keep_as_note
from deskbell.tickets.vocabulary import Sender
from deskbell.web.agent import drafts
from deskbell.web.agent.ticket import back_to, row_to_change
from deskbell.web.shared.controls import sentence
from deskbell.web.shared.mails import shown_mail
from deskbell.web.shared.pages import DeskRequest, Read, page, signed_in


@signed_in("web", *Read)
def mail_of(request: DeskRequest, ticket_id: int, article_id: int) -> HttpResponseBase:
    """How far the messages about an entry got: the fragment of its page."""
    row = queries.ticket_row(request.actor, ticket_id)
    if not access.allows(request.actor, row, as_agent=True):
        raise access.TicketForbidden("ticket", ticket_id)
    article = article_for(request.actor, article_id)
    if article.ticket_id != ticket_id:
        raise Unknown("article", article_id)
    mail = shown_mail(
        deliveries_of([article_id])[article_id],
        at=now(),
        is_writer=article.created_by_id == request.viewer.pk,
        is_reply=article.sender == Sender.AGENT and not article.internal,
    )
    context = {
        "entry": {"id": article_id, "mail": mail},
        "ticket": row,
        "may_change": access.allows(request.actor, row, "change", as_agent=True),
    }
    return page(request, "shared/_mail.html", context)


@signed_in("web", "POST")
def take_back(request: DeskRequest, ticket_id: int, article_id: int) -> HttpResponseBase:
    """Undo a reply before it leaves; its words return to the composer."""
    row_to_change(request, ticket_id)
    try:
        withdrawn = operations.take_back(article_id, actor=request.actor, at=now())
    except Refused:
        messages.error(request, gettext("It was too late: this reply has been sent already."))
        return _to_entry(ticket_id, article_id)
    except Unknown:
        messages.error(request, gettext("This reply is not there any more."))
        return back_to(request, ticket_id)
    drafts.keep(request, withdrawn)
    there = reverse("agent-ticket", args=[withdrawn.ticket_id])
    # Browsers put the caret where the address points.
    return HttpResponseRedirect(f"{there}#reply-body")


@signed_in("web", "POST")
def resend(request: DeskRequest, ticket_id: int, mail_id: int) -> HttpResponseBase:
    """Try a message again that did not arrive."""
    row_to_change(request, ticket_id)
    try:
        mail = operations.resend(mail_id, actor=request.actor, at=now())
    except Refused:
        messages.error(request, gettext("This message is on its way already."))
        return back_to(request, ticket_id)
    words = gettext("The message to %(address)s is sent again.") % {"address": mail.address}
    messages.success(request, words)
    return _to_entry(ticket_id, mail.article_id)


def _to_entry(ticket_id: int, article_id: int) -> HttpResponseBase:
    there = reverse("agent-ticket", args=[ticket_id])
    return HttpResponseRedirect(f"{there}#article-{article_id}")


@signed_in("web", "POST")
def join(request: DeskRequest, ticket_id: int, article_id: int) -> HttpResponseBase:
    """Make an entry that is held apart one of the ticket."""
    row_to_change(request, ticket_id)
    copies = bool(request.POST.get("copies"))
    try:
        join_article(article_id, copies=copies, actor=request.actor, at=now())
    except (Refused, Unknown):
        return _decided(request, ticket_id)
    messages.success(request, gettext("The message belongs to the ticket now."))
    return _to_entry(ticket_id, article_id)


@signed_in("web", "POST")
def split(request: DeskRequest, ticket_id: int, article_id: int) -> HttpResponseBase:
    """Make an entry that is held apart a ticket of its own."""
    row_to_change(request, ticket_id)
    try:
        made = operations.split_off(article_id, actor=request.actor, at=now())
    except (Refused, Unknown):
        return _decided(request, ticket_id)
    except Invalid as problem:
        messages.error(request, sentence(problem))
        return _to_entry(ticket_id, article_id)
    messages.success(request, gettext("This ticket was made of the message."))
    return HttpResponseRedirect(reverse("agent-ticket", args=[made.pk]))


@signed_in("web", "POST")
def keep(request: DeskRequest, ticket_id: int, article_id: int) -> HttpResponseBase:
    """Leave an entry that is held apart as a note."""
    row_to_change(request, ticket_id)
    try:
        keep_as_note(article_id, actor=request.actor, at=now())
    except (Refused, Unknown):
        return _decided(request, ticket_id)
    messages.success(request, gettext("The message stays as a note."))
    return _to_entry(ticket_id, article_id)


def _decided(request: DeskRequest, ticket_id: int) -> HttpResponseBase:
    messages.error(request, gettext("Somebody decided about this message already."))
    return back_to(request, ticket_id)
