"""Where the time of one cell goes: the WSGI application in this process, under the profiler.

``python -m bench.profiling`` works on the desk that the ``DESKBELL_*`` settings name, with the
cell's requests as JSON on standard input.
"""

from __future__ import annotations

import base64
import cProfile
import io
import json
import os
import pstats
import sys
import time
from collections import defaultdict
from typing import Any

WARM = 30
ROUNDS_SECONDS = 2.0
LINES = 60


def main() -> None:
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "deskbell.settings")
    django.setup()
    from django.db import connection

    from bench.recording import SAVEPOINT, call
    from deskbell.wsgi import application, warm_up

    warm_up()
    requests = [(told, base64.b64decode(told["body"])) for told in json.load(sys.stdin)]
    statements: dict[str, list[float]] = defaultdict(list)

    def timed(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        started = time.perf_counter()
        try:
            return execute(sql, params, many, context)
        finally:
            statements[SAVEPOINT.sub("savepoint", " ".join(sql.split()))].append(
                time.perf_counter() - started
            )

    def ask(count: int) -> None:
        for number in range(count):
            request, body = requests[number % len(requests)]
            status, _, text = call(application, request, body)
            if not status.startswith(str(request["status"])):
                raise SystemExit(f"{request['target']} answered {status}: {text[:500]!r}")

    ask(WARM)
    count = 0
    started, used = time.perf_counter(), time.process_time()
    while time.perf_counter() - started < ROUNDS_SECONDS:
        ask(10)
        count += 10
    each = (time.perf_counter() - started) / count
    busy = (time.process_time() - used) / count
    with connection.execute_wrapper(timed):
        ask(count)
    in_sql = sum(map(sum, statements.values())) / count
    print(f"{each * 1e6:,.0f} µs per request in this process, {1 / each:,.0f} requests/s")
    print(f"{busy * 1e6:,.0f} µs of it are processor time of ours")
    print(f"{in_sql * 1e6:,.0f} µs of it wait for the database (first rows)\n")
    print(f"{'µs':>8}  {'times':>5}  statement")
    for sql, times in sorted(statements.items(), key=lambda item: -sum(item[1])):
        print(f"{sum(times) / count * 1e6:8,.0f}  {len(times) / count:5.1f}  {_short(sql)}")
    # Processor time, so that what else the machine does stays out of it.
    profile = cProfile.Profile(time.process_time)
    profile.enable()
    ask(count)
    profile.disable()
    for order in ("tottime", "cumulative"):
        stream = io.StringIO()
        stats = pstats.Stats(profile, stream=stream)
        stats.strip_dirs().sort_stats(order).print_stats(LINES)
        text = stream.getvalue()
        print(f"\nUnder the profiler, {count} requests, by {order}")
        print(text[text.index("   ncalls") :].rstrip())


def _short(sql: str) -> str:
    return sql if len(sql) <= 150 else f"{sql[:70]} … {sql[-75:]}"


if __name__ == "__main__":
    main()
