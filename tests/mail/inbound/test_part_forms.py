"""Parts as mail programs send them: names of files, nestings, broken boundaries, odd encodings."""

from __future__ import annotations

import base64
import binascii

from deskbell.mail.reading import read
from tests.mail.inbound.mails import PIXEL, mail, multipart, part

#: Header lines of a part that is a file, and the name that it must get.
NAMES = [
    ('Content-Type: application/pdf; name="a.pdf"', "a.pdf"),
    ("Content-Type: application/pdf; name=a.pdf", "a.pdf"),
    ("Content-Type: application/pdf; name=two words.pdf", "two words.pdf"),
    ('Content-Type: application/pdf\nContent-Disposition: attachment; filename="a.pdf"', "a.pdf"),
    ('Content-Type: application/pdf; name="wrong.pdf"\nContent-Disposition: attachment; filename="right.pdf"', "right.pdf"),
    ("Content-Type: application/pdf\nContent-Disposition: attachment; filename=a.pdf; size=3", "a.pdf"),
    ("Content-Type: application/pdf\nContent-Disposition: ATTACHMENT; FILENAME=a.pdf", "a.pdf"),
    ('Content-Type: application/pdf\nContent-Disposition: inline; filename="a.pdf"', "a.pdf"),
    ('Content-Type: application/pdf\nContent-Disposition: attachment;\n\tfilename="a.pdf"', "a.pdf"),
    ('Content-Type: application/pdf\nContent-Disposition: attachment; filename = "a.pdf"', "a.pdf"),
    ("Content-Type: application/pdf\nContent-Disposition: attachment; filename*=utf-8''%C3%BC.pdf", "ü.pdf"),
    ("Content-Type: application/pdf\nContent-Disposition: attachment; filename*=UTF-8'de'%C3%BC%20x.pdf", "ü x.pdf"),
    ("Content-Type: application/pdf\nContent-Disposition: attachment; filename*=iso-8859-1''%FC.pdf", "ü.pdf"),
    ("Content-Type: application/pdf\nContent-Disposition: attachment; filename*=%C3%BC.pdf", "ü.pdf"),
    ("Content-Type: application/pdf\nContent-Disposition: attachment; filename*=\"utf-8''%C3%BC.pdf\"", "ü.pdf"),
    ("Content-Type: application/pdf\nContent-Disposition: attachment; filename=\"u.pdf\"; filename*=utf-8''%C3%BC.pdf", "ü.pdf"),
    ("Content-Type: application/pdf\nContent-Disposition: attachment;\n filename*0=\"a\";\n filename*1=\"b.pdf\"", "ab.pdf"),
    ("Content-Type: application/pdf\nContent-Disposition: attachment;\n filename*0*=utf-8''%C3%BC;\n filename*1*=%C3%A4;\n filename*2=b.pdf", "üäb.pdf"),
    ("Content-Type: application/pdf\nContent-Disposition: attachment;\n filename*0*=utf-8''%C3;\n filename*1*=%BC.pdf", "ü.pdf"),
    ("Content-Type: application/pdf;\n name*0*=utf-8''%C3%BC;\n name*1*=.pdf", "ü.pdf"),
    ("Content-Type: application/pdf\nContent-Disposition: attachment; " + "; ".join(f'filename*{n}="{chr(97 + n)}"' for n in range(12)), "abcdefghijkl"),
    ('Content-Type: application/pdf; name="=?utf-8?Q?=C3=BC.pdf?="', "ü.pdf"),
    ("Content-Type: application/pdf; name==?utf-8?Q?=C3=BC.pdf?=", "ü.pdf"),
    ('Content-Type: application/pdf; name="=?utf-8?Q?=C3=BC?=\n =?utf-8?Q?=C3=A4.pdf?="', "üä.pdf"),
    ('Content-Type: application/pdf; name="=?utf-8?B?w7wucGRm?="', "ü.pdf"),
    ('Content-Type: application/pdf; name="x =?utf-8?Q?=C3=BC?=.pdf"', "x ü.pdf"),
    ("Content-Type: application/pdf\nContent-Disposition: attachment; filename*0=\"=?utf-8?Q?=C3=BC\"; filename*1=\".pdf?=\"", "ü.pdf"),
    ('Content-Type: application/pdf; name="ü.pdf"', "ü.pdf"),
    ('Content-Type: application/pdf; name="%C3%BC.pdf"', "ü.pdf"),
    ('Content-Type: application/pdf; name="100%.pdf"', "100%.pdf"),
    ('Content-Type: application/pdf; name="a;b.pdf"', "a;b.pdf"),
    ('Content-Type: application/pdf; name="a=b.pdf"', "a=b.pdf"),
    ('Content-Type: application/pdf; name="a\\"b.pdf"', 'a"b.pdf'),
    ('Content-Type: application/pdf; name="a\'b.pdf"', "a'b.pdf"),
    ("Content-Type: application/pdf; name='a.pdf'", "a.pdf"),
    ('Content-Type: application/pdf; name="a.pdf', "a.pdf"),
    ('Content-Type: application/pdf; name=a.pdf"', "a.pdf"),
    ('Content-Type: application/pdf; name="a b (1).pdf"', "a b (1).pdf"),
    ('Content-Type: application/pdf; name="/letters/k/a.pdf"', "a.pdf"),
    ('Content-Type: application/pdf; name="C:\\\\k\\\\a.pdf"', "a.pdf"),
    ('Content-Type: application/pdf; name="C:\\k\\a.pdf"', "a.pdf"),
    ('Content-Type: application/pdf; name="../../a.pdf"', "a.pdf"),
    ('Content-Type: application/pdf; name=" a.pdf "', "a.pdf"),
    ('Content-Type: application/pdf; name="a\tb.pdf"', "a b.pdf"),
    ('Content-Type: application/pdf; name="日本.pdf"', "日本.pdf"),
    ('Content-Type: application/pdf; name="=?iso-2022-jp?B?GyRCRnxLXBsoQi5wZGY=?="', "日本.pdf"),
    ('Content-Type: application/pdf; name=""\nContent-Disposition: attachment; filename=""', "attachment.pdf"),
    ("Content-Type: application/pdf", "attachment.pdf"),
    ("Content-Type: application/pdf\nContent-Disposition: attachment", "attachment.pdf"),
    ("Content-Type: image/jpeg\nContent-ID: <photo@x>", "photo.jpg"),
    ("Content-Type: image/png\nContent-Location: https://x.example/img/logo.png?x=1", "logo.png"),
    ("Content-Type: image/png\nContent-Description: logo.png", "logo.png"),
    ("Content-Type: image/png\nContent-Description: =?utf-8?Q?=C3=BC.png?=", "ü.png"),
    ("Content-Disposition: attachment; filename=a.bin", "a.bin"),
    ("Content-Type: application\nContent-Disposition: attachment; filename=a.bin", "a.bin"),
    ("Content-Type: pdf; name=a.pdf\nContent-Disposition: attachment", "a.pdf"),
    ("Content-Type: application/pdf; charset=utf-8; name=a.pdf; x-unix-mode=0644", "a.pdf"),
    ("Content-Type: application/octet-stream; filename=a.pdf", "a.pdf"),
    ('Content-Type: application/pdf name="a.pdf"', "a.pdf"),
    ('Content-Disposition: filename="a.pdf"\nContent-Type: application/pdf', "a.pdf"),
    ("Content-Type: text/calendar; method=REQUEST", "invitation.ics"),
    ("Content-Type: text/csv; name=a.csv", "a.csv"),
    ("Content-Type: text/plain\nContent-Disposition: attachment; filename=a.txt", "a.txt"),
    ("Content-Type: text/html; name=a.html\nContent-Disposition: attachment", "a.html"),
    ("Content-Type: text/plain\nContent-Disposition: attachment", "attachment.txt"),
    ("Content-Type: text/x-patch\nContent-Disposition: attachment; filename=a.diff", "a.diff"),
    ("Content-Type: audio/mpeg", "attachment.mp3"),
    ("Content-Type: application/vnd.openxmlformats-officedocument.wordprocessingml.document", "attachment.docx"),
    ("Content-Type: application/vnd.ms-excel", "attachment.xls"),
    ("Content-Type: application/x-zip-compressed", "attachment.zip"),
]  # fmt: skip


def test_names_of_files():
    misses = []
    for head, wanted in NAMES:
        raw = multipart(
            part("see"),
            head.encode() + b"\nContent-Transfer-Encoding: base64\n\n" + base64.b64encode(b"x"),
        )
        facts = read(raw)
        found = [(file.filename, file.content) for file in facts.files]
        if found != [(wanted, b"x")] or facts.body != "see":
            misses.append((head, found, wanted, facts.body))
    assert misses == []


def nested(kind: str, *parts: bytes, boundary: str) -> bytes:
    body = b"".join(b"--" + boundary.encode() + b"\n" + one + b"\n" for one in parts)
    return (
        f"Content-Type: {kind}; boundary={boundary}\n\n".encode()
        + body
        + f"--{boundary}--\n".encode()
    )


TEXT, RICH = part("plain"), part('<p>rich</p><img src="cid:pic@x">', "text/html")
FILE = part("x", "application/pdf; name=a.pdf", "Content-Disposition: attachment")
IMAGE = part(PIXEL, "image/png; name=p.png", "Content-ID: <pic@x>")

#: A message; its text, the names of its attachments, the names of its inline parts.
NESTINGS = {
    "mixed of alternative and file": (multipart(nested("multipart/alternative", TEXT, RICH, boundary="i"), FILE), "plain", ["a.pdf"], []),
    "mixed of alternative of related": (multipart(nested("multipart/alternative", TEXT, nested("multipart/related", RICH, IMAGE, boundary="r"), boundary="i"), FILE), "plain", ["a.pdf"], ["p.png"]),
    "related of alternative": (multipart(nested("multipart/alternative", TEXT, RICH, boundary="i"), IMAGE, kind="related"), "plain", [], ["p.png"]),
    "related of mixed": (multipart(nested("multipart/mixed", RICH, FILE, boundary="i"), IMAGE, kind="related"), "rich", ["a.pdf"], ["p.png"]),
    "signed": (multipart(nested("multipart/mixed", TEXT, FILE, boundary="i"), part("sig", "application/pkcs7-signature; name=smime.p7s"), kind="signed"), "plain", ["a.pdf", "smime.p7s"], []),
    "parallel": (multipart(TEXT, IMAGE, kind="parallel"), "plain", ["p.png"], []),
    "an unknown multipart": (multipart(TEXT, FILE, kind="x-odd"), "plain", ["a.pdf"], []),
    "voice": (multipart(TEXT, part("x", "audio/wav; name=v.wav"), kind="voice-message"), "plain", ["v.wav"], []),
    "form data": (multipart(part("plain", "text/plain", "Content-Disposition: form-data; name=x"), kind="form-data"), "plain", None, []),
    "appledouble": (multipart(TEXT, nested("multipart/appledouble", part("r", "application/applefile; name=a.pdf"), FILE, boundary="i")), "plain", ["a.pdf", "a.pdf"], []),
    "a picture that nothing shows": (multipart(part("<p>rich</p>", "text/html"), IMAGE, kind="related"), "rich", ["p.png"], []),
    "a picture shown without brackets": (multipart(RICH, IMAGE.replace(b"<pic@x>", b"pic@x"), kind="related"), "rich", [], ["p.png"]),
    "a picture shown by an escaped id": (multipart(part('<img src="cid:pic%40x">rich', "text/html"), IMAGE, kind="related"), "rich", [], ["p.png"]),
    "a picture shown in a style": (multipart(part('<div style="background:url(cid:pic@x)">rich</div>', "text/html"), IMAGE, kind="related"), "rich", [], ["p.png"]),
    "a picture shown by its location": (multipart(part('<img src="p.png">rich', "text/html"), part(PIXEL, "image/png; name=p.png", "Content-Location: p.png"), kind="related"), "rich", None, None),
    "an inline picture without HTML": (multipart(TEXT, part(PIXEL, "image/png; name=p.png", "Content-Disposition: inline")), "plain", ["p.png"], []),
    "text after the file": (multipart(part("one"), FILE, part("two")), "one\n\ntwo", ["a.pdf"], []),
    "Apple's mixture": (multipart(part("<p>one</p>", "text/html"), FILE, part("<p>two</p>", "text/html")), "one\n\ntwo", ["a.pdf"], []),
    "only a file": (mail("x", Content_Type="application/pdf; name=a.pdf"), "", ["a.pdf"], []),
    "only a picture": (mail(PIXEL, Content_Type="image/png"), "", ["attachment.png"], []),
    "a message": (multipart(TEXT, part(mail(Subject="In: side/out"), "message/rfc822")), "plain", ["In: side-out.eml"], []),
    "a message with a name": (multipart(TEXT, part(mail(), "message/rfc822; name=old.eml")), "plain", ["old.eml"], []),
    "a message in base64": (multipart(TEXT, part(base64.encodebytes(mail(Subject="In")), "message/rfc822", "Content-Transfer-Encoding: base64")), "plain", ["In.eml"], []),
    "a message without subject": (multipart(TEXT, part(mail(Subject=None), "message/rfc822")), "plain", ["message.eml"], []),
    "only a message": (mail(mail(Subject="In"), Content_Type="message/rfc822"), "", ["In.eml"], []),
    "a preamble and an epilogue": (mail(b"preamble\n--b\n\nplain\n--b--\nepilogue\n", Content_Type="multipart/mixed; boundary=b"), "plain", [], []),
    "no end": (mail(b"--b\n\nplain", Content_Type="multipart/mixed; boundary=b"), "plain", [], []),
    "a boundary in quotes with blanks": (mail(b"--b b\n\nplain\n--b b--\n", Content_Type='multipart/mixed; boundary="b b"'), "plain", [], []),
    "a boundary with signs": (mail(b"--=_b'()+_,-./:=?\n\nplain\n--=_b'()+_,-./:=?--\n", Content_Type="multipart/mixed; boundary=\"=_b'()+_,-./:=?\""), "plain", [], []),
    "a boundary with trailing blanks": (mail(b"--b  \n\nplain\n--b--  \n", Content_Type='multipart/mixed; boundary="b"'), "plain", [], []),
    "a boundary that begins the other": (multipart(nested("multipart/alternative", TEXT, RICH, boundary="out2"), FILE, boundary="out"), "plain", ["a.pdf"], []),
    "the same boundary twice": (mail(b"--b\nContent-Type: multipart/alternative; boundary=b\n\n--b\n\nplain\n--b--\n--b--\n", Content_Type="multipart/mixed; boundary=b"), "plain", None, []),
    "no boundary said": (mail(b"--b\nContent-Type: text/plain\n\nplain\n--b--\n", Content_Type="multipart/mixed"), "plain", [], []),
    "another boundary": (mail(b"--b\nContent-Type: text/plain\n\nplain\n--b--\n", Content_Type="multipart/mixed; boundary=c"), "plain", [], []),
    "a multipart that is none": (mail(b"plain\n", Content_Type="multipart/alternative; boundary=c"), "plain", [], []),
    "CRLF": (multipart(TEXT, FILE).replace(b"\n", b"\r\n"), "plain", ["a.pdf"], []),
    "CR": (multipart(TEXT, FILE).replace(b"\n", b"\r"), "plain", ["a.pdf"], []),
    "CR CR LF": (multipart(TEXT, FILE).replace(b"\n", b"\r\r\n"), "plain", ["a.pdf"], []),
    "mixed line ends": (multipart(TEXT, FILE).replace(b"\n", b"\r\n", 6), "plain", ["a.pdf"], []),
    "no headers in a part": (mail(b"--b\n\nplain\n--b--\n", Content_Type="multipart/mixed; boundary=b"), "plain", [], []),
    "no blank line in a part": (mail(b"--b\nplain\n--b--\n", Content_Type="multipart/mixed; boundary=b"), "plain", [], []),
    "an empty part": (multipart(TEXT, part("")), "plain", [], []),
    "an empty multipart": (mail(b"--b--\n", Content_Type="multipart/mixed; boundary=b"), None, [], []),
    "a calendar alone": (mail("BEGIN:VCALENDAR\nEND:VCALENDAR", Content_Type="text/calendar"), "", ["invitation.ics"], []),
    "a card": (multipart(TEXT, part("BEGIN:VCARD", "text/x-vcard; name=k.vcf")), "plain", ["k.vcf"], []),
    "an unknown text": (multipart(part("plain", "text/x-web-intelligent")), "plain", [], []),
    "an unknown text with a name": (multipart(TEXT, part("x", "text/x-log; name=a.log")), "plain", ["a.log"], []),
    "a delivery report": (multipart(TEXT, part("Action: failed", "message/delivery-status"), part("Subject: x", "text/rfc822-headers"), kind="report"), "plain", ["delivery-status.txt", "returned-headers.txt"], []),
    "a partial message": (mail("x", Content_Type="message/partial; id=a; number=1; total=2"), "", None, []),
    "external": (multipart(TEXT, part("Content-Type: image/png\n\n", "message/external-body; access-type=URL; URL=https://x.example")), "plain", None, []),
    "HTML that is called plain": (mail("<html><body><p>rich</p></body></html>", Content_Type="text/plain"), "rich", [], []),
    "a type in capitals": (mail("<p>rich</p>", Content_Type="TEXT/HTML; CHARSET=UTF-8"), "rich", [], []),
    "two types": (mail("<p>rich</p>", Content_Type="text/html").replace(b"\n\n", b"\nContent-Type: text/plain\n\n", 1), "rich", [], []),
    "a type with a comment": (mail("<p>rich</p>", Content_Type="text/html (yes) ; charset=utf-8"), "rich", [], []),
    "a type without subtype": (mail("plain", Content_Type="text"), "plain", [], []),
    "an empty type": (mail("plain", Content_Type=""), "plain", [], []),
    "a nonsense type": (mail("plain", Content_Type="nonsense"), "plain", [], []),
    "quoted type": (mail("<p>rich</p>", Content_Type='"text/html"'), "rich", [], []),
    "a folded type": (mail("--b\n\nplain\n--b--\n", Content_Type='multipart/mixed;\n\tboundary="b"'), "plain", [], []),
    "a type folded without blank": (mail("--b\n\nplain\n--b--\n", Content_Type='multipart/mixed;\nboundary="b"'), "plain", [], []),
}  # fmt: skip


def test_nestings():
    misses = []
    for kind, (raw, body, attached, inline) in NESTINGS.items():
        facts = read(raw)
        said = (
            facts.body.strip(),
            [file.filename for file in facts.attachments],
            [file.filename for file in facts.inline],
        )
        wanted = (body, attached, inline)
        if (
            any(mine is not None and mine != its for mine, its in zip(wanted, said, strict=True))
            or facts.problems
        ):
            misses.append((kind, said, wanted))
    assert misses == []


UU = binascii.b2a_uu(b"hello").decode()

#: Content, transfer encoding, bytes.
ENCODINGS = [
    ("aGVsbG8=", "base64", b"hello"),
    ("aGVs\nbG8=\n", "BASE64", b"hello"),
    ("aGVs bG8 =", "base64", b"hello"),
    ("aGVsbG8", "base64", b"hello"),
    ("aGVs!bG8=", "base64", b"hello"),
    ("aGVsbG8=\n\n--\nadded by a list", "base64", None),
    ("aGVs\n=\nbG8=", "base64", None),
    ("hello", "7bit", b"hello"),
    ("hello", "binary", b"hello"),
    ("hello", "x-unknown", b"hello"),
    ("h=65llo", "quoted-printable", b"hello"),
    ("hel=\nlo", "quoted-printable", b"hello"),
    ("hel=  \nlo", "quoted-printable", b"hello"),
    (f"begin 644 h.txt\n{UU}`\nend\n", "x-uuencode", b"hello"),
    (f"begin 644 h.txt\n{UU}`\nend\n", "uuencode", b"hello"),
    ("aGVsbG8=", " base64 ", b"hello"),
    ("aGVsbG8=", '"base64"', b"hello"),
    ("aGVsbG8=", "base64 (comment)", b"hello"),
    ("aGVsbG8=", "base64;", b"hello"),
]  # fmt: skip


def test_transfer_encodings():
    misses = []
    for text, encoding, wanted in ENCODINGS:
        (file,) = read(
            mail(text, Content_Type="application/x; name=x", Content_Transfer_Encoding=encoding)
        ).files
        if file.content != wanted and (wanted is not None or not file.content.startswith(b"hel")):
            misses.append((text, encoding, file.content))
    assert misses == []


def test_files_inside_of_a_text():
    two = f"a\nbegin 644 one.txt\n{UU}`\nend\nb\nbegin 600 two words.txt\n{UU} \nend\nc\n"
    facts = read(mail(two))
    assert [(file.filename, file.content) for file in facts.files] == [
        ("one.txt", b"hello"),
        ("two words.txt", b"hello"),
    ]
    assert facts.body.split() == ["a", "b", "c"]

    coded = b"".join(bytes([(letter + 42) % 256]) for letter in b"hello yenc")
    facts = read(
        mail(b"a\n=ybegin line=128 size=10 name=y.bin\n" + coded + b"\n=yend size=10\nb\n")
    )
    assert [(file.filename, file.content) for file in facts.files] == [("y.bin", b"hello yenc")]
    assert facts.body.split() == ["a", "b"]

    for text in (
        "begin 644 x\nno code at all\nend\n",
        "begin at ten\nand end",
        "=ybegin the day\n",
    ):
        facts = read(mail(text))
        assert (facts.files, facts.body) == ((), text.strip())


FLOWED = [
    ("a \nb", "a b"),
    ("a\nb", "a\nb"),
    ("a \n\nb", "a \n\nb"),
    ("> a \n> b", "> a b"),
    (">> a \n> b", ">> a \n> b"),
    (" >not a quote", ">not a quote"),
    (" From here", "From here"),
    ("-- \nsig", "-- \nsig"),
    ("a \n-- \nsig", "a \n-- \nsig"),
]  # fmt: skip


def test_flowed_text():
    misses = [(text, found) for text, wanted in FLOWED
              if (found := read(mail(text, Content_Type="text/plain; format=flowed")).body) != wanted]  # fmt: skip
    assert misses == []
    assert read(mail("a \nb", Content_Type="text/plain; format=flowed; delsp=yes")).body == "ab"


#: What stands before, between and instead of header lines.
HEADERS = {
    "an mbox line": b"From nora Tue Mar  3 09:15:22 2026\n" + mail("plain"),
    "an escaped mbox line": b">From nora Tue Mar  3 09:15:22 2026\n" + mail("plain"),
    "blank lines": b"\r\n\n" + mail("plain"),
    "a byte order mark": b"\xef\xbb\xbf" + mail("plain"),
    "blanks before the colon": mail("plain").replace(b"Subject:", b"Subject :"),
    "no blank after the colon": mail("plain").replace(b"Subject: ", b"Subject:"),
    "a name in capitals": mail("plain").replace(b"Subject:", b"SUBJECT:"),
    "junk between": mail("plain").replace(b"Subject:", b"junk without colon\nSubject:"),
    "a lost blank in a folded line": mail("plain", X_Long="a;\nb=c"),
    "an empty field": mail("plain", X_Empty=""),
    "a field without name": mail("plain").replace(b"Subject:", b": nothing\nSubject:"),
    "a blank line of blanks": mail("plain").replace(b"\n\n", b"\n   \n", 1),
    "NUL in a header": mail("plain", X_Nul="a\x00b"),
    "a very long field": mail("plain", X_Long="y" * 20_000),
    "raw 8 bit": mail("plain", X_Raw=b"\xff\xfe\xfd"),
    "tab folding": mail("plain", Subject="The\n\tprinter\n\thums"),
    "CRLF": mail("plain").replace(b"\n", b"\r\n"),
    "CR": mail("plain").replace(b"\n", b"\r"),
}  # fmt: skip


def test_headers_in_disorder():
    misses = []
    for kind, raw in HEADERS.items():
        facts = read(raw)
        said = (facts.subject, facts.sender.address if facts.sender else "", facts.body.strip())
        if said != ("The printer hums", "kemal@kunde.example", "plain"):
            misses.append((kind, said))
    assert misses == []
