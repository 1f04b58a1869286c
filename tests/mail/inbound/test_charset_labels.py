"""Charsets as they are declared, misspelt, forgotten and mixed; encoded words of all kinds."""

from __future__ import annotations

import base64

from deskbell.mail.reading import charsets, read, words
from tests.mail.inbound.mails import mail

#: What the bytes are, the labels under which they are sent, and the text.
LABELS = [
    ("utf-8", "utf-8 UTF8 utf_8 Utf-8 unicode-1-1-utf-8 x-utf-8 utf8mb4 cp65001 UTF-8; 'utf-8' \"utf-8\" =utf-8 utf-8,utf-8 utf-8utf-8 utf-8\\r _utf-8 charset=utf-8 utf-8- *utf-8 utf", "Grüße 日本 €"),
    ("cp1252", "iso-8859-1 ISO8859-1 iso_8859-1 iso-8859-1; latin1 latin-1 l1 us-ascii ascii ansi_x3.4-1968 ANSI_X3.4 x-ansi windows-1252 windows1252 cp-1252 win-1252 cp1252 x-cp1252 ibm819 iso88591 8859-1 iso-8859-1-windows-1252", "Café „€“"),
    ("iso8859-15", "iso-8859-15 latin9 latin-9 iso8859_15 ISO_8859-15", "Œuvre 5 €"),
    ("cp1250", "windows-1250 cp1250 win1250 x-cp1250 windows1250 cswindows1250", "Žluťoučký kůň"),
    ("iso8859-2", "iso-8859-2 latin2 iso_8859-2:1987 l2", "Żółć"),
    ("cp1251", "windows-1251 cp1251 win-1251 x-cp1251 windows1251 win1251 cp-1251", "Привет, мир"),
    ("koi8-r", "koi8-r KOI8R koi8_r cskoi8r koi8", "Привет, мир"),
    ("koi8-u", "koi8-u koi8-ru koi8u", "Привіт, їжак"),
    ("cp866", "ibm866 cp866 866 dos-866", "Привет"),
    ("iso8859-5", "iso-8859-5 cyrillic", "Привет"),
    ("cp1253", "windows-1253 cp1253", "Καλημέρα ΄"),
    ("iso8859-7", "iso-8859-7 greek greek8 elot_928 sun_eu_greek", "Καλημέρα"),
    ("cp1254", "windows-1254 iso-8859-9 latin5 x-cp1254", "Işık güneş €"),
    ("cp1255", "windows-1255 x-cp1255", "שָׁלוֹם"),
    ("iso8859-8", "iso-8859-8 iso-8859-8-i iso_8859-8-e visual logical hebrew", "שלום"),
    ("cp1256", "windows-1256 x-cp1256", "مرحبا"),
    ("iso8859-6", "iso-8859-6 arabic ecma-114 asmo-708", "مرحبا"),
    ("cp1257", "windows-1257", "Ąžuolas"),
    ("iso8859-4", "iso-8859-4 latin4", "Ąžuolas"),
    ("iso8859-13", "iso-8859-13", "Ąžuolas"),
    ("cp1258", "windows-1258 tcvn", "Viê\u0323t Nam"),
    ("cp874", "tis-620 windows-874 cp874 iso-8859-11 tis620 x-windows-874 dos-874", "สวัสดี"),
    ("gb18030", "gb2312 GB2312 gbk gb18030 x-gbk cp936 ms936 windows-936 gb_2312-80 gb_2312 csgb2312 chinese euc-cn cn-gb gb2312_charset x-gb2312 cp54936", "你好，世界 €"),
    ("big5hkscs", "big5 big-5 big5-hkscs cn-big5 x-x-big5 csbig5 cp950 windows-950 x-big5 big5-eten", "你好，世界"),
    ("cp932", "shift_jis shift-jis sjis x-sjis ms_kanji windows-31j cp932 ms932 x-ms-cp932 csshiftjis cp943c windows-932", "日本語①～"),
    ("euc_jp", "euc-jp x-euc-jp eucjp ujis eucjp-ms cp51932 extended_unix_code_packed_format_for_japanese cseucpkdfmtjapanese", "日本語"),
    ("iso2022_jp_ext", "iso-2022-jp ISO-2022-JP-MS iso-2022-jp-1 cp50220 cp50221 csiso2022jp iso-2022-jp-ext", "日本語"),
    ("cp949", "euc-kr ks_c_5601-1987 ks_c_5601 ksc5601 ks_c_5601-1989 cp949 uhc x-windows-949 windows-949 ms949 korean cseuckr ks-c-5601-1987 iso-ir-149 ksc_5601", "안녕하세요 똠"),
    ("iso2022_kr", "iso-2022-kr csiso2022kr", "안녕"),
    ("hz", "hz-gb-2312 hz", "你好"),
    ("mac_roman", "macintosh mac x-mac-roman macroman x-macroman apple-roman", "Café ©"),
    ("mac_cyrillic", "x-mac-cyrillic", "Привет"),
    ("mac_latin2", "x-mac-ce x-mac-centraleurroman", "Żółć"),
    ("utf-7", "utf-7 unicode-1-1-utf-7 csunicode11utf7 x-unicode-1-1-utf-7 unicode-2-0-utf-7", "Grüße & Küsse"),
    ("utf-16", "utf-16 unicode ucs-2 iso-10646-ucs-2", "Grüße"),
    ("utf-16-le", "utf-16le utf-16 unicode UCS-2LE", "Hello Grüße"),
    ("utf-16-be", "utf-16be utf-16 unicodefffe", "Hello Grüße"),
    ("cp437", "ibm437 cp437", "Käse"),
    ("cp850", "ibm850 cp850 cp-850 dos-850", "Käse"),
    ("cp852", "ibm852", "Żółć"),
    ("cp500", "cp500 ibm500", "Hallo"),
]  # fmt: skip


def test_labels_of_charsets():
    misses = []
    for codec, labels, text in LABELS:
        data = text.encode(codec)
        for label in labels.split(" "):
            said = charsets.decode(data, label.replace("\\r", "\r"))
            if said != text:
                misses.append((label, codec, said))
    assert misses == []


#: Bytes that contradict their label, or come without one.
LIES = [
    ("Grüße, Häuser, Straße".encode(), "iso-8859-1", "Grüße, Häuser, Straße"),
    ("Grüße".encode(), "us-ascii", "Grüße"),
    ("Grüße".encode(), "windows-1252", "Grüße"),
    ("Grüße".encode(), "iso-8859-15", "Grüße"),
    ("Привет, мир, как дела".encode(), "koi8-r", "Привет, мир, как дела"),
    ("Привет".encode(), "windows-1251", "Привет"),
    ("日本語テスト".encode(), "shift_jis", "日本語テスト"),
    ("日本語テスト".encode(), "iso-2022-jp", "日本語テスト"),
    ("日本語テスト".encode("iso2022_jp"), "utf-8", "日本語テスト"),
    ("日本語テスト".encode("iso2022_jp"), "us-ascii", "日本語テスト"),
    ("Grüße".encode("cp1252"), "utf-8", "Grüße"),
    ("Łódź żółta".encode("iso8859-2"), "iso-8859-2", "Łódź żółta"),
    ("Grüße".encode("cp1252"), None, "Grüße"),
    ("Grüße".encode("cp1252"), "x-unknown", "Grüße"),
    ("Grüße".encode("cp1252"), "", "Grüße"),
    ("Grüße".encode("cp1252"), "8bit", "Grüße"),
    ("Grüße".encode("cp1252"), "none", "Grüße"),
    ("Grüße".encode("cp1252"), "%CHARSET%", "Grüße"),
    ("\ufeffGrüße".encode(), "iso-8859-1", "Grüße"),
    ("\ufeffGrüße".encode("utf-16-le"), "iso-8859-1", "Grüße"),
    ("Hello".encode("utf-16-le"), "utf-16", "Hello"),
    (b"plain words only", "utf-16", "plain words only"),
    (b"plain words only", "iso-2022-kr", "plain words only"),
    (b"plain words only", "utf-16le", "plain words only"),
    (b"a + b = c", "utf-7", "a + b = c"),
    ("Съешь ещё этих мягких французских булок, да выпей чаю".encode("cp1251"), None, "Съешь ещё этих мягких французских булок, да выпей чаю"),
    ("Съешь ещё этих мягких французских булок, да выпей чаю".encode("koi8-r"), None, "Съешь ещё этих мягких французских булок, да выпей чаю"),
    ("今天我们的打印机坏了，请帮忙看一下，谢谢".encode("gbk"), None, "今天我们的打印机坏了，请帮忙看一下，谢谢"),
    ("プリンターが動きません。どうすればいいですか。".encode("euc_jp"), None, "プリンターが動きません。どうすればいいですか。"),
    ("プリンターが動きません。どうすればいいですか。".encode("cp932"), None, "プリンターが動きません。どうすればいいですか。"),
    ("프린터가 고장 났습니다 도와 주세요".encode("cp949"), None, "프린터가 고장 났습니다 도와 주세요"),
    (b"one \x93quoted\x94 word \x96 here", "iso-8859-1", "one \u201cquoted\u201d word \u2013 here"),
    (b"hole \x81 here", "windows-1252", "hole  here"),
    ("naïve".encode() + b" \xff", "utf-8", "naïve \ufffd"),
]  # fmt: skip


def test_bytes_that_contradict_their_label():
    misses = [(label, charsets.decode(data, label), text) for data, label, text in LIES
              if charsets.decode(data, label) != text]  # fmt: skip
    assert misses == []


def b64(text: str, codec: str) -> str:
    return base64.b64encode(text.encode(codec)).decode()


WORDS = [
    ("=?utf-8?Q?Gr=C3=BC=C3=9Fe?=", "Grüße"),
    ("=?UTF-8?q?Gr=c3=bc=c3=9fe?=", "Grüße"),
    ("=?utf8?Q?Gr=C3=BC=C3=9Fe?=", "Grüße"),
    ("=?utf-8?Q?a_b?= =?utf-8?Q?_c?=", "a b c"),
    ("=?utf-8?Q?a?= b =?utf-8?Q?c?=", "a b c"),
    ("=?utf-8?Q?a?=\r\n =?utf-8?Q?b?=", "ab"),
    ("=?utf-8?Q?a?==?utf-8?Q?b?=", "ab"),
    ("x=?utf-8?Q?=C3=BC?=y", "xüy"),
    ("(=?utf-8?Q?=C3=BC?=)", "(ü)"),
    ('"=?utf-8?Q?=C3=BC?="', '"ü"'),
    ("=?iso-8859-1?Q?=FC?= =?utf-8?Q?=C3=BC?=", "üü"),
    (f"=?utf-8?B?{b64('日本', 'utf-8')[:4]}?= =?utf-8?B?{b64('日本', 'utf-8')[4:]}?=", "日本"),
    (f"=?utf-8?B?{b64('Grüße', 'utf-8').rstrip('=')}?=", "Grüße"),
    (f"=?utf-8?b?{b64('Grüße', 'utf-8')}?=", "Grüße"),
    (f"=?utf-8?B?{b64('Grüße', 'utf-8')} ?=", "Grüße"),
    (f"=?iso-2022-jp?B?{b64('日本語', 'iso2022_jp')}?=", "日本語"),
    (f"=?ISO-2022-JP?B?{b64('日本', 'iso2022_jp')}?= =?ISO-2022-JP?B?{b64('語', 'iso2022_jp')}?=", "日本語"),
    (f"=?gb2312?B?{b64('鎔你', 'gb18030')}?=", "鎔你"),
    (f"=?ks_c_5601-1987?B?{b64('안녕', 'cp949')}?=", "안녕"),
    (f"=?big5?B?{b64('你好', 'big5')}?=", "你好"),
    (f"=?windows-1251?B?{b64('Привет', 'cp1251')}?=", "Привет"),
    (f"=?koi8-r?B?{b64('Привет', 'koi8-r')}?=", "Привет"),
    ("=?windows-1252?Q?5_=80?=", "5 €"),
    ("=?iso-8859-1?Q?5_=80?=", "5 €"),
    ("=?utf-8*de?Q?Gr=C3=BC=C3=9Fe?=", "Grüße"),
    ("=?utf-8*de-AT?B?R3LDvMOfZQ==?=", "Grüße"),
    ("=?utf-8?Q?Gr=C3=BC=C3=9Fe and more?=", "Grüße and more"),
    ("=?utf-8?Q?100%_?= =?utf-8?Q?=E2=82=AC?=", "100% €"),
    ("=?utf-8?Q?a=3Fb?=", "a?b"),
    ("=?utf-8?Q?a?b?=", "a?b"),
    ("=?utf-8?Q?=3D=3F?=", "=?"),
    ("=?us-ascii?Q?x=E4?=", "xä"),
    ("=?unknown-8bit?Q?Gr=C3=BC=C3=9Fe?=", "Grüße"),
    ("=?unknown?Q?Gr=FC=DFe?=", "Grüße"),
    ("=?utf-8?Q?Gr=FC=DFe?=", "Grüße"),
    ("=?iso-8859-1?Q?Gr=C3=BC=C3=9Fe?=", "Grüße"),
    ("=?utf-8?Q??=", ""),
    ("=?utf-8?B??= x", "x"),
    ("=?utf-8?Q?broken", "=?utf-8?Q?broken"),
    ("=?utf-8?Q?a=?=", "a="),
    ("=?utf-8?Q?a=Z1?=", "a=Z1"),
    ("=?utf-8?X?a?=", "=?utf-8?X?a?="),
    ("1 =?= 2", "1 =?= 2"),
    ("what=?", "what=?"),
    ("=? utf-8 ?Q?=C3=BC?=", "ü"),
    ("Re: =?utf-8?Q?=5Bx=5D?= y", "Re: [x] y"),
    ("=?utf-8?Q?a=09b=0Ac?=", "a b c"),
    ("=?UTF-8?Q?Tom_=26_Jerry?=", "Tom & Jerry"),
    ("=?utf-16?B?//5HAHIA?=", "Gr"),
    ("=?utf-7?Q?Gr+APwA3w-e?=", "Grüße"),
    ("=?iso-8859-8-i?B?+ezl7Q==?=", "שלום"),
    ("=?cp1252?Q?=93x=94?=", "“x”"),
    ("=?\"utf-8\"?Q?=C3=BC?=", "ü"),
    ("=?utf-8?Q?=C3?=\n =?utf-8?Q?=BC?=", "ü"),
    ("=?utf-8?Q?=F0=9F=98?= =?utf-8?Q?=80?=", "😀"),
    ("=?utf-8?B?w7w=?= =?utf-8?Q?=C3=BC?=", "üü"),
]  # fmt: skip


def test_encoded_words():
    misses = [(raw, words.decode(raw.encode()), text) for raw, text in WORDS
              if words.decode(raw.encode()) != text]  # fmt: skip
    assert misses == []


BODIES = [
    (b"caf\xc3\xa9", 'text/plain; charset="utf-8"', None, "café"),
    (b"caf\xe9", "text/plain; charset=iso-8859-1", None, "café"),
    (b"caf\xe9", "text/plain;charset=ISO-8859-1;format=flowed", None, "café"),
    (b"caf\xe9", "text/plain; Charset = iso-8859-1", None, "café"),
    (b"caf\xe9", "text/plain charset=iso-8859-1", None, "café"),
    (b"caf\xc3\xa9", "text/plain; charset=", None, "café"),
    (b"caf\xc3\xa9", "text/plain; charset=utf-8; charset=iso-8859-1", None, "café"),
    (b"caf\xc3\xa9", "text", None, "café"),
    (b"caf=C3=A9", "text/plain; charset=utf-8", "quoted-printable", "café"),
    (b"caf=c3=a9=\n!", "text/plain; charset=utf-8", "QUOTED-PRINTABLE", "café!"),
    (b"caf=C3=A9 =\r\nnext", "text/plain; charset=utf-8", "quoted-printable", "café next"),
    (b"a = b =3D c =ZZ", "text/plain", "quoted-printable", "a = b = c =ZZ"),
    (b"Y2Fmw6k=", "text/plain; charset=utf-8", "base64", "café"),
    (b"Y2Fm\nw6k\n", "text/plain; charset=utf-8", "Base64", "café"),
    (b"Y2Fmw6k=\n\n-- \nadded in plain", "text/plain; charset=utf-8", "base64", None),
    (b"caf\xc3\xa9", "text/plain; charset=utf-8", "binary", "café"),
    (b"caf\xc3\xa9", "text/plain; charset=utf-8", "8bit", "café"),
    (b"caf\xc3\xa9", "text/plain; charset=utf-8", "utf-8", "café"),
    (b"caf=C3=A9", "text/plain; charset=utf-8", "quoted-printable; x", "café"),
    (b"<meta charset=koi8-r><p>\xf0\xd2\xc9\xd7\xc5\xd4", "text/html", None, "Привет"),
    (b'<meta http-equiv="Content-Type" content="text/html; charset=windows-1251"><p>\xcf\xf0\xe8\xe2\xe5\xf2', "text/html", None, "Привет"),
    (b"<meta charset=koi8-r><p>caf\xc3\xa9", "text/html; charset=utf-8", None, "café"),
    (b'<?xml version="1.0" encoding="koi8-r"?><html><p>\xf0\xd2\xc9\xd7\xc5\xd4', "text/html", None, "Привет"),
]  # fmt: skip


def test_bodies():
    misses = []
    for data, kind, encoding, text in BODIES:
        said = read(mail(data, Content_Type=kind, Content_Transfer_Encoding=encoding)).body
        if text is None:
            if not said.startswith("café"):
                misses.append((data, said))
        elif said != text:
            misses.append((data, said))
    assert misses == []
