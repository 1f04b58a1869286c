"""Who is calling: every form of credentials, what it opens, and how it fails."""

from __future__ import annotations

import base64
from datetime import date, timedelta
from typing import Any

import pytest
from django.conf import settings

from deskbell.kernel.actor import SYSTEM
from deskbell.people.models import ApiToken, User
from deskbell.people.operations import change_user, save_role
from tests import cast
from tests.api.zammad.wire import Wire, basic, message, token_of, told

pytestmark = pytest.mark.django_db

LOGIN_FAILED = (
    "Login failed. Have you double-checked your credentials and completed the email"
    " verification step?"
)


@pytest.fixture
def nora() -> User:
    return cast.nora(email="nora@desk.example")


class TestBasic:
    @pytest.mark.parametrize("name", ["nora", "NORA", "nora@desk.example", "Nora@Desk.Example"])
    def test_takes_login_or_address_in_any_case(self, nora: User, name: str) -> None:
        assert told(Wire().get("users/me", **basic(name)), 200)["id"] == nora.pk

    @pytest.mark.parametrize(
        "header",
        [
            "Basic " + base64.b64encode(b"nora:wrong").decode(),
            "Basic " + base64.b64encode(b"nobody:x").decode(),
            "Basic " + base64.b64encode(b"nora").decode(),
            "Basic " + base64.b64encode(b":x").decode(),
            "Basic " + base64.b64encode(b"no\x00ra:x").decode(),
            "Basic " + base64.b64encode(b"\xff\xfe:\xff").decode(),
            "Basic " + base64.b64encode(b"-:x").decode(),
            "Basic §", "Basic", "basic !!!", "Basic " + "A" * 5000,
        ],
    )  # fmt: skip
    def test_wrong_ones_are_a_401(self, nora: User, header: str) -> None:
        said = message(Wire().get("users/me", Authorization=header), 401)

        assert said == "Invalid BasicAuth credentials"
        assert "WWW-Authenticate" not in Wire().get("users/me", Authorization=header).headers

    def test_of_an_inactive_user(self, nora: User) -> None:
        change_user(nora.pk, columns={"active": False}, actor=SYSTEM, at=cast.MONDAY_9AM)

        said = message(Wire().get("users/me", **basic("nora")), 401)

        assert said == "Invalid BasicAuth credentials"

    def test_passwords_beyond_ascii(self, nora: User) -> None:
        change_user(nora.pk, password="pässwörd ☃", actor=SYSTEM, at=cast.MONDAY_9AM)

        told(Wire().get("users/me", **basic("nora", "pässwörd ☃")), 200)

    def test_guessing_is_slowed_but_the_owner_gets_in(self, nora: User) -> None:
        told(Wire().get("users/me", **basic("nora")), 200)
        for n in range(31):
            message(Wire().get("users/me", **basic("nora", f"guess {n}")), 401)

        told(Wire().get("users/me", **basic("nora")), 200)

    def test_a_form_of_another_site_does_not_borrow_them(self, nora: User) -> None:
        lured = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}

        said = message(Wire().post("tickets", {}, **basic("nora"), **lured), 401)

        assert said == "CSRF token verification failed!"


class TestTokens:
    @pytest.mark.parametrize(
        "form", ["Token token={}", 'Token token="{}"', "Token {}", "token token={}", "Bearer {}"]
    )
    def test_every_spelling(self, nora: User, form: str) -> None:
        header = form.format(token_of(nora))

        assert told(Wire().get("users/me", Authorization=header), 200)["id"] == nora.pk

    @pytest.mark.parametrize(
        ("header", "text"),
        [
            ("Token token=nope", "Can't find User for Token"),
            ("Token nope", "Can't find User for Token"),
            ("Token token=", "Can't find User for Token"),
            ("Token", "Can't find User for Token"),
            ("Token token=" + "x" * 3000, "Can't find User for Token"),
            ("Bearer nope", "Invalid token!"),
        ],
    )
    def test_unknown_ones_are_a_401(self, nora: User, header: str, text: str) -> None:
        assert message(Wire().get("users/me", Authorization=header), 401) == text

    def test_expire_at_the_start_of_the_day(self, nora: User, time_at: Any) -> None:
        secret = token_of(nora, expires_at=date(2026, 3, 3))
        header = f"Token token={secret}"

        time_at(cast.MONDAY_9AM)
        told(Wire().get("users/me", Authorization=header), 200)
        time_at(cast.MONDAY_9AM + timedelta(hours=15))
        said = message(Wire().get("users/me", Authorization=header), 401)

        assert said == "Not authorized (token expired)!"

    def test_of_an_inactive_user(self, nora: User) -> None:
        header = f"Token token={token_of(nora)}"
        change_user(nora.pk, columns={"active": False}, actor=SYSTEM, at=cast.MONDAY_9AM)

        assert message(Wire().get("users/me", Authorization=header), 401) == LOGIN_FAILED

    def test_narrow_what_the_user_may(self, nora: User) -> None:
        ada = cast.ada()
        narrow = Wire(Authorization=f"Token token={token_of(ada, ['ticket.agent'])}")
        empty = Wire(Authorization=f"Token token={token_of(ada, [])}")
        ticket = cast.ticket(None)

        told(narrow.get(f"tickets/{ticket.pk}"), 200)
        assert message(narrow.get("roles"), 403) == "Token authorization failed."
        assert message(Wire(nora).get("roles"), 403) == "User authorization failed."
        said = message(narrow.delete(f"tickets/{ticket.pk}"), 403)
        assert said == "Not authorized (admin permission required)!"
        assert told(empty.get("tickets"), 200) == []
        assert message(empty.get(f"tickets/{ticket.pk}"), 403) == "Not authorized"


class TestNone:
    @pytest.mark.parametrize("header", [None, "Digest x", "Negotiate abc", "x"])
    def test_is_a_403(self, header: str | None) -> None:
        headers = {} if header is None else {"Authorization": header}

        assert message(Wire().get("tickets", **headers), 403) == "Authentication required"

    def test_comes_before_the_body_is_read(self) -> None:
        response = Wire().call("POST", "tickets", raw=b"{nonsense")

        assert message(response, 403) == "Authentication required"


class TestOnBehalf:
    def test_by_id_login_or_address(self, nora: User) -> None:
        ada = Wire(cast.ada())

        for value in (str(nora.pk), "nora", " NORA@desk.example "):
            assert told(ada.get("users/me", From=value), 200)["id"] == nora.pk
            assert told(ada.get("users/me", **{"X-On-Behalf-Of": value}), 200)["id"] == nora.pk

    def test_from_wins(self, nora: User) -> None:
        kemal = cast.kemal()
        headers = {"From": "kemal", "X-On-Behalf-Of": "nora"}

        assert told(Wire(cast.ada()).get("users/me", **headers), 200)["id"] == kemal.pk

    def test_digits_before_an_at_sign_are_no_id(self) -> None:
        person = cast.person("twelve", roles=[3], email="1x@example.test")

        answer = told(Wire(cast.ada()).get("users/me", From="1x@example.test"), 200)

        assert answer["id"] == person.pk

    def test_what_is_made_is_made_by_the_named(self, nora: User) -> None:
        kemal = cast.kemal()
        body = {"title": "x", "group": "Users", "article": {"body": "y"}}

        ticket = told(Wire(cast.ada()).post("tickets", body, From="kemal"), 201)

        assert ticket["created_by_id"] == ticket["customer_id"] == kemal.pk

    @pytest.mark.parametrize("name", ["99449494949", "nobody", "-", "1", "9" * 40])
    def test_unknown(self, name: str) -> None:
        said = message(Wire(cast.ada()).get("users/me", From=name), 403)

        assert said == f"No such user '{name}'"

    def test_inactive(self, nora: User) -> None:
        change_user(nora.pk, columns={"active": False}, actor=SYSTEM, at=cast.MONDAY_9AM)

        assert message(Wire(cast.ada()).get("users/me", From="nora"), 403) == "No such user 'nora'"

    def test_needs_admin_user_of_the_user_and_of_the_token(self, nora: User) -> None:
        ada = cast.ada()
        narrow = Wire(Authorization=f"Token token={token_of(ada, ['ticket.agent'])}")
        refused = "Current user has no permission to use 'From'/'X-On-Behalf-Of'!"

        assert message(Wire(nora).get("users/me", From="ada"), 403) == refused
        assert message(narrow.get("users/me", From="nora"), 403) == refused

    def test_a_tokens_limits_hold_for_the_named_too(self, nora: User) -> None:
        ada = cast.ada()
        narrow = Wire(Authorization=f"Token token={token_of(ada, ['admin.user'])}")

        told(narrow.get("users/me", From="nora"), 200)
        assert told(narrow.get("tickets", From="nora"), 200) == []

    def test_a_delegate_does_not_become_an_administrator(self, nora: User) -> None:
        role = save_role(
            None,
            {"name": "People"},
            permissions=["admin.user"],
            actor=SYSTEM,
            at=cast.MONDAY_9AM,
        )
        cast.ada()
        delegate = Wire(cast.person("dora", roles=[role.pk]))

        told(delegate.get("users/me", From="nora"), 200)
        message(delegate.get("users/me", From="ada"), 403)


class TestSessions:
    def sign_in(self, wire: Wire, **headers: str) -> Any:
        body = {"username": "nora", "password": cast.PASSWORD, "fingerprint": "x"}
        return wire.post("signin", body, **headers)

    def test_the_way_browsers_go(self, nora: User) -> None:
        wire = Wire()
        shown = wire.get("signshow")
        assert told(shown, 200)["error"] == "no valid session"

        signed = self.sign_in(wire, **{"X-CSRF-Token": shown.headers["CSRF-Token"]})

        assert told(signed, 201)["session"]["id"] == nora.pk
        assert told(wire.get("users/me"), 200)["id"] == nora.pk
        assert told(wire.get("signshow"), 200)["session"]["login"] == "nora"
        token = wire.last.headers["CSRF-Token"]
        body = {"title": "x", "group": "Users"}
        refused = "CSRF token verification failed!"
        assert message(wire.post("tickets", body), 401) == refused
        told(wire.post("tickets", body, **{"X-CSRF-Token": token}), 201)
        again = wire.last.headers["CSRF-Token"]
        told(wire.post("tickets", body, **{"X-CSRF-Token": again}), 201)
        told(wire.post("tickets", body, **{"X-CSRF-Token": token}), 201)
        told(wire.delete("signout"), 200)
        assert message(wire.get("users/me"), 403) == "Authentication required"

    def test_a_script_needs_no_token_to_sign_in(self, nora: User) -> None:
        wire = Wire()
        told(self.sign_in(wire), 201)

        told(wire.get("users/me"), 200)
        told(wire.get("signout"), 200)
        message(wire.get("users/me"), 403)

    def test_another_sites_page_cannot_sign_in_or_out(self, nora: User) -> None:
        wire = Wire()
        for headers in ({"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
            message(self.sign_in(wire, **headers), 401)
        told(self.sign_in(wire, Origin="http://testserver"), 201)
        message(wire.get("signout", **{"Sec-Fetch-Site": "cross-site"}), 401)
        told(wire.get("users/me"), 200)

    def test_a_wrong_csrf_token_does_not_sign_in(self, nora: User) -> None:
        wire = Wire()
        wire.get("signshow")

        message(self.sign_in(wire, **{"X-CSRF-Token": "x" * 64}), 401)

    @pytest.mark.parametrize(
        "body",
        [
            {"username": "nora", "password": "wrong"}, {"username": "nora"}, {}, {"password": "x"},
            {"username": 5, "password": "x"}, {"username": "nora", "password": ["x"]},
            {"username": "-", "password": "x"}, {"username": "x" * 5000, "password": "x" * 5000},
        ],
    )  # fmt: skip
    def test_wrong_credentials(self, nora: User, body: Any) -> None:
        assert message(Wire().post("signin", body), 401) == LOGIN_FAILED

    def test_are_never_open_to_other_origins(self, nora: User) -> None:
        wire = Wire()
        told(self.sign_in(wire), 201)

        response = wire.get("users/me", Origin="http://testserver")

        assert "Access-Control-Allow-Origin" not in response.headers
        assert settings.SESSION_COOKIE_NAME in wire.client.cookies

    def test_a_header_beats_the_session(self, nora: User) -> None:
        kemal = cast.kemal()
        wire = Wire()
        told(self.sign_in(wire), 201)

        answer = wire.get("users/me", Authorization=f"Token token={token_of(kemal)}")

        assert told(answer, 200)["id"] == kemal.pk


class TestCors:
    def test_star_for_tokens_and_passwords(self, nora: User) -> None:
        for headers in ({"Authorization": f"Token token={token_of(nora)}"}, basic("nora")):
            response = Wire().get("users/me", Origin="https://app.example", **headers)
            assert response.headers["Access-Control-Allow-Origin"] == "*"
            assert "Access-Control-Allow-Credentials" not in response.headers

    def test_answers_are_kept_by_nobody_on_the_way(self, nora: User) -> None:
        response = Wire(nora).get("users/me")

        assert response.headers["Cache-Control"] == "private, max-age=0, must-revalidate"

    def test_not_without_credentials(self) -> None:
        response = Wire().get("users/me", Origin="https://app.example")

        assert "Access-Control-Allow-Origin" not in response.headers

    def test_preflight_only_for_calls_with_credentials_of_their_own(self) -> None:
        ask = {"Access-Control-Request-Method": "POST", "Origin": "https://app.example"}
        granted = Wire().call(
            "OPTIONS",
            "tickets",
            **ask,
            **{"Access-Control-Request-Headers": "authorization, content-type"},
        )
        refused = Wire().call(
            "OPTIONS", "tickets", **ask, **{"Access-Control-Request-Headers": "x-csrf-token"}
        )

        assert granted.status_code == 200
        assert granted.headers["Access-Control-Allow-Origin"] == "*"
        assert refused.status_code == 404
        assert "Access-Control-Allow-Origin" not in refused.headers


class TestOwnTokens:
    def test_are_made_listed_used_and_revoked(self, nora: User) -> None:
        wire = Wire(nora)
        body = {"name": "my token", "permission": ["ticket.agent"], "expires_at": "2127-01-01"}

        secret = told(wire.post("user_access_token", body), 200)["token"]

        listed = told(wire.get("user_access_token"), 200)
        mine = next(token for token in listed["tokens"] if token["name"] == "my token")
        assert mine["preferences"] == {"permission": ["ticket.agent"]}
        assert mine["expires_at"] == "2127-01-01"
        assert mine["action"] == "api"
        assert secret not in wire.last.content.decode()
        assert ApiToken.objects.get(pk=mine["id"]).digest != secret
        names = {permission["name"] for permission in listed["permissions"]}
        assert "ticket.agent" in names
        assert "admin" not in names
        used = Wire(Authorization=f"Token token={secret}")
        told(used.get("tickets"), 200)
        assert message(used.get("user_access_token"), 403) == "Token authorization failed."
        assert told(wire.delete(f"user_access_token/{mine['id']}"), 200) == {}
        message(used.get("tickets"), 401)

    def test_older_clients_say_label(self, nora: User) -> None:
        told(Wire(nora).post("user_access_token", {"label": "x", "permission": []}), 200)

        assert ApiToken.objects.filter(name="x", permissions=[]).exists()

    def test_without_permissions_they_open_nothing(self, nora: User) -> None:
        secret = told(Wire(nora).post("user_access_token", {"name": "x"}), 200)["token"]
        cast.ticket(None)

        assert told(Wire(Authorization=f"Bearer {secret}").get("tickets"), 200) == []

    @pytest.mark.parametrize(
        ("body", "text"),
        [
            ({}, "The required parameter 'name' is missing."),
            ({"name": " "}, "The required parameter 'name' is missing."),
            ({"name": "x", "permission": ["nope"]}, None),
            ({"name": "x", "permission": [5]}, None),
            ({"name": "x", "expires_at": "never"}, None),
            ({"name": "x" * 251}, None),
        ],
    )
    def test_refuses(self, nora: User, body: Any, text: str | None) -> None:
        said = message(Wire(nora).post("user_access_token", body), 422)

        assert text is None or said == text

    def test_are_not_for_customers(self) -> None:
        wire = Wire(cast.kemal())

        for response in (
            wire.get("user_access_token"),
            wire.post("user_access_token", {"name": "x"}),
            wire.delete("user_access_token/1"),
        ):
            assert message(response, 403) == "User authorization failed."

    def test_of_others_cannot_be_revoked(self, nora: User) -> None:
        token_of(cast.ada())
        foreign = ApiToken.objects.latest("id")

        for id_ in (str(foreign.pk), "99999", "x", "9" * 30):
            said = message(Wire(nora).delete(f"user_access_token/{id_}"), 422)
            assert said == "The API token could not be found."

    def test_a_narrow_token_makes_none_that_opens_more(self) -> None:
        ada = cast.ada()
        narrow = Wire(
            Authorization=f"Token token={token_of(ada, ['user_preferences.access_token'])}"
        )

        message(narrow.post("user_access_token", {"name": "x", "permission": ["admin"]}), 403)
