"""Links that open one ticket for whoever holds them, without signing in.

A key is signed for one ticket and runs out at the end of the month after the one it was made in
(UTC), so a list of tickets reads the same all month and an old mail does not open for ever. Nothing
is stored. The page behind a link also asks for the customer's present address: a ticket that was
handed to somebody else does not open with the old customer's link.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from urllib.parse import urlencode

from django.utils.crypto import constant_time_compare, salted_hmac

_SALT = "deskbell.tickets.public_links"
_KEY = re.compile(r"(\d{4})(\d{2})-([0-9a-f]{64})", re.ASCII)


def secret_key(ticket_id: int, *, at: datetime) -> str:
    """The key to a ticket: the month from whose start it is void, and a signature."""
    month = at.astimezone(UTC).year * 12 + at.astimezone(UTC).month - 1 + 2
    return _signed(ticket_id, month // 12, month % 12 + 1)


def is_key(key: str, ticket_id: int, *, at: datetime) -> bool:
    """Whether the key opens the ticket at this moment."""
    match = _KEY.fullmatch(key)
    if match is None:
        return False
    year, month = int(match[1]), int(match[2])
    if not constant_time_compare(key, _signed(ticket_id, year, month)):
        return False
    present = at.astimezone(UTC)
    return (present.year, present.month) < (year, month)


def query(slug: str, ticket_id: int, email: str, *, at: datetime) -> str:
    """The query of a link to the public page: which ticket, whose, and the key."""
    return urlencode(
        {
            "ticket": f"{slug}-{ticket_id}",
            "email": email,
            "key": secret_key(ticket_id, at=at),
        }
    )


def ticket_id_of(reference: str) -> int | None:
    """The id in ``support-25``, ``None`` where there is none."""
    digits = reference.rpartition("-")[2]
    return int(digits) if re.fullmatch(r"\d{1,18}", digits, re.ASCII) else None


def _signed(ticket_id: int, year: int, month: int) -> str:
    void_from = f"{year:04}{month:02}"
    signature = salted_hmac(_SALT, f"{ticket_id}:{void_from}", algorithm="sha256").hexdigest()
    return f"{void_from}-{signature}"
