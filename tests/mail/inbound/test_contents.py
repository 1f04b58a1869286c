"""Structure, text and files: what is readable, what is kept, whatever the MIME is like."""

from __future__ import annotations

import base64
import binascii

import pytest

from deskbell.mail.reading import read
from deskbell.mail.reading.contents import unflowed
from tests.mail.inbound.mails import PIXEL, attached, mail, multipart, part


def names(facts):
    return [file.filename for file in facts.files]


class TestTheText:
    @pytest.mark.parametrize(
        ("raw", "body"),
        [
            (mail("one\n"), "one"),
            (mail("one\n").replace(b"\n", b"\r\n"), "one"),
            (mail("one\n").replace(b"\n", b"\r"), "one"),
            (b"\n\nFrom someone Mon Mar  2 10:00:00 2026\n" + mail("one\n"), "one"),
            (b"junk on top\n" + mail("one\n"), "one"),
            (mail("=C3=A4", Content_Transfer_Encoding="Quoted-Printable "), "ä"),
            (mail("w6Q=", Content_Transfer_Encoding='"base64"'), "ä"),
            (mail("=41 stays", Content_Transfer_Encoding="7-bit"), "=41 stays"),
            (mail("<p>a<b>b</b></p>", Content_Type="text/html"), "ab"),
            (mail("<html><body><p>a</p></body></html>"), "a"),  # the type lies
            (
                mail("<style>p{}</style><script>x()</script><title>t</title>b", Content_Type="text/html"),
                "b",
            ),
            (mail("a \nb\n", Content_Type="text/plain; format=flowed"), "a b"),
            (mail("<bold>a</bold><<b", Content_Type="text/enriched"), "a<b"),
            (mail("text", Content_Type="multipart/mixed; boundary=lost"), "text"),
            (mail("--x\nContent-Type: text/plain\n\na\n--x--\n", Content_Type="multipart/mixed"), "a"),
            (mail("--y\nContent-Type: text/plain\n\na\n--y--", Content_Type="multipart/mixed; boundary=z"), "a"),
            (mail(b"", Content_Type="text/plain"), ""),
        ],
    )  # fmt: skip
    def test_comes_out(self, raw, body):
        assert read(raw).body.removeprefix("t\n").strip() == body

    def test_is_the_plain_alternative_and_the_html_is_kept(self):
        facts = read(multipart(part("plain"), part("<p>rich", "text/html"), kind="alternative"))

        assert (facts.body, facts.html, facts.files) == ("plain", "<p>rich", ())

    def test_keeps_no_html_that_is_an_empty_page_beside_words(self):
        page = "<html><head><style>p {}</style></head><body>\n<br>&nbsp;</body></html>"
        facts = read(multipart(part("plain"), part(page, "text/html"), kind="alternative"))
        pictures = part('<img src="https://a.example/b.png">', "text/html")

        assert (facts.body.strip(), facts.html) == ("plain", "")
        assert read(multipart(part("plain"), pictures, kind="alternative")).html

    def test_is_the_html_where_the_plain_alternative_is_blank(self):
        facts = read(
            multipart(part(" \n\u00a0\n"), part("<p>rich", "text/html"), kind="alternative")
        )

        assert facts.body == "rich"

    def test_is_all_inline_texts_and_no_attached_one(self):
        facts = read(
            multipart(part("one"), attached(b"no", "text/plain", "n.txt"), part("two"), part("<b>three", "text/html"))
        )  # fmt: skip

        assert facts.body.split() == ["one", "two", "three"]
        assert names(facts) == ["n.txt"]

    def test_is_also_the_only_part_where_that_has_a_name(self):
        facts = read(part("readable", "text/plain; name=body.log", "Content-Disposition: inline"))

        assert (facts.body, names(facts)) == ("readable", ["body.log"])

    def test_of_an_inner_boundary_that_begins_like_the_outer(self):
        inner = b"Content-Type: multipart/alternative; boundary=b1\n\n--b1\n\ninner\n--b1--\n"

        facts = read(multipart(inner, part("outer"), boundary="b"))

        assert facts.body.split() == ["inner", "outer"]

    def test_flowed_keeps_quotes_and_signature_apart(self):
        assert unflowed("> a \n> b\nc \nd\n-- \ne") == "> a b\nc d\n-- \ne"


class TestFiles:
    def test_are_named_sized_and_whole(self):
        facts = read(multipart(part("see"), attached(PIXEL, "image/png", "a b.png")))

        (file,) = facts.attachments
        assert (file.filename, file.content_type, file.content) == ("a b.png", "image/png", PIXEL)

    def test_shown_by_the_html_are_inline(self):
        picture = part(base64.b64encode(PIXEL), "image/png", "Content-Transfer-Encoding: base64",
                       "Content-ID: <p%41@x>")  # fmt: skip

        facts = read(
            multipart(part('<img src="cid:p%2541@x">', "text/html"), picture, kind="related")
        )

        assert [(file.filename, file.content_id) for file in facts.inline] == [
            ("p%41.png", "p%41@x")
        ]

    @pytest.mark.parametrize(
        ("given", "kept"),
        [
            ("../../etc/passwd", "passwd"),
            ("C:\\\\docs\\\\a.txt", "a.txt"),
            ("a\x00\x07.txt", "a.txt"),
            ("..", "attachment.bin"),
            ("x" * 400 + ".pdf", "x" * 236 + ".pdf"),
        ],
    )
    def test_have_names_that_a_disk_takes(self, given, kept):
        (file,) = read(multipart(attached(b"x", "application/x", given))).files

        assert file.filename == kept or (kept == "attachment.bin" and file.is_name_made_up)

    def test_inside_of_a_text_are_taken_out(self):
        coded = binascii.b2a_uu(b"hello").decode()

        facts = read(mail(f"before\nbegin 644 h.txt\n{coded}`\nend\nafter\n"))

        assert [(file.filename, file.content) for file in facts.files] == [("h.txt", b"hello")]
        assert facts.body.split() == ["before", "after"]

    def test_may_be_messages_named_by_their_subject(self):
        facts = read(multipart(part("see"), part(mail(Subject="Inner?"), "message/rfc822")))

        assert (facts.body, names(facts)) == ("see", ["Inner?.eml"])
        assert b"It hums." in facts.files[0].content

    def test_may_be_a_digest(self):
        assert names(read(multipart(b"\n" + mail(Subject="One"), kind="digest"))) == ["One.eml"]

    def test_of_a_broken_winmail_stay_as_they_are(self):
        facts = read(
            mail(
                b"\x78\x9f\x3e\x22nonsense", Content_Type='application/ms-tnef; name="winmail.dat"'
            )
        )

        assert names(facts) == ["winmail.dat"]

    def test_of_an_invitation_are_kept(self):
        facts = read(
            multipart(part("come"), part("BEGIN:VCALENDAR", "text/calendar"), kind="alternative")
        )

        assert (facts.body, names(facts)) == ("come", ["invitation.ics"])


class TestCryptography:
    def test_signed_mail_is_read_and_its_signature_kept(self):
        signature = part("-----BEGIN PGP SIGNATURE-----", "application/pgp-signature")

        facts = read(multipart(part("signed"), signature, kind="signed"))

        assert (facts.body, names(facts), facts.is_signed) == ("signed", ["signature.asc"], True)

    def test_encrypted_mail_is_kept_intact_and_says_so(self):
        facts = read(
            multipart(
                part("Version: 1", "application/pgp-encrypted"),
                part("-----BEGIN PGP MESSAGE-----", "application/octet-stream; name=encrypted.asc"),
                kind="encrypted",
            )
        )

        assert (facts.body, facts.is_encrypted) == ("", True)
        assert names(facts) == ["version.asc", "encrypted.asc"]

    def test_an_enveloped_blob_is_kept(self):
        facts = read(mail("AAEC", Content_Type="application/pkcs7-mime; name=smime.p7m",
                          Content_Transfer_Encoding="base64"))  # fmt: skip

        assert (facts.files[0].content, facts.is_encrypted) == (b"\x00\x01\x02", True)
