"""What a monitoring system asks for, and who may ask."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from deskbell.kernel.jobs import presence
from deskbell.kernel.models import Job, JobState, Worker
from deskbell.mail.models import MailState, OutgoingMail
from deskbell.people.models import Role
from tests import cast
from tests.api.zammad.wire import Wire, message, told

pytestmark = pytest.mark.django_db

NOW = cast.MONDAY_9AM
HEALTH = "monitoring/health_check"


@pytest.fixture(autouse=True)
def _at_nine(time_at: Any) -> None:
    time_at(NOW)
    presence.register(at=NOW)


@pytest.fixture
def ada() -> Wire:
    return Wire(cast.ada())


@pytest.fixture
def token(ada: Wire) -> str:
    return str(told(ada.get(HEALTH), 200)["token"])


def failing(number: int) -> Job:
    return Job.objects.create(
        task="deskbell.mail.jobs.deliver", queue="mail", arguments={}, run_at=NOW, enqueued_at=NOW,
        attempts=9, max_attempts=9, state=JobState.DEAD, finished_at=NOW, priority=number,
    )  # fmt: skip


class TestTheToken:
    def test_opens_the_three_routes_to_a_stranger(self, token: str) -> None:
        stranger = Wire()

        healthy = told(stranger.get(f"{HEALTH}?token={token}"), 200)

        assert healthy == {
            "healthy": True,
            "message": "success",
            "issues": [],
            "actions": [],
            "token": token,
        }
        assert told(stranger.get(f"monitoring/status?token={token}"), 200)["agents"] == 1
        told(stranger.get(f"monitoring/amount_check?token={token}&periode=1h"), 200)

    def test_opens_nothing_else(self, ada: Wire, token: str) -> None:
        stranger, nora = Wire(), Wire(cast.nora())

        for path in (HEALTH, "monitoring/status", "monitoring/amount_check"):
            assert message(stranger.get(path), 403) == "Authentication required"
            for wrong in ("x", "é", token[:-1]):
                assert message(stranger.get(f"{path}?token={wrong}"), 403) == "Not authorized"
            assert message(nora.get(path), 403) == "User authorization failed."
        for path in ("monitoring/token", "monitoring/restart_failed_jobs"):
            assert message(stranger.post(f"{path}?token={token}"), 403) == "Authentication required"
            assert message(nora.post(path), 403) == "User authorization failed."
        assert message(stranger.get(f"tickets?token={token}"), 403) == "Authentication required"

    def test_is_made_anew(self, ada: Wire, token: str) -> None:
        new = told(ada.post("monitoring/token"), 201)["token"]

        assert new != token
        assert message(Wire().get(f"{HEALTH}?token={token}"), 403) == "Not authorized"
        assert told(Wire().get(f"{HEALTH}?token={new}"), 200)["token"] == new

    def test_is_for_whoever_may_watch(self) -> None:
        from deskbell.people.models import Permission

        role = Role.objects.create(name="Watch", name_key="watch")
        role.permissions.add(Permission.objects.get(name="admin.monitoring"))

        assert told(Wire(cast.person("wanda", roles=[role.pk])).get(HEALTH), 200)["healthy"]


class TestHealth:
    def test_tells_what_is_wrong(self, ada: Wire) -> None:
        failing(1)
        failing(2)
        Job.objects.create(
            task="x", queue="default", arguments={}, run_at=NOW - timedelta(minutes=20),
            max_attempts=9, enqueued_at=NOW,
        )  # fmt: skip
        Worker.objects.update(heartbeat_at=NOW - timedelta(hours=1))
        ticket = cast.ticket(cast.kemal())
        article = ticket.articles.get()
        for number, state in enumerate((MailState.FAILED, MailState.QUEUED, MailState.HELD)):
            OutgoingMail.objects.create(
                article=article, address=f"a{number}@b.de", address_key=f"a{number}@b.de",
                part="customer", occasion="updated", state=state, message_id="<x>",
                created_at=NOW - timedelta(hours=2), updated_at=NOW,
            )  # fmt: skip

        said = told(ada.get(HEALTH), 200)

        assert said["healthy"] is False
        assert said["issues"] == [
            "2 failing background jobs",
            "Failed to run background job #1 'deskbell.mail.jobs.deliver' 2 time(s).",
            "background jobs wait since 20 minutes",
            "no worker is running",
            "1 messages could not be sent",
            "1 messages wait to be sent since more than an hour",
        ]
        assert said["message"] == ";".join(said["issues"])
        assert said["actions"] == ["restart_failed_jobs"]
        assert told(ada.post("monitoring/restart_failed_jobs"), 200) == {}
        assert not Job.objects.filter(state=JobState.DEAD).exists()


class TestFigures:
    def test_count_what_there_is(self, ada: Wire) -> None:
        cast.ticket(cast.kemal())

        said = told(ada.get("monitoring/status"), 200)

        assert set(said) == {"counts", "last_created_at", "last_login", "agents", "storage"}
        assert said["counts"]["tickets"] == said["counts"]["ticket_articles"] == 1
        assert said["last_created_at"]["tickets"] == "2026-03-02T09:00:00.000Z"
        assert said["storage"] == {"kB": 0, "MB": 0, "GB": 0}

    @pytest.mark.parametrize(
        ("asked", "state", "says"),
        [
            ("periode=1h", None, None),
            ("periode=1h&max_warning=5", "ok", None),
            ("periode=1h&max_warning=1&max_critical=5", "warning", "limit of 1"),
            ("periode=1h&max_warning=1&max_critical=1", "critical", "limit of 1"),
            ("periode=60m&min_warning=2", "warning", "minimum of 2"),
            ("periode=999999d&min_critical=9", "critical", "minimum of 9"),
        ],
    )
    def test_are_judged(self, ada: Wire, asked: str, state: Any, says: Any) -> None:
        kemal = cast.kemal()
        for _ in range(2):
            cast.ticket(kemal)
        cast.ticket(kemal, at=NOW - timedelta(hours=2))

        said = told(ada.get(f"monitoring/amount_check?{asked}"), 200)

        assert said["count"] == (3 if "999999d" in asked else 2)
        assert said.get("state") == state
        assert (says in said["message"]) if says else "message" not in said

    @pytest.mark.parametrize(
        "asked",
        [
            "",
            "periode=1w",
            "periode=0h",
            "periode=h",
            "periode=9999999d",
            "periode=1h&max_warning=x",
        ],
    )
    def test_of_no_sense_are_refused(self, ada: Wire, asked: str) -> None:
        assert message(ada.get(f"monitoring/amount_check?{asked}"), 422)
