"""Migrate the peer, fill it with the same tickets as everybody, and print who may sign in how.

Usage, in the peer's environment: ``prepare.py TICKETS``. Prints one JSON object.
"""

import json
import os
import sys
from datetime import timedelta
from itertools import islice

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "settings")

import django

django.setup()

from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY, get_user_model
from django.contrib.sessions.backends.db import SessionStore
from django.core.management import call_command
from helpdesk.models import FollowUp, Queue, Ticket
from rest_framework.authtoken.models import Token

from bench import corpus

PASSWORD = "correct horse battery staple"


def main() -> None:
    call_command("migrate", verbosity=0)
    User = get_user_model()
    user = User.objects.filter(username="bench").first()
    if user is None:
        user = User.objects.create_superuser("bench", "bench@example.com", PASSWORD)
    for title in ("Users", "Sales"):
        Queue.objects.get_or_create(
            slug=title.lower(),
            defaults={"title": title, "email_address": f"{title.lower()}@example.com"},
        )
    present = Ticket.objects.count()
    walker = islice(corpus.cases(int(sys.argv[1])), present, None)
    while batch := list(islice(walker, 1000)):
        add(batch, user)
    session = SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.create()
    ids = list(Ticket.objects.order_by("id").values_list("id", "submitter_email"))
    told = {
        "login": user.username,
        "password": PASSWORD,
        "token": Token.objects.get_or_create(user=user)[0].key,
        "session": session.session_key,
        "tickets": len(ids),
        "sample": [ids[i * len(ids) // 97] for i in range(97)],
    }
    print(json.dumps(told))


def add(cases: list[corpus.Case], user: object) -> None:
    queues = list(Queue.objects.order_by("id"))
    tickets = Ticket.objects.bulk_create(
        Ticket(
            queue=queues[case.group - 1],
            title=case.title,
            description=case.entries[0].body,
            submitter_email=corpus.customer_email(case.customer),
            priority=case.priority,
            status=case.status,
            assigned_to=user if case.assigned else None,
            created=case.opened_at,
            modified=case.opened_at,
        )
        for case in cases
    )
    FollowUp.objects.bulk_create(
        [
            FollowUp(
                ticket=ticket,
                title="Ticket Opened" if not entry.by_agent else f"Comment {entry.minutes}",
                comment=entry.body,
                public=entry.public,
                user=user,
                date=case.opened_at + timedelta(minutes=entry.minutes),
            )
            for ticket, case in zip(tickets, cases, strict=True)
            for entry in case.entries
        ],
        batch_size=1000,
    )


main()
