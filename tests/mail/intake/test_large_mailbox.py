"""A mailbox of a hundred thousand messages: few round trips, looks that end, nothing twice."""

from __future__ import annotations

import os
import re
import socketserver
import threading
from collections import Counter

import pytest

from deskbell.mail.intake import visit
from deskbell.mail.models import IncomingMail
from tests.mail.intake.conftest import look, message

NUMBER = 100_000
LOOK = 200


class Server(socketserver.ThreadingTCPServer):
    """Enough of IMAP, over real sockets, for a mailbox that nobody has to fill."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Conversation)
        self.validity = 1
        self.first = 1
        self.number = NUMBER
        self.asked: Counter[str] = Counter()
        #: Messages handed over whole.
        self.given: Counter[int] = Counter()

    def uids(self, text: str) -> list[int]:
        last = self.first + self.number - 1
        found: list[int] = []
        for part in text.split(","):
            low, _, high = part.partition(":")
            end = last if high == "*" else int(high or low)
            found += range(max(int(low), self.first), min(end, last) + 1)
        return found


class Conversation(socketserver.StreamRequestHandler):
    server: Server

    def handle(self) -> None:
        self.say("* OK ready")
        for raw in self.rfile:
            tag, _, words = raw.decode().strip().partition(" ")
            verb = words.split()[1] if words.startswith("UID ") else words.split()[0]
            self.server.asked[verb.upper()] += 1
            getattr(self, f"do_{verb.lower()}", lambda words: None)(words)
            self.say(f"{tag} OK done")
            if verb.upper() == "LOGOUT":
                return

    def say(self, line: str) -> None:
        self.wfile.write(line.encode() + b"\r\n")

    def do_capability(self, words: str) -> None:
        self.say("* CAPABILITY IMAP4rev1 UIDPLUS")

    def do_select(self, words: str) -> None:
        self.say(f"* {self.server.number} EXISTS")
        self.say(f"* OK [UIDVALIDITY {self.server.validity}] here")
        self.say(f"* OK [UIDNEXT {self.server.first + self.server.number}] next")

    def do_search(self, words: str) -> None:
        wanted = re.search(r"UID (\d+):\*", words)
        assert wanted is not None
        found = self.server.uids(f"{wanted[1]}:*")
        self.say("* SEARCH " + " ".join(map(str, found)))

    def do_fetch(self, words: str) -> None:
        for uid in self.server.uids(words.split()[2]):
            number = uid - self.server.first + 1
            content = message(number)
            if "BODY.PEEK[]" in words:
                self.server.given[number] += 1
                part, literal = "BODY[]", content
            elif "HEADER.FIELDS" in words:
                id_ = re.search(rb"(?im)^message-id:.*?$", content)
                assert id_ is not None
                part, literal = "BODY[HEADER.FIELDS (MESSAGE-ID)]", id_[0] + b"\r\n\r\n"
            else:
                self.say(f"* {number} FETCH (UID {uid} RFC822.SIZE {len(content)})")
                continue
            self.say(
                f"* {number} FETCH (UID {uid} RFC822.SIZE {len(content)} FLAGS () "
                f'INTERNALDATE "01-Jan-2035 00:00:00 +0000" {part} {{{len(literal)}}}'
            )
            self.wfile.write(literal + b")\r\n")


@pytest.fixture
def server():
    server = Server()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.mark.once
@pytest.mark.timeout(300)
@pytest.mark.skipif("DESKBELL_TEST_ALL" not in os.environ, reason="takes long: DESKBELL_TEST_ALL=1")
def test_is_read_look_by_look_and_numbered_anew_without_doubling(server, new_channel, monkeypatch):
    whole = visit.Budget
    monkeypatch.setattr(visit, "Budget", lambda: whole(messages=LOOK))
    settings = {
        "host": "127.0.0.1",
        "port": server.server_address[1],
        "security": "none",
        "login": "help",
        "start": "all",
    }
    channel = new_channel("imap", settings, password="secret")

    assert (look(channel), channel.alarm) == (LOOK, "")

    assert (server.asked["SEARCH"], server.asked["FETCH"]) == (1, 4)
    assert channel.cursor["wanted"] == f"{LOOK + 1}:{NUMBER}"
    assert look(channel) == LOOK
    assert server.asked["SEARCH"] == 1
    assert server.given == Counter(range(1, 2 * LOOK + 1))

    # What was taken has been read, or it could not be known again.
    for row in IncomingMail.objects.all():
        number = int(row.key.rpartition(":")[2])
        id_ = re.search(rb"(?im)^message-id: *<(.*)>", message(number))
        assert id_ is not None
        IncomingMail.objects.filter(pk=row.pk).update(message_id=id_[1].decode())
    # Each header of a renumbered mailbox is looked at once: fewer of them show the same.
    server.validity, server.first, server.number = 2, 500_001, 5_000
    server.asked.clear()

    assert look(channel) == LOOK

    # Ten commands for all headers, and none for a message that is ours.
    assert server.asked["FETCH"] <= 5_000 // 500 + 4
    assert server.given == Counter(range(1, 3 * LOOK + 1))
    assert IncomingMail.objects.count() == 3 * LOOK
    assert IncomingMail.objects.exclude(copy_of=None).count() == 0
    assert channel.cursor["wanted"] == f"{500_001 + 3 * LOOK}:{505_000}"
