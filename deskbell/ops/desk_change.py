"""Bringing the desk to what a file says.

The file is compared with how the desk is set up now; what differs goes through the same operations
as everywhere else, in one transaction, and is told line by line. A second run finds nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from django.contrib.auth.hashers import check_password
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.validators import validate_slug
from django.db import transaction
from django.db.models import CharField

from deskbell.kernel.actor import NOBODY_ID
from deskbell.kernel.errors import DeskError, Invalid
from deskbell.kernel.text import fold
from deskbell.mail import policy
from deskbell.mail.intake import ignoring
from deskbell.mail.models import (
    GroupSending,
    IgnoreRule,
    MailChannel,
    MailPolicy,
    MailRoute,
    MailText,
)
from deskbell.mail.sending import routes
from deskbell.mail.writing import rewording
from deskbell.mail.writing.texts import TEXTS
from deskbell.ops import desk_mail
from deskbell.ops.desk_file import SECRET_KEYS, SECTIONS, Entry, Values, near, read, toml
from deskbell.ops.desk_state import FOR_TYPES, described, described_rule, described_user
from deskbell.ops.user import actor, sentence
from deskbell.people.models import Group, Organization, Permission, Role, User
from deskbell.people.operations import (
    NewUser,
    change_user,
    create_user,
    save_group,
    save_organization,
    save_role,
)
from deskbell.tickets.models import CustomField, Priority, State
from deskbell.tickets.operations.defining import save_custom_field
from deskbell.tickets.operations.naming import save_priority, save_state
from deskbell.tickets.vocabulary import STATE_TYPE_NAMES

#: Keys that speak about other entries: set when all entries of the section are there.
LATER = {
    "group": ("default_owner",),
    "state": ("next_state", "default_create", "default_follow_up"),
    "priority": ("default_create",),
}
#: Of these switches exactly one row of a section has it on.
ONE_OF_ALL = ("default_create", "default_follow_up")
#: What the desk makes up itself where nothing is said must not be said to be empty.
NEVER_EMPTY = ("name", "login", "slug", "label", "roles")
PASSWORD_BYTES = 4096

_MODELS: dict[str, Any] = {
    "organization": Organization,
    "group": Group,
    "role": Role,
    "user": User,
    "state": State,
    "priority": Priority,
    "custom_field": CustomField,
    "channel": MailChannel,
    "route": MailRoute,
    "group_sending": GroupSending,
    "mail_text": MailText,
    "ignore_rule": IgnoreRule,
    "mail_rules": MailPolicy,
}
#: Keys behind which the name of another row stands.
_ROWS: dict[str, Any] = {
    "organization": Organization,
    "next_state": State,
    "group": Group,
    "route": MailRoute,
}
_TYPES = {name: int(type_) for type_, name in STATE_TYPE_NAMES.items()}

Found = tuple[int, Values]
#: Saves what an entry says about a row (``None``: a new one), through the operation.
Save = Callable[[Entry, Values, "int | None"], object]


def apply(path: Path, *, at: datetime, dry_run: bool = False) -> list[str]:
    """Bring the desk to what the file says; what was changed, a line each.

    A line begins with ``+`` for something new, with ``~`` for a key that is different now. Raises
    CommandError with one sentence and the place in the file; nothing is written then.
    """
    entries = read(path)
    with transaction.atomic():
        lines = _Run(path, at).through(entries)
        if dry_run:
            transaction.set_rollback(True)
    return lines


@dataclass
class _Run:
    """One run: where the file is, the moment, what was changed so far."""

    path: Path
    at: datetime
    lines: list[str] = field(default_factory=list)
    _known: dict[str, list[Values]] | None = None

    def through(self, entries: Mapping[str, list[Entry]]) -> list[str]:
        savers: dict[str, Save] = {
            "organization": self._organization,
            "group": self._group,
            "role": self._role,
            "user": self._user,
            "state": self._state,
            "priority": self._priority,
            "custom_field": self._custom_field,
            "channel": self._channel,
            "route": self._route,
            "group_sending": self._group_sending,
            "mail_text": self._mail_text,
            "ignore_rule": self._ignore_rule,
            "mail_rules": self._mail_rules,
        }
        for section, save in savers.items():
            for entry in entries[section]:
                self._bring(entry.without(LATER.get(section, ())), save)
        for section, keys in LATER.items():
            later = [entry.only(keys) for entry in entries[section]]
            _refuse_two_of_one(later)
            # Whoever becomes the one goes first, so that the others can cease to be it.
            for entry in sorted(later, key=lambda entry: not entry.is_the_one(ONE_OF_ALL)):
                if entry.values:
                    self._bring(entry, savers[section])
        return self.lines

    # --- comparing -------------------------------------------------------------------------------

    def _bring(self, entry: Entry, save: Save) -> None:
        """Compare an entry with its row and save what differs."""
        found = self._found(entry)
        row_id, present = (None, {}) if found is None else found
        given = {
            key: self._usual(entry, key, value)
            for key, value in entry.values.items()
            if key not in SECRET_KEYS
        }
        if "settings" in given:
            given["settings"] = desk_mail.settings_said(entry, present)
        _check(entry, given)
        if entry.section == "custom_field":
            _leave_out_what_says_nothing(entry, given, present)
        changed = {
            key: value
            for key, value in given.items()
            if found is None or _said(entry.section, present, key) != value
        }
        secret = self._secret(entry, row_id)
        if found is not None and not changed and not secret:
            return
        try:
            save(entry, {**changed, **secret}, row_id)
        except DeskError as error:
            raise entry.wrong(sentence(error).rstrip(".")) from error
        self._known = None
        self._tell(entry, changed, present, created=found is None)
        names = sorted(secret.get("secrets", secret))
        self.lines += [f"~ {entry.title}: {name}" for name in names]
        for key in ONE_OF_ALL:
            if changed.get(key) is False and self._still_the_one(entry, key):
                raise entry.wrong(f"{key} must be true for exactly one {entry.section}")

    def _tell(self, entry: Entry, changed: Values, present: Values, *, created: bool) -> None:
        if created:
            words = [
                f"{key} = {toml(value)}"
                for key, value in changed.items()
                if key not in ("name", "login")
            ]
            self.lines.append(f"+ {entry.title}" + (f": {', '.join(words)}" if words else ""))
            return
        self.lines += [
            f"~ {entry.title}: {key} {toml(_shown(entry.section, present, key))} -> {toml(value)}"
            for key, value in changed.items()
        ]

    def _still_the_one(self, entry: Entry, key: str) -> bool:
        found = self._found(entry)
        return found is not None and found[1][key] is True

    def _found(self, entry: Entry) -> Found | None:
        """The id of the row that an entry is about, and what it says now."""
        if entry.section == "user":
            return _found_user(entry)
        if entry.section == "mail_rules":
            return 1, policy.as_values(policy.present())
        if entry.section == "ignore_rule":
            return _found_rule(entry)
        if entry.section == "group_sending":
            group_id, _ = _named(entry, "group", Group, entry.name)
            return group_id, desk_mail.described_sending(routes.sending_of(group_id))
        if entry.section == "mail_text":
            return _found_text(entry)
        rows = _MODELS[entry.section].objects
        if entry.section == "custom_field":
            rows = rows.filter(name=entry.name)
        else:
            rows = rows.filter(name_key=entry.key)
        row_id = rows.values_list("id", flat=True).first()
        if row_id is None:
            return None
        if self._known is None:
            self._known = described()
        rows = self._known[entry.section]
        return row_id, next(row for row in rows if fold(row["name"]) == entry.key)

    def _usual(self, entry: Entry, key: str, value: Any) -> Any:
        """A value the way it is described: rows by their present names, sets in order."""
        if key in ("name", "login", "email", "slug", "label"):
            return value.strip()
        if key == "body":
            return desk_mail.text_said(entry)
        if entry.section in ("ignore_rule", "mail_rules"):
            return _of_mail(entry, key, value)
        if key == "groups" and isinstance(value, dict):
            levels = {_named(entry, key, Group, name)[1]: set(value[name]) for name in value}
            return {
                name: ["full"] if "full" in levels[name] else sorted(levels[name])
                for name in sorted(levels)
            }
        if key in ("groups", "roles"):
            rows: Any = Group if key == "groups" else Role
            return sorted({_named(entry, key, rows, name)[1] for name in value})
        if key == "permissions":
            return sorted(set(value))
        if key == "default_owner":
            return _person(entry, key, value).login if value else ""
        if key in _ROWS:
            rows = _ROWS[key]
            return _named(entry, key, rows, value)[1] if value else ""
        return value

    def _secret(self, entry: Entry, row_id: int | None) -> Values:
        """What nobody may read and is another one now: a password, or several secrets by name."""
        if entry.section in ("channel", "route"):
            told = desk_mail.new_secrets(entry, row_id, self.path.parent)
            return {"secrets": told} if told else {}
        password = self._new_password(entry, row_id)
        return {} if password is None else {"password": password}

    def _new_password(self, entry: Entry, user_id: int | None) -> str | None:
        """The password in the file beside, unless it is the person's already."""
        name = entry.values.get("password_file")
        if not name:
            return None
        password = _password_in(entry, self.path.parent / Path(name).expanduser(), name)
        user = None if user_id is None else User.objects.get(pk=user_id)
        if user is not None and check_password(password, user.password):
            return None
        about = user or User(login=entry.name, email=str(entry.values.get("email", "")))
        try:
            validate_password(password, about)
        except ValidationError as error:
            words = " ".join(error.messages).rstrip(".")
            raise entry.wrong(f"the password file {name!r}: {words}") from error
        return password

    # --- saving ----------------------------------------------------------------------------------

    @property
    def _who(self) -> dict[str, Any]:
        return {"actor": actor(), "at": self.at}

    def _organization(self, entry: Entry, values: Values, row_id: int | None) -> None:
        save_organization(row_id, {"name": entry.name, **values}, **self._who)

    def _group(self, entry: Entry, values: Values, row_id: int | None) -> None:
        columns = _or_null(values, "escalate_days", "reopen_time_in_days")
        if "default_owner" in columns:
            owner = columns.pop("default_owner")
            columns["default_owner_id"] = (
                _person(entry, "default_owner", owner).pk if owner else None
            )
        if slug := columns.get("slug"):
            other = Group.objects.filter(slug=slug).exclude(pk=row_id or 0).first()
            if other is not None:
                raise entry.wrong(f"slug {slug!r} belongs to the group {other.name!r}")
        save_group(row_id, _with_name(entry, columns, row_id), **self._who)

    def _role(self, entry: Entry, values: Values, row_id: int | None) -> None:
        columns = dict(values)
        permissions = columns.pop("permissions", None)
        known = set(Permission.objects.values_list("name", flat=True))
        for name in permissions or ():
            if name not in known:
                raise entry.wrong(f"there is no permission {name!r}{near(name, known)}")
        groups = _levels(entry, columns.pop("groups", None))
        columns = _with_name(entry, columns, row_id)
        save_role(row_id, columns, permissions=permissions, groups=groups, **self._who)

    def _user(self, entry: Entry, values: Values, row_id: int | None) -> None:
        columns = dict(values)
        columns.pop("login", None)
        roles = columns.pop("roles", None)
        groups = _levels(entry, columns.pop("groups", None))
        told: dict[str, Any] = {
            "email": columns.pop("email", None),
            "password": columns.pop("password", None),
            "roles": None if roles is None else [_named(entry, "roles", Role, r)[0] for r in roles],
        }
        organization = columns.pop("organization", None)
        organization_id = (
            _named(entry, "organization", Organization, organization)[0] if organization else None
        )
        if row_id is not None:
            if organization is not None:
                told["organization_id"] = organization_id
            login = entry.name if "login" in values else None
            change_user(row_id, columns=columns, login=login, groups=groups, **told, **self._who)
            return
        told["email"] = told["email"] or ""
        for name in ("firstname", "lastname"):
            told[name] = columns.pop(name, "")
        user = create_user(
            NewUser(
                login=entry.name,
                groups=groups or {},
                organization_id=organization_id,
                columns=columns,
                **told,
            ),
            **self._who,
        )
        if organization == "" and user.organization_id is not None:
            # The domain of the address brought one, but the file says that there is none.
            change_user(user.pk, organization_id=None, **self._who)

    def _state(self, entry: Entry, values: Values, row_id: int | None) -> None:
        columns = _or_null(values, "note")
        if "type" in columns:
            columns["type"] = _TYPES[columns["type"]]
        if "next_state" in columns:
            following = columns.pop("next_state")
            columns["next_state_id"] = (
                _named(entry, "next_state", State, following)[0] if following else None
            )
        save_state(row_id, _with_name(entry, columns, row_id), **self._who)

    def _priority(self, entry: Entry, values: Values, row_id: int | None) -> None:
        columns = _or_null(values, "note", "ui_icon", "ui_color")
        save_priority(row_id, _with_name(entry, columns, row_id), **self._who)

    def _channel(self, entry: Entry, values: Values, row_id: int | None) -> None:
        group = values.get("group")
        group_id = _named(entry, "group", Group, group)[0] if group else None
        desk_mail.save_channel(entry, values, row_id, group_id=group_id, **self._who)

    def _route(self, entry: Entry, values: Values, row_id: int | None) -> None:
        desk_mail.save_route(entry, values, row_id, **self._who)

    def _custom_field(self, entry: Entry, values: Values, row_id: int | None) -> None:
        columns = _or_null(values, "max_length", "max_digits")
        columns.pop("name", None)
        type_ = columns.pop("type", "")
        if row_id is not None and type_:
            raise entry.wrong("type cannot change, values are stored in it")
        groups = columns.pop("groups", None)
        save_custom_field(
            row_id,
            columns,
            name=entry.name,
            type_=type_,
            groups=None
            if groups is None
            else [_named(entry, "groups", Group, g)[0] for g in groups],
            **self._who,
        )

    def _group_sending(self, entry: Entry, values: Values, row_id: int | None) -> None:
        assert row_id is not None
        told: dict[str, Any] = {
            key: values[key] for key in ("language", "quoting") if key in values
        }
        if "route" in values:
            name = values["route"]
            told["route_id"] = _named(entry, "route", MailRoute, name)[0] if name else None
        routes.save_sending(row_id, actor=actor(), **told)

    def _mail_text(self, entry: Entry, values: Values, row_id: int | None) -> None:
        if "body" not in values:
            raise entry.wrong("a new text needs a body")
        rewording.save_text(_place(entry), values["body"], **self._who)

    def _ignore_rule(self, entry: Entry, values: Values, row_id: int | None) -> None:
        stored = _found_rule(entry)
        said = {**(stored[1] if stored else {}), **values}
        group = said.get("group", "")
        new = ignoring.NewRule(
            what=said["what"],
            pattern=said["pattern"],
            action=said.get("action", IgnoreRule.Action.IGNORE),
            group_id=_named(entry, "group", Group, group)[0] if group else None,
            active=said.get("active", True),
            note=said.get("note", ""),
        )
        ignoring.save_rule(new, rule_id=row_id, **self._who)

    def _mail_rules(self, entry: Entry, values: Values, row_id: int | None) -> None:
        policy.save(values, **self._who)


# --- what is said --------------------------------------------------------------------------------


def _said(section: str, present: Values, key: str) -> Any:
    """What a row says under a key; a key that says nothing there is as good as an empty one."""
    if key == "decimal_places":
        return present.get(key)  # none at all is not the same as 0
    return _shown(section, present, key)


def _shown(section: str, present: Values, key: str) -> Any:
    return present.get(key, SECTIONS[section][key].empty)


def _or_null(values: Values, *keys: str) -> Values:
    """The values, with null where the file says that there is none."""
    return {key: (value or None) if key in keys else value for key, value in values.items()}


def _with_name(entry: Entry, columns: Values, row_id: int | None) -> Values:
    return {"name": entry.name, **columns} if row_id is None else columns


def _check(entry: Entry, given: Values) -> None:
    """What the operations leave to their callers: empty words, texts that do not fit, slugs."""
    columns = {column.name: column for column in _MODELS[entry.section]._meta.concrete_fields}
    for key, value in given.items():
        if key in NEVER_EMPTY and not value:
            raise entry.wrong(f"{key} must not be empty; leave it out")
        column = columns.get(key)
        limit = column.max_length if isinstance(column, CharField) else None
        if limit is not None and isinstance(value, str) and len(value) > limit:
            raise entry.wrong(f"{key} is longer than {limit} characters")
    if "slug" in given:
        try:
            validate_slug(given["slug"])
        except ValidationError:
            raise entry.wrong(
                f"slug {given['slug']!r} may have letters, digits, hyphens and underscores only"
            ) from None


def _leave_out_what_says_nothing(entry: Entry, given: Values, present: Values) -> None:
    """Keys that mean something for other types of custom field only must be empty, if given."""
    type_ = present.get("type") or given.get("type")
    if type_ is None:
        raise entry.wrong("a new custom field needs a type")
    for key, types in FOR_TYPES.items():
        if key in given and type_ not in types and given.pop(key):
            raise entry.wrong(f"{key} says nothing for a field of type {type_}")


def _refuse_two_of_one(entries: list[Entry]) -> None:
    for key in ONE_OF_ALL:
        of_them = [entry for entry in entries if entry.values.get(key) is True]
        if len(of_them) > 1:
            raise of_them[1].wrong(f"{key} can be true for one {of_them[1].section} only")


# --- rows by name --------------------------------------------------------------------------------


def _named(entry: Entry, key: str, model: Any, name: str) -> tuple[int, str]:
    """Id and present name of a row that somebody named. Raises CommandError."""
    row = model.objects.filter(name_key=fold(name)).values_list("id", "name").first()
    if row is None:
        hint = near(name, model.objects.values_list("name", flat=True))
        raise entry.wrong(f"{key}: there is no {model._meta.model_name} {name!r}{hint}")
    return int(row[0]), str(row[1])


def _person(entry: Entry, key: str, name: str) -> User:
    """The person with this login or address. Raises CommandError."""
    user = User.objects.filter(identities__key=fold(name)).exclude(pk=NOBODY_ID).first()
    if user is None:
        raise entry.wrong(f"{key}: there is nobody with the login or address {name!r}")
    return user


def _found_user(entry: Entry) -> Found | None:
    user = User.objects.filter(identities__key=entry.key).first()
    if user is None:
        return None
    if user.pk == NOBODY_ID:
        raise entry.wrong("this account is the desk's own and stays as it is")
    if fold(user.login) != entry.key:
        raise entry.wrong(f"this is the address of {user.login!r}; name the login")
    return user.pk, described_user(user)


def _found_rule(entry: Entry) -> Found | None:
    pattern, key = _pattern(entry)
    group = entry.values.get("group", "").strip()
    group_id = _named(entry, "group", Group, group)[0] if group else None
    for row in IgnoreRule.objects.filter(key=key, group=group_id).select_related("group"):
        if fold(row.pattern) == fold(pattern):
            return row.pk, described_rule(row, row.group)
    return None


def _place(entry: Entry) -> rewording.Place:
    group = entry.values.get("group", "").strip()
    return rewording.Place(
        name=entry.values["name"].strip(),
        language=entry.values["language"],
        group_id=_named(entry, "group", Group, group)[0] if group else None,
    )


def _found_text(entry: Entry) -> Found | None:
    place = _place(entry)
    if place.name not in TEXTS:
        raise entry.wrong(f"there is no text {place.name!r}{near(place.name, TEXTS)}")
    rows = MailText.objects.filter(name=place.name, language=place.language, group=place.group_id)
    row = rows.select_related("group").first()
    return None if row is None else (row.pk, desk_mail.described_text(row))


def _of_mail(entry: Entry, key: str, value: Any) -> Any:
    """A value about mail the way it is stored."""
    if key == "pattern":
        return _pattern(entry)[0]
    if key == "group":
        return _named(entry, key, Group, value)[1] if value.strip() else ""
    if isinstance(value, list):
        return [text.strip() for text in value]
    return value.strip() if isinstance(value, str) else value


def _pattern(entry: Entry) -> tuple[str, str]:
    """What a rule about mail names, as it is kept, and its key. Raises CommandError."""
    try:
        return ignoring.normal(entry.values["what"], entry.values["pattern"])
    except Invalid as error:
        raise entry.wrong(sentence(error).rstrip(".")) from error


def _levels(entry: Entry, grants: dict[str, list[str]] | None) -> dict[int, list[str]] | None:
    if grants is None:
        return None
    return {_named(entry, "groups", Group, name)[0]: levels for name, levels in grants.items()}


def _password_in(entry: Entry, path: Path, name: str) -> str:
    try:
        with path.open("rb") as stream:
            raw = stream.read(PASSWORD_BYTES + 1)
        password = raw.decode("utf-8").rstrip("\r\n")
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise entry.wrong(f"the password file {name!r} cannot be read ({reason})") from error
    if not password or len(raw) > PASSWORD_BYTES or "\0" in password:
        raise entry.wrong(f"the password file {name!r} holds no password")
    return password
