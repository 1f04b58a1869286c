"""The first start of a desk."""

from __future__ import annotations

import urllib.parse
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest

from deskbell.kernel.actor import SYSTEM
from deskbell.kernel.config import Config
from deskbell.ops.setup import first_run
from deskbell.people.access import actor_for
from deskbell.people.credentials import BadCredentials, sign_in
from deskbell.people.models import User
from deskbell.people.operations import change_user
from deskbell.tickets.models import Ticket
from deskbell.tickets.vocabulary import ArticleType, Sender, StateId
from tests.cast import MONDAY_9AM, MONDAY_10AM, ada, nora, ticket
from tests.live import LiveDesk

pytestmark = pytest.mark.django_db

PASSWORD = "opens the desk"


def config(email: str = "", password: str = "") -> Config:
    return Config(data=Path("unused"), admin_email=email, admin_password=password)


def admin() -> User:
    return User.objects.get(roles=1)


def signed_in(name: str, password: str) -> User:
    return sign_in(name, password, client_ip=None, at=MONDAY_10AM)


class TestTheAdministrator:
    def test_has_the_address_that_was_set_as_login(self):
        first = first_run(config("Boss@Example.test", PASSWORD), at=MONDAY_9AM)

        assert (first.admin_login, first.made_password, first.created) == (
            "boss@example.test",
            None,
            True,
        )
        user = signed_in("boss@example.test", PASSWORD)
        assert (user.login, user.email) == ("boss@example.test", "Boss@Example.test")
        assert sorted(role.name for role in user.roles.all()) == ["Admin", "Agent", "All groups"]

    def test_may_do_everything_in_every_group(self):
        first_run(config("boss@example.test", PASSWORD), at=MONDAY_9AM)

        actor = actor_for(admin().pk, "zammad")

        assert actor is not None
        assert actor.may("admin")
        assert actor.may("ticket.delete")
        assert actor.groups_with("full") is None
        assert actor.groups == {1: frozenset({"full"})}

    @pytest.mark.parametrize("email", ["", "boss@example.test"])
    def test_gets_a_password_where_none_was_set(self, email):
        first = first_run(config(email), at=MONDAY_9AM)

        assert first.made_password is not None
        assert len(first.made_password) >= 16
        for name in (email or "admin@localhost", (email or "admin@localhost").upper()):
            assert signed_in(name, first.made_password) == admin()

    def test_made_passwords_differ(self):
        first = first_run(config(), at=MONDAY_9AM)
        admin().delete()

        assert first_run(config(), at=MONDAY_9AM).made_password != first.made_password


class TestASecondStart:
    def test_changes_nothing(self):
        first_run(config("boss@example.test", PASSWORD), at=MONDAY_9AM)
        before = list(User.objects.order_by("id").values())

        again = first_run(config("other@example.test", "another password"), at=MONDAY_10AM)

        assert (again.admin_login, again.made_password, again.created) == ("", None, False)
        assert list(User.objects.order_by("id").values()) == before
        assert Ticket.objects.count() == 1

    def test_does_not_reset_a_password(self):
        first_run(config("boss@example.test", PASSWORD), at=MONDAY_9AM)
        change_user(admin().pk, password="chosen since then", actor=SYSTEM, at=MONDAY_10AM)

        first_run(config("boss@example.test", PASSWORD), at=MONDAY_10AM)

        assert signed_in("boss@example.test", "chosen since then") == admin()
        with pytest.raises(BadCredentials):
            signed_in("boss@example.test", PASSWORD)

    def test_brings_back_no_administrator_who_was_switched_off(self):
        first_run(config("boss@example.test", PASSWORD), at=MONDAY_9AM)
        change_user(admin().pk, columns={"active": False}, actor=SYSTEM, at=MONDAY_10AM)

        assert not first_run(config("boss@example.test", PASSWORD), at=MONDAY_10AM).created
        assert not admin().active


class TestADeskWithPeople:
    def test_that_has_an_administrator_gets_no_other(self):
        ada()

        assert not first_run(config("boss@example.test", PASSWORD), at=MONDAY_9AM).created
        assert not User.objects.filter(email="boss@example.test").exists()

    def test_that_has_none_gets_one_and_keeps_its_tickets(self):
        nora()
        ticket()

        assert first_run(config("boss@example.test", PASSWORD), at=MONDAY_9AM).created
        assert Ticket.objects.count() == 1

    def test_promotes_nobody(self):
        agent = nora()

        first = first_run(config(agent.email, PASSWORD), at=MONDAY_9AM)

        assert not first.created
        assert [role.name for role in agent.roles.all()] == ["Agent"]


class TestTheWelcomeTicket:
    def test_is_the_first_one_and_mails_nobody(self):
        first_run(config("boss@example.test", PASSWORD), at=MONDAY_9AM)

        welcome = Ticket.objects.get()
        article = welcome.articles.get()
        assert welcome.number == f"10{welcome.pk:03d}"
        assert (welcome.group_id, welcome.customer_id, welcome.owner_id) == (1, 2, 1)
        assert (welcome.state_id, welcome.created_at) == (StateId.NEW, MONDAY_9AM)
        assert (article.type, article.sender) == (ArticleType.PHONE, Sender.CUSTOMER)
        assert (article.internal, article.origin_by_id) == (False, 2)
        assert article.email_recipients == []
        assert welcome.description == article.body != ""


@pytest.mark.live
@pytest.mark.timeout(120)
class TestAFreshDesk:
    """Ids that clients of other helpdesks rely on, on a database nothing was in before."""

    @staticmethod
    def call(desk: LiveDesk, method: str, **fields: str) -> str:
        form = urllib.parse.urlencode(
            {"user": "boss@example.test", "password": PASSWORD, **fields}
        ).encode()
        with urllib.request.urlopen(f"{desk.url}/api/{method}/", form, timeout=20) as answer:
            text: str = answer.read().decode()
            return text

    def test_has_user_3_and_ticket_1(self, new_empty_desk: Callable[..., LiveDesk]):
        desk = new_empty_desk(
            admin_email="boss@example.test",
            admin_password=PASSWORD,
        ).start()

        assert self.call(desk, "find_user", username="boss@example.test") == "3"
        assert self.call(desk, "list_queues") == '[{"id": "1", "title": "Users"}]'
        assert self.call(desk, "hold_ticket", ticket="1") == "OK"
        assert self.call(desk, "create_ticket", queue="1", title="T") == "2"
