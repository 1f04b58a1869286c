"""Articles and their files as Zammad's objects (contract section 7)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from deskbell.api.zammad.encode.values import embedded, minutes, stamp
from deskbell.tickets.queries import ArticleRow, AttachmentRow
from deskbell.tickets.texts import HTML
from deskbell.tickets.vocabulary import ARTICLE_TYPE_NAMES, SENDER_NAMES, ArticleType, Sender

# Stored HTML is the sanitiser's: lower case, every attribute in double quotes.
_IMAGE = re.compile(r'<img((?:\s+[a-z-]+(?:="[^"]*")?)*)\s*/?>')
_CID = re.compile(r'\ssrc="cid:([^"]*)"')
_WIDTH = ' style="max-width:100%;"'


def attachment(row: AttachmentRow) -> dict[str, Any]:
    """A file of an article; its size is a text."""
    preferences: Any = (
        embedded(row.preferences)
        if row.preferences and row.preferences != "{}"
        else {"Mime-Type": row.content_type}
    )
    return {
        "id": row.id,
        "filename": row.filename,
        "size": str(row.size),
        "preferences": preferences,
    }


def article(
    row: ArticleRow, files: Sequence[AttachmentRow], *, root: str, inline: bool = True
) -> dict[str, Any]:
    """The columns of an article and its files.

    Images of the body get the address they are served from below ``root``. Without ``inline`` the
    files that stand in the body are left out of the list, as Zammad's assets leave them out.
    """
    body = row.body
    if row.content_type == HTML and files and "cid:" in body:
        body = _with_addresses(row, files, root)
    return {
        "id": row.id,
        "ticket_id": row.ticket_id,
        "type_id": row.type,
        "sender_id": row.sender,
        "from": row.from_address,
        "to": row.to,
        "cc": row.cc,
        "subject": row.subject,
        "reply_to": row.reply_to,
        "message_id": row.message_id,
        "message_id_md5": row.message_id_md5,
        "in_reply_to": row.in_reply_to,
        "content_type": row.content_type,
        "references": row.references,
        "body": body,
        "internal": bool(row.internal),
        "preferences": embedded(row.preferences),
        "updated_by_id": row.updated_by_id,
        "created_by_id": row.created_by_id,
        "origin_by_id": row.origin_by_id,
        "created_at": stamp(row.created_at),
        "updated_at": stamp(row.updated_at),
        "attachments": [attachment(file) for file in files if inline or not file.inline],
        "time_unit": minutes(row.seconds),
    }


def expanded(shown: dict[str, Any], logins: Mapping[int, str]) -> dict[str, Any]:
    """Names beside the ids; article routes always answer so."""
    shown["type"] = ARTICLE_TYPE_NAMES[ArticleType(shown["type_id"])]
    shown["sender"] = SENDER_NAMES[Sender(shown["sender_id"])]
    shown["created_by"] = logins[shown["created_by_id"]]
    shown["updated_by"] = logins[shown["updated_by_id"]]
    if shown["origin_by_id"] is not None:
        shown["origin_by"] = logins[shown["origin_by_id"]]
    return shown


def people_of(row: ArticleRow) -> set[int]:
    """Ids of everybody an article names."""
    people = {row.created_by_id, row.updated_by_id}
    if row.origin_by_id is not None:
        people.add(row.origin_by_id)
    return people


def _with_addresses(row: ArticleRow, files: Sequence[AttachmentRow], root: str) -> str:
    places = {
        file.content_id.strip("<>"): (
            f"{root}/ticket_attachment/{row.ticket_id}/{row.id}/{file.id}?view=inline"
        )
        for file in files
        if file.content_id
    }

    def addressed(tag: re.Match[str]) -> str:
        attributes = tag[1]
        found = _CID.search(attributes)
        place = places.get(found[1]) if found is not None else None
        if place is None or found is None:
            return tag[0]
        attributes = f'{attributes[: found.start()]} src="{place}"{attributes[found.end() :]}'
        return f"<img{attributes}{'' if ' style=' in attributes else _WIDTH}>"

    return _IMAGE.sub(addressed, row.body)
