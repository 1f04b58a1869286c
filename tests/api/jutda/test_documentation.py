"""The documentation page: public, complete, its links lead somewhere, its examples run."""

from __future__ import annotations

import re
import shlex
from urllib.parse import parse_qsl, urldefrag, urljoin, urlsplit

import pytest
from django.contrib.staticfiles import finders
from django.test import Client
from lxml import html

from deskbell.api.jutda.views import METHODS
from tests.api.jutda.forms import URLENCODED
from tests.cast import PASSWORD, nora, person, ticket

pytestmark = pytest.mark.django_db

ADDRESSES = [
    f"{mount}/{path}{slash}"
    for mount in ("", "/helpdesk")
    for path in ("help/api", "api/help")
    for slash in ("", "/")
]
SECTIONS = ["introduction", "request", "authentication", "responses", "methods"]


def page(path: str = "/help/api/", **extra: str) -> html.HtmlElement:
    answer = Client().get(path, **extra)
    assert answer.status_code == 200
    return html.document_fromstring(answer.content)


def examples(tree: html.HtmlElement) -> dict[str, str]:
    """The curl commands by the section or method they belong to."""
    return {code.get("data-example"): code.text for code in tree.xpath("//code[@data-example]")}


def decoded(command: str) -> tuple[str, dict[str, str]]:
    """Address and fields of a curl command, as a shell and curl read it."""
    words = iter(shlex.split(command.replace("\\\n", " ")))
    assert next(words) == "curl"
    url, fields = next(words), {}
    for word in words:
        if word == "--data":
            fields |= dict(parse_qsl(next(words), keep_blank_values=True, strict_parsing=True))
        else:
            assert word == "--data-urlencode"
            name, _, value = next(words).partition("=")
            fields[name] = value
    return url, fields


class TestThePage:
    @pytest.mark.parametrize("verb", ["GET", "POST"])
    @pytest.mark.parametrize("path", ADDRESSES)
    def test_is_there_for_everybody(self, path, verb):
        answer = Client(enforce_csrf_checks=True).generic(verb, path)

        assert answer.status_code == 200
        assert answer["Content-Type"] == "text/html; charset=utf-8"
        assert not answer.cookies
        assert b"<h1>" in answer.content

    @pytest.mark.parametrize("path", ADDRESSES)
    def test_answers_other_verbs_with_405(self, path):
        assert Client().head(path).status_code == 200
        assert Client().put(path).status_code == 405

    @pytest.mark.parametrize("path", ADDRESSES)
    def test_runs_nothing_inline(self, path):
        answer = Client().get(path)
        tree = html.document_fromstring(answer.content)

        assert answer["Content-Security-Policy"].startswith("default-src 'self';")
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert tree.xpath("//style | //script[not(@src)] | //@style | //@onclick") == []

    def test_has_an_anchor_for_every_section_and_method(self):
        ids = page().xpath("//@id")

        assert len(ids) == len(set(ids))
        assert set(SECTIONS) | {f"method_{name}" for name in METHODS} <= set(ids)

    def test_lists_all_of_them_in_its_contents(self):
        links = page().xpath("//nav[@aria-labelledby='contents']//a/@href")

        assert links == [*(f"#{s}" for s in SECTIONS), *(f"#method_{name}" for name in METHODS)]

    @pytest.mark.parametrize("path", ADDRESSES)
    def test_has_no_dead_link(self, path):
        tree = page(path)
        ids = set(tree.xpath("//@id"))
        addresses = tree.xpath("//a/@href | //link/@href | //script/@src")
        assert len(addresses) > 20

        for address in addresses:
            there, anchor = urldefrag(urljoin(path, address))
            if address.startswith("#"):
                assert anchor in ids, address
            elif there.startswith("/static/"):
                assert finders.find(there.removeprefix("/static/")), address
            else:
                assert Client().get(there).status_code == 200, address

    def test_describes_every_method_with_parameters_and_answers(self):
        tree = page()

        for name in METHODS:
            section = tree.get_element_by_id(f"method_{name}")
            captions = [caption.text for caption in section.xpath(".//caption")]
            assert captions == (["Answers"] if name == "list_queues" else ["Parameters", "Answers"])
            statuses = section.xpath(".//table[last()]//tbody//th//code/text()")
            assert "200" in statuses

    def test_names_the_parameters_of_the_contract(self):
        tree = page()

        def named(method: str) -> list[str]:
            section = tree.get_element_by_id(f"method_{method}")
            table = section.xpath(".//table[caption='Parameters']")[0]
            return [str(name) for name in table.xpath(".//tbody/tr/th/code/text()")]

        assert named("create_ticket")[:6] == [
            "queue",
            "title",
            "body",
            "submitter_email",
            "assigned_to",
            "priority",
        ]
        assert named("delete_ticket") == ["ticket", "confirm"]
        assert named("add_followup") == ["ticket", "message", "public"]
        assert named("resolve") == ["ticket", "resolution"]
        assert named("find_user") == ["username"]


class TestItsExamples:
    def test_are_there_for_every_method_and_the_request(self):
        assert set(examples(page())) == {"request", *METHODS}

    @pytest.mark.parametrize("mount", ["", "/helpdesk"])
    @pytest.mark.parametrize("path", ["help/api/", "api/help/"])
    def test_use_the_address_at_which_the_page_was_found(self, path, mount):
        tree = page(f"{mount}/{path}", SERVER_NAME="localhost", SERVER_PORT="8123")

        for name, command in examples(tree).items():
            url, _fields = decoded(command)
            method = "hold_ticket" if name == "request" else name
            assert url == f"http://localhost:8123{mount}/api/{method}/"

    def test_speak_of_https_behind_it(self):
        tree = page(**{"wsgi.url_scheme": "https", "SERVER_PORT": "443"})

        for command in examples(tree).values():
            assert decoded(command)[0].startswith("https://testserver/api/")

    @pytest.mark.parametrize("name", ["request", *METHODS])
    def test_work_as_they_stand(self, name):
        url, fields = decoded(examples(page())[name])
        assert (fields["user"], fields["password"]) == ("susan", "fido")
        person("susan", roles=[2, 4])
        nora()
        fields["password"] = PASSWORD
        if "ticket" in fields:
            fields["ticket"] = str(ticket().pk)

        answer = Client(enforce_csrf_checks=True).generic(
            "POST",
            urlsplit(url).path,
            "&".join(f"{field}={_encoded(value)}" for field, value in fields.items()),
            content_type=URLENCODED,
        )

        assert answer.status_code == 200, answer.content
        shown = page().get_element_by_id(f"method_{name if name != 'request' else 'hold_ticket'}")
        kind = str(shown.xpath(".//table[caption='Answers']//tbody/tr[1]/td[2]/span/text()")[0])
        assert answer["Content-Type"] == kind

    @pytest.mark.parametrize("name", METHODS)
    def test_say_the_same_in_php(self, name):
        section = page().get_element_by_id(f"method_{name}")
        url, fields = decoded(section.xpath(".//code[@data-example]")[0].text)
        php = section.xpath(".//details//pre/code")[0].text

        assert f"curl_init('{url}')" in php
        assert dict(re.findall(r"^    '(\w+)' => '(.*)',$", php, re.MULTILINE)) == fields


def _encoded(value: str) -> str:
    return "".join(c if c.isalnum() and c.isascii() else _percent(c) for c in value)


def _percent(character: str) -> str:
    return "".join(f"%{byte:02X}" for byte in character.encode())
