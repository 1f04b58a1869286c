"""The dialect as it describes itself: every address and verb, for its page and its document."""

from __future__ import annotations

from deskbell.api.zammad.reference import around, desk, people, tickets, ties
from deskbell.api.zammad.reference.schemas import SCHEMAS
from deskbell.api.zammad.views.vocabulary import VERSION
from deskbell.kernel.reference import Failure, Reference, Topic, ref

TOPICS = (
    Topic(
        "introduction",
        "Introduction",
        "This is the ticket side of Zammad's REST API: clients that were written for it work here"
        " unchanged, only the address is another one. Ids of states, priorities, roles and article"
        " types are Zammad's own, and so are the texts of errors.\n\n"
        "The same tickets can be reached through the form API, through the django-helpdesk API, by"
        " mail, and in the workspace.",
    ),
    Topic(
        "authentication",
        "Signing in",
        "Send an account's login or address and its password with HTTP Basic:\n\n"
        "curl:/users/me --user susan:fido\n\n"
        "or an API token, as `Token token=` or as `Bearer`:\n\n"
        "curl:/users/me --header 'Authorization: Token token=<key>'\n\n"
        "curl:/users/me --header 'Authorization: Bearer <key>'\n\n"
        "A token lets through what it was given and its owner has. Without credentials a call"
        " hears 403, with wrong ones 401; the header `X-Failure` says the same as the body.\n\n"
        "Administrators of users can act for somebody else: the header `From` names him by id,"
        " login or address (`X-On-Behalf-Of` is its older name).",
    ),
    Topic(
        "requests",
        "Requests and answers",
        "Bodies are JSON in UTF-8; parameters of the address and keys of the body are one set,"
        " also with `GET` and `DELETE`. What nobody knows is ignored.\n\n"
        "Moments are in UTC with milliseconds (`2031-05-06T07:08:09.123Z`). The number of a"
        " ticket is a text. `POST` answers 201, everything else 200. `HEAD` works wherever `GET`"
        " does.",
    ),
    Topic(
        "forms",
        "Forms of an answer",
        "`expand=true` puts names beside ids, in reading and writing alike. `full=true` answers"
        " ids and `assets`: every row around them, by class and id. `all=true` answers one ticket"
        " with everything that hangs on it. Of several, `expand` comes first, then `full`, then"
        " `all`; in searches `only_total_count`, then `full`, then `expand`.",
    ),
    Topic(
        "paging",
        "Pages",
        "`page` counts from 1, `per_page` (or `limit`) says how long a page is. A page behind the"
        " last is `[]`, a length beyond the limit is cut to it.",
    ),
    Topic(
        "errors",
        "Errors",
        'A failure is `{"error": "…", "error_human": "…"}`, both with the same text. The tables'
        " show the text.",
    ),
)

_FAILURES = (
    Failure(400, "The body is no valid JSON: …", "The request cannot be read."),
    Failure(401, "Invalid BasicAuth credentials", "Login or password is wrong."),
    Failure(401, "Can't find User for Token", "There is no such token."),
    Failure(401, "Not authorized (token expired)!", "Its day has come."),
    Failure(403, "Authentication required", "Nobody is signed in."),
    Failure(404, "No route matches [GET] /api/v1/nope", "There is nothing at this address."),
    Failure(413, "The request is too large.", "It is larger than this server takes."),
    Failure(422, "Invalid value 'x' for field 'y'!", "A value makes no sense for its key."),
    Failure(503, "The desk is busy, please try again.", "Try after `Retry-After` seconds."),
)

REFERENCE = Reference(
    name="zammad",
    title="The Zammad API",
    lead="Tickets, articles, people and all that ties them together, as Zammad's clients know it.",
    below="api/v1",
    version=VERSION,
    topics=TOPICS,
    sections=(
        tickets.TICKETS,
        around.MANY,
        tickets.SEARCH,
        tickets.ARTICLES,
        around.TIMES,
        around.AROUND,
        around.NOTIFICATIONS,
        ties.TAGS,
        ties.TAG_LIST,
        ties.LINKS,
        ties.MENTIONS,
        ties.PAST,
        people.USERS,
        people.ORGANIZATIONS,
        people.GROUPS,
        people.ADDRESSES,
        people.ROLES,
        desk.STATES,
        desk.ATTRIBUTES,
        desk.TOKENS,
        desk.SESSIONS,
        desk.MONITORING,
        desk.VERSION,
    ),
    schemas=SCHEMAS,
    security={
        "basic": {
            "type": "http",
            "scheme": "basic",
            "description": "Login or address, and password.",
        },
        "token": {
            "type": "apiKey",
            "in": "header",
            "name": "Authorization",
            "description": "`Token token=` and the key of an API token.",
        },
        "bearer": {
            "type": "http",
            "scheme": "bearer",
            "description": "The key of an API token.",
        },
        "session": {
            "type": "apiKey",
            "in": "cookie",
            "name": "sessionid",
            "description": "A browser that is signed in; to write, with the header X-CSRF-Token.",
        },
    },
    failures=_FAILURES,
    failure_schema=ref("Error"),
    failure_schemas={},
)
