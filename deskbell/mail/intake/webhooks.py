"""Messages that a mail provider posts: bytes first, as the provider got them wherever it says.

Most hand over the message itself; those bytes are kept, with the envelope as two fields above
them. A few hand over its parts only: django-anymail makes a message of these, always the same from
the same parts, so that what is posted again is known again. What cannot be made into a message is
kept as the file of a message that says so.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from email import encoders
from email.policy import default as default_policy
from functools import partial
from typing import Any
from urllib.parse import quote, urljoin

from django.conf import settings
from django.http import HttpRequest
from django.utils.crypto import constant_time_compare, salted_hmac

from deskbell.kernel.text import is_storable
from deskbell.mail import hooks
from deskbell.mail.hooks import Unexpected, Unreachable
from deskbell.mail.intake import taking
from deskbell.mail.models import ChannelKind, IncomingMail, MailChannel

log = logging.getLogger("deskbell.mail")

RECIPIENTS_AT_MOST = 50
_WRONG_DOOR = "The provider posts something else than incoming mail here: check its settings."


@dataclass(frozen=True, slots=True)
class Provider:
    """A provider that hands over mail, and what it takes to believe it.

    ``signing`` is anymail's name for the key of its signatures; without one it may name itself by
    ``user:password``. ``api`` is its name for the key with which the rest is fetched. ``suffix``
    ends the address where that decides what is posted.
    """

    label: str
    signing: str = ""
    must_sign: bool = False
    api: str = ""
    suffix: str = ""


PROVIDERS: Mapping[str, Provider] = {
    "amazon_ses": Provider("Amazon SES"),
    "brevo": Provider("Brevo", api="api_key"),
    "mailersend": Provider("MailerSend", "inbound_secret", must_sign=True),
    "mailgun": Provider("Mailgun", "webhook_signing_key", must_sign=True, suffix="mime"),
    "mailjet": Provider("Mailjet"),
    "mailtrap": Provider("Mailtrap", "inbound_secret", api="api_token"),
    "mandrill": Provider("Mandrill", "webhook_key", must_sign=True),
    "postal": Provider("Postal", "webhook_key", must_sign=True),
    "postmark": Provider("Postmark"),
    "resend": Provider("Resend", "inbound_secret", must_sign=True, api="api_key"),
    "sendgrid": Provider("SendGrid", "inbound_webhook_verification_key"),
    "sparkpost": Provider("SparkPost"),
}


# --- addresses -----------------------------------------------------------------------------------


def address_of(channel: MailChannel) -> str:
    """The address, without the host, that the provider posts to; whoever knows it may post."""
    suffix = PROVIDERS[channel.settings["provider"]].suffix
    return f"/mail/in/{channel.pk}-{_token(channel)}/{suffix}"


def channel_at(place: str) -> MailChannel | None:
    """The channel whose address holds ``place``; what is wrong takes as long as what is right."""
    id_, _, token = place.partition("-")
    is_id = id_.isascii() and id_.isdigit() and len(id_) <= 18
    rows = MailChannel.objects.filter(kind=ChannelKind.WEBHOOK, active=True)
    channel = rows.select_related("group").filter(pk=int(id_) if is_id else 0).first()
    wanted = _token(channel or MailChannel(pk=0))
    return channel if constant_time_compare(token, wanted) and channel is not None else None


def _token(channel: MailChannel) -> str:
    said = f"{channel.pk}:{channel.key}"
    return salted_hmac("deskbell.mail.webhook", said, algorithm="sha256").hexdigest()[:40]


# --- taking --------------------------------------------------------------------------------------


def take_posted(
    channel: MailChannel,
    provider_settings: Any,
    request: HttpRequest,
    *,
    password: str,
    at: datetime,
) -> int:
    """Keep what a provider posts; how many messages. What was kept before counts, too.

    When this returns, nothing of it can get lost; any failure leaves it to the provider to post all
    of it again. Raises :class:`~deskbell.mail.hooks.Forged`,
    :class:`~deskbell.mail.hooks.Unexpected`, OSError and DatabaseError.
    """
    name = provider_settings.provider
    provider = PROVIDERS[name]
    fields: Mapping[str, bytes] = {}
    if request.content_type in {"multipart/form-data", "application/x-www-form-urlencoded"}:
        fields = hooks.form(request)
    signing = {provider.signing: password} if provider.signing else {}
    extra = {provider.api: provider_settings.api_key} if provider.api else {}
    if name == "mandrill":
        extra["webhook_url"] = f"{settings.CONFIG.address}{request.path}"
    view = hooks.proven(
        request,
        name,
        "Inbound",
        signing=signing if password else {},
        basic="" if provider.signing else password,
        **extra,
    )
    number = 0
    for each in _READERS[name](_Posted(request, fields, view, provider_settings)):
        content = each.whole()
        key = f"{name}:{each.key}" if each.key else f"content:{_digest(content)}"
        mail = taking.take(content, channel=channel, key=_fit(key), at=at)
        IncomingMail.objects.filter(pk=mail.pk, told_at=None).update(told_at=at)
        number += 1
    return number


def _fit(key: str) -> str:
    return key if len(key) <= 255 and is_storable(key) else f"key:{_digest(key.encode())}"


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


# --- reading what each provider posts ------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Posted:
    request: HttpRequest
    fields: Mapping[str, bytes]
    view: Any
    settings: Any

    def text(self, name: str) -> str:
        return self.fields.get(name, b"").decode("utf-8", "replace")

    def document(self) -> Any:
        return hooks.document(self.request)


@dataclass(frozen=True, slots=True)
class _Arrival:
    """A message, its envelope, and what the provider calls it, if that is the same every time."""

    content: bytes
    sender: object = ""
    recipients: Sequence[object] = ()
    key: str = ""

    def whole(self) -> bytes:
        """The message below its envelope, as a mail server writes it."""
        end = b"\r\n" if b"\r\n" in self.content[:1000] else b"\n"
        lines = [
            name + address.encode() + closing + end
            for name, address, closing in [
                (b"Return-Path: <", _line(self.sender), b">"),
                *((b"Delivered-To: ", _line(r), b"") for r in self.recipients[:RECIPIENTS_AT_MOST]),
            ]
            if address
        ]
        return b"".join(lines) + self.content


def _line(address: object) -> str:
    """An address of an envelope, fit to stand in a field; empty where it is none."""
    text = address.strip().strip("<>") if isinstance(address, str) else ""
    fits = "@" in text and len(text) <= 320 and text.isprintable() and is_storable(text)
    return text if fits and " " not in text else ""


def _bytes_of(text: Any, *, is_base64: bool = False) -> bytes:
    """A message that travelled as a text."""
    if not isinstance(text, str):
        raise Unexpected(_WRONG_DOOR)
    if is_base64:
        try:
            return base64.b64decode(text)
        except (binascii.Error, ValueError) as error:
            raise Unexpected("What the provider posted is no Base64.") from error
    try:
        return text.encode()
    except UnicodeEncodeError:
        # Bytes that were no text, as JSON writes them in some houses.
        return text.encode("utf-8", "surrogateescape" if _is_escaped(text) else "replace")


def _is_escaped(text: str) -> bool:
    return all("\udc80" <= c <= "\udcff" for c in text if "\ud800" <= c <= "\udfff")


def _mailgun(posted: _Posted) -> Iterator[_Arrival]:
    if "body-mime" in posted.fields:
        yield _Arrival(
            posted.fields["body-mime"],
            posted.text("sender"),
            posted.text("recipient").split(","),
            posted.text("token"),
        )
    elif "message-headers" in posted.fields:
        yield from _converted(posted)
    else:
        raise Unexpected(_WRONG_DOOR)


def _sendgrid(posted: _Posted) -> Iterator[_Arrival]:
    if "email" in posted.fields and "headers" not in posted.fields:
        envelope = _envelope(posted.fields.get("envelope", b""))
        yield _Arrival(posted.fields["email"], envelope.get("from"), _list(envelope.get("to")))
    elif "headers" in posted.fields:
        yield from _converted(posted)
    else:
        raise Unexpected(_WRONG_DOOR)


def _envelope(text: bytes) -> dict[str, Any]:
    import json

    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _mandrill(posted: _Posted) -> Iterator[_Arrival]:
    import json

    try:
        events = json.loads(posted.fields.get("mandrill_events", b""))
    except (ValueError, RecursionError) as error:
        raise Unexpected("What the provider posted is no JSON.") from error
    for event in _list(events):
        message = _dict(event).get("msg")
        if _dict(event).get("event") != "inbound":
            raise Unexpected(_WRONG_DOOR)
        yield _Arrival(_bytes_of(_dict(message).get("raw_msg")), "", [_dict(message).get("email")])


def _dict(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _postmark(posted: _Posted) -> Iterator[_Arrival]:
    event = _dict(posted.document())
    if "RawEmail" not in event:
        yield from _converted(posted)
        return
    first = _dict(next(iter(_list(event.get("Headers"))), None))
    is_path = str(first.get("Name", "")).lower() == "return-path"
    yield _Arrival(
        _bytes_of(event["RawEmail"]),
        first.get("Value") if is_path else "",
        [event.get("OriginalRecipient")],
        str(event.get("MessageID") or ""),
    )


def _mailjet(posted: _Posted) -> Iterator[_Arrival]:
    if "Headers" not in _dict(posted.document()):
        raise Unexpected(_WRONG_DOOR)
    yield from _converted(posted)


def _sparkpost(posted: _Posted) -> Iterator[_Arrival]:
    for event in _list(posted.document()):
        event_class = _dict(_dict(event).get("msys"))
        if not event_class:
            continue
        relayed = _dict(event_class.get("relay_message"))
        content = _dict(relayed.get("content"))
        is_base64 = bool(content.get("email_rfc822_is_base64"))
        raw = _bytes_of(content.get("email_rfc822"), is_base64=is_base64)
        yield _Arrival(raw, relayed.get("msg_from"), [relayed.get("rcpt_to")])


def _postal(posted: _Posted) -> Iterator[_Arrival]:
    event = _dict(posted.document())
    raw = _bytes_of(event.get("message"), is_base64=event.get("base64") is True)
    key = str(event.get("id") or "")
    yield _Arrival(raw, event.get("mail_from"), [event.get("rcpt_to")], key)


def _mailersend(posted: _Posted) -> Iterator[_Arrival]:
    event = _dict(posted.document())
    if event.get("type") != "inbound.message":
        raise Unexpected(_WRONG_DOOR)
    message = _dict(event.get("data"))
    to = [_dict(r).get("email") for r in _list(_dict(message.get("recipients")).get("rcptTo"))]
    sender = _dict(message.get("sender")).get("email")
    yield _Arrival(_bytes_of(message.get("raw")), sender, to, str(message.get("id") or ""))


def _amazon_ses(posted: _Posted) -> Iterator[_Arrival]:
    """Amazon SNS is told that its messages are wanted, or brings one of Amazon SES."""
    notice = _dict(posted.document())
    if notice.get("Type") == "SubscriptionConfirmation":
        posted.view.auto_confirm_sns_subscription(notice)
        return
    if notice.get("Type") != "Notification":
        return
    text = notice.get("Message")
    event = _dict(_envelope(text.encode("utf-8", "replace")) if isinstance(text, str) else None)
    if event.get("notificationType") != "Received":
        if isinstance(text, str) and text.startswith("Successfully validated SNS topic"):
            return
        raise Unexpected(_WRONG_DOOR)
    receipt, mail = _dict(event.get("receipt")), _dict(event.get("mail"))
    action = _dict(receipt.get("action"))
    if action.get("type") == "SNS":
        encoded = action.get("encoding") == "BASE64"
        content = _bytes_of(event.get("content"), is_base64=encoded)
    elif action.get("type") == "S3":
        content = _from_s3(posted.view, action)
    else:
        raise Unexpected("Amazon SES must hand mail over by an action of type SNS or S3.")
    key = str(mail.get("messageId") or "")
    yield _Arrival(content, mail.get("source"), _list(receipt.get("recipients")), key)


def _from_s3(view: Any, action: Mapping[str, Any]) -> bytes:
    from importlib.util import find_spec

    if find_spec("boto3") is None:
        raise Unexpected("The mail lies in Amazon S3, and the package boto3 is not installed.")
    try:
        return b"".join(view.fetch_s3_chunks(action.get("bucketName"), action.get("objectKey")))
    except Exception as error:
        # Of a library's many errors; the mail is in S3 still, and is posted again.
        raise Unreachable("Amazon S3 does not give the message.") from error


def _resend(posted: _Posted) -> Iterator[_Arrival]:
    event = _dict(posted.document())
    id_ = _dict(event.get("data")).get("email_id")
    if event.get("type") != "email.received" or not isinstance(id_, str):
        raise Unexpected(_WRONG_DOOR)
    url = urljoin(posted.view.api_url, f"emails/receiving/{quote(id_, safe='')}")
    about = _asked(url, Authorization=f"Bearer {posted.view.api_key}")
    raw = _dict(about.get("raw")).get("download_url")
    if not isinstance(raw, str):
        raise Unexpected("The provider says of the message what it is, but not where.")
    content = hooks.fetched(raw, limit=taking.SIZE_LIMIT)
    yield _Arrival(content, "", _list(about.get("to")), id_)


def _mailtrap(posted: _Posted) -> Iterator[_Arrival]:
    for event in map(_dict, _list(_dict(posted.document()).get("events"))):
        if event.get("event") not in {
            "inbound.message_received",
            "inbound_message_received",
        }:
            raise Unexpected(_WRONG_DOOR)
        inbox, id_ = event.get("inbox_id"), str(event.get("message_id") or "")
        if inbox in (None, 1):
            # What its "Test your integration" posts.
            continue
        place = f"inbound/inboxes/{quote(str(inbox), safe='')}/messages/{quote(id_, safe='')}"
        url = urljoin(posted.view.api_url, place)
        about = _asked(url, Authorization=f"Bearer {posted.view.api_token}")
        raw = about.get("raw_message_url")
        if not isinstance(raw, str):
            raise Unexpected("The provider says of the message what it is, but not where.")
        yield _Arrival(hooks.fetched(raw, limit=taking.SIZE_LIMIT), key=f"{inbox}/{id_}")


def _asked(url: str, **headers: str) -> dict[str, Any]:
    return _envelope(hooks.fetched(url, limit=4 * 1024 * 1024, headers=headers))


# --- messages that anymail makes of their parts --------------------------------------------------


def _converted(posted: _Posted) -> Iterator[_Arrival]:
    """What anymail makes of the request. What it cannot read is kept as a file."""
    view = posted.view
    if hasattr(view, "_fetch_attachment"):
        view._fetch_attachment = partial(_fetched_attachment, view)
    try:
        events = view.parse_events(posted.request)
        # All of them before the first is taken: what goes wrong goes wrong as a whole.
        arrivals = [_arrival_of(event) for event in events if event is not None]
    except (Unexpected, OSError):
        raise
    except Exception as error:
        if type(error).__name__ == "AnymailConfigurationError" or isinstance(error, KeyError):
            raise Unexpected(_WRONG_DOOR) from error
        log.warning("webhook kept as it came", extra={"reason": repr(error)[:500]})
        arrivals = [_as_file(posted.request)]
    yield from arrivals


def _arrival_of(event: Any) -> _Arrival:
    message = event.message
    recipients = [message.envelope_recipient]
    key = str(event.event_id or "")
    return _Arrival(_serialised(message), message.envelope_sender, recipients, key)


def _serialised(message: Any) -> bytes:
    """The bytes of a message that anymail made: the same parts make the same bytes.

    The library would choose another boundary every time.
    """
    seen = hashlib.sha256()
    parts = list(message.walk())
    for part in parts:
        if not part.is_multipart():
            if "Content-Transfer-Encoding" not in part and part.get_payload() is not None:
                # Bytes as they came; written like that, their ends of lines would be changed.
                encoders.encode_base64(part)
            seen.update(part.get_payload(decode=True) or b"")
    for number, part in enumerate(parts):
        if part.get_content_maintype() == "multipart" and part.get_boundary() is None:
            part.set_boundary(f"=_{seen.hexdigest()[:32]}_{number}")
    written: bytes = message.as_bytes(policy=default_policy.clone(refold_source="none", utf8=True))
    return written


def _fetched_attachment(view: Any, attachment: Mapping[str, Any]) -> Any:
    """A file that Brevo keeps until it is asked for; anymail would wait for it for ever."""
    from anymail.inbound import AnymailInboundMessage

    token = quote(str(attachment["DownloadToken"]), safe="")
    url = urljoin(view.api_url, f"inbound/attachments/{token}")
    content = hooks.fetched(url, limit=taking.SIZE_LIMIT, headers={"api-key": view.api_key})
    return AnymailInboundMessage.construct_attachment(
        content_type=attachment.get("ContentType") or "application/octet-stream",
        content=content,
        filename=attachment.get("Name"),
        content_id=attachment.get("ContentID"),
    )


def _as_file(request: HttpRequest) -> _Arrival:
    """The request itself as the file of a message: nobody's mail gets lost over a strange part."""
    body = request.body
    boundary = f"=_{_digest(body)[:32]}"
    text = (
        "A mail provider has posted this message in parts that could not be put together again. "
        "What it posted is attached as it came."
    )
    encoded = base64.encodebytes(body).decode()
    lines = [
        "From: Mail provider <unreadable@mail.invalid>",
        "Subject: A message that could not be put together",
        f"Message-ID: <{_digest(body)[:32]}@mail.invalid>",
        "MIME-Version: 1.0",
        f'Content-Type: multipart/mixed; boundary="{boundary}"',
        "",
        f"--{boundary}",
        "Content-Type: text/plain; charset=utf-8",
        "",
        text,
        f"--{boundary}",
        "Content-Type: application/octet-stream",
        'Content-Disposition: attachment; filename="posted.txt"',
        "Content-Transfer-Encoding: base64",
        "",
        f"{encoded}--{boundary}--",
        "",
    ]
    return _Arrival("\n".join(lines).encode("utf-8", "replace"))


_READERS: Mapping[str, Callable[[_Posted], Iterator[_Arrival]]] = {
    "amazon_ses": _amazon_ses,
    "brevo": _converted,
    "mailersend": _mailersend,
    "mailgun": _mailgun,
    "mailjet": _mailjet,
    "mailtrap": _mailtrap,
    "mandrill": _mandrill,
    "postal": _postal,
    "postmark": _postmark,
    "resend": _resend,
    "sendgrid": _sendgrid,
    "sparkpost": _sparkpost,
}
