"""Who wrote: the sender that is shown, and whose ticket it becomes under a desk's settings."""

from __future__ import annotations

from typing import Literal

from deskbell.mail.reading.addresses import Address

ReplyToUse = Literal["", "as_sender_of_email", "as_sender_of_email_use_from_realname"]


def shown(
    from_: tuple[Address, ...],
    reply_to: tuple[Address, ...],
    sender: Address | None,
    return_path: Address | None,
) -> Address | None:
    """The sender to show. Reply-To and the others count only where From has no address at all."""
    for entries in (from_, reply_to):
        if entries:
            return entries[0]
    return sender or return_path


def customer(
    shown: Address | None,
    *,
    from_: tuple[Address, ...],
    reply_to: tuple[Address, ...],
    to: tuple[Address, ...],
    use: ReplyToUse,
    own: frozenset[str],
) -> Address | None:
    """Whose ticket it becomes.

    Reply-To makes the customer only where the desk's setting says so (a form mailer that writes
    in a customer's name); it proves nothing about who wrote. Mail from one of the desk's ``own``
    addresses (lower case) is an agent's: the first other recipient is the customer.
    """
    if use and reply_to and reply_to[0].key not in own:
        entry = reply_to[0]
        real = from_[0].name if from_ else ""
        if use == "as_sender_of_email_use_from_realname" and real:
            return Address(real, entry.address)
        return entry
    if shown is not None and shown.key in own:
        return next((entry for entry in to if entry.key not in own), shown)
    return shown
