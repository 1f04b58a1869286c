"""What stands around tickets: many at once, time spent, notifications, what was viewed, figures."""

from __future__ import annotations

from deskbell.api.zammad.reference.common import (
    AGENTS,
    BAD_ORDER,
    EXPAND,
    FULL,
    HIDDEN,
    NOTHING,
    REFUSED,
    SIGNED_IN,
    SORT,
    Collection,
    body,
    by_post,
    paging,
    unknown,
)
from deskbell.api.zammad.reference.schemas import IDS
from deskbell.kernel.reference import (
    BOOLEAN,
    ID,
    NUMBER,
    OBJECT,
    TEXT,
    Answer,
    Example,
    Failure,
    Operation,
    Parameter,
    Section,
    any_of,
    list_of,
    nullable,
    one_of,
    path,
    query,
    record,
    ref,
    sends,
)

_NO_TICKET = unknown("Ticket")
_AGENT = ("ticket.agent",)
_READERS = "Agents with read access to the group."
_CHANGERS = "Agents with change access to the group."
_ON_TICKET = path("ticket_id", "The id of the ticket.")

# --- many at once --------------------------------------------------------------------------------

MASS_UPDATE = Operation(
    "POST",
    "/tickets/mass_update",
    "Changes many tickets, adds an article to each, or both.",
    "Agents with change access to all of them.",
    (Answer(200, "The tickets after it.", record({"ticket_ids": IDS, "assets": ref("Assets")})),),
    Example(
        "/tickets/mass_update",
        sends({"ticket_ids": [31794], "attributes": {"state": "closed"}, "article": None}),
    ),
    'Either all of them change or none: `{"error": true, "ticket_id": 31794}` names the first'
    " that cannot.",
    (
        body("ticket_ids", "At most 200 ids.", IDS, required=True),
        body(
            "attributes",
            "What is to change, with the keys of `PUT /tickets/{ticket_id}`; what is empty is"
            " passed over.",
            nullable(OBJECT),
            default="nothing",
        ),
        body(
            "article",
            "One more article for each, with the keys of `POST /ticket_articles`.",
            nullable(OBJECT),
            default="none",
        ),
    ),
    (
        REFUSED,
        _NO_TICKET,
        Failure(422, "'ticket_ids' has more than 200 entries.", "Send fewer at once."),
    ),
    _AGENT,
)

MANY = Section(
    "many",
    "Many tickets at once",
    "",
    (MASS_UPDATE,),
)

# --- time spent ----------------------------------------------------------------------------------

_KEEPER = ("admin.time_accounting",)
_TIME_READERS = ("ticket.agent", "admin.time_accounting")
_WHO_READS = "Agents with read access to the group, and administrators of time accounting."
_WHO_KEEPS = "Administrators of time accounting."
_NO_TIME = unknown("Ticket::TimeAccounting")
_ON_TIME = path("time_id", "The id of the entry.")
_TIME_SHOWN = any_of(ref("TimeEntry"), ref("WithAssets"))
_TIME_KEYS = (
    body("time_unit", "Minutes.", any_of(NUMBER, TEXT), required=True),
    body("type_id", "What it was spent on; or `type` with a name.", nullable(ID), default="null"),
    body("ticket_article_id", "The article it went into.", nullable(ID), default="null"),
)
_OTHER_TIME = tuple(
    Parameter(one.name, one.text, one.schema, default="as it is") for one in _TIME_KEYS
)
_NO_UNIT = Failure(422, "Missing required value for field 'time_unit'!", "There is no time given.")
_BAD_UNIT = Failure(422, "Invalid value 'x' for field 'time_unit'!", "Those are no minutes.")


def _times(place: str, *, below_ticket: bool) -> tuple[Operation, ...]:
    """The operations on entries: below a ticket, and by themselves."""
    on = (_ON_TICKET,) if below_ticket else ()
    sample = place.replace("{ticket_id}", "31794")
    of_ticket = () if below_ticket else (query("ticket_id", "Only those of a ticket.", ID),)
    in_body = (
        () if below_ticket else (body("ticket_id", "The id of the ticket.", ID, required=True),)
    )
    new: dict[str, object] = {"time_unit": "15"}
    if not below_ticket:
        new["ticket_id"] = 31794
    return (
        Operation(
            "GET",
            place,
            "Lists the time spent on a ticket." if below_ticket else "Lists time spent.",
            _WHO_READS,
            (Answer(200, "A page of entries.", any_of(list_of(ref("TimeEntry")), ref("Records"))),),
            Example(sample),
            "",
            (*on, *of_ticket, *paging(500, 1000), *SORT, EXPAND, FULL),
            (REFUSED, HIDDEN, _NO_TICKET, BAD_ORDER),
            _TIME_READERS,
        ),
        Operation(
            "POST",
            place,
            "Records time spent on a ticket.",
            _CHANGERS,
            (Answer(201, "The entry.", _TIME_SHOWN),),
            Example(sample, sends(new), 201),
            "",
            (*on, EXPAND, FULL, *in_body, *_TIME_KEYS),
            (REFUSED, HIDDEN, _NO_TICKET, _NO_UNIT, _BAD_UNIT),
            _AGENT,
        ),
        Operation(
            "GET",
            f"{place}/{{time_id}}",
            "Shows an entry.",
            _WHO_READS,
            (Answer(200, "The entry.", _TIME_SHOWN),),
            Example(f"{sample}/3344"),
            "",
            (*on, _ON_TIME, EXPAND, FULL),
            (REFUSED, HIDDEN, _NO_TIME),
            _TIME_READERS,
        ),
        Operation(
            "PUT",
            f"{place}/{{time_id}}",
            "Corrects an entry.",
            _WHO_KEEPS,
            (Answer(200, "The entry.", _TIME_SHOWN),),
            Example(f"{sample}/3344", sends({"time_unit": "20"})),
            "",
            (*on, _ON_TIME, EXPAND, FULL, *_OTHER_TIME),
            (REFUSED, _NO_TIME, _BAD_UNIT),
            _KEEPER,
        ),
        Operation(
            "DELETE",
            f"{place}/{{time_id}}",
            "Takes an entry away.",
            _WHO_KEEPS,
            (NOTHING,),
            Example(f"{sample}/3344"),
            "",
            (*on, _ON_TIME),
            (REFUSED, _NO_TIME),
            _KEEPER,
        ),
    )


_TYPES = Collection(
    "time_accounting/types",
    "type_id",
    schema="TimeType",
    class_name="Ticket::TimeAccounting::Type",
    word="type of time",
    words="types of time",
    sample=3551,
    columns=(
        body("name", "What time is spent on; every one has its own.", TEXT, required=True),
        body("note", "For the desk to know.", nullable(TEXT), default="null"),
        body("active", "Whether it can be chosen.", nullable(BOOLEAN), default="true"),
    ),
)
_TAKEN = Failure(422, "This object already exists.", "The name is taken.")


def _log(by: str, text: str, keys: dict[str, object]) -> Operation:
    return Operation(
        "GET",
        f"/time_accounting/log/by_{by}/{{year}}/{{month}}",
        text,
        _WHO_KEEPS,
        (Answer(200, "The lines of the month.", list_of(record(keys))),),  # type: ignore[arg-type]
        Example(f"/time_accounting/log/by_{by}/2031/5"),
        "",
        (
            path("year", "The year.", {"type": "integer", "minimum": 1000, "maximum": 9998}),
            path("month", "The month, in UTC.", {"type": "integer", "minimum": 1, "maximum": 12}),
            *paging(5000, 5000),
        ),
        (REFUSED, Failure(422, "Invalid value '2031-13' for field 'month'!", "No such month.")),
        _KEEPER,
    )


_LINE: dict[str, object] = {
    "ticket": OBJECT,
    "customer": TEXT,
    "organization": TEXT,
    "agent": TEXT,
    "time_unit": TEXT,
}
_COMPANY = nullable(ref("Organization"))

TIMES = Section(
    "time-accounting",
    "Time accounting",
    "Time spent on tickets, in minutes. What an article says in `time_unit` is recorded here, too.",
    (
        *_times("/time_accountings", below_ticket=False),
        *_times("/tickets/{ticket_id}/time_accountings", below_ticket=True),
        _TYPES.listing(_WHO_READS, _TIME_READERS),
        _TYPES.creating(_WHO_KEEPS, _KEEPER, {"name": "on the phone"}, (_TAKEN,)),
        _TYPES.showing(_WHO_READS, _TIME_READERS),
        _TYPES.changing(_WHO_KEEPS, _KEEPER, {"active": False}, (_TAKEN,)),
        _log("ticket", "Sums up a month by ticket.", {**_LINE, "time_unit_per_ticket": TEXT}),
        _log("activity", "Lists every entry of a month.", {**_LINE, "type": TEXT}),
        _log(
            "customer",
            "Sums up a month by customer.",
            {"customer": ref("User"), "organization": _COMPANY, "time_unit": TEXT},
        ),
        _log(
            "organization",
            "Sums up a month by organization.",
            {"organization": ref("Organization"), "time_unit": TEXT},
        ),
    ),
)

# --- what one was told ---------------------------------------------------------------------------

_ON_NOTE = path("notification_id", "The id of one of the caller's notifications.")
_NOTE_SHOWN = Answer(200, "The notification.", any_of(ref("OnlineNotification"), ref("WithAssets")))
_NOTE_FAILURES = (
    Failure(403, "Not authorized", "It is somebody else's."),
    unknown("OnlineNotification"),
)
_OWNER = "Its receiver."
_ALL_READ = Operation(
    "POST",
    "/online_notifications/mark_all_as_read",
    "Marks all of the caller's as seen.",
    SIGNED_IN,
    (NOTHING,),
    Example("/online_notifications/mark_all_as_read"),
)

NOTIFICATIONS = Section(
    "online-notifications",
    "Notifications",
    "What happened to the caller's tickets while he was doing something else.",
    (
        Operation(
            "GET",
            "/online_notifications",
            "Lists the caller's notifications, newest first.",
            SIGNED_IN,
            (
                Answer(
                    200,
                    "At most 200.",
                    any_of(list_of(ref("OnlineNotification")), ref("Records")),
                ),
            ),
            Example("/online_notifications?expand=true"),
            "",
            (*paging(200, 200), EXPAND, FULL),
        ),
        _ALL_READ,
        _ALL_READ.as_verb("PUT", summary="Does the same, for clients that say it so."),
        Operation(
            "GET",
            "/online_notifications/{notification_id}",
            "Shows a notification.",
            _OWNER,
            (_NOTE_SHOWN,),
            Example("/online_notifications/6611"),
            "",
            (_ON_NOTE, EXPAND, FULL),
            _NOTE_FAILURES,
        ),
        Operation(
            "PUT",
            "/online_notifications/{notification_id}",
            "Marks a notification as seen, or as not seen.",
            _OWNER,
            (_NOTE_SHOWN,),
            Example("/online_notifications/6611", sends({"seen": True})),
            "",
            (
                _ON_NOTE,
                EXPAND,
                FULL,
                body("seen", "Whether it was seen.", nullable(BOOLEAN), default="as it is"),
            ),
            _NOTE_FAILURES,
        ),
        Operation(
            "DELETE",
            "/online_notifications/{notification_id}",
            "Takes a notification away.",
            _OWNER,
            (NOTHING,),
            Example("/online_notifications/6611"),
            "",
            (_ON_NOTE,),
            _NOTE_FAILURES,
        ),
    ),
)

# --- around a ticket -----------------------------------------------------------------------------

_NEIGHBOURS = Answer(
    200,
    "Ids, and the tickets in `assets`.",
    record(
        {
            "assets": ref("Assets"),
            "ticket_ids_by_customer": IDS,
            "ticket_ids_recent_viewed": IDS,
        }
    ),
)
_STATS = Operation(
    "GET",
    "/ticket_stats",
    "Counts the tickets of a person or of organizations.",
    SIGNED_IN,
    (
        Answer(
            200,
            "Ids of open and closed tickets, and how many a month for twelve months; only what the"
            " caller may read.",
            record(
                {
                    "user": any_of(ref("Figures"), ref("Nothing")),
                    "organization": any_of(ref("Figures"), ref("Nothing")),
                    "assets": ref("Assets"),
                }
            ),
        ),
    ),
    Example("/ticket_stats?user_id=4107"),
    "",
    (
        query("user_id", "The id of the person.", ID),
        query("organization_id", "The id of an organization.", ID),
    ),
    (
        Failure(422, "Need user_id or organization_id as param", "One of them is needed."),
        Failure(422, "No such user with id 999", "There is no such person."),
        Failure(422, "No such organization with id 999", "There is no such organization."),
    ),
)

AROUND = Section(
    "around",
    "Around a ticket",
    "What agents want to see beside the ticket at hand.",
    (
        Operation(
            "GET",
            "/ticket_customer",
            "Lists the newest open and closed tickets of a customer.",
            AGENTS,
            (
                Answer(
                    200,
                    "At most 15 of each, and the tickets in `assets`.",
                    record(
                        {
                            "ticket_ids_open": IDS,
                            "ticket_ids_closed": IDS,
                            "assets": ref("Assets"),
                        }
                    ),
                ),
            ),
            Example("/ticket_customer?customer_id=4107"),
            "",
            (query("customer_id", "The id of the customer.", ID, required=True),),
            (REFUSED,),
            _AGENT,
        ),
        Operation(
            "GET",
            "/ticket_related/{ticket_id}",
            "Lists other tickets of the same customer, and those looked at lately.",
            _READERS,
            (_NEIGHBOURS,),
            Example("/ticket_related/31794"),
            "",
            (_ON_TICKET,),
            (REFUSED, HIDDEN, _NO_TICKET),
            _AGENT,
        ),
        Operation(
            "GET",
            "/ticket_recent",
            "Lists the tickets the caller looked at lately.",
            AGENTS,
            (_NEIGHBOURS,),
            Example("/ticket_recent"),
            "",
            (),
            (REFUSED,),
            _AGENT,
        ),
        _STATS,
        by_post(_STATS, sends({"user_id": 4107})),
        Operation(
            "GET",
            "/ticket_split",
            "Prepares an article to open another ticket from.",
            _READERS,
            (
                Answer(
                    200,
                    "Ticket and article in `assets`; its files wait under the `form_id`.",
                    record({"assets": ref("Assets"), "attachments": list_of(ref("Attachment"))}),
                ),
            ),
            Example("/ticket_split?ticket_id=31794&article_id=52816&form_id=f-2"),
            "",
            (
                query("ticket_id", "The id of the ticket.", ID, required=True),
                query("article_id", "The id of the article.", ID, required=True),
                query("form_id", "Any word, to be sent with the new article.", required=True),
            ),
            (
                REFUSED,
                HIDDEN,
                _NO_TICKET,
                unknown("Ticket::Article"),
                Failure(422, "The required parameter 'form_id' is missing.", "There is none."),
            ),
            _AGENT,
        ),
        Operation(
            "GET",
            "/recent_view",
            "Lists what the caller looked at lately.",
            SIGNED_IN,
            (Answer(200, "At most ten.", any_of(list_of(ref("RecentView")), ref("Records"))),),
            Example("/recent_view"),
            "",
            (EXPAND, FULL),
        ),
        Operation(
            "POST",
            "/recent_view",
            "Notes that the caller looks at something.",
            SIGNED_IN,
            (Answer(200, "`ok`, also where there is no such thing.", record({"message": TEXT})),),
            Example("/recent_view", sends({"object": "Ticket", "o_id": 31794})),
            "",
            (
                body(
                    "object",
                    "What kind of thing.",
                    one_of("Ticket", "User", "Organization"),
                    required=True,
                ),
                body("o_id", "Its id.", ID, required=True),
            ),
            (Failure(422, "Invalid value 'x' for field 'object'!", "There is no such kind."),),
        ),
    ),
)
