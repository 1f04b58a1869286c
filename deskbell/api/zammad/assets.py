"""Rows of people and what an answer with ``expand`` or ``full`` gathers around them.

Whatever is shown, each table is read once per page: ids are collected first, then every class is
filled with one statement (and one per ``*_ids`` list).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from typing import Any

from django.db.models import Exists, OuterRef, QuerySet

from deskbell.api.zammad.encode import articles as article_objects
from deskbell.api.zammad.encode import people as people_objects
from deskbell.api.zammad.encode import tickets as ticket_objects
from deskbell.api.zammad.encode.values import stamp
from deskbell.kernel.actor import Actor
from deskbell.people.models import (
    EmailAddress,
    Group,
    Organization,
    Role,
    RoleGroup,
    User,
    UserGroup,
    UserRole,
)
from deskbell.tickets import queries
from deskbell.tickets.queries import ArticleRow, AttachmentRow, MentionRow, TicketRow

Objects = list[dict[str, Any]]


#: The role of a :class:`UserRole` makes agents.
_FOR_AGENTS = Role.permissions.through.objects.filter(
    role=OuterRef("role"),
    role__active=True,
    permission__active=True,
    permission__name__in=("ticket", "ticket.agent"),
)


def sees_people(actor: Actor) -> bool:
    """Whether the actor works with people; customers hear less about others."""
    return actor.may("ticket.agent") or actor.may("admin.user")


# --- people --------------------------------------------------------------------------------------


def users(rows: Sequence[User], *, actor: Actor) -> Objects:
    """Persons with their ``*_ids``; three statements for the lists. Customers see less."""
    ids = [row.pk for row in rows]
    held = list(
        UserRole.objects.filter(user__in=ids)
        .annotate(for_agents=Exists(_FOR_AGENTS))
        .order_by("user", "role")
        .values_list("user_id", "role_id", "for_agents")
    )
    roles = _pairs((user_id, role_id) for user_id, role_id, _for_agents in held)
    agents = {user_id for user_id, _role_id, for_agents in held if for_agents}
    through = User.organizations.through.objects
    secondary = _pairs(
        through.filter(user__in=ids)
        .order_by("user", "organization")
        .values_list("user_id", "organization_id")
    )
    grants = _grants(
        UserGroup.objects.filter(user__in=ids)
        .order_by("user", "group", "level")
        .values_list("user_id", "group_id", "level")
    )
    knows = sees_people(actor)
    found = []
    for row in rows:
        shown = people_objects.user(
            row,
            role_ids=roles[row.pk],
            organization_ids=secondary[row.pk],
            group_ids=grants[row.pk],
            is_agent=row.pk in agents,
        )
        if not knows and row.pk != actor.user_id:
            shown = people_objects.for_customers(shown)
        found.append(shown)
    return found


def users_expanded(shown: Objects) -> Objects:
    """Names for persons: a statement each for users, roles, organizations and groups."""
    logins = queries.names_of("user", _stampers(shown))
    roles = queries.names_of("role", _listed(shown, "role_ids"))
    organizations = queries.names_of(
        "organization", _listed(shown, "organization_ids") | _single(shown, "organization_id")
    )
    groups = queries.names_of("group", _granted(shown))
    return [
        people_objects.user_expanded(
            one, logins=logins, roles=roles, organizations=organizations, groups=groups
        )
        for one in shown
    ]


def organizations(rows: Sequence[Organization], *, actor: Actor) -> Objects:
    """Companies with their members; two statements for the lists."""
    ids = [row.pk for row in rows]
    members = _pairs(
        User.objects.filter(organization__in=ids)
        .order_by("organization", "id")
        .values_list("organization_id", "id")
    )
    secondary = _pairs(
        User.organizations.through.objects.filter(organization__in=ids)
        .order_by("organization", "user")
        .values_list("organization_id", "user_id")
    )
    found = [
        people_objects.organization(
            row, member_ids=members[row.pk], secondary_member_ids=secondary[row.pk]
        )
        for row in rows
    ]
    if not sees_people(actor) and not actor.may("admin.organization"):
        for one in found:
            one.update(note="", vip=False)
    return found


def organizations_expanded(shown: Objects) -> Objects:
    """Logins for companies; one statement."""
    logins = queries.names_of(
        "user",
        _stampers(shown) | _listed(shown, "member_ids") | _listed(shown, "secondary_member_ids"),
    )
    return [people_objects.organization_expanded(one, logins) for one in shown]


def groups(rows: Sequence[Group], *, actor: Actor) -> Objects:
    """Teams with the people granted access; one statement for the list."""
    ids = [row.pk for row in rows]
    members = (
        _pairs(
            UserGroup.objects.filter(group__in=ids)
            .order_by("group", "user")
            .values_list("group_id", "user_id")
            .distinct()
        )
        if actor.may("ticket.agent") or actor.may("admin.group")
        else defaultdict(list)
    )
    found = [people_objects.group(row, members[row.pk]) for row in rows]
    if not (actor.may("ticket.agent") or actor.may("admin.group")):
        for one in found:
            one["note"] = ""
    return found


def groups_expanded(shown: Objects) -> Objects:
    """Logins for teams, and what their addresses are called; a statement each."""
    logins = queries.names_of("user", _stampers(shown) | _listed(shown, "user_ids"))
    wanted = _single(shown, "email_address_id")
    found = EmailAddress.objects.filter(pk__in=wanted) if wanted else ()
    addresses = {row.pk: row.name or row.email for row in found}
    return [people_objects.group_expanded(one, logins=logins, addresses=addresses) for one in shown]


def roles(rows: Sequence[Role]) -> Objects:
    """Roles with permissions and grants; two statements for the lists."""
    ids = [row.pk for row in rows]
    permissions = _pairs(
        Role.permissions.through.objects.filter(role__in=ids)
        .order_by("role", "permission")
        .values_list("role_id", "permission_id")
    )
    grants = _grants(
        RoleGroup.objects.filter(role__in=ids)
        .order_by("role", "group", "level")
        .values_list("role_id", "group_id", "level")
    )
    # The role for all groups grants what no row says, so that it covers groups yet to come.
    every = (
        list(Group.objects.order_by("id").values_list("id", flat=True))
        if any(row.every_group for row in rows)
        else []
    )
    return [
        people_objects.role(
            row,
            permission_ids=permissions[row.pk],
            group_ids={id_: ["full"] for id_ in every} if row.every_group else grants[row.pk],
        )
        for row in rows
    ]


def roles_expanded(shown: Objects) -> Objects:
    """Names for roles: a statement each for users, permissions and groups."""
    logins = queries.names_of("user", _stampers(shown))
    permissions = queries.names_of("permission", _listed(shown, "permission_ids"))
    names = queries.names_of("group", _granted(shown))
    return [
        people_objects.role_expanded(one, logins=logins, permissions=permissions, groups=names)
        for one in shown
    ]


# --- tickets -------------------------------------------------------------------------------------


def tickets(actor: Actor, rows: Sequence[TicketRow], *, ids: bool = True) -> Objects:
    """Tickets as objects; with ``ids`` also the ids of what hangs on them (two statements more)."""
    fields = queries.shown_fields(actor)
    shown = [ticket_objects.ticket(row, fields) for row in rows]
    if ids:
        articles = queries.article_ids_of(actor, rows)
        times = queries.times_of([row.id for row in rows if row.time_spent is not None])
        for one in shown:
            ticket_objects.with_ids(
                one, articles[one["id"]], [time.id for time in times[one["id"]]]
            )
    return shown


def tickets_expanded(shown: Objects) -> Objects:
    """Names for tickets: a statement each for users, groups, organizations, states, priorities."""
    logins = queries.names_of("user", _stampers(shown) | _single(shown, "owner_id", "customer_id"))
    names = {
        "groups": queries.names_of("group", _single(shown, "group_id")),
        "organizations": queries.names_of("organization", _single(shown, "organization_id")),
        "states": queries.names_of("state", _single(shown, "state_id")),
        "priorities": queries.names_of("priority", _single(shown, "priority_id")),
    }
    return [ticket_objects.expanded(one, logins=logins, **names) for one in shown]


def articles(rows: Sequence[ArticleRow], *, root: str, inline: bool = True) -> Objects:
    """Articles in their expanded form, with files; a statement each for files and users."""
    files = queries.attachments_of([row.id for row in rows])
    people: set[int] = set()
    for row in rows:
        people |= article_objects.people_of(row)
    logins = queries.names_of("user", people)
    return [
        article_objects.expanded(
            article_objects.article(row, files[row.id], root=root, inline=inline), logins
        )
        for row in rows
    ]


def mention(row: MentionRow) -> dict[str, Any]:
    """Somebody follows a ticket."""
    return {
        "id": row.id,
        "mentionable_type": "Ticket",
        "mentionable_id": row.ticket_id,
        "user_id": row.user_id,
        "created_by_id": row.created_by_id,
        "updated_by_id": row.created_by_id,
        "created_at": stamp(row.created_at),
        "updated_at": stamp(row.updated_at),
    }


class Assets:
    """What an answer with ``full`` carries: objects by class, each by its id as text."""

    def __init__(self, actor: Actor, *, root: str) -> None:
        self.actor = actor
        self.root = root
        self._found: defaultdict[str, dict[str, dict[str, Any]]] = defaultdict(dict)
        self._users: set[int] = set()
        self._groups: set[int] = set()
        self._organizations: set[int] = set()
        self._roles: set[int] = set()

    def add_tickets(self, rows: Sequence[TicketRow]) -> None:
        """Tickets, and ask for their groups, organizations and people."""
        self._put("Ticket", tickets(self.actor, rows))
        for row in rows:
            self._groups.add(row.group_id)
            self._users |= {row.owner_id, row.customer_id, row.created_by_id, row.updated_by_id}
            if row.organization_id is not None:
                self._organizations.add(row.organization_id)

    def add_articles(
        self, rows: Sequence[ArticleRow], files: dict[int, list[AttachmentRow]] | None = None
    ) -> None:
        """Articles without the files that stand in their bodies, and ask for their people."""
        if files is None:
            files = queries.attachments_of([row.id for row in rows])
        for row in rows:
            self._users |= article_objects.people_of(row)
            shown = article_objects.article(
                row, files.get(row.id, []), root=self.root, inline=False
            )
            self._found["TicketArticle"][str(row.id)] = shown

    def add_mentions(self, rows: Sequence[MentionRow]) -> None:
        """Mentions, and ask for their people."""
        for row in rows:
            self._found["Mention"][str(row.id)] = mention(row)
            self._users |= {row.user_id, row.created_by_id}

    def add_users(self, ids: Iterable[int]) -> None:
        self._users.update(ids)

    def add_groups(self, ids: Iterable[int]) -> None:
        self._groups.update(ids)

    def add_organizations(self, ids: Iterable[int]) -> None:
        self._organizations.update(ids)

    def add_roles(self, ids: Iterable[int]) -> None:
        self._roles.update(ids)

    def add_objects(self, name: str, shown: Objects) -> None:
        """Objects at hand, under their class name."""
        self._put(name, shown)

    def filled(self) -> dict[str, dict[str, dict[str, Any]]]:
        """The assets with everything that was asked for; each table once."""
        if self._users:
            rows = list(User.objects.filter(pk__in=self._users).order_by("id"))
            shown = users(rows, actor=self.actor)
            self._put("User", shown)
            self._roles |= _listed(shown, "role_ids")
            self._groups |= _granted(shown)
            self._organizations |= _single(shown, "organization_id") | _listed(
                shown, "organization_ids"
            )
        if self._organizations:
            found = _by_id(Organization.objects.all(), self._organizations)
            self._put("Organization", organizations(found, actor=self.actor))
        if self._roles:
            shown = roles(_by_id(Role.objects.all(), self._roles))
            self._put("Role", shown)
            self._groups |= _granted(shown)
        if self._groups:
            self._put("Group", groups(_by_id(Group.objects.all(), self._groups), actor=self.actor))
        return self._found

    def _put(self, name: str, shown: Objects) -> None:
        if shown:
            self._found[name].update((str(one["id"]), one) for one in shown)


def _by_id(rows: QuerySet[Any], ids: Collection[int]) -> list[Any]:
    return list(rows.filter(pk__in=ids).order_by("id"))


def _pairs(rows: Iterable[tuple[int, int]]) -> defaultdict[int, list[int]]:
    found: defaultdict[int, list[int]] = defaultdict(list)
    for one, other in rows:
        found[one].append(other)
    return found


def _grants(rows: Iterable[tuple[int, int, str]]) -> defaultdict[int, dict[int, list[str]]]:
    found: defaultdict[int, dict[int, list[str]]] = defaultdict(dict)
    for one, group_id, level in rows:
        found[one].setdefault(group_id, []).append(level)
    return found


def _stampers(shown: Objects) -> set[int]:
    return _single(shown, "created_by_id", "updated_by_id")


def _single(shown: Objects, *keys: str) -> set[int]:
    return {one[key] for one in shown for key in keys if one[key] is not None}


def _listed(shown: Objects, key: str) -> set[int]:
    return {id_ for one in shown for id_ in one[key]}


def _granted(shown: Objects) -> set[int]:
    return {int(id_) for one in shown for id_ in one["group_ids"]}
