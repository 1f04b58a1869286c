"""The ways out: a mail server, or files in a folder where none is named.

:func:`hand_over` returns when somebody else has taken the message, and raises :class:`Refused` when
trying again would be told the same, :class:`NotTaken` for everything that may pass.
"""

from __future__ import annotations

import ipaddress
import os
import smtplib
import ssl
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import unquote, urlsplit

from deskbell.kernel.config import Config
from deskbell.kernel.logging import hide_secrets
from deskbell.kernel.text import storable
from deskbell.mail.composing import Composed

TIMEOUT_SECONDS = 20.0
OUTBOX = "outbox"
REASON_LENGTH = 1000
_ACCESS = frozenset({530, 534, 535, 538})
_PORTS = {"smtp": 25, "smtps": 465, "smtp+starttls": 587}


class Refused(Exception):
    """The message will not be taken, in the words of whoever refused it."""


class NotTaken(Exception):
    """The message was not taken now, or nobody knows whether it was; the text says why."""


def hand_over(message: Composed, *, mail_id: int, created_at: datetime, config: Config) -> None:
    """Give the message away: to the mail server of the settings, else into the outbox folder.

    Raises :class:`Refused`, :class:`NotTaken`.
    """
    if config.smtp_url:
        send(message, config=config)
    else:
        try:
            put_into_folder(message, config.data / OUTBOX, file_name(mail_id, created_at))
        except OSError as error:
            raise NotTaken(f"The outbox folder cannot be written: {error.strerror}.") from error


# --- the folder ----------------------------------------------------------------------------------


def file_name(mail_id: int, created_at: datetime) -> str:
    """``20260302T090000Z-17.eml``: the same for every attempt, so a second one adds no file."""
    return f"{created_at.astimezone(UTC):%Y%m%dT%H%M%SZ}-{mail_id}.eml"


def put_into_folder(message: Composed, folder: Path, name: str) -> Path:
    """Write one file that is there completely or not at all, also after a power cut; mode 0600."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    target, draft = folder / name, folder / f".{name}.part"
    # Only one job writes this name at a time; what lies there is from an attempt that was cut off.
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(message.content)
        stream.flush()
        os.fsync(stream.fileno())
    draft.replace(target)
    entry = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(entry)
    finally:
        os.close(entry)
    return target


# --- the server ----------------------------------------------------------------------------------


def send(message: Composed, *, config: Config) -> None:
    """Hand the message to the mail server. Raises :class:`Refused`, :class:`NotTaken`."""
    try:
        server = _connected(config)
    except smtplib.SMTPException as error:
        # Also a refused password or greeting: an operator can cure that, so the mail waits.
        raise NotTaken(_words(error)) from error
    except OSError as error:
        raise NotTaken(_reason(f"The mail server cannot be reached: {error}.")) from error
    try:
        _submit(server, message)
    finally:
        # The message was taken or refused by now; how the conversation ends changes nothing.
        with suppress(smtplib.SMTPException, OSError):
            server.quit()
        server.close()


def _connected(config: Config) -> smtplib.SMTP:
    url = urlsplit(config.smtp_url)
    host, port = url.hostname or "", url.port or _PORTS[url.scheme]
    user, password = unquote(url.username or ""), unquote(url.password or "")
    # Without a name of its own the library would look one up, and wait for it.
    me = config.hostname
    server: smtplib.SMTP
    if url.scheme == "smtps":
        server = smtplib.SMTP_SSL(
            host, port, me, timeout=TIMEOUT_SECONDS, context=ssl.create_default_context()
        )
    else:
        server = smtplib.SMTP(host, port, me, timeout=TIMEOUT_SECONDS)
    try:
        server.ehlo_or_helo_if_needed()
        # A password never travels in the clear to another machine, whatever the URL says.
        if url.scheme == "smtp+starttls" or (url.scheme == "smtp" and user and not _is_here(host)):
            server.starttls(context=ssl.create_default_context())
            server.ehlo()
        if user:
            server.login(user, password)
    except BaseException:
        server.close()
        raise
    return server


def _is_here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _submit(server: smtplib.SMTP, message: Composed) -> None:
    options: list[str] = []
    if message.utf8:
        if not server.has_extn("smtputf8"):
            raise Refused("The mail server does not take addresses with such letters (SMTPUTF8).")
        options = ["SMTPUTF8", "BODY=8BITMIME"]
    try:
        server.sendmail(message.sender, [message.recipient], message.content, options)
    except smtplib.SMTPRecipientsRefused as error:
        code, said = error.recipients[message.recipient]
        raise _judged(code, said) from error
    except smtplib.SMTPResponseException as error:
        raise _judged(error.smtp_code, error.smtp_error) from error
    except (smtplib.SMTPException, OSError) as error:
        raise NotTaken(_words(error)) from error


def _judged(code: int, said: bytes | str) -> Refused | NotTaken:
    """RFC 5321 §4.2.1: 5yz will be said again, 4yz may pass, anything else makes no sense.

    That the desk itself is not let in (RFC 4954 §6) is nothing against the message.
    """
    text = said.decode("utf-8", "replace") if isinstance(said, bytes) else said
    reason = _reason(f"{code} {text}")
    return Refused(reason) if 500 <= code < 600 and code not in _ACCESS else NotTaken(reason)


def _words(error: Exception) -> str:
    if isinstance(error, smtplib.SMTPResponseException):
        return str(_judged(error.smtp_code, error.smtp_error))
    return _reason(f"The mail server went away: {error}.")


def _reason(text: str) -> str:
    text = " ".join(storable(hide_secrets(text)).split())
    return "".join(c for c in text if c.isprintable())[:REASON_LENGTH]
