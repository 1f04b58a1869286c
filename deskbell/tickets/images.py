"""Pictures inside of HTML: cut out of the text, kept as files of the entry."""

from __future__ import annotations

import base64
import re
import uuid
from urllib.parse import unquote

import nh3

from deskbell.tickets.attachments import NewFile
from deskbell.tickets.texts import _ATTRIBUTES, _SCHEMES, _STYLES, _TAGS, bounded

_DATA = re.compile(
    r"\s*data:(image/[a-z0-9.+-]{1,60})(?:;[^,;]{0,100})*?;base64,(.*)\Z",
    re.IGNORECASE | re.DOTALL,
)
_BLANKS = re.compile(r"[\s\x00-\x20]+")
_NOT_AN_ENDING = re.compile(r"[^a-z0-9]+")
_NOT_BASE64 = re.compile(r"[^A-Za-z0-9+/]+")


def take_images(html: str, *, prefix: str, host: str) -> tuple[str, list[NewFile]]:
    """The HTML with ``cid:`` references in place of its ``data:`` images, and these as files.

    A Content-ID is ``<prefix>.<uuid>@<host>``; names count per text (``image1.png``), as Zammad's
    do. Other ``data:`` addresses, and images without any bytes, are taken away.
    """
    files: list[NewFile] = []

    def judge(tag: str, attribute: str, value: str) -> str | None:
        if not _BLANKS.sub("", value[:200]).lower().startswith("data:"):
            return value
        if (tag, attribute) != ("img", "src"):
            return None
        file = _file(value, len(files) + 1, prefix=prefix, host=host)
        if file is None:
            return None
        files.append(file)
        return f"cid:{file.content_id}"

    # The sanitiser's parser finds the images, whatever the markup around them looks like. What it
    # lets through here only for that is judged again by safe_html.
    text = nh3.clean(
        bounded(html),
        tags=_TAGS,
        attributes=_ATTRIBUTES,
        attribute_filter=judge,
        filter_style_properties=_STYLES,
        url_schemes=_SCHEMES | {"data"},
    )
    return text, files


def _file(address: str, number: int, *, prefix: str, host: str) -> NewFile | None:
    match = _DATA.match(address)
    if match is None:
        return None
    content = _decoded(match[2])
    if not content:
        return None
    kind = match[1].lower()
    ending = _NOT_AN_ENDING.sub("", kind.partition("/")[2].partition("+")[0]) or "bin"
    content_id = f"{prefix}.{uuid.uuid4()}@{host}"
    return NewFile(
        filename=f"image{number}.{ending}",
        content=content,
        content_type=kind,
        inline=True,
        content_id=content_id,
        preferences={
            "Content-Type": kind,
            "Mime-Type": kind,
            "Content-ID": content_id,
            "Content-Disposition": "inline",
        },
    )


def _decoded(text: str) -> bytes:
    """The bytes of Base64, read as leniently as Zammad and browsers read it.

    The documented samples of Zammad's API end a text of seven letters with two padding characters,
    and clients were written from them; addresses may carry the signs + / = percent-encoded.
    """
    letters = _NOT_BASE64.sub("", unquote(text).partition("=")[0])
    if len(letters) % 4 == 1:  # six bits are no byte
        letters = letters[:-1]
    return base64.b64decode(letters + "=" * (-len(letters) % 4))
