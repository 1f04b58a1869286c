"""An article's body: what is written, as whom, with which files (contract section 7)."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from typing import Any

from django.conf import settings

from deskbell.api.zammad import errors, names
from deskbell.api.zammad.decode import values
from deskbell.kernel.actor import Actor
from deskbell.tickets.attachments import NewFile, clean_type
from deskbell.tickets.images import take_images
from deskbell.tickets.operations import NewArticle
from deskbell.tickets.operations.articles import SECONDS_LIMIT
from deskbell.tickets.texts import HTML, PLAIN, safe_html
from deskbell.tickets.vocabulary import BODY_LIMIT, ArticleType, Sender

FILES_AT_MOST = 500
_HEADER_LIMIT = 100_000
_BREAKS = re.compile(r"\s+")
#: Texts of an article that are stored as sent.
_TEXTS = {"to": "to", "cc": "cc", "subject": "subject", "reply_to": "reply_to"}
_ORIGINS = {"from": "from_address", "in_reply_to": "in_reply_to"}


def new_article(
    given: Any, *, ticket_id: int, actor: Actor, as_agent: bool, uploads: list[NewFile]
) -> NewArticle:
    """The article a client describes. Raises :class:`errors.Problem`.

    ``as_agent``: the actor works on the ticket as an agent. Whoever does not writes as the
    customer, publicly, as a note or web entry, whatever he sends. ``uploads`` are files that were
    sent before, under the article's ``form_id``.
    """
    if not isinstance(given, dict):
        raise errors.unprocessable(errors.SOLELY_A_BODY)
    type_ = names.article_type(given)
    sender = names.article_sender(given)
    origin = _origin(given) if as_agent else None
    body = given.get("body")
    if values.is_blank(body):
        raise errors.unprocessable(errors.SOLELY_A_BODY)
    article = NewArticle(body=values.text("body", body), type=type_ or ArticleType.NOTE)
    for key, name in {**_TEXTS, **_ORIGINS}.items():
        if given.get(key) is not None:
            setattr(article, name, values.text(key, given[key], limit=_HEADER_LIMIT))
    article.content_type = _content_type(given.get("content_type"))
    if given.get("preferences") is not None:
        article.preferences = values.mapping("preferences", given["preferences"])
    if as_agent:
        article.sender = sender or Sender.AGENT
        article.origin_by_id = origin
        article.internal = values.flag(given, "internal")
        if not values.is_blank(given.get("time_unit")):
            article.seconds = seconds("time_unit", given["time_unit"])
            article.time_type_id = names.time_type_of(given)
    else:
        article.sender = Sender.CUSTOMER
        article.origin_by_id = actor.user_id
        if article.type not in (ArticleType.NOTE, ArticleType.WEB):
            article.type = ArticleType.NOTE
    inline: list[NewFile] = []
    if article.content_type == HTML:
        article.body, inline = take_images(
            article.body, prefix=str(ticket_id), host=settings.CONFIG.hostname
        )
        article.body = safe_html(article.body)
    if len(article.body) > BODY_LIMIT:
        raise errors.unprocessable(f"Body is too long (maximum is {BODY_LIMIT} characters)")
    article.files = [*inline, *uploads, *attachments(given.get("attachments"))]
    return article


def _origin(given: Mapping[str, Any]) -> int | None:
    if not values.is_blank(given.get("origin_by_id")):
        return names.known_id("user", "origin_by_id", given["origin_by_id"])
    if not values.is_blank(given.get("origin_by")):
        return names.user_named("origin_by", given["origin_by"])
    return None


def _content_type(value: Any) -> str:
    if values.is_blank(value):
        return PLAIN
    kind = value.partition(";")[0].strip().lower() if isinstance(value, str) else ""
    if kind not in (HTML, PLAIN):
        raise errors.invalid_value("content_type", value)
    return kind


def seconds(name: str, value: Any) -> int:
    """Minutes, as a number or as a text, in whole seconds."""
    try:
        # A comma is how half of Europe writes a fraction.
        found = round(float(str(value).strip().replace(",", ".")) * 60)
    except (ValueError, OverflowError):
        raise errors.invalid_value(name, value) from None
    if isinstance(value, bool) or not 0 <= found <= SECONDS_LIMIT:
        raise errors.invalid_value(name, value)
    return found


def attachments(given: Any) -> list[NewFile]:
    """Files as clients send them: a name, a type, and base64 with or without line breaks."""
    if given is None or given == "":
        return []
    if isinstance(given, dict):
        # What a form's indexes become: attachments[0][data]=…
        given = list(given.values())
    if not isinstance(given, list):
        raise errors.invalid_value("attachments", given)
    if len(given) > FILES_AT_MOST:
        raise errors.unprocessable(f"An article has at most {FILES_AT_MOST} attachments.")
    return [_file(index, one) for index, one in enumerate(given)]


def _file(index: int, given: Any) -> NewFile:
    one = given if isinstance(given, dict) else {}
    for key in ("mime-type", "filename", "data"):
        if one.get(key) is None:
            raise errors.unprocessable(
                f"Attachment needs '{key}' param for attachment with index '{index}'"
            )
    kind, name, data = one["mime-type"], one["filename"], one["data"]
    if not isinstance(data, str):
        raise _not_base64(index)
    try:
        content = base64.b64decode(_BREAKS.sub("", data), validate=True)
    except (binascii.Error, ValueError):
        raise _not_base64(index) from None
    declared = values.text("mime-type", kind, limit=250)
    preferences: dict[str, Any] = {"Mime-Type": declared}
    if one.get("charset"):
        preferences["Charset"] = values.text("charset", one["charset"], limit=100)
    return NewFile(
        filename=values.text("filename", name, limit=10_000),
        content=content,
        content_type=clean_type(declared),
        preferences=preferences,
    )


def _not_base64(index: int) -> errors.Problem:
    return errors.unprocessable(f"Invalid base64 for attachment with index '{index}'")
