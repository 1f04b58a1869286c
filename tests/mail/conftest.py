"""What tests of mail get: an own data directory with an empty outbox, and a clock."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import time_machine
from django.conf import settings

from tests.cast import MONDAY_10AM


@pytest.fixture
def configured(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Change the desk's own settings for one test: `configured(smtp_url="smtp://…")`."""

    def change(**values: Any) -> None:
        monkeypatch.setattr(settings, "CONFIG", msgspec.structs.replace(settings.CONFIG, **values))

    return change


@pytest.fixture
def outbox(tmp_path: Path, configured: Callable[..., None]) -> Path:
    """The folder that mail goes to; it appears with the first one."""
    configured(data=tmp_path, url="https://desk.example", mail_from="Help <help@desk.example>")
    return tmp_path / "outbox"


@pytest.fixture
def clock() -> Iterator[Any]:
    """Ten o'clock on a Monday until the test moves it."""
    with time_machine.travel(MONDAY_10AM, tick=False) as traveller:
        yield traveller
