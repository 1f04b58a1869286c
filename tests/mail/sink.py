"""A mail server on this machine that keeps what it gets and says what a test wants it to say."""

from __future__ import annotations

import asyncio
import base64
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from deskbell.mail.sending import connections
from tests.live import free_port


@dataclass
class Sink:
    """What came in, and the answers still to be given: one per command, then the normal ones."""

    port: int
    taken: list[Envelope] = field(default_factory=list)
    sessions: list[Session] = field(default_factory=list)
    to_sender: list[str] = field(default_factory=list)
    to_recipient: list[str] = field(default_factory=list)
    to_data: list[str] = field(default_factory=list)
    #: Take the message, then hang up without an answer.
    vanish_after_data: bool = False
    #: Say good-bye when the next command comes, as servers do to who was idle for long.
    vanish_when_idle: bool = False
    #: Hang up when the next message is announced.
    vanish_at_sender: bool = False
    connections: int = 0
    #: Access tokens that open the door; asked for by XOAUTH2.
    tokens: set[str] = field(default_factory=set)

    # The names below are aiosmtpd's.

    async def handle_NOOP(self, server: SMTP, session: Session, envelope: Envelope, *_: str) -> str:
        if self.vanish_when_idle:
            self.vanish_when_idle = False
            server.transport.close()
            return "421 4.4.2 Idle for too long"
        return "250 OK"

    async def auth_XOAUTH2(self, server: SMTP, args: list[str]) -> AuthResult:
        said = base64.b64decode(args[1]).decode()
        if said.split("auth=Bearer ")[1].rstrip("\1") in self.tokens:
            return AuthResult(success=True)
        await server.challenge_auth(b'{"status":"401"}')
        return AuthResult(success=False, handled=False)

    async def handle_MAIL(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        self.sessions.append(session)
        if self.vanish_at_sender:
            self.vanish_at_sender = False
            server.transport.close()
        if self.to_sender:
            return self.to_sender.pop(0)
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 OK"

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.to_recipient:
            return self.to_recipient.pop(0)
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        if self.to_data:
            return self.to_data.pop(0)
        self.taken.append(envelope)
        if self.vanish_after_data:
            server.transport.close()
            await asyncio.sleep(0)
        return "250 OK: taken"


class _Server(Controller):
    def __init__(self, sink: Sink, **settings: Any) -> None:
        super().__init__(sink, hostname="127.0.0.1", port=sink.port, **settings)

    def factory(self) -> SMTP:
        self.handler.connections += 1
        return super().factory()


PASSWORD = b"open: sesame/&?"


def _check(server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any) -> Any:
    good = isinstance(data, LoginPassword) and data.password == PASSWORD
    return AuthResult(success=good, handled=False)


@contextmanager
def smtp_sink(
    *,
    implicit_tls: ssl.SSLContext | None = None,
    starttls: ssl.SSLContext | None = None,
    login: bool = False,
    utf8: bool = True,
) -> Iterator[Sink]:
    """A running sink. With ``login`` it takes mail only from whoever knows :data:`PASSWORD`."""
    sink = Sink(free_port())
    settings: dict[str, Any] = {"enable_SMTPUTF8": utf8, "server_hostname": "sink.test"}
    if implicit_tls is not None:
        settings["ssl_context"] = implicit_tls
    if starttls is not None:
        settings |= {"tls_context": starttls, "require_starttls": True}
    if login:
        settings |= {
            "auth_required": True,
            "authenticator": _check,
            "auth_require_tls": False,
        }
    server = _Server(sink, **settings)
    server.start()
    sink.connections = 0  # starting it looks whether it answers
    sink.sessions.clear()
    try:
        yield sink
    finally:
        connections.kept.close()
        server.stop()


def certificate(folder: Path, host: str = "localhost") -> tuple[ssl.SSLContext, Path]:
    """A server's TLS context, and the certificate that who trusts it must know."""
    key, certificate = folder / "key.pem", folder / "cert.pem"
    subprocess.run(
        [
            "openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
            "-keyout", str(key), "-out", str(certificate),
            "-subj", f"/CN={host}", "-addext", f"subjectAltName=DNS:{host}",
        ],
        check=True,
        capture_output=True,
    )  # fmt: skip
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context, certificate
