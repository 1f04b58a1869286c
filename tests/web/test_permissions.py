"""Who gets which page: one table."""

from __future__ import annotations

import pytest

from deskbell.kernel.actor import SYSTEM
from deskbell.mail.intake.channels import NewChannel, save_channel
from deskbell.mail.intake.ignoring import NewRule, save_rule
from deskbell.mail.models import IncomingMail
from deskbell.mail.sending.routes import NewRoute, save_route
from deskbell.tickets.attachments import NewFile
from deskbell.tickets.operations import NewArticle, update_ticket
from tests import cast
from tests.web.conftest import sign_in

pytestmark = pytest.mark.django_db

PEOPLE = ("stranger", "customer", "outsider", "reader", "agent", "elsewhere", "admin", "gone")
IN, OUT, NO, HIDDEN, BAD, METHOD = 200, 302, 403, 404, 422, 405

# What an agent may do who may change the ticket; it sends him back to its page.
WRITE = (OUT, HIDDEN, HIDDEN, NO, OUT, HIDDEN, HIDDEN, OUT)

# Answers in the order of PEOPLE. A stranger is sent to sign in (302), as is a session whose account
# was switched off; what one may not see does not exist (404); what one sees and may not do is
# forbidden (403). Who may send a form is told what is wrong with an empty one (422).
TABLE = [
    ("GET", "/", (IN, OUT, OUT, OUT, OUT, OUT, OUT, IN)),
    ("POST", "/", (BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD)),
    ("GET", "/sign-out/", (METHOD,) * 8),
    ("POST", "/sign-out/", (OUT,) * 8),
    ("GET", "/tickets/", (OUT, OUT, OUT, IN, IN, IN, IN, OUT)),
    ("POST", "/tickets/", (METHOD,) * 8),
    ("GET", "/tickets/new/", (OUT, OUT, OUT, IN, IN, IN, IN, OUT)),
    ("POST", "/tickets/new/", (OUT, OUT, OUT, BAD, BAD, BAD, BAD, OUT)),
    ("GET", "/tickets/{t}/", (OUT, OUT, HIDDEN, IN, IN, HIDDEN, HIDDEN, OUT)),
    ("POST", "/tickets/{t}/", (METHOD,) * 8),
    ("DELETE", "/tickets/{t}/", (METHOD,) * 8),
    ("POST", "/tickets/{t}/replies/", (OUT, HIDDEN, HIDDEN, NO, BAD, HIDDEN, HIDDEN, OUT)),
    ("POST", "/tickets/{t}/notes/", (OUT, HIDDEN, HIDDEN, NO, BAD, HIDDEN, HIDDEN, OUT)),
    ("POST", "/tickets/{t}/facts/", (OUT, HIDDEN, HIDDEN, NO, OUT, HIDDEN, HIDDEN, OUT)),
    ("POST", "/tickets/{t}/owner/", (OUT, HIDDEN, HIDDEN, NO, OUT, HIDDEN, HIDDEN, OUT)),
    (
        "GET",
        "/tickets/{t}/entries/{open}/mail/",
        (OUT, HIDDEN, HIDDEN, IN, IN, HIDDEN, HIDDEN, OUT),
    ),
    ("POST", "/tickets/{t}/entries/{open}/mail/", (METHOD,) * 8),
    ("POST", "/tickets/{t}/replies/{open}/withdrawal/", WRITE),
    ("POST", "/tickets/{t}/mails/{mail}/again/", (OUT, HIDDEN, HIDDEN, NO, *(HIDDEN,) * 3, OUT)),
    ("POST", "/tickets/{t}/entries/{note}/joining/", WRITE),
    ("POST", "/tickets/{t}/entries/{note}/split/", WRITE),
    ("POST", "/tickets/{t}/entries/{note}/note/", WRITE),
    ("GET", "/tickets/{t}/entries/{note}/note/", (METHOD,) * 8),
    ("GET", "/articles/{open}/source/", (OUT, *(HIDDEN,) * 6, OUT)),
    ("GET", "/admin/sending/", (OUT, *(HIDDEN,) * 5, IN, OUT)),
    ("POST", "/admin/sending/", (METHOD,) * 8),
    ("GET", "/admin/sending/new/?kind=mailgun", (OUT, *(HIDDEN,) * 5, IN, OUT)),
    ("POST", "/admin/sending/new/?kind=smtp", (OUT, *(HIDDEN,) * 5, BAD, OUT)),
    ("GET", "/admin/sending/{route}/", (OUT, *(HIDDEN,) * 5, IN, OUT)),
    ("POST", "/admin/sending/{route}/", (OUT, *(HIDDEN,) * 5, BAD, OUT)),
    ("POST", "/admin/sending/{route}/removal/", (OUT, *(HIDDEN,) * 5, OUT, OUT)),
    ("POST", "/admin/sending/groups/1/", (OUT, *(HIDDEN,) * 5, OUT, OUT)),
    ("GET", "/admin/texts/", (OUT, *(HIDDEN,) * 5, IN, OUT)),
    ("GET", "/admin/texts/copy_updated/", (OUT, *(HIDDEN,) * 5, IN, OUT)),
    ("POST", "/admin/texts/copy_updated/", (OUT, *(HIDDEN,) * 5, BAD, OUT)),
    ("GET", "/admin/texts/copy_updated/preview/", (OUT, *(HIDDEN,) * 5, IN, OUT)),
    ("GET", "/notifications/", (OUT, OUT, OUT, IN, IN, IN, IN, OUT)),
    ("POST", "/notifications/", (METHOD,) * 8),
    ("GET", "/notifications/seen/", (METHOD,) * 8),
    ("POST", "/notifications/seen/", (OUT,) * 8),
    ("GET", "/my/tickets/", (OUT, IN, IN, IN, IN, IN, IN, OUT)),
    ("GET", "/my/tickets/new/", (OUT, IN, IN, NO, NO, NO, NO, OUT)),
    ("POST", "/my/tickets/new/", (OUT, BAD, BAD, NO, NO, NO, NO, OUT)),
    ("GET", "/my/tickets/{t}/", (OUT, IN, HIDDEN, OUT, OUT, HIDDEN, HIDDEN, OUT)),
    ("POST", "/my/tickets/{t}/replies/", (OUT, BAD, HIDDEN, HIDDEN, HIDDEN, HIDDEN, HIDDEN, OUT)),
    ("GET", "/admin/mail/", (OUT, *(HIDDEN,) * 5, IN, OUT)),
    ("POST", "/admin/mail/", (METHOD,) * 8),
    ("GET", "/admin/mail/rules/", (OUT, *(HIDDEN,) * 5, IN, OUT)),
    ("POST", "/admin/mail/rules/", (OUT, *(HIDDEN,) * 5, BAD, OUT)),
    ("GET", "/admin/mail/ignored/", (OUT, *(HIDDEN,) * 5, IN, OUT)),
    ("POST", "/admin/mail/ignored/", (METHOD,) * 8),
    ("GET", "/admin/mail/ignored/new/", (OUT, *(HIDDEN,) * 5, IN, OUT)),
    ("POST", "/admin/mail/ignored/new/", (OUT, *(HIDDEN,) * 5, BAD, OUT)),
    ("GET", "/admin/mail/ignored/{rule}/", (OUT, *(HIDDEN,) * 5, IN, OUT)),
    ("POST", "/admin/mail/ignored/{rule}/", (OUT, *(HIDDEN,) * 5, BAD, OUT)),
    ("POST", "/admin/mail/ignored/{rule}/use/", (OUT, *(HIDDEN,) * 5, OUT, OUT)),
    ("POST", "/admin/mail/ignored/{rule}/removal/", (OUT, *(HIDDEN,) * 5, OUT, OUT)),
    ("GET", "/admin/mail/{mail}/", (OUT, *(HIDDEN,) * 5, IN, OUT)),
    ("POST", "/admin/mail/{mail}/", (METHOD,) * 8),
    ("GET", "/admin/mail/replay/", (METHOD,) * 8),
    ("POST", "/admin/mail/replay/", (OUT, *(HIDDEN,) * 5, OUT, OUT)),
    ("GET", "/admin/channels/", (OUT, *(HIDDEN,) * 5, IN, OUT)),
    ("POST", "/admin/channels/", (METHOD,) * 8),
    ("GET", "/admin/channels/new/?kind=imap", (OUT, *(HIDDEN,) * 5, IN, OUT)),
    ("POST", "/admin/channels/new/?kind=imap", (OUT, *(HIDDEN,) * 5, BAD, OUT)),
    ("GET", "/admin/channels/{channel}/", (OUT, *(HIDDEN,) * 5, IN, OUT)),
    ("POST", "/admin/channels/{channel}/", (OUT, *(HIDDEN,) * 5, BAD, OUT)),
    ("POST", "/admin/channels/{channel}/address/", (OUT, *(HIDDEN,) * 5, HIDDEN, OUT)),
    ("POST", "/admin/channels/{channel}/look/", (OUT, *(HIDDEN,) * 5, OUT, OUT)),
    ("POST", "/admin/channels/{channel}/removal/", (OUT, *(HIDDEN,) * 5, OUT, OUT)),
    ("GET", "/tickets/view/", (HIDDEN,) * 8),
    ("POST", "/tickets/view/", (METHOD,) * 8),
    ("GET", "/attachments/{public}/a.txt", (OUT, IN, HIDDEN, IN, IN, HIDDEN, HIDDEN, OUT)),
    ("GET", "/attachments/{private}/b.txt", (OUT, HIDDEN, HIDDEN, IN, IN, HIDDEN, HIDDEN, OUT)),
    ("POST", "/attachments/{public}/a.txt", (METHOD,) * 8),
    ("GET", "/attachments/signed/{public}/a.txt", (HIDDEN,) * 8),
    ("GET", "/articles/{open}/html/", (OUT, IN, HIDDEN, IN, IN, HIDDEN, HIDDEN, OUT)),
    ("GET", "/articles/{open}/text/", (OUT, IN, HIDDEN, IN, IN, HIDDEN, HIDDEN, OUT)),
    ("GET", "/articles/{note}/html/", (OUT, HIDDEN, HIDDEN, IN, IN, HIDDEN, HIDDEN, OUT)),
    ("GET", "/articles/{note}/text/", (OUT, HIDDEN, HIDDEN, IN, IN, HIDDEN, HIDDEN, OUT)),
    ("GET", "/articles/signed/{open}/html/", (HIDDEN,) * 8),
    ("GET", "/articles/signed/{open}/text/", (HIDDEN,) * 8),
]


@pytest.fixture
def world():
    """A ticket with a public and a private entry, and one person of each kind."""
    customer = cast.kemal()
    people = {
        "customer": customer,
        "outsider": cast.person("olga", roles=[3]),
        "reader": cast.person("rita", roles=[2], groups={1: ["read"]}),
        "agent": cast.nora(),
        "elsewhere": cast.person("tom", roles=[2], groups={cast.group().pk: ["full"]}),
        "admin": cast.pure_admin(),
        "gone": cast.person("gone", roles=[2], groups={1: ["full"]}),
    }
    ticket = cast.ticket(customer, body=None)
    written = {}
    for name, internal in (("open", False), ("note", True)):
        article = update_ticket(
            ticket.pk,
            None,
            NewArticle(
                body="<p>words</p>",
                content_type="text/html",
                internal=internal,
                files=[NewFile("a.txt", b"a")],
            ),
            actor=cast.acting(people["agent"]),
            at=cast.MONDAY_10AM,
        )[1]
        assert article is not None
        written[name] = article
    numbers = {
        "t": ticket.pk,
        "open": written["open"].pk,
        "note": written["note"].pk,
        "public": written["open"].attachments.get().pk,
        "private": written["note"].attachments.get().pk,
        "channel": save_channel(
            NewChannel(name="Pipe", kind="pipe", group_id=1, settings={}),
            actor=SYSTEM,
            at=cast.MONDAY_10AM,
        ).pk,
        "route": save_route(
            NewRoute(name="Out", kind="smtp", settings={"host": "h"}, secrets={}),
            actor=SYSTEM,
            at=cast.MONDAY_10AM,
        ).pk,
        "rule": save_rule(
            NewRule(what="domain", pattern="spam.example"), actor=SYSTEM, at=cast.MONDAY_10AM
        ).pk,
    }
    numbers["mail"] = IncomingMail.objects.create(
        channel_id=numbers["channel"], place="", digest="0", size=0, received_at=cast.MONDAY_10AM
    ).pk
    return people, numbers


class TestEveryPage:
    def test_is_served_and_refused_as_the_table_says(self, world, client):
        people, numbers = world
        clients = {"stranger": client} | {name: sign_in(user) for name, user in people.items()}
        gone = people["gone"]
        type(gone).objects.filter(pk=gone.pk).update(active=False)

        wrong = []
        for method, pattern, expected in TABLE:
            for who, code in zip(PEOPLE, expected, strict=True):
                asker = sign_in(people[who]) if pattern == "/sign-out/" and who in people else None
                answer = (asker or clients[who]).generic(method, pattern.format(**numbers))
                if answer.streaming:
                    answer.getvalue()  # so that the file is closed
                if answer.status_code != code:
                    wrong.append((method, pattern, who, answer.status_code, code))

        assert wrong == []

    def test_stands_in_the_table(self):
        from deskbell.web.agent.urls import urlpatterns as agent
        from deskbell.web.portal.urls import urlpatterns as portal
        from deskbell.web.shared.urls import urlpatterns as shared

        paths = {pattern.partition("?")[0] for _m, pattern, _e in TABLE}
        listed = {path.strip("/").replace("{t}", "N") for path in paths}
        for name in ("channel", "rule", "route", "mail", "open", "note", "public", "private"):
            listed = {pattern.replace("{" + name + "}", "N") for pattern in listed}
        listed = {pattern.replace("groups/1", "groups/N") for pattern in listed}
        listed = {pattern.replace("copy_updated", "NAME") for pattern in listed}
        listed = {pattern.replace("a.txt", "NAME").replace("b.txt", "NAME") for pattern in listed}

        missing = []
        for pattern in [*agent, *portal, *shared]:
            route = str(pattern.pattern)
            if route == "favicon.ico" or "help" in route:
                continue  # the same for everybody
            for converter in (
                "<int:ticket_id>",
                "<int:attachment_id>",
                "<int:article_id>",
                "<int:channel_id>",
                "<int:mail_id>",
                "<int:rule_id>",
                "<int:route_id>",
                "<int:group_id>",
            ):
                route = route.replace(converter, "N")
            route = route.replace("<slug:name>", "NAME")
            route = route.replace("<path:name>", "NAME").strip("/")
            if route not in listed and f"{route}/NAME" not in listed:
                missing.append(route)
        assert missing == []
