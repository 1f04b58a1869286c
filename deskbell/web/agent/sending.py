"""Mail routes in the browser, for who administers them, and how each group's mail goes out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import QueryDict
from django.http.response import HttpResponseBase, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext, gettext_lazy

from deskbell.kernel.clock import now
from deskbell.kernel.errors import Invalid
from deskbell.mail import secrets, typed
from deskbell.mail.administering import NAME_LIMIT
from deskbell.mail.models import GroupSending, Language, MailRoute, Quoting, RouteKind
from deskbell.mail.sending import routes, trying
from deskbell.mail.trouble import Trouble
from deskbell.people.models import Group
from deskbell.web.agent import mail_settings
from deskbell.web.agent.lists import rail
from deskbell.web.shared.controls import Control, Option, id_of, sentence, show_problem
from deskbell.web.shared.pages import DeskRequest, Read, page, signed_in

Addresses = ("GET", "HEAD", "POST")

_LABELS: dict[str, Any] = {
    **mail_settings.LABELS,
    "password": gettext_lazy("Password, or refresh token"),
    "api_url": gettext_lazy("Address of the interface"),
    "sender_domain": gettext_lazy("Sender domain"),
    "message_stream": gettext_lazy("Message stream"),
    "subaccount": gettext_lazy("Subaccount"),
    "sandbox_id": gettext_lazy("Sandbox id"),
    "project_id": gettext_lazy("Project id"),
    "region": gettext_lazy("Region"),
    "access_key_id": gettext_lazy("Access key id"),
    "configuration_set_name": gettext_lazy("Configuration set"),
    "api_token": gettext_lazy("API token"),
    "server_token": gettext_lazy("Server token"),
    "secret_key": gettext_lazy("Secret key"),
    "secret_access_key": gettext_lazy("Secret access key"),
    "webhook_signing_key": gettext_lazy("Signing key of its reports"),
    "webhook_key": gettext_lazy("Key of its reports"),
    "signing_secret": gettext_lazy("Signing secret of its reports"),
    "tracking_webhook_verification_key": gettext_lazy("Verification key of its reports"),
}
_HINTS: dict[str, Any] = {
    **mail_settings.HINTS,
    "login": gettext_lazy("Often the whole address. Empty: nobody signs in."),
    "api_url": gettext_lazy("Empty for the usual one."),
}
_CHOICES: dict[str, Any] = {
    **mail_settings.CHOICES,
    "none": gettext_lazy("none, unless a password is said to another machine"),
}
#: Where a stored secret is said: it must not be said to another place unseen.
_PLACES = ("host", "token_url", "api_url")
_QUOTING: dict[str, Any] = {
    "none": gettext_lazy("nothing"),
    "last": gettext_lazy("the last public entry"),
    "all": gettext_lazy("all public entries"),
}


def kinds() -> list[tuple[str, str]]:
    """What a route can be made of: ``smtp``, or the name of a provider; with its label."""
    known = [(name, provider.label) for name, provider in routes.PROVIDERS.items()]
    return [("smtp", gettext("Mail server (SMTP)")), *known]


class Form:
    """What a route is asked for; ``present`` is the one to be changed."""

    def __init__(self, name: str, present: MailRoute | None = None) -> None:
        self.kind = RouteKind.SMTP if name == "smtp" else RouteKind.PROVIDER
        self.provider = "" if name == "smtp" else name
        self.label = dict(kinds())[name]
        self.present = present
        stored = present.settings if present else {}
        self.name = Control(
            "name",
            gettext("Name"),
            value=present.name if present else "" if name == "smtp" else self.label,
            required=True,
            limit=NAME_LIMIT,
        )
        self.is_default = _switch(
            "is_default",
            gettext("For all groups that name no other"),
            on=present.is_default if present else not MailRoute.objects.exists(),
        )
        self.active = _switch("active", gettext("In use"), on=present.active if present else True)
        self.settings = [
            _control(each, typed.shown(each, stored.get(each.name, each.default)))
            for each in routes.settings_for(self.kind, self.provider)
        ]
        self.secrets = [
            Control(
                each,
                str(_LABELS[each]),
                kind="password",
                hint=gettext("Never shown. Empty keeps the stored one.") if present else "",
                limit=routes.SECRET_LIMIT,
                autocomplete="new-password",
            )
            for each in routes.secrets_for(self.kind, self.provider)
        ]
        self.problem = ""

    @property
    def plain(self) -> list[Control]:
        """What stands open in the form; the password below the login."""
        return [
            c
            for c in [*self.settings, *self.secrets]
            if c.name not in mail_settings.OAUTH or not self._smtp
        ]

    @property
    def oauth(self) -> list[Control]:
        return [
            c
            for c in [*self.settings, *self.secrets]
            if self._smtp and c.name in mail_settings.OAUTH
        ]

    @property
    def oauth_is_open(self) -> bool:
        return mail_settings.wants_oauth(self.oauth)

    @property
    def _smtp(self) -> bool:
        return self.kind == RouteKind.SMTP

    @property
    def every(self) -> Sequence[Control]:
        return [self.name, *self.settings, *self.secrets]

    def read(self, posted: QueryDict) -> routes.NewRoute | None:
        """The route as it was typed; ``None`` where something is wrong, which is said then."""
        for control in [self.name, self.is_default, self.active, *self.settings]:
            control.value = posted.get(control.name, "")
        shape = routes.SHAPES[self.kind]
        values: dict[str, Any] = {} if self._smtp else {"provider": self.provider}
        for control in self.settings:
            try:
                values |= typed.read(shape, {control.name: control.value})
            except Invalid as problem:
                show_problem(self.settings, problem)
        given = {c.name: posted.get(c.name, "") for c in self.secrets if posted.get(c.name)}
        stored = self.present.settings if self.present else {}
        moved = any(stored.get(each) and values.get(each) != stored[each] for each in _PLACES)
        if not self._smtp and self.present:
            # A provider's usual address is a place as well.
            moved = values.get("api_url", "") != stored.get("api_url", "")
        first = self.secrets[0]
        if self.present and self.present.secret and moved and first.name not in given:
            first.error = gettext("The server is another one: enter the password again.")
        if any(control.error for control in self.every):
            return None
        return routes.NewRoute(
            name=self.name.value,
            kind=self.kind,
            settings=values,
            # Of what is kept nothing may be said to another place.
            secrets=(dict.fromkeys((c.name for c in self.secrets), "") if moved else {}) | given,
            is_default=bool(self.is_default.value),
            active=bool(self.active.value),
        )


def _switch(name: str, label: str, *, on: bool) -> Control:
    return Control(name, label, kind="checkbox", value="on" if on else "")


def _control(setting: typed.Setting, value: str) -> Control:
    return mail_settings.control_for(setting, value, labels=_LABELS, hints=_HINTS, choices=_CHOICES)


@signed_in("web", *Read)
def overview(request: DeskRequest) -> HttpResponseBase:
    """All routes with what is wrong with them, and what each group's mail does."""
    routes.require(request.actor)
    labels = dict(kinds())
    found = list(MailRoute.objects.order_by("name_key", "id"))
    sendings = {each.group_id: each for each in GroupSending.objects.all()}
    groups = Group.objects.select_related("email_address").order_by("name_key", "id")
    lines = [(group, _group_controls(sendings.get(group.pk), found, group.pk)) for group in groups]
    context = {
        "rail": rail(request.actor, current="sending"),
        "lines": [(each, labels[each.settings.get("provider") or "smtp"]) for each in found],
        "kinds": kinds(),
        "groups": lines,
    }
    return page(request, "agent/sending.html", context)


def _group_controls(
    sending: GroupSending | None, found: Sequence[MailRoute], group_id: int
) -> list[Control]:
    sending = sending or GroupSending(group_id=group_id)
    usual = gettext("as usual")
    ways = [Option("", usual), *(Option(str(each.pk), each.name) for each in found)]
    languages = [Option("", usual), *(Option(v, str(label)) for v, label in Language.choices)]
    amounts = [Option(value, str(_QUOTING[value])) for value in Quoting.values]
    return [
        Control(
            "route",
            gettext("Way out"),
            kind="select",
            options=ways,
            value=str(sending.route_id or ""),
            required=True,
        ),
        Control(
            "language",
            gettext("Language"),
            kind="select",
            options=languages,
            value=sending.language,
            required=True,
        ),
        Control(
            "quoting",
            gettext("Quoted below letters"),
            kind="select",
            options=amounts,
            value=sending.quoting,
            required=True,
        ),
    ]


@signed_in("web", "POST")
def group(request: DeskRequest, group_id: int) -> HttpResponseBase:
    """Change how a group's mail goes out."""
    route = request.POST.get("route", "")
    try:
        routes.save_sending(
            group_id,
            actor=request.actor,
            route_id=id_of(route) if route else None,
            language=request.POST.get("language", ""),
            quoting=request.POST.get("quoting", ""),
        )
    except Invalid as problem:
        messages.error(request, f"{problem.field}: {sentence(problem)}", extra_tags="route")
    else:
        messages.success(request, gettext("The group was changed."), extra_tags="route")
    return HttpResponseRedirect(reverse("admin-sending"))


@signed_in("web", *Addresses)
def new(request: DeskRequest) -> HttpResponseBase:
    """The form of a new route, and what comes of it."""
    routes.require(request.actor)
    name = request.GET.get("kind", "")
    if name not in dict(kinds()):
        return HttpResponseRedirect(reverse("admin-sending"))
    return _edit(request, Form(name))


@signed_in("web", *Addresses)
def route(request: DeskRequest, route_id: int) -> HttpResponseBase:
    """The form of a route, and what comes of it."""
    present = routes.route_for(request.actor, route_id)
    return _edit(request, Form(present.settings.get("provider") or "smtp", present))


def _edit(request: DeskRequest, form: Form) -> HttpResponseBase:
    if request.method != "POST":
        return _page(request, form)
    asked = form.read(request.POST)
    if asked is None:
        return _page(request, form, status=422)
    present = form.present
    try:
        if request.POST.get("do") == "test":
            return _page(request, form, **_tried(request, form, asked))
        saved = routes.save_route(
            asked, route_id=present.pk if present else None, actor=request.actor, at=now()
        )
    except Invalid as problem:
        form.problem = _shown(form, problem)
        return _page(request, form, status=422)
    messages.success(request, gettext("The route was saved."), extra_tags="route")
    return HttpResponseRedirect(reverse("admin-route", args=[saved.pk]))


def _shown(form: Form, problem: Invalid) -> str:
    if problem.code == "not_installed":
        return gettext("%(label)s needs the package %(package)s, which is not installed.") % {
            "label": form.label,
            "package": problem.value,
        }
    return show_problem(form.every, problem)


def _tried(request: DeskRequest, form: Form, asked: routes.NewRoute) -> dict[str, Any]:
    """What a message by these settings leads to; nothing is saved. Raises :class:`Invalid`."""
    present = form.present
    try:
        known = routes.secrets_of(present) if present else {}
    except secrets.Unreadable:
        known = {}
    tried = routes.unsaved(asked, known=known)
    if asked.secrets:
        for control in form.secrets:
            control.hint = gettext("Please type it again before you save: it is never shown.")
    try:
        return {"good": trying.try_out(tried, to=request.viewer.email, at=now())}
    except Trouble as trouble:
        return {"bad": str(trouble)}
    except Invalid as problem:
        if problem.field != "to":
            raise
        return {"bad": gettext("Your own account has no address to send a message to.")}


def _page(
    request: DeskRequest, form: Form, *, status: int = 200, good: str = "", bad: str = ""
) -> HttpResponseBase:
    present = form.present
    context = {
        "rail": rail(request.actor, current="sending"),
        "form": form,
        "route": present,
        "alarm": present.alarm if present and present.active else "",
        "good": good,
        "bad": bad,
    }
    return page(request, "agent/route.html", context, status=status)


@signed_in("web", "POST")
def remove(request: DeskRequest, route_id: int) -> HttpResponseBase:
    """Remove a route; its groups' mail goes out as usual."""
    with transaction.atomic():
        routes.delete_route(route_id, actor=request.actor, at=now())
    messages.success(request, gettext("The route was removed."), extra_tags="route")
    return HttpResponseRedirect(reverse("admin-sending"))
