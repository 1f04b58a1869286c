"""Failures: in the look of the desk for people, in the shape of each API for its clients."""

from __future__ import annotations

import json

import pytest
from django.test import Client
from django.urls import path

from deskbell import urls as real
from deskbell.web.shared import errors
from deskbell.web.shared.middleware import CONTENT_SECURITY_POLICY


def broken(request):
    raise RuntimeError("a secret detail")


urlpatterns = [path("broken/", broken), path("api/v1/broken", broken), *real.urlpatterns]
handler400 = real.handler400
handler403 = real.handler403
handler404 = real.handler404
handler500 = real.handler500

pytestmark = pytest.mark.django_db


class TestAPage:
    def test_that_does_not_exist_says_so(self, client):
        answer = client.get("/nowhere/at/all/")

        assert answer.status_code == 404
        assert b"There is nothing here" in answer.content
        assert answer["Content-Security-Policy"] == CONTENT_SECURITY_POLICY

    @pytest.mark.parametrize(
        ("asked", "there"),
        [
            ("/tickets", "/tickets/"),
            ("/tickets/7", "/tickets/7/"),
            ("/tickets/7?images=1", "/tickets/7/?images=1"),
            ("/my/tickets", "/my/tickets/"),
        ],
    )
    def test_is_found_without_its_last_slash(self, client, asked, there):
        answer = client.get(asked)

        assert (answer.status_code, answer["Location"]) == (301, there)

    @pytest.mark.parametrize("asked", ["//evil.example/tickets", "//tickets", "/\\tickets"])
    def test_never_leads_to_another_host(self, client, asked):
        answer = client.get(asked)

        assert not answer.get("Location", "/").startswith("//")

    def test_that_takes_forms_only_says_so(self, client):
        answer = client.get("/sign-out/")

        assert (answer.status_code, answer["Allow"]) == (405, "POST")
        assert b"That is not how this address works" in answer.content

    def test_takes_no_form_without_its_last_slash(self, client):
        assert client.post("/tickets").status_code == 404

    @pytest.mark.urls(__name__)
    def test_that_fails_tells_nothing_but_where_to_look(self, settings):
        client = Client(raise_request_exception=False)

        answer = client.get("/broken/")

        assert answer.status_code == 500
        assert b"Something went wrong on our side" in answer.content
        assert b"secret detail" not in answer.content

    @pytest.mark.urls(__name__)
    def test_that_fails_twice_still_answers(self, monkeypatch):
        client = Client(raise_request_exception=False)
        monkeypatch.setattr(errors, "render_to_string", broken)

        answer = client.get("/broken/")

        assert answer.status_code == 500
        assert answer["Content-Type"] == "text/plain; charset=utf-8"

    def test_gets_no_more_fields_than_a_form_has(self, client, settings):
        settings.DATA_UPLOAD_MAX_NUMBER_FIELDS = 3

        answer = client.post("/", {f"f{number}": "x" for number in range(9)})

        assert answer.status_code == 400
        assert b"That request makes no sense" in answer.content


class TestAnApi:
    @pytest.mark.urls(__name__)
    def test_hears_of_a_failure_in_its_own_shape(self):
        client = Client(raise_request_exception=False)

        answer = client.get("/api/v1/broken")

        assert answer.status_code == 500
        assert json.loads(answer.content)["error"]
        assert b"<html" not in answer.content
