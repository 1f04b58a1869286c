"""A real desk in its own processes: it starts, survives being killed, and stops when asked to."""

from __future__ import annotations

import urllib.request

import pytest

pytestmark = [pytest.mark.live, pytest.mark.timeout(120)]


class TestALiveDesk:
    def test_is_alive_and_ready(self, live_desk):
        for path in ("/healthz", "/readyz"):
            with urllib.request.urlopen(live_desk.url + path, timeout=10) as answer:
                assert answer.status == 200

    def test_keeps_what_it_has_in_its_data_directory(self, live_desk, database_kind):
        assert live_desk.data.is_dir()
        assert (live_desk.data / "deskbell.sqlite3").exists() == (database_kind == "sqlite")

    def test_comes_back_after_it_was_killed_and_stops_when_it_is_asked_to(self, new_empty_desk):
        desk = new_empty_desk().start()
        assert desk.processes() != []

        desk.kill()

        assert desk.processes() == []
        desk.start()
        assert desk.processes() != []

        desk.stop()  # raises if anything stays behind, or if the status is not 0

        assert desk.processes() == []
