"""Settings of a channel or a route: dataclasses whose fields say what may be set.

A field is a text, a ``bool``, an ``int`` (0 to 65535), a tuple of texts, or a ``Literal`` of the
texts that may be chosen. Values come as they are stored (:func:`checked`), or as somebody types
them in a form or on the command line (:func:`read`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from typing import Any, Literal, get_args, get_origin, get_type_hints

from deskbell.kernel.errors import Invalid
from deskbell.kernel.text import is_storable

YES = frozenset({"on", "yes", "true", "1"})
NO = frozenset({"", "off", "no", "false", "0"})
TEXT_LIMIT = 500
LIST_LIMIT = 100


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting: how it is typed, what may be chosen, what it is unless said.

    ``type`` is ``text``, ``bool``, ``int``, ``list`` or ``choice``.
    """

    name: str
    type: str
    choices: tuple[str, ...]
    default: Any
    required: bool


def settings_of(shape: type[Any]) -> tuple[Setting, ...]:
    """The settings of a shape, in the order in which they are asked for."""
    hints = get_type_hints(shape)
    found = []
    for field in fields(shape):
        hint = hints[field.name]
        choices = get_args(hint) if get_origin(hint) is Literal else ()
        named = "choice" if choices else {bool: "bool", int: "int", str: "text"}.get(hint, "list")
        needed = field.default is MISSING
        default = "" if needed else field.default
        found.append(Setting(field.name, named, choices, default, needed))
    return tuple(found)


def checked(shape: type[Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """The stored values that were given, each of its type. Raises :class:`Invalid` by name."""
    known = {setting.name: setting for setting in settings_of(shape)}
    for name in given:
        if name not in known:
            raise Invalid(name, "unknown", given[name])
    return {name: _checked(each, given[name]) for name, each in known.items() if name in given}


def _checked(setting: Setting, value: Any) -> Any:
    name = setting.name
    match setting.type:
        case "bool":
            if not isinstance(value, bool):
                raise Invalid(name, "bad", value)
            return value
        case "int":
            if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= 65535:
                raise Invalid(name, "bad", value)
            return value
        case "list":
            if not isinstance(value, list | tuple) or len(value) > LIST_LIMIT:
                raise Invalid(name, "bad", value)
            return tuple(text(name, each) for each in value)
    words = text(name, value)
    if setting.choices and words not in setting.choices:
        raise Invalid(name, "not_selectable", value)
    return words


def text(name: str, value: Any, *, limit: int = TEXT_LIMIT) -> str:
    """A text of one printable line. Raises :class:`Invalid` (``bad``, ``too_long``)."""
    if not isinstance(value, str) or not is_storable(value):
        raise Invalid(name, "bad", value)
    words = value.strip()
    if len(words) > limit:
        raise Invalid(name, "too_long", None, limit=limit)
    if not words.isprintable():
        raise Invalid(name, "bad", value)
    return words


def read(shape: type[Any], typed: Mapping[str, str]) -> dict[str, Any]:
    """Values of settings from their texts. Raises :class:`Invalid`; sense is checked later."""
    known = {setting.name: setting for setting in settings_of(shape)}
    values: dict[str, Any] = {}
    for name, words in typed.items():
        if name not in known:
            raise Invalid(name, "unknown", words)
        values[name] = _value(known[name], words.strip())
    return values


def _value(setting: Setting, words: str) -> Any:
    match setting.type:
        case "bool":
            if words.lower() not in YES | NO:
                raise Invalid(setting.name, "bad", words)
            return words.lower() in YES
        case "int":
            if not words:
                return setting.default
            if not (words.isascii() and words.isdigit() and len(words) <= 9):
                raise Invalid(setting.name, "bad", words)
            return int(words)
        case "list":
            return [part for part in words.replace(",", " ").split() if part]
    return words


def shown(setting: Setting, value: Any) -> str:
    """A value as it is typed."""
    if isinstance(value, bool):
        return "on" if value else ""
    if setting.type == "int" and not value:
        return ""
    if isinstance(value, list | tuple):
        return ", ".join(value)
    return str(value)
