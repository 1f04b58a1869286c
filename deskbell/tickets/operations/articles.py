"""Adding an entry to a ticket: the part that opening, answering and changing share."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import datetime

from django.conf import settings

from deskbell.kernel.actor import NOBODY_ID, Actor
from deskbell.kernel.compiled import Compiled, insert, insert_all
from deskbell.kernel.errors import Invalid
from deskbell.kernel.events import Change
from deskbell.kernel.text import is_storable, is_storable_json, storable
from deskbell.people.addresses import is_mailable
from deskbell.people.models import User
from deskbell.tickets import attachments, rules, senders
from deskbell.tickets.attachments import NewFile
from deskbell.tickets.models import Article, Attachment, Ticket, TicketCC, TimeEntry, TimeType
from deskbell.tickets.operations.inputs import NewArticle
from deskbell.tickets.rules import Audience, Occasion, Owed
from deskbell.tickets.texts import HTML, PLAIN
from deskbell.tickets.vocabulary import ArticleType, Sender

_PEOPLE = Compiled(lambda *ids: User.objects.filter(pk__in=ids), int, int, int, int)
_CCS = Compiled(
    lambda key: TicketCC.objects.filter(ticket_id=key).order_by("id").values_list("email"), int
)

SECONDS_LIMIT = 10**9
FILES_AT_MOST = 500
#: Characters of a subject, an address line or another header of an entry.
HEADER_LIMIT = 100_000
_HEADERS = (
    "subject",
    "from_address",
    "to",
    "cc",
    "reply_to",
    "in_reply_to",
    "references",
    "message_id",
)
#: Types whose sender a client may name; for all others the desk computes it.
_CLIENT_NAMES_SENDER = frozenset(
    {
        ArticleType.EMAIL,
        ArticleType.SMS,
        ArticleType.TWITTER_STATUS,
        ArticleType.TWITTER_DM,
        ArticleType.FACEBOOK_POST,
        ArticleType.FACEBOOK_COMMENT,
    }
)


def add_article(
    ticket: Ticket, new: NewArticle, *, occasion: Occasion, actor: Actor, at: datetime
) -> tuple[Article, list[Attachment], list[Owed]]:
    """Store an entry with its files, choose who is mailed, and move the ticket's contact columns.

    ``ticket`` is the locked row; its columns are set, the caller saves it. Raises
    :class:`Invalid` (``body`` ``required``/``too_long``/``bad``, ``to`` ``required``).
    """
    _check_text(new, via=actor.via)
    is_agent = actor.kind != "customer" and actor.may_in_group("read", ticket.group_id)
    sender, origin_by_id = _author(ticket, new, actor=actor, is_agent=is_agent)
    author_id = origin_by_id or actor.user_id
    people = {
        user.pk: user
        for user in _PEOPLE.all(
            author_id, actor.user_id, ticket.customer_id or NOBODY_ID, ticket.owner_id or NOBODY_ID
        )
    }
    author = people.get(author_id)
    if author is None:
        raise Invalid("origin_by_id", "unknown", author_id)
    # Private entries are for agents to write: nobody else could read what he wrote.
    internal = new.internal and (is_agent or _speaks_for_others(actor))
    article = Article(
        ticket=ticket,
        type=new.type,
        sender=sender,
        from_address=_from(ticket, new, author, sender=sender, is_agent=is_agent),
        to=new.to,
        cc=new.cc,
        subject=new.subject,
        reply_to=new.reply_to,
        message_id=new.message_id,
        in_reply_to=new.in_reply_to,
        references=new.references,
        content_type=new.content_type,
        body=new.body,
        internal=internal,
        new_status=new.new_status,
        preferences=new.preferences,
        origin_by_id=origin_by_id,
        via=actor.via,
        created_by_id=actor.user_id,
        updated_by_id=actor.user_id,
        created_at=at,
        updated_at=at,
    )
    outgoing = new.type is ArticleType.EMAIL and sender is Sender.AGENT
    if outgoing:
        named = senders.addresses_in(new.to)
        if not named:
            raise Invalid("to", "required", new.to)
        article.subject = new.subject or ticket.title
        article.message_id = new.message_id or new_message_id()
    else:
        named = senders.addresses_in(new.to) if new.type is ArticleType.EMAIL else []
    if article.message_id:
        article.message_id_md5 = rules.message_id_key(article.message_id)
    audience = _audience(
        ticket, people, [*named, *senders.addresses_in(new.cc)], author=author, actor=actor
    )
    owed = [
        message
        for message in rules.recipients(
            audience,
            occasion=occasion,
            article_type=new.type,
            sender=sender,
            internal=internal,
            acknowledged=new.acknowledged,
        )
        if is_mailable(message.address) and not new.quiet
    ]
    article.email_recipients = sorted({message.address for message in owed})
    insert(article)
    files = attach(article, new.files, at=at)
    _count(ticket, article, sender, at=at)
    if new.seconds is not None:
        TimeEntry.objects.create(
            ticket=ticket,
            article=article,
            seconds=new.seconds,
            type_id=known_time_type(new.time_type_id),
            created_by_id=actor.user_id,
            created_at=at,
            updated_at=at,
        )
        ticket.time_spent = (ticket.time_spent or 0) + new.seconds
    return article, files, owed


def article_lines(article: Article, new: NewArticle) -> list[Change]:
    """The history of an entry that was added: that it was, and the time it took."""
    lines = [Change("article", type="created", object="Article", object_id=article.pk)]
    if new.seconds is not None:
        spent = str(new.seconds)
        lines.append(
            Change("time_spent", new=spent, type="added", object="Article", object_id=article.pk)
        )
    return lines


def known_time_type(type_id: int | None) -> int | None:
    """The id of a kind of time that may be chosen. Raises :class:`Invalid` (``type_id``)."""
    if type_id is None:
        return None
    active = TimeType.objects.filter(pk=type_id).values_list("active", flat=True).first()
    if active is None:
        raise Invalid("type_id", "unknown", type_id)
    if not active:
        raise Invalid("type_id", "not_selectable", type_id)
    return type_id


def attach(article: Article, files: Iterable[NewFile], *, at: datetime) -> list[Attachment]:
    """Store files and hang them onto an entry, in order."""
    rows: list[Attachment] = []
    for file in files:
        if len(rows) >= FILES_AT_MOST:
            raise Invalid("attachments", "too_many", len(rows) + 1, limit=FILES_AT_MOST)
        if not is_storable_json(file.preferences):
            raise Invalid("attachments", "bad", None)
        blob = attachments.keep(file.content, at=at)
        rows.append(
            Attachment(
                article=article,
                blob=blob,
                filename=attachments.clean_filename(file.filename),
                content_type=storable(file.content_type)[:250] or "application/octet-stream",
                size=len(file.content),
                inline=file.inline,
                content_id=storable(file.content_id)[:250],
                preferences=file.preferences,
                created_at=at,
            )
        )
    insert_all(rows)
    return rows


def new_message_id() -> str:
    """A Message-ID of ours, with its angle brackets."""
    return f"<{uuid.uuid4().hex}@{settings.CONFIG.hostname}>"


def _check_text(new: NewArticle, *, via: str) -> None:
    limit = rules.body_limit(via)
    if limit is not None and len(new.body) > limit:
        raise Invalid("body", "too_long", None, limit=limit)
    for name in ("body", *_HEADERS):
        text = getattr(new, name)
        if text is not None and not is_storable(text):
            raise Invalid(name, "bad", text)
        if text is not None and name != "body" and len(text) > HEADER_LIMIT:
            raise Invalid(name, "too_long", None, limit=HEADER_LIMIT)
    if new.content_type not in (PLAIN, HTML):
        raise Invalid("content_type", "bad", new.content_type)
    if not is_storable_json(new.preferences):
        raise Invalid("preferences", "bad", None)
    if new.seconds is not None and not 0 <= new.seconds <= SECONDS_LIMIT:
        raise Invalid("time_spent", "bad", new.seconds)


def _speaks_for_others(actor: Actor) -> bool:
    """Whether the actor may write in the name of others: agents, and the desk itself."""
    return actor.kind in ("system", "trigger") or actor.may("ticket.agent")


def _author(
    ticket: Ticket, new: NewArticle, *, actor: Actor, is_agent: bool
) -> tuple[Sender, int | None]:
    """On whose side the entry is, and the person it comes from where that is not the writer.

    Zammad: an agent who names somebody else writes for that person, so the sender becomes
    Customer; a customer's entry that an agent types in (phone, note, web) is the customer's.
    """
    origin = new.origin_by_id
    if actor.kind in ("system", "trigger"):
        return new.sender or Sender.SYSTEM, origin
    if not (is_agent or _speaks_for_others(actor)):
        return Sender.CUSTOMER, actor.user_id
    sender = new.sender or Sender.AGENT
    if origin is not None and origin != actor.user_id and actor.kind == "agent":
        return Sender.CUSTOMER, origin
    if (
        origin is None
        and sender is Sender.CUSTOMER
        and new.type in (ArticleType.PHONE, ArticleType.NOTE, ArticleType.WEB)
        and ticket.customer_id != NOBODY_ID
    ):
        origin = ticket.customer_id
    return sender, origin


def _from(
    ticket: Ticket, new: NewArticle, author: User | None, *, sender: Sender, is_agent: bool
) -> str | None:
    """The From text of the entry; see Zammad's articles page for the rules mirrored here."""
    if new.type in _CLIENT_NAMES_SENDER and sender is not Sender.AGENT and new.from_address:
        return new.from_address
    if author is None or author.pk == NOBODY_ID:
        return new.from_address
    name = senders.person_name(author)
    if new.type is ArticleType.EMAIL and sender is Sender.AGENT:
        signed = senders.agent_name(name, ticket.group)
        return senders.formatted(signed, senders.desk_address(ticket.group))
    if new.type in _CLIENT_NAMES_SENDER:
        return new.from_address
    if new.type in (ArticleType.WEB, ArticleType.PHONE) and sender is not Sender.AGENT:
        return senders.formatted(name, author.email) if author.email else name
    return name


def _audience(
    ticket: Ticket,
    people: dict[int, User],
    named: list[str],
    *,
    author: User | None,
    actor: Actor,
) -> Audience:
    """Everybody who could be told about an entry, read once."""
    customer, owner = people.get(ticket.customer_id or 0), people.get(ticket.owner_id or 0)
    real_owner = owner if owner is not None and owner.pk != NOBODY_ID and owner.active else None
    optout = set(real_owner.mail_optout) if real_owner is not None else set()
    writer = people.get(actor.user_id)
    return Audience(
        customer=customer.email if customer is not None else "",
        ccs=tuple(email for (email,) in _CCS.all(ticket.pk)),
        new_ticket_cc=tuple(ticket.group.new_ticket_cc),
        updated_ticket_cc=tuple(ticket.group.updated_ticket_cc),
        owner=real_owner.email if real_owner is not None else "",
        owner_wants_assignment="assigned" not in optout,
        owner_wants_updates="apichange" not in optout,
        owner_is_actor=ticket.owner_id == actor.user_id,
        author=(writer.email if writer is not None and writer.pk != NOBODY_ID else "")
        or (author.email if author is not None else ""),
        named=tuple(dict.fromkeys(named)),
        desk=senders.desk_addresses(),
    )


def _count(ticket: Ticket, article: Article, sender: Sender, *, at: datetime) -> None:
    """Move what the ticket says about its entries."""
    if ticket.create_article_type is None:
        ticket.create_article_type = article.type
        ticket.create_article_sender = sender
    if sender is not Sender.SYSTEM:
        ticket.article_count = (ticket.article_count or 0) + 1
    times = rules.contact_after(
        rules.ContactTimes(
            ticket.first_response_at,
            ticket.last_contact_at,
            ticket.last_contact_agent_at,
            ticket.last_contact_customer_at,
        ),
        sender=sender,
        article_type=ArticleType(article.type),
        internal=article.internal,
        at=at,
    )
    ticket.first_response_at = times.first_response_at
    ticket.last_contact_at = times.last_contact_at
    ticket.last_contact_agent_at = times.last_contact_agent_at
    ticket.last_contact_customer_at = times.last_contact_customer_at
