"""What the pages of the documentation need beyond plain templates."""

from __future__ import annotations

import re

from django import template
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

register = template.Library()

#: Names of objects begin with a capital letter, all other types are lower case.
_NAME = re.compile(r"[A-Z]\w+")
_CODE = re.compile(r"`([^`]+)`")


@register.filter
def coded(text: str) -> SafeString:
    """The text with what stands in backquotes as code."""
    return mark_safe(_CODE.sub(r"<code>\1</code>", escape(text)))  # noqa: S308 - escaped before


@register.filter
def linked(type_: str) -> SafeString:
    """The name of a type, leading to what the page says about its objects."""
    return mark_safe(  # noqa: S308 - escaped before
        _NAME.sub(lambda name: f'<a href="#object-{name[0]}">{name[0]}</a>', escape(type_))
    )
