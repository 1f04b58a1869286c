"""The live peer: django-helpdesk, installed from the package index and served by gunicorn.

The environment is made once and kept in ``.bench``; the package index is whatever pip is set up to
use here.
"""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.cells import basic
from bench.processes import ROOT, Server, ServerDied, clean_environment, free_port

PROJECT = Path(__file__).resolve().parent / "peers" / "django_helpdesk"
REQUIREMENTS = PROJECT / "requirements.txt"
#: Two workers on whatever machine: one more than our server has processes by default.
WORKERS = 2
THREADS = 2


@dataclass(frozen=True, slots=True)
class Peer:
    """A peer that is filled and ready to be started; ``told`` is what its preparation printed."""

    python: Path
    run: Path
    told: dict[str, Any]

    def serve(self) -> Server:
        """Start it. Raises ServerDied."""
        port = free_port()
        command: list[str | Path] = [
            *(self.python, "-m", "gunicorn", "wsgi:application"),
            *("--bind", f"127.0.0.1:{port}", "--workers", str(WORKERS)),
            # With threads gunicorn keeps connections open, which favours the peer.
            *("--threads", str(THREADS), "--keep-alive", "120", "--timeout", "300"),
        ]
        return Server(
            "django-helpdesk",
            command,
            environment=_environment(self.run),
            cwd=PROJECT,
            log=self.run / "peer.log",
            port=port,
            probe="/api/",
        )

    def sign_ins(self) -> dict[str, tuple[tuple[str, str], ...]]:
        """Headers for every way in: Basic, token, and the session of a signed-in browser."""
        csrf = "x" * 32
        return {
            "basic": basic(self.told["login"], self.told["password"]),
            "token": (("Authorization", f"Token {self.told['token']}"),),
            "session": (
                ("Cookie", f"sessionid={self.told['session']}; csrftoken={csrf}"),
                ("X-CSRFToken", csrf),
            ),
        }

    @property
    def tickets(self) -> list[tuple[int, str]]:
        return [(id_, email) for id_, email in self.told["sample"]]


def prepare(cache: Path, run: Path, *, tickets: int) -> Peer:
    """Install (once) and fill the peer in the folder ``run``. Raises ServerDied."""
    python = _environment_of(cache)
    run.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(
        [python, "-P", PROJECT / "prepare.py", str(tickets)],
        cwd=PROJECT,
        env=_environment(run),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise ServerDied(f"the peer could not be filled\n{done.stderr[-3000:]}")
    return Peer(python, run, json.loads(done.stdout.splitlines()[-1]))


def _environment(run: Path) -> dict[str, str]:
    own = {"PEER_RUN": str(run), "DJANGO_SETTINGS_MODULE": "settings"}
    return clean_environment(own) | {"PYTHONPATH": f"{PROJECT}:{ROOT}"}


def _environment_of(cache: Path) -> Path:
    """The Python of the peer's virtual environment, made where it is missing or outdated."""
    folder = cache / "peer-environment"
    python = folder / "bin" / "python"
    wanted = REQUIREMENTS.read_text()
    stamp = folder / "installed.txt"
    if python.exists() and stamp.exists() and stamp.read_text() == wanted:
        return python
    print("Installing django-helpdesk into a throw-away environment", file=sys.stderr)
    commands = (
        [sys.executable, "-m", "venv", "--clear", folder],
        [
            *(python, "-m", "pip", "install", "-qq", "--disable-pip-version-check", "--no-input"),
            *("-r", REQUIREMENTS),
        ],
    )
    for command in commands:
        done = subprocess.run(
            list(map(str, command)),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise ServerDied(f"the peer could not be installed\n{done.stderr[-3000:]}")
    stamp.write_text(wanted)
    return python
