"""What the index does when something happened; called by ``wiring.py`` inside the transaction.

So a ticket is found as soon as the call that wrote it has been answered, and never otherwise.
"""

from __future__ import annotations

from datetime import datetime

from deskbell.kernel.actor import Actor
from deskbell.kernel.models import Event
from deskbell.people.models import Organization, User
from deskbell.people.operations import OrganizationChanged, UserChanged, UserCreated, UserDeleted
from deskbell.search import index, jobs, people
from deskbell.tickets.operations.defining import CustomFieldChanged
from deskbell.tickets.operations.happenings import (
    ArticleEdited,
    ArticleRemoved,
    TicketDeleted,
    TicketMerged,
    TicketOpened,
    TicketTagged,
    TicketUpdated,
)
from deskbell.tickets.operations.tags import TagChanged

#: Changes that touch no text of the ticket's own entry. Most replies bring nothing else.
_WITHOUT_TEXT = frozenset(
    {
        "article",
        "attachment",
        "cc",
        "due_date",
        "group",
        "merged_to",
        "on_hold",
        "pending_time",
        "preferences",
        "priority",
        "state",
        "time_spent",
    }
)


def index_ticket(
    happening: TicketOpened | TicketUpdated | TicketTagged,
    event: Event,
    *,
    actor: Actor,
    at: datetime,
) -> None:
    """Index what was opened, changed or tagged, and the entry that came with it."""
    if not all(change.attribute in _WITHOUT_TEXT for change in happening.changes):
        index.write_ticket(happening.ticket.pk)
    if not isinstance(happening, TicketTagged) and happening.article is not None:
        filenames = [file.filename for file in happening.files if not file.inline]
        index.write_live_article(happening.article, filenames)


def index_article(
    happening: ArticleEdited | ArticleRemoved, event: Event, *, actor: Actor, at: datetime
) -> None:
    """Index an entry again, or forget it."""
    if isinstance(happening, ArticleRemoved):
        index.remove_article(happening.article_id)
    elif happening.article is not None:
        index.write_article(happening.article.pk)


def index_merge(happening: TicketMerged, event: Event, *, actor: Actor, at: datetime) -> None:
    """Find the moved entries in the ticket where they stand now."""
    index.move_articles(happening.article_ids, happening.ticket.pk)
    index.rewrite_ticket(happening.source.pk)
    index.write_ticket(happening.ticket.pk)


def forget_ticket(happening: TicketDeleted, event: Event, *, actor: Actor, at: datetime) -> None:
    """Find a deleted ticket no more."""
    index.remove_ticket(happening.gone_id)


def index_person(
    happening: UserCreated | UserChanged | UserDeleted,
    event: Event,
    *,
    actor: Actor,
    at: datetime,
) -> None:
    """Find a person at once, and a renamed one's tickets by the new name soon: they may be many."""
    people.write(User, happening.object_id)
    if isinstance(happening, UserChanged) and happening.renamed:
        jobs.rewrite_tickets_of.using(unique_key=f"search user {happening.object_id}").enqueue(
            "user", happening.object_id
        )


def index_organization(
    happening: OrganizationChanged, event: Event, *, actor: Actor, at: datetime
) -> None:
    """The same for an organization."""
    people.write(Organization, happening.object_id)
    if happening.renamed:
        key = f"search organization {happening.object_id}"
        jobs.rewrite_tickets_of.using(unique_key=key).enqueue("organization", happening.object_id)


def index_tag(happening: TagChanged, event: Event, *, actor: Actor, at: datetime) -> None:
    """The same for a tag, and for the tickets that bear one no more."""
    if happening.renamed:
        jobs.rewrite_tickets_of.using(unique_key=f"search tag {happening.object_id}").enqueue(
            "tag", happening.object_id
        )
    ids = list(happening.ticket_ids)
    for start in range(0, len(ids), jobs.BATCH):
        jobs.rewrite_tickets.enqueue(ids[start : start + jobs.BATCH])


def index_fields(
    happening: CustomFieldChanged, event: Event, *, actor: Actor, at: datetime
) -> None:
    """Whoever sees a custom field finds by it: tickets are indexed anew where that changed."""
    if any(c.attribute == "staff_only" or c.type == "removed" for c in happening.changes):
        jobs.rebuild.using(unique_key="search rebuild").enqueue()
