"""What is done to people, organizations, groups, roles, tokens: one verb, one event each."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import ProtectedError
from django.utils.text import slugify
from msgspec import UNSET, UnsetType

from deskbell.kernel.actor import LEVELS, NOBODY_ID, Actor
from deskbell.kernel.errors import Invalid, Refused, Unknown
from deskbell.kernel.events import Change, record
from deskbell.kernel.text import fold
from deskbell.people.addresses import is_address
from deskbell.people.credentials import digest_of, new_secret
from deskbell.people.models import (
    ApiToken,
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
Levels = Mapping[int, Collection[str]]


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
    """Something about a person changed; ``lost_access`` where account, role or group grants did."""

    lost_access: bool = False
    renamed: bool = False


@dataclass(frozen=True, slots=True)
class UserDeleted(_PersonHappening):
    """A person is gone."""


@dataclass(frozen=True, slots=True)
class AccessChanged(_PersonHappening):
    """A role or a group changed; everybody's access may have."""

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
    for key, marks in wanted.items():
        holder = Identity.objects.filter(key=key).values_list("user_id", flat=True).first()
        if holder is not None and holder != user.pk:
            raise _taken(user, marks)
        try:
            with transaction.atomic():
                Identity.objects.update_or_create(key=key, user=user, defaults=marks)
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


def _known_ids(model: type[Any], ids: Collection[int], name: str) -> None:
    known = set(model.objects.filter(pk__in=ids).values_list("pk", flat=True))
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
    ``groups``, ``organization`` or ``organizations`` ``unknown``.
    """
    if new.email and not is_address(new.email):
        raise Invalid("email", "not_an_address", new.email)
    login = new.login.strip() or new.email.strip().lower() or f"auto-{uuid.uuid4()}"
    roles = list(new.roles) if new.roles else signup_roles()
    _known_ids(Role, roles, "roles")
    _known_ids(Group, list(new.groups), "groups")
    _check_levels(new.groups)
    organization_id = new.organization_id
    if organization_id is not None:
        _known_ids(Organization, [organization_id], "organization")
    elif new.email:
        organization_id = organization_for(new.email)
    _known_ids(Organization, new.organizations, "organizations")
    user = User(
        login=login,
        login_chosen=new.login_chosen,
        email=new.email.strip(),
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
    if new.password:
        user.set_password(new.password)
    else:
        user.set_unusable_password()
    user.save(force_insert=True)
    _claim_identities(user)
    UserRole.objects.bulk_create(UserRole(user=user, role_id=role) for role in dict.fromkeys(roles))
    _set_user_groups(user, new.groups)
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
    UserGroup.objects.bulk_create(
        UserGroup(user=user, group_id=group, level=level)
        for group, levels in groups.items()
        for level in (["full"] if "full" in levels else sorted(set(levels)))
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
    found = User.objects.filter(identities__key=fold(email)).first()
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
) -> User:
    """Change what is given of a person; ``None`` (for the organization: ``UNSET``) leaves it alone.

    A new password ends all sessions and revokes all API tokens of the person. Raises like
    :func:`create_user`, and :class:`Unknown`.
    """
    user = User.objects.select_for_update().filter(pk=user_id).first()
    if user is None or user_id == NOBODY_ID:
        raise Unknown("user", user_id)
    changes: list[Change] = []
    lost_access = False
    old_names = (user.firstname, user.lastname, user.login, user.email)
    for column, value in (columns or {}).items():
        if column not in USER_COLUMNS:
            raise ValueError(column)
        old = getattr(user, column)
        if old != value:
            changes.append(Change(column, _word(old), _word(value)))
            setattr(user, column, value)
            lost_access |= column == "active" and not value
    if email is not None and email.strip() != user.email:
        if email.strip() and not is_address(email.strip()):
            raise Invalid("email", "not_an_address", email)
        changes.append(Change("email", user.email, email.strip()))
        if not user.login_chosen and fold(user.login) == fold(user.email) and email.strip():
            user.login = email.strip().lower()
        user.email = email.strip()
    if login is not None and login.strip() and login.strip() != user.login:
        changes.append(Change("login", user.login, login.strip()))
        user.login = login.strip()
        user.login_chosen = True
    if login_chosen is not None:
        user.login_chosen = login_chosen
    if organization_id is not UNSET and organization_id != user.organization_id:
        if organization_id is not None:
            _known_ids(Organization, [organization_id], "organization")
        changes.append(Change("organization", old_id=user.organization_id, new_id=organization_id))
        user.organization_id = organization_id
    if preferences is not None:
        user.preferences = {**user.preferences, **preferences}
    if password:
        user.set_password(password)
        changes.append(Change("password"))
    user.updated_by_id = actor.user_id
    user.updated_at = at
    user.save()
    if email is not None or login is not None:
        _claim_identities(user, replacing=True)
    if password:
        ApiToken.objects.filter(user=user).delete()
    if roles is not None:
        lost_access |= _set_user_roles(user, roles, changes)
    if groups is not None:
        _known_ids(Group, list(groups), "groups")
        _check_levels(groups)
        _set_user_groups(user, groups)
        changes.append(Change("groups"))
        lost_access = True
    if organizations is not None:
        _known_ids(Organization, organizations, "organizations")
        user.organizations.set(organizations)
        changes.append(Change("organizations"))
    record(
        UserChanged(
            "User",
            user.pk,
            user.login,
            tuple(changes),
            lost_access=lost_access,
            renamed=old_names != (user.firstname, user.lastname, user.login, user.email),
        ),
        actor=actor,
        at=at,
    )
    return user


def _set_user_roles(user: User, roles: Collection[int], changes: list[Change]) -> bool:
    """Give exactly these roles; whether one was taken away."""
    _known_ids(Role, roles, "roles")
    before = set(UserRole.objects.filter(user=user).values_list("role_id", flat=True))
    after = set(roles)
    if before == after:
        return False
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
    return bool(before - after)


@transaction.atomic
def delete_user(user_id: int, *, actor: Actor, at: datetime) -> None:
    """Remove a person nothing refers to. Raises :class:`Unknown`, :class:`Refused` (``in_use``)."""
    user = User.objects.select_for_update().filter(pk=user_id).first()
    if user is None:
        raise Unknown("user", user_id)
    if user_id in (NOBODY_ID, actor.user_id):
        raise Refused("in_use")
    _delete(user)
    record(UserDeleted("User", user_id, user.login), actor=actor, at=at)


def _delete(row: Any) -> None:
    try:
        with transaction.atomic():
            row.delete()
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
    organization, old_name = _row(Organization, organization_id, actor, at, "organization")
    _assign(organization, columns, ORGANIZATION_COLUMNS)
    _save_named(organization)
    for name, ids in (("members", members), ("secondary_members", secondary_members)):
        if ids is None:
            continue
        _known_ids(User, ids, name)
        if name == "members":
            User.objects.filter(organization=organization).exclude(pk__in=ids).update(
                organization=None, updated_at=at
            )
            User.objects.filter(pk__in=ids).exclude(pk=NOBODY_ID).update(
                organization=organization, updated_at=at
            )
        else:
            organization.secondary_members.set(ids)
    record(
        OrganizationChanged(
            "Organization",
            organization.pk,
            organization.name,
            _named_changes(organization_id, old_name, organization.name),
            renamed=old_name != organization.name,
        ),
        actor=actor,
        at=at,
    )
    return organization


@transaction.atomic
def delete_organization(organization_id: int, *, actor: Actor, at: datetime) -> None:
    """Remove an organization nothing refers to. Raises :class:`Unknown`, :class:`Refused`."""
    organization = Organization.objects.filter(pk=organization_id).first()
    if organization is None:
        raise Unknown("organization", organization_id)
    _delete(organization)
    record(
        OrganizationChanged("Organization", organization_id, organization.name), actor=actor, at=at
    )


# --- groups --------------------------------------------------------------------------------------

GROUP_COLUMNS = frozenset(
    [
        "name",
        "slug",
        "email",
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

    ``A::B`` is a group below ``A``, which must exist. A slug is made from the name where none is
    given. Raises :class:`Invalid` (``name`` ``required``/``taken``, ``parent`` ``unknown``,
    ``email`` ``not_an_address``, ``follow_up_possible`` ``bad``), :class:`Unknown`.
    """
    group: Group
    group, old_name = _row(Group, group_id, actor, at, "group")
    _assign(group, columns, GROUP_COLUMNS)
    if group.email and not is_address(group.email):
        raise Invalid("email", "not_an_address", group.email)
    for name in ("new_ticket_cc", "updated_ticket_cc"):
        for address in getattr(group, name):
            if not is_address(address):
                raise Invalid(name, "not_an_address", address)
    if group.follow_up_possible not in dict(Group.FOLLOW_UP):
        raise Invalid("follow_up_possible", "bad", group.follow_up_possible)
    if "::" in group.name:
        above = group.name.rpartition("::")[0]
        parent = Group.objects.filter(name_key=fold(above)).exclude(pk=group.pk).first()
        if parent is None:
            raise Invalid("parent", "unknown", above)
        group.parent = parent
    else:
        group.parent = None
    if not group.slug:
        group.slug = _free_slug(group)
    _save_named(group)
    if users is not None:
        _known_ids(User, list(users), "users")
        UserGroup.objects.filter(group=group).delete()
        UserGroup.objects.bulk_create(
            UserGroup(user_id=user, group=group, level=level)
            for user, levels in users.items()
            for level in (["full"] if "full" in levels else sorted(set(levels)))
        )
    record(
        AccessChanged(
            "Group",
            group.pk,
            group.name,
            _named_changes(group_id, old_name, group.name),
            renamed=old_name != group.name,
        ),
        actor=actor,
        at=at,
    )
    return group


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
    record(AccessChanged("Group", group_id, group.name), actor=actor, at=at)


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

    Raises :class:`Invalid` (``permissions`` or ``groups`` ``unknown``), :class:`Unknown`.
    """
    role: Role
    role, old_name = _row(Role, role_id, actor, at, "role")
    _assign(role, columns, ROLE_COLUMNS)
    _save_named(role)
    if permissions is not None:
        rows = {p.name: p for p in Permission.objects.filter(name__in=list(permissions))}
        for name in permissions:
            if name not in rows:
                raise Invalid("permissions", "unknown", name)
        role.permissions.set(rows.values())
    if groups is not None:
        _known_ids(Group, list(groups), "groups")
        _check_levels(groups)
        RoleGroup.objects.filter(role=role).delete()
        RoleGroup.objects.bulk_create(
            RoleGroup(role=role, group_id=group, level=level)
            for group, levels in groups.items()
            for level in (["full"] if "full" in levels else sorted(set(levels)))
        )
    record(
        AccessChanged("Role", role.pk, role.name, _named_changes(role_id, old_name, role.name)),
        actor=actor,
        at=at,
    )
    return role


@transaction.atomic
def delete_role(role_id: int, *, actor: Actor, at: datetime) -> None:
    """Remove a role nobody has. Raises :class:`Unknown`, :class:`Refused` (``in_use``)."""
    role = Role.objects.filter(pk=role_id).first()
    if role is None:
        raise Unknown("role", role_id)
    if role_id in (ADMIN_ROLE, AGENT_ROLE, CUSTOMER_ROLE, ALL_GROUPS_ROLE):
        raise Refused("in_use")
    _delete(role)
    record(AccessChanged("Role", role_id, role.name), actor=actor, at=at)


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

    ``secret`` is given only when a key of another installation is imported.
    """
    secret = secret or new_secret()
    token = ApiToken.objects.create(
        user_id=user_id,
        name=name,
        digest=digest_of(secret),
        permissions=None if permissions is None else sorted(set(permissions)),
        expires_at=expires_at,
        created_at=at,
        updated_at=at,
    )
    record(
        UserChanged("User", user_id, "", (Change("token", new=name, type="added"),)),
        actor=actor,
        at=at,
    )
    return token, secret


@transaction.atomic
def revoke_token(token_id: int, user_id: int, *, actor: Actor, at: datetime) -> None:
    """Remove a person's token. Raises :class:`Unknown`, also where it is somebody else's."""
    token = ApiToken.objects.filter(pk=token_id, user_id=user_id).first()
    if token is None:
        raise Unknown("token", token_id)
    token.delete()
    record(
        UserChanged("User", user_id, "", (Change("token", old=token.name, type="removed"),)),
        actor=actor,
        at=at,
    )


# --- shared by the named rows --------------------------------------------------------------------


def _row(
    model: type[Any], id_: int | None, actor: Actor, at: datetime, word: str
) -> tuple[Any, str | None]:
    """The row to change, or a new one; and the name it had."""
    if id_ is None:
        row, old_name = model(created_by_id=actor.user_id, created_at=at), None
    else:
        row = model.objects.select_for_update().filter(pk=id_).first()
        if row is None:
            raise Unknown(word, id_)
        old_name = row.name
    row.updated_by_id = actor.user_id
    row.updated_at = at
    return row, old_name


def _assign(row: Any, columns: Mapping[str, Any], allowed: frozenset[str]) -> None:
    for column, value in columns.items():
        if column not in allowed:
            raise ValueError(column)
        setattr(row, column, value)


def _save_named(row: Any) -> None:
    """Save a row whose name is unique without regard to case."""
    row.name = row.name.strip()
    if not row.name:
        raise Invalid("name", "required")
    limit = row._meta.get_field("name").max_length
    if len(row.name) > limit:
        raise Invalid("name", "too_long", row.name, limit=limit)
    row.name_key = fold(row.name)
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError:
        raise Invalid("name", "taken", row.name) from None


def _named_changes(id_: int | None, old: str | None, new: str) -> tuple[Change, ...]:
    if id_ is None:
        return (Change("name", new=new, type="created"),)
    return (Change("name", old, new),) if old != new else ()


def _word(value: object) -> str | None:
    return None if value is None else str(value)
