"""Whether a password is good enough, said in the same words wherever somebody chooses one."""

from __future__ import annotations

from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, ClassVar

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import FieldDoesNotExist, ValidationError

from deskbell.people.credentials import PASSWORD_LIMIT

_VERBOSE = {
    "username": "username",
    "first_name": "first name",
    "last_name": "last name",
    "email": "email address",
}


class _Meta:
    """What the similarity rule asks for how an attribute is called."""

    @staticmethod
    def get_field(name: str) -> Any:
        if name not in _VERBOSE:
            raise FieldDoesNotExist(name)
        return SimpleNamespace(verbose_name=_VERBOSE[name])


@dataclass(frozen=True, slots=True)
class _Person:
    """Somebody under the attribute names that Django's rules know, whatever our columns are."""

    username: str
    first_name: str
    last_name: str
    email: str
    _meta: ClassVar[type[_Meta]] = _Meta


def password_problems(
    password: str, *, login: str = "", firstname: str = "", lastname: str = "", email: str = ""
) -> list[str]:
    """What speaks against the password, as sentences, in the order of the rules; none if good.

    The rules are Django's: too similar to the person, too short, too common, only digits. They
    say "username", whatever the field is called elsewhere (decision 42).
    """
    if len(password) > PASSWORD_LIMIT:
        return [f"Ensure this field has no more than {PASSWORD_LIMIT} characters."]
    person: Any = _Person(login, firstname, lastname, email)
    try:
        validate_password(password, person)
    except ValidationError as error:
        return list(error.messages)
    return []
