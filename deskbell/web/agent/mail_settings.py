"""The settings of mail channels and routes as controls of a form, and what they are called."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.utils.translation import gettext_lazy

from deskbell.mail import typed
from deskbell.web.shared.controls import Control, Option

#: Of what every mail server is asked, whichever way the mail goes.
LABELS: Mapping[str, Any] = {
    "host": gettext_lazy("Server"),
    "port": gettext_lazy("Port"),
    "security": gettext_lazy("Encryption"),
    "verify": gettext_lazy("Check the server's certificate"),
    "login": gettext_lazy("Login"),
    "authentication": gettext_lazy("Sign in with"),
    "token_url": gettext_lazy("Token address"),
    "client_id": gettext_lazy("Client id"),
    "client_secret": gettext_lazy("Client secret"),
    "scope": gettext_lazy("Scope"),
    "api_key": gettext_lazy("API key"),
}
HINTS: Mapping[str, Any] = {"port": gettext_lazy("Empty for the usual one.")}
CHOICES: Mapping[str, Any] = {
    "tls": gettext_lazy("TLS"),
    "starttls": gettext_lazy("STARTTLS"),
    "password": gettext_lazy("a password"),
    "oauth2": gettext_lazy("OAuth2 (XOAUTH2)"),
}
#: The settings that concern OAuth2 alone; they stand apart in the form.
OAUTH = ("authentication", "token_url", "client_id", "client_secret", "scope")

_KINDS = {"choice": "select", "bool": "checkbox"}


def control_for(
    setting: typed.Setting,
    value: str,
    *,
    labels: Mapping[str, Any],
    hints: Mapping[str, Any],
    choices: Mapping[str, Any],
    is_secret: bool = False,
) -> Control:
    """A setting as a control that shows ``value``; one that ``is_secret`` shows nothing."""
    usual = "password" if is_secret else "text"
    return Control(
        setting.name,
        str(labels.get(setting.name, setting.name)),
        kind=_KINDS.get(setting.type, usual),
        value="" if is_secret else value,
        options=[Option(choice, str(choices[choice])) for choice in setting.choices],
        hint=str(hints.get(setting.name, "")),
        required=setting.required or setting.type == "choice",
        limit=None if setting.type in _KINDS else typed.TEXT_LIMIT,
        mode="numeric" if setting.type == "int" else "",
        autocomplete="new-password" if is_secret else "off",
    )


def wants_oauth(controls: Iterable[Control]) -> bool:
    """Whether the part for OAuth2 is worth looking at: it is used, or something in it is wrong."""
    return any(c.error or (c.name == "authentication" and c.value == "oauth2") for c in controls)
