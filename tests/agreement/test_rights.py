"""P1: a right belongs to the person. Through every dialect: offered is within allowed.

What is allowed is said here once more, slowly and in words of its own: roles and levels to verbs.
"""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from django.db import transaction

from deskbell.kernel.actor import Actor
from deskbell.people.models import User
from deskbell.tickets.models import Article, Ticket
from deskbell.tickets.operations import NewArticle, update_ticket
from tests.agreement.dialects import ALL, Answer
from tests.cast import MONDAY_10AM, acting, ada, group, kemal, organization, person, ticket

pytestmark = pytest.mark.django_db

LEVELS = ("none", "read", "create", "change", "overview", "full")
ROLES = {
    "admin": [1],
    "agent": [2],
    "customer": [3],
    "admin and agent": [1, 2],
    "agent and customer": [2, 3],
    "all groups": [2, 4],
}


@dataclass(frozen=True)
class Who:
    role: str
    level: str
    relation: str  # stranger, customer, colleague

    @property
    def is_agent(self) -> bool:
        return "agent" in self.role or self.role == "all groups"

    def has(self, *levels: str) -> bool:
        """Whether the person has one of the levels on the ticket's group, as an agent."""
        if not self.is_agent:
            return False
        return self.role == "all groups" or self.level == "full" or self.level in levels

    @property
    def is_customers_side(self) -> bool:
        return "customer" in self.role and self.relation in ("customer", "colleague")

    def allowed(self, verb: str) -> bool:
        if verb == "read":
            return self.has("read") or self.is_customers_side
        if verb == "create":
            return self.has("create") or "customer" in self.role
        if verb in ("change", "answer"):
            return self.has("change") or self.is_customers_side
        if verb == "move":
            return self.has("change")
        if verb == "delete":
            return "admin" in self.role or self.role == "all groups"
        if verb == "read_private":
            return self.has("read")
        if verb == "remove_foreign_entry":
            return (self.has("change") or self.is_customers_side) and (
                "admin" in self.role or self.role == "all groups"
            )
        raise AssertionError(verb)


VERBS = (
    "read",
    "create",
    "change",
    "answer",
    "move",
    "delete",
    "read_private",
    "remove_foreign_entry",
)

CASES = [
    Who(role, level, relation)
    for role in ROLES
    for level in (LEVELS if "agent" in role else ("none",))
    for relation in ("stranger", "customer", "colleague")
]


def somebody(who: Who, acme_id: int) -> User:
    levels = [] if who.level == "none" else [who.level]
    return person(
        "somebody",
        roles=ROLES[who.role],
        groups={1: levels} if levels else {},
        organization=None if who.relation != "colleague" else _organization(acme_id),
    )


def _entry(subject: Ticket, body: str, boss: Actor, *, internal: bool = False) -> Article:
    _ticket, article = update_ticket(
        subject.pk,
        article=NewArticle(body=body, internal=internal),
        actor=boss,
        at=MONDAY_10AM,
    )
    assert article is not None
    return article


def _organization(pk: int):  # type: ignore[no-untyped-def]
    from deskbell.people.models import Organization

    return Organization.objects.get(pk=pk)


@pytest.fixture
def stage() -> dict[str, int]:
    acme = organization("Acme")
    boss = ada()
    other_group = group("Sales")
    return {"acme": acme.pk, "boss": boss.pk, "sales": other_group.pk}


@pytest.mark.parametrize("who", CASES, ids=lambda w: f"{w.role}/{w.level}/{w.relation}")
def test_no_dialect_offers_more_than_the_person_may(who: Who, stage: dict[str, int]) -> None:
    me = somebody(who, stage["acme"])
    customer = (
        me if who.relation == "customer" else kemal(organization=_organization(stage["acme"]))
    )
    boss = acting(User.objects.get(pk=stage["boss"]))
    subject = ticket(customer)
    private = _entry(subject, "private words", boss, internal=True)
    public = _entry(subject, "words", boss)
    offered: dict[str, set[str]] = {verb: set() for verb in VERBS}
    for speak in ALL:
        desk = speak(me)
        for verb in VERBS:
            with transaction.atomic():
                answer = _try(desk, verb, subject, private, public, stage["sales"])
                if answer is not None:
                    assert answer.status < 500, (speak.name, verb, answer)
                    if answer.done:
                        offered[verb].add(speak.name)
                    else:
                        assert Ticket.objects.filter(pk=subject.pk, title=subject.title).exists()
                    if not who.allowed("read_private"):
                        assert "private words" not in str(answer.body)
                transaction.set_rollback(True)
    for verb, names in offered.items():
        assert not names or who.allowed(verb), (verb, names)


def _try(  # type: ignore[no-untyped-def]
    desk, verb: str, subject: Ticket, private: Article, public: Article, sales_id: int
) -> Answer | None:
    match verb:
        case "create":
            return desk.create(1)
        case "move":
            return desk.move(subject.pk, sales_id)
        case "read_private":
            return desk.read_entry(private.pk)
        case "remove_foreign_entry":
            return desk.remove_entry(public.pk)
        case _:
            return getattr(desk, verb)(subject.pk)


def test_whoever_may_everything_is_offered_everything() -> None:
    """The table above would also pass if nothing worked at all; this one would not."""
    me, sales = ada(), group("Sales")
    for speak in ALL:
        desk = speak(me)
        for verb in ("read", "create", "change", "answer", "move", "delete"):
            subject = ticket(kemal() if not User.objects.filter(login="kemal").exists() else None)
            answer = _try(desk, verb, subject, Article(), Article(), sales.pk)
            assert answer is None or answer.done, (speak.name, verb, answer)
