"""From validated values to operations: which of them a change is, and what it is told."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NoReturn

from django.db import transaction
from rest_framework.exceptions import PermissionDenied

from deskbell.api.helpdesk import comments, decode, encode, names
from deskbell.api.helpdesk.errors import said
from deskbell.kernel.actor import NOBODY_ID, Actor
from deskbell.kernel.errors import Forbidden, Invalid, Unknown
from deskbell.kernel.text import fold
from deskbell.people.access import is_active
from deskbell.people.models import Group, User
from deskbell.people.operations import find_or_create_customer
from deskbell.tickets import access, attachments, fields, operations, rules
from deskbell.tickets.models import Article, Attachment, CustomField, Ticket
from deskbell.tickets.operations import NewArticle, NewTicket, TicketChange
from deskbell.tickets.texts import PLAIN
from deskbell.tickets.vocabulary import (
    CLOSED,
    PRIORITY_ID_FOR_NUMBER,
    PRIORITY_LABELS,
    RESOLVED,
    STATUS_LABELS,
    ArticleType,
    Sender,
)

NORMAL = 3
Values = Mapping[str, Any]


# --- which rows a caller may name ----------------------------------------------------------------


def open_groups(actor: Actor) -> decode.Exists:
    """The groups the caller may open tickets in as an agent."""

    def exists(group_id: int) -> bool:
        return actor.may_in_group("create", group_id) and _is_active_group(group_id)

    return exists


def target_groups(actor: Actor) -> decode.Exists:
    """The groups the caller may move tickets to."""

    def exists(group_id: int) -> bool:
        allowed = actor.may_in_group("create", group_id) or actor.may_in_group("change", group_id)
        return allowed and _is_active_group(group_id)

    return exists


def _is_active_group(group_id: int) -> bool:
    return Group.objects.filter(pk=group_id, active=True).exists()


def readable_tickets(actor: Actor) -> decode.Exists:
    """The tickets the caller may see."""

    def exists(ticket_id: int) -> bool:
        return access.tickets(actor).filter(pk=ticket_id).exists()

    return exists


def readable_articles(actor: Actor) -> decode.Exists:
    """The entries the caller may see."""

    def exists(article_id: int) -> bool:
        try:
            operations.article_for(actor, article_id)
        except (Unknown, Forbidden):
            return False
        return True

    return exists


def lookups_for_opening(actor: Actor) -> dict[str, decode.Exists]:
    return {
        "queue": open_groups(actor),
        "assigned_to": is_active,
        "merged_to": readable_tickets(actor),
    }


def lookups_for_changing(actor: Actor) -> dict[str, decode.Exists]:
    return {**lookups_for_opening(actor), "queue": target_groups(actor)}


# --- tickets -------------------------------------------------------------------------------------


def stored_customs(values: Values, custom_fields: list[CustomField]) -> dict[str, Any]:
    """The custom values as they are stored, by our names. Raises :class:`ValidationError`."""
    stored = {}
    for field, value in decode.given_customs(values, custom_fields).items():
        try:
            stored[field.name] = fields.clean(field, value)
        except Invalid as error:
            words = {field.name: names.custom_key(field.name)}
            raise said(error, words, kind=field.type) from error
    return stored


def _customer_id(email: str | None, *, actor: Actor, at: datetime) -> int:
    if not email:
        return NOBODY_ID
    return find_or_create_customer(email, actor=actor, at=at).pk


def open_ticket(
    values: Values, custom_fields: list[CustomField], *, actor: Actor, at: datetime
) -> Ticket:
    """Open a ticket as the form does: new and not on hold, whatever was sent (decision 11).

    The opening entry is the customer's; without a customer it is a public note of the caller's.
    Raises :class:`ValidationError`.
    """
    with transaction.atomic():
        custom = stored_customs(values, custom_fields)
        try:
            customer_id = _customer_id(values.get("submitter_email"), actor=actor, at=at)
            owner_id = values.get("assigned_to") or NOBODY_ID
            owner = User.objects.get(pk=owner_id).display_name if owner_id != NOBODY_ID else None
            has_customer = customer_id != NOBODY_ID
            upload = values.get("attachment")
            ticket = operations.open_ticket(
                NewTicket(
                    title=values["title"],
                    group_id=values["queue"],
                    customer_id=customer_id,
                    priority_id=PRIORITY_ID_FOR_NUMBER[values.get("priority", NORMAL)],
                    owner_id=owner_id,
                    due_date=values.get("due_date"),
                    custom=custom,
                    article=NewArticle(
                        subject=names.opened_title(owner),
                        body=values["description"],
                        type=ArticleType.WEB if has_customer else ArticleType.NOTE,
                        sender=Sender.CUSTOMER if has_customer else Sender.AGENT,
                        files=[upload] if upload else (),
                    ),
                ),
                actor=actor,
                at=at,
            )
        except Invalid as error:
            raise said(error, names.OPENING_FIELDS) from error
        refer(ticket, values["description"], actor=actor, at=at)
    return ticket


def changeable(actor: Actor, ticket_id: int) -> Ticket:
    """The ticket, locked, for somebody who may change it as an agent.

    Who may only read it hears 403 (:class:`PermissionDenied`), everybody else that there is none
    (:class:`Unknown`): decision 5.
    """
    try:
        return access.ticket_for(actor, ticket_id, "change", lock=True, as_agent=True)
    except access.TicketForbidden:
        _refuse(actor, ticket_id)


def _refuse(actor: Actor, ticket_id: int) -> NoReturn:
    """Raise what a caller hears about a ticket that is not his to write."""
    try:
        access.ticket_for(actor, ticket_id)
    except access.TicketForbidden as error:
        raise access.TicketUnknown("ticket", ticket_id) from error
    raise PermissionDenied


def change_ticket(
    ticket: Ticket,
    values: Values,
    kept: frozenset[str],
    custom_fields: list[CustomField],
    *,
    actor: Actor,
    at: datetime,
) -> None:
    """Change a locked ticket. ``kept`` are the keys that were sent with the value they have.

    Raises :class:`ValidationError`.
    """
    change = TicketChange(custom=stored_customs(values, custom_fields))
    if "queue" in values:
        change.group_id = values["queue"]
    if "title" in values:
        change.title = values["title"]
    for name in ("description", "resolution", "due_date", "on_hold"):
        if name in values:
            setattr(change, name, values[name])
    if "assigned_to" in values:
        change.owner_id = values["assigned_to"] or NOBODY_ID
    elif "assigned_to" in kept:
        # Named again, though unchanged: a move to another group does not take him away.
        change.owner_id = ticket.owner_id or NOBODY_ID
    if "merged_to" in values:
        change.merged_to_id = values["merged_to"]
    if "status" in values:
        state_id = rules.state_for_status(values["status"], present=ticket.state.helpdesk_number)
        if state_id is not None:
            change.state_id = state_id
    if "priority" in values:
        priority_id = rules.priority_for_number(
            values["priority"], present=ticket.priority.helpdesk_number
        )
        if priority_id is not None:
            change.priority_id = priority_id
    try:
        if "submitter_email" in values:
            email = values["submitter_email"] or ""
            if fold(email) != fold(ticket.customer.email):
                change.customer_id = _customer_id(email, actor=actor, at=at)
        operations.update_ticket(ticket.pk, change, actor=actor, at=at)
    except Invalid as error:
        raise said(error, names.FIELDS) from error


def delete_ticket(actor: Actor, ticket_id: int, *, at: datetime) -> None:
    """Remove a ticket; who may read but not delete it hears 403."""
    try:
        operations.delete_ticket(ticket_id, actor=actor, at=at)
    except access.TicketForbidden:
        _refuse(actor, ticket_id)


# --- entries -------------------------------------------------------------------------------------


def placeholders(ticket: Ticket) -> dict[str, str]:
    """What ``{{ … }}`` in a comment may stand for; nothing that is not on the ticket's own page."""
    group = ticket.group
    status = ticket.state.helpdesk_number
    on_hold = rules.reads_on_hold(ticket.on_hold, ticket.state.type)
    owner = ticket.owner if ticket.owner_id != NOBODY_ID else None
    queue = {
        "title": group.name,
        "slug": group.slug,
        "email_address": group.email,
    }
    values = {
        "id": str(ticket.pk),
        "title": ticket.title,
        "ticket": names.ticket_reference(group.slug, ticket.pk),
        "ticket_for_url": f"{group.slug}-{ticket.pk}",
        "created": ticket.created_at.isoformat(),
        "modified": ticket.updated_at.isoformat(),
        "submitter_email": ticket.customer.email,
        "status": str(status),
        "get_status_display": STATUS_LABELS[status],
        "get_status": rules.status_label(status, on_hold=on_hold),
        "on_hold": str(on_hold),
        "description": ticket.description or "",
        "resolution": ticket.resolution or "",
        "priority": str(ticket.priority.helpdesk_number),
        "get_priority_display": PRIORITY_LABELS[ticket.priority.helpdesk_number],
        "assigned_to": owner.display_name if owner else "Unassigned",
        "merged_to": str(ticket.merged_to_id or ""),
    }
    return {
        **{f"ticket.{key}": value for key, value in values.items()},
        **{f"queue.{key}": value for key, value in queue.items()},
        **{f"ticket.queue.{key}": value for key, value in queue.items()},
    }


def add_followup(ticket_id: int, values: Values, *, actor: Actor, at: datetime) -> Article:
    """Add an entry, and move the ticket's status where ``new_status`` says so.

    The title does not rename the ticket. Raises :class:`ValidationError`, and what the door raises.
    """
    raw = values.get("comment") or ""
    with transaction.atomic():
        lock_all([ticket_id, *comments.references(raw)])
        ticket = changeable(actor, ticket_id)
        try:
            comment = comments.filled_in(raw, placeholders(ticket)) if "{{" in raw else raw
            change, article = _reply(ticket, comment, values)
            _ticket, added = operations.update_ticket(
                ticket_id, change, article, actor=actor, at=at
            )
        except Invalid as error:
            raise said(error, names.ARTICLE_FIELDS) from error
        # What the author wrote counts, not what a placeholder brought in: those rows are locked.
        refer(ticket, raw, actor=actor, at=at)
    if added is None:
        raise RuntimeError("an entry was asked for and none was made")
    return added


def _reply(ticket: Ticket, comment: str, values: Values) -> tuple[TicketChange, NewArticle]:
    wanted = values.get("new_status")
    state_id = None
    if wanted is not None:
        state_id = rules.state_for_status(wanted, present=ticket.state.helpdesk_number)
    change = TicketChange()
    if state_id is not None:
        change.state_id = state_id
    # Resolving keeps what was done; closing does so where nobody has said it yet.
    if comment and (wanted == RESOLVED or (wanted == CLOSED and ticket.resolution is None)):
        change.resolution = comment
    changed_to = wanted if state_id is not None else None
    title = _title(values.get("title"), ticket.title, comment, changed_to)
    internal = not values.get("public", False)
    if internal:
        kind: dict[str, Any] = {"type": ArticleType.NOTE, "subject": title, "body": comment}
    else:
        kind = operations.public_reply(
            ticket,
            comment,
            subject=title,
            mailed_without_text=changed_to in (RESOLVED, CLOSED),
        )
    return change, NewArticle(
        **kind,
        sender=Sender.AGENT,
        internal=internal,
        seconds=values.get("time_spent"),
        files=values.get("attachments", ()),
        new_status=changed_to,
    )


def _title(given: str | None, of_ticket: str, comment: str, changed_to: int | None) -> str:
    title = of_ticket if given is None else given
    if changed_to is not None:
        label = STATUS_LABELS[changed_to]
        return f"{title} and {label}" if title else label
    return title or (names.COMMENT if comment else names.UPDATED)


def lock_all(ticket_ids: list[int]) -> None:
    """Lock the rows that are about to be written, in one order for everybody: no deadlock."""
    if len(ticket_ids) > 1:
        rows = Ticket.objects.select_for_update().filter(pk__in=ticket_ids).order_by("id")
        list(rows.values_list("id", flat=True))


def refer(ticket: Ticket, text: str, *, actor: Actor, at: datetime) -> None:
    """Leave a private entry on every ticket the text refers to and the caller may change, once.

    Nobody is mailed about it: a mention is no news to act on.
    """
    wanted = comments.references(text, own_id=ticket.pk)
    if not wanted:
        return
    lock_all(wanted)
    title = names.reference_title(ticket.pk)
    told = set(
        Article.objects.filter(ticket__in=wanted, subject=title).values_list("ticket_id", flat=True)
    )
    for other in access.tickets(actor, "change").filter(pk__in=wanted).order_by("id"):
        if other.pk in told or not access.allows(actor, other, "change", as_agent=True):
            continue
        note = NewArticle(body="", subject=title, type=ArticleType.NOTE, internal=True, quiet=True)
        operations.update_ticket(other.pk, article=note, actor=actor, at=at)


def editable_article(actor: Actor, article_id: int) -> Article:
    """The entry, its ticket locked, for somebody who may correct it (decisions 5 and 21).

    Raises :class:`PermissionDenied` for somebody who may only read it.
    """
    article = operations.article_for(actor, article_id)
    changeable(actor, article.ticket_id)
    article = operations.article_for(actor, article_id)
    if not operations.may_edit(actor, article):
        raise PermissionDenied
    return article


def editable_attachment(actor: Actor, attachment_id: int) -> Attachment:
    """The file, for somebody who may correct its entry; raises as that does."""
    article_id = attachments.attachment_for(actor, attachment_id).article_id
    editable_article(actor, article_id)
    return attachments.attachment_for(actor, attachment_id)


def change_followup(article: Article, values: Values, *, actor: Actor, at: datetime) -> None:
    """Correct an entry. Raises :class:`ValidationError`, :class:`Forbidden`."""
    columns: dict[str, Any] = {}
    if "title" in values:
        columns["subject"] = values["title"]
    comment = values.get("comment", "")
    if "comment" in values and (comment or "") != encode.comment_of(article):
        # Text written over HTML makes it plain; what is read of it leaves it as it is.
        columns["body"] = comment or ""
        columns["content_type"] = PLAIN
    if "public" in values:
        columns["internal"] = not values["public"]
    if "new_status" in values:
        columns["new_status"] = values["new_status"]
    try:
        operations.edit_article(
            article.pk,
            columns,
            seconds=values.get("time_spent", operations.UNSET),
            files=values.get("attachments", ()),
            actor=actor,
            at=at,
        )
    except Invalid as error:
        raise said(error, names.ARTICLE_FIELDS) from error
