"""What the REST dialects say of themselves: complete, valid, on pages, and nothing invented."""

from __future__ import annotations

import inspect
import json
import re
from functools import cache
from typing import Any
from urllib.parse import urldefrag, urljoin

import jsonschema_rs
import pytest
import schemathesis
from django.contrib.staticfiles import finders
from django.test import Client
from lxml import html

from deskbell.api.helpdesk import urls as helpdesk_urls
from deskbell.api.openapi import document
from deskbell.api.zammad import urls as zammad_urls
from deskbell.kernel.reference import Operation, Reference
from deskbell.urls import REFERENCES

HELPDESK, ZAMMAD = REFERENCES
PAGES = ["/help/api/", "/help/api/helpdesk/", "/help/api/zammad/"]
BOTH = pytest.mark.parametrize("reference", REFERENCES, ids=lambda one: one.name)
EVERY_PAGE = pytest.mark.parametrize("path", PAGES)
VERBS = ("get", "post", "put", "patch", "delete")


def described(reference: Reference) -> set[tuple[str, str]]:
    return {(operation.verb, operation.path) for operation in reference.operations}


def helpdesk_routes() -> set[tuple[str, str]]:
    """The verbs and paths of the django-helpdesk dialect, read from its addresses."""
    found = set()
    for pattern in helpdesk_urls.urlpatterns:
        view = getattr(pattern.callback, "cls", None)
        if view is None:  # what is nobody's
            continue
        path = "/" + str(pattern.pattern).removeprefix("^")
        path = path.replace(helpdesk_urls.SUFFIX, "/").replace(helpdesk_urls.ITEM, "/{id}")
        path = re.sub(r"\(\?P<(\w+)>[^)]*\)", r"{\1}", path).removesuffix(r"\Z")
        path = path.replace("//", "/")
        found |= {(verb.upper(), path) for verb in VERBS if hasattr(view, verb)}
    return found


def zammad_handlers() -> dict[tuple[str, str], Any]:
    """The handlers of the Zammad dialect by verb and path."""
    found = {}
    for pattern in zammad_urls.urlpatterns:
        if not hasattr(pattern.callback, "verbs"):  # no route
            continue
        path = "/" + str(pattern.pattern).removeprefix("^").removesuffix("/?$")
        path = re.sub(r"\(\?P<(\w+)>[^)]*\)", r"{\1}", path)
        table = inspect.getclosurevars(inspect.unwrap(pattern.callback)).nonlocals["table"]
        found |= {(verb, path): handler for verb, handler in table.items() if verb != "HEAD"}
    return found


class TestTheDescription:
    """A route that is added has to be described: in the dialect's own ``reference``."""

    def test_has_every_route_and_verb_of_the_helpdesk_dialect_and_no_other(self):
        assert described(HELPDESK) == helpdesk_routes()

    def test_has_every_route_and_verb_of_the_zammad_dialect_and_no_other(self):
        assert described(ZAMMAD) == set(zammad_handlers())

    def test_names_the_permissions_that_the_views_ask_for(self):
        handlers = zammad_handlers()

        for operation in ZAMMAD.operations:
            handler = handlers[operation.verb, operation.path]
            is_open = getattr(handler, "is_open", False)
            asked = getattr(handler, "permissions", ())
            # An open handler asks for itself, if it asks at all.
            assert is_open or not operation.public, operation.name
            assert is_open or sorted(operation.permissions) == sorted(asked), operation.name

    @BOTH
    def test_is_complete(self, reference):
        names = [operation.name for operation in reference.operations]
        assert len(names) == len(set(names))

        for operation in reference.operations:
            where = operation.name
            assert operation.summary.endswith("."), where
            assert operation.who.endswith("."), where
            assert operation.answers, where
            in_path = re.findall(r"\{(\w+)\}", operation.path)
            assert [one.name for one in operation.at("path")] == in_path, where
            keys = [(one.place, one.name) for one in operation.parameters]
            assert len(keys) == len(set(keys)), where
            assert all(one.text.endswith(".") for one in operation.parameters), where
            assert _fits(operation), where


def _fits(operation: Operation) -> bool:
    """Whether the example calls the operation's own path, and sends what is required."""
    path = re.escape(operation.path)
    path = re.sub(r"\\\{\w+\\\}", "[^/?]+", path)
    address = operation.example.address
    sent = " ".join(operation.example.arguments) + address
    return bool(re.match(rf"{path}(\?.*)?\Z", address)) and all(
        one.name in sent for one in operation.parameters if one.required and one.place != "path"
    )


class TestTheDocument:
    @BOTH
    @pytest.mark.parametrize("mount", ["", "/helpdesk"])
    def test_is_public_and_names_this_installation(self, reference, mount):
        answer = Client().get(
            f"{mount}/help/api/{reference.name}/openapi.json", headers={"host": "127.0.0.1"}
        )

        assert answer.status_code == 200
        assert answer["Content-Type"] == "application/json"
        assert answer["Cache-Control"] == "public, max-age=300"
        assert answer["Access-Control-Allow-Origin"] == "*"
        assert not answer.cookies
        said = answer.json()
        assert said["openapi"] == "3.1.0"
        assert said["servers"] == [{"url": f"http://127.0.0.1{mount}/{reference.below}"}]

    @BOTH
    def test_answers_no_other_verb(self, reference):
        path = f"/help/api/{reference.name}/openapi.json"
        assert Client().head(path).status_code == 200
        assert Client(enforce_csrf_checks=True).post(path).status_code == 405

    @BOTH
    def test_is_valid(self, reference):
        said = _document(reference)

        # Against the metaschema of OpenAPI 3.1, and each schema against that of JSON Schema.
        schemathesis.openapi.from_dict(said).validate()
        for schema in _schemas(said):
            jsonschema_rs.meta.validate(
                {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}
            )
        names = set(re.findall(r'"#/components/schemas/(\w+)"', json.dumps(said)))
        assert names <= set(said["components"]["schemas"])

    @BOTH
    def test_says_of_every_operation_what_comes_back(self, reference):
        for path, verbs in _document(reference)["paths"].items():
            for verb, operation in verbs.items():
                assert {"operationId", "summary", "description", "responses"} <= set(operation)
                good = [status for status in operation["responses"] if status < "300"]
                assert good, (verb, path)
                bad = [one for status, one in operation["responses"].items() if status > "300"]
                assert all("content" in one for one in bad), (verb, path)


def _document(reference: Reference) -> Any:
    return document(reference, "http://testserver")


def _schemas(said: Any) -> list[Any]:
    found = list(said["components"]["schemas"].values())
    for verbs in said["paths"].values():
        for operation in verbs.values():
            found += [one["schema"] for one in operation.get("parameters", ())]
            places = [operation.get("requestBody", {}), *operation["responses"].values()]
            found += [kind["schema"] for one in places for kind in one.get("content", {}).values()]
    return found


class TestThePages:
    @BOTH
    @pytest.mark.parametrize("slash", ["", "/"])
    @pytest.mark.parametrize("mount", ["", "/helpdesk"])
    def test_are_there_for_everybody(self, reference, mount, slash):
        answer = Client().get(f"{mount}/help/api/{reference.name}{slash}")

        assert answer.status_code == 200
        assert answer["Content-Type"] == "text/html; charset=utf-8"
        assert answer["Content-Security-Policy"].startswith("default-src 'self';")
        assert not answer.cookies
        tree = html.document_fromstring(answer.content)
        assert tree.xpath("//style | //script[not(@src)] | //@style | //@onclick") == []
        commands = tree.xpath("//code[@data-example]/text()")
        assert all(f"http://testserver{mount}/{reference.below}" in one for one in commands)

    @EVERY_PAGE
    def test_lead_to_each_other(self, path):
        tree = _page(path)

        links = tree.xpath("//nav[@aria-label='The three APIs']//a")
        assert [link.get("href") for link in links] == PAGES
        assert [link.get("href") for link in links if link.get("aria-current")] == [path]

    @EVERY_PAGE
    def test_have_landmarks_that_can_be_told_apart(self, path):
        names = _landmarks(_page(path))

        assert len(names) > 3
        assert len(names) == len(set(names))

    @EVERY_PAGE
    def test_have_no_dead_link(self, path):
        tree = _page(path)
        ids = tree.xpath("//@id")
        assert len(ids) == len(set(ids))
        for address in set(tree.xpath("//a/@href | //link/@href | //script/@src")):
            there, anchor = urldefrag(urljoin(path, address))
            if address.startswith("#"):
                assert anchor in ids, address
            elif there.startswith("/static/"):
                assert finders.find(there.removeprefix("/static/")), address
            elif there not in PAGES:
                assert Client().get(there).status_code == 200, address

    @BOTH
    def test_say_everything_that_is_described(self, reference):
        tree = _page(f"/help/api/{reference.name}/")
        contents = tree.xpath("//nav[@aria-labelledby='contents']//a/@href")

        for operation in reference.operations:
            assert f"#{operation.name}" in contents
            said = " ".join(tree.get_element_by_id(operation.name).text_content().split())
            wanted = [operation.path, operation.verb]
            wanted += [one.name for one in operation.parameters]
            wanted += [one.text for one in operation.failures]
            wanted += [str(one.status) for one in (*operation.answers, *operation.failures)]
            assert [text for text in wanted if " ".join(text.split()) not in said] == []


@cache
def _page(path: str) -> html.HtmlElement:
    return html.document_fromstring(Client().get(path).content)


def _landmarks(tree: html.HtmlElement) -> list[tuple[str, str]]:
    """Kind and name of every landmark, as assistive technology lists them."""
    found = []
    places = "//header[not(ancestor::article or ancestor::section)] | //footer | //main | //nav"
    for element in tree.xpath(
        f"{places} | //*[@role='region'] | //section[@aria-label or @aria-labelledby]"
    ):
        name = element.get("aria-label", "")
        for id_ in element.get("aria-labelledby", "").split():
            name += " ".join(tree.get_element_by_id(id_).text_content().split())
        found.append((element.tag, name))
    return found
