"""The front of the command line: finds the command, reads the settings, says failures plainly.

A command is a module of this package with two functions, ``add_arguments(parser)`` and
``run(args, config) -> int | None`` (the exit status), and one line in :data:`COMMANDS`. Only the
module of the command that was given is imported, and it imports Django inside ``run`` if at all:
help and mistakes are answered at once. Exit status: 0 done, 1 refused or failed, 2 wrong use.
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from types import ModuleType

from deskbell import __version__
from deskbell.kernel.config import Config, ConfigError, current

#: Name, module, one line of help; in the order in which people meet them.
COMMANDS: tuple[tuple[str, str, str], ...] = (
    ("serve", "deskbell.ops.serve", "run the whole desk: web server and worker, supervised"),
    ("web", "deskbell.ops.web", "run only the web server (one node of a cluster)"),
    ("work", "deskbell.ops.work", "run only the worker (one node of a cluster)"),
    ("migrate", "deskbell.ops.migrate", "bring the database to this version"),
    ("doctor", "deskbell.ops.doctor", "check the installation and say what is wrong"),
    ("jobs", "deskbell.ops.jobs", "show the job queue; retry or discard dead letters"),
    ("apply", "deskbell.ops.apply", "bring the configuration to what a file says"),
    ("export", "deskbell.ops.export", "write the configuration, or the content, to a file"),
    ("import", "deskbell.ops.importing", "read tickets and people from another helpdesk"),
    ("user", "deskbell.ops.user", "add, list and change people"),
    ("token", "deskbell.ops.token", "create, list and revoke API tokens"),
    ("mail", "deskbell.ops.mail", "take mail in; show what goes out, try again what failed"),
    ("search", "deskbell.ops.search", "find tickets, or make the search index anew"),
    ("transfer", "deskbell.ops.transfer", "move everything to another database"),
    ("backup", "deskbell.ops.backup", "write everything to one archive"),
    ("restore", "deskbell.ops.restore", "fill an empty installation from an archive"),
)


class CommandError(Exception):
    """A command cannot do what was asked; the text is one sentence for the person who asked."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status."""
    argv = list(sys.argv[1:] if argv is None else argv)
    commands = {
        name: (module, text) for name, module, text in COMMANDS if find_spec(module) is not None
    }
    parser = argparse.ArgumentParser(
        prog="deskbell",
        description="A helpdesk: web workspace, e-mail and three APIs on one set of tickets.",
        epilog="Settings are described in docs/running.md.",
    )
    parser.add_argument("--version", action="version", version=f"deskbell {__version__}")
    choices = parser.add_subparsers(dest="command", metavar="command", required=True)
    for name, (module, text) in commands.items():
        child = choices.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".")
        # A value of --data may be named like a command; then one module too many is imported.
        if name in argv:
            importlib.import_module(module).add_arguments(child)
    _add_places(parser)
    args = parser.parse_args(argv)
    return _run(sys.modules[commands[args.command][0]], args)


_PLACES = (
    ("--data", "DIR", "the data directory (DESKBELL_DATA)"),
    ("--config", "FILE", "the settings file (DESKBELL_CONFIG)"),
)


def _add_places(parser: argparse.ArgumentParser) -> None:
    """Where the installation is: before a command, behind it, and behind what it is told to do."""
    taken = {option for action in parser._actions for option in action.option_strings}
    for flag, metavar, text in _PLACES:
        # `export --config` says what is written, not where the settings are.
        if flag not in taken:
            # Without a default of its own: what was said further in front stays.
            parser.add_argument(flag, metavar=metavar, default=argparse.SUPPRESS, help=text)
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for child in action.choices.values():
                _add_places(child)


def _run(command: ModuleType, args: argparse.Namespace) -> int:
    for flag, name in (("data", "DATA"), ("config", "CONFIG"), ("host", "HOST"), ("port", "PORT")):
        value = getattr(args, flag, None)
        if value is not None:
            # Into the environment, so that every process of ours sees the same.
            os.environ[f"DESKBELL_{name}"] = str(value)

    def run() -> int:
        config = current()
        for warning in config.warnings:
            print(f"deskbell: {warning}", file=sys.stderr)
        return command.run(args, config) or 0

    return complain(run)


def complain(work: Callable[[], int]) -> int:
    """Do the work; an expected failure is said in one line and becomes the exit status."""
    try:
        return work()
    except ConfigError as error:
        print(f"deskbell: {error}", file=sys.stderr)
        return 2
    except CommandError as error:
        print(f"deskbell: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def start_django(config: Config) -> None:
    """Load Django with the settings; for commands, inside ``run``. Raises ConfigError."""
    from deskbell.kernel.config import ensure_data

    ensure_data(config)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "deskbell.settings")
    import django

    django.setup()
