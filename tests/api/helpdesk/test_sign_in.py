"""Who calls: sessions, passwords, tokens; what refusals say and with which status."""

from __future__ import annotations

import base64
from datetime import UTC, date, datetime, timedelta
from typing import Any

import msgspec
import pytest

from deskbell.kernel.actor import SYSTEM
from deskbell.people.credentials import FAILURES_ALLOWED
from deskbell.people.models import SignInFailure, User, UserRole
from deskbell.people.operations import change_user, create_token
from tests.api.helpdesk.client import Api, basic
from tests.cast import MONDAY_9AM, PASSWORD, ada, kemal, nora, ticket

pytestmark = pytest.mark.django_db

NOT_PROVIDED = "Authentication credentials were not provided."
WRONG = "Invalid username/password."
NO_PERMISSION = "You do not have permission to perform this action."


@pytest.fixture
def boss() -> User:
    return ada()


@pytest.fixture
def basic_first(settings: Any) -> None:
    settings.CONFIG = msgspec.structs.replace(settings.CONFIG, helpdesk_auth="basic")


def encoded(text: bytes) -> str:
    return "Basic " + base64.b64encode(text).decode()


REFUSALS = [
    (None, NOT_PROVIDED),
    ("Bearer x", NOT_PROVIDED),
    ("Digest x", NOT_PROVIDED),
    ("Basic", "Invalid basic header. No credentials provided."),
    ("Basic !!!", "Invalid basic header. Credentials not correctly base64 encoded."),
    ("Basic YWRh", "Invalid basic header. Credentials not correctly base64 encoded."),
    ("Basic \xff\xff", "Invalid basic header. Credentials not correctly base64 encoded."),
    ("Basic a b", "Invalid basic header. Credentials string should not contain spaces."),
    (encoded(b"ada:wrong"), WRONG),
    (encoded(b"nobody:x"), WRONG),
    (encoded(b"-:"), WRONG),
    (encoded(b"ada:"), WRONG),
    (encoded(b"a\0a:x\0"), WRONG),
    (encoded(b"\xff:\xff"), WRONG),
    ("Token", "Invalid token header. No credentials provided."),
    ("Token a b", "Invalid token header. Token string should not contain spaces."),
    ("Token x", "Invalid token."),
    ('Token token="x"', "Invalid token."),
]


class TestRefusals:
    @pytest.mark.parametrize(("header", "text"), REFUSALS)
    def test_with_the_session_first_they_are_403_without_a_challenge(
        self, boss: User, header: str | None, text: str
    ) -> None:
        headers = {} if header is None else {"HTTP_AUTHORIZATION": header}

        answer = Api(**headers).get("tickets/999/")

        assert (answer.status, answer.json) == (403, {"detail": text})
        assert "WWW-Authenticate" not in answer.headers

    @pytest.mark.parametrize(("header", "text"), REFUSALS)
    @pytest.mark.usefixtures("basic_first")
    def test_with_basic_first_they_are_401_with_one(
        self, boss: User, header: str | None, text: str
    ) -> None:
        headers = {} if header is None else {"HTTP_AUTHORIZATION": header}

        answer = Api(**headers).get("tickets/999/")

        assert (answer.status, answer.json) == (401, {"detail": text})
        assert answer.headers["WWW-Authenticate"] == 'Basic realm="api"'

    @pytest.mark.usefixtures("basic_first")
    def test_lacking_a_right_is_403_either_way(self) -> None:
        answer = Api(kemal()).get("tickets/")

        assert (answer.status, answer.json) == (403, {"detail": NO_PERMISSION})

    def test_an_inactive_user_hears_what_a_stranger_hears(self) -> None:
        user = nora(active=False)

        answer = Api(HTTP_AUTHORIZATION=basic(user.login)).get("tickets/")

        assert (answer.status, answer.json) == (403, {"detail": WRONG})


class TestPasswords:
    @pytest.mark.parametrize("name", ["ada", "ADA", "ada@example.test", "Ada@Example.Test"])
    def test_login_and_address_are_one_in_any_case(self, boss: User, name: str) -> None:
        assert Api(HTTP_AUTHORIZATION=basic(name)).get("tickets/").status == 200

    @pytest.mark.parametrize("password", ["a:b:c", "pässwörd ü", "Ð" * 20])
    def test_may_hold_anything(self, boss: User, password: str) -> None:
        change_user(boss.pk, password=password, actor=SYSTEM, at=MONDAY_9AM)

        utf8 = encoded(f"ada:{password}".encode())
        latin1 = encoded(f"ada:{password}".encode("latin-1"))

        assert Api(HTTP_AUTHORIZATION=utf8).get("tickets/").status == 200
        assert (
            Api(HTTP_AUTHORIZATION=latin1.replace("Basic", "bAsIc")).get("tickets/").status == 200
        )

    def test_guessing_is_slowed_and_a_known_password_passes(self, boss: User) -> None:
        good, bad = basic("ada"), basic("ada", "guess")
        assert Api(HTTP_AUTHORIZATION=good).get("tickets/").status == 200
        SignInFailure.objects.all().delete()

        codes = [
            Api(HTTP_AUTHORIZATION=bad).get("tickets/").status for _ in range(FAILURES_ALLOWED)
        ]
        refused = Api(HTTP_AUTHORIZATION=bad).get("tickets/")

        assert set(codes) == {403}
        assert refused.status == 429
        assert refused.json == {"detail": "Request was throttled."}
        assert Api(HTTP_AUTHORIZATION=good).get("tickets/").status == 200
        assert Api(HTTP_AUTHORIZATION=basic("nora")).get("tickets/").status == 403

    def test_one_refusal_counts_once(self, boss: User) -> None:
        Api(HTTP_AUTHORIZATION=basic("ada", "guess")).get("tickets/")

        assert SignInFailure.objects.count() == 1

    def test_rights_are_read_anew_in_every_request(self, boss: User) -> None:
        api = Api(HTTP_AUTHORIZATION=basic("ada"))
        assert api.get("tickets/").status == 200

        UserRole.objects.filter(user=boss).delete()
        without_role = api.get("tickets/")
        User.objects.filter(pk=boss.pk).update(active=False)
        inactive = api.get("tickets/")

        assert (without_role.status, without_role.json["detail"]) == (403, NO_PERMISSION)
        assert (inactive.status, inactive.json["detail"]) == (403, WRONG)


class TestTokens:
    def token(self, user: User, **kwargs: Any) -> str:
        options: dict[str, Any] = {"permissions": None, "expires_at": None} | kwargs
        return create_token(user.pk, name="", actor=SYSTEM, at=MONDAY_9AM, **options)[1]

    @pytest.mark.parametrize("form", ["Token {}", "token {}", 'Token token="{}"'])
    def test_both_spellings(self, boss: User, form: str) -> None:
        header = form.format(self.token(boss))

        assert Api(HTTP_AUTHORIZATION=header).get("tickets/").status == 200

    def test_an_expired_one(self, boss: User) -> None:
        today = datetime.now(UTC).date()
        gone = self.token(boss, expires_at=today)
        good = self.token(boss, expires_at=today + timedelta(days=1))
        assert isinstance(today, date)

        refused = Api(HTTP_AUTHORIZATION=f"Token {gone}").get("tickets/")

        assert (refused.status, refused.json) == (403, {"detail": "Invalid token."})
        assert Api(HTTP_AUTHORIZATION=f"Token {good}").get("tickets/").status == 200

    def test_of_an_inactive_user(self, boss: User) -> None:
        secret = self.token(boss)
        User.objects.filter(pk=boss.pk).update(active=False)

        refused = Api(HTTP_AUTHORIZATION=f"Token {secret}").get("tickets/")

        assert refused.json == {"detail": "User inactive or deleted."}

    def test_scopes_hold(self, boss: User) -> None:
        made = ticket()
        for_tickets = Api(boss, scope=["ticket.agent"])
        for_users = Api(boss, scope=["admin.user"])
        for_nothing = Api(boss, scope=["user_preferences"])
        person = {"username": "new", "password": "a good long phrase"}

        assert for_tickets.get(f"tickets/{made.pk}/").status == 200
        assert for_tickets.post("users/", person).status == 403
        # ticket.delete and admin are not in the scope
        assert for_tickets.delete(f"tickets/{made.pk}/").status == 403
        assert for_users.get(f"tickets/{made.pk}/").status == 403
        assert for_users.post("users/", person).status == 201
        assert for_nothing.get("tickets/").status == 403
        assert for_nothing.get("user_tickets/").status == 403
        assert for_tickets.get("user_tickets/").status == 200


class TestSessions:
    def test_reads_need_no_csrf_token(self, boss: User) -> None:
        assert Api.in_session(boss).get("tickets/").status == 200

    def test_writes_do(self, boss: User) -> None:
        body = {"queue": 1, "title": "T", "description": "D"}

        with_token = Api.in_session(boss, with_token=True)
        token = with_token.headers.pop("HTTP_X_CSRFTOKEN")
        without = with_token.post("tickets/", body)
        forged = with_token.post("tickets/", body, HTTP_X_CSRFTOKEN="x" * 64)
        without_cookie = Api.in_session(boss).post("tickets/", body)

        assert (without.status, without.json) == (
            403,
            {"detail": "CSRF Failed: CSRF token missing."},
        )
        assert forged.status == without_cookie.status == 403
        assert with_token.post("tickets/", body, HTTP_X_CSRFTOKEN=token).status == 201

    @pytest.mark.usefixtures("basic_first")
    def test_csrf_is_403_also_with_basic_first(self, boss: User) -> None:
        assert Api.in_session(boss).post("tickets/", {}).status == 403

    def test_a_broken_form_in_a_session_is_a_bad_request(self, boss: User) -> None:
        api = Api.in_session(boss)

        answer = api.send("POST", "tickets/", b"x", content_type="multipart/form-data")

        assert answer.status in (400, 403)
        assert "detail" in answer.json

    def test_end_with_the_account(self, boss: User) -> None:
        api = Api.in_session(boss)
        User.objects.filter(pk=boss.pk).update(active=False)

        assert api.get("tickets/").status == 403

    def test_password_survives_an_unknown_session(self, boss: User) -> None:
        api = Api(HTTP_AUTHORIZATION=basic(boss.login, PASSWORD))
        api.client.cookies["sessionid"] = "x" * 40

        assert api.post("tickets/", {}).status == 400


class TestOtherOrigins:
    def test_may_read_answers_to_credentials_in_a_header(self, boss: User) -> None:
        for api in (
            Api(boss),
            Api(HTTP_AUTHORIZATION=basic("ada")),
            Api(HTTP_AUTHORIZATION="Token x"),
        ):
            answer = api.get("tickets/", HTTP_ORIGIN="https://elsewhere.test")
            assert answer.headers["Access-Control-Allow-Origin"] == "*"
            assert "Access-Control-Allow-Credentials" not in answer.headers

    def test_never_what_a_session_or_nobody_was_answered(self, boss: User) -> None:
        session = Api.in_session(boss)
        both = Api.in_session(boss, HTTP_AUTHORIZATION=basic("ada"))

        for api in (session, both, Api()):
            answer = api.get("tickets/", HTTP_ORIGIN="https://elsewhere.test")
            assert "Access-Control-Allow-Origin" not in answer.headers

    def test_a_browser_may_ask_first_for_such_credentials_only(self, boss: User) -> None:
        def ask(words: str) -> Any:
            return Api().send(
                "OPTIONS",
                "tickets/",
                HTTP_ORIGIN="https://elsewhere.test",
                HTTP_ACCESS_CONTROL_REQUEST_METHOD="POST",
                HTTP_ACCESS_CONTROL_REQUEST_HEADERS=words,
            )

        allowed, refused = ask("authorization, content-type"), ask("x-csrftoken")

        assert allowed.status == 204
        assert allowed.headers["Access-Control-Allow-Origin"] == "*"
        assert "POST" in allowed.headers["Access-Control-Allow-Methods"]
        assert refused.status == 403
        assert "Access-Control-Allow-Origin" not in refused.headers


class TestTheSwitch:
    @pytest.mark.parametrize(
        "path", ["", "tickets/", "followups/1/", "users/", "user_tickets.json"]
    )
    def test_off_means_not_found(self, boss: User, settings: Any, path: str) -> None:
        settings.CONFIG = msgspec.structs.replace(settings.CONFIG, helpdesk_api=False)

        answer = Api(boss).get(path)

        assert (answer.status, answer.json) == (404, {"detail": "Not found."})
