"""The desk's own addresses, from which groups write (contract section 15)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from django.http import HttpResponse

from deskbell.api.zammad import listing
from deskbell.api.zammad.assets import Objects
from deskbell.api.zammad.decode import people as bodies
from deskbell.api.zammad.decode import values
from deskbell.api.zammad.encode import people as objects
from deskbell.api.zammad.views.base import Call, done, endpoint, needs
from deskbell.kernel.errors import Unknown
from deskbell.people.models import EmailAddress, Group
from deskbell.people.operations import delete_email_address, save_email_address
from deskbell.tickets.queries import names_of

_reads = needs("admin.channel_email", "admin.group", "ticket.agent")
_writes = needs("admin.channel_email")


def _objects(_call: Call, rows: Sequence[EmailAddress]) -> Objects:
    """Addresses with their groups; one statement for the lists."""
    groups: defaultdict[int, list[int]] = defaultdict(list)
    pairs = Group.objects.filter(email_address__in=[row.pk for row in rows]).order_by("id")
    for address_id, group_id in pairs.values_list("email_address_id", "pk"):
        groups[address_id or 0].append(group_id)
    return [objects.email_address(row, groups[row.pk]) for row in rows]


def _expanded(shown: Objects) -> Objects:
    logins = names_of("user", {one[k] for one in shown for k in ("created_by_id", "updated_by_id")})
    groups = names_of("group", {id_ for one in shown for id_ in one["group_ids"]})
    for one in shown:
        one["groups"] = [groups[id_] for id_ in one["group_ids"]]
        one["created_by"] = logins[one["created_by_id"]]
        one["updated_by"] = logins[one["updated_by_id"]]
    return shown


KIND = listing.Kind(
    "EmailAddress",
    _objects,
    _expanded,
    frozenset({"id", "name", "email", "active", "created_at", "updated_at"}),
)


@_reads
def index(call: Call) -> HttpResponse:
    """A page of them."""
    return listing.index(call, EmailAddress.objects.all(), KIND)


@_reads
def show(call: Call, address_id: str) -> HttpResponse:
    """One of them."""
    id_ = values.row_id(address_id, "email address")
    row = EmailAddress.objects.filter(pk=id_).first()
    if row is None:
        raise Unknown("email address", id_)
    return listing.one(call, row, KIND)


@_writes
def create(call: Call) -> HttpResponse:
    """A new one; each address once."""
    columns = {"email": "", **bodies.email_address(call.params)}
    row = save_email_address(None, columns, actor=call.actor, at=call.at)
    return listing.one(call, row, KIND, status=201)


@_writes
def update(call: Call, address_id: str) -> HttpResponse:
    """Change one; the groups that have it write from the new address."""
    id_ = values.row_id(address_id, "email address")
    columns = bodies.email_address(call.params)
    return listing.one(call, save_email_address(id_, columns, actor=call.actor, at=call.at), KIND)


@_writes
def destroy(call: Call, address_id: str) -> HttpResponse:
    """Remove one that no group has."""
    id_ = values.row_id(address_id, "email address")
    delete_email_address(id_, actor=call.actor, at=call.at)
    return done()


collection = endpoint(get=index, post=create)
member = endpoint(get=show, put=update, delete=destroy)
