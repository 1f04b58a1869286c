"""Who calls: a session, a password or a token; and what the caller hears when it is none of them.

The order and the status of a refusal follow the installation's setting: with the session first, as
the original does out of the box, a refusal is 403 without a challenge; with Basic first it is 401
with one. The bodies are equal. What was found is kept on the request, so that no password is tried
twice.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.core.exceptions import BadRequest, SuspiciousOperation
from django.http import HttpRequest, UnreadablePostError
from django.http.multipartparser import MultiPartParserError
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import (
    APIException,
    AuthenticationFailed,
    ParseError,
    PermissionDenied,
    Throttled,
)
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from deskbell.api.helpdesk.names import VIA
from deskbell.kernel.actor import Actor
from deskbell.kernel.clock import now
from deskbell.kernel.logging import user_id as logged_user_id
from deskbell.people import credentials, sessions
from deskbell.people.access import actor_for
from deskbell.people.models import User

CHALLENGE = 'Basic realm="api"'
_TOKEN = re.compile(r'token="([^"]*)"')
OUTCOME = "_helpdesk_caller"


class Caller:
    """The signed-in person, as far as the framework asks: the rest is in the actor."""

    is_authenticated = True
    is_anonymous = False
    is_active = True

    def __init__(self, actor: Actor, *, by_header: bool) -> None:
        self.actor = actor
        self.by_header = by_header
        self.pk = self.id = actor.user_id

    @property
    def is_staff(self) -> bool:
        return self.actor.is_staff

    def get_username(self) -> str:
        """The login; read when a page shows it."""
        return User.objects.values_list("login", flat=True).get(pk=self.pk)

    def __str__(self) -> str:
        return self.get_username()


def caller_of(request: HttpRequest) -> Caller | None:
    """Who sent the request, ``None`` where nobody says so.

    Raises :class:`AuthenticationFailed`, :class:`PermissionDenied` (CSRF), :class:`Throttled`.
    Asked again, it says the same again.
    """
    outcome = request.__dict__.get(OUTCOME)
    if outcome is None:
        try:
            outcome = (_find(request),)
        except APIException as error:
            outcome = error
        setattr(request, OUTCOME, outcome)
    if isinstance(outcome, APIException):
        raise outcome
    caller: Caller | None = outcome[0]
    return caller


def _find(request: HttpRequest) -> Caller | None:
    for way in _WAYS[settings.CONFIG.helpdesk_auth]:
        caller = way(request)
        if caller is not None:
            logged_user_id.set(caller.pk)
            return caller
    return None


def _by_session(request: HttpRequest) -> Caller | None:
    user = sessions.user_of(request)
    actor = actor_for(user.pk, VIA) if user is not None else None
    if actor is None:
        return None
    try:
        problem = sessions.csrf_problem(request)
    except (MultiPartParserError, SuspiciousOperation, BadRequest, UnreadablePostError) as error:
        # The check looks for its token in a form that cannot be read.
        raise ParseError(f"Multipart form parse error - {error}") from error
    if problem is not None:
        raise PermissionDenied(f"CSRF Failed: {problem}")
    return Caller(actor, by_header=False)


def _authorization(request: HttpRequest) -> tuple[str, list[str]]:
    """The scheme in lower case and the words behind it."""
    words = request.META.get("HTTP_AUTHORIZATION", "").split()
    return (words[0].lower(), words[1:]) if words else ("", [])


def is_by_header(request: HttpRequest) -> bool:
    """Whether credentials came in a header that a browser never sends by itself."""
    return _authorization(request)[0] in ("basic", "token")


def _by_password(request: HttpRequest) -> Caller | None:
    scheme, words = _authorization(request)
    if scheme != "basic":
        return None
    if not words:
        raise AuthenticationFailed("Invalid basic header. No credentials provided.")
    if len(words) > 1:
        raise AuthenticationFailed(
            "Invalid basic header. Credentials string should not contain spaces."
        )
    try:
        decoded = base64.b64decode(words[0].encode("latin-1", "replace"))
    except (binascii.Error, ValueError):
        decoded = b""
    try:
        text = decoded.decode()
    except UnicodeDecodeError:
        text = decoded.decode("latin-1")
    name, colon, password = text.partition(":")
    if not colon:
        raise AuthenticationFailed(
            "Invalid basic header. Credentials not correctly base64 encoded."
        )
    try:
        user = credentials.sign_in(
            name, password, client_ip=request.META.get("REMOTE_ADDR"), at=now()
        )
    except credentials.BadCredentials as error:
        raise AuthenticationFailed("Invalid username/password.") from error
    except credentials.TooManyTries as error:
        raise Throttled() from error
    actor = actor_for(user.pk, VIA)
    if actor is None:
        raise AuthenticationFailed("Invalid username/password.")
    return Caller(actor, by_header=True)


def _by_token(request: HttpRequest) -> Caller | None:
    """``Token <key>``, and ``Token token="<key>"`` as Zammad's clients say (decision 28)."""
    scheme, words = _authorization(request)
    if scheme != "token":
        return None
    if not words:
        raise AuthenticationFailed("Invalid token header. No credentials provided.")
    if len(words) > 1:
        raise AuthenticationFailed("Invalid token header. Token string should not contain spaces.")
    quoted = _TOKEN.fullmatch(words[0])
    try:
        token = credentials.token_user(quoted[1] if quoted else words[0], at=now())
    except (credentials.BadCredentials, credentials.TokenExpired) as error:
        raise AuthenticationFailed("Invalid token.") from error
    except credentials.InactiveUser as error:
        raise AuthenticationFailed("User inactive or deleted.") from error
    actor = actor_for(token.user_id, VIA, scope=token.scope)
    if actor is None:
        raise AuthenticationFailed("User inactive or deleted.")
    return Caller(actor, by_header=True)


_WAYS: dict[str, tuple[Callable[[HttpRequest], Caller | None], ...]] = {
    "session": (_by_session, _by_password, _by_token),
    "basic": (_by_password, _by_session, _by_token),
}


class DeskAuthentication(BaseAuthentication):
    """The three ways in one, so that the framework's refusals follow our setting."""

    def authenticate(self, request: Request) -> tuple[Any, None] | None:
        caller = caller_of(request._request)
        return None if caller is None else (caller, None)

    def authenticate_header(self, request: Request) -> str | None:
        return CHALLENGE if settings.CONFIG.helpdesk_auth == "basic" else None


def _caller(request: Request) -> Caller | None:
    """Who was let in. The framework's own idea of a user is another one."""
    caller: Any = request.user
    return caller if isinstance(caller, Caller) else None


class IsStaff(BasePermission):
    """Works on tickets or administers the desk, as far as a token lets that through."""

    def has_permission(self, request: Request, view: Any) -> bool:
        return is_staff(_caller(request))


def is_staff(caller: Caller | None) -> bool:
    """Whether the collections of the staff are for the caller."""
    return caller is not None and caller.actor.is_staff


class MayAddUsers(BasePermission):
    """Staff; and to write, with the right to add people.

    The scope of a token counts for that right alone: ``admin.user`` (decision 28).
    """

    def has_permission(self, request: Request, view: Any) -> bool:
        caller = _caller(request)
        if caller is None:
            return False
        actor = caller.actor
        may_add = actor.may("admin.user")
        if request.method == "POST":
            return may_add and (actor.holds("ticket.agent") or actor.holds("admin"))
        return actor.is_staff or may_add


class OwnTickets(BasePermission):
    """Anybody who is signed in; a token must be for tickets in some way."""

    def has_permission(self, request: Request, view: Any) -> bool:
        return owns_tickets(_caller(request))


def owns_tickets(caller: Caller | None) -> bool:
    """Whether the caller's own tickets are for him, by this token if it is one."""
    if caller is None:
        return False
    actor = caller.actor
    return actor.scope is None or actor.may("ticket.customer") or actor.may("ticket.agent")
