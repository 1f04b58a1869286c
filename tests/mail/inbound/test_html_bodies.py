"""HTML as mail programs write it: what is read, and what of it is new."""

from __future__ import annotations

import pytest

from deskbell.mail.reading import read
from tests.mail.inbound.mails import mail, multipart, part

SAID = "On Tue, 3 Mar 2026 at 09:15, Help &lt;help@desk.example&gt; wrote:"
HEAD = "<b>From:</b> Help<br><b>Sent:</b> Tuesday<br><b>To:</b> Kemal<br><b>Subject:</b> x<br>"

#: What a program makes of "New" above "Old".
PROGRAMS = {
    "Gmail": f'<div dir="ltr">New</div><br><div class="gmail_quote gmail_quote_container"><div dir="ltr" class="gmail_attr">{SAID}<br></div><blockquote class="gmail_quote" style="margin:0 0 0 .8ex">Old</blockquote></div>',
    "Gmail in an unknown language": '<div>New</div><div class="gmail_quote"><div class="gmail_attr">Ka 3 Mac, Help ya rubuta:<br></div><blockquote class="gmail_quote">Old</blockquote></div>',
    "old Gmail": f'New<div class="gmail_extra"><br><div class="gmail_quote">{SAID}<br><blockquote class="gmail_quote">Old</blockquote></div></div>',
    "Apple Mail": f'<html><body>New<div><br><blockquote type="cite"><div>{SAID}</div><br class="Apple-interchange-newline"><div>Old</div></blockquote></div></body></html>',
    "iPhone": f'<div dir="ltr">New</div><div dir="ltr"><br><br>Sent from my iPhone</div><div dir="ltr"><br><blockquote type="cite">{SAID}<br><br></blockquote></div><blockquote type="cite"><div>Old</div></blockquote>',
    "Thunderbird": '<body>New<br><div class="moz-cite-prefix">Am 03.03.26 um 09:15 schrieb Help:<br></div><blockquote type="cite" cite="mid:x">Old</blockquote></body>',
    "Thunderbird in an unknown language": '<body>New<br><div class="moz-cite-prefix">Ka 3 Mac, Help ya rubuta:<br></div><blockquote type="cite" cite="mid:x">Old</blockquote></body>',
    "Thunderbird with signature": '<body><p>New</p><div class="moz-signature">-- <br>Kemal<br>Tel</div><div class="moz-cite-prefix">Am 03.03.26 um 09:15 schrieb Help:<br></div><blockquote type="cite">Old</blockquote></body>',
    "Outlook": f'<div class="WordSection1"><p class="MsoNormal">New<o:p></o:p></p><div><div style="border:none;border-top:solid #E1E1E1 1.0pt;padding:3.0pt 0cm 0cm 0cm"><p class="MsoNormal">{HEAD}</p></div></div><p class="MsoNormal">Old<o:p></o:p></p></div>',
    "Outlook on the web": f'<div>New</div><div id="appendonsend"></div><hr tabindex="-1" style="display:inline-block;width:98%"><div id="divRplyFwdMsg" dir="ltr"><font>{HEAD}</font></div><div>Old</div>',
    "Outlook on the web, unknown language": '<div>New</div><div id="appendonsend"></div><hr><div id="divRplyFwdMsg"><b>Aa:</b> Help<br><b>Bb:</b> Tuesday<br><b>Cc1:</b> K<br><b>Dd:</b> x</div><div>Old</div>',
    "Outlook for Android": f'<div>New</div><div id="ms-outlook-mobile-signature"><div>Get <a href="https://aka.example">Outlook for Android</a></div></div><hr><div id="divRplyFwdMsg">{HEAD}</div>Old',
    "Outlook for Mac": f'<div>New</div><div id="mail-editor-reference-message-container"><div>{HEAD}</div><div>Old</div></div>',
    "old Outlook for Mac": f'<div>New</div><span id="OLK_SRC_BODY_SECTION"><div>{HEAD}</div><div>Old</div></span>',
    "Hotmail": '<div>New<br><hr id="stopSpelling">Date: Tue, 3 Mar 2026<br>From: help@desk.example<br>To: k@kunde.example<br>Subject: x<br><br>Old</div>',
    "Yahoo": f'<div class="ydp1yahoo-style-wrap"><div dir="ltr">New</div></div><div id="yahoo_quoted_0815" class="yahoo_quoted"><div><div>{SAID}</div><div>Old</div></div></div>',
    "Yahoo, new ids": f'<div>New</div><div id="ydpabc123yahoo_quoted_0815" class="ydpabc123yahoo_quoted"><div>{SAID}</div><div>Old</div></div>',
    "Proton": f'<div>New</div><div class="protonmail_quote">{SAID}<br><blockquote class="protonmail_quote" type="cite">Old</blockquote></div>',
    "Tuta": f'<div>New</div><div class="tutanota_quote_attribution">{SAID}</div><blockquote class="tutanota_quote">Old</blockquote>',
    "Zoho": f'<div>New</div><div class="zmail_extra"><div id="Zm-_Id_-Sgn1">---- {SAID} ---</div><blockquote>Old</blockquote></div>',
    "Zimbra": f'<div>New</div><hr id="zwchr" data-marker="__DIVIDER__"><div data-marker="__HEADERS__">{HEAD}</div><div data-marker="__QUOTED_TEXT__">Old</div>',
    "GMX": '<div>New<div style="margin:10px 5px 5px 10px;padding:10px 0 10px 10px;border-left:2px solid #C3D9E5" name="quote"><div style="margin:0 0 10px 0;"><b>Gesendet:</b> Dienstag<br/><b>Von:</b> Help<br/><b>An:</b> k@x.example<br/><b>Betreff:</b> x</div><div name="quoted-content">Old</div></div></div>',
    "Mail.ru": '<div>New</div><blockquote style="border-left:1px solid #0857A6;margin:10px;padding:0 0 0 10px;">Вторник, 3 марта 2026, 9:15 +03:00 от Help &lt;help@desk.example&gt;:<br><div id="">Old</div></blockquote>',
    "Yandex": '<div>New</div><div>\u00a0</div><div>03.03.2026, 09:15, "Help" &lt;help@desk.example&gt;:</div><blockquote><div>Old</div></blockquote>',
    "QQ": '<div>New</div><div><includetail><div>&nbsp;</div><div style="font:Verdana normal 14px;color:#000;"><div style="FONT-SIZE: 12px">------------------&nbsp;Original&nbsp;------------------</div><div><b>From:</b> Help</div><div><b>Date:</b> Tue</div><div><b>To:</b> K</div><div><b>Subject:</b> x</div></div><div>Old</div></includetail></div>',
    "NetEase": '<div>New</div><div id="isReplyContent">At 2026-03-03 09:15:22, "Help" &lt;help@desk.example&gt; wrote:<br><blockquote id="isReplyContent">Old</blockquote></div>',
    "Notes": '<font face="sans-serif">New</font><br><br><br><font size=1 color=#5f5f5f>Von: &nbsp; &nbsp;</font><font size=1>"Help" &lt;help@desk.example&gt;</font><br><font size=1>An: &nbsp; </font><font size=1>k@x.example</font><br><font size=1>Datum: &nbsp;</font><font>03.03.2026 09:15</font><br><font>Betreff: &nbsp;</font><font>x</font><br><hr noshade><br>Old',
    "GroupWise": '<div>New</div><br>&gt;&gt;&gt; Help &lt;help@desk.example&gt; 3/3/2026 9:15 AM &gt;&gt;&gt;<br>Old',
    "Spark": f'<div name="messageBodySection">New</div><div name="messageSignatureSection"><br>Kemal</div><div name="messageReplySection">{SAID}<br><blockquote type="cite">Old</blockquote></div>',
    "Front": f'<div class="front-signature"></div><div>New</div><blockquote type="cite" class="front-blockquote">{SAID}<br>Old</blockquote>',
    "Roundcube": '<p>New</p><p id="reply-intro">On 2026-03-03 09:15, Help wrote:</p><blockquote type="cite">Old</blockquote>',
    "Roundcube, unknown language": '<p>New</p><p id="reply-intro">Ka 3 Mac 9:15, Help ya rubuta:</p><blockquote type="cite">Old</blockquote>',
    "Evolution": '<div>New</div><div>On Tue, 2026-03-03 at 09:15 +0100, Help wrote:</div><blockquote type="cite" style="margin:0 0 0 .8ex">Old</blockquote>',
    "Samsung": '<div>New</div><div id="composer_signature"><div>Sent from my Galaxy</div></div><div>-------- Original message --------</div><div>From: Help</div><div>Date: 3/3/26</div><div>To: K</div><div>Subject: x</div><div>Old</div>',
    "Exchange phones": '<div>New</div><hr><b>Von:</b> Help<br><b>Gesendet:</b> Dienstag<br><b>An:</b> K<br><b>Betreff:</b> x<br><br>Old',
    "AOL": '<div>New</div><div>-----Original Message-----<br>From: Help &lt;help@desk.example&gt;<br>To: k@x.example<br>Sent: Tue, Mar 3, 2026 9:15 am<br>Subject: x<br><br>Old</div>',
    "eM Client": '<div>New</div><div>------ Original Message ------</div><div>From "Help" &lt;help@desk.example&gt;</div><div>Subject x</div><div id="x"><blockquote cite="x" type="cite" class="cite2">Old</blockquote></div>',
    "Superhuman": f'<div>New</div><div class="sh-signature"></div><div class="gmail_quote">{SAID}<br><blockquote class="gmail_quote">Old</blockquote></div>',
}  # fmt: skip


@pytest.mark.parametrize("program", PROGRAMS)
def test_the_new_text_of_an_answer(program):
    facts = read(mail(PROGRAMS[program], Content_Type="text/html; charset=utf-8", Subject="Re: x"))

    assert facts.reply.replace("Kemal", "").strip() == "New"
    assert "Old" in facts.body


BODIES = {
    "style, script, comments and heads": ('<html><head><title></title><style>p{color:red}</style><meta charset="utf-8"></head><body><!-- no --><script>no()</script>yes</body>', "yes"),
    "conditional comments": ("<!--[if mso]><p>no</p><![endif]--><p>yes</p><!--[if !mso]><!--><p>too</p><!--<![endif]-->", "yes\n\ntoo"),
    "entities": ("<p>a &amp; b &lt;c&gt; &euro;&nbsp;5 &#228; &#x20AC;</p>", "a & b <c> €\u00a05 ä €"),
    "breaks": ("a<br>b<br/>c", "a\nb\nc"),
    "a table": ("<table><tr><td>a</td><td>b</td></tr><tr><td>c</td><td>d</td></tr></table>", "a b\nc d"),
    "a list": ("<ul><li>a</li><li>b</li></ul>", "* a\n* b"),
    "preformatted text": ("<pre>a\n  b\n</pre>", "a\n  b"),
    "no tags at all": ("just words", "just words"),
    "unclosed tags": ("<div><p>a<b>b<div>c", "ab\n\nc"),
    "a broken tag": ("a <b c < d", "a"),
    "Word's own tags": ("<p class=MsoNormal>a<o:p></o:p></p><w:sdt>b</w:sdt>", "a\n\nb"),
    "an XML declaration": ('<?xml version="1.0" encoding="utf-16"?><html><body>a</body></html>', "a"),
    "text in a link": ('<a href="https://x.example">a</a>', "a"),
    "a hidden preheader is text as well": ('<div style="display:none">pre</div>a', "a"),
    "only a picture": ('<img src="cid:x" alt="pic">', ""),
    "CDATA and processing": ("<![CDATA[x]]><p>a</p>", "a"),
    "a noscript": ("<noscript>b</noscript><p>a</p>", "a"),
    "a textarea and a button": ("<form><textarea>a</textarea></form>", "a"),
    "right to left": ('<div dir="rtl">שלום</div>', "שלום"),
    "NUL and controls": ("a\x00b\x07c", "abc"),
    "an upper case document": ("<HTML><BODY><P>A</P><STYLE>x</STYLE></BODY></HTML>", "A"),
    "a style that never ends": ("<p>a</p><style>p{", "a"),
}  # fmt: skip


@pytest.mark.parametrize("kind", BODIES)
def test_the_text_of_html(kind):
    html, text = BODIES[kind]
    body = read(mail(html, Content_Type="text/html; charset=utf-8")).body

    assert " ".join(text.split()) in " ".join(body.split())
    assert "no" not in body.split()
    assert "{" not in body


ALTERNATIVES = {
    "text is taken, HTML kept": ([part("plain"), part("<p>rich</p>", "text/html")], "plain"),
    "blank text": ([part("\n \n"), part("<p>rich</p>", "text/html")], "rich"),
    "blank HTML": ([part("plain"), part("<html><body> </body></html>", "text/html")], "plain"),
    "HTML first": ([part("<p>rich</p>", "text/html"), part("plain")], "plain"),
    "no text": ([part("<p>rich</p>", "text/html")], "rich"),
    "empty parts": ([part(""), part("", "text/html")], ""),
    "AMP between": ([part("plain"), part("<html amp4email>no</html>", "text/x-amp-html"), part("<p>rich</p>", "text/html")], "plain"),
    "a calendar as third": ([part("plain"), part("<p>rich</p>", "text/html"), part("BEGIN:VCALENDAR", "text/calendar; method=REQUEST")], "plain"),
    "enriched": ([part("plain"), part("<bold>rich</bold>", "text/enriched")], "plain"),
    "related inside": ([part("plain"), b'Content-Type: multipart/related; boundary=r\n\n--r\nContent-Type: text/html\n\n<p>rich</p>\n--r--\n'], "plain"),
    "mixed inside": ([part("plain"), b'Content-Type: multipart/mixed; boundary=r\n\n--r\nContent-Type: text/html\n\n<p>rich</p>\n--r\nContent-Type: application/pdf; name=a.pdf\n\nx\n--r--\n'], "plain"),
    "markdown": ([part("*plain*", "text/markdown"), part("<p>rich</p>", "text/html")], "*plain*"),
}  # fmt: skip


@pytest.mark.parametrize("kind", ALTERNATIVES)
def test_alternatives(kind):
    parts, body = ALTERNATIVES[kind]
    assert read(multipart(*parts, kind="alternative")).body.strip() == body
