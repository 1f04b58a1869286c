"""What agents are told inside the desk: one row per agent and occasion."""

from __future__ import annotations

from django.db import models

from deskbell.kernel.actor import NOBODY_ID
from deskbell.people.models import User
from deskbell.tickets.models import Ticket


class Occasion(models.IntegerChoices):
    """Why somebody is told; the names are Zammad's, in preferences and in answers."""

    CREATE = 1, "create"
    UPDATE = 2, "update"
    REMINDER_REACHED = 3, "reminder_reached"
    ESCALATION = 4, "escalation"


class OnlineNotification(models.Model):
    """An agent is told that something happened to a ticket. Goes with the ticket.

    ``updated_at`` moves when the row becomes seen or unseen; equal to ``created_at`` until then.
    """

    ticket = models.ForeignKey(Ticket, models.CASCADE, related_name="+", db_index=False)
    user = models.ForeignKey(User, models.CASCADE, related_name="+", db_index=False)
    type = models.PositiveSmallIntegerField(choices=Occasion.choices)
    seen = models.BooleanField(default=False)
    created_by = models.ForeignKey(
        User, models.SET_DEFAULT, default=NOBODY_ID, related_name="+", db_index=False
    )
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    class Meta:
        indexes = [
            models.Index(fields=["user", "id"], name="notification_of_user"),
            models.Index(fields=["ticket", "user"], name="notification_of_ticket"),
            # What the badge of every page counts.
            models.Index(
                fields=["user", "ticket"],
                name="notification_unseen",
                condition=models.Q(seen=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user_id}: {self.get_type_display()} {self.ticket_id}"


class Reminder(models.Model):
    """The moment a ticket was put off to has come, and its agents were told: once per moment."""

    ticket = models.ForeignKey(Ticket, models.CASCADE, related_name="+", db_index=False)
    due_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["ticket", "due_at"], name="reminded_once")]

    def __str__(self) -> str:
        return f"{self.ticket_id} {self.due_at}"
