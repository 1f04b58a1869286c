"""A reply that was taken back, on its way into the composer: its words, its files, what followed.

It waits in the session until its page is shown once; from there the browser keeps it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.core import signing

from deskbell.kernel.errors import Invalid
from deskbell.tickets.attachments import UNUSED_FOR, NewFile, read_blob
from deskbell.tickets.models import Attachment
from deskbell.tickets.operations import Withdrawn
from deskbell.web.agent.forms import Answer
from deskbell.web.shared.controls import moment_text
from deskbell.web.shared.pages import DeskRequest

_SALT = "deskbell.web.kept"
_SESSION = "taken_back"


@dataclass(frozen=True, slots=True)
class KeptFile:
    """A stored file that no entry has at present, and the token that gives it to its owner."""

    token: str
    digest: str
    name: str
    size: int
    content_type: str
    inline: bool = False
    content_id: str = ""


def keep(request: DeskRequest, withdrawn: Withdrawn) -> None:
    """Remember a reply for the page that is shown next."""
    request.session[_SESSION] = {
        "ticket": withdrawn.ticket_id,
        "body": withdrawn.body,
        "state": "" if withdrawn.state_id is None else str(withdrawn.state_id),
        "until": moment_text(withdrawn.pending_time),
        "files": [_token(request, withdrawn.ticket_id, file) for file in withdrawn.files],
    }


def restored(request: DeskRequest, ticket_id: int) -> Answer | None:
    """The reply that was taken back from the ticket just now, once."""
    draft = request.session.get(_SESSION)
    if not isinstance(draft, dict) or draft.get("ticket") != ticket_id:
        return None
    del request.session[_SESSION]
    answer = Answer(draft["body"], draft["state"], draft["until"])
    answer.kept = [file for token in draft["files"] if (file := _opened(request, ticket_id, token))]
    return answer


def kept(request: DeskRequest, ticket_id: int) -> list[KeptFile]:
    """Files of a reply that was taken back, as the form names them; others are left out."""
    tokens = request.POST.getlist("kept")
    return [file for token in tokens if (file := _opened(request, ticket_id, token))]


def files_again(files: Sequence[KeptFile]) -> list[NewFile]:
    """The files, to be attached anew. Raises :class:`Invalid` (``files``) where one is gone."""
    found = []
    for file in files:
        try:
            content = read_blob(file.digest)
        except FileNotFoundError:
            raise Invalid("files", "unknown", file.name) from None
        found.append(
            NewFile(
                filename=file.name,
                content=content,
                content_type=file.content_type,
                inline=file.inline,
                content_id=file.content_id,
            )
        )
    return found


def _token(request: DeskRequest, ticket_id: int, file: Attachment) -> str:
    about = [
        request.viewer.pk,
        ticket_id,
        file.blob_id,
        file.filename,
        file.size,
        file.content_type,
        file.inline,
        file.content_id,
    ]
    return signing.dumps(about, salt=_SALT)


def _opened(request: DeskRequest, ticket_id: int, token: str) -> KeptFile | None:
    """The file of a token, for the one and the ticket it was made for, while it is kept."""
    try:
        # The store keeps what nobody refers to for this long.
        about: list[Any] = signing.loads(token, salt=_SALT, max_age=UNUSED_FOR)
    except signing.BadSignature:
        return None
    if about[:2] != [request.viewer.pk, ticket_id]:
        return None
    return KeptFile(token, *about[2:])
