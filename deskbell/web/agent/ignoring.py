"""Lists of mail that becomes nothing or is never answered; the rules for mail that comes in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import QueryDict
from django.http.response import HttpResponseBase, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext, gettext_lazy

from deskbell.kernel.clock import now
from deskbell.kernel.errors import Invalid
from deskbell.kernel.text import fold
from deskbell.mail import policy, typed
from deskbell.mail.intake import channels, ignoring
from deskbell.mail.models import IgnoreRule
from deskbell.mail.policy import Policy
from deskbell.mail.reading.references import PLACES
from deskbell.people.models import Group
from deskbell.web.agent.lists import rail
from deskbell.web.shared.controls import Control, Option, id_of, show_problem
from deskbell.web.shared.pages import DeskRequest, Read, page, signed_in

Addresses = ("GET", "HEAD", "POST")
SHOWN = 50

WHAT: dict[str, Any] = {
    IgnoreRule.What.ADDRESS: gettext_lazy("Sender's address"),
    IgnoreRule.What.DOMAIN: gettext_lazy("Sender's domain"),
    IgnoreRule.What.HEADER: gettext_lazy("Header field"),
}
ACTION: dict[str, Any] = {
    IgnoreRule.Action.IGNORE: gettext_lazy("ignored: it becomes nothing"),
    IgnoreRule.Action.QUIET: gettext_lazy("taken, but never answered"),
}


class Form:
    """What a rule is asked for; ``present`` is the one to be changed."""

    def __init__(
        self, present: IgnoreRule | None = None, *, given: QueryDict | None = None
    ) -> None:
        self.present = present
        asked = given if given is not None else QueryDict()
        groups = Group.objects.order_by("name_key", "id").values_list("pk", "name")
        self.what = Control(
            "what",
            gettext("Look at"),
            kind="select",
            options=[Option(value, str(label)) for value, label in WHAT.items()],
            value=present.what if present else asked.get("what", IgnoreRule.What.ADDRESS),
            required=True,
        )
        self.pattern = Control(
            "pattern",
            gettext("Which"),
            value=present.pattern if present else asked.get("pattern", ""),
            hint=gettext(
                "someone@example.com · example.com with all below it · X-Spam-Flag: yes (without "
                "words the field alone decides)"
            ),
            required=True,
            limit=ignoring.PATTERN_LIMIT,
        )
        self.action = Control(
            "action",
            gettext("Such mail is"),
            kind="select",
            options=[Option(value, str(label)) for value, label in ACTION.items()],
            value=present.action if present else IgnoreRule.Action.IGNORE,
            required=True,
        )
        self.group = Control(
            "group",
            gettext("Where it comes in for"),
            kind="select",
            options=[
                Option("", gettext("all groups")),
                *(Option(str(pk), name) for pk, name in groups),
            ],
            value=str(present.group_id or "") if present else "",
        )
        self.note = Control(
            "note",
            gettext("Note"),
            value=present.note if present else "",
            limit=ignoring.NOTE_LIMIT,
        )
        self.active = Control(
            "active",
            gettext("In use"),
            kind="checkbox",
            value="on" if present is None or present.active else "",
        )
        self.problem = ""

    @property
    def every(self) -> list[Control]:
        return [self.what, self.pattern, self.action, self.group, self.note, self.active]

    def read(self, posted: QueryDict) -> ignoring.NewRule:
        """The rule as it was typed."""
        for control in self.every:
            control.value = posted.get(control.name, "")
        # What is no id is no group's: the operation says so.
        group_id = (id_of(self.group.value) or 0) if self.group.value else None
        return ignoring.NewRule(
            what=self.what.value,
            pattern=self.pattern.value,
            action=self.action.value,
            group_id=group_id,
            active=bool(self.active.value),
            note=self.note.value,
        )


@signed_in("web", *Read)
def overview(request: DeskRequest) -> HttpResponseBase:
    """The rules with what they caught, the latest first; found by a part of what they name."""
    ignoring.require(request.actor)
    wanted = request.GET.get("q", "").strip()[: ignoring.PATTERN_LIMIT].replace("\0", "")
    rules = IgnoreRule.objects.select_related("group").order_by("-id")
    if wanted:
        rules = rules.filter(pattern__icontains=fold(wanted))
    if (before := id_of(request.GET.get("before", ""))) is not None:
        rules = rules.filter(pk__lt=before)
    found = list(rules[: SHOWN + 1])
    context = {
        "rail": rail(request.actor, current="ignored"),
        "lines": [(rule, WHAT[rule.what], ACTION[rule.action]) for rule in found[:SHOWN]],
        "older": found[SHOWN - 1].pk if len(found) > SHOWN else None,
        "wanted": wanted,
    }
    return page(request, "agent/ignored.html", context)


@signed_in("web", *Addresses)
def new(request: DeskRequest) -> HttpResponseBase:
    """The form of a new rule, and what comes of it."""
    ignoring.require(request.actor)
    return _edit(request, Form(given=request.GET))


@signed_in("web", *Addresses)
def rule(request: DeskRequest, rule_id: int) -> HttpResponseBase:
    """The form of a rule, and what comes of it."""
    return _edit(request, Form(ignoring.rule_for(request.actor, rule_id)))


def _edit(request: DeskRequest, form: Form) -> HttpResponseBase:
    status = 200
    if request.method == "POST":
        present = form.present
        try:
            ignoring.save_rule(
                form.read(request.POST),
                rule_id=present.pk if present else None,
                actor=request.actor,
                at=now(),
            )
        except Invalid as problem:
            form.problem = show_problem(form.every, problem)
            if problem.code == "taken":
                form.pattern.error = gettext("There is such a rule already.")
            status = 422
        else:
            messages.success(request, gettext("The rule was saved."), extra_tags="ignored")
            return HttpResponseRedirect(reverse("admin-ignored"))
    context = {
        "rail": rail(request.actor, current="ignored"),
        "form": form,
        "rule": form.present,
    }
    return page(request, "agent/ignored_rule.html", context, status=status)


@signed_in("web", "POST")
def switch(request: DeskRequest, rule_id: int) -> HttpResponseBase:
    """Put a rule out of use, or into use again."""
    active = request.POST.get("active") == "on"
    ignoring.switch_rule(rule_id, active=active, actor=request.actor, at=now())
    return HttpResponseRedirect(reverse("admin-ignored"))


@signed_in("web", "POST")
def remove(request: DeskRequest, rule_id: int) -> HttpResponseBase:
    """Remove a rule; what it caught stays as it is."""
    ignoring.delete_rule(rule_id, actor=request.actor, at=now())
    messages.success(request, gettext("The rule was removed."), extra_tags="ignored")
    return HttpResponseRedirect(reverse("admin-ignored"))


# --- the rules for mail that comes in ------------------------------------------------------------

_PLACES: dict[str, Any] = {
    "in-reply-to": gettext_lazy("In-Reply-To: the message it answers"),
    "references": gettext_lazy("References: the conversation before it"),
    "subject": gettext_lazy("the subject"),
    "body": gettext_lazy("the text"),
    "attachment": gettext_lazy("text files in it"),
}
_LABELS: dict[str, tuple[Any, Any]] = {
    "hook": (gettext_lazy("What stands before a ticket's number"), ""),
    "max_message_mb": (
        gettext_lazy("Largest message, MB"),
        gettext_lazy("Larger ones are kept and refused."),
    ),
    "own_addresses": (
        gettext_lazy("Further addresses of the desk"),
        gettext_lazy("Aliases that lead here, separated by commas: they never become copies."),
    ),
    "tagged_addresses": (
        gettext_lazy("Addresses that take a tag"),
        gettext_lazy(
            "Where mail to name+anything@host arrives as well. Agents then answer to an address "
            "that proves who they are."
        ),
    ),
    "verify_senders": (
        gettext_lazy("Check signatures of senders here"),
        gettext_lazy(
            "Where no mail server of ours says who is proven: DKIM and DMARC, asked for in DNS."
        ),
    ),
    "customer_of_agent": (
        gettext_lazy("What an agent writes to us and a customer is the customer's ticket"),
        "",
    ),
    "acknowledgements_per_sender": (
        gettext_lazy("New tickets that a sender hears of, an hour"),
        gettext_lazy("In a day three times as many; so with the next two."),
    ),
    "mails_per_sender": (
        gettext_lazy("Messages of a sender, an hour"),
        gettext_lazy("What comes beyond is kept; nobody is mailed because of it."),
    ),
    "mails_per_ticket": (
        gettext_lazy("Messages to a ticket, an hour"),
        gettext_lazy("What comes beyond is kept; it reopens nothing."),
    ),
    "raw_mail_days": (
        gettext_lazy("Days to keep messages as they came"),
        gettext_lazy("0: for ever. What became of them is always kept."),
    ),
}


def _typed(setting: typed.Setting, present: Policy) -> str:
    """A setting as it is typed; a number is always one, because none at all means the usual."""
    value = getattr(present, setting.name)
    return str(value) if setting.type == "int" else typed.shown(setting, value)


@dataclass(slots=True)
class _Rules:
    """The form of the rules."""

    controls: list[Control]
    places: list[Control]
    problem: str = ""

    @classmethod
    def of(cls, present: Policy) -> _Rules:
        controls = []
        for setting in typed.settings_of(Policy):
            if setting.name == "search_in":
                continue
            label, hint = _LABELS[setting.name]
            controls.append(
                Control(
                    setting.name,
                    str(label),
                    kind="checkbox" if setting.type == "bool" else "text",
                    value=_typed(setting, present),
                    hint=str(hint),
                    required=setting.type == "int" or setting.name == "hook",
                    mode="numeric" if setting.type == "int" else "",
                )
            )
        places = [
            Control(
                f"in-{place}",
                str(_PLACES[place]),
                kind="checkbox",
                value="on" if place in present.search_in else "",
            )
            for place in PLACES
        ]
        return cls(controls, places)

    def read(self, posted: QueryDict) -> dict[str, Any] | None:
        """The settings as they were typed; ``None`` where something is wrong, which is said."""
        for control in [*self.controls, *self.places]:
            control.value = posted.get(control.name, "")
        values: dict[str, Any] = {
            "search_in": [place for place in PLACES if posted.get(f"in-{place}")]
        }
        for control in self.controls:
            try:
                values |= typed.read(Policy, {control.name: control.value})
            except Invalid as problem:
                show_problem(self.controls, problem)
        return None if any(control.error for control in self.controls) else values


@signed_in("web", *Addresses)
def rules(request: DeskRequest) -> HttpResponseBase:
    """The rules for mail that comes in, and what comes of changing them."""
    channels.require(request.actor)
    form, status = _Rules.of(policy.present()), 200
    if request.method == "POST":
        values = form.read(request.POST)
        status = 422
        if values is not None:
            try:
                policy.save(values, actor=request.actor, at=now())
            except Invalid as problem:
                form.problem = show_problem(form.controls, problem)
            else:
                messages.success(request, gettext("The rules were saved."), extra_tags="rules")
                return HttpResponseRedirect(reverse("admin-mail-rules"))
    context = {"rail": rail(request.actor, current="rules"), "form": form}
    return page(request, "agent/mail_rules.html", context, status=status)
