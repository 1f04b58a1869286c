"""States and priorities, tokens and sessions, the version."""

from __future__ import annotations

from deskbell.api.zammad.reference.common import (
    IN_USE,
    NOTHING,
    REFUSED,
    Collection,
    body,
    unknown,
)
from deskbell.api.zammad.reference.schemas import TEXTS
from deskbell.kernel.reference import (
    BOOLEAN,
    DATE,
    ID,
    INTEGER,
    MOMENT,
    OBJECT,
    TEXT,
    Answer,
    Example,
    Failure,
    Operation,
    Schema,
    Section,
    list_of,
    map_of,
    nullable,
    one_of,
    path,
    query,
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

_ON_ATTRIBUTE = path("attribute_id", "The id of the field.")
_NO_ATTRIBUTE = unknown("ObjectManager::Attribute")
_ATTRIBUTE = Answer(200, "The field.", ref("Attribute"))
_ATTRIBUTE_KEYS = (
    body("display", "What people call it.", nullable(TEXT)),
    body("active", "Whether it is shown.", _FLAG, default="true"),
    body("position", "Where it stands among the others.", nullable(INTEGER), default="last"),
    body(
        "data_option",
        "What belongs to the type: `type` and `maxlength` of an input, `options` of a select,"
        " `default`, `null` and so on.",
        nullable(OBJECT),
    ),
    body(
        "screens",
        "Who sees it, and where it has to be filled in, as Zammad words it.",
        nullable(OBJECT),
    ),
)
_DATA_TYPE: Schema = {
    "type": "string",
    "enum": [
        "input",
        "textarea",
        "integer",
        "select",
        "tree_select",
        "boolean",
        "date",
        "datetime",
    ],
}
_BUILT_IN = Failure(
    422, "The attribute 'title' is built in and cannot be changed.", "Only added ones can be."
)
_CHANGE_ATTRIBUTE = Operation(
    "PUT",
    "/object_manager_attributes/{attribute_id}",
    "Changes an added field; what is left out stays.",
    _WRITERS,
    (_ATTRIBUTE,),
    Example("/object_manager_attributes/8642", sends({"display": "Shade of colour"})),
    "",
    (
        _ON_ATTRIBUTE,
        body("data_type", "The present type.", _DATA_TYPE, default="as it is"),
        *_ATTRIBUTE_KEYS,
    ),
    (
        REFUSED,
        _NO_ATTRIBUTE,
        _BUILT_IN,
        Failure(422, "The attribute 'shade' cannot be renamed.", "Another name was sent."),
    ),
    _WRITE,
)


def _no_need(name: str) -> Operation:
    return Operation(
        "POST",
        f"/object_manager_attributes_{name}",
        "Does nothing: changes of fields take effect at once.",
        _WRITERS,
        (NOTHING,),
        Example(f"/object_manager_attributes_{name}"),
        "",
        (),
        (REFUSED,),
        _WRITE,
    )


ATTRIBUTES = Section(
    "attributes",
    "Fields",
    "Which fields tickets, users, groups and organizations have. Fields can be added to tickets;"
    " they are there at once, in every API and in the workspace.",
    (
        Operation(
            "GET",
            "/object_manager_attributes",
            "Lists all fields, built-in ones first.",
            _WRITERS,
            (Answer(200, "All of them.", list_of(ref("Attribute"))),),
            Example("/object_manager_attributes"),
            "",
            (),
            (REFUSED,),
            _WRITE,
        ),
        Operation(
            "POST",
            "/object_manager_attributes",
            "Adds a field to tickets.",
            _WRITERS,
            (Answer(201, "The new field.", ref("Attribute")),),
            Example(
                "/object_manager_attributes",
                sends(
                    {
                        "object": "Ticket",
                        "name": "serial_number",
                        "display": "Serial number",
                        "data_type": "input",
                        "data_option": {"type": "text", "maxlength": 40},
                    }
                ),
                201,
            ),
            "",
            (
                body("object", "`Ticket`.", one_of("Ticket"), required=True),
                body(
                    "name",
                    "A small letter, then small letters, digits and underscores.",
                    {"type": "string", "pattern": "^[a-z][a-z0-9_]{0,49}$"},
                    required=True,
                ),
                body("data_type", "The type.", _DATA_TYPE, required=True),
                *_ATTRIBUTE_KEYS,
            ),
            (
                REFUSED,
                Failure(422, "The attribute 'shade' exists already.", "The name is taken."),
                Failure(
                    422,
                    'The name "Id" is not possible for an attribute: …',
                    "It is no name, or that of a built-in one.",
                ),
                Failure(
                    422,
                    "The 'options' of an attribute need at least one value, each a text and each"
                    " once.",
                    "A select has nothing to choose from.",
                ),
            ),
            _WRITE,
        ),
        Operation(
            "GET",
            "/object_manager_attributes/{attribute_id}",
            "Shows a field.",
            _WRITERS,
            (_ATTRIBUTE,),
            Example("/object_manager_attributes/8642"),
            "",
            (_ON_ATTRIBUTE,),
            (REFUSED, _NO_ATTRIBUTE),
            _WRITE,
        ),
        _CHANGE_ATTRIBUTE,
        _CHANGE_ATTRIBUTE.as_verb("POST", summary="Does the same, for clients that say it so."),
        Operation(
            "DELETE",
            "/object_manager_attributes/{attribute_id}",
            "Removes an added field with its values.",
            _WRITERS,
            (NOTHING,),
            Example("/object_manager_attributes/8642"),
            "",
            (_ON_ATTRIBUTE,),
            (REFUSED, _NO_ATTRIBUTE, _BUILT_IN),
            _WRITE,
        ),
        _no_need("discard_changes"),
        _no_need("execute_migrations"),
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

_RIGHT = ("admin.monitoring",)
_WATCHERS = "Whoever has the monitoring token, and administrators of monitoring."
_TOKEN = query("token", "The monitoring token, in place of an account.")
_NO_TOKEN = Failure(403, "Not authorized", "It is not the token.")

MONITORING = Section(
    "monitoring",
    "Monitoring",
    "For systems that watch the desk. They need no account, only the monitoring token.",
    (
        Operation(
            "GET",
            "/monitoring/health_check",
            "Says whether somebody should look, and at what.",
            _WATCHERS,
            (
                Answer(
                    200,
                    "Healthy or not, and why.",
                    record(
                        {
                            "healthy": BOOLEAN,
                            "message": TEXT,
                            "issues": TEXTS,
                            "actions": TEXTS,
                            "token": TEXT,
                        }
                    ),
                ),
            ),
            Example("/monitoring/health_check"),
            "",
            (_TOKEN,),
            (REFUSED, _NO_TOKEN),
            _RIGHT,
        ),
        Operation(
            "GET",
            "/monitoring/status",
            "Says how much there is.",
            _WATCHERS,
            (
                Answer(
                    200,
                    "Counts, and when the last of each came.",
                    record(
                        {
                            "counts": map_of(INTEGER),
                            "last_created_at": map_of(nullable(MOMENT)),
                            "last_login": nullable(MOMENT),
                            "agents": INTEGER,
                            "storage": map_of(INTEGER),
                        }
                    ),
                ),
            ),
            Example("/monitoring/status"),
            "",
            (_TOKEN,),
            (REFUSED, _NO_TOKEN),
            _RIGHT,
        ),
        Operation(
            "GET",
            "/monitoring/amount_check",
            "Says whether as many tickets come in as should.",
            _WATCHERS,
            (
                Answer(
                    200,
                    "How many; with limits also whether that is right.",
                    record(
                        {
                            "count": INTEGER,
                            "state": one_of("ok", "warning", "critical"),
                            "message": TEXT,
                        },
                        optional=("state", "message"),
                    ),
                ),
            ),
            Example("/monitoring/amount_check?periode=1h&max_warning=50"),
            "",
            (
                _TOKEN,
                query(
                    "periode",
                    "How far to look back: a number and `s`, `m`, `h` or `d`.",
                    {"type": "string", "pattern": "^[1-9][0-9]{0,5}[smhd]$"},
                    required=True,
                ),
                *(
                    query(f"{side}_{state}", text, {"type": "integer", "minimum": 0})
                    for side, text in (
                        ("max", "More than these are too many."),
                        ("min", "These, or fewer, are too few."),
                    )
                    for state in ("critical", "warning")
                ),
            ),
            (
                REFUSED,
                _NO_TOKEN,
                Failure(422, "The required parameter 'periode' is missing.", "It is."),
                Failure(
                    422,
                    "'periode' needs a number, and s, m, h or d at its end.",
                    "It has another form.",
                ),
            ),
            _RIGHT,
        ),
        Operation(
            "POST",
            "/monitoring/token",
            "Makes another token; the present one is of no use then.",
            "Administrators of monitoring.",
            (Answer(201, "The token.", record({"token": TEXT})),),
            Example("/monitoring/token", status=201),
            "",
            (),
            (REFUSED,),
            _RIGHT,
        ),
        Operation(
            "POST",
            "/monitoring/restart_failed_jobs",
            "Tries once more what was given up.",
            "Administrators of monitoring.",
            (NOTHING,),
            Example("/monitoring/restart_failed_jobs"),
            "",
            (),
            (REFUSED,),
            _RIGHT,
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
