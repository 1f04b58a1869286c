"""Small things about processes that the standard library does not say: Linux, with a way around.

No Django here: the supervisor imports this.
"""

from __future__ import annotations

import contextlib
import ctypes
import faulthandler
import os
import resource
import signal
import sys
from collections.abc import Callable
from typing import NoReturn

_PR_SET_PDEATHSIG = 1
_M_ARENA_MAX = -8
#: What our processes are stopped with, and what tells the supervisor that one ended.
WATCHED = frozenset({signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD})


def die_with(parent: int, with_signal: signal.Signals) -> None:
    """Have the kernel send us the signal when the parent process ends, however it ends."""
    if sys.platform != "linux":
        return
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, int(with_signal), 0, 0, 0)
    if os.getppid() != parent:
        # It ended before we asked.
        os._exit(1)


def fork(work: Callable[[], int]) -> int:
    """Run ``work`` in a child process that ends with its result, and dies with this one.

    Call it while there is only one thread. Returns the child's process id.
    """
    parent = os.getpid()
    sys.stdout.flush()
    sys.stderr.flush()
    child = os.fork()
    if not child:
        _become_child(parent, work)
    return child


def _become_child(parent: int, work: Callable[[], int]) -> NoReturn:
    status = 70
    try:
        for number in WATCHED:
            signal.signal(number, signal.SIG_DFL)
        # Ctrl-C reaches the whole group; the supervisor alone decides what follows from it.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_SETMASK, [])
        die_with(parent, signal.SIGTERM)
        status = work()
    except SystemExit as leave:
        status = leave.code if isinstance(leave.code, int) else 1
    except BaseException:  # noqa: BLE001 - the last frame of the process: said, then it ends
        sys.excepthook(*sys.exc_info())
    finally:
        with contextlib.suppress(OSError):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(status)


def show_threads_on_request() -> None:
    """Have SIGUSR1 print where every thread is, for a process that hangs without saying why."""
    faulthandler.register(signal.SIGUSR1, all_threads=True)


def raise_file_limit() -> None:
    """Allow as many open files as the system lets us: every connection is one."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 65536 if hard == resource.RLIM_INFINITY else min(hard, 65536)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def keep_heap_small() -> None:
    """Two malloc arenas instead of eight per core: our threads share one interpreter lock."""
    if sys.platform == "linux":
        with contextlib.suppress(AttributeError):  # musl has one arena and no mallopt
            ctypes.CDLL(None).mallopt(_M_ARENA_MAX, 2)
