"""Mail channels in the browser: made, tried, changed and removed without a script."""

from __future__ import annotations

import pytest

from deskbell.api.zammad import monitoring
from deskbell.kernel.clock import now
from deskbell.kernel.models import Job
from deskbell.mail import secrets
from deskbell.mail.intake import channels, fetching, webhooks
from deskbell.mail.intake.channels import NewChannel, save_channel
from deskbell.mail.models import MailChannel
from deskbell.mail.trouble import Trouble
from tests import cast
from tests.web.conftest import SERVER_FORM, sign_in, text

pytestmark = pytest.mark.django_db

IMAP = SERVER_FORM | {
    "name": "Support <b>",
    "group": "1",
    "interval": "90",
    "login": "help@example.com",
    "folder": "INBOX",
    "after": "seen",
    "move_to": "",
    "start": "unseen",
    "idle": "on",
}


@pytest.fixture
def channel():
    return save_channel(
        NewChannel(
            name="Support",
            kind="imap",
            group_id=1,
            settings={"host": "mail.example.com", "login": "help", "client_secret": "hush-hush"},
            password="s3cret",
        ),
        actor=cast.acting(cast.pure_admin()),
        at=now(),
    )


def test_is_made_with_what_was_typed(admin):
    response = admin.post("/admin/channels/new/?kind=imap", IMAP)

    made = MailChannel.objects.get()
    assert (response.status_code, response["Location"]) == (302, f"/admin/channels/{made.pk}/")
    assert (made.name, made.kind, made.interval, made.active) == ("Support <b>", "imap", 90, True)
    assert made.settings["host"] == "mail.example.com"
    assert made.settings["idle"] is True
    assert secrets.opened(made.secret) == IMAP["password"]
    shown = text(admin.get(response["Location"]))
    assert "Support &lt;b&gt;" in shown
    assert "The channel was saved." in shown


def test_no_page_ever_shows_a_password(admin, channel):
    pages = [
        admin.get("/admin/channels/"),
        admin.get(f"/admin/channels/{channel.pk}/"),
        admin.post(f"/admin/channels/{channel.pk}/", IMAP | {"name": "", "client_secret": "shh!"}),
    ]

    assert [each.status_code for each in pages] == [200, 200, 422]
    for each in pages:
        assert not any(
            word in text(each) for word in ("s3cret", "hush-hush", "shh!", channel.secret)
        )


def test_an_empty_password_keeps_the_stored_ones(admin, channel):
    sent = IMAP | {"name": "Other", "password": ""}
    assert admin.post(f"/admin/channels/{channel.pk}/", sent).status_code == 302

    channel.refresh_from_db()
    assert channel.name == "Other"
    assert secrets.opened(channel.secret) == "s3cret"
    assert channels.settings_of(channel).client_secret == "hush-hush"
    assert "hush-hush" not in str(channel.settings)


@pytest.mark.parametrize("do", ["save", "test"])
def test_a_stored_password_is_not_said_to_another_server(admin, channel, monkeypatch, do):
    monkeypatch.setattr(fetching, "probe", lambda *_, **__: pytest.fail("somebody was asked"))
    sent = IMAP | {"host": "evil.example.com", "password": "", "do": do}

    response = admin.post(f"/admin/channels/{channel.pk}/", sent)

    assert response.status_code == 422
    assert "The server is another one: enter the password again." in text(response)
    channel.refresh_from_db()
    assert channel.settings["host"] == "mail.example.com"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"name": " "}, "Please fill this in."),
        ({"host": ""}, "Please fill this in."),
        ({"port": "many"}, "This cannot be read. Please check it."),
        ({"port": "99999999"}, "This cannot be read. Please check it."),
        ({"interval": "1"}, "This cannot be read. Please check it."),
        ({"interval": "soon"}, "This cannot be read. Please check it."),
        ({"group": "99"}, "This is not one of the choices any more."),
        ({"after": "eaten"}, "This cannot be chosen here."),
        ({"after": "move"}, "Please fill this in."),
        ({"host": "a\0b"}, "This cannot be read. Please check it."),
        ({"authentication": "oauth2"}, "Please fill this in."),
        ({"password": "a\nb"}, "This cannot be read. Please check it."),
    ],
)
def test_says_at_the_field_what_is_wrong(admin, changes, said):
    response = admin.post("/admin/channels/new/?kind=imap", IMAP | changes)

    assert response.status_code == 422
    assert said in text(response)
    assert not MailChannel.objects.exists()


@pytest.mark.parametrize("fails", [False, True])
def test_tries_a_connection_and_saves_nothing(admin, channel, monkeypatch, fails):
    asked = []

    def probe(kind, settings, *, password, channel):
        asked.append((kind, settings.host, password, channel.pk))
        if fails:
            raise Trouble("mail.example.com says <no>.")
        return "3 messages wait in INBOX."

    monkeypatch.setattr(fetching, "probe", probe)
    sent = IMAP | {"name": "Not yet", "password": "", "do": "test"}

    response = admin.post(f"/admin/channels/{channel.pk}/", sent)

    assert response.status_code == 200
    expected = "mail.example.com says &lt;no&gt;." if fails else "3 messages wait in INBOX."
    assert expected in text(response)
    assert asked == [("imap", "mail.example.com", None, channel.pk)]
    channel.refresh_from_db()
    assert channel.name == "Support"


def test_shows_what_is_wrong_in_the_list_and_in_the_rail(admin, channel, django_assert_num_queries):
    MailChannel.objects.filter(pk=channel.pk).update(alarm="It is <down>.", alarm_since=now())
    admin.get("/admin/channels/")

    with django_assert_num_queries(9):
        shown = text(admin.get("/admin/channels/"))

    assert "It is &lt;down&gt;." in shown
    assert '1<span class="visually-hidden"> in trouble' in text(admin.get("/tickets/"))


@pytest.mark.parametrize("kind", ["pop3", "maildir", "listener", "pipe"])
def test_the_other_kinds_have_their_form(admin, kind):
    there = f"/admin/channels/new/?kind={kind}"
    assert admin.get(there).status_code == 200
    sent = {
        "pop3": {"host": "mail.example.com", "security": "tls", "after": "keep", "start": "all"},
        "maildir": {"path": "/var/mail/help", "after": "seen"},
        "listener": {"addresses": "help@example.com, @all.example.com"},
        "pipe": {},
    }[kind]

    base = {"name": kind, "group": "1", "interval": "60", "active": "on"}
    assert admin.post(there, base | sent).status_code == 302

    made = MailChannel.objects.get()
    assert made.kind == kind
    if kind == "listener":
        assert made.settings == {"addresses": ["help@example.com", "@all.example.com"]}


def test_is_looked_into_and_removed(admin, channel):
    admin.post(f"/admin/channels/{channel.pk}/look/")
    assert Job.objects.filter(unique_key=fetching.fetch_key(channel.pk)).count() == 1

    admin.post(f"/admin/channels/{channel.pk}/removal/")

    assert not MailChannel.objects.exists()
    assert admin.get(f"/admin/channels/{channel.pk}/").status_code == 404
    assert "No mail comes in yet." in text(admin.get("/admin/channels/"))


def test_a_webhook_shows_its_address_and_makes_another(admin):
    typed = {
        "name": "Mailgun",
        "group": "1",
        "active": "on",
        "provider": "mailgun",
        "password": "k3y",
        "api_key": "",
    }
    keyless = admin.post("/admin/channels/new/?kind=webhook", typed | {"password": ""})
    assert keyless.status_code == 422
    assert "Please fill this in." in text(keyless)

    place = admin.post("/admin/channels/new/?kind=webhook", typed)["Location"]
    old = webhooks.address_of(MailChannel.objects.get())
    assert f"http://127.0.0.1:8000{old}" in text(admin.get(place))
    assert old.endswith("/mime")

    assert admin.post(f"{place}address/").status_code == 302
    shown = text(admin.get(place))
    assert old not in shown
    assert webhooks.address_of(MailChannel.objects.get()) in shown
    assert "k3y" not in shown


def test_trouble_stands_on_every_page_of_those_who_can_mend_it(admin, channel):
    fetching.raise_alarm(channel, "It is <down>.", at=now())

    assert "It is &lt;down&gt;." in text(admin.get("/tickets/"))
    assert text(admin.get("/admin/channels/")).count("It is &lt;down&gt;.") == 1
    assert "&lt;down&gt;" not in text(sign_in(cast.nora()).get("/tickets/"))
    assert f"Channel {channel.name}: It is <down>." in monitoring.issues(at=now())
    MailChannel.objects.filter(pk=channel.pk).update(active=False)
    assert "&lt;down&gt;" not in text(admin.get("/tickets/"))
