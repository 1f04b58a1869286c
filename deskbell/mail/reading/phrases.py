"""The fixed words of mail programs in many languages: what they write around an answer.

Mail programs translate a handful of phrases ("wrote", "Original Message", "From", "Sent from my
phone"). They stand here as tables, one language a line where that is possible, so that a missing
one is seen and added; how they are weighed is the business of :mod:`replies` and its neighbours.
"""

from __future__ import annotations

import re

# A letter, for boundaries of words beside digits.
_LETTER = r"[^\W\d_]"


def _pattern(table: str) -> str:
    """The expressions of a table as alternatives, the longest first; blanks match white space.

    They stand on lines of their own, or between bars with blanks around them.
    """
    phrases = {" ".join(cell.split()) for cell in re.split(r"\s\|\s|\n", table)}
    ordered = sorted(filter(None, phrases), key=lambda phrase: (-len(phrase), phrase))
    return "|".join(phrase.replace(" ", r"\s+") for phrase in ordered)


#: Verbs of "On ... somebody wrote:". Expressions, matched as whole words.
_WROTE_WORDS = r"""
    wrote | writes | wrot\s?e | you wrote
    schrieb(?:en)? | schreibt | geschrieben
    schreef | geschreven | schrijft | geskryf
    a [ée]crit | écrit | écrivait | avez écrit
    escribi[óo] | escribe | ha escrito | escribiu | escriviu | va escriure | ha escrit | escriu
    escreveu | escreve | scrisse | ha scritto | scrive
    skrev | skriver | skreiv | skrifaði | skrifar
    kirjoitti | kirjoittaa | kirjutas
    napisał(?:a|\(a\))? | napisal(?:a|\(a\))? | pisze | napisan[ay] przez
    napsal(?:a|\(a\))? | napísal(?:a|\(a\))? | píše | je napisal(?:a|\(a\))? | napisao(?:/la)? | napisala
    írta | írja | a scris | scrie
    написа(?:л|ла|в|вла|ла|л\(а\)|в\(ла\))? | писал\(?а?\)? | писа | пишет? | пише | је написао(?:/ла)? | напиша
    έγραψε | γράφει | yazdı | yazmış | şunları yazdı | şunu yazdı
    rašė | parašė | rakstīja | uzrakstīja | ka shkruar | shkroi | idatzi zuen | idatzi du
    menulis | tulis | viết | đã viết | sumulat | aliandika
    כתב(?:ה|/ה)? | كتب | نوشت | लिखा
"""
#: The same in scripts without blanks between words.
_WROTE_SIGNS = r"""
    写道 | 寫道 | 写到 | 寫到 | 来信 | のメール | さんは書きました | のメッセージ | 作成 | 작성 | 님이\s*씀 | เขียนว่า
    เขียน | كتابة ما يلي
"""
WROTE = re.compile(
    rf"(?<!{_LETTER})(?:{_pattern(_WROTE_WORDS)})(?!{_LETTER})|{_pattern(_WROTE_SIGNS)}",
    re.IGNORECASE,
)
#: Verbs that also stand in prose; they need more beside them.
SAID = re.compile(r"\b(?:said|says|sagte|meinte|meldete)\b", re.IGNORECASE)
#: Somebody who tells about himself is not quoted by a program.
NARRATES = re.compile(
    r"\b(?:I|we|ich|wir|je|j['’]ai|nous|io|yo|eu)\s+(?:\w+\s+)?(?:wrote|schrieben?|écrit|ho|escribí|escrevi)\b",
    re.IGNORECASE,
)
#: Words with which an attribution begins.
ON = re.compile(
    r"""^[\s*_"'>«(]*+(?:on|at|am|le|el|il|em|op|den|på|w\s+dniu|dnia|dne|dňa|u|v|dana|pe|la|în|στις|на|в|от|від|од|у|no\s+dia|tarihinde
        |vào|pada(?:\s+tanggal)?|kl|i|ons|fre|tor|tis|man|l[øö]r|s[øö]n|mån|mon|tue|wed|thu|fri|sat|sun|lun|mar|mer|jeu|ven|sam|dim|em\s+\w{3}
        |às|ás|o|kuupäev|wiadomość\s+napisana|missatge\s+de|ในวันที่|เมื่อ|في|در\s+تاریخ|در
        |понедельник|вторник|среда|четверг|пятница|суббота|воскресенье|пн|вт|ср|чт|пт|сб|вс|нд|il\s+giorno|il\s+gio|в\s+сообщении|在|於|于
        |ב-?|בתאריך|mensaje\s+citado\s+por|quoting|zitat\s+von|citando(?:\s+a)?|citerar|citat\s+fra|cytowanie|цитирование|selon|quoted?\s+from)(?!\w)""",
    re.IGNORECASE | re.VERBOSE,
)

# ------------------------------------------------------------------------- names of header fields

#: What the fields of a quoted mail are called; English first, then by neighbourhood.
_FIELD_NAMES: dict[str, str] = {
    "from": """from | von | de | da | van | från | fra | frá | lähettäjä | kellelt | saatja | od | odesílatel | odosielateľ
        šalje | pošiljatelj | pošiljalac | feladó | küldő | de la | expeditor | от | от кого | від | від кого | од | кога
        από | kimden | gönderen | nuo | siuntėjas | no | sūtītājs | nork | igorlea | expéditeur | remitente | mittente
        remetente | avsender | avsändare | afsender | afzender | absender | nadawca | ze | nga
        מאת | من | از | فرستنده | 寄件者 | 寄件人 | 发件人 | 發件人 | 差出人 | 送信者 | 送信元 | 보낸 사람 | 보낸사람 | 보낸이
        จาก | từ | người gửi | dari | daripada | pengirim | प्रेषक | sender | надправник""",
    "sent": """sent | gesendet | gesendet am | envoyé | envoyé le | envoye | enviado | enviada | enviado el | enviada em | enviado em
        inviato | inviata | verzonden | verzonden op | gestuur | skickat | skickades | sendt | lähetetty | saadetud | wysłano | wysłane | data wysłania
        odesláno | odeslané | odoslané | odoslaná | poslano | poslato | poslané | послато | elküldve | küldve | trimis | trimis la
        изпратено | изпратена | отправлено | отправлена | надіслано | відправлено | στάλθηκε | απεστάλη | εστάλη
        gönderildi | gönderme tarihi | gönderilme tarihi | išsiųsta | nosūtīts | enviat | enviat el | bidalia | bidaltze-data
        נשלח | נשלח בתאריך | تاريخ الإرسال | مرسل | أرسلت | ارسال شده | زمان ارسال
        送信日時 | 发送时间 | 發送時間 | 发送日期 | 寄件日期 | 傳送時間 | 传送时间 | 보낸 날짜 | 보낸날짜 | 보낸시간 | ส่งเมื่อ | ส่ง
        đã gửi | gửi lúc | dikirim | dihantar | भेजा गया""",
    "date": """date | date/time | date / time | datum | data | fecha | dato | dags | dagsetning | päivämäärä | päiväys | pvm | kuupäev
        dátum | дата | датум | tarih | ημερομηνία | ημ/νία | datums | datē | dátumas | received | reçu | ontvangen | empfangen
        תאריך | التاريخ | تاريخ | تاریخ | 日期 | 日付 | 日時 | 时间 | 時間 | 날짜 | 일시 | วันที่ | ngày | tanggal | tarikh | दिनांक | datë""",
    "to": """to | an | à | a | para | per | per a | aan | till | til | vastaanottaja | kellele | adressaat | saaja | do | komu | kam | prima | primatelj
        címzett | către | catre | destinatar | до | кому | за | προς | kime | alıcı | iki | līdz | nori | hartzailea | za | prejemnik
        destinataire | destinataires | destinatario | destinatari | destinatário | mottaker | mottagare | modtager | ontvanger | empfänger | adresat | odbiorca | për
        אל | إلى | به | گیرنده | 收件人 | 收件者 | 宛先 | 받는 사람 | 받는사람 | 받는이 | ถึง | đến | tới | người nhận | kepada | ke | untuk | प्रति""",
    "cc": """cc | c.c. | copie | copie à | copia | cc (copia) | cópia | kopie | kopia | kopi | kópia | kopio | dw | do wiadomości
        másolatot kap | másolat | копия | копіја | копія | κοιν. | κοιν | κοινοποίηση | bilgi | koopia | kopija | kopi til | 副本 | 抄送 | 참조 | สำเนา | tembusan
        עותק | نسخة | رونوشت""",
    "subject": """subject | re | thema | betreff | betr. | objet | sujet | asunto | oggetto | assunto | onderwerp | ämne | emne | efni | aihe | otsikko | teema
        temat | předmět | predmet | vec | tárgy | subiect | тема | относно | предмет | наслов | θέμα | konu | tema | tēma | zadeva | assumpte | gaia | subjekti | lëndë | subjekt
        נושא | הנדון | الموضوع | موضوع | 件名 | 主题 | 主題 | 主旨 | 标题 | 標題 | 제목 | เรื่อง | หัวเรื่อง | chủ đề | tiêu đề | perihal | subjek | subyek | विषय | risposta | обект""",
    "reply-to": """reply-to | reply to | antwort an | antworten an | répondre à | responder a | rispondi a | antwoord aan | svar til | svara till
        odpowiedz do | odpověď komu | ответить | кому ответить | 回复 | 返信先""",
    "bcc": "bcc | cci | cco | ccn | bcc (blindkopie)",
    "importance": """importance | priority | wichtigkeit | priorität | importancia | importanza | importância | belang | urgentie | attachment | attachments | anlage | anlagen | pièce jointe | pièces jointes | adjuntos?
        datos adjuntos | allegati | anexo | anexos | bijlage | bijlagen | bilagor | vedlegg | załączniki | přílohy | вложения | 附件 | 添付ファイル | 첨부
        sensitivity | in-reply-to | message-id | organization | newsgroups | conversation | when | where""",
}  # fmt: skip
_ROLES = {
    " ".join(cell.split()).casefold(): role
    for role, table in reversed(_FIELD_NAMES.items())
    for cell in table.replace("\n", "|").split("|")
}
_FIELD = re.compile(r"^[\s\u00a0>*_|]*+([^\s\d:：*_|<>@][^\n:：*|<>@]{0,30}?)[\s\u00a0*_|]*[:：]")


def field_of(line: str) -> str | None:
    """Which header field of a quoted mail the line looks like ("from", "sent", "to" ...)."""
    found = _FIELD.match(line)
    if found is None:
        return None
    return role_of(found[1])


def role_of(words: str) -> str | None:
    """Which header field the bare words name."""
    return _ROLES.get(" ".join(words.split()).casefold())


# ----------------------------------------------------------------------- lines above a quoted mail

_ORIGINAL = r"""
    的?原 | original\w* | origine | d['’]origine | urspr[üu]ng\w* | ursprunglig\w* | oprindelig\w* | opprinnelig\w* | oorspronkelijk\w* | oorspronklik\w*
    alkuperäi\w* | upprunale\w* | původní | p[oô]vodn[áaý] | puvodni | oryginaln\w* | eredeti | исходн\w+ | оригинал\w* | оригінал\w* | вихідн\w+
    izvorn\w+ | originaln\w+ | izvirn\w+ | algne | originalus | pradinis | sākotnēj\w+ | oriģināl\w+ | αρχικό | orijinal | özgün | jatorrizko\w* | originel\w*
    מקורית | מקורי | الأصلية | اصلی | 原始 | 原 | 元の | オリジナル | 원본 | gốc | asli | asal | ต้นฉบับ | reply | replied | antwort
"""
_PASSED_ON = r"""
    forwarded | weitergeleitete\w* | transf[ée]r[ée]\w* | réexpédié\w* | inoltrato | reenviado | reenviada | encaminhad[oa] | doorgestuurd\w* | vidarebefordra\w*
    videresend\w* | videresendt | välitetty | edelleenlähetetty | áframsent | przekazan\w+ | przesłan\w+ | přeposlan\w+ | preposlan\w+ | preposlat\w+ | továbbított | redirecționat\w* | redirectionat\w*
    пересылаем\w+ | пересланн\w+ | переадресованн\w+ | препратен\w* | переслан\w+ | proslijeđen\w+ | prosleđen\w+ | posredovan\w+ | edastatud | persiųst\w+ | pārsūtīt\w+ | προωθημένο | iletilen | yönlendirilen
    reenviat | birbidalitako | הועברה | שהועברה | معاد توجيهها | المعاد توجيهها | 转发 | 轉寄 | 転送 | 転送された | 전달된 | 전달 | đã chuyển tiếp | chuyển tiếp | diteruskan | ส่งต่อ
"""
_MESSAGE = r"""
    messages? | e-?mails? | mails? | appointment | nachricht | message | mensaje | mensagem | messaggio | bericht | boodskap | meddelande | brev | meddelelse | besked | melding | viesti | skeyti\w*
    zpr[áa]v\w* | spr[áa]v\w* | wiadomoś\w+ | üzenet | levél | mesaj | съобщение | сообщени\w+ | письм\w+ | повідомлення | лист | порука | poruka | sporočilo | kiri | laiškas | žinutė | ziņojums | vēstule
    μήνυμα | ileti | e-?posta | missatge | mezua | הודעה | رسالة | الرسالة | پیام | 邮件 | 郵件 | 信息 | 訊息 | 原件 | メッセージ | メール | 메시지 | 메세지 | 메일 | tin nhắn | thư | pesan | ข้อความ | transcript | by
"""
_RULES = "-–—‐‑_=*"


def _marker(kinds: str) -> re.Pattern[str]:
    word, noun = _pattern(kinds), _pattern(_MESSAGE)
    return re.compile(
        rf"(?:回复|答复|(?:[^\W\d_]+\s+){{0,2}}?)"
        rf"(?:(?:{word})[\s'’-]*(?:\w+\s+)?(?:{noun})|(?:{noun})[\s'’-]*(?:\w+\s+)?(?:{word}))"
        rf"[^{_RULES}]{{0,80}}$",
        re.IGNORECASE,
    )


def _decorated(line: str) -> str:
    """What stands between the dashes of a line that begins with some; "" without any."""
    bare = line.strip().lstrip("> \t")
    if not bare or bare[0] not in _RULES + "[|":
        return ""
    core = bare.strip(_RULES + "[]|:： \t\u00a0")
    return core if 2 < len(core) <= 160 or core.startswith("原") else ""


#: A decorated line that says "original message", or "reply message", or "transcript".
_DECORATED_ORIGINAL = _marker(_ORIGINAL)
_DECORATED_FORWARD = _marker(_PASSED_ON)
_BARE_FORWARD = re.compile(
    rf"^[\s>]*(?:begin|anfang|start|début|inicio|início|inizio|början|början\s+av|начало|początek|poczatek|začátek|začiatok|aloitus|alku|başlangıç)\s+[^\n]{{0,30}}?"
    rf"(?:{_pattern(_PASSED_ON)})[^\n]{{0,30}}$"
    r"|^[\s>]*(?:vidarebefordrat\s+brev|videresendt\s+melding|以下是转发的邮件|開始轉寄郵件|以下是轉寄的郵件|転送されたメッセージ|전달된\s*메시지)\s*[:：]?\s*$",
    re.IGNORECASE,
)


def is_original_marker(line: str) -> bool:
    """Whether the line is "-----Original Message-----" in some language."""
    said = _decorated(line)
    if not said:
        return False
    is_bare = said.lower() == "original" and line.strip().endswith("-")
    is_transcript = re.match(r"transcript\b", said, re.IGNORECASE) is not None
    return is_bare or is_transcript or _DECORATED_ORIGINAL.match(said) is not None


def is_forward_marker(line: str) -> bool:
    """Whether the line says that a message follows that is passed on."""
    said = _decorated(line)
    if said and _DECORATED_FORWARD.match(said):
        return True
    return _BARE_FORWARD.match(line) is not None


# --------------------------------------------------------------------------------- lines of devices

#: What programs and devices are called, for lines whose first words alone say too little.
_APPLIANCE = r"""(?:i-?phone|i-?pad|i-?pod|ios|android|galaxy|samsung|blackberry|nokia|lumia|htc|xiaomi|redmi|huawei|oneplus|pixel|xperia|motorola|nexus|windows
    |outlook|mail\b|e-?mail|gmail|yahoo|yandex|thunderbird|spark|proton|zoho|hey\b|mailbird|mobil\w*|móvil\w*|smartphone|phone|telefon\w*|teléfono|téléphone|celular|handy|tablet\w*
    |device|gerät|dispositivo|appareil|apparaat|laite\w*|urządzeni\w+|мобильн\w+|телефон\w*)"""
_SENT = r"""sent|gesendet|versendet|verschickt|envoyé|enviado|enviat|inviato|verzonden|skickat|sendt|lähetetty|wysłan\w|odesl\w+|odoslan\w|poslan\w|küldve|trimis
    |изпратено|отправлено|надіслано|відправлено|послано|послато|στάλθηκε|εστάλη|απεστάλη|išsiųsta|nosūtīts|saadetud|bidalia|đã\s+gửi|dikirim|dihantar"""
_GET = r"""get|holen|beziehen|obtenez|obtenir|télécharge[rz]?|obtener|obt[eé]n(?:ga)?|descarga[r]?|obter|obtenha|baixar?|baixe|transferir|scarica(?:re)?|ottieni|downloaden|download|ophalen|hämta|skaffa|hent|få|skaff|hanki|lataa
    |pobierz|získ\w+|stáhn\w+|stiahn\w+|töltse|letölt\w+|beszerzés\w*|obţine\w*|obțin\w*|descărca\w*|изтегл\w+|вземете|загруз\w+|скача\w+|получи\w+|завантаж\w+|отрима\w+|preuz\w+|nabav\w+|prenes\w+|pridobi\w*|hankige|gauti|gaukite|iegūt\w*
    |λήψη|αποκτήστε|κατεβάστε|edinin|indir\w*|alın|obteniu|baixeu|lortu|tải|dapatkan|unduh|הורד\w*|קבל\w*|احصل|تنزيل|الحصول|دریافت|获取|取得|下载|下載|入手|다운로드|받기|ดาวน์โหลด|รับ"""
DEVICE = re.compile(
    rf"""^[\s\u00a0<(\[*_>—–-]*+(?:
        sent\s+(?:from|via|with|by|using)\s+[^\n]{{1,100}}
      | (?:sent|written|composed|typed|posted)\s+(?:from|on|with|via)\s+(?:my|a|the|an)?\s*[^\n]{{0,10}}(?:mobile|phone|ipad|iphone|android|tablet|device|blackberry)[^\n]{{0,60}}
      | \w*\s*from\s+(?:my\s+(?:i?phone|ipad|ipod|mobile|cell|android|blackberry|samsung|htc|galaxy|nexus|pixel|tablet|phone|windows)[^\n]{{0,40}}|mobile)
      | get\s+\[?(?:outlook|gmail|yahoo)[^\n]{{0,120}}
      | (?:{_GET})\s+(?:\w+\s+){{0,3}}?\[?outlook\b[^\n.!?]{{0,120}} | \[?outlook\b[^\n.!?]{{0,60}}?(?:{_GET})
      | (?:von|vom)\s+(?:meinem?|einem?|unterwegs|iphone|ipad|handy|mobil)\b[^\n]{{0,80}}(?:gesendet|geschrieben|versendet|verschickt)\.?
      | diese\s+(?:nachricht|e-?mail|mail)\s+wurde\s+(?:von|mit|über|ueber)\b[^\n]{{0,120}}(?:gesendet|geschrieben|versendet|verschickt)\.?
      | (?:gesendet|geschrieben|versandt|verschickt)\s+(?:von|mit|über|vom|aus)\s+[^\n]{{1,100}}
      | envoy[ée]e?\s+(?:de|depuis|avec|à\s+partir|via)\s+[^\n]{{1,100}} | (?:provenance\s*:|t[ée]l[ée]charge[rz])\s+[^\n]{{1,80}}
      | enviad[oa]\s+(?:desde|do|de|a\s+partir|via|por|con|pelo|usando)\s+[^\n]{{1,100}}
      | inviat[oa]\s+(?:da|dal|con|tramite)\s+[^\n]{{1,100}}
      | (?:verzonden|verstuurd)\s+(?:met|vanaf|vanuit|via|van)\s+[^\n]{{1,100}}
      | skickat\s+(?:från|med|via)\s+[^\n]{{1,100}} | (?:sendt|skrevet)\s+(?:fra|med|via|på)\s+[^\n]{{1,100}}
      | (?:lähetetty|kirjoitettu)\s+[^\n]{{1,100}} | wysłan[eoay]\s+(?:z|ze|za)\s+[^\n]{{1,100}} | (?:odesl[áa]no|odoslan[ée]|poslan[éo])\s+(?:z|ze|zo|s|iz)\s+[^\n]{{1,100}}
      | (?:отправлено|надіслано|послано)\s+(?:с|из|з|со|через)\s+[^\n]{{1,100}} | küldve\s+[^\n]{{1,80}} | trimis\s+de\s+pe\s+[^\n]{{1,80}}
      | (?:{_SENT})\s+[^\n.]{{0,30}}{_APPLIANCE}[^\n]{{0,40}}
      | (?:az?\s+)?[^\s\n]{{0,6}}(?:iphone|ipad|android|galaxy|windows|outlook|telefon)[^\n.]{{0,20}}(?:küldve|gönderildi|から送信|で送信|傳送|发送|에서\s*보냄)
      | [^\n]{{0,30}}(?:iphone|ipad|android)[^\n]{{0,20}}(?:から送信|傳送|发送|で送信|에서\s*보냄|['’]?[uıi]mdan\s+gönderildi|mdan\s+gönderildi|telefonumdan\s+gönderildi)
      | (?:ส่งจาก|נשלח\s+מ|أ[ُ]?رسلت\s+من|تم\s+الإرسال\s+من|ارسال\s+شده\s+از)[^\n]{{1,60}}
      | (?:從我的|从我的|发自我的|發自我的|来自|發自|发自)\s?[^\n]{{1,60}} | スマートフォンから送信 | 나의\s*[^\n]{{1,30}}에서\s*보냄
    )\s*[>)\]*_.!]*\s*$""",
    re.IGNORECASE | re.VERBOSE,
)  # fmt: skip

# ----------------------------------------------------------------------------- marks of a subject

_COUNTER = r"\s*(?:\[\d{1,4}\]|\(\d{1,4}\)|\^\d{1,4}|\d{1,3})?\s*[:：]"
_ANSWER = r"""re | aw | antw | antwort | sv | vs | vá | ref | rif | r | ris | res | resp | odp | odpověď | ynt | yan | cev | απ | σχετ | atb
    bls | balas | hồi âm | trả lời | на | отв | ответ | відп | 回复 | 答复 | 回覆 | 返信 | 回信 | 답장 | 회신 | הת | השב | رد | ตอบกลับ | fs | sva"""
_FORWARD = r"""fwd? | fw | wg | tr | rv | enc | doorst | vb | vl | vs | pd | i | ilt | encaminhar | reenv | rtv | továbbítás | tovább | trs | redir
    пересл\w* | пер | fpr | προωθ | πρθ | 转发 | 轉寄 | 転送 | 전달 | הועבר | إعادة توجيه | ส่งต่อ | tov"""
ANSWER_SUBJECT = re.compile(
    rf"\s*(?:\[[^\]\n]{{1,40}}\]\s*)?(?:{_pattern(_ANSWER)}){_COUNTER}", re.IGNORECASE
)
FORWARD_SUBJECT = re.compile(
    rf"\s*(?:\[[^\]\n]{{1,40}}\]\s*)?(?:{_pattern(_FORWARD)}){_COUNTER}", re.IGNORECASE
)
#: All such marks at the beginning of a subject, as often as they stand there.
PREFIXES = re.compile(
    rf"\s*(?:(?:{_pattern(_ANSWER)}|{_pattern(_FORWARD)}){_COUNTER}\s*)+", re.IGNORECASE
)
