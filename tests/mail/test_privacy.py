"""No private word reaches the customer or a copy, whatever happened on the ticket before."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from django.conf import settings
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from deskbell.kernel import jobs
from deskbell.kernel.text import fold
from deskbell.mail.models import GroupSending, OutgoingMail
from deskbell.people.models import Group, User
from deskbell.people.operations import save_group
from deskbell.tickets.attachments import NewFile
from deskbell.tickets.models import TicketCC
from deskbell.tickets.operations import (
    NewArticle,
    NewTicket,
    TicketChange,
    edit_article,
    merge,
    open_ticket,
    update_ticket,
)
from deskbell.tickets.vocabulary import ArticleType, Sender
from tests.cast import MONDAY_9AM, acting, ada, group, kemal, nora
from tests.mail.reading import sent

# Some dozen desks in one test: a slow machine needs more than the usual time for them.
pytestmark = [pytest.mark.django_db, pytest.mark.timeout(300)]

#: Everybody may turn up in any part: that is where such promises break.
ADDRESSES = [f"{name}@example.test" for name in ("nora", "ada", "kemal", "cc", "team", "boss")]
some = st.lists(st.sampled_from(ADDRESSES), max_size=3, unique=True)

entries = st.fixed_dictionaries(
    {
        "type": st.sampled_from(
            [ArticleType.EMAIL, ArticleType.NOTE, ArticleType.PHONE, ArticleType.WEB]
        ),
        "sender": st.sampled_from([Sender.AGENT, Sender.CUSTOMER]),
        "internal": st.booleans(),
        "html": st.booleans(),
        "file": st.booleans(),
        "to": some.filter(bool),
        "by": st.sampled_from(["nora", "ada"]),
        "via": st.sampled_from(["helpdesk", "jutda", "zammad", "web"]),
        "hidden_before_sending": st.booleans(),
        "resolves": st.booleans(),
        #: A note that was public for a moment, before anybody wrote again.
        "shown_for_a_moment": st.booleans(),
    }
)
stories = st.fixed_dictionaries(
    {
        "ccs": some,
        "new_ticket_cc": some,
        "updated_ticket_cc": some,
        "customer": st.sampled_from(["kemal", "nora", "nobody"]),
        "owner": st.sampled_from(["nora", "ada", "nobody"]),
        "opening": entries,
        "entries": st.lists(entries, min_size=1, max_size=3),
        "merged": st.none() | entries,
    }
)


class Words:
    """Marks that tell private words from public ones, one pair per entry."""

    def __init__(self) -> None:
        self.private: set[str] = set()
        self.number = 0

    def article(self, entry: dict[str, Any]) -> NewArticle:
        self.number += 1
        hidden = entry["internal"] or entry["hidden_before_sending"]
        mark = f"{'private' if hidden else 'public'}-word-{self.number}-end"
        if hidden:
            self.private.add(mark)
        return NewArticle(
            body=f"<p>{mark}</p>" if entry["html"] else mark,
            subject=mark,
            content_type="text/html" if entry["html"] else "text/plain",
            type=entry["type"],
            sender=entry["sender"],
            internal=entry["internal"],
            to=", ".join(entry["to"]),
            files=[NewFile(filename=f"{mark}.txt", content=mark.encode())] if entry["file"] else [],
        )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("privacy")


@pytest.fixture
def people(monkeypatch: pytest.MonkeyPatch, folder: Path) -> Callable[[], dict[str, Any]]:
    changed = msgspec.structs.replace(settings.CONFIG, data=folder)
    monkeypatch.setattr(settings, "CONFIG", changed)
    support = group("Support", email="support@desk.test")
    # Letters quote whatever they may.
    GroupSending.objects.create(group=support, quoting="all")
    everybody: dict[str, Any] = {
        "group": support,
        "nora": nora(groups={support.pk: ["full"]}),
        "ada": ada(),
        "kemal": kemal(),
        "nobody": User.objects.get(pk=1),
    }
    return lambda: everybody


@examples(
    max_examples=30,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(story=stories)
def test_no_private_word_goes_outside(people, story):
    cast, words, at = people(), Words(), MONDAY_9AM
    support: Group = cast["group"]
    save_group(
        support.pk,
        {name: story[name] for name in ("new_ticket_cc", "updated_ticket_cc")},
        actor=acting(cast["ada"]),
        at=at,
    )

    def actor(entry: dict[str, Any]) -> Any:
        return acting(cast[entry["by"]], entry["via"])

    ticket = open_ticket(
        NewTicket(
            title="A printer",
            group_id=support.pk,
            customer_id=cast[story["customer"]].pk,
            owner_id=cast[story["owner"]].pk,
            ccs=story["ccs"],
            article=words.article(story["opening"]),
        ),
        actor=actor(story["opening"]),
        at=at,
    )
    written = [(ticket.articles.get(), story["opening"])]
    marks = {written[0][0].pk: f"-word-{words.number}-end"}
    for entry in story["entries"]:
        at += timedelta(minutes=1)
        change = TicketChange(state_id=9) if entry["resolves"] else None
        _, article = update_ticket(
            ticket.pk, change, words.article(entry), actor=actor(entry), at=at
        )
        written.append((article, entry))
        marks[article.pk] = f"-word-{words.number}-end"
        if article.internal and entry["shown_for_a_moment"]:
            for internal in (False, True):
                edit_article(article.pk, {"internal": internal}, actor=acting(cast["ada"]), at=at)
        if (moved := story["merged"]) is not None and len(written) == 2:
            source = open_ticket(
                NewTicket(
                    title="Another printer",
                    group_id=support.pk,
                    customer_id=cast["nora"].pk,
                    article=words.article({**moved, "internal": True}),
                ),
                actor=actor(moved),
                at=at,
            )
            merge(source.pk, ticket.pk, actor=acting(cast["ada"]), at=at)
    for article, entry in written:
        if entry["hidden_before_sending"]:
            edit_article(article.pk, {"internal": True}, actor=acting(cast["ada"]), at=at)

    jobs.run_due()

    ticket.refresh_from_db()
    outside = set(TicketCC.objects.filter(ticket=ticket).values_list("email_key", flat=True))
    outside |= {fold(ticket.customer.email)} - {""}
    rows = OutgoingMail.objects.filter(article__ticket=ticket).order_by("id")
    assert not rows.filter(state__in=["queued", "sending"]).exists()
    told = {row.pk: all_text(row) for row in rows if row.state == "sent"}
    for row in rows:
        if row.address_key in outside and row.pk in told:
            assert not [mark for mark in words.private if mark in told[row.pk]]
    # The other half of the promise: staff do read what is meant for them.
    for article, _ in written:
        for row in rows.filter(article=article, part__in=["owner", "staff", "assigned"]):
            if row.address_key not in outside:
                assert marks[article.pk] in told[row.pk]
    rows.delete()


def all_text(row: OutgoingMail) -> str:
    """Everything in a message that anybody could read, decoded."""
    message = sent(row)
    parts = [part for part in message.walk() if not part.is_multipart()]
    pieces = [str(message["Subject"]), *(part.get_filename() or "" for part in parts)]
    for part in parts:
        content = part.get_content()
        pieces.append(content.decode("latin-1") if isinstance(content, bytes) else content)
    return "\n".join(pieces)
