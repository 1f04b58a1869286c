"""Counters: whatever happens, their sum is what counting would say."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deskbell.tickets import counts, queries
from deskbell.tickets.models import Ticket, TicketCount
from deskbell.tickets.operations import TicketChange, delete_ticket, merge, update_ticket
from tests.cast import MONDAY_9AM, MONDAY_10AM, acting, ada, group, ticket

pytestmark = pytest.mark.django_db


def test_rolling_up_keeps_the_sums() -> None:
    actor = acting(ada())
    for state in (1, 1, 4, 9):
        ticket(state_id=state)
    before = [queries.count_tickets(actor, statuses=[n]) for n in (1, 3, 4)]
    assert counts.roll_up(worth=100) == 0
    assert counts.roll_up(worth=2) == 4
    assert TicketCount.objects.count() == 3
    assert [queries.count_tickets(actor, statuses=[n]) for n in (1, 3, 4)] == before == [2, 1, 1]


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["open", "move", "state", "merge", "delete", "roll"]),
        st.integers(0, 5),
        st.integers(0, 5),
    ),
    max_size=12,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25)
@given(steps=STEPS)
def test_the_sum_is_the_count_after_anything(steps: list[tuple[str, int, int]]) -> None:
    from django.db import transaction

    with transaction.atomic():
        actor = acting(ada())
        groups = [1, group("Sales").pk]
        for verb, a, b in steps:
            ids = list(Ticket.objects.order_by("id").values_list("id", flat=True))
            mergeable = list(
                Ticket.objects.exclude(state__type=6).order_by("id").values_list("id", flat=True)
            )
            if verb == "open" or not ids:
                ticket(group_id=groups[a % 2], state_id=[1, 2, 4, 9, 8, 10][b])
            elif verb == "move":
                change = TicketChange(group_id=groups[b % 2])
                update_ticket(ids[a % len(ids)], change, actor=actor, at=MONDAY_10AM)
            elif verb == "state":
                change = TicketChange(state_id=[1, 2, 4, 9, 8, 10][b])
                update_ticket(ids[a % len(ids)], change, actor=actor, at=MONDAY_10AM)
            elif verb == "merge" and len(mergeable) > 1:
                source, target = mergeable[a % len(mergeable)], mergeable[b % len(mergeable)]
                if source != target:
                    merge(source, target, actor=actor, at=MONDAY_9AM)
            elif verb == "delete":
                delete_ticket(ids[a % len(ids)], actor=actor, at=MONDAY_9AM)
            else:
                counts.roll_up(worth=1)
        assert queries.count_tickets(actor) == Ticket.objects.count()
        for number in range(1, 6):
            counted = Ticket.objects.filter(state__helpdesk_number=number).count()
            assert queries.count_tickets(actor, statuses=[number]) == counted
        transaction.set_rollback(True)
