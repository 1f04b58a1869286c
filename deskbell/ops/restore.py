"""``deskbell restore``: fill an empty installation from an archive of ``deskbell backup``."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import tarfile
import tempfile
from pathlib import Path, PurePosixPath

from deskbell.kernel.config import FILE_NAME, SECRET_KEY_FILE, Config, ensure_data
from deskbell.ops import backup
from deskbell.ops.cli import CommandError, start_django

#: What may lie in a data directory that counts as empty.
_HARMLESS = frozenset({FILE_NAME, SECRET_KEY_FILE, "migrate.lock"})


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("archive", type=Path, help="a file written by `deskbell backup`")


def run(args: argparse.Namespace, config: Config) -> int:
    """Restore and migrate to this version, or refuse where anything would be overwritten."""
    _refuse_unless_empty(config)
    try:
        with tarfile.open(args.archive, "r:*") as tar:
            manifest = _manifest(tar, config)
            ensure_data(config)
            with tempfile.TemporaryDirectory(dir=config.data, prefix=".restore-") as folder:
                tar.extractall(folder, filter=_checked)  # noqa: S202 - each member is checked
                _place(Path(folder), config)
    except (OSError, tarfile.TarError) as error:
        reason = str(error).splitlines()[0].rstrip(":")
        raise CommandError(f"{args.archive} cannot be restored: {reason}.") from error
    from deskbell.ops.migrate import migrate

    start_django(config)
    migrate(config)
    print(f"Restored what was backed up at {manifest['made_at']}.")
    if config.secret_key is not None:
        print("DESKBELL_SECRET_KEY is set and takes the place of the archive's key.")
    return 0


def _refuse_unless_empty(config: Config) -> None:
    if config.data.is_dir():
        found = sorted(
            path.name
            for path in config.data.iterdir()
            if path.name not in _HARMLESS and not path.name.startswith(".")
        )
        if found:
            raise CommandError(
                f"{config.data} is not empty (it has {found[0]}); nothing is ever overwritten. "
                "Restore into a new directory with --data."
            )
    if config.is_sqlite:
        if config.sqlite_path.exists():
            raise CommandError(f"{config.sqlite_path} exists; nothing is ever overwritten.")
        return
    start_django(config)
    from django.db import DatabaseError, connection

    try:
        tables = connection.introspection.table_names()
    except DatabaseError as error:
        reason = str(error).strip().splitlines()[0]
        raise CommandError(f"The database cannot be used: {reason}.") from error
    if tables:
        raise CommandError(
            f"The PostgreSQL database is not empty (it has {min(tables)}); nothing is ever "
            "overwritten. Name a new database in DESKBELL_DATABASE_URL."
        )


def _manifest(tar: tarfile.TarFile, config: Config) -> dict[str, str]:
    try:
        stream = tar.extractfile(backup.MANIFEST)
    except KeyError:
        stream = None
    if stream is None:
        raise CommandError("The archive was not made by `deskbell backup`: it has no manifest.")
    try:
        manifest: dict[str, str] = json.loads(stream.read(65536))
        known = manifest["format"] == str(backup.FORMAT)
        engine = manifest["engine"]
        manifest["made_at"]
    except (ValueError, KeyError, TypeError) as error:
        raise CommandError("The archive's manifest cannot be read.") from error
    if not known:
        raise CommandError("The archive was made by a newer version; restore it with that one.")
    ours = "sqlite" if config.is_sqlite else "postgresql"
    if engine != ours:
        raise CommandError(
            f"The archive holds a {engine} database and this installation uses {ours}: restore it "
            f"where {engine} is set, then `deskbell transfer` moves it."
        )
    return manifest


def _checked(member: tarfile.TarInfo, path: str) -> tarfile.TarInfo | None:
    """Only plain files and folders, only below where they belong, only for their owner."""
    first = PurePosixPath(member.name).parts[:1]
    expected = {backup.MANIFEST, backup.SQLITE_MEMBER, backup.POSTGRESQL_MEMBER, backup.FILES}
    if not (member.isfile() or member.isdir()) or first == () or first[0] not in expected:
        raise tarfile.TarError(f"it has an unexpected member {member.name!r}")
    safe = tarfile.data_filter(member, path)
    return safe.replace(mode=0o700 if member.isdir() else 0o600, deep=False)


def _place(folder: Path, config: Config) -> None:
    """Move the extracted files to their places; a settings file that is there stays."""
    files = folder / backup.FILES
    if config.is_sqlite:
        config.sqlite_path.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(folder / backup.SQLITE_MEMBER, config.sqlite_path)
    else:
        backup.postgresql_tool(
            "pg_restore",
            "--no-owner",
            "--exit-on-error",
            "--single-transaction",
            f"--dbname={_database_name()}",
            str(folder / backup.POSTGRESQL_MEMBER),
        )
    for path in sorted(files.iterdir()) if files.is_dir() else []:
        target = config.data / path.name
        if path.name == SECRET_KEY_FILE:
            # The key of the archive is the one with which its links and sessions were signed.
            os.replace(path, target)
        elif not target.exists():
            shutil.move(path, target)


def _database_name() -> str:
    from django.db import connection

    return str(connection.settings_dict["NAME"])
