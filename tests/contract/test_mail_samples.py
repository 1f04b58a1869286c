"""Who is mailed about what the form API does, as files of the outbox folder of a running desk."""

from __future__ import annotations

import email
import email.policy
import os
import time
from collections.abc import Callable, Iterable, Iterator
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

from tests.contract.curl import Curl
from tests.live import LiveDesk

pytestmark = pytest.mark.live

#: Longer than a desk needs; a busy machine may be slow.
SECONDS = 5

CUSTOMER = "kemal@example.com"
OWNER = "olga@example.com"
COPY = "copy@example.com"
NEW_CC = "new-cc@example.com"
UPDATED_CC = "updated-cc@example.com"

CONFIGURATION = f"""
[[group]]
name = "Users"
email = "support@example.com"
new_ticket_cc = ["{NEW_CC}"]
updated_ticket_cc = ["{UPDATED_CC}"]
"""

#: How somebody is put on copy: no dialect has a call for it, the workspace has.
ADD_COPY = """
from deskbell.kernel.actor import SYSTEM
from deskbell.kernel.clock import now
from deskbell.tickets.operations import add_copies

def work(ticket, address):
    add_copies(ticket, [address], actor=SYSTEM, at=now())
"""


@pytest.fixture(scope="module")
def add_copy(live_desk: LiveDesk) -> Iterator[Callable[[int, str], None]]:
    """Puts an address on copy of a ticket."""
    with live_desk.beside(ADD_COPY) as work:
        yield work


@pytest.fixture(scope="module")
def people(live_desk: LiveDesk, admin: Curl, tmp_path_factory: Any) -> dict[str, int]:
    """The group with its copies; susan, who calls, and the owners of tickets, by login."""
    file = tmp_path_factory.mktemp("mail") / "desk.toml"
    file.write_text(CONFIGURATION)
    live_desk.run("apply", str(file))
    made = {}
    for login in ("susan", "olga"):
        reply = admin.send(
            "POST",
            "/api/v1/users",
            {
                "login": login,
                "password": "fido",
                "email": f"{login}@example.com",
                "firstname": login.title(),
                "roles": ["Agent", "All groups", "Admin"],
            },
        )
        assert reply.status == 201, reply
        made[login] = int(reply.json["id"])
    return made


@pytest.fixture
def outbox(live_desk: LiveDesk) -> Path:
    return live_desk.data / "outbox"


def call(stranger: Curl, method: str, **fields: object) -> str:
    options = [
        part for name, value in fields.items() for part in ("--data-urlencode", f"{name}={value}")
    ]
    reply = stranger(f"/api/{method}/", "--data", "user=susan&password=fido", *options)
    assert (reply.status, reply.type) == (200, "text/plain"), reply
    return reply.text


def messages(outbox: Path, ticket: str) -> list[EmailMessage]:
    """The mails about a ticket, oldest first."""
    if not outbox.exists():
        return []
    found = []
    for name in sorted(os.listdir(outbox), key=lambda name: (len(name), name)):
        if name.endswith(".eml"):
            message = email.message_from_bytes(
                (outbox / name).read_bytes(), policy=email.policy.default
            )
            assert isinstance(message, EmailMessage)
            if f"[users-{ticket}]" in str(message["Subject"]):
                found.append(message)
    return found


def awaited(outbox: Path, ticket: str, count: int) -> list[EmailMessage]:
    """The mails about a ticket, as soon as there are so many of them."""
    until = time.monotonic() + SECONDS
    while len(found := messages(outbox, ticket)) < count and time.monotonic() < until:
        time.sleep(0.02)
    return found


def reached(found: Iterable[EmailMessage]) -> list[str]:
    """Whom the mails are for; each has one recipient only."""
    addresses = [message["To"].addresses for message in found]
    assert all(len(some) == 1 for some in addresses)
    assert all(message["Cc"] is None and message["Bcc"] is None for message in found)
    return sorted(some[0].addr_spec.lower() for some in addresses)


@pytest.fixture
def ticket(
    add_copy: Callable[[int, str], None], stranger: Curl, outbox: Path, people: dict[str, int]
) -> str:
    """A ticket of a customer, with an owner and somebody on copy, whose first mails are out."""
    number = call(
        stranger,
        "create_ticket",
        queue=1,
        title="Printer on fire",
        body="It burns.",
        submitter_email=CUSTOMER,
        assigned_to=people["olga"],
    )
    assert len(awaited(outbox, number, 4)) == 4
    add_copy(int(number), COPY)
    return number


class TestCreateTicket:
    def test_mails_customer_both_copies_and_owner(
        self, stranger: Curl, outbox: Path, people: dict[str, int]
    ) -> None:
        number = call(
            stranger,
            "create_ticket",
            queue=1,
            title="Tür klemmt",
            body="Sie geht nicht auf.",
            submitter_email=CUSTOMER,
            assigned_to=people["olga"],
        )

        found = awaited(outbox, number, 4)

        assert reached(found) == [CUSTOMER, NEW_CC, OWNER, UPDATED_CC]
        for message in found:
            assert message["Subject"] == f"[users-{number}] Tür klemmt (Opened)"
            assert message["From"].addresses[0].addr_spec == "support@example.com"
            assert message["Auto-Submitted"] == "auto-generated"
            assert message["Message-ID"]
            kinds = [part.get_content_type() for part in message.walk()]
            assert kinds == ["multipart/alternative", "text/plain", "text/html"]
        assert len({str(message["Message-ID"]) for message in found}) == 4

    def test_spares_the_owner_who_opens_it_and_who_is_meant_twice(
        self, stranger: Curl, outbox: Path, people: dict[str, int]
    ) -> None:
        number = call(
            stranger,
            "create_ticket",
            queue=1,
            title="Mine",
            submitter_email=UPDATED_CC.upper(),
            assigned_to=people["susan"],
        )

        call(stranger, "add_followup", ticket=number, message="m", public="n")
        call(stranger, "add_followup", ticket=number, message="m", public="y")
        found = awaited(outbox, number, 3)

        # The private entry is not for the customer, though the group names the address too.
        assert reached(found) == [NEW_CC, UPDATED_CC, UPDATED_CC]


class TestAddFollowup:
    def test_mails_everybody_about_a_public_one(
        self, stranger: Curl, outbox: Path, ticket: str
    ) -> None:
        call(stranger, "add_followup", ticket=ticket, message="Put it out <now>.", public="y")

        found = awaited(outbox, ticket, 8)[4:]

        assert reached(found) == [COPY, CUSTOMER, OWNER, UPDATED_CC]
        for message in found:
            assert message["Subject"] == f"[users-{ticket}] Printer on fire (Updated)"
            text, html = (part.get_content() for part in message.iter_parts())
            assert "Put it out <now>." in text
            assert "Put it out &lt;now&gt;." in html

    @pytest.mark.parametrize("public", [{}, {"public": "n"}])
    def test_mails_staff_only_about_a_private_one(
        self, stranger: Curl, outbox: Path, ticket: str, public: dict[str, str]
    ) -> None:
        call(stranger, "add_followup", ticket=ticket, message="He is rude.", **public)

        found = awaited(outbox, ticket, 6)[4:]

        assert reached(found) == [OWNER, UPDATED_CC]
        assert all("He is rude." in message.as_string() for message in found)


class TestResolve:
    def test_mails_everybody(self, stranger: Curl, outbox: Path, ticket: str) -> None:
        call(stranger, "resolve", ticket=ticket, resolution="Extinguished.")

        found = awaited(outbox, ticket, 8)[4:]

        assert reached(found) == [COPY, CUSTOMER, OWNER, UPDATED_CC]
        for message in found:
            assert message["Subject"] == f"[users-{ticket}] Printer on fire (Resolved)"
            assert "Extinguished." in message.as_string()


class TestTheRest:
    def test_mails_nobody(self, stranger: Curl, outbox: Path, ticket: str) -> None:
        call(stranger, "hold_ticket", ticket=ticket)
        call(stranger, "unhold_ticket", ticket=ticket)
        # What follows shows that the desk had the time to send more.
        call(stranger, "add_followup", ticket=ticket, message="m")
        assert reached(awaited(outbox, ticket, 6)[4:]) == [OWNER, UPDATED_CC]

        call(stranger, "delete_ticket", ticket=ticket, confirm="y")
        other = call(stranger, "create_ticket", queue=1, title="Another")

        assert reached(awaited(outbox, other, 2)) == [NEW_CC, UPDATED_CC]
        assert len(messages(outbox, ticket)) == 6


class TestOtherDialects:
    """The same events through the other two APIs reach the same people."""

    def test_create(self, admin: Curl, outbox: Path, people: dict[str, int]) -> None:
        by_rest = admin.send(
            "POST",
            "/api/tickets/",
            {
                "queue": 1,
                "title": "T",
                "description": "D",
                "submitter_email": CUSTOMER,
                "assigned_to": people["olga"],
            },
        ).json
        by_phone = admin.send(
            "POST",
            "/api/v1/tickets",
            {
                "title": "T",
                "group": "Users",
                "customer": CUSTOMER,
                "owner": "olga",
                "article": {"body": "D", "type": "phone", "sender": "Customer"},
            },
        ).json

        assert by_rest["followup_set"][0]["email_recipients"] == [
            CUSTOMER,
            NEW_CC,
            OWNER,
            UPDATED_CC,
        ]
        for number in (by_rest["id"], by_phone["id"]):
            found = awaited(outbox, str(number), 4)
            assert reached(found) == [CUSTOMER, NEW_CC, OWNER, UPDATED_CC]

    def test_entries(self, admin: Curl, outbox: Path, ticket: str) -> None:
        public = admin.send(
            "POST",
            "/api/followups/",
            {"ticket": int(ticket), "title": "T", "comment": "Public", "public": True},
        ).json
        mail = admin.send(
            "POST",
            "/api/v1/ticket_articles",
            {"ticket_id": int(ticket), "body": "Mail", "type": "email", "to": CUSTOMER},
        )
        note = admin.send(
            "POST",
            "/api/v1/ticket_articles",
            {"ticket_id": int(ticket), "body": "Note", "internal": True},
        )

        assert (mail.status, note.status) == (201, 201), (mail, note)
        everybody = [COPY, CUSTOMER, OWNER, UPDATED_CC]
        assert public["email_recipients"] == everybody
        found = awaited(outbox, ticket, 14)[4:]
        by_text = {
            # Below a letter stands what was written before.
            word: reached(one for one in found if word in one.as_string().split(" wrote:\n")[0])
            for word in ("Public", "Mail", "Note")
        }
        assert by_text == {"Public": everybody, "Mail": everybody, "Note": [OWNER, UPDATED_CC]}
        assert len(found) == 10
