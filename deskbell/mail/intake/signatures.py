"""Our own look at who sent a message: signatures (DKIM, RFC 6376) and what the domain in From asks
for (DMARC, RFC 7489). For desks whose mail server writes no results of its own.

SPF is not looked at: it needs the host that delivered the message, which is no longer there when
the message stands in a mailbox. A domain may rely on SPF alone, so a missing signature says
something only where SPF could not have helped either: where the envelope sender (Return-Path) is
of another domain.

Names are asked for over the network. Whoever calls this has no transaction open.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from importlib import resources

import dkim
import dns.exception
import dns.resolver
import idna
from authheaders.dmarc_lookup import DMARCException, answer_to_dict
from dkim.util import InvalidTagValueList, parse_tag_value
from publicsuffix2 import PublicSuffixList

from deskbell.mail.intake.authentication import Authentication
from deskbell.mail.reading.facts import Facts

#: Waiting for names: for one message, and for all that are handled together.
SECONDS_AT_MOST = 5.0
SECONDS_TOGETHER = 15.0
#: Signatures of one message that are looked at.
SIGNATURES_AT_MOST = 3
#: What is larger, has more fields or longer white space was made to keep us busy.
SIZE_LIMIT = 30 * 1024 * 1024
FIELDS_LIMIT = 500
SIGNATURE_LIMIT = 4_000
#: Bytes of a key record: RSA with 4096 bits has 800.
KEY_LIMIT = 1_600
_WHITE_SPACE = re.compile(rb"[\t\r\n ]{2000}")
_DMARC = re.compile(rb"v\s*=\s*DMARC1\s*(?:;|$)")
STRICT_POLICIES = frozenset({"quarantine", "reject"})


class Unanswered(Exception):
    """Nobody says at present what stands under a name: that proves nothing."""


def ask(name: str, *, seconds: float) -> tuple[bytes, ...]:
    """The TXT records of a name, none if there is no such name. Raises :class:`Unanswered`."""
    try:
        found = dns.resolver.resolve(name, "TXT", lifetime=seconds, search=False)
    except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
        return ()
    except (
        dns.exception.Timeout,
        dns.resolver.NoNameservers,
        dns.resolver.NoResolverConfiguration,
        OSError,
    ) as error:
        raise Unanswered(name) from error
    except (dns.exception.DNSException, UnicodeError):
        return ()  # no name that anybody could have a record for
    return tuple(b"".join(each.strings) for each in found)


@dataclass(slots=True)
class Names:
    """What was answered, and not answered, while some messages are handled."""

    ask: Callable[..., tuple[bytes, ...]] | None = None
    clock: Callable[[], float] = time.monotonic
    _answers: dict[str, tuple[bytes, ...] | None] = field(default_factory=dict)
    _waited: float = 0.0
    _of_message: float = 0.0

    def next_message(self) -> None:
        """The time of one message begins."""
        self._of_message = 0.0

    def txt(self, name: str) -> tuple[bytes, ...]:
        """Raises :class:`Unanswered`, also where the time is up."""
        key = name.rstrip(".").lower()
        if key not in self._answers:
            left = min(SECONDS_AT_MOST - self._of_message, SECONDS_TOGETHER - self._waited)
            if left <= 0:
                raise Unanswered(name)
            begun = self.clock()
            try:
                self._answers[key] = (self.ask or ask)(f"{key}.", seconds=left)
            except Unanswered:
                self._answers[key] = None
            finally:
                waited = self.clock() - begun
                self._waited += waited
                self._of_message += waited
        found = self._answers[key]
        if found is None:
            raise Unanswered(name)
        return found


def verified(content: bytes, facts: Facts, names: Names) -> Authentication:
    """What we find out ourselves; empty where there is nothing to say."""
    names.next_message()
    domain = _from_domain(facts)
    if not domain or len(content) > SIZE_LIMIT or _WHITE_SPACE.search(content):
        return Authentication()
    shown = facts.from_[0].address.rpartition("@")[2]
    try:
        asked, strict = _policy(domain, names)
    except Unanswered:
        return Authentication(dmarc="temperror", domain=shown, by_desk=True)
    signed = _signed(content, lambda signer: _is_aligned(signer, domain, strict=strict), names)
    return Authentication(
        dmarc=_dmarc(signed, asked, domain, facts),
        dkim=signed,
        domain=shown,
        policy=asked,
        by_desk=True,
    )


def _dmarc(signed: str, asked: str, domain: str, facts: Facts) -> str:
    if not asked:
        return "none"
    if signed in ("pass", "temperror"):
        return signed
    envelope = _ascii((facts.return_path or "").rpartition("@")[2])
    # Relaxed on purpose: where SPF might have passed we do not say that all has failed.
    if not envelope or _is_aligned(envelope, domain, strict=False):
        return ""
    return "fail"


def _from_domain(facts: Facts) -> str:
    """The domain of the one From address; with several it could be another one than ours."""
    fields = [name for name, _ in facts.fields if name == "from"]
    if not len(fields) == len(facts.from_) == 1:
        return ""
    return _ascii(facts.from_[0].address.rpartition("@")[2])


def _ascii(domain: str) -> str:
    """As DNS has it; "" for what is no domain."""
    try:
        return idna.encode(domain.strip().rstrip("."), uts46=True).decode()
    except idna.IDNAError:
        return ""


# --- what the domain asks for --------------------------------------------------------------------


def _policy(domain: str, names: Names) -> tuple[str, bool]:
    """What its owner asks for (``none``, ``quarantine``, ``reject``; "" where he asks for nothing)
    and whether a signature must be of this very domain. Raises :class:`Unanswered`.
    """
    above = _organization(domain)
    record = _record(domain, names)
    key = "p"
    if not record and above != domain:
        record, key = _record(above, names), "sp"
    if not record:
        return "", False
    asked = record.get(key) or record.get("p", "")
    # Asked for a part of the mail only, or with words nobody knows: it is being tried out.
    if asked not in STRICT_POLICIES or record.get("pct", "100") != "100":
        asked = "none"
    return asked, record.get("adkim") == "s"


def _record(domain: str, names: Names) -> dict[str, str]:
    texts = [text for text in names.txt(f"_dmarc.{domain}") if _DMARC.match(text)]
    if len(texts) != 1:
        return {}
    try:
        return dict(answer_to_dict(texts[0].decode("ascii", "replace")))
    except DMARCException:
        return {}


def _is_aligned(domain: str, with_: str, *, strict: bool) -> bool:
    if domain == with_:
        return True
    return not strict and _organization(domain) == _organization(with_)


def _organization(domain: str) -> str:
    """The part of a name that somebody has registered."""
    found = str(_suffixes().get_public_suffix(domain) or domain)
    # Of a name of its own, such as "local", the list knows nothing: it hands out single names.
    return found if "." in found else ".".join(domain.split(".")[-2:])


@cache
def _suffixes() -> PublicSuffixList:
    text = (resources.files("authheaders") / "public_suffix_list.txt").read_text("utf-8")
    return PublicSuffixList(text.splitlines())


# --- signatures ----------------------------------------------------------------------------------


def _signed(content: bytes, is_aligned: Callable[[str], bool], names: Names) -> str:
    """``pass`` if a signature that counts holds; ``fail``, ``temperror``, or ``none`` at all."""
    try:
        message = dkim.DKIM(content, logger=_Silence(), minkey=1024)
    except dkim.DKIMException:
        return "none"
    if len(message.headers) > FIELDS_LIMIT:
        return "none"
    results: list[str] = []
    signatures = [value for name, value in message.headers if name.lower() == b"dkim-signature"]
    for index, value in enumerate(signatures):
        if len(value) > SIGNATURE_LIMIT:
            continue
        try:
            tags = parse_tag_value(value)
        except InvalidTagValueList:
            continue
        signer = _ascii(tags.get(b"d", b"").decode("ascii", "replace"))
        if not signer or not is_aligned(signer):
            continue
        results.append(_one(message, index, tags, names))
        if results[-1] == "pass" or len(results) >= SIGNATURES_AT_MOST:
            break
    order = ("pass", "temperror", "fail")
    return next((result for result in order if result in results), "none")


def _one(message: dkim.DKIM, index: int, tags: dict[bytes, bytes], names: Names) -> str:
    # With l= anybody may write more below it; SHA-1 no longer proves anything (RFC 8301).
    if b"l" in tags or tags.get(b"a") != b"rsa-sha256":
        return "fail"
    selector = tags.get(b"s", b"").decode("ascii", "replace")
    domain = tags[b"d"].decode("ascii", "replace")
    try:
        keys = names.txt(f"{selector}._domainkey.{domain}")
    except Unanswered:
        return "temperror"
    if len(keys) != 1 or len(keys[0]) > KEY_LIMIT or not _may_sign(keys[0], tags):
        return "fail"
    try:
        held = message.verify(index, dnsfunc=lambda _name, timeout=5: keys[0])
    except (dkim.DKIMException, ValueError, TypeError, IndexError, KeyError, ArithmeticError):
        # Whatever stands in a field or a key that is no signature, or no key.
        return "fail"
    return "pass" if held else "fail"


def _may_sign(key: bytes, tags: dict[bytes, bytes]) -> bool:
    """What the key's own record says it is for (RFC 6376 §3.6.1)."""
    try:
        said = parse_tag_value(key)
    except InvalidTagValueList:
        return False
    flags = [flag.strip() for flag in said.get(b"t", b"").split(b":")]
    services = [service.strip() for service in said.get(b"s", b"*").split(b":")]
    hashes = [each.strip() for each in said.get(b"h", b"sha256").split(b":")]
    if b"y" in flags or b"sha256" not in hashes or not {b"*", b"email"} & set(services):
        return False  # under test, or meant for something else
    identity = tags.get(b"i", tags[b"d"]).rpartition(b"@")[2].lower()
    return b"s" not in flags or identity == tags[b"d"].lower()


class _Silence:
    """Takes what dkimpy would log about every message whose signature does not hold."""

    def debug(self, *words: object) -> None:
        """Nothing: the result says it."""

    info = warning = error = debug
