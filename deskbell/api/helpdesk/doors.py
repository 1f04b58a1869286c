"""Where requests come in: switched on or off, by the short way or the framework's, and out again.

Lists and single objects as JSON are read far more often than anything else. For them the framework
is passed by: the same sign-in, the same rows, the same bytes. Whatever is not plainly such a
request, or does not end well, goes the framework's way, which knows how to say so; a test proves
that both ways give the same answer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from rest_framework.exceptions import APIException
from rest_framework.views import APIView

from deskbell.api.helpdesk import auth, reading
from deskbell.api.helpdesk.auth import Caller
from deskbell.api.helpdesk.encode import Encoded
from deskbell.api.helpdesk.formats import CONTENT_SECURITY_POLICY, PageRenderer
from deskbell.api.helpdesk.reading import Place
from deskbell.kernel.errors import DeskError
from deskbell.people import sessions

VARY = "Accept, Cookie"
LIST_VERBS = "GET, POST, HEAD, OPTIONS"
ITEM_VERBS = "GET, PUT, PATCH, DELETE, HEAD, OPTIONS"
_JSON = "application/json"
#: How clients say that JSON is what they want, as far as it needs no thinking about.
_PLAINLY_JSON = frozenset({None, "*/*", _JSON, f"{_JSON}, */*", f"{_JSON},*/*"})
#: For how long a browser need not ask again whether another site's script may call.
_PREFLIGHT_SECONDS = 600

Respond = Callable[..., HttpResponseBase]


class Short(Protocol):
    """A short way: the body for a caller, or an exception that the framework's way repeats."""

    def __call__(
        self, caller: Caller, request: HttpRequest, kwargs: Mapping[str, str]
    ) -> Encoded: ...


def door(view: type[APIView], short: Short | None = None, *, verbs: str = "") -> Respond:
    """The view behind an address. ``short`` answers plain reads, ``verbs`` is their Allow."""
    framework = view.as_view()

    def respond(request: HttpRequest, **kwargs: str) -> HttpResponseBase:
        if not settings.CONFIG.helpdesk_api:
            return not_found(request)
        response: HttpResponseBase | None = None
        if request.method == "GET" and short is not None:
            response = _shortly(short, request, kwargs, verbs)
        elif request.method == "OPTIONS" and _is_preflight(request):
            return _preflight(view)
        if response is None:
            response = framework(request, **kwargs)
            _as_page(request, response)
        response.headers["Vary"] = VARY
        _share(request, response)
        return response

    respond.csrf_exempt = True  # type: ignore[attr-defined]
    # By these the browsable API finds its way back up.
    respond.cls = view  # type: ignore[attr-defined]
    respond.initkwargs = {}  # type: ignore[attr-defined]
    return respond


def not_found(request: HttpRequest, **_: str) -> HttpResponse:
    """An address that is nobody's, also for those who are not signed in."""
    return HttpResponse(b'{"detail":"Not found."}', content_type=_JSON, status=404)


def _shortly(
    short: Short, request: HttpRequest, kwargs: Mapping[str, str], verbs: str
) -> HttpResponse | None:
    """The answer to a plain read, ``None`` where the framework has to give it."""
    if kwargs.get("format", "json") != "json":
        return None
    if request.META.get("HTTP_ACCEPT") not in _PLAINLY_JSON or (
        "format=" in request.META.get("QUERY_STRING", "")
    ):
        return None
    try:
        caller = auth.caller_of(request)
        if caller is None or not auth.is_staff(caller):
            return None
        body = short(caller, request, kwargs)
    except (APIException, DeskError):
        return None
    response = HttpResponse(body, content_type=_JSON)
    response.headers["Allow"] = verbs
    return response


def _as_page(request: HttpRequest, response: HttpResponseBase) -> None:
    """Draw the browsable API with its policy, and hand out the token that its forms need."""
    if not isinstance(getattr(response, "accepted_renderer", None), PageRenderer):
        return
    sessions.csrf_token(request)
    response.render()  # type: ignore[attr-defined]
    response.headers["Content-Security-Policy"] = CONTENT_SECURITY_POLICY
    sessions.deliver(request, response)


# --- other origins -------------------------------------------------------------------------------


def _share(request: HttpRequest, response: HttpResponseBase) -> None:
    """Let scripts of any origin read answers to credentials that no browser sends by itself.

    Never what a session was answered, and never together with cookies (decision 29).
    """
    caller = getattr(request, auth.OUTCOME, None)
    by_session = isinstance(caller, tuple) and caller[0] is not None and not caller[0].by_header
    if auth.is_by_header(request) and not by_session:
        response.headers["Access-Control-Allow-Origin"] = "*"


def _is_preflight(request: HttpRequest) -> bool:
    """Whether a browser asks if another origin's script may send such credentials."""
    asked = request.META.get("HTTP_ACCESS_CONTROL_REQUEST_HEADERS", "").lower()
    return (
        "HTTP_ORIGIN" in request.META
        and "HTTP_ACCESS_CONTROL_REQUEST_METHOD" in request.META
        and "authorization" in [word.strip() for word in asked.split(",")]
    )


def _preflight(view: type[APIView]) -> HttpResponse:
    verbs = [verb.upper() for verb in view.http_method_names if hasattr(view, verb)]
    return HttpResponse(
        status=204,
        headers={
            "Access-Control-Allow-Origin": "*",
            "Access-Control-Allow-Methods": ", ".join(verbs),
            "Access-Control-Allow-Headers": "Authorization, Content-Type, Accept",
            "Access-Control-Max-Age": str(_PREFLIGHT_SECONDS),
        },
    )


# --- the short ways ------------------------------------------------------------------------------


def tickets(caller: Caller, request: HttpRequest, kwargs: Mapping[str, str]) -> Encoded:
    return reading.tickets(caller.actor, request.GET, Place(request))[0]


def ticket(caller: Caller, request: HttpRequest, kwargs: Mapping[str, str]) -> Encoded:
    return reading.ticket(caller.actor, reading.ident(kwargs["pk"]), Place(request))


def followups(caller: Caller, request: HttpRequest, kwargs: Mapping[str, str]) -> Encoded:
    return reading.followups(caller.actor, request.GET, Place(request))[0]


def followup(caller: Caller, request: HttpRequest, kwargs: Mapping[str, str]) -> Encoded:
    return reading.followup(caller.actor, reading.ident(kwargs["pk"]), Place(request))
