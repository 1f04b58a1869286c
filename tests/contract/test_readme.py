"""The README's own commands, pasted into a shell, and the page it sends people to."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from urllib.parse import unquote

import pytest

from tests.conftest import DeskYard
from tests.contract.curl import CURL, Curl
from tests.live import ROOT, LiveDesk

pytestmark = [pytest.mark.live, pytest.mark.once]

README = (ROOT / "README.md").read_text()
HERE = "http://127.0.0.1:8000"
#: What stands before `bin/serve` in the README.
SETTINGS = dict(re.findall(r"(DESKBELL_ADMIN_\w+)=(\S+)", README))


def commands() -> list[str]:
    """The README's curl commands, with the lines that continue them."""
    found, open_ = [], False
    for line in README.splitlines():
        text = line.removeprefix("    ")
        if open_:
            found[-1] += "\n" + text
        elif text.startswith("curl "):
            found.append(text)
        else:
            continue
        open_ = text.endswith("\\") or found[-1].count("'") % 2 == 1
    return found


@pytest.fixture(scope="module")
def desk(desk_yard: DeskYard) -> LiveDesk:
    """A desk that was started as the README says."""
    if CURL is None:
        pytest.skip("NO CURL: the README's commands were not tried")
    made = desk_yard.empty()
    made.admin_email = SETTINGS["DESKBELL_ADMIN_EMAIL"]
    made.admin_password = SETTINGS["DESKBELL_ADMIN_PASSWORD"]
    return made.start()


def test_there_is_one_command_for_each_api() -> None:
    paths = [re.search(r"/api/[^ ]*", command) for command in commands()]

    assert [path and path[0] for path in paths] == [
        "/api/create_ticket/",
        "/api/tickets/",
        "/api/v1/tickets",
    ]


def test_each_command_opens_a_ticket_that_the_others_read(desk: LiveDesk) -> None:
    ids = []
    for command in commands():
        assert HERE in command
        done = subprocess.run(
            ["bash", "-c", command.replace(HERE, desk.url) + " --silent --show-error --fail"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=True,
            timeout=60,
        )
        answer = json.loads(done.stdout)
        ids.append(answer if isinstance(answer, int) else answer["id"])

    assert len(set(ids)) == 3
    admin = Curl(desk.url, ("--user", f"{desk.admin_email}:{desk.admin_password}"))
    for number in ids:
        for path in (f"/api/tickets/{number}/", f"/api/v1/tickets/{number}"):
            shown = admin(path)
            assert (shown.status, shown.json["title"]) == (200, "The printer is on fire")


def test_the_same_name_and_password_open_the_page(desk: LiveDesk, tmp_path: Path) -> None:
    jar = ("--cookie-jar", str(tmp_path / "jar"), "--cookie", str(tmp_path / "jar"))
    browser = Curl(desk.url, jar)
    form = browser("/")
    token = re.search(r'name="csrfmiddlewaretoken"\s+value="([^"]+)"', form.text)
    assert token is not None, form.text

    fields = {
        "csrfmiddlewaretoken": token[1],
        "username": desk.admin_email,
        "password": desk.admin_password,
    }
    options = [
        part for name, value in fields.items() for part in ("--data-urlencode", f"{name}={value}")
    ]
    signed = browser("/", *options, "--header", f"Origin: {desk.url}")
    inside = browser(signed.headers["location"])

    assert signed.status == 302
    assert (inside.status, inside.type) == (200, "text/html; charset=utf-8")
    assert "/tickets/1/" in inside.text
    assert browser("/tickets/1/").status == 200
    stranger = Curl(desk.url)("/tickets/1/")
    assert stranger.status == 302
    assert unquote(stranger.headers["location"]) == "/?next=/tickets/1/"
