"""Who acts, and through which face.

Nothing below the faces reads "the current user" from the air: mail, triggers and three APIs have
none. Whoever starts something hands an :class:`Actor` down.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal

ActorKind = Literal["agent", "customer", "trigger", "system"]
Via = Literal["jutda", "helpdesk", "zammad", "web", "portal", "mail", "cli", "trigger", "system"]

#: Access levels of a group, as Zammad names them; ``full`` implies the other four.
LEVELS = frozenset({"read", "create", "change", "overview", "full"})
NOBODY_ID = 1

_NO_GROUPS: Mapping[int, frozenset[str]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Actor:
    """The one who acts: what kind, which user, through which face, and what is granted.

    ``permissions`` are names like ``ticket.agent``; a permission includes those below it
    (``admin`` includes ``admin.user``). ``groups`` maps a group id to the levels granted there,
    ``every_group`` holds the levels granted on all groups, present and future.
    ``scope`` is the permission list of an API token, ``None`` where nothing narrows the user.
    """

    kind: ActorKind
    user_id: int
    via: Via
    permissions: frozenset[str] = frozenset()
    groups: Mapping[int, frozenset[str]] = field(default_factory=lambda: _NO_GROUPS)
    every_group: frozenset[str] = frozenset()
    shared_organizations: frozenset[int] = frozenset()
    scope: frozenset[str] | None = None

    def may(self, permission: str) -> bool:
        """Whether the user holds the permission, and the token (if any) lets it through."""
        if self.kind in ("system", "trigger"):
            return True
        return includes(self.permissions, permission) and (
            self.scope is None or includes(self.scope, permission)
        )

    def holds(self, permission: str) -> bool:
        """Whether the user holds the permission, whatever the token says."""
        return self.kind in ("system", "trigger") or includes(self.permissions, permission)

    def may_in_group(self, level: str, group_id: int) -> bool:
        """Whether the level is granted on the group (agents only; system always)."""
        if self.kind in ("system", "trigger"):
            return True
        if not self.may("ticket.agent"):
            return False
        granted = self.groups.get(group_id, frozenset()) | self.every_group
        return level in granted or "full" in granted

    def groups_with(self, level: str) -> frozenset[int] | None:
        """Ids of the groups that grant the level; ``None`` means every group."""
        if self.kind in ("system", "trigger"):
            return None
        if not self.may("ticket.agent"):
            return frozenset()
        if self.every_group & {level, "full"}:
            return None
        return frozenset(g for g, levels in self.groups.items() if levels & {level, "full"})

    @property
    def is_staff(self) -> bool:
        """django-helpdesk's *staff*: may work on tickets or administer the desk."""
        return self.may("ticket.agent") or self.may("admin")


def includes(granted: frozenset[str], permission: str) -> bool:
    """Whether permission names include one; those above it count (``a`` for ``a.b``)."""
    while True:
        if permission in granted:
            return True
        permission, dot, _ = permission.rpartition(".")
        if not dot:
            return False


#: The desk itself: seeds, imports, jobs. Acts as user 1, who is nobody.
SYSTEM = Actor(kind="system", user_id=NOBODY_ID, via="system")
