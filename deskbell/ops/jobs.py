"""``deskbell jobs``: how the queue stands, and what to do with dead letters."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from deskbell.kernel.config import Config
from deskbell.ops.cli import CommandError, start_django
from deskbell.ops.migrate import refuse_unless_migrated

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from deskbell.kernel.models import Job


def add_arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", metavar="action")
    show = actions.add_parser("list", help="show the dead letters (this is the default)")
    show.add_argument("--limit", type=int, default=50, help="at most so many (default 50)")
    for name, text in (
        ("show", "show one dead letter with its whole error"),
        ("retry", "make dead letters ready again"),
        ("discard", "delete dead letters for good"),
    ):
        child = actions.add_parser(name, help=text)
        child.add_argument("ids", nargs="*", type=int, metavar="id")
        if name != "show":
            child.add_argument("--all", action="store_true", help="all of them")


def run(args: argparse.Namespace, config: Config) -> int:
    """Print, or change dead letters; other jobs are never touched."""
    start_django(config)
    refuse_unless_migrated()
    if args.action in (None, "list"):
        return _list(limit=getattr(args, "limit", 50))
    if args.action == "show":
        return _show(args.ids)
    return _settle(args)


def _list(*, limit: int) -> int:
    from deskbell.kernel import clock, jobs

    counts = jobs.counts(at=clock.now())
    print("  ".join(f"{state} {counts[state]}" for state in ("ready", "running", "done", "dead")))
    for job in jobs.dead_letters()[:limit]:
        reason = (job.last_error.strip().splitlines() or ["?"])[-1]
        print(f"{job.pk}  {job.finished_at:%Y-%m-%d %H:%M}  {job.task}  {reason[:100]}")
    return 0


def _show(ids: list[int]) -> int:
    for job in _dead(ids):
        print(f"{job.pk}  {job.task}  queue {job.queue}  {job.attempts} attempts")
        print(f"arguments {job.arguments}\n{job.last_error}")
    return 0


def _settle(args: argparse.Namespace) -> int:
    from deskbell.kernel import clock, jobs

    if bool(args.ids) == args.all:
        raise CommandError(f"Say which: `deskbell jobs {args.action} ID …` or `--all`.")
    chosen = jobs.dead_letters() if args.all else _dead(args.ids)
    if args.action == "retry":
        print(f"{jobs.retry(chosen, at=clock.now())} jobs are ready again.")
    else:
        print(f"{jobs.discard(chosen)} jobs discarded.")
    return 0


def _dead(ids: list[int]) -> QuerySet[Job]:
    from deskbell.kernel import jobs

    found = jobs.dead_letters().filter(pk__in=[id_ for id_ in ids if 0 < id_ < 2**63])
    missing = set(ids) - set(found.values_list("pk", flat=True))
    if missing or not ids:
        raise CommandError(f"There is no dead letter {min(missing) if missing else 'without id'}.")
    return found
