"""What many operations have in common."""

from __future__ import annotations

from collections.abc import Sequence

from deskbell.kernel.reference import (
    BOOLEAN,
    INTEGER,
    TEXT,
    Answer,
    Example,
    Failure,
    Operation,
    Parameter,
    Schema,
    any_of,
    list_of,
    path,
    query,
    ref,
    sends,
)

SIGNED_IN = "Everybody who is signed in."
AGENTS = "Agents."
REFUSED = Failure(
    403, "User authorization failed.", "The account lacks the permission, or its token does."
)
HIDDEN = Failure(403, "Not authorized", "The row is there, and not for this account.")
IN_USE = Failure(422, "Can't delete, object has references.", "Something refers to it.")

EXPAND = query("expand", "Names beside the ids.", BOOLEAN, default="false")
FULL = query("full", "Ids and `assets` in place of objects.", BOOLEAN, default="false")
ALL = query("all", "The ticket and everything that hangs on it.", BOOLEAN, default="false")
SORT = (
    query("sort_by", "Columns to order by, separated by commas."),
    query("order_by", "`asc` or `desc` for each of them.", default="asc"),
)
COUNTS = (
    query(
        "with_total_count",
        "`records` and `total_count` in place of a plain list.",
        BOOLEAN,
        default="false",
    ),
    query("only_total_count", "Nothing but `total_count`.", BOOLEAN, default="false"),
)
BAD_ORDER = Failure(422, "Invalid value 'x' for field 'sort_by'!", "One cannot order by that.")


def paging(default: int, most: int) -> tuple[Parameter, ...]:
    """The parameters of a page."""
    return (
        query("page", "The page, from 1.", {"type": "integer", "minimum": 1}, default="1"),
        query(
            "per_page",
            f"How many rows a page has, at most {most}. `limit` says the same.",
            {"type": "integer", "minimum": 1},
            default=str(default),
        ),
    )


def unknown(class_name: str) -> Failure:
    """There is no such row."""
    return Failure(404, f"Couldn't find {class_name} with 'id'=999", "There is no such row.")


def one(name: str, status: int = 200, text: str = "") -> Answer:
    """One row in the form asked for."""
    return Answer(
        status,
        text or "The row; with `full=true` its id and assets.",
        any_of(ref(name), ref("WithAssets")),
    )


def several(name: str) -> Answer:
    """A page of rows in the form asked for."""
    return Answer(
        200,
        "A page of rows, `[]` behind the last; with `full=true` ids and assets.",
        any_of(list_of(ref(name)), ref("Records")),
    )


def found(name: str, *, labels: bool) -> Answer:
    """What a search answers, in all its forms."""
    counted: Schema = {
        "type": "object",
        "properties": {"records": list_of(ref(name)), "total_count": INTEGER},
        "required": ["records", "total_count"],
    }
    shapes = [list_of(ref(name)), ref("Records"), counted, ref("Count")]
    if labels:
        shapes.append(list_of(ref("Label")))
    return Answer(200, "What was found, in the form asked for; `[]` if nothing.", any_of(*shapes))


NOTHING = Answer(200, "`{}`.", ref("Nothing"))


def body(name: str, text: str, schema: Schema = TEXT, **more: object) -> Parameter:
    """A key of the body."""
    return Parameter(name, text, schema, "body", **more)  # type: ignore[arg-type]


class Collection:
    """The usual operations of one kind of rows, which differ in words and permissions only.

    ``sample`` is the id of the examples, ``word`` what people call a row.
    """

    def __init__(
        self,
        place: str,
        key: str,
        *,
        schema: str,
        class_name: str,
        word: str,
        words: str,
        sample: int,
        columns: Sequence[Parameter],
    ) -> None:
        self.place = f"/{place}"
        self.key = key
        self.schema = schema
        self.unknown = unknown(class_name)
        self.word = word
        self.words = words
        self.sample = sample
        self.columns = tuple(columns)
        self.on = path(key, f"The id of the {word}.")

    def _permitted(self, permissions: Sequence[str]) -> tuple[Failure, ...]:
        return (REFUSED,) if permissions else ()

    def listing(
        self,
        who: str,
        permissions: tuple[str, ...] = (),
        *,
        default: int = 500,
        most: int = 1000,
        details: str = "",
    ) -> Operation:
        return Operation(
            "GET",
            self.place,
            f"Lists {self.words}, a page at a time.",
            who,
            (several(self.schema),),
            Example(f"{self.place}?expand=true&per_page=20"),
            details,
            (*paging(default, most), *SORT, EXPAND, FULL),
            (*self._permitted(permissions), BAD_ORDER),
            permissions,
        )

    def creating(
        self,
        who: str,
        permissions: tuple[str, ...],
        example: dict[str, object],
        failures: tuple[Failure, ...] = (),
        details: str = "",
    ) -> Operation:
        return Operation(
            "POST",
            self.place,
            f"Adds a {self.word}.",
            who,
            (one(self.schema, 201),),
            Example(self.place, sends(example), 201),
            details,
            (EXPAND, FULL, *self.columns),
            (*self._permitted(permissions), *failures),
            permissions,
        )

    def showing(
        self,
        who: str,
        permissions: tuple[str, ...] = (),
        answer: Answer | None = None,
        details: str = "",
    ) -> Operation:
        return Operation(
            "GET",
            f"{self.place}/{{{self.key}}}",
            f"Shows a {self.word}.",
            who,
            (answer or one(self.schema),),
            Example(f"{self.place}/{self.sample}"),
            details,
            (self.on, EXPAND, FULL),
            (*self._permitted(permissions), HIDDEN, self.unknown),
            permissions,
        )

    def changing(
        self,
        who: str,
        permissions: tuple[str, ...],
        example: dict[str, object],
        failures: tuple[Failure, ...] = (),
        details: str = "",
    ) -> Operation:
        columns = tuple(
            Parameter(column.name, column.text, column.schema, default="as it is")
            for column in self.columns
        )
        return Operation(
            "PUT",
            f"{self.place}/{{{self.key}}}",
            f"Changes a {self.word}; what is left out stays.",
            who,
            (one(self.schema),),
            Example(f"{self.place}/{self.sample}", sends(example)),
            details,
            (self.on, EXPAND, FULL, *columns),
            (*self._permitted(permissions), self.unknown, *failures),
            permissions,
        )

    def deleting(
        self, who: str, permissions: tuple[str, ...], failures: tuple[Failure, ...] = (IN_USE,)
    ) -> Operation:
        return Operation(
            "DELETE",
            f"{self.place}/{{{self.key}}}",
            f"Removes a {self.word} that nothing refers to.",
            who,
            (NOTHING,),
            Example(f"{self.place}/{self.sample}"),
            "",
            (self.on,),
            (*self._permitted(permissions), self.unknown, *failures),
            permissions,
        )

    def searching(
        self, who: str, permissions: tuple[str, ...] = (), filters: tuple[Parameter, ...] = ()
    ) -> tuple[Operation, Operation]:
        by_get = Operation(
            "GET",
            f"{self.place}/search",
            f"Finds {self.words}.",
            who,
            (found(self.schema, labels=True),),
            Example(f"{self.place}/search?query=a*&limit=10"),
            "Without a query, all are found. The active and lately changed ones come first.",
            (
                query("query", "What to look for, in the language of the ticket search."),
                query("term", "The same, for a list to choose from."),
                query("label", "Rows for a list to choose from.", BOOLEAN, default="false"),
                query("ids", "Only these, separated by commas."),
                *filters,
                *paging(50, 200),
                *SORT,
                EXPAND,
                FULL,
                *COUNTS,
            ),
            (*self._permitted(permissions), BAD_ORDER),
            permissions,
        )
        return by_get, by_post(by_get, sends({"query": "a*", "limit": 10}))


def by_post(operation: Operation, arguments: tuple[str, ...]) -> Operation:
    """The same with the parameters in a JSON body."""
    return operation.as_verb(
        "POST",
        summary=f"{operation.summary.removesuffix('.')}; the parameters are in the body.",
        parameters=tuple(
            one
            if one.place == "path"
            else Parameter(one.name, one.text, one.schema, default=one.default)
            for one in operation.parameters
        ),
        example=Example(operation.example.address.partition("?")[0], arguments),
    )
