"""The dialect as it describes itself: every address and verb, for its page and its document."""

from __future__ import annotations

from deskbell.api.helpdesk.names import COLLECTIONS, TITLE_LIMIT
from deskbell.kernel.reference import (
    ADDRESS,
    ANY,
    BOOLEAN,
    FILE,
    FORM,
    ID,
    INTEGER,
    JSON,
    MOMENT,
    MULTIPART,
    TEXT,
    Answer,
    Example,
    Failure,
    Operation,
    Parameter,
    Reference,
    Schema,
    Section,
    Topic,
    any_of,
    fills,
    list_of,
    map_of,
    nullable,
    path,
    query,
    record,
    ref,
    sends,
)
from deskbell.tickets.vocabulary import PRIORITY_LABELS, STATUS_LABELS

BODIES = (JSON, FORM, MULTIPART)
STAFF = "Staff: agents and administrators."
STATUS: Schema = {"type": "integer", "enum": list(STATUS_LABELS)}
PRIORITY: Schema = {"type": "integer", "enum": list(PRIORITY_LABELS)}
TITLE: Schema = {"type": "string", "maxLength": TITLE_LIMIT, "minLength": 1}
URL: Schema = {"type": "string", "format": "uri"}


def _said(names: dict[int, str]) -> str:
    return ", ".join(f"{number} {label}" for number, label in names.items())


_STATUSES = _said({number: str(label) for number, label in STATUS_LABELS.items()})
_PRIORITIES = _said(
    {number: str(label).partition(". ")[2] for number, label in PRIORITY_LABELS.items()}
)

# --- schemas -------------------------------------------------------------------------------------

_CUSTOM: dict[str, Schema] = {
    "^custom_": {
        "description": "A field this desk has added to tickets. OPTIONS says which there are.",
        "type": ["string", "integer", "number", "boolean", "null"],
    }
}


def _page_of(name: str) -> Schema:
    return record(
        {
            "count": {"type": "integer", "minimum": 0},
            "next": nullable(URL),
            "previous": nullable(URL),
            "results": list_of(ref(name)),
        }
    )


SCHEMAS: dict[str, Schema] = {
    "Ticket": record(
        {
            "id": ID,
            "queue": ID,
            "title": TEXT,
            "description": nullable(TEXT),
            "resolution": nullable(TEXT),
            "submitter_email": nullable(TEXT),
            "assigned_to": nullable(ID),
            "status": STATUS,
            "on_hold": BOOLEAN,
            "priority": PRIORITY,
            "due_date": nullable(MOMENT),
            "merged_to": nullable(ID),
            "followup_set": list_of(ref("FollowUp")),
        },
        patternProperties=_CUSTOM,
        additionalProperties=False,
        description="A ticket with its entries, oldest first.",
    ),
    "FollowUp": record(
        {
            "id": ID,
            "ticket": ID,
            "user": nullable(ID),
            "title": TEXT,
            "comment": TEXT,
            "public": BOOLEAN,
            "new_status": nullable(STATUS),
            "time_spent": nullable(TEXT),
            "followupattachment_set": list_of(ref("Attachment")),
            "date": MOMENT,
            "message_id": nullable(TEXT),
            "email_recipients": nullable(list_of(TEXT)),
        },
        additionalProperties=False,
        description="An entry of a ticket.",
    ),
    "Attachment": record(
        {
            "id": ID,
            "followup": ID,
            "file": URL,
            "filename": TEXT,
            "mime_type": TEXT,
            "size": {"type": "integer", "minimum": 0},
        },
        additionalProperties=False,
        description="A file of an entry. The address in `file` asks for the same sign-in.",
    ),
    "UserTicket": record(
        {
            "ticket": TEXT,
            "id": ID,
            "title": TEXT,
            "queue": ref("Queue"),
            "status": TEXT,
            "created": MOMENT,
            "due_date": nullable(MOMENT),
            "submitter": nullable(TEXT),
            "kbitem": TEXT,
            "secret_key": TEXT,
        },
        patternProperties=_CUSTOM,
        additionalProperties=False,
        description="A ticket as the customer who asked sees it.",
    ),
    "Queue": record({"title": TEXT, "id": ID}, additionalProperties=False),
    "User": record(
        {"first_name": TEXT, "last_name": TEXT, "username": TEXT, "email": TEXT},
        additionalProperties=False,
        description="A customer account that was just made. Its password is never shown.",
    ),
    "TicketPage": _page_of("Ticket"),
    "FollowUpPage": _page_of("FollowUp"),
    "AttachmentPage": _page_of("Attachment"),
    "UserTicketPage": _page_of("UserTicket"),
    "Collections": record(dict.fromkeys(COLLECTIONS, URL), additionalProperties=False),
    "Detail": record({"detail": TEXT}, description="Why something was refused."),
    "FieldErrors": map_of(any_of(list_of(TEXT), map_of(list_of(TEXT)))),
    "BadRequest": any_of(ref("FieldErrors"), ref("Detail")),
    "Options": record(
        {
            "name": TEXT,
            "description": TEXT,
            "renders": list_of(TEXT),
            "parses": list_of(TEXT),
            "actions": map_of(map_of(ref("Field"))),
        },
        optional=["actions"],
        description="What an address takes and gives, and the fields that can be written there.",
    ),
    "Field": record(
        {
            "type": TEXT,
            "required": BOOLEAN,
            "read_only": BOOLEAN,
            "label": TEXT,
            "help_text": TEXT,
            "max_length": INTEGER,
            "choices": list_of(record({"value": ANY, "display_name": TEXT})),
        },
        optional=["label", "help_text", "max_length", "choices"],
        additionalProperties=True,
    ),
}

# --- what comes back and what goes wrong ---------------------------------------------------------

_REQUIRED = "This field is required."
_BLANK = "This field may not be blank."


def _wrong(field: str, text: str, why: str) -> Failure:
    return Failure(400, f'{{"{field}":["{text}"]}}', why)


def _none(model: str) -> Failure:
    return Failure(
        404,
        f'{{"detail":"No {model} matches the given query."}}',
        "There is no such row, or it is not for this account.",
    )


_NO_TICKET, _NO_FOLLOWUP = _none("Ticket"), _none("FollowUp")
_NO_FILE = _none("FollowUpAttachment")
_NO_PAGE = Failure(404, '{"detail":"Invalid page."}', "There is no such page.")
_DENIED = Failure(
    403,
    '{"detail":"You do not have permission to perform this action."}',
    "The account may read the row, but not change it.",
)
_BAD_PK = _wrong(
    "queue",
    'Invalid pk \\"999\\" - object does not exist.',
    "An id names nothing this account may name; the same for `assigned_to` and `merged_to`.",
)
_BAD_CHOICE = _wrong("priority", '\\"9\\" is not a valid choice.', "The same for `status`.")
_NO_TITLE = _wrong(
    "title", _REQUIRED, "Something required is missing. All wrong fields come together."
)
_LONG_TITLE = _wrong(
    "title",
    f"Ensure this field has no more than {TITLE_LIMIT} characters.",
    "The title is too long.",
)
_BAD_ENDING = "Unsupported file extension: .exe"

_FORMAT = query(
    "format",
    "`json` or `api` (a page for people); beats the Accept header.",
    default="as `Accept` says",
)
_PAGE = (
    query(
        "page",
        "The page, from 1, or `last`.",
        any_of({"type": "integer", "minimum": 1}, {"enum": ["last"]}),
        default="1",
    ),
    query(
        "page_size",
        "How many rows a page has, up to 5000.",
        {"type": "integer", "minimum": 1, "maximum": 5000},
        default="25",
    ),
)

# --- the fields of a ticket ----------------------------------------------------------------------


def _ticket_fields(*, opening: bool, whole: bool) -> tuple[Parameter, ...]:
    """What can be written. ``whole``: queue and title have to be sent."""
    kept = "" if opening else "as it is"
    fields = [
        Parameter(
            "queue",
            "Where the ticket goes: the id of a queue in which the account may open tickets.",
            ID,
            required=whole,
            default="" if whole else kept,
        ),
        Parameter(
            "title",
            f"What it is about, in at most {TITLE_LIMIT} characters.",
            TITLE,
            required=whole,
            default="" if whole else kept,
        ),
        Parameter(
            "description",
            "The whole story, as plain text. It becomes the text of the first entry."
            if opening
            else "The whole story, as plain text.",
            {"type": "string", "minLength": 1} if opening else nullable(TEXT),
            required=opening,
            default=kept,
        ),
        Parameter(
            "submitter_email",
            "The customer's address. Whoever has it becomes the customer; an address that nobody"
            " has yet makes a new one.",
            nullable(ADDRESS),
            default=kept or "no customer",
        ),
        Parameter(
            "assigned_to",
            "The person in charge: the id of an active account; null for nobody.",
            nullable(ID),
            default=kept or "nobody",
        ),
        Parameter("priority", f"One of {_PRIORITIES}.", PRIORITY, default=kept or "3"),
        Parameter(
            "status",
            f"One of {_STATUSES}."
            + (" A new ticket is open, whatever is sent." if opening else " Any follows any."),
            STATUS,
            default=kept or "1",
        ),
        Parameter(
            "on_hold",
            "Whether the ticket waits and does not escalate."
            + (" A new ticket is not on hold, whatever is sent." if opening else ""),
            BOOLEAN,
            default=kept or "false",
        ),
        Parameter(
            "due_date",
            "When it is due: a date or a moment in ISO 8601, UTC unless it says otherwise.",
            nullable(MOMENT),
            default=kept or "null",
        ),
        Parameter(
            "merged_to",
            "The ticket this one is a duplicate of."
            + (" Checked, and then left empty." if opening else " Entries stay where they are."),
            nullable(ID),
            default=kept or "null",
        ),
    ]
    if opening:
        fields.append(
            Parameter(
                "attachment",
                "One file, kept with the first entry. In a multipart form only.",
                FILE,
                default="none",
            )
        )
    else:
        fields.append(
            Parameter("resolution", "What was found and done.", nullable(TEXT), default=kept)
        )
    fields.append(
        Parameter(
            "custom_…",
            "A value for one of the fields this desk has added to tickets: `custom_` and the name"
            " of the field. `OPTIONS` lists them, with their types.",
            ANY,
            default=kept,
        )
    )
    return tuple(fields)


_TICKET_ERRORS = (
    _NO_TITLE,
    _LONG_TITLE,
    _wrong("title", _BLANK, "The title is empty, or blank."),
    _BAD_PK,
    _BAD_CHOICE,
    _wrong("submitter_email", "Enter a valid email address.", "That is no address."),
    _wrong("on_hold", "Must be a valid boolean.", "That is neither true nor false."),
    _wrong(
        "due_date",
        "Datetime has wrong format. Use one of these formats instead:"
        " YYYY-MM-DDThh:mm[:ss[.uuuuuu]][+HH:MM|-HH:MM|Z].",
        "That is no moment.",
    ),
)
_ON_TICKET = path("id", "The id of the ticket.")
_TICKET = Answer(200, "The whole ticket.", ref("Ticket"))

TICKETS = Section(
    "tickets",
    "Tickets",
    "A ticket comes with its entries and their files. The account sees the tickets of the queues it"
    " has access to; all others are not there for it.",
    (
        Operation(
            "GET",
            "/tickets/",
            "Lists tickets, a page at a time.",
            STAFF,
            (Answer(200, "A page of tickets, ordered by id.", ref("TicketPage")),),
            Example("/tickets/?status=1,2&page_size=10"),
            "The links in `next` and `previous` keep all other parameters.",
            (
                query(
                    "status",
                    f"Numbers separated by commas: {_STATUSES}. Unknown ones count for nothing.",
                    default="all",
                ),
                query(
                    "search",
                    "Words, or the query language of the desk's search: `printer status:open`.",
                    default="all",
                ),
                query(
                    "ordering",
                    "Names separated by commas, with `-` for the other way round: `id`, `queue`,"
                    " `title`, `assigned_to`, `status`, `priority`, `due_date`, `created`,"
                    " `modified`.",
                    default="id",
                ),
                *_PAGE,
                _FORMAT,
            ),
            (_NO_PAGE,),
        ),
        Operation(
            "POST",
            "/tickets/",
            "Opens a ticket.",
            f"{STAFF} The account needs the right to open tickets in the queue.",
            (Answer(201, "The new ticket, with the entry that opened it.", ref("Ticket")),),
            Example(
                "/tickets/",
                sends(
                    {
                        "queue": 1,
                        "title": "The printer on the second floor is on fire",
                        "description": "It began to smoke this morning.",
                        "submitter_email": "kemal@example.com",
                        "priority": 2,
                    }
                ),
                201,
            ),
            "The customer, the owner and the addresses of the queue are told by mail."
            " Whatever is wrong is said in one answer, and nothing is stored then.",
            _ticket_fields(opening=True, whole=True),
            (
                *_TICKET_ERRORS,
                _wrong("attachment", _BAD_ENDING, "Files of this kind are not taken."),
            ),
            bodies=BODIES,
        ),
        Operation(
            "GET",
            "/tickets/{id}/",
            "Shows a ticket.",
            STAFF,
            (_TICKET,),
            Example("/tickets/31794/"),
            "",
            (_ON_TICKET, _FORMAT),
            (_NO_TICKET,),
        ),
        Operation(
            "PUT",
            "/tickets/{id}/",
            "Changes a ticket; queue and title have to be sent.",
            f"{STAFF} The account needs the right to change the ticket.",
            (_TICKET,),
            Example(
                "/tickets/31794/",
                sends({"queue": 1, "title": "The printer burned down", "status": 3}),
            ),
            "Fields that are left out stay as they are, except that a form without `on_hold`"
            " takes the ticket off hold, as an unticked box does. No entry is added and nobody"
            " gets mail.\n\n"
            "Sending back a value as it was read changes nothing, even where the value would not"
            " be accepted any more.",
            (_ON_TICKET, *_ticket_fields(opening=False, whole=True)),
            (*_TICKET_ERRORS, _DENIED, _NO_TICKET),
            bodies=BODIES,
        ),
        Operation(
            "PATCH",
            "/tickets/{id}/",
            "Changes some fields of a ticket.",
            f"{STAFF} The account needs the right to change the ticket.",
            (_TICKET,),
            Example("/tickets/31794/", sends({"priority": 1, "on_hold": True})),
            "No entry is added and nobody gets mail.",
            (_ON_TICKET, *_ticket_fields(opening=False, whole=False)),
            (*_TICKET_ERRORS[1:], _DENIED, _NO_TICKET),
            bodies=BODIES,
        ),
        Operation(
            "DELETE",
            "/tickets/{id}/",
            "Removes a ticket for good.",
            "Accounts with the right to delete tickets.",
            (Answer(204, "It is gone, with its entries and files."),),
            Example("/tickets/31794/", status=204),
            "",
            (_ON_TICKET,),
            (
                Failure(403, _DENIED.text, "The account may not delete tickets."),
                _NO_TICKET,
            ),
            permissions=("admin", "ticket.delete"),
        ),
    ),
)

# --- followups -----------------------------------------------------------------------------------

_ON_FOLLOWUP = path("id", "The id of the followup.")
_FOLLOWUP = Answer(200, "The whole followup.", ref("FollowUp"))
_AUTHOR = "The author of the entry, and accounts with the right to delete tickets."


def _followup_fields(*, adding: bool, whole: bool = True) -> tuple[Parameter, ...]:
    kept = "" if adding else "as it is"
    fields = [
        Parameter(
            "ticket",
            "The id of the ticket."
            + ("" if adding else " It must be the present one: entries do not move."),
            ID,
            required=whole,
        ),
        Parameter(
            "title",
            f"A few words, at most {TITLE_LIMIT} characters. An empty one becomes `Comment`, or"
            " `Updated` where there is no comment.",
            nullable({"type": "string", "maxLength": TITLE_LIMIT}),
            default=kept or "the ticket's title",
        ),
        Parameter(
            "comment",
            "The text. `{{ ticket.title }}`, `{{ ticket.ticket }}` and `{{ queue.title }}` are"
            " filled in; `#12` leaves a private entry in ticket 12 that refers to this one.",
            nullable(TEXT),
            default=kept or "empty",
        ),
        Parameter(
            "public",
            "Whether the customer sees the entry and gets it by mail.",
            BOOLEAN,
            default=kept or "false",
        ),
        Parameter(
            "new_status",
            f"What the ticket's status becomes: {_STATUSES}."
            + ("" if adding else " Changed later, it does not touch the ticket."),
            nullable(STATUS),
            default=kept or "unchanged",
        ),
        Parameter(
            "time_spent",
            'How long the work took: `"HH:MM:SS"`, or seconds.',
            nullable(any_of({"type": "string"}, {"type": "integer", "minimum": 0})),
            default=kept or "null",
        ),
    ]
    if adding:
        fields.append(
            Parameter(
                "attachments",
                "Any number of files: the field repeated, in a multipart form.",
                list_of(FILE),
                default="none",
            )
        )
    return tuple(fields)


_FOLLOWUP_ERRORS = (
    _wrong("ticket", _REQUIRED, "There is no ticket given."),
    _wrong(
        "ticket",
        'Invalid pk \\"999\\" - object does not exist.',
        "There is no such ticket for this account.",
    ),
    _LONG_TITLE,
    _wrong("new_status", '\\"9\\" is not a valid choice.', "There is no such status."),
    _wrong(
        "time_spent",
        "Duration has wrong format. Use one of these formats instead: [DD] [HH:[MM:]]ss[.uuuuuu].",
        "That is no duration.",
    ),
)

FOLLOWUPS = Section(
    "followups",
    "Followups",
    "The entries of tickets. A public one goes by mail to the customer and everybody who gets"
    " copies; owner and queue are told of all. The author is never mailed. The addresses stand in"
    " `email_recipients`.",
    (
        Operation(
            "GET",
            "/followups/",
            "Lists followups, a page at a time.",
            STAFF,
            (Answer(200, "A page of followups, ordered by date.", ref("FollowUpPage")),),
            Example("/followups/?page=last"),
            "",
            (*_PAGE, _FORMAT),
            (_NO_PAGE,),
        ),
        Operation(
            "POST",
            "/followups/",
            "Adds an entry to a ticket, with files if you like.",
            f"{STAFF} The account needs the right to change the ticket.",
            (Answer(201, "The new followup.", ref("FollowUp")),),
            Example(
                "/followups/",
                sends(
                    {
                        "ticket": 31794,
                        "title": "Extinguished",
                        "comment": "A technician is on the way.",
                        "public": True,
                        "time_spent": "00:15:00",
                    }
                ),
                201,
            ),
            "With `new_status` the status of the ticket changes as well, and the title of the entry"
            " says so. The comment of an entry that resolves becomes the ticket's resolution.\n\n"
            "To send files: `--form ticket=31794 --form comment=Photos --form"
            " attachments=@front.jpg --form attachments=@back.jpg`.",
            _followup_fields(adding=True),
            (
                *_FOLLOWUP_ERRORS,
                Failure(
                    400,
                    '{"attachments":{"0":["The submitted file is empty."]}}',
                    "One of the files is not taken; nothing is stored then.",
                ),
                _DENIED,
            ),
            bodies=BODIES,
        ),
        Operation(
            "GET",
            "/followups/{id}/",
            "Shows an entry.",
            STAFF,
            (_FOLLOWUP,),
            Example("/followups/52816/"),
            "",
            (_ON_FOLLOWUP, _FORMAT),
            (_NO_FOLLOWUP,),
        ),
        Operation(
            "PUT",
            "/followups/{id}/",
            "Changes an entry; its ticket has to be sent.",
            _AUTHOR,
            (_FOLLOWUP,),
            Example(
                "/followups/52816/", sends({"ticket": 31794, "comment": "The technician is here."})
            ),
            "The old text is kept in the ticket's history. Nothing is mailed again.",
            (_ON_FOLLOWUP, *_followup_fields(adding=False)),
            (
                *_FOLLOWUP_ERRORS,
                _wrong("ticket", "A followup stays with its ticket.", "Another ticket was named."),
                _DENIED,
                _NO_FOLLOWUP,
            ),
            bodies=BODIES,
        ),
        Operation(
            "PATCH",
            "/followups/{id}/",
            "Changes some fields of an entry.",
            _AUTHOR,
            (_FOLLOWUP,),
            Example("/followups/52816/", sends({"comment": "The technician was here."})),
            "",
            (_ON_FOLLOWUP, *_followup_fields(adding=False, whole=False)),
            (*_FOLLOWUP_ERRORS[1:], _DENIED, _NO_FOLLOWUP),
            bodies=BODIES,
        ),
        Operation(
            "DELETE",
            "/followups/{id}/",
            "Removes an entry with its files.",
            _AUTHOR,
            (Answer(204, "It is gone."),),
            Example("/followups/52816/", status=204),
            "",
            (_ON_FOLLOWUP,),
            (_DENIED, _NO_FOLLOWUP),
        ),
    ),
)

# --- attachments ---------------------------------------------------------------------------------

_ON_FILE = path("id", "The id of the attachment.")
_FILE = Answer(200, "The description of the file.", ref("Attachment"))
_NAME = Parameter(
    "filename",
    "Another name; parts that name a folder are cut off.",
    {"type": "string", "maxLength": 1000},
    default="the file's own",
)
_TYPE = Parameter(
    "mime_type",
    "The type to be stored. What is served is only ever a harmless one.",
    {"type": "string", "maxLength": 255},
    default="as sent, or as the name suggests",
)
_FILE_ERRORS = (
    _wrong("followup", _REQUIRED, "There is no entry given."),
    _wrong("file", "No file was submitted.", "There is no file."),
    _wrong("file", "The submitted file is empty.", "The file has no bytes."),
    _wrong("file", _BAD_ENDING, "Files of this kind are not taken."),
)
_OTHER_ENTRY = _wrong("followup", "A file stays with its followup.", "Another entry was named.")

ATTACHMENTS = Section(
    "followups-attachments",
    "Attachments",
    "The files of entries. Taken are names that end in .txt, .asc, .pdf, .doc, .docx, .odt, .jpg,"
    " .png or .eml, and names without an ending. The size is measured, whatever is sent.",
    (
        Operation(
            "GET",
            "/followups-attachments/",
            "Lists attachments, a page at a time.",
            STAFF,
            (Answer(200, "A page of attachments, ordered by id.", ref("AttachmentPage")),),
            Example("/followups-attachments/"),
            "",
            (*_PAGE, _FORMAT),
            (_NO_PAGE,),
        ),
        Operation(
            "POST",
            "/followups-attachments/",
            "Adds a file to an entry.",
            _AUTHOR,
            (Answer(201, "The description of the new file.", ref("Attachment")),),
            Example("/followups-attachments/", fills(followup="52816", file="@front.jpg"), 201),
            "",
            (
                Parameter("followup", "The id of the entry.", ID, required=True),
                Parameter("file", "The file itself.", FILE, required=True),
                _NAME,
                _TYPE,
            ),
            (*_FILE_ERRORS, _DENIED, _NO_FOLLOWUP),
            bodies=(MULTIPART,),
        ),
        Operation(
            "GET",
            "/followups-attachments/{id}/",
            "Describes a file.",
            STAFF,
            (_FILE,),
            Example("/followups-attachments/60413/"),
            "",
            (_ON_FILE, _FORMAT),
            (_NO_FILE,),
        ),
        Operation(
            "PUT",
            "/followups-attachments/{id}/",
            "Replaces a file; entry and file have to be sent.",
            _AUTHOR,
            (_FILE,),
            Example("/followups-attachments/60413/", fills(followup="52816", file="@front.jpg")),
            "",
            (
                _ON_FILE,
                Parameter("followup", "The id of the present entry.", ID, required=True),
                Parameter("file", "The file itself.", FILE, required=True),
                _NAME,
                _TYPE,
            ),
            (*_FILE_ERRORS, _OTHER_ENTRY, _DENIED, _NO_FILE),
            bodies=(MULTIPART,),
        ),
        Operation(
            "PATCH",
            "/followups-attachments/{id}/",
            "Renames a file, or replaces it.",
            _AUTHOR,
            (_FILE,),
            Example("/followups-attachments/60413/", sends({"filename": "fire.jpg"})),
            "",
            (
                _ON_FILE,
                Parameter("followup", "The id of the present entry.", ID, default="as it is"),
                Parameter("file", "Other bytes, in a multipart form.", FILE, default="as it is"),
                _NAME,
                _TYPE,
            ),
            (*_FILE_ERRORS[2:], _OTHER_ENTRY, _DENIED, _NO_FILE),
            bodies=BODIES,
        ),
        Operation(
            "DELETE",
            "/followups-attachments/{id}/",
            "Removes a file.",
            _AUTHOR,
            (Answer(204, "It is gone."),),
            Example("/followups-attachments/60413/", status=204),
            "",
            (_ON_FILE,),
            (_DENIED, _NO_FILE),
        ),
        Operation(
            "GET",
            "/followups-attachments/{id}/file/{filename}",
            "Sends the bytes of a file.",
            STAFF,
            (Answer(200, "The bytes, always as something to be saved.", FILE, "*/*"),),
            Example("/followups-attachments/60413/file/front.jpg"),
            "The address stands in `file` of the description. The name may be any.",
            (_ON_FILE, path("filename", "How the file is to be called when it is saved.", TEXT)),
            (_NO_FILE,),
        ),
    ),
)

# --- people --------------------------------------------------------------------------------------

_OWN = "Everybody who is signed in."
OWN_TICKETS = Section(
    "user_tickets",
    "Own tickets",
    "The tickets whose customer the account is: without description, entries, and fields that are"
    " for staff. Staff see only their own here, too.",
    (
        Operation(
            "GET",
            "/user_tickets/",
            "Lists the caller's own tickets, newest first.",
            _OWN,
            (Answer(200, "A page of tickets.", ref("UserTicketPage")),),
            Example("/user_tickets/"),
            "",
            (*_PAGE, _FORMAT),
            (_NO_PAGE,),
        ),
        Operation(
            "GET",
            "/user_tickets/{id}/",
            "Shows one of the caller's own tickets.",
            _OWN,
            (Answer(200, "The ticket.", ref("UserTicket")),),
            Example("/user_tickets/31795/"),
            "",
            (_ON_TICKET, _FORMAT),
            (_NO_TICKET,),
        ),
    ),
)

USERS = Section(
    "users",
    "Users",
    "Accounts can be added here, and nothing else.",
    (
        Operation(
            "POST",
            "/users/",
            "Adds a customer account.",
            "Staff with the right to add people.",
            (Answer(201, "The account, without its password.", ref("User")),),
            Example(
                "/users/",
                sends(
                    {
                        "username": "leyla",
                        "password": "seven wet umbrellas",
                        "first_name": "Leyla",
                        "last_name": "Aydin",
                        "email": "leyla@example.com",
                    }
                ),
                201,
            ),
            "The account is active and a customer's, whatever else is sent. If the address belongs"
            " to somebody who wrote in and has no password yet, that person gets the account.",
            (
                Parameter(
                    "username",
                    "Letters, digits and `@ . + - _`, at most 150.",
                    {"type": "string", "maxLength": 150, "pattern": "^[A-Za-z0-9_.@+-]+$"},
                    required=True,
                ),
                Parameter(
                    "password",
                    "At least 8 characters, not common, not only digits, not like the name.",
                    {"type": "string", "minLength": 8},
                    required=True,
                ),
                Parameter(
                    "first_name",
                    "The first name.",
                    {"type": "string", "maxLength": 150},
                    default="empty",
                ),
                Parameter(
                    "last_name",
                    "The last name.",
                    {"type": "string", "maxLength": 150},
                    default="empty",
                ),
                Parameter("email", "The address.", ADDRESS, default="none"),
            ),
            (
                _wrong("username", "A user with that username already exists.", "It is taken."),
                _wrong("email", "A user with that email address already exists.", "It is taken."),
                _wrong(
                    "username",
                    "Enter a valid username. This value may contain only letters, numbers, and"
                    " @/./+/-/_ characters.",
                    "There are other characters in it.",
                ),
                _wrong(
                    "password",
                    "This password is too short. It must contain at least 8 characters.",
                    "Several reasons may come together.",
                ),
                Failure(403, _DENIED.text, "The account may not add people."),
            ),
            permissions=("admin.user",),
            bodies=BODIES,
        ),
    ),
)

ROOT = Section(
    "root",
    "The root",
    "Where a client begins that knows nothing but the address of the desk.",
    (
        Operation(
            "GET",
            "/",
            "Names the collections.",
            "Everybody, also without signing in.",
            (Answer(200, "The addresses of the collections by name.", ref("Collections")),),
            Example("/", signed=False),
            "",
            (_FORMAT,),
            public=True,
        ),
    ),
)

OPTIONS = Operation(
    "OPTIONS",
    "/",
    "Says what an address takes: formats, and the fields that this account can write there.",
    "Whoever may read the address.",
    (Answer(200, "The description.", ref("Options")),),
    Example("/tickets/"),
    "Each field is named with its type, whether it is required, and its choices. This is where"
    " clients find the fields that a desk has added to its tickets.",
)

# --- what holds for all of them ------------------------------------------------------------------

TOPICS = (
    Topic(
        "introduction",
        "Introduction",
        "This is the REST API of django-helpdesk: scripts and libraries that were written for it"
        " work here unchanged, only the address is another one. Status codes, keys, their order"
        " and the texts of errors are the same.\n\n"
        "The same tickets can be reached through the form API of 2008, through the Zammad API, by"
        " mail, and in the workspace. A queue here is what the workspace calls a group; a"
        " followup is an entry of a ticket.",
    ),
    Topic(
        "authentication",
        "Signing in",
        "Send the account's login or address and its password with HTTP Basic:\n\n"
        "curl:/tickets/ --user susan:fido\n\n"
        "or an API token, as `Authorization: Token <key>`:\n\n"
        "curl:/tickets/ --header 'Authorization: Token <key>'\n\n"
        "A browser that is signed in to the workspace is signed in here as well. Scripts on our"
        " own pages then have to repeat the cookie `csrftoken` in the header `X-CSRFToken` when"
        " they write.\n\n"
        "Whether a call without credentials hears 403, as in the original, or 401 with a"
        " challenge, is a setting of the desk (`DESKBELL_HELPDESK_AUTH`). The account can do what"
        " it can do in the workspace, and nothing more.",
    ),
    Topic(
        "requests",
        "Requests and answers",
        "Bodies are JSON, form fields, or multipart forms where there are files; all in UTF-8."
        " Answers are JSON. With `?format=api`, or in a browser, each address shows a page on"
        " which everything can be tried out.\n\n"
        "Addresses end in a slash, and answer without it, too. `.json` and `.api` behind a name"
        " choose the format: `/tickets.json`.\n\n"
        "Moments are in UTC (`2031-05-06T07:08:09Z`). Fields that nobody knows are ignored. Texts"
        " are plain text, kept as they are. `HEAD` works wherever `GET` does.",
    ),
    Topic(
        "paging",
        "Pages",
        "Lists come as `count`, `next`, `previous` and `results`. Follow `next` until it is null.",
    ),
    Topic(
        "custom-fields",
        "Fields of this desk",
        "Fields that a desk has added stand at the end of every ticket, as `custom_` and the name"
        " of the field. Required ones have to be sent to open a ticket and with `PUT`. Ask"
        " `OPTIONS /tickets/` which there are.",
    ),
)

FAILURES = (
    Failure(400, '{"detail":"JSON parse error - …"}', "The body cannot be read."),
    Failure(
        401,
        '{"detail":"Invalid username/password."}',
        "Only where the desk is set to answer with a challenge; otherwise this is a 403.",
    ),
    Failure(
        403,
        '{"detail":"Authentication credentials were not provided."}',
        "Nobody is signed in.",
    ),
    Failure(403, '{"detail":"Invalid username/password."}', "Login or password is wrong."),
    Failure(403, '{"detail":"Invalid token."}', "There is no such token."),
    Failure(
        403,
        '{"detail":"You do not have permission to perform this action."}',
        "The account, or its token, is not for this.",
    ),
    Failure(404, '{"detail":"Not found."}', "There is nothing at this address."),
    Failure(
        405, '{"detail":"Method \\"PUT\\" not allowed."}', "The address does not take the verb."
    ),
    Failure(
        406,
        '{"detail":"Could not satisfy the request Accept header."}',
        "Neither JSON nor a page is accepted.",
    ),
    Failure(
        415,
        '{"detail":"Unsupported media type \\"text/plain\\" in request."}',
        "The body is neither JSON nor a form.",
    ),
    Failure(
        429, '{"detail":"Request was throttled."}', "There were too many wrong passwords lately."
    ),
    Failure(503, '{"detail":"…"}', "The desk is busy; try again after `Retry-After` seconds."),
)

REFERENCE = Reference(
    name="helpdesk",
    title="The django-helpdesk API",
    lead="Tickets, their entries and files as JSON, as django-helpdesk's own REST API speaks it.",
    below="api",
    version="1.1",
    topics=TOPICS,
    sections=(TICKETS, FOLLOWUPS, ATTACHMENTS, OWN_TICKETS, USERS, ROOT),
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
            "description": "`Token` and the key of an API token.",
        },
        "session": {
            "type": "apiKey",
            "in": "cookie",
            "name": "sessionid",
            "description": "A browser that is signed in; to write, with the header X-CSRFToken.",
        },
    },
    failures=FAILURES,
    failure_schema=ref("Detail"),
    failure_schemas={400: ref("BadRequest")},
    everywhere=(OPTIONS,),
)
