"""Passwords for tests: hashed by the same algorithm as everywhere, at next to no price."""

from __future__ import annotations

from deskbell.kernel.passwords import ModerateArgon2PasswordHasher


class CheapArgon2PasswordHasher(ModerateArgon2PasswordHasher):
    """Argon2id with the least that it takes: most tests sign somebody in, few are about that."""

    time_cost = 1
    memory_cost = 8
