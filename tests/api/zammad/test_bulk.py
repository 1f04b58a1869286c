"""Changing many tickets in one call: all of them or none."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from deskbell.api.zammad.views.bulk import TICKETS_AT_MOST
from deskbell.kernel.models import Event
from deskbell.people.models import User
from deskbell.tickets.models import Article, Attachment, Ticket
from tests import cast
from tests.api.zammad.wire import Wire, content, message, told

pytestmark = pytest.mark.django_db


@pytest.fixture
def kemal() -> User:
    return cast.kemal()


@pytest.fixture
def nora() -> Wire:
    return Wire(cast.nora())


@pytest.fixture
def two(kemal: User) -> list[Ticket]:
    return [cast.ticket(kemal), cast.ticket(kemal)]


def update(wire: Wire, tickets: list[Ticket], **body: Any) -> Any:
    return wire.post("tickets/mass_update", {"ticket_ids": [t.pk for t in tickets], **body})


def test_changes_and_answers_every_ticket(nora: Wire, two: list[Ticket]) -> None:
    later, earlier = two[1], two[0]

    body = told(
        update(
            nora,
            [later, earlier, later],
            attributes={
                "state": "closed", "priority_id": "3", "title": "", "owner_id": None,
                "number": "4711", "organization_id": " ", "tags": [],
            },
            article={"body": "Closing the lot.", "type": "note", "internal": True},
        ),
        200,
    )  # fmt: skip

    assert body["ticket_ids"] == [later.pk, earlier.pk]
    for ticket in two:
        shown = body["assets"]["Ticket"][str(ticket.pk)]
        assert (shown["state_id"], shown["priority_id"]) == (4, 3)
        assert (shown["title"], shown["number"]) == (ticket.title, ticket.number)
        added = Article.objects.filter(ticket=ticket).latest("id")
        assert (added.body, added.internal) == ("Closing the lot.", True)
        assert Event.objects.filter(object="Ticket", object_id=ticket.pk).count() == 2
    assert set(body["assets"]) <= {"Ticket", "User", "Group", "Organization", "Role"}


def test_a_described_customer_is_made_once(nora: Wire, two: list[Ticket]) -> None:
    told(update(nora, two, attributes={"customer": {"firstname": "Lena"}}), 200)

    lena = User.objects.get(firstname="Lena")
    assert set(Ticket.objects.values_list("customer_id", flat=True)) == {lena.pk}


def test_files_of_the_form_come_with_every_article(nora: Wire, two: list[Ticket]) -> None:
    part = (
        b'--x\r\nContent-Disposition: form-data; name="form_id"\r\n\r\n77\r\n--x\r\n'
        b'Content-Disposition: form-data; name="File"; filename="a.txt"\r\n'
        b"Content-Type: text/plain\r\n\r\nabc\r\n--x--\r\n"
    )
    told(nora.call("POST", "attachments", raw=part, content_type="multipart/form-data; boundary=x"),
         200)  # fmt: skip

    told(update(nora, two, article={"body": "see file", "form_id": 77}), 200)

    files = Attachment.objects.filter(article__ticket__in=two).select_related("article")
    assert {file.article.ticket_id for file in files} == {ticket.pk for ticket in two}
    for file in files:
        path = f"ticket_attachment/{file.article.ticket_id}/{file.article_id}/{file.pk}"
        assert content(nora.get(path)) == b"abc"


@pytest.mark.parametrize(
    "body",
    [
        {"attributes": {"state_id": 5}},  # merged is no state to choose
        {"attributes": {"state_id": 99999}},
        {"attributes": {"group_id": "{far}"}},
        {"attributes": {"owner_id": "{kemal}"}},
        {"attributes": {"title": "x" * 251}},
        {"attributes": {"state": "pending reminder"}},
        {"attributes": {"priority_id": 3}, "article": {"body": " "}},
        {"attributes": {"priority_id": 3}, "article": {"body": "x", "attachments": [{}]}},
    ],
    ids=str,
)
def test_what_no_ticket_takes_names_the_first(
    nora: Wire, kemal: User, two: list[Ticket], body: dict[str, Any]
) -> None:
    far = cast.group("Far")
    places = {"{far}": far.pk, "{kemal}": kemal.pk}
    attributes = {key: places.get(str(one), one) for key, one in body["attributes"].items()}

    answer = told(update(nora, two, **{**body, "attributes": attributes}), 422)

    assert answer == {"error": True, "ticket_id": two[0].pk}
    assert Event.objects.filter(kind="TicketUpdated").count() == 0


def test_one_out_of_reach_stops_all(nora: Wire, kemal: User, two: list[Ticket]) -> None:
    """The one that is named is the first in the order sent, whatever its id."""
    far = cast.group("Far")
    out = [cast.ticket(kemal, group_id=far.pk), cast.ticket(kemal, group_id=far.pk)]

    answer = update(nora, [two[0], out[1], two[1], out[0]], attributes={"priority_id": 3})

    assert told(answer, 422) == {"error": True, "ticket_id": out[1].pk}
    assert set(Ticket.objects.values_list("priority_id", flat=True)) == {2}
    own = Wire(cast.person("both", roles=[2, 3], groups={}))
    mine = cast.ticket(User.objects.get(login="both"))
    # A customer's own access is none for this.
    assert told(update(own, [mine], attributes={"title": "x"}), 422)["ticket_id"] == mine.pk


def test_one_that_fails_late_takes_the_others_back(
    nora: Wire, kemal: User, two: list[Ticket]
) -> None:
    """Only the second has no pending time yet; the first was written already."""
    ready = two[0]
    told(nora.put(f"tickets/{ready.pk}",
                  {"state": "pending reminder", "pending_time": "2027-01-01T10:00:00Z"}),
         200)  # fmt: skip

    answer = update(nora, two, attributes={"state_id": 3, "priority_id": 3})

    assert told(answer, 422) == {"error": True, "ticket_id": two[1].pk}
    assert set(Ticket.objects.values_list("priority_id", flat=True)) == {2}


def test_refuses_what_is_wrong_with_the_call(nora: Wire, kemal: User, two: list[Ticket]) -> None:
    lookup = "No lookup value found for 'group': \"nope\""
    assert message(update(nora, two, attributes={"group": "nope"}), 422) == lookup
    unknown = nora.post("tickets/mass_update", {"ticket_ids": [two[0].pk, 99999]})
    assert message(unknown, 404) == "Couldn't find Ticket with 'id'=99999"
    message(nora.post("tickets/mass_update", {"ticket_ids": ["x"]}), 404)
    message(nora.post("tickets/mass_update", {}), 404)
    message(update(nora, two, attributes=["state"]), 422)
    many = list(range(1, TICKETS_AT_MOST + 2))
    message(nora.post("tickets/mass_update", {"ticket_ids": many}), 422)
    assert told(nora.post("tickets/mass_update", {"ticket_ids": []}), 200) == {
        "ticket_ids": [],
        "assets": {},
    }
    assert message(update(Wire(kemal), two), 403) == "User authorization failed."


def test_a_ticket_costs_its_locks_and_no_more(nora: Wire, kemal: User) -> None:
    """Where nothing changes, a ticket is taken twice within one savepoint; the rest is shared."""
    counts = []
    for number in (1, 2, 6):
        tickets = [cast.ticket(kemal) for _ in range(number)]
        with CaptureQueriesContext(connection) as queries:
            told(update(nora, tickets, attributes={}), 200)
        counts.append(len(queries))

    assert counts[2] - counts[1] == 4 * (6 - 2)
