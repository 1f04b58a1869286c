"""The fixed words of the trade, with the ids that clients compare with (Zammad's, contract §3)."""

from __future__ import annotations

from enum import IntEnum


class StateType(IntEnum):
    """What a state means, whatever an administrator calls it."""

    NEW = 1
    OPEN = 2
    PENDING_REMINDER = 3
    PENDING_ACTION = 4
    CLOSED = 5
    MERGED = 6
    REMOVED = 7

    @property
    def is_pending(self) -> bool:
        return self in (StateType.PENDING_REMINDER, StateType.PENDING_ACTION)

    @property
    def is_closed(self) -> bool:
        """Nothing is waited for any more."""
        return self in (StateType.CLOSED, StateType.MERGED, StateType.REMOVED)


STATE_TYPE_NAMES = {
    StateType.NEW: "new",
    StateType.OPEN: "open",
    StateType.PENDING_REMINDER: "pending reminder",
    StateType.PENDING_ACTION: "pending action",
    StateType.CLOSED: "closed",
    StateType.MERGED: "merged",
    StateType.REMOVED: "removed",
}


class StateId(IntEnum):
    """The seeded states, by id."""

    NEW = 1
    OPEN = 2
    PENDING_REMINDER = 3
    CLOSED = 4
    MERGED = 5
    REMOVED = 6
    PENDING_CLOSE = 7
    REOPENED = 8
    RESOLVED = 9
    DUPLICATE = 10


class ArticleType(IntEnum):
    """How an entry travelled. Everything but a note is communication with somebody."""

    EMAIL = 1
    SMS = 2
    CHAT = 3
    FAX = 4
    PHONE = 5
    TWITTER_STATUS = 6
    TWITTER_DM = 7
    FACEBOOK_POST = 8
    FACEBOOK_COMMENT = 9
    NOTE = 10
    WEB = 11
    TELEGRAM = 12
    FACEBOOK_DM = 13
    WHATSAPP = 14

    @property
    def is_communication(self) -> bool:
        return self is not ArticleType.NOTE


ARTICLE_TYPE_NAMES = {
    ArticleType.EMAIL: "email",
    ArticleType.SMS: "sms",
    ArticleType.CHAT: "chat",
    ArticleType.FAX: "fax",
    ArticleType.PHONE: "phone",
    ArticleType.TWITTER_STATUS: "twitter status",
    ArticleType.TWITTER_DM: "twitter direct-message",
    ArticleType.FACEBOOK_POST: "facebook feed post",
    ArticleType.FACEBOOK_COMMENT: "facebook feed comment",
    ArticleType.NOTE: "note",
    ArticleType.WEB: "web",
    ArticleType.TELEGRAM: "telegram personal-message",
    ArticleType.FACEBOOK_DM: "facebook direct-message",
    ArticleType.WHATSAPP: "whatsapp message",
}


class Sender(IntEnum):
    """On whose side an entry was written."""

    AGENT = 1
    CUSTOMER = 2
    SYSTEM = 3


SENDER_NAMES = {Sender.AGENT: "Agent", Sender.CUSTOMER: "Customer", Sender.SYSTEM: "System"}

LINK_TYPES = ("normal", "parent", "child")

#: What a person's list of recently viewed things may hold; ids are positions, from 1.
VIEWABLE = ("Ticket", "User", "Organization")

#: django-helpdesk's and Jutda's numbers for a ticket's status.
OPEN, REOPENED, RESOLVED, CLOSED, DUPLICATE = 1, 2, 3, 4, 5

STATUS_LABELS = {
    OPEN: "Open",
    REOPENED: "Reopened",
    RESOLVED: "Resolved",
    CLOSED: "Closed",
    DUPLICATE: "Duplicate",
}

#: Writing a number picks the seeded row (decision 18).
STATE_FOR_STATUS = {
    OPEN: StateId.OPEN,
    REOPENED: StateId.REOPENED,
    RESOLVED: StateId.RESOLVED,
    CLOSED: StateId.CLOSED,
    DUPLICATE: StateId.DUPLICATE,
}

PRIORITY_LABELS = {
    1: "1. Critical",
    2: "2. High",
    3: "3. Normal",
    4: "4. Low",
    5: "5. Very Low",
}

#: django-helpdesk counts downwards in importance, Zammad's ids grew by age: no arithmetic, a table.
PRIORITY_ID_FOR_NUMBER = {1: 4, 2: 3, 3: 2, 4: 1, 5: 5}

TITLE_LIMIT = 250
NOTE_LIMIT = 250
BODY_LIMIT = 1_500_000
