"""Account name and password in every call; no session, no header, no cookie."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import datetime

from deskbell.api.jutda.errors import BadCredentials
from deskbell.kernel.actor import Actor
from deskbell.kernel.logging import user_id as user_of_request
from deskbell.people import access, credentials

security_log = logging.getLogger("deskbell.security")


def caller(parameters: Mapping[str, str], *, client_ip: str | None, at: datetime) -> Actor:
    """Who calls, as an actor of this dialect; staff only.

    The account is ``user`` if that parameter is there, else ``username``: a wrong ``user`` is not
    rescued by a good ``username``. Raises :class:`BadCredentials`.
    """
    name = parameters["user"] if "user" in parameters else parameters.get("username", "")
    password = parameters.get("password", "")
    if not name or not password:
        raise BadCredentials
    try:
        user = credentials.sign_in(name, password, client_ip=client_ip, at=at)
    except credentials.BadCredentials:
        raise BadCredentials from None
    except credentials.TooManyTries:
        raise BadCredentials("Too many failed sign-ins, try again in a few minutes") from None
    user_of_request.set(user.pk)
    actor = access.actor_for(user.pk, "jutda")
    if actor is None or not actor.is_staff:
        security_log.warning("form call refused: not staff", extra={"user_id": user.pk})
        raise BadCredentials
    return actor
