"""Handing over: to a real mail server on a real socket, and into the folder."""

from __future__ import annotations

import shutil
import socket
import ssl
import threading
import time
from datetime import timedelta, timezone
from pathlib import Path
from urllib.parse import quote

import pytest

from deskbell.kernel.config import Config
from deskbell.mail.sending import connections, transport
from deskbell.mail.sending.transport import NotTaken, Refused, file_name, hand_over, put_into_folder
from deskbell.mail.writing.composing import Composed
from tests.cast import MONDAY_9AM
from tests.live import free_port
from tests.mail.sink import PASSWORD, certificate, smtp_sink

MESSAGE = Composed(
    b"Subject: Hello\r\n\r\nOne line\r\n.\r\n.a line that begins with a dot\r\n",
    sender="support@desk.example",
    recipient="kemal@example.test",
    utf8=False,
)


def config(port: int, *, scheme: str = "smtp", host: str = "127.0.0.1", login: str = "") -> Config:
    url = f"{scheme}://{login}{host}:{port}"
    return Config(data=Path("/nonexistent"), smtp_url=url, url="https://desk.example")


def deliver(settings: Config, message: Composed = MESSAGE) -> None:
    hand_over(message, mail_id=17, created_at=MONDAY_9AM, config=settings)


class TestServer:
    def test_takes_the_message_byte_for_byte(self):
        with smtp_sink() as sink:
            deliver(config(sink.port))

        (envelope,) = sink.taken
        assert envelope.content == MESSAGE.content
        assert envelope.mail_from == "support@desk.example"
        assert envelope.rcpt_tos == ["kemal@example.test"]
        assert sink.sessions[0].host_name == "desk.example"

    def test_that_goes_away_after_taking_it_does_not_make_it_fail(self, monkeypatch):
        def broken(server: object) -> None:
            raise ConnectionResetError

        monkeypatch.setattr("smtplib.SMTP.quit", broken)
        with smtp_sink() as sink:
            deliver(config(sink.port))

        assert len(sink.taken) == 1

    @pytest.mark.parametrize("stage", ["to_sender", "to_recipient", "to_data"])
    @pytest.mark.parametrize(
        ("said", "kind"),
        [
            ("550 5.1.1 No such user here", Refused),
            ("554 5.7.1 We do not like this", Refused),
            ("450 4.2.0 Greylisted, try later", NotTaken),
            ("452 4.3.1 Disk full", NotTaken),
            ("421 4.7.0 Too many connections", NotTaken),
            ("530 5.7.0 Authentication required", NotTaken),
        ],
    )
    def test_that_refuses_is_quoted(self, stage, said, kind):
        with smtp_sink() as sink:
            getattr(sink, stage).append(said)
            with pytest.raises((Refused, NotTaken)) as refused:
                deliver(config(sink.port))

        assert isinstance(refused.value, kind)
        assert str(refused.value) == said
        assert sink.taken == []

    def test_that_hangs_up_instead_of_answering_leaves_it_open(self):
        with smtp_sink() as sink:
            sink.vanish_after_data = True
            with pytest.raises(NotTaken, match="went away"):
                deliver(config(sink.port))

    def test_that_is_not_there_may_come_back(self):
        with pytest.raises(NotTaken, match="refuses connections on port"):
            deliver(config(free_port()))

    def test_that_is_silent_is_not_waited_for_for_ever(self, monkeypatch):
        monkeypatch.setattr(transport, "TIMEOUT_SECONDS", 0.2)
        with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(NotTaken):
            deliver(config(silent.getsockname()[1]))

    def test_that_speaks_something_else_may_be_put_right(self):
        with socket.create_server(("127.0.0.1", 0)) as other:
            other.settimeout(5)

            def greet() -> None:
                connection, _ = other.accept()
                connection.sendall(b"554 go away\r\n")
                connection.close()

            thread = threading.Thread(target=greet)
            thread.start()
            with pytest.raises(NotTaken):
                deliver(config(other.getsockname()[1]))
            thread.join()

    def test_with_its_words_cannot_spoil_a_line_of_ours(self):
        with smtp_sink() as sink:
            sink.to_data.append("550 a\x1b[31m\x00 " + "x" * 400)
            with pytest.raises(Refused) as refused:
                deliver(config(sink.port))

        assert str(refused.value).isprintable()


class TestConversation:
    def test_goes_on_with_the_next_message(self):
        with smtp_sink() as sink:
            for _ in range(3):
                deliver(config(sink.port))
            sink.to_recipient.append("550 5.1.1 No such user here")
            with pytest.raises(Refused):
                deliver(config(sink.port))
            deliver(config(sink.port))

        assert len(sink.taken) == 4
        assert sink.connections == 1

    def test_that_the_server_ended_meanwhile_costs_no_attempt(self):
        with smtp_sink() as sink:
            deliver(config(sink.port))
            sink.vanish_when_idle = True
            deliver(config(sink.port))
            # It looks alive, and breaks off before the message was given to it.
            sink.vanish_at_sender = True
            deliver(config(sink.port))

        assert len(sink.taken) == 3
        assert sink.connections == 3

    def test_has_an_end(self, monkeypatch):
        monkeypatch.setattr(connections, "MESSAGES_AT_MOST", 2)
        with smtp_sink() as sink:
            for _ in range(5):
                deliver(config(sink.port))
            assert sink.connections == 3

            monkeypatch.setattr(connections, "IDLE_SECONDS", 0.0)
            deliver(config(sink.port))
            for _ in range(100):
                if not connections.kept._idle:
                    break
                time.sleep(0.02)
            assert not connections.kept._idle

    def test_is_nobody_elses(self):
        with smtp_sink() as sink:
            threads = [threading.Thread(target=deliver, args=[config(sink.port)]) for _ in range(8)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()

        assert len(sink.taken) == 8
        assert {envelope.content for envelope in sink.taken} == {MESSAGE.content}


class TestLetters:
    def test_beyond_ascii_go_to_a_server_that_knows_them(self):
        message = Composed(
            "To: größe@example.test\r\n\r\nx\r\n".encode(),
            sender="support@desk.example",
            recipient="größe@example.test",
            utf8=True,
        )
        with smtp_sink() as sink:
            deliver(config(sink.port), message)

        (envelope,) = sink.taken
        assert envelope.rcpt_tos == ["größe@example.test"]
        assert envelope.smtp_utf8

        with smtp_sink(utf8=False) as sink, pytest.raises(Refused, match="SMTPUTF8"):
            deliver(config(sink.port), message)
        assert sink.taken == []


@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS:UserWarning")
class TestPassword:
    LOGIN = f"desk%40x:{quote(PASSWORD.decode(), safe='')}@"

    def test_is_given_to_a_server_on_this_machine(self):
        with smtp_sink(login=True) as sink:
            deliver(config(sink.port, login=self.LOGIN))

        assert len(sink.taken) == 1

    def test_that_is_wrong_can_be_put_right_and_is_told_to_nobody(self):
        with smtp_sink(login=True) as sink, pytest.raises(NotTaken) as refused:
            deliver(config(sink.port, login="desk:hush-hush@"))

        assert "535" in str(refused.value)
        assert "hush" not in str(refused.value)

    def test_never_travels_in_the_clear_to_another_machine(self, monkeypatch):
        monkeypatch.setattr(transport, "_is_here", lambda host: False)
        with smtp_sink(login=True) as sink, pytest.raises(NotTaken, match="STARTTLS"):
            deliver(config(sink.port, login=self.LOGIN))

        assert sink.taken == []

    @pytest.mark.parametrize(
        ("host", "here"),
        [
            ("localhost", True),
            ("127.0.0.1", True),
            ("::1", True),
            ("10.0.0.1", False),
            ("mail.example.com", False),
        ],
    )
    def test_knows_this_machine(self, host, here):
        assert transport._is_here(host) is here


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> tuple[ssl.SSLContext, Path]:
    if shutil.which("openssl") is None:
        pytest.skip("NO OPENSSL: sending over TLS was not tested")
    return certificate(tmp_path_factory.mktemp("tls"))


class TestTls:
    @pytest.mark.parametrize("scheme", ["smtps", "smtp+starttls"])
    def test_is_used_when_asked_for(self, scheme, tls, monkeypatch):
        context, trusted = tls
        monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
        kind = "implicit_tls" if scheme == "smtps" else "starttls"
        with smtp_sink(**{kind: context}) as sink:
            deliver(config(sink.port, scheme=scheme, host="localhost"))

        assert len(sink.taken) == 1
        assert sink.sessions[0].ssl is not None or scheme == "smtps"

    @pytest.mark.parametrize("scheme", ["smtps", "smtp+starttls"])
    def test_with_a_stranger_ends_the_conversation(self, scheme, tls):
        context, _ = tls
        kind = "implicit_tls" if scheme == "smtps" else "starttls"
        refused = pytest.raises(NotTaken, match="is not trusted")
        with smtp_sink(**{kind: context}) as sink, refused:
            deliver(config(sink.port, scheme=scheme, host="localhost"))

        assert sink.taken == []

    @pytest.mark.parametrize("scheme", ["smtps", "smtp+starttls"])
    def test_with_somebody_elses_name_ends_the_conversation(self, scheme, tls, monkeypatch):
        context, trusted = tls
        monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
        kind = "implicit_tls" if scheme == "smtps" else "starttls"
        refused = pytest.raises(NotTaken, match="is not trusted")
        with smtp_sink(**{kind: context}) as sink, refused:
            deliver(config(sink.port, scheme=scheme, host="127.0.0.1"))

        assert sink.taken == []

    def test_that_was_asked_for_and_is_not_offered_ends_the_conversation(self):
        with smtp_sink() as sink, pytest.raises(NotTaken, match="STARTTLS"):
            deliver(config(sink.port, scheme="smtp+starttls"))

        assert sink.taken == []


class TestFolder:
    def test_gets_a_file_for_its_owner_only(self, tmp_path):
        desk = Config(data=tmp_path / "data")
        desk.data.mkdir()

        deliver(desk)

        (file,) = (tmp_path / "data" / "outbox").iterdir()
        assert file.name == "20260302T090000Z-17.eml"
        assert file.read_bytes() == MESSAGE.content
        assert file.stat().st_mode & 0o777 == 0o600
        assert file.parent.stat().st_mode & 0o777 == 0o700

    def test_gets_no_second_file_by_a_second_attempt(self, tmp_path):
        put_into_folder(MESSAGE, tmp_path, "1.eml")
        (tmp_path / ".1.eml.part").write_bytes(b"half of an attempt that was cut off")

        put_into_folder(MESSAGE, tmp_path, "1.eml")

        assert [file.name for file in tmp_path.iterdir()] == ["1.eml"]
        assert (tmp_path / "1.eml").read_bytes() == MESSAGE.content

    def test_that_cannot_be_written_may_be_put_right(self, tmp_path):
        (tmp_path / "outbox").write_text("not a folder")

        with pytest.raises(NotTaken, match="outbox folder cannot be written"):
            deliver(Config(data=tmp_path))

    def test_names_files_by_the_moment_in_utc(self):
        east = MONDAY_9AM.astimezone(timezone(timedelta(hours=9)))

        assert file_name(3, east) == "20260302T090000Z-3.eml"
