"""POP3 against a real server, and against one without UIDL."""

from __future__ import annotations

import poplib

import pytest

from deskbell.mail.intake import fetching, pop3, taking, visit
from deskbell.mail.intake import store as raw
from deskbell.mail.intake.store import NoRoom
from deskbell.mail.models import IncomingMail
from tests.mail.intake.conftest import look, message, rows
from tests.mail.intake.dovecot import PASSWORD

pytestmark = pytest.mark.once

LONG = message(9, "x" * 5000)


def contents(channel):
    return [raw.read(row.place) for row in rows(channel) if row.place and not row.copy_of_id]


@pytest.fixture(params=["uidl", "no uidl"])
def uidl(request, monkeypatch):
    """With the names that the server gives, and without any."""
    if request.param == "no uidl":

        def refuse(self, which=None):
            raise poplib.error_proto(b"-ERR Unknown command")

        monkeypatch.setattr(pop3._Plain, "uidl", refuse)
    return request.param == "uidl"


@pytest.mark.parametrize("after", ["keep", "delete"])
def test_takes_each_once_byte_by_byte(mailbox, new_channel, uidl, after):
    mailbox.put(message(1), LONG)
    channel = new_channel("pop3", mailbox.pop3(after=after))

    assert look(channel) == 2
    assert channel.alarm == ""
    mailbox.put(message(3))
    look(channel)
    look(channel)

    assert contents(channel) == [message(1), LONG, message(3)]
    assert all(row.told_at for row in rows(channel))
    assert len(mailbox.flags()) == (3 if after == "keep" else 0)


def test_now_means_from_now_on(mailbox, new_channel, uidl):
    mailbox.put(message(1))
    channel = new_channel("pop3", mailbox.pop3(start="now"))

    look(channel)
    mailbox.put(message(2))
    look(channel)

    assert contents(channel) == [message(2)]


@pytest.mark.parametrize("after", ["keep", "delete"])
def test_goes_on_where_the_budget_of_a_look_ended(mailbox, new_channel, monkeypatch, uidl, after):
    mailbox.put(*(message(n) for n in range(5)))
    channel = new_channel("pop3", mailbox.pop3(after=after))
    real = visit.Visit.__init__
    monkeypatch.setattr(
        visit.Visit, "__init__", lambda self, *a: real(self, *a, visit.Budget(messages=2))
    )

    for _ in range(3):
        look(channel)

    assert contents(channel) == [message(n) for n in range(5)]
    assert len(mailbox.flags()) == (5 if after == "keep" else 0)


def test_deletes_at_the_next_look_what_a_broken_connection_did_not(
    mailbox, new_channel, monkeypatch
):
    mailbox.put(message(1), message(2))
    channel = new_channel("pop3", mailbox.pop3(after="delete"))

    def cut(self):
        self.sock.shutdown(2)
        raise OSError("cut")

    with monkeypatch.context() as patch:
        patch.setattr(pop3._Plain, "quit", cut)
        look(channel)
    assert len(mailbox.flags()) == 2
    assert [row.told_at for row in rows(channel)] == [None, None]

    assert look(channel) == 0

    assert mailbox.flags() == {}
    assert all(row.told_at for row in rows(channel))


def test_a_full_disk_deletes_nothing(mailbox, new_channel, monkeypatch):
    mailbox.put(message(1))
    channel = new_channel("pop3", mailbox.pop3(after="delete"))

    def full(*_, **__):
        raise NoRoom("full")

    with monkeypatch.context() as patch:
        patch.setattr(raw, "keep", full)
        look(channel)

    assert channel.alarm == "The disk is full: no mail is taken in until there is room again."
    assert len(mailbox.flags()) == 1
    assert look(channel) == 1


def test_what_is_broken_or_too_large_blocks_none(mailbox, new_channel, monkeypatch):
    monkeypatch.setattr(taking, "SIZE_LIMIT", 50_000)
    mailbox.put(message(1), message(2, ("x" * 900 + "\r\n") * 60), message(3))
    retr = pop3._Plain.retr

    def refuse(self, number):
        if number == 1:
            raise poplib.error_proto(b"-ERR [SYS/TEMP] Disk trouble")
        return retr(self, number)

    monkeypatch.setattr(pop3._Plain, "retr", refuse)
    channel = new_channel("pop3", mailbox.pop3(after="delete"))

    for _ in range(6):
        look(channel)

    assert contents(channel) == [message(3)]
    assert {row.fate: row.reason for row in rows(channel) if row.fate} == {
        "refused": "The message has 0 MB, and 0 MB are the limit.",
        "unreadable": ("The mail server does not hand this message over: [SYS/TEMP] Disk trouble."),
    }
    assert len(mailbox.flags()) == 2
    assert channel.alarm == ""


@pytest.mark.parametrize(
    ("changes", "password", "said"),
    [
        ({"port": 1}, PASSWORD, "127.0.0.1 refuses connections on port 1: check the port."),
        ({}, "wrong", "127.0.0.1 refuses the login “{login}”: "),
        ({"security": "starttls"}, PASSWORD, "The certificate of 127.0.0.1 is not trusted: "),
        ({"security": "tls"}, PASSWORD, "TLS with 127.0.0.1 on port {port} failed ("),
    ],
)
def test_trouble_is_one_sentence(mailbox, new_channel, changes, password, said):
    settings = mailbox.pop3(**changes)
    channel = new_channel("pop3", settings, password=password)

    look(channel)

    assert channel.alarm.startswith(said.format(**settings))


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_encrypts(mailbox, dovecot, new_channel, security):
    mailbox.put(message(1))
    port = dovecot.pop3s if security == "tls" else dovecot.pop3
    settings = mailbox.settings(port=port, security=security, verify=False)
    channel = new_channel("pop3", settings)

    assert look(channel) == 1


def test_the_test_says_what_waits_and_changes_nothing(mailbox, new_channel):
    mailbox.put(message(1))
    channel = new_channel("pop3", mailbox.pop3(after="delete"))
    settings = fetching.channels.settings_of(channel)

    assert fetching.probe("pop3", settings, channel=channel) == "1 message waits."

    assert len(mailbox.flags()) == 1
    assert not IncomingMail.objects.exists()
