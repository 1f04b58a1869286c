"""``deskbell mail channel`` and ``receive``: the ways in from a shell."""

from __future__ import annotations

import argparse
import io
import smtplib
import subprocess
import sys
import time

import pytest
from django.conf import settings
from django.db import OperationalError

from deskbell.kernel import clock
from deskbell.kernel.models import Job
from deskbell.mail import secrets
from deskbell.mail.intake import fetching, taking
from deskbell.mail.intake import store as raw
from deskbell.mail.intake.store import NoRoom
from deskbell.mail.models import IncomingMail, MailChannel
from deskbell.ops import doctor
from deskbell.ops import mail as command
from deskbell.ops.cli import CommandError
from tests.live import free_port
from tests.mail.intake.conftest import message, rows

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.once,
    pytest.mark.usefixtures("store"),
]


def say(capsys, *arguments, expected=0):
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    assert command.run(parser.parse_args(arguments), settings.CONFIG) == expected
    return capsys.readouterr()


def give(monkeypatch, content):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))


class TestChannel:
    @pytest.fixture
    def added(self, capsys, tmp_path):
        (tmp_path / "password").write_text("s3cret\n")
        say(
            capsys, "channel", "add", "Support", "--kind", "imap", "--group", "users",
            "--set", "host=127.0.0.1", "--set", "port=1", "--set", "idle=no",
            "--password-file", str(tmp_path / "password"), "--interval", "30",
        )  # fmt: skip
        return MailChannel.objects.get()

    def test_is_added_and_changed(self, added, capsys):
        assert (added.settings["port"], added.settings["idle"], added.interval) == (1, False, 30)
        assert secrets.opened(added.secret) == "s3cret"

        say(capsys, "channel", "set", "SUPPORT", "--set", "folder=In", "--no-active", "--name", "S")

        added.refresh_from_db()
        assert (added.name, added.active, added.settings["folder"]) == ("S", False, "In")
        assert added.settings["host"] == "127.0.0.1"
        assert secrets.opened(added.secret) == "s3cret"

    def test_is_listed_with_what_is_wrong_as_the_doctor_does(self, added, capsys):
        added.alarm = "It is down."
        added.save()

        shown = say(capsys, "channel").out

        assert "WRONG  imap      Support  to " in shown
        assert "It is down." in shown
        found = list(doctor._channels(clock.now()))
        assert found == [("wrong", "mail channel Support", "It is down.")]

    def test_is_tried_fetched_and_removed(self, added, capsys):
        with pytest.raises(CommandError, match="refuses connections on port 1"):
            say(capsys, "channel", "test", str(added.pk))
        say(capsys, "channel", "fetch", "Support")
        assert Job.objects.filter(unique_key=fetching.fetch_key(added.pk)).exists()
        say(capsys, "channel", "remove", "Support")
        assert not MailChannel.objects.exists()

    @pytest.mark.parametrize(
        ("arguments", "said"),
        [
            (["test", "Nobody"], "There is no mail channel Nobody."),
            (["set", "Support", "--set", "folder"], "--set needs NAME=VALUE, not folder."),
            (["set", "Support", "--set", "colour=red"], "colour (red) is not known."),
            (["set", "Support", "--set", "port=x"], "port (x) makes no sense."),
            (["set", "Support", "--set", "after=eat"], "after (eat) is none of the choices."),
            (["set", "Support", "--group", "Nope"], "There is no group Nope."),
            (["add", "support", "--kind", "pipe", "--group", "users"], "name (support) is taken"),
        ],
    )
    def test_says_what_is_wrong(self, added, capsys, arguments, said):
        with pytest.raises(CommandError) as refused:
            say(capsys, "channel", *arguments)

        assert str(refused.value).startswith(said)


class TestReceive:
    def test_takes_a_message_for_a_group(self, capsys, monkeypatch):
        for _ in range(2):
            give(monkeypatch, message(1))
            say(capsys, "receive", "--group", "users")

        channel = MailChannel.objects.get()
        assert (channel.kind, channel.group_id) == ("pipe", 1)
        first, second = rows(channel)
        assert raw.read(first.place) == message(1)
        assert second.copy_of_id == first.pk

    @pytest.mark.parametrize(
        ("group", "content", "status"),
        [("users", b"", 65), ("users", b" \n", 65), ("users", b"x" * 501, 65), ("nope", b"x", 67)],
    )
    def test_refuses_what_will_never_do(self, capsys, monkeypatch, group, content, status):
        monkeypatch.setattr(taking, "SIZE_LIMIT", 500)
        give(monkeypatch, content)

        assert say(capsys, "receive", "--group", group, expected=status).err.startswith("deskbell:")
        assert not IncomingMail.objects.exists()

    @pytest.mark.parametrize(
        "failure", [NoRoom("full"), OperationalError("locked"), RuntimeError("?")]
    )
    def test_is_tried_again_by_the_mail_server_where_that_may_help(
        self, capsys, monkeypatch, failure
    ):
        def fail(*_, **__):
            raise failure

        monkeypatch.setattr(taking, "take", fail)
        give(monkeypatch, message(1))

        assert say(capsys, "receive", "--group", "users", expected=75).err

    def test_is_tried_again_where_the_channel_is_closed(self, capsys, monkeypatch):
        give(monkeypatch, message(1))
        say(capsys, "receive", "--group", "users")
        MailChannel.objects.update(active=False)
        give(monkeypatch, message(2))

        say(capsys, "receive", "--group", "users", expected=75)

        assert len(IncomingMail.objects.all()) == 1

    def test_wrong_use_has_the_status_of_wrong_use(self, capsys):
        with pytest.raises(SystemExit) as left:
            say(capsys, "receive")
        assert left.value.code == 64


@pytest.mark.live
def test_the_real_commands_take_mail_into_a_real_desk(new_live_desk):
    desk = new_live_desk()
    program = [sys.executable, "-m", "deskbell"]
    environment = desk.environment

    def run(*arguments, stdin=b""):
        return subprocess.run(
            [*program, *arguments], input=stdin, env=environment, capture_output=True, timeout=60
        )

    assert run("mail", "receive", "--group", "users", stdin=message(1)).returncode == 0
    made = run(
        "mail", "channel", "add", "L", "--kind", "listener", "--group", "users",
        "--set", "addresses=help@desk.example",
    )  # fmt: skip
    assert made.returncode == 0, made.stderr
    port = free_port()
    with subprocess.Popen(
        [*program, "mail", "listen", "--port", str(port), "--lmtp"],
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as listener:
        assert listener.stdout is not None
        assert listener.stdout.readline() == (
            f"Taking mail by LMTP at 127.0.0.1 port {port}\n".encode()
        )
        with smtplib.LMTP("127.0.0.1", port, timeout=20) as client:
            client.sendmail("kemal@example.test", ["help@desk.example"], message(2))
        began = time.monotonic()
        listener.terminate()
        assert listener.wait(20) == 0
        assert time.monotonic() - began < 10
    shown = run("mail", "channel", "list").stdout.decode()
    assert shown.count("mail 20") == 2
