"""The forms of the workspace: what they offer, and what was typed into them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from django.http import QueryDict
from django.utils.translation import gettext

from deskbell.kernel.actor import NOBODY_ID, Actor
from deskbell.kernel.errors import Invalid
from deskbell.kernel.text import fold
from deskbell.people.access import agents_with
from deskbell.people.models import Group, User
from deskbell.tickets import rules
from deskbell.tickets.models import CustomField, Priority, State
from deskbell.tickets.operations import TicketChange
from deskbell.tickets.queries import TicketRow, moment
from deskbell.tickets.vocabulary import StateType
from deskbell.web.shared.controls import (
    Control,
    Option,
    custom_controls,
    id_of,
    moment_of,
    moment_text,
    read_custom,
    sentence,
    show_problem,
    words_of,
)
from deskbell.web.shared.templatetags.desk import words_only


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The rows that menus offer, read once per page: three queries."""

    states: Sequence[State]
    priorities: Sequence[Priority]
    groups: Sequence[Group]

    @classmethod
    def read(cls) -> Vocabulary:
        return cls(
            list(State.objects.order_by("id")),
            list(Priority.objects.order_by("helpdesk_number", "id")),
            list(Group.objects.order_by("name_key", "id")),
        )

    def state(self, id_: int) -> State:
        return next(state for state in self.states if state.pk == id_)

    def priority(self, id_: int) -> Priority:
        return next(priority for priority in self.priorities if priority.pk == id_)

    def group(self, id_: int) -> Group:
        return next(group for group in self.groups if group.pk == id_)

    def state_options(self, *, present: int | None, creating: bool = False) -> list[Option]:
        """States that an agent may choose, and the present one."""
        return [
            Option(str(state.pk), state.name, state.kind.is_pending)
            for state in self.states
            if state.pk == present
            or rules.may_choose_state(
                StateType(state.type), active=state.active, agent=True, creating=creating
            )
        ]

    def priority_options(self, *, present: int | None) -> list[Option]:
        return [
            Option(str(priority.pk), words_only(priority.name))
            for priority in self.priorities
            if priority.active or priority.pk == present
        ]

    def group_options(
        self, actor: Actor, *, present: int | None, levels: Sequence[str]
    ) -> list[Option]:
        """Active groups in which the actor has one of the levels, and the present one."""
        return [
            Option(str(group.pk), group.name)
            for group in self.groups
            if group.pk == present
            or (group.active and any(actor.may_in_group(level, group.pk) for level in levels))
        ]


def owner_options(group_id: int, present: int) -> tuple[list[Option], dict[int, User]]:
    """Who may be in charge in a group, and the present owner; the rows by id. Two queries."""
    ids = {*agents_with("full", group_id), present} - {NOBODY_ID}
    people = {user.pk: user for user in User.objects.filter(pk__in=ids)}
    names = sorted((user.display_name.casefold(), user.pk) for user in people.values())
    options = [Option(str(NOBODY_ID), gettext("Nobody"))]
    options += [Option(str(pk), people[pk].display_name) for _key, pk in names]
    return options, people


def until(value: str = "") -> Control:
    """Until when a pending state holds."""
    return Control("pending_time", gettext("Until"), kind="datetime-local", value=value)


@dataclass(slots=True)
class Answer:
    """What was typed as a reply or a note, shown again where it could not be sent.

    ``kept`` are files of a reply that was taken back.
    """

    body: str = ""
    state: str = ""
    until: str = ""
    problem: str = ""
    errors: dict[str, str] = field(default_factory=dict)
    kept: Sequence[Any] = ()

    @classmethod
    def read(cls, posted: QueryDict) -> Answer:
        return cls(posted.get("body", ""), posted.get("state", ""), posted.get("pending_time", ""))

    def change(self) -> TicketChange:
        """What is to change with the answer. Raises :class:`Invalid`."""
        change = TicketChange()
        if self.state:
            state_id = id_of(self.state)
            if state_id is None:
                raise Invalid("state_id", "unknown", self.state)
            change.state_id = state_id
            change.pending_time = moment_of("pending_time", self.until)
        return change

    def take(self, problem: Invalid) -> None:
        """Remember what is wrong, for the form."""
        place = {"state_id": "state", "pending_time": "pending_time", "body": "body"}
        if problem.field == "to":
            self.problem = gettext("The customer has no address that mail can be sent to.")
        elif problem.field in place:
            self.errors[place[problem.field]] = sentence(problem)
        else:
            self.problem = f"{problem.field}: {sentence(problem)}"


class Facts:
    """The form beside a ticket. It changes only what differs from what it showed.

    So an old page that is sent does not undo what others did in the meantime.
    """

    def __init__(
        self,
        row: TicketRow,
        *,
        actor: Actor,
        words: Vocabulary,
        owners: Sequence[Option],
        tags: Sequence[str],
        definitions: Sequence[CustomField],
        custom: dict[str, Any],
    ) -> None:
        self.definitions = definitions
        self.group_id = row.group_id
        due = moment_text(moment(row.due_date) if row.due_date else None)
        pending = moment_text(moment(row.pending_time) if row.pending_time else None)
        self.state = _menu(
            "state",
            gettext("State"),
            words.state_options(present=row.state_id),
            row.state_id,
        )
        self.until = until(pending)
        self.until.was = pending
        self.group = _menu(
            "group",
            gettext("Group"),
            words.group_options(actor, present=row.group_id, levels=("change", "create")),
            row.group_id,
        )
        self.owner = _menu("owner", gettext("Owner"), owners, row.owner_id)
        self.priority = _menu(
            "priority",
            gettext("Priority"),
            words.priority_options(present=row.priority_id),
            row.priority_id,
        )
        self.due = Control("due_date", gettext("Due"), kind="datetime-local", value=due, was=due)
        hold = "on" if rules.reads_on_hold(bool(row.on_hold), row.state_type) else ""
        self.hold = Control("on_hold", gettext("On hold"), kind="checkbox", value=hold, was=hold)
        joined = ", ".join(tags)
        self.tags = Control("tags", gettext("Tags"), value=joined, was=joined)
        self.custom = custom_controls(definitions, custom, editing=True)
        self.problem = ""

    @property
    def controls(self) -> list[Control]:
        """All controls, as they stand in the form."""
        return [*self.plain, *self.custom]

    @property
    def plain(self) -> list[Control]:
        """The controls of what every ticket has."""
        return [
            self.state,
            self.until,
            self.owner,
            self.group,
            self.priority,
            self.due,
            self.hold,
            self.tags,
        ]

    @property
    def has_errors(self) -> bool:
        return bool(self.problem) or any(control.error for control in self.controls)

    def take(self, problem: Invalid) -> None:
        """Remember what is wrong, at its control where there is one."""
        self.problem = show_problem(self.controls, problem)

    def read(self, posted: QueryDict) -> tuple[TicketChange, list[str], list[str]]:
        """The change that was asked for, tags to put on and to take off; errors stay here."""
        for control in self.plain:
            control.value = posted.get(control.name, "")
            control.was = posted.get(f"was-{control.name}", "")
        moved_to = id_of(self.group.value) if _differs(self.group) else None
        group_id = moved_to or self.group_id
        change = TicketChange(
            custom=read_custom(self.definitions, self.custom, posted, group_id=group_id)
        )
        for control, name in (
            (self.state, "state_id"),
            (self.owner, "owner_id"),
            (self.group, "group_id"),
            (self.priority, "priority_id"),
        ):
            if _differs(control):
                id_ = id_of(control.value)
                if id_ is None:
                    control.error = sentence(Invalid(name, "unknown"))
                else:
                    setattr(change, name, id_)
        for control in (self.until, self.due):
            # A pending state needs its moment, even if that is the one it had.
            needed = control is self.until and control.value and _differs(self.state)
            if _differs(control) or needed:
                try:
                    setattr(change, control.name, moment_of(control.name, control.value))
                except Invalid as problem:
                    control.error = sentence(problem)
        if _differs(self.hold):
            change.on_hold = bool(self.hold.value)
        wanted, shown = words_of(self.tags.value), words_of(self.tags.was or "")
        kept = {fold(word) for word in wanted} & {fold(word) for word in shown}
        added = [word for word in wanted if fold(word) not in kept]
        removed = [word for word in shown if fold(word) not in kept]
        return change, added, removed


def _differs(control: Control) -> bool:
    return control.value != control.was


def _menu(name: str, label: str, options: Sequence[Option], value: int) -> Control:
    return Control(name, label, kind="select", options=options, value=str(value), was=str(value))
