"""What tests of pages start from: people who are signed in, in a browser without scripts."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.test import Client

from deskbell.people import sessions
from deskbell.people.models import User
from tests import cast

#: The part of the forms of mail channels and routes that says which server.
SERVER_FORM = {
    "active": "on",
    "host": "mail.example.com",
    "port": "",
    "security": "tls",
    "verify": "on",
    "password": "s3cret & “more”",
    "authentication": "password",
    "token_url": "",
    "client_id": "",
    "client_secret": "",
    "scope": "",
}


def text(response: HttpResponse) -> str:
    """The page that came."""
    return response.content.decode()


def sign_in(user: User) -> Client:
    """A client with a session of the user, without the price of a password."""
    client = Client()
    request = HttpRequest()
    sessions.start(request, user)
    sessions.session_of(request).save()
    client.cookies[settings.SESSION_COOKIE_NAME] = request.session.session_key or ""
    return client


@pytest.fixture
def signed_in(db: None) -> Callable[[User], Client]:
    """Signs somebody in."""
    return sign_in


@pytest.fixture
def admin(db: None) -> Client:
    return sign_in(cast.ada())


@pytest.fixture
def nora(db: None) -> User:
    return cast.nora()


@pytest.fixture
def kemal(db: None) -> User:
    return cast.kemal()


@pytest.fixture
def desk(nora: User) -> Client:
    """Nora, an agent with full access to group 1, at work."""
    return sign_in(nora)


@pytest.fixture
def portal(kemal: User) -> Client:
    """Kemal, a customer, in the portal."""
    return sign_in(kemal)


@pytest.fixture
def stranger(db: None) -> Client:
    """Nobody we know."""
    return Client()
