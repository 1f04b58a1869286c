"""``monitoring``: for systems that watch the desk, with a token of their own or signed in."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.http import HttpRequest, HttpResponse

from deskbell.api.zammad import auth, monitoring
from deskbell.api.zammad.decode import values
from deskbell.api.zammad.decode.parameters import Parameters, parameters_of
from deskbell.api.zammad.errors import AUTHENTICATION_REQUIRED, Problem, forbidden, unprocessable
from deskbell.api.zammad.views.base import Call, answer, done, endpoint, needs, open_to_all, require
from deskbell.kernel import jobs

RIGHT = "admin.monitoring"
_PERIOD = re.compile(r"([0-9]{1,6})([smhd])\Z", re.ASCII)
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def _watching(request: HttpRequest, *, at: datetime) -> Parameters:
    """The parameters, once the caller may know: by the token, or by the right for it."""
    params = parameters_of(request)
    given = params.get("token")
    if isinstance(given, str) and given and monitoring.is_token(given):
        return params
    try:
        caller = auth.caller_of(request, at=at)
    except Problem as problem:
        if not values.is_blank(given) and problem.message == AUTHENTICATION_REQUIRED:
            raise forbidden() from None
        raise
    require(caller.actor, RIGHT)
    return params


@open_to_all
def health(request: HttpRequest, at: datetime) -> HttpResponse:
    """Whether somebody should look, and at what."""
    _watching(request, at=at)
    found = monitoring.issues(at=at)
    return answer(
        {
            "healthy": not found,
            "message": ";".join(found) or "success",
            "issues": found,
            "actions": ["restart_failed_jobs"] if jobs.dead_letters().exists() else [],
            "token": monitoring.token(at=at),
        }
    )


@open_to_all
def status(request: HttpRequest, at: datetime) -> HttpResponse:
    """How much there is."""
    _watching(request, at=at)
    return answer(monitoring.status())


@open_to_all
def amount(request: HttpRequest, at: datetime) -> HttpResponse:
    """Whether as many tickets come in as should: ``periode`` like ``1h``, and limits."""
    params = _watching(request, at=at)
    period = params.get("periode")
    if values.is_blank(period):
        raise unprocessable("The required parameter 'periode' is missing.")
    match = _PERIOD.match(str(period))
    if match is None or not int(match[1]):
        raise unprocessable("'periode' needs a number, and s, m, h or d at its end.")
    span = timedelta(**{_UNITS[match[2]]: min(int(match[1]), 36_500 * 86_400)})
    since = max(at.timestamp() - span.total_seconds(), 0)
    count = monitoring.opened_since(datetime.fromtimestamp(since, at.tzinfo))
    return answer(_judged(params, count, str(period)))


def _judged(params: Mapping[str, Any], count: int, period: str) -> dict[str, Any]:
    """The first limit that is passed, critical ones first. Without limits there is no state."""
    found: dict[str, Any] = {"count": count}
    for state in ("critical", "warning"):
        for side in ("max", "min"):
            name = f"{side}_{state}"
            if values.is_blank(params.get(name)):
                continue
            limit = values.integer(name, params[name], low=0)
            found.setdefault("state", "ok")
            if found["state"] != "ok":
                continue
            if side == "max" and count > limit:
                said = f"The limit of {limit} was exceeded with {count} in the last {period}"
            elif side == "min" and count <= limit:
                said = f"The minimum of {limit} was undercut by {count} in the last {period}"
            else:
                continue
            found.update(state=state, message=said)
    return found


@needs(RIGHT)
def make_token(call: Call) -> HttpResponse:
    """Another token instead of the present one."""
    return answer({"token": monitoring.new_token(at=call.at)}, 201)


@needs(RIGHT)
def restart(call: Call) -> HttpResponse:
    """Try once more what was given up."""
    jobs.retry(jobs.dead_letters(), at=call.at)
    return done()


health_check = endpoint(get=health)
figures = endpoint(get=status)
amount_check = endpoint(get=amount)
token = endpoint(post=make_token)
failed_jobs = endpoint(post=restart)
