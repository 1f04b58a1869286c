"""Who wants to be told of what: the notification matrix of an agent's preferences, as in Zammad.

``preferences["notification_config"]["matrix"]`` says for each occasion which tickets count
(``criteria``: ``owned_by_me``, ``owned_by_nobody``, ``subscribed``, ``no``, which means any) and by
which ``channel`` (``online``, ``email``). ``group_ids`` beside the matrix limits it to some groups,
except for one's own tickets and those one follows.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from deskbell.notify.models import Occasion

CONFIG = "notification_config"
_CHANNELS = {"email": True, "online": True}


def _row(*, nobody: bool, subscribed: bool) -> dict[str, dict[str, bool]]:
    return {
        "criteria": {
            "owned_by_me": True,
            "owned_by_nobody": nobody,
            "subscribed": subscribed,
            "no": False,
        },
        "channel": dict(_CHANNELS),
    }


def default_config() -> dict[str, Any]:
    """What an agent wants who has chosen nothing; a new copy each time."""
    return {
        "matrix": {
            Occasion.CREATE.label: _row(nobody=True, subscribed=True),
            Occasion.UPDATE.label: _row(nobody=True, subscribed=True),
            Occasion.REMINDER_REACHED.label: _row(nobody=False, subscribed=False),
            Occasion.ESCALATION.label: _row(nobody=False, subscribed=False),
        }
    }


_DEFAULT = default_config()


def wants(
    preferences: str | Mapping[str, Any],
    occasion: Occasion,
    *,
    group_id: int,
    owned_by_me: bool,
    owned_by_nobody: bool,
    subscribed: bool,
) -> bool:
    """Whether an agent with these preferences (JSON text, or read) is to be told inside the desk.

    What is not shaped as it should be counts as not chosen.
    """
    config = _config(preferences)
    row = _mapping(_mapping(config.get("matrix")).get(occasion.label))
    if not _on(_mapping(row.get("channel")), "online"):
        return False
    if not (owned_by_me or subscribed) and not _of_chosen_group(config.get("group_ids"), group_id):
        return False
    criteria = _mapping(row.get("criteria"))
    return (
        (owned_by_me and _on(criteria, "owned_by_me"))
        or (owned_by_nobody and _on(criteria, "owned_by_nobody"))
        or (subscribed and _on(criteria, "subscribed"))
        or _on(criteria, "no")
    )


def _config(preferences: str | Mapping[str, Any]) -> Mapping[str, Any]:
    if isinstance(preferences, str):
        if CONFIG not in preferences:
            return _DEFAULT  # nearly everybody; nothing to read
        preferences = _mapping(json.loads(preferences))
    config = preferences.get(CONFIG)
    if not isinstance(config, Mapping) or not isinstance(config.get("matrix"), Mapping):
        return _DEFAULT
    return config


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _on(row: Mapping[str, Any], name: str) -> bool:
    """A switch; forms of older clients send texts."""
    return row.get(name) in (True, "true", "1", 1)


def _of_chosen_group(chosen: Any, group_id: int) -> bool:
    """No list, an empty one and ``["-"]`` mean every group."""
    if not isinstance(chosen, list) or not chosen or chosen == ["-"]:
        return True
    return str(group_id) in (str(id_) for id_ in chosen)
