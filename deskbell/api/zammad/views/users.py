"""Users (contract section 10)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet
from django.http import HttpResponse
from msgspec import UNSET

from deskbell.api.zammad import assets, errors, listing
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
    require,
)
from deskbell.kernel.actor import NOBODY_ID, Actor, includes
from deskbell.kernel.errors import Unknown
from deskbell.notify import wishes
from deskbell.people.access import actor_for
from deskbell.people.models import Permission, Role, User
from deskbell.people.operations import NewUser, change_user, create_user, delete_user

LIST_DEFAULT = 100
_COLUMNS = (
    "firstname", "lastname", "login", "email", "web", "phone", "fax", "mobile", "department",
    "street", "zip", "city", "country", "address", "note",
)  # fmt: skip
SEARCHABLE = Searchable(
    model=User,
    bare=("firstname", "lastname", "login", "email", "phone", "mobile", "organization__name"),
    texts={
        **{name: name for name in _COLUMNS},
        "organization": "organization__name",
        "organization.name": "organization__name",
        "roles.name": "roles__name",
    },
    numbers={"id": "pk", "organization_id": "organization_id", "role_ids": "roles"},
    flags=frozenset({"active", "vip", "verified", "out_of_office"}),
    times=frozenset({"created_at", "updated_at", "last_login"}),
)
_DEFAULT_ORDER = ("-active", "-updated_at", "-id")


def _objects(call: Call, rows: Sequence[User]) -> Objects:
    return assets.users(rows, actor=call.actor)


KIND = listing.Kind(
    "User",
    _objects,
    assets.users_expanded,
    frozenset(
        {
            *_COLUMNS,
            "id",
            "organization_id",
            "active",
            "vip",
            "verified",
            "last_login",
            "out_of_office",
            "out_of_office_start_at",
            "out_of_office_end_at",
            "created_by_id",
            "updated_by_id",
            "created_at",
            "updated_at",
        }
    ),
)


def works_with_people(actor: Actor) -> bool:
    """Whether the actor sees everybody."""
    return actor.may("admin.user") or actor.may("ticket.agent")


def visible(actor: Actor) -> QuerySet[User]:
    """The users in the actor's lists: everybody, or himself."""
    rows = User.objects.all()
    return rows if works_with_people(actor) else rows.filter(pk=actor.user_id)


# --- reading -------------------------------------------------------------------------------------


def me(call: Call) -> HttpResponse:
    """The caller."""
    return listing.one(call, User.objects.get(pk=call.actor.user_id), KIND)


def index(call: Call) -> HttpResponse:
    """A page of users."""
    return listing.index(call, visible(call.actor), KIND, default=LIST_DEFAULT)


def show(call: Call, user_id: str) -> HttpResponse:
    """One user: for those who work with people, himself, and colleagues of his organization."""
    row = _found(user_id)
    if not (
        works_with_people(call.actor)
        or row.pk == call.actor.user_id
        or _is_colleague(call.actor, row)
    ):
        raise not_authorized()
    return listing.one(call, row, KIND)


def _found(text: str) -> User:
    id_ = values.row_id(text, "user")
    row = User.objects.filter(pk=id_).first()
    if row is None:
        raise Unknown("user", id_)
    return row


def organizations_of(user_id: int) -> set[int]:
    """Ids of the primary and the further organizations of somebody."""
    found = set(
        User.organizations.through.objects.filter(user=user_id).values_list(
            "organization_id", flat=True
        )
    )
    primary = User.objects.filter(pk=user_id).values_list("organization_id", flat=True).first()
    return found | ({primary} if primary is not None else set())


def _is_colleague(actor: Actor, row: User) -> bool:
    return bool(organizations_of(actor.user_id) & organizations_of(row.pk))


@needs("admin.user", "ticket.agent")
def search(call: Call) -> HttpResponse:
    """Users by a query; without one, everybody."""
    params = call.params
    rows = findable().filter(_wanted(call))
    if not (call.asks("label") or not values.is_blank(params.get("term"))):
        return listing.search(call, rows, KIND, default=_DEFAULT_ORDER)
    page = page_of(params, default=listing.SEARCH_DEFAULT, most=listing.SEARCH_MOST)
    found = listing.ordered(call, rows, KIND, default=_DEFAULT_ORDER)
    by_term = not values.is_blank(params.get("term"))
    return answer(
        [_label(row, by_term=by_term) for row in found[page.offset : page.offset + page.limit]]
    )


def findable() -> QuerySet[User]:
    """Everybody but user 1, who is nobody: listed, but never found."""
    return User.objects.exclude(pk=NOBODY_ID)


def _wanted(call: Call) -> Q:
    params = call.params
    query = params.get("query")
    if values.is_blank(query):
        query = params.get("term")
    found = Q() if values.is_blank(query) else matching(str(query), SEARCHABLE, now=call.at)
    if not values.is_blank(params.get("ids")):
        found &= Q(pk__in=values.ids("ids", _split(params["ids"])))
    if not values.is_blank(params.get("role_ids")):
        found &= _having(roles=values.ids("role_ids", _split(params["role_ids"])))
    if not values.is_blank(params.get("group_ids")):
        found &= _in_groups(params["group_ids"])
    if not values.is_blank(params.get("permissions")):
        found &= _permitted(values.items("permissions", _split(params["permissions"])))
    return found


def _split(value: Any) -> Any:
    return value.split(",") if isinstance(value, str) else value


def _having(*, roles: Sequence[int]) -> Q:
    from deskbell.people.models import UserRole

    return Q(pk__in=UserRole.objects.filter(role__in=list(roles)).values("user"))


def _in_groups(given: Any) -> Q:
    """``{"1": ["full"]}`` or a list of ids: those with a personal grant there."""
    from deskbell.people.models import UserGroup

    if isinstance(given, dict):
        found = Q()
        for key, levels in given.items():
            grants = UserGroup.objects.filter(group=values.as_id(key) or 0)
            wanted = [str(level) for level in values.items("group_ids", levels)]
            if wanted:
                grants = grants.filter(level__in=[*wanted, "full"])
            found |= Q(pk__in=grants.values("user"))
        return found
    ids = values.ids("group_ids", _split(given))
    return Q(pk__in=UserGroup.objects.filter(group__in=ids).values("user"))


def _permitted(wanted: Sequence[Any]) -> Q:
    """Those who hold one of the permissions, or one that includes it."""
    names: set[str] = set()
    for name in wanted:
        parts = str(name).removesuffix(".*").split(".")
        names |= {".".join(parts[:n]) for n in range(1, len(parts) + 1)}
    permissions = Permission.objects.filter(name__in=names, active=True)
    roles = Role.objects.filter(active=True, permissions__in=permissions)
    return _having(roles=list(roles.values_list("pk", flat=True)))


def _label(row: User, *, by_term: bool) -> dict[str, Any]:
    name = row.full_name
    shown = f"{name} <{row.email}>" if name and row.email else name or row.email or row.login
    if by_term:
        return {"id": row.pk, "label": shown, "value": row.email, "inactive": not row.active}
    return {"id": row.pk, "label": shown, "value": shown}


# --- writing -------------------------------------------------------------------------------------


@needs("admin.user", "ticket.agent")
def create(call: Call) -> HttpResponse:
    """A new user. Agents make customers, whatever roles they name."""
    with_rights = call.actor.may("admin.user")
    with transaction.atomic():
        body = bodies.person(call.params, with_rights=with_rights)
        bodies.require_identifier(body)
        bodies.split_name(body.columns)
        if not with_rights:
            bodies.customer_rights(body)
        _check_grants(call.actor, body)
        _check_organizations(body, present=None)
        columns = dict(body.columns)
        row = create_user(
            NewUser(
                email=body.email or "",
                login=body.login or "",
                firstname=columns.pop("firstname", ""),
                lastname=columns.pop("lastname", ""),
                password=body.password,
                roles=body.roles,
                groups=body.groups or {},
                organization_id=body.organization_id,
                organizations=body.organizations or (),
                preferences=body.preferences or {},
                columns=columns,
                login_chosen=body.login is not None,
            ),
            actor=call.actor,
            at=call.at,
        )
    return listing.one(call, row, KIND, status=201)


@needs("admin.user", "ticket.agent")
def update(call: Call, user_id: str) -> HttpResponse:
    """Change a user: administrators anybody, agents customers."""
    row = _found(user_id)
    actor = call.actor
    with_rights = actor.may("admin.user")
    if not with_rights and not _is_mere_customer(row):
        raise not_authorized()
    _check_target(actor, row)
    with transaction.atomic():
        body = bodies.person(call.params, with_rights=with_rights)
        _check_grants(actor, body)
        _check_organizations(body, present=row)
        organization: Any = UNSET
        if body.organization_id is not None:
            organization = body.organization_id
        elif body.no_organization:
            organization = None
        row = change_user(
            row.pk,
            columns=body.columns,
            login=body.login,
            email=body.email,
            # Whoever sets somebody's password can read with his eyes: for administrators only.
            password=body.password if with_rights else None,
            roles=body.roles,
            groups=body.groups,
            organization_id=organization,
            organizations=body.organizations,
            preferences=_chosen_preferences(row, body.preferences),
            actor=actor,
            at=call.at,
        )
    return listing.one(call, row, KIND)


def _chosen_preferences(row: User, sent: dict[str, Any] | None) -> dict[str, Any] | None:
    """Without the default notification matrix, which an agent reads but has not chosen (P2)."""
    if sent and wishes.CONFIG not in row.preferences:
        return {k: v for k, v in sent.items() if (k, v) != (wishes.CONFIG, wishes.default_config())}
    return sent


def _is_mere_customer(row: User) -> bool:
    person = actor_for(row.pk, "zammad")
    if person is None:
        # Inactive: judged by the permissions his roles would give.
        names = set(
            Permission.objects.filter(roles__users=row, roles__active=True).values_list(
                "name", flat=True
            )
        )
    else:
        names = set(person.permissions)
    return (
        includes(frozenset(names), "ticket.customer")
        and not includes(frozenset(names), "ticket.agent")
        and not any(name.split(".")[0] == "admin" for name in names)
    )


def _check_target(actor: Actor, row: User) -> None:
    """A delegate who manages users does not manage those who administer more than he does."""
    if row.pk == NOBODY_ID:
        raise not_authorized()
    names = Permission.objects.filter(roles__users=row, active=True).values_list("name", flat=True)
    if exceeds(names, actor.may):
        raise not_authorized()


def _check_grants(actor: Actor, body: bodies.PersonBody) -> None:
    """Nobody gives away administrative rights he does not hold."""
    if not body.roles:
        return
    names = Permission.objects.filter(roles__in=body.roles).values_list("name", flat=True)
    if exceeds(names, actor.may):
        raise not_authorized()


def _check_organizations(body: bodies.PersonBody, *, present: User | None) -> None:
    """Further organizations are for somebody who has a first one."""
    if not body.organizations or body.organization_id is not None:
        return
    if present is None or present.organization_id is None or body.no_organization:
        raise errors.unprocessable(
            "Secondary organizations are only allowed when the primary organization is given."
        )


@needs("admin.user")
def destroy(call: Call, user_id: str) -> HttpResponse:
    """Remove a user nothing refers to."""
    row = _found(user_id)
    if row.pk == NOBODY_ID:
        raise errors.unprocessable(errors.IN_USE)
    _check_target(call.actor, row)
    delete_user(row.pk, actor=call.actor, at=call.at)
    return done()


def history(call: Call, user_id: str) -> HttpResponse:
    """What was done to a user, oldest first."""
    from deskbell.api.zammad.history import history_of

    require(call.actor, "ticket.agent", "admin.user")
    row = _found(user_id)
    return answer(history_of("User", row.pk, actor=call.actor, root=call.root))


collection = endpoint(get=index, post=create)
member = endpoint(get=show, put=update, delete=destroy)
myself = endpoint(get=me)
found = endpoint(get=search, post=search)
past = endpoint(get=history)
