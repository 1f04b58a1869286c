"""Addresses that only one person was told: ``support+12-<signature>@desk.example``.

What an agent is notified of names such an address in Reply-To. Mail that is sent to it answers that
notification, whatever the mail program made of its Message-ID; and it is the agent's own if it also
says that it is from him, because nobody else has seen the address. It must therefore never stand
in anything that goes outside: see :func:`without`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from django.utils.crypto import constant_time_compare, salted_hmac

from deskbell.kernel.text import MAX_ID, fold
from deskbell.mail import policy
from deskbell.mail.models import OutgoingMail

#: An address before its @ has no more characters than this (RFC 5321 §4.5.3.1.1).
LOCAL_LIMIT = 64
ADDRESSES_AT_MOST = 100

_TAG = re.compile(r"(?:\+|%2b)([1-9][0-9]{0,18})-([0-9a-f]{24})(?=@|%40)", re.IGNORECASE)


def reply_address(mail: OutgoingMail, sender: str) -> str:
    """Where the answer to a notification should go; "" where the mailbox takes no such address.

    ``sender`` is the address that the notification comes from.
    """
    if fold(sender) not in {fold(each) for each in policy.present().tagged_addresses}:
        return ""
    local, _, domain = sender.rpartition("@")
    tagged = f"{local}+{mail.pk}-{_signature(mail.pk, mail.address_key)}"
    return f"{tagged}@{domain}" if len(tagged) <= LOCAL_LIMIT else ""


def mail_of(addresses: Iterable[str]) -> OutgoingMail | None:
    """The notification that one of the addresses was made for, if its signature holds."""
    named: dict[int, str] = {}
    for address in list(addresses)[:ADDRESSES_AT_MOST]:
        if match := _TAG.search(address):
            named[int(match[1])] = match[2].lower()
    ids = [id_ for id_ in named if id_ <= MAX_ID]
    if not ids:
        return None
    for mail in OutgoingMail.objects.filter(pk__in=ids).select_related("article").order_by("-id"):
        if constant_time_compare(named[mail.pk], _signature(mail.pk, mail.address_key)):
            return mail
    return None


def without(text: str) -> str:
    """The text with such addresses made plain ones."""
    return _TAG.sub("", text)


def _signature(mail_id: int, address_key: str) -> str:
    value = f"{mail_id}:{address_key}"
    return salted_hmac("deskbell.mail.tag", value, algorithm="sha256").hexdigest()[:24]
