"""Asking for something new."""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import prefetch_related_objects
from django.http import QueryDict
from django.http.response import HttpResponseBase, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext

from deskbell.kernel.clock import now
from deskbell.kernel.errors import Forbidden, Invalid
from deskbell.people.models import Group
from deskbell.tickets import fields
from deskbell.tickets.attachments import NewFile
from deskbell.tickets.operations import NewArticle, NewTicket, open_ticket
from deskbell.tickets.vocabulary import TITLE_LIMIT, ArticleType, Sender
from deskbell.web.shared.controls import (
    Control,
    Option,
    custom_controls,
    files_of,
    id_of,
    read_custom,
    sentence,
    show_problem,
)
from deskbell.web.shared.pages import DeskRequest, page, signed_in


class Form:
    """What a customer is asked for; fields for staff only do not exist here."""

    def __init__(self, customer_id: int) -> None:
        groups = Group.objects.filter(active=True).order_by("name_key", "id")
        self.customer_id = customer_id
        self.definitions = fields.definitions(staff=False)
        self.title = Control(
            "title", gettext("What is it about?"), required=True, limit=TITLE_LIMIT
        )
        self.body = Control("body", gettext("Tell us more"), kind="textarea", required=True)
        self.group = Control(
            "group",
            gettext("Who should look at it?"),
            kind="select",
            options=[Option(str(group.pk), group.name) for group in groups],
            required=True,
        )
        self.group.value = self.group.options[0].value if self.group.options else ""
        self.custom = custom_controls(self.definitions, {})
        self.problem = ""

    @property
    def controls(self) -> list[Control]:
        return [self.title, self.body, self.group, *self.custom]

    @property
    def has_choice(self) -> bool:
        """Whether there is more than one group to ask, or something wrong with the one."""
        return len(self.group.options) > 1 or bool(self.group.error)

    def read(self, posted: QueryDict, files: list[NewFile]) -> NewTicket | None:
        """The ticket that is to be opened; ``None`` where something is wrong."""
        for control in (self.title, self.body, self.group):
            control.value = posted.get(control.name, "")
            if not control.value.strip():
                control.error = sentence(Invalid(control.name, "required"))
        group_id = id_of(self.group.value)
        if group_id is None and not self.group.error:
            self.group.error = sentence(Invalid("group_id", "unknown"))
        prefetch_related_objects(self.definitions, "groups")
        custom = read_custom(self.definitions, self.custom, posted, group_id=group_id)
        if group_id is None or any(control.error for control in self.controls):
            return None
        return NewTicket(
            title=self.title.value,
            group_id=group_id,
            customer_id=self.customer_id,
            custom=custom,
            article=NewArticle(
                body=self.body.value,
                type=ArticleType.WEB,
                sender=Sender.CUSTOMER,
                origin_by_id=self.customer_id,
                files=files,
            ),
        )


@signed_in("portal", "GET", "HEAD", "POST")
def new(request: DeskRequest) -> HttpResponseBase:
    """The form, and what comes of it."""
    if not request.actor.may("ticket.customer"):
        raise PermissionDenied
    form = Form(request.viewer.pk)
    if request.method != "POST":
        return _page(request, form)
    asked = form.read(request.POST, files_of(request))
    if asked is None:
        return _page(request, form, status=422)
    try:
        opened = open_ticket(asked, actor=request.actor, at=now())
    except Invalid as problem:
        form.problem = show_problem(form.controls, problem)
        return _page(request, form, status=422)
    except Forbidden as problem:
        raise PermissionDenied from problem
    messages.success(
        request, gettext("Thank you, we have it. You will hear from us."), extra_tags="portal:new"
    )
    return HttpResponseRedirect(reverse("portal-ticket", args=[opened.pk]))


def _page(request: DeskRequest, form: Form, *, status: int = 200) -> HttpResponseBase:
    context = {"form": form, "section": "new"}
    return page(request, "portal/new.html", context, status=status)
