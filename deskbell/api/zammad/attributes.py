"""Attributes of objects as Zammad describes them: the built-in ones, and custom fields of tickets.

A custom field is one row of the desk (:mod:`deskbell.tickets.fields`), whoever made it. Zammad says
more about an attribute than the desk needs (defaults, screens, widgets); what is more is kept
beside the field (:class:`~deskbell.api.zammad.models.AttributeForm`) and given back.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from deskbell.api.zammad.encode.values import stamp_of
from deskbell.api.zammad.models import AttributeForm
from deskbell.tickets.fields import choice_pairs
from deskbell.tickets.models import CustomField

#: Ids below are those of built-in attributes; a custom field has this and its own id.
CUSTOM_BASE = 1000
#: Zammad's numbers of the classes that have attributes.
CLASSES = {"Ticket": 2, "User": 3, "Organization": 4, "Group": 5}
#: What stands for the moment of an attribute that was always there.
_ALWAYS = "2026-01-01T00:00:00.000Z"


class BuiltIn(NamedTuple):
    """An attribute that every desk has; its place in the table is its id."""

    object: str
    name: str
    display: str
    data_type: str
    data_option: dict[str, Any]


def _text(limit: int, *, optional: bool = True, kind: str = "text") -> dict[str, Any]:
    return {"type": kind, "maxlength": limit, "null": optional}


def _relation(of: str, *, optional: bool = True) -> dict[str, Any]:
    return {"relation": of, "null": optional}


_SWITCH = {"options": {"true": "yes", "false": "no"}, "null": True}
_ON = {**_SWITCH, "default": True}
_OFF = {**_SWITCH, "default": False}

BUILT_IN = (
    BuiltIn("Ticket", "number", "#", "input", {**_text(64), "readonly": 1}),
    BuiltIn("Ticket", "title", "Title", "input", _text(250, optional=False)),
    BuiltIn("Ticket", "customer_id", "Customer", "user_autocompletion", _relation("User")),
    BuiltIn(
        "Ticket",
        "organization_id",
        "Organization",
        "autocompletion_ajax_customer_organization",
        _relation("Organization"),
    ),
    BuiltIn("Ticket", "group_id", "Group", "tree_select", _relation("Group", optional=False)),
    BuiltIn("Ticket", "owner_id", "Owner", "select", _relation("User")),
    BuiltIn("Ticket", "state_id", "State", "select", _relation("TicketState", optional=False)),
    BuiltIn("Ticket", "pending_time", "Pending till", "datetime", {"null": True, "future": True}),
    BuiltIn(
        "Ticket", "priority_id", "Priority", "select", _relation("TicketPriority", optional=False)
    ),
    BuiltIn("Ticket", "note", "Note", "textarea", _text(250)),
    BuiltIn("Ticket", "type", "Type", "input", _text(100)),
    BuiltIn("Ticket", "tags", "Tags", "tag", {"type": "text", "null": True}),
    BuiltIn("User", "login", "Login", "input", _text(255)),
    BuiltIn("User", "firstname", "First name", "input", _text(150)),
    BuiltIn("User", "lastname", "Last name", "input", _text(150)),
    BuiltIn("User", "email", "Email", "input", _text(254, kind="email")),
    BuiltIn("User", "web", "Web", "input", _text(100, kind="url")),
    BuiltIn("User", "phone", "Phone", "input", _text(100, kind="tel")),
    BuiltIn("User", "mobile", "Mobile", "input", _text(100, kind="tel")),
    BuiltIn("User", "fax", "Fax", "input", _text(100, kind="tel")),
    BuiltIn(
        "User",
        "organization_id",
        "Organization",
        "autocompletion_ajax",
        _relation("Organization"),
    ),
    BuiltIn(
        "User",
        "organization_ids",
        "Secondary organizations",
        "autocompletion_ajax",
        {**_relation("Organization"), "multiple": True},
    ),
    BuiltIn("User", "department", "Department", "input", _text(200)),
    BuiltIn("User", "street", "Street", "input", _text(120)),
    BuiltIn("User", "zip", "Postal code", "input", _text(100)),
    BuiltIn("User", "city", "City", "input", _text(100)),
    BuiltIn("User", "country", "Country", "input", _text(100)),
    BuiltIn("User", "address", "Address", "textarea", _text(500)),
    BuiltIn("User", "password", "Password", "input", _text(1024, kind="password")),
    BuiltIn("User", "vip", "VIP", "boolean", _OFF),
    BuiltIn("User", "note", "Note", "richtext", _text(5000)),
    BuiltIn("User", "role_ids", "Roles", "user_permission", {"null": False}),
    BuiltIn("User", "active", "Active", "active", _ON),
    BuiltIn("Organization", "name", "Name", "input", _text(150, optional=False)),
    BuiltIn("Organization", "shared", "Shared organization", "boolean", _ON),
    BuiltIn("Organization", "domain_assignment", "Assignment by domain", "boolean", _OFF),
    BuiltIn("Organization", "domain", "Domain", "input", _text(250)),
    BuiltIn("Organization", "vip", "VIP", "boolean", _OFF),
    BuiltIn("Organization", "note", "Note", "richtext", _text(5000)),
    BuiltIn("Organization", "active", "Active", "active", _ON),
    BuiltIn("Group", "name", "Name", "input", _text(160, optional=False)),
    BuiltIn(
        "Group", "assignment_timeout", "Assignment timeout", "integer", {"null": True, "min": 0}
    ),
    BuiltIn(
        "Group",
        "follow_up_possible",
        "Follow-up possible",
        "select",
        {
            "options": {
                "yes": "yes",
                "new_ticket": "new ticket",
                "new_ticket_after_certain_time": "new ticket after some days",
            },
            "default": "yes",
            "null": False,
        },
    ),
    BuiltIn(
        "Group",
        "reopen_time_in_days",
        "Days to reopen",
        "integer",
        {"null": True, "min": 0},
    ),
    BuiltIn("Group", "follow_up_assignment", "Keep the owner", "boolean", _ON),
    BuiltIn("Group", "email_address_id", "Email address", "select", _relation("EmailAddress")),
    BuiltIn("Group", "shared_drafts", "Shared drafts", "boolean", _ON),
    BuiltIn("Group", "note", "Note", "textarea", _text(250)),
    BuiltIn("Group", "active", "Active", "active", _ON),
)


def built_in(id_: int) -> dict[str, Any]:
    """A built-in attribute by its id (from 1)."""
    of = BUILT_IN[id_ - 1]
    return _object(
        id_,
        of.object,
        of.name,
        of.display,
        of.data_type,
        of.data_option,
        screens={},
        position=id_ * 10,
        active=True,
        editable=False,
        stamps=(1, 1, _ALWAYS, _ALWAYS),
    )


def _object(
    id_: int,
    object_: str,
    name: str,
    display: str,
    data_type: str,
    data_option: Mapping[str, Any],
    *,
    screens: Mapping[str, Any],
    position: int,
    active: bool,
    editable: bool,
    stamps: tuple[int | None, int | None, str | None, str | None],
) -> dict[str, Any]:
    created_by_id, updated_by_id, created_at, updated_at = stamps
    return {
        "id": id_,
        "object_lookup_id": CLASSES[object_],
        "object": object_,
        "name": name,
        "display": display,
        "data_type": data_type,
        "data_option": data_option,
        "data_option_new": {},
        "editable": editable,
        "active": active,
        "screens": screens,
        # Changes take effect at once: nothing ever waits for a migration.
        "to_create": False,
        "to_migrate": False,
        "to_delete": False,
        "to_config": False,
        "position": position,
        "created_by_id": created_by_id,
        "updated_by_id": updated_by_id,
        "created_at": created_at,
        "updated_at": updated_at,
    }


# --- custom fields -------------------------------------------------------------------------------

#: How a field is described of which Zammad's clients have said nothing. What Zammad has no type
#: for is a line of text.
_DATA_TYPES = {
    "text": "textarea",
    "integer": "integer",
    "list": "select",
    "boolean": "boolean",
    "date": "date",
    "datetime": "datetime",
}
_INPUT_TYPES = {"email": "email", "url": "url"}
#: Our type of what a client describes.
TYPES = {
    "textarea": "text",
    "integer": "integer",
    "select": "list",
    "tree_select": "list",
    "boolean": "boolean",
    "date": "date",
    "datetime": "datetime",
}
INPUTS = {"text": "varchar", "tel": "varchar", "fax": "varchar", "email": "email", "url": "url"}
WITH_LENGTH = frozenset({"varchar", "text", "email", "url", "slug"})


def custom(field: CustomField, form: AttributeForm | None) -> dict[str, Any]:
    """A custom field: what the desk knows of it, and what a client said beyond that."""
    data_type = form.data_type if form else _DATA_TYPES.get(field.type, "input")
    option = dict(form.data_option) if form else _bare_option(field)
    if field.type in WITH_LENGTH and field.max_length is not None:
        option["maxlength"] = field.max_length
    elif form is None or field.type not in WITH_LENGTH:
        option.pop("maxlength", None)
    if field.type == "list":
        _put_options(option, field, data_type)
    if field.help_text:
        option["note"] = field.help_text
    else:
        option.pop("note", None)
    if form is None or not _demands_as_given(field, form):
        option["null"] = not field.required
    return _object(
        CUSTOM_BASE + field.pk,
        "Ticket",
        field.name,
        field.label,
        data_type,
        option,
        screens=_screens(field, form),
        position=field.order,
        active=field.active,
        editable=True,
        stamps=(
            field.created_by_id,
            field.updated_by_id,
            stamp_of(field.created_at),
            stamp_of(field.updated_at),
        ),
    )


def _bare_option(field: CustomField) -> dict[str, Any]:
    option: dict[str, Any] = {}
    if field.type not in _DATA_TYPES:
        option["type"] = _INPUT_TYPES.get(field.type, "text")
    if field.type == "boolean":
        option["options"] = {"true": "yes", "false": "no"}
    if field.type != "datetime" and field.type != "date":
        option["default"] = False if field.type == "boolean" else None
    return option


def _put_options(option: dict[str, Any], field: CustomField, data_type: str) -> None:
    """The choices as they are now, in the shape they were given in where they still are those."""
    pairs = choice_pairs(field)
    given = option.get("options")
    tree = data_type == "tree_select"
    if given is None or [pair for pair in pairs_of(given, tree=tree) if pair[0]] != pairs:
        if tree:
            option["options"] = [{"name": label, "value": key} for key, label in pairs]
        else:
            option["options"] = dict(pairs)


def pairs_of(options: Any, *, tree: bool) -> list[tuple[str, str]]:
    """Value and label of each option: of a mapping, or of a list of ``{name, value}``.

    A ``tree``'s branches and leaves follow one another in the order of the tree. Raises
    :class:`ValueError` for anything else.
    """
    if isinstance(options, Mapping) and not tree:
        return [(str(key), _label(label)) for key, label in options.items()]
    if not isinstance(options, list):
        raise ValueError
    found: list[tuple[str, str]] = []
    waiting = list(reversed(options))
    while waiting:
        option = waiting.pop()
        if not isinstance(option, Mapping) or not isinstance(option.get("value"), str):
            raise ValueError
        found.append((option["value"], _label(option.get("name") or option["value"])))
        below = option.get("children")
        if tree and below:
            if not isinstance(below, list):
                raise ValueError
            waiting.extend(reversed(below))
    return found


def _label(value: Any) -> str:
    if not isinstance(value, str | int | float):
        raise ValueError
    return str(value)


# --- screens: who sees a field, and where it must be filled --------------------------------------

_CUSTOMER = "ticket.customer"


def staff_only(screens: Mapping[str, Any]) -> bool:
    """Whether no screen shows the field to customers; without any screen it is everybody's."""
    shown = [
        person
        for screen in screens.values()
        for person, view in screen.items()
        if view.get("shown", True) is not False
    ]
    return bool(shown) and not {_CUSTOMER, "-all-"} & set(shown)


def required_on(screens: Mapping[str, Any]) -> bool:
    """Whether a screen demands a value."""
    return any(
        view.get("required") is True for screen in screens.values() for view in screen.values()
    )


def _demands_as_given(field: CustomField, form: AttributeForm) -> bool:
    """Whether what a client said about being required still says what is so."""
    said = form.data_option.get("null") is False or required_on(form.screens)
    return said == field.required


def _screens(field: CustomField, form: AttributeForm | None) -> dict[str, Any]:
    """The screens as a client gave them, as long as they say what is so; else such as say it."""
    if form is not None and form.screens:
        fits = staff_only(form.screens) == field.staff_only and _demands_as_given(field, form)
        if fits:
            return dict(form.screens)
    view = {"shown": True, "required": field.required}
    people = ["ticket.agent"] if field.staff_only else ["ticket.agent", _CUSTOMER]
    return {
        screen: {person: dict(view) for person in people} for screen in ("create_middle", "edit")
    }
