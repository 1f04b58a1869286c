"""The reads are lean: a fixed number of statements. What they say is for tests/agreement."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from deskbell.kernel.actor import SYSTEM
from deskbell.people.models import User
from deskbell.tickets.attachments import NewFile
from deskbell.tickets.models import Ticket
from deskbell.tickets.operations import NewArticle, link, update_ticket
from tests import cast
from tests.agreement.obvious import desk
from tests.api.zammad.wire import Wire, told

pytestmark = pytest.mark.django_db

#: Sign-in by token: the token, what its user may do. Then what the read itself takes.
SIGN_IN = 2
COUNTS = [
    ("tickets", 2),
    ("tickets?expand=true", 9),
    ("tickets?full=true", 16),
    ("tickets/{id}", 2),
    ("tickets/{id}?expand=true", 9),
    ("tickets/{id}?full=true", 16),
    ("tickets/{id}?all=true", 23),
    ("ticket_articles/by_ticket/{id}", 4),
    ("ticket_articles", 3),
    ("users", 4),
    ("users?expand=true", 8),
    ("users/search?query=e", 4),
    ("groups?expand=true", 3),
    ("organizations?expand=true", 4),
    ("ticket_states?expand=true", 3),
    ("links?link_object=Ticket&link_object_value={id}", 18),
]


def test_reads_take_as_many_statements_whatever_their_number() -> None:
    tickets = desk(6)
    wire = Wire(User.objects.get(login="nora"))
    told(wire.get("tickets"), 200)  # the token's last use is written once a minute
    wrong = []
    for growing in (False, True):
        if growing:
            more(tickets)
        for path, most in COUNTS:
            took = statements(wire, path.format(id=tickets[-1].pk))
            if len(took) > most + SIGN_IN:
                wrong.append((path, growing, took))

    assert wrong == []


def statements(wire: Wire, path: str) -> list[str]:
    with CaptureQueriesContext(
        connection,
    ) as caught:
        told(wire.get(path), 200)
    return [query["sql"][:200] for query in caught.captured_queries]


def more(tickets: Sequence[Ticket]) -> None:
    """Three times as much of everything."""
    for n in range(12):
        person = cast.person(f"more{n}", roles=[3], organization=cast.organization(f"Org {n}"))
        group = cast.group(f"Group {n}")
        ticket = cast.ticket(person, group_id=1 if n % 2 else group.pk)
        link("normal", ticket.pk, tickets[-1].pk, actor=SYSTEM, at=cast.MONDAY_9AM)
        note = NewArticle(
            body="x", seconds=60, files=[NewFile("a", b"a", "text/plain")], origin_by_id=person.pk
        )
        update_ticket(tickets[-1].pk, None, note, actor=SYSTEM, at=cast.MONDAY_10AM)
