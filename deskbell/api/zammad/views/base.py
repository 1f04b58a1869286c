"""What every route shares: sign-in, permissions, parameters, and the shape of every failure.

A handler takes a :class:`Call` and what stands in the path, and returns a response. Which
permissions it needs is said by :func:`needs`; a route nobody is asked for is :func:`open_to_all`.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable
from datetime import datetime
from html import escape
from typing import Any

import msgspec
from django.db import OperationalError
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.views.decorators.csrf import csrf_exempt

from deskbell.api.zammad import auth
from deskbell.api.zammad.decode.parameters import Parameters, parameters_of
from deskbell.api.zammad.decode.values import flag
from deskbell.api.zammad.errors import (
    NOT_AUTHORIZED,
    TOKEN_REFUSED,
    USER_REFUSED,
    Problem,
    forbidden,
    problem_of,
)
from deskbell.kernel import clock
from deskbell.kernel.actor import Actor
from deskbell.kernel.errors import DeskError
from deskbell.kernel.logging import user_id
from deskbell.people import sessions

log = logging.getLogger("deskbell.api.zammad")

JSON = "application/json; charset=utf-8"
_encoder = msgspec.json.Encoder()
encoded = _encoder.encode

Handler = Callable[..., HttpResponseBase]
View = Callable[..., HttpResponseBase]


class Call:
    """One request, understood: who, when, with which parameters."""

    __slots__ = ("actor", "at", "by_session", "params", "request")

    def __init__(
        self,
        request: HttpRequest,
        actor: Actor,
        at: datetime,
        params: Parameters,
        by_session: bool,
    ) -> None:
        self.request = request
        self.actor = actor
        self.at = at
        self.params = params
        self.by_session = by_session

    def asks(self, name: str) -> bool:
        """Whether a flag (``expand``, ``full``, ``all`` …) is on."""
        return flag(self.params, name) if name in self.params else False

    @property
    def root(self) -> str:
        """Where this API is mounted, for addresses inside of answers: ``/api/v1``."""
        path = self.request.path
        return path[: path.index("/api/v1/") + len("/api/v1")]


def answer(body: Any, status: int = 200) -> HttpResponse:
    """A value as JSON."""
    return HttpResponse(_encoder.encode(body), content_type=JSON, status=status)


def done(status: int = 200) -> HttpResponse:
    """``{}``: it is so now."""
    return HttpResponse(b"{}", content_type=JSON, status=status)


def needs(*permissions: str) -> Callable[[Handler], Handler]:
    """Any of these permissions, held by the user and let through by the token."""

    def mark(handler: Handler) -> Handler:
        handler.permissions = permissions  # type: ignore[attr-defined]
        return handler

    return mark


def open_to_all(handler: Handler) -> Handler:
    """No sign-in: the handler is called with the request and the moment instead of a call."""
    handler.is_open = True  # type: ignore[attr-defined]
    return handler


def require(actor: Actor, *permissions: str) -> None:
    """Raise the 403 that says whether the user or only the token lacks all of the permissions."""
    if any(actor.may(name) for name in permissions):
        return
    if any(actor.holds(name) for name in permissions):
        raise forbidden(TOKEN_REFUSED)
    raise forbidden(USER_REFUSED)


def endpoint(**handlers: Handler) -> View:
    """The view of one address: a handler per verb, in lower case. Other verbs find no route."""
    table = {verb.upper(): handler for verb, handler in handlers.items()}
    if "GET" in table:
        table["HEAD"] = table["GET"]

    # Sessions are checked by auth.py, in this dialect's own words.
    @csrf_exempt
    def view(request: HttpRequest, **path: str) -> HttpResponseBase:
        handler = table.get(request.method or "")
        if handler is None:
            return no_route(request)
        cross_origin = False
        try:
            at = clock.now()
            if getattr(handler, "is_open", False):
                return handler(request, at, **path)
            caller = auth.caller_of(request, at=at)
            actor = caller.actor
            user_id.set(actor.user_id)
            cross_origin = not caller.by_session
            permissions = getattr(handler, "permissions", ())
            if permissions:
                require(actor, *permissions)
            call = Call(request, actor, at, parameters_of(request), caller.by_session)
            response = handler(call, **path)
            if caller.by_session:
                response.headers["CSRF-Token"] = sessions.csrf_token(request)
                sessions.deliver(request, response)
        except Problem as problem:
            response = refusal(request, problem)
        except DeskError as error:
            response = refusal(request, problem_of(error))
        except OperationalError:
            # Locked for too long, a deadlock, a statement over its time: worth another try.
            log.exception("the database did not answer", extra={"path": request.path[:200]})
            response = refusal(request, Problem(503, "The desk is busy, please try again."))
            response.headers["Retry-After"] = "2"
        except Exception:
            # The last line: an API client must hear JSON, and we must hear of it once.
            identity = secrets.token_hex(4)
            log.exception(
                "request failed", extra={"path": request.path[:200], "error_id": identity}
            )
            response = refusal(
                request,
                Problem(
                    500,
                    f"Error ID {identity}: Please contact your administrator.",
                    human=False,
                ),
            )
        # Answers are for one person: no cache on the way may keep them.
        response.headers.setdefault("Cache-Control", "private, max-age=0, must-revalidate")
        if cross_origin:
            response.headers["Access-Control-Allow-Origin"] = "*"
        return response

    view.verbs = tuple(table)  # type: ignore[attr-defined]
    return view


def refusal(request: HttpRequest, problem: Problem) -> HttpResponse:
    """A failure as JSON; as a page only where a page and nothing else was asked for."""
    message = problem.message
    if _wants_page(request):
        title, headline = _PAGES.get(problem.status) or (f"{problem.status}: Error",) * 2
        page = (
            f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
            f"<title>{title}</title></head>"
            f"<body><h1>{headline}</h1><p>{escape(message)}</p></body></html>\n"
        )
        response = HttpResponse(page, status=problem.status)
    else:
        body = {"error": message}
        if problem.human:
            body["error_human"] = message
        response = answer(body, problem.status)
    if problem.status in (401, 403):
        response.headers["X-Failure"] = "".join(c if c.isprintable() else " " for c in message)
    return response


#: Titles and headlines of the pages that refuse, in Zammad's words.
_PAGES = {
    401: ("401: Unauthorized", "401: Unauthorized"),
    403: ("403: Forbidden", "403: Forbidden"),
    404: ("404: Not Found", "404: Requested resource was not found"),
    422: ("422: Unprocessable Entity", "422: The change you wanted was rejected."),
    500: ("500: An unknown error occurred", "500: An unknown error occurred."),
}


def _wants_page(request: HttpRequest) -> bool:
    accept = request.META.get("HTTP_ACCEPT", "")
    return "text/html" in accept and "json" not in accept


@csrf_exempt
def no_route(request: HttpRequest, **_path: str) -> HttpResponse:
    """404 for an address, or a verb, that is not there; and the answer to a CORS preflight."""
    if request.method == "OPTIONS" and _is_preflight(request):
        response = HttpResponse(b"", content_type=JSON)
        response.headers["Access-Control-Allow-Origin"] = "*"
        response.headers["Access-Control-Allow-Methods"] = "GET, POST, PUT, DELETE, OPTIONS"
        response.headers["Access-Control-Allow-Headers"] = (
            "Authorization, Content-Type, Accept, From, X-On-Behalf-Of"
        )
        response.headers["Access-Control-Max-Age"] = "86400"
        return response
    return refusal(request, Problem(404, f"No route matches [{request.method}] {request.path}"))


def _is_preflight(request: HttpRequest) -> bool:
    """Whether a browser asks leave for a call with credentials of its own (never a session's)."""
    wanted = request.META.get("HTTP_ACCESS_CONTROL_REQUEST_HEADERS", "").lower()
    return "authorization" in [word.strip() for word in wanted.split(",")]


def not_authorized() -> Problem:
    """The refusal of a row, as opposed to that of an action."""
    return forbidden(NOT_AUTHORIZED)
