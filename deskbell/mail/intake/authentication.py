"""What a mail server of ours says about who sent a message (RFC 8601).

Only the results of hosts that the operator names are believed: everybody can write such a field.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from django.conf import settings

from deskbell.mail.reading.facts import Facts

_RESULT = re.compile(r"\s*([a-z0-9-]+)\s*=\s*([a-z]+)(.*)", re.IGNORECASE | re.DOTALL)
_FROM = re.compile(r"header\.from\s*=\s*\"?@?([^\s;\"]+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Authentication:
    """What trusted hosts found: ``pass``, ``fail``, ``none`` … per method; empty: nobody said.

    ``domain`` is the From domain that DMARC judged. What the desk found out itself is ``by_desk``
    and says which ``policy`` the domain asks for.
    """

    dmarc: str = ""
    dkim: str = ""
    spf: str = ""
    domain: str = ""
    policy: str = ""
    by_desk: bool = False

    def proves(self, address: str) -> bool:
        """Whether the From address is proven: DMARC passed for its domain."""
        domain = address.rpartition("@")[2].casefold()
        return self.dmarc == "pass" and bool(domain) and self.domain.casefold() == domain

    @property
    def is_forged(self) -> bool:
        """Whether the From domain does not stand for the message.

        A domain that asks for nothing to be done about it only watches: it may not know of all
        the servers that write for it.
        """
        return self.dmarc == "fail" and self.policy != "none"

    def as_preferences(self) -> dict[str, str]:
        """For the entry, what there is."""
        found = {
            "dmarc": self.dmarc,
            "dkim": self.dkim,
            "spf": self.spf,
            "domain": self.domain,
            "policy": self.policy,
            "by": "desk" if self.by_desk else "",
        }
        if not (self.dmarc or self.dkim or self.spf):
            return {}
        return {name: value for name, value in found.items() if value}

    def or_else(self, other: Authentication) -> Authentication:
        """This one where it judges the From domain, or the other has nothing to say."""
        return self if self.dmarc or not (other.dmarc or other.dkim) else other


def authentication(results: Iterable[str], *, trusted: Iterable[str]) -> Authentication:
    """Read the topmost ``Authentication-Results`` field, if it is of a trusted host.

    Servers put theirs on top, so whatever stands below it may have come with the message, even
    under the name of a trusted host that had nothing to say this time.
    """
    hosts = {host.casefold() for host in trusted}
    for text in results:
        text = _plain(text[:10_000])
        host, _, rest = text.partition(";")
        words = host.split()
        if not words or words[0].casefold() not in hosts:
            break
        found: dict[str, str] = {}
        domain = ""
        for part in rest.split(";"):
            match = _RESULT.match(part)
            if match is None:
                continue
            method, result = match[1].lower(), match[2].lower()
            if method == "dmarc" and method in found:
                continue  # there is one From, and so one verdict on it
            if method == "dmarc" and (judged := _FROM.search(match[3])):
                domain = judged[1]
            # A message has several signatures; one that holds is enough.
            if found.get(method) != "pass":
                found[method] = result
        return Authentication(
            dmarc=found.get("dmarc", ""),
            dkim=found.get("dkim", ""),
            spf=found.get("spf", ""),
            domain=domain,
        )
    return Authentication()


def told_by_servers(facts: Facts) -> Authentication:
    """What the operator's own servers say about a message."""
    return authentication(facts.authentication_results, trusted=settings.CONFIG.trusted_mail_hosts)


def _plain(text: str) -> str:
    """The field without its comments, and without what would mean something inside of quotes.

    Addresses of strangers stand in it, and a quoted part of one may hold a whole verdict.
    """
    found: list[str] = []
    depth, quoted, escaped = 0, False, False
    for letter in text:
        if escaped:
            escaped = False
        elif letter == "\\" and (quoted or depth):
            escaped = True
        elif letter == '"' and not depth:
            quoted = not quoted
        elif not quoted and letter == "(":
            depth += 1
        elif not quoted and letter == ")" and depth:
            depth -= 1
            found.append(" ")
        elif quoted:
            found.append(letter if letter.isalnum() or letter in "@.-_" else "_")
        elif not depth:
            found.append(letter)
    return "".join(found)
