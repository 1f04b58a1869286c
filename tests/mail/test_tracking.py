"""What providers and servers report of mail that went out, in the shapes their papers describe."""

from __future__ import annotations

import base64
import hmac
import json
from urllib.parse import urlencode

import pytest
from django.test import Client

from deskbell.kernel import clock
from deskbell.mail.intake import handling, taking
from deskbell.mail.intake.channels import NewChannel, save_channel
from deskbell.mail.models import DeadAddress, Fate, IncomingMail, MailRoute, MailState, OutgoingMail
from deskbell.mail.sending import tracking
from deskbell.mail.sending.routes import NewRoute, save_route
from deskbell.people.models import User
from deskbell.tickets.operations import NewArticle, NewTicket, open_ticket
from deskbell.tickets.vocabulary import ArticleType, Sender
from tests import cast

pytestmark = pytest.mark.django_db

TO = "kemal@example.org"
SECRETS = {
    "mailgun": {"api_key": "k", "webhook_signing_key": "s1gn"},
    "mailjet": {"api_key": "k", "secret_key": "k"},
    "mandrill": {"api_key": "k", "webhook_key": "s1gn"},
    "postmark": {"server_token": "k"},
    "resend": {"api_key": "k", "signing_secret": "whsec_" + base64.b64encode(b"s1gn").decode()},
}


def admin():
    return cast.acting(User.objects.filter(login="otto").first() or cast.pure_admin())


def route(provider):
    new = NewRoute(
        name=provider,
        kind="provider",
        settings={"provider": provider},
        secrets=SECRETS.get(provider, {"api_key": "k"}),
    )
    return save_route(new, actor=admin(), at=clock.now())


@pytest.fixture
def mail():
    """A message that a provider took, under the name it gave it."""
    article = NewArticle(body="It burns.", type=ArticleType.WEB, sender=Sender.CUSTOMER)
    kemal = cast.kemal(email=TO)
    new = NewTicket(title="Fire", group_id=1, customer_id=kemal.pk, article=article)
    open_ticket(new, actor=cast.acting(cast.ada()), at=clock.now())
    found = OutgoingMail.objects.get(address=TO)
    OutgoingMail.objects.filter(pk=found.pk).update(state=MailState.SENT, provider_id="p-1")
    return found


def post(route, body, kind="application/json", **headers):
    content = body if isinstance(body, str | bytes) else json.dumps(body)
    return Client(enforce_csrf_checks=True).post(
        tracking.address_of(route), content, content_type=kind, headers=headers
    )


def mailgun(route, event, **more):
    signature = hmac.new(b"s1gn", b"1760000000tok", "sha256").hexdigest()
    data = {"event": event, "recipient": TO, "message": {"headers": {"message-id": "OURS"}}, **more}
    signed = {"timestamp": "1760000000", "token": "tok", "signature": signature}
    return post(route, {"signature": signed, "event-data": data})


def mandrill(route, event):
    events = json.dumps([{"event": event, "_id": "p-1", "msg": {"email": TO, "diag": "550 no"}}])
    url = f"http://127.0.0.1:8000{tracking.address_of(route)}"
    signed = hmac.digest(b"s1gn", f"{url}mandrill_events{events}".encode(), "sha1")
    return post(
        route,
        urlencode({"mandrill_events": events}),
        "application/x-www-form-urlencoded",
        **{"X-Mandrill-Signature": base64.b64encode(signed).decode()},
    )


def postmark(route, record, **more):
    return post(route, {"RecordType": record, "MessageID": "p-1", "Email": TO, **more})


def brevo(route, event, **more):
    return post(route, {"event": event, "email": TO, "message-id": "OURS", **more})


def sendgrid(route, event, **more):
    told = {"event": event, "email": TO, "sg_message_id": "x", "smtp-id": "<OURS>", **more}
    return post(route, [told])


def mailjet(route, event, **more):
    return post(route, [{"event": event, "email": TO, "MessageID": "p-1", **more}])


def sparkpost(route, type_, **more):
    told = {"type": type_, "transmission_id": "p-1", "raw_rcpt_to": TO, **more}
    return post(route, [{"msys": {"message_event": told}}])


def resend(route, type_, **more):
    body = json.dumps({"type": type_, "data": {"email_id": "p-1", "to": [TO], **more}})
    at = str(int(clock.now().timestamp()))
    signed = base64.b64encode(hmac.digest(b"s1gn", f"m.{at}.{body}".encode(), "sha256")).decode()
    return post(
        route, body, **{"svix-id": "m", "svix-timestamp": at, "svix-signature": f"v1,{signed}"}
    )


ARRIVED, BACK, SENT = MailState.DELIVERED, MailState.BOUNCED, MailState.SENT
REPORTS = [
    (mailgun, "delivered", {}, ARRIVED, "", False),
    (
        mailgun, "failed", {"severity": "permanent", "delivery-status": {"message": "550 gone"}},
        BACK, "It came back. 550 gone", True,
    ),
    (
        mailgun, "failed", {"severity": "temporary", "delivery-status": {"message": "451 later"}},
        SENT, "451 later", False,
    ),
    (mailgun, "complained", {}, BACK, "The recipient reported it as spam.", True),
    (mailgun, "opened", {}, SENT, "", False),
    (mandrill, "hard_bounce", {}, BACK, "It came back. 550 no", True),
    (mandrill, "soft_bounce", {}, BACK, "It came back. 550 no", False),
    (postmark, "Delivery", {"Details": "250 ok"}, ARRIVED, "", False),
    (postmark, "Bounce", {"Type": "HardBounce", "Details": "550"}, BACK, "It came back. 550", True),
    (
        postmark, "Bounce", {"Type": "SoftBounce", "Details": "552 full"},
        BACK, "It came back. 552 full", False,
    ),
    (
        postmark, "Bounce", {"Type": "Blocked", "Details": "554 policy"},
        BACK, "The provider refused to send it. 554 policy", False,
    ),
    (brevo, "delivered", {}, ARRIVED, "", False),
    (brevo, "soft_bounce", {"reason": "full"}, BACK, "It came back. full", False),
    (brevo, "invalid_email", {}, BACK, "It came back.", True),
    (brevo, "deferred", {}, SENT, "The server asks to wait.", False),
    (sendgrid, "delivered", {}, ARRIVED, "", False),
    (sendgrid, "bounce", {"type": "bounce", "reason": "550"}, BACK, "It came back. 550", True),
    (sendgrid, "bounce", {"type": "blocked", "reason": "554"}, BACK, "It came back. 554", False),
    (mailjet, "sent", {}, ARRIVED, "", False),
    (
        mailjet, "bounce", {"hard_bounce": True, "error": "user unknown"},
        BACK, "It came back.", True,
    ),
    (
        mailjet, "bounce", {"hard_bounce": False, "error": "quota exceeded"},
        BACK, "It came back.", False,
    ),
    (sparkpost, "delivery", {}, ARRIVED, "", False),
    (sparkpost, "bounce", {"bounce_class": "10", "raw_reason": "550"},
     BACK, "It came back. 550", True),
    (sparkpost, "bounce", {"bounce_class": "22", "raw_reason": "552"},
     BACK, "It came back. 552", False),
    (resend, "email.delivered", {}, ARRIVED, "", False),
    (resend, "email.delivery_delayed", {}, SENT, "The server asks to wait.", False),
]  # fmt: skip


@pytest.mark.parametrize(("say", "event", "more", "state", "reason", "dead"), REPORTS)
def test_a_report_becomes_the_state_of_the_message(mail, say, event, more, state, reason, dead):
    way = route(say.__name__)
    OutgoingMail.objects.filter(pk=mail.pk).update(message_id="<OURS>")

    answers = [say(way, event, **more).status_code for _ in range(2)]

    assert answers == [200, 200]
    mail.refresh_from_db()
    assert (mail.state, mail.reason) == (state, reason)
    assert DeadAddress.objects.filter(address=TO).exists() is dead
    assert MailRoute.objects.get().alarm == ""


def ses(kind, **told):
    event = {"eventType": kind, "mail": {"messageId": "p-1", "destination": [TO]}, **told}
    notice = {"Type": "Notification", "MessageId": "s", "Message": json.dumps(event)}
    headers = {"X-Amz-Sns-Message-Type": "Notification", "X-Amz-Sns-Message-Id": "s"}
    return notice, headers


@pytest.mark.parametrize(("type_", "dead"), [("Permanent", True), ("Transient", False)])
def test_amazon_reports_through_its_notices(mail, type_, dead):
    way = MailRoute.objects.create(
        name="SES", name_key="ses", key="k3y", kind="provider", settings={"provider": "amazon_ses"}
    )
    failed = [{"emailAddress": TO, "diagnosticCode": "550 no"}]
    bounce = {"bounceType": type_, "bounceSubType": "General", "bouncedRecipients": failed}
    early, headers = ses("Delivery", delivery={"recipients": [TO], "smtpResponse": "250"})
    late, _ = ses("Bounce", bounce=bounce)

    for notice, state in ((early, ARRIVED), (late, BACK), (early, BACK)):
        assert post(way, notice, "text/plain", **headers).status_code == 200
        mail.refresh_from_db()
        assert mail.state == state
    assert DeadAddress.objects.exists() is dead


def test_reports_that_are_too_late_or_not_about_us_change_nothing(mail):
    way = route("postmark")

    for state in (MailState.QUEUED, MailState.HELD, MailState.FAILED):
        OutgoingMail.objects.filter(pk=mail.pk).update(state=state)
        assert postmark(way, "Delivery").content == b"Noted: 0."
    OutgoingMail.objects.filter(pk=mail.pk).update(state=MailState.QUEUED)
    assert postmark(way, "Bounce", Type="HardBounce").content == b"Noted: 0."
    OutgoingMail.objects.filter(pk=mail.pk).update(state=MailState.SENT)
    assert postmark(way, "Delivery", MessageID="p-2").content == b"Noted: 0."
    assert postmark(way, "Delivery", MessageID="\0" * 300).content == b"Noted: 0."

    mail.refresh_from_db()
    assert (mail.state, DeadAddress.objects.count()) == (MailState.SENT, 0)


def test_only_the_provider_may_report(mail):
    way = route("mailgun")
    wrong = {"signature": {"timestamp": "1", "token": "t", "signature": "0"}, "event-data": {}}
    place = tracking.address_of(way)

    assert post(way, wrong).status_code == 403
    assert "not signed" in MailRoute.objects.get().alarm
    assert Client().post(place[:-2] + "/", "{}", content_type="application/json").status_code == 404
    assert (Client().head(place).status_code, Client().put(place).status_code) == (200, 405)
    open_way = route("postmark")
    for nonsense in (b"{", b"[]", b"7", b"[" * 100_000, b'{"FromFull": {}}'):
        assert post(open_way, nonsense).status_code == 400
    mail.refresh_from_db()
    assert mail.state == MailState.SENT


# --- reports by mail -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("action", "state"), [("delivered", ARRIVED), ("relayed", SENT), ("expanded", SENT)]
)
def test_a_server_reports_by_mail_that_a_message_has_arrived(mail, action, state):
    new = NewChannel(name="Pipe", kind="pipe", group_id=1, settings={})
    channel = save_channel(new, actor=admin(), at=clock.now())
    report = f"""\
From: Mail Delivery System <mailer-daemon@example.org>
To: help@desk.example
Subject: Successful Mail Delivery Report
Auto-Submitted: auto-replied
Message-ID: <report@example.org>
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary=b

--b
Content-Type: text/plain

Your message was successfully delivered.
--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mail.example.org

Final-Recipient: rfc822; {TO}
Action: {action}
Status: 2.0.0

--b
Content-Type: text/rfc822-headers

Message-ID: {mail.message_id}

--b--
"""
    taken = taking.take(report.encode(), channel=channel, at=clock.now())
    handling.handle(taken.pk, at=clock.now())

    mail.refresh_from_db()
    assert mail.state == state
    if state == ARRIVED:
        fate = IncomingMail.objects.get()
        assert (fate.fate, fate.ticket_id) == (Fate.IGNORED, mail.article.ticket_id)
        assert fate.reason == f"A report that the mail to {TO} has arrived."
