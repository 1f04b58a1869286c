"""Querysets compiled once answer as Django's own do, for any values, on both databases."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError, connection, models, transaction
from django.db.models import Value
from django.db.models.functions import Lower
from django.forms import model_to_dict
from django.test.utils import CaptureQueriesContext

from deskbell.kernel.compiled import Compiled, by_id, insert, insert_all, update
from deskbell.kernel.models import Event
from deskbell.people.models import User, UserRole
from deskbell.tickets.models import Ticket
from tests import cast

pytestmark = pytest.mark.django_db


def tickets(key: int) -> models.QuerySet[Ticket]:
    rows = Ticket.objects.select_related("state", "group", "customer", "organization")
    return rows.filter(pk=key)


def content(instance: Any) -> dict[str, Any]:
    """All columns of a row and of the rows that came with it."""
    return {
        "own": {f.attname: getattr(instance, f.attname) for f in instance._meta.concrete_fields},
        "related": {
            name: model_to_dict(other)
            for name, other in instance._state.fields_cache.items()
            if other is not None
        },
        "none": [k for k, other in instance._state.fields_cache.items() if other is None],
        "state": (instance._state.adding, instance._state.db),
    }


class TestModelRows:
    def test_are_those_of_the_queryset(self) -> None:
        nora = cast.nora(organization=cast.organization())
        made = [cast.ticket(nora), cast.ticket(), cast.ticket(nora, body=None)]
        compiled = Compiled(tickets, int)

        for ticket in made:
            assert [content(row) for row in compiled.all(ticket.pk)] == [
                content(row) for row in tickets(ticket.pk)
            ]

    def test_are_none_where_there_are_none(self) -> None:
        assert Compiled(tickets, int).first(4711) is None
        assert Compiled(tickets, int).all(4711) == []

    def test_take_one_query_and_no_more(self) -> None:
        ticket = cast.ticket()
        compiled = Compiled(tickets, int)

        with CaptureQueriesContext(
            connection,
        ) as queries:
            row = compiled.first(ticket.pk)
            assert row is not None
            assert (row.state.name, row.group.name) == ("new", "Users")

        assert len(queries) == 1

    def test_can_be_changed_and_saved(self) -> None:
        ticket = Compiled(tickets, int).first(cast.ticket().pk)
        assert ticket is not None

        ticket.title = "Printer is well"
        ticket.save()

        assert Ticket.objects.get(pk=ticket.pk).title == "Printer is well"


class TestTuples:
    def test_are_those_of_the_queryset(self) -> None:
        nora = cast.nora()
        columns = ("id", "login", "active", "created_at", "preferences", "organization__name")

        def by_login(login: str) -> Any:
            return User.objects.filter(login=login).values_list(*columns)

        assert Compiled(by_login, str).all("nora") == list(by_login("nora"))
        assert Compiled(by_login, str).all("nora")[0][:2] == (nora.pk, "nora")


class TestPlaceholders:
    def test_keep_their_order_wherever_the_sql_has_them(self) -> None:
        nora, kemal = cast.nora(), cast.kemal()

        def either(id_: int, login: str) -> Any:
            rows = User.objects.filter(models.Q(login=login) | models.Q(pk=id_)).order_by("id")
            return rows.values_list("id", flat=False)

        assert Compiled(either, int, str).all(nora.pk, "kemal") == [(nora.pk,), (kemal.pk,)]

    def test_are_refused_where_the_database_never_sees_them(self) -> None:
        with pytest.raises(ValueError, match="placeholder"):
            Compiled(lambda _: User.objects.all(), int).all(1)

    def test_are_values_and_never_sql(self) -> None:
        def by_login(login: str) -> Any:
            return User.objects.filter(login=login)

        assert Compiled(by_login, str).all("' OR 1=1 --") == []

    def test_beyond_what_a_database_holds_find_nothing(self) -> None:
        compiled = by_id(User)

        assert [compiled.first(key) for key in (2**63, -(2**63) - 1, 10**30)] == [None] * 3
        assert compiled.first(2**63 - 1) is None


class TestLocks:
    @pytest.mark.django_db(transaction=True)
    def test_need_a_transaction_where_the_database_has_row_locks(self) -> None:
        compiled = Compiled(lambda key: User.objects.select_for_update().filter(pk=key), int)

        with transaction.atomic():
            assert compiled.all(4711) == []
        with pytest.raises(transaction.TransactionManagementError):
            compiled.all(4711)


class TestWriting:
    def test_a_row_is_stored_as_save_would(self) -> None:
        for given in (
            {},
            {"object_id": 2**63 - 1, "changes": [{"a": "ü\u2028"}], "request_id": ""},
        ):
            ours, theirs = (event(**given) for _ in range(2))

            insert(ours)
            theirs.save(force_insert=True)

            assert ours.txid is not None
            assert content(ours) == content(theirs) | {
                "own": content(theirs)["own"] | {"id": ours.pk, "txid": ours.txid}
            }
            assert columns(Event.objects.get(pk=ours.pk)) == columns(ours)

    def test_a_given_id_and_the_databases_own_moments_are_kept(self) -> None:
        user = User(id=4711, login="ida")

        insert(user)

        assert user.pk == 4711
        assert user.created_at == User.objects.get(pk=4711).created_at
        assert user.created_at.tzinfo is not None

    def test_the_id_of_a_row_that_was_stored_later_is_found(self) -> None:
        user = User(login="late")
        role = UserRole(user=user, role_id=1)
        insert(user)

        insert(role)

        assert UserRole.objects.get(pk=role.pk).user_id == user.pk

    def test_one_or_many(self) -> None:
        for count in (0, 1, 3):
            rows = [event(object_id=900 + count) for _ in range(count)]
            insert_all(rows)
            assert Event.objects.filter(pk__in=[row.pk for row in rows]).count() == count

    def test_an_expression_is_the_databases_business(self) -> None:
        row = event()
        row.number = Lower(Value("ABC"))  # type: ignore[assignment]

        insert(row)

        assert Event.objects.get(pk=row.pk).number == "abc"
        row.number = Lower(Value("DEF"))  # type: ignore[assignment]
        update(row, "number")
        assert Event.objects.get(pk=row.pk).number == "def"

    def test_what_the_database_refuses_is_an_error(self) -> None:
        first, second = (User(id=4712, login=name) for name in ("a1", "a2"))
        insert(first)

        with pytest.raises(IntegrityError), transaction.atomic():
            insert(second)
        with pytest.raises(DatabaseError), transaction.atomic():
            update(User(id=4713, login="a3"))

    def test_a_change_writes_what_is_named_or_all(self) -> None:
        ticket = cast.ticket()
        ticket.title, ticket.article_count = "New", 99

        update(ticket, "title", "updated_at")
        stored = Ticket.objects.get(pk=ticket.pk)
        assert (stored.title, stored.article_count == 99) == ("New", False)

        update(ticket)
        assert columns(Ticket.objects.get(pk=ticket.pk)) == columns(ticket)


def event(**given: Any) -> Event:
    values: dict[str, Any] = {
        "kind": "TicketUpdated",
        "object": "Ticket",
        "object_id": 7,
        "number": "10007",
        "actor_kind": "user",
        "user_id": 1,
        "via": "web",
        "at": cast.MONDAY_9AM,
        "changes": [],
        "request_id": "r",
    }
    return Event(**values | given)


def columns(row: Any) -> dict[str, Any]:
    return content(row)["own"]
