"""What every page does: find out who asks, answer in time, and say failures in the house's look."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate
from urllib.parse import urlencode, urlsplit

from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme

from deskbell.kernel.actor import Actor, Via
from deskbell.kernel.errors import Forbidden, Unknown
from deskbell.kernel.logging import user_id
from deskbell.people import sessions
from deskbell.people.access import actor_for
from deskbell.people.models import User
from deskbell.web.shared.errors import method_not_allowed

Read = ("GET", "HEAD")
Write = ("POST",)


class DeskRequest(HttpRequest):
    """A request of somebody who is signed in: the person, and what he may do right now."""

    viewer: User
    actor: Actor


View = Callable[..., HttpResponseBase]


def allow(*methods: str) -> Callable[[View], View]:
    """Answer 405 to every other method."""

    def wrap(view: View) -> View:
        @wraps(view)
        def inner(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if request.method not in methods:
                return method_not_allowed(request, methods)
            return view(request, *args, **kwargs)

        return inner

    return wrap


def signed_in(
    via: Via, *methods: str
) -> Callable[[Callable[Concatenate[Any, ...], HttpResponseBase]], View]:
    """The page is for people who are signed in; strangers go to the sign-in page and come back.

    Rights are read from the database in every request. What the actor may not see is answered like
    what does not exist.
    """

    def wrap(view: Callable[Concatenate[Any, ...], HttpResponseBase]) -> View:
        @wraps(view)
        @allow(*methods)
        def inner(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if not identify(request, via):
                return to_sign_in(request)
            try:
                response = view(request, *args, **kwargs)
            except (Unknown, Forbidden) as error:
                raise Http404 from error
            # A page of somebody's tickets must not come back after he signed out.
            response.headers.setdefault("Cache-Control", "private, no-store")
            return response

        return inner

    return wrap


def identify(request: HttpRequest, via: Via) -> Actor | None:
    """Find out who asks; ``request.viewer`` and ``request.actor`` are set where somebody does."""
    viewer = sessions.user_of(request)
    actor = None if viewer is None else actor_for(viewer.pk, via)
    if viewer is None or actor is None:
        return None
    request.viewer = viewer  # type: ignore[attr-defined]
    request.actor = actor  # type: ignore[attr-defined]
    user_id.set(viewer.pk)
    return actor


def to_sign_in(request: HttpRequest) -> HttpResponse:
    """Send a stranger to the sign-in page, which sends him back to where he wanted to go."""
    if request.method in Read:
        wanted = request.get_full_path()
    else:
        # An address that only takes POST is nowhere to come back to; the page of the form is.
        wanted = urlsplit(request.META.get("HTTP_REFERER", "")).path
    there = reverse("home")
    if wanted not in ("", there) and is_local(request, wanted):
        there += "?" + urlencode({"next": wanted})
    return HttpResponseRedirect(there)


def is_local(request: HttpRequest, address: str) -> bool:
    """Whether an address is a path of this desk: nobody is ever sent anywhere else."""
    return address.startswith("/") and url_has_allowed_host_and_scheme(
        address, allowed_hosts=None, require_https=request.is_secure()
    )


def home_of(actor: Actor) -> str:
    """Where somebody lands: agents among their groups' tickets, customers among their own."""
    return reverse("agent-tickets" if actor.kind == "agent" else "portal-tickets")


def page(
    request: HttpRequest, template: str, context: dict[str, Any] | None = None, *, status: int = 200
) -> HttpResponse:
    """Render a page."""
    return render(request, template, context, status=status)
