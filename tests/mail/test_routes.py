"""Ways out: made and checked, taken by groups, signed in to with tokens, spoken to by HTTP."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Iterator
from datetime import timedelta
from email.parser import BytesParser
from email.policy import HTTP
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from django.conf import settings

from deskbell.kernel.errors import Forbidden, Invalid
from deskbell.mail import oauth, secrets
from deskbell.mail.models import MailRoute
from deskbell.mail.sending import routes, transport
from deskbell.mail.sending.routes import NewRoute, save_route, save_sending, taken_by
from deskbell.mail.sending.transport import NotTaken, OutOfReach, Refused
from deskbell.mail.sending.trying import try_out
from deskbell.mail.trouble import Trouble
from deskbell.mail.writing.composing import Enclosure, Letterhead, compose
from deskbell.people.models import User
from tests.cast import MONDAY_9AM, MONDAY_10AM, acting, group, nora, pure_admin
from tests.mail.intake.dovecot import TokenServer
from tests.mail.sink import smtp_sink

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock", "outbox")]


def route(name: str = "Way out", kind: str = "smtp", **given: Any) -> MailRoute:
    columns = {
        "settings": {"host": "mail.example.com"} if kind == "smtp" else {},
        "secrets": {},
        **given,
    }
    new = NewRoute(name=name, kind=kind, **columns)
    return save_route(new, actor=admin(), at=MONDAY_9AM)


def admin() -> Any:
    return acting(User.objects.filter(login="otto").first() or pure_admin())


class TestRoute:
    def test_keeps_its_secrets_to_itself(self):
        made = route(
            settings={"host": "mail.example.com", "login": "desk"}, secrets={"password": "s3cret"}
        )

        assert "s3cret" not in made.secret
        assert "s3cret" not in str(made.settings)
        assert routes.secrets_of(made) == {"password": "s3cret"}
        changed = NewRoute(name="Other", kind="smtp", settings=made.settings, secrets={})
        save_route(changed, route_id=made.pk, actor=admin(), at=MONDAY_10AM)
        made.refresh_from_db()
        assert (made.name, routes.secrets_of(made)) == ("Other", {"password": "s3cret"})

    @pytest.mark.parametrize(
        ("kind", "settings_", "given", "field", "code"),
        [
            ("smtp", {}, {}, "host", "required"),
            ("smtp", {"host": "h", "port": 70000}, {}, "port", "bad"),
            ("smtp", {"host": "h", "security": "ssl"}, {}, "security", "not_selectable"),
            ("smtp", {"host": "h", "login": "x"}, {}, "password", "required"),
            (
                "smtp",
                {"host": "h", "authentication": "oauth2", "login": "x"},
                {},
                "token_url",
                "required",
            ),
            ("smtp", {"host": "h\nEHLO"}, {}, "host", "bad"),
            ("smtp", {"host": "h", "x": "y"}, {}, "x", "unknown"),
            ("smtp", {"host": "h"}, {"api_key": "k"}, "api_key", "unknown"),
            ("provider", {"provider": "nobody"}, {}, "provider", "not_selectable"),
            ("provider", {"provider": "mailgun"}, {}, "api_key", "required"),
            ("provider", {"provider": "mailjet"}, {"api_key": "k"}, "secret_key", "required"),
            ("provider", {"provider": "postal"}, {"api_key": "k"}, "api_url", "required"),
            (
                "provider",
                {"provider": "mailgun", "api_url": "file:///etc"},
                {"api_key": "k"},
                "api_url",
                "bad",
            ),
            ("pigeon", {}, {}, "kind", "not_selectable"),
        ],
    )
    def test_that_cannot_work_is_refused(self, kind, settings_, given, field, code):
        with pytest.raises(Invalid) as problem:
            route(kind=kind, settings=settings_, secrets=given)

        assert (problem.value.field, problem.value.code) == (field, code)
        assert not MailRoute.objects.exists()

    def test_is_the_administrators_to_make(self):
        new = NewRoute(name="x", kind="smtp", settings={"host": "h"}, secrets={})
        with pytest.raises(Forbidden):
            save_route(new, actor=acting(nora()), at=MONDAY_9AM)

    def test_is_taken_by_the_group_that_names_it_else_by_all(self):
        sales, support = group("Sales"), group("Support")
        first, second, third = route("1", is_default=True), route("2"), route("3", is_default=True)

        save_sending(sales.pk, actor=admin(), route_id=second.pk)

        assert taken_by(support.pk) == third
        assert taken_by(sales.pk) == second
        first.refresh_from_db()
        assert not first.is_default
        MailRoute.objects.filter(pk=second.pk).update(active=False)
        assert taken_by(sales.pk) == third
        routes.delete_route(third.pk, actor=admin(), at=MONDAY_9AM)
        assert taken_by(sales.pk) is None


def message(**head: Any) -> Any:
    columns: dict[str, Any] = {
        "message_id": "<7.9.abc@desk.example>",
        "written_at": MONDAY_9AM,
        "sender": "support@desk.example",
        "sender_name": 'Nora "N" Ünal via Support',
        "recipient": "kemal@example.test",
        "recipient_name": "Kemal",
        "subject": "[support-7] Größe (Updated)",
        "references": ["<7.t@desk.example>", "<one@example.test>"],
        "in_reply_to": "<one@example.test>",
        "automatic": True,
        "reply_to": "team@desk.example",
        **head,
    }
    return compose(
        Letterhead(**columns),
        text="Words ü\n",
        html='<p>Words ü <img src="cid:1.x@desk.example"></p>',
        enclosures=[
            Enclosure(
                filename="bild.png",
                content_type="image/png",
                content=b"PNG!",
                content_id="1.x@desk.example",
            ),
            Enclosure(filename="plan ü.pdf", content_type="application/pdf", content=b"PDF!"),
        ],
    )


def hand_over(letter: Any, by: MailRoute) -> str | None:
    return transport.hand_over(
        letter, mail_id=1, created_at=MONDAY_9AM, config=settings.CONFIG, route=by
    )


class TestTokens:
    """XOAUTH2, with refresh tokens that are used up."""

    @pytest.fixture(autouse=True)
    def forgotten(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(oauth, "_tokens", {})

    @pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS:UserWarning")
    def test_open_the_mail_server(self):
        tokens = TokenServer()
        try:
            with smtp_sink(login=True) as sink:
                sink.tokens = tokens.access
                made = route(
                    settings={
                        "host": "127.0.0.1",
                        "port": sink.port,
                        "security": "none",
                        "login": "desk@example.com",
                        "authentication": "oauth2",
                        "token_url": tokens.address,
                        "client_id": "desk",
                    },
                    secrets={"password": tokens.refresh_token, "client_secret": "hush"},
                )
                # The server knows no token yet: the first is refused, a fresh one is asked for.
                with pytest.raises(OutOfReach, match="refuses the login"):
                    hand_over(message(), made)
                tokens.access = sink.tokens = set()
                exchange = tokens.exchange

                def known(asked: dict[str, str]) -> tuple[int, dict[str, Any]]:
                    answer = exchange(asked)
                    sink.tokens = tokens.access
                    return answer

                tokens.exchange = known  # type: ignore[method-assign]
                hand_over(message(), made)

            (taken,) = sink.taken
            assert taken.mail_from == "support@desk.example"
            assert {each["client_secret"] for each in tokens.asked} == {"hush"}
            made.refresh_from_db()
            assert routes.secrets_of(made)["password"] == tokens.refresh_token
            with pytest.raises(Trouble, match="refuses connections"):
                try_out(made, to="ada@example.test", at=MONDAY_9AM)
        finally:
            tokens.stop()

    def test_that_cannot_be_had_are_said_in_a_sentence(self):
        tokens = TokenServer()
        try:
            made = route(
                settings={
                    "host": "127.0.0.1",
                    "login": "desk",
                    "authentication": "oauth2",
                    "token_url": tokens.address,
                    "client_id": "desk",
                },
                secrets={"password": "revoked"},
            )
            with pytest.raises(OutOfReach, match="The token was revoked"):
                hand_over(message(), made)
        finally:
            tokens.stop()

    def test_and_passwords_of_another_secret_key_must_be_entered_again(self, settings):
        made = route(settings={"host": "h", "login": "x"}, secrets={"password": "p"})
        settings.SECRET_KEY = "another key that is long enough for whatever it is for"
        with pytest.raises(OutOfReach, match="Enter it again"):
            hand_over(message(), made)
        assert secrets.sealed("") == ""


class Provider:
    """A provider's HTTP interface: what it was told, and what it is to answer."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, dict[str, str], bytes]] = []
        self.status = 200
        self.answer: Any = {}
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                outer.asked.append((self.path, dict(self.headers), body))
                said = outer.answer if isinstance(outer.answer, bytes) else None
                said = json.dumps(outer.answer).encode() if said is None else said
                self.send_response(outer.status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Location", "/elsewhere")
                self.send_header("X-Message-Id", "from-the-header")
                self.send_header("Content-Length", str(len(said)))
                self.end_headers()
                self.wfile.write(said)

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}/v1/"

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def route(self, provider: str) -> MailRoute:
        names = routes.PROVIDERS[provider]
        given = {name: f"key-of-{name}" for name in names.needed if name in names.secrets}
        known = {name: "there.example" for name in names.needed if name not in names.secrets}
        if provider == "mailgun":
            known["sender_domain"] = "desk.example"
        return route(
            kind="provider",
            settings={"provider": provider, **known, "api_url": self.url},
            secrets=given,
        )


@pytest.fixture
def provider() -> Iterator[Provider]:
    found = Provider()
    yield found
    found.stop()


class TestProvider:
    def test_gets_all_of_the_message_postmark(self, provider):
        provider.answer = {
            "ErrorCode": 0,
            "Message": "OK",
            "MessageID": "pm-17",
            "To": "kemal@example.test",
            "SubmittedAt": "2026-03-02T09:00:00Z",
        }

        assert hand_over(message(), provider.route("postmark")) == "pm-17"

        ((path, headers, body),) = provider.asked
        told = json.loads(body)
        assert path == "/v1/email"
        assert headers["X-Postmark-Server-Token"] == "key-of-server_token"
        assert told["From"].endswith("<support@desk.example>")
        assert "Ünal via Support" in told["From"]
        assert told["To"] == '"Kemal" <kemal@example.test>' or "kemal@example.test" in told["To"]
        assert told["Subject"] == "[support-7] Größe (Updated)"
        assert told["TextBody"] == "Words ü\n"
        assert "cid:1.x@desk.example" in told["HtmlBody"]
        assert {each["Name"]: each["Value"] for each in told["Headers"]} == {
            "Message-ID": "<7.9.abc@desk.example>",
            "In-Reply-To": "<one@example.test>",
            "References": "<7.t@desk.example> <one@example.test>",
            "Auto-Submitted": "auto-generated",
            "X-Auto-Response-Suppress": "All",
            "Precedence": "bulk",
            "X-PM-KeepID": "true",
        }
        assert "team@desk.example" in told["ReplyTo"]
        image, plan = told["Attachments"]
        assert (image["ContentID"], base64.b64decode(image["Content"])) == (
            "cid:1.x@desk.example",
            b"PNG!",
        )
        assert (plan["Name"], base64.b64decode(plan["Content"])) == ("plan ü.pdf", b"PDF!")
        assert told["TrackOpens"] is False

    def test_gets_all_of_the_message_mailgun(self, provider):
        provider.answer = {"id": "<17@mailgun.example>", "message": "Queued. Thank you."}

        assert hand_over(message(), provider.route("mailgun")) == "<17@mailgun.example>"

        ((path, headers, body),) = provider.asked
        assert path == "/v1/desk.example/messages"
        assert base64.b64decode(headers["Authorization"].split()[1]) == b"api:key-of-api_key"
        fields = b"Content-Type: " + headers["Content-Type"].encode() + b"\r\n\r\n" + body
        form = BytesParser(policy=HTTP).parsebytes(fields)
        told: dict[str, bytes] = {}
        for part in form.iter_parts():
            name = part.get_param("name", header="content-disposition")
            told[str(name).lower()] = part.get_payload(decode=True)
        assert told["h:message-id"] == b"<7.9.abc@desk.example>"
        assert told["h:references"] == b"<7.t@desk.example> <one@example.test>"
        assert told["inline"] == b"PNG!"
        assert told["attachment"] == b"PDF!"
        assert told["text"].decode().strip() == "Words ü"

    @pytest.mark.filterwarnings("ignore:django-anymail has dropped official support")
    @pytest.mark.parametrize(
        ("name", "answer", "known_as"),
        [
            ("brevo", {"messageId": "<b@brevo.example>"}, "<b@brevo.example>"),
            ("resend", {"id": "re-1"}, "re-1"),
            ("sendgrid", b"", None),
            (
                "mailjet",
                {
                    "Messages": [
                        {
                            "Status": "success",
                            "To": [
                                {
                                    "Email": "kemal@example.test",
                                    "MessageID": 17,
                                    "MessageUUID": "u",
                                    "MessageHref": "h",
                                }
                            ],
                            "Cc": [],
                            "Bcc": [],
                        }
                    ]
                },
                "17",
            ),
            (
                "mandrill",
                [{"email": "kemal@example.test", "status": "sent", "_id": "m-1"}],
                "m-1",
            ),
            (
                "sparkpost",
                {
                    "results": {
                        "total_rejected_recipients": 0,
                        "total_accepted_recipients": 1,
                        "id": "11",
                    }
                },
                "11",
            ),
            ("mailersend", {}, "from-the-header"),
            (
                "postal",
                {
                    "status": "success",
                    "data": {"messages": {"kemal@example.test": {"id": 3, "token": "t"}}},
                },
                "3",
            ),
            ("mailtrap", {"success": True, "message_ids": ["mt-1"]}, "mt-1"),
        ],
    )
    def test_is_any_that_anymail_knows(self, provider, name, answer, known_as):
        provider.answer = answer
        provider.status = 202 if name in {"sendgrid", "mailersend"} else 200

        found = hand_over(message(automatic=False), provider.route(name))

        ((_, _, body),) = provider.asked
        assert b"kemal@example.test" in body
        assert b"one@example.test" in body
        assert found == known_as if known_as else found is not None

    @pytest.mark.parametrize(
        ("status", "answer", "kind", "said"),
        [
            (
                422,
                {"ErrorCode": 300, "Message": "Invalid 'To' address: 'kemal@example.test'."},
                Refused,
                "Invalid 'To'",
            ),
            (422, {"ErrorCode": 402, "Message": "Too big."}, Refused, "422 Too big."),
            (401, {"ErrorCode": 10, "Message": "Bad token."}, OutOfReach, "401 Bad token."),
            (429, {"Message": "Too fast"}, OutOfReach, "429 Too fast"),
            (500, b"<html>oops</html>", OutOfReach, "500"),
            (307, {}, OutOfReach, "cannot be reached"),
            (200, b"not json", NotTaken, "makes no sense"),
            (
                200,
                {"ErrorCode": 406, "Message": "Inactive recipient. Found inactive addresses: x"},
                NotTaken,
                "did not take the message. Inactive recipient.",
            ),
        ],
    )
    def test_that_refuses_is_quoted(self, provider, status, answer, kind, said):
        provider.status, provider.answer = status, answer

        with pytest.raises(kind) as refused:
            hand_over(message(), provider.route("postmark"))

        assert said in str(refused.value)
        assert "key-of" not in str(refused.value)
        assert len(provider.asked) == 1

    def test_that_is_not_there_may_come_back(self, provider):
        made = provider.route("postmark")
        provider.stop()
        with pytest.raises(OutOfReach, match="cannot be reached"):
            hand_over(message(), made)
        provider.__init__()  # type: ignore[misc]

    def test_whose_package_is_missing_cannot_be_chosen(self, monkeypatch):
        monkeypatch.setattr(routes, "find_spec", lambda name: None)
        with pytest.raises(Invalid) as problem:
            route(
                kind="provider",
                settings={"provider": "amazon_ses", "access_key_id": "a", "region": "eu-west-1"},
                secrets={"secret_access_key": "s"},
            )
        assert problem.value.code == "not_installed"


class TestTrying:
    def test_sends_a_message_from_the_groups_address(self):
        group("Support", email="support@desk.example")
        with smtp_sink() as sink:
            made = route(settings={"host": "127.0.0.1", "port": sink.port, "security": "none"})
            said = try_out(made, to="ada@example.test", at=MONDAY_9AM + timedelta(hours=1))

        assert "to ada@example.test was taken" in said
        (taken,) = sink.taken
        assert (taken.mail_from, taken.rcpt_tos) == ("support@desk.example", ["ada@example.test"])
        assert b"Auto-Submitted: auto-generated" in taken.content
        with pytest.raises(Invalid):
            try_out(made, to="nobody", at=MONDAY_9AM)
