"""Judging a message: what it is, whose it is, where it belongs. The rules of incoming mail.

Read :func:`judge` from top to bottom: each question may decide, and says why in words that an
administrator reads.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection

from deskbell.kernel.actor import NOBODY_ID, Actor
from deskbell.kernel.compiled import Compiled
from deskbell.kernel.text import fold, storable
from deskbell.mail import policy as policies
from deskbell.mail import tags
from deskbell.mail.intake import bounces, ignoring, threading
from deskbell.mail.intake.authentication import Authentication, told_by_servers
from deskbell.mail.intake.threading import Found, Ground
from deskbell.mail.models import DeadAddress, Fate, IgnoreRule, IncomingMail, OutgoingMail
from deskbell.mail.policy import Policy
from deskbell.mail.reading import newness, references
from deskbell.mail.reading.addresses import Address
from deskbell.mail.reading.facts import Facts, File
from deskbell.mail.writing.headers import is_row_message_id
from deskbell.mail.writing.messages import PUBLIC_PARTS, STAFF_PARTS
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
#: The times in which messages of one sender, or to one ticket, are counted, and how often the
#: limit of an hour fits into each. Machines that take their time are stopped by the second.
WINDOWS = ((timedelta(hours=1), 1), (timedelta(days=1), 3))


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
    external_key: str = ""


@dataclass(slots=True)
class _Mail:
    """A message on its way through the rules.

    ``address`` says who wrote, going by From (or Sender, where From has none): it proves nothing.
    A ``quiet`` one is kept and answered by nothing, though a person may have written it.
    """

    row: IncomingMail
    facts: Facts
    group: Group
    at: datetime
    policy: Policy
    address: str
    name: str
    proof: Authentication
    user: User | None = None
    quiet: bool = False
    #: Message-IDs, without brackets, of what the desk sent to people outside.
    public_ids: frozenset[str] = frozenset()
    notes: list[str] = field(default_factory=list)

    @property
    def is_silent(self) -> bool:
        """Whether it must wake nothing, and nothing may be sent because of it."""
        return self.quiet or self.facts.machine.must_not_auto_respond

    @property
    def is_proven(self) -> bool:
        """Whether a trusted server vouches for the address that the desk takes for the author's.

        Servers look at one From address; with several, it could be another one than ours.
        """
        fields = [name for name, _ in self.facts.fields if name == "from"]
        alone = len(fields) == len(self.facts.from_) == 1
        return alone and self.proof.proves(self.address)

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
            external_key=self.facts.external_key,
        )


def judge(
    row: IncomingMail, facts: Facts, *, at: datetime, checked: Authentication | None = None
) -> Verdict:
    """Do what a message asks for, in the open transaction. Raises what the operations raise.

    ``checked`` is what the desk found out about the sender itself; a trusted server goes before it.
    """
    channel = row.channel
    if channel is None:
        return Verdict(Fate.REFUSED, "Its channel was removed.")
    author = _author(facts)
    mail = _Mail(
        row=row,
        facts=facts,
        group=channel.group,
        at=at,
        policy=policies.present(),
        address=author.address if author is not None else "",
        name=author.name if author is not None else "",
        proof=told_by_servers(facts).or_else(checked or Authentication()),
    )
    if row.size > mail.policy.max_message_mb * 1024 * 1024:
        limit = mail.policy.max_message_mb
        return mail.verdict(Fate.REFUSED, f"It is larger than {limit} MB.")
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
    if facts.arrived_id and (arrived := bounces.arrived(facts, at=at)):
        return mail.verdict(
            Fate.IGNORED,
            f"A report that the mail to {arrived.address} has arrived.",
            ticket_id=arrived.article.ticket_id,
            article_id=arrived.article_id,
        )
    if not facts.machine.is_auto_reply and _DEAD.first(fold(mail.address)) is not None:
        DeadAddress.objects.filter(key=fold(mail.address)).delete()
    mail.user = _person(mail)
    found = _found(mail)
    if found is not None:
        verdict = _follow_up(mail, found)
        if verdict is not None:
            return verdict
    return _open(mail, follows=found)


def _author(facts: Facts) -> Address | None:
    """Who wrote. Reply-To may stand in for From where people look, never where rights depend."""
    return facts.from_[0] if facts.from_ else facts.sender_field


def _found(mail: _Mail) -> Found | None:
    """The ticket that the message belongs to; an agent's own address for it is the surest sign."""
    facts = mail.facts
    written_to = [*(person.address for person in (*facts.to, *facts.cc)), *facts.delivered_to]
    told = tags.mail_of(written_to)
    found = threading.find(facts, mail.policy)
    if found is not None:
        mail.public_ids = frozenset(
            sent.message_id.strip("<>") for sent in found.answered if sent.part in PUBLIC_PARTS
        )
    if told is not None and told.address_key == fold(mail.address):
        return Found(told.article.ticket_id, Ground.TAG, (told,))
    if found is None and told is not None:
        return Found(told.article.ticket_id, Ground.TAG)
    return found


# --- what is not ours to read --------------------------------------------------------------------


def _is_ours(mail: _Mail) -> str:
    """A message of this desk that came back unchanged must not be answered by itself."""
    id_ = f"<{mail.facts.message_id}>"
    if _SENT.first(id_) is not None:
        return "It was sent by this desk."
    if references.is_echo(mail.facts):
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
    """The administrators' lists: of what becomes nothing, and of what is never answered."""
    rules = ignoring.catching(mail.facts, mail.address, group_id=mail.group.pk)
    ignored = [rule for rule in rules if rule.action == IgnoreRule.Action.IGNORE]
    deciding = ignored or rules
    ignoring.count(deciding, at=mail.at)
    if not deciding:
        return ""
    named = f"{deciding[0].what} {deciding[0].pattern}"
    if ignored:
        return f"The list of ignored mail names the {named}."
    mail.quiet = True
    mail.notes.append(f"The list of mail that is never answered names the {named}.")
    return ""


# --- people --------------------------------------------------------------------------------------


def _person(mail: _Mail) -> User | None:
    """The user with the sender's address, made as a customer if there is none.

    ``None`` where the message has no address to answer to, or one of the desk's own.
    """
    if not is_address(mail.address) or fold(mail.address) in _own(mail):
        return None
    first, _, last = mail.name.strip().rpartition(" ")
    name = (first[:100], last[:100])
    return find_or_create_customer(mail.address, name=name, actor=_desk(), at=mail.at)


def _own(mail: _Mail) -> frozenset[str]:
    """Keys of the addresses that are the desk's own."""
    return senders.desk_addresses() | mail.policy.own_keys


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
    """The message to this very agent that he answers: nobody else knows its id, or its address."""
    key = fold(mail.address)
    for told in found.answered:
        if told.address_key == key and told.part in STAFF_PARTS:
            # What he was told of another ticket says nothing about this one.
            return told if told.article.ticket_id == found.ticket_id else None
    return None


# --- follow-ups ----------------------------------------------------------------------------------


def _follow_up(mail: _Mail, found: Found) -> Verdict | None:
    """Enter the message into the ticket it belongs to; ``None``: it opens one of its own."""
    ticket_id = threading.survivor(found.ticket_id)
    ticket = _TICKET.first(ticket_id)
    assert ticket is not None
    if not mail.is_silent and _is_too_often(mail, ticket_id=ticket_id):
        mail.quiet = True
        mail.notes.append("The ticket gets too many messages: nobody is mailed about this one.")
    belongs = threading.belongs(mail.address, mail.user, ticket_id) or (
        ticket_id != found.ticket_id and threading.belongs(mail.address, mail.user, found.ticket_id)
    )
    agent = _agent(mail, ticket)
    if agent is not None and not mail.proof.is_forged:
        told = _was_told(mail, found)
        if told is not None or mail.is_proven:
            return _agent_answers(mail, ticket, found, told, actor=agent)
    if agent is not None and not belongs:
        return _held(mail, ticket, "It says that it is from an agent, but nothing proves it.")
    if mail.proof.is_forged:
        who = "The signatures say" if mail.proof.by_desk else "The mail server says"
        return _held(mail, ticket, f"{who} that the sender is forged.")
    if not belongs:
        return _stranger(mail, ticket, found)
    if not takes_follow_ups(ticket, at=mail.at):
        if mail.facts.machine.must_not_auto_respond:
            return _enter(mail, ticket, found)
        mail.notes.append(f"Ticket {ticket.number} is closed and takes no answers.")
        return None
    return _enter(mail, ticket, found)


def _stranger(mail: _Mail, ticket: Ticket, found: Found) -> Verdict | None:
    """Mail of somebody who has no part in the ticket.

    It is held apart for an agent, who decides: an id may have been passed on, a number guessed.
    """
    machine = mail.facts.machine
    if found.ground is Ground.RETURNED:
        return _held(mail, ticket, "It is a delivery report about a message of it.")
    if found.ground in (Ground.ANSWERS, Ground.TAG):
        return _held(mail, ticket, "The sender answers a message of it, but has no part in it.")
    if machine.must_not_auto_respond and mail.user is None:
        return None
    return _held(mail, ticket, "The sender knows its number, but has no part in it.")


def _is_too_often(mail: _Mail, *, ticket_id: int) -> bool:
    """Whether the ticket got so many messages that two machines may be talking to each other."""
    limit = mail.policy.mails_per_ticket
    return _is_beyond("ticket_id", ticket_id, limit, fate=Fate.FOLLOW_UP, at=mail.at)


def _is_beyond(
    column: str, value: int | str, limit: int, *, fate: Fate | None = None, at: datetime
) -> bool:
    """Whether so many messages (of this fate) came lately that one more is too many.

    ``column`` has an index together with the moment.
    """
    longest = max(time for time, _ in WINDOWS)
    since = [at - longest, *(at - time for time, _ in WINDOWS)]
    first, *moments = map(connection.ops.adapt_datetimefield_value, since)
    of_fate = " AND fate = %s" if fate else ""
    counts = ", ".join(["COUNT(CASE WHEN handled_at > %s THEN 1 END)"] * len(WINDOWS))
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {counts} FROM mail_incomingmail"  # noqa: S608 - every text is ours
            f" WHERE {column} = %s AND handled_at > %s{of_fate}",
            [*moments, value, first, *([fate.value] if fate else [])],
        )
        found = cursor.fetchone()
    return any(n >= limit * times for n, (_, times) in zip(found, WINDOWS, strict=True))


def _enter(mail: _Mail, ticket: Ticket, found: Found) -> Verdict:
    """A public entry of somebody who takes part."""
    article = _article(mail)
    article.wakes = not mail.is_silent
    article.quiet = mail.is_silent
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
    article.internal, article.wakes, article.quiet = True, False, mail.is_silent
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
    text = tags.without(facts.reply).strip()
    if not text or facts.machine.must_not_auto_respond:
        return _held(mail, ticket, "It is from an agent, but no new words of his are in it.")
    article = NewArticle(body=text, internal=internal)
    if not internal:
        chosen = public_reply(ticket, text)
        article.type, article.to = chosen["type"], chosen.get("to")
    article.in_reply_to = _ids(_speakable(mail, facts.in_reply_to))
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
    if (customer := _customer_of_agent(mail)) is not None:
        return _opened_by_agent(mail, *customer)
    key, limits = fold(mail.address), mail.policy
    if not mail.is_silent and _is_beyond("sender_key", key, limits.mails_per_sender, at=mail.at):
        mail.quiet = True
        mail.notes.append("The sender writes too often: nobody is mailed about this one.")
    may_hear = mail.user is not None and not mail.is_silent and not mail.proof.is_forged
    article = _article(mail)
    article.quiet = mail.quiet
    article.acknowledged = may_hear and not _is_beyond(
        "sender_key", key, limits.acknowledgements_per_sender, fate=Fate.NEW_TICKET, at=mail.at
    )
    new = NewTicket(
        id=reserve_id(),
        title=rules.shortened_title(mail.facts.subject) or NO_SUBJECT,
        group_id=mail.group.pk,
        customer_id=mail.user.pk if mail.user else NOBODY_ID,
        ccs=[] if mail.is_silent else _copies(mail, present=0),
        article=article,
    )
    if follows is not None:
        new.links = {"child": [follows.ticket_id]}
    return _opened(mail, new, actor=_desk(mail.user))


def _opened(mail: _Mail, new: NewTicket, *, actor: Actor) -> Verdict:
    ticket = open_ticket(new, actor=actor, at=mail.at)
    entry = _FIRST_ENTRY.first(ticket.pk)
    return mail.verdict(
        Fate.NEW_TICKET,
        f"It opened ticket {ticket.number}.",
        ticket_id=ticket.pk,
        article_id=entry[0] if entry else None,
    )


def _customer_of_agent(mail: _Mail) -> tuple[Actor, User] | None:
    """The agent and his customer, where a proven agent wrote to a customer and to the desk."""
    if mail.user is None or not mail.policy.customer_of_agent or not mail.is_proven:
        return None
    if mail.facts.machine.must_not_auto_respond:
        return None
    actor = people_access.actor_for(mail.user.pk, "mail")
    if actor is None or not actor.may_in_group("create", mail.group.pk):
        return None
    known = _own(mail) | _ways_here(mail)
    named = next((p for p in mail.facts.to if fold(tags.without(p.address)) not in known), None)
    if named is None or not is_mailable(named.address):
        return None
    first, _, last = named.name.strip().rpartition(" ")
    names = (first[:100], last[:100])
    return actor, find_or_create_customer(named.address, name=names, actor=_desk(), at=mail.at)


def _opened_by_agent(mail: _Mail, actor: Actor, customer: User) -> Verdict:
    """The ticket of a customer whom an agent wrote to: the customer has the mail already."""
    article = _article(mail)
    article.sender, article.quiet = Sender.AGENT, True
    new = NewTicket(
        id=reserve_id(),
        title=rules.shortened_title(mail.facts.subject) or NO_SUBJECT,
        group_id=mail.group.pk,
        customer_id=customer.pk,
        ccs=[a for a in _copies(mail, present=0) if fold(a) != fold(customer.email)],
        article=article,
    )
    mail.notes.append("An agent wrote it to the customer.")
    return _opened(mail, new, actor=actor)


# --- the entry -----------------------------------------------------------------------------------


def _article(mail: _Mail) -> NewArticle:
    """The message as an entry: what was written, whole, in the name of whoever wrote it."""
    facts = mail.facts
    shown = facts.sender
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
        from_address=_listed([(shown.name, shown.address)] if shown else []) or None,
        to=tags.without(_listed((a.name, a.address) for a in facts.to)) or None,
        cc=tags.without(_listed((a.name, a.address) for a in facts.cc)) or None,
        reply_to=_listed((a.name, a.address) for a in facts.reply_to) or None,
        message_id=None if facts.is_id_made_up else _ids([facts.message_id]),
        in_reply_to=_ids(_speakable(mail, facts.in_reply_to)),
        references=_ids(_speakable(mail, facts.references)),
        origin_by_id=mail.user.pk if mail.user else None,
        preferences=_preferences(mail) | newness.preferences_of(body, content_type, facts),
        files=files[:FILES_AT_MOST],
    )


def _words(mail: _Mail) -> tuple[str, str, list[NewFile]]:
    """Body, its type, and pictures that stood in the body itself."""
    facts = mail.facts
    if not facts.html:
        return tags.without(facts.body), PLAIN, []
    html, pictures = take_images(
        tags.without(facts.html), prefix=f"mail{mail.row.pk}", host=settings.CONFIG.hostname
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


def _speakable(mail: _Mail, ids: Iterable[str]) -> list[str]:
    """The ids without those of notifications to staff.

    Such an id proves an agent, so nobody outside may read it; what an entry refers to goes out
    with the answers to it.
    """
    return [id_ for id_ in ids if id_ in mail.public_ids or not is_row_message_id(f"<{id_}>")]


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
    own = _own(mail) | _ways_here(mail)
    facts = mail.facts
    knows_us = any(fold(tags.without(person.address)) in own for person in (*facts.to, *facts.cc))
    found: dict[str, str] = {}
    for person in (*facts.to, *facts.cc) if knows_us else facts.cc:
        key = fold(tags.without(person.address))
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
