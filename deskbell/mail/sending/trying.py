"""Trying a route: a message to whoever asks, and one sentence on what came of it."""

from __future__ import annotations

import secrets as chance
from datetime import datetime

from django.conf import settings

from deskbell.kernel.errors import Invalid
from deskbell.mail.models import GroupSending, MailRoute
from deskbell.mail.sending import routes, transport
from deskbell.mail.trouble import Trouble
from deskbell.mail.writing.composing import Letterhead, compose
from deskbell.mail.writing.headers import NotDeliverable
from deskbell.mail.writing.rendering import text_as_html
from deskbell.people.addresses import is_mailable
from deskbell.people.models import Group
from deskbell.tickets import senders

_SUBJECT = "A message to try the way out"
_TEXT = "This message was sent to see whether mail gets out by the route “{name}”. It did."


def try_out(route: MailRoute, *, to: str, at: datetime) -> str:
    """Send a message by a route, which need not be stored; one sentence where it was taken.

    Raises :class:`~deskbell.mail.trouble.Trouble` with the sentence of what is wrong, and
    :class:`Invalid` (``to``, ``not_an_address``).
    """
    if not is_mailable(to):
        raise Invalid("to", "not_an_address", to)
    config = settings.CONFIG
    group = _group_of(route)
    text = _TEXT.format(name=route.name)
    try:
        head = Letterhead(
            message_id=f"<try.{chance.token_hex(12)}@{config.hostname}>",
            written_at=at,
            sender=senders.desk_address(group) if group else config.sender,
            sender_name=senders.sender_name(group) if group else "",
            recipient=to,
            recipient_name="",
            subject=_SUBJECT,
            references=[],
            in_reply_to="",
            automatic=True,
        )
        html = f"<!DOCTYPE html><html><body>{text_as_html(text)}</body></html>"
        message = compose(head, text=text + "\n", html=html)
        transport.hand_over(message, mail_id=0, created_at=at, config=config, route=route)
    except (transport.Refused, transport.NotTaken, NotDeliverable) as error:
        raise Trouble(str(error)) from error
    if not route._state.adding:
        routes.note_use(route, at=at)
    return f"A message from {head.sender} to {to} was taken. Look whether it arrives."


def _group_of(route: MailRoute) -> Group | None:
    """A group whose mail takes this route, and whose address may so be known to its server."""
    groups = Group.objects.select_related("email_address").filter(
        active=True, email_address__active=True
    )
    own = GroupSending.objects.filter(route_id=route.pk).values("group_id")
    found = groups.filter(pk__in=own).order_by("id").first() if route.pk else None
    return found or groups.order_by("id").first()
