"""Real `curl`, as the documentation of the three APIs uses it."""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import dataclass
from typing import Any

CURL = shutil.which("curl")

SECONDS = 30


@dataclass(frozen=True)
class Reply:
    """What came back. Names of headers are in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def type(self) -> str:
        """The content type, parameters included; empty where there is none."""
        return self.headers.get("content-type", "")

    @property
    def text(self) -> str:
        return self.body.decode()

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Curl:
    """Calls below one address, such as ``http://127.0.0.1:8000/api``, with the same arguments.

    ``always`` stands before the arguments of every call: credentials, for example.
    """

    base: str
    always: tuple[str, ...] = ()

    def with_(self, *arguments: str) -> Curl:
        """The same address, with more arguments in every call."""
        return Curl(self.base, (*self.always, *arguments))

    def below(self, path: str) -> Curl:
        """The same arguments, below another path of this address."""
        return Curl(self.base + path, self.always)

    def __call__(self, path: str, *arguments: str) -> Reply:
        """Call an address with curl's own arguments.

        Raises subprocess.CalledProcessError where curl got no answer.
        """
        assert CURL is not None, "the fixture skips where there is no curl"
        done = subprocess.run(
            [CURL, "--silent", "--show-error", "--include", "--max-time", str(SECONDS),
             *self.always, *arguments, self.base + path],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=True,
            timeout=SECONDS + 10,
        )  # fmt: skip
        return _parse(done.stdout)

    def send(self, verb: str, path: str, body: Any, *arguments: str) -> Reply:
        """Send a value as JSON."""
        return self(
            path,
            "--request",
            verb,
            "--header",
            "Content-Type: application/json",
            "--data",
            json.dumps(body),
            *arguments,
        )


def _parse(answer: bytes) -> Reply:
    head, _, body = answer.partition(b"\r\n\r\n")
    while head.split(b" ", 2)[1].startswith(b"1"):  # 100 Continue comes before the answer
        head, _, body = body.partition(b"\r\n\r\n")
    status, *lines = head.decode("latin-1").split("\r\n")
    pairs = (line.split(":", 1) for line in lines)
    headers = {name.lower(): value.strip() for name, value in pairs}
    return Reply(int(status.split(" ")[1]), headers, body)
