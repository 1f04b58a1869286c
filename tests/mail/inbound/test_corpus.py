"""The share of known facts about real messages, where that collection stands beside the project."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
PLACES = (ROOT.parent / "shared" / "mail", ROOT / ".." / "shared" / "mail")
SHARE = 0.99


@pytest.mark.timeout(300)
def test_the_facts_of_real_messages_are_found():
    found = next((place for place in PLACES if (place / "check.py").exists()), None)
    if found is None:
        pytest.skip(
            "NO MAIL CORPUS beside the project (../shared/mail): the share of facts is untested"
        )

    run = subprocess.run(
        [sys.executable, str(found / "check.py"), "deskbell.ops.mail_parse:parsed"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip

    passed, failed = map(int, re.findall(r"(\d+) passed, (\d+) failed", run.stdout)[-1])
    assert passed + failed > 3_000
    assert passed / (passed + failed) >= SHARE, run.stdout[-4_000:]
