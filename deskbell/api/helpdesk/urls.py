"""The five collections and the root, with and without final slash, with and without a suffix.

Both spellings are answered at once: a redirected PUT is lost in most clients.
"""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, re_path

from deskbell.api.helpdesk import doors, names, views
from deskbell.api.helpdesk.doors import ITEM_VERBS, LIST_VERBS, Respond, door

SUFFIX = r"(?:\.(?P<format>[a-z0-9]+))?/?\Z"
ITEM = r"/(?P<pk>[^/.]+)"


def _pair(name: str, listing: Respond, item: Respond) -> list[URLPattern | URLResolver]:
    return [re_path(rf"^{name}{SUFFIX}", listing), re_path(rf"^{name}{ITEM}{SUFFIX}", item)]


#: Also answers ``/api``, which lies outside of the tree below it.
root = door(views.Root)

urlpatterns: list[URLPattern | URLResolver] = [
    *_pair(
        "tickets",
        door(views.Tickets, doors.tickets, verbs=LIST_VERBS),
        door(views.Ticket, doors.ticket, verbs=ITEM_VERBS),
    ),
    *_pair(
        "followups",
        door(views.FollowUps, doors.followups, verbs=LIST_VERBS),
        door(views.FollowUp, doors.followup, verbs=ITEM_VERBS),
    ),
    *_pair("user_tickets", door(views.OwnTicketList), door(views.OwnTicket)),
    *_pair("followups-attachments", door(views.Files), door(views.File)),
    re_path(rf"^followups-attachments{ITEM}/file/(?P<filename>[^/]+)\Z", door(views.FileBytes)),
    re_path(rf"^users{SUFFIX}", door(views.Users)),
    re_path(rf"^{SUFFIX}", root),
    re_path(rf"^(?:{'|'.join(names.COLLECTIONS)})(?:[/.].*)?\Z", doors.not_found),
]
