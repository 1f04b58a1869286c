"""Foreign HTML made harmless in size: what comes in by mail may be built to keep a parser busy.

The HTML standard's own algorithm is quadratic where elements nest deeply, where one tag has
thousands of attributes, and where open formatting is repeated in every paragraph that follows: a
few hundred kilobytes can take minutes and gigabytes. :func:`tamed` reads such a text once, from
left to right, and writes one that nests properly and not too deeply. It is no sanitiser: what is
safe to show is decided afterwards, on its result.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Set
from html import unescape

#: Elements that may be open at once; a browser stops at 512, layout libraries at 256.
DEPTH_AT_MOST = 150
#: Formatting that may be open at once: a parser repeats it in every block.
FORMATS_AT_MOST = 20
#: Tags that are kept; of what follows only text and line breaks remain.
TAGS_AT_MOST = 30_000
ATTRIBUTES_AT_MOST = 20

_FORMATS = frozenset(
    {"a", "b", "big", "code", "em", "font", "i", "nobr", "s", "small", "strike", "strong", "tt"}
    | {"u"}
)
_VOID = frozenset({"br", "hr", "img", "col", "wbr"})
#: Those that end an open paragraph where they begin.
_BLOCKS = frozenset(
    {
        "address",
        "article",
        "aside",
        "blockquote",
        "center",
        "details",
        "dd",
        "dir",
        "div",
        "dl",
        "dt",
        "fieldset",
        "figcaption",
        "figure",
        "footer",
        "form",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "header",
        "hr",
        "li",
        "main",
        "menu",
        "nav",
        "ol",
        "p",
        "pre",
        "section",
        "summary",
        "table",
        "tbody",
        "td",
        "tfoot",
        "th",
        "thead",
        "tr",
        "ul",
        "caption",
    }
)
#: Those whose content is no text to read.
_SILENT = frozenset(
    {"script", "style", "title", "xmp", "iframe", "noembed", "noframes", "noscript", "template"}
)
_CELLS = frozenset({"td", "th", "caption"})
_OF_TABLES = frozenset({"td", "th", "caption", "tr", "tbody", "thead", "tfoot", "colgroup"})
#: What ends an open element of the first kind, unless one of the second kind is between them.
_ENDED_BY: Mapping[str, tuple[Set[str], Set[str]]] = {
    "li": ({"li"}, {"ul", "ol", "table"} | _CELLS),
    "dt": ({"dt", "dd"}, {"dl", "table"} | _CELLS),
    "dd": ({"dt", "dd"}, {"dl", "table"} | _CELLS),
    "td": (_CELLS, {"table"}),
    "th": (_CELLS, {"table"}),
    "tr": ({"tr"}, {"table"}),
    "tbody": ({"tbody", "thead", "tfoot", "colgroup", "caption"}, {"table"}),
    "thead": ({"tbody", "thead", "tfoot", "colgroup", "caption"}, {"table"}),
    "tfoot": ({"tbody", "thead", "tfoot", "colgroup", "caption"}, {"table"}),
}
_NAME = re.compile(r"[a-zA-Z][^\s/>]*+")
_ATTRIBUTE = re.compile(
    r"[\s/]*+(=?[^\s/>=]++)\s*+(?:=\s*+(\"[^\"]*+\"|'[^']*+'|(?![\"'])[^\s>]*+))?+"
)
_TAG_END = re.compile(r"[\s/=\"']*+>?")
#: A tag for a rough count; the real reading is done only where there is reason to.
_FORMAT_TAG = re.compile(rf"<(?:{'|'.join(sorted(_FORMATS))})[\s/>]", re.IGNORECASE)
_BLOCK_TAG = re.compile(rf"</?(?:br|{'|'.join(sorted(_BLOCKS))})(?:\s[^>]*)?>", re.IGNORECASE)
_ANY_TAG = re.compile(r"<[^>]*>")
_BLANK_LINES = re.compile(r"(?:[ \t]*\n){3,}")


def is_tame(html: str, *, tags: int = 2000) -> bool:
    """Whether the worst reading of a text this short, with so few tags, is quick anyway."""
    found = html.count("<")
    if len(html) > 20_000 or found > tags:
        return False
    formats = sum(1 for _ in _FORMAT_TAG.finditer(html))
    return formats * found <= 200_000


def tamed(html: str, allowed: Mapping[str, Set[str]], tags: Set[str]) -> str:
    """The same HTML, properly nested and bounded, with only these tags and attributes.

    ``allowed`` are attribute names by tag, those of every tag under ``*``. Linear in the text.
    """
    return _Taming(html, allowed, tags).written()


class _Taming:
    def __init__(self, html: str, allowed: Mapping[str, Set[str]], tags: Set[str]) -> None:
        self.html = html
        self.allowed = allowed
        self.tags = tags
        self.out: list[str] = []
        self.open: list[str] = []
        self.is_open: Counter[str] = Counter()
        self.formats = 0
        self.written_tags = 0
        self.skipped: Counter[str] = Counter()

    def written(self) -> str:
        html, at, end = self.html, 0, len(self.html)
        while at < end:
            start = html.find("<", at)
            if start < 0:
                self.out.append(html[at:])
                break
            if start > at:
                self.out.append(html[at:start])
            at = self._markup(start)
        while self.open:
            self._close_to(len(self.open) - 1)
        return "".join(self.out)

    def _markup(self, start: int) -> int:
        """Read what begins with ``<`` at this place; where reading goes on."""
        html = self.html
        if html.startswith("<!--", start):
            # "<!-->" is a whole comment.
            return self._after("-->", start + 2 if html.startswith("<!-->", start) else start + 4)
        closing = html.startswith("</", start)
        name = _NAME.match(html, start + 1 + closing)
        if name is None:
            if closing or html.startswith(("<!", "<?"), start):
                return self._after(">", start + 1)
            self.out.append("&lt;")
            return start + 1
        word = name[0].lower()
        if closing:
            self._end(word)
            return self._after(">", name.end())
        attributes, at = self._attributes(word, name.end())
        if word in _SILENT:
            return self._after_silent(word, at)
        self._begin(word, attributes)
        return at

    def _after(self, mark: str, at: int) -> int:
        """Behind the next mark, or at the end of all where there is none."""
        found = self.html.find(mark, at)
        return len(self.html) if found < 0 else found + len(mark)

    def _after_silent(self, word: str, at: int) -> int:
        pattern = re.compile(rf"</{word}[\s/>]", re.IGNORECASE)
        found = pattern.search(self.html, at)
        return len(self.html) if found is None else self._after(">", found.end() - 1)

    def _attributes(self, word: str, at: int) -> tuple[str, int]:
        """The attributes that are kept, written out, and where the tag ends."""
        wanted = self.allowed.get(word, frozenset()) | self.allowed.get("*", frozenset())
        kept: dict[str, str] = {}
        while (match := _ATTRIBUTE.match(self.html, at)) is not None:
            at = match.end()
            name = match[1].lower()
            if name not in wanted or name in kept or len(kept) >= ATTRIBUTES_AT_MOST:
                continue
            value = match[2] or ""
            if value[:1] in ("'", '"'):
                value = value[1:-1]
            kept[name] = value.replace('"', "&quot;")
        rest = _TAG_END.match(self.html, at)
        if rest is not None:
            at = rest.end()
        if self.html[at - 1] != ">":
            at = self._after(">", at)  # an unclosed quotation
        return "".join(f' {name}="{value}"' for name, value in kept.items()), at

    def _begin(self, word: str, attributes: str) -> None:
        if word not in self.tags:
            return
        if self.written_tags >= TAGS_AT_MOST:
            if word in _BLOCKS or word == "br":
                self._break()
            return
        if word in _ENDED_BY:
            ended, barriers = _ENDED_BY[word]
            self._end_open(ended, barriers)
        if word in _BLOCKS:
            self._end_open({"p"}, {"table"} | _CELLS)
        if word in _VOID:
            self.written_tags += 1
            self.out.append(f"<{word}{attributes}>")
            return
        is_format = word in _FORMATS
        if len(self.open) >= DEPTH_AT_MOST or (is_format and self.formats >= FORMATS_AT_MOST):
            self.skipped[word] += 1
            if word in _BLOCKS:
                self._break()
            return
        self.written_tags += 1
        self.open.append(word)
        self.is_open[word] += 1
        self.formats += is_format
        self.out.append(f"<{word}{attributes}>")

    def _break(self) -> None:
        """A new line instead of a block that is left out."""
        if self.out and self.out[-1] != "<br>":
            self.out.append("<br>")

    def _end_open(self, ended: Set[str], barriers: Set[str]) -> None:
        if not any(self.is_open[word] for word in ended):
            return
        for place in range(len(self.open) - 1, -1, -1):
            if self.open[place] in ended:
                self._close_to(place)
                return
            if self.open[place] in barriers:
                return

    def _end(self, word: str) -> None:
        if self.skipped[word]:
            self.skipped[word] -= 1
            return
        if not self.is_open[word]:
            return
        barriers = {"table"} if word in _OF_TABLES else _CELLS | {"table"}
        for place in range(len(self.open) - 1, -1, -1):
            if self.open[place] == word:
                self._close_to(place)
                return
            if word != "table" and self.open[place] in barriers:
                return

    def _close_to(self, place: int) -> None:
        """Close everything from this place of the open elements on."""
        for word in reversed(self.open[place:]):
            self.is_open[word] -= 1
            self.formats -= word in _FORMATS
            self.out.append(f"</{word}>")
        del self.open[place:]


def words_of(html: str) -> str:
    """The words of clean, properly nested HTML, line by line; quick at any size."""
    text = _ANY_TAG.sub("", _BLOCK_TAG.sub("\n", html))
    return _BLANK_LINES.sub("\n\n", unescape(text)).strip("\n")
