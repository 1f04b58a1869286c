"""Text at the door: the key two spellings share, and what no database can hold."""

from __future__ import annotations

import re
import unicodedata

MAX_ID = 2**63 - 1

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def fold(text: str) -> str:
    """The key under which two spellings are the same: NFC, case-folded, trimmed.

    Computed in Python because SQLite and PostgreSQL fold differently.
    """
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", text.strip()).casefold())


def is_storable(text: str) -> bool:
    """Whether both databases can hold the text: no NUL, no lone surrogates."""
    return _UNSTORABLE.search(text) is None


def storable(text: str) -> str:
    """The text without what no database can hold."""
    return _UNSTORABLE.sub("", text)
