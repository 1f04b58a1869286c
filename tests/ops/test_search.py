"""``deskbell search``, in the process of the tests."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest

from deskbell.kernel.config import Config
from deskbell.ops import search
from deskbell.ops.cli import CommandError
from deskbell.search.models import Entry, Person
from tests import cast

pytestmark = pytest.mark.django_db


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(search, "start_django", lambda config: None)
    parser = argparse.ArgumentParser()
    search.add_arguments(parser)

    def call(*arguments: str) -> int:
        return search.run(parser.parse_args(arguments), Config(data=Path("unused")))

    return call


def test_prints_what_is_found_the_latest_change_first(run, capsys):
    first = cast.ticket(title="Printer \x1b[31mred\ttape", state_id=2)
    second = cast.ticket(title="Printer again", at=cast.MONDAY_10AM)
    cast.ticket(title="Scanner", body="alpha")

    assert run("title:printer") == 0

    told = capsys.readouterr()
    assert told.out.splitlines() == [
        f"{second.pk}\t{second.number}\tPrinter again\tnew",
        f"{first.pk}\t{first.number}\tPrinter �[31mred tape\topen",
    ]
    assert told.err == ""


def test_words_are_one_query_and_a_limit_is_said(run, capsys):
    for number in range(3):
        cast.ticket(title=f"Printer {number}")

    run("--limit", "1", "printer", "burns")

    told = capsys.readouterr()
    assert len(told.out.splitlines()) == 1
    assert told.err == "1 of 3 tickets.\n"


def test_a_mistake_is_said_and_read_as_words(run, capsys):
    ticket = cast.ticket()

    run("(printer")

    told = capsys.readouterr()
    assert told.out.startswith(f"{ticket.pk}\t")
    assert told.err == "Read as plain words: this parenthesis is never closed (character 1).\n"


def test_with_the_eyes_of_somebody(run, capsys):
    own = cast.ticket(cast.kemal())
    cast.ticket()

    run("printer", "--as", "KEMAL@example.test")
    seen = capsys.readouterr().out

    assert [line.split("\t")[0] for line in seen.splitlines()] == [str(own.pk)]
    cast.person("gone", roles=[2], active=False)
    for name in ("nosuch", "gone", "-"):
        with pytest.raises(CommandError, match="Nobody active"):
            run("printer", f"--as={name}")


def test_reindex_writes_people_and_tickets_anew(run, capsys):
    cast.ticket(cast.kemal())
    before = set(Entry.objects.values_list("id", "words")), Person.objects.count()
    Entry.objects.all().delete()
    Person.objects.all().delete()

    assert run("reindex") == 0

    assert set(Entry.objects.values_list("id", "words")) == before[0]
    assert Person.objects.count() >= before[1]
    assert "1 tickets are indexed." in capsys.readouterr().out
