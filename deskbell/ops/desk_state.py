"""How the desk is set up right now, in the shape of the file (:mod:`deskbell.ops.desk_file`)."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from deskbell.kernel.actor import NOBODY_ID
from deskbell.mail import policy
from deskbell.mail.models import IgnoreRule
from deskbell.ops.desk_file import SECTIONS, Values
from deskbell.ops.desk_mail import (
    described_channels,
    described_routes,
    described_sendings,
    described_texts,
)
from deskbell.people.models import (
    Group,
    Organization,
    Role,
    RoleGroup,
    User,
    UserGroup,
    UserRole,
)
from deskbell.tickets.models import CustomField, Priority, State
from deskbell.tickets.vocabulary import STATE_TYPE_NAMES, StateType

#: The keys that say something only for some types of custom field.
FOR_TYPES = {
    "max_length": {"varchar", "text", "email", "url", "slug"},
    "max_digits": {"decimal"},
    "decimal_places": {"decimal"},
    "choices": {"list"},
}


def described() -> dict[str, list[Values]]:
    """Everything a file can say, sorted so that it reads the same from every database.

    People are those of staff; customers come and go and are no configuration. Passwords are not
    part of it. Parents of nested groups come before their children. Some ten queries.
    """
    groups = {row.pk: row for row in Group.objects.select_related("email_address")}
    users = _staff()
    grants = _grants(UserGroup.objects.values_list("user_id", "group_id", "level"), groups)
    role_grants = _grants(RoleGroup.objects.values_list("role_id", "group_id", "level"), groups)
    roles = Role.objects.prefetch_related("permissions")
    role_names = {role.pk: role.name for role in roles}
    given: defaultdict[int, list[str]] = defaultdict(list)
    for user_id, role_id in UserRole.objects.values_list("user_id", "role_id"):
        given[user_id].append(role_names[role_id])
    logins = dict(
        User.objects.filter(
            pk__in={g.default_owner_id for g in groups.values() if g.default_owner_id}
        ).values_list("id", "login")
    )
    states = {row.pk: row for row in State.objects.all()}
    rules = IgnoreRule.objects.all()
    return {
        "organization": _sorted(_plain("organization", row) for row in Organization.objects.all()),
        "group": _sorted(
            _plain("group", row, default_owner=logins.get(row.default_owner_id or 0, ""))
            for row in groups.values()
        ),
        "role": _sorted(
            _plain(
                "role",
                row,
                permissions=sorted(p.name for p in row.permissions.all()),
                groups=role_grants.get(row.pk, {}),
            )
            for row in roles
        ),
        "user": _sorted(_user(row, given[row.pk], grants.get(row.pk, {})) for row in users),
        "state": _sorted(
            _plain(
                "state",
                row,
                type=STATE_TYPE_NAMES[StateType(row.type)],
                next_state=states[row.next_state_id].name if row.next_state_id else "",
            )
            for row in states.values()
        ),
        "priority": _sorted(_plain("priority", row) for row in Priority.objects.all()),
        "custom_field": _sorted(
            _custom_field(row) for row in CustomField.objects.prefetch_related("groups")
        ),
        "channel": described_channels(),
        "route": described_routes(),
        "group_sending": described_sendings(),
        "mail_text": described_texts(),
        "ignore_rule": sorted(
            (described_rule(rule, groups.get(rule.group_id or 0)) for rule in rules),
            key=lambda values: (values["what"], values["pattern"], values["group"]),
        ),
        "mail_rules": _mail_rules(),
    }


def described_user(user: User) -> Values:
    """One person, of staff or not."""
    groups = {row.pk: row for row in Group.objects.filter(user_grants__user=user)}
    rows = UserGroup.objects.filter(user=user).values_list("user_id", "group_id", "level")
    roles = list(user.roles.values_list("name", flat=True))
    return _user(user, roles, _grants(rows, groups).get(user.pk, {}))


def _mail_rules() -> list[Values]:
    """The rules for mail that comes in, where anybody ever said one."""
    present = policy.present()
    return [policy.as_values(present)] if present != policy.Policy() else []


def described_rule(row: IgnoreRule, group: Group | None) -> Values:
    """One rule about ignored mail; what it caught is no configuration."""
    return _plain("ignore_rule", row, group=group.name if group else "")


def _user(row: User, roles: list[str], groups: dict[str, list[str]]) -> Values:
    organization = row.organization.name if row.organization else ""
    return _plain("user", row, roles=sorted(roles), groups=groups, organization=organization)


def _custom_field(row: CustomField) -> Values:
    """One custom field, without the keys that say nothing for its type."""
    values = _plain("custom_field", row, groups=sorted(group.name for group in row.groups.all()))
    for key, types in FOR_TYPES.items():
        # 0 decimal places are not the same as any number of them.
        unlimited = key == "decimal_places" and row.decimal_places is None
        if row.type not in types or unlimited:
            del values[key]
    return values


def _plain(section: str, row: Any, **known: Any) -> Values:
    """The keys of a row that are columns of the same name; null is what the kind calls empty."""
    values: Values = {}
    for key, kind in SECTIONS[section].items():
        if key == "password_file":
            continue
        value = known[key] if key in known else getattr(row, key)
        values[key] = kind.empty if value is None else value
    return values


def _sorted(rows: Any) -> list[Values]:
    return sorted(rows, key=lambda values: str(values.get("name", values.get("login"))))


def _staff() -> list[User]:
    """Whoever has a role that lets him work on tickets or administer the desk."""
    staff = Role.objects.filter(permissions__name__regex=r"^(admin(\..*)?|ticket(\.agent)?)$")
    return list(
        User.objects.filter(pk__in=UserRole.objects.filter(role__in=staff).values("user_id"))
        .exclude(pk=NOBODY_ID)
        .select_related("organization")
    )


def _grants(rows: Any, groups: dict[int, Group]) -> dict[int, dict[str, list[str]]]:
    """Levels by group name, for each holder; sorted."""
    found: defaultdict[int, defaultdict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for holder, group_id, level in rows:
        found[holder][groups[group_id].name].append(level)
    return {
        holder: {name: sorted(levels) for name, levels in sorted(by_group.items())}
        for holder, by_group in found.items()
    }
