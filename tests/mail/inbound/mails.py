"""Messages for the tests, written here, in the shapes in which mail really arrives."""

from __future__ import annotations

import base64

HEADERS = {
    "From": "Kemal Kunde <kemal@kunde.example>",
    "To": "Help <help@desk.example>",
    "Subject": "The printer hums",
    "Date": "Mon, 02 Mar 2026 10:00:00 +0100",
    "Message-ID": "<one@kunde.example>",
}


def mail(body: str | bytes = "It hums.\n", /, **headers: str | bytes | None) -> bytes:
    """A message with the usual headers; ``Content_Type=`` sets one, ``None`` takes it away."""
    wanted: dict[str, str | bytes | None] = dict(HEADERS)
    for name, value in headers.items():
        wanted[name.replace("_", "-")] = value
    lines = [
        name.encode() + b": " + (value if isinstance(value, bytes) else value.encode())
        for name, value in wanted.items()
        if value is not None
    ]
    return b"\n".join(lines) + b"\n\n" + (body if isinstance(body, bytes) else body.encode())


def multipart(*parts: bytes, kind: str = "mixed", boundary: str = "=_b", **headers: str) -> bytes:
    """A multipart message of parts that bring their own headers."""
    body = b"".join(b"--" + boundary.encode() + b"\n" + part + b"\n" for part in parts)
    body += b"--" + boundary.encode() + b"--\n"
    return mail(body, **{"Content_Type": f'multipart/{kind}; boundary="{boundary}"', **headers})


def part(content: str | bytes, kind: str = "text/plain; charset=utf-8", *more: str) -> bytes:
    """A part with a type and further header lines."""
    head = "\n".join([f"Content-Type: {kind}", *more])
    return head.encode() + b"\n\n" + (content if isinstance(content, bytes) else content.encode())


def attached(content: bytes, kind: str, name: str) -> bytes:
    """A part that is a file, in base64."""
    return part(
        base64.encodebytes(content),
        kind,
        "Content-Transfer-Encoding: base64",
        f'Content-Disposition: attachment; filename="{name}"',
    )


PIXEL = b"\x89PNG\r\n\x1a\n-not-really-a-picture"
