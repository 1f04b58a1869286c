"""Numbers of a run, as rows for people and as JSON for machines."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bench.client import Result


@dataclass(slots=True)
class Measured:
    """All slices of one cell on one server."""

    slices: list[Result] = field(default_factory=list)

    @property
    def rate(self) -> float:
        """Requests per second: the median of the slices, which one disturbed slice leaves alone."""
        rates = [len(each.latencies) / each.seconds for each in self.slices if each.seconds]
        return statistics.median(rates) if rates else 0.0

    @property
    def cpu(self) -> float:
        """Microseconds of processor time per answer: tells more than a rate on a busy machine."""
        answers = sum(len(each.latencies) for each in self.slices)
        return 1e6 * sum(each.server_seconds for each in self.slices) / answers if answers else 0.0

    @property
    def errors(self) -> int:
        return sum(each.errors for each in self.slices)

    @property
    def complaints(self) -> list[str]:
        return list(dict.fromkeys(text for each in self.slices for text in each.complaints))

    def percentile(self, share: float) -> float:
        """Milliseconds within which this share of the answers came; nan without any."""
        latencies = sorted(one for each in self.slices for one in each.latencies)
        if not latencies:
            return float("nan")
        return 1000 * latencies[min(len(latencies) - 1, int(share * len(latencies)))]

    def as_json(self) -> dict[str, Any]:
        told: dict[str, Any] = {
            "requests": sum(len(each.latencies) for each in self.slices),
            "per_second": _round(self.rate),
            "cpu_us": _round(self.cpu),
            "answer_bytes": max((each.answer_bytes for each in self.slices), default=0),
            "errors": self.errors,
        }
        for name, share in (("p50_ms", 0.5), ("p95_ms", 0.95), ("p99_ms", 0.99)):
            value = self.percentile(share)
            told[name] = None if value != value else _round(value)
        if self.complaints:
            told["complaints"] = self.complaints
        return told


def ratio(ours: Measured, other: Measured | None) -> float | None:
    """Ours over theirs, ``None`` where one of them gave no right answer."""
    if other is None or not other.rate or not ours.rate:
        return None
    return ours.rate / other.rate


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Aligned columns: the first to the left, all others to the right."""
    lines = [heads, *rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(heads))]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if not column else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    )


def number(value: float | None) -> str:
    """A rate, a ratio or milliseconds, with as many digits as they deserve."""
    if value is None or value != value:
        return "-"
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def _round(value: float) -> float:
    return float(f"{value:.4g}")


def memory_lines(told: Mapping[str, Any]) -> list[str]:
    """What an idle desk costs, in words."""
    parts = ", ".join(f"{name} {size}" for name, size in told["processes_mb"].items())
    return [
        f"first start {told['first_start_seconds']} s, second {told['second_start_seconds']} s",
        f"idle memory {told['memory_mb']} MB PSS ({parts})",
    ]
