"""Our own look at signatures: what proves a sender, what shows a forgery, what says nothing."""

# ruff: noqa: E402 - what may be missing is asked for first

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from functools import cache

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

NOT_INSTALLED = "NO dkimpy, authheaders: looking at signatures was not tested (extra mailauth)"
dkim = pytest.importorskip("dkim", reason=NOT_INSTALLED)
pytest.importorskip("authheaders", reason=NOT_INSTALLED)

import dns.exception
import dns.resolver

from deskbell.kernel.actor import SYSTEM
from deskbell.mail import policy
from deskbell.mail.intake import handling, signatures
from deskbell.mail.intake.authentication import Authentication
from deskbell.mail.intake.signatures import Names, Unanswered, verified
from deskbell.mail.models import IncomingMail
from deskbell.mail.reading import read
from tests.mail.intake.postman import AT, Post, entry

pytestmark = pytest.mark.once

MAIL = (
    b"From: Ines <ines@firm.example>\r\nTo: support@desk.example\r\nSubject: Fire\r\n"
    b"Message-ID: <1@firm.example>\r\n\r\nIt burns.\r\n"
)
ELSEWHERE = b"Return-Path: <bounce@evil.example>\r\n"
KEY = "s1._domainkey.firm.example."
DMARC = "_dmarc.firm.example."
Records = Mapping[str, str | type[Exception]]


@cache
def _key(bits: int = 1024) -> tuple[bytes, str]:
    """A private key as dkimpy takes it, and its record."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=bits)
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    )
    public = key.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return private, f"v=DKIM1; k=rsa; p={base64.b64encode(public).decode()}"


def signed(
    mail: bytes = MAIL, domain: str = "firm.example", *, length: bool = False, by: str = "s1"
) -> bytes:
    private, _record = _key()
    field = dkim.sign(
        mail,
        by.encode(),
        domain.encode(),
        private,
        include_headers=[b"from", b"to", b"subject"],
        canonicalize=(b"relaxed", b"relaxed"),
        length=length,
    )
    return bytes(field) + mail


def zone(dmarc: str = "v=DMARC1; p=reject") -> dict[str, str | type[Exception]]:
    signers = ("firm.example", "mail.firm.example", "evil.example")
    return {DMARC: dmarc} | {f"s1._domainkey.{signer}.": _key()[1] for signer in signers}


def names(records: Records, asked: list[str] | None = None) -> Names:
    def ask(name: str, *, seconds: float) -> tuple[bytes, ...]:
        assert 0 < seconds <= signatures.SECONDS_AT_MOST
        if asked is not None:
            asked.append(name)
        found = records.get(name, "")
        if not isinstance(found, str):
            raise found(name)
        return tuple(text.encode() for text in found.split("\n") if text)

    return Names(ask=ask)


def look(content: bytes, records: Records) -> Authentication:
    return verified(content, read(content), names(records))


@pytest.mark.parametrize(
    ("content", "records", "dmarc", "dkim_", "proven"),
    [
        pytest.param(signed, zone(), "pass", "pass", True, id="signed"),
        pytest.param(
            lambda: signed().replace(b"\r\n", b"\n"), zone(), "pass", "pass", True, id="unix lines"
        ),
        pytest.param(
            lambda: signed().replace(b"burns", b"rains"), zone(), "", "fail", False, id="altered"
        ),
        pytest.param(
            lambda: ELSEWHERE + signed().replace(b"burns", b"rains"), zone(), "fail", "fail", False,
            id="altered on a way that SPF does not vouch for",
        ),
        pytest.param(
            lambda: ELSEWHERE + signed(domain="evil.example"), zone(), "fail", "none", False,
            id="another domain's signature",
        ),
        pytest.param(lambda: ELSEWHERE + MAIL, zone(), "fail", "none", False, id="unsigned"),
        pytest.param(
            lambda: b"Return-Path: <x@news.firm.example>\r\n" + MAIL, zone(), "", "none", False,
            id="unsigned, but SPF may have passed",
        ),
        pytest.param(
            lambda: b"Return-Path: <>\r\n" + MAIL, zone(), "", "none", False, id="null return path"
        ),
        pytest.param(
            lambda: ELSEWHERE + signed(), zone() | {KEY: ""}, "fail", "fail", False, id="no key"
        ),
        pytest.param(
            lambda: ELSEWHERE + signed(), zone() | {KEY: _key()[1] + "; t=y"}, "fail", "fail",
            False, id="key under test",
        ),
        pytest.param(
            lambda: ELSEWHERE + signed(), zone() | {KEY: _key()[1] + "A" * 2000}, "fail", "fail",
            False, id="a key to keep us busy",
        ),
        pytest.param(
            lambda: ELSEWHERE + signed(), zone() | {KEY: "v=DKIM1; p=@@"}, "fail", "fail", False,
            id="no key at all",
        ),
        pytest.param(
            lambda: ELSEWHERE + signed(length=True) + b"And sends money.\r\n", zone(), "fail",
            "fail", False, id="more below what was signed",
        ),
        pytest.param(
            lambda: signed(signed(domain="evil.example"), by="s2"),
            zone() | {"s2._domainkey.firm.example.": _key()[1]}, "pass", "pass", True,
            id="one of several",
        ),
        pytest.param(
            lambda: b"DKIM-Signature: v=1; d=;;==\r\n" + signed(), zone(), "pass", "pass",
            True, id="a broken one above",
        ),
        pytest.param(
            lambda: signed(domain="mail.firm.example"), zone(), "pass", "pass", True, id="relaxed"
        ),
        pytest.param(
            lambda: ELSEWHERE + signed(domain="mail.firm.example"),
            zone("v=DMARC1; p=reject; adkim=s"), "fail", "none", False, id="strict",
        ),
        pytest.param(
            lambda: signed(MAIL.replace(b"ines@firm", b"ines@a.b.firm")), zone(), "pass", "pass",
            True, id="from below the domain",
        ),
        pytest.param(signed, zone(""), "none", "pass", False, id="no record"),
        pytest.param(
            signed, zone("v=DMARC1; p=reject\nv=DMARC1; p=none"), "none", "pass", False,
            id="two records",
        ),
        pytest.param(
            signed, zone() | {KEY: Unanswered}, "temperror", "temperror", False, id="no answer"
        ),
        pytest.param(
            lambda: ELSEWHERE + signed(), zone() | {DMARC: Unanswered}, "temperror", "", False,
            id="no answer about the policy",
        ),
        pytest.param(
            lambda: signed(b"From: evil@evil.example\r\n" + MAIL), zone(), "", "", False,
            id="two From fields",
        ),
        pytest.param(
            lambda: signed(MAIL.replace(b"burns", b" " * 3000)), zone(), "", "", False,
            id="white space to keep us busy",
        ),
        pytest.param(lambda: b"Subject: x\r\n\r\n", zone(), "", "", False, id="from nobody"),
    ],
)  # fmt: skip
def test_what_a_message_proves(
    content: Callable[[], bytes], records: Records, dmarc: str, dkim_: str, proven: bool
) -> None:
    mail = content()
    found = look(mail, records)
    sender = read(mail).from_
    assert (found.dmarc, found.dkim) == (dmarc, dkim_)
    assert found.proves(sender[0].address if sender else "") == proven
    assert found.is_forged == (dmarc == "fail")


@pytest.mark.parametrize(
    ("record", "sender", "forged"),
    [
        ("v=DMARC1; p=quarantine", b"firm.example", True),
        ("v=DMARC1; p=none", b"firm.example", False),
        ("v=DMARC1; p=reject; pct=20", b"firm.example", False),
        ("v=DMARC1; p=strange", b"firm.example", False),
        ("v=DMARC1; p=reject; sp=none", b"a.firm.example", False),
        ("v=DMARC1; p=none; sp=reject", b"a.firm.example", True),
    ],
)
def test_what_the_domain_asks_for_makes_a_forgery(record: str, sender: bytes, forged: bool) -> None:
    found = look(
        ELSEWHERE + MAIL.replace(b"firm.example>\r\nTo", sender + b">\r\nTo"), zone(record)
    )
    assert (found.dmarc, found.is_forged) == ("fail", forged)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("a.firm.example", "b.firm.example", True),
        ("a.co.uk", "b.co.uk", False),
        ("victim.local", "evil.local", False),
        ("com", "firm.com", False),
    ],
)
def test_only_what_one_owner_registered_is_aligned(one: str, other: str, same: bool) -> None:
    assert signatures._is_aligned(one, other, strict=False) == same


def test_names_are_asked_for_once_and_not_for_ever() -> None:
    asked: list[str] = []
    now = 0.0

    def ask(name: str, *, seconds: float) -> tuple[bytes, ...]:
        nonlocal now
        asked.append(name)
        now += seconds
        raise Unanswered(name)

    slow = Names(ask=ask, clock=lambda: now)
    for n in range(10):
        mail = MAIL.replace(b"firm.example>\r\nTo", b"f%d.example>\r\nTo" % (n // 2))
        assert verified(mail, read(mail), slow).dmarc == "temperror"
    assert len(asked) == 3
    assert now == signatures.SECONDS_TOGETHER


@pytest.mark.parametrize(
    ("error", "answer"),
    [
        (dns.resolver.NXDOMAIN(), ()),
        (dns.resolver.NoAnswer(response=dns.message.make_query("a.", "TXT")), ()),
        (dns.exception.Timeout(), None),
        (dns.resolver.NoNameservers(), None),
        (OSError("no network"), None),
    ],
)
def test_what_a_resolver_says(
    error: Exception, answer: tuple[bytes, ...] | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def resolve(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(dns.resolver, "resolve", resolve)
    if answer is None:
        with pytest.raises(Unanswered):
            signatures.ask("firm.example.", seconds=1)
    else:
        assert signatures.ask("firm.example.", seconds=1) == answer


@pytest.mark.django_db
@pytest.mark.usefixtures("clock", "outbox", "store")
class TestAtTheDesk:
    """Nora is an agent; what proves that a mail is hers lets it answer in her name."""

    @pytest.fixture
    def asked(self, monkeypatch: pytest.MonkeyPatch) -> list[str]:
        asked: list[str] = []
        records = {
            "_dmarc.example.test.": "v=DMARC1; p=reject",
            "s1._domainkey.example.test.": _key()[1],
        }
        monkeypatch.setattr(signatures, "ask", names(records, asked).ask)
        return asked

    def bring(self, post: Post, *, above: bytes = b"", sign: bool = True) -> IncomingMail:
        mail = MAIL.replace(b"ines@firm.example", post.nora.email.encode()).replace(
            b"Fire", b"Fire [Ticket#%s]" % post.ticket(owner_id=post.nora.pk).number.encode()
        )
        row = post.take(above + (signed(mail, "example.test") if sign else mail))
        handling.handle(row.pk, at=AT)
        row.refresh_from_db()
        return row

    def test_nothing_is_asked_unless_told_to(self, asked: list[str]) -> None:
        row = self.bring(Post())
        assert not asked
        assert entry(row).internal
        assert "authentication" not in entry(row).preferences

    def test_a_signature_proves_an_agent(self, asked: list[str]) -> None:
        policy.save({"verify_senders": True}, actor=SYSTEM, at=AT)
        post = Post()
        row = self.bring(post)
        assert entry(row).created_by_id == post.nora.pk
        assert entry(row).preferences["authentication"] == {
            "dmarc": "pass", "dkim": "pass", "domain": "example.test", "policy": "reject",
            "by": "desk",
        }  # fmt: skip

    def test_a_forgery_is_held(self, asked: list[str]) -> None:
        policy.save({"verify_senders": True}, actor=SYSTEM, at=AT)
        row = self.bring(Post(), above=ELSEWHERE, sign=False)
        assert entry(row).internal
        assert entry(row).preferences["authentication"]["dmarc"] == "fail"

    def test_a_server_of_ours_goes_before(
        self, asked: list[str], configured: Callable[..., None]
    ) -> None:
        configured(trusted_mail_hosts=("mx.desk.example",))
        policy.save({"verify_senders": True}, actor=SYSTEM, at=AT)
        said = b"Authentication-Results: mx.desk.example; dmarc=fail header.from=example.test\r\n"
        row = self.bring(Post(), above=said)
        assert not asked
        assert entry(row).internal
