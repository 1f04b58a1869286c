"""What all methods share: addresses, bodies, credentials, the order of checks, the status table."""

from __future__ import annotations

import json

import pytest
from django.test import Client

from deskbell.people.credentials import FAILURES_ALLOWED
from deskbell.people.models import SignInFailure
from deskbell.people.operations import change_user
from deskbell.tickets.models import Article, Ticket
from tests.api.jutda.forms import URLENCODED, assert_plain, call, post, said
from tests.cast import MONDAY_10AM, PASSWORD, acting, ada, kemal, nora, pure_admin, ticket

pytestmark = pytest.mark.django_db

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
REFUSED = (403, "Invalid username or password")
#: Enough for every method to get past its own checks.
ENOUGH = {
    "queue": "1",
    "title": "Printer on fire",
    "confirm": "yes",
    "message": "It burns.",
    "resolution": "Extinguished.",
}


class TestAddresses:
    @pytest.mark.parametrize("mount", ["", "/helpdesk"])
    @pytest.mark.parametrize("slash", ["", "/"])
    @pytest.mark.parametrize("method", METHODS)
    def test_answer_with_and_without_slash_and_below_the_old_mount(self, method, slash, mount):
        user, about = ada(), ticket()

        answer = post(
            f"{mount}/api/{method}{slash}",
            {
                "user": user.login,
                "password": PASSWORD,
                **ENOUGH,
                "ticket": str(about.pk),
                "username": user.login,
            },
        )

        assert answer.status_code == 200, answer.content
        assert_plain(answer)

    @pytest.mark.parametrize("name", ["Hold_Ticket", "hold ticket", "hold_ticket1", "hold.ticket"])
    def test_that_are_no_method_names_are_not_found(self, name):
        user = ada()

        answer = post(f"/api/{name}/", {"user": user.login, "password": PASSWORD, "ticket": "1"})

        assert answer.status_code == 404

    @pytest.mark.parametrize("path", ["/api/hold_ticket/1", "/api/x/y/", "/api/hold_ticket//"])
    def test_that_are_deeper_are_not_found(self, path):
        assert post(path, {"user": "x", "password": "y"}).status_code == 404

    def test_of_the_first_api_version_are_not_ours(self):
        assert post("/api/v1/", {"user": "x", "password": "y"}).status_code != 403

    @pytest.mark.parametrize("slash", ["", "/"])
    @pytest.mark.parametrize(
        "name", ["tickets", "user_tickets", "followups", "followups-attachments", "users"]
    )
    def test_of_the_rest_api_never_speak_this_dialect(self, name, slash):
        user = ada()
        fields = {"user": user.login, "username": user.login, "password": PASSWORD}

        answer = post(f"/api/{name}{slash}", fields)

        assert not answer["Content-Type"].startswith("text/plain")


class TestUnknownNames:
    def test_are_an_error_for_whoever_signs_in_by_form(self):
        assert said(call("nope", ada())) == (400, "Error")

    def test_accept_username_as_well(self):
        user = ada()

        answer = post("/api/no-such_name/", {"username": user.login, "password": PASSWORD})

        assert said(answer) == (400, "Error")

    def test_refuse_bad_credentials_first(self):
        ada()

        answer = post("/api/nope/", {"user": "ada", "password": "wrong"})

        assert said(answer) == REFUSED

    @pytest.mark.parametrize(
        ("fields", "content_type"),
        [
            ({}, URLENCODED),
            ({"user": "ada"}, URLENCODED),
            ({"password": "x"}, URLENCODED),
            ({"user": "ada", "password": PASSWORD}, "application/json"),
            ({"user": "ada", "password": PASSWORD}, "multipart/form-data; boundary=?"),
        ],
    )
    def test_are_not_found_without_a_form_of_credentials(self, fields, content_type):
        ada()
        body = json.dumps(fields) if content_type == "application/json" else fields
        if isinstance(body, dict):
            body = "&".join(f"{name}={value}" for name, value in body.items())

        answer = Client().post("/api/nope/", body, content_type=content_type)

        assert answer.status_code == 404
        assert answer.json() == {"detail": "Not found."}

    @pytest.mark.parametrize("verb", ["GET", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"])
    def test_are_not_found_with_another_verb(self, verb):
        assert Client().generic(verb, "/api/nope/").status_code == 404


class TestVerbs:
    @pytest.mark.parametrize("verb", ["GET", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"])
    @pytest.mark.parametrize("method", METHODS)
    def test_other_than_post_are_refused_before_anything_else(self, method, verb):
        user, about = ada(), ticket()
        body = f"user={user.login}&password={PASSWORD}&ticket={about.pk}&confirm=1"

        answer = Client().generic(verb, f"/api/{method}/", body, content_type=URLENCODED)

        assert answer.status_code == 405
        assert answer["Allow"] == "POST"
        assert answer["Content-Type"] == "text/plain"
        if verb != "HEAD":
            assert answer.content == b"Invalid request method"
        assert Ticket.objects.filter(pk=about.pk).exists()


class TestBodies:
    def test_may_be_multipart(self):
        user = ada()

        answer = Client(enforce_csrf_checks=True).post(
            "/api/create_ticket/",
            {
                "user": user.login,
                "password": PASSWORD,
                "queue": "1",
                "title": "Ümläute & Co. 🔔",
                "body": "a\r\nb",
            },
        )

        assert_plain(answer)
        opened = Ticket.objects.get(pk=int(answer.content))
        assert (opened.title, opened.description) == ("Ümläute & Co. 🔔", "a\r\nb")

    def test_may_carry_files_which_are_passed_over(self, tmp_path):
        user = ada()
        file = tmp_path / "note.txt"
        file.write_text("kept nowhere")

        with file.open("rb") as stream:
            answer = Client().post(
                "/api/create_ticket/",
                {
                    "user": user.login,
                    "password": PASSWORD,
                    "queue": "1",
                    "title": "T",
                    "attachment": stream,
                },
            )

        opened = Ticket.objects.get(pk=int(answer.content))
        assert opened.articles.get().attachments.count() == 0

    def test_are_percent_encoded_or_plain_utf_8(self):
        user = ada()
        head = f"user={user.login}&password=correct+horse%20battery&queue=1&"

        answer = Client().generic(
            "POST",
            "/api/create_ticket/",
            head.encode() + "title=Tür+%E2%82%AC".encode(),
            content_type=URLENCODED,
        )

        assert Ticket.objects.get(pk=int(answer.content)).title == "Tür €"

    def test_in_json_carry_no_parameters(self):
        user = ada()

        answer = Client().post(
            "/api/list_queues/",
            {"user": user.login, "password": PASSWORD},
            content_type="application/json",
        )

        assert said(answer) == REFUSED

    @pytest.mark.parametrize("content_type", ["text/plain", "", "application/xml"])
    def test_of_other_types_carry_no_parameters(self, content_type):
        user = ada()

        answer = Client().generic(
            "POST",
            "/api/list_queues/",
            f"user={user.login}&password={PASSWORD}",
            content_type=content_type,
        )

        assert said(answer) == REFUSED

    def test_the_query_string_is_never_read(self):
        user, about = ada(), ticket()
        query = f"?user={user.login}&password={PASSWORD}&ticket={about.pk}"

        assert said(post(f"/api/hold_ticket/{query}", {})) == REFUSED
        answer = post(
            f"/api/hold_ticket/?ticket={about.pk}", {"user": user.login, "password": PASSWORD}
        )
        assert said(answer) == (404, "Invalid ticket ID")

    def test_of_a_repeated_field_the_last_counts(self):
        user, about = ada(), ticket()
        body = f"user=x&user={user.login}&password={PASSWORD}&ticket=x&ticket={about.pk}"

        answer = Client().generic("POST", "/api/hold_ticket/", body, content_type=URLENCODED)

        assert said(answer) == (200, "OK")

    @pytest.mark.parametrize(
        ("body", "content_type"),
        [
            (b"user=ada&password=x&title=%FF", URLENCODED),
            (b"user=ada&password=x&title=\xff", URLENCODED),
            (b"user=ada&password=x&title=%ED%A0%80", URLENCODED),
            (b"a=1&" * 3000, URLENCODED),
            (b"--x\r\n", "multipart/form-data"),
            (b"--x\r\n", "multipart/form-data; boundary="),
            (
                b'--x\r\nContent-Disposition: form-data; name="user"\r\n\r\n\xff\r\n--x--\r\n',
                "multipart/form-data; boundary=x",
            ),
        ],
    )
    def test_that_cannot_be_read_are_said_to_be_so(self, body, content_type):
        answer = Client().generic("POST", "/api/create_ticket/", body, content_type=content_type)

        assert answer.status_code == 400
        assert_plain(answer)
        assert answer.content.startswith(b"The request")
        assert Ticket.objects.count() == 0


class TestCredentials:
    def test_are_user_or_username_with_a_password(self):
        user, about = ada(), ticket()

        for name in ("user", "username"):
            answer = post(
                "/api/hold_ticket/", {name: "ada", "password": PASSWORD, "ticket": str(about.pk)}
            )
            assert said(answer) == (200, "OK")
        assert user.login == "ada"

    @pytest.mark.parametrize("name", ["ADA", "ada@example.test", "Ada@Example.TEST"])
    def test_take_login_or_address_in_any_case(self, name):
        ada()

        assert post("/api/list_queues/", {"user": name, "password": PASSWORD}).status_code == 200

    @pytest.mark.parametrize(
        "fields",
        [
            {},
            {"user": "ada"},
            {"password": PASSWORD},
            {"user": "", "password": PASSWORD},
            {"user": "ada", "password": ""},
            {"user": "ada", "password": "wrong"},
            {"user": "nobody", "password": PASSWORD},
            {"user": "-", "password": "!"},
            {"user": "ada\0", "password": PASSWORD},
            {"user": "ada", "password": PASSWORD + "\0"},
            {"user": "wrong", "username": "ada", "password": PASSWORD},
            {"user": "", "username": "ada", "password": PASSWORD},
            {"USER": "ada", "password": PASSWORD},
        ],
    )
    @pytest.mark.parametrize("method", ["list_queues", "create_ticket"])
    def test_that_are_wrong_are_refused_and_nothing_happens(self, method, fields):
        ada()

        answer = post(f"/api/{method}/", {**fields, "queue": "1", "title": "T"})

        assert said(answer) == REFUSED
        assert Ticket.objects.count() == 0

    def test_in_a_header_do_not_count(self):
        ada()

        answer = post(
            "/api/list_queues/", {}, headers={"authorization": "Basic YWRhOmNvcnJlY3QgaG9yc2U="}
        )

        assert said(answer) == REFUSED

    def test_work_from_a_foreign_origin(self):
        ada()

        answer = post(
            "/api/list_queues/",
            {"user": "ada", "password": PASSWORD},
            headers={"origin": "https://elsewhere.example", "referer": "https://elsewhere.example"},
        )

        assert answer.status_code == 200

    def test_leave_no_session_behind(self):
        user = ada()
        client = Client()

        client.post("/api/list_queues/", {"user": user.login, "password": PASSWORD})

        assert not client.cookies

    def test_are_slowed_down_after_many_failures_but_not_for_who_is_known(self):
        ada()
        good = {"user": "ada", "password": PASSWORD}
        assert post("/api/list_queues/", good).status_code == 200

        for _ in range(FAILURES_ALLOWED):
            post("/api/list_queues/", {"user": "ada", "password": "wrong"})

        answer = post("/api/list_queues/", {"user": "ada", "password": "another"})
        assert said(answer) == (403, "Too many failed sign-ins, try again in a few minutes")
        assert SignInFailure.objects.count() == FAILURES_ALLOWED
        assert post("/api/list_queues/", good).status_code == 200


# Who, and what every method answers about a ticket of group 1: status alone.
REACH = {
    "admin with all groups": (ada, {}, dict.fromkeys(METHODS, 200)),
    "agent with full": (nora, {}, {**dict.fromkeys(METHODS, 200), "delete_ticket": 403}),
    "agent who may only read": (
        nora,
        {"groups": {1: ["read"]}},
        {
            **dict.fromkeys(METHODS, 403),
            "create_ticket": 400,
            "list_queues": 200,
            "find_user": 200,
        },
    ),
    "agent who may change but not create": (
        nora,
        {"groups": {1: ["read", "change"]}},
        {**dict.fromkeys(METHODS, 200), "create_ticket": 400, "delete_ticket": 403},
    ),
    "agent without access": (
        nora,
        {"groups": {}},
        {
            **dict.fromkeys(METHODS, 404),
            "create_ticket": 400,
            "list_queues": 200,
            "find_user": 200,
        },
    ),
    "administrator without tickets": (
        pure_admin,
        {},
        {
            **dict.fromkeys(METHODS, 404),
            "create_ticket": 400,
            "delete_ticket": 200,
            "list_queues": 200,
            "find_user": 200,
        },
    ),
    "customer": (kemal, {}, dict.fromkeys(METHODS, 403)),
    "inactive admin": (ada, {"active": False}, dict.fromkeys(METHODS, 403)),
}


class TestReach:
    """Who may do what: the same set-up for everybody, so only the person differs."""

    @pytest.mark.parametrize("method", METHODS)
    @pytest.mark.parametrize("who", REACH)
    def test_is_what_the_person_may_do(self, who, method):
        cast, columns, expected = REACH[who]
        user = cast(**columns)
        about = ticket(user)
        changed_at, articles = about.updated_at, Article.objects.count()

        answer = call(
            method,
            user,
            **ENOUGH,
            ticket=str(about.pk),
            username=user.login,
            assigned_to="",
        )

        assert answer.status_code == expected[method], answer.content
        if answer.status_code != 200:
            about.refresh_from_db()
            assert (about.updated_at, Article.objects.count()) == (changed_at, articles)
            assert Ticket.objects.count() == 1

    def test_texts_say_no_more_than_they_should(self):
        reader, stranger = nora({1: ["read"]}), pure_admin()
        about = str(ticket().pk)

        assert said(call("hold_ticket", reader, ticket=about)) == (403, "Permission denied")
        assert said(call("hold_ticket", stranger, ticket=about)) == (404, "Invalid ticket ID")
        assert said(call("delete_ticket", reader, ticket=about, confirm="1")) == (
            403,
            "Permission denied",
        )

    def test_follows_the_person_at_once(self):
        boss, agent, about = ada(), nora(), ticket()
        assert call("hold_ticket", agent, ticket=str(about.pk)).status_code == 200

        change_user(agent.pk, groups={}, actor=acting(boss), at=MONDAY_10AM)
        assert call("hold_ticket", agent, ticket=str(about.pk)).status_code == 404
        change_user(agent.pk, columns={"active": False}, actor=acting(boss), at=MONDAY_10AM)
        assert said(call("hold_ticket", agent, ticket=str(about.pk))) == REFUSED
