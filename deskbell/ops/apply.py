"""``deskbell apply``: bring the desk to what a file says, all of it or nothing."""

from __future__ import annotations

import argparse
from pathlib import Path

from deskbell.kernel.config import Config
from deskbell.ops.cli import start_django
from deskbell.ops.migrate import refuse_unless_migrated


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", help="the file, such as desk.toml")
    parser.add_argument(
        "--dry-run", action="store_true", help="only print what would be changed, write nothing"
    )


def run(args: argparse.Namespace, config: Config) -> int:
    """Apply the file and print what was changed."""
    start_django(config)
    refuse_unless_migrated()
    from deskbell.kernel.clock import now
    from deskbell.ops.desk_change import apply

    lines = apply(Path(args.file), at=now(), dry_run=args.dry_run)
    for line in lines:
        print(line)
    if not lines:
        print("Nothing to change.")
    elif args.dry_run:
        print("Nothing was written: this was a dry run.")
    return 0
