"""All tags of the desk, for those who look after them (contract section 8)."""

from __future__ import annotations

from django.http import HttpResponse

from deskbell.api.zammad import errors
from deskbell.api.zammad.decode import values
from deskbell.api.zammad.paging import page_of
from deskbell.api.zammad.views.base import Call, answer, done, endpoint, needs
from deskbell.tickets import queries
from deskbell.tickets.operations.tags import create_tag, delete_tag, rename_tag

LIST_DEFAULT = LIST_MOST = 1000
_keepers = needs("admin.tag")


@_keepers
def list_all(call: Call) -> HttpResponse:
    """The tags by name, and how many tickets bear each."""
    page = page_of(call.params, default=LIST_DEFAULT, most=LIST_MOST)
    rows = queries.tags_page(limit=page.limit, offset=page.offset)
    return answer([{"id": row.id, "name": row.name, "count": row.tickets} for row in rows])


@_keepers
def create(call: Call) -> HttpResponse:
    """Make a tag that no ticket bears yet; one that is there already stays."""
    create_tag(_name(call), actor=call.actor, at=call.at)
    return done()


@_keepers
def rename(call: Call, tag_id: str) -> HttpResponse:
    """Rename a tag on all tickets; under the name of another one, the two become one."""
    id_ = values.row_id(tag_id, "tag")
    rename_tag(id_, _name(call), actor=call.actor, at=call.at)
    return done()


@_keepers
def destroy(call: Call, tag_id: str) -> HttpResponse:
    """Take a tag off all tickets."""
    delete_tag(values.row_id(tag_id, "tag"), actor=call.actor, at=call.at)
    return done()


def _name(call: Call) -> str:
    given = call.params.get("name")
    if values.is_blank(given):
        raise errors.unprocessable("The required parameter 'name' is missing.")
    return values.text("name", given)


collection = endpoint(get=list_all, post=create)
member = endpoint(put=rename, delete=destroy)
