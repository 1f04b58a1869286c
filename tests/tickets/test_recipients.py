"""Who is mailed about an entry: the table of the form API's contract, and what holds for any."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deskbell.kernel.text import fold
from deskbell.tickets.rules import Audience, Occasion, Owed, Part, recipients
from deskbell.tickets.vocabulary import ArticleType, Sender

OPENED, UPDATED, RESOLVED = Occasion.OPENED, Occasion.UPDATED, Occasion.RESOLVED
EMAIL, NOTE, PHONE, WEB = (
    ArticleType.EMAIL,
    ArticleType.NOTE,
    ArticleType.PHONE,
    ArticleType.WEB,
)

EVERYBODY = Audience(
    customer="kemal@example.test",
    ccs=("cc@example.test",),
    new_ticket_cc=("new@example.test",),
    updated_ticket_cc=("updated@example.test",),
    owner="nora@example.test",
    author="ada@example.test",
    named=("kemal@example.test",),
    desk=frozenset({"support@example.test"}),
)


def chosen(
    audience: Audience,
    occasion: Occasion,
    type_: ArticleType,
    sender: Sender = Sender.AGENT,
    *,
    internal: bool = False,
) -> dict[str, Part]:
    owed = recipients(
        audience, occasion=occasion, article_type=type_, sender=sender, internal=internal
    )
    assert all(o.occasion is occasion and o.staff_only is internal for o in owed)
    return {o.address.partition("@")[0]: o.part for o in owed}


class TestTheTable:
    @pytest.mark.parametrize(
        ("occasion", "type_", "sender", "internal", "expected"),
        [
            # a form opens a ticket
            (OPENED, WEB, Sender.CUSTOMER, False, "kemal cc new updated nora"),
            (OPENED, PHONE, Sender.CUSTOMER, False, "kemal cc new updated nora"),
            # somebody at the desk opens one: a note tells the customer nothing, a mail does
            (OPENED, NOTE, Sender.CUSTOMER, False, "cc new updated nora"),
            (OPENED, NOTE, Sender.AGENT, False, "cc new updated nora"),
            (OPENED, PHONE, Sender.AGENT, False, "cc new updated nora"),
            (OPENED, EMAIL, Sender.AGENT, False, "kemal cc new updated nora"),
            (OPENED, NOTE, Sender.AGENT, True, "new updated nora"),
            # public entries
            (UPDATED, EMAIL, Sender.AGENT, False, "kemal cc updated nora"),
            (UPDATED, NOTE, Sender.AGENT, False, "cc updated nora"),
            (UPDATED, WEB, Sender.CUSTOMER, False, "cc updated nora"),
            (RESOLVED, EMAIL, Sender.AGENT, False, "kemal cc updated nora"),
            # private entries
            (UPDATED, NOTE, Sender.AGENT, True, "updated nora"),
            (RESOLVED, NOTE, Sender.AGENT, True, "updated nora"),
            (UPDATED, EMAIL, Sender.AGENT, True, "updated nora"),
        ],
    )
    def test_says_who(self, occasion, type_, sender, internal, expected):
        found = chosen(EVERYBODY, occasion, type_, sender, internal=internal)

        assert sorted(found) == sorted(expected.split())

    def test_says_in_what_part(self):
        assert chosen(EVERYBODY, OPENED, WEB, Sender.CUSTOMER) == {
            "kemal": Part.CUSTOMER,
            "cc": Part.CC,
            "nora": Part.ASSIGNED,
            "new": Part.STAFF,
            "updated": Part.STAFF,
        }
        named = replace(EVERYBODY, named=("boss@example.test", "KEMAL@example.test"))
        assert chosen(named, UPDATED, EMAIL) == {
            "KEMAL": Part.CUSTOMER,
            "boss": Part.RECIPIENT,
            "cc": Part.CC,
            "nora": Part.OWNER,
            "updated": Part.STAFF,
        }


class TestAnAddress:
    def test_gets_one_message_however_often_it_is_there(self):
        everywhere = replace(
            EVERYBODY,
            ccs=("Kemal@Example.test", "cc@example.test", "CC@example.test"),
            owner="cc@example.test",
            updated_ticket_cc=("kemal@example.test", "cc@example.test"),
            new_ticket_cc=(),
        )

        assert chosen(everywhere, UPDATED, EMAIL) == {"kemal": Part.CUSTOMER, "cc": Part.CC}

    def test_of_the_author_is_left_out(self):
        by_copy = replace(EVERYBODY, author="CC@example.test")

        assert sorted(chosen(by_copy, UPDATED, NOTE)) == ["nora", "updated"]

    def test_of_the_author_is_told_that_his_own_ticket_was_opened(self):
        by_customer = replace(EVERYBODY, author="Kemal@example.test")

        assert "kemal" in chosen(by_customer, OPENED, WEB, Sender.CUSTOMER)
        assert "kemal" not in chosen(by_customer, UPDATED, WEB, Sender.CUSTOMER)

    def test_of_the_desk_itself_is_left_out(self):
        own = ("Support@example.test",)
        looping = replace(
            EVERYBODY, ccs=own, updated_ticket_cc=own, owner=own[0], named=own, new_ticket_cc=own
        )

        assert chosen(looping, UPDATED, EMAIL) == {}

    def test_that_is_empty_is_nobody(self):
        assert chosen(Audience(), OPENED, WEB, Sender.CUSTOMER) == {}


class TestTheOwner:
    def test_hears_of_nothing_he_does_himself(self):
        himself = replace(EVERYBODY, owner_is_actor=True)

        assert "nora" not in chosen(himself, OPENED, WEB, Sender.CUSTOMER)
        assert "nora" not in chosen(himself, UPDATED, NOTE)

    def test_may_opt_out_of_either(self):
        no_assignments = replace(EVERYBODY, owner_wants_assignment=False)
        no_updates = replace(EVERYBODY, owner_wants_updates=False)

        assert "nora" not in chosen(no_assignments, OPENED, NOTE)
        assert "nora" in chosen(no_assignments, UPDATED, NOTE)
        assert "nora" in chosen(no_updates, OPENED, NOTE)
        assert "nora" not in chosen(no_updates, UPDATED, NOTE)
        assert "nora" not in chosen(no_updates, UPDATED, NOTE, internal=True)

    @pytest.mark.parametrize("outside", ["customer", "ccs"])
    def test_who_is_also_outside_reads_no_private_entry(self, outside):
        address = EVERYBODY.owner.upper()
        both = replace(EVERYBODY, **{outside: address if outside == "customer" else (address,)})

        assert "nora" not in chosen(both, UPDATED, NOTE, internal=True)


addresses = st.sampled_from(
    ["", "a@x.test", "A@x.test", "b@x.test", "c@x.test", "d@x.test", "desk@x.test", "ß@x.test"]
)
lists = st.lists(addresses, max_size=4).map(tuple)
audiences = st.builds(
    Audience,
    customer=addresses,
    ccs=lists,
    new_ticket_cc=lists,
    updated_ticket_cc=lists,
    owner=addresses,
    owner_wants_assignment=st.booleans(),
    owner_wants_updates=st.booleans(),
    owner_is_actor=st.booleans(),
    author=addresses,
    named=lists,
    desk=st.just(frozenset({"desk@x.test"})),
)


class TestAnyAudience:
    @given(
        audience=audiences,
        occasion=st.sampled_from(Occasion),
        type_=st.sampled_from(ArticleType),
        sender=st.sampled_from(Sender),
        internal=st.booleans(),
    )
    def test_keeps_the_promises(self, audience, occasion, type_, sender, internal):
        owed = recipients(
            audience, occasion=occasion, article_type=type_, sender=sender, internal=internal
        )

        keys = [fold(o.address) for o in owed]
        assert len(keys) == len(set(keys))
        assert "" not in keys
        assert not set(keys) & audience.desk
        if internal:
            outside = {fold(a) for a in (audience.customer, *audience.ccs)}
            assert not set(keys) & outside
            assert {o.part for o in owed} <= {Part.OWNER, Part.ASSIGNED, Part.STAFF}
        if fold(audience.author) in keys:
            assert Owed(audience.customer, Part.CUSTOMER, Occasion.OPENED) in owed
