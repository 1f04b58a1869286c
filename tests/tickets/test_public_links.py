"""Keys that open one ticket for whoever holds them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from urllib.parse import parse_qs

import pytest

from deskbell.tickets import public_links

JANUARY = datetime(2026, 1, 31, 23, 59, tzinfo=UTC)


class TestKeys:
    def test_read_the_same_all_month(self) -> None:
        first = public_links.secret_key(5, at=datetime(2026, 1, 1, tzinfo=UTC))

        assert first == public_links.secret_key(5, at=JANUARY)
        assert first != public_links.secret_key(5, at=JANUARY + timedelta(minutes=1))

    @pytest.mark.parametrize(
        ("made", "last"),
        [
            (datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 2, 28, 23, 59, 59, tzinfo=UTC)),
            (datetime(2026, 11, 30, tzinfo=UTC), datetime(2026, 12, 31, 23, 59, 59, tzinfo=UTC)),
            (datetime(2026, 12, 1, tzinfo=UTC), datetime(2027, 1, 31, 23, 59, 59, tzinfo=UTC)),
            (
                datetime(2026, 2, 1, 1, 0, tzinfo=timezone(timedelta(hours=2))),
                datetime(2026, 2, 28, 23, 59, 59, tzinfo=UTC),
            ),
        ],
    )
    def test_run_out_at_the_end_of_the_next_month(self, made: datetime, last: datetime) -> None:
        key = public_links.secret_key(5, at=made)

        assert public_links.is_key(key, 5, at=made)
        assert public_links.is_key(key, 5, at=last)
        assert not public_links.is_key(key, 5, at=last + timedelta(seconds=1))

    def test_open_one_ticket_and_cannot_be_made_up(self) -> None:
        key = public_links.secret_key(5, at=JANUARY)
        later = "209901" + key[6:]

        assert not public_links.is_key(key, 6, at=JANUARY)
        assert not public_links.is_key(key, 51, at=JANUARY)
        for forged in (later, key[:-1], key + "0", key.upper(), "", "x", "\0", key + "\n"):
            assert not public_links.is_key(forged, 5, at=JANUARY)


def test_a_link_names_the_ticket_the_person_and_the_key() -> None:
    words = parse_qs(public_links.query("my-queue", 12, "a+b@example.test", at=JANUARY))

    assert words["ticket"] == ["my-queue-12"]
    assert words["email"] == ["a+b@example.test"]
    assert public_links.ticket_id_of(words["ticket"][0]) == 12
    assert public_links.is_key(words["key"][0], 12, at=JANUARY)


@pytest.mark.parametrize("text", ["", "12", "queue-", "queue-1x", "queue-" + "9" * 30, "queue-١"])
def test_a_reference_ends_in_the_id(text: str) -> None:
    assert public_links.ticket_id_of(text) == (12 if text == "12" else None)
