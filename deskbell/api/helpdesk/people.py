"""Adding accounts: a new person, or the claim of one who is known by an address (decision 6)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction
from rest_framework.exceptions import ValidationError

from deskbell.api.helpdesk import decode, names
from deskbell.api.helpdesk.errors import said
from deskbell.kernel.actor import Actor
from deskbell.kernel.errors import Invalid
from deskbell.kernel.text import fold
from deskbell.people.models import Identity, User
from deskbell.people.operations import NewUser, change_user, create_user, is_claimable
from deskbell.people.passwords import password_problems


def add_user(serializer: decode.UserSerializer, *, actor: Actor, at: datetime) -> User:
    """Validate and add a customer account. Raises :class:`ValidationError`, all fields at once."""
    with transaction.atomic():
        wrong: dict[str, Any] = {}
        if not serializer.is_valid():
            wrong.update(serializer.errors)
            if "non_field_errors" in wrong:
                raise ValidationError(serializer.errors)
        given = serializer.initial_data
        claimed = _claimable(_word(given, "email", wrong))
        for name, text in (("username", "username"), ("email", "email address")):
            if _is_taken(_word(given, name, wrong), claimed):
                wrong[name] = [f"A user with that {text} already exists."]
        if wrong:
            raise ValidationError(wrong)
        values = serializer.validated_data
        problems = password_problems(
            values["password"],
            login=values["username"],
            firstname=values.get("first_name", ""),
            lastname=values.get("last_name", ""),
            email=values.get("email", ""),
        )
        if problems:
            raise ValidationError({"password": problems})
        try:
            return (
                _claim(claimed, values, actor=actor, at=at)
                if claimed
                else _create(values, actor=actor, at=at)
            )
        except Invalid as error:
            # Somebody was faster; the identity of a person is unique in the database.
            raise said(error, names.USER_FIELDS) from error


def _word(given: Any, name: str, wrong: Mapping[str, Any]) -> str:
    """What was sent for a field, if that is a fit value in itself."""
    value = given.get(name) if isinstance(given, Mapping) and name not in wrong else None
    return value.strip() if isinstance(value, str) else ""


def _holder(name: str) -> User | None:
    identity = Identity.objects.filter(key=fold(name)).select_related("user").first()
    return identity.user if identity is not None else None


def _claimable(email: str) -> User | None:
    """The person to whom the address belongs and who has no account yet."""
    user = _holder(email) if email else None
    return user if user is not None and is_claimable(user) else None


def _is_taken(name: str, claimed: User | None) -> bool:
    holder = _holder(name) if name else None
    return holder is not None and (claimed is None or holder.pk != claimed.pk)


def _create(values: Mapping[str, Any], *, actor: Actor, at: datetime) -> User:
    return create_user(
        NewUser(
            login=values["username"],
            email=values.get("email", ""),
            firstname=values.get("first_name", ""),
            lastname=values.get("last_name", ""),
            password=values["password"],
        ),
        actor=actor,
        at=at,
    )


def _claim(claimed: User, values: Mapping[str, Any], *, actor: Actor, at: datetime) -> User:
    columns = {
        ours: values[theirs]
        for ours, theirs in (("firstname", "first_name"), ("lastname", "last_name"))
        if values.get(theirs)
    }
    return change_user(
        claimed.pk,
        columns=columns,
        login=values["username"],
        email=values["email"],
        password=values["password"],
        login_chosen=True,
        claiming=True,
        actor=actor,
        at=at,
    )
