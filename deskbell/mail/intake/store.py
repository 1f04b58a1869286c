"""Messages as they came in: on the disk, whole, before anybody is told that we have them."""

from __future__ import annotations

import hashlib
import io
import shutil
from collections.abc import Iterator
from pathlib import Path

from django.core.files.base import File
from django.core.files.storage import FileSystemStorage, Storage, storages

STORE = "mail"
#: Bytes that stay free on the disk: the database and the log need some, too.
RESERVE = 64 * 1024 * 1024


class NoRoom(OSError):
    """The disk is (nearly) full: nothing is taken in, and no mailbox is told anything."""


def store() -> Storage:
    """The store of raw messages (the disk by default, anything Django's storages offer)."""
    return storages[STORE]


def digest_of(content: bytes) -> str:
    """The SHA-256 of the bytes, in hex."""
    return hashlib.sha256(content).hexdigest()


def place_of(channel_id: int, digest: str) -> str:
    """Where the bytes of a channel's message stand. The channel is part of it: see ``strays``."""
    return f"{channel_id}/{digest[:2]}/{digest}"


def keep(content: bytes, *, channel_id: int, envelope: bytes = b"") -> str:
    """Write the bytes and wait until they are on the disk; the place. Raises :class:`NoRoom`.

    ``envelope`` goes on top of them and has no part in the digest: a message that is delivered
    again, whoever it is for, is the same one, and stays as it came first.
    """
    where = store()
    place = place_of(channel_id, digest_of(content))
    if where.exists(place) and where.size(place) >= len(content):
        return place
    whole = envelope + content
    _look_for_room(where, len(whole))
    where.save(place, File(io.BytesIO(whole)))
    return place


def _look_for_room(where: Storage, size: int) -> None:
    if not isinstance(where, FileSystemStorage):
        return
    root = Path(where.location)
    root.mkdir(parents=True, exist_ok=True, mode=0o700)
    if shutil.disk_usage(root).free < size + RESERVE:
        raise NoRoom(f"The disk of {root.name!r} is nearly full.")


def read(place: str) -> bytes:
    """The bytes of a message. Raises :class:`FileNotFoundError`."""
    with store().open(place, "rb") as file:
        return bytes(file.read())


def forget(place: str) -> None:
    """Remove the bytes of a message, if they are there."""
    store().delete(place)


def places() -> Iterator[tuple[int, str]]:
    """Channel and place of everything in the store."""
    where = store()
    if not where.exists(""):
        return
    for channel in where.listdir("")[0]:
        if not channel.isdigit():
            continue
        for part in where.listdir(channel)[0]:
            for name in where.listdir(f"{channel}/{part}")[1]:
                if len(name) == 64:
                    yield int(channel), f"{channel}/{part}/{name}"
