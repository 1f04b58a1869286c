"""The documented samples of Zammad's API, sent by curl to a desk that was just set up."""

from __future__ import annotations

import base64
import re
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.contract.curl import Curl, Reply
from tests.live import LiveDesk

pytestmark = [pytest.mark.live, pytest.mark.once]

STAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z\Z")
CUSTOMER = "email_of_existing_customer@example.com"
PASSWORD = "long enough for anybody"

#: The first bytes of a picture, and the text that the documentation shows in its place.
PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNk+A8AAQUBAScY42YAAAAASUVORK5CYII="
)
JPEG = "data:image/jpeg;base64,ABCDEFG=="

TICKET_KEYS = [
    "id", "group_id", "priority_id", "state_id", "organization_id", "number", "title", "owner_id",
    "customer_id", "note", "first_response_at", "first_response_escalation_at",
    "first_response_in_min", "first_response_diff_in_min", "close_at", "close_escalation_at",
    "close_in_min", "close_diff_in_min", "update_escalation_at", "update_in_min",
    "update_diff_in_min", "last_close_at", "last_contact_at", "last_contact_agent_at",
    "last_contact_customer_at", "last_owner_update_at", "create_article_type_id",
    "create_article_sender_id", "article_count", "escalation_at", "pending_time", "type",
    "time_unit", "preferences", "updated_by_id", "created_by_id", "created_at", "updated_at",
]  # fmt: skip
WRITTEN_KEYS = ["article_ids", "ticket_time_accounting_ids"]
EXPANDED_KEYS = [
    "group", "state", "priority", "owner", "customer", "created_by", "updated_by",
    "create_article_type", "create_article_sender", "ticket_time_accounting",
]  # fmt: skip
ARTICLE_KEYS = {
    "id", "ticket_id", "type_id", "sender_id", "from", "to", "cc", "subject", "reply_to",
    "message_id", "message_id_md5", "in_reply_to", "references", "content_type", "body",
    "internal", "preferences", "origin_by_id", "updated_by_id", "created_by_id", "created_at",
    "updated_at", "attachments", "type", "sender", "created_by", "updated_by", "time_unit",
}  # fmt: skip
COLLECTION_KEYS = {
    "users": [
        "id", "organization_id", "login", "firstname", "lastname", "email", "image",
        "image_source", "web", "phone", "fax", "mobile", "department", "street", "zip", "city",
        "country", "address", "vip", "verified", "active", "note", "last_login", "source",
        "login_failed", "out_of_office", "out_of_office_start_at", "out_of_office_end_at",
        "out_of_office_replacement_id", "preferences", "updated_by_id", "created_by_id",
        "created_at", "updated_at", "role_ids", "two_factor_preference_ids", "organization_ids",
        "authorization_ids", "overview_sorting_ids", "group_ids",
    ],
    "groups": [
        "id", "signature_id", "email_address_id", "name", "name_last", "parent_id",
        "assignment_timeout", "follow_up_possible", "reopen_time_in_days", "follow_up_assignment",
        "active", "shared_drafts", "note", "updated_by_id", "created_by_id", "created_at",
        "updated_at", "user_ids",
    ],
    "organizations": [
        "id", "name", "shared", "domain", "domain_assignment", "active", "vip", "note",
        "updated_by_id", "created_by_id", "created_at", "updated_at", "member_ids",
        "secondary_member_ids",
    ],
    "roles": [
        "id", "name", "preferences", "default_at_signup", "active", "note", "updated_by_id",
        "created_by_id", "created_at", "updated_at", "permission_ids",
        "knowledge_base_permission_ids", "group_ids",
    ],
    "ticket_states": [
        "id", "state_type_id", "name", "next_state_id", "ignore_escalation", "default_create",
        "default_follow_up", "note", "active", "updated_by_id", "created_by_id", "created_at",
        "updated_at",
    ],
    "ticket_priorities": [
        "id", "name", "default_create", "ui_icon", "ui_color", "note", "active", "updated_by_id",
        "created_by_id", "created_at", "updated_at",
    ],
}  # fmt: skip

# --- the samples ---------------------------------------------------------------------------------

CREATE = {
    "title": "Help me!",
    "group": "Users",
    "customer": CUSTOMER,
    "article": {
        "subject": "some subject",
        "body": "some message",
        "type": "note",
        "internal": False,
    },
    "note": "some note",
}
FILES = [
    {
        "filename": "some_file1.txt",
        "data": base64.b64encode(b"the first file\n").decode(),
        "mime-type": "text/plain",
    },
    {
        "filename": "some_file2.txt",
        "data": base64.encodebytes(bytes(range(256))).decode().replace("\n", "\r\n"),
        "mime-type": "text/plain",
    },
]
CREATE_WITH_FILES = {
    "title": "Help me!",
    "group": "Users",
    "article": {"subject": "some subject", "body": "some message", "attachments": FILES},
    "note": "some note",
}
PICTURE = {
    "content_type": "text/html",
    "subject": "some subject",
    "body": f'<b>some</b> message witn inline image <img src="{JPEG}">',
}
CREATE_WITH_PICTURE = {
    "title": "Help me!",
    "group": "Users",
    "article": PICTURE,
    "note": "some note",
}
CREATE_WITH_GUESS = {
    "title": "Help me!",
    "group": "Users",
    "customer_id": "guess:customer@example.com",
    "note": "some note",
}
UPDATE = {
    "id": 123,
    "title": "Help me!",
    "group": "Users",
    "state": "open",
    "priority": "3 high",
    "article": {"subject": "some subject of update", "body": "some message of update"},
}
UPDATE_WITH_FILES = {
    "id": 123,
    "title": "Help me!",
    "group": "Users",
    "article": {"subject": "some subject", "body": "some message", "attachments": FILES},
    "note": "some note",
}
UPDATE_WITH_PICTURE = {
    "id": 123,
    "title": "Help me!",
    "group": "Users",
    "article": PICTURE,
    "note": "some note",
}


@pytest.fixture(scope="module", params=["/api/v1/", "/helpdesk/api/v1/"])
def mount(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def api(admin: Curl, mount: str) -> Curl:
    return admin.below(mount)


@pytest.fixture(scope="module")
def customer_id(admin: Curl) -> int:
    """A customer who exists, with a password."""
    users = admin.below("/api/v1/")
    made = users.send(
        "POST",
        "users",
        {"firstname": "Kemal", "email": CUSTOMER, "password": PASSWORD, "roles": ["Customer"]},
    )
    assert made.status == 201, made
    return int(made.json["id"])


@pytest.fixture(params=["admin", "customer"])
def caller(
    request: pytest.FixtureRequest, api: Curl, stranger: Curl, mount: str, customer_id: int
) -> Curl:
    """Everybody for whom the samples are meant: an agent with all rights, and a customer."""
    if request.param == "admin":
        return api
    return stranger.with_("--user", f"{CUSTOMER}:{PASSWORD}").below(mount)


def told(reply: Reply, status: int) -> Any:
    """The answer's value, once its status and type are what they should be."""
    assert (reply.status, reply.type) == (status, "application/json; charset=utf-8"), reply
    return reply.json


def assert_ticket(ticket: dict[str, Any], *more: str) -> None:
    """Key by key, whatever else the desk adds."""
    own = {"checklist_id", "due_date", "on_hold", "resolution"}
    assert set(ticket) - own == {*TICKET_KEYS, *more}
    assert isinstance(ticket["number"], str)
    assert STAMP.match(ticket["created_at"])
    assert STAMP.match(ticket["updated_at"])
    assert ticket["preferences"] == {}


def articles_of(caller: Curl, ticket_id: int) -> list[dict[str, Any]]:
    found = told(caller(f"ticket_articles/by_ticket/{ticket_id}"), 200)
    assert all(set(one) - {"origin_by"} == ARTICLE_KEYS for one in found)
    return list(found)


def assert_files(caller: Curl, ticket_id: int, article: dict[str, Any]) -> None:
    """The two files of the samples: as listed, and byte by byte."""
    first, second = article["attachments"]
    assert first == {
        "id": first["id"],
        "filename": "some_file1.txt",
        "size": "15",
        "preferences": {"Mime-Type": "text/plain"},
    }
    assert (second["filename"], second["size"]) == ("some_file2.txt", "256")
    for file, content in ((first, b"the first file\n"), (second, bytes(range(256)))):
        reply = caller(f"ticket_attachment/{ticket_id}/{article['id']}/{file['id']}")
        assert (reply.status, reply.type, reply.body) == (200, "text/plain", content)
        assert reply.headers["content-disposition"] == (
            f'attachment; filename="{file["filename"]}"'
        )


def assert_picture(caller: Curl, ticket_id: int, article: dict[str, Any]) -> None:
    """The picture of the samples: cut out, shown by its address, served as what it is."""
    (file,) = article["attachments"]
    # The address keeps the mount of the call.
    mount = urlsplit(caller.base).path
    path = f"ticket_attachment/{ticket_id}/{article['id']}/{file['id']}?view=inline"
    assert article["body"] == (
        f'<b>some</b> message witn inline image <img src="{mount}{path}" style="max-width:100%;">'
    )
    assert article["content_type"] == "text/html"
    assert file["filename"] == "image1.jpeg"
    assert set(file["preferences"]) == {
        "Content-Type",
        "Mime-Type",
        "Content-ID",
        "Content-Disposition",
    }
    assert file["preferences"]["Mime-Type"] == "image/jpeg"
    assert file["preferences"]["Content-Disposition"] == "inline"
    assert re.fullmatch(rf"{ticket_id}\.[0-9a-f-]+@[^@]+", file["preferences"]["Content-ID"])
    reply = caller(path)
    assert (reply.status, reply.type, reply.body) == (200, "image/jpeg", b"\x00\x10\x83\x10Q")
    assert reply.headers["content-disposition"].startswith("inline")


class TestSamples:
    """Each by an agent and by a customer, at both mounts."""

    @pytest.mark.parametrize("slash", ["", "/"])
    def test_create(self, caller: Curl, customer_id: int, slash: str) -> None:
        ticket = told(caller.send("POST", f"tickets{slash}", CREATE), 201)

        assert_ticket(ticket, *WRITTEN_KEYS)
        assert (ticket["title"], ticket["note"]) == ("Help me!", "some note")
        assert (ticket["group_id"], ticket["state_id"], ticket["priority_id"]) == (1, 1, 2)
        assert (ticket["owner_id"], ticket["customer_id"]) == (1, customer_id)
        assert ticket["article_count"] == 1
        assert ticket["create_article_type_id"] == 10
        (article,) = articles_of(caller, ticket["id"])
        assert ticket["article_ids"] == [article["id"]]
        assert (article["subject"], article["body"]) == ("some subject", "some message")
        assert (article["type"], article["internal"]) == ("note", False)
        assert article["content_type"] == "text/plain"
        assert article["attachments"] == []

    def test_create_with_two_files(self, caller: Curl, customer_id: int) -> None:
        ticket = told(caller.send("POST", "tickets", CREATE_WITH_FILES), 201)

        assert_ticket(ticket, *WRITTEN_KEYS)
        assert ticket["customer_id"] == ticket["created_by_id"]
        (article,) = articles_of(caller, ticket["id"])
        assert article["type"] == "note"
        assert_files(caller, ticket["id"], article)

    def test_create_with_a_picture(self, caller: Curl) -> None:
        ticket = told(caller.send("POST", "tickets", CREATE_WITH_PICTURE), 201)

        (article,) = articles_of(caller, ticket["id"])
        assert_picture(caller, ticket["id"], article)
        one = told(caller(f"ticket_articles/{article['id']}"), 200)
        assert one == article

    def test_create_with_a_guessed_customer(
        self, api: Curl, caller: Curl, customer_id: int
    ) -> None:
        ticket = told(caller.send("POST", "tickets", CREATE_WITH_GUESS), 201)

        assert_ticket(ticket, *WRITTEN_KEYS)
        assert (ticket["article_ids"], ticket["article_count"]) == ([], None)
        if ticket["created_by_id"] == customer_id:  # a customer is always his own customer
            assert ticket["customer_id"] == customer_id
            return
        guessed = told(api(f"users/{ticket['customer_id']}"), 200)
        assert guessed["login"] == guessed["email"] == "customer@example.com"
        assert (guessed["firstname"], guessed["lastname"]) == ("", "")
        assert (guessed["role_ids"], guessed["active"]) == ([3], True)
        again = told(caller.send("POST", "tickets", CREATE_WITH_GUESS), 201)
        assert again["customer_id"] == ticket["customer_id"]

    def test_update(self, api: Curl, caller: Curl) -> None:
        ticket = told(caller.send("POST", "tickets", CREATE), 201)

        changed = told(caller.send("PUT", f"tickets/{ticket['id']}", UPDATE), 200)

        assert_ticket(changed, *WRITTEN_KEYS)
        assert changed["id"] == ticket["id"]
        assert (changed["state_id"], changed["priority_id"]) == (2, 3)
        assert changed["article_count"] == 2
        assert changed["updated_at"] >= ticket["updated_at"]
        assert changed["created_at"] == ticket["created_at"]
        article = articles_of(caller, ticket["id"])[-1]
        assert changed["article_ids"][-1] == article["id"]
        assert article["type"] == "note"
        assert (article["subject"], article["body"]) == (
            "some subject of update",
            "some message of update",
        )

    def test_update_with_two_files(self, caller: Curl) -> None:
        ticket = told(caller.send("POST", "tickets", CREATE), 201)

        told(caller.send("PUT", f"tickets/{ticket['id']}", UPDATE_WITH_FILES), 200)

        assert_files(caller, ticket["id"], articles_of(caller, ticket["id"])[-1])

    def test_update_with_a_picture(self, caller: Curl) -> None:
        ticket = told(caller.send("POST", "tickets", CREATE), 201)

        told(caller.send("PUT", f"tickets/{ticket['id']}", UPDATE_WITH_PICTURE), 200)

        assert_picture(caller, ticket["id"], articles_of(caller, ticket["id"])[-1])

    def test_show_and_list(self, caller: Curl) -> None:
        made = told(caller.send("POST", "tickets", CREATE), 201)

        shown = told(caller(f"tickets/{made['id']}"), 200)
        listed = told(caller("tickets"), 200)

        assert_ticket(shown)
        assert shown == {key: made[key] for key in shown}
        assert listed[-1] == shown
        assert [one["id"] for one in listed] == sorted(one["id"] for one in listed)
        assert told(caller("tickets/"), 200) == listed
        assert told(caller(f"tickets/{made['id']}/"), 200) == shown
        assert told(caller("tickets?page=2&per_page=1"), 200) == listed[1:2]
        assert told(caller("tickets?page=999"), 200) == []

    def test_search(self, caller: Curl, customer_id: int) -> None:
        made = [told(caller.send("POST", "tickets", CREATE), 201) for _ in range(2)]

        found = told(caller("tickets/search?query=Help&limit=10"), 200)
        oldest = told(caller("tickets/search?query=help&limit=2&sort_by=id&order_by=asc"), 200)
        newest = told(caller("tickets/search?query=help&limit=2&sort_by=id&order_by=desc"), 200)

        assert 2 <= len(found) <= 10
        assert_ticket(found[0], *WRITTEN_KEYS)
        assert [one["id"] for one in newest] == [made[1]["id"], made[0]["id"]]
        assert oldest[0]["id"] < oldest[1]["id"] < made[1]["id"]
        assert told(caller("tickets/search?query=what-nobody-wrote&limit=10"), 200) == []
        assert (
            told(caller(f"tickets/search?query=number:{made[0]['number']}"), 200)[0] == (newest[1])
        )

    def test_delete_is_for_administrators(self, api: Curl, caller: Curl, customer_id: int) -> None:
        made = told(caller.send("POST", "tickets", CREATE), 201)
        if made["created_by_id"] == customer_id:
            refused = told(caller(f"tickets/{made['id']}", "--request", "DELETE"), 403)
            assert refused["error"] == "Not authorized (admin permission required)!"

        gone = api(f"tickets/{made['id']}", "--request", "DELETE")

        assert (gone.status, gone.body) == (200, b"{}")
        missing = told(api(f"tickets/{made['id']}"), 404)
        text = f"Couldn't find Ticket with 'id'={made['id']}"
        assert missing == {"error": text, "error_human": text}
        assert told(api(f"ticket_articles/by_ticket/{made['id']}"), 404)["error"] == text

    def test_articles(self, caller: Curl) -> None:
        ticket = told(caller.send("POST", "tickets", CREATE), 201)
        note = {
            "ticket_id": ticket["id"],
            "to": "",
            "cc": "",
            "subject": "some subject",
            "body": "huhuhuu<br>huhuhuu<br>huhuhuu<br><br>",
            "content_type": "text/html",
            "type": "note",
            "internal": False,
            "time_unit": "12",
        }

        plain = told(caller.send("POST", "ticket_articles", note), 201)
        filed = told(caller.send("POST", "ticket_articles", {**note, "attachments": FILES}), 201)
        shown = told(caller.send("POST", "ticket_articles", {**note, "body": PICTURE["body"]}), 201)

        assert set(plain) - {"origin_by"} == ARTICLE_KEYS
        assert plain["body"] == note["body"]
        assert (plain["to"], plain["cc"], plain["type"]) == ("", "", "note")
        assert plain["internal"] is False
        assert_files(caller, ticket["id"], filed)
        assert_picture(caller, ticket["id"], shown)
        assert articles_of(caller, ticket["id"])[1:] == [plain, filed, shown]


class TestAgentSamples:
    def test_a_call_noted_for_a_customer(self, api: Curl, customer_id: int) -> None:
        ticket = told(api.send("POST", "tickets", CREATE), 201)

        article = told(
            api.send(
                "POST",
                "ticket_articles",
                {
                    "ticket_id": ticket["id"],
                    "origin_by_id": customer_id,
                    "to": "",
                    "cc": "",
                    "subject": "some subject",
                    "body": PICTURE["body"],
                    "content_type": "text/html",
                    "sender": "Customer",
                    "type": "phone",
                    "internal": False,
                    "time_unit": "12",
                },
            ),
            201,
        )

        assert (article["origin_by_id"], article["origin_by"]) == (customer_id, CUSTOMER)
        assert (article["type"], article["sender"]) == ("phone", "Customer")
        assert article["from"] == f"Kemal <{CUSTOMER}>"
        assert article["time_unit"] == "12.0"
        assert_picture(api, ticket["id"], article)

    def test_a_mention_of_somebody_without_access_stores_nothing(self, api: Curl) -> None:
        before = told(api("tickets/search?query=*&only_total_count=true"), 200)

        refused = api.send(
            "POST", "tickets", {**CREATE_WITH_GUESS, "mentions": [1, 5, 7, 8], "title": "Mention"}
        )

        assert told(refused, 422)["error"]
        assert told(api("tickets/search?query=*&only_total_count=true"), 200) == before
        mine = told(api("users/me"), 200)["id"]
        told(api.send("POST", "tickets", {**CREATE_WITH_GUESS, "mentions": [mine]}), 201)

    @pytest.mark.parametrize("flag", ["true", "True", "1"])
    def test_expand(self, api: Curl, customer_id: int, flag: str) -> None:
        ticket = told(api.send("POST", f"tickets?expand={flag}", CREATE), 201)

        assert_ticket(ticket, *WRITTEN_KEYS, *EXPANDED_KEYS)
        assert {key: ticket[key] for key in EXPANDED_KEYS} == {
            "group": "Users",
            "state": "new",
            "priority": "2 normal",
            "owner": "-",
            "customer": CUSTOMER,
            "created_by": "ada@example.com",
            "updated_by": "ada@example.com",
            "create_article_type": "note",
            "create_article_sender": "Agent",
            "ticket_time_accounting": [],
        }
        path = f"tickets/{ticket['id']}?expand={flag}"
        assert told(api(path), 200) == ticket
        assert told(api.send("PUT", path, {}), 200)["group"] == "Users"
        assert told(api(f"tickets?expand={flag}&per_page=100"), 200)[-1]["owner"] == "-"
        assert told(api("tickets?expand=false&per_page=1"), 200)[0].keys().isdisjoint(WRITTEN_KEYS)

    def test_full_and_all(self, api: Curl, customer_id: int) -> None:
        ticket = told(api.send("POST", "tickets?all=true", {**CREATE, "tags": "a, b"}), 201)
        number = ticket["ticket_id"]

        full = told(api(f"tickets/{number}?full=true"), 200)

        assert set(ticket) == {
            "ticket_id", "ticket_article_ids", "assets", "links", "tags", "mentions",
            "time_accountings", "form_meta",
        }  # fmt: skip
        assert (ticket["tags"], ticket["links"], ticket["mentions"]) == (["a", "b"], [], [])
        assert set(full) == {"id", "assets"}
        assert set(full["assets"]) == {"Ticket", "User", "Group", "Role"}
        assert_ticket(full["assets"]["Ticket"][str(number)], *WRITTEN_KEYS)
        assert {"1", "3", str(customer_id)} <= set(full["assets"]["User"])
        page = told(api("tickets?full=true&per_page=1"), 200)
        assert set(page) == {"record_ids", "assets"}
        found = told(api("tickets/search?query=help&full=true"), 200)
        assert set(found) == {"record_ids", "assets", "total_count"}
        counted = told(api("tickets/search?query=help&with_total_count=true&limit=1"), 200)
        assert set(counted) == {"records", "total_count"}
        assert counted["total_count"] == found["total_count"] > 1
        assert told(api("tickets/search?query=help&only_total_count=true"), 200) == {
            "total_count": counted["total_count"]
        }

    def test_search_by_post(self, api: Curl, customer_id: int) -> None:
        ticket = told(api.send("POST", "tickets", {**CREATE, "title": "Xylophone broken"}), 201)
        condition = {
            "ticket.title": {"operator": "contains", "value": "xylophone"},
            "ticket.state_id": {"operator": "is", "value": ["1"]},
        }

        by_condition = told(api.send("POST", "tickets/search", {"condition": condition}), 200)
        by_query = told(api.send("POST", "tickets/search", {"query": "xylo", "limit": 5}), 200)

        assert ticket["id"] in [one["id"] for one in by_condition]
        assert ticket["id"] in [one["id"] for one in by_query]

    def test_tags(self, api: Curl, customer_id: int) -> None:
        number = told(api.send("POST", "tickets", CREATE), 201)["id"]
        about = {"object": "Ticket", "o_id": number, "item": "vip"}

        assert told(api.send("POST", "tags/add", about), 201) is True
        assert told(api.send("POST", "tags/add", about), 201) is True
        assert told(api(f"tags?object=Ticket&o_id={number}"), 200) == {"tags": ["vip"]}
        assert told(api.send("DELETE", "tags/remove", about), 200) is True
        assert told(api(f"tags?object=Ticket&o_id={number}"), 200) == {"tags": []}

    def test_merge(self, api: Curl, customer_id: int) -> None:
        source, target = (told(api.send("POST", "tickets", CREATE), 201) for _ in range(2))

        lost = told(api.send("PUT", f"ticket_merge/{source['id']}/{target['id']}x", {}), 200)
        done = told(api.send("PUT", f"ticket_merge/{source['id']}/{target['number']}", {}), 200)

        assert lost == {
            "result": "failed",
            "message": "The target ticket number could not be found.",
        }
        assert set(done) == {"result", "target_ticket", "source_ticket"}
        assert (done["result"], done["source_ticket"]["state_id"]) == ("success", 5)
        assert articles_of(api, target["id"])[0]["id"] in source["article_ids"]

    @pytest.mark.parametrize("path", COLLECTION_KEYS)
    @pytest.mark.parametrize("slash", ["", "/"])
    def test_collections(self, api: Curl, path: str, slash: str) -> None:
        rows = told(api(f"{path}{slash}?per_page=100"), 200)

        assert [row["id"] for row in rows] == sorted(row["id"] for row in rows)
        for row in rows:
            assert set(row) == set(COLLECTION_KEYS[path])
        assert told(api(f"{path}/{rows[0]['id']}{slash}"), 200) == rows[0]
        assert told(api(f"{path}{slash}?page=99"), 200) == []

    def test_fixed_ids(self, api: Curl) -> None:
        states = {row["id"]: row for row in told(api("ticket_states"), 200)}
        priorities = {row["id"]: row for row in told(api("ticket_priorities"), 200)}

        assert [(n, states[n]["name"], states[n]["state_type_id"]) for n in range(1, 8)] == [
            (1, "new", 1),
            (2, "open", 2),
            (3, "pending reminder", 3),
            (4, "closed", 5),
            (5, "merged", 6),
            (6, "removed", 7),
            (7, "pending close", 4),
        ]
        assert [states[n]["ignore_escalation"] for n in range(1, 8)] == [
            False, False, True, True, True, True, True,
        ]  # fmt: skip
        assert [n for n in states if states[n]["default_create"]] == [1]
        assert [n for n in states if states[n]["default_follow_up"]] == [2]
        assert (states[6]["active"], states[7]["next_state_id"]) == (False, 4)
        assert [priorities[n]["name"] for n in (1, 2, 3)] == ["1 low", "2 normal", "3 high"]
        assert (priorities[1]["ui_icon"], priorities[1]["ui_color"]) == (
            "low-priority",
            "low-priority",
        )
        assert (priorities[3]["ui_icon"], priorities[3]["ui_color"]) == (
            "important",
            "high-priority",
        )
        assert [n for n in priorities if priorities[n]["default_create"]] == [2]
        roles = told(api("roles"), 200)
        assert [row["name"] for row in roles][:3] == ["Admin", "Agent", "Customer"]
        assert [row["default_at_signup"] for row in roles][:3] == [False, False, True]
        nobody = told(api("users/1"), 200)
        assert (nobody["login"], nobody["active"], nobody["email"]) == ("-", False, "")
        assert nobody["role_ids"] == []
        sample = told(api("users/2"), 200)
        assert (sample["role_ids"], sample["organization_id"]) == ([3], 1)
        me = told(api("users/me"), 200)
        assert (me["id"], me["login"], me["group_ids"]) == (3, "ada@example.com", {"1": ["full"]})
        assert set(me["role_ids"]) >= {1, 2}
        first = told(api("tickets/1"), 200)
        assert (first["group_id"], first["customer_id"], first["state_id"]) == (1, 2, 1)
        assert first["create_article_type_id"] == 5


class TestCredentials:
    def test_basic_by_address_in_any_case(self, live_desk: LiveDesk, stranger: Curl) -> None:
        for name in (live_desk.admin_email, live_desk.admin_email.upper()):
            reply = stranger("/api/v1/users/me", "--user", f"{name}:{live_desk.admin_password}")
            assert told(reply, 200)["id"] == 3
            assert reply.headers["access-control-allow-origin"] == "*"

    def test_tokens(self, api: Curl, stranger: Curl, mount: str) -> None:
        made = told(
            api.send(
                "POST",
                "user_access_token",
                {"name": "my token", "permission": ["ticket.agent"], "expires_at": None},
            ),
            200,
        )
        assert set(made) == {"token"}
        secret = made["token"]

        for header in (
            f"Token token={secret}",
            f'Token token="{secret}"',
            f"Token {secret}",
            f"Bearer {secret}",
        ):
            reply = stranger(f"{mount}users/me", "--header", f"Authorization: {header}")
            assert told(reply, 200)["id"] == 3

    @pytest.mark.parametrize(
        ("header", "status", "text"),
        [
            (None, 403, "Authentication required"),
            ("Authorization: Token token=nope", 401, "Can't find User for Token"),
            ("Authorization: Bearer nope", 401, None),
            ("Authorization: Basic bm9ib2R5OnRydWU=", 401, "Invalid BasicAuth credentials"),
        ],
    )
    def test_refusals(
        self, stranger: Curl, mount: str, header: str | None, status: int, text: str | None
    ) -> None:
        reply = stranger(f"{mount}tickets", *(() if header is None else ("--header", header)))

        body = told(reply, status)
        assert body == {"error": body["error"], "error_human": body["error"]}
        assert reply.headers["x-failure"] == body["error"]
        assert "www-authenticate" not in reply.headers
        assert text is None or body["error"] == text

    def test_a_session(self, live_desk: LiveDesk, stranger: Curl, tmp_path: Any) -> None:
        jar = ("--cookie-jar", str(tmp_path / "jar"), "--cookie", str(tmp_path / "jar"))
        body = {
            "username": live_desk.admin_email,
            "password": live_desk.admin_password,
            "fingerprint": "1",
        }
        signed = stranger.send("POST", "/api/v1/signin", body, *jar)
        told(signed, 201)

        token = stranger("/api/v1/users/me", *jar).headers["csrf-token"]
        refused = stranger.send("POST", "/api/v1/tickets", CREATE_WITH_FILES, *jar)
        made = stranger.send(
            "POST",
            "/api/v1/tickets",
            CREATE_WITH_FILES,
            *jar,
            "--header",
            f"X-CSRF-Token: {token}",
        )

        assert told(refused, 401)["error"] == "CSRF token verification failed!"
        assert told(made, 201)["created_by_id"] == 3

    @pytest.mark.parametrize(
        ("verb", "path"), [("GET", "nope"), ("POST", "nope"), ("GET", "getting_started")]
    )
    def test_unknown_paths(self, api: Curl, mount: str, verb: str, path: str) -> None:
        reply = api(path, "--request", verb)

        assert told(reply, 404)["error"] == f"No route matches [{verb}] {mount}{path}"
