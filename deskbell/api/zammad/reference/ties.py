"""Tags, links, followers, merging, history: what ties tickets together."""

from __future__ import annotations

from deskbell.api.zammad.reference.common import (
    FULL,
    HIDDEN,
    NOTHING,
    REFUSED,
    SIGNED_IN,
    body,
    paging,
    unknown,
)
from deskbell.api.zammad.reference.schemas import TEXTS
from deskbell.kernel.reference import (
    BOOLEAN,
    ID,
    INTEGER,
    TEXT,
    Answer,
    Example,
    Failure,
    Operation,
    Parameter,
    Place,
    Section,
    any_of,
    list_of,
    one_of,
    path,
    query,
    record,
    ref,
    sends,
)

_NO_TICKET = unknown("Ticket")
_READERS = "Whoever may read the ticket."
_WRITERS = "Agents with change access to the ticket's group."
_AGENT = ("ticket.agent",)
_TRUE = Answer(200, "`true`.", BOOLEAN)
_ADDED = Answer(201, "`true`.", BOOLEAN)
_TICKET_WORD = one_of("Ticket")
_TYPES = one_of("normal", "parent", "child")


def _about(kind: str, key: str, *, in_query: bool) -> tuple[Parameter, ...]:
    """A ticket, named by a class and an id."""
    place: Place = "query" if in_query else "body"
    return (
        Parameter(kind, "`Ticket`.", _TICKET_WORD, place, default="Ticket"),
        Parameter(key, "The id of the ticket.", ID, place, required=True),
    )


_ITEM = body("item", "The tag.", TEXT, required=True)
_TAG = {"object": "Ticket", "o_id": 31794, "item": "printer"}
_NO_ITEM = Failure(422, "The required parameter 'item' is missing.", "There is no tag.")

TAGS = Section(
    "tags",
    "Tags",
    "Words that are put on tickets. A tag begins to exist with its first ticket.",
    (
        Operation(
            "GET",
            "/tags",
            "Lists the tags of a ticket.",
            _READERS,
            (Answer(200, "The tags.", record({"tags": TEXTS})),),
            Example("/tags?object=Ticket&o_id=31794"),
            "",
            _about("object", "o_id", in_query=True),
            (HIDDEN, _NO_TICKET),
        ),
        Operation(
            "POST",
            "/tags/add",
            "Puts a tag on a ticket.",
            _WRITERS,
            (_ADDED,),
            Example("/tags/add", sends(_TAG), 201),
            "Done twice it is the same as done once.",
            (*_about("object", "o_id", in_query=False), _ITEM),
            (HIDDEN, _NO_TICKET, _NO_ITEM),
        ),
        Operation(
            "DELETE",
            "/tags/remove",
            "Takes a tag off a ticket.",
            _WRITERS,
            (_TRUE,),
            Example("/tags/remove", sends(_TAG)),
            "The parameters may stand in the address or in a JSON body.",
            (*_about("object", "o_id", in_query=False), _ITEM),
            (HIDDEN, _NO_TICKET, _NO_ITEM),
        ),
        Operation(
            "GET",
            "/tag_search",
            "Finds tags by their beginning.",
            SIGNED_IN,
            (Answer(200, "At most ten.", list_of(record({"id": ID, "value": TEXT}))),),
            Example("/tag_search?term=pri"),
            "",
            (query("term", "How they begin.", default="all"),),
        ),
    ),
)

_KEEPER = ("admin.tag",)
_KEEPERS = "Administrators of tags."
_ON_TAG = path("tag_id", "The id of the tag.")
_NO_TAG = unknown("Tag::Item")
_NEW_NAME = body("name", "The name.", TEXT, required=True)
_NO_NAME = Failure(422, "The required parameter 'name' is missing.", "There is no name.")

TAG_LIST = Section(
    "tag-list",
    "Tag administration",
    "All tags of the desk. What is renamed or removed here changes on all tickets.",
    (
        Operation(
            "GET",
            "/tag_list",
            "Lists all tags by name.",
            _KEEPERS,
            (
                Answer(
                    200,
                    "The tags, and how many tickets bear each.",
                    list_of(record({"id": ID, "name": TEXT, "count": INTEGER})),
                ),
            ),
            Example("/tag_list"),
            "",
            paging(500, 1000),
            (REFUSED,),
            _KEEPER,
        ),
        Operation(
            "POST",
            "/tag_list",
            "Makes a tag that no ticket bears yet.",
            _KEEPERS,
            (NOTHING,),
            Example("/tag_list", sends({"name": "warranty"})),
            "",
            (_NEW_NAME,),
            (REFUSED, _NO_NAME),
            _KEEPER,
        ),
        Operation(
            "PUT",
            "/tag_list/{tag_id}",
            "Renames a tag; under the name of another one, the two become one.",
            _KEEPERS,
            (NOTHING,),
            Example("/tag_list/1377", sends({"name": "guarantee"})),
            "",
            (_ON_TAG, _NEW_NAME),
            (REFUSED, _NO_TAG, _NO_NAME),
            _KEEPER,
        ),
        Operation(
            "DELETE",
            "/tag_list/{tag_id}",
            "Takes a tag off all tickets.",
            _KEEPERS,
            (NOTHING,),
            Example("/tag_list/1377"),
            "",
            (_ON_TAG,),
            (REFUSED, _NO_TAG),
            _KEEPER,
        ),
    ),
)

_NO_OBJECT = Failure(
    422, "The object could not be found.", "No ticket has this number, or none is given."
)
_NO_TYPE = Failure(
    422, "No lookup value found for 'link_type': \"x\"", "There is no such kind of link."
)
_TIE = (
    body("link_type", "What the source is to the target.", _TYPES, required=True),
    *_about("link_object_target", "link_object_target_value", in_query=False),
)

LINKS = Section(
    "links",
    "Links",
    "Two tickets are tied as `normal`, or as `parent` and `child`.",
    (
        Operation(
            "GET",
            "/links",
            "Lists the tickets that a ticket is tied to.",
            _READERS,
            (Answer(200, "What the others are to it; those the caller may read.", ref("Links")),),
            Example("/links?link_object=Ticket&link_object_value=31794"),
            "",
            _about("link_object", "link_object_value", in_query=True),
            (HIDDEN, _NO_TICKET),
        ),
        Operation(
            "POST",
            "/links/add",
            "Ties two tickets.",
            "Agents with change access to the target's group, and read access to the source's.",
            (Answer(201, "The tie.", ref("LinkRow")),),
            Example(
                "/links/add",
                sends(
                    {
                        "link_type": "child",
                        "link_object_target": "Ticket",
                        "link_object_target_value": 31794,
                        "link_object_source": "Ticket",
                        "link_object_source_number": "1031795",
                    }
                ),
                201,
            ),
            "The target is named by its id, the source by its number.",
            (
                *_TIE,
                body("link_object_source_number", "The number of the source.", TEXT, required=True),
            ),
            (
                HIDDEN,
                _NO_TICKET,
                _NO_TYPE,
                _NO_OBJECT,
                Failure(422, "A ticket cannot be linked with itself.", "They are the same."),
            ),
        ),
        Operation(
            "DELETE",
            "/links/remove",
            "Unties two tickets, whichever way round they are named.",
            "Agents with change access to the target's group.",
            (_TRUE,),
            Example(
                "/links/remove",
                sends(
                    {
                        "link_type": "child",
                        "link_object_target": "Ticket",
                        "link_object_target_value": 31794,
                        "link_object_source": "Ticket",
                        "link_object_source_value": 31795,
                    }
                ),
            ),
            "",
            (
                *_TIE,
                body(
                    "link_object_source_value",
                    "The id of the source; or `link_object_source_number`.",
                    ID,
                ),
            ),
            (HIDDEN, _NO_TICKET, _NO_TYPE, _NO_OBJECT),
        ),
    ),
)

_MENTION = {"mentionable_type": "Ticket", "mentionable_id": 31794}

MENTIONS = Section(
    "mentions",
    "Followers",
    "Agents who follow a ticket; Zammad calls that a mention.",
    (
        Operation(
            "GET",
            "/mentions",
            "Lists who follows a ticket.",
            "Agents with read access to the group.",
            (
                Answer(
                    200,
                    "The followers; with `full=true` ids and assets.",
                    any_of(record({"mentions": list_of(ref("Mention"))}), ref("Records")),
                ),
            ),
            Example("/mentions?mentionable_type=Ticket&mentionable_id=31794"),
            "",
            (*_about("mentionable_type", "mentionable_id", in_query=True), FULL),
            (REFUSED, HIDDEN, _NO_TICKET),
            _AGENT,
        ),
        Operation(
            "POST",
            "/mentions",
            "Follows a ticket.",
            "Agents with read access to the group.",
            (_ADDED,),
            Example("/mentions", sends(_MENTION), 201),
            "",
            _about("mentionable_type", "mentionable_id", in_query=False),
            (REFUSED, HIDDEN, _NO_TICKET),
            _AGENT,
        ),
        Operation(
            "DELETE",
            "/mentions/{mention_id}",
            "Stops following a ticket.",
            "Who follows it.",
            (_TRUE,),
            Example("/mentions/9203"),
            "",
            (path("mention_id", "The id of the mention."),),
            (REFUSED, HIDDEN, unknown("Mention")),
            _AGENT,
        ),
    ),
)

PAST = Section(
    "merging",
    "Merging and history",
    "",
    (
        Operation(
            "PUT",
            "/ticket_merge/{source_id}/{target_number}",
            "Puts one ticket into another.",
            "Agents with change access to both groups.",
            (
                Answer(
                    200,
                    "`success` and both tickets; or `failed` and why, where one of them is not"
                    " there.",
                    ref("Merged"),
                ),
            ),
            Example("/ticket_merge/31794/1031795"),
            "The articles, links and followers move to the target. The source stays, with a note"
            " and the state merged. The source is named by its id, the target by its number.",
            (
                path("source_id", "The id of the ticket that goes."),
                path("target_number", "The number of the ticket that stays.", TEXT),
            ),
            (
                REFUSED,
                HIDDEN,
                Failure(422, "A ticket cannot be merged into itself.", "They are the same."),
                Failure(
                    422,
                    "It is not possible to merge into an already merged ticket.",
                    "The target went into another one itself.",
                ),
            ),
            _AGENT,
        ),
        Operation(
            "GET",
            "/ticket_history/{ticket_id}",
            "Says what happened to a ticket, oldest first.",
            "Agents with read access to the group.",
            (Answer(200, "The history, and who did it.", ref("History")),),
            Example("/ticket_history/31794"),
            "",
            (path("ticket_id", "The id of the ticket."),),
            (REFUSED, HIDDEN, _NO_TICKET),
            _AGENT,
        ),
    ),
)
