"""The cast and the smallest true things: Nora the agent, Kemal the customer, Ada the admin.

Factories go through the operations, so whatever a test starts from could have happened.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from typing import Any

from deskbell.kernel.actor import SYSTEM, Actor, Via
from deskbell.people.access import actor_for
from deskbell.people.models import Group, Organization, User
from deskbell.people.operations import NewUser, create_user, save_group, save_organization
from deskbell.tickets.models import CustomField, Ticket
from deskbell.tickets.operations import NewArticle, NewTicket, open_ticket
from deskbell.tickets.vocabulary import ArticleType, Sender

MONDAY_9AM = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
MONDAY_10AM = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
#: The night the clocks change in Europe.
DST_NIGHT = datetime(2026, 3, 29, 0, 59, 59, 999999, tzinfo=UTC)

PASSWORD = "correct horse battery"


def person(
    login: str,
    *,
    roles: Collection[int],
    groups: Mapping[int, Collection[str]] | None = None,
    email: str | None = None,
    organization: Organization | None = None,
    active: bool = True,
    **columns: Any,
) -> User:
    return create_user(
        NewUser(
            login=login,
            email=f"{login}@example.test" if email is None else email,
            firstname=login.capitalize(),
            lastname="Example",
            password=PASSWORD,
            roles=roles,
            groups=groups or {},
            organization_id=organization.pk if organization else None,
            columns={"active": active, **columns},
        ),
        actor=SYSTEM,
        at=MONDAY_9AM,
    )


def ada(**kwargs: Any) -> User:
    """The admin, as ``deskbell serve`` makes the first one: roles Admin, Agent, All groups."""
    return person("ada", roles=[1, 2, 4], **kwargs)


def pure_admin(**kwargs: Any) -> User:
    """An administrator to whom no role grants tickets."""
    return person("otto", roles=[1], **kwargs)


def nora(groups: Mapping[int, Collection[str]] | None = None, **kwargs: Any) -> User:
    """An agent with ``full`` on group 1 unless said otherwise."""
    return person("nora", roles=[2], groups={1: ["full"]} if groups is None else groups, **kwargs)


def kemal(**kwargs: Any) -> User:
    """A customer."""
    return person("kemal", roles=[3], **kwargs)


def acting(user: User, via: Via = "web") -> Actor:
    actor = actor_for(user.pk, via)
    assert actor is not None
    return actor


def group(name: str = "Sales", **columns: Any) -> Group:
    return save_group(None, {"name": name, **columns}, actor=SYSTEM, at=MONDAY_9AM)


def organization(name: str = "Acme", **columns: Any) -> Organization:
    return save_organization(None, {"name": name, **columns}, actor=SYSTEM, at=MONDAY_9AM)


def ticket(
    customer: User | None = None,
    *,
    title: str = "Printer on fire",
    body: str | None = "It burns.",
    group_id: int = 1,
    at: datetime = MONDAY_9AM,
    actor: Actor = SYSTEM,
    **columns: Any,
) -> Ticket:
    article = (
        None
        if body is None
        else NewArticle(body=body, type=ArticleType.WEB, sender=Sender.CUSTOMER)
    )
    return open_ticket(
        NewTicket(
            title=title,
            group_id=group_id,
            customer_id=customer.pk if customer else 1,
            article=article,
            **columns,
        ),
        actor=actor,
        at=at,
    )


def custom_field(name: str, type_: str = "varchar", **columns: Any) -> CustomField:
    return CustomField.objects.create(
        name=name, label=columns.pop("label", name.capitalize()), type=type_, **columns
    )
