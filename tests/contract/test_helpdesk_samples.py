"""The documented samples of django-helpdesk's API, sent by curl to a desk that was just set up."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from tests.contract.curl import Curl, Reply
from tests.live import LiveDesk

pytestmark = [pytest.mark.live, pytest.mark.once]

#: "admin:admin", as the documentation has it.
AUTHORIZATION = "Authorization: Basic YWRtaW46YWRtaW4="
JSON = "Content-Type: application/json"
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{6})?Z\Z")

TICKET_KEYS = [
    "id", "queue", "title", "description", "resolution", "submitter_email", "assigned_to",
    "status", "on_hold", "priority", "due_date", "merged_to", "followup_set",
]  # fmt: skip
FOLLOWUP_KEYS = [
    "id", "ticket", "user", "title", "comment", "public", "new_status", "time_spent",
    "followupattachment_set", "date", "message_id", "email_recipients",
]  # fmt: skip
ATTACHMENT_KEYS = ["id", "followup", "file", "filename", "mime_type", "size"]
OWN_TICKET_KEYS = [
    "ticket", "id", "title", "queue", "status", "created", "due_date", "submitter", "kbitem",
    "secret_key",
]  # fmt: skip

CREATE = (
    '{"queue": 1, "title": "Test Ticket API", "description": "Test create ticket from API",'
    ' "submitter_email": "test@mail.com", "priority": 4}'
)


@pytest.fixture(scope="module")
def documented(admin: Curl) -> int:
    """The account of the documentation, admin with the password admin; its id."""
    made = admin.send(
        "POST",
        "/api/v1/users",
        {
            "login": "admin",
            "password": "admin",
            "email": "admin@example.com",
            "firstname": "Ad",
            "lastname": "Min",
            "roles": ["Admin", "Agent", "All groups"],
        },
    )
    assert made.status == 201, made
    return int(made.json["id"])


@pytest.fixture(scope="module", params=["/api/", "/helpdesk/api/"])
def mount(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module", params=["first admin", "documented"])
def api(
    request: pytest.FixtureRequest, admin: Curl, stranger: Curl, documented: int, mount: str
) -> Curl:
    """The API for the first administrator, and for the one in the documentation's header."""
    if request.param == "first admin":
        return admin.below(mount)
    return stranger.with_("--header", AUTHORIZATION).below(mount)


def told(reply: Reply, status: int) -> Any:
    """The answer's value, once status, type and headers are what all answers share."""
    assert (reply.status, reply.type) == (status, "application/json"), reply
    assert reply.headers["vary"] == "Accept, Cookie"
    assert reply.headers["x-content-type-options"] == "nosniff"
    assert reply.headers["x-frame-options"] == "DENY"
    assert reply.headers["allow"]
    return reply.json


def assert_ticket(ticket: dict[str, Any]) -> None:
    assert list(ticket) == TICKET_KEYS
    for entry in ticket["followup_set"]:
        assert_followup(entry, ticket["id"])


def assert_followup(entry: dict[str, Any], ticket_id: int) -> None:
    assert list(entry) == FOLLOWUP_KEYS
    assert entry["ticket"] == ticket_id
    assert MOMENT.match(entry["date"])
    for file in entry["followupattachment_set"]:
        assert list(file) == ATTACHMENT_KEYS
        assert file["followup"] == entry["id"]


def create(api: Curl, **more: Any) -> dict[str, Any]:
    made = api.send("POST", "tickets/", {"queue": 1, "title": "T", "description": "D", **more})
    assert made.status == 201, made
    return dict(made.json)


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    """Files as the documentation names them."""
    contents = {
        "file.txt": b"hello",
        "doc.pdf": b"%PDF-1.7 of a kind\n",
        "image.png": b"\x89PNG\r\n\x1a\n" + bytes(range(256)),
    }
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
    return {name: tmp_path / name for name in contents}


class TestRoot:
    @pytest.mark.parametrize("path", ["", ".json"])
    def test_needs_no_sign_in(
        self, live_desk: LiveDesk, stranger: Curl, mount: str, path: str
    ) -> None:
        body = told(stranger(mount + path), 200)

        assert list(body) == [
            "tickets",
            "user_tickets",
            "followups",
            "followups-attachments",
            "users",
        ]
        ending = path or "/"
        assert body == {name: f"{live_desk.url}{mount}{name}{ending}" for name in body}
        posted = stranger(mount + path, "--data", "a=b")
        assert told(posted, 405) == {"detail": 'Method "POST" not allowed.'}


class TestTickets:
    @pytest.mark.parametrize("slash", ["/", ""])
    def test_create(self, api: Curl, slash: str) -> None:
        reply = api(
            f"tickets{slash}",
            "--location",
            "--request",
            "POST",
            "--header",
            JSON,
            "--data-raw",
            CREATE,
        )

        ticket = told(reply, 201)
        assert_ticket(ticket)
        (entry,) = ticket.pop("followup_set")
        assert ticket == {
            "id": ticket["id"],
            "queue": 1,
            "title": "Test Ticket API",
            "description": "Test create ticket from API",
            "resolution": None,
            "submitter_email": "test@mail.com",
            "assigned_to": None,
            "status": 1,
            "on_hold": False,
            "priority": 4,
            "due_date": None,
            "merged_to": None,
        }
        assert entry == {
            "id": entry["id"],
            "ticket": ticket["id"],
            "user": entry["user"],
            "title": "Ticket Opened",
            "comment": "Test create ticket from API",
            "public": True,
            "new_status": None,
            "time_spent": None,
            "followupattachment_set": [],
            "date": entry["date"],
            "message_id": None,
            "email_recipients": ["test@mail.com"],
        }

    def test_create_with_a_file(self, live_desk: LiveDesk, api: Curl, files: Any) -> None:
        reply = api(
            "tickets/",
            "--location",
            "--request",
            "POST",
            "--form",
            'queue="1"',
            "--form",
            'title="Test Ticket API with attachment"',
            "--form",
            'description="Test create ticket from API avec attachment"',
            "--form",
            'submitter_email="test@mail.com"',
            "--form",
            'priority="2"',
            "--form",
            f'attachment=@"{files["file.txt"]}"',
        )

        ticket = told(reply, 201)
        assert_ticket(ticket)
        assert (ticket["title"], ticket["priority"]) == ("Test Ticket API with attachment", 2)
        (file,) = ticket["followup_set"][0]["followupattachment_set"]
        assert (file["filename"], file["mime_type"], file["size"]) == ("file.txt", "text/plain", 5)
        assert file["file"].startswith(live_desk.url)
        address = file["file"].removeprefix(live_desk.url)
        loaded = Curl(live_desk.url, api.always)(address)
        assert (loaded.status, loaded.body) == (200, b"hello")
        refused = Curl(live_desk.url)(address)
        assert refused.status == 403
        assert b"hello" not in refused.body

    def test_status_hold_resolution_and_pointer_are_not_for_new_tickets(self, api: Curl) -> None:
        other = create(api)

        ticket = create(api, status=3, on_hold=True, resolution="no", merged_to=other["id"])

        assert (ticket["status"], ticket["on_hold"]) == (1, False)
        assert (ticket["resolution"], ticket["merged_to"]) == (None, None)

    def test_assigned_at_once(self, api: Curl, documented: int) -> None:
        ticket = create(api, assigned_to=documented)

        assert ticket["assigned_to"] == documented
        assert ticket["followup_set"][0]["title"] == "Ticket Opened & Assigned to Ad Min"

    @pytest.mark.parametrize("slash", ["/", ""])
    def test_list_and_show(self, api: Curl, slash: str) -> None:
        made = create(api)

        listed = told(api(f"tickets{slash}?page=last"), 200)
        shown = told(api(f"tickets/{made['id']}{slash}"), 200)

        assert list(listed) == ["count", "next", "previous", "results"]
        assert shown == listed["results"][-1] == made
        assert told(api(f"tickets/{made['id']}.json"), 200) == made
        assert told(api(f"tickets.json?page_size=1&page={listed['count']}"), 200)["results"] == [
            made
        ]
        for ticket in listed["results"]:
            assert_ticket(ticket)

    def test_pages(self, live_desk: LiveDesk, api: Curl, mount: str) -> None:
        while told(api("tickets/"), 200)["count"] < 7:
            create(api)
        here = f"{live_desk.url}{mount}tickets/"

        second = told(api("tickets/?page_size=3&page=2"), 200)

        assert second["next"] == f"{here}?page=3&page_size=3"
        assert second["previous"] == f"{here}?page_size=3"
        assert len(second["results"]) == 3
        first = told(api("tickets/?page_size=3&status=1,3"), 200)
        assert first["previous"] is None
        assert first["next"] == f"{here}?page=2&page_size=3&status=1%2C3"
        ids = [ticket["id"] for ticket in first["results"]]
        assert ids == sorted(ids)
        assert told(api("tickets/?page=9999"), 404) == {"detail": "Invalid page."}

    @pytest.mark.parametrize("slash", ["/", ""])
    def test_put_of_all_fields(self, api: Curl, documented: int, slash: str) -> None:
        made, other = create(api), create(api)
        body = {
            "queue": 1,
            "title": "Test Ticket API",
            "description": "Test update ticket from API",
            "resolution": "It is repaired",
            "submitter_email": "other@mail.com",
            "assigned_to": documented,
            "status": 3,
            "on_hold": True,
            "priority": 1,
            "due_date": "2031-05-06T07:08:09Z",
            "merged_to": other["id"],
        }

        changed = told(api.send("PUT", f"tickets/{made['id']}{slash}", body, "--location"), 200)

        assert changed == {**made, **body}
        assert list(changed) == TICKET_KEYS
        assert told(api(f"tickets/{made['id']}/"), 200) == changed

    @pytest.mark.parametrize("slash", ["/", ""])
    def test_patch_of_some(self, api: Curl, slash: str) -> None:
        made = create(api)

        changed = told(api.send("PATCH", f"tickets/{made['id']}{slash}", {"status": 4}), 200)

        assert changed == {**made, "status": 4}
        assert told(api.send("PATCH", f"tickets/{made['id']}{slash}", {}), 200) == changed
        as_form = api(f"tickets/{made['id']}{slash}", "--request", "PATCH", "--data", "priority=5")
        assert told(as_form, 200) == {**changed, "priority": 5}

    @pytest.mark.parametrize("slash", ["/", ""])
    def test_delete(self, api: Curl, slash: str) -> None:
        made = create(api)

        gone = api(f"tickets/{made['id']}{slash}", "--location", "--request", "DELETE")

        assert (gone.status, gone.body, gone.type) == (204, b"", "")
        for verb in ("GET", "DELETE"):
            again = api(f"tickets/{made['id']}{slash}", "--request", verb)
            assert told(again, 404) == {"detail": "No Ticket matches the given query."}
        lost = api(f"followups/{made['followup_set'][0]['id']}{slash}")
        assert told(lost, 404) == {"detail": "No FollowUp matches the given query."}

    def test_errors_name_all_wrong_fields(self, api: Curl) -> None:
        refused = api.send("POST", "tickets/", {"priority": 9, "queue": 999})

        assert told(refused, 400) == {
            "queue": ['Invalid pk "999" - object does not exist.'],
            "title": ["This field is required."],
            "description": ["This field is required."],
            "priority": ['"9" is not a valid choice.'],
        }


class TestFollowups:
    @pytest.mark.parametrize("slash", ["/", ""])
    def test_create_with_files(
        self, live_desk: LiveDesk, api: Curl, files: Any, slash: str
    ) -> None:
        ticket = create(api)

        reply = api(
            f"followups{slash}",
            "--location",
            "--request",
            "POST",
            "--form",
            f'ticket="{ticket["id"]}"',
            "--form",
            'title="Test ticket answer"',
            "--form",
            'comment="This answer contains multiple files as attachment."',
            "--form",
            f'attachments=@"{files["doc.pdf"]}"',
            "--form",
            f'attachments=@"{files["image.png"]}"',
        )

        entry = told(reply, 201)
        assert_followup(entry, ticket["id"])
        assert (entry["title"], entry["comment"]) == (
            "Test ticket answer",
            "This answer contains multiple files as attachment.",
        )
        assert (entry["public"], entry["new_status"], entry["time_spent"]) == (False, None, None)
        assert [
            (file["filename"], file["mime_type"], file["size"])
            for file in entry["followupattachment_set"]
        ] == [
            ("doc.pdf", "application/pdf", files["doc.pdf"].stat().st_size),
            ("image.png", "image/png", files["image.png"].stat().st_size),
        ]
        for file in entry["followupattachment_set"]:
            address = file["file"].removeprefix(live_desk.url)
            loaded = Curl(live_desk.url, api.always)(address)
            assert (loaded.status, loaded.body) == (200, files[file["filename"]].read_bytes())
            assert told(api(f"followups-attachments/{file['id']}{slash}"), 200) == file
        # The title of an entry is not the ticket's.
        after = told(api(f"tickets/{ticket['id']}/"), 200)
        assert after == {**ticket, "followup_set": [*ticket["followup_set"], entry]}

    def test_put_patch_and_delete(self, api: Curl) -> None:
        ticket = create(api)
        body = {"ticket": ticket["id"], "title": "Answer", "comment": "One", "public": True}
        made = told(api.send("POST", "followups/", {**body, "time_spent": "00:01:30"}), 201)
        path = f"followups/{made['id']}"

        put = told(api.send("PUT", path, {"ticket": ticket["id"], "comment": "Two"}), 200)
        patched = told(api.send("PATCH", f"{path}/", {"title": "Other"}), 200)
        listed = told(api("followups/?page=last"), 200)

        assert made["time_spent"] == "00:01:30"
        assert (put["comment"], put["public"], put["time_spent"]) == ("Two", True, "00:01:30")
        assert patched == {**put, "title": "Other"}
        assert patched in listed["results"]
        gone = api(path, "--request", "DELETE")
        assert (gone.status, gone.body) == (204, b"")
        assert told(api(path), 404) == {"detail": "No FollowUp matches the given query."}

    def test_resolving(self, api: Curl) -> None:
        ticket = create(api)

        entry = told(
            api.send(
                "POST",
                "followups/",
                {"ticket": ticket["id"], "title": "Done", "comment": "Fixed", "new_status": 3},
            ),
            201,
        )

        assert (entry["title"], entry["new_status"]) == ("Done and Resolved", 3)
        after = told(api(f"tickets/{ticket['id']}"), 200)
        assert (after["status"], after["resolution"]) == (3, "Fixed")


class TestAttachments:
    @pytest.mark.parametrize("slash", ["/", ""])
    def test_create_rename_and_delete(self, api: Curl, files: Any, slash: str) -> None:
        entry = create(api)["followup_set"][0]

        made = told(
            api(
                f"followups-attachments{slash}",
                "--form",
                f"followup={entry['id']}",
                "--form",
                f"file=@{files['image.png']}",
            ),
            201,
        )

        assert list(made) == ATTACHMENT_KEYS
        assert (made["filename"], made["size"]) == ("image.png", 264)
        path = f"followups-attachments/{made['id']}{slash}"
        renamed = told(api.send("PATCH", path, {"filename": "other.png"}), 200)
        assert renamed["filename"] == "other.png"
        assert told(api(path), 200) == renamed
        gone = api(path, "--request", "DELETE")
        assert (gone.status, gone.body) == (204, b"")
        assert told(api(path), 404) == {"detail": "No FollowUpAttachment matches the given query."}

    def test_errors(self, api: Curl) -> None:
        assert told(api("followups-attachments/", "--form", "x=y"), 400) == {
            "followup": ["This field is required."],
            "file": ["No file was submitted."],
        }


class TestUsers:
    def test_create_and_own_tickets(
        self, live_desk: LiveDesk, api: Curl, request: pytest.FixtureRequest
    ) -> None:
        name = "".join(filter(str.isalnum, request.node.name.lower()))[-40:]
        body = {
            "first_name": "F",
            "last_name": "L",
            "username": name,
            "email": f"{name}@example.test",
        }

        made = told(api.send("POST", "users/", {**body, "password": "Tr0ub4dor & more"}), 201)

        assert made == body
        assert list(made) == ["first_name", "last_name", "username", "email"]
        taken = told(api.send("POST", "users", {**body, "password": "Tr0ub4dor & more"}), 400)
        assert taken == {
            "username": ["A user with that username already exists."],
            "email": ["A user with that email address already exists."],
        }

        mine = [create(api, submitter_email=body["email"], title=f"mine {n}") for n in (1, 2)]
        create(api, submitter_email="elsewhere@example.test")
        own = Curl(api.base, ("--user", f"{name}:Tr0ub4dor & more"))
        page = told(own("user_tickets/"), 200)
        assert (page["count"], page["next"], page["previous"]) == (2, None, None)
        assert [ticket["id"] for ticket in page["results"]] == [mine[1]["id"], mine[0]["id"]]
        first = page["results"][0]
        assert list(first) == OWN_TICKET_KEYS
        assert first == {
            "ticket": f"{first['id']} [users-{first['id']}]",
            "id": mine[1]["id"],
            "title": "mine 2",
            "queue": {"title": "Users", "id": 1},
            "status": "Open",
            "created": first["created"],
            "due_date": None,
            "submitter": body["email"],
            "kbitem": "",
            "secret_key": first["secret_key"],
        }
        assert MOMENT.match(first["created"])
        assert first["secret_key"]
        for path in ("user_tickets", f"user_tickets/{first['id']}"):
            shown = told(own(path), 200)
            assert shown in (page, first)
        foreign = told(own("user_tickets/999999"), 404)
        assert foreign == {"detail": "No Ticket matches the given query."}
        refused = {"detail": "You do not have permission to perform this action."}
        for path in ("tickets/", f"tickets/{first['id']}", "followups", "users/"):
            assert told(own(path), 403) == refused
            assert told(own(path, "--request", "OPTIONS"), 403) == refused

    def test_other_verbs(self, api: Curl) -> None:
        reply = api("users/")

        assert told(reply, 405) == {"detail": 'Method "GET" not allowed.'}
        assert reply.headers["allow"] == "POST, OPTIONS"
        assert api("users/1/").status == 404


class TestOptions:
    @pytest.mark.parametrize(
        ("path", "name", "write"),
        [
            ("tickets/", "Ticket List", "POST"),
            ("tickets/1/", "Ticket Instance", "PUT"),
            ("tickets", "Ticket List", "POST"),
            ("followups/", "Follow Up List", "POST"),
            ("followups-attachments/", "Follow Up Attachment List", "POST"),
            ("users/", "Create User List", "POST"),
            ("user_tickets/", "User Ticket List", None),
        ],
    )
    def test_describe(self, api: Curl, path: str, name: str, write: str | None) -> None:
        body = told(api(path, "--request", "OPTIONS"), 200)

        assert list(body)[:4] == ["name", "description", "renders", "parses"]
        assert body["name"] == name
        assert body["renders"] == ["application/json", "text/html"]
        assert body["parses"] == [
            "application/json",
            "application/x-www-form-urlencoded",
            "multipart/form-data",
        ]
        assert list(body.get("actions", {})) == ([write] if write else [])
        for fields in body.get("actions", {}).values():
            for field in fields.values():
                assert {"type", "required", "read_only", "label"} <= set(field)

    def test_fields_of_tickets(self, api: Curl) -> None:
        fields = told(api("tickets/", "--request", "OPTIONS"), 200)["actions"]["POST"]

        assert {name: field["type"] for name, field in fields.items()} == {
            "id": "integer",
            "queue": "field",
            "title": "string",
            "description": "string",
            "resolution": "string",
            "submitter_email": "email",
            "assigned_to": "field",
            "status": "choice",
            "on_hold": "boolean",
            "priority": "choice",
            "due_date": "datetime",
            "merged_to": "field",
            "attachment": "file upload",
            "followup_set": "field",
        }
        assert [name for name, field in fields.items() if field["required"]] == ["queue", "title"]
        assert fields["title"]["max_length"] == 200
        assert fields["status"]["choices"][0] == {"value": 1, "display_name": "Open"}
        assert [choice["display_name"] for choice in fields["priority"]["choices"]] == [
            "1. Critical",
            "2. High",
            "3. Normal",
            "4. Low",
            "5. Very Low",
        ]
        assert "choices" not in fields["queue"]


class TestFormats:
    def test_pages_for_people(self, api: Curl) -> None:
        made = create(api, title="<script>alert(1)</script>")

        for path, *arguments in (
            (f"tickets/{made['id']}/", "--header", "Accept: text/html"),
            (f"tickets/{made['id']}/?format=api",),
            (f"tickets/{made['id']}.api",),
        ):
            page = api(path, *arguments)
            assert page.status == 200
            assert page.type.startswith("text/html")
            assert "<script>alert(1)" not in page.text
            assert "&lt;script&gt;" in page.text
        json = api(f"tickets/{made['id']}/?format=json", "--header", "Accept: text/html")
        assert told(json, 200) == made

    def test_indented(self, api: Curl) -> None:
        made = create(api, description="Tür")

        plain = api(f"tickets/{made['id']}/")
        wide = api(f"tickets/{made['id']}/", "--header", "Accept: application/json; indent=2")

        assert plain.text.startswith(f'{{"id":{made["id"]},"queue":1,"title":"T"')
        assert '"description":"Tür"' in plain.text
        assert wide.text.startswith(f'{{\n  "id": {made["id"]},\n')
        assert wide.json == made

    def test_refusals(self, api: Curl) -> None:
        assert told(api("tickets/?format=xml"), 404) == {"detail": "Not found."}
        assert told(api("tickets/", "--header", "Accept: application/xml"), 406) == {
            "detail": "Could not satisfy the request Accept header."
        }
        text = api("tickets/", "--header", "Content-Type: text/plain", "--data", "x")
        assert told(text, 415) == {"detail": 'Unsupported media type "text/plain" in request.'}
        broken = told(api("tickets/", "--header", JSON, "--data", "{"), 400)
        assert broken["detail"].startswith("JSON parse error - ")
        put = api.send("PUT", "tickets/", {})
        assert told(put, 405) == {"detail": 'Method "PUT" not allowed.'}
        assert put.headers["allow"] == "GET, POST, HEAD, OPTIONS"


class TestCredentials:
    @pytest.mark.parametrize(
        ("header", "detail"),
        [
            (None, "Authentication credentials were not provided."),
            ("Bearer x", "Authentication credentials were not provided."),
            ("Digest x", "Authentication credentials were not provided."),
            ("Token nope", "Invalid token."),
            ("Basic YWRtaW46d3Jvbmc=", "Invalid username/password."),
            ("Basic bm9ib2R5OmFkbWlu", "Invalid username/password."),
            ("Basic", "Invalid basic header. No credentials provided."),
            ("Basic a b", "Invalid basic header. Credentials string should not contain spaces."),
            (
                "Basic @@@",
                "Invalid basic header. Credentials not correctly base64 encoded.",
            ),
        ],
    )
    @pytest.mark.parametrize("path", ["tickets/", "tickets/999999", "followups/", "users/"])
    def test_refusals_carry_no_challenge(
        self,
        stranger: Curl,
        documented: int,
        mount: str,
        header: str | None,
        detail: str,
        path: str,
    ) -> None:
        arguments = () if header is None else ("--header", f"Authorization: {header}")

        reply = stranger(mount + path, *arguments)

        assert told(reply, 403) == {"detail": detail}
        assert "www-authenticate" not in reply.headers

    def test_a_token_of_the_desk(self, admin: Curl, stranger: Curl, mount: str) -> None:
        made = admin.send(
            "POST", "/api/v1/user_access_token", {"name": "x", "permission": ["ticket.agent"]}
        )

        reply = stranger(
            f"{mount}tickets/", "--header", f"Authorization: Token {made.json['token']}"
        )

        assert list(told(reply, 200)) == ["count", "next", "previous", "results"]

    def test_a_session_of_the_page(
        self, live_desk: LiveDesk, stranger: Curl, tmp_path: Path
    ) -> None:
        jar = ("--cookie-jar", str(tmp_path / "jar"), "--cookie", str(tmp_path / "jar"))
        signed = stranger.send(
            "POST",
            "/api/v1/signin",
            {"username": live_desk.admin_email, "password": live_desk.admin_password},
            *jar,
        )
        assert signed.status == 201
        body = {"queue": 1, "title": "T", "description": "D"}

        listed = stranger("/api/tickets/", *jar)
        refused = stranger.send("POST", "/api/tickets/", body, *jar)
        cookies = {
            line.split("\t")[5]: line.split("\t")[6]
            for line in (tmp_path / "jar").read_text().splitlines()
            if line.count("\t") == 6
        }
        token = cookies["csrftoken"]
        made = stranger.send(
            "POST", "/api/tickets/", body, *jar, "--header", f"X-CSRFToken: {token}"
        )

        assert told(listed, 200)["count"] >= 1
        assert told(refused, 403) == {"detail": "CSRF Failed: CSRF token missing."}
        assert_ticket(told(made, 201))
