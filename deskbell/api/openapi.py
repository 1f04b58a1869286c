"""A dialect's description as an OpenAPI 3.1 document."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from http import HTTPStatus
from typing import Any

import msgspec
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.views.decorators.csrf import csrf_exempt

from deskbell.kernel.reference import (
    JSON,
    MULTIPART,
    Answer,
    Failure,
    Operation,
    Parameter,
    Reference,
    Schema,
)

#: Nothing in it changes but with a new version of the desk.
CACHED_SECONDS = 300
_PLACE = re.compile(r"\{(\w+)\}")


def document(reference: Reference, server: str) -> dict[str, Any]:
    """The whole document; ``server`` is the absolute address of the API without a final slash."""
    paths: dict[str, dict[str, Any]] = {}
    tags = {
        operation.name: section.title
        for section in reference.sections
        for operation in section.operations
    }
    for operation in reference.operations:
        entry = paths.setdefault(operation.path, {})
        entry[operation.verb.lower()] = _operation(operation, reference, tags[operation.name])
    for operation in reference.everywhere:
        for path, entry in paths.items():
            given = next(one for one in reference.operations if one.path == path).at("path")
            own = replace(operation, path=path, parameters=given)
            entry[operation.verb.lower()] = _operation(own, reference, "Every address")
    return {
        "openapi": "3.1.0",
        "info": {
            "title": reference.title,
            "summary": reference.lead,
            "version": reference.version,
        },
        "servers": [{"url": server}],
        "tags": [
            {"name": section.title, "description": section.text} for section in reference.sections
        ],
        "paths": paths,
        "components": {
            "schemas": dict(reference.schemas),
            "securitySchemes": dict(reference.security),
        },
        "security": [{name: []} for name in reference.security],
    }


def _operation(operation: Operation, reference: Reference, tag: str) -> dict[str, Any]:
    found: dict[str, Any] = {
        "operationId": operation.name,
        "tags": [tag],
        "summary": operation.summary,
        "description": "\n\n".join([*operation.paragraphs, f"Who may: {operation.who}"]),
        "responses": _responses(operation, reference),
    }
    parameters = [_parameter(one) for one in operation.parameters if one.place != "body"]
    if parameters:
        found["parameters"] = parameters
    body = _body(operation)
    if body:
        found["requestBody"] = body
    if operation.public:
        found["security"] = []
    return found


def _parameter(parameter: Parameter) -> dict[str, Any]:
    return {
        "name": parameter.name,
        "in": parameter.place,
        "required": parameter.required,
        "description": parameter.text,
        "schema": parameter.schema,
    }


def _is_file(schema: Schema) -> bool:
    return schema.get("format") == "binary" or ("items" in schema and _is_file(schema["items"]))


def _body(operation: Operation) -> dict[str, Any] | None:
    parameters = operation.at("body")
    if not parameters:
        return None
    content: dict[str, Any] = {}
    for type_ in operation.bodies:
        if type_ == MULTIPART:
            shown = parameters
        else:
            shown = tuple(one for one in parameters if not _is_file(one.schema))
            if any(one.required and one not in shown for one in parameters):
                continue
        schema: Schema = {"type": "object"}
        for one in shown:
            described = {**one.schema, "description": one.text}
            # ``custom_…`` stands for all names that begin so, ``…`` alone for any other.
            if one.name == "…":
                schema["additionalProperties"] = described
            elif one.name.endswith("…"):
                schema.setdefault("patternProperties", {})[f"^{one.name[:-1]}"] = described
            else:
                schema.setdefault("properties", {})[one.name] = described
        required = [one.name for one in shown if one.required]
        if required:
            schema["required"] = required
        content[type_] = {"schema": schema}
    return {"required": any(one.required for one in parameters), "content": content}


def _responses(operation: Operation, reference: Reference) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for answer in operation.answers:
        _add_answer(found, answer)
    failures: Iterable[Failure] = (*operation.failures, *reference.failures)
    for failure in failures:
        key = str(failure.status)
        said = f"{failure.why} `{failure.text}`" if failure.text else failure.why
        if key in found:
            if said not in found[key]["description"]:
                found[key]["description"] += f"\n\n{said}"
            continue
        schema = reference.failure_schemas.get(failure.status, reference.failure_schema)
        found[key] = {"description": said, "content": {JSON: {"schema": schema}}}
    return dict(sorted(found.items()))


def _add_answer(found: dict[str, Any], answer: Answer) -> None:
    entry = found.setdefault(
        str(answer.status), {"description": answer.text or HTTPStatus(answer.status).phrase}
    )
    if answer.schema is not None:
        entry.setdefault("content", {})[answer.type] = {"schema": answer.schema}


@csrf_exempt
def openapi(request: HttpRequest, mount: str, reference: Reference) -> HttpResponseBase:
    """The document with this installation's own address. Public: it names no rows of the desk."""
    if request.method not in ("GET", "HEAD"):
        response = HttpResponse(status=405)
        response.headers["Allow"] = "GET, HEAD"
        return response
    server = request.build_absolute_uri(f"/{mount}{reference.below}")
    body = msgspec.json.encode(document(reference, server))
    response = HttpResponse(body, content_type=JSON)
    response.headers["Cache-Control"] = f"public, max-age={CACHED_SECONDS}"
    response.headers["Access-Control-Allow-Origin"] = "*"
    return response
