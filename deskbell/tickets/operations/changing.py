"""Answering and changing a ticket: one operation, because clients do both in one call."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction

from deskbell.kernel import columns
from deskbell.kernel.actor import NOBODY_ID, Actor
from deskbell.kernel.compiled import update
from deskbell.kernel.errors import Invalid, Refused
from deskbell.kernel.events import Change, record
from deskbell.kernel.text import fold, is_storable_json
from deskbell.people.access import may_own
from deskbell.people.addresses import is_address
from deskbell.people.models import Group, Organization, User
from deskbell.tickets import access, counts, rules
from deskbell.tickets.models import Article, Priority, State, Ticket, TicketCC
from deskbell.tickets.operations import pointers
from deskbell.tickets.operations.articles import add_article, article_lines
from deskbell.tickets.operations.happenings import TicketUpdated
from deskbell.tickets.operations.inputs import NewArticle, TicketChange, UnsetType
from deskbell.tickets.operations.opening import (
    CUSTOM_SIZE,
    add_ccs,
    check_owner,
    checked_moment,
    checked_title,
    follow_reply,
    organization_of,
)
from deskbell.tickets.rules import Occasion
from deskbell.tickets.vocabulary import RESOLVED, ArticleType, StateId, StateType

#: Who may only answer and open or close does not touch these; they are passed over in silence,
#: as Zammad does with what a customer sends along.
_FOR_AGENTS = (
    "owner_id",
    "customer_id",
    "organization_id",
    "preferences",
    "merged_to_id",
    "due_date",
    "on_hold",
    "description",
    "resolution",
)


@transaction.atomic
def update_ticket(
    ticket_id: int,
    change: TicketChange | None = None,
    article: NewArticle | None = None,
    *,
    actor: Actor,
    at: datetime,
) -> tuple[Ticket, Article | None]:
    """Change a ticket, add an entry to it, or both; one event, everything or nothing.

    A value equal to the stored one is no change: it is not judged and not written (P2). Where
    nothing is left to do, nothing is written. Raises what the door raises; :class:`Refused`
    (``closed``) where the group's rule forbids a customer to follow up; :class:`Invalid` as
    :func:`~deskbell.tickets.operations.opening.open_ticket` does, and ``merged_to_id``
    ``self``/``cycle``/``unknown``.
    """
    ticket = access.ticket_for(actor, ticket_id, "change", lock=True)
    change = change or TicketChange()
    as_agent = access.allows(actor, ticket, "change", as_agent=True)
    if not as_agent:
        for name in _FOR_AGENTS:
            setattr(change, name, TicketChange.__dataclass_fields__[name].default)
        if not takes_follow_ups(ticket, at=at):
            raise Refused("closed")
    state_before, group_before = ticket.state, ticket.group
    changes: list[Change] = []
    _change_words(ticket, change, changes)
    _change_people(ticket, change, changes, actor=actor, at=at)
    _change_state(ticket, change, changes, as_agent=as_agent, at=at)
    _change_priority(ticket, change, changes)
    _change_pointer(ticket, change, changes, actor=actor)
    happening = TicketUpdated(ticket=ticket)
    if article is not None:
        # A ticket that was resolved already is resolved once more by saying how.
        resolves = ticket.state_id != state_before.pk or _given(change.resolution)
        occasion = (
            Occasion.RESOLVED
            if resolves and ticket.state.helpdesk_number == RESOLVED
            else Occasion.UPDATED
        )
        happening.article, happening.files, happening.owed = add_article(
            ticket, article, occasion=occasion, actor=actor, at=at
        )
        before = ticket.state
        if article.wakes and isinstance(change.state_id, UnsetType):
            follow_reply(ticket, happening.article, via=actor.via)
            note_state(before, ticket, changes, at=at)
        changes += article_lines(happening.article, article)
    if not changes:
        return ticket, None
    ticket.updated_by_id = actor.user_id
    ticket.updated_at = at
    update(ticket)
    if (ticket.state_id, ticket.group_id) != (state_before.pk, group_before.pk):
        counts.append(group_before.pk, state_before.pk, -1)
        counts.append(ticket.group_id, ticket.state_id, +1)
    happening.changes = changes
    record(happening, actor=actor, at=at)
    return ticket, happening.article


def _given(value: object) -> bool:
    return not isinstance(value, UnsetType)


def _set(ticket: Ticket, name: str, value: Any, changes: list[Change]) -> bool:
    """Write one plain column if it differs; its history line."""
    old = getattr(ticket, name)
    if old == value:
        return False
    setattr(ticket, name, value)
    changes.append(Change(name, _word(old), _word(value)))
    return True


def _word(value: object) -> str | None:
    if value is None:
        return None
    return value.isoformat() if isinstance(value, datetime) else str(value)


def _change_words(ticket: Ticket, change: TicketChange, changes: list[Change]) -> None:
    if not isinstance(change.title, UnsetType) and change.title != ticket.title:
        _set(ticket, "title", checked_title(change.title), changes)
    if not isinstance(change.due_date, UnsetType) and change.due_date != ticket.due_date:
        _set(ticket, "due_date", checked_moment("due_date", change.due_date), changes)
    for name in ("note", "type", "description", "resolution"):
        value = getattr(change, name)
        if _given(value) and _set(ticket, name, value, changes):
            columns.check(ticket, [name])
    if not isinstance(change.preferences, UnsetType):
        merged = {**ticket.preferences, **change.preferences}
        if merged != ticket.preferences:
            ticket.preferences = merged
            columns.check(ticket, ["preferences"])
            changes.append(Change("preferences"))
    for name, value in change.custom.items():
        old = ticket.custom.get(name)
        if old == value:
            continue
        if value is None:
            ticket.custom.pop(name, None)
        else:
            ticket.custom[name] = value
        changes.append(Change(name, _word(old), _word(value)))
        if not is_storable_json(ticket.custom, size=CUSTOM_SIZE):
            raise Invalid(name, "bad", None)


def _change_people(
    ticket: Ticket, change: TicketChange, changes: list[Change], *, actor: Actor, at: datetime
) -> None:
    moved = False
    if not isinstance(change.group_id, UnsetType) and change.group_id != ticket.group_id:
        group = Group.objects.filter(pk=change.group_id).first()
        if group is None:
            raise Invalid("group_id", "unknown", change.group_id)
        allowed = actor.may_in_group("create", group.pk) or actor.may_in_group("change", group.pk)
        if not allowed or not group.active:
            raise Invalid("group_id", "not_selectable", change.group_id)
        changes.append(Change("group", ticket.group.name, group.name, ticket.group_id, group.pk))
        ticket.group = group
        moved = True
    if not isinstance(change.owner_id, UnsetType) and change.owner_id != ticket.owner_id:
        if change.owner_id != NOBODY_ID:
            check_owner(change.owner_id, ticket.group_id, via=actor.via)
        _own(ticket, change.owner_id, changes, at=at)
    elif moved and ticket.owner_id != NOBODY_ID and not _keeps_owner(ticket, change, actor):
        _own(ticket, NOBODY_ID, changes, at=at)
    if not isinstance(change.customer_id, UnsetType) and change.customer_id != ticket.customer_id:
        customer = User.objects.filter(pk=change.customer_id).first()
        if customer is None:
            raise Invalid("customer_id", "unknown", change.customer_id)
        changes.append(
            Change(
                "customer", ticket.customer.login, customer.login, ticket.customer_id, customer.pk
            )
        )
        ticket.customer = customer
        wanted = change.organization_id
        _organize(
            ticket,
            organization_of(customer, None if isinstance(wanted, UnsetType) else wanted),
            changes,
        )
    elif (
        not isinstance(change.organization_id, UnsetType)
        and change.organization_id != ticket.organization_id
    ):
        _organize(ticket, organization_of(ticket.customer, change.organization_id), changes)


def _keeps_owner(ticket: Ticket, change: TicketChange, actor: Actor) -> bool:
    """Whether the owner stays after a move: he has access there, or a form names him again.

    The REST dialect of django-helpdesk sends every field of the form; an owner repeated there is
    chosen by its rule (any active user) and not lost.
    """
    if ticket.owner_id is not None and may_own(ticket.owner_id, ticket.group_id):
        return True
    return _given(change.owner_id) and actor.via in ("helpdesk", "jutda")


def _own(ticket: Ticket, owner_id: int, changes: list[Change], *, at: datetime) -> None:
    names = dict(User.objects.filter(pk=owner_id).values_list("id", "login"))
    if owner_id not in names:
        raise Invalid("owner_id", "unknown", owner_id)
    changes.append(Change("owner", ticket.owner.login, names[owner_id], ticket.owner_id, owner_id))
    ticket.owner_id = owner_id
    if owner_id != NOBODY_ID:
        ticket.last_owner_update_at = at


def _organize(ticket: Ticket, organization_id: int | None, changes: list[Change]) -> None:
    if organization_id == ticket.organization_id:
        return
    names = dict(
        Organization.objects.filter(
            pk__in=[i for i in (ticket.organization_id, organization_id) if i is not None]
        ).values_list("id", "name")
    )
    changes.append(
        Change(
            "organization",
            names.get(ticket.organization_id or 0),
            names.get(organization_id or 0),
            ticket.organization_id,
            organization_id,
        )
    )
    ticket.organization_id = organization_id


def _change_state(
    ticket: Ticket, change: TicketChange, changes: list[Change], *, as_agent: bool, at: datetime
) -> None:
    before = ticket.state
    if not isinstance(change.state_id, UnsetType) and change.state_id != ticket.state_id:
        state = State.objects.filter(pk=change.state_id).first()
        if state is None:
            raise Invalid("state_id", "unknown", change.state_id)
        if not rules.may_choose_state(
            state.kind, active=state.active, agent=as_agent, creating=False
        ):
            raise Invalid("state_id", "not_selectable", change.state_id)
        ticket.state = state
    _change_hold(ticket, change, changes, before=before)
    pending = change.pending_time
    if ticket.state.kind.is_pending:
        if not isinstance(pending, UnsetType) and pending is not None:
            whole = pending.replace(second=0, microsecond=0)
            if whole != ticket.pending_time:
                _set(ticket, "pending_time", checked_moment("pending_time", whole), changes)
        elif ticket.state_id != before.pk and ticket.pending_time is None:
            raise Invalid("pending_time", "required")
    note_state(before, ticket, changes, at=at)


def _change_hold(
    ticket: Ticket, change: TicketChange, changes: list[Change], *, before: State
) -> None:
    """Hold and un-hold; compared with what the caller read: the flag, or a pending state.

    ``before`` is the state he read: a client that sends everything back and makes a ticket pending
    says nothing about holding it (P2).
    """
    if isinstance(change.on_hold, UnsetType):
        return
    if change.on_hold == rules.reads_on_hold(ticket.on_hold, before.type):
        if change.on_hold and not rules.reads_on_hold(ticket.on_hold, ticket.state.type):
            # It read true because the state was pending, and is to read true in the new one.
            _set(ticket, "on_hold", True, changes)
        return
    if change.on_hold:
        _set(ticket, "on_hold", True, changes)
        return
    _set(ticket, "on_hold", False, changes)
    if ticket.state.kind.is_pending:
        ticket.state = State.objects.get(pk=StateId.OPEN)


def note_state(before: State, ticket: Ticket, changes: list[Change], *, at: datetime) -> None:
    """What moves with a change of state: the history line, closing times, the reminder."""
    if ticket.state_id == before.pk:
        return
    changes.append(Change("state", before.name, ticket.state.name, before.pk, ticket.state_id))
    kind = ticket.state.kind
    if not kind.is_pending and ticket.pending_time is not None:
        _set(ticket, "pending_time", None, changes)
    if kind.is_closed:
        ticket.close_at = ticket.close_at or at
        ticket.last_close_at = at


def _change_priority(ticket: Ticket, change: TicketChange, changes: list[Change]) -> None:
    if isinstance(change.priority_id, UnsetType) or change.priority_id == ticket.priority_id:
        return
    priority = Priority.objects.filter(pk=change.priority_id).first()
    if priority is None:
        raise Invalid("priority_id", "unknown", change.priority_id)
    changes.append(
        Change("priority", ticket.priority.name, priority.name, ticket.priority_id, priority.pk)
    )
    ticket.priority = priority


def _change_pointer(
    ticket: Ticket, change: TicketChange, changes: list[Change], *, actor: Actor
) -> None:
    """``merged_to`` as a plain pointer: nothing moves, the state stays (decision 17)."""
    if isinstance(change.merged_to_id, UnsetType) or change.merged_to_id == ticket.merged_to_id:
        return
    old_id, new_id = ticket.merged_to_id, change.merged_to_id
    if new_id is not None:
        if new_id == ticket.pk:
            raise Invalid("merged_to_id", "self", new_id)
        try:
            access.ticket_for(actor, new_id)
        except (access.TicketUnknown, access.TicketForbidden):
            raise Invalid("merged_to_id", "unknown", new_id) from None
        pointers.lock()
        if pointers.leads_to(new_id, ticket.pk):
            raise Invalid("merged_to_id", "cycle", new_id)
    ticket.merged_to_id = new_id
    changes.append(Change("merged_to", old_id=old_id, new_id=new_id))


def takes_follow_ups(ticket: Ticket, *, at: datetime) -> bool:
    """Whether the group lets a customer write to a ticket in this state."""
    return rules.may_follow_up(
        state_type=ticket.state.kind,
        follow_up_possible=ticket.group.follow_up_possible,
        reopen_time_in_days=ticket.group.reopen_time_in_days,
        closed_at=ticket.last_close_at or ticket.close_at,
        at=at,
    )


def public_reply(
    ticket: Ticket, text: str, *, subject: str | None = None, mailed_without_text: bool = False
) -> dict[str, Any]:
    """Type and addressee of a public entry by an agent who does not name them.

    An e-mail to the customer where there is text (or the ticket is being resolved or closed) and
    an address; otherwise a note (decision 13). The result are keywords of :class:`NewArticle`.
    """
    address = ticket.customer.email
    if (text.strip() or mailed_without_text) and address and is_address(address):
        return {"type": ArticleType.EMAIL, "to": address, "subject": subject, "body": text}
    return {"type": ArticleType.NOTE, "subject": subject, "body": text}


@transaction.atomic
def add_copies(
    ticket_id: int, addresses: list[str], *, actor: Actor, at: datetime
) -> list[TicketCC]:
    """Add addresses that get copies of public entries (agents with ``change``)."""
    ticket = access.ticket_for(actor, ticket_id, "change", lock=True, as_agent=True)
    added = add_ccs(ticket, addresses, at=at)
    if added:
        _record_copies(ticket, [Change("cc", new=c.email, type="added") for c in added], actor, at)
    return added


@transaction.atomic
def remove_copies(ticket_id: int, addresses: list[str], *, actor: Actor, at: datetime) -> int:
    """Take addresses off the copies; how many were there."""
    ticket = access.ticket_for(actor, ticket_id, "change", lock=True, as_agent=True)
    rows = TicketCC.objects.filter(ticket=ticket, email_key__in=[fold(a) for a in addresses])
    changes = [Change("cc", old=row.email, type="removed") for row in rows]
    if changes:
        rows.delete()
        _record_copies(ticket, changes, actor, at)
    return len(changes)


def _record_copies(ticket: Ticket, changes: list[Change], actor: Actor, at: datetime) -> None:
    ticket.updated_by_id = actor.user_id
    ticket.updated_at = at
    ticket.save(update_fields=["updated_by", "updated_at"])
    record(TicketUpdated(ticket=ticket, changes=changes), actor=actor, at=at)


@transaction.atomic
def release_owners(lost: Mapping[int, frozenset[int] | None], *, actor: Actor, at: datetime) -> int:
    """Give back the tickets of people who may not be in charge of them any more (decision 23).

    ``lost`` names by user the groups on which access was taken from him, ``None`` where his
    account was. What he owned elsewhere, by whatever rule, stays his. Open tickets only. How many.
    """
    released = 0
    closed = [int(t) for t in StateType if t.is_closed]
    for user_id, groups in sorted(lost.items()):
        rows = Ticket.objects.filter(owner_id=user_id).exclude(state__type__in=closed)
        if groups is not None:
            rows = rows.filter(group__in=groups)
        for ticket_id in list(rows.order_by("id").values_list("id", flat=True)):
            ticket = access.locked(ticket_id)
            if ticket is None or ticket.owner_id != user_id or ticket.state.kind.is_closed:
                continue  # somebody was faster
            changes: list[Change] = []
            _own(ticket, NOBODY_ID, changes, at=at)
            ticket.updated_by_id = actor.user_id
            ticket.updated_at = at
            ticket.save(update_fields=["owner", "updated_by", "updated_at"])
            record(TicketUpdated(ticket=ticket, changes=changes), actor=actor, at=at)
            released += 1
    return released
