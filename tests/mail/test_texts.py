"""The desk's own words: in two languages, changed by administrators, and safe to be changed."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils.html import escape

from deskbell.kernel import jobs
from deskbell.kernel.errors import Forbidden, Invalid
from deskbell.mail.models import OutgoingMail
from deskbell.mail.reading import read
from deskbell.mail.sending.routes import save_sending
from deskbell.mail.writing import rendering, texts
from deskbell.mail.writing.rewording import Place, reset_text, save_text, wording_for
from deskbell.mail.writing.texts import TEXTS, Wording, checked, filled
from deskbell.people.models import User
from deskbell.tickets.models import Article, TicketCC
from deskbell.tickets.operations import NewArticle, NewTicket, edit_article, merge, open_ticket
from deskbell.tickets.vocabulary import ArticleType, Sender
from tests.cast import MONDAY_9AM, MONDAY_10AM, acting, pure_admin
from tests.mail.reading import html_of, sent, text_of
from tests.mail.test_delivery import Desk, mails, opening


class TestBuiltIn:
    def test_is_whole_in_both_languages_and_fits_its_own_rules(self):
        for name, text in TEXTS.items():
            assert set(text.built_in) == {"en", "de"}, name
            for language, body in text.built_in.items():
                assert checked(name, body) == body
                assert "{" not in Wording(language).say(name)
                assert body == "" or language == "en" or body != text.built_in["en"] or name == "x"

    def test_of_an_acknowledgement_knows_nothing_a_stranger_wrote(self):
        for name in ("acknowledgement", "acknowledgement_subject"):
            assert set(TEXTS[name].names) <= {
                "ticket.number",
                "ticket.reference",
                "group.name",
                "link",
            }


class TestPlaceholder:
    @pytest.mark.parametrize(
        ("name", "body", "code"),
        [
            ("acknowledgement", "Hello {{ ticket.title }}", "placeholder"),
            ("copy_updated", "{{ ticket.owner.password }}", "placeholder"),
            ("copy_updated", "{% load x %}", "placeholder"),
            ("copy_updated", "{{ ticket.number|safe }}", "placeholder"),
            ("copy_updated", "{{ ticket.number", "placeholder"),
            ("copy_updated", "  ", "required"),
            ("copy_updated", "x" * 5001, "too_long"),
            ("copy_updated", "a\x00b", "bad"),
            ("subject_opened", "two\nlines", "one_line"),
            ("nothing", "x", "unknown"),
        ],
    )
    def test_that_is_not_known_is_refused(self, name, body, code):
        with pytest.raises(Invalid) as problem:
            checked(name, body)
        assert problem.value.code == code

    def test_is_filled_once(self):
        values = {"ticket.title": "{{ ticket.number }}", "ticket.number": "10005"}
        assert filled("{{ticket.title}} / {{ ticket.number }}", values) == (
            "{{ ticket.number }} / 10005"
        )


@pytest.fixture
def desk(db: None, clock: Any, outbox: Any) -> Desk:
    return Desk()


def speaks(user: User, locale: str) -> None:
    User.objects.filter(pk=user.pk).update(preferences={"locale": locale})


class TestMessage:
    def test_is_in_the_language_of_its_reader(self, desk, configured):
        admin = acting(pure_admin())
        speaks(desk.kemal, "de-de")
        save_sending(desk.group.pk, actor=admin, language="de")
        speaks(desk.nora, "en-us")
        ticket = desk.open(owner_id=desk.nora.pk, ccs=["cc@example.test"])
        jobs.run_due()

        told = {name: sent(row) for name, row in mails().items()}
        assert "Vielen Dank für Ihre Nachricht." in text_of(told["kemal"])
        assert "Ticket öffnen" in html_of(told["kemal"])
        assert "hat ein Ticket eröffnet" in text_of(told["cc"])
        assert "2. März 2026" in text_of(told["cc"])
        assert "and it is yours" in text_of(told["nora"])
        assert told["kemal"]["Subject"] == f"[support-{ticket.pk}] Printer on fire (Eröffnet)"
        save_sending(desk.group.pk, actor=admin, language="")
        configured(language="de")
        assert wording_for("de", desk.group.pk).say("nobody") == "niemand"

    def test_says_what_administrators_wrote(self, desk):
        admin = acting(pure_admin())
        everywhere, own = (
            Place("letter_signature", "en"),
            Place("letter_signature", "en", desk.group.pk),
        )
        save_text(everywhere, "Bye", actor=admin, at=MONDAY_9AM)
        save_text(own, "Kind <b>regards</b>\n{{ author.name }}", actor=admin, at=MONDAY_9AM)
        ack = "See {{ link }} about {{ ticket.reference }}"
        save_text(Place("acknowledgement", "en"), ack, actor=admin, at=MONDAY_9AM)
        ticket = desk.open()
        first = desk.reply(ticket)
        jobs.run_due()

        letter = sent(mails(first)["kemal"])
        assert "Kind <b>regards</b>\nAda Example" in text_of(letter)
        assert escape("Kind <b>regards</b>") in html_of(letter)
        note = sent(mails(opening(ticket))["kemal"])
        assert f"about [support-{ticket.pk}]" in text_of(note)
        # The address as a link, and the button.
        assert html_of(note).count('href="https://desk.example/tickets/view/') == 2
        assert reset_text(own, actor=admin)
        assert wording_for("en", desk.group.pk).say("letter_signature") == "Bye"
        assert reset_text(everywhere, actor=admin)
        assert not reset_text(everywhere, actor=admin)
        with pytest.raises(Forbidden):
            save_text(own, "x", actor=acting(desk.nora), at=MONDAY_9AM)

    def test_of_welcome_to_a_stranger_repeats_none_of_his_words(self, desk):
        User.objects.filter(pk=desk.kemal.pk).update(firstname="BUY-NOW", lastname="CHEAP")
        open_ticket(
            NewTicket(
                title="BUY-NOW pills",
                group_id=desk.group.pk,
                customer_id=desk.kemal.pk,
                article=NewArticle(
                    body="BUY-NOW",
                    type=ArticleType.EMAIL,
                    sender=Sender.CUSTOMER,
                    acknowledged=True,
                ),
            ),
            actor=acting(desk.kemal, "mail"),  # type: ignore[arg-type]
            at=MONDAY_10AM,
        )
        jobs.run_due()

        row = OutgoingMail.objects.get(address="kemal@example.test")
        message = sent(row)
        assert "Your message has arrived" in str(message["Subject"])
        assert b"BUY-NOW" not in message.as_bytes()
        assert "BUY-NOW" not in text_of(message) + html_of(message) + str(message["To"])


class TestQuote:
    def test_stands_below_a_letter_and_is_folded_when_it_comes_back(self, desk):
        ticket = desk.open()
        desk.reply(ticket, "First answer.")
        letter = desk.reply(ticket, "Second answer.", by=desk.nora)
        jobs.run_due()

        message = sent(mails(letter)["kemal"])
        text = text_of(message)
        assert "\nOn 2 March 2026, 10:00 UTC, Ada Example wrote:\n> First answer.\n" in text
        assert "It burns." not in text
        html = html_of(message)
        assert html.count("</blockquote>") == 1
        assert "First answer." in html
        quoted = "\n".join(f"> {line}" for line in text.split("\n"))
        answer = f"Thanks, it works.\n\nOn Mon, 2 Mar 2026 at 11:00, Support wrote:\n\n{quoted}"
        raw = f"From: kemal@example.test\nSubject: Re: {message['Subject']}\n\n{answer}"
        assert read(raw.encode()).reply.strip() == "Thanks, it works."
        # Whoever answers below the words of the letter itself, without an attribution.
        direct = f"From: k@example.test\nSubject: Re: x\n\nThanks!\n\n{text}".encode()
        assert "First answer" not in read(direct).reply

    @pytest.mark.parametrize(("quoting", "expected"), [("none", 0), ("last", 1), ("all", 3)])
    def test_is_as_long_as_the_group_wants_it(self, desk, quoting, expected):
        save_sending(desk.group.pk, actor=acting(pure_admin()), quoting=quoting)
        ticket = desk.open()
        desk.reply(ticket, "First answer.")
        hidden = desk.reply(ticket, "Hidden answer.")
        desk.write(ticket, body="Internal words.", internal=True, type=ArticleType.NOTE)
        desk.reply(ticket, "Second answer. " + "long " * 3000)
        edit_article(hidden.pk, {"internal": True}, actor=acting(desk.ada), at=MONDAY_10AM)
        letter = desk.reply(ticket, "Third answer.")
        jobs.run_due()

        told = text_of(sent(mails(letter)["kemal"]))
        assert told.count(" wrote:\n") == expected
        assert "Hidden" not in told
        assert "Internal" not in told
        assert len(told) < 12_000
        assert ("It burns." in told) is (quoting == "all")

    def test_goes_to_nobody_who_took_no_part_and_is_not_doubled(self, desk):
        other, ticket = desk.open(title="Other"), desk.open()
        merge(other.pk, ticket.pk, actor=acting(desk.ada), at=MONDAY_10AM)
        TicketCC.objects.filter(ticket=ticket).delete()
        letter = desk.write(
            ticket,
            body="An answer.",
            type=ArticleType.EMAIL,
            to="kemal@example.test, supplier@example.test",
        )
        with_own = desk.reply(ticket, "Mine.\n\nOn Monday Kemal wrote:\n> It burns.")
        moved = Article.objects.filter(ticket=ticket).exclude(moved_from=None)
        jobs.run_due()

        assert moved.exists()
        assert "It burns." not in text_of(sent(mails(letter)["supplier"]))
        assert "> It burns." in text_of(sent(mails(letter)["kemal"]))
        assert "supplier@example.test" in text_of(sent(mails(letter)["kemal"]))
        assert text_of(sent(mails(with_own)["kemal"])).count("> ") == 1


def test_dates_are_spoken_as_people_do():
    assert [texts.month(3, language) for language in ("en", "de")] == ["March", "März"]
    assert rendering.readable_size(17_000) == "17 KB"
