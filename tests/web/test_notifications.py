"""The bell, and the page behind it."""

from __future__ import annotations

import pytest

from deskbell.notify.models import OnlineNotification
from tests import cast

pytestmark = pytest.mark.django_db


@pytest.fixture
def tickets(nora, kemal):
    """Two tickets that the customer opened while Nora was away."""
    kemal_himself = cast.acting(kemal, "portal")
    return [cast.ticket(kemal, title=title, actor=kemal_himself) for title in ("<One>", "Two")]


def bell(page):
    return page.context["rail"]["unseen"]


class TestTheBell:
    def test_counts_what_was_not_seen_until_the_ticket_is_opened(self, desk, tickets):
        first, second = tickets

        assert bell(desk.get("/tickets/")) == 2
        assert desk.head(f"/tickets/{first.pk}/").status_code == 200
        assert bell(desk.get("/tickets/")) == 2
        assert bell(desk.get(f"/tickets/{first.pk}/")) == 1
        assert [n.ticket_id for n in OnlineNotification.objects.filter(seen=False)] == [second.pk]
        assert b"told-count" not in desk.get(f"/tickets/{second.pk}/").content

    def test_can_be_quietened(self, desk, tickets):
        page = desk.get("/notifications/").content.decode()
        assert "All seen" in page

        assert desk.post("/notifications/seen/")["Location"] == "/notifications/"

        assert bell(desk.get("/notifications/")) == 0
        assert "All seen" not in desk.get("/notifications/").content.decode()


class TestThePage:
    def test_leads_to_the_tickets_newest_first(self, desk, tickets):
        page = desk.get("/notifications/")

        lines = [(line.ticket.title, line.by_name, line.seen) for line in page.context["lines"]]
        assert lines == [("Two", "Kemal Example", False), ("<One>", "Kemal Example", False)]
        assert f'href="/tickets/{tickets[0].pk}/"' in page.content.decode()
        assert "&lt;One&gt;" in page.content.decode()

    @pytest.mark.parametrize("more", [0, 7])
    def test_costs_the_same_however_long(
        self, desk, kemal, tickets, more, django_assert_num_queries
    ):
        for _ in range(more):
            other = cast.person(f"c{_}", roles=[3])
            cast.ticket(other, actor=cast.acting(other, "portal"))

        # session, user, rights; rows, tickets, people; two sums, notifications
        with django_assert_num_queries(9):
            assert desk.get("/notifications/").status_code == 200

    def test_says_something_kind_where_nothing_is(self, desk):
        assert "Nothing new." in desk.get("/notifications/").content.decode()
