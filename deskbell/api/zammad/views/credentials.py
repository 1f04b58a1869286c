"""API tokens of one's own, and browser sessions (contract section 2)."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from django.http import HttpRequest, HttpResponse

from deskbell.api.zammad import assets, auth, errors
from deskbell.api.zammad.decode import values
from deskbell.api.zammad.decode.parameters import parameters_of
from deskbell.api.zammad.encode import people as objects
from deskbell.api.zammad.errors import Problem, forbidden
from deskbell.api.zammad.views.base import (
    Call,
    answer,
    done,
    endpoint,
    needs,
    open_to_all,
)
from deskbell.kernel.actor import includes
from deskbell.kernel.errors import Unknown
from deskbell.people import credentials, sessions
from deskbell.people.access import actor_for
from deskbell.people.models import ApiToken, Permission, User
from deskbell.people.operations import create_token, revoke_token

NAME_LIMIT = 250
NOT_FOUND = "The API token could not be found."
_own_tokens = needs("user_preferences.access_token")


# --- tokens --------------------------------------------------------------------------------------


@_own_tokens
def list_tokens(call: Call) -> HttpResponse:
    """The caller's tokens without secrets, and what a token of his can be allowed."""
    tokens = ApiToken.objects.filter(user=call.actor.user_id).order_by("id")
    permissions = Permission.objects.filter(active=True).order_by("name")
    return answer(
        {
            "tokens": [objects.token(row) for row in tokens],
            "permissions": [
                objects.permission(row) for row in permissions if call.actor.may(row.name)
            ],
        }
    )


@_own_tokens
def make_token(call: Call) -> HttpResponse:
    """A new token; its secret is in this answer and nowhere else."""
    params = call.params
    # Older clients say label.
    name = params.get("name") if not values.is_blank(params.get("name")) else params.get("label")
    if values.is_blank(name):
        raise errors.unprocessable("The required parameter 'name' is missing.")
    wanted = _permissions(call)
    expires_at: date | None = None
    if not values.is_blank(params.get("expires_at")):
        expires_at = values.day("expires_at", params["expires_at"])
    _token, secret = create_token(
        call.actor.user_id,
        name=values.text("name", name, limit=NAME_LIMIT),
        permissions=wanted,
        expires_at=expires_at,
        actor=call.actor,
        at=call.at,
    )
    return answer({"token": secret})


def _permissions(call: Call) -> list[str]:
    """What the new token lets through. A narrowed token makes none that lets through more."""
    known = set(Permission.objects.values_list("name", flat=True))
    found = []
    for name in values.items("permission", call.params.get("permission")):
        if not isinstance(name, str) or name not in known:
            raise errors.no_lookup_value("permission", name)
        if call.actor.scope is not None and not includes(call.actor.scope, name):
            raise forbidden(errors.TOKEN_REFUSED)
        found.append(name)
    return found


@_own_tokens
def remove_token(call: Call, token_id: str) -> HttpResponse:
    """Revoke one of the caller's tokens."""
    id_ = values.as_id(token_id)
    if id_ is None:
        raise errors.unprocessable(NOT_FOUND)
    try:
        revoke_token(id_, call.actor.user_id, actor=call.actor, at=call.at)
    except Unknown:
        raise errors.unprocessable(NOT_FOUND) from None
    return done()


# --- sessions ------------------------------------------------------------------------------------


@open_to_all
def sign_in(request: HttpRequest, at: datetime) -> HttpResponse:
    """Begin a session. Another site's page cannot do this in a visitor's browser."""
    if auth.is_foreign(request):
        raise Problem(401, auth.CSRF_FAILED)
    sends_token = auth.CSRF_HEADER in request.META
    if sends_token and sessions.csrf_problem(request, header=auth.CSRF_HEADER):
        raise Problem(401, auth.CSRF_FAILED)
    params = parameters_of(request)
    name, password = params.get("username"), params.get("password")
    if not isinstance(name, str) or not isinstance(password, str):
        raise Problem(401, auth.LOGIN_FAILED)
    try:
        user = credentials.sign_in(name, password, client_ip=request.META["REMOTE_ADDR"], at=at)
    except (credentials.BadCredentials, credentials.TooManyTries):
        raise Problem(401, auth.LOGIN_FAILED) from None
    sessions.start(request, user)
    return _delivered(request, answer(_session_of(user), 201))


@open_to_all
def show_session(request: HttpRequest, at: datetime) -> HttpResponse:
    """Who is signed in, if anybody; and the CSRF token that sign-in and writing need."""
    user = sessions.user_of(request)
    body = {"error": "no valid session", "config": {}} if user is None else _session_of(user)
    return _delivered(request, answer(body))


@open_to_all
def sign_out(request: HttpRequest, at: datetime) -> HttpResponse:
    """End the session, if there is one. Clients of Zammad do this by GET as well."""
    if auth.is_foreign(request):
        raise Problem(401, auth.CSRF_FAILED)
    sessions.end(request)
    return _delivered(request, done())


def _session_of(user: User) -> dict[str, Any]:
    actor = actor_for(user.pk, auth.VIA)
    if actor is None:
        raise Problem(401, auth.LOGIN_FAILED)
    shown = assets.users([user], actor=actor)
    return {"session": shown[0], "config": {}, "collections": {}, "assets": {}}


def _delivered(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    response.headers["CSRF-Token"] = sessions.csrf_token(request)
    sessions.deliver(request, response)
    response.headers["Cache-Control"] = "no-store"
    return response


tokens = endpoint(get=list_tokens, post=make_token)
token = endpoint(delete=remove_token)
signin = endpoint(post=sign_in)
signshow = endpoint(get=show_session)
signout = endpoint(get=sign_out, delete=sign_out)
