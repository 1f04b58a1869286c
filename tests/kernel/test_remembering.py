"""What a batch reads once."""

from __future__ import annotations

from deskbell.kernel.remembering import remembered, remembering


def test_an_answer_stands_within_the_block_and_no_longer():
    asked = []

    @remembered
    def read() -> int:
        asked.append(1)
        return len(asked)

    assert [read(), read()] == [1, 2]
    with remembering():
        assert [read(), read()] == [3, 3]
    assert read() == 4
    with remembering():
        assert read() == 5
