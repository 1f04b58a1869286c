"""Messages that another program hands over: the channel of a group for them, and taking one."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from deskbell.kernel.actor import Actor
from deskbell.kernel.text import fold
from deskbell.mail.administering import NAME_LIMIT
from deskbell.mail.intake import taking
from deskbell.mail.intake.channels import NewChannel, save_channel
from deskbell.mail.models import ChannelKind, IncomingMail, MailChannel
from deskbell.people.models import Group


class Closed(Exception):
    """The group's channel for such messages was closed by an administrator."""


def receive(content: bytes, *, group: Group, actor: Actor, at: datetime) -> IncomingMail:
    """Take a message for a group; its channel is made with the first one.

    Raises :class:`Closed`, OSError and DatabaseError: then nothing was taken.
    """
    channels = MailChannel.objects.filter(kind=ChannelKind.PIPE, group=group)
    channel = channels.order_by("-active", "id").first() or _made(group, actor=actor, at=at)
    if not channel.active:
        raise Closed(f"The channel {channel.name} is closed.")
    mail = taking.take(content, channel=channel, at=at)
    IncomingMail.objects.filter(pk=mail.pk).update(told_at=at)
    return mail


@transaction.atomic
def _made(group: Group, *, actor: Actor, at: datetime) -> MailChannel:
    # Two programs at once make one channel.
    Group.objects.select_for_update().get(pk=group.pk)
    found = MailChannel.objects.filter(kind=ChannelKind.PIPE, group=group).order_by("id").first()
    if found is not None:
        return found
    name = f"Pipe to {group.name}"[:NAME_LIMIT]
    if MailChannel.objects.filter(name_key=fold(name)).exists():
        name = f"{name[: NAME_LIMIT - 22]} {group.pk}"
    new = NewChannel(name=name, kind=ChannelKind.PIPE, group_id=group.pk, settings={})
    return save_channel(new, actor=actor, at=at)
