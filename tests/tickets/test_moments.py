"""Moments of rows, whatever the database hands out, are those that were stored."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from deskbell.api.helpdesk.encode import utc
from deskbell.api.zammad.encode.values import stamp
from deskbell.kernel.actor import SYSTEM
from deskbell.tickets import queries
from deskbell.tickets.models import Ticket
from tests import cast

pytestmark = pytest.mark.django_db

# (stored, as django-helpdesk's clients read it, as Zammad's do)
MOMENTS = [
    (cast.MONDAY_9AM, "2026-03-02T09:00:00Z", "2026-03-02T09:00:00.000Z"),
    (cast.DST_NIGHT, "2026-03-29T00:59:59.999999Z", "2026-03-29T00:59:59.999Z"),
    (
        datetime(2026, 3, 2, 9, 0, 0, 1, tzinfo=UTC),
        "2026-03-02T09:00:00.000001Z",
        "2026-03-02T09:00:00.000Z",
    ),
    (
        datetime(2026, 3, 2, 9, 0, 0, 120_000, tzinfo=UTC),
        "2026-03-02T09:00:00.120000Z",
        "2026-03-02T09:00:00.120Z",
    ),
    (
        datetime(2026, 3, 2, 9, 0, tzinfo=timezone(timedelta(hours=-5, minutes=-30))),
        "2026-03-02T14:30:00Z",
        "2026-03-02T14:30:00.000Z",
    ),
    (datetime(999, 1, 1, tzinfo=UTC), "0999-01-01T00:00:00Z", "0999-01-01T00:00:00.000Z"),
    (
        datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC),
        "9999-12-31T23:59:59Z",
        "9999-12-31T23:59:59.000Z",
    ),
]


def text_of(moment: object) -> str:
    """What the JSON of the django-helpdesk dialect says."""
    from deskbell.api.helpdesk import encode

    return str(encode.decoded(encode.encoded(moment)))


@pytest.mark.parametrize(("stored", "helpdesk", "zammad"), MOMENTS)
class TestMoments:
    def test_of_rows_are_read_and_shown_as_stored(
        self, stored: datetime, helpdesk: str, zammad: str
    ) -> None:
        ticket = cast.ticket()
        Ticket.objects.filter(pk=ticket.pk).update(due_date=stored, created_at=stored)

        row = queries.tickets_by_id(SYSTEM, [ticket.pk])[0]

        assert row.due_date is not None
        assert queries.moment(row.due_date) == queries.moment(row.created_at) == stored
        assert queries.moment(row.created_at).utcoffset() == timedelta(0)
        assert text_of(utc(row.due_date)) == text_of(utc(row.created_at)) == helpdesk
        assert stamp(row.due_date) == stamp(row.created_at) == zammad

    def test_of_objects_are_shown_alike(self, stored: datetime, helpdesk: str, zammad: str) -> None:
        in_utc = stored.astimezone(UTC)

        assert text_of(utc(in_utc)) == text_of(utc(in_utc.replace(tzinfo=None))) == helpdesk
        assert stamp(in_utc) == stamp(in_utc.replace(tzinfo=None)) == zammad


def test_none_stays_none() -> None:
    assert utc(None) is None
    assert stamp(None) is None
    row = queries.tickets_by_id(SYSTEM, [cast.ticket().pk])[0]
    assert row.due_date is None
