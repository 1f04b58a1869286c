"""What follows for mail from what happened, inside the operation's transaction."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings

from deskbell.kernel.actor import Actor
from deskbell.kernel.compiled import insert_all
from deskbell.kernel.models import Event
from deskbell.kernel.text import fold
from deskbell.mail.jobs import deliver
from deskbell.mail.models import HELD_FOR, DeadAddress, MailState, OutgoingMail
from deskbell.mail.writing.headers import message_ids_in, row_message_id
from deskbell.mail.writing.messages import is_letter
from deskbell.tickets.models import Article
from deskbell.tickets.operations.happenings import TicketUpdated, WithArticle
from deskbell.tickets.rules import Owed, Part
from deskbell.tickets.vocabulary import Sender

_MESSAGE_ID_LENGTH = 255


def owe_mail(happening: WithArticle, event: Event, *, actor: Actor, at: datetime) -> None:
    """Write a row per owed message and a job for each: a few statements, however many they are.

    What comes through ``via = "system"`` (first rows, the example desk, an import) happened
    elsewhere or is a story: its messages are recorded as sent at that moment, and nothing leaves.
    """
    article = happening.article
    if article is None or not happening.owed:
        return
    recorded = actor.via == "system"
    dead = _dead({fold(owed.address) for owed in happening.owed})
    held = _may_be_taken_back(happening, article, actor=actor)
    first = _bears_the_articles_id(article, list(happening.owed))
    mails = [
        OutgoingMail(
            article=article,
            address=owed.address,
            address_key=fold(owed.address),
            part=owed.part,
            occasion=owed.occasion,
            staff_only=owed.staff_only,
            state=_state(recorded=recorded, dead=fold(owed.address) in dead, held=held),
            reason=dead.get(fold(owed.address), ""),
            message_id=_message_id(article, owed, of_article=owed is first),
            created_at=at,
            updated_at=at,
            sent_at=at if recorded else None,
        )
        for owed in happening.owed
    ]
    insert_all(mails)
    # The job of a held one is written now: whoever crashes meanwhile, it goes out.
    job = deliver.using(run_after=at + HELD_FOR) if held else deliver
    waiting = (MailState.QUEUED, MailState.HELD)
    job.enqueue_each({mail.job_key: (mail.pk,) for mail in mails if mail.state in waiting})


def _may_be_taken_back(happening: WithArticle, article: Article, *, actor: Actor) -> bool:
    """Whether its messages wait a moment: an agent's public reply from the workspace alone.

    What comes through an API, a trigger or by mail is sent at once (decision 16).
    """
    return (
        isinstance(happening, TicketUpdated)
        and actor.via == "web"
        and article.sender == Sender.AGENT
        and not article.internal
    )


def _dead(keys: set[str]) -> dict[str, str]:
    """Why nothing more is sent to some of the addresses."""
    return {
        key: f"Nothing is sent there since a mail came back: {reason}"
        for key, reason in DeadAddress.objects.filter(key__in=keys).values_list("key", "reason")
    }


def _state(*, recorded: bool, dead: bool, held: bool) -> MailState:
    if recorded:
        return MailState.SENT
    if dead:
        return MailState.FAILED
    return MailState.HELD if held else MailState.QUEUED


def _bears_the_articles_id(article: Article, owed: list[Owed]) -> Owed | None:
    """The message whose Message-ID is the one that clients read on the article, if there is one.

    It is the letter to the customer, or to the first who was named. What came in by mail keeps
    the id of that mail for itself.
    """
    fits = message_ids_in(article.message_id) == [article.message_id]
    if not is_letter(article) or article.via == "mail" or not fits:
        return None
    if len(article.message_id or "") > _MESSAGE_ID_LENGTH:
        return None
    letters = [o for o in owed if o.part in (Part.CUSTOMER, Part.RECIPIENT)]
    return letters[0] if letters else None


def _message_id(article: Article, owed: Owed, *, of_article: bool) -> str:
    if of_article and article.message_id:
        return article.message_id
    return row_message_id(
        ticket_id=article.ticket_id,
        article_id=article.pk,
        address_key=fold(owed.address),
        host=settings.CONFIG.hostname,
    )
