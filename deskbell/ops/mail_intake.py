"""``deskbell mail listen``, ``receive`` and ``channel``: the ways in for mail."""

from __future__ import annotations

import argparse
import asyncio
import getpass
import os
import signal
import ssl
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from deskbell.kernel.config import Config, ConfigError
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
    from deskbell.mail.models import MailChannel

#: sysexits.h, as mail servers read them.
EX_USAGE, EX_DATAERR, EX_NOUSER, EX_TEMPFAIL = 64, 65, 67, 75
LISTEN_PORT = 8025


def add_arguments(actions: Any) -> None:
    """Add the three actions to those of ``deskbell mail``."""
    listen = actions.add_parser("listen", help="take mail by SMTP or LMTP, until stopped")
    listen.add_argument("--host", dest="listen_host", metavar="ADDRESS", default="127.0.0.1")
    listen.add_argument("--port", dest="listen_port", type=int, default=LISTEN_PORT)
    listen.add_argument("--lmtp", action="store_true", help="speak LMTP (an answer per recipient)")
    listen.add_argument("--tls-cert", type=Path, metavar="FILE", help="certificate, for STARTTLS")
    listen.add_argument("--tls-key", type=Path, metavar="FILE", help="its key, where it is apart")

    receive: argparse.ArgumentParser = actions.add_parser(
        "receive", help="take one message from standard input"
    )

    def wrong_use(message: str) -> NoReturn:
        receive.print_usage(sys.stderr)
        receive.exit(EX_USAGE, f"{receive.prog}: {message}\n")

    # The status by which a mail server knows wrong use, instead of argparse's own.
    receive.error = wrong_use  # type: ignore[method-assign]
    receive.add_argument("--group", required=True, help="the group whose ticket it becomes")

    channel = actions.add_parser("channel", help="list, add, change, try and remove mail channels")
    verbs = channel.add_subparsers(dest="verb", metavar="verb")
    verbs.add_parser("list", help="show them, and what is wrong with them (the default)")
    for verb in ("add", "set"):
        parser = verbs.add_parser(verb, help="add one" if verb == "add" else "change one")
        parser.add_argument("name")
        if verb == "add":
            parser.add_argument(
                "--kind",
                required=True,
                choices=["imap", "pop3", "maildir", "listener", "pipe", "webhook"],
            )
        else:
            parser.add_argument("--name", dest="new_name", help="another name")
        parser.add_argument("--group", required=verb == "add", help="name or slug of its group")
        parser.add_argument("--interval", type=int, metavar="SECONDS", help="between two looks")
        add_settings(
            parser, about="a setting of its kind, such as host=mail.example.com (may be repeated)"
        )
        parser.add_argument(
            "--password-file", type=Path, metavar="FILE", help="its first line; - asks for it"
        )
        add_switch(parser, "active", "in use")
    for verb, text in (
        ("remove", "remove one; what came through it stays"),
        ("test", "try to connect, and say what is wrong"),
        ("fetch", "look into one now"),
    ):
        verbs.add_parser(verb, help=text).add_argument("name")


def listen(args: argparse.Namespace, config: Config) -> int:
    """Listen until SIGTERM or Ctrl-C. Refuses where the port is taken or the certificate bad."""
    from deskbell.ops.migrate import refuse_unless_migrated

    start_django(config)
    refuse_unless_migrated()
    return asyncio.run(_listen(args, _tls(args)))


async def _listen(args: argparse.Namespace, tls: ssl.SSLContext | None) -> int:
    from deskbell.mail.intake.listener import Listener

    listener = Listener(host=args.listen_host, port=args.listen_port, lmtp=args.lmtp, tls=tls)
    try:
        port = await listener.start()
    except OSError as error:
        where = f"{args.listen_host} port {args.listen_port}"
        raise CommandError(f"Cannot listen on {where}: {error.strerror or error}.") from error
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    kind = "LMTP" if args.lmtp else "SMTP"
    print(f"Taking mail by {kind} at {args.listen_host} port {port}", flush=True)
    await stopping.wait()
    await listener.stop()
    return 0


def _tls(args: argparse.Namespace) -> ssl.SSLContext | None:
    if args.tls_cert is None:
        if args.tls_key is not None:
            raise CommandError("--tls-key needs --tls-cert.")
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        context.load_cert_chain(args.tls_cert, args.tls_key)
    except (OSError, ssl.SSLError) as error:
        raise CommandError(f"The certificate cannot be used: {error}.") from error
    return context


def receive(args: argparse.Namespace, config: Config) -> int:
    """Take one message from standard input: 0 when it is safe, 75 where to try again helps."""
    try:
        return _receive(args, config)
    except (CommandError, ConfigError) as error:
        print(f"deskbell: {error}", file=sys.stderr)
    except Exception as error:  # noqa: BLE001 - whatever it is, the mail must not bounce for it
        print(f"deskbell: {type(error).__name__}: {error}", file=sys.stderr)
    return EX_TEMPFAIL


def _receive(args: argparse.Namespace, config: Config) -> int:
    from deskbell.ops.migrate import refuse_unless_migrated

    start_django(config)
    refuse_unless_migrated()
    from deskbell.kernel import clock
    from deskbell.kernel.actor import SYSTEM
    from deskbell.mail.intake import piping
    from deskbell.mail.intake.taking import SIZE_LIMIT

    try:
        group = group_named(args.group)
    except CommandError as error:
        print(f"deskbell: {error}", file=sys.stderr)
        return EX_NOUSER
    content = sys.stdin.buffer.read(SIZE_LIMIT + 1)
    if not content.strip():
        print("deskbell: there is no message on standard input", file=sys.stderr)
        return EX_DATAERR
    if len(content) > SIZE_LIMIT:
        print(f"deskbell: the message has more than {SIZE_LIMIT} bytes", file=sys.stderr)
        return EX_DATAERR
    piping.receive(content, group=group, actor=SYSTEM, at=clock.now())
    return 0


def channel(args: argparse.Namespace, config: Config) -> int:
    """List, add, change, try or remove mail channels."""
    from deskbell.kernel.errors import Invalid
    from deskbell.ops.migrate import refuse_unless_migrated

    start_django(config)
    refuse_unless_migrated()
    verbs = {"add": _add, "set": _set, "remove": _remove, "test": _test, "fetch": _fetch}
    try:
        return verbs.get(args.verb or "", _list)(args)
    except Invalid as problem:
        raise CommandError(sentence(problem)) from problem


def _list(args: argparse.Namespace) -> int:
    from deskbell.kernel import clock
    from deskbell.mail.intake import fetching
    from deskbell.mail.models import MailChannel

    wrong = {each.pk: sentence for each, sentence in fetching.problems(at=clock.now())}
    for each in MailChannel.objects.select_related("group").order_by("name_key", "id"):
        state = "off" if not each.active else "WRONG" if each.pk in wrong else "ok"
        print(
            f"{each.pk}  {state:5}  {each.kind:8}  {each.name}  to {each.group.name}  "
            f"mail {when(each.received_at)}"
        )
        if each.active and each.pk in wrong:
            print(f"       {wrong[each.pk]}")
    return 0


def _add(args: argparse.Namespace) -> int:
    from deskbell.kernel import clock
    from deskbell.kernel.actor import SYSTEM
    from deskbell.mail.intake.channels import NewChannel, save_channel

    given: dict[str, Any] = {} if args.interval is None else {"interval": args.interval}
    new = NewChannel(
        name=args.name,
        kind=args.kind,
        group_id=group_named(args.group).pk,
        settings=_settings(args.kind, args.settings),
        password=_password(args),
        active=args.active is not False,
        **given,
    )
    made = save_channel(new, actor=SYSTEM, at=clock.now())
    print(f"Channel {made.name} was added. Try it: deskbell mail channel test {made.pk}")
    _show_address(made)
    return 0


def _show_address(channel: MailChannel) -> None:
    """The secret address to enter at a mail provider."""
    from django.conf import settings

    from deskbell.mail.intake import webhooks
    from deskbell.mail.models import ChannelKind

    if channel.kind == ChannelKind.WEBHOOK:
        print(f"Let the provider post to {settings.CONFIG.address}{webhooks.address_of(channel)}")


def _set(args: argparse.Namespace) -> int:
    from deskbell.kernel import clock
    from deskbell.kernel.actor import SYSTEM
    from deskbell.mail.intake.channels import NewChannel, save_channel

    present = _channel(args.name)
    new = NewChannel(
        name=args.new_name or present.name,
        kind=present.kind,
        group_id=group_named(args.group).pk if args.group else present.group_id,
        settings={**present.settings, **_settings(present.kind, args.settings)},
        password=_password(args),
        interval=present.interval if args.interval is None else args.interval,
        active=present.active if args.active is None else args.active,
    )
    save_channel(new, channel_id=present.pk, actor=SYSTEM, at=clock.now())
    print(f"Channel {new.name} was changed.")
    return 0


def _remove(args: argparse.Namespace) -> int:
    from deskbell.kernel import clock
    from deskbell.kernel.actor import SYSTEM
    from deskbell.mail.intake.channels import delete_channel

    present = _channel(args.name)
    delete_channel(present.pk, actor=SYSTEM, at=clock.now())
    print(f"Channel {present.name} was removed. What came through it stays.")
    return 0


def _test(args: argparse.Namespace) -> int:
    from deskbell.mail.intake import channels, fetching
    from deskbell.mail.trouble import Trouble

    present = _channel(args.name)
    try:
        print(fetching.probe(present.kind, channels.settings_of(present), channel=present))
    except Trouble as trouble:
        raise CommandError(str(trouble)) from trouble
    _show_address(present)
    return 0


def _fetch(args: argparse.Namespace) -> int:
    from deskbell.mail.intake import fetching
    from deskbell.mail.jobs import fetch
    from deskbell.mail.models import ASKED

    present = _channel(args.name)
    if present.kind not in ASKED or not present.active:
        raise CommandError("This channel is not looked into: it brings its mail, or is off.")
    # The worker looks: two who look at once would be in each other's way.
    fetch.using(unique_key=fetching.fetch_key(present.pk)).enqueue(present.pk)
    print(f"The worker looks into {present.name} now.")
    return 0


def _channel(name: str) -> MailChannel:
    from deskbell.mail.models import MailChannel

    return row_named(MailChannel.objects.all(), name, resource="mail channel")


def _settings(kind: str, given: list[str]) -> dict[str, Any]:
    from deskbell.mail import typed
    from deskbell.mail.intake.channels import SETTINGS

    return typed.read(SETTINGS[kind], pairs("--set", given))


def _password(args: argparse.Namespace) -> str | None:
    if args.password_file is None:
        return None
    if str(args.password_file) == "-":
        return (
            getpass.getpass("Password: ") if os.isatty(0) else sys.stdin.readline().rstrip("\r\n")
        )
    try:
        lines = args.password_file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeError) as error:
        raise CommandError(f"{args.password_file} cannot be read: {error}.") from error
    return lines[0] if lines else ""
