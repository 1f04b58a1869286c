"""Reading what the desk put into its outbox."""

from __future__ import annotations

import email
import email.policy
from email.message import EmailMessage

from django.conf import settings

from deskbell.mail.models import OutgoingMail
from deskbell.mail.sending.transport import OUTBOX, file_name


def sent(mail: OutgoingMail) -> EmailMessage:
    """The message of a row, as a mail program reads it."""
    path = settings.CONFIG.data / OUTBOX / file_name(mail.pk, mail.created_at)
    message = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    assert all(not part.defects for part in message.walk())
    return message


def text_of(message: EmailMessage) -> str:
    """The plain alternative."""
    body = message.get_body(("plain",))
    assert body is not None
    return str(body.get_content()).replace("\r\n", "\n")


def html_of(message: EmailMessage) -> str:
    """The other alternative."""
    body = message.get_body(("html",))
    assert body is not None
    return str(body.get_content())
