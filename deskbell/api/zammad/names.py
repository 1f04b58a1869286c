"""Names instead of ids: which row a client means (contract section 4, unknown relations)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from deskbell.api.zammad import errors
from deskbell.api.zammad.decode.values import as_id, is_blank, items
from deskbell.kernel.actor import NOBODY_ID
from deskbell.kernel.text import fold
from deskbell.people import credentials
from deskbell.people.models import Group, Identity, Organization, Permission, Role, User
from deskbell.tickets.models import Priority, State, TimeType
from deskbell.tickets.vocabulary import (
    ARTICLE_TYPE_NAMES,
    SENDER_NAMES,
    ArticleType,
    Sender,
)

ARTICLE_TYPE_IDS = {fold(name): type_ for type_, name in ARTICLE_TYPE_NAMES.items()}
SENDER_IDS = {fold(name): sender for sender, name in SENDER_NAMES.items()}
#: What clients write for "nobody": the login of user 1.
NOBODY = "-"

_NAMED: dict[str, Any] = {
    "group": Group,
    "state": State,
    "priority": Priority,
    "organization": Organization,
    "role": Role,
    "time_type": TimeType,
}


def row_named(kind: str, value: Any, *, key: str | None = None) -> int:
    """The id of the group, state, priority, organization or role with this name.

    ``key`` is what the client called it. Raises :class:`errors.Problem`.
    """
    name = key or kind
    if isinstance(value, str):
        id_ = _NAMED[kind].objects.filter(name_key=fold(value)).values_list("pk", flat=True).first()
        if id_ is not None:
            return int(id_)
    raise errors.no_lookup_value(name, value)


def user_named(key: str, value: Any, *, nobody: bool = False) -> int:
    """The id of the user with this login or address. ``nobody``: ``-`` means user 1."""
    if not isinstance(value, str):
        raise errors.unprocessable(
            f"String is needed as ref value {errors.inspected(value)} for '{key}'"
        )
    if nobody and value.strip() == NOBODY:
        return NOBODY_ID
    user = credentials.user_named(value)
    if user is None:
        raise errors.no_lookup_value(key, value)
    return user.pk


def known_id(kind: str, key: str, value: Any) -> int:
    """An id sent by a client, if there is such a row; ``key`` is the parameter's name."""
    id_ = as_id(value)
    model = User if kind == "user" else _NAMED[kind]
    if id_ is None or not model.objects.filter(pk=id_).exists():
        raise errors.invalid_param(key, value)
    return id_


def group_id_of(params: Mapping[str, Any], *, present: int | None = None) -> int | None:
    """The group named or numbered; ``None`` where neither is."""
    return _relation(params, "group", "group", present=present)


def state_id_of(params: Mapping[str, Any], *, present: int | None = None) -> int | None:
    """The state named or numbered; ``None`` where neither is."""
    return _relation(params, "state", "state", present=present)


def priority_id_of(params: Mapping[str, Any], *, present: int | None = None) -> int | None:
    """The priority named or numbered; ``None`` where neither is."""
    return _relation(params, "priority", "priority", present=present)


def _relation(params: Mapping[str, Any], kind: str, key: str, *, present: int | None) -> int | None:
    """A relation by name or by id.

    Where both are sent the name counts, as in Zammad; but a client that writes back an expanded
    object with another id does not mean the name it was given: what differs from ``present`` wins.
    """
    by_name, by_id = params.get(key), params.get(f"{key}_id")
    named = None if by_name is None else row_named(kind, by_name, key=key)
    if named is not None and (named != present or is_blank(by_id)):
        return named
    if is_blank(by_id):
        return named
    if as_id(by_id) == present and present is not None:
        return present
    return known_id(kind, f"{key}_id", by_id)


def article_type(params: Mapping[str, Any]) -> ArticleType | None:
    """The type of an article, by name or id; ``None`` where neither is sent."""
    found: ArticleType | None = _fixed(params, "type", ARTICLE_TYPE_IDS, ArticleType)
    return found


def article_sender(params: Mapping[str, Any]) -> Sender | None:
    """The sender of an article, by name or id; ``None`` where neither is sent."""
    found: Sender | None = _fixed(params, "sender", SENDER_IDS, Sender)
    return found


def _fixed(params: Mapping[str, Any], key: str, by_name: Mapping[str, Any], kind: Any) -> Any:
    name = params.get(key)
    if not is_blank(name):
        found = by_name.get(fold(name)) if isinstance(name, str) else None
        if found is None:
            raise errors.no_lookup_value(key, name)
        return found
    value = params.get(f"{key}_id")
    if is_blank(value):
        return None
    id_ = as_id(value)
    if id_ not in kind._value2member_map_:
        raise errors.invalid_param(f"{key}_id", value)
    return kind(id_)


def time_type_of(params: Mapping[str, Any]) -> int | None:
    """What an article's time was spent on, by name or by id; ``None`` where neither is sent."""
    name, id_ = params.get("accounted_time_type"), params.get("accounted_time_type_id")
    if not is_blank(name):
        return row_named("time_type", name, key="accounted_time_type")
    return None if is_blank(id_) else known_id("time_type", "accounted_time_type_id", id_)


def users_named(key: str, value: Any) -> list[int]:
    """Ids of users by a list of logins or addresses; one statement."""
    wanted = items(key, value)
    folded = {fold(name): name for name in wanted if isinstance(name, str)}
    found = dict(
        Identity.objects.filter(key__in=list(folded))
        .exclude(user=NOBODY_ID)
        .values_list("key", "user_id")
    )
    for name in wanted:
        if not isinstance(name, str) or fold(name) not in found:
            raise errors.no_lookup_value(key, name)
    return list(dict.fromkeys(found[fold(name)] for name in wanted))


def rows_named(kind: str, key: str, value: Any) -> list[int]:
    """Ids of roles, groups or organizations by a list of names; one statement."""
    wanted = items(key, value)
    folded = [fold(name) for name in wanted if isinstance(name, str)]
    found = dict(_NAMED[kind].objects.filter(name_key__in=folded).values_list("name_key", "pk"))
    for name in wanted:
        if not isinstance(name, str) or fold(name) not in found:
            raise errors.no_lookup_value(key, name)
    return list(dict.fromkeys(found[fold(name)] for name in wanted))


def permissions_named(value: Any) -> list[str]:
    """Names of permissions, each known. Accepts the names or the ids."""
    wanted = items("permissions", value)
    names = dict(Permission.objects.values_list("pk", "name"))
    known = set(names.values())
    found: dict[str, None] = {}
    for item in wanted:
        if isinstance(item, str) and item in known:
            found[item] = None
        elif as_id(item) in names:
            found[names[as_id(item) or 0]] = None
        elif isinstance(item, str):
            raise errors.no_lookup_value("permissions", item)
        else:
            raise errors.no_value_found("permissions", item)
    return list(found)
