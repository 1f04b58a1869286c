"""Calling the form API as its clients do."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.http import HttpResponse
from django.test import Client

from deskbell.people.models import User
from tests.cast import PASSWORD

URLENCODED = "application/x-www-form-urlencoded"


def post(path: str, fields: dict[str, str], **extra: Any) -> HttpResponse:
    """POST a urlencoded form to an address, with a client that checks CSRF."""
    return Client(enforce_csrf_checks=True).post(
        path, urlencode(fields), content_type=URLENCODED, **extra
    )


def call(method: str, user: User, **fields: str) -> HttpResponse:
    """Call a method as somebody of the cast; the answer is checked for what all answers share."""
    answer = post(f"/api/{method}/", {"user": user.login, "password": PASSWORD, **fields})
    assert_plain(answer)
    return answer


def assert_plain(answer: HttpResponse) -> None:
    """No cookie, and one of the two content types without a charset."""
    assert not answer.cookies
    assert answer["Content-Type"] in ("text/plain", "text/json")


def said(answer: HttpResponse) -> tuple[int, str]:
    """Status and text."""
    return answer.status_code, answer.content.decode()
