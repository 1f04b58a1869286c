"""What is the same for a whole batch of work is read once: settings, lists, the desk's addresses.

Outside of :func:`remembering` everything is read anew each time. Inside, what a function marked
with :func:`remembered` answered stays its answer; the batch is one transaction, or hardly longer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import wraps
from typing import Any, TypeVar

Answer = TypeVar("Answer")

_memory: ContextVar[dict[Any, Any] | None] = ContextVar("deskbell.remembering", default=None)


@contextmanager
def remembering() -> Iterator[None]:
    """Let answers stand until the end of the block."""
    token = _memory.set({})
    try:
        yield
    finally:
        _memory.reset(token)


def remembered(read: Callable[[], Answer]) -> Callable[[], Answer]:
    """A function without arguments that reads what hardly ever changes."""

    @wraps(read)
    def answer() -> Answer:
        memory = _memory.get()
        if memory is None:
            return read()
        if read not in memory:
            memory[read] = read()
        return memory[read]  # type: ignore[no-any-return]

    return answer
