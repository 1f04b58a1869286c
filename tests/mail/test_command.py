"""``deskbell mail``: what failed can be seen and tried again from a shell."""

from __future__ import annotations

import argparse

import pytest
from django.conf import settings

from deskbell.kernel import jobs
from deskbell.mail.models import MailRoute, MailState, OutgoingMail
from deskbell.mail.sending import routes
from deskbell.ops import mail as command
from deskbell.ops.cli import CommandError
from tests.cast import MONDAY_10AM, acting, ada, kemal, ticket
from tests.mail.sink import smtp_sink

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


def test_makes_ways_out_and_tries_them(capsys, tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("hush-hush\nrest\n")
    with smtp_sink() as sink:
        here = ["--set", "host=127.0.0.1", "--set", f"port={sink.port}", "--set", "security=none"]
        made = say(capsys, "route", "add", "Out", "--kind", "smtp", "--default", *here)
        assert "Out was added" in made
        assert "was taken" in say(capsys, "route", "test", "out", "ada@example.test")
    assert "1 " in say(capsys, "route")
    with pytest.raises(CommandError, match="refuses connections"):
        say(capsys, "route", "test", "Out", "ada@example.test")
    login = ["--set", "login=desk", "--secret-file", f"password={secret}"]
    say(capsys, "route", "set", "Out", "--name", "Gate", "--no-default", *login)
    route = MailRoute.objects.get()
    assert (route.name, route.is_default, routes.secrets_of(route)) == (
        "Gate",
        False,
        {"password": "hush-hush"},
    )
    said = say(capsys, "route", "group", "Users", "--route", "Gate", "--quoting", "all")
    assert said == "Users: route Gate, language the usual one, quoting all\n"
    assert "language de" in say(capsys, "route", "group", "users", "--language", "de")
    assert "hush" not in say(capsys, "route", "list")
    for wrong in (
        ["add", "X", "--kind", "pigeon"],
        ["add", "X", "--kind", "mailgun"],
        ["set", "Gate", "--set", "port=x"],
        ["set", "Nobody"],
        ["group", "Users", "--quoting", "some"],
    ):
        with pytest.raises(CommandError):
            say(capsys, "route", *wrong)
    say(capsys, "route", "remove", "Gate")
    assert not MailRoute.objects.exists()


def test_changes_the_desks_own_words(capsys):
    there = ["acknowledgement", "--language", "de", "--group", "Users"]
    say(capsys, "text", "set", "acknowledgement", "Hallo {{ ticket.number }}", *there[1:])
    shown = say(capsys, "text", "show", *there)
    assert shown.startswith("Hallo {{ ticket.number }}\n\nBuilt in: Vielen Dank")
    assert "* acknowledgement " in say(capsys, "text", "list", *there[1:])
    assert "Vielen Dank" in say(capsys, "text", "show", "acknowledgement", "--language", "de")
    with pytest.raises(CommandError, match=r"ticket\.title is no placeholder of this text"):
        say(capsys, "text", "set", "acknowledgement", "{{ ticket.title }}")
    for wrong in (["show", "nothing"], ["show", "files", "--language", "fr"]):
        with pytest.raises(CommandError):
            say(capsys, "text", *wrong)
    assert "as it was" in say(capsys, "text", "reset", *there)
    assert "Nothing" in say(capsys, "text", "reset", *there)
