"""A real desk on an empty data directory, and real clients of it."""

from __future__ import annotations

import pytest

from tests.contract.curl import CURL, Curl
from tests.live import LiveDesk


@pytest.fixture(scope="module")
def stranger(live_desk: LiveDesk) -> Curl:
    """Curl without credentials, at the root of the desk."""
    if CURL is None:
        pytest.skip("NO CURL: none of the documented samples was sent")
    return Curl(live_desk.url)


@pytest.fixture(scope="module")
def admin(live_desk: LiveDesk, stranger: Curl) -> Curl:
    """Curl with the first administrator's address and password, as HTTP Basic."""
    return stranger.with_("--user", f"{live_desk.admin_email}:{live_desk.admin_password}")
