"""Judging a message: what it is, whose it is, where it belongs. The rules of incoming mail.

Read :func:`judge` from top to bottom: each question may decide, and says why in words that an
administrator reads.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import F, Q

from deskbell.kernel.actor import NOBODY_ID, Actor
from deskbell.kernel.compiled import Compiled
from deskbell.kernel.text import fold, storable
from deskbell.mail.intake import bounces, threading
from deskbell.mail.intake.authentication import Authentication, authentication
from deskbell.mail.intake.threading import Found, Ground
from deskbell.mail.messages import STAFF_PARTS
from deskbell.mail.models import DeadAddress, Fate, IgnoreRule, IncomingMail, OutgoingMail
from deskbell.mail.reading.facts import Facts, File
from deskbell.people import access as people_access
from deskbell.people.addresses import is_address, is_mailable
from deskbell.people.models import Group, User
from deskbell.people.operations import find_or_create_customer
from deskbell.tickets import rules, senders
from deskbell.tickets.attachments import NewFile, clean_type
from deskbell.tickets.images import take_images
from deskbell.tickets.models import Article, Attachment, Ticket, TicketCC
from deskbell.tickets.operations import open_ticket, update_ticket
from deskbell.tickets.operations.articles import FILES_AT_MOST, HEADER_LIMIT
from deskbell.tickets.operations.changing import add_copies, public_reply, takes_follow_ups
from deskbell.tickets.operations.inputs import NewArticle, NewTicket
from deskbell.tickets.operations.opening import CCS_AT_MOST, reserve_id
from deskbell.tickets.texts import HTML, PLAIN, safe_html
from deskbell.tickets.vocabulary import BODY_LIMIT, ArticleType, Sender

NO_SUBJECT = "(no subject)"
#: New addresses that one message may add to the copies of a ticket.
NEW_COPIES = 20
#: Acknowledgements to one sender within the time; the messages beyond become tickets in silence.
ACKNOWLEDGED = (5, timedelta(hours=1))


_SENT = Compiled(lambda id_: OutgoingMail.objects.filter(message_id=id_).values_list("pk")[:1], str)
_EARLIER = Compiled(
    lambda id_, sender, subject: (
        IncomingMail.objects.filter(
            message_id=id_,
            sender=sender,
            subject=subject,
            fate__in=(Fate.NEW_TICKET, Fate.FOLLOW_UP),
        )
        .order_by("id")
        .values_list("pk", "article_id")[:1]
    ),
    str,
    str,
    str,
)
_DEAD = Compiled(lambda key: DeadAddress.objects.filter(key=key).values_list("pk"), str)
_TICKET = Compiled(
    lambda key: Ticket.objects.select_related("group", "state", "customer").filter(pk=key), int
)
_FIRST_ENTRY = Compiled(
    lambda key: Article.objects.filter(ticket=key).order_by("id").values_list("pk")[:1], int
)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a message, and why, in one sentence for people."""

    fate: Fate
    reason: str
    ticket_id: int | None = None
    article_id: int | None = None
    message_id: str = ""
    sender: str = ""
    subject: str = ""


@dataclass(slots=True)
class _Mail:
    """A message on its way through the rules."""

    row: IncomingMail
    facts: Facts
    group: Group
    at: datetime
    address: str
    name: str
    proof: Authentication
    user: User | None = None
    notes: list[str] = field(default_factory=list)

    def verdict(
        self,
        fate: Fate,
        reason: str,
        *,
        ticket_id: int | None = None,
        article_id: int | None = None,
    ) -> Verdict:
        return Verdict(
            fate,
            " ".join([reason, *self.notes]),
            ticket_id=ticket_id,
            article_id=article_id,
            message_id=self.facts.message_id,
            sender=self.address,
            subject=self.facts.subject,
        )


def judge(row: IncomingMail, facts: Facts, *, at: datetime) -> Verdict:
    """Do what a message asks for, in the open transaction. Raises what the operations raise."""
    channel = row.channel
    if channel is None:
        return Verdict(Fate.REFUSED, "Its channel was removed.")
    sender = facts.sender
    mail = _Mail(
        row=row,
        facts=facts,
        group=channel.group,
        at=at,
        address=sender.address if sender is not None else "",
        name=sender.name if sender is not None else "",
        proof=authentication(
            facts.authentication_results, trusted=settings.CONFIG.trusted_mail_hosts
        ),
    )
    if reason := _is_ours(mail) or _is_known(mail) or _is_ignored(mail):
        return mail.verdict(Fate.IGNORED, reason)
    if facts.bounce is not None and (returned := bounces.returned(facts.bounce, facts)):
        bounces.note(returned, facts.bounce, at=at)
        return mail.verdict(
            Fate.BOUNCE,
            f"A delivery report about the mail to {returned.address}.",
            ticket_id=returned.article.ticket_id,
            article_id=returned.article_id,
        )
    if not facts.machine.is_auto_reply and _DEAD.first(fold(mail.address)) is not None:
        DeadAddress.objects.filter(key=fold(mail.address)).delete()
    mail.user = _person(mail)
    found = threading.find(facts)
    if found is not None:
        verdict = _follow_up(mail, found)
        if verdict is not None:
            return verdict
    return _open(mail, follows=found)


# --- what is not ours to read --------------------------------------------------------------------


def _is_ours(mail: _Mail) -> str:
    """A message of this desk that came back unchanged must not be answered by itself."""
    id_ = f"<{mail.facts.message_id}>"
    if _SENT.first(id_) is not None:
        return "It was sent by this desk."
    machine = mail.facts.machine
    if "own-message-id" in machine.reasons and (machine.is_auto_reply or machine.is_bulk):
        return "It is an automatic mail of this desk that came back."
    return ""


def _is_known(mail: _Mail) -> str:
    """The same message, delivered twice: to two mailboxes, or again after a move.

    Its bytes differ by what servers wrote on the way; id, sender and subject are the author's.
    Some devices give every message the same id, so that alone says nothing.
    """
    facts = mail.facts
    if facts.is_id_made_up:
        return ""
    earlier = _EARLIER.first(
        storable(facts.message_id)[:255],
        storable(mail.address)[:254],
        storable(facts.subject)[:400],
    )
    if earlier is None:
        return ""
    number, article_id = earlier
    if article_id is None or not _says_the_same(mail, article_id):
        return ""
    return f"The same message came before, as number {number}."


def _says_the_same(mail: _Mail, article_id: int) -> bool:
    """Whether the entry is this very message: its text, and its files byte by byte."""
    body = Article.objects.filter(pk=article_id).values_list("body", flat=True).first()
    words, _type, pictures = _words(mail)
    if pictures or body != words:
        return False
    stored = Attachment.objects.filter(article=article_id).order_by("id")
    return list(stored.values_list("blob_id", flat=True)) == [f.sha256 for f in mail.facts.files]


def _is_ignored(mail: _Mail) -> str:
    """The administrators' list of what becomes nothing."""
    rows = IgnoreRule.objects.filter(Q(group=None) | Q(group=mail.group), active=True)
    for rule in rows.order_by("id"):
        if _matches(rule, mail):
            IgnoreRule.objects.filter(pk=rule.pk).update(caught=F("caught") + 1, caught_at=mail.at)
            return f"The list of ignored mail names the {rule.what} {rule.pattern}."
    return ""


def _matches(rule: IgnoreRule, mail: _Mail) -> bool:
    pattern = fold(rule.pattern)
    address = fold(mail.address)
    if rule.what == IgnoreRule.What.ADDRESS:
        return bool(pattern) and address == pattern
    if rule.what == IgnoreRule.What.DOMAIN:
        domain, wanted = address.rpartition("@")[2], pattern.lstrip("@.")
        return bool(wanted) and (domain == wanted or domain.endswith(f".{wanted}"))
    name, _, words = pattern.partition(":")
    values = [value for field, value in mail.facts.fields if field == name.strip()]
    return any(words.strip() in fold(value) for value in values)


# --- people --------------------------------------------------------------------------------------


def _person(mail: _Mail) -> User | None:
    """The user with the sender's address, made as a customer if there is none.

    ``None`` where the message has no address to answer to, or one of the desk's own.
    """
    if not is_address(mail.address) or fold(mail.address) in senders.desk_addresses():
        return None
    first, _, last = mail.name.strip().rpartition(" ")
    name = (first[:100], last[:100])
    return find_or_create_customer(mail.address, name=name, actor=_desk(), at=mail.at)


def _desk(user: User | None = None) -> Actor:
    """The desk itself, which enters what somebody wrote."""
    return Actor(kind="system", user_id=user.pk if user else NOBODY_ID, via="mail")


def _agent(mail: _Mail, ticket: Ticket) -> Actor | None:
    """The sender as an agent who may change the ticket, if he is one; proven or not."""
    if mail.user is None:
        return None
    actor = people_access.actor_for(mail.user.pk, "mail")
    if actor is None or not actor.may_in_group("change", ticket.group_id):
        return None
    return actor


def _was_told(mail: _Mail, found: Found) -> OutgoingMail | None:
    """The message to this very agent that he answers: nobody else knows its id."""
    key = fold(mail.address)
    return next((m for m in found.answered if m.address_key == key and m.part in STAFF_PARTS), None)


# --- follow-ups ----------------------------------------------------------------------------------


def _follow_up(mail: _Mail, found: Found) -> Verdict | None:
    """Enter the message into the ticket it belongs to; ``None``: it opens one of its own."""
    ticket_id = threading.survivor(found.ticket_id)
    ticket = _TICKET.first(ticket_id)
    assert ticket is not None
    belongs = threading.belongs(mail.address, ticket_id) or (
        ticket_id != found.ticket_id and threading.belongs(mail.address, found.ticket_id)
    )
    agent = _agent(mail, ticket)
    if agent is not None:
        told = _was_told(mail, found)
        if told is not None or mail.proof.proves(mail.address):
            return _agent_answers(mail, ticket, found, told, actor=agent)
        if not belongs:
            return _held(mail, ticket, "It says that it is from an agent, but nothing proves it.")
    if mail.proof.is_forged:
        return _held(mail, ticket, "The mail server says that the sender is forged.")
    if found.ground is Ground.SUBJECT and not belongs:
        if mail.facts.machine.must_not_auto_respond and mail.user is None:
            return None
        return _held(mail, ticket, "The sender knows its number, but has no part in it.")
    if not takes_follow_ups(ticket, at=mail.at):
        if mail.facts.machine.must_not_auto_respond:
            return _enter(mail, ticket, found)
        mail.notes.append(f"Ticket {ticket.number} is closed and takes no answers.")
        return None
    return _enter(mail, ticket, found)


def _enter(mail: _Mail, ticket: Ticket, found: Found) -> Verdict:
    """A public entry of somebody who takes part."""
    machine = mail.facts.machine
    article = _article(mail)
    article.wakes = not machine.must_not_auto_respond
    article.quiet = machine.must_not_auto_respond
    _ticket, entry = update_ticket(ticket.pk, None, article, actor=_desk(mail.user), at=mail.at)
    if article.wakes:
        _add_copies(mail, ticket)
    return mail.verdict(
        Fate.FOLLOW_UP,
        f"It belongs to ticket {ticket.number}: {found.ground}.",
        ticket_id=ticket.pk,
        article_id=entry.pk if entry else None,
    )


def _held(mail: _Mail, ticket: Ticket, why: str) -> Verdict:
    """An internal entry in nobody's name: an agent reads it and decides; nobody outside does."""
    article = _article(mail)
    article.internal, article.wakes, article.quiet = True, False, True
    article.origin_by_id = None
    article.preferences["held"] = why
    _ticket, entry = update_ticket(ticket.pk, None, article, actor=_desk(), at=mail.at)
    return mail.verdict(
        Fate.FOLLOW_UP,
        f"Held apart in ticket {ticket.number}. {why}",
        ticket_id=ticket.pk,
        article_id=entry.pk if entry else None,
    )


def _agent_answers(
    mail: _Mail, ticket: Ticket, found: Found, told: OutgoingMail | None, *, actor: Actor
) -> Verdict:
    """An agent answers by mail: only his new words, because below them stands what staff was told.

    Answering a message about an internal entry makes an internal one.
    """
    facts = mail.facts
    internal = told is not None and told.staff_only
    text = facts.reply.strip()
    if not text or facts.machine.must_not_auto_respond:
        return _held(mail, ticket, "It is from an agent, but no new words of his are in it.")
    article = NewArticle(body=text, internal=internal)
    if not internal:
        chosen = public_reply(ticket, text)
        article.type, article.to = chosen["type"], chosen.get("to")
    article.in_reply_to = _ids(facts.in_reply_to)
    article.preferences = _preferences(mail)
    article.files = [_new_file(file) for file in facts.attachments][:FILES_AT_MOST]
    _ticket, entry = update_ticket(ticket.pk, None, article, actor=actor, at=mail.at)
    return mail.verdict(
        Fate.FOLLOW_UP,
        f"An agent's {'note' if internal else 'answer'} in ticket {ticket.number}: {found.ground}.",
        ticket_id=ticket.pk,
        article_id=entry.pk if entry else None,
    )


# --- new tickets ---------------------------------------------------------------------------------


def _open(mail: _Mail, *, follows: Found | None) -> Verdict:
    """A ticket of its own."""
    article = _article(mail)
    article.acknowledged = _may_acknowledge(mail)
    machine = mail.facts.machine.must_not_auto_respond
    new = NewTicket(
        id=reserve_id(),
        title=rules.shortened_title(mail.facts.subject) or NO_SUBJECT,
        group_id=mail.group.pk,
        customer_id=mail.user.pk if mail.user else NOBODY_ID,
        ccs=[] if machine else _copies(mail, present=0),
        article=article,
    )
    if follows is not None:
        new.links = {"child": [follows.ticket_id]}
    ticket = open_ticket(new, actor=_desk(mail.user), at=mail.at)
    entry = _FIRST_ENTRY.first(ticket.pk)
    return mail.verdict(
        Fate.NEW_TICKET,
        f"It opened ticket {ticket.number}.",
        ticket_id=ticket.pk,
        article_id=entry[0] if entry else None,
    )


def _may_acknowledge(mail: _Mail) -> bool:
    """Whether the sender may hear that his ticket was opened: a person, and not too often."""
    if mail.user is None or mail.facts.machine.must_not_auto_respond or mail.proof.is_forged:
        return False
    limit, time = ACKNOWLEDGED
    recent = IncomingMail.objects.filter(
        sender=storable(mail.address)[:254],
        fate=Fate.NEW_TICKET,
        handled_at__gt=mail.at - time,
    )
    return recent.count() < limit


# --- the entry -----------------------------------------------------------------------------------


def _article(mail: _Mail) -> NewArticle:
    """The message as an entry: what was written, whole, in the name of whoever wrote it."""
    facts = mail.facts
    body, content_type, inline = _words(mail)
    files = [*inline, *(_new_file(file) for file in facts.files)]
    if len(body) > BODY_LIMIT:
        ending = "html" if content_type == HTML else "txt"
        whole = NewFile(f"message.{ending}", body.encode(), content_type)
        files = [whole, *files]
        body = body[:BODY_LIMIT] if content_type == PLAIN else facts.body[:BODY_LIMIT]
        content_type = PLAIN
        mail.notes.append("Its text is longer than an entry can be; all of it is attached.")
    if len(files) > FILES_AT_MOST:
        mail.notes.append(f"Only {FILES_AT_MOST} of its {len(files)} files are attached.")
    return NewArticle(
        body=body,
        content_type=content_type,
        subject=facts.subject or None,
        type=ArticleType.EMAIL,
        sender=Sender.CUSTOMER,
        from_address=_listed([(mail.name, mail.address)]) or None,
        to=_listed((a.name, a.address) for a in facts.to) or None,
        cc=_listed((a.name, a.address) for a in facts.cc) or None,
        reply_to=_listed((a.name, a.address) for a in facts.reply_to) or None,
        message_id=None if facts.is_id_made_up else _ids([facts.message_id]),
        in_reply_to=_ids(facts.in_reply_to),
        references=_ids(facts.references),
        origin_by_id=mail.user.pk if mail.user else None,
        preferences=_preferences(mail),
        files=files[:FILES_AT_MOST],
    )


def _words(mail: _Mail) -> tuple[str, str, list[NewFile]]:
    """Body, its type, and pictures that stood in the body itself."""
    facts = mail.facts
    if not facts.html:
        return facts.body, PLAIN, []
    html, pictures = take_images(
        facts.html, prefix=f"mail{mail.row.pk}", host=settings.CONFIG.hostname
    )
    return safe_html(html), HTML, pictures


def _preferences(mail: _Mail) -> dict[str, object]:
    """What agents and clients may want to know about the message."""
    found: dict[str, object] = {}
    if proof := mail.proof.as_preferences():
        found["authentication"] = proof
    if mail.facts.machine.is_auto_reply:
        found["is-auto-response"] = True
    return found


def _new_file(file: File) -> NewFile:
    preferences: dict[str, object] = {"Mime-Type": file.content_type}
    if file.content_id:
        preferences["Content-ID"] = file.content_id
    if file.is_inline:
        preferences["Content-Disposition"] = "inline"
    return NewFile(
        filename=file.filename,
        content=file.content,
        content_type=clean_type(file.content_type),
        inline=file.is_inline,
        content_id=file.content_id,
        preferences=preferences,
    )


def _listed(people: Iterable[tuple[str, str]]) -> str:
    """A To or Cc text, as many as fit."""
    text = ""
    for name, address in people:
        one = senders.formatted(name, address) if address else name
        if len(text) + len(one) + 2 > HEADER_LIMIT:
            break
        text = f"{text}, {one}" if text else one
    return storable(text)


def _ids(ids: Iterable[str]) -> str | None:
    """Message-IDs as a header has them, as many as fit."""
    text = ""
    for id_ in ids:
        if len(text) + len(id_) + 3 > HEADER_LIMIT:
            break
        text = f"{text} <{id_}>" if text else f"<{id_}>"
    return storable(text) or None


def _copies(mail: _Mail, *, present: int) -> list[str]:
    """Addresses that were written to as well, and so take part.

    Where none of them is known to be ours, the message reached us by an alias, which is one of
    those in To: copies to it would come back.
    """
    own = senders.desk_addresses() | _ways_here(mail)
    facts = mail.facts
    knows_us = any(fold(person.address) in own for person in (*facts.to, *facts.cc))
    found: dict[str, str] = {}
    for person in (*facts.to, *facts.cc) if knows_us else facts.cc:
        key = fold(person.address)
        if key and key not in own and key != fold(mail.address) and is_mailable(person.address):
            found.setdefault(key, person.address)
    room = min(NEW_COPIES, CCS_AT_MOST - present)
    if len(found) > room:
        mail.notes.append(f"It names {len(found)} people; {max(room, 0)} became copies.")
    return list(found.values())[: max(room, 0)]


def _ways_here(mail: _Mail) -> frozenset[str]:
    """Addresses that lead into this channel: its mailbox, and where servers delivered it to."""
    channel = mail.row.channel
    given = dict(channel.settings) if channel is not None else {}
    places = [given.get("login", ""), *given.get("addresses", ()), *mail.facts.delivered_to]
    return frozenset(fold(place.strip().strip("<>")) for place in places if place)


def _add_copies(mail: _Mail, ticket: Ticket) -> None:
    present = set(TicketCC.objects.filter(ticket=ticket).values_list("email_key", flat=True))
    customer = fold(ticket.customer.email)
    new = [
        a
        for a in _copies(mail, present=len(present))
        if fold(a) not in present and fold(a) != customer
    ]
    if new:
        add_copies(ticket.pk, new, actor=_desk(mail.user), at=mail.at)
