"""What is found, by whom: the index against the slow reference, on the database of the run."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deskbell.kernel.actor import Actor
from deskbell.people.models import User
from deskbell.search import index, results
from deskbell.search.language import parse
from deskbell.search.models import Entry
from deskbell.tickets import access
from deskbell.tickets.models import Article, CustomField, Ticket
from tests.search import corpus
from tests.search.corpus import SYSTEM, add_article, agent, customer, matches, open_ticket

pytestmark = pytest.mark.django_db


@dataclass
class Desk:
    """A small desk whose words overlap, and those who search it."""

    kemal: User
    first_team: int
    second_team: int
    actors: list[Actor]

    #: What is in the tickets, read once until somebody writes: ticket and whether for staff.
    documents: dict[tuple[int, bool], tuple[Ticket, corpus.Document]] = field(default_factory=dict)
    visible: dict[int, list[tuple[int, bool]]] = field(default_factory=dict)

    def forget(self) -> None:
        """Something was written: read everything again."""
        self.documents.clear()
        self.visible.clear()

    def expected(self, query: str, actor: Actor) -> list[int]:
        node = parse(query).node
        found = []
        for key in self._visible_to(actor):
            ticket, document = self.documents[key]
            if matches(node, document, ticket):
                found.append(ticket.pk)
        return found

    def _visible_to(self, actor: Actor) -> list[tuple[int, bool]]:
        which = self.actors.index(actor)
        if which not in self.visible:
            audience = results.audience_of(actor)
            self.visible[which] = []
            for ticket in access.tickets(actor).order_by("-updated_at", "-id"):
                staff = audience.everything or (
                    not audience.nothing and ticket.group_id in actor.groups
                )
                key = (ticket.pk, staff)
                self.visible[which].append(key)
                if key not in self.documents:
                    self.documents[key] = ticket, corpus.read(ticket, staff=staff)
        return self.visible[which]


@pytest.fixture
def desk() -> Desk:
    first, second = corpus.team("First level"), corpus.team("Second level")
    acme = corpus.company("Acme Printers")
    kemal = corpus.person("kemal@acme.example", firstname="Kemal", lastname="Öz", organization=acme)
    nora = corpus.person("nora", email="nora@desk.example", firstname="Nora", lastname="Printer")
    CustomField.objects.create(name="color", label="Color", type="varchar")
    CustomField.objects.create(name="risk", label="Risk", type="varchar", staff_only=True)
    CustomField.objects.create(name="floor", label="Floor", type="integer")

    one = open_ticket(
        "Printer broken",
        group=first,
        customer=kemal,
        organization=acme,
        tags=("vip", "two words"),
        note="call back",
        custom={"color": "Reds", "risk": "broken", "floor": -3},
    )
    add_article(one, "The printers on floor two are broken again", subject="Printer broken")
    add_article(one, "secret: customer is a red one", internal=True)
    two = open_ticket(
        "Büro zwei", group=second, customer=kemal, owner=nora, state_id=2, resolution="red reset"
    )
    add_article(two, "Büros sind zu, drucker broken", to="desk@desk.example, nora@desk.example")
    add_article(two, "Welcome to the two printers", internal=True, subject="two words")
    three = open_ticket(
        "Welcome to the desk", group=first, state_id=4, custom={"floor": 12}, description="red flag"
    )
    add_article(
        three, "Welcome! Your printer is red.", from_address="Kemal Öz <kemal@acme.example>"
    )
    four = open_ticket("welcoming words", group=second, owner=nora, tags=("VIP",), note="redo")
    add_article(four, "the printer, the floor, the words", cc="x.kemal@acme.example.org")
    open_ticket("No article", group=first, number="2016-08/77", customer=nora)
    return Desk(
        kemal,
        first.pk,
        second.pk,
        [
            SYSTEM,
            agent(first.pk),
            customer(kemal.pk),
            agent(first.pk, customer_id=kemal.pk),
            agent(),
        ],
    )


QUERIES = [
    "*",
    "welc",
    "welcome",
    "welcome desk",
    "printers",
    "Printers broken",
    '"printer broken"',
    '"broken printer"',
    '"printers"',
    "buro",
    "Büros",
    "büros sind",
    "red",
    "secret",
    "NOT secret",
    "red -secret",
    "broken OR welcome",
    "two words",
    '"two words"',
    "tags:vip",
    'tags:"two words"',
    'tags:("vip" AND "two words")',
    "tags:two",
    "_exists_:tags",
    "NOT _exists_:note",
    "note:call",
    "note:re*",
    "title:welcome",
    "title:printer -title:broken",
    "article.body:printer",
    "article.body:acme",
    "article.subject:printer",
    'article.to:"nora@desk.example"',
    "article.from:kemal",
    "kemal@acme.example",
    'customer.email:"kemal@acme.example"',
    "customer.email:KEMAL@acme.example",
    'customer.email:"acme.example"',
    "customer.firstname:kemal",
    "customer.lastname:oz",
    "organization.name:acme",
    "owner.login:nora",
    "nora",
    "number:2016*",
    'number:"2016-08/77"',
    "2016-08/77",
    "color:red",
    "color:reds",
    "risk:broken",
    "_exists_:risk",
    "resolution:red",
    "floor",
    "w*c*me",
    "?rinter",
    "*inter*",
    "*oken",
    "pr?nter w*",
    "first-level",
    "state_id:2",
    "state_id:[2 TO 4]",
    "state_id:{2 TO *]",
    "printer state_id:4",
    "(printer OR buro) -vip",
    "!(printer)",
    "nosuchfield:x",
    "NOT nosuchfield:x",
    "---",
    "foo (bar",
    "printer (broken",
    "the",
    "p",
    "x t o",
]


@pytest.fixture(params=["few", "many", "fallback"])
def strategy(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """The three ways to a result; which one is taken must never show."""
    if request.param != "few":
        # Every word is common.
        monkeypatch.setattr(results, "FEW", 0)
        monkeypatch.setattr(results, "GUESSED_MANY", -1)
    if request.param == "fallback":
        # The walk ends at once, and a page is never full.
        monkeypatch.setattr(results, "WALK", 1)
        monkeypatch.setattr(results, "COUNT_WALK", 1)
    return str(request.param)


def test_every_query_finds_what_the_reference_finds(desk: Desk, strategy: str) -> None:
    for actor in desk.actors:
        for query in QUERIES:
            expected = desk.expected(query, actor)

            assert results.find(actor, query) == expected, (query, actor)
            assert results.count(actor, query) == len(expected), (query, actor)


def test_the_examples_find_something(desk: Desk) -> None:
    """The table above is worth something only if most of it has hits."""
    without = [query for query in QUERIES if not results.find(SYSTEM, query)]

    assert without == [
        '"broken printer"',
        "title:printer -title:broken",
        "article.body:acme",
        "first-level",
        "!(printer)",
        "nosuchfield:x",
        "---",
        "foo (bar",
        "x t o",
    ]


_TERM = st.sampled_from(
    [
        "printer",
        "printers",
        "broken",
        "red",
        "welcome",
        "welc",
        "two",
        "buro",
        "the",
        "vip",
        "nora",
        "acme",
        '"two words"',
        '"printer broken"',
        "w*",
        "*r",
        "p?inter",
        "title:printer",
        "note:call",
        "tags:vip",
        "article.body:red",
        "color:red",
        "risk:broken",
        "state_id:2",
        "state_id:[2 TO *]",
        "_exists_:tags",
        "customer.lastname:oz",
        'customer.email:"kemal@acme.example"',
        "---",
        "nosuch:x",
    ]
)
_QUERY = st.recursive(
    _TERM,
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from([" ", " AND ", " OR "]), inner).map(
            lambda three: f"({''.join(three)})"
        ),
        inner.map(lambda one: f"NOT {one}"),
    ),
    max_leaves=6,
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(query=_QUERY, ending=st.sampled_from(["", " w", " pri", " OR o"]), which=st.integers(0, 4))
def test_any_query_finds_what_the_reference_finds(
    desk: Desk, strategy: str, query: str, ending: str, which: int
) -> None:
    actor = desk.actors[which]
    query += ending

    assert results.find(actor, query) == desk.expected(query, actor)


@pytest.mark.parametrize("batch", [1, 2, 500])
def test_a_rebuilt_index_is_the_one_that_grew(
    desk: Desk, batch: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticket = Ticket.objects.get(title="Büro zwei")
    ticket.articles.filter(internal=False).update(body="red <b>flags</b>", content_type="text/html")
    Ticket.objects.filter(pk=ticket.pk).update(description="red flags", resolution="done")
    for article in ticket.articles.all():
        index.write_article(article.pk)
    index.write_ticket(ticket.pk)
    grown = set(Entry.objects.values_list("id", "article_id", "words"))
    Entry.objects.filter(id__lt=grown_middle(grown)).delete()
    Entry.objects.create(id=index.entry_id(10**6, 0, fields=True, staff=False), words=" gone ")
    monkeypatch.setattr(index, "_BATCH", 3)

    for _ in index.rebuild(batch=batch):
        pass

    assert set(Entry.objects.values_list("id", "article_id", "words")) == grown


def grown_middle(rows: set[tuple[int, int | None, str]]) -> int:
    """The id in the middle: a part of the index that was lost."""
    return sorted(id_ for id_, _, _ in rows)[len(rows) // 2]


_STEP = st.tuples(
    st.sampled_from(["open", "add", "edit", "hide", "move", "drop", "delete", "rename", "rebuild"]),
    st.integers(0, 7),
    st.sampled_from(["alpha beta", "beta gamma", "gamma, alpha-beta", "Alphas", "", "beta beta"]),
)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(_STEP, max_size=12))
def test_the_index_follows_every_change(desk: Desk, steps: list[tuple[str, int, str]]) -> None:
    Ticket.objects.all().delete()
    for _ in index.rebuild(batch=2):
        pass
    for what, which, text in steps:
        _take(what, which, text, desk)
    desk.forget()

    for query in ("alpha", '"alpha beta"', "beta -gamma", "title:alpha", "article.body:beta", "g*"):
        for actor in desk.actors[:4]:
            assert results.find(actor, query) == desk.expected(query, actor)


def _take(what: str, which: int, text: str, desk: Desk) -> None:
    tickets = list(Ticket.objects.order_by("id"))
    articles = list(Article.objects.order_by("id"))
    ticket = tickets[which % len(tickets)] if tickets else None
    article = articles[which % len(articles)] if articles else None
    if what == "open" or ticket is None:
        open_ticket(text, group_id=desk.first_team, customer=desk.kemal)
    elif what == "add":
        add_article(ticket, text, internal=bool(which % 2))
    elif what == "rename":
        Ticket.objects.filter(pk=ticket.pk).update(title=text)
        index.write_ticket(ticket.pk)
    elif what == "delete":
        gone = ticket.pk
        ticket.delete()
        index.remove_ticket(gone)
    elif what == "rebuild":
        assert list(index.rebuild(batch=1))
    elif article is None:
        return
    elif what == "drop":
        gone = article.pk
        article.delete()
        index.remove_article(gone)
    else:
        if what == "edit":
            Article.objects.filter(pk=article.pk).update(body=text)
        elif what == "hide":
            Article.objects.filter(pk=article.pk).update(internal=not article.internal)
        else:
            Article.objects.filter(pk=article.pk).update(ticket=ticket)
        index.write_article(article.pk)
