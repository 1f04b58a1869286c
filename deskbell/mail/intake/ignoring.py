"""The lists of mail that becomes nothing, or is never answered: keeping them, and asking them.

A message is looked up by all that it could be caught by (its sender, the sender's domain and those
above it, the names of its fields) in one indexed query, however long the lists are.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

import idna
from django.db import transaction
from django.db.models import F, Q

from deskbell.kernel.actor import Actor
from deskbell.kernel.compiled import Compiled
from deskbell.kernel.errors import Invalid
from deskbell.kernel.remembering import remembered
from deskbell.kernel.text import fold
from deskbell.mail import administering, typed
from deskbell.mail.models import IgnoreRule
from deskbell.mail.reading.facts import Facts
from deskbell.people.addresses import is_address
from deskbell.people.models import Group

PATTERN_LIMIT, NOTE_LIMIT = 300, 250
#: Field names of one message that are looked up, and domains above that of its sender.
NAMES_AT_MOST, LABELS_AT_MOST = 300, 20
_RESOURCE = "ignore rule"

_FIELD = re.compile(r"[!-9;-~]{1,100}\Z")
_DOMAIN = re.compile(r"[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63}){0,19}\Z")

What, Action = IgnoreRule.What, IgnoreRule.Action


@dataclass(slots=True, kw_only=True)
class NewRule:
    """A rule as an administrator describes it; without a group it is for all mail."""

    what: str
    pattern: str
    action: str = Action.IGNORE
    group_id: int | None = None
    active: bool = True
    note: str = ""


@transaction.atomic
def save_rule(
    given: NewRule, *, rule_id: int | None = None, actor: Actor, at: datetime
) -> IgnoreRule:
    """Make a rule or change one; what it caught stays counted.

    Raises :class:`Forbidden` (``admin.channel_email``), :class:`Unknown`, :class:`Invalid`:
    ``what``/``action`` ``not_selectable``, ``pattern`` ``required``/``bad``/``too_long``/
    ``not_an_address``/``taken``, ``group_id`` ``unknown``, ``note`` ``bad``/``too_long``.
    """
    require(actor)
    rule = rule_for(actor, rule_id) if rule_id else IgnoreRule()
    if given.what not in What.values:
        raise Invalid("what", "not_selectable", given.what)
    if given.action not in Action.values:
        raise Invalid("action", "not_selectable", given.action)
    if given.group_id is not None and not Group.objects.filter(pk=given.group_id).exists():
        raise Invalid("group_id", "unknown", given.group_id)
    rule.what, rule.action, rule.group_id = given.what, given.action, given.group_id
    rule.pattern, rule.key = normal(given.what, given.pattern)
    rule.note = typed.text("note", given.note, limit=NOTE_LIMIT)
    rule.active = given.active
    same = IgnoreRule.objects.filter(key=rule.key, group=rule.group_id).exclude(pk=rule.pk)
    if any(fold(other.pattern) == fold(rule.pattern) for other in same):
        raise Invalid("pattern", "taken", rule.pattern)
    administering.stamp(rule, actor=actor, at=at)
    rule.save()
    return rule


def normal(what: str, pattern: str) -> tuple[str, str]:
    """The pattern as it is kept, and the key messages are looked up by. Raises :class:`Invalid`."""
    text = typed.text("pattern", pattern, limit=PATTERN_LIMIT)
    if not text:
        raise Invalid("pattern", "required")
    match what:
        case What.ADDRESS:
            if not is_address(text):
                raise Invalid("pattern", "not_an_address", text)
            return text, f"address:{_address_key(text)}"
        case What.DOMAIN:
            text = text.lstrip("@.*").rstrip(".")
            key = _domain_key(text)
            if not _DOMAIN.match(key):
                raise Invalid("pattern", "bad", pattern)
            return fold(text), f"domain:{key}"
    name, colon, words = text.partition(":")
    name = name.strip()
    if not _FIELD.match(name):
        raise Invalid("pattern", "bad", pattern)
    words = " ".join(words.split())
    return f"{name}{colon} {words}".strip(), f"header:{name.lower()}"


def _domain_key(domain: str) -> str:
    """A domain in the form that every spelling of it has: ASCII where that is possible."""
    key = fold(domain)
    if key.isascii():
        return key
    try:
        return idna.encode(key, uts46=True).decode("ascii")
    except idna.IDNAError:
        return key


def _address_key(address: str) -> str:
    local, _, domain = fold(address).rpartition("@")
    return f"{local}@{_domain_key(domain)}"


@transaction.atomic
def switch_rule(rule_id: int, *, active: bool, actor: Actor, at: datetime) -> None:
    """Put a rule out of use, or into use again. Raises as :func:`rule_for`."""
    rule = rule_for(actor, rule_id)
    IgnoreRule.objects.filter(pk=rule.pk).update(
        active=active, updated_by_id=actor.user_id, updated_at=at
    )


@transaction.atomic
def delete_rule(rule_id: int, *, actor: Actor, at: datetime) -> None:
    """Remove a rule. Raises as :func:`rule_for`."""
    rule_for(actor, rule_id).delete()


def require(actor: Actor) -> None:
    """Raise :class:`Forbidden` unless the actor administers mail."""
    administering.require(actor, _RESOURCE)


def rule_for(actor: Actor, rule_id: int) -> IgnoreRule:
    """A rule, for whoever administers mail. Raises :class:`Forbidden`, :class:`Unknown`."""
    rules = IgnoreRule.objects.select_related("group")
    return administering.row_for(actor, rules, rule_id, resource=_RESOURCE)


# --- asking --------------------------------------------------------------------------------------

_ANY = Compiled(lambda: IgnoreRule.objects.filter(active=True).values_list("pk")[:1])


@remembered
def _are_any() -> bool:
    return _ANY.first() is not None


def catching(facts: Facts, address: str, *, group_id: int) -> list[IgnoreRule]:
    """The active rules that catch a message of this sender to this group, oldest first."""
    if not _are_any():
        return []
    rules = IgnoreRule.objects.filter(
        Q(group=None) | Q(group=group_id), key__in=_keys(facts, address), active=True
    )
    return [rule for rule in rules.order_by("id") if _holds(rule, facts)]


def count(rules: Iterable[IgnoreRule], *, at: datetime) -> None:
    """Note that the rules caught one more message."""
    ids = [rule.pk for rule in rules]
    if ids:
        IgnoreRule.objects.filter(pk__in=ids).update(caught=F("caught") + 1, caught_at=at)


def _keys(facts: Facts, address: str) -> list[str]:
    names = list(dict.fromkeys(name for name, _ in facts.fields))[:NAMES_AT_MOST]
    keys = [f"header:{name}" for name in names]
    if "@" in address:
        key = _address_key(address)
        labels = key.rpartition("@")[2].split(".")[-LABELS_AT_MOST:]
        keys.append(f"address:{key}")
        keys += [f"domain:{'.'.join(labels[number:])}" for number in range(len(labels))]
    return keys


def _holds(rule: IgnoreRule, facts: Facts) -> bool:
    """Whether the words of a rule stand in the field; a sender's rule holds by its key."""
    if rule.what != What.HEADER:
        return True
    name, _, words = rule.pattern.partition(":")
    wanted = fold(words)
    return any(
        wanted in fold(" ".join(value.split()))
        for field, value in facts.fields
        if field == name.lower()
    )
