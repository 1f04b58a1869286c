"""States and priorities, tokens and sessions, the version."""

from __future__ import annotations

from deskbell.api.zammad.reference.common import (
    IN_USE,
    NOTHING,
    REFUSED,
    Collection,
    body,
)
from deskbell.api.zammad.reference.schemas import TEXTS
from deskbell.kernel.reference import (
    BOOLEAN,
    DATE,
    ID,
    TEXT,
    Answer,
    Example,
    Failure,
    Operation,
    Section,
    nullable,
    path,
    record,
    ref,
    sends,
)

_TAKEN = Failure(422, "This object already exists.", "The name is taken.")
_READ = ("admin.object", "ticket.agent", "ticket.customer")
_WRITE = ("admin.object",)
_READERS = "Agents, customers, and administrators of objects."
_WRITERS = "Administrators of objects."
_FLAG = nullable(BOOLEAN)
_NAME = body("name", "The name; every one has its own.", TEXT, required=True)
_NOTE = body("note", "For the desk to know, at most 250 characters.", nullable(TEXT))
_ACTIVE = body("active", "Whether it can be chosen.", _FLAG, default="true")
_FIRST = body(
    "default_create",
    "Whether new tickets have it; the former one is no default any more.",
    _FLAG,
    default="false",
)

_STATES = Collection(
    "ticket_states",
    "state_id",
    schema="State",
    class_name="Ticket::State",
    word="state",
    words="states",
    sample=7120,
    columns=(
        _NAME,
        body(
            "state_type",
            "`new`, `open`, `pending reminder`, `pending action`, `closed`, `merged` or `removed`;"
            " or `state_type_id`.",
            nullable(TEXT),
            default="open",
        ),
        body("state_type_id", "The type by its id.", nullable(ID)),
        body("next_state_id", "What a pending state becomes.", nullable(ID), default="null"),
        body("ignore_escalation", "Whether tickets in it do not escalate.", _FLAG),
        _FIRST,
        body("default_follow_up", "Whether answers reopen tickets into it.", _FLAG),
        _NOTE,
        _ACTIVE,
    ),
)
_PRIORITIES = Collection(
    "ticket_priorities",
    "priority_id",
    schema="Priority",
    class_name="Ticket::Priority",
    word="priority",
    words="priorities",
    sample=7230,
    columns=(
        _NAME,
        _FIRST,
        body("ui_icon", "An icon's name.", nullable(TEXT)),
        body("ui_color", "A colour's name.", nullable(TEXT)),
        _NOTE,
        _ACTIVE,
    ),
)

STATES = Section(
    "states",
    "States and priorities",
    "1 new, 2 open, 3 pending reminder, 4 closed, 5 merged, 6 removed, 7 pending close; 8 to 10"
    " are reopened, resolved and duplicate, as the other APIs know them. Priorities are 1 low, 2"
    " normal, 3 high; 4 is critical and 5 very low.",
    (
        _STATES.listing(_READERS, _READ),
        _STATES.creating(
            _WRITERS, _WRITE, {"name": "waiting for parts", "state_type": "open"}, (_TAKEN,)
        ),
        _STATES.showing(_READERS, _READ),
        _STATES.changing(_WRITERS, _WRITE, {"note": "Something was ordered."}, (_TAKEN,)),
        _STATES.deleting(_WRITERS, _WRITE),
        _PRIORITIES.listing(_READERS, _READ),
        _PRIORITIES.creating(_WRITERS, _WRITE, {"name": "2 rather soon"}, (_TAKEN,)),
        _PRIORITIES.showing(_READERS, _READ),
        _PRIORITIES.changing(_WRITERS, _WRITE, {"ui_color": "high-priority"}, (_TAKEN,)),
        _PRIORITIES.deleting(_WRITERS, _WRITE, (IN_USE,)),
    ),
)

_OWN = ("user_preferences.access_token",)
_OWNERS = "Agents and administrators, for themselves."
TOKENS = Section(
    "tokens",
    "API tokens",
    "A token is a password for one program. It can do what its owner can do, as far as the"
    " permissions it was given let it, until the day it expires.",
    (
        Operation(
            "GET",
            "/user_access_token",
            "Lists the caller's tokens, and the permissions a token of his can have.",
            _OWNERS,
            (Answer(200, "Tokens without their secrets, and permissions.", ref("Tokens")),),
            Example("/user_access_token"),
            "",
            (),
            (REFUSED,),
            _OWN,
        ),
        Operation(
            "POST",
            "/user_access_token",
            "Makes a token.",
            _OWNERS,
            (Answer(200, "The secret. It is shown now and never again.", record({"token": TEXT})),),
            Example(
                "/user_access_token",
                sends({"name": "nightly report", "permission": ["ticket.agent"]}),
            ),
            "",
            (
                body("name", "What it is for; older clients say `label`.", TEXT, required=True),
                body("permission", "What it lets through.", TEXTS, default="nothing"),
                body(
                    "expires_at",
                    "The day from which it is of no use.",
                    nullable(DATE),
                    default="never",
                ),
            ),
            (
                REFUSED,
                Failure(422, "The required parameter 'name' is missing.", "It has no name."),
                Failure(
                    422,
                    "No lookup value found for 'permission': \"x\"",
                    "There is no such permission.",
                ),
                Failure(
                    403,
                    "Token authorization failed.",
                    "A token makes none that lets through more than itself.",
                ),
            ),
            _OWN,
        ),
        Operation(
            "DELETE",
            "/user_access_token/{token_id}",
            "Revokes a token.",
            _OWNERS,
            (NOTHING,),
            Example("/user_access_token/5518"),
            "",
            (path("token_id", "The id of one of the caller's tokens."),),
            (REFUSED, Failure(422, "The API token could not be found.", "It is not the caller's.")),
            _OWN,
        ),
    ),
)

_EVERYBODY = "Everybody."
_FOREIGN = Failure(401, "CSRF token verification failed!", "The page of another site asked.")
SESSIONS = Section(
    "sessions",
    "Browser sessions",
    "For scripts on pages. The answers carry the header `CSRF-Token`, which has to come back as"
    " `X-CSRF-Token` with everything that writes.",
    (
        Operation(
            "POST",
            "/signin",
            "Begins a session.",
            _EVERYBODY,
            (Answer(201, "Who signed in, and a cookie.", ref("Session")),),
            Example("/signin", sends({"username": "susan", "password": "fido"}), 201, signed=False),
            "",
            (
                body("username", "Login or address.", TEXT, required=True),
                body("password", "The password.", TEXT, required=True),
                body("fingerprint", "Zammad's clients send one; it is not looked at.", TEXT),
            ),
            (
                Failure(
                    401,
                    "Login failed. Have you double-checked your credentials and completed the email"
                    " verification step?",
                    "Login or password is wrong, or there were too many tries.",
                ),
                _FOREIGN,
            ),
            public=True,
        ),
        Operation(
            "GET",
            "/signshow",
            "Says who is signed in, if anybody.",
            _EVERYBODY,
            (Answer(200, "The session, or an `error` in it.", ref("Session")),),
            Example("/signshow", signed=False),
            public=True,
        ),
        Operation(
            "DELETE",
            "/signout",
            "Ends the session, if there is one.",
            _EVERYBODY,
            (NOTHING,),
            Example("/signout", signed=False),
            "",
            (),
            (_FOREIGN,),
            public=True,
        ),
        Operation(
            "GET",
            "/signout",
            "Ends the session as well, for older clients.",
            _EVERYBODY,
            (NOTHING,),
            Example("/signout", signed=False),
            "",
            (),
            (_FOREIGN,),
            public=True,
        ),
    ),
)

VERSION = Section(
    "version",
    "The version",
    "",
    (
        Operation(
            "GET",
            "/version",
            "Says which level of Zammad's API this is.",
            "Agents and administrators.",
            (Answer(200, "The version clients compare with.", record({"version": TEXT})),),
            Example("/version"),
            "",
            (),
            (REFUSED,),
            ("admin", "ticket.agent"),
        ),
    ),
)
