"""The command line of the benchmark; see :mod:`bench`."""

from __future__ import annotations

import argparse
import json
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from bench import corpus, desk, peer, report
from bench.cells import DIALECTS, OPERATIONS, Cell, Desk, ours, theirs
from bench.client import Client, Expected, Request
from bench.processes import ROOT, Server, ServerDied

CACHE = ROOT / ".bench"
TARGETS = """targets: list and show at least 100 x the peer, create at least 5 x;
show at least 0.2 and list of 100 at least 0.5 of the floor; idle memory below 250 MB;
at least 50 mails taken in per second by one core, as many beside 100,000 tickets as beside 1,000"""
#: The cell that is no request: mail that comes in.
INTAKE = "intake"
INTAKE_HEADS = (
    *("tickets", "mails/s", "mails/cpu s", "kept/s", "handled/s", "kept cpu us", "handled cpu us"),
    *("statements", "floor/s", "of floor"),
)

HEADS = (
    "cell",
    *("ours/s", "p50 ms", "p95 ms", "p99 ms", "cpu us"),
    *("floor/s", "of floor", "of its cpu"),
    *("peer/s", "peer p50 ms", "peer cpu us", "x peer"),
    *("session/s", "x session"),
)


def main() -> int:
    """Run what was asked for; 1 where a server gave a wrong answer."""
    arguments = _arguments()
    # Being asked to stop must end the servers, too, as Ctrl-C does.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    CACHE.mkdir(exist_ok=True)
    run = Path(tempfile.mkdtemp(prefix="run-", dir=CACHE))
    told: dict[str, Any] = {"database": arguments.database}
    started = time.monotonic()
    try:
        with ExitStack() as stack:
            databases = desk.Databases(arguments.database, CACHE, run, stack)
            if arguments.profile:
                return _profile(arguments, databases)
            if arguments.flat:
                sizes = (arguments.tickets, arguments.flat_tickets)
                if _wants_intake(arguments):
                    told["intake"] = _intake(databases, sizes)
                if arguments.cells != (INTAKE,):
                    told["flat"] = _flat(arguments, databases, stack)
            elif arguments.cells == (INTAKE,):
                told["intake"] = _intake(databases, (arguments.tickets,))
            else:
                if not arguments.no_idle:
                    told["idle"] = desk.idle(run)
                told["cells"] = _compare(arguments, databases, run, stack)
                if _wants_intake(arguments):
                    told["intake"] = _intake(databases, (arguments.tickets,))
                for line in report.memory_lines(told["idle"]) if "idle" in told else []:
                    print(line)
                print(TARGETS)
    except ServerDied as error:
        print(f"bench: {error}", file=sys.stderr)
        return 2
    finally:
        shutil.rmtree(run, ignore_errors=True)
    told["seconds"] = round(time.monotonic() - started)
    print(f"took {told['seconds']} s")
    if arguments.json:
        arguments.json.write_text(json.dumps(told, indent=1) + "\n")
    return 1 if '"complaints"' in json.dumps(told) else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument("--tickets", type=int, default=10_000, help="of three articles each")
    known = (*OPERATIONS, INTAKE)
    parser.add_argument("--cells", type=_list_of(known), default=known)
    parser.add_argument("--dialects", type=_list_of(DIALECTS), default=DIALECTS)
    parser.add_argument("--sign-in", type=_list_of(("basic", "token")), default=("basic", "token"))
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--seconds", type=float, default=0.7, help="per server, cell and round")
    parser.add_argument("--connections", type=int, default=4)
    parser.add_argument("--quick", action="store_true", help="token only, short rounds")
    parser.add_argument("--no-peer", action="store_true")
    parser.add_argument("--no-floor", action="store_true")
    parser.add_argument("--no-idle", action="store_true", help="leave out start-up and memory")
    parser.add_argument("--flat", action="store_true", help="compare two sizes of our own desk")
    parser.add_argument("--flat-tickets", type=int, default=100_000, help="the larger size")
    parser.add_argument("--profile", metavar="CELL", help="zammad.show.token, say, or intake")
    parser.add_argument("--json", type=Path, metavar="FILE")
    arguments = parser.parse_args()
    if arguments.quick:
        arguments.sign_in = ("token",)
        arguments.rounds, arguments.seconds = 2, 0.5
    return arguments


def _list_of(known: tuple[str, ...]) -> Any:
    def read(text: str) -> tuple[str, ...]:
        names = tuple(text.split(","))
        for name in names:
            if name not in known:
                raise argparse.ArgumentTypeError(f"{name} is none of {', '.join(known)}")
        return names

    return read


def _chosen(arguments: argparse.Namespace, known: Desk) -> list[Cell]:
    return [
        cell
        for cell in ours(known)
        if cell.operation in arguments.cells
        and cell.dialect in arguments.dialects
        and cell.sign_in in (*arguments.sign_in, "password")
    ]


# --- ours, the floor, the peer -------------------------------------------------------------------


def _compare(
    arguments: argparse.Namespace, databases: desk.Databases, run: Path, stack: ExitStack
) -> dict[str, Any]:
    filled = databases.filled(arguments.tickets)
    cells = _chosen(arguments, filled.desk)
    servers: dict[str, Server] = {}
    if not arguments.no_floor:
        copy = databases.copy(filled)
        recording = run / "recording.pickle"
        print("Recording what every request asks the database for", file=sys.stderr)
        desk.record(copy, cells, recording)
        servers["floor"] = _started(stack, desk.serve_floor(copy, recording))
    servers["ours"] = _started(stack, desk.serve(filled))
    their_cells: dict[tuple[str, str], Cell] = {}
    if not arguments.no_peer:
        prepared = peer.prepare(
            CACHE, _peer_folder(arguments.tickets, run), tickets=arguments.tickets
        )
        servers["peer"] = _started(stack, prepared.serve())
        wanted = set(arguments.sign_in) | (set() if arguments.quick else {"session"})
        sign_ins = {name: auth for name, auth in prepared.sign_ins().items() if name in wanted}
        their_cells = {
            (cell.operation, cell.sign_in): cell for cell in theirs(prepared.tickets, sign_ins)
        }
    client = Client()
    stack.callback(client.close)
    measured = _Measuring(arguments, servers, client)
    rows: dict[str, dict[str, report.Measured]] = {}
    peers: dict[tuple[str, str], report.Measured] = {}
    for cell in cells:
        print(f"Measuring {cell.name}", file=sys.stderr)
        wanted_peers = [
            key
            for key in ((cell.operation, _peer_sign_in(cell)), (cell.operation, "session"))
            if key in their_cells and key not in peers
        ]
        rows[cell.name] = measured.ours_and_floor(cell)
        for key in wanted_peers:
            peers[key] = measured.peer(their_cells[key])
    return _told(cells, rows, peers)


def _started(stack: ExitStack, server: Server) -> Server:
    stack.callback(server.stop)
    return server


def _peer_folder(tickets: int, run: Path) -> Path:
    """A copy of the filled peer, which is kept between runs as the desk is."""
    kept = CACHE / f"peer-{tickets}"
    if not (kept / "peer.sqlite3").exists():
        print(f"Filling the peer with {tickets:,} tickets", file=sys.stderr)
        shutil.rmtree(kept, ignore_errors=True)
        peer.prepare(CACHE, kept, tickets=tickets)
    return shutil.copytree(kept, run / "peer")


def _peer_sign_in(cell: Cell) -> str:
    """What the peer is asked with to compare: a password with every call is its Basic."""
    return "basic" if cell.sign_in == "password" else cell.sign_in


class _Measuring:
    def __init__(
        self, arguments: argparse.Namespace, servers: dict[str, Server], client: Client
    ) -> None:
        self.arguments = arguments
        self.servers = servers
        self.client = client
        self.blamed: set[str] = set()

    def ours_and_floor(self, cell: Cell) -> dict[str, report.Measured]:
        """In turn, and each one first in every second round, so that noise hits both alike."""
        names: list[str] = [name for name in ("ours", "floor") if name in self.servers]
        found = {name: report.Measured() for name in names}
        for name in names:
            self._slice(name, cell, seconds=0.2)
        for turn in range(self.arguments.rounds):
            for name in names if turn % 2 else reversed(names):
                found[name].slices.append(self._slice(name, cell, seconds=self.arguments.seconds))
        return found

    def _slice(self, name: str, cell: Cell, *, seconds: float) -> Any:
        # Mail and other work that our own writes left behind belongs to nobody's next slice.
        self.servers["ours"].settle()
        server = self.servers[name]
        used = server.cpu_seconds()
        result = self.client.run(
            server.port,
            cell.requests,
            cell.expected,
            seconds=seconds,
            connections=self.arguments.connections,
        )
        result.server_seconds = server.cpu_seconds() - used
        if result.errors and name not in self.blamed:
            self.blamed.add(name)
            print(f"{name} failed; it said\n{server.said()}", file=sys.stderr)
        return result

    def peer(self, cell: Cell) -> report.Measured:
        """Reads of the peer take seconds each: two at once, on its two workers, must do."""
        server = self.servers["peer"]
        self.servers["ours"].settle()
        if cell.is_write:
            seconds, connections, bounds = 2.0, self.arguments.connections, (2, 0)
        else:
            count = 1 if self.arguments.quick else 2
            seconds, connections, bounds = 0.0, count, (count, count)
        used = server.cpu_seconds()
        result = self.client.run(
            server.port,
            cell.requests,
            cell.expected,
            seconds=seconds,
            connections=connections,
            at_least=bounds[0],
            at_most=bounds[1],
        )
        result.server_seconds = server.cpu_seconds() - used
        return report.Measured([result])


def _told(
    cells: list[Cell],
    rows: dict[str, dict[str, report.Measured]],
    peers: dict[tuple[str, str], report.Measured],
) -> dict[str, Any]:
    lines: list[list[str]] = []
    told: dict[str, Any] = {}
    for cell in cells:
        mine = rows[cell.name]["ours"]
        floor = rows[cell.name].get("floor")
        same = peers.get((cell.operation, _peer_sign_in(cell)))
        session = peers.get((cell.operation, "session"))
        ratios: dict[str, float | None] = {
            "floor": report.ratio(mine, floor),
            "floor_cpu": floor.cpu / mine.cpu if floor and mine.cpu else None,
            "peer": report.ratio(mine, same),
            "peer_session": report.ratio(mine, session),
        }
        told[cell.name] = {
            "ours": mine.as_json(),
            **({"floor": floor.as_json()} if floor else {}),
            **({"peer": same.as_json()} if same else {}),
            **({"peer_session": session.as_json()} if session else {}),
            "ratios": {name: value and float(f"{value:.4g}") for name, value in ratios.items()},
        }
        lines.append(
            [
                cell.name,
                report.number(mine.rate),
                *(report.number(mine.percentile(share)) for share in (0.5, 0.95, 0.99)),
                report.number(mine.cpu),
                report.number(floor.rate if floor else None),
                report.number(ratios["floor"]),
                report.number(ratios["floor_cpu"]),
                report.number(same.rate if same else None),
                report.number(same.percentile(0.5) if same else None),
                report.number(same.cpu if same else None),
                report.number(ratios["peer"]),
                report.number(session.rate if session else None),
                report.number(ratios["peer_session"]),
            ]
        )
    print(report.table(HEADS, lines))
    for name, found in told.items():
        for who in ("ours", "floor", "peer", "peer_session"):
            for text in found.get(who, {}).get("complaints", []):
                print(f"{name}, {who}: {text}")
    return told


# --- mail that comes in --------------------------------------------------------------------------


def _wants_intake(arguments: argparse.Namespace) -> bool:
    return INTAKE in arguments.cells and arguments.database == "sqlite"


def _intake(databases: desk.Databases, sizes: tuple[int, ...]) -> dict[str, Any]:
    """Messages taken in by one thread, beside so many tickets; see :mod:`bench.intake`."""
    told: dict[str, Any] = {}
    for size in sizes:
        print(f"Taking mail in beside {size:,} tickets", file=sys.stderr)
        told[str(size)] = desk.intake(databases.filled(size))
    rows = [
        [
            f"{int(size):,}",
            *(
                report.number(found[name])
                for name in (
                    *("mails_per_second", "mails_per_cpu_second", "keep_per_second"),
                    *("handle_per_second", "keep_cpu_us", "handle_cpu_us", "statements"),
                    *("floor_per_second", "of_floor"),
                )
            ),
        ]
        for size, found in told.items()
    ]
    print(report.table(INTAKE_HEADS, rows))
    return told


# --- sizes ---------------------------------------------------------------------------------------


def _flat(
    arguments: argparse.Namespace, databases: desk.Databases, stack: ExitStack
) -> dict[str, Any]:
    sizes = (arguments.tickets, arguments.flat_tickets)
    filled = {size: databases.filled(size) for size in sizes}
    servers = {size: _started(stack, desk.serve(filled[size])) for size in sizes}
    client = Client()
    stack.callback(client.close)
    lines: list[list[str]] = []
    told: dict[str, Any] = {}
    for name in _flat_cells(filled[sizes[0]].desk):
        found = {size: report.Measured() for size in sizes}
        for turn in range(arguments.rounds + 1):
            for size in sizes if turn % 2 else reversed(sizes):
                cell = _flat_cells(filled[size].desk)[name]
                result = client.run(
                    servers[size].port,
                    cell.requests,
                    cell.expected,
                    seconds=arguments.seconds,
                    connections=arguments.connections,
                )
                if turn:  # the first one warms up
                    found[size].slices.append(result)
        small, large = (found[size] for size in sizes)
        kept = report.ratio(large, small)
        told[name] = {
            **{str(size): found[size].as_json() for size in sizes},
            "ratio": kept and float(f"{kept:.4g}"),
        }
        lines.append(
            [
                name,
                *(report.number(found[size].rate) for size in sizes),
                *(report.number(found[size].percentile(0.5)) for size in sizes),
                report.number(kept),
            ]
        )
        for text in (*small.complaints, *large.complaints):
            print(f"{name}: {text}")
    heads = ["cell", *(f"{size:,}/s" for size in sizes), *(f"{size:,} p50 ms" for size in sizes)]
    print(report.table([*heads, "large/small"], lines))
    return told


def _flat_cells(known: Desk) -> dict[str, Cell]:
    """Reads that must cost the same at any size."""
    cells = {cell.name: cell for cell in ours(known)}
    names = (
        "helpdesk.show.token",
        "zammad.show.token",
        "helpdesk.list25.token",
        "zammad.list25.token",
        "zammad.list100.token",
    )
    found = {name.removesuffix(".token"): cells[name] for name in names}
    show = cells["zammad.show.token"]
    headers = show.requests[0].headers
    last = known.tickets[-1][0] // 25

    def one(target: str, expected: Expected) -> Cell:
        return Cell("", "", "token", (Request("GET", target, headers),), expected)

    rows = Expected(200, "rows", ("id", "title"))
    counted = Expected(200, "object", ("count", "results"))
    found["helpdesk last page"] = one(
        f"/api/tickets/?page={last}", Expected(200, "rows", ("id", "title"), under="results")
    )
    found["helpdesk badge (count)"] = one("/api/tickets/?page_size=1", counted)
    found["helpdesk badge (count of open)"] = one("/api/tickets/?status=1&page_size=1", counted)
    for label, query in (
        ("a rare word", corpus.RARE_WORD),
        ("a common word", corpus.COMMON_WORD),
        ("a word and a state", f"{corpus.COMMON_WORD} state.name:closed"),
        ("a customer's address", f'customer.email:"{corpus.customer_email(7)}"'),
        ("everything", "*"),
    ):
        target = f"/api/v1/tickets/search?{urlencode({'query': query, 'limit': 10})}"
        found[f"zammad search: {label}"] = one(target, rows)
    return found


# --- where the time goes -------------------------------------------------------------------------


def _profile(arguments: argparse.Namespace, databases: desk.Databases) -> int:
    filled = databases.filled(arguments.tickets)
    if arguments.profile == INTAKE:
        return desk.profile_intake(filled)
    cells = {cell.name: cell for cell in ours(filled.desk)}
    if arguments.profile not in cells:
        print(f"bench: {arguments.profile} is none of {', '.join(cells)}", file=sys.stderr)
        return 2
    done = subprocess.run(
        [sys.executable, "-P", "-m", "bench.profiling"],
        input=json.dumps(desk.describe(cells[arguments.profile])),
        cwd=filled.data,
        env=filled.environment(DESKBELL_LOG_LEVEL="error"),
        text=True,
        check=False,
    )
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
