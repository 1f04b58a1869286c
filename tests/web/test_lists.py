"""The list of tickets in the workspace."""

from __future__ import annotations

import pytest

from deskbell.tickets.operations import TicketChange, update_ticket
from deskbell.tickets.vocabulary import StateId
from deskbell.web.agent import lists
from tests import cast


class TestTheList:
    def test_shows_the_open_tickets_first(self, desk, nora, kemal):
        cast.ticket(kemal, title="Waits")
        done = cast.ticket(kemal, title="Is done")
        update_ticket(
            done.pk,
            TicketChange(state_id=StateId.CLOSED),
            actor=cast.acting(nora),
            at=cast.MONDAY_10AM,
        )

        page = desk.get("/tickets/")

        assert [row.title for row in page.context["tickets"]] == ["Waits"]
        assert [row.title for row in desk.get("/tickets/?view=closed").context["tickets"]] == [
            "Is done"
        ]
        assert b"Kemal Example" in page.content

    def test_says_which_overview_it_is_and_how_many_each_holds(self, desk, kemal):
        cast.ticket(kemal)

        page = desk.get("/tickets/?view=unassigned").content.decode()

        assert '<h1 class="work-title">Unassigned</h1>' in page
        assert page.count('aria-current="page"') == 1
        assert page.index('aria-current="page"') > page.index("view=unassigned")

    def test_shows_the_open_ones_for_an_overview_that_nobody_knows(self, desk):
        assert desk.get("/tickets/?view=../etc&after=nonsense").context["view"] == "open"

    def test_shows_words_of_others_as_words(self, desk, nora):
        evil = "<script>alert('x')</script>"
        customer = cast.person("mallory", roles=[3], note=evil)
        type(customer).objects.filter(pk=customer.pk).update(
            firstname=evil, lastname='"><img src=x'
        )
        cast.ticket(customer, title=evil)

        page = desk.get("/tickets/").content.decode()

        assert "<script>alert" not in page
        assert "<img src=x" not in page
        assert "&lt;script&gt;alert(&#x27;x&#x27;)&lt;/script&gt;" in page

    def test_goes_on_where_the_page_before_ended(self, desk, kemal, monkeypatch):
        monkeypatch.setattr(lists, "PAGE", 2)
        for number in range(5):
            cast.ticket(kemal, title=f"No. {number}")

        first = desk.get("/tickets/")
        second = desk.get(first.context["older"])
        third = desk.get(second.context["older"])

        pages = [[row.title for row in page.context["tickets"]] for page in (first, second, third)]
        assert pages == [["No. 4", "No. 3"], ["No. 2", "No. 1"], ["No. 0"]]
        assert third.context["older"] == ""
        assert first.context["newest"] == ""
        assert second.context["newest"] == "/tickets/"

    @pytest.mark.parametrize("tickets", [1, 12])
    def test_costs_the_same_however_long_it_is(
        self, desk, kemal, tickets, django_assert_num_queries
    ):
        for _ in range(tickets):
            cast.ticket(cast.person(f"c{_}", roles=[3]))

        # session, user, rights; the page and its lines; sums, own and unassigned; notifications
        with django_assert_num_queries(8):
            assert desk.get("/tickets/").status_code == 200

    @pytest.mark.parametrize(
        ("view", "words"),
        [
            ("mine", "Nothing waits for you."),
            ("unassigned", "has somebody who takes care"),
            ("open", "No open tickets."),
            ("all", "No tickets yet."),
            ("closed", "Nothing was closed yet."),
        ],
    )
    def test_says_something_kind_where_nothing_is(self, desk, view, words):
        assert words in desk.get(f"/tickets/?view={view}").content.decode()

    def test_points_to_unassigned_tickets_where_nothing_waits(self, desk, kemal):
        cast.ticket(kemal)

        assert "1 unassigned ticket" in desk.get("/tickets/?view=mine").content.decode()

    def test_tells_who_has_no_group_what_is_missing(self, signed_in):
        page = signed_in(cast.pure_admin()).get("/tickets/")

        assert "An administrator can grant it." in page.content.decode()

    def test_of_a_customer_is_the_portal(self, portal):
        assert portal.get("/tickets/")["Location"] == "/my/tickets/"


class TestTheSearch:
    def test_finds_what_the_actor_may_read(self, desk, kemal):
        cast.ticket(kemal, title="The zeppelin leaks")
        cast.ticket(kemal, title="Another zeppelin", group_id=cast.group().pk)

        page = desk.get("/tickets/", {"q": "zeppelin"})

        assert [row.title for row in page.context["tickets"]] == ["The zeppelin leaks"]
        assert b'value="zeppelin"' in page.content

    def test_leafs_through_what_it_found(self, desk, kemal, monkeypatch):
        monkeypatch.setattr(lists, "PAGE", 2)
        for number in range(3):
            cast.ticket(kemal, title=f"zeppelin {number}")

        first = desk.get("/tickets/", {"q": "zeppelin"})
        second = desk.get("/tickets/", {"q": "zeppelin", "page": first.context["older_page"]})

        assert len(first.context["tickets"]) == 2
        assert len(second.context["tickets"]) == 1
        assert second.context["older_page"] is None
        assert second.context["newer_page"] == 1

    @pytest.mark.parametrize(
        "query", ["(", '"', "NOT", "title:", "a AND", "\x00", "*" * 400, "((((", "😀", "<script>"]
    )
    def test_takes_any_words(self, desk, query):
        page = desk.get("/tickets/", {"q": query})

        assert page.status_code == 200
        assert b"<script>" not in page.content

    @pytest.mark.parametrize("number", ["0", "-1", "x", "99999999", "١"])
    def test_takes_any_page(self, desk, number):
        assert desk.get("/tickets/", {"q": "x", "page": number}).status_code == 200
