"""``deskbell mail``: the ways in and out, how a message is read, and how outgoing mail stands."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from deskbell.kernel.config import Config
from deskbell.ops import mail_intake, mail_rules, mail_sending
from deskbell.ops.cli import CommandError, start_django
from deskbell.ops.migrate import refuse_unless_migrated

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from deskbell.mail.models import OutgoingMail


def add_arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", metavar="action")
    show = actions.add_parser("outbox", help="show what waits and what failed (the default)")
    show.add_argument("--limit", type=int, default=50, help="at most so many (default 50)")
    again = actions.add_parser("retry", help="try failed messages again")
    again.add_argument("ids", nargs="*", type=int, metavar="id")
    again.add_argument("--all", action="store_true", help="all that failed")
    parse = actions.add_parser("parse", help="print the facts of a message as JSON")
    parse.add_argument("file", nargs="?", help="a raw message (default: standard input)")
    mail_intake.add_arguments(actions)
    mail_rules.add_arguments(actions)
    mail_sending.add_arguments(actions)


def run(args: argparse.Namespace, config: Config) -> int:
    """Print, try again what failed, or take mail in."""
    if args.action == "parse":
        from deskbell.ops import mail_parse

        return mail_parse.run(args.file)
    ways_in = {
        "listen": mail_intake.listen,
        "receive": mail_intake.receive,
        "channel": mail_intake.channel,
        "incoming": mail_rules.run,
        "ignore": mail_rules.run,
        "rules": mail_rules.run,
        "route": mail_sending.run,
        "text": mail_sending.run,
    }
    if args.action in ways_in:
        return ways_in[args.action](args, config)
    start_django(config)
    refuse_unless_migrated()
    if args.action == "retry":
        return _retry(args)
    return _outbox(limit=getattr(args, "limit", 50))


def _outbox(*, limit: int) -> int:
    from deskbell.mail import queries

    print("  ".join(f"{state} {number}" for state, number in queries.counts().items()))
    for mail in queries.failed()[:limit]:
        when = f"{mail.updated_at:%Y-%m-%d %H:%M}"
        print(f"{mail.pk}  {when}  {mail.address}  {mail.reason[:100]}")
    return 0


def _retry(args: argparse.Namespace) -> int:
    from deskbell.kernel import clock
    from deskbell.mail import operations, queries

    if bool(args.ids) == args.all:
        raise CommandError("Say which: `deskbell mail retry ID …` or `--all`.")
    chosen = queries.failed() if args.all else _failed(args.ids)
    print(f"{operations.retry(chosen, at=clock.now())} messages are tried again.")
    return 0


def _failed(ids: list[int]) -> QuerySet[OutgoingMail]:
    from deskbell.mail import queries

    found = queries.failed().filter(pk__in=[id_ for id_ in ids if 0 < id_ < 2**63])
    if missing := set(ids) - set(found.values_list("pk", flat=True)):
        raise CommandError(f"There is no failed message {min(missing)}.")
    return found
