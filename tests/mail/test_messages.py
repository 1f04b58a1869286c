"""The two kinds of message: a private word has no way into one for people outside."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from deskbell.mail.writing.messages import (
    PUBLIC_PARTS,
    STAFF_PARTS,
    InternalEntry,
    NotForThisAddress,
    PublicEntry,
    PublicMessage,
    StaffNotification,
    message_for,
)
from deskbell.people.models import User
from deskbell.tickets.models import Article
from deskbell.tickets.rules import Occasion, Part
from deskbell.tickets.vocabulary import ArticleType, Sender

NORA = User(id=7, login="nora", firstname="Nora", lastname="Example")
NOBODY = User(id=1, login="-")


def article(**columns: Any) -> Article:
    columns = {
        "type": ArticleType.NOTE,
        "sender": Sender.AGENT,
        "body": "Words",
        "created_by": NORA,
        "created_at": datetime(2026, 3, 2, 9, 0, tzinfo=UTC),
        **columns,
    }
    return Article(**columns)


def message(part: Part, occasion: Occasion = Occasion.UPDATED, **columns: Any) -> Any:
    outsiders = columns.pop("outsiders", ("Kemal@example.test", "cc@example.test"))
    return message_for(
        part=part,
        occasion=occasion,
        address=columns.pop("address", "somebody@example.test"),
        article=article(**columns),
        outsiders=outsiders,
        named=("somebody@example.test", "else@example.test"),
    )


class TestEntries:
    def test_of_an_internal_article_are_never_public(self):
        with pytest.raises(NotForThisAddress):
            PublicEntry.of(article(internal=True))

    def test_of_a_public_article_are_never_internal(self):
        with pytest.raises(ValueError, match="is not internal"):
            InternalEntry.of(article(internal=False))

    def test_bear_the_name_of_the_person_they_come_from(self):
        assert PublicEntry.of(article()).author == "Nora Example"
        assert PublicEntry.of(article(created_by=NOBODY)).author == ""
        assert PublicEntry.of(article(created_by=NOBODY, origin_by=NORA)).author == "Nora Example"


class TestPublicMessage:
    @pytest.mark.parametrize("part", sorted(PUBLIC_PARTS))
    def test_cannot_hold_an_internal_entry(self, part):
        entry: Any = InternalEntry.of(article(internal=True))

        with pytest.raises(TypeError):
            PublicMessage(part=part, occasion=Occasion.UPDATED, entry=entry)

    @pytest.mark.parametrize("part", sorted(STAFF_PARTS))
    def test_is_not_for_staff(self, part):
        with pytest.raises(ValueError, match="is not outside"):
            PublicMessage(part=part, occasion=Occasion.UPDATED, entry=PublicEntry.of(article()))


@pytest.mark.parametrize("part", sorted(PUBLIC_PARTS))
def test_a_staff_notification_is_not_for_people_outside(part):
    entry = InternalEntry.of(article(internal=True))

    with pytest.raises(ValueError, match="is not staff"):
        StaffNotification(part=part, occasion=Occasion.UPDATED, entry=entry)


class TestMessageFor:
    @pytest.mark.parametrize("part", sorted(Part))
    def test_a_public_article_is_of_the_kind_of_the_part(self, part):
        kind = PublicMessage if part in PUBLIC_PARTS else StaffNotification

        assert isinstance(message(part), kind)

    @pytest.mark.parametrize("part", sorted(PUBLIC_PARTS))
    def test_an_internal_article_is_for_nobody_outside(self, part):
        with pytest.raises(NotForThisAddress):
            message(part, internal=True)

    @pytest.mark.parametrize("part", sorted(STAFF_PARTS))
    def test_an_internal_article_is_for_staff(self, part):
        assert message(part, internal=True).is_internal
        assert not message(part, internal=False).is_internal

    @pytest.mark.parametrize("part", sorted(STAFF_PARTS))
    @pytest.mark.parametrize("address", ["kemal@example.test", "CC@example.test"])
    def test_an_internal_article_is_not_for_staff_who_are_outside_too(self, part, address):
        with pytest.raises(NotForThisAddress):
            message(part, internal=True, address=address)

        assert not message(part, internal=False, address=address).is_internal

    def test_an_opening_is_acknowledged_without_its_words(self):
        told = message(Part.CUSTOMER, Occasion.OPENED, type=ArticleType.WEB, sender=Sender.CUSTOMER)

        assert told.is_acknowledgement
        assert told.entry is None

    @pytest.mark.parametrize("occasion", sorted(Occasion))
    @pytest.mark.parametrize("part", [Part.CUSTOMER, Part.RECIPIENT])
    def test_a_mail_by_an_agent_is_a_letter(self, part, occasion):
        told = message(part, occasion, type=ArticleType.EMAIL)

        assert told.is_letter
        assert told.entry.body == "Words"
        assert told.also_to == ("else@example.test",)

    def test_a_copy_of_a_letter_is_none_itself(self):
        told = message(Part.CC, type=ArticleType.EMAIL)

        assert not told.is_letter
        assert told.also_to == ()
