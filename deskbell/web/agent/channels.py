"""Mail channels in the browser, for who administers them: what they are, and how they fare."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.db import transaction
from django.http import QueryDict
from django.http.response import HttpResponseBase, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext, gettext_lazy

from deskbell.kernel.clock import now
from deskbell.kernel.errors import Invalid
from deskbell.mail import typed
from deskbell.mail.administering import NAME_LIMIT
from deskbell.mail.intake import channels, fetching, webhooks
from deskbell.mail.jobs import fetch
from deskbell.mail.models import ASKED, ChannelKind, MailChannel
from deskbell.mail.trouble import Trouble
from deskbell.people.models import Group
from deskbell.web.agent import mail_settings
from deskbell.web.agent.lists import rail
from deskbell.web.shared.controls import Control, Option, id_of, sentence, show_problem
from deskbell.web.shared.pages import DeskRequest, Read, page, signed_in

Addresses = ("GET", "HEAD", "POST")


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of channel that can be made here."""

    value: str
    label: Any
    hint: Any


KINDS = (
    Kind("imap", "IMAP", gettext_lazy("A mailbox at your provider or on your server. Usual.")),
    Kind("pop3", "POP3", gettext_lazy("A mailbox whose provider offers nothing else.")),
    Kind("maildir", "Maildir", gettext_lazy("A folder on this machine that a mail server fills.")),
    Kind(
        "listener",
        "SMTP / LMTP",
        gettext_lazy("Your mail server delivers to “deskbell mail listen”."),
    ),
    Kind("pipe", gettext_lazy("Pipe"), gettext_lazy("A program runs “deskbell mail receive”.")),
    Kind(
        "webhook",
        gettext_lazy("Mail provider"),
        gettext_lazy("Mailgun, Postmark, Amazon SES and others post what comes to an address."),
    ),
)
_BY_VALUE = {kind.value: kind for kind in KINDS}

_LABELS: dict[str, Any] = {
    **mail_settings.LABELS,
    "folder": gettext_lazy("Folder"),
    "after": gettext_lazy("What becomes of fetched mail"),
    "move_to": gettext_lazy("Move it to the folder"),
    "start": gettext_lazy("At the first look fetch"),
    "idle": gettext_lazy("Hear of new mail at once (IDLE)"),
    "path": gettext_lazy("Path of the Maildir"),
    "addresses": gettext_lazy("Addresses"),
    "provider": gettext_lazy("Provider"),
}
_HINTS: dict[str, Any] = {
    **mail_settings.HINTS,
    "login": gettext_lazy("Often the whole address."),
    "client_secret": gettext_lazy("Never shown. Empty keeps the stored one."),
    "api_key": gettext_lazy(
        "For Brevo, Mailtrap and Resend, who do not post everything. Never shown; empty keeps it."
    ),
    "addresses": gettext_lazy(
        "Separated by commas; @host takes all of a host. Empty: the group's."
    ),
}
_CHOICES: dict[str, Any] = {
    **mail_settings.CHOICES,
    "none": gettext_lazy("none: the password crosses the network in clear"),
    "seen": gettext_lazy("It is marked as read"),
    "keep": gettext_lazy("It stays as it is"),
    "delete": gettext_lazy("It is deleted"),
    "move": gettext_lazy("It is moved to another folder"),
    "unseen": gettext_lazy("what nobody has read"),
    "all": gettext_lazy("everything"),
    "now": gettext_lazy("nothing, only what comes from now on"),
    **{name: provider.label for name, provider in webhooks.PROVIDERS.items()},
}
#: Never sent to a browser.
_SECRET = channels.SECRET_SETTINGS
_PASSWORDS = {
    "": gettext_lazy("Password"),
    "imap": gettext_lazy("Password, or refresh token"),
    "webhook": gettext_lazy("Signing key"),
}
_KEEPS = {"maildir": {"seen": gettext_lazy("It is put into “cur”, as read")}}


class Form:
    """What a channel is asked for; ``present`` is the one to be changed."""

    def __init__(self, kind: Kind, present: MailChannel | None = None) -> None:
        self.kind = kind
        self.present = present
        self.settings = typed.settings_of(channels.SETTINGS[kind.value])
        stored = present.settings if present else {}
        groups = Group.objects.order_by("name_key", "id").values_list("pk", "name")
        self.name = Control(
            "name",
            gettext("Name"),
            value=present.name if present else "",
            required=True,
            limit=NAME_LIMIT,
        )
        self.group = Control(
            "group",
            gettext("Its mail becomes tickets of"),
            kind="select",
            options=[Option(str(pk), name) for pk, name in groups],
            value=str(present.group_id) if present else "",
            required=True,
        )
        self.interval = Control(
            "interval",
            gettext("Seconds between two looks"),
            value=str(present.interval if present else 60),
            required=True,
            mode="numeric",
        )
        self.active = Control(
            "active",
            gettext("In use"),
            kind="checkbox",
            value="on" if present is None or present.active else "",
        )
        self.password = Control(
            "password",
            str(_PASSWORDS.get(kind.value, _PASSWORDS[""])),
            kind="password",
            hint=_password_hint(kind, present),
            limit=4000,
            autocomplete="new-password",
        )
        self.controls = [self._control(each, stored) for each in self.settings]
        self.problem = ""

    def _control(self, setting: typed.Setting, stored: Any) -> Control:
        value = typed.shown(setting, stored.get(setting.name, setting.default))
        return mail_settings.control_for(
            setting,
            value,
            labels=_LABELS,
            hints=_HINTS,
            choices=_CHOICES | _KEEPS.get(self.kind.value, {}),
            is_secret=setting.name in _SECRET,
        )

    @property
    def is_asked(self) -> bool:
        return self.kind.value in ASKED

    @property
    def plain(self) -> list[Control]:
        """What stands open in the form; the password beside the login."""
        shown = []
        for each in self.controls:
            if each.name not in mail_settings.OAUTH:
                shown.append(each)
            if each.name in {"login", "provider"}:
                shown.append(self.password)
        return shown

    @property
    def oauth(self) -> list[Control]:
        return [each for each in self.controls if each.name in mail_settings.OAUTH]

    @property
    def oauth_is_open(self) -> bool:
        return mail_settings.wants_oauth(self.oauth)

    def read(self, posted: QueryDict) -> channels.NewChannel | None:
        """The channel as it was typed; ``None`` where something is wrong, which is said then."""
        own = [self.name, self.group, self.interval, self.active]
        for control in [*own, *self.controls]:
            control.value = posted.get(control.name, "")
        texts = {control.name: control.value for control in self.controls}
        secrets = {control.name for control in self.controls if control.name in _SECRET}
        for control in self.controls:
            if control.name in secrets:
                control.value = ""
        password = posted.get("password", "")
        if len(password) > (self.password.limit or 0) or not password.isprintable():
            self.password.error = sentence(Invalid("password", "bad"))
        interval = id_of(self.interval.value.strip()) if self.is_asked else 60
        if interval is None:
            self.interval.error = sentence(Invalid("interval", "bad"))
        group_id = id_of(self.group.value)
        if group_id is None:
            self.group.error = sentence(Invalid("group", "required"))
        values: dict[str, Any] = {}
        for name, text in texts.items():
            if name in secrets and not text:
                values[name] = self.present.settings.get(name, "") if self.present else ""
                continue
            try:
                values |= typed.read(channels.SETTINGS[self.kind.value], {name: text})
            except Invalid as problem:
                show_problem(self.controls, problem)
        if self._would_tell_another(values) and not password:
            self.password.error = gettext("The server is another one: enter the password again.")
        if interval is None or group_id is None or self.has_errors:
            return None
        return channels.NewChannel(
            name=self.name.value,
            kind=self.kind.value,
            group_id=group_id,
            settings=values,
            password=password or (None if self.present else ""),
            interval=interval,
            active=bool(self.active.value),
        )

    def _would_tell_another(self, values: dict[str, Any]) -> bool:
        """Whether a stored password would be said to a server for which it was not meant."""
        if self.present is None or not self.present.secret:
            return False
        stored = self.present.settings
        return any(
            stored.get(name) and values.get(name) != stored[name] for name in ("host", "token_url")
        )

    @property
    def every(self) -> Sequence[Control]:
        return [self.name, self.group, self.interval, self.password, *self.controls]

    @property
    def has_errors(self) -> bool:
        return bool(self.problem) or any(control.error for control in self.every)


def _password_hint(kind: Kind, present: MailChannel | None) -> str:
    kept = gettext("Never shown. Empty keeps the stored one.") if present else ""
    if kind.value != "webhook":
        return kept
    signs = gettext(
        "With which the provider signs what it posts. For one that signs nothing: user:password."
    )
    return f"{signs} {kept}".strip()


@signed_in("web", *Read)
def overview(request: DeskRequest) -> HttpResponseBase:
    """All channels, and what is wrong with them."""
    channels.require(request.actor)
    at = now()
    wrong = {each.pk: said for each, said in fetching.problems(at=at)}
    found = MailChannel.objects.select_related("group").order_by("name_key", "id")
    lines = [(each, _named(each), wrong.get(each.pk, ""), each.kind in ASKED) for each in found]
    context = {"rail": rail(request.actor, current="channels"), "lines": lines, "kinds": KINDS}
    return page(request, "agent/channels.html", context)


def _named(channel: MailChannel) -> Any:
    kind = _BY_VALUE.get(channel.kind)
    return kind.label if kind else channel.get_kind_display()


@signed_in("web", *Addresses)
def new(request: DeskRequest) -> HttpResponseBase:
    """The form of a new channel, and what comes of it."""
    channels.require(request.actor)
    kind = _BY_VALUE.get(request.GET.get("kind", ""))
    if kind is None:
        return HttpResponseRedirect(reverse("admin-channels"))
    return _edit(request, Form(kind))


@signed_in("web", *Addresses)
def channel(request: DeskRequest, channel_id: int) -> HttpResponseBase:
    """The form of a channel, and what comes of it."""
    present = channels.channel_for(request.actor, channel_id)
    kind = _BY_VALUE.get(present.kind) or Kind(present.kind, _named(present), "")
    return _edit(request, Form(kind, present))


def _edit(request: DeskRequest, form: Form) -> HttpResponseBase:
    if request.method != "POST":
        return _page(request, form)
    asked = form.read(request.POST)
    if asked is None:
        return _page(request, form, status=422)
    try:
        if request.POST.get("do") == "test":
            return _page(request, form, **_tried(form, asked))
        present = form.present
        saved = channels.save_channel(
            asked, channel_id=present.pk if present else None, actor=request.actor, at=now()
        )
    except Invalid as problem:
        form.problem = show_problem(form.every, problem)
        return _page(request, form, status=422)
    messages.success(request, gettext("The channel was saved."), extra_tags="channel")
    return HttpResponseRedirect(reverse("admin-channel", args=[saved.pk]))


def _tried(form: Form, asked: channels.NewChannel) -> dict[str, Any]:
    """What a connection with these settings says; nothing is saved. Raises :class:`Invalid`."""
    settings = channels.checked_settings(asked.kind, asked.settings)
    present = form.present
    password = asked.password if asked.password else None
    if password is not None:
        form.password.hint = gettext("Please type it again before you save: it is never shown.")
    try:
        return {"good": fetching.probe(asked.kind, settings, password=password, channel=present)}
    except Trouble as trouble:
        return {"bad": str(trouble)}


def _page(
    request: DeskRequest, form: Form, *, status: int = 200, good: str = "", bad: str = ""
) -> HttpResponseBase:
    present = form.present
    context = {
        "rail": rail(request.actor, current="channels"),
        "form": form,
        "channel": present,
        "alarm": present.alarm if present and present.active else "",
        "address": _address(present) if present else "",
        "good": good,
        "bad": bad,
    }
    return page(request, "agent/channel.html", context, status=status)


def _address(channel: MailChannel) -> str:
    """What to enter at the provider, of a webhook."""
    if channel.kind != ChannelKind.WEBHOOK:
        return ""
    return f"{settings.CONFIG.address}{webhooks.address_of(channel)}"


@signed_in("web", "POST")
def renew_address(request: DeskRequest, channel_id: int) -> HttpResponseBase:
    """Give a webhook another secret address."""
    channels.renew_address(channel_id, actor=request.actor, at=now())
    messages.success(
        request,
        gettext("The address is a new one: enter it at the provider."),
        extra_tags="channel",
    )
    return HttpResponseRedirect(reverse("admin-channel", args=[channel_id]))


@signed_in("web", "POST")
def look(request: DeskRequest, channel_id: int) -> HttpResponseBase:
    """Have the worker look into a mailbox now."""
    present = channels.channel_for(request.actor, channel_id)
    if present.active and present.kind in ASKED:
        fetch.using(unique_key=fetching.fetch_key(present.pk)).enqueue(present.pk)
        messages.success(
            request, gettext("The mailbox is being looked into."), extra_tags="channel"
        )
    return HttpResponseRedirect(reverse("admin-channels"))


@signed_in("web", "POST")
def remove(request: DeskRequest, channel_id: int) -> HttpResponseBase:
    """Remove a channel; what came through it stays."""
    with transaction.atomic():
        present = channels.channel_for(request.actor, channel_id)
        channels.delete_channel(present.pk, actor=request.actor, at=now())
    messages.success(request, gettext("The channel was removed."), extra_tags="channel")
    return HttpResponseRedirect(reverse("admin-channels"))
