"""A call to a running desk, and the mail that follows from it."""

from __future__ import annotations

import email
import email.policy
import time
import urllib.parse
import urllib.request
from pathlib import Path

import pytest

from tests.live import ADMIN_EMAIL, ADMIN_PASSWORD, LiveDesk

pytestmark = pytest.mark.live

#: Much longer than it takes; only a desk that sends nothing at all comes to the end of it.
PATIENCE_SECONDS = 30


def call(desk: LiveDesk, method: str, **parameters: str) -> str:
    form = {"user": ADMIN_EMAIL, "password": ADMIN_PASSWORD, **parameters}
    request = urllib.request.Request(
        f"{desk.url}/api/{method}/", data=urllib.parse.urlencode(form).encode()
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        return str(answer.read().decode())


def files(outbox: Path, number: int) -> list[Path]:
    until = time.monotonic() + PATIENCE_SECONDS
    while len(found := sorted(outbox.glob("*.eml"))) < number and time.monotonic() < until:
        time.sleep(0.05)
    return found


def test_a_ticket_and_its_answer_arrive_in_the_outbox(live_desk):
    ticket = call(
        live_desk,
        "create_ticket",
        queue="1",
        title="Printer on fire",
        body="It burns.",
        submitter_email="kemal@example.test",
    )
    outbox = live_desk.data / "outbox"
    (opened,) = files(outbox, 1)

    call(live_desk, "add_followup", ticket=ticket, message="Pour water on it.", public="y")
    answered = next(file for file in files(outbox, 2) if file != opened)

    subjects = []
    for file in (opened, answered):
        message = email.message_from_bytes(file.read_bytes(), policy=email.policy.default)
        assert message["To"] == "kemal@example.test"
        subjects.append(message["Subject"])
    assert subjects == [
        f"[users-{ticket}] Printer on fire (Opened)",
        f"[users-{ticket}] Printer on fire (Updated)",
    ]
    assert call(live_desk, "add_followup", ticket=ticket, message="A note.", public="n") == "OK"
