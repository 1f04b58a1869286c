"""The rules for incoming mail that an administrator sets, for the whole desk.

One row holds what was said; what was never said has the default. What concerns one group alone
(whether a closed ticket takes answers) stands with the group, what concerns one mailbox with its
channel.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from importlib.util import find_spec
from typing import Any

from django.db import transaction

from deskbell.kernel.actor import Actor
from deskbell.kernel.compiled import by_id
from deskbell.kernel.errors import Invalid
from deskbell.kernel.remembering import remembered
from deskbell.kernel.text import fold
from deskbell.mail import administering, typed
from deskbell.mail.models import MailPolicy
from deskbell.mail.reading.references import PLACES
from deskbell.people.addresses import is_address

#: Bytes of a message that no setting lets in, MB: what is larger is not even taken.
LARGEST_MB = 100

_ROW = 1

#: What looking at signatures needs; published as sources only, so no part of the lock.
MAILAUTH = ("dkim", "authheaders", "publicsuffix2", "dns")


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What may be set.

    ``hook`` stands before a number in a subject. ``search_in`` names where a ticket is looked for
    (:data:`PLACES`); the ids of a header that is not among them count only together with the same
    subject. ``max_message_mb``: what is larger is refused, and kept. ``own_addresses`` lead to the
    desk besides those of its groups; ``tagged_addresses`` also take mail for ``local+tag@domain``,
    so that an agent's answer can prove whose it is. ``verify_senders``: the desk looks at
    signatures itself where no mail server of its own has. ``customer_of_agent``: what an agent
    writes to the desk and to a customer is the customer's ticket. The next three count messages in
    an hour; what comes beyond is kept and answered by nothing. ``raw_mail_days``: how long the
    bytes of handled messages are kept, 0 for ever.
    """

    hook: str = "Ticket#"
    search_in: tuple[str, ...] = ("in-reply-to", "references", "subject")
    max_message_mb: int = LARGEST_MB
    own_addresses: tuple[str, ...] = ()
    tagged_addresses: tuple[str, ...] = ()
    verify_senders: bool = False
    customer_of_agent: bool = True
    acknowledgements_per_sender: int = 5
    mails_per_sender: int = 60
    mails_per_ticket: int = 30
    raw_mail_days: int = 0

    @property
    def own_keys(self) -> frozenset[str]:
        return frozenset(fold(address) for address in (*self.own_addresses, *self.tagged_addresses))


_STORED = by_id(MailPolicy)


@remembered
def present() -> Policy:
    """The rules in force. One query."""
    row = _STORED.first(_ROW)
    if row is None:
        return Policy()
    known = {field.name for field in fields(Policy)}
    # A row of a newer version may say more than this one knows.
    return checked({name: value for name, value in row.values.items() if name in known})


def checked(given: Mapping[str, Any]) -> Policy:
    """Rules from stored values. Raises :class:`Invalid`, the field by its name."""
    values = typed.checked(Policy, given)
    policy = Policy(**values)
    if not policy.hook or any(c in policy.hook for c in "[]"):
        raise Invalid("hook", "required" if not policy.hook else "bad", policy.hook)
    for place in policy.search_in:
        if place not in PLACES:
            raise Invalid("search_in", "not_selectable", place)
    for name in ("own_addresses", "tagged_addresses"):
        for address in getattr(policy, name):
            if not is_address(address):
                raise Invalid(name, "not_an_address", address)
    for address in policy.tagged_addresses:
        if "+" in address.partition("@")[0]:
            raise Invalid("tagged_addresses", "bad", address)
    if not 1 <= policy.max_message_mb <= LARGEST_MB:
        raise Invalid("max_message_mb", "bad", policy.max_message_mb)
    for name in ("mails_per_sender", "mails_per_ticket"):
        if getattr(policy, name) < 1:
            raise Invalid(name, "bad", getattr(policy, name))
    return policy


def as_values(policy: Policy) -> dict[str, Any]:
    """The rules as they are stored and written into a file."""
    return {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in asdict(policy).items()
    }


@transaction.atomic
def save(given: Mapping[str, Any], *, actor: Actor, at: datetime) -> Policy:
    """Set what is given, leave the rest.

    Raises :class:`Forbidden`, :class:`Invalid`, also for ``verify_senders`` where the packages of
    the extra ``mailauth`` are missing (``not_installed``).
    """
    administering.require(actor, "mail policy")
    policy = checked({**as_values(present()), **given})
    if policy.verify_senders and not all(find_spec(name) for name in MAILAUTH):
        raise Invalid("verify_senders", "not_installed")
    usual = as_values(Policy())
    said = {name: value for name, value in as_values(policy).items() if value != usual[name]}
    MailPolicy.objects.update_or_create(
        pk=_ROW,
        defaults={"values": said, "updated_by_id": actor.user_id, "updated_at": at},
        create_defaults={
            "values": said,
            "created_by_id": actor.user_id,
            "updated_by_id": actor.user_id,
            "created_at": at,
            "updated_at": at,
        },
    )
    return policy
