"""Bodies of entries, made safe and made plain."""

from __future__ import annotations

from deskbell.tickets.texts import plain_text, safe_html


class TestSafeHtml:
    def test_asks_for_the_address_of_every_image(self):
        html = '<img src="cid:a" alt="bell"><img src="https://x.example/t.gif" alt="dot">'

        shown = safe_html(html, image=lambda a: "cid:b" if a.startswith("cid:") else None)

        assert shown == '<img src="cid:b" alt="bell"><img alt="dot">'

    def test_judges_an_address_that_was_put_in(self):
        assert safe_html('<img src="cid:a">', image=lambda _: "cid:ok") == '<img src="cid:ok">'

    def test_asks_about_images_only(self):
        html = '<a href="https://x.example/">there</a>'

        assert 'href="https://x.example/"' in safe_html(html, image=lambda _: None)


class TestPlainText:
    def test_of_html_is_not_indented_by_its_boxes(self):
        assert (
            plain_text("<div>Hello<br>World</div><p>Bye</p>", "text/html") == "Hello\nWorld\n\nBye"
        )
