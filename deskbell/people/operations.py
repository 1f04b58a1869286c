"""What is done to people, organizations, groups, roles, tokens: one verb, one event each."""

from __future__ import annotations

import re
import uuid
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from django.db import IntegrityError, connection, transaction
from django.db.models import ProtectedError
from django.utils.text import slugify
from msgspec import UNSET, UnsetType

from deskbell.kernel import columns as kernel_columns
from deskbell.kernel.actor import LEVELS, NOBODY_ID, Actor, includes
from deskbell.kernel.compiled import Compiled
from deskbell.kernel.errors import Forbidden, Invalid, Refused, Unknown
from deskbell.kernel.events import Change, record
from deskbell.kernel.models import Event
from deskbell.kernel.text import MAX_ID, fold, is_storable
from deskbell.people.access import full_access
from deskbell.people.addresses import is_address
from deskbell.people.credentials import PASSWORD_LIMIT, digest_of, new_secret
from deskbell.people.models import (
    ApiToken,
    EmailAddress,
    Group,
    Identity,
    Organization,
    Permission,
    Role,
    RoleGroup,
    User,
    UserGroup,
    UserRole,
)

CUSTOMER_ROLE = 3
AGENT_ROLE = 2
ADMIN_ROLE = 1
ALL_GROUPS_ROLE = 4

#: Columns of a user that a dialect may write directly; the rest has a verb of its own.
USER_COLUMNS = frozenset(
    [
        "firstname",
        "lastname",
        "web",
        "phone",
        "fax",
        "mobile",
        "department",
        "street",
        "zip",
        "city",
        "country",
        "address",
        "note",
        "vip",
        "verified",
        "active",
        "out_of_office",
        "out_of_office_start_at",
        "out_of_office_end_at",
        "image",
        "image_source",
        "source",
        "mail_optout",
    ]
)
_BY_KEY = Compiled(lambda key: User.objects.filter(identities__key=key), str)
Levels = Mapping[int, Collection[str]]
#: By user: the groups on which ``full`` was taken from him; ``None`` where the account was.
Lost = Mapping[int, frozenset[int] | None]
MAIL_KINDS = frozenset({"assigned", "apichange"})
#: Addresses that a group copies to.
COPIES_AT_MOST = 100
_SLUG = re.compile(r"[-a-zA-Z0-9_]+", re.ASCII)


@dataclass(frozen=True, slots=True)
class _PersonHappening:
    object_name: str
    object_id: int
    number: str
    changes: tuple[Change, ...] = ()


@dataclass(frozen=True, slots=True)
class UserCreated(_PersonHappening):
    """Somebody is known now."""


@dataclass(frozen=True, slots=True)
class UserChanged(_PersonHappening):
    """Something about a person changed; ``lost`` says which account or access was taken away."""

    lost: Lost = field(default_factory=dict)
    renamed: bool = False


@dataclass(frozen=True, slots=True)
class UserDeleted(_PersonHappening):
    """A person is gone."""


@dataclass(frozen=True, slots=True)
class EmailAddressChanged(_PersonHappening):
    """An address of the desk was made, changed or removed."""


@dataclass(frozen=True, slots=True)
class AccessChanged(_PersonHappening):
    """A role or a group changed; ``lost`` says whose access went with it."""

    lost: Lost = field(default_factory=dict)
    renamed: bool = False


@dataclass(frozen=True, slots=True)
class OrganizationChanged(_PersonHappening):
    """An organization was made, changed or removed."""

    renamed: bool = False


@dataclass(slots=True)
class NewUser:
    """What is told about a person to be created.

    ``roles`` are role ids (none: the role given at sign-up), ``groups`` levels by group id,
    ``organizations`` the ids of secondary organizations. ``password`` is clear text, ``None``
    for a person who cannot sign in yet. ``columns`` are further columns (``USER_COLUMNS``).
    """

    email: str = ""
    login: str = ""
    firstname: str = ""
    lastname: str = ""
    password: str | None = None
    roles: Collection[int] | None = None
    groups: Levels = field(default_factory=dict)
    organization_id: int | None = None
    organizations: Collection[int] = ()
    preferences: Mapping[str, Any] = field(default_factory=dict)
    columns: Mapping[str, Any] = field(default_factory=dict)
    login_chosen: bool = True


def _claim_identities(user: User, *, replacing: bool = False) -> None:
    """Give the user his login and address in the shared identity space.

    Raises :class:`Invalid` (``login`` or ``email``, code ``taken``) where another user has one.
    """
    wanted: dict[str, dict[str, bool]] = {fold(user.login): {"is_login": True, "is_email": False}}
    if user.email:
        wanted.setdefault(fold(user.email), {"is_login": False, "is_email": False})
        wanted[fold(user.email)]["is_email"] = True
    if replacing:
        Identity.objects.filter(user=user).exclude(key__in=wanted).delete()
    # In one order for everybody: two people who want the same two names must not wait for each
    # other.
    for key, marks in sorted(wanted.items()):
        holder = Identity.objects.filter(key=key).values_list("user_id", flat=True).first()
        if holder == user.pk:
            Identity.objects.filter(key=key).update(**marks)
            continue
        if holder is not None:
            raise _taken(user, marks)
        try:
            with transaction.atomic():
                Identity.objects.create(key=key, user=user, **marks)
        except IntegrityError:
            raise _taken(user, marks) from None


def _taken(user: User, marks: dict[str, bool]) -> Invalid:
    field_ = "email" if marks["is_email"] else "login"
    return Invalid(field_, "taken", user.email if marks["is_email"] else user.login)


def _check_levels(groups: Levels) -> None:
    for group_id, levels in groups.items():
        for level in levels:
            if level not in LEVELS:
                raise Invalid("groups", "bad", level, id=group_id)


def _check_names(user: User) -> None:
    """Whether login and address can be stored, shown and found again."""
    kernel_columns.check(user, ("login", "email"))
    if not user.login.isprintable():
        raise Invalid("login", "bad", user.login)
    key_limit = Identity._meta.get_field("key").max_length
    if key_limit is not None and len(fold(user.login)) > key_limit:
        raise Invalid(
            "login", "too_long", user.login, limit=user._meta.get_field("login").max_length
        )


def _check_columns(user: User, names: Iterable[str]) -> None:
    kernel_columns.check(user, names)
    if "mail_optout" in names and (
        not isinstance(user.mail_optout, list)
        or not all(isinstance(kind, str) and kind in MAIL_KINDS for kind in user.mail_optout)
    ):
        raise Invalid("mail_optout", "bad", user.mail_optout)


def _set_password(user: User, password: str) -> None:
    if not is_storable(password):
        raise Invalid("password", "bad", None)
    if len(password) > PASSWORD_LIMIT:
        raise Invalid("password", "too_long", None, limit=PASSWORD_LIMIT)
    user.set_password(password)


def _known_ids(model: type[Any], ids: Collection[int], name: str) -> None:
    storable = [id_ for id_ in ids if 0 < id_ <= MAX_ID]
    known = set(model.objects.filter(pk__in=storable).values_list("pk", flat=True))
    for id_ in ids:
        if id_ not in known:
            raise Invalid(name, "unknown", id_)


def signup_roles() -> list[int]:
    """Ids of the roles a person gets who is given none."""
    ids = list(
        Role.objects.filter(default_at_signup=True, active=True)
        .order_by("id")
        .values_list("id", flat=True)
    )
    return ids or [CUSTOMER_ROLE]


@transaction.atomic
def create_user(new: NewUser, *, actor: Actor, at: datetime) -> User:
    """Add a person. Login defaults to the address, else ``auto-<uuid>``.

    Raises :class:`Invalid`: ``email``/``login`` ``taken``, ``email`` ``not_an_address``, ``roles``,
    ``groups``, ``organization`` or ``organizations`` ``unknown``, ``password`` ``too_long``, and
    for any column what :func:`deskbell.kernel.columns.check` does.
    """
    email = new.email.strip()
    if email and not is_address(email):
        raise Invalid("email", "not_an_address", new.email)
    login = new.login.strip() or email.lower() or f"auto-{uuid.uuid4()}"
    roles = list(new.roles) if new.roles else signup_roles()
    _known_ids(Role, roles, "roles")
    _known_ids(Group, list(new.groups), "groups")
    _check_levels(new.groups)
    organization_id = new.organization_id
    if organization_id is not None:
        _known_ids(Organization, [organization_id], "organization")
    elif email:
        organization_id = organization_for(email)
    _known_ids(Organization, new.organizations, "organizations")
    user = User(
        login=login,
        login_chosen=new.login_chosen,
        email=email,
        firstname=new.firstname,
        lastname=new.lastname,
        organization_id=organization_id,
        preferences=dict(new.preferences),
        created_by_id=actor.user_id,
        updated_by_id=actor.user_id,
        created_at=at,
        updated_at=at,
    )
    for column, value in new.columns.items():
        if column not in USER_COLUMNS:
            raise ValueError(column)
        setattr(user, column, value)
    _check_names(user)
    _check_columns(user, {*new.columns, "firstname", "lastname", "preferences"})
    if new.password:
        _set_password(user, new.password)
    else:
        user.set_unusable_password()
    user.save(force_insert=True)
    _claim_identities(user)
    UserRole.objects.bulk_create(UserRole(user=user, role_id=role) for role in dict.fromkeys(roles))
    _add_user_groups(user, new.groups)
    if new.organizations:
        user.organizations.set(new.organizations)
    record(
        UserCreated(
            "User", user.pk, user.login, (Change("login", new=user.login, type="created"),)
        ),
        actor=actor,
        at=at,
    )
    return user


def organization_for(email: str) -> int | None:
    """The active organization that takes new people of the address's domain, if any."""
    domain = email.rpartition("@")[2].casefold()
    if not domain:
        return None
    return (
        Organization.objects.filter(domain__iexact=domain, domain_assignment=True, active=True)
        .order_by("id")
        .values_list("id", flat=True)
        .first()
    )


def _set_user_groups(user: User, groups: Levels) -> None:
    UserGroup.objects.filter(user=user).delete()
    _add_user_groups(user, groups)


def _add_user_groups(user: User, groups: Levels) -> None:
    UserGroup.objects.bulk_create(
        UserGroup(user=user, group_id=group, level=level)
        for group, levels in groups.items()
        for level in _stored_levels(levels)
    )


def find_or_create_customer(
    email: str, *, name: tuple[str, str] = ("", ""), actor: Actor, at: datetime
) -> User:
    """The one person with this address, made as a customer if nobody has it (never duplicated).

    Raises :class:`Invalid` (``email``, ``not_an_address``). Two callers at once get the same row.
    """
    email = email.strip()
    if not is_address(email):
        raise Invalid("email", "not_an_address", email)
    found = _BY_KEY.first(fold(email))
    if found is not None:
        return found
    new = NewUser(email=email, firstname=name[0], lastname=name[1], login_chosen=False)
    try:
        with transaction.atomic():
            return create_user(new, actor=actor, at=at)
    except Invalid as error:
        if error.code != "taken":
            raise
        return User.objects.get(identities__key=fold(email))


def is_claimable(user: User) -> bool:
    """Made from an address only: no password, no login of its own choice (decision 6)."""
    return (
        not user.login_chosen
        and not user.has_usable_password()
        and user.pk != NOBODY_ID
        and user.active
    )


@transaction.atomic
def change_user(
    user_id: int,
    *,
    actor: Actor,
    at: datetime,
    columns: Mapping[str, Any] | None = None,
    login: str | None = None,
    email: str | None = None,
    password: str | None = None,
    roles: Collection[int] | None = None,
    groups: Levels | None = None,
    organization_id: int | UnsetType | None = UNSET,
    organizations: Collection[int] | None = None,
    preferences: Mapping[str, Any] | None = None,
    login_chosen: bool | None = None,
    claiming: bool = False,
) -> User:
    """Change what is given of a person; ``None`` (for the organization: ``UNSET``) leaves it alone.

    A new password ends all sessions and revokes all API tokens of the person. Where nothing is
    left to change, nothing is written (P2). ``claiming`` is for the claim of a person known by an
    address only (decision 6): of two claims at once the later one finds the address taken. Raises
    like :func:`create_user`, and :class:`Unknown`.
    """
    user = User.objects.select_for_update(no_key=True).filter(pk=user_id).first()
    if user is None or user_id == NOBODY_ID:
        raise Unknown("user", user_id)
    if claiming and not is_claimable(user):
        raise Invalid("email", "taken", user.email)
    before = (user.firstname, user.lastname, user.login, user.email)
    had_account = user.active
    had = full_access(user_id=user_id) if roles is not None or groups is not None else frozenset()
    changes: list[Change] = []
    for column, value in (columns or {}).items():
        if column not in USER_COLUMNS:
            raise ValueError(column)
        old = getattr(user, column)
        if old != value:
            changes.append(Change(column, _word(old), _word(value)))
            setattr(user, column, value)
    _check_columns(user, {change.attribute for change in changes})
    _rename(user, login, email, changes)
    if login_chosen is not None and login_chosen != user.login_chosen:
        user.login_chosen = login_chosen
        changes.append(Change("login_chosen", str(not login_chosen), str(login_chosen)))
    _change_organization(user, organization_id, changes)
    if preferences is not None and (merged := {**user.preferences, **preferences}) != (
        user.preferences
    ):
        user.preferences = merged
        kernel_columns.check(user, ["preferences"])
        changes.append(Change("preferences"))
    if password:
        _set_password(user, password)
        changes.append(Change("password"))
    if roles is not None:
        _set_user_roles(user, roles, changes)
    if groups is not None:
        _change_user_groups(user, groups, changes)
    if organizations is not None:
        _change_organizations(user, organizations, changes)
    if not changes:
        return user
    user.updated_by_id = actor.user_id
    user.updated_at = at
    user.save()
    names = (user.firstname, user.lastname, user.login, user.email)
    if before[2:] != names[2:]:
        _claim_identities(user, replacing=True)
    if password:
        ApiToken.objects.filter(user=user).delete()
    lost: Lost
    if had_account and not user.active:
        lost = {user.pk: None}
    else:
        lost = _lost(had, full_access(user_id=user_id) if had else frozenset())
    record(
        UserChanged(
            "User", user.pk, user.login, tuple(changes), lost=lost, renamed=before != names
        ),
        actor=actor,
        at=at,
    )
    return user


def _rename(user: User, login: str | None, email: str | None, changes: list[Change]) -> None:
    """Set login and address; a login that was made from the address follows it."""
    old_login = user.login
    if email is not None and email.strip() != user.email:
        email = email.strip()
        if email and not is_address(email):
            raise Invalid("email", "not_an_address", email)
        changes.append(Change("email", user.email, email))
        if not user.login_chosen and fold(user.login) == fold(user.email) and email:
            user.login = email.lower()
        user.email = email
    if login is not None and login.strip() and login.strip() != user.login:
        user.login = login.strip()
        user.login_chosen = True
    if user.login != old_login:
        changes.append(Change("login", old_login, user.login))
    _check_names(user)


def _change_organization(
    user: User, organization_id: int | UnsetType | None, changes: list[Change]
) -> None:
    if isinstance(organization_id, UnsetType) or organization_id == user.organization_id:
        return
    if organization_id is not None:
        _known_ids(Organization, [organization_id], "organization")
    ids = [id_ for id_ in (user.organization_id, organization_id) if id_ is not None]
    names = dict(Organization.objects.filter(pk__in=ids).values_list("id", "name"))
    changes.append(
        Change(
            "organization",
            names.get(user.organization_id or 0),
            names.get(organization_id or 0),
            user.organization_id,
            organization_id,
        )
    )
    user.organization_id = organization_id


def _change_user_groups(user: User, groups: Levels, changes: list[Change]) -> None:
    _known_ids(Group, list(groups), "groups")
    _check_levels(groups)
    old = _grants(UserGroup.objects.filter(user=user).values_list("group_id", "level"))
    new = {group: _stored_levels(levels) for group, levels in groups.items() if levels}
    if old == new:
        return
    _set_user_groups(user, groups)
    names = dict(Group.objects.filter(pk__in={*old, *new}).values_list("id", "name"))
    changes.append(Change("groups", _in_words(old, names), _in_words(new, names)))


def _change_organizations(user: User, ids: Collection[int], changes: list[Change]) -> None:
    _known_ids(Organization, ids, "organizations")
    old = set(user.organizations.values_list("id", flat=True))
    if old == set(ids):
        return
    names = dict(Organization.objects.filter(pk__in=old | set(ids)).values_list("id", "name"))
    user.organizations.set(ids)
    changes.append(
        Change(
            "organizations",
            ", ".join(names[id_] for id_ in sorted(old)),
            ", ".join(names[id_] for id_ in sorted(set(ids))),
        )
    )


def _stored_levels(levels: Collection[str]) -> list[str]:
    """``full`` implies all others and stands alone."""
    return ["full"] if "full" in levels else sorted(set(levels))


def _grants(rows: Iterable[tuple[int, str]]) -> dict[int, list[str]]:
    found: dict[int, list[str]] = {}
    for id_, level in rows:
        found.setdefault(id_, []).append(level)
    return {id_: sorted(levels) for id_, levels in found.items()}


def _in_words(grants: Mapping[int, Collection[str]], names: Mapping[int, str]) -> str:
    """``Sales: full; Users: change, read``."""
    return "; ".join(
        sorted(f"{names.get(id_, id_)}: {', '.join(levels)}" for id_, levels in grants.items())
    )


def _lost(had: frozenset[tuple[int, int]], has: frozenset[tuple[int, int]]) -> Lost:
    """Who was full on which group before and is not any more."""
    lost: dict[int, frozenset[int] | None] = {}
    for user_id, group_id in had - has:
        lost[user_id] = (lost.get(user_id) or frozenset()) | {group_id}
    return lost


def _set_user_roles(user: User, roles: Collection[int], changes: list[Change]) -> None:
    """Give exactly these roles."""
    _known_ids(Role, roles, "roles")
    before = set(UserRole.objects.filter(user=user).values_list("role_id", flat=True))
    after = set(roles)
    if before == after:
        return
    UserRole.objects.filter(user=user, role_id__in=before - after).delete()
    UserRole.objects.bulk_create(UserRole(user=user, role_id=r) for r in sorted(after - before))
    names = dict(Role.objects.filter(pk__in=before | after).values_list("id", "name"))
    changes.append(
        Change(
            "roles",
            ", ".join(names[r] for r in sorted(before)),
            ", ".join(names[r] for r in sorted(after)),
        )
    )


@transaction.atomic
def delete_user(user_id: int, *, actor: Actor, at: datetime) -> None:
    """Remove a person nothing refers to, and what history says about the name and address.

    Raises :class:`Unknown`, :class:`Refused` (``in_use``).
    """
    user = User.objects.select_for_update().filter(pk=user_id).first()
    if user is None:
        raise Unknown("user", user_id)
    if user_id in (NOBODY_ID, actor.user_id):
        raise Refused("in_use")
    _delete(user)
    Event.objects.filter(object="User", object_id=user_id).update(changes=[], number="")
    record(UserDeleted("User", user_id, "", (Change("user", type="removed"),)), actor=actor, at=at)


def _delete(row: Any) -> None:
    """Remove a row, or say that it is in use: now, not when the transaction ends."""
    try:
        with transaction.atomic():
            row.delete()
            if connection.vendor == "postgresql":
                # Somebody may refer to the row since it was looked for. On SQLite there is one
                # writer, and the check would read the whole database.
                connection.check_constraints()
    except (ProtectedError, IntegrityError):
        raise Refused("in_use") from None


# --- organizations -------------------------------------------------------------------------------

ORGANIZATION_COLUMNS = frozenset(
    ["name", "shared", "domain", "domain_assignment", "active", "vip", "note"]
)


@transaction.atomic
def save_organization(
    organization_id: int | None,
    columns: Mapping[str, Any],
    *,
    members: Collection[int] | None = None,
    secondary_members: Collection[int] | None = None,
    actor: Actor,
    at: datetime,
) -> Organization:
    """Create (id ``None``) or change an organization and who belongs to it.

    Raises :class:`Unknown`, :class:`Invalid` (``name`` ``required``/``taken``, ``members``
    ``unknown``).
    """
    organization: Organization
    organization, before = _row(
        Organization, organization_id, ORGANIZATION_COLUMNS, columns, "organization"
    )
    changes = _changes(organization, before)
    _save_named(organization, changes, actor=actor, at=at)
    for name, ids in (("members", members), ("secondary_members", secondary_members)):
        if ids is not None:
            _known_ids(User, ids, name)
            changes += _set_members(organization, name, set(ids) - {NOBODY_ID}, at=at)
    if changes:
        _stamp(organization, actor=actor, at=at)
        record(
            OrganizationChanged(
                "Organization",
                organization.pk,
                organization.name,
                tuple(changes),
                renamed=before is None or before["name"] != organization.name,
            ),
            actor=actor,
            at=at,
        )
    return organization


def _set_members(
    organization: Organization, name: str, ids: set[int], *, at: datetime
) -> list[Change]:
    """Make exactly these people (secondary) members; a history line for each who came or went."""
    primary = name == "members"
    present = organization.members if primary else organization.secondary_members
    old = set(present.values_list("id", flat=True))
    if primary:
        User.objects.filter(pk__in=old - ids).update(organization=None, updated_at=at)
        User.objects.filter(pk__in=ids - old).update(organization=organization, updated_at=at)
    elif old != ids:
        organization.secondary_members.set(ids)
    logins = dict(User.objects.filter(pk__in=old ^ ids).values_list("id", "login"))
    word = "member" if primary else "secondary_member"
    return [
        Change(word, new=login, type="added", object="User", object_id=id_)
        if id_ in ids
        else Change(word, old=login, type="removed", object="User", object_id=id_)
        for id_, login in sorted(logins.items())
    ]


@transaction.atomic
def delete_organization(organization_id: int, *, actor: Actor, at: datetime) -> None:
    """Remove an organization nothing refers to. Raises :class:`Unknown`, :class:`Refused`."""
    organization = Organization.objects.filter(pk=organization_id).first()
    if organization is None:
        raise Unknown("organization", organization_id)
    _delete(organization)
    happening = OrganizationChanged(
        "Organization", organization_id, organization.name, _removed(organization.name)
    )
    record(happening, actor=actor, at=at)


# --- groups --------------------------------------------------------------------------------------

GROUP_COLUMNS = frozenset(
    [
        "name",
        "slug",
        "email_address_id",
        "sender_name",
        "new_ticket_cc",
        "updated_ticket_cc",
        "default_owner_id",
        "escalate_days",
        "follow_up_possible",
        "reopen_time_in_days",
        "follow_up_assignment",
        "assignment_timeout",
        "shared_drafts",
        "active",
        "note",
    ]
)


@transaction.atomic
def save_group(
    group_id: int | None,
    columns: Mapping[str, Any],
    *,
    users: Mapping[int, Collection[str]] | None = None,
    actor: Actor,
    at: datetime,
) -> Group:
    """Create (id ``None``) or change a group; ``users`` gives exactly these personal grants.

    ``A::B`` is a group below ``A``, which must exist; renaming ``A`` renames those below. A slug
    is made from the name where none is given. ``email`` among the columns is an address of the desk
    (:class:`EmailAddress`), found or made; empty is none. Raises :class:`Unknown`,
    :class:`Invalid` (``name`` ``required``/``taken``, ``slug`` ``bad``/``taken``, ``parent``
    ``unknown``/``cycle``, ``email`` ``not_an_address``, ``follow_up_possible`` ``bad``,
    ``default_owner_id``, ``email_address_id`` or ``users`` ``unknown``, and for any column what
    :func:`deskbell.kernel.columns.check` does).
    """
    group: Group
    if "email" in columns:
        columns = {**columns, "email_address_id": _address_id(columns["email"], actor=actor, at=at)}
        del columns["email"]
    group, before = _row(Group, group_id, GROUP_COLUMNS, columns, "group")
    _check_group(group)
    _set_parent(group, before)
    changes = _changes(group, before)
    had = full_access(group_id=group.pk) if group_id is not None and users is not None else None
    if before is None or changes:
        _save_group(group, changes, actor=actor, at=at)
    if before is not None and before["name"] != group.name:
        _rename_below(group, before["name"], at=at)
    if users is not None:
        _known_ids(User, list(users), "users")
        for levels in users.values():
            _check_levels({group.pk: levels})
        changes += _set_group_users(group, users)
    if changes:
        _stamp(group, actor=actor, at=at)
        record(
            AccessChanged(
                "Group",
                group.pk,
                group.name,
                tuple(changes),
                lost={} if had is None else _lost(had, full_access(group_id=group.pk)),
                renamed=before is None or before["name"] != group.name,
            ),
            actor=actor,
            at=at,
        )
    return group


def _check_group(group: Group) -> None:
    if group.email_address_id is not None:
        _known_ids(EmailAddress, [group.email_address_id], "email_address_id")
    for name in ("new_ticket_cc", "updated_ticket_cc"):
        addresses = getattr(group, name)
        if not isinstance(addresses, list):
            raise Invalid(name, "bad", addresses)
        if len(addresses) > COPIES_AT_MOST:
            raise Invalid(name, "too_many", len(addresses), limit=COPIES_AT_MOST)
        for address in addresses:
            if not isinstance(address, str) or not is_address(address):
                raise Invalid(name, "not_an_address", address)
    if group.follow_up_possible not in dict(Group.FOLLOW_UP):
        raise Invalid("follow_up_possible", "bad", group.follow_up_possible)
    if group.slug and not _SLUG.fullmatch(group.slug):
        raise Invalid("slug", "bad", group.slug)
    owner_id = group.default_owner_id
    if owner_id is not None:
        _known_ids(User, [owner_id], "default_owner_id")
        if owner_id == NOBODY_ID:
            raise Invalid("default_owner_id", "unknown", owner_id)


def _set_parent(group: Group, before: Mapping[str, Any] | None) -> None:
    """The group above is named by what stands before the last ``::``."""
    if "::" not in group.name:
        group.parent = None
        return
    above = group.name.rpartition("::")[0]
    parent = Group.objects.filter(name_key=fold(above)).exclude(pk=group.pk).first()
    if parent is None or not group.name_last.strip():
        raise Invalid("parent", "unknown", above)
    if before is not None and fold(above + "::").startswith(fold(before["name"] + "::")):
        raise Invalid("parent", "cycle", above)
    group.parent = parent


def _save_group(group: Group, changes: list[Change], *, actor: Actor, at: datetime) -> None:
    """Save the group, under a free slug where none is given."""
    if group.slug:
        _save_named(group, changes, actor=actor, at=at)
        return
    for _ in range(10):
        group.slug = _free_slug(group)
        try:
            _save_named(group, changes, actor=actor, at=at)
        except Invalid as error:
            if error.field != "slug":
                raise
            continue  # somebody took it meanwhile
        return
    raise Invalid("slug", "taken", group.slug)


def _rename_below(group: Group, old_name: str, *, at: datetime) -> None:
    """Groups below carry the names of those above."""
    for child in Group.objects.filter(parent=group).order_by("id"):
        child_name = child.name
        child.name = f"{group.name}::{child.name_last}"
        child.updated_at = at
        _save_unique(child)
        _rename_below(child, child_name, at=at)


def _set_group_users(group: Group, users: Levels) -> list[Change]:
    old = _grants(UserGroup.objects.filter(group=group).values_list("user_id", "level"))
    new = {user: _stored_levels(levels) for user, levels in users.items() if levels}
    if old == new:
        return []
    UserGroup.objects.filter(group=group).delete()
    UserGroup.objects.bulk_create(
        UserGroup(user_id=user, group=group, level=level)
        for user, levels in new.items()
        for level in levels
    )
    logins = dict(User.objects.filter(pk__in={*old, *new}).values_list("id", "login"))
    return [Change("users", _in_words(old, logins), _in_words(new, logins))]


def _free_slug(group: Group) -> str:
    """A slug from the name that no other group has."""
    base = slugify(group.name)[:40] or "group"
    taken = set(
        Group.objects.filter(slug__startswith=base)
        .exclude(pk=group.pk)
        .values_list("slug", flat=True)
    )
    slug, n = base, 1
    while slug in taken:
        n += 1
        slug = f"{base}-{n}"
    return slug


@transaction.atomic
def delete_group(group_id: int, *, actor: Actor, at: datetime) -> None:
    """Remove a group without tickets. Raises :class:`Unknown`, :class:`Refused` (``in_use``)."""
    group = Group.objects.filter(pk=group_id).first()
    if group is None:
        raise Unknown("group", group_id)
    _delete(group)
    happening = AccessChanged("Group", group_id, group.name, _removed(group.name))
    record(happening, actor=actor, at=at)


# --- addresses of the desk -----------------------------------------------------------------------

EMAIL_ADDRESS_COLUMNS = frozenset(["name", "email", "active", "note", "preferences"])


def _address_id(email: Any, *, actor: Actor, at: datetime) -> int | None:
    """The address of the desk with this text, made where there is none; ``None`` for no text."""
    if not isinstance(email, str):
        raise Invalid("email", "bad", email)
    email = email.strip()
    if not email:
        return None
    if not is_address(email):
        raise Invalid("email", "not_an_address", email)
    known = EmailAddress.objects.filter(email_key=fold(email)).values_list("pk", flat=True).first()
    if known is not None:
        return known
    return save_email_address(None, {"email": email}, actor=actor, at=at).pk


@transaction.atomic
def save_email_address(
    address_id: int | None, columns: Mapping[str, Any], *, actor: Actor, at: datetime
) -> EmailAddress:
    """Create (id ``None``) or change an address that groups write from.

    Raises :class:`Unknown`, :class:`Invalid` (``email`` ``required``/``not_an_address``,
    ``email_address`` ``taken``, and for any column what
    :func:`deskbell.kernel.columns.check` does).
    """
    row = EmailAddress(created_by_id=actor.user_id, created_at=at)
    before: dict[str, Any] = {}
    if address_id is not None:
        found = EmailAddress.objects.select_for_update(no_key=True).filter(pk=address_id).first()
        if found is None:
            raise Unknown("email address", address_id)
        row = found
        before = {column: getattr(row, column) for column in EMAIL_ADDRESS_COLUMNS}
    for column, value in columns.items():
        if column not in EMAIL_ADDRESS_COLUMNS:
            raise ValueError(column)
        setattr(row, column, value.strip() if column in ("name", "email") else value)
    kernel_columns.check(row, columns)
    if not row.email:
        raise Invalid("email", "required")
    if not is_address(row.email):
        raise Invalid("email", "not_an_address", row.email)
    row.email_key = fold(row.email)
    if address_id is None:
        changes = [Change("email", new=row.email, type="created")]
    else:
        changes = [
            Change(column, _word(old), _word(getattr(row, column)))
            for column, old in sorted(before.items())
            if old != getattr(row, column)
        ]
    if not changes:
        return row
    row.updated_by_id = actor.user_id
    row.updated_at = at
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError:
        raise Invalid("email_address", "taken", row.email) from None
    record(
        EmailAddressChanged("EmailAddress", row.pk, row.email, tuple(changes)), actor=actor, at=at
    )
    return row


@transaction.atomic
def delete_email_address(address_id: int, *, actor: Actor, at: datetime) -> None:
    """Remove an address that no group has. Raises :class:`Unknown`, :class:`Refused`."""
    row = EmailAddress.objects.filter(pk=address_id).first()
    if row is None:
        raise Unknown("email address", address_id)
    _delete(row)
    happening = EmailAddressChanged("EmailAddress", address_id, row.email, _removed(row.email))
    record(happening, actor=actor, at=at)


# --- roles ---------------------------------------------------------------------------------------

ROLE_COLUMNS = frozenset(["name", "preferences", "default_at_signup", "active", "note"])


@transaction.atomic
def save_role(
    role_id: int | None,
    columns: Mapping[str, Any],
    *,
    permissions: Collection[str] | None = None,
    groups: Levels | None = None,
    actor: Actor,
    at: datetime,
) -> Role:
    """Create (id ``None``) or change a role; ``permissions`` are names, ``groups`` levels by id.

    Raises :class:`Unknown`, :class:`Invalid` (``permissions`` or ``groups`` ``unknown``,
    ``default_at_signup`` ``not_selectable`` for a role that makes agents or administrators).
    """
    role: Role
    role, before = _row(Role, role_id, ROLE_COLUMNS, columns, "role")
    changes = _changes(role, before)
    had = full_access(role_id=role.pk) if role_id is not None else frozenset()
    if before is None or changes:
        _save_named(role, changes, actor=actor, at=at)
    if permissions is not None:
        changes += _set_permissions(role, permissions)
    if groups is not None:
        changes += _set_role_groups(role, groups)
    if role.default_at_signup and _is_for_staff(role):
        raise Invalid("default_at_signup", "not_selectable", True)
    if changes:
        _stamp(role, actor=actor, at=at)
        lost = _lost(had, full_access(role_id=role.pk) if had else frozenset())
        happening = AccessChanged("Role", role.pk, role.name, tuple(changes), lost=lost)
        record(happening, actor=actor, at=at)
    return role


def _set_permissions(role: Role, permissions: Collection[str]) -> list[Change]:
    rows = {p.name: p for p in Permission.objects.filter(name__in=list(permissions))}
    for name in permissions:
        if name not in rows:
            raise Invalid("permissions", "unknown", name)
    old = set(role.permissions.values_list("name", flat=True))
    if old == set(rows):
        return []
    role.permissions.set(rows.values())
    return [Change("permissions", ", ".join(sorted(old)), ", ".join(sorted(rows)))]


def _set_role_groups(role: Role, groups: Levels) -> list[Change]:
    _known_ids(Group, list(groups), "groups")
    _check_levels(groups)
    old = _grants(RoleGroup.objects.filter(role=role).values_list("group_id", "level"))
    new = {group: _stored_levels(levels) for group, levels in groups.items() if levels}
    if old == new:
        return []
    RoleGroup.objects.filter(role=role).delete()
    RoleGroup.objects.bulk_create(
        RoleGroup(role=role, group_id=group, level=level)
        for group, levels in new.items()
        for level in levels
    )
    names = dict(Group.objects.filter(pk__in={*old, *new}).values_list("id", "name"))
    return [Change("groups", _in_words(old, names), _in_words(new, names))]


def _is_for_staff(role: Role) -> bool:
    """Whether the role gives rights that nobody may have for signing up."""
    names = role.permissions.values_list("name", flat=True)
    return role.every_group or any(
        name in ("ticket", "ticket.agent", "ticket.delete") or name.split(".")[0] == "admin"
        for name in names
    )


@transaction.atomic
def delete_role(role_id: int, *, actor: Actor, at: datetime) -> None:
    """Remove a role nobody has. Raises :class:`Unknown`, :class:`Refused` (``in_use``)."""
    role = Role.objects.filter(pk=role_id).first()
    if role is None:
        raise Unknown("role", role_id)
    if role_id in (ADMIN_ROLE, AGENT_ROLE, CUSTOMER_ROLE, ALL_GROUPS_ROLE):
        raise Refused("in_use")
    _delete(role)
    record(AccessChanged("Role", role_id, role.name, _removed(role.name)), actor=actor, at=at)


# --- tokens --------------------------------------------------------------------------------------


@transaction.atomic
def create_token(
    user_id: int,
    *,
    name: str,
    permissions: Collection[str] | None,
    expires_at: date | None,
    actor: Actor,
    at: datetime,
    secret: str | None = None,
) -> tuple[ApiToken, str]:
    """A new API token and its secret, which is shown once and never stored.

    ``secret`` is given only when a key of another installation is imported. Raises
    :class:`Unknown`, :class:`Invalid` (``name`` ``too_long``, ``permissions`` ``unknown``,
    ``secret`` ``taken``), :class:`Forbidden` where a narrowed token would make a wider one.
    """
    login = _login_of(user_id)
    secret = secret or new_secret()
    wanted = None if permissions is None else sorted(set(permissions))
    if wanted is not None:
        known = set(Permission.objects.filter(name__in=wanted).values_list("name", flat=True))
        for permission in wanted:
            if permission not in known:
                raise Invalid("permissions", "unknown", permission)
    if actor.scope is not None:
        for permission in ["*"] if wanted is None else wanted:
            if not includes(actor.scope, permission):
                raise Forbidden("token", None, permission=permission)
    token = ApiToken(
        user_id=user_id,
        name=name,
        digest=digest_of(secret),
        permissions=wanted,
        expires_at=expires_at,
        created_at=at,
        updated_at=at,
    )
    kernel_columns.check(token, ["name", "expires_at"])
    try:
        with transaction.atomic():
            token.save(force_insert=True)
    except IntegrityError:
        raise Invalid("secret", "taken", None) from None
    record(
        UserChanged("User", user_id, login, (Change("token", new=name, type="added"),)),
        actor=actor,
        at=at,
    )
    return token, secret


def _login_of(user_id: int) -> str:
    login = User.objects.filter(pk=user_id).values_list("login", flat=True).first()
    if login is None or user_id == NOBODY_ID:
        raise Unknown("user", user_id)
    return login


@transaction.atomic
def revoke_token(token_id: int, user_id: int, *, actor: Actor, at: datetime) -> None:
    """Remove a person's token. Raises :class:`Unknown`, also where it is somebody else's."""
    token = ApiToken.objects.filter(pk=token_id, user_id=user_id).first()
    if token is None:
        raise Unknown("token", token_id)
    token.delete()
    record(
        UserChanged(
            "User",
            user_id,
            _login_of(user_id),
            (Change("token", old=token.name, type="removed"),),
        ),
        actor=actor,
        at=at,
    )


# --- shared by the named rows --------------------------------------------------------------------


def _row(
    model: type[Any],
    id_: int | None,
    allowed: frozenset[str],
    given: Mapping[str, Any],
    word: str,
) -> tuple[Any, dict[str, Any] | None]:
    """The row with the given columns set and judged, and what it held before (a new one: None)."""
    before = None
    if id_ is None:
        row = model()
    else:
        row = model.objects.select_for_update(no_key=True).filter(pk=id_).first()
        if row is None:
            raise Unknown(word, id_)
        before = {column: getattr(row, column) for column in allowed}
    for column, value in given.items():
        if column not in allowed:
            raise ValueError(column)
        setattr(row, column, value)
    kernel_columns.check(row, given)
    row.name = row.name.strip()
    if not row.name:
        raise Invalid("name", "required")
    return row, before


def _changes(row: Any, before: Mapping[str, Any] | None) -> list[Change]:
    """The history lines of a row that is about to be saved."""
    if before is None:
        return [Change("name", new=row.name, type="created")]
    return [
        Change(column, _word(old), _word(getattr(row, column)))
        for column, old in sorted(before.items())
        if old != getattr(row, column)
    ]


def _removed(name: str) -> tuple[Change, ...]:
    return (Change("name", old=name, type="removed"),)


def _stamp(row: Any, *, actor: Actor, at: datetime) -> None:
    """The row changed now, through this actor, if only in what hangs on it."""
    if row.updated_at != at or row.updated_by_id != actor.user_id:
        row.updated_by_id = actor.user_id
        row.updated_at = at
        row.save(update_fields=["updated_by", "updated_at"])


def _save_named(row: Any, changes: list[Change], *, actor: Actor, at: datetime) -> None:
    """Save a row with changes, whose name is unique without regard to case."""
    if not changes:
        return
    if row.pk is None:
        row.created_by_id = actor.user_id
        row.created_at = at
    row.updated_by_id = actor.user_id
    row.updated_at = at
    _save_unique(row)


def _save_unique(row: Any) -> None:
    kernel_columns.check(row, ["name"])
    kernel_columns.check_key(row, "name")
    row.name_key = fold(row.name)
    is_new = row.pk is None
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError:
        if is_new:
            row.pk = None
        others = type(row).objects.exclude(pk=row.pk) if row.pk else type(row).objects.all()
        slug = getattr(row, "slug", None)
        if (
            slug
            and others.filter(slug=slug).exists()
            and (not others.filter(name_key=row.name_key).exists())
        ):
            raise Invalid("slug", "taken", slug) from None
        raise Invalid("name", "taken", row.name) from None


def _word(value: object) -> str | None:
    return None if value is None else str(value)
