"""A ticket's entries by the window: a thread may be long, a page is not."""

from __future__ import annotations

from typing import Any

from deskbell.kernel.actor import Actor
from deskbell.tickets import access
from deskbell.tickets.models import Article
from deskbell.tickets.queries import _ARTICLE_SELECT, ArticleRow, fetch


def newest(
    actor: Actor, ticket: Any, *, limit: int, before: int | None = None, public: bool = False
) -> tuple[list[ArticleRow], bool]:
    """The newest entries of a ticket at hand, oldest first, and whether there are earlier ones.

    Those that the actor may see; ``public`` leaves private ones out for everybody. ``before`` is
    the id of the entry that the window ends before. One query. The ticket must have come through
    the door.
    """
    where, params = "a.ticket_id = %s", [ticket.id]
    if public or not access.sees_internal(actor, ticket):
        where += " AND NOT a.internal"
    if before is not None:
        where += (
            " AND (a.created_at, a.id) < (SELECT b.created_at, b.id FROM tickets_article b"
            " WHERE b.id = %s AND b.ticket_id = %s)"
        )
        params += [before, ticket.id]
    rows = fetch(
        f"{_ARTICLE_SELECT}{where} ORDER BY a.created_at DESC, a.id DESC LIMIT %s",
        [*params, limit + 1],
    )
    window = [ArticleRow._make(row) for row in rows[:limit]]
    window.reverse()
    return window, len(rows) > limit


def has_news(ticket_id: int, *, seen: int, public: bool) -> bool:
    """Whether the ticket got an entry after the last one that somebody has seen (its id)."""
    entries = Article.objects.filter(ticket_id=ticket_id, pk__gt=seen)
    return (entries.filter(internal=False) if public else entries).exists()
