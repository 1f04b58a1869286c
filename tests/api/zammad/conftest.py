"""What the tests of this dialect share."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from deskbell.kernel import clock


@pytest.fixture(autouse=True)
def _cheap_passwords(settings: Any) -> None:
    """Hash quickly: these tests make hundreds of people, and test no hashing."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def time_at(monkeypatch: pytest.MonkeyPatch) -> Callable[[datetime], None]:
    """Set what the desk's one clock says."""

    def set_(moment: datetime) -> None:
        monkeypatch.setattr(clock, "now", lambda: moment)

    return set_
