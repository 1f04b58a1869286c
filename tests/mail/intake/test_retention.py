"""How long messages are kept as they came, and what is known of them afterwards."""

from __future__ import annotations

from datetime import timedelta

import pytest

from deskbell.kernel.actor import SYSTEM
from deskbell.mail import policy
from deskbell.mail.intake import handling, retention, store, taking
from deskbell.mail.models import Fate, IncomingMail
from deskbell.tickets.models import Ticket
from tests.mail.intake.postman import AT, Post

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock", "outbox", "store")]

LATER = AT + timedelta(days=31)


@pytest.fixture
def post() -> Post:
    return Post()


def keep(days: int) -> None:
    policy.save({"raw_mail_days": days}, actor=SYSTEM, at=AT)


def bytes_of(row: IncomingMail) -> bool:
    row.refresh_from_db()
    return bool(row.place) and store.store().exists(row.place)


def test_everything_is_kept_unless_somebody_says_otherwise(post: Post) -> None:
    row = post.bring()
    assert retention.forget_old(at=LATER) == 0
    assert bytes_of(row)


def test_what_was_settled_goes_and_what_waits_or_cannot_be_read_stays(post: Post) -> None:
    keep(30)
    rows = {
        name: post.bring(name, subject=name, message_id=f"<{name}@c.example>")
        for name in ("ticket", "ignored", "unreadable", "young")
    }
    IncomingMail.objects.filter(pk=rows["ignored"].pk).update(fate=Fate.IGNORED)
    IncomingMail.objects.filter(pk=rows["unreadable"].pk).update(fate=Fate.UNREADABLE)
    IncomingMail.objects.filter(pk=rows["young"].pk).update(handled_at=LATER)
    rows["waiting"] = post.take(post.mail("Waits", message_id="<w@c.example>"))
    digest = rows["ticket"].digest

    assert retention.forget_old(at=LATER, batch=1) == 2
    assert retention.forget_old(at=LATER) == 0
    assert {name for name, row in rows.items() if bytes_of(row)} == {
        "unreadable", "young", "waiting",
    }  # fmt: skip
    assert rows["ticket"].digest == digest
    assert not store.store().exists(store.place_of(post.channel.pk, digest))
    assert taking.raw_of(rows["ticket"].article_id or 0) is None
    assert taking.rescan(at=LATER) == 0


def test_the_same_message_is_known_long_after(post: Post) -> None:
    keep(30)
    first = post.bring()
    retention.forget_old(at=LATER)
    again = taking.take(post.mail(), channel=post.channel, key="9:2", at=LATER)
    assert (again.fate, again.copy_of_id) == (Fate.IGNORED, first.pk)
    handling.handle_waiting(post.channel.pk)
    assert Ticket.objects.filter(group=post.group).count() == 1


def test_bytes_that_a_younger_copy_names_stay_until_it_is_old(post: Post) -> None:
    keep(30)
    first = post.bring()
    copy = taking.take(post.mail(), channel=post.channel, key="9:2", at=AT + timedelta(days=5))
    assert copy.place == first.place
    assert retention.forget_old(at=LATER) == 0
    assert bytes_of(first)
    assert retention.forget_old(at=AT + timedelta(days=40)) == 2
    assert not bytes_of(first)


def test_a_fall_between_is_mended_by_the_next_run(post: Post) -> None:
    keep(30)
    row = post.bring()
    store.forget(row.place)
    assert retention.forget_old(at=LATER) == 1
    row.refresh_from_db()
    assert row.place == ""


def test_what_is_not_kept_is_not_handled_again(post: Post) -> None:
    keep(30)
    row = post.bring()
    IncomingMail.objects.filter(pk=row.pk).update(fate=Fate.IGNORED)
    retention.forget_old(at=LATER)
    assert handling.replay([row.pk], at=LATER) == 0
