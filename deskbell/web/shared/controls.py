"""What forms consist of: controls with a value, options and an error; custom fields among them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from django.http import HttpRequest, QueryDict
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext

from deskbell.kernel.errors import Invalid
from deskbell.kernel.text import fold
from deskbell.tickets import fields
from deskbell.tickets.attachments import NewFile
from deskbell.tickets.fields import choice_pairs
from deskbell.tickets.models import CustomField

#: Behind this a name in a form is a custom field's.
CUSTOM = "custom_"

_KINDS = {
    "text": "textarea",
    "list": "select",
    "boolean": "checkbox",
    "date": "date",
    "time": "time",
    "datetime": "datetime-local",
    "email": "email",
    "url": "url",
}
_INPUT_MODES = {"integer": "numeric", "decimal": "decimal"}


@dataclass(frozen=True, slots=True)
class Option:
    """One line of a menu. ``pending``: choosing it asks until when."""

    value: str
    label: str
    pending: bool = False


@dataclass(slots=True)
class Control:
    """A field of a form. ``value`` is as it stands in the form, ``""`` for nothing."""

    name: str
    label: str
    kind: str = "text"
    value: str = ""
    options: Sequence[Option] = ()
    error: str = ""
    hint: str = ""
    required: bool = False
    limit: int | None = None
    mode: str = ""
    autocomplete: str = "off"
    #: What the form showed first; only what differs is a change.
    was: str | None = field(default=None)


def sentence(problem: Invalid) -> str:
    """What is wrong with a value, for the person who typed it."""
    limit = problem.params.get("limit")
    match problem.code:
        case "required":
            return gettext("Please fill this in.")
        case "too_long":
            return gettext("This is too long; at most %(limit)s characters fit.") % {"limit": limit}
        case "too_many":
            return gettext("These are too many; at most %(limit)s fit.") % {"limit": limit}
        case "unknown" | "not_a_choice":
            return gettext("This is not one of the choices any more.")
        case "not_installed":
            return gettext("The packages that this needs are not installed (extra “mailauth”).")
        case "not_selectable":
            return gettext("This cannot be chosen here.")
        case "inactive":
            return gettext("This group takes no new tickets.")
        case "not_an_address":
            return gettext("This is not an e-mail address: %(value)s") % {"value": problem.value}
        case "decimal_places":
            return gettext("At most %(limit)s digits may stand behind the point.") % {
                "limit": limit
            }
        case "digits":
            return gettext("At most %(limit)s digits fit.") % {"limit": limit}
        case _:
            return gettext("This cannot be read. Please check it.")


def show_problem(controls: Iterable[Control], problem: Invalid) -> str:
    """Put a problem at the control it is about; the sentence itself where no control is.

    Fields of the desk are called ``group_id`` where the form says ``group``; the description of a
    new ticket is its first text.
    """
    about = "body" if problem.field == "description" else problem.field
    names = {about, about.removesuffix("_id"), CUSTOM + about}
    for control in controls:
        if control.name in names:
            control.error = sentence(problem)
            return ""
    return f"{problem.field}: {sentence(problem)}"


def id_of(text: str) -> int | None:
    """A row's id out of a form; ``None`` for nothing and for what is none."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 18 else None


def moment_of(name: str, text: str) -> datetime | None:
    """A moment typed in the desk's zone, as UTC. Raises :class:`Invalid` (``bad``)."""
    if not text.strip():
        return None
    try:
        parsed = parse_datetime(text.strip())
        if parsed is None:
            raise Invalid(name, "bad", text)
        if parsed.tzinfo is None:
            parsed = timezone.make_aware(parsed)
        return parsed.astimezone(UTC)
    except (ValueError, OverflowError):
        raise Invalid(name, "bad", text) from None


def moment_text(value: datetime | None) -> str:
    """A moment as a form field shows it, in the desk's zone, to the minute."""
    if value is None:
        return ""
    return timezone.localtime(value).strftime("%Y-%m-%dT%H:%M")


def addresses_of(text: str) -> list[str]:
    """Addresses separated by commas, semicolons or blanks."""
    return [word for word in text.replace(",", " ").replace(";", " ").split() if word]


def words_of(text: str) -> list[str]:
    """Tags separated by commas, each once in whatever case, in order."""
    words: dict[str, str] = {}
    for part in text.split(","):
        if word := " ".join(part.split()):
            words.setdefault(fold(word), word)
    return list(words.values())


def files_of(request: HttpRequest, name: str = "files") -> list[NewFile]:
    """The files that came with a form."""
    return [
        NewFile(
            filename=file.name or "",
            content=file.read(),
            content_type=file.content_type or "",
        )
        for file in request.FILES.getlist(name)
    ]


# --- custom fields -------------------------------------------------------------------------------


def custom_controls(
    definitions: Iterable[CustomField], values: Mapping[str, Any], *, editing: bool = False
) -> list[Control]:
    """A control per custom field, showing stored values. ``editing`` remembers them as ``was``."""
    controls = []
    for definition in definitions:
        value = _as_typed(definition, values.get(definition.name))
        options = [Option(key, label) for key, label in choice_pairs(definition)]
        if definition.type == "list" and value and value not in {o.value for o in options}:
            options.append(Option(value, value))
        controls.append(
            Control(
                name=CUSTOM + definition.name,
                label=definition.label,
                kind=_KINDS.get(definition.type, "text"),
                value=value,
                options=[Option("", "–"), *options] if definition.type == "list" else (),
                hint=definition.help_text,
                required=definition.required,
                limit=definition.max_length,
                mode=_INPUT_MODES.get(definition.type, ""),
                was=value if editing else None,
            )
        )
    return controls


def _as_typed(definition: CustomField, value: Any) -> str:
    """A stored value as somebody would type it."""
    if value is None:
        return ""
    if definition.type == "boolean":
        return "on" if value else ""
    if definition.type == "datetime" and isinstance(value, str):
        return moment_text(parse_datetime(value))
    return value if isinstance(value, str) else json.dumps(value)


def read_custom(
    definitions: Iterable[CustomField],
    controls: Sequence[Control],
    posted: QueryDict,
    *,
    group_id: int | None,
) -> dict[str, Any]:
    """Stored values out of a form; wrong ones are said at their controls.

    Where a control remembers what it showed, only what differs is read. ``group_id`` is where
    required fields are asked for; a field that is changed to nothing is asked for, too.
    """
    by_name = {control.name: control for control in controls}
    values: dict[str, Any] = {}
    touched = []
    for definition in definitions:
        control = by_name[CUSTOM + definition.name]
        control.value = posted.get(control.name, "")
        if control.was is not None:
            control.was = posted.get(f"was-{control.name}", "")
            if control.value == control.was:
                continue
        touched.append(definition)
        try:
            values[definition.name] = _stored(definition, control)
        except Invalid as problem:
            control.error = sentence(problem)
    if group_id is not None:
        for name in fields.missing_required(touched, values, group_id):
            if not by_name[CUSTOM + name].error:
                by_name[CUSTOM + name].error = sentence(Invalid(name, "required"))
    return values


def _stored(definition: CustomField, control: Control) -> Any:
    if definition.type == "boolean":
        if control.value or control.was or definition.required:
            return bool(control.value)
        return None
    if definition.type == "datetime":
        return fields.clean(definition, moment_of(definition.name, control.value))
    return fields.clean(definition, control.value.strip() or None)


def shown_values(
    definitions: Iterable[CustomField], values: Mapping[str, Any]
) -> list[tuple[str, str]]:
    """Label and words of every custom field that has a value."""
    shown = []
    for definition in definitions:
        value = values.get(definition.name)
        if value is None or value == "":
            continue
        words = _as_typed(definition, value)
        if definition.type == "boolean":
            words = gettext("yes") if value else gettext("no")
        elif definition.type == "list":
            words = dict(choice_pairs(definition)).get(words, words)
        elif definition.type == "datetime":
            words = words.replace("T", " ")
        shown.append((definition.label, words))
    return shown
