"""Settings of a channel as somebody types them, in a form or on the command line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from typing import Any

from deskbell.kernel.errors import Invalid
from deskbell.mail.intake.channels import _CHOICES, SETTINGS

YES = frozenset({"on", "yes", "true", "1"})
NO = frozenset({"", "off", "no", "false", "0"})


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting of a kind: how it is typed, what may be chosen, what it is unless said."""

    name: str
    type: str
    choices: tuple[str, ...]
    default: Any
    required: bool


def settings_of_kind(kind: str) -> list[Setting]:
    """The settings of a kind, in the order in which they are asked for."""
    found = []
    for field in fields(SETTINGS[kind]):
        wanted = str(field.type).replace('"', "'")
        choices = tuple(_CHOICES.get(wanted, ()))
        type_ = "choice" if choices else {"bool": "bool", "int": "int"}.get(wanted, "text")
        if wanted.startswith("tuple"):
            type_ = "list"
        needed = field.default is MISSING
        default = "" if needed else field.default
        found.append(Setting(field.name, type_, choices, default, needed))
    return found


def read(kind: str, typed: Mapping[str, str]) -> dict[str, Any]:
    """Values of settings from their texts. Raises :class:`Invalid`; sense is checked later."""
    known = {setting.name: setting for setting in settings_of_kind(kind)}
    values: dict[str, Any] = {}
    for name, text in typed.items():
        if name not in known:
            raise Invalid(name, "unknown", text)
        values[name] = _value(known[name], text.strip())
    return values


def _value(setting: Setting, text: str) -> Any:
    match setting.type:
        case "bool":
            if text.lower() not in YES | NO:
                raise Invalid(setting.name, "bad", text)
            return text.lower() in YES
        case "int":
            if not text:
                return setting.default
            if not (text.isascii() and text.isdigit() and len(text) <= 9):
                raise Invalid(setting.name, "bad", text)
            return int(text)
        case "list":
            return [part for part in text.replace(",", " ").split() if part]
    return text


def shown(setting: Setting, value: Any) -> str:
    """A value as it is typed."""
    if isinstance(value, bool):
        return "on" if value else ""
    if setting.type == "int" and not value:
        return ""
    if isinstance(value, list | tuple):
        return ", ".join(value)
    return str(value)
