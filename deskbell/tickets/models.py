"""The rows of the trade: states, priorities, tickets, articles, files, tags, links, fields.

Rules live in ``rules.py`` and ``operations/``; nothing here overrides ``save``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import models
from django.db.models.functions import Now

from deskbell.kernel.actor import NOBODY_ID
from deskbell.people.models import Group, Organization, Stamped, User
from deskbell.tickets.vocabulary import (
    ARTICLE_TYPE_NAMES,
    SENDER_NAMES,
    STATE_TYPE_NAMES,
    VIEWABLE,
    Sender,
    StateType,
)

if TYPE_CHECKING:
    from django.db.models.fields.related_descriptors import RelatedManager


class State(Stamped):
    """Where a ticket stands. ``helpdesk_number`` is what django-helpdesk and Jutda clients read."""

    name = models.CharField(max_length=250)
    name_key = models.CharField(max_length=500, unique=True)
    type = models.PositiveSmallIntegerField(
        choices=[(int(t), name) for t, name in STATE_TYPE_NAMES.items()]
    )
    helpdesk_number = models.PositiveSmallIntegerField()
    next_state = models.ForeignKey("self", models.SET_NULL, null=True, blank=True, related_name="+")
    ignore_escalation = models.BooleanField(default=False)
    default_create = models.BooleanField(default=False)
    default_follow_up = models.BooleanField(default=False)
    active = models.BooleanField(default=True)
    note = models.CharField(max_length=250, null=True, blank=True)

    def __str__(self) -> str:
        return self.name

    @property
    def kind(self) -> StateType:
        return StateType(self.type)


class Priority(Stamped):
    """How much a ticket matters. ``helpdesk_number`` counts from 1 (critical) to 5 (very low)."""

    name = models.CharField(max_length=250)
    name_key = models.CharField(max_length=500, unique=True)
    helpdesk_number = models.PositiveSmallIntegerField(default=3)
    default_create = models.BooleanField(default=False)
    ui_icon = models.CharField(max_length=100, null=True, blank=True)
    ui_color = models.CharField(max_length=100, null=True, blank=True)
    active = models.BooleanField(default=True)
    note = models.CharField(max_length=250, null=True, blank=True)

    def __str__(self) -> str:
        return self.name


class Ticket(models.Model):
    """One concern of one customer, from first contact to closing.

    ``owner`` is user 1 while nobody is in charge, ``customer`` is user 1 where none is known
    (decision 9). ``on_hold`` is the flag alone; dialects read it together with the state.
    ``custom`` holds the custom fields by name as stored by :mod:`deskbell.tickets.fields`.
    """

    number = models.CharField(max_length=64, unique=True)
    title = models.CharField(max_length=250)
    group = models.ForeignKey(Group, models.PROTECT, related_name="tickets")
    state = models.ForeignKey(State, models.PROTECT, related_name="tickets")
    priority = models.ForeignKey(Priority, models.PROTECT, related_name="tickets")
    owner = models.ForeignKey(User, models.PROTECT, related_name="owned_tickets", default=NOBODY_ID)
    customer = models.ForeignKey(User, models.PROTECT, related_name="tickets", default=NOBODY_ID)
    organization = models.ForeignKey(
        Organization, models.PROTECT, null=True, blank=True, related_name="tickets"
    )
    note = models.CharField(max_length=250, null=True, blank=True)
    type = models.CharField(max_length=100, null=True, blank=True)

    description = models.TextField(null=True, blank=True)
    resolution = models.TextField(null=True, blank=True)
    due_date = models.DateTimeField(null=True, blank=True)
    on_hold = models.BooleanField(default=False)
    merged_to = models.ForeignKey(
        "self", models.SET_NULL, null=True, blank=True, related_name="merged_from"
    )
    custom = models.JSONField(default=dict, blank=True)

    pending_time = models.DateTimeField(null=True, blank=True)
    first_response_at = models.DateTimeField(null=True, blank=True)
    first_response_escalation_at = models.DateTimeField(null=True, blank=True)
    first_response_in_min = models.IntegerField(null=True, blank=True)
    first_response_diff_in_min = models.IntegerField(null=True, blank=True)
    close_at = models.DateTimeField(null=True, blank=True)
    close_escalation_at = models.DateTimeField(null=True, blank=True)
    close_in_min = models.IntegerField(null=True, blank=True)
    close_diff_in_min = models.IntegerField(null=True, blank=True)
    update_escalation_at = models.DateTimeField(null=True, blank=True)
    update_in_min = models.IntegerField(null=True, blank=True)
    update_diff_in_min = models.IntegerField(null=True, blank=True)
    escalation_at = models.DateTimeField(null=True, blank=True)
    last_close_at = models.DateTimeField(null=True, blank=True)
    last_contact_at = models.DateTimeField(null=True, blank=True)
    last_contact_agent_at = models.DateTimeField(null=True, blank=True)
    last_contact_customer_at = models.DateTimeField(null=True, blank=True)
    last_owner_update_at = models.DateTimeField(null=True, blank=True)
    create_article_type = models.PositiveSmallIntegerField(null=True, blank=True)
    create_article_sender = models.PositiveSmallIntegerField(null=True, blank=True)
    article_count = models.PositiveIntegerField(null=True, blank=True)
    #: Seconds, the sum of the ticket's time entries; null while there is none.
    time_spent = models.PositiveBigIntegerField(null=True, blank=True)
    preferences = models.JSONField(default=dict, blank=True)
    created_via = models.CharField(max_length=10, default="system")

    created_by = models.ForeignKey(User, models.PROTECT, related_name="+", default=NOBODY_ID)
    updated_by = models.ForeignKey(User, models.PROTECT, related_name="+", default=NOBODY_ID)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    if TYPE_CHECKING:
        articles: RelatedManager[Article]
        ccs: RelatedManager[TicketCC]

    class Meta:
        indexes = [
            models.Index(fields=["group", "id"], name="ticket_by_group"),
            models.Index(fields=["state", "id"], name="ticket_by_state"),
            models.Index(fields=["group", "state", "updated_at", "id"], name="ticket_board"),
            models.Index(fields=["customer", "id"], name="ticket_by_customer"),
            models.Index(fields=["organization", "id"], name="ticket_by_organization"),
            models.Index(fields=["owner", "state", "updated_at", "id"], name="ticket_by_owner"),
            models.Index(
                fields=["group", "state", "updated_at", "id"],
                name="ticket_unassigned",
                condition=models.Q(owner=NOBODY_ID),
            ),
            models.Index(fields=["updated_at", "id"], name="ticket_recent"),
            models.Index(fields=["created_at", "id"], name="ticket_created"),
        ]

    def __str__(self) -> str:
        return f"[{self.number}] {self.title}"


class Article(models.Model):
    """One entry of a ticket: mail, note, call, web reply; public or ``internal``.

    django-helpdesk calls it followup: ``subject`` is its title, ``body`` its comment.
    ``email_recipients`` is the sorted list of addresses that the operation chose (decision 1);
    null only on imported rows. ``moved_from`` is the ticket it stood in before a merge.
    """

    ticket = models.ForeignKey(Ticket, models.CASCADE, related_name="articles")
    type = models.PositiveSmallIntegerField(
        choices=[(int(t), name) for t, name in ARTICLE_TYPE_NAMES.items()]
    )
    sender = models.PositiveSmallIntegerField(
        choices=[(int(s), name) for s, name in SENDER_NAMES.items()], default=Sender.AGENT
    )
    from_address = models.TextField(null=True, blank=True)
    to = models.TextField(null=True, blank=True)
    cc = models.TextField(null=True, blank=True)
    subject = models.TextField(null=True, blank=True)
    reply_to = models.TextField(null=True, blank=True)
    message_id = models.TextField(null=True, blank=True)
    #: MD5 of the Message-ID in hex: fixed length, so it can be indexed whatever arrives.
    message_id_md5 = models.CharField(max_length=32, null=True, blank=True)
    in_reply_to = models.TextField(null=True, blank=True)
    references = models.TextField(null=True, blank=True)
    content_type = models.CharField(max_length=20, default="text/plain")
    body = models.TextField(default="", blank=True)
    internal = models.BooleanField(default=False)
    #: The status number (1-5) a django-helpdesk client set with this entry, null if none.
    new_status = models.PositiveSmallIntegerField(null=True, blank=True)
    email_recipients = models.JSONField(null=True, blank=True)
    moved_from = models.BigIntegerField(null=True, blank=True)
    preferences = models.JSONField(default=dict, blank=True)
    origin_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    via = models.CharField(max_length=10, default="system")
    created_by = models.ForeignKey(User, models.PROTECT, related_name="+", default=NOBODY_ID)
    updated_by = models.ForeignKey(User, models.PROTECT, related_name="+", default=NOBODY_ID)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    if TYPE_CHECKING:
        attachments: RelatedManager[Attachment]

    class Meta:
        indexes = [
            models.Index(fields=["ticket", "created_at", "id"], name="article_of_ticket"),
            models.Index(fields=["created_at", "id"], name="article_by_date"),
            # Most entries of a desk may have none: counted with them, the database would think that
            # the index is of no use.
            models.Index(
                fields=["message_id_md5"],
                name="article_by_message_id",
                condition=models.Q(message_id_md5__isnull=False),
            ),
            models.Index(
                fields=["moved_from"],
                name="article_moved",
                condition=models.Q(moved_from__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.ticket_id}/{self.pk}"


class Blob(models.Model):
    """Bytes in the content-addressed store, named by their SHA-256; the same bytes once."""

    digest = models.CharField(max_length=64, primary_key=True)
    size = models.BigIntegerField()
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.digest


class Attachment(models.Model):
    """A file of an article. ``content_type`` is what was declared; what is served is ours.

    ``preferences`` are what Zammad clients see (``Mime-Type``, ``Content-ID`` …).
    """

    article = models.ForeignKey(Article, models.CASCADE, related_name="attachments")
    blob = models.ForeignKey(Blob, models.PROTECT, related_name="+", db_column="digest")
    filename = models.CharField(max_length=250)
    content_type = models.CharField(max_length=250, default="application/octet-stream")
    size = models.BigIntegerField()
    inline = models.BooleanField(default=False)
    content_id = models.CharField(max_length=250, default="", blank=True)
    preferences = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.filename


class Tag(models.Model):
    """A word on tickets."""

    name = models.CharField(max_length=250)
    name_key = models.CharField(max_length=500, unique=True)
    created_at = models.DateTimeField(db_default=Now())

    def __str__(self) -> str:
        return self.name


class TicketTag(models.Model):
    """A ticket bears a tag."""

    ticket = models.ForeignKey(Ticket, models.CASCADE, related_name="+")
    tag = models.ForeignKey(Tag, models.CASCADE, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["ticket", "tag"], name="tagged_once")]
        indexes = [models.Index(fields=["tag", "ticket"], name="tagged_with")]

    def __str__(self) -> str:
        return f"{self.ticket_id}:{self.tag_id}"


class Link(models.Model):
    """Two tickets belong together. ``type`` says what the source is to the target."""

    type = models.CharField(max_length=10, choices=[("normal", "normal"), ("parent", "parent")])
    source = models.ForeignKey(Ticket, models.CASCADE, related_name="links_out")
    target = models.ForeignKey(Ticket, models.CASCADE, related_name="links_in")
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["source", "target", "type"], name="linked_once"),
            models.CheckConstraint(
                condition=~models.Q(source=models.F("target")), name="not_linked_to_itself"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.source_id} {self.type} {self.target_id}"


class TicketCC(models.Model):
    """An address that gets copies of public entries."""

    ticket = models.ForeignKey(Ticket, models.CASCADE, related_name="ccs")
    email = models.CharField(max_length=254)
    email_key = models.CharField(max_length=508)
    user = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["ticket", "email_key"], name="cc_once")]

    def __str__(self) -> str:
        return self.email


class Mention(models.Model):
    """Somebody follows a ticket."""

    ticket = models.ForeignKey(Ticket, models.CASCADE, related_name="mentions")
    user = models.ForeignKey(User, models.CASCADE, related_name="+")
    created_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["ticket", "user"], name="mentioned_once")]

    def __str__(self) -> str:
        return f"{self.ticket_id}:{self.user_id}"


class TimeType(Stamped):
    """What recorded time was spent on: an activity that administrators name."""

    name = models.CharField(max_length=250)
    name_key = models.CharField(max_length=500, unique=True)
    note = models.CharField(max_length=250, null=True, blank=True)
    active = models.BooleanField(default=True)

    def __str__(self) -> str:
        return self.name


class TimeEntry(models.Model):
    """Time spent on a ticket, in whole seconds; at most one per article (decision 43)."""

    ticket = models.ForeignKey(Ticket, models.CASCADE, related_name="time_entries")
    article = models.OneToOneField(
        Article, models.CASCADE, null=True, blank=True, related_name="time_entry"
    )
    seconds = models.PositiveIntegerField()
    type = models.ForeignKey(TimeType, models.PROTECT, null=True, blank=True, related_name="+")
    created_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["created_at", "id"], name="time_by_date")]

    def __str__(self) -> str:
        return f"{self.ticket_id}: {self.seconds} s"


class RecentView(models.Model):
    """Somebody looked at something; one row per person and thing, which moves up when he returns.

    There is no foreign key to the thing: what is gone, or out of his sight by now, is left out when
    the rows are read.
    """

    user = models.ForeignKey(User, models.CASCADE, related_name="+", db_index=False)
    object = models.CharField(max_length=20, choices=[(name, name) for name in VIEWABLE])
    object_id = models.BigIntegerField()
    viewed_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "object", "object_id"], name="viewed_once")
        ]
        indexes = [models.Index(fields=["user", "-viewed_at", "-id"], name="viewed_by")]

    def __str__(self) -> str:
        return f"{self.user_id}: {self.object} {self.object_id}"


class CustomField(Stamped):
    """A field that this desk adds to tickets.

    Zammad clients see it as a top-level attribute ``name``, django-helpdesk and Jutda clients as
    ``custom_<name>``. ``groups`` limits where it is *required*; it is shown everywhere.
    """

    TYPES = [
        (t, t)
        for t in [
            "varchar",
            "text",
            "integer",
            "decimal",
            "list",
            "boolean",
            "date",
            "time",
            "datetime",
            "email",
            "url",
            "ipaddress",
            "slug",
        ]
    ]

    name = models.CharField(max_length=50, unique=True)
    label = models.CharField(max_length=100)
    type = models.CharField(max_length=20, choices=TYPES)
    help_text = models.CharField(max_length=500, default="", blank=True)
    max_length = models.PositiveIntegerField(null=True, blank=True)
    max_digits = models.PositiveIntegerField(null=True, blank=True)
    decimal_places = models.PositiveIntegerField(null=True, blank=True)
    choices = models.JSONField(default=list, blank=True)
    required = models.BooleanField(default=False)
    staff_only = models.BooleanField(default=False)
    order = models.IntegerField(default=0)
    active = models.BooleanField(default=True)
    groups = models.ManyToManyField(Group, blank=True, related_name="+")

    def __str__(self) -> str:
        return self.name


class TicketCount(models.Model):
    """Appended deltas: how many tickets a group has in a state; summed on reading (decision 39).

    Rows are only appended, so no two writers wait for one another; a periodic job rolls them up.
    """

    group = models.ForeignKey(Group, models.CASCADE, related_name="+", db_index=False)
    state = models.ForeignKey(State, models.CASCADE, related_name="+", db_index=False)
    delta = models.IntegerField()

    class Meta:
        indexes = [models.Index(fields=["group", "state", "delta"], name="count_of_group")]

    def __str__(self) -> str:
        return f"{self.group_id}/{self.state_id}: {self.delta:+d}"
