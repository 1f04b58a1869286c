"""Which tickets a query finds, for whom, in which order.

The access predicate stands inside every statement. What a query costs depends on what it finds,
not on how many tickets there are:

* A word on few entries (:data:`FEW`) is looked up first, and the sets meet in Python.
* A query of common words walks the tickets in the order asked for and tests each; it is done as
  soon as the page is full.
* What is common word by word but rare together falls back to the whole index.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from django.db import connection, transaction

from deskbell.kernel import clock
from deskbell.kernel.actor import Actor
from deskbell.kernel.errors import Invalid
from deskbell.search.fields import ALWAYS_SET, SORTABLE, SORTABLE_TEXT
from deskbell.search.index import FIELDS, STAFF, TICKET_SHIFT
from deskbell.search.language import Node, Query, parse
from deskbell.search.plan import (
    INTERNAL,
    All,
    Both,
    Condition,
    Either,
    Nothing,
    Other,
    Phrase,
    Plan,
    Planner,
    Text,
    both,
)
from deskbell.tickets import access

Direction = Literal["asc", "desc"]
Sort = tuple[str, Direction]

#: Counts are exact up to here and stay here, as Elasticsearch's do.
COUNT_LIMIT = 10_000
#: A word on more entries than this is tested ticket by ticket rather than looked up.
FEW = 4_000
#: PostgreSQL's own guess of a word's entries beyond which looking it up is not even tried.
GUESSED_MANY = 20_000
#: So many tickets are walked for a page before giving up, and for a count.
WALK = 2_000
COUNT_WALK = 20_000
#: More phrases than this are too slow to test one by one.
TESTABLE = 16
#: Behind every last page; the databases take no larger numbers.
_FAR = 2**40
DEFAULT_SORT: tuple[Sort, ...] = (("updated_at", "desc"), ("id", "desc"))
#: Columns that tickets can be walked by, and the index that serves (the rows themselves, by id).
_WALKABLE = {"updated_at": "ticket_recent", "created_at": "ticket_created", "id": None}

#: The very expression that the index is over.
_VECTOR = "array_to_tsvector(string_to_array(btrim(e.words), ' '))"


@dataclass(frozen=True, slots=True)
class Audience:
    """Whose entries count: ``internal`` is SQL, the tickets whose private ones do."""

    internal: str
    params: tuple[Any, ...]

    @property
    def everything(self) -> bool:
        return self.internal == "1=1"

    @property
    def nothing(self) -> bool:
        return self.internal == "1=0"


def audience_of(actor: Actor) -> Audience:
    """Private entries are for agents with read on the ticket's group, for nobody else."""
    groups = actor.groups_with("read")
    if groups is None or (groups and not actor.may("ticket.customer")):
        # Whatever such an actor sees, he sees as an agent.
        return Audience("1=1", ())
    if not groups:
        return Audience("1=0", ())
    places = ", ".join(["%s"] * len(groups))
    return Audience(f"tickets_ticket.group_id IN ({places})", tuple(sorted(groups)))


def find(
    actor: Actor,
    query: str | Query | Node,
    *,
    sort: Sequence[Sort] = DEFAULT_SORT,
    limit: int = 50,
    offset: int = 0,
    condition: Plan | None = None,
    at: datetime | None = None,
) -> list[int]:
    """Ids of the tickets that the actor may read and the query matches, a page of them in order.

    ``condition`` narrows further (see :mod:`deskbell.search.conditions`); ``at`` is what ``now``
    means in the query. Equal rows stand in the order of their ids. Raises :class:`Invalid`
    (``sort_by``, ``unknown``) for a column that is not to be sorted by.
    """
    return Search(actor, query, condition=condition, at=at).find(
        sort=sort, limit=limit, offset=offset
    )


def count(
    actor: Actor,
    query: str | Query | Node,
    *,
    condition: Plan | None = None,
    at: datetime | None = None,
) -> int:
    """How many tickets :func:`find` would find on all pages, at most :data:`COUNT_LIMIT`."""
    return Search(actor, query, condition=condition, at=at).count()


class _Order:
    """What a page is sorted by; always ends in the id, so that pages do not overlap."""

    def __init__(self, sort: Sequence[Sort]) -> None:
        self.columns: list[tuple[str, str, Direction]] = []
        for name, direction in sort or DEFAULT_SORT:
            if name not in SORTABLE:
                raise Invalid("sort_by", "unknown", name)
            if direction not in ("asc", "desc"):
                raise Invalid("order_by", "unknown", direction)
            if all(name != known for known, _, _ in self.columns):
                self.columns.append((name, SORTABLE[name], direction))
        if all(name != "id" for name, _, _ in self.columns):
            self.columns.append(("id", "id", self.columns[-1][2]))

    @property
    def walk(self) -> tuple[str, Direction] | None:
        """The indexed column that leads the order, ``None`` where no index can serve it."""
        name, column, direction = self.columns[0]
        if name not in _WALKABLE or any(turn != direction for _, _, turn in self.columns):
            return None
        if [name for name, _, _ in self.columns[1:]] not in ([], ["id"]):
            return None
        return column, direction

    def sql(self, *, by_index: bool) -> str:
        """ORDER BY. Without ``by_index`` SQLite must not be tempted to walk an index."""
        terms = []
        postgresql = connection.vendor == "postgresql"
        for name, column, direction in self.columns:
            term = column if column.startswith("(") else f"tickets_ticket.{column}"
            if postgresql and name in SORTABLE_TEXT:
                term += ' COLLATE "C"'
            elif not postgresql and not by_index:
                term = f"+{term}"
            nulls = "" if name in ALWAYS_SET else " NULLS LAST"
            terms.append(f"{term} {direction.upper()}{nulls}")
        return ", ".join(terms)


@dataclass(frozen=True, slots=True)
class _Hits:
    """The tickets of a rare text: by public entries, and by any entry."""

    public: frozenset[int]
    any: frozenset[int]


@dataclass(slots=True)
class _Sql:
    """A piece of SQL and its parameters, in order."""

    text: str
    params: list[Any]

    def __and__(self, more: _Sql) -> _Sql:
        return _Sql(f"({self.text}) AND ({more.text})", [*self.params, *more.params])


class Search:
    """One search: the plan, what its rare words hit, and the statements made from them.

    Who needs a page and the count asks the same search for both: words are looked up once.
    """

    def __init__(
        self,
        actor: Actor,
        query: str | Query | Node,
        *,
        condition: Plan | None = None,
        at: datetime | None = None,
    ) -> None:
        self.audience = audience_of(actor)
        self.visible = _Sql(*access.visible(actor))
        self.hits: dict[Text, _Hits | None] = {}
        self.exact: frozenset[int] | None
        self.candidates: frozenset[int] | None
        if self.visible.text == access.NOTHING[0]:
            self.root: Plan = Nothing()
            self.exact = self.candidates = frozenset()
            return
        if isinstance(query, str):
            query = parse(query)
        node = query.node if isinstance(query, Query) else query
        self.root = Planner(now=at or clock.now()).plan(node)
        if condition is not None:
            self.root = both([self.root, condition])
        self.exact, self.candidates = self._sets(self.root)

    # -- pages and counts ----------------------------------------------------------------------

    def find(
        self, *, sort: Sequence[Sort] = DEFAULT_SORT, limit: int = 50, offset: int = 0
    ) -> list[int]:
        """See :func:`find`."""
        order = _Order(sort)
        limit, offset = min(max(0, limit), _FAR), min(max(0, offset), _FAR)
        if self._is_empty() or not limit:
            return []
        if self.exact is not None or self.candidates is not None:
            return self._select(self._known(), order, limit, offset)
        walk = order.walk
        if walk is not None:
            edge = self._edge(walk, max(WALK, 2 * (offset + limit)))
            where = self._predicate(self.root)
            if edge is None:
                return self._select(where, order, limit, offset, along=walk)
            found = self._select(where & edge, order, limit + offset, 0, along=walk)
            if len(found) == limit + offset:
                return found[offset:]
        with _room():
            return self._select(self._narrow(), order, limit, offset)

    def count(self, *, exactly: bool = False) -> int:
        """See :func:`count`; ``exactly`` counts to the end, which takes its time."""
        most = _FAR if exactly else COUNT_LIMIT
        if self._is_empty():
            return 0
        if self.exact is not None or self.candidates is not None:
            return self._count(self._known(), most)
        if not self.hits:
            return self._count(self._predicate(self.root), most)
        if connection.vendor == "sqlite" and (lead := self._lead()) is not None:
            return self._count_along(lead, most)
        walk: tuple[str, Direction] = ("updated_at", "desc")
        test = self._predicate(self.root)
        if not exactly:
            edge = self._edge(walk, COUNT_WALK)
            found = self._count(test & edge if edge else test, most, along=walk)
            if edge is None or found == most:
                return found
            if found > COUNT_WALK // 8:
                # So many match that going on ends soon; the limit stops it.
                return self._count(test, most)
        with _room():
            return self._count(self._narrow(), most)

    def _lead(self) -> Text | None:
        """A text that every ticket found holds."""
        parts = self.root.parts if isinstance(self.root, Both) else (self.root,)
        return next((part for part in parts if isinstance(part, Text)), None)

    def _count_along(self, lead: Text, most: int) -> int:
        """Count along a common text's entries, which FTS5 gives one by one, until the limit.

        PostgreSQL's index would give all of them or none.
        """
        found = _entries(lead)
        # The rest of a conjunction alone; also of the text itself, whose private entries may be
        # nobody's of this audience.
        rest = self.root
        if self.audience.everything:
            parts = self.root.parts if isinstance(self.root, Both) else (self.root,)
            rest = both(part for part in parts if part is not lead)
        wanted = self.visible & self._predicate(rest)
        rows = _rows(
            "SELECT count(*) FROM (SELECT DISTINCT tickets_ticket.id"  # noqa: S608
            f" FROM ({found.text}) e CROSS JOIN tickets_ticket"
            f" ON tickets_ticket.id = e.rowid >> {TICKET_SHIFT}"
            f" WHERE {wanted.text} LIMIT %s) found",
            [*found.params, *wanted.params, most],
        )
        return int(rows[0][0])

    def _is_empty(self) -> bool:
        return isinstance(self.root, Nothing) or self.candidates == frozenset()

    def _known(self) -> _Sql:
        """The tickets that the looked-up words leave, and what else must hold for them."""
        if self.exact is not None:
            return _among("tickets_ticket.id", self.exact)
        assert self.candidates is not None
        return _among("tickets_ticket.id", self.candidates) & self._predicate(self.root)

    def _narrow(self) -> _Sql:
        """Common words: tested where access and columns leave few tickets, else looked up."""
        if not self.hits:
            return self._predicate(self.root)
        parts = self.root.parts if isinstance(self.root, Both) else (self.root,)
        columns = both(part for part in parts if isinstance(part, Condition))
        few = self._count(self._predicate(columns), FEW) < FEW
        return self._predicate(self.root, looked_up=not few)

    def _edge(self, walk: tuple[str, Direction], window: int) -> _Sql | None:
        """Where a walk over ``window`` tickets ends; ``None`` if there are no more than that."""
        column, direction = walk
        rows = _rows(
            f"SELECT tickets_ticket.{column} FROM tickets_ticket"  # noqa: S608
            f" ORDER BY tickets_ticket.{column} {direction.upper()},"
            f" tickets_ticket.id {direction.upper()} LIMIT 1 OFFSET %s",
            [window],
        )
        if not rows:
            return None
        sign = ">=" if direction == "desc" else "<="
        return _Sql(f"tickets_ticket.{column} {sign} %s", [_stored(rows[0][0])])

    def _select(
        self,
        where: _Sql,
        order: _Order,
        limit: int,
        offset: int,
        *,
        along: tuple[str, Direction] | None = None,
    ) -> list[int]:
        wanted = self.visible & where
        rows = _rows(
            f"SELECT tickets_ticket.id FROM {_tickets(along)} WHERE {wanted.text}"  # noqa: S608
            f" ORDER BY {order.sql(by_index=along is not None)} LIMIT %s OFFSET %s",
            [*wanted.params, limit, offset],
        )
        return [row[0] for row in rows]

    def _count(
        self,
        where: _Sql,
        most: int,
        *,
        along: tuple[str, Direction] | None = None,
    ) -> int:
        wanted = self.visible & where
        rows = _rows(
            f"SELECT count(*) FROM (SELECT 1 FROM {_tickets(along)}"  # noqa: S608
            f" WHERE {wanted.text} LIMIT %s) found",
            [*wanted.params, most],
        )
        return int(rows[0][0])

    # -- sets of rare words --------------------------------------------------------------------

    def _sets(self, plan: Plan) -> tuple[frozenset[int] | None, frozenset[int] | None]:
        """The tickets that match, where the index alone tells; and all those that might.

        ``None`` where they are many or other columns decide. A conjunction stops looking words up
        as soon as nothing is left.
        """
        match plan:
            case Nothing():
                return frozenset(), frozenset()
            case Text():
                hits = self._look_up(plan)
                if hits is None:
                    return None, None
                if self.audience.everything:
                    return hits.any, hits.any
                if self.audience.nothing:
                    return hits.public, hits.public
                return (hits.any if hits.any == hits.public else None), hits.any
            case Both(parts):
                return self._meet(parts)
            case Either(parts):
                sets = [self._sets(part) for part in parts]
                exact = [one for one, _ in sets if one is not None]
                candidates = [all_ for _, all_ in sets if all_ is not None]
                return (
                    frozenset().union(*exact) if len(exact) == len(parts) else None,
                    frozenset().union(*candidates) if len(candidates) == len(parts) else None,
                )
            case Other(part):
                self._sets(part)
                return None, None
            case _:
                return None, None

    def _meet(self, parts: tuple[Plan, ...]) -> tuple[frozenset[int] | None, frozenset[int] | None]:
        candidates: frozenset[int] | None = None
        exact = True
        without: set[int] = set()
        for part in parts:
            if isinstance(part, Other):
                inner, _ = self._sets(part.part)
                if inner is None:
                    exact = False
                else:
                    without |= inner
                continue
            one, some = self._sets(part)
            exact = exact and one is not None
            if some is not None:
                candidates = some if candidates is None else candidates & some
                if not candidates:
                    return candidates, candidates
        if candidates is None:
            return None, None
        candidates -= without
        return (candidates if exact else None), candidates

    def _look_up(self, text: Text) -> _Hits | None:
        """The tickets of a text that stands on few entries; ``None`` if it is common."""
        if text not in self.hits:
            self.hits[text] = self._few(text)
        return self.hits[text]

    def _few(self, text: Text) -> _Hits | None:
        if text.spelled is None:
            return None
        found = _entries(text)
        if connection.vendor == "postgresql":
            # A GIN index always reads to its end; the planner's statistics cost nothing.
            plan = _rows(f"EXPLAIN (FORMAT JSON) {found.text}", found.params)[0][0]
            if plan[0]["Plan"]["Plan Rows"] > GUESSED_MANY:
                return None
        rows = _rows(f"{found.text} LIMIT %s", [*found.params, FEW + 1])
        if len(rows) > FEW:
            return None
        return _Hits(
            frozenset(id_ >> TICKET_SHIFT for (id_,) in rows if not id_ & STAFF),
            frozenset(id_ >> TICKET_SHIFT for (id_,) in rows),
        )

    # -- predicates ----------------------------------------------------------------------------

    def _predicate(self, plan: Plan, *, looked_up: bool = False) -> _Sql:
        """What must hold of a ticket. ``looked_up``: common words by the index, not one by one."""
        match plan:
            case All():
                return _Sql("1=1", [])
            case Nothing():
                return _Sql("1=0", [])
            case Condition(sql, params):
                inside = sql.count(INTERNAL)
                if not inside:
                    return _Sql(sql, list(params))
                who = f"(NOT a.internal OR {self.audience.internal})"
                if self.audience.nothing:
                    who = "NOT a.internal"
                elif self.audience.everything:
                    who = "1=1"
                extra = [] if "%s" not in who else list(self.audience.params)
                return _Sql(sql.replace(INTERNAL, who), [*params, *extra])
            case Both(parts):
                return _joined(
                    [self._predicate(part, looked_up=looked_up) for part in parts], "AND"
                )
            case Either(parts):
                return _joined([self._predicate(part, looked_up=looked_up) for part in parts], "OR")
            case Other(part):
                opposite = self._predicate(part, looked_up=looked_up)
                # Of what is not set nothing is true; then its opposite is.
                return _Sql(f"({opposite.text}) IS NOT TRUE", opposite.params)
            case Text():
                return self._of_text(plan, looked_up=looked_up)

    def _of_text(self, text: Text, *, looked_up: bool) -> _Sql:
        hits = self.hits.get(text)
        if hits is not None:
            return self._for_audience(
                _among("tickets_ticket.id", hits.public), _among("tickets_ticket.id", hits.any)
            )
        if looked_up or len(text.phrases) > TESTABLE:
            public, any_ = _entries(text, staff=False), _entries(text)
            for found in (public, any_):
                found.text = f"tickets_ticket.id IN ({_as_tickets(found.text)})"
            return self._for_audience(public, any_)
        return self._tested(text)

    def _for_audience(self, public: _Sql, any_: _Sql) -> _Sql:
        if self.audience.everything:
            return any_
        if self.audience.nothing:
            return public
        return _Sql(
            f"({public.text} OR ({self.audience.internal} AND {any_.text}))",
            [*public.params, *self.audience.params, *any_.params],
        )

    def _tested(self, text: Text) -> _Sql:
        """Read the ticket's entries one by one: they stand together, a ticket has few."""
        holds, params = _holds(text.phrases)
        parts = [
            f"e.id >= (tickets_ticket.id << {TICKET_SHIFT})",
            f"e.id < ((tickets_ticket.id + 1) << {TICKET_SHIFT})",
            holds,
        ]
        if text.body:
            parts.append(_BODY)
        if self.audience.nothing:
            parts.append(_PUBLIC)
        elif not self.audience.everything:
            parts.append(f"({_PUBLIC} OR {self.audience.internal})")
            params.extend(self.audience.params)
        return _Sql(
            f"EXISTS (SELECT 1 FROM search_entry e WHERE {' AND '.join(parts)})",  # noqa: S608
            params,
        )


_PUBLIC = f"(e.id & {STAFF}) = 0"
_ORDINAL = ((1 << TICKET_SHIFT) - 1) & ~(FIELDS | STAFF)
#: Of an article (not of the ticket itself), and its body: told by the id alone.
_BODY = f"(e.id & {FIELDS}) = 0 AND (e.id & {_ORDINAL}) <> 0"


def _entries(text: Text, *, staff: bool = True) -> _Sql:
    """A statement for the ids of the entries that hold the text, by the full-text index."""
    phrases = text.phrases if text.spelled is None else text.spelled
    if not phrases:
        return _Sql("SELECT e.id FROM search_entry e WHERE 1=0", [])
    bounds = (f" AND {_BODY}" if text.body else "") + ("" if staff else f" AND {_PUBLIC}")
    if connection.vendor == "postgresql":
        where, params = _vectors(phrases)
        return _Sql(f"SELECT e.id FROM search_entry e WHERE ({where}){bounds}", params)  # noqa: S608
    match = " OR ".join(
        f'"{" ".join(phrase.words)}"{" *" if phrase.prefix else ""}' for phrase in phrases
    )
    bounds = bounds.replace("e.id", "e.rowid")
    return _Sql(f"SELECT e.rowid FROM search_text e WHERE e.words MATCH %s{bounds}", [match])  # noqa: S608


def _as_tickets(sql: str) -> str:
    """The statement of :func:`_entries`, selecting ticket ids instead."""
    for column in ("e.id", "e.rowid"):
        head = f"SELECT {column} FROM"
        if sql.startswith(head):
            return f"SELECT {column} >> {TICKET_SHIFT} FROM{sql[len(head) :]}"
    raise ValueError("not a statement of _entries")


def _vectors(phrases: Sequence[Phrase]) -> tuple[str, list[Any]]:
    """PostgreSQL: the index finds the words, a phrase is then seen in the text itself.

    Positions are not indexed: a tsvector keeps only some of a common word, and would miss phrases.
    """
    single = [phrase for phrase in phrases if len(phrase.words) == 1]
    parts: list[str] = []
    params: list[Any] = []
    if single:
        parts.append(f"{_VECTOR} @@ %s::tsquery")
        params.append(" | ".join(_lexemes(phrase) for phrase in single))
    for phrase in phrases:
        if len(phrase.words) > 1:
            holds, texts = _holds([phrase])
            parts.append(f"({_VECTOR} @@ %s::tsquery AND {holds})")
            params += [_lexemes(phrase), *texts]
    return " OR ".join(parts), params


def _lexemes(phrase: Phrase) -> str:
    # Index words hold no quotes and no backslashes, see analyse.words.
    terms = [f"'{word}'" for word in phrase.words]
    if phrase.prefix:
        terms[-1] += ":*"
    return " & ".join(terms)


def _holds(phrases: Sequence[Phrase]) -> tuple[str, list[Any]]:
    """Whether an entry's words hold one of the phrases, seen in the text."""
    function = "strpos" if connection.vendor == "postgresql" else "instr"
    tests = [f"{function}(e.words, %s) > 0"] * len(phrases)
    params: list[Any] = [
        f" {' '.join(phrase.words)}{'' if phrase.prefix else ' '}" for phrase in phrases
    ]
    return f"({' OR '.join(tests)})", params


def _tickets(along: tuple[str, Direction] | None) -> str:
    """The tickets; for a walk on SQLite, by the one index whose order makes it one.

    Without statistics SQLite takes any index for a comparison with ``=`` and sorts afterwards.
    """
    if along is None or connection.vendor == "postgresql":
        return "tickets_ticket"
    index = _WALKABLE[along[0]]
    return f"tickets_ticket INDEXED BY {index}" if index else "tickets_ticket NOT INDEXED"


def _stored(value: Any) -> Any:
    """A moment as the database holds it; it may have been read as text already."""
    if isinstance(value, datetime):
        return connection.ops.adapt_datetimefield_value(value)
    return value


def _among(column: str, ids: frozenset[int]) -> _Sql:
    if connection.vendor == "postgresql":
        return _Sql(f"{column} = ANY(%s::bigint[])", [sorted(ids)])
    return _Sql(f"{column} IN (SELECT value FROM json_each(%s))", [json.dumps(sorted(ids))])  # noqa: S608


def _joined(parts: list[_Sql], operator: str) -> _Sql:
    text = f" {operator} ".join(f"({part.text})" for part in parts)
    return _Sql(f"({text})", [param for part in parts for param in part.params])


@contextmanager
def _room() -> Iterator[None]:
    """Memory for whole sets of tickets: without, PostgreSQL reads a large one once per ticket."""
    if connection.vendor != "postgresql":
        yield
        return
    with transaction.atomic():
        _run("SET LOCAL work_mem = '256MB'")
        # Reading every entry means making its vector again; the planner thinks that is cheap.
        _run("SET LOCAL enable_seqscan = off")
        yield


def _run(sql: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql)


def _rows(sql: str, params: list[Any]) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        rows: list[Any] = cursor.fetchall()
    return rows
