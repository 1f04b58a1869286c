"""Who may do what: every route and verb for every kind of caller, in one table."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction

from deskbell.people.models import User
from deskbell.tickets.models import Attachment, Ticket
from tests.api.helpdesk.client import Answer, Api
from tests.cast import ada, kemal, nora, person, pure_admin, ticket

pytestmark = pytest.mark.django_db

CALLERS: dict[str, Callable[[], Api]] = {
    "stranger": Api,
    "inactive": lambda: Api(nora(active=False)),
    "customer": lambda: Api(User.objects.get(login="kemal")),
    "other": lambda: Api(person("olga", roles=[3])),
    "outsider": lambda: Api(nora(groups={})),
    "reader": lambda: Api(nora(groups={1: ["read"]})),
    "agent": lambda: Api(nora()),
    "admin": lambda: Api(pure_admin()),
    "boss": lambda: Api(User.objects.get(login="ada")),
}
#: What each caller hears, in the order of CALLERS.
FORBIDDEN = [403, 403, 403, 403]
TABLE: list[tuple[str, str, list[int]]] = [
    ("GET", "", [200, 403, 200, 200, 200, 200, 200, 200, 200]),
    ("OPTIONS", "", [200, 403, 200, 200, 200, 200, 200, 200, 200]),
    ("GET", "tickets/", [*FORBIDDEN, 200, 200, 200, 200, 200]),
    ("OPTIONS", "tickets/", [*FORBIDDEN, 200, 200, 200, 200, 200]),
    ("POST", "tickets/", [*FORBIDDEN, 400, 400, 201, 400, 201]),
    ("DELETE", "tickets/", [*FORBIDDEN, 405, 405, 405, 405, 405]),
    ("GET", "tickets/{t}/", [*FORBIDDEN, 404, 200, 200, 404, 200]),
    ("HEAD", "tickets/{t}/", [*FORBIDDEN, 404, 200, 200, 404, 200]),
    ("OPTIONS", "tickets/{t}/", [*FORBIDDEN, 200, 200, 200, 200, 200]),
    ("PUT", "tickets/{t}/", [*FORBIDDEN, 404, 403, 200, 404, 200]),
    ("PATCH", "tickets/{t}/", [*FORBIDDEN, 404, 403, 200, 404, 200]),
    ("DELETE", "tickets/{t}/", [*FORBIDDEN, 404, 403, 403, 204, 204]),
    ("POST", "tickets/{t}/", [*FORBIDDEN, 405, 405, 405, 405, 405]),
    ("GET", "followups/", [*FORBIDDEN, 200, 200, 200, 200, 200]),
    ("POST", "followups/", [*FORBIDDEN, 400, 403, 201, 400, 201]),
    ("GET", "followups/{f}/", [*FORBIDDEN, 404, 200, 200, 404, 200]),
    ("PUT", "followups/{f}/", [*FORBIDDEN, 404, 403, 403, 404, 200]),
    ("PATCH", "followups/{f}/", [*FORBIDDEN, 404, 403, 403, 404, 200]),
    ("DELETE", "followups/{f}/", [*FORBIDDEN, 404, 403, 403, 404, 204]),
    ("GET", "followups-attachments/", [*FORBIDDEN, 200, 200, 200, 200, 200]),
    ("POST", "followups-attachments/", [*FORBIDDEN, 400, 403, 403, 400, 201]),
    ("GET", "followups-attachments/{a}/", [*FORBIDDEN, 404, 200, 200, 404, 200]),
    ("PUT", "followups-attachments/{a}/", [*FORBIDDEN, 404, 403, 403, 404, 200]),
    ("PATCH", "followups-attachments/{a}/", [*FORBIDDEN, 404, 403, 403, 404, 200]),
    ("DELETE", "followups-attachments/{a}/", [*FORBIDDEN, 404, 403, 403, 404, 204]),
    ("GET", "followups-attachments/{a}/file/a.txt", [*FORBIDDEN, 404, 200, 200, 404, 200]),
    ("GET", "user_tickets/", [403, 403, 200, 200, 200, 200, 200, 200, 200]),
    ("GET", "user_tickets/{t}/", [403, 403, 200, 404, 404, 404, 404, 404, 404]),
    ("POST", "user_tickets/", [403, 403, 405, 405, 405, 405, 405, 405, 405]),
    ("DELETE", "user_tickets/{t}/", [403, 403, 405, 405, 405, 405, 405, 405, 405]),
    ("POST", "users/", [*FORBIDDEN, 403, 403, 403, 201, 201]),
    ("GET", "users/", [*FORBIDDEN, 405, 405, 405, 405, 405]),
    ("OPTIONS", "users/", [*FORBIDDEN, 200, 200, 200, 200, 200]),
    ("GET", "users/1/", [404] * 9),
]


@pytest.fixture
def desk() -> dict[str, int]:
    """A ticket of Kemal's with a private entry of Ada's and a file on it."""
    made = ticket(kemal())
    boss = Api(ada())
    answer = boss.upload(
        "POST",
        "followups/",
        {"ticket": made.pk, "title": "T", "attachments": [SimpleUploadedFile("a.txt", b"x")]},
    )
    entry = answer.json
    return {"t": made.pk, "f": entry["id"], "a": entry["followupattachment_set"][0]["id"]}


def call(api: Api, method: str, path: str, desk: dict[str, int]) -> Answer:
    bodies: dict[str, Any] = {
        "tickets/": {"queue": 1, "title": "Changed", "description": "D"},
        "followups/": {"ticket": desk["t"], "title": "Changed"},
        "users/": {"username": "someone", "password": "a good long phrase"},
    }
    if path.startswith("followups-attachments/") and method in ("POST", "PUT", "PATCH"):
        return api.upload(
            method, path, {"followup": desk["f"], "file": SimpleUploadedFile("b.txt", b"y")}
        )
    collection = path.partition("/")[0] + "/"
    body = bodies.get(collection, {}) if method in ("POST", "PUT", "PATCH") else None
    return api.send(method, path.format(**desk), body)


def is_refused(status: int) -> bool:
    return status >= 400


def rows() -> tuple[Any, ...]:
    """What a call that is refused must leave as it is."""
    return (
        list(Ticket.objects.order_by("id").values()),
        list(Attachment.objects.order_by("id").values()),
        User.objects.count(),
    )


@pytest.mark.parametrize("caller", CALLERS)
def test_who_may_do_what(desk: dict[str, int], caller: str) -> None:
    api = CALLERS[caller]()
    before = rows()
    wrong = []
    for method, path, statuses in TABLE:
        expected = statuses[list(CALLERS).index(caller)]
        # No row's call may matter for the next one.
        with transaction.atomic():
            answer = call(api, method, path.format(**desk), desk)
            if answer.status != expected:
                wrong.append((method, path, expected, answer))
            elif is_refused(expected) and method != "HEAD":
                assert isinstance(answer.json, dict)
                assert b"Printer" not in answer.body
                assert rows() == before
            transaction.set_rollback(True)

    assert wrong == []


class TestWhatOthersHave:
    def test_does_not_exist_in_lists_and_counts(self, desk: dict[str, int]) -> None:
        for caller in ("outsider", "admin"):
            api = CALLERS[caller]()
            for path in ("tickets/", "followups/", "followups-attachments/"):
                assert api.get(path).json == {
                    "count": 0,
                    "next": None,
                    "previous": None,
                    "results": [],
                }

    def test_cannot_be_named(self, desk: dict[str, int]) -> None:
        outsider = CALLERS["outsider"]()

        followup = outsider.post("followups/", {"ticket": desk["t"]})
        created = outsider.post(
            "tickets/", {"queue": 1, "title": "T", "description": "D", "merged_to": desk["t"]}
        )

        no = 'Invalid pk "{}" - object does not exist.'
        assert followup.json == {"ticket": [no.format(desk["t"])]}
        assert created.json == {
            "queue": [no.format(1)],
            "merged_to": [no.format(desk["t"])],
        }

    def test_ownership_grants_nothing(self, desk: dict[str, int]) -> None:
        user = nora(groups={})
        Ticket.objects.filter(pk=desk["t"]).update(owner=user)

        assert Api(user).get(f"tickets/{desk['t']}/").status == 404

    def test_an_agent_who_is_the_customer_reads_but_writes_elsewhere(
        self, desk: dict[str, int]
    ) -> None:
        both = person("berta", roles=[2, 3])
        Ticket.objects.filter(pk=desk["t"]).update(customer=both)
        api = Api(both)

        body = api.get(f"tickets/{desk['t']}/")

        assert body.status == 200
        assert [f["public"] for f in body.json["followup_set"]] == [True]
        assert api.get(f"followups/{desk['f']}/").status == 404
        assert api.get(f"followups-attachments/{desk['a']}/").status == 404
        assert api.get("followups-attachments/").json["count"] == 0
        assert api.patch(f"tickets/{desk['t']}/", {"title": "x"}).status == 403
        assert api.post("followups/", {"ticket": desk["t"]}).status == 403
