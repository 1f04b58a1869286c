"""Tags, links, mentions, merging and history over HTTP."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from deskbell.kernel.jobs import run_due
from deskbell.people.models import User
from deskbell.tickets.models import Article, Ticket
from tests import cast
from tests.api.zammad.wire import Wire, content, message, told

pytestmark = pytest.mark.django_db


@pytest.fixture
def kemal() -> User:
    return cast.kemal()


@pytest.fixture
def ticket(kemal: User) -> Ticket:
    return cast.ticket(kemal)


@pytest.fixture
def nora() -> Wire:
    return Wire(cast.nora())


class TestTags:
    def test_add_list_remove(self, nora: Wire, ticket: Ticket) -> None:
        body = {"object": "Ticket", "o_id": ticket.pk, "item": "VIP client"}

        assert told(nora.post("tags/add", body), 201) is True
        assert told(nora.post("tags/add", {**body, "item": "vip CLIENT"}), 201) is True
        assert told(nora.get(f"tags?object=Ticket&o_id={ticket.pk}"), 200) == {
            "tags": ["VIP client"]
        }
        suggested = told(nora.get("tag_search?term=vip"), 200)
        assert [row["value"] for row in suggested] == ["VIP client"]
        query = f"tags/remove?object=Ticket&o_id={ticket.pk}&item=VIP+client"
        assert told(nora.delete(query), 200) is True
        assert told(nora.delete("tags/remove", body), 200) is True
        assert told(nora.get(f"tags?o_id={ticket.pk}"), 200) == {"tags": []}

    def test_suggestions_are_few(self, nora: Wire, ticket: Ticket) -> None:
        for n in range(12):
            told(nora.post("tags/add", {"o_id": ticket.pk, "item": f"t{n:02d}"}), 201)

        assert len(told(nora.get("tag_search?term=t"), 200)) == 10
        assert told(nora.get("tag_search?term=zz"), 200) == []

    @pytest.mark.parametrize(
        ("body", "status"),
        [
            ({"object": "Ticket", "item": "x"}, 404),
            ({"object": "Ticket", "o_id": 99999, "item": "x"}, 404),
            ({"object": "KnowledgeBase", "o_id": 1, "item": "x"}, 422),
            ({"object": "Ticket", "o_id": "{ticket}"}, 422),
            ({"object": "Ticket", "o_id": "{ticket}", "item": " "}, 422),
            ({"object": "Ticket", "o_id": "{ticket}", "item": "x" * 251}, 422),
            ({"object": "Ticket", "o_id": "{ticket}", "item": ["x"]}, 422),
        ],
    )
    def test_refuses(self, nora: Wire, ticket: Ticket, body: dict[str, Any], status: int) -> None:
        body = {key: ticket.pk if one == "{ticket}" else one for key, one in body.items()}

        message(nora.post("tags/add", body), status)


class TestTagList:
    def names(self, ada: Wire) -> dict[str, int]:
        return {one["name"]: one["count"] for one in told(ada.get("tag_list"), 200)}

    def found(self, wire: Wire, word: str) -> list[int]:
        """Ids of the tickets that the index knows under a tag, once its jobs are done."""
        run_due()
        return sorted(row["id"] for row in told(wire.get(f"tickets/search?query=tags:{word}"), 200))

    def test_make_rename_merge_and_remove(self, nora: Wire, kemal: User) -> None:
        """Tickets, suggestions and the search index follow."""
        ada = Wire(cast.ada())
        a, b, c = (cast.ticket(kemal) for _ in range(3))
        for one, item in ((a, "vip"), (a, "beta"), (b, "vip"), (b, "urgent"), (c, "urgent")):
            told(nora.post("tags/add", {"o_id": one.pk, "item": item}), 201)
        assert told(ada.post("tag_list", {"name": "Alpha"}), 200) == {}
        assert told(ada.post("tag_list", {"name": "ALPHA"}), 200) == {}

        rows = told(ada.get("tag_list"), 200)
        assert [(row["name"], row["count"]) for row in rows] == [
            ("Alpha", 0), ("beta", 1), ("urgent", 2), ("vip", 2),
        ]  # fmt: skip
        assert set(rows[0]) == {"id", "name", "count"}
        ids = {row["name"]: row["id"] for row in rows}

        assert told(ada.put(f"tag_list/{ids['beta']}", {"name": "gamma"}), 200) == {}
        assert told(nora.get(f"tags?o_id={a.pk}"), 200)["tags"] == ["vip", "gamma"]
        assert self.found(nora, "gamma") == [a.pk]
        assert self.found(nora, "beta") == []
        assert told(ada.put(f"tag_list/{ids['vip']}", {"name": "Urgent"}), 200) == {}
        assert self.names(ada) == {"Alpha": 0, "gamma": 1, "urgent": 3}
        assert told(nora.get(f"tags?o_id={b.pk}"), 200)["tags"] == ["urgent"]
        assert self.found(nora, "urgent") == [a.pk, b.pk, c.pk]
        assert self.found(nora, "vip") == []
        assert told(ada.delete(f"tag_list/{ids['urgent']}"), 200) == {}
        assert told(nora.get(f"tags?o_id={b.pk}"), 200)["tags"] == []
        assert self.found(nora, "urgent") == []
        assert self.names(ada) == {"Alpha": 0, "gamma": 1}

    def test_refuses(self, nora: Wire) -> None:
        ada = Wire(cast.ada())
        told(ada.post("tag_list", {"name": "vip"}), 200)
        (row,) = told(ada.get("tag_list"), 200)

        for name in (None, " ", "x" * 251, ["x"], {"a": 1}):
            message(ada.post("tag_list", {"name": name}), 422)
            message(ada.put(f"tag_list/{row['id']}", {"name": name}), 422)
        unknown = "Couldn't find Tag::Item with 'id'=99999"
        assert message(ada.put("tag_list/99999", {"name": "x"}), 404) == unknown
        assert message(ada.delete("tag_list/99999"), 404) == unknown
        message(ada.delete("tag_list/x"), 404)
        assert told(ada.get("tag_list"), 200) == [row]

    def test_is_read_in_one_statement(self, nora: Wire, ticket: Ticket) -> None:
        ada = Wire(cast.ada())
        counts = []
        for n in range(6):
            told(nora.post("tags/add", {"o_id": ticket.pk, "item": f"t{n}"}), 201)
            with CaptureQueriesContext(connection) as queries:
                assert len(told(ada.get("tag_list"), 200)) == n + 1
            counts.append(len(queries))

        assert counts[1] == counts[5] <= 4
        assert len(told(ada.get("tag_list?per_page=2&page=3"), 200)) == 2


class TestLinks:
    def add(self, wire: Wire, type_: str, source: Ticket, target: Ticket) -> Any:
        return wire.post(
            "links/add",
            {
                "link_type": type_,
                "link_object_target": "Ticket",
                "link_object_target_value": target.pk,
                "link_object_source": "Ticket",
                "link_object_source_number": source.number,
            },
        )

    def types(self, wire: Wire, ticket: Ticket) -> dict[int, str]:
        query = f"links?link_object=Ticket&link_object_value={ticket.pk}"
        return {
            one["link_object_value"]: one["link_type"]
            for one in told(wire.get(query), 200)["links"]
        }

    @pytest.mark.parametrize(
        ("type_", "of_source", "of_target"),
        [("child", "parent", "child"), ("parent", "child", "parent"), ("normal",) * 3],
    )
    def test_type_says_what_the_source_is(
        self, nora: Wire, kemal: User, type_: str, of_source: str, of_target: str
    ) -> None:
        a, b = cast.ticket(kemal), cast.ticket(kemal)

        row = told(self.add(nora, type_, source=a, target=b), 201)

        assert row["link_object_source_value"] == a.pk
        assert row["link_object_target_value"] == b.pk
        assert self.types(nora, a) == {b.pk: of_source}
        assert self.types(nora, b) == {a.pk: of_target}

    def test_assets_hold_the_other_ticket(self, nora: Wire, kemal: User) -> None:
        a, b = cast.ticket(kemal), cast.ticket(kemal)
        told(self.add(nora, "normal", a, b), 201)

        body = {"link_object": "Ticket", "link_object_value": a.pk}
        assets = told(nora.get("links", body), 200)["assets"]

        assert list(assets["Ticket"]) == [str(b.pk)]
        assert set(assets) <= {"Ticket", "User", "Group", "Organization", "Role"}
        alone = cast.ticket(kemal)
        query = f"links?link_object=Ticket&link_object_value={alone.pk}"
        assert told(nora.get(query), 200) == {"links": [], "assets": {}}

    def test_to_tickets_out_of_sight_are_left_out(self, kemal: User) -> None:
        far = cast.group("Far")
        a, b = cast.ticket(kemal), cast.ticket(None, group_id=far.pk)
        told(self.add(Wire(cast.ada()), "normal", a, b), 201)

        assert self.types(Wire(kemal), a) == {}
        assert self.types(Wire(cast.nora()), a) == {}
        assert told(Wire(kemal).get(f"tickets/{a.pk}?all=true"), 200)["links"] == []

    def test_a_source_out_of_sight_cannot_be_tied(self, nora: Wire, kemal: User) -> None:
        far = cast.group("Far")
        a, b = cast.ticket(kemal), cast.ticket(None, group_id=far.pk)

        assert message(self.add(nora, "normal", source=b, target=a), 403) == "Not authorized"
        assert message(self.add(nora, "normal", source=a, target=b), 403) == "Not authorized"

    def test_remove_in_either_direction_by_id_or_number(self, nora: Wire, kemal: User) -> None:
        a, b = cast.ticket(kemal), cast.ticket(kemal)
        base = {"link_object_source": "Ticket", "link_object_target": "Ticket"}
        for body in (
            {"link_type": "child", "link_object_source_value": a.pk,
             "link_object_target_value": b.pk},
            {"link_type": "parent", "link_object_source_value": b.pk,
             "link_object_target_value": a.pk},
            {"link_type": "child", "link_object_source_number": a.number,
             "link_object_target_value": b.pk},
        ):  # fmt: skip
            told(self.add(nora, "child", a, b), 201)
            told(nora.delete("links/remove", {**base, **body}), 200)
            assert self.types(nora, a) == {}

    def test_refuses(self, nora: Wire, kemal: User, ticket: Ticket) -> None:
        other = cast.ticket(kemal)
        body = {"link_type": "normal", "link_object_target_value": ticket.pk}

        assert message(nora.post("links/add", body), 422) == "The object could not be found."
        unknown = {**body, "link_object_source_number": "4711"}
        assert message(nora.post("links/add", unknown), 422) == "The object could not be found."
        assert message(nora.delete("links/remove", body), 422) == "The object could not be found."
        message(self.add(nora, "cousin", other, ticket), 422)
        message(self.add(nora, "normal", ticket, ticket), 422)
        message(nora.post("links/add", {"link_type": "normal"}), 404)


class TestMentions:
    def test_follow_and_stop(self, nora: Wire, ticket: Ticket) -> None:
        body = {"mentionable_type": "Ticket", "mentionable_id": ticket.pk}
        query = f"mentions?mentionable_type=Ticket&mentionable_id={ticket.pk}"

        told(nora.post("mentions", body), 201)
        told(nora.post("mentions", body), 201)

        (mention,) = told(nora.get(query), 200)["mentions"]
        assert set(mention) == {
            "id", "mentionable_type", "mentionable_id", "user_id", "created_by_id",
            "updated_by_id", "created_at", "updated_at",
        }  # fmt: skip
        other = Wire(cast.person("sam", roles=[2], groups={1: ["read"]}))
        assert message(other.delete(f"mentions/{mention['id']}"), 403) == "Not authorized"
        told(nora.delete(f"mentions/{mention['id']}"), 200)
        assert told(nora.get(query), 200)["mentions"] == []
        message(nora.delete(f"mentions/{mention['id']}"), 404)


class TestMerge:
    def test_success(self, nora: Wire, kemal: User, ticket: Ticket) -> None:
        target = cast.ticket(kemal)

        body = told(nora.put(f"ticket_merge/{ticket.pk}/{target.number}"), 200)

        assert body["result"] == "success"
        assert body["target_ticket"]["id"] == target.pk
        source = body["source_ticket"]
        assert (source["state_id"], source["owner_id"]) == (5, 1)
        assert Article.objects.filter(ticket=target).count() == 2
        assert Article.objects.get(ticket=ticket).body == "merged"
        links = told(nora.get(f"links?link_object_value={ticket.pk}"), 200)["links"]
        assert links == [
            {"link_type": "parent", "link_object": "Ticket", "link_object_value": target.pk}
        ]

    def test_all_that_hangs_on_the_source_moves(self, nora: Wire, kemal: User) -> None:
        source, target, third = (cast.ticket(kemal) for _ in range(3))
        data = base64.b64encode(b"alpha").decode()
        file = {"filename": "a.txt", "data": data, "mime-type": "text/plain"}
        body = {"article": {"body": "see file", "attachments": [file], "time_unit": 5}}
        told(nora.put(f"tickets/{source.pk}", body), 200)
        told(
            nora.post("mentions", {"mentionable_type": "Ticket", "mentionable_id": source.pk}), 201
        )
        told(nora.post("links/add", {
            "link_type": "normal", "link_object_target_value": source.pk,
            "link_object_source_number": third.number}), 201)  # fmt: skip

        told(nora.put(f"ticket_merge/{source.pk}/{target.number}"), 200)

        moved = told(nora.get(f"ticket_articles/by_ticket/{target.pk}"), 200)
        assert [one["body"] for one in moved] == ["It burns.", "It burns.", "see file"]
        (kept,) = told(nora.get(f"ticket_articles/by_ticket/{source.pk}"), 200)
        assert (kept["body"], kept["type"]) == ("merged", "note")
        attachment = f"{moved[2]['id']}/{moved[2]['attachments'][0]['id']}"
        for id_ in (source.pk, target.pk):
            assert content(nora.get(f"ticket_attachment/{id_}/{attachment}")) == b"alpha"
        apart = nora.get(f"ticket_attachment/{third.pk}/{attachment}")
        assert "does not belong" in message(apart, 403)
        everything = told(nora.get(f"tickets/{target.pk}?all=true"), 200)
        assert len(everything["mentions"]) == len(everything["time_accountings"]) == 1
        links = {one["link_object_value"]: one["link_type"] for one in everything["links"]}
        assert links == {third.pk: "normal", source.pk: "child"}
        emptied = told(nora.get(f"tickets/{source.pk}?all=true"), 200)
        assert (emptied["mentions"], emptied["time_accountings"]) == ([], [])
        told_of = {}
        for id_ in (source.pk, target.pk):
            lines = told(nora.get(f"ticket_history/{id_}"), 200)["history"]
            told_of[id_] = {
                line["type"]: (line["related_object"], line["related_o_id"])
                for line in lines
                if line["attribute"] == "merge"
            }
        assert told_of == {
            source.pk: {"merged_into": ("Ticket", target.pk)},
            target.pk: {"received_merge": ("Ticket", source.pk)},
        }

    def test_the_target_is_judged_before_the_source(self, nora: Wire, ticket: Ticket) -> None:
        """Whoever may not touch the target hears nothing else."""
        far = cast.ticket(None, group_id=cast.group("Far").pk)

        assert message(nora.put(f"ticket_merge/99999/{far.number}"), 403) == "Not authorized"

    def test_failures(self, nora: Wire, kemal: User, ticket: Ticket) -> None:
        target = cast.ticket(kemal)
        no_target = "The target ticket number could not be found."

        by_id = nora.put(f"ticket_merge/{ticket.pk}/{target.pk}")
        assert told(by_id, 200) == {"result": "failed", "message": no_target}
        for id_ in ("99999", "x"):
            assert told(nora.put(f"ticket_merge/{id_}/{target.number}"), 200) == {
                "result": "failed",
                "message": "The source ticket could not be found.",
            }
        itself = nora.put(f"ticket_merge/{ticket.pk}/{ticket.number}")
        assert message(itself, 422) == "A ticket cannot be merged into itself."
        told(nora.put(f"ticket_merge/{target.pk}/{ticket.number}"), 200)
        third = cast.ticket(kemal)
        again = nora.put(f"ticket_merge/{third.pk}/{target.number}")
        assert message(again, 422) == ("It is not possible to merge into an already merged ticket.")
        far = cast.ticket(None, group_id=cast.group("Far").pk)
        for path in (f"{far.pk}/{ticket.number}", f"{ticket.pk}/{far.number}"):
            assert message(nora.put(f"ticket_merge/{path}"), 403) == "Not authorized"


def test_history_tells_what_came_and_went(nora: Wire, kemal: User) -> None:
    """Who, what and which other row; words of tags, numbers of tickets."""
    new = {"title": "x", "group": "Users", "customer": "kemal", "article": {"body": "first"}}
    made = told(nora.post("tickets", {**new, "tags": "vip"}), 201)["id"]
    other = cast.ticket(kemal)
    added = told(nora.post("ticket_articles", {"ticket_id": made, "body": "second"}), 201)
    tag = {"object": "Ticket", "o_id": made, "item": "vip"}
    told(nora.delete("tags/remove", tag), 200)
    tie = {"link_type": "normal", "link_object_target_value": made}
    told(nora.post("links/add", {**tie, "link_object_source_number": other.number}), 201)
    told(nora.delete("links/remove", {**tie, "link_object_source_value": other.pk}), 200)

    history = told(nora.get(f"ticket_history/{made}"), 200)["history"]

    assert {line["o_id"] for line in history} == {made}
    assert [
        (line["type"], line["attribute"], line["value_from"], line["value_to"]) for line in history
    ] == [
        ("created", "ticket", "", "x"),
        ("created", "article", "", ""),
        ("added", "tag", "", "vip"),
        ("created", "article", "", ""),
        ("removed", "tag", "vip", ""),
        ("added", "link", "", other.number),
        ("removed", "link", other.number, ""),
    ]
    assert (history[3]["related_object"], history[3]["related_o_id"]) == (
        "Ticket::Article",
        added["id"],
    )
    assert history[5]["related_o_id"] == other.pk
    message(nora.get("ticket_history/99999"), 404)


def test_history(nora: Wire, ticket: Ticket) -> None:
    told(nora.put(f"tickets/{ticket.pk}", {"state": "open", "title": "new"}), 200)

    body = told(nora.get(f"ticket_history/{ticket.pk}"), 200)

    entries = body["history"]
    assert [entry["id"] for entry in entries] == sorted(entry["id"] for entry in entries)
    assert entries[0]["type"] == "created"
    state = next(entry for entry in entries if entry["attribute"] == "state")
    assert (state["value_from"], state["value_to"]) == ("new", "open")
    assert (state["id_from"], state["id_to"]) == (1, 2)
    assert (state["object"], state["o_id"], state["type"]) == ("Ticket", ticket.pk, "updated")
    assert str(state["created_by_id"]) in body["assets"]["User"]
