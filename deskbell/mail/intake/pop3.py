"""Mailboxes that speak POP3 (RFC 1939).

A message is known by its UIDL; where a server has none, by its bytes, which must then be fetched
every time. ``cursor``: ``skip``, the UIDLs that were there at a first look that wanted none of
them; ``stuck``, how often the server failed to hand a message over; ``next``, the message number
at which the next look goes on, on a server without UIDL.
"""

from __future__ import annotations

import contextlib
import hashlib
import poplib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from deskbell.kernel.text import is_storable
from deskbell.mail import oauth
from deskbell.mail.intake import taking
from deskbell.mail.intake.channels import Pop3Settings
from deskbell.mail.intake.store import digest_of
from deskbell.mail.intake.visit import Visit, batches, tag_of, too_large
from deskbell.mail.oauth import Access
from deskbell.mail.trouble import Trouble, of_login, of_starttls, told, words_of

SECONDS = 60.0
BATCH = 50
_NAME_LIMIT = 200
_CR, _CRLF = b"\r", b"\r\n"


class _LongLines:
    """Reads lines as long as mails have them; the library gives up at two kilobytes."""

    file: Any

    def _getline(self) -> tuple[bytes, int]:
        line: bytes = self.file.readline(taking.SIZE_LIMIT + 1)
        if len(line) > taking.SIZE_LIMIT:
            raise poplib.error_proto("a line of the answer has no end")
        if not line:
            raise poplib.error_proto("-ERR EOF")
        octets = len(line)
        if line[-2:] == _CRLF:
            return line[:-2], octets
        return line.removeprefix(_CR)[:-1], octets


class _Plain(_LongLines, poplib.POP3):
    pass


class _Tls(_LongLines, poplib.POP3_SSL):
    pass


@contextmanager
def opened(access: Access) -> Iterator[poplib.POP3]:
    """A mailbox after the sign-in, closed without QUIT. Raises :class:`Trouble`."""
    settings: Pop3Settings = access.settings
    host, port = settings.host, settings.usual_port
    with told(host=host, port=port):
        client: poplib.POP3 | None = None
        try:
            context = oauth.tls_context(verify=settings.verify)
            if settings.security == "tls":
                client = _Tls(host, port, timeout=SECONDS, context=context)
            else:
                client = _Plain(host, port, timeout=SECONDS)
                if settings.security == "starttls":
                    _start_tls(client, settings, context)
            _sign_in(client, access)
            yield client
        except poplib.error_proto as error:
            raise Trouble(f"{host} refuses: {_words(error)}.") from error
        finally:
            if client is not None:
                with contextlib.suppress(OSError):
                    client.close()


def _start_tls(client: poplib.POP3, settings: Pop3Settings, context: Any) -> None:
    try:
        client.stls(context)
    except poplib.error_proto as error:
        raise of_starttls(host=settings.host, port=settings.usual_port) from error


def _sign_in(client: poplib.POP3, access: Access) -> None:
    settings: Pop3Settings = access.settings
    password = access.password()
    client.encoding = "UTF-8"
    try:
        client.user(settings.login)
        client.pass_(password)
    except poplib.error_proto as error:
        raise of_login(_words(error), host=settings.host, login=settings.login) from error


def _words(error: poplib.error_proto) -> str:
    return words_of(error.args[0] if error.args else "").removeprefix("-ERR").strip() or "no reason"


def probe(access: Access) -> str:
    """Open the mailbox and change nothing; one sentence on what is there."""
    with opened(access) as client:
        number, _ = client.stat()
        client.quit()
    return "1 message waits." if number == 1 else f"{number} messages wait."


@dataclass(frozen=True, slots=True)
class _Listed:
    """A message as the server lists it: its number of this conversation, its size, its UIDL."""

    number: int
    size: int
    uidl: str


def look(visit: Visit) -> bool:
    """Fetch what is new, delete it where it shall be; whether more waits.

    Deletions happen at QUIT, so the rows hear of them after it. Raises :class:`Trouble`.
    """
    with opened(visit.access) as client:
        look = _Look(client, visit)
        more = look.run()
        client.quit()
    visit.told(look.telling)
    return more


class _Look:
    def __init__(self, client: poplib.POP3, visit: Visit) -> None:
        self.client = client
        self.visit = visit
        self.settings: Pop3Settings = visit.settings
        self.cursor = visit.cursor
        self.prefix = tag_of(self.settings.host, self.settings.login) + ":"
        #: Keys of what the server deletes at QUIT, or need not hear about.
        self.telling: list[str] = []

    def run(self) -> bool:
        listed, named = self._listed()
        self._begin(listed, named)
        stuck = self.cursor["stuck"]
        if not named:
            return self._run_unnamed(listed)
        skip = set(self.cursor["skip"])
        wanted = [each for each in listed if each.uidl not in skip]
        wanted.sort(key=lambda each: (stuck.get(each.uidl, 0), each.number))
        self._forget_gone(listed)
        untold = set(self.visit.untold(self.prefix))
        # Gone at the QUIT of a look that did not live to note it.
        self.telling += untold - {self._key(each.uidl) for each in listed}
        for batch in batches(wanted, 2000):
            known = self.visit.known([self._key(each.uidl) for each in batch])
            for each in batch:
                key = self._key(each.uidl)
                if key in known:
                    if key in untold:
                        self._tell(each, key)
                elif self.visit.budget.is_spent:
                    return True
                else:
                    self._fetch(each, key)
        return False

    def _run_unnamed(self, listed: list[_Listed]) -> bool:
        """Without names every message is read, to see whether it is known."""
        first = int(self.cursor.get("next", 1))
        for each in listed:
            if each.number < first:
                continue
            if self.visit.budget.is_spent:
                # What is deleted moves the others up.
                gone = len(self.telling) if self.settings.after == "delete" else 0
                self.cursor["next"] = max(1, each.number - gone)
                self.visit.save_cursor()
                return True
            content = self._read(each, "", f"number {each.number}")
            if content is None:
                continue
            name = digest_of(content)
            key = self._key(name)
            if name not in self.cursor["skip"]:
                self.visit.take(content, key=key)
                self._tell(each, key)
        self.cursor.pop("next", None)
        self.visit.save_cursor()
        return False

    def _listed(self) -> tuple[list[_Listed], bool]:
        """What is there, and whether the server has names for it."""
        sizes = [(int(line.split()[0]), int(line.split()[1])) for line in self.client.list()[1]]
        try:
            lines = self.client.uidl()[1]
        except poplib.error_proto as error:
            if "EOF" in str(error):
                raise
            return [_Listed(number, size, "") for number, size in sizes], False
        names = {}
        for line in lines:
            number, _, name = line.partition(b" ")
            names[int(number)] = _name(name.strip())
        return [
            _Listed(number, size, names[number]) for number, size in sizes if number in names
        ], True

    def _begin(self, listed: list[_Listed], named: bool) -> None:
        if "skip" in self.cursor:
            return
        skip: list[str] = []
        if self.settings.start == "now":
            if named:
                skip = [each.uidl for each in listed]
            else:
                skip = [digest_of(_joined(self.client, each.number)) for each in listed]
        self.cursor |= {"skip": skip, "stuck": {}}
        self.visit.save_cursor()

    def _forget_gone(self, listed: list[_Listed]) -> None:
        there = {each.uidl for each in listed}
        kept = [name for name in self.cursor["skip"] if name in there]
        stuck = {name: n for name, n in self.cursor["stuck"].items() if name in there}
        if len(kept) != len(self.cursor["skip"]) or stuck != self.cursor["stuck"]:
            self.cursor |= {"skip": kept, "stuck": stuck}
            self.visit.save_cursor()

    def _fetch(self, each: _Listed, key: str) -> None:
        if each.size > taking.SIZE_LIMIT:
            self.visit.pass_over(key, size=each.size, reason=too_large(each.size))
            return
        content = self._read(each, key, each.uidl)
        if content is None:
            return
        self.visit.take(content, key=key)
        if self.cursor["stuck"].pop(each.uidl, None):
            self.visit.save_cursor()
        self._tell(each, key)

    def _read(self, each: _Listed, key: str, name: str) -> bytes | None:
        """The message, ``None`` where the server does not hand it over this time."""
        if each.size > taking.SIZE_LIMIT:
            return None
        try:
            return _joined(self.client, each.number)
        except poplib.error_proto as error:
            given_up_as = key or self._key(hashlib.sha256(name.encode()).hexdigest())
            self.visit.stuck(name, key=given_up_as, words=_words(error), size=each.size)
            self.visit.save_cursor()
            if "EOF" in str(error) or "no end" in str(error):
                raise
            return None

    def _tell(self, each: _Listed, key: str) -> None:
        if self.settings.after == "delete":
            self.client.dele(each.number)
        self.telling.append(key)

    def _key(self, name: str) -> str:
        return self.prefix + name


def _joined(client: poplib.POP3, number: int) -> bytes:
    return b"".join(line + _CRLF for line in client.retr(number)[1])


def _name(uidl: bytes) -> str:
    """A UIDL as our rows hold it; one that RFC 1939 would not allow is hashed."""
    text = uidl.decode("ascii", "replace")
    if text and len(text) <= _NAME_LIMIT and text.isprintable() and is_storable(text):
        return text
    return hashlib.sha256(uidl).hexdigest()
