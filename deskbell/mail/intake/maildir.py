"""A Maildir on this machine: what a mail server puts into ``new`` is taken and put into ``cur``."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from pathlib import Path

from deskbell.kernel.text import is_storable
from deskbell.mail.intake import taking
from deskbell.mail.intake.channels import MaildirSettings
from deskbell.mail.intake.visit import Visit, batches, tag_of, too_large
from deskbell.mail.oauth import Access
from deskbell.mail.trouble import Trouble, words_of

BATCH = 500
_NAME_LIMIT = 200


def probe(access: Access) -> str:
    """Count what waits and change nothing; one sentence."""
    path = Path(access.settings.path)
    number = len(_waiting(path))
    return f"1 message waits in {path}." if number == 1 else f"{number} messages wait in {path}."


def look(visit: Visit) -> bool:
    """Take what waits, oldest first, and put it away; whether more waits.

    A file that cannot be read is passed by and looked at again the next time; what it hinders
    is said. Raises :class:`Trouble`.
    """
    settings: MaildirSettings = visit.settings
    path = Path(settings.path)
    prefix = tag_of(settings.path) + ":"
    unreadable = ""
    names = _waiting(path)
    # A file that was taken under its name is still to be put away after a crash.
    untold = set(visit.untold(prefix))
    for batch in batches(names, BATCH):
        known = visit.known([prefix + _key(name) for name in batch])
        for name in batch:
            key = prefix + _key(name)
            if key in known and key not in untold:
                continue
            if visit.budget.is_spent:
                return True
            try:
                if key not in known:
                    content = _read(path / "new" / name, key, visit)
                    if content is None:
                        continue
                    visit.take(content, key=key)
                _put_away(path, name, settings)
            except OSError as error:
                unreadable = f"{path / 'new' / name} cannot be taken ({words_of(error.strerror)})."
                continue
            visit.told([key])
    # Put away before the crash, but not noted.
    there = {prefix + _key(name) for name in names}
    visit.told(untold - there)
    if unreadable:
        raise Trouble(words_of(unreadable) + ".")
    return False


def _waiting(path: Path) -> list[str]:
    """Names in ``new``, in the order of their delivery (names begin with the time)."""
    if not (path / "cur").is_dir() or not (path / "new").is_dir():
        raise Trouble(f"There is no Maildir at {path} (it has the folders new and cur).")
    try:
        return sorted(name for name in os.listdir(path / "new") if not name.startswith("."))
    except OSError as error:
        raise Trouble(f"{path} cannot be read ({words_of(error.strerror)}).") from error


def _read(file: Path, key: str, visit: Visit) -> bytes | None:
    """The message; ``None`` where there is none to take. Raises OSError."""
    try:
        # Whoever may write here must not make us read another file, or wait for a pipe.
        handle = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    except OSError as error:
        if error.errno == errno.ELOOP:
            return None
        raise
    found = os.fstat(handle)
    if not stat.S_ISREG(found.st_mode):
        os.close(handle)
        return None
    with os.fdopen(handle, "rb") as stream:
        if found.st_size > taking.SIZE_LIMIT:
            visit.pass_over(key, size=found.st_size, reason=too_large(found.st_size))
            return None
        return stream.read(taking.SIZE_LIMIT + 1)


def _put_away(path: Path, name: str, settings: MaildirSettings) -> None:
    try:
        if settings.after == "delete":
            (path / "new" / name).unlink()
        else:
            (path / "new" / name).rename(path / "cur" / f"{name.partition(':')[0]}:2,S")
    except FileNotFoundError:
        # A mail program has moved it, which is as good.
        return


def _key(name: str) -> str:
    if len(name) <= _NAME_LIMIT and is_storable(name) and name.isprintable():
        return name
    return hashlib.sha256(os.fsencode(name)).hexdigest()
