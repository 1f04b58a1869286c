"""Access tokens for servers that take no password: a refresh token is exchanged for them."""

from __future__ import annotations

import http.client
import json
import ssl
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar
from urllib.parse import urlencode, urlsplit

from deskbell.mail.trouble import Trouble, of_connection, words_of

SignedIn = TypeVar("SignedIn")

TIMEOUT_SECONDS = 20.0
ANSWER_LIMIT = 256 * 1024
#: A token that ends so soon is not used any more.
MARGIN_SECONDS = 60.0
USUAL_SECONDS = 600.0


class TokenSettings(Protocol):
    """Where tokens come from, in the settings of whatever signs in with them."""

    @property
    def token_url(self) -> str: ...
    @property
    def client_id(self) -> str: ...
    @property
    def client_secret(self) -> str: ...
    @property
    def scope(self) -> str: ...
    @property
    def verify(self) -> bool: ...


@dataclass(slots=True)
class Access:
    """How a server is signed in to: typed settings, and the password, read when it is needed.

    ``settings`` are those of a mailbox or of a mail server (:class:`TokenSettings` where tokens
    are asked for). ``keep`` stores another password where the server changes it (OAuth2's refresh
    token); ``key`` names the row for what is remembered between two sign-ins.
    """

    settings: Any
    password: Callable[[], str]
    keep: Callable[[str], None] = lambda password: None
    key: object = None


@dataclass(frozen=True, slots=True)
class _Token:
    text: str
    until: float


_tokens: dict[object, _Token] = {}
#: One exchange per mailbox at a time; a slow server holds up its own mailbox only.
_locks: defaultdict[object, threading.Lock] = defaultdict(threading.Lock)


def access_token(access: Access, *, fresh: bool = False) -> str:
    """The token to sign in with, kept until shortly before it ends. Raises :class:`Trouble`.

    ``fresh`` asks for a new one, after a server refused the last.
    """
    with _locks[access.key]:
        known = _tokens.get(access.key)
        if known and not fresh and access.key is not None and known.until > time.monotonic():
            return known.text
        token = _ask_twice(access)
        if access.key is not None:
            _tokens[access.key] = token
        return token.text


def sign_in(
    access: Access, say: Callable[[str], SignedIn], *, refusal: type[Exception]
) -> SignedIn:
    """``say`` a token to a server, and a fresh one where it answers the last with a ``refusal``.

    Tokens are there before the connection: a server waits for nobody long. Raises
    :class:`Trouble` where there is none, and what ``say`` raises at the second refusal.
    """
    with suppress(refusal):
        return say(access_token(access))
    return say(access_token(access, fresh=True))


def _ask_twice(access: Access) -> _Token:
    """Another worker may have exchanged the refresh token just now: then its new one is stored."""
    password = access.password()
    try:
        return _ask(access, password)
    except Trouble:
        changed = access.password()
        if changed == password:
            raise
        return _ask(access, changed)


def _ask(access: Access, refresh_token: str) -> _Token:
    settings: TokenSettings = access.settings
    asked = {"client_id": settings.client_id}
    if settings.client_secret:
        asked["client_secret"] = settings.client_secret
    if refresh_token:
        asked |= {"grant_type": "refresh_token", "refresh_token": refresh_token}
    else:
        asked["grant_type"] = "client_credentials"
    if settings.scope:
        asked["scope"] = settings.scope
    answer = _posted(settings, urlencode(asked))
    token = answer.get("access_token")
    if not isinstance(token, str) or not token:
        raise Trouble(f"The address {settings.token_url} gives no access token.")
    changed = answer.get("refresh_token")
    if isinstance(changed, str) and changed and refresh_token and changed != refresh_token:
        access.keep(changed)
    try:
        seconds = float(answer.get("expires_in", USUAL_SECONDS))
    except (TypeError, ValueError):
        seconds = USUAL_SECONDS
    return _Token(token, time.monotonic() + max(0.0, seconds - MARGIN_SECONDS))


def _posted(settings: TokenSettings, form: str) -> dict[str, Any]:
    """The answer to the form. No redirect is followed: it would carry the secret elsewhere."""
    there = urlsplit(settings.token_url)
    try:
        host, port = there.hostname, there.port
    except ValueError:
        host, port = None, None
    if there.scheme not in {"https", "http"} or not host:
        raise Trouble("The token address must begin with https:// and name a host.")
    port = port or (443 if there.scheme == "https" else 80)
    connection: http.client.HTTPConnection
    if there.scheme == "https":
        connection = http.client.HTTPSConnection(
            host, port, timeout=TIMEOUT_SECONDS, context=tls_context(verify=settings.verify)
        )
    else:
        connection = http.client.HTTPConnection(host, port, timeout=TIMEOUT_SECONDS)
    path = (there.path or "/") + (f"?{there.query}" if there.query else "")
    headers = {
        "Content-Type": "application/x-www-form-urlencoded",
        "Accept": "application/json",
        "User-Agent": "Deskbell",
    }
    try:
        connection.request("POST", path, body=form.encode(), headers=headers)
        response = connection.getresponse()
        status, body = response.status, response.read(ANSWER_LIMIT)
    except OSError as error:
        raise of_connection(error, host=host, port=port) from error
    except (http.client.HTTPException, ValueError) as error:
        raise Trouble(f"{host} does not answer as a token server does.") from error
    finally:
        connection.close()
    try:
        answer = json.loads(body)
    except ValueError:
        answer = None
    if not isinstance(answer, dict):
        answer = {}
    if status != http.client.OK:
        said = words_of(answer.get("error_description") or answer.get("error") or status)
        raise Trouble(f"{host} gives no access token: {said}.")
    return answer


def tls_context(*, verify: bool) -> ssl.SSLContext:
    """TLS as servers get it; without ``verify`` any certificate will do."""
    context = ssl.create_default_context()
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context
