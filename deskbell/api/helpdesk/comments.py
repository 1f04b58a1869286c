"""What stands in a comment besides words: placeholders to fill in, references to tickets."""

from __future__ import annotations

import re
from collections.abc import Mapping

from deskbell.kernel.errors import Invalid
from deskbell.kernel.text import MAX_ID
from deskbell.tickets.vocabulary import BODY_LIMIT

_PLACEHOLDER = re.compile(r"\{\{[ \t]*([A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z0-9_]+)*)[ \t]*\}\}")
#: ``#12``, but not the number of an HTML entity (``&#39;``).
_REFERENCE = re.compile(r"(?<!&)#([0-9]{1,19})\b")
REFERENCES_AT_MOST = 50


def filled_in(text: str, values: Mapping[str, str]) -> str:
    """The text with ``{{ ticket.title }}`` and the like replaced, in one pass.

    No template engine ever sees what people write: a name is looked up and nothing else. Unknown
    names vanish, as they do at the original; whatever is no plain name (a filter, ``{% %}``) stays
    as it was written. A value that itself looks like a placeholder is not filled in again. Raises
    :class:`Invalid` (``body``, ``too_long``) before a short text grows beyond what is stored.
    """
    parts: list[str] = []
    length, end = 0, 0
    for match in _PLACEHOLDER.finditer(text):
        for piece in (text[end : match.start()], values.get(match[1], "")):
            parts.append(piece)
            length += len(piece)
        if length > BODY_LIMIT:
            raise Invalid("body", "too_long", limit=BODY_LIMIT)
        end = match.end()
    return "".join(parts) + text[end:]


def references(text: str, *, own_id: int | None = None) -> list[int]:
    """Ids of the tickets a text refers to as ``#12``, ascending, each once; not its own."""
    found = {int(match[1]) for match in _REFERENCE.finditer(text)}
    wanted = sorted(id_ for id_ in found if 0 < id_ <= MAX_ID and id_ != own_id)
    return wanted[:REFERENCES_AT_MOST]
