"""Failures in the house's look, and in the shape of the API where the address belongs to one."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponsePermanentRedirect
from django.template.loader import render_to_string
from django.urls import is_valid_path
from django.utils.translation import gettext

from deskbell.kernel.logging import request_id
from deskbell.web.shared import paths

log = logging.getLogger("deskbell.web")


def _answer(
    request: HttpRequest, status: int, headline: str, sentence: str, **context: Any
) -> HttpResponse:
    if paths.is_api(request.path_info):
        kind, body = paths.refusal(request.path_info, sentence)
        return HttpResponse(body, content_type=kind, status=status)
    context |= {"status": status, "headline": headline, "sentence": sentence}
    # Without the request: its context processors may be what failed.
    return HttpResponse(render_to_string("shared/error.html", context), status=status)


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """400: the request cannot be read."""
    return _answer(
        request,
        400,
        gettext("That request makes no sense"),
        gettext("The desk could not read what your browser sent. Please go back and try again."),
    )


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """403: seen, but not to be done."""
    return _answer(
        request,
        403,
        gettext("You may not do that"),
        gettext("Your account does not have the rights for this. An administrator can grant them."),
    )


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """403: a form that did not come from our own page, or from a page of an earlier session."""
    return _answer(
        request,
        403,
        gettext("That form was out of date"),
        gettext("Nothing was changed. Please go back, reload the page and send it again."),
    )


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """404, for what does not exist and for what is not for the one who asks."""
    path = request.path_info
    if (
        request.method in ("GET", "HEAD")
        and not path.endswith("/")
        and not paths.is_api(path)
        and not is_valid_path(path)
        and is_valid_path(path + "/")
    ):
        query = request.META.get("QUERY_STRING", "")
        # One slash in front, whatever was asked for: "//host/" would lead elsewhere.
        return HttpResponsePermanentRedirect(
            "/" + path.lstrip("/") + "/" + (f"?{query}" if query else "")
        )
    return _answer(
        request,
        404,
        gettext("There is nothing here"),
        gettext("This page does not exist, or it is not for your account."),
    )


def method_not_allowed(request: HttpRequest, methods: Sequence[str]) -> HttpResponse:
    """405: a form's address opened like a page, or the other way round."""
    response = _answer(
        request,
        405,
        gettext("That is not how this address works"),
        gettext("Nothing was changed. Please go back to the page you came from."),
    )
    response["Allow"] = ", ".join(methods)
    return response


def server_error(request: HttpRequest) -> HttpResponse:
    """500: our fault. The request id is what the log line bears."""
    headline = gettext("Something went wrong on our side")
    sentence = gettext("It is in the log. Nothing that you did is half-done; please try again.")
    try:
        return _answer(request, 500, headline, sentence, identity=request_id.get())
    except Exception:
        # The page itself cannot be made; plain words always can.
        log.exception("the error page could not be rendered")
        return HttpResponse(sentence, content_type="text/plain; charset=utf-8", status=500)
