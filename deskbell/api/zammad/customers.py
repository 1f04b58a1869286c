"""Which customer a ticket's body means: an id, a name, ``guess:`` or a description."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from deskbell.api.zammad import errors, names
from deskbell.api.zammad.decode import people as people_bodies
from deskbell.api.zammad.decode import values
from deskbell.kernel.actor import NOBODY_ID, Actor
from deskbell.people import credentials
from deskbell.people.addresses import is_address
from deskbell.people.models import User
from deskbell.people.operations import NewUser, create_user, find_or_create_customer
from deskbell.tickets.models import Ticket

GUESS = "guess:"
_REQUIRED = "Attribute 'customer_id' required!"
Params = Mapping[str, Any]


def for_new_ticket(params: Params, *, actor: Actor, at: datetime) -> int:
    """The customer of a ticket that an agent opens, found or made.

    Without any customer key it is the agent himself (decision 46). Raises
    :class:`errors.Problem`, :class:`~deskbell.kernel.errors.Invalid`.
    """
    by_id, by_name = params.get("customer_id"), params.get("customer")
    if not values.is_blank(by_id):
        return _by_id(by_id, actor=actor, at=at)
    if by_name is not None:
        return _by_name(by_name, actor=actor, at=at)
    if "customer_id" in params:
        raise errors.unprocessable(_REQUIRED)
    return actor.user_id


def for_change(params: Params, ticket: Ticket, *, actor: Actor, at: datetime) -> int | None:
    """The customer a ticket gets; ``None`` where the body says nothing about it.

    Of an id and a name the id counts, unless it only repeats what the client has read.
    """
    by_id, by_name = params.get("customer_id"), params.get("customer")
    if values.is_blank(by_id) and by_id is not None:
        raise errors.unprocessable(_REQUIRED)
    if by_id is not None and (values.as_id(by_id) != ticket.customer_id or by_name is None):
        if values.as_id(by_id) == ticket.customer_id:
            return ticket.customer_id
        return _by_id(by_id, actor=actor, at=at)
    if by_name is None:
        return None
    if by_name == ticket.customer.login:
        return ticket.customer_id
    return _by_name(by_name, actor=actor, at=at)


def _by_id(value: Any, *, actor: Actor, at: datetime) -> int:
    if isinstance(value, str) and value.startswith(GUESS):
        return _guessed(value[len(GUESS) :], actor=actor, at=at)
    id_ = names.known_id("user", "customer_id", value)
    if id_ == NOBODY_ID:
        raise errors.invalid_param("customer_id", value)
    return id_


def _by_name(value: Any, *, actor: Actor, at: datetime) -> int:
    if isinstance(value, dict):
        return _described(value, actor=actor, at=at)
    if isinstance(value, str) and value.startswith(GUESS):
        return _guessed(value[len(GUESS) :], actor=actor, at=at)
    return names.user_named("customer", value)


def _guessed(address: str, *, actor: Actor, at: datetime) -> int:
    """Whoever has the address, made if nobody has; addresses are lower-cased at this door."""
    address = address.strip()
    if not is_address(address):
        shown = address[: errors.ECHO_LIMIT]
        raise errors.Problem(422, f"Invalid email '{shown}' of customer", human=False)
    return find_or_create_customer(address.lower(), actor=actor, at=at).pk


def _described(value: dict[str, Any], *, actor: Actor, at: datetime) -> int:
    """Somebody by id, address or login; else a new person with the role given at sign-up."""
    if not values.is_blank(value.get("id")):
        id_ = values.as_id(value["id"])
        if id_ is not None and id_ != NOBODY_ID and User.objects.filter(pk=id_).exists():
            return id_
    for key in ("email", "login"):
        if isinstance(value.get(key), str):
            user = credentials.user_named(value[key])
            if user is not None:
                return user.pk
    body = people_bodies.person(value, with_rights=False)
    people_bodies.require_identifier(body)
    people_bodies.split_name(body.columns)
    columns = dict(body.columns)
    new = NewUser(
        email=body.email or "",
        login=body.login or "",
        firstname=columns.pop("firstname", ""),
        lastname=columns.pop("lastname", ""),
        organization_id=body.organization_id,
        organizations=body.organizations or (),
        columns=columns,
        preferences=body.preferences or {},
        login_chosen=body.login is not None,
    )
    return create_user(new, actor=actor, at=at).pk
