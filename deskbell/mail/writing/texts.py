"""The words of the desk's own messages: what is built in, and what may be put in its place.

A text may hold placeholders, ``{{ ticket.number }}``. They are names out of a short list, not a
language: nothing is looked up, called or repeated, and what is put in is not read again. Every text
says which names it knows; an acknowledgement knows none that a stranger could have filled.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from deskbell.kernel.errors import Invalid
from deskbell.kernel.text import is_storable

BODY_LIMIT = 5000
LINE_LIMIT = 200

#: What each name stands for, for people.
PLACEHOLDERS: Mapping[str, str] = {
    "ticket.number": "the number of the ticket",
    "ticket.reference": "the reference that answers carry in their subject",
    "ticket.title": "the title of the ticket",
    "group.name": "the name the group writes under",
    "author.name": "whoever wrote the entry",
    "customer.name": "the customer",
    "link": "the address of the ticket's page, where the recipient has one",
}
_PLAIN = ("ticket.number", "ticket.reference", "group.name")
_EVERY = tuple(PLACEHOLDERS)
_MARK = re.compile(r"\{\{\s*([A-Za-z_][A-Za-z0-9_.]{0,60})\s*\}\}")


@dataclass(frozen=True, slots=True)
class Text:
    """One text: where it stands, its names, the built-in words by language.

    ``lines``: it may have several. ``may_be_empty``: then nothing is said there.
    """

    section: str
    label: str
    names: tuple[str, ...]
    built_in: Mapping[str, str]
    lines: bool = True
    may_be_empty: bool = False


def _text(
    section: str, label: str, en: str, de: str, names: tuple[str, ...] = _EVERY, **how: bool
) -> Text:
    return Text(section, label, names, {"en": en, "de": de}, **how)


def _short(section: str, label: str, en: str, de: str, names: tuple[str, ...] = ()) -> Text:
    return Text(section, label, names, {"en": en, "de": de}, lines=False)


SECTIONS: Mapping[str, str] = {
    "acknowledgement": "Acknowledgements",
    "letter": "Letters of agents",
    "copy": "Copies and updates",
    "staff": "Notifications to staff",
    "subject": "Words in the subject",
    "small": "Small words",
}

TEXTS: Mapping[str, Text] = {
    "acknowledgement": _text(
        "acknowledgement",
        "The message that a ticket was opened",
        "Thank you for your message. It has arrived, and we have opened a ticket for it. "
        "Somebody will get back to you.",
        "Vielen Dank für Ihre Nachricht. Sie ist angekommen, und wir haben ein Ticket dafür "
        "angelegt. Wir melden uns bei Ihnen.",
        (*_PLAIN, "link"),
    ),
    "acknowledgement_subject": _short(
        "acknowledgement",
        "Its subject, where the title came from a stranger",
        "{{ ticket.reference }} Your message has arrived",
        "{{ ticket.reference }} Ihre Nachricht ist angekommen",
        _PLAIN,
    ),
    "letter_greeting": _text("letter", "Above what the agent wrote", "", "", may_be_empty=True),
    "letter_signature": _text("letter", "Below what the agent wrote", "", "", may_be_empty=True),
    "letter_resolved": _text(
        "letter",
        "Below a letter that resolves the ticket",
        "We consider this ticket resolved. If something is missing, just answer.",
        "Wir betrachten dieses Ticket als gelöst. Fehlt noch etwas, antworten Sie einfach.",
        may_be_empty=True,
    ),
    "copy_opened": _text(
        "copy",
        "To a copy: the ticket was opened",
        "{{ author.name }} opened a ticket, and you get a copy.",
        "{{ author.name }} hat ein Ticket eröffnet, und Sie erhalten eine Kopie.",
    ),
    "copy_updated": _text(
        "copy",
        "To a copy: somebody wrote",
        "{{ author.name }} wrote in this ticket.",
        "{{ author.name }} hat in diesem Ticket geschrieben.",
    ),
    "copy_resolved": _text(
        "copy",
        "To a copy: the ticket was resolved",
        "{{ author.name }} resolved this ticket.",
        "{{ author.name }} hat dieses Ticket gelöst.",
    ),
    "customer_updated": _text(
        "copy",
        "To the customer: somebody wrote",
        "{{ author.name }} wrote in your ticket.",
        "{{ author.name }} hat in Ihrem Ticket geschrieben.",
    ),
    "customer_resolved": _text(
        "copy",
        "To the customer: the ticket was resolved",
        "{{ author.name }} resolved your ticket.",
        "{{ author.name }} hat Ihr Ticket gelöst.",
    ),
    "why_copy": _text(
        "copy",
        "To a copy: why it comes",
        "You get this because your address receives copies of the ticket.",
        "Sie erhalten diese Nachricht, weil Ihre Adresse Kopien des Tickets bekommt.",
        may_be_empty=True,
    ),
    "assigned": _text(
        "staff",
        "A ticket was opened for the owner",
        "{{ author.name }} opened a ticket, and it is yours.",
        "{{ author.name }} hat ein Ticket eröffnet, und es ist Ihres.",
    ),
    "owner_updated": _text(
        "staff",
        "Somebody wrote in the owner's ticket",
        "{{ author.name }} wrote in your ticket.",
        "{{ author.name }} hat in Ihrem Ticket geschrieben.",
    ),
    "owner_resolved": _text(
        "staff",
        "The owner's ticket was resolved",
        "{{ author.name }} resolved your ticket.",
        "{{ author.name }} hat Ihr Ticket gelöst.",
    ),
    "staff_opened": _text(
        "staff",
        "A new ticket of the group",
        "{{ author.name }} opened a ticket in {{ group.name }}.",
        "{{ author.name }} hat ein Ticket in {{ group.name }} eröffnet.",
    ),
    "staff_updated": _text(
        "staff",
        "Somebody wrote in a ticket of the group",
        "{{ author.name }} wrote in this ticket of {{ group.name }}.",
        "{{ author.name }} hat in diesem Ticket von {{ group.name }} geschrieben.",
    ),
    "staff_resolved": _text(
        "staff",
        "A ticket of the group was resolved",
        "{{ author.name }} resolved this ticket of {{ group.name }}.",
        "{{ author.name }} hat dieses Ticket von {{ group.name }} gelöst.",
    ),
    "internal_note": _text(
        "staff",
        "Somebody left an internal note",
        "{{ author.name }} left an internal note. The customer does not see it.",
        "{{ author.name }} hat eine interne Notiz hinterlassen. Der Kunde sieht sie nicht.",
    ),
    "why_owner": _text(
        "staff",
        "To the owner: why it comes",
        "You get this because you are in charge of the ticket.",
        "Sie erhalten diese Nachricht, weil Sie für das Ticket zuständig sind.",
        may_be_empty=True,
    ),
    "why_staff": _text(
        "staff",
        "To the group: why it comes",
        "You get this because your address watches over {{ group.name }}.",
        "Sie erhalten diese Nachricht, weil Ihre Adresse {{ group.name }} im Blick behält.",
        may_be_empty=True,
    ),
    "subject_opened": _short("subject", "Opened", "Opened", "Eröffnet"),
    "subject_updated": _short("subject", "Updated", "Updated", "Aktualisiert"),
    "subject_resolved": _short("subject", "Resolved", "Resolved", "Gelöst"),
    "open_ticket": _short("small", "The button", "Open the ticket", "Ticket öffnen"),
    "whole_ticket": _short(
        "small", "The link below a letter", "See the whole ticket", "Das ganze Ticket ansehen"
    ),
    "keep_reference": _short(
        "small",
        "How to answer",
        "Please keep {{ ticket.reference }} in the subject when you answer.",
        "Bitte lassen Sie {{ ticket.reference }} im Betreff stehen, wenn Sie antworten.",
        _PLAIN,
    ),
    "files": _short("small", "Files", "Files in the ticket:", "Dateien im Ticket:"),
    "also_to": _short("small", "Others", "Also sent to:", "Auch gesendet an:"),
    "too_long": _short(
        "small",
        "A long entry",
        "[…] This entry is too long for a mail. All of it stands in the ticket.",
        "[…] Dieser Eintrag ist zu lang für eine E-Mail. Ganz steht er im Ticket.",
    ),
    "fact_state": _short("small", "State", "State", "Status"),
    "fact_priority": _short("small", "Priority", "Priority", "Priorität"),
    "fact_owner": _short("small", "Owner", "Owner", "Zuständig"),
    "fact_customer": _short("small", "Customer", "Customer", "Kunde"),
    "nobody": _short("small", "No owner", "nobody", "niemand"),
    "not_known": _short("small", "No customer", "not known", "nicht bekannt"),
}

#: How a quote begins. Mail programs, and the desk itself, know it by these words.
QUOTE_LEAD = {
    "en": "On {date}, {author} wrote:",
    "de": "Am {date} schrieb {author}:",
}
_MONTHS = {
    "en": "January February March April May June July August September October November December",
    "de": "Januar Februar März April Mai Juni Juli August September Oktober November Dezember",
}


def month(number: int, language: str) -> str:
    """The name of a month (1 to 12)."""
    return _MONTHS[language].split()[number - 1]


@dataclass(frozen=True, slots=True)
class Wording:
    """All texts in one language, as they are for one group. ``own``: those that were changed."""

    language: str = "en"
    own: Mapping[str, str] = field(default_factory=dict)

    def body(self, name: str) -> str:
        """The words of a text, its placeholders not filled."""
        return self.own.get(name, TEXTS[name].built_in[self.language])

    def say(self, name: str, values: Mapping[str, str] | None = None) -> str:
        """A text with its placeholders filled, by name; a value that is missing is empty."""
        return filled(self.body(name), {k: (values or {}).get(k, "") for k in TEXTS[name].names})


def filled(body: str, values: Mapping[str, str]) -> str:
    """The text with values in place of the names it knows; any other name is left as it stands."""
    return _MARK.sub(lambda mark: values.get(mark[1], mark[0]), body)


def checked(name: str, body: str) -> str:
    """A text as it is stored. Raises :class:`Invalid`.

    ``name`` ``unknown``; ``body`` ``required``, ``bad`` (what nobody can store, or braces that are
    no placeholder), ``too_long`` (``limit``), ``placeholder`` (value: the name; ``known``: those
    that this text has).
    """
    text = TEXTS.get(name)
    if text is None:
        raise Invalid("name", "unknown", name)
    body = body.replace("\r\n", "\n").replace("\r", "\n").strip()
    if not is_storable(body) or any(ord(c) < 32 and c not in "\n\t" for c in body):
        raise Invalid("body", "bad", None)
    if not text.lines and "\n" in body:
        raise Invalid("body", "one_line", None)
    limit = BODY_LIMIT if text.lines else LINE_LIMIT
    if len(body) > limit:
        raise Invalid("body", "too_long", None, limit=limit)
    if not body and not text.may_be_empty:
        raise Invalid("body", "required")
    for mark in _MARK.finditer(body):
        if mark[1] not in text.names:
            raise Invalid("body", "placeholder", mark[1], known=", ".join(text.names))
    rest = _MARK.sub("", body)
    if "{{" in rest or "}}" in rest or "{%" in rest:
        raise Invalid("body", "placeholder", "{{ … }}", known=", ".join(text.names))
    return body
