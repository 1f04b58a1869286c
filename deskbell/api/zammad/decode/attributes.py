"""Bodies about attributes of objects (contract section 15)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from deskbell.api.zammad import attributes, errors
from deskbell.api.zammad.decode import values
from deskbell.api.zammad.errors import inspected, unprocessable
from deskbell.api.zammad.models import AttributeForm
from deskbell.tickets.models import CustomField

Params = Mapping[str, Any]
#: So long a line is in Zammad where nothing is said.
_HIGHEST = 2**31 - 1


@dataclass(slots=True)
class AttributeBody:
    """What a body says: the field's columns, and what is kept beside them."""

    type: str
    data_type: str
    data_option: dict[str, Any]
    screens: dict[str, Any]
    columns: dict[str, Any] = field(default_factory=dict)


def object_of(params: Params) -> str:
    """The class the attribute is of. Only tickets take fields of one's own."""
    given = params.get("object")
    if values.is_blank(given):
        raise unprocessable("The required parameter 'object' is missing.")
    if not isinstance(given, str) or given not in attributes.CLASSES:
        raise errors.no_lookup_value("object", given)
    if given != "Ticket":
        raise unprocessable(f"Attributes can be added to Ticket only, not to {given}.")
    return given


def name_of(params: Params) -> str:
    """The name of a new attribute; its shape is for the operation to judge."""
    if values.is_blank(params.get("name")):
        raise unprocessable("The required parameter 'name' is missing.")
    return values.text("name", params["name"])


def attribute(
    params: Params, *, present: CustomField | None, form: AttributeForm | None
) -> AttributeBody:
    """What the body says, beside what is there already.

    Raises :class:`~deskbell.api.zammad.errors.Problem` (422) for what a ticket cannot hold.
    """
    shown = None if present is None else attributes.custom(present, form)
    data_type = params.get("data_type")
    if values.is_blank(data_type):
        if shown is None:
            raise unprocessable("The required parameter 'data_type' is missing.")
        data_type = shown["data_type"]
    option = _option(params, shown)
    type_ = _type(data_type, option, present=present, shown=shown)
    given = params.get("screens")
    screens = _screens(given) if given is not None else (form.screens if form else {})
    found = AttributeBody(type_, str(data_type), option, screens)
    columns = found.columns
    if params.get("display") is not None:
        columns["label"] = values.text("display", params["display"], limit=100)
    elif present is None:
        raise unprocessable("The required parameter 'display' is missing.")
    if params.get("active") is not None:
        columns["active"] = values.boolean("active", params["active"])
    if not values.is_blank(params.get("position")):
        columns["order"] = values.integer("position", params["position"])
    if params.get("data_option") is not None or shown is None or data_type != shown["data_type"]:
        columns.update(_columns_of(found))
    if present is None or params.get("data_option") is not None or given is not None:
        columns["required"] = option["null"] is False or attributes.required_on(screens)
    if given is not None:
        columns["staff_only"] = attributes.staff_only(screens)
    return found


def _option(params: Params, shown: Mapping[str, Any] | None) -> dict[str, Any]:
    given = params.get("data_option")
    if given is None:
        return dict(shown["data_option"]) if shown else {"null": True}
    option = dict(values.mapping("data_option", given))
    null = option.get("null")
    option["null"] = True if null is None else values.boolean("null", null)
    return option


def _type(
    data_type: Any,
    option: dict[str, Any],
    *,
    present: CustomField | None,
    shown: Mapping[str, Any] | None,
) -> str:
    """Our type of what is described."""
    if data_type == "input":
        kind = option.setdefault("type", "text") or "text"
        if not isinstance(kind, str) or kind not in attributes.INPUTS:
            raise unprocessable(
                f"An input of type {inspected(kind)} is not possible for an attribute of tickets."
            )
        type_ = attributes.INPUTS[kind]
    elif isinstance(data_type, str) and data_type in attributes.TYPES:
        type_ = attributes.TYPES[data_type]
    else:
        known = ", ".join(["input", *attributes.TYPES])
        raise unprocessable(
            f"The data type {inspected(data_type)} is not possible for an attribute of tickets"
            f" (possible are {known})."
        )
    if not values.is_blank(option.get("relation")):
        raise unprocessable("An attribute of tickets cannot refer to other objects ('relation').")
    if present is None or shown is None or type_ == present.type:
        return type_
    as_shown = data_type == shown["data_type"] and (
        data_type != "input" or option["type"] == shown["data_option"].get("type")
    )
    if as_shown:
        return present.type  # one of our types that Zammad has no word for
    raise unprocessable(
        f"The data type of '{present.name}' cannot be changed. Delete the attribute, and make it"
        " anew."
    )


def _columns_of(found: AttributeBody) -> dict[str, Any]:
    """What the desk itself knows of the options of a widget."""
    option = found.data_option
    columns: dict[str, Any] = {
        "help_text": values.text("note", option.get("note") or "", limit=500)
    }
    if found.type in attributes.WITH_LENGTH:
        given = option.get("maxlength")
        columns["max_length"] = (
            None
            if values.is_blank(given)
            else values.integer("maxlength", given, low=1, high=100_000)
        )
    if found.type == "list":
        try:
            pairs = attributes.pairs_of(
                option.get("options"), tree=found.data_type == "tree_select"
            )
        except ValueError:
            raise unprocessable(
                f"A {found.data_type} needs 'options' in its data_option: values and names."
            ) from None
        # An empty value is Zammad's way to offer no choice; here a field may be empty anyhow.
        columns["choices"] = [list(pair) for pair in pairs if pair[0]]
    if found.type == "integer":
        for name in ("min", "max", "default"):
            if not values.is_blank(option.get(name)):
                option[name] = values.integer(name, option[name], low=-_HIGHEST - 1, high=_HIGHEST)
    if found.type == "boolean" and not values.is_blank(option.get("default")):
        option["default"] = values.boolean("default", option["default"])
    return columns


def _screens(given: Any) -> dict[str, Any]:
    screens = values.mapping("screens", given)
    for screen in screens.values():
        for view in values.mapping("screens", screen).values():
            values.mapping("screens", view)
    return screens
