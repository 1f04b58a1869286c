"""How fast mail comes in: kept on the disk, entered, read, applied and indexed, by one thread.

``python -m bench.intake --mails 500`` works on the desk that the ``DESKBELL_*`` settings name and
prints one JSON object. Beside it, in turn with it, the floor of the same machine: each message
written to a file and flushed to the disk, and one row inserted and committed.

The desk gets one row of earlier mail per ticket first, or the tables of mail would be empty.
"""

from __future__ import annotations

import argparse
import cProfile
import hashlib
import io
import json
import os
import pstats
import re
import sqlite3
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from bench import mails

WARM = 40
#: Messages that come at once, as after a pause of a minute: ours and the floor in turn.
TURN = 50
LINES = 70


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.intake", description=__doc__)
    parser.add_argument("--mails", type=int, default=500)
    parser.add_argument("--profile", action="store_true")
    arguments = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "deskbell.settings")
    import django

    django.setup()
    if arguments.profile:
        _profile(arguments.mails)
    else:
        print(json.dumps(_measure(arguments.mails)))


def _desk(count: int) -> tuple[Any, list[bytes]]:
    """A channel of the first group, and messages to it."""
    from deskbell.kernel import clock
    from deskbell.mail.models import ChannelKind, MailChannel
    from deskbell.people.models import Group
    from deskbell.tickets.models import Ticket

    at = clock.now()
    group = Group.objects.select_related("email_address").get(pk=1)
    channel = MailChannel.objects.create(
        name=f"Bench {time.time_ns()}",
        name_key=f"bench {time.time_ns()}",
        kind=ChannelKind.PIPE,
        group=group,
        created_at=at,
        updated_at=at,
    )
    tickets = Ticket.objects.filter(group=group, created_via="import").order_by("id")
    known = list(tickets.values_list("id", "customer__email"))
    _history(known, channel, at=at)
    to = group.email or "help@example.com"
    run = f"r{time.time_ns():x}"
    return channel, list(mails.mails(count, tickets=known, slug=group.slug, to=to, run=run))


def _history(tickets: Sequence[tuple[int, str]], channel: Any, *, at: Any) -> None:
    """Rows of mail that came in long ago and went out, as many as there are tickets."""
    from django.db import connection

    from deskbell.mail.models import Fate, IncomingMail, MailState, OutgoingMail
    from deskbell.tickets.models import Article
    from deskbell.tickets.rules import Occasion, Part

    if IncomingMail.objects.exists():
        return
    customers = dict(tickets)
    # Every mail of a customer became an entry; every public entry of an agent was mailed.
    articles = list(
        Article.objects.filter(internal=False, ticket__created_via="import")
        .order_by("id")
        .values_list("id", "ticket_id", "sender", "created_at")
    )
    IncomingMail.objects.bulk_create(
        (
            IncomingMail(
                channel=channel,
                key=f"1:{id_}",
                place=f"{channel.pk}/00/{id_}",
                digest=hashlib.sha256(str(id_).encode()).hexdigest(),
                size=4000,
                received_at=moment,
                told_at=moment,
                handled_at=moment,
                fate=Fate.NEW_TICKET,
                reason=f"It opened ticket {ticket_id}.",
                ticket_id=ticket_id,
                article_id=id_,
                message_id=f"{id_}@mail.example.com",
                sender=customers.get(ticket_id, ""),
                subject="An older message",
            )
            for id_, ticket_id, sender, moment in articles
            if sender == 2
        ),
        batch_size=500,
    )
    OutgoingMail.objects.bulk_create(
        (
            OutgoingMail(
                article_id=id_,
                address=customers.get(ticket_id, ""),
                address_key=customers.get(ticket_id, ""),
                part=Part.CUSTOMER,
                occasion=Occasion.UPDATED,
                state=MailState.SENT,
                attempts=1,
                message_id=f"<{ticket_id}.{id_}@desk.example.com>",
                created_at=moment,
                updated_at=moment,
                sent_at=moment,
            )
            for id_, ticket_id, sender, moment in articles
            if sender == 1
        ),
        batch_size=500,
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


class _Ours:
    """The desk takes messages in and handles them: what a look into a mailbox and a job do."""

    def __init__(self, channel: Any) -> None:
        self.channel = channel

    def keep(self, contents: Sequence[bytes]) -> None:
        from deskbell.kernel import clock
        from deskbell.mail.intake import taking

        for content in contents:
            key = f"9:{hashlib.sha256(content).hexdigest()[:20]}"
            taking.take(content, channel=self.channel, key=key, at=clock.now())

    def handle(self, contents: Sequence[bytes]) -> None:
        from deskbell.mail.intake import handling

        handled = handling.handle_waiting(self.channel.pk)
        if handled != len(contents):
            raise SystemExit(f"{handled} messages were handled, not {len(contents)}")


class _Floor:
    """A file, flushed with its folder, and a row of its own transaction."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.database = sqlite3.connect(folder / "floor.sqlite3", isolation_level=None)
        for pragma in ("journal_mode = WAL", "synchronous = FULL"):
            self.database.execute(f"PRAGMA {pragma}")
        self.database.execute("CREATE TABLE mail (id INTEGER PRIMARY KEY, digest UNIQUE, size)")

    def run(self, contents: Sequence[bytes]) -> None:
        for content in contents:
            digest = hashlib.sha256(content).hexdigest()
            handle, draft = tempfile.mkstemp(dir=self.folder)
            with os.fdopen(handle, "wb") as out:
                out.write(content)
                out.flush()
                os.fsync(out.fileno())
            Path(draft).replace(self.folder / digest)
            entry = os.open(self.folder, os.O_RDONLY)
            os.fsync(entry)
            os.close(entry)
            self.database.execute(
                "INSERT INTO mail (digest, size) VALUES (?, ?)", (digest, len(content))
            )


class _Watch:
    """Seconds of the clock and of the processor, one pair per turn."""

    def __init__(self) -> None:
        self.turns: list[tuple[float, float, int]] = []

    def time(self, act: Callable[[Sequence[bytes]], None], contents: Sequence[bytes]) -> None:
        started, used = time.perf_counter(), time.process_time()
        act(contents)
        self.turns.append(
            (time.perf_counter() - started, time.process_time() - used, len(contents))
        )

    @property
    def rate(self) -> float:
        """Messages per second of the clock: the median of the turns."""
        return statistics.median(count / wall for wall, _, count in self.turns)

    @property
    def cpu(self) -> float:
        """Microseconds of processor time per message."""
        number = sum(count for _, _, count in self.turns)
        return 1e6 * sum(used for _, used, _ in self.turns) / number


def _measure(count: int) -> dict[str, Any]:
    from django.conf import settings
    from django.db import connection

    channel, contents = _desk(WARM + count + TURN)
    contents, counting = contents[:-TURN], contents[-TURN:]
    ours = _Ours(channel)
    statements: Counter[str] = Counter()

    def counted(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        statements[" ".join(sql.split())] += 1
        return execute(sql, params, many, context)

    keeping, handling, floor = _Watch(), _Watch(), _Watch()
    with tempfile.TemporaryDirectory(dir=settings.CONFIG.data) as folder:
        bare = _Floor(Path(folder))
        ours.keep(contents[:WARM])
        ours.handle(contents[:WARM])
        bare.run(contents[:WARM])
        for start in range(WARM, len(contents), TURN):
            turn = contents[start : start + TURN]
            floor.time(bare.run, turn)
            keeping.time(ours.keep, turn)
            handling.time(ours.handle, turn)
        with connection.execute_wrapper(counted):
            ours.keep(counting)
            ours.handle(counting)
    return _told(keeping, handling, floor, statements)


def _told(
    keeping: _Watch, handling: _Watch, floor: _Watch, statements: Counter[str]
) -> dict[str, Any]:
    whole = _Watch()
    whole.turns = [
        (a[0] + b[0], a[1] + b[1], a[2]) for a, b in zip(keeping.turns, handling.turns, strict=True)
    ]
    return {
        "mails_per_second": round(whole.rate, 1),
        "mails_per_cpu_second": round(1e6 / whole.cpu, 1),
        "keep_per_second": round(keeping.rate, 1),
        "handle_per_second": round(handling.rate, 1),
        "keep_cpu_us": round(keeping.cpu),
        "handle_cpu_us": round(handling.cpu),
        "floor_per_second": round(floor.rate, 1),
        "of_floor": round(whole.rate / floor.rate, 4),
        "statements": round(sum(statements.values()) / TURN, 1),
    }


def _profile(count: int) -> None:
    from django.db import connection

    channel, contents = _desk(WARM + count)
    ours = _Ours(channel)
    ours.keep(contents[:WARM])
    ours.handle(contents[:WARM])
    statements: dict[str, list[float]] = {}
    half = WARM + count // 2

    def timed(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        started = time.perf_counter()
        try:
            return execute(sql, params, many, context)
        finally:
            spelt = re.sub(r"(%s(, )?)+", "%s", " ".join(sql.split()))
            spelt = re.sub(r'"s[0-9]+_x[0-9]+"', "savepoint", spelt)
            statements.setdefault(spelt, []).append(time.perf_counter() - started)

    with connection.execute_wrapper(timed):
        ours.keep(contents[WARM:half])
        ours.handle(contents[WARM:half])
    number = half - WARM
    print(f"{sum(map(len, statements.values())) / number:.1f} statements per message")
    print(f"{'µs':>8}  {'times':>5}  statement")
    for sql, times in sorted(statements.items(), key=lambda item: -sum(item[1])):
        short = sql if len(sql) <= 150 else f"{sql[:70]} … {sql[-75:]}"
        print(f"{sum(times) / number * 1e6:8,.0f}  {len(times) / number:5.2f}  {short}")
    profile = cProfile.Profile(time.process_time)
    profile.enable()
    ours.keep(contents[half:])
    ours.handle(contents[half:])
    profile.disable()
    for order in ("tottime", "cumulative"):
        stream = io.StringIO()
        pstats.Stats(profile, stream=stream).strip_dirs().sort_stats(order).print_stats(LINES)
        text = stream.getvalue()
        print(f"\nUnder the profiler, {len(contents) - half} messages, by {order}")
        print(text[text.index("   ncalls") :].rstrip())


if __name__ == "__main__":
    main()
