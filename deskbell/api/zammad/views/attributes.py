"""``object_manager_attributes``: what objects consist of, and fields of one's own on tickets."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.db.models import Max
from django.http import HttpResponse

from deskbell.api.zammad import attributes
from deskbell.api.zammad.decode import attributes as bodies
from deskbell.api.zammad.decode import values
from deskbell.api.zammad.errors import Problem, inspected, unprocessable
from deskbell.api.zammad.models import AttributeForm
from deskbell.api.zammad.views.base import Call, answer, done, endpoint, needs
from deskbell.kernel import columns as kernel_columns
from deskbell.kernel.errors import Invalid, Unknown
from deskbell.tickets.models import CustomField
from deskbell.tickets.operations.defining import delete_custom_field, save_custom_field

_manages = needs("admin.object")


@_manages
def index(_call: Call) -> HttpResponse:
    """Every attribute: built-in ones, then fields of one's own. Two queries."""
    forms = {form.field_id: form for form in AttributeForm.objects.all()}
    fields = CustomField.objects.order_by("order", "id")
    shown = [attributes.built_in(id_) for id_ in range(1, len(attributes.BUILT_IN) + 1)]
    return answer(shown + [attributes.custom(field, forms.get(field.pk)) for field in fields])


@_manages
def show(_call: Call, attribute_id: str) -> HttpResponse:
    """One attribute."""
    id_ = values.row_id(attribute_id, "custom field")
    if id_ <= len(attributes.BUILT_IN):
        return answer(attributes.built_in(id_))
    return answer(_shown(_field(id_)))


def _field(id_: int) -> CustomField:
    field = CustomField.objects.filter(pk=id_ - attributes.CUSTOM_BASE).first()
    if field is None:
        raise Unknown("custom field", id_)
    return field


def _custom(attribute_id: str, *, to: str) -> CustomField:
    """A field of one's own, which alone can be changed or deleted."""
    id_ = values.row_id(attribute_id, "custom field")
    if id_ <= len(attributes.BUILT_IN):
        name = attributes.BUILT_IN[id_ - 1].name
        raise unprocessable(f"The attribute '{name}' is built in and cannot be {to}.")
    return _field(id_)


def _form_of(field: CustomField) -> AttributeForm | None:
    return AttributeForm.objects.filter(field=field).first()


def _shown(field: CustomField) -> dict[str, Any]:
    return attributes.custom(field, _form_of(field))


@_manages
def create(call: Call) -> HttpResponse:
    """A new field of tickets; there at once, in every dialect."""
    bodies.object_of(call.params)
    name = bodies.name_of(call.params)
    body = bodies.attribute(call.params, present=None, form=None)
    if "order" not in body.columns:
        last = CustomField.objects.aggregate(last=Max("order"))["last"]
        body.columns["order"] = 0 if last is None else min(last + 1, 2**31 - 1)
    with transaction.atomic():
        field = _saved(call, None, body, name=name)
    return answer(_shown(field), 201)


@_manages
def update(call: Call, attribute_id: str) -> HttpResponse:
    """Change a field; what a body leaves out stays."""
    field = _custom(attribute_id, to="changed")
    given = call.params.get("object")
    if given is not None:
        bodies.object_of(call.params)
    name = call.params.get("name")
    if name is not None and name != field.name:
        raise unprocessable(f"The attribute '{field.name}' cannot be renamed.")
    with transaction.atomic():
        body = bodies.attribute(call.params, present=field, form=_form_of(field))
        field = _saved(call, field, body)
    return answer(_shown(field))


def _saved(
    call: Call, present: CustomField | None, body: bodies.AttributeBody, *, name: str = ""
) -> CustomField:
    try:
        field = save_custom_field(
            present.pk if present else None,
            body.columns,
            name=name,
            type_=body.type,
            actor=call.actor,
            at=call.at,
        )
    except Invalid as error:
        raise _problem(error, name) from error
    form = _form_of(field) or AttributeForm(field=field)
    form.data_type = body.data_type
    form.data_option = body.data_option
    form.screens = body.screens
    kernel_columns.check(form, ["data_option", "screens"])
    form.save()
    return field


def _problem(error: Invalid, name: str) -> Problem | Invalid:
    """What is wrong with a field, in words about attributes."""
    if (error.field, error.code) == ("name", "taken"):
        return unprocessable(f"The attribute '{name}' exists already.")
    if error.field == "name":
        return unprocessable(
            f"The name {inspected(name)} is not possible for an attribute: a small letter, then"
            " small letters, digits and underscores, at most 50, and no name of a built-in one."
        )
    if error.field == "choices":
        return unprocessable(
            "The 'options' of an attribute need at least one value, each a text and each once."
        )
    return error


@_manages
def destroy(call: Call, attribute_id: str) -> HttpResponse:
    """Remove a field with its values."""
    field = _custom(attribute_id, to="deleted")
    delete_custom_field(field.pk, actor=call.actor, at=call.at)
    return done()


@_manages
def nothing_waits(_call: Call) -> HttpResponse:
    """Changes take effect at once: there is nothing to carry out, nor to take back."""
    return done()


collection = endpoint(get=index, post=create)
member = endpoint(get=show, put=update, post=update, delete=destroy)
migrations = endpoint(post=nothing_waits)
