"""How the desk is: what a monitoring system asks for, and the token it asks with."""

from __future__ import annotations

import hmac
import os
import secrets
from collections import Counter
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import Max, Sum
from django.utils.crypto import salted_hmac

from deskbell.api.zammad.encode.values import stamp_of
from deskbell.api.zammad.models import MonitoringKey
from deskbell.kernel import jobs
from deskbell.kernel.jobs.presence import last_heartbeat
from deskbell.mail.intake import fetching
from deskbell.mail.models import MailState, OutgoingMail
from deskbell.mail.sending import routes
from deskbell.people.models import Group, User, UserRole
from deskbell.tickets.models import Article, Blob, CustomField, Ticket, TicketCount

#: So long work may wait before somebody should look.
BEHIND_AFTER = timedelta(minutes=15)
MAIL_BEHIND_AFTER = timedelta(hours=1)
#: Workers report every few seconds.
SILENT_AFTER = timedelta(minutes=2)
_NAMED_AT_MOST = 10
_COUNTED_AT_MOST = 1000
_KEY_ID = 1


def token(*, at: datetime) -> str:
    """The token of the monitoring routes; made at the first call."""
    key, _made = MonitoringKey.objects.get_or_create(
        pk=_KEY_ID, defaults={"salt": secrets.token_urlsafe(32), "made_at": at}
    )
    return _token_of(key)


def new_token(*, at: datetime) -> str:
    """Another token; the former one is worth nothing from now on."""
    salt = secrets.token_urlsafe(32)
    key, _made = MonitoringKey.objects.update_or_create(
        pk=_KEY_ID, defaults={"salt": salt, "made_at": at}
    )
    return _token_of(key)


def is_token(given: str) -> bool:
    """Whether this is the token. In constant time; never, where none was made yet."""
    key = MonitoringKey.objects.filter(pk=_KEY_ID).first()
    return key is not None and hmac.compare_digest(_token_of(key).encode(), given.encode())


def _token_of(key: MonitoringKey) -> str:
    """Only the salt is stored: a copy of the database alone opens nothing."""
    return salted_hmac("deskbell.monitoring", key.salt, algorithm="sha256").hexdigest()


def issues(*, at: datetime) -> list[str]:
    """What somebody should look at, in sentences; nothing of what tickets say."""
    return [*_of_jobs(at=at), *_of_mail(at=at), *_of_data()]


def _of_jobs(*, at: datetime) -> list[str]:
    found = []
    dead = list(jobs.dead_letters().values_list("task", flat=True)[:_COUNTED_AT_MOST])
    if dead:
        found.append(f"{len(dead)} failing background jobs")
    for number, (task, count) in enumerate(Counter(dead).most_common(_NAMED_AT_MOST), start=1):
        found.append(f"Failed to run background job #{number} '{task}' {count} time(s).")
    oldest = jobs.counts(at=at)["oldest_due_at"]
    if oldest is not None and at - oldest > BEHIND_AFTER:
        minutes = (at - oldest) // timedelta(minutes=1)
        found.append(f"background jobs wait since {minutes} minutes")
    heard = last_heartbeat()
    if heard is None or at - heard > SILENT_AFTER:
        found.append("no worker is running")
    return found


def _of_mail(*, at: datetime) -> list[str]:
    found = []
    failed = OutgoingMail.objects.filter(state=MailState.FAILED)[:_COUNTED_AT_MOST].count()
    if failed:
        found.append(f"{failed} messages could not be sent")
    waiting = OutgoingMail.objects.filter(
        state__in=[MailState.QUEUED, MailState.SENDING], created_at__lt=at - MAIL_BEHIND_AFTER
    )
    late = waiting[:_COUNTED_AT_MOST].count()
    if late:
        found.append(f"{late} messages wait to be sent since more than an hour")
    found += [f"Channel {each.name}: {said}" for each, said in fetching.problems(at=at)]
    found += [f"Route {each.name}: {each.alarm}" for each in routes.in_trouble()]
    return found


def _of_data() -> list[str]:
    writable = os.access(settings.CONFIG.data, os.W_OK | os.X_OK)
    return [] if writable else ["the data directory cannot be written to"]


def status() -> dict[str, Any]:
    """How much there is, and when the last came."""
    kinds: dict[str, Any] = {
        "users": User,
        "groups": Group,
        "tickets": Ticket,
        "ticket_articles": Article,
        "object_manager_attributes": CustomField,
    }
    counts = {key: model.objects.count() for key, model in kinds.items() if key != "tickets"}
    # Summed from the counters: tickets are many.
    counts["tickets"] = TicketCount.objects.aggregate(n=Sum("delta"))["n"] or 0
    latest = {
        key: model.objects.order_by("-id").values_list("created_at", flat=True).first()
        for key, model in kinds.items()
    }
    agents = UserRole.objects.filter(
        user__active=True,
        role__active=True,
        role__permissions__active=True,
        role__permissions__name__in=("ticket", "ticket.agent"),
    )
    size = Blob.objects.aggregate(n=Sum("size"))["n"] or 0
    return {
        "counts": {key: counts[key] for key in kinds},
        "last_created_at": {key: stamp_of(at) for key, at in latest.items()},
        "last_login": stamp_of(User.objects.aggregate(at=Max("last_login"))["at"]),
        "agents": agents.values("user").distinct().count(),
        "storage": {"kB": size // 1024, "MB": size // 1024**2, "GB": size // 1024**3},
    }


def opened_since(moment: datetime) -> int:
    """How many tickets were opened since a moment."""
    return Ticket.objects.filter(created_at__gte=moment).count()
