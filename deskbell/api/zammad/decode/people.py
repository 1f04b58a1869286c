"""Bodies about users, organizations, groups and roles (contract sections 10 and 11)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Q

from deskbell.api.zammad import errors, names
from deskbell.api.zammad.decode import values
from deskbell.kernel.actor import LEVELS
from deskbell.kernel.errors import Invalid
from deskbell.kernel.text import fold
from deskbell.people.addresses import is_address
from deskbell.people.models import EmailAddress, Group, Organization, Role, User
from deskbell.people.operations import CUSTOMER_ROLE

Params = Mapping[str, Any]
PASSWORD_LIMIT = 1024

#: Columns a client may write as text, with what an emptied one holds.
_USER_TEXTS = (
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
)
_USER_FLAGS = ("active", "vip", "verified", "out_of_office")
_USER_DATES = ("out_of_office_start_at", "out_of_office_end_at")
_IDENTIFIERS = ("firstname", "lastname", "phone", "mobile", "email")


@dataclass(slots=True)
class PersonBody:
    """What a body says about a person; ``None`` is what it does not say."""

    columns: dict[str, Any] = field(default_factory=dict)
    login: str | None = None
    email: str | None = None
    password: str | None = None
    roles: list[int] | None = None
    groups: dict[int, list[str]] | None = None
    organization_id: int | None = None
    no_organization: bool = False
    organizations: list[int] | None = None
    preferences: dict[str, Any] | None = None


def person(params: Params, *, with_rights: bool) -> PersonBody:
    """A person as described. ``with_rights``: roles and groups count (for ``admin.user`` only).

    Raises :class:`errors.Problem`, :class:`Invalid`.
    """
    found = PersonBody()
    if with_rights:
        found.roles = _rows(params, "role", "roles", "role_ids")
        found.groups = _levels(params)
    found.organizations = _rows(params, "organization", "organizations", "organization_ids")
    _organization(params, found)
    for name in _USER_TEXTS:
        if params.get(name) is not None:
            limit = _limit(User, name)
            found.columns[name] = values.text(name, params[name], limit=limit)
    for name in _USER_FLAGS:
        if params.get(name) is not None:
            found.columns[name] = values.boolean(name, params[name])
    for name in _USER_DATES:
        if not values.is_blank(params.get(name)):
            found.columns[name] = values.day(name, params[name])
    if params.get("email") is not None:
        found.email = values.text("email", params["email"], limit=1000).strip().lower()
        if found.email and not is_address(found.email):
            raise Invalid("email", "not_an_address", found.email)
    if not values.is_blank(params.get("login")):
        found.login = values.text("login", params["login"], limit=255).strip().lower()
    if not values.is_blank(params.get("password")):
        found.password = values.text("password", params["password"])
        if len(found.password) > PASSWORD_LIMIT:
            raise errors.unprocessable(
                f"Password is too long (maximum is {PASSWORD_LIMIT} characters)"
            )
    if params.get("preferences") is not None:
        found.preferences = values.mapping("preferences", params["preferences"])
    return found


def split_name(columns: dict[str, Any]) -> None:
    """``"Agent First"`` as firstname, without a lastname, is both."""
    first, last = columns.get("firstname", "").strip(), columns.get("lastname", "").strip()
    if first and not last and " " in first:
        columns["firstname"], columns["lastname"] = first.split(" ", 1)


def require_identifier(body: PersonBody) -> None:
    """A new person must be somebody."""
    given = {**body.columns, "email": body.email}
    # The message does not say so, but Zammad takes a login as well.
    if not body.login and not any((given.get(name) or "").strip() for name in _IDENTIFIERS):
        raise errors.unprocessable(
            "At least one identifier (firstname, lastname, phone, mobile or email) for user is"
            " required."
        )


def _organization(params: Params, found: PersonBody) -> None:
    if not values.is_blank(params.get("organization")):
        found.organization_id = names.row_named("organization", params["organization"])
    elif not values.is_blank(params.get("organization_id")):
        found.organization_id = names.known_id(
            "organization", "organization_id", params["organization_id"]
        )
    elif "organization_id" in params and params.get("organization") is None:
        found.no_organization = True


def _rows(params: Params, kind: str, by_name: str, by_id: str) -> list[int] | None:
    if params.get(by_name) is not None:
        return names.rows_named(kind, by_name, params[by_name])
    if params.get(by_id) is None:
        return None
    ids = [] if params[by_id] == "" else values.ids(by_name + "_ids", params[by_id])
    model: Any = {"role": Role, "organization": Organization}[kind]
    known = set(model.objects.filter(pk__in=ids).values_list("pk", flat=True))
    for id_ in ids:
        if id_ not in known:
            raise errors.no_value_found(by_name, id_)
    return ids


def _levels(params: Params) -> dict[int, list[str]] | None:
    """``group_ids: {"1": ["full"]}`` or ``groups: {"Users": "full"}``; a bare text is one level."""
    if params.get("groups") is not None:
        given = values.mapping("groups", params["groups"])
        named = names.rows_named("group", "groups", list(given))
        pairs = dict(zip(named, given.values(), strict=True))
    elif params.get("group_ids") is not None:
        pairs = {}
        for key, levels in values.mapping("group_ids", params["group_ids"]).items():
            id_ = values.as_id(key)
            if id_ is None:
                raise errors.no_value_found("groups", key)
            pairs[id_] = levels
    else:
        return None
    return {id_: _level_list(levels) for id_, levels in pairs.items()}


def _level_list(given: Any) -> list[str]:
    levels = [given] if isinstance(given, str) else given
    if not isinstance(levels, list) or not all(
        isinstance(level, str) and level in LEVELS for level in levels
    ):
        raise errors.invalid_value("groups", given)
    return levels


def customer_rights(found: PersonBody) -> None:
    """Whoever may not grant rights makes customers."""
    found.roles = [CUSTOMER_ROLE]
    found.groups = {}


def _limit(model: Any, name: str) -> int | None:
    limit: int | None = model._meta.get_field(name).max_length
    return limit


def _texts(params: Params, model: Any, *names_: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name in names_:
        if params.get(name) is not None:
            found[name] = values.text(name, params[name], limit=_limit(model, name))
    return found


def _flags(params: Params, *names_: str) -> dict[str, bool]:
    return {
        name: values.boolean(name, params[name]) for name in names_ if params.get(name) is not None
    }


def organization(params: Params) -> dict[str, Any]:
    """Columns of a company."""
    return {
        **_texts(params, Organization, "name", "domain", "note"),
        **_flags(params, "shared", "domain_assignment", "active", "vip"),
    }


def members(params: Params, key: str) -> list[int] | None:
    """``members`` by login or address, or ``member_ids``; ``None`` where neither is sent."""
    by_name, by_id = key, key.removesuffix("s") + "_ids"
    if params.get(by_name) is not None:
        return names.users_named(by_name, params[by_name])
    if params.get(by_id) is None:
        return None
    ids = values.ids(by_name + "_ids", params[by_id])
    known = set(User.objects.filter(pk__in=ids).values_list("pk", flat=True))
    for id_ in ids:
        if id_ not in known:
            raise errors.no_value_found(by_name, id_)
    return ids


def group(params: Params, *, present: Group | None) -> dict[str, Any]:
    """Columns of a team. Newer clients name a nested one by ``name_last`` and ``parent_id``."""
    columns = {
        **_texts(params, Group, "note", "follow_up_possible"),
        **_flags(params, "follow_up_assignment", "active", "shared_drafts"),
    }
    name = _group_name(params, present)
    if name is not None:
        columns["name"] = name
    if not values.is_blank(params.get("email_address")):
        columns["email_address_id"] = _address_named(params["email_address"])
    elif "email_address_id" in params:
        given = params["email_address_id"]
        id_ = None if values.is_blank(given) else values.as_id(given)
        if id_ is None and not values.is_blank(given):
            raise errors.invalid_param("email_address_id", given)
        columns["email_address_id"] = id_
    for key in ("assignment_timeout", "reopen_time_in_days"):
        if key in params:
            blank = values.is_blank(params[key])
            columns[key] = None if blank else values.integer(key, params[key], low=0)
    return columns


def _address_named(given: Any) -> int:
    """The id of an address of the desk, by the address or the name before it."""
    text = values.text("email_address", given)
    rows = EmailAddress.objects.filter(Q(email_key=fold(text)) | Q(name=text)).order_by("id")
    found = rows.values_list("pk", flat=True).first()
    if found is None:
        raise errors.no_lookup_value("email_address", given)
    return found


def email_address(params: Params) -> dict[str, Any]:
    """Columns of an address of the desk; ``realname`` is the older word for ``name``."""
    found = {
        **_texts(params, EmailAddress, "name", "note"),
        **_flags(params, "active"),
    }
    if "name" not in found and params.get("realname") is not None:
        found["name"] = values.text("name", params["realname"], limit=_limit(EmailAddress, "name"))
    if params.get("email") is not None:
        found["email"] = values.text("email", params["email"], limit=1000).strip().lower()
    if params.get("preferences") is not None:
        found["preferences"] = values.mapping("preferences", params["preferences"])
    return found


def _group_name(params: Params, present: Group | None) -> str | None:
    if params.get("name") is not None and (present is None or params["name"] != present.name):
        return values.text("name", params["name"], limit=160)
    if params.get("name_last") is None and "parent_id" not in params:
        return None
    if params.get("name_last") is not None:
        last = values.text("name_last", params["name_last"], limit=160)
    elif present is not None:
        last = present.name_last
    else:
        return None
    parent_id = params.get("parent_id", present.parent_id if present else None)
    if values.is_blank(parent_id):
        return last
    id_ = values.as_id(parent_id)
    parent = Group.objects.filter(pk=id_).first() if id_ is not None else None
    if parent is None:
        raise errors.invalid_param("parent_id", parent_id)
    return f"{parent.name}::{last}"


def role(params: Params) -> dict[str, Any]:
    """Columns of a role."""
    found = {
        **_texts(params, Role, "name", "note"),
        **_flags(params, "default_at_signup", "active"),
    }
    if params.get("preferences") is not None:
        found["preferences"] = values.mapping("preferences", params["preferences"])
    return found


def role_permissions(params: Params) -> list[str] | None:
    """Names of the role's permissions; ``None`` where none are sent."""
    given = params.get("permissions")
    if given is None:
        given = params.get("permission_ids")
    return None if given is None else names.permissions_named(given)


def role_groups(params: Params) -> dict[int, list[str]] | None:
    """The role's grants by group id."""
    return _levels(params)
