"""``deskbell mail parse``: one message in, one JSON object out, without a database."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path
from types import SimpleNamespace

import pytest

from deskbell.ops import mail_parse
from deskbell.ops.cli import CommandError
from tests.mail.inbound.mails import mail

DOCUMENT = Path(__file__).resolve().parents[3] / "docs" / "mail-facts.md"


@pytest.fixture
def standard_input(monkeypatch):
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(mail())))
    monkeypatch.delenv("MAIL_SETUP", raising=False)


def test_reads_a_file_or_standard_input(standard_input, tmp_path, capsys):
    file = tmp_path / "one.eml"
    file.write_bytes(mail())

    assert mail_parse.run(None) == mail_parse.run(str(file)) == 0

    first, second = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    assert first == second
    assert (first["body"], first["outcome"]) == ("It hums.", "new_ticket")


def test_plays_a_desk_of_the_setup(standard_input, tmp_path, capsys, monkeypatch):
    setup = tmp_path / "setup.json"
    setup.write_text('{"ticket_hook": "printer ", "tickets": [{"number": "1", "state": "closed"}]}')
    monkeypatch.setenv("MAIL_SETUP", str(setup))
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(mail(Subject="printer 1"))))

    mail_parse.run("-")

    found = json.loads(capsys.readouterr().out)
    assert (found["followup_of"], found["state_after"]) == ("1", "open")


def test_says_what_it_cannot_read(standard_input, tmp_path, monkeypatch):
    with pytest.raises(CommandError, match="cannot be read"):
        mail_parse.run(str(tmp_path / "none.eml"))
    monkeypatch.setenv("MAIL_SETUP", str(tmp_path))
    with pytest.raises(CommandError, match="no JSON"):
        mail_parse.run(None)


def test_every_key_is_described():
    described = set(re.findall(r"`(\w+)`", DOCUMENT.read_text(encoding="utf-8")))

    assert set(mail_parse.parsed(mail())) <= described
