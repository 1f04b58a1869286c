"""Users, organizations, groups and roles."""

from __future__ import annotations

from deskbell.api.zammad.reference.common import (
    EXPAND,
    FULL,
    HIDDEN,
    IN_USE,
    REFUSED,
    SIGNED_IN,
    Collection,
    body,
    one,
    unknown,
)
from deskbell.api.zammad.reference.schemas import IDS, LEVELS, TEXTS
from deskbell.kernel.reference import (
    BOOLEAN,
    DATE,
    ID,
    OBJECT,
    TEXT,
    Answer,
    Example,
    Failure,
    Operation,
    Section,
    any_of,
    map_of,
    nullable,
    path,
    query,
    ref,
)

_TAKEN = Failure(422, "This object already exists.", "The name is taken.")
_LONG = Failure(422, "Name is too long (maximum is 160 characters)", "Some text is too long.")
_NO_NAME = Failure(
    422, "No lookup value found for 'roles': \"x\"", "A name names nothing; the same for others."
)
_NO_ID = Failure(422, "No value found for 'roles' with id 999", "An id in a list names nothing.")
_ABOVE = Failure(403, "Not authorized", "It would give rights that the caller does not have.")
_GRANTS = any_of(map_of(TEXT), LEVELS)
_FLAG = nullable(BOOLEAN)
_WORD = nullable(TEXT)

# --- users ---------------------------------------------------------------------------------------

_PEOPLE = ("admin.user", "ticket.agent")
_WORKERS = "Agents, and administrators of users."
_MAIL = (
    Failure(
        422, "Email address 'a@b.c' is already used for another user.", "The address is taken."
    ),
    Failure(422, "Invalid email 'some_what'", "That is no address."),
)
_USERS = Collection(
    "users",
    "user_id",
    schema="User",
    class_name="User",
    word="user",
    words="users",
    sample=4107,
    columns=(
        body("firstname", "The first name.", _WORD, default="empty"),
        body("lastname", "The last name.", _WORD, default="empty"),
        body("email", "The address; it belongs to one user.", _WORD, default="empty"),
        body("login", "What to sign in with, beside the address.", _WORD, default="the address"),
        body("password", "For administrators of users to set.", _WORD, default="none"),
        body("organization", "The name of the company; or `organization_id`.", _WORD),
        body("organizations", "Names of further ones; or `organization_ids`.", nullable(TEXTS)),
        body(
            "roles",
            "Names of roles; or `role_ids`. Agents make customers.",
            nullable(TEXTS),
            default="Customer",
        ),
        body("group_ids", '`{"1": ["full"]}`; or `groups` with names.', nullable(_GRANTS)),
        body("web", "A web address.", _WORD),
        body("phone", "A telephone number.", _WORD),
        body("mobile", "Another one.", _WORD),
        body("fax", "Another one.", _WORD),
        body("department", "Where in the company.", _WORD),
        body("street", "The address: street.", _WORD),
        body("zip", "Postal code.", _WORD),
        body("city", "City.", _WORD),
        body("country", "Country.", _WORD),
        body("address", "The whole address.", _WORD),
        body("note", "For the desk to know.", _WORD),
        body("vip", "Somebody important.", _FLAG, default="false"),
        body("verified", "The address is proven.", _FLAG, default="false"),
        body("active", "Whether one can sign in.", _FLAG, default="true"),
        body("out_of_office", "Away.", _FLAG, default="false"),
        body("out_of_office_start_at", "Away from this day.", nullable(DATE)),
        body("out_of_office_end_at", "Away to this day.", nullable(DATE)),
        body("preferences", "Settings such as `locale`.", nullable(OBJECT)),
    ),
)

_ON_USER = path("user_id", "The id of the user.")
USERS = Section(
    "users",
    "Users",
    "Everybody is a user: customers, agents, administrators. User 1, `-`, is nobody.",
    (
        Operation(
            "GET",
            "/users/me",
            "Shows the caller.",
            SIGNED_IN,
            (one("User"),),
            Example("/users/me?expand=true"),
            "",
            (EXPAND, FULL),
        ),
        _USERS.listing(
            SIGNED_IN, default=100, details="Customers are shown nobody but themselves."
        ),
        _USERS.creating(
            _WORKERS,
            _PEOPLE,
            {
                "firstname": "Mira",
                "lastname": "Novak",
                "email": "mira@example.com",
                "roles": ["Customer"],
            },
            (
                Failure(
                    422,
                    "At least one identifier (firstname, lastname, phone, mobile or email) for user"
                    " is required.",
                    "A user needs a name, a number or an address.",
                ),
                *_MAIL,
                _NO_NAME,
                _NO_ID,
                _ABOVE,
            ),
            "Agents make customers, whatever roles they name.",
        ),
        *_USERS.searching(
            _WORKERS,
            _PEOPLE,
            (
                query("role_ids", "Only those with one of these roles, separated by commas."),
                query("group_ids", "Only those with access to one of these groups."),
                query("permissions", "Only those with one of these permissions."),
            ),
        ),
        _USERS.showing(
            "Agents, administrators of users, the person himself, and colleagues of his"
            " organization.",
            details="Customers are told the name of a colleague, not how to reach him.",
        ),
        _USERS.changing(
            "Administrators of users; agents where it is about a customer.",
            _PEOPLE,
            {"phone": "+49 30 123456", "vip": True},
            (HIDDEN, *_MAIL, _NO_NAME, _NO_ID),
        ),
        _USERS.deleting("Administrators of users.", ("admin.user",), (HIDDEN, IN_USE)),
        Operation(
            "GET",
            "/users/history/{user_id}",
            "Says what was done to a user, oldest first.",
            _WORKERS,
            (Answer(200, "The history, and who did it.", ref("History")),),
            Example("/users/history/4107"),
            "",
            (_ON_USER,),
            (REFUSED, unknown("User")),
        ),
    ),
)

# --- organizations -------------------------------------------------------------------------------

_ORGANIZATIONS = Collection(
    "organizations",
    "organization_id",
    schema="Organization",
    class_name="Organization",
    word="organization",
    words="organizations",
    sample=6402,
    columns=(
        body("name", "The name; every one has its own.", TEXT, required=True),
        body("shared", "Whether members see each other's tickets.", _FLAG, default="true"),
        body("domain", "The domain of its addresses.", _WORD, default="empty"),
        body(
            "domain_assignment",
            "Whether new users with such an address join it.",
            _FLAG,
            default="false",
        ),
        body("active", "Whether it is used.", _FLAG, default="true"),
        body("vip", "An important one.", _FLAG, default="false"),
        body("note", "For the desk to know.", _WORD, default="empty"),
        body("members", "Logins or addresses of its members; or `member_ids`.", nullable(TEXTS)),
        body(
            "secondary_members",
            "Who belongs to it as well; or `secondary_member_ids`.",
            nullable(TEXTS),
        ),
    ),
)
_COMPANY_WRITERS = ("admin.organization", "ticket.agent")
_COMPANY_WHO = "Agents, and administrators of organizations."

ORGANIZATIONS = Section(
    "organizations",
    "Organizations",
    "The companies of customers.",
    (
        _ORGANIZATIONS.listing(SIGNED_IN, details="Customers are shown their own."),
        _ORGANIZATIONS.creating(
            _COMPANY_WHO,
            _COMPANY_WRITERS,
            {"name": "Sunflower Ltd", "domain": "sunflower.example", "shared": True},
            (_TAKEN, _LONG, _NO_NAME, _NO_ID),
        ),
        *_ORGANIZATIONS.searching(_COMPANY_WHO, _COMPANY_WRITERS),
        _ORGANIZATIONS.showing(
            "Agents, administrators of organizations, and its members.",
            answer=Answer(
                200,
                "The row; `{}` for a customer without an organization.",
                any_of(ref("Organization"), ref("WithAssets"), ref("Nothing")),
            ),
        ),
        _ORGANIZATIONS.changing(
            _COMPANY_WHO,
            _COMPANY_WRITERS,
            {"note": "Pays within a week."},
            (_TAKEN, _LONG, _NO_NAME, _NO_ID),
        ),
        _ORGANIZATIONS.deleting("Administrators of organizations.", ("admin.organization",)),
    ),
)

# --- groups --------------------------------------------------------------------------------------

_ADDRESSES = Collection(
    "email_addresses",
    "address_id",
    schema="EmailAddress",
    class_name="EmailAddress",
    word="sender address",
    words="sender addresses",
    sample=4420,
    columns=(
        body("email", "The address.", TEXT, required=True),
        body("name", "Who it is; older clients say `realname`.", _WORD, default="empty"),
        body("active", "Whether it is used.", _FLAG, default="true"),
        body("note", "For the desk to know.", _WORD, default="null"),
        body("preferences", "Anything a client wants to keep.", nullable(OBJECT), default="{}"),
    ),
)
_ADDRESS_READERS = ("admin.channel_email", "admin.group", "ticket.agent")
_ADDRESS_WHO = "Agents, and administrators of groups or of mail."
_ADDRESS_KEEPER = ("admin.channel_email",)
_ADDRESS_KEEPERS = "Administrators of mail."
_ADDRESS_FAILURES = (
    Failure(422, "Invalid email 'some_what'", "That is no address."),
    _TAKEN,
)

ADDRESSES = Section(
    "email-addresses",
    "Sender addresses",
    "The addresses that groups write from; a group names one in `email_address_id`.",
    (
        _ADDRESSES.listing(_ADDRESS_WHO, _ADDRESS_READERS),
        _ADDRESSES.creating(
            _ADDRESS_KEEPERS,
            _ADDRESS_KEEPER,
            {"name": "Repairs", "email": "repairs@desk.example"},
            _ADDRESS_FAILURES,
        ),
        _ADDRESSES.showing(_ADDRESS_WHO, _ADDRESS_READERS),
        _ADDRESSES.changing(
            _ADDRESS_KEEPERS, _ADDRESS_KEEPER, {"note": "Read daily."}, _ADDRESS_FAILURES
        ),
        _ADDRESSES.deleting(_ADDRESS_KEEPERS, _ADDRESS_KEEPER),
    ),
)

_GROUPS = Collection(
    "groups",
    "group_id",
    schema="Group",
    class_name="Group",
    word="group",
    words="groups",
    sample=2305,
    columns=(
        body(
            "name",
            "The name, `A::B` for B within A; or `name_last` and `parent_id`.",
            TEXT,
            required=True,
        ),
        body("active", "Whether it takes tickets.", _FLAG, default="true"),
        body("note", "For the desk to know.", _WORD, default="null"),
        body(
            "follow_up_possible",
            "What a customer's answer to a closed ticket does: `yes`, `new_ticket`,"
            " `new_ticket_after_certain_time`.",
            nullable(TEXT),
            default="yes",
        ),
        body(
            "reopen_time_in_days",
            "For how long it reopens, for the last of these.",
            nullable({"type": "integer", "minimum": 0}),
            default="null",
        ),
        body(
            "follow_up_assignment",
            "Whether a reopened ticket keeps its owner.",
            _FLAG,
            default="true",
        ),
        body(
            "assignment_timeout",
            "Minutes after which an untouched ticket loses its owner.",
            nullable({"type": "integer", "minimum": 0}),
            default="null",
        ),
        body("shared_drafts", "Whether drafts are shared.", _FLAG, default="true"),
        body("email_address_id", "The address it writes from.", nullable(ID), default="null"),
        body("users", "Logins or addresses of its people; or `user_ids`.", nullable(TEXTS)),
        body("user_ids", "Ids of its people.", nullable(IDS)),
    ),
)
_TEAM_READERS = ("admin.group", "ticket.agent")
_TEAM_WHO = "Administrators of groups; agents where they have access."
_TEAM_FAILURES = (_TAKEN, _LONG, _NO_NAME, _NO_ID)

GROUPS = Section(
    "groups",
    "Groups",
    "The teams; django-helpdesk calls them queues. Group 1 is `Users`.",
    (
        _GROUPS.listing(_TEAM_WHO, _TEAM_READERS),
        _GROUPS.creating(
            "Administrators of groups.",
            ("admin.group",),
            {"name": "Repairs", "note": "Everything that smokes."},
            _TEAM_FAILURES,
        ),
        *_GROUPS.searching(_TEAM_WHO, _TEAM_READERS),
        _GROUPS.showing(_TEAM_WHO, _TEAM_READERS),
        _GROUPS.changing(
            "Administrators of groups.",
            ("admin.group",),
            {"follow_up_possible": "new_ticket"},
            _TEAM_FAILURES,
        ),
        _GROUPS.deleting("Administrators of groups.", ("admin.group",)),
    ),
)

# --- roles ---------------------------------------------------------------------------------------

_ROLES = Collection(
    "roles",
    "role_id",
    schema="Role",
    class_name="Role",
    word="role",
    words="roles",
    sample=8801,
    columns=(
        body("name", "The name; every one has its own.", TEXT, required=True),
        body("note", "For the desk to know.", _WORD, default="null"),
        body("active", "Whether it gives anything.", _FLAG, default="true"),
        body("default_at_signup", "Whether new customers get it.", _FLAG, default="false"),
        body("permissions", "Names of permissions.", nullable(TEXTS), default="none"),
        body("permission_ids", "The same by id.", nullable(IDS), default="none"),
        body("group_ids", '`{"1": ["read"]}`; or `groups` with names.', nullable(_GRANTS)),
        body("preferences", "Anything a client wants to keep.", nullable(OBJECT), default="{}"),
    ),
)
_ROLE = ("admin.role",)
_ROLE_WHO = "Administrators of roles."
_ROLE_FAILURES = (_ABOVE, _TAKEN, _NO_NAME, _NO_ID)

ROLES = Section(
    "roles",
    "Roles",
    "1 is Admin, 2 Agent, 3 Customer, 4 All groups: an agent with full access to every group.",
    (
        _ROLES.listing(_ROLE_WHO, _ROLE),
        _ROLES.creating(
            _ROLE_WHO,
            _ROLE,
            {"name": "Trainee", "permissions": ["ticket.agent"], "group_ids": {"1": ["read"]}},
            _ROLE_FAILURES,
        ),
        *_ROLES.searching(_ROLE_WHO, _ROLE),
        _ROLES.showing(_ROLE_WHO, _ROLE),
        _ROLES.changing(_ROLE_WHO, _ROLE, {"note": "For the first weeks."}, _ROLE_FAILURES),
        _ROLES.deleting(_ROLE_WHO, _ROLE, (_ABOVE, IN_USE)),
    ),
)
