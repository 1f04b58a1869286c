"""What is sent and what comes back: formats, headers, slashes, verbs, malformed bodies."""

from __future__ import annotations

import json
from typing import Any

import pytest

from deskbell.people.models import User
from deskbell.tickets.models import Ticket
from tests.api.helpdesk.client import FORM, Api
from tests.cast import ada, ticket

pytestmark = pytest.mark.django_db

ITEM = "GET, PUT, PATCH, DELETE, HEAD, OPTIONS"
LIST = "GET, POST, HEAD, OPTIONS"
READ_ONLY = "GET, HEAD, OPTIONS"


@pytest.fixture
def boss() -> User:
    return ada()


@pytest.fixture
def api(boss: User) -> Api:
    return Api(boss)


class TestAddresses:
    def test_the_root_names_the_collections(self) -> None:
        answer = Api().get("")

        assert answer.json == {
            name: f"http://testserver/api/{name}/"
            for name in (
                "tickets",
                "user_tickets",
                "followups",
                "followups-attachments",
                "users",
            )
        }
        assert list(answer.json)[1] == "user_tickets"
        for path in ("/api", "/api/", "/api/.json"):
            assert Api().get(path).status == 200
        assert Api().get("/api").json == answer.json

    def test_the_root_keeps_suffix_and_mount(self) -> None:
        assert Api().get(".json").json["users"] == "http://testserver/api/users.json"
        assert (
            Api(mount="/helpdesk/api/").get("").json["tickets"]
            == "http://testserver/helpdesk/api/tickets/"
        )

    @pytest.mark.parametrize("mount", ["/api/", "/helpdesk/api/"])
    @pytest.mark.parametrize("ending", ["", "/", ".json", ".json/"])
    def test_every_spelling_answers_alike(self, boss: User, mount: str, ending: str) -> None:
        api = Api(boss, mount=mount)
        made = api.opened()

        one = api.get(f"tickets/{made['id']}{ending}")
        listed = api.get(f"tickets{ending}?page_size=1")
        changed = api.patch(f"tickets/{made['id']}{ending}", {"title": "New"})
        written = api.put(f"tickets/{made['id']}{ending}", {"queue": 1, "title": "Newer"})
        created = api.post(f"tickets{ending}", {"queue": 1, "title": "T", "description": "D"})
        removed = api.delete(f"tickets/{made['id']}{ending}")

        assert (one.status, one.json) == (200, made)
        assert listed.json["results"] == [made]
        assert (changed.status, changed.json["title"]) == (200, "New")
        assert (written.status, written.json["title"]) == (200, "Newer")
        assert created.status == 201
        assert removed.status == 204

    @pytest.mark.parametrize(
        "path", ["tickets/1/x", "users/1/", "users/1", "tickets//", "tickets/1.5/", "tickets/a.b.c"]
    )
    def test_what_is_nowhere(self, api: Api, path: str) -> None:
        for anybody in (api, Api()):
            answer = anybody.get(path)
            assert (answer.status, answer.json) == (404, {"detail": "Not found."})


class TestVerbs:
    @pytest.mark.parametrize(
        ("path", "allow", "refused"),
        [
            ("", READ_ONLY, ["POST", "PUT", "PATCH", "DELETE"]),
            ("tickets/", LIST, ["PUT", "PATCH", "DELETE", "TRACE", "FOO"]),
            ("tickets/1/", ITEM, ["POST", "TRACE", "FOO"]),
            ("followups/", LIST, ["PUT", "PATCH", "DELETE"]),
            ("followups/1/", ITEM, ["POST"]),
            ("followups-attachments/", LIST, ["PUT", "PATCH", "DELETE"]),
            ("followups-attachments/1/", ITEM, ["POST"]),
            ("user_tickets/", READ_ONLY, ["POST", "PUT", "PATCH", "DELETE"]),
            ("user_tickets/1/", READ_ONLY, ["POST", "PUT", "PATCH", "DELETE"]),
            ("users/", "POST, OPTIONS", ["GET", "PUT", "PATCH", "DELETE"]),
        ],
    )
    def test_wrong_ones_hear_which_are_right(
        self, api: Api, path: str, allow: str, refused: list[str]
    ) -> None:
        for method in refused:
            answer = api.send(method, path)
            assert (answer.status, answer.json) == (
                405,
                {"detail": f'Method "{method}" not allowed.'},
            )
            assert answer.headers["Allow"] == allow
        assert api.send("OPTIONS", path).headers["Allow"] == allow

    def test_no_header_overrides_the_verb(self, api: Api) -> None:
        made = api.opened()

        answer = api.post(f"tickets/{made['id']}/", {}, HTTP_X_HTTP_METHOD_OVERRIDE="DELETE")

        assert answer.status == 405

    def test_head_is_get_without_a_body(self, api: Api) -> None:
        made = api.opened()

        for path in ("tickets/", f"tickets/{made['id']}/", "followups/", "user_tickets/", ""):
            got, head = api.get(path), api.send("HEAD", path)
            assert (head.status, head.body) == (200, b"")
            assert head.headers["Content-Type"] == got.headers["Content-Type"]
            assert head.headers["Allow"] == got.headers["Allow"]


class TestHeaders:
    @pytest.mark.parametrize(
        ("method", "path", "headers"),
        [
            ("GET", "tickets/", {}),
            ("GET", "tickets/999/", {}),
            ("GET", "tickets/", {"HTTP_ACCEPT": "application/xml"}),
            ("GET", "tickets/?format=xml", {}),
            ("GET", "tickets/", {"HTTP_ACCEPT": "text/html"}),
            ("OPTIONS", "tickets/", {}),
            ("PUT", "tickets/", {}),
            ("POST", "tickets/", {}),
            ("GET", "user_tickets/", {"HTTP_AUTHORIZATION": ""}),
        ],
    )
    def test_on_all_answers(
        self, api: Api, method: str, path: str, headers: dict[str, str]
    ) -> None:
        answer = api.send(method, path, **headers)

        assert answer.headers["Vary"] == "Accept, Cookie"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["X-Frame-Options"] == "DENY"
        assert answer.headers["Allow"]

    def test_json_is_compact_utf8_without_a_charset(self, api: Api) -> None:
        made = api.opened(title="Größe – 漢字 🖨")

        for answer in (
            api.get(f"tickets/{made['id']}/"),
            api.get(f"tickets/{made['id']}/", HTTP_ACCEPT="application/json, text/plain, */*"),
            api.patch(f"tickets/{made['id']}/", {}),
        ):
            assert answer.headers["Content-Type"] == "application/json"
            assert '"title":"Größe – 漢字 🖨"'.encode() in answer.body
            assert b'": ' not in answer.body


class TestChoosing:
    @pytest.mark.parametrize(
        ("accept", "query", "kind"),
        [
            (None, "", "application/json"),
            ("*/*", "", "application/json"),
            ("application/*", "", "application/json"),
            ("application/json", "", "application/json"),
            ("text/html,application/xhtml+xml,*/*;q=0.8", "", "text/html; charset=utf-8"),
            ("text/html", "?format=json", "application/json"),
            ("application/xml", "?format=json", "application/json"),
            ("application/json", "?format=api", "text/html; charset=utf-8"),
            (None, "?format=api", "text/html; charset=utf-8"),
        ],
    )
    def test_by_format_then_by_accept(
        self, api: Api, accept: str | None, query: str, kind: str
    ) -> None:
        headers = {} if accept is None else {"HTTP_ACCEPT": accept}

        answer = api.get(f"tickets/{query}", **headers)

        assert (answer.status, answer.headers["Content-Type"]) == (200, kind)

    def test_by_suffix(self, api: Api) -> None:
        made = api.opened()

        assert api.get(f"tickets/{made['id']}.json", HTTP_ACCEPT="text/html").json == made
        page = api.get(f"tickets/{made['id']}.api")
        assert page.headers["Content-Type"] == "text/html; charset=utf-8"

    def test_indentation_on_request(self, api: Api) -> None:
        made = api.opened()

        answer = api.get(f"tickets/{made['id']}/", HTTP_ACCEPT="application/json; indent=2")

        assert answer.text == json.dumps(made, indent=2, ensure_ascii=False)

    @pytest.mark.parametrize("path", ["tickets.xml", "tickets/1.xml", "tickets/?format=xml"])
    def test_an_unknown_format(self, api: Api, path: str) -> None:
        answer = api.get(path)

        assert (answer.status, answer.json) == (404, {"detail": "Not found."})

    def test_nothing_that_would_do(self, api: Api) -> None:
        answer = api.get("tickets/", HTTP_ACCEPT="application/xml")

        assert (answer.status, answer.json) == (
            406,
            {"detail": "Could not satisfy the request Accept header."},
        )


class TestBodies:
    @pytest.mark.parametrize(
        ("content_type", "text"),
        [
            ("text/plain", "text/plain"),
            ("application/xml", "application/xml"),
            ("application/vnd.api+json", "application/vnd.api+json"),
            ("", ""),
            ("x" * 300, "x" * 300),
        ],
    )
    def test_of_other_types(self, api: Api, content_type: str, text: str) -> None:
        answer = api.send("POST", "tickets/", b"x", content_type=content_type)

        assert (answer.status, answer.json) == (
            415,
            {"detail": f'Unsupported media type "{text}" in request.'},
        )

    @pytest.mark.parametrize(
        "body",
        [
            b"{bad",
            b"\xff",
            b"\xef\xbb\xbf{}",
            b'{"title": NaN}',
            b'{"priority": Infinity}',
            b"[" * 100_000,
            b'{"a":' * 50_000,
            b'{"title": "\x01"}',
            b'{"queue": ' + b"9" * 5000 + b"}",
        ],
    )
    def test_malformed_json(self, api: Api, body: bytes) -> None:
        for method, path in (("POST", "tickets/"), ("PATCH", f"tickets/{ticket().pk}/")):
            answer = api.send(method, path, body)
            assert answer.status == 400
            assert answer.json["detail"].startswith("JSON parse error - ")

    @pytest.mark.parametrize(
        ("body", "content_type"),
        [
            (b"x", "multipart/form-data"),
            (b"x", "multipart/form-data; boundary="),
            (b"x", "multipart/form-data; boundary=" + "b" * 200),
            (b"x", "multipart/form-data; boundary=a; charset=idna"),
            (b"a=b", FORM + "; charset=zlib"),
            (b"\xff=\xfe&%ff=%fe", FORM + "; charset=idna"),
            (b"{}", "application/json; charset=zlib"),
            (b"{}", "application/json; charset=undefined"),
            (b'"\\ud800"', "application/json; charset=utf-16"),
            (b"a=1&" * 3000, FORM),
        ],
    )
    def test_malformed_otherwise(self, api: Api, body: bytes, content_type: str) -> None:
        answer = api.send("POST", "tickets/", body, content_type=content_type)

        assert answer.status == 400
        assert isinstance(answer.json, dict)

    def test_an_empty_one_means_no_fields(self, api: Api) -> None:
        made = api.opened()

        for content_type in ("application/json", FORM):
            created = api.send("POST", "tickets/", b"", content_type=content_type)
            assert list(created.json)[:2] == ["queue", "title"]
        assert api.send("PATCH", f"tickets/{made['id']}/", b"").json == made

    def test_a_truncated_upload_writes_nothing(self, api: Api) -> None:
        body = (
            b"--B\r\nContent-Disposition: form-data; name=queue\r\n\r\n1\r\n"
            b'--B\r\nContent-Disposition: form-data; name="attachment"; filename="a.txt"\r\n'
            b"Content-Type: text/plain\r\n\r\nhalf of"
        )

        answer = api.send("POST", "tickets/", body, content_type="multipart/form-data; boundary=B")

        assert answer.status == 400
        assert not Ticket.objects.exists()

    def test_of_two_equal_keys_the_last_counts(self, api: Api) -> None:
        as_json = api.send(
            "POST",
            "tickets/",
            '{"queue": 9, "title": "a", "description": "D", "queue": 1, "title": "b"}',
        )
        as_form = api.form("POST", "tickets/", "queue=9&queue=1&title=a&title=b&description=D")

        assert as_json.json["title"] == as_form.json["title"] == "b"

    @pytest.mark.parametrize(
        ("given", "read"),
        [
            *((v, True) for v in (True, 1, "on", "yes", "t", "true", "True", "Y")),
            *((v, False) for v in (False, 0, "off", "no", "f", "false", "n")),
        ],
    )
    def test_booleans(self, api: Api, given: Any, read: bool) -> None:
        made = api.opened()

        assert api.patch(f"tickets/{made['id']}/", {"on_hold": given}).json["on_hold"] is read
