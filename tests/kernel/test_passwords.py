"""What a new password costs whoever would guess it."""

from __future__ import annotations

import re
from pathlib import Path

from django.contrib.auth.hashers import check_password

import deskbell.settings
from deskbell.kernel.passwords import ModerateArgon2PasswordHasher


def test_the_desk_hashes_with_argon2id_at_its_full_price() -> None:
    assert deskbell.settings.PASSWORD_HASHERS[0].endswith(".ModerateArgon2PasswordHasher")

    stored = ModerateArgon2PasswordHasher().encode("correct horse", "saltsaltsaltsalt")

    assert re.match(r"argon2\$argon2id\$v=19\$m=19456,t=2,p=1\$", stored)
    assert check_password("correct horse", stored)
    assert not check_password("correct house", stored)


def test_only_the_tests_pay_less() -> None:
    product = Path(deskbell.settings.__file__).parent
    assert not [path for path in product.rglob("*.py") if "tests.hashing" in path.read_text()]
