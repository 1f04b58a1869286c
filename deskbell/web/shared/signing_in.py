"""The front door: sign in, sign out, and where one lands."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase, HttpResponseRedirect
from django.utils.translation import gettext
from django.views.decorators.debug import sensitive_post_parameters

from deskbell.kernel.clock import now
from deskbell.kernel.logging import user_id
from deskbell.people import sessions
from deskbell.people.access import actor_for
from deskbell.people.credentials import (
    FAILURE_WINDOW,
    BadCredentials,
    TooManyTries,
    sign_in,
)
from deskbell.web.shared.pages import allow, home_of, identify, is_local, page


@sensitive_post_parameters("password")
@allow("GET", "HEAD", "POST")
def home(request: HttpRequest) -> HttpResponseBase:
    """Sign in, or go to where one's work is."""
    if request.method == "POST":
        return _sign_in(request)
    wanted = request.GET.get("next", "")
    actor = identify(request, "web")
    if actor is None:
        return _form(request, wanted=wanted)
    return HttpResponseRedirect(wanted if is_local(request, wanted) else home_of(actor))


def _form(
    request: HttpRequest, *, wanted: str, username: str = "", problem: str = "", status: int = 200
) -> HttpResponse:
    context = {
        "next": wanted if is_local(request, wanted) else "",
        "username": username,
        "problem": problem,
    }
    response = page(request, "shared/sign_in.html", context, status=status)
    response["Cache-Control"] = "no-store"
    return response


def _sign_in(request: HttpRequest) -> HttpResponse:
    """Check the password; an unknown name and a wrong password hear the same words."""
    username = request.POST.get("username", "").strip()
    wanted = request.POST.get("next", "")
    try:
        user = sign_in(
            username,
            request.POST.get("password", ""),
            client_ip=request.META.get("REMOTE_ADDR"),
            at=now(),
        )
    except BadCredentials:
        problem = gettext("This name and this password do not belong together. Please try again.")
        return _form(request, wanted=wanted, username=username, problem=problem, status=422)
    except TooManyTries:
        problem = gettext("There were too many tries for this account. Please wait five minutes.")
        response = _form(request, wanted=wanted, username=username, problem=problem, status=429)
        response["Retry-After"] = str(int(FAILURE_WINDOW.total_seconds()))
        return response
    sessions.start(request, user)
    user_id.set(user.pk)
    actor = actor_for(user.pk, "web")
    if actor is None:
        # The account was switched off between two statements.
        sessions.end(request)
        return HttpResponseRedirect("/")
    return HttpResponseRedirect(wanted if is_local(request, wanted) else home_of(actor))


@allow("POST")
def sign_out(request: HttpRequest) -> HttpResponseBase:
    """End the session, here and on the server."""
    sessions.end(request)
    return HttpResponseRedirect("/")
