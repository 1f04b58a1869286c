"""Entries held apart: somebody wrote to a ticket and nothing shows that he may; an agent decides.

Such an entry is internal, in nobody's name, and ``preferences["held"]`` says why. Each decision is
made once: whoever comes second is told so.
"""

from __future__ import annotations

from datetime import datetime
from email.utils import parseaddr

from django.db import transaction

from deskbell.kernel.actor import NOBODY_ID, Actor
from deskbell.kernel.errors import Forbidden, Refused
from deskbell.kernel.events import Change, record
from deskbell.kernel.text import fold
from deskbell.people.access import agents_with
from deskbell.people.addresses import is_address, is_mailable
from deskbell.people.models import User
from deskbell.people.operations import find_or_create_customer
from deskbell.tickets import access, counts, rules, senders
from deskbell.tickets.attachments import NewFile, read_blob
from deskbell.tickets.models import Article, Attachment, Ticket, TicketCC
from deskbell.tickets.operations.changing import note_state
from deskbell.tickets.operations.editing import article_for, delete_article, touch
from deskbell.tickets.operations.happenings import ArticleEdited, ArticleRemoved
from deskbell.tickets.operations.inputs import NewArticle, NewTicket
from deskbell.tickets.operations.opening import (
    CCS_AT_MOST,
    add_ccs,
    follow_reply,
    open_ticket,
)
from deskbell.tickets.rules import ContactTimes
from deskbell.tickets.vocabulary import ArticleType, Sender

#: The key of ``preferences`` under which stands why an entry is held apart.
HELD = "held"


def _held(article_id: int, *, actor: Actor) -> tuple[Article, str]:
    """The entry and why it is held. Raises what the door raises, :class:`Refused` (``decided``)."""
    article = article_for(actor, article_id, "change", lock=True)
    if not access.allows(actor, article.ticket, "change", as_agent=True):
        raise Forbidden("article", article_id)
    why = article.preferences.get(HELD)
    if not why or not article.internal:
        raise Refused("decided")
    return article, str(why)


def _decide(article: Article, why: str, word: str) -> Change:
    """Take the mark off the entry; the line of history that says what was decided."""
    article.preferences = {k: v for k, v in article.preferences.items() if k != HELD}
    return Change(HELD, why, word, object="Article", object_id=article.pk)


def _sender(article: Article, *, actor: Actor, at: datetime) -> User | None:
    """The person with the sender's address; ``None`` without one, and for one of the desk's own."""
    name, address = parseaddr(article.from_address or "")
    if not is_address(address) or fold(address) in senders.desk_addresses():
        return None
    first, _, last = name.strip().rpartition(" ")
    return find_or_create_customer(address, name=(first[:100], last[:100]), actor=actor, at=at)


@transaction.atomic
def join_article(article_id: int, *, copies: bool = False, actor: Actor, at: datetime) -> Article:
    """Make a held entry a public one of its sender; with ``copies`` he gets copies from now on.

    The ticket moves on as after any answer by mail. Nobody is mailed about it. Raises what the
    door raises, :class:`Refused` (``decided``).
    """
    article, why = _held(article_id, actor=actor)
    ticket = article.ticket
    changes = [
        _decide(article, why, "joined"),
        Change("internal", "private", "public", object="Article", object_id=article.pk),
    ]
    person = _sender(article, actor=actor, at=at)
    # The address of an agent, unproven, must not speak as that agent.
    if person is not None and person.pk not in agents_with("read", ticket.group_id):
        article.origin_by = person
    article.internal = False
    article.updated_by_id, article.updated_at = actor.user_id, at
    article.save(update_fields=["internal", "origin_by", "preferences", "updated_by", "updated_at"])
    before = ticket.state
    if not article.preferences.get("is-auto-response"):
        follow_reply(ticket, article, via=article.via)
        note_state(before, ticket, changes, at=at)
        if ticket.state_id != before.pk:
            counts.append(ticket.group_id, before.pk, -1)
            counts.append(ticket.group_id, ticket.state_id, +1)
    _count_contact(ticket, article, at=at)
    if copies and person is not None:
        changes += _copy(ticket, person, at=at)
    ticket.updated_by_id, ticket.updated_at = actor.user_id, at
    ticket.save()
    record(ArticleEdited(ticket=ticket, article=article, changes=changes), actor=actor, at=at)
    return article


def _count_contact(ticket: Ticket, article: Article, *, at: datetime) -> None:
    times = rules.contact_after(
        ContactTimes(
            ticket.first_response_at,
            ticket.last_contact_at,
            ticket.last_contact_agent_at,
            ticket.last_contact_customer_at,
        ),
        sender=Sender(article.sender),
        article_type=ArticleType(article.type),
        internal=False,
        at=at,
    )
    ticket.last_contact_at = times.last_contact_at
    ticket.last_contact_customer_at = times.last_contact_customer_at


def _copy(ticket: Ticket, person: User, *, at: datetime) -> list[Change]:
    present = TicketCC.objects.filter(ticket=ticket)
    if (
        person.pk == ticket.customer_id
        or not is_mailable(person.email)
        or present.count() >= CCS_AT_MOST
    ):
        return []
    added = add_ccs(ticket, [person.email], at=at)
    return [Change("cc", new=copy.email, type="added") for copy in added]


@transaction.atomic
def split_article(article_id: int, *, actor: Actor, at: datetime) -> tuple[Ticket, Article]:
    """Make a held entry a ticket of its own, whose customer is its sender; the ticket, the entry.

    In the same group, tied to the ticket it was sent to; that one keeps a line of history. Raises
    what the door and :func:`open_ticket` raise, :class:`Refused` (``decided``).
    """
    article, why = _held(article_id, actor=actor)
    old = article.ticket
    person = _sender(article, actor=actor, at=at)
    decided = _decide(article, why, "split")
    ticket = open_ticket(
        NewTicket(
            title=rules.shortened_title(article.subject or "") or old.title,
            group_id=old.group_id,
            customer_id=person.pk if person is not None else NOBODY_ID,
            links={"normal": [old.pk]},
            article=NewArticle(
                body=article.body,
                content_type=article.content_type,
                subject=article.subject,
                type=ArticleType(article.type),
                sender=Sender(article.sender),
                from_address=article.from_address,
                to=article.to,
                cc=article.cc,
                reply_to=article.reply_to,
                message_id=article.message_id,
                in_reply_to=article.in_reply_to,
                references=article.references,
                origin_by_id=person.pk if person is not None else None,
                preferences=article.preferences,
                files=[file_again(row) for row in article.attachments.order_by("id")],
            ),
        ),
        actor=actor,
        at=at,
    )
    entry = Article.objects.get(ticket=ticket)
    # It came by mail, whoever opened the ticket with it.
    entry.via, entry.created_at = article.via, article.created_at
    entry.save(update_fields=["via", "created_at"])
    delete_article(article)
    touch(old, actor=actor, at=at)
    removed = Change(
        "article", old=article.body, type="removed", object="Article", object_id=article_id
    )
    happening = ArticleRemoved(ticket=old, article_id=article_id, changes=[decided, removed])
    record(happening, actor=actor, at=at)
    return ticket, entry


@transaction.atomic
def keep_as_note(article_id: int, *, actor: Actor, at: datetime) -> Article:
    """Leave a held entry as a note for agents. Raises as :func:`join_article` does."""
    article, why = _held(article_id, actor=actor)
    change = _decide(article, why, "note")
    article.updated_by_id, article.updated_at = actor.user_id, at
    article.save(update_fields=["preferences", "updated_by", "updated_at"])
    touch(article.ticket, actor=actor, at=at)
    happening = ArticleEdited(ticket=article.ticket, article=article, changes=[change])
    record(happening, actor=actor, at=at)
    return article


def file_again(row: Attachment) -> NewFile:
    """A stored file, to be attached to another entry. Raises :class:`FileNotFoundError`."""
    return NewFile(
        filename=row.filename,
        content=read_blob(row.blob_id),
        content_type=row.content_type,
        inline=row.inline,
        content_id=row.content_id,
        preferences=row.preferences,
    )
