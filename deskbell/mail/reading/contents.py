"""Which parts are the text, which are files: one walk over the tree of a message."""

from __future__ import annotations

import html as entities
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from urllib.parse import unquote

from tnefparse.tnef import TNEF

from deskbell.mail.reading import charsets, fields, structure, transfer, words
from deskbell.mail.reading.facts import File
from deskbell.mail.reading.structure import Bounds, Part
from deskbell.tickets.texts import HTML, plain_text

_NAME_SIZE = 240
_MESSAGES = frozenset({"message/rfc822", "message/global", "message/news", "message/rfc2822"})
_TEXTS = frozenset({"text/plain", "text/html", "text/enriched", "text/richtext", "text/x-amp-html",
                    "text/markdown", "text/x-markdown", "text/watch-html"})  # fmt: skip
_EXTENSIONS = {
    "text/plain": ".txt", "text/html": ".html", "text/calendar": ".ics", "text/csv": ".csv",
    "text/x-vcard": ".vcf", "text/vcard": ".vcf", "image/jpeg": ".jpg", "image/jpg": ".jpg",
    "image/png": ".png", "image/gif": ".gif", "image/bmp": ".bmp", "image/tiff": ".tif",
    "image/svg+xml": ".svg", "image/webp": ".webp", "application/pdf": ".pdf",
    "application/zip": ".zip", "application/pgp-signature": ".asc",
    "application/pgp-encrypted": ".asc", "application/pkcs7-signature": ".p7s",
    "application/x-pkcs7-signature": ".p7s", "application/pkcs7-mime": ".p7m",
    "application/x-pkcs7-mime": ".p7m", "application/pgp-keys": ".asc", "audio/mpeg": ".mp3",
    "video/mp4": ".mp4", "video/quicktime": ".mov", "message/delivery-status": ".txt",
    "message/disposition-notification": ".txt", "text/rfc822-headers": ".txt",
    "application/json": ".json", "application/xml": ".xml", "text/xml": ".xml",
    "application/msword": ".doc", "application/vnd.ms-excel": ".xls",
    "application/vnd.ms-powerpoint": ".ppt", "application/vnd.ms-outlook": ".msg",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": ".docx",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": ".xlsx",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation": ".pptx",
    "application/vnd.oasis.opendocument.text": ".odt",
    "application/vnd.oasis.opendocument.spreadsheet": ".ods", "application/rtf": ".rtf",
    "text/rtf": ".rtf", "application/x-zip-compressed": ".zip", "application/gzip": ".gz",
    "application/x-gzip": ".gz", "application/x-tar": ".tar", "application/x-7z-compressed": ".7z",
    "application/vnd.rar": ".rar", "application/x-rar-compressed": ".rar",
    "application/x-pdf": ".pdf", "application/postscript": ".ps", "image/x-png": ".png",
    "image/pjpeg": ".jpg", "image/heic": ".heic", "image/avif": ".avif", "image/x-icon": ".ico",
    "audio/mp3": ".mp3", "audio/wav": ".wav", "audio/x-wav": ".wav", "audio/ogg": ".ogg",
    "audio/mp4": ".m4a", "audio/x-m4a": ".m4a", "audio/amr": ".amr", "video/mpeg": ".mpg",
    "video/webm": ".webm", "video/3gpp": ".3gp", "video/x-msvideo": ".avi",
    "text/markdown": ".md", "text/css": ".css", "text/tab-separated-values": ".tsv",
}  # fmt: skip
_STEMS = {"message/delivery-status": "delivery-status", "text/rfc822-headers": "returned-headers",
          "application/pgp-signature": "signature", "application/pgp-encrypted": "version",
          "application/pkcs7-mime": "smime", "application/x-pkcs7-mime": "smime",
          "application/pkcs7-signature": "smime", "application/x-pkcs7-signature": "smime",
          "text/calendar": "invitation", "message/feedback-report": "feedback-report",
          "message/disposition-notification": "disposition-notification"}  # fmt: skip
_CID = re.compile(r"\bcid:([^\"'\s>)]+)", re.IGNORECASE)
_META_CHARSET = re.compile(rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?\s*([\w.:-]+)", re.IGNORECASE)
_MARKUP = re.compile(
    r"\A\s*(?:<!DOCTYPE html|<(?:html|head|body|table)\b"
    r"|<div\b[^>]*>.*</div>|<p\b[^>]*>.*</p>)",
    re.IGNORECASE | re.DOTALL,
)


_SILENT = re.compile(r"<(style|script)\b[^>]{0,2000}>[^<]*</\1\s{0,9}>", re.IGNORECASE)
_TITLE_END = re.compile(r"</title\s{0,9}>", re.IGNORECASE)
_DATA_URL = re.compile(r"data:[^\"'\s>)]{100,}", re.IGNORECASE)
#: Characters of HTML that become text; longer mails are pictures and tables of a shop.
LAID_OUT = 400_000
#: A page of more characters than this is not called empty without laying it out.
_EMPTY_PAGE = 4_000
_ENRICHED = 200_000


@dataclass(slots=True)
class Contents:
    """The readable text, the HTML as it came, the files, and what the walk noticed."""

    text: str = ""
    html: str = ""
    files: list[File] = field(default_factory=list)
    charset: str = ""
    is_from_html: bool = False
    is_encrypted: bool = False
    is_signed: bool = False
    is_truncated: bool = False


@dataclass(slots=True)
class _Piece:
    """What a subtree shows: its text, its HTML; either may be missing."""

    text: str = ""
    html: str = ""

    @property
    def is_blank(self) -> bool:
        return not self.text.strip() and not self.html.strip()


def read(root: Part, bounds: Bounds) -> Contents:
    """Walks the tree once. Never fails."""
    walk = _Walk(bounds)
    piece = walk.piece(root)
    contents = walk.contents
    contents.html = piece.html
    contents.text = _shown(piece)
    contents.is_from_html = bool(piece.html) and not _says_something(piece.text)
    if not contents.text and walk.named_texts:
        # The only text of the message has a name: it is a file, and it is what can be read.
        contents.text = "\n\n".join(text.strip("\n") for text in walk.named_texts)
    contents.text = contents.text[: bounds.text]
    contents.files = _settled(contents.files, contents.html)
    return contents


def html_text(html: str) -> str:
    """The text of an HTML body, laid out; hidden style and script text left out.

    Pictures inside of the text are dropped first. Of a very long text the beginning is laid out,
    and the words of the rest follow.
    """
    short = _DATA_URL.sub("data:", html)
    end = len(short) if len(short) <= LAID_OUT else max(short.rfind(">", 0, LAID_OUT) + 1, 1)
    # A title is no part of the page, but some mailers put the only words there.
    text = charsets.clean(plain_text(_TITLE_END.sub("</title><br>", short[:end]), HTML))
    if end < len(short):
        text += "\n" + _bare_words(_SILENT.sub("", short[end:]))
    return _squeezed(text)


def _bare_words(html: str) -> str:
    """The text between the tags, without any layout; linear."""
    first, *others = html.split("<")
    pieces = [first, *(piece.partition(">")[2] for piece in others)]
    return charsets.clean(entities.unescape("\n".join(piece for piece in pieces if piece.strip())))


def _shown(piece: _Piece) -> str:
    if _says_something(piece.text):
        return piece.text.strip("\n")
    if piece.html:
        return html_text(piece.html).strip("\n")
    return "" if not piece.text.strip() else piece.text.strip("\n")


def _says_something(text: str) -> bool:
    """Whether a plain alternative is more than white space, or than a hint to look at the HTML."""
    return bool(re.sub(r"[\s\u00a0\u200b-\u200d\u2060\ufeff\u00ad]+", "", text))


def _is_empty_page(html: str) -> bool:
    """Whether an HTML text shows neither words nor pictures; long ones are taken to show some."""
    if len(html) > _EMPTY_PAGE or "<img" in html.lower():
        return False
    return not _says_something(_bare_words(_SILENT.sub("", html)))


class _Walk:
    def __init__(self, bounds: Bounds) -> None:
        self.bounds = bounds
        self.contents = Contents()
        self.named_texts: list[str] = []
        self._text_left = bounds.text
        self._html_left = bounds.html

    def piece(self, part: Part) -> _Piece:
        """The readable text of a subtree; its files go to the contents."""
        kind = part.type
        if part.main == "multipart":
            return self._multipart(part)
        if kind in _MESSAGES:
            self._keep(part, name=_message_name(part))
            return _Piece()
        if kind in {"application/ms-tnef", "application/vnd.ms-tnef"} or (
            part.main == "application" and self._name(part).lower() == "winmail.dat"
        ):
            return self._tnef(part)
        if kind in {"application/pkcs7-mime", "application/x-pkcs7-mime"}:
            return self._smime(part)
        if kind in _TEXTS or (
            part.main == "text" and not self._name(part) and kind not in _EXTENSIONS
        ):
            return self._text(part)
        if kind == "text/rfc822-headers" or part.main != "text":
            self._keep(part)
            return _Piece()
        self._keep(part)
        return _Piece()

    # ---------------------------------------------------------------------------------- multiparts

    def _multipart(self, part: Part) -> _Piece:
        if part.type == "multipart/alternative":
            return self._alternative([self.piece(child) for child in part.children])
        if part.type == "multipart/signed":
            self.contents.is_signed = True
        if part.type == "multipart/encrypted":
            self.contents.is_encrypted = True
            for child in part.children:
                self._keep(child)
            return _Piece()
        if part.type == "multipart/related" and len(part.children) > 1:
            return self._related(part)
        return _joined([self.piece(child) for child in part.children])

    def _alternative(self, pieces: list[_Piece]) -> _Piece:
        """The first text that says something, the last HTML: the richest is the last."""
        text = next(
            (piece.text for piece in pieces if _says_something(piece.text) and not piece.html), ""
        )
        html = ""
        for piece in pieces:
            if piece.html.strip():
                html = piece.html
                if not text and _says_something(piece.text):
                    text = piece.text
        # Some mailers put an empty page, with a file beside it, next to the words.
        return _Piece(text, "" if text and _is_empty_page(html) else html)

    def _related(self, part: Part) -> _Piece:
        """The root shows the others; text besides it is text as well where nothing refers to it."""
        start = fields.message_id(part.params.get("start", ""))
        root = next(
            (child for child in part.children if start and _content_id(child) == start),
            part.children[0],
        )
        return _joined(
            [self.piece(child) for child in [root, *(c for c in part.children if c is not root)]]
        )

    # --------------------------------------------------------------------------------------- texts

    def _text(self, part: Part) -> _Piece:
        name = self._name(part)
        if part.disposition == "attachment" or (name and part.disposition == "inline"):
            self._keep(part)
            if part.disposition != "attachment" and part.type in {"text/plain", "text/html"}:
                text = self._decoded(part)
                self.named_texts.append(html_text(text) if part.type == HTML else text)
            return _Piece()
        if name and (self.contents.files or self.contents.charset or not _is_first_text(name)):
            self._keep(part)
            text = self._decoded(part)
            if part.type in {"text/plain", "text/html"}:
                self.named_texts.append(html_text(text) if part.type == HTML else text)
            return _Piece()
        text = self._decoded(part, without_files=part.type == "text/plain")
        if not self.contents.charset:
            self.contents.charset = part.params.get("charset", "").lower()
        if part.type == HTML or part.type in {"text/x-amp-html", "text/watch-html"}:
            if part.type != HTML:
                return _Piece()
            html = text[: self._html_left]
            self._html_left -= len(html)
            self.contents.is_truncated |= len(html) < len(text)
            return _Piece(html=html)
        if part.type in {"text/enriched", "text/richtext"}:
            text = _unenriched(text[:_ENRICHED])
        elif _MARKUP.match(text[:20_000]) and "</" in text:
            # The type lies: this is HTML.
            return _Piece(html=text[: self._html_left])
        elif part.params.get("format", "").lower() == "flowed":
            text = unflowed(text, del_space=part.params.get("delsp", "").lower() == "yes")
        if "\nbegin" in text or text.startswith("begin"):
            text = self._uuencoded(part, text)
        if "-----BEGIN PGP MESSAGE-----" in text:
            self.contents.is_encrypted = True
        whole = len(text)
        text = text[: self._text_left]
        self._text_left -= len(text)
        self.contents.is_truncated |= len(text) < whole
        return _Piece(text=text)

    def _decoded(self, part: Part, *, without_files: bool = False) -> str:
        data = part.decoded()[: 4 * self.bounds.text]
        if without_files and b"=ybegin " in data:
            for start, end, name, content in reversed(transfer.yenc_blocks(data)):
                data = data[:start] + data[end:]
                self._add(File(_safe_name(charsets.decode(name)) or "attachment",
                               "application/octet-stream", content))  # fmt: skip
        label = part.params.get("charset")
        if part.type == HTML and (label is None or charsets.codec_of(label) in {None, "cp1252"}):
            found = _META_CHARSET.search(data[:8_192])
            meta = found[1].decode("ascii") if found else None
            if label is None or charsets.codec_of(label) is None:
                label = meta or label
        return charsets.decode(data, label)

    def _uuencoded(self, part: Part, text: str) -> str:
        """Files that stand inside of the text become files; the text stays without them."""
        data = text.encode("latin-1", "replace")
        blocks = transfer.uu_blocks(data)
        for _, _, name, content in blocks:
            self._add(File(_safe_name(words.decode(name.encode("latin-1"))) or "attachment",
                           "application/octet-stream", content))  # fmt: skip
        for start, end, _, _ in reversed(blocks):
            text = text[:start] + text[end:]
        return text

    # --------------------------------------------------------------------------------------- files

    def _name(self, part: Part) -> str:
        for name in (part.disposition_params.get("filename"), part.params.get("name"),
                     part.disposition_params.get("name"), part.params.get("filename")):  # fmt: skip
            if name and (safe := _safe_name(name)):
                return safe
        return ""

    def _keep(self, part: Part, *, name: str = "") -> None:
        own = self._name(part)
        made_up = not own
        filename = own or name or _located(part) or _made_up_name(part)
        if part.main == "multipart":
            content = part.content
        else:
            content = part.decoded()
        if (
            part.main == "message"
            and part.type in _MESSAGES
            and not own.lower().endswith(".eml")
            and made_up
        ):
            filename = _safe_name(filename if filename.endswith(".eml") else f"{filename}.eml")
        self._add(File(filename, part.type, content, _content_id(part), is_name_made_up=made_up))

    def _add(self, file: File) -> None:
        if len(self.contents.files) < self.bounds.parts:
            self.contents.files.append(file)
        else:
            self.contents.is_truncated = True

    def _tnef(self, part: Part) -> _Piece:
        """The files and texts inside of a winmail.dat, and itself."""
        data = part.decoded()
        if not _is_openable_tnef(data):
            self._keep(part)
            return _Piece()
        try:
            opened = TNEF(data, do_checksum=False)
            found = [
                File(
                    _safe_name(str(inner.long_filename() or inner.name or "")) or "attachment",
                    "application/octet-stream", bytes(inner.data or b""),
                )
                for inner in opened.attachments
            ]  # fmt: skip
            text, html = _tnef_texts(opened)
        except Exception:  # noqa: BLE001 - a third party's parser on bytes of strangers
            self._keep(part)
            return _Piece()
        if not found and not text and not html:
            self._keep(part)
            return _Piece()
        for file in found:
            self._add(file)
        self._keep(part)
        return _Piece(text=text[: self.bounds.text], html=html[: self.bounds.html])

    def _smime(self, part: Part) -> _Piece:
        """Kept as it is; a signed blob (RFC 8551 signed-data) is opaque to readers as well."""
        kind = part.params.get("smime-type", "").lower()
        if kind == "signed-data":
            self.contents.is_signed = True
        else:
            self.contents.is_encrypted = True
        self._keep(part)
        return _Piece()


def _is_openable_tnef(data: bytes) -> bool:
    """Whether the records are few enough for a parser that copies the rest at each."""
    if data[:4] != b"\x78\x9f\x3e\x22":
        return False
    at, count = 6, 0
    while at + 9 <= len(data) and count < 10_000:
        at += 11 + int.from_bytes(data[at + 5 : at + 9], "little")
        count += 1
    return count * len(data) < 2_000_000_000


def _tnef_texts(opened: TNEF) -> tuple[str, str]:
    def as_text(value: object) -> str:
        if isinstance(value, bytes | bytearray):
            return charsets.decode(bytes(value))
        return charsets.clean(str(value)) if value else ""

    return as_text(getattr(opened, "body", None)), as_text(getattr(opened, "htmlbody", None))


def _is_first_text(name: str) -> bool:
    """Some gateways name the text itself."""
    return bool(
        re.fullmatch(
            r"(?:body|message|text|part|untitled|mail|unnamed|noname)[\w .-]*", name.lower()
        )
    )


def _joined(pieces: Iterable[_Piece]) -> _Piece:
    """Several texts one below the other; plain ones inside of HTML become paragraphs."""
    kept = [piece for piece in pieces if not piece.is_blank]
    if not kept:
        return _Piece()
    if len(kept) == 1:
        return kept[0]
    text = "\n\n".join(part for piece in kept if (part := _shown(piece).strip("\n")))
    if not any(piece.html for piece in kept):
        return _Piece(text=text)
    html = "\n".join(
        piece.html or f"<p>{entities.escape(piece.text.strip()).replace(chr(10), '<br>')}</p>"
        for piece in kept
    )
    return _Piece(text=text, html=html)


def _settled(files: list[File], html: str) -> list[File]:
    """Marks what the HTML shows by ``cid:``."""
    shown: set[str] = set()
    if "cid:" in html.lower():
        for found in _CID.findall(html):
            plain = entities.unescape(found).strip("<> ").lower()
            shown |= {plain, unquote(plain)}
    out = []
    for file in files:
        if file.content_id and file.content_id.lower() in shown:
            out.append(File(file.filename, file.content_type, file.content, file.content_id,
                            is_inline=True, is_name_made_up=file.is_name_made_up))  # fmt: skip
        else:
            out.append(file)
    return out


def _content_id(part: Part) -> str:
    value = part.raw("content-id")
    return charsets.decode(value).strip().strip("<>").strip()[:240] if value else ""


def _located(part: Part) -> str:
    """A name from Content-Location or Content-Description, where that is a file's."""
    location = words.decode(part.raw("content-location") or b"").strip().rstrip("/")
    last = location.rpartition("/")[2].partition("?")[0]
    described = words.decode(part.raw("content-description") or b"").strip()
    return next((_safe_name(name) for name in (last, described)
                 if len(name) <= _NAME_SIZE and re.search(r"\.\w{1,5}\Z", name)), "")  # fmt: skip


def _made_up_name(part: Part) -> str:
    stem = _STEMS.get(part.type, "attachment")
    if part.type not in _STEMS and (cid := _content_id(part)):
        stem = _safe_name(cid.partition("@")[0]) or stem
    extension = _EXTENSIONS.get(part.type, "")
    if extension and stem.lower().endswith(extension):
        return stem
    if extension and re.search(r"\.(?:jpe?g|png|gif|tiff?|bmp)\Z", stem.lower()):
        return stem
    return f"{stem}{extension}"


def _message_name(part: Part) -> str:
    """A name for a message inside of a message: its subject."""
    inner = structure.parse_headers(part.decoded()[:262_144])
    subject = words.decode(inner.raw("subject") or b"")
    # A stroke in a subject is no directory.
    subject = re.sub(r"[/\\]+", "-", subject[:120]).strip()
    return _safe_name(f"{subject}.eml") if subject else "message.eml"


def _safe_name(name: str) -> str:
    """A file name without directories and control characters, of a length that disks take."""
    name = charsets.clean(name).replace("\n", " ").replace("\t", " ").strip().strip("\"'").strip()
    if "\\" in name and re.match(r"^(?:[A-Za-z]:)?[\\/]|^\\\\", name):
        name = name.replace("\\", "/")
    name = name.rstrip("/").rpartition("/")[2].strip() if "/" in name else name
    if name in {".", ".."}:
        return ""
    if len(name) > _NAME_SIZE:
        stem, dot, extension = name.rpartition(".")
        if dot and len(extension) <= 10:
            name = stem[: _NAME_SIZE - len(extension) - 1] + dot + extension
        else:
            name = name[:_NAME_SIZE]
    return name


def unflowed(text: str, *, del_space: bool = False) -> str:
    """Joins the soft line ends of ``format=flowed`` (RFC 3676); quotes keep their depth."""
    paragraphs: list[list[str]] = []
    open_depth = -1
    for line in text.split("\n"):
        bare = line.lstrip(">")
        depth = len(line) - len(bare)
        bare = bare.removeprefix(" ")
        is_signature = bare.rstrip() == "--"
        if open_depth == depth and paragraphs and bare.strip() and not is_signature:
            paragraphs[-1].append(bare)
        else:
            paragraphs.append([">" * depth + " " + bare if depth else bare])
        open_depth = -1
        if bare.endswith(" ") and bare != " " and not is_signature:
            open_depth = depth
            if del_space:
                paragraphs[-1][-1] = paragraphs[-1][-1][:-1]
    return "\n".join("".join(pieces) for pieces in paragraphs)


def _unenriched(text: str) -> str:
    """text/enriched (RFC 1896) as plain text."""
    text = re.sub(r"<param>.{0,200}?</param>", "", text, flags=re.IGNORECASE | re.DOTALL)
    text = re.sub(r"<(?!<)/?[A-Za-z][\w-]{0,60}>", "", text)
    return text.replace("<<", "<")


def _squeezed(text: str) -> str:
    """At most two blank lines in a row, no blanks at line ends: layouts of mail are mostly air."""
    text = "\n".join(line.rstrip() for line in text.split("\n"))
    return re.sub(r"\n{4,}", "\n\n\n", text)
