"""The verbs of the trade. One call, one transaction, one event; nothing is sent from here."""

from deskbell.tickets.operations.admitting import (
    file_again,
    join_article,
    keep_as_note,
    split_article,
)
from deskbell.tickets.operations.changing import (
    add_copies,
    public_reply,
    release_owners,
    remove_copies,
    update_ticket,
)
from deskbell.tickets.operations.editing import (
    article_for,
    edit_article,
    mark_article,
    may_edit,
    remove_article,
    remove_attachment,
    rename_attachment,
)
from deskbell.tickets.operations.ending import delete_ticket, merge
from deskbell.tickets.operations.inputs import UNSET, NewArticle, NewTicket, TicketChange
from deskbell.tickets.operations.opening import open_ticket, reserve_id
from deskbell.tickets.operations.ties import follow, link, tag, unfollow, unlink, untag
from deskbell.tickets.operations.undoing import Withdrawn, withdraw_reply

__all__ = [
    "UNSET",
    "NewArticle",
    "NewTicket",
    "TicketChange",
    "Withdrawn",
    "add_copies",
    "article_for",
    "delete_ticket",
    "edit_article",
    "file_again",
    "follow",
    "join_article",
    "keep_as_note",
    "link",
    "mark_article",
    "may_edit",
    "merge",
    "open_ticket",
    "public_reply",
    "release_owners",
    "remove_article",
    "remove_attachment",
    "remove_copies",
    "rename_attachment",
    "reserve_id",
    "split_article",
    "tag",
    "unfollow",
    "unlink",
    "untag",
    "update_ticket",
    "withdraw_reply",
]
