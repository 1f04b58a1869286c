"""Our rows in the dialect's shapes: plain dictionaries in the order its clients know, then bytes.

Lists and single tickets are what is read most, so the loops stay short: no field objects, one
dictionary a row, one encoder for the page.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from hashlib import blake2b
from typing import IO, Any
from urllib.parse import quote

import msgspec

from deskbell.api.helpdesk.names import COMMENT, custom_key, ticket_reference
from deskbell.kernel.actor import NOBODY_ID
from deskbell.tickets.fields import EMPTY_TEXT_TYPES
from deskbell.tickets.queries import ArticleRow, AttachmentRow, FieldRow, TicketRow
from deskbell.tickets.rules import status_label
from deskbell.tickets.texts import HTML, plain_text
from deskbell.tickets.vocabulary import StateType

Json = dict[str, Any]
#: The values of custom fields as stored, made into what is read, in the order of the fields.
Customs = Callable[[str], Json]
#: The address of a file, from its id and name.
FileAddress = Callable[[int, str], str]
#: So many rows become text at a time; the rest waits as rows, which are smaller.
CHUNK = 250

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode
_PENDING = frozenset({int(StateType.PENDING_REMINDER), int(StateType.PENDING_ACTION)})

_texts: dict[bytes, str] = {}
_TEXTS_AT_MOST = 512
_TEXT_AT_MOST = 32 * 1024


class Encoded(bytes):
    """JSON that is ready to be sent. ``serializer`` is for the forms of the browsable API."""

    serializer: Any = None


def encoded(value: Any) -> Encoded:
    """The value as compact JSON."""
    return Encoded(_encode(value))


def decoded(body: bytes) -> Any:
    """What ready JSON says, for whoever lays it out anew."""
    return _decode(body)


# --- pieces --------------------------------------------------------------------------------------


def utc(moment: datetime | str | None) -> datetime | str | None:
    """The moment with its zone. SQLite's come without, as texts that are nearly right already."""
    if isinstance(moment, str):
        return moment.replace(" ", "T", 1) + "Z"
    return moment if moment is None or moment.tzinfo is not None else moment.replace(tzinfo=UTC)


def duration_text(seconds: int) -> str:
    """Seconds as ``00:01:30``, from a day on as ``1 02:03:04``."""
    days, seconds = divmod(seconds, 86400)
    hours, seconds = divmod(seconds, 3600)
    minutes, seconds = divmod(seconds, 60)
    text = f"{hours:02}:{minutes:02}:{seconds:02}"
    return f"{days} {text}" if days else text


def comment_of(article: Any) -> str:
    """The body as text; laying out HTML is slow, so that of recent ones is remembered."""
    body: str = article.body
    if article.content_type != HTML:
        return body
    if len(body) > _TEXT_AT_MOST:
        return plain_text(body, HTML)
    key = blake2b(body.encode("utf-8", "replace"), digest_size=16).digest()
    text = _texts.get(key)
    if text is None:
        text = plain_text(body, HTML)
        if len(_texts) >= _TEXTS_AT_MOST:
            _texts.clear()
        _texts[key] = text
    return text


def customs(fields: Sequence[FieldRow]) -> Customs:
    """How the custom fields of tickets read. A field that was never set shows its empty value."""
    if not fields:
        return _no_customs
    empty: Json = {}
    cut: list[tuple[str, str]] = []
    keys: list[tuple[str, str]] = []
    for field in fields:
        key = custom_key(field.name)
        keys.append((field.name, key))
        empty[key] = "" if field.type in EMPTY_TEXT_TYPES else None
        if field.type == "boolean":
            empty[key] = False
        if field.type == "datetime":
            cut.append((field.name, key))

    def read(stored: str) -> Json:
        if stored == "{}":
            return empty
        values = _decode(stored)
        shown = empty.copy()
        for name, key in keys:
            value = values.get(name)
            if value is not None:
                shown[key] = value
        for _name, key in cut:
            # Seconds and zone are cut off: ``2022-04-11T10:20`` (UTC).
            if shown[key] is not None:
                shown[key] = shown[key][:16]
        return shown

    return read


def _no_customs(stored: str) -> Json:
    return {}


# --- rows ----------------------------------------------------------------------------------------


def attachment(row: AttachmentRow, address: FileAddress) -> Json:
    return {
        "id": row.id,
        "followup": row.article_id,
        "file": address(row.id, row.filename),
        "filename": row.filename,
        "mime_type": row.content_type,
        "size": row.size,
    }


def followup(row: ArticleRow, files: Sequence[AttachmentRow], address: FileAddress) -> Json:
    subject = row.subject
    seconds = row.seconds
    recipients = row.email_recipients
    author = row.created_by_id
    return {
        "id": row.id,
        "ticket": row.ticket_id,
        "user": author if author != NOBODY_ID else None,
        "title": COMMENT if subject is None else subject,
        "comment": row.body if row.content_type != HTML else comment_of(row),
        "public": not row.internal,
        "new_status": row.new_status,
        "time_spent": None if seconds is None else duration_text(seconds),
        "followupattachment_set": [attachment(f, address) for f in files] if files else [],
        "date": utc(row.created_at),
        # Only what came by mail has an id of its sender's.
        "message_id": row.message_id if row.via == "mail" else None,
        # Most entries were mailed to nobody.
        "email_recipients": []
        if recipients == "[]"
        else None
        if recipients is None
        else _decode(recipients),
    }


def ticket(row: TicketRow, followups: list[Json], read_customs: Customs) -> Json:
    owner = row.owner_id
    return {
        "id": row.id,
        "queue": row.group_id,
        "title": row.title,
        "description": row.description,
        "resolution": row.resolution,
        "submitter_email": row.customer_email or None,
        "assigned_to": owner if owner != NOBODY_ID else None,
        "status": row.status,
        "on_hold": row.on_hold or row.state_type in _PENDING,
        "priority": row.priority_number,
        "due_date": utc(row.due_date),
        "merged_to": row.merged_to_id,
        "followup_set": followups,
        **read_customs(row.custom),
    }


def tickets(
    rows: Iterable[TicketRow],
    articles: Mapping[int, Sequence[ArticleRow]],
    files: Mapping[int, Sequence[AttachmentRow]],
    read_customs: Customs,
    address: FileAddress,
) -> list[Json]:
    """Tickets with their entries and files. The mappings are by ticket and by entry."""
    files_of = files.get if files else _no_files
    return [
        ticket(
            row,
            [followup(a, files_of(a.id, ()), address) for a in articles.get(row.id, ())],
            read_customs,
        )
        for row in rows
    ]


def _no_files(_article_id: int, none: Sequence[AttachmentRow]) -> Sequence[AttachmentRow]:
    return none


def own_ticket(
    row: TicketRow, group: tuple[str, str], read_customs: Customs, secret_key: str
) -> Json:
    """A ticket as its customer sees it in ``user_tickets``; ``group`` is name and slug."""
    name, slug = group
    return {
        "ticket": f"{row.id} {ticket_reference(slug, row.id)}",
        "id": row.id,
        "title": row.title,
        "queue": {"title": name, "id": row.group_id},
        "status": status_label(row.status, on_hold=row.on_hold or row.state_type in _PENDING),
        "created": utc(row.created_at),
        "due_date": utc(row.due_date),
        "submitter": row.customer_email,
        "kbitem": "",
        "secret_key": secret_key,
        **read_customs(row.custom),
    }


# --- pages ---------------------------------------------------------------------------------------


def file_address(root: str) -> FileAddress:
    """Where the files of a desk are, below the absolute address ``root`` of this API."""

    def address(attachment_id: int, filename: str) -> str:
        return f"{root}followups-attachments/{attachment_id}/file/{quote(filename, safe='')}"

    return address


def listing(
    count: int, next_url: str | None, previous_url: str | None, chunks: Iterable[list[Json]]
) -> Encoded:
    """The envelope of a page; its rows come in chunks, so that not all are objects at once."""
    rows = b",".join([_encode(chunk)[1:-1] for chunk in chunks if chunk])
    return Encoded(
        b'{"count":%d,"next":%b,"previous":%b,"results":[%b]}'
        % (count, _encode(next_url), _encode(previous_url), rows)
    )


def chunked(rows: Sequence[Any]) -> Iterable[Sequence[Any]]:
    """The rows in pieces of ``CHUNK``."""
    for start in range(0, len(rows), CHUNK):
        yield rows[start : start + CHUNK]


def pieces(file: IO[bytes], size: int = 64 * 1024) -> Iterator[bytes]:
    """The bytes of an open file piece by piece; closes it."""
    with file:
        while piece := file.read(size):
            yield piece
