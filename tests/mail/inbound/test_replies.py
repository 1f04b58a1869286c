"""The new text of a reply: many programs, many languages, and texts that only look like one."""

from __future__ import annotations

import pytest

from deskbell.mail.reading import read
from deskbell.mail.reading.replies import is_forward, new_text
from tests.mail.inbound.mails import mail

NEW = "Thanks, that works.\n\nRegards\nKemal"

ATTRIBUTED = [
    "On Tue, Mar 3, 2026 at 9:15 AM Help via Desk\n<help@desk.example> wrote:",
    "On 03/03/2026 09:15, Help wrote:",
    "At 3/3/2026 09:15 AM, you wrote:",
    "Help <help@desk.example> wrote on 03.03.26 at 09:15:",
    "Am 03.03.2026 um 09:15 schrieb Help <help@desk.example>:",
    "Help <help@desk.example> schrieb am Di., 3. März\n2026, 09:15:",
    "Le mar. 3 mars 2026 à 09:15, Help <help@desk.example> a écrit :",
    "El mar, 3 mar 2026 a las 9:15, Help (<help@desk.example>)\nescribió:",
    "Il giorno mar 3 mar 2026 alle ore 09:15 Help <help@desk.example> ha scritto:",
    "Em ter., 3 de mar. de 2026 às 09:15, Help <help@desk.example> escreveu:",
    "Op di 3 mrt 2026 om 09:15 schreef Help <help@desk.example>:",
    "Op 3 mrt. 2026 om 09:15 heeft Help het volgende geschreven:",
    "Den tis 3 mars 2026 kl 09:15 skrev Help <help@desk.example>:",
    "ti 3. maalisk. 2026 klo 9.15 Help (help@desk.example) kirjoitti:",
    "wt., 3 mar 2026 o 09:15 Help <help@desk.example> napisał(a):",
    "út 3. 3. 2026 v 9:15 odesílatel Help <help@desk.example> napsal:",
    "Help <help@desk.example> ezt írta (időpont: 2026. márc. 3., K, 9:15):",
    "вт, 3 мар. 2026 г. в 09:15, Help <help@desk.example>:",
    "3 марта 2026 г., в 9:15, Help <help@desk.example> написал(а):",
    "2026年3月3日(火) 9:15 Help <help@desk.example>:",
    "Help <help@desk.example> 于2026年3月3日周二 09:15写道：",
    "2026년 3월 3일 (화) 오전 9:15, Help <help@desk.example>님이 작성:",
    "Help <help@desk.example>, 3 Mar 2026 Sal, 09:15 tarihinde şunu yazdı:",
    "Στις Τρί 3 Μαρ 2026 στις 9:15 π.μ., ο χρήστης Help <help@desk.example> έγραψε:",
    "Zitat von Help <help@desk.example>:",
]
HEADED = [
    "-----Original Message-----\nFrom: Help\nSent: Tuesday\nTo: Kemal\nSubject: Re: x",
    "________________________________\nVon: Help\nGesendet: Dienstag\nAn: Kemal\nBetreff: x",
    "*From:* Help <help@desk.example>\n*Sent:* Tuesday\n*To:* Kemal\n*Subject:* RE: x",
    "De : Help\nEnvoyé : mardi\nÀ : Kemal\nObjet : x",
    "Van: Help\nVerzonden: dinsdag\nAan: Kemal;\n  Nora\nOnderwerp: x",
    "Från: Help\nSkickat: den 3 mars\nTill: Kemal\nÄmne: x",
    "发件人: Help\n发送时间: 2026年3月3日\n收件人: Kemal\n主题: x",
    "##- Please type your reply above this line -##",
]


@pytest.mark.parametrize("said", ATTRIBUTED)
def test_quoted_history_below_an_attribution_goes(said):
    assert new_text(f"{NEW}\n\n{said}\n\n> The old text.\n> More of it.\n") == NEW


@pytest.mark.parametrize("said", [ATTRIBUTED[0], *HEADED])
def test_unquoted_history_goes(said):
    assert new_text(f"{NEW}\n\n{said}\n\nThe old text.\nMore of it.\n") == NEW


@pytest.mark.parametrize(
    "below",
    [
        "-- \nKemal Kunde\nTel. 1",
        "--\nKemal",
        "Sent from my iPhone",
        "Von meinem Mobiltelefon gesendet",
        "Envoyé depuis mon iPad",
        "Get Outlook for Android<https://desk.example>",
        "> old line",
    ],
)
def test_signatures_and_trailing_quotes_go(below):
    assert new_text(f"{NEW}\n\n{below}\n") == NEW


@pytest.mark.parametrize(
    "text",
    [
        "On Monday we tried it.\nIt failed again on 3.3.2026:\nerror 500",
        "From: the button\nmoves away",
        "Please see:\n- a\n- b\n\nSubject: open point\nIt is still open.",
        "Your question\n\n> Is it on?\n\nYes.\n\n> Is it hot?\n\nNo.",
        "Der Fehler:\n\n> Access denied\n\nWas tun?",
        "Le serveur ne répond plus depuis 10:15.\nMerci",
        "name | value\na | b",
        "He wrote: do it.\nShall I?",
        "I was sent from one office to another.",
    ],
)
def test_what_only_looks_like_history_stays(text):
    assert new_text(text) == text


def test_a_ruler_belongs_to_the_text_of_what_answers_nothing():
    form = "Name: Kemal\n==========\nIt hums.\n**********\nEnd."

    assert read(mail(form)).reply == form
    assert read(mail(form, Subject="Re: x")).reply == "Name: Kemal"
    assert read(mail("It hums.\n\n-- \nKemal")).reply == "It hums."


def test_an_answer_below_the_history_is_found():
    assert new_text(f"{ATTRIBUTED[1]}\n> old\n> older\n\n{NEW}\n") == NEW


def test_nothing_but_a_quote_is_the_text():
    assert new_text("> all quoted\n> to the end") == "> all quoted\n> to the end"


def test_a_forward_without_words_is_its_content():
    text = "---------- Forwarded message ---------\nFrom: A\nDate: B\nSubject: C\nTo: D\n\nContent."

    assert new_text(text) == "Content."
    assert is_forward("", text)
    assert is_forward("WG: x", "")
    assert not is_forward("Question about forwarding", "How do I forward?")


ATTR = (
    '<div class="gmail_attr">On Tue, 3 Mar 2026 at 09:15, Help &lt;h@d.example&gt; wrote:<br></div>'
)


@pytest.mark.parametrize(
    ("html", "reply"),
    [
        (f'<p>New</p><div class="gmail_quote">{ATTR}<blockquote>old</blockquote></div>', "New"),
        (('<p>New</p><hr><div id="divRplyFwdMsg"><b>From:</b> A<br><b>Sent:</b> B<br><b>To:</b> C'
         "<br><b>Subject:</b> D</div><div>old</div>"), "New"),
        ("<div>New</div><span id=OLK_SRC_BODY_SECTION><div>old</div></span>", "New"),
        ('<div>New<div><hr id="stopSpelling">Date: A<br>From: B<br>Subject: C<br>old</div></div>', "New"),
        (('New<div>Am 3.3.2026 um 09:15 schrieb Help &lt;h@d.example&gt;:</div>'
         '<blockquote type="cite">old</blockquote>'), "New"),
        ("<p>See</p><blockquote>cited</blockquote><p>there</p>", "See\n\n> cited\n\nthere"),
        (f'<div class="gmail_quote">{ATTR}<blockquote>old</blockquote></div><p>New</p>', "New"),
        (('FYI<div class="gmail_quote"><div class="gmail_attr">---------- Forwarded message ---------<br>'
         "From: A<br>Date: B<br>Subject: C</div>Content</div>"), "FYI"),
    ],
)  # fmt: skip
def test_what_programs_mark_in_html_goes(html, reply):
    facts = read(mail(html, Content_Type="text/html; charset=utf-8"))

    assert facts.reply == reply
    assert "old" in facts.body or "old" not in html
