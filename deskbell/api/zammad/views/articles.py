"""Articles and their files (contract section 7)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db import transaction
from django.http import FileResponse, HttpResponse
from django.http.response import HttpResponseBase

from deskbell.api.zammad import assets, errors, uploads
from deskbell.api.zammad.decode import articles as article_bodies
from deskbell.api.zammad.decode import values
from deskbell.api.zammad.errors import Problem, forbidden
from deskbell.api.zammad.paging import order_of, page_of
from deskbell.api.zammad.views.base import Call, answer, done, endpoint, not_authorized
from deskbell.kernel.errors import Unknown
from deskbell.mail.intake.taking import raw_of
from deskbell.tickets import access, attachments, queries
from deskbell.tickets.models import Article, Attachment, Ticket
from deskbell.tickets.operations import article_for, mark_article, remove_article, update_ticket
from deskbell.tickets.queries import ArticleRow
from deskbell.tickets.vocabulary import ArticleType, Sender

#: So long an agent may take back a note of his own.
DELETABLE_FOR = timedelta(minutes=10)
LIST_DEFAULT, LIST_MOST = 500, 1000


# --- reading -------------------------------------------------------------------------------------


def index(call: Call) -> HttpResponse:
    """A page of all articles the caller may see, by id."""
    page = page_of(call.params, default=LIST_DEFAULT, most=LIST_MOST)
    by_date, newest_first = _order(call)
    rows = queries.articles_page(
        call.actor,
        limit=page.limit,
        offset=page.offset,
        by_date=by_date,
        newest_first=newest_first,
    )
    if call.asks("full"):
        body = _records(call, rows)
        body["total_count"] = queries.count_articles(call.actor)
        return answer(body)
    return answer(assets.articles(rows, root=call.root))


def _order(call: Call) -> tuple[bool, bool]:
    """Whether by date rather than by id, and whether the newest come first."""
    asked = order_of(call.params)
    if not asked:
        return False, False
    column, direction = asked[0]
    if column not in ("id", "created_at"):
        raise errors.invalid_value("sort_by", column)
    if direction not in ("asc", "desc"):
        raise errors.invalid_value("order_by", direction)
    return column == "created_at", direction == "desc"


def by_ticket(call: Call, ticket_id: str) -> HttpResponse:
    """The articles of a ticket that the caller may see, oldest first."""
    ticket = queries.ticket_row(call.actor, values.row_id(ticket_id, "ticket"))
    rows = queries.articles_of(call.actor, [ticket])[ticket.id]
    if call.asks("full"):
        return answer(_records(call, rows))
    return answer(assets.articles(rows, root=call.root))


def _records(call: Call, rows: list[ArticleRow]) -> dict[str, Any]:
    return {"record_ids": [row.id for row in rows], "assets": _assets(call, rows)}


def _assets(call: Call, rows: list[ArticleRow]) -> dict[str, Any]:
    found = assets.Assets(call.actor, root=call.root)
    ticket_ids = sorted({row.ticket_id for row in rows})
    found.add_tickets(queries.tickets_by_id(call.actor, ticket_ids))
    found.add_articles(rows)
    return found.filled()


def show(call: Call, article_id: str) -> HttpResponse:
    """One article."""
    article = article_for(call.actor, values.row_id(article_id, "article"))
    return shown(call, article.pk)


def shown(call: Call, article_id: int, *, status: int = 200) -> HttpResponse:
    """One article; always in its expanded form."""
    rows = queries.articles_by_id([article_id])
    if call.asks("full"):
        return answer({"id": article_id, "assets": _assets(call, rows)}, status)
    return answer(assets.articles(rows, root=call.root)[0], status)


def plain(call: Call, article_id: str) -> HttpResponse:
    """The mail as it came; entries that came another way have none.

    What an agent wrote by mail quotes what he was told, so customers read the entry alone.
    """
    article = article_for(call.actor, values.row_id(article_id, "article"))
    is_own_side = article.sender == Sender.CUSTOMER
    may_read = is_own_side or access.sees_internal(call.actor, article.ticket)
    content = raw_of(article.pk) if may_read else None
    if content is None:
        raise Problem(404, "This article does not have a raw copy available.")
    response = HttpResponse(content, content_type="message/rfc822")
    response.headers["Content-Disposition"] = f'attachment; filename="{article.pk}.eml"'
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response


# --- writing -------------------------------------------------------------------------------------


def create(call: Call) -> HttpResponse:
    """Add an article to a ticket."""
    actor, params = call.actor, call.params
    given = params.get("ticket_id")
    if given is None:
        raise Problem(404, "Couldn't find Ticket without an ID")
    ticket_id = values.as_id(given)
    if ticket_id is None:
        raise Unknown("ticket", given)
    with transaction.atomic():
        ticket = access.ticket_for(actor, ticket_id, "change", lock=True)
        as_agent = access.allows(actor, ticket, "change", as_agent=True)
        article = article_bodies.new_article(
            params,
            ticket_id=ticket_id,
            actor=actor,
            as_agent=as_agent,
            uploads=uploads.files_of(params, actor=actor),
        )
        _ticket, added = update_ticket(ticket_id, None, article, actor=actor, at=call.at)
        uploads.forget(params, actor=actor)
    assert added is not None
    return shown(call, added.pk, status=201)


def update(call: Call, article_id: str) -> HttpResponse:
    """Whether the article is private, and its highlights; everything else is passed over."""
    id_ = values.row_id(article_id, "article")
    article = article_for(call.actor, id_, "change")
    if not access.allows(call.actor, article.ticket, "change", as_agent=True):
        raise not_authorized()
    internal = None
    if call.params.get("internal") is not None:
        internal = values.boolean("internal", call.params["internal"])
    preferences = call.params.get("preferences")
    highlight = preferences.get("highlight") if isinstance(preferences, dict) else None
    mark_article(
        id_,
        internal=internal,
        preferences=None if highlight is None else {"highlight": highlight},
        actor=call.actor,
        at=call.at,
    )
    return shown(call, id_)


def destroy(call: Call, article_id: str) -> HttpResponse:
    """An agent takes back his own fresh note; nobody else anything (decision 21)."""
    article = article_for(call.actor, values.row_id(article_id, "article"))
    _check_removable(call, article)
    remove_article(article.pk, actor=call.actor, at=call.at)
    return done()


def _check_removable(call: Call, article: Article) -> None:
    if not access.allows(call.actor, article.ticket, as_agent=True):
        raise forbidden("Not authorized (agent permission required)!")
    if article.created_by_id != call.actor.user_id:
        raise forbidden("Not authorized (you can only delete your own notes)!")
    if ArticleType(article.type).is_communication and not article.internal:
        raise forbidden("Not authorized (communication articles cannot be deleted)!")
    if article.created_at <= call.at - DELETABLE_FOR:
        raise forbidden("Not authorized (note is too old to be deleted)!")


# --- files ---------------------------------------------------------------------------------------


def download(call: Call, ticket_id: str, article_id: str, attachment_id: str) -> HttpResponseBase:
    """The bytes of a file. Both ids around it must be right; a merged ticket's old id is."""
    actor = call.actor
    ticket = access.ticket_for(actor, values.row_id(ticket_id, "ticket"))
    article = (
        Article.objects.select_related("ticket")
        .filter(pk=values.row_id(article_id, "article"))
        .first()
    )
    if article is None:
        raise Unknown("article", article_id)
    if not _belongs(article, ticket):
        raise forbidden("The article does not belong to the specified ticket.")
    id_ = values.as_id(attachment_id)
    file = None if id_ is None else Attachment.objects.filter(pk=id_, article=article).first()
    if file is None:
        raise forbidden("The file does not belong to the specified article.")
    attachments.attachment_for(actor, file.pk)
    kind = attachments.served_type(file.content_type)
    wants_inline = "inline" in (call.params.get("disposition"), call.params.get("view"))
    inline = wants_inline and attachments.may_be_inline(kind)
    response = FileResponse(
        attachments.open_blob(file.blob_id),
        as_attachment=not inline,
        filename=file.filename,
        content_type=kind,
    )
    response.headers["Content-Length"] = str(file.size)
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response.headers["Cache-Control"] = "private, max-age=3600"
    return response


def _belongs(article: Article, ticket: Ticket) -> bool:
    """Whether the article stands in the ticket, or stood there before merges moved it on."""
    if ticket.pk in (article.ticket_id, article.moved_from):
        return True
    # Merged twice: the article remembers its first ticket, the one in between knows that one.
    return article.moved_from is not None and article.moved_from in _sources(ticket.pk)


def _sources(ticket_id: int) -> set[int]:
    """Tickets that were merged into this one, directly or on the way."""
    found: set[int] = set()
    fresh = {ticket_id}
    while fresh:
        fresh = set(Ticket.objects.filter(merged_to__in=fresh).values_list("pk", flat=True)) - found
        found |= fresh
    return found


def upload(call: Call) -> HttpResponse:
    """Send a file ahead; the article with the same ``form_id`` takes it."""
    file = call.request.FILES.get("File") or call.request.FILES.get("file")
    form_id = call.params.get("form_id")
    if file is None or values.is_blank(form_id):
        raise errors.unprocessable("The required parameters 'File' and 'form_id' are missing.")
    kept = uploads.add(values.text("form_id", form_id), file, actor=call.actor, at=call.at)
    data = {"id": kept.pk, "filename": kept.filename, "size": str(kept.size)}
    return answer({"success": True, "data": data})


def remove_upload(call: Call, upload_id: str) -> HttpResponse:
    """Take back a file that was sent ahead."""
    id_ = values.as_id(upload_id)
    if id_ is None or not uploads.remove(id_, actor=call.actor):
        raise Unknown("attachment", upload_id)
    return answer({"success": True})


collection = endpoint(get=index, post=create)
of_ticket = endpoint(get=by_ticket)
member = endpoint(get=show, put=update, delete=destroy)
raw = endpoint(get=plain)
file = endpoint(get=download)
files = endpoint(post=upload)
waiting_file = endpoint(delete=remove_upload)
