"""Text to words: one analyser for both databases, for what is indexed and for what is asked.

SQLite's and PostgreSQL's own tokenisers disagree on accents, stems, hyphens and hosts, so neither
sees raw text. Both are given words that were made here, and find the same.
"""

from __future__ import annotations

import re
import threading
import unicodedata
from functools import lru_cache

import snowballstemmer
from django.conf import settings

#: What one entry of the index may hold; the rest of a longer text is not searched.
MAX_CHARACTERS = 200_000
MAX_WORDS = 16_000
#: Longer words are cut, in the index and in the query alike.
MAX_WORD = 64

# Chinese and Japanese are written without blanks: every character is a word, a run is a phrase.
_IDEOGRAPHS = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003fffd"
# Emoji and other pictures: each is a word. What joins and colours them is folded away.
_PICTURES = "\u2600-\u27bf\u2b50\u2b55\U0001f1e6-\U0001f1ff\U0001f300-\U0001faff"
_ALONE = f"{_IDEOGRAPHS}{_PICTURES}"
_ASCII_WORD = re.compile(r"[a-z0-9]+")
_WORD = re.compile(rf"[{_ALONE}]|[^\W_{_ALONE}]+")
_PATTERN = re.compile(rf"[{_ALONE}]|(?:[^\W_{_ALONE}]|[\ue000\ue001])+")
# Private characters stand for the wildcards while a query is folded; others are no text.
_TO_MARKS = {0xE000: " ", 0xE001: " ", ord("*"): "\ue000", ord("?"): "\ue001"}
_FROM_MARKS = {0xE000: "*", 0xE001: "?"}
_STEMMABLE = re.compile(r"[^\W\d_]{3,}")


class _Unseen(dict[int, int | None]):
    """Accents and other marks, and what is not seen (soft hyphens, joiners), make no difference.

    A table for ``str.translate`` that learns the characters it meets: asking for all million
    of them would make every start of the program slower.
    """

    def __missing__(self, code: int) -> int | None:
        unseen = unicodedata.category(chr(code)) in ("Mn", "Mc", "Me", "Cf") or (
            0x1F3FB <= code <= 0x1F3FF  # the colours of skin behind a hand
        )
        self[code] = kept = None if unseen else code
        return kept


_UNSEEN = _Unseen()


def fold(text: str) -> str:
    """Without case, accents and compatibility forms: ``Büro`` and ``BURO`` are ``buro``."""
    if text.isascii():
        return text.lower()
    folded = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    return folded.translate(_UNSEEN)


def words(text: str) -> list[str]:
    """The words of a text in order, folded, bounded.

    An address, a host or a hyphenated word becomes consecutive words, so that it is found as the
    phrase it is.
    """
    text = fold(text[:MAX_CHARACTERS])
    found = (_ASCII_WORD if text.isascii() else _WORD).findall(text)
    return [word[:MAX_WORD] for word in found[:MAX_WORDS]]


def patterns(text: str) -> list[str]:
    """The words of a query with their wildcards ``*`` and ``?`` left in."""
    # Marked before folding, which would make a wildcard of a full-width question mark.
    marked = text.translate(_TO_MARKS)
    pieces = [piece.translate(_FROM_MARKS) for piece in _PATTERN.findall(fold(marked))]
    return [piece if has_wildcard(piece) else piece[:MAX_WORD] for piece in pieces]


def has_wildcard(piece: str) -> bool:
    return "*" in piece or "?" in piece


_local = threading.local()


@lru_cache(maxsize=1 << 16)
def _stem(word: str, language: str) -> str:
    # A snowball stemmer keeps the word in itself while it works: one per thread.
    stemmers = _local.__dict__
    if language not in stemmers:
        stemmers[language] = snowballstemmer.stemmer(language)
    return str(stemmers[language].stemWord(word))


def stem(word: str) -> str:
    """What the inflections of a folded word have in common: ``printers`` and ``printer``.

    The desk has one language (``settings.SEARCH_LANGUAGE``, a snowball name, English by default):
    a guess per message would be wrong for the short ones and would make hits depend on their
    neighbours. Changing it needs a rebuilt index.
    """
    if not _STEMMABLE.fullmatch(word):
        return word
    return _stem(word, getattr(settings, "SEARCH_LANGUAGE", "english"))
