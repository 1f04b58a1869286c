"""Browser sessions: one session and one CSRF secret for pages and dialects (decision 29)."""

from __future__ import annotations

from importlib import import_module

from django.conf import settings
from django.contrib.sessions.backends.base import SessionBase
from django.contrib.sessions.middleware import SessionMiddleware
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.middleware.csrf import CsrfViewMiddleware, get_token, rotate_token
from django.utils.crypto import constant_time_compare

from deskbell.kernel.actor import NOBODY_ID
from deskbell.people.models import User

USER_KEY = "user"
HASH_KEY = "hash"


def session_of(request: HttpRequest) -> SessionBase:
    """The request's session, loaded on first use whether or not a middleware ran."""
    session: SessionBase | None = getattr(request, "session", None)
    if session is None:
        store = import_module(settings.SESSION_ENGINE).SessionStore
        session = store(request.COOKIES.get(settings.SESSION_COOKIE_NAME))
        request.session = session
    return session


def start(request: HttpRequest, user: User) -> None:
    """Sign in: a new session key (no fixation), a new CSRF secret, bound to the password."""
    session = session_of(request)
    if session.get(USER_KEY) not in (None, user.pk):
        session.flush()
    else:
        session.cycle_key()
    session[USER_KEY] = user.pk
    session[HASH_KEY] = user.get_session_auth_hash()
    rotate_token(request)


def end(request: HttpRequest) -> None:
    """Sign out: the session is gone on the server too."""
    session_of(request).flush()


def user_of(request: HttpRequest) -> User | None:
    """The active user of the session, ``None`` if there is none.

    A changed password ends all sessions made with the old one.
    """
    if settings.SESSION_COOKIE_NAME not in request.COOKIES:
        return None
    session = session_of(request)
    user_id = session.get(USER_KEY)
    if not isinstance(user_id, int) or user_id == NOBODY_ID:
        return None
    user = User.objects.filter(pk=user_id, active=True).first()
    if user is None:
        return None
    if not constant_time_compare(session.get(HASH_KEY, ""), user.get_session_auth_hash()):
        session.flush()
        return None
    return user


class _Check(CsrfViewMiddleware):
    """Django's CSRF check, asked for its reason instead of for a page."""

    def _reject(self, request: HttpRequest, reason: str) -> str:
        return reason  # the middleware would make a page of it


def csrf_problem(request: HttpRequest, *, header: str | None = None) -> str | None:
    """Why the request fails the CSRF check (``CSRF token missing.``), ``None`` if it passes.

    ``header`` names a second header that may carry the token (``HTTP_X_CSRF_TOKEN`` for Zammad
    clients) besides Django's own.
    """
    if header is not None and header in request.META:
        request.META.setdefault(settings.CSRF_HEADER_NAME, request.META[header])
    check = _Check(lambda _request: None)  # type: ignore[arg-type]
    check.process_request(request)
    problem = check.process_view(request, None, (), {})  # type: ignore[arg-type]
    return None if problem is None else str(problem)


def csrf_token(request: HttpRequest) -> str:
    """The token that unsafe requests of this session must send back.

    The browser's present secret is kept, also where no middleware has read its cookie.
    """
    if "CSRF_COOKIE" not in request.META:
        _Check(lambda _request: None).process_request(request)  # type: ignore[arg-type]
    return get_token(request)


def deliver(request: HttpRequest, response: HttpResponseBase) -> None:
    """Save the session and put its cookie and the CSRF cookie on an answer no middleware sees."""
    if hasattr(request, "session"):
        SessionMiddleware(lambda _request: response).process_response(request, response)  # type: ignore[arg-type]
    _Check(lambda _request: response).process_response(request, response)
