"""The rules of the trade: tables of cases, and properties where a table would be too short."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deskbell.kernel.text import fold, storable
from deskbell.tickets import rules
from deskbell.tickets.rules import ContactTimes
from deskbell.tickets.vocabulary import ArticleType, Sender, StateId, StateType
from tests.cast import MONDAY_9AM

A, C, S = Sender.AGENT, Sender.CUSTOMER, Sender.SYSTEM
NEW, OPEN, CLOSED = StateType.NEW, StateType.OPEN, StateType.CLOSED
REMINDER, MERGED, REMOVED = StateType.PENDING_REMINDER, StateType.MERGED, StateType.REMOVED


@pytest.mark.parametrize(
    ("state", "default", "sender", "type_", "internal", "via", "after"),
    [
        # an agent's public communication starts work on what was new …
        (NEW, True, A, ArticleType.EMAIL, False, "zammad", StateId.OPEN),
        (NEW, True, A, ArticleType.PHONE, False, "helpdesk", StateId.OPEN),
        (NEW, True, A, ArticleType.WEB, False, "web", StateId.OPEN),
        # … a note or a private entry does not, and nothing else is touched
        (NEW, True, A, ArticleType.NOTE, False, "web", None),
        (NEW, True, A, ArticleType.EMAIL, True, "web", None),
        (NEW, False, A, ArticleType.EMAIL, False, "web", None),
        (CLOSED, False, A, ArticleType.EMAIL, False, "web", None),
        (REMINDER, False, A, ArticleType.EMAIL, False, "web", None),
        # a customer wakes and reopens from mail and portal only
        (CLOSED, False, C, ArticleType.EMAIL, False, "mail", StateId.OPEN),
        (CLOSED, False, C, ArticleType.WEB, False, "portal", StateId.OPEN),
        (REMINDER, False, C, ArticleType.WEB, False, "portal", StateId.OPEN),
        (CLOSED, False, C, ArticleType.WEB, False, "zammad", None),
        (CLOSED, False, C, ArticleType.WEB, False, "jutda", None),
        (NEW, True, C, ArticleType.EMAIL, False, "mail", None),
        (OPEN, False, C, ArticleType.EMAIL, False, "mail", None),
        # what is merged or removed stays so
        (MERGED, False, C, ArticleType.EMAIL, False, "mail", None),
        (REMOVED, False, C, ArticleType.EMAIL, False, "mail", None),
        # the system moves nothing
        (NEW, True, S, ArticleType.EMAIL, False, "mail", None),
    ],
)
def test_the_state_after_a_reply(  # type: ignore[no-untyped-def]
    state, default, sender, type_, internal, via, after
) -> None:
    found = rules.state_after_reply(
        state,
        is_default_create=default,
        sender=sender,
        article_type=type_,
        internal=internal,
        via=via,
    )
    assert found == after


def test_a_group_may_forbid_reopening() -> None:
    assert (
        rules.state_after_reply(
            CLOSED,
            is_default_create=False,
            sender=C,
            article_type=ArticleType.EMAIL,
            internal=False,
            via="mail",
            may_reopen=False,
        )
        is None
    )


@pytest.mark.parametrize(
    ("id_", "number"),
    [(1, "10001"), (5, "10005"), (999, "10999"), (1000, "101000"), (1234, "101234")],
)
def test_a_number_is_the_prefix_and_the_id(id_: int, number: str) -> None:
    assert rules.number_for(id_, "10") == number


@given(st.integers(1, 10**12), st.integers(1, 10**12))
def test_numbers_are_unique_and_at_least_five_digits(a: int, b: int) -> None:
    first, second = rules.number_for(a, "42"), rules.number_for(b, "42")
    assert (first == second) == (a == b)
    assert first.isdigit()
    assert len(first) >= 5


@given(st.text(max_size=400))
def test_a_shortened_title_fits_on_one_line(title: str) -> None:
    short = rules.shortened_title(title)
    assert len(short) <= 250
    assert not set(short) & set("\t\r\n\v\f")
    assert rules.shortened_title(short) == short


@pytest.mark.parametrize("number", range(1, 6))
def test_a_number_that_reads_so_already_is_no_change(number: int) -> None:
    assert rules.state_for_status(number, present=number) is None
    assert rules.priority_for_number(number, present=number) is None
    assert rules.state_for_status(number, present=None) is not None


@pytest.mark.parametrize(
    ("type_", "active", "agent", "creating", "may"),
    [
        (NEW, True, True, True, True),
        (NEW, True, True, False, True),
        (REMINDER, True, True, False, True),
        (CLOSED, True, True, True, True),
        (MERGED, True, True, False, False),
        (REMOVED, True, True, False, False),
        (OPEN, False, True, False, False),
        (NEW, True, False, True, True),
        (CLOSED, True, False, True, True),
        (OPEN, True, False, True, False),
        (NEW, True, False, False, False),
        (OPEN, True, False, False, True),
        (CLOSED, True, False, False, True),
        (REMINDER, True, False, False, False),
        (MERGED, True, False, False, False),
    ],
)
def test_who_may_choose_which_state(  # type: ignore[no-untyped-def]
    type_, active, agent, creating, may
) -> None:
    assert rules.may_choose_state(type_, active=active, agent=agent, creating=creating) is may


@pytest.mark.parametrize(
    ("state", "rule", "days", "after", "may"),
    [
        (OPEN, "new_ticket", None, timedelta(0), True),
        (CLOSED, "yes", None, timedelta(days=4000), True),
        (CLOSED, "new_ticket", None, timedelta(0), False),
        (CLOSED, "new_ticket_after_certain_time", 2, timedelta(days=2), True),
        (CLOSED, "new_ticket_after_certain_time", 2, timedelta(days=2, seconds=1), False),
        (CLOSED, "new_ticket_after_certain_time", None, timedelta(days=400), True),
        (MERGED, "new_ticket", None, timedelta(0), True),
        (REMOVED, "new_ticket", None, timedelta(0), False),
    ],
)
def test_whether_a_customer_may_follow_up(  # type: ignore[no-untyped-def]
    state, rule, days, after, may
) -> None:
    found = rules.may_follow_up(
        state_type=state,
        follow_up_possible=rule,
        reopen_time_in_days=days,
        closed_at=MONDAY_9AM,
        at=MONDAY_9AM + after,
    )
    assert found is may


class TestContact:
    def after(self, *entries: tuple[Sender, ArticleType, bool]) -> ContactTimes:
        times = ContactTimes()
        for n, (sender, type_, internal) in enumerate(entries):
            times = rules.contact_after(
                times,
                sender=sender,
                article_type=type_,
                internal=internal,
                at=MONDAY_9AM + timedelta(minutes=n),
            )
        return times

    def test_notes_private_entries_and_the_system_leave_it_alone(self) -> None:
        nothing = self.after(
            (A, ArticleType.NOTE, False),
            (C, ArticleType.EMAIL, True),
            (S, ArticleType.EMAIL, False),
        )
        assert nothing == ContactTimes()

    def test_the_first_answer_is_the_first(self) -> None:
        times = self.after(
            (C, ArticleType.WEB, False),
            (A, ArticleType.EMAIL, False),
            (A, ArticleType.EMAIL, False),
        )
        assert times.first_response_at == MONDAY_9AM + timedelta(minutes=1)
        assert times.last_contact_agent_at == MONDAY_9AM + timedelta(minutes=2)

    def test_waiting_began_with_the_first_unanswered_message(self) -> None:
        times = self.after((C, ArticleType.WEB, False), (C, ArticleType.WEB, False))
        assert times.last_contact_customer_at == MONDAY_9AM
        times = self.after(
            (C, ArticleType.WEB, False), (A, ArticleType.EMAIL, False), (C, ArticleType.WEB, False)
        )
        assert times.last_contact_customer_at == MONDAY_9AM + timedelta(minutes=2)

    @given(
        st.lists(
            st.tuples(
                st.sampled_from([A, C, S]), st.sampled_from(list(ArticleType)), st.booleans()
            ),
            max_size=12,
        )
    )
    def test_never_goes_back(self, entries: list[tuple[Sender, ArticleType, bool]]) -> None:
        times = self.after(*entries)
        seen = [t for t in (times.last_contact_agent_at, times.last_contact_customer_at) if t]
        assert times.last_contact_at == (max(seen) if seen else None)
        assert (times.first_response_at is None) == (times.last_contact_agent_at is None)
        if times.first_response_at and times.last_contact_agent_at:
            assert times.first_response_at <= times.last_contact_agent_at


@pytest.mark.parametrize(
    ("flag", "state", "reads"),
    [(False, OPEN, False), (True, OPEN, True), (False, REMINDER, True), (True, CLOSED, True)],
)
def test_hold_reads_as_flag_or_pending(flag: bool, state: StateType, reads: bool) -> None:
    assert rules.reads_on_hold(flag, state) is reads


@given(st.text(max_size=60))
def test_folding_is_stable_and_ignores_case(text: str) -> None:
    assert fold(fold(text)) == fold(text)
    assert fold(text.upper().lower()) == fold(text.upper().lower().upper().lower())
    assert fold(f" {text} ") == fold(text)


@given(st.text(alphabet=st.characters(), max_size=60))
def test_what_is_storable_can_be_encoded(text: str) -> None:
    storable(text).encode("utf-8")
    assert "\x00" not in storable(text)


def test_labels_say_hold() -> None:
    assert rules.status_label(3, on_hold=False) == "Resolved"
    assert rules.status_label(1, on_hold=True) == "Open - On Hold"
