"""New text and history in the wording of many mail programs and languages.

Each row is what a program puts above (or into) an answer; the same new text must come out of all.
"""

from __future__ import annotations

import pytest

from deskbell.mail.reading.replies import new_text

NEW = "Thanks, that works.\n\nRegards\nKemal"
H = "Help <help@desk.example>"

#: The line of a program above the quoted mail: with a day, a time, and whom it quotes.
DATED = f"""\
On Tue, 3 Mar 2026 at 09:15, {H} wrote:
On Tue, Mar 3, 2026 at 9:15 AM 'Help' via Support <support@desk.example> wrote:
On Mar 3, 2026, at 9:15 AM, "Help" <help@desk.example> wrote:
On Tuesday, March 3rd, 2026 at 9:15 AM, {H} wrote:
On Tuesday, March 3, 2026 at 09:15:22 AM GMT+1, {H} wrote:
On March 3, 2026 at 9:15 AM GMT+1 help@desk.example wrote:
On 3 March 2026 at 09:15:22, Help (help@desk.example) wrote:
On Tue, Mar 03, 2026 at 9:15 AM, Help < help@desk.example > wrote:
On 3 Mar 2026, 9:15 +0100, Help <help@desk.example>, wrote:
On 3/3/26 9:15 AM, Help wrote:
On 2026-03-03 09:15, Help wrote:
On Tue, Mar 03, 2026 at 09:15:22AM +0100, Help wrote:
On Tue, 2026-03-03 at 09:15 +0100, Help wrote:
On Tuesday, March 3, 2026 9:15:22 AM CET Help wrote:
On Tue, 3 Mar 2026 09:15:22 +0100|{H} wrote:
At 2026-03-03 09:15:22, "Help" <help@desk.example> wrote:
At 09:15 03/03/2026, you wrote:
Tuesday, March 3, 2026, 9:15:22 AM, you wrote:
{H} wrote on 03/03/2026 09:15:22 AM:
Help wrote on 3/3/26 9:15 AM:
* {H} [2026-03-03 09:15]:
Am Di., 3. März 2026 um 09:15 Uhr schrieb Help <|help@desk.example>:
Am 03.03.26 um 09:15 schrieb Help:
Am Dienstag, dem 03.03.2026 um 09:15 +0100 schrieb Help:
Am Dienstag, 3. März 2026, 09:15:22 CET schrieb Help:
Am Dienstag, 3. März 2026 um 09:15:22 MEZ hat {H} Folgendes geschrieben:
Am Tue, 3 Mar 2026 09:15:22 +0100|schrieb {H}:
{H} schrieb am 03.03.2026 09:15:
{H} hat am 03.03.2026 09:15 geschrieben:
Le 3 mars 2026 à 09:15, {H} a écrit :
Le mar. 3 mars 2026 à 09:15, {H} a|écrit :
Le mardi 3 mars 2026 à 09:15:22 UTC+1, {H} a écrit :
Le 2026-03-03 09:15, Help a écrit :
El mar, 3 mar 2026 a las 9:15, Help (<help@desk.example>)|escribió:
El 3/3/26 a las 9:15, Help escribió:
El martes, 3 de marzo de 2026, 09:15:22 CET, {H} escribió:
Il 03/03/2026 09:15, Help ha scritto:
Il giorno 3 mar 2026, alle ore 09:15, {H} ha|scritto:
Em ter., 3 de mar. de 2026 às 09:15, {H} escreveu:
{H} escreveu (terça, 3/03/2026 à(s) 09:15):
No dia 3 de mar. de 2026, às 09:15, {H} escreveu:
Às 09:15 de 03/03/2026, Help escreveu:
Op 3-3-2026 om 09:15 schreef Help:
Op 3 mrt. 2026, om 09:15 heeft {H} het volgende|geschreven:
Op Di 3 Mrt. 2026 om 09:15 het {H} geskryf:
Den 2026-03-03 kl. 09:15, skrev Help:
3 mars 2026 kl. 09:15 skrev {H}:
Den tirs. 3. mar. 2026 kl. 09.15 skrev {H}:
tir. 3. mar. 2026 kl. 09:15 skrev {H}:
Help kirjoitti 3.3.2026 klo 9.15:
{H} kirjoitti 3.3.2026 kello 9.15:
þri., 3. mar. 2026 kl. 09:15 skrifaði {H}:
W dniu 3.03.2026 o 09:15, Help pisze:
Wiadomość napisana przez {H} w dniu 3 mar 2026, o godz. 09:15:
wt., 3 mar 2026 o 09:15 {H} napisał(a):
Dne 03. 03. 26 v 9:15 Help napsal(a):
Dňa 3. 3. 2026 o 9:15 Help napísal(a):
ut 3. 3. 2026 o 9:15 {H} napísal(a):
2026. 03. 03. 9:15 keltezéssel, Help írta:
2026. márc. 3. dátummal, 9:15 időpontban {H} írta:
{H} ezt írta (időpont: 2026. márc. 3., K,|9:15):
mar., 3 mar. 2026 la 09:15, {H} a scris:
Pe 3 mar. 2026, la 09:15, {H} a scris:
На вт, 3.03.2026 г. в 9:15 {H} написа:
вт, 3 мар. 2026 г. в 09:15, {H}:
03.03.2026 09:15, Help пишет:
03.03.2026, 09:15, "Help" <help@desk.example>:
Вторник, 3 марта 2026, 9:15 +03:00 от {H}:
вт, 3 бер. 2026 р. о 09:15 {H} пише:
3 бер. 2026 р. о 09:15 {H} написав(ла):
уто, 3. мар 2026. у 09:15 {H} је написао/ла:
Dana 3.3.2026. u 9:15, Help je napisao/la:
uto, 3. ožu 2026. u 09:15 {H} napisao je:
V V tor., 3. mar. 2026 ob 09:15 je oseba {H} napisala:
Dne 3. 03. 26 ob 09:15 je Help napisal(a):
2026-03-03, an, 09:15 {H} rašė:
otrd., 2026. g. 3. marts, plkst. 09:15 — lietotājs Help (<help@desk.example>) rakstīja:
Kuupäev T, 3. märts 2026 kell 09:15 kirjutas {H}:
Help kirjutas 03.03.2026 09:15:
Στις Τρί 3 Μαρ 2026 στις 9:15 π.μ., ο χρήστης {H} έγραψε:
Στις 3/3/2026 9:15 π.μ., ο/η Help έγραψε:
{H}, 3 Mar 2026 Sal, 09:15 tarihinde şunu yazdı:
{H} şunları yazdı (3 Mar 2026 09:15):
3.03.2026 09:15 tarihinde Help yazdı:
Missatge de {H} del dia dt., 3 de març 2026 a les 9:15:
El 3/3/26 a les 9:15, Help ha escrit:
O mar, 3 mar 2026 ás 9:15, Help (<help@desk.example>) escribiu:
Help erabiltzaileak (<help@desk.example>) hau idatzi zuen (2026 mar. 3, ar. (09:15)):
\u202bבתאריך יום ג׳, 3 במרץ 2026 ב-9:15 מאת \u202aHelp\u202c\u200f <\u202ahelp@desk.example\u202c\u200f>:\u202c
ב-3 במרץ 2026, בשעה 9:15, {H} כתב/ה:
في الثلاثاء، 3 مارس 2026 في 9:15 ص تمت كتابة ما يلي بواسطة {H}:
در تاریخ سه‌شنبه ۳ مارس ۲۰۲۶ ساعت ۹:۱۵ {H} نوشت:
मंगल, 3 मार्च 2026 को 9:15 am बजे को {H} ने लिखा:
ในวันที่ อ. 3 มี.ค. 2026 เวลา 09:15 {H} เขียนว่า:
Vào Th 3, 3 thg 3, 2026 vào lúc 09:15 {H} đã viết:
Vào 09:15, 3 thg 3, 2026, {H} đã viết:
Pada tanggal Sel, 3 Mar 2026 pukul 09.15 {H} menulis:
2026年3月3日(火) 9:15 {H}:
2026/03/03 9:15、{H}のメール:
(2026/03/03 9:15), Help wrote:
2026년 3월 3일 (화) 오전 9:15, {H}님이 작성:
2026. 3. 3. 오전 9:15, {H} 작성:
{H} 于2026年3月3日周二 09:15写道：
{H} 於 2026年3月3日 週二 上午9:15寫道：
在 2026/3/3 9:15, Help 写道:
在 2026-03-03 09:15:22，"Help" <help@desk.example> 写道：
2026年3月3日 09:15，{H} 写道：
>>> Help <help@desk.example> 3/3/2026 9:15 AM >>>
>>> "Help" <help@desk.example> 03.03.26 9.15 Uhr >>>
"""
ATTRIBUTIONS = [row.replace("|", "\n") for row in DATED.splitlines()]

#: Without a day: history only where it is quoted.
UNDATED = f"""\
Help wrote:
{H} writes:
Quoting {H}:
Zitat von {H}:
Citando a {H}:
Selon {H}:
Help schreibt:
Help a écrit :
Help escribió:
Help skrev:
Help pisze:
Help пишет:
Help 写道：
Help さんは書きました:
"""

#: Names of the fields of a quoted mail: from, sent, to, subject.
FIELDS = """\
From Sent To Subject
From Date To Subject
Von Gesendet An Betreff
Von Datum An Betreff
De Envoyé À Objet
De Date À Objet
De Enviado Para Asunto
De Fecha Para Asunto
De Enviada_em Para Assunto
De Data Para Assunto
Da Inviato A Oggetto
Da Data A Oggetto
Van Verzonden Aan Onderwerp
Van Datum Aan Onderwerp
Från Skickat Till Ämne
Från Datum Till Ämne
Fra Sendt Til Emne
Fra Dato Til Emne
Lähettäjä Lähetetty Vastaanottaja Aihe
Lähettäjä Päivämäärä Vastaanottaja Aihe
Frá Sent Til Efni
Od Wysłano Do Temat
Od Data Do Temat
Od Odesláno Komu Předmět
Od Datum Komu Předmět
Od Odoslané Komu Predmet
Feladó Elküldve Címzett Tárgy
Feladó Dátum Címzett Tárgy
De_la Trimis Către Subiect
Expeditor Data Destinatar Subiect
От Изпратено До Относно
От Отправлено Кому Тема
От_кого Дата Кому Тема
От Дата Кому Тема
Від Надіслано Кому Тема
Від Дата Кому Тема
Од Послато За Тема
Šalje Poslano Prima Predmet
Od Poslano Za Predmet
Od Poslano Za Zadeva
Nuo Išsiųsta Kam Tema
No Nosūtīts Kam Tēma
Saatja Saadetud Adressaat Teema
Από Στάλθηκε Προς Θέμα
Από Ημερομηνία Προς Θέμα
Kimden Gönderildi Kime Konu
Gönderen Gönderme_Tarihi Alıcı Konu
Kimden Tarih Kime Konu
De Enviat Per_a Assumpte
De Data Per_a Tema
Nork Bidalia Nori Gaia
מאת נשלח אל נושא
מאת תאריך אל נושא
من تاريخ_الإرسال إلى الموضوع
من التاريخ إلى الموضوع
از تاریخ به موضوع
差出人 送信日時 宛先 件名
差出人 日付 宛先 件名
보낸_사람 보낸_날짜 받는_사람 제목
보낸사람 날짜 받는사람 제목
发件人 发送时间 收件人 主题
发件人 日期 收件人 主题
寄件者 寄件日期 收件者 主旨
寄件者 日期 收件者 主旨
จาก วันที่ ถึง เรื่อง
Từ Ngày Đến Chủ_đề
Từ Đã_gửi Tới Chủ_đề
Dari Dikirim Kepada Perihal
Dari Tanggal Kepada Subjek
"""
VALUES = ("Help <help@desk.example>", "3 2026 09:15", "Kemal <kemal@kunde.example>", "Re: x")
#: A layout takes the name of a field and its value.
LAYOUTS = {
    "plain": "{0}: {1}",
    "starred": "*{0}:* {1}",
    "bold": "**{0}:** {1}",
    "wide": "{0} : {1}",
    "full width": "{0}：{1}",
}

#: A line of its own above the fields or the text of a quoted mail.
MARKERS = """\
-----Original Message-----
------ Original Message ------
-------- Original message --------
------- Original Message -------
‐‐‐‐‐‐‐ Original Message ‐‐‐‐‐‐‐
----- Original Message -----
________ Original message ________
*---------- Original Message ----------*
------------------ Original ------------------
-----Ursprüngliche Nachricht-----
-------- Ursprüngliche Nachricht --------
-------- Original-Nachricht --------
-----Message d'origine-----
-------- Message original --------
-----Mensaje original-----
-----Mensagem original-----
-------- Messaggio originale --------
-----Oorspronkelijk bericht-----
-------- Oorspronkelijk bericht --------
-----Ursprungligt meddelande-----
-----Oprindelig meddelelse-----
-----Opprinnelig melding-----
-----Alkuperäinen viesti-----
-----Wiadomość oryginalna-----
-------- Oryginalna wiadomość --------
-----Původní zpráva-----
---------- Původní e-mail ----------
-----Pôvodná správa-----
-----Eredeti üzenet-----
-----Mesaj original-----
-----Оригинално съобщение-----
-----Исходное сообщение-----
-------- Исходное сообщение --------
-----Оригінальне повідомлення-----
-----Izvorna poruka-----
-----Izvirno sporočilo-----
-----Algne kiri-----
-----Originalus laiškas-----
-----Αρχικό μήνυμα-----
-----Orijinal Mesaj-----
-------- Orijinal ileti --------
-----Missatge original-----
-----הודעה מקורית-----
-----الرسالة الأصلية-----
------------------ 原始邮件 ------------------
-----原始郵件-----
-----元のメッセージ-----
-----원본 메시지-----
--------- 원본 메일 ---------
-------- Tin nhắn gốc --------
-------- Pesan asli --------
---- 回复的原邮件 ----
---- Replied Message ----
"""

#: What a device or an application adds below the text.
DEVICES = """\
Sent from my iPhone
Sent from my Samsung Galaxy smartphone.
Sent from my Verizon, Samsung Galaxy smartphone
Sent from Yahoo Mail on Android
Sent from Outlook for iOS<https://aka.example/o0>
Get Outlook for iOS<https://aka.example/o0>
Get [Outlook for Android](https://aka.example/o0)
Sent from Mail<https://go.example/fwlink> for Windows
Sent from Proton Mail mobile
Sent with Proton Mail secure email.
Sent via BlackBerry by AT&T
Sent using Zoho Mail
Sent with Spark
Von meinem iPhone gesendet
Von meinem Samsung Galaxy Smartphone gesendet.
Gesendet von Mail für Windows 10
Gesendet mit der GMX Mail App
Holen Sie sich Outlook für Android
Outlook für iOS beziehen
Diese Nachricht wurde von meinem Android-Gerät mit WEB.DE Mail gesendet.
Envoyé de mon iPhone
Envoyé depuis mon smartphone Samsung Galaxy.
Obtenez Outlook pour Android
Télécharger Outlook pour iOS
Provenance : Courrier pour Windows 10
Enviado desde mi iPhone
Obtener Outlook para iOS
Enviado do meu iPhone
Obter o Outlook para iOS
Obtenha o Outlook para Android
Inviato da iPhone
Inviato dal mio dispositivo Samsung
Scarica Outlook per Android
Ottieni Outlook per iOS
Verstuurd vanaf mijn iPhone
Outlook voor Android downloaden
Skickat från min iPhone
Hämta Outlook för iOS
Sendt fra min iPhone
Hent Outlook til iOS
Få Outlook for Android
Lähetetty iPhonesta
Hanki Outlook for iOS
Wysłane z iPhone'a
Pobierz aplikację Outlook dla systemu iOS
Odesláno z iPhonu
Získejte Outlook pro iOS
Odoslané z iPhonu
iPhone-ról küldve
Az iPhone-omról küldve
Trimis de pe iPhone-ul meu
Изпратено от моя iPhone
Отправлено с iPhone
Отправлено из мобильной Почты Mail.ru
Надіслано з iPhone
Poslano s mog iPhonea
Poslano iz mojega iPhona
Išsiųsta iš mano iPhone
Saadetud minu iPhone'ist
Στάλθηκε από το iPhone μου
Εστάλη από το iPhone μου
iPhone'umdan gönderildi
Enviat des del meu iPhone
נשלח מה-iPhone שלי
تم الإرسال من الـ iPhone الخاص بي
أُرسلت من الـ iPhone
iPhoneから送信
Outlook for iOS を入手
나의 iPhone에서 보냄
发自我的iPhone
從我的 iPhone 傳送
获取 Outlook for iOS
ส่งจาก iPhone ของฉัน
Đã gửi từ iPhone của tôi
Dikirim dari iPhone saya
"""


def misses(texts: dict[str, str], wanted: str = NEW) -> list[str]:
    """Which of the texts do not come out as they should."""
    return [name for name, text in texts.items() if new_text(text) != wanted]


def test_a_dated_attribution_ends_the_text():
    assert (
        misses({said: f"{NEW}\n\n{said}\n\n> Old text.\n>\n> More.\n" for said in ATTRIBUTIONS})
        == []
    )
    assert misses({said: f"{NEW}\n\n{said}\nOld text.\n\nMore.\n" for said in ATTRIBUTIONS}) == []


def test_an_undated_one_ends_it_above_a_quotation():
    rows = UNDATED.splitlines()
    assert misses({said: f"{NEW}\n\n{said}\n\n> Old text.\n>\n> More.\n" for said in rows}) == []


def test_an_answer_below_the_quotation_is_kept():
    assert (
        misses({said: f"{said}\n> Old text.\n>\n> More.\n\n{NEW}\n" for said in ATTRIBUTIONS}) == []
    )


def test_the_fields_of_a_quoted_mail_end_it():
    blocks = {}
    for row in FIELDS.splitlines():
        names = [name.replace("_", " ") for name in row.split()]
        for kind, layout in LAYOUTS.items():
            block = "\n".join(layout.format(*pair) for pair in zip(names, VALUES, strict=True))
            blocks[f"{row}, {kind}"] = f"{NEW}\n\n{block}\n\nOld text.\nMore.\n"
    assert misses(blocks) == []


def test_a_marker_ends_it():
    rows = MARKERS.splitlines()
    assert misses({row: f"{NEW}\n\n{row}\nOld text.\nMore.\n" for row in rows}) == []


def test_the_line_of_a_device_is_no_text():
    rows = DEVICES.splitlines()
    assert misses({row: f"{NEW}\n\n{row}\n" for row in rows}) == []
    assert misses({row: f"{NEW}\n\n{row}\n\n{ATTRIBUTIONS[0]}\n> old\n" for row in rows}) == []


SHAPES = {
    "nothing below the attribution": (f"{NEW}\n\n{ATTRIBUTIONS[0]}\n", NEW),
    "a device line between": (f"{NEW}\n\nSent from my iPhone\n\n> {ATTRIBUTIONS[0]}\n> \n> Old\n", NEW),
    "a device line below the quotation": (f"{NEW}\n\n{ATTRIBUTIONS[0]}\n> Old\n\nSent from my iPad\n", NEW),
    "a quotation in a quotation": (f"{NEW}\n\n{ATTRIBUTIONS[0]}\n\n> New\n>\n> {ATTRIBUTIONS[1]}\n>\n>> Old\n>>> Older\n", NEW),
    "a signature of dashes without blank": (f"{NEW}\n\n--\nKemal\nKunde Ltd\n\n{ATTRIBUTIONS[0]}\n> Old\n", NEW),
    "a footer of a list": (f"{NEW}\n_______________________________________________\ntalk mailing list\ntalk@desk.example\n", NEW),
    "fields with air between them": (f"{NEW}\n\nVon: Help\n\nGesendet: Dienstag, 3. März 2026 09:15\n\nAn: Kemal\n\nBetreff: x\n\nOld\n", NEW),
    "fields with values below": (f"{NEW}\n\nFrom:\nHelp <help@desk.example>\nSent:\nTuesday\nTo:\nKemal\nSubject:\nRe: x\n\nOld\n", NEW),
    "fields below a rule": (f"{NEW}\n________________________________\nFrom: Help\nSent: Tuesday\nTo: Kemal; Nora\nCc: Tom\nSubject: x\n\nOld\n", NEW),
    "old Yahoo": (f"{NEW}\n\n--- On Tue, 3/3/26, {H} wrote:\n\nFrom: Help\nSubject: x\nTo: k@kunde.example\nDate: Tuesday\n\nOld\n", NEW),
    "GMX": (f"{NEW}\n\nGesendet: Dienstag, 03. März 2026 um 09:15 Uhr\nVon: {H}\nAn: kemal@kunde.example\nBetreff: Re: x\n\nOld\n", NEW),
    "Hotmail": (f"{NEW}\n\nDate: Tue, 3 Mar 2026 09:15:22 +0100\nSubject: Re: x\nFrom: help@desk.example\nTo: kemal@kunde.example\n\nOld\n", NEW),
    "eM Client": (f"{NEW}\n\n------ Original Message ------\nFrom \"Help\" <help@desk.example>\nTo \"Kemal\" <k@kunde.example>\nDate 3/3/2026 9:15:22 AM\nSubject Re: x\n\nOld\n", NEW),
    "NetEase": (f"{NEW}\n\n---- 回复的原邮件 ----\n| 发件人 | Help<help@desk.example> |\n| 发送日期 | 2026年3月3日 09:15 |\n| 收件人 | k<k@kunde.example> |\n| 主题 | Re: x |\nOld\n", NEW),
    "Samsung": (f"{NEW}\n\n\nSent from my Galaxy\n\n\n-------- Original message --------\nFrom: {H} \nDate: 3/3/26  9:15 AM  (GMT+01:00) \nTo: k@kunde.example \nSubject: Re: x \n\nOld\n", NEW),
    "Notes": (f'{NEW}\n\n\n\n"Help" <help@desk.example> \n03.03.2026 09:15\n\nAn\n"Kemal" <k@kunde.example>\nKopie\n\nThema\nRe: x\n\n\n\n\n\n\nOld\n', NEW),
    "Apple forwards with words": (f"{NEW}\n\nBegin forwarded message:\n\n> From: Help\n> Subject: x\n> Date: 3 March\n> To: Kemal\n>\n> Content\n", NEW),
    "our delimiter within a quotation": (f"{NEW}\n\n> ##- Please type your reply above this line -##\n> Old\n", NEW),
    "no attribution at all": (f"{NEW}\n\n> Old\n> Older\n", NEW),
    "quotations marked with initials": (f"{NEW}\n\nKK> Old\nKK> Older\n", NEW),
    "two answers around a quotation": (f"Above.\n\n{ATTRIBUTIONS[0]}\n> Old\n\nBelow.\n", "Above.\n\n> Old\n\nBelow."),
    "answers within": ("Hi,\n\n> Is it on?\nYes.\n> Is it hot?\nNo.\n\nKemal", "Hi,\n\n> Is it on?\nYes.\n> Is it hot?\nNo.\n\nKemal"),
    "an answer below, signed": (f"{ATTRIBUTIONS[0]}\n> Old\n\n{NEW}\n\n-- \nKemal Kunde\n", NEW),
    "emoji of several signs": ("Danke 👩\u200d💻\n", "Danke 👩\u200d💻"),
    "PGP": (f"-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA512\n\n{NEW}\n-----BEGIN PGP SIGNATURE-----\n\niQ==\n=x\n-----END PGP SIGNATURE-----\n", NEW),
}  # fmt: skip


@pytest.mark.parametrize("shape", SHAPES)
def test_shapes_of_answers(shape):
    text, reply = SHAPES[shape]
    assert new_text(text) == reply


#: Texts of people and machines that hold the words of a mail program, or its marks.
PLAIN = {
    "a log": "It says:\n\n2026-03-03 09:15:22 Connection refused\n2026-03-03 09:15:23 Giving up\n\nWhat now?",
    "a log with mail": "See\n2026-03-03 09:15 INFO sent mail to kemal@kunde.example\n2026-03-03 09:16 ERROR no answer\nThanks",
    "a journey": "Please book\n\nFrom: Berlin\nTo: Paris\nDate: 3 March\n\nThank you",
    "a form": "Name: Kemal\nDate: 3 March\nTo do: all of it\nSubject: printer\nIt hums.",
    "a diff": "--- a/x.py\n+++ b/x.py\n@@ -1 +1 @@\n-old\n+new\n\nThat mends it.",
    "a list": "- one\n- two\n\n* three\n* four\n\n1. five\n2. six",
    "comparisons": "if a > b\nthen x >= 3\nelse y < 2",
    "a prompt": "I did:\n\nSQL> select 1 from dual;\nORA-00942\n\nand now?",
    "a told story": "On 3 March 2026 at 9:15 I wrote:\nplease help\n\nNobody did.",
    "a sentence with a date": "On Tuesday 3 March 2026 the printer stopped. Help wrote a note: it said nothing.",
    "sending": "The form was sent from the office.\nSent from here it takes a day, from there two.\nRegards",
    "Outlook": "We use Outlook for Windows.\nSince Monday Outlook for iOS does not start.\nKemal",
    "a table": "| a | b |\n|---|---|\n| 1 | 2 |\n\nThe sum is wrong.",
    "wrote": "He wrote: no.\nShe wrote:\nyes\n\nSo what?",
    "mail addresses": "Please add these:\na@kunde.example\nb@kunde.example:\nboth are new",
    "from": "From: the start\nit was slow.",
    "quoting in the middle": "The page says\n\n> Access denied\n\nsince 9:15.",
    "original": "The original message was lost.\nOriginal message: see the file.\nThanks",
    "times": "Open hours:\nMonday 9:15-10:00\nTuesday 3.3.2026 10:00:\nclosed",
}  # fmt: skip


@pytest.mark.parametrize("kind", PLAIN)
def test_what_only_has_the_words_of_mail_stays(kind):
    assert new_text(PLAIN[kind]) == PLAIN[kind]
