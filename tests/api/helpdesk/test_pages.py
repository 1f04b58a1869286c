"""The browsable API: pages for people, in a browser too; and what OPTIONS tells programs."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client

from deskbell.people.models import User
from tests.api.helpdesk.client import Api
from tests.cast import ada, custom_field, kemal, nora, pure_admin, ticket
from tests.live import LiveDesk

HTML = {"HTTP_ACCEPT": "text/html,application/xhtml+xml,*/*;q=0.8"}


@pytest.fixture
def boss(db: None) -> User:
    return ada()


class TestPages:
    def test_there_is_one_per_address(self, boss: User) -> None:
        api = Api(boss)
        made = ticket(boss)
        entry = made.articles.get()

        for path, name in (
            ("", "Api Root"),
            ("tickets/", "Ticket List"),
            (f"tickets/{made.pk}/", "Ticket Instance"),
            ("followups/", "Follow Up List"),
            (f"followups/{entry.pk}/", "Follow Up Instance"),
            ("followups-attachments/", "Follow Up Attachment List"),
            ("user_tickets/", "User Ticket List"),
            (f"user_tickets/{made.pk}/", "User Ticket Instance"),
        ):
            page = api.get(path, **HTML)
            assert page.status == 200, path
            assert f"<h1>{name}</h1>" in page.text
            assert page.headers["Content-Type"] == "text/html; charset=utf-8"
        assert "<h1>Create User List</h1>" in api.get("users/", **HTML).text

    @pytest.mark.parametrize("mount", ["", "/helpdesk"])
    @pytest.mark.parametrize("path", ["/api/", "/api", "/api/tickets/"])
    def test_lead_to_the_papers_below_the_same_mount(
        self, client: Client, boss: User, mount: str, path: str
    ) -> None:
        page = client.get(f"{mount}{path}", HTTP_ACCEPT="text/html").content.decode()

        papers = f"{mount}/help/api/helpdesk/"
        assert f'href="{papers}"' in page
        assert f'href="{papers}openapi.json"' in page

    def test_nothing_comes_from_elsewhere_or_runs_inline(self, boss: User) -> None:
        page = Api(boss).get("tickets/", **HTML)

        policy = page.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "script-src 'self'" in policy
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        for source in re.findall(r'(?:src|<link[^>]*href)="([^"]*)"', page.text):
            assert source.startswith("/static/"), source
        assert "<style" not in page.text
        scripts = re.findall(r"<script(?![^>]*src=)([^>]*)>", page.text)
        assert all('type="application/json"' in attributes for attributes in scripts)
        assert not re.search(r"\son[a-z]+=", page.text)

    def test_escape_what_people_write(self, boss: User) -> None:
        evil = "</pre></textarea><script>alert(1)</script>\" onload='x'"
        custom_field("evil", label=evil, help_text=evil)
        api = Api(boss)
        made = api.opened(
            title=evil, description=evil, custom_evil=evil, submitter_email="s@e.test"
        )

        for path in (
            "tickets/",
            f"tickets/{made['id']}/",
            "followups/",
            f"followups/{made['followup_set'][0]['id']}/",
            "user_tickets/",
            f"tickets/?page=1&x={evil}",
        ):
            page = api.get(path, **HTML)
            assert page.status == 200
            assert "<script>alert" not in page.text
            assert "</textarea><script" not in page.text

    def test_offer_what_the_caller_may_do(self, boss: User) -> None:
        made = ticket(kemal())

        of_boss = Api(boss).get(f"tickets/{made.pk}/", **HTML).text
        of_reader = Api(nora(groups={1: ["read"]})).get(f"tickets/{made.pk}/", **HTML)

        assert 'data-method="PUT"' in of_boss
        assert 'data-method="DELETE"' in of_boss
        assert 'data-method="OPTIONS"' in of_boss
        assert 'value="Printer on fire"' in of_boss
        assert of_reader.status == 200

    def test_show_errors_in_their_own_forms(self, boss: User) -> None:
        page = Api(boss).upload(
            "POST", "tickets/", {"queue": 999, "title": "Kept", "description": ""}, **HTML
        )

        assert page.status == 400
        assert "object does not exist." in page.text
        assert 'value="Kept"' in page.text

    def test_say_why_they_are_empty_to_strangers(self, db: None) -> None:
        page = Api().get("tickets/", **HTML)

        assert page.status == 403
        assert "Authentication credentials were not provided." in page.text
        assert 'href="/?next=%2Fapi%2Ftickets%2F"' in page.text

    @pytest.mark.parametrize(
        ("method", "path", "body", "status"),
        [
            ("GET", "tickets/999/", None, 404),
            ("GET", "tickets/?page=9", None, 404),
            ("PUT", "tickets/", {}, 405),
            ("POST", "tickets/", "{bad", 400),
            ("POST", "tickets/", [], 400),
            ("POST", "tickets/", {"status": "\ud800"}, 400),
            ("PATCH", "tickets/{t}/", {"priority": "\ud800"}, 400),
            ("DELETE", "tickets/{t}/", None, 200),
        ],
    )
    def test_draw_every_kind_of_answer(
        self, boss: User, method: str, path: str, body: Any, status: int
    ) -> None:
        made = ticket()

        page = Api(boss).send(method, path.format(t=made.pk), body, **HTML)

        assert page.status == status
        assert page.headers["Content-Type"] == "text/html; charset=utf-8"
        assert "</html>" in page.text

    def test_number_their_pages(self, boss: User) -> None:
        for _ in range(3):
            ticket()

        page = Api(boss).get("tickets/?page_size=1&page=2", **HTML).text

        assert 'class="pagination"' in page
        assert "?page=3&amp;page_size=1" in page

    def test_carry_the_token_that_their_forms_need(self, boss: User) -> None:
        api = Api.in_session(boss)

        page = api.get("tickets/", **HTML)
        found = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page.text)
        assert found is not None
        posted = api.upload(
            "POST",
            "tickets/",
            {"csrfmiddlewaretoken": found[1], "queue": 1, "title": "T", "description": "D"},
            **HTML,
        )

        assert "csrftoken" in page.cookies
        assert posted.status == 201


class TestOptions:
    @pytest.mark.parametrize(
        ("path", "name", "methods"),
        [
            ("", "Api Root", []),
            ("tickets/", "Ticket List", ["POST"]),
            ("tickets/{t}/", "Ticket Instance", ["PUT"]),
            ("tickets/999/", "Ticket Instance", []),
            ("followups/", "Follow Up List", ["POST"]),
            ("followups/{f}/", "Follow Up Instance", ["PUT"]),
            ("followups-attachments/", "Follow Up Attachment List", ["POST"]),
            ("followups-attachments/999/", "Follow Up Attachment Instance", []),
            ("user_tickets/", "User Ticket List", []),
            ("user_tickets/{t}/", "User Ticket Instance", []),
            ("users/", "Create User List", ["POST"]),
        ],
    )
    def test_names_formats_and_forms(
        self, boss: User, path: str, name: str, methods: list[str]
    ) -> None:
        made = ticket()

        answer = Api(boss).send("OPTIONS", path.format(t=made.pk, f=made.articles.get().pk))

        assert answer.status == 200
        body = answer.json
        assert list(body)[:4] == ["name", "description", "renders", "parses"]
        assert body["name"] == name
        assert body["renders"] == ["application/json", "text/html"]
        assert body["parses"] == [
            "application/json",
            "application/x-www-form-urlencoded",
            "multipart/form-data",
        ]
        assert list(body.get("actions", {})) == methods

    def test_forms_are_for_those_who_may_write_here(self, boss: User) -> None:
        made = ticket()
        entry = made.articles.get()
        reader = Api(nora(groups={1: ["read"]}))

        for path in (f"tickets/{made.pk}/", f"followups/{entry.pk}/", "users/"):
            answer = reader.send("OPTIONS", path)
            assert answer.status == 200
            assert "actions" not in answer.json
        assert "actions" in Api(pure_admin()).send("OPTIONS", "users/").json

    def test_the_fields_of_a_ticket(self, boss: User) -> None:
        fields = Api(boss).send("OPTIONS", "tickets/").json["actions"]["POST"]

        for field in fields.values():
            field.pop("help_text", None)
        children = fields["followup_set"]["child"].pop("children")
        assert fields == {
            "id": {"type": "integer", "required": False, "read_only": True, "label": "ID"},
            "queue": {"type": "field", "required": True, "read_only": False, "label": "Queue"},
            "title": {
                "type": "string",
                "required": True,
                "read_only": False,
                "label": "Title",
                "max_length": 200,
            },
            "description": writable("string", "Description"),
            "resolution": writable("string", "Resolution"),
            "submitter_email": {**writable("email", "Submitter E-Mail"), "max_length": 254},
            "assigned_to": writable("field", "Assigned to"),
            "status": {
                **writable("choice", "Status"),
                "choices": [
                    {"value": 1, "display_name": "Open"},
                    {"value": 2, "display_name": "Reopened"},
                    {"value": 3, "display_name": "Resolved"},
                    {"value": 4, "display_name": "Closed"},
                    {"value": 5, "display_name": "Duplicate"},
                ],
            },
            "on_hold": writable("boolean", "On Hold"),
            "priority": {
                **writable("choice", "Priority"),
                "choices": [
                    {"value": 1, "display_name": "1. Critical"},
                    {"value": 2, "display_name": "2. High"},
                    {"value": 3, "display_name": "3. Normal"},
                    {"value": 4, "display_name": "4. Low"},
                    {"value": 5, "display_name": "5. Very Low"},
                ],
            },
            "due_date": writable("datetime", "Due on"),
            "merged_to": writable("field", "Merged to"),
            "attachment": writable("file upload", "Attachment"),
            "followup_set": {
                "type": "field",
                "required": False,
                "read_only": True,
                "label": "Followup set",
                "child": {"type": "nested object", "required": False, "read_only": True},
            },
        }
        assert list(children) == [
            "id",
            "ticket",
            "user",
            "title",
            "comment",
            "public",
            "new_status",
            "time_spent",
            "attachments",
            "followupattachment_set",
            "date",
            "message_id",
            "email_recipients",
        ]

    def test_the_fields_of_an_entry_a_file_and_a_person(self, boss: User) -> None:
        api = Api(boss)
        kinds = {
            path: {
                name: (field["type"], field["required"], field["read_only"])
                for name, field in api.send("OPTIONS", path).json["actions"]["POST"].items()
            }
            for path in ("followups/", "followups-attachments/", "users/")
        }

        assert kinds["followups/"] == {
            "id": ("integer", False, True),
            "ticket": ("field", True, False),
            "user": ("field", False, False),
            "title": ("string", False, False),
            "comment": ("string", False, False),
            "public": ("boolean", False, False),
            "new_status": ("choice", False, False),
            "time_spent": ("duration", False, False),
            "attachments": ("list", False, False),
            "followupattachment_set": ("field", False, True),
            "date": ("datetime", False, True),
            "message_id": ("string", False, True),
            "email_recipients": ("field", False, True),
        }
        assert kinds["followups-attachments/"] == {
            "id": ("integer", False, True),
            "followup": ("field", True, False),
            "file": ("file upload", True, False),
            "filename": ("string", False, False),
            "mime_type": ("string", False, False),
            "size": ("integer", False, False),
        }
        assert kinds["users/"] == {
            "first_name": ("string", False, False),
            "last_name": ("string", False, False),
            "username": ("string", True, False),
            "email": ("email", False, False),
            "password": ("string", True, False),
        }


def writable(kind: str, label: str) -> dict[str, Any]:
    return {"type": kind, "required": False, "read_only": False, "label": label}


@pytest.mark.browser
@pytest.mark.live
@pytest.mark.once
class TestInABrowser:
    def test_forms_and_buttons_work_under_the_policy(self, live_desk: LiveDesk, page: Any) -> None:
        refused: list[str] = []
        page.on(
            "console",
            lambda message: (
                refused.append(message.text) if "Content Security Policy" in message.text else None
            ),
        )
        sign_in(page, live_desk)
        page.goto(f"{live_desk.url}/api/tickets/")

        page.click("a[name=html-tab]")
        form = page.locator("#post-object-form")
        form.locator("[name=queue]").fill("1")
        form.locator("[name=title]").fill("From <the> browser")
        form.locator("[name=description]").fill("Line one\nLine two")
        form.get_by_role("button", name="POST").click()
        page.wait_for_selector("text=HTTP 201 Created")

        page.goto(f"{live_desk.url}/api/tickets/?page=last")
        shown = page.locator(".response-info").inner_text()
        found = re.search(r'"id": (\d+),\s+"queue": 1,\s+"title": "From <the> browser"', shown)
        assert found is not None, shown
        page.goto(f"{live_desk.url}/api/tickets/{found[1]}/")
        page.click("a[name=html-tab]")
        form = page.locator("#put-object-form")
        assert form.locator("[name=description]").input_value() == "Line one\nLine two"
        form.locator("[name=title]").fill("Renamed")
        form.get_by_role("button", name="PUT").click()
        page.wait_for_selector("text=PUT /api/tickets/")
        assert "HTTP 200 OK" in page.locator(".response-info").inner_text()
        assert '"title": "Renamed"' in page.locator(".response-info").inner_text()

        page.click("a[name=raw-tab]")
        raw = page.locator("#put-generic-content-form")
        raw.locator("[name=_content]").fill('{"priority": 1}')
        raw.get_by_role("button", name="PATCH").click()
        page.wait_for_selector("text=PATCH /api/tickets/")
        assert '"priority": 1' in page.locator(".response-info").inner_text()

        page.get_by_role("button", name="OPTIONS").click()
        page.wait_for_selector("text=OPTIONS /api/tickets/")
        page.goto(f"{live_desk.url}/api/tickets/{found[1]}/")
        page.get_by_role("button", name="DELETE").click()
        page.click("#deleteModal button.btn-danger")
        page.wait_for_selector("text=HTTP 204 No Content")
        assert refused == []


def sign_in(page: Any, desk: LiveDesk) -> None:
    page.goto(f"{desk.url}/")
    page.fill("input[name=username]", desk.admin_email)
    page.fill("input[name=password]", desk.admin_password)
    page.click("button[type=submit]")
    page.wait_for_load_state()
