"""Placeholders and references: pure rules, as tables."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deskbell.api.helpdesk.comments import REFERENCES_AT_MOST, filled_in, references
from deskbell.kernel.errors import Invalid
from deskbell.tickets.vocabulary import BODY_LIMIT

VALUES = {"ticket.title": "T & <b>", "queue.title": "{{ ticket.title }}", "ticket.queue.slug": "s"}


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ("", ""),
        ("plain", "plain"),
        ("{{ ticket.title }}", "T & <b>"),
        ("{{ticket.title}}{{\tticket.queue.slug }}", "T & <b>s"),
        ("{{ queue.title }}", "{{ ticket.title }}"),
        ("a {{ unknown }} b {{ ticket.password }}", "a  b "),
        ("{% now 'Y' %} {# c #}", "{% now 'Y' %} {# c #}"),
        ("{{ ticket.title|upper }}", "{{ ticket.title|upper }}"),
        ("{{ ticket.title|nosuchfilter:'x' }}", "{{ ticket.title|nosuchfilter:'x' }}"),
        ("{{ ticket . title }} {{}} {{ }} {{ 'x' }}", "{{ ticket . title }} {{}} {{ }} {{ 'x' }}"),
        ("{{ ticket.__class__ }}", "{{ ticket.__class__ }}"[:0]),
        ("{{{ ticket.title }}}", "{T & <b>}"),
        ("{{ ticket.title", "{{ ticket.title"),
    ],
)
def test_placeholders(text: str, filled: str) -> None:
    assert filled_in(text, VALUES) == filled


@given(st.text(alphabet="{}% .|tickeqnul\n", max_size=60))
def test_placeholders_never_fail(text: str) -> None:
    assert isinstance(filled_in(text, VALUES), str)


def test_a_short_text_cannot_become_an_endless_one() -> None:
    with pytest.raises(Invalid) as refused:
        filled_in("{{ ticket.title }}" * 60_000, {"ticket.title": "x" * BODY_LIMIT})

    assert (refused.value.field, refused.value.code) == ("body", "too_long")


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("", []),
        ("#12", [12]),
        ("see #12, #3 and #12.", [3, 12]),
        ("ticket#7", [7]),
        ("(#7)#8", [7, 8]),
        ("&#39; &#7;", []),
        ("#12abc #0 #007", [7]),
        ("#" + "9" * 19 + " #" + "9" * 5000, []),
        (f"#{2**63 - 1}", [2**63 - 1]),
        ("# 5 #x", []),
        ("#5", []),
    ],
)
def test_references(text: str, ids: list[int]) -> None:
    assert references(text, own_id=5) == ids


def test_references_are_bounded() -> None:
    text = " ".join(f"#{n}" for n in range(10, 5000))

    assert len(references(text)) == REFERENCES_AT_MOST
