"""Machines: automatic mail, lists, loops, and delivery reports of many systems."""

from __future__ import annotations

import pytest

from deskbell.mail.reading import read
from tests.mail.inbound.mails import mail, multipart, part


@pytest.mark.parametrize(
    ("headers", "auto", "away"),
    [
        ({"Auto-Submitted": "auto-replied"}, True, False),
        ({"Auto-Submitted": "Auto-Generated; type=x"}, True, False),
        ({"Auto-Submitted": "auto-replied (vacation)"}, True, True),
        ({"Auto-Submitted": "auto-replied", "Subject": "Out of office: The printer"}, True, True),
        ({"Auto-Submitted": 'auto-replied; owner-email="a@b.example"'}, True, True),
        ({"X-Autoreply": "yes", "Precedence": "bulk"}, True, True),
        (
            {"X-Auto-Response-Suppress": "All", "X-MS-Exchange-Inbox-Rules-Loop": "a@b.example"},
            True,
            True,
        ),
        ({"X-MS-Exchange-Inbox-Rules-Loop": "a@b.example"}, False, False),
        ({"Auto-Submitted": "no"}, False, False),
        ({"Auto-Submitted": "auto-forwarded"}, False, False),
        ({"X-Autoreply": "yes"}, True, False),
        ({"X-Autoreply": "no"}, False, False),
        ({"X-Apple-Action": "VACATION/1"}, True, True),
        ({"Precedence": "auto_reply"}, True, False),
        ({"Subject": "Automatic reply: The printer"}, True, False),
        ({"Subject": "Réponse automatique : x"}, True, False),
        ({"Subject": "Abwesenheitsnotiz: x"}, True, True),
        ({"Subject": "We are out of paper in the office"}, False, False),
        ({"Subject": "Autonomous vehicles"}, False, False),
        ({}, False, False),
    ],
)
def test_automatic_answers_are_known_by_their_marks(headers, auto, away):
    machine = read(
        mail(**{name.replace("-", "_"): value for name, value in headers.items()})
    ).machine

    assert (machine.is_auto_reply, machine.is_out_of_office) == (auto, away)
    assert machine.must_not_auto_respond is auto


@pytest.mark.parametrize(
    "headers",
    [
        {"Precedence": "Bulk"},
        {"Precedence": "list"},
        {"List-Id": "<talk.desk.example>"},
        {"List-Unsubscribe": "<mailto:leave@desk.example>"},
        {"X-Loop": "help@desk.example"},
        {"X-Auto-Response-Suppress": "DR, OOF, AutoReply"},
        {"Return-Path": "<>"},
        {"From": "no-reply@shop.example"},
        {"From": "MAILER-DAEMON@kunde.example"},
        {"Message-ID": "<7@desk.example>"},
    ],
)
def test_nothing_is_answered_that_no_person_would_read(headers):
    raw = mail(**{name.replace("-", "_"): value for name, value in headers.items()})

    machine = read(raw, fqdn="desk.example").machine

    assert machine.must_not_auto_respond
    assert machine.reasons
    assert not machine.is_auto_reply


def test_only_the_exact_own_host_is_ours():
    assert not read(mail(Message_ID="<7@not.desk.example>"), fqdn="desk.example").machine.is_loop


def report(status: str, text: str = "Sorry.", returned: str = "", **headers: str) -> bytes:
    parts = [part(text), part(status, "message/delivery-status")]
    if returned:
        parts.append(part(returned, "message/rfc822"))
    return multipart(
        *parts,
        kind="report; report-type=delivery-status",
        From="MAILER-DAEMON@mx.example",
        **headers,
    )


STATUS = "Reporting-MTA: dns; mx.example\n\nFinal-Recipient: rfc822; {to}\nAction: {action}\nStatus: {code}\n"


class TestAReport:
    @pytest.mark.parametrize(
        ("action", "code", "kind"),
        [
            ("failed", "5.1.1", "permanent"),
            ("failed", "4.2.2", "permanent"),
            ("delayed", "4.4.1", "temporary"),
            ("", "4.4.1", "temporary"),
            ("delivered", "2.0.0", None),
            ("relayed", "2.0.0", None),
        ],
    )
    def test_is_judged_by_its_machine_readable_part(self, action, code, kind):
        bounce = read(report(STATUS.format(to="<a@gone.example>", action=action, code=code))).bounce

        assert (bounce.type if bounce else None) == kind
        assert bounce is None or bounce.recipients == ("a@gone.example",)

    def test_names_every_recipient_and_the_message_that_came_back(self):
        status = "".join(
            STATUS.format(to=f"{n}@gone.example", action="failed", code="5.1.1") + "\n"
            for n in "ab"
        )

        bounce = read(report(status, returned="Message-ID: <7@desk.example>\n\nold")).bounce

        assert bounce.recipients == ("a@gone.example", "b@gone.example")
        assert bounce.message_id == "7@desk.example"

    def test_tells_the_mailbox_that_failed_from_the_one_written_to(self):
        status = STATUS.format(to="in@side.example", action="failed", code="5.1.1")

        bounce = read(report(status + "Original-Recipient: rfc822;out@front.example\n")).bounce

        assert (bounce.recipients, bounce.addressed) == (
            ("in@side.example",),
            ("out@front.example",),
        )

    @pytest.mark.parametrize(
        ("subject", "text", "kind", "recipients"),
        [
            (
                "Undelivered Mail Returned to Sender",
                "<a@gone.example>: host mx.gone.example said: 550 5.1.1 No such user",
                "permanent",
                ("a@gone.example",),
            ),
            (
                "failure notice",
                (
                    "Hi. This is the qmail-send program at mx.example.\nI'm afraid I wasn't able to deliver"
                    " your message.\n\n<a@gone.example>:\nNo mailbox here.\n\n"
                    "--- Below this line is a copy of the message.\n\nTo: <b@other.example>\n"
                ),
                "permanent",
                ("a@gone.example",),
            ),
            (
                "Warning: could not send message for past 4 hours",
                (
                    "This is a warning message only. You do not need to resend your message.\n\n"
                    "  a@gone.example\n\nDelivery attempts will continue to be made."
                ),
                "temporary",
                ("a@gone.example",),
            ),
            (
                "Unzustellbar: Angebot",
                "Die Nachricht konnte nicht zugestellt werden:\n\n   a@gone.example\n",
                "permanent",
                ("a@gone.example",),
            ),
        ],
    )
    def test_in_prose_is_understood(self, subject, text, kind, recipients):
        bounce = read(
            mail(text, From="MAILER-DAEMON@mx.example", Subject=subject, Return_Path="<>")
        ).bounce

        assert (bounce.type, bounce.recipients) == (kind, recipients)

    def test_in_a_sentence_is_understood(self):
        text = "Your message wasn't delivered to a@gone.example because there is none."

        bounce = read(
            mail(text, From="<>", Subject="Delivery Status Notification (Failure)")
        ).bounce

        assert bounce.recipients == ("a@gone.example",)

    def test_by_header_alone(self):
        bounce = read(mail("?", X_Failed_Recipients="a@gone.example, b@gone.example")).bounce

        assert bounce.recipients == ("a@gone.example", "b@gone.example")

    @pytest.mark.parametrize(
        "raw",
        [
            mail("I get: user unknown. What now?", Subject="Mail delivery failed since Monday"),
            mail(
                "> <a@gone.example>: user unknown",
                Subject="Re: Undelivered Mail Returned to Sender",
            ),
            mail("I am away.", Subject="Out of office: Delivery failed", Return_Path="<>"),
            mail("Hello", From="postmaster@kunde.example", Subject="New mail server"),
            mail("user unknown", From=None, Subject="Delivery failed"),
            mail(
                "It could not be delivered.", From="postmaster@k.example", Subject="Re: failed mail"
            ),
            mail("Back on Monday. Your mail was not delivered to others.", Return_Path="<>"),
            multipart(
                part("abuse"),
                part("Feedback-Type: abuse", "message/feedback-report"),
                kind="report",
            ),
            multipart(
                part("read"),
                part("Disposition: x", "message/disposition-notification"),
                kind="report",
            ),
        ],
    )
    def test_is_not_what_people_and_other_machines_write_about(self, raw):
        assert read(raw).bounce is None
