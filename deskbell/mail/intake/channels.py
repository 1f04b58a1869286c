"""Mail channels: what each kind needs to know, and making, changing and removing them."""

from __future__ import annotations

import secrets as chance
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import PurePosixPath
from typing import Any, ClassVar, Literal

from django.db import transaction

from deskbell.kernel.actor import Actor
from deskbell.kernel.errors import Invalid, Unknown
from deskbell.mail import administering, secrets, typed
from deskbell.mail.intake import webhooks
from deskbell.mail.models import ChannelKind, MailChannel
from deskbell.mail.servers import Authentication, InboundProvider, MailServer, Security
from deskbell.people.models import Group

SHORTEST_INTERVAL, LONGEST_INTERVAL = 5, 24 * 3600

#: What becomes of a message in its mailbox once the desk has it.
After = Literal["seen", "keep", "delete", "move"]
#: Which messages are fetched when a mailbox is looked at for the first time.
Start = Literal["unseen", "all", "now"]
#: Settings that are stored encrypted, and never shown.
SECRET_SETTINGS = frozenset({"client_secret", "api_key"})
_SEALED = "sealed:"
_RESOURCE = "mail channel"


@dataclass(frozen=True, slots=True, kw_only=True)
class ImapSettings(MailServer):
    """An IMAP mailbox. OAuth2 needs the four fields at the end."""

    USUAL_PORTS: ClassVar[Mapping[Security, int]] = {"tls": 993, "starttls": 143, "none": 143}

    folder: str = "INBOX"
    after: After = "seen"
    move_to: str = ""
    start: Start = "unseen"
    idle: bool = True
    authentication: Authentication = "password"
    token_url: str = ""
    client_id: str = ""
    client_secret: str = ""
    scope: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pop3Settings(MailServer):
    """A POP3 mailbox; ``after`` is ``keep`` or ``delete``."""

    USUAL_PORTS: ClassVar[Mapping[Security, int]] = {"tls": 995, "starttls": 110, "none": 110}

    after: Literal["keep", "delete"] = "keep"
    start: Literal["all", "now"] = "all"


@dataclass(frozen=True, slots=True, kw_only=True)
class MaildirSettings:
    """A Maildir on this machine; taken messages go to its ``cur`` folder or are removed."""

    path: str
    after: Literal["seen", "delete"] = "seen"


@dataclass(frozen=True, slots=True, kw_only=True)
class ListenerSettings:
    """Mail for these addresses, offered to ``deskbell mail listen`` by a mail server.

    Without addresses: for the address of the channel's group.
    """

    addresses: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PipeSettings:
    """Messages handed to ``deskbell mail receive``: nothing to set."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookSettings:
    """Messages posted by a mail provider, named as django-anymail names it.

    ``api_key`` fetches what some providers do not post. The channel's password is the key of the
    provider's signatures, or ``user:password`` by which a provider names itself that signs nothing.
    """

    provider: InboundProvider
    api_key: str = ""


Settings = (
    ImapSettings
    | Pop3Settings
    | MaildirSettings
    | ListenerSettings
    | PipeSettings
    | WebhookSettings
)

SETTINGS: Mapping[str, type[Any]] = {
    ChannelKind.IMAP: ImapSettings,
    ChannelKind.POP3: Pop3Settings,
    ChannelKind.MAILDIR: MaildirSettings,
    ChannelKind.LISTENER: ListenerSettings,
    ChannelKind.PIPE: PipeSettings,
    ChannelKind.WEBHOOK: WebhookSettings,
}


def settings_of(channel: MailChannel) -> Any:
    """The typed settings of a stored channel."""
    return checked_settings(channel.kind, channel.settings)


def checked_settings(kind: str, given: Mapping[str, Any]) -> Any:
    """Settings of a kind from what was given. Raises :class:`Invalid`, the field as ``host``."""
    shape = SETTINGS[kind]
    known = {setting.name for setting in typed.settings_of(shape)}
    values = typed.checked(shape, {name: _opened(name, value) for name, value in given.items()})
    for name in ("host", "path", "provider"):
        if name in known and not values.get(name):
            raise Invalid(name, "required")
    if values.get("after") == "move" and not values.get("move_to"):
        raise Invalid("move_to", "required")
    if values.get("authentication") == "oauth2":
        for name in ("token_url", "client_id"):
            if not values.get(name):
                raise Invalid(name, "required")
    provider = webhooks.PROVIDERS.get(values.get("provider", ""))
    if provider and provider.api and not values.get("api_key"):
        raise Invalid("api_key", "required")
    if "path" in values and not PurePosixPath(values["path"]).is_absolute():
        raise Invalid("path", "bad", values["path"])
    return shape(**values)


def _opened(name: str, value: Any) -> Any:
    """A setting as it was given, whether it is stored encrypted or not (yet)."""
    if name not in SECRET_SETTINGS or not isinstance(value, str) or not value.startswith(_SEALED):
        return value
    try:
        return secrets.opened(value.removeprefix(_SEALED))
    except secrets.Unreadable as error:
        raise Invalid(name, "required") from error


def _stored(checked: Any) -> dict[str, Any]:
    """Settings as they are stored: what nobody may read is encrypted."""
    values = asdict(checked)
    for name in SECRET_SETTINGS & values.keys():
        values[name] = values[name] and _SEALED + secrets.sealed(values[name])
    return values


@dataclass(slots=True, kw_only=True)
class NewChannel:
    """A channel as an administrator describes it. ``password`` ``None`` keeps the stored one."""

    name: str
    kind: str
    group_id: int
    settings: Mapping[str, Any]
    password: str | None = None
    interval: int = 60
    active: bool = True


@transaction.atomic
def save_channel(
    given: NewChannel, *, channel_id: int | None = None, actor: Actor, at: datetime
) -> MailChannel:
    """Make a channel, or change one; its kind stays.

    Raises :class:`Forbidden` (``admin.channel_email``), :class:`Unknown`, :class:`Invalid`:
    ``name`` ``required``/``too_long``/``taken``, ``kind`` ``not_selectable``, ``group_id``
    ``unknown``, ``interval`` ``bad``, ``password`` ``required`` where a provider signs what it
    posts, and what :func:`checked_settings` raises.
    """
    require(actor)
    channel = channel_for(actor, channel_id) if channel_id else MailChannel(kind=given.kind)
    if given.kind not in SETTINGS or given.kind != channel.kind:
        raise Invalid("kind", "not_selectable", given.kind)
    administering.give_name(channel, given.name, others=MailChannel.objects.all())
    if not Group.objects.filter(pk=given.group_id).exists():
        raise Invalid("group_id", "unknown", given.group_id)
    if not SHORTEST_INTERVAL <= given.interval <= LONGEST_INTERVAL:
        raise Invalid("interval", "bad", given.interval)
    stored = _stored(checked_settings(given.kind, given.settings))
    if channel.pk and _place(stored) != _place(channel.settings):
        channel.cursor = {}
    channel.group_id, channel.settings = given.group_id, stored
    channel.interval, channel.active = given.interval, given.active
    if given.password is not None:
        channel.secret = secrets.sealed(given.password)
    channel.alarm, channel.alarm_since, channel.look_at = "", None, at
    if given.kind == ChannelKind.WEBHOOK:
        if webhooks.PROVIDERS[stored["provider"]].must_sign and not channel.secret:
            raise Invalid("password", "required")
        channel.key = channel.key or _new_key()
    administering.stamp(channel, actor=actor, at=at)
    channel.save()
    return channel


def _new_key() -> str:
    return chance.token_urlsafe(24)


@transaction.atomic
def renew_address(channel_id: int, *, actor: Actor, at: datetime) -> MailChannel:
    """Give a webhook another secret address; the one before is nobody's from now on.

    Raises as :func:`channel_for`; a channel without such an address is unknown, too.
    """
    channel = channel_for(actor, channel_id)
    if channel.kind != ChannelKind.WEBHOOK:
        raise Unknown("webhook", channel_id)
    channel.key = _new_key()
    channel.updated_by_id, channel.updated_at = actor.user_id, at
    channel.save(update_fields=["key", "updated_by", "updated_at"])
    return channel


def _place(settings: Mapping[str, Any]) -> tuple[Any, ...]:
    """What makes a mailbox another one, whose messages were not seen yet."""
    return tuple(settings.get(name) for name in ("host", "login", "folder", "path"))


@transaction.atomic
def delete_channel(channel_id: int, *, actor: Actor, at: datetime) -> None:
    """Remove a channel; what came through it stays. Raises as :func:`channel_for`."""
    channel_for(actor, channel_id).delete()


def require(actor: Actor) -> None:
    """Raise :class:`Forbidden` unless the actor administers mail channels."""
    administering.require(actor, _RESOURCE)


def channel_for(actor: Actor, channel_id: int) -> MailChannel:
    """A channel, for whoever administers them. Raises :class:`Forbidden`, :class:`Unknown`."""
    rows = MailChannel.objects.select_related("group")
    return administering.row_for(actor, rows, channel_id, resource=_RESOURCE)
