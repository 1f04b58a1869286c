"""What the desk owes to mailboxes, one row per entry and address."""

from __future__ import annotations

from django.db import models

from deskbell.tickets.models import Article
from deskbell.tickets.rules import Occasion, Part


class MailState(models.TextChoices):
    """Where a message stands.

    ``held`` waits for somebody to let it go; ``sending`` was begun, and after a crash is begun
    again; ``failed`` waits for a person, who finds the cause in ``reason``.
    """

    HELD = "held"
    QUEUED = "queued"
    SENDING = "sending"
    SENT = "sent"
    FAILED = "failed"


#: Still owed to somebody, and nobody has to do anything about it.
UNDER_WAY = (MailState.QUEUED, MailState.SENDING)


class OutgoingMail(models.Model):
    """One message to one address about one entry; rendering and sending are a job.

    ``part`` and ``occasion`` are those of :class:`~deskbell.tickets.rules.Owed`. ``staff_only``
    says that the entry was internal when the message was owed. ``attempts`` counts hand-overs
    that were begun; a message ``sent`` with none was recorded, not sent by this desk. ``reason``
    is why the last attempt failed, in the server's words where it had some. The row goes with its
    article; a job that finds none has nothing to do.
    """

    article = models.ForeignKey(Article, models.CASCADE, related_name="+", db_index=False)
    address = models.CharField(max_length=254)
    address_key = models.CharField(max_length=508)
    part = models.CharField(max_length=20, choices=[(p.value, p.value) for p in Part])
    occasion = models.CharField(max_length=20, choices=[(o.value, o.value) for o in Occasion])
    staff_only = models.BooleanField(default=False)
    state = models.CharField(max_length=10, choices=MailState, default=MailState.QUEUED)
    reason = models.TextField(default="", blank=True)
    attempts = models.PositiveIntegerField(default=0)
    #: With its angle brackets.
    message_id = models.CharField(max_length=255)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["article", "address_key"], name="mailed_once"),
        ]
        indexes = [
            models.Index(fields=["message_id"], name="mail_by_message_id"),
            models.Index(fields=["state", "id"], name="mail_by_state"),
        ]

    def __str__(self) -> str:
        return f"{self.article_id} to {self.address}"

    @property
    def job_key(self) -> str:
        """The unique key of the job that sends it: two never run at the same time."""
        return f"mail:{self.pk}"
