"""How a route's mail server is signed in to: its secrets, and where tokens come from."""

from __future__ import annotations

import json
from dataclasses import dataclass

from deskbell.mail import secrets
from deskbell.mail.models import MailRoute
from deskbell.mail.oauth import Access
from deskbell.mail.sending import routes
from deskbell.mail.trouble import Trouble


@dataclass(frozen=True, slots=True)
class _Tokens:
    """Where access tokens come from, as :class:`~deskbell.mail.oauth.TokenSettings`."""

    token_url: str
    client_id: str
    client_secret: str
    scope: str
    verify: bool


def access_to(route: MailRoute, settings: routes.SmtpSettings) -> Access:
    """The access to a stored route, or to one that is only tried (without an id).

    Raises :class:`Trouble` where its secrets are unreadable.
    """
    known = _secrets(route)
    is_tried = route._state.adding

    def password() -> str:
        stored = None if is_tried else MailRoute.objects.filter(pk=route.pk).first()
        return _secrets(stored or route).get("password", "")

    def keep(changed: str) -> None:
        """A token server may give a new refresh token with every access token."""
        if is_tried:
            return
        sealed = secrets.sealed(json.dumps({**known, "password": changed}))
        ours = MailRoute.objects.filter(pk=route.pk, updated_at=route.updated_at)
        ours.update(secret=sealed)

    tokens = _Tokens(
        settings.token_url,
        settings.client_id,
        known.get("client_secret", ""),
        settings.scope,
        settings.verify,
    )
    key = None if is_tried else ("route", route.pk, route.updated_at)
    return Access(tokens, password, keep, key=key)


def _secrets(route: MailRoute) -> dict[str, str]:
    try:
        return routes.secrets_of(route)
    except secrets.Unreadable as error:
        raise Trouble(str(error)) from error
