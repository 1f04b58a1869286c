"""A storm: several sources at once, several workers at once, and now and then one is killed."""

from __future__ import annotations

import os
import random
import signal
import time
from collections import Counter
from typing import Any

import pytest
from django.db import connection, connections

from deskbell.kernel import clock
from deskbell.kernel.models import Job, JobState
from deskbell.mail.intake import judging, taking
from deskbell.mail.models import Fate, IncomingMail
from deskbell.people.models import User
from deskbell.tickets.models import Article, Ticket
from tests.cast import group, ticket
from tests.mail.intake.conftest import message
from tests.mail.proof.lives import begin, end, live, work

SOURCES = 4
EACH = 100 if os.environ.get("DESKBELL_TEST_ALL") else 15
WORKERS = 2


@pytest.mark.timeout(900)
@pytest.mark.usefixtures("committed")
def test_nothing_is_lost_doubled_or_unreadable(new_channel: Any, configured: Any) -> None:
    channels = [
        new_channel("pipe", {}, name=f"source {n}", group_id=group(f"Group {n}").pk)
        for n in range(SOURCES)
    ]
    sent: list[list[bytes]] = []
    for source in range(SOURCES):
        # The same people write to every group, at the same time for the first time.
        sent.append(
            [
                message(
                    number,
                    f"source {source}",
                    From=f"person{number}@customers.example",
                    Message_ID=f"<{source}.{number}@customers.example>",
                )
                for number in range(EACH)
            ]
        )

    def bring(source: int) -> None:
        for mail in sent[source]:
            taking.take(mail, channel=channels[source], at=clock.now())

    live(lambda: bring(0))  # one is there already when the storm begins
    sources = [begin(lambda n=n: bring(n)) for n in range(1, SOURCES)]
    chance = random.Random(5)
    workers = [begin(lambda: work(2)) for _ in range(WORKERS)]
    for _ in range(2 * WORKERS):
        time.sleep(chance.uniform(0.2, 0.6))
        victim = workers.pop(0)
        os.kill(victim, signal.SIGKILL)
        end(victim)
        workers.append(begin(lambda: work(2)))
    for child in (*sources, *workers):
        assert not end(child)
    live(work)

    rows = IncomingMail.objects.all()
    assert Counter(rows.values_list("channel_id", "fate")) == {
        (channel.pk, Fate.NEW_TICKET): EACH for channel in channels
    }
    assert rows.values("article_id").distinct().count() == SOURCES * EACH
    bodies = Article.objects.filter(body__startswith="source").values_list("body", flat=True)
    assert len(bodies) == len({body.strip() for body in bodies}) == SOURCES * EACH
    assert Ticket.objects.filter(title__startswith="Printer").count() == SOURCES * EACH
    people = User.objects.filter(email__endswith="@customers.example")
    assert people.count() == EACH
    assert not Job.objects.filter(state=JobState.DEAD)
    connections.close_all()


#: Statements that every message asks, with values that fit, and the index that must answer.
ASKED = [
    (taking._BY_KEY, (1, "x"), "taken_once|mail_incomingmail"),
    (taking._BY_DIGEST, ("x",), "content_once"),
    (judging._SENT, ("x",), "mail_by_message_id"),
    (judging._EARLIER, ("x", "y", "z"), "incoming_message_id"),
    (judging._FIRST_ENTRY, (1,), "article"),
]


@pytest.mark.django_db
@pytest.mark.parametrize("number", range(len(ASKED)))
def test_what_every_message_asks_is_answered_by_an_index(number: int) -> None:
    """Whatever the number of rows: no table is walked through."""
    query, values, index = ASKED[number]
    query.all(*values)
    plan = query._plan
    assert plan is not None
    params = list(plan.params)
    for place, at, kind in plan.places:
        params[place] = kind(values[at])
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            # The planner of an empty table would walk through it.
            cursor.execute("SET LOCAL enable_seqscan = off")
            cursor.execute(f"EXPLAIN {plan.sql}", params)
            told = "\n".join(row[0] for row in cursor.fetchall())
            assert "Seq Scan" not in told
            # Which of its indexes it takes is a matter of numbers, and there are no rows.
            return
        else:
            cursor.execute(f"EXPLAIN QUERY PLAN {plan.sql}", params)
            told = "\n".join(row[3] for row in cursor.fetchall())
            assert "SCAN " not in told
    assert any(name in told for name in index.split("|")), told


@pytest.mark.django_db
@pytest.mark.once
def test_answers_find_their_entry_where_most_entries_came_without_mail() -> None:
    """With statistics of a desk that lives of its APIs, too."""
    connection.ensure_connection()
    if connection.vendor != "sqlite":
        pytest.skip("PostgreSQL counts empty values apart")
    for _ in range(3):
        ticket()
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
        query = Article.objects.filter(message_id_md5__in=["a", "b"]).order_by("id").only("id")
        sql, params = query.query.sql_with_params()
        cursor.execute(f"EXPLAIN QUERY PLAN {sql}", params)
        told = "\n".join(row[3] for row in cursor.fetchall())
    assert "article_by_message_id" in told
