"""Files of articles: stored by content, read through the door, served with a type of our choice."""

from __future__ import annotations

import hashlib
import io
import os
import re
import tempfile
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path, PurePosixPath
from typing import IO, Any

from django.core.files.base import File
from django.core.files.storage import FileSystemStorage, Storage, storages
from django.db import connection, transaction
from django.utils.deconstruct import deconstructible

from deskbell.kernel.actor import Actor
from deskbell.kernel.errors import Forbidden, Unknown
from deskbell.kernel.text import MAX_ID, storable
from deskbell.tickets.models import Attachment, Blob

STORE = "attachments"
NAME_LIMIT = 240
#: A blob nobody refers to is kept this long: a transaction may be about to refer to it.
UNUSED_FOR = timedelta(days=1)

#: Shown inside a page; everything else is handed over for saving.
INLINE_TYPES = frozenset(
    {"image/png", "image/jpeg", "image/gif", "image/webp", "image/avif", "application/pdf"}
)
_ACTIVE = re.compile(r"html|xml|svg|script|xsl|css|flash|mht|hta|vnd\.wap|x-mixed", re.IGNORECASE)
_MIME = re.compile(r"^[a-z0-9][a-z0-9!#$&^_.+-]*/[a-z0-9][a-z0-9!#$&^_.+-]*\Z")
#: Control, format (direction marks, zero widths), private, unassigned; line and paragraph ends.
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_UNFINISHED = ".new-"
_REMOVED = ".old-"


@dataclass(slots=True)
class NewFile:
    """A file to be attached: a name as given, a type as declared, and the bytes."""

    filename: str
    content: bytes
    content_type: str = ""
    inline: bool = False
    content_id: str = ""
    preferences: dict[str, Any] = field(default_factory=dict)


@deconstructible(path="deskbell.tickets.attachments.DurableStorage")
class DurableStorage(FileSystemStorage):
    """Files on disk that are there completely or not at all, also after a power cut.

    Written beside the target, flushed to the disk, then renamed. Mode 0600.
    """

    def get_available_name(self, name: str, max_length: int | None = None) -> str:
        """The name itself: what stands under it is these bytes, or a broken copy of them."""
        return name

    def _save(self, name: str, content: File[Any]) -> str:
        target = Path(self.path(name))
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle, temporary = tempfile.mkstemp(dir=target.parent, prefix=_UNFINISHED)
        try:
            with os.fdopen(handle, "wb") as out:
                for chunk in content.chunks():
                    out.write(chunk)
                out.flush()
                os.fsync(out.fileno())
            os.replace(temporary, target)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
        folder = os.open(target.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
        return name


def store() -> Storage:
    """The content-addressed store (the disk by default, anything Django's storages offer)."""
    return storages[STORE]


def _place(digest: str) -> str:
    return f"{digest[:2]}/{digest[2:4]}/{digest}"


def keep(content: bytes, *, at: datetime) -> Blob:
    """Put bytes into the store, once per content, and return their row.

    The bytes are on the disk before the row says so; a file without a row is swept up later. Within
    a transaction: the row is held until it ends, so the sweeper cannot take what is about to be
    referred to.
    """
    digest = hashlib.sha256(content).hexdigest()
    place = _place(digest)
    where = store()
    if not _hold(digest) or not where.exists(place) or where.size(place) != len(content):
        where.save(place, File(io.BytesIO(content)))
    elif isinstance(where, FileSystemStorage):
        os.utime(where.path(place))  # young again: the sweeper leaves it alone
    return Blob.objects.get_or_create(
        digest=digest, defaults={"size": len(content), "created_at": at}
    )[0]


def _hold(digest: str) -> bool:
    """Whether there is a row for these bytes; nobody removes it before the transaction ends."""
    # As weak a lock as a foreign key takes: many may hold the same picture at once.
    lock = " FOR KEY SHARE" if connection.vendor == "postgresql" else ""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT 1 FROM tickets_blob WHERE digest = %s{lock}", [digest])  # noqa: S608
        return cursor.fetchone() is not None


def open_blob(digest: str) -> IO[bytes]:
    """The stored bytes as a file. Raises :class:`FileNotFoundError`."""
    return store().open(_place(digest), "rb")


def read_blob(digest: str) -> bytes:
    """The stored bytes."""
    with open_blob(digest) as file:
        return file.read()


def sweep(*, at: datetime, limit: int = 1000) -> int:
    """Remove blobs that nothing refers to and that nobody stored for a day; how many."""
    where = store()
    removed = 0
    unused = Blob.objects.filter(created_at__lt=at - UNUSED_FOR).exclude(
        digest__in=Attachment.objects.values("blob_id")
    )
    for digest in list(
        unused.order_by("created_at", "digest").values_list("digest", flat=True)[:limit]
    ):
        with transaction.atomic():
            # Whoever refers to it now holds the row, or waits for this and stores the bytes anew.
            row = Blob.objects.select_for_update(skip_locked=True).filter(pk=digest)
            if not row.exists() or Attachment.objects.filter(blob_id=digest).exists():
                continue
            if where.exists(place := _place(digest)):
                if where.get_modified_time(place) > at - UNUSED_FOR:
                    continue
                where.delete(place)
            Blob.objects.filter(pk=digest).delete()
            removed += 1
    return removed


def sweep_files(*, at: datetime, part: int, parts: int = 16) -> int:
    """Remove files without a row from a part of the store on disk; how many.

    They are left by transactions that came to nothing, and by a process that died while it wrote.
    Only those older than a day: the row of a younger one may be about to be written.
    """
    where = store()
    if not isinstance(where, FileSystemStorage):
        return 0
    removed = 0
    root = Path(where.location)
    for first in range(part, 256, parts):
        for folder in sorted((root / f"{first:02x}").glob("??")):
            removed += _sweep_folder(folder, before=(at - UNUSED_FOR).timestamp())
    return removed


def _sweep_folder(folder: Path, *, before: float) -> int:
    old = [path for path in folder.iterdir() if path.is_file() and path.stat().st_mtime < before]
    known = set(
        Blob.objects.filter(pk__in=[path.name for path in old]).values_list("digest", flat=True)
    )
    removed = 0
    for path in old:
        if path.name in known:
            continue
        # Set aside first: the same bytes may be stored anew at this very moment.
        aside = path.with_name(f"{_REMOVED}{path.name}")
        os.replace(path, aside)
        if aside.stat().st_mtime >= before and not path.exists():
            os.replace(aside, path)
            continue
        aside.unlink()
        removed += 1
    return removed


# --- names and types -----------------------------------------------------------------------------


def clean_filename(name: str) -> str:
    """The name people see: no path, no control or invisible characters, not empty, not too long.

    Invisible characters go first and checks come after, so that nothing hides in the seams.
    """
    name = "".join(c for c in storable(name) if unicodedata.category(c) not in _UNSEEN)
    name = PurePosixPath(name.replace("\\", "/")).name.strip().lstrip(".").strip()
    if len(name) > NAME_LIMIT:
        stem, dot, ending = name.rpartition(".")
        if dot and len(ending) <= 20:
            name = stem[: NAME_LIMIT - len(ending) - 1] + "." + ending
        else:
            name = name[:NAME_LIMIT]
    return name or "file"


def clean_type(content_type: str) -> str:
    """A declared type without parameters, or ``application/octet-stream`` where it is none."""
    word = content_type.partition(";")[0].strip().lower()
    return word if len(word) <= 200 and _MIME.match(word) else "application/octet-stream"


def served_type(content_type: str) -> str:
    """What the bytes are sent as: nothing that a browser would run in our origin."""
    word = clean_type(content_type)
    return "application/octet-stream" if _ACTIVE.search(word) else word


def may_be_inline(content_type: str) -> bool:
    """Whether a browser may show it inside a page of ours."""
    return clean_type(content_type) in INLINE_TYPES


def extension_of(filename: str) -> str:
    """The ending with its dot in lower case, empty if there is none."""
    return PurePosixPath(filename).suffix.lower()


# --- the door ------------------------------------------------------------------------------------


def attachment_for(actor: Actor, attachment_id: int) -> Attachment:
    """An attachment, if the actor may read the entry it belongs to.

    Raises :class:`Unknown`, :class:`Forbidden`.
    """
    from deskbell.tickets import access

    if not 0 < attachment_id <= MAX_ID:
        raise Unknown("attachment", attachment_id)
    attachment = (
        Attachment.objects.select_related("article__ticket").filter(pk=attachment_id).first()
    )
    if attachment is None:
        raise Unknown("attachment", attachment_id)
    ticket = attachment.article.ticket
    if not access.allows(actor, ticket) or (
        attachment.article.internal and not access.sees_internal(actor, ticket)
    ):
        raise Forbidden("attachment", attachment_id)
    return attachment


def chunks(digest: str, size: int = 64 * 1024) -> Iterator[bytes]:
    """The stored bytes piece by piece, for streaming."""
    with open_blob(digest) as file:
        while piece := file.read(size):
            yield piece
