"""People and what they may do: users, organizations, groups, roles, tokens.

A *group* (django-helpdesk and Jutda: queue) is the team responsible for a ticket; it lives here
because access is granted on it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models
from django.db.models.functions import Now

from deskbell.kernel.actor import NOBODY_ID

if TYPE_CHECKING:
    from django.db.models.fields.related_descriptors import RelatedManager


class Stamped(models.Model):
    """Who made a row and when, who changed it last and when (UTC)."""

    created_by = models.ForeignKey(
        "people.User", models.PROTECT, related_name="+", default=NOBODY_ID
    )
    updated_by = models.ForeignKey(
        "people.User", models.PROTECT, related_name="+", default=NOBODY_ID
    )
    created_at = models.DateTimeField(db_default=Now())
    updated_at = models.DateTimeField(db_default=Now())

    class Meta:
        abstract = True


class Organization(Stamped):
    """The company a customer belongs to. ``shared``: its members see each other's tickets."""

    name = models.CharField(max_length=150)
    name_key = models.CharField(max_length=300, unique=True)
    shared = models.BooleanField(default=True)
    domain = models.CharField(max_length=250, default="", blank=True)
    domain_assignment = models.BooleanField(default=False)
    active = models.BooleanField(default=True)
    vip = models.BooleanField(default=False)
    note = models.CharField(max_length=5000, default="", blank=True)

    def __str__(self) -> str:
        return self.name


class UserManager(BaseUserManager["User"]):
    def get_by_natural_key(self, username: str | None) -> User:
        """The user who signs in by a login or an address, whatever its case (decision 7)."""
        from deskbell.kernel.text import fold

        return self.get(identities__key=fold(username or ""))


class User(AbstractBaseUser, Stamped):
    """One person, whatever the roles. User 1 is nobody: ``-``, inactive, cannot sign in.

    ``login`` and ``email`` share one identity space, see :class:`Identity`. ``login_chosen`` is
    false for a customer made from an address (decision 6): such a row may be claimed.
    """

    login = models.CharField(max_length=255)
    login_chosen = models.BooleanField(default=True)
    email = models.CharField(max_length=254, default="", blank=True)
    firstname = models.CharField(max_length=150, default="", blank=True)
    lastname = models.CharField(max_length=150, default="", blank=True)
    organization = models.ForeignKey(
        Organization, models.PROTECT, null=True, blank=True, related_name="members"
    )
    organizations = models.ManyToManyField(
        Organization, blank=True, related_name="secondary_members"
    )
    roles: models.ManyToManyField[Role, UserRole] = models.ManyToManyField(
        "people.Role", through="people.UserRole", related_name="users"
    )
    active = models.BooleanField(default=True)
    verified = models.BooleanField(default=False)
    vip = models.BooleanField(default=False)
    image = models.CharField(max_length=100, null=True, blank=True)
    image_source = models.CharField(max_length=200, null=True, blank=True)
    web = models.CharField(max_length=100, default="", blank=True)
    phone = models.CharField(max_length=100, default="", blank=True)
    fax = models.CharField(max_length=100, default="", blank=True)
    mobile = models.CharField(max_length=100, default="", blank=True)
    department = models.CharField(max_length=200, null=True, blank=True)
    street = models.CharField(max_length=120, default="", blank=True)
    zip = models.CharField(max_length=100, default="", blank=True)
    city = models.CharField(max_length=100, default="", blank=True)
    country = models.CharField(max_length=100, default="", blank=True)
    address = models.CharField(max_length=500, null=True, blank=True)
    note = models.CharField(max_length=5000, default="", blank=True)
    source = models.CharField(max_length=200, null=True, blank=True)
    login_failed = models.IntegerField(default=0)
    out_of_office = models.BooleanField(default=False)
    out_of_office_start_at = models.DateField(null=True, blank=True)
    out_of_office_end_at = models.DateField(null=True, blank=True)
    out_of_office_replacement = models.ForeignKey(
        "self", models.SET_NULL, null=True, blank=True, related_name="+"
    )
    preferences = models.JSONField(default=dict, blank=True)
    #: Kinds of mail the person does not want: ``assigned``, ``apichange``.
    mail_optout = models.JSONField(default=list, blank=True)

    USERNAME_FIELD = "login"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    objects = UserManager()

    if TYPE_CHECKING:
        identities: RelatedManager[Identity]
        group_grants: RelatedManager[UserGroup]

    class Meta:
        indexes = [
            models.Index(fields=["organization", "id"], name="user_by_organization"),
            models.Index(fields=["active", "updated_at", "id"], name="user_recent"),
        ]

    def __str__(self) -> str:
        return self.login

    @property
    def is_active(self) -> bool:  # type: ignore[override]
        """Django's word for ``active``; the base class has a constant there."""
        return self.active

    @property
    def full_name(self) -> str:
        """First and last name; empty where neither is known."""
        return f"{self.firstname} {self.lastname}".strip()

    @property
    def display_name(self) -> str:
        """What people call the person: the name, else the login."""
        return self.full_name or self.login


class Identity(models.Model):
    """A name under which somebody signs in or is addressed: the folded login and address.

    One row per key is what makes "login and e-mail share one identity space" hold under any
    concurrency: the second writer meets the primary key.
    """

    key = models.CharField(max_length=300, primary_key=True)
    user = models.ForeignKey(User, models.CASCADE, related_name="identities")
    is_login = models.BooleanField(default=False)
    is_email = models.BooleanField(default=False)

    def __str__(self) -> str:
        return self.key


class EmailAddress(Stamped):
    """An address of the desk's own, from which groups write; ``name`` stands before it.

    One row per address, whatever its case. An inactive one is no group's address any more, and
    still the desk's own: mail is never sent there.
    """

    name = models.CharField(max_length=150, default="", blank=True)
    email = models.CharField(max_length=254)
    email_key = models.CharField(max_length=508, unique=True)
    active = models.BooleanField(default=True)
    note = models.CharField(max_length=250, default="", blank=True)
    preferences = models.JSONField(default=dict, blank=True)

    def __str__(self) -> str:
        return self.email


class Group(Stamped):
    """The team responsible for a ticket; django-helpdesk and Jutda call it a queue."""

    FOLLOW_UP = [
        ("yes", "always"),
        ("new_ticket", "never, a new ticket instead"),
        ("new_ticket_after_certain_time", "within some days"),
    ]

    name = models.CharField(max_length=160)
    name_key = models.CharField(max_length=320, unique=True)
    slug = models.SlugField(max_length=50, unique=True)
    parent = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="+")
    email_address = models.ForeignKey(
        EmailAddress, models.PROTECT, null=True, blank=True, related_name="groups"
    )
    #: The name the group writes under, where it is not that of the address.
    sender_name = models.CharField(max_length=150, default="", blank=True)
    new_ticket_cc = models.JSONField(default=list, blank=True)
    updated_ticket_cc = models.JSONField(default=list, blank=True)
    default_owner = models.ForeignKey(
        User, models.SET_NULL, null=True, blank=True, related_name="+"
    )
    escalate_days = models.PositiveIntegerField(null=True, blank=True)
    follow_up_possible = models.CharField(max_length=40, choices=FOLLOW_UP, default="yes")
    reopen_time_in_days = models.PositiveIntegerField(null=True, blank=True)
    follow_up_assignment = models.BooleanField(default=True)
    assignment_timeout = models.IntegerField(null=True, blank=True)
    shared_drafts = models.BooleanField(default=True)
    active = models.BooleanField(default=True)
    note = models.CharField(max_length=250, default="", blank=True)

    def __str__(self) -> str:
        return self.name

    @property
    def email(self) -> str:
        """The address the group writes from; empty where it has none, or an inactive one."""
        address = self.email_address
        return address.email if address is not None and address.active else ""

    @property
    def name_last(self) -> str:
        """The last part of a nested name ``A::B``."""
        return self.name.rsplit("::", 1)[-1]


class Permission(models.Model):
    """A named right, spelled as Zammad spells it; ``admin`` includes ``admin.user``."""

    name = models.CharField(max_length=100, unique=True)
    note = models.CharField(max_length=500, default="", blank=True)
    preferences = models.JSONField(default=dict, blank=True)
    active = models.BooleanField(default=True)
    created_at = models.DateTimeField(db_default=Now())
    updated_at = models.DateTimeField(db_default=Now())

    def __str__(self) -> str:
        return self.name


class Role(Stamped):
    """A set of permissions and group access. ``every_group`` grants ``full`` on all groups."""

    name = models.CharField(max_length=100)
    name_key = models.CharField(max_length=200, unique=True)
    permissions = models.ManyToManyField(Permission, blank=True, related_name="roles")
    preferences = models.JSONField(default=dict, blank=True)
    default_at_signup = models.BooleanField(default=False)
    every_group = models.BooleanField(default=False)
    active = models.BooleanField(default=True)
    note = models.CharField(max_length=250, default="", blank=True)

    if TYPE_CHECKING:
        group_grants: RelatedManager[RoleGroup]

    def __str__(self) -> str:
        return self.name


class UserRole(models.Model):
    """A person has a role."""

    user = models.ForeignKey(User, models.CASCADE, related_name="+")
    role = models.ForeignKey(Role, models.PROTECT, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "role"], name="user_has_role_once")]

    def __str__(self) -> str:
        return f"{self.user_id}:{self.role_id}"


class UserGroup(models.Model):
    """A personal grant: the person has this level on the group."""

    user = models.ForeignKey(User, models.CASCADE, related_name="group_grants")
    group = models.ForeignKey(Group, models.CASCADE, related_name="user_grants")
    level = models.CharField(max_length=10)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "group", "level"], name="user_level_once")
        ]

    def __str__(self) -> str:
        return f"{self.user_id}:{self.group_id}:{self.level}"


class RoleGroup(models.Model):
    """A grant through a role: everyone in the role has this level on the group."""

    role = models.ForeignKey(Role, models.CASCADE, related_name="group_grants")
    group = models.ForeignKey(Group, models.CASCADE, related_name="role_grants")
    level = models.CharField(max_length=10)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["role", "group", "level"], name="role_level_once")
        ]

    def __str__(self) -> str:
        return f"{self.role_id}:{self.group_id}:{self.level}"


class ApiToken(models.Model):
    """A secret that signs in for a user. Only the SHA-256 of the secret is stored.

    ``permissions`` narrows the user's rights; null means no narrowing (an imported key).
    Expired from the start of ``expires_at`` (a date, UTC).
    """

    user = models.ForeignKey(User, models.CASCADE, related_name="tokens")
    name = models.CharField(max_length=250, default="")
    digest = models.CharField(max_length=64, unique=True)
    permissions = models.JSONField(null=True, blank=True)
    expires_at = models.DateField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(db_default=Now())
    updated_at = models.DateTimeField(db_default=Now())

    def __str__(self) -> str:
        return f"{self.user_id}:{self.name}"


class SignInFailure(models.Model):
    """A refused password, kept some minutes to slow guessing down on every node (decision 26)."""

    account = models.CharField(max_length=64)
    network = models.CharField(max_length=64)
    at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["account", "network", "at"], name="failure_recent")]

    def __str__(self) -> str:
        return f"{self.network} {self.at}"
