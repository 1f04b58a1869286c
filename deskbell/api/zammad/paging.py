"""Pages (contract section 1.1): ``limit = min(per_page || limit || default, most)``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

#: No database counts further; every page beyond is empty anyway.
_FURTHEST = 2**62


class Page(NamedTuple):
    """How many rows, after how many. Both in rows."""

    limit: int
    offset: int


def page_of(params: Mapping[str, Any], *, default: int, most: int) -> Page:
    """The page asked for. What is no positive number counts as absent, too much is clipped."""
    limit = _positive(params.get("per_page")) or _positive(params.get("limit")) or default
    limit = min(limit, most)
    number = _positive(params.get("page")) or 1
    return Page(limit, min((number - 1) * limit, _FURTHEST))


def _positive(value: Any) -> int:
    if isinstance(value, str):
        value = value.strip()
        if not (value.isascii() and value.isdigit() and len(value) <= 30):
            return 0
        return int(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return max(value, 0)
    return 0


def order_of(params: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Pairs of ``sort_by`` and ``order_by``: comma lists or arrays, paired by position.

    Where there are fewer directions than columns, the rest is ascending. Not judged here.
    """
    columns = _words(params.get("sort_by"))
    directions = [word.lower() for word in _words(params.get("order_by"))]
    directions += ["asc"] * (len(columns) - len(directions))
    return list(zip(columns, directions, strict=False))


def _words(value: Any) -> list[str]:
    if value is None:
        return []
    items = value if isinstance(value, list) else str(value).split(",")
    return [str(item).strip() for item in items if str(item).strip()][:10]
