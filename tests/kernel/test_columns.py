"""What both databases can hold."""

from __future__ import annotations

from typing import Any

import pytest

from deskbell.kernel import columns
from deskbell.kernel.errors import Invalid
from deskbell.kernel.text import is_storable_json
from deskbell.people.models import Group, User

DEEP: Any = []
for _ in range(500):
    DEEP = [DEEP]


class TestJson:
    @pytest.mark.parametrize(
        "value",
        [None, True, 0, -(2**63), 1.5, "x", [], {}, {"a": [1, {"b": None}]}, [[]] * 100, "é\n\t"],
    )
    def test_that_is_fit(self, value: Any) -> None:
        assert is_storable_json(value)

    @pytest.mark.parametrize(
        "value",
        [
            "a\x00b",
            {"a\x00": 1},
            ["\ud800"],
            float("nan"),
            [float("inf")],
            2**63,
            10**500,
            {1: 2},
            {"a": {1, 2}},
            object(),
            DEEP,
            "x" * 300_000,
            [1] * 300_000,
            {str(n): "" for n in range(100_000)},
        ],
        ids=lambda value: type(value).__name__,
    )
    def test_that_is_not(self, value: Any) -> None:
        assert not is_storable_json(value)


class TestColumns:
    @pytest.mark.parametrize(
        ("name", "value", "code"),
        [
            ("name", "x" * 161, "too_long"),
            ("name", "a\x00b", "bad"),
            ("name", 5, "bad"),
            ("name", None, "required"),
            ("note", "\ud800", "bad"),
            ("active", "yes", "bad"),
            ("active", None, "required"),
            ("escalate_days", -1, "bad"),
            ("escalate_days", 2**31, "bad"),
            ("escalate_days", True, "bad"),
            ("assignment_timeout", -(2**31) - 1, "bad"),
            ("default_owner_id", 2**63, "unknown"),
            ("default_owner_id", "1", "unknown"),
            ("new_ticket_cc", ["\x00"], "bad"),
        ],
    )
    def test_that_cannot_hold_it(self, name: str, value: Any, code: str) -> None:
        row = Group(**{name: value})
        with pytest.raises(Invalid) as refused:
            columns.check(row, [name])
        assert (refused.value.field, refused.value.code) == (name, code)

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("name", "x" * 160),
            ("escalate_days", 2**31 - 1),
            ("escalate_days", None),
            ("default_owner_id", None),
            ("new_ticket_cc", []),
        ],
    )
    def test_that_can(self, name: str, value: Any) -> None:
        columns.check(Group(**{name: value}), [name])

    def test_a_moment_is_no_date(self) -> None:
        from tests.cast import MONDAY_9AM

        with pytest.raises(Invalid):
            columns.check(User(out_of_office_start_at=MONDAY_9AM), ["out_of_office_start_at"])

    def test_a_key_may_be_longer_than_the_name(self) -> None:
        columns.check_key(Group(name="ﬃ" * 100), "name")
        with pytest.raises(Invalid):
            columns.check_key(Group(name="ﬃ" * 150), "name")
