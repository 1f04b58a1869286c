"""What is found: the words of tickets and articles, written in the operation's own transaction.

A ticket has an entry of its own and one for each article, so that a reply costs the same however
long the ticket has grown. An entry is up to four rows: the fields and the body, each for everybody
or for staff only. Rows are told apart by their id alone (see :func:`entry_id`).

The words of a row stand between blanks. A field's words stand there twice: bare, for queries
without a field, and marked with the field's code (``:t:printer``). A gap (``_``) between values
keeps phrases from reaching over them. Whatever is no bare word begins with a sign, so that no
prefix of a word reaches it.
"""

from __future__ import annotations

import hashlib
import html
import json
import re
import struct
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

from django.db import connection, transaction

from deskbell.kernel.compiled import Compiled, insert_all
from deskbell.search import analyse
from deskbell.search.fields import TEXT, WHOLE
from deskbell.search.models import Entry, Word
from deskbell.tickets.models import Article, Attachment, CustomField, Ticket, TicketTag

#: Bits below the ticket id: ordinal (22), part (1), staff only (1).
TICKET_SHIFT = 24
ORDINAL_SHIFT = 2
FIELDS = 2
STAFF = 1
_LAST_ORDINAL = (1 << (TICKET_SHIFT - ORDINAL_SHIFT)) - 1
#: A ticket beyond this cannot be told apart in a row id.
LAST_TICKET = (1 << (63 - TICKET_SHIFT)) - 1

GAP = "_"
_BATCH = 500

# A tag ends before the next one begins, so that a mail full of "<" is still read once only.
_MARKUP = re.compile(r"<!--|<(/?)([a-z][a-z0-9]*)[^<>]*>", re.I)
_HIDDEN = {
    name: re.compile(rf"</{name}[^<>]*>", re.I) for name in ("script", "style", "title", "template")
}
_INLINE = frozenset(
    {
        "a",
        "abbr",
        "b",
        "code",
        "em",
        "font",
        "i",
        "mark",
        "s",
        "small",
        "span",
        "strong",
        "u",
        "wbr",
    }
)


def entry_id(ticket_id: int, ordinal: int, *, fields: bool, staff: bool) -> int:
    """The row id of one part of a ticket's entry."""
    return (
        ticket_id << TICKET_SHIFT
        | ordinal << ORDINAL_SHIFT
        | (FIELDS if fields else 0)
        | (STAFF if staff else 0)
    )


def custom_code(name: str) -> str:
    """The code of a custom field."""
    return f"x.{name}"


def mark(code: str) -> str:
    """What stands before a word to say which field it is in."""
    return f":{code}:"


def whole_value(code: str, text: str) -> str:
    """The word for a field's value as a whole: an address is equal or it is not."""
    digest = hashlib.blake2b(
        analyse.fold(text.strip()).encode(errors="replace"), digest_size=10
    ).hexdigest()
    return f"={code}={digest}"


def ordered_value(code: str, number: float) -> str:
    """A word for a number; such words sort as their numbers do."""
    bits: int = struct.unpack(">Q", struct.pack(">d", number + 0.0))[0]
    # The usual trick: IEEE numbers sort like integers once negative ones are turned round.
    bits = bits ^ 0xFFFFFFFFFFFFFFFF if bits >> 63 else bits | 1 << 63
    return f"={code}={bits:016x}"


def plain(body: str, content_type: str) -> str:
    """An article's body as words see it: of HTML, only what is shown.

    No layout and no sanitising, as for reading: words are all that is wanted, and one pass over
    the text must do, however the sender wrote it.
    """
    body = body[: 4 * analyse.MAX_CHARACTERS]
    if content_type != "text/html":
        return body
    parts: list[str] = []
    at = 0
    while found := _MARKUP.search(body, at):
        parts.append(body[at : found.start()])
        at = found.end()
        name = (found[2] or "").lower()
        if found[0] == "<!--":
            end = body.find("-->", at)
            at = len(body) if end < 0 else end + 3
        elif name in _HIDDEN and not found[1]:
            closing = _HIDDEN[name].search(body, at)
            at = closing.end() if closing else len(body)
        elif name not in _INLINE:
            parts.append(" ")
    parts.append(body[at:])
    return html.unescape("".join(parts))


class _Row:
    """The words of one row while they are gathered."""

    def __init__(self) -> None:
        self.words: list[str] = []
        self.vocabulary: set[str] = set()

    def add(
        self,
        code: str,
        values: Iterable[str | None],
        *,
        bare: bool = True,
        whole: bool = False,
        extra: Sequence[str] = (),
    ) -> None:
        """A field's values. ``whole`` makes each findable as one, ``extra`` are ready words."""
        known = False
        for value in values:
            if not value:
                continue
            known = True
            found = analyse.words(value)
            self.vocabulary.update(found)
            if bare:
                self.words += [*found, GAP]
            self.words += [*(f"{mark(code)}{word}" for word in found), GAP]
            if whole:
                self.words.append(whole_value(code, value))
        if known:
            self.words.append(f"{mark(code)}{GAP}")
        self.words += extra
        self.vocabulary.update(extra)

    def body(self, text: str) -> None:
        found = analyse.words(text)
        self.vocabulary.update(found)
        self.words += found

    def text(self) -> str:
        if not any(word != GAP for word in self.words):
            return ""
        return f" {' '.join(self.words[: 2 * analyse.MAX_WORDS])} "


_TICKET_COLUMNS = (
    "title",
    "number",
    "note",
    "type",
    "description",
    "resolution",
    "custom",
    "customer_id",
    "customer__firstname",
    "customer__lastname",
    "customer__email",
    "customer__login",
    "owner_id",
    "owner__firstname",
    "owner__lastname",
    "owner__email",
    "owner__login",
    "organization__name",
)
_TICKET = Compiled(
    lambda key: Ticket.objects.filter(pk=key).values_list(*_TICKET_COLUMNS),
    int,
)
_TAGS = Compiled(
    lambda key: TicketTag.objects.filter(ticket_id=key).order_by("id").values_list("tag__name"),
    int,
)
_FIRST_TEXT = Compiled(
    lambda key: (
        Article.objects.filter(ticket_id=key).order_by("id").values_list("body", "content_type")[:1]
    ),
    int,
)
#: Between two ids, both of them included.
_BETWEEN = Compiled(
    lambda low, high: Entry.objects.filter(id__gte=low, id__lte=high).values_list("id", "words"),
    int,
    int,
)
_LAST_BETWEEN = Compiled(
    lambda low, high: (
        Entry.objects.filter(id__gte=low, id__lte=high).order_by("-id").values_list("id")[:1]
    ),
    int,
    int,
)
_OF_ARTICLE = Compiled(
    lambda key: Entry.objects.filter(article_id=key).values_list("id", "words"), int
)


def write_ticket(ticket_id: int) -> None:
    """Bring the ticket's own entry up to date; its articles have theirs. Runs twice unharmed."""
    values = _TICKET.first(ticket_id)
    if values is None:
        remove_ticket(ticket_id)
        return
    if ticket_id > LAST_TICKET:
        return
    # The keys are put together from the names of fields.
    row: dict[str, Any] = dict(zip(_TICKET_COLUMNS, values, strict=True))
    rows = _ticket_rows(
        ticket_id,
        row,
        tags=[name for (name,) in _TAGS.all(ticket_id)],
        customs=_custom_fields() if row["custom"] else (),
        first=_FIRST_TEXT.first(ticket_id) if row["description"] else None,
    )
    own = _BETWEEN.all(ticket_id << TICKET_SHIFT, entry_id(ticket_id, 0, fields=True, staff=True))
    _write(rows, present=dict(own), article_id=None)


def _custom_fields() -> list[tuple[str, str, bool]]:
    """Name, type and whether it is for staff only."""
    fields = CustomField.objects.order_by("id")
    return list(fields.values_list("name", "type", "staff_only"))


def _ticket_rows(
    ticket_id: int,
    row: dict[str, Any],
    *,
    tags: Sequence[str],
    customs: Sequence[tuple[str, str, bool]],
    first: Sequence[str] | None,
) -> dict[int, _Row]:
    """A ticket's own entry. ``first`` is the first article's body and its type."""
    public, staff, told = _Row(), _Row(), _Row()
    public.add(TEXT["title"], [row["title"]])
    public.add(TEXT["number"], [row["number"]])
    public.add(TEXT["note"], [row["note"]])
    public.add(TEXT["type"], [row["type"]], bare=False)
    public.add(TEXT["tags"], tags)
    for person, bare in (("customer", True), ("owner", False)):
        if row[f"{person}_id"] == 1:
            continue  # nobody
        for part in ("firstname", "lastname", "email", "login"):
            value = row[f"{person}__{part}"]
            name = f"{person}.{part}"
            public.add(TEXT[name], [value], bare=bare, whole=name in WHOLE)
    public.add(TEXT["organization.name"], [row["organization__name"]])
    staff.add(TEXT["resolution"], [row["resolution"]])
    for name, type_, staff_only in customs:
        value = row["custom"].get(name)
        if value is not None and value != "":
            target = staff if staff_only else public
            target.add(
                custom_code(name), texts(value), extra=_ordered(custom_code(name), type_, value)
            )
    if row["description"]:
        # Customers never see it, and mostly it is the first article over again.
        body, content_type = first or ("", "")
        if analyse.words(plain(body, content_type)) != analyse.words(row["description"]):
            told.body(row["description"])
    return {
        entry_id(ticket_id, 0, fields=True, staff=False): public,
        entry_id(ticket_id, 0, fields=True, staff=True): staff,
        entry_id(ticket_id, 0, fields=False, staff=True): told,
    }


def write_article(article_id: int) -> None:
    """Bring an article's entry up to date, wherever the article stands now. Runs twice unharmed."""
    article = Article.objects.filter(pk=article_id).first()
    if article is None:
        remove_article(article_id)
        return
    names = Attachment.objects.filter(article_id=article_id, inline=False).order_by("id")
    write_live_article(article, list(names.values_list("filename", flat=True)))


def write_live_article(article: Article, filenames: Sequence[str]) -> None:
    """The same for a row at hand and the names of its files."""
    ticket_id = article.ticket_id
    if ticket_id > LAST_TICKET:
        return
    known = dict(_OF_ARTICLE.all(article.pk))
    here = {id_: words for id_, words in known.items() if id_ >> TICKET_SHIFT == ticket_id}
    if len(here) != len(known):
        Entry.objects.filter(id__in=[id_ for id_ in known if id_ not in here]).delete()
    if here:
        ordinal = (next(iter(here)) >> ORDINAL_SHIFT) & _LAST_ORDINAL
    else:
        ordinal = _free_ordinal(ticket_id)
        if ordinal > _LAST_ORDINAL:
            return  # four million articles in one ticket: a loop, whose words are known by now
    rows = _article_rows(article, ordinal, filenames)
    _write(rows, present=here, article_id=article.pk)


def _article_rows(article: Article, ordinal: int, filenames: Sequence[str]) -> dict[int, _Row]:
    """An article's entry."""
    fields, body = _Row(), _Row()
    fields.add(TEXT["article.subject"], [article.subject])
    fields.add(TEXT["article.from"], [article.from_address])
    fields.add(TEXT["article.to"], [article.to])
    fields.add(TEXT["article.cc"], [article.cc])
    fields.add(TEXT["article.attachment.title"], filenames)
    body.body(plain(article.body, article.content_type))
    ticket_id, staff = article.ticket_id, article.internal
    return {
        entry_id(ticket_id, ordinal, fields=True, staff=staff): fields,
        entry_id(ticket_id, ordinal, fields=False, staff=staff): body,
    }


def move_articles(article_ids: Sequence[int], ticket_id: int) -> None:
    """Hand the entries of articles over to the ticket where they stand now; the words are known."""
    if ticket_id > LAST_TICKET:
        return
    for start in range(0, len(article_ids), _BATCH):
        some = article_ids[start : start + _BATCH]
        here = range(ticket_id << TICKET_SHIFT, (ticket_id + 1) << TICKET_SHIFT)
        moving = [
            entry
            for entry in Entry.objects.filter(article_id__in=some).order_by("id")
            if entry.pk not in here
        ]
        Entry.objects.filter(pk__in=[entry.pk for entry in moving]).delete()
        ordinals: dict[int, int] = {}
        free = _free_ordinal(ticket_id)
        for entry in moving:
            assert entry.article_id is not None
            ordinal = ordinals.setdefault(entry.article_id, free + len(ordinals))
            kind = entry.pk & (FIELDS | STAFF)
            entry.pk = ticket_id << TICKET_SHIFT | ordinal << ORDINAL_SHIFT | kind
        Entry.objects.bulk_create(
            [entry for entry in moving if ordinals[entry.article_id or 0] <= _LAST_ORDINAL]
        )


def remove_article(article_id: int) -> None:
    """Forget an article."""
    Entry.objects.filter(article_id=article_id).delete()


def remove_ticket(ticket_id: int) -> None:
    """Forget a ticket and all its articles."""
    if ticket_id <= LAST_TICKET:
        _of_ticket(ticket_id).delete()


def _of_ticket(ticket_id: int) -> Any:
    low = ticket_id << TICKET_SHIFT
    return Entry.objects.filter(id__gte=low, id__lte=low + (1 << TICKET_SHIFT) - 1)


def _free_ordinal(ticket_id: int) -> int:
    """The next article's place. Who adds one holds the ticket's row, so nobody else takes it."""
    last = _LAST_BETWEEN.first(ticket_id << TICKET_SHIFT, ((ticket_id + 1) << TICKET_SHIFT) - 1)
    return 1 if last is None else ((last[0] >> ORDINAL_SHIFT) & _LAST_ORDINAL) + 1


def _write(rows: dict[int, _Row], *, present: dict[int, str], article_id: int | None) -> None:
    """Make the rows of one entry what they should be; untouched where nothing changed."""
    wanted = {id_: text for id_, row in rows.items() if (text := row.text())}
    gone = [id_ for id_ in present if id_ not in wanted]
    if gone:
        Entry.objects.filter(id__in=gone).delete()
    changed = [id_ for id_, text in wanted.items() if id_ in present and present[id_] != text]
    for id_ in changed:
        Entry.objects.filter(id=id_).update(words=wanted[id_])
    new = [
        Entry(id=id_, article_id=article_id, words=text)
        for id_, text in wanted.items()
        if id_ not in present
    ]
    insert_all(new)
    vocabulary: set[str] = set()
    for id_, row in rows.items():
        if id_ in changed or (id_ in wanted and id_ not in present):
            vocabulary |= row.vocabulary
    _learn(vocabulary)


def _learn(vocabulary: set[str]) -> None:
    """Keep the words that are new, in one statement."""
    if not vocabulary:
        return
    words = sorted(vocabulary)
    stems = [analyse.stem(word) for word in words]
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(
                "INSERT INTO search_word (word, stem)"
                " SELECT n.word, n.stem FROM unnest(%s::text[], %s::text[]) AS n(word, stem)"
                " WHERE NOT EXISTS (SELECT 1 FROM search_word w WHERE w.word = n.word)",
                [words, stems],
            )
        else:
            cursor.execute(
                "INSERT INTO search_word (word, stem)"
                " SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]')"
                " FROM json_each(%s) WHERE NOT EXISTS"
                " (SELECT 1 FROM search_word w WHERE w.word = json_extract(value, '$[0]'))",
                [json.dumps(list(zip(words, stems, strict=True)))],
            )


def texts(value: Any) -> list[str]:
    """A custom field's value as texts; a list has several."""
    if isinstance(value, bool):
        return ["true" if value else "false"]
    if isinstance(value, (list, tuple)):
        return [text for item in value for text in texts(item)]
    return [] if value is None else [str(value)]


def _ordered(code: str, type_: str, value: Any) -> list[str]:
    number = number_of(type_, value)
    return [] if number is None else [ordered_value(code, number)]


def number_of(type_: str, value: Any) -> float | None:
    """A custom field's value as a number to compare by, ``None`` where its type has no order.

    Dates and times count in seconds from 1970 UTC, times of day from midnight.
    """
    try:
        if type_ in ("integer", "decimal"):
            return None if isinstance(value, bool) else float(Decimal(str(value)))
        if type_ == "date":
            day = value if isinstance(value, date) else date.fromisoformat(str(value)[:10])
            return datetime.combine(day, time(), UTC).timestamp()
        if type_ == "datetime":
            moment = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
            return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, ArithmeticError):
        # Stored under another type of the field, or by an import: found by its words alone.
        return None
    return None


def rebuild(*, batch: int = 500) -> Iterator[int]:
    """Write the whole index anew, ``batch`` tickets per transaction; yields the ids reached.

    The desk keeps running: a ticket is found by its old words until its turn. Starting again after
    a stop does no harm.
    """
    last = 0
    while True:
        ids = list(
            Ticket.objects.filter(pk__gt=last).order_by("pk").values_list("pk", flat=True)[:batch]
        )
        with transaction.atomic():
            _forget_between(last, ids[-1] if ids and len(ids) == batch else None)
            _write_all([id_ for id_ in ids if id_ <= LAST_TICKET])
        if not ids:
            return
        last = ids[-1]
        yield last


def _write_all(ids: Sequence[int]) -> None:
    """Write the entries of tickets of which there are none, a few statements for all of them."""
    customs = _custom_fields()
    tags: defaultdict[int, list[str]] = defaultdict(list)
    tagged = TicketTag.objects.filter(ticket__in=ids).order_by("id")
    for ticket_id, name in tagged.values_list("ticket_id", "tag__name"):
        tags[ticket_id].append(name)
    files: defaultdict[int, list[str]] = defaultdict(list)
    named = Attachment.objects.filter(article__ticket__in=ids, inline=False).order_by("id")
    for article_id, name in named.values_list("article_id", "filename"):
        files[article_id].append(name)
    gathered = _Gathered()
    firsts: dict[int, tuple[str, str]] = {}
    ticket_id, ordinal = 0, 0
    for article in (
        Article.objects.filter(ticket__in=ids)
        .only(*_ARTICLE_COLUMNS)
        .order_by("ticket_id", "id")
        .iterator(chunk_size=_BATCH)
    ):
        ordinal = ordinal + 1 if article.ticket_id == ticket_id else 1
        ticket_id = article.ticket_id
        firsts.setdefault(ticket_id, (article.body, article.content_type))
        if ordinal <= _LAST_ORDINAL:
            gathered.add(_article_rows(article, ordinal, files[article.pk]), article.pk)
    for ticket_id, *values in Ticket.objects.filter(pk__in=ids).values_list("pk", *_TICKET_COLUMNS):
        row: dict[str, Any] = dict(zip(_TICKET_COLUMNS, values, strict=True))
        rows = _ticket_rows(
            ticket_id, row, tags=tags[ticket_id], customs=customs, first=firsts.get(ticket_id)
        )
        gathered.add(rows, None)
    gathered.flush()


_ARTICLE_COLUMNS = (
    "ticket_id",
    "subject",
    "from_address",
    "to",
    "cc",
    "body",
    "content_type",
    "internal",
)


class _Gathered:
    """New rows on their way into the database, some at a time."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.vocabulary: set[str] = set()

    def add(self, rows: dict[int, _Row], article_id: int | None) -> None:
        for id_, row in rows.items():
            if text := row.text():
                self.entries.append(Entry(id=id_, article_id=article_id, words=text))
                self.vocabulary |= row.vocabulary
        if len(self.entries) >= _BATCH:
            self.flush()

    def flush(self) -> None:
        Entry.objects.bulk_create(self.entries)
        _learn(self.vocabulary)
        self.entries, self.vocabulary = [], set()


def rewrite_ticket(ticket_id: int) -> None:
    """Index one ticket with all its articles."""
    write_ticket(ticket_id)
    articles = Article.objects.filter(ticket_id=ticket_id).order_by("id")
    for article_id in articles.values_list("id", flat=True):
        write_article(article_id)


def forget_unused_words() -> None:
    """Drop the vocabulary and take it from the entries again: of deleted tickets nothing stays."""
    with transaction.atomic():
        Word.objects.all().delete()
        gathered: set[str] = set()
        for text in Entry.objects.order_by("id").values_list("words", flat=True).iterator(500):
            gathered.update(
                word.rsplit(":", 1)[-1]
                for word in text.split()
                if not word.endswith(GAP) and (word[0] != "=" or word.startswith("=x."))
            )
            if len(gathered) > 50_000:
                _learn(gathered)
                gathered.clear()
        _learn(gathered)


def _forget_between(after: int, until: int | None) -> None:
    """Drop the entries of tickets that are about to be written, or are there no more."""
    entries = Entry.objects.filter(id__gte=(after + 1) << TICKET_SHIFT)
    if until is not None:
        entries = entries.filter(id__lt=(until + 1) << TICKET_SHIFT)
    entries.delete()
