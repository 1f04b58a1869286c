"""What the tests of this dialect share."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import pytest

from deskbell.kernel import clock


@pytest.fixture
def time_at(monkeypatch: pytest.MonkeyPatch) -> Callable[[datetime], None]:
    """Set what the desk's one clock says."""

    def set_(moment: datetime) -> None:
        monkeypatch.setattr(clock, "now", lambda: moment)

    return set_
