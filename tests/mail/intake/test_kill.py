"""Power cuts between any two steps of taking mail in: each mail is there once, and was told."""

from __future__ import annotations

import os
import signal
from collections import Counter

import pytest
from django.db import connections

from deskbell.kernel import clock
from deskbell.mail.intake import imap, maildir, pop3, taking, visit
from deskbell.mail.intake import store as raw
from deskbell.mail.models import IncomingMail
from tests.mail.intake.conftest import look, message, rows

pytestmark = pytest.mark.usefixtures("committed")

MAILS = [message(n) for n in range(40)]
STEPS = {
    "stored": (raw, "keep"),
    "row": (taking, "_entered"),
    "noted": (visit.Visit, "told"),
    "cursor": (visit.Visit, "save_cursor"),
}
TOLD = {
    "imap": [(imap.IMAPClient, "add_flags"), (imap.IMAPClient, "uid_expunge")],
    "pop3": [(pop3._Plain, "dele"), (pop3._Plain, "quit")],
    "maildir": [(maildir, "_put_away")],
}


def look_and_die(channel, owner, name, count):
    """Look into the mailbox in a process that is killed after a step; whether it came that far."""
    connections.close_all()
    child = os.fork()
    if not child:
        real, left = getattr(owner, name), [count]

        def die(*args, **kwargs):
            result = real(*args, **kwargs)
            left[0] -= 1
            if not left[0]:
                os.kill(os.getpid(), signal.SIGKILL)
            return result

        try:
            setattr(owner, name, die)
            look(channel)
        finally:
            os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL


@pytest.fixture
def place(request, tmp_path):
    """An empty mailbox of each kind: its settings, how mail gets there, and what is left in it."""
    if request.param == "maildir":
        for name in ("new", "cur"):
            (tmp_path / "box" / name).mkdir(parents=True)
        folder = tmp_path / "box" / "new"

        def put(*mails):
            for mail in mails:
                (folder / raw.digest_of(mail)).write_bytes(mail)

        settings = {"path": str(tmp_path / "box")}
        return "maildir", settings | {"after": "delete"}, put, lambda: list(folder.iterdir())
    box = request.getfixturevalue("mailbox")
    settings = box.settings() if request.param == "imap" else box.pop3()
    return request.param, settings | {"after": "delete"}, box.put, box.flags


@pytest.mark.parametrize("place", ["imap", "pop3", "maildir"], indirect=True)
def test_each_mail_is_taken_once_wherever_the_power_goes(place, new_channel, monkeypatch):
    kind, settings, put, left = place
    monkeypatch.setattr(imap, "BATCH", 2)
    channel = new_channel(kind, settings)
    waiting = list(MAILS)
    killed = 0
    for turn, (owner, name) in enumerate([*STEPS.values(), *TOLD[kind]] * 2):
        put(*(waiting.pop() for _ in range(3)))
        often = name in {"keep", "_entered", "add_flags", "dele", "_put_away"}
        killed += look_and_die(channel, owner, name, 1 + turn % 3 if often else 1)
        if turn % 3 == 2:
            # A worker starts and looks what the last one left.
            taking.rescan(at=clock.now())
    put(*waiting)

    for _ in range(2):
        look(channel)
    taking.rescan(at=clock.now())

    assert killed >= 6
    assert channel.alarm == ""
    found = rows(channel)
    first = [row for row in found if row.copy_of_id is None]
    assert Counter(raw.read(row.place) for row in first) == Counter(MAILS)
    # What waits is handled once; a second sight of the same bytes has its fate already.
    assert {row.fate for row in first} == {""}
    assert {row.fate for row in found if row.copy_of_id} <= {"ignored"}
    assert not left()
    assert not IncomingMail.objects.filter(channel=channel, key__isnull=False, told_at=None)
