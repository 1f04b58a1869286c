"""The ways out: a mail route, the mail server of the settings, or files in a folder.

:func:`hand_over` returns when somebody else has taken the message, and raises :class:`Refused` when
trying again would be told the same, :class:`NotTaken` for everything that may pass.
"""

from __future__ import annotations

import ipaddress
import os
import smtplib
from collections.abc import Callable, Hashable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import unquote, urlsplit

from deskbell.kernel.config import Config
from deskbell.kernel.logging import hide_secrets
from deskbell.kernel.text import storable
from deskbell.mail import oauth, signing_in
from deskbell.mail.models import MailRoute, RouteKind
from deskbell.mail.sending import connections, routes
from deskbell.mail.sending.connections import Connection
from deskbell.mail.servers import Security
from deskbell.mail.trouble import Trouble, of_connection, of_letters, of_starttls
from deskbell.mail.writing.composing import Composed

TIMEOUT_SECONDS = 20.0
OUTBOX = "outbox"
REASON_LENGTH = 1000
_ACCESS = frozenset({530, 534, 535, 538})
_PORTS = {"smtp": 25, "smtps": 465, "smtp+starttls": 587}


class Refused(Exception):
    """The message will not be taken, in the words of whoever refused it."""


class NotTaken(Exception):
    """The message was not taken now, or nobody knows whether it was; the text says why."""


class OutOfReach(NotTaken):
    """Nothing gets out this way at present, whatever the message: somebody has to see to it."""


def hand_over(
    message: Composed,
    *,
    mail_id: int,
    created_at: datetime,
    config: Config,
    route: MailRoute | None = None,
) -> str | None:
    """Give the message away by its route; without one to the mail server of the settings, else
    into the outbox folder. What a mail provider calls the message from now on, if it says so.

    Raises :class:`Refused`, :class:`NotTaken`.
    """
    if route is not None and route.kind == RouteKind.PROVIDER:
        from deskbell.mail.sending import providers  # what speaks HTTP is loaded by who needs it

        return providers.send(message, route)
    if route is not None:
        send(message, server=server_of(route, config))
    elif config.smtp_url:
        send(message, server=server_of_settings(config))
    else:
        try:
            put_into_folder(message, config.data / OUTBOX, file_name(mail_id, created_at))
        except OSError as error:
            reason = f"The outbox folder cannot be written: {error.strerror}."
            raise OutOfReach(reason) from error
    return None


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A mail server, and how to sign in to it.

    ``security`` ``none`` with a login to another machine still demands TLS: a password never
    travels in the clear. ``tokens`` is set where access tokens take the place of ``password``.
    ``me`` is how the desk greets. ``key`` is what a kept connection is found by.
    """

    host: str
    port: int
    me: str
    security: Security
    verify: bool = True
    login: str = ""
    password: Callable[[], str] = lambda: ""
    tokens: oauth.Access | None = None
    key: Hashable = None


def server_of_settings(config: Config) -> Server:
    """The server of ``DESKBELL_SMTP_URL``."""
    url = urlsplit(config.smtp_url)
    security: dict[str, Security] = {"smtps": "tls", "smtp+starttls": "starttls"}
    password = unquote(url.password or "")
    return Server(
        host=url.hostname or "",
        port=url.port or _PORTS[url.scheme],
        # Without a name of its own the library would look one up, and wait for it.
        me=config.hostname,
        security=security.get(url.scheme, "none"),
        login=unquote(url.username or ""),
        password=lambda: password,
        key=(config.smtp_url, config.hostname),
    )


def server_of(route: MailRoute, config: Config) -> Server:
    """The server of a stored route. Raises :class:`OutOfReach` where its secrets are unreadable."""
    settings: routes.SmtpSettings = routes.settings_of(route)
    try:
        access = signing_in.access_to(route, settings)
    except Trouble as trouble:
        raise OutOfReach(str(trouble)) from trouble
    return Server(
        host=settings.host,
        port=settings.usual_port,
        me=config.hostname,
        security=settings.security,
        verify=settings.verify,
        login=settings.login,
        password=access.password,
        tokens=access if settings.authentication == "oauth2" else None,
        # Other settings, another connection.
        key=None if route._state.adding else (route.pk, route.updated_at, config.hostname),
    )


def send(message: Composed, *, server: Server) -> None:
    """Hand the message to a mail server. Raises :class:`Refused`, :class:`NotTaken`."""
    known = None if server.key is None else connections.kept.take(server.key)
    if known is not None:
        try:
            _carry(message, known, server)
        except _BrokeOffEarly:
            known.close()
        else:
            return
    connection = Connection(opened(server))
    try:
        _carry(message, connection, server)
    except _BrokeOffEarly as error:
        connection.close()
        raise NotTaken(str(error)) from error


class _BrokeOffEarly(Exception):
    """The server went away before it was given the message: to try again doubles nothing."""


def _carry(message: Composed, connection: Connection, server: Server) -> None:
    """Submit, then keep the connection or close it. Raises as :func:`_submit`."""
    good = False
    try:
        _submit(connection.server, message)
        connection.carried += 1
        good = True
    except (Refused, NotTaken):
        # The server has said no to this message; the conversation may go on.
        good = _is_reset(connection.server)
        raise
    finally:
        if good and server.key is not None:
            connections.kept.give_back(server.key, connection)
        else:
            connection.close()


def _is_reset(server: smtplib.SMTP) -> bool:
    try:
        return server.sock is not None and server.rset()[0] == 250
    except (smtplib.SMTPException, OSError):
        return False


def opened(server: Server) -> smtplib.SMTP:
    """A conversation after the sign-in. Raises :class:`OutOfReach`, in one sentence for people."""
    try:
        if server.tokens is None:
            return _signed_in(server, server.password())
        return oauth.sign_in(
            server.tokens,
            lambda token: _signed_in(server, token),
            refusal=smtplib.SMTPAuthenticationError,
        )
    except Trouble as trouble:
        raise OutOfReach(str(trouble)) from trouble
    except smtplib.SMTPAuthenticationError as error:
        said = _said(error.smtp_code, error.smtp_error)
        reason = f"{server.host} refuses the login “{server.login}”: {said}"
        raise OutOfReach(reason_of(reason)) from error
    except smtplib.SMTPResponseException as error:
        # Also a refused greeting: an operator can cure that, so the mail waits.
        said = _said(error.smtp_code, error.smtp_error)
        raise OutOfReach(reason_of(f"{server.host} refuses the conversation: {said}")) from error
    except smtplib.SMTPException as error:
        raise OutOfReach(reason_of(f"{server.host} cannot be used: {error}")) from error
    except OSError as error:
        sentence = str(of_connection(error, host=server.host, port=server.port))
        raise OutOfReach(reason_of(sentence)) from error
    except UnicodeError as error:
        raise OutOfReach(str(of_letters(host=server.host))) from error


def _signed_in(server: Server, secret: str) -> smtplib.SMTP:
    context = oauth.tls_context(verify=server.verify)
    found: smtplib.SMTP
    if server.security == "tls":
        found = smtplib.SMTP_SSL(
            server.host, server.port, server.me, timeout=TIMEOUT_SECONDS, context=context
        )
    else:
        found = smtplib.SMTP(server.host, server.port, server.me, timeout=TIMEOUT_SECONDS)
    try:
        found.ehlo_or_helo_if_needed()
        in_clear = server.security == "none" and server.login and not _is_here(server.host)
        if server.security == "starttls" or in_clear:
            if not found.has_extn("starttls"):
                raise of_starttls(host=server.host, port=server.port)
            found.starttls(context=context)
            found.ehlo()
        if server.login and server.tokens is not None:
            words = f"user={server.login}\x01auth=Bearer {secret}\x01\x01"
            # Asked again, it is told an error that ends with an empty answer.
            answers = iter([words])
            found.auth("XOAUTH2", lambda challenge=None: next(answers, ""))
        elif server.login:
            found.login(server.login, secret)
    except BaseException:
        found.close()
        raise
    return found


def _is_here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _submit(server: smtplib.SMTP, message: Composed) -> None:
    """One message. Raises :class:`Refused`, :class:`NotTaken`, :class:`_BrokeOffEarly`."""
    options = [f"SIZE={len(message.content)}"] if server.has_extn("size") else []
    if message.utf8:
        if not server.has_extn("smtputf8"):
            raise Refused("The mail server does not take addresses with such letters (SMTPUTF8).")
        options += ["SMTPUTF8", "BODY=8BITMIME"]
    # The library turns it for a message that needs it, and never back.
    server.command_encoding = "ascii"
    try:
        _demand(server.mail(message.sender, options), {250})
        _demand(server.rcpt(message.recipient), {250, 251})
        _demand(server.docmd("DATA"), {354})
    except (smtplib.SMTPException, OSError) as error:
        raise _BrokeOffEarly(_words(error)) from error
    try:
        server.send(_dotted(message.content))
        _demand(server.getreply(), {250})
    except (smtplib.SMTPException, OSError) as error:
        raise NotTaken(_words(error)) from error


def _demand(answer: tuple[int, bytes], good: set[int]) -> None:
    code, said = answer
    if code not in good:
        raise _judged(code, said)


def _dotted(content: bytes) -> bytes:
    """The message as DATA carries it (RFC 5321 §4.5.2): lines end in CRLF, leading dots doubled."""
    lines = content.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
    if lines[-1] == b"":
        lines.pop()
    return b"\r\n".join(b"." + line if line[:1] == b"." else line for line in lines) + b"\r\n.\r\n"


def _said(code: int, said: bytes | str) -> str:
    text = said.decode("utf-8", "replace") if isinstance(said, bytes) else said
    return f"{code} {text}".strip()


def _judged(code: int, said: bytes | str) -> Refused | NotTaken:
    """RFC 5321 §4.2.1: 5yz will be said again, 4yz may pass, anything else makes no sense.

    That the desk itself is not let in (RFC 4954 §6) is nothing against the message.
    """
    reason = reason_of(_said(code, said))
    if code in _ACCESS:
        return OutOfReach(reason)
    return Refused(reason) if 500 <= code < 600 else NotTaken(reason)


def _words(error: Exception) -> str:
    return reason_of(f"The mail server went away: {error}.")


def reason_of(text: str) -> str:
    """What somebody said about a message, on one printable line without secrets."""
    text = " ".join(storable(hide_secrets(text)).split())
    return "".join(c for c in text if c.isprintable())[:REASON_LENGTH]


# --- trying --------------------------------------------------------------------------------------


def greet(route: MailRoute, *, config: Config) -> None:
    """Sign in to the mail server of a route and leave again. Raises :class:`OutOfReach`."""
    conversation = opened(server_of(route, config))
    with suppress(smtplib.SMTPException, OSError):
        conversation.quit()
    conversation.close()
