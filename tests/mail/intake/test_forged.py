"""Mail that says it is from somebody: it joins nothing silently, acts for nobody, leaks nothing."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from deskbell.kernel.actor import SYSTEM, Actor
from deskbell.mail import policy, tags
from deskbell.mail.intake import handling
from deskbell.mail.intake.authentication import authentication
from deskbell.mail.models import Fate, IncomingMail, OutgoingMail
from deskbell.mail.sending.delivery import composed_for
from deskbell.people.models import User
from deskbell.tickets.models import Article, Ticket, TicketCC
from deskbell.tickets.operations import NewArticle, merge, update_ticket
from deskbell.tickets.operations.admitting import join_article
from deskbell.tickets.vocabulary import ArticleType, Sender
from tests.api.zammad.wire import Wire
from tests.cast import acting, pure_admin
from tests.mail.intake.postman import AT, Post, entry

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock", "outbox", "store")]

EVIL = "evil@elsewhere.example"


@pytest.fixture
def post() -> Post:
    return Post()


def told(post: Post, ticket: Ticket, *, internal: bool) -> OutgoingMail:
    """What Nora, who owns the ticket, was told about an entry."""
    update_ticket(
        ticket.pk,
        None,
        NewArticle(
            body="S3cret." if internal else "Still burning.",
            type=ArticleType.NOTE,
            sender=Sender.CUSTOMER,
            internal=internal,
        ),
        actor=Actor(kind="system", user_id=1, via="trigger"),
        at=AT,
    )
    return OutgoingMail.objects.filter(
        article__ticket=ticket, address=post.nora.email, staff_only=internal
    ).latest("id")


def outside(ticket: Ticket) -> str:
    """All that the ticket ever owed to people outside, as they read it."""
    mails = OutgoingMail.objects.filter(
        article__ticket=ticket, part__in=("customer", "recipient", "cc")
    )
    return "".join(composed_for(mail).content.decode("utf-8", "replace") for mail in mails)


def test_none_joins_and_none_acts(post: Post) -> None:
    """One ticket that everybody would like to be part of; each row is one attempt."""
    ticket = post.ticket(owner_id=post.nora.pk, ccs=["copy@customer.example"])
    public, internal = told(post, ticket, internal=False), told(post, ticket, internal=True)
    admin = pure_admin()
    answer, nora, boss = post.answer_id(ticket), post.nora.email, admin.email
    own = "support@desk.example"
    update_ticket(
        ticket.pk,
        None,
        NewArticle(
            body="More.", type=ArticleType.EMAIL, sender=Sender.CUSTOMER,
            message_id="<leaked@customer.example>", quiet=True,
        ),
        actor=Actor(kind="system", user_id=post.kemal.pk, via="mail"),
        at=AT,
    )  # fmt: skip
    subject = f"Re: [Ticket#{ticket.number}] Printer"
    cases: list[dict[str, str]] = [
        {"from": EVIL, "subject": subject},
        {"from": EVIL, "subject": f"[support-{ticket.pk}]"},
        {"from": EVIL, "in_reply_to": answer},
        {"from": EVIL, "in_reply_to": "<leaked@customer.example>"},
        {"from": EVIL, "references": f"<x@y.example> {answer}"},
        {"from": EVIL, "in_reply_to": public.message_id},
        {"from": EVIL, "in_reply_to": internal.message_id},
        {"from": EVIL, "in_reply_to": answer, "auto_submitted": "auto-replied"},
        {"from": EVIL, "subject": subject, "reply_to": post.kemal.email},
        {"from": EVIL, "subject": subject, "sender": post.kemal.email},
        {"from": f'"{post.kemal.email}" <{EVIL}>', "subject": subject},
        {"from": f'"Kemal <{post.kemal.email}>" <{EVIL}>', "subject": subject},
        {"from": f"{EVIL}, {post.kemal.email}", "subject": subject},
        {"from": f"{EVIL}\r\nFrom: {post.kemal.email}", "subject": subject},
        {"from": post.kemal.email.replace("e", "\u0435"), "subject": subject},
        {"from": post.kemal.email.replace("@", "@evil."), "subject": subject},
        {"from": "", "reply_to": post.kemal.email, "subject": subject},
        {"from": own, "subject": subject},
        {"from": nora, "subject": subject},
        {"from": nora, "in_reply_to": answer},
        {"from": nora, "in_reply_to": "<leaked@customer.example>"},
        {"from": f"Agents: {nora};", "subject": subject},
        {"from": f"{nora}, {EVIL}", "subject": subject},
        {"from": boss, "subject": subject},
        {"from": boss, "in_reply_to": internal.message_id},
    ]  # fmt: skip
    before = outside(ticket)
    wrong = []
    for number, fields in enumerate(cases):
        text = f"F0rged {number}"
        row = post.bring(text, message_id=f"<f{number}@elsewhere.example>", **fields)
        ticket.refresh_from_db()
        held = Article.objects.filter(pk=row.article_id).first()
        joined = held is not None and held.ticket_id == ticket.pk and not held.internal
        acts = held is not None and held.created_by_id in (post.nora.pk, admin.pk)
        if row.fate not in (Fate.FOLLOW_UP, Fate.NEW_TICKET) or joined or acts:
            wrong.append((fields, row.fate, row.reason))
        if held is not None and held.ticket_id == ticket.pk and not held.preferences.get("held"):
            wrong.append((fields, "not marked"))
    assert wrong == []
    assert ticket.customer_id == post.kemal.pk
    assert list(TicketCC.objects.filter(ticket=ticket).values_list("email", flat=True)) == [
        "copy@customer.example"
    ]
    assert outside(ticket) == before
    assert "F0rged" not in before
    assert "S3cret" not in before


def test_what_is_held_is_told_to_staff_alone(post: Post) -> None:
    ticket = post.ticket(owner_id=post.nora.pk, ccs=["copy@customer.example"])
    row = post.bring(**{"from": EVIL}, in_reply_to=post.answer_id(ticket))
    assert entry(row).email_recipients == [post.nora.email]


def test_whom_an_agent_let_in_takes_part_from_then_on(post: Post) -> None:
    ticket = post.ticket()
    fields = {"from": "ines@c.example", "in_reply_to": post.answer_id(ticket)}
    held = post.bring(**fields)
    join_article(held.article_id or 0, actor=acting(post.nora), at=AT)
    again = post.bring("And this.", **fields, message_id="<2@c.example>")
    assert not entry(again).internal


def test_a_merged_ticket_is_no_way_in(post: Post) -> None:
    ticket, survivor = post.ticket(), post.ticket()
    merge(ticket.pk, survivor.pk, actor=acting(post.nora), at=AT)
    row = post.bring(**{"from": EVIL}, subject=f"[Ticket#{ticket.number}]")
    assert row.ticket_id == survivor.pk
    assert entry(row).internal


def test_a_member_of_the_customers_organization_takes_part(post: Post) -> None:
    from deskbell.people.models import Organization

    firm = Organization.objects.create(name="Firm", name_key="firm", shared=True)
    post.bring(**{"from": "ines@firm.example"})
    User.objects.filter(email__in=["ines@firm.example", post.kemal.email]).update(organization=firm)
    post.kemal.refresh_from_db()
    ticket = post.ticket()
    row = post.bring(
        **{"from": "ines@firm.example"}, in_reply_to=post.answer_id(ticket), message_id="<2@x.y>"
    )
    assert not entry(row).internal


class TestWhatAnAgentWasTold:
    def test_proves_nothing_where_the_server_says_forged(
        self, post: Post, configured: Callable[..., None]
    ) -> None:
        configured(trusted_mail_hosts=("mx.desk.example",))
        ticket = post.ticket(owner_id=post.nora.pk)
        mail = told(post, ticket, internal=False)
        domain = post.nora.email.rpartition("@")[2]
        row = post.bring(
            "Refund.",
            **{"from": post.nora.email},
            in_reply_to=mail.message_id,
            authentication_results=f"mx.desk.example; dmarc=fail header.from={domain}",
        )
        assert entry(row).internal
        assert entry(row).created_by_id != post.nora.pk

    def test_of_one_ticket_says_nothing_about_another(self, post: Post) -> None:
        mail = told(post, post.ticket(owner_id=post.nora.pk), internal=False)
        other = post.ticket()
        row = post.bring(
            "Refund.",
            **{"from": post.nora.email},
            in_reply_to=post.answer_id(other),
            references=mail.message_id,
        )
        assert row.ticket_id == other.pk
        assert entry(row).created_by_id != post.nora.pk

    def test_never_reaches_the_customer(self, post: Post) -> None:
        """Neither its id nor its address: whoever had them could write in the agent's name."""
        policy.save({"tagged_addresses": ["support@desk.example"]}, actor=SYSTEM, at=AT)
        ticket = post.ticket(owner_id=post.nora.pk)
        mail = told(post, ticket, internal=False)
        tag = tags.reply_address(mail, "support@desk.example")
        row = post.bring(
            f"Use sand. Ask {tag}.",
            **{"from": post.nora.email},
            to=f"{tag}, {post.kemal.email}",
            cc=tag,
            in_reply_to=mail.message_id,
            references=mail.message_id,
        )
        answer = entry(row)
        assert answer.created_by_id == post.nora.pk
        assert answer.email_recipients == [post.kemal.email]
        secret = tag.partition("@")[0].rpartition("-")[2]
        bare = mail.message_id.strip("<>")
        seen = (
            outside(ticket)
            + Wire(post.kemal)
            .get(f"/api/v1/ticket_articles/by_ticket/{ticket.pk}")
            .content.decode()
        )
        assert "Use sand" in seen
        assert secret not in seen
        assert bare not in seen
        raw = f"/api/v1/ticket_article_plain/{answer.pk}"
        assert Wire(post.kemal).get(raw).status_code == 404
        assert Wire(post.nora).get(raw).status_code == 200


class TestAnAddressOfHisOwn:
    @pytest.fixture
    def tag(self, post: Post) -> tuple[Ticket, str]:
        policy.save({"tagged_addresses": ["Support@desk.example"]}, actor=SYSTEM, at=AT)
        ticket = post.ticket(owner_id=post.nora.pk)
        mail = told(post, ticket, internal=False)
        content = composed_for(mail).content.decode()
        line = next(line for line in content.splitlines() if line.startswith("Reply-To: "))
        return ticket, line.removeprefix("Reply-To: ").strip()

    @pytest.mark.parametrize("field", ["to", "cc", "delivered_to", "x_original_to"])
    def test_proves_him_without_any_other_reference(
        self, post: Post, tag: tuple[Ticket, str], field: str
    ) -> None:
        ticket, address = tag
        fields = {"to": "support@desk.example"} | {field: address.upper()}
        row = post.bring("Use sand.", **{"from": post.nora.email}, **fields)
        assert row.ticket_id == ticket.pk
        assert (entry(row).created_by_id, entry(row).body) == (post.nora.pk, "Use sand.")

    @pytest.mark.parametrize("who", ["evil", "customer", "changed"])
    def test_proves_nobody_else(self, post: Post, tag: tuple[Ticket, str], who: str) -> None:
        ticket, address = tag
        sender = {"evil": EVIL, "customer": post.kemal.email}.get(who, post.nora.email)
        if who == "changed":
            address = address.replace("@", "0@").replace("-", "-1", 1)
        row = post.bring("Refund.", **{"from": sender}, to=address)
        assert entry(row).sender == Sender.CUSTOMER
        assert row.ticket_id != ticket.pk or entry(row).created_by_id != post.nora.pk
        if who == "evil":
            assert (row.ticket_id, entry(row).internal) == (ticket.pk, True)

    def test_stands_in_mail_to_staff_only(self, post: Post, tag: tuple[Ticket, str]) -> None:
        ticket, _address = tag
        assert "support+" not in outside(ticket).lower()

    def test_is_not_made_where_the_mailbox_takes_none(self, post: Post) -> None:
        mail = told(post, post.ticket(owner_id=post.nora.pk), internal=False)
        assert b"\r\nReply-To" not in composed_for(mail).content


class TestAnAgentWhoBegins:
    @pytest.fixture(autouse=True)
    def vouched(self, configured: Callable[..., None]) -> None:
        configured(trusted_mail_hosts=("mx.desk.example",))

    def begin(self, post: Post, result: str = "pass", **fields: str) -> IncomingMail:
        domain = post.nora.email.rpartition("@")[2]
        return post.bring(
            "I looked into it.",
            **{"from": post.nora.email}
            | {"to": "Ines Miller <ines@c.example>, support@desk.example"}
            | fields,
            authentication_results=f"mx.desk.example; dmarc={result} header.from={domain}",
        )

    def test_opens_the_ticket_of_the_customer_he_wrote_to(self, post: Post) -> None:
        row = self.begin(post)
        ticket = Ticket.objects.get(pk=row.ticket_id)
        assert ticket.customer.email == "ines@c.example"
        assert (entry(row).sender, entry(row).created_by_id) == (Sender.AGENT, post.nora.pk)
        assert not OutgoingMail.objects.filter(article=row.article_id).exists()

    @pytest.mark.parametrize(
        "fields",
        [{"result": "fail"}, {"result": "none"}, {"from": f"nora@desk.test, {EVIL}"}],
    )
    def test_but_is_an_ordinary_customer_unless_proven(
        self, post: Post, fields: dict[str, str]
    ) -> None:
        row = self.begin(post, **fields)
        ticket = Ticket.objects.get(pk=row.ticket_id)
        assert ticket.customer.email != "ines@c.example"
        assert entry(row).sender == Sender.CUSTOMER

    def test_or_where_the_desk_says_otherwise(self, post: Post) -> None:
        policy.save({"customer_of_agent": False}, actor=SYSTEM, at=AT)
        row = self.begin(post)
        assert Ticket.objects.get(pk=row.ticket_id).customer_id == post.nora.pk


@pytest.mark.parametrize(
    ("fields", "dmarc", "domain"),
    [
        (["mx; dmarc=pass header.from=a.example"], "pass", "a.example"),
        (["MX 1; spf=fail; dmarc=pass (p=none; dis=none) header.from=a.example"], "pass",
         "a.example"),
        (["mx; spf=pass smtp.mailfrom=\"x; dmarc=pass header.from=a.example\"@evil.example"], "",
         ""),
        (["mx; spf=pass (helo (a; dmarc=pass header.from=a.example) b)"], "", ""),
        (["mx; spf=pass (\\); dmarc=pass header.from=a.example)"], "", ""),
        (["mx; dmarc=fail header.from=a.example; dmarc=pass header.from=a.example"], "fail",
         "a.example"),
        (["other; spf=pass", "mx; dmarc=pass header.from=a.example"], "", ""),
        (["mx; spf=pass", "mx; dmarc=pass header.from=a.example"], "", ""),
        (["evil mx; dmarc=pass header.from=a.example"], "", ""),
        (["(mx) evil; dmarc=pass header.from=a.example"], "", ""),
    ],
)  # fmt: skip
def test_only_the_topmost_verdict_of_a_trusted_server_counts(
    fields: list[str], dmarc: str, domain: str
) -> None:
    found = authentication(fields, trusted=["mx"])
    assert (found.dmarc, found.domain) == (dmarc, domain)


def test_replaying_a_held_message_does_not_let_it_in(post: Post) -> None:
    ticket = post.ticket()
    row = post.bring(**{"from": EVIL}, in_reply_to=post.answer_id(ticket))
    assert handling.replay([row.pk], at=AT) == 0
