"""``deskbell doctor``: look at everything an operator can get wrong, and say it in sentences."""

from __future__ import annotations

import argparse
import json
import shutil
import sqlite3
import stat
import sys
from collections.abc import Iterator
from typing import Any

from deskbell import __version__
from deskbell.kernel.config import SECRET_KEY_FILE, Config, secret_key
from deskbell.ops.cli import start_django

LOW_DISK_MB = 500
#: A worker not heard of for so long is not running; it reports every eight seconds.
QUIET_WORKER_SECONDS = 60.0
OLD_JOB_SECONDS = 300.0
#: RETURNING came with 3.35, and nothing we use is younger.
OLDEST_SQLITE = (3, 35, 0)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="one JSON object instead of lines")


def run(args: argparse.Namespace, config: Config) -> int:
    """Print what was found; status 1 when something must be done."""
    found = list(examine(config))
    bad = any(level == "wrong" for level, _, _ in found)
    if args.json:
        parts = [{"level": level, "part": part, "text": text} for level, part, text in found]
        print(json.dumps({"version": __version__, "ok": not bad, "found": parts}, indent=2))
    else:
        marks = {"fine": "ok   ", "note": "note ", "wrong": "WRONG"}
        for level, part, text in found:
            print(f"{marks[level]}  {part}: {text}")
    return 1 if bad else 0


def examine(config: Config) -> Iterator[tuple[str, str, str]]:
    """Yield (``fine``, ``note`` or ``wrong``; the part; a sentence), part by part."""
    yield "fine", "version", f"Deskbell {__version__} on Python {sys.version.split()[0]}"
    yield "fine", "settings", f"from {config.file or 'the environment'}"
    for warning in config.warnings:
        yield "note", "settings", warning
    start_django(config)
    secret_key(config)
    yield from _files(config)
    yield from _database(config)
    yield from _exposure(config)


def _files(config: Config) -> Iterator[tuple[str, str, str]]:
    mode = stat.S_IMODE(config.data.stat().st_mode)
    if mode & 0o007:
        yield "note", "data", f"{config.data} can be read by everybody (chmod 700 would end that)"
    else:
        yield "fine", "data", str(config.data)
    key = config.data / SECRET_KEY_FILE
    if key.exists() and stat.S_IMODE(key.stat().st_mode) & 0o077:
        yield "wrong", "secret key", f"{key} can be read by others: chmod 600 it"
    free = shutil.disk_usage(config.data).free // (1024 * 1024)
    level = "wrong" if free < LOW_DISK_MB else "fine"
    yield level, "disk", f"{free} MB free in the data directory"


def _database(config: Config) -> Iterator[tuple[str, str, str]]:
    from deskbell.kernel import clock
    from deskbell.ops import health

    at = clock.now()
    if config.is_sqlite:
        level = "fine" if sqlite3.sqlite_version_info >= OLDEST_SQLITE else "wrong"
        yield level, "database", f"SQLite {sqlite3.sqlite_version} in {config.sqlite_path}"
    else:
        yield "fine", "database", "PostgreSQL"
    found = health.check(config, at=at)
    if found["database"] != "ok":
        yield "wrong", "database", "it does not answer (see DESKBELL_DATABASE_URL)"
        return
    if found["migrations"] != "ok":
        yield "wrong", "migrations", f"{found['migrations']}: run `deskbell migrate`"
        return
    yield "fine", "migrations", "all applied"
    age = found["worker_seconds"]
    if age is None or age > QUIET_WORKER_SECONDS:
        heard = "none was ever heard of" if age is None else f"not heard of for {age:.0f} s"
        yield "note", "worker", f"{heard}: mail and other jobs wait until one runs"
    else:
        yield "fine", "worker", f"heard of {age:.0f} s ago"
    yield from _jobs(at)
    yield from _channels(at)


def _jobs(at: Any) -> Iterator[tuple[str, str, str]]:
    from deskbell.kernel import jobs

    counts = jobs.counts(at=at)
    if counts["dead"]:
        yield "wrong", "jobs", f"{counts['dead']} dead letters: see `deskbell jobs`"
    oldest = counts["oldest_due_at"]
    waits = (at - oldest).total_seconds() if oldest else 0.0
    level = "note" if waits > OLD_JOB_SECONDS else "fine"
    text = f"{counts['ready']} waiting, {counts['running']} running"
    yield level, "jobs", text + (f", the oldest due for {waits:.0f} s" if oldest else "")


def _channels(at: Any) -> Iterator[tuple[str, str, str]]:
    from deskbell.mail import policy
    from deskbell.mail.intake import fetching, retention
    from deskbell.mail.models import MailChannel
    from deskbell.mail.sending import routes

    problems = fetching.problems(at=at)
    for channel, sentence in problems:
        yield "wrong", f"mail channel {channel.name}", sentence
    for route in routes.in_trouble():
        yield "wrong", f"mail route {route.name}", route.alarm
    if raw := retention.kept():
        days = policy.present().raw_mail_days
        how_long = f"for {days} days" if days else "for ever (see `deskbell mail rules`)"
        yield "fine", "raw mail", f"{raw} kept as they came, {how_long}"
    if well := MailChannel.objects.filter(active=True).count() - len(problems):
        yield "fine", "mail channels", f"{well} without trouble"


def _exposure(config: Config) -> Iterator[tuple[str, str, str]]:
    if not config.url:
        yield "note", "address", "DESKBELL_URL is not set: links in mail will point to localhost"
    elif config.url.startswith("http://"):
        yield "note", "address", "DESKBELL_URL is not https: passwords cross the network in clear"
    else:
        yield "fine", "address", config.url
    if config.url.startswith("https://") and not config.trusted_proxies:
        yield (
            "note",
            "proxy",
            "DESKBELL_TRUSTED_PROXIES is empty: the proxy's word about clients and TLS is ignored",
        )
    if "*" in config.allowed_hosts:
        yield "note", "hosts", "DESKBELL_ALLOWED_HOSTS lets any Host header pass"
    if not config.smtp_url:
        yield "note", "mail", f"no DESKBELL_SMTP_URL: mail goes to {config.data / 'outbox'}"
    if not config.mail_from:
        yield "note", "mail", "no DESKBELL_MAIL_FROM: groups without an address have no sender"
