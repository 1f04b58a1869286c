"""Correcting and removing entries, and their files (decision 21)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Sum
from msgspec import UNSET, UnsetType

from deskbell.kernel.actor import Actor
from deskbell.kernel.columns import check
from deskbell.kernel.errors import Forbidden, Invalid, Unknown
from deskbell.kernel.events import Change, record
from deskbell.kernel.text import MAX_ID
from deskbell.tickets import access, rules
from deskbell.tickets.attachments import NewFile, clean_filename, keep
from deskbell.tickets.models import Article, Attachment, Ticket, TimeEntry
from deskbell.tickets.operations.articles import HEADER_LIMIT, SECONDS_LIMIT, attach
from deskbell.tickets.operations.happenings import ArticleEdited, ArticleRemoved
from deskbell.tickets.texts import HTML, PLAIN
from deskbell.tickets.vocabulary import Sender

EDITABLE = frozenset({"subject", "body", "content_type", "internal", "preferences", "new_status"})


def article_for(
    actor: Actor, article_id: int, level: access.Level = "read", *, lock: bool = False
) -> Article:
    """An entry, if the actor has the level on its ticket and may see it.

    Raises :class:`Unknown`, :class:`Forbidden`.
    """
    if not 0 < article_id <= MAX_ID:
        raise Unknown("article", article_id)
    rows = Article.objects.filter(pk=article_id)
    seen_in = None
    while True:
        ticket_id = rows.values_list("ticket_id", flat=True).first()
        if ticket_id is None or ticket_id == seen_in:
            raise Unknown("article", article_id)
        ticket = access.ticket_for(actor, ticket_id, level, lock=lock)
        article = rows.filter(ticket_id=ticket_id).first()
        if article is not None:
            break
        # A merge took it to another ticket before this one was ours; access there counts.
        seen_in = ticket_id
    if article.internal and not access.sees_internal(actor, ticket):
        raise Forbidden("article", article_id)
    article.ticket = ticket
    return article


def may_edit(actor: Actor, article: Article) -> bool:
    """The author, or whoever may delete tickets (decision 21)."""
    return (
        article.created_by_id == actor.user_id or actor.may("admin") or actor.may("ticket.delete")
    )


@transaction.atomic
def edit_article(
    article_id: int,
    columns: dict[str, Any],
    *,
    seconds: int | UnsetType | None = UNSET,
    files: Sequence[NewFile] = (),
    actor: Actor,
    at: datetime,
) -> Article:
    """Correct an entry: columns of ``EDITABLE``, its time spent, further files.

    The old text goes to history; nothing is sent again, the raw mail stays. Raises what the door
    raises, :class:`Forbidden` for somebody else's entry, :class:`Invalid`.
    """
    article = article_for(actor, article_id, "change", lock=True)
    if not may_edit(actor, article):
        raise Forbidden("article", article_id)
    changes: list[Change] = []
    limit = rules.body_limit(actor.via)
    for name, value in columns.items():
        if name not in EDITABLE:
            raise ValueError(name)
        old = getattr(article, name)
        if old == value:
            continue
        if name == "body" and limit is not None and len(value) > limit:
            raise Invalid(name, "too_long", None, limit=limit)
        if name == "subject" and value is not None and len(value) > HEADER_LIMIT:
            raise Invalid(name, "too_long", None, limit=HEADER_LIMIT)
        if name == "content_type" and value not in (PLAIN, HTML):
            raise Invalid(name, "bad", value)
        setattr(article, name, value)
        check(article, [name])
        changes.append(
            Change(
                name,
                None if old is None else str(old),
                None if value is None else str(value),
                object="Article",
                object_id=article.pk,
            )
        )
    if not isinstance(seconds, UnsetType):
        changes += _spend(article, seconds, actor=actor, at=at)
    added = attach(article, files, at=at)
    changes += [
        Change("attachment", new=f.filename, type="added", object="Article", object_id=article.pk)
        for f in added
    ]
    if changes:
        article.updated_by_id = actor.user_id
        article.updated_at = at
        article.save()
        touch(article.ticket, actor=actor, at=at)
        record(
            ArticleEdited(ticket=article.ticket, article=article, files=added, changes=changes),
            actor=actor,
            at=at,
        )
    return article


@transaction.atomic
def mark_article(
    article_id: int,
    *,
    internal: bool | None = None,
    preferences: Mapping[str, Any] | None = None,
    actor: Actor,
    at: datetime,
) -> Article:
    """Make an entry private or public, or mark it up; its text stays, nothing is sent.

    For every agent who may change the ticket, whoever wrote the entry. ``preferences`` are merged
    key by key. Raises what the door raises.
    """
    article = article_for(actor, article_id, "change", lock=True)
    if not access.allows(actor, article.ticket, "change", as_agent=True):
        raise Forbidden("article", article_id)
    changes: list[Change] = []
    if internal is not None and internal != article.internal:
        words = ("private" if article.internal else "public", "private" if internal else "public")
        changes.append(Change("internal", *words, object="Article", object_id=article.pk))
        article.internal = internal
    merged = {**article.preferences, **(preferences or {})}
    if merged != article.preferences:
        article.preferences = merged
        check(article, ["preferences"])
        changes.append(Change("preferences", object="Article", object_id=article.pk))
    if changes:
        article.updated_by_id = actor.user_id
        article.updated_at = at
        article.save(update_fields=["internal", "preferences", "updated_by", "updated_at"])
        touch(article.ticket, actor=actor, at=at)
        record(
            ArticleEdited(ticket=article.ticket, article=article, changes=changes),
            actor=actor,
            at=at,
        )
    return article


def _spend(article: Article, seconds: int | None, *, actor: Actor, at: datetime) -> list[Change]:
    """Set the time an entry took; ``None`` takes it away."""
    if seconds is not None and not 0 <= seconds <= SECONDS_LIMIT:
        raise Invalid("time_spent", "bad", seconds)
    entry = TimeEntry.objects.filter(article=article).first()
    old = entry.seconds if entry is not None else None
    if old == seconds:
        return []
    if seconds is None:
        TimeEntry.objects.filter(article=article).delete()
    else:
        TimeEntry.objects.update_or_create(
            article=article,
            defaults={"seconds": seconds, "updated_at": at},
            create_defaults={
                "ticket": article.ticket,
                "seconds": seconds,
                "created_by_id": actor.user_id,
                "created_at": at,
                "updated_at": at,
            },
        )
    recount_time(article.ticket)
    return [
        Change(
            "time_spent",
            None if old is None else str(old),
            None if seconds is None else str(seconds),
            object="Article",
            object_id=article.pk,
        )
    ]


def recount_time(ticket: Ticket) -> None:
    """The ticket's time is the sum of its entries; null without any. Saves the column."""
    ticket.time_spent = TimeEntry.objects.filter(ticket=ticket).aggregate(s=Sum("seconds"))["s"]
    ticket.save(update_fields=["time_spent"])


def touch(ticket: Ticket, *, actor: Actor, at: datetime) -> None:
    """The ticket changed now, through this actor."""
    ticket.updated_by_id = actor.user_id
    ticket.updated_at = at
    ticket.save(update_fields=["updated_by", "updated_at"])


@transaction.atomic
def remove_article(article_id: int, *, actor: Actor, at: datetime) -> None:
    """Take an entry away with its files; its text stays in history.

    Raises what the door raises, :class:`Forbidden` for somebody else's entry.
    """
    article = article_for(actor, article_id, "change", lock=True)
    if not may_edit(actor, article):
        raise Forbidden("article", article_id)
    ticket = article.ticket
    change = Change(
        "article", old=article.body, type="removed", object="Article", object_id=article.pk
    )
    delete_article(article)
    touch(ticket, actor=actor, at=at)
    record(
        ArticleRemoved(ticket=ticket, article_id=article_id, changes=[change]), actor=actor, at=at
    )


def delete_article(article: Article) -> None:
    """Delete the row with its files, and count the ticket's entries and its time anew."""
    ticket = article.ticket
    had_time = TimeEntry.objects.filter(article=article).exists()
    counted = article.sender != Sender.SYSTEM
    article.delete()
    if had_time:
        recount_time(ticket)
    if counted:
        remaining = Article.objects.filter(ticket=ticket).exclude(sender=Sender.SYSTEM).count()
        ticket.article_count = remaining
        ticket.save(update_fields=["article_count"])


@transaction.atomic
def rename_attachment(
    attachment: Attachment,
    columns: dict[str, Any],
    *,
    content: bytes | None = None,
    actor: Actor,
    at: datetime,
) -> Attachment:
    """Change the name, the declared type or the bytes of a file.

    For the author of the entry, or whoever may delete. Its size is measured anew.
    """
    article = article_for(actor, attachment.article_id, "change", lock=True)
    if not may_edit(actor, article):
        raise Forbidden("attachment", attachment.pk)
    old = (attachment.filename, attachment.content_type, attachment.blob_id)
    if "filename" in columns:
        attachment.filename = clean_filename(columns["filename"])
    if "content_type" in columns:
        attachment.content_type = columns["content_type"]
        check(attachment, ["content_type"])
    if content is not None:
        attachment.blob = keep(content, at=at)
        attachment.size = len(content)
    if (attachment.filename, attachment.content_type, attachment.blob_id) == old:
        return attachment
    attachment.save()
    touch(article.ticket, actor=actor, at=at)
    change = Change(
        "attachment", old[0], attachment.filename, object="Article", object_id=article.pk
    )
    record(
        ArticleEdited(ticket=article.ticket, article=article, changes=[change]),
        actor=actor,
        at=at,
    )
    return attachment


@transaction.atomic
def remove_attachment(attachment: Attachment, *, actor: Actor, at: datetime) -> None:
    """Take a file off its entry; the bytes go once nothing else refers to them."""
    article = article_for(actor, attachment.article_id, "change", lock=True)
    if not may_edit(actor, article):
        raise Forbidden("attachment", attachment.pk)
    change = Change(
        "attachment",
        old=attachment.filename,
        type="removed",
        object="Article",
        object_id=article.pk,
    )
    attachment.delete()
    touch(article.ticket, actor=actor, at=at)
    record(
        ArticleEdited(ticket=article.ticket, article=article, changes=[change]), actor=actor, at=at
    )
