"""A desk with a group that mail comes in for, and a postman."""

from __future__ import annotations

from typing import Any

from deskbell.mail.intake import handling, taking
from deskbell.mail.models import ChannelKind, IncomingMail, MailChannel, OutgoingMail
from deskbell.tickets.models import Article, Ticket
from deskbell.tickets.operations import (
    NewArticle,
    NewTicket,
    TicketChange,
    open_ticket,
    update_ticket,
)
from deskbell.tickets.vocabulary import ArticleType, Sender, StateId
from tests.cast import MONDAY_10AM, acting, group, kemal, nora

AT = MONDAY_10AM


class Post:
    """A desk with a group that mail comes in for, and a postman."""

    def __init__(self) -> None:
        self.group = group("Support", email="support@desk.example")
        self.channel = MailChannel.objects.create(
            name="Support", name_key="support", kind=ChannelKind.PIPE, group=self.group
        )
        self.nora = nora(groups={self.group.pk: ["full"]})
        self.kemal = kemal()

    def mail(self, text: str = "Hello there.", *, key: str | None = None, **fields: str) -> bytes:
        """The bytes of a message; ``in_reply_to`` becomes ``In-Reply-To``."""
        given = {
            "From": self.kemal.email,
            "To": "support@desk.example",
            "Subject": "Printer on fire",
            "Message-ID": "<one@customer.example>",
            "Date": "Mon, 02 Nov 2026 10:00:00 +0000",
            "Content-Type": "text/plain; charset=utf-8",
        }
        given |= {name.replace("_", "-").title(): value for name, value in fields.items()}
        given = {name.replace("Id", "ID"): value for name, value in given.items()}
        head = "".join(f"{name}: {value}\r\n" for name, value in given.items() if value)
        return f"{head}\r\n{text}\r\n".encode()

    def take(self, content: bytes, *, key: str | None = None) -> IncomingMail:
        return taking.take(content, channel=self.channel, key=key, at=AT)

    def bring(self, text: str = "Hello there.", **fields: str) -> IncomingMail:
        """Take a message in, handle it, and say what became of it."""
        row = self.take(self.mail(text, **fields))
        handling.handle_waiting(self.channel.pk)
        row.refresh_from_db()
        return row

    def ticket(self, **columns: Any) -> Ticket:
        """A ticket of Kemal's that Nora answered by mail."""
        ticket = open_ticket(
            NewTicket(
                title="Printer on fire",
                group_id=self.group.pk,
                customer_id=self.kemal.pk,
                article=NewArticle(body="It burns.", type=ArticleType.WEB, sender=Sender.CUSTOMER),
                **columns,
            ),
            actor=acting(self.nora),
            at=AT,
        )
        update_ticket(
            ticket.pk,
            None,
            NewArticle(body="Take the extinguisher.", type=ArticleType.EMAIL, to=self.kemal.email),
            actor=acting(self.nora),
            at=AT,
        )
        return Ticket.objects.get(pk=ticket.pk)

    def answer_id(self, ticket: Ticket) -> str:
        """The Message-ID of what Nora sent to Kemal."""
        mail = OutgoingMail.objects.filter(article__ticket=ticket, address=self.kemal.email).latest(
            "id"
        )
        return mail.message_id

    def close(self, ticket: Ticket) -> None:
        update_ticket(
            ticket.pk, TicketChange(state_id=StateId.CLOSED), actor=acting(self.nora), at=AT
        )


def entry(row: IncomingMail) -> Article:
    """The entry that a message became."""
    return Article.objects.get(pk=row.article_id)
