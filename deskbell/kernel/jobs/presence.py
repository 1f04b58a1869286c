"""Which workers there are, and which of them certainly are not any more."""

from __future__ import annotations

import os
import secrets
from datetime import datetime, timedelta
from pathlib import Path

from django.db.models import Max

from deskbell.kernel.models import Worker

#: A worker not heard of for so long is forgotten.
FORGET_AFTER = timedelta(days=1)


def host() -> str:
    """This boot of this machine, and the namespace in which process ids mean something.

    Two containers on one machine share the boot but not their process ids. Empty where the
    system does not tell; then nobody is ever declared dead, and leases simply end.
    """
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{boot} {os.readlink('/proc/self/ns/pid')}"
    except OSError:
        return ""


def process_started(pid: int) -> int | None:
    """The start of a process in clock ticks since boot, ``None`` when there is no such process.

    A zombie counts as gone: it runs no jobs.
    """
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    # The command's name, in parentheses, may hold blanks; fields are counted behind it.
    fields = stat.rpartition(")")[2].split()
    return None if fields[0] in "ZX" else int(fields[19])


def register(*, at: datetime) -> Worker:
    """Write the row of this process."""
    pid = os.getpid()
    return Worker.objects.create(
        name=f"{os.uname().nodename[:40]}.{pid}.{secrets.token_hex(4)}",
        host=host(),
        pid=pid,
        process_started=process_started(pid) or 0,
        started_at=at,
        heartbeat_at=at,
    )


def dead_neighbours() -> list[str]:
    """Names of workers of this host whose process is gone."""
    here = host()
    if not here:
        return []
    return [
        worker.name
        for worker in Worker.objects.filter(host=here).order_by("id")
        if process_started(worker.pid) != worker.process_started
    ]


def forget(names: list[str], *, at: datetime) -> None:
    """Delete the rows of the named workers, and of those not heard of for a day."""
    Worker.objects.filter(name__in=names).delete()
    Worker.objects.filter(heartbeat_at__lt=at - FORGET_AFTER).delete()


def last_heartbeat() -> datetime | None:
    """When any worker was last heard of."""
    latest: datetime | None = Worker.objects.aggregate(at=Max("heartbeat_at"))["at"]
    return latest
