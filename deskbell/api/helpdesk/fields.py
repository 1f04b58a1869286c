"""Fields whose reading or texts differ from the framework's own."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.fields import empty

from deskbell.api.helpdesk.names import EXTENSIONS
from deskbell.tickets.attachments import NewFile, clean_filename
from deskbell.tickets.operations.articles import SECONDS_LIMIT

REQUIRED = "This field is required."


class Shown(serializers.Field):
    """A field that is read only, or taken and passed over: whoever writes is the caller."""

    def to_internal_value(self, data: Any) -> Any:
        return data

    def to_representation(self, value: Any) -> Any:
        return value

    def run_validation(self, data: Any = empty) -> Any:
        raise serializers.SkipField


class PkField(serializers.Field):
    """The id of another row; the serializer's ``lookups`` say which ones the caller may name.

    Mirrors PrimaryKeyRelatedField without a queryset: access is asked through the door. An empty
    text reads as null, as related fields of the framework read it.
    """

    default_error_messages = {
        "does_not_exist": 'Invalid pk "{pk_value}" - object does not exist.',
        "incorrect_type": "Incorrect type. Expected pk value, received {data_type}.",
    }

    def run_validation(self, data: Any = empty) -> Any:
        return super().run_validation(None if data == "" else data)

    def to_internal_value(self, data: Any) -> int:
        if isinstance(data, bool) or not isinstance(data, int | float | str):
            self.fail("incorrect_type", data_type=type(data).__name__)
        try:
            id_ = int(data)
        except OverflowError:
            self.fail("does_not_exist", pk_value=data)
        except ValueError:
            self.fail("incorrect_type", data_type=type(data).__name__)
        if not 0 < id_ < 2**63 or not self._exists(id_):
            self.fail("does_not_exist", pk_value=data)
        return id_

    def _exists(self, id_: int) -> bool:
        parent: Any = self.parent
        return bool(parent.exists(self.field_name)(id_))

    def to_representation(self, value: Any) -> Any:
        return value


class OpeningText(serializers.CharField):
    """The description of a new ticket: the one text that must not be missing, null or empty."""

    def run_validation(self, data: Any = empty) -> Any:
        if data in (empty, None, "") or (isinstance(data, str) and not data.strip()):
            raise ValidationError(REQUIRED)
        return super().run_validation(data)


class MomentField(serializers.DateTimeField):
    """A moment in UTC; one without a zone is meant in the desk's. A form empties it with ``""``."""

    def get_value(self, dictionary: Any) -> Any:
        value = super().get_value(dictionary)
        return None if value == "" and hasattr(dictionary, "getlist") else value

    def to_internal_value(self, value: Any) -> datetime:
        moment = super().to_internal_value(value)
        try:
            return moment.astimezone(UTC)
        except OverflowError:
            self.fail("overflow")


class SpentField(serializers.DurationField):
    """Time spent, in whole seconds; what the framework cannot lay out is text already."""

    def to_internal_value(self, value: Any) -> int:  # type: ignore[override]
        if isinstance(value, bool | list | dict):
            self.fail("invalid", format="[DD] [HH:[MM:]]ss[.uuuuuu]")
        try:
            duration: timedelta = super().to_internal_value(value)
        except OverflowError:
            raise ValidationError(self._out_of_range()) from None
        seconds = int(duration.total_seconds())
        if not 0 <= seconds <= SECONDS_LIMIT or duration < timedelta(0):
            raise ValidationError(self._out_of_range())
        return seconds

    @staticmethod
    def _out_of_range() -> str:
        return f"Ensure this duration is between 0 and {SECONDS_LIMIT} seconds."

    def to_representation(self, value: Any) -> Any:
        return value


class UploadField(serializers.FileField):
    """An uploaded file: not empty, and of a kind that may be uploaded here."""

    def to_internal_value(self, data: Any) -> NewFile:  # type: ignore[override]
        upload: Any = super().to_internal_value(data)
        name = clean_filename(upload.name)
        # Both spellings are looked at: what is invisible in a name must not hide its ending.
        for spelling in (upload.name, name):
            ending = os.path.splitext(spelling)[1].lower()
            if ending not in EXTENSIONS:
                raise ValidationError(f"Unsupported file extension: {ending}")
        return NewFile(filename=name, content=upload.read(), content_type=upload.content_type or "")

    def to_representation(self, value: Any) -> Any:
        return value


class TextDecimalField(serializers.DecimalField):
    """A number with a fixed point, read and stored as text."""

    def to_internal_value(self, data: Any) -> Decimal:
        if isinstance(data, bool):
            self.fail("invalid")
        return super().to_internal_value(data)

    def to_representation(self, value: Any) -> Any:
        return value


class WholeNumberField(serializers.IntegerField):
    """An integer; neither booleans nor what 64 bits cannot hold."""

    def to_internal_value(self, data: Any) -> int:
        if isinstance(data, bool):
            self.fail("invalid")
        number: int = super().to_internal_value(data)
        if not -(2**63) <= number < 2**63:
            self.fail("invalid")
        return number
