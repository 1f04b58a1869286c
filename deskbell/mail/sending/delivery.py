"""Carrying out what is owed: read the row, make the message, hand it over, write what came of it.

The row's state is committed on both sides of the hand-over, never around it: whoever finds
``sending`` knows that an attempt was cut off, and makes it again under the same Message-ID. That is
as close to *exactly once* as SMTP lets anybody come.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from html import unescape
from typing import Any
from urllib.parse import unquote
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.utils.crypto import salted_hmac

from deskbell.kernel.actor import NOBODY_ID
from deskbell.kernel.jobs import GiveUp, RetryLater
from deskbell.kernel.jobs.execution import pause_before
from deskbell.kernel.models import Job, JobState
from deskbell.kernel.text import fold
from deskbell.mail import jobs, tags
from deskbell.mail.models import (
    HELD_FOR,
    UNDER_WAY,
    GroupSending,
    Language,
    MailState,
    OutgoingMail,
    Quoting,
)
from deskbell.mail.operations import report_return
from deskbell.mail.sending import routes, transport
from deskbell.mail.writing import headers, rendering, rewording, wording
from deskbell.mail.writing.composing import Composed, Enclosure, Letterhead, compose
from deskbell.mail.writing.headers import NotDeliverable
from deskbell.mail.writing.messages import (
    STAFF_PARTS,
    NotForThisAddress,
    PublicEntry,
    PublicMessage,
    StaffNotification,
    customer_of,
    is_letter,
    message_for,
)
from deskbell.mail.writing.texts import Wording
from deskbell.people.addresses import is_mailable
from deskbell.people.models import User
from deskbell.tickets import attachments, public_links, senders
from deskbell.tickets.models import Article, Attachment, Ticket, TicketCC
from deskbell.tickets.rules import Occasion, Part
from deskbell.tickets.texts import HTML, plain_text
from deskbell.tickets.vocabulary import Sender

log = logging.getLogger("deskbell.mail")

#: Bytes of all files in one message together. Base64 adds a third; many servers stop at 25 MB.
FILES_SIZE = 10_000_000
FILES_AT_MOST = 50
#: Rows under way that were not touched for so long are looked at.
QUIET_FOR = timedelta(minutes=15)
#: Entries below a letter.
QUOTES_AT_MOST = 20
#: Faces through which strangers open tickets, in a name that nobody has checked.
_STRANGERS = frozenset({"mail", "portal"})

_IMAGES = attachments.INLINE_TYPES - {"application/pdf"}


# --- one message ---------------------------------------------------------------------------------


def deliver(mail_id: int, *, attempt: int, last: bool, at: datetime) -> None:
    """Send one owed message and record what came of it.

    ``attempt`` counts from 1, ``last`` means that the queue will not try again. A row that is
    gone or settled is left alone, a held one until its time has come: of whoever takes it back and
    this, the one whose UPDATE comes first wins. Raises :class:`RetryLater` where it is too early or
    the way out is closed at present, :class:`GiveUp` where the message was refused or the attempts
    are used up.
    """
    mail = (
        OutgoingMail.objects.select_related(
            "article__ticket__group__email_address",
            "article__ticket__state",
            "article__ticket__priority",
            "article__ticket__owner",
            "article__ticket__customer",
            "article__created_by",
            "article__origin_by",
        )
        .filter(pk=mail_id)
        .first()
    )
    if mail is None:
        return
    # A failed one is tried again only if its dead letter was made ready again by a person: then
    # the attempts are counted anew. A later attempt is a job whose worker fell after the failure.
    again = mail.state == MailState.FAILED and attempt == 1
    held = mail.state == MailState.HELD
    if mail.state not in UNDER_WAY and not again and not held:
        return
    if held and at < (due := mail.created_at + HELD_FOR):
        raise RetryLater(f"mail {mail.pk} is held", after=due - at)
    states = [*UNDER_WAY, MailState.HELD, *([MailState.FAILED] if again else [])]
    try:
        composed = composed_for(mail)
    except NotForThisAddress as withdrawn:
        _settle(mail, MailState.FAILED, at=at, reason=f"{withdrawn} It was not sent.")
        log.info("mail withdrawn", extra={"mail": mail.pk, "article": mail.article_id})
        return
    except NotDeliverable as error:
        _fail(mail, at=at, reason=str(error))
        raise GiveUp(f"mail {mail.pk}: {error}") from error
    begun = OutgoingMail.objects.filter(pk=mail.pk, state__in=states).update(
        state=MailState.SENDING, attempts=F("attempts") + 1, updated_at=at
    )
    if not begun:
        return
    route = routes.taken_by(mail.article.ticket.group_id)
    try:
        provider_id = transport.hand_over(
            composed,
            mail_id=mail.pk,
            created_at=mail.created_at,
            config=settings.CONFIG,
            route=route,
        )
    except transport.Refused as refused:
        _fail(mail, at=at, reason=str(refused))
        raise GiveUp(f"mail {mail.pk}: {refused}") from refused
    except transport.NotTaken as error:
        if route is not None and isinstance(error, transport.OutOfReach):
            routes.note_trouble(route, str(error), at=at)
        if last:
            _fail(mail, at=at, reason=str(error))
            raise GiveUp(f"mail {mail.pk}: {error}") from error
        _settle(mail, MailState.QUEUED, at=at, reason=str(error))
        raise RetryLater(f"mail {mail.pk}: {error}", after=pause_before(attempt)) from error
    _settle(mail, MailState.SENT, at=at, route=route, provider_id=provider_id)
    if route is not None:
        routes.note_use(route, at=at)
    log.info("mail sent", extra={"mail": mail.pk, "article": mail.article_id})


def _settle(
    mail: OutgoingMail, state: MailState, *, at: datetime, reason: str = "", **went: Any
) -> None:
    """Write the outcome (``went``: which way, if it did), unless the row is gone."""
    rows = OutgoingMail.objects.filter(pk=mail.pk)
    # A provider may have reported what became of it before its answer was read.
    early = [MailState.DELIVERED, MailState.BOUNCED] if state == MailState.SENT else []
    sent_at = at if state == MailState.SENT else None
    if not rows.exclude(state__in=early).update(
        state=state, reason=reason, updated_at=at, sent_at=sent_at, **went
    ):
        rows.filter(state__in=early).update(sent_at=sent_at, **went)


@transaction.atomic
def _fail(mail: OutgoingMail, *, at: datetime, reason: str) -> None:
    """Write that it failed for good, and tell whoever is in charge of the ticket."""
    _settle(mail, MailState.FAILED, at=at, reason=reason)
    report_return(mail, at=at)


def composed_for(mail: OutgoingMail) -> Composed:
    """The bytes of an owed message, from what the ticket says now.

    Raises :class:`NotForThisAddress`, :class:`~deskbell.mail.writing.headers.NotDeliverable`.
    """
    article = mail.article
    ticket, part, occasion = article.ticket, Part(mail.part), Occasion(mail.occasion)
    config = settings.CONFIG
    named = [*senders.addresses_in(article.to), *senders.addresses_in(article.cc)]
    message = message_for(
        part=part,
        occasion=occasion,
        address=mail.address,
        article=article,
        files=list(Attachment.objects.filter(article=article).order_by("id")),
        outsiders=_outsiders(ticket) if article.internal else (),
        named=named,
    )
    sending = routes.sending_of(ticket.group_id)
    words = rewording.wording_for(_language(mail, sending), ticket.group_id)
    letter = isinstance(message, PublicMessage) and message.is_letter
    if isinstance(message, PublicMessage) and letter:
        message = replace(message, quoted=_quoted(mail, article, sending.quoting))
    # Whoever opened it may have been anybody, in anybody's name: nothing of his goes out again.
    strange = message.entry is None and article.via in _STRANGERS
    reference = f"[{ticket.group.slug}-{ticket.pk}]"
    group = senders.sender_name(ticket.group)
    images, enclosures, left = _enclosed(message)
    rendered = rendering.render(
        message,
        rendering.Surroundings(
            reference=reference,
            title=ticket.title,
            repeats_title=not strange,
            number=ticket.number,
            customer="" if strange else _customer_name(ticket),
            words=words,
            group=group,
            timezone=ZoneInfo(config.timezone),
            facts=_facts(ticket, words) if isinstance(message, StaffNotification) else (),
            files=left,
            link=_link(mail, ticket),
            reply_hint=bool(ticket.group.email or config.mail_from),
            images=images,
        ),
    )
    references = _references(mail, article)
    author = wording.author(message, group="")
    head = Letterhead(
        message_id=mail.message_id,
        written_at=mail.created_at,
        sender=senders.desk_address(ticket.group),
        sender_name=senders.agent_name(author, ticket.group) if letter else group,
        recipient=mail.address,
        recipient_name="" if strange else _recipient_name(mail, ticket),
        subject=words.say(
            "acknowledgement_subject",
            {"ticket.reference": reference, "ticket.number": ticket.number, "group.name": group},
        )
        if strange
        else _subject(article, reference, message, words),
        references=references,
        in_reply_to=(headers.message_ids_in(article.in_reply_to) or references)[-1],
        automatic=not letter,
        reply_to=_reply_to(mail, message),
    )
    # An image that the words do not show after all is a file like any other.
    kept = [e if e.content_id in rendered.images else replace(e, content_id="") for e in enclosures]
    return compose(head, text=rendered.text, html=rendered.html, enclosures=kept)


def _link(mail: OutgoingMail, ticket: Ticket) -> str:
    """The page of the ticket: the workspace's for staff, the customer's own for the customer.

    His link needs no account: that it was mailed to him is the proof that it is he. A copy gets
    none, and nor does an address that is not the customer's any more.
    """
    if mail.part in STAFF_PARTS:
        return f"{settings.CONFIG.address}/tickets/{ticket.pk}/"
    customer = customer_of(ticket)
    if mail.part != Part.CUSTOMER or customer is None or fold(customer.email) != mail.address_key:
        return ""
    query = public_links.query(ticket.group.slug, ticket.pk, customer.email, at=mail.created_at)
    return f"{settings.CONFIG.address}/tickets/view/?{query}"


def _outsiders(ticket: Ticket) -> list[str]:
    """Everybody around the ticket who must not read internal entries."""
    copies = TicketCC.objects.filter(ticket=ticket).values_list("email", flat=True)
    return [ticket.customer.email, *copies]


def _language(mail: OutgoingMail, sending: GroupSending) -> str:
    """The recipient's own language where it is known, else the group's, else the desk's."""
    reader = User.objects.filter(identities__key=mail.address_key, identities__is_email=True)
    preferences = reader.values_list("preferences", flat=True).first()
    locale = preferences.get("locale") if isinstance(preferences, dict) else None
    own = locale[:2].lower() if isinstance(locale, str) else ""
    return own if own in Language.values else sending.language or settings.CONFIG.language


def _quoted(mail: OutgoingMail, article: Article, quoting: str) -> tuple[PublicEntry, ...]:
    """What was written before, to whoever takes part in the ticket; the latest first.

    What came from another ticket by a merge may be news to him, and stays out. A letter that
    quotes already, as mail programs and other clients do, is not given a second history.
    """
    ticket = article.ticket
    takes_part = mail.address_key in {fold(address) for address in _outsiders(ticket) if address}
    if quoting == Quoting.NONE or not takes_part or article.via == "mail" or _quotes(article):
        return ()
    earlier = Article.objects.select_related("created_by", "origin_by").filter(
        ticket=ticket, internal=False, moved_from=None, id__lt=article.pk
    )
    limit = 1 if quoting == Quoting.LAST else QUOTES_AT_MOST
    found = earlier.exclude(sender=Sender.SYSTEM).exclude(body="").order_by("-id")[:limit]
    return tuple(PublicEntry.of(each) for each in found)


def _quotes(article: Article) -> bool:
    """Whether an entry has quoted history of its own."""
    if article.content_type == HTML and "<blockquote" in article.body.lower():
        return True
    text = plain_text(article.body, article.content_type)
    return any(line.startswith(">") for line in text.split("\n"))


def _customer_name(ticket: Ticket) -> str:
    customer = customer_of(ticket)
    return customer.full_name if customer else ""


def _subject(
    article: Article, reference: str, message: PublicMessage | StaffNotification, words: Wording
) -> str:
    """The template's subject; the given one of a mail that an agent wrote (decision 32).

    The forms of the two older dialects have titles, which are not meant for mail.
    """
    ticket = article.ticket
    given = (article.subject or "").strip()
    if (
        isinstance(message, PublicMessage)
        and is_letter(article)
        and article.via not in ("jutda", "helpdesk")
        and given
        and given != ticket.title
    ):
        return headers.subject_with_reference(given, reference)
    return wording.subject(reference, ticket.title, message.occasion, words)


def _reply_to(mail: OutgoingMail, message: PublicMessage | StaffNotification) -> str:
    """Where answers should go: to staff's own address for it, or where the agent said."""
    if isinstance(message, StaffNotification):
        return tags.reply_address(mail, senders.desk_address(mail.article.ticket.group))
    if not message.is_letter:
        return ""
    found = senders.addresses_in(mail.article.reply_to)
    return found[0] if found and is_mailable(found[0]) else ""


def _recipient_name(mail: OutgoingMail, ticket: Ticket) -> str:
    """The name beside the address, where it is somebody of the ticket."""
    customer = customer_of(ticket)
    if mail.part == Part.CUSTOMER and customer and fold(customer.email) == mail.address_key:
        return customer.full_name
    owns = mail.part in (Part.OWNER, Part.ASSIGNED)
    if owns and fold(ticket.owner.email) == mail.address_key:
        return ticket.owner.full_name
    return ""


def _facts(ticket: Ticket, words: Wording) -> tuple[tuple[str, str], ...]:
    """How the ticket stands, for staff."""
    customer = customer_of(ticket)
    known = senders.formatted(customer.full_name, customer.email) if customer else ""
    return (
        (words.say("fact_state"), ticket.state.name),
        (words.say("fact_priority"), ticket.priority.name),
        (
            words.say("fact_owner"),
            ticket.owner.display_name if ticket.owner_id != NOBODY_ID else words.say("nobody"),
        ),
        (
            words.say("fact_customer"),
            known or (customer.display_name if customer else words.say("not_known")),
        ),
    )


def _references(mail: OutgoingMail, article: Article) -> list[str]:
    """What the message belongs to, oldest first: the thread, what the address has got, mails in.

    Ids of internal entries are not among them for anybody outside, because only messages to this
    very address and public entries are looked at.
    """
    limit = headers.REFERENCES_AT_MOST
    got = OutgoingMail.objects.filter(
        article__ticket_id=article.ticket_id, address_key=mail.address_key, id__lt=mail.pk
    ).order_by("-article_id")
    told = Article.objects.filter(
        ticket_id=article.ticket_id, internal=False, message_id__isnull=False, id__lt=article.pk
    ).order_by("-id")
    earlier = [
        *got.values_list("article_id", "message_id")[:limit],
        *told.values_list("id", "message_id")[:limit],
    ]
    ids = [
        well_formed
        for _, text in sorted(earlier, key=lambda pair: pair[0])
        for well_formed in headers.message_ids_in(text)
    ]
    ids += headers.message_ids_in(article.references)
    ids += headers.message_ids_in(article.in_reply_to)
    thread = headers.thread_message_id(ticket_id=article.ticket_id, host=settings.CONFIG.hostname)
    return headers.reference_list(thread, (i for i in ids if i != mail.message_id))


# --- files ---------------------------------------------------------------------------------------


def _enclosed(
    message: PublicMessage | StaffNotification,
) -> tuple[dict[str, str], list[Enclosure], tuple[str, ...]]:
    """Inline images by Content-ID, all files that travel along, and the names of those that do not.

    Images that the entry shows always travel. Other files go to people outside, who may have no
    other way to them; staff follow the link.
    """
    if message.entry is None:
        return {}, [], ()
    images: dict[str, str] = {}
    enclosures: list[Enclosure] = []
    left: list[str] = []
    room = FILES_SIZE
    body = message.entry.body if message.entry.content_type == HTML else ""
    named = unquote(unescape(body)) if "cid:" in body else ""
    files = sorted(message.entry.files, key=lambda file: not _is_shown(file, named))
    for file in files:
        shown = _is_shown(file, named)
        content = None
        if (shown or isinstance(message, PublicMessage)) and (
            file.size <= room and len(enclosures) < FILES_AT_MOST
        ):
            content = _content(file)
        if content is None:
            left.append(f"{file.filename} ({rendering.readable_size(file.size)})")
            continue
        room -= len(content)
        content_id = _content_id(file) if shown else ""
        if shown:
            images[_plain_id(file)] = content_id
        enclosures.append(
            Enclosure(
                filename=file.filename,
                content_type=attachments.clean_type(file.content_type),
                content=content,
                content_id=content_id,
            )
        )
    return images, enclosures, tuple(left)


def _is_shown(file: Attachment, html: str) -> bool:
    """Whether the HTML (decoded, empty where it shows nothing) names the file as an image."""
    return (
        bool(_plain_id(file))
        and attachments.clean_type(file.content_type) in _IMAGES
        and f"cid:{_plain_id(file)}" in html
    )


def _plain_id(file: Attachment) -> str:
    return file.content_id.strip().strip("<>")


def _content_id(file: Attachment) -> str:
    """A Content-ID of ours: the given one may be anything."""
    secret = salted_hmac("deskbell.mail.image", str(file.pk), algorithm="sha256").hexdigest()[:16]
    return f"{file.pk}.{secret}@{settings.CONFIG.hostname}"


def _content(file: Attachment) -> bytes | None:
    """The bytes; ``None`` where the store cannot give them, which must not hold up the words."""
    try:
        return attachments.read_blob(file.blob_id)
    except OSError as error:
        log.error(
            "attachment cannot be read",
            extra={"attachment": file.pk, "reason": error.strerror or type(error).__name__},
        )
        return None


# --- what was left behind ------------------------------------------------------------------------


def look_after(*, at: datetime, batch: int = 500) -> int:
    """Find messages under way that no job takes care of any more; the number found.

    Where the job became a dead letter without reaching the end (its workers fell one after the
    other), the message failed; where there is no job at all (it was discarded), it gets a new one.
    """
    found, after = 0, 0
    while True:
        mails = list(
            OutgoingMail.objects.filter(
                state__in=[*UNDER_WAY, MailState.HELD],
                updated_at__lt=at - QUIET_FOR,
                id__gt=after,
            ).order_by("id")[:batch]
        )
        if not mails:
            return found
        after = mails[-1].pk
        found += _look_after(mails, at=at)


def _look_after(mails: Sequence[OutgoingMail], *, at: datetime) -> int:
    states: dict[str, set[str]] = {}
    rows = Job.objects.filter(unique_key__in=[mail.job_key for mail in mails])
    for key, state in rows.order_by().values_list("unique_key", "state"):
        states.setdefault(key or "", set()).add(state)
    found = 0
    for mail in mails:
        known = states.get(mail.job_key, set())
        if known & {JobState.READY, JobState.RUNNING}:
            continue
        found += 1
        log.warning("mail without a job", extra={"mail": mail.pk, "jobs": sorted(known)})
        if JobState.DEAD in known:
            _settle(mail, MailState.FAILED, at=at, reason=mail.reason or "The desk gave up.")
        else:
            jobs.enqueue(mail.pk, key=mail.job_key)
    return found
