"""``deskbell work``: the worker alone, for one node of a cluster."""

from __future__ import annotations

import argparse
import signal

from deskbell.kernel.config import Config
from deskbell.ops import processes
from deskbell.ops.cli import start_django

DRAIN_SECONDS = 10.0


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

    worker = JobWorker(threads=threads, queues=queues or (), drain_seconds=DRAIN_SECONDS)
    for number in (signal.SIGTERM, *([signal.SIGINT] if interrupts else [])):
        signal.signal(number, lambda *_: worker.stop())
    worker.run()
    return 0
