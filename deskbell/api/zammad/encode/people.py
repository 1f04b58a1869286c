"""Users, organizations, groups, roles and tokens as Zammad's objects (sections 2, 10, 11)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from deskbell.api.zammad.encode.values import stamp_of
from deskbell.notify import wishes
from deskbell.people.models import (
    ApiToken,
    EmailAddress,
    Group,
    Organization,
    Permission,
    Role,
    User,
)

Levels = Mapping[int, Sequence[str]]


def user(
    row: User,
    *,
    role_ids: Sequence[int],
    organization_ids: Sequence[int],
    group_ids: Levels,
    is_agent: bool,
) -> dict[str, Any]:
    """A person, without anything secret. Agents have a notification matrix, chosen or not."""
    preferences = row.preferences
    if is_agent and wishes.CONFIG not in preferences:
        preferences = {**preferences, wishes.CONFIG: wishes.default_config()}
    return {
        "id": row.pk,
        "organization_id": row.organization_id,
        "login": row.login,
        "firstname": row.firstname,
        "lastname": row.lastname,
        "email": row.email,
        "image": row.image,
        "image_source": row.image_source,
        "web": row.web,
        "phone": row.phone,
        "fax": row.fax,
        "mobile": row.mobile,
        "department": row.department,
        "street": row.street,
        "zip": row.zip,
        "city": row.city,
        "country": row.country,
        "address": row.address,
        "vip": row.vip,
        "verified": row.verified,
        "active": row.active,
        "note": row.note,
        "last_login": stamp_of(row.last_login),
        "source": row.source,
        "login_failed": row.login_failed,
        "out_of_office": row.out_of_office,
        "out_of_office_start_at": _date(row.out_of_office_start_at),
        "out_of_office_end_at": _date(row.out_of_office_end_at),
        "out_of_office_replacement_id": row.out_of_office_replacement_id,
        "preferences": preferences,
        "updated_by_id": row.updated_by_id,
        "created_by_id": row.created_by_id,
        "created_at": stamp_of(row.created_at),
        "updated_at": stamp_of(row.updated_at),
        "role_ids": role_ids,
        "two_factor_preference_ids": [],
        "organization_ids": organization_ids,
        "authorization_ids": [],
        "overview_sorting_ids": [],
        "group_ids": _levels(group_ids),
    }


#: What customers hear of other people: who somebody is, not how to reach or judge him.
_PRIVATE_TEXTS = ("web", "phone", "fax", "mobile", "street", "zip", "city", "country", "note")
_PRIVATE_NULLS = (
    "department",
    "address",
    "last_login",
    "source",
    "out_of_office_start_at",
    "out_of_office_end_at",
    "out_of_office_replacement_id",
)


def for_customers(shown: dict[str, Any]) -> dict[str, Any]:
    """A person as other customers see him: the same keys, without private values."""
    shown.update(dict.fromkeys(_PRIVATE_TEXTS, ""))
    shown.update(dict.fromkeys(_PRIVATE_NULLS))
    shown.update(
        login_failed=0,
        out_of_office=False,
        vip=False,
        preferences={},
        role_ids=[],
        group_ids={},
    )
    return shown


def user_expanded(
    shown: dict[str, Any],
    *,
    logins: Mapping[int, str],
    roles: Mapping[int, str],
    organizations: Mapping[int, str],
    groups: Mapping[int, str],
) -> dict[str, Any]:
    """Names beside the ids of a person."""
    shown["roles"] = [roles[id_] for id_ in shown["role_ids"]]
    shown["two_factor_preferences"] = []
    shown["organizations"] = [organizations[id_] for id_ in shown["organization_ids"]]
    shown["authorizations"] = []
    shown["overview_sortings"] = []
    if shown["organization_id"] is not None:
        shown["organization"] = organizations[shown["organization_id"]]
    shown["groups"] = {groups[int(id_)]: levels for id_, levels in shown["group_ids"].items()}
    return _stamped_names(shown, logins)


def organization(
    row: Organization, *, member_ids: Sequence[int], secondary_member_ids: Sequence[int]
) -> dict[str, Any]:
    """A company."""
    return {
        "id": row.pk,
        "name": row.name,
        "shared": row.shared,
        "domain": row.domain,
        "domain_assignment": row.domain_assignment,
        "active": row.active,
        "vip": row.vip,
        "note": row.note,
        "updated_by_id": row.updated_by_id,
        "created_by_id": row.created_by_id,
        "created_at": stamp_of(row.created_at),
        "updated_at": stamp_of(row.updated_at),
        "member_ids": member_ids,
        "secondary_member_ids": secondary_member_ids,
    }


def organization_expanded(shown: dict[str, Any], logins: Mapping[int, str]) -> dict[str, Any]:
    """Logins beside the ids of a company."""
    shown["members"] = [logins[id_] for id_ in shown["member_ids"]]
    shown["secondary_members"] = [logins[id_] for id_ in shown["secondary_member_ids"]]
    return _stamped_names(shown, logins)


def group(row: Group, user_ids: Sequence[int]) -> dict[str, Any]:
    """A team."""
    return {
        "id": row.pk,
        "signature_id": None,
        "email_address_id": row.email_address_id,
        "name": row.name,
        "name_last": row.name_last,
        "parent_id": row.parent_id,
        "assignment_timeout": row.assignment_timeout,
        "follow_up_possible": row.follow_up_possible,
        "reopen_time_in_days": row.reopen_time_in_days,
        "follow_up_assignment": row.follow_up_assignment,
        "active": row.active,
        "shared_drafts": row.shared_drafts,
        "note": row.note,
        "updated_by_id": row.updated_by_id,
        "created_by_id": row.created_by_id,
        "created_at": stamp_of(row.created_at),
        "updated_at": stamp_of(row.updated_at),
        "user_ids": user_ids,
    }


def group_expanded(
    shown: dict[str, Any], *, logins: Mapping[int, str], addresses: Mapping[int, str]
) -> dict[str, Any]:
    """Logins beside the ids of a team, and what its address is called."""
    if shown["email_address_id"] is not None:
        shown["email_address"] = addresses[shown["email_address_id"]]
    shown["users"] = [logins[id_] for id_ in shown["user_ids"]]
    shown["signature"] = None
    return _stamped_names(shown, logins)


def email_address(row: EmailAddress, group_ids: Sequence[int]) -> dict[str, Any]:
    """An address that groups write from. Older clients call its name ``realname``."""
    return {
        "id": row.pk,
        "channel_id": None,
        "name": row.name,
        "realname": row.name,
        "email": row.email,
        "active": row.active,
        "note": row.note,
        "preferences": row.preferences,
        "updated_by_id": row.updated_by_id,
        "created_by_id": row.created_by_id,
        "created_at": stamp_of(row.created_at),
        "updated_at": stamp_of(row.updated_at),
        "group_ids": group_ids,
    }


def role(row: Role, *, permission_ids: Sequence[int], group_ids: Levels) -> dict[str, Any]:
    """A set of permissions and grants."""
    return {
        "id": row.pk,
        "name": row.name,
        "preferences": row.preferences,
        "default_at_signup": row.default_at_signup,
        "active": row.active,
        "note": row.note,
        "updated_by_id": row.updated_by_id,
        "created_by_id": row.created_by_id,
        "created_at": stamp_of(row.created_at),
        "updated_at": stamp_of(row.updated_at),
        "permission_ids": permission_ids,
        "knowledge_base_permission_ids": [],
        "group_ids": _levels(group_ids),
    }


def role_expanded(
    shown: dict[str, Any],
    *,
    logins: Mapping[int, str],
    permissions: Mapping[int, str],
    groups: Mapping[int, str],
) -> dict[str, Any]:
    """Names beside the ids of a role."""
    shown["permissions"] = [permissions[id_] for id_ in shown["permission_ids"]]
    shown["knowledge_base_permissions"] = []
    shown["groups"] = {groups[int(id_)]: levels for id_, levels in shown["group_ids"].items()}
    return _stamped_names(shown, logins)


def _stamped_names(shown: dict[str, Any], logins: Mapping[int, str]) -> dict[str, Any]:
    shown["created_by"] = logins[shown["created_by_id"]]
    shown["updated_by"] = logins[shown["updated_by_id"]]
    return shown


def permission(row: Permission) -> dict[str, Any]:
    """A named right."""
    return {
        "id": row.pk,
        "name": row.name,
        "note": row.note,
        "preferences": row.preferences,
        "active": row.active,
        "created_at": stamp_of(row.created_at),
        "updated_at": stamp_of(row.updated_at),
    }


def token(row: ApiToken) -> dict[str, Any]:
    """An API token without its secret, which nobody knows any more.

    Newer clients read ``name``, older ones ``label``.
    """
    return {
        "id": row.pk,
        "user_id": row.user_id,
        "action": "api",
        "name": row.name,
        "label": row.name,
        "preferences": {"permission": row.permissions or []},
        "last_used_at": stamp_of(row.last_used_at),
        "expires_at": _date(row.expires_at),
        "created_at": stamp_of(row.created_at),
        "updated_at": stamp_of(row.updated_at),
    }


def _levels(levels: Levels) -> dict[str, Sequence[str]]:
    return {str(id_): list(given) for id_, given in levels.items()}


def _date(value: Any) -> str | None:
    return None if value is None else value.isoformat()
