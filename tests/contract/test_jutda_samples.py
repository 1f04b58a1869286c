"""The documented samples of the form API, sent by curl to a desk that was just set up.

Bodies as curl's ``--data`` makes them, and as PHP does: from a text, and from an array, which is
sent as multipart and asks first whether it may (``Expect: 100-continue``).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.contract.curl import Curl, Reply
from tests.live import LiveDesk

pytestmark = [pytest.mark.live, pytest.mark.once]

METHODS = [
    "create_ticket",
    "delete_ticket",
    "hold_ticket",
    "unhold_ticket",
    "add_followup",
    "resolve",
    "list_queues",
    "find_user",
]
UNKNOWN_TICKET = 31794

Send = Callable[..., Reply]


@pytest.fixture(scope="module")
def susan(admin: Curl) -> int:
    """The account of the documentation, susan with the password fido; her id."""
    made = admin.send(
        "POST",
        "/api/v1/users",
        {
            "login": "susan",
            "password": "fido",
            "email": "susan@example.com",
            "firstname": "Susan",
            "roles": ["Admin", "Agent", "All groups"],
        },
    )
    assert made.status == 201, made
    return int(made.json["id"])


@pytest.fixture
def ticket(admin: Curl) -> int:
    made = admin.send(
        "POST",
        "/api/tickets/",
        {
            "queue": 1,
            "title": "Printer on fire",
            "description": "It burns.",
            "submitter_email": "kemal@example.com",
        },
    )
    assert made.status == 201, made
    return int(made.json["id"])


@pytest.fixture
def read(admin: Curl) -> Callable[[int], Any]:
    """A ticket as the other API shows it."""

    def read_(number: int) -> Any:
        return admin(f"/api/tickets/{number}/").json

    return read_


def as_text(api: Curl, path: str, fields: dict[str, str]) -> Reply:
    """One ``--data`` of everything, as in the documentation's command and in its PHP."""
    return api(path, "--data", "&".join(f"{name}={value}" for name, value in fields.items()))


def as_parts(api: Curl, path: str, fields: dict[str, str]) -> Reply:
    """One option per parameter, encoded by curl."""
    options = [
        part for name, value in fields.items() for part in ("--data-urlencode", f"{name}={value}")
    ]
    return api(path, *options)


def as_multipart(api: Curl, path: str, fields: dict[str, str]) -> Reply:
    """What PHP makes of an array."""
    options = [
        part for name, value in fields.items() for part in ("--form-string", f"{name}={value}")
    ]
    return api(path, "--header", "Expect: 100-continue", *options)


def said(reply: Reply, status: int = 200, type_: str = "text/plain") -> str:
    """The text, once status and type are what they should be. No call leaves a cookie."""
    assert (reply.status, reply.type) == (status, type_), reply
    assert "set-cookie" not in reply.headers
    return reply.text


class TestTheDocumentedCall:
    """Putting a ticket on hold, in every way the documentation shows or a client sends."""

    @pytest.mark.parametrize("mount", ["/api/", "/helpdesk/api/"])
    @pytest.mark.parametrize("slash", ["/", ""])
    @pytest.mark.parametrize("name", ["user", "username"])
    @pytest.mark.parametrize("send", [as_text, as_parts, as_multipart])
    def test_holds_the_ticket(
        self,
        stranger: Curl,
        susan: int,
        ticket: int,
        read: Any,
        send: Send,
        name: str,
        slash: str,
        mount: str,
    ) -> None:
        fields = {name: "susan", "password": "fido", "ticket": str(ticket)}

        reply = send(stranger, f"{mount}hold_ticket{slash}", fields)

        assert said(reply) == "OK"
        assert read(ticket)["on_hold"] is True

    @pytest.mark.parametrize("name", ["user", "username"])
    def test_says_when_there_is_no_such_ticket(self, stranger: Curl, susan: int, name: str) -> None:
        reply = stranger(
            "/api/hold_ticket/", "--data", f"{name}=susan&password=fido&ticket={UNKNOWN_TICKET}"
        )

        assert said(reply, 404) == "Invalid ticket ID"

    def test_works_for_the_first_administrator(
        self, live_desk: LiveDesk, stranger: Curl, ticket: int
    ) -> None:
        for user in (live_desk.admin_email, live_desk.admin_email.title()):
            fields = {"user": user, "password": live_desk.admin_password, "ticket": str(ticket)}
            assert said(as_parts(stranger, "/api/hold_ticket/", fields)) == "OK"


@pytest.mark.parametrize("name", ["user", "username"])
class TestMethods:
    """The eight, each with both names for the account."""

    @pytest.fixture
    def call(self, stranger: Curl, susan: int, name: str) -> Send:
        def call_(method: str, **fields: str) -> Reply:
            body = {name: "susan", "password": "fido", **fields}
            return as_parts(stranger, f"/api/{method}/", body)

        return call_

    def test_create_ticket(self, call: Send, read: Any, susan: int) -> None:
        answer = said(
            call(
                "create_ticket",
                queue="1",
                title="Invoice 17 & more",
                body="Zwölf Boxkämpfer\r\njagen",
                submitter_email="kemal@example.com",
                assigned_to=str(susan),
                priority="2",
            )
        )

        assert answer.isdigit()
        made = read(int(answer))
        assert (made["queue"], made["title"]) == (1, "Invoice 17 & more")
        assert made["description"] == "Zwölf Boxkämpfer\r\njagen"
        assert made["submitter_email"] == "kemal@example.com"
        assert (made["assigned_to"], made["priority"]) == (susan, 2)
        assert (made["status"], made["on_hold"]) == (1, False)
        (entry,) = made["followup_set"]
        assert (entry["title"], entry["comment"], entry["public"], entry["user"]) == (
            "Ticket Opened & Assigned to Susan",
            "Zwölf Boxkämpfer\r\njagen",
            True,
            susan,
        )

    def test_create_ticket_with_what_the_documentation_lists_only(
        self, call: Send, read: Any
    ) -> None:
        answer = said(call("create_ticket", queue="1", title="T"))

        made = read(int(answer))
        assert (made["priority"], made["submitter_email"], made["assigned_to"]) == (3, None, None)
        assert not made["description"]
        assert made["followup_set"][0]["title"] == "Ticket Opened"

    def test_create_ticket_with_nothing(self, call: Send) -> None:
        blocks = said(call("create_ticket"), 400)

        assert sorted(blocks.split("\n* ")) == [
            "* queue\n  * This field is required.",
            "title\n  * This field is required.",
        ]

    def test_delete_ticket(self, call: Send, admin: Curl, ticket: int) -> None:
        refused = said(call("delete_ticket", ticket=str(ticket)), 400)
        assert refused == "No confirmation provided"
        assert said(call("delete_ticket", ticket="9999"), 400) == "No confirmation provided"

        assert said(call("delete_ticket", ticket=str(ticket), confirm="no")) == "OK"

        assert admin(f"/api/tickets/{ticket}/").status == 404
        again = call("delete_ticket", ticket=str(ticket), confirm="no")
        assert said(again, 404) == "Invalid ticket ID"

    def test_hold_and_unhold(self, call: Send, read: Any, ticket: int) -> None:
        before = read(ticket)
        for method, on_hold in (("hold_ticket", True), ("unhold_ticket", False)):
            for _ in range(2):
                assert said(call(method, ticket=str(ticket))) == "OK"
                assert read(ticket) == {**before, "on_hold": on_hold}
        assert said(call("hold_ticket", ticket="99999"), 404) == "Invalid ticket ID"
        assert said(call("hold_ticket", ticket="abc"), 404) == "Invalid ticket ID"

    @pytest.mark.parametrize(
        ("public", "is_public"), [({}, False), ({"public": "n"}, False), ({"public": "y"}, True)]
    )
    def test_add_followup(
        self, call: Send, read: Any, ticket: int, susan: int, public: Any, is_public: bool
    ) -> None:
        text = "<b>bold</b> & more"
        before = read(ticket)

        assert said(call("add_followup", ticket=str(ticket), message=text, **public)) == "OK"

        after = read(ticket)
        entry = after["followup_set"][-1]
        assert (entry["title"], entry["comment"]) == ("Comment Added", text)
        assert (entry["public"], entry["user"]) == (is_public, susan)
        assert entry["email_recipients"] == (["kemal@example.com"] if is_public else [])
        assert after == {**before, "followup_set": [*before["followup_set"], entry]}

    def test_add_followup_that_is_wrong(self, call: Send, read: Any, ticket: int) -> None:
        before = read(ticket)

        for fields, status, text in (
            ({"message": "m", "public": "maybe"}, 400, "Invalid 'public' flag"),
            ({"public": "y"}, 400, "Blank message"),
            ({"ticket": "9999", "public": "maybe"}, 404, "Invalid ticket ID"),
        ):
            reply = call("add_followup", **{"ticket": str(ticket), **fields})
            assert said(reply, status) == text
        assert read(ticket) == before

    def test_resolve(self, call: Send, read: Any, ticket: int, susan: int) -> None:
        assert said(call("resolve", ticket=str(ticket)), 400) == "Blank resolution"

        assert said(call("resolve", ticket=str(ticket), resolution="<i>Put out.</i>")) == "OK"

        after = read(ticket)
        entry = after["followup_set"][-1]
        assert (after["status"], after["resolution"]) == (3, "<i>Put out.</i>")
        assert (entry["title"], entry["comment"]) == ("Resolved", "<i>Put out.</i>")
        assert (entry["public"], entry["user"]) == (True, susan)
        assert entry["email_recipients"] == ["kemal@example.com"]

    def test_list_queues(self, call: Send) -> None:
        assert said(call("list_queues"), 200, "text/json") == '[{"id": "1", "title": "Users"}]'

    def test_find_user(self, stranger: Curl, call: Send, susan: int, name: str) -> None:
        if name == "username":
            assert said(call("find_user")) == str(susan)
            return
        assert said(call("find_user", username="susan")) == str(susan)
        assert said(call("find_user", username="ada@example.com")) == "3"
        for unknown in ("SUSAN", "OWNER", ""):
            reply = call("find_user", username=unknown)
            assert said(reply, 404) == "Invalid username provided"

    def test_no_such_method(self, call: Send) -> None:
        assert said(call("nope"), 400) == "Error"


class TestRefusals:
    @pytest.mark.parametrize("method", [*METHODS, "nope"])
    @pytest.mark.parametrize(
        "body",
        [
            "user=susan&password=wrong&ticket=1",
            "user=nobody&password=fido&ticket=1",
            "user=nobody&username=susan&password=fido&ticket=1",
            "user=&password=&ticket=1",
        ],
    )
    def test_of_credentials(self, stranger: Curl, susan: int, method: str, body: str) -> None:
        reply = stranger(f"/api/{method}/", "--data", body)

        assert said(reply, 403) == "Invalid username or password"

    def test_of_basic_credentials_alone_and_of_json(self, admin: Curl, susan: int) -> None:
        alone = admin("/api/list_queues/", "--data", "")
        as_json = admin.send("POST", "/api/list_queues/", {"user": "susan", "password": "fido"})
        in_query = admin("/api/list_queues/?user=susan&password=fido", "--data", "")

        for reply in (alone, as_json, in_query):
            assert said(reply, 403) == "Invalid username or password"

    @pytest.mark.parametrize("method", METHODS)
    @pytest.mark.parametrize("verb", ["GET", "PUT", "DELETE", "PATCH", "OPTIONS"])
    def test_of_other_verbs(self, stranger: Curl, susan: int, method: str, verb: str) -> None:
        reply = stranger(
            f"/api/{method}/", "--request", verb, "--data", "user=susan&password=fido&ticket=1"
        )

        assert said(reply, 405) == "Invalid request method"
        assert reply.headers["allow"] == "POST"

    def test_of_customers(self, admin: Curl, stranger: Curl) -> None:
        made = admin.send(
            "POST",
            "/api/v1/users",
            {"login": "kim", "password": "fido", "email": "kim@example.com", "roles": ["Customer"]},
        )
        assert made.status == 201

        for method in METHODS:
            reply = stranger(f"/api/{method}/", "--data", "user=kim&password=fido&ticket=1")
            assert said(reply, 403) == "Invalid username or password"


class TestNeighbours:
    @pytest.mark.parametrize("slash", ["/", ""])
    @pytest.mark.parametrize(
        "name", ["tickets", "user_tickets", "followups", "followups-attachments", "users"]
    )
    def test_rest_names_are_rest(self, stranger: Curl, susan: int, name: str, slash: str) -> None:
        reply = stranger(f"/api/{name}{slash}", "--data", "user=susan&username=susan&password=fido")

        assert (reply.status, reply.type) == (403, "application/json")

    def test_unknown_names_without_a_form_are_nobodys(self, stranger: Curl) -> None:
        for arguments in ((), ("--data", "a=b"), ("--request", "PUT")):
            reply = stranger("/api/nope/", *arguments)
            assert (reply.status, reply.json) == (404, {"detail": "Not found."})

    @pytest.mark.parametrize("path", ["/api/help/", "/help/api/", "/api/help", "/help/api"])
    def test_the_documentation_is_public(
        self, live_desk: LiveDesk, stranger: Curl, path: str
    ) -> None:
        page = stranger(path, "--location")

        assert page.status == 200 or page.headers.get("location"), page
        shown = page if page.status == 200 else stranger(page.headers["location"])
        assert shown.type.startswith("text/html")
        for anchor in ("introduction", "request", "response", "methods"):
            assert f'id="{anchor}"' in shown.text
        for method in METHODS:
            assert f'id="method_{method}"' in shown.text
        assert f"{live_desk.url}/api/hold_ticket/" in shown.text
