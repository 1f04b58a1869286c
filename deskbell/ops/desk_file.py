"""The file that says how a desk is set up: its shape, reading it strictly, writing it.

Configuration that fits in git: every table is an entry, found by its name (a person by the login).
What an entry does not mention is left alone. TOML has no null, so ``""``, ``0`` and ``[]`` mean
that there is none.
"""

from __future__ import annotations

import difflib
import json
import tomllib
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from deskbell.kernel.actor import LEVELS
from deskbell.kernel.text import fold, is_storable
from deskbell.ops.cli import CommandError

Values = dict[str, Any]

_SMALL = 2**31


@dataclass(frozen=True, slots=True)
class Kind:
    """What may stand behind a key: a check, and how to say what would be right."""

    right: str
    fits: Callable[[Any], bool]
    empty: Any


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and is_storable(value)


def _is_whole(value: Any, low: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and low <= value < _SMALL


def _are_texts(value: Any) -> bool:
    return isinstance(value, list) and all(_is_text(text) and text for text in value)


def _are_levels(value: Any) -> bool:
    return isinstance(value, dict) and all(
        _is_text(name) and _are_texts(levels) and levels and set(levels) <= LEVELS
        for name, levels in value.items()
    )


def _are_choices(value: Any) -> bool:
    return isinstance(value, list) and all(
        (_is_text(choice) and choice) or (_are_texts(choice) and len(choice) == 2)
        for choice in value
    )


def _is_settings(value: Any) -> bool:
    return isinstance(value, dict) and all(
        _is_text(name)
        and (isinstance(each, bool) or _is_text(each) or _is_whole(each, 0) or _are_texts(each))
        for name, each in value.items()
    )


def _are_places(value: Any) -> bool:
    return isinstance(value, dict) and all(
        _is_text(name) and _is_text(place) for name, place in value.items()
    )


def one_of(*words: str) -> Kind:
    """One of some words."""
    named = ", ".join(word or '""' for word in words)
    return Kind(f"one of {named}", lambda value: value in words, words[0])


TEXT = Kind("a text", _is_text, "")
TEXTS = Kind("a list of texts", _are_texts, [])
SWITCH = Kind("true or false", lambda value: isinstance(value, bool), False)
COUNT = Kind("a whole number from 0", lambda value: _is_whole(value, 0), 0)
NUMBER = Kind("a whole number", lambda value: _is_whole(value, -_SMALL), 0)
GRANTS = Kind(
    f'a table such as {{Sales = ["full"]}} with the levels {", ".join(sorted(LEVELS))}',
    _are_levels,
    {},
)
SETTINGS = Kind('a table such as {host = "mail.example.com"}', _is_settings, {})
PLACES = Kind('a table such as {password = "env:NAME"}', _are_places, {})
CHOICES = Kind('a list of texts or of pairs ["key", "label"]', _are_choices, [])

STATE_TYPES = (
    "new",
    "open",
    "pending reminder",
    "pending action",
    "closed",
    "merged",
    "removed",
)
FIELD_TYPES = (
    "varchar",
    "text",
    "integer",
    "decimal",
    "list",
    "boolean",
    "date",
    "time",
    "datetime",
    "email",
    "url",
    "ipaddress",
    "slug",
)
CHANNEL_KINDS = ("imap", "pop3", "maildir", "listener", "pipe", "webhook")
ROUTE_KINDS = ("smtp", "provider")
LANGUAGES = ("en", "de")
QUOTING = ("none", "last", "all")
#: Keys that name where a secret is: they are read, and never written.
SECRET_KEYS = ("password_file", "password_env", "secrets")
FOLLOW_UP = ("yes", "new_ticket", "new_ticket_after_certain_time")

#: The keys of each kind of entry, in the order in which they are written.
SECTIONS: dict[str, dict[str, Kind]] = {
    "organization": {
        "name": TEXT,
        "shared": SWITCH,
        "domain": TEXT,
        "domain_assignment": SWITCH,
        "vip": SWITCH,
        "note": TEXT,
        "active": SWITCH,
    },
    "group": {
        "name": TEXT,
        "slug": TEXT,
        "email": TEXT,
        "sender_name": TEXT,
        "new_ticket_cc": TEXTS,
        "updated_ticket_cc": TEXTS,
        "default_owner": TEXT,
        "escalate_days": COUNT,
        "follow_up_possible": one_of(*FOLLOW_UP),
        "reopen_time_in_days": COUNT,
        "follow_up_assignment": SWITCH,
        "note": TEXT,
        "active": SWITCH,
    },
    "role": {
        "name": TEXT,
        "permissions": TEXTS,
        "groups": GRANTS,
        "default_at_signup": SWITCH,
        "note": TEXT,
        "active": SWITCH,
    },
    "user": {
        "login": TEXT,
        "email": TEXT,
        "firstname": TEXT,
        "lastname": TEXT,
        "roles": TEXTS,
        "groups": GRANTS,
        "organization": TEXT,
        "phone": TEXT,
        "mobile": TEXT,
        "department": TEXT,
        "vip": SWITCH,
        "note": TEXT,
        "active": SWITCH,
        "password_file": TEXT,
    },
    "state": {
        "name": TEXT,
        "type": one_of(*STATE_TYPES),
        "next_state": TEXT,
        "ignore_escalation": SWITCH,
        "default_create": SWITCH,
        "default_follow_up": SWITCH,
        "note": TEXT,
        "active": SWITCH,
    },
    "priority": {
        "name": TEXT,
        "default_create": SWITCH,
        "ui_icon": TEXT,
        "ui_color": TEXT,
        "note": TEXT,
        "active": SWITCH,
    },
    "custom_field": {
        "name": TEXT,
        "label": TEXT,
        "type": one_of(*FIELD_TYPES),
        "max_length": COUNT,
        "max_digits": COUNT,
        "decimal_places": COUNT,
        "choices": CHOICES,
        "required": SWITCH,
        "staff_only": SWITCH,
        "groups": TEXTS,
        "order": NUMBER,
        "help_text": TEXT,
        "active": SWITCH,
    },
    "channel": {
        "name": TEXT,
        "kind": one_of(*CHANNEL_KINDS),
        "group": TEXT,
        "interval": COUNT,
        "active": SWITCH,
        "settings": SETTINGS,
        "secrets": PLACES,
        "password_file": TEXT,
        "password_env": TEXT,
    },
    "route": {
        "name": TEXT,
        "kind": one_of(*ROUTE_KINDS),
        "is_default": SWITCH,
        "active": SWITCH,
        "settings": SETTINGS,
        "secrets": PLACES,
    },
    "group_sending": {
        "group": TEXT,
        "route": TEXT,
        "language": one_of("", *LANGUAGES),
        "quoting": one_of(*QUOTING),
    },
    "mail_text": {
        "name": TEXT,
        "language": one_of(*LANGUAGES),
        "group": TEXT,
        "body": TEXT,
    },
    "ignore_rule": {
        "what": one_of("address", "domain", "header"),
        "pattern": TEXT,
        "group": TEXT,
        "action": one_of("ignore", "quiet"),
        "note": TEXT,
        "active": SWITCH,
    },
    "mail_rules": {
        "hook": TEXT,
        "search_in": TEXTS,
        "max_message_mb": COUNT,
        "own_addresses": TEXTS,
        "tagged_addresses": TEXTS,
        "verify_senders": SWITCH,
        "customer_of_agent": SWITCH,
        "acknowledgements_per_sender": COUNT,
        "mails_per_sender": COUNT,
        "mails_per_ticket": COUNT,
        "raw_mail_days": COUNT,
    },
}


@dataclass(frozen=True, slots=True)
class Entry:
    """One table of the file: what it is about, and what it says. ``place`` is for people."""

    section: str
    name: str
    values: Values
    place: str

    @property
    def key(self) -> str:
        """Under which two spellings of the name are the same."""
        return fold(self.name)

    @property
    def title(self) -> str:
        """What it is about, for people."""
        return f'{self.section} "{self.name}"'

    def without(self, keys: Collection[str]) -> Entry:
        """The entry without some keys."""
        return replace(self, values={k: v for k, v in self.values.items() if k not in keys})

    def only(self, keys: Collection[str]) -> Entry:
        """The entry with some keys alone."""
        return replace(self, values={k: v for k, v in self.values.items() if k in keys})

    def is_the_one(self, switches: Collection[str]) -> bool:
        """Whether it turns one of the switches on."""
        return any(self.values.get(key) is True for key in switches)

    def wrong(self, what: str) -> CommandError:
        """A failure that says where in the file it is."""
        return CommandError(f"{self.place}: {what}.")


def read(path: Path) -> dict[str, list[Entry]]:
    """All entries by section. Raises CommandError with one sentence that says where and what."""
    try:
        tree = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise CommandError(f"{path} cannot be read: {reason}.") from error
    entries: dict[str, list[Entry]] = {section: [] for section in SECTIONS}
    for section, tables in tree.items():
        if section not in SECTIONS:
            raise CommandError(f"{path}: unknown section [[{section}]]{near(section, SECTIONS)}.")
        if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
            raise CommandError(f"{path}: {section} must be written as [[{section}]] tables.")
        entries[section] = [
            _entry(path, section, number, table) for number, table in enumerate(tables, start=1)
        ]
        _refuse_doubles(entries[section])
    return entries


def _entry(path: Path, section: str, number: int, table: Values) -> Entry:
    keys = SECTIONS[section]
    place = f"{path}, [[{section}]] number {number}"
    for key, value in table.items():
        if key not in keys:
            raise CommandError(f"{place}: unknown key {key!r}{near(key, keys)}.")
        if not keys[key].fits(value):
            raise CommandError(f"{place}: {key} must be {keys[key].right}, not {_shown(value)}.")
    name = _name_of(section, table)
    if not name:
        needed = {
            "user": "login or email",
            "ignore_rule": "what and a pattern",
            "group_sending": "group",
            "mail_text": "name and a language",
        }
        raise CommandError(f"{place} needs a {needed.get(section, 'name')}.")
    return Entry(section, name, table, f"{place} ({name})")


def _name_of(section: str, table: Values) -> str:
    """What an entry is found by; empty where it does not say."""
    if section == "mail_rules":
        return "all"
    if section == "ignore_rule":
        what, pattern, group = (table.get(key, "") for key in ("what", "pattern", "group"))
        if not (what and pattern.strip()):
            return ""
        return f"{what} {pattern.strip()}" + (f" for {group.strip()}" if group.strip() else "")
    if section == "group_sending":
        return str(table.get("group", "")).strip()
    if section == "mail_text":
        name, language, group = (
            table.get(key, "").strip() for key in ("name", "language", "group")
        )
        if not (name and language):
            return ""
        return f"{name} {language}" + (f" for {group}" if group else "")
    if section == "user" and not table.get("login", "").strip():
        # As at the command line: who has no login signs in with his address.
        return str(table.get("email", "")).strip().lower()
    return str(table.get("login" if section == "user" else "name", "")).strip()


def _refuse_doubles(entries: Iterable[Entry]) -> None:
    seen: dict[str, Entry] = {}
    for entry in entries:
        if entry.key in seen:
            raise entry.wrong("the same name stands in an earlier entry")
        seen[entry.key] = entry


def near(word: str, known: Iterable[str]) -> str:
    """Names a known word that is like it, as the end of a sentence; else nothing."""
    matches = difflib.get_close_matches(word, list(known), n=1)
    return f"; perhaps {matches[0]!r} is meant" if matches else ""


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else text[:79] + "…"


# --- writing -------------------------------------------------------------------------------------

_HEAD = """\
# How this desk is set up, written by `deskbell export --config`, read by `deskbell apply`.
# What an entry does not mention is left alone; "", 0 and [] mean that there is none.
"""


def written(desk: Mapping[str, Iterable[Values]]) -> str:
    """The file for a desk as :mod:`deskbell.ops.desk_state` gives it."""
    parts = [_HEAD]
    for section in SECTIONS:
        for values in desk.get(section, ()):
            lines = [f"{key} = {toml(value)}" for key, value in values.items()]
            parts.append("\n".join([f"[[{section}]]", *lines]) + "\n")
    return "\n".join(parts)


def toml(value: Any) -> str:
    """A value as TOML writes it on one line."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str):
        # JSON's strings are TOML's, except that TOML wants DEL escaped as well.
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, list):
        return "[" + ", ".join(toml(item) for item in value) + "]"
    if isinstance(value, dict):
        inside = ", ".join(f"{toml(key)} = {toml(item)}" for key, item in value.items())
        return "{" + inside + "}"
    raise TypeError(f"no TOML for {type(value).__name__}")
