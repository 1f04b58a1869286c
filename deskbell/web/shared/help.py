"""The documentation of the three APIs: public pages with this installation's own addresses.

The form API is described here. The REST dialects describe themselves; their pages lay that out.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.views.decorators.csrf import csrf_exempt

from deskbell.kernel.reference import EXAMPLE_LOGIN, Operation, Reference, type_name
from deskbell.web.shared.middleware import CONTENT_SECURITY_POLICY
from deskbell.web.shared.pages import allow

#: The account of all examples, as old as the API itself.
CREDENTIALS = dict(zip(("user", "password"), EXAMPLE_LOGIN.split(":"), strict=True))


@dataclass(frozen=True, slots=True)
class Parameter:
    """A field of a method's form. ``text`` may mark words as code with backquotes."""

    name: str
    text: str
    required: bool = False
    default: str = ""


@dataclass(frozen=True, slots=True)
class Failure:
    """An answer that is no success."""

    status: int
    text: str
    why: str


@dataclass(frozen=True, slots=True)
class Method:
    """A method as the page shows it; ``example`` are its fields besides the credentials."""

    name: str
    summary: str
    details: str
    parameters: tuple[Parameter, ...]
    success: str
    answer: str
    failures: tuple[Failure, ...]
    example: dict[str, str]
    answer_type: str = "text/plain"

    @property
    def paragraphs(self) -> list[str]:
        return self.details.split("\n\n")


_TICKET = Parameter("ticket", "The number of the ticket: its plain id, digits only.", required=True)
_NO_TICKET = Failure(
    404, "Invalid ticket ID", "There is no such ticket, or it is not for this account."
)
_DENIED = Failure(403, "Permission denied", "The account may read the ticket, but not change it.")

METHODS: tuple[Method, ...] = (
    Method(
        "create_ticket",
        "Opens a ticket.",
        "The ticket starts out open. Its first entry carries the body and can be seen by the"
        " customer; customer, owner and the addresses of the queue are told by mail.\n\n"
        "Everything that is wrong with a form is reported in one answer. Nothing is stored"
        " then, neither ticket nor customer.",
        (
            Parameter("queue", "Where the ticket goes: an id from `list_queues`.", required=True),
            Parameter("title", "What it is about, in at most 100 characters.", required=True),
            Parameter("body", "The whole story, as plain text of any length.", default="empty"),
            Parameter(
                "submitter_email",
                "The customer's address. Whoever has it becomes the customer of the ticket; an"
                " address nobody has yet makes a new customer. Mail about public entries goes"
                " there.",
                default="no customer",
            ),
            Parameter(
                "assigned_to",
                "The person in charge: the id of an active account, see `find_user`.",
                default="nobody",
            ),
            Parameter("priority", "From 1 (critical) to 5 (very low).", default="3"),
            Parameter(
                "due_date_year",
                "Together with `due_date_month` and `due_date_day`: the day on which the ticket is"
                " due. All three, or none of them.",
                default="none",
            ),
            Parameter(
                "due_date",
                "The same in one field: a date such as `2031-05-06`, or a moment such as"
                " `2031-05-06T07:30+02:00`.",
                default="none",
            ),
            Parameter(
                "custom_…",
                "A value for one of the fields this desk has added to tickets: `custom_` and the"
                " name of the field. Fields that the desk requires are required here as well.",
            ),
        ),
        "The id of the new ticket, in digits and nothing else.",
        "31794",
        (
            Failure(
                400,
                "* title\n  * This field is required.",
                "Something in the form is wrong: one block of two lines for every field.",
            ),
        ),
        {
            "queue": "1",
            "title": "The printer on the second floor is on fire",
            "body": "It began to smoke this morning.",
            "submitter_email": "kemal@example.com",
            "priority": "2",
        },
    ),
    Method(
        "delete_ticket",
        "Removes a ticket for good.",
        "Entries, attached files, copies and links go with it, and nothing brings them back."
        " The account needs the right to delete tickets.",
        (
            _TICKET,
            Parameter(
                "confirm",
                "That you mean it. Any value will do as long as there is one, even `no`.",
                required=True,
            ),
        ),
        "`OK`",
        "OK",
        (
            Failure(400, "No confirmation provided", "`confirm` is missing or empty."),
            _NO_TICKET,
            Failure(403, "Permission denied", "The account may not delete tickets."),
        ),
        {"ticket": "31794", "confirm": "yes"},
    ),
    Method(
        "hold_ticket",
        "Puts a ticket on hold.",
        "A ticket on hold does not escalate. Its status stays what it is, no entry is added,"
        " nobody gets mail. Holding it twice is the same as holding it once.",
        (_TICKET,),
        "`OK`",
        "OK",
        (_NO_TICKET, _DENIED),
        {"ticket": "31794"},
    ),
    Method(
        "unhold_ticket",
        "Takes a ticket off hold.",
        "From here on it can escalate again. A ticket that was waiting for a moment is open now.",
        (_TICKET,),
        "`OK`",
        "OK",
        (_NO_TICKET, _DENIED),
        {"ticket": "31794"},
    ),
    Method(
        "add_followup",
        "Adds an entry to a ticket.",
        "A public entry goes by mail to the customer, to everybody who gets copies, to the"
        " owner and to the addresses of the queue. A private one is for staff: only the owner"
        " and the addresses of the queue are told, the customer never sees it.\n\n"
        "Status and title of the ticket stay as they are.",
        (
            _TICKET,
            Parameter(
                "message",
                "The text, of any length. Markup is kept as it is and shown as text.",
                required=True,
            ),
            Parameter("public", "`y` for a public entry, `n` for a private one.", default="n"),
        ),
        "`OK`",
        "OK",
        (
            _NO_TICKET,
            Failure(400, "Invalid 'public' flag", "`public` is something else than `y` or `n`."),
            Failure(400, "Blank message", "`message` is missing or empty."),
            _DENIED,
        ),
        {"ticket": "31794", "message": "A technician is on the way.", "public": "y"},
    ),
    Method(
        "resolve",
        "Says how a ticket was solved, and marks it as resolved.",
        "The text is kept as the ticket's resolution and added as a public entry, which goes by"
        " mail to the same people as one of `add_followup`. A ticket can be resolved more than"
        " once, whatever its status.",
        (
            _TICKET,
            Parameter("resolution", "What was done, in a text of any length.", required=True),
        ),
        "`OK`",
        "OK",
        (
            _NO_TICKET,
            Failure(400, "Blank resolution", "`resolution` is missing or empty."),
            _DENIED,
        ),
        {"ticket": "31794", "resolution": "The fire is out; the printer was replaced."},
    ),
    Method(
        "list_queues",
        "Names the queues in which the account may open tickets.",
        "The method has no parameters of its own.",
        (),
        "A JSON list, sorted by title. Ids are strings.",
        '[{"id": "2", "title": "Sales"}, {"id": "1", "title": "Support"}]',
        (),
        {},
        answer_type="text/json",
    ),
    Method(
        "find_user",
        "Finds the id of an account by its login.",
        "Inactive accounts are found as well. Where a call carries no `user`, the account signs"
        " in with `username` and is told its own id.",
        (
            Parameter(
                "username",
                "The login, spelled exactly: capital and small letters differ here.",
                required=True,
            ),
        ),
        "The id, in digits and nothing else.",
        "3",
        (Failure(404, "Invalid username provided", "No account has this login."),),
        {"username": "nora"},
    ),
)


@dataclass(frozen=True, slots=True)
class Example:
    """A call of a method at an address, ready to be copied."""

    url: str
    fields: dict[str, str]

    @property
    def lines(self) -> str:
        """The fields, one a line."""
        return "\n".join(f"{name}={value}" for name, value in self.fields.items())

    @property
    def short_curl(self) -> str:
        """The call for a shell with all fields as one form body."""
        return f"curl {self.url} --data {_shell_word(urlencode(self.fields))}"

    @property
    def curl(self) -> str:
        """The call for a shell."""
        lines = [f"curl {self.url}"]
        lines += [
            f"  --data-urlencode {_shell_word(f'{name}={value}')}"
            for name, value in self.fields.items()
        ]
        return " \\\n".join(lines)

    @property
    def php(self) -> str:
        """The call for PHP with its cURL extension."""
        fields = "\n".join(
            f"    {_php_text(name)} => {_php_text(value)}," for name, value in self.fields.items()
        )
        return (
            "<?php\n"
            f"$call = curl_init({_php_text(self.url)});\n"
            "curl_setopt($call, CURLOPT_POST, true);\n"
            "curl_setopt($call, CURLOPT_POSTFIELDS, http_build_query([\n"
            f"{fields}\n"
            "]));\n"
            "curl_setopt($call, CURLOPT_RETURNTRANSFER, true);\n"
            "$answer = curl_exec($call);\n"
            "$status = curl_getinfo($call, CURLINFO_RESPONSE_CODE);\n"
            'echo "$status $answer\\n";'
        )


def _shell_word(text: str) -> str:
    return '"' + "".join("\\" + c if c in '"\\$`' else c for c in text) + '"'


def _php_text(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


@csrf_exempt  # the old product showed the page to a POST, too; it changes nothing
@allow("GET", "HEAD", "POST")
def form_api(request: HttpRequest, mount: str) -> HttpResponseBase:
    """The page. ``mount`` is what the address has before ``api/``, and so have the examples."""
    base = request.build_absolute_uri(f"/{mount}api/")
    methods = [
        {"about": m, "call": Example(f"{base}{m.name}/", {**CREDENTIALS, **m.example})}
        for m in METHODS
    ]
    first = Example(f"{base}hold_ticket/", {**CREDENTIALS, "ticket": "31794"})
    context = {"base": base, "methods": methods, "first": first, "apis": _apis("", mount)}
    response: HttpResponse = render(request, "help/form_api.html", context)
    # Below api/ the page is outside of the chain that gives pages their policy.
    response["Content-Security-Policy"] = CONTENT_SECURITY_POLICY
    return response


# --- the REST dialects ---------------------------------------------------------------------------

#: What a paragraph of a description begins with that is a call, and no text.
_CALL = "curl:"


@dataclass(frozen=True, slots=True)
class Api:
    """One of the three pages, as each of them names it."""

    title: str
    address: str
    is_here: bool


def _apis(here: str, mount: str) -> list[Api]:
    pages = (
        ("", "Form API"),
        ("helpdesk", "django-helpdesk API"),
        ("zammad", "Zammad API"),
    )
    return [
        Api(title, f"/{mount}help/api/{name}/" if name else f"/{mount}help/api/", name == here)
        for name, title in pages
    ]


@allow("GET", "HEAD")
def rest_api(request: HttpRequest, mount: str, reference: Reference) -> HttpResponseBase:
    """The page of a REST dialect, with everything it says of itself."""
    base = request.build_absolute_uri(f"/{mount}{reference.below}")

    def shown(operation: Operation) -> dict[str, object]:
        command = operation.example.command(base, operation.verb)
        return {"about": operation, "command": command}

    topics = [
        {"about": topic, "paragraphs": [_paragraph(one, base) for one in topic.paragraphs]}
        for topic in reference.topics
    ]
    sections = [
        {"about": section, "operations": [shown(one) for one in section.operations]}
        for section in reference.sections
    ]
    context = {
        "reference": reference,
        "base": base,
        "topics": topics,
        "sections": sections,
        "everywhere": [shown(one) for one in reference.everywhere],
        "objects": _objects(reference),
        "apis": _apis(reference.name, mount),
        "document": request.build_absolute_uri(f"/{mount}help/api/{reference.name}/openapi.json"),
    }
    return render(request, "help/rest_api.html", context)


def _paragraph(text: str, base: str) -> dict[str, object]:
    """A paragraph, or a call that was written as ``curl:`` with its path and arguments."""
    if not text.startswith(_CALL):
        return {"text": text, "is_call": False}
    return {"text": f"curl {base}{text.removeprefix(_CALL)}", "is_call": True}


def _objects(reference: Reference) -> list[dict[str, object]]:
    """The schemas that are objects, with the type of every key."""
    found: list[dict[str, object]] = []
    for name, schema in reference.schemas.items():
        if schema.get("type") != "object":
            continue
        needed = schema.get("required", ())
        keys = [
            {"name": key, "type": type_name(one), "is_always": key in needed}
            for key, one in schema.get("properties", {}).items()
        ]
        found.append({"name": name, "text": schema.get("description", ""), "keys": keys})
    return found
