"""Quoted history in HTML: what mail programs mark as such becomes quoted lines of text."""

from __future__ import annotations

import re
from itertools import islice

from lxml import html as documents
from lxml.etree import LxmlError, ParserError

from deskbell.mail.reading import charsets, replies
from deskbell.tickets.texts import HTML, bounded, plain_text

_SIZE = 400_000
_QUOTES = 100
_ATTRIBUTIONS = 20
_CLASSES = re.compile(
    r"\b(?:gmail_quote(?:_container)?|yahoo_quoted|yahoo-quoted-begin|protonmail_quote|tutanota_quote|zmail_extra|mailru-blockquote|"
    r"moz-forward-container|freebirdFormviewerViewItemsItem|reply_quote|mail-quote-collapse|cite-quote|ms-outlook-mobile-reference-message)\b"
)
_IDS = re.compile(
    r"^(?:OLK_SRC_BODY_SECTION|mail-editor-reference-message-container|isForwardContent|replyBlockquote|yahoo_quoted_\d+|mailru-quote)$"
)
_ATTRIBUTION = re.compile(
    r"\b(?:gmail_attr|moz-cite-prefix|tutanota_quote_attribution)\b|^reply-intro$"
)
_MARKS = re.compile(
    r"blockquote|gmail_quote|OLK_SRC|RplyFwd|yahoo_quoted|_quote|stopSpelling|appendonsend|reference-message",
    re.IGNORECASE,
)


def quoted_text(html: str) -> str | None:
    """The text of an HTML body in which every quotation is made of lines that begin with ``>``.

    ``None`` where nothing is marked as a quotation: then its plain text says as much.
    """
    if len(html) > _SIZE or not _MARKS.search(html):
        return None
    try:
        tree = documents.document_fromstring(_without_declaration(bounded(html)))
    except (LxmlError, ParserError, ValueError, RecursionError):
        return None
    found = [
        element for element in tree.iter() if isinstance(element.tag, str) and _is_quote(element)
    ]
    inside = set()
    for element in found[:_QUOTES]:
        if element in inside or element.getparent() is None:
            continue
        inside.update(element.iterdescendants())
        _replace(element)
    marked = (element for element in tree.iter("div", "p") if _is_attribution(element))
    for element in list(islice(marked, _ATTRIBUTIONS)):
        if element.getparent() is not None:
            _name_attribution(element)
    for element in [
        e for e in tree.iter("hr", "div") if e.get("id") in {"stopSpelling", "appendonsend"}
    ][:1]:
        _quote_what_follows(element)
    try:
        marked = documents.tostring(tree, encoding="unicode")
    except (LxmlError, RecursionError):
        return None
    return _text(str(marked))


def _is_quote(element: documents.HtmlElement) -> bool:
    if element.tag == "blockquote":
        return True
    return bool(_IDS.match(element.get("id") or "") or _CLASSES.search(element.get("class") or ""))


def _is_attribution(element: documents.HtmlElement) -> bool:
    return bool(
        _ATTRIBUTION.search(element.get("class") or "")
        or _ATTRIBUTION.search(element.get("id") or "")
    )


def _name_attribution(element: documents.HtmlElement) -> None:
    """Quotes an attribution in a language whose words are not known: its markup says what it is."""
    lines = _text(_source(element)).strip()
    said = " ".join(lines.split())
    if said and not replies.is_attribution(said) and not replies.is_forward("", lines):
        for child in list(element):
            element.remove(child)
        element.text = f"> {said}"


def _replace(element: documents.HtmlElement) -> None:
    """Puts quoted lines in the place of an element; an attribution in it stays above them."""
    said = None
    if element.tag != "blockquote":
        said = next(
            (
                child
                for child in element.iter()
                if isinstance(child.tag, str) and _is_attribution(child)
            ),
            None,
        )
    attribution = "" if said is None else " ".join(_text(_source(said)).split())
    if replies.is_forward("", f"{attribution}\n{_text(_source(element))[:1_000]}"):
        return  # what is passed on is no history
    if said is not None:
        said.text = ""
        for child in list(said):
            said.remove(child)
    content = _text(_source(element))
    lines = content.strip("\n").split("\n") if content.strip() else []
    pre = documents.Element("div")
    pre.tail = element.tail
    if attribution:
        is_known = replies.is_attribution(attribution)
        pre.text = attribution if is_known else f"> {attribution}"
    for line in lines[:5_000]:
        row = documents.Element("div")
        row.text = f"> {line}"
        pre.append(row)
    parent = element.getparent()
    parent.replace(element, pre)


def _source(element: documents.HtmlElement) -> str:
    return str(documents.tostring(element, encoding="unicode", with_tail=False))


def _quote_what_follows(element: documents.HtmlElement) -> None:
    """Quotes all that stands below a separator of Outlook or Hotmail."""
    for sibling in list(element.itersiblings()):
        if isinstance(sibling.tag, str) and sibling.getparent() is not None:
            _replace(sibling)


def _without_declaration(html: str) -> str:
    """lxml refuses text that declares an encoding."""
    return re.sub(r"\A\s*<\?xml[^>]{0,200}\?>", "", html)


def _text(html: str) -> str:
    return charsets.clean(plain_text(html, HTML))
