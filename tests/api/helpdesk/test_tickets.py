"""Tickets over HTTP: creating, reading, writing, deleting, and every named error."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from deskbell.kernel.models import Event
from deskbell.people.models import Group, User
from deskbell.tickets.models import Article, State, Ticket
from deskbell.tickets.vocabulary import ArticleType, Sender, StateId
from tests.api.helpdesk.client import Api
from tests.cast import ada, group, kemal, nora, person, ticket

pytestmark = pytest.mark.django_db

DATETIME = (
    "Datetime has wrong format. Use one of these formats instead: "
    "YYYY-MM-DDThh:mm[:ss[.uuuuuu]][+HH:MM|-HH:MM|Z]."
)
KEYS = [
    "id",
    "queue",
    "title",
    "description",
    "resolution",
    "submitter_email",
    "assigned_to",
    "status",
    "on_hold",
    "priority",
    "due_date",
    "merged_to",
    "followup_set",
]
FOLLOWUP_KEYS = [
    "id",
    "ticket",
    "user",
    "title",
    "comment",
    "public",
    "new_status",
    "time_spent",
    "followupattachment_set",
    "date",
    "message_id",
    "email_recipients",
]


@pytest.fixture
def boss() -> User:
    return ada()


@pytest.fixture
def api(boss: User) -> Api:
    return Api(boss)


class TestCreating:
    def test_a_ticket_with_a_submitter(self, api: Api, boss: User) -> None:
        Group.objects.filter(pk=1).update(
            new_ticket_cc=["new-cc@example.test"], updated_ticket_cc=["updated-cc@example.test"]
        )

        answer = api.post(
            "tickets/",
            {
                "queue": 1,
                "title": "Test Ticket API",
                "description": "D",
                "submitter_email": "s@example.test",
                "priority": 3,
            },
        )

        assert answer.status == 201
        body = answer.json
        assert list(body) == KEYS
        entry = body.pop("followup_set")[0]
        assert body == {
            "id": body["id"],
            "queue": 1,
            "title": "Test Ticket API",
            "description": "D",
            "resolution": None,
            "submitter_email": "s@example.test",
            "assigned_to": None,
            "status": 1,
            "on_hold": False,
            "priority": 3,
            "due_date": None,
            "merged_to": None,
        }
        assert list(entry) == FOLLOWUP_KEYS
        assert entry["title"] == "Ticket Opened"
        assert entry["comment"] == "D"
        assert entry["public"] is True
        assert entry["user"] == boss.pk
        assert entry["ticket"] == body["id"]
        assert entry["email_recipients"] == [
            "new-cc@example.test",
            "s@example.test",
            "updated-cc@example.test",
        ]
        assert entry["date"].endswith("Z")
        made = Ticket.objects.get(pk=body["id"])
        assert made.state_id == StateId.NEW
        article = made.articles.get()
        assert (article.type, article.sender) == (ArticleType.WEB, Sender.CUSTOMER)
        assert article.origin_by_id == made.customer_id
        assert article.created_by_id == boss.pk

    def test_without_a_submitter_it_is_a_public_note_of_the_caller(self, api: Api) -> None:
        body = api.opened()

        assert body["submitter_email"] is None
        article = Article.objects.get(ticket_id=body["id"])
        assert (article.type, article.sender, article.internal) == (
            ArticleType.NOTE,
            Sender.AGENT,
            False,
        )
        assert Ticket.objects.get(pk=body["id"]).state_id == StateId.NEW

    def test_status_hold_resolution_and_pointer_are_checked_and_then_forced(self, api: Api) -> None:
        other = api.opened()

        body = api.opened(status=3, on_hold=True, resolution="done", merged_to=other["id"])

        assert (body["status"], body["on_hold"]) == (1, False)
        assert (body["resolution"], body["merged_to"]) == (None, None)

    def test_an_owner_is_named_in_the_first_title(self, api: Api, boss: User) -> None:
        body = api.opened(assigned_to=boss.pk)

        assert body["assigned_to"] == boss.pk
        assert body["followup_set"][0]["title"] == "Ticket Opened & Assigned to Ada Example"

    def test_a_missing_priority_is_the_normal_one(self, api: Api) -> None:
        assert api.opened()["priority"] == 3

    @pytest.mark.parametrize("priority", [1, 2, 3, 4, 5, "4"])
    def test_every_priority_reads_as_it_was_written(self, api: Api, priority: Any) -> None:
        assert api.opened(priority=priority)["priority"] == int(priority)

    def test_one_submitter_is_one_person_whatever_the_case(self, api: Api) -> None:
        first = api.opened(submitter_email="Nobody.Known@example.test")
        second = api.opened(submitter_email="nobody.known@EXAMPLE.test")

        assert first["submitter_email"] == second["submitter_email"] == "Nobody.Known@example.test"
        assert User.objects.filter(email__iexact="nobody.known@example.test").count() == 1

    def test_a_form_creates_too(self, api: Api) -> None:
        answer = api.form(
            "POST",
            "tickets/",
            "queue=1&title=Form&description=D&due_date=&assigned_to=&merged_to=&on_hold=on",
        )

        assert answer.status == 201
        assert answer.json["due_date"] is None
        assert answer.json["on_hold"] is False

    def test_a_file_is_kept_by_the_opening_entry(self, api: Api) -> None:
        answer = api.upload(
            "POST",
            "tickets/",
            {
                "queue": 1,
                "title": "With file",
                "description": "D",
                "priority": 3,
                "attachment": SimpleUploadedFile("file.txt", b"hello", "text/plain"),
            },
        )

        assert answer.status == 201
        assert "attachment" not in answer.json
        entry = answer.json["followup_set"][0]
        file = entry["followupattachment_set"][0]
        assert file == {
            "id": file["id"],
            "followup": entry["id"],
            "file": f"http://testserver/api/followups-attachments/{file['id']}/file/file.txt",
            "filename": "file.txt",
            "mime_type": "text/plain",
            "size": 5,
        }

    def test_texts_are_trimmed_and_numbers_become_text(self, api: Api) -> None:
        body = api.opened(title="  padded  ", description=5)

        assert (body["title"], body["description"]) == ("padded", "5")

    @pytest.mark.parametrize(
        ("given", "read"),
        [
            ("2031-05-06", "2031-05-06T00:00:00Z"),
            ("2031-05-06T07:08", "2031-05-06T07:08:00Z"),
            ("2031-05-06T07:08:09Z", "2031-05-06T07:08:09Z"),
            ("2031-05-06 07:08:09.5+02:00", "2031-05-06T05:08:09.500000Z"),
            (None, None),
        ],
    )
    def test_due_dates(self, api: Api, given: str | None, read: str | None) -> None:
        body = api.opened(due_date=given)

        assert body["due_date"] == read
        assert api.get(f"tickets/{body['id']}/").json["due_date"] == read

    def test_a_reference_leaves_a_quiet_private_entry_on_the_other_ticket_once(
        self, api: Api
    ) -> None:
        Group.objects.filter(pk=1).update(updated_ticket_cc=["cc@example.test"])
        first = api.opened()

        second = api.opened(description=f"As in #{first['id']} and #{first['id']}, not &#39;")

        entries = api.get(f"tickets/{first['id']}/").json["followup_set"]
        assert len(entries) == 2
        assert entries[1]["title"] == f"Referenced in ticket #{second['id']}"
        assert entries[1]["public"] is False
        assert entries[1]["email_recipients"] == []


WRONG = [
    ({"queue": None}, {"queue": ["This field may not be null."]}),
    ({"queue": 999}, {"queue": ['Invalid pk "999" - object does not exist.']}),
    ({"queue": "abc"}, {"queue": ["Incorrect type. Expected pk value, received str."]}),
    ({"queue": [1]}, {"queue": ["Incorrect type. Expected pk value, received list."]}),
    ({"queue": True}, {"queue": ["Incorrect type. Expected pk value, received bool."]}),
    ({"queue": 10**30}, {"queue": [f'Invalid pk "{10**30}" - object does not exist.']}),
    ({"title": ""}, {"title": ["This field may not be blank."]}),
    ({"title": "   "}, {"title": ["This field may not be blank."]}),
    ({"title": None}, {"title": ["This field may not be null."]}),
    ({"title": "x" * 201}, {"title": ["Ensure this field has no more than 200 characters."]}),
    ({"title": True}, {"title": ["Not a valid string."]}),
    ({"title": {}}, {"title": ["Not a valid string."]}),
    ({"title": "a\0b"}, {"title": ["Null characters are not allowed."]}),
    ({"title": "a\ud800b"}, {"title": ["Surrogate characters are not allowed: U+D800."]}),
    ({"assigned_to": 999}, {"assigned_to": ['Invalid pk "999" - object does not exist.']}),
    ({"assigned_to": 1}, {"assigned_to": ['Invalid pk "1" - object does not exist.']}),
    ({"merged_to": 999}, {"merged_to": ['Invalid pk "999" - object does not exist.']}),
    ({"priority": 9}, {"priority": ['"9" is not a valid choice.']}),
    ({"priority": "abc"}, {"priority": ['"abc" is not a valid choice.']}),
    ({"priority": 3.0}, {"priority": ['"3.0" is not a valid choice.']}),
    ({"priority": None}, {"priority": ["This field may not be null."]}),
    ({"status": 9}, {"status": ['"9" is not a valid choice.']}),
    ({"status": "\ud800"}, {"status": ['"\ud800" is not a valid choice.']}),
    ({"status": None}, {"status": ["This field may not be null."]}),
    ({"submitter_email": "x"}, {"submitter_email": ["Enter a valid email address."]}),
    (
        {"submitter_email": "x" * 250 + "@e.test"},
        {"submitter_email": ["Ensure this field has no more than 254 characters."]},
    ),
    ({"due_date": "soon"}, {"due_date": [DATETIME]}),
    ({"due_date": ""}, {"due_date": [DATETIME]}),
    ({"due_date": 5}, {"due_date": [DATETIME]}),
    ({"due_date": "9999-12-31T23:59:59-10:00"}, {"due_date": ["Datetime value out of range."]}),
    ({"on_hold": "maybe"}, {"on_hold": ["Must be a valid boolean."]}),
    ({"on_hold": None}, {"on_hold": ["This field may not be null."]}),
    ({"description": None}, {"description": ["This field is required."]}),
    ({"description": ""}, {"description": ["This field is required."]}),
    ({"description": []}, {"description": ["Not a valid string."]}),
    (
        {"attachment": "x"},
        {"attachment": ["The submitted data was not a file. Check the encoding type on the form."]},
    ),
]


class TestWrongValues:
    @pytest.mark.parametrize(("fields", "errors"), WRONG)
    def test_are_named_and_nothing_is_written(
        self, api: Api, fields: dict[str, Any], errors: dict[str, Any]
    ) -> None:
        before = Ticket.objects.count(), Event.objects.count(), User.objects.count()

        answer = api.post(
            "tickets/",
            {"queue": 1, "title": "T", "description": "D", "submitter_email": "new@e.test"}
            | fields,
        )

        assert (answer.status, answer.json) == (400, errors)
        assert (Ticket.objects.count(), Event.objects.count(), User.objects.count()) == before

    def test_are_all_named_at_once(self, api: Api) -> None:
        answer = api.post("tickets/", {"priority": 9, "on_hold": "x"})

        assert answer.status == 400
        assert answer.json == {
            "queue": ["This field is required."],
            "title": ["This field is required."],
            "description": ["This field is required."],
            "on_hold": ["Must be a valid boolean."],
            "priority": ['"9" is not a valid choice.'],
        }

    @pytest.mark.parametrize(
        ("name", "content", "error"),
        [
            ("virus.exe", b"x", "Unsupported file extension: .exe"),
            ("page.HTML", b"x", "Unsupported file extension: .html"),
            ("hidden.ex\u200be", b"x", "Unsupported file extension: .exe"),
            ("empty.txt", b"", "The submitted file is empty."),
        ],
    )
    def test_files(self, api: Api, name: str, content: bytes, error: str) -> None:
        answer = api.upload(
            "POST",
            "tickets/",
            {
                "queue": 1,
                "title": "T",
                "description": "D",
                "attachment": SimpleUploadedFile(name, content),
            },
        )

        assert (answer.status, answer.json) == (400, {"attachment": [error]})
        assert not Ticket.objects.exists()

    @pytest.mark.parametrize("name", ["a.TXT", "a.asc", "noending", "a.Jpg", "a.eml", "a.docx"])
    def test_files_of_allowed_kinds_pass(self, api: Api, name: str) -> None:
        answer = api.upload(
            "POST",
            "tickets/",
            {
                "queue": 1,
                "title": "T",
                "description": "D",
                "attachment": SimpleUploadedFile(name, b"x"),
            },
        )

        assert answer.status == 201

    @pytest.mark.parametrize(
        ("body", "text"),
        [
            ("[]", "Invalid data. Expected a dictionary, but got list."),
            ('"x"', "Invalid data. Expected a dictionary, but got str."),
            ("null", "No data provided"),
        ],
    )
    def test_a_body_that_is_no_object(self, api: Api, body: str, text: str) -> None:
        created = api.send("POST", "tickets/", body)
        changed = api.send("PATCH", f"tickets/{ticket().pk}/", body)

        assert (created.status, created.json) == (400, {"non_field_errors": [text]})
        assert (changed.status, changed.json) == (400, {"non_field_errors": [text]})


class TestReading:
    def test_one_reads_as_in_the_list(self, api: Api) -> None:
        made = api.opened(submitter_email="s@example.test", due_date="2031-05-06")
        api.answered(made["id"], comment="C", public=True, time_spent="00:01:30")

        one = api.get(f"tickets/{made['id']}/").json

        assert api.get("tickets/").json["results"] == [one]
        assert [f["title"] for f in one["followup_set"]] == ["Ticket Opened", "T"]

    @pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE"])
    @pytest.mark.parametrize("id_", ["999", "0", "-1", str(2**63), "9" * 40])
    def test_an_unknown_id(self, api: Api, method: str, id_: str) -> None:
        body = None if method in ("GET", "DELETE") else {"queue": 1, "title": "T"}

        answer = api.send(method, f"tickets/{id_}/", body)

        assert (answer.status, answer.json) == (
            404,
            {"detail": "No Ticket matches the given query."},
        )

    @pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE"])
    @pytest.mark.parametrize("id_", ["abc", "1x", "%00", "9" * 5000])
    def test_what_is_no_id(self, api: Api, method: str, id_: str) -> None:
        answer = api.send(method, f"tickets/{id_}/", None if method in ("GET", "DELETE") else {})

        assert (answer.status, answer.json) == (404, {"detail": "Not found."})

    def test_user_one_reads_as_nobody(self, api: Api) -> None:
        made = ticket()

        body = api.get(f"tickets/{made.pk}/").json

        assert body["assigned_to"] is None
        assert body["submitter_email"] is None
        assert body["followup_set"][0]["user"] is None

    @pytest.mark.parametrize(
        ("state", "status", "on_hold"),
        [
            (1, 1, False),
            (2, 1, False),
            (3, 1, True),
            (4, 4, False),
            (5, 5, False),
            (6, 4, False),
            (7, 1, True),
            (8, 2, False),
            (9, 3, False),
            (10, 5, False),
        ],
    )
    def test_states_read_as_numbers(self, api: Api, state: int, status: int, on_hold: bool) -> None:
        made = ticket()
        Ticket.objects.filter(pk=made.pk).update(state_id=state)

        body = api.get(f"tickets/{made.pk}/").json

        assert (body["status"], body["on_hold"]) == (status, on_hold)


class TestWriting:
    def test_put_changes_what_is_named_and_keeps_the_rest(self, api: Api, boss: User) -> None:
        made = api.opened(submitter_email="s@example.test", priority=2, assigned_to=boss.pk)

        answer = api.put(f"tickets/{made['id']}/", {"queue": 1, "title": "Changed"})

        assert answer.status == 200
        assert answer.json == made | {"title": "Changed"}

    def test_put_needs_queue_and_title_only(self, api: Api) -> None:
        made = api.opened()

        answer = api.put(f"tickets/{made['id']}/", {})

        assert answer.status == 400
        assert answer.json == {
            "queue": ["This field is required."],
            "title": ["This field is required."],
        }

    def test_everything_can_be_written(self, api: Api, boss: User) -> None:
        sales = group()
        other = api.opened()
        made = api.opened(submitter_email="s@example.test")
        written = {
            "queue": sales.pk,
            "title": "New title",
            "description": "New description",
            "resolution": "Repaired",
            "submitter_email": "other@example.test",
            "assigned_to": boss.pk,
            "status": 3,
            "on_hold": True,
            "priority": 1,
            "due_date": "2031-05-06T07:08:09Z",
            "merged_to": other["id"],
        }

        answer = api.put(f"tickets/{made['id']}/", written)

        assert answer.status == 200
        assert {key: answer.json[key] for key in written} == written
        assert answer.json["followup_set"] == made["followup_set"]

    def test_an_empty_patch_is_fine_and_leaves_no_trace(self, api: Api) -> None:
        made = api.opened()
        events = Event.objects.count()

        answer = api.patch(f"tickets/{made['id']}/", {})

        assert (answer.status, answer.json) == (200, made)
        assert Event.objects.count() == events

    def test_null_empties(self, api: Api, boss: User) -> None:
        made = api.opened(
            submitter_email="s@example.test", assigned_to=boss.pk, due_date="2031-05-06"
        )
        empty = {
            "description": None,
            "submitter_email": None,
            "assigned_to": None,
            "due_date": None,
        }

        answer = api.patch(f"tickets/{made['id']}/", empty)

        assert {key: answer.json[key] for key in empty} == empty

    def test_a_form_without_the_hold_box_takes_the_ticket_off_hold(self, api: Api) -> None:
        made = api.opened()
        api.patch(f"tickets/{made['id']}/", {"on_hold": True})

        patched = api.form("PATCH", f"tickets/{made['id']}/", "title=Held")
        json_put = api.put(f"tickets/{made['id']}/", {"queue": 1, "title": "Held"})
        form_put = api.form("PUT", f"tickets/{made['id']}/", "queue=1&title=Held")

        assert patched.json["on_hold"] is True
        assert json_put.json["on_hold"] is True
        assert form_put.json["on_hold"] is False

    @pytest.mark.parametrize("method", ["PUT", "PATCH"])
    def test_empty_texts_of_a_form_are_null(self, api: Api, boss: User, method: str) -> None:
        made = api.opened(due_date="2031-05-06", assigned_to=boss.pk, submitter_email="s@e.test")

        answer = api.form(
            method,
            f"tickets/{made['id']}/",
            "queue=1&title=T&due_date=&assigned_to=&merged_to=&submitter_email=",
        )

        assert answer.status == 200
        for key in ("due_date", "assigned_to", "merged_to", "submitter_email"):
            assert answer.json[key] is None

    @pytest.mark.parametrize(("number", "state"), [(2, 8), (3, 9), (4, 4), (5, 10), (1, 2)])
    def test_a_number_picks_the_seeded_state(self, api: Api, number: int, state: int) -> None:
        made = api.opened()
        api.patch(f"tickets/{made['id']}/", {"status": 4 if number != 4 else 2})

        answer = api.patch(f"tickets/{made['id']}/", {"status": number})

        assert answer.json["status"] == number
        assert Ticket.objects.get(pk=made["id"]).state_id == state

    def test_the_number_it_has_keeps_the_row(self, api: Api) -> None:
        made = ticket()
        own = State.objects.create(name="on site", name_key="on site", type=2, helpdesk_number=1)
        Ticket.objects.filter(pk=made.pk).update(state=own)

        for status in (1, "1"):
            assert api.patch(f"tickets/{made.pk}/", {"status": status}).status == 200

        made.refresh_from_db()
        assert made.state_id == own.pk

    def test_held_and_resolved_at_once_also_for_a_pending_ticket(self, api: Api) -> None:
        made = ticket()
        Ticket.objects.filter(pk=made.pk).update(
            state_id=StateId.PENDING_REMINDER, pending_time="2031-01-01T00:00Z"
        )

        answer = api.patch(f"tickets/{made.pk}/", {"status": 3, "on_hold": True})

        assert (answer.json["status"], answer.json["on_hold"]) == (3, True)

    def test_a_merged_pointer_moves_nothing(self, api: Api) -> None:
        made, target = api.opened(), api.opened()

        answer = api.patch(f"tickets/{made['id']}/", {"merged_to": target["id"]})

        assert answer.json["merged_to"] == target["id"]
        assert answer.json["status"] == 1
        assert len(answer.json["followup_set"]) == 1
        self_ = api.patch(f"tickets/{made['id']}/", {"merged_to": made["id"]})
        cycle = api.patch(f"tickets/{target['id']}/", {"merged_to": made["id"]})
        assert self_.status == cycle.status == 400
        assert list(self_.json) == list(cycle.json) == ["merged_to"]
        api.delete(f"tickets/{target['id']}/")
        assert api.get(f"tickets/{made['id']}/").json["merged_to"] is None

    def test_a_title_that_is_too_long_but_not_new_is_no_error(self, api: Api) -> None:
        made = ticket(title="x" * 250)

        kept = api.put(f"tickets/{made.pk}/", {"queue": 1, "title": "x" * 250, "priority": 1})
        changed = api.patch(f"tickets/{made.pk}/", {"title": "y" * 201})

        assert (kept.status, kept.json["priority"]) == (200, 1)
        assert changed.status == 400

    def test_an_inactive_owner_and_queue_written_back_are_no_change(self, api: Api) -> None:
        gone = nora()
        made = api.opened(assigned_to=gone.pk)
        User.objects.filter(pk=gone.pk).update(active=False)
        Group.objects.filter(pk=1).update(active=False)

        kept = api.put(
            f"tickets/{made['id']}/", {"queue": 1, "title": "T2", "assigned_to": gone.pk}
        )

        assert (kept.status, kept.json["assigned_to"]) == (200, gone.pk)
        other = api.opened(queue=group().pk)
        refused = api.patch(f"tickets/{other['id']}/", {"queue": 1, "assigned_to": gone.pk})
        assert refused.json == {
            "queue": ['Invalid pk "1" - object does not exist.'],
            "assigned_to": [f'Invalid pk "{gone.pk}" - object does not exist.'],
        }

    def test_an_owner_named_again_survives_a_move(self, api: Api) -> None:
        owner = nora()
        made = api.opened(assigned_to=owner.pk)
        sales = group()

        kept = api.put(
            f"tickets/{made['id']}/",
            {"queue": sales.pk, "title": "T", "assigned_to": owner.pk},
        )

        assert kept.json["assigned_to"] == owner.pk

    def test_a_customer_without_address_is_not_lost(self, api: Api) -> None:
        nameless = kemal(email="")
        made = ticket(nameless)

        answer = api.put(f"tickets/{made.pk}/", {"queue": 1, "title": "T", "submitter_email": None})

        assert answer.status == 200
        made.refresh_from_db()
        assert made.customer_id == nameless.pk

    def test_a_file_is_refused_rather_than_dropped(self, api: Api) -> None:
        made = api.opened()

        answer = api.upload(
            "PATCH",
            f"tickets/{made['id']}/",
            {"title": "New", "attachment": SimpleUploadedFile("a.txt", b"x")},
        )

        assert answer.status == 400
        assert list(answer.json) == ["attachment"]
        assert api.get(f"tickets/{made['id']}/").json == made

    def test_unknown_keys_are_passed_over(self, api: Api) -> None:
        made = api.opened(custom_unknown=1, nonsense=[], id=5, followup_set=[1])

        answer = api.patch(f"tickets/{made['id']}/", {"id": 1, "followup_set": [], "x": 1})

        assert (answer.status, answer.json) == (200, made)

    def test_wrong_values_change_nothing(self, api: Api) -> None:
        made = api.opened()

        answer = api.patch(f"tickets/{made['id']}/", {"title": "New", "priority": 9, "queue": None})

        assert answer.json == {
            "queue": ["This field may not be null."],
            "priority": ['"9" is not a valid choice.'],
        }
        assert api.get(f"tickets/{made['id']}/").json == made


class TestDeleting:
    def test_is_empty_and_final(self, api: Api) -> None:
        made = api.opened()

        first = api.delete(f"tickets/{made['id']}/")
        again = api.delete(f"tickets/{made['id']}/")

        assert (first.status, first.body) == (204, b"")
        assert "Content-Type" not in first.headers
        assert again.status == 404
        assert not Article.objects.filter(ticket_id=made["id"]).exists()

    def test_needs_the_right_to_delete(self, api: Api) -> None:
        made = api.opened()
        agent = Api(nora())

        refused = agent.delete(f"tickets/{made['id']}/")

        assert (refused.status, refused.json) == (
            403,
            {"detail": "You do not have permission to perform this action."},
        )
        assert Api(person("dora", roles=[2, 4])).delete(f"tickets/{made['id']}/").status == 204
