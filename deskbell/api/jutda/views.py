"""The eight methods: sign in, decode, find through the door, call, encode.

The order of checks is part of the contract: verb (405), credentials (403), name of the method
(400), then what each method checks, in its own order.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.utils.timezone import get_default_timezone

from deskbell.api.jutda import auth, decode, encode, names
from deskbell.api.jutda.errors import (
    BAD_REQUEST,
    FORBIDDEN,
    INVALID_USER,
    NOT_FOUND,
    REQUIRED,
    CallError,
    UnreadableBody,
    WrongFields,
    heard,
)
from deskbell.kernel.actor import NOBODY_ID, Actor
from deskbell.kernel.clock import now
from deskbell.kernel.errors import DeskError
from deskbell.people import credentials
from deskbell.people.access import is_active
from deskbell.people.models import Group, User
from deskbell.people.operations import find_or_create_customer
from deskbell.tickets import access, fields, operations, rules
from deskbell.tickets.access import TicketForbidden
from deskbell.tickets.models import CustomField, Ticket
from deskbell.tickets.operations import UNSET, NewArticle, NewTicket, TicketChange
from deskbell.tickets.vocabulary import PRIORITY_ID_FOR_NUMBER, RESOLVED, ArticleType, Sender

Parameters = Mapping[str, str]
Method = Callable[[Parameters, Actor, datetime], HttpResponse]


def call(request: HttpRequest, name: str) -> HttpResponse:
    """A call of one of the eight methods."""
    if request.method != "POST":
        return encode.bad_method()
    try:
        return _answer(request, decode.parameters(request), METHODS[name])
    except UnreadableBody as error:
        return encode.error(error)


def unknown(request: HttpRequest, name: str) -> HttpResponse:
    """A name that is nobody's: this dialect's only if a form with credentials was sent to it."""
    if request.method != "POST" or name in names.REST_NAMES:
        return encode.not_found()
    try:
        parameters = decode.parameters(request)
    except UnreadableBody:
        return encode.not_found()
    if "password" not in parameters or not {"user", "username"} & parameters.keys():
        return encode.not_found()
    return _answer(request, parameters, _no_such_method)


def nowhere(request: HttpRequest, path: str) -> HttpResponse:
    """An address below the prefix that can be nobody's."""
    return encode.not_found()


def _answer(request: HttpRequest, parameters: Parameters, method: Method) -> HttpResponse:
    at = now()
    try:
        actor = auth.caller(parameters, client_ip=request.META.get("REMOTE_ADDR"), at=at)
        return method(parameters, actor, at)
    except CallError as error:
        return encode.error(error)
    except DeskError as error:
        return encode.error(heard(error))


def _no_such_method(parameters: Parameters, actor: Actor, at: datetime) -> HttpResponse:
    raise CallError(BAD_REQUEST, "Error")


# --- tickets -------------------------------------------------------------------------------------


def create_ticket(parameters: Parameters, actor: Actor, at: datetime) -> HttpResponse:
    """Open a ticket; all wrong fields are named together."""
    definitions = fields.for_actor(actor)
    owner_id = decode.id_in(parameters.get("assigned_to", ""))
    form = decode.ticket_form(
        parameters,
        queues={id_ for id_, _title in _queues(actor)},
        owners={owner_id} if owner_id is not None and is_active(owner_id) else (),
        fields=definitions,
        zone=get_default_timezone(),
    )
    _require_custom(form, definitions)
    if form.wrong:
        raise WrongFields(form.wrong)
    with transaction.atomic():
        customer_id = NOBODY_ID
        if form.submitter:
            customer_id = find_or_create_customer(form.submitter, actor=actor, at=at).pk
        ticket = operations.open_ticket(
            NewTicket(
                title=form.title,
                group_id=form.queue,
                customer_id=customer_id,
                owner_id=form.owner or NOBODY_ID,
                priority_id=PRIORITY_ID_FOR_NUMBER[form.priority],
                due_date=form.due_date,
                custom=form.custom,
                article=_opening(form),
            ),
            actor=actor,
            at=at,
        )
    return encode.text(str(ticket.pk))


def _require_custom(form: decode.TicketForm, definitions: list[CustomField]) -> None:
    missing = fields.missing_required(definitions, form.custom, form.queue)
    for name in missing:
        form.wrong.setdefault(names.CUSTOM_PREFIX + name, REQUIRED)


def _opening(form: decode.TicketForm) -> NewArticle:
    """The first entry: from the customer where one is named, else a public note of the caller."""
    subject = names.OPENED
    if form.owner is not None:
        owner = User.objects.get(pk=form.owner)
        subject = names.OPENED_AND_ASSIGNED.format(name=owner.display_name)
    if form.submitter:
        return NewArticle(
            body=form.body, subject=subject, type=ArticleType.WEB, sender=Sender.CUSTOMER
        )
    return NewArticle(body=form.body, subject=subject, type=ArticleType.NOTE, sender=Sender.AGENT)


def delete_ticket(parameters: Parameters, actor: Actor, at: datetime) -> HttpResponse:
    """Remove a ticket; whether that was meant is asked before which one."""
    if not parameters.get("confirm"):
        raise CallError(BAD_REQUEST, "No confirmation provided")
    ticket_id = decode.ticket_id(parameters)
    try:
        operations.delete_ticket(ticket_id, actor=actor, at=at)
    except TicketForbidden:
        raise _refusal(ticket_id, actor) from None
    return encode.text()


def hold_ticket(parameters: Parameters, actor: Actor, at: datetime) -> HttpResponse:
    """Put a ticket on hold: it does not escalate. Repeating is fine."""
    return _hold(True, parameters, actor, at)


def unhold_ticket(parameters: Parameters, actor: Actor, at: datetime) -> HttpResponse:
    """Take a ticket off hold."""
    return _hold(False, parameters, actor, at)


def _hold(on_hold: bool, parameters: Parameters, actor: Actor, at: datetime) -> HttpResponse:
    with transaction.atomic():
        ticket = _ticket_to_change(parameters, actor)
        operations.update_ticket(ticket.pk, TicketChange(on_hold=on_hold), actor=actor, at=at)
    return encode.text()


def add_followup(parameters: Parameters, actor: Actor, at: datetime) -> HttpResponse:
    """Add an entry: private unless ``public`` is ``y``.

    The old server tested the letter for truth, so that every entry was public and went to the
    customer; what its documentation promised is what happens here.
    """
    with transaction.atomic():
        ticket = _ticket_to_change(parameters, actor)
        public = parameters.get("public", "n")
        if public not in ("y", "n"):
            raise CallError(BAD_REQUEST, "Invalid 'public' flag")
        message = decode.text_in(parameters, "message", otherwise="Blank message")
        if public == "y":
            article = NewArticle(
                **operations.public_reply(ticket, message, subject=names.COMMENT_ADDED)
            )
        else:
            article = NewArticle(body=message, subject=names.COMMENT_ADDED, internal=True)
        operations.update_ticket(ticket.pk, None, article, actor=actor, at=at)
    return encode.text()


def resolve(parameters: Parameters, actor: Actor, at: datetime) -> HttpResponse:
    """Say how a ticket was resolved, and set it so; also one that is resolved already.

    The old server never stored the text on the ticket, though its documentation says so.
    """
    with transaction.atomic():
        ticket = _ticket_to_change(parameters, actor)
        resolution = decode.text_in(parameters, "resolution", otherwise="Blank resolution")
        state_id = rules.state_for_status(RESOLVED, present=ticket.state.helpdesk_number)
        change = TicketChange(
            resolution=resolution, state_id=UNSET if state_id is None else state_id
        )
        article = NewArticle(
            **operations.public_reply(
                ticket, resolution, subject=names.RESOLVED, mailed_without_text=True
            )
        )
        operations.update_ticket(ticket.pk, change, article, actor=actor, at=at)
    return encode.text()


def _ticket_to_change(parameters: Parameters, actor: Actor) -> Ticket:
    """The ticket, locked; as an agent, because this dialect is for staff."""
    ticket_id = decode.ticket_id(parameters)
    try:
        return access.ticket_for(actor, ticket_id, "change", lock=True, as_agent=True)
    except TicketForbidden:
        raise _refusal(ticket_id, actor) from None


def _refusal(ticket_id: int, actor: Actor) -> CallError:
    """Who may read a ticket hears that he may do no more; for others there is none (decision 5)."""
    access.ticket_for(actor, ticket_id)
    return CallError(FORBIDDEN, "Permission denied")


# --- queues and people ---------------------------------------------------------------------------


def list_queues(parameters: Parameters, actor: Actor, at: datetime) -> HttpResponse:
    """The queues in which the caller may open tickets."""
    return encode.queues(_queues(actor))


def _queues(actor: Actor) -> list[tuple[int, str]]:
    groups = Group.objects.filter(active=True)
    ids = actor.groups_with("create")
    if ids is not None:
        groups = groups.filter(pk__in=ids)
    return list(groups.values_list("id", "name"))


def find_user(parameters: Parameters, actor: Actor, at: datetime) -> HttpResponse:
    """The id behind an account name, compared exactly; inactive people are found too.

    Where only ``username`` came with the password it is the caller's own name.
    """
    name = parameters.get("username", "")
    user = credentials.user_named(name)
    if user is None or user.login != name:
        raise CallError(NOT_FOUND, INVALID_USER)
    return encode.text(str(user.pk))


METHODS: dict[str, Method] = {
    "create_ticket": create_ticket,
    "delete_ticket": delete_ticket,
    "hold_ticket": hold_ticket,
    "unhold_ticket": unhold_ticket,
    "add_followup": add_followup,
    "resolve": resolve,
    "list_queues": list_queues,
    "find_user": find_user,
}
