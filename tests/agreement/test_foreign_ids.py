"""Ids of what the caller may not see, wherever a call can name one: refused, and never written.

The Zammad dialect, because it takes the most ids. What a call may do to the caller's own things is
not the matter here; after a call of this table the desk's rows are what they were before.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction

from deskbell.api.zammad.models import Upload
from deskbell.kernel.actor import SYSTEM
from deskbell.notify.models import OnlineNotification
from deskbell.people.models import ApiToken, User, UserGroup, UserRole
from deskbell.tickets.attachments import NewFile
from deskbell.tickets.models import (
    Article,
    Attachment,
    Link,
    Mention,
    RecentView,
    Ticket,
    TicketTag,
    TimeEntry,
)
from deskbell.tickets.operations import NewArticle, follow, link, update_ticket
from tests import cast
from tests.api.zammad.wire import Wire, content, token_of, told

pytestmark = pytest.mark.django_db

WATCHED = (
    Ticket,
    Article,
    Attachment,
    Link,
    Mention,
    OnlineNotification,
    RecentView,
    TicketTag,
    TimeEntry,
    Upload,
    User,
    UserGroup,
    UserRole,
)


@dataclass
class Desk:
    """Nora's ticket, Kemal's, and one in a group that neither has to do with."""

    places: dict[str, Any]
    wires: dict[str, Wire]


@pytest.fixture
def desk() -> Desk:
    hidden_group = cast.group("Hidden")
    strange, acme = cast.organization("Strange"), cast.organization("Acme")
    kemal = cast.kemal(organization=acme)
    rosa = cast.person("rosa", roles=[3], organization=strange)
    nora = cast.nora()
    far = cast.person("far", roles=[2], groups={hidden_group.pk: ["full"]})
    rita = cast.person("rita", roles=[2], groups={1: ["read"]})

    def filled(ticket: Ticket, who: User) -> Article:
        note = NewArticle(
            body="x", internal=True, seconds=60, files=[NewFile("a.txt", b"secret", "text/plain")]
        )
        actor = cast.acting(who, "zammad")
        _, article = update_ticket(ticket.pk, None, note, actor=actor, at=cast.MONDAY_10AM)
        follow(ticket.pk, actor=actor, at=cast.MONDAY_10AM)
        assert isinstance(article, Article)
        return article

    own = cast.ticket(kemal, title="own")
    hidden = cast.ticket(
        rosa,
        title="hidden",
        group_id=hidden_group.pk,
        actor=cast.acting(rosa, "zammad"),
    )
    other = cast.ticket(rosa, title="also hidden", group_id=hidden_group.pk)
    own_article, hidden_article = filled(own, nora), filled(hidden, far)
    public = NewArticle(body="public", files=[NewFile("b.txt", b"b", "text/plain")])
    _, shown_article = update_ticket(own.pk, None, public, actor=SYSTEM, at=cast.MONDAY_10AM)
    assert isinstance(shown_article, Article)
    link("normal", hidden.pk, other.pk, actor=SYSTEM, at=cast.MONDAY_10AM)
    wires = {user.login: Wire(user) for user in (nora, kemal, rosa, far, rita)}
    upload = wires["far"].client.post(
        "/api/v1/attachments",
        {"File": SimpleUploadedFile("up.txt", b"uploaded"), "form_id": "f1"},
        headers=wires["far"].headers,
    )
    assert upload.status_code in (200, 201), upload.content
    notification = OnlineNotification.objects.filter(user=far).first()
    return Desk(
        places={
            "own": own.pk,
            "own_number": own.number,
            "own_article": own_article.pk,
            "own_file": own_article.attachments.get().pk,
            "shown_article": shown_article.pk,
            "hidden": hidden.pk,
            "hidden_number": hidden.number,
            "hidden_article": hidden_article.pk,
            "hidden_file": hidden_article.attachments.get().pk,
            "hidden_group": hidden_group.pk,
            "hidden_mention": Mention.objects.get(ticket=hidden, user=far).pk,
            "hidden_time": TimeEntry.objects.get(ticket=hidden).pk,
            "other": other.pk,
            "other_number": other.number,
            "strange": strange.pk,
            "kemal": kemal.pk,
            "rosa": rosa.pk,
            "far": far.pk,
            "rita": rita.pk,
            "token": ApiToken.objects.get(user=far).pk,
            "upload": upload.json()["data"]["id"],
            "notification": notification.pk if notification else 0,
        },
        wires=wires,
    )


TIE = {"link_type": "normal", "link_object_source": "Ticket", "link_object_target": "Ticket"}
NEW = {"title": "new", "group": "Users"}
UPLOADED = {"body": "x", "form_id": "f1"}

#: A view that may not be had is not remembered, and not complained of either (as in Zammad).
#: Who, verb, path, body, and what is answered. ``{name}`` is a row of the desk.
REFUSED: list[tuple[str, str, str, Any, int]] = [
    # A ticket's own columns.
    ("nora", "POST", "tickets", {"title": "x", "group_id": "{hidden_group}"}, 403),
    ("nora", "POST", "tickets", {"title": "x", "group": "Hidden"}, 403),
    ("nora", "PUT", "tickets/{own}", {"group_id": "{hidden_group}"}, 422),
    ("nora", "PUT", "tickets/{own}", {"group": "Hidden"}, 422),
    ("nora", "PUT", "tickets/{own}", {"owner_id": "{far}"}, 422),
    ("nora", "PUT", "tickets/{own}", {"owner_id": "{rita}"}, 422),
    ("nora", "PUT", "tickets/{own}", {"owner_id": "{kemal}"}, 422),
    ("nora", "PUT", "tickets/{own}", {"owner": "far"}, 422),
    ("nora", "POST", "tickets", {**NEW, "owner_id": "{far}"}, 422),
    ("nora", "PUT", "tickets/{own}", {"customer_id": 999999}, 422),
    ("nora", "PUT", "tickets/{own}", {"state_id": 999}, 422),
    ("nora", "PUT", "tickets/{own}", {"state_id": 5}, 422),
    ("nora", "PUT", "tickets/{own}", {"priority_id": 999}, 422),
    # What a new ticket brings along.
    ("nora", "POST", "tickets", {**NEW, "links": {"Ticket": {"normal": ["{hidden}"]}}}, 403),
    ("nora", "POST", "tickets", {**NEW, "links": {"Ticket": {"child": ["{hidden}"]}}}, 403),
    ("nora", "POST", "tickets", {**NEW, "mentions": ["{kemal}"]}, 422),
    ("nora", "POST", "tickets", {**NEW, "mentions": ["{far}"]}, 422),
    ("kemal", "POST", "tickets", {**NEW, "mentions": ["{kemal}"]}, 403),
    # Other people's tickets.
    ("nora", "GET", "tickets/{hidden}", None, 403),
    ("nora", "PUT", "tickets/{hidden}", {"title": "x"}, 403),
    ("nora", "PUT", "tickets/{hidden}/update_title", {"title": "x"}, 403),
    ("nora", "PUT", "tickets/{hidden}/update_customer", {"customer_id": "{kemal}"}, 403),
    ("nora", "POST", "tickets/mass_update",
     {"ticket_ids": ["{own}", "{hidden}"], "attributes": {"title": "x"}}, 422),
    ("nora", "GET", "ticket_history/{hidden}", None, 403),
    ("nora", "GET", "ticket_related/{hidden}", None, 403),
    ("nora", "GET", "ticket_split?ticket_id={hidden}&article_id={hidden_article}&form_id=f2",
     None, 403),
    ("nora", "POST", "recent_view", {"object": "Ticket", "o_id": "{hidden}"}, 200),
    ("kemal", "PUT", "tickets/{hidden}", {"title": "x"}, 403),
    # Articles and their files.
    ("nora", "POST", "ticket_articles", {"ticket_id": "{hidden}", "body": "x"}, 403),
    ("nora", "POST", "ticket_articles", {"ticket_id": "{own}", "body": "x", "type_id": 99}, 422),
    ("nora", "POST", "ticket_articles", {"ticket_id": "{own}", "body": "x", "sender_id": 9}, 422),
    ("nora", "POST", "ticket_articles",
     {"ticket_id": "{own}", "body": "x", "origin_by_id": 999999}, 422),
    ("nora", "GET", "ticket_articles/by_ticket/{hidden}", None, 403),
    ("nora", "GET", "ticket_articles/{hidden_article}", None, 403),
    ("nora", "PUT", "ticket_articles/{hidden_article}", {"internal": False}, 403),
    ("nora", "DELETE", "ticket_articles/{hidden_article}", None, 403),
    ("nora", "GET", "ticket_article_plain/{hidden_article}", None, 403),
    ("kemal", "GET", "ticket_articles/{own_article}", None, 403),
    ("kemal", "PUT", "ticket_articles/{own_article}", {"internal": False}, 403),
    ("nora", "GET", "ticket_attachment/{hidden}/{hidden_article}/{hidden_file}", None, 403),
    ("nora", "GET", "ticket_attachment/{own}/{hidden_article}/{hidden_file}", None, 403),
    ("nora", "GET", "ticket_attachment/{own}/{own_article}/{hidden_file}", None, 403),
    ("nora", "GET", "ticket_attachment/{hidden}/{own_article}/{own_file}", None, 403),
    ("kemal", "GET", "ticket_attachment/{own}/{own_article}/{own_file}", None, 403),
    ("kemal", "GET", "ticket_attachment/{own}/{shown_article}/{own_file}", None, 403),
    ("nora", "DELETE", "attachments/{upload}", None, 404),
    # Ties between tickets, and what hangs on them.
    ("nora", "GET", "links", {"link_object": "Ticket", "link_object_value": "{hidden}"}, 403),
    ("nora", "POST", "links/add",
     {**TIE, "link_object_target_value": "{hidden}", "link_object_source_number": "{own_number}"},
     403),
    ("nora", "POST", "links/add",
     {**TIE, "link_object_target_value": "{own}", "link_object_source_number": "{hidden_number}"},
     403),
    ("nora", "DELETE", "links/remove",
     {**TIE, "link_object_target_value": "{hidden}", "link_object_source_value": "{other}"}, 403),
    ("nora", "GET", "tags?object=Ticket&o_id={hidden}", None, 403),
    ("nora", "POST", "tags/add", {"object": "Ticket", "o_id": "{hidden}", "item": "x"}, 403),
    ("nora", "DELETE", "tags/remove", {"object": "Ticket", "o_id": "{hidden}", "item": "x"}, 403),
    ("nora", "GET", "mentions?mentionable_type=Ticket&mentionable_id={hidden}", None, 403),
    ("nora", "POST", "mentions",
     {"mentionable_type": "Ticket", "mentionable_id": "{hidden}"}, 403),
    ("nora", "DELETE", "mentions/{hidden_mention}", None, 403),
    ("nora", "PUT", "ticket_merge/{own}/{hidden_number}", None, 403),
    ("nora", "PUT", "ticket_merge/{hidden}/{own_number}", None, 403),
    ("nora", "GET", "tickets/{hidden}/time_accountings", None, 403),
    ("nora", "POST", "tickets/{hidden}/time_accountings", {"time_unit": "5"}, 403),
    ("nora", "POST", "time_accountings", {"ticket_id": "{hidden}", "time_unit": "5"}, 403),
    ("nora", "GET", "time_accountings/{hidden_time}", None, 403),
    ("nora", "PUT", "time_accountings/{hidden_time}", {"time_unit": "5"}, 403),
    ("nora", "DELETE", "time_accountings/{hidden_time}", None, 403),
    # People and what is theirs alone.
    ("nora", "PUT", "users/{far}", {"firstname": "x"}, 403),
    ("nora", "PUT", "users/{kemal}", {"organization_id": 999999}, 422),
    ("nora", "GET", "groups/{hidden_group}", None, 403),
    ("kemal", "GET", "users/{rosa}", None, 403),
    ("kemal", "GET", "organizations/{strange}", None, 403),
    ("nora", "DELETE", "user_access_token/{token}", None, 422),
    ("nora", "GET", "online_notifications/{notification}", None, 403),
    ("nora", "PUT", "online_notifications/{notification}", {"seen": True}, 403),
    ("nora", "DELETE", "online_notifications/{notification}", None, 403),
]  # fmt: skip


def filled(value: Any, places: dict[str, Any]) -> Any:
    """A body with the desk's ids: a text that is one place only becomes its value."""
    if isinstance(value, dict):
        return {key: filled(one, places) for key, one in value.items()}
    if isinstance(value, list):
        return [filled(one, places) for one in value]
    if isinstance(value, str) and value.startswith("{") and value.endswith("}"):
        return places.get(value[1:-1], value)
    return value


def rows() -> list[Any]:
    """Everything that is watched, row by row."""
    return [sorted(map(str, model.objects.values_list())) for model in WATCHED]


def test_foreign_ids_are_refused_and_nothing_is_written(desk: Desk) -> None:
    assert desk.places["notification"], "nobody was told, so nothing can be hidden"
    before = rows()
    wrong = []
    for who, verb, path, body, status in REFUSED:
        with transaction.atomic():
            answer = desk.wires[who].call(
                verb, path.format(**desk.places), filled(body, desk.places)
            )
            raw = content(answer)
            if answer.status_code != status:
                wrong.append((who, verb, path, body, answer.status_code, raw[:200]))
            if b"secret" in raw or b"hidden" in raw:
                wrong.append((who, verb, path, body, "told too much", raw[:200]))
            changed = rows() != before
            transaction.set_rollback(True)
        if changed:
            wrong.append((who, verb, path, body, "has written", answer.status_code))

    assert wrong == []


class TestWhatIsPassedOver:
    """Where the contract says that an id is dropped, the answer is a success without it."""

    def test_columns_that_customers_do_not_write(self, desk: Desk) -> None:
        places = desk.places
        before = Ticket.objects.filter(pk=places["own"]).values(
            "customer_id", "owner_id", "organization_id", "preferences"
        )
        kept = before.get()
        body = {
            "customer_id": places["rosa"],
            "owner_id": places["far"],
            "organization_id": places["strange"],
            "preferences": {"x": 1},
        }
        told(desk.wires["kemal"].put(f"tickets/{places['own']}", body), 200)
        assert before.get() == kept
        made = told(desk.wires["kemal"].post("tickets", {**NEW, **body}), 201)
        assert (made["customer_id"], made["owner_id"]) == (places["kemal"], 1)
        assert made["organization_id"] == kept["organization_id"]
        assert made["preferences"] == {}

    def test_an_organization_that_is_not_the_customers(self, desk: Desk) -> None:
        path = f"tickets/{desk.places['own']}"
        for id_ in (desk.places["strange"], 999999):
            changed = told(desk.wires["nora"].put(path, {"organization_id": id_}), 200)
            assert changed["organization_id"] not in (desk.places["strange"], id_)

    def test_somebody_elses_upload(self, desk: Desk) -> None:
        body = {**UPLOADED, "ticket_id": desk.places["own"]}
        article = told(desk.wires["nora"].post("ticket_articles", body), 201)
        assert article["attachments"] == []
        assert Upload.objects.filter(pk=desk.places["upload"]).exists()

    def test_roles_and_groups_from_an_agent(self, desk: Desk) -> None:
        path = f"users/{desk.places['kemal']}"
        body = {"role_ids": [1], "group_ids": {str(desk.places["hidden_group"]): ["full"]}}
        changed = told(desk.wires["nora"].put(path, body), 200)
        assert (changed["role_ids"], changed["group_ids"]) == ([3], {})

    def test_ids_that_a_search_is_narrowed_to(self, desk: Desk) -> None:
        nora, places = desk.wires["nora"], desk.places
        both = [places["own"], places["hidden"]]
        found = told(nora.post("tickets/search", {"query": "*", "ids": both}), 200)
        assert [one["id"] for one in found] == [places["own"]]
        condition = {"ticket.group_id": {"operator": "is", "value": [places["hidden_group"]]}}
        assert told(nora.post("tickets/search", {"condition": condition}), 200) == []
        of_rosa = told(nora.get(f"ticket_customer?customer_id={places['rosa']}"), 200)
        assert (of_rosa["ticket_ids_open"], of_rosa["ticket_ids_closed"]) == ([], [])

    def test_a_token_narrows_ids_too(self, desk: Desk) -> None:
        far = User.objects.get(pk=desk.places["far"])
        narrow = Wire(Authorization=f"Token {token_of(far, ['user_preferences'])}")
        path = f"tickets/{desk.places['hidden']}"
        assert narrow.get(path).status_code == 403
        assert narrow.put(path, {"title": "x"}).status_code == 403
