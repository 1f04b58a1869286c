"""How new passwords are hashed: Argon2id at a price a small machine can pay."""

from __future__ import annotations

from django.contrib.auth.hashers import Argon2PasswordHasher


class ModerateArgon2PasswordHasher(Argon2PasswordHasher):
    """Argon2id with 19 MiB, two passes and one lane, which OWASP names as the least that will do.

    Django's own default takes 100 MiB and eight lanes for every check; with a few threads signing
    people in, the server would need more for passwords than for everything else. The algorithm's
    name stays ``argon2``, so stored hashes name their parameters and are renewed at sign-in.
    """

    time_cost = 2
    memory_cost = 19 * 1024
    parallelism = 1
