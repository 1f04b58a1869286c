"""Files sent ahead (``POST /attachments``), later taken by the article with the same form_id."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.db import transaction

from deskbell.api.zammad import errors
from deskbell.api.zammad.models import Upload
from deskbell.kernel.actor import Actor
from deskbell.tickets import attachments
from deskbell.tickets.attachments import NewFile
from deskbell.tickets.models import Attachment

KEPT_FOR = timedelta(days=1)
PER_FORM_AT_MOST = 100
#: A form that repeats another article has as many files as an article may have.
COPIES_AT_MOST = 500
FORM_ID_LIMIT = 250


@transaction.atomic
def add(form_id: str, file: UploadedFile, *, actor: Actor, at: datetime) -> Upload:
    """Keep a file for an article that is still being written. Raises :class:`errors.Problem`."""
    if len(form_id) > FORM_ID_LIMIT:
        raise errors.unprocessable(f"Form is too long (maximum is {FORM_ID_LIMIT} characters)")
    own = Upload.objects.filter(user=actor.user_id)
    own.filter(created_at__lt=at - KEPT_FOR).delete()
    if own.filter(form_id=form_id).count() >= PER_FORM_AT_MOST:
        raise errors.unprocessable(f"A form has at most {PER_FORM_AT_MOST} files.")
    content = file.read()
    return Upload.objects.create(
        user_id=actor.user_id,
        form_id=form_id,
        blob=attachments.keep(content, at=at),
        filename=attachments.clean_filename(file.name or ""),
        content_type=attachments.clean_type(file.content_type or ""),
        size=len(content),
        created_at=at,
    )


@transaction.atomic
def copy(article_id: int, form_id: str, *, actor: Actor, at: datetime) -> list[Upload]:
    """Put an article's files, but for those that stand in its body, into a form; each once.

    Access to the article is the caller's. Raises :class:`errors.Problem`.
    """
    if len(form_id) > FORM_ID_LIMIT:
        raise errors.unprocessable(f"Form is too long (maximum is {FORM_ID_LIMIT} characters)")
    form = Upload.objects.filter(user=actor.user_id, form_id=form_id)
    there = set(form.values_list("blob_id", "filename"))
    files = Attachment.objects.filter(article=article_id, inline=False).order_by("id")
    wanted = [file for file in files if (file.blob_id, file.filename) not in there]
    if wanted and len(there) + len(wanted) > COPIES_AT_MOST:
        raise errors.unprocessable(f"A form has at most {COPIES_AT_MOST} files.")
    Upload.objects.bulk_create(
        Upload(
            user_id=actor.user_id,
            form_id=form_id,
            blob_id=file.blob_id,
            filename=file.filename,
            content_type=file.content_type,
            size=file.size,
            created_at=at,
        )
        for file in wanted
    )
    kept = {(file.blob_id, file.filename) for file in files}
    return [one for one in form.order_by("id") if (one.blob_id, one.filename) in kept]


def files_of(article: Any, *, actor: Actor) -> list[NewFile]:
    """The caller's own files waiting under the article's ``form_id``, in the order sent."""
    form_id = _form_id(article)
    if form_id is None:
        return []
    return [
        NewFile(
            filename=upload.filename,
            content=attachments.read_blob(upload.blob_id),
            content_type=upload.content_type,
            preferences={"Mime-Type": upload.content_type},
        )
        for upload in Upload.objects.filter(user=actor.user_id, form_id=form_id).order_by("id")
    ]


def forget(article: Any, *, actor: Actor) -> None:
    """The article has its files now."""
    form_id = _form_id(article)
    if form_id is not None:
        Upload.objects.filter(user=actor.user_id, form_id=form_id).delete()


def _form_id(article: Any) -> str | None:
    """The form an article names; clients send numbers or texts."""
    value = article.get("form_id") if isinstance(article, dict) else None
    if value is None or isinstance(value, bool) or not isinstance(value, str | int):
        return None
    return str(value)[:FORM_ID_LIMIT] or None


def remove(upload_id: int, *, actor: Actor) -> bool:
    """Take back an own file; whether there was one."""
    return Upload.objects.filter(pk=upload_id, user=actor.user_id).delete()[0] > 0
