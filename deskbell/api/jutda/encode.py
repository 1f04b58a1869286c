"""What goes out: plain text, and one list that calls itself ``text/json``.

Neither type carries a charset, as on the old server; clients compare what stands before ``;``.
"""

from __future__ import annotations

import json
from collections.abc import Iterable

from django.http import HttpResponse

from deskbell.api.jutda.errors import BAD_METHOD, CallError

PLAIN = "text/plain"
#: Not application/json: the product of 2008 said so, and its clients look for it.
JSON = "text/json"


def text(body: str = "OK", status: int = 200) -> HttpResponse:
    """A plain answer, with nothing after the last character."""
    return HttpResponse(body.encode(), status=status, content_type=PLAIN)


def error(call_error: CallError) -> HttpResponse:
    """The answer to a call that ended early."""
    return text(call_error.text, call_error.status)


def bad_method() -> HttpResponse:
    """The answer to anything but POST."""
    response = text("Invalid request method", BAD_METHOD)
    response["Allow"] = "POST"
    return response


def not_found() -> HttpResponse:
    """The answer below an unknown name, which is the REST API's, as the prefix is shared."""
    return HttpResponse(b'{"detail":"Not found."}', status=404, content_type="application/json")


def queues(groups: Iterable[tuple[int, str]]) -> HttpResponse:
    """Ids (as strings) and titles, by title. Sorted by code point: databases sort differently."""
    rows = sorted(groups, key=lambda group: (group[1], group[0]))
    body = json.dumps([{"id": str(id_), "title": title} for id_, title in rows])
    return HttpResponse(body.encode(), content_type=JSON)
