"""Files and HTML of entries: who gets them, and how they are sent."""

from __future__ import annotations

import re
from typing import Any

import pytest
import time_machine
from django.core import signing
from django.test import Client

from deskbell.kernel.actor import SYSTEM, Actor
from deskbell.mail.intake import store
from deskbell.mail.intake.channels import NewChannel, save_channel
from deskbell.mail.models import IncomingMail
from deskbell.people.operations import change_user
from deskbell.tickets import attachments, folding
from deskbell.tickets.attachments import NewFile
from deskbell.tickets.models import Article, Attachment, Ticket
from deskbell.tickets.operations import NewArticle, update_ticket
from deskbell.tickets.vocabulary import ArticleType, Sender
from deskbell.web.shared.signatures import Reader, article_token, file_token, signed_file_address
from tests import cast

PNG = b"\x89PNG\r\n\x1a\n and so on"


@pytest.fixture
def ticket(kemal) -> Ticket:
    return cast.ticket(kemal, body=None)


def write(ticket: Ticket, *files: NewFile, internal: bool = False, **kwargs: Any) -> Article:
    written = update_ticket(
        ticket.pk,
        None,
        NewArticle(
            **{"body": "See below", "type": ArticleType.NOTE, "internal": internal} | kwargs,
            files=files,
        ),
        actor=SYSTEM,
        at=cast.MONDAY_10AM,
    )[1]
    assert written is not None
    return written


def file_of(article: Article) -> Attachment:
    return article.attachments.get()


def body_of(response: Any) -> bytes:
    return response.getvalue() if response.streaming else response.content


def code(client: Client, address: str, *args: Any) -> int:
    """The status; an answer that streams is read to its end, which closes the file."""
    response = client.get(address, *args)
    body_of(response)
    return response.status_code


class TestAFile:
    def test_is_handed_over_for_saving(self, desk, ticket):
        file = file_of(write(ticket, NewFile("report.pdf", b"%PDF", "application/pdf")))

        sent = desk.get(f"/attachments/{file.pk}/report.pdf")

        assert body_of(sent) == b"%PDF"
        assert sent["Content-Type"] == "application/pdf"
        assert sent["Content-Length"] == "4"
        assert sent["Content-Disposition"] == 'attachment; filename="report.pdf"'
        assert sent["X-Content-Type-Options"] == "nosniff"
        assert sent["Content-Security-Policy"].startswith("default-src 'none'")
        assert "sandbox" in sent["Content-Security-Policy"]
        assert sent["Cache-Control"] == "private, no-cache"

    @pytest.mark.parametrize(
        "declared",
        [
            "text/html",
            "text/html; charset=utf-8",
            "image/svg+xml",
            "image/svg+xml; x",
            "application/xhtml+xml",
            "text/xml",
            "application/javascript",
            "multipart/related",
            "TEXT/HTML",
            "text/html\r\nX-Evil: 1",
            "",
        ],
    )
    def test_never_runs_in_our_origin(self, desk, ticket, declared):
        file = file_of(write(ticket, NewFile("x.html", b"<script>alert(1)</script>", declared)))
        reader = Reader(user_id=file.article.ticket.customer_id)

        answers = [
            desk.get(f"/attachments/{file.pk}/x.html?inline"),
            desk.get(signed_file_address(file.pk, "x.html", reader) + "&inline"),
        ]

        for sent in answers:
            body_of(sent)
            assert sent.status_code == 200
            assert sent["Content-Type"] in ("application/octet-stream", "multipart/related")
            assert sent["Content-Disposition"].startswith("attachment")
            assert "X-Evil" not in sent
            assert "script-src" not in sent["Content-Security-Policy"]

    @pytest.mark.parametrize(
        ("name", "disposition"),
        [
            ('a"b.txt', 'attachment; filename="a\\"b.txt"'),
            ("a\\b.txt", 'attachment; filename="b.txt"'),
            ("ü €.txt", "attachment; filename*=utf-8''%C3%BC%20%E2%82%AC.txt"),
            ("a\r\nSet-Cookie: x=1.txt", 'attachment; filename="aSet-Cookie: x=1.txt"'),
            ("../../etc/passwd", 'attachment; filename="passwd"'),
            (".htaccess", 'attachment; filename="htaccess"'),
            ("a;b=c.txt", 'attachment; filename="a;b=c.txt"'),
            ("100% sure?.txt", 'attachment; filename="100% sure?.txt"'),
        ],
    )
    def test_keeps_its_name_whatever_that_is(self, desk, ticket, name, disposition):
        file = file_of(write(ticket, NewFile(name, b"x", "text/plain")))
        [shown] = desk.get(f"/tickets/{ticket.pk}/").context["entries"][-1].files

        sent = desk.get(shown.address)
        body_of(sent)

        assert sent.status_code == 200
        assert sent["Content-Disposition"] == disposition
        assert file.filename == attachments.clean_filename(name)

    def test_that_is_known_is_not_sent_again(self, desk, ticket):
        file = file_of(write(ticket, NewFile("a.txt", b"a", "text/plain")))
        first = desk.get(f"/attachments/{file.pk}/")
        body_of(first)

        again = desk.get(f"/attachments/{file.pk}/", headers={"If-None-Match": first["ETag"]})

        assert (first.status_code, again.status_code) == (200, 304)
        assert body_of(again) == b""
        assert again["Cache-Control"] == "private, no-cache"

    def test_whose_bytes_are_gone_is_not_there(self, desk, ticket):
        file = file_of(write(ticket, NewFile("gone.txt", b"soon gone", "text/plain")))
        where = attachments.store()
        where.delete(f"{file.blob_id[:2]}/{file.blob_id[2:4]}/{file.blob_id}")

        assert code(desk, f"/attachments/{file.pk}/") == 404

    @pytest.mark.parametrize("number", ["0", "999999", str(2**63), "9" * 40])
    def test_that_never_was_is_not_there(self, desk, number):
        assert desk.get(f"/attachments/{number}/x").status_code == 404


class TestWhoGetsAFile:
    def test_is_who_may_read_the_entry(self, signed_in, desk, portal, ticket):
        public = file_of(write(ticket, NewFile("a.txt", b"a")))
        private = file_of(write(ticket, NewFile("b.txt", b"b"), internal=True))
        outsider = signed_in(cast.person("olga", roles=[3]))
        elsewhere = signed_in(cast.person("tom", roles=[2], groups={cast.group().pk: ["full"]}))
        stranger = Client()

        def codes(file):
            return [
                code(client, f"/attachments/{file.pk}/x")
                for client in (desk, portal, outsider, elsewhere, stranger)
            ]

        assert codes(public) == [200, 200, 404, 404, 302]
        assert codes(private) == [200, 404, 404, 404, 302]


class TestASignedAddress:
    @pytest.fixture
    def picture(self, ticket) -> Attachment:
        return file_of(write(ticket, NewFile("a.png", PNG, "image/png", inline=True)))

    def test_shows_a_picture_to_a_frame_that_has_no_cookies(self, stranger, nora, picture):
        address = signed_file_address(picture.pk, "a.png", Reader(user_id=nora.pk))

        sent = stranger.get(address + "&inline")

        assert body_of(sent) == PNG
        assert sent["Content-Type"] == "image/png"
        assert sent["Content-Disposition"].startswith("inline")
        assert sent["Cross-Origin-Resource-Policy"] == "cross-origin"

    def test_is_good_for_an_hour(self, stranger, nora, picture):
        with time_machine.travel(cast.MONDAY_9AM, tick=False) as clock:
            address = signed_file_address(picture.pk, "a.png", Reader(user_id=nora.pk))
            clock.shift(3599)
            soon = code(stranger, address)
            clock.shift(2)
            late = code(stranger, address)

        assert (soon, late) == (200, 404)

    def test_asks_again_whether_its_reader_may_see_the_file(self, stranger, nora, picture):
        address = signed_file_address(picture.pk, "a.png", Reader(user_id=nora.pk))
        change_user(nora.pk, groups={}, actor=SYSTEM, at=cast.MONDAY_10AM)

        assert code(stranger, address) == 404

    def test_of_a_public_link_shows_public_files_of_that_ticket(self, stranger, ticket, picture):
        private = file_of(write(ticket, NewFile("b.png", PNG, "image/png"), internal=True))
        other = file_of(write(cast.ticket(body=None), NewFile("c.png", PNG, "image/png")))
        reader = Reader(ticket_id=ticket.pk)

        codes = [
            code(stranger, signed_file_address(file.pk, "x.png", reader))
            for file in (picture, private, other)
        ]

        assert codes == [200, 404, 404]

    def test_cannot_be_made_by_others(self, stranger, nora, ticket, picture):
        token = file_token(picture.pk, Reader(user_id=nora.pk))
        second = file_of(write(ticket, NewFile("b.png", PNG, "image/png")))
        for key in (
            "",
            "x",
            token[:-1],
            token + "x",
            article_token(picture.pk, Reader(user_id=nora.pk)),
            signing.dumps([picture.pk, nora.pk, 0]),
            token.replace(":", ""),
            "\x00",
        ):
            there = f"/attachments/signed/{picture.pk}/a.png"
            assert code(stranger, there, {"key": key}) == 404, key
        # A key opens its own file only.
        assert code(stranger, f"/attachments/signed/{second.pk}/b.png", {"key": token}) == 404


class TestHtml:
    def test_is_a_document_of_its_own_in_an_opaque_origin(self, desk, ticket):
        article = write(ticket, body="<p>Hi</p><script>alert(1)</script>", content_type="text/html")

        frame = desk.get(f"/articles/{article.pk}/html/")

        policy = frame["Content-Security-Policy"]
        nonce = re.search(r"'nonce-([^']+)'", policy)
        assert nonce is not None
        assert frame.content.decode().count("<script") == 1
        assert f'<script nonce="{nonce[1]}">' in frame.content.decode()
        assert "sandbox allow-scripts allow-popups" in policy
        assert "allow-same-origin" not in policy
        assert frame["X-Frame-Options"] == "SAMEORIGIN"
        assert frame["Referrer-Policy"] == "no-referrer"
        assert frame["Cache-Control"] == "private, no-store"
        assert desk.get(f"/articles/{article.pk}/html/")["Content-Security-Policy"] != policy

    def test_shows_its_inline_images_by_signed_addresses(self, desk, stranger, ticket):
        article = write(
            ticket,
            NewFile("logo.png", PNG, "image/png", inline=True, content_id="<logo@1>"),
            NewFile("evil.svg", b"<svg/>", "image/svg+xml", inline=True, content_id="<evil@1>"),
            body='<img src="cid:logo@1"><img src="cid:evil@1"><img src="cid:none">',
            content_type="text/html",
        )

        frame = desk.get(f"/articles/{article.pk}/html/").content.decode()

        addresses = re.findall(r'<img src="([^"]+)"', frame)
        assert len(addresses) == 1
        assert body_of(stranger.get(addresses[0].replace("&amp;", "&"))) == PNG

    def test_loads_images_from_elsewhere_only_when_asked(self, desk, ticket):
        article = write(
            ticket, body='<img src="https://t.example/p.gif">', content_type="text/html"
        )

        kept = desk.get(f"/articles/{article.pk}/html/")
        asked = desk.get(f"/articles/{article.pk}/html/?images=1")

        assert "t.example" not in kept.content.decode()
        assert "https:" not in kept["Content-Security-Policy"]
        assert "https://t.example/p.gif" in asked.content.decode()
        assert "img-src 'self' data: https:;" in asked["Content-Security-Policy"]

    @pytest.mark.parametrize("what", ["html", "text"])
    def test_is_for_whoever_may_read_the_entry(self, signed_in, desk, portal, ticket, what):
        public = write(ticket, body="<p>a</p>", content_type="text/html")
        private = write(ticket, body="<p>b</p>", content_type="text/html", internal=True)
        outsider = signed_in(cast.person("olga", roles=[3]))
        stranger = Client()

        def codes(article):
            return [
                client.get(f"/articles/{article.pk}/{what}/").status_code
                for client in (desk, portal, outsider, stranger)
            ]

        assert codes(public) == [200, 200, 404, 302]
        assert codes(private) == [200, 404, 404, 302]

    def test_of_a_text_there_is_none(self, desk, ticket):
        assert desk.get(f"/articles/{write(ticket).pk}/html/").status_code == 404


class TestText:
    def test_of_great_length_can_be_read_to_its_end(self, desk, ticket):
        article = write(ticket, body="word " * 10_000 + "THE END")

        page = desk.get(f"/tickets/{ticket.pk}/").content.decode()
        whole = desk.get(f"/articles/{article.pk}/text/")

        assert "THE END" not in page
        assert f"/articles/{article.pk}/text/" in page
        assert whole.content.decode().endswith("THE END")
        assert whole["Content-Type"] == "text/plain; charset=utf-8"
        assert "sandbox" in whole["Content-Security-Policy"]


class TestAMailsBody:
    """As it came in: its new part in sight, all else behind a fold, nothing gone."""

    HTML = "<div>It burns again.</div><blockquote>Is it out?</blockquote>"
    TEXT = "It burns again.\n\nOn Monday Nora wrote:\n> Is it out?\n"

    def entry(self, body: str, content_type: str, reply: str | None) -> Article:
        new = NewArticle(
            body=body,
            content_type=content_type,
            type=ArticleType.EMAIL,
            sender=Sender.CUSTOMER,
            preferences=folding.marks(body, content_type, reply=reply),
        )
        actor = Actor(kind="system", user_id=1, via="mail")
        ticket = cast.ticket(cast.kemal())
        return update_ticket(ticket.pk, None, new, actor=actor, at=cast.MONDAY_10AM)[1]

    @pytest.mark.parametrize("reply", ["It burns again.", None])
    def test_is_folded_unless_it_is_a_forward(self, desk, reply):
        html = self.entry(self.HTML, "text/html", reply)
        shown = desk.get(f"/articles/{html.pk}/html/").content.decode()

        assert ("<details" in shown) == (reply is not None)
        assert "<blockquote>Is it out?</blockquote>" in shown

    @pytest.mark.parametrize("reply", ["It burns again.", None])
    def test_in_text_is_the_same(self, desk, reply):
        entry = self.entry(self.TEXT, "text/plain", reply)
        [_first, shown] = desk.get(f"/tickets/{entry.ticket_id}/").context["entries"]

        assert ('<details class="quoted">' in shown.html) == (reply is not None)
        assert "&gt; Is it out?" in shown.html


class TestTheSource:
    def test_is_for_agents_of_the_group(self, desk, portal, signed_in, kemal):
        ticket = cast.ticket(kemal)
        article = Article.objects.get(ticket=ticket)
        Article.objects.filter(pk=article.pk).update(via="mail")
        raw = b"From: kemal@example.test\r\nSubject: <script>\r\n\r\n\xff"
        channel = save_channel(
            NewChannel(name="Pipe", kind="pipe", group_id=1, settings={}),
            actor=SYSTEM,
            at=cast.MONDAY_9AM,
        )
        IncomingMail.objects.create(
            channel=channel,
            place=store.keep(raw, channel_id=channel.pk),
            digest=store.digest_of(raw),
            size=len(raw),
            received_at=cast.MONDAY_9AM,
            article_id=article.pk,
        )
        here = f"/articles/{article.pk}/source/"

        shown, saved = desk.get(here), desk.get(here + "?download")

        assert f'href="{here}"' in desk.get(f"/tickets/{ticket.pk}/").content.decode()
        assert shown.content.decode() == raw.decode("utf-8", "replace")
        assert shown["Content-Type"] == "text/plain; charset=utf-8"
        assert "sandbox" in shown["Content-Security-Policy"]
        assert saved.content == raw
        assert saved["Content-Disposition"].startswith("attachment")
        assert portal.get(here).status_code == 404
        elsewhere = signed_in(cast.person("tom", roles=[2], groups={cast.group().pk: ["full"]}))
        assert elsewhere.get(here).status_code == 404
