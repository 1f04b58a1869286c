"""What every test gets: a database of the chosen kind, no network, a real desk, a real browser.

The database is chosen by DESKBELL_TEST_DATABASE (sqlite, the default, or postgresql). This happens
while this module is imported, before Django's settings are: they read the environment.
"""

from __future__ import annotations

import atexit
import functools
import os
import shutil
import tempfile
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import django
import hypothesis
import pytest
from django.conf import settings as django_settings
from pytest_django.plugin import blocking_manager_key

from tests import network, postgres
from tests.live import LiveDesk, is_setting

if TYPE_CHECKING:
    from playwright.sync_api import Browser

IS_WORKER = "PYTEST_XDIST_WORKER" in os.environ
DATABASE = os.environ.get("DESKBELL_TEST_DATABASE") or "sqlite"
# The folder of the run's PostgreSQL socket: set by the leading process, inherited by the workers.
POSTGRES_HOST = "PYTEST_DESKBELL_POSTGRES_HOST"


def _when_this_process_ends(act: Callable[[], object]) -> None:
    """Clear something away, however far the run came; a fork of this process leaves it alone."""
    process = os.getpid()

    @atexit.register
    def clear() -> None:
        if os.getpid() == process:
            act()


def _prepare_environment() -> Path:
    """Give this process a data directory and a database, and nothing of the caller's desk."""
    if django_settings.configured:
        raise pytest.UsageError("unset DJANGO_SETTINGS_MODULE: the tests choose their settings")
    if DATABASE not in {"sqlite", "postgresql"}:
        raise pytest.UsageError(f"DESKBELL_TEST_DATABASE is {DATABASE!r}: sqlite or postgresql")

    for name in list(os.environ):
        if is_setting(name):
            del os.environ[name]
    data = Path(tempfile.mkdtemp(prefix="deskbell-test-"))
    _when_this_process_ends(lambda: shutil.rmtree(data, ignore_errors=True))
    os.environ["DESKBELL_DATA"] = str(data)
    # Named and empty: otherwise the deskbell.toml of the developer's own desk would be read.
    os.environ["DESKBELL_CONFIG"] = str(data / "deskbell.toml")
    (data / "deskbell.toml").touch()
    os.environ["DJANGO_SETTINGS_MODULE"] = "deskbell.settings"
    if DATABASE == "sqlite":
        return data
    if not IS_WORKER:
        server = postgres.TestServer()
        _when_this_process_ends(server.stop)
        os.environ[POSTGRES_HOST] = server.host
    os.environ["DESKBELL_DATABASE_URL"] = postgres.url(os.environ[POSTGRES_HOST], "desk")
    return data


DATA = _prepare_environment()
network.forbid()

# Random examples are for looking for trouble (--hypothesis-profile=dev); a build repeats itself.
# A shared machine is slow at times, so no example has a deadline.
hypothesis.settings.register_profile(
    "ci",
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
hypothesis.settings.register_profile("dev", deadline=None, max_examples=200)
hypothesis.settings.load_profile("ci")

django_settings.PASSWORD_HASHERS = [
    "tests.hashing.CheapArgon2PasswordHasher",
    *django_settings.PASSWORD_HASHERS[1:],
]
django.setup()
# The settings are read. Workers inherit this environment, and must come here before reading theirs.
del os.environ["DJANGO_SETTINGS_MODULE"]


def pytest_report_header() -> str:
    """Say on which database this is."""
    return f"database: {DATABASE}"


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave what does not depend on the database to the SQLite leg, unless it is asked for.

    What starts processes comes first: it is slow, and would keep one worker busy at the end.
    """
    items.sort(key=lambda item: item.get_closest_marker("live") is None)
    if DATABASE == "sqlite" or os.environ.get("DESKBELL_TEST_ALL"):
        return
    left = {item for item in items if item.get_closest_marker("once") or not _has_database(item)}
    if left and len(left) < len(items):
        config.hook.pytest_deselected(items=list(left))
        items[:] = [item for item in items if item not in left]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> Iterator[None]:
    """Tests that commit leave the database empty: the rows of every desk come back at once.

    Files keep together, so tests that take those rows for granted follow in the same process.
    """
    yield
    # After the last one there is no database any more.
    if nextitem is not None and _commits(item):
        from tests.seeding import seed

        with item.config.stash[blocking_manager_key].unblock():
            seed()


def _commits(item: pytest.Item) -> bool:
    marker = item.get_closest_marker("django_db")
    if marker is not None and marker.kwargs.get("transaction"):
        return True
    return "transactional_db" in getattr(item, "fixturenames", ())


#: What every database of a test starts from: pytest-django's set-up, and the desks of this file.
DATABASE_FIXTURES = frozenset(
    ("django_db_setup", "desk_yard", "new_live_desk", "new_empty_desk", "database_kind")
)


def _has_database(item: pytest.Item) -> bool:
    """Whether a test can reach a database: without a mark or a fixture, it is refused one."""
    fixtures = getattr(item, "fixturenames", ())
    return bool(item.get_closest_marker("django_db")) or not DATABASE_FIXTURES.isdisjoint(fixtures)


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    django_db_modify_db_settings: None,
) -> None:
    """Test on a SQLite file, as in production: an in-memory database has other locks."""
    if DATABASE == "sqlite":
        from django.db import connections

        connections["default"].settings_dict["TEST"]["NAME"] = str(DATA / "test.sqlite3")


@pytest.fixture(scope="session")
def database_kind() -> str:
    """`sqlite` or `postgresql`."""
    return DATABASE


@functools.cache
def _migrated() -> str:
    """A migrated database of the real command: the folder of a SQLite file, or PostgreSQL's name.

    One is made by each process that needs one, and copied for each desk.
    """
    name = f"migrated_{uuid.uuid4().hex[:12]}"
    folder = DATA / name
    url = None
    if DATABASE == "postgresql":
        url = postgres.create_database(os.environ[POSTGRES_HOST], name)
    made = LiveDesk(data=folder, log=DATA / f"{name}.log", database_url=url)
    made.run("migrate")
    return name if url else str(folder)


class DeskYard:
    """Makes live desks and clears them away, with their databases."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._desks: list[LiveDesk] = []
        self._databases: list[str] = []

    def new(self, *arguments: str, **settings: str) -> LiveDesk:
        """A desk that is not started yet, whose database is migrated and holds nothing else.

        `settings` are DESKBELL_ settings without the prefix.
        """
        desk = self._new(arguments, settings, like=_migrated())
        if DATABASE == "sqlite":
            desk.data.mkdir(parents=True, mode=0o700)
            for name in ("deskbell.sqlite3", "deskbell.sqlite3-wal"):
                if (path := Path(_migrated()) / name).exists():
                    shutil.copy2(path, desk.data)
        return desk

    def empty(self, *arguments: str, **settings: str) -> LiveDesk:
        """A desk as it is before its very first start: an empty database, no data directory."""
        return self._new(arguments, settings)

    def _new(
        self, arguments: tuple[str, ...], settings: dict[str, str], like: str | None = None
    ) -> LiveDesk:
        name = f"live_{uuid.uuid4().hex[:12]}"
        url = None
        if DATABASE == "postgresql":
            url = postgres.create_database(os.environ[POSTGRES_HOST], name, like=like)
            self._databases.append(name)
        desk = LiveDesk(
            data=self._folder / name / "data",
            log=self._folder / f"{name}.log",
            database_url=url,
            settings={f"DESKBELL_{key.upper()}": value for key, value in settings.items()},
            arguments=arguments,
        )
        self._desks.append(desk)
        return desk

    def clear(self) -> None:
        """Stop all desks, each of which must stop well, and drop their databases."""
        failures: list[AssertionError] = []
        for desk in self._desks:
            try:
                desk.stop()
            except AssertionError as failure:
                failures.append(failure)
        for name in self._databases:
            postgres.drop_database(os.environ[POSTGRES_HOST], name)
        if failures:
            raise failures[0]


@pytest.fixture
def new_live_desk(tmp_path: Path) -> Iterator[Callable[..., LiveDesk]]:
    """Makes live desks for one test: `new_live_desk("--demo", url="https://…").start()`."""
    yard = DeskYard(tmp_path)
    yield yard.new
    yard.clear()


@pytest.fixture
def new_empty_desk(tmp_path: Path) -> Iterator[Callable[..., LiveDesk]]:
    """Makes live desks that were never started nor migrated, for tests of just that."""
    yard = DeskYard(tmp_path)
    yield yard.empty
    yard.clear()


@pytest.fixture(scope="module")
def desk_yard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DeskYard]:
    """Makes live desks for a module's own fixtures; they are cleared away at its end."""
    yard = DeskYard(tmp_path_factory.mktemp("live"))
    yield yard
    yard.clear()


@pytest.fixture(scope="module")
def live_desk(desk_yard: DeskYard) -> LiveDesk:
    """A started desk, shared by the tests of one module; at its end it must drain and stop well."""
    return desk_yard.new().start()


CHROMIUM = Path("/usr/bin/chromium")


@pytest.fixture(scope="module")
def browser(request: pytest.FixtureRequest) -> Iterator[Browser]:
    """Debian's Chromium, which can reach this machine only. Skips where it is not installed."""
    if not CHROMIUM.exists():
        pytest.skip("NO CHROMIUM: nothing that needs a browser was tested (bin/test installs it)")
    from playwright.sync_api import sync_playwright

    with pytest.MonkeyPatch.context() as patch, sync_playwright() as playwright:
        # Playwright's loop runs in this very thread, which makes Django think that the tests'
        # own queries are asynchronous.
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        chromium = playwright.chromium.launch(
            executable_path=str(CHROMIUM),
            headless=True,
            args=[
                "--no-sandbox",
                "--disable-gpu",
                "--disable-quic",
                "--no-first-run",
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-sync",
                "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
            ],
        )
        yield chromium
        chromium.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Any]:
    """A page of a fresh browser profile. Scripts that fail on it fail the test."""
    context = browser.new_context()
    failures: list[str] = []
    opened = context.new_page()
    opened.on("pageerror", lambda error: failures.append(str(error)))
    yield opened
    context.close()
    assert failures == []
