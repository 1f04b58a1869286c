"""``deskbell export --config``: write how the desk is set up, as a file for ``deskbell apply``."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from deskbell.kernel.config import Config
from deskbell.ops.cli import CommandError, start_django
from deskbell.ops.migrate import refuse_unless_migrated


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--config",
        dest="configuration",
        action="store_true",
        required=True,
        help="groups, roles, staff, states, priorities and custom fields; no passwords",
    )
    parser.add_argument("--output", metavar="FILE", help="write there instead of to the screen")


def run(args: argparse.Namespace, config: Config) -> int:
    """Write the file."""
    start_django(config)
    refuse_unless_migrated()
    text = exported()
    if args.output is None:
        sys.stdout.write(text)
        return 0
    try:
        Path(args.output).write_text(text, encoding="utf-8")
    except OSError as error:
        raise CommandError(f"{args.output} cannot be written: {error.strerror}.") from error
    return 0


def exported() -> str:
    """The configuration of the desk as the text of a file."""
    from deskbell.ops.desk_file import written
    from deskbell.ops.desk_state import described

    return written(described())
