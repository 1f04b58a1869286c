"""``deskbell work``: the worker alone, for one node of a cluster."""

from __future__ import annotations

import argparse
import logging
import signal

from deskbell.kernel.config import Config
from deskbell.ops import processes
from deskbell.ops.cli import start_django

log = logging.getLogger("deskbell.jobs")

DRAIN_SECONDS = 10.0
#: Who works on this one watches the mailboxes, too.
MAIL_QUEUE = "mail-in"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--threads", type=int, default=2, help="jobs at once (default 2)")
    parser.add_argument(
        "--queue", action="append", default=[], help="work only on this queue (may be repeated)"
    )


def run(args: argparse.Namespace, config: Config) -> int:
    """Work until stopped. Refuses while migrations are pending."""
    from deskbell.ops.migrate import refuse_unless_migrated

    start_django(config)
    refuse_unless_migrated()
    return work(config, threads=max(1, args.threads), queues=args.queue, interrupts=True)


def work(
    config: Config, *, threads: int = 2, queues: list[str] | None = None, interrupts: bool = False
) -> int:
    """Run the worker in this process until SIGTERM (or Ctrl-C, where ``interrupts``)."""
    processes.keep_heap_small()
    processes.show_threads_on_request()
    start_django(config)
    from deskbell.kernel.jobs.worker import JobWorker
    from deskbell.mail.intake.watching import Watchers

    worker = JobWorker(threads=threads, queues=queues or (), drain_seconds=DRAIN_SECONDS)
    for number in (signal.SIGTERM, *([signal.SIGINT] if interrupts else [])):
        signal.signal(number, lambda *_: worker.stop())
    if queues and MAIL_QUEUE not in queues:
        worker.run()
        return 0
    _rescan()
    with Watchers():
        worker.run()
    return 0


def _rescan() -> None:
    """Have messages found that the last stop left between the disk and their row."""
    from django.db import DatabaseError, connections

    from deskbell.mail.jobs import rescan

    try:
        rescan.using(unique_key="mail-rescan").enqueue()
    except DatabaseError as error:
        # The worker waits for its database; this comes again by itself within hours.
        log.warning("no rescan of mail", extra={"reason": str(error).strip()[:500]})
    finally:
        connections.close_all()
