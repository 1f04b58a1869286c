"""``deskbell search``: make the search index anew."""

from __future__ import annotations

import argparse

from deskbell.kernel.config import Config
from deskbell.ops.cli import start_django
from deskbell.ops.migrate import refuse_unless_migrated


def add_arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", metavar="action", required=True)
    actions.add_parser(
        "reindex",
        help="write the index anew from tickets and articles; the desk may keep running",
    )


def run(args: argparse.Namespace, config: Config) -> int:
    """Write the index anew and say how many tickets there are in it."""
    start_django(config)
    refuse_unless_migrated()
    from deskbell.search import index
    from deskbell.tickets.models import Ticket

    for reached in index.rebuild():
        print(f"indexed up to ticket {reached}", flush=True)
    index.forget_unused_words()
    print(f"{Ticket.objects.count()} tickets are indexed.")
    return 0
