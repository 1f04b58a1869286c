"""Files over HTTP: their descriptions, their bytes, and who gets them."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from deskbell.people.models import User
from deskbell.tickets.models import Attachment, Ticket
from tests.api.helpdesk.client import Api, basic
from tests.cast import ada, kemal, nora, ticket

pytestmark = pytest.mark.django_db


@pytest.fixture
def boss() -> User:
    return ada()


@pytest.fixture
def api(boss: User) -> Api:
    return Api(boss)


@pytest.fixture
def made() -> Ticket:
    return ticket(kemal())


@pytest.fixture
def entry(api: Api, made: Ticket) -> Any:
    return api.answered(made.pk, comment="C")


def put(api: Api, entry: Any, name: str = "file.txt", content: bytes = b"hello", **f: Any) -> Any:
    answer = api.upload(
        "POST",
        "followups-attachments/",
        {"followup": entry["id"], "file": SimpleUploadedFile(name, content), **f},
    )
    assert answer.status == 201, answer
    return answer.json


class TestAdding:
    def test_describes_what_was_measured(self, api: Api, entry: Any) -> None:
        body = put(api, entry, size=999999)

        assert list(body) == ["id", "followup", "file", "filename", "mime_type", "size"]
        assert (body["filename"], body["mime_type"], body["size"]) == ("file.txt", "text/plain", 5)
        assert api.get(f"followups-attachments/{body['id']}/").json == body
        assert api.get("followups-attachments/").json["results"] == [body]

    def test_the_same_name_twice(self, api: Api, entry: Any) -> None:
        first, second = put(api, entry, content=b"one"), put(api, entry, content=b"two!")

        assert first["file"] != second["file"]
        assert first["filename"] == second["filename"]
        assert api.get(first["file"]).body == b"one"
        assert api.get(second["file"]).body == b"two!"

    def test_path_parts_of_names_are_taken_off(self, api: Api, entry: Any) -> None:
        body = put(api, entry, filename="../../etc/passwd", mime_type="text/x-thing")

        assert (body["filename"], body["mime_type"]) == ("passwd", "text/x-thing")

    @pytest.mark.parametrize(
        ("fields", "errors"),
        [
            (
                {},
                {"followup": ["This field is required."], "file": ["No file was submitted."]},
            ),
            (
                {"followup": 999, "file": SimpleUploadedFile("e.txt", b"")},
                {
                    "followup": ['Invalid pk "999" - object does not exist.'],
                    "file": ["The submitted file is empty."],
                },
            ),
            (
                {"file": SimpleUploadedFile("a.tar.gz", b"x"), "size": "abc"},
                {
                    "followup": ["This field is required."],
                    "file": ["Unsupported file extension: .gz"],
                    "size": ["A valid integer is required."],
                },
            ),
        ],
    )
    def test_wrong_values(self, api: Api, fields: Any, errors: Any) -> None:
        answer = api.upload("POST", "followups-attachments/", fields)

        assert (answer.status, answer.json) == (400, errors)
        assert not Attachment.objects.exists()

    def test_is_a_correction_of_the_entry(self, api: Api, entry: Any) -> None:
        answer = Api(nora()).upload(
            "POST",
            "followups-attachments/",
            {"followup": entry["id"], "file": SimpleUploadedFile("a.txt", b"x")},
        )

        assert answer.status == 403
        assert not Attachment.objects.exists()


class TestChanging:
    def test_the_name(self, api: Api, entry: Any) -> None:
        body = put(api, entry)

        answer = api.patch(f"followups-attachments/{body['id']}/", {"filename": "new.txt"})

        assert answer.status == 200
        assert answer.json["filename"] == "new.txt"
        assert api.get(answer.json["file"]).body == b"hello"

    def test_the_bytes(self, api: Api, entry: Any) -> None:
        body = put(api, entry)

        answer = api.upload(
            "PUT",
            f"followups-attachments/{body['id']}/",
            {"followup": entry["id"], "file": SimpleUploadedFile("x.txt", b"new bytes")},
        )

        assert answer.json == body | {"size": 9}
        assert api.get(body["file"]).body == b"new bytes"

    def test_put_needs_both_and_the_same_followup(self, api: Api, made: Ticket, entry: Any) -> None:
        body = put(api, entry)
        other = api.answered(made.pk)

        missing = api.put(f"followups-attachments/{body['id']}/", {"followup": entry["id"]})
        moved = api.patch(f"followups-attachments/{body['id']}/", {"followup": other["id"]})

        assert (missing.status, missing.json) == (400, {"file": ["No file was submitted."]})
        assert (moved.status, list(moved.json)) == (400, ["followup"])

    def test_empty_words_change_nothing(self, api: Api, entry: Any) -> None:
        body = put(api, entry)

        answer = api.patch(
            f"followups-attachments/{body['id']}/", {"filename": "", "mime_type": "", "size": 1}
        )

        assert (answer.status, answer.json) == (200, body)

    def test_removing(self, api: Api, entry: Any) -> None:
        body = put(api, entry)

        first, again = (api.delete(f"followups-attachments/{body['id']}/") for _ in range(2))

        assert (first.status, first.body) == (204, b"")
        assert (again.status, again.json) == (
            404,
            {"detail": "No FollowUpAttachment matches the given query."},
        )
        assert api.get(body["file"]).status == 404


class TestBytes:
    def test_go_to_staff_by_basic_by_token_and_by_session(
        self, api: Api, boss: User, entry: Any
    ) -> None:
        body = put(api, entry, "doc.pdf", b"%PDF-1.7")
        by_password = Api(HTTP_AUTHORIZATION=basic(boss.login))
        by_session = Api.in_session(boss)

        for someone in (api, by_password, by_session):
            answer = someone.get(body["file"])
            assert (answer.status, answer.body) == (200, b"%PDF-1.7")
        assert answer.headers["Content-Type"] == "application/pdf"
        assert answer.headers["Content-Disposition"] == 'attachment; filename="doc.pdf"'
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "sandbox" in answer.headers["Content-Security-Policy"]
        assert answer.headers["Content-Length"] == "8"

    def test_are_refused_to_everybody_else(self, api: Api, entry: Any) -> None:
        body = put(api, entry)
        stranger, customer = Api(), Api(User.objects.get(login="kemal"))
        elsewhere = Api(nora(groups={}))

        assert stranger.get(body["file"]).status == 403
        assert customer.get(body["file"]).status == 403
        assert elsewhere.get(body["file"]).status == 404

    def test_never_run_in_our_origin(self, api: Api, entry: Any) -> None:
        body = put(api, entry, "page", b"<script>alert(1)</script>", mime_type="text/html")

        answer = api.get(body["file"])

        assert answer.headers["Content-Type"] == "application/octet-stream"
        assert answer.headers["Content-Disposition"].startswith("attachment")

    def test_head_says_how_many(self, api: Api, entry: Any) -> None:
        body = put(api, entry)

        answer = api.send("HEAD", body["file"])

        assert (answer.status, answer.body) == (200, b"")
        assert answer.headers["Content-Length"] == "5"

    def test_names_with_odd_letters(self, api: Api, entry: Any) -> None:
        body = put(api, entry, filename="Größe #1?.txt")

        assert body["filename"] == "Größe #1?.txt"
        assert body["file"].endswith("/file/Gr%C3%B6%C3%9Fe%20%231%3F.txt")
        assert api.get(body["file"]).body == b"hello"

    def test_the_address_keeps_the_mount_and_the_host(self, boss: User, entry: Any) -> None:
        old = Api(boss, mount="/helpdesk/api/", HTTP_HOST="127.0.0.1:8123")
        body = put(old, entry)

        assert body["file"].startswith("http://127.0.0.1:8123/helpdesk/api/followups-attachments/")
        assert old.get(body["file"]).body == b"hello"
