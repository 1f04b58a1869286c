"""The first start: an administrator who can sign in, and a ticket to look at."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from deskbell.kernel.actor import SYSTEM
from deskbell.kernel.clock import now
from deskbell.kernel.config import Config
from deskbell.people.credentials import new_password, user_named
from deskbell.people.models import Group, Role, UserRole
from deskbell.people.operations import (
    ADMIN_ROLE,
    AGENT_ROLE,
    ALL_GROUPS_ROLE,
    NewUser,
    create_user,
)
from deskbell.tickets.models import Ticket
from deskbell.tickets.operations import NewArticle, NewTicket, open_ticket
from deskbell.tickets.vocabulary import ArticleType, Sender, StateId

log = logging.getLogger("deskbell.setup")

#: Who administers a desk of which nobody said an address. Signs in with it like with any other.
DEFAULT_ADMIN = "admin@localhost"
SAMPLE_CUSTOMER = 2
FIRST_GROUP = 1

WELCOME_TITLE = "Welcome to your new helpdesk"
WELCOME_TEXT = """\
Hello,

this is the first ticket of your desk, and nobody is waiting for an answer.

Feel free to try things out on it: write a reply, leave an internal note, put it on hold, close it.

What to do next:

- Sign in as the administrator and change the password.
- Make groups for your teams and give your agents access to them.
- Say where mail comes from and goes to, so that customers can write to you.
- Point your scripts here: three well-known APIs read and write the same tickets.

Have a good start!
"""


@dataclass(frozen=True, slots=True)
class FirstRun:
    """What the first start made.

    ``admin_login`` is empty and ``created`` false on a desk that has an administrator already.
    ``made_password`` is set where none was given: it is shown once and stored nowhere.
    """

    admin_login: str
    made_password: str | None
    created: bool


@transaction.atomic
def first_run(config: Config, *, at: datetime | None = None) -> FirstRun:
    """Make the first administrator and a welcome ticket, unless somebody administers the desk.

    Runs at every start and does nothing from the second on: another address or password in the
    settings changes no existing account.
    """
    at = at or now()
    # Two nodes may start at once; the second waits here and then finds what the first has made.
    Role.objects.select_for_update().get(pk=ADMIN_ROLE)
    if UserRole.objects.filter(role__permissions__name="admin").exists():
        return FirstRun("", None, created=False)
    email = config.admin_email or DEFAULT_ADMIN
    if user_named(email) is not None:
        # Somebody has this name without being an administrator: settings promote nobody.
        log.warning("no administrator was made: the address belongs to somebody")
        return FirstRun("", None, created=False)
    made = None if config.admin_password else new_password()
    admin = create_user(
        NewUser(
            email=email,
            login=email.lower(),
            firstname="Admin",
            password=config.admin_password or made,
            roles=[ADMIN_ROLE, AGENT_ROLE, ALL_GROUPS_ROLE],
            groups={id_: ["full"] for id_ in Group.objects.values_list("id", flat=True)},
        ),
        actor=SYSTEM,
        at=at,
    )
    if not Ticket.objects.exists():
        _welcome(at=at)
    log.info("first administrator made", extra={"user_id": admin.pk})
    return FirstRun(admin.login, made, created=True)


def _welcome(*, at: datetime) -> None:
    open_ticket(
        NewTicket(
            title=WELCOME_TITLE,
            group_id=FIRST_GROUP,
            customer_id=SAMPLE_CUSTOMER,
            state_id=StateId.NEW,
            article=NewArticle(
                body=WELCOME_TEXT,
                type=ArticleType.PHONE,
                sender=Sender.CUSTOMER,
                origin_by_id=SAMPLE_CUSTOMER,
            ),
        ),
        actor=SYSTEM,
        at=at,
    )
