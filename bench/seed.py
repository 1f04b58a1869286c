"""Fill a desk with many tickets, as if the operations had written them, in bulk.

``python -m bench.seed --tickets 10000`` works on the desk that the ``DESKBELL_*`` settings name
and prints one JSON object: who may sign in, and which tickets and customers there are. Seeding a
desk again adds what is missing up to the number.

Rows, counters, history and search entries are what an import would leave; a sample is indexed again
by the search feature itself afterwards and must come out equal.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

import django

from bench import corpus

ADMIN_LOGIN = "ada@example.com"
AGENT_LOGIN = "bench@example.com"
PASSWORD = "correct horse battery staple"
#: Tickets per transaction.
BATCH = 2000
SAMPLE = 25

# django-helpdesk's numbers to our ids (new, reopened, resolved, closed) and priorities.
_STATES = {1: 1, 2: 8, 3: 9, 4: 4}
_PRIORITIES = {1: 4, 2: 3, 3: 2, 4: 1, 5: 5}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.seed", description=__doc__)
    parser.add_argument("--tickets", type=int, default=10_000)
    arguments = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "deskbell.settings")
    django.setup()
    print(json.dumps(fill(arguments.tickets)))


def fill(tickets: int) -> dict[str, Any]:
    """Bring the migrated desk to this many tickets; who and what is there then, for the cells."""
    from django.core.management import call_command

    from deskbell.tickets.models import Ticket

    started = time.monotonic()
    call_command("migrate", verbosity=0)
    people = _people()
    present = Ticket.objects.filter(created_via="import").count()
    fresh = islice(corpus.cases(tickets), present, None)
    first = Ticket.objects.order_by("-id").values_list("id", flat=True).first() or 0
    for number, batch in enumerate(_batches(fresh, BATCH)):
        _add(batch, first + 1 + number * BATCH, people)
    _settle()
    _check_sample()
    ids = list(
        Ticket.objects.filter(created_via="import")
        .order_by("id")
        .values_list("id", "customer__email")
    )
    return {
        "seconds": round(time.monotonic() - started, 2),
        "tickets": len(ids),
        "sample": [list(ids[i * len(ids) // 97]) for i in range(97)],
        "token": people["token"],
    }


def _batches(cases: Iterable[corpus.Case], size: int) -> Iterator[list[corpus.Case]]:
    walker = iter(cases)
    while batch := list(islice(walker, size)):
        yield batch


def _people() -> dict[str, Any]:
    """Admin, agent, token, customers and the second group, made through the operations."""
    from deskbell.kernel import clock
    from deskbell.kernel.actor import SYSTEM
    from deskbell.people.credentials import user_named
    from deskbell.people.models import Group, Identity, User, UserRole
    from deskbell.people.operations import NewUser, create_token, create_user, save_group

    at = clock.now()
    if not Group.objects.filter(pk=2).exists():
        save_group(None, {"name": "Sales", "email": "sales@example.com"}, actor=SYSTEM, at=at)
        save_group(1, {"email": "users@example.com"}, actor=SYSTEM, at=at)
    for login, roles in ((ADMIN_LOGIN, [1, 2, 4]), (AGENT_LOGIN, [1, 2, 4])):
        if user_named(login) is None:
            new = NewUser(email=login, firstname="Bench", lastname="Agent", password=PASSWORD)
            new.roles = roles
            create_user(new, actor=SYSTEM, at=at)
    agent = User.objects.get(identities__key=AGENT_LOGIN)
    _, secret = create_token(
        agent.pk, name="bench", permissions=None, expires_at=None, actor=SYSTEM, at=at
    )
    known = dict(User.objects.filter(email__startswith="customer").values_list("email", "id"))
    for index in range(corpus.CUSTOMERS):
        email = corpus.customer_email(index)
        if email not in known:
            user = User.objects.create(
                login=email,
                login_chosen=False,
                email=email,
                firstname=f"Customer{index}",
                lastname="Example",
                password="!",
                created_at=at,
                updated_at=at,
            )
            Identity.objects.create(key=email, user=user, is_login=True, is_email=True)
            UserRole.objects.create(user=user, role_id=3)
            known[email] = user.pk
    customers = [known[corpus.customer_email(index)] for index in range(corpus.CUSTOMERS)]
    return {"agent": agent, "token": secret, "customers": customers}


def _add(cases: list[corpus.Case], first_id: int, people: dict[str, Any]) -> None:
    from django.conf import settings
    from django.db import transaction

    from deskbell.kernel.models import Event
    from deskbell.tickets.models import Article, Ticket, TicketCount
    from deskbell.tickets.rules import number_for

    agent_id = people["agent"].pk
    tickets: list[Ticket] = []
    for id_, case in enumerate(cases, first_id):
        customer_id = people["customers"][case.customer]
        last = case.opened_at + timedelta(minutes=case.entries[-1].minutes)
        answered = case.opened_at + timedelta(minutes=case.entries[1].minutes)
        closed = case.status in (3, 4)
        tickets.append(
            Ticket(
                pk=id_,
                number=number_for(id_, settings.CONFIG.number_prefix),
                title=case.title,
                group_id=case.group,
                state_id=_STATES[case.status],
                priority_id=_PRIORITIES[case.priority],
                owner_id=agent_id if case.assigned else 1,
                customer_id=customer_id,
                description=case.entries[0].body,
                first_response_at=answered,
                last_contact_at=answered,
                last_contact_agent_at=answered,
                last_contact_customer_at=case.opened_at,
                last_owner_update_at=case.opened_at if case.assigned else None,
                close_at=last if closed else None,
                last_close_at=last if closed else None,
                create_article_type=11,
                create_article_sender=2,
                article_count=len(case.entries),
                created_via="import",
                created_by_id=agent_id,
                updated_by_id=agent_id,
                created_at=case.opened_at,
                updated_at=last,
            )
        )
    articles = [
        Article(
            ticket_id=ticket.pk,
            type=10 if not entry.public else 1 if entry.by_agent else 11,
            sender=1 if entry.by_agent else 2,
            from_address=(
                "Bench Agent"
                if entry.by_agent
                else f"Customer{case.customer} Example <{corpus.customer_email(case.customer)}>"
            ),
            to=corpus.customer_email(case.customer) if entry.by_agent and entry.public else None,
            subject="Ticket Opened" if not entry.by_agent else f"Comment {entry.minutes}",
            body=entry.body,
            internal=not entry.public,
            origin_by_id=None if entry.by_agent else ticket.customer_id,
            via="import",
            created_by_id=agent_id,
            updated_by_id=agent_id,
            created_at=(moment := case.opened_at + timedelta(minutes=entry.minutes)),
            updated_at=moment,
        )
        for ticket, case in zip(tickets, cases, strict=True)
        for entry in case.entries
    ]
    events = [
        Event(
            kind=kind,
            object="Ticket",
            object_id=ticket.pk,
            number=ticket.number,
            actor_kind="system",
            user_id=agent_id,
            via="import",
            at=at,
            changes=[{"attribute": attribute, "type": "created", "from": None, "to": to}],
        )
        for ticket, case in zip(tickets, cases, strict=True)
        for kind, attribute, to, at in _happened(case)
    ]
    with transaction.atomic():
        Ticket.objects.bulk_create(tickets, batch_size=500)
        Article.objects.bulk_create(articles, batch_size=500)
        Event.objects.bulk_create(events, batch_size=500)
        TicketCount.objects.bulk_create(
            [TicketCount(group_id=t.group_id, state_id=t.state_id, delta=1) for t in tickets],
            batch_size=1000,
        )
        _index(tickets, articles, people)
        _move_sequence(tickets[-1].pk)


def _happened(case: corpus.Case) -> Iterator[tuple[str, str, str, datetime]]:
    yield "TicketOpened", "ticket", case.title, case.opened_at
    for entry in case.entries[1:]:
        yield "TicketUpdated", "article", "", case.opened_at + timedelta(minutes=entry.minutes)


def _move_sequence(last_id: int) -> None:
    """Rows were given their ids; the next one the database gives must be a new one."""
    from django.db import connection

    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT setval(pg_get_serial_sequence('tickets_ticket', 'id'), %s)", [last_id]
            )


def _index(tickets: list[Any], articles: list[Any], people: dict[str, Any]) -> None:
    """What the search feature writes one by one, for many at once.

    The feature's own building blocks lay out the rows; :func:`_check_sample` proves the result.
    """
    from deskbell.people.models import User
    from deskbell.search import index
    from deskbell.search.fields import TEXT, WHOLE
    from deskbell.search.models import Entry

    persons = {
        user.pk: user
        for user in User.objects.filter(pk__in={*people["customers"], people["agent"].pk})
    }
    entries: list[Entry] = []
    vocabulary: set[str] = set()

    def keep(id_: int, row: Any, article_id: int | None) -> None:
        text = row.text()
        if text:
            entries.append(Entry(id=id_, article_id=article_id, words=text))
            vocabulary.update(row.vocabulary)

    for ticket in tickets:
        public = index._Row()
        public.add(TEXT["title"], [ticket.title])
        public.add(TEXT["number"], [ticket.number])
        for name, bare in (("customer", True), ("owner", False)):
            person = persons.get(getattr(ticket, f"{name}_id"))
            if person is None:
                continue
            for part in ("firstname", "lastname", "email", "login"):
                code = f"{name}.{part}"
                public.add(
                    TEXT[code],
                    [getattr(person, part)],
                    bare=bare,
                    whole=code in WHOLE,
                )
        keep(index.entry_id(ticket.pk, 0, fields=True, staff=False), public, None)
    for position, article in enumerate(articles):
        fields, body = index._Row(), index._Row()
        fields.add(TEXT["article.subject"], [article.subject])
        fields.add(TEXT["article.from"], [article.from_address])
        fields.add(TEXT["article.to"], [article.to])
        body.body(index.plain(article.body, article.content_type))
        ordinal = position % corpus.ARTICLES + 1
        for row, is_fields in ((fields, True), (body, False)):
            id_ = index.entry_id(
                article.ticket_id, ordinal, fields=is_fields, staff=article.internal
            )
            keep(id_, row, article.pk)
    Entry.objects.bulk_create(entries, batch_size=500)
    index._learn(vocabulary)


def _settle() -> None:
    """Leave the database as housekeeping would: counters rolled up, statistics taken."""
    from django.db import connection, transaction
    from django.db.models import Sum

    from deskbell.tickets.models import TicketCount

    with transaction.atomic():
        sums = list(
            TicketCount.objects.order_by()
            .values_list("group_id", "state_id")
            .annotate(total=Sum("delta"))
        )
        TicketCount.objects.all().delete()
        TicketCount.objects.bulk_create(
            TicketCount(group_id=group, state_id=state, delta=total)
            for group, state, total in sums
            if total
        )
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("VACUUM ANALYZE")
        else:
            cursor.execute("ANALYZE")
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")


class SeedIsWrong(AssertionError):
    """What was written in bulk is not what the desk writes itself."""


def _check_sample() -> None:
    """Have the search feature index some tickets again: nothing may change. Raises SeedIsWrong."""
    from django.db import transaction
    from django.db.models import Count

    from deskbell.search import index
    from deskbell.search.models import Entry
    from deskbell.tickets.models import Article, Ticket, TicketCount

    ids = list(Ticket.objects.filter(created_via="import").values_list("id", flat=True))
    for id_ in ids[:: max(1, len(ids) // SAMPLE)]:
        with transaction.atomic():
            span = Entry.objects.filter(
                id__gte=id_ << index.TICKET_SHIFT, id__lt=(id_ + 1) << index.TICKET_SHIFT
            )
            before = dict(span.values_list("id", "words"))
            index.rewrite_ticket(id_)
            if dict(span.values_list("id", "words")) != before:
                raise SeedIsWrong(f"the search entries of ticket {id_} differ from the desk's own")
            transaction.set_rollback(True)
    counted = sum(TicketCount.objects.values_list("delta", flat=True))
    if counted != Ticket.objects.count():
        raise SeedIsWrong(f"the counters say {counted} tickets")
    articles = Article.objects.filter(ticket_id__in=ids[:1000]).aggregate(n=Count("id"))["n"]
    if articles != corpus.ARTICLES * len(ids[:1000]):
        raise SeedIsWrong(f"{articles} articles belong to the first {len(ids[:1000])} tickets")


if __name__ == "__main__":
    main()
