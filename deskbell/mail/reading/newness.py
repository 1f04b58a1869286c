"""What an entry remembers of a message's new part, so that pages can fold the rest."""

from __future__ import annotations

from deskbell.mail.reading import quotes, replies
from deskbell.mail.reading.facts import Facts
from deskbell.tickets import folding
from deskbell.tickets.texts import HTML, plain_text

#: Of longer texts only the beginning is judged when they are read: where they end is not known.
_JUDGED = 400_000


def preferences_of(body: str, content_type: str, facts: Facts) -> dict[str, list[int]]:
    """The new part of a body as stored, for its entry's ``preferences``; empty where none is found.

    All of a forward is new: what is passed on is what it is about.
    """
    if facts.is_forward or len(facts.body) > _JUDGED:
        return folding.marks(body, content_type, reply=None)
    found = folding.marks(body, content_type, reply=facts.reply)
    if found or content_type != HTML:
        return found
    # The text beside the HTML says it in other words, or is about something else.
    text = quotes.quoted_text(facts.html) or plain_text(body, HTML)
    is_answer = bool(facts.in_reply_to or facts.references or replies.is_answer(facts.subject))
    own = replies.new_text(text[:_JUDGED], is_answer=is_answer)
    return folding.marks(body, content_type, reply=own)
