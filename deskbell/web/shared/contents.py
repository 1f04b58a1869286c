"""Files and bodies of entries: authorised, typed by us, never running in our origin."""

from __future__ import annotations

import logging
import secrets

from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseNotModified
from django.http.response import HttpResponseBase
from django.utils.http import content_disposition_header, parse_etags

from deskbell.kernel.errors import Forbidden
from deskbell.mail.intake.taking import raw_of
from deskbell.tickets import access, attachments, folding
from deskbell.tickets.models import Article, Attachment
from deskbell.tickets.operations import article_for
from deskbell.tickets.texts import HTML, plain_text
from deskbell.web.shared import bodies
from deskbell.web.shared.pages import DeskRequest, Read, allow, signed_in
from deskbell.web.shared.signatures import (
    BadSignature,
    Reader,
    article_of,
    file_of,
    signed_file_address,
)

log = logging.getLogger("deskbell.web")

#: For whatever is not a page: nothing loads, nothing runs, whichever way a browser shows it.
SEALED = "default-src 'none'; style-src 'unsafe-inline'; img-src 'self'; sandbox"
#: Bytes of a message's source that a page shows; all of it is there for download.
SOURCE_SHOWN = 2_000_000
PICTURES = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp", "image/avif"})


@signed_in("web", *Read)
def attachment(request: DeskRequest, attachment_id: int, name: str = "") -> HttpResponseBase:
    """A file, for somebody who is signed in. Its name in the address is for people."""
    return _sent(request, attachments.attachment_for(request.actor, attachment_id), inline=False)


@allow(*Read)
def signed_attachment(request: HttpRequest, attachment_id: int, name: str) -> HttpResponseBase:
    """A file, for whoever was shown it: an inline image, or one of a public link."""
    try:
        found = file_of(attachment_id, request.GET.get("key", ""))
    except BadSignature as error:
        raise Http404 from error
    return _sent(request, found, inline="inline" in request.GET)


def _sent(request: HttpRequest, found: Attachment, *, inline: bool) -> HttpResponseBase:
    served = attachments.served_type(found.content_type)
    as_picture = inline and served in PICTURES
    tag = f'"{found.blob_id}"'
    response: HttpResponseBase
    if tag in parse_etags(request.headers.get("If-None-Match", "")):
        response = HttpResponseNotModified()
    else:
        try:
            file = attachments.open_blob(found.blob_id)
        except FileNotFoundError as error:
            log.exception("the bytes of an attachment are missing", extra={"id": found.pk})
            raise Http404 from error
        response = FileResponse(file, content_type=served)
        response["Content-Length"] = str(found.size)
    disposition = content_disposition_header(not as_picture, found.filename)
    response["Content-Disposition"] = disposition or "attachment"
    response["Content-Security-Policy"] = SEALED
    response["X-Content-Type-Options"] = "nosniff"
    response["Cross-Origin-Resource-Policy"] = "cross-origin" if as_picture else "same-origin"
    response["ETag"] = tag
    # Kept, but asked about every time: rights may be gone tomorrow.
    response["Cache-Control"] = "private, no-cache"
    return response


@signed_in("web", *Read)
def article_html(request: DeskRequest, article_id: int) -> HttpResponseBase:
    """The HTML of an entry, for a frame."""
    found = article_for(request.actor, article_id)
    return _framed(request, found, Reader(user_id=request.viewer.pk))


@allow(*Read)
def signed_article_html(request: HttpRequest, article_id: int) -> HttpResponseBase:
    """The same for whoever holds the public link of the ticket."""
    found, reader = _signed_article(request, article_id)
    return _framed(request, found, reader)


def _signed_article(request: HttpRequest, article_id: int) -> tuple[Article, Reader]:
    try:
        return article_of(article_id, request.GET.get("key", ""))
    except BadSignature as error:
        raise Http404 from error


def _framed(request: HttpRequest, found: Article, reader: Reader) -> HttpResponse:
    if found.content_type != HTML:
        raise Http404
    by_content_id: dict[str, str] = {}
    by_id: dict[int, str] = {}
    for file in Attachment.objects.filter(article=found).order_by("id"):
        if attachments.served_type(file.content_type) not in PICTURES:
            continue
        by_id[file.pk] = signed_file_address(file.pk, file.filename, reader) + "&inline"
        if file.content_id:
            by_content_id.setdefault(file.content_id.strip("<>"), by_id[file.pk])
    remote_images = "images" in request.GET
    nonce = secrets.token_urlsafe(16)
    response = HttpResponse(
        bodies.document(
            found.body,
            nonce=nonce,
            images=by_content_id,
            files=by_id,
            remote_images=remote_images,
            new=folding.of(found.preferences) if found.via == "mail" else None,
        )
    )
    response["Content-Security-Policy"] = bodies.frame_policy(nonce, remote_images=remote_images)
    response["X-Frame-Options"] = "SAMEORIGIN"
    response["Referrer-Policy"] = "no-referrer"
    response["Cache-Control"] = "private, no-store"
    return response


@signed_in("web", *Read)
def article_text(request: DeskRequest, article_id: int) -> HttpResponseBase:
    """The whole text of an entry."""
    return _as_text(article_for(request.actor, article_id))


@signed_in("web", *Read)
def article_source(request: DeskRequest, article_id: int) -> HttpResponseBase:
    """The message that an entry came from, as it came: for agents of the ticket's group alone.

    Its header says more than a customer or a copy should know about others. ``?download`` gives
    the file for a mail program.
    """
    found = article_for(request.actor, article_id)
    if not access.sees_internal(request.actor, found.ticket):
        raise Forbidden("article", article_id)
    raw = raw_of(found.pk)
    if raw is None:
        raise Http404
    if "download" in request.GET:
        response = HttpResponse(raw, content_type="application/octet-stream")
        disposition = content_disposition_header(True, f"message-{found.pk}.eml")
        response["Content-Disposition"] = disposition or "attachment"
    else:
        shown = raw[:SOURCE_SHOWN].decode("utf-8", "replace")
        response = HttpResponse(shown, content_type="text/plain; charset=utf-8")
    response["Content-Security-Policy"] = SEALED
    response["X-Content-Type-Options"] = "nosniff"
    response["Cache-Control"] = "private, no-store"
    return response


@allow(*Read)
def signed_article_text(request: HttpRequest, article_id: int) -> HttpResponseBase:
    """The same for whoever holds the public link of the ticket."""
    return _as_text(_signed_article(request, article_id)[0])


def _as_text(found: Article) -> HttpResponse:
    text = plain_text(found.body, found.content_type)
    response = HttpResponse(text, content_type="text/plain; charset=utf-8")
    response["Content-Security-Policy"] = SEALED
    response["Cache-Control"] = "private, no-store"
    return response
