"""kill -9 at every named step of intake and of sending: one fate, one entry, one hand-over each."""

from __future__ import annotations

import asyncio
import os
import random
import re
import smtplib
from collections import Counter
from email import message_from_bytes
from pathlib import Path
from typing import Any

import pytest
from django.db import connections
from django.db.models import Sum

from deskbell.kernel import clock
from deskbell.kernel.actor import SYSTEM
from deskbell.kernel.jobs import execution, queue, run_due
from deskbell.kernel.models import Event, Job, JobState
from deskbell.mail import jobs
from deskbell.mail.intake import (
    fetching,
    handling,
    imap,
    judging,
    listener,
    maildir,
    piping,
    taking,
    visit,
)
from deskbell.mail.intake import store as raw
from deskbell.mail.models import IncomingMail, MailState, OutgoingMail
from deskbell.mail.sending import delivery, transport
from deskbell.people.models import Group
from deskbell.tickets import attachments
from deskbell.tickets.models import Article, Attachment, Ticket, TicketCount
from deskbell.tickets.operations import NewArticle, update_ticket
from deskbell.tickets.vocabulary import ArticleType, Sender
from tests.cast import acting, nora
from tests.mail.proof.lives import Step, begin, end, live, work
from tests.mail.sink import smtp_sink

pytestmark = pytest.mark.usefixtures("committed")

#: A thousand where everything is asked for; fewer say the same in a tenth of the time.
MAILS = 1000 if os.environ.get("DESKBELL_TEST_ALL") else 112
LISTED = "lists@desk.example"

TAKING = {
    "before the bytes": Step(raw, "keep", after=False),
    "the bytes have no name yet": Step(attachments.os, "replace", after=False),
    "the bytes are kept": Step(raw, "keep"),
    "the row is not committed": Step(queue, "put"),
    "the row is committed": Step(taking, "_entered"),
}
FETCHING = {
    "before the mailbox is told": Step(maildir, "_put_away", after=False),
    "the mailbox was told": Step(maildir, "_put_away"),
    "before the flags": Step(imap.IMAPClient, "add_flags", after=False),
    "the flags are set": Step(imap.IMAPClient, "add_flags"),
    "it was noted that the mailbox was told": Step(visit.Visit, "told"),
    "the cursor is saved": Step(visit.Visit, "save_cursor"),
}
HANDLING = {
    "the job is claimed": Step(execution, "_call", after=False),
    "the attempt is counted": Step(handling, "_begin"),
    "before it is read": Step(handling.message, "read", after=False),
    "it was read": Step(handling.message, "read"),
    "the customer is made": Step(judging, "find_or_create_customer"),
    "the ticket is opened": Step(judging, "open_ticket"),
    "the entry is made": Step(judging, "update_ticket"),
    "the fate is written": Step(handling, "_settled"),
    "before the commit": Step(handling, "_judged"),
    "after the commit": Step(handling, "_settle_some"),
    "before the job is finished": Step(queue, "finish", after=False),
    "the job is finished": Step(queue, "finish"),
}
SENDING = {
    "the message is made": Step(delivery, "composed_for"),
    "sending is committed": Step(transport, "hand_over", after=False),
    "before the data": Step(transport, "_dotted", after=False),
    "sent is committed": Step(delivery, "_settle"),
}
#: From here to the commit nobody can know whether the other side has the message.
UNKNOWABLE = {
    "the data are accepted": Step(transport, "_submit"),
    "it is handed over": Step(transport, "hand_over"),
    "before sent is committed": Step(delivery, "_settle", after=False),
}


def length(conversation: int) -> int:
    """Mails of a conversation: the question, and up to three more."""
    return 1 + conversation // 4 % 4


class Post:
    """Everybody who brings mail. Each conversation comes by one way, in its order."""

    def __init__(self, folder: Path, mailbox: Any, new_channel: Any) -> None:
        self.chance = random.Random(8)
        self.folder = folder / "box"
        for name in ("new", "cur"):
            (self.folder / name).mkdir(parents=True)
        self.mailbox = mailbox
        kept = {"after": "delete"}
        self.asked = [
            new_channel("maildir", {"path": str(self.folder)} | kept),
            new_channel("imap", mailbox.settings(**kept)),
        ]
        self.group = Group.objects.get(pk=1)
        new_channel("listener", {"addresses": [LISTED]})
        self.mails: list[list[bytes]] = [[], [], [], []]
        self.conversations = 0
        while sum(map(len, self.mails)) < MAILS:
            way = self.mails[self.conversations % 4]
            way += self.conversation(self.conversations)
            self.conversations += 1
        self.everything = [mail for way in self.mails for mail in way]
        self.put = 0

    def conversation(self, number: int) -> list[bytes]:
        """A question of somebody new, and what he writes afterwards."""
        ids: list[str] = []
        found = []
        for turn in range(length(number)):
            head = {
                "From": f"Person {number} <person{number}@customers.example>",
                "To": "help@example.test" if number % 4 < 3 else LISTED,
                "Subject": f"{'Re: ' if ids else ''}Printer {number}",
                "Message-ID": f"<{number}.{turn}@customers.example>",
            }
            if ids:
                head["References"] = " ".join(ids)
            ids.append(head["Message-ID"])
            lines = "".join(f"{name}: {value}\r\n" for name, value in head.items())
            text = f"Words {number}.{turn}."
            if (number + turn) % 5 == 0:
                lines += 'MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary="b"\r\n'
                text = (
                    f"--b\r\n\r\n{text}\r\n--b\r\nContent-Type: application/pdf; name=a.pdf\r\n"
                    f"Content-Disposition: attachment\r\n\r\nfile {number}.{turn}\r\n--b--"
                )
            found.append(f"{lines}\r\n{text}\r\n".encode())
        return found

    def deliver(self, count: int) -> None:
        """Some more mail reaches the mailboxes."""
        for _ in range(count):
            if self.mails[0]:
                self.put += 1
                draft = self.folder / "cur" / f".{self.put}"
                draft.write_bytes(self.mails[0].pop(0))
                draft.rename(self.folder / "new" / f"{self.put:06}.x")
        some, self.mails[1] = self.mails[1][:count], self.mails[1][count:]
        self.mailbox.put(*some)

    def pipe(self, count: int, step: Step | None, number: int) -> bool:
        """A program hands messages over and repeats what was not taken; whether it was killed."""
        some = self.mails[2][:count]
        reading, writing = os.pipe()

        def act() -> None:
            for mail in some:
                piping.receive(mail, group=self.group, actor=SYSTEM, at=clock.now())
                os.write(writing, b".")

        killed = live(act, step=step, count=number)
        os.close(writing)
        with os.fdopen(reading, "rb") as told:
            del self.mails[2][: len(told.read())]
        return killed

    def listen(self, count: int, step: Step | None, number: int) -> bool:
        """The house's mail server hands messages over by LMTP, and repeats those without a 250."""
        reading, writing = os.pipe()

        def act() -> None:
            async def serve() -> None:
                server = listener.Listener(host="127.0.0.1", port=0, lmtp=True)
                os.write(writing, f"{await server.start()}\n".encode())
                await asyncio.sleep(60)

            asyncio.run(serve())

        child = begin(act, step=step, count=number)
        os.close(writing)
        with os.fdopen(reading, "rb") as told:
            port = int(told.readline())
        broke = False
        try:
            with smtplib.LMTP("127.0.0.1", port, timeout=20) as server:
                for mail in self.mails[3][:count]:
                    server.sendmail("x@customers.example", [LISTED], mail)
                    del self.mails[3][0]
        except (smtplib.SMTPException, OSError):
            broke = True
        if not broke:
            os.kill(child, 9)
        return end(child) and broke

    def look(self) -> None:
        """The time of both mailboxes has come."""
        for channel in self.asked:
            key = fetching.fetch_key(channel.pk)
            jobs.fetch.using(unique_key=key).enqueue(channel.pk)


def _worker() -> None:
    taking.rescan(at=clock.now())
    work()


@pytest.mark.timeout(3000)
def test_each_mail_has_one_fate_and_each_reply_one_hand_over(
    tmp_path: Path, mailbox: Any, new_channel: Any, configured: Any, monkeypatch: Any
) -> None:
    monkeypatch.setattr(imap, "BATCH", 3)
    post = Post(tmp_path, mailbox, new_channel)
    agent = acting(nora(), via="zammad")
    killed: Counter[str] = Counter()
    with smtp_sink() as sink:
        configured(
            data=tmp_path,
            url="https://desk.example",
            mail_from="Help <help@desk.example>",
            smtp_url=f"smtp://127.0.0.1:{sink.port}",
        )
        # What this process has learned need not be learned by each of the others.
        mail = post.mails[2].pop(0)
        piping.receive(mail, group=post.group, actor=SYSTEM, at=clock.now())
        run_due()
        _bring_all(post, killed)
        live(_worker)
        _assert_each_has_one_fate(post)
        _assert_sent(sink, doubled=sum(killed[name] for name in UNKNOWABLE))

        _answer_all(agent, post, killed)
        live(_worker)
        _assert_sent(sink, doubled=sum(killed[name] for name in UNKNOWABLE))
    steps = {**TAKING, **FETCHING, **HANDLING, **SENDING, **UNKNOWABLE}
    assert {name for name in steps if not killed[name]} == set()
    # What comes by the clock may be due again at any moment.
    of_mails = ("deskbell.mail.jobs.deliver", "deskbell.mail.jobs.handle")
    left = Job.objects.filter(task__in=of_mails).exclude(state=JobState.DONE)
    assert not left.filter(run_at__lte=clock.now())


def _bring_all(post: Post, killed: Counter[str]) -> None:
    """Every way in, and the worker, die at one step after the other, while mail comes."""
    worker_steps = [*(TAKING | FETCHING | HANDLING | SENDING | UNKNOWABLE).items()]
    taking_steps = [*TAKING.items()]
    rounds = len(worker_steps)
    each = MAILS // 4 // rounds + 1
    turn = 0
    while any(post.mails) or turn < rounds:
        name, step = worker_steps[turn % rounds]
        post.deliver(each + turn % 2)
        post.look()
        count = 1 + post.chance.randrange(each)
        # Few steps are reached several times in one life.
        often = name in TAKING or step.owner is handling.message
        killed[name] += live(_worker, step=step, count=count if often else 1)
        if turn % 2:
            name, step = taking_steps[turn // 2 % len(taking_steps)]
            killed[name] += post.pipe(4 * each, step, 1 + post.chance.randrange(4 * each))
            killed[name] += post.listen(4 * each, step, 1 + post.chance.randrange(4 * each))
        turn += 1
        assert turn < 5 * rounds


#: What the listener puts above a message.
_ENVELOPE = re.compile(rb"\AReturn-Path: <[^>\r\n]*>\r\nDelivered-To: [^\r\n]*\r\n")


def _assert_each_has_one_fate(post: Post) -> None:
    assert not list((post.folder / "new").iterdir())
    assert not post.mailbox.flags()
    found = list(IncomingMail.objects.order_by("id"))
    first = [row for row in found if row.copy_of_id is None]
    kept = (_ENVELOPE.sub(b"", raw.read(row.place)) for row in first)
    assert Counter(kept) == Counter(post.everything)
    assert {row.fate for row in found if row.copy_of_id} <= {"ignored"}
    assert Counter(row.fate for row in first) == {
        "new_ticket": post.conversations,
        "follow_up": len(post.everything) - post.conversations,
    }
    assert not IncomingMail.objects.filter(channel__in=post.asked, key__isnull=False, told_at=None)

    entries = Article.objects.filter(sender=Sender.CUSTOMER)
    words = Counter(body.strip() for body in entries.values_list("body", flat=True))
    assert words == Counter(
        f"Words {number}.{turn}."
        for number in range(post.conversations)
        for turn in range(length(number))
    )
    assert {row.article_id for row in first} == set(entries.values_list("id", flat=True))
    files = [(n + t) % 5 == 0 for n in range(post.conversations) for t in range(length(n))]
    assert Attachment.objects.count() == sum(files)
    tickets = Ticket.objects.filter(title__startswith="Printer ")
    assert tickets.count() == post.conversations
    for ticket in tickets:
        number = int(ticket.title.split()[1])
        assert ticket.article_count == length(number)
        assert ticket.customer.email == f"person{number}@customers.example"
    opened = Event.objects.filter(kind="TicketOpened", object_id__in=tickets.values("pk"))
    assert opened.count() == post.conversations
    assert TicketCount.objects.aggregate(n=Sum("delta"))["n"] == Ticket.objects.count()


def _answer_all(agent: Any, post: Post, killed: Counter[str]) -> None:
    """Nora answers everybody, and the worker dies at every step of sending."""
    steps = [*(SENDING | UNKNOWABLE).items()]
    tickets = list(Ticket.objects.filter(title__startswith="Printer ").order_by("id"))
    each = len(tickets) // len(steps) // 2 + 1
    turn = 0
    while tickets or turn < len(steps):
        some, tickets = tickets[:each], tickets[each:]
        for ticket in some:
            answer = NewArticle(
                body="Turn it off.", type=ArticleType.EMAIL, to=ticket.customer.email
            )
            update_ticket(ticket.pk, None, answer, actor=agent, at=clock.now())
        connections.close_all()
        name, step = steps[turn % len(steps)]
        killed[name] += live(_worker, step=step, count=1 + post.chance.randrange(each))
        turn += 1


def _assert_sent(sink: Any, *, doubled: int) -> None:
    """Every message under its row's id; more than once only where nobody could know."""
    rows = OutgoingMail.objects.order_by("id")
    assert set(rows.values_list("state", flat=True)) == {MailState.SENT}
    seen = Counter(
        (message_from_bytes(each.content)["Message-ID"], *each.rcpt_tos) for each in sink.taken
    )
    assert set(seen) == set(rows.values_list("message_id", "address"))
    assert sum(seen.values()) - len(seen) == doubled
