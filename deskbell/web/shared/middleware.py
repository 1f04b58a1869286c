"""The one Django middleware: what pages need, kept off the APIs, which are called far more often.

Pages get a session, CSRF protection, messages and a strict content security policy. API addresses
get the security headers and nothing else; their dialects check credentials, and CSRF where a
session is used, themselves.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import cached_property
from typing import Any

from django.contrib.messages.middleware import MessageMiddleware
from django.contrib.sessions.middleware import SessionMiddleware
from django.core.exceptions import DisallowedHost, PermissionDenied, SuspiciousOperation
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.middleware.csrf import CsrfViewMiddleware
from whitenoise.middleware import WhiteNoiseMiddleware  # type: ignore[import-untyped]

from deskbell.web.shared import errors, paths

log = logging.getLogger("deskbell.web")
security = logging.getLogger("deskbell.security")

UNAVAILABLE = "The service is not available at the moment, please try again."

Respond = Callable[[HttpRequest], HttpResponseBase]

#: Scripts and styles come as files from our own address; nothing inline, no frames, no plugins.
CONTENT_SECURITY_POLICY = (
    "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'; img-src 'self' data: blob:"
)
SECURITY_HEADERS = tuple(
    (name.lower(), (name, value))
    for name, value in (
        ("X-Content-Type-Options", "nosniff"),
        ("X-Frame-Options", "DENY"),
        ("Referrer-Policy", "same-origin"),
        ("Cross-Origin-Opener-Policy", "same-origin"),
    )
)
#: How many spellings of our host names are remembered; a wildcard allows any number of them.
MOST_HOSTS = 200


class DeskMiddleware:
    """Sends a request through the chain for pages, or straight to its view.

    A view that sets one of the headers itself keeps it (the sandbox of a mail's HTML, say).
    """

    def __init__(self, get_response: Respond) -> None:
        self.get_response = get_response
        self.csrf = CsrfViewMiddleware(get_response)
        page: Any = MessageMiddleware(get_response)
        page = CsrfViewMiddleware(page)
        page = SessionMiddleware(page)
        self.page: Respond = page
        self.known_hosts: set[str] = set()

    @cached_property
    def static(self) -> Respond:
        """What answers for static files, of all of which it makes a table when it is made."""
        files: Respond = WhiteNoiseMiddleware(self.get_response)
        return files

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        path = request.path_info
        response: HttpResponseBase
        if not self._is_known_host(request):
            response = self._unknown_host(request)
        elif paths.is_api(path) or paths.is_hook(path):
            response = self.get_response(request)
        elif path.startswith("/static/"):
            response = self.static(request)
        else:
            response = self.page(request)
            response.headers.setdefault("Content-Security-Policy", CONTENT_SECURITY_POLICY)
        # The mapping below the headers: setting four of them the usual way takes a tenth of the
        # time of a small answer, to check again that these constants are fit for a header.
        store = response.headers._store
        for key, header in SECURITY_HEADERS:
            if key not in store:
                store[key] = header
        return response

    def _is_known_host(self, request: HttpRequest) -> bool:
        """Whether we answer for this Host, by Django's own check; good ones are remembered."""
        host = request.META.get("HTTP_HOST")
        if host in self.known_hosts:
            return True
        try:
            request.get_host()
        except DisallowedHost:
            return False
        if host and len(self.known_hosts) < MOST_HOSTS:
            self.known_hosts.add(host)
        return True

    def process_view(
        self, request: HttpRequest, view: Callable[..., Any], args: Any, kwargs: Any
    ) -> HttpResponseBase | None:
        """The CSRF check of pages happens when the view is known, as it may be exempt."""
        if paths.is_api(request.path_info) or paths.is_hook(request.path_info):
            return None
        refused: HttpResponseBase | None = self.csrf.process_view(request, view, args, kwargs)
        if refused is not None:
            security.warning("csrf check failed", extra={"path": request.path_info[:200]})
        return refused

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """An unexpected failure of a view: logged once, answered in the shape of the address.

        Where the database does not answer, or an overlong statement was stopped, the client hears
        503 and may try again.
        """
        if isinstance(error, Http404 | PermissionDenied | SuspiciousOperation):
            # Expected: Django turns these into the 4xx pages.
            return None
        path = paths.without_secrets(request.path_info)[:500]
        log.error("request failed", extra={"path": path}, exc_info=error)
        if isinstance(error, OperationalError | InterfaceError):
            kind, body = paths.refusal(request.path_info, UNAVAILABLE)
            response = HttpResponse(body, content_type=kind, status=503)
            response["Retry-After"] = "5"
        else:
            response = errors.server_error(request)
        # The line above is the one; Django would write a second, without the reason.
        response._has_been_logged = True  # type: ignore[attr-defined]
        return response

    def _unknown_host(self, request: HttpRequest) -> HttpResponse:
        host = request.META.get("HTTP_HOST", "")
        security.warning("unknown host", extra={"host": host[:200]})
        kind, body = paths.refusal(request.path_info, "This server does not answer for that host.")
        return HttpResponse(body, content_type=kind, status=400)
