"""``deskbell backup``: everything that makes this installation, in one archive, while it runs.

The database is copied first and the files after it: attachments are only ever added, so the copy
has every file that the copied rows name. The archive holds the secret key; keep it like one.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import shutil
import sqlite3
import subprocess
import tarfile
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from deskbell import __version__
from deskbell.kernel.config import SECRET_KEY_FILE, Config, secret_key
from deskbell.ops.cli import CommandError, start_django
from deskbell.ops.migrate import refuse_unless_migrated

FORMAT = 1
MANIFEST = "manifest.json"
SQLITE_MEMBER = "database.sqlite3"
POSTGRESQL_MEMBER = "database.dump"
FILES = "data"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "archive", nargs="?", type=Path, help="the file to write (default: deskbell-<time>.tar)"
    )


def run(args: argparse.Namespace, config: Config) -> int:
    """Write the archive under a temporary name, then give it its own. Never overwrites one."""
    start_django(config)
    refuse_unless_migrated()
    archive = args.archive or Path(f"deskbell-{datetime.now(UTC):%Y%m%d-%H%M%S}.tar")
    if archive.exists():
        raise CommandError(f"{archive} exists already; a backup never overwrites anything.")
    if not archive.absolute().parent.is_dir():
        raise CommandError(f"There is no directory {archive.absolute().parent}.")
    draft = archive.with_name(f".{archive.name}.{os.getpid()}")
    try:
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as stream:
            with tarfile.open(fileobj=stream, mode="w", format=tarfile.PAX_FORMAT) as tar:
                number = _write(tar, config, archive)
            stream.flush()
            os.fsync(stream.fileno())
        draft.rename(archive)
    except OSError as error:
        raise CommandError(f"The backup could not be written: {error}.") from error
    finally:
        draft.unlink(missing_ok=True)
    size = archive.stat().st_size / (1024 * 1024)
    print(f"{archive}: the database and {number} files, {size:.1f} MB. It holds the secret key.")
    return 0


def _write(tar: tarfile.TarFile, config: Config, archive: Path) -> int:
    engine = "sqlite" if config.is_sqlite else "postgresql"
    made_at = datetime.now(UTC).isoformat(timespec="seconds")
    manifest = {"format": str(FORMAT), "version": __version__, "engine": engine, "made_at": made_at}
    _add_bytes(tar, MANIFEST, json.dumps(manifest, indent=2).encode())
    _add_bytes(tar, f"{FILES}/{SECRET_KEY_FILE}", secret_key(config).encode() + b"\n")
    with tempfile.TemporaryDirectory(dir=config.data, prefix=".backup-") as folder:
        if config.is_sqlite:
            copy = Path(folder) / SQLITE_MEMBER
            _copy_sqlite(config.sqlite_path, copy)
            tar.add(copy, SQLITE_MEMBER)
        else:
            dump = Path(folder) / POSTGRESQL_MEMBER
            postgresql_tool("pg_dump", "--format=custom", "--no-owner", f"--file={dump}")
            tar.add(dump, POSTGRESQL_MEMBER)
    number = 0
    for path in _files(config, archive):
        try:
            tar.add(path, f"{FILES}/{path.relative_to(config.data)}", recursive=False)
        except FileNotFoundError:
            # A mail left the outbox folder, or an attachment's temporary file got its name.
            continue
        number += 1
    return number


def _add_bytes(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size, member.mode, member.mtime = len(content), 0o600, int(time.time())
    tar.addfile(member, io.BytesIO(content))


def _copy_sqlite(source: Path, target: Path) -> None:
    """A consistent copy while others write, by SQLite's own online backup."""
    with closing(sqlite3.connect(source)) as reading, closing(sqlite3.connect(target)) as writing:
        try:
            reading.backup(writing, pages=2048, sleep=0.005)
            answer = writing.execute("PRAGMA quick_check").fetchone()[0]
        except sqlite3.OperationalError:
            raise  # A full disk, say: that is no damage.
        except sqlite3.DatabaseError as error:
            # Some damage is in the way of looking for it.
            answer = str(error)
    if answer != "ok":
        raise CommandError(f"The database is damaged, so no backup was made: {answer}.")


def _files(config: Config, archive: Path) -> Iterator[Path]:
    """Regular files of the data directory, without the database, the key, locks and drafts."""
    database = str(config.sqlite_path.resolve())
    for folder, folders, names in os.walk(config.data):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            path = Path(folder) / name
            is_database = str(path).startswith(database) and config.is_sqlite
            skipped = name in (SECRET_KEY_FILE, "migrate.lock") and path.parent == config.data
            if name.startswith(".") or is_database or skipped or path == archive.absolute():
                continue
            if path.is_file() and not path.is_symlink():
                yield path


def postgresql_tool(program: str, *arguments: str) -> None:
    """Run pg_dump or pg_restore on the configured database; the password goes by environment.

    Raises CommandError where the program is missing or fails.
    """
    from django.db import connection

    found = shutil.which(program)
    if found is None:
        raise CommandError(
            f"{program} is not installed: install PostgreSQL's client programs of the server's "
            "version, or back up the database with the server's own tools."
        )
    settings: dict[str, Any] = connection.settings_dict
    keys = {"NAME": "PGDATABASE", "USER": "PGUSER", "PASSWORD": "PGPASSWORD"}
    keys |= {"HOST": "PGHOST", "PORT": "PGPORT"}
    told = {name: str(settings[key]) for key, name in keys.items() if settings.get(key)}
    for option in ("sslmode", "sslrootcert", "sslcert", "sslkey"):
        if option in settings["OPTIONS"]:
            told[f"PG{option.upper()}"] = str(settings["OPTIONS"][option])
    result = subprocess.run(
        [found, *arguments],
        env={**os.environ, **told},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if result.returncode:
        lines = result.stderr.strip().splitlines() or [f"status {result.returncode}"]
        raise CommandError(f"{program} failed: {lines[0]}.")
