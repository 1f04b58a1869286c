"""``deskbell token``: create, list and revoke API tokens from the command line."""

from __future__ import annotations

import argparse
from datetime import date

from deskbell.kernel.config import Config
from deskbell.ops.cli import CommandError, start_django
from deskbell.ops.migrate import refuse_unless_migrated
from deskbell.ops.user import actor, person, sentence


def add_arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", metavar="action", required=True)
    create = actions.add_parser("create", help="create a token and print its secret once")
    create.add_argument("login", help="whom it signs in: login or address")
    create.add_argument("--name", default="", help="what it is for")
    create.add_argument(
        "--permission",
        action="append",
        metavar="NAME",
        help="narrow it, for example ticket.agent (repeatable; default: all the person's own)",
    )
    create.add_argument("--expires", type=date.fromisoformat, metavar="YYYY-MM-DD")
    show = actions.add_parser("list", help="list tokens, never their secrets")
    show.add_argument("login", nargs="?", help="only this person's")
    revoke = actions.add_parser("revoke", help="end a token")
    revoke.add_argument("id", type=int)


def run(args: argparse.Namespace, config: Config) -> int:
    """Do what was asked, through the same operations as every face."""
    start_django(config)
    refuse_unless_migrated()
    from deskbell.kernel.errors import DeskError

    try:
        return {"create": _create, "list": _list, "revoke": _revoke}[args.action](args)
    except DeskError as error:
        raise CommandError(sentence(error)) from error


def _create(args: argparse.Namespace) -> int:
    from deskbell.kernel import clock
    from deskbell.people.operations import create_token

    token, secret = create_token(
        person(args.login).pk,
        name=args.name,
        permissions=args.permission,
        expires_at=args.expires,
        actor=actor(),
        at=clock.now(),
    )
    print(f"Token {token.pk}, shown once: {secret}")
    return 0


def _list(args: argparse.Namespace) -> int:
    from deskbell.people.models import ApiToken

    tokens = ApiToken.objects.select_related("user").order_by("id")
    if args.login:
        tokens = tokens.filter(user=person(args.login))
    for token in tokens.iterator():
        scope = "all" if token.permissions is None else ",".join(token.permissions)
        used = f"{token.last_used_at:%Y-%m-%d %H:%M}" if token.last_used_at else "never"
        print(
            f"{token.pk}  {token.user.login}  {token.name or '-'}  {scope}  "
            f"expires {token.expires_at or 'never'}  used {used}"
        )
    return 0


def _revoke(args: argparse.Namespace) -> int:
    from deskbell.kernel import clock
    from deskbell.people.models import ApiToken
    from deskbell.people.operations import revoke_token

    owner = ApiToken.objects.filter(pk=args.id).values_list("user_id", flat=True).first()
    if owner is None:
        raise CommandError(f"There is no token {args.id}.")
    revoke_token(args.id, owner, actor=actor(), at=clock.now())
    print(f"Token {args.id} is revoked.")
    return 0
