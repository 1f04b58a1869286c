"""Two people at once, each in a transaction of his own: neither waits for ever, nothing doubles.

The first does his part and does not commit yet; the second does his, as far as the first lets him;
then both commit.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection, connections, transaction

from deskbell.kernel.actor import SYSTEM
from deskbell.kernel.errors import Invalid, Unknown
from deskbell.people.models import Group, User
from deskbell.people.operations import (
    NewUser,
    change_user,
    create_user,
    find_or_create_customer,
    save_group,
)
from deskbell.tickets.models import State, Tag, Ticket
from deskbell.tickets.operations import (
    NewArticle,
    TicketChange,
    delete_ticket,
    edit_article,
    follow,
    link,
    merge,
    tag,
    update_ticket,
)
from deskbell.tickets.operations.naming import save_state
from tests.cast import MONDAY_10AM, nora, ticket

pytestmark = pytest.mark.django_db(transaction=True)

WHO: Any = {"actor": SYSTEM, "at": MONDAY_10AM}
SECONDS = 30.0


class Party(threading.Thread):
    """One of the two: acts in a transaction, then waits until he may commit."""

    def __init__(self, act: Callable[[], Any]) -> None:
        super().__init__(daemon=True)
        self._act = act
        self.has_acted = threading.Event()
        self.may_commit = threading.Event()
        self.result: Any = None
        self.error: BaseException | None = None

    def run(self) -> None:
        try:
            with transaction.atomic():
                self.result = self._act()
                self.has_acted.set()
                assert self.may_commit.wait(SECONDS)
        except BaseException as error:  # noqa: BLE001 - the test looks at it
            self.error = error
        finally:
            self.has_acted.set()
            connections.close_all()


def at_once(first: Callable[[], Any], second: Callable[[], Any]) -> tuple[Party, Party]:
    """Let both act before either commits, where the database lets them."""
    one, two = Party(first), Party(second)
    one.start()
    assert one.has_acted.wait(SECONDS)
    two.may_commit.set() if connection.vendor == "sqlite" else None
    two.start()
    two.has_acted.wait(0.7)  # he may have to wait for the first
    one.may_commit.set()
    two.may_commit.set()
    for party in (one, two):
        party.join(SECONDS)
        assert not party.is_alive()
    return one, two


def fine(*parties: Party) -> None:
    for party in parties:
        if party.error is not None:
            raise party.error


class TestPeople:
    def test_the_same_address_is_one_customer(self) -> None:
        one, two = at_once(
            lambda: find_or_create_customer("new@example.test", **WHO).pk,
            lambda: find_or_create_customer("NEW@example.test", **WHO).pk,
        )
        fine(one, two)
        assert one.result == two.result

    def test_the_same_names_crosswise(self) -> None:
        one, two = at_once(
            lambda: create_user(NewUser(login="a@b.example", email="c@d.example"), **WHO),
            lambda: create_user(NewUser(login="c@d.example", email="a@b.example"), **WHO),
        )
        fine(one)
        assert isinstance(two.error, Invalid)
        assert two.error.code == "taken"

    def test_a_claim_is_for_one(self) -> None:
        known = find_or_create_customer("known@example.test", **WHO)

        def claim(login: str) -> Callable[[], User]:
            return lambda: change_user(
                known.pk, login=login, password="a good password", claiming=True, **WHO
            )

        one, two = at_once(claim("first"), claim("second"))
        fine(one)
        assert isinstance(two.error, Invalid)
        known.refresh_from_db()
        assert known.login == "first"

    def test_a_groups_name_is_taken_once(self) -> None:
        one, two = at_once(
            lambda: save_group(None, {"name": "Sales"}, **WHO),
            lambda: save_group(None, {"name": "SALES"}, **WHO),
        )
        fine(one)
        assert isinstance(two.error, Invalid)
        assert (two.error.field, two.error.code) == ("name", "taken")

    def test_slugs_give_way(self) -> None:
        one, two = at_once(
            lambda: save_group(None, {"name": "Sales"}, **WHO).slug,
            lambda: save_group(None, {"name": "Sales!"}, **WHO).slug,
        )
        fine(one, two)
        assert (one.result, two.result) == ("sales", "sales-2")
        assert Group.objects.filter(slug__startswith="sales").count() == 2


class TestVocabulary:
    def test_one_state_is_the_default(self) -> None:
        def save(name: str) -> Callable[[], State]:
            return lambda: save_state(
                None, {"name": name, "type": 2, "default_create": True}, **WHO
            )

        fine(*at_once(save("one"), save("two")))
        assert [s.name for s in State.objects.filter(default_create=True)] == ["two"]

    def test_a_new_tag_is_one(self) -> None:
        first, second = ticket(), ticket()
        fine(
            *at_once(
                lambda: tag(first.pk, ["a", "b"], **WHO),
                lambda: tag(second.pk, ["B", "A"], **WHO),
            )
        )
        assert sorted(t.name for t in Tag.objects.all()) == ["a", "b"]


class TestTickets:
    def test_pointers_make_no_circle(self) -> None:
        first, second = ticket(), ticket()
        one, two = at_once(
            lambda: update_ticket(first.pk, TicketChange(merged_to_id=second.pk), **WHO),
            lambda: update_ticket(second.pk, TicketChange(merged_to_id=first.pk), **WHO),
        )
        fine(one)
        assert isinstance(two.error, Invalid)
        assert two.error.code == "cycle"
        assert Ticket.objects.filter(merged_to__isnull=False).count() == 1

    def test_links_from_both_sides(self) -> None:
        first, second = ticket(), ticket()
        fine(
            *at_once(
                lambda: link("parent", first.pk, second.pk, **WHO),
                lambda: link("parent", second.pk, first.pk, **WHO),
            )
        )

    @pytest.mark.parametrize("act", ["link", "follow"])
    def test_nothing_is_tied_to_a_ticket_that_is_being_deleted(self, act: str) -> None:
        opened, other = ticket(), ticket()
        acts: dict[str, Callable[[], Any]] = {
            "link": lambda: link("normal", opened.pk, other.pk, **WHO),
            "follow": lambda: follow(opened.pk, **WHO),
        }
        one, two = at_once(lambda: delete_ticket(opened.pk, **WHO), acts[act])
        fine(one)
        assert isinstance(two.error, Unknown)

    @pytest.mark.parametrize("act", ["link", "follow"])
    def test_what_is_tied_meanwhile_is_deleted_too(self, act: str) -> None:
        opened, other = ticket(), ticket()
        acts: dict[str, Callable[[], Any]] = {
            "link": lambda: link("normal", opened.pk, other.pk, **WHO),
            "follow": lambda: follow(opened.pk, **WHO),
        }
        fine(*at_once(acts[act], lambda: delete_ticket(opened.pk, **WHO)))
        assert not Ticket.objects.filter(pk=opened.pk).exists()

    def test_merges_from_both_sides(self) -> None:
        from deskbell.kernel.errors import Refused

        first, second = ticket(), ticket()
        one, two = at_once(
            lambda: merge(first.pk, second.pk, **WHO), lambda: merge(second.pk, first.pk, **WHO)
        )
        fine(one)
        assert isinstance(two.error, Refused)

    def test_an_entry_that_is_merged_away_is_corrected_where_it_is(self) -> None:
        source, target = ticket(), ticket()
        entry = source.articles.get()
        fine(
            *at_once(
                lambda: merge(source.pk, target.pk, **WHO),
                lambda: edit_article(entry.pk, {"body": "better"}, **WHO),
            )
        )
        entry.refresh_from_db()
        assert (entry.ticket_id, entry.body) == (target.pk, "better")

    def test_a_reply_to_a_ticket_that_is_being_deleted(self) -> None:
        opened = ticket()
        one, two = at_once(
            lambda: delete_ticket(opened.pk, **WHO),
            lambda: update_ticket(opened.pk, article=NewArticle(body="late"), **WHO),
        )
        fine(one)
        assert isinstance(two.error, Unknown)

    @pytest.mark.parametrize(
        "change",
        [
            TicketChange(state_id=4),
            TicketChange(priority_id=3),
            TicketChange(customer_id=2),
            TicketChange(title="Other"),
        ],
        ids=["state", "priority", "customer", "title"],
    )
    @pytest.mark.parametrize("then", ["reply", "delete", "release"])
    def test_a_change_hides_the_ticket_from_nobody(self, change: TicketChange, then: str) -> None:
        """A row that changed while it was waited for does not fit the rows joined before."""
        agent = nora()
        opened = ticket(owner_id=agent.pk)
        acts: dict[str, Callable[[], Any]] = {
            "reply": lambda: update_ticket(opened.pk, article=NewArticle(body="b"), **WHO),
            "delete": lambda: delete_ticket(opened.pk, **WHO),
            "release": lambda: change_user(agent.pk, columns={"active": False}, **WHO),
        }
        fine(*at_once(lambda: update_ticket(opened.pk, change, **WHO), acts[then]))
        found = Ticket.objects.filter(pk=opened.pk).first()
        assert (found is None) == (then == "delete")
        if found is not None and then == "release":
            assert found.owner_id == (agent.pk if change.state_id == 4 else 1)

    def test_replies_are_all_counted(self) -> None:
        opened = ticket()
        fine(
            *at_once(
                lambda: update_ticket(opened.pk, article=NewArticle(body="1"), **WHO),
                lambda: update_ticket(opened.pk, article=NewArticle(body="2"), **WHO),
            )
        )
        opened.refresh_from_db()
        # The opening entry is the desk's own here, and those are not counted.
        assert opened.articles.count() == 3
