"""Entries over HTTP: what they do to the ticket, to mail, to time; correcting and removing them."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from deskbell.kernel.models import Event
from deskbell.people.models import Group, User
from deskbell.tickets.models import Article, Ticket
from deskbell.tickets.operations import NewArticle, add_copies, update_ticket
from deskbell.tickets.vocabulary import ArticleType, Sender, StateId
from tests.api.helpdesk.client import Api
from tests.cast import MONDAY_10AM, acting, ada, group, kemal, nora, ticket

pytestmark = pytest.mark.django_db

DURATION = (
    "Duration has wrong format. Use one of these formats instead: [DD] [HH:[MM:]]ss[.uuuuuu]."
)
NO_FILE = "The submitted data was not a file. Check the encoding type on the form."


@pytest.fixture
def boss() -> User:
    return ada()


@pytest.fixture
def api(boss: User) -> Api:
    return Api(boss)


class TestAdding:
    def test_is_private_unless_said_otherwise(self, api: Api, boss: User) -> None:
        made = ticket(kemal())

        body = api.answered(made.pk, title="Test", comment="C")

        assert body | {"id": 0, "date": ""} == {
            "id": 0,
            "ticket": made.pk,
            "user": boss.pk,
            "title": "Test",
            "comment": "C",
            "public": False,
            "new_status": None,
            "time_spent": None,
            "followupattachment_set": [],
            "date": "",
            "message_id": None,
            "email_recipients": [],
        }
        article = Article.objects.get(pk=body["id"])
        assert article.internal
        assert article.type == ArticleType.NOTE

    def test_a_public_one_is_mailed_once_to_the_submitter_and_the_copies(
        self, api: Api, boss: User
    ) -> None:
        Group.objects.filter(pk=1).update(updated_ticket_cc=["updated-cc@example.test"])
        made = ticket(kemal())
        add_copies(
            made.pk,
            ["cc@example.test", "kemal@example.test", boss.email],
            actor=acting(boss),
            at=MONDAY_10AM,
        )

        public = api.answered(made.pk, comment="C", public=True)
        private = api.answered(made.pk, comment="C")

        assert public["email_recipients"] == [
            "cc@example.test",
            "kemal@example.test",
            "updated-cc@example.test",
        ]
        assert private["email_recipients"] == ["updated-cc@example.test"]
        article = Article.objects.get(pk=public["id"])
        assert (article.type, article.sender) == (ArticleType.EMAIL, Sender.AGENT)

    def test_resolving_in_public_is_mailed_without_words_too(self, api: Api) -> None:
        made = ticket(kemal())

        silent = api.answered(made.pk, public=True)
        resolved = api.answered(made.pk, public=True, new_status=3)

        assert silent["email_recipients"] == []
        assert resolved["email_recipients"] == ["kemal@example.test"]

    def test_does_not_rename_the_ticket(self, api: Api) -> None:
        made = ticket(title="As it was")

        api.answered(made.pk, title="Test ticket answer", comment="C")

        made.refresh_from_db()
        assert made.title == "As it was"

    @pytest.mark.parametrize(
        ("fields", "title"),
        [
            ({}, "Printer on fire"),
            ({"title": None}, "Printer on fire"),
            ({"title": ""}, "Updated"),
            ({"title": "", "comment": "C"}, "Comment"),
            ({"title": "", "comment": "C", "new_status": 4}, "Closed"),
            ({"title": "S", "new_status": 3}, "S and Resolved"),
            ({"new_status": 2}, "Printer on fire and Reopened"),
            ({"title": "S", "new_status": 1}, "S"),
        ],
    )
    def test_titles(self, api: Api, fields: dict[str, Any], title: str) -> None:
        answer = api.post("followups/", {"ticket": ticket().pk, **fields})

        assert (answer.status, answer.json["title"]) == (201, title)

    def test_the_caller_is_the_author_whatever_is_sent(self, api: Api, boss: User) -> None:
        body = api.answered(
            ticket().pk,
            user=kemal().pk,
            date="2001-01-01T00:00:00Z",
            message_id="<x@y>",
            email_recipients=["a@b.test"],
        )

        assert body["user"] == boss.pk
        assert not body["date"].startswith("2001")
        assert body["message_id"] is None
        assert body["email_recipients"] == []

    def test_a_null_comment_is_an_empty_one(self, api: Api) -> None:
        assert api.answered(ticket().pk, comment=None)["comment"] == ""

    def test_an_agents_public_answer_starts_the_work(self, api: Api) -> None:
        made = ticket(kemal())

        api.answered(made.pk, comment="C", public=True)

        made.refresh_from_db()
        assert made.state_id == StateId.OPEN

    def test_a_form_without_the_public_box_is_private(self, api: Api) -> None:
        made = ticket()

        private = api.form("POST", "followups/", f"ticket={made.pk}&title=T&comment=C&new_status=")
        public = api.form("POST", "followups/", f"ticket={made.pk}&title=T&public=on")

        assert (private.json["public"], public.json["public"]) == (False, True)


class TestNewStatus:
    @pytest.mark.parametrize(("number", "state"), [(2, 8), (3, 9), (4, 4), (5, 10)])
    def test_changes_the_ticket(self, api: Api, number: int, state: int) -> None:
        made = ticket()

        body = api.answered(made.pk, new_status=number)

        made.refresh_from_db()
        assert (body["new_status"], made.state_id) == (number, state)

    def test_is_null_where_it_changed_nothing(self, api: Api) -> None:
        made = ticket()

        body = api.answered(made.pk, new_status=1)

        made.refresh_from_db()
        assert body["new_status"] is None
        assert made.state_id == StateId.NEW

    def test_resolving_keeps_the_comment_and_closing_only_the_first(self, api: Api) -> None:
        made, second = ticket(), ticket()

        api.answered(made.pk, new_status=3, comment="fixed")
        api.answered(made.pk, new_status=4, comment="closed")
        api.answered(second.pk, new_status=4, comment="closed")

        made.refresh_from_db()
        second.refresh_from_db()
        assert (made.resolution, second.resolution) == ("fixed", "closed")

    def test_changed_later_does_not_touch_the_ticket(self, api: Api) -> None:
        made = ticket()
        body = api.answered(made.pk, new_status=3)

        answer = api.patch(f"followups/{body['id']}/", {"new_status": 4})

        made.refresh_from_db()
        assert answer.json["new_status"] == 4
        assert made.state_id == StateId.RESOLVED


class TestTime:
    @pytest.mark.parametrize(
        ("given", "read", "seconds"),
        [
            ("00:01:30", "00:01:30", 90),
            ("90", "00:01:30", 90),
            (90, "00:01:30", 90),
            ("1 02:03:04", "1 02:03:04", 93784),
            ("1:30", "00:01:30", 90),
            ("P1DT2H", "1 02:00:00", 93600),
            (1.5, "00:00:01", 1),
            ("00:00:00", "00:00:00", 0),
            (0, "00:00:00", 0),
            (None, None, None),
        ],
    )
    def test_is_read_in_one_form(
        self, api: Api, given: Any, read: str | None, seconds: int | None
    ) -> None:
        made = ticket()

        body = api.answered(made.pk, time_spent=given)

        made.refresh_from_db()
        assert (body["time_spent"], made.time_spent) == (read, seconds)

    @pytest.mark.parametrize("given", ["x", True, [], {}, "12:xx"])
    def test_nonsense_is_refused(self, api: Api, given: Any) -> None:
        answer = api.post("followups/", {"ticket": ticket().pk, "time_spent": given})

        assert (answer.status, answer.json) == (400, {"time_spent": [DURATION]})

    @pytest.mark.parametrize("given", [-5, "-00:00:05", 10**30, "99999999 00:00:00", "1e400"])
    def test_what_cannot_be_is_refused(self, api: Api, given: Any) -> None:
        answer = api.post("followups/", {"ticket": ticket().pk, "time_spent": given})

        assert answer.status == 400
        assert list(answer.json) == ["time_spent"]


class TestWrongValues:
    @pytest.mark.parametrize(
        ("fields", "errors"),
        [
            ({"ticket": None}, {"ticket": ["This field may not be null."]}),
            ({"ticket": 999}, {"ticket": ['Invalid pk "999" - object does not exist.']}),
            ({"ticket": "abc"}, {"ticket": ["Incorrect type. Expected pk value, received str."]}),
            (
                {"title": "t" * 201},
                {"title": ["Ensure this field has no more than 200 characters."]},
            ),
            ({"public": None}, {"public": ["This field may not be null."]}),
            ({"public": "x"}, {"public": ["Must be a valid boolean."]}),
            ({"new_status": 9}, {"new_status": ['"9" is not a valid choice.']}),
            ({"comment": []}, {"comment": ["Not a valid string."]}),
            ({"comment": "\0"}, {"comment": ["Null characters are not allowed."]}),
            (
                {"attachments": "x"},
                {"attachments": ['Expected a list of items but got type "str".']},
            ),
            ({"attachments": ["x"]}, {"attachments": {"0": [NO_FILE]}}),
            ({"attachments": None}, {"attachments": ["This field may not be null."]}),
        ],
    )
    def test_are_named_and_nothing_is_written(
        self, api: Api, fields: dict[str, Any], errors: dict[str, Any]
    ) -> None:
        made = ticket()
        before = Article.objects.count(), Event.objects.count()

        answer = api.post("followups/", {"ticket": made.pk, "new_status": 3, **fields})

        assert (answer.status, answer.json) == (400, errors)
        assert (Article.objects.count(), Event.objects.count()) == before
        made.refresh_from_db()
        assert made.state_id == StateId.NEW

    def test_a_missing_ticket(self, api: Api) -> None:
        answer = api.post("followups/", {})

        assert (answer.status, answer.json) == (400, {"ticket": ["This field is required."]})

    def test_a_comment_beyond_what_is_stored(self, api: Api) -> None:
        answer = api.post("followups/", {"ticket": ticket().pk, "comment": "x" * 1_500_001})

        assert (answer.status, answer.json) == (
            400,
            {"comment": ["Ensure this field has no more than 1500000 characters."]},
        )


class TestFiles:
    def test_several_at_once(self, api: Api) -> None:
        made = ticket()

        answer = api.upload(
            "POST",
            "followups/",
            {
                "ticket": made.pk,
                "title": "Test",
                "comment": "Two files",
                "attachments": [
                    SimpleUploadedFile("doc.pdf", b"%PDF-1", "application/pdf"),
                    SimpleUploadedFile("image.png", b"PNG", "image/png"),
                ],
            },
        )

        assert answer.status == 201
        files = answer.json["followupattachment_set"]
        assert [(f["filename"], f["mime_type"], f["size"]) for f in files] == [
            ("doc.pdf", "application/pdf", 6),
            ("image.png", "image/png", 3),
        ]
        assert {f["followup"] for f in files} == {answer.json["id"]}

    @pytest.mark.parametrize(
        ("files", "errors"),
        [
            ([("a.txt", b"")], {"0": ["The submitted file is empty."]}),
            ([("a.txt", b"x"), ("b.txt", b"")], {"1": ["The submitted file is empty."]}),
            ([("a.exe", b"x")], {"0": ["Unsupported file extension: .exe"]}),
            (
                [("a.svg", b"x"), ("b.txt", b"x"), ("c.htm", b"x")],
                {
                    "0": ["Unsupported file extension: .svg"],
                    "2": ["Unsupported file extension: .htm"],
                },
            ),
        ],
    )
    def test_a_refused_one_leaves_nothing(
        self, api: Api, files: list[tuple[str, bytes]], errors: dict[str, Any]
    ) -> None:
        made = ticket()

        answer = api.upload(
            "POST",
            "followups/",
            {"ticket": made.pk, "attachments": [SimpleUploadedFile(n, c) for n, c in files]},
        )

        assert (answer.status, answer.json) == (400, {"attachments": errors})
        assert made.articles.count() == 1

    def test_none_in_json_is_fine(self, api: Api) -> None:
        assert api.answered(ticket().pk, attachments=[])["followupattachment_set"] == []

    @pytest.mark.parametrize("method", ["PUT", "PATCH"])
    def test_sent_with_a_correction_are_kept(self, api: Api, method: str) -> None:
        made = ticket()
        body = api.answered(made.pk)

        answer = api.upload(
            method,
            f"followups/{body['id']}/",
            {"ticket": made.pk, "attachments": [SimpleUploadedFile("a.txt", b"late")]},
        )

        assert answer.status == 200
        assert [f["size"] for f in answer.json["followupattachment_set"]] == [4]


class TestCorrecting:
    def test_put_keeps_what_is_not_named(self, api: Api) -> None:
        made = ticket()
        body = api.answered(made.pk, comment="C", public=True, time_spent=90)

        answer = api.put(f"followups/{body['id']}/", {"ticket": made.pk, "title": "New"})

        assert (answer.status, answer.json) == (200, body | {"title": "New"})

    def test_put_needs_the_ticket_and_it_must_be_the_same(self, api: Api) -> None:
        made, other = ticket(), ticket()
        body = api.answered(made.pk)

        missing = api.put(f"followups/{body['id']}/", {"title": "New"})
        moved = api.put(f"followups/{body['id']}/", {"ticket": other.pk, "title": "New"})

        assert (missing.status, missing.json) == (400, {"ticket": ["This field is required."]})
        assert moved.status == 400
        assert list(moved.json) == ["ticket"]
        assert api.get(f"followups/{body['id']}/").json == body

    def test_everything_can_be_corrected_but_author_and_date(self, api: Api) -> None:
        made = ticket()
        body = api.answered(made.pk, comment="C")
        changes = {"title": "N", "comment": "D", "public": True, "time_spent": "00:00:05"}

        answer = api.patch(
            f"followups/{body['id']}/",
            {**changes, "user": kemal().pk, "date": "2001-01-01T00:00:00Z"},
        )

        assert answer.json == body | changes

    def test_what_was_read_is_written_back_without_a_trace(self, api: Api) -> None:
        made = ticket()
        body = api.answered(made.pk, comment="C", public=True, time_spent=90, new_status=2)
        events = Event.objects.count()

        answer = api.put(f"followups/{body['id']}/", body)

        assert (answer.status, answer.json) == (200, body)
        assert Event.objects.count() == events

    def test_html_reads_as_text_and_written_back_stays_html(self, api: Api, boss: User) -> None:
        made = ticket()
        _ticket, article = update_ticket(
            made.pk,
            article=NewArticle(body="<p>Hello <b>you</b></p>", content_type="text/html"),
            actor=acting(boss),
            at=MONDAY_10AM,
        )
        assert article is not None
        read = api.get(f"followups/{article.pk}/").json

        same = api.patch(f"followups/{article.pk}/", {"comment": read["comment"]})
        article.refresh_from_db()
        kept = article.content_type
        other = api.patch(f"followups/{article.pk}/", {"comment": "Plain <now>"})
        article.refresh_from_db()

        assert read["comment"] == "Hello you"
        assert (same.status, kept) == (200, "text/html")
        assert other.json["comment"] == "Plain <now>"
        assert article.content_type == "text/plain"

    def test_a_form_without_the_public_box_makes_it_private(self, api: Api) -> None:
        made = ticket()
        body = api.answered(made.pk, public=True)

        answer = api.form("PUT", f"followups/{body['id']}/", f"ticket={made.pk}&title=T")

        assert answer.json["public"] is False

    def test_is_for_the_author_and_for_those_who_may_delete(self, api: Api) -> None:
        made = ticket()
        of_agent = Api(nora())
        own = of_agent.answered(made.pk, comment="own")
        foreign = api.answered(made.pk, comment="foreign")

        for method, body in (("PATCH", {"comment": "x"}), ("DELETE", None)):
            refused = of_agent.send(method, f"followups/{foreign['id']}/", body)
            assert (refused.status, refused.json) == (
                403,
                {"detail": "You do not have permission to perform this action."},
            )
        assert of_agent.patch(f"followups/{own['id']}/", {"comment": "x"}).status == 200
        assert api.patch(f"followups/{own['id']}/", {"comment": "y"}).status == 200
        assert of_agent.delete(f"followups/{own['id']}/").status == 204

    def test_removing_is_final(self, api: Api) -> None:
        body = api.answered(ticket().pk)

        first, again = (api.delete(f"followups/{body['id']}/") for _ in range(2))

        assert (first.status, first.body) == (204, b"")
        assert (again.status, again.json) == (
            404,
            {"detail": "No FollowUp matches the given query."},
        )

    @pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE"])
    def test_unknown_ids(self, api: Api, method: str) -> None:
        body = None if method in ("GET", "DELETE") else {"ticket": 1}

        unknown = api.send(method, "followups/999/", body)
        no_number = api.send(method, "followups/abc/", body)

        assert (unknown.status, unknown.json["detail"]) == (
            404,
            "No FollowUp matches the given query.",
        )
        assert (no_number.status, no_number.json["detail"]) == (404, "Not found.")


class TestListing:
    def test_is_by_date_and_knows_no_filter(self, api: Api) -> None:
        first, second = ticket(), ticket()
        for id_ in (first.pk, second.pk, first.pk):
            api.answered(id_)

        body = api.get(f"followups/?ticket={first.pk}").json

        assert body["count"] == 5
        dates = [entry["date"] for entry in body["results"]]
        assert dates == sorted(dates)

    def test_only_received_mail_shows_an_id(self, api: Api) -> None:
        made = ticket(kemal())
        body = api.answered(made.pk, comment="C", public=True)
        Article.objects.filter(ticket=made).exclude(pk=body["id"]).update(
            via="mail", message_id="<in@example.test>"
        )

        received, sent = api.get("followups/").json["results"]

        assert Article.objects.get(pk=body["id"]).message_id
        assert (received["message_id"], sent["message_id"]) == ("<in@example.test>", None)

    def test_a_null_subject_reads_comment(self, api: Api) -> None:
        made = ticket()
        Article.objects.filter(ticket=made).update(subject=None, email_recipients=None)

        entry = api.get("followups/").json["results"][0]

        assert (entry["title"], entry["email_recipients"]) == ("Comment", None)


class TestPlaceholders:
    def test_are_filled_in(self, api: Api) -> None:
        made = ticket(kemal(), title="A <b> & {{ queue.title }}")

        body = api.answered(
            made.pk,
            comment="{{ ticket.title }} / {{queue.title}} / {{ ticket.ticket }} / "
            "{{ nothing.here }} / {% now %} / {{ ticket.title|upper }} / {{ broken",
        )

        assert body["comment"] == (
            f"A <b> & {{{{ queue.title }}}} / Users / [users-{made.pk}] / "
            " / {% now %} / {{ ticket.title|upper }} / {{ broken"
        )

    def test_cannot_grow_beyond_what_is_stored(self, api: Api) -> None:
        made = ticket()
        Ticket.objects.filter(pk=made.pk).update(description="d" * 100_000)

        answer = api.post(
            "followups/", {"ticket": made.pk, "comment": "{{ ticket.description }}" * 16}
        )

        assert answer.status == 400
        assert list(answer.json) == ["comment"]

    def test_are_not_filled_in_elsewhere(self, api: Api) -> None:
        made = api.opened(description="{{ ticket.title }}")

        assert made["followup_set"][0]["comment"] == "{{ ticket.title }}"


class TestReferences:
    def test_leave_a_private_entry_where_the_caller_may_change(self, api: Api) -> None:
        sales = group()
        here, mine, foreign = ticket(), ticket(), ticket(group_id=sales.pk)
        agent = Api(nora(groups={1: ["full"], sales.pk: ["read"]}))

        agent.answered(here.pk, comment=f"See #{mine.pk}, #{foreign.pk}, #{here.pk}, #99999")
        agent.answered(here.pk, comment=f"Again #{mine.pk}")

        left = Article.objects.filter(subject=f"Referenced in ticket #{here.pk}")
        assert [(a.ticket_id, a.internal) for a in left] == [(mine.pk, True)]
        assert left[0].email_recipients == []
        assert not left[0].body
