"""E-mail addresses as people type them."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.core.validators import EmailValidator

from deskbell.kernel.text import fold, is_storable

ADDRESS_LIMIT = 254
_validate = EmailValidator()


def is_address(text: str) -> bool:
    """Whether the text is one plain address (``a@b.example``): no name, no control characters."""
    if len(text) > ADDRESS_LIMIT or not is_storable(text) or not text.isprintable():
        return False
    if len(fold(text)) > ADDRESS_LIMIT:
        return False  # some letters of a domain become several in the key
    try:
        _validate(text)
    except ValidationError:
        return False
    return True


def is_mailable(address: str) -> bool:
    """Whether mail may be sent there at all; ``.invalid`` never is (decision 25)."""
    return is_address(address) and not fold(address).endswith(".invalid")
