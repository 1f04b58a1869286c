"""Who may do what: every route and verb, for everybody who could come along."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest
from django.db import transaction

from deskbell.api.zammad.urls import urlpatterns
from deskbell.kernel import clock
from deskbell.kernel.actor import SYSTEM
from deskbell.notify.models import OnlineNotification
from deskbell.people.operations import change_user, save_email_address
from deskbell.tickets.attachments import NewFile
from deskbell.tickets.models import Article, Mention
from deskbell.tickets.operations import NewArticle, follow, update_ticket
from deskbell.tickets.operations.naming import save_time_type
from deskbell.tickets.operations.tags import create_tag
from deskbell.tickets.operations.times import add_time
from tests import cast
from tests.api.zammad.wire import Wire, message, token_of

pytestmark = pytest.mark.django_db

#: kemal: the customer. ines: his colleague in a shared organization. rosa: another customer.
#: rita: an agent who may only read. nora: an agent. far: an agent of another group.
#: otto: an administrator without tickets. narrow: nora's token for own preferences only.
PEOPLE = ("kemal", "ines", "rosa", "rita", "nora", "far", "otto", "narrow")


class Row(NamedTuple):
    """A call and the status each of ``PEOPLE`` hears."""

    verb: str
    path: str
    statuses: str
    body: Any = None


# fmt: off
TABLE = [
    #                                                   kem ine ros rit nor far ott nar
    Row("GET", "tickets",                              "200 200 200 200 200 200 200 200"),
    Row("POST", "tickets",                             "201 201 201 403 201 403 403 403",
        {"title": "x", "group": "Users"}),
    Row("GET", "tickets/search?query=*",               "200 200 200 200 200 200 200 200"),
    Row("POST", "tickets/search",                      "200 200 200 200 200 200 200 200", {}),
    Row("GET", "tickets/{ticket}",                     "200 200 403 200 200 403 403 403"),
    Row("PUT", "tickets/{ticket}",                     "200 200 403 403 200 403 403 403",
        {"title": "new"}),
    Row("DELETE", "tickets/{ticket}",                  "403 403 403 403 403 403 200 403"),
    Row("PUT", "tickets/{ticket}/update_title",        "200 200 403 403 200 403 403 403",
        {"title": "new"}),
    Row("PUT", "tickets/{ticket}/update_customer",     "403 403 403 403 200 403 403 403",
        {"customer_id": "{ines}"}),
    Row("GET", "ticket_articles/by_ticket/{ticket}",   "200 200 403 200 200 403 403 403"),
    Row("GET", "ticket_articles",                      "200 200 200 200 200 200 200 200"),
    Row("POST", "ticket_articles",                     "201 201 403 403 201 403 403 403",
        {"ticket_id": "{ticket}", "body": "x"}),
    Row("GET", "ticket_articles/{article}",            "200 200 403 200 200 403 403 403"),
    Row("GET", "ticket_articles/{private}",            "403 403 403 200 200 403 403 403"),
    Row("PUT", "ticket_articles/{article}",            "403 403 403 403 200 403 403 403",
        {"internal": True}),
    Row("DELETE", "ticket_articles/{article}",         "403 403 403 403 403 403 403 403"),
    Row("DELETE", "ticket_articles/{private}",         "403 403 403 403 200 403 403 403"),
    Row("GET", "ticket_attachment/{ticket}/{article}/{file}",
                                                       "200 200 403 200 200 403 403 403"),
    Row("GET", "ticket_attachment/{ticket}/{private}/{private_file}",
                                                       "403 403 403 200 200 403 403 403"),
    Row("GET", "ticket_article_plain/{article}",       "404 404 403 404 404 403 403 403"),
    Row("POST", "attachments",                         "422 422 422 422 422 422 422 422", {}),
    Row("DELETE", "attachments/1",                     "404 404 404 404 404 404 404 404"),
    Row("GET", "users/me",                             "200 200 200 200 200 200 200 200"),
    Row("GET", "users",                                "200 200 200 200 200 200 200 200"),
    Row("GET", "users/search?query=*",                 "403 403 403 200 200 200 200 403"),
    Row("POST", "users/search",                        "403 403 403 200 200 200 200 403", {}),
    Row("GET", "users/{kemal}",                        "200 200 403 200 200 200 200 403"),
    Row("GET", "users/{otto}",                         "403 403 403 200 200 200 200 403"),
    Row("POST", "users",                               "403 403 403 201 201 201 201 403",
        {"firstname": "Neu"}),
    Row("PUT", "users/{kemal}",                        "403 403 403 200 200 200 200 403",
        {"city": "Ulm"}),
    Row("PUT", "users/{nora}",                         "403 403 403 403 403 403 200 403",
        {"city": "Ulm"}),
    Row("PUT", "users/{otto}",                         "403 403 403 403 403 403 200 403",
        {"city": "Ulm"}),
    Row("DELETE", "users/{idle}",                      "403 403 403 403 403 403 200 403"),
    Row("GET", "users/history/{kemal}",                "403 403 403 200 200 200 200 403"),
    Row("GET", "groups",                               "403 403 403 200 200 200 200 403"),
    Row("POST", "groups",                              "403 403 403 403 403 403 201 403",
        {"name": "Neu"}),
    Row("GET", "groups/search",                        "403 403 403 200 200 200 200 403"),
    Row("POST", "groups/search",                       "403 403 403 200 200 200 200 403", {}),
    Row("GET", "groups/1",                             "403 403 403 200 200 403 200 403"),
    Row("PUT", "groups/1",                             "403 403 403 403 403 403 200 403",
        {"note": "x"}),
    Row("DELETE", "groups/{idle_group}",               "403 403 403 403 403 403 200 403"),
    Row("GET", "organizations",                        "200 200 200 200 200 200 200 200"),
    Row("POST", "organizations",                       "403 403 403 201 201 201 201 403",
        {"name": "Neu"}),
    Row("GET", "organizations/search",                 "403 403 403 200 200 200 200 403"),
    Row("POST", "organizations/search",                "403 403 403 200 200 200 200 403", {}),
    Row("GET", "organizations/{acme}",                 "200 200 200 200 200 200 200 200"),
    Row("GET", "organizations/1",                      "403 403 200 200 200 200 200 200"),
    Row("PUT", "organizations/{acme}",                 "403 403 403 200 200 200 200 403",
        {"note": "x"}),
    Row("DELETE", "organizations/{idle_organization}", "403 403 403 403 403 403 200 403"),
    Row("GET", "roles",                                "403 403 403 403 403 403 200 403"),
    Row("POST", "roles",                               "403 403 403 403 403 403 201 403",
        {"name": "Neu"}),
    Row("GET", "roles/search",                         "403 403 403 403 403 403 200 403"),
    Row("POST", "roles/search",                        "403 403 403 403 403 403 200 403", {}),
    Row("GET", "roles/1",                              "403 403 403 403 403 403 200 403"),
    Row("PUT", "roles/3",                              "403 403 403 403 403 403 200 403",
        {"note": "x"}),
    Row("DELETE", "roles/1",                           "403 403 403 403 403 403 422 403"),
    Row("GET", "ticket_states",                        "200 200 200 200 200 200 200 403"),
    Row("POST", "ticket_states",                       "403 403 403 403 403 403 201 403",
        {"name": "neu", "state_type_id": 2}),
    Row("GET", "ticket_states/1",                      "200 200 200 200 200 200 200 403"),
    Row("PUT", "ticket_states/1",                      "403 403 403 403 403 403 200 403",
        {"note": "x"}),
    Row("DELETE", "ticket_states/1",                   "403 403 403 403 403 403 422 403"),
    Row("GET", "ticket_priorities",                    "200 200 200 200 200 200 200 403"),
    Row("POST", "ticket_priorities",                   "403 403 403 403 403 403 201 403",
        {"name": "neu"}),
    Row("GET", "ticket_priorities/1",                  "200 200 200 200 200 200 200 403"),
    Row("PUT", "ticket_priorities/1",                  "403 403 403 403 403 403 200 403",
        {"note": "x"}),
    Row("DELETE", "ticket_priorities/1",               "403 403 403 403 403 403 422 403"),
    Row("GET", "tags?object=Ticket&o_id={ticket}",     "200 200 403 200 200 403 403 403"),
    Row("POST", "tags/add",                            "403 403 403 403 201 403 403 403",
        {"object": "Ticket", "o_id": "{ticket}", "item": "x"}),
    Row("DELETE", "tags/remove",                       "403 403 403 403 200 403 403 403",
        {"object": "Ticket", "o_id": "{ticket}", "item": "x"}),
    Row("GET", "tag_search?term=x",                    "200 200 200 200 200 200 200 200"),
    Row("GET", "links?link_object=Ticket&link_object_value={ticket}",
                                                       "200 200 403 200 200 403 403 403"),
    Row("POST", "links/add",                           "403 403 403 403 201 403 403 403",
        {"link_type": "normal", "link_object_target": "Ticket",
         "link_object_target_value": "{ticket}", "link_object_source": "Ticket",
         "link_object_source_number": "{other_number}"}),
    Row("DELETE", "links/remove",                      "403 403 403 403 200 403 403 403",
        {"link_type": "normal", "link_object_target": "Ticket",
         "link_object_target_value": "{ticket}", "link_object_source": "Ticket",
         "link_object_source_value": "{other}"}),
    Row("GET", "mentions?mentionable_type=Ticket&mentionable_id={ticket}",
                                                       "403 403 403 200 200 403 403 403"),
    Row("POST", "mentions",                            "403 403 403 201 201 403 403 403",
        {"mentionable_type": "Ticket", "mentionable_id": "{ticket}"}),
    Row("DELETE", "mentions/{mention}",                "403 403 403 403 200 403 403 403"),
    Row("PUT", "ticket_merge/{other}/{number}",        "403 403 403 403 200 403 403 403", {}),
    Row("GET", "ticket_history/{ticket}",              "403 403 403 200 200 403 403 403"),
    Row("GET", "tag_list",                             "403 403 403 403 403 403 200 403"),
    Row("POST", "tag_list",                            "403 403 403 403 403 403 200 403",
        {"name": "neu"}),
    Row("PUT", "tag_list/{tag}",                       "403 403 403 403 403 403 200 403",
        {"name": "neu"}),
    Row("DELETE", "tag_list/{tag}",                    "403 403 403 403 403 403 200 403"),
    Row("POST", "tickets/mass_update",                 "403 403 403 422 200 422 403 403",
        {"ticket_ids": ["{ticket}"], "attributes": {"priority_id": 3}}),
    Row("GET", "ticket_customer?customer_id={kemal}",  "403 403 403 200 200 200 403 403"),
    Row("GET", "ticket_related/{ticket}",              "403 403 403 200 200 403 403 403"),
    Row("GET", "ticket_recent",                        "403 403 403 200 200 200 403 403"),
    Row("GET", "ticket_stats?user_id={kemal}",         "200 200 200 200 200 200 200 200"),
    Row("POST", "ticket_stats",                        "200 200 200 200 200 200 200 200",
        {"organization_id": "{acme}"}),
    Row("GET", "ticket_split?ticket_id={ticket}&article_id={private}&form_id=1",
                                                       "403 403 403 200 200 403 403 403"),
    Row("GET", "recent_view",                          "200 200 200 200 200 200 200 200"),
    Row("POST", "recent_view",                         "200 200 200 200 200 200 200 200",
        {"object": "Ticket", "o_id": "{ticket}"}),
    Row("GET", "tickets/{ticket}/time_accountings",    "403 403 403 200 200 403 200 403"),
    Row("POST", "tickets/{ticket}/time_accountings",   "403 403 403 403 201 403 403 403",
        {"time_unit": 5}),
    Row("GET", "tickets/{ticket}/time_accountings/{time}",
                                                       "403 403 403 200 200 403 200 403"),
    Row("PUT", "tickets/{ticket}/time_accountings/{time}",
                                                       "403 403 403 403 403 403 200 403",
        {"time_unit": 5}),
    Row("DELETE", "tickets/{ticket}/time_accountings/{time}",
                                                       "403 403 403 403 403 403 200 403"),
    Row("GET", "time_accountings",                     "403 403 403 200 200 200 200 403"),
    Row("POST", "time_accountings",                    "403 403 403 403 201 403 403 403",
        {"ticket_id": "{ticket}", "time_unit": "5"}),
    Row("GET", "time_accountings/{time}",              "403 403 403 200 200 403 200 403"),
    Row("PUT", "time_accountings/{time}",              "403 403 403 403 403 403 200 403",
        {"time_unit": 5}),
    Row("DELETE", "time_accountings/{time}",           "403 403 403 403 403 403 200 403"),
    Row("GET", "time_accounting/types",                "403 403 403 200 200 200 200 403"),
    Row("POST", "time_accounting/types",               "403 403 403 403 403 403 201 403",
        {"name": "neu"}),
    Row("GET", "time_accounting/types/{time_type}",    "403 403 403 200 200 200 200 403"),
    Row("PUT", "time_accounting/types/{time_type}",    "403 403 403 403 403 403 200 403",
        {"note": "x"}),
    Row("GET", "time_accounting/log/by_ticket/2026/3", "403 403 403 403 403 403 200 403"),
    Row("GET", "time_accounting/log/by_activity/2026/3",
                                                       "403 403 403 403 403 403 200 403"),
    Row("GET", "time_accounting/log/by_customer/2026/3",
                                                       "403 403 403 403 403 403 200 403"),
    Row("GET", "time_accounting/log/by_organization/2026/3",
                                                       "403 403 403 403 403 403 200 403"),
    Row("GET", "email_addresses",                      "403 403 403 200 200 200 200 403"),
    Row("POST", "email_addresses",                     "403 403 403 403 403 403 201 403",
        {"email": "neu@desk.example"}),
    Row("GET", "email_addresses/{address}",            "403 403 403 200 200 200 200 403"),
    Row("PUT", "email_addresses/{address}",            "403 403 403 403 403 403 200 403",
        {"note": "x"}),
    Row("DELETE", "email_addresses/{address}",         "403 403 403 403 403 403 200 403"),
    Row("GET", "monitoring/health_check",              "403 403 403 403 403 403 200 403"),
    Row("GET", "monitoring/status",                    "403 403 403 403 403 403 200 403"),
    Row("GET", "monitoring/amount_check?periode=1h",   "403 403 403 403 403 403 200 403"),
    Row("POST", "monitoring/token",                    "403 403 403 403 403 403 201 403"),
    Row("POST", "monitoring/restart_failed_jobs",      "403 403 403 403 403 403 200 403"),
    Row("GET", "object_manager_attributes",            "403 403 403 403 403 403 200 403"),
    Row("POST", "object_manager_attributes",           "403 403 403 403 403 403 201 403",
        {"object": "Ticket", "name": "neu", "display": "Neu", "data_type": "date"}),
    Row("GET", "object_manager_attributes/1",          "403 403 403 403 403 403 200 403"),
    Row("PUT", "object_manager_attributes/{field}",    "403 403 403 403 403 403 200 403",
        {"display": "x"}),
    Row("POST", "object_manager_attributes/{field}",   "403 403 403 403 403 403 200 403",
        {"display": "x"}),
    Row("DELETE", "object_manager_attributes/{field}", "403 403 403 403 403 403 200 403"),
    Row("POST", "object_manager_attributes_discard_changes",
                                                       "403 403 403 403 403 403 200 403"),
    Row("POST", "object_manager_attributes_execute_migrations",
                                                       "403 403 403 403 403 403 200 403"),
    Row("GET", "online_notifications",                 "200 200 200 200 200 200 200 200"),
    Row("GET", "online_notifications/{notification}",  "403 403 403 200 403 403 403 403"),
    Row("PUT", "online_notifications/{notification}",  "403 403 403 200 403 403 403 403",
        {"seen": True}),
    Row("DELETE", "online_notifications/{notification}",
                                                       "403 403 403 200 403 403 403 403"),
    Row("POST", "online_notifications/mark_all_as_read",
                                                       "200 200 200 200 200 200 200 200"),
    Row("PUT", "online_notifications/mark_all_as_read",
                                                       "200 200 200 200 200 200 200 200"),
    Row("GET", "search?query=*",                       "200 200 200 200 200 200 200 200"),
    Row("POST", "search",                              "200 200 200 200 200 200 200 200", {}),
    Row("GET", "search/user?query=*",                  "200 200 200 200 200 200 200 200"),
    Row("POST", "search/ticket",                       "200 200 200 200 200 200 200 200", {}),
    Row("GET", "user_access_token",                    "403 403 403 200 200 200 200 200"),
    Row("POST", "user_access_token",                   "403 403 403 200 200 200 200 200",
        {"name": "x"}),
    Row("DELETE", "user_access_token/99999",           "403 403 403 422 422 422 422 422"),
    Row("GET", "version",                              "403 403 403 200 200 200 200 403"),
]
# fmt: on
OPEN = {"POST signin", "GET signshow", "GET signout", "DELETE signout"}


@pytest.fixture
def desk() -> dict[str, Any]:
    return make_desk()


def make_desk() -> dict[str, Any]:
    """Somebody of every kind around one ticket; places by name."""
    acme = cast.organization("Acme", shared=True)
    sales = cast.group("Sales")
    idle_group = cast.group("Idle")
    idle_organization = cast.organization("Idle")
    people = {
        "kemal": cast.kemal(organization=acme),
        "ines": cast.person("ines", roles=[3], organization=acme),
        "rosa": cast.person("rosa", roles=[3]),
        "rita": cast.person("rita", roles=[2], groups={1: ["read"]}),
        "nora": cast.nora(),
        "far": cast.person("far", roles=[2], groups={sales.pk: ["full"]}),
        "otto": cast.pure_admin(),
    }
    idle = cast.person("idle", roles=[3])
    ticket, other = cast.ticket(people["kemal"]), cast.ticket(people["kemal"])
    nora = cast.acting(people["nora"], "zammad")
    first = NewArticle(body="public", files=[NewFile("a", b"a", "text/plain")])
    secret = NewArticle(body="private", internal=True, files=[NewFile("b", b"b", "text/plain")])
    _, article = update_ticket(ticket.pk, None, first, actor=SYSTEM, at=cast.MONDAY_9AM)
    _, private = update_ticket(ticket.pk, None, secret, actor=nora, at=clock.now())
    assert isinstance(article, Article)
    assert isinstance(private, Article)
    follow(ticket.pk, actor=nora, at=cast.MONDAY_9AM)
    time = add_time(ticket.pk, 900, actor=nora, at=cast.MONDAY_9AM)
    time_type = save_time_type(None, {"name": "Support"}, actor=SYSTEM, at=cast.MONDAY_9AM)
    wires = {name: Wire(user) for name, user in people.items()}
    wires["narrow"] = Wire(
        Authorization=f"Token token={token_of(people['nora'], ['user_preferences'])}"
    )
    return {
        "wires": wires,
        "people": people,
        "places": {
            **{name: user.pk for name, user in people.items()},
            "ticket": ticket.pk,
            "number": ticket.number,
            "other": other.pk,
            "other_number": other.number,
            "article": article.pk,
            "private": private.pk,
            "file": article.attachments.get().pk,
            "private_file": private.attachments.get().pk,
            "time": time.pk,
            "time_type": time_type.pk,
            "tag": create_tag("old", actor=SYSTEM, at=cast.MONDAY_9AM).pk,
            # What Nora did is told to Rita.
            "notification": OnlineNotification.objects.get(user=people["rita"]).pk,
            "address": save_email_address(
                None, {"email": "a@desk.example"}, actor=SYSTEM, at=cast.MONDAY_9AM
            ).pk,
            "field": 1000 + cast.custom_field("asset").pk,
            "mention": Mention.objects.get(ticket=ticket).pk,
            "acme": acme.pk,
            "idle": idle.pk,
            "idle_group": idle_group.pk,
            "idle_organization": idle_organization.pk,
        },
    }


def filled(value: Any, places: dict[str, Any]) -> Any:
    if isinstance(value, str):
        return value.format(**places) if "{" in value else value
    if isinstance(value, dict):
        return {key: filled(one, places) for key, one in value.items()}
    if isinstance(value, list):
        return [filled(one, places) for one in value]
    return value


@pytest.mark.timeout(300)
def test_everybody_hears_what_the_table_says(desk: dict[str, Any]) -> None:
    wrong = {}
    for row in TABLE:
        path, body = filled(row.path, desk["places"]), filled(row.body, desk["places"])
        heard = []
        for name in PEOPLE:
            # Nobody's call may matter for the next one.
            with transaction.atomic():
                response = desk["wires"][name].call(row.verb, path, body)
                if response.streaming:
                    list(response.streaming_content)
                transaction.set_rollback(True)
            heard.append(str(response.status_code))
        if heard != row.statuses.split():
            wrong[f"{row.verb} {row.path}"] = (" ".join(heard), row.statuses)

    assert wrong == {}


@pytest.mark.timeout(300)
def test_nobody_else_gets_in(desk: dict[str, Any]) -> None:
    nora = desk["people"]["nora"]
    change_user(nora.pk, columns={"active": False}, actor=SYSTEM, at=cast.MONDAY_9AM)
    guess = Wire(Authorization="Token token=guessed")

    for row in TABLE:
        path = filled(row.path, desk["places"])
        assert message(Wire().call(row.verb, path, row.body), 403) == "Authentication required"
        assert message(guess.call(row.verb, path, row.body), 401) == "Can't find User for Token"
        assert desk["wires"]["nora"].call(row.verb, path, row.body).status_code == 401, row


def test_no_route_is_forgotten() -> None:
    """Every address with every verb stands in the table."""
    called = {f"{row.verb} {_shape(row.path)}" for row in TABLE} | OPEN
    there = set()
    for pattern in urlpatterns:
        view: Callable[..., Any] = pattern.callback  # type: ignore[assignment]
        regex = pattern.pattern.regex.pattern  # type: ignore[union-attr]
        for verb in getattr(view, "verbs", ()):
            if verb != "HEAD":
                place = re.sub(r"\(\?P<\w+>\[\^/\]\+\)", "*", regex.strip("^$").removesuffix("/?"))
                there.add(f"{verb} {place}")

    assert there <= {_matching(one, there) for one in called}


def _shape(path: str) -> str:
    return re.sub(r"\{\w+\}", "*", path.partition("?")[0])


def _matching(called: str, there: set[str]) -> str:
    """The address that a call of the table reaches: literal places count for stars."""
    if called in there:
        return called
    words = called.split("/")
    for one in there:
        parts = one.split("/")
        if len(parts) == len(words) and all(
            a == b or a == "*" for a, b in zip(parts, words, strict=True)
        ):
            return one
    return called
