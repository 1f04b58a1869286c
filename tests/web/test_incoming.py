"""What came in by mail, in the browser of who administers it."""

from __future__ import annotations

from typing import Any

import pytest

from deskbell.kernel.clock import now
from deskbell.mail.intake import handling, store, taking
from deskbell.mail.models import ChannelKind, Fate, IncomingMail, MailChannel
from tests import cast
from tests.web.conftest import sign_in

pytestmark = pytest.mark.django_db

MESSAGE = (
    b"From: Kemal <kemal@customer.example>\r\nTo: help@desk.example\r\n"
    b"Subject: <script>alert(1)</script>\r\nMessage-ID: <1@customer.example>\r\n\r\nIt burns.\r\n"
)


@pytest.fixture
def taken(settings: Any, tmp_path: Any) -> IncomingMail:
    storage = {
        "BACKEND": "deskbell.tickets.attachments.DurableStorage",
        "OPTIONS": {"location": tmp_path / "mail"},
    }
    settings.STORAGES = {**settings.STORAGES, "mail": storage}
    channel = MailChannel.objects.create(
        name="Support", name_key="support", kind=ChannelKind.PIPE, group_id=1
    )
    mail = taking.take(MESSAGE, channel=channel, at=now())
    handling.handle_waiting(channel.pk)
    mail.refresh_from_db()
    return mail


def test_each_message_has_its_fate_facts_and_source(taken: IncomingMail) -> None:
    desk = sign_in(cast.ada())

    listed = desk.get("/admin/mail/").content.decode()
    shown = desk.get(f"/admin/mail/{taken.pk}/").content.decode()

    for page in (listed, shown):
        assert "&lt;script&gt;alert(1)" in page
        assert "<script>alert(1)" not in page
    assert "new ticket" in listed
    assert taken.reason in shown
    assert f"/tickets/{taken.ticket_id}/" in shown
    assert "It burns." in shown
    assert "Message-ID: &lt;1@customer.example&gt;" in shown


@pytest.mark.parametrize("fate", ["new_ticket", "waiting", "nonsense", ""])
def test_the_list_can_be_narrowed(taken: IncomingMail, fate: str) -> None:
    listed = sign_in(cast.ada()).get("/admin/mail/", {"fate": fate}).content.decode()
    assert (f"/admin/mail/{taken.pk}/" in listed) is (fate != "waiting")


def test_the_unreadable_are_handled_again(taken: IncomingMail) -> None:
    IncomingMail.objects.filter(pk=taken.pk).update(fate=Fate.UNREADABLE, message_id="")
    desk = sign_in(cast.ada())
    assert desk.post("/admin/mail/replay/", {"mail": taken.pk}).status_code == 302
    taken.refresh_from_db()
    assert taken.fate == ""
    handling.handle_waiting(taken.channel_id)
    taken.refresh_from_db()
    assert taken.fate == Fate.NEW_TICKET


def test_a_mail_without_its_bytes_still_says_what_became_of_it(taken: IncomingMail) -> None:
    store.forget(taken.place)
    assert sign_in(cast.ada()).get(f"/admin/mail/{taken.pk}/").status_code == 200


@pytest.mark.parametrize("path", ["/admin/mail/", "/admin/mail/{pk}/"])
def test_is_for_administrators_of_mail(taken: IncomingMail, path: str) -> None:
    assert sign_in(cast.nora()).get(path.format(pk=taken.pk)).status_code in (403, 404)
    assert sign_in(cast.ada()).get("/admin/mail/999999/").status_code == 404
