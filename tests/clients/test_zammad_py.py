"""The published Python client of the Zammad API, unmodified, against a desk in its own processes.

Every method of its ticket side is called; what is only in its knowledge base is not offered here.
"""

from __future__ import annotations

import base64
import inspect
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from requests.exceptions import HTTPError
from zammad_py import ZammadAPI
from zammad_py.api import Object, OnlineNotification

from tests.live import LiveDesk

pytestmark = pytest.mark.live

PNG = (
    "iVBORw0KGgoAAAANSUhEUgAAAAUAAAAFCAYAAACNbyblAAAAHElEQVQI12P4//8/w38GIAXDIBKE0DHxgljNBAAO"
    "9TXL0Y4OHwAAAABJRU5ErkJggg=="
)


def unique(word: str) -> str:
    return f"{word}{uuid.uuid4().hex[:8]}"


@pytest.fixture(scope="module")
def url(live_desk: LiveDesk) -> str:
    return f"{live_desk.url}/api/v1"


@pytest.fixture(scope="module")
def by_password(live_desk: LiveDesk, url: str) -> ZammadAPI:
    return ZammadAPI(url=url, username=live_desk.admin_email, password=live_desk.admin_password)


@pytest.fixture(scope="module")
def secret(by_password: ZammadAPI, url: str) -> str:
    """An API token, made by the one call the client has no method for."""
    names = ["admin", "ticket.agent", "user_preferences"]
    answer = by_password.session.post(
        f"{url}/user_access_token", json={"name": "tests", "permission": names}
    )
    assert answer.status_code == 200, answer.text
    return str(answer.json()["token"])


@pytest.fixture(scope="module")
def api(url: str, secret: str) -> Iterator[ZammadAPI]:
    """The client, signed in by a token."""
    client = ZammadAPI(url=url, http_token=secret)
    yield client
    client.session.close()


@pytest.fixture(scope="module")
def by_bearer(url: str, secret: str) -> Iterator[ZammadAPI]:
    client = ZammadAPI(url=url, oauth2_token=secret)
    yield client
    client.session.close()


@pytest.fixture(params=["by_password", "api", "by_bearer"])
def each_way(request: pytest.FixtureRequest) -> Any:
    """The client, signed in each way it knows."""
    return request.getfixturevalue(request.param)


def a_ticket(api: ZammadAPI, **keys: Any) -> dict[str, Any]:
    body = {
        "title": unique("Printer "),
        "group": "Users",
        "customer_id": "guess:kemal@example.com",
        "article": {
            "subject": "My subject",
            "body": "I am a message!",
            "type": "note",
            "internal": False,
        },
        **keys,
    }
    created: dict[str, Any] = api.ticket.create(params=body)
    return created


class TestTickets:
    def test_are_created_read_changed_and_removed(self, each_way: ZammadAPI) -> None:
        api = each_way
        created = a_ticket(api)
        id_ = created["id"]

        assert api.ticket.find(id_)["title"] == created["title"]
        changed = api.ticket.update(
            id=id_,
            params={
                "id": id_,
                "title": "No help for you",
                "state": "open",
                "priority": "3 high",
                "article": {"subject": "Update via API", "body": "Here is my reason"},
            },
        )
        assert (changed["title"], changed["state_id"], changed["priority_id"]) == (
            "No help for you",
            2,
            3,
        )
        articles = api.ticket.articles(id_)
        assert [one["body"] for one in articles] == ["I am a message!", "Here is my reason"]
        assert articles[0]["type"] == "note"
        assert api.ticket.destroy(id_) == {}
        with pytest.raises(HTTPError, match="Couldn't find Ticket"):
            api.ticket.find(id_)

    def test_are_walked_page_by_page(self, by_password: ZammadAPI) -> None:
        made = {a_ticket(by_password)["id"] for _ in range(5)}

        seen: list[int] = []
        page = by_password.ticket.all(filters={"per_page": 2})
        while True:
            assert all(one["group"] == "Users" and one["owner"] == "-" for one in page)
            seen += [one["id"] for one in page]
            # The client forgets the size it was given, and so never knows the last page.
            if not len(page):
                break
            page = page.next_page()

        assert seen == sorted(set(seen))
        assert made <= set(seen)
        first = by_password.ticket.all(page=1)
        assert [one["id"] for one in first.next_page().prev_page()] == [one["id"] for one in first]

    def test_are_searched_at_once(self, api: ZammadAPI) -> None:
        word = unique("zebra")
        ids = [a_ticket(api, title=f"{word} {n}")["id"] for n in range(3)]

        found = api.ticket.search(word, filters={"sort_by": "id", "order_by": "desc"})

        assert [one["id"] for one in found] == ids[::-1]
        assert found[0]["customer"] == "kemal@example.com"
        assert found[0]["article_ids"] != []
        assert [one["id"] for one in api.ticket.search(f'title:"{word} 1"')] == [ids[1]]
        assert list(api.ticket.search(unique("nothing"))) == []

    def test_are_merged_linked_and_tagged(self, api: ZammadAPI) -> None:
        one, two, three = (a_ticket(api) for _ in range(3))

        assert api.link.add(one["id"], two["number"])["link_object_source_value"] == two["id"]
        listed = api.link.get(one["id"])
        assert listed["links"] == [
            {"link_type": "normal", "link_object": "Ticket", "link_object_value": two["id"]}
        ]
        assert str(two["id"]) in listed["assets"]["Ticket"]
        api.link.remove(one["id"], two["number"])
        assert api.link.get(one["id"])["links"] == []

        tag = unique("tag")
        assert api.ticket_tag.add(one["id"], tag) is True
        assert api.ticket.tags(one["id"]) == {"tags": [tag]}
        assert api.ticket_tag.remove(one["id"], tag) is True
        assert api.ticket.tags(one["id"]) == {"tags": []}

        assert api.ticket.merge(one["id"], three["id"])["result"] == "failed"
        merged = api.ticket.merge(one["id"], three["number"])
        assert merged["result"] == "success"
        assert (merged["target_ticket"]["id"], merged["source_ticket"]["state_id"]) == (
            three["id"],
            5,
        )

    def test_carry_files(self, api: ZammadAPI) -> None:
        data = bytes(range(256)) * 40
        files = [
            {
                "filename": "bytes.bin",
                "data": base64.encodebytes(data).decode(),
                "mime-type": "application/octet-stream",
            }
        ]
        html = f'<b>look</b> <img src="data:image/png;base64,{PNG}" alt="dot">'
        ticket = a_ticket(
            api, article={"body": html, "content_type": "text/html", "attachments": files}
        )
        article = api.ticket.articles(ticket["id"])[0]
        inline, file = article["attachments"]

        def bytes_of(attachment: dict[str, Any]) -> Any:
            return api.ticket_article_attachment.download(
                id=attachment["id"], article_id=article["id"], ticket_id=ticket["id"]
            )

        assert file["size"] == str(len(data))
        assert bytes_of(file) == data
        assert bytes_of(inline) == base64.b64decode(PNG)
        assert f'src="/api/v1/ticket_attachment/{ticket["id"]}/{article["id"]}/' in article["body"]

    def test_articles_stand_for_themselves(self, api: ZammadAPI) -> None:
        ticket = a_ticket(api)

        added = api.ticket_article.create(
            params={"ticket_id": ticket["id"], "body": "What a mess", "type": "phone"}
        )

        assert (added["type"], added["sender"], added["body"]) == ("phone", "Agent", "What a mess")
        assert api.ticket_article.find(added["id"])["id"] == added["id"]
        assert api.ticket_article.update(added["id"], {"internal": True})["internal"] is True
        with pytest.raises(HTTPError, match="raw copy"):
            api.ticket_article_plain.find(added["id"])
        note = api.ticket_article.create({"ticket_id": ticket["id"], "body": "oops"})
        assert api.ticket_article.destroy(note["id"]) == {}


class TestPeople:
    def test_users(self, api: ZammadAPI, live_desk: LiveDesk) -> None:
        assert api.user.me()["email"] == live_desk.admin_email
        email = f"{unique('u')}@example.com"
        user = api.user.create({"firstname": "Uta", "lastname": "Neu", "email": email})
        assert (user["login"], user["role_ids"]) == (email, [3])
        assert api.user.update(user["id"], {"city": "Ulm", "phone": None})["city"] == "Ulm"
        assert api.user.find(user["id"])["email"] == email
        assert [one["id"] for one in api.user.search(email)] == [user["id"]]
        assert user["id"] in [one["id"] for one in api.user.all(filters={"per_page": 1000})]
        assert api.user.destroy(user["id"]) == {}

    @pytest.mark.parametrize(
        ("resource", "word"), [("group", "name"), ("organization", "name"), ("role", "name")]
    )
    def test_groups_organizations_and_roles(self, api: ZammadAPI, resource: str, word: str) -> None:
        kind = getattr(api, resource)
        row = kind.create({word: unique("Row ")})
        assert kind.find(row["id"])[word] == row[word]
        assert kind.update(row["id"], {"note": "hello"})["note"] == "hello"
        assert row["id"] in [one["id"] for one in kind.search(row[word])]
        assert all(one["created_by"] for one in kind.all(filters={"per_page": 100}))
        assert kind.destroy(row["id"]) == {}

    def test_on_behalf_of(self, url: str, live_desk: LiveDesk, by_password: ZammadAPI) -> None:
        email = f"{unique('b')}@example.com"
        user = by_password.user.create({"firstname": "Bert", "email": email})
        client = ZammadAPI(
            url=url,
            username=live_desk.admin_email,
            password=live_desk.admin_password,
            on_behalf_of=email,
        )

        assert client.user.me()["id"] == user["id"]
        ticket = a_ticket(client)
        assert (ticket["customer_id"], ticket["created_by_id"]) == (user["id"], user["id"])
        with client.request_on_behalf_of(live_desk.admin_email):
            assert client.user.me()["email"] == live_desk.admin_email
        client.on_behalf_of = "99449494949"
        with pytest.raises(HTTPError, match="No such user '99449494949'"):
            client.user.me()
        client.session.close()


class TestVocabulary:
    @pytest.mark.parametrize(
        ("resource", "body"),
        [("ticket_state", {"state_type_id": 2}), ("ticket_priority", {"ui_icon": "important"})],
    )
    def test_states_and_priorities(
        self, by_password: ZammadAPI, resource: str, body: dict[str, Any]
    ) -> None:
        kind = getattr(by_password, resource)
        row = kind.create({"name": unique("row "), **body})
        assert row["active"] is True
        assert kind.find(row["id"])["name"] == row["name"]
        assert kind.update(row["id"], {"note": "hello"})["note"] == "hello"
        assert row["id"] in [one["id"] for one in kind.all(filters={"per_page": 100})]
        assert kind.destroy(row["id"]) == {}

    def test_the_seeded_ones(self, by_password: ZammadAPI) -> None:
        assert [(one["id"], one["name"]) for one in by_password.ticket_priority.all()][:3] == [
            (1, "1 low"),
            (2, "2 normal"),
            (3, "3 high"),
        ]
        states = {one["id"]: one["state_type_id"] for one in by_password.ticket_state.all()}
        assert [states[n] for n in range(1, 8)] == [1, 2, 3, 5, 6, 7, 4]


class TestAround:
    """What the client has classes for, with or without a property of their own."""

    def test_tags_are_administered(self, api: ZammadAPI) -> None:
        name = unique("tag")
        assert api.taglist.create({"name": name}) == {}
        row = next(one for one in api.taglist.all(filters={"per_page": 500}) if one["name"] == name)
        assert row["count"] == 0
        assert api.taglist.update(row["id"], {"name": f"{name}-2"}) == {}
        assert api.taglist.destroy(row["id"]) == {}

    def test_notifications(self, api: ZammadAPI, live_desk: LiveDesk) -> None:
        notifications = OnlineNotification(connection=api)
        by_customer = ZammadAPI(
            url=api.url,
            username=live_desk.admin_email,
            password=live_desk.admin_password,
            on_behalf_of="kemal@example.com",
        )
        a_ticket(api)
        ticket = by_customer.ticket.create(
            {"title": "Help", "group": "Users", "article": {"body": "x"}}
        )
        by_customer.session.close()
        told = next(one for one in notifications.all() if one["o_id"] == ticket["id"])
        assert (told["type"], told["object"], told["seen"]) == ("create", "Ticket", False)
        assert notifications.update(told["id"], {"seen": True})["seen"] is True
        assert notifications.mark_all_read() == {}
        assert notifications.destroy(told["id"]) == {}

    def test_custom_fields(self, api: ZammadAPI) -> None:
        objects = Object(connection=api)
        name = unique("field_")
        made = objects.create(
            {
                "name": name,
                "object": "Ticket",
                "display": "Colour",
                "active": True,
                "data_type": "input",
                "data_option": {"type": "text", "maxlength": 120, "null": True, "default": ""},
                "screens": {},
                "position": 1550,
            }
        )
        assert objects.find(made["id"])["name"] == name
        assert name in [one["name"] for one in objects.all(filters={"per_page": 500})]
        objects.execute_migrations()
        assert a_ticket(api, **{name: "red"})[name] == "red"


def test_wrong_credentials(url: str) -> None:
    client = ZammadAPI(url=url, username="nobody@example.com", password="wrong")
    with pytest.raises(HTTPError, match="Invalid BasicAuth credentials"):
        client.user.me()
    client.session.close()


def test_nothing_new_of_the_client_is_forgotten() -> None:
    """A release with more resources must be looked at."""
    found = {
        name
        for name, member in inspect.getmembers(ZammadAPI)
        if isinstance(member, property) and not name.startswith("knowledge_bases")
    }
    assert found == {
        "group",
        "link",
        "on_behalf_of",
        "organization",
        "role",
        "taglist",
        "ticket",
        "ticket_article",
        "ticket_article_attachment",
        "ticket_article_plain",
        "ticket_priority",
        "ticket_state",
        "ticket_tag",
        "user",
    }
