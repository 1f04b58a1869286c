"""What the proofs get: the fixtures of the ways in."""

from __future__ import annotations

from tests.mail.intake.conftest import (  # noqa: F401
    committed,
    dovecot,
    mailbox,
    new_channel,
    store,
)
