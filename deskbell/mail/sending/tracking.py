"""What a mail provider reports of the messages that it took: delivered, delayed, bounced, refused.

django-anymail checks and reads the reports. They come twice, late, in any order and about messages
that are not ours (the account may serve others, too): that is no error.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils.crypto import constant_time_compare

from deskbell.kernel.text import is_storable
from deskbell.mail import hooks
from deskbell.mail.hooks import Unexpected
from deskbell.mail.models import MailRoute, OutgoingMail, RouteKind
from deskbell.mail.sending import outcomes, routes

log = logging.getLogger("deskbell.mail")

_WRONG_DOOR = "The provider posts something else than reports here: check its settings."
_NO_KEY = "The key is missing with which the provider signs its reports: enter it."
#: anymail's words for what a report may say, and what it is for us.
_CAME_BACK = {
    "bounced": "It came back.",
    "rejected": "The provider refused to send it.",
    "failed": "The provider could not send it.",
    "complained": "The recipient reported it as spam.",
}
#: Reasons for which the next message to the address would fare no better.
_DEAD = frozenset({"invalid", "bounced", "spam"})
#: What providers call a bounce that another day might not be one, by their field's name.
_SOFT: Mapping[str, frozenset[Any]] = {
    "event": frozenset({"soft_bounce"}),
    "Type": frozenset({"SoftBounce"}),
    "bounceType": frozenset({"Transient", "Undetermined"}),
    "hard_bounce": frozenset({False}),
    "bounce_class": frozenset({"1", "20", "21", "22", "23", "24", "40", "70"}),
    "type": frozenset({"Transient", "Undetermined", "blocked", "soft_bounced"}),
}


def address_of(route: MailRoute) -> str:
    """The address, without the host, that a provider reports to; empty where none reports."""
    is_one = route.kind == RouteKind.PROVIDER and route.settings.get("provider") in hooks.VIEWS
    return f"/mail/events/{route.key}/" if is_one else ""


def route_at(key: str) -> MailRoute | None:
    """The route whose address holds the key."""
    route = MailRoute.objects.filter(key=key, kind=RouteKind.PROVIDER).first()
    return route if route is not None and constant_time_compare(route.key, key) else None


def note_posted(route: MailRoute, request: HttpRequest, *, at: datetime) -> int:
    """Note what a provider reports; how many messages it was news about.

    Raises :class:`~deskbell.mail.hooks.Forged`, :class:`~deskbell.mail.hooks.Unexpected`,
    DatabaseError and :class:`~deskbell.mail.secrets.Unreadable`.
    """
    provider = route.settings["provider"]
    if provider not in hooks.VIEWS:
        raise Unexpected("This provider reports nothing.")
    if request.content_type in {"multipart/form-data", "application/x-www-form-urlencoded"}:
        hooks.form(request)
    known = routes.secrets_of(route)
    names = routes.PROVIDERS[provider].secrets[1:]
    signing = {name: known[name] for name in names if known.get(name)}
    if provider in {"mailgun", "unisender_go"} and not signing:
        signing = {"api_key": known.get("api_key", "")}
    if provider == "mailjet":
        # Its second secret sends; it signs nothing.
        signing = {}
    if provider == "mandrill" and signing:
        signing["webhook_url"] = f"{settings.CONFIG.address}{request.path}"
    if provider in {"mailersend", "mandrill", "postal"} and not signing:
        raise Unexpected(_NO_KEY)
    view = hooks.proven(request, provider, "Tracking", signing=signing)
    try:
        events = view.parse_events(request)
    except (Unexpected, OSError):
        raise
    except Exception as error:
        # Of whatever shape it is, no report can be read in it.
        raise Unexpected(_WRONG_DOOR) from error
    return sum(_note(event, at=at) for event in events)


def _note(event: Any, *, at: datetime) -> bool:
    mail = next(_named(event), None)
    if mail is None:
        return False
    said = event.mta_response or event.description or ""
    said = said if isinstance(said, str) else str(said)
    match event.event_type:
        case "delivered":
            return outcomes.arrived(mail, at=at)
        case "deferred":
            return outcomes.is_delayed(mail, said or "The server asks to wait.", at=at)
        case "bounced" | "rejected" | "failed" | "complained":
            reason = f"{_CAME_BACK[event.event_type]} {said}"
            dead = event.event_type == "complained" or (
                event.event_type in {"bounced", "rejected"} and _is_for_good(event)
            )
            return outcomes.came_back(mail, reason, dead=dead, at=at)
    return False


def _named(event: Any) -> Iterator[OutgoingMail]:
    """The message that a report names: as the provider calls it, or by its Message-ID."""
    given = event.esp_event if isinstance(event.esp_event, dict) else {}
    mail = given.get("mail")
    common = mail.get("commonHeaders") if isinstance(mail, dict) else None
    ids = [
        event.message_id,
        given.get("smtp-id"),
        given.get("message-id"),
        common.get("messageId") if isinstance(common, dict) else None,
    ]
    rows = OutgoingMail.objects.select_related("article__ticket")
    for id_ in ids:
        if not isinstance(id_, str | int) or not id_:
            continue
        text = str(id_).strip()
        if len(text) > 255 or not is_storable(text):
            continue
        yield from rows.filter(provider_id=text)[:1]
        yield from rows.filter(message_id=f"<{text.strip('<>')}>")[:1]


def _is_for_good(event: Any) -> bool:
    """Whether the address itself is to blame, so that nothing more shall be sent there."""
    if event.reject_reason not in {*_DEAD, None} or _is_soft(event.esp_event):
        return False
    return event.event_type == "bounced" or event.reject_reason is not None


def _is_soft(given: Any, depth: int = 4) -> bool:
    if isinstance(given, list):
        return any(_is_soft(each, depth - 1) for each in given) if depth else False
    if not isinstance(given, dict):
        return False
    for name, value in given.items():
        if isinstance(value, str | bool | int) and value in _SOFT.get(name, ()):
            return True
        if depth and isinstance(value, dict) and _is_soft(value, depth - 1):
            return True
    return False
