"""Text at the door: the key two spellings share, and what no database can hold."""

from __future__ import annotations

import math
import re
import unicodedata
from typing import Any

MAX_ID = 2**63 - 1
JSON_DEPTH = 20
JSON_SIZE = 200_000

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


def is_storable_json(value: Any, *, depth: int = JSON_DEPTH, size: int = JSON_SIZE) -> bool:
    """Whether a JSON column of both databases can hold the value, and every client read it back.

    Texts without NUL and lone surrogates (PostgreSQL refuses them also where they are escaped), no
    NaN or infinity (which is no JSON), whole numbers of 64 bits; nested ``depth`` deep and of
    ``size`` characters at most, each value counted as four.
    """
    waiting: list[tuple[Any, int]] = [(value, 0)]
    while waiting:
        part, level = waiting.pop()
        size -= 4
        if level > depth or size < 0:
            return False
        if isinstance(part, str):
            size -= len(part)
            if not is_storable(part):
                return False
        elif isinstance(part, float):
            if not math.isfinite(part):
                return False
        elif isinstance(part, dict):
            if len(part) > size:
                return False
            for key, inner in part.items():
                if not isinstance(key, str) or not is_storable(key):
                    return False
                size -= len(key)
                waiting.append((inner, level + 1))
        elif isinstance(part, list | tuple):
            if len(part) > size:
                return False
            waiting.extend((inner, level + 1) for inner in part)
        elif isinstance(part, int) and not isinstance(part, bool):
            if not -MAX_ID - 1 <= part <= MAX_ID:
                return False
        elif part is not None and not isinstance(part, bool):
            return False
    return size >= 0
