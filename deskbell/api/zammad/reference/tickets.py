"""Tickets, their articles and files, and searching."""

from __future__ import annotations

from deskbell.api.zammad.reference.common import (
    ALL,
    BAD_ORDER,
    COUNTS,
    EXPAND,
    FULL,
    HIDDEN,
    NOTHING,
    REFUSED,
    SIGNED_IN,
    SORT,
    body,
    by_post,
    found,
    paging,
    several,
    unknown,
)
from deskbell.kernel.reference import (
    ANY,
    BOOLEAN,
    FILE,
    ID,
    MOMENT,
    MULTIPART,
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
    fills,
    list_of,
    map_of,
    nullable,
    path,
    query,
    ref,
    sends,
)

_NO_TICKET, _NO_ARTICLE = unknown("Ticket"), unknown("Ticket::Article")
_ON_TICKET = path("ticket_id", "The id of the ticket.")
_ON_ARTICLE = path("article_id", "The id of the article.")
_NAME = any_of({"type": "string"}, {"type": "null"})
#: The smallest picture there is, one transparent point.
_PICTURE = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNk+A8AAQUBAScY42YAAAAASUVORK5CYII="
)


def _shown(status: int = 200, text: str = "The ticket in the form asked for.") -> Answer:
    return Answer(status, text, any_of(ref("Ticket"), ref("WithAssets"), ref("Everything")))


# --- what can be written -------------------------------------------------------------------------

_ARTICLE_KEYS = (
    body("body", "The text. Required.", TEXT),
    body("subject", "A few words; the title of a mail.", nullable(TEXT), default="null"),
    body(
        "type",
        "`note`, `email`, `phone`, `web` and so on; `type_id` says the same by id. An `email` is"
        " mailed to `to`. Customers write notes and web entries only.",
        _NAME,
        default="note",
    ),
    body(
        "sender",
        "`Agent`, `Customer` or `System`; `sender_id` says the same by id.",
        _NAME,
        default="Agent for agents, else Customer",
    ),
    body(
        "internal",
        "Whether the article is hidden from the customer; for agents.",
        BOOLEAN,
        default="false",
    ),
    body("content_type", "`text/plain` or `text/html`.", _NAME, default="text/plain"),
    body("to", "The address of a mail.", nullable(TEXT), default="null"),
    body("cc", "Who gets a copy of it.", nullable(TEXT), default="null"),
    body("reply_to", "Where answers to it go.", nullable(TEXT), default="null"),
    body("in_reply_to", "The Message-ID that is answered.", nullable(TEXT), default="null"),
    body(
        "origin_by",
        "Login or address of who said it, where an agent writes for somebody;"
        " `origin_by_id` says the same by id.",
        _NAME,
        default="the caller",
    ),
    body("time_unit", "Minutes spent; for agents.", any_of(nullable(NUMBER), TEXT), default="none"),
    body("preferences", "Anything a client wants to keep.", nullable(OBJECT), default="{}"),
    body(
        "attachments",
        "Files, each with `filename`, `mime-type`, and `data` in base64. Images that stand in the"
        " text as data URIs become files as well.",
        nullable(list_of(OBJECT)),
        default="none",
    ),
    body("form_id", "Takes the files that were sent ahead under it.", nullable(TEXT)),
)
_ARTICLE = body(
    "article",
    "The first article: an object with the keys of `POST /ticket_articles`, of which `body` is"
    " needed.",
    nullable(OBJECT),
    default="none",
)


def _ticket_keys(*, opening: bool) -> tuple[Parameter, ...]:
    kept = "" if opening else "as it is"
    keys = [
        body(
            "title",
            "What it is about, in at most 250 characters.",
            TEXT,
            required=opening,
            default=kept,
        ),
        body(
            "group",
            "The name of the group; `group_id` says the same by id. One of the two is needed."
            if opening
            else "The name of the group, `A::B` for B within A; or `group_id`.",
            _NAME,
            default=kept,
        ),
        body("group_id", "The id of the group.", nullable(ID), default=kept),
        body(
            "customer",
            "Login or address of the customer; or an object with `email`, `firstname`,"
            " `lastname`, which makes one where there is none. A customer is always his own.",
            any_of(TEXT, OBJECT, {"type": "null"}),
            default=kept or "the caller",
        ),
        body(
            "customer_id",
            "The customer's id, or `guess:` and an address, which makes a customer where there is"
            " none. Beats `customer`.",
            any_of(ID, TEXT, {"type": "null"}),
            default=kept,
        ),
        body("state", "The name of the state; or `state_id`.", _NAME, default=kept or "new"),
        body(
            "priority",
            "The name of the priority; or `priority_id`.",
            _NAME,
            default=kept or "2 normal",
        ),
        body(
            "owner",
            "Login or address of the owner, `-` for nobody; or `owner_id`. For agents.",
            _NAME,
            default=kept or "nobody",
        ),
        body(
            "organization",
            "One of the customer's organizations by name; or `organization_id`.",
            _NAME,
            default=kept or "the customer's own",
        ),
        body(
            "pending_time",
            "The moment a pending state waits for; such a state needs one.",
            any_of(MOMENT, {"type": "string", "maxLength": 0}, {"type": "null"}),
            default=kept or "null",
        ),
        body(
            "note",
            "At most 250 characters.",
            nullable({"type": "string", "maxLength": 250}),
            default=kept or "null",
        ),
        body(
            "type",
            "Any word.",
            nullable({"type": "string", "maxLength": 100}),
            default=kept or "null",
        ),
        body(
            "preferences",
            "Anything a client wants to keep; merged key by key. For agents.",
            nullable(OBJECT),
            default=kept or "{}",
        ),
    ]
    if opening:
        keys += [
            body("tags", "Tags in one text, separated by commas. For agents.", nullable(TEXT)),
            body("mentions", "Ids of agents who shall follow the ticket.", list_of(ID)),
            body(
                "links",
                '`{"Ticket": {"parent": [1]}}`: what the new ticket is to others. The words are'
                " `normal`, `parent` and `child`.",
                map_of(map_of(list_of(ID))),
                default="none",
            ),
        ]
        keys.append(_ARTICLE)
    else:
        keys.append(
            body(
                "article",
                "One more article, with the keys of `POST /ticket_articles`.",
                nullable(OBJECT),
                default="none",
            )
        )
    keys.append(
        body("…", "Fields this desk has added, by their own names.", ANY, default=kept or "empty")
    )
    return tuple(keys)


_NO_NAME = Failure(
    422,
    "No lookup value found for 'group': \"x\"",
    "A name names nothing; the same for customers, owners, states and so on.",
)
_NO_ID = Failure(
    422, "Invalid value for param 'owner_id': 99999", "An id names nothing; the same for all ids."
)
_NOT_SELECTABLE = Failure(
    422,
    "Invalid value '5' for field 'state_id'!",
    "The value may not be chosen: by this account, or by anybody.",
)
_NO_PENDING_TIME = Failure(
    422,
    "Missing required value for field 'pending_time'!",
    "The state waits for a moment, and none is given.",
)
_NO_BODY = Failure(
    422,
    "Need at least an 'article body' field.",
    "The article has no text. Nothing is stored, the ticket neither.",
)
_BAD_FILE = Failure(
    422,
    "Attachment needs 'mime-type' param for attachment with index '0'",
    "Something of a file is missing: its `mime-type`, `filename` or `data`.",
)
_NOT_BASE64 = Failure(
    422, "Invalid base64 for attachment with index '0'", "The data of a file is no base64."
)
_NO_RECIPIENT = Failure(
    422,
    "Sending an email without a valid recipient is not possible.",
    "A mail needs an address in `to`.",
)
_FOLLOW_UP = Failure(
    422,
    "Cannot follow-up on a closed ticket. Please create a new ticket.",
    "The group takes no answers of customers to closed tickets.",
)
_LONG_NOTE = Failure(422, "Note is too long (maximum is 250 characters)", "It is longer.")
_TICKET_FAILURES = (_NO_NAME, _NO_ID, _NOT_SELECTABLE, _NO_PENDING_TIME, _LONG_NOTE)
_ARTICLE_FAILURES = (_NO_BODY, _BAD_FILE, _NOT_BASE64, _NO_RECIPIENT)
_READERS = (
    "Agents with read access to the group, the ticket's customer, and members of the"
    " customer's organization if it is shared."
)
_WRITERS = "Agents with change access to the group, and customers on their tickets."

TICKETS = Section(
    "tickets",
    "Tickets",
    "Names can stand in the place of ids wherever a ticket is written: `group`, `state`,"
    " `priority`, `customer`, `owner`, `organization`. Keys that nobody knows are ignored, and so"
    " are `id`, `number` and all stamps.\n\n"
    "Fields this desk has added to tickets stand among the others, under their own names.",
    (
        Operation(
            "GET",
            "/tickets",
            "Lists the tickets the caller may read, by id.",
            SIGNED_IN,
            (several("Ticket"),),
            Example("/tickets?expand=true&per_page=10"),
            "",
            (*paging(100, 100), EXPAND, FULL),
        ),
        Operation(
            "POST",
            "/tickets",
            "Opens a ticket, with its first article.",
            "Agents with create access to the group, and customers for themselves.",
            (_shown(201),),
            Example(
                "/tickets",
                sends(
                    {
                        "title": "The printer on the second floor is on fire",
                        "group": "Users",
                        "customer_id": "guess:kemal@example.com",
                        "article": {
                            "subject": "Fire",
                            "body": "It began to smoke this morning.",
                            "type": "note",
                            "internal": False,
                        },
                    }
                ),
                201,
            ),
            "Whatever is wrong, nothing is stored then: neither ticket nor article nor customer.",
            (EXPAND, FULL, ALL, *_ticket_keys(opening=True)),
            (
                REFUSED,
                Failure(403, "Not authorized", "The group is not the caller's to open tickets in."),
                Failure(422, "The required value 'group_id' is missing.", "There is no group."),
                Failure(422, "Attribute 'title' required!", "There is no title."),
                Failure(
                    422,
                    "Attribute 'customer_id' required!",
                    "An agent sent an empty customer.",
                ),
                Failure(422, "Invalid email 'xyz' of customer", "What is guessed is no address."),
                *_TICKET_FAILURES,
                *_ARTICLE_FAILURES,
            ),
            ("ticket.agent", "ticket.customer"),
        ),
        Operation(
            "GET",
            "/tickets/{ticket_id}",
            "Shows a ticket.",
            _READERS,
            (_shown(),),
            Example("/tickets/31794?expand=true"),
            "",
            (_ON_TICKET, EXPAND, FULL, ALL),
            (HIDDEN, _NO_TICKET),
        ),
        Operation(
            "PUT",
            "/tickets/{ticket_id}",
            "Changes a ticket, adds an article to it, or both.",
            _WRITERS,
            (_shown(),),
            Example(
                "/tickets/31794",
                sends(
                    {
                        "state": "open",
                        "priority": "3 high",
                        "article": {"subject": "On the way", "body": "A technician is coming."},
                    }
                ),
            ),
            "What is left out, or null, stays. Customers change the title, the state to open or"
            " closed, and write; everything else they send is passed over.",
            (_ON_TICKET, EXPAND, FULL, ALL, *_ticket_keys(opening=False)),
            (HIDDEN, _NO_TICKET, *_TICKET_FAILURES, *_ARTICLE_FAILURES, _FOLLOW_UP),
        ),
        Operation(
            "DELETE",
            "/tickets/{ticket_id}",
            "Removes a ticket for good.",
            "Administrators, whatever their access to the group.",
            (NOTHING,),
            Example("/tickets/31794"),
            "",
            (_ON_TICKET,),
            (
                Failure(
                    403,
                    "Not authorized (admin permission required)!",
                    "The caller has full access, or is the customer, and no administrator.",
                ),
                HIDDEN,
                _NO_TICKET,
            ),
        ),
        Operation(
            "PUT",
            "/tickets/{ticket_id}/update_title",
            "Changes the title and nothing else.",
            _WRITERS,
            (_shown(),),
            Example("/tickets/31794/update_title", sends({"title": "The printer burned down"})),
            "",
            (_ON_TICKET, EXPAND, FULL, ALL, body("title", "The title.", TEXT, required=True)),
            (HIDDEN, _NO_TICKET, Failure(422, "Attribute 'title' required!", "It is empty.")),
        ),
        Operation(
            "PUT",
            "/tickets/{ticket_id}/update_customer",
            "Changes the customer, and the organization with him.",
            "Agents with change access to the group.",
            (_shown(),),
            Example("/tickets/31794/update_customer", sends({"customer_id": 4107})),
            "",
            (
                _ON_TICKET,
                EXPAND,
                FULL,
                ALL,
                body("customer_id", "The id of the customer.", ID, required=True),
                body(
                    "organization_id",
                    "One of his organizations.",
                    nullable(ID),
                    default="his own",
                ),
            ),
            (
                HIDDEN,
                _NO_TICKET,
                Failure(422, "Attribute 'customer_id' required!", "There is no customer."),
                _NO_ID,
            ),
        ),
    ),
)

# --- searching -----------------------------------------------------------------------------------

_SEARCH = Operation(
    "GET",
    "/tickets/search",
    "Finds tickets.",
    SIGNED_IN,
    (found("Ticket", labels=False),),
    Example("/tickets/search?query=state.name:open+AND+printer&limit=10"),
    "Words are looked for in titles, articles, file names, tags and names of people; all of them"
    " have to be there, and the last one may be the beginning of a longer one. Also possible are"
    ' `"a phrase"`, `*` and `?`, `AND`, `OR`, `NOT` and parentheses, and fields:'
    " `number:10005`, `tags:vip`, `customer.email:kemal@example.com`,"
    " `created_at:[2026-01-01 TO 2026-12-31]`, `updated_at:>now-1d`, `_exists_:note`.\n\n"
    "What was written a moment ago is found. Everybody finds what he may read, and nothing else.",
    (
        query("query", "What to look for; `*` finds everything.", default="*"),
        query("ids", "Only these, separated by commas."),
        *paging(50, 200),
        *SORT,
        EXPAND,
        FULL,
        *COUNTS,
    ),
    (BAD_ORDER, Failure(422, "…", "The query, the condition or the ids make no sense.")),
)
_CONDITION = body(
    "condition",
    'Conditions, all of which must hold: `{"ticket.title": {"operator": "contains", "value":'
    ' "printer"}}`. The operators are `is`, `is not`, `contains`, `contains not`, `starts with`,'
    " `ends with`, `before (absolute)`, `after (absolute)`, `within last (relative)`.",
    nullable(OBJECT),
    default="none",
)
_SEARCH_POST = by_post(
    _SEARCH,
    sends(
        {
            "query": "printer",
            "condition": {"ticket.state_id": {"operator": "is", "value": ["1", "2"]}},
        }
    ),
)
_GLOBAL = Operation(
    "GET",
    "/search",
    "Finds tickets, users and organizations at once.",
    SIGNED_IN,
    (Answer(200, "What was found, a class after the other.", ref("Hits")),),
    Example("/search?query=printer"),
    "",
    (
        query("query", "What to look for.", default="*"),
        query(
            "limit",
            "How many of each class, at most 200.",
            {"type": "integer", "minimum": 1},
            default="10",
        ),
    ),
    (Failure(422, "…", "The query makes no sense."),),
)
_GLOBAL_CLASS = Operation(
    "GET",
    "/search/{classes}",
    "Finds rows of one class.",
    SIGNED_IN,
    _GLOBAL.answers,
    Example("/search/ticket?query=printer"),
    "",
    (path("classes", "`ticket`, `user` or `organization`.", TEXT), *_GLOBAL.parameters),
    (Failure(422, "Invalid value 'x' for field 'objects'!", "There is no such class."),),
)

SEARCH = Section(
    "search",
    "Searching",
    "Parameters may stand in the address or in a JSON body.",
    (
        _SEARCH,
        _SEARCH_POST.as_verb("POST", parameters=(*_SEARCH_POST.parameters, _CONDITION)),
        _GLOBAL,
        by_post(_GLOBAL, sends({"query": "printer"})),
        _GLOBAL_CLASS,
        by_post(_GLOBAL_CLASS, sends({"query": "printer"})),
    ),
)

# --- articles ------------------------------------------------------------------------------------

_ARTICLE_SHOWN = Answer(
    200,
    "The article, always with names; with `full=true` its id and assets.",
    any_of(ref("Article"), ref("WithAssets")),
)
_ARTICLES_SHOWN = several("Article")

ARTICLES = Section(
    "articles",
    "Articles and files",
    "The entries of tickets. Internal ones do not exist for customers.",
    (
        Operation(
            "GET",
            "/ticket_articles/by_ticket/{ticket_id}",
            "Lists the articles of a ticket, oldest first.",
            _READERS,
            (_ARTICLES_SHOWN,),
            Example("/ticket_articles/by_ticket/31794"),
            "",
            (_ON_TICKET, FULL),
            (HIDDEN, _NO_TICKET),
        ),
        Operation(
            "GET",
            "/ticket_articles",
            "Lists all articles the caller may read, by id.",
            SIGNED_IN,
            (_ARTICLES_SHOWN,),
            Example("/ticket_articles?per_page=20&sort_by=created_at&order_by=desc"),
            "One can order by `id` and `created_at`.",
            (*paging(500, 1000), *SORT, FULL),
            (BAD_ORDER,),
        ),
        Operation(
            "POST",
            "/ticket_articles",
            "Adds an article to a ticket.",
            _WRITERS,
            (Answer(201, "The new article.", any_of(ref("Article"), ref("WithAssets"))),),
            Example(
                "/ticket_articles",
                sends(
                    {
                        "ticket_id": 31794,
                        "subject": "A picture",
                        "body": "This is what is left of it.",
                        "attachments": [
                            {
                                "filename": "printer.png",
                                "mime-type": "image/png",
                                "data": _PICTURE,
                            }
                        ],
                    }
                ),
                201,
            ),
            "",
            (FULL, body("ticket_id", "The id of the ticket.", ID, required=True), *_ARTICLE_KEYS),
            (HIDDEN, _NO_TICKET, _NO_NAME, _NO_ID, *_ARTICLE_FAILURES, _FOLLOW_UP),
        ),
        Operation(
            "GET",
            "/ticket_articles/{article_id}",
            "Shows an article.",
            _READERS,
            (_ARTICLE_SHOWN,),
            Example("/ticket_articles/52816"),
            "",
            (_ON_ARTICLE, FULL),
            (HIDDEN, _NO_ARTICLE),
        ),
        Operation(
            "PUT",
            "/ticket_articles/{article_id}",
            "Hides an article from the customer, or shows it to him.",
            "Agents with change access to the group.",
            (_ARTICLE_SHOWN,),
            Example("/ticket_articles/52816", sends({"internal": True})),
            "Everything else that is sent is passed over: articles are not rewritten.",
            (
                _ON_ARTICLE,
                FULL,
                body("internal", "Whether it is hidden.", nullable(BOOLEAN), default="as it is"),
                body(
                    "preferences",
                    "Only `highlight` is kept.",
                    nullable(OBJECT),
                    default="as they are",
                ),
            ),
            (HIDDEN, _NO_ARTICLE),
        ),
        Operation(
            "DELETE",
            "/ticket_articles/{article_id}",
            "Takes back a fresh note.",
            "The agent who wrote it, within ten minutes.",
            (NOTHING,),
            Example("/ticket_articles/52816"),
            "",
            (_ON_ARTICLE,),
            (
                Failure(403, "Not authorized (agent permission required)!", "Customers do not."),
                Failure(
                    403,
                    "Not authorized (you can only delete your own notes)!",
                    "Somebody else wrote it.",
                ),
                Failure(
                    403,
                    "Not authorized (communication articles cannot be deleted)!",
                    "The customer has read it.",
                ),
                Failure(
                    403,
                    "Not authorized (note is too old to be deleted)!",
                    "Ten minutes are over.",
                ),
                HIDDEN,
                _NO_ARTICLE,
            ),
        ),
        Operation(
            "GET",
            "/ticket_attachment/{ticket_id}/{article_id}/{attachment_id}",
            "Sends the bytes of a file.",
            _READERS,
            (Answer(200, "The bytes.", FILE, "*/*"),),
            Example("/ticket_attachment/31794/52816/60413"),
            "A file is something to be saved, unless `view=inline` asks for an image or a PDF."
            " What could run in a browser is served as plain bytes.",
            (
                _ON_TICKET,
                _ON_ARTICLE,
                path("attachment_id", "The id of the file."),
                query("view", "`inline` to be shown, where that is safe; or `disposition`."),
            ),
            (
                HIDDEN,
                Failure(
                    403,
                    "The article does not belong to the specified ticket.",
                    "The ids do not go together.",
                ),
                Failure(
                    403,
                    "The file does not belong to the specified article.",
                    "The ids do not go together.",
                ),
                _NO_TICKET,
                _NO_ARTICLE,
            ),
        ),
        Operation(
            "GET",
            "/ticket_article_plain/{article_id}",
            "Sends a mail as it came.",
            _READERS,
            (Answer(200, "The raw message.", FILE, "message/rfc822"),),
            Example("/ticket_article_plain/52816", status=404),
            "The example's article was no mail, so it answers 404.",
            (_ON_ARTICLE,),
            (
                HIDDEN,
                Failure(
                    404,
                    "This article does not have a raw copy available.",
                    "It did not come by mail.",
                ),
                _NO_ARTICLE,
            ),
        ),
        Operation(
            "POST",
            "/attachments",
            "Sends a file ahead, for an article that is still being written.",
            SIGNED_IN,
            (Answer(200, "The file is kept.", ref("Upload")),),
            Example("/attachments", fills(form_id="f-1", File="@front.jpg")),
            "The article that is sent with the same `form_id` takes it.",
            (
                body("File", "The file itself.", FILE, required=True),
                body(
                    "form_id",
                    "Any word, the same for all files of the article.",
                    TEXT,
                    required=True,
                ),
            ),
            (
                Failure(
                    422,
                    "The required parameters 'File' and 'form_id' are missing.",
                    "One of them is.",
                ),
            ),
            bodies=(MULTIPART,),
        ),
        Operation(
            "DELETE",
            "/attachments/{upload_id}",
            "Takes back a file that was sent ahead.",
            "Who sent it.",
            (Answer(200, "It is gone.", OBJECT),),
            Example("/attachments/7311"),
            "",
            (path("upload_id", "The id of the file that was sent ahead."),),
            (unknown("Store"),),
        ),
    ),
)
