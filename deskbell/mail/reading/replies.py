"""The new text of a reply, apart from quoted history and signature.

Each line gets a letter for what it is (text, empty, quote, attribution, header of a quoted mail,
delimiter, device signature), and the order of the letters decides where the history begins; the
approach is that of Discourse's email_reply_trimmer, which is the best that was found. Nothing is
deleted: whoever shows the entry folds what is in the body and not in the reply. A forward without
words of its own is its content.
"""

from __future__ import annotations

import re
from collections.abc import Callable

_LINES = 3_000
_LINE = 2_000
#: No line that marks something is longer.
_MARKER = 250
_HEADER_BLOCK = 40

TEXT, EMPTY, QUOTE, ATTRIBUTION, HEADER, DELIMITER, DEVICE, ABOVE = "teqbhdsx"

_ZERO = dict.fromkeys(map(ord, "\u200b\u200c\u200d\u2060\ufeff\u00ad\u200e\u200f"))

# ------------------------------------------------------------------------------------ the lines

_DELIMITER = re.compile(r"^[\s\u00a0]*[-_,=+~#*ᐧ—–―⸺]+[\s\u00a0]*$")
_SIGNATURE = re.compile(r"^\s*(?:-{2,3}|—|_{5,})\s*$")
_QUOTE = re.compile(r"^[\s\u00a0]*(?:[A-Za-z]{0,4}>|\|(?!.*\|\s*$))")

#: Words that say "wrote", in the languages of the big mail programs.
_WROTE = (
    r"wrote|writes|wrot\s?e|said|schrieb(?:en)?|schreef|geschreven|heeft[\s\S]{0,80}geschreven|a\s+[ée]crit|écrit|escribió|escribio|ha\s+escrito"
    r"|escreveu|scrisse|ha\s+scritto|skrev|skreiv|skrifaði|kirjoitti|napsala?|napsal\(a\)|napísala?|napisała?|napisal\(a\)|pisze|napisał\(a\)"
    r"|írta|a\s+scris|написал\(?а?\)?|пише(?:т)?|писал\(?а?\)?|написав|написала|написа|έγραψε|yazdı|yazmış|şunu\s+yazdı|viết|kirjutas|rašė|rakstīja"
    r"|va\s+escriure|escriu|napisao|napisala|je\s+napisal|ka\s+shkruar|menulis|tulis|写道|寫道|写到|来信|さんは書きました|のメッセージ|作成|작성|님이\s*씀|כתב(?:ה)?|‫כתב|كتب|نوشت"
    r"|schrieb\s+am|skrev\s+følgende|volgende\s+geschreven|ezt\s+írta"
)
_WROTE_END = re.compile(
    rf"(?:\b|(?<=[^\w])|(?<=[\u3000-\u9fff]))(?:{_WROTE})[\s\S]{{0,60}}?\s*[:：]?\s*[>*_]*\s*$",
    re.IGNORECASE,
)
_WROTE_ANY = re.compile(rf"(?:{_WROTE})", re.IGNORECASE)
#: Words with which an attribution begins; a digit must follow somewhere.
_ON = re.compile(
    r"""^[\s*_"'>«]*(?:on|at|am|le|el|il|em|op|den|på|w\s+dniu|dnia|dne|dňa|u|dana|pe|la|în|στις|на|в|от|від|od|em|no\s+dia|tarihinde
        |vào|pada|kl|i|ons|fre|tor|tis|man|l[øö]r|s[øö]n|mån|mon|tue|wed|thu|fri|sat|sun|lun|mar|mer|jeu|ven|sam|dim|em\s+\w{3}
        |понедельник|вторник|среда|четверг|пятница|суббота|воскресенье|пн|вт|ср|чт|пт|сб|вс|il\s+giorno|il\s+gio|в\s+сообщении|在|於|于
        |ב-?|בתאריך|mensaje\s+citado\s+por|quoting|zitat\s+von|citando|selon)\b""",
    re.IGNORECASE | re.VERBOSE,
)
_DATE = re.compile(
    r"""\d{1,4}[./-]\d{1,2}[./-]\d{1,4} | \d{1,2}[:.]\d{2} | \b(?:19|20)\d{2}\b | \d{4}年 | \d{1,2}\s*月 | \d{1,2}\.?\s+\w{3,}""",
    re.VERBOSE,
)
_MAIL = re.compile(r"[\w.+=/'!#$%&*?^`{|}~-]{1,100}@[\w.-]{1,200}")
_STARTS_WITH_DATE = re.compile(
    r"""^[\s*_"'>]*(?:
        (?:19|20)\d{2}[-/.年]\s?\d{1,2}[-/.月]\s?\d{1,2}日?[\s,T]
      | \d{1,2}[./-]\d{1,2}[./-]\d{2,4}[\s,]
      | \d{1,2}\.?\s+(?:de\s+)?[^\W\d_]{3,12}\.?,?\s+(?:de\s+)?(?:\d{4}|\d{1,2}:\d{2}|kl)
      | (?:[^\W\d_]{2,12}\.?,\s*)\d{1,2}\.?\s+[^\W\d_]{3,12}\.?\s+\d{4}
      | [^\W\d_]{3,12}\.?\s+\d{1,2},\s+\d{4}
    )""",
    re.VERBOSE,
)
_GMT_NAME = re.compile(
    r"^[\s*_]*\d{4}[-/]\d{1,2}[-/]\d{1,2}(?:\s+\d{1,2}:\d{2}(?::\d{2})?)?(?:\s+(?:GMT|UTC)?\s?[+-]?\d{0,2}:?\d{0,2})?\s+[^\s:][^:]{1,150}?(?:<[^<>\s]+>)?\s*:?\s*$"
)
_ORIGINAL = re.compile(
    r"""^[\s>*_]*[-–—_=*\[|]{1,}[\s*_]*(?:
        original\s*(?:message|e-?mail|mail|appointment|nachricht) | (?:urspr[üu]ngliche|original|weitergeleitete)\s*(?:nachricht|e-?mail|mail)
      | message\s+(?:d['’]origine|original|transf[ée]r[ée]) | e-?mail\s+original | mensaje\s+original | mensagem\s+original | messaggio\s+originale
      | messaggio\s+inoltrato | mensaje\s+reenviado | mensagem\s+encaminhada | oorspronkelijk\s+bericht | doorgestuurd\s+bericht
      | origin(?:al|elle)?\s*meddelelse | oprindelig\s+meddelelse | opprinnelig\s+melding | ursprungligt\s+meddelande | vidarebefordrat\s+meddelande | videresend?t?\s+(?:besked|melding)
      | alkuperäinen\s+viesti | p[ůu]vodn[íi]\s+(?:zpr[áa]va|e-?mail|spr[áa]va) | (?:wiadomość\s+oryginalna|oryginalna\s+wiadomość) | wiadomość\s+przekazana | eredeti\s+üzenet
      | исходное\s+сообщение | пересылаемое\s+(?:сообщение|письмо) | original-?nachricht | mesaj\s+original | orijinal\s+(?:mesaj|ileti) | αρχικό\s+μήνυμα
      | 原始邮件 | 邮件原件 | 原始郵件 | 原邮件 | 転送(?:された)?メッセージ | 元のメッセージ | オリジナルメッセージ | 원본\s*메[시세]지 | (?:begin\s+)?forwarded\s+(?:message|by|mail|e-?mail)
      | (?:reply|replied)\s+message | antwort\s+nachricht | transcript | 回复的原邮件
      )[^-–—_=*]{0,80}[\s*_]*[-–—_=*\]|]*[\s*_]*:?\s*$""",
    re.IGNORECASE | re.VERBOSE,
)
_FORWARDED = re.compile(
    r"""^[\s>]*(?:[-–—_=*]{2,}\s*(?:begin\s+)?(?:forwarded\s+(?:message|by|mail|e-?mail)|weitergeleitete\s+nachricht|message\s+transf[ée]r[ée]
        |messaggio\s+inoltrato|mensaje\s+reenviado|mensagem\s+encaminhada|doorgestuurd\s+bericht|vidarebefordrat|videresendt|wiadomość\s+przekazana
        |пересылаемое\s+(?:сообщение|письмо)|转发(?:的)?(?:邮件|信息)|転送)[^\n]{0,60}
      | (?:begin\s+forwarded\s+message|anfang\s+der\s+weitergeleiteten\s+(?:nachricht|e-?mail)|début\s+du\s+message\s+(?:réexpédié|transféré)|inicio\s+del\s+mensaje\s+reenviado
        |inizio\s+messaggio\s+inoltrato|begin\s+doorgestuurd\s+bericht|início\s+da\s+mensagem\s+(?:encaminhada|reenviada)|vidarebefordrat\s+brev|start\s+på\s+videresendt\s+besked
        |videresendt\s+melding|poczatek\s+przekazywanej\s+wiadomości|начало\s+переадресованного\s+(?:сообщения|письма)|以下是转发的邮件|開始轉寄郵件|転送されたメッセージ)\s*[:：]?)\s*$""",
    re.IGNORECASE | re.VERBOSE,
)
#: Our own and other desks' line above which the answer stands.
_ABOVE = re.compile(
    r"""^[\s>*_#-]*(?:please\s+)?(?:(?:type|write|enter)\s+your\s+(?:reply|response|answer)|reply|respond|write|antworten?\s+sie|(?:bitte\s+)?(?:oberhalb|über)\s+dieser\s+(?:linie|zeile)
        |répondez|veuillez\s+répondre|responda|rispondi|reageer)\b[^\n]{0,40}?
        (?:above\s+(?:this|the)\s+line|above\s+here|oberhalb\s+dieser|über\s+dieser|antworten|au-dessus\s+de\s+cette\s+ligne|encima\s+de\s+esta|sopra\s+(?:a\s+)?questa|boven\s+deze)[^\n]{0,60}$""",
    re.IGNORECASE | re.VERBOSE,
)
_HEADER_NAMES: dict[str, str] = {
    "from": r"from|von|de|da|van|från|fra|od|від|от\s+кого|от|lähettäjä|feladó|küldő|από|kimden|gönderen|寄件者|寄件人|发件人|發件人|差出人|送信元|보낸\s?사람|od|expéditeur|remitente|mittente|ze|надправник|מאת|من",
    "sent": r"sent|gesendet|envoy[ée](?:\s+le)?|enviad[oa](?:\s+el)?|inviato|verzonden|skickat|sendt|lähetetty|wysłano|wysłane|odesl[áa]no|odeslané|odoslan[éa]|elküldve|отправлено|надіслано|gönderildi|gönderme\s+tarihi|送信日時|发送时间|發送時間|寄件日期|传送时间|보낸\s?날짜|trimis|poslano|απεστάλη|נשלח",
    "date": r"date(?:\s*/\s*time)?|datum|data|fecha|dato|päivämäärä|päiväys|dátum|дата|tarih|日期|日付|时间|時間|날짜|ημερομηνία|תאריך|received",
    "to": r"to|an|à|a|para|per|aan|till|til|do|komu|kam|vastaanottaja|címzett|кому|до|kime|alıcı|收件人|收件者|宛先|받는\s?사람|προς|către|za|אל|destinataires?|destinatario",
    "cc": r"cc|copie(?:\s+à)?|kopie|kopia|kopi|копия|副本|抄送|참조|cc\s*\(copia\)|másolatot\s+kap|bilgi|kopio|κοιν\.?",
    "subject": r"subject|betreff|objet|asunto|oggetto|assunto|onderwerp|[äa]mne|emne|aihe|tárgy|temat|předmět|predmet|тема|konu|件名|主题|主題|主旨|제목|θέμα|subiect|zadeva|נושא|الموضوع|risposta|обект",
    "reply-to": r"reply-to|antwort\s+an|répondre\s+à|responder\s+a|rispondi\s+a|antwoord\s+aan|svar\s+til|ответить|回复|返信先",
    "bcc": r"bcc|cci|cco|ccn",
    "importance": r"importance|priority|wichtigkeit|importancia|importanza|belang|attachments?|anlagen?|sensitivity|in-reply-to|message-id|organization|newsgroups|conversation",
}  # fmt: skip
_HEADER = re.compile(
    r"^[\s\u00a0>*_]*(?:" + "|".join(f"(?P<{name.replace('-', '_')}>{words})" for name, words in _HEADER_NAMES.items())
    + r")[\s\u00a0*_]*[:：][*_]*(?P<rest>.*)$",
    re.IGNORECASE,
)  # fmt: skip
_DEVICE = re.compile(
    r"""^[\s\u00a0<(\[*_>—–-]*(?:
        sent\s+(?:from|via|with|by|using)\s+[^\n]{1,100}
      | (?:sent|written|composed|typed|posted)\s+(?:from|on|with|via)\s+(?:my|a|the|an)?\s*[^\n]{0,10}(?:mobile|phone|ipad|iphone|android|tablet|device|blackberry)[^\n]{0,60}
      | \w*\s*from\s+(?:my\s+(?:i?phone|ipad|ipod|mobile|cell|android|blackberry|samsung|htc|galaxy|nexus|pixel|tablet|phone|windows)[^\n]{0,40}|mobile)
      | get\s+\[?(?:outlook|gmail|yahoo)[^\n]{0,120}
      | (?:von|vom)\s+(?:meinem?|einem?|unterwegs|iphone|ipad|handy|mobil)\b[^\n]{0,80}(?:gesendet|geschrieben|versendet|verschickt)\.?
      | diese\s+(?:nachricht|e-?mail|mail)\s+wurde\s+(?:von|mit|über|ueber)\b[^\n]{0,120}(?:gesendet|geschrieben|versendet|verschickt)\.?
      | (?:gesendet|geschrieben|versandt|verschickt)\s+(?:von|mit|über|vom|aus)\s+[^\n]{1,100}
      | envoy[ée]e?\s+(?:de|depuis|avec|à\s+partir|via)\s+[^\n]{1,100} | (?:provenance\s*:|t[ée]l[ée]charge[rz])\s+[^\n]{1,80}
      | enviad[oa]\s+(?:desde|do|de|a\s+partir|via|por|con|pelo|usando)\s+[^\n]{1,100}
      | inviat[oa]\s+(?:da|dal|con|tramite)\s+[^\n]{1,100} | scaricat?a?\s+outlook[^\n]{0,80}
      | (?:verzonden|verstuurd)\s+(?:met|vanaf|vanuit|via|van)\s+[^\n]{1,100}
      | skickat\s+(?:från|med|via)\s+[^\n]{1,100} | (?:sendt|skrevet)\s+(?:fra|med|via|på)\s+[^\n]{1,100}
      | (?:lähetetty|kirjoitettu)\s+[^\n]{1,100} | wysłan[eoay]\s+(?:z|ze|za)\s+[^\n]{1,100} | (?:odesl[áa]no|odoslan[ée]|poslan[éo])\s+(?:z|ze|zo|s|iz)\s+[^\n]{1,100}
      | (?:отправлено|надіслано|послано)\s+(?:с|из|з|со|через)\s+[^\n]{1,100} | küldve\s+[^\n]{1,80} | trimis\s+de\s+pe\s+[^\n]{1,80}
      | [^\n]{0,30}(?:iphone|ipad|android)[^\n]{0,20}(?:から送信|傳送|发送|で送信|에서\s*보냄|['’]?[uıi]mdan\s+gönderildi|mdan\s+gönderildi|telefonumdan\s+gönderildi)
      | (?:從我的|从我的|发自我的|發自我的|来自|發自|发自)\s?[^\n]{1,60} | iphoneから送信 | スマートフォンから送信 | 나의\s*[^\n]{1,30}에서\s*보냄
    )\s*[>)\]*_.!]*\s*$""",
    re.IGNORECASE | re.VERBOSE,
)
_ANSWER = re.compile(
    r"\s*(?:re|aw|antw(?:ort)?|sv|vs|ref|rif|r|res|odp|ynt|回复|答复|回覆|返信)\s*(?:\[\d+\]|\(\d+\))?\s*[:：]",
    re.IGNORECASE,
)
_PGP = re.compile(
    r"^-----BEGIN PGP SIGNED MESSAGE-----\s*(?:^(?:Hash|NotDashEscaped):[^\n]*\n)*|^-----BEGIN PGP SIGNATURE-----[\s\S]*?^-----END PGP SIGNATURE-----[ \t]*$",
    re.MULTILINE,
)


def new_text(body: str, *, is_answer: bool = True) -> str:
    """The newly written text of a body; the whole body where there is no telling.

    In a message that answers nothing a ruler is part of the text (a form, a log), and only the
    dashes of a signature end it.
    """
    text = _PGP.sub("", body.translate(_ZERO)).strip("\n")
    lines = text.split("\n")
    # Of a very long text only the beginning is judged; history that begins there ends it.
    rest = lines[_LINES:]
    kinds, lines = _marked(lines[:_LINES])
    if not is_answer:
        kinds = "".join(
            TEXT if kind == DELIMITER and not _SIGNATURE.match(line) else kind
            for kind, line in zip(kinds, lines, strict=True)
        )
    kept = _cut(kinds, lines)
    if rest and len(kept) == len(lines):
        kept += rest
    reply = _joined(kept)
    return reply if reply else text.strip()


def is_answer(subject: str) -> bool:
    """Whether a subject says that the message answers another one."""
    return _ANSWER.match(subject) is not None


def is_forward(subject: str, body: str) -> bool:
    """Whether the message passes another one on."""
    if re.match(
        r"\s*(?:fwd?|wg|tr|rv|enc|vs|doorst|vb|pd|i|encaminhar|reenv|转发|轉寄|転送|пересл)\s*(?:\[\d+\])?\s*[:：]",
        subject,
        re.IGNORECASE,
    ):
        return True
    return any(
        _FORWARDED.match(line)
        for line in body[:200_000].split("\n")[:_LINES]
        if len(line) <= _MARKER
    )


def _joined(lines: list[str]) -> str:
    return "\n".join(lines).strip("\n \t\u00a0")


# ---------------------------------------------------------------------------------------- marking


def _marked(lines: list[str]) -> tuple[str, list[str]]:
    """One letter per line; attributions that were wrapped are put together on one line."""
    kinds: list[str] = []
    out: list[str] = []
    at = 0
    while at < len(lines):
        line = lines[at][:_LINE]
        if (used := _attribution(lines, at)) > 0:
            # The shortest run of lines that says it: text above must not be swallowed.
            while used > 1 and _begins_anew(lines, at) and _attribution(lines, at + 1) == used - 1:
                kinds.append(_kind(line))
                out.append(lines[at])
                at, used = at + 1, used - 1
                line = lines[at][:_LINE]
            kinds.append(ATTRIBUTION)
            out.append(" ".join(part.strip() for part in lines[at : at + used]))
            at += used
            continue
        kinds.append(_kind(line))
        out.append(lines[at])
        at += 1
    _mark_headers(kinds, out)
    return "".join(kinds), out


def _kind(line: str) -> str:
    bare = line.strip().strip("\u00a0")
    if not bare:
        return EMPTY
    if _QUOTE.match(line):
        return QUOTE
    if len(bare) <= _MARKER and (_ORIGINAL.match(line) or _FORWARDED.match(line)):
        return ATTRIBUTION
    if len(bare) <= _MARKER and _ABOVE.match(line):
        return ABOVE
    if _DELIMITER.match(line):
        return DELIMITER
    if len(bare) <= 200 and _DEVICE.match(line):
        return DEVICE
    return TEXT


def _attribution(lines: list[str], at: int) -> int:
    """How many lines from here are one "On … wrote:"; 0 when none is."""
    first = lines[at][:_LINE].strip().strip("\u00a0")
    if not first or _QUOTE.match(first) or len(first) > 400:
        return 0
    begins = _ON.match(first) is not None or _STARTS_WITH_DATE.match(first) is not None
    if (
        not begins
        and not _MAIL.search(first)
        and not _WROTE_ANY.search(first)
        and not first.endswith("<")
    ):
        return 0
    joined = ""
    for count in range(1, 5):
        if at + count > len(lines):
            break
        line = lines[at + count - 1].strip()
        if not line or (count > 1 and (_QUOTE.match(line) and not line.startswith(">:"))):
            break
        joined = f"{joined} {line}".strip()
        if len(joined) > 500:
            break
        following = next(
            (after for after in lines[at + count : at + count + 3] if after.strip()), ""
        )
        if _is_attribution(joined, begins=begins, quoted=_QUOTE.match(following) is not None):
            return count
    return 0


def _begins_anew(lines: list[str], at: int) -> bool:
    """Whether the line below looks more like the beginning than this one does."""
    below = lines[at + 1].strip()
    if _ON.match(below) and not _STARTS_WITH_DATE.match(lines[at].strip()):
        return True
    return _STARTS_WITH_DATE.match(below) is not None and len(lines[at].strip()) > 40


def _is_attribution(text: str, *, begins: bool, quoted: bool) -> bool:
    has_date = _DATE.search(text) is not None
    has_mail = _MAIL.search(text) is not None
    ends = text.rstrip().rstrip("*_").endswith((":", "："))
    wrote = _WROTE_END.search(text) is not None
    if wrote and (ends or begins) and (has_date or has_mail) and (begins or has_mail or quoted):
        return True
    if ends and quoted and len(text) < 200 and (wrote or has_mail or text.startswith("[")):
        return True
    if ends and wrote and has_date and has_mail:
        return True
    if _GMT_NAME.match(text) and begins:
        return True
    # "2016-10-24 15:36 GMT+02:00 Name <a@b>:" and whatever language says it without a known verb.
    if ends and has_date and has_mail and (begins or quoted):
        return True
    if has_date and has_mail and quoted and begins and text.rstrip().endswith(">"):
        return True
    return bool(ends and _WROTE_ANY.search(text) and has_date and begins)


def _mark_headers(kinds: list[str], lines: list[str]) -> None:
    """Marks blocks of three or more different mail headers (two after a marker) as such."""
    found = [
        None if kind in (EMPTY, QUOTE) else _HEADER.match(line[:_MARKER])
        for kind, line in zip(kinds, lines, strict=True)
    ]
    at = 0
    while at < len(lines):
        hit = found[at]
        if hit is None:
            at += 1
            continue
        names, last, gap = {_header_name(hit)}, at, 0
        for position in range(at + 1, min(len(lines), at + _HEADER_BLOCK)):
            hit = found[position]
            if hit is not None:
                names.add(_header_name(hit))
                last, gap = position, 0
            elif kinds[position] == EMPTY:
                gap += 1
            else:
                # A long list of recipients goes on in the next line.
                gap += 2 if gap == 0 else 3
            if gap > 2:
                break
        above = (kinds[back] for back in range(at - 1, max(-1, at - 4), -1))
        before = next((kind for kind in above if kind != EMPTY), "")
        needed = 2 if before in {ATTRIBUTION, DELIMITER} else 3
        real = names & {"from", "sent", "date", "subject", "to"}
        if len(names) >= needed and len(real) >= 2 and (names & {"from", "sent", "date"}):
            kinds[at : last + 1] = [HEADER] * (last + 1 - at)
            at = last + 1
        else:
            at += 1


def _header_name(found: re.Match[str]) -> str:
    return next(
        name for name, value in found.groupdict().items() if value is not None and name != "rest"
    )


# ---------------------------------------------------------------------------------------- cutting


def _cut(kinds: str, lines: list[str]) -> list[str]:
    """The lines that stay."""

    def keep(start: int, end: int | None = None) -> None:
        nonlocal kinds, lines
        kinds, lines = kinds[start:end], lines[start:end]

    def drop(unwanted: Callable[[str], bool]) -> None:
        nonlocal kinds, lines
        lines = [line for kind, line in zip(kinds, lines, strict=True) if not unwanted(kind)]
        kinds = "".join(kind for kind in kinds if not unwanted(kind))

    # Everything below a delimiter or a "reply above this line" is signature or history.
    for number, kind in enumerate(kinds):
        if kind in (DELIMITER, ABOVE):
            if TEXT in kinds[:number] or (
                QUOTE in kinds[:number] and kind == DELIMITER and TEXT not in kinds[number:]
            ):
                keep(0, number)
                break
            if kind == ABOVE and TEXT not in kinds[:number] and DEVICE not in kinds[:number]:
                break
    if kinds.count(TEXT) or kinds.count(QUOTE):
        drop(lambda kind: kind == DEVICE)
    drop(lambda kind: kind in (DELIMITER, ABOVE))
    # The answer may stand below the history.
    if (start := _bottom_reply(kinds)) is not None:
        keep(start)
    # A header block after some text begins the history.
    if found := re.search(r"t[eqb]*?h", kinds):
        end = found.start() + 1
        keep(0, end)
    for number, kind in enumerate(kinds):
        if kind != ATTRIBUTION or not kinds[:number].rstrip(EMPTY).endswith(TEXT):
            continue
        rest = kinds[number + 1 :]
        # Unquoted history, or nothing but history to the end.
        if QUOTE not in rest or TEXT not in rest or re.match(r"e*t", rest):
            keep(0, number)
            break
    # Quotes at the very end, below some text.
    if (found := re.search(r"[qbe]+$", kinds)) and TEXT in kinds[: found.start()]:
        keep(0, found.start())
    drop(lambda kind: kind in (ATTRIBUTION, HEADER))
    return lines


def _bottom_reply(kinds: str) -> int | None:
    """Where the answer begins that stands below an attributed quote; ``None`` without one."""
    tail = re.search(r"t[et]*$", kinds)
    if tail is None:
        return None
    head = kinds[: tail.start()]
    # Only attributions, headers and quotes above; at least one attribution, and quotes after it.
    if TEXT in head or ATTRIBUTION not in head:
        return None
    after = head[head.index(ATTRIBUTION) + 1 :]
    return tail.start() if QUOTE in after else None
