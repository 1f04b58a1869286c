"""Mail providers: the same message handed over by HTTP, through django-anymail.

Most providers build the message anew, so they get its parts: both texts, files, inline images, and
the fields that tie it to its ticket. Some give it a Message-ID of their own; then the thread's id
in References is what answers are known by.
"""

from __future__ import annotations

import email
import json
from email.encoders import encode_base64
from email.message import Message
from email.mime.base import MIMEBase
from email.utils import format_datetime
from importlib import import_module
from typing import Any

import requests
from anymail.exceptions import (
    AnymailConfigurationError,
    AnymailError,
    AnymailRecipientsRefused,
    AnymailRequestsAPIError,
)
from anymail.message import AnymailMessage
from django.core.exceptions import ImproperlyConfigured

from deskbell.kernel.errors import Invalid
from deskbell.mail import secrets
from deskbell.mail.models import MailRoute
from deskbell.mail.sending import routes
from deskbell.mail.sending.transport import NotTaken, OutOfReach, Refused, reason_of
from deskbell.mail.writing import composing
from deskbell.mail.writing.composing import Composed, Enclosure, Parts
from deskbell.mail.writing.headers import one_line

TIMEOUT_SECONDS = 20.0
PROVIDER_ID_LENGTH = 255
#: That the provider dislikes the message itself; with any other answer somebody can help it.
_ABOUT_THE_MESSAGE = frozenset({400, 413, 415, 422})


def send(message: Composed, route: MailRoute) -> str | None:
    """Hand a message to the provider of a route; what it calls the message.

    Raises :class:`~deskbell.mail.sending.transport.Refused` and
    :class:`~deskbell.mail.sending.transport.NotTaken`.
    """
    letter = message_of(message, provider=route.settings["provider"])
    try:
        backend = backend_of(route)
        opened = backend.open()
        session = getattr(backend, "session", None)
        if isinstance(session, requests.Session):
            # A redirect would carry the message, and perhaps the key, to somebody else.
            session.max_redirects = 0
        try:
            backend.send_messages([letter])
        finally:
            if opened:
                backend.close()
    except AnymailRecipientsRefused as error:
        said = _words(error.response) if error.response is not None else ""
        raise Refused(reason_of(f"The provider does not send to this address. {said}")) from error
    except AnymailRequestsAPIError as error:
        raise _judged(error) from error
    except (ImproperlyConfigured, AnymailConfigurationError) as error:
        raise OutOfReach(reason_of(f"The provider's settings do not do: {error}")) from error
    except AnymailError as error:
        # It cannot be said in the words of this provider; no later attempt would do better.
        kind = NotTaken if error.__cause__ is not None else Refused
        raise kind(reason_of(f"The provider does not take this message: {error}")) from error
    return _known_as(letter.anymail_status, message.recipient)


def _known_as(status: Any, recipient: str) -> str | None:
    """What the provider calls a message that it took. Raises where it did not."""
    told = status.recipients.get(recipient) or next(iter(status.recipients.values()), None)
    state = told.status if told is not None else None
    if state in ("invalid", "rejected"):
        raise Refused("The provider does not send to this address.")
    if state == "failed" or (told is None or (state == "unknown" and not told.message_id)):
        said = _words(status.esp_response) if status.esp_response is not None else ""
        raise NotTaken(reason_of(f"The provider did not take the message. {said}"))
    found = str(told.message_id) if told.message_id else None
    return found if found is None or len(found) <= PROVIDER_ID_LENGTH else None


def backend_of(route: MailRoute) -> Any:
    """The anymail backend of a route.

    Raises :class:`~deskbell.mail.sending.transport.OutOfReach`.
    """
    try:
        settings: routes.ProviderSettings = routes.settings_of(route)
        known = routes.secrets_of(route)
    except secrets.Unreadable as error:
        raise OutOfReach(str(error)) from error
    except Invalid as problem:
        raise OutOfReach(f"The setting “{problem.field}” of the route makes no sense.") from problem
    name = settings.provider
    provider = routes.PROVIDERS[name]
    own = {
        each.name: getattr(settings, each.name) for each in routes.settings_for(route.kind, name)
    }
    given: dict[str, Any] = {key: value for key, value in own.items() if value}
    given |= {
        key: known[key] for key in provider.needed if key in provider.secrets and key in known
    }
    if name == "amazon_ses":
        given = {
            "session_params": {
                "aws_access_key_id": given.get("access_key_id"),
                "aws_secret_access_key": given.get("secret_access_key"),
                "region_name": given.get("region"),
            },
            "configuration_set_name": given.get("configuration_set_name"),
        }
    else:
        given["timeout"] = TIMEOUT_SECONDS
    if name == "resend":
        # Whatever name a file has, it is sent.
        given["verify_attachment_extensions"] = False
    backend = import_module(f"anymail.backends.{name}").EmailBackend
    # What a provider has no words for (a header of ours) is no reason to send nothing.
    return backend(ignore_unsupported_features=True, **given)


# --- the message ---------------------------------------------------------------------------------


class _Letter(AnymailMessage):
    """A message with its own bytes, for a provider that takes those."""

    content: bytes = b""

    def message(self, **options: Any) -> Message:
        return email.message_from_bytes(self.content)


def message_of(message: Composed, *, provider: str) -> AnymailMessage:
    """The message as anymail takes it. Raises :class:`ValueError` where it has no parts."""
    parts = message.parts
    if parts is None:
        raise ValueError("a provider needs the parts of a message")
    head = parts.head
    found = _Letter(
        subject=one_line(head.subject, limit=400),
        body=parts.text,
        from_email=_named(head.sender_name, message.sender),
        to=[_named(head.recipient_name, message.recipient)],
        reply_to=[head.reply_to] if head.reply_to else None,
        headers=_headers(parts, provider),
    )
    found.content = message.content
    found.attach_alternative(parts.html, "text/html")
    for enclosure in parts.enclosures:
        found.attach(_attachment(enclosure))
    # Links with a secret in them must not lead through somebody else's counter.
    found.track_clicks = False
    found.track_opens = False
    if provider == "mailersend" and head.references:
        found.esp_extra = {"references": list(head.references)}
    return found


def _headers(parts: Parts, provider: str) -> dict[str, str]:
    head = parts.head
    found = {"Message-ID": head.message_id}
    if head.in_reply_to:
        found["In-Reply-To"] = head.in_reply_to
    if head.references:
        found["References"] = " ".join(head.references)
    found |= composing.answering(automatic=head.automatic)
    match provider:
        case "mailersend":
            # Other fields are for its largest customers only.
            found = {k: v for k, v in found.items() if k in {"In-Reply-To", "Precedence"}}
        case "postmark":
            found["X-PM-KeepID"] = "true"
        case "mailgun":
            found["Date"] = format_datetime(head.written_at)
    return found


def _attachment(enclosure: Enclosure) -> MIMEBase:
    kind, _, subtype = composing.attachable_type(enclosure.content_type).partition("/")
    part = MIMEBase(kind, subtype)
    part.set_payload(enclosure.content)
    encode_base64(part)
    name = one_line(enclosure.filename, limit=240) or "file"
    inline = bool(enclosure.content_id)
    part.add_header("Content-Disposition", "inline" if inline else "attachment", filename=name)
    if inline:
        part["Content-ID"] = f"<{enclosure.content_id}>"
    return part


def _named(name: str, address: str) -> str:
    words = one_line(name, limit=120)
    if not words:
        return address
    quoted = words.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{quoted}" <{address}>'


# --- what it says --------------------------------------------------------------------------------


def _judged(error: AnymailRequestsAPIError) -> Refused | NotTaken:
    code = error.status_code
    if code is None:
        # Nobody answered; the library's text names the address and the cause.
        cause = error.__cause__ or error
        return OutOfReach(reason_of(f"The provider cannot be reached ({type(cause).__name__})."))
    reason = reason_of(f"{code} {_words(error.response)}")
    if code in _ABOUT_THE_MESSAGE:
        return Refused(reason)
    if 200 <= code < 300:
        # Taken or not, nobody can tell.
        return NotTaken(
            reason_of(f"The provider's answer makes no sense: {_words(error.response)}")
        )
    return NotTaken(reason) if code in {408, 425} else OutOfReach(reason)


def _words(response: Any) -> str:
    """What an answer says in words, wherever it says so."""
    try:
        said = json.loads(response.content[:65_536])
    except ValueError:
        return " ".join(response.text[:300].split()) or str(response.reason)
    return _sentence(said) or " ".join(response.text[:300].split())


def _sentence(said: Any, depth: int = 0) -> str:
    if isinstance(said, str):
        return said
    if depth > 5:
        return ""
    if isinstance(said, list):
        return next((words for each in said if (words := _sentence(each, depth + 1))), "")
    if isinstance(said, dict):
        by_name = {str(key).lower(): value for key, value in said.items()}
        for name in ("message", "errormessage", "description", "error", "errors", "messages"):
            if words := _sentence(by_name.get(name), depth + 1):
                return words
        # Some name the field that they dislike.
        lists = (value for value in said.values() if isinstance(value, list))
        return next((words for each in lists if (words := _sentence(each, depth + 1))), "")
    return ""
