"""Time spent on tickets: who may record and correct it, and what it adds up to."""

from __future__ import annotations

import pytest

from deskbell.kernel.errors import Forbidden, Invalid, Unknown
from deskbell.kernel.models import Event
from deskbell.tickets.access import TicketForbidden
from deskbell.tickets.models import Article, Ticket, TimeEntry
from deskbell.tickets.operations import NewArticle, edit_article, remove_article, update_ticket
from deskbell.tickets.operations.articles import SECONDS_LIMIT
from deskbell.tickets.operations.times import add_time, change_time, remove_time
from tests import cast
from tests.cast import MONDAY_9AM, MONDAY_10AM

pytestmark = pytest.mark.django_db


def spent(ticket: Ticket) -> int | None:
    return Ticket.objects.values_list("time_spent", flat=True).get(pk=ticket.pk)


def test_one_sum_whichever_way_it_was_recorded() -> None:
    """With an entry, on a correction of it, or by itself; and one event each."""
    nora = cast.acting(cast.nora())
    ticket = cast.ticket(cast.kemal())
    _, article = update_ticket(
        ticket.pk, None, NewArticle(body="x", seconds=60), actor=nora, at=MONDAY_9AM
    )
    assert article is not None
    entry = add_time(ticket.pk, 30, actor=nora, at=MONDAY_9AM)
    assert spent(ticket) == 90

    edit_article(article.pk, {}, seconds=120, actor=nora, at=MONDAY_10AM)
    assert spent(ticket) == 150
    with_article = TimeEntry.objects.get(article=article)
    change_time(with_article.pk, seconds=10, actor=nora, at=MONDAY_10AM)
    assert spent(ticket) == 40
    remove_article(article.pk, actor=nora, at=MONDAY_10AM)
    assert spent(ticket) == 30
    remove_time(entry.pk, actor=nora, at=MONDAY_10AM)
    assert spent(ticket) is None
    assert list(
        Event.objects.filter(object="Ticket", object_id=ticket.pk)
        .order_by("id")
        .values_list("kind", flat=True)
    ) == [
        "TicketOpened", "TicketUpdated", "TimeAccounted", "ArticleEdited", "TimeAccounted",
        "ArticleRemoved", "TimeAccounted",
    ]  # fmt: skip
    assert Ticket.objects.get(pk=ticket.pk).updated_at == MONDAY_10AM


def test_who_may_correct_what_was_recorded() -> None:
    """One's own while the ticket may be changed; everything with the permission for it."""
    nora, sam = cast.nora(), cast.person("sam", roles=[2], groups={1: ["full"]})
    rita = cast.acting(cast.person("rita", roles=[2], groups={1: ["read"]}))
    kemal = cast.kemal()
    ticket = cast.ticket(kemal)
    entry = add_time(ticket.pk, 30, actor=cast.acting(nora), at=MONDAY_9AM)

    for stranger in (cast.acting(sam), rita, cast.acting(kemal)):
        with pytest.raises(Forbidden):
            change_time(entry.pk, seconds=1, actor=stranger, at=MONDAY_9AM)
        with pytest.raises(Forbidden):
            remove_time(entry.pk, actor=stranger, at=MONDAY_9AM)
    otto = cast.acting(cast.pure_admin())
    for reader in (rita, cast.acting(kemal), otto):
        with pytest.raises(TicketForbidden):
            add_time(ticket.pk, 1, actor=reader, at=MONDAY_9AM)
    assert change_time(entry.pk, seconds=40, actor=otto, at=MONDAY_9AM).seconds == 40
    assert change_time(entry.pk, seconds=50, actor=cast.acting(nora), at=MONDAY_9AM).seconds == 50
    Ticket.objects.filter(pk=ticket.pk).update(group=cast.group("Far"))
    with pytest.raises(Forbidden):
        change_time(entry.pk, seconds=60, actor=cast.acting(nora), at=MONDAY_9AM)
    assert spent(ticket) == 50


def test_what_is_no_time_is_refused() -> None:
    ada = cast.acting(cast.ada())
    ticket, other = cast.ticket(), cast.ticket()
    article = Article.objects.get(ticket=ticket)
    entry = add_time(ticket.pk, 30, article_id=article.pk, actor=ada, at=MONDAY_9AM)

    for seconds in (-1, SECONDS_LIMIT + 1):
        with pytest.raises(Invalid, match="time_unit: bad"):
            add_time(ticket.pk, seconds, actor=ada, at=MONDAY_9AM)
    with pytest.raises(Invalid, match="ticket_article_id: taken"):
        add_time(ticket.pk, 1, article_id=article.pk, actor=ada, at=MONDAY_9AM)
    with pytest.raises(Invalid, match="ticket_article_id: unknown"):
        add_time(other.pk, 1, article_id=article.pk, actor=ada, at=MONDAY_9AM)
    with pytest.raises(Invalid, match="type_id: unknown"):
        change_time(entry.pk, type_id=99, actor=ada, at=MONDAY_9AM)
    for id_ in (0, 99999, 2**63):
        with pytest.raises(Unknown):
            remove_time(id_, actor=ada, at=MONDAY_9AM)
    before = Event.objects.count()
    change_time(entry.pk, seconds=30, article_id=article.pk, actor=ada, at=MONDAY_10AM)
    assert Event.objects.count() == before
