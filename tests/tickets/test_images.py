"""Pictures in HTML: which bytes a ``data:`` address holds."""

from __future__ import annotations

import pytest

from deskbell.tickets.images import take_images


def taken(address: str) -> tuple[str, list[bytes]]:
    html, files = take_images(f'<img src="{address}">', prefix="7", host="desk.example")
    return html, [bytes(file.content) for file in files]


@pytest.mark.parametrize(
    ("text", "content"),
    [
        ("QUJD", b"ABC"),
        ("QUI=", b"AB"),
        ("QUI", b"AB"),
        ("QU I\r\n =", b"AB"),
        ("%51UI%3D", b"AB"),
        ("%2B%2F%2b/", b"\xfb\xff\xbf"),
        # The documentation's own: seven letters, two paddings.
        ("ABCDEFG==", b"\x00\x10\x83\x10Q"),
        ("QUJDR", b"ABC"),
        ("QUI=QUJD", b"AB"),
    ],
)
def test_base64_is_read_leniently(text: str, content: bytes) -> None:
    html, contents = taken(f"data:image/png;base64,{text}")

    assert contents == [content]
    assert 'src="cid:7.' in html


@pytest.mark.parametrize("text", ["", "=", "%%%", "A", "\u00e4\u00f6", "===="])
def test_what_holds_no_byte_is_no_picture(text: str) -> None:
    assert taken(f"data:image/png;base64,{text}") == ("<img>", [])
