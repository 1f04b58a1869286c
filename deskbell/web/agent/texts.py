"""The desk's own words in the browser: which there are, changing one, and how it looks."""

from __future__ import annotations

import re
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.http.response import HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext

from deskbell.kernel.clock import now
from deskbell.kernel.errors import Invalid
from deskbell.mail.models import Language, MailText
from deskbell.mail.writing import rewording
from deskbell.mail.writing.preview import preview
from deskbell.mail.writing.rewording import Place
from deskbell.mail.writing.texts import BODY_LIMIT, LINE_LIMIT, PLACEHOLDERS, SECTIONS, TEXTS
from deskbell.people.models import Group
from deskbell.web.agent.lists import rail
from deskbell.web.shared.controls import Control, id_of, sentence
from deskbell.web.shared.pages import DeskRequest, Read, page, signed_in

Addresses = ("GET", "HEAD", "POST")
#: A mail shows its dark colours to whoever prefers them; here it is told which are wanted.
_DARK = re.compile(r"@media\s*\(prefers-color-scheme:\s*dark\)")
_SEALED = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'self'; sandbox"
)


def _place(request: DeskRequest, name: str) -> Place:
    """The text of the address. Raises Http404 for what is none."""
    language = request.GET.get("language", "en")
    if name not in TEXTS or language not in Language.values:
        raise Http404
    given = request.GET.get("group", "")
    group_id = id_of(given)
    if given and (group_id is None or not Group.objects.filter(pk=group_id).exists()):
        raise Http404
    return Place(name, language, group_id)


def _query(language: str, group_id: int | None) -> str:
    return f"?language={language}" + (f"&group={group_id}" if group_id else "")


@signed_in("web", *Read)
def overview(request: DeskRequest) -> HttpResponseBase:
    """All texts in a language, for all groups or for one."""
    rewording.require(request.actor)
    place = _place(request, next(iter(TEXTS)))
    words = rewording.wording_for(place.language, place.group_id)
    own = set(
        MailText.objects.filter(language=place.language, group=place.group_id).values_list(
            "name", flat=True
        )
    )
    sections = [
        (
            label,
            [
                (name, text.label, words.body(name), name in own)
                for name, text in TEXTS.items()
                if text.section == section
            ],
        )
        for section, label in SECTIONS.items()
    ]
    context = {
        "rail": rail(request.actor, current="texts"),
        "sections": sections,
        "place": place,
        "query": _query(place.language, place.group_id),
        **_choices(place),
    }
    return page(request, "agent/texts.html", context)


def _choices(place: Place) -> dict[str, Any]:
    groups = Group.objects.order_by("name_key", "id").values_list("pk", "name")
    return {
        "languages": [
            (value, label, value == place.language, _query(value, place.group_id))
            for value, label in Language.choices
        ],
        "groups": [
            (None, gettext("All groups"), place.group_id is None, _query(place.language, None)),
            *((pk, name, pk == place.group_id, _query(place.language, pk)) for pk, name in groups),
        ],
    }


@signed_in("web", *Addresses)
def text(request: DeskRequest, name: str) -> HttpResponseBase:
    """The editor of a text, and what comes of it."""
    rewording.require(request.actor)
    place = _place(request, name)
    here = reverse("admin-text", args=[name]) + _query(place.language, place.group_id)
    control = _control(place)
    if request.method == "POST":
        if request.POST.get("do") == "reset":
            rewording.reset_text(place, actor=request.actor)
            messages.success(request, gettext("The text is as it was."), extra_tags="text")
            return HttpResponseRedirect(here)
        control.value = request.POST.get("body", "")
        try:
            rewording.save_text(place, control.value, actor=request.actor, at=now())
        except Invalid as problem:
            control.error = _sentence(problem)
        else:
            messages.success(request, gettext("The text was saved."), extra_tags="text")
            return HttpResponseRedirect(here)
    changed = MailText.objects.filter(
        name=name, language=place.language, group=place.group_id
    ).exists()
    context = {
        "rail": rail(request.actor, current="texts"),
        "place": place,
        "query": _query(place.language, place.group_id),
        "text": TEXTS[name],
        "section": SECTIONS[TEXTS[name].section],
        "control": control,
        "changed": changed,
        "schemes": [
            ("text", gettext("Preview as text")),
            ("light", gettext("Preview, light")),
            ("dark", gettext("Preview, dark")),
        ],
        "names": [(f"{{{{ {each} }}}}", PLACEHOLDERS[each]) for each in TEXTS[name].names],
        "built_in": TEXTS[name].built_in[place.language],
        **_choices(place),
    }
    return page(request, "agent/text.html", context, status=422 if control.error else 200)


def _control(place: Place) -> Control:
    found = TEXTS[place.name]
    return Control(
        "body",
        found.label,
        kind="textarea" if found.lines else "text",
        value=rewording.wording_for(place.language, place.group_id).body(place.name),
        required=not found.may_be_empty,
        limit=BODY_LIMIT if found.lines else LINE_LIMIT,
    )


def _sentence(problem: Invalid) -> str:
    if problem.code == "placeholder":
        known = problem.params.get("known") or gettext("none")
        return gettext("%(name)s is no placeholder of this text. It knows: %(known)s.") % {
            "name": problem.value,
            "known": known,
        }
    if problem.code == "one_line":
        return gettext("This text has one line only.")
    return sentence(problem)


@signed_in("web", *Addresses)
def show(request: DeskRequest, name: str) -> HttpResponseBase:
    """A message that holds the text, as a document for a frame: ``scheme`` light, dark or text."""
    rewording.require(request.actor)
    place = _place(request, name)
    scheme = request.GET.get("scheme", "light")
    stored = rewording.wording_for(place.language, place.group_id).body(name)
    body = request.POST.get("body", "") if request.method == "POST" else stored
    problem, found = "", None
    try:
        found = preview(place, body)
    except Invalid as error:
        problem = _sentence(error)
    if found is not None and scheme in ("light", "dark"):
        media = "@media all" if scheme == "dark" else "@media not all"
        response = HttpResponse(_DARK.sub(media, found.html))
    else:
        context = {"preview": found, "problem": problem}
        response = render(request, "agent/text_preview.html", context)
    response["Content-Security-Policy"] = _SEALED
    response["X-Frame-Options"] = "SAMEORIGIN"
    return response
