"""Passwords of mail servers: the desk must say them, so they are encrypted, not hashed.

The key comes from the desk's secret key. A database alone, or a backup of it, tells nobody a
password; whoever has the data directory as well has everything anyway.
"""

from __future__ import annotations

import base64

from cryptography.fernet import Fernet, InvalidToken
from django.conf import settings
from django.utils.crypto import salted_hmac

#: Older than the module's place: what is stored was encrypted under this name.
_SALT = "deskbell.mail.channel"


class Unreadable(Exception):
    """The password was stored under another secret key, and must be entered again."""


def _cipher() -> Fernet:
    key = salted_hmac(_SALT, "password", secret=settings.SECRET_KEY, algorithm="sha256").digest()
    return Fernet(base64.urlsafe_b64encode(key))


def sealed(password: str) -> str:
    """The password for the database; empty stays empty."""
    return _cipher().encrypt(password.encode()).decode() if password else ""


def opened(stored: str) -> str:
    """The password as it was given. Raises :class:`Unreadable`."""
    if not stored:
        return ""
    try:
        return _cipher().decrypt(stored.encode()).decode()
    except InvalidToken as error:
        raise Unreadable("The password cannot be read any more. Enter it again.") from error
