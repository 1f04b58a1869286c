"""What mail providers call: a secret address each, no session, and plain answers for programs.

2xx is said when what was posted cannot get lost any more. Whoever does not know the address, and
whoever knows it but cannot prove to be the provider, hears nothing of what is there.
"""

from __future__ import annotations

import logging

from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse

from deskbell.kernel.clock import now
from deskbell.kernel.errors import Invalid
from deskbell.mail import secrets
from deskbell.mail.hooks import Forged, Unexpected
from deskbell.mail.intake import channels, fetching, webhooks
from deskbell.mail.sending import routes, tracking
from deskbell.people import credentials

log = logging.getLogger("deskbell.mail")
security = logging.getLogger("deskbell.security")

_FORGED = "What is posted here is not signed by the provider: check the signing key on both sides."
_UNREADABLE = "A stored key cannot be read any more. Enter it again."


def mail_in(request: HttpRequest, place: str) -> HttpResponse:
    """Take the messages that a provider posts, or that it asks us to fetch."""
    if request.method in ("GET", "HEAD"):
        # Some look whether anybody is there before they believe an address.
        return _plain(200, "") if webhooks.channel_at(place) else nobody(request)
    if request.method != "POST":
        return _wrong_method()
    at = now()
    try:
        channel = webhooks.channel_at(place)
        if channel is None:
            return nobody(request)
        try:
            number = webhooks.take_posted(
                channel,
                channels.settings_of(channel),
                request,
                password=secrets.opened(channel.secret),
                at=at,
            )
        except Forged as forged:
            security.warning("webhook not proven", extra={"channel": channel.name})
            fetching.raise_alarm(channel, _FORGED, at=at)
            return _forged(forged)
        except Unexpected as problem:
            fetching.raise_alarm(channel, str(problem), at=at)
            return _plain(400, str(problem))
        except (secrets.Unreadable, Invalid):
            fetching.raise_alarm(channel, _UNREADABLE, at=at)
            return _later()
        except OSError as error:
            log.error(
                "webhook not taken", extra={"channel": channel.name, "reason": str(error)[:500]}
            )
            fetching.raise_alarm(channel, str(error), at=at)
            return _later()
        fetching.all_clear(channel, at=at)
    except DatabaseError as error:
        log.error("webhook not taken", extra={"reason": str(error).strip()[:500]})
        return _later()
    return _plain(200, f"Taken: {number}.")


def mail_events(request: HttpRequest, key: str) -> HttpResponse:
    """Note what a provider reports of messages that it took."""
    if request.method in ("GET", "HEAD"):
        return _plain(200, "") if tracking.route_at(key) else nobody(request)
    if request.method != "POST":
        return _wrong_method()
    at = now()
    try:
        route = tracking.route_at(key)
        if route is None:
            return nobody(request)
        try:
            number = tracking.note_posted(route, request, at=at)
        except Forged as forged:
            security.warning("webhook not proven", extra={"route": route.name})
            routes.note_trouble(route, _FORGED, at=at)
            return _forged(forged)
        except Unexpected as problem:
            routes.note_trouble(route, str(problem), at=at)
            return _plain(400, str(problem))
        except secrets.Unreadable:
            routes.note_trouble(route, _UNREADABLE, at=at)
            return _later()
        except OSError as error:
            log.error("report not taken", extra={"route": route.name, "reason": str(error)[:500]})
            return _later()
    except DatabaseError as error:
        log.error("report not taken", extra={"reason": str(error).strip()[:500]})
        return _later()
    return _plain(200, f"Noted: {number}.")


def nobody(request: HttpRequest) -> HttpResponse:
    """What an address hears that belongs to nobody; too many of them are not even looked at."""
    ip = request.META.get("REMOTE_ADDR")
    if credentials.failed_too_often("webhook", client_ip=ip, at=now()):
        response = _plain(429, "Too many tries.")
        response["Retry-After"] = "300"
        return response
    return _plain(404, "Not found.")


def _wrong_method() -> HttpResponse:
    response = _plain(405, "")
    response["Allow"] = "GET, HEAD, POST"
    return response


def _forged(forged: Forged) -> HttpResponse:
    if forged.challenge:
        response = _plain(401, "Who are you?")
        response["WWW-Authenticate"] = 'Basic realm="Deskbell", charset="UTF-8"'
        return response
    return _plain(403, "Refused.")


def _later() -> HttpResponse:
    """The provider keeps it and posts again."""
    response = _plain(503, "Not taken; please try again later.")
    response["Retry-After"] = "60"
    return response


def _plain(status: int, text: str) -> HttpResponse:
    response = HttpResponse(text, status=status, content_type="text/plain; charset=utf-8")
    # Django would log the address, which is secret.
    response._has_been_logged = True  # type: ignore[attr-defined]
    return response
