"""Delivery reports: RFC 3464, and what mail systems wrote before and beside it.

The machine-readable part is believed first. Where there is none, the collected habits of old mail
systems (flufl.bounce) are asked, then our own reading of the prose. An address is only reported
when the report itself names it as failed; nothing is taken from the returned message's text.
"""

from __future__ import annotations

import email
import logging
import re
from dataclasses import dataclass, field
from functools import lru_cache

from flufl.bounce import all_failures

from deskbell.mail.reading import addresses, charsets, fields, phrases, structure
from deskbell.mail.reading.facts import Bounce, BounceType
from deskbell.mail.reading.structure import Part

#: It logs a stack trace for every message that it does not understand.
logging.getLogger("flufl.bounce").addHandler(logging.NullHandler())
logging.getLogger("flufl.bounce").propagate = False

RECIPIENTS = 500
#: Raw bytes in fields as question marks: fields are text for it.
_ASCII = bytes(range(128)) + b"?" * 128
_PROSE = 60_000
_LINE = 1_000
_LINES = 1_200

_DAEMON = re.compile(
    r"^(?:mailer[-_.]?daemon|post[-_.]?master|mail[-_.]?daemon|mdaemon|maildelivery|mailadm|mailadmin|"
    r"double-bounce|bounces?|bounce-notification|mail-?delivery-?(?:subsystem|system)?|smtp|"
    r"mmdf|uucp|root|systemmanager|microsoftexchange[0-9a-f]+)(?:[+=@.-]|$)",
    re.IGNORECASE,
)
_PROGRAM = re.compile(
    r"^(?:mailer[-_.]?daemon|mail[-_.]?daemon|mdaemon)(?:[+=@.-]|$)", re.IGNORECASE
)
_SUBJECT = re.compile(
    r"""undeliver(?:ed|able)\b | \[bounce\] | ^delivery\s+status | error\s+sending\s+your\s+(?:mail|message) | not\s+member\b
      | non\s+recapitabile | reject(?:ed)?\s+(?:mail|message) | blocked\s+by\s+our | 配信に失敗 | 送信できません | 配達できません | エラーメール | \breturned\s+(?:e?mail|message|to\s+sender) | \breturning\s+message
      | (?:mail|message|e-?mail)\s+(?:delivery\s+)?(?:failed|failure|undeliver|not\s+delivered|could\s+not\s+be\s+delivered|error)
      | delivery\s+(?:status\s+notification|report|notification|failure|failed|problem|error|delayed?|unsuccessful|has\s+(?:failed|been\s+delayed))
      | \bfailure\s+(?:notice|notification|delivery) | \b(?:mail|message)\s+(?:status|system\s+error|could\s+not|delayed) | failed\s+(?:mail|delivery)
      | non[\s-]?(?:delivery|deliverable|remise) | could\s+not\s+(?:be\s+delivered|send\s+message|deliver) | unable\s+to\s+deliver
      | nondeliverable | processing\s+error | bounce[d]?\s+(?:mail|message) | notice:\s+mail\s+delivery
      | warning:\s+(?:message|could\s+not|mail) | (?:message|mail)\s+(?:has\s+)?not\s+(?:yet\s+)?(?:been\s+)?delivered | user\s+unknown
      | unzustellbar | nicht\s+zustellbar | zustellung\s+(?:fehlgeschlagen|der\s+nachricht) | konnte\s+nicht\s+zugestellt
      | fehler\s+bei\s+der\s+zustellung | non\s+remis | échec\s+de\s+(?:la\s+)?remise | avis\s+de\s+non | onbestelbaar
      | no\s+se\s+(?:puede|pudo|ha\s+podido)\s+entregar | devuelto | não\s+entreg | falha\s+na\s+entrega | impossibile\s+recapitare
      | mancato\s+recapito | niedostarcz | недостав | не\s+доставлен | 配信(?:不能|エラー|失敗) | 配信できません | 未达|退信|无法投递 | 傳送失敗
      | returned:\s | ^problem\s+delivering | address\s+(?:not\s+found|error) | recipient\s+(?:unknown|rejected)
      | delivery_failure | email\s+delivery\s+failure | mail\s+could\s+not | auto-?reply\s+from\s+mail\s+delivery""",
    re.IGNORECASE | re.VERBOSE,
)
#: "Not delivered" as the mail systems of the world say it, in subjects and texts.
_UNDELIVERED = re.compile(
    r"""\bundeliver(?:ed|able) | \bnon-?delivery
      | unzustellbar | nicht\s+zu(?:ge)?stell(?:t|bar) | zustellung\s+(?:ist\s+)?fehlgeschlagen
      | non\s+remis | échec\s+de\s+(?:la\s+)?remise | (?:remise|livraison|distribution)\s+impossible | pas\s+pu\s+être\s+(?:remis|délivré|distribué|envoyé)
      | no\s+se\s+(?:puede|pudo|ha\s+podido)\s+(?:entregar|enviar) | no\s+entregad[oa] | error\s+de\s+entrega | entrega\s+fallida
      | (?:recapito|consegna|invio)\s+non\s+riuscit[oa] | non\s+recapitat | impossibile\s+(?:recapitare|consegnare) | mancat[oa]\s+(?:recapito|consegna)
      | onbestelbaar | (?:bezorging|aflevering)\s+(?:is\s+)?mislukt | niet\s+(?:worden\s+)?(?:bezorgd|afgeleverd)
      | não\s+(?:é|foi)\s+possível\s+(?:a\s+)?entreg | não\s+entreg | falha\s+(?:na|de)\s+entrega | não\s+(?:pôde|pode)\s+ser\s+entreg
      | gick\s+inte\s+att\s+leverera | kunde\s+inte\s+levereras | olevererbart | leveransfel | kan\s+ikke\s+leveres | kunne\s+ikke\s+leveres | uleverbar | levering(?:en)?\s+mislykke
      | ei\s+voit[uai]\s*\w*\s+toimitta | toimitus\s.{0,60}?epäonnistui | toimittamat[ot]
      | niedostarcz | nie\s+(?:można|udało\s+się)\s+dostarczyć | niedoręcz | nedoručiteľ | nedoručiteln | doručen\w*\s.{0,60}?nezdařil | nepodařilo\s+(?:se\s+)?doručit | nepodarilo\s+(?:sa\s+)?doručiť
      | kézbesíthetetlen | kézbesítés\s.{0,20}?nem\s+siker | nem\s+kézbesíthető | nu\s+(?:s-a|a)\s+put(?:ut)?\s+(?:fi\s+)?livra | nelivra
      | недостав | не\s+(?:удается|удалось|может\s+быть|могло\s+быть|была?)\s+доставл?\w* | не\s+вдалося\s+доставити | не\s+може\s+да\s+(?:се|бъде)\s+достав | возврат\s+почты
      | teslim\s+edile[mm]\w+ | iletilemedi | teslim.{0,20}başarısız | δεν\s+(?:ήταν\s+δυνατή|παραδόθηκε) | αδύνατη\s+η\s+παράδοση | μη\s+παραδοτέο
      | ni\s+(?:bilo\s+)?mogoče\s+dostaviti | nije\s+isporučen | nedostavljiv | nepristatyt | nav\s+piegādāt | kättetoimetamat | no\s+s['’]ha\s+pogut\s+lliurar
      | לא\s+ניתן\s+למסירה | מסירה\s+נכשלה | لم\s+يتم\s+(?:ال)?تسليم | تعذر\s+تسليم
      | 配信(?:不能|エラー|失敗|できません|に失敗) | 送信(?:できません|エラー) | 配達(?:できません|不能) | 배달되지\s*않음 | 배달할\s*수\s*없 | 전(?:달|송)\s*실패 | 전송되지
      | (?:无法|未能|未)(?:送达|投递|传递|发送|遞送) | 未达 | 退信 | 投递失败 | 發送失敗 | 傳送失敗 | 無法(?:傳遞|傳送|送達|遞送|投遞) | 未傳遞
      | ไม่สามารถส่ง | không\s+(?:thể\s+)?gửi\s+được | không\s+thể\s+gửi | tidak\s+(?:dapat\s+)?(?:ter)?kirim | gagal\s+terkirim""",
    re.IGNORECASE | re.VERBOSE,
)
#: What a system says when all went well.
_SUCCESS = re.compile(
    r"""\bsuccess\w*\s+(?:mail\s+)?(?:deliver|relay|sent) | (?:was|were|has\s+been|have\s+been)\s+(?:successfully\s+)?(?:delivered|relayed|expanded)\b
      | ^\s*(?:delivered|relayed|expanded|zugestellt|weitergeleitet|remis|relayé|entregado|retransmitido|recapitato|inoltrato|bezorgd|doorgestuurd|levererat|leveret|doręczono|доставлено)\s?:
      | delivery\s[^.\n]{0,60}is\s+complete | erfolgreich\s+(?:zugestellt|übermittelt) | remis[e]?\s+avec\s+succès | entregad[oa]\s+correctamente""",
    re.IGNORECASE | re.VERBOSE | re.MULTILINE,
)
#: Subjects of responders that write about a report.
_AWAY = re.compile(
    r"\s*(?:auto|automatic\s+reply|automatische\s+antwort|out\s+of\s+office|abwesen\w*|r[ée]ponse\s+automatique"
    r"|respuesta\s+autom[áa]tica|risposta\s+automatica)\s*[:：]",
    re.IGNORECASE,
)
_FAILED_PROSE = re.compile(
    r"""could\s+not\s+be\s+(?:delivered|sent|reached) | (?:was|were)\s+(?:not\s+delivered|undeliverable|not\s+able\s+to\s+be\s+delivered)
      | unable\s+to\s+deliver | delivery\s+(?:to\s+the\s+following\s+recipients?|has)\s+failed | did\s+not\s+reach | cannot\s+be\s+delivered
      | couldn['’]?t\s+be\s+delivered | delivery\s+(?:failed|failure) | permanent\s+(?:fatal\s+)?(?:delivery\s+)?error | returned\s+to\s+(?:the\s+)?sender | wasn['’]?t\s+able\s+to\s+deliver
      | user\s+unknown | mailbox\s+(?:unavailable|full|not\s+found) | undeliverable | address(?:es)?\s+(?:failed|had|not\s+found)
      | not\s+able\s+to\s+deliver | quota\s+exceeded | over\s*quota | no\s+such\s+(?:user|mailbox|recipient) | bounced | failed\s+recipient
      | fehler\s+bei\s+der\s+(?:nachrichten)?zustellung | no\s+valid\s+recipients? | n['’]a\s+pas\s+(?:pu\s+)?(?:être\s+|été\s+)?(?:remis|délivré)
      | no\s+se\s+(?:pudo|puede|ha\s+podido)\s+entregar | não\s+(?:foi|pôde)\s+(?:possível\s+)?(?:ser\s+)?entreg | kon\s+niet\s+worden\s+(?:bezorgd|afgeleverd)
      | non\s+(?:è\s+stato\s+possibile|può\s+essere)\s+(?:recapitar|consegn) | nicht\s+zugestellt | unzustellbar | permanent\s+delivery\s+failure | following\s+(?:addresses|recipients?) | 配信 | не\s+(?:может|могло)?\s*быть?\s*доставлен""",
    re.IGNORECASE | re.VERBOSE,
)
_DELAY = re.compile(
    r"""\bdelay(?:ed)?\b | warning:\s+could\s+not\s+send | still\s+(?:being\s+)?(?:re)?try | will\s+(?:continue|keep|be)\s+(?:to\s+try|trying|retr)
      | not\s+yet\s+been\s+delivered | temporar(?:y|ily)\s+(?:non-?critical|problem|undeliver) | has\s+not\s+(?:yet\s+)?been\s+delivered
      | this\s+is\s+a\s+warning\s+message\s+only | you\s+do\s+not\s+need\s+to\s+resend | (?:wird|werden)\s+(?:weiter|erneut)\s+versuch | verz(?:ö|oe)ger
      | message\s+is\s+still\s+in\s+the\s+queue | delivery\s+attempts\s+will\s+continue | retard(?:é|ée)\b | remise\s+différée""",
    re.IGNORECASE | re.VERBOSE,
)
_GAVE_UP = re.compile(
    r"""giving\s+up | gave\s+up | given\s+up | has\s+expired | expired\s+after | too\s+long | this\s+is\s+a\s+permanent | no\s+longer\s+try
      | won['’]?t\s+be\s+(?:re)?tried | will\s+not\s+(?:be\s+)?(?:re)?tr(?:y|ied) | permanent\s+(?:fatal\s+)?(?:error|failure) | delivery\s+failed\s+permanently""",
    re.IGNORECASE | re.VERBOSE,
)
#: Where prose ends and the returned message begins.
_RETURNED = re.compile(
    r"""^(?:[-=*#\ \t>]{0,80}(?:
        (?:below\s+this\s+line\s+is|-*\s*this\s+is)\s+a\s+copy\s+of | original\s+message\b | -+\s*original\s+(?:message|mail)
      | (?:the\s+)?(?:headers?|text|body|start|beginning)\s+of\s+(?:the\s+)?(?:original|returned|your)\s+(?:message|mail)
      | (?:returned|undelivered|unsent|rejected)\s+(?:message|mail)\s*(?:follows|below)?\s*[-:]*\s*$ | -+\s*(?:returned|transcript|unsent|undelivered)\b.*$
      | (?:your\s+)?(?:original|returned|undelivered)\s+(?:message|mail)\s+(?:follows|is|headers|below)
      | (?:included|a\s+copy)\s+(?:is|of)\s+(?:a\s+copy|the\s+original) | message\s+(?:header|text)\s*(?:follows)?\s*[-:]*\s*$
    )|return-path:\s|received:\s+(?:from|by|\(qmail))""",
    re.IGNORECASE | re.VERBOSE | re.MULTILINE,
)
_IN_ANGLES = re.compile(r"<([^<>\s@]{1,120}@[^<>\s@]{1,200})>")
#: A mailbox on a line of its own, perhaps behind a short label, in front of a reason.
_PROSE_ADDRESS = re.compile(
    r"^[ \t>*|-]{0,40}(?:(?!(?:from|sender|reply-to|return-path|cc|bcc|message-id|contact|e?-?mail\s+sender|von|de|da|absender|references|in-reply-to|x-[\w-]+|list-[\w-]+)\b)"
    r"(?:(?:to|recipient|address|failed|user|rcpt[ ]to|rcpt|final-recipient|for|smtp)[ \t]+|[^\W\d_](?:[\w'’() /-]{0,40}[\w)])?[ \t]?[:=：][ \t]*))?"
    r"[<\[(\"'`]{0,2}(?:mailto:|smtp:|rfc822;\s*)?([\w.!#$%&'*+/=?^`{|}~-]{1,100}@[\w.-]{1,200}\.[A-Za-z][\w-]{1,30})[>\])\"']{0,2}"
    r"(?=[ \t]*(?:$|[:;,(|<.]|-\s|on\s|\d{3}\b))",
    re.IGNORECASE | re.MULTILINE,
)
_ANY_ADDRESS = re.compile(
    r"(?<![\w.+=@-])([\w.+=-]{1,100}@[\w.-]{1,200}\.[A-Za-z][\w-]{1,30})(?![\w@])"
)
_DELIVERED_TO = re.compile(
    r"\b(?:deliver(?:ed|y)?|message|mail|sent|zugestellt|an)[ \t]{1,5}(?:to[ \t]{1,5}|to:[ \t]{0,5})?"
    r"[\"<']?([\w.+=-]{1,100}@[\w.-]{1,200}\.[A-Za-z][\w-]{1,30})",
    re.IGNORECASE,
)
_TYPED = re.compile(r"^\s*(?:[\w-]+\s*;\s*)?(.*?)\s*$")
_STATUS = re.compile(r"\b([245])\.\d{1,3}\.\d{1,3}\b")
_MESSAGE_ID_LINE = re.compile(
    r"^[> \t]{0,20}Message-ID:[ \t]*(?:\n[ \t]{1,20})?<?([^<>\s]{3,400})>?",
    re.IGNORECASE | re.MULTILINE,
)
_STATUS_TYPES = frozenset({"message/delivery-status", "message/global-delivery-status"})
_HEADERS_TYPES = frozenset(
    {"text/rfc822-headers", "message/rfc822-headers", "message/global-headers"}
)
_MESSAGE_TYPES = frozenset({"message/rfc822", "message/global", "text/rfc822", "message/partial"})


@dataclass(slots=True)
class _Status:
    """The per-recipient groups of a machine-readable part."""

    addressed: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    delayed: list[str] = field(default_factory=list)
    is_success: bool = False
    is_delivered: bool = False
    code: str = ""
    diagnostic: str = ""


def read(root: Part, *, text: str, subject: str, sender: str) -> Bounce | None:
    """The delivery report that the message is; ``None`` when it is none.

    Feedback reports (ARF), read receipts and "relayed" or "delivered" notices are no bounces.
    """
    parts = list(root.walk())
    types = {part.type for part in parts}
    if types & {"message/feedback-report", "message/disposition-notification"}:
        return None
    is_report = root.type == "multipart/report" and "disposition" not in root.params.get(
        "report-type", ""
    )
    status = _Status()
    for part in parts:
        if part.type in _STATUS_TYPES:
            _read_status(part.decoded()[:262_144], status)
    headers_failed = _failed_header(root)
    null_path = re.fullmatch(r"\s*<\s*>\s*", root.line("return-path")) is not None
    # An empty From is a program's as much as an empty return path.
    said_from = "nobody" if root.raw("from") is None else root.line("from")
    is_daemon = _DAEMON.match(sender) is not None or (
        not sender and re.search(r"delivery|^\W*$", said_from, re.IGNORECASE) is not None
    )
    says_so = _SUBJECT.search(subject) is not None or _UNDELIVERED.search(subject) is not None
    is_sure = bool(headers_failed) or bool(types & _STATUS_TYPES)
    if is_report and (says_so or is_daemon or types & (_HEADERS_TYPES | _MESSAGE_TYPES)):
        is_sure = True
    if not (is_sure or says_so or is_daemon or null_path):
        # Nearly all mail: its words need not be looked at.
        return None
    prose = _prose(text)
    is_about_one = any(
        mark.match(subject) for mark in (phrases.ANSWER_SUBJECT, phrases.FORWARD_SUBJECT, _AWAY)
    )
    failed, temporary = status.failed, status.delayed
    says_no = _FAILED_PROSE.search(prose) is not None or _UNDELIVERED.search(prose) is not None
    # What a mail system sends without a way back, and with an address on a line of its own, is a
    # report in any language.
    says_more = says_no or (
        is_daemon and null_path and _PROSE_ADDRESS.search(prose[:_PROSE]) is not None
    )
    if not is_sure and (says_so or ((is_daemon or null_path) and says_more)):
        is_program = _PROGRAM.match(sender) is not None
        if is_about_one and not is_program:
            # An answer, a forward or a vacation notice about a report is none.
            return None
        if _SUCCESS.match(subject) or (not says_no and _SUCCESS.search(prose)):
            return None
        failed, temporary = _asked(root, prose)
        # A postmaster may be a person, and a responder has a null return path as well.
        is_sure = is_program or bool(failed or temporary) or (null_path and says_so)
        own = _own_addresses(root, sender)
        is_sure = is_sure or (is_daemon and (says_more or bool(_prose_addresses(prose, own=own))))
    if not is_sure:
        return None
    if status.is_success and not status.failed and not status.delayed and not headers_failed:
        return None
    has_groups = bool(status.failed or status.delayed)
    if not failed and not temporary:
        failed = headers_failed
    if not failed and not temporary:
        failed, temporary = _asked(root, prose)
    if not failed and not temporary:
        failed = _prose_addresses(prose, own=_own_addresses(root, sender))
    is_delay = bool(temporary and not failed)
    if not has_groups and not is_delay:
        is_delay = _is_delay(subject, prose)
    kind: BounceType = "temporary" if is_delay else "permanent"
    recipients = tuple(dict.fromkeys(failed or temporary))[:RECIPIENTS]
    return Bounce(
        type=kind,
        recipients=recipients,
        addressed=tuple(dict.fromkeys(status.addressed))[:RECIPIENTS],
        message_id=_returned_id(root, parts, text),
        status=status.code,
        diagnostic=status.diagnostic[:1_000],
    )


def arrived(root: Part, text: str) -> str:
    """Message-ID of the message that a report says was delivered to all it names; "" for others.

    "Relayed" and "expanded" (RFC 3464, 2.3.3) only say that no more will be heard.
    """
    parts = list(root.walk())
    status = _Status()
    for part in parts:
        if part.type in _STATUS_TYPES:
            _read_status(part.decoded()[:262_144], status)
    if not status.is_delivered or status.failed or status.delayed:
        return ""
    return _returned_id(root, parts, text)


# ------------------------------------------------------------------------- machine-readable parts


def _read_status(data: bytes, status: _Status) -> None:
    """Adds the groups of one delivery-status part; blank lines between them may be missing."""
    text = charsets.decode(data)
    text = re.sub(r"\n[ \t]+", " ", text)
    groups: list[dict[str, str]] = []
    group: dict[str, str] = {}
    for line in text.split("\n")[:20_000]:
        name, colon, value = line.partition(":")
        name = name.strip().lower()
        if not line.strip():
            if group:
                groups.append(group)
                group = {}
            continue
        if not colon or not re.fullmatch(r"[\w-]{2,60}", name):
            continue
        if name in group and name in {"final-recipient", "original-recipient", "action"}:
            groups.append(group)
            group = {}
        group.setdefault(name, value.strip())
    if group:
        groups.append(group)
    merged: list[dict[str, str]] = []
    for group in groups:
        # A blank line in the middle of a group: the rest has no recipient of its own.
        has_recipient = "final-recipient" in group or "original-recipient" in group
        if (
            merged
            and not has_recipient
            and ("action" in group or "status" in group)
            and "action" not in merged[-1]
        ):
            merged[-1].update(
                {name: value for name, value in group.items() if name not in merged[-1]}
            )
        else:
            merged.append(group)
    for group in merged:
        _judge(group, status)


def _judge(group: dict[str, str], status: _Status) -> None:
    recipient = _recipient(group)
    action = group.get("action", "").lower().strip()
    code = group.get("status", "")
    found = _STATUS.search(code) or _STATUS.search(group.get("diagnostic-code", ""))
    number = found[0] if found else ""
    if not recipient and not action and not found:
        return
    if action.startswith(("deliver", "relay", "expand")) and not action.startswith("delivery fail"):
        status.is_success = True
        status.is_delivered = status.is_delivered or action.startswith("deliver")
        return
    status.code = status.code or number
    status.diagnostic = status.diagnostic or " ".join(group.get("diagnostic-code", "").split())
    if not recipient:
        return
    original = _TYPED.match(group.get("original-recipient", ""))
    if original and (address := _cleaned(original[1])):
        status.addressed.append(address)
    is_delay = action.startswith(("delay", "transient")) or (not action and number.startswith("4"))
    if not action and number.startswith("2"):
        status.is_success = True
        return
    (status.delayed if is_delay else status.failed).append(recipient)


def _recipient(group: dict[str, str]) -> str:
    """The address that failed at last; the one that was written to where that is no mailbox.

    An X.400 name or the inside name of a mail server means nothing outside of it.
    """
    best = ""
    for name in ("final-recipient", "original-recipient", "x-actual-recipient"):
        found = _TYPED.match(group.get(name, ""))
        address = _cleaned(found[1]) if found else ""
        if "x400" in group.get(name, "").lower().partition(";")[0]:
            continue
        if "." in address.rpartition("@")[2] or address.endswith("]"):
            return address
        best = best or address
    return best


def _cleaned(text: str) -> str:
    """An address out of the habits of delivery reports; "" when there is none."""
    text = text.strip()
    if hit := _IN_ANGLES.search(text):
        text = hit[1]
    text = re.sub(
        r"^(?:rfc822|smtp|mailto|orf822|utf-8)\s*[;:]\s*",
        "",
        text.strip("<>\"'() "),
        flags=re.IGNORECASE,
    )
    text = (
        re.sub(r"\+([0-9A-Fa-f]{2})(?=.*@)", _xtext, text)
        if "+3D" in text or "+2B" in text
        else text
    )
    text = text.split(" ")[0].strip("<>\"'(),;:")
    local, at, domain = text.rpartition("@")
    if not at or not local or not domain or re.search(r"[\s<>,;]", text) or len(text) > 320:
        return ""
    return f"{local}@{domain.rstrip('.')}"


def _xtext(found: re.Match[str]) -> str:
    return chr(int(found[1], 16))


def _failed_header(root: Part) -> list[str]:
    """X-Failed-Recipients of Exim, Gmail and others."""
    found: list[str] = []
    for raw in root.all("x-failed-recipients")[:20]:
        found.extend(entry.address for entry in addresses.parse(raw, limit=RECIPIENTS))
    return found


# ------------------------------------------------------------------------------------------ prose


def _prose(text: str) -> str:
    """The report's own words: up to the returned message, of bounded length."""
    text = text[:_PROSE]
    head = re.search(r"\S", text)
    start = head.start() if head else 0
    cut = _RETURNED.search(text, min(len(text), start + 1))
    while cut is not None and cut.start() < start + 40:
        cut = _RETURNED.search(text, cut.end())
    return text[: cut.start()] if cut else text


def _is_delay(subject: str, prose: str) -> bool:
    if re.search(r"delay|warning|verz(?:ö|oe)ger", subject, re.IGNORECASE) and not re.search(
        r"fail|undeliver|returned", subject, re.IGNORECASE
    ):
        return True
    return _DELAY.search(prose) is not None and _GAVE_UP.search(prose) is None


def _asked(root: Part, prose: str) -> tuple[list[str], list[str]]:
    """What the collected habits of old mail systems find: failed for good, and for now.

    Where the report's own words name some of them, the others are from the returned message. Only the beginning is shown, in lines of bounded length; blank lines in a row tell nothing.
    """
    lines = root.whole[:131_072].replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
    kept = [
        line[:_LINE]
        for number, line in enumerate(lines)
        if line.strip() or (number and lines[number - 1].strip())
    ]
    found = _asked_bytes(b"\n".join(kept[:_LINES]))
    said = prose.lower()
    permanent, temporary = ([one for one in some if one.lower() in said] for some in found)
    return (permanent, temporary) if permanent or temporary else found


@lru_cache(maxsize=1)
def _asked_bytes(raw: bytes) -> tuple[list[str], list[str]]:
    head, blank, body = raw.partition(b"\n\n")
    message = email.message_from_bytes(head.translate(_ASCII) + blank + body)
    sender = addresses.one(str(message.get("From", "")).encode("ascii", "replace"))
    # It stumbles over a sender without an address.
    del message["From"]
    message["From"] = sender.address if sender else "unknown@mail.invalid"
    try:
        temporary, permanent = all_failures(message)
    except Exception:  # noqa: BLE001 - a third party's parser on bytes of strangers
        return [], []
    return _listed(permanent), _listed(temporary)


def _listed(found: object) -> list[str]:
    assert isinstance(found, frozenset)
    cleaned = (
        _cleaned(charsets.decode(bytes(one)) if isinstance(one, bytes) else str(one))
        for one in found
    )
    return sorted(address for address in cleaned if address)


def _own_addresses(root: Part, sender: str) -> set[str]:
    """Whom the report itself is from and to: never the ones that failed."""
    own = {sender.lower()}
    for name in ("to", "from", "delivered-to", "x-original-to", "envelope-to"):
        for raw in root.all(name)[:5]:
            own.update(entry.key for entry in addresses.parse(raw, limit=50))
    return own


def _prose_addresses(prose: str, *, own: set[str]) -> list[str]:
    """Addresses that stand alone on a line of the report, or else the ones in brackets.

    Those below the sentence that says what failed come first: above it may stand whom the
    message was to.
    """
    lines = "\n".join(line[:_LINE] for line in prose.split("\n"))
    said = _FAILED_PROSE.search(lines) or _UNDELIVERED.search(lines)
    places = [lines[said.start() :], lines] if said else [lines]
    for text in places:
        for pattern in (_PROSE_ADDRESS, _IN_ANGLES, _DELIVERED_TO):
            found = (_cleaned(hit[1]) for hit in pattern.finditer(text))
            kept = [
                one for one in found if one and one.lower() not in own and not _DAEMON.match(one)
            ]
            if kept:
                return kept[:20]
    # The only stranger that is named at all.
    named = {found[1].lower(): found[1] for found in _ANY_ADDRESS.finditer(places[0])}
    strangers = [one for key, one in named.items() if key not in own and not _DAEMON.match(one)]
    return strangers if len(strangers) == 1 else []


def _returned_id(root: Part, parts: list[Part], text: str) -> str:
    """Message-ID of the message that came back; "" when the report does not show it."""
    for part in parts:
        if part is root:
            continue
        if part.type in _MESSAGE_TYPES | _HEADERS_TYPES:
            inner = structure.parse_headers(part.decoded()[:262_144])
            if found := fields.message_id(inner.line("message-id")):
                return found
    for part in parts:
        if part.type in _STATUS_TYPES and (hit := re.search(
            rb"^(?:X-Original-Message-ID|Original-Message-ID|X-Message-ID):\s*<?([^<>\s]{3,400})>?",
            part.decoded()[:262_144], re.IGNORECASE | re.MULTILINE,
        )):  # fmt: skip
            return charsets.decode(hit[1])
    if hit_ := _MESSAGE_ID_LINE.search(text[:400_000]):
        return hit_[1]
    for name in ("in-reply-to", "references", "x-original-message-id"):
        if ids := fields.message_ids(root.line(name)):
            return ids[-1]
    return ""
