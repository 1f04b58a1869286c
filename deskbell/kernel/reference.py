"""How an HTTP API is described, as plain data: its pages and its OpenAPI document are made of it.

A dialect describes itself; the page and the document only lay it out. Schemas are JSON Schema
2020-12, as OpenAPI 3.1 takes them. Texts may mark words as code with backquotes.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

Schema = dict[str, Any]
Place = Literal["path", "query", "header", "body"]
Verb = Literal["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data"

#: The account of all examples, as old as the first of the three APIs.
EXAMPLE_LOGIN = "susan:fido"

# --- schemas -------------------------------------------------------------------------------------

ANY: Schema = {}
INTEGER: Schema = {"type": "integer"}
NUMBER: Schema = {"type": "number"}
TEXT: Schema = {"type": "string"}
BOOLEAN: Schema = {"type": "boolean"}
OBJECT: Schema = {"type": "object"}
MOMENT: Schema = {"type": "string", "format": "date-time"}
DATE: Schema = {"type": "string", "format": "date"}
ADDRESS: Schema = {"type": "string", "format": "email"}
#: A file; it can be sent in a multipart form only.
FILE: Schema = {"type": "string", "format": "binary"}
ID: Schema = {"type": "integer", "format": "int64", "minimum": 1}


def nullable(schema: Schema) -> Schema:
    """The same, or null."""
    if isinstance(schema.get("type"), str):
        found: Schema = {**schema, "type": [schema["type"], "null"]}
        if "enum" in schema:
            found["enum"] = [*schema["enum"], None]
        return found
    return {"anyOf": [schema, {"type": "null"}]}


def one_of(*values: Any) -> Schema:
    """One of these values."""
    return {"type": "integer" if isinstance(values[0], int) else "string", "enum": list(values)}


def list_of(schema: Schema) -> Schema:
    """A list of such things."""
    return {"type": "array", "items": schema}


def map_of(schema: Schema) -> Schema:
    """An object with such values under whatever keys."""
    return {"type": "object", "additionalProperties": schema}


def ref(name: str) -> Schema:
    """A schema of the description by its name."""
    return {"$ref": f"#/components/schemas/{name}"}


def any_of(*schemas: Schema) -> Schema:
    """What fits one of them."""
    return {"anyOf": list(schemas)}


def record(
    properties: Mapping[str, Schema], *, optional: Collection[str] = (), **more: Any
) -> Schema:
    """An object with these keys, all of which are there unless they are named as optional."""
    return {
        "type": "object",
        "properties": dict(properties),
        "required": [name for name in properties if name not in optional],
        **more,
    }


def type_name(schema: Schema) -> str:
    """A schema in a word or two, for people."""
    if "$ref" in schema:
        return str(schema["$ref"].rpartition("/")[2])
    if "anyOf" in schema:
        return " or ".join(dict.fromkeys(type_name(one) for one in schema["anyOf"]))
    given = schema.get("type", "anything")
    kinds = given if isinstance(given, list) else [given]
    if schema.get("format") == "binary":
        return "file"
    words = []
    for kind in kinds:
        if kind == "array":
            inner = type_name(schema.get("items", {}))
            words.append("list" if inner == "anything" else f"list of {inner}")
        elif kind == "string" and schema.get("format") in ("date-time", "date", "email"):
            words.append(
                {"date-time": "moment", "date": "date", "email": "address"}[schema["format"]]
            )
        else:
            words.append({"string": "text", "boolean": "true or false"}.get(kind, str(kind)))
    return " or ".join(words)


# --- operations ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Parameter:
    """Something a client sends. ``default`` says in words what holds where it is left out."""

    name: str
    text: str
    schema: Schema
    place: Place = "body"
    required: bool = False
    default: str = ""

    @property
    def type(self) -> str:
        return type_name(self.schema)

    @property
    def choices(self) -> list[str]:
        """The words possible, where there are only some; numbers are explained in the text."""
        if self.schema.get("type") != "string":
            return []
        return [json.dumps(value).strip('"') for value in self.schema.get("enum", ())]


def path(name: str, text: str, schema: Schema = ID) -> Parameter:
    """A part of the path."""
    return Parameter(name, text, schema, "path", required=True)


def query(name: str, text: str, schema: Schema = TEXT, **more: Any) -> Parameter:
    """Something behind the question mark."""
    return Parameter(name, text, schema, "query", **more)


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer that was hoped for. Without a schema it has no body."""

    status: int
    text: str
    schema: Schema | None = None
    type: str = JSON

    @property
    def body(self) -> str:
        return "" if self.schema is None else type_name(self.schema)


@dataclass(frozen=True, slots=True)
class Failure:
    """An answer that is no success: what its body says, and when."""

    status: int
    text: str
    why: str


@dataclass(frozen=True, slots=True)
class Example:
    """A call with curl. ``arguments`` stand behind the address, one a line, ready for a shell.

    ``address`` is the path below the API, with its query. ``signed`` sends the example's account.
    """

    address: str
    arguments: tuple[str, ...] = ()
    status: int = 200
    signed: bool = True

    def command(self, base: str, verb: str) -> str:
        """The whole command; ``base`` is the address of the API without a slash at its end."""
        url = f"{base}{self.address}"
        first = ["curl", shell_word(url) if set("?&*()[]\"' ") & set(url) else url]
        if self.signed:
            first += ["--user", EXAMPLE_LOGIN]
        lines = [" ".join(first)]
        sends = any(word.split(" ", 1)[0] in ("--data", "--form") for word in self.arguments)
        if verb != ("POST" if sends else "GET"):
            lines.append(f"--request {verb}")
        return " \\\n  ".join([*lines, *self.arguments])


def shell_word(text: str) -> str:
    """The text as one word of a POSIX shell."""
    return "'" + text.replace("'", "'\\''") + "'"


def sends(body: Any) -> tuple[str, ...]:
    """The arguments of an example that sends a value as JSON."""
    text = json.dumps(body, ensure_ascii=False)
    return ("--header 'Content-Type: application/json'", f"--data {shell_word(text)}")


def fills(**fields: str) -> tuple[str, ...]:
    """The arguments of an example that sends a multipart form; ``@name`` is a file."""
    return tuple(f"--form {shell_word(f'{name}={value}')}" for name, value in fields.items())


@dataclass(frozen=True, slots=True)
class Operation:
    """A verb of a route.

    ``path`` is below the API's own address, parts in braces are parameters. ``permissions``: any of
    them is needed; ``who`` says it in words. ``bodies`` are the content types a body may have,
    ``public``: nobody needs to sign in.
    """

    verb: Verb
    path: str
    summary: str
    who: str
    answers: tuple[Answer, ...]
    example: Example
    details: str = ""
    parameters: tuple[Parameter, ...] = ()
    failures: tuple[Failure, ...] = ()
    permissions: tuple[str, ...] = ()
    bodies: tuple[str, ...] = (JSON,)
    public: bool = False

    @property
    def name(self) -> str:
        """The operation's own name: ``get-tickets-ticket_id``."""
        words = "".join(c if c.isalnum() or c in "_-" else " " for c in self.path).split()
        return "-".join([self.verb.lower(), *(words or ["root"])])

    @property
    def paragraphs(self) -> list[str]:
        return [part for part in self.details.split("\n\n") if part]

    def at(self, place: Place) -> tuple[Parameter, ...]:
        """The parameters of one place."""
        return tuple(one for one in self.parameters if one.place == place)

    def as_verb(self, verb: Verb, **changes: Any) -> Operation:
        """The same by another verb."""
        return replace(self, verb=verb, **changes)


@dataclass(frozen=True, slots=True)
class Section:
    """Operations that belong together. ``name`` is the anchor."""

    name: str
    title: str
    text: str
    operations: tuple[Operation, ...]

    @property
    def paragraphs(self) -> list[str]:
        return [part for part in self.text.split("\n\n") if part]


@dataclass(frozen=True, slots=True)
class Topic:
    """Something that holds for all operations. A paragraph that begins with ``curl`` is code."""

    name: str
    title: str
    text: str

    @property
    def paragraphs(self) -> list[str]:
        return self.text.split("\n\n")


@dataclass(frozen=True, slots=True)
class Reference:
    """A whole dialect. ``below`` is where it is mounted: ``api/v1``, without slashes around."""

    name: str
    title: str
    lead: str
    below: str
    version: str
    topics: tuple[Topic, ...]
    sections: tuple[Section, ...]
    schemas: Mapping[str, Schema]
    security: Mapping[str, Schema]
    #: Failures every operation may have, and the schema of failures by status.
    failures: tuple[Failure, ...]
    failure_schema: Schema
    failure_schemas: Mapping[int, Schema]
    #: Possible at every path, described once.
    everywhere: tuple[Operation, ...] = ()

    @property
    def operations(self) -> Iterator[Operation]:
        """All that belong to a path of their own."""
        for section in self.sections:
            yield from section.operations
