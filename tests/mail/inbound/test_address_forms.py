"""People, dates and ids in header fields, in all the ways in which they are written."""

from __future__ import annotations

from deskbell.mail.reading import addresses, fields, read
from tests.mail.inbound.mails import mail

#: A field, and "name|address" of those that are in it.
PEOPLE = [
    ("nora@x.example", ["|nora@x.example"]),
    ("<nora@x.example>", ["|nora@x.example"]),
    ("Nora <nora@x.example>", ["Nora|nora@x.example"]),
    ('"Nora" <nora@x.example>', ["Nora|nora@x.example"]),
    ("'Nora' <nora@x.example>", ["Nora|nora@x.example"]),
    ("\"'Nora'\" <nora@x.example>", ["Nora|nora@x.example"]),
    ("“Nora” <nora@x.example>", ["Nora|nora@x.example"]),
    ("Nora<nora@x.example>", ["Nora|nora@x.example"]),
    ("Nora  B.  <nora@x.example>", ["Nora B.|nora@x.example"]),
    ("Nora B. (Sales) <nora@x.example>", ["Nora B.|nora@x.example"]),
    ("Nora (Sales, West) <nora@x.example>", ["Nora|nora@x.example"]),
    ("nora@x.example (Nora (in) Sales)", ["Nora (in) Sales|nora@x.example"]),
    ("nora@x.example (Nora \\) B)", ["Nora ) B|nora@x.example"]),
    ('"Nora \\"Nick\\" B" <nora@x.example>', ['Nora "Nick" B|nora@x.example']),
    ('Nora "Nick" B <nora@x.example>', ['Nora "Nick" B|nora@x.example']),
    ('"B, Nora" <nora@x.example>', ["B, Nora|nora@x.example"]),
    ("B, Nora <nora@x.example>", ["B, Nora|nora@x.example"]),
    ("B, Nora <nora@x.example>, C, Tom <tom@x.example>", ["B, Nora|nora@x.example", "C, Tom|tom@x.example"]),
    ("B, Nora <nora@x.example>; C, Tom <tom@x.example>", ["B, Nora|nora@x.example", "C, Tom|tom@x.example"]),
    ('"Nora; B" <nora@x.example>', ["Nora; B|nora@x.example"]),
    ('"Nora @ Home" <nora@x.example>', ["Nora @ Home|nora@x.example"]),
    ("Nora @ Home <nora@x.example>", ["Nora @ Home|nora@x.example"]),
    ("nora@x.example <nora@x.example>", ["nora@x.example|nora@x.example"]),
    ('"nora@x.example" <nora@x.example>', ["nora@x.example|nora@x.example"]),
    ("Nora via Talk <talk@x.example>", ["Nora via Talk|talk@x.example"]),
    ("a@x.example,b@x.example", ["|a@x.example", "|b@x.example"]),
    ("a@x.example;b@x.example;", ["|a@x.example", "|b@x.example"]),
    ("a@x.example, , b@x.example,", ["|a@x.example", "|b@x.example"]),
    (",a@x.example", ["|a@x.example"]),
    ("A <a@x.example> B <b@x.example>", ["A|a@x.example", "B|b@x.example"]),
    ("<a@x.example><b@x.example>", ["|a@x.example", "|b@x.example"]),
    ("<a@x.example> Nora", ["Nora|a@x.example"]),
    ("a@x.example Nora", ["Nora|a@x.example"]),
    ("Nora a@x.example", ["Nora|a@x.example"]),
    ("Nora <a@x.example", ["Nora|a@x.example"]),
    ("Nora a@x.example>", ["Nora|a@x.example"]),
    ("Nora <<a@x.example>>", ["Nora|a@x.example"]),
    ("Nora [a@x.example]", ["Nora|a@x.example"]),
    ("Nora <mailto:a@x.example>", ["Nora|a@x.example"]),
    ("Nora <a@x.example<mailto:a@x.example>>", ["Nora|a@x.example"]),
    ("mailto:a@x.example", ["|a@x.example"]),
    ("MAILTO:a@x.example", ["|a@x.example"]),
    ("Nora < a@x.example >", ["Nora|a@x.example"]),
    ("Nora <a@x.example >", ["Nora|a@x.example"]),
    ("Nora <a @ x.example>", ["Nora|a@x.example"]),
    ("Nora <a@ x.example>", ["Nora|a@x.example"]),
    ("Nora <a@x. example>", ["Nora|a@x.example"]),
    ("Nora <a.@x.example>", ["Nora|a.@x.example"]),
    ("Nora <a..b@x.example>", ["Nora|a..b@x.example"]),
    ("Nora <.a@x.example>", ["Nora|.a@x.example"]),
    ("<a+b=c@x.example>", ["|a+b=c@x.example"]),
    ("<SRS0=ab=cd=x.example=a@y.example>", ["|SRS0=ab=cd=x.example=a@y.example"]),
    ("<o'neil@x.example>", ["|o'neil@x.example"]),
    ("<a/b%c!d@x.example>", ["|a/b%c!d@x.example"]),
    ('<"a b"@x.example>', ['|"a b"@x.example']),
    ('<"a"@x.example>', ["|a@x.example"]),
    ('<"a@b"@x.example>', ['|"a@b"@x.example']),
    ("<a@[192.0.2.1]>", ["|a@[192.0.2.1]"]),
    ("<a@[IPv6:2001:db8::1]>", ["|a@[IPv6:2001:db8::1]"]),
    ("<a@localhost>", ["|a@localhost"]),
    ("<a@x.example.>", ["|a@x.example"]),
    ("<@r1.example,@r2.example:a@x.example>", ["|a@x.example"]),
    ("<a@bücher.example>", ["|a@bücher.example"]),
    ("<a@xn--bcher-kva.example>", ["|a@xn--bcher-kva.example"]),
    ("<用户@例子.example>", ["|用户@例子.example"]),
    ("Friends: a@x.example, B <b@x.example>;", ["|a@x.example", "B|b@x.example"]),
    ('"My Friends": a@x.example;', ["|a@x.example"]),
    ("F1: a@x.example;, F2: b@x.example;, c@x.example", ["|a@x.example", "|b@x.example", "|c@x.example"]),
    ("undisclosed-recipients:;", []),
    ("undisclosed recipients: ;", []),
    ("undisclosed-recipients", []),
    ("unlisted-recipients:; (no To-header on input)", []),
    ("Nora", []),
    ("<>", []),
    ("", []),
    ("   ", []),
    ("@", []),
    ("<@>", []),
    ("a@", []),
    ("@x.example", []),
    ("Nora <nora>", []),
    ("nora at x.example", []),
    ("=?utf-8?Q?N=C3=B6ra?= <n@x.example>", ["Nöra|n@x.example"]),
    ('"=?utf-8?Q?N=C3=B6ra?=" <n@x.example>', ["Nöra|n@x.example"]),
    ("=?utf-8?Q?B=2C_N=C3=B6ra?= <n@x.example>", ["B, Nöra|n@x.example"]),
    ("=?utf-8?Q?B=2C?= =?utf-8?Q?_N=C3=B6ra?= <n@x.example>", ["B, Nöra|n@x.example"]),
    ("=?utf-8?Q?N=C3=B6ra_=3Cevil=40x.example=3E?= <n@x.example>", ["Nöra <evil@x.example>|n@x.example"]),
    ("=?utf-8?Q?N=C3=B6ra?=<n@x.example>", ["Nöra|n@x.example"]),
    ("n@x.example (=?utf-8?Q?N=C3=B6ra?=)", ["Nöra|n@x.example"]),
    ("=?utf-8?B?TsO2cmE=?= B <n@x.example>", ["Nöra B|n@x.example"]),
    ("Nora\t<n@x.example>", ["Nora|n@x.example"]),
    ("Nora\r\n <n@x.example>", ["Nora|n@x.example"]),
    ("Nora <n@x.example>\r\n", ["Nora|n@x.example"]),
    ("Nora, n@x.example", ["|n@x.example"]),
    ("http://x.example <n@x.example>", ["http://x.example|n@x.example"]),
    ("Re: Nora <n@x.example>", ["Re: Nora|n@x.example"]),
    ("Nora | Sales <n@x.example>", ["Nora | Sales|n@x.example"]),
    ("Nora/Sales <n@x.example>", ["Nora/Sales|n@x.example"]),
    ("Nora & Tom <n@x.example>", ["Nora & Tom|n@x.example"]),
    ("[Nora] <n@x.example>", ["[Nora]|n@x.example"]),
    ("Nora: Sales <n@x.example>", ["Nora: Sales|n@x.example"]),
    ("😀 Nora <n@x.example>", ["😀 Nora|n@x.example"]),
    ("N\u200bora <n@x.example>", ["N\u200bora|n@x.example"]),
    ("Nora <n@x.example> (away)", ["Nora|n@x.example"]),
    ("Nora <n@x.example>, n@x.example", ["Nora|n@x.example", "|n@x.example"]),
    ("'n@x.example'", ["|n@x.example"]),
    ("\"n@x.example\"", ["|n@x.example"]),
    ("'n@x.example' <n@x.example>", ["n@x.example|n@x.example"]),
    ("SMTP:n@x.example", ["|n@x.example"]),
    ("/O=X/OU=Y/CN=N, n@x.example", ["|n@x.example"]),
    ("n@x.example\\", ["|n@x.example"]),
    ("\\\"Nora\\\" <n@x.example>", ["Nora|n@x.example"]),
]  # fmt: skip


def test_people():
    misses = []
    for raw, wanted in PEOPLE:
        found = [f"{entry.name}|{entry.address}" for entry in addresses.parse(raw.encode())]
        if found != wanted:
            misses.append((raw, found))
    assert misses == []


def test_people_in_raw_bytes_of_the_bodys_charset():
    facts = read(mail("Привет, принтер не работает".encode("koi8-r"), From="Иван <i@x.example>".encode("koi8-r"),
                      Subject="Принтер".encode("koi8-r"), Content_Type="text/plain; charset=koi8-r"))  # fmt: skip

    assert (facts.sender.name, facts.subject) == ("Иван", "Принтер")


#: Which fields there are, and who is shown.
SENDERS = [
    ({"From": "A <a@x.example>", "Sender": "S <s@x.example>"}, "A|a@x.example"),
    ({"From": "A <a@x.example>, B <b@x.example>", "Sender": "B <b@x.example>"}, "A|a@x.example"),
    ({"From": None, "Sender": "S <s@x.example>"}, "S|s@x.example"),
    ({"From": None, "Reply-To": "R <r@x.example>", "Sender": "S <s@x.example>"}, "R|r@x.example"),
    ({"From": "nobody here", "Return-Path": "<e@x.example>"}, "|e@x.example"),
    ({"From": "undisclosed:;", "Reply-To": "r@x.example"}, "|r@x.example"),
    ({"From": "A <a@x.example>", "Reply-To": "R <r@x.example>"}, "A|a@x.example"),
    ({"From": "Team: A <a@x.example>;"}, "A|a@x.example"),
    ({"From": None}, None),
    ({"From": "<>"}, None),
]  # fmt: skip


def test_who_is_shown():
    misses = []
    for headers, wanted in SENDERS:
        sender = read(
            mail(**{name.replace("-", "_"): value for name, value in headers.items()})
        ).sender
        if (f"{sender.name}|{sender.address}" if sender else None) != wanted:
            misses.append((headers, sender))
    assert misses == []


DATES = [
    ("Tue, 3 Mar 2026 09:15:22 +0100", "2026-03-03T08:15:22"),
    ("3 Mar 2026 09:15:22 +0100", "2026-03-03T08:15:22"),
    ("Tue, 03 Mar 2026 09:15 +0100", "2026-03-03T08:15:00"),
    ("Tue, 3 Mar 2026 09:15:22 GMT", "2026-03-03T09:15:22"),
    ("Tue, 3 Mar 2026 09:15:22 UT", "2026-03-03T09:15:22"),
    ("Tue, 3 Mar 2026 09:15:22 Z", "2026-03-03T09:15:22"),
    ("Tue, 3 Mar 2026 09:15:22 EST", "2026-03-03T14:15:22"),
    ("Tue, 3 Mar 2026 09:15:22 PDT", "2026-03-03T16:15:22"),
    ("Tue, 3 Mar 2026 09:15:22 -0000", "2026-03-03T09:15:22"),
    ("Tue, 3 Mar 2026 09:15:22", "2026-03-03T09:15:22"),
    ("Tue, 3 Mar 2026 09:15:22 +0100 (CET)", "2026-03-03T08:15:22"),
    ("Tue, 3 Mar 2026 09:15:22 +01:00", "2026-03-03T08:15:22"),
    ("Tue, 3 Mar 2026 09:15:22 GMT+0100", "2026-03-03T08:15:22"),
    ("Tue,  3 Mar 2026 09:15:22 +0530", "2026-03-03T03:45:22"),
    ("Tuesday, 3 March 2026 09:15:22 +0100", "2026-03-03T08:15:22"),
    ("Tue Mar  3 09:15:22 2026", "2026-03-03T09:15:22"),
    ("Tue Mar 3 09:15:22 CET 2026", "2026-03-03T08:15:22"),
    ("Tue, 3-Mar-2026 09:15:22 +0100", "2026-03-03T08:15:22"),
    ("Tue, 3 Mar 26 09:15:22 +0100", "2026-03-03T08:15:22"),
    ("Tue, 3 Mar 99 09:15:22 +0100", "1999-03-03T08:15:22"),
    ("Tue, 3 Mar 2026 09:15:60 +0000", "2026-03-03T09:15:59"),
    ("tue, 3 mar 2026 09:15:22 +0100", "2026-03-03T08:15:22"),
    ("Di, 3 Mär 2026 09:15:22 +0100", "2026-03-03T08:15:22"),
    ("Di, 3 Dez 2026 09:15:22 +0100", "2026-12-03T08:15:22"),
    ("mar., 3 mars 2026 09:15:22 +0100", "2026-03-03T08:15:22"),
    ("2026-03-03T09:15:22+01:00", "2026-03-03T08:15:22"),
    ("2026-03-03T09:15:22Z", "2026-03-03T09:15:22"),
    ("2026-03-03 09:15:22 +0100", "2026-03-03T08:15:22"),
    ("Tue, 3 Mar 2026 9:15:22 PM +0100", "2026-03-03T20:15:22"),
    ("=?utf-8?Q?Tue,_3_Mar_2026_09:15:22_+0100?=", "2026-03-03T08:15:22"),
    ("Tue, 3 Mar 2026 24:15:22 +0100", None),
    ("Tue, 32 Mar 2026 09:15:22 +0100", None),
    ("Tue, 3 Foo 2026 09:15:22 +0100", None),
    ("0", None),
    ("today", None),
    ("", None),
]  # fmt: skip


def test_dates():
    misses = []
    for text, wanted in DATES:
        found = read(mail(Date=text)).date
        said = found.isoformat()[:19] if found else None
        if said != wanted:
            misses.append((text, said, wanted))
    assert misses == []


IDS = [
    ("<a@x>", ("a@x",)),
    ("<a@x> <b@x>\n\t<c@x>", ("a@x", "b@x", "c@x")),
    ("<a@x><b@x>", ("a@x", "b@x")),
    ("<a@x>, <b@x>; <c@x>", ("a@x", "b@x", "c@x")),
    ("a@x", ("a@x",)),
    ("<a@x", ("a@x",)),
    ("a@x>", ("a@x",)),
    ('"a@x"', ("a@x",)),
    ("<a b@x>", ("ab@x",)),
    ("<a@x> (Nora's message of Tue)", ("a@x",)),
    ('Message from "Nora" <n@x> of "Tue" <a@x>', ("n@x", "a@x")),
    ("<<a@x>>", ("a@x",)),
    ("<no-at-sign>", ("no-at-sign",)),
    ("plain", ("plain",)),
    ("<>", ()),
    ("", ()),
    ("<a@x>" * 3, ("a@x", "a@x", "a@x")),
    ("<a$b!c/d+e=f@x>", ("a$b!c/d+e=f@x",)),
    ("<=?utf-8?q?a=40x?=>", ("=?utf-8?q?a=40x?=",)),
]  # fmt: skip


def test_ids():
    misses = [(raw, fields.message_ids(raw)) for raw, wanted in IDS if fields.message_ids(raw) != wanted]  # fmt: skip
    assert misses == []
