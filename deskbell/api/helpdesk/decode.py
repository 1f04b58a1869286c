"""Requests into typed input. Serializers translate and say what is no value; operations judge.

The names, kinds, labels and limits of the fields are what clients discover with OPTIONS.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any

from django.core.validators import MaxLengthValidator, RegexValidator
from rest_framework import serializers

from deskbell.api.helpdesk.fields import (
    MomentField,
    OpeningText,
    PkField,
    Shown,
    SpentField,
    TextDecimalField,
    UploadField,
    WholeNumberField,
)
from deskbell.api.helpdesk.names import TITLE_LIMIT, custom_key
from deskbell.tickets.fields import choice_pairs
from deskbell.tickets.models import CustomField
from deskbell.tickets.vocabulary import BODY_LIMIT, PRIORITY_LABELS, STATUS_LABELS

Exists = Callable[[int], bool]

STATUSES = list(STATUS_LABELS.items())
PRIORITIES = list(PRIORITY_LABELS.items())


def _long_text(
    kind: type[serializers.CharField] = serializers.CharField, **kwargs: Any
) -> serializers.CharField:
    """Text of any length that is stored; a limit nobody meets is not announced."""
    return kind(
        validators=[
            MaxLengthValidator(
                BODY_LIMIT, message=f"Ensure this field has no more than {BODY_LIMIT} characters."
            )
        ],
        style={"base_template": "textarea.html"},
        **kwargs,
    )


_DESCRIPTION: dict[str, Any] = {
    "label": "Description",
    "required": False,
    "allow_blank": True,
    "allow_null": True,
    "help_text": "What the customer asks for.",
}


class Wire(serializers.Serializer):
    """A serializer that knows which values equal what the caller reads.

    ``reading`` is the row as the caller reads it. A field whose given value equals it is left
    alone: it is not validated and counts as given (P2). ``lookups`` say for related fields which
    ids the caller may name.
    """

    #: Fields whose given value always travels, because their meaning depends on the rest.
    always = frozenset[str]()

    def __init__(
        self,
        *args: Any,
        reading: Mapping[str, Any] | None = None,
        lookups: Mapping[str, Exists] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.lookups = lookups or {}
        self.unchanged = frozenset[str]()
        given = getattr(self, "initial_data", None)
        if reading is not None and isinstance(given, Mapping):
            self.unchanged = equal_keys(given, reading) - self.always

    @property
    def _writable_fields(self) -> Iterator[serializers.Field]:  # type: ignore[override]
        for name, field in self.fields.items():
            if not field.read_only and name not in self.unchanged:
                yield field

    def exists(self, name: str) -> Exists:
        """Whether a row may be named in the field."""
        return self.lookups.get(name, _nothing)


def _nothing(_id: int) -> bool:
    return False


def equal_keys(given: Mapping[str, Any], reading: Mapping[str, Any]) -> frozenset[str]:
    """The keys whose given value is what is read, by its type too; forms know texts only."""
    is_form = hasattr(given, "getlist")
    same = _same_in_form if is_form else _same
    return frozenset(key for key in reading if key in given and same(given[key], reading[key]))


def _same(given: Any, read: Any) -> bool:
    return type(given) is type(read) and bool(given == read)


def _same_in_form(given: Any, read: Any) -> bool:
    if not isinstance(given, str):
        return False
    if read is None:
        return given == ""
    if isinstance(read, bool):
        return given == ("true" if read else "false")
    # A browser sends the line ends of a text area as CR LF.
    return given == str(read) or given.replace("\r\n", "\n") == str(read)


# --- files ---------------------------------------------------------------------------------------


class AttachmentSerializer(Wire):
    id = serializers.IntegerField(label="ID", read_only=True)
    followup = PkField(label="Follow-up")
    file = UploadField(label="File", max_length=1000)
    filename = serializers.CharField(
        label="Filename", required=False, allow_blank=True, max_length=1000
    )
    mime_type = serializers.CharField(
        label="MIME Type", required=False, allow_blank=True, max_length=255
    )
    size = serializers.IntegerField(
        label="Size",
        required=False,
        min_value=-(2**63),
        max_value=2**63 - 1,
        help_text="In bytes; always measured, whatever is sent.",
    )


# --- entries -------------------------------------------------------------------------------------


class FollowUpSerializer(Wire):
    id = serializers.IntegerField(label="ID", read_only=True)
    ticket = PkField(label="Ticket")
    user = Shown(label="User", required=False)
    title = serializers.CharField(
        label="Title", required=False, allow_blank=True, allow_null=True, max_length=TITLE_LIMIT
    )
    comment = _long_text(label="Comment", required=False, allow_blank=True, allow_null=True)
    public = serializers.BooleanField(
        label="Public",
        required=False,
        help_text="Public entries are for the customer too, all others for staff only.",
    )
    new_status = serializers.ChoiceField(
        label="New Status",
        required=False,
        allow_null=True,
        choices=STATUSES,
        help_text="What the entry makes of the ticket's status, where it changes it.",
    )
    time_spent = SpentField(
        label="Time spent",
        required=False,
        allow_null=True,
        help_text="How long the work on this entry took.",
    )
    attachments = serializers.ListField(
        label="Attachments",
        required=False,
        write_only=True,
        child=UploadField(),
        style={"base_template": "input.html", "input_type": "file"},
    )
    followupattachment_set = AttachmentSerializer(many=True, read_only=True)
    date = serializers.DateTimeField(label="Date", read_only=True)
    message_id = serializers.CharField(
        label="E-Mail ID", read_only=True, help_text="The Message-ID of a received mail."
    )
    email_recipients = serializers.JSONField(
        label="E-Mail Recipients",
        read_only=True,
        help_text="Who is mailed about this entry; null where nobody kept a record.",
    )


# --- tickets -------------------------------------------------------------------------------------


class TicketSerializer(Wire):
    """A ticket with the desk's custom fields. ``group_id`` is where it is, or is to be."""

    # Hold is judged together with the state: "held and resolved" is a change of a pending ticket.
    always = frozenset({"on_hold"})

    id = serializers.IntegerField(label="ID", read_only=True)
    queue = PkField(label="Queue")
    title = serializers.CharField(label="Title", max_length=TITLE_LIMIT)
    description = _long_text(**_DESCRIPTION)
    resolution = _long_text(
        label="Resolution",
        required=False,
        allow_blank=True,
        allow_null=True,
        help_text="What was found and done.",
    )
    submitter_email = serializers.EmailField(
        label="Submitter E-Mail",
        required=False,
        allow_blank=True,
        allow_null=True,
        max_length=254,
        help_text="Public entries are mailed to this address.",
    )
    assigned_to = PkField(label="Assigned to", required=False, allow_null=True)
    status = serializers.ChoiceField(label="Status", required=False, choices=STATUSES)
    on_hold = serializers.BooleanField(
        label="On Hold", required=False, help_text="A ticket on hold does not escalate."
    )
    priority = serializers.ChoiceField(
        label="Priority",
        required=False,
        choices=PRIORITIES,
        help_text="From 1, the most urgent, to 5.",
    )
    due_date = MomentField(label="Due on", required=False, allow_null=True)
    merged_to = PkField(label="Merged to", required=False, allow_null=True)
    attachment = UploadField(label="Attachment", required=False, write_only=True)
    followup_set = FollowUpSerializer(many=True, read_only=True)

    def __init__(
        self,
        *args: Any,
        custom_fields: Sequence[CustomField] = (),
        opening: bool = False,
        group_id: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        if opening:
            self.fields["description"] = _long_text(OpeningText, **_DESCRIPTION)
        group_id = self._wanted_group(group_id)
        for field in custom_fields:
            self.fields[custom_key(field.name)] = custom(
                field, required=is_required(field, group_id)
            )

    def _wanted_group(self, present: int | None) -> int | None:
        """Where the ticket will be if the request is granted: what is required depends on it."""
        given = getattr(self, "initial_data", None)
        if not isinstance(given, Mapping) or "queue" not in given:
            return present
        try:
            return int(given["queue"])
        except (TypeError, ValueError, OverflowError):
            return present


def is_required(field: CustomField, group_id: int | None) -> bool:
    """Whether tickets of the group need the field; limited ones are needed there only.

    Expects the field's groups to be prefetched.
    """
    if not field.required:
        return False
    limited_to = {group.pk for group in field.groups.all()}
    return not limited_to or group_id in limited_to


def custom(field: CustomField, *, required: bool) -> serializers.Field:
    """A custom field as clients see it; ``required`` may depend on the ticket's group."""
    common = {"label": field.label, "help_text": field.help_text, "required": required}
    make = _CUSTOM[field.type]
    return make(field, common)


def _varchar(field: CustomField, common: dict[str, Any]) -> serializers.Field:
    return serializers.CharField(max_length=field.max_length, **common)


def _text(field: CustomField, common: dict[str, Any]) -> serializers.Field:
    return serializers.CharField(
        max_length=field.max_length, style={"base_template": "textarea.html"}, **common
    )


def _decimal(field: CustomField, common: dict[str, Any]) -> serializers.Field:
    return TextDecimalField(
        max_digits=field.max_digits or field.max_length,
        decimal_places=field.decimal_places,
        **common,
    )


def _list(field: CustomField, common: dict[str, Any]) -> serializers.Field:
    return serializers.ChoiceField(choices=choice_pairs(field), **common)


def _plain(kind: type[serializers.Field]) -> Callable[..., serializers.Field]:
    def make(_field: CustomField, common: dict[str, Any]) -> serializers.Field:
        return kind(**common)

    return make


_CUSTOM: dict[str, Callable[[CustomField, dict[str, Any]], serializers.Field]] = {
    "varchar": _varchar,
    "text": _text,
    "integer": _plain(WholeNumberField),
    "decimal": _decimal,
    "list": _list,
    "boolean": _plain(serializers.BooleanField),
    "date": _plain(serializers.DateField),
    "time": _plain(serializers.TimeField),
    "datetime": _plain(MomentField),
    "email": _plain(serializers.EmailField),
    "url": _plain(serializers.URLField),
    "ipaddress": _plain(serializers.IPAddressField),
    "slug": _plain(serializers.SlugField),
}


# --- people --------------------------------------------------------------------------------------


class UserSerializer(Wire):
    first_name = serializers.CharField(
        label="First name", required=False, allow_blank=True, max_length=150
    )
    last_name = serializers.CharField(
        label="Last name", required=False, allow_blank=True, max_length=150
    )
    username = serializers.CharField(
        label="Username",
        max_length=150,
        help_text="Up to 150 letters and digits, and @ . + - _.",
        validators=[
            RegexValidator(
                r"^[\w.@+-]+\Z",
                message="Enter a valid username. This value may contain only letters, numbers, "
                "and @/./+/-/_ characters.",
            )
        ],
    )
    email = serializers.EmailField(
        label="Email address", required=False, allow_blank=True, max_length=254
    )
    password = serializers.CharField(
        label="Password", write_only=True, style={"input_type": "password"}
    )


def given_customs(
    values: Mapping[str, Any], fields: Collection[CustomField]
) -> dict[CustomField, Any]:
    """What was validated of the custom fields, by field."""
    keys = {custom_key(field.name): field for field in fields}
    return {keys[key]: value for key, value in values.items() if key in keys}
