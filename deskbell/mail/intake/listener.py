"""A small SMTP and LMTP server (RFC 5321, RFC 2033) to which the mail server of a house delivers.

250 is answered when a message is on the disk and has its row, and not before; what we cannot take
just now gets a 4xx, so that the other side keeps it and comes back.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from aiosmtpd.lmtp import LMTP
from aiosmtpd.smtp import SMTP, Envelope, Session
from django.db import DatabaseError, connections

from deskbell import __version__
from deskbell.kernel import clock
from deskbell.kernel.text import fold, is_storable
from deskbell.mail.intake import taking
from deskbell.mail.models import ChannelKind, MailChannel

log = logging.getLogger("deskbell.mail")

#: Bytes of a line. RFC 5321 allows a thousand; what is sent knows no such limit.
LINE_LIMIT = 8 * 1024 * 1024
CONNECTION_LIMIT = 50
RECIPIENT_LIMIT = 100
TIMEOUT_SECONDS = 300.0
THREADS = 4

TAKEN = "250 2.0.0 OK, the desk has it"
UNKNOWN = "550 5.1.1 No such mailbox at this desk"
CLOSED = "450 4.2.1 This mailbox is closed for the moment"
NO_ROOM = "452 4.3.1 The disk is full, please come back later"
TROUBLE = "451 4.3.0 The desk cannot take mail just now, please come back later"
TOO_MANY = "452 4.5.3 Too many recipients"

Result = TypeVar("Result")


def channel_for(address: str) -> MailChannel | None:
    """The channel that takes mail for an address; one that is closed where there is no other.

    The part behind ``+`` does not count. A channel names whole addresses, or ``@host`` for all of
    a host; without any it is its group's address.
    """
    key = fold(address.strip().strip("<>"))
    local, at, host = key.rpartition("@")
    if not at or not is_storable(key):
        return None
    plain = f"{local.partition('+')[0]}@{host}"
    best: tuple[int, int, MailChannel] | None = None
    listeners = MailChannel.objects.filter(kind=ChannelKind.LISTENER)
    found = listeners.select_related("group__email_address")
    for channel in found.order_by("id"):
        named = [fold(each) for each in channel.settings.get("addresses", ())]
        named = named or [fold(channel.group.email)]
        ranks = [n for n, each in enumerate((key, plain, f"@{host}")) if each in named]
        if not ranks:
            continue
        rank = (not channel.active, ranks[0])
        if best is None or rank < best[:2]:
            best = (*rank, channel)
    return best[2] if best else None


def deliver(content: bytes, recipients: Sequence[str], *, sender: str = "") -> list[str]:
    """Take a message once per channel; the answer to each recipient.

    ``sender`` is that of the envelope, "" for the null path of reports.
    """
    routed = [_routed(address) for address in recipients]
    answers: dict[int, str] = {}
    for channel in routed:
        if isinstance(channel, MailChannel) and channel.pk not in answers:
            to = [
                address
                for address, each in zip(recipients, routed, strict=True)
                if isinstance(each, MailChannel) and each.pk == channel.pk
            ]
            answers[channel.pk] = _taken(content, channel, envelope(sender, to))
    return [each if isinstance(each, str) else answers[each.pk] for each in routed]


def envelope(sender: str, recipients: Sequence[str]) -> bytes:
    """The fields that final delivery puts on top of a message (RFC 5321 §4.4).

    ``Delivered-To`` is no standard's, but the name under which mail servers keep the recipient.
    """
    fields = [f"Return-Path: <{_one_line(sender)}>"]
    fields += [f"Delivered-To: {_one_line(address)}" for address in recipients]
    text = "".join(f"{each}\r\n" for each in fields)
    return text.encode("utf-8", "surrogateescape")


def _one_line(address: str) -> str:
    """An address as it may stand in a field."""
    return "".join(c for c in address if c >= " " and c != "\x7f").strip().strip("<>")


def _routed(address: str) -> MailChannel | str:
    """The channel for a recipient, or the answer that there is none."""
    try:
        channel = channel_for(address)
    except DatabaseError as error:
        return _trouble(error)
    if channel is None:
        return UNKNOWN
    return channel if channel.active else CLOSED


def _taken(content: bytes, channel: MailChannel, above: bytes) -> str:
    try:
        mail = taking.take(content, channel=channel, envelope=above, at=clock.now())
        type(mail).objects.filter(pk=mail.pk).update(told_at=clock.now())
    except OSError as error:
        log.error("mail was not taken", extra={"reason": str(error)[:500]})
        return NO_ROOM
    except DatabaseError as error:
        return _trouble(error)
    return TAKEN


def _trouble(error: DatabaseError) -> str:
    log.error("mail was not taken", extra={"reason": str(error).strip()[:500]})
    connections.close_all()
    return TROUBLE


class _Handler:
    """Answers one server's commands; the names of the methods are aiosmtpd's."""

    def __init__(self, *, each: bool, threads: ThreadPoolExecutor) -> None:
        self.each = each
        self.threads = threads

    async def _ask(self, work: Callable[[], Result]) -> Result:
        """Work with the database in a thread, which keeps no connection afterwards."""

        def run() -> Result:
            try:
                return work()
            finally:
                connections.close_all()

        return await asyncio.get_running_loop().run_in_executor(self.threads, run)

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Whether we have such a mailbox."""
        if len(envelope.rcpt_tos) >= RECIPIENT_LIMIT:
            return TOO_MANY
        try:
            channel = await self._ask(lambda: channel_for(address))
        except DatabaseError as error:
            log.error("no look at mail channels", extra={"reason": str(error).strip()[:500]})
            return TROUBLE
        if channel is None:
            return UNKNOWN
        if not channel.active:
            return CLOSED
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        """Take the message. LMTP hears of every recipient, SMTP of the worst of them."""
        content = envelope.original_content or b""
        recipients = list(envelope.rcpt_tos)
        sender = envelope.mail_from or ""
        answers = await self._ask(lambda: deliver(content, recipients, sender=sender))
        if self.each:
            return "\r\n".join(answers)
        # To try again is harmless: who has the message knows its bytes.
        return next((answer for answer in answers if answer != TAKEN), TAKEN)

    async def handle_exception(self, error: Exception) -> str:
        """Something nobody expected: the other side keeps the message."""
        log.error("mail was not taken", exc_info=error)
        return TROUBLE


class _Smtp(SMTP):
    line_length_limit = LINE_LIMIT

    def __init__(self, handler: _Handler, *, among: set[SMTP], **settings: Any) -> None:
        super().__init__(handler, **settings)
        self.among = among
        among.add(self)

    def connection_lost(self, error: Exception | None) -> None:
        """The connection has ended, as asyncio says it."""
        self.among.discard(self)
        super().connection_lost(error)


class _Lmtp(_Smtp, LMTP):
    pass


class Listener:
    """The server; :meth:`start` and :meth:`stop` it in one event loop."""

    def __init__(
        self, *, host: str, port: int, lmtp: bool = False, tls: ssl.SSLContext | None = None
    ) -> None:
        self.host, self.port = host, port
        self.lmtp = lmtp
        self.tls = tls
        self._server: asyncio.Server | None = None
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="mail-listen")
        self._open: set[SMTP] = set()

    async def start(self) -> int:
        """Listen; the port. Raises OSError."""
        self._server = await asyncio.get_running_loop().create_server(
            self._conversation, self.host, self.port
        )
        self.port = int(self._server.sockets[0].getsockname()[1])
        return self.port

    async def stop(self, *, seconds: float = 5.0) -> None:
        """Take no new connection, let what is under way end, then close."""
        if self._server is not None:
            self._server.close()
        loop = asyncio.get_running_loop()
        until = loop.time() + seconds
        while any(_is_busy(each) for each in self._open) and loop.time() < until:
            await asyncio.sleep(0.05)
        for each in list(self._open):
            if each.transport is not None:
                each.transport.close()
        await asyncio.sleep(0)
        await loop.run_in_executor(None, self._threads.shutdown)

    def _conversation(self) -> asyncio.Protocol:
        if len(self._open) >= CONNECTION_LIMIT:
            # Whoever is refused here comes back; a queue of our own would only hide it.
            return _Busy()
        kind = _Lmtp if self.lmtp else _Smtp
        return kind(
            _Handler(each=self.lmtp, threads=self._threads),
            among=self._open,
            data_size_limit=taking.SIZE_LIMIT,
            enable_SMTPUTF8=True,
            hostname=socket.gethostname(),
            tls_context=self.tls,
            timeout=TIMEOUT_SECONDS,
            ident=f"Deskbell {__version__}",
            # Nobody signs in here; what is offered is taken or refused by its recipient.
            auth_exclude_mechanism=["LOGIN", "PLAIN"],
            command_call_limit={"*": 1000, "RCPT": 10 * RECIPIENT_LIMIT},
            loop=asyncio.get_running_loop(),
        )


def _is_busy(conversation: SMTP) -> bool:
    """Whether a message is just being taken from somebody."""
    envelope = conversation.envelope
    return envelope is not None and bool(envelope.rcpt_tos)


class _Busy(asyncio.Protocol):
    def connection_made(self, transport: Any) -> None:
        transport.write(b"421 4.3.2 Too many connections, please come back later\r\n")
        transport.close()
