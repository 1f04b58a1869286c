"""The tickets everybody is measured with: plain values, the same in every run and for every server.

Imports the standard library only, because the peer's environment reads it, too.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import accumulate

#: Entries of a ticket; the first one is its opening.
ARTICLES = 3
CUSTOMERS = 500
#: Both servers have these two groups (queues) under the ids 1 and 2.
GROUPS = 2
#: The moment of the first ticket; each next one opens ten minutes later.
START = datetime(2024, 1, 1, 8, 0, tzinfo=UTC)
#: A word in one ticket of a thousand, and one in every sixth.
RARE_WORD = "quetzal"
COMMON_WORD = "printer"

TOPICS = (
    *(COMMON_WORD, "invoice", "password", "delivery", "account", "network", "monitor"),
    *("licence", "update", "booking", "contract", "telephone", "mailbox", "keyboard"),
    *("server", "backup", "calendar", "meeting", "refund", "address"),
)
_SYLLABLES = [f"{first}{second}" for first in "bcdfghjklmnprst" for second in "aeiou"]


@dataclass(frozen=True, slots=True)
class Entry:
    """One article: ``by_agent`` or by the customer, at so many minutes after the opening."""

    body: str
    by_agent: bool
    public: bool
    minutes: int


@dataclass(frozen=True, slots=True)
class Case:
    """One ticket. ``status`` and ``priority`` are django-helpdesk's numbers (1-5)."""

    title: str
    customer: int
    group: int
    status: int
    priority: int
    assigned: bool
    opened_at: datetime
    entries: tuple[Entry, ...]


def customer_email(index: int) -> str:
    """The address of a customer, 0 to ``CUSTOMERS - 1``."""
    return f"customer{index}@example.com"


def _vocabulary() -> list[str]:
    chance = random.Random(1)
    words = {
        "".join(chance.choice(_SYLLABLES) for _ in range(chance.randint(2, 4))) for _ in range(4000)
    }
    return sorted(words)


def cases(count: int) -> Iterator[Case]:
    """The first ``count`` tickets. The first n of a longer run are those of a shorter one."""
    chance = random.Random(7)
    words = _vocabulary()
    # Words are as unequal as in any language: the n-th is worth 1/n.
    weights = list(accumulate(1 / (rank + 3) for rank in range(len(words))))

    def text(length: int) -> str:
        picked = chance.choices(words, cum_weights=weights, k=length)
        return " ".join([*picked[: length // 2], chance.choice(TOPICS), *picked[length // 2 :]])

    for number in range(count):
        topic = chance.choice(TOPICS)
        opening = f"{text(45)}.\n\n{text(20)}."
        if number % 1000 == 500:
            opening = f"{RARE_WORD} {opening}"
        yield Case(
            title=f"{topic.capitalize()}: {text(5)}",
            customer=chance.randrange(CUSTOMERS),
            group=1 + chance.randrange(GROUPS),
            status=chance.choice((1, 1, 2, 3, 4)),
            priority=chance.randint(1, 5),
            assigned=chance.random() < 0.5,
            opened_at=START + timedelta(minutes=10 * number),
            entries=(
                Entry(opening, by_agent=False, public=True, minutes=0),
                Entry(f"{text(30)}.", by_agent=True, public=True, minutes=1),
                Entry(f"{text(30)}.", by_agent=True, public=False, minutes=2),
            ),
        )
