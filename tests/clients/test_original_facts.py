"""What the original's own request tests assert of tickets, articles and people, as facts.

One desk, one long story per subject: the order of calls is part of several facts.
"""

from __future__ import annotations

import base64
from typing import Any

import pytest

from deskbell.people.models import Group, Organization, User
from deskbell.tickets.models import Ticket
from tests import cast
from tests.api.zammad.wire import Wire, content, message, told

pytestmark = pytest.mark.django_db

NEEDS_BODY = "Need at least an 'article body' field."
PNG = (
    "iVBORw0KGgoAAAANSUhEUgAAAAUA\n  AAAFCAYAAACNbyblAAAAHElEQVQI12P4//8/w38GIAXDIBKE0DHxgljNBAAO\n"
    "  9TXL0Y4OHwAAAABJRU5ErkJggg=="
)
GIF = "R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7"


class Desk:
    """A group with everybody around it."""

    def __init__(self) -> None:
        self.group: Group = cast.group("Tickets", email="desk@example.com")
        self.closed_group: Group = cast.group("Closed to the agent")
        self.organization: Organization = cast.organization("Rest Org #1")
        full = {1: ["full"], self.group.pk: ["full"]}
        self.admin_user = self.person("Admin", [1, 2], full)
        self.agent_user = self.person("Agent", [2], full)
        self.changer_user = self.person("Changer", [2], {self.closed_group.pk: ["read", "change"]})
        self.customer_user = self.person("Customer1", [3], {})
        self.colleague_user = cast.person("customer2", roles=[3], organization=self.organization)
        self.admin, self.agent, self.changer, self.customer, self.colleague = (
            Wire(user)
            for user in (
                self.admin_user,
                self.agent_user,
                self.changer_user,
                self.customer_user,
                self.colleague_user,
            )
        )

    @staticmethod
    def person(lastname: str, roles: list[int], groups: dict[int, list[str]]) -> User:
        login = f"tickets-{lastname.lower()}@example.com"
        user = cast.person(login, roles=roles, groups=groups, email=login)
        User.objects.filter(pk=user.pk).update(firstname="Tickets", lastname=lastname)
        return user

    def body(self, **keys: Any) -> dict[str, Any]:
        """A ticket's body; ``...`` leaves a key out."""
        body = {
            "title": "a new ticket",
            "group": "Tickets",
            "customer_id": self.customer_user.pk,
            "article": {"body": "some test 123"},
            **keys,
        }
        return {key: value for key, value in body.items() if value is not ...}

    def ticket(self, **columns: Any) -> Ticket:
        columns.setdefault("group_id", self.group.pk)
        return cast.ticket(self.customer_user, **columns)


@pytest.fixture
def desk() -> Desk:
    return Desk()


#: What is wrong with a body, and what is said of it.
REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"group": ...}, "The required value 'group_id' is missing."),
    ({"group": "not_existing"}, "No lookup value found for 'group': \"not_existing\""),
    ({"group": ..., "group_id": 9999}, "Invalid value for param 'group_id': 9999"),
    ({"article": {}}, NEEDS_BODY),
    ({"article": {"subject": "some test 123"}}, NEEDS_BODY),
    ({"article": {"body": None}}, NEEDS_BODY),
    ({"owner_id": 0}, "Invalid value for param 'owner_id': 0"),
    ({"owner_id": 99999}, "Invalid value for param 'owner_id': 99999"),
    ({"state_id": 99}, "Invalid value for param 'state_id': 99"),
    ({"priority_id": 99}, "Invalid value for param 'priority_id': 99"),
    ({"customer_id": 99999}, "Invalid value for param 'customer_id': 99999"),
    ({"customer_id": None}, "Attribute 'customer_id' required!"),
    (
        {"customer_id": ..., "customer": "none"},
        "No lookup value found for 'customer': \"none\"",
    ),
    ({"customer_id": ..., "customer": 5}, "String is needed as ref value 5 for 'customer'"),
    ({"state": "merged"}, "Invalid value '5' for field 'state_id'!"),
    ({"state": "pending close"}, "Missing required value for field 'pending_time'!"),
    ({"note": "x" * 251}, "Note is too long (maximum is 250 characters)"),
    ({"title": None}, "Attribute 'title' required!"),
    (
        {"article": {"body": "x", "attachments": [{"filename": "a", "data": "YQ=="}]}},
        "Attachment needs 'mime-type' param for attachment with index '0'",
    ),
    (
        {
            "article": {
                "body": "x",
                "attachments": [
                    {"filename": "a", "data": "YQ==", "mime-type": "text/plain"},
                    {"filename": "b", "data": "ABC_INVALID", "mime-type": "text/plain"},
                ],
            }
        },
        "Invalid base64 for attachment with index '1'",
    ),
]


def test_a_ticket_that_is_refused_leaves_nothing(desk: Desk) -> None:
    users, tickets = User.objects.count(), Ticket.objects.count()

    for keys, text in REFUSED:
        assert message(desk.agent.post("tickets", desk.body(**keys)), 422) == text, keys
    assert (User.objects.count(), Ticket.objects.count()) == (users, tickets)


class TestTickets:
    def test_need_the_right_to_create(self, desk: Desk) -> None:
        body = desk.body(group=desk.closed_group.name, state="new", priority="2 normal")
        assert message(desk.changer.post("tickets", body), 403) == "Not authorized"

    @pytest.mark.parametrize("keys", [{"owner_id": ""}, {"owner_id": None}, {"state": "new"}, {}])
    def test_minimal(self, desk: Desk, keys: dict[str, Any]) -> None:
        created = told(desk.agent.post("tickets", desk.body(**keys)), 201)
        agent = desk.agent_user.pk
        assert (created["state_id"], created["owner_id"]) == (1, 1)
        assert (created["updated_by_id"], created["created_by_id"]) == (agent, agent)
        assert created["customer_id"] == desk.customer_user.pk
        assert not {"group", "state", "priority", "owner", "customer"} & set(created)

    @pytest.mark.parametrize(
        "customer",
        [
            {"customer_id": "guess:Some_New@example.com"},
            {"customer": {"firstname": "some", "lastname": "one", "email": "some_new@example.com"}},
        ],
    )
    def test_find_or_make_their_customer(self, desk: Desk, customer: dict[str, Any]) -> None:
        body = desk.body(customer_id=...) | customer
        for _ in range(2):
            created = told(desk.agent.post("tickets", body), 201)
            made = User.objects.get(email="some_new@example.com")
            assert created["customer_id"] == made.pk
            assert list(made.roles.values_list("pk", flat=True)) == [3]

    @pytest.mark.parametrize(
        ("article", "name"),
        [
            ({"origin_by": "some_new@example.com"}, "some one"),
            ({"origin_by": "some_new@example.com", "sender": "Customer"}, "some one"),
            ({"origin_by": "some_new@example.com", "sender": "Agent", "from": "x"}, "some one"),
            ({"origin_by": "tickets-customer1@example.com"}, "Tickets Customer1"),
        ],
    )
    def test_said_by_somebody_else(self, desk: Desk, article: dict[str, Any], name: str) -> None:
        person = {"firstname": "some", "lastname": "one", "email": "some_new@example.com"}
        body = desk.body(customer_id=..., customer=person, article={"body": "x", **article})
        created = told(desk.agent.post("tickets", body), 201)

        (first,) = told(desk.agent.get(f"ticket_articles/by_ticket/{created['id']}"), 200)
        assert (first["sender"], first["type"], first["from"]) == ("Customer", "note", name)
        assert first["origin_by"] == article["origin_by"]
        assert first["created_by_id"] == desk.agent_user.pk

    @pytest.mark.parametrize(
        "article",
        [
            {"sender": "System", "origin_by": "tickets-agent@example.com"},
            {"sender": "Agent", "origin_by_id": 1},
            {"sender": "Customer", "type": "phone", "origin_by_id": 1, "internal": True},
        ],
    )
    def test_of_customers_are_their_own(self, desk: Desk, article: dict[str, Any]) -> None:
        body = desk.body(customer_id=desk.agent_user.pk, article={"body": "x", **article})
        created = told(desk.customer.post("tickets", body), 201)
        (first,) = told(desk.customer.get(f"ticket_articles/by_ticket/{created['id']}"), 200)

        assert created["customer_id"] == created["created_by_id"] == desk.customer_user.pk
        assert (first["sender"], first["type"], first["from"]) == (
            "Customer",
            "note",
            "Tickets Customer1",
        )
        assert (first["origin_by_id"], first["internal"]) == (desk.customer_user.pk, False)

    def test_carry_inline_images_before_files(self, desk: Desk) -> None:
        html = (
            f'some <img src="data:image/png;base64,{PNG}" alt="Red dot" /> '
            f'<img src="data:image/gif;base64,{GIF}">'
        )
        file = {"filename": "some_file.txt", "data": "dGVzdCAxMjM=", "mime-type": "text/plain"}
        article = {"content_type": "text/html", "body": html, "attachments": [file]}
        created = told(desk.agent.post("tickets", desk.body(article=article)), 201)
        (first,) = told(desk.agent.get(f"ticket_articles/by_ticket/{created['id']}"), 200)
        one, two, three = first["attachments"]

        assert [one["filename"], two["filename"], three["filename"]] == [
            "image1.png",
            "image2.gif",
            "some_file.txt",
        ]
        assert one["preferences"]["Content-ID"].startswith(f"{created['id']}.")
        assert one["preferences"]["Mime-Type"] == "image/png"
        assert "Content-ID" not in three["preferences"]
        assert "cid:" not in first["body"]
        assert "data:" not in first["body"]
        place = f"ticket_attachment/{created['id']}/{first['id']}"
        assert content(desk.agent.get(f"{place}/{one['id']}")) == base64.b64decode(PNG)
        assert content(desk.agent.get(f"{place}/{three['id']}")) == b"test 123"

    def test_are_linked_from_birth(self, desk: Desk) -> None:
        other = desk.ticket()
        links = {"Ticket": {"parent": [other.pk]}}
        created = told(desk.agent.post("tickets", desk.body(links=links)), 201)

        listed = told(
            desk.agent.get("links", {"link_object": "Ticket", "link_object_value": created["id"]}),
            200,
        )
        assert listed["links"] == [
            {"link_type": "child", "link_object": "Ticket", "link_object_value": other.pk}
        ]

    def test_of_a_foreign_group(self, desk: Desk) -> None:
        path = f"tickets/{desk.ticket(group_id=desk.closed_group.pk).pk}"
        for wire in (desk.agent, desk.colleague):
            assert message(wire.get(path), 403) == "Not authorized"
            assert message(wire.put(path, {"title": "x"}), 403) == "Not authorized"
            assert message(wire.delete(path), 403) == "Not authorized"

    def test_the_agents_day(self, desk: Desk) -> None:
        ticket = desk.ticket(preferences={"some_key1": 123})
        path = f"tickets/{ticket.pk}"
        agent = desk.agent_user.pk
        shown = told(desk.agent.get(path), 200)
        assert (shown["updated_by_id"], shown["created_by_id"]) == (1, 1)

        body = {"title": "ticket 2", "customer_id": agent, "preferences": {"some_key2": "abc"}}
        changed = told(desk.agent.put(path, body), 200)
        assert changed["preferences"] == {"some_key1": 123, "some_key2": "abc"}
        assert (changed["customer_id"], changed["updated_by_id"]) == (agent, agent)

        note = told(
            desk.agent.post("ticket_articles", {"ticket_id": ticket.pk, "body": "some body"}), 201
        )
        assert (note["from"], note["sender_id"], note["type_id"]) == ("Tickets Agent", 1, 10)
        assert (note["internal"], note["content_type"]) == (False, "text/plain")
        condition = {"ticket.title": {"operator": "contains", "value": "ticket 2"}}
        assert [one["id"] for one in told(desk.agent.get('tickets/search?query="ticket 2"'), 200)]
        found = told(desk.agent.post("tickets/search", {"condition": condition}), 200)
        assert [one["id"] for one in found] == [ticket.pk]
        assert told(desk.agent.delete(f"ticket_articles/{note['id']}"), 200) == {}

        mail = {
            "from": "something that the server writes itself",
            "ticket_id": ticket.pk,
            "to": "kemal@example.com",
            "subject": "some subject",
            "body": "some body",
            "type": "email",
        }
        sent = told(desk.agent.post("ticket_articles", {**mail, "internal": True}), 201)
        assert sent["from"] == "Tickets Agent via Tickets <desk@example.com>"
        assert (sent["internal"], sent["type_id"], sent["sender_id"]) == (True, 1, 1)
        kept = told(desk.agent.put(f"ticket_articles/{sent['id']}", {"subject": "new"}), 200)
        assert (kept["subject"], kept["internal"]) == ("some subject", True)
        public = told(desk.agent.post("ticket_articles", mail), 201)
        assert message(desk.agent.delete(f"ticket_articles/{public['id']}"), 403) == (
            "Not authorized (communication articles cannot be deleted)!"
        )
        assert message(desk.agent.delete(path), 403) == (
            "Not authorized (admin permission required)!"
        )
        assert told(desk.admin.delete(path), 200) == {}

    def test_the_customers_day(self, desk: Desk) -> None:
        ticket = desk.ticket()
        path = f"tickets/{ticket.pk}"
        wire, me = desk.customer, desk.customer_user.pk
        changed = told(wire.put(path, {"title": "x - 2", "customer_id": desk.agent_user.pk}), 200)
        assert (changed["title"], changed["customer_id"]) == ("x - 2", me)
        assert (changed["updated_by_id"], changed["created_by_id"]) == (me, 1)

        base = {"ticket_id": ticket.pk, "subject": "some subject", "body": "some body"}
        for keys, sender in (
            ({}, "Tickets Customer1"),
            ({"type": "email", "sender": "Agent"}, "Tickets Customer1"),
            (
                {"type": "web", "sender": "Agent", "internal": True, "from": "x"},
                "Tickets Customer1 <tickets-customer1@example.com>",
            ),
        ):
            article = told(wire.post("ticket_articles", {**base, **keys}), 201)
            assert (article["from"], article["sender_id"]) == (sender, 2)
            assert article["internal"] is False
            assert article["type_id"] == (11 if keys.get("type") == "web" else 10)
            assert message(wire.delete(f"ticket_articles/{article['id']}"), 403) == (
                "Not authorized (agent permission required)!"
            )
        assert wire.put(f"ticket_articles/{article['id']}", {"subject": "y"}).status_code == 403
        assert message(wire.delete(path), 403) == "Not authorized (admin permission required)!"

    def test_are_plain_unless_asked_otherwise(self, desk: Desk) -> None:
        ticket = desk.ticket()
        for flag in ("", "expand=false", "full=false", "all=false"):
            shown = told(desk.agent.get(f"tickets/{ticket.pk}?{flag}"), 200)
            first, *_ = told(desk.agent.get(f"tickets?{flag}"), 200)
            for one in (shown, first):
                assert not {"group", "priority", "owner", "article_ids", "assets"} & set(one)

    def test_number_and_empty_article_change_nothing(self, desk: Desk) -> None:
        ticket = desk.ticket()
        path = f"tickets/{ticket.pk}"
        changed = told(desk.agent.put(f"{path}?full=true", {"number": "77777"}), 200)
        assert changed["assets"]["Ticket"][str(ticket.pk)]["number"] == ticket.number
        before = ticket.articles.count()
        kept = told(desk.agent.put(path, {"state": None, "article": {}}), 200)
        assert (kept["state_id"], ticket.articles.count()) == (1, before)

    def test_pages(self, desk: Desk) -> None:
        ids = [desk.ticket(title=f"pagination {n}").pk for n in range(12)]
        every = [one["id"] for one in told(desk.admin.get("tickets"), 200)]
        for query, expected in (
            ("limit=40&page=1&per_page=5", every[:5]),
            ("limit=40&page=2&per_page=5", every[5:10]),
            ("page=99", []),
        ):
            assert [one["id"] for one in told(desk.admin.get(f"tickets?{query}"), 200)] == expected
        for query, expected in (
            ("limit=40", ids[::-1]),
            ("limit=10", ids[::-1][:10]),
            ("limit=40&page=1&per_page=5", ids[::-1][:5]),
            ("limit=40&page=2&per_page=5", ids[::-1][5:10]),
        ):
            found = told(desk.admin.get(f"tickets/search?query=pagination&{query}"), 200)
            assert [one["id"] for one in found] == expected

    def test_found_in_the_order_asked_for(self, desk: Desk) -> None:
        desk.ticket(title="sorted A", at=cast.MONDAY_9AM)
        desk.ticket(title="sorted B", at=cast.MONDAY_10AM)
        both = ["created_at", "updated_at"]
        for order, expected in (
            ({}, "BA"),
            ({"sort_by": "created_at", "order_by": "asc"}, "AB"),
            ({"sort_by": "title", "order_by": "desc"}, "BA"),
            ({"sort_by": both, "order_by": ["asc", "asc"]}, "AB"),
            ({"sort_by": both, "order_by": ["desc", "asc"]}, "BA"),
            ({"sort_by": "created_at, updated_at", "order_by": "desc, asc"}, "BA"),
        ):
            found = told(desk.admin.get("tickets/search?query=sorted&limit=40", order), 200)
            assert "".join(one["title"][-1] for one in found) == expected, order

    def test_merging(self, desk: Desk) -> None:
        one, two = desk.ticket(), desk.ticket()
        foreign = desk.ticket(group_id=desk.closed_group.pk)
        assert desk.customer.put(f"ticket_merge/{two.pk}/{one.number}").status_code == 403
        assert told(desk.agent.put(f"ticket_merge/{two.pk}/{one.pk}"), 200) == {
            "result": "failed",
            "message": "The target ticket number could not be found.",
        }
        assert told(desk.agent.put(f"ticket_merge/999999/{one.number}"), 200) == {
            "result": "failed",
            "message": "The source ticket could not be found.",
        }
        for path in (f"{foreign.pk}/{one.number}", f"{one.pk}/{foreign.number}"):
            assert message(desk.agent.put(f"ticket_merge/{path}"), 403) == "Not authorized"
        merged = told(desk.agent.put(f"ticket_merge/{one.pk}/{two.number}"), 200)
        assert (merged["result"], merged["target_ticket"]["id"]) == ("success", two.pk)

    def test_merging_takes_change_on_both(self, desk: Desk) -> None:
        one, two = (desk.ticket(group_id=desk.closed_group.pk) for _ in range(2))
        merged = told(desk.changer.put(f"ticket_merge/{one.pk}/{two.number}"), 200)
        assert merged["result"] == "success"

    @pytest.mark.parametrize("rule", ["yes", "new_ticket"])
    def test_reopening(self, desk: Desk, rule: str) -> None:
        Group.objects.filter(pk=desk.group.pk).update(follow_up_possible=rule)
        refusal = "Cannot follow-up on a closed ticket. Please create a new ticket."
        for wire in (desk.admin, desk.agent, desk.customer):
            answer = wire.put(f"tickets/{desk.ticket(state_id=4).pk}", {"state_id": 2})
            if rule == "new_ticket" and wire is desk.customer:
                assert message(answer, 422) == refusal
            else:
                assert told(answer, 200)["state_id"] == 2

    def test_history(self, desk: Desk) -> None:
        ticket = desk.ticket()
        shown = told(desk.agent.get(f"ticket_history/{ticket.pk}"), 200)
        assert shown["history"]
        assert str(desk.customer_user.pk) in shown["assets"]["User"]
        assert str(ticket.pk) in shown["assets"]["Ticket"]
        assert desk.customer.get(f"ticket_history/{ticket.pk}").status_code == 403
        person = told(desk.agent.get(f"users/history/{desk.customer_user.pk}"), 200)
        assert str(desk.customer_user.pk) in person["assets"]["User"]
        assert "Ticket" not in person["assets"]

    def test_mentions(self, desk: Desk) -> None:
        users = [desk.admin_user.pk, desk.agent_user.pk]
        created = told(desk.agent.post("tickets", desk.body(mentions=users)), 201)
        shown = told(desk.agent.get(f"tickets/{created['id']}?all=true"), 200)
        assert len(shown["mentions"]) == len(shown["assets"]["Mention"]) == 2
        about = {"mentionable_type": "Ticket", "mentionable_id": created["id"]}
        full = told(desk.agent.get("mentions?full=1", about), 200)
        assert set(full["assets"]) >= {"Mention", "User"}
        assert sorted(full["record_ids"]) == sorted(shown["mentions"])
        other = next(
            one
            for one in told(desk.agent.get("mentions", about), 200)["mentions"]
            if one["user_id"] != desk.agent_user.pk
        )
        assert message(desk.agent.delete(f"mentions/{other['id']}"), 403) == "Not authorized"
        assert told(desk.agent.post("mentions", about), 201)
        wrong = {"mentionable_type": "NonTicket", "mentionable_id": created["id"]}
        assert message(desk.agent.get("mentions", wrong), 422) == (
            "The parameter 'mentionable_type' is invalid."
        )


class TestPeople:
    def test_made_by_an_admin(self, desk: Desk) -> None:
        post = desk.admin.post
        made = told(post("users", {"firstname": "Agent First", "email": "New@example.com"}), 201)
        assert (made["firstname"], made["lastname"]) == ("Agent", "First")
        assert made["login"] == made["email"] == "new@example.com"
        text = "Email address 'new@example.com' is already used for another user."
        assert message(post("users", {"firstname": "x", "email": "new@example.com"}), 422) == text
        nameless = told(post("users", {"firstname": "newfirstname123", "note": "n"}), 201)
        assert nameless["login"].startswith("auto-")
        assert (nameless["email"], nameless["lastname"], nameless["role_ids"]) == ("", "", [3])
        for keys in ({"lastname": "name"}, {"login": "name"}, {"phone": "1"}, {"mobile": "1"}):
            told(post("users", keys), 201)
        assert message(post("users", {"web": "example.com"}), 422).startswith("At least one")
        assert "password" not in told(post("users", {"email": "a@b.example", "password": "a"}), 201)

    @pytest.mark.parametrize(
        "keys",
        [
            {"role_ids": [1]},
            {"roles": ["Admin"]},
            {"group_ids": {"1": ["full"]}},
            {"groups": {"Users": ["full"]}},
        ],
    )
    def test_rights_are_given_by_admins_only(self, desk: Desk, keys: dict[str, Any]) -> None:
        made = told(desk.agent.post("users", {"email": "a@b.example", **keys}), 201)
        changed = told(desk.agent.put(f"users/{made['id']}", {"firstname": "x", **keys}), 200)
        for one in (made, changed):
            assert (one["role_ids"], one["group_ids"]) == ([3], {})
        assert desk.customer.post("users", {"email": "c@b.example", **keys}).status_code == 403

    @pytest.mark.parametrize("who", ["agent", "customer"])
    def test_changed_by_others(self, desk: Desk, who: str) -> None:
        wire = getattr(desk, who)
        for user in (desk.admin_user, desk.agent_user, desk.colleague_user, desk.customer_user):
            allowed = who == "agent" and user in (desk.colleague_user, desk.customer_user)
            status = wire.put(f"users/{user.pk}", {"firstname": "Changed"}).status_code
            assert status == (200 if allowed else 403)

    def test_found_by_agents(self, desk: Desk) -> None:
        def search(body: Any = None, query: str = "") -> Any:
            return told(desk.agent.get(f"users/search?{query}", body), 200)

        (found,) = search(query="query=customer2")
        assert (found["role_ids"], "roles" in found) == ([3], False)
        (expanded,) = search(query="query=customer2&expand=true")
        assert expanded["roles"] == ["Customer"]
        label = "Customer2 Example <customer2@example.test>"
        assert search(query="query=customer2&label=true") == [
            {"id": desk.colleague_user.pk, "label": label, "value": label}
        ]
        assert search(query="term=customer2") == [
            {
                "id": desk.colleague_user.pk,
                "label": label,
                "value": "customer2@example.test",
                "inactive": False,
            }
        ]
        assert search(query="query=customer2&role_ids=2&label=true") == []
        assert search(query="query=customer2&permissions=ticket.agent") == []
        assert len(search(query="query=customer2&permissions=ticket.customer")) == 1
        in_group = {"query": "tickets", "group_ids": {str(desk.closed_group.pk): "read"}}
        assert [one["id"] for one in search(in_group)] == [desk.changer_user.pk]
        assert search({"query": "tickets", "group_ids": {"999": "read"}}) == []
        every = {one["id"] for one in search({"query": "*"})}
        assert 1 not in every
        walked = [search({"query": "*", "per_page": 1, "page": n + 1}) for n in range(len(every))]
        assert {one["id"] for (one,) in walked} == every
        ids = [desk.agent_user.pk, desk.admin_user.pk]
        by_id = {"query": "tickets", "ids": ids, "sort_by": ["id"], "order_by": ["DESC"]}
        found = told(desk.agent.post("users/search", by_id), 200)
        assert [one["id"] for one in found] == ids

    def test_seen_by_customers(self, desk: Desk) -> None:
        assert [one["id"] for one in told(desk.customer.get("users"), 200)] == [
            desk.customer_user.pk
        ]
        assert desk.customer.get(f"users/{desk.colleague_user.pk}").status_code == 403
        for path in ("users/search?query=x", "organizations/search?query=Rest"):
            assert desk.customer.get(path).status_code == 403
        assert told(desk.customer.get("organizations"), 200) == []
        assert told(desk.customer.get(f"organizations/{desk.organization.pk}"), 200) == {}
        (own,) = told(desk.colleague.get("organizations"), 200)
        assert own["name"] == "Rest Org #1"
        assert desk.colleague.get("organizations/1").status_code == 403
        assert desk.customer.post("organizations", {"name": "x"}).status_code == 403

    def test_further_organizations_need_a_first(self, desk: Desk) -> None:
        path, ids = f"users/{desk.agent_user.pk}", [desk.organization.pk]
        assert desk.admin.put(path, {"organization_ids": ids}).status_code == 422
        body = {"organization_id": 1, "organization_ids": ids}
        assert told(desk.admin.put(path, body), 200)["organization_ids"] == ids

    def test_organizations(self, desk: Desk) -> None:
        body = {"name": "Rest Org NEW", "members": [desk.customer_user.login]}
        made = told(desk.admin.post("organizations?expand=true", body), 201)
        assert made["members"] == [desk.customer_user.login]
        path = f"organizations/{made['id']}"
        plain = told(desk.admin.get(f"{path}?expand=false"), 200)
        assert (plain["member_ids"], "members" in plain) == ([desk.customer_user.pk], False)
        full = told(desk.admin.get(f"{path}?full=true"), 200)
        assert full["assets"]["Organization"][str(made["id"])]["member_ids"] == plain["member_ids"]
        listed = told(desk.admin.get("organizations?full=true"), 200)
        assert (listed["record_ids"][0], listed["record_ids"][-1]) == (1, made["id"])
        (label,) = told(desk.agent.get("organizations/search?query=NEW&label=true"), 200)
        assert label == {"id": made["id"], "label": "Rest Org NEW", "value": "Rest Org NEW"}
        for query, name in (("tes.", "Tes.t. Org"), ("abc_", "ABC_D Org")):
            cast.organization(name)
            found = told(desk.agent.get(f"search/organization?query={query}"), 200)
            (hit,) = found["result"]
            assert found["assets"]["Organization"][str(hit["id"])]["name"] == name

    def test_a_group_in_use_stays(self, desk: Desk) -> None:
        desk.ticket()
        text = "Can't delete, object has references."
        assert message(desk.admin.delete(f"groups/{desk.group.pk}"), 422) == text


class TestSearchingEverything:
    def test_by_class_and_by_right(self, desk: Desk) -> None:
        mine = desk.ticket(title="test 1234-1")
        theirs = cast.ticket(desk.colleague_user, title="test 1234-2", group_id=desk.group.pk)
        hidden = desk.ticket(title="test 1234-3", group_id=desk.closed_group.pk)

        def hits(wire: Wire, path: str = "search", **keys: Any) -> list[tuple[str, int]]:
            found = told(wire.post(path, {"query": "1234*", "limit": 10, **keys}), 200)
            return [(one["type"], one["id"]) for one in found["result"]]

        both = [("Ticket", theirs.pk), ("Ticket", mine.pk)]
        assert sorted(hits(desk.agent)) == sorted(both)
        assert len(hits(desk.agent, limit=1)) == 1
        assert sorted(hits(desk.agent, "search/Ticket")) == sorted(both)
        assert hits(desk.agent, "search/user", query="customer2") == [
            ("User", desk.colleague_user.pk)
        ]
        assert hits(desk.customer) == [("Ticket", mine.pk), ("Ticket", hidden.pk)][::-1]
        assert hits(desk.colleague) == [("Ticket", theirs.pk)]
        assert hits(desk.customer, "search/user", query="agent") == []
        for path in ("search", "search/ticket", "search/user"):
            assert message(Wire().post(path, {"query": "x"}), 403) == "Authentication required"


@pytest.mark.parametrize(
    ("path", "status", "headline", "text"),
    [
        ("organizations", 403, "403: Forbidden", "Authentication required"),
        ("nope", 404, "404: Requested resource was not found", "No route matches"),
    ],
)
def test_pages_for_browsers(path: str, status: int, headline: str, text: str) -> None:
    accept = "text/xml,application/xml,application/xhtml+xml,text/html;q=0.9,*/*;q=0.5"
    answer = Wire().get(path, Accept=accept)
    page = answer.content.decode()
    assert answer.status_code == status
    assert answer.headers["Content-Type"].startswith("text/html")
    assert f"<h1>{headline}</h1>" in page
    assert f"<title>{status}: " in page
    assert text in page
