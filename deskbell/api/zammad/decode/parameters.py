"""One set of parameters from the query, a JSON body or a form (contract section 1).

A key of the body beats the same key of the query. Brackets nest as Rails reads them:
``article[body]=x``, ``ids[]=1``. JSON is strict: UTF-8, an object, bounded in depth, no NUL.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import pairwise
from typing import Any
from urllib.parse import parse_qsl

import msgspec
from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from django.http import HttpRequest
from django.http.multipartparser import MultiPartParserError
from django.http.request import UnreadablePostError

from deskbell.api.zammad.errors import Problem
from deskbell.kernel.text import is_storable

Parameters = dict[str, Any]

#: Deeper than anything a client means; deeper texts only cost stack.
DEPTH_LIMIT = 64
FIELDS_LIMIT = 2000
_BOM = b"\xef\xbb\xbf"
_KEY = re.compile(r"^([^\[\]]+)((?:\[[^\[\]]*\])*)\Z")
_PART = re.compile(r"\[([^\[\]]*)\]")
_NUL = "The request holds a NUL character, which no text can have."


def parameters_of(request: HttpRequest) -> Parameters:
    """Everything the client said beside the path. Raises :class:`Problem` (400, 413)."""
    found: Parameters = {}
    query: str = request.META.get("QUERY_STRING", "")
    if query:
        found = _nested(_pairs(query))
    # WSGI always knows the length: the outermost layer has read the body.
    if request.META.get("CONTENT_LENGTH") not in (None, "", "0"):
        found.update(_body(request))
    return found


def _pairs(text: str) -> list[tuple[str, str]]:
    try:
        pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=FIELDS_LIMIT)
    except ValueError:
        raise Problem(400, "The request has too many parameters.") from None
    for key, value in pairs:
        if not (is_storable(key) and is_storable(value)):
            raise Problem(400, _NUL)
    return pairs


def _body(request: HttpRequest) -> Parameters:
    kind = request.META.get("CONTENT_TYPE", "").partition(";")[0].strip().lower()
    try:
        if kind == "multipart/form-data":
            return _multipart(request)
        raw = request.body
    except RequestDataTooBig:
        raise Problem(413, "The request is too large.") from None
    except UnreadablePostError:
        raise Problem(400, "The request ended before its body was complete.") from None
    if kind == "application/x-www-form-urlencoded":
        return _nested(_pairs(raw.decode("utf-8", "replace")))
    if kind in ("", "application/json", "text/json") or kind.endswith("+json"):
        return _json(raw)
    return {}


def _multipart(request: HttpRequest) -> Parameters:
    if request.method != "POST":
        return {}
    try:
        posted = request.POST
    except (MultiPartParserError, SuspiciousOperation):
        raise Problem(400, "The form could not be read.") from None
    pairs = [(key, value) for key, values in posted.lists() for value in values]
    if not all(is_storable(key) and is_storable(value) for key, value in pairs):
        raise Problem(400, _NUL)
    return _nested(pairs)


def _json(raw: bytes) -> Parameters:
    raw = raw.removeprefix(_BOM)
    if not raw.strip():
        return {}
    try:
        body = msgspec.json.decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise Problem(400, f"The body is no valid JSON: {str(error)[:200]}") from None
    if body is None:
        return {}
    if not isinstance(body, dict):
        raise Problem(400, "The body must be a JSON object.")
    # NUL can only be written as an escape, so a body without one need not be searched.
    _check(body, search=b"\\u0000" in raw)
    return body


def _check(body: Parameters, *, search: bool) -> None:
    """Bound the depth, and look for NUL where there may be one; without recursion."""
    level: list[Any] = [body]
    for _depth in range(DEPTH_LIMIT):
        below: list[Any] = []
        for value in level:
            if isinstance(value, dict):
                if search and not all(is_storable(key) for key in value):
                    raise Problem(400, _NUL)
                below.extend(value.values())
            elif isinstance(value, list):
                below.extend(value)
            elif search and isinstance(value, str) and not is_storable(value):
                raise Problem(400, _NUL)
        if not below:
            return
        level = below
    raise Problem(400, f"The body is nested deeper than {DEPTH_LIMIT} levels.")


def _nested(pairs: Iterable[tuple[str, str]]) -> Parameters:
    """``a[b]=1&c[]=2`` as ``{"a": {"b": "1"}, "c": ["2"]}``; what fits nowhere is left out."""
    found: Parameters = {}
    for key, value in pairs:
        if "[" not in key:
            found[key] = value
            continue
        match = _KEY.match(key)
        if match is None:
            found[key] = value
            continue
        parts = [match[1], *_PART.findall(match[2])]
        if len(parts) <= DEPTH_LIMIT:
            _put(found, parts, value)
    return found


def _put(into: Parameters, parts: list[str], value: str) -> None:
    place: Any = into
    for part, following in pairwise(parts):
        fresh: Any = [] if following == "" else {}
        if isinstance(place, dict):
            place = place.setdefault(part, fresh)
        else:
            # ``a[][k]=1``: a new element begins when the last one has the key already.
            if not place or not isinstance(place[-1], dict) or following in place[-1]:
                place.append(fresh)
            place = place[-1]
    last = parts[-1]
    if isinstance(place, dict) and last:
        place[last] = value
    elif isinstance(place, list):
        place.append(value)
