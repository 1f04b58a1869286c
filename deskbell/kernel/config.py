"""The desk's own settings: one typed struct from the environment and ``deskbell.toml``.

Imports neither Django nor the database driver, so that the command line answers at once and a
supervisor stays small. ``deskbell/settings.py`` turns the struct into Django's settings.

Where a value comes from, first hit wins: the environment, the file that ``NAME_FILE`` points to
(secrets only), ``deskbell.toml``, the default. Every setting is described in ``docs/running.md``.
"""

from __future__ import annotations

import difflib
import ipaddress
import os
import re
import secrets
import tomllib
import zoneinfo
from collections.abc import Callable, Mapping
from email.utils import parseaddr
from functools import cache
from pathlib import Path
from typing import Any, Literal
from urllib.parse import unquote, urlsplit

import msgspec

PREFIX = "DESKBELL_"
FILE_NAME = "deskbell.toml"
SECRET_KEY_FILE = "secret_key"  # noqa: S105 - the name of a file, not a secret
MINIMUM_SECRET_LENGTH = 32

LogFormat = Literal["auto", "console", "json"]
LogLevel = Literal["debug", "info", "warning", "error"]
HelpdeskAuth = Literal["session", "basic"]
Synchronous = Literal["FULL", "NORMAL"]
Language = Literal["en", "de"]
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class ConfigError(Exception):
    """A setting makes no sense. The text is one sentence for the person who wrote it."""


class Config(msgspec.Struct, frozen=True, kw_only=True):
    """Everything an operator may say about an installation, checked.

    ``database_url`` is empty for the default, a SQLite file in ``data``. ``secret_key`` is ``None``
    when nobody set one; :func:`secret_key` then keeps one in the data directory.
    """

    data: Path
    database_url: str = ""
    host: str = "127.0.0.1"
    port: int = 8000
    url: str = ""
    admin_email: str = ""
    admin_password: str = ""
    smtp_url: str = ""
    mail_from: str = ""
    timezone: str = "UTC"
    language: Language = "en"
    trusted_proxies: tuple[Network, ...] = ()
    allowed_hosts: tuple[str, ...] = ()
    trusted_mail_hosts: tuple[str, ...] = ()
    helpdesk_auth: HelpdeskAuth = "session"
    helpdesk_api: bool = True
    secret_key: str | None = None
    number_prefix: str = "10"
    sqlite_synchronous: Synchronous = "FULL"
    max_request_mb: int = 64
    web_threads: int = 4
    web_processes: int = 1
    log_format: LogFormat = "auto"
    log_level: LogLevel = "info"
    file: Path | None = None
    warnings: tuple[str, ...] = ()

    @property
    def is_sqlite(self) -> bool:
        return not self.database_url or self.database_url.startswith("sqlite:")

    @property
    def sqlite_path(self) -> Path:
        """The database file; a relative path in the URL is meant from the data directory."""
        if not self.database_url:
            return self.data / "deskbell.sqlite3"
        return self.data / unquote(urlsplit(self.database_url).path[1:])

    @property
    def hostname(self) -> str:
        """The host that stands in Message-IDs: of the public address, else ``localhost``."""
        return urlsplit(self.url).hostname or "localhost"

    @property
    def sender(self) -> str:
        """The address that mail comes from where a group has none; no mail without one leaves."""
        return parseaddr(self.mail_from)[1] or f"deskbell@{self.hostname}"

    @property
    def address(self) -> str:
        """Where people reach the desk: the public address, else where the server listens."""
        if self.url:
            return self.url
        host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(self.host, self.host)  # noqa: S104
        return f"http://{f'[{host}]' if ':' in host and host[0] != '[' else host}:{self.port}"


class Setting(msgspec.Struct, frozen=True):
    """One name an operator may write, and how its text becomes a value."""

    name: str
    field: str
    read: Callable[[str], Any]
    right: str
    secret: bool = False

    @property
    def toml_key(self) -> str:
        return self.name.removeprefix(PREFIX).lower()


def _path(text: str) -> Path:
    if not text.strip() or "\0" in text:
        raise ValueError
    return Path(text).expanduser()


def _number(low: int, high: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not re.fullmatch(r"\d{1,9}", text, re.ASCII) or not low <= int(text) <= high:
            raise ValueError
        return int(text)

    return read


def _one_of(*words: str) -> Callable[[str], str]:
    def read(text: str) -> str:
        by_key = {word.casefold(): word for word in words}
        return by_key[text.casefold()]

    return read


def _switch(text: str) -> bool:
    return {"1": True, "true": True, "yes": True, "on": True}.get(text.casefold()) or {
        "0": False,
        "false": False,
        "no": False,
        "off": False,
    }[text.casefold()]


def _words(text: str) -> list[str]:
    return [word for word in re.split(r"[\s,]+", text) if word]


def _networks(text: str) -> tuple[Network, ...]:
    return tuple(ipaddress.ip_network(word, strict=False) for word in _words(text))


_HOST = re.compile(r"\.?[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_-]+)*\.?", re.ASCII)


def _is_host(text: str) -> bool:
    if text.startswith("[") and text.endswith("]"):
        text = text[1:-1]
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return len(text) <= 255 and _HOST.fullmatch(text.lower()) is not None
    return True


def _hosts(text: str) -> tuple[str, ...]:
    words = tuple(word.lower() for word in _words(text))
    if not all(word == "*" or _is_host(word) for word in words):
        raise ValueError
    return words


def _listen_host(text: str) -> str:
    if text.startswith(".") or not _is_host(text):
        raise ValueError
    return text.strip("[]")


def _public_url(text: str) -> str:
    parts = urlsplit(text)
    if (
        parts.scheme not in ("http", "https")
        or not parts.hostname
        or not _is_host(parts.hostname)
        or parts.path not in ("", "/")
        or parts.query
        or parts.fragment
        or parts.username is not None
        or parts.port == 0  # reading the port also refuses one that is no number
    ):
        raise ValueError
    return f"{parts.scheme}://{parts.netloc.lower()}"


def _database_url(text: str) -> str:
    parts = urlsplit(text)
    path = unquote(parts.path)
    if parts.scheme == "sqlite":
        if parts.netloc or not path.strip("/") or path.endswith("/") or ":memory:" in path:
            raise ValueError
    elif parts.scheme in ("postgresql", "postgres"):
        if not path.strip("/") and "dbname=" not in parts.query:
            raise ValueError
    else:
        raise ValueError
    return text


def _smtp_url(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in ("smtp", "smtps", "smtp+starttls") or not parts.hostname:
        raise ValueError
    if parts.port == 0 or parts.path not in ("", "/"):
        raise ValueError
    return text


_ADDRESS = re.compile(r"[^@\s<>,;:\"()\[\]\x00-\x1f]+@[^@\s<>,;:\"()\[\]\x00-\x1f]+\.?[^@\s<>]*")


def _address(text: str) -> str:
    if not _ADDRESS.fullmatch(text) or len(text) > 254:
        raise ValueError
    return text


def _mailbox(text: str) -> str:
    _, address = parseaddr(text)
    _address(address)
    if re.search(r"[\x00-\x1f]", text):
        raise ValueError
    return text


def _secret_key(text: str) -> str:
    if len(text) < MINIMUM_SECRET_LENGTH:
        raise ValueError
    return text


def _password(text: str) -> str:
    if not text or "\0" in text:
        raise ValueError
    return text


def _timezone(text: str) -> str:
    zoneinfo.ZoneInfo(text)
    return text


def _prefix(text: str) -> str:
    if not re.fullmatch(r"[1-9]\d", text, re.ASCII):
        raise ValueError
    return text


_SWITCH = "on or off"

SETTINGS: tuple[Setting, ...] = (
    Setting("DESKBELL_DATA", "data", _path, "the path of a directory"),
    Setting(
        "DESKBELL_DATABASE_URL",
        "database_url",
        _database_url,
        "sqlite:///file.sqlite3 or postgresql://user:password@host/name",
        secret=True,
    ),
    Setting("DESKBELL_HOST", "host", _listen_host, "an address or a host name to listen on"),
    Setting("DESKBELL_PORT", "port", _number(1, 65535), "a whole number from 1 to 65535"),
    Setting(
        "DESKBELL_URL",
        "url",
        _public_url,
        "an address like https://help.example.com, with no path behind it",
    ),
    Setting("DESKBELL_ADMIN_EMAIL", "admin_email", _address, "an e-mail address"),
    Setting("DESKBELL_ADMIN_PASSWORD", "admin_password", _password, "a password", secret=True),
    Setting(
        "DESKBELL_SMTP_URL",
        "smtp_url",
        _smtp_url,
        "smtp://, smtps:// or smtp+starttls://user:password@host:port",
        secret=True,
    ),
    Setting("DESKBELL_MAIL_FROM", "mail_from", _mailbox, "an e-mail address, with or without name"),
    Setting("DESKBELL_TIMEZONE", "timezone", _timezone, "a time zone such as Europe/Berlin"),
    Setting("DESKBELL_LANGUAGE", "language", _one_of("en", "de"), "en or de"),
    Setting(
        "DESKBELL_TRUSTED_PROXIES",
        "trusted_proxies",
        _networks,
        "addresses or networks, separated by commas, such as 127.0.0.1, 10.0.0.0/8",
    ),
    Setting(
        "DESKBELL_ALLOWED_HOSTS",
        "allowed_hosts",
        _hosts,
        "host names without port, separated by commas (.example.com means all below it)",
    ),
    Setting(
        "DESKBELL_TRUSTED_MAIL_HOSTS",
        "trusted_mail_hosts",
        _hosts,
        "names of mail servers whose Authentication-Results are believed, separated by commas",
    ),
    Setting(
        "DESKBELL_HELPDESK_AUTH", "helpdesk_auth", _one_of("session", "basic"), "session or basic"
    ),
    Setting(
        "DESKBELL_SECRET_KEY", "secret_key", _secret_key, "at least 32 characters", secret=True
    ),
    Setting("DESKBELL_NUMBER_PREFIX", "number_prefix", _prefix, "two digits, from 10 to 99"),
    Setting(
        "DESKBELL_SQLITE_SYNCHRONOUS",
        "sqlite_synchronous",
        _one_of("FULL", "NORMAL"),
        "FULL or NORMAL",
    ),
    Setting(
        "DESKBELL_MAX_REQUEST_MB",
        "max_request_mb",
        _number(1, 1024),
        "a whole number from 1 to 1024",
    ),
    Setting("DESKBELL_WEB_THREADS", "web_threads", _number(1, 64), "a whole number from 1 to 64"),
    Setting(
        "DESKBELL_WEB_PROCESSES", "web_processes", _number(1, 64), "a whole number from 1 to 64"
    ),
    Setting(
        "DESKBELL_LOG_FORMAT",
        "log_format",
        _one_of("auto", "console", "json"),
        "auto, console or json",
    ),
    Setting(
        "DESKBELL_LOG_LEVEL",
        "log_level",
        _one_of("debug", "info", "warning", "error"),
        "debug, info, warning or error",
    ),
    # The two names under which django-helpdesk switched its API; either one turns ours off.
    Setting("HELPDESK_ACTIVATE_API_ENDPOINT", "helpdesk_api", _switch, _SWITCH),
    Setting("HELPDESK_API_ENABLED", "helpdesk_api", _switch, _SWITCH),
)

#: Names below our prefix that are read elsewhere: here for the file, by the tests for theirs.
OTHER_NAMES = frozenset({"DESKBELL_CONFIG", "DESKBELL_TEST_DATABASE"})


def load(
    environ: Mapping[str, str] | None = None,
    *,
    directory: Path | None = None,
    overrides: Mapping[str, str] | None = None,
) -> Config:
    """Read and check all settings. ``overrides`` (from the command line) are named like settings.

    ``directory`` (default: the present one) is where ``deskbell.toml`` is looked for and from where
    relative paths of the environment are meant. Creates nothing.

    Raises ConfigError with the name, the value (unless secret) and what would be right.
    """
    environ = os.environ if environ is None else environ
    directory = Path.cwd() if directory is None else directory
    given = {**environ, **(overrides or {})}
    found = _find_file(given, directory)
    written = _read_file(found) if found else {}
    texts = {key: text for key, (text, _) in written.items()}
    values: dict[str, Any] = {}
    for setting in SETTINGS:
        text, base, spelled = _text_of(setting, given, texts, found, directory)
        if text is None:
            continue
        value = _value_of(setting, text, spelled)
        if isinstance(value, Path):
            value = (base / value).resolve()
        if setting.field == "helpdesk_api":
            value = value and values.get("helpdesk_api", True)
        values[setting.field] = value
    values.setdefault("data", (directory / "data").resolve())
    if values.get("admin_password") and not values.get("admin_email"):
        raise ConfigError(
            "DESKBELL_ADMIN_PASSWORD is set without DESKBELL_ADMIN_EMAIL: set both, or neither."
        )
    return Config(**values, file=found, warnings=tuple(_strange_names(environ, texts, found)))


def _find_file(given: Mapping[str, str], directory: Path) -> Path | None:
    named = given.get("DESKBELL_CONFIG")
    if named:
        path = (directory / Path(named).expanduser()).resolve()
        if not path.is_file():
            raise ConfigError(f"DESKBELL_CONFIG is {named!r}: there is no such file.")
        return path
    data = Path(given.get("DESKBELL_DATA") or "data").expanduser()
    for folder in (directory, directory / data):
        path = (folder / FILE_NAME).resolve()
        if path.is_file():
            return path
    return None


def _read_file(path: Path) -> dict[str, tuple[str, object]]:
    try:
        tree = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"{path} cannot be read: {error}.") from error
    return {key: (_as_text(key, value, path), value) for key, value in tree.items()}


def _as_text(key: str, value: object, path: Path) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, int | str):
        return str(value)
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return ", ".join(value)
    raise ConfigError(f"{key} in {path} must be a text, a number, on/off or a list of texts.")


def _text_of(
    setting: Setting,
    given: Mapping[str, str],
    written: Mapping[str, str],
    found: Path | None,
    directory: Path,
) -> tuple[str | None, Path, str]:
    """The text of a setting, the directory it is relative to, and how the operator spelled it."""
    file_name = f"{setting.name}_FILE"
    if given.get(setting.name):
        if setting.secret and given.get(file_name):
            raise ConfigError(f"{setting.name} and {file_name} are both set: keep one of them.")
        return given[setting.name], directory, setting.name
    if setting.secret and given.get(file_name):
        return _from_file(file_name, directory / given[file_name]), directory, file_name
    key, beside = setting.toml_key, found.parent if found else directory
    if written.get(key):
        return written[key], beside, f"{key} in {found}"
    if setting.secret and written.get(f"{key}_file"):
        spelled = f"{key}_file in {found}"
        return _from_file(spelled, beside / written[f"{key}_file"]), beside, spelled
    return None, directory, setting.name


def _from_file(spelled: str, path: Path) -> str:
    try:
        text = path.expanduser().read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise ConfigError(
            f"{spelled} names {str(path)!r}, which cannot be read: {reason}."
        ) from error
    if not text:
        raise ConfigError(f"{spelled} names {str(path)!r}, which is empty.")
    return text


def _value_of(setting: Setting, text: str, spelled: str) -> object:
    try:
        if "\0" in text:
            raise ValueError
        return setting.read(text)
    except (ValueError, KeyError, OSError) as error:
        # ZoneInfo raises KeyError for an unknown zone and OSError for a directory of zones.
        shown = "" if setting.secret else f" is {text!r}"
        wrong = f"{spelled}{shown}: it" if shown else f"{spelled} makes no sense: it"
        raise ConfigError(f"{wrong} must be {setting.right}.") from error


def _strange_names(
    environ: Mapping[str, str], written: Mapping[str, str], found: Path | None
) -> list[str]:
    known = {setting.name for setting in SETTINGS} | OTHER_NAMES
    known |= {f"{setting.name}_FILE" for setting in SETTINGS if setting.secret}
    keys = {name.removeprefix(PREFIX).lower() for name in known - OTHER_NAMES}
    return [
        _strange(name, name, known)
        for name in sorted(environ)
        if name.startswith(PREFIX) and name not in known
    ] + [_strange(f"{key} in {found}", key, keys) for key in sorted(written) if key not in keys]


def _strange(spelled: str, name: str, known: set[str]) -> str:
    near = difflib.get_close_matches(name, sorted(known), n=1)
    hint = f"; did you mean {near[0]}?" if near else "."
    return f"{spelled} is not a setting and changes nothing{hint}"


@cache
def current() -> Config:
    """The settings of this process, read once."""
    return load()


def secret_key(config: Config) -> str:
    """The key for signatures: the one that was set, else one kept 0600 in the data directory.

    Two processes that start at once end up with the same key: the file appears complete or not
    at all, and whoever comes second reads the first one's.

    Raises ConfigError when the data directory cannot be used.
    """
    if config.secret_key is not None:
        return config.secret_key
    path = config.data / SECRET_KEY_FILE
    try:
        if not path.exists():
            _place_secret(ensure_data(config), path)
        key = path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"The secret key {path} cannot be read or made: {error}.") from error
    if len(key) < MINIMUM_SECRET_LENGTH:
        raise ConfigError(
            f"The secret key in {path} is too short: it must be at least 32 characters."
        )
    return key


def ensure_data(config: Config) -> Path:
    """Create the data directory, for its owner only. Raises ConfigError where that fails."""
    try:
        config.data.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(
            f"DESKBELL_DATA is {str(config.data)!r}: the directory cannot be made "
            f"({error.strerror})."
        ) from error
    return config.data


def _place_secret(directory: Path, path: Path) -> None:
    draft = directory / f".{SECRET_KEY_FILE}.{secrets.token_hex(8)}"
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as stream:
            stream.write(secrets.token_urlsafe(48) + "\n")
            stream.flush()
            os.fsync(stream.fileno())
        try:
            os.link(draft, path)
        except FileExistsError:
            # Another process was first; its key is the one everybody uses.
            return
    finally:
        draft.unlink()
