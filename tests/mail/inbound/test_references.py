"""Which ticket a message belongs to, whose it becomes, and what happens to it."""

from __future__ import annotations

import pytest

from deskbell.mail.reading.references import bare_subject, numbers_in, slug_ids_in
from deskbell.ops.mail_parse import parsed
from tests.mail.inbound.mails import mail, multipart, part

TICKETS = [
    {"number": "10005", "title": "Old", "state": "closed", "customer": "kemal@kunde.example",
     "articles": [{"message_id": "a5@desk.example", "subject": "About the hum", "sender": "agent"}]},
    {"number": "10006", "title": "Newer", "state": "open", "external_key": "OPS-7",
     "articles": [{"message_id": "a6@desk.example", "subject": "x", "sender": "agent"}]},
]  # fmt: skip


def fate(raw, **setup):
    found = parsed(raw, {"tickets": TICKETS, **setup})
    return found["followup_of"], found["followup_by"]


class TestTheTicket:
    def test_is_named_in_the_subject_wherever_else_one_looks(self):
        assert fate(mail(Subject="AW: x [Ticket#10005]"), search_in=[]) == ("10005", "subject")
        assert fate(mail(Subject="x [Ticket#10009]"), search_in=[]) == (None, None)
        assert fate(mail(Subject="Case:10006 y"), ticket_hook="Case:") == ("10006", "subject")

    def test_is_known_by_what_is_answered_before_older_messages_and_numbers(self):
        raw = mail(
            References="<a5@desk.example>", In_Reply_To="<a6@desk.example>", Subject="Ticket#10005"
        )

        assert fate(raw) == ("10006", "references")

    def test_is_not_looked_for_in_references_where_that_is_off_unless_the_subject_agrees(self):
        assert fate(mail(References="<a5@desk.example>"), search_in=[]) == (None, None)
        same = mail(References="<a5@desk.example>", Subject="AW: Re[2]: about the HUM")
        assert fate(same, search_in=[]) == ("10005", "references")

    @pytest.mark.parametrize(
        ("body", "found"),
        [("see Ticket#10005.", "10005"), ("seeTicket#10005", None), ("Ticket#10005x", None)],
    )
    def test_may_stand_in_the_body(self, body, found):
        assert fate(mail(body), search_in=["body"])[0] == found
        assert fate(mail(body), search_in=[]) == (None, None)

    def test_may_stand_in_the_text_of_html_but_not_in_its_markup(self):
        html = {"Content_Type": "text/html"}

        assert fate(mail("<p>Ticket#<b>10005</b>", **html), search_in=["body"])[0] == "10005"
        assert fate(mail('<p title="Ticket#10005">x', **html), search_in=["body"])[0] is None

    def test_may_stand_in_a_file(self):
        raw = multipart(part("see"), part("<i>Ticket#10005</i>", "text/html; name=a.html",
                                          "Content-Disposition: attachment"))  # fmt: skip

        assert fate(raw, search_in=["attachment"]) == ("10005", "attachment")
        assert fate(raw, search_in=["body"]) == (None, None)

    def test_is_the_one_whose_message_came_back(self):
        raw = multipart(
            part("Sorry"),
            part("Final-Recipient: rfc822; a@b.example\nAction: failed", "message/delivery-status"),
            part("Message-ID: <a5@desk.example>\n\n", "text/rfc822-headers"),
            kind="report",
            From="MAILER-DAEMON@mx.example",
        )

        found = parsed(raw, {"tickets": TICKETS})

        assert (found["followup_of"], found["followup_by"]) == ("10005", "bounced-message-id")
        assert found["state_after"] == "closed"

    def test_is_known_to_another_system_only_by_that_systems_own_mail(self):
        subject = {"Subject": "[JIRA] (OPS-7) It hums"}

        assert fate(mail(X_JIRA_FingerPrint="1", **subject)) == ("10006", "external-key")
        assert fate(mail(**subject)) == (None, None)

    def test_that_is_closed_takes_no_follow_up_where_the_group_says_so(self):
        raw = mail(Subject="Ticket#10005")

        assert parsed(raw, {"tickets": TICKETS})["state_after"] == "open"
        assert fate(raw, follow_up_possible="new_ticket") == (None, None)

    def test_is_not_reopened_by_machines(self):
        for header in (
            {"Auto_Submitted": "auto-replied"},
            {"Precedence": "bulk"},
            {"List_Id": "x"},
        ):
            found = parsed(mail(Subject="Ticket#10005", **header), {"tickets": TICKETS})
            assert (found["followup_of"], found["state_after"]) == ("10005", "closed")


class TestTheSender:
    @pytest.mark.parametrize(
        ("use", "customer"),
        [
            ("", {"name": "Kemal Kunde", "address": "kemal@kunde.example"}),
            ("as_sender_of_email", {"name": "Form", "address": "f@x.example"}),
            (
                "as_sender_of_email_use_from_realname",
                {"name": "Kemal Kunde", "address": "f@x.example"},
            ),
        ],
    )
    def test_is_taken_from_reply_to_only_where_the_desk_says_so(self, use, customer):
        found = parsed(mail(Reply_To="Form <f@x.example>"), {"sender_based_on_reply_to": use})

        assert (found["customer"], found["sender_role"]) == (customer, "customer")
        assert found["from"]["address"] == "kemal@kunde.example"

    def test_from_one_of_our_addresses_is_an_agent_and_is_not_answered(self):
        found = parsed(mail(From="HELP@desk.example", To="help@desk.example, k@x.example"),
                       {"system_addresses": ["Help@Desk.example"]})  # fmt: skip

        assert (found["sender_role"], found["customer"]["address"]) == ("agent", "k@x.example")
        assert found["must_not_auto_respond"]

    def test_who_is_agent_and_customer_of_the_ticket_writes_as_customer(self):
        setup = {"agents": ["kemal@kunde.example"], "tickets": TICKETS}

        assert parsed(mail(Subject="Ticket#10005"), setup)["sender_role"] == "customer"
        assert parsed(mail(Subject="Ticket#10006"), setup)["sender_role"] == "agent"


class TestTheOutcome:
    def test_our_own_automatic_mail_is_ignored_but_not_a_persons(self):
        own = {"Message_ID": "<1@desk.example>"}
        setup = {"fqdn": "desk.example"}

        assert parsed(mail(**own, Auto_Submitted="auto-generated"), setup)["outcome"] == "ignored"
        assert parsed(mail(**own), setup)["outcome"] == "new_ticket"

    def test_what_is_too_large_is_refused(self):
        assert (
            parsed(mail("x" * 2_000_000), {"max_message_mb": 1})["outcome"] == "rejected_too_large"
        )
        assert parsed(mail("x"), {"max_message_mb": 1})["outcome"] == "new_ticket"


def test_subjects_are_compared_without_their_prefixes():
    for subject in ("Re: A b", "AW: Re[2]: a  B", "回复：A b", "Fwd: WG: A B", "A B"):
        assert bare_subject(subject) == "a b"


def test_numbers_and_slugs():
    assert list(numbers_in("Ticket#1 ticket#: 2 XTicket#3 Ticket#4a", ["Ticket#"])) == ["1", "2"]
    assert list(slug_ids_in("[first-line-12] Re: [x]")) == [("first-line", 12)]
