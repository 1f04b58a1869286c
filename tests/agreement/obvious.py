"""A desk with tickets of every kind, and the Zammad dialect's objects said slowly.

Written from the contract with nothing but the rows: one attribute after the other, a query for each
relation. No code is shared with the dialect itself.
"""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import Any

from deskbell.kernel.actor import SYSTEM
from deskbell.people.models import Group, Organization, Role, User
from deskbell.people.operations import change_user
from deskbell.tickets import rules
from deskbell.tickets.attachments import NewFile
from deskbell.tickets.models import (
    Article,
    CustomField,
    Link,
    Mention,
    Priority,
    State,
    Ticket,
    TicketTag,
    TimeEntry,
)
from deskbell.tickets.operations import NewArticle, TicketChange, follow, link, update_ticket
from deskbell.tickets.vocabulary import ARTICLE_TYPE_NAMES, SENDER_NAMES, ArticleType, Sender
from tests import cast

#: Contract section 3, by id.
STATE_TYPE_WORDS = {
    1: "new",
    2: "open",
    3: "pending reminder",
    4: "pending action",
    5: "closed",
    6: "merged",
    7: "removed",
}


def desk(count: int, *, seed: int = 7) -> list[Ticket]:
    """Tickets of every kind: states, owners, companies, articles, files, times, links, tags."""
    chance = random.Random(seed)
    acme = cast.organization("Acme", shared=True)
    sales = cast.group("Sales")
    nora = cast.nora({1: ["full"], sales.pk: ["full"]})
    people = [
        cast.kemal(organization=acme),
        cast.person("ines", roles=[3], organization=acme),
        cast.person("rosa", roles=[3]),
    ]
    change_user(people[2].pk, organizations=[acme.pk], actor=SYSTEM, at=cast.MONDAY_9AM)
    cast.custom_field("colour")
    cast.custom_field("secret", staff_only=True)
    cast.custom_field("due", "datetime")
    cast.custom_field("sure", "boolean")
    cast.custom_field("amount", "decimal")
    found: list[Ticket] = []
    for n in range(count):
        at = cast.MONDAY_9AM + timedelta(hours=n, microseconds=chance.randrange(10**6))
        ticket = cast.ticket(
            chance.choice([*people, None]),
            title=f"Ticket “{n}” <&>",
            group_id=chance.choice([1, sales.pk]),
            priority_id=chance.randint(1, 5),
            owner_id=chance.choice([1, nora.pk]),
            body=None if chance.random() < 0.2 else f"Body {n}\u2028\t",
            note=chance.choice([None, "", "n\u0001"]),
            preferences=chance.choice([{}, {"a": [1, {"b": None}]}]),
            tags=chance.choice([(), ("one", "two")]),
            custom=chance.choice(
                [
                    {},
                    {"colour": "r\u00e9d", "secret": "s", "sure": True, "amount": "1.50"},
                    {"due": "2026-03-29T01:00:00.123456+00:00"},
                ]
            ),
            at=at,
        )
        for m in range(chance.randint(0, 3)):
            article = NewArticle(
                body=f"Entry {m}",
                type=chance.choice([ArticleType.NOTE, ArticleType.PHONE]),
                sender=chance.choice(list(Sender)),
                internal=chance.random() < 0.4,
                seconds=chance.choice([None, 90, 3600]),
                files=[NewFile("a.txt", b"a" * m, "text/plain")][: chance.randint(0, 1)],
            )
            update_ticket(ticket.pk, None, article, actor=SYSTEM, at=at + timedelta(minutes=m + 1))
        state = chance.choice([1, 2, 3, 4, 8, 9])
        change = TicketChange(
            state_id=state,
            pending_time=at + timedelta(days=9),
            on_hold=chance.random() < 0.3,
            due_date=chance.choice([None, at]),
        )
        update_ticket(ticket.pk, change, actor=SYSTEM, at=at + timedelta(minutes=9))
        if chance.random() < 0.4:
            follow(ticket.pk, actor=cast.acting(nora, "zammad"), at=at)
        if found:
            other = chance.choice(found)
            link("parent", other.pk, ticket.pk, actor=SYSTEM, at=at)
        found.append(ticket)
    return found


def stamp(value: datetime | None) -> str | None:
    if value is None:
        return None
    value = value.astimezone(UTC)
    return value.strftime("%Y-%m-%dT%H:%M:%S.") + f"{value.microsecond // 1000:03d}Z"


def words(text: str) -> list[str]:
    return text.split()


def slow_ticket(ticket: Ticket, *, staff: bool) -> dict[str, Any]:
    """One attribute after the other, whatever it costs."""
    body: dict[str, Any] = {}
    for name in words(
        "id group_id priority_id state_id organization_id number title owner_id"
        " customer_id note first_response_in_min first_response_diff_in_min close_in_min"
        " close_diff_in_min update_in_min update_diff_in_min article_count type"
        " preferences updated_by_id created_by_id resolution"
    ):
        body[name] = getattr(ticket, name)
    for name in words(
        "first_response_at first_response_escalation_at close_at close_escalation_at"
        " update_escalation_at last_close_at last_contact_at last_contact_agent_at"
        " last_contact_customer_at last_owner_update_at escalation_at pending_time"
        " created_at updated_at due_date"
    ):
        body[name] = stamp(getattr(ticket, name))
    body["create_article_type_id"] = ticket.create_article_type
    body["create_article_sender_id"] = ticket.create_article_sender
    seconds = ticket.time_spent
    body["time_unit"] = None if seconds is None else f"{seconds / 60:.1f}"
    body["checklist_id"] = None
    body["on_hold"] = rules.reads_on_hold(ticket.on_hold, ticket.state.type)
    for field in CustomField.objects.order_by("order", "id"):
        if field.staff_only and not staff:
            continue
        value = ticket.custom.get(field.name)
        if value is None:
            value = {"varchar": "", "boolean": False}.get(field.type)
        elif field.type == "datetime":
            value = stamp(datetime.fromisoformat(value))
        body[field.name] = value
    return body


def with_ids(body: dict[str, Any], ticket: Ticket, *, staff: bool) -> dict[str, Any]:
    articles = ticket.articles.order_by("created_at", "id")
    body["article_ids"] = [a.pk for a in articles if staff or not a.internal]
    times = TimeEntry.objects.filter(ticket=ticket).order_by("id")
    body["ticket_time_accounting_ids"] = [time.pk for time in times]
    return body


def slow_expanded(ticket: Ticket, *, staff: bool) -> dict[str, Any]:
    body = with_ids(slow_ticket(ticket, staff=staff), ticket, staff=staff)
    body["ticket_time_accounting"] = []
    body["group"] = ticket.group.name
    if ticket.organization is not None:
        body["organization"] = ticket.organization.name
    body["state"] = ticket.state.name
    body["priority"] = ticket.priority.name
    for name in ("owner", "customer", "created_by", "updated_by"):
        body[name] = getattr(ticket, name).login
    if ticket.create_article_type is not None:
        body["create_article_type"] = ARTICLE_TYPE_NAMES[ArticleType(ticket.create_article_type)]
        body["create_article_sender"] = SENDER_NAMES[Sender(ticket.create_article_sender)]
    return body


def slow_user(user: User) -> dict[str, Any]:
    body: dict[str, Any] = {}
    for name in words(
        "id organization_id login firstname lastname email image image_source web phone"
        " fax mobile department street zip city country address vip verified active note"
        " source login_failed out_of_office out_of_office_start_at out_of_office_end_at"
        " out_of_office_replacement_id preferences updated_by_id created_by_id"
    ):
        body[name] = getattr(user, name)
    for name in ("last_login", "created_at", "updated_at"):
        body[name] = stamp(getattr(user, name))
    body["role_ids"] = sorted(role.pk for role in user.roles.all())
    body["organization_ids"] = sorted(one.pk for one in user.organizations.all())
    for name in ("two_factor_preference_ids", "authorization_ids", "overview_sorting_ids"):
        body[name] = []
    levels: dict[str, list[str]] = {}
    for grant in user.group_grants.order_by("group", "level"):
        levels.setdefault(str(grant.group_id), []).append(grant.level)
    body["group_ids"] = levels
    return body


def slow_article(article: Article) -> dict[str, Any]:
    body: dict[str, Any] = {}
    for name in words(
        "id ticket_id to cc subject reply_to message_id message_id_md5 in_reply_to"
        " references content_type body internal preferences updated_by_id created_by_id"
        " origin_by_id"
    ):
        body[name] = getattr(article, name)
    body["from"] = article.from_address
    body["type_id"], body["sender_id"] = article.type, article.sender
    body["created_at"], body["updated_at"] = stamp(article.created_at), stamp(article.updated_at)
    body["attachments"] = [
        {
            "id": file.pk,
            "filename": file.filename,
            "size": str(file.size),
            "preferences": file.preferences or {"Mime-Type": file.content_type},
        }
        for file in article.attachments.order_by("id")
    ]
    entry = TimeEntry.objects.filter(article=article).first()
    body["time_unit"] = None if entry is None else f"{entry.seconds / 60:.1f}"
    return body


def slow_article_expanded(article: Article) -> dict[str, Any]:
    body = slow_article(article)
    body["type"] = ARTICLE_TYPE_NAMES[ArticleType(article.type)]
    body["sender"] = SENDER_NAMES[Sender(article.sender)]
    body["created_by"] = article.created_by.login
    body["updated_by"] = article.updated_by.login
    if article.origin_by is not None:
        body["origin_by"] = article.origin_by.login
    return body


def _stamped(row: Any, names: str) -> dict[str, Any]:
    body = {name: getattr(row, name) for name in words(names)}
    body["created_by_id"], body["updated_by_id"] = row.created_by_id, row.updated_by_id
    body["created_at"], body["updated_at"] = stamp(row.created_at), stamp(row.updated_at)
    return body


def _stampers(row: Any) -> dict[str, Any]:
    return {"created_by": row.created_by.login, "updated_by": row.updated_by.login}


def slow_user_expanded(user: User) -> dict[str, Any]:
    body = slow_user(user)
    body["roles"] = [Role.objects.get(pk=id_).name for id_ in body["role_ids"]]
    body["organizations"] = [
        Organization.objects.get(pk=id_).name for id_ in body["organization_ids"]
    ]
    if user.organization is not None:
        body["organization"] = user.organization.name
    body["groups"] = {
        Group.objects.get(pk=int(id_)).name: levels for id_, levels in body["group_ids"].items()
    }
    for name in ("two_factor_preferences", "authorizations", "overview_sortings"):
        body[name] = []
    return body | _stampers(user)


def slow_organization(row: Organization) -> dict[str, Any]:
    body = _stamped(row, "id name shared domain domain_assignment active vip note")
    body["member_ids"] = [one.pk for one in User.objects.filter(organization=row).order_by("id")]
    body["secondary_member_ids"] = [
        one.pk for one in User.objects.filter(organizations=row).order_by("id")
    ]
    return body


def slow_organization_expanded(row: Organization) -> dict[str, Any]:
    body = slow_organization(row)
    for ids, names in (("member_ids", "members"), ("secondary_member_ids", "secondary_members")):
        body[names] = [User.objects.get(pk=id_).login for id_ in body[ids]]
    return body | _stampers(row)


def slow_group(row: Group) -> dict[str, Any]:
    body = _stamped(
        row,
        "id name name_last parent_id assignment_timeout follow_up_possible reopen_time_in_days"
        " follow_up_assignment active shared_drafts note",
    )
    body["signature_id"] = None
    members = User.objects.filter(group_grants__group=row).distinct().order_by("id")
    body["user_ids"] = [one.pk for one in members]
    return body


def slow_group_expanded(row: Group) -> dict[str, Any]:
    body = slow_group(row)
    body["users"] = [User.objects.get(pk=id_).login for id_ in body["user_ids"]]
    body["signature"] = None
    return body | _stampers(row)


def slow_role(row: Role) -> dict[str, Any]:
    body = _stamped(row, "id name preferences default_at_signup active note")
    body["permission_ids"] = [one.pk for one in row.permissions.order_by("id")]
    body["knowledge_base_permission_ids"] = []
    levels: dict[str, list[str]] = {}
    if row.every_group:
        levels = {str(one.pk): ["full"] for one in Group.objects.order_by("id")}
    for grant in row.group_grants.order_by("group", "level"):
        levels.setdefault(str(grant.group_id), []).append(grant.level)
    body["group_ids"] = levels
    return body


def slow_role_expanded(row: Role) -> dict[str, Any]:
    body = slow_role(row)
    body["permissions"] = [one.name for one in row.permissions.order_by("id")]
    body["knowledge_base_permissions"] = []
    body["groups"] = {
        Group.objects.get(pk=int(id_)).name: levels for id_, levels in body["group_ids"].items()
    }
    return body | _stampers(row)


def slow_state(row: State) -> dict[str, Any]:
    body = _stamped(
        row, "id name next_state_id ignore_escalation default_create default_follow_up note active"
    )
    body["state_type_id"] = row.type
    return body


def slow_state_expanded(row: State) -> dict[str, Any]:
    body = slow_state(row)
    body["state_type"] = STATE_TYPE_WORDS[row.type]
    if row.next_state_id is not None:
        body["next_state"] = State.objects.get(pk=row.next_state_id).name
    return body | _stampers(row)


def slow_priority_expanded(row: Priority) -> dict[str, Any]:
    return slow_priority(row) | _stampers(row)


def slow_priority(row: Priority) -> dict[str, Any]:
    return _stamped(row, "id name default_create ui_icon ui_color note active")


def slow_links(ticket: Ticket, *, seen: set[int]) -> list[dict[str, Any]]:
    """What every other ticket is to this one, as far as it is seen."""
    found = []
    for tie in Link.objects.order_by("id"):
        if ticket.pk not in (tie.source_id, tie.target_id):
            continue
        other = tie.target_id if tie.source_id == ticket.pk else tie.source_id
        # Stored is what the source is to the target.
        type_ = tie.type
        if type_ == "parent" and tie.source_id == ticket.pk:
            type_ = "child"
        if other in seen:
            found.append({"link_type": type_, "link_object": "Ticket", "link_object_value": other})
    return found


def slow_mention_ids(ticket: Ticket) -> list[int]:
    return [one.pk for one in Mention.objects.filter(ticket=ticket).order_by("id")]


def slow_tags(ticket: Ticket) -> list[str]:
    return sorted(tie.tag.name for tie in TicketTag.objects.filter(ticket=ticket))
