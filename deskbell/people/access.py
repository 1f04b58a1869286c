"""What somebody may do, read from the database in every request (decision 2)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection

from django.db import connection

from deskbell.kernel.actor import NOBODY_ID, Actor, ActorKind, Via, includes
from deskbell.kernel.compiled import Compiled
from deskbell.kernel.logging import user_id as logged_user_id
from deskbell.kernel.text import MAX_ID
from deskbell.people.models import User

# One round trip: permissions (p), levels on every group (e), on one group (g), shared
# organizations the person is a member of (o). The user row itself says whether he is active.
_GRANTS = """
SELECT 'u', 0, '' FROM people_user u WHERE u.id = %(user)s AND u.active
UNION ALL
SELECT 'p', 0, p.name FROM people_userrole ur
  JOIN people_role r ON r.id = ur.role_id AND r.active
  JOIN people_role_permissions rp ON rp.role_id = r.id
  JOIN people_permission p ON p.id = rp.permission_id AND p.active
 WHERE ur.user_id = %(user)s
UNION ALL
SELECT 'e', 0, 'full' FROM people_userrole ur
  JOIN people_role r ON r.id = ur.role_id AND r.active AND r.every_group
 WHERE ur.user_id = %(user)s
UNION ALL
SELECT 'g', ug.group_id, ug.level FROM people_usergroup ug WHERE ug.user_id = %(user)s
UNION ALL
SELECT 'g', rg.group_id, rg.level FROM people_userrole ur
  JOIN people_role r ON r.id = ur.role_id AND r.active
  JOIN people_rolegroup rg ON rg.role_id = r.id
 WHERE ur.user_id = %(user)s
UNION ALL
SELECT 'o', o.id, '' FROM people_user u
  JOIN people_organization o ON o.id = u.organization_id AND o.shared
 WHERE u.id = %(user)s
UNION ALL
SELECT 'o', o.id, '' FROM people_user_organizations uo
  JOIN people_organization o ON o.id = uo.organization_id AND o.shared
 WHERE uo.user_id = %(user)s
"""
_GRANTS_POSITIONAL = _GRANTS.replace("%(user)s", "%s")
_ACTIVE = Compiled(lambda key: User.objects.filter(pk=key, active=True).values_list("id"), int)
_PLACES = _GRANTS.count("%(user)s")


def actor_for(user_id: int, via: Via, *, scope: Collection[str] | None = None) -> Actor | None:
    """The actor that the user is right now, ``None`` if there is no such active user.

    ``scope`` is the permission list of an API token. One query.
    """
    if user_id == NOBODY_ID or not 0 < user_id <= MAX_ID:
        return None
    active = False
    permissions: set[str] = set()
    every_group: set[str] = set()
    groups: defaultdict[int, set[str]] = defaultdict(set)
    organizations: set[int] = set()
    with connection.cursor() as cursor:
        cursor.execute(_GRANTS_POSITIONAL, [user_id] * _PLACES)
        for what, id_, name in cursor.fetchall():
            if what == "p":
                permissions.add(name)
            elif what == "g":
                groups[id_].add(name)
            elif what == "o":
                organizations.add(id_)
            elif what == "e":
                every_group.add(name)
            else:
                active = True
    if not active:
        return None
    if via != "system":
        # Names the caller in the access log; "system" asks about somebody else.
        logged_user_id.set(user_id)
    granted = frozenset(permissions)
    kind: ActorKind = (
        "agent" if includes(granted, "ticket.agent") or includes(granted, "admin") else "customer"
    )
    return Actor(
        kind=kind,
        user_id=user_id,
        via=via,
        permissions=granted,
        groups={group: frozenset(levels) for group, levels in groups.items()},
        every_group=frozenset(every_group),
        shared_organizations=frozenset(organizations),
        scope=None if scope is None else frozenset(scope),
    )


def may_own(user_id: int, group_id: int) -> bool:
    """Whether the user is an active agent with ``full`` on the group (Zammad's rule for owners)."""
    actor = actor_for(user_id, "system")
    return actor is not None and actor.may_in_group("full", group_id)


def is_active(user_id: int) -> bool:
    """Whether there is such an active user (django-helpdesk's rule for owners)."""
    return user_id != NOBODY_ID and bool(_ACTIVE.all(user_id))


def full_access(
    *, user_id: int | None = None, role_id: int | None = None, group_id: int | None = None
) -> frozenset[tuple[int, int]]:
    """Pairs of user and group: active agents with ``full`` on a group.

    Those of one person, of everybody in a role, or on one group. One query; costs what there are
    agents, however many customers a role has.
    """
    who, where, params = "1=1", "1=1", []
    if user_id is not None:
        who, params = "u.id = %s", [user_id]
    elif role_id is not None:
        who, params = "u.id IN (SELECT user_id FROM people_userrole WHERE role_id = %s)", [role_id]
    if group_id is not None:
        where = "g.id = %s"
        params.append(group_id)
    # Both texts are ours; values travel as parameters only.
    sql = f"""
SELECT a.user_id, g.id FROM (
  SELECT DISTINCT ur.user_id FROM people_userrole ur
    JOIN people_role r ON r.id = ur.role_id AND r.active
    JOIN people_role_permissions rp ON rp.role_id = r.id
    JOIN people_permission p ON p.id = rp.permission_id AND p.active
     AND p.name IN ('ticket', 'ticket.agent')
    JOIN people_user u ON u.id = ur.user_id AND u.active
   WHERE {who}) a
 CROSS JOIN people_group g
 WHERE {where} AND (
   EXISTS (SELECT 1 FROM people_usergroup ug
            WHERE ug.user_id = a.user_id AND ug.group_id = g.id AND ug.level = 'full')
   OR EXISTS (SELECT 1 FROM people_userrole ur2
                JOIN people_role r2 ON r2.id = ur2.role_id AND r2.active
                LEFT JOIN people_rolegroup rg ON rg.role_id = r2.id AND rg.group_id = g.id
                 AND rg.level = 'full'
               WHERE ur2.user_id = a.user_id AND (r2.every_group OR rg.id IS NOT NULL)))"""  # noqa: S608
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return frozenset(cursor.fetchall())


#: Ids of active agents with a level (or ``full``) on a group, as the inside of ``IN (…)``; the
#: parameters are group, level, group, level. Costs what there are agents, not customers: SQLite
#: takes tables that are cross-joined in the order in which they stand, and would begin with all
#: users otherwise.
AGENTS_WITH = """
SELECT DISTINCT u.id FROM people_permission p
 CROSS JOIN people_role_permissions rp
 CROSS JOIN people_role r
 CROSS JOIN people_userrole ur
 CROSS JOIN people_user u
 WHERE p.name IN ('ticket', 'ticket.agent') AND p.active AND rp.permission_id = p.id
   AND r.id = rp.role_id AND r.active AND ur.role_id = r.id AND u.id = ur.user_id AND u.active
   AND (
   EXISTS (SELECT 1 FROM people_usergroup ug
            WHERE ug.user_id = u.id AND ug.group_id = %s AND ug.level IN (%s, 'full'))
   OR EXISTS (SELECT 1 FROM people_userrole ur2
                JOIN people_role r2 ON r2.id = ur2.role_id AND r2.active
                LEFT JOIN people_rolegroup rg ON rg.role_id = r2.id AND rg.group_id = %s
                 AND rg.level IN (%s, 'full')
               WHERE ur2.user_id = u.id AND (r2.every_group OR rg.id IS NOT NULL)))"""


def agents_with(level: str, group_id: int) -> list[int]:
    """Ids of active agents with the level (or ``full``) on the group, ascending. One query."""
    with connection.cursor() as cursor:
        cursor.execute(f"{AGENTS_WITH} ORDER BY u.id", [group_id, level, group_id, level])
        return [row[0] for row in cursor.fetchall()]
