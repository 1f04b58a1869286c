"""The command line, run as people run it, on a desk of its own."""

from __future__ import annotations

import io
import json
import os
import shutil
import sqlite3
import stat
import subprocess
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from deskbell.kernel.jobs import run_due
from deskbell.ops import cli
from tests import postgres
from tests.conftest import DeskYard
from tests.kernel.jobs import refuse
from tests.live import LiveDesk

pytestmark = pytest.mark.timeout(120)

Say = Callable[..., subprocess.CompletedProcess[str]]


def command(desk: LiveDesk, *arguments: str, given: str = "") -> subprocess.CompletedProcess[str]:
    """Run one command in the desk's own directory, with its own settings."""
    desk.data.mkdir(parents=True, exist_ok=True)
    # pg_dump must be as new as the server, so the one beside the tests' server comes first.
    path = f"{postgres._programs() / 'bin'}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(
        [sys.executable, "-P", "-m", "deskbell", *arguments],
        env=desk.environment | {"PATH": path},
        cwd=desk.data.parent,
        input=given,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.fixture(scope="module")
def desk(desk_yard: DeskYard) -> LiveDesk:
    """A migrated desk that nobody serves, shared by the tests of this module."""
    return desk_yard.new()


@pytest.fixture
def say(db: None, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Say:
    """Runs one command in this process, on the test's own database: `say("user", "list")`."""

    def run(*arguments: str, given: str = "") -> subprocess.CompletedProcess[str]:
        monkeypatch.setattr(sys, "stdin", io.StringIO(given))
        capsys.readouterr()
        status = cli.main(arguments)
        told = capsys.readouterr()
        return subprocess.CompletedProcess(arguments, status, told.out, told.err)

    return run


def done(result: subprocess.CompletedProcess[str]) -> str:
    assert result.returncode == 0, result.stderr
    return result.stdout


def refused(result: subprocess.CompletedProcess[str]) -> str:
    """The one sentence of a command that could not do it."""
    assert result.returncode == 1, result.stdout
    assert result.stderr.startswith("deskbell: ")
    assert len(result.stderr.splitlines()) == 1
    return result.stderr


@pytest.mark.live
@pytest.mark.once
class TestFront:
    def test_lists_only_commands_that_exist(self, new_empty_desk):
        text = done(command(new_empty_desk(), "--help"))

        for name in ("serve", "web", "work", "migrate", "doctor", "jobs", "user", "token"):
            assert f"    {name} " in text

    def test_help_needs_neither_django_nor_settings(self, new_empty_desk):
        desk = new_empty_desk(port="nonsense")
        code = (
            "import sys; from deskbell.ops.cli import main\n"
            "try: main(['serve', '--help'])\n"
            "except SystemExit: pass\n"
            "assert not [name for name in sys.modules if name.split('.')[0] == 'django']"
        )

        subprocess.run(
            [sys.executable, "-c", code], env=desk.environment, check=True, capture_output=True
        )

    def test_the_data_directory_is_said_before_the_command_or_behind_it(self, new_empty_desk):
        environment = new_empty_desk().environment
        environment.pop("DESKBELL_DATA", None)
        code = (
            "from deskbell.ops import cli, jobs\n"
            "jobs.run = lambda args, config: print(config.data)\n"
            "for arguments in ('--data 1 jobs', 'jobs --data 2', 'jobs list --data 3'):\n"
            "    cli.main(arguments.split())\n"
            "    cli.current.cache_clear()\n"
        )

        said = subprocess.run(
            [sys.executable, "-c", code],
            env=environment,
            check=True,
            capture_output=True,
            text=True,
        )

        assert [Path(line).name for line in said.stdout.split()] == ["1", "2", "3"]

    def test_an_unknown_command_is_wrong_use(self, new_empty_desk):
        assert command(new_empty_desk(), "sevre").returncode == 2

    def test_a_strange_setting_is_warned_about(self, new_empty_desk):
        desk = new_empty_desk(prot="1")

        assert "did you mean DESKBELL_PORT?" in command(desk, "migrate", "--check").stderr


@pytest.mark.live
class TestMigrate:
    def test_by_many_at_once_happens_once(self, new_empty_desk):
        desk = new_empty_desk()
        assert "kernel.0001" in command(desk, "migrate", "--check").stdout
        running = [
            subprocess.Popen(
                [sys.executable, "-P", "-m", "deskbell", "migrate"],
                env=desk.environment,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
            for _ in range(3)
        ]

        told = [process.communicate(timeout=60) for process in running]

        assert [process.returncode for process in running] == [0, 0, 0], told
        assert sum("applied kernel.0001" in out for out, _ in told) == 1
        assert done(command(desk, "migrate", "--check")) == "Nothing is pending.\n"


@pytest.mark.live
@pytest.mark.once
def test_a_person_is_added_and_listed(desk: LiveDesk) -> None:
    """What the classes below do in this process, as a shell does it."""
    add = ("user", "add", "made@example.com", "--password-file", "-", "--role", "agent")
    done(command(desk, *add, given="a long enough passphrase\n"))

    assert "made@example.com" in done(command(desk, "user", "list", "--role", "Agent"))


@pytest.mark.live
@pytest.mark.once
class TestDoctor:
    def test_finds_nothing_wrong_with_a_new_desk(self, desk):
        found = json.loads(done(command(desk, "doctor", "--json")))

        assert found["ok"]
        assert {part["part"] for part in found["found"]} >= {"database", "migrations", "jobs"}

    def test_points_at_what_must_be_done(self, new_empty_desk):
        result = command(new_empty_desk(), "doctor")

        assert result.returncode == 1
        assert "run `deskbell migrate`" in result.stdout


class TestUser:
    def add(self, say: Say, *arguments: str) -> subprocess.CompletedProcess[str]:
        return say(
            *("user", "add", *arguments, "--password-file", "-"),
            given="a long enough passphrase\n",
        )

    def test_is_added_under_the_address_and_listed(self, say):
        done(self.add(say, "Nora@Example.com", "--role", "agent", "--group", "Users=read,change"))

        text = done(say("user", "list", "--role", "Agent"))

        assert "nora@example.com" in text
        assert "Agent" in text
        assert "passphrase" not in text

    @pytest.mark.parametrize(
        ("arguments", "why"),
        [
            (("nobody",), "is not an e-mail address"),
            (("x@example.com", "--role", "Emperor"), "There is no role 'Emperor'"),
            (("x@example.com", "--group", "Nowhere"), "There is no group 'Nowhere'"),
            (("x@example.com", "--group", "Users=own"), "groups"),
        ],
    )
    def test_that_makes_no_sense_is_refused(self, say, arguments, why):
        assert why in refused(self.add(say, *arguments))

    def test_is_one_per_address(self, say):
        done(self.add(say, "one@example.com"))

        assert "taken" in refused(self.add(say, "ONE@example.com"))

    def test_weak_passwords_are_refused(self, say):
        result = say("user", "add", "weak@example.com", "--password-file", "-", given="12345\n")

        assert "password" in refused(result)

    def test_a_made_password_is_shown_once(self, say):
        text = done(say("user", "add", "made@example.com", "--make-password"))

        assert "shown once: " in text
        assert len(text.rsplit(": ", 1)[1].strip()) >= 12

    def test_gets_another_password_and_is_switched_off_and_on(self, say):
        done(self.add(say, "kemal@example.com"))

        done(say("user", "password", "Kemal@example.com", "--make-password"))
        done(say("user", "deactivate", "kemal@example.com"))
        assert "inactive" in done(say("user", "list"))
        done(say("user", "activate", "kemal@example.com"))
        assert "inactive" not in done(say("user", "list"))

    @pytest.mark.parametrize("name", ["-", "ghost@example.com", ""])
    def test_that_nobody_has_is_refused(self, say, name):
        refused(say("user", "deactivate", "--", name))


class TestToken:
    def test_is_created_listed_without_its_secret_and_revoked(self, say):
        done(say("user", "add", "sync@example.com", "--make-password"))

        text = done(
            say(
                *("token", "create", "sync@example.com", "--name", "sync"),
                *("--permission", "ticket.agent", "--expires", "2999-12-31"),
            )
        )
        secret = text.rsplit(": ", 1)[1].strip()
        listed = done(say("token", "list", "sync@example.com"))

        assert "sync" in listed
        assert "ticket.agent" in listed
        assert secret not in listed
        number = listed.split()[0]
        done(say("token", "revoke", number))
        assert done(say("token", "list")) == ""
        assert "There is no token" in refused(say("token", "revoke", number))


class TestJobs:
    def test_shows_retries_and_discards_dead_letters(self, say):
        refuse.enqueue("no such mailbox")
        refuse.enqueue("other")
        run_due()

        text = done(say("jobs"))
        assert "dead 2" in text
        number = next(line for line in text.splitlines() if "no such mailbox" in line).split()[0]
        assert "no such mailbox" in done(say("jobs", "show", number))
        assert "Say which" in refused(say("jobs", "retry"))
        assert "1 jobs" in done(say("jobs", "retry", number))
        assert "1 jobs" in done(say("jobs", "discard", "--all"))
        assert "dead 0" in done(say("jobs"))
        assert "no dead letter" in refused(say("jobs", "discard", number))


def archive_of(desk: LiveDesk, path: Path) -> Path:
    done(command(desk, "backup", str(path)))
    return path


@pytest.fixture(scope="module")
def whole(desk: LiveDesk, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive that nobody tampered with."""
    return archive_of(desk, tmp_path_factory.mktemp("whole") / "desk.tar")


@pytest.mark.live
class TestBackup:
    def test_holds_everything_for_its_owner_only(self, desk, tmp_path):
        folder = desk.data / "attachments" / "ab"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "abcd").write_bytes(b"attachment")

        archive = archive_of(desk, tmp_path / "desk.tar")

        assert stat.S_IMODE(archive.stat().st_mode) == 0o600
        with tarfile.open(archive) as tar:
            names = set(tar.getnames())
        assert {"manifest.json", "data/secret_key", "data/attachments/ab/abcd"} <= names
        assert "exists already" in refused(command(desk, "backup", str(archive)))

    def test_is_restored_into_an_empty_desk_only(self, desk, new_empty_desk, tmp_path):
        done(command(desk, "user", "add", "restored@example.com", "--make-password"))
        (desk.data / "attachments").mkdir(exist_ok=True)
        (desk.data / "attachments" / "x").write_bytes(b"attachment")
        archive = archive_of(desk, tmp_path / "desk.tar")
        other = new_empty_desk()

        done(command(other, "restore", str(archive)))

        assert "restored@example.com" in done(command(other, "user", "list"))
        key, stored = other.data / "secret_key", other.data / "attachments" / "x"
        assert key.read_text() == (desk.data / "secret_key").read_text()
        assert stat.S_IMODE(key.stat().st_mode) == 0o600
        assert stored.read_bytes() == b"attachment"
        assert "is not empty" in refused(command(other, "restore", str(archive)))

    @pytest.mark.parametrize("name", ["../../evil", "/evil", "data/../../evil", "other/evil"])
    def test_that_was_tampered_with_is_refused(self, whole, new_empty_desk, tmp_path, name):
        archive = shutil.copy(whole, tmp_path / "desk.tar")
        with tarfile.open(archive, "a") as tar:
            evil = tmp_path / "evil-content"
            evil.write_text("x")
            tar.add(evil, name)
        other = new_empty_desk()

        sentence = refused(command(other, "restore", str(archive)))

        assert "cannot be restored" in sentence
        assert not list(tmp_path.rglob("evil"))
        assert not (other.data / "deskbell.sqlite3").exists()

    def test_of_something_else_is_refused(self, new_empty_desk, tmp_path):
        (tmp_path / "a.tar").write_bytes(b"no archive")
        with tarfile.open(tmp_path / "b.tar", "w") as tar:
            tar.add(__file__, "test.py")

        assert "cannot be restored" in refused(
            command(new_empty_desk(), "restore", str(tmp_path / "a.tar"))
        )
        assert "no manifest" in refused(
            command(new_empty_desk(), "restore", str(tmp_path / "b.tar"))
        )

    def test_of_a_damaged_database_is_refused(self, new_live_desk, tmp_path):
        desk = new_live_desk()
        if desk.database_url:
            pytest.skip("PostgreSQL watches over its own pages")
        path = desk.data / "deskbell.sqlite3"
        with sqlite3.connect(path) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.close()
        content = bytearray(path.read_bytes())
        middle = len(content) // 2 // 4096 * 4096
        content[middle : middle + 4096 * 8] = b"\xa5" * (4096 * 8)
        path.write_bytes(content)
        for rest in desk.data.glob("deskbell.sqlite3-*"):
            rest.unlink()

        result = command(desk, "backup", str(tmp_path / "desk.tar"))

        assert result.returncode == 1
        assert "Traceback" not in result.stderr
        assert not (tmp_path / "desk.tar").exists()
