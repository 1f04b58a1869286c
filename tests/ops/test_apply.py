"""Configuration that fits in a file: applying it, refusing it, and writing it."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from deskbell.kernel.actor import LEVELS, SYSTEM
from deskbell.kernel.models import Event
from deskbell.mail import policy, secrets
from deskbell.mail.intake import channels
from deskbell.mail.models import IgnoreRule, Language, MailChannel, MailRoute, Quoting
from deskbell.mail.sending import routes
from deskbell.mail.writing import rewording
from deskbell.ops import desk_file
from deskbell.ops.cli import CommandError
from deskbell.ops.desk_change import apply
from deskbell.ops.desk_file import FIELD_TYPES, SECTIONS, STATE_TYPES, toml
from deskbell.ops.export import exported
from deskbell.people.models import Group, Identity, Organization, Permission, Role, User
from deskbell.people.operations import change_user, create_token, save_role
from deskbell.tickets.models import CustomField, Priority, State
from tests.cast import (
    MONDAY_9AM,
    MONDAY_10AM,
    ada,
    custom_field,
    group,
    kemal,
    nora,
    organization,
    ticket,
)
from tests.live import LiveDesk

pytestmark = pytest.mark.django_db

WHOLE = """
[[organization]]
name = "Acme"
domain = "acme.example"
domain_assignment = true

[[group]]
name = "Sales"
slug = "sales"
email = "sales@example.test"
new_ticket_cc = ["new@example.test"]
updated_ticket_cc = ["updated@example.test", "second@example.test"]
default_owner = "nora"
escalate_days = 3
active = true

[[group]]
name = "Sales::Europe"

[[role]]
name = "Reader"
permissions = ["ticket.agent"]
groups = {Sales = ["read", "overview"]}

[[user]]
login = "nora"
email = "nora@example.test"
firstname = "Nora"
lastname = "Example"
roles = ["Agent"]
groups = {Users = ["full"], "Sales::Europe" = ["change", "read"]}
organization = "Acme"
password_file = "nora.password"

[[state]]
name = "waiting for parts"
type = "pending action"
next_state = "to be checked"

[[state]]
name = "to be checked"
type = "open"

[[priority]]
name = "whenever"
ui_color = "low-priority"

[[custom_field]]
name = "serial_number"
label = "Serial number"
type = "varchar"
max_length = 20
required = true
groups = ["Sales"]
order = 1

[[custom_field]]
name = "colour"
type = "list"
choices = ["red", ["g", "Green"]]
staff_only = true

[[ignore_rule]]
what = "domain"
pattern = "@Spam.example"
group = "sales"
action = "quiet"
note = " Robots "

[[ignore_rule]]
what = "header"
pattern = "X-Spam-Flag:  yes"

[[mail_rules]]
hook = "Case#"
raw_mail_days = 90
own_addresses = [" info@example.test"]
"""


@pytest.fixture
def bring(tmp_path: Path) -> Callable[..., list[str]]:
    """Write a file and apply it."""

    def run(text: str, *, dry_run: bool = False) -> list[str]:
        path = tmp_path / "desk.toml"
        path.write_text(text, encoding="utf-8")
        return apply(path, at=MONDAY_10AM, dry_run=dry_run)

    return run


@pytest.fixture
def whole(tmp_path: Path) -> str:
    (tmp_path / "nora.password").write_text("opens the desk\n", encoding="utf-8")
    return WHOLE


def refused(bring: Callable[..., list[str]], text: str) -> str:
    """The sentence of a refusal, which changed nothing."""
    before = exported()
    events = Event.objects.count()
    with pytest.raises(CommandError) as failure:
        bring(text)
    assert (exported(), Event.objects.count()) == (before, events)
    sentence = str(failure.value)
    assert "\n" not in sentence
    assert sentence.endswith(".")
    return sentence.partition("desk.toml")[2]


class TestApplying:
    def test_brings_everything_that_is_said(self, bring, whole):
        bring(whole)

        sales = Group.objects.get(name="Sales")
        assert (sales.slug, sales.email, sales.escalate_days) == ("sales", "sales@example.test", 3)
        assert sales.new_ticket_cc == ["new@example.test"]
        assert sales.updated_ticket_cc == ["updated@example.test", "second@example.test"]
        assert Group.objects.get(name="Sales::Europe").parent == sales
        person = User.objects.get(login="nora")
        assert sales.default_owner == person
        assert (person.firstname, person.lastname) == ("Nora", "Example")
        assert [role.name for role in person.roles.all()] == ["Agent"]
        assert person.organization == Organization.objects.get(name="Acme")
        assert person.check_password("opens the desk")
        grants = sorted(person.group_grants.values_list("group__name", "level"))
        assert grants == [
            ("Sales::Europe", "change"),
            ("Sales::Europe", "read"),
            ("Users", "full"),
        ]
        role = Role.objects.get(name="Reader")
        assert [p.name for p in role.permissions.all()] == ["ticket.agent"]
        assert set(role.group_grants.values_list("level", flat=True)) == {"read", "overview"}
        waiting = State.objects.get(name="waiting for parts")
        assert (waiting.type, waiting.helpdesk_number) == (4, 1)
        assert waiting.next_state == State.objects.get(name="to be checked")
        assert Priority.objects.get(name="whenever").ui_color == "low-priority"
        serial = CustomField.objects.get(name="serial_number")
        assert (serial.type, serial.max_length, serial.required) == ("varchar", 20, True)
        assert [g.name for g in serial.groups.all()] == ["Sales"]
        colour = CustomField.objects.get(name="colour")
        assert (colour.label, colour.choices) == ("Colour", ["red", ["g", "Green"]])
        spam, flag = IgnoreRule.objects.order_by("what")
        assert (spam.pattern, spam.action, spam.group, spam.note) == (
            "spam.example", "quiet", sales, "Robots",
        )  # fmt: skip
        assert (flag.pattern, flag.action, flag.group) == ("X-Spam-Flag: yes", "ignore", None)
        assert policy.present() == policy.Policy(
            hook="Case#", raw_mail_days=90, own_addresses=("info@example.test",)
        )

    def test_tells_what_is_new(self, bring):
        lines = bring(
            '[[group]]\nname = "Sales"\nemail = "s@example.test"\ndefault_owner = "nora"\n'
            '[[user]]\nlogin = "nora"\nroles = ["Agent"]\n'
        )

        assert lines == [
            '+ group "Sales": email = "s@example.test"',
            '+ user "nora": roles = ["Agent"]',
            '~ group "Sales": default_owner "" -> "nora"',
        ]

    def test_tells_what_is_different_key_by_key(self, bring):
        group(escalate_days=2)

        lines = bring('[[group]]\nname = "Sales"\nescalate_days = 5\nnote = "Hi"\nactive = true\n')

        assert lines == [
            '~ group "Sales": escalate_days 2 -> 5',
            '~ group "Sales": note "" -> "Hi"',
        ]

    def test_a_second_time_finds_nothing(self, bring, whole):
        bring(whole)
        events = Event.objects.count()

        assert bring(whole) == []
        assert Event.objects.count() == events

    def test_in_a_dry_run_tells_the_same_and_writes_nothing(self, bring, whole):
        before = exported()

        would = bring(whole, dry_run=True)

        assert exported() == before
        assert not User.objects.filter(login="nora").exists()
        assert bring(whole) == would != []

    def test_leaves_alone_what_is_not_mentioned(self, bring):
        sales = group(email="s@example.test", note="stays")

        bring('[[group]]\nname = "Sales"\nescalate_days = 1\n')

        sales.refresh_from_db()
        assert (sales.email, sales.note, sales.escalate_days) == ("s@example.test", "stays", 1)
        assert Group.objects.count() == 2

    def test_finds_rows_in_any_case_and_respells_them(self, bring):
        sales = group()

        assert bring('[[group]]\nname = "SALES"\n') == ['~ group "SALES": name "Sales" -> "SALES"']
        sales.refresh_from_db()
        assert sales.name == "SALES"

    def test_takes_nothing_for_none(self, bring):
        sales = group(escalate_days=2, default_owner_id=nora().pk, email="s@example.test")

        bring(
            '[[group]]\nname = "Sales"\nescalate_days = 0\ndefault_owner = ""\nemail = ""\n'
            '[[state]]\nname = "pending close"\nnext_state = ""\n'
        )

        sales.refresh_from_db()
        assert (sales.escalate_days, sales.default_owner_id, sales.email) == (None, None, "")
        assert State.objects.get(name="pending close").next_state is None

    def test_gives_exactly_the_roles_and_groups_that_are_said(self, bring):
        sales, person = group(), nora()

        bring('[[user]]\nlogin = "nora"\nroles = ["Customer"]\ngroups = {Sales = ["read"]}\n')

        assert [role.name for role in person.roles.all()] == ["Customer"]
        assert list(person.group_grants.values_list("group", "level")) == [(sales.pk, "read")]

    def test_takes_tickets_from_an_owner_who_loses_access(self, bring):
        person = nora()
        about = ticket(owner_id=person.pk)

        bring('[[user]]\nlogin = "nora"\ngroups = {}\n')

        about.refresh_from_db()
        assert about.owner_id == 1

    def test_names_a_person_by_address_where_no_login_is_given(self, bring):
        text = '[[user]]\nemail = "Kemal@Example.test"\n'

        assert bring(text) == ['+ user "kemal@example.test": email = "Kemal@Example.test"']
        assert bring(text) == []

    def test_moves_the_default_to_another_row(self, bring):
        text = (
            '[[state]]\nname = "new"\ndefault_create = false\n'
            '[[state]]\nname = "open"\ndefault_create = true\n'
        )

        assert bring(text) == ['~ state "open": default_create false -> true']
        assert [s.name for s in State.objects.filter(default_create=True)] == ["open"]
        assert bring(text) == []

    def test_says_that_there_is_no_organization_whatever_the_address(self, bring):
        organization(domain="acme.example", domain_assignment=True)
        text = '[[user]]\nlogin = "kim"\nemail = "kim@acme.example"\norganization = ""\n'

        bring(text)

        assert User.objects.get(login="kim").organization is None
        assert bring(text) == []

    def test_costs_the_same_for_every_further_entry(self, bring):
        def queries(count: int) -> int:
            text = "".join(f'[[group]]\nname = "G{n}"\nactive = true\n' for n in range(count))
            bring(text)
            with CaptureQueriesContext(connection) as made:
                assert bring(text) == []
            return len(made)

        assert queries(20) - queries(10) <= 10


class TestPasswordFiles:
    def test_are_beside_the_file(self, bring, tmp_path):
        (tmp_path / "secrets").mkdir()
        (tmp_path / "secrets" / "p").write_text("opens the desk", encoding="utf-8")

        bring('[[user]]\nlogin = "nora"\npassword_file = "secrets/p"\n')

        assert User.objects.get(login="nora").check_password("opens the desk")

    def test_change_a_password_once(self, bring, tmp_path):
        person = nora()
        create_token(
            person.pk,
            name="script",
            permissions=None,
            expires_at=None,
            actor=SYSTEM,
            at=MONDAY_9AM,
        )
        (tmp_path / "p").write_text("another one 77\r\n", encoding="utf-8")
        text = '[[user]]\nlogin = "nora"\npassword_file = "p"\n'

        assert bring(text) == ['~ user "nora": password']
        person.refresh_from_db()
        assert person.check_password("another one 77")
        assert person.tokens.count() == 0
        assert bring(text) == []

    @pytest.mark.parametrize(
        ("content", "words"),
        [
            (None, "the password file 'p' cannot be read (No such file or directory)."),
            (b"", "the password file 'p' holds no password."),
            (b"\n", "the password file 'p' holds no password."),
            (b"\xff\xfe", "the password file 'p' cannot be read (it is not UTF-8 text)."),
            (b"a\0b" * 5, "the password file 'p' holds no password."),
            (b"x" * 5000, "the password file 'p' holds no password."),
            (
                b"12345",
                (
                    "the password file 'p': This password is too short. It must contain at least 8"
                    " characters. This password is too common. This password is entirely numeric."
                ),
            ),
        ],
    )
    def test_must_hold_a_password(self, bring, tmp_path, content, words):
        if content is not None:
            (tmp_path / "p").write_bytes(content)

        sentence = refused(bring, '[[user]]\nlogin = "nora"\npassword_file = "p"\n')

        assert sentence == f", [[user]] number 1 (nora): {words}"

    def test_are_never_shown(self, bring, tmp_path):
        (tmp_path / "p").write_text("opens the desk", encoding="utf-8")

        lines = bring('[[user]]\nlogin = "nora"\npassword_file = "p"\n')

        assert not any("opens" in line for line in lines)
        assert "opens" not in exported()
        assert not Event.objects.filter(changes__icontains="opens").exists()


class TestRefusing:
    @pytest.mark.parametrize(
        ("text", "sentence"),
        [
            (
                "[[group]",
                (
                    " cannot be read: Expected ']]' at the end of an array declaration"
                    " (at line 1, column 8)."
                ),
            ),
            ("group = 1", ": group must be written as [[group]] tables."),
            ('[group]\nname = "A"', ": group must be written as [[group]] tables."),
            ('[[groups]]\nname = "A"', ": unknown section [[groups]]; perhaps 'group' is meant."),
            ("[[x]]", ": unknown section [[x]]."),
            ("[[group]]\nnote = 'x'", ", [[group]] number 1 needs a name."),
            ("[[group]]\nname = ' '", ", [[group]] number 1 needs a name."),
            (
                "[[ignore_rule]]\nwhat = 'domain'",
                ", [[ignore_rule]] number 1 needs a what and a pattern.",
            ),
            (
                "[[ignore_rule]]\nwhat = 'address'\npattern = 'x'",
                (
                    ", [[ignore_rule]] number 1 (address x): The pattern 'x' is not an e-mail"
                    " address."
                ),
            ),
            (
                "[[mail_rules]]\nmails_per_ticket = 0",
                (
                    ", [[mail_rules]] number 1 (all): The mails_per_ticket 0 cannot be accepted"
                    " (bad)."
                ),
            ),
            (
                "[[mail_rules]]\n[[mail_rules]]",
                ", [[mail_rules]] number 2 (all): the same name stands in an earlier entry.",
            ),
            ("[[user]]\nfirstname = 'x'", ", [[user]] number 1 needs a login or email."),
            (
                '[[group]]\nname = "A"\n[[group]]\nname = "B"\nemial = "x"',
                ", [[group]] number 2: unknown key 'emial'; perhaps 'email' is meant.",
            ),
            (
                '[[group]]\nname = "A"\nescalate_days = "3"',
                ", [[group]] number 1: escalate_days must be a whole number from 0, not '3'.",
            ),
            (
                '[[group]]\nname = "A"\nescalate_days = true',
                ", [[group]] number 1: escalate_days must be a whole number from 0, not True.",
            ),
            (
                '[[group]]\nname = "A"\nescalate_days = 99999999999',
                (
                    ", [[group]] number 1: escalate_days must be a whole number from 0, not"
                    " 99999999999."
                ),
            ),
            (
                '[[group]]\nname = "A"\nactive = 1',
                ", [[group]] number 1: active must be true or false, not 1.",
            ),
            (
                '[[group]]\nname = "A\\u0000"',
                ", [[group]] number 1: name must be a text, not 'A\\x00'.",
            ),
            (
                '[[group]]\nname = "A"\n[[group]]\nname = " a "',
                ", [[group]] number 2 (a): the same name stands in an earlier entry.",
            ),
            (
                '[[group]]\nname = "A"\nemail = "nope"',
                ", [[group]] number 1 (A): The email 'nope' is not an e-mail address.",
            ),
            (
                '[[group]]\nname = "A"\nnew_ticket_cc = ["nope"]',
                ", [[group]] number 1 (A): The new_ticket_cc 'nope' is not an e-mail address.",
            ),
            (
                '[[group]]\nname = "A"\nslug = "users"',
                ", [[group]] number 1 (A): slug 'users' belongs to the group 'Users'.",
            ),
            (
                '[[group]]\nname = "A"\nslug = "a b"',
                (
                    ", [[group]] number 1 (A): slug 'a b' may have letters, digits, hyphens and"
                    " underscores only."
                ),
            ),
            (
                '[[group]]\nname = "A"\nslug = ""',
                ", [[group]] number 1 (A): slug must not be empty; leave it out.",
            ),
            (
                '[[group]]\nname = "A"\ndefault_owner = "nobody"',
                (
                    ", [[group]] number 1 (A): default_owner: there is nobody with the login or"
                    " address 'nobody'."
                ),
            ),
            (
                '[[group]]\nname = "A"\nfollow_up_possible = "no"',
                (
                    ", [[group]] number 1: follow_up_possible must be one of yes, new_ticket,"
                    " new_ticket_after_certain_time, not 'no'."
                ),
            ),
            (
                '[[group]]\nname = "A::B"',
                ", [[group]] number 1 (A::B): The parent 'A' does not exist.",
            ),
            (
                f'[[group]]\nname = "{"x" * 161}"',
                f", [[group]] number 1 ({'x' * 161}): name is longer than 160 characters.",
            ),
            (
                '[[role]]\nname = "R"\npermissions = ["ticket.agnet"]',
                (
                    ", [[role]] number 1 (R): there is no permission 'ticket.agnet'; perhaps"
                    " 'ticket.agent' is meant."
                ),
            ),
            (
                '[[role]]\nname = "R"\ngroups = {Uses = ["full"]}',
                (
                    ", [[role]] number 1 (R): groups: there is no group 'Uses'; perhaps 'Users'"
                    " is meant."
                ),
            ),
            (
                '[[role]]\nname = "R"\ngroups = {Users = ["all"]}',
                (
                    ', [[role]] number 1: groups must be a table such as {Sales = ["full"]} with'
                    " the levels change, create, full, overview, read, not {'Users': ['all']}."
                ),
            ),
            (
                '[[user]]\nlogin = "u"\nroles = ["Agnet"]',
                (
                    ", [[user]] number 1 (u): roles: there is no role 'Agnet'; perhaps 'Agent'"
                    " is meant."
                ),
            ),
            (
                '[[user]]\nlogin = "u"\nroles = []',
                ", [[user]] number 1 (u): roles must not be empty; leave it out.",
            ),
            (
                '[[user]]\nlogin = "u"\nemail = "sample.customer@deskbell.invalid"',
                (
                    ", [[user]] number 1 (u): The email 'sample.customer@deskbell.invalid' is"
                    " taken by somebody else."
                ),
            ),
            (
                '[[user]]\nlogin = "-"',
                ", [[user]] number 1 (-): this account is the desk's own and stays as it is.",
            ),
            (
                '[[user]]\nlogin = "u"\npassword = "x"',
                ", [[user]] number 1: unknown key 'password'; perhaps 'password_file' is meant.",
            ),
            (
                '[[state]]\nname = "s"\ntype = "opened"',
                (
                    ", [[state]] number 1: type must be one of new, open, pending reminder, pending"
                    " action, closed, merged, removed, not 'opened'."
                ),
            ),
            (
                '[[state]]\nname = "s"',
                ", [[state]] number 1 (s): The state_type_id None is required.",
            ),
            (
                '[[state]]\nname = "new"\ndefault_create = false',
                ", [[state]] number 1 (new): default_create must be true for exactly one state.",
            ),
            (
                (
                    '[[priority]]\nname = "1 low"\ndefault_create = true\n'
                    '[[priority]]\nname = "3 high"\ndefault_create = true'
                ),
                (
                    ", [[priority]] number 2 (3 high): default_create can be true for one priority"
                    " only."
                ),
            ),
            (
                '[[custom_field]]\nname = "x"',
                ", [[custom_field]] number 1 (x): a new custom field needs a type.",
            ),
            (
                '[[custom_field]]\nname = "X-1"\ntype = "text"',
                ", [[custom_field]] number 1 (X-1): The name 'X-1' cannot be accepted (bad).",
            ),
            (
                '[[custom_field]]\nname = "priority"\ntype = "text"',
                (
                    ", [[custom_field]] number 1 (priority): The name 'priority' cannot be accepted"
                    " (bad)."
                ),
            ),
            (
                '[[custom_field]]\nname = "x"\ntype = "list"',
                ", [[custom_field]] number 1 (x): The choices None is required.",
            ),
            (
                '[[custom_field]]\nname = "x"\ntype = "list"\nchoices = ["a", ["a", "b"]]',
                ", [[custom_field]] number 1 (x): The choices 'a' is taken by somebody else.",
            ),
            (
                '[[custom_field]]\nname = "x"\ntype = "date"\nmax_length = 3',
                (
                    ", [[custom_field]] number 1 (x): max_length says nothing for a field of type"
                    " date."
                ),
            ),
        ],
    )
    def test_says_where_and_what(self, bring, text, sentence):
        assert refused(bring, text) == sentence

    def test_does_not_change_the_type_of_a_field(self, bring):
        custom_field("x", "integer")

        assert refused(bring, '[[custom_field]]\nname = "x"\ntype = "text"') == (
            ", [[custom_field]] number 1 (x): type cannot change, values are stored in it."
        )

    def test_does_not_take_an_address_for_a_login(self, bring):
        nora()

        assert refused(bring, '[[user]]\nlogin = "nora@example.test"') == (
            ", [[user]] number 1 (nora@example.test): this is the address of 'nora'; name the"
            " login."
        )

    def test_writes_nothing_of_a_file_that_is_wrong_at_its_end(self, bring, whole):
        refused(bring, whole + '[[custom_field]]\nname = "last"\ntype = "list"\n')

        assert not Group.objects.filter(name="Sales").exists()

    def test_of_a_file_that_is_not_there_is_a_sentence(self, tmp_path):
        with pytest.raises(CommandError, match=r"cannot be read: No such file or directory\.$"):
            apply(tmp_path / "missing.toml", at=MONDAY_9AM)

    def test_of_a_file_that_is_no_text_is_a_sentence(self, tmp_path):
        (tmp_path / "desk.toml").write_bytes(b"\xff\xfe")

        with pytest.raises(CommandError, match=r"cannot be read: .*utf-8.*\.$"):
            apply(tmp_path / "desk.toml", at=MONDAY_9AM)

    def test_of_endless_nesting_is_a_sentence(self, bring):
        assert " cannot be read: " in refused(bring, "x = " + "[" * 100_000)


TEXTS = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=0, max_size=12
)
NAMES = st.text("abcÄé ß🔔'\"\\#=[]", min_size=1, max_size=8).filter(str.strip)
ADDRESSES = st.sampled_from(["a@example.test", "b@example.test", "O.x+y@example.test"])
GRANTS = st.dictionaries(
    st.sampled_from(["Users", "First", "Second"]),
    st.lists(st.sampled_from(sorted(LEVELS)), min_size=1, max_size=3),
    max_size=2,
)


@st.composite
def files(draw: st.DrawFn) -> str:
    """Text of a file with some of everything."""
    names = draw(
        st.lists(NAMES, unique_by=lambda name: name.strip().casefold(), min_size=6, max_size=6)
    )
    tables: list[tuple[str, dict[str, object]]] = [
        (
            "organization",
            {"name": names[0], "shared": draw(st.booleans()), "note": draw(TEXTS)},
        ),
        ("group", {"name": "First"}),
        (
            "group",
            {
                "name": "Second",
                "email": draw(st.one_of(st.just(""), ADDRESSES)),
                "new_ticket_cc": draw(st.lists(ADDRESSES, max_size=3)),
                "escalate_days": draw(st.integers(0, 400)),
                "active": draw(st.booleans()),
                "default_owner": draw(st.sampled_from(["", "person"])),
                "note": draw(TEXTS),
            },
        ),
        ("group", {"name": f"First::{names[1].strip()}"}),
        (
            "role",
            {
                "name": names[2],
                "permissions": draw(st.lists(st.sampled_from(["ticket.agent", "admin", "report"]))),
                "groups": draw(GRANTS),
            },
        ),
        (
            "user",
            {
                "login": "person",
                "firstname": draw(TEXTS),
                "roles": draw(st.lists(st.sampled_from(["Agent", "admin", names[2]]), min_size=1)),
                "groups": draw(GRANTS),
                "organization": draw(st.sampled_from(["", names[0].strip()])),
                "active": draw(st.booleans()),
            },
        ),
        (
            "state",
            {
                "name": f"{names[3].strip()} state",
                "type": (state_type := draw(st.sampled_from(STATE_TYPES))),
                "next_state": draw(st.sampled_from(["", "open", f"{names[3].strip()} state"])),
                # Only a state that asks for nothing can be the one tickets come into.
                **({"default_follow_up": True} if state_type in ("new", "open", "closed") else {}),
            },
        ),
        ("priority", {"name": f"{names[4].strip()} priority", "ui_icon": draw(TEXTS)}),
    ]
    for number, type_ in enumerate(draw(st.lists(st.sampled_from(FIELD_TYPES), max_size=4))):
        table: dict[str, object] = {
            "name": f"field_{number}",
            "type": type_,
            "required": draw(st.booleans()),
            "order": draw(st.integers(-5, 5)),
            "groups": draw(st.lists(st.sampled_from(["First", "users"]), max_size=2)),
            "help_text": draw(TEXTS),
        }
        if type_ == "list":
            table["choices"] = draw(
                st.lists(
                    st.one_of(st.sampled_from("abc"), st.just(["k", "Label"])),
                    unique_by=str,
                    min_size=1,
                )
            )
        if type_ == "decimal":
            table["decimal_places"] = draw(st.integers(0, 4))
        if type_ == "varchar":
            table["max_length"] = draw(st.integers(0, 100))
        tables.append(("custom_field", table))
    return "\n".join(
        "\n".join([f"[[{section}]]", *(f"{key} = {toml(value)}" for key, value in values.items())])
        for section, values in tables
    )


class TestExporting:
    def test_names_what_every_desk_starts_with(self):
        tree = tomllib.loads(exported())

        assert list(tree) == ["organization", "group", "role", "state", "priority"]
        assert [row["name"] for row in tree["role"]] == ["Admin", "Agent", "All groups", "Customer"]
        assert len(tree["state"]) == 10
        assert set(tree["group"][0]) == set(SECTIONS["group"])

    def test_leaves_customers_and_passwords_out(self):
        ada(), nora(), kemal()

        tree = tomllib.loads(exported())

        assert [row["login"] for row in tree["user"]] == ["ada", "nora"]
        assert not any("password" in key for row in tree["user"] for key in row)

    def test_applied_again_changes_nothing(self, bring, whole):
        ada()
        bring(whole)
        save_role(2, {"note": "x"}, permissions=["ticket"], actor=SYSTEM, at=MONDAY_9AM)
        change_user(
            User.objects.get(login="nora").pk,
            columns={"phone": "+49 30 1", "department": "x"},
            actor=SYSTEM,
            at=MONDAY_9AM,
        )
        custom_field("old_one", "decimal", decimal_places=None, max_digits=None)

        assert bring(exported()) == []

    @pytest.mark.timeout(300)
    @settings(
        max_examples=10,
        phases=[Phase.generate],
        suppress_health_check=[HealthCheck.function_scoped_fixture],
    )
    @given(text=files())
    def test_of_any_desk_makes_the_same_desk_of_a_fresh_one(self, bring, text):
        with transaction.atomic():
            bring(text)
            assert bring(text) == []
            first = exported()
            assert bring(first) == []
            transaction.set_rollback(True)
        with transaction.atomic():
            assert exported() != first
            bring(first)
            assert exported() == first
            transaction.set_rollback(True)


class TestTheDocumentation:
    SAMPLE = (Path(__file__).parents[2] / "docs" / "desk-file.md").read_text(encoding="utf-8")

    def test_shows_a_file_that_can_be_applied(self, bring, tmp_path):
        sample = self.SAMPLE.partition("```toml\n")[2].partition("```")[0]
        (tmp_path / "secrets").mkdir()
        for name in ("nora", "imap", "smtp"):
            (tmp_path / "secrets" / name).write_text("opens the desk", encoding="utf-8")

        assert len(bring(sample)) > 8
        assert bring(sample) == []

    @pytest.mark.parametrize("section", SECTIONS)
    def test_names_every_section_and_type(self, section):
        assert f"[[{section}]]" in self.SAMPLE
        assert all(type_ in self.SAMPLE for type_ in (*FIELD_TYPES, *STATE_TYPES))


@pytest.mark.live
@pytest.mark.timeout(120)
@pytest.mark.once
class TestTheCommands:
    @staticmethod
    def run(desk: LiveDesk, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-P", "-m", "deskbell", *arguments],
            env=desk.environment,
            cwd=desk.data.parent,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    def test_are_there_for_people(self, new_live_desk, tmp_path):
        desk = new_live_desk()
        file = tmp_path / "desk.toml"
        file.write_text('[[group]]\nname = "Sales"\n', encoding="utf-8")
        line = '+ group "Sales"\n'

        dry = self.run(desk, "apply", "--dry-run", str(file))
        real = self.run(desk, "apply", str(file))
        again = self.run(desk, "apply", str(file))
        export = self.run(desk, "export", "--config")

        assert (dry.returncode, dry.stdout) == (
            0,
            line + "Nothing was written: this was a dry run.\n",
        )
        assert (real.returncode, real.stdout) == (0, line)
        assert (again.returncode, again.stdout) == (0, "Nothing to change.\n")
        assert (export.returncode, export.stderr) == (0, "")
        assert [row["name"] for row in tomllib.loads(export.stdout)["group"]] == ["Sales", "Users"]

    def test_say_in_one_line_what_is_wrong(self, new_live_desk, tmp_path):
        desk = new_live_desk()
        file = tmp_path / "desk.toml"
        file.write_text('[[group]]\nname = "Sales"\nemail = "nope"\n', encoding="utf-8")

        wrong = self.run(desk, "apply", str(file))

        assert (wrong.returncode, wrong.stdout) == (1, "")
        assert wrong.stderr == (
            f"deskbell: {file}, [[group]] number 1 (Sales): The email 'nope' is not an e-mail"
            " address.\n"
        )


def test_every_permission_and_identity_survives(bring: Callable[..., list[str]]) -> None:
    """An export speaks of rights; applying it must not take one away."""
    ada()
    before = sorted(Role.objects.values_list("name", "permissions__name"))
    identities = sorted(Identity.objects.values_list("key", flat=True))

    bring(exported())

    assert sorted(Role.objects.values_list("name", "permissions__name")) == before
    assert sorted(Identity.objects.values_list("key", flat=True)) == identities
    assert Permission.objects.count() > 40


class TestWordsOfMail:
    """How mail of groups goes out, and the texts of the desk's own messages."""

    TEXT = """
[[group_sending]]
group = "users"
route = "relay"
language = "de"
quoting = "all"

[[mail_text]]
name = "letter_greeting"
language = "en"
group = "users"
body = "Hello {{ customer.name }},\\r\\n"

[[mail_text]]
name = "letter_resolved"
language = "de"
body = ""

[[route]]
name = "Relay"
kind = "smtp"
settings = {host = "smtp.example.com"}
"""

    def test_are_brought_told_and_found_again(self, bring):
        assert bring(self.TEXT)[1:] == [
            '~ group_sending "users": route "" -> "Relay"',
            '~ group_sending "users": language "" -> "de"',
            '~ group_sending "users": quoting "last" -> "all"',
            (
                '+ mail_text "letter_greeting en for users": language = "en", group = "Users", '
                'body = "Hello {{ customer.name }},"'
            ),
            '+ mail_text "letter_resolved de": language = "de", body = ""',
        ]
        assert (
            rewording.wording_for("en", 1).body("letter_greeting") == "Hello {{ customer.name }},"
        )
        assert rewording.wording_for("de", 1).body("letter_resolved") == ""
        assert routes.taken_by(1).name == "Relay"

        assert bring(self.TEXT) == []
        assert bring(exported()) == []
        assert bring('[[group_sending]]\ngroup = "Users"\nroute = ""\nlanguage = ""') == [
            '~ group_sending "Users": route "Relay" -> ""',
            '~ group_sending "Users": language "de" -> ""',
        ]
        greeting = '[[mail_text]]\nname = "letter_greeting"\nlanguage = "en"\ngroup = "Users"\n'
        assert bring(f'{greeting}body = "Hi."') == [
            '~ mail_text "letter_greeting en for Users": body "Hello {{ customer.name }}," -> "Hi."'
        ]
        bring('[[group_sending]]\ngroup = "Users"\nquoting = "last"')
        assert "group_sending" not in exported()

    @pytest.mark.parametrize(
        ("text", "words"),
        [
            ('[[group_sending]]\nquoting = "all"', "needs a group"),
            ('[[group_sending]]\ngroup = "Nobodies"', "there is no group 'Nobodies'"),
            ('[[group_sending]]\ngroup = "Users"\nroute = "No"', "there is no mailroute 'No'"),
            ('[[group_sending]]\ngroup = "Users"\nlanguage = "fr"', "language must be one of"),
            ('[[mail_text]]\nname = "nobody"', "needs a name and a language"),
            ('[[mail_text]]\nname = "nobdy"\nlanguage = "en"', "perhaps 'nobody' is meant"),
            ('[[mail_text]]\nname = "nobody"\nlanguage = "en"', "a new text needs a body"),
            ('[[mail_text]]\nname = "nobody"\nlanguage = "en"\nbody = ""', "body"),
            (
                '[[mail_text]]\nname = "keep_reference"\nlanguage = "en"\nbody = "{{ link }}"',
                "'link' is no placeholder here; known: ticket.number",
            ),
            (
                '[[mail_text]]\nname = "nobody"\nlanguage = "en"\nbody = "{{ link }}"',
                "'link' is no placeholder here; known: none",
            ),
            ('[[mail_text]]\nname = "nobody"\nlanguage = "en"\ngroup = "No"\nbody = "x"', "'No'"),
        ],
    )
    def test_that_cannot_be_are_sentences(self, bring, text, words):
        assert words in refused(bring, text)

    def test_are_named_as_the_desk_names_them(self):
        assert tuple(Language.values) == desk_file.LANGUAGES
        assert tuple(Quoting.values) == desk_file.QUOTING


class TestWaysForMail:
    """Channels and routes: brought by name, told, found again, written without their secrets."""

    TEXT = """
[[channel]]
name = "Support"
kind = "imap"
group = "users"
settings = {host = "mail.example.com", login = "help", idle = false}
secrets = {client_secret = "file:hush.txt"}
password_env = "DESK_TEST_PASSWORD"

[[channel]]
name = "Mailgun"
kind = "webhook"
group = "Users"
settings = {provider = "mailgun"}
password_file = "hush.txt"

[[route]]
name = "Relay"
kind = "smtp"
is_default = true
settings = {host = "smtp.example.com", login = "desk"}
secrets = {password = "env:DESK_TEST_PASSWORD"}
"""

    @pytest.fixture(autouse=True)
    def places(self, tmp_path, monkeypatch):
        (tmp_path / "hush.txt").write_text("hush-1\n")
        monkeypatch.setenv("DESK_TEST_PASSWORD", "hush-2")

    def test_are_brought_told_and_found_again(self, bring, monkeypatch):
        told = bring(self.TEXT)

        assert told[0] == (
            '+ channel "Support": kind = "imap", group = "Users", settings = '
            '{"host" = "mail.example.com", "idle" = false, "login" = "help"}'
        )
        assert '~ channel "Support": client_secret' in told
        assert '~ route "Relay": password' in told
        assert "hush" not in "".join(told)
        support = MailChannel.objects.get(name="Support")
        assert channels.settings_of(support).client_secret == "hush-1"
        assert secrets.opened(support.secret) == "hush-2"
        relay = MailRoute.objects.get()
        assert (relay.is_default, routes.secrets_of(relay)) == (True, {"password": "hush-2"})

        assert bring(self.TEXT) == []
        written = exported()
        assert "hush" not in written
        assert bring(written) == []
        host = '"host" = "mail.example.com", "idle" = false'
        assert bring('[[channel]]\nname = "support"\ninterval = 90\nsettings = {port = 1143}') == [
            '~ channel "support": name "Support" -> "support"',
            '~ channel "support": interval 60 -> 90',
            (
                f'~ channel "support": settings {{{host}, "login" = "help"}} -> '
                f'{{{host}, "login" = "help", "port" = 1143}}'
            ),
        ]
        support.refresh_from_db()
        assert channels.settings_of(support).client_secret == "hush-1"
        monkeypatch.setenv("DESK_TEST_PASSWORD", "hush-3")
        assert bring(self.TEXT.replace('"Support"', '"support"')) == [
            '~ channel "support": password',
            '~ route "Relay": password',
        ]

    @pytest.mark.parametrize(
        ("said", "words"),
        [
            ('kind = "imap"\nsettings = {host = "h"}', "a new channel needs a group"),
            ('group = "Users"\nsettings = {host = "h"}', "a new channel needs a kind"),
            ('kind = "imap"\ngroup = "Nobodies"', "there is no group 'Nobodies'"),
            ('kind = "imap"\ngroup = "Users"', "host"),
            ('kind = "imap"\ngroup = "Users"\nsettings = {hots = "h"}', "hots"),
            (
                'kind = "imap"\ngroup = "Users"\nsettings = {host = "h", client_secret = "x"}',
                "name its place under secrets",
            ),
            (
                'kind = "imap"\ngroup = "Users"\nsettings = {host = "h"}\npassword_env = "NONE"',
                "'env:NONE' holds no secret",
            ),
            (
                'kind = "imap"\ngroup = "Users"\nsecrets = {password = "hush"}',
                '"env:NAME" or "file:NAME"',
            ),
            (
                'kind = "imap"\ngroup = "Users"\nsecrets = {password = "file:none.txt"}',
                "cannot be read",
            ),
        ],
    )
    def test_are_refused_in_one_sentence(self, bring, said, words):
        with pytest.raises(CommandError, match=re.escape(words)):
            bring(f'[[channel]]\nname = "x"\n{said}')
