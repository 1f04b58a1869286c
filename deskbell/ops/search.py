"""``deskbell search``: find tickets from the command line, or make the search index anew."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from deskbell.kernel.config import Config
from deskbell.ops.cli import CommandError, start_django
from deskbell.ops.migrate import refuse_unless_migrated

if TYPE_CHECKING:
    from deskbell.kernel.actor import Actor

REINDEX = "reindex"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.usage = "deskbell search [--as USER] [--limit N] QUERY …\n       deskbell search reindex"
    parser.epilog = (
        "The query language is described in docs/search.md. A query that begins with a dash "
        "stands behind `--`; the word reindex is searched for as '\"reindex\"'."
    )
    parser.add_argument(
        "query",
        nargs="+",
        metavar="QUERY",
        help=f"what to search for; or `{REINDEX}`: write the index anew from tickets, articles "
        "and people (the desk may keep running)",
    )
    parser.add_argument(
        "--as",
        dest="user",
        metavar="USER",
        help="find only what this person may read (login or address); without it, everything",
    )
    parser.add_argument("--limit", type=int, default=50, metavar="N", help="at most N (50)")


def run(args: argparse.Namespace, config: Config) -> int:
    """Print a line per ticket found, the latest change first: id, number, title, state."""
    start_django(config)
    refuse_unless_migrated()
    if args.query == [REINDEX]:
        return _reindex()
    return _find(" ".join(args.query), args.user, args.limit)


def _find(query: str, user: str | None, limit: int) -> int:
    import sys

    from deskbell.kernel.text import storable
    from deskbell.search.language import parse
    from deskbell.search.results import Search
    from deskbell.tickets.models import Ticket

    actor = _actor(user)
    asked = parse(storable(query))
    if asked.problem is not None:
        place = f"character {asked.problem.position + 1}"
        print(f"Read as plain words: {asked.problem.message} ({place}).", file=sys.stderr)
    search = Search(actor, asked)
    ids = search.find(limit=limit)
    rows = Ticket.objects.filter(pk__in=ids).values_list("pk", "number", "title", "state__name")
    found = {row[0]: row for row in rows}
    for id_, number, title, state in (found[id_] for id_ in ids if id_ in found):
        # A title came from a stranger: what steers a terminal is shown, not sent to it.
        shown = "".join(sign if sign.isprintable() else "�" for sign in title)
        print(f"{id_}\t{number}\t{shown}\t{state}")
    total = search.count()
    if total > len(ids):
        print(f"{len(ids)} of {total} tickets.", file=sys.stderr)
    return 0


def _actor(name: str | None) -> Actor:
    """Whose eyes the search has. Raises CommandError."""
    from deskbell.kernel.actor import NOBODY_ID, Actor
    from deskbell.people.access import actor_for
    from deskbell.people.credentials import user_named

    if name is None:
        return Actor(kind="system", user_id=NOBODY_ID, via="cli")
    user = user_named(name)
    actor = None if user is None else actor_for(user.pk, "cli")
    if actor is None:
        raise CommandError(f"Nobody active is known as {name!r}.")
    return actor


def _reindex() -> int:
    from deskbell.search import index, people
    from deskbell.tickets.models import Ticket

    print(f"{people.rebuild()} people and organizations are indexed.", flush=True)
    for reached in index.rebuild():
        print(f"indexed up to ticket {reached}", flush=True)
    index.forget_unused_words()
    print(f"{Ticket.objects.count()} tickets are indexed.")
    return 0
