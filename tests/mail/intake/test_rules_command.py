"""``deskbell mail incoming``, ``ignore`` and ``rules``."""

from __future__ import annotations

import argparse
import json

import pytest
from django.conf import settings

from deskbell.mail import policy
from deskbell.mail.intake import handling
from deskbell.mail.models import Fate, IgnoreRule, IncomingMail
from deskbell.ops import doctor
from deskbell.ops import mail as command
from deskbell.ops.cli import CommandError
from tests.mail.intake.postman import Post

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.once,
    pytest.mark.usefixtures("clock", "outbox", "store"),
]


@pytest.fixture
def post() -> Post:
    return Post()


@pytest.fixture
def say(capsys):
    def run(*arguments: str) -> str:
        parser = argparse.ArgumentParser()
        command.add_arguments(parser)
        assert command.run(parser.parse_args(arguments), settings.CONFIG) == 0
        return capsys.readouterr().out

    return run


class TestIncoming:
    def test_is_listed_shown_and_handled_again(self, post, say):
        row = post.bring("It burns.", subject="Printer \x1b[31m on fire")
        bad = post.bring(message_id="<2@c.example>", subject="Second")
        IncomingMail.objects.filter(pk=bad.pk).update(fate=Fate.UNREADABLE, reason="Why")

        listed = say("incoming")
        assert "new_ticket" in listed
        assert "\x1b" not in listed
        assert say("incoming", "--fate", "unreadable", "--last", "1").count("Why") == 1
        shown = json.loads(say("incoming", "show", str(row.pk)))
        assert (shown["fate"], shown["ticket"]) == ("new_ticket", row.ticket_id)
        assert shown["facts"]["body"].strip() == "It burns."

        assert say("incoming", "replay", "--fate", "unreadable").startswith("1 ")
        handling.handle_waiting(post.channel.pk)
        bad.refresh_from_db()
        assert bad.fate != Fate.UNREADABLE

    @pytest.mark.parametrize(
        ("change", "words"),
        [
            ({}, "became something"),
            ({"fate": ""}, "waits already"),
            ({"fate": "ignored", "place": ""}, "not kept"),
        ],
    )
    def test_says_why_something_is_not_handled_again(self, post, say, change, words):
        row = post.bring()
        IncomingMail.objects.filter(pk=row.pk).update(**change)
        with pytest.raises(CommandError, match=words):
            say("incoming", "replay", str(row.pk))

    def test_wants_to_know_which(self, say):
        for arguments in (("replay",), ("replay", "1", "--fate", "ignored"), ("show", "999")):
            with pytest.raises(CommandError):
                say("incoming", *arguments)


def test_rules_are_added_changed_listed_and_removed(post, say):
    say("ignore", "add", "domain", "@spam.example", "--group", "Support", "--note", "Why")
    rule = IgnoreRule.objects.get()
    assert "spam.example  for Support  caught 0, last never  (Why)" in say("ignore")
    say("ignore", "set", str(rule.pk), "--quiet", "--group", "", "--no-active")
    rule.refresh_from_db()
    assert (rule.action, rule.group_id, rule.active, rule.note) == ("quiet", None, False, "Why")
    with pytest.raises(CommandError, match="pattern"):
        say("ignore", "add", "address", "nobody")
    say("ignore", "remove", str(rule.pk))
    assert say("ignore", "list") == ""


def test_settings_are_shown_and_changed(post, say):
    post.bring()
    said = say("rules", "--set", "raw_mail_days=90", "--set", "search_in=references, subject")
    assert "raw_mail_days               90" in said
    assert policy.present() == policy.Policy(raw_mail_days=90, search_in=("references", "subject"))
    with pytest.raises(CommandError, match="hook"):
        say("rules", "--set", "hook=")
    found = {part: text for _, part, text in doctor.examine(settings.CONFIG)}
    assert found["raw mail"] == "1 kept as they came, for 90 days"
