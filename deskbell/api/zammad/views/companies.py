"""Organizations, groups and roles (contract section 11)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpResponse

from deskbell.api.zammad import assets, listing
from deskbell.api.zammad.assets import Objects
from deskbell.api.zammad.auth import exceeds
from deskbell.api.zammad.decode import people as bodies
from deskbell.api.zammad.decode import values
from deskbell.api.zammad.finding import Searchable, matching
from deskbell.api.zammad.paging import page_of
from deskbell.api.zammad.views.base import (
    Call,
    answer,
    done,
    endpoint,
    needs,
    not_authorized,
)
from deskbell.api.zammad.views.users import organizations_of
from deskbell.kernel.actor import Actor
from deskbell.kernel.errors import Unknown
from deskbell.people.models import Group, Organization, Permission, Role, UserGroup
from deskbell.people.operations import (
    delete_group,
    delete_organization,
    delete_role,
    save_group,
    save_organization,
    save_role,
)

_NAMED = frozenset(
    {
        "id",
        "name",
        "active",
        "note",
        "created_by_id",
        "updated_by_id",
        "created_at",
        "updated_at",
    }
)
_DEFAULT_ORDER = ("-active", "-updated_at", "-id")


def _found(rows: QuerySet[Any], text: str, word: str) -> Any:
    id_ = values.row_id(text, word)
    row = rows.filter(pk=id_).first()
    if row is None:
        raise Unknown(word, id_)
    return row


def _searched(call: Call, rows: QuerySet[Any], of: Searchable, kind: listing.Kind) -> HttpResponse:
    """Rows by a query; without one, all visible. ``label`` and ``term`` give a short form."""
    params = call.params
    query = params.get("query")
    if values.is_blank(query):
        query = params.get("term")
    if not values.is_blank(query):
        rows = rows.filter(matching(str(query), of, now=call.at))
    if not values.is_blank(params.get("ids")):
        given = params["ids"]
        given = given.split(",") if isinstance(given, str) else given
        rows = rows.filter(pk__in=values.ids("ids", given))
    if not (call.asks("label") or not values.is_blank(params.get("term"))):
        return listing.search(call, rows, kind, default=_DEFAULT_ORDER)
    page = page_of(params, default=listing.SEARCH_DEFAULT, most=listing.SEARCH_MOST)
    ordered = listing.ordered(call, rows, kind, default=_DEFAULT_ORDER)
    return answer(
        [
            {"id": row.pk, "label": row.name, "value": row.name}
            for row in ordered[page.offset : page.offset + page.limit]
        ]
    )


# --- organizations -------------------------------------------------------------------------------


def _organization_objects(call: Call, rows: Sequence[Organization]) -> Objects:
    return assets.organizations(rows, actor=call.actor)


ORGANIZATIONS = listing.Kind(
    "Organization",
    _organization_objects,
    assets.organizations_expanded,
    _NAMED | {"domain", "domain_assignment", "shared", "vip"},
)
SEARCHABLE_ORGANIZATIONS = Searchable(
    model=Organization,
    bare=("name", "domain", "note"),
    texts={
        "name": "name",
        "domain": "domain",
        "note": "note",
        "members.login": "members__login",
        "members.email": "members__email",
    },
    numbers={"id": "pk"},
    flags=frozenset({"active", "shared", "vip", "domain_assignment"}),
)


def sees_organizations(actor: Actor) -> bool:
    """Whether the actor sees all companies, not only his own."""
    return actor.may("ticket.agent") or actor.may("admin.organization")


def visible_organizations(actor: Actor) -> QuerySet[Organization]:
    """All companies, or those the actor belongs to."""
    rows = Organization.objects.all()
    if sees_organizations(actor):
        return rows
    return rows.filter(pk__in=organizations_of(actor.user_id))


def list_organizations(call: Call) -> HttpResponse:
    return listing.index(call, visible_organizations(call.actor), ORGANIZATIONS)


@needs("admin.organization", "ticket.agent")
def search_organizations(call: Call) -> HttpResponse:
    rows = visible_organizations(call.actor)
    return _searched(call, rows, SEARCHABLE_ORGANIZATIONS, ORGANIZATIONS)


def show_organization(call: Call, organization_id: str) -> HttpResponse:
    """One company. A customer without any hears ``{}``, as in Zammad."""
    actor = call.actor
    if not sees_organizations(actor):
        own = organizations_of(actor.user_id)
        if not own:
            return done()
        if values.row_id(organization_id, "organization") not in own:
            raise not_authorized()
    row = _found(Organization.objects.all(), organization_id, "organization")
    return listing.one(call, row, ORGANIZATIONS)


@needs("admin.organization", "ticket.agent")
def create_organization(call: Call) -> HttpResponse:
    with transaction.atomic():
        row = _save_organization(call, None)
    return listing.one(call, row, ORGANIZATIONS, status=201)


@needs("admin.organization", "ticket.agent")
def update_organization(call: Call, organization_id: str) -> HttpResponse:
    row = _found(Organization.objects.all(), organization_id, "organization")
    with transaction.atomic():
        row = _save_organization(call, row.pk)
    return listing.one(call, row, ORGANIZATIONS)


def _save_organization(call: Call, id_: int | None) -> Organization:
    return save_organization(
        id_,
        bodies.organization(call.params),
        members=bodies.members(call.params, "members"),
        secondary_members=bodies.members(call.params, "secondary_members"),
        actor=call.actor,
        at=call.at,
    )


@needs("admin.organization")
def destroy_organization(call: Call, organization_id: str) -> HttpResponse:
    id_ = values.row_id(organization_id, "organization")
    delete_organization(id_, actor=call.actor, at=call.at)
    return done()


# --- groups --------------------------------------------------------------------------------------


def _group_objects(call: Call, rows: Sequence[Group]) -> Objects:
    return assets.groups(rows, actor=call.actor)


GROUPS = listing.Kind(
    "Group", _group_objects, assets.groups_expanded, _NAMED | {"name_last", "parent_id"}
)
SEARCHABLE_GROUPS = Searchable(
    model=Group,
    bare=("name", "note"),
    texts={"name": "name", "note": "note"},
    numbers={"id": "pk"},
    flags=frozenset({"active"}),
)


def visible_groups(actor: Actor) -> QuerySet[Group]:
    """All teams for administrators of groups, else those the actor has any access to."""
    rows = Group.objects.all()
    if actor.may("admin.group") or actor.every_group:
        return rows
    return rows.filter(pk__in=list(actor.groups))


@needs("admin.group", "ticket.agent")
def list_groups(call: Call) -> HttpResponse:
    return listing.index(call, visible_groups(call.actor), GROUPS)


@needs("admin.group", "ticket.agent")
def search_groups(call: Call) -> HttpResponse:
    return _searched(call, visible_groups(call.actor), SEARCHABLE_GROUPS, GROUPS)


@needs("admin.group", "ticket.agent")
def show_group(call: Call, group_id: str) -> HttpResponse:
    row = _found(Group.objects.all(), group_id, "group")
    if not visible_groups(call.actor).filter(pk=row.pk).exists():
        raise not_authorized()
    return listing.one(call, row, GROUPS)


@needs("admin.group")
def create_group(call: Call) -> HttpResponse:
    with transaction.atomic():
        columns = {"name": "", **bodies.group(call.params, present=None)}
        row = save_group(None, columns, users=_members(call), actor=call.actor, at=call.at)
    return listing.one(call, row, GROUPS, status=201)


@needs("admin.group")
def update_group(call: Call, group_id: str) -> HttpResponse:
    present = _found(Group.objects.all(), group_id, "group")
    with transaction.atomic():
        columns = bodies.group(call.params, present=present)
        row = save_group(
            present.pk,
            columns,
            users=_members(call, present),
            actor=call.actor,
            at=call.at,
        )
    return listing.one(call, row, GROUPS)


def _members(call: Call, group: Group | None = None) -> dict[int, list[str]] | None:
    """Who is granted the group: new people in full, those who were there as before."""
    ids = bodies.members(call.params, "users")
    if ids is None:
        return None
    present: dict[int, list[str]] = {}
    if group is not None:
        for user_id, level in (
            UserGroup.objects.filter(group=group)
            .order_by("user", "level")
            .values_list("user_id", "level")
        ):
            present.setdefault(user_id, []).append(level)
    return {id_: present.get(id_, ["full"]) for id_ in ids}


@needs("admin.group")
def destroy_group(call: Call, group_id: str) -> HttpResponse:
    delete_group(values.row_id(group_id, "group"), actor=call.actor, at=call.at)
    return done()


# --- roles ---------------------------------------------------------------------------------------


def _role_objects(_call: Call, rows: Sequence[Role]) -> Objects:
    return assets.roles(rows)


ROLES = listing.Kind("Role", _role_objects, assets.roles_expanded, _NAMED | {"default_at_signup"})
SEARCHABLE_ROLES = Searchable(
    model=Role,
    bare=("name", "note"),
    texts={"name": "name", "note": "note"},
    numbers={"id": "pk"},
    flags=frozenset({"active", "default_at_signup"}),
)
_roles = needs("admin.role")


@_roles
def list_roles(call: Call) -> HttpResponse:
    return listing.index(call, Role.objects.all(), ROLES)


@_roles
def search_roles(call: Call) -> HttpResponse:
    return _searched(call, Role.objects.all(), SEARCHABLE_ROLES, ROLES)


@_roles
def show_role(call: Call, role_id: str) -> HttpResponse:
    return listing.one(call, _found(Role.objects.all(), role_id, "role"), ROLES)


@_roles
def create_role(call: Call) -> HttpResponse:
    with transaction.atomic():
        row = _save_role(call, None, {"name": "", **bodies.role(call.params)})
    return listing.one(call, row, ROLES, status=201)


@_roles
def update_role(call: Call, role_id: str) -> HttpResponse:
    row = _found(Role.objects.all(), role_id, "role")
    with transaction.atomic():
        row = _save_role(call, row.pk, bodies.role(call.params))
    return listing.one(call, row, ROLES)


def _save_role(call: Call, id_: int | None, columns: dict[str, Any]) -> Role:
    permissions = bodies.role_permissions(call.params)
    _check_rights(call.actor, id_, permissions or [])
    return save_role(
        id_,
        columns,
        permissions=permissions,
        groups=bodies.role_groups(call.params),
        actor=call.actor,
        at=call.at,
    )


def _check_rights(actor: Actor, id_: int | None, names: list[str]) -> None:
    """A delegate who manages roles neither grants nor touches rights above his own."""
    present = Permission.objects.filter(roles=id_).values_list("name", flat=True) if id_ else []
    if exceeds([*names, *present], actor.may):
        raise not_authorized()


@_roles
def destroy_role(call: Call, role_id: str) -> HttpResponse:
    row = _found(Role.objects.all(), role_id, "role")
    _check_rights(call.actor, row.pk, [])
    delete_role(row.pk, actor=call.actor, at=call.at)
    return done()


organizations = endpoint(get=list_organizations, post=create_organization)
organization = endpoint(get=show_organization, put=update_organization, delete=destroy_organization)
found_organizations = endpoint(get=search_organizations, post=search_organizations)
groups = endpoint(get=list_groups, post=create_group)
group = endpoint(get=show_group, put=update_group, delete=destroy_group)
found_groups = endpoint(get=search_groups, post=search_groups)
roles = endpoint(get=list_roles, post=create_role)
role = endpoint(get=show_role, put=update_role, delete=destroy_role)
found_roles = endpoint(get=search_roles, post=search_roles)
