"""Addresses that work without a cookie: signed, short-lived, and authorised anew on every use.

The frame of an HTML body has an opaque origin and sends no cookies; whoever reads a ticket by its
public link has none. The signature says who was shown something; whether he still may see it is
asked again when the address is used.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.core import signing
from django.urls import reverse

from deskbell.kernel.errors import Forbidden, Unknown
from deskbell.people.access import actor_for
from deskbell.tickets.attachments import attachment_for
from deskbell.tickets.models import Article, Attachment
from deskbell.tickets.operations import article_for

#: Seconds that such an address is good for.
GOOD_FOR = 3600
_FILE = "deskbell.web.file"
_ARTICLE = "deskbell.web.article"


class BadSignature(Exception):
    """The address was not made by this desk, is too old, or shows what is not shown any more."""


@dataclass(frozen=True, slots=True)
class Reader:
    """Who is shown something: a person who signed in, or whoever holds a ticket's public link."""

    user_id: int = 0
    ticket_id: int = 0


def file_token(attachment_id: int, reader: Reader) -> str:
    """The signed part of a file's address."""
    return signing.dumps([attachment_id, reader.user_id, reader.ticket_id], salt=_FILE)


def signed_file_address(attachment_id: int, name: str, reader: Reader) -> str:
    """Where the reader gets a file. The signature stands behind the ``?``: paths are logged."""
    there = reverse("signed-attachment", args=[attachment_id, name])
    return f"{there}?key={file_token(attachment_id, reader)}"


def article_token(article_id: int, reader: Reader) -> str:
    """The signed part of the address of an entry's HTML."""
    return signing.dumps([article_id, reader.user_id, reader.ticket_id], salt=_ARTICLE)


def file_of(attachment_id: int, token: str) -> Attachment:
    """The file of an address, if its reader may still see it. Raises :class:`BadSignature`."""
    id_, reader = _opened(attachment_id, token, _FILE)
    if reader.user_id:
        actor = actor_for(reader.user_id, "web")
        if actor is None:
            raise BadSignature
        try:
            return attachment_for(actor, id_)
        except (Unknown, Forbidden) as error:
            raise BadSignature from error
    found = Attachment.objects.filter(
        pk=id_, article__ticket_id=reader.ticket_id, article__internal=False
    ).first()
    if found is None:
        raise BadSignature
    return found


def article_of(article_id: int, token: str) -> tuple[Article, Reader]:
    """The entry of an address, and for whom it was made. Raises :class:`BadSignature`."""
    id_, reader = _opened(article_id, token, _ARTICLE)
    if reader.user_id:
        actor = actor_for(reader.user_id, "web")
        if actor is None:
            raise BadSignature
        try:
            return article_for(actor, id_), reader
        except (Unknown, Forbidden) as error:
            raise BadSignature from error
    found = Article.objects.filter(pk=id_, ticket_id=reader.ticket_id, internal=False).first()
    if found is None:
        raise BadSignature
    return found, reader


def _opened(wanted: int, token: str, salt: str) -> tuple[int, Reader]:
    try:
        value: Any = signing.loads(token, salt=salt, max_age=GOOD_FOR)
    except signing.BadSignature as error:
        raise BadSignature from error
    id_, user_id, ticket_id = value
    if id_ != wanted:
        raise BadSignature
    return id_, Reader(user_id, ticket_id)
