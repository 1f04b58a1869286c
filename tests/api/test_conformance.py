"""Both OpenAPI documents against the dialects: whatever fits the document is answered as it says.

Requests are made up from the documents, by an agent, an administrator and a customer. An answer
must never be a 5xx, and must have a status, a content type and a body that the document names.
DESKBELL_TEST_CONFORMANCE is the number of requests per operation (2 unless it is set).
"""

from __future__ import annotations

import copy
import os
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from django.core.handlers.wsgi import WSGIHandler
from django.core.signals import request_finished, request_started
from django.db import close_old_connections, transaction
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis.checks import CHECKS, load_all_checks
from schemathesis.core.failures import FailureGroup

from deskbell.api.openapi import document
from deskbell.kernel.actor import SYSTEM
from deskbell.kernel.reference import Reference
from deskbell.people.models import User
from deskbell.people.operations import create_token
from deskbell.tickets.attachments import NewFile
from deskbell.tickets.operations import NewArticle, update_ticket
from deskbell.urls import REFERENCES
from tests import cast

pytestmark = pytest.mark.django_db

EXAMPLES = int(os.environ.get("DESKBELL_TEST_CONFORMANCE") or 2)
SERVER = "http://127.0.0.1"
load_all_checks()
ALL_CHECKS = CHECKS.get_by_names(
    [
        "not_a_server_error",
        "status_code_conformance",
        "content_type_conformance",
        "response_schema_conformance",
    ]
)
#: Ids that are there, ids that are not, and one beyond every column.
IDS = [1, 2, 3, 4, 999, 2**63]
NUMBERS = ["101", "102", "10001", "10002"]


_handler = WSGIHandler()


def _application(environ: dict[str, Any], start: Any) -> Any:
    """The desk without its outermost layer, which would look after the database by itself."""
    environ["REMOTE_ADDR"] = "127.0.0.1"
    return _handler(environ, start)


def operations() -> Iterator[Any]:
    """Every operation of both documents."""
    for reference in REFERENCES:
        for found in _schema(reference, _answerable(reference)).get_all_operations():
            operation = found.ok()
            yield pytest.param(
                operation, id=f"{reference.name}-{operation.method.upper()}{operation.path}"
            )


def _schema(reference: Reference, said: dict[str, Any]) -> Any:
    schema = schemathesis.openapi.from_dict(said)
    schema.app = _application
    schema.config.update(base_url=f"{SERVER}/{reference.below}")
    return schema


def _answerable(reference: Reference) -> dict[str, Any]:
    """The document with ids that lead somewhere, and no credentials to be made up."""
    found = copy.deepcopy(document(reference, f"{SERVER}/{reference.below}"))
    del found["security"], found["components"]["securitySchemes"]
    for verbs in found["paths"].values():
        for operation in verbs.values():
            operation.pop("security", None)
            for parameter in operation.get("parameters", ()):
                _lead_somewhere(parameter["name"], parameter)
            for kind in operation.get("requestBody", {}).get("content", {}).values():
                for name, schema in kind["schema"].get("properties", {}).items():
                    place = {"schema": schema}
                    _lead_somewhere(name, place)
                    kind["schema"]["properties"][name] = place["schema"]
    return found


def _lead_somewhere(name: str, place: dict[str, Any]) -> None:
    if place["schema"].get("format") == "int64":
        null = [None] if "null" in place["schema"]["type"] else []
        place["schema"] = {"enum": [*IDS, *null]}
    elif name.endswith("_number"):
        place["schema"] = {"enum": NUMBERS}


@pytest.fixture(scope="module")
def keys(django_db_setup: None, django_db_blocker: Any) -> Iterator[dict[str, str]]:
    """A desk with a row of most kinds, and the key of a token for each of the three callers.

    It is set up once, in a transaction that all requests share and nobody commits.
    """
    with django_db_blocker.unblock(), transaction.atomic():
        yield _set_up()
        transaction.set_rollback(True)


def _set_up() -> dict[str, str]:
    acme = cast.organization()
    nora, ada, kemal = cast.nora(), cast.ada(), cast.kemal(organization=acme)
    cast.custom_field("shade", "list", choices=["red", "blue"])
    cast.custom_field("weight", "decimal", max_digits=8, decimal_places=2)
    for customer in (kemal, None):
        ticket = cast.ticket(customer)
        article = NewArticle(body="See there.", files=[NewFile("note.txt", b"x", "text/plain")])
        update_ticket(ticket.pk, None, article, actor=cast.acting(nora), at=cast.MONDAY_10AM)
    return {user.login: _key(user) for user in (nora, ada, kemal)}


def _key(user: User) -> str:
    _row, secret = create_token(
        user.pk,
        name="conformance",
        permissions=None,
        expires_at=None,
        actor=SYSTEM,
        at=cast.MONDAY_9AM,
    )
    return secret


@pytest.fixture
def open_connection() -> Iterator[None]:
    """The end of a request would close the connection, and our transaction with it."""
    request_finished.disconnect(close_old_connections)
    request_started.disconnect(close_old_connections)
    yield
    request_started.connect(close_old_connections)
    request_finished.connect(close_old_connections)


def _check(case: Any, key: str) -> None:
    """Call, take back what it did, and compare the answer with the document."""
    with transaction.atomic():
        answer = case.call(headers={"Authorization": f"Token {key}"})
        transaction.set_rollback(True)
    case.validate_response(answer, checks=ALL_CHECKS)


@pytest.mark.usefixtures("open_connection")
class TestEveryOperation:
    @pytest.mark.parametrize("operation", list(operations()))
    def test_is_answered_as_described(self, operation: Any, keys: dict[str, str]) -> None:
        @settings(
            max_examples=EXAMPLES,
            phases=[Phase.generate],
            deadline=None,
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy(), caller=st.sampled_from(["nora", "ada", "kemal"]))
        def check(case: Any, caller: str) -> None:
            _check(case, keys[caller])

        check()

    @pytest.mark.parametrize("wrong", ["status", "type", "body"])
    def test_would_be_told_from_another_answer(self, keys: dict[str, str], wrong: str) -> None:
        reference = REFERENCES[0]
        said = _answerable(reference)
        answers = said["paths"]["/"]["get"]["responses"]
        if wrong == "status":
            answers["201"] = answers.pop("200")
        elif wrong == "type":
            answers["200"]["content"] = {"text/plain": {"schema": {"type": "string"}}}
        else:
            answers["200"]["content"]["application/json"]["schema"] = {"required": ["nope"]}
        operation = _schema(reference, said)["/"]["GET"]

        with pytest.raises(FailureGroup):
            _check(operation.Case(), keys["ada"])
