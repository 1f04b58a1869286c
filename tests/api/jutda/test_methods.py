"""The eight methods, one by one: what they do, what they say, what they refuse."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from deskbell.people.models import User
from deskbell.people.operations import change_user
from deskbell.tickets.models import Article, CustomField, Ticket
from deskbell.tickets.operations import TicketChange, add_copies, update_ticket
from deskbell.tickets.vocabulary import BODY_LIMIT, ArticleType, Sender, StateId
from tests.api.jutda.forms import call, post, said
from tests.cast import (
    MONDAY_10AM,
    PASSWORD,
    acting,
    ada,
    custom_field,
    group,
    kemal,
    nora,
    pure_admin,
    ticket,
)

pytestmark = pytest.mark.django_db

NOT_A_TICKET = (404, "Invalid ticket ID")
REQUIRED = "This field is required."
HTML = "<b onclick=\"x()\">It burns</b> &amp; 'smokes'\r\n\ttoo  "


def opened(user: User, **fields: str) -> Ticket:
    answer = call("create_ticket", user, **{"queue": "1", "title": "Printer on fire", **fields})
    assert answer.status_code == 200, answer.content
    assert answer.content.isdigit()
    return Ticket.objects.select_related("state", "priority").get(pk=int(answer.content))


def refused(user: User, **fields: str) -> dict[str, str]:
    """The message of each wrong field; nothing was written."""
    people = User.objects.count()
    answer = call("create_ticket", user, **{"queue": "1", "title": "Printer on fire", **fields})
    assert (answer.status_code, answer["Content-Type"]) == (400, "text/plain")
    assert (Ticket.objects.count(), User.objects.count()) == (0, people)
    lines = answer.content.decode().split("\n")
    assert all(line.startswith("* ") for line in lines[::2])
    assert all(line.startswith("  * ") for line in lines[1::2])
    return {field[2:]: message[4:] for field, message in zip(lines[::2], lines[1::2], strict=True)}


class TestCreateTicket:
    def test_needs_queue_and_title_only(self):
        user = ada()

        one = opened(user)

        assert one.title == "Printer on fire"
        assert (one.group_id, one.owner_id, one.customer_id) == (1, 1, 1)
        assert (one.state_id, one.state.helpdesk_number, one.on_hold) == (StateId.NEW, 1, False)
        assert (one.priority.helpdesk_number, one.due_date, one.description) == (3, None, "")
        assert (one.created_via, one.created_by_id) == ("jutda", user.pk)

    def test_opens_with_the_body_as_description_and_entry(self):
        user = ada()

        entry = opened(user, body=HTML).articles.get()

        assert (entry.subject, entry.body, entry.content_type) == (
            "Ticket Opened",
            HTML,
            "text/plain",
        )
        assert (entry.internal, entry.type, entry.sender) == (
            False,
            ArticleType.NOTE,
            Sender.AGENT,
        )
        assert (entry.created_by_id, entry.via) == (user.pk, "jutda")
        assert entry.ticket.description == HTML

    def test_for_a_customer_writes_the_entry_in_his_name(self):
        user, customer = ada(), kemal()

        entry = opened(user, body="Help", submitter_email=" KEMAL@example.test ").articles.get()

        assert entry.ticket.customer_id == customer.pk
        assert (entry.type, entry.sender) == (ArticleType.WEB, Sender.CUSTOMER)
        assert (entry.origin_by_id, entry.created_by_id) == (customer.pk, user.pk)
        assert entry.email_recipients == ["kemal@example.test"]
        assert entry.ticket.state_id == StateId.NEW

    def test_for_an_unknown_address_makes_the_customer_once(self):
        user = ada()

        first = opened(user, submitter_email="New.Person@example.test")
        second = opened(user, submitter_email="new.person@EXAMPLE.test")

        assert first.customer_id == second.customer_id
        made = User.objects.get(pk=first.customer_id)
        assert (made.email, made.login_chosen) == ("New.Person@example.test", False)
        assert [role.name for role in made.roles.all()] == ["Customer"]

    def test_mails_customer_queue_and_owner(self):
        user, agent = ada(), nora()
        sales = group(
            new_ticket_cc=["new@example.test"], updated_ticket_cc=["updated@example.test"]
        )

        entry = opened(
            user,
            queue=str(sales.pk),
            submitter_email="c@example.test",
            assigned_to=str(agent.pk),
        ).articles.get()

        assert entry.email_recipients == [
            "c@example.test",
            "new@example.test",
            "nora@example.test",
            "updated@example.test",
        ]
        assert entry.subject == "Ticket Opened & Assigned to Nora Example"

    def test_does_not_mail_an_owner_who_is_the_caller_or_wants_none(self):
        user, agent = ada(), nora()
        change_user(
            agent.pk, columns={"mail_optout": ["assigned"]}, actor=acting(user), at=MONDAY_10AM
        )

        for owner in (user, agent):
            entry = opened(user, assigned_to=str(owner.pk)).articles.get()
            assert entry.email_recipients == []

    def test_may_assign_any_active_person(self):
        user, customer = ada(), kemal()

        assert opened(user, assigned_to=str(customer.pk)).owner_id == customer.pk
        assert opened(user, assigned_to="").owner_id == 1

    @pytest.mark.parametrize("number", ["1", "2", "3", "4", "5"])
    def test_takes_five_priorities(self, number):
        assert opened(ada(), priority=number).priority.helpdesk_number == int(number)

    def test_takes_an_empty_priority_for_the_default(self):
        assert opened(ada(), priority="").priority.helpdesk_number == 3

    def test_takes_a_title_of_100(self):
        assert opened(ada(), title="ü" * 100).title == "ü" * 100

    def test_puts_a_title_on_one_line(self):
        assert opened(ada(), title=" a\r\nb\tc ").title == "a  b c"

    def test_takes_a_text_of_any_length(self):
        body = "x" * (BODY_LIMIT + 1)

        assert opened(ada(), body=body).articles.get().body == body

    def test_ignores_what_it_does_not_know(self):
        one = opened(ada(), status="4", on_hold="1", resolution="x", id="77", number="9", nope="x")

        assert (one.state_id, one.on_hold, one.resolution) == (StateId.NEW, False, None)
        assert one.pk != 77

    @pytest.mark.parametrize(
        ("fields", "wrong"),
        [
            ({"queue": ""}, {"queue": REQUIRED}),
            ({"title": ""}, {"title": REQUIRED}),
            ({"title": " \r\n\t "}, {"title": REQUIRED}),
            (
                {"title": "x" * 101},
                {"title": "Ensure this value has at most 100 characters (it has 101)."},
            ),
            ({"title": "a\0b"}, {"title": "Null characters are not allowed."}),
            ({"body": "a\0b"}, {"body": "Null characters are not allowed."}),
            ({"submitter_email": "nope"}, {"submitter_email": "Enter a valid email address."}),
            ({"submitter_email": "a@b.cc\0"}, {"submitter_email": "Enter a valid email address."}),
            (
                {"submitter_email": "Kemal <kemal@example.test>"},
                {"submitter_email": "Enter a valid email address."},
            ),
            (
                {"submitter_email": "a@b.cc\r\nBcc: x@y.zz"},
                {"submitter_email": "Enter a valid email address."},
            ),
        ],
    )
    def test_refuses(self, fields, wrong):
        assert refused(ada(), **fields) == wrong

    @pytest.mark.parametrize("name", ["queue", "assigned_to", "priority"])
    @pytest.mark.parametrize(
        "value", ["0", "-1", "999", "abc", "1.0", "01", "+1", "９", "9" * 30, "<b>&\"'", "1 OR 1=1"]
    )
    def test_refuses_what_is_no_choice(self, name, value):
        assert refused(ada(), **{name: value}) == {
            name: f"Select a valid choice. {value} is not one of the available choices."
        }

    def test_refuses_nobody_and_the_inactive_as_owner(self):
        user, gone = ada(), kemal(active=False)

        for id_ in (1, gone.pk):
            assert refused(user, assigned_to=str(id_)) == {
                "assigned_to": f"Select a valid choice. {id_} is not one of the available choices."
            }

    def test_refuses_an_inactive_queue_and_one_without_access(self):
        user, closed, other = nora(), group("Closed", active=False), group("Other")

        for id_ in (closed.pk, other.pk):
            assert refused(user, queue=str(id_)) == {
                "queue": f"Select a valid choice. {id_} is not one of the available choices."
            }

    def test_names_all_wrong_fields_together(self):
        custom_field("number", "integer", required=True)

        wrong = refused(
            ada(),
            queue="",
            title="",
            body="\0",
            submitter_email="nope",
            assigned_to="77",
            priority="9",
            due_date_year="2026",
            due_date_month="2",
            due_date_day="30",
        )

        assert list(wrong) == [
            "queue",
            "title",
            "body",
            "submitter_email",
            "assigned_to",
            "priority",
            "due_date",
            "custom_number",
        ]

    def test_reports_like_a_form_of_2008(self):
        answer = call("create_ticket", ada())

        assert said(answer) == (
            400,
            "* queue\n  * This field is required.\n* title\n  * This field is required.",
        )

    def test_writes_no_customer_for_a_ticket_that_is_refused(self):
        refused(ada(), title="", submitter_email="new@example.test")

    def test_costs_the_same_with_more_fields_and_queues(self):
        user = ada()
        values = {f"custom_field_{n}": "x" for n in range(9)}
        custom_field("field_0", required=True)
        opened(user, **values)
        with CaptureQueriesContext(connection) as before:
            opened(user, **values)
        for n in range(1, 9):
            group(f"Group {n}")
            custom_field(f"field_{n}", required=n < 5)

        with CaptureQueriesContext(connection) as after:
            opened(user, **values)

        assert len(after) == len(before)


class TestDueDates:
    @pytest.mark.parametrize(
        ("parts", "due"),
        [
            (("2031", "5", "6"), datetime(2031, 5, 6, tzinfo=UTC)),
            (("2031", "05", "06"), datetime(2031, 5, 6, tzinfo=UTC)),
            (("2032", "2", "29"), datetime(2032, 2, 29, tzinfo=UTC)),
            (("0", "0", "0"), None),
            (("2031", "", ""), None),
            (("", "", ""), None),
        ],
    )
    def test_come_in_three_parts(self, parts, due):
        year, month, day = parts

        one = opened(ada(), due_date_year=year, due_date_month=month, due_date_day=day)

        assert one.due_date == due

    @pytest.mark.parametrize(
        ("text", "due"),
        [
            ("2031-05-06", datetime(2031, 5, 6, tzinfo=UTC)),
            ("2031-05-06 07:08", datetime(2031, 5, 6, 7, 8, tzinfo=UTC)),
            ("2031-05-06T07:08:09+02:00", datetime(2031, 5, 6, 5, 8, 9, tzinfo=UTC)),
            (" 2031-05-06T07:08:09Z ", datetime(2031, 5, 6, 7, 8, 9, tzinfo=UTC)),
            ("", None),
        ],
    )
    def test_may_be_written_in_one(self, text, due):
        assert opened(ada(), due_date=text).due_date == due

    def test_are_meant_in_the_zone_of_the_desk(self, settings):
        settings.TIME_ZONE = "Europe/Berlin"
        user = ada()

        parts = opened(user, due_date_year="2031", due_date_month="7", due_date_day="1")
        whole = opened(user, due_date="2031-07-01")

        assert parts.due_date == whole.due_date == datetime(2031, 6, 30, 22, tzinfo=UTC)

    @pytest.mark.parametrize(
        "fields",
        [
            {"due_date_year": "2026", "due_date_month": "2", "due_date_day": "31"},
            {"due_date_year": "2026", "due_date_month": "13", "due_date_day": "1"},
            {"due_date_year": "0", "due_date_month": "1", "due_date_day": "1"},
            {"due_date_year": "99999", "due_date_month": "1", "due_date_day": "1"},
            {"due_date_year": "x", "due_date_month": "1", "due_date_day": "1"},
            {"due_date": "tomorrow"},
            {"due_date": "2026-02-30"},
            {"due_date": "2026-01-01T25:00"},
            {"due_date": "0001-01-01T00:00:00+14:00"},
            {"due_date": "9999-12-31T23:59:59-14:00"},
            {"due_date": "2026-01-01\0"},
        ],
    )
    def test_that_do_not_exist_are_refused(self, fields):
        assert refused(ada(), **fields) == {"due_date": "Enter a valid date/time."}


class TestCustomFields:
    @pytest.mark.parametrize(
        ("type_", "columns", "text", "stored"),
        [
            ("varchar", {"max_length": 5}, "hello", "hello"),
            ("text", {}, "a\nb", "a\nb"),
            ("integer", {}, "-12", -12),
            ("decimal", {"max_digits": 6, "decimal_places": 3}, "42.987", "42.987"),
            ("list", {"choices": ["red", ["g", "Green"]]}, "g", "g"),
            ("boolean", {}, "on", True),
            ("date", {}, "2022-04-11", "2022-04-11"),
            ("time", {}, "23:59:59", "23:59:59"),
            ("datetime", {}, "2022-04-11T10:20", "2022-04-11T10:20:00+00:00"),
            ("email", {}, "a@example.test", "a@example.test"),
            ("url", {}, "https://example.test/x", "https://example.test/x"),
            ("ipaddress", {}, "2001:db8::1", "2001:db8::1"),
            ("slug", {}, "a-b_c", "a-b_c"),
        ],
    )
    def test_of_every_type_are_stored(self, type_, columns, text, stored):
        custom_field("extra", type_, **columns)

        assert opened(ada(), custom_extra=text).custom == {"extra": stored}

    @pytest.mark.parametrize(
        ("type_", "columns", "text", "message"),
        [
            (
                "varchar",
                {"max_length": 5},
                "hello!",
                "Ensure this value has at most 5 characters (it has 6).",
            ),
            ("varchar", {}, "a\0", "Null characters are not allowed."),
            ("integer", {}, "twelve", "Enter a whole number."),
            ("integer", {}, "9" * 30, "Enter a whole number."),
            ("decimal", {}, "NaN", "Enter a number."),
            (
                "decimal",
                {"decimal_places": 2},
                "1.234",
                "Ensure that there are no more than 2 decimal places.",
            ),
            (
                "decimal",
                {"max_digits": 3},
                "1234",
                "Ensure that there are no more than 3 digits in total.",
            ),
            (
                "list",
                {"choices": ["red"]},
                "blue",
                "Select a valid choice. blue is not one of the available choices.",
            ),
            (
                "boolean",
                {},
                "perhaps",
                "Select a valid choice. perhaps is not one of the available choices.",
            ),
            ("date", {}, "2022-02-30", "Enter a valid date."),
            ("time", {}, "25:00", "Enter a valid time."),
            ("datetime", {}, "now", "Enter a valid date/time."),
            ("email", {}, "nope", "Enter a valid email address."),
            ("url", {}, "nope", "Enter a valid URL."),
            ("ipaddress", {}, "1.2.3", "Enter a valid IPv4 or IPv6 address."),
            (
                "slug",
                {},
                "a b",
                "Enter a valid 'slug' consisting of letters, numbers, underscores or hyphens.",
            ),
        ],
    )
    def test_are_judged_by_their_type(self, type_, columns, text, message):
        custom_field("extra", type_, **columns)

        assert refused(ada(), custom_extra=text) == {"custom_extra": message}

    def test_that_are_required_are_required_here_too(self):
        custom_field("extra", required=True, staff_only=True)

        assert refused(ada()) == {"custom_extra": REQUIRED}

    def test_limited_to_a_group_are_required_there_only(self):
        sales = group()
        custom_field("extra", required=True).groups.add(sales)
        user = ada()

        assert refused(user, queue=str(sales.pk)) == {"custom_extra": REQUIRED}
        assert opened(user).custom == {}

    def test_that_are_switched_off_are_ignored(self):
        custom_field("extra", required=True, active=False)

        assert opened(ada(), custom_extra="x", custom_other="y").custom == {}
        assert CustomField.objects.count() == 1


class TestTicketIds:
    @pytest.mark.parametrize("method", ["hold_ticket", "unhold_ticket", "add_followup", "resolve"])
    @pytest.mark.parametrize(
        "id_", ["", " ", "abc", "1.5", "0", "-1", "1e3", "0x1", "1_0", "9" * 30, "[users-1]", "1\0"]
    )
    def test_that_are_none_are_not_found(self, method, id_):
        ticket()

        answer = call(method, ada(), ticket=id_, message="m", resolution="r")

        assert said(answer) == NOT_A_TICKET

    @pytest.mark.parametrize("id_", ["99999", str(2**63 - 1), str(2**63), "9" * 5000])
    def test_of_no_ticket_are_not_found(self, id_):
        assert said(call("hold_ticket", ada(), ticket=id_)) == NOT_A_TICKET

    def test_that_are_missing_are_not_found(self):
        assert said(call("hold_ticket", ada())) == NOT_A_TICKET

    @pytest.mark.parametrize("form", ["{}", " {} ", "\t{}\n", "000{}", "+{}"])
    def test_are_forgiven_their_surroundings(self, form):
        about = ticket()

        assert said(call("hold_ticket", ada(), ticket=form.format(about.pk))) == (200, "OK")


class TestDeleteTicket:
    @pytest.mark.parametrize("confirm", ["yes", "0", "no", " "])
    def test_takes_any_confirmation(self, confirm):
        about = ticket()

        assert said(call("delete_ticket", ada(), ticket=str(about.pk), confirm=confirm)) == (
            200,
            "OK",
        )
        assert (Ticket.objects.count(), Article.objects.count()) == (0, 0)

    @pytest.mark.parametrize("fields", [{}, {"confirm": ""}])
    @pytest.mark.parametrize("id_", ["1", "9999", "abc"])
    def test_asks_for_confirmation_first(self, fields, id_):
        ticket()

        answer = call("delete_ticket", ada(), ticket=id_, **fields)

        assert said(answer) == (400, "No confirmation provided")
        assert Ticket.objects.count() == 1

    @pytest.mark.parametrize("id_", ["", "abc", "9999", "9" * 30])
    def test_then_looks_for_the_ticket(self, id_):
        assert said(call("delete_ticket", ada(), ticket=id_, confirm="1")) == NOT_A_TICKET

    def test_again_finds_none(self):
        user, about = ada(), str(ticket().pk)

        call("delete_ticket", user, ticket=about, confirm="1")

        assert said(call("delete_ticket", user, ticket=about, confirm="1")) == NOT_A_TICKET


class TestHoldTicket:
    def test_sets_and_clears_the_flag_without_a_word(self):
        user, about = ada(), ticket(kemal())
        articles = Article.objects.count()

        for method, on_hold in [
            ("hold_ticket", True),
            ("hold_ticket", True),
            ("unhold_ticket", False),
            ("unhold_ticket", False),
        ]:
            assert said(call(method, user, ticket=str(about.pk))) == (200, "OK")
            about.refresh_from_db()
            assert (about.on_hold, about.state_id) == (on_hold, StateId.NEW)
        assert Article.objects.count() == articles

    def test_holding_a_pending_ticket_changes_nothing_and_unholding_opens_it(self):
        user, about = ada(), ticket()
        change = TicketChange(state_id=StateId.PENDING_REMINDER, pending_time=MONDAY_10AM)
        update_ticket(about.pk, change, actor=acting(user), at=MONDAY_10AM)

        call("hold_ticket", user, ticket=str(about.pk))
        about.refresh_from_db()
        assert (about.on_hold, about.state_id) == (False, StateId.PENDING_REMINDER)
        call("unhold_ticket", user, ticket=str(about.pk))
        about.refresh_from_db()
        assert (about.on_hold, about.state_id, about.pending_time) == (False, StateId.OPEN, None)


class TestAddFollowup:
    @pytest.mark.parametrize("fields", [{}, {"public": "n"}])
    def test_is_private_by_default_and_never_reaches_the_customer(self, fields):
        user, agent = ada(), nora()
        about = ticket(kemal(), owner_id=agent.pk, ccs=["cc@example.test"])

        answer = call("add_followup", user, ticket=str(about.pk), message=HTML, **fields)

        assert said(answer) == (200, "OK")
        entry = about.articles.order_by("id").last()
        assert entry is not None
        assert (entry.subject, entry.body, entry.internal) == ("Comment Added", HTML, True)
        assert (entry.type, entry.created_by_id) == (ArticleType.NOTE, user.pk)
        assert entry.email_recipients == ["nora@example.test"]

    def test_public_ones_go_to_everybody_around_the_ticket(self):
        user, agent = ada(), nora()
        sales = group(
            new_ticket_cc=["new@example.test"], updated_ticket_cc=["updated@example.test"]
        )
        about = ticket(kemal(), owner_id=agent.pk, group_id=sales.pk, ccs=["cc@example.test"])

        call("add_followup", user, ticket=str(about.pk), message=HTML, public="y")

        entry = about.articles.order_by("id").last()
        assert entry is not None
        assert (entry.subject, entry.body, entry.internal) == ("Comment Added", HTML, False)
        assert (entry.type, entry.to, entry.content_type) == (
            ArticleType.EMAIL,
            "kemal@example.test",
            "text/plain",
        )
        assert entry.email_recipients == [
            "cc@example.test",
            "kemal@example.test",
            "nora@example.test",
            "updated@example.test",
        ]

    def test_spares_the_caller_and_an_owner_who_wants_none(self):
        user, agent = ada(), nora()
        change_user(
            agent.pk, columns={"mail_optout": ["apichange"]}, actor=acting(user), at=MONDAY_10AM
        )

        for owner in (user, agent):
            about = ticket(owner_id=owner.pk)
            call("add_followup", user, ticket=str(about.pk), message="m", public="y")
            entry = about.articles.order_by("id").last()
            assert entry is not None
            assert entry.email_recipients == []

    @pytest.mark.parametrize("public", ["y", "n"])
    def test_leaves_status_and_title(self, public):
        user, about = ada(), ticket(kemal())

        call("add_followup", user, ticket=str(about.pk), message="m", public=public)

        about.refresh_from_db()
        assert about.state.helpdesk_number == 1
        assert about.title == "Printer on fire"

    def test_does_not_reopen_what_is_closed(self):
        user, about = ada(), ticket(kemal())
        update_ticket(
            about.pk, TicketChange(state_id=StateId.CLOSED), actor=acting(user), at=MONDAY_10AM
        )

        call("add_followup", user, ticket=str(about.pk), message="m", public="y")

        about.refresh_from_db()
        assert about.state_id == StateId.CLOSED

    @pytest.mark.parametrize("public", ["", "Y", "N", "1", "0", "yes", "maybe", " y"])
    def test_refuses_another_letter(self, public):
        about = ticket()

        answer = call("add_followup", ada(), ticket=str(about.pk), message="m", public=public)

        assert said(answer) == (400, "Invalid 'public' flag")

    @pytest.mark.parametrize("fields", [{}, {"message": ""}])
    def test_refuses_an_empty_message(self, fields):
        about = ticket()

        assert said(call("add_followup", ada(), ticket=str(about.pk), **fields)) == (
            400,
            "Blank message",
        )

    def test_takes_a_message_of_blanks_and_one_of_any_length(self):
        user, about = ada(), ticket()

        for message in ("  ", "x" * (BODY_LIMIT + 1)):
            answer = call("add_followup", user, ticket=str(about.pk), message=message)
            assert said(answer) == (200, "OK")
            assert about.articles.filter(body=message).exists()

    def test_refuses_what_cannot_be_stored(self):
        about = ticket()

        assert said(call("add_followup", ada(), ticket=str(about.pk), message="a\0b")) == (
            400,
            "Null characters are not allowed.",
        )

    def test_checks_ticket_then_flag_then_message(self):
        user, about = ada(), ticket()

        assert said(call("add_followup", user, ticket="9999", public="x")) == NOT_A_TICKET
        assert said(call("add_followup", user, ticket=str(about.pk), public="x")) == (
            400,
            "Invalid 'public' flag",
        )
        assert about.articles.count() == 1


class TestResolve:
    def test_stores_the_text_on_the_ticket_and_in_an_entry(self):
        user, about = ada(), ticket(kemal())

        assert said(call("resolve", user, ticket=str(about.pk), resolution=HTML)) == (200, "OK")

        about.refresh_from_db()
        entry = about.articles.order_by("id").last()
        assert entry is not None
        assert (about.state_id, about.state.helpdesk_number) == (StateId.RESOLVED, 3)
        assert (about.resolution, entry.body, entry.subject) == (HTML, HTML, "Resolved")
        assert (entry.internal, entry.created_by_id) == (False, user.pk)

    def test_mails_customer_copies_queue_and_owner(self):
        user, agent = ada(), nora()
        sales = group(updated_ticket_cc=["updated@example.test"])
        about = ticket(kemal(), owner_id=agent.pk, group_id=sales.pk)
        add_copies(about.pk, ["cc@example.test"], actor=acting(user), at=MONDAY_10AM)

        call("resolve", user, ticket=str(about.pk), resolution="Extinguished.")

        entry = about.articles.order_by("id").last()
        assert entry is not None
        assert entry.email_recipients == [
            "cc@example.test",
            "kemal@example.test",
            "nora@example.test",
            "updated@example.test",
        ]

    def test_mails_the_copies_of_a_ticket_without_customer(self):
        user, about = ada(), ticket(ccs=["cc@example.test"])

        call("resolve", user, ticket=str(about.pk), resolution="Extinguished.")

        entry = about.articles.order_by("id").last()
        assert entry is not None
        assert entry.email_recipients == ["cc@example.test"]

    @pytest.mark.parametrize(
        "change",
        [
            TicketChange(state_id=StateId.RESOLVED),
            TicketChange(state_id=StateId.CLOSED),
            TicketChange(state_id=StateId.REOPENED),
            TicketChange(state_id=StateId.DUPLICATE),
            TicketChange(on_hold=True),
            TicketChange(state_id=StateId.PENDING_CLOSE, pending_time=MONDAY_10AM),
        ],
    )
    def test_works_in_every_state_and_leaves_the_hold(self, change):
        user, about = ada(), ticket()
        update_ticket(about.pk, change, actor=acting(user), at=MONDAY_10AM)

        for text in ("first", "second", "second"):
            assert said(call("resolve", user, ticket=str(about.pk), resolution=text))[0] == 200
            about.refresh_from_db()
            assert (about.state.helpdesk_number, about.resolution) == (3, text)
        assert about.articles.filter(subject="Resolved").count() == 3
        assert about.on_hold == (change.on_hold is True)

    @pytest.mark.parametrize("fields", [{}, {"resolution": ""}])
    def test_refuses_an_empty_resolution_after_looking_for_the_ticket(self, fields):
        user, about = ada(), ticket()

        assert said(call("resolve", user, ticket=str(about.pk), **fields)) == (
            400,
            "Blank resolution",
        )
        assert said(call("resolve", user, ticket="9999", **fields)) == NOT_A_TICKET

    def test_takes_blanks(self):
        about = ticket(kemal())

        assert said(call("resolve", ada(), ticket=str(about.pk), resolution="  "))[0] == 200


class TestListQueues:
    def test_are_ids_as_strings_and_titles_by_title(self):
        zebra, apple, accent = group("zebra"), group("Apple"), group("Éclair")

        answer = call("list_queues", ada())

        assert answer["Content-Type"] == "text/json"
        assert answer.content.decode() == json.dumps(
            [
                {"id": str(apple.pk), "title": "Apple"},
                {"id": "1", "title": "Users"},
                {"id": str(zebra.pk), "title": "zebra"},
                {"id": str(accent.pk), "title": "Éclair"},
            ]
        )

    def test_are_those_in_which_the_caller_may_open_tickets(self):
        sales = group()
        group("Inactive", active=False)

        answer = call("list_queues", nora({1: ["read"], sales.pk: ["create"]}))

        assert json.loads(answer.content) == [{"id": str(sales.pk), "title": "Sales"}]
        assert json.loads(call("list_queues", pure_admin()).content) == []

    def test_cost_the_same_however_many_there_are(self, django_assert_max_num_queries):
        user = ada()
        call("list_queues", user)
        for n in range(8):
            group(f"Group {n}")

        with django_assert_max_num_queries(3):
            answer = call("list_queues", user)
        assert len(json.loads(answer.content)) == 9


class TestFindUser:
    def test_says_the_id(self):
        user, agent = ada(), nora()

        assert said(call("find_user", user, username="nora")) == (200, str(agent.pk))

    def test_finds_the_inactive_too(self):
        user, gone = ada(), kemal(active=False)

        assert said(call("find_user", user, username="kemal")) == (200, str(gone.pk))

    @pytest.mark.parametrize(
        "name", ["", "NORA", " nora", "nobody", "-", "nora@example.test", "nora\0", "x" * 5000]
    )
    def test_compares_logins_exactly(self, name):
        nora()

        assert said(call("find_user", ada(), username=name)) == (404, "Invalid username provided")

    def test_without_a_name_finds_nobody(self):
        assert said(call("find_user", ada())) == (404, "Invalid username provided")

    def test_with_username_alone_finds_the_caller(self):
        user = ada()

        answer = post("/api/find_user/", {"username": "ada", "password": PASSWORD})

        assert said(answer) == (200, str(user.pk))
