"""The example that ``deskbell serve --demo`` fills a desk with: sixty days of a bicycle maker.

Everything goes through the operations, in the order in which it would have happened, so whatever
can be seen could have been done by hand. The actors come ``via = "system"``: what they would have
mailed is recorded as sent, and nothing leaves the desk.
"""

from __future__ import annotations

import heapq
import struct
import zlib
from collections.abc import Generator, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from html import escape
from itertools import zip_longest
from random import Random
from typing import Any

import msgspec
from django.db import transaction

from deskbell.kernel.actor import SYSTEM, Actor
from deskbell.kernel.clock import now
from deskbell.kernel.text import fold
from deskbell.ops.cli import CommandError
from deskbell.ops.demo_texts import Topic, texts
from deskbell.people.access import actor_for
from deskbell.people.credentials import user_named
from deskbell.people.models import Group, Organization, Role, User
from deskbell.people.operations import (
    ADMIN_ROLE,
    AGENT_ROLE,
    CUSTOMER_ROLE,
    NewUser,
    create_user,
    save_group,
    save_organization,
    save_role,
)
from deskbell.tickets import fields, operations
from deskbell.tickets.attachments import NewFile
from deskbell.tickets.models import CustomField, State, Ticket, TicketTag
from deskbell.tickets.operations import NewArticle, NewTicket, TicketChange
from deskbell.tickets.operations.defining import save_custom_field
from deskbell.tickets.operations.naming import save_state
from deskbell.tickets.vocabulary import (
    PRIORITY_ID_FOR_NUMBER,
    ArticleType,
    Sender,
    StateId,
    StateType,
)

DAYS = 60
TICKETS = 220
SEED = 20081
#: A desk with more tickets than this is somebody's, and an example would only be in the way.
FOREIGN_TICKETS_AT_MOST = 100
OFFICE_OPENS, OFFICE_CLOSES = 7, 17
WAITING = "waiting for parts"


def fill(at: datetime | None = None) -> int:
    """Fill the desk with the example, unless it is there; how many tickets were made.

    All of it or nothing. Raises CommandError on a desk with many tickets of its own.
    """
    at = at or now()
    first_agent = f"{texts().agent[0].login}@{texts().domain}"
    with transaction.atomic():
        # Two nodes may start at once; the second waits here and then finds the example.
        Role.objects.select_for_update().get(pk=ADMIN_ROLE)
        if user_named(first_agent) is not None:
            return 0
        if Ticket.objects.count() > FOREIGN_TICKETS_AT_MOST:
            raise CommandError(
                "This desk is in use: --demo fills only one with fewer than"
                f" {FOREIGN_TICKETS_AT_MOST} tickets."
            )
        before = Ticket.objects.count()
        _Example(at).play()
        return Ticket.objects.count() - before


#: A story sleeps until the moment it yields. A part of one returns when it was over.
Story = Generator[datetime, None, None]
Part = Generator[datetime, None, datetime]


@dataclass
class _Cast:
    """Who and what the stories are about."""

    groups: dict[str, Group] = field(default_factory=dict)
    agents: dict[str, list[User]] = field(default_factory=dict)
    customers: dict[str, list[User]] = field(default_factory=dict)
    colleagues: list[User] = field(default_factory=list)
    fields: dict[str, CustomField] = field(default_factory=dict)
    waiting: State | None = None


class _Example:
    """The whole example, played from sixty days ago until ``end``."""

    def __init__(self, end: datetime) -> None:
        self.end = end
        self.start = (end - timedelta(days=DAYS)).replace(hour=6, minute=0, second=0, microsecond=0)
        self.random = Random(SEED)  # noqa: S311 - the same example every time
        self.cast = _Cast()
        self._actors: dict[int, Actor] = {}
        self._orders = 4100

    def play(self) -> None:
        """Make everybody and everything, then let all stories happen side by side, in order."""
        self._furnish()
        stories: list[tuple[datetime, int, Story]] = []
        plots: list[Story] = [self._recall()]
        # What is critical is rare.
        weights = [0.3 if topic.priority == 1 else 1.0 for topic in texts().topic]
        topics = self.random.choices(texts().topic, weights=weights, k=TICKETS)
        plots += [self._concern(topic) for topic in topics]
        for number, plot in enumerate(plots):
            stories.append((next(plot), number, plot))
        heapq.heapify(stories)
        while stories:
            moment, number, plot = heapq.heappop(stories)
            if moment >= self.end:
                continue  # this is still to come
            following = next(plot, None)
            if following is not None:
                heapq.heappush(stories, (following, number, plot))
        self._evening()

    # --- people and configuration ----------------------------------------------------------------

    def _furnish(self) -> None:
        at, cast = self.start, self.cast
        cast.groups["users"] = Group.objects.order_by("id")[0]
        for columns in texts().group:
            key = fold(columns["name"])
            found = Group.objects.filter(name_key=key).first()
            cast.groups[key] = found or save_group(None, columns, actor=SYSTEM, at=at)
        for company in texts().organization:
            if not Organization.objects.filter(name_key=fold(company.name)).exists():
                columns = {**msgspec.structs.asdict(company), "domain_assignment": True}
                save_organization(None, columns, actor=SYSTEM, at=at)
        if not Role.objects.filter(name_key="workshop visitor").exists():
            save_role(
                None,
                {"name": "Workshop visitor", "note": "Looks on, changes nothing."},
                permissions=["ticket.agent"],
                groups={cast.groups["workshop"].pk: ["read", "overview"]},
                actor=SYSTEM,
                at=at,
            )
        self._hire()
        for person in texts().customer:
            user = user_named(person.email) or create_user(
                NewUser(
                    email=person.email,
                    firstname=person.firstname,
                    lastname=person.lastname,
                    login_chosen=False,
                ),
                actor=SYSTEM,
                at=at,
            )
            cast.customers.setdefault(person.language, []).append(user)
        self._define()

    def _hire(self) -> None:
        """The agents. They have no passwords: nobody signs in to an example by guessing."""
        cast = self.cast
        for agent in texts().agent:
            user = create_user(
                NewUser(
                    email=f"{agent.login}@{texts().domain}",
                    firstname=agent.firstname,
                    lastname=agent.lastname,
                    roles=[AGENT_ROLE, CUSTOMER_ROLE],
                    groups={cast.groups[slug].pk: ["full"] for slug in agent.groups},
                    columns={"department": agent.groups[-1].capitalize()},
                ),
                actor=SYSTEM,
                at=self.start,
            )
            cast.colleagues.append(user)
            for slug in agent.groups:
                cast.agents.setdefault(slug, []).append(user)
        chief = User.objects.filter(roles=ADMIN_ROLE, active=True).order_by("id").first()
        if chief is not None and self._acting(chief).groups_with("full") is None:
            for agents in cast.agents.values():
                agents.append(chief)

    def _define(self) -> None:
        at, cast = self.start, self.cast
        for order, said in enumerate(texts().field, start=1):
            columns = dict(said)
            name, type_ = columns.pop("name"), columns.pop("type")
            found = CustomField.objects.filter(name=name).first()
            if found is None:
                # Required in the workshop only, so that a script can still open tickets elsewhere.
                groups = [cast.groups["workshop"].pk] if columns.get("required") else []
                found = save_custom_field(
                    None,
                    {**columns, "order": order},
                    name=name,
                    type_=type_,
                    groups=groups,
                    actor=SYSTEM,
                    at=at,
                )
            if found.type == type_:
                cast.fields[name] = found
        cast.waiting = State.objects.filter(name_key=WAITING).first() or save_state(
            None, {"name": WAITING, "type": StateType.PENDING_REMINDER}, actor=SYSTEM, at=at
        )

    def _acting(self, user: User) -> Actor:
        actor = self._actors.get(user.pk) or actor_for(user.pk, "system")
        if actor is None:
            raise CommandError(f"{user.login} takes part in the example, but is not active.")
        self._actors[user.pk] = actor
        return actor

    # --- time ------------------------------------------------------------------------------------

    def _sometime(self) -> datetime:
        """A moment at which somebody writes: more by day, fewer at weekends."""
        while True:
            moment = self.start + timedelta(
                seconds=self.random.randrange(int((self.end - self.start).total_seconds()))
            )
            by_night = not 5 <= moment.hour <= 20
            quiet = by_night or moment.weekday() >= 5
            if not quiet or self.random.random() < 0.15:
                return moment

    def _later(self, moment: datetime, low: float, high: float, *, office: bool) -> datetime:
        """Some hours on; for the office at a time when somebody is there."""
        moment += timedelta(hours=self.random.uniform(low, high))
        if not office:
            return moment
        if moment.hour >= OFFICE_CLOSES:
            moment = self._opening_of(moment + timedelta(days=1))
        elif moment.hour < OFFICE_OPENS:
            moment = self._opening_of(moment)
        while moment.weekday() >= 5:
            moment = self._opening_of(moment + timedelta(days=1))
        return moment

    def _opening_of(self, day: datetime) -> datetime:
        minutes = self.random.randrange(90)
        return day.replace(hour=OFFICE_OPENS, minute=0) + timedelta(minutes=minutes)

    # --- stories ---------------------------------------------------------------------------------

    def _concern(self, topic: Topic) -> Story:
        """One ticket, from the first word until it is closed, or until today."""
        roll = self.random
        at = self._sometime()
        yield at
        if topic.group == "computers":
            customer = roll.choice(self.cast.colleagues)
        else:
            customer = roll.choice(self.cast.customers[topic.language])
        agent = roll.choice([a for a in self.cast.agents[topic.group] if a.pk != customer.pk])
        words = self._words(customer, agent)
        ticket_id = self._open(topic, customer, agent, words, at)
        if roll.random() < 0.05:
            at = self._later(at, 0.1, 0.8, office=False)
            yield at
            at = yield from self._write_again(ticket_id, topic, customer, agent, words, at)
        if self.end - at < timedelta(days=4) and roll.random() < 0.4:
            return  # nobody has come to it yet
        at = self._later(at, 0.3, 9, office=True)
        yield at
        self._take(ticket_id, topic, agent, at)
        for answer, reply in _pairs(topic.answers, topic.replies):
            if topic.notes and roll.random() < 0.45:
                at = self._later(at, 0.1, 2, office=True)
                yield at
                self._note(ticket_id, roll.choice(topic.notes).format(**words), agent, at)
            at = self._later(at, 0.2, 5, office=True)
            yield at
            self._answer(ticket_id, answer.format(**words), agent, at)
            if roll.random() < 0.22:
                at = self._later(at, 0.1, 1, office=True)
                yield at
                at = yield from self._pause(ticket_id, agent, at)
            recent = self.end - at < timedelta(days=14)
            if reply is None or (recent and roll.random() < 0.25):
                break
            at = self._later(at, 1, 40, office=False)
            yield at
            self._reply(ticket_id, reply.format(**words), customer, at)
        if self.end - at < timedelta(days=12) and roll.random() < 0.45:
            return  # still being worked on
        at = self._later(at, 0.5, 30, office=True)
        yield at
        self._finish(ticket_id, topic, agent, words, at)
        if roll.random() < 0.07:
            at = self._later(at, 10, 70, office=False)
            yield at
            yield from self._reopen(ticket_id, customer, agent, at)

    def _recall(self) -> Story:
        """A ticket that holds others together: all that are about chargers become its children."""
        at = self._later(self.end, -24 * 9, -24 * 9, office=True)
        yield at
        agent = self.cast.agents["service"][0]
        actor = self._acting(agent)
        parent = operations.open_ticket(
            NewTicket(
                title=texts().recall.title,
                group_id=self.cast.groups["service"].pk,
                owner_id=agent.pk,
                state_id=StateId.OPEN,
                priority_id=PRIORITY_ID_FOR_NUMBER[1],
                due_date=at + timedelta(days=21),
                tags=["recall", "charger", "safety"],
                article=NewArticle(
                    body=texts().recall.text,
                    subject=texts().recall.title,
                    internal=True,
                    seconds=5400,
                ),
            ),
            actor=actor,
            at=at,
        )
        at = self._later(at, 1, 3, office=True)
        yield at
        children = TicketTag.objects.filter(tag__name_key="charger").exclude(ticket=parent)
        for child_id in children.order_by("ticket_id").values_list("ticket_id", flat=True):
            operations.link("parent", parent.pk, child_id, actor=actor, at=at)

    # --- what happens in them --------------------------------------------------------------------

    def _open(
        self, topic: Topic, customer: User, agent: User, words: dict[str, str], at: datetime
    ) -> int:
        """The ticket comes in: by mail mostly, by phone or through the portal now and then."""
        roll = self.random
        title = roll.choice(topic.titles).format(**words)
        text = roll.choice(topic.opening).format(**words)
        group = self.cast.groups[topic.group]
        way = roll.choices(
            [ArticleType.EMAIL, ArticleType.WEB, ArticleType.PHONE], weights=[6, 3, 1]
        )[0]
        new = NewTicket(title=title, group_id=group.pk, customer_id=customer.pk)
        if way is ArticleType.PHONE:
            new.owner_id = agent.pk
            new.article = NewArticle(body=text, subject=title, type=way, sender=Sender.CUSTOMER)
            return self._opened_by(self._acting(agent), new, at)
        new.article = NewArticle(body=text, subject=title, type=way, sender=Sender.CUSTOMER)
        if way is ArticleType.EMAIL:
            new.article.from_address = f"{customer.display_name} <{customer.email}>"
            new.article.to = group.email or f"hello@{texts().domain}"
            if roll.random() < 0.3:
                new.article.body = _html(text, signature=words["city"])
                new.article.content_type = "text/html"
        return self._opened_by(self._acting(customer), new, at)

    def _opened_by(self, actor: Actor, new: NewTicket, at: datetime) -> int:
        return operations.open_ticket(new, actor=actor, at=at).pk

    def _write_again(
        self,
        ticket_id: int,
        topic: Topic,
        customer: User,
        agent: User,
        words: dict[str, str],
        at: datetime,
    ) -> Part:
        """The customer writes a second time: merged into the first, or marked as its double."""
        second = self._open(topic, customer, agent, words, at)
        at = self._later(at, 0.1, 1, office=True)
        yield at
        actor = self._acting(agent)
        if self.random.random() < 0.6:
            operations.merge(second, ticket_id, actor=actor, at=at)
            return at
        operations.update_ticket(
            second,
            TicketChange(state_id=StateId.DUPLICATE, merged_to_id=ticket_id),
            NewArticle(body="Same as before, see there.", internal=True),
            actor=actor,
            at=at,
        )
        operations.link("normal", ticket_id, second, actor=actor, at=at)
        return at

    def _take(self, ticket_id: int, topic: Topic, agent: User, at: datetime) -> None:
        """Somebody takes charge: owner, priority, tags, fields, sometimes a due date or copies."""
        roll, actor = self.random, self._acting(agent)
        change = TicketChange(owner_id=agent.pk, custom=self._values(topic, at))
        if roll.random() < 0.35:
            number = min(5, max(1, topic.priority + roll.choice((-1, 0, 1))))
            change.priority_id = PRIORITY_ID_FOR_NUMBER[number]
        elif topic.priority != 3:
            change.priority_id = PRIORITY_ID_FOR_NUMBER[topic.priority]
        if roll.random() < 0.2:
            change.due_date = at + timedelta(days=roll.randrange(3, 25))
        operations.update_ticket(ticket_id, change, actor=actor, at=at)
        if topic.tags:
            operations.tag(ticket_id, topic.tags, actor=actor, at=at)
        if roll.random() < 0.1:
            copy = f"{roll.choice(('team', 'office', 'partner'))}@copies.example"
            operations.add_copies(ticket_id, [copy], actor=actor, at=at)
        if roll.random() < 0.12:
            colleague = roll.choice(self.cast.agents[topic.group])
            operations.follow(ticket_id, actor=self._acting(colleague), at=at)

    def _values(self, topic: Topic, at: datetime) -> dict[str, Any]:
        """Stored values of the topic's custom fields."""
        roll = self.random
        raw: dict[str, Any] = {
            "bike_model": roll.choice(texts().models),
            "serial_number": f"FB{roll.randrange(10**7, 10**8)}",
            "frame_size_cm": roll.choice((42, 46, 50, 54, 58)),
            "purchase_price": f"{roll.randrange(1899, 5899)}.{roll.choice(('00', '50', '90'))}",
            "purchased_on": (at - timedelta(days=roll.randrange(20, 900))).date(),
            "under_warranty": roll.random() < 0.7,
            "workshop_slot": self._later(at, 24, 200, office=True).replace(minute=30, second=0),
            "pickup_time": f"{roll.randrange(14, 18)}:30",
            "dealer_email": "dealer@velonord.example",
            "tracking_url": f"https://tracking.example/parcels/{roll.randrange(10**9, 10**10)}",
            "controller_ip": f"192.0.2.{roll.randrange(2, 250)}",
            "firmware": f"v4-{roll.randrange(0, 9)}",
            "diagnosis": "Brake pads worn, chain at half of its life, the rest like new.",
        }
        known = self.cast.fields
        return {
            name: fields.clean(known[name], raw[name].replace(microsecond=0))
            if name == "workshop_slot"
            else fields.clean(known[name], raw[name])
            for name in topic.fields
            if name in known and (name != "bike_model" or known[name].choices)
        }

    def _note(self, ticket_id: int, text: str, agent: User, at: datetime) -> None:
        files = []
        if "Log attached" in text:
            files.append(NewFile("access-point.log", _log(at), "text/plain"))
        note = NewArticle(
            body=text,
            internal=True,
            seconds=self.random.choice((300, 600, 900, 1800)),
            files=files,
        )
        operations.update_ticket(ticket_id, None, note, actor=self._acting(agent), at=at)

    def _answer(self, ticket_id: int, text: str, agent: User, at: datetime) -> None:
        """An agent's reply by mail, with a picture or a paper now and then."""
        actor = self._acting(agent)
        with transaction.atomic():
            ticket = Ticket.objects.select_related("customer").get(pk=ticket_id)
            article = NewArticle(**operations.public_reply(ticket, text))
        article.seconds = self.random.choice((None, 300, 600, 1200))
        if any(
            word in text for word in ("attached", "here is the corrected", "ci-jointe", "anexo")
        ):
            article.files = [NewFile("paper.pdf", _pdf(ticket.number), "application/pdf")]
        elif article.type is ArticleType.EMAIL and self.random.random() < 0.2:
            article.body = _html(text, signature="Bristol", picture="drawing")
            article.content_type = "text/html"
            article.files = [
                NewFile("drawing.png", _png(self.random), "image/png", True, "drawing")
            ]
        operations.update_ticket(ticket_id, None, article, actor=actor, at=at)

    def _reply(self, ticket_id: int, text: str, customer: User, at: datetime) -> None:
        """The customer answers by mail; what waits for him or was closed is open again."""
        ticket = Ticket.objects.select_related("state", "group").get(pk=ticket_id)
        waits = ticket.state.kind.is_pending or ticket.state.kind.is_closed
        change = TicketChange(state_id=StateId.OPEN) if waits else None
        article = NewArticle(
            body=text,
            subject=f"Re: {ticket.title}",
            type=ArticleType.EMAIL,
            sender=Sender.CUSTOMER,
            from_address=f"{customer.display_name} <{customer.email}>",
            to=ticket.group.email or f"hello@{texts().domain}",
        )
        if any(word in text for word in ("picture", "photo")):
            article.files = [NewFile("plug.png", _png(self.random), "image/png")]
        operations.update_ticket(ticket_id, change, article, actor=self._acting(customer), at=at)

    def _pause(self, ticket_id: int, agent: User, at: datetime) -> Part:
        """Nothing can be done for a while: on hold, or pending until some moment."""
        self._set_aside(ticket_id, self.random.randrange(3), agent, at)
        at = self._later(at, 20, 90, office=True)
        yield at
        change = TicketChange(on_hold=False)
        operations.update_ticket(ticket_id, change, actor=self._acting(agent), at=at)
        return at

    def _set_aside(self, ticket_id: int, way: int, agent: User, at: datetime) -> None:
        change = TicketChange(on_hold=True)
        if way > 0 and self.cast.waiting is not None:
            state = self.cast.waiting.pk if way == 1 else int(StateId.PENDING_REMINDER)
            until = self._later(at, 30, 120, office=True)
            change = TicketChange(state_id=state, pending_time=until)
        operations.update_ticket(ticket_id, change, actor=self._acting(agent), at=at)

    def _evening(self) -> None:
        """Before they go home, agents put some of their tickets aside until another day."""
        mine = Ticket.objects.filter(
            state=StateId.OPEN, on_hold=False, owner__in=self.cast.colleagues
        ).select_related("owner")
        for number, ticket in enumerate(mine.order_by("id")[:6]):
            at = self.end - timedelta(minutes=30 - number)
            if ticket.updated_at < at:
                self._set_aside(ticket.pk, number % 3, ticket.owner, at)

    def _finish(
        self, ticket_id: int, topic: Topic, agent: User, words: dict[str, str], at: datetime
    ) -> None:
        """Resolved with a text, closed without one, or left to close by itself."""
        roll, actor = self.random, self._acting(agent)
        way = roll.random()
        if way < 0.65:
            change = TicketChange(
                state_id=StateId.RESOLVED, resolution=topic.resolution.format(**words)
            )
        elif way < 0.9:
            change = TicketChange(state_id=StateId.CLOSED)
        else:
            until = self._later(at, 48, 140, office=True)
            change = TicketChange(state_id=StateId.PENDING_CLOSE, pending_time=until)
        operations.update_ticket(ticket_id, change, actor=actor, at=at)

    def _reopen(self, ticket_id: int, customer: User, agent: User, at: datetime) -> Story:
        """It was not over: the customer writes, and an agent takes it up again."""
        ticket = Ticket.objects.select_related("state").get(pk=ticket_id)
        if ticket.group_id == self.cast.groups["workshop"].pk:
            return  # the workshop wants a new ticket after some time
        self._reply(ticket_id, texts().again[_language(customer)], customer, at)
        at = self._later(at, 0.3, 5, office=True)
        yield at
        change = TicketChange(state_id=StateId.REOPENED)
        operations.update_ticket(ticket_id, change, actor=self._acting(agent), at=at)

    def _words(self, customer: User, agent: User) -> dict[str, str]:
        roll = self.random
        self._orders += roll.randrange(1, 9)
        return {
            "model": roll.choice(texts().models),
            "order": f"FB-{self._orders}",
            "city": roll.choice(texts().cities),
            "name": customer.firstname or customer.display_name,
            "agent": agent.firstname or agent.display_name,
        }


def _language(customer: User) -> str:
    by_address = {person.email: person.language for person in texts().customer}
    return by_address.get(customer.email, "en")


def _pairs(answers: Iterable[str], replies: Iterable[str]) -> list[tuple[str, str | None]]:
    return list(zip_longest(answers, replies))


# --- files ---------------------------------------------------------------------------------------


def _html(text: str, *, signature: str, picture: str = "") -> str:
    """The text as a mail program writes it."""
    paragraphs = "".join(
        f"<p>{escape(part).replace(chr(10), '<br>')}</p>" for part in text.split("\n\n")
    )
    image = f'<p><img src="cid:{picture}" alt="drawing" width="320"></p>' if picture else ""
    foot = escape(texts().signature.format(city=signature))
    return f'<div>{paragraphs}{image}<p style="color: #666666">{foot}</p></div>'


def _png(roll: Random, width: int = 320, height: int = 200) -> bytes:
    """A small picture: two hills in the evening."""
    warm, cold = roll.randrange(150, 240), roll.randrange(60, 140)
    rows = []
    for y in range(height):
        row = bytearray([0])
        for x in range(width):
            hill = height * 0.6 + 30 * ((x / width - 0.3) ** 2) * 4
            if y > hill:
                row += bytes((40, cold, 70))
            else:
                row += bytes((warm, max(0, warm - y // 2), cold + y // 3))
        rows.append(bytes(row))

    def chunk(kind: bytes, content: bytes) -> bytes:
        checked = zlib.crc32(kind + content)
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", checked)

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    picture = zlib.compress(b"".join(rows), 9)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", picture) + chunk(b"IEND", b"")
    )


def _pdf(number: str) -> bytes:
    """One page with one line."""
    line = f"BT /F1 18 Tf 72 720 Td (Fernbrook Bicycles, ticket {number}) Tj ET".encode()
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        (
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R"
            b" /Resources << /Font << /F1 5 0 R >> >> >>"
        ),
        b"<< /Length %d >>\nstream\n%b\nendstream" % (len(line), line),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    out, places = b"%PDF-1.4\n", []
    for index, content in enumerate(objects, start=1):
        places.append(len(out))
        out += b"%d 0 obj\n%b\nendobj\n" % (index, content)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    return (
        out
        + b"xref\n0 %d\n0000000000 65535 f \n%b" % (len(objects) + 1, table)
        + b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n"
        % (len(objects) + 1, len(out))
    )


def _log(at: datetime) -> bytes:
    lines = [
        f"{(at - timedelta(hours=n)).replace(minute=0, second=3):%Y-%m-%d %H:%M:%S} wlan0: lost"
        " carrier, restarting"
        for n in range(6, 0, -1)
    ]
    return ("\n".join(lines) + "\n").encode()
