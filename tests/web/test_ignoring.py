"""The pages of ignored mail and of the rules for mail that comes in."""

from __future__ import annotations

import pytest

from deskbell.kernel.actor import SYSTEM
from deskbell.mail import policy
from deskbell.mail.intake.ignoring import NewRule, save_rule
from deskbell.mail.models import IgnoreRule
from tests import cast
from tests.web.conftest import sign_in

pytestmark = pytest.mark.django_db

PATH = "/admin/mail/ignored/"


@pytest.fixture
def admin():
    return sign_in(cast.pure_admin())


def rule(pattern="spam.example", **given):
    return save_rule(
        NewRule(**{"what": "domain", "pattern": pattern} | given), actor=SYSTEM, at=cast.MONDAY_9AM
    )


def typed(**changes):
    return {
        "what": "address", "pattern": "a@b.example", "action": "quiet", "group": "1",
        "note": "Robot", "active": "on",
    } | changes  # fmt: skip


class TestTheRules:
    def test_are_made_changed_and_removed(self, admin):
        admin.post(f"{PATH}new/", typed())
        made = IgnoreRule.objects.get()
        assert (made.what, made.pattern, made.action, made.group_id, made.note, made.active) == (
            "address", "a@b.example", "quiet", 1, "Robot", True,
        )  # fmt: skip

        admin.post(f"{PATH}{made.pk}/", typed(pattern="c@b.example", group="", active=""))
        made.refresh_from_db()
        assert (made.pattern, made.key, made.group_id, made.active) == (
            "c@b.example", "address:c@b.example", None, False,
        )  # fmt: skip

        admin.post(f"{PATH}{made.pk}/use/", {"active": "on"})
        made.refresh_from_db()
        assert made.active

        admin.post(f"{PATH}{made.pk}/removal/")
        assert not IgnoreRule.objects.exists()

    @pytest.mark.parametrize(
        "changes",
        [{"pattern": ""}, {"pattern": "x"}, {"what": "body"}, {"action": "eat"}, {"group": "999"},
         {"group": "x"}, {"note": "x" * 300}, {"pattern": "a\0@b.example"},
         {"what": "domain", "pattern": "SPAM.example", "group": ""}],
    )  # fmt: skip
    def test_that_make_no_sense_are_refused_with_a_sentence(self, admin, changes):
        rule()
        answer = admin.post(f"{PATH}new/", typed(**changes))
        assert answer.status_code == 422
        assert b'class="error"' in answer.content
        assert IgnoreRule.objects.count() == 1

    def test_are_listed_found_and_turned_over(self, admin, django_assert_max_num_queries):
        for number in range(52):
            rule(f"d{number}.example", note="<b>")
        with django_assert_max_num_queries(14):
            first = admin.get(PATH).content.decode()
        assert ("d51.example" in first, "d1.example" in first) == (True, False)
        assert "<b>" not in first
        last = IgnoreRule.objects.order_by("-id")[49].pk
        assert f"before={last}" in first
        assert "d1.example" in admin.get(f"{PATH}?before={last}").content.decode()
        found = admin.get(f"{PATH}?q=D51").content.decode()
        assert ("d51.example" in found, "d50.example" in found) == (True, False)

    def test_begin_with_a_sender_that_is_looked_at(self, admin):
        shown = admin.get(f"{PATH}new/?what=address&pattern=a%2Bb@c.example").content.decode()
        assert 'value="a+b@c.example"' in shown


class TestTheSettings:
    def test_are_shown_and_saved(self, admin):
        answer = admin.post(
            "/admin/mail/rules/",
            {
                "in-references": "on", "in-body": "on", "hook": "Case#", "max_message_mb": "20",
                "own_addresses": "a@b.example, c@d.example", "mails_per_sender": "10",
                "raw_mail_days": "",
            },
        )  # fmt: skip
        assert answer.status_code == 302
        assert policy.present() == policy.Policy(
            hook="Case#",
            search_in=("references", "body"),
            max_message_mb=20,
            own_addresses=("a@b.example", "c@d.example"),
            customer_of_agent=False,
            mails_per_sender=10,
        )
        policy.save({"acknowledgements_per_sender": 0}, actor=SYSTEM, at=cast.MONDAY_9AM)
        shown = admin.get("/admin/mail/rules/").content.decode()
        assert 'value="Case#"' in shown
        assert shown.count('value="0"') == 2  # which saved again stay what they are

    @pytest.mark.parametrize(
        "changes", [{"hook": ""}, {"max_message_mb": "1000"}, {"mails_per_ticket": "x"},
                    {"tagged_addresses": "x"}],
    )  # fmt: skip
    def test_that_make_no_sense_change_nothing(self, admin, changes):
        answer = admin.post("/admin/mail/rules/", {"hook": "Ticket#"} | changes)
        assert answer.status_code == 422
        assert b'class="error"' in answer.content
        assert policy.present() == policy.Policy()
