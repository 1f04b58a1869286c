"""``deskbell mail``: what failed can be seen and tried again from a shell."""

from __future__ import annotations

import argparse

import pytest
from django.conf import settings

from deskbell.kernel import jobs
from deskbell.mail.models import MailState, OutgoingMail
from deskbell.ops import mail as command
from deskbell.ops.cli import CommandError
from tests.cast import MONDAY_10AM, acting, ada, kemal, ticket

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock", "outbox")]


@pytest.fixture
def failed() -> OutgoingMail:
    """A message that a mail server refused, beside one that waits."""
    actor, customer = acting(ada(), "helpdesk"), kemal()
    for _ in range(2):
        ticket(customer, actor=actor, at=MONDAY_10AM)
    mail = OutgoingMail.objects.earliest("id")
    mail.state, mail.reason = MailState.FAILED, "550 5.1.1 No such user"
    mail.save()
    return mail


def say(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    assert command.run(parser.parse_args(arguments), settings.CONFIG) == 0
    return capsys.readouterr().out


def test_shows_what_waits_and_what_failed_and_why(failed, capsys):
    assert say(capsys) == (
        "held 0  queued 1  sending 0  failed 1\n"
        f"{failed.pk}  2026-03-02 10:00  kemal@example.test  550 5.1.1 No such user\n"
    )


@pytest.mark.parametrize("which", ["id", "--all"])
def test_tries_again_what_failed(failed, capsys, which):
    wanted = str(failed.pk) if which == "id" else which

    assert say(capsys, "retry", wanted) == "1 messages are tried again.\n"

    jobs.run_due()
    failed.refresh_from_db()
    assert failed.state == "sent"


@pytest.mark.parametrize(
    "which", [[], ["1", "--all"], ["0"], ["99999999999999999999"], ["waiting"]]
)
def test_asks_which_where_it_cannot_know(failed, capsys, which):
    waiting = str(OutgoingMail.objects.get(state="queued").pk)

    with pytest.raises(CommandError):
        say(capsys, "retry", *(waiting if word == "waiting" else word for word in which))
