"""Opening a ticket in the workspace: a call taken down, a mail to a customer, or a note."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import prefetch_related_objects
from django.http import QueryDict
from django.http.response import HttpResponseBase, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext, gettext_lazy

from deskbell.kernel.actor import NOBODY_ID, Actor
from deskbell.kernel.clock import now
from deskbell.kernel.errors import Forbidden, Invalid
from deskbell.people.addresses import is_address
from deskbell.people.credentials import user_named
from deskbell.people.models import User
from deskbell.people.operations import find_or_create_customer
from deskbell.tickets import fields
from deskbell.tickets.attachments import NewFile
from deskbell.tickets.models import Ticket
from deskbell.tickets.operations import NewArticle, NewTicket, open_ticket
from deskbell.tickets.vocabulary import TITLE_LIMIT, ArticleType, Sender
from deskbell.web.agent.forms import Vocabulary, until
from deskbell.web.agent.lists import rail
from deskbell.web.shared.controls import (
    Control,
    Option,
    addresses_of,
    custom_controls,
    files_of,
    id_of,
    moment_of,
    read_custom,
    sentence,
    show_problem,
    words_of,
)
from deskbell.web.shared.pages import DeskRequest, page, signed_in


@dataclass(frozen=True, slots=True)
class Way:
    """How the first entry came about."""

    value: str
    label: Any
    hint: Any
    icon: str


WAYS = (
    Way(
        "phone",
        gettext_lazy("Call"),
        gettext_lazy("The customer told you, and gets a receipt."),
        "phone",
    ),
    Way("email", gettext_lazy("E-mail"), gettext_lazy("You write to the customer."), "mail"),
    Way(
        "note", gettext_lazy("Note"), gettext_lazy("Internal. The customer hears nothing."), "note"
    ),
)


class Form:
    """What a new ticket is asked for."""

    def __init__(self, actor: Actor, viewer_id: int) -> None:
        words = Vocabulary.read()
        groups = words.group_options(actor, present=None, levels=("create",))
        self.viewer_id = viewer_id
        self.definitions = fields.for_actor(actor)
        self.way = "phone"
        self.body = Control("body", gettext("Text"), kind="textarea", required=True)
        self.title = Control("title", gettext("Title"), required=True, limit=TITLE_LIMIT)
        self.customer = Control(
            "customer",
            gettext("Customer"),
            required=True,
            limit=254,
            mode="email",
            hint=gettext("An e-mail address or a login. Somebody new is added."),
        )
        self.group = Control(
            "group",
            gettext("Group"),
            kind="select",
            options=groups,
            value=groups[0].value if groups else "",
            required=True,
        )
        default = next((p for p in words.priorities if p.default_create), None)
        self.priority = Control(
            "priority",
            gettext("Priority"),
            kind="select",
            options=words.priority_options(present=None),
            value=str(default.pk) if default else "",
        )
        self.state = Control(
            "state",
            gettext("State"),
            kind="select",
            options=[
                Option("", gettext("As usual")),
                *words.state_options(present=None, creating=True),
            ],
        )
        self.until = until()
        self.owner = Control("owner", gettext("Take care of it myself"), kind="checkbox")
        self.tags = Control("tags", gettext("Tags"), hint=gettext("Separated by commas."))
        self.copies = Control(
            "ccs", gettext("Copies to"), hint=gettext("Addresses that get public entries.")
        )
        self.custom = custom_controls(self.definitions, {})
        self.problem = ""

    @property
    def controls(self) -> list[Control]:
        """All controls."""
        return [*self.plain, *self.custom]

    @property
    def plain(self) -> list[Control]:
        return [
            self.title,
            self.customer,
            self.group,
            self.body,
            self.priority,
            self.state,
            self.until,
            self.owner,
            self.tags,
            self.copies,
        ]

    @property
    def has_errors(self) -> bool:
        return bool(self.problem) or any(control.error for control in self.controls)

    def read(self, posted: QueryDict, files: list[NewFile]) -> NewTicket | None:
        """The ticket to be opened, but for its customer; ``None`` where something is wrong."""
        for control in self.plain:
            control.value = posted.get(control.name, "")
        self.way = posted.get("way", "")
        if self.way not in {way.value for way in WAYS}:
            self.problem = gettext("Please say whether this is a call, an e-mail or a note.")
        for control in (self.title, self.customer, self.group, self.body):
            if not control.value.strip():
                control.error = sentence(Invalid(control.name, "required"))
        group_id = id_of(self.group.value)
        if group_id is None and not self.group.error:
            self.group.error = sentence(Invalid("group_id", "unknown"))
        prefetch_related_objects(self.definitions, "groups")
        custom = read_custom(self.definitions, self.custom, posted, group_id=group_id)
        pending = None
        try:
            pending = moment_of("pending_time", self.until.value)
        except Invalid as problem:
            self.until.error = sentence(problem)
        if self.has_errors or group_id is None:
            return None
        return NewTicket(
            title=self.title.value,
            group_id=group_id,
            state_id=id_of(self.state.value),
            priority_id=id_of(self.priority.value),
            owner_id=self.viewer_id if self.owner.value else NOBODY_ID,
            pending_time=pending,
            custom=custom,
            tags=words_of(self.tags.value),
            ccs=addresses_of(self.copies.value),
            article=NewArticle(body=self.body.value, files=files),
        )


@signed_in("web", "GET", "HEAD", "POST")
def new(request: DeskRequest) -> HttpResponseBase:
    """The form of a new ticket, and what comes of it."""
    if request.actor.kind != "agent":
        return HttpResponseRedirect(reverse("portal-new"))
    form = Form(request.actor, request.viewer.pk)
    if request.method != "POST":
        form.customer.value = request.GET.get("customer", "")[:254]
        return _page(request, form)
    asked = form.read(request.POST, files_of(request))
    if asked is None:
        return _page(request, form, status=422)
    try:
        opened = _open(request, form, asked)
    except Invalid as problem:
        form.problem = show_problem(form.controls, problem)
        return _page(request, form, status=422)
    except Forbidden as problem:
        raise PermissionDenied from problem
    messages.success(request, gettext("The ticket was opened."), extra_tags="ticket:new")
    return HttpResponseRedirect(reverse("agent-ticket", args=[opened.pk]))


def _page(request: DeskRequest, form: Form, *, status: int = 200) -> HttpResponseBase:
    context = {"rail": rail(request.actor, current="new"), "form": form, "ways": WAYS}
    return page(request, "agent/new.html", context, status=status)


@transaction.atomic
def _open(request: DeskRequest, form: Form, asked: NewTicket) -> Ticket:
    """Open the ticket, with its customer where he is new: both or neither."""
    at = now()
    if not request.actor.may_in_group("create", asked.group_id):
        raise Forbidden("group", asked.group_id)
    customer = _customer(form.customer.value.strip(), request.actor, at)
    asked.customer_id = customer.pk
    article = asked.article
    assert article is not None
    match form.way:
        case "email":
            if not is_address(customer.email):
                raise Invalid("customer", "not_an_address", customer.email or customer.login)
            article.type, article.to = ArticleType.EMAIL, customer.email
        case "note":
            article.internal = True
        case _:
            article.type, article.sender = ArticleType.PHONE, Sender.CUSTOMER
    return open_ticket(asked, actor=request.actor, at=at)


def _customer(name: str, actor: Actor, at: Any) -> User:
    """The person with this login or address; one who is new needs an address."""
    found = user_named(name)
    if found is not None:
        return found
    try:
        return find_or_create_customer(name, actor=actor, at=at)
    except Invalid as problem:
        raise Invalid("customer", problem.code, name, **problem.params) from problem
