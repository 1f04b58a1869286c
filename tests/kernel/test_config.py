"""Settings: read from four places, checked once, refused in one sentence."""

from __future__ import annotations

import re
import stat
import threading
from pathlib import Path

import pytest

from deskbell.kernel import config as settings
from deskbell.kernel.config import ConfigError, load, secret_key
from deskbell.kernel.database import database

ROOT = Path(__file__).resolve().parents[2]


def config(tmp_path: Path, **environ: str) -> settings.Config:
    return load(environ, directory=tmp_path)


class TestSources:
    def test_nothing_said_means_the_defaults(self, tmp_path):
        found = config(tmp_path)

        assert found.data == tmp_path / "data"
        assert (found.host, found.port, found.timezone) == ("127.0.0.1", 8000, "UTC")
        assert found.sqlite_path == tmp_path / "data" / "deskbell.sqlite3"
        assert found.address == "http://127.0.0.1:8000"
        assert not found.data.exists()

    def test_the_environment_wins_over_the_file(self, tmp_path):
        (tmp_path / "deskbell.toml").write_text('port = 1\nhost = "localhost"\n')

        found = config(tmp_path, DESKBELL_PORT="2")

        assert (found.port, found.host) == (2, "localhost")

    def test_the_file_may_lie_in_the_data_directory(self, tmp_path):
        (tmp_path / "d").mkdir()
        (tmp_path / "d" / "deskbell.toml").write_text("number_prefix = 42\n")

        assert config(tmp_path, DESKBELL_DATA="d").number_prefix == "42"

    def test_a_named_file_must_exist(self, tmp_path):
        with pytest.raises(ConfigError, match="no such file"):
            config(tmp_path, DESKBELL_CONFIG="gone.toml")

    def test_a_path_in_the_file_is_relative_to_the_file(self, tmp_path):
        (tmp_path / "etc").mkdir()
        (tmp_path / "etc" / "desk.toml").write_text('data = "there"\n')

        found = config(tmp_path, DESKBELL_CONFIG="etc/desk.toml")

        assert found.data == tmp_path / "etc" / "there"

    def test_lists_and_switches_read_naturally_in_the_file(self, tmp_path):
        (tmp_path / "deskbell.toml").write_text(
            'trusted_proxies = ["10.0.0.0/8", "::1"]\nhelpdesk_api_enabled = false\n'
        )

        found = config(tmp_path)

        assert [str(network) for network in found.trusted_proxies] == ["10.0.0.0/8", "::1/128"]
        assert not found.helpdesk_api

    def test_a_secret_may_stand_in_a_file_of_its_own(self, tmp_path):
        (tmp_path / "key").write_text("k" * 40 + "\n")

        assert config(tmp_path, DESKBELL_SECRET_KEY_FILE="key").secret_key == "k" * 40

    def test_an_empty_variable_is_no_value(self, tmp_path):
        assert config(tmp_path, DESKBELL_PORT="").port == 8000

    @pytest.mark.parametrize(
        "names", [["HELPDESK_ACTIVATE_API_ENDPOINT"], ["HELPDESK_API_ENABLED"]]
    )
    def test_either_old_name_turns_the_helpdesk_dialect_off(self, tmp_path, names):
        assert config(tmp_path).helpdesk_api
        assert not config(tmp_path, **dict.fromkeys(names, "False")).helpdesk_api


class TestRefusals:
    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("DESKBELL_PORT", "0"),
            ("DESKBELL_PORT", "65536"),
            ("DESKBELL_PORT", "８０"),
            ("DESKBELL_HOST", "two words"),
            ("DESKBELL_URL", "help.example.com"),
            ("DESKBELL_URL", "https://help.example.com/desk"),
            ("DESKBELL_URL", "https://help.example.com:x"),
            ("DESKBELL_ADMIN_EMAIL", "ada"),
            ("DESKBELL_MAIL_FROM", "Desk <desk>"),
            ("DESKBELL_TIMEZONE", "Mars/Olympus"),
            ("DESKBELL_TIMEZONE", "../../etc/passwd"),
            ("DESKBELL_TIMEZONE", "Europe"),
            ("DESKBELL_TRUSTED_PROXIES", "10.0.0.0/99"),
            ("DESKBELL_ALLOWED_HOSTS", "https://x"),
            ("DESKBELL_HELPDESK_AUTH", "digest"),
            ("DESKBELL_NUMBER_PREFIX", "1"),
            ("DESKBELL_NUMBER_PREFIX", "07"),
            ("DESKBELL_SQLITE_SYNCHRONOUS", "OFF"),
            ("DESKBELL_MAX_REQUEST_MB", "0"),
            ("DESKBELL_WEB_THREADS", "-1"),
            ("DESKBELL_WEB_PROCESSES", "many"),
            ("DESKBELL_LOG_FORMAT", "xml"),
            ("DESKBELL_LOG_LEVEL", "loud"),
            ("HELPDESK_API_ENABLED", "perhaps"),
        ],
    )
    def test_say_name_value_and_what_would_be_right(self, tmp_path, name, value):
        with pytest.raises(ConfigError) as refused:
            config(tmp_path, **{name: value})

        sentence = str(refused.value)
        assert sentence.startswith(f"{name} is {value!r}: it must be ")
        assert sentence.endswith(".")
        assert "\n" not in sentence

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("DESKBELL_SECRET_KEY", "hunter2"),
            ("DESKBELL_DATABASE_URL", "mysql://root:hunter2@db/desk"),
            ("DESKBELL_DATABASE_URL", "postgresql://desk:hunter2@db/"),
            ("DESKBELL_DATABASE_URL", "sqlite:///:memory:"),
            ("DESKBELL_SMTP_URL", "https://desk:hunter2@mail"),
        ],
    )
    def test_never_show_a_secret(self, tmp_path, name, value):
        with pytest.raises(ConfigError) as refused:
            config(tmp_path, **{name: value})

        assert str(refused.value).startswith(f"{name} makes no sense: it must be ")
        assert "hunter2" not in str(refused.value)

    def test_a_value_and_its_file_are_one_too_many(self, tmp_path):
        with pytest.raises(ConfigError, match="both set"):
            config(tmp_path, DESKBELL_SMTP_URL="smtp://localhost", DESKBELL_SMTP_URL_FILE="smtp")

    @pytest.mark.parametrize("content", [None, b"", b"\xff\xfe"])
    def test_a_secret_file_that_cannot_be_read_is_named(self, tmp_path, content):
        if content is not None:
            (tmp_path / "key").write_bytes(content)

        with pytest.raises(ConfigError, match="DESKBELL_SECRET_KEY_FILE names"):
            config(tmp_path, DESKBELL_SECRET_KEY_FILE="key")

    @pytest.mark.parametrize("text", ["port = ", "port = 1.5", "[server]\nport = 1\n"])
    def test_a_broken_file_is_named(self, tmp_path, text):
        (tmp_path / "deskbell.toml").write_text(text)

        with pytest.raises(ConfigError, match=re.escape(str(tmp_path / "deskbell.toml"))):
            config(tmp_path)

    def test_a_wrong_value_in_the_file_is_found_there(self, tmp_path):
        (tmp_path / "deskbell.toml").write_text('port = "http"\n')

        with pytest.raises(ConfigError, match=r"port in .*deskbell\.toml is 'http'"):
            config(tmp_path)

    def test_a_password_without_a_person_is_refused(self, tmp_path):
        with pytest.raises(ConfigError, match="without DESKBELL_ADMIN_EMAIL"):
            config(tmp_path, DESKBELL_ADMIN_PASSWORD="x")


class TestStrangeNames:
    def test_are_warned_about_with_the_nearest_match(self, tmp_path):
        (tmp_path / "deskbell.toml").write_text('hots = "x"\n')

        found = config(tmp_path, DESKBELL_PROT="1")

        assert "DESKBELL_PROT is not a setting" in found.warnings[0]
        assert "did you mean DESKBELL_PORT?" in found.warnings[0]
        assert "did you mean host?" in found.warnings[1]

    def test_do_not_include_those_of_others(self, tmp_path):
        assert config(tmp_path, HELPDESK_THING="1", PATH="/bin").warnings == ()


class TestSecretKey:
    def test_is_made_once_for_its_owner_only(self, tmp_path):
        found = config(tmp_path)

        key = secret_key(found)

        file = found.data / settings.SECRET_KEY_FILE
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert stat.S_IMODE(found.data.stat().st_mode) == 0o700
        assert len(key) >= 64
        assert secret_key(found) == key
        assert [path.name for path in found.data.iterdir()] == [settings.SECRET_KEY_FILE]

    def test_is_the_same_for_all_who_start_at_once(self, tmp_path):
        found = config(tmp_path)
        keys: list[str] = []
        start = threading.Barrier(8)

        def begin() -> None:
            start.wait()
            keys.append(secret_key(found))

        threads = [threading.Thread(target=begin) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert len(keys) == 8
        assert len(set(keys)) == 1

    def test_that_was_truncated_is_refused(self, tmp_path):
        found = config(tmp_path)
        found.data.mkdir()
        (found.data / settings.SECRET_KEY_FILE).write_text("short\n")

        with pytest.raises(ConfigError, match="too short"):
            secret_key(found)

    def test_where_no_directory_can_be_made_is_refused(self, tmp_path):
        (tmp_path / "data").write_text("a file")

        with pytest.raises(ConfigError, match="cannot be"):
            secret_key(config(tmp_path))


class TestDatabase:
    def test_sqlite_commits_durably_unless_told_otherwise(self, tmp_path):
        full = database(config(tmp_path))
        normal = database(config(tmp_path, DESKBELL_SQLITE_SYNCHRONOUS="normal"))

        assert "synchronous=FULL" in full["OPTIONS"]["init_command"]
        assert "synchronous=NORMAL" in normal["OPTIONS"]["init_command"]
        assert full["OPTIONS"]["transaction_mode"] == "IMMEDIATE"

    def test_a_relative_file_lies_in_the_data_directory(self, tmp_path):
        found = config(tmp_path, DESKBELL_DATABASE_URL="sqlite:///some%20where.db")

        assert found.sqlite_path == tmp_path / "data" / "some where.db"

    def test_an_absolute_file_lies_where_it_says(self, tmp_path):
        found = config(tmp_path, DESKBELL_DATABASE_URL=f"sqlite:///{tmp_path}/x.db")

        assert found.sqlite_path == tmp_path / "x.db"

    def test_a_postgresql_url_keeps_its_options(self, tmp_path):
        url = "postgresql://desk:p%40ss@/name?host=/run/pg&sslmode=require"

        found = database(config(tmp_path, DESKBELL_DATABASE_URL=url))

        assert (found["NAME"], found["USER"], found["PASSWORD"]) == ("name", "desk", "p@ss")
        assert found["HOST"] == "/run/pg"
        assert found["OPTIONS"]["sslmode"] == "require"

    def test_an_option_libpq_does_not_know_is_refused_without_the_password(self, tmp_path):
        found = config(tmp_path, DESKBELL_DATABASE_URL="postgresql://a:hunter2@h/n?foo=1")

        with pytest.raises(ConfigError) as refused:
            database(found)
        assert "hunter2" not in str(refused.value)


class TestPapers:
    def test_every_setting_is_described(self):
        text = (ROOT / "docs" / "running.md").read_text()

        missing = [name.name for name in settings.SETTINGS if f"`{name.name}`" not in text]
        assert missing == []

    def test_no_setting_is_described_that_does_not_exist(self):
        text = (ROOT / "docs" / "running.md").read_text()
        known = {setting.name for setting in settings.SETTINGS} | settings.OTHER_NAMES
        known |= {f"{setting.name}_FILE" for setting in settings.SETTINGS if setting.secret}

        assert set(re.findall(r"`(DESKBELL_[A-Z_]+)`", text)) - known == set()
