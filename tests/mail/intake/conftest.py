"""What tests of the ways in get: a mail server, channels, and an empty store."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import storages

from deskbell.kernel import clock
from deskbell.mail.intake import fetching
from deskbell.mail.intake.channels import NewChannel, save_channel
from deskbell.mail.models import IncomingMail, MailChannel
from tests.cast import acting, ada
from tests.mail.intake.dovecot import DOVECOT, PASSWORD, Dovecot, Mailbox


@pytest.fixture(scope="session")
def dovecot() -> Iterator[Dovecot]:
    """The mail server of the run. Skips where it is not installed."""
    if not DOVECOT.exists():
        pytest.skip(
            "NO DOVECOT: fetching mail was not tested (Debian: dovecot-imapd dovecot-pop3d)"
        )
    server = Dovecot()
    yield server
    server.stop()


@pytest.fixture
def committed(transactional_db: None) -> None:
    """What the test writes is seen by other threads and processes."""


@pytest.fixture
def mailbox(dovecot: Dovecot) -> Mailbox:
    """An empty mailbox."""
    return dovecot.mailbox()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Path]:
    """An own, empty store of raw messages."""
    folder = tmp_path / "store"
    storage = storages["mail"]
    before = storage._location
    storage._location = str(folder)
    for name in ("base_location", "location"):
        storage.__dict__.pop(name, None)
    yield folder
    storage._location = before
    for name in ("base_location", "location"):
        storage.__dict__.pop(name, None)


@pytest.fixture
def new_channel(db: None, store: Path) -> Callable[..., MailChannel]:
    """Makes a channel of group 1, as the administrator: `new_channel("imap", box.settings())`."""
    actor = acting(ada())

    def make(kind: str, settings: dict[str, Any], **changes: Any) -> MailChannel:
        given = {"name": kind, "group_id": 1, "password": PASSWORD} | changes
        new = NewChannel(kind=kind, settings=settings, **given)
        return save_channel(new, actor=actor, at=clock.now())

    return make


def message(number: int, text: str = "Hello.", **headers: str) -> bytes:
    """A small mail that no other test run's equals."""
    lines = {
        "From": "Kemal <kemal@example.test>",
        "To": "help@example.test",
        "Subject": f"Printer {number}",
        "Message-ID": f"<{number}@example.test>",
        **headers,
    }
    head = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in lines.items())
    return f"{head}\r\n{text} {number}\r\n".encode()


def look(channel: MailChannel) -> int:
    """One look into the mailbox; the channel is read anew."""
    taken = fetching.fetch(channel.pk, at=clock.now())
    channel.refresh_from_db()
    return taken


def rows(channel: MailChannel) -> list[IncomingMail]:
    """What came through the channel, in that order."""
    return list(IncomingMail.objects.filter(channel=channel).order_by("id"))
