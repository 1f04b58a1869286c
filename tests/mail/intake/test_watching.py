"""Waiting for new mail: a hint at once, from one worker of all, and nothing left when it stops."""

from __future__ import annotations

import threading
import time

import pytest
from django.db import connections

from deskbell.kernel import clock
from deskbell.kernel.models import Job
from deskbell.mail.intake import fetching, watching
from deskbell.mail.models import MailChannel
from tests.mail.intake.conftest import message

pytestmark = [pytest.mark.once, pytest.mark.usefixtures("committed")]


def waits(condition, seconds=20.0):
    """Wait until something is so."""
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.02)


def threads():
    return [each for each in threading.enumerate() if each.name.startswith("mail-watch")]


def test_new_mail_is_a_hint_at_once_to_one_worker_of_all(mailbox, new_channel):
    channel = new_channel("imap", mailbox.settings())
    key = fetching.fetch_key(channel.pk)
    with (
        watching.Watchers(round_seconds=0.1) as one,
        watching.Watchers(round_seconds=0.1) as other,
    ):
        waits(lambda: Job.objects.filter(unique_key=key).exists())
        Job.objects.filter(unique_key=key).delete()
        assert len(one._watchers) + len(other._watchers) == 1

        mailbox.put(message(1))

        waits(lambda: Job.objects.filter(unique_key=key, state="ready").exists())
        began = time.monotonic()
    assert time.monotonic() - began < 8  # no read of 45 s is waited for
    channel.refresh_from_db()
    assert channel.watched_until is None
    assert threads() == []


def test_a_channel_that_fails_or_is_changed_or_closed_is_watched_accordingly(mailbox, new_channel):
    channel = new_channel("imap", mailbox.settings(port=1))
    key = fetching.fetch_key(channel.pk)
    with watching.Watchers(round_seconds=0.05):
        waits(lambda: MailChannel.objects.get().watched_until)
        assert not Job.objects.filter(unique_key=key).exists()

        MailChannel.objects.update(settings=mailbox.settings(), updated_at=clock.now())
        waits(lambda: Job.objects.filter(unique_key=key).exists())

        MailChannel.objects.update(active=False)
        waits(lambda: MailChannel.objects.get().watched_until is None)
        waits(lambda: len(threads()) == 1)
    connections.close_all()


def test_a_reissued_idle_and_a_closed_connection_go_on(mailbox, new_channel, monkeypatch):
    monkeypatch.setattr(watching, "REISSUE_SECONDS", 0.2)
    monkeypatch.setattr(watching, "RENEW_SECONDS", 0.1)
    monkeypatch.setattr(watching, "FIRST_PAUSE", 0.1)
    channel = new_channel("imap", mailbox.settings())
    key = fetching.fetch_key(channel.pk)
    with watching.Watchers(round_seconds=0.1) as watchers:
        waits(lambda: Job.objects.filter(unique_key=key).exists())
        until = MailChannel.objects.get().watched_until
        waits(lambda: MailChannel.objects.get().watched_until > until)
        Job.objects.filter(unique_key=key).delete()

        # The network goes; the next connection hints again.
        client = watchers._watchers[channel.pk]._client
        client.socket().shutdown(2)

        waits(lambda: Job.objects.filter(unique_key=key).exists())


def test_costs_no_thread_where_there_is_nothing_to_watch(new_channel):
    new_channel("pipe", {})
    new_channel("imap", {"host": "127.0.0.1", "port": 1, "idle": False}, name="polled")
    with watching.Watchers(round_seconds=0.05):
        time.sleep(0.3)
        assert len(threads()) == 1
