"""What mail providers post, in the shapes that their papers describe, becomes mail byte by byte."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from urllib.parse import urlencode

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from django.db import OperationalError
from django.test import Client

from deskbell.kernel import clock
from deskbell.kernel.errors import Invalid, Unknown
from deskbell.kernel.jobs import run_due
from deskbell.mail import hooks
from deskbell.mail.intake import channels, store, webhooks
from deskbell.mail.intake.channels import NewChannel, save_channel
from deskbell.mail.models import IncomingMail, MailChannel
from deskbell.mail.reading import message as reading
from deskbell.people.credentials import FAILURES_ALLOWED
from deskbell.people.models import User
from deskbell.tickets.models import Attachment, Ticket
from tests import cast

pytestmark = pytest.mark.django_db

#: No UTF-8, on purpose: such bytes are where a form and JSON part.
RAW = (
    b"From: Kemal <kemal@example.org>\r\nTo: help@desk.example\r\n"
    b"Subject: The printer\r\nMessage-ID: <m1@example.org>\r\n"
    b"Content-Type: text/plain; charset=iso-8859-1\r\n"
    b"Content-Transfer-Encoding: 8bit\r\n\r\nIt is gr\xfcn.\r\n"
)
PLAIN = RAW.replace(b"\xfc", b"u")
ENVELOPE = b"Return-Path: <bounce@example.org>\r\nDelivered-To: help@in.example\r\n"
KEY = "k3y-of-the-provider"
RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)
EC = ec.generate_private_key(ec.SECP256R1())


def public(key):
    pem = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return "".join(pem.decode().splitlines()[1:-1])


def form(fields, files=()):
    """A form with files, as providers post it: body and content type."""
    parts = [
        b'--x7\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n' % (name.encode(), value)
        for name, value in fields.items()
    ]
    parts += [
        b'--x7\r\nContent-Disposition: form-data; name="%s"; filename="%s"\r\n'
        b"Content-Type: %s\r\n\r\n%s\r\n" % (name, filename, kind, content)
        for name, filename, kind, content in files
    ]
    return b"".join(parts) + b"--x7--\r\n", "multipart/form-data; boundary=x7"


def as_json(document):
    return json.dumps(document).encode(), "application/json"


def hmac_of(body, digest="sha256", key=KEY):
    return hmac.new(key.encode(), body, digest)


def mailgun_signed(fields):
    signature = hmac_of(b"1760000000" + b"tok-1").hexdigest().encode()
    return {**fields, "timestamp": b"1760000000", "token": b"tok-1", "signature": signature}


def mailgun_mime(channel):
    fields = {"sender": b"bounce@example.org", "recipient": b"help@in.example", "body-mime": RAW}
    return *form(mailgun_signed(fields)), {}


def mailgun_urlencoded(channel):
    fields = {"sender": b"bounce@example.org", "recipient": b"help@in.example", "body-mime": RAW}
    return urlencode(mailgun_signed(fields)).encode(), "application/x-www-form-urlencoded", {}


def sendgrid_raw(channel):
    envelope = json.dumps({"to": ["help@in.example"], "from": "bounce@example.org"}).encode()
    return *form({"email": RAW, "envelope": envelope, "dkim": b"none"}), {}


def sendgrid_signed(channel):
    body, kind, _ = sendgrid_raw(channel)
    signature = EC.sign(b"1760000000" + body, ec.ECDSA(hashes.SHA256()))
    return (
        body,
        kind,
        {
            "X-Twilio-Email-Event-Webhook-Signature": base64.b64encode(signature).decode(),
            "X-Twilio-Email-Event-Webhook-Timestamp": "1760000000",
        },
    )


def postmark_raw(channel):
    event = {
        "FromFull": {"Email": "kemal@example.org", "Name": "Kemal"},
        "OriginalRecipient": "help@in.example",
        "MessageID": "22c74902-a0c1-4511-804f-341342852c90",
        "Headers": [{"Name": "Return-Path", "Value": "<bounce@example.org>"}],
        "RawEmail": PLAIN.decode(),
    }
    return *as_json(event), {}


def mandrill(channel):
    address = f"http://127.0.0.1:8000{webhooks.address_of(channel)}"
    events = json.dumps(
        [
            {
                "event": "inbound",
                "ts": 1760000000,
                "msg": {"raw_msg": PLAIN.decode(), "email": "help@in.example"},
            }
        ]
    )
    signed = hmac_of(f"{address}mandrill_events{events}".encode(), "sha1").digest()
    body = urlencode({"mandrill_events": events}).encode()
    headers = {"X-Mandrill-Signature": base64.b64encode(signed).decode()}
    return body, "application/x-www-form-urlencoded", headers


def ses(channel, **changed):
    event = {
        "notificationType": "Received",
        "mail": {"messageId": "ses-1", "source": "bounce@example.org"},
        "receipt": {
            "recipients": ["help@in.example"],
            "action": {"type": "SNS", "encoding": "BASE64"},
        },
        "content": base64.b64encode(RAW).decode(),
    }
    notice = {
        "Type": "Notification",
        "MessageId": "sns-1",
        "TopicArn": "arn:aws:sns:eu-west-1:123456789012:mail",
        "Message": json.dumps(event),
        **changed,
    }
    body, _ = as_json(notice)
    headers = {"X-Amz-Sns-Message-Type": notice["Type"], "X-Amz-Sns-Message-Id": "sns-1"}
    return body, "text/plain; charset=UTF-8", headers


def sparkpost(channel):
    relayed = {
        "content": {
            "email_rfc822": base64.b64encode(RAW).decode(),
            "email_rfc822_is_base64": True,
        },
        "protocol": "smtp",
        "msg_from": "bounce@example.org",
        "rcpt_to": "help@in.example",
    }
    return *as_json([{"msys": {}}, {"msys": {"relay_message": relayed}}]), {}


def postal(channel):
    event = {
        "id": 7,
        "rcpt_to": "help@in.example",
        "mail_from": "bounce@example.org",
        "message": base64.b64encode(RAW).decode(),
        "base64": True,
    }
    body, kind = as_json(event)
    signature = RSA.sign(body, padding.PKCS1v15(), hashes.SHA1())
    return body, kind, {"X-Postal-Signature": base64.b64encode(signature).decode()}


def mailersend(channel):
    event = {
        "type": "inbound.message",
        "data": {
            "id": "ms-1",
            "sender": {"email": "bounce@example.org"},
            "recipients": {"rcptTo": [{"email": "help@in.example"}]},
            "raw": PLAIN.decode(),
        },
    }
    body, kind = as_json(event)
    return body, kind, {"Signature": hmac_of(body).hexdigest()}


WHOLE = {
    "mailgun-mime": ("mailgun", mailgun_mime, KEY, RAW, "mailgun:tok-1"),
    "mailgun-urlencoded": ("mailgun", mailgun_urlencoded, KEY, RAW, "mailgun:tok-1"),
    "sendgrid-raw": ("sendgrid", sendgrid_raw, "", RAW, None),
    "sendgrid-signed": ("sendgrid", sendgrid_signed, public(EC), RAW, None),
    "postmark-raw": (
        "postmark", postmark_raw, "", PLAIN, "postmark:22c74902-a0c1-4511-804f-341342852c90",
    ),
    "mandrill": ("mandrill", mandrill, KEY, PLAIN, None),
    "amazon-ses": ("amazon_ses", ses, "", RAW, "amazon_ses:ses-1"),
    "sparkpost": ("sparkpost", sparkpost, "", RAW, None),
    "postal": ("postal", postal, public(RSA), RAW, "postal:7"),
    "mailersend": ("mailersend", mailersend, KEY, PLAIN, "mailersend:ms-1"),
}  # fmt: skip


def admin():
    return cast.acting(User.objects.filter(login="otto").first() or cast.pure_admin())


def made(provider, password="", api_key=""):
    given = NewChannel(
        name=f"From {provider}",
        kind="webhook",
        group_id=1,
        settings={"provider": provider, **({"api_key": api_key} if api_key else {})},
        password=password,
    )
    return save_channel(given, actor=admin(), at=clock.now())


def post(channel, posted, **more):
    body, kind, headers = posted
    client = Client(enforce_csrf_checks=True)
    return client.post(
        webhooks.address_of(channel), body, content_type=kind, headers={**headers, **more}
    )


def taken():
    return [store.read(mail.place) for mail in IncomingMail.objects.order_by("id")]


@pytest.mark.parametrize("case", WHOLE)
def test_a_message_is_kept_byte_by_byte_below_its_envelope(case):
    provider, posted, password, raw, key = WHOLE[case]
    channel = made(provider, password)

    answer = post(channel, posted(channel))
    again = post(channel, posted(channel))

    assert (answer.status_code, again.status_code) == (200, 200)
    [mail] = IncomingMail.objects.all()
    [content] = taken()
    envelope = ENVELOPE if provider != "mandrill" else ENVELOPE.partition(b"\r\n")[2]
    assert content == envelope + raw
    assert mail.told_at is not None
    assert mail.key == (key or f"content:{hashlib.sha256(content).hexdigest()}")
    run_due()
    assert Ticket.objects.get().title == "The printer"
    assert MailChannel.objects.get().alarm == ""


@pytest.mark.parametrize(
    "case", [case for case in WHOLE if WHOLE[case][2] and case != "mailgun-urlencoded"]
)
def test_what_another_key_signed_is_refused_and_told_to_the_administrator(case):
    provider, posted, password, _, _ = WHOLE[case]
    channel = made(provider, password)
    request = posted(channel)
    if provider == "mailgun":
        request = (request[0].replace(b"tok-1", b"tok-2"), *request[1:])
    elif provider == "mandrill":
        request = (request[0].replace(b"printer", b"plotter"), *request[1:])
    else:
        request = (request[0] + b" ", *request[1:])

    answer = post(channel, request)
    unsigned = post(channel, (*posted(channel)[:2], {}))

    assert answer.status_code == 403
    assert unsigned.status_code == (200 if provider == "mailgun" else 403)
    assert IncomingMail.objects.count() == (provider == "mailgun")
    assert ("not signed" in MailChannel.objects.get().alarm) is (provider != "mailgun")


# --- messages in parts ---------------------------------------------------------------------------

HEADERS = [
    ["From", "Kemal Ö <kemal@example.org>"],
    ["To", "help@desk.example"],
    ["Subject", "Der Drucker: grün"],
    ["Message-Id", "<m2@example.org>"],
]
PNG = b"\x89PNG\r\n\x1a\n\0\xff--x7"


def mailgun_parts(channel):
    fields = {
        "recipient": b"help@in.example",
        "message-headers": json.dumps(HEADERS).encode(),
        "body-plain": "Er ist grün.\n".encode(),
        "body-html": '<p>Er ist <b>grün</b>.<img src="cid:i1"></p>'.encode(),
        "attachment-count": b"2",
        "content-id-map": b'{"<i1>": "attachment-1"}',
    }
    files = [
        (b"attachment-1", b"a.png", b"image/png", PNG),
        # Without a name: Django would leave it out.
        (b"attachment-2", b"", b"application/pdf", b"%PDF-"),
    ]
    return *form(mailgun_signed(fields), files), {}


def sendgrid_parts(channel):
    fields = {
        "headers": "\n".join(f"{name}: {value}" for name, value in HEADERS).encode() + b"\n",
        "text": "Er ist grün.\n".encode("iso-8859-1"),
        "charsets": b'{"text": "iso-8859-1"}',
        "attachment-info": json.dumps(
            {"attachment1": {"content-id": "i1"}, "attachment2": {}}
        ).encode(),
        "envelope": b'{"to": ["help@in.example"], "from": "kemal@example.org"}',
    }
    files = [
        (b"attachment1", b"a.png", b"image/png", PNG),
        (b"attachment2", b"", b"application/pdf", b"%PDF-"),
    ]
    return *form(fields, files), {}


def postmark_parts(channel):
    event = {
        "FromFull": {"Email": "kemal@example.org", "Name": "Kemal Ö"},
        "ToFull": [{"Email": "help@desk.example", "Name": ""}],
        "OriginalRecipient": "help@in.example",
        "MessageID": "pm-2",
        "Subject": "Der Drucker: grün",
        "TextBody": "Er ist grün.\n",
        "HtmlBody": "",
        "Headers": [{"Name": "Message-ID", "Value": "<m2@example.org>"}],
        "Attachments": [
            {
                "Name": "a.png",
                "Content": base64.b64encode(PNG).decode(),
                "ContentType": "image/png",
                "ContentID": "i1",
            },
            {
                "Name": "b.pdf",
                "Content": base64.b64encode(b"%PDF-").decode(),
                "ContentType": "application/pdf",
            },
        ],
    }
    return *as_json(event), {}


def mailjet_parts(channel):
    event = {
        "Sender": "kemal@example.org",
        "Recipient": "help@in.example",
        "Headers": dict(HEADERS),
        "Text-part": "Er ist grün.\n",
        "Parts": [
            {"Headers": {"Content-Type": "text/plain"}, "ContentRef": "Text-part"},
            {
                "Headers": {
                    "Content-Type": 'image/png; name="a.png"',
                    "Content-Disposition": 'inline; filename="a.png"',
                    "Content-ID": "<i1>",
                },
                "ContentRef": "InlineAttachment1",
            },
            {
                "Headers": {
                    "Content-Type": 'application/pdf; name="b.pdf"',
                    "Content-Disposition": 'attachment; filename="b.pdf"',
                },
                "ContentRef": "Attachment1",
            },
        ],
        "InlineAttachment1": base64.b64encode(PNG).decode(),
        "Attachment1": base64.b64encode(b"%PDF-").decode(),
    }
    return *as_json(event), {}


def brevo_parts(channel):
    item = {
        "Uuid": ["br-2"],
        "Headers": dict(HEADERS) | {"Delivered-To": "help@in.example"},
        "RawTextBody": "Er ist grün.\n",
        "Attachments": [
            {
                "Name": "a.png",
                "ContentType": "image/png",
                "ContentID": "i1",
                "DownloadToken": "t/1",
            },
            {"Name": "b.pdf", "ContentType": "application/pdf", "DownloadToken": "t2"},
        ],
    }
    return *as_json({"items": [item]}), {}


@pytest.fixture
def provider_has(monkeypatch):
    """What a provider gives when it is asked; the questions."""
    asked = []

    def has(answers):
        def fetched(url, *, limit, headers=None):
            asked.append((url, headers))
            if url not in answers:
                raise hooks.Unreachable("not there")
            return answers[url]

        monkeypatch.setattr(hooks, "fetched", fetched)
        return asked

    return has


@pytest.mark.parametrize(
    ("provider", "posted", "password", "api_key"),
    [
        ("mailgun", mailgun_parts, KEY, ""),
        ("sendgrid", sendgrid_parts, "", ""),
        ("postmark", postmark_parts, "", ""),
        ("mailjet", mailjet_parts, "", ""),
        ("brevo", brevo_parts, "", "api-1"),
    ],
)
def test_parts_become_the_same_message_every_time(
    provider, posted, password, api_key, provider_has
):
    asked = provider_has(
        {
            "https://api.brevo.com/v3/inbound/attachments/t%2F1": PNG,
            "https://api.brevo.com/v3/inbound/attachments/t2": b"%PDF-",
        }
    )
    channel = made(provider, password, api_key)

    answers = [post(channel, posted(channel)).status_code for _ in range(2)]

    assert answers == [200, 200]
    assert IncomingMail.objects.count() == 1
    facts = reading.read(taken()[0], fqdn="desk.example")
    assert (facts.sender.name, facts.sender.address) == ("Kemal Ö", "kemal@example.org")
    assert facts.subject == "Der Drucker: grün"
    assert facts.message_id == "m2@example.org"
    assert facts.body.strip() == "Er ist grün."
    assert facts.delivered_to[0] == "help@in.example"
    assert [file.content for file in facts.files] == [PNG, b"%PDF-"]
    assert [file.content_id for file in facts.files] == ["i1", ""]
    assert all(headers == {"api-key": "api-1"} for _, headers in asked)
    run_due()
    assert Ticket.objects.count() == 1
    assert Attachment.objects.count() == 2


def test_parts_that_make_no_message_are_kept_as_a_file():
    channel = made("mailjet")
    broken = {"Headers": {"Subject": "a\r\nb: c"}, "Text-part": "x", "Recipient": "h@in.example"}

    answer = post(channel, (*as_json(broken), {}))

    assert answer.status_code == 200
    [file] = reading.read(taken()[0], fqdn="desk.example").files
    assert json.loads(file.content) == broken


def test_what_a_provider_does_not_post_is_fetched(provider_has):
    signed = base64.b64encode(b"0123456789abcdef").decode()
    resend = made("resend", f"whsec_{signed}", "api-2")
    event = json.dumps({"type": "email.received", "data": {"email_id": "e/1"}}).encode()

    def headers(at, body=event):
        what = b"msg_1." + str(at).encode() + b"." + body
        mac = base64.b64encode(hmac.digest(b"0123456789abcdef", what, "sha256")).decode()
        return {"svix-id": "msg_1", "svix-timestamp": str(at), "svix-signature": f"v1,x v1,{mac}"}

    now = int(clock.now().timestamp())
    about = "https://api.resend.com/emails/receiving/e%2F1"
    raw = "https://cdn.resend.example/e1"
    asked = provider_has({})
    later = post(resend, (event, "application/json", headers(now)))
    alarm = MailChannel.objects.get().alarm
    provider_has(
        {
            about: json.dumps({"raw": {"download_url": raw}, "to": ["h@in.example"]}).encode(),
            raw: RAW,
        }
    )

    assert (later.status_code, alarm) == (503, "not there")
    assert asked == [(about, {"Authorization": "Bearer api-2"})]
    for at in (now - 301, now + 301):
        assert post(resend, (event, "application/json", headers(at))).status_code == 403
    assert post(resend, (event, "application/json", headers(now))).status_code == 200
    assert taken() == [b"Delivered-To: h@in.example\r\n" + RAW]
    assert MailChannel.objects.get().alarm == ""

    mailtrap = made("mailtrap", "", "api-3")
    place = "https://mailtrap.io/api/inbound/inboxes/42/messages/m%3F1"
    provider_has({place: json.dumps({"raw_message_url": raw}).encode(), raw: PLAIN})
    arrived = {"event": "inbound.message_received", "inbox_id": 42, "message_id": "m?1"}
    tried_out = {**arrived, "inbox_id": 1}
    answer = post(mailtrap, (*as_json({"events": [tried_out, arrived]}), {}))
    assert answer.status_code == 200
    assert taken()[1:] == [PLAIN]
    assert IncomingMail.objects.last().key == "mailtrap:42/m?1"


def test_amazon_is_told_that_its_messages_are_wanted(provider_has):
    channel = made("amazon_ses")
    good = "https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription&Token=t"
    asked = provider_has({good: b"<ok/>"})
    wanted = {"Type": "SubscriptionConfirmation", "SubscribeURL": good}

    assert post(channel, ses(channel, **wanted)).status_code == 200
    assert [url for url, _ in asked] == [good]
    for bad in (
        "https://sns.eu-west-1.amazonaws.com.evil.example/",
        "http://sns.eu-west-1.amazonaws.com/",
        "https://sns.eu-west-1.amazonaws.com@10.0.0.1/",
        None,
    ):
        answer = post(channel, ses(channel, **wanted | {"SubscribeURL": bad}))
        assert answer.status_code == 400
    assert len(asked) == 1
    s3 = json.dumps(
        {"notificationType": "Received", "receipt": {"action": {"type": "S3", "bucketName": "b"}}}
    )
    assert post(channel, ses(channel, Message=s3)).status_code == 400
    assert "boto3" in MailChannel.objects.get().alarm


# --- the address ---------------------------------------------------------------------------------


def test_nobody_learns_which_address_is_right():
    channel = made("postmark")
    address = webhooks.address_of(channel)
    closed = made("sparkpost")
    MailChannel.objects.filter(pk=closed.pk).update(active=False)
    client = Client()
    wrong = [
        address[:-2] + "0/",
        f"/mail/in/{channel.pk}-/",
        f"/mail/in/{channel.pk}/",
        "/mail/in/999-abc/",
        "/mail/in/99999999999999999999-abc/",
        webhooks.address_of(closed),
    ]
    wrong = [each for each in wrong if each != address]

    answers = [client.post(each, b"{}", content_type="application/json") for each in wrong]

    assert {(each.status_code, each.content) for each in answers} == {(404, b"Not found.")}
    assert all("Set-Cookie" not in each.headers for each in answers)
    assert client.head(address).status_code == 200
    assert client.put(address).status_code == 405
    for _ in range(FAILURES_ALLOWED - len(wrong)):
        client.post(wrong[0])
    assert client.post(wrong[0]).status_code == 429
    # Whoever knows the address is not held up by those who guess.
    assert post(channel, postmark_raw(channel)).status_code == 200


def test_another_address_makes_the_old_one_nobodys():
    channel = made("postmark")
    old = webhooks.address_of(channel)

    new = webhooks.address_of(channels.renew_address(channel.pk, actor=admin(), at=clock.now()))

    assert new != old
    assert [Client().head(each).status_code for each in (old, new)] == [404, 200]
    with pytest.raises(Unknown):
        channels.renew_address(channel.pk + 1, actor=admin(), at=clock.now())


def test_a_provider_that_signs_nothing_may_have_to_name_itself():
    channel = made("postmark", "post:m4rk")
    name = base64.b64encode(b"post:m4rk").decode()

    asked = post(channel, postmark_raw(channel))
    wrong = post(channel, postmark_raw(channel), Authorization="Basic " + name[:-4] + "AAAA")
    right = post(channel, postmark_raw(channel), Authorization="Basic " + name)

    assert (asked.status_code, wrong.status_code, right.status_code) == (401, 403, 200)
    assert asked["WWW-Authenticate"].startswith("Basic ")


# --- what goes wrong -----------------------------------------------------------------------------


@pytest.mark.parametrize("failure", [store.NoRoom("The disk is full."), OperationalError("locked")])
def test_what_cannot_be_kept_is_posted_again(monkeypatch, failure):
    channel = made("postmark")

    def keep(*given, **more):
        raise failure

    monkeypatch.setattr("deskbell.mail.intake.taking.store.keep", keep)
    refused = post(channel, postmark_raw(channel))
    monkeypatch.undo()
    taken_now = post(channel, postmark_raw(channel))

    assert (refused.status_code, refused["Retry-After"]) == (503, "60")
    assert taken_now.status_code == 200
    assert IncomingMail.objects.count() == 1


@pytest.mark.parametrize(
    ("provider", "body", "kind"),
    [
        ("postmark", b"{", "application/json"),
        ("postmark", b"[" * 200_000, "application/json"),
        ("postmark", b'{"RawEmail": 7}', "application/json"),
        ("postmark", b'{"RecordType": "Bounce"}', "application/json"),
        ("postmark", b"\xff", "application/json"),
        ("brevo", b'{"event": "delivered"}', "application/json"),
        ("sendgrid", *form({"from": b"x"})),
        ("sendgrid", b"--x7\r\n", "multipart/form-data; boundary=x7"),
        ("sendgrid", b"x", "multipart/form-data"),
        ("sparkpost", b'[{"msys": {"message_event": {"type": "bounce"}}}]', "application/json"),
        ("mailjet", b'["a"]', "application/json"),
    ],
)  # fmt: skip
def test_what_is_no_mail_is_refused_and_told_to_the_administrator(provider, body, kind):
    channel = made(provider, api_key="api-1" if provider == "brevo" else "")

    answer = post(channel, (body, kind, {}))

    assert answer.status_code == 400
    assert IncomingMail.objects.count() == 0
    assert MailChannel.objects.get().alarm == answer.content.decode()


def test_keys_are_asked_for_where_they_are_needed_and_stored_encrypted():
    with pytest.raises(Invalid, match="password"):
        made("mailgun")
    with pytest.raises(Invalid, match="api_key"):
        made("brevo")
    with pytest.raises(Invalid, match="provider"):
        made("pigeon")

    channel = made("brevo", api_key="api-1")

    assert "api-1" not in json.dumps(channel.settings)
    assert channels.settings_of(channel).api_key == "api-1"


def test_addresses_inside_our_network_are_not_fetched():
    for url in ("http://example.com/", "https://127.0.0.1/", "https://[::1]/", "https://10.1.2.3/"):
        with pytest.raises(hooks.Unreachable, match="not looked at"):
            hooks.fetched(url, limit=1)


def test_an_old_signature_key_stays_secret_in_the_log(caplog):
    channel = made("postmark")
    post(channel, (b"{", "application/json", {}))

    assert channel.key not in caplog.text
    assert webhooks.address_of(channel) not in caplog.text
