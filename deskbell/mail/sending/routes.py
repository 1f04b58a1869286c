"""Mail routes: what each kind must know; how they are made, changed, removed; which one is taken.

A message takes the route that its group names, else the default one, else ``DESKBELL_SMTP_URL``,
else it becomes a file in the outbox folder. A route that is not in use is passed over.
"""

from __future__ import annotations

import json
import logging
import secrets as chance
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from importlib.util import find_spec
from typing import Any, ClassVar, Literal

from django.db import transaction
from django.db.models import Exists, OuterRef, Q

from deskbell.kernel.actor import Actor
from deskbell.kernel.errors import Invalid, Unknown
from deskbell.mail import administering, secrets, typed
from deskbell.mail.models import GroupSending, Language, MailRoute, Quoting, RouteKind
from deskbell.mail.servers import Authentication, InboundProvider, MailServer, Security
from deskbell.mail.trouble import SENTENCE_LIMIT
from deskbell.people.models import Group

#: Characters of a password, an API key or a refresh token.
SECRET_LIMIT = 4000
USE_NOTED_EVERY = timedelta(minutes=1)
_RESOURCE = "mail route"

log = logging.getLogger("deskbell.mail")

ProviderName = Literal[InboundProvider, "scaleway", "unisender_go"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SmtpSettings(MailServer):
    """A mail server that takes mail for anybody."""

    USUAL_PORTS: ClassVar[Mapping[Security, int]] = {"tls": 465, "starttls": 587, "none": 25}

    security: Security = "starttls"
    authentication: Authentication = "password"
    token_url: str = ""
    client_id: str = ""
    scope: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderSettings:
    """A mail provider, and what django-anymail calls its settings; each has some of them."""

    provider: ProviderName
    api_url: str = ""
    sender_domain: str = ""
    message_stream: str = ""
    subaccount: str = ""
    sandbox_id: str = ""
    project_id: str = ""
    region: str = ""
    access_key_id: str = ""
    configuration_set_name: str = ""


@dataclass(frozen=True, slots=True)
class Provider:
    """What a provider is called, the settings and secrets it has, and those it cannot do without.

    The first secret is the one that sends; the others check what the provider reports.
    """

    label: str
    secrets: tuple[str, ...]
    settings: tuple[str, ...] = ()
    needed: tuple[str, ...] = ()
    #: A package without which it cannot be used, where that is not installed with the desk.
    package: str = ""


PROVIDERS: Mapping[str, Provider] = {
    "amazon_ses": Provider(
        "Amazon SES",
        ("secret_access_key",),
        ("access_key_id", "region", "configuration_set_name"),
        ("secret_access_key", "access_key_id", "region"),
        "boto3",
    ),
    "brevo": Provider("Brevo", ("api_key",), needed=("api_key",)),
    "mailersend": Provider("MailerSend", ("api_token", "signing_secret"), needed=("api_token",)),
    "mailgun": Provider(
        "Mailgun", ("api_key", "webhook_signing_key"), ("sender_domain",), ("api_key",)
    ),
    "mailjet": Provider("Mailjet", ("api_key", "secret_key"), needed=("api_key", "secret_key")),
    "mailtrap": Provider("Mailtrap", ("api_token",), ("sandbox_id",), ("api_token",)),
    "mandrill": Provider("Mandrill", ("api_key", "webhook_key"), needed=("api_key",)),
    "postal": Provider("Postal", ("api_key", "webhook_key"), needed=("api_key", "api_url")),
    "postmark": Provider("Postmark", ("server_token",), ("message_stream",), ("server_token",)),
    "resend": Provider("Resend", ("api_key", "signing_secret"), needed=("api_key",)),
    "scaleway": Provider(
        "Scaleway", ("secret_key",), ("project_id", "region"), ("secret_key", "project_id")
    ),
    "sendgrid": Provider(
        "SendGrid", ("api_key", "tracking_webhook_verification_key"), needed=("api_key",)
    ),
    "sparkpost": Provider("SparkPost", ("api_key",), ("subaccount",), ("api_key",)),
    "unisender_go": Provider("Unisender Go", ("api_key",), needed=("api_key", "api_url")),
}

SMTP_SECRETS = ("password", "client_secret")
SHAPES: Mapping[str, type[Any]] = {
    RouteKind.SMTP: SmtpSettings,
    RouteKind.PROVIDER: ProviderSettings,
}


def settings_for(kind: str, provider: str = "") -> list[typed.Setting]:
    """The settings that a kind has (of providers: the provider chosen), in order."""
    every = typed.settings_of(SHAPES[kind])
    if kind == RouteKind.SMTP:
        return list(every)
    # SES is reached through a region, everybody else has an address.
    own = {*PROVIDERS[provider].settings, *(() if provider == "amazon_ses" else ("api_url",))}
    return [each for each in every if each.name in own]


def secrets_for(kind: str, provider: str = "") -> tuple[str, ...]:
    """The names of what must not be read by anybody."""
    return SMTP_SECRETS if kind == RouteKind.SMTP else PROVIDERS[provider].secrets


def settings_of(route: MailRoute) -> Any:
    """The typed settings of a stored route."""
    return checked_settings(route.kind, route.settings)


def secrets_of(route: MailRoute) -> dict[str, str]:
    """The secrets of a stored route by name. Raises :class:`deskbell.mail.secrets.Unreadable`."""
    found: dict[str, str] = json.loads(secrets.opened(route.secret) or "{}")
    return found


def checked_settings(kind: str, given: Mapping[str, Any]) -> Any:
    """Settings of a kind from what was given. Raises :class:`Invalid`, the field as ``host``."""
    values = typed.checked(SHAPES[kind], given)
    if kind == RouteKind.SMTP:
        needed = ["host"]
        if values.get("authentication") == "oauth2":
            needed += ["login", "token_url", "client_id"]
    else:
        provider = PROVIDERS.get(values.get("provider", ""))
        if provider is None:
            raise Invalid("provider", "required")
        needed = [name for name in provider.needed if name not in provider.secrets]
    for name in needed:
        if not values.get(name):
            raise Invalid(name, "required")
    url = values.get("api_url", "")
    if url and not url.startswith(("https://", "http://")):
        raise Invalid("api_url", "bad", url)
    return SHAPES[kind](**values)


@dataclass(slots=True, kw_only=True)
class NewRoute:
    """A route as an administrator describes it. A secret that is not named stays as it is."""

    name: str
    kind: str
    settings: Mapping[str, Any]
    secrets: Mapping[str, str]
    is_default: bool = False
    active: bool = True


@transaction.atomic
def save_route(
    given: NewRoute, *, route_id: int | None = None, actor: Actor, at: datetime
) -> MailRoute:
    """Make a route, or change one; its kind and provider stay.

    Raises :class:`Forbidden` (``admin.channel_email``), :class:`Unknown`, :class:`Invalid`:
    ``name`` ``required``/``too_long``/``taken``, ``kind`` ``not_selectable``, a secret
    ``required``/``too_long``/``bad``, ``provider`` ``not_installed``, and what
    :func:`checked_settings` raises.
    """
    require(actor)
    route = route_for(actor, route_id) if route_id else MailRoute(kind=given.kind)
    if given.kind not in SHAPES or given.kind != route.kind:
        raise Invalid("kind", "not_selectable", given.kind)
    administering.give_name(route, given.name, others=MailRoute.objects.all())
    stored = asdict(checked_settings(given.kind, given.settings))
    if route.pk and stored.get("provider") != route.settings.get("provider"):
        raise Invalid("provider", "not_selectable", stored.get("provider"))
    route.secret = _sealed(route, stored.get("provider", ""), given.secrets, stored)
    route.settings = stored
    route.active, route.is_default = given.active, given.is_default
    route.alarm, route.alarm_since = "", None
    if given.is_default:
        MailRoute.objects.filter(is_default=True).exclude(pk=route.pk).update(is_default=False)
    if route._state.adding:
        route.key = chance.token_urlsafe(24)
    administering.stamp(route, actor=actor, at=at)
    route.save()
    return route


def _sealed(
    route: MailRoute, provider: str, given: Mapping[str, str], settings: Mapping[str, Any]
) -> str:
    """The route's secrets with those that were given, encrypted."""
    names = secrets_for(route.kind, provider)
    package = PROVIDERS[provider].package if provider else ""
    if package and find_spec(package) is None:
        raise Invalid("provider", "not_installed", package)
    try:
        kept = secrets_of(route)
    except secrets.Unreadable:
        # Stored under another key: what is not entered again is lost anyway.
        kept = {}
    for name, value in given.items():
        if name not in names:
            raise Invalid(name, "unknown", None)
        kept[name] = typed.text(name, value, limit=SECRET_LIMIT)
    needed = PROVIDERS[provider].needed if provider else ()
    if not provider and settings["login"] and settings["authentication"] == "password":
        needed = ("password",)
    for name in needed:
        if name in names and not kept.get(name):
            raise Invalid(name, "required")
    return secrets.sealed(json.dumps({name: kept[name] for name in names if kept.get(name)}))


def unsaved(given: NewRoute, *, known: Mapping[str, str]) -> MailRoute:
    """A route to be tried before it is saved, with secrets that are ``known`` unless given.

    Raises :class:`Invalid` as saving would.
    """
    if given.kind not in SHAPES:
        raise Invalid("kind", "not_selectable", given.kind)
    stored = asdict(checked_settings(given.kind, given.settings))
    route = MailRoute(name=given.name, kind=given.kind, settings=stored)
    every = {**known, **given.secrets}
    route.secret = _sealed(route, stored.get("provider", ""), every, stored)
    return route


@transaction.atomic
def delete_route(route_id: int, *, actor: Actor, at: datetime) -> None:
    """Remove a route; its groups' mail takes the default one. Raises as :func:`route_for`."""
    route_for(actor, route_id).delete()


def require(actor: Actor) -> None:
    """Raise :class:`Forbidden` unless the actor administers mail routes."""
    administering.require(actor, _RESOURCE)


def route_for(actor: Actor, route_id: int) -> MailRoute:
    """A route, for whoever administers them. Raises :class:`Forbidden`, :class:`Unknown`."""
    return administering.row_for(actor, MailRoute.objects.all(), route_id, resource=_RESOURCE)


# --- how they fare -------------------------------------------------------------------------------


def in_trouble() -> list[MailRoute]:
    """Routes through which mail does not get out, by name."""
    rows = MailRoute.objects.filter(active=True).exclude(alarm="")
    return list(rows.order_by("name_key", "id"))


def note_trouble(route: MailRoute, sentence: str, *, at: datetime) -> None:
    """Note why mail does not get out this way, since when."""
    ours = MailRoute.objects.filter(pk=route.pk, updated_at=route.updated_at)
    begins = ours.filter(alarm_since=None).update(alarm_since=at)
    ours.update(alarm=sentence[:SENTENCE_LIMIT])
    if begins:
        log.warning("mail route alarm", extra={"route": route.name, "reason": sentence})


def note_use(route: MailRoute, *, at: datetime) -> None:
    """Note that mail got out this way, at most once a minute; an alarm ends."""
    ours = MailRoute.objects.filter(pk=route.pk, updated_at=route.updated_at)
    if route.alarm_since is not None and ours.update(alarm="", alarm_since=None, used_at=at):
        log.info("mail route works again", extra={"route": route.name})
    elif route.used_at is None or at - route.used_at >= USE_NOTED_EVERY:
        ours.update(used_at=at)


# --- groups --------------------------------------------------------------------------------------


def taken_by(group_id: int) -> MailRoute | None:
    """The route that a group's mail takes; ``None``: that of the desk's own settings."""
    own = GroupSending.objects.filter(group_id=group_id, route_id=OuterRef("pk"))
    routes = MailRoute.objects.filter(active=True).annotate(own=Exists(own))
    return routes.filter(Q(own=True) | Q(is_default=True)).order_by("-own").first()


def sending_of(group_id: int) -> GroupSending:
    """How the group's mail goes out; an unsaved row with the usual values where nobody said."""
    found = GroupSending.objects.filter(group_id=group_id).first()
    return found or GroupSending(group_id=group_id)


@transaction.atomic
def save_sending(
    group_id: int,
    *,
    actor: Actor,
    route_id: int | Literal["keep"] | None = "keep",
    language: str | None = None,
    quoting: str | None = None,
) -> GroupSending:
    """Change how a group's mail goes out; what is not named stays.

    Raises :class:`Forbidden`, :class:`Unknown` for the group, :class:`Invalid`: ``route``
    ``unknown``, ``language`` and ``quoting`` ``not_selectable``.
    """
    require(actor)
    if not Group.objects.filter(pk=group_id).exists():
        raise Unknown("group", group_id)
    sending = sending_of(group_id)
    if route_id != "keep":
        if route_id is not None and not MailRoute.objects.filter(pk=route_id).exists():
            raise Invalid("route", "unknown", route_id)
        sending.route_id = route_id
    if language is not None:
        if language and language not in Language.values:
            raise Invalid("language", "not_selectable", language)
        sending.language = language
    if quoting is not None:
        if quoting not in Quoting.values:
            raise Invalid("quoting", "not_selectable", quoting)
        sending.quoting = quoting
    sending.save()
    return sending
