"""``deskbell mail parse``: the facts of one message as JSON, without a database.

``MAIL_SETUP`` may name a JSON file that says what a desk knows (its tickets, addresses and
settings); then the outcome is printed as well. The keys are described in ``docs/mail-facts.md``.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from deskbell.mail.reading import read
from deskbell.mail.reading.references import HEADERS, Decision, Known, Place, Rules, decide
from deskbell.ops.cli import CommandError

SETUP_VARIABLE = "MAIL_SETUP"


def run(file: str | None) -> int:
    """Read a message from the file or standard input and print one JSON object."""
    try:
        raw = Path(file).read_bytes() if file not in (None, "-") else sys.stdin.buffer.read()
    except OSError as error:
        raise CommandError(f"{file} cannot be read: {error.strerror}.") from error
    setup: dict[str, Any] = {}
    if path := os.environ.get(SETUP_VARIABLE):
        try:
            setup = json.loads(Path(path).read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise CommandError(f"{SETUP_VARIABLE} names no JSON file: {path}.") from error
    json.dump(parsed(raw, setup), sys.stdout, ensure_ascii=True)
    print()
    return 0


def parsed(raw: bytes, setup: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The facts of a message, with what a desk of that setup would do with it."""
    setup = setup or {}
    facts = read(raw, fqdn=str(setup.get("fqdn", "")))
    tickets = SetupTickets(setup)
    decision = decide(facts, tickets, rules_of(setup), size=len(raw))
    return {**facts.as_json(), **_decided(decision)}


def _decided(decision: Decision) -> dict[str, Any]:
    customer = decision.customer
    return {
        "customer": {"name": customer.name, "address": customer.address} if customer else None,
        "sender_role": decision.sender_role,
        "outcome": decision.outcome,
        "followup_of": decision.ticket.number if decision.ticket else None,
        "followup_by": decision.found_by,
        "state_after": decision.state_after,
        "must_not_auto_respond": decision.must_not_auto_respond,
    }


def rules_of(setup: Mapping[str, Any]) -> Rules:
    """The settings of a setup; what it does not say has the desk's default."""
    largest = setup.get("max_message_mb")
    return Rules(
        hooks=(str(setup.get("ticket_hook") or "Ticket#"),),
        search_in=_places(setup.get("search_in", ["references"])),
        own_addresses=_lower(setup.get("system_addresses")),
        agents=_lower(setup.get("agents")),
        fqdn=str(setup.get("fqdn", "")),
        reply_to=setup.get("sender_based_on_reply_to") or "",
        search_customer_of_agent=bool(setup.get("sender_is_agent_search_for_customer", True)),
        largest=None if largest is None else int(float(largest) * 1024 * 1024),
    )


def _places(named: Collection[str]) -> frozenset[Place]:
    """Where a ticket is looked for; a setup names what is searched besides the subject."""
    headers = HEADERS if "references" in named else frozenset[Place]()
    others: tuple[Place, ...] = ("body", "attachment")
    return headers.union({"subject"}, (place for place in others if place in named))


def _lower(entries: Any) -> frozenset[str]:
    return frozenset(str(entry).lower() for entry in entries or ())


class SetupTickets:
    """The tickets of a setup; where several fit, the one created last."""

    def __init__(self, setup: Mapping[str, Any]) -> None:
        self._numbers: dict[str, Known] = {}
        self._ids: dict[str, tuple[Known, str]] = {}
        self._keys: dict[str, Known] = {}
        for row in setup.get("tickets", ()):
            customer = str(row.get("customer") or "").lower()
            known = Known(
                number=str(row["number"]),
                title=str(row.get("title") or ""),
                state=str(row.get("state") or "open"),
                people=frozenset({customer} - {""}),
                follow_up_possible=str(setup.get("follow_up_possible") or "yes"),
            )
            self._numbers[known.number] = known
            if key := row.get("external_key"):
                self._keys[str(key)] = known
            for article in row.get("articles", ()):
                if id_ := str(article.get("message_id") or "").strip("<> "):
                    self._ids[id_] = (known, str(article.get("subject") or ""))

    def by_number(self, numbers: Sequence[str]) -> Known | None:
        return next((self._numbers[one] for one in numbers if one in self._numbers), None)

    def by_slug_id(self, pairs: Sequence[tuple[str, int]]) -> Known | None:
        return None  # a setup names no groups

    def by_message_id(self, ids: Sequence[str]) -> tuple[Known, str] | None:
        return next((self._ids[one] for one in ids if one in self._ids), None)

    def by_external_key(self, key: str) -> Known | None:
        return self._keys.get(key)
