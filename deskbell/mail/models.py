"""What the desk owes to mailboxes, one row per entry and address; and what came in from them."""

from __future__ import annotations

from datetime import timedelta

from django.db import models

from deskbell.people.models import Group, Stamped
from deskbell.tickets.models import Article
from deskbell.tickets.rules import Occasion, Part


class MailState(models.TextChoices):
    """Where a message stands.

    ``held`` waits until its moment has come, and may be taken back until somebody begins to send
    it; ``sending`` was begun, and after a crash is begun again; ``failed`` waits for a person, who
    finds the cause in ``reason``. ``sent`` was taken by a server; ``delivered``: the recipient's
    server said that it has it; ``bounced``: it came back.
    """

    HELD = "held"
    QUEUED = "queued"
    SENDING = "sending"
    SENT = "sent"
    DELIVERED = "delivered"
    FAILED = "failed"
    BOUNCED = "bounced"


#: Still owed to somebody, and nobody has to do anything about it.
UNDER_WAY = (MailState.QUEUED, MailState.SENDING)
#: What a person may try again.
CAME_TO_GRIEF = (MailState.FAILED, MailState.BOUNCED)
#: How long a reply that was written in the workspace is held (decision 16).
HELD_FOR = timedelta(seconds=10)


class RouteKind(models.TextChoices):
    """How messages leave the desk: through a mail server, or a mail provider's HTTP interface."""

    SMTP = "smtp"
    PROVIDER = "provider"


class MailRoute(Stamped):
    """A way out for mail. Groups may name theirs; the others' mail takes the default one.

    ``settings`` are those of its kind (see :mod:`deskbell.mail.sending.routes`), ``secret`` is its
    password or API key with whatever else must not be read, encrypted. ``key`` names the route in
    addresses that a provider calls. ``alarm`` says in one sentence why mail does not get out,
    since ``alarm_since``; empty means well.
    """

    name = models.CharField(max_length=100)
    name_key = models.CharField(max_length=200, unique=True)
    key = models.CharField(max_length=40, unique=True)
    kind = models.CharField(max_length=10, choices=RouteKind)
    active = models.BooleanField(default=True)
    is_default = models.BooleanField(default=False)
    settings = models.JSONField(default=dict, blank=True)
    secret = models.TextField(default="", blank=True)
    used_at = models.DateTimeField(null=True, blank=True)
    alarm = models.TextField(default="", blank=True)
    alarm_since = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["is_default"],
                name="one_default_route",
                condition=models.Q(is_default=True),
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Language(models.TextChoices):
    """The languages in which the desk writes."""

    ENGLISH = "en"
    GERMAN = "de"


class Quoting(models.TextChoices):
    """How much of what was written before stands below a letter."""

    NONE = "none"
    LAST = "last"
    ALL = "all"


class GroupSending(models.Model):
    """How a group's mail goes out, where that is not as usual.

    ``route`` null takes the default one, ``language`` empty the desk's, for recipients whose own
    is not known. ``quoting``: the entries below a letter.
    """

    group = models.OneToOneField(Group, models.CASCADE, related_name="+")
    route = models.ForeignKey(MailRoute, models.SET_NULL, null=True, blank=True, related_name="+")
    language = models.CharField(max_length=5, choices=Language, default="", blank=True)
    quoting = models.CharField(max_length=5, choices=Quoting, default=Quoting.LAST)

    def __str__(self) -> str:
        return f"{self.group_id}"


class MailText(Stamped):
    """Words of the desk's own messages, where they are not the built-in ones.

    ``name`` is one of :data:`deskbell.mail.writing.texts.TEXTS`. A group's text goes before
    that of all groups (``group`` null).
    """

    name = models.CharField(max_length=40)
    language = models.CharField(max_length=5, choices=Language)
    group = models.ForeignKey(Group, models.CASCADE, null=True, blank=True, related_name="+")
    body = models.TextField(default="", blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["name", "language", "group"], name="text_of_group_once"
            ),
            models.UniqueConstraint(
                fields=["name", "language"], name="text_once", condition=models.Q(group=None)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.language}"


class OutgoingMail(models.Model):
    """One message to one address about one entry; rendering and sending are a job.

    ``part`` and ``occasion`` are those of :class:`~deskbell.tickets.rules.Owed`. ``staff_only``
    says that the entry was internal when the message was owed. ``attempts`` counts hand-overs
    that were begun; a message ``sent`` with none was recorded, not sent by this desk. ``reason``
    is why the last attempt failed, in the server's words where it had some. ``route`` is the one it
    took (null: the desk's own setting), ``provider_id`` what a mail provider calls it, by which
    its reports name it. The row goes with its article; a job that finds none has nothing to do.
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
    route = models.ForeignKey(
        MailRoute, models.SET_NULL, null=True, blank=True, related_name="+", db_index=False
    )
    provider_id = models.CharField(max_length=255, null=True, blank=True)
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
            models.Index(
                fields=["provider_id"],
                name="mail_by_provider_id",
                condition=models.Q(provider_id__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.article_id} to {self.address}"

    @property
    def job_key(self) -> str:
        """The unique key of the job that sends it: two never run at the same time."""
        return f"mail:{self.pk}"


class ChannelKind(models.TextChoices):
    """How messages reach the desk.

    The first three are asked by the desk; ``listener``, ``pipe`` and ``webhook`` bring messages.
    """

    IMAP = "imap"
    POP3 = "pop3"
    MAILDIR = "maildir"
    LISTENER = "listener"
    PIPE = "pipe"
    WEBHOOK = "webhook"


#: Those the desk asks for messages, each at its own interval.
ASKED = frozenset({ChannelKind.IMAP, ChannelKind.POP3, ChannelKind.MAILDIR})


class MailChannel(Stamped):
    """A way in for mail, and the group whose tickets it becomes.

    ``settings`` are those of its kind (see :mod:`deskbell.mail.intake.channels`), ``secret`` is its
    password, encrypted. ``interval`` counts seconds between two looks. ``cursor`` is how far a
    mailbox was read. ``alarm`` says in one sentence what is wrong, since ``alarm_since``; empty
    means well. Until ``watched_until`` one worker keeps a connection that waits for new mail.
    ``key`` is what the secret address of a webhook is made of; another one is another address.
    """

    name = models.CharField(max_length=100)
    name_key = models.CharField(max_length=200, unique=True)
    kind = models.CharField(max_length=10, choices=ChannelKind)
    group = models.ForeignKey(Group, models.PROTECT, related_name="+")
    active = models.BooleanField(default=True)
    interval = models.PositiveIntegerField(default=60)
    settings = models.JSONField(default=dict, blank=True)
    secret = models.TextField(default="", blank=True)
    key = models.CharField(max_length=64, default="", blank=True)
    cursor = models.JSONField(default=dict, blank=True)
    look_at = models.DateTimeField(null=True, blank=True)
    checked_at = models.DateTimeField(null=True, blank=True)
    succeeded_at = models.DateTimeField(null=True, blank=True)
    received_at = models.DateTimeField(null=True, blank=True)
    alarm = models.TextField(default="", blank=True)
    alarm_since = models.DateTimeField(null=True, blank=True)
    watched_until = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [models.Index(fields=["active", "look_at"], name="channel_due")]

    def __str__(self) -> str:
        return self.name


class Fate(models.TextChoices):
    """What became of a message that came in."""

    NEW_TICKET = "new_ticket"
    FOLLOW_UP = "follow_up"
    BOUNCE = "bounce"
    IGNORED = "ignored"
    REFUSED = "refused"
    UNREADABLE = "unreadable"


class IncomingMail(models.Model):
    """One message that came in: where its bytes are, and what became of it.

    ``key`` is what the mailbox calls it (``validity:uid``, a UIDL), once per channel. ``copy_of``
    names the row with the same bytes that came before. ``told_at`` is when the mailbox heard that
    the desk has it. ``fate`` is empty while it waits; ``reason`` says why, for people. Ticket and
    article are plain ids: they may be deleted, what happened stays. ``external_key`` is the number
    under which another ticket system wrote. Without a ``place`` the bytes are not kept (any more).
    """

    channel = models.ForeignKey(MailChannel, models.SET_NULL, null=True, related_name="+")
    key = models.CharField(max_length=255, null=True, blank=True)
    place = models.CharField(max_length=120)
    digest = models.CharField(max_length=64)
    copy_of = models.ForeignKey("self", models.SET_NULL, null=True, blank=True, related_name="+")
    size = models.BigIntegerField()
    received_at = models.DateTimeField()
    told_at = models.DateTimeField(null=True, blank=True)
    fate = models.CharField(max_length=12, choices=Fate, default="", blank=True)
    reason = models.TextField(default="", blank=True)
    attempts = models.PositiveIntegerField(default=0)
    handled_at = models.DateTimeField(null=True, blank=True)
    ticket_id = models.BigIntegerField(null=True, blank=True)
    article_id = models.BigIntegerField(null=True, blank=True)
    message_id = models.CharField(max_length=255, default="", blank=True)
    sender = models.CharField(max_length=254, default="", blank=True)
    sender_key = models.CharField(max_length=508, default="", blank=True)
    subject = models.CharField(max_length=400, default="", blank=True)
    external_key = models.CharField(max_length=64, default="", blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["channel", "key"], name="taken_once"),
            models.UniqueConstraint(
                fields=["digest"], name="content_once", condition=models.Q(copy_of=None)
            ),
        ]
        indexes = [
            models.Index(
                fields=["channel", "id"], name="incoming_waiting", condition=models.Q(fate="")
            ),
            models.Index(
                fields=["channel", "id"], name="incoming_untold", condition=models.Q(told_at=None)
            ),
            models.Index(fields=["fate", "id"], name="incoming_by_fate"),
            models.Index(fields=["message_id"], name="incoming_message_id"),
            models.Index(fields=["article_id"], name="incoming_article"),
            models.Index(fields=["sender_key", "handled_at"], name="incoming_by_sender"),
            models.Index(fields=["ticket_id", "handled_at"], name="incoming_by_ticket"),
            models.Index(
                fields=["external_key"],
                name="incoming_external",
                condition=models.Q(external_key__gt=""),
            ),
            models.Index(
                fields=["handled_at"], name="incoming_raw", condition=models.Q(place__gt="")
            ),
        ]

    def __str__(self) -> str:
        return f"{self.pk}: {self.fate or 'waits'}"


class DeadAddress(models.Model):
    """An address that a server said does not exist: nothing more is sent there.

    A message from it, or somebody who tries again, brings it back to life.
    """

    key = models.CharField(max_length=508, unique=True)
    address = models.CharField(max_length=254)
    reason = models.TextField(default="", blank=True)
    since = models.DateTimeField()

    def __str__(self) -> str:
        return self.address


class IgnoreRule(Stamped):
    """Messages that become nothing, or are never answered; for a group or for all.

    ``address`` is a sender; ``domain`` its domain with all below it; ``header`` is ``Name: words``,
    which must stand in that field (without words: the field must be there). ``key`` is what a
    message is looked up by: ``address:a@b.c``, ``domain:b.c``, ``header:x-spam``. ``caught`` counts
    messages, the last one at ``caught_at``.
    """

    class What(models.TextChoices):
        ADDRESS = "address"
        DOMAIN = "domain"
        HEADER = "header"

    class Action(models.TextChoices):
        IGNORE = "ignore"
        QUIET = "quiet"

    what = models.CharField(max_length=10, choices=What)
    pattern = models.CharField(max_length=300)
    key = models.CharField(max_length=620, default="")
    action = models.CharField(max_length=10, choices=Action, default=Action.IGNORE)
    group = models.ForeignKey(Group, models.CASCADE, null=True, blank=True, related_name="+")
    active = models.BooleanField(default=True)
    caught = models.PositiveIntegerField(default=0)
    caught_at = models.DateTimeField(null=True, blank=True)
    note = models.CharField(max_length=250, default="", blank=True)

    class Meta:
        indexes = [models.Index(fields=["key"], name="ignore_by_key")]

    def __str__(self) -> str:
        return f"{self.what} {self.pattern}"


class MailPolicy(Stamped):
    """The rules for incoming mail that an administrator sets: one row, of what differs from usual.

    See :mod:`deskbell.mail.policy`.
    """

    values = models.JSONField(default=dict, blank=True)

    def __str__(self) -> str:
        return "mail policy"
