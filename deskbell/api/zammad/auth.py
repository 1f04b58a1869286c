"""Who is calling: Basic, token, Bearer or session; and for whom (contract section 2)."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest

from deskbell.api.zammad.errors import AUTHENTICATION_REQUIRED, Problem, forbidden
from deskbell.kernel.actor import Actor
from deskbell.kernel.text import MAX_ID
from deskbell.people import credentials, sessions
from deskbell.people.access import actor_for
from deskbell.people.models import User

VIA: Literal["zammad"] = "zammad"
CSRF_HEADER = "HTTP_X_CSRF_TOKEN"

BAD_BASIC = "Invalid BasicAuth credentials"
BAD_TOKEN = "Can't find User for Token"  # noqa: S105 - a sentence
BAD_BEARER = "Invalid token!"
EXPIRED = "Not authorized (token expired)!"
LOGIN_FAILED = (
    "Login failed. Have you double-checked your credentials and completed the email"
    " verification step?"
)
CSRF_FAILED = "CSRF token verification failed!"
NO_ON_BEHALF = "Current user has no permission to use 'From'/'X-On-Behalf-Of'!"

_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_TOKEN = re.compile(r'(?:^|[\s,])token\s*=\s*"?([^",\s]*)"?', re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Caller:
    """Who acts, and whether a browser's session said so (which decides about CORS and CSRF)."""

    actor: Actor
    by_session: bool


def caller_of(request: HttpRequest, *, at: datetime) -> Caller:
    """Whoever calls. Raises :class:`Problem`: 403 without credentials, 401 with wrong ones."""
    header: str = request.META.get("HTTP_AUTHORIZATION", "")
    scheme, _, rest = header.partition(" ")
    scheme = scheme.lower()
    scope: Collection[str] | None = None
    by_session = False
    if scheme == "basic":
        user_id = _by_basic(request, rest.strip(), at=at)
    elif scheme == "token":
        user_id, scope = _by_token(_secret_of(rest), BAD_TOKEN, at=at)
    elif scheme == "bearer":
        user_id, scope = _by_token(rest.strip(), BAD_BEARER, at=at)
    else:
        user_id = _by_session(request)
        by_session = True
    actor = actor_for(user_id, VIA, scope=scope)
    if actor is None:
        raise Problem(401, LOGIN_FAILED)
    named = request.META.get("HTTP_FROM") or request.META.get("HTTP_X_ON_BEHALF_OF")
    if named:
        actor = _on_behalf(actor, _utf8(named), scope=scope)
    return Caller(actor, by_session)


def _by_basic(request: HttpRequest, encoded: str, *, at: datetime) -> int:
    if _browser_was_lured(request):
        raise Problem(401, CSRF_FAILED)
    try:
        pair = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        raise Problem(401, BAD_BASIC) from None
    try:
        name, colon, password = pair.decode().partition(":")
    except UnicodeDecodeError:
        name, colon, password = pair.decode("latin-1").partition(":")
    if not colon or not name.strip():
        raise Problem(401, BAD_BASIC)
    try:
        user = credentials.sign_in(name, password, client_ip=request.META["REMOTE_ADDR"], at=at)
    except (credentials.BadCredentials, credentials.TooManyTries):
        raise Problem(401, BAD_BASIC) from None
    return user.pk


def _browser_was_lured(request: HttpRequest) -> bool:
    """Whether a browser attached remembered credentials to another site's form or image.

    A script that sets the header itself is in mode ``cors``; programs send no such headers.
    """
    return (
        request.META.get("HTTP_SEC_FETCH_SITE") in ("cross-site", "same-site")
        and request.META.get("HTTP_SEC_FETCH_MODE") in ("navigate", "no-cors")
        and request.method not in _SAFE
    )


def _secret_of(text: str) -> str:
    """``token=XYZ``, ``token="XYZ"`` or ``XYZ``."""
    match = _TOKEN.search(text)
    return match[1] if match else text.strip().strip('"')


def _by_token(secret: str, failure: str, *, at: datetime) -> tuple[int, Collection[str] | None]:
    try:
        token = credentials.token_user(secret, at=at)
    except credentials.BadCredentials:
        raise Problem(401, failure) from None
    except credentials.TokenExpired:
        raise Problem(401, EXPIRED) from None
    except credentials.InactiveUser:
        raise Problem(401, LOGIN_FAILED) from None
    return token.user_id, token.scope


def _by_session(request: HttpRequest) -> int:
    user = sessions.user_of(request)
    if user is None:
        raise forbidden(AUTHENTICATION_REQUIRED)
    if request.method not in _SAFE and sessions.csrf_problem(request, header=CSRF_HEADER):
        raise Problem(401, CSRF_FAILED)
    return user.pk


def is_foreign(request: HttpRequest) -> bool:
    """Whether a page of another site sent this; what no browser sent never is."""
    if request.META.get("HTTP_SEC_FETCH_SITE") in ("cross-site", "same-site"):
        return True
    origin = request.META.get("HTTP_ORIGIN")
    if not origin or origin in settings.CSRF_TRUSTED_ORIGINS:
        return False
    return bool(urlsplit(origin).netloc != request.get_host())


def _on_behalf(real: Actor, name: str, *, scope: Collection[str] | None) -> Actor:
    """The named person, for whoever may administer users; a token's scope narrows him too."""
    if not real.may("admin.user"):
        raise forbidden(NO_ON_BEHALF)
    user = _named(name.strip())
    actor = actor_for(user.pk, VIA, scope=scope) if user is not None else None
    if actor is None:
        raise forbidden(f"No such user '{name}'")
    if exceeds(actor.permissions, real.holds):
        raise forbidden(NO_ON_BEHALF)
    return actor


def exceeds(permissions: Iterable[str], held: Callable[[str], bool]) -> bool:
    """Whether an administrative right is among the permissions that is not held.

    Who manages people without being a full administrator does not become one by way of them.
    """
    return any(name.split(".")[0] == "admin" and not held(name) for name in permissions)


def _named(name: str) -> User | None:
    """By id if there are only digits, then by login or address."""
    if name.isascii() and name.isdigit() and len(name) <= 19 and int(name) <= MAX_ID:
        user = User.objects.filter(pk=int(name)).first()
        if user is not None:
            return user
    return credentials.user_named(name)


def _utf8(header: str) -> str:
    """WSGI hands bytes over as Latin-1; names beyond ASCII are sent as UTF-8."""
    try:
        return header.encode("latin-1").decode("utf-8")
    except (UnicodeEncodeError, UnicodeDecodeError):
        return header
