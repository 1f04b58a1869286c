"""Which address belongs to which door, and how a refusal looks there before any view is reached."""

from __future__ import annotations

import json
from typing import Literal

Door = Literal["zammad", "helpdesk", "jutda", "page"]

#: Where old installations had the three APIs; the same trees answer below it.
MOUNT = "/helpdesk"
_JUTDA_METHODS = frozenset(
    {
        "create_ticket",
        "delete_ticket",
        "hold_ticket",
        "unhold_ticket",
        "add_followup",
        "resolve",
        "list_queues",
        "find_user",
    }
)


def is_api(path: str) -> bool:
    """Whether the address is one of the three APIs, which read sessions only if one is sent."""
    return path.startswith(("/api/", MOUNT + "/api/"))


def is_hook(path: str) -> bool:
    """Whether programs of mail providers call the address: it has no session and shows no page."""
    return path.startswith(("/mail/in/", "/mail/events/"))


def without_secrets(path: str) -> str:
    """The path as it may be written down: some addresses are secret."""
    return path[: path.index("/", 6) + 1] + "[hidden]" if is_hook(path) else path


def door_of(path: str) -> Door:
    """The dialect, or the pages, that an address belongs to."""
    if not is_api(path):
        return "page"
    words = path.removeprefix(MOUNT).split("/", 3)
    if words[2] == "v1":
        return "zammad"
    return "jutda" if words[2] in _JUTDA_METHODS else "helpdesk"


def refusal(path: str, sentence: str) -> tuple[str, bytes]:
    """Content type and body that say ``sentence`` in the shape of the address's own errors."""
    door = door_of(path)
    if door == "zammad":
        body = json.dumps({"error": sentence, "error_human": sentence})
        return "application/json; charset=utf-8", body.encode()
    if door == "helpdesk":
        return "application/json", json.dumps({"detail": sentence}).encode()
    return "text/plain; charset=utf-8", sentence.encode()
