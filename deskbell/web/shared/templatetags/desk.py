"""What templates say about people, moments and sizes, and the icons they use."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

from django import template
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext, ngettext

from deskbell.kernel.actor import NOBODY_ID
from deskbell.tickets.vocabulary import StateType
from deskbell.web.shared.icons import ICONS

register = template.Library()

TINTS = 7


@register.simple_tag
def icon(name: str) -> SafeString:
    """An icon of ours, hidden from assistive technology: the words beside it say what it means."""
    return format_html(
        '<svg class="icon" viewBox="0 0 16 16" aria-hidden="true" focusable="false">{}</svg>',
        mark_safe(ICONS[name]),  # noqa: S308 - our own drawings
    )


@register.filter
def initials(name: str) -> str:
    """One or two letters for an avatar: of the first and the last word of a name."""
    words = [word for word in str(name).replace("@", " ").split() if word[:1].isalnum()]
    if not words:
        return "?"
    letters = words[0][0] + (words[-1][0] if len(words) > 1 else "")
    return letters.upper()[:2]


@register.simple_tag
def avatar(user_id: int | None, name: str, size: str = "") -> SafeString:
    """Somebody's initials in a circle, tinted by who it is; decoration, as the name is beside."""
    extra = format_html(' data-size="{}"', size) if size else SafeString("")
    if user_id is None or user_id == NOBODY_ID:
        return format_html(
            '<span class="avatar" data-nobody{} aria-hidden="true">–</span>',
            extra,
        )
    return format_html(
        '<span class="avatar" data-tint="{}"{} aria-hidden="true">{}</span>',
        user_id % TINTS,
        extra,
        initials(name),
    )


def short_moment(moment: datetime, present: datetime) -> str:
    """The shortest words that tell when: today's time, this year's day, else the date."""
    local, here = timezone.localtime(moment), timezone.localtime(present)
    if local.date() == here.date():
        return date_format(local, "H:i")
    if local.date() == here.date() - timedelta(days=1):
        return gettext("yesterday")
    return date_format(local, "j M" if local.year == here.year else "j M Y")


@register.simple_tag
def moment(value: datetime | None, style: str = "short") -> SafeString:
    """A ``time`` element; the exact moment in the desk's zone stands in its title.

    ``style``: ``short`` for lists, ``long`` for entries.
    """
    if value is None:
        return SafeString("")
    local = timezone.localtime(value)
    exact = date_format(local, "j F Y, H:i T")
    if style == "long":
        present = timezone.localtime(timezone.now())
        words = date_format(local, "j M, H:i" if local.year == present.year else "j M Y, H:i")
    else:
        words = short_moment(value, timezone.now())
    return format_html(
        '<time datetime="{}" title="{}">{}</time>',
        local.isoformat(timespec="seconds"),
        exact,
        words,
    )


@register.filter
def size(count: int) -> str:
    """Bytes in words: ``812 bytes``, ``48 KB``, ``3.1 MB``."""
    if count < 1000:
        return ngettext("%(n)d byte", "%(n)d bytes", count) % {"n": count}
    amount = float(count)
    for unit in ("KB", "MB", "GB"):
        amount /= 1000
        if amount < 999.5 or unit == "GB":
            break
    return f"{amount:.1f} {unit}" if amount < 10 else f"{amount:.0f} {unit}"


@register.filter
def capped(count: int, cap: int = 999) -> str:
    """A count for a badge: ``12``, ``999+``."""
    return f"{cap}+" if count > cap else str(count)


@register.filter
def day(value: Any) -> str:
    """A date in words."""
    return date_format(value, "j M Y") if isinstance(value, date) else str(value)


@register.filter
def words_only(priority: str) -> str:
    """A priority in words: the digit in front of ``3 high`` is there to be sorted by."""
    digit, blank, words = priority.partition(" ")
    return words if digit.isdigit() and blank and words else priority


_STATE_WORDS = {
    StateType.NEW: "new",
    StateType.OPEN: "open",
    StateType.PENDING_REMINDER: "pending",
    StateType.PENDING_ACTION: "pending",
}


@register.filter
def state_word(kind: StateType) -> str:
    """What a state is called in style sheets: its type, since its name is the administrator's."""
    return _STATE_WORDS.get(kind, "closed")
