"""Ways in and out for mail in the file of a desk: what is described, and saving what differs.

Secrets are never written. A file names the place of one (``"env:NAME"``, ``"file:beside.txt"``);
what it does not name stays as it is.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import MISSING, fields
from datetime import datetime
from pathlib import Path
from typing import Any

from deskbell.kernel.actor import Actor
from deskbell.kernel.errors import Invalid
from deskbell.mail import secrets
from deskbell.mail.intake import channels
from deskbell.mail.models import (
    ChannelKind,
    GroupSending,
    MailChannel,
    MailRoute,
    MailText,
    Quoting,
)
from deskbell.mail.sending import routes
from deskbell.mail.writing.texts import TEXTS, checked
from deskbell.ops.desk_file import Entry, Values
from deskbell.ops.user import sentence

SECRET_BYTES = 8192


def described_channels() -> list[Values]:
    """All channels, without what nobody may read."""
    rows = MailChannel.objects.select_related("group").order_by("name_key", "id")
    return [
        {
            "name": row.name,
            "kind": row.kind,
            "group": row.group.name,
            "interval": row.interval,
            "active": row.active,
            "settings": usual(channels.SETTINGS[row.kind], row.settings),
        }
        for row in rows
    ]


def described_routes() -> list[Values]:
    """All routes, without what nobody may read."""
    return [
        {
            "name": row.name,
            "kind": row.kind,
            "is_default": row.is_default,
            "active": row.active,
            "settings": usual(routes.SHAPES[row.kind], row.settings),
        }
        for row in MailRoute.objects.order_by("name_key", "id")
    ]


def described_sending(row: GroupSending) -> Values:
    """How one group's mail goes out."""
    return {
        "group": row.group.name,
        "route": row.route.name if row.route else "",
        "language": row.language,
        "quoting": row.quoting,
    }


def described_sendings() -> list[Values]:
    """How mail of groups goes out, where that is not as usual."""
    rows = GroupSending.objects.select_related("group", "route").order_by("group__name_key")
    return [
        described_sending(row)
        for row in rows
        if row.route_id or row.language or row.quoting != Quoting.LAST
    ]


def described_text(row: MailText) -> Values:
    """One text in the place of a built-in one."""
    return {
        "name": row.name,
        "language": row.language,
        "group": row.group.name if row.group else "",
        "body": row.body,
    }


def described_texts() -> list[Values]:
    """All texts that are not the built-in ones."""
    rows = MailText.objects.filter(name__in=TEXTS).select_related("group")
    return sorted(
        map(described_text, rows),
        key=lambda values: (values["name"], values["language"], values["group"]),
    )


def text_said(entry: Entry) -> str:
    """The words of a text as they are stored. Raises CommandError."""
    name = entry.values["name"].strip()
    try:
        return checked(name, entry.values["body"])
    except Invalid as error:
        if error.code == "placeholder":
            known = error.params.get("known") or "none"
            raise entry.wrong(f"{error.value!r} is no placeholder here; known: {known}") from error
        raise entry.wrong(sentence(error).rstrip(".")) from error


def usual(shape: type[Any], given: Mapping[str, Any]) -> Values:
    """Settings as a file says them: no secrets, and nothing that would be so anyway."""
    defaults = {
        each.name: list(each.default) if isinstance(each.default, tuple) else each.default
        for each in fields(shape)
        if each.default is not MISSING
    }
    plain = {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in given.items()
        if name not in channels.SECRET_SETTINGS
    }
    return {
        name: plain[name]
        for name in sorted(plain)
        if name not in defaults or plain[name] != defaults[name]
    }


def settings_said(entry: Entry, present: Values) -> Values:
    """What the settings of an entry shall be: those that are, with those that are said."""
    kind: Any = entry.values.get("kind", present.get("kind"))
    shapes = channels.SETTINGS if entry.section == "channel" else routes.SHAPES
    if kind not in shapes:
        raise entry.wrong(f"a new {entry.section} needs a kind")
    said: Values = entry.values["settings"]
    for name in said:
        if name in channels.SECRET_SETTINGS:
            raise entry.wrong(f"{name} does not stand in a file; name its place under secrets")
    return usual(shapes[kind], {**present.get("settings", {}), **said})


def new_secrets(entry: Entry, row_id: int | None, beside: Path) -> dict[str, str]:
    """The secrets that an entry names and that are not the stored ones already, by name."""
    places = dict(entry.values.get("secrets", {}))
    if name := entry.values.get("password_file"):
        places["password"] = f"file:{name}"
    if name := entry.values.get("password_env"):
        places["password"] = f"env:{name}"
    said = {name: _secret(entry, name, place, beside) for name, place in places.items()}
    stored = _stored(entry.section, row_id) if said else {}
    return {name: value for name, value in said.items() if stored.get(name) != value}


def _secret(entry: Entry, name: str, place: str, beside: Path) -> str:
    kind, _, where = place.partition(":")
    value = ""
    if kind == "env":
        value = os.environ.get(where, "")
    elif kind == "file":
        try:
            with (beside / Path(where).expanduser()).open("rb") as stream:
                raw = stream.read(SECRET_BYTES + 1)
            value = raw.decode().rstrip("\r\n") if len(raw) <= SECRET_BYTES else ""
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
            raise entry.wrong(f"{name}: {where!r} cannot be read ({reason})") from error
    else:
        raise entry.wrong(f'{name} must be "env:NAME" or "file:NAME"')
    if not value or not value.isprintable():
        raise entry.wrong(f"{name}: {place!r} holds no secret")
    return value


def _stored(section: str, row_id: int | None) -> dict[str, str]:
    try:
        if section == "route":
            route = MailRoute.objects.filter(pk=row_id or 0).first()
            return routes.secrets_of(route) if route is not None else {}
        channel = MailChannel.objects.filter(pk=row_id or 0).first()
        if channel is None:
            return {}
        known = channels.settings_of(channel)
        found = {name: getattr(known, name, "") for name in channels.SECRET_SETTINGS}
        return {**found, "password": secrets.opened(channel.secret)}
    except secrets.Unreadable:
        return {}


def save_channel(
    entry: Entry,
    values: Values,
    row_id: int | None,
    *,
    group_id: int | None,
    actor: Actor,
    at: datetime,
) -> None:
    """Save what differs. Raises what the operation raises, and CommandError."""
    row = MailChannel.objects.get(pk=row_id) if row_id else None
    kind = values.get("kind") or (row.kind if row else "")
    if group_id is None and row is None:
        raise entry.wrong("a new channel needs a group")
    told = dict(values.get("secrets", {}))
    password = told.pop("password", None)
    kept = {
        name: value
        for name, value in (row.settings if row else {}).items()
        if name in channels.SECRET_SETTINGS
    }
    plain = usual(channels.SETTINGS[kind], row.settings) if row and kind in ChannelKind else {}
    channels.save_channel(
        channels.NewChannel(
            name=values.get("name") or entry.name,
            kind=kind,
            group_id=group_id or (row.group_id if row else 0),
            settings={**kept, **values.get("settings", plain), **told},
            password=password,
            interval=values.get("interval", row.interval if row else 60),
            active=values.get("active", row.active if row else True),
        ),
        channel_id=row_id,
        actor=actor,
        at=at,
    )


def save_route(
    entry: Entry, values: Values, row_id: int | None, *, actor: Actor, at: datetime
) -> None:
    """Save what differs. Raises what the operation raises."""
    row = MailRoute.objects.get(pk=row_id) if row_id else None
    kind = values.get("kind") or (row.kind if row else "")
    plain = usual(routes.SHAPES[kind], row.settings) if row and kind in routes.SHAPES else {}
    routes.save_route(
        routes.NewRoute(
            name=values.get("name") or entry.name,
            kind=kind,
            settings=values.get("settings", plain),
            secrets=values.get("secrets", {}),
            is_default=values.get("is_default", row.is_default if row else False),
            active=values.get("active", row.active if row else True),
        ),
        route_id=row_id,
        actor=actor,
        at=at,
    )
