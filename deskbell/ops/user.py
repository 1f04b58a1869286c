"""``deskbell user``: add, list and change people from the command line."""

from __future__ import annotations

import argparse
import getpass
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from deskbell.kernel.config import Config
from deskbell.ops.cli import CommandError, start_django
from deskbell.ops.migrate import refuse_unless_migrated

if TYPE_CHECKING:
    from deskbell.kernel.actor import Actor
    from deskbell.people.models import User


def add_arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", metavar="action", required=True)
    add = actions.add_parser("add", help="add a person")
    add.add_argument("email", help="the address; also the login unless --login is given")
    add.add_argument("--login")
    add.add_argument("--firstname", default="")
    add.add_argument("--lastname", default="")
    add.add_argument(
        "--role", action="append", default=[], metavar="NAME", help="Admin, Agent, Customer, …"
    )
    add.add_argument(
        "--group",
        action="append",
        default=[],
        metavar="NAME[=LEVEL,…]",
        help="access to a group (read, create, change, overview, full; default full)",
    )
    _password_arguments(add)
    add.add_argument("--no-password", action="store_true", help="cannot sign in yet")
    show = actions.add_parser("list", help="list people")
    show.add_argument("--role", metavar="NAME")
    show.add_argument("--limit", type=int, default=200)
    password = actions.add_parser("password", help="set a password; ends all sessions and tokens")
    password.add_argument("login", help="login or address")
    _password_arguments(password)
    for name, text in (("deactivate", "end all access"), ("activate", "allow signing in again")):
        actions.add_parser(name, help=text).add_argument("login", help="login or address")


def _password_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--password-file", metavar="FILE", help="read it from a file (- for stdin)")
    parser.add_argument("--make-password", action="store_true", help="make one and print it once")


def run(args: argparse.Namespace, config: Config) -> int:
    """Do what was asked, through the same operations as every face."""
    start_django(config)
    refuse_unless_migrated()
    from deskbell.kernel.errors import DeskError

    work = {
        "add": _add,
        "list": _list,
        "password": _password,
        "deactivate": _switch,
        "activate": _switch,
    }[args.action]
    try:
        return work(args)
    except DeskError as error:
        raise CommandError(sentence(error)) from error


def sentence(error: Exception) -> str:
    """An expected failure in words for the person at the command line."""
    from deskbell.kernel.errors import Invalid, Unknown

    if isinstance(error, Unknown):
        return f"There is no {error.model} {error.key!r}."
    if isinstance(error, Invalid):
        why = {
            "taken": "is taken by somebody else",
            "not_an_address": "is not an e-mail address",
            "required": "is required",
            "too_long": "is too long",
            "unknown": "does not exist",
        }.get(error.code, f"cannot be accepted ({error.code})")
        return f"The {error.field} {error.value!r} {why}."
    return f"Refused: {error}."


def actor() -> Actor:
    """Who acts at the command line: the desk itself, by way of the shell."""
    from dataclasses import replace

    from deskbell.kernel.actor import SYSTEM

    return replace(SYSTEM, via="cli")


def person(name: str) -> User:
    """The user behind a login or an address. Raises CommandError."""
    from deskbell.kernel.actor import NOBODY_ID
    from deskbell.people.credentials import user_named

    user = user_named(name)
    if user is None or user.pk == NOBODY_ID:
        raise CommandError(f"There is nobody with the login or address {name!r}.")
    return user


def _add(args: argparse.Namespace) -> int:
    from deskbell.kernel import clock
    from deskbell.people.models import User
    from deskbell.people.operations import NewUser, create_user

    new = NewUser(
        email=args.email.strip(),
        login=args.login or args.email.strip().lower(),
        firstname=args.firstname,
        lastname=args.lastname,
        roles=_roles(args.role) or None,
        groups=_groups(args.group),
    )
    if not args.no_password:
        about = User(
            login=new.login, email=new.email, firstname=new.firstname, lastname=new.lastname
        )
        new.password = _new_password(args, about)
    user = create_user(new, actor=actor(), at=clock.now())
    print(f"{user.pk}  {user.login}")
    if args.make_password:
        print(f"The password, shown once: {new.password}")
    return 0


def _roles(names: list[str]) -> list[int]:
    from deskbell.people.models import Role

    known = {name.casefold(): id_ for id_, name in Role.objects.values_list("id", "name")}
    for name in names:
        if name.casefold() not in known:
            raise CommandError(f"There is no role {name!r}; there are {', '.join(sorted(known))}.")
    return [known[name.casefold()] for name in names]


def _groups(texts: list[str]) -> dict[int, set[str]]:
    from deskbell.people.models import Group

    known = {name.casefold(): id_ for id_, name in Group.objects.values_list("id", "name")}
    granted: dict[int, set[str]] = {}
    for text in texts:
        name, _, levels = text.partition("=")
        if name.casefold() not in known:
            raise CommandError(f"There is no group {name!r}; there are {', '.join(sorted(known))}.")
        granted[known[name.casefold()]] = set(levels.split(",")) if levels else {"full"}
    return granted


def _new_password(args: argparse.Namespace, about: User) -> str:
    from deskbell.people.credentials import new_password
    from deskbell.people.passwords import password_problems

    if args.make_password:
        return new_password()
    if file := args.password_file:
        try:
            text = sys.stdin.read() if file == "-" else Path(file).read_text("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise CommandError(f"The password file cannot be read: {error}.") from error
        password = text.rstrip("\r\n")
    elif sys.stdin.isatty():
        password = getpass.getpass("Password: ")
        if getpass.getpass("Again: ") != password:
            raise CommandError("The two passwords differ.")
    else:
        raise CommandError("Say which password: --password-file FILE or --make-password.")
    problems = password_problems(
        password,
        login=about.login,
        firstname=about.firstname,
        lastname=about.lastname,
        email=about.email,
    )
    if problems:
        raise CommandError(" ".join(problems))
    return password


def _list(args: argparse.Namespace) -> int:
    from deskbell.kernel.actor import NOBODY_ID
    from deskbell.people.models import User

    users = User.objects.exclude(pk=NOBODY_ID).prefetch_related("roles").order_by("id")
    if args.role:
        users = users.filter(roles__in=_roles([args.role]))
    for user in users[: args.limit]:
        roles = ", ".join(sorted(role.name for role in user.roles.all()))
        mark = "" if user.active else "  inactive"
        print(f"{user.pk}  {user.login}  {user.email or '-'}  {roles or '-'}{mark}")
    return 0


def _password(args: argparse.Namespace) -> int:
    from deskbell.kernel import clock
    from deskbell.people.operations import change_user

    user = person(args.login)
    password = _new_password(args, user)
    change_user(user.pk, password=password, actor=actor(), at=clock.now())
    print(f"{user.login} has a new password; sessions and API tokens have ended.")
    if args.make_password:
        print(f"The password, shown once: {password}")
    return 0


def _switch(args: argparse.Namespace) -> int:
    from deskbell.kernel import clock
    from deskbell.people.operations import change_user

    user = person(args.login)
    active = args.action == "activate"
    change_user(user.pk, columns={"active": active}, actor=actor(), at=clock.now())
    print(f"{user.login} is {'active' if active else 'inactive'}.")
    return 0
