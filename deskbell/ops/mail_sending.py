"""``deskbell mail route`` and ``text``: the ways out for mail, and the desk's own words."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deskbell.kernel.config import Config
from deskbell.ops.cli import CommandError, start_django
from deskbell.ops.mail_arguments import (
    add_settings,
    add_switch,
    group_named,
    pairs,
    row_named,
    sentence,
    when,
)

if TYPE_CHECKING:
    from deskbell.mail.models import MailRoute
    from deskbell.mail.writing.rewording import Place

SECRET_LIMIT = 16_384
NO_ROUTE = "-"


def add_arguments(actions: Any) -> None:
    """Add the two actions to those of ``deskbell mail``."""
    route = actions.add_parser("route", help="list, add, change, try and remove ways out for mail")
    verbs = route.add_subparsers(dest="verb", metavar="verb")
    verbs.add_parser("list", help="show them, and what is wrong with them (the default)")
    for verb in ("add", "set"):
        parser = verbs.add_parser(verb, help="add one" if verb == "add" else "change one")
        parser.add_argument("name")
        if verb == "add":
            parser.add_argument(
                "--kind", required=True, help="smtp, or the name of a provider such as mailgun"
            )
        else:
            parser.add_argument("--name", dest="new_name", help="another name")
        add_settings(
            parser, about="a setting of its kind, such as host=mail.example.com (may be repeated)"
        )
        parser.add_argument(
            "--secret-file",
            dest="secrets",
            action="append",
            default=[],
            metavar="NAME=FILE",
            help="a secret such as password=secret.txt: the first line of the file (- asks for it)",
        )
        for switch, text in (("active", "in use"), ("default", "for groups that name no other")):
            add_switch(parser, switch, text)
    verbs.add_parser("remove", help="remove one").add_argument("name")
    test = verbs.add_parser("test", help="send a message, and say what is wrong")
    test.add_argument("name")
    test.add_argument("to", help="the address that gets the message")
    group = verbs.add_parser("group", help="say how a group's mail goes out")
    group.add_argument("name", help="name or slug of the group")
    group.add_argument("--route", help=f"the name of a route; {NO_ROUTE} for the usual one")
    group.add_argument("--language", help="en or de; empty for the usual one")
    group.add_argument("--quoting", help="none, last or all: what stands below a letter")

    text = actions.add_parser("text", help="list, show, change and reset the words of mail")
    verbs = text.add_subparsers(dest="verb", metavar="verb")
    for verb, about in (
        ("list", "show them (the default)"),
        ("show", "print one, its placeholders, and what is built in"),
        ("set", "change one: the words from the command line or standard input"),
        ("reset", "go back to what was there before"),
    ):
        parser = verbs.add_parser(verb, help=about)
        if verb != "list":
            parser.add_argument("name")
        if verb == "set":
            parser.add_argument("body", nargs="?", help="default: standard input")
        parser.add_argument("--language", default="en", help="en (default) or de")
        parser.add_argument("--group", help="of this group only")


def run(args: argparse.Namespace, config: Config) -> int:
    """Carry out ``route`` or ``text``."""
    from deskbell.ops.migrate import refuse_unless_migrated

    start_django(config)
    refuse_unless_migrated()
    from deskbell.kernel.errors import Invalid

    routes = {"add": _add, "set": _set, "remove": _remove, "test": _test, "group": _group}
    texts = {"show": _show, "set": _reword, "reset": _reset}
    verbs = routes if args.action == "route" else texts
    usual = _list if args.action == "route" else _texts
    try:
        return verbs.get(args.verb or "", usual)(args)
    except Invalid as problem:
        if problem.code == "placeholder":
            known = problem.params.get("known") or "none"
            raise CommandError(
                f"{problem.value} is no placeholder of this text. It knows: {known}."
            ) from problem
        if problem.code == "not_installed":
            raise CommandError(f"This provider needs the package {problem.value}.") from problem
        raise CommandError(sentence(problem)) from problem


# --- routes --------------------------------------------------------------------------------------


def _list(args: argparse.Namespace) -> int:
    from deskbell.mail.models import MailRoute

    for each in MailRoute.objects.order_by("name_key", "id"):
        state = "off" if not each.active else "WRONG" if each.alarm else "ok"
        kind = each.settings.get("provider") or each.kind
        usual = "  default" if each.is_default else ""
        print(f"{each.pk}  {state:5}  {kind:12}  {each.name}  used {when(each.used_at)}{usual}")
        if each.active and each.alarm:
            print(f"       {each.alarm}")
    return 0


def _add(args: argparse.Namespace) -> int:
    from deskbell.kernel import clock
    from deskbell.kernel.actor import SYSTEM
    from deskbell.mail.sending import routes

    provider = "" if args.kind == "smtp" else args.kind
    if provider and provider not in routes.PROVIDERS:
        known = ", ".join(["smtp", *routes.PROVIDERS])
        raise CommandError(f"There is no kind {args.kind}. There are: {known}.")
    kind = "provider" if provider else "smtp"
    new = routes.NewRoute(
        name=args.name,
        kind=kind,
        settings={**({"provider": provider} if provider else {}), **_settings(kind, args)},
        secrets=_secrets(args),
        is_default=bool(args.default),
        active=args.active is not False,
    )
    made = routes.save_route(new, actor=SYSTEM, at=clock.now())
    print(f"Route {made.name} was added. Try it: deskbell mail route test {made.pk} ADDRESS")
    return 0


def _set(args: argparse.Namespace) -> int:
    from deskbell.kernel import clock
    from deskbell.kernel.actor import SYSTEM
    from deskbell.mail.sending import routes

    present = _route(args.name)
    new = routes.NewRoute(
        name=args.new_name or present.name,
        kind=present.kind,
        settings={**present.settings, **_settings(present.kind, args)},
        secrets=_secrets(args),
        is_default=present.is_default if args.default is None else args.default,
        active=present.active if args.active is None else args.active,
    )
    routes.save_route(new, route_id=present.pk, actor=SYSTEM, at=clock.now())
    print(f"Route {new.name} was changed.")
    return 0


def _remove(args: argparse.Namespace) -> int:
    from deskbell.kernel import clock
    from deskbell.kernel.actor import SYSTEM
    from deskbell.mail.sending.routes import delete_route

    present = _route(args.name)
    delete_route(present.pk, actor=SYSTEM, at=clock.now())
    print(f"Route {present.name} was removed. Mail of its groups goes out as that of all others.")
    return 0


def _test(args: argparse.Namespace) -> int:
    from deskbell.kernel import clock
    from deskbell.mail.sending.trying import try_out
    from deskbell.mail.trouble import Trouble

    try:
        print(try_out(_route(args.name), to=args.to, at=clock.now()))
    except Trouble as trouble:
        raise CommandError(str(trouble)) from trouble
    return 0


def _group(args: argparse.Namespace) -> int:
    from deskbell.kernel.actor import SYSTEM
    from deskbell.mail.sending.routes import save_sending

    group = group_named(args.name)
    given: dict[str, Any] = {}
    if args.route is not None:
        given["route_id"] = None if args.route == NO_ROUTE else _route(args.route).pk
    found = save_sending(
        group.pk, actor=SYSTEM, language=args.language, quoting=args.quoting, **given
    )
    route = found.route.name if found.route else "the usual one"
    language = found.language or "the usual one"
    print(f"{group.name}: route {route}, language {language}, quoting {found.quoting}")
    return 0


def _route(name: str) -> MailRoute:
    from deskbell.mail.models import MailRoute

    return row_named(MailRoute.objects.all(), name, resource="mail route")


def _settings(kind: str, args: argparse.Namespace) -> dict[str, Any]:
    from deskbell.mail import typed
    from deskbell.mail.sending import routes

    return typed.read(routes.SHAPES[kind], pairs("--set", args.settings))


def _secrets(args: argparse.Namespace) -> dict[str, str]:
    given = pairs("--secret-file", args.secrets)
    return {name: _first_line(name, file) for name, file in given.items()}


def _first_line(name: str, file: str) -> str:
    if file == "-":
        import getpass

        if sys.stdin.isatty():
            return getpass.getpass(f"{name}: ")
        return sys.stdin.readline().rstrip("\r\n")
    try:
        with Path(file).open(encoding="utf-8") as stream:
            return stream.readline(SECRET_LIMIT).rstrip("\r\n")
    except (OSError, UnicodeError) as error:
        raise CommandError(f"{file} cannot be read: {error}.") from error


# --- texts ---------------------------------------------------------------------------------------


def _place(args: argparse.Namespace) -> Place:
    from deskbell.mail.models import Language
    from deskbell.mail.writing.rewording import Place
    from deskbell.mail.writing.texts import TEXTS

    name = getattr(args, "name", None) or next(iter(TEXTS))
    if name not in TEXTS:
        raise CommandError(f"There is no text {name}: `deskbell mail text` lists them.")
    language = getattr(args, "language", "en")
    if language not in Language.values:
        raise CommandError(f"There is no language {language}: say en or de.")
    group = getattr(args, "group", None)
    return Place(name, language, group_named(group).pk if group else None)


def _texts(args: argparse.Namespace) -> int:
    from deskbell.mail.writing.rewording import wording_for
    from deskbell.mail.writing.texts import TEXTS

    place = _place(args)
    words = wording_for(place.language, place.group_id)
    for name in TEXTS:
        mark = "*" if name in words.own else " "
        body = " ".join(words.body(name).split())
        print(f"{mark} {name:24}  {body[:100]}")
    return 0


def _show(args: argparse.Namespace) -> int:
    from deskbell.mail.writing.rewording import wording_for
    from deskbell.mail.writing.texts import PLACEHOLDERS, TEXTS

    place = _place(args)
    words = wording_for(place.language, place.group_id)
    text = TEXTS[place.name]
    print(words.body(place.name))
    if place.name in words.own:
        print(f"\nBuilt in: {text.built_in[place.language]}")
    for name in text.names:
        print(f"\n{{{{ {name} }}}}  {PLACEHOLDERS[name]}", end="")
    print()
    return 0


def _reword(args: argparse.Namespace) -> int:
    from deskbell.kernel import clock
    from deskbell.kernel.actor import SYSTEM
    from deskbell.mail.writing.rewording import save_text

    place = _place(args)
    body = sys.stdin.read(100_000) if args.body is None else args.body
    save_text(place, body, actor=SYSTEM, at=clock.now())
    print(f"The text {place.name} was changed.")
    return 0


def _reset(args: argparse.Namespace) -> int:
    from deskbell.kernel.actor import SYSTEM
    from deskbell.mail.writing.rewording import reset_text

    place = _place(args)
    changed = reset_text(place, actor=SYSTEM)
    print(f"The text {place.name} is as it was." if changed else "Nothing was changed there.")
    return 0
