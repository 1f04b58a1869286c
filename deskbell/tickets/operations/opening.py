"""Opening a ticket."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import UTC, datetime

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from deskbell.kernel import columns
from deskbell.kernel.actor import NOBODY_ID, Actor
from deskbell.kernel.compiled import Compiled, by_id, insert
from deskbell.kernel.errors import Invalid
from deskbell.kernel.events import Change, record
from deskbell.kernel.text import fold, is_storable, is_storable_json
from deskbell.people.access import agents_with, is_active, may_own
from deskbell.people.addresses import is_address
from deskbell.people.models import Group, User
from deskbell.tickets import counts, rules
from deskbell.tickets.access import TicketForbidden
from deskbell.tickets.models import (
    Article,
    Mention,
    Priority,
    State,
    Ticket,
    TicketCC,
)
from deskbell.tickets.operations.articles import add_article, article_lines
from deskbell.tickets.operations.happenings import TicketOpened
from deskbell.tickets.operations.inputs import NewTicket, UnsetType
from deskbell.tickets.operations.ties import tie_links, tie_tags
from deskbell.tickets.rules import Occasion
from deskbell.tickets.texts import plain_text
from deskbell.tickets.vocabulary import TITLE_LIMIT, ArticleType, Sender, StateId

CCS_AT_MOST = 100
MENTIONS_AT_MOST = 100
#: Characters of all custom fields of a ticket together.
CUSTOM_SIZE = 2_000_000

_GROUP = Compiled(lambda key: Group.objects.select_related("email_address").filter(pk=key), int)
_USER = by_id(User)
_STATE = by_id(State)
_PRIORITY = by_id(Priority)
_FOLLOW_UP_STATE = Compiled(
    lambda: State.objects.filter(default_follow_up=True, active=True).order_by("id")[:1]
)
_FIRST_STATE = Compiled(lambda: State.objects.filter(default_create=True).order_by("id")[:1])
_FIRST_PRIORITY = Compiled(lambda: Priority.objects.filter(default_create=True).order_by("id")[:1])


@transaction.atomic
def open_ticket(new: NewTicket, *, actor: Actor, at: datetime) -> Ticket:
    """Open a ticket, with its first entry if there is one; one event, everything or nothing.

    Raises :class:`TicketForbidden` (a group one may not create in), :class:`Invalid`:
    ``group_id`` ``unknown``/``inactive``, ``title`` ``required``/``too_long``, ``state_id`` and
    ``owner_id`` ``not_selectable``, ``priority_id``/``customer_id`` ``unknown``, ``pending_time``
    ``required``, ``note`` ``too_long``, ``links``/``mentions``/``ccs`` ``unknown``, and what the
    article raises.
    """
    group = _GROUP.first(new.group_id)
    if group is None:
        raise Invalid("group_id", "unknown", new.group_id)
    as_agent = actor.may_in_group("create", group.pk)
    if not as_agent and not actor.may("ticket.customer"):
        raise TicketForbidden("group", group.pk)
    if not group.active:
        raise Invalid("group_id", "inactive", group.pk)
    customer = _customer(new, actor=actor, as_agent=as_agent)
    state = _state(new, as_agent=as_agent)
    priority = _priority(new)
    title = checked_title(new.title)
    owner_id = _owner(new, group, actor=actor, as_agent=as_agent)
    ticket = Ticket(
        pk=new.id or reserve_id(),
        title=title,
        group=group,
        state=state,
        priority=priority,
        owner_id=owner_id,
        customer=customer,
        organization_id=organization_of(customer, new.organization_id),
        note=new.note,
        type=new.type,
        due_date=checked_moment("due_date", new.due_date) if as_agent else None,
        description=_description(new),
        pending_time=_pending(new, state),
        preferences=dict(new.preferences) if as_agent else {},
        custom={name: value for name, value in new.custom.items() if value is not None},
        created_via=actor.via,
        created_by_id=actor.user_id,
        updated_by_id=actor.user_id,
        created_at=at,
        updated_at=at,
    )
    check_words(ticket)
    ticket.number = rules.number_for(ticket.pk, settings.CONFIG.number_prefix)
    if state.kind.is_closed:
        ticket.close_at = ticket.last_close_at = at
    if owner_id != NOBODY_ID:
        ticket.last_owner_update_at = at
    happening = TicketOpened(ticket=ticket, changes=[Change("ticket", new=title, type="created")])
    # Foreign keys are checked at commit, so the ticket is inserted once, after its entry has moved
    # its columns.
    add_ccs(ticket, new.ccs, at=at)
    if new.article is not None:
        happening.article, happening.files, happening.owed = add_article(
            ticket, new.article, occasion=Occasion.OPENED, actor=actor, at=at
        )
        follow_reply(ticket, happening.article, via=actor.via)
        happening.changes += article_lines(happening.article, new.article)
    insert(ticket)
    happening.changes += tie_tags(ticket, new.tags)
    happening.changes += tie_links(ticket, new.links, actor=actor, at=at)
    _mention(ticket, new.mentions, actor=actor, at=at)
    counts.append(ticket.group_id, ticket.state_id, +1)
    record(happening, actor=actor, at=at)
    return ticket


def follow_reply(ticket: Ticket, article: Article, *, via: str) -> None:
    """Move the ticket to the state the rules give after an entry; the caller saves."""
    after = rules.state_after_reply(
        ticket.state.kind,
        is_default_create=ticket.state.default_create,
        sender=Sender(article.sender),
        article_type=ArticleType(article.type),
        internal=article.internal,
        via=via,
    )
    if after is not None and article.sender == Sender.CUSTOMER:
        # What a customer's reply leads to is the administrator's choice.
        ticket.state = _FOLLOW_UP_STATE.first() or State.objects.get(pk=StateId.OPEN)
        if not ticket.state.kind.is_pending:
            ticket.pending_time = None
    elif after is not None and after != ticket.state_id:
        ticket.state = State.objects.get(pk=after)
        if not ticket.state.kind.is_pending:
            ticket.pending_time = None


def _customer(new: NewTicket, *, actor: Actor, as_agent: bool) -> User:
    """The customer: an agent names anybody, everybody else is it himself."""
    customer_id = new.customer_id if as_agent else actor.user_id
    customer = _USER.first(customer_id)
    if customer is None:
        raise Invalid("customer_id", "unknown", customer_id)
    return customer


def _state(new: NewTicket, *, as_agent: bool) -> State:
    if new.state_id is None:
        state = _FIRST_STATE.first()
        if state is None:
            raise Invalid("state_id", "required")
        return state
    state = _STATE.first(new.state_id)
    if state is None:
        raise Invalid("state_id", "unknown", new.state_id)
    if not rules.may_choose_state(state.kind, active=state.active, agent=as_agent, creating=True):
        raise Invalid("state_id", "not_selectable", new.state_id)
    if state.kind.is_pending and new.pending_time is None:
        raise Invalid("pending_time", "required")
    return state


def _priority(new: NewTicket) -> Priority:
    if new.priority_id is None:
        priority = _FIRST_PRIORITY.first()
    else:
        priority = _PRIORITY.first(new.priority_id)
    if priority is None:
        raise Invalid("priority_id", "unknown", new.priority_id)
    return priority


def _owner(new: NewTicket, group: Group, *, actor: Actor, as_agent: bool) -> int:
    if as_agent and new.owner_id != NOBODY_ID:
        check_owner(new.owner_id, group.pk, via=actor.via)
        return new.owner_id
    default_id = group.default_owner_id
    if actor.via in ("mail", "portal") and default_id is not None and is_active(default_id):
        return default_id
    return NOBODY_ID


def check_owner(user_id: int, group_id: int, *, via: str) -> None:
    """Judge a newly chosen owner by the dialect's rule (decision 23).

    The form and REST dialects of 2008 ask for an active user; everywhere else the owner must be an
    agent with ``full`` on the group. Raises :class:`Invalid` (``owner_id``).
    """
    if via in ("helpdesk", "jutda"):
        if not is_active(user_id):
            raise Invalid("owner_id", "unknown", user_id)
    elif via != "system" and not may_own(user_id, group_id):
        raise Invalid("owner_id", "not_selectable", user_id)


def check_words(ticket: Ticket) -> None:
    """Judge the free texts of a ticket that is about to be saved. Raises :class:`Invalid`."""
    columns.check(ticket, ("note", "type", "description", "resolution", "preferences"))
    if not is_storable_json(ticket.custom, size=CUSTOM_SIZE):
        raise Invalid("custom", "bad", None)


def checked_moment(name: str, value: datetime | None) -> datetime | None:
    """A moment that both databases and every page can show. Raises :class:`Invalid` (``bad``).

    At the ends of the calendar the same moment is no moment any more in another time zone.
    """
    if value is None:
        return None
    try:
        moment = value.astimezone(UTC)
        moment.astimezone(timezone.get_default_timezone())
    except (OverflowError, ValueError):
        raise Invalid(name, "bad", value) from None
    return moment


def _pending(new: NewTicket, state: State) -> datetime | None:
    """When a pending ticket is due again; whole minutes."""
    if not state.kind.is_pending:
        return None
    moment = checked_moment("pending_time", new.pending_time)
    return None if moment is None else moment.replace(second=0, microsecond=0)


def checked_title(title: str) -> str:
    """The title on one line. Raises :class:`Invalid` (``required``, ``too_long``, ``bad``)."""
    if not is_storable(title):
        raise Invalid("title", "bad", title)
    title = rules.clean_title(title)
    if not title:
        raise Invalid("title", "required")
    if len(title) > TITLE_LIMIT:
        raise Invalid("title", "too_long", title, limit=TITLE_LIMIT)
    return title


def organization_of(customer: User, wanted: int | None) -> int | None:
    """The wanted organization if it is one of the customer's, else the primary one."""
    if wanted is None or wanted == customer.organization_id:
        return customer.organization_id
    if customer.organizations.filter(pk=wanted).exists():
        return wanted
    return customer.organization_id


def _description(new: NewTicket) -> str | None:
    """Set once from the first article's text (decision 33)."""
    if not isinstance(new.description, UnsetType):
        return new.description
    if new.article is None:
        return None
    return plain_text(new.article.body, new.article.content_type)


def reserve_id() -> int:
    """The id the next ticket of the running transaction will have.

    Known before the insert because number and Content-IDs are made of it. Whoever reserves one
    opens that ticket in the same transaction.

    Ids are never used again: SQLite remembers the highest in its sequence table, PostgreSQL's
    sequence only moves forward.
    """
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SELECT nextval(pg_get_serial_sequence('tickets_ticket', 'id'))")
            return int(cursor.fetchone()[0])
        cursor.execute("SELECT seq FROM sqlite_sequence WHERE name = 'tickets_ticket'")
        row = cursor.fetchone()
        return (row[0] if row else 0) + 1


def add_ccs(ticket: Ticket, addresses: Sequence[str], *, at: datetime) -> list[TicketCC]:
    """Add addresses to the ticket's copies, each once. Raises :class:`Invalid` (``ccs``)."""
    if not addresses:
        return []
    wanted: dict[str, str] = {}
    for address in addresses:
        if not is_address(address):
            raise Invalid("ccs", "not_an_address", address)
        wanted.setdefault(fold(address), address)
    present = set(TicketCC.objects.filter(ticket_id=ticket.pk).values_list("email_key", flat=True))
    if len(present | set(wanted)) > CCS_AT_MOST:
        raise Invalid("ccs", "too_many", len(wanted), limit=CCS_AT_MOST)
    users = dict(
        User.objects.filter(identities__key__in=list(wanted)).values_list("identities__key", "id")
    )
    return TicketCC.objects.bulk_create(
        TicketCC(ticket=ticket, email=address, email_key=key, user_id=users.get(key), created_at=at)
        for key, address in wanted.items()
        if key not in present
    )


def _mention(ticket: Ticket, user_ids: Collection[int], *, actor: Actor, at: datetime) -> None:
    """Let agents follow the ticket. Raises :class:`Invalid` for one who may not read it."""
    wanted = list(dict.fromkeys(user_ids))
    if not wanted:
        return
    if len(wanted) > MENTIONS_AT_MOST:
        raise Invalid("mentions", "too_many", len(wanted), limit=MENTIONS_AT_MOST)
    agents = set(agents_with("read", ticket.group_id))
    for user_id in wanted:
        if user_id not in agents:
            raise Invalid("mentions", "unknown", user_id)
    Mention.objects.bulk_create(
        Mention(
            ticket=ticket,
            user_id=user_id,
            created_by_id=actor.user_id,
            created_at=at,
            updated_at=at,
        )
        for user_id in wanted
    )
