"""From bytes to text, whatever the label says.

Labels lie in three ways: a vendor's superset under the name of the standard (windows-1252 as
iso-8859-1), no label at all, and the label of another encoding. So: the label's superset if it
fits, UTF-8 if that fits (by chance it hardly ever does), a guess, and at last the label with
replacement characters. What no database can hold is dropped here, once for everything.
"""

from __future__ import annotations

import codecs
import re
from contextvars import ContextVar
from encodings.aliases import aliases
from functools import lru_cache

from charset_normalizer import from_bytes

#: Bytes that a guess may look at; enough to know a language, and bounded in time.
GUESS_BYTES = 8_192
#: A guess from fewer bytes than this is a coin toss.
GUESS_MINIMUM = 24

#: The labels of the standards and of vendors, and the codec that reads what is sent under them.
_SUPERSETS = {
    "ascii": "cp1252",
    "latin-1": "cp1252",
    "iso8859-1": "cp1252",
    "iso8859-9": "cp1254",
    "iso8859-11": "cp874",
    "tis-620": "cp874",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "hz": "hz",
    "euc_kr": "cp949",
    "johab": "johab",
    "shift_jis": "cp932",
    "big5": "big5hkscs",
    "iso2022_jp": "iso2022_jp_ext",
    "iso2022_jp_1": "iso2022_jp_ext",
    "iso2022_jp_2": "iso2022_jp_2",
    "euc_jp": "euc_jis_2004",
}
_VENDOR_NAMES = {
    "ks_c_5601": "cp949",
    "ks_c_5601_1987": "cp949",
    "ks_c_5601_1989": "cp949",
    "ksc5601": "cp949",
    "ksc_5601": "cp949",
    "x_windows_949": "cp949",
    "cseuckr": "cp949",
    "cp51949": "cp949",
    "x_sjis": "cp932",
    "x_ms_cp932": "cp932",
    "windows_31j": "cp932",
    "cswindows31j": "cp932",
    "cp943": "cp932",
    "cp50220": "iso2022_jp_ext",
    "cp50221": "iso2022_jp_ext",
    "cp50222": "iso2022_jp_ext",
    "csiso2022jp": "iso2022_jp_ext",
    "x_euc_jp": "euc_jis_2004",
    "cp51932": "euc_jis_2004",
    "eucjp_ms": "euc_jis_2004",
    "x_gbk": "gb18030",
    "gb_2312": "gb18030",
    "gb_2312_80": "gb18030",
    "gb2312_80": "gb18030",
    "gb2312_charset": "gb18030",
    "chinesebig5": "big5hkscs",
    "cn_big5": "big5hkscs",
    "cn_gb": "gb18030",
    "x_x_big5": "big5hkscs",
    "windows_936": "gb18030",
    "windows_949": "cp949",
    "windows_950": "big5hkscs",
    "windows_874": "cp874",
    "cp_874": "cp874",
    "iso_8859_8_i": "iso8859-8",
    "iso_8859_8_e": "iso8859-8",
    "iso_8859_6_i": "iso8859-6",
    "iso_8859_6_e": "iso8859-6",
    "logical": "iso8859-8",
    "visual": "iso8859-8",
    "x_mac_roman": "mac_roman",
    "macintosh": "mac_roman",
    "x_mac_cyrillic": "mac_cyrillic",
    "x_mac_ce": "mac_latin2",
    "x_mac_greek": "mac_greek",
    "x_mac_turkish": "mac_turkish",
    "unicode_1_1_utf_7": "utf-7",
    "unicode_1_1_utf_8": "utf-8",
    "unicode_2_0_utf_8": "utf-8",
    "x_unicode_2_0_utf_7": "utf-7",
    "x_utf_8": "utf-8",
    "utf8mb4": "utf-8",
    "utf_8_mac": "utf-8",
    "utf": "utf-8",
    "unicode": "utf-16",
    "ucs_2": "utf-16",
    "iso_10646_ucs_2": "utf-16",
    "koi8": "koi8-r",
    "koi": "koi8-r",
    "cskoi8r": "koi8-r",
    "x_cp1250": "cp1250",
    "x_cp1251": "cp1251",
    "x_ansi": "cp1252",
    "ansi": "cp1252",
    "ansi_x3_110_1983": "cp1252",
    "x_user_defined": "cp1252",
    "latin1_swedish_ci": "cp1252",
    "iso8859_1_windows_1252": "cp1252",
    "viscii": "cp1258",
    "tcvn": "cp1258",
    "koi8_u": "koi8-u",
    "koi8_ru": "koi8-u",
    "sun_eu_greek": "iso8859-7",
    "big5_eten": "big5hkscs",
    "cp943c": "cp932",
    "extended_unix_code_packed_format_for_japanese": "euc_jis_2004",
    "eucpkdfmtjapanese": "euc_jis_2004",
    "iso_ir_149": "cp949",
    "mac": "mac_roman",
    "apple_roman": "mac_roman",
    "x_mac_centraleurroman": "mac_latin2",
    "unicode_2_0_utf_7": "utf-7",
    "unicode11utf7": "utf-7",
}
#: All names without their punctuation: most misspellings are nothing else.
_SQUASHED = {
    name.replace("_", ""): codec
    for name, codec in (aliases | {v: v for v in aliases.values()}).items()
} | {name.replace("_", ""): codec for name, codec in _VENDOR_NAMES.items()}
#: Codecs of Python that are no character sets: a label must not reach them.
_NO_CHARSETS = frozenset({"base64", "bz2", "hex", "quopri", "rot13", "uu", "zlib", "idna",
                          "punycode", "raw-unicode-escape", "unicode-escape", "undefined",
                          "mbcs", "oem"})  # fmt: skip
_MULTIBYTE = frozenset({"gb18030", "big5hkscs", "cp949", "cp932", "euc_jis_2004"})
#: Sets of Latin letters, in which a letter with an accent is hardly ever followed by a sign.
_LATIN = frozenset(
    {"cp1252", "cp1250", "cp1254", "cp1257", "mac_roman", "mac_latin2", "cp850", "cp437", "cp852"}
    | {f"iso8859-{number}" for number in (2, 3, 4, 10, 13, 14, 15, 16)}
)
_UNWANTED = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
_HIGH = re.compile(rb"[\x80-\xff]")
_ISO_2022_JP = re.compile(rb"\x1b(?:\$[@B]|\([BJI]|\$\(D)")


@lru_cache(maxsize=512)
def codec_of(label: str) -> str | None:
    """The codec that reads what is sent under a label; ``None`` when it means nothing to us."""
    name = re.sub(r"[^a-z0-9]+", "_", label.lower()).strip("_")[:60]
    bare = re.sub(r"^(?:x|cs|charset|ms)_?(?=[a-z0-9])", "", name)
    for candidate in (name, re.sub(r"^(?:x|cs|charset|ms)_", "", name), bare,
                      re.sub(r"^(?:windows|win|cp|ibm|dos|microsoft_cp)_?(?=\d{3,4}$)", "cp", bare),
                      re.sub(r"^(?:iso|is)_?8859_?(\d+).*$", r"iso8859_\1", name),
                      re.sub(r"^(utf)_?(\d+).*$", r"\1_\2", name)):  # fmt: skip
        if found := _VENDOR_NAMES.get(candidate):
            return found
        try:
            canonical = codecs.lookup(candidate).name
        except (LookupError, ValueError):
            squashed = _SQUASHED.get(candidate.replace("_", ""))
            if squashed is None:
                continue
            canonical = codecs.lookup(squashed).name
        if canonical in _NO_CHARSETS:
            return None
        return _SUPERSETS.get(canonical, canonical)
    return None


def decode(data: bytes, label: str | None = None, *, hint: str | None = None) -> str:
    """The text of the bytes; never fails, and never loses a letter that is there.

    ``label`` is what the message says about itself, ``hint`` what its surroundings use (the
    body's charset for a raw header); both may be wrong.
    """
    return clean(_decode(data, label, hint))


def is_utf8(data: bytes) -> bool:
    """Whether the bytes are proper UTF-8 (plain ASCII is)."""
    return _strict(data, "utf-8") is not None


def is_far(label: str) -> bool:
    """Whether the label means a set whose letters are far from Latin ones, and is no Unicode."""
    codec = codec_of(label)
    return codec is not None and codec not in _LATIN and not codec.startswith(("utf", "ascii"))


def fits(data: bytes, label: str) -> bool:
    """Whether the bytes can be read under the label, to the last."""
    codec = codec_of(label)
    return codec is not None and _strict(data, codec) is not None


def clean(text: str) -> str:
    """Without NUL, other control characters and lone surrogates; line ends are LF."""
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return _UNWANTED.sub("", text)


def _decode(data: bytes, label: str | None, hint: str | None) -> str:
    for bom, name in ((codecs.BOM_UTF8, "utf-8"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16")):
        if data.startswith(bom):
            text = _strict(data, name)
            if text is not None:
                return text.lstrip("\ufeff")
    codec = codec_of(label) if label else None
    eight_bit = _HIGH.search(data) is not None
    if codec and not codec.startswith(("utf-16", "utf-32")):
        if (
            eight_bit
            and codec not in _MULTIBYTE
            and (text := _strict(data, "utf-8")) is not None
            and (codec in _LATIN or len(data) - len(text) >= 2)
        ):
            # Whole runs of valid UTF-8 are not meant as accented pairs of letters. In scripts
            # whose letters are all above ASCII one pair may be a short word.
            return text
        if not eight_bit and not codec.startswith("iso2022") and _ISO_2022_JP.search(data):
            return data.decode("iso2022_jp_ext", "replace")
        if codec == "cp949" and eight_bit and _looks_cyrillic_in_korean(data):
            return data.decode("cp949", "replace")
        if eight_bit and codec in _MULTIBYTE:
            text = _strict(data, "utf-8")
            if text is not None:
                return text
        text = _strict(data, codec)
        if text is not None:
            return text
    elif codec and (text := _strict_wide(data, codec)) is not None:
        return text
    if not eight_bit:
        if _ISO_2022_JP.search(data):
            return data.decode("iso2022_jp_ext", "replace")
        return data.decode("ascii", "replace")
    text = _strict(data, "utf-8")
    if text is not None:
        return text
    if codec == "utf-8" or (codec is None and _nearly_utf8(data)):
        return _patched_utf8(data)
    if codec is None and hint and (other := codec_of(hint)):
        text = _strict(data, other)
        if text is not None:
            return text
    if codec is None or codec in {"cp1252", "ascii"}:
        guessed = _guess(data)
        if guessed and (text := _strict(data, guessed)) is not None:
            return text
        return _cp1252(data)
    return data.decode(codec, "replace")


def _strict(data: bytes, codec: str) -> str | None:
    if codec == "cp1252":
        return None if b"\x00" in data else _cp1252(data)
    try:
        return data.decode(codec)
    except (UnicodeError, ValueError, LookupError):
        return None


def _strict_wide(data: bytes, codec: str) -> str | None:
    """UTF-16 and UTF-32 under that label only where the bytes look like it."""
    if b"\x00" not in data[:400]:
        return None
    if codec in {"utf-16", "utf-32"} and data[:1] == b"\x00":
        codec += "-be"
    return _strict(data, codec)


def _cp1252(data: bytes) -> str:
    """As windows-1252; its five holes keep their Latin-1 value, and are dropped as controls."""
    try:
        return data.decode("cp1252")
    except UnicodeDecodeError:
        return re.sub("[\x80-\x9f]", "", data.decode("cp1252", _HOLES))


def _keep_hole(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeDecodeError)
    return error.object[error.start : error.end].decode("latin-1"), error.end


_HOLES = "deskbell-latin-1"
codecs.register_error(_HOLES, _keep_hole)


def _nearly_utf8(data: bytes) -> bool:
    """Whether at most one in eight of its non-ASCII bytes does not fit UTF-8."""
    sample = data[:65_536]
    text = sample.decode("utf-8", "replace")
    wrong = text.count("\ufffd")
    good = sum(1 for letter in text if letter > "\x7f") - wrong
    return good > 0 and wrong * 8 <= good


def _patched_utf8(data: bytes) -> str:
    """UTF-8 with stray bytes of another set: each becomes a replacement character.

    Where most of it is no UTF-8 at all, the label lied and it is read as a single-byte set.
    """
    text = data.decode("utf-8", "replace")
    wrong = text.count("\ufffd")
    good = sum(1 for letter in text[:65_536] if letter > "\x7f") - wrong
    if good <= 0 and wrong:
        guessed = _guess(data)
        if guessed and (other := _strict(data, guessed)) is not None:
            return other
        return _cp1252(data)
    return text


def _looks_cyrillic_in_korean(data: bytes) -> bool:
    """KS X 1001 rows AC/AD hold Cyrillic: Outlook labels Russian text so."""
    pairs = len(re.findall(rb"[\xac\xad][\xa1-\xf1]", data))
    return pairs > 3


def guess(data: bytes) -> str | None:
    """The likely charset of bytes that no label explains; ``None`` when Latin letters will do.

    ``None`` as well for proper UTF-8 and for plain ASCII.
    """
    if _HIGH.search(data) is None or _strict(data, "utf-8") is not None:
        return None
    return _guess(data[:65_536])


#: How many guesses one message may cost; a guess takes some milliseconds.
GUESSES = 20
_guesses_left: ContextVar[int] = ContextVar("guesses_left", default=GUESSES)


def begin_message() -> None:
    """A new message may guess again."""
    _guesses_left.set(GUESSES)


def _guess(data: bytes) -> str | None:
    """The most likely single- or multi-byte set of the bytes; ``None`` when it is a coin toss."""
    high = _HIGH.search(data)
    if high is None:
        return None
    start = max(0, high.start() - 200)
    sample = data[start : start + GUESS_BYTES]
    if short := _double_bytes(sample):
        return short
    left = _guesses_left.get()
    if len(sample) < GUESS_MINIMUM or left <= 0:
        return None
    _guesses_left.set(left - 1)
    best = from_bytes(sample, steps=3, chunk_size=512, threshold=0.15).best()
    if best is None or best.encoding in {"ascii", "utf_8"} or best.encoding.startswith("utf_"):
        return None
    # Only languages far from Latin letters are told apart reliably from so few bytes.
    alphabets = {alphabet.split(" ")[0] for alphabet in best.alphabets}
    return codec_of(best.encoding) if alphabets & _FAR_ALPHABETS else None


_FAR_ALPHABETS = frozenset(
    {"Cyrillic", "Greek", "Hebrew", "Arabic", "Thai", "Hiragana", "Katakana", "CJK", "Hangul"}
)
_HIGH_RUN = re.compile(rb"[\x80-\xff]+")


def _double_bytes(data: bytes) -> str | None:
    """GBK, EUC-KR or EUC-JP, told by their pairs of bytes, also in a short text.

    Latin letters with accents never stand in long even runs, and Cyrillic words are of odd
    length as often as not.
    """
    runs = _HIGH_RUN.findall(data)
    if not runs or any(len(run) % 2 for run in runs):
        return None
    pairs = [run[at : at + 2] for run in runs for at in range(0, len(run), 2)]
    if len(pairs) < 4 or any(pair[0] < 0xA1 or pair[1] < 0xA1 for pair in pairs):
        return None
    kana = sum(pair[0] in (0xA4, 0xA5) for pair in pairs)
    words = [pair for pair in pairs if 0xB0 <= pair[0] <= 0xD7]
    if kana * 4 >= len(pairs):
        return "euc_jis_2004"
    signs = sum(pair[0] in (0xA1, 0xA2, 0xA3) for pair in pairs)
    if (len(words) + signs) * 5 < len(pairs) * 4 or len(words) < 4:
        return None
    return "cp949" if len(words) >= 6 and all(pair[0] <= 0xC8 for pair in words) else "gb18030"
