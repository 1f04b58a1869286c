"""One ticket in the workspace: what stands on the page."""

from __future__ import annotations

from datetime import timedelta

import pytest

from deskbell.kernel.actor import Actor
from deskbell.mail.models import MailState, OutgoingMail
from deskbell.tickets import attachments
from deskbell.tickets.attachments import NewFile
from deskbell.tickets.models import Article, Ticket
from deskbell.tickets.operations import (
    NewArticle,
    TicketChange,
    link,
    merge,
    tag,
    update_ticket,
)
from deskbell.tickets.vocabulary import ArticleType, Sender
from deskbell.web.agent import ticket as pages
from tests import cast


def write(ticket, actor, body="Text", **kwargs):
    at = kwargs.pop("at", cast.MONDAY_10AM)
    return update_ticket(ticket.pk, None, NewArticle(body=body, **kwargs), actor=actor, at=at)[1]


class TestTheHead:
    def test_says_the_facts(self, desk, nora, kemal):
        ticket = cast.ticket(
            kemal,
            title="Printer on fire",
            priority_id=4,
            due_date=cast.MONDAY_10AM,
            tags=["hot", "paper"],
            ccs=["boss@example.test"],
            custom={"asset": "LN-1"},
        )
        cast.custom_field("asset", label="Asset tag")
        update_ticket(
            ticket.pk,
            TicketChange(owner_id=nora.pk, on_hold=True),
            actor=cast.acting(nora),
            at=cast.MONDAY_10AM,
        )

        page = desk.get(f"/tickets/{ticket.pk}/").content.decode()

        for words in (
            "Printer on fire",
            f"#{ticket.number}",
            "critical",
            "on hold",
            'datetime="2026-03-02T10:00:00+00:00"',
            'value="hot, paper"',
            'value="LN-1"',
            "Asset tag",
            "boss@example.test",
            "Nora Example",
            "kemal@example.test",
        ):
            assert words in page

    def test_names_linked_tickets_that_one_may_see(self, desk, nora, kemal):
        ticket, near = cast.ticket(kemal), cast.ticket(kemal, title="Near")
        hidden = cast.ticket(kemal, title="Far", group_id=cast.group().pk)
        ada = cast.acting(cast.ada())
        link("normal", near.pk, ticket.pk, actor=ada, at=cast.MONDAY_10AM)
        link("parent", hidden.pk, ticket.pk, actor=ada, at=cast.MONDAY_10AM)

        page = desk.get(f"/tickets/{ticket.pk}/").content.decode()

        assert "Near" in page
        assert "Far" not in page
        assert hidden.number not in page

    def test_leads_to_the_ticket_that_this_one_went_into(self, desk, nora, kemal):
        source, target = cast.ticket(kemal), cast.ticket(kemal, title="The whole story")
        merge(source.pk, target.pk, actor=cast.acting(nora), at=cast.MONDAY_10AM)

        page = desk.get(f"/tickets/{source.pk}/").content.decode()

        assert "This ticket went into" in page
        assert f'href="/tickets/{target.pk}/"' in page
        assert 'id="composer"' not in page


class TestTheThread:
    def test_runs_from_the_oldest_entry_to_the_newest(self, desk, nora, kemal):
        ticket = cast.ticket(kemal, body="First words")
        write(ticket, cast.acting(nora), "Second words", internal=True)
        write(ticket, cast.acting(kemal, "portal"), "Third words", type=ArticleType.WEB)

        shown = desk.get(f"/tickets/{ticket.pk}/").context["entries"]

        assert [(entry.kind, entry.author) for entry in shown] == [
            ("customer", "Kemal Example"),
            ("note", "Nora Example"),
            ("customer", "Kemal Example"),
        ]

    def test_marks_internal_notes(self, desk, nora, kemal):
        ticket = cast.ticket(kemal, body=None)
        write(ticket, cast.acting(nora), internal=True)

        page = desk.get(f"/tickets/{ticket.pk}/").content.decode()

        assert 'data-kind="note"' in page
        assert "internal note" in page

    def test_shows_text_as_text_whoever_wrote_it(self, desk, kemal):
        ticket = cast.ticket(
            kemal, title="<b>x</b>", body="<script>alert(1)</script> & <b>bold</b>"
        )

        page = desk.get(f"/tickets/{ticket.pk}/").content.decode()

        assert "<script>alert" not in page
        assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp; &lt;b&gt;bold&lt;/b&gt;" in page
        assert "<b>x</b>" not in page

    def test_shows_html_in_a_frame_that_may_nothing(self, desk, kemal):
        ticket = cast.ticket(kemal, body=None)
        written = write(
            ticket, cast.acting(kemal, "portal"), "<p>Hi <i>you</i></p>", content_type="text/html"
        )

        page = desk.get(f"/tickets/{ticket.pk}/").content.decode()

        assert "<p>Hi" not in page
        assert f'src="/articles/{written.pk}/html/"' in page
        assert "allow-same-origin" not in page
        assert "allow-forms" not in page
        assert "allow-top-navigation" not in page

    def test_asks_before_images_are_fetched_from_elsewhere(self, desk, kemal):
        ticket = cast.ticket(kemal, body=None)
        actor = cast.acting(kemal, "portal")
        remote = write(
            ticket, actor, '<img src="https://t.example/p.gif">', content_type="text/html"
        )
        plain = write(ticket, actor, "<p>no images</p>", content_type="text/html")
        here = f"/tickets/{ticket.pk}/"

        page = desk.get(here)
        shown = {entry.id: entry for entry in page.context["entries"]}
        asked = desk.get(shown[remote.pk].images.partition("#")[0])

        assert shown[plain.pk].images == ""
        assert shown[remote.pk].images == f"{here}?images={remote.pk}#article-{remote.pk}"
        assert f'src="/articles/{remote.pk}/html/?images=1"' in asked.content.decode()

    def test_offers_files_with_their_size(self, desk, kemal):
        ticket = cast.ticket(kemal, body=None)
        name = 'a "strange" <name> ü.pdf'
        written = write(
            ticket,
            cast.acting(kemal, "portal"),
            files=[NewFile(name, b"x" * 2048, "application/pdf")],
        )
        file = written.attachments.get()

        page = desk.get(f"/tickets/{ticket.pk}/").content.decode()

        assert attachments.clean_filename(name) == file.filename
        assert "2.0 KB" in page
        assert f'href="/attachments/{file.pk}/a%20%22strange%22%20%3Cname%3E%20%C3%BC.pdf"' in page

    def test_says_how_far_the_mail_got(self, desk, nora, kemal):
        ticket = cast.ticket(kemal, ccs=["boss@example.test"])
        written = write(ticket, cast.acting(nora), type=ArticleType.EMAIL, to="kemal@example.test")
        rows = OutgoingMail.objects.filter(article=written)
        assert rows.update(state=MailState.SENT, sent_at=cast.MONDAY_10AM) == 2
        rows.filter(address="boss@example.test").update(
            state=MailState.FAILED, reason="550 no such <user>"
        )

        page = desk.get(f"/tickets/{ticket.pk}/").content.decode()

        assert "Sent" in page
        assert "Could not be sent" in page
        assert "550 no such &lt;user&gt;" in page

    def test_shows_a_window_of_a_long_one(self, desk, nora, kemal, monkeypatch):
        monkeypatch.setattr(pages, "WINDOW", 3)
        ticket = cast.ticket(kemal, body=None)
        ids = [
            write(
                ticket,
                cast.acting(nora),
                f"No. {number}",
                at=cast.MONDAY_10AM + timedelta(minutes=number),
            ).pk
            for number in range(7)
        ]
        here = f"/tickets/{ticket.pk}/"

        newest = desk.get(here)
        before = desk.get(newest.context["earlier"])
        first = desk.get(before.context["earlier"])

        windows = [
            [entry.id for entry in page.context["entries"]] for page in (newest, before, first)
        ]
        assert windows == [ids[4:], ids[1:4], ids[:1]]
        assert first.context["earlier"] == ""
        assert b'id="composer"' in newest.content
        assert b'id="composer"' not in before.content

    @pytest.mark.parametrize("entries", [1, 9])
    def test_costs_the_same_however_much_was_said(
        self, desk, nora, kemal, entries, django_assert_num_queries
    ):
        cast.custom_field("asset")
        ticket = cast.ticket(kemal, tags=["hot"], ccs=["boss@example.test"])
        link(
            "normal", cast.ticket(kemal).pk, ticket.pk, actor=cast.acting(nora), at=cast.MONDAY_10AM
        )
        for number in range(entries):
            person = cast.person(f"agent{number}", roles=[2], groups={1: ["full"]})
            write(ticket, cast.acting(person), files=[NewFile("a.txt", b"a")])

        desk.get(f"/tickets/{ticket.pk}/")  # what she was told of it is seen now

        # session, user, rights · ticket, entries · states, priorities, groups · who may own it,
        # their names, other names · files, mails · fields, tags, links, linked, copies · two sums,
        # notifications
        with django_assert_num_queries(21):
            assert desk.get(f"/tickets/{ticket.pk}/").status_code == 200


class TestAMailThatCameIn:
    def enter(self, ticket, *, internal=False, **preferences):
        article = NewArticle(
            body="Hello",
            type=ArticleType.EMAIL,
            sender=Sender.CUSTOMER,
            from_address="Olga <olga@else.test>",
            internal=internal,
            preferences=preferences,
            quiet=internal,
        )
        actor = Actor(kind="system", user_id=1, via="mail")
        return update_ticket(ticket.pk, None, article, actor=actor, at=cast.MONDAY_10AM)[1]

    @pytest.mark.parametrize(
        ("found", "tone"),
        [
            ({"dmarc": "pass", "domain": "else.test"}, "good"),
            ({"dmarc": "pass", "domain": "other.test"}, None),
            ({"dmarc": "fail", "domain": "else.test"}, "bad"),
            ({"dmarc": "fail", "policy": "none", "by": "desk", "domain": "else.test"}, None),
            ({"dmarc": "fail", "policy": "reject", "by": "desk", "domain": "else.test"}, "bad"),
            ({"spf": "pass"}, None),
            ("nonsense", None),
            (None, None),
        ],
    )
    def test_says_whether_its_sender_is_proven(self, desk, portal, kemal, found, tone):
        ticket = cast.ticket(kemal, body=None)
        written = self.enter(ticket, authentication=found)

        page = desk.get(f"/tickets/{ticket.pk}/")
        [entry] = page.context["entries"]

        assert (entry.proof.tone if entry.proof else None) == tone
        assert f"/articles/{written.pk}/source/" not in page.content.decode()
        assert "source/" not in portal.get(f"/my/tickets/{ticket.pk}/").content.decode()

    @pytest.mark.parametrize(
        ("way", "tickets", "public"), [("joining", 1, True), ("split", 2, None), ("note", 1, False)]
    )
    def test_that_is_held_apart_is_decided_about(self, desk, kemal, way, tickets, public):
        ticket = cast.ticket(kemal, body=None)
        held = self.enter(ticket, internal=True, held="The sender has <no> part in it.")
        here = f"/tickets/{ticket.pk}/"
        decision = f"{here}entries/{held.pk}/{way}/"
        page = desk.get(here).content.decode()

        first, second = desk.post(decision, {"copies": "on"}), desk.post(decision)
        after = Article.objects.filter(pk=held.pk).values_list("internal", flat=True)

        assert "The sender has &lt;no&gt; part in it." in page
        assert f'action="{decision}"' in page
        assert (first.status_code, second.status_code) == (302, 302)
        assert "Somebody decided about this message already." in desk.get(here).content.decode()
        assert Ticket.objects.count() == tickets
        assert list(after) == ([] if public is None else [not public])


class TestAccess:
    def test_is_refused_like_what_does_not_exist(self, desk, kemal):
        elsewhere = cast.ticket(kemal, title="Not for Nora", group_id=cast.group().pk)

        answers = [
            desk.get(f"/tickets/{number}/") for number in (elsewhere.pk, 999_999, 2**63, 10**30, 0)
        ]

        assert {answer.status_code for answer in answers} == {404}
        assert len({answer.content for answer in answers}) == 1

    def test_to_read_shows_no_way_to_write(self, signed_in, kemal):
        reader = signed_in(cast.nora({1: ["read"]}))
        ticket = cast.ticket(kemal, tags=["hot"])

        page = reader.get(f"/tickets/{ticket.pk}/").content.decode()

        assert "It burns." in page
        assert "hot" in page
        assert "<form" not in page.split("<main", 1)[1].split("</main>")[0]

    def test_of_the_one_who_asked_is_the_portal(self, signed_in, kemal):
        both = cast.person("both", roles=[2, 3], groups={1: ["full"]})
        own = cast.ticket(both, group_id=cast.group().pk)

        answer = signed_in(both).get(f"/tickets/{own.pk}/")

        assert answer["Location"] == f"/my/tickets/{own.pk}/"

    def test_works_for_a_ticket_without_a_customer_or_an_entry(self, desk):
        ticket = cast.ticket(body=None)
        Ticket.objects.filter(pk=ticket.pk).update(description="From a form")

        page = desk.get(f"/tickets/{ticket.pk}/").content.decode()

        assert "From a form" in page
        assert "Nobody is known as the customer." in page

    def test_names_a_writer_whom_nobody_knows(self, desk):
        ticket = cast.ticket(body=None)
        Article.objects.create(
            ticket_id=ticket.pk,
            type=ArticleType.EMAIL,
            sender=Sender.CUSTOMER,
            from_address="Old Friend <old@example.test>",
            body="Hello again",
            created_at=cast.MONDAY_9AM,
            updated_at=cast.MONDAY_9AM,
        )

        [entry] = desk.get(f"/tickets/{ticket.pk}/").context["entries"]

        assert entry.author == "Old Friend"

    def test_shows_a_tag_once_it_is_there(self, desk, nora, kemal):
        ticket = cast.ticket(kemal)
        tag(ticket.pk, ["new one"], actor=cast.acting(nora), at=cast.MONDAY_10AM)

        assert b'value="new one"' in desk.get(f"/tickets/{ticket.pk}/").content
