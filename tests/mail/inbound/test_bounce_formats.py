"""Delivery reports in the formats of many mail systems, and messages that only look like one."""

from __future__ import annotations

import pytest

from deskbell.mail.reading import read
from tests.mail.inbound.mails import mail, multipart, part

TO = "gone@kunde.example"
RETURNED = "Return-Path: <help@desk.example>\nReceived: from desk.example\nFrom: Help <help@desk.example>\nTo: <other@kunde.example>\nMessage-ID: <7@desk.example>\nSubject: x\n\nHello"

#: Reports in prose: sender, subject, text; each names TO and nobody else as failed, for good.
FAILED = {
    "Postfix": ("MAILER-DAEMON@mx.example", "Undelivered Mail Returned to Sender", f"This is the mail system at host mx.example.\n\nI'm sorry to have to inform you that your message could not\nbe delivered to one or more recipients. It's attached below.\n\nFor further assistance, please send mail to postmaster.\n\n<{TO}>: host mx.kunde.example[192.0.2.1] said: 550 5.1.1\n    <{TO}>: Recipient address rejected: User unknown (in reply to RCPT TO command)\n"),
    "Sendmail": ("MAILER-DAEMON@mx.example", "Returned mail: see transcript for details", f"The original message was received at Tue, 3 Mar 2026 09:15:22 +0100\nfrom desk.example [192.0.2.2]\n\n   ----- The following addresses had permanent fatal errors -----\n<{TO}>\n    (reason: 550 5.1.1 <{TO}>... User unknown)\n\n   ----- Transcript of session follows -----\n... while talking to mx.kunde.example.:\n>>> RCPT To:<{TO}>\n<<< 550 5.1.1 User unknown\n550 5.1.1 <{TO}>... User unknown\n"),
    "Exim": ("Mailer-Daemon@mx.example", "Mail delivery failed: returning message to sender", f"This message was created automatically by mail delivery software.\n\nA message that you sent could not be delivered to one or more of its\nrecipients. This is a permanent error. The following address(es) failed:\n\n  {TO}\n    host mx.kunde.example [192.0.2.1]\n    SMTP error from remote mail server after RCPT TO:<{TO}>:\n    550 no such user\n\n------ This is a copy of the message, including all the headers. ------\n\n{RETURNED}"),
    "qmail": ("MAILER-DAEMON@mx.example", "failure notice", f"Hi. This is the qmail-send program at mx.example.\nI'm afraid I wasn't able to deliver your message to the following addresses.\nThis is a permanent error; I've given up. Sorry it didn't work out.\n\n<{TO}>:\nSorry, no mailbox here by that name. (#5.1.1)\n\n--- Below this line is a copy of the message.\n\n{RETURNED}"),
    "Gmail": ("mailer-daemon@googlemail.example", "Delivery Status Notification (Failure)", f"** Address not found **\n\nYour message wasn't delivered to {TO} because the address couldn't be found, or is unable to receive mail.\n\nThe response from the remote server was:\n550 5.1.1 The email account that you tried to reach does not exist.\n"),
    "old Gmail": ("mailer-daemon@google.example", "Delivery Status Notification (Failure)", f"Delivery to the following recipient failed permanently:\n\n     {TO}\n\nTechnical details of permanent failure:\nGoogle tried to deliver your message, but it was rejected by the recipient domain.\n\n----- Original message -----\n\n{RETURNED}"),
    "Yahoo": ("MAILER-DAEMON@yahoo.example", "Failure Notice", f"Sorry, we were unable to deliver your message to the following address.\n\n<{TO}>:\nRemote host said: 550 No Such User Here [RCPT_TO]\n\n--- Below this line is a copy of the message.\n\n{RETURNED}"),
    "Exchange 2003": ("postmaster@kunde.example", "Undeliverable: x", f"Your message did not reach some or all of the intended recipients.\n\n      Subject:\tx\n      Sent:\t3/3/2026 9:15 AM\n\nThe following recipient(s) could not be reached:\n\n      {TO} on 3/3/2026 9:15 AM\n            The e-mail account does not exist at the organization this message was sent to.\n            <mx.kunde.example #5.1.1>\n"),
    "Exchange 2010": ("postmaster@kunde.example", "Undeliverable: x", f"Delivery has failed to these recipients or groups:\n\n{TO}<mailto:{TO}>\nThe email address you entered couldn't be found. Please check the recipient's email address and try to resend the message.\n\nDiagnostic information for administrators:\n\nGenerating server: mx.kunde.example\n\n{TO}\n#550 5.1.1 RESOLVER.ADR.RecipNotFound; not found ##\n"),
    "Exchange in German": ("postmaster@kunde.example", "Unzustellbar: x", f"Fehler bei der Nachrichtenzustellung an folgende Empfänger oder Gruppen:\n\n{TO}\nDie eingegebene E-Mail-Adresse konnte nicht gefunden werden.\n"),
    "Exchange in French": ("postmaster@kunde.example", "Non remis : x", f"Échec de la remise pour ces destinataires ou groupes :\n\n{TO}\nL'adresse de messagerie que vous avez entrée est introuvable.\n"),
    "Exchange in Spanish": ("postmaster@kunde.example", "No se puede entregar: x", f"No se pudo entregar el mensaje a estos destinatarios o grupos:\n\n{TO}\nNo se encontró la dirección de correo electrónico.\n"),
    "Exchange in Italian": ("postmaster@kunde.example", "Recapito non riuscito: x", f"Recapito non riuscito per i seguenti destinatari o gruppi:\n\n{TO}\nL'indirizzo di posta elettronica immesso non è stato trovato.\n"),
    "Exchange in Dutch": ("postmaster@kunde.example", "Onbestelbaar: x", f"Bezorging is mislukt voor de volgende geadresseerden of groepen:\n\n{TO}\nHet door u ingevoerde e-mailadres is niet gevonden.\n"),
    "Exchange in Portuguese": ("postmaster@kunde.example", "Não é possível entregar: x", f"Falha na entrega a estes destinatários ou grupos:\n\n{TO}\nO endereço de email não foi encontrado.\n"),
    "Exchange in Swedish": ("postmaster@kunde.example", "Gick inte att leverera: x", f"Det gick inte att leverera meddelandet till följande mottagare eller grupper:\n\n{TO}\n"),
    "Exchange in Danish": ("postmaster@kunde.example", "Kan ikke leveres: x", f"Levering mislykkedes til disse modtagere eller grupper:\n\n{TO}\n"),
    "Exchange in Polish": ("postmaster@kunde.example", "Niedostarczone: x", f"Nie można dostarczyć wiadomości do następujących adresatów lub grup:\n\n{TO}\n"),
    "Exchange in Czech": ("postmaster@kunde.example", "Nedoručitelné: x", f"Doručení těmto příjemcům nebo skupinám se nezdařilo:\n\n{TO}\n"),
    "Exchange in Russian": ("postmaster@kunde.example", "Не удается доставить: x", f"Не удалось доставить сообщение следующим получателям или группам:\n\n{TO}\n"),
    "Exchange in Japanese": ("postmaster@kunde.example", "配信不能: x", f"次の受信者またはグループへの配信に失敗しました:\n\n{TO}\n"),
    "Exchange in Chinese": ("postmaster@kunde.example", "无法送达: x", f"以下收件人或组未能送达:\n\n{TO}\n"),
    "Exchange in Turkish": ("postmaster@kunde.example", "Teslim edilemedi: x", f"Bu alıcılara veya gruplara teslim başarısız oldu:\n\n{TO}\n"),
    "Exchange in Finnish": ("postmaster@kunde.example", "Ei voitu toimittaa: x", f"Toimitus näille vastaanottajille tai ryhmille epäonnistui:\n\n{TO}\n"),
    "Exchange in Hungarian": ("postmaster@kunde.example", "Kézbesíthetetlen: x", f"A kézbesítés nem sikerült a következő címzetteknek vagy csoportoknak:\n\n{TO}\n"),
    "Domino": ("MAILER-DAEMON@kunde.example", "DELIVERY FAILURE: User gone (gone@kunde.example) not listed in Domino Directory", f"Your message\n\n  Subject: x\n\nwas not delivered to:\n\n  {TO}\n\nbecause:\n\n  User gone ({TO}) not listed in Domino Directory\n"),
    "GroupWise": ("Mailer-Daemon@kunde.example", "Message status - undeliverable", f"\nThe message that you sent was undeliverable to the following:\n\t{TO} (mailbox full)\n\nPossibly truncated original message follows:\n\n{RETURNED}"),
    "AOL": ("MAILER-DAEMON@aol.example", "Mail Delivery Problem", f"Your mail to the following recipients could not be delivered because they are not accepting mail from desk.example:\n\t<{TO}>\n"),
    "Yandex": ("mailer-daemon@yandex.example", "Недоставленное сообщение", f"Это письмо отправлено почтовым сервером yandex.example.\n\nК сожалению, мы вынуждены сообщить Вам о том, что Ваше письмо не может\nбыть отправлено одному или нескольким адресатам.\n\n<{TO}>: host mx.kunde.example said: 550 No such user\n"),
    "Mail.ru": ("mailer-daemon@corp.mail.example", "Mail failure", f"This message was created automatically by mail delivery software.\n\nA message that you sent could not be delivered to one or more of its recipients.\n\n  {TO}\n    user not found\n"),
    "Hotmail": ("postmaster@hotmail.example", "Delivery Status Notification (Failure)", f"This is an automatically generated Delivery Status Notification.\n\nDelivery to the following recipients failed.\n\n       {TO}\n"),
    "MDaemon": ("MDaemon@kunde.example", "Permanent Delivery Failure", f"The attached message had PERMANENT fatal delivery errors!\n\nAfter one or more unsuccessful delivery attempts the attached message has\nbeen removed from the mail queue on this server.\n\nFailed address: {TO}\n\n--- Session Transcript ---\n 550 unknown user\n--- End Transcript ---\n"),
    "IMail": ("postmaster@kunde.example", "Undeliverable Mail", f"Unknown user: {TO}\n\n\nOriginal message follows.\n\n{RETURNED}"),
    "iPlanet": ("Postmaster@kunde.example", "Delivery Notification: Delivery has failed", f"This report relates to a message you sent with the following header fields:\n\n  Message-id: <7@desk.example>\n  From: Help <help@desk.example>\n  To: other@kunde.example\n  Subject: x\n\nYour message cannot be delivered to the following recipients:\n\n  Recipient address: {TO}\n  Reason: Illegal host/domain name found\n"),
    "CommuniGate": ("MAILER-DAEMON@kunde.example", "Undeliverable mail: x", f"Failed to deliver to '{TO}'\nLOCAL module(account gone) reports:\n account is full (quota exceeded)\n"),
    "Courier": ("Mail Delivery System <@kunde.example>", "NOTICE: mail delivery status.", f"This is a delivery status notification from mx.kunde.example,\nrunning the Courier mail server, version 0.65.\n\nThe original message was received on Tue, 3 Mar 2026 09:15:22 +0100\nfrom desk.example\n\n---------------------------------------------------------------------------\n\n                           UNDELIVERABLE MAIL\n\nYour message to the following recipients cannot be delivered:\n\n<{TO}>:\n    mx.kunde.example [192.0.2.1]:\n<<< 550 User unknown\n\n---------------------------------------------------------------------------\n"),
    "MailEnable": ("Postmaster@kunde.example", "Message Delivery Failure", f"MailEnable: Message delivery failure.\n\nReason: ME-E0109: The message was undeliverable.\n\nMessage headers follow:\n\nRecipient: [SMTP:{TO}]\n"),
    "InterMail": ("Mail Administrator <Postmaster@kunde.example>", "Mail System Error - Returned Mail", f"This Message was undeliverable due to the following reason:\n\nThe user(s) account is temporarily over quota.\n\n<{TO}>\n\nPlease reply to Postmaster@kunde.example\nif you feel this message to be in error.\n"),
    "Compuserve": ("CompuServe Postmaster <auto.reply@compuserve.example>", "Undeliverable Message: EMUNKNOWN", f"Receiver not found: {TO}\n\nYour message could not be delivered as addressed.\n"),
    "a small server": ("postmaster@kunde.example", "Mail delivery error", f"The following message could not be delivered because the address {TO} does not exist.\n"),
    "hMailServer": ("mailer-daemon@kunde.example", "Message undeliverable: x", f"Your message did not reach some or all of the intended recipients.\n\n   Sent: Tue, 3 Mar 2026 09:15:22 +0100\n   Subject: x\n\nThe following recipient(s) could not be reached:\n\n{TO}\n   Error Type: SMTP\n   Remote server (192.0.2.1) issued an error.\n\nhMailServer\n"),
    "Amazon": ("MAILER-DAEMON@ses.example", "Delivery Status Notification (Failure)", f"An error occurred while trying to deliver the mail to the following recipients:\n{TO}\n"),
    "Mimecast": ("postmaster@kunde.example", "[Postmaster] Email Delivery Failure", f"The following email message was not delivered to the recipient:\n\nRecipient: {TO}\n\nReason: 550 Invalid Recipient\n"),
    "MailMarshal": ("postmaster@kunde.example", "Undeliverable Mail: \"x\"", f"Your message:\n   From:    help@desk.example\n   Subject: x\n\nCould not be delivered because of\n\n550 5.1.1 User unknown\n\nThe following recipients were affected: \n   {TO}\n"),
    "Lyris": ("mailer-daemon@kunde.example", "delivery error", f"Unable to deliver message to: <{TO}>\nError: no such user\n"),
    "KDDI": ("Postmaster@ezweb.example", "Mail System Error - Returned Mail", f"The user(s) account is disabled.\n\n<{TO}>: 550 user unknown\n"),
    "Dragonfly": ("MAILER-DAEMON@df.example", "Mail delivery failed", f"This is the DragonFly Mail Agent v0.13 at df.example.\n\nThere was an error delivering your mail to <{TO}>.\n\nmx.kunde.example [192.0.2.1] did not like our RCPT TO:\n550 5.1.1 no such user\n\nMessage headers follow:\n\n{RETURNED}"),
    "OpenSMTPD": ("Mailer Daemon <MAILER-DAEMON@mx.example>", "Delivery status notification: error", f"    Hi!\n\n    This is the MAILER-DAEMON, please DO NOT REPLY to this e-mail.\n\n    An error has occurred while attempting to deliver a message for\n    the following list of recipients:\n\n{TO}: 550 5.2.2 <{TO}>... Mailbox Full\n\n    Below is a copy of the original message:\n\n{RETURNED}"),
    "SurfControl": ("postmaster@kunde.example", "Message could not be sent", f"Your message could not be sent.\nA transcript of the attempts to send the message follows.\nThe number of attempts made: 1\nAddressed To: {TO}\n\nTue 3 Mar 2026 09:15:22\nFailed to send to identified host,\nkunde.example: [192.0.2.1], 550 5.7.1 Unable to relay\n"),
    "McAfee": ("postmaster@kunde.example", "Delivery Status", f"This is a report from the mail gateway.\n\n--- The following addresses had delivery problems ---\n\n<{TO}>   (User unknown)\n\n--- Transcript ---\n550 no\n"),
    "a bracketed list": ("mailer-daemon@kunde.example", "Returned mail: Unable to deliver", f"  ----- The following addresses had permanent fatal errors -----\n\n>>> {TO} <<<\n\n550 sorry, no mailbox here by that name\n"),
    "rejected recipient": ("Mail Delivery Subsystem <MAILER-DAEMON@kunde.example>", "There was an error sending your mail", f"We had trouble delivering your message. Full details follow:\n\nSubject: 'x'\nDate: Tue, 3 Mar 2026\n\n1 error(s):\n\nSMTP Server <mx.kunde.example> rejected recipient <{TO}>\n  (Error following RCPT command). It responded as follows: [550 5.1.1 User unknown]\n"),
    "unknown destinations": ("postmaster@kunde.example", "Delivery status notification", f"The following destination addresses were unknown (please check\nthe addresses and re-mail the message):\n\nSMTP <{TO}>\n\n"),
    "an old Sendmail": ("MAILER-DAEMON@mx.example", "Returned mail: User unknown", f"   ----- Transcript of session follows -----\n... while talking to mx.kunde.example:\n>>> RCPT To:<{TO}>\n<<< 550 User unknown\n550 <{TO}>... User unknown\n\n   ----- Unsent message follows -----\n{RETURNED}"),
    "Zoho": ("mailer-daemon@mail.zoho.example", "Undelivered Mail Returned to Sender", f"This message was created automatically by mail delivery software.\n A message that you sent could not be delivered to one or more of its recipients. This is a permanent error.\n\n{TO} Invalid Address, ERROR_CODE :550, ERROR_CODE :5.1.1 <{TO}>: Recipient address rejected\n\nReceived:from desk.example by mx\nFrom:help@desk.example\nTo:other@kunde.example\n"),
    "a gateway": ("MAILER-DAEMON@gw.example", "Mail could not be delivered", f"Unable to deliver the message due to the following:\n\nSent >>> RCPT TO:<{TO}>\nReceived <<< 550 5.1.1 <{TO}>... user unknown\n"),
    "a mobile operator": ("Postmaster@docomo.example", "Mail System Error - Returned Mail", f"Each of the following recipients was rejected by a remote mail server.\n\n    Recipient: <{TO}>\n    >>> RCPT TO:<{TO}>\n    <<< 550 <{TO}>: User unknown\n"),
    "a hosting provider": ("mailer-daemon@kundenserver.example", "Mail delivery failed: returning message to sender", f"This message was created automatically by mail delivery software.\n\nA message that you have sent could not be delivered to one or more\nrecipients.  This is a permanent error.  The following address failed:\n\n  <{TO}>: 550-Requested action not taken\n\n--- The header of the original message is following. ---\n\n{RETURNED}"),
    "James": ("postmaster@kunde.example", "[BOUNCE]", f"Hi. This is the James mail server at kunde.example.\nI'm afraid I wasn't able to deliver your message to the following addresses.\nThis is a permanent error; I've given up. Sorry it didn't work out. Below\nI include the list of recipients and the reason why I was unable to deliver\nyour message.\n\n{TO}\n\nError message below:\n550 - no such user here\n"),
    "a list that refuses": ("fml-admin@list.example", "NOT MEMBER article from help@desk.example (talk ML)", f"Sorry, you are not a member of this mailing list <{TO}>.\n\nYour mail was rejected.\n"),
    "no From at all": (None, "Returned mail: delivery failed", f"The message could not be delivered to <{TO}>: unknown user\n"),
    "German provider": ("mailer-daemon@gmx.example", "Mail delivery failed: returning message to sender", f"Diese Nachricht wurde automatisch erstellt.\n\nLeider konnte Ihre Nachricht an die folgende Adresse nicht zugestellt werden:\n\n{TO}:\nNo such user\n"),
    "French provider": ("MAILER-DAEMON@wanadoo.example", "Échec de la remise de votre message", f"Votre message n'a pas pu être remis aux destinataires suivants :\n\n<{TO}>\n"),
}  # fmt: skip


@pytest.mark.parametrize("system", FAILED)
def test_a_failure_in_prose(system):
    sender, subject, text = FAILED[system]
    bounce = read(mail(text, From=sender, Subject=subject, Return_Path="<>")).bounce

    assert bounce is not None
    assert (bounce.type, bounce.recipients) == ("permanent", (TO,))
    assert bounce.message_id == ("7@desk.example" if RETURNED in text else "") or "7@" in text


DELAYED = {
    "Postfix": ("MAILER-DAEMON@mx.example", "Delayed Mail (still being retried)", f"####################################################################\n# THIS IS A WARNING ONLY.  YOU DO NOT NEED TO RESEND YOUR MESSAGE. #\n####################################################################\n\nYour message could not be delivered for more than 4 hours.\nIt will be retried until it is 5 days old.\n\n<{TO}>: connect to mx.kunde.example[192.0.2.1]:25: Connection timed out\n"),
    "Sendmail": ("MAILER-DAEMON@mx.example", "Warning: could not send message for past 4 hours", f"    **********************************************\n    **      THIS IS A WARNING MESSAGE ONLY      **\n    **  YOU DO NOT NEED TO RESEND YOUR MESSAGE  **\n    **********************************************\n\n   ----- The following addresses had transient non-fatal errors -----\n<{TO}>\n\n   ----- Transcript of session follows -----\n451 mx.kunde.example: Name server timeout\nWarning: message still undelivered after 4 hours\nWill keep trying until message is 5 days old\n"),
    "Exim": ("Mailer-Daemon@mx.example", "Warning: message 1tABC-0001-00 delayed 24 hours", f"This message was created automatically by mail delivery software.\nA message that you sent has not yet been delivered to one or more of its\nrecipients after more than 24 hours on the queue on mx.example.\n\nThe address to which the message has not yet been delivered is:\n\n  {TO}\n\nNo action is required on your part. Delivery attempts will continue for\nsome time, and this warning may be repeated at intervals if the message\nremains undelivered.\n"),
    "Gmail": ("mailer-daemon@google.example", "Delivery Status Notification (Delay)", f"** Delivery incomplete **\n\nThere was a temporary problem delivering your message to {TO}. Gmail will retry for 46 more hours. You'll be notified if the delivery fails permanently.\n"),
    "Exchange": ("postmaster@kunde.example", "Delivery delayed: x", f"Delivery is delayed to these recipients or groups:\n\n{TO}\n\nSubject: x\n\nThis message hasn't been delivered yet. Delivery will continue to be attempted.\n"),
    # A filter may be talked to.
    "Barracuda": ("postmaster@kunde.example", "Message you sent blocked by our bulk email filter", f"Your message to: {TO}\nwas blocked by our Spam Firewall. The email you sent with the following subject has NOT BEEN DELIVERED:\n\nSubject: x\n"),
    "German": ("postmaster@kunde.example", "Zustellung verzögert: x", f"Die Zustellung an folgende Empfänger oder Gruppen wird verzögert:\n\n{TO}\n"),
    "MDaemon": ("MDaemon@kunde.example", "Warning: x - delivery delayed", f"The attached message has encountered delivery problems.\n\nMDaemon will continue to attempt delivery.\n\nFailed address: {TO}\n"),
    "Hotmail": ("postmaster@hotmail.example", "Delivery Status Notification (Delay)", f"This is an automatically generated Delivery Status Notification.\n\nTHIS IS A WARNING MESSAGE ONLY.\n\nYOU DO NOT NEED TO RESEND YOUR MESSAGE.\n\nDelivery to the following recipients has been delayed.\n\n       {TO}\n"),
}  # fmt: skip


@pytest.mark.parametrize("system", DELAYED)
def test_a_delay_in_prose(system):
    sender, subject, text = DELAYED[system]
    bounce = read(mail(text, From=sender, Subject=subject, Return_Path="<>")).bounce

    assert bounce is not None
    assert (bounce.type, bounce.recipients) == ("temporary", (TO,))


def report(status: str, *more: bytes, **headers: str) -> bytes:
    """RFC 3464 around the machine-readable part."""
    usual = {
        "From": "Mail Delivery System <MAILER-DAEMON@mx.example>",
        "Subject": "Undelivered Mail Returned to Sender",
    }
    return multipart(part("Sorry."), part(status, "message/delivery-status"), *more,
                     kind='report; report-type="delivery-status"', **{**usual, **headers})  # fmt: skip


MTA = "Reporting-MTA: dns; mx.example\nArrival-Date: Tue, 3 Mar 2026 09:15:22 +0100\n\n"
GROUP = "Final-Recipient: rfc822; {to}\nAction: {action}\nStatus: {status}\n"


def group(to: str = TO, action: str = "failed", status: str = "5.1.1") -> str:
    return GROUP.format(to=to, action=action, status=status) + "\n"


STATUSES = {
    "usual": (MTA + group(), "permanent", [TO]),
    "odd capitals": (MTA + f"FINAL-RECIPIENT: RFC822;{TO}\nACTION: FAILED\nSTATUS: 5.1.1\n", "permanent", [TO]),
    "a comment behind the status": (MTA + f"Final-Recipient: rfc822; {TO}\nAction: failed\nStatus: 5.1.1 (bad destination mailbox address)\n", "permanent", [TO]),
    "a comment behind the action": (MTA + f"Final-Recipient: rfc822; {TO}\nAction: delayed (will retry)\nStatus: 4.4.1\n", "temporary", [TO]),
    "angle brackets": (MTA + group(f"<{TO}>"), "permanent", [TO]),
    "no blank": (MTA + f"Final-Recipient:RFC822;{TO}\nAction:failed\nStatus:5.0.0\n", "permanent", [TO]),
    "folded": (MTA + f"Final-Recipient: rfc822;\n    {TO}\nAction: failed\nStatus: 5.0.0\nDiagnostic-Code: smtp;\n 550 no\n", "permanent", [TO]),
    "CRLF": ((MTA + group()).replace("\n", "\r\n"), "permanent", [TO]),
    "two failed": (MTA + group("a@k.example") + group("b@k.example"), "permanent", ["a@k.example", "b@k.example"]),
    "one failed, one delivered": (MTA + group("a@k.example") + group("b@k.example", "delivered", "2.0.0"), "permanent", ["a@k.example"]),
    "one failed, one delayed": (MTA + group("a@k.example") + group("b@k.example", "delayed", "4.0.0"), "permanent", ["a@k.example"]),
    "no fields of the message": (group(), "permanent", [TO]),
    "no blank line between": ((MTA + group("a@k.example") + group("b@k.example")).replace("\n\n", "\n"), "permanent", ["a@k.example", "b@k.example"]),
    "no Action": (MTA + f"Final-Recipient: rfc822; {TO}\nStatus: 5.1.1\n", "permanent", [TO]),
    "only a remote code": (MTA + f"Final-Recipient: rfc822; {TO}\nAction: failed\nDiagnostic-Code: smtp; 550 5.1.1 no\n", "permanent", [TO]),
    "only the original recipient": (MTA + f"Original-Recipient: rfc822;{TO}\nAction: failed\nStatus: 5.1.1\n", "permanent", [TO]),
    "utf-8 addresses": (MTA + "Final-Recipient: utf-8; gone@kunde.example\nAction: failed\nStatus: 5.1.1\n", "permanent", [TO]),
    "a local name first": (MTA + f"Original-Recipient: rfc822;{TO}\nFinal-Recipient: x-local; gone\nAction: failed\nStatus: 5.1.1\n", "permanent", [TO]),
    "expired": (MTA + group(status="4.4.7"), "permanent", [TO]),
    "delivered": (MTA + group(action="delivered", status="2.0.0"), None, None),
    "relayed": (MTA + group(action="relayed", status="2.0.0"), None, None),
    "expanded": (MTA + group(action="expanded", status="2.0.0"), None, None),
    "delivered with comment": (MTA + group(action="delivered (to mailbox)", status="2.1.5"), None, None),
    "delayed": (MTA + group(action="delayed", status="4.4.1"), "temporary", [TO]),
    "a doubled type": (MTA + f"Final-Recipient: rfc822;rfc822;{TO}\nAction: failed\nStatus: 5.1.1\n", "permanent", [TO]),
    "a plus in xtext": (MTA + "Original-Recipient: rfc822;a+2Bb@k.example\nFinal-Recipient: rfc822;a+2Bb@k.example\nAction: failed\nStatus: 5.1.1\n", "permanent", ["a+b@k.example"]),
    "a plus as it is": (MTA + group("a+b@k.example"), "permanent", ["a+b@k.example"]),
}  # fmt: skip


@pytest.mark.parametrize("kind", STATUSES)
def test_a_machine_readable_report(kind):
    status, wanted, recipients = STATUSES[kind]
    for raw in (report(status), report(status, part(RETURNED, "message/rfc822"))):
        bounce = read(raw).bounce
        assert (bounce.type if bounce else None) == wanted
        assert bounce is None or list(bounce.recipients) == recipients


@pytest.mark.parametrize(
    "returned",
    [
        part(RETURNED, "message/rfc822"),
        part(RETURNED, "text/rfc822-headers"),
        part(RETURNED, "message/rfc822-headers"),
        part(RETURNED, "message/global-headers"),
        part(RETURNED.replace("Message-ID:", "Message-Id:\n"), "text/rfc822-headers; charset=us-ascii"),
    ],
)  # fmt: skip
def test_the_message_that_came_back_is_known_by_its_id(returned):
    assert read(report(MTA + group(), returned)).bounce.message_id == "7@desk.example"


#: No reports: people, responders, lists, and reports about other things.
OTHERS = {
    "a vacation notice": mail("I am away.", Subject="Auto: x", Auto_Submitted="auto-replied", Return_Path="<>"),
    "a vacation notice that quotes": mail("I am away until Monday. Your message was not delivered to anybody else.", Subject="Out of Office", Auto_Submitted="auto-replied", Return_Path="<>"),
    "a spam complaint": multipart(part("This is an abuse report."), part("Feedback-Type: abuse\nVersion: 1\nOriginal-Rcpt-To: <gone@kunde.example>", "message/feedback-report"), part(RETURNED, "message/rfc822"), kind="report; report-type=feedback-report"),
    "a read receipt": multipart(part("Your message was read."), part("Final-Recipient: rfc822;kemal@kunde.example\nDisposition: manual-action/MDN-sent-manually; displayed", "message/disposition-notification"), kind="report; report-type=disposition-notification", Subject="Read: x"),
    "a receipt for deleted mail": multipart(part("Deleted."), part("Disposition: automatic-action/MDN-sent-automatically; deleted", "message/disposition-notification"), kind="report; report-type=disposition-notification", Subject="Not read: x"),
    "a challenge": mail("Please click to confirm that you are a person. Your message is held.", From="confirm@kunde.example", Subject="Please confirm your message", Auto_Submitted="auto-replied"),
    "moderation": mail("Your mail to 'talk' is being held until the list moderator can review it for approval.", From="talk-bounces@list.example", Subject="Your message to talk awaits moderator approval", Precedence="bulk"),
    "a person who asks": mail("Hello, my mails come back with 550 user unknown <gone@kunde.example>. Why?", Subject="Undelivered mail"),
    "a person who forwards": mail("See below.\n\n> This is the mail system at host mx.example.\n> <gone@kunde.example>: 550 no such user", Subject="Fwd: Undelivered Mail Returned to Sender"),
    "a person who answers": mail("I got this, what does it mean?\n\n> could not be delivered", Subject="RE: Mail delivery failed: returning message to sender", In_Reply_To="<1@x.example>"),
    "a parcel": mail("Your parcel could not be delivered because nobody was at home.", From="noreply@parcel.example", Subject="Delivery failed: your parcel 4711"),
    "an undelivered parcel": mail("Delivery of parcel to the following address has failed.", From="service@parcel.example", Subject="Delivery notification"),
    "success": mail("Your message was successfully delivered to the destination(s) listed below.\n\n<kemal@kunde.example>: delivered", From="MAILER-DAEMON@mx.example", Subject="Successful Mail Delivery Report", Return_Path="<>"),
    "success of Exchange": mail("Your message has been delivered to the following recipients:\n\nkemal@kunde.example", From="postmaster@kunde.example", Subject="Delivered: x", Return_Path="<>"),
    "relayed": mail("Delivery to these recipients or groups is complete, but no delivery notification was sent by the destination server:\n\nkemal@kunde.example", From="postmaster@kunde.example", Subject="Relayed: x", Return_Path="<>"),
    "a cron job": mail("disk full", From="root@desk.example", Subject="Cron <root@desk> backup"),
    "a postmaster": mail("We move the mail server on Monday.", From="postmaster@kunde.example", Subject="Maintenance"),
    "a person with a full mailbox": mail("My mailbox is full and over quota, please help.", Subject="Mailbox full"),
}  # fmt: skip


@pytest.mark.parametrize("kind", OTHERS)
def test_what_is_no_delivery_failure(kind):
    assert read(OTHERS[kind]).bounce is None
