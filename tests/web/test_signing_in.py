"""The front door."""

from __future__ import annotations

import pytest
from django.contrib.sessions.models import Session
from django.test import Client

from deskbell.kernel.actor import SYSTEM
from deskbell.people import credentials
from deskbell.people.operations import change_user
from tests import cast

WRONG = {"username": "nora", "password": "not hers"}


def right(name: str) -> dict[str, str]:
    return {"username": name, "password": cast.PASSWORD}


class TestAStranger:
    def test_finds_a_form_at_the_address_of_the_desk(self, stranger):
        answer = stranger.get("/")

        assert answer.status_code == 200
        assert b'name="username"' in answer.content
        assert b'name="password"' in answer.content
        assert answer["Cache-Control"] == "no-store"

    @pytest.mark.parametrize("wanted", ["/tickets/", "/tickets/7/?images=3", "/my/tickets/"])
    def test_is_sent_to_the_form_and_back_again(self, stranger, nora, wanted):
        sent = stranger.get(wanted)

        form = stranger.get(sent["Location"])
        answer = stranger.post("/", right("nora") | {"next": form.context["next"]})

        assert sent.status_code == 302
        assert sent["Location"].startswith("/?next=%2F")
        assert answer["Location"] == wanted

    def test_who_sends_a_form_comes_back_to_its_page(self, stranger):
        sent = stranger.post(
            "/tickets/7/replies/", {"body": "x"}, HTTP_REFERER="http://testserver/tickets/7/"
        )

        assert sent["Location"] == "/?next=%2Ftickets%2F7%2F"

    @pytest.mark.parametrize(
        "evil",
        [
            "https://evil.example/",
            "//evil.example/",
            "/\\evil.example/",
            "\\\\evil.example",
            "///evil.example",
            "javascript:alert(1)",
            "http:evil.example",
            "/\t/evil.example",
            " //evil.example",
            "tickets/",
        ],
    )
    def test_is_never_sent_anywhere_else(self, stranger, nora, evil):
        form = stranger.get("/", {"next": evil})
        answer = stranger.post("/", right("nora") | {"next": evil})

        assert form.context["next"] == ""
        assert answer["Location"] == "/tickets/"
        assert stranger.get("/", {"next": evil})["Location"] == "/tickets/"


class TestSigningIn:
    @pytest.mark.parametrize("name", ["nora", "NORA", "nora@example.test", " Nora@Example.Test "])
    def test_takes_the_login_or_the_address_in_any_case(self, stranger, nora, name):
        assert stranger.post("/", right(name))["Location"] == "/tickets/"

    def test_leads_an_agent_to_the_tickets_of_the_groups(self, desk):
        assert desk.get("/")["Location"] == "/tickets/"

    def test_leads_a_customer_to_the_own_tickets(self, portal):
        assert portal.get("/")["Location"] == "/my/tickets/"

    def test_says_the_same_for_a_wrong_password_and_for_an_unknown_name(self, stranger, nora):
        cast.person("ghost", roles=[2], active=False)

        answers = [
            stranger.post("/", WRONG),
            stranger.post("/", right("nobody-at-all")),
            stranger.post("/", right("ghost")),
            stranger.post("/", right("-")),
            stranger.post("/", right("no\x00ra")),
            stranger.post("/", {}),
        ]

        assert {answer.status_code for answer in answers} == {422}
        assert len({answer.context["problem"] for answer in answers}) == 1
        assert "sessionid" not in stranger.cookies

    def test_shows_what_was_typed_but_never_the_password(self, stranger, nora):
        answer = stranger.post("/", {"username": '"><script>x', "password": "my-own-secret"})

        assert b"&quot;&gt;&lt;script&gt;x" in answer.content
        assert b"my-own-secret" not in answer.content

    def test_is_slowed_down_for_those_who_guess(self, stranger, nora, monkeypatch):
        monkeypatch.setattr(credentials, "FAILURES_ALLOWED", 2)
        stranger.post("/", WRONG)
        stranger.post("/", WRONG)

        answer = stranger.post("/", right("nora"))

        assert answer.status_code == 429
        assert answer["Retry-After"] == "300"

    def test_starts_a_session_of_its_own(self, stranger, nora, kemal):
        stranger.post("/", right("kemal"))
        before = stranger.session.session_key
        secret = stranger.cookies["csrftoken"].value

        stranger.post("/", right("nora"))

        assert stranger.session.session_key != before
        assert stranger.cookies["csrftoken"].value != secret
        assert not Session.objects.filter(session_key=before).exists()

    def test_refuses_a_form_that_is_not_its_own(self, nora):
        careful = Client(enforce_csrf_checks=True)

        answer = careful.post("/", right("nora"))

        assert answer.status_code == 403
        assert b"out of date" in answer.content
        assert "sessionid" not in careful.cookies


class TestASession:
    def test_ends_on_the_server_too(self, desk):
        key = desk.session.session_key

        answer = desk.post("/sign-out/")

        assert answer["Location"] == "/"
        assert not Session.objects.filter(session_key=key).exists()
        assert desk.get("/tickets/").status_code == 302

    def test_does_not_end_because_of_a_link(self, desk):
        assert desk.get("/sign-out/").status_code == 405
        assert desk.get("/tickets/").status_code == 200

    def test_ends_with_the_password_it_was_made_with(self, desk, nora):
        change_user(nora.pk, password="a new one, longer", actor=SYSTEM, at=cast.MONDAY_10AM)

        assert desk.get("/tickets/")["Location"] == "/?next=%2Ftickets%2F"

    def test_ends_with_the_account(self, desk, nora):
        change_user(nora.pk, columns={"active": False}, actor=SYSTEM, at=cast.MONDAY_10AM)

        assert desk.get("/tickets/").status_code == 302

    def test_leaves_no_page_behind(self, desk):
        assert desk.get("/tickets/")["Cache-Control"] == "private, no-store"
