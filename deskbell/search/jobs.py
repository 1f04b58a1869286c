"""Indexing that may take long: after a rename, and of everything."""

from __future__ import annotations

from typing import Literal

from django.db import transaction
from django.db.models import Q

from deskbell.kernel.jobs import task
from deskbell.search import index
from deskbell.tickets.models import Ticket, TicketTag

BATCH = 200


@task(queue_name="search")
def rewrite_tickets_of(
    what: Literal["user", "organization", "tag"], id_: int, after: int = 0
) -> None:
    """Index the tickets of a person, an organization or a tag again, a batch at a time.

    Each batch puts the next one into the queue in its own transaction, so a stop loses nothing
    and no other job waits behind a customer of many tickets.
    """
    theirs = {
        "user": Q(customer_id=id_) | Q(owner_id=id_),
        "organization": Q(organization_id=id_),
        "tag": Q(pk__in=TicketTag.objects.filter(tag_id=id_).values("ticket")),
    }[what]
    with transaction.atomic():
        ids = list(
            Ticket.objects.filter(theirs, pk__gt=after)
            .order_by("pk")
            .values_list("pk", flat=True)[:BATCH]
        )
        for ticket_id in ids:
            index.write_ticket(ticket_id)
        if len(ids) == BATCH:
            rewrite_tickets_of.enqueue(what, id_, ids[-1])


@task(queue_name="search")
def rewrite_tickets(ids: list[int]) -> None:
    """Index these tickets again, as far as they are still there."""
    with transaction.atomic():
        for ticket_id in (
            Ticket.objects.filter(pk__in=ids).order_by("pk").values_list("pk", flat=True)
        ):
            index.write_ticket(ticket_id)


@task(queue_name="search", max_attempts=3)
def rebuild() -> None:
    """Write the whole index anew."""
    for _ in index.rebuild():
        pass
    index.forget_unused_words()
