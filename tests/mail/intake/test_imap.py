"""IMAP against a real server: everything once, nothing because of a flag."""

from __future__ import annotations

import os
import socket
from datetime import timedelta

import pytest

from deskbell.kernel import clock
from deskbell.kernel.models import Job
from deskbell.mail import secrets
from deskbell.mail.intake import fetching, imap, taking, visit
from deskbell.mail.intake import store as raw
from deskbell.mail.intake.store import NoRoom
from deskbell.mail.models import IncomingMail, MailChannel
from deskbell.mail.trouble import Trouble
from tests.cast import MONDAY_9AM
from tests.live import free_port
from tests.mail.intake.conftest import look, message, rows
from tests.mail.intake.dovecot import PASSWORD

pytestmark = pytest.mark.once

SEEN = {b"\\Seen"}


def contents(channel):
    """The bytes of what was taken and is no copy."""
    return [raw.read(row.place) for row in rows(channel) if row.place and not row.copy_of_id]


def test_takes_new_mail_and_marks_it_read(mailbox, new_channel):
    mailbox.put(message(1), message(2))
    channel = new_channel("imap", mailbox.settings())

    assert look(channel) == 2

    assert contents(channel) == [message(1), message(2)]
    assert all(row.told_at for row in rows(channel))
    assert mailbox.flags() == {1: SEEN, 2: SEEN}
    assert (channel.alarm, channel.alarm_since) == ("", None)
    assert channel.succeeded_at
    assert look(channel) == 0


def test_what_a_person_reads_or_marks_unread_changes_nothing(mailbox, new_channel):
    mailbox.put(message(1))
    channel = new_channel("imap", mailbox.settings())
    look(channel)
    with mailbox.client() as client:
        client.remove_flags([1], [b"\\Seen"])
    mailbox.put(message(2), flags=[b"\\Seen"])

    assert look(channel) == 1

    assert contents(channel) == [message(1), message(2)]


@pytest.mark.parametrize(("start", "taken"), [("unseen", [2, 3]), ("all", [1, 2, 3]), ("now", [3])])
def test_the_first_look_takes_what_it_shall_and_every_later_look_all_that_is_new(
    mailbox, new_channel, start, taken
):
    mailbox.put(message(1), flags=[b"\\Seen"])
    mailbox.put(message(2))
    channel = new_channel("imap", mailbox.settings(start=start))

    look(channel)
    mailbox.put(message(3), flags=[b"\\Seen"])
    look(channel)

    assert contents(channel) == [message(number) for number in taken]


@pytest.mark.parametrize("move", [True, False])
@pytest.mark.parametrize("after", ["keep", "delete", "move"])
def test_leaves_the_mailbox_as_told_and_other_peoples_deletions_alone(
    mailbox, new_channel, monkeypatch, after, move
):
    if not move:
        # A server without MOVE; one without UIDPLUS would remove the deletions of others.
        has = imap.IMAPClient.has_capability
        monkeypatch.setattr(
            imap.IMAPClient, "has_capability", lambda self, name: name != "MOVE" and has(self, name)
        )
    mailbox.put(message(1), flags=[b"\\Deleted", b"\\Seen"])
    mailbox.put(message(2), message(3))
    channel = new_channel("imap", mailbox.settings(after=after, move_to="Désk"))

    assert look(channel) == 2

    assert all(row.told_at for row in rows(channel))
    there = mailbox.flags()
    assert sorted(there) == ([1, 2, 3] if after == "keep" else [1])
    assert there[1] == {b"\\Deleted", b"\\Seen"}
    assert after != "keep" or not there[2]
    assert len(mailbox.flags("Désk")) == (2 if after == "move" else 0)


def test_a_server_without_uidplus_keeps_what_others_have_marked(mailbox, new_channel, monkeypatch):
    has = imap.IMAPClient.has_capability
    monkeypatch.setattr(
        imap.IMAPClient, "has_capability", lambda self, n: n != "UIDPLUS" and has(self, n)
    )
    mailbox.put(message(1), flags=[b"\\Deleted", b"\\Seen"])
    mailbox.put(message(2))
    channel = new_channel("imap", mailbox.settings(after="delete"))

    look(channel)
    assert mailbox.flags() == {1: {b"\\Deleted", b"\\Seen"}, 2: {b"\\Deleted"}}

    with mailbox.client() as client:
        client.expunge()
    mailbox.put(message(3))
    look(channel)
    assert mailbox.flags() == {}


def test_goes_on_where_the_budget_of_a_look_ended(mailbox, new_channel, monkeypatch):
    mailbox.put(*(message(n) for n in range(7)))
    channel = new_channel("imap", mailbox.settings())
    monkeypatch.setattr(visit.Budget, "__post_init__", lambda self: setattr(self, "_until", 1e18))
    monkeypatch.setattr(imap, "BATCH", 2)
    monkeypatch.setattr(imap, "TOGETHER", 1)
    real = visit.Visit.__init__
    monkeypatch.setattr(
        visit.Visit,
        "__init__",
        lambda self, *args: real(self, *args, visit.Budget(messages=3)),
    )

    assert look(channel) == 3
    # A person reads the rest before we come again.
    with mailbox.client() as client:
        client.add_flags(client.search(), [b"\\Seen"])
    again = Job.objects.filter(unique_key=fetching.fetch_key(channel.pk))
    assert again.count() == 1
    again.delete()

    assert (look(channel), look(channel), look(channel)) == (3, 1, 0)
    assert contents(channel) == [message(n) for n in range(7)]


def test_a_mailbox_that_is_numbered_anew_brings_nothing_twice(mailbox, new_channel):
    mailbox.put(message(1), flags=[b"\\Seen"], at=MONDAY_9AM)
    mailbox.put(message(2), message(3), message(2))
    channel = new_channel("imap", mailbox.settings(start="unseen", after="keep"))
    assert look(channel) == 3
    # One has been read and has its facts, the other is still waiting.
    IncomingMail.objects.filter(channel=channel, digest=raw.digest_of(message(2))).update(
        message_id="<2@example.test>"
    )
    validity = channel.cursor["uidvalidity"]
    mailbox.number_anew()
    mailbox.put(message(4))

    assert look(channel) == 1

    assert channel.cursor["uidvalidity"] != validity
    assert contents(channel) == [message(2), message(3), message(4)]
    found = rows(channel)
    assert len(found) == 4
    assert all(f".{channel.cursor['uidvalidity']}:" in row.key for row in found)
    assert look(channel) == 0


def test_a_mailbox_of_another_place_is_another_mailbox(mailbox, dovecot, new_channel):
    mailbox.put(message(1))
    mailbox.put(message(2), folder="Other")
    channel = new_channel("imap", mailbox.settings())
    look(channel)
    with mailbox.client("Other") as client:
        validity = client.folder_status("Other", ["UIDVALIDITY"])[b"UIDVALIDITY"]
    # Servers that count from 1 have the same numbers everywhere.
    IncomingMail.objects.filter(channel=channel).update(
        key=rows(channel)[0].key.partition(".")[0] + f".{validity}:1"
    )
    MailChannel.objects.filter(pk=channel.pk).update(
        settings=channel.settings | {"folder": "Other"}, cursor={}
    )

    assert look(channel) == 1

    assert contents(channel) == [message(1), message(2)]


def test_tells_at_the_next_look_what_a_crash_kept_it_from_telling(
    mailbox, new_channel, monkeypatch
):
    mailbox.put(message(1), message(2))
    channel = new_channel("imap", mailbox.settings(after="delete"))

    def cut(self, uids):
        raise OSError("cut")

    with monkeypatch.context() as patch:
        patch.setattr(imap._Look, "_expunge", cut)
        look(channel)
    assert channel.alarm.startswith("The connection to 127.0.0.1 on port")
    assert sorted(mailbox.flags()) == [1, 2]

    assert look(channel) == 0

    assert mailbox.flags() == {}
    assert [bool(row.told_at) for row in rows(channel)] == [True, True]
    assert channel.alarm == ""


def test_a_full_disk_stops_before_the_mailbox_is_told(mailbox, new_channel, monkeypatch):
    mailbox.put(message(1), message(2))
    channel = new_channel("imap", mailbox.settings(after="delete"))
    keep = raw.keep
    calls = []

    def full(content, **kwargs):
        calls.append(content)
        if len(calls) > 1:
            raise NoRoom("full")
        return keep(content, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(raw, "keep", full)
        look(channel)

    assert channel.alarm == "The disk is full: no mail is taken in until there is room again."
    assert sorted(mailbox.flags()) == [1, 2]
    assert len(rows(channel)) == 1

    assert look(channel) == 1
    assert contents(channel) == [message(1), message(2)]
    assert mailbox.flags() == {}


def test_a_message_removed_in_between_is_no_trouble(mailbox, new_channel, monkeypatch):
    mailbox.put(message(1), message(2), message(3))
    channel = new_channel("imap", mailbox.settings())
    sizes = imap._Look._sizes

    def remove(self, uids):
        found = sizes(self, uids)
        if 2 in found:
            with mailbox.client() as client:
                client.delete_messages([2])
                client.expunge([2])
        return found

    monkeypatch.setattr(imap._Look, "_sizes", remove)

    look(channel)
    assert contents(channel) == [message(1), message(3)]
    assert channel.alarm == ""

    assert look(channel) == 0
    assert (channel.cursor["wanted"], channel.cursor["stuck"]) == ("", {})


def test_a_message_that_the_server_cannot_hand_over_blocks_none(mailbox, new_channel):
    mailbox.put(*(message(n) for n in range(1, 5)))
    files = {f.read_bytes(): f for f in (mailbox.folder / "new").iterdir()}
    files |= {f.read_bytes(): f for f in (mailbox.folder / "cur").iterdir()}
    broken = next(f for content, f in files.items() if b"Printer 2" in content)
    os.chmod(broken, 0)
    channel = new_channel("imap", mailbox.settings())

    for _ in range(8):
        look(channel)

    assert contents(channel) == [message(1), message(3), message(4)]
    given_up = rows(channel)[-1]
    assert (given_up.fate, given_up.place) == ("unreadable", "")
    assert given_up.reason.startswith("The mail server does not hand this message over: ")
    assert channel.alarm == ""
    mailbox.put(message(5))
    assert look(channel) == 1


def test_a_message_that_is_too_large_is_left_and_said(mailbox, new_channel, monkeypatch):
    monkeypatch.setattr(taking, "SIZE_LIMIT", 5_000_000)
    large = message(1, "x" * 900 + "\r\n" * 10)
    large += b"y" * 70 + (b"\r\n" + b"y" * 998) * 6_000
    mailbox.put(large, message(2))
    channel = new_channel("imap", mailbox.settings(after="delete"))

    assert look(channel) == 1

    assert list(mailbox.flags()) == [1]
    refused = rows(channel)[0]
    assert (refused.fate, refused.place, refused.size) == ("refused", "", len(large))
    assert refused.reason == "The message has 6 MB, and 4 MB are the limit."
    assert look(channel) == 0
    assert len(rows(channel)) == 2


def test_a_large_mailbox_costs_one_search_and_no_fetch_of_what_is_unwanted(
    mailbox, new_channel, monkeypatch
):
    mailbox.put(*(message(n) for n in range(10)), flags=[b"\\Seen"])
    channel = new_channel("imap", mailbox.settings(start="all"))
    searches, fetches = [], []
    search, fetch = imap.IMAPClient.search, imap.IMAPClient.fetch
    monkeypatch.setattr(
        imap.IMAPClient, "search", lambda self, c="ALL": searches.append(c) or search(self, c)
    )
    monkeypatch.setattr(
        imap.IMAPClient, "fetch", lambda self, *args: fetches.append(args) or fetch(self, *args)
    )

    assert look(channel) == 10
    assert (len(searches), len(fetches)) == (1, 2)
    assert channel.cursor["wanted"] == ""
    assert look(channel) == 0
    assert (len(searches), len(fetches)) == (1, 2)
    # The answer to one search must fit into one line: more than that, and it is asked in parts.
    monkeypatch.setattr(imap, "_LINE", 1000 + 4 * 3)
    MailChannel.objects.filter(pk=channel.pk).update(cursor={})
    IncomingMail.objects.all().delete()
    assert look(channel) == 10
    assert searches[1:] == ["1:4 UID 1:*", "5:8 UID 1:*", "9:10 UID 1:*"]


class TestTrouble:
    def sentence(self, channel) -> str:
        look(channel)
        assert channel.alarm_since
        assert channel.succeeded_at is None
        return channel.alarm

    @pytest.mark.parametrize(
        ("changes", "password", "said"),
        [
            ({"port": 1}, None, "127.0.0.1 refuses connections on port 1: check the port."),
            ({}, "wrong", "127.0.0.1 refuses the login “{login}”: "),
            ({"folder": "Nowhere"}, None, "The folder “Nowhere” cannot be opened: "),
            ({"host": "desk\a"}, None, None),
            ({"security": "starttls"}, None, "The certificate of 127.0.0.1 is not trusted: "),
            ({"security": "tls"}, None, "TLS with 127.0.0.1 on port {port} failed ("),
            ({"login": "näh"}, None, "127.0.0.1 refuses the login “näh”: "),
        ],
    )
    def test_is_one_sentence_with_a_name(self, mailbox, new_channel, changes, password, said):
        settings = mailbox.settings(**changes)
        if said is None:
            channel = new_channel("imap", mailbox.settings())
            MailChannel.objects.filter(pk=channel.pk).update(settings=settings)
            assert self.sentence(channel) == "The setting “host” makes no sense."
            return
        channel = new_channel("imap", settings, password=password or PASSWORD)

        assert self.sentence(channel).startswith(said.format(**settings))
        assert channel.alarm.endswith(".")

    def test_keeps_the_moment_it_began_and_ends_with_success(self, mailbox, new_channel):
        channel = new_channel("imap", mailbox.settings(), password="wrong")
        look(channel)
        since = channel.alarm_since
        look(channel)
        assert channel.alarm_since == since

        MailChannel.objects.filter(pk=channel.pk).update(secret=secrets.sealed(PASSWORD))
        look(channel)

        assert (channel.alarm, channel.alarm_since) == ("", None)

    def test_of_a_name_that_nobody_knows(self, new_channel, monkeypatch):
        channel = new_channel("imap", {"host": "mail.nowhere.example", "login": "desk"})

        def unknown(*_, **__):
            raise socket.gaierror(-2, "Name or service not known")

        monkeypatch.setattr("socket.create_connection", unknown)
        assert self.sentence(channel) == (
            "The host name mail.nowhere.example is not known: check its spelling, "
            "and the name server."
        )

    def test_of_a_server_that_says_nothing(self, new_channel, monkeypatch):
        monkeypatch.setattr(imap, "CONNECT_SECONDS", 0.2)
        with socket.create_server(("127.0.0.1", 0)) as silent:
            port = silent.getsockname()[1]
            channel = new_channel("imap", {"host": "127.0.0.1", "port": port, "security": "none"})
            assert self.sentence(channel) == (f"127.0.0.1 did not answer on port {port} in time.")

    def test_of_a_password_under_another_key(self, mailbox, new_channel, settings):
        channel = new_channel("imap", mailbox.settings())
        settings.SECRET_KEY = "another"

        assert self.sentence(channel) == ("The password cannot be read any more. Enter it again.")

    def test_what_nobody_expected_is_said_and_raised(self, mailbox, new_channel, monkeypatch):
        channel = new_channel("imap", mailbox.settings())
        monkeypatch.setattr(imap._Look, "run", lambda self: 1 // 0)

        with pytest.raises(ZeroDivisionError):
            look(channel)

        channel.refresh_from_db()
        assert channel.alarm.startswith(
            "Looking into the mailbox failed as nobody expected (ZeroDivisionError)."
        )


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_encrypts_and_trusts_whom_it_is_told_to(
    mailbox, dovecot, new_channel, monkeypatch, security
):
    mailbox.put(message(1))
    port = dovecot.imaps if security == "tls" else dovecot.imap
    settings = mailbox.settings(security=security, port=port)
    channel = new_channel("imap", settings)

    look(channel)
    assert channel.alarm.startswith("The certificate of 127.0.0.1 is not trusted: ")

    monkeypatch.setenv("SSL_CERT_FILE", str(dovecot.certificate))
    other_name = new_channel("imap", settings, name="by its name")
    look(other_name)
    assert "127.0.0.1" in other_name.alarm
    trusted = new_channel("imap", settings | {"host": "localhost"}, name="trusted")
    assert look(trusted) == 1
    monkeypatch.delenv("SSL_CERT_FILE")

    unverified = new_channel("imap", settings | {"verify": False}, name="unverified")
    look(unverified)
    assert unverified.alarm == ""


class TestOauth:
    @pytest.fixture
    def settings(self, mailbox, dovecot):
        dovecot.tokens.login = mailbox.login
        dovecot.tokens.expires_in = 3600
        dovecot.tokens.asked.clear()
        dovecot.tokens.refresh_token = "refresh-0"
        return mailbox.settings(
            authentication="oauth2",
            token_url=dovecot.tokens.address + "token",
            client_id="desk",
            client_secret="hush",
            scope="mail offline",
        )

    def test_exchanges_the_refresh_token_and_keeps_the_new_one(
        self, mailbox, dovecot, new_channel, settings
    ):
        mailbox.put(message(1))
        channel = new_channel("imap", settings, password="refresh-0")

        assert look(channel) == 1
        assert look(channel) == 0

        # The access token was remembered, the refresh token was changed by the server.
        assert dovecot.tokens.asked == [
            {
                "client_id": "desk",
                "client_secret": "hush",
                "grant_type": "refresh_token",
                "refresh_token": "refresh-0",
                "scope": "mail offline",
            }
        ]
        assert secrets.opened(channel.secret) == "refresh-1"

    def test_asks_again_where_the_mailbox_refuses_a_remembered_token(
        self, dovecot, new_channel, settings
    ):
        channel = new_channel("imap", settings, password="refresh-0")
        look(channel)
        dovecot.tokens.access = {"another"}

        look(channel)

        assert channel.alarm == ""
        assert len(dovecot.tokens.asked) == 2

    def test_a_token_that_ends_soon_is_not_remembered(self, dovecot, new_channel, settings):
        dovecot.tokens.expires_in = 30
        channel = new_channel("imap", settings, password="refresh-0")

        look(channel)
        look(channel)

        assert channel.alarm == ""
        assert len(dovecot.tokens.asked) == 2

    def test_a_refusal_is_said_in_the_servers_words(self, dovecot, new_channel, settings):
        channel = new_channel("imap", settings, password="stolen")

        look(channel)

        assert channel.alarm == "127.0.0.1 gives no access token: The token was revoked."

    def test_the_token_address_may_be_down(self, new_channel, settings):
        settings["token_url"] = f"http://127.0.0.1:{free_port()}/token"
        channel = new_channel("imap", settings)

        look(channel)

        assert channel.alarm.startswith("127.0.0.1 refuses connections on port ")

    def test_another_server_may_not_hear_the_secret(self, dovecot, new_channel, settings):
        settings["token_url"] = "file:///etc/passwd"
        channel = new_channel("imap", settings)

        look(channel)

        assert channel.alarm == "The token address must begin with https:// and name a host."


class TestDue:
    def test_is_what_is_asked_active_and_waited_for(self, new_channel):
        at = clock.now()
        due = new_channel("imap", {"host": "localhost"}, interval=60)
        off = new_channel("imap", {"host": "localhost"}, name="off", active=False)
        pipe = new_channel("pipe", {}, name="pipe")

        assert fetching.enqueue_due(at=due.look_at) == 1

        assert Job.objects.get(unique_key=fetching.fetch_key(due.pk)).arguments["args"] == [due.pk]
        assert not Job.objects.filter(
            unique_key__in=[fetching.fetch_key(c.pk) for c in (off, pipe)]
        )
        began = due.look_at
        due.refresh_from_db()
        assert (due.look_at - began).total_seconds() == 60
        assert at <= began
        assert fetching.enqueue_due(at=began + timedelta(seconds=57)) == 0
        assert fetching.enqueue_due(at=began + timedelta(seconds=60)) == 1

    def test_trouble_is_looked_at_ever_more_seldom(self, new_channel):
        channel = new_channel("imap", {"host": "localhost"}, interval=20)
        at = channel.look_at
        for age, pause in ((0, 20), (100, 100), (5000, 300)):
            MailChannel.objects.filter(pk=channel.pk).update(
                alarm="x", alarm_since=at - timedelta(seconds=age), look_at=at
            )
            fetching.enqueue_due(at=at)
            channel.refresh_from_db()
            assert (channel.look_at - at).total_seconds() == pause

    def test_silence_is_an_alarm(self, new_channel):
        channel = new_channel("imap", {"host": "localhost"}, interval=120)
        at = channel.updated_at

        fetching.enqueue_due(at=at + timedelta(seconds=1199))
        channel.refresh_from_db()
        assert channel.alarm == ""
        assert fetching.problems(at=at + timedelta(seconds=1199)) == []

        assert [c for c, _ in fetching.problems(at=at + timedelta(seconds=1200))] == [channel]
        fetching.enqueue_due(at=at + timedelta(seconds=1200))
        channel.refresh_from_db()
        assert channel.alarm.startswith("No look into this mailbox was finished since ")
        assert channel.alarm_since == at + timedelta(seconds=1200)


class TestTest:
    def test_says_what_waits_and_changes_nothing(self, mailbox, new_channel):
        channel = new_channel("imap", mailbox.settings())
        settings = fetching.channels.settings_of(channel)
        assert fetching.probe("imap", settings, channel=channel) == "0 messages wait in INBOX."
        mailbox.put(message(1))

        assert fetching.probe("imap", settings, password=PASSWORD) == "1 message waits in INBOX."

        assert mailbox.flags() == {1: set()}
        assert rows(channel) == []
        with pytest.raises(Trouble, match="refuses the login"):
            fetching.probe("imap", settings, password="wrong")


def test_a_message_at_which_the_server_hangs_up_blocks_none(mailbox, new_channel, monkeypatch):
    mailbox.put(*(message(n) for n in range(1, 5)))
    channel = new_channel("imap", mailbox.settings())
    fetch = imap.IMAPClient.fetch

    def hang_up(self, uids, asked):
        if asked == ["BODY.PEEK[]"] and 2 in uids:
            raise imap.IMAPClient.AbortError("closed by peer")
        return fetch(self, uids, asked)

    monkeypatch.setattr(imap.IMAPClient, "fetch", hang_up)

    look(channel)
    assert channel.alarm == "127.0.0.1 broke the conversation off (closed by peer)."
    for _ in range(6):
        look(channel)

    assert contents(channel) == [message(1), message(3), message(4)]
    assert [row.fate for row in rows(channel)] == ["", "", "", "unreadable"]
    assert channel.alarm == ""
    assert (channel.cursor["wanted"], channel.cursor["stuck"]) == ("", {})
