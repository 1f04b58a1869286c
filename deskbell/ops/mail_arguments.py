"""What is said the same way to every action of ``deskbell mail``: settings, switches, names."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING, TypeVar

from deskbell.ops.cli import CommandError

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from deskbell.kernel.errors import Invalid
    from deskbell.mail.models import MailChannel, MailRoute
    from deskbell.people.models import Group

    Named = TypeVar("Named", MailChannel, MailRoute)


def add_settings(parser: argparse.ArgumentParser, *, about: str) -> None:
    """Let settings be given as ``--set NAME=VALUE``, as often as there are some."""
    parser.add_argument(
        "--set", dest="settings", action="append", default=[], metavar="NAME=VALUE", help=about
    )


def add_switch(parser: argparse.ArgumentParser, name: str, about: str) -> None:
    """Let something be said, denied or left as it is: ``--name``, ``--no-name``."""
    parser.add_argument(
        f"--{name}", action=argparse.BooleanOptionalAction, default=None, help=about
    )


def pairs(option: str, given: Iterable[str]) -> dict[str, str]:
    """What was given as NAME=VALUE. Raises :class:`CommandError`."""
    found = {}
    for each in given:
        name, equals, value = each.partition("=")
        if not equals:
            raise CommandError(f"{option} needs NAME=VALUE, not {each}.")
        found[name.strip()] = value
    return found


def row_named(rows: QuerySet[Named], name: str, *, resource: str) -> Named:
    """The row of that name in whatever case, or of that id. Raises :class:`CommandError`."""
    from deskbell.kernel.text import fold

    found = rows.filter(name_key=fold(name)).first()
    if found is None and name.isascii() and name.isdigit() and len(name) < 19:
        found = rows.filter(pk=int(name)).first()
    if found is None:
        raise CommandError(f"There is no {resource} {name}.")
    return found


def group_named(name: str) -> Group:
    """The group of that name or slug. Raises :class:`CommandError`."""
    from deskbell.kernel.text import fold, is_storable
    from deskbell.people.models import Group

    found = None
    if is_storable(name):
        found = Group.objects.filter(name_key=fold(name)).first()
        found = found or Group.objects.filter(slug=name).first()
    if found is None:
        raise CommandError(f"There is no group {name}.")
    return found


def sentence(problem: Invalid) -> str:
    """What is wrong with a value, for the person at the terminal."""
    words = {
        "required": "is needed",
        "unknown": "is not known",
        "taken": "is taken by another",
        "not_selectable": "is none of the choices",
        "too_long": "is too long",
        "not_installed": "needs packages that are missing (pip install '.[mailauth]')",
    }
    value = "" if problem.value is None else f" ({problem.value})"
    return f"{problem.field}{value} {words.get(problem.code, 'makes no sense')}."


def when(moment: datetime | None) -> str:
    """A moment in a list, to the minute, in UTC."""
    return f"{moment:%Y-%m-%d %H:%M}" if moment is not None else "never"
