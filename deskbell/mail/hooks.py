"""Requests that mail providers make: read whole, and proven to be theirs as django-anymail does it.

anymail and what it brings is imported when the first such request comes, not with the desk.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import ipaddress
import json
import os.path
import re
import socket
from collections.abc import Mapping
from importlib import import_module
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpRequest, QueryDict
from django.utils.crypto import constant_time_compare
from django.utils.datastructures import MultiValueDict
from django.utils.http import parse_header_parameters

from deskbell.kernel import clock

#: What anymail's views are called, by the name that it gives to a provider.
VIEWS: Mapping[str, str] = {
    "amazon_ses": "AmazonSES",
    "brevo": "Brevo",
    "mailersend": "MailerSend",
    "mailgun": "Mailgun",
    "mailjet": "Mailjet",
    "mailtrap": "Mailtrap",
    "mandrill": "Mandrill",
    "postal": "Postal",
    "postmark": "Postmark",
    "resend": "Resend",
    "sendgrid": "SendGrid",
    "sparkpost": "SparkPost",
    "unisender_go": "UnisenderGo",
}
#: Fields and files of one form. A message with thousands of files is a message, too.
PARTS_AT_MOST = 20_000
#: A signature says when it was made; an old one is somebody's who listened.
SIGNED_LATELY = 300.0
CONNECT_SECONDS, READ_SECONDS = 5.0, 20.0
_SNS_HOST = re.compile(r"sns\.[a-z0-9-]{1,40}\.amazonaws\.com(\.cn)?")


class Forged(Exception):
    """Nothing proves that the provider made the request. ``challenge``: it may name itself."""

    def __init__(self, *, challenge: bool = False) -> None:
        super().__init__("forged")
        self.challenge = challenge


class Unexpected(Exception):
    """The provider posts what does not belong here; the text is one sentence for people."""


class Unreachable(OSError):
    """What the request is about must be fetched from the provider, who does not give it."""


# --- whose is it? --------------------------------------------------------------------------------


def proven(
    request: HttpRequest,
    provider: str,
    purpose: str,
    *,
    signing: Mapping[str, str],
    basic: str = "",
    **settings: str,
) -> Any:
    """anymail's view of the provider, after it has checked the request.

    ``purpose`` is ``Inbound`` or ``Tracking``; ``signing`` are the keys of signatures under
    anymail's names, ``basic`` is ``user:password`` where the provider shall name itself so. Raises
    :class:`Forged`.
    """
    view: Any = _view(provider, purpose, {**signing, **settings}, [basic] if basic else [])
    try:
        if basic and not request.META.get("HTTP_AUTHORIZATION"):
            # Some name themselves only when they are asked to.
            raise Forged(challenge=True)
        view.run_validators(request)
        if provider == "sendgrid":
            import_module("anymail.webhooks.sendgrid").SendGridBaseWebhookView.validate_request(
                view, request
            )
        if provider == "resend" and (secret := next(iter(signing.values()), "")):
            _check_svix(request, secret)
    except Forged:
        raise
    except Exception as error:
        raise Forged from error
    return view


def _view(provider: str, purpose: str, settings: Mapping[str, str], basic: list[str]) -> Any:
    module = import_module(f"anymail.webhooks.{provider}")
    base = import_module("anymail.webhooks.base").AnymailBaseWebhookView
    named = "Combined" if provider == "mandrill" else purpose
    # The address already holds a secret: anymail need not warn that nothing else is set.
    quiet = {"warn_if_no_basic_auth": property(lambda self: False, lambda self, given: None)}
    view: Any = type("_View", (getattr(module, f"{VIEWS[provider]}{named}WebhookView"),), quiet)
    if provider == "sendgrid":
        # Its own beginning warns that anymail's authors cannot try it out any more.
        made = view.__new__(view)
        key = next(iter(settings.values()), "")
        made.key_setting_name = "webhook_verification_key"
        made.webhook_verification_key = _public_key(key) if key else None
        base.__init__(made, webhook_secret=basic)
        return made
    if provider == "amazon_ses":
        # Its own beginning needs boto3, which only messages that wait in S3 do.
        made = view.__new__(view)
        made.auto_confirm_enabled, made.kms_key_id, made.chunk_size = True, None, 1024 * 1024
        made.session_params, made.client_params = {}, {}
        made.auto_confirm_sns_subscription = _confirm_subscription
        base.__init__(made, webhook_secret=basic)
        return made
    given = {name: value for name, value in settings.items() if value}
    if provider == "resend":
        # Its signature is checked here: anymail would need one more package for that.
        given = {"api_key": settings.get("api_key", "")} if purpose == "Inbound" else {}
    elif provider in {"brevo", "mailtrap"} and purpose == "Inbound":
        name = "api_key" if provider == "brevo" else "api_token"
        given[name] = settings.get(name, "")
    return view(**given, webhook_secret=basic)


def _public_key(text: str) -> Any:
    from cryptography.hazmat.primitives import serialization

    pem = f"-----BEGIN PUBLIC KEY-----\n{text}\n-----END PUBLIC KEY-----\n"
    try:
        return serialization.load_pem_public_key(pem.encode())
    except ValueError as error:
        raise Unexpected("The stored key is not the public key that the provider shows.") from error


def _check_svix(request: HttpRequest, secret: str) -> None:
    """The signature of Svix, which is that of Standard Webhooks. Raises :class:`Forged`."""
    id_, at = request.headers.get("svix-id", ""), request.headers.get("svix-timestamp", "")
    if not (at.isascii() and at.isdigit() and len(at) < 12):
        raise Forged
    if abs(clock.now().timestamp() - int(at)) > SIGNED_LATELY:
        raise Forged
    try:
        key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except binascii.Error as error:
        raise Forged from error
    signed = f"{id_}.{at}.".encode() + request.body
    wanted = base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()
    said = request.headers.get("svix-signature", "").split()
    if not any(constant_time_compare(one, f"v1,{wanted}") for one in said):
        raise Forged


def _confirm_subscription(sns_message: Mapping[str, Any]) -> None:
    """Tell Amazon SNS that its messages are wanted here. Raises :class:`Unexpected`, OSError."""
    url = sns_message.get("SubscribeURL")
    there = urlsplit(url if isinstance(url, str) else "")
    if there.scheme != "https" or not _SNS_HOST.fullmatch(there.netloc):
        raise Unexpected("A subscription was to be confirmed at an address that is not Amazon's.")
    fetched(there.geturl(), limit=64 * 1024)


# --- what does it say? ---------------------------------------------------------------------------


def document(request: HttpRequest) -> Any:
    """The JSON of the body. Raises :class:`Unexpected`."""
    try:
        return json.loads(request.body)
    except (ValueError, RecursionError) as error:
        raise Unexpected("What the provider posted is no JSON.") from error


def form(request: HttpRequest) -> dict[str, bytes]:
    """The fields of a form, byte by byte; ``POST`` and ``FILES`` hold all of it from now on.

    Django would leave out files whose names it finds no place for, and refuse many of them; and it
    takes every field for UTF-8, which mails need not be. Raises :class:`Unexpected`.
    """
    post, files = QueryDict(mutable=True), MultiValueDict[str, Any]()
    fields: dict[str, bytes] = {}
    if request.content_type == "multipart/form-data":
        boundary = (request.content_params or {}).get("boundary", "")
        for name, filename, kind, content in _parts(request.body, boundary.encode("latin-1")):
            if filename is None:
                fields[name] = content
                post.appendlist(name, content.decode("utf-8", "replace"))
            else:
                files.appendlist(name, _uploaded(filename, kind, content))
    else:
        try:
            pairs = parse_qsl(
                request.body.decode("latin-1"),
                keep_blank_values=True,
                encoding="latin-1",
                max_num_fields=PARTS_AT_MOST,
            )
        except ValueError as error:
            raise Unexpected("What the provider posted is no form.") from error
        for name, text in pairs:
            fields[name] = text.encode("latin-1")
            post.appendlist(name, fields[name].decode("utf-8", "replace"))
    request._post, request._files = post, files  # type: ignore[attr-defined]
    return fields


def _parts(body: bytes, boundary: bytes) -> list[tuple[str, str | None, str, bytes]]:
    """Name, file name (``None``: a field), type and content of each part (RFC 7578)."""
    found: list[tuple[str, str | None, str, bytes]] = []
    if not boundary:
        raise Unexpected("What the provider posted is no form.")
    for part in (b"\r\n" + body).split(b"\r\n--" + boundary, PARTS_AT_MOST)[1:]:
        if part.startswith(b"--"):
            return found
        head, _, content = part.partition(b"\r\n\r\n")
        name, filename, kind = "", None, ""
        for line in head.decode("utf-8", "replace").split("\r\n"):
            field, _, value = line.partition(":")
            if field.strip().lower() == "content-disposition":
                _, params = parse_header_parameters(value.strip())
                name, filename = params.get("name", ""), params.get("filename")
            elif field.strip().lower() == "content-type":
                kind = value.strip()
        found.append((name, filename, kind, content))
    raise Unexpected("What the provider posted ends in the middle.")


def _uploaded(filename: str, kind: str, content: bytes) -> SimpleUploadedFile:
    name = os.path.basename(filename.replace("\0", ""))
    fit = name if name.strip(". ") else "attachment"
    return SimpleUploadedFile(fit, content, kind or "application/octet-stream")


# --- what must be fetched ------------------------------------------------------------------------


def fetched(url: str, *, limit: int, headers: Mapping[str, str] | None = None) -> bytes:
    """What stands at an address of the provider's, up to ``limit`` bytes.

    Over TLS only, never inside our own network, and no redirect is followed: it would carry the
    key elsewhere. Raises :class:`Unreachable`: then the provider posts again later.
    """
    import requests

    there = urlsplit(url)
    if there.scheme != "https" or not there.hostname or not _is_outside(there.hostname):
        raise Unreachable("The provider names an address that is not looked at.")
    try:
        with requests.get(
            url,
            headers=dict(headers or {}),
            timeout=(CONNECT_SECONDS, READ_SECONDS),
            allow_redirects=False,
            stream=True,
        ) as answer:
            if answer.status_code != 200:
                raise Unreachable(f"{there.hostname} answers with {answer.status_code}.")
            chunks, size = [], 0
            for chunk in answer.iter_content(256 * 1024):
                chunks.append(chunk)
                size += len(chunk)
                if size > limit:
                    raise Unreachable(f"{there.hostname} gives more than can be taken.")
            return b"".join(chunks)
    except requests.RequestException as error:
        raise Unreachable(f"{there.hostname} cannot be reached.") from error


def _is_outside(host: str) -> bool:
    try:
        found = socket.getaddrinfo(host, 443, proto=socket.IPPROTO_TCP)
    except OSError as error:
        raise Unreachable(f"The host name {host} is not known.") from error
    return all(ipaddress.ip_address(each[4][0]).is_global for each in found)
