"""Trouble that passes leaves no mark on a message; trouble of one message is nobody else's."""

from __future__ import annotations

import errno
import resource
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.db import (
    DatabaseError,
    DataError,
    IntegrityError,
    InterfaceError,
    InternalError,
    OperationalError,
    connection,
    connections,
)

from deskbell.kernel import clock
from deskbell.kernel.jobs import RetryLater, run_due
from deskbell.kernel.models import Job
from deskbell.mail.intake import handling, judging, taking
from deskbell.mail.intake import store as raw
from deskbell.mail.models import Fate, IncomingMail
from deskbell.people.models import User
from deskbell.tickets import attachments
from deskbell.tickets.models import Article, Ticket
from tests.cast import MONDAY_9AM, group
from tests.mail.intake.conftest import look, message, rows
from tests.mail.proof.lives import Step, live

WITH_FILE = (
    b"From: k@customers.example\r\nTo: help@example.test\r\nSubject: File\r\n"
    b'MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary="b"\r\n\r\n'
    b"--b\r\n\r\nSee the file.\r\n--b\r\nContent-Type: application/pdf; name=a.pdf\r\n"
    b"Content-Disposition: attachment\r\n\r\nfile\r\n--b--\r\n"
)


@pytest.fixture
def pipe(new_channel: Callable[..., Any]) -> Any:
    return new_channel("pipe", {})


def take(channel: Any, *contents: bytes) -> list[int]:
    return [taking.take(c, channel=channel, at=clock.now()).pk for c in contents]


def failing(real: Any, error: BaseException, *, times: int, at: int = 1) -> Callable[..., Any]:
    """The function, which raises so often from its so-manieth call on."""
    calls = [0]

    def call(*args: Any, **kwargs: Any) -> Any:
        calls[0] += 1
        if at <= calls[0] < at + times:
            raise error
        return real(*args, **kwargs)

    return call


FULL = OSError(errno.ENOSPC, "No space left on device")
BROKEN = OSError(errno.EIO, "Input/output error")


@pytest.mark.django_db
class TestWhatPasses:
    @pytest.mark.parametrize(
        ("owner", "name", "error"),
        [
            (raw, "read", BROKEN),
            (raw, "read", PermissionError(errno.EACCES, "Permission denied")),
            (attachments, "keep", FULL),
            (attachments, "keep", BROKEN),
            (handling, "judge", OperationalError("the connection was closed")),
            (handling, "judge", OperationalError("database is locked")),
            (handling, "judge", OperationalError("deadlock detected")),
            (handling, "judge", InterfaceError("connection already closed")),
            (handling, "judge", InternalError("unexpected chunk number")),
            (handling, "judge", DatabaseError("disk image is malformed")),
        ],
    )
    def test_leaves_the_message_waiting_however_often(
        self, pipe: Any, monkeypatch: pytest.MonkeyPatch, owner: Any, name: str, error: Exception
    ) -> None:
        ids = take(pipe, message(1), WITH_FILE, message(2))
        with monkeypatch.context() as patch:
            patch.setattr(owner, name, failing(getattr(owner, name), error, times=10**6))
            for _ in range(handling.SUSPECT + 2):
                with pytest.raises(RetryLater):
                    handling.handle_waiting(pipe.pk)

        waiting = IncomingMail.objects.filter(fate="").values_list("attempts", flat=True)
        assert list(waiting) == ([0, 0, 0] if owner is not attachments else [0, 0])
        handling.handle_waiting(pipe.pk)
        found = IncomingMail.objects.filter(pk__in=ids).order_by("id")
        assert [row.fate for row in found] == [Fate.NEW_TICKET] * 3
        assert Ticket.objects.filter(pk__in=[row.ticket_id for row in found]).count() == 3

    def test_is_looked_after_when_it_lasted_longer_than_the_job(
        self, pipe: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        take(pipe, message(1))
        Job.objects.all().delete()
        IncomingMail.objects.create(
            channel=None, place="1/aa/" + "a" * 64, digest="a" * 64, size=1, received_at=MONDAY_9AM
        )
        handling.look_after(at=clock.now())
        assert not Job.objects.exists()

        handling.look_after(at=clock.now() + handling.QUIET_FOR)
        run_due()

        assert rows(pipe)[0].fate == Fate.NEW_TICKET
        # Its channel is gone, and so are its bytes here.
        assert IncomingMail.objects.get(channel=None).fate

    @pytest.mark.parametrize("error", [IntegrityError("taken"), OperationalError("deadlock")])
    def test_is_tried_again_at_once(
        self, pipe: Any, monkeypatch: pytest.MonkeyPatch, error: Exception
    ) -> None:
        ids = take(pipe, *(message(n) for n in range(4)))
        real = handling.judge
        monkeypatch.setattr(handling, "judge", failing(real, error, times=2, at=3))

        assert handling.handle_waiting(pipe.pk) == 4
        found = IncomingMail.objects.filter(pk__in=ids, fate=Fate.NEW_TICKET)
        assert Article.objects.filter(pk__in=found.values("article_id")).count() == 4

    def test_is_not_held_against_the_message_where_the_database_does_not_hear_of_it(
        self, pipe: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        take(pipe, message(1))
        gone = OperationalError("the server closed the connection")
        for turn in range(handling.SUSPECT + 1):
            # From the second time on it hears first what it has not heard before.
            deaf = failing(handling._not_begun, gone, times=1, at=2 if turn else 1)
            with monkeypatch.context() as patch:
                patch.setattr(handling, "judge", failing(handling.judge, gone, times=9))
                patch.setattr(handling, "_not_begun", deaf)
                with pytest.raises(RetryLater):
                    handling.handle_waiting(pipe.pk)
        assert handling._BEGUN_IN_VAIN

        handling.handle_waiting(pipe.pk)

        assert rows(pipe)[0].fate == Fate.NEW_TICKET
        assert not handling._BEGUN_IN_VAIN


@pytest.mark.django_db
class TestTroubleOfOne:
    @pytest.mark.parametrize(
        ("where", "error"),
        [
            ("read", RecursionError()),
            ("read", MemoryError()),
            ("read", UnicodeDecodeError("utf-8", b"", 0, 1, "no")),
            ("judge", ValueError("odd")),
            ("judge", RecursionError()),
            ("judge", DataError("value too long")),
            ("judge", IntegrityError("twice")),
        ],
    )
    def test_puts_it_aside_alone(
        self, pipe: Any, monkeypatch: pytest.MonkeyPatch, where: str, error: Exception
    ) -> None:
        take(pipe, *(message(n) for n in range(5)))
        owner = handling.message if where == "read" else handling
        real = getattr(owner, where)

        def fussy(*args: Any, **kwargs: Any) -> Any:
            facts = args[1] if where == "judge" else None
            content = args[0] if where == "read" else facts.subject.encode()
            if b"Printer 2" in content:
                raise error
            return real(*args, **kwargs)

        monkeypatch.setattr(owner, where, fussy)

        assert handling.handle_waiting(pipe.pk) == 5
        fates = [row.fate for row in rows(pipe)]
        assert fates == [Fate.NEW_TICKET] * 2 + [Fate.UNREADABLE] + [Fate.NEW_TICKET] * 2
        assert type(error).__name__ in rows(pipe)[2].reason


@pytest.mark.usefixtures("committed")
class TestAtOnce:
    def test_a_message_that_kills_is_put_aside_and_the_others_are_not(self, pipe: Any) -> None:
        take(pipe, *(message(n) for n in range(6)))

        def act() -> None:
            import os

            def deadly(content: bytes, **kwargs: Any) -> Any:
                if b"Printer 3" in content:
                    os.kill(os.getpid(), 9)
                return real(content, **kwargs)

            real, handling.message.read = handling.message.read, deadly
            # The same in the process of its own that reads what is under suspicion.
            handling._READER = "import os, sys; b'er 3' in sys.stdin.buffer.read() and os.abort()"
            handling.handle_waiting(pipe.pk)

        deaths = 0
        while live(act):
            deaths += 1
            assert deaths <= handling.SUSPECT

        assert deaths == handling.SUSPECT
        fates = [row.fate for row in rows(pipe)]
        assert fates == [Fate.NEW_TICKET] * 3 + [Fate.UNREADABLE] + [Fate.NEW_TICKET] * 2
        assert rows(pipe)[3].reason == "Reading it ends the process (signal 6)."

    def test_a_message_is_not_to_blame_for_power_cuts(self, pipe: Any) -> None:
        take(pipe, message(1))
        for _ in range(handling.SUSPECT + 2):
            step = Step(handling, "_judged")
            assert live(lambda: handling.handle_waiting(pipe.pk), step=step)

        handling.handle_waiting(pipe.pk)

        assert rows(pipe)[0].fate == Fate.NEW_TICKET

    def test_first_mails_of_one_sender_in_two_channels(
        self, pipe: Any, new_channel: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Both look for the new person, for the new word, and for the new file at the same time."""
        other = new_channel("pipe", {}, name="other", group_id=group("Other").pk)
        for n in range(5):
            sender = {"From": f"new{n}@customers.example"}
            take(pipe, message(n, f"one{n}", **sender), WITH_FILE.replace(b"k@", b"k%d@" % n))
            take(other, message(n, f"two{n}", **sender, Message_ID=f"<{n}@other.example>"))
            take(other, WITH_FILE.replace(b"k@", b"k%d@" % n).replace(b"File", b"Other"))
        both = threading.Barrier(2, timeout=5)
        real = judging._person

        def meet(mail: Any) -> Any:
            if connection.vendor == "postgresql":
                # Between judging's begin and its first write; SQLite lets in one at a time.
                try:
                    both.wait(0.2)
                except threading.BrokenBarrierError:
                    both.reset()
            return real(mail)

        monkeypatch.setattr(judging, "_person", meet)
        failures: list[BaseException] = []

        def handle(channel: Any) -> None:
            try:
                handling.handle_waiting(channel.pk)
            except BaseException as error:  # noqa: BLE001 - said by the test
                failures.append(error)
            finally:
                connections.close_all()

        threads = [threading.Thread(target=handle, args=[each]) for each in (pipe, other)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)

        assert failures == []
        assert {row.fate for row in (*rows(pipe), *rows(other))} == {Fate.NEW_TICKET}
        assert User.objects.filter(email__endswith="@customers.example").count() == 10


@pytest.mark.usefixtures("committed")
class TestAFullDisk:
    def maildir(self, folder: Path, new_channel: Callable[..., Any]) -> Any:
        for name in ("new", "cur"):
            (folder / name).mkdir(parents=True)
        for n in range(5):
            (folder / "new" / str(n)).write_bytes(message(n, "x" * 20_000))
        return new_channel("maildir", {"path": str(folder), "after": "delete"})

    def test_stops_intake_before_the_mailbox_is_told(
        self, tmp_path: Path, new_channel: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        channel = self.maildir(tmp_path / "box", new_channel)
        save = type(raw.store())._save
        with monkeypatch.context() as patch:
            patch.setattr(type(raw.store()), "_save", failing(save, FULL, times=99, at=3))
            look(channel)

        assert "disk is full" in channel.alarm
        assert channel.alarm_since
        assert len(rows(channel)) == 2
        assert len(list((tmp_path / "box" / "new").iterdir())) == 3

        look(channel)

        assert (channel.alarm, channel.alarm_since) == ("", None)
        assert len(rows(channel)) == 5
        assert not list((tmp_path / "box" / "new").iterdir())

    @pytest.mark.once
    def test_also_where_the_system_says_so_in_the_middle_of_a_file(
        self, tmp_path: Path, new_channel: Callable[..., Any], store: Path
    ) -> None:
        """A limit of the process stands for the disk: the write itself fails, half-way."""
        channel = self.maildir(tmp_path / "box", new_channel)

        def act() -> None:
            import signal

            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            keep = raw.keep

            def limited(content: bytes, **kwargs: Any) -> str:
                before = resource.getrlimit(resource.RLIMIT_FSIZE)
                resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, before[1]))
                try:
                    return keep(content, **kwargs)
                finally:
                    resource.setrlimit(resource.RLIMIT_FSIZE, before)

            raw.keep = limited
            look(channel)

        assert not live(act)
        channel.refresh_from_db()
        assert channel.alarm
        assert rows(channel) == []
        assert len(list((tmp_path / "box" / "new").iterdir())) == 5
        # Nothing half-written is left, and nothing of it is ever taken for a message.
        assert [file for file in store.rglob("*") if file.is_file()] == []

        look(channel)

        assert channel.alarm == ""
        assert len(rows(channel)) == 5
