"""Ways out and the desk's own words in the browser."""

from __future__ import annotations

import pytest

from deskbell.mail.models import GroupSending, MailRoute, MailText
from deskbell.mail.sending import routes
from deskbell.mail.sending.routes import NewRoute, save_route
from deskbell.mail.writing.texts import TEXTS
from tests import cast
from tests.mail.sink import smtp_sink
from tests.web.conftest import SERVER_FORM, text

pytestmark = pytest.mark.django_db

SMTP = SERVER_FORM | {
    "name": "Our <b> server",
    "is_default": "on",
    "login": "desk@example.com",
}


class TestRoute:
    def test_is_made_changed_and_removed(self, admin):
        made = admin.post("/admin/sending/new/?kind=smtp", SMTP)
        route = MailRoute.objects.get()
        assert (made.status_code, made["Location"]) == (302, f"/admin/sending/{route.pk}/")
        assert routes.secrets_of(route) == {"password": SMTP["password"]}
        assert route.is_default
        page = text(admin.get(made["Location"]))
        assert "Our &lt;b&gt; server" in page
        assert "s3cret" not in page + text(admin.get("/admin/sending/"))

        there = f"/admin/sending/{route.pk}/"
        kept = admin.post(there, SMTP | {"name": "Ours", "password": ""})
        route.refresh_from_db()
        assert (kept.status_code, route.name) == (302, "Ours")
        assert routes.secrets_of(route) == {"password": SMTP["password"]}
        moved = admin.post(there, SMTP | {"host": "evil.example.com", "password": ""})
        assert moved.status_code == 422
        assert "enter the password again" in text(moved)

        sent = {"route": str(route.pk), "language": "de", "quoting": "all"}
        assert admin.post("/admin/sending/groups/1/", sent).status_code == 302
        known = GroupSending.objects.get()
        assert (known.route_id, known.language, known.quoting) == (route.pk, "de", "all")
        admin.post("/admin/sending/groups/1/", sent | {"route": "99"})
        assert "not one of the choices" in text(admin.get("/admin/sending/"))
        assert admin.post(f"{there}removal/").status_code == 302
        assert not MailRoute.objects.exists()

    @pytest.mark.parametrize(
        ("kind", "changes", "said"),
        [
            ("smtp", {"name": ""}, "Please fill this in."),
            ("smtp", {"port": "x"}, "This cannot be read."),
            ("smtp", {"password": ""}, "Please fill this in."),
            ("mailgun", {}, "Please fill this in."),
            ("mailgun", {"api_key": "k", "api_url": "ftp://x"}, "This cannot be read."),
        ],
    )
    def test_that_cannot_work_is_told(self, admin, kind, changes, said):
        response = admin.post(f"/admin/sending/new/?kind={kind}", SMTP | changes)

        assert response.status_code == 422
        assert said in text(response)
        assert not MailRoute.objects.exists()

    def test_is_tried_with_what_was_typed(self, admin):
        with smtp_sink() as sink:
            typed = SMTP | {"host": "127.0.0.1", "port": str(sink.port), "security": "none"}
            typed |= {"login": "", "password": "", "do": "test"}
            good = admin.post("/admin/sending/new/?kind=smtp", typed)
            assert "was taken" in text(good)
            assert sink.taken[0].rcpt_tos == ["ada@example.test"]
        bad = admin.post("/admin/sending/new/?kind=smtp", typed)
        assert "refuses connections on port" in text(bad)
        assert not MailRoute.objects.exists()

    def test_in_trouble_says_so(self, admin):
        route = save_route(
            NewRoute(name="x", kind="smtp", settings={"host": "h"}, secrets={}),
            actor=cast.acting(cast.pure_admin()),
            at=cast.MONDAY_9AM,
        )
        routes.note_trouble(route, "h refuses <everything>.", at=cast.MONDAY_9AM)

        assert "h refuses &lt;everything&gt;." in text(admin.get("/admin/sending/"))
        assert [each.alarm for each in routes.in_trouble()] == ["h refuses <everything>."]


class TestTexts:
    def test_are_changed_shown_and_put_back(self, admin):
        there = "/admin/texts/acknowledgement/?language=de&group=1"
        assert "Vielen Dank" in text(admin.get(there))
        saved = admin.post(there, {"body": "Hallo <b> {{ ticket.number }}", "do": "save"})
        assert saved.status_code == 302
        stored = MailText.objects.get()
        assert (stored.language, stored.group_id) == ("de", 1)
        assert "changed" in text(admin.get("/admin/texts/?language=de&group=1"))
        assert "changed" not in text(admin.get("/admin/texts/?language=de"))

        wrong = admin.post(there, {"body": "{{ ticket.title }}", "do": "save"})
        assert wrong.status_code == 422
        assert "ticket.title is no placeholder of this text." in text(wrong)

        assert admin.post(there, {"do": "reset"}).status_code == 302
        assert not MailText.objects.exists()

    def test_have_a_preview_in_both_schemes(self, admin):
        there = "/admin/texts/{}/preview/?language=en&scheme={}"
        light = admin.post(there.format("letter_signature", "light"), {"body": "Yours <b>"})
        dark = admin.post(there.format("letter_signature", "dark"), {"body": "Yours"})
        plain = admin.post(there.format("letter_signature", "text"), {"body": "Yours"})
        bad = admin.post(there.format("letter_signature", "light"), {"body": "{{ x }}"})

        assert "Yours &lt;b&gt;" in text(light)
        assert "@media not all" in text(light)
        assert "@media all" in text(dark)
        assert "wrote:\n&gt; It prints every page twice." in text(plain)
        assert "x is no placeholder" in text(bad)
        for response in (light, dark, plain, bad):
            assert "sandbox" in response["Content-Security-Policy"]
            assert response["X-Frame-Options"] == "SAMEORIGIN"
        for name in TEXTS:
            assert admin.get(there.format(name, "text")).status_code == 200
        assert admin.get("/admin/texts/nothing/").status_code == 404
        assert admin.get("/admin/texts/files/?language=fr").status_code == 404
