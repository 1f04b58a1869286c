"""What operations write is found at once; what they take away, no more."""

from __future__ import annotations

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from deskbell.kernel.actor import SYSTEM
from deskbell.kernel.jobs import run_due
from deskbell.people.operations import change_user, save_organization
from deskbell.search import index
from deskbell.search.models import Entry, Word
from deskbell.search.results import find
from deskbell.tickets.models import Article, Ticket
from deskbell.tickets.operations import (
    NewArticle,
    TicketChange,
    delete_ticket,
    edit_article,
    merge,
    remove_article,
    tag,
    untag,
    update_ticket,
)
from tests import cast
from tests.cast import MONDAY_9AM, MONDAY_10AM

pytestmark = pytest.mark.django_db


def ids(query: str) -> list[int]:
    return find(SYSTEM, query)


def change(ticket: Ticket, article: NewArticle | None = None, **columns: object) -> None:
    update_ticket(
        ticket.pk,
        TicketChange(**columns) if columns else None,  # type: ignore[arg-type]
        article,
        actor=SYSTEM,
        at=MONDAY_10AM,
    )


class TestFoundAtOnce:
    def test_a_new_ticket_with_its_entry(self) -> None:
        ticket = cast.ticket(cast.kemal(), title="Smoke", body="It burns.", tags=("hot",))

        for query in ("smoke", "burns", "tags:hot", "customer.login:kemal", ticket.number):
            assert ids(query) == [ticket.pk], query

    def test_a_reply_and_a_new_title(self) -> None:
        ticket = cast.ticket()

        change(ticket, NewArticle(body="extinguished"))
        change(ticket, title="Ashes")

        assert ids("extinguished") == ids("title:ashes") == [ticket.pk]
        assert ids("title:printer") == []

    def test_an_edited_and_a_removed_entry(self) -> None:
        ticket = cast.ticket(body=None)
        change(ticket, NewArticle(body="mistaken"))
        article = Article.objects.get(ticket=ticket)

        edit_article(article.pk, {"body": "corrected"}, actor=SYSTEM, at=MONDAY_10AM)

        assert ids("corrected") == [ticket.pk]
        assert ids("mistaken") == []

        remove_article(article.pk, actor=SYSTEM, at=MONDAY_10AM)

        assert ids("corrected") == []

    def test_tags(self) -> None:
        ticket = cast.ticket()

        tag(ticket.pk, ["vip"], actor=SYSTEM, at=MONDAY_10AM)
        assert ids("tags:vip") == [ticket.pk]

        untag(ticket.pk, ["vip"], actor=SYSTEM, at=MONDAY_10AM)
        assert ids("tags:vip") == []

    def test_merged_entries_in_the_ticket_where_they_stand(self) -> None:
        source = cast.ticket(title="Source", body="wandering words")
        target = cast.ticket(title="Target", body="resident words")
        change(source, NewArticle(body="secret", internal=True))

        merge(source.pk, target.pk, actor=SYSTEM, at=MONDAY_10AM)

        assert ids("article.body:wandering") == ids("secret") == [target.pk]
        # The source keeps its description, for those who may see it.
        assert sorted(ids("wandering")) == [source.pk, target.pk]
        assert ids("title:source") == [source.pk]
        assert find(cast.acting(cast.kemal()), "secret") == []

    def test_a_deleted_ticket_is_forgotten(self) -> None:
        ticket = cast.ticket(body="unique")

        delete_ticket(ticket.pk, actor=SYSTEM, at=MONDAY_10AM)

        assert ids("unique") == []
        assert not Entry.objects.exists()

    def test_nothing_of_what_was_rolled_back(self) -> None:
        @transaction.atomic
        def fail_late() -> None:
            cast.ticket(title="Never")
            raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            fail_late()

        assert ids("never") == []


class TestFoundSoon:
    def test_a_renamed_customer(self) -> None:
        kemal = cast.kemal()
        ticket = cast.ticket(kemal)

        change_user(kemal.pk, columns={"lastname": "Yılmaz"}, actor=SYSTEM, at=MONDAY_10AM)
        run_due()

        assert ids("customer.lastname:yılmaz") == [ticket.pk]
        assert ids("customer.lastname:example") == []

    def test_a_renamed_organization(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("deskbell.search.jobs.BATCH", 2)
        acme = cast.organization("Acme")
        kemal = cast.kemal(organization=acme)
        tickets = [cast.ticket(kemal).pk for _ in range(5)]

        save_organization(acme.pk, {"name": "Globex"}, actor=SYSTEM, at=MONDAY_10AM)
        run_due()

        assert sorted(ids("organization.name:globex")) == tickets
        assert ids("acme") == []


class TestCost:
    def test_a_reply_costs_the_same_in_a_long_ticket(self) -> None:
        short, long = cast.ticket(), cast.ticket()
        for number in range(30):
            change(long, NewArticle(body=f"entry {number}"))

        counts = []
        for ticket in (short, long):
            with CaptureQueriesContext(
                connection,
            ) as queries:
                change(ticket, NewArticle(body="one more"))
            counts.append(sum("search_" in query["sql"] for query in queries))

        # Entries of the article, its place, the rows, the words.
        assert counts == [4, 4]

    def test_what_does_not_change_is_not_written(self) -> None:
        ticket = cast.ticket()

        with CaptureQueriesContext(connection) as queries:
            index.rewrite_ticket(ticket.pk)

        assert not [q["sql"] for q in queries if not q["sql"].startswith("SELECT")]


class TestRebuild:
    def test_makes_the_same_index(self) -> None:
        for number in range(5):
            cast.ticket(title=f"Ticket {number}", body="same words", tags=("a", "b"))
        before = list(Entry.objects.order_by("id").values_list("id", "words"))

        reached = list(index.rebuild(batch=2))

        assert list(Entry.objects.order_by("id").values_list("id", "words")) == before
        assert reached == sorted(reached)

    def test_drops_what_is_there_no_more(self) -> None:
        gone, kept = cast.ticket(title="Gone"), cast.ticket(title="Kept")
        Ticket.objects.filter(pk=gone.pk).delete()

        assert list(index.rebuild(batch=1))

        assert ids("gone") == []
        assert ids("kept") == [kept.pk]

    def test_and_the_vocabulary_of_what_is_left(self) -> None:
        cast.custom_field("floor", "integer")
        gone = cast.ticket(title="Confidential")
        kept = cast.ticket(title="Printers", custom={"floor": 4})
        delete_ticket(gone.pk, actor=SYSTEM, at=MONDAY_10AM)
        assert Word.objects.filter(word="confidential").exists()

        index.forget_unused_words()

        assert not Word.objects.filter(word="confidential").exists()
        for query in ("printer", "pr*s", "floor:>3", "floor:4"):
            assert ids(query) == [kept.pk], query


def test_an_entry_is_bounded() -> None:
    ticket = cast.ticket(body="word " * 100_000 + "beyond", at=MONDAY_9AM)

    assert ids("article.body:word") == [ticket.pk]
    assert ids("beyond") == []
    assert max(len(words) for words in Entry.objects.values_list("words", flat=True)) < 10**6


@pytest.mark.parametrize(
    ("html", "found", "hidden"),
    [
        ("<p>one</p><p>two</p>", '"one two"', "onetwo"),
        ("wel<b>come</b>", "welcome", "wel AND come"),
        ("<style>p { color: purple }</style>text", "text", "purple"),
        ("<script>alert(evil)</script>text", "text", "evil"),
        ("<!-- hidden --> shown", "shown", "hidden"),
        ("caf&eacute; &amp; more", "cafe", "eacute"),
        ("<" * 50_000 + " end", "end", "beginning"),
        ("<script>" * 50_000, "printer", "script"),
        ("a < b and c > d", '"a b and c d"', "lt"),
    ],
)
def test_of_html_what_is_shown_is_found(html: str, found: str, hidden: str) -> None:
    ticket = cast.ticket(body=None)

    change(ticket, NewArticle(body=html, content_type="text/html"))

    assert ids(found) == [ticket.pk]
    assert ids(f"({hidden})") == []
