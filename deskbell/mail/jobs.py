"""The jobs of mail."""

from __future__ import annotations

from datetime import datetime, timedelta

from django_tasks.base import TaskContext

from deskbell.kernel import clock
from deskbell.kernel.jobs import periodic, task

#: With the pauses of the queue about two days, in which most mail servers come back.
MAX_ATTEMPTS = 24


# Whoever only enqueues (a web process) imports this module; what renders and sends is loaded by
# those who do.


@task(queue_name="mail", priority=10, max_attempts=MAX_ATTEMPTS, takes_context=True)
def deliver(context: TaskContext, mail_id: int) -> None:
    """Send one owed message."""
    from deskbell.mail.sending import delivery

    delivery.deliver(
        mail_id,
        attempt=context.attempt,
        last=context.attempt >= MAX_ATTEMPTS,
        at=clock.now(),
    )


def enqueue(mail_id: int, *, key: str) -> None:
    """Enqueue one message, unless its job waits already."""
    deliver.using(unique_key=key).enqueue(mail_id)


@periodic(every=timedelta(minutes=10))
@task(queue_name="mail", priority=-50)
def look_after() -> int:
    """Find messages that no job takes care of any more."""
    from deskbell.mail.sending import delivery

    return delivery.look_after(at=clock.now())


@task(queue_name="mail-in", priority=10, max_attempts=MAX_ATTEMPTS)
def handle(channel_id: int) -> int:
    """Handle what waits of one channel, in the order it came; how many messages."""
    from deskbell.mail.intake import handling

    return handling.handle_waiting(channel_id)


@task(queue_name="mail-in", max_attempts=5)
def fetch(channel_id: int) -> int:
    """Look into one mailbox; how many messages were taken. Failures are the channel's alarm.

    Tried again only where the worker was killed, or failed as nobody expected.
    """
    from deskbell.mail.intake import fetching

    return fetching.fetch(channel_id, at=clock.now())


def _is_any_due(at: datetime) -> bool:
    from deskbell.mail.intake import fetching

    return fetching.due(at=at).exists()


@periodic(every=timedelta(seconds=15), unless_idle=_is_any_due)
@task(queue_name="mail-in")
def fetch_due() -> int:
    """Have every mailbox looked into whose time has come."""
    from deskbell.mail.intake import fetching

    return fetching.enqueue_due(at=clock.now())


@periodic(every=timedelta(minutes=5))
@task(queue_name="mail-in", priority=-50)
def handle_left() -> int:
    """Have messages handled that wait without a job; of how many channels."""
    from deskbell.mail.intake import handling

    return handling.look_after(at=clock.now())


@periodic(every=timedelta(hours=6))
@task(queue_name="mail-in")
def rescan() -> int:
    """Enter messages that were kept, but whose row a crash prevented; how many.

    Also enqueued whenever a worker starts.
    """
    from deskbell.mail.intake import taking

    return taking.rescan(at=clock.now())


@periodic(every=timedelta(hours=6))
@task(queue_name="mail-in", priority=-50)
def forget_old() -> int:
    """Remove the bytes of messages that were kept long enough; of how many."""
    from deskbell.mail.intake import retention

    return retention.forget_old(at=clock.now())
