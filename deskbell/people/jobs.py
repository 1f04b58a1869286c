"""What the people's storey does for itself, now and then."""

from __future__ import annotations

from datetime import timedelta

from django.contrib.sessions.models import Session

from deskbell.kernel import clock
from deskbell.kernel.jobs import periodic, task
from deskbell.people import credentials


@periodic(every=timedelta(minutes=5))
@task(priority=-60)
def forget_failures() -> int:
    """Delete refused sign-ins that no longer slow anybody down."""
    return credentials.forget_old_failures(at=clock.now())


@periodic(every=timedelta(hours=6))
@task(priority=-60)
def clear_sessions() -> int:
    """Delete sessions that have expired."""
    return Session.objects.filter(expire_date__lt=clock.now()).delete()[0]
