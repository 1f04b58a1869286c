"""The listener over its own wire: 250 means that it is on the disk and has its row."""

from __future__ import annotations

import asyncio
import smtplib
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.db import OperationalError

from deskbell.kernel.actor import SYSTEM
from deskbell.mail.intake import listener, taking
from deskbell.mail.intake import store as raw
from deskbell.mail.intake.store import NoRoom
from deskbell.mail.models import IncomingMail
from deskbell.mail.reading import read
from deskbell.people.operations import save_group
from tests.cast import MONDAY_9AM
from tests.mail.intake.conftest import message, rows
from tests.mail.sink import certificate

pytestmark = [pytest.mark.once, pytest.mark.usefixtures("committed")]


@contextmanager
def listening(**settings) -> Iterator[int]:
    """A running listener; its port. It must stop well."""
    loop = asyncio.new_event_loop()
    server = listener.Listener(host="127.0.0.1", port=0, **settings)
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield asyncio.run_coroutine_threadsafe(server.start(), loop).result(10)
    finally:
        asyncio.run_coroutine_threadsafe(server.stop(seconds=1), loop).result(20)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


@pytest.fixture
def channel(new_channel):
    return new_channel("listener", {"addresses": ["help@desk.example", "@all.example"]})


def send(port, content, *recipients, client=smtplib.SMTP):
    with client("127.0.0.1", port, timeout=20) as server:
        return server.sendmail("kemal@example.test", recipients, content)


ABOVE = b"Return-Path: <kemal@example.test>\r\nDelivered-To: help@desk.example\r\n"
LARGE_LINE = message(7, "x" * 50_000)


@pytest.mark.parametrize("content", [message(1), LARGE_LINE, message(2, ".dots\r\n..\r\n. x")])
def test_takes_byte_by_byte_and_once(channel, content):
    with listening() as port:
        send(port, content, "help@desk.example")
        # A mail server that did not hear our 250 sends it again.
        send(port, content, "help@desk.example")

    first, second = rows(channel)
    assert raw.read(first.place) == ABOVE + content
    assert first.told_at
    assert (second.copy_of_id, second.fate) == (first.pk, "ignored")


@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("HELP@desk.example", 250),
        ("help+t17.abc@Desk.Example", 250),
        ("anyone@all.example", 250),
        ("users@group.example", 250),
        ("nobody@desk.example", 550),
        ("closed@desk.example", 450),
        ("help", 550),
        ("", 550),
    ],
)
def test_knows_its_mailboxes(channel, new_channel, address, status):
    save_group(1, {"email": "Users@group.example"}, actor=SYSTEM, at=MONDAY_9AM)
    new_channel("listener", {}, name="of the group")
    new_channel("listener", {"addresses": ["closed@desk.example"]}, name="off", active=False)
    new_channel("pipe", {}, name="another kind")
    with listening() as port, smtplib.SMTP("127.0.0.1", port, timeout=20) as client:
        client.ehlo()
        client.mail("kemal@example.test")

        assert client.rcpt(address)[0] == status


def test_lmtp_answers_for_each_recipient(channel, new_channel, monkeypatch):
    other = new_channel("listener", {"addresses": ["other@desk.example"]}, name="other")
    take = taking.take

    def full(content, *, channel, **more):
        if channel.pk == other.pk:
            raise NoRoom("full")
        return take(content, channel=channel, **more)

    monkeypatch.setattr(taking, "take", full)
    with listening(lmtp=True) as port, smtplib.LMTP("127.0.0.1", port, timeout=20) as client:
        client.ehlo()
        client.mail("kemal@example.test")
        for address in ("help@desk.example", "nobody@desk.example", "other@desk.example"):
            client.rcpt(address)
        client.rcpt("help+x@desk.example")
        client.putcmd("data")
        assert client.getreply()[0] == 354
        client.send(message(1) + b".\r\n")

        answers = [client.getreply()[0] for _ in range(3)]

    assert answers == [250, 452, 250]
    assert len(rows(channel)) == 1
    assert rows(other) == []


def test_keeps_the_envelope_of_each_channel_above_the_message(channel, new_channel):
    other = new_channel("listener", {"addresses": ["other@desk.example"]}, name="other")
    content = message(1, Message_ID="")
    people = ("help@desk.example", "any+tag@all.example", "other@desk.example")
    with listening() as port, smtplib.SMTP("127.0.0.1", port, timeout=20) as client:
        client.sendmail("", people, content)
        client.sendmail("b@example.test", ("help@desk.example",), content)

    first, again = rows(channel)
    above = b"Return-Path: <>\r\nDelivered-To: help@desk.example\r\n"
    assert raw.read(first.place) == above + b"Delivered-To: any+tag@all.example\r\n" + content
    assert (again.copy_of_id, again.place) == (first.pk, first.place)
    (elsewhere,) = rows(other)
    assert raw.read(elsewhere.place).endswith(b"Delivered-To: other@desk.example\r\n" + content)
    assert elsewhere.copy_of_id == first.pk
    found = read(raw.read(first.place))
    assert (found.return_path, found.delivered_to) == ("", people[:2])
    assert found.machine.must_not_auto_respond
    assert first.size == raw.store().size(first.place)
    # A recipient cannot write a field of his own.
    assert listener.envelope("a\r\nX: y@b", ["\udcff@c"]).splitlines() == [
        b"Return-Path: <aX: y@b>", b"Delivered-To: \xff@c",
    ]  # fmt: skip


@pytest.mark.parametrize("failure", [NoRoom("full"), OperationalError("gone"), ValueError("?")])
def test_what_cannot_be_taken_now_is_kept_by_the_other_side(channel, monkeypatch, failure):
    def fail(*_, **__):
        raise failure

    with monkeypatch.context() as patch:
        patch.setattr(taking, "take", fail)
        with listening() as port, pytest.raises(smtplib.SMTPDataError) as refused:
            send(port, message(1), "help@desk.example")
        assert refused.value.smtp_code in {451, 452}
    assert not IncomingMail.objects.exists()


def test_a_database_that_is_gone_is_no_unknown_mailbox(channel, monkeypatch):
    def fail(address):
        raise OperationalError("gone")

    monkeypatch.setattr(listener, "channel_for", fail)
    with listening() as port, pytest.raises(smtplib.SMTPRecipientsRefused) as refused:
        send(port, message(1), "help@desk.example")

    assert refused.value.recipients["help@desk.example"][0] == 451


def test_has_a_limit_which_it_says(channel, monkeypatch):
    monkeypatch.setattr(taking, "SIZE_LIMIT", 20_000)
    large = message(1, "x" * 70 + "\r\n" * 40_000)
    with listening() as port, smtplib.SMTP("127.0.0.1", port, timeout=20) as client:
        client.ehlo()
        assert client.esmtp_features["size"] == "20000"
        with pytest.raises(smtplib.SMTPSenderRefused) as refused:
            client.sendmail("kemal@example.test", ["help@desk.example"], large)
        assert refused.value.smtp_code == 552
        client.ehlo_resp = None
        client.rset()
        client.mail("kemal@example.test")
        client.rcpt("help@desk.example")
        assert client.data(large)[0] == 552

    assert rows(channel) == []


def test_too_many_connections_are_asked_to_come_back(channel, monkeypatch):
    monkeypatch.setattr(listener, "CONNECTION_LIMIT", 1)
    with listening() as port, smtplib.SMTP("127.0.0.1", port, timeout=20):
        with pytest.raises(smtplib.SMTPConnectError) as refused:
            smtplib.SMTP("127.0.0.1", port, timeout=20)
        assert refused.value.smtp_code == 421


def test_starttls(channel, tmp_path):
    context, trusted = certificate(tmp_path)
    ours = ssl.create_default_context(cafile=str(trusted))
    ours.check_hostname = False
    with listening(tls=context) as port, smtplib.SMTP("127.0.0.1", port, timeout=20) as client:
        client.starttls(context=ours)
        client.sendmail("kemal@example.test", ["help@desk.example"], message(1))

    assert [raw.read(row.place) for row in rows(channel)] == [ABOVE + message(1)]
