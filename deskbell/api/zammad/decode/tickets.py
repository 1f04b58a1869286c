"""A ticket's body: what is opened or changed (contract sections 6.4 and 6.5)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from deskbell.api.zammad import errors, names
from deskbell.api.zammad.decode import values
from deskbell.api.zammad.encode.tickets import custom_value
from deskbell.api.zammad.encode.values import stamp_of
from deskbell.kernel.actor import NOBODY_ID
from deskbell.tickets import fields as custom_fields
from deskbell.tickets.models import CustomField, Ticket
from deskbell.tickets.operations import UNSET, NewTicket, TicketChange
from deskbell.tickets.queries import FieldRow
from deskbell.tickets.vocabulary import LINK_TYPES

TYPE_LIMIT = 100
Params = Mapping[str, Any]


def new_ticket(
    params: Params,
    *,
    group_id: int,
    customer_id: int,
    as_agent: bool,
    fields: Sequence[CustomField],
) -> NewTicket:
    """The ticket to be opened; group and customer are found already.

    Tags, mentions, owner and preferences of a caller who is no agent there are passed over.
    Raises :class:`errors.Problem`, :class:`~deskbell.kernel.errors.Invalid`.
    """
    new = NewTicket(
        title="",
        group_id=group_id,
        customer_id=customer_id,
        state_id=names.state_id_of(params),
        priority_id=names.priority_id_of(params),
    )
    if as_agent:
        new.owner_id = owner_id(params) or NOBODY_ID
        if params.get("preferences") is not None:
            new.preferences = values.mapping("preferences", params["preferences"])
    new.organization_id = organization_id(params)
    if params.get("title") is not None:
        new.title = values.text("title", params["title"])
    if params.get("note") is not None:
        new.note = values.text("note", params["note"])
    if params.get("type") is not None:
        new.type = values.text("type", params["type"], limit=TYPE_LIMIT)
    if not values.is_blank(params.get("pending_time")):
        new.pending_time = values.moment("pending_time", params["pending_time"])
    new.custom = custom(params, fields, present={})
    if as_agent:
        new.tags = tags(params.get("tags"))
    new.mentions = values.ids("mentions", params.get("mentions"))
    new.links = links(params.get("links"))
    return new


def change(
    params: Params, ticket: Ticket, *, as_agent: bool, fields: Sequence[CustomField]
) -> TicketChange:
    """What is to change of a ticket; absent keys, and null for most, leave a thing alone.

    A value that reads like the present one is no change. The customer is for the caller to find.
    """
    found = TicketChange()
    group_id = names.group_id_of(params, present=ticket.group_id)
    state_id = names.state_id_of(params, present=ticket.state_id)
    priority_id = names.priority_id_of(params, present=ticket.priority_id)
    if as_agent:
        owner = owner_id(params, present=ticket.owner_id)
        found.owner_id = UNSET if owner is None else owner
        organization = organization_id(params)
        found.organization_id = UNSET if organization is None else organization
        if params.get("preferences") is not None:
            found.preferences = values.mapping("preferences", params["preferences"])
        pending = params.get("pending_time")
        if not values.is_blank(pending):
            found.pending_time = _pending(pending, ticket.pending_time)
    found.group_id = UNSET if group_id is None else group_id
    found.state_id = UNSET if state_id is None else state_id
    found.priority_id = UNSET if priority_id is None else priority_id
    if params.get("title") is not None:
        found.title = values.text("title", params["title"])
    if params.get("note") is not None:
        found.note = values.text("note", params["note"])
    if params.get("type") is not None and params["type"] != ticket.type:
        found.type = values.text("type", params["type"], limit=TYPE_LIMIT)
    found.custom = custom(params, fields, present=ticket.custom)
    return found


def _pending(value: Any, present: datetime | None) -> datetime:
    if present is not None and value == stamp_of(present):
        return present
    return values.moment("pending_time", value)


def owner_id(params: Params, *, present: int | None = None) -> int | None:
    """The owner named or numbered; empty or null means nobody. ``None`` where nothing is sent."""
    named = params.get("owner")
    by_name: int | None = None
    if "owner" in params:
        by_name = (
            NOBODY_ID if values.is_blank(named) else names.user_named("owner", named, nobody=True)
        )
    if "owner_id" not in params:
        return by_name
    given = params["owner_id"]
    if named is not None and by_name is not None and by_name != present:
        return by_name
    if values.is_blank(given):
        return NOBODY_ID
    id_ = values.as_id(given)
    if id_ is not None and id_ in (NOBODY_ID, present):
        return id_
    return names.known_id("user", "owner_id", given)


def organization_id(params: Params) -> int | None:
    """The organization wanted. An id that is none of the customer's is replaced later on."""
    if not values.is_blank(params.get("organization")):
        return names.row_named("organization", params["organization"])
    return values.as_id(params.get("organization_id"))


def custom(
    params: Params, fields: Sequence[CustomField], *, present: Mapping[str, Any]
) -> dict[str, Any]:
    """Stored values of the custom fields that a client sends; null is absent, ``""`` empties."""
    found: dict[str, Any] = {}
    for field in fields:
        if params.get(field.name) is None:
            continue
        value = params[field.name]
        stored = present.get(field.name)
        if value == custom_value(FieldRow(field.name, field.type), stored):
            continue
        found[field.name] = custom_fields.clean(field, value)
    return found


def tags(value: Any) -> list[str]:
    """Tags in one text, separated by commas; or a list."""
    if value is None:
        return []
    parts = value if isinstance(value, list) else values.text("tags", value).split(",")
    return [values.text("tags", part).strip() for part in parts]


def links(value: Any) -> dict[str, list[int]]:
    """``{"Ticket": {"parent": [1]}}``: what the new ticket is to others."""
    if not value:
        return {}
    targets = values.mapping("links", value).get("Ticket")
    if not targets:
        return {}
    found = {}
    for type_, given in values.mapping("links", targets).items():
        if type_ not in LINK_TYPES:
            raise errors.invalid_value("links", type_)
        found[type_] = [values.row_id(str(item), "ticket") for item in values.items("links", given)]
    return found
