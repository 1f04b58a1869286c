"""``deskbell mail incoming``, ``ignore``, ``rules``: what became of mail, and what decides it."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from deskbell.kernel.config import Config
from deskbell.ops.cli import CommandError, start_django
from deskbell.ops.mail_arguments import add_settings, add_switch, group_named, sentence, when

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from deskbell.mail.models import IgnoreRule, IncomingMail

FATES = ("waiting", "new_ticket", "follow_up", "bounce", "ignored", "refused", "unreadable")


def add_arguments(actions: Any) -> None:
    """Add the three actions to those of ``deskbell mail``."""
    incoming = actions.add_parser("incoming", help="show what became of mail, or handle it again")
    incoming.add_argument("--fate", choices=FATES, help="only these")
    incoming.add_argument(
        "--last", type=int, default=20, metavar="N", help="so many, the latest first (default 20)"
    )
    verbs = incoming.add_subparsers(dest="verb", metavar="verb")
    show = verbs.add_parser("show", help="one message: what became of it, and what was read")
    show.add_argument("id", type=int)
    show.add_argument("--source", action="store_true", help="the message itself, byte by byte")
    replay = verbs.add_parser("replay", help="handle again what became nothing")
    replay.add_argument("ids", nargs="*", type=int, metavar="id")
    replay.add_argument(
        "--fate",
        dest="replay_fate",
        choices=("unreadable", "ignored", "refused"),
        help="all of these",
    )

    ignore = actions.add_parser("ignore", help="mail that becomes nothing, or is never answered")
    verbs = ignore.add_subparsers(dest="verb", metavar="verb")
    verbs.add_parser("list", help="the rules, and what they caught (the default)")
    for verb, text in (("add", "add a rule"), ("set", "change one")):
        parser = verbs.add_parser(verb, help=text)
        if verb == "add":
            parser.add_argument("what", choices=("address", "domain", "header"))
            parser.add_argument("pattern", help="a@b.example, b.example, or 'X-Spam-Flag: yes'")
        else:
            parser.add_argument("id", type=int)
            parser.add_argument("--pattern")
        add_switch(parser, "quiet", "taken, but never answered")
        parser.add_argument("--group", help="only mail for this group; '' for all")
        parser.add_argument("--note")
        add_switch(parser, "active", "in use")
    verbs.add_parser("remove", help="remove one").add_argument("id", type=int)

    rules = actions.add_parser("rules", help="the settings for all mail that comes in")
    add_settings(rules, about="change one, such as raw_mail_days=90 (may be repeated)")


def run(args: argparse.Namespace, config: Config) -> int:
    """Show, handle again, or change."""
    from deskbell.kernel.errors import Invalid
    from deskbell.ops.migrate import refuse_unless_migrated

    start_django(config)
    refuse_unless_migrated()
    acts = {
        ("incoming", None): _incoming,
        ("incoming", "show"): _show,
        ("incoming", "replay"): _replay,
        ("ignore", "add"): _add,
        ("ignore", "set"): _set,
        ("ignore", "remove"): _remove,
        ("rules", None): _rules,
    }
    try:
        return acts.get((args.action, getattr(args, "verb", None)), _list)(args)
    except Invalid as problem:
        raise CommandError(sentence(problem)) from problem


# --- what came in --------------------------------------------------------------------------------


def _incoming(args: argparse.Namespace) -> int:
    from deskbell.mail.models import IncomingMail

    rows = IncomingMail.objects.order_by("-id")
    if args.fate:
        rows = rows.filter(fate="" if args.fate == "waiting" else args.fate)
    for mail in rows[: max(args.last, 0)]:
        print(
            f"{mail.pk}  {when(mail.received_at)}  {mail.fate or 'waits':10}  "
            f"{_plain(mail.sender, 40)}  {_plain(mail.subject, 50)}"
        )
        if mail.reason:
            print(f"       {_plain(mail.reason, 200)}")
    return 0


def _plain(text: str, limit: int) -> str:
    """A stranger's text without what a terminal would obey."""
    return "".join(c if c.isprintable() else " " for c in text)[:limit] or "-"


def _mail(id_: int) -> IncomingMail:
    from deskbell.mail.models import IncomingMail

    found = IncomingMail.objects.select_related("channel").filter(pk=id_).first()
    if found is None:
        raise CommandError(f"There is no message {id_}.")
    return found


def _content(mail: IncomingMail) -> bytes:
    from deskbell.mail.intake import store

    if not mail.place:
        raise CommandError(f"Message {mail.pk} itself is not kept.")
    try:
        return store.read(mail.place)
    except OSError as error:
        raise CommandError(f"Message {mail.pk} cannot be read: {error.strerror}.") from error


def _show(args: argparse.Namespace) -> int:
    import json
    import sys

    from deskbell.mail.reading import read

    mail = _mail(args.id)
    if args.source:
        sys.stdout.flush()
        sys.stdout.buffer.write(_content(mail))
        return 0
    said = {
        "id": mail.pk,
        "channel": mail.channel.name if mail.channel else None,
        "received_at": mail.received_at.isoformat(),
        "fate": mail.fate or None,
        "reason": mail.reason,
        "ticket": mail.ticket_id,
        "article": mail.article_id,
        "copy_of": mail.copy_of_id,
        "size": mail.size,
        "facts": read(_content(mail)).as_json() if mail.place else None,
    }
    print(json.dumps(said, indent=2))
    return 0


def _replay(args: argparse.Namespace) -> int:
    from deskbell.kernel import clock
    from deskbell.mail.intake import handling
    from deskbell.mail.models import IncomingMail

    if bool(args.ids) == bool(args.replay_fate):
        raise CommandError(
            "Say which: `deskbell mail incoming replay ID …` or `--fate unreadable`."
        )
    if args.replay_fate:
        rows = IncomingMail.objects.filter(
            fate=args.replay_fate, copy_of=None, place__gt=""
        ).order_by("id")
        ids = list(rows.values_list("pk", flat=True)[: handling.REPLAYED_AT_MOST])
    else:
        ids = args.ids
        for mail in map(_mail, ids):
            if reason := _why_not(mail):
                raise CommandError(f"Message {mail.pk} cannot be handled again: {reason}.")
    print(f"{handling.replay(ids, at=clock.now())} messages are handled again.")
    return 0


def _why_not(mail: IncomingMail) -> str:
    from deskbell.mail.intake import handling

    if mail.fate not in handling.REPLAYED:
        return f"it became something ({mail.fate})" if mail.fate else "it waits already"
    if mail.copy_of_id is not None:
        return f"it is a copy of message {mail.copy_of_id}"
    return "" if mail.place else "the message itself is not kept"


# --- what is ignored -----------------------------------------------------------------------------


def _list(args: argparse.Namespace) -> int:
    from deskbell.mail.models import IgnoreRule

    rules: QuerySet[IgnoreRule] = IgnoreRule.objects.select_related("group").order_by("id")
    for rule in rules.iterator():
        state = "off" if not rule.active else "ok"
        print(
            f"{rule.pk}  {state:3}  {rule.action:6}  {rule.what:7}  {rule.pattern}  "
            f"{f'for {rule.group.name}' if rule.group else 'for all'}  "
            f"caught {rule.caught}, last {when(rule.caught_at)}"
            f"{f'  ({rule.note})' if rule.note else ''}"
        )
    return 0


def _group_id(name: str | None) -> int | None:
    return group_named(name).pk if name else None


def _add(args: argparse.Namespace) -> int:
    from deskbell.kernel import clock
    from deskbell.kernel.actor import SYSTEM
    from deskbell.mail.intake.ignoring import NewRule, save_rule

    new = NewRule(
        what=args.what,
        pattern=args.pattern,
        action="quiet" if args.quiet else "ignore",
        group_id=_group_id(args.group),
        active=args.active is not False,
        note=args.note or "",
    )
    made = save_rule(new, actor=SYSTEM, at=clock.now())
    print(f"Rule {made.pk} was added.")
    return 0


def _rule(id_: int) -> IgnoreRule:
    from deskbell.mail.models import IgnoreRule

    found = IgnoreRule.objects.filter(pk=id_).first()
    if found is None:
        raise CommandError(f"There is no rule {id_}: see `deskbell mail ignore`.")
    return found


def _set(args: argparse.Namespace) -> int:
    from deskbell.kernel import clock
    from deskbell.kernel.actor import SYSTEM
    from deskbell.mail.intake.ignoring import NewRule, save_rule

    present = _rule(args.id)
    quiet = present.action == "quiet" if args.quiet is None else args.quiet
    new = NewRule(
        what=present.what,
        pattern=present.pattern if args.pattern is None else args.pattern,
        action="quiet" if quiet else "ignore",
        group_id=present.group_id if args.group is None else _group_id(args.group),
        active=present.active if args.active is None else args.active,
        note=present.note if args.note is None else args.note,
    )
    save_rule(new, rule_id=present.pk, actor=SYSTEM, at=clock.now())
    print(f"Rule {present.pk} was changed.")
    return 0


def _remove(args: argparse.Namespace) -> int:
    from deskbell.kernel import clock
    from deskbell.kernel.actor import SYSTEM
    from deskbell.mail.intake.ignoring import delete_rule

    present = _rule(args.id)
    delete_rule(present.pk, actor=SYSTEM, at=clock.now())
    print(f"Rule {present.pk} was removed.")
    return 0


# --- the settings --------------------------------------------------------------------------------


def _rules(args: argparse.Namespace) -> int:
    from deskbell.kernel import clock
    from deskbell.kernel.actor import SYSTEM
    from deskbell.mail import policy, typed

    given: dict[str, str] = {}
    for each in args.settings:
        name, sign, value = each.partition("=")
        if not sign:
            raise CommandError(f"{each!r} is no NAME=VALUE.")
        given[name.strip()] = value
    if given:
        policy.save(typed.read(policy.Policy, given), actor=SYSTEM, at=clock.now())
    present = policy.present()
    for setting in typed.settings_of(policy.Policy):
        value = getattr(present, setting.name)
        shown = str(value) if setting.type == "int" else typed.shown(setting, value) or "-"
        print(f"{setting.name:28}{'off' if value is False else shown}")
    return 0
