"""Names and addresses on entries: who wrote, and from where the desk answers."""

from __future__ import annotations

from email.headerregistry import Address
from email.utils import getaddresses, parseaddr

from django.conf import settings

from deskbell.kernel.compiled import Compiled
from deskbell.kernel.remembering import remembered
from deskbell.kernel.text import fold
from deskbell.people.addresses import is_address
from deskbell.people.models import EmailAddress, Group, User

ADDRESSES_AT_MOST = 500


def desk_address(group: Group) -> str:
    """Where the group answers from: its own address, else the desk's."""
    return group.email or settings.CONFIG.sender


def sender_name(group: Group) -> str:
    """Under which name the group writes: its own, that of its address, or of the desk's.

    Where none of them says one, the group's.
    """
    address = group.email_address if group.email else None
    name = address.name if address is not None else parseaddr(settings.CONFIG.mail_from)[0]
    return group.sender_name or name or group.name


def agent_name(name: str, group: Group) -> str:
    """How an agent's mail is signed: ``Nora Example via Support``; without a name the group."""
    return f"{name} via {sender_name(group)}" if name else sender_name(group)


_OWN_ADDRESSES = Compiled(lambda: EmailAddress.objects.values_list("email"))


@remembered
def desk_addresses() -> frozenset[str]:
    """Keys of all addresses that are the desk's own: mail to them would come back to us."""
    own = (email for (email,) in _OWN_ADDRESSES.all())
    return frozenset(fold(a) for a in [*own, settings.CONFIG.sender] if a)


def formatted(name: str, address: str) -> str:
    """``Name <address>``, quoted where needed; no line break survives."""
    name = " ".join(name.split())
    if not name:
        return address
    if all(c.isalnum() or c in " .-_'" or ord(c) > 127 for c in name) and "." not in name:
        return f"{name} <{address}>"
    if not is_address(address) or not address.isascii():
        return f"{name} <{address}>"
    return str(Address(display_name=name, addr_spec=address))


def addresses_in(header: str | None) -> list[str]:
    """The plain addresses of a To or Cc text, in order, each once; what is none is left out."""
    found: dict[str, str] = {}
    for _name, address in getaddresses([(header or "")[:100_000]])[:ADDRESSES_AT_MOST]:
        address = address.strip()
        if is_address(address):
            found.setdefault(fold(address), address)
    return list(found.values())


def person_name(user: User) -> str:
    """First and last name; the login where there is none."""
    return user.display_name
