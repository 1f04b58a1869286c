"""Every example of the pages about the REST dialects, pasted into a shell, against a live desk.

The pages name rows by ids of their own. Before a command is run, such a row is made, and its real
id is put in the place of the one on the page.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from lxml import html

from deskbell.kernel.reference import EXAMPLE_LOGIN, Operation, Reference
from deskbell.urls import REFERENCES
from tests.contract.curl import Curl
from tests.live import LiveDesk

pytestmark = pytest.mark.live

EXAMPLES = [
    pytest.param(reference, operation, id=f"{reference.name}-{operation.name}")
    for reference in REFERENCES
    for operation in (*reference.operations, *reference.everywhere)
]
SECONDS = 30


class Rows:
    """Makes what the examples speak of, for one command at a time."""

    def __init__(self, admin: Curl) -> None:
        self.zammad = admin.below("/api/v1")
        self.helpdesk = admin.below("/api")
        self.made: dict[str, Any] = {}
        self.count = 0

    def fill_in(self, command: str) -> str:
        """The command with real ids; a row is made once for all its places in the command."""
        self.made.clear()
        for sample, make in self._makers().items():
            pattern = rf"(?<![\w]){sample}(?![\w])"
            if re.search(pattern, command):
                real = str(self._row(sample, make))
                command = re.sub(pattern, real, command)
        return command

    def _makers(self) -> dict[str, Callable[[], Any]]:
        # A file belongs to an entry and an entry to a ticket, so the innermost come first.
        return {
            "60413": self._file,
            "52816": self._article,
            "1031795": self._other_number,
            "31795": lambda: self._row("other", self._other)["id"],
            "31794": lambda: self._row("ticket", self._ticket)["id"],
            "7311": self._upload,
            "9203": self._mention,
            "5518": self._token,
            "4107": lambda: self._named("users", firstname="Row"),
            "6402": lambda: self._named("organizations"),
            "2305": lambda: self._named("groups"),
            "8801": lambda: self._named("roles"),
            "3344": self._time,
            "3551": lambda: self._named("time_accounting/types"),
            "6611": self._notification,
            "1377": self._tag,
            "4420": self._address,
            "8642": self._attribute,
            "7120": lambda: self._named("ticket_states", state_type="open"),
            "7230": lambda: self._named("ticket_priorities"),
        }

    def _row(self, name: str, make: Callable[[], Any]) -> Any:
        if name not in self.made:
            self.made[name] = make()
        return self.made[name]

    def _new(self, path: str, **body: Any) -> Any:
        reply = self.zammad.send("POST", path, body)
        assert reply.status in (200, 201), reply
        return reply.json

    def _named(self, place: str, **more: Any) -> int:
        self.count += 1
        return int(self._new(f"/{place}", name=f"Row {self.count}", **more)["id"])

    def _ticket(self) -> Any:
        return self._new("/tickets", title="Printer on fire", group="Users")

    def _other(self) -> Any:
        """Another ticket, tied to the first."""
        other = self._new("/tickets", title="Printer on fire again", group="Users")
        ticket = self._row("ticket", self._ticket)
        self._new(
            "/links/add",
            link_type="child",
            link_object_target="Ticket",
            link_object_target_value=ticket["id"],
            link_object_source="Ticket",
            link_object_source_number=other["number"],
        )
        return other

    def _other_number(self) -> str:
        """The number of a ticket that is not tied to the first yet."""
        other = self._new("/tickets", title="Printer on fire again", group="Users")
        return str(other["number"])

    def _article(self) -> int:
        return int(self._row("article", self._new_article)["id"])

    def _new_article(self) -> Any:
        ticket = self._row("ticket", self._ticket)
        file = {"filename": "front.jpg", "mime-type": "image/jpeg", "data": "R0lGODlh"}
        return self._new(
            "/ticket_articles", ticket_id=ticket["id"], body="A picture", attachments=[file]
        )

    def _file(self) -> int:
        return int(self._row("article", self._new_article)["attachments"][0]["id"])

    def _upload(self) -> int:
        reply = self.zammad("/attachments", "--form", "form_id=x", "--form", "File=x;filename=x")
        assert reply.status == 200, reply
        return int(reply.json["data"]["id"])

    def _mention(self) -> int:
        ticket = self._row("ticket", self._ticket)
        self._new("/mentions", mentionable_type="Ticket", mentionable_id=ticket["id"])
        found = self.zammad(f"/mentions?mentionable_type=Ticket&mentionable_id={ticket['id']}")
        return int(found.json["mentions"][0]["id"])

    def _time(self) -> int:
        ticket = self._row("ticket", self._ticket)
        return int(self._new("/time_accountings", ticket_id=ticket["id"], time_unit="5")["id"])

    def _notification(self) -> int:
        """What the administrator is told of a ticket that a customer opens."""
        body = {"title": "A question", "group": "Users", "article": {"body": "Hello?"}}
        reply = self.zammad.send("POST", "/tickets", body, "--header", "From: 2")
        assert reply.status == 201, reply
        return int(self.zammad("/online_notifications").json[0]["id"])

    def _tag(self) -> int:
        self.count += 1
        self._new("/tag_list", name=f"row {self.count}")
        tags = self.zammad("/tag_list").json
        return int(next(tag["id"] for tag in tags if tag["name"] == f"row {self.count}"))

    def _address(self) -> int:
        self.count += 1
        return int(self._new("/email_addresses", email=f"row{self.count}@desk.example")["id"])

    def _attribute(self) -> int:
        self.count += 1
        added = self._new(
            "/object_manager_attributes",
            object="Ticket",
            name=f"row_{self.count}",
            display="Row",
            data_type="input",
            data_option={"type": "text", "maxlength": 40},
        )
        return int(added["id"])

    def _token(self) -> int:
        self._new("/user_access_token", name="to be revoked", permission=["ticket.agent"])
        return int(self.zammad("/user_access_token").json["tokens"][-1]["id"])


@pytest.fixture(scope="module")
def rows(admin: Curl) -> Rows:
    return Rows(admin)


@pytest.fixture(scope="module")
def commands(live_desk: LiveDesk, stranger: Curl) -> dict[tuple[str, str], str]:
    """The commands of both pages, by dialect and operation, as a reader copies them."""
    found = {}
    for reference in REFERENCES:
        tree = html.document_fromstring(stranger(f"/help/api/{reference.name}/").body)
        for code in tree.xpath("//code[@data-example]"):
            found[reference.name, code.get("data-example")] = code.text_content()
    return found


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the commands run: with a picture to be sent."""
    found = tmp_path_factory.mktemp("shell")
    (found / "front.jpg").write_bytes(b"\xff\xd8\xff\xe0 a picture")
    return found


class TestTheExamples:
    def test_are_all_on_their_pages(self, commands):
        assert sorted(commands) == sorted(
            (parameter.values[0].name, parameter.values[1].name) for parameter in EXAMPLES
        )

    @pytest.mark.parametrize(("reference", "operation"), EXAMPLES)
    def test_run(
        self,
        live_desk: LiveDesk,
        commands: dict[tuple[str, str], str],
        rows: Rows,
        folder: Path,
        reference: Reference,
        operation: Operation,
    ) -> None:
        command = rows.fill_in(commands[reference.name, operation.name])
        login, password = EXAMPLE_LOGIN.split(":")
        command = command.replace(
            f"--user {EXAMPLE_LOGIN}",
            f"--user '{live_desk.admin_email}:{live_desk.admin_password}'",
        )
        command = command.replace(
            f'"username": "{login}"', f'"username": "{live_desk.admin_email}"'
        )
        command = command.replace(
            f'"password": "{password}"', f'"password": "{live_desk.admin_password}"'
        )
        command += " \\\n  --silent --show-error --output answer --write-out '%{http_code}'"

        done = subprocess.run(
            ["sh", "-c", command],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=SECONDS,
        )

        assert done.returncode == 0, (command, done.stderr)
        answer = folder / "answer"
        said = answer.read_bytes()[:1000] if answer.exists() else b""
        assert done.stdout == str(operation.example.status), (command, said)
