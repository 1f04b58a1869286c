"""A watched Maildir."""

from __future__ import annotations

import os

import pytest

from deskbell.mail.intake import fetching, maildir, taking, visit
from deskbell.mail.intake import store as raw
from tests.mail.intake.conftest import look, message, rows


@pytest.fixture
def folder(tmp_path):
    for name in ("new", "cur", "tmp"):
        (tmp_path / "Maildir" / name).mkdir(parents=True)
    return tmp_path / "Maildir"


def put(folder, name, content):
    (folder / "new" / name).write_bytes(content)


def names(folder):
    return sorted(f"{each.parent.name}/{each.name}" for each in folder.glob("*/*"))


@pytest.mark.parametrize(
    ("after", "left"), [("seen", ["cur/1.a:2,S", "cur/2.b:2,S"]), ("delete", [])]
)
def test_takes_each_once_and_puts_it_away(folder, new_channel, after, left):
    put(folder, "2.b", message(2))
    put(folder, "1.a", message(1))
    (folder / "new" / ".hidden").write_bytes(b"x")
    channel = new_channel("maildir", {"path": str(folder), "after": after})

    assert (look(channel), look(channel)) == (2, 0)

    assert [raw.read(row.place) for row in rows(channel)] == [message(1), message(2)]
    assert all(row.told_at for row in rows(channel))
    assert names(folder) == [*left, "new/.hidden"]


def test_what_a_crash_left_in_place_is_put_away_later(folder, new_channel, monkeypatch):
    put(folder, "1.a", message(1))
    put(folder, "2.b", message(2))
    channel = new_channel("maildir", {"path": str(folder)})
    real = maildir._put_away

    def crash(path, name, settings):
        if name == "2.b":
            # It came as far as this, and the note of it was lost.
            real(path, name, settings)
        raise SystemError

    with monkeypatch.context() as patch:
        patch.setattr(maildir, "_put_away", crash)
        with pytest.raises(SystemError):
            look(channel)
        (folder / "new" / "1.a").rename(folder / "tmp" / "1.a")
        with pytest.raises(SystemError):
            look(channel)
        (folder / "tmp" / "1.a").rename(folder / "new" / "1.a")
    assert [row.told_at for row in rows(channel)] == [None, None]

    assert look(channel) == 0

    assert names(folder) == ["cur/1.a:2,S", "cur/2.b:2,S"]
    assert all(row.told_at for row in rows(channel))


def test_reads_files_only_and_of_bearable_size(folder, new_channel, monkeypatch, tmp_path):
    monkeypatch.setattr(taking, "SIZE_LIMIT", 500)
    (tmp_path / "secret").write_bytes(b"From: x\n\nsecret")
    (folder / "new" / "1.link").symlink_to(tmp_path / "secret")
    (folder / "new" / "2.folder").mkdir()
    os.mkfifo(folder / "new" / "3.pipe")
    put(folder, "4.large", b"x" * 501)
    put(folder, "5.good", message(5))
    put(folder, "6.n\udcffme", message(6))
    channel = new_channel("maildir", {"path": str(folder)})

    assert (look(channel), look(channel)) == (2, 0)

    assert channel.alarm == ""
    assert [row.fate for row in rows(channel)] == ["refused", "", ""]
    assert (folder / "new" / "4.large").exists()


def test_goes_on_where_the_budget_ended(folder, new_channel, monkeypatch):
    for number in range(5):
        put(folder, f"{number}.x", message(number))
    channel = new_channel("maildir", {"path": str(folder)})
    real = visit.Visit.__init__
    monkeypatch.setattr(
        visit.Visit, "__init__", lambda self, *a: real(self, *a, visit.Budget(messages=2))
    )

    assert [look(channel) for _ in range(4)] == [2, 2, 1, 0]


def test_says_where_there_is_none(tmp_path, new_channel):
    channel = new_channel("maildir", {"path": str(tmp_path / "nowhere")})

    look(channel)

    assert channel.alarm == (
        f"There is no Maildir at {tmp_path / 'nowhere'} (it has the folders new and cur)."
    )


def test_the_test_counts(folder, new_channel):
    put(folder, "1.a", message(1))
    settings = fetching.channels.checked_settings("maildir", {"path": str(folder)})

    assert fetching.probe("maildir", settings) == f"1 message waits in {folder}."
