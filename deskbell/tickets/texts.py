"""Bodies of entries: as text for those who read text, as safe HTML for those who read HTML."""

from __future__ import annotations

from collections.abc import Callable

import nh3
from inscriptis import get_text
from inscriptis.css_profiles import CSS_PROFILES
from inscriptis.model.config import ParserConfig
from lxml.etree import LxmlError

from deskbell.tickets.markup import is_tame, tamed, words_of

HTML = "text/html"
PLAIN = "text/plain"
# The other profile indents whatever stands in a div, which is every mail.
_PLAIN_CONFIG = ParserConfig(css=CSS_PROFILES["strict"], display_images=False, display_links=False)

_TAGS = {
    "a", "abbr", "acronym", "address", "b", "bdi", "bdo", "big", "blockquote", "br", "caption",
    "center", "cite", "code", "col", "colgroup", "dd", "del", "details", "dfn", "div", "dl", "dt",
    "em", "figcaption", "figure", "font", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "i", "img",
    "ins", "kbd", "li", "mark", "ol", "p", "pre", "q", "s", "samp", "section", "small", "span",
    "strike", "strong", "sub", "summary", "sup", "table", "tbody", "td", "tfoot", "th", "thead",
    "tr", "tt", "u", "ul", "var", "wbr",
}  # fmt: skip
_ATTRIBUTES = {
    "*": {"style", "title", "dir", "lang", "align", "valign", "class"},
    "a": {"href", "name"},
    "img": {"src", "alt", "width", "height", "border"},
    "font": {"color", "face", "size"},
    "table": {"border", "cellpadding", "cellspacing", "width", "bgcolor", "summary"},
    "td": {"colspan", "rowspan", "width", "height", "bgcolor"},
    "th": {"colspan", "rowspan", "width", "height", "bgcolor", "scope"},
    "col": {"span", "width"},
    "colgroup": {"span", "width"},
    "ol": {"start", "type"},
    "li": {"value"},
    "blockquote": {"cite", "type"},
    "q": {"cite"},
    "del": {"datetime"},
    "ins": {"datetime"},
    "details": {"open"},
}
_STYLES = {
    "background-color", "border", "border-bottom", "border-collapse", "border-color",
    "border-left", "border-right", "border-spacing", "border-style", "border-top", "border-width",
    "color", "direction", "display", "font", "font-family", "font-size", "font-style",
    "font-variant", "font-weight", "height", "letter-spacing", "line-height", "list-style-type",
    "margin", "margin-bottom", "margin-left", "margin-right", "margin-top", "max-width",
    "min-width", "padding", "padding-bottom", "padding-left", "padding-right", "padding-top",
    "text-align", "text-decoration", "text-indent", "text-transform", "vertical-align",
    "white-space", "width", "word-break", "word-wrap",
}  # fmt: skip
_SCHEMES = {"http", "https", "mailto", "tel", "cid", "ftp"}
#: Characters of clean HTML that are laid out; of a longer text the words are taken line by line.
_LAYOUT_LIMIT = 200_000


def safe_html(html: str, *, image: Callable[[str], str | None] | None = None) -> str:
    """HTML that cannot run, load or submit anything: an allow-list of tags, attributes, styles.

    Images keep their address (``cid:`` or the desk's own); whoever shows them decides whether
    remote ones load: ``image`` gives the address to use for each, ``None`` takes it away. Links
    open elsewhere and say nothing about where they came from.
    """

    def judge(tag: str, attribute: str, value: str) -> str | None:
        return image(value) if image and (tag, attribute) == ("img", "src") else value

    return nh3.clean(
        bounded(html),
        tags=_TAGS,
        attributes=_ATTRIBUTES,
        attribute_filter=judge if image else None,
        filter_style_properties=_STYLES,
        url_schemes=_SCHEMES,
        link_rel="nofollow noreferrer noopener",
        set_tag_attribute_values={"a": {"target": "_blank"}},
        strip_comments=True,
    )


def bounded(html: str, *, tags: int = 2000) -> str:
    """HTML that no parser has trouble with: as it stands, or tamed where it might."""
    return html if is_tame(html, tags=tags) else tamed(html, _ATTRIBUTES, _TAGS)


def plain_text(body: str, content_type: str) -> str:
    """The body as text: plain ones as they stand, HTML laid out without its markup."""
    if content_type != HTML:
        return body
    # What a sanitiser follows may be too deep for a layout, so all but short texts are tamed.
    cleaned = safe_html(bounded(body, tags=100))
    if not cleaned.strip():
        return ""
    words = words_of(cleaned)
    if len(cleaned) > _LAYOUT_LIMIT:
        return words
    try:
        text = str(get_text(f"<div>{cleaned}</div>", _PLAIN_CONFIG)).strip("\n")
    except (LxmlError, RecursionError, ValueError):
        return words
    # A layout must not lose what was written, nor pad it without end, whatever the markup is like.
    is_whole = len("".join(text.split())) >= len("".join(words.split()))
    return text if is_whole and len(text) <= 10_000 + 4 * len(cleaned) else words
