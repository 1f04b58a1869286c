"""What is done to people, through the functions."""

from __future__ import annotations

import pytest

from deskbell.kernel.actor import NOBODY_ID, SYSTEM
from deskbell.kernel.errors import Invalid, Refused, Unknown
from deskbell.people import credentials
from deskbell.people.access import actor_for, agents_with, may_own
from deskbell.people.models import Identity, User
from deskbell.people.operations import (
    NewUser,
    change_user,
    create_token,
    create_user,
    delete_user,
    find_or_create_customer,
    save_group,
    save_organization,
)
from tests.cast import (
    MONDAY_9AM,
    MONDAY_10AM,
    PASSWORD,
    acting,
    ada,
    group,
    kemal,
    nora,
    organization,
    ticket,
)

pytestmark = pytest.mark.django_db


class TestIdentity:
    def test_address_and_login_share_one_space(self) -> None:
        kemal()
        with pytest.raises(Invalid) as refused:
            create_user(NewUser(login="KEMAL@example.test"), actor=SYSTEM, at=MONDAY_9AM)
        assert (refused.value.field, refused.value.code) == ("login", "taken")

    def test_an_address_is_found_whatever_its_case(self) -> None:
        first = find_or_create_customer("Mixed.Case@Example.test", actor=SYSTEM, at=MONDAY_9AM)
        second = find_or_create_customer("MIXED.case@example.TEST", actor=SYSTEM, at=MONDAY_9AM)
        assert first.pk == second.pk
        assert first.email == "Mixed.Case@Example.test"
        assert not first.login_chosen

    def test_a_changed_address_frees_the_old_one(self) -> None:
        user = kemal()
        change_user(user.pk, email="new@example.test", actor=SYSTEM, at=MONDAY_10AM)
        assert not Identity.objects.filter(key="kemal@example.test").exists()
        other = find_or_create_customer("kemal@example.test", actor=SYSTEM, at=MONDAY_10AM)
        assert other.pk != user.pk

    @pytest.mark.parametrize(
        "text", ["", "kemal", "a@", "a b@c.de", "a@b.de\nBcc: x@y.de", "x" * 250 + "@b.de"]
    )
    def test_what_is_no_address_makes_nobody(self, text: str) -> None:
        before = User.objects.count()
        with pytest.raises(Invalid):
            find_or_create_customer(text, actor=SYSTEM, at=MONDAY_9AM)
        assert User.objects.count() == before


class TestAccess:
    def test_roles_and_grants_add_up(self) -> None:
        sales = group("Sales")
        actor = acting(nora({1: ["read"], sales.pk: ["full"]}))
        assert actor.may_in_group("read", 1)
        assert not actor.may_in_group("change", 1)
        assert actor.may_in_group("change", sales.pk)
        assert actor.groups_with("change") == {sales.pk}

    def test_all_groups_counts_for_groups_to_come(self) -> None:
        actor = acting(ada())
        assert actor.may_in_group("full", group("Later").pk)
        assert actor.groups_with("read") is None

    def test_an_administrator_alone_sees_no_group(self) -> None:
        from tests.cast import pure_admin

        actor = acting(pure_admin())
        assert actor.may("admin.user")
        assert actor.groups_with("read") == frozenset()

    def test_nobody_and_the_inactive_do_not_act(self) -> None:
        assert actor_for(NOBODY_ID, "web") is None
        assert actor_for(kemal(active=False).pk, "web") is None

    def test_a_token_narrows_and_never_widens(self) -> None:
        user = nora()
        actor = actor_for(user.pk, "zammad", scope=["admin"])
        assert actor is not None
        assert not actor.may("admin")
        assert not actor.may("ticket.agent")
        assert actor.holds("ticket.agent")

    def test_agents_with_a_level(self) -> None:
        everywhere, here = ada(), nora({1: ["change"]})
        kemal()
        assert agents_with("full", 1) == [everywhere.pk]
        assert agents_with("change", 1) == sorted([everywhere.pk, here.pk])
        assert may_own(everywhere.pk, 1)
        assert not may_own(here.pk, 1)

    def test_grants_are_one_query(self, django_assert_num_queries) -> None:  # type: ignore[no-untyped-def]
        user = nora()
        with django_assert_num_queries(1):
            actor_for(user.pk, "web")


class TestLosingAccess:
    def test_gives_back_open_tickets_and_keeps_closed_ones(self) -> None:
        agent = nora()
        open_one = ticket(owner_id=agent.pk)
        closed_one = ticket(owner_id=agent.pk, state_id=4)
        change_user(agent.pk, groups={1: ["read"]}, actor=SYSTEM, at=MONDAY_10AM)
        open_one.refresh_from_db()
        closed_one.refresh_from_db()
        assert open_one.owner_id == NOBODY_ID
        assert closed_one.owner_id == agent.pk

    def test_an_account_switched_off_gives_back_tickets(self) -> None:
        agent = ada()
        mine = ticket(owner_id=agent.pk)
        change_user(agent.pk, columns={"active": False}, actor=SYSTEM, at=MONDAY_10AM)
        mine.refresh_from_db()
        assert mine.owner_id == NOBODY_ID


class TestPasswords:
    def test_sign_in_by_login_or_address_in_any_case(self) -> None:
        user = nora()
        for name in ("nora", "NORA", "Nora@Example.test", " nora "):
            found = credentials.sign_in(name, PASSWORD, client_ip="10.0.0.1", at=MONDAY_9AM)
            assert found.pk == user.pk

    @pytest.mark.parametrize(
        ("name", "password"),
        [
            ("nora", "wrong"),
            ("nobody", PASSWORD),
            ("-", "!"),
            ("", ""),
            ("nora", ""),
            ("nora", "\ud800"),
            ("nobody", "\ud800"),
            ("nora", PASSWORD + "\x00"),
            ("nora", "x" * 100_000),
            ("nora\x00", PASSWORD),
            ("\ud800", "x"),
        ],
    )
    def test_anything_else_is_refused(self, name: str, password: str) -> None:
        nora()
        with pytest.raises(credentials.BadCredentials):
            credentials.sign_in(name, password, client_ip="10.0.0.1", at=MONDAY_9AM)

    def test_an_inactive_account_is_refused_even_when_remembered(self) -> None:
        user = nora()
        credentials.sign_in("nora", PASSWORD, client_ip=None, at=MONDAY_9AM)
        change_user(user.pk, columns={"active": False}, actor=SYSTEM, at=MONDAY_9AM)
        with pytest.raises(credentials.BadCredentials):
            credentials.sign_in("nora", PASSWORD, client_ip=None, at=MONDAY_9AM)

    def test_guessing_is_slowed_for_the_guesser_alone(self) -> None:
        nora()
        credentials.sign_in("nora", PASSWORD, client_ip="10.0.0.9", at=MONDAY_9AM)
        for _ in range(credentials.FAILURES_ALLOWED):
            with pytest.raises(credentials.BadCredentials):
                credentials.sign_in("nora", "guess", client_ip="10.0.0.9", at=MONDAY_9AM)
        with pytest.raises(credentials.TooManyTries):
            credentials.sign_in("nora", "guess", client_ip="10.0.0.9", at=MONDAY_9AM)
        # A remembered good password passes, and so does everybody elsewhere.
        credentials.sign_in("nora", PASSWORD, client_ip="10.0.0.9", at=MONDAY_9AM)
        credentials._remembered.clear()
        credentials.sign_in("nora", PASSWORD, client_ip="10.0.0.8", at=MONDAY_9AM)
        credentials._remembered.clear()
        with pytest.raises(credentials.TooManyTries):
            credentials.sign_in("nora", PASSWORD, client_ip="10.0.0.9", at=MONDAY_9AM)

    def test_guesses_by_login_and_by_address_count_together(self) -> None:
        nora()
        for name in ["nora", "Nora@Example.test"] * (credentials.FAILURES_ALLOWED // 2):
            with pytest.raises(credentials.BadCredentials):
                credentials.sign_in(name, "guess", client_ip="10.0.0.9", at=MONDAY_9AM)
        for name in ("nora", "nora@example.test"):
            with pytest.raises(credentials.TooManyTries):
                credentials.sign_in(name, "guess", client_ip="10.0.0.9", at=MONDAY_9AM)

    @pytest.mark.parametrize("name", ["nora", "nobody", "kemal"])
    @pytest.mark.parametrize("password", ["guess", "x" * 100_000, "\ud800"])
    def test_a_refusal_costs_one_hash_whoever_is_asked_for(
        self, name: str, password: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from django.contrib.auth import hashers

        nora()
        known = find_or_create_customer("kemal@example.test", actor=SYSTEM, at=MONDAY_9AM)
        change_user(known.pk, login="kemal", actor=SYSTEM, at=MONDAY_9AM)
        hashed: list[str] = []
        hasher = type(hashers.get_hasher())
        encode, verify = hasher.encode, hasher.verify
        monkeypatch.setattr(
            hasher, "encode", lambda *a, **k: hashed.append("encode") or encode(*a, **k)
        )
        monkeypatch.setattr(
            hasher, "verify", lambda *a, **k: hashed.append("verify") or verify(*a, **k)
        )
        with pytest.raises(credentials.BadCredentials):
            credentials.sign_in(name, password, client_ip=None, at=MONDAY_9AM)
        assert len(hashed) == 1

    def test_renewing_a_hash_does_not_undo_a_new_password(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from django.contrib.auth.hashers import make_password

        user = nora()
        old_hash = make_password(PASSWORD, hasher="pbkdf2_sha256")
        User.objects.filter(pk=user.pk).update(password=old_hash)
        user.refresh_from_db()
        setter = credentials._upgrade(user)
        change_user(user.pk, password="another good one", actor=SYSTEM, at=MONDAY_10AM)
        setter(PASSWORD)
        stored = User.objects.get(pk=user.pk)
        assert stored.check_password("another good one")
        assert user.password == old_hash

    def test_the_window_passes(self) -> None:
        nora()
        for _ in range(credentials.FAILURES_ALLOWED):
            with pytest.raises(credentials.BadCredentials):
                credentials.sign_in("nora", "guess", client_ip=None, at=MONDAY_9AM)
        later = MONDAY_9AM + credentials.FAILURE_WINDOW * 2
        assert credentials.sign_in("nora", PASSWORD, client_ip=None, at=later).login == "nora"

    def test_a_new_password_ends_the_remembered_one_and_all_tokens(self) -> None:
        user = nora()
        credentials.sign_in("nora", PASSWORD, client_ip=None, at=MONDAY_9AM)
        _token, secret = create_token(
            user.pk,
            name="t",
            permissions=["ticket.agent"],
            expires_at=None,
            actor=SYSTEM,
            at=MONDAY_9AM,
        )
        change_user(user.pk, password="another good one", actor=SYSTEM, at=MONDAY_10AM)
        with pytest.raises(credentials.BadCredentials):
            credentials.sign_in("nora", PASSWORD, client_ip=None, at=MONDAY_10AM)
        with pytest.raises(credentials.BadCredentials):
            credentials.token_user(secret, at=MONDAY_10AM)


class TestTokens:
    def test_only_the_digest_is_stored(self) -> None:
        token, secret = create_token(
            nora().pk, name="t", permissions=None, expires_at=None, actor=SYSTEM, at=MONDAY_9AM
        )
        assert secret not in str(token.__dict__)
        assert credentials.token_user(secret, at=MONDAY_9AM).scope is None

    def test_expired_from_the_start_of_its_last_day(self) -> None:
        _token, secret = create_token(
            nora().pk,
            name="t",
            permissions=[],
            expires_at=MONDAY_9AM.date(),
            actor=SYSTEM,
            at=MONDAY_9AM,
        )
        with pytest.raises(credentials.TokenExpired):
            credentials.token_user(secret, at=MONDAY_9AM)


class TestRows:
    def test_a_person_with_tickets_stays(self) -> None:
        customer = kemal()
        ticket(customer)
        with pytest.raises(Refused):
            delete_user(customer.pk, actor=SYSTEM, at=MONDAY_9AM)

    def test_a_person_without_anything_goes_with_the_identities(self) -> None:
        customer = kemal()
        delete_user(customer.pk, actor=SYSTEM, at=MONDAY_9AM)
        assert not Identity.objects.filter(key="kemal").exists()
        with pytest.raises(Unknown):
            delete_user(customer.pk, actor=SYSTEM, at=MONDAY_9AM)

    def test_a_group_below_another(self) -> None:
        parent = group("Europe")
        child = group("Europe::Sales")
        assert child.parent_id == parent.pk
        assert child.name_last == "Sales"
        with pytest.raises(Invalid) as refused:
            group("Asia::Sales")
        assert (refused.value.field, refused.value.code) == ("parent", "unknown")

    def test_slugs_do_not_collide(self) -> None:
        assert group("Sales").slug == "sales"
        assert group("Sales!").slug == "sales-2"

    def test_a_name_is_taken_whatever_its_case(self) -> None:
        group("Sales")
        with pytest.raises(Invalid) as refused:
            group("SALES")
        assert refused.value.code == "taken"

    @pytest.mark.parametrize(
        "columns",
        [
            {"email": "no"},
            {"new_ticket_cc": ["x"]},
            {"follow_up_possible": "never"},
            {"name": "  "},
            {"name": "x" * 161},
        ],
    )
    def test_a_group_that_makes_no_sense(self, columns: dict[str, object]) -> None:
        with pytest.raises(Invalid):
            save_group(None, {"name": "G", **columns}, actor=SYSTEM, at=MONDAY_9AM)

    def test_members_are_exactly_those_named(self) -> None:
        acme = organization("Acme")
        first, second = kemal(organization=acme), nora()
        save_organization(acme.pk, {}, members=[second.pk], actor=SYSTEM, at=MONDAY_10AM)
        first.refresh_from_db()
        second.refresh_from_db()
        assert (first.organization_id, second.organization_id) == (None, acme.pk)
