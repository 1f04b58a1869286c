"""Signing in: passwords, tokens, what is remembered, and how guessing is slowed.

The process remembers only that an HMAC of a password matched a stored hash; whether the user is
active and what he may do is read anew in every request (decision 2). Nobody is ever locked out:
after too many failures further *unverified* tries of that account from that network are refused
for some minutes, and a remembered good password always passes (decision 26).
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import logging
import secrets
import threading
import time
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.contrib.auth.hashers import check_password, make_password
from django.db.models import Q

from deskbell.kernel.actor import NOBODY_ID
from deskbell.kernel.compiled import Compiled
from deskbell.kernel.text import fold, is_storable
from deskbell.people.models import ApiToken, SignInFailure, User

security_log = logging.getLogger("deskbell.security")

FAILURES_ALLOWED = 30
FAILURE_WINDOW = timedelta(minutes=5)
REMEMBER_SECONDS = 300.0
REMEMBER_AT_MOST = 4096
PASSWORD_LIMIT = 1024


class BadCredentials(Exception):
    """Unknown name, wrong password, or no right to sign in: the caller hears no more."""


class TooManyTries(Exception):
    """This account was guessed at too often from this network; unverified tries wait."""


class TokenExpired(Exception):
    """The token was good once."""


class InactiveUser(Exception):
    """The token is good, its user is not active."""


_remembered: dict[bytes, float] = {}
_remembered_lock = threading.Lock()
_process_key = secrets.token_bytes(32)


_BY_NAME = Compiled(lambda key: User.objects.filter(identities__key=key), str)
_BY_DIGEST = Compiled(
    lambda digest: ApiToken.objects.filter(digest=digest).values_list(
        "id", "user_id", "permissions", "expires_at", "last_used_at", "user__active"
    ),
    str,
)


def _proof(user: User, password: str) -> bytes:
    """A key that is worthless outside this process and dies with the stored hash."""
    return hmac.digest(
        _process_key, f"{user.pk}\0{user.password}\0{password}".encode("utf-8", "replace"), "sha256"
    )


def _is_remembered(proof: bytes) -> bool:
    until = _remembered.get(proof)
    return until is not None and until > time.monotonic()


def _remember(proof: bytes) -> None:
    with _remembered_lock:
        if len(_remembered) >= REMEMBER_AT_MOST:
            present = time.monotonic()
            for key in [k for k, until in _remembered.items() if until <= present]:
                del _remembered[key]
            if len(_remembered) >= REMEMBER_AT_MOST:
                _remembered.clear()
        _remembered[proof] = time.monotonic() + REMEMBER_SECONDS


def user_named(name: str) -> User | None:
    """Whoever has this login or address, whatever its case; never user 1."""
    if not name or len(name) > 300 or not is_storable(name):
        return None
    user = _BY_NAME.first(fold(name))
    return None if user is None or user.pk == NOBODY_ID else user


def network_of(client_ip: str | None) -> str:
    """The client's network for counting failures: the address, or the /64 of an IPv6 one."""
    try:
        address = ipaddress.ip_address(client_ip or "")
    except ValueError:
        return "unknown"
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped:
            return str(address.ipv4_mapped)
        return str(ipaddress.ip_network((address, 64), strict=False))
    return str(address)


def _account_key(name: str, user: User | None) -> str:
    """Under what failures are counted: the person, by whichever name, else the unknown name."""
    account = fold(name) if user is None else f"\0{user.pk}"
    return hashlib.sha256(
        f"{settings.SECRET_KEY}\0{account}".encode("utf-8", "replace")
    ).hexdigest()


def sign_in(name: str, password: str, *, client_ip: str | None, at: datetime) -> User:
    """The active user with this login or address and password.

    Raises :class:`BadCredentials`, or :class:`TooManyTries` for an unverified try after
    ``FAILURES_ALLOWED`` failures within five minutes. An unknown name costs as much as a wrong
    password, so the answer's time tells nothing.
    """
    user = user_named(name)
    # What no account has as its password is compared with nothing, at the same price.
    is_possible = len(password) <= PASSWORD_LIMIT and is_storable(password)
    if user is not None and is_possible:
        proof = _proof(user, password)
        if _is_remembered(proof):
            if not user.active:
                raise BadCredentials
            return user
    account, network = _account_key(name, user), network_of(client_ip)
    failures = SignInFailure.objects.filter(account=account, network=network)
    if failures.filter(at__gt=at - FAILURE_WINDOW).count() >= FAILURES_ALLOWED:
        security_log.warning("sign-in refused: too many tries", extra={"network": network})
        raise TooManyTries
    fits = False
    if user is not None and is_possible and user.has_usable_password():
        fits = check_password(password, user.password, setter=_upgrade(user))
    else:
        make_password("no account has this")
    if user is None or not fits or not user.active:
        SignInFailure.objects.create(account=account, network=network, at=at)
        security_log.warning(
            "sign-in failed",
            extra={"network": network, "user_id": user.pk if user is not None else None},
        )
        raise BadCredentials
    failures.delete()
    _remember(_proof(user, password))
    note_sign_in(user, at=at)
    security_log.info("signed in", extra={"network": network, "user_id": user.pk})
    return user


def failed_too_often(what: str, *, client_ip: str | None, at: datetime) -> bool:
    """Count a try of something secret that is no sign-in; whether there were too many of late."""
    account, network = _account_key(f"\0{what}", None), network_of(client_ip)
    failures = SignInFailure.objects.filter(account=account, network=network)
    if failures.filter(at__gt=at - FAILURE_WINDOW).count() >= FAILURES_ALLOWED:
        return True
    SignInFailure.objects.create(account=account, network=network, at=at)
    security_log.warning("secret address guessed", extra={"network": network, "what": what})
    return False


def _upgrade(user: User):  # type: ignore[no-untyped-def]
    def setter(raw: str) -> None:
        """Store the password under today's hasher (an imported PBKDF2 hash, say)."""
        old = user.password
        user.set_password(raw)
        user._password = None  # type: ignore[attr-defined]
        # Somebody may be choosing another password at this very moment: that one stays.
        if not User.objects.filter(pk=user.pk, password=old).update(password=user.password):
            user.password = old

    return setter


def note_sign_in(user: User, *, at: datetime) -> None:
    """Remember when the user last signed in, at most once a minute (decision 40)."""
    User.objects.filter(pk=user.pk).filter(
        Q(last_login__isnull=True) | Q(last_login__lt=at - timedelta(minutes=1))
    ).update(last_login=at)


def forget_old_failures(*, at: datetime) -> int:
    """Delete failures that no longer count; how many."""
    return SignInFailure.objects.filter(at__lt=at - FAILURE_WINDOW).delete()[0]


# --- tokens --------------------------------------------------------------------------------------


def new_password() -> str:
    """A password for somebody who was not asked for one: 20 characters."""
    return secrets.token_urlsafe(15)


@dataclass(frozen=True, slots=True)
class TokenUser:
    """Whom a token stands for, and the permissions it is narrowed to (``None``: not narrowed)."""

    user_id: int
    token_id: int
    scope: frozenset[str] | None


def digest_of(secret: str) -> str:
    """What is stored of a token's secret: its SHA-256 in hex."""
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()


def new_secret() -> str:
    """A fresh token secret: 43 URL-safe characters, 256 bits."""
    return secrets.token_urlsafe(32)


def token_user(secret: str, *, at: datetime) -> TokenUser:
    """Whom the token signs in.

    Raises :class:`BadCredentials` (no such token), :class:`TokenExpired` (from the start of its
    last day, UTC), :class:`InactiveUser`. ``last_used_at`` is written at most once a minute.
    """
    if not secret or len(secret) > 512:
        raise BadCredentials
    row = _BY_DIGEST.first(digest_of(secret))
    if row is None:
        security_log.warning("unknown token")
        raise BadCredentials
    token_id, user_id, permissions, expires_at, last_used_at, active = row
    if expires_at is not None and expires_at <= at.date():
        security_log.warning("expired token", extra={"user_id": user_id})
        raise TokenExpired
    if not active:
        security_log.warning("token of an inactive user", extra={"user_id": user_id})
        raise InactiveUser
    if last_used_at is None or last_used_at < at - timedelta(minutes=1):
        ApiToken.objects.filter(pk=token_id).update(last_used_at=at)
    scope = None if permissions is None else frozenset(permissions)
    return TokenUser(user_id=user_id, token_id=token_id, scope=scope)
