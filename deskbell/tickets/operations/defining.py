"""Custom fields: what administrators add to tickets."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import IntegrityError, connection, transaction

from deskbell.kernel import columns as kernel_columns
from deskbell.kernel.actor import Actor
from deskbell.kernel.errors import Invalid, Unknown
from deskbell.kernel.events import Change, record
from deskbell.kernel.text import MAX_ID, is_storable
from deskbell.people.models import Group
from deskbell.tickets.fields import NAME, choice_keys
from deskbell.tickets.models import CustomField, Ticket

CUSTOM_FIELD_COLUMNS = frozenset(
    {
        "label",
        "help_text",
        "max_length",
        "max_digits",
        "decimal_places",
        "choices",
        "required",
        "staff_only",
        "order",
        "active",
    }
)
#: Keys that tickets have in one of the dialects; a field of that name would hide one (decision 35).
NATIVE_KEYS = frozenset(
    {field.name for field in Ticket._meta.concrete_fields}
    | {field.attname for field in Ticket._meta.concrete_fields}
    | {
        "all",
        "article",
        "article_ids",
        "articles",
        "assigned_to",
        "attachment",
        "attachments",
        "ccs",
        "checklist_id",
        "create_article_sender_id",
        "create_article_type_id",
        "expand",
        "followup_set",
        "form_id",
        "full",
        "links",
        "mentions",
        "queue",
        "status",
        "submitter_email",
        "tags",
        "ticket_time_accounting",
        "ticket_time_accounting_ids",
        "time_unit",
    }
)
LABEL_LIMIT, HELP_LIMIT = 100, 500
_NUMBERS = {"max_length": 100_000, "max_digits": 1000, "decimal_places": 1000}
_ORDER_LIMIT = 2**31


@dataclass(frozen=True, slots=True)
class CustomFieldChanged:
    """A custom field was made, changed or removed."""

    object_name: str
    object_id: int
    number: str
    changes: tuple[Change, ...] = ()


@transaction.atomic
def save_custom_field(
    field_id: int | None,
    columns: Mapping[str, Any],
    *,
    name: str = "",
    type_: str = "",
    groups: Collection[int] | None = None,
    actor: Actor,
    at: datetime,
) -> CustomField:
    """Create (id ``None``) or change a custom field; ``groups`` are where alone it is required.

    Name and type are for a new field only: values are stored under the one and in the form of the
    other. Raises :class:`Unknown`, :class:`Invalid` (``name`` ``required``/``bad``/``taken``,
    ``type`` ``bad``, ``label``/``help_text`` ``too_long``, ``choices`` ``required``/``bad``,
    numbers ``bad``, ``groups`` ``unknown``).
    """
    if field_id is None:
        field = _new(name, type_, actor=actor, at=at)
    else:
        found = CustomField.objects.select_for_update().filter(pk=field_id).first()
        if found is None:
            raise Unknown("custom field", field_id)
        field = found
    before = {column: getattr(field, column) for column in CUSTOM_FIELD_COLUMNS}
    for column, value in columns.items():
        if column not in CUSTOM_FIELD_COLUMNS:
            raise ValueError(column)
        setattr(field, column, value)
    kernel_columns.check(field, columns)
    field.label = field.label.strip() or field.name.replace("_", " ").capitalize()
    _check(field)
    field.updated_by_id = actor.user_id
    field.updated_at = at
    try:
        with transaction.atomic():
            field.save()
    except IntegrityError:
        raise Invalid("name", "taken", field.name) from None
    changes = [
        Change(column, str(old), str(getattr(field, column)))
        for column, old in sorted(before.items())
        if field_id is not None and old != getattr(field, column)
    ]
    if groups is not None:
        changes += _set_groups(field, groups)
    if field_id is None:
        changes = [Change("name", new=field.name, type="created")]
    if not changes:
        return field
    record(
        CustomFieldChanged("CustomField", field.pk, field.name, tuple(changes)), actor=actor, at=at
    )
    return field


def _set_groups(field: CustomField, ids: Collection[int]) -> list[Change]:
    """Let the field be required in exactly these groups; the history line."""
    rows = Group.objects.filter(pk__in=[id_ for id_ in ids if 0 < id_ <= MAX_ID])
    names = dict(rows.values_list("pk", "name"))
    for id_ in ids:
        if id_ not in names:
            raise Invalid("groups", "unknown", id_)
    old = dict(field.groups.values_list("pk", "name"))
    if old == names:
        return []
    field.groups.set(list(names))
    return [Change("groups", ", ".join(sorted(old.values())), ", ".join(sorted(names.values())))]


@transaction.atomic
def delete_custom_field(field_id: int, *, actor: Actor, at: datetime) -> None:
    """Remove a custom field and its values; the tickets' histories keep what they said.

    Raises :class:`Unknown`.
    """
    field = CustomField.objects.select_for_update().filter(pk=field_id).first()
    if field is None:
        raise Unknown("custom field", field_id)
    # In the same transaction: a new field of this name, perhaps of another type, must never find
    # values of the old one.
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(
                "UPDATE tickets_ticket SET custom = custom - %s::text"
                " WHERE jsonb_exists(custom, %s)",
                [field.name, field.name],
            )
        else:
            path = f"$.{field.name}"  # names are letters, digits and underscores
            cursor.execute(
                "UPDATE tickets_ticket SET custom = json_remove(custom, %s)"
                " WHERE json_type(custom, %s) IS NOT NULL",
                [path, path],
            )
    field.delete()
    change = Change("name", old=field.name, type="removed")
    record(CustomFieldChanged("CustomField", field_id, field.name, (change,)), actor=actor, at=at)


def _new(name: str, type_: str, *, actor: Actor, at: datetime) -> CustomField:
    if not name:
        raise Invalid("name", "required")
    if not NAME.match(name) or name in NATIVE_KEYS:
        raise Invalid("name", "bad", name)
    if type_ not in dict(CustomField.TYPES):
        raise Invalid("type", "bad", type_)
    return CustomField(name=name, type=type_, created_by_id=actor.user_id, created_at=at)


def _check(field: CustomField) -> None:
    for column, limit in (("label", LABEL_LIMIT), ("help_text", HELP_LIMIT)):
        text = getattr(field, column)
        if not is_storable(text):
            raise Invalid(column, "bad", text)
        if len(text) > limit:
            raise Invalid(column, "too_long", text, limit=limit)
    for column, limit in _NUMBERS.items():
        number = getattr(field, column)
        if number is not None and not 0 <= number <= limit:
            raise Invalid(column, "bad", number)
    if not -_ORDER_LIMIT <= field.order < _ORDER_LIMIT:
        raise Invalid("order", "bad", field.order)
    _check_choices(field)


def _check_choices(field: CustomField) -> None:
    for choice in field.choices:
        texts = [choice] if isinstance(choice, str) else choice
        is_pair = isinstance(texts, list | tuple) and len(texts) in (1, 2)
        if not is_pair or not all(isinstance(t, str) and t and is_storable(t) for t in texts):
            raise Invalid("choices", "bad", choice)
        if not isinstance(choice, str) and len(choice) != 2:
            raise Invalid("choices", "bad", choice)
    keys = choice_keys(field)
    if len(set(keys)) != len(keys):
        raise Invalid("choices", "taken", next(k for k in keys if keys.count(k) > 1))
    if field.type == "list" and not keys:
        raise Invalid("choices", "required")
    if field.type != "list" and keys:
        raise Invalid("choices", "bad", field.choices)
