"""Articles and their files over HTTP."""

from __future__ import annotations

import base64
from datetime import timedelta
from typing import Any

import pytest

from deskbell.api.zammad.models import Upload
from deskbell.kernel.actor import SYSTEM
from deskbell.people.models import User
from deskbell.tickets.attachments import NewFile
from deskbell.tickets.models import Article, Attachment, Ticket
from deskbell.tickets.operations import NewArticle, update_ticket
from deskbell.tickets.vocabulary import ArticleType, Sender
from tests import cast
from tests.api.zammad.wire import Wire, content, message, told

pytestmark = pytest.mark.django_db

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256))
ARTICLE_KEYS = {
    "id", "ticket_id", "type_id", "sender_id", "from", "to", "cc", "subject", "reply_to",
    "message_id", "message_id_md5", "in_reply_to", "content_type", "references", "body",
    "internal", "preferences", "updated_by_id", "created_by_id", "origin_by_id", "created_at",
    "updated_at", "attachments", "time_unit", "type", "sender", "created_by", "updated_by",
}  # fmt: skip


def b64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


@pytest.fixture
def kemal() -> User:
    return cast.kemal()


@pytest.fixture
def ticket(kemal: User) -> Ticket:
    return cast.ticket(kemal)


@pytest.fixture
def nora() -> Wire:
    return Wire(cast.nora())


def add(wire: Wire, ticket: Ticket, **more: Any) -> dict[str, Any]:
    body = {"ticket_id": ticket.pk, "body": "some text", **more}
    answer: dict[str, Any] = told(wire.post("ticket_articles", body), 201)
    return answer


class TestCreate:
    def test_is_a_public_note_of_the_agent_unless_said_otherwise(
        self, nora: Wire, ticket: Ticket
    ) -> None:
        article = add(nora, ticket)

        assert set(article) == ARTICLE_KEYS
        assert (article["type"], article["sender"]) == ("note", "Agent")
        assert article["from"] == "Nora Example"
        assert article["content_type"] == "text/plain"
        assert article["internal"] is False
        assert article["created_by"] == "nora"
        assert article["origin_by_id"] is None
        assert article["attachments"] == []

    def test_a_customers_is_a_public_note_of_his_own(self, kemal: User, ticket: Ticket) -> None:
        article = add(
            Wire(kemal), ticket, internal=True, type="email", sender="Agent", origin_by="nora"
        )

        assert (article["type"], article["sender"], article["internal"]) == (
            "note",
            "Customer",
            False,
        )
        assert article["origin_by_id"] == kemal.pk
        assert article["origin_by"] == "kemal"
        assert article["from"] == "Kemal Example"

    def test_a_customers_web_entry_names_his_address(self, kemal: User, ticket: Ticket) -> None:
        article = add(Wire(kemal), ticket, type="web")

        assert article["from"] == "Kemal Example <kemal@example.test>"

    def test_an_agent_writes_for_somebody(self, nora: Wire, kemal: User, ticket: Ticket) -> None:
        article = add(nora, ticket, origin_by="kemal@example.test", type="phone")

        assert (article["sender"], article["origin_by"]) == ("Customer", "kemal")
        assert article["from"] == "Kemal Example <kemal@example.test>"

    def test_a_typed_in_call_of_the_customer_is_his(
        self, nora: Wire, kemal: User, ticket: Ticket
    ) -> None:
        article = add(nora, ticket, sender="Customer", type="phone")

        assert article["origin_by_id"] == kemal.pk

    def test_an_email_goes_out_from_the_group(self, nora: Wire, kemal: User) -> None:
        shop = cast.group("Shop", email="shop@desk.example")
        ticket = cast.ticket(kemal, group_id=shop.pk)
        wire = Wire(cast.person("sam", roles=[2], groups={shop.pk: ["full"]}))

        article = add(wire, ticket, type="email", to="kemal@example.test")

        assert article["from"].endswith("<shop@desk.example>")
        assert article["subject"] == "Printer on fire"
        assert article["message_id"].startswith("<")
        assert len(article["message_id_md5"]) == 32

    def test_time_spent_adds_up(self, nora: Wire, ticket: Ticket) -> None:
        assert add(nora, ticket, time_unit=15)["time_unit"] == "15.0"
        assert add(nora, ticket, time_unit="2,5")["time_unit"] == "2.5"

        shown = told(nora.get(f"tickets/{ticket.pk}?expand=true"), 200)

        assert shown["time_unit"] == "17.5"
        assert len(shown["ticket_time_accounting_ids"]) == 2

    def test_ids_work_like_names(self, nora: Wire, ticket: Ticket) -> None:
        article = add(nora, ticket, type_id=5, sender_id=1, type=None)

        assert (article["type"], article["sender"]) == ("phone", "Agent")

    @pytest.mark.parametrize(
        ("body", "status"),
        [
            ({"body": "x"}, 404), ({"ticket_id": None, "body": "x"}, 404),
            ({"ticket_id": 99999, "body": "x"}, 404), ({"ticket_id": "x", "body": "x"}, 404),
            ({"ticket_id": 2**70, "body": "x"}, 404), ({"ticket_id": True, "body": "x"}, 404),
            ({"ticket_id": [1], "body": "x"}, 404),
        ],
    )  # fmt: skip
    def test_needs_a_ticket(self, nora: Wire, body: dict[str, Any], status: int) -> None:
        message(nora.post("ticket_articles", body), status)

    @pytest.mark.parametrize(
        ("more", "text"),
        [
            ({"body": None}, "Need at least an 'article body' field."),
            ({"body": ""}, "Need at least an 'article body' field."),
            ({"body": {"a": 1}}, "Invalid value '{\"a\": 1}' for field 'body'!"),
            ({"type": 4}, "No lookup value found for 'type': 4"),
            ({"type_id": 99}, "Invalid value for param 'type_id': 99"),
            ({"sender": "Robot"}, "No lookup value found for 'sender': \"Robot\""),
            ({"origin_by": "nope"}, "No lookup value found for 'origin_by': \"nope\""),
            ({"origin_by_id": 99999}, "Invalid value for param 'origin_by_id': 99999"),
            ({"content_type": "text/markdown"}, None),
            ({"time_unit": "soon"}, "Invalid value 'soon' for field 'time_unit'!"),
            ({"time_unit": -1}, "Invalid value '-1' for field 'time_unit'!"),
            ({"time_unit": 10**30}, None),
            ({"time_unit": True}, None),
            ({"preferences": [1]}, "Invalid value '[1]' for field 'preferences'!"),
            ({"subject": ["x"]}, None),
            ({"attachments": "x"}, "Invalid value 'x' for field 'attachments'!"),
            ({"attachments": [1]}, "Attachment needs 'mime-type' param for attachment with index"),
            (
                {"attachments": [{"mime-type": "a/b", "data": "eA=="}]},
                "Attachment needs 'filename' param for attachment with index '0'",
            ),
            (
                {"attachments": [{"mime-type": "a/b", "filename": "a"}]},
                "Attachment needs 'data' param for attachment with index '0'",
            ),
            (
                {
                    "attachments": [
                        {"mime-type": "a/b", "filename": "a", "data": "eA=="},
                        {"mime-type": "a/b", "filename": "a", "data": "§§"},
                    ]
                },
                "Invalid base64 for attachment with index '1'",
            ),
            (
                {"attachments": [{"mime-type": "a/b", "filename": "a", "data": "eA="}]},
                "Invalid base64 for attachment with index '0'",
            ),
            (
                {"attachments": [{"mime-type": "a/b", "filename": "a", "data": 5}]},
                "Invalid base64 for attachment with index '0'",
            ),
            ({"attachments": [{}] * 501}, "An article has at most 500 attachments."),
        ],
    )
    def test_refuses(
        self, nora: Wire, ticket: Ticket, more: dict[str, Any], text: str | None
    ) -> None:
        body = {"ticket_id": ticket.pk, "body": "x", **more}

        said = message(nora.post("ticket_articles", body), 422)

        assert text is None or said.startswith(text)
        assert Article.objects.filter(ticket=ticket).count() == 1
        assert not Attachment.objects.exists()


class TestAttachments:
    def test_bytes_come_back_as_they_were_sent(self, nora: Wire, ticket: Ticket) -> None:
        every = bytes(range(256)) * 40
        wrapped = base64.encodebytes(every).decode().replace("\n", "\r\n")
        article = add(
            nora,
            ticket,
            attachments=[
                {"filename": "all bytes.bin", "data": wrapped, "mime-type": "application/x-thing"},
                {"filename": "a.txt", "data": b64(b"caf\xe9"), "mime-type": "text/plain",
                 "charset": "latin1"},
                {"filename": "empty", "data": "", "mime-type": "text/plain"},
            ],
        )  # fmt: skip

        first, second, third = article["attachments"]
        assert first == {
            "id": first["id"],
            "filename": "all bytes.bin",
            "size": str(len(every)),
            "preferences": {"Mime-Type": "application/x-thing"},
        }
        assert second["preferences"] == {"Mime-Type": "text/plain", "Charset": "latin1"}
        assert third["size"] == "0"
        response = nora.get(f"ticket_attachment/{ticket.pk}/{article['id']}/{first['id']}")
        assert content(response) == every
        assert response.headers["Content-Type"] == "application/x-thing"
        assert response.headers["Content-Disposition"] == 'attachment; filename="all bytes.bin"'
        assert response.headers["X-Content-Type-Options"] == "nosniff"

    @pytest.mark.parametrize(
        ("declared", "served", "inline"),
        [
            ("image/png", "image/png", True),
            ("image/jpeg; name=x", "image/jpeg", True),
            ("application/pdf", "application/pdf", True),
            ("text/plain", "text/plain", False),
            ("text/html", "application/octet-stream", False),
            ("image/svg+xml", "application/octet-stream", False),
            ("IMAGE/SVG+XML; x", "application/octet-stream", False),
            ("nonsense\r\nX: y", "application/octet-stream", False),
        ],
    )
    def test_what_runs_in_a_browser_is_only_handed_over(
        self, nora: Wire, ticket: Ticket, declared: str, served: str, inline: bool
    ) -> None:
        article = add(
            nora,
            ticket,
            attachments=[{"filename": "a\r\n\u202e.x", "data": b64(PNG), "mime-type": declared}],
        )
        path = f"ticket_attachment/{ticket.pk}/{article['id']}/{article['attachments'][0]['id']}"

        for query in ("", "?disposition=inline", "?view=inline"):
            response = nora.get(path + query)
            assert content(response) == PNG
            assert response.headers["Content-Type"] == served
            word = "inline" if inline and query else "attachment"
            assert response.headers["Content-Disposition"].split(";")[0] == word
            assert "sandbox" in response.headers["Content-Security-Policy"]

    def test_both_ids_must_be_right(self, nora: Wire, kemal: User, ticket: Ticket) -> None:
        file = {"filename": "a", "data": b64(b"x"), "mime-type": "text/plain"}
        article = add(nora, ticket, attachments=[file])
        other_article = add(nora, ticket)
        other = cast.ticket(kemal)
        id_ = article["attachments"][0]["id"]

        wrong_ticket = nora.get(f"ticket_attachment/{other.pk}/{article['id']}/{id_}")
        wrong_article = nora.get(f"ticket_attachment/{ticket.pk}/{other_article['id']}/{id_}")
        nonsense = nora.get(f"ticket_attachment/{ticket.pk}/{article['id']}/x")

        assert message(wrong_ticket, 403) == (
            "The article does not belong to the specified ticket."
        )
        refused = "The file does not belong to the specified article."
        assert message(wrong_article, 403) == refused
        assert message(nonsense, 403) == refused
        message(nora.get(f"ticket_attachment/99999/{article['id']}/{id_}"), 404)
        message(nora.get(f"ticket_attachment/{ticket.pk}/99999/{id_}"), 404)

    def test_stays_reachable_through_both_ids_of_merged_tickets(
        self, nora: Wire, kemal: User, ticket: Ticket
    ) -> None:
        file = {"filename": "a", "data": b64(b"x"), "mime-type": "text/plain"}
        article = add(nora, ticket, attachments=[file])
        second, third = cast.ticket(kemal), cast.ticket(kemal)
        told(nora.put(f"ticket_merge/{ticket.pk}/{second.number}"), 200)
        told(nora.put(f"ticket_merge/{second.pk}/{third.number}"), 200)
        tail = f"{article['id']}/{article['attachments'][0]['id']}"

        for id_ in (ticket.pk, second.pk, third.pk):
            assert content(nora.get(f"ticket_attachment/{id_}/{tail}")) == b"x"
        unrelated = cast.ticket(kemal)
        message(nora.get(f"ticket_attachment/{unrelated.pk}/{tail}"), 403)

    def test_of_a_private_entry_is_not_for_the_customer(
        self, nora: Wire, kemal: User, ticket: Ticket
    ) -> None:
        file = {"filename": "a", "data": b64(b"x"), "mime-type": "text/plain"}
        article = add(nora, ticket, internal=True, attachments=[file])
        path = f"ticket_attachment/{ticket.pk}/{article['id']}/{article['attachments'][0]['id']}"

        assert message(Wire(kemal).get(path), 403) == "Not authorized"
        assert message(Wire().get(path), 403) == "Authentication required"

    def test_files_of_other_dialects_have_a_type_too(self, nora: Wire, ticket: Ticket) -> None:
        file = NewFile("a.pdf", b"%PDF", "application/pdf")
        update_ticket(
            ticket.pk, None, NewArticle(body="x", files=[file]), actor=SYSTEM, at=cast.MONDAY_9AM
        )

        last = told(nora.get(f"ticket_articles/by_ticket/{ticket.pk}"), 200)[-1]

        assert last["attachments"][0]["preferences"] == {"Mime-Type": "application/pdf"}


class TestInlineImages:
    def html(self, **attributes: str) -> str:
        more = "".join(f' {name}="{value}"' for name, value in attributes.items())
        return f'<p>See</p><img src="data:image/png;base64,{b64(PNG)}"{more}>'

    def test_are_cut_out_and_shown_by_address(self, nora: Wire, ticket: Ticket) -> None:
        article = add(nora, ticket, body=self.html(alt="a > b"), content_type="text/html")

        file = article["attachments"][0]
        place = f"/api/v1/ticket_attachment/{ticket.pk}/{article['id']}/{file['id']}?view=inline"
        assert f'src="{place}"' in article["body"]
        assert 'style="max-width:100%;"' in article["body"]
        assert 'alt="a &gt; b"' in article["body"] or 'alt="a > b"' in article["body"]
        assert "data:" not in article["body"]
        assert "cid:" not in article["body"]
        assert file["filename"] == "image1.png"
        preferences = file["preferences"]
        assert preferences["Content-Type"] == preferences["Mime-Type"] == "image/png"
        assert preferences["Content-Disposition"] == "inline"
        assert preferences["Content-ID"].startswith(f"{ticket.pk}.")
        stored = Article.objects.get(pk=article["id"])
        assert f'src="cid:{preferences["Content-ID"]}"' in stored.body
        assert content(nora.get(place)) == PNG

    def test_of_a_new_ticket_name_that_ticket(self, nora: Wire) -> None:
        body = {
            "title": "x",
            "group": "Users",
            "article": {"body": self.html(), "content_type": "text/html"},
        }

        ticket = told(nora.post("tickets?all=true", body), 201)

        articles = told(nora.get(f"ticket_articles/by_ticket/{ticket['ticket_id']}"), 200)
        file = articles[0]["attachments"][0]
        assert file["preferences"]["Content-ID"].startswith(f"{ticket['ticket_id']}.")
        asset = ticket["assets"]["TicketArticle"][str(articles[0]["id"])]
        assert asset["attachments"] == []
        assert "/ticket_attachment/" in asset["body"]

    def test_come_before_other_files_and_are_counted(self, nora: Wire, ticket: Ticket) -> None:
        wrapped = base64.encodebytes(PNG).decode()
        html = self.html() + f"<IMG SRC='data:image/jpeg;base64,\n{wrapped}'>"
        article = add(
            nora,
            ticket,
            body=html,
            content_type="text/html; charset=utf-8",
            attachments=[{"filename": "z.txt", "data": b64(b"z"), "mime-type": "text/plain"}],
        )

        names = [file["filename"] for file in article["attachments"]]
        assert names == ["image1.png", "image2.jpeg", "z.txt"]
        assert article["body"].count("?view=inline") == 2

    def test_in_plain_text_are_left_alone(self, nora: Wire, ticket: Ticket) -> None:
        article = add(nora, ticket, body=self.html())

        assert article["body"] == self.html()
        assert article["attachments"] == []

    @pytest.mark.parametrize(
        "address",
        [
            "data:image/png;base64,%%%", "data:text/html;base64,eA==", "data:image/svg+xml;utf8,x",
            "data:image/png,x", " DaTa:text/html,<script>", "data:",
        ],
    )  # fmt: skip
    def test_what_is_no_image_is_taken_away(self, nora: Wire, ticket: Ticket, address: str) -> None:
        html = f'<img src="{address}"><a href="{address}">x</a><b>y</b>'

        article = add(nora, ticket, body=html, content_type="text/html")

        assert "data:" not in article["body"].lower()
        assert "<b>y</b>" in article["body"]
        assert article["attachments"] == []

    def test_html_cannot_run(self, nora: Wire, ticket: Ticket) -> None:
        html = (
            '<script>alert(1)</script><b onclick="x()">bold</b><a href="javascript:x">l</a>'
            '<iframe src="https://x.example"></iframe><form action="/x"><input></form>'
            '<a href="https://example.org">ok</a><img src=x onerror=alert(1)>'
        )

        body = add(nora, ticket, body=html, content_type="text/html")["body"]

        for part in ("script", "onclick", "onerror", "iframe", "<form", "<input"):
            assert part not in body
        assert "<b>bold</b>" in body
        assert 'rel="' in body
        assert 'target="_blank"' in body

    def test_plain_text_is_verbatim(self, nora: Wire, ticket: Ticket) -> None:
        text = "<script>&amp;\r\n\ttabs\u2028 and 😀"

        assert add(nora, ticket, body=text)["body"] == text


class TestRead:
    def test_by_ticket_is_oldest_first_without_private_ones_for_customers(
        self, nora: Wire, kemal: User, ticket: Ticket
    ) -> None:
        public = add(nora, ticket)
        private = add(nora, ticket, internal=True)

        path = f"ticket_articles/by_ticket/{ticket.pk}"
        for_agent = told(nora.get(path), 200)
        for_customer = told(Wire(kemal).get(path), 200)

        assert [one["id"] for one in for_agent][1:] == [public["id"], private["id"]]
        assert private["id"] not in [one["id"] for one in for_customer]
        assert all(set(one) - {"origin_by"} == ARTICLE_KEYS for one in for_agent)
        said = message(Wire(kemal).get(f"ticket_articles/{private['id']}"), 403)
        assert said == "Not authorized"

    def test_full_gives_ids_and_assets(self, nora: Wire, ticket: Ticket) -> None:
        article = add(nora, ticket)

        body = told(nora.get(f"ticket_articles/by_ticket/{ticket.pk}?full=true"), 200)

        assert body["record_ids"][-1] == article["id"]
        assert set(body["assets"]) >= {"TicketArticle", "Ticket", "User"}

    def test_one(self, nora: Wire, ticket: Ticket) -> None:
        article = add(nora, ticket)

        assert told(nora.get(f"ticket_articles/{article['id']}"), 200) == article
        assert (
            told(nora.get(f"ticket_articles/{article['id']}?full=true"), 200)["id"] == article["id"]
        )
        said = message(nora.get("ticket_articles/99999"), 404)
        assert said == "Couldn't find Ticket::Article with 'id'=99999"

    def test_all_of_them_are_those_one_may_see(
        self, nora: Wire, kemal: User, ticket: Ticket
    ) -> None:
        add(nora, ticket, internal=True)
        cast.ticket(None, group_id=cast.group("Far").pk)

        assert len(told(nora.get("ticket_articles"), 200)) == 2
        assert len(told(Wire(kemal).get("ticket_articles"), 200)) == 1
        assert told(nora.get("ticket_articles?full=true"), 200)["total_count"] == 2
        ids = [one["id"] for one in told(nora.get("ticket_articles"), 200)]
        for query in ("sort_by=id&order_by=desc", "sort_by=created_at&order_by=desc"):
            turned = told(nora.get(f"ticket_articles?{query}"), 200)
            assert [one["id"] for one in turned] == ids[::-1]
        message(nora.get("ticket_articles?sort_by=body"), 422)

    def test_has_no_raw_copy(self, nora: Wire, ticket: Ticket) -> None:
        article = add(nora, ticket)

        said = message(nora.get(f"ticket_article_plain/{article['id']}"), 404)

        assert said == "This article does not have a raw copy available."


class TestUpdate:
    def test_only_privacy_and_highlights_change(
        self, nora: Wire, kemal: User, ticket: Ticket
    ) -> None:
        article = Article.objects.get(ticket=ticket)
        body = {
            "internal": True,
            "body": "forged",
            "subject": "forged",
            "ticket_id": 99,
            "preferences": {"highlight": "yellow", "other": 1},
        }

        changed = told(nora.put(f"ticket_articles/{article.pk}", body), 200)

        assert changed["internal"] is True
        assert changed["body"] == "It burns."
        assert changed["ticket_id"] == ticket.pk
        assert changed["preferences"] == {"highlight": "yellow"}
        assert changed["updated_by"] == "nora"

    def test_is_not_for_customers_and_readers(self, kemal: User, ticket: Ticket) -> None:
        article = Article.objects.get(ticket=ticket)
        reader = cast.nora({1: ["read"]})

        for user in (kemal, reader):
            refused = Wire(user).put(f"ticket_articles/{article.pk}", {"internal": True})
            assert message(refused, 403) == "Not authorized"


class TestDelete:
    def test_an_own_fresh_note(self, nora: Wire, ticket: Ticket) -> None:
        article = add(nora, ticket, type="note")

        response = nora.delete(f"ticket_articles/{article['id']}")

        assert (response.status_code, response.content) == (200, b"{}")
        assert told(nora.get(f"tickets/{ticket.pk}"), 200)["article_count"] == 1

    def test_a_private_communication(self, nora: Wire, ticket: Ticket) -> None:
        article = add(nora, ticket, type="phone", internal=True)

        assert nora.delete(f"ticket_articles/{article['id']}").status_code == 200

    def test_everything_else_is_refused(
        self, nora: Wire, kemal: User, ticket: Ticket, time_at: Any
    ) -> None:
        own_call = add(nora, ticket, type="phone")
        time_at(cast.MONDAY_9AM)
        old_note = add(nora, ticket)
        time_at(cast.MONDAY_9AM + timedelta(minutes=10))
        first = Article.objects.filter(ticket=ticket).earliest("id")
        ada = Wire(cast.ada())

        def refused(wire: Wire, id_: int) -> str:
            return message(wire.delete(f"ticket_articles/{id_}"), 403)

        assert refused(Wire(kemal), first.pk) == "Not authorized (agent permission required)!"
        assert refused(ada, old_note["id"]) == (
            "Not authorized (you can only delete your own notes)!"
        )
        assert refused(nora, own_call["id"]) == (
            "Not authorized (communication articles cannot be deleted)!"
        )
        assert refused(nora, old_note["id"]) == "Not authorized (note is too old to be deleted)!"
        assert Article.objects.filter(ticket=ticket).count() == 3


class TestUploads:
    def upload(self, wire: Wire, name: str = "a.txt", form_id: str = "77") -> Any:
        raw = (
            b'--x\r\nContent-Disposition: form-data; name="form_id"\r\n\r\n'
            + form_id.encode()
            + b'\r\n--x\r\nContent-Disposition: form-data; name="File"; filename="'
            + name.encode()
            + b'"\r\nContent-Type: text/plain\r\n\r\nhello\r\n--x--\r\n'
        )
        return wire.call(
            "POST", "attachments", raw=raw, content_type="multipart/form-data; boundary=x"
        )

    def test_are_taken_by_the_article_of_the_same_form(self, nora: Wire, ticket: Ticket) -> None:
        sent = told(self.upload(nora), 200)
        assert sent["success"] is True
        assert sent["data"]["filename"] == "a.txt"
        assert sent["data"]["size"] == "5"

        article = add(nora, ticket, form_id=77)
        again = add(nora, ticket, form_id="77")

        assert [file["filename"] for file in article["attachments"]] == ["a.txt"]
        assert again["attachments"] == []
        assert not Upload.objects.exists()

    def test_are_nobody_elses(self, nora: Wire, kemal: User, ticket: Ticket) -> None:
        sent = told(self.upload(nora), 200)

        assert add(Wire(kemal), ticket, form_id="77")["attachments"] == []
        message(Wire(kemal).delete(f"attachments/{sent['data']['id']}"), 404)
        assert told(nora.delete(f"attachments/{sent['data']['id']}"), 200) == {"success": True}
        assert add(nora, ticket, form_id="77")["attachments"] == []

    def test_stay_when_the_article_fails(self, nora: Wire, ticket: Ticket) -> None:
        told(self.upload(nora), 200)

        message(
            nora.post("ticket_articles", {"ticket_id": ticket.pk, "form_id": "77", "body": ""}),
            422,
        )

        assert len(add(nora, ticket, form_id="77")["attachments"]) == 1

    def test_need_a_file_and_a_form(self, nora: Wire) -> None:
        message(nora.post("attachments", {"form_id": 5}), 422)
        message(
            nora.call(
                "POST", "attachments", raw=b"junk", content_type="multipart/form-data; boundary="
            ),
            400,
        )


def test_an_entry_of_the_desk_is_encoded_like_any_other(nora: Wire, ticket: Ticket) -> None:
    new = NewArticle(body="done", type=ArticleType.EMAIL, sender=Sender.SYSTEM, to="a@b.example")
    update_ticket(ticket.pk, None, new, actor=SYSTEM, at=cast.MONDAY_9AM)

    last = told(nora.get(f"ticket_articles/by_ticket/{ticket.pk}"), 200)[-1]

    assert (last["sender"], last["created_by"], last["from"]) == ("System", "-", None)
